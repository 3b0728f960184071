/* What the topmost Via rules: where the responses to a request go (RFC 3261 18.2.2, RFC 3581 4),
 * and whether a response is for us at all (18.1.2). */
#pragma once

#include "libahoy/transport/flow.h"

/* Where the responses to a request go that came by |source| with |via| on top.  Since a server
 * marks that with the source's address where it says anything else, "received" is always
 * source->remote, and only ports, maddr and the connection are left to choose:
 *
 *   streams             the connection; if it is gone, one to the source's address and sent-by's
 *                       port, or the transport's default
 *   UDP, maddr          that address, sent-by's port or 5060
 *   UDP, rport          the source's address and port
 *   UDP                 the source's address, sent-by's port or 5060
 *
 * The transport is the one that the request really came by, whatever Via calls it. */
void ahoy_via_reply(const struct ahoy_via *via, const struct ahoy_hop *source,
                    struct ahoy_hop *reply);

/* The port that |via|, of a request, asks for by "alias" (RFC 5923 8.2); 0 where it does not. */
uint16_t ahoy_via_alias(const struct ahoy_via *via);

/* Whether |via| is one that we put onto a request: its sent-by is that of one of our listeners,
 * host names without regard to case, a port that is absent the default one (R3261-18.1.2-1). */
bool ahoy_via_is_ours(const struct ahoy_via *via, const struct ahoy_flows *flows);
