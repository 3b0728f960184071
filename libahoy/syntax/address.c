/* name-addr and addr-spec (RFC 3261 20.10, 25.1). */
#include "libahoy/syntax/address.h"

#include "libahoy/syntax/params.h"
#include "libahoy/syntax/scan.h"

/* The "<" that follows a display name, or NULL at a fault; |at| itself where no bracket follows a
 * word, so that it must be an addr-spec.  Names may be UTF-8 without quotes: some phones send
 * that, and it cannot be mistaken. */
static const char *find_bracket(struct ahoy_address *address, const char *at, const char *end,
                                struct ahoy_err *err)
{
    const char *stop = at;
    if (at == end) {
        ahoy_fail(err, 400, at, "an address");
        return NULL;
    }
    if (*at == '<')
        return at;
    if (*at == '"') {
        stop = ahoy_skip_quoted(at, end);
        if (stop == NULL) {
            ahoy_fail(err, 400, at, "a closing quote");
            return NULL;
        }
        address->display = ahoy_span_between(at, stop);
        stop = ahoy_skip(stop, end, AHOY_LWS);
        if (stop < end && *stop == '<')
            return stop;
        ahoy_fail(err, 400, stop, "\"<\" behind a quoted name");
        return NULL;
    }
    while (stop < end && (ahoy_is(*stop, AHOY_TOKEN | AHOY_LWS) || (unsigned char)*stop >= 0x80))
        stop++;
    if (stop == end || *stop != '<')
        return at;
    address->display = ahoy_span_trim(ahoy_span_between(at, stop));
    return stop;
}

/* Reads the URI between brackets; returns where the parameters begin. */
static const char *parse_bracketed(struct ahoy_address *address, const char *bracket,
                                   const char *end, struct ahoy_err *err)
{
    const char *close = ahoy_scan_close(bracket, end);
    if (close == end) {
        ahoy_fail(err, 400, bracket, "a closing \">\"");
        return NULL;
    }
    address->in_brackets = true;
    if (!ahoy_uri_parse(ahoy_span_between(bracket + 1, close), &address->uri, err))
        return NULL;
    return close + 1;
}

/* Reads a URI without brackets, which ends where a parameter of the header begins. */
static const char *parse_bare(struct ahoy_address *address, const char *at, const char *end,
                              struct ahoy_err *err)
{
    const char *stop = at;
    while (stop < end && *stop != ';' && !ahoy_is(*stop, AHOY_LWS))
        stop++;
    if (!ahoy_uri_parse(ahoy_span_between(at, stop), &address->uri, err))
        return NULL;
    /* R3261-20-7: with these, brackets must stand around it. */
    for (const char *byte = at; byte < stop; byte++) {
        if (*byte == '?' || *byte == ',') {
            ahoy_fail(err, 400, byte, "\"<\" and \">\" around a URI with \"?\" or \",\"");
            return NULL;
        }
    }
    return stop;
}

static bool take_tag(struct ahoy_address *address, const struct ahoy_param *param,
                     struct ahoy_err *err)
{
    if (address->tag.size > 0)
        return ahoy_fail(err, 400, param->name.at, "one tag"); /* R3261-7.3.1-4 */
    if (param->value.size == 0 || param->value.at[0] == '"' || param->value.size > AHOY_TAG_LIMIT)
        return ahoy_fail(err, 400, param->value.at, "a tag of 1 to 256 bytes");
    address->tag = param->value;
    return true;
}

static bool parse_params(struct ahoy_address *address, const char *at, const char *end,
                         struct ahoy_err *err)
{
    address->params = ahoy_span_between(at, end);
    struct span rest = ahoy_span_between(at, end);
    struct ahoy_param param;
    struct ahoy_err fault;
    while (ahoy_param_next(&rest, &param, &fault)) {
        if (ahoy_span_equal_nocase(param.name, SPAN("tag")) && !take_tag(address, &param, err))
            return false;
    }
    return fault.expected == NULL || ahoy_fail(err, 400, fault.at, fault.expected);
}

bool ahoy_address_parse(struct span text, struct ahoy_address *address, struct ahoy_err *err)
{
    struct span none = ahoy_nothing(text.at);
    address->text = text;
    address->display = none;
    address->params = none;
    address->tag = none;
    address->in_brackets = false;
    const char *end = text.size == 0 ? text.at : ahoy_span_end(text);
    const char *at = ahoy_skip(text.at, end, AHOY_LWS);
    const char *uri = find_bracket(address, at, end, err);
    if (uri == NULL) {
        address->uri = (struct ahoy_uri){ .text = none };
        return false;
    }
    if (*uri == '<')
        at = parse_bracketed(address, uri, end, err);
    else
        at = parse_bare(address, uri, end, err);
    if (at == NULL) {
        if (err != NULL)
            err->status = 400; /* 414 is for the Request-URI alone. */
        return false;
    }
    return parse_params(address, ahoy_skip(at, end, AHOY_LWS), end, err);
}

struct span ahoy_address_tag(const struct ahoy_address *address)
{
    return address->tag;
}
