/* Parameters and comma lists (RFC 3261 25.1 generic-param, 7.3). */
#include "libahoy/syntax/params.h"

#include "libahoy/syntax/scan.h"

/* Behind the value that begins at |at|: a quoted string or a run of AHOY_VALUE; NULL where it is
 * empty or open. */
static const char *skip_value(const char *at, const char *end)
{
    if (at < end && *at == '"')
        return ahoy_skip_quoted(at, end);
    const char *stop = ahoy_skip_word(at, end, AHOY_VALUE);
    return stop == at ? NULL : stop;
}

/* Behind the URI in brackets that begins at |at|; NULL where it is empty or open. */
static const char *skip_bracketed(const char *at, const char *end)
{
    const char *close = ahoy_skip_escaped(at + 1, end, AHOY_URIC);
    return close == at + 1 || close == end || *close != '>' ? NULL : close + 1;
}

/* Where the next thing in |rest| begins, behind white space; NULL where none is left. */
static inline const char *begin(struct span rest)
{
    if (rest.size == 0)
        return NULL;
    const char *end = ahoy_span_end(rest);
    const char *at = ahoy_skip(rest.at, end, AHOY_LWS);
    return at == end ? NULL : at;
}

const char *ahoy_param_read(const char *at, const char *end, struct ahoy_param *param,
                            struct ahoy_err *err)
{
    const char *name = ahoy_skip(at + 1, end, AHOY_LWS);
    at = ahoy_skip(name, end, AHOY_TOKEN);
    if (at == name) {
        ahoy_fail(err, 400, name, "a parameter's name");
        return NULL;
    }
    param->name = ahoy_span_between(name, at);
    param->value = ahoy_nothing(at);
    const char *equal = ahoy_skip(at, end, AHOY_LWS);
    param->has_value = equal < end && *equal == '=';
    if (!param->has_value)
        return at;
    const char *value = ahoy_skip(equal + 1, end, AHOY_LWS);
    bool is_bracketed = value < end && *value == '<';
    at = is_bracketed ? skip_bracketed(value, end) : skip_value(value, end);
    if (at == NULL)
        ahoy_fail(err, 400, value, "a parameter's value");
    else
        param->value = ahoy_span_between(value, at);
    return at;
}

bool ahoy_param_next(struct span *rest, struct ahoy_param *param, struct ahoy_err *err)
{
    const char *at = begin(*rest);
    if (at == NULL)
        return ahoy_finished(err);
    const char *end = ahoy_span_end(*rest);
    if (*at != ';')
        return ahoy_fail(err, 400, at, "\";\" before a parameter");
    at = ahoy_param_read(at, end, param, err);
    if (at == NULL)
        return false;
    *rest = ahoy_span_between(at, end);
    return true;
}

/* Behind the comma at |at| and the white space around it; |end| at the end, NULL at a fault. */
static const char *skip_comma(const char *at, const char *end, struct ahoy_err *err)
{
    at = ahoy_skip(at, end, AHOY_LWS);
    if (at == end)
        return end;
    const char *next = ahoy_skip(at + 1, end, AHOY_LWS);
    if (*at == ',' && next < end)
        return next;
    if (*at == ',')
        ahoy_fail(err, 400, end, "a parameter behind the comma");
    else
        ahoy_fail(err, 400, at, "a comma between parameters");
    return NULL;
}

bool ahoy_pair_next(struct span *rest, struct ahoy_param *pair, struct ahoy_err *err)
{
    if (rest->size == 0)
        return ahoy_finished(err);
    const char *end = ahoy_span_end(*rest);
    const char *name_end = ahoy_skip(rest->at, end, AHOY_TOKEN);
    pair->name = ahoy_span_between(rest->at, name_end);
    pair->has_value = true;
    const char *equal = ahoy_skip(name_end, end, AHOY_LWS);
    if (pair->name.size == 0 || equal == end || *equal != '=')
        return ahoy_fail(err, 400, pair->name.size == 0 ? rest->at : equal,
                         "a parameter's name and \"=\"");
    const char *value = ahoy_skip(equal + 1, end, AHOY_LWS);
    const char *at = skip_value(value, end);
    if (at == NULL)
        return ahoy_fail(err, 400, value, "a parameter's value");
    pair->value = ahoy_span_between(value, at);
    at = skip_comma(at, end, err);
    if (at == NULL)
        return false;
    *rest = ahoy_span_between(at, end);
    return true;
}

bool ahoy_params_find(struct span params, struct span name, struct ahoy_param *param)
{
    while (ahoy_param_next(&params, param, NULL)) {
        if (ahoy_span_equal_nocase(param->name, name))
            return true;
    }
    return false;
}

/* Behind the bracket that closes the one at |at|, whatever stands between; NULL where none does. */
static const char *skip_to_close(const char *at, const char *end)
{
    const char *close = ahoy_scan_close(at, end);
    return close == end ? NULL : close + 1;
}

/* The comma that ends the item at |at|, or |end|; NULL at a quote or bracket that stays open,
 * which is then where *open points. */
static const char *item_end(const char *at, const char *end, const char **open)
{
    while (at < end) {
        if (!ahoy_is(*at, AHOY_LISTED))
            at = ahoy_scan_listed(at, end);
        if (at == end || *at == ',')
            return at;
        *open = at;
        at = *at == '"' ? ahoy_skip_quoted(at, end) : skip_to_close(at, end);
        if (at == NULL)
            return NULL;
    }
    return end;
}

/* Takes the item from |at| to |comma|, which may be the end, off |rest|. */
static inline bool take_item(struct span *rest, const char *at, const char *comma,
                             struct span *item, struct ahoy_err *err)
{
    const char *end = ahoy_span_end(*rest);
    if (comma == at)
        return ahoy_fail(err, 400, at, "a value before the comma");
    const char *last = comma;
    while (ahoy_is(last[-1], AHOY_LWS))
        last--;
    *item = ahoy_span_between(at, last);
    const char *next = comma == end ? end : ahoy_skip(comma + 1, end, AHOY_LWS);
    /* A comma at the end promises a value that is not there: leave it for the next call to find. */
    if (next == end)
        next = comma;
    *rest = ahoy_span_between(next, end);
    return true;
}

bool ahoy_list_next(struct span *rest, struct span *item, struct ahoy_err *err)
{
    const char *at = begin(*rest);
    if (at == NULL)
        return ahoy_finished(err);
    const char *open = NULL;
    const char *comma = item_end(at, ahoy_span_end(*rest), &open);
    if (comma == NULL)
        return ahoy_fail(err, 400, open, *open == '"' ? "a closing quote" : "a closing \">\"");
    return take_item(rest, at, comma, item, err);
}

bool ahoy_words_next(struct span *rest, struct span *item, struct ahoy_err *err)
{
    const char *at = begin(*rest);
    if (at == NULL)
        return ahoy_finished(err);
    struct span text = ahoy_span_between(at, ahoy_span_end(*rest));
    return take_item(rest, at, at + ahoy_span_find(text, ','), item, err);
}

struct span ahoy_unquote(struct span value)
{
    if (value.size < 2 || value.at[0] != '"' || ahoy_span_end(value)[-1] != '"')
        return value;
    return (struct span){ value.at + 1, value.size - 2 };
}
