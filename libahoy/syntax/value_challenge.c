/* Challenges, credentials, and Authentication-Info (RFC 3261 20.6, 20.7, 20.44, 25.1). */
#include "libahoy/syntax/params.h"
#include "libahoy/syntax/scan.h"
#include "libahoy/syntax/value_forms.h"

bool ahoy_value_parse_challenge(struct ahoy_value *value, struct ahoy_err *err)
{
    struct ahoy_challenge *challenge = &value->as.challenge;
    if (!ahoy_challenge_parse(value->text, challenge, err))
        return false;
    value->head = challenge->scheme;
    return true;
}

static void print_pairs(struct span rest, struct ahoy_buf *buf)
{
    struct ahoy_param pair;
    bool is_first = true;
    for (; ahoy_pair_next(&rest, &pair, NULL); is_first = false) {
        if (!is_first)
            ahoy_buf_put_byte(buf, ',');
        ahoy_buf_put(buf, pair.name);
        ahoy_buf_put_byte(buf, '=');
        ahoy_print_unfolded(pair.value, buf);
    }
}

/* What follows another scheme than Digest need not be pairs ("Bearer abc"). */
void ahoy_value_print_challenge(const struct ahoy_value *value, struct ahoy_buf *buf)
{
    struct span scheme = value->as.challenge.scheme;
    struct span rest = ahoy_span_trim(ahoy_span_after(value->text, scheme.size));
    ahoy_buf_put(buf, scheme);
    if (rest.size > 0)
        ahoy_buf_put_byte(buf, ' ');
    if (value->as.challenge.is_digest)
        print_pairs(rest, buf);
    else
        ahoy_print_unfolded(rest, buf);
}

/* Checks that a pair which means something stands once. */
static bool note_pair(const struct ahoy_param *pair, unsigned *seen, struct ahoy_err *err)
{
    static const struct span known[] = {
        SPAN_INIT("nextnonce"), SPAN_INIT("qop"), SPAN_INIT("rspauth"),
        SPAN_INIT("cnonce"),    SPAN_INIT("nc"),
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (!ahoy_span_equal_nocase(pair->name, known[i]))
            continue;
        if ((*seen & 1u << i) != 0)
            return ahoy_fail(err, 400, pair->name.at, "each parameter once");
        *seen |= 1u << i;
    }
    return true;
}

bool ahoy_value_parse_pairs(struct ahoy_value *value, struct ahoy_err *err)
{
    struct span rest = value->text;
    struct ahoy_param pair;
    struct ahoy_err fault;
    unsigned seen = 0;
    while (ahoy_pair_next(&rest, &pair, &fault)) {
        if (!note_pair(&pair, &seen, err))
            return false;
    }
    return fault.expected == NULL || ahoy_fail(err, 400, fault.at, fault.expected);
}

void ahoy_value_print_pairs(const struct ahoy_value *value, struct ahoy_buf *buf)
{
    print_pairs(value->text, buf);
}
