/* What a body is or may be: media types, languages, the version of MIME (RFC 3261 20.1, 20.3,
 * 20.13, 20.15, 20.24). */
#include "libahoy/syntax/params.h"
#include "libahoy/syntax/scan.h"
#include "libahoy/syntax/value_forms.h"

/* An m-parameter has a value; only what Accept adds to it may have none. */
static bool check_values(const struct ahoy_value *value, struct ahoy_err *err)
{
    struct span rest = value->params;
    struct ahoy_param param;
    while (ahoy_param_next(&rest, &param, NULL)) {
        if (!param.has_value)
            return ahoy_fail(err, 400, ahoy_span_end(param.name), "\"=\" and a value");
    }
    return true;
}

bool ahoy_value_parse_media(struct ahoy_value *value, struct ahoy_err *err)
{
    const char *end = ahoy_span_end(value->text);
    const char *type_end = ahoy_skip(value->text.at, end, AHOY_TOKEN);
    struct span type = ahoy_span_between(value->text.at, type_end);
    if (type.size == 0)
        return ahoy_fail(err, 400, type.at, "a media type");
    const char *slash = ahoy_skip(type_end, end, AHOY_LWS);
    if (slash == end || *slash != '/')
        return ahoy_fail(err, 400, slash, "\"/\" behind the media type");
    const char *at = ahoy_skip(slash + 1, end, AHOY_LWS);
    const char *stop = ahoy_skip(at, end, AHOY_TOKEN);
    struct span subtype = ahoy_span_between(at, stop);
    if (subtype.size == 0)
        return ahoy_fail(err, 400, at, "a media subtype");
    value->as.pair.first = type;
    value->as.pair.second = subtype;
    value->is_star = value->header == AHOY_HEADER_ACCEPT && ahoy_span_equal(type, SPAN("*")) &&
                     ahoy_span_equal(subtype, SPAN("*"));
    if (!ahoy_value_take_params(value, stop, err))
        return false;
    return value->header == AHOY_HEADER_ACCEPT || check_values(value, err);
}

/* Reads 1*8ALPHA *("-" 1*8ALPHA); behind the first "-" there are digits too since RFC 3066.
 * Returns the place behind it; NULL at a fault. */
static const char *read_tag(const char *at, const char *end, struct ahoy_err *err)
{
    for (unsigned set = AHOY_ALPHA;; set = AHOY_ALPHA | AHOY_DIGIT) {
        const char *stop = ahoy_skip(at, end, set);
        if (stop == at || stop - at > 8) {
            ahoy_fail(err, 400, at, "1 to 8 letters of a language");
            return NULL;
        }
        if (stop == end || *stop != '-')
            return stop;
        at = stop + 1;
    }
}

bool ahoy_value_parse_language(struct ahoy_value *value, struct ahoy_err *err)
{
    const char *end = ahoy_span_end(value->text);
    const char *at = value->text.at;
    bool is_range = value->header == AHOY_HEADER_ACCEPT_LANGUAGE;
    value->is_star = is_range && *at == '*';
    at = value->is_star ? at + 1 : read_tag(at, end, err);
    if (at == NULL)
        return false;
    return is_range ? ahoy_value_take_params(value, at, err) : ahoy_value_take_end(value, at, err);
}

bool ahoy_value_parse_version(struct ahoy_value *value, struct ahoy_err *err)
{
    const char *end = ahoy_span_end(value->text);
    const char *dot = ahoy_skip(value->text.at, end, AHOY_DIGIT);
    if (dot == value->text.at || dot == end || *dot != '.')
        return ahoy_fail(err, 400, dot, "a number and \".\"");
    const char *at = ahoy_skip(dot + 1, end, AHOY_DIGIT);
    if (at == dot + 1)
        return ahoy_fail(err, 400, at, "a number behind the \".\"");
    return ahoy_value_take_end(value, at, err);
}
