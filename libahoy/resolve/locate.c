/* The transport first, then the address. */
#include "libahoy/resolve/locate.h"

enum {
    PLAIN = 1 << AHOY_UDP | 1 << AHOY_TCP | 1 << AHOY_TLS,
    ALL = PLAIN | 1 << AHOY_WS | 1 << AHOY_WSS
};

const struct ahoy_means ahoy_all_means = { PLAIN, PLAIN };
const struct ahoy_means ahoy_all_means_and_websocket = { ALL, ALL };

static bool is_usable(const struct ahoy_means *means, enum ahoy_transport transport)
{
    return transport != AHOY_TRANSPORT_OTHER && ((means->v4 | means->v6) & 1 << transport) != 0;
}

/* The transport that the URI names, else the usual one of its scheme (4.1). */
static bool choose_transport(const struct ahoy_uri *uri, const struct ahoy_means *means,
                             struct ahoy_place *place, struct ahoy_err *err)
{
    struct span name;
    if (uri->scheme == AHOY_SCHEME_OTHER)
        return ahoy_fail(err, 416, uri->text.at, "a sip URI");
    if (place->is_secure && !is_usable(means, AHOY_TLS))
        return ahoy_fail(err, 416, uri->text.at, "a sip URI, as TLS is not spoken");
    place->is_named = ahoy_uri_param(uri, SPAN("transport"), &name);
    place->transport = place->is_secure ? AHOY_TLS : AHOY_UDP;
    if (!place->is_named)
        return true;
    enum ahoy_transport named = ahoy_transport_parse(name);
    if (place->is_secure && named == AHOY_WS)
        place->transport = AHOY_WSS; /* RFC 7118 5.2 */
    else if (!place->is_secure || named != AHOY_TCP) /* TLS runs over TCP (RFC 3261 26.2.2). */
        place->transport = named;
    if (!is_usable(means, place->transport) ||
        (place->is_secure && !ahoy_transport_is_secure(place->transport)))
        return ahoy_fail(err, 503, name.at, "a transport that is spoken here");
    return true;
}

bool ahoy_place_read(const struct ahoy_uri *uri, const struct ahoy_means *means, bool is_secure,
                     struct ahoy_place *place, struct ahoy_err *err)
{
    *place = (struct ahoy_place){ .is_secure = is_secure || uri->scheme == AHOY_SCHEME_SIPS,
                                  .port = uri->port,
                                  .host = uri->host };
    if (!choose_transport(uri, means, place, err))
        return false;
    (void)ahoy_uri_param(uri, SPAN("maddr"), &place->host); /* Where it is absent the host stays. */
    if (!ahoy_ip_parse(place->host, &place->ip))
        return true;
    uint16_t set = place->ip.family == AHOY_IPV4 ? means->v4 : means->v6;
    place->ip.port = place->port != 0 ? place->port : ahoy_transport_port(place->transport);
    return (set & 1 << place->transport) != 0 ||
           ahoy_fail(err, 503, place->host.at, "an address that can be sent to");
}

static bool locate(const struct ahoy_uri *uri, const struct ahoy_means *means,
                   enum ahoy_transport *transport, struct ahoy_ip *ip, struct ahoy_err *err)
{
    struct ahoy_place place;
    if (!ahoy_place_read(uri, means, false, &place, err))
        return false;
    if (place.ip.family == AHOY_NO_FAMILY)
        return ahoy_fail(err, 503, place.host.at, "an IP address, as names are not looked up");
    *transport = place.transport;
    *ip = place.ip;
    return true;
}

bool ahoy_locate(const struct ahoy_uri *uri, enum ahoy_transport *transport, struct ahoy_ip *ip,
                 struct ahoy_err *err)
{
    return locate(uri, &ahoy_all_means, transport, ip, err);
}

bool ahoy_locate_with_websocket(const struct ahoy_uri *uri, enum ahoy_transport *transport,
                                struct ahoy_ip *ip, struct ahoy_err *err)
{
    return locate(uri, &ahoy_all_means_and_websocket, transport, ip, err);
}
