/* One function a section: 18.2.2 with RFC 3581 between its bullets two and three, and 18.1.2. */
#include "libahoy/transport/via_rules.h"

#include "libahoy/syntax/params.h"

static uint16_t sent_by_port(const struct ahoy_via *via, enum ahoy_transport transport)
{
    return via->port != 0 ? via->port : ahoy_transport_port(transport);
}

/* DEPARTS: 18.2.2 follows every maddr, and where all else fails the name in sent-by.  No name is
 * looked up (docs/decisions/0059), and a maddr that leads a stranger's responses to our own
 * loopback (attack 60) is as if it were not there. */
static bool maddr_of(const struct ahoy_via *via, const struct ahoy_ip *source, struct ahoy_ip *ip)
{
    if (via->maddr.size == 0 || !ahoy_ip_parse(via->maddr, ip))
        return false;
    return ahoy_ip_is_loopback(source) || !ahoy_ip_is_loopback(ip);
}

void ahoy_via_reply(const struct ahoy_via *via, const struct ahoy_hop *source,
                    struct ahoy_hop *reply)
{
    *reply = *source;
    uint16_t port = sent_by_port(via, (enum ahoy_transport)source->transport);
    struct ahoy_ip maddr;
    if (ahoy_transport_is_reliable((enum ahoy_transport)source->transport)) {
        reply->remote.port = port; /* R3261-18.2.2-2; the connection goes first. */
    } else if (maddr_of(via, &source->remote, &maddr)) {
        if (maddr.family != source->remote.family)
            reply->listener = AHOY_ANY_LISTENER;
        reply->remote = maddr; /* R3261-18.2.2-3 */
        reply->remote.port = port;
    } else if (!via->has_rport) {
        reply->remote.port = port; /* R3261-18.2.2-4, -5 */
    }
}

uint16_t ahoy_via_alias(const struct ahoy_via *via)
{
    struct ahoy_param alias;
    if (!ahoy_params_find(via->params, SPAN("alias"), &alias))
        return 0;
    return sent_by_port(via, AHOY_TLS); /* R5923-8.2-4 */
}

/* Host and port of a sent-by that a listener gives; a port of 0 where none is written. */
static bool split_sent_by(struct span sent_by, struct span *host, uint64_t *port)
{
    size_t bracket = ahoy_span_find(sent_by, ']');
    size_t from = bracket < sent_by.size ? bracket : 0;
    size_t colon = from + ahoy_span_find(ahoy_span_after(sent_by, from), ':');
    *host = (struct span){ sent_by.at, colon };
    *port = 0;
    return colon == sent_by.size ||
           ahoy_span_number(ahoy_span_after(sent_by, colon + 1), UINT16_MAX, port);
}

static bool is_from(const struct ahoy_via *via, const struct ahoy_listener *listener)
{
    if (ahoy_span_equal_nocase(via->sent_by, listener->sent_by))
        return true;
    struct span host;
    uint64_t port;
    if (!split_sent_by(listener->sent_by, &host, &port))
        return false;
    uint16_t ours = port != 0 ? (uint16_t)port : ahoy_transport_port(listener->transport);
    return sent_by_port(via, listener->transport) == ours && ahoy_host_equal(via->host, host);
}

bool ahoy_via_is_ours(const struct ahoy_via *via, const struct ahoy_flows *flows)
{
    for (size_t i = 0; i < flows->listener_count; i++) {
        if (is_from(via, &flows->listeners[i]))
            return true;
    }
    return false;
}
