/* Datagrams of STUN: an answer is sound, small, and gets no answer itself. */
#include "fuzz/target.h"
#include "libahoy/transport/stun.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span request = { (const char *)data, size };
    struct ahoy_ip source = { .family = size % 2 == 0 ? AHOY_IPV4 : AHOY_IPV6, .port = 5060 };
    char space[AHOY_STUN_ANSWER_SIZE];
    struct ahoy_buf answer = ahoy_buf_over(space, sizeof space);
    if (!ahoy_stun_answer(request, &source, &answer)) {
        MUST(answer.size == 0);
        return 0;
    }
    MUST(ahoy_stun_is(request));
    MUST(!answer.overflow && answer.size % 4 == 0);
    MUST(answer.size <= size + 32);
    struct span text = ahoy_buf_text(&answer);
    char second[AHOY_STUN_ANSWER_SIZE];
    struct ahoy_buf none = ahoy_buf_over(second, sizeof second);
    MUST(ahoy_stun_is(text) && !ahoy_stun_answer(text, &source, &none));
    return 0;
}
