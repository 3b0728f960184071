/* The numeric cases of RFC 3263 4.1 and 4.2. */
#include "libahoy/resolve/locate.h"

static bool choose_transport(const struct ahoy_uri *uri, enum ahoy_transport *transport,
                             struct ahoy_err *err)
{
    if (uri->scheme == AHOY_SCHEME_SIPS)
        return ahoy_fail(err, 416, uri->text.at, "a sip URI, as TLS is not spoken");
    if (uri->scheme != AHOY_SCHEME_SIP)
        return ahoy_fail(err, 416, uri->text.at, "a sip URI");
    struct span name;
    if (!ahoy_uri_param(uri, SPAN("transport"), &name))
        return true; /* UDP, then (4.1). */
    *transport = ahoy_transport_parse(name);
    if (*transport != AHOY_UDP && *transport != AHOY_TCP)
        return ahoy_fail(err, 503, name.at, "transport=udp or transport=tcp");
    return true;
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
