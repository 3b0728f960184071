/* What a URI says by itself about where its servers are: RFC 3263 4.1 and 4.2, as far as they ask
 * nobody. */
#pragma once

#include "libahoy/syntax/uri.h"
#include "libahoy/syntax/via.h"

/* What we can send by: a set of 1 << enum ahoy_transport for each family. */
struct ahoy_means {
    uint16_t v4, v6;
};

/* By UDP, TCP and TLS over both; and by WebSocket too, which those have who open some. */
extern const struct ahoy_means ahoy_all_means, ahoy_all_means_and_websocket;

struct ahoy_place {
    bool is_secure; /* By TLS and nothing else. */
    bool is_named;  /* The URI names |transport|; else it is the usual one. */
    enum ahoy_transport transport;
    uint16_t port;    /* That is written, or 0. */
    struct span host; /* The target: the maddr parameter, or else the host. */
    struct ahoy_ip ip; /* Where that is an address, with its port; else without a family. */
};

/* Reads |uri|, as a sips URI where |is_secure| (RFC 3261 16.6 step 7).  False, with |err| saying
 * why: 416 for a scheme other than sip and sips, and for sips without TLS; 503 for a transport or
 * an address that we have no means for. */
bool ahoy_place_read(const struct ahoy_uri *uri, const struct ahoy_means *means, bool is_secure,
                     struct ahoy_place *place, struct ahoy_err *err);

/* Where to send by UDP, TCP or TLS for a URI whose target is an address.  False as above, and with
 * 503 for a name. */
bool ahoy_locate(const struct ahoy_uri *uri, enum ahoy_transport *transport, struct ahoy_ip *ip,
                 struct ahoy_err *err);
/* The same for who opens WebSockets: to "transport=ws", by WSS for a sips URI (RFC 7118 5.2). */
bool ahoy_locate_with_websocket(const struct ahoy_uri *uri, enum ahoy_transport *transport,
                                struct ahoy_ip *ip, struct ahoy_err *err);
