/* The parameters of overload control (RFC 7339 9).  They change how much is sent to whom, so they
 * are read to the letter or not at all. */
#include "libahoy/syntax/oc.h"

#include "libahoy/syntax/params.h"

enum { FRACTION_DIGITS = 5, SECONDS_DIGITS = 12 };

enum { OC, OC_ALGO, OC_VALIDITY, OC_SEQ, OC_PARAMS };

static const struct span names[OC_PARAMS] = { SPAN_INIT("oc"), SPAN_INIT("oc-algo"),
                                              SPAN_INIT("oc-validity"), SPAN_INIT("oc-seq") };

static unsigned which(struct span name)
{
    unsigned i = 0;
    while (i < OC_PARAMS && !ahoy_span_equal_nocase(name, names[i]))
        i++;
    return i;
}

/* "loss" or others, in quotes, with commas between.  |is_loss|: it is among them. */
static bool parse_algorithms(struct span value, bool *is_loss)
{
    struct span list = ahoy_unquote(value);
    struct span item;
    struct ahoy_err fault;
    if (list.size + 2 != value.size || list.size == 0)
        return false;
    while (ahoy_list_next(&list, &item, &fault)) {
        for (size_t i = 0; i < item.size; i++) {
            char byte = item.at[i];
            char small = (char)(byte | 0x20);
            if (!(small >= 'a' && small <= 'z') && !(byte >= '0' && byte <= '9'))
                return false;
        }
        *is_loss |= ahoy_span_equal_nocase(item, SPAN("loss"));
    }
    return fault.expected == NULL;
}

/* "1282321615.782" */
static bool parse_seq(struct span value, uint64_t *seq)
{
    size_t dot = ahoy_span_find(value, '.');
    if (dot > SECONDS_DIGITS || value.size - dot < 2 || value.size - dot > 1 + FRACTION_DIGITS)
        return false;
    struct span digits = ahoy_span_after(value, dot + 1);
    uint64_t seconds, fraction;
    if (!ahoy_span_number((struct span){ value.at, dot }, UINT64_MAX, &seconds) ||
        !ahoy_span_number(digits, UINT64_MAX, &fraction))
        return false;
    uint64_t unit = 1;
    for (size_t i = 0; i < FRACTION_DIGITS; i++) {
        unit *= 10;
        fraction *= i < digits.size ? 1 : 10;
    }
    *seq = seconds * unit + fraction;
    return true;
}

static bool take(const struct ahoy_param *param, unsigned kind, struct ahoy_oc *oc)
{
    uint64_t number = 0;
    switch (kind) {
    case OC:
        oc->has_value = param->has_value;
        if (param->has_value && !ahoy_span_number(param->value, 100, &number))
            return false; /* R7339-7.1-1 */
        oc->loss = (uint32_t)number;
        return true;
    case OC_ALGO:
        return parse_algorithms(param->value, &oc->is_loss);
    case OC_VALIDITY:
        if (!param->has_value)
            return true;
        if (!ahoy_span_number(param->value, UINT32_MAX, &number))
            return false;
        oc->validity_ms = (uint32_t)number;
        return true;
    default:
        return parse_seq(param->value, &oc->seq);
    }
}

bool ahoy_oc_parse(struct span params, struct ahoy_oc *oc)
{
    unsigned seen = 0;
    struct ahoy_param param;
    struct ahoy_err fault;
    *oc = (struct ahoy_oc){ .validity_ms = AHOY_OC_VALIDITY_MS };
    while (ahoy_param_next(&params, &param, &fault)) {
        unsigned kind = which(param.name);
        if (kind == OC_PARAMS)
            continue;
        if ((seen & 1u << kind) != 0 || !take(&param, kind, oc))
            return false;
        seen |= 1u << kind;
    }
    return fault.expected == NULL && (seen & 1u << OC) != 0;
}

bool ahoy_oc_may_be_in(struct span text)
{
    for (;;) {
        size_t semicolon = ahoy_span_find(text, ';');
        if (semicolon == text.size)
            return false;
        text = ahoy_span_after(text, semicolon + 1);
        struct span name = ahoy_span_trim(text);
        if (ahoy_span_starts_nocase(name, SPAN("oc")))
            return true;
    }
}

void ahoy_oc_print(struct ahoy_buf *buf, unsigned loss, unsigned validity_ms, uint64_t now_ms)
{
    ahoy_buf_put(buf, SPAN(";oc="));
    ahoy_buf_put_number(buf, loss);
    ahoy_buf_put(buf, SPAN(";oc-algo=\"loss\";oc-validity="));
    ahoy_buf_put_number(buf, validity_ms);
    ahoy_buf_put(buf, SPAN(";oc-seq="));
    ahoy_buf_put_number(buf, now_ms / 1000);
    ahoy_buf_put_byte(buf, '.');
    ahoy_buf_put_byte(buf, (char)('0' + now_ms / 100 % 10));
    ahoy_buf_put_byte(buf, (char)('0' + now_ms / 10 % 10));
    ahoy_buf_put_byte(buf, (char)('0' + now_ms % 10));
}

void ahoy_edits_remove_oc(struct ahoy_edits *edits, struct span params)
{
    struct span rest = params;
    struct ahoy_param param;
    const char *before = rest.at;
    for (; ahoy_param_next(&rest, &param, NULL); before = rest.at) {
        if (which(param.name) < OC_PARAMS)
            ahoy_edits_remove(edits, ahoy_span_between(before, rest.at));
    }
}
