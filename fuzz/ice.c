/* Checks of ICE: who does not know the words gets no answer; an answer is sound, and gets none. */
#include "fuzz/target.h"
#include "libahoy/transport/ice.h"
#include "libahoy/transport/stun.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct ahoy_ice_secret secret = { SPAN_INIT("evtj"),
                                                   SPAN_INIT("VOkJxbRl1RmTxUk/WvJxBt") };
    struct span request = { (const char *)data, size };
    struct ahoy_ip source = { .family = size % 2 == 0 ? AHOY_IPV4 : AHOY_IPV6, .port = 5060 };
    char space[AHOY_ICE_ANSWER_SIZE];
    struct ahoy_buf answer = ahoy_buf_over(space, sizeof space);
    if (ahoy_ice_answer(request, &source, &secret, &answer) == AHOY_ICE_NOTHING) {
        MUST(answer.size == 0);
        return 0;
    }
    MUST(ahoy_port_use(request) == AHOY_PORT_STUN && !answer.overflow);
    struct span text = ahoy_buf_text(&answer);
    char second[AHOY_ICE_ANSWER_SIZE];
    struct ahoy_buf none = ahoy_buf_over(second, sizeof second);
    MUST(ahoy_stun_is(text));
    MUST(ahoy_ice_answer(text, &source, &secret, &none) == AHOY_ICE_NOTHING);
    return 0;
}
