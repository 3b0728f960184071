/* Reading SIP and SIPS URIs (RFC 3261 19.1.1, 25.1). */
#include "libahoy/syntax/uri.h"

#include "libahoy/syntax/host.h"
#include "libahoy/syntax/scan.h"
#include "libahoy/syntax/uri_part.h"

/* Reads "user[:password]" that ends at |at_sign|. */
static bool parse_userinfo(struct ahoy_uri *uri, const char *at, const char *at_sign,
                           struct ahoy_err *err)
{
    const char *stop = ahoy_skip_escaped(at, at_sign, AHOY_USER);
    if (stop == at) /* R3261-19.1.1-1 */
        return ahoy_fail(err, 400, stop, "a user before \"@\"");
    uri->has_user = true;
    uri->user = ahoy_span_between(at, stop);
    if (stop < at_sign && *stop == ':') {
        at = stop + 1;
        stop = ahoy_skip_escaped(at, at_sign, AHOY_PASSWORD);
        uri->password = ahoy_span_between(at, stop);
    }
    if (stop != at_sign)
        return ahoy_fail(err, 400, stop, "an escape, or a character that a user may have");
    return true;
}

/* Whether |name| is that of one of |params|, which are those read so far: R3261-19.1.1-2. */
static bool is_among(struct ahoy_uri *uri, struct span params, struct span name)
{
    struct span earlier;
    uri->params = params;
    return ahoy_uri_param(uri, name, &earlier);
}

/* Checks the parameters that begin at |at| and the headers behind them. */
static bool parse_params(struct ahoy_uri *uri, const char *at, const char *end,
                         struct ahoy_err *err)
{
    struct span rest = ahoy_span_between(at, end);
    struct ahoy_uri_part part;
    for (size_t count = 0; rest.size > 0 && *rest.at == ';'; count++) {
        if (count == AHOY_URI_PARTS_LIMIT)
            return ahoy_fail(err, 400, rest.at, "at most 64 URI parameters");
        const char *begin = rest.at;
        if (!ahoy_uri_part_next(&rest, ';', AHOY_PARAMCHAR, &part) || part.name.size == 0 ||
            (part.has_value && part.value.size == 0))
            return ahoy_fail(err, 400, rest.at, "a URI parameter");
        if (rest.size > 0 && *rest.at != ';' && *rest.at != '?' && !part.has_value)
            break; /* The name is not over, but holds a byte that it must not. */
        uint32_t initial = ahoy_uri_initial(part.name);
        if ((uri->initials & initial) != 0 &&
            is_among(uri, ahoy_span_between(at, begin), part.name))
            return ahoy_fail(err, 400, part.name.at, "each URI parameter once");
        uri->initials |= initial;
    }
    uri->params = ahoy_span_between(at, rest.at);
    if (rest.size > 0 && *rest.at != '?')
        return ahoy_fail(err, 400, rest.at, "an escape, or a character that a URI may have");
    return true;
}

static bool parse_headers(struct ahoy_uri *uri, const char *at, const char *end,
                          struct ahoy_err *err)
{
    struct span rest = ahoy_span_between(at, end);
    struct ahoy_uri_part part = { .name = ahoy_nothing(at) };
    if (rest.size > 0 && *rest.at == '&')
        return ahoy_fail(err, 400, rest.at, "a header in a URI");
    for (size_t count = 0; count == 0 || (rest.size > 0 && *rest.at == '&'); count++) {
        if (count == AHOY_URI_PARTS_LIMIT)
            return ahoy_fail(err, 400, rest.at, "at most 64 headers in a URI");
        if (!ahoy_uri_part_next(&rest, '&', AHOY_HNV, &part) || part.name.size == 0 ||
            !part.has_value)
            return ahoy_fail(err, 400, rest.at, "a header in a URI");
    }
    uri->headers = ahoy_span_between(at, rest.at);
    if (rest.size > 0)
        return ahoy_fail(err, 400, rest.at, "an escape, or a character that a URI may have");
    return true;
}

static bool parse_sip(struct ahoy_uri *uri, const char *at, const char *end, struct ahoy_err *err)
{
    /* "@" has no other place unescaped in a SIP URI. */
    const char *at_sign = ahoy_scan_at_sign(at, end);
    if (at_sign < end) {
        if (!parse_userinfo(uri, at, at_sign, err))
            return false;
        at = at_sign + 1;
    }
    const char *stop = ahoy_host_parse(at, end, err);
    if (stop == NULL)
        return false;
    uri->host = ahoy_span_between(at, stop);
    if (stop < end && *stop == ':') {
        stop = ahoy_port_parse(stop + 1, end, &uri->port, err);
        if (stop == NULL)
            return false;
    }
    if (stop == end)
        return true;
    if (!parse_params(uri, stop, end, err))
        return false;
    stop = ahoy_span_end(uri->params);
    return stop == end || parse_headers(uri, stop + 1, end, err);
}

/* Behind "//" a server may be an IPv6 reference (25.1 srvr), whose brackets stand nowhere else. */
static bool parse_other(struct ahoy_uri *uri, const char *at, const char *end, struct ahoy_err *err)
{
    const char *stop = at;
    if (end - at > 2 && memcmp(at, "//[", 3) == 0) {
        stop = ahoy_host_parse(at + 2, end, err);
        if (stop == NULL)
            return false;
    }
    stop = ahoy_skip_escaped(stop, end, AHOY_URIC);
    uri->opaque = ahoy_span_between(at, stop);
    if (stop == at || stop < end)
        return ahoy_fail(err, 400, stop, "a character that a URI may have");
    return true;
}

/* That of a |name| other than "sip". */
static enum ahoy_scheme scheme_of(struct span name)
{
    return ahoy_span_equal_nocase(name, SPAN("sips")) ? AHOY_SCHEME_SIPS : AHOY_SCHEME_OTHER;
}

/* The colon behind a scheme (RFC 2396 3.1), or NULL. */
static const char *find_colon(const char *at, const char *end)
{
    if (at == end || !ahoy_is(*at, AHOY_ALPHA))
        return NULL;
    while (at < end &&
           (ahoy_is(*at, AHOY_ALPHA | AHOY_DIGIT) || *at == '+' || *at == '-' || *at == '.'))
        at++;
    return at < end && *at == ':' ? at : NULL;
}

bool ahoy_uri_parse(struct span text, struct ahoy_uri *uri, struct ahoy_err *err)
{
    struct span none = ahoy_nothing(text.at);
    uri->scheme = AHOY_SCHEME_OTHER;
    uri->port = 0;
    uri->has_user = false;
    uri->initials = 0;
    uri->text = text;
    uri->name = none;
    uri->user = none;
    uri->password = none;
    uri->host = none;
    uri->params = none;
    uri->headers = none;
    uri->opaque = none;
    if (text.size == 0)
        return ahoy_fail(err, 400, text.at, "a URI");
    if (text.size > AHOY_URI_LIMIT)
        return ahoy_fail(err, 414, text.at + AHOY_URI_LIMIT, "a URI of at most 4096 bytes");
    const char *end = ahoy_span_end(text);
    bool is_sip = ahoy_span_starts_nocase(text, SPAN("sip:"));
    const char *colon = text.at + 3;
    if (!is_sip && (colon = find_colon(text.at, end)) == NULL)
        return ahoy_fail(err, 400, text.at, "a URI's scheme and \":\"");
    uri->name = ahoy_span_between(text.at, colon);
    uri->scheme = is_sip ? AHOY_SCHEME_SIP : scheme_of(uri->name);
    if (uri->scheme == AHOY_SCHEME_OTHER)
        return parse_other(uri, colon + 1, end, err);
    return parse_sip(uri, colon + 1, end, err);
}
