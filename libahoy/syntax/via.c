/* Via (RFC 3261 20.42, 25.1; rport: RFC 3581). */
#include "libahoy/syntax/via.h"

#include "libahoy/syntax/host.h"
#include "libahoy/syntax/params.h"
#include "libahoy/syntax/scan.h"

struct row {
    struct span name;
    struct span uri_name;
    uint16_t port;
    bool is_reliable;
};

static const struct row rows[AHOY_TRANSPORT_COUNT] = {
    [AHOY_TRANSPORT_OTHER] = { { "", 0 }, { "", 0 }, 5060, false },
    [AHOY_UDP] = { { "UDP", 3 }, { "udp", 3 }, 5060, false },
    [AHOY_TCP] = { { "TCP", 3 }, { "tcp", 3 }, 5060, true },
    [AHOY_TLS] = { { "TLS", 3 }, { "tls", 3 }, 5061, true },
    [AHOY_SCTP] = { { "SCTP", 4 }, { "sctp", 4 }, 5060, true },
    [AHOY_WS] = { { "WS", 2 }, { "ws", 2 }, 80, true },
    [AHOY_WSS] = { { "WSS", 3 }, { "wss", 3 }, 443, true },
};

enum ahoy_transport ahoy_transport_parse(struct span text)
{
    for (unsigned i = 1; i < AHOY_TRANSPORT_COUNT; i++) {
        if (text.size == rows[i].name.size && ahoy_span_equal_nocase(text, rows[i].name))
            return (enum ahoy_transport)i;
    }
    return AHOY_TRANSPORT_OTHER;
}

struct span ahoy_transport_name(enum ahoy_transport transport)
{
    return rows[transport].name;
}

struct span ahoy_transport_uri_name(enum ahoy_transport transport)
{
    return rows[transport].uri_name;
}

bool ahoy_transport_is_reliable(enum ahoy_transport transport)
{
    return rows[transport].is_reliable;
}

bool ahoy_transport_is_secure(enum ahoy_transport transport)
{
    return transport == AHOY_TLS || transport == AHOY_WSS;
}

bool ahoy_transport_is_websocket(enum ahoy_transport transport)
{
    return transport == AHOY_WS || transport == AHOY_WSS;
}

uint16_t ahoy_transport_port(enum ahoy_transport transport)
{
    return rows[transport].port;
}

/* Takes a token and the slash behind it, white space around both allowed. */
static const char *skip_slash(const char *at, const char *end)
{
    const char *stop = ahoy_skip(at, end, AHOY_TOKEN);
    const char *slash = ahoy_skip(stop, end, AHOY_LWS);
    if (stop == at || slash == end || *slash != '/')
        return NULL;
    return ahoy_skip(slash + 1, end, AHOY_LWS);
}

/* Reads "SIP/2.0/UDP " and returns where sent-by begins.  Name and version are not judged: a
 * message of another version is answered 505, which needs its Via. */
static const char *parse_protocol(struct ahoy_via *via, const char *at, const char *end)
{
    if (ahoy_span_starts_nocase(ahoy_span_between(at, end), SPAN("SIP/2.0/")))
        at = ahoy_skip(at + 8, end, AHOY_LWS);
    else if ((at = skip_slash(at, end)) != NULL)
        at = skip_slash(at, end);
    if (at == NULL)
        return NULL;
    const char *stop = ahoy_skip(at, end, AHOY_TOKEN);
    const char *sent_by = ahoy_skip(stop, end, AHOY_LWS);
    if (stop == at || sent_by == stop)
        return NULL;
    via->transport = ahoy_transport_parse(ahoy_span_between(at, stop));
    return sent_by;
}

/* Reads host and port; white space may stand around the colon. */
static const char *parse_sent_by(struct ahoy_via *via, const char *at, const char *end,
                                 struct ahoy_err *err)
{
    const char *stop = ahoy_host_parse(at, end, err);
    if (stop == NULL)
        return NULL;
    struct span host = ahoy_span_between(at, stop);
    const char *colon = ahoy_skip(stop, end, AHOY_LWS);
    if (colon < end && *colon == ':') {
        stop = ahoy_port_parse(ahoy_skip(colon + 1, end, AHOY_LWS), end, &via->port, err);
        if (stop == NULL)
            return NULL;
    }
    via->host = host;
    via->sent_by = ahoy_span_between(at, stop);
    return stop;
}

static bool take_branch(struct ahoy_via *via, const struct ahoy_param *param, struct ahoy_err *err)
{
    if (via->branch.size > 0)
        return ahoy_fail(err, 400, param->name.at, "one branch"); /* R3261-7.3.1-4 */
    if (param->value.size == 0 || param->value.at[0] == '"' ||
        param->value.size > AHOY_BRANCH_LIMIT)
        return ahoy_fail(err, 400, param->value.at, "a branch of 1 to 256 bytes");
    via->branch = param->value;
    return true;
}

static bool take_rport(struct ahoy_via *via, const struct ahoy_param *param, struct ahoy_err *err)
{
    if (via->has_rport)
        return ahoy_fail(err, 400, param->name.at, "one rport");
    via->has_rport = true;
    uint64_t port;
    if (!param->has_value)
        return true;
    if (!ahoy_span_number(param->value, 65535, &port))
        return ahoy_fail(err, 400, param->value.at, "a port in rport");
    via->rport = (uint16_t)port;
    return true;
}

static bool take_value(struct span *value, const struct ahoy_param *param, struct ahoy_err *err)
{
    if (value->size > 0)
        return ahoy_fail(err, 400, param->name.at, "each Via parameter once");
    *value = param->value;
    return true;
}

static bool take_oc(struct ahoy_via *via, const struct ahoy_param *param)
{
    if (ahoy_span_equal_nocase(param->name, SPAN("oc"))) {
        via->has_oc = true;
        via->has_oc_value |= param->has_value;
    }
    return true;
}

static bool take_param(struct ahoy_via *via, const struct ahoy_param *param, struct ahoy_err *err)
{
    switch (param->name.size) {
    case 2:
        return take_oc(via, param);
    case 5:
        if (ahoy_span_equal_nocase(param->name, SPAN("rport")))
            return take_rport(via, param, err);
        if (ahoy_span_equal_nocase(param->name, SPAN("maddr")))
            return take_value(&via->maddr, param, err);
        return true;
    case 6:
        if (ahoy_span_equal_nocase(param->name, SPAN("branch")))
            return take_branch(via, param, err);
        return true;
    case 8:
        if (!ahoy_span_equal_nocase(param->name, SPAN("received")))
            return true;
        via->has_received = true;
        return take_value(&via->received, param, err);
    default:
        return true;
    }
}

/* Reads the parameters; returns where the last of them ends, NULL at a fault. */
static const char *parse_params(struct ahoy_via *via, const char *at, const char *end,
                                struct ahoy_err *err)
{
    const char *next = ahoy_skip(at, end, AHOY_LWS);
    struct ahoy_param param;
    via->params = ahoy_span_between(next, end);
    via->has_received = false;
    while (next < end && *next == ';') {
        at = ahoy_param_read(next, end, &param, err);
        if (at == NULL || !take_param(via, &param, err)) {
            via->has_received = true;
            return NULL;
        }
        next = ahoy_skip(at, end, AHOY_LWS);
    }
    return at;
}

/* Reads the Via that |text| begins with; returns where it ends, NULL at a fault. */
static const char *parse(struct span text, struct ahoy_via *via, struct ahoy_err *err)
{
    struct span none = ahoy_nothing(text.at);
    via->transport = AHOY_TRANSPORT_OTHER;
    via->port = 0;
    via->has_rport = false;
    via->has_received = true;
    via->has_oc = via->has_oc_value = false;
    via->rport = 0;
    via->text = text;
    via->host = none;
    via->sent_by = none;
    via->branch = none;
    via->received = none;
    via->maddr = none;
    via->params = none;
    const char *end = ahoy_span_end(text);
    const char *at = parse_protocol(via, ahoy_skip(text.at, end, AHOY_LWS), end);
    if (at == NULL) {
        ahoy_fail(err, 400, text.at, "\"SIP/2.0/\", a transport and white space");
        return NULL;
    }
    at = parse_sent_by(via, at, end, err);
    return at == NULL ? NULL : parse_params(via, at, end, err);
}

bool ahoy_via_parse(struct span text, struct ahoy_via *via, struct ahoy_err *err)
{
    if (text.at == NULL)
        text = SPAN("");
    const char *at = parse(text, via, err);
    if (at == NULL)
        return false;
    const char *end = ahoy_span_end(text);
    at = ahoy_skip(at, end, AHOY_LWS);
    return at == end || ahoy_fail(err, 400, at, "\";\" before a parameter");
}

bool ahoy_via_first(struct span list, struct ahoy_via *via)
{
    const char *stop = parse(list, via, NULL);
    if (stop == NULL)
        return false;
    const char *end = ahoy_span_end(list);
    const char *comma = ahoy_skip(stop, end, AHOY_LWS);
    via->text = ahoy_span_between(list.at, stop);
    via->params = ahoy_span_between(via->params.at < stop ? via->params.at : stop, stop);
    return comma == end || *comma == ',';
}

bool ahoy_via_has_cookie(const struct ahoy_via *via)
{
    struct span cookie = SPAN(AHOY_BRANCH_COOKIE);
    return via->branch.size > cookie.size && ahoy_span_starts_nocase(via->branch, cookie);
}
