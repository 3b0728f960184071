/* CSeq (RFC 3261 20.16). */
#include "libahoy/syntax/cseq.h"

#include "libahoy/syntax/scan.h"

bool ahoy_cseq_parse(struct span text, struct ahoy_cseq *cseq, struct ahoy_err *err)
{
    *cseq = (struct ahoy_cseq){ .method_text = ahoy_nothing(text.at) };
    if (text.size == 0)
        return ahoy_fail(err, 400, text.at, "a CSeq");
    const char *end = ahoy_span_end(text);
    const char *stop = ahoy_skip(text.at, end, AHOY_DIGIT);
    uint64_t number;
    if (!ahoy_span_number(ahoy_span_between(text.at, stop), INT32_MAX, &number))
        return ahoy_fail(err, 400, text.at, "a number below 2^31"); /* R3261-8.1.1.5-2 */
    const char *method = ahoy_skip(stop, end, AHOY_LWS);
    const char *last = ahoy_skip(method, end, AHOY_TOKEN);
    if (method == stop || last == method || last != end)
        return ahoy_fail(err, 400, last, "white space and a method");
    cseq->number = (uint32_t)number;
    cseq->method_text = ahoy_span_between(method, last);
    cseq->method = ahoy_method_parse(cseq->method_text);
    return true;
}
