/* The numeric cases of RFC 3263 4.1 and 4.2. */
#include "libahoy/resolve/locate.h"

static bool choose_transport(const struct ahoy_uri *uri, enum ahoy_transport *transport,
                             struct ahoy_err *err)
{
    bool is_sips = uri->scheme == AHOY_SCHEME_SIPS;
    if (!is_sips && uri->scheme != AHOY_SCHEME_SIP)
        return ahoy_fail(err, 416, uri->text.at, "a sip or sips URI");
    struct span name;
    *transport = is_sips ? AHOY_TLS : AHOY_UDP; /* 4.1 */
    if (!ahoy_uri_param(uri, SPAN("transport"), &name))
        return true;
    enum ahoy_transport named = ahoy_transport_parse(name);
    if (is_sips) /* TLS is above TCP (R3261-26.2.2-1: "sips:...;transport=tcp"). */
        return named == AHOY_TCP || named == AHOY_TLS ||
               ahoy_fail(err, 503, name.at, "transport=tcp, as sips goes by TLS");
    *transport = named;
    return (named >= AHOY_UDP && named <= AHOY_TLS) ||
           ahoy_fail(err, 503, name.at, "transport=udp, tcp or tls");
}

bool ahoy_locate(const struct ahoy_uri *uri, enum ahoy_transport *transport, struct ahoy_ip *ip,
                 struct ahoy_err *err)
{
    enum ahoy_transport chosen = AHOY_UDP;
    if (!choose_transport(uri, &chosen, err))
        return false;
    struct span target = uri->host;
    (void)ahoy_uri_param(uri, SPAN("maddr"), &target); /* Where it is absent the host stays. */
    struct ahoy_ip found;
    if (!ahoy_ip_parse(target, &found))
        return ahoy_fail(err, 503, target.at, "an IP address, as names are not looked up");
    found.port = uri->port != 0 ? uri->port : ahoy_transport_port(chosen);
    *transport = chosen;
    *ip = found;
    return true;
}
