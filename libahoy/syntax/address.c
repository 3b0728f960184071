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

/* Reads the parameters behind the URI; returns where the last of them ends, NULL at a fault. */
static const char *parse_params(struct ahoy_address *address, const char *at, const char *end,
                                struct ahoy_err *err)
{
    const char *next = ahoy_skip(at, end, AHOY_LWS);
    struct ahoy_param param;
    address->params = ahoy_span_between(next, end);
    while (next < end && *next == ';') {
        at = ahoy_param_read(next, end, &param, err);
        if (at == NULL)
            return NULL;
        if (ahoy_span_equal_nocase(param.name, SPAN("tag")) && !take_tag(address, &param, err))
            return NULL;
        next = ahoy_skip(at, end, AHOY_LWS);
    }
    return at;
}

static void clear(struct ahoy_address *address, struct span text)
{
    struct span none = ahoy_nothing(text.at);
    address->text = text;
    address->display = none;
    address->params = none;
    address->tag = none;
    address->in_brackets = false;
}

/* Reads what stands behind the URI of an address that is all of a value. */
static bool end_address(struct ahoy_address *address, const char *at, const char *end,
                        struct ahoy_err *err)
{
    at = parse_params(address, at, end, err);
    if (at == NULL)
        return false;
    at = ahoy_skip(at, end, AHOY_LWS);
    return at == end || ahoy_fail(err, 400, at, "\";\" before a parameter");
}

bool ahoy_address_parse(struct span text, struct ahoy_address *address, struct ahoy_err *err)
{
    clear(address, text);
    const char *end = text.size == 0 ? text.at : ahoy_span_end(text);
    const char *at = ahoy_skip(text.at, end, AHOY_LWS);
    const char *uri = find_bracket(address, at, end, err);
    if (uri == NULL) {
        address->uri = (struct ahoy_uri){ .text = ahoy_nothing(text.at) };
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
    return end_address(address, at, end, err);
}

bool ahoy_address_skim(struct span text, struct ahoy_address *address, struct ahoy_err *err)
{
    clear(address, text);
    const char *end = text.size == 0 ? text.at : ahoy_span_end(text);
    const char *at = ahoy_skip(text.at, end, AHOY_LWS);
    const char *bracket = at == end ? NULL : find_bracket(address, at, end, NULL);
    const char *close = bracket == NULL || *bracket != '<' ? end : ahoy_scan_close(bracket, end);
    if (close == end)
        return ahoy_address_parse(text, address, err);
    address->in_brackets = true;
    address->uri = (struct ahoy_uri){ .text = ahoy_span_between(bracket + 1, close) };
    return end_address(address, close + 1, end, err);
}

/* Reads a sound address in brackets that begins at |at|, and what of a list stands in front of the
 * next; returns where that begins, or |end|.  NULL where there is another thing. */
static const char *parse_listed(struct ahoy_address *address, const char *at, const char *end)
{
    clear(address, ahoy_nothing(at));
    const char *bracket = at == end ? NULL : find_bracket(address, at, end, NULL);
    if (bracket == NULL || *bracket != '<')
        return NULL;
    const char *uri_end = parse_bracketed(address, bracket, end, NULL);
    const char *stop = uri_end == NULL ? NULL : parse_params(address, uri_end, end, NULL);
    if (stop == NULL)
        return NULL;
    address->text = ahoy_span_between(at, stop);
    const char *params = address->params.at < stop ? address->params.at : stop;
    address->params = ahoy_span_between(params, stop);
    const char *comma = ahoy_skip(stop, end, AHOY_LWS);
    if (comma == end)
        return end;
    const char *next = ahoy_skip(comma + 1, end, AHOY_LWS);
    return *comma == ',' && next < end ? next : NULL;
}

/* Nearly all have brackets and are sound, and then the list need not be looked through before. */
bool ahoy_address_next(struct span *rest, struct ahoy_address *address, struct ahoy_err *err)
{
    if (rest->size == 0)
        return ahoy_finished(err);
    const char *end = ahoy_span_end(*rest);
    const char *next = parse_listed(address, ahoy_skip(rest->at, end, AHOY_LWS), end);
    if (next != NULL) {
        *rest = ahoy_span_between(next, end);
        return true;
    }
    struct span item;
    return ahoy_list_next(rest, &item, err) && ahoy_address_parse(item, address, err);
}

struct span ahoy_address_tag(const struct ahoy_address *address)
{
    return address->tag;
}
