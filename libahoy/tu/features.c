/* One feature compared with one wish: RFC 3841 7.2.4 and 8. */
#include "libahoy/tu/features.h"

#include <math.h>

/* One of the values of a list. */
struct value {
    bool is_negated; /* All but this one. */
    bool is_number;
    double low, high; /* |is_number|: both ends belong to it. */
    struct span token;
};

/* What a feature says; one that is only named is true. */
static struct span text_of(const struct ahoy_param *param)
{
    return param->has_value ? ahoy_span_trim(ahoy_unquote(param->value)) : SPAN("TRUE");
}

static bool is_string(struct span text)
{
    return text.size > 0 && text.at[0] == '<';
}

/* Takes the next value of a list off |rest|. */
static bool next_item(struct span *rest, struct span *item)
{
    if (rest->size == 0)
        return false;
    size_t comma = ahoy_span_find(*rest, ',');
    *item = ahoy_span_trim((struct span){ rest->at, comma });
    *rest = ahoy_span_after(*rest, comma < rest->size ? comma + 1 : comma);
    return true;
}

/* [ "+" / "-" ] 1*DIGIT ["." 0*DIGIT] */
static bool read_number(struct span text, double *number)
{
    bool is_negative = text.size > 0 && text.at[0] == '-';
    size_t at = text.size > 0 && (is_negative || text.at[0] == '+') ? 1 : 0;
    double scale = 0; /* Of the next decimal; 0 in front of the point. */
    size_t digits = 0;
    *number = 0;
    for (; at < text.size; at++) {
        char byte = text.at[at];
        if (byte == '.' && scale == 0 && digits > 0) {
            scale = 0.1;
        } else if (byte >= '0' && byte <= '9') {
            *number = scale == 0 ? *number * 10 + (byte - '0') : *number + (byte - '0') * scale;
            scale /= 10;
            digits++;
        } else {
            return false;
        }
    }
    if (is_negative)
        *number = -*number;
    return digits > 0;
}

/* "=5", ">=5", "<=5", "1:5", "5": what follows the "#". */
static bool read_range(struct span text, struct value *value)
{
    size_t colon = ahoy_span_find(text, ':');
    value->low = -INFINITY;
    value->high = INFINITY;
    if (colon < text.size)
        return read_number((struct span){ text.at, colon }, &value->low) &&
               read_number(ahoy_span_after(text, colon + 1), &value->high);
    if (ahoy_span_starts_nocase(text, SPAN(">=")))
        return read_number(ahoy_span_after(text, 2), &value->low);
    if (ahoy_span_starts_nocase(text, SPAN("<=")))
        return read_number(ahoy_span_after(text, 2), &value->high);
    if (ahoy_span_starts_nocase(text, SPAN("=")))
        text = ahoy_span_after(text, 1);
    bool is_read = read_number(text, &value->low);
    value->high = value->low;
    return is_read;
}

static bool read_value(struct span item, struct value *value)
{
    value->is_negated = item.size > 0 && item.at[0] == '!';
    if (value->is_negated)
        item = ahoy_span_after(item, 1);
    value->is_number = item.size > 0 && item.at[0] == '#';
    value->token = item;
    if (value->is_number)
        return read_range(ahoy_span_after(item, 1), value);
    return item.size > 0;
}

/* Whether a number is in both ranges, of which one or both may stand for all others. */
static bool ranges_meet(const struct value *a, const struct value *b)
{
    if (a->is_negated && b->is_negated)
        return true;
    if (a->is_negated)
        return b->low < a->low || b->high > a->high;
    if (b->is_negated)
        return a->low < b->low || a->high > b->high;
    return a->low <= b->high && b->low <= a->high;
}

static bool values_meet(const struct value *a, const struct value *b)
{
    if (a->is_number != b->is_number)
        return false;
    if (a->is_number)
        return ranges_meet(a, b);
    bool is_same = ahoy_span_equal_nocase(a->token, b->token);
    return a->is_negated || b->is_negated ? !is_same || a->is_negated == b->is_negated : is_same;
}

static bool meets_any(struct span list, const struct value *wanted)
{
    struct span item;
    struct value value;
    while (next_item(&list, &item)) {
        if (read_value(item, &value) && values_meet(&value, wanted))
            return true;
    }
    return false;
}

bool ahoy_features_meet(const struct ahoy_param *has, const struct ahoy_param *wanted)
{
    struct span list = text_of(has);
    struct span wishes = text_of(wanted);
    struct span item;
    struct value value;
    if (is_string(list) || is_string(wishes))
        return ahoy_span_equal(list, wishes);
    while (next_item(&wishes, &item)) {
        if (read_value(item, &value) && meets_any(list, &value))
            return true;
    }
    return false;
}

size_t ahoy_features_count(const struct ahoy_param *param)
{
    struct span list = text_of(param);
    size_t count = 1;
    for (size_t i = 0; i < list.size; i++)
        count += list.at[i] == ',';
    return count;
}
