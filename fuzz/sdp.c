/* Session descriptions: an answer of ours can be read, has as many media as its offer and the same
 * timing, and agrees on the same codec from either side (RFC 3264 6). */
#include "fuzz/target.h"
#include "libahoy/sdp/negotiate.h"

enum { ANSWER_LIMIT = 1 << 17 };

static struct ahoy_sdp offer;
static struct ahoy_sdp answer;
static char space[ANSWER_LIMIT];

static void check_answer(struct span text, const struct ahoy_sdp_agreed *agreed)
{
    struct ahoy_sdp_agreed back;
    struct ahoy_err err;
    MUST(ahoy_sdp_parse(text, &answer, &err));
    MUST(answer.media_count == offer.media_count);
    MUST(offer.timing.size == 0 || ahoy_span_equal(answer.timing, offer.timing));
    MUST(ahoy_sdp_read_answer(&answer, &back));
    MUST(back.codec == agreed->codec && back.has_events == agreed->has_events);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct ahoy_sdp_local local = { .media = { .family = AHOY_IPV4, .port = 4000 } };
    struct span text = { (const char *)data, size };
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    struct ahoy_sdp_agreed agreed;
    struct ahoy_err err = { .expected = NULL };
    if (!ahoy_sdp_parse(text, &offer, &err)) {
        MUST(err.expected != NULL && ahoy_err_offset(&err, text) <= size);
        MUST(err.status == 400 || err.status == 488);
        return 0;
    }
    if (ahoy_sdp_print_answer(&offer, &local, &buf, &agreed))
        check_answer(ahoy_buf_text(&buf), &agreed);
    return 0;
}
