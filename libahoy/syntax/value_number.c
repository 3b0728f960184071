/* Values that are numbers, and what counts or waits by them (RFC 3261 20.14, 20.16, 20.19, 20.22,
 * 20.33, 20.38; RFC 3262 7; RFC 4028 4). */
#include "libahoy/syntax/scan.h"
#include "libahoy/syntax/value_forms.h"

/* Numbers whose range is another than 0 to 2^32 - 1. */
static const struct range {
    enum ahoy_header header;
    uint32_t low, high;
    const char *expected;
} ranges[] = {
    { AHOY_HEADER_MAX_FORWARDS, 0, 255, "a number of hops up to 255" },
    { AHOY_HEADER_RSEQ, 1, UINT32_MAX, "a number from 1 to below 2^32" },
};

static struct range range_of(enum ahoy_header header)
{
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        if (ranges[i].header == header)
            return ranges[i];
    }
    return (struct range){ header, 0, UINT32_MAX, "a number below 2^32" };
}

/* Reads the digits at the front within the range of the header; returns the place behind them,
 * NULL at a fault. */
static const char *read_number(const struct ahoy_value *value, uint64_t *number,
                               struct ahoy_err *err)
{
    struct range range = range_of(value->header);
    const char *at = ahoy_skip(value->text.at, ahoy_span_end(value->text), AHOY_DIGIT);
    struct span digits = ahoy_span_between(value->text.at, at);
    if (ahoy_span_number(digits, range.high, number) && *number >= range.low)
        return at;
    ahoy_fail(err, 400, digits.at, range.expected);
    return NULL;
}

bool ahoy_value_parse_number(struct ahoy_value *value, struct ahoy_err *err)
{
    const char *at = read_number(value, &value->as.number, err);
    return at != NULL && ahoy_value_take_end(value, at, err);
}

void ahoy_value_print_number(const struct ahoy_value *value, struct ahoy_buf *buf)
{
    ahoy_buf_put_number(buf, value->as.number);
}

/* Only Retry-After says why in a comment. */
bool ahoy_value_parse_interval(struct ahoy_value *value, struct ahoy_err *err)
{
    const char *end = ahoy_span_end(value->text);
    const char *at = read_number(value, &value->as.number, err);
    if (at == NULL)
        return false;
    const char *comment = ahoy_skip(at, end, AHOY_LWS);
    if (value->header == AHOY_HEADER_RETRY_AFTER && comment < end && *comment == '(') {
        at = ahoy_skip_comment(comment, end);
        if (at == NULL)
            return ahoy_fail(err, 400, comment, "a closing \")\"");
        value->comment = ahoy_span_between(comment, at);
    }
    return ahoy_value_take_params(value, at, err);
}

void ahoy_value_print_interval(const struct ahoy_value *value, struct ahoy_buf *buf)
{
    ahoy_buf_put_number(buf, value->as.number);
    ahoy_print_unfolded(value->comment, buf);
    ahoy_print_params(value->params, buf);
}

bool ahoy_value_parse_cseq(struct ahoy_value *value, struct ahoy_err *err)
{
    return ahoy_cseq_parse(value->text, &value->as.cseq, err);
}

static void print_cseq(const struct ahoy_cseq *cseq, struct ahoy_buf *buf)
{
    ahoy_buf_put_number(buf, cseq->number);
    ahoy_buf_put_byte(buf, ' ');
    ahoy_buf_put(buf, cseq->method_text);
}

void ahoy_value_print_cseq(const struct ahoy_value *value, struct ahoy_buf *buf)
{
    print_cseq(&value->as.cseq, buf);
}

bool ahoy_value_parse_rack(struct ahoy_value *value, struct ahoy_err *err)
{
    const char *end = ahoy_span_end(value->text);
    uint64_t response;
    const char *at = read_number(value, &response, err);
    if (at == NULL)
        return false;
    const char *cseq = ahoy_skip(at, end, AHOY_LWS);
    if (cseq == at)
        return ahoy_fail(err, 400, at, "white space and a CSeq");
    value->as.rack.response = (uint32_t)response;
    return ahoy_cseq_parse(ahoy_span_between(cseq, end), &value->as.rack.cseq, err);
}

void ahoy_value_print_rack(const struct ahoy_value *value, struct ahoy_buf *buf)
{
    ahoy_buf_put_number(buf, value->as.rack.response);
    ahoy_buf_put_byte(buf, ' ');
    print_cseq(&value->as.rack.cseq, buf);
}

/* Reads *DIGIT ["." *DIGIT]; may be empty. */
static struct span read_seconds(const char *at, const char *end)
{
    const char *stop = ahoy_skip(at, end, AHOY_DIGIT);
    if (stop < end && *stop == '.')
        stop = ahoy_skip(stop + 1, end, AHOY_DIGIT);
    return ahoy_span_between(at, stop);
}

bool ahoy_value_parse_timestamp(struct ahoy_value *value, struct ahoy_err *err)
{
    const char *end = ahoy_span_end(value->text);
    if (!ahoy_is(value->text.at[0], AHOY_DIGIT))
        return ahoy_fail(err, 400, value->text.at, "a time in seconds");
    struct span time = read_seconds(value->text.at, end);
    const char *at = ahoy_skip(ahoy_span_end(time), end, AHOY_LWS);
    struct span delay = ahoy_nothing(at);
    if (at > ahoy_span_end(time))
        delay = read_seconds(at, end);
    if (ahoy_span_end(delay) != end)
        return ahoy_fail(err, 400, ahoy_span_end(delay), "white space and a delay in seconds");
    value->as.timestamp.time = time;
    value->as.timestamp.delay = delay;
    return true;
}

void ahoy_value_print_timestamp(const struct ahoy_value *value, struct ahoy_buf *buf)
{
    ahoy_print_words(value->text, buf);
}
