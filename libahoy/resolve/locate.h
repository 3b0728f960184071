/* Where a request for a URI goes: RFC 3263 section 4, as far as it needs no DNS. */
#pragma once

#include "libahoy/syntax/uri.h"
#include "libahoy/syntax/via.h"

/* For a URI whose target, the maddr parameter or else the host, is an IP address: the transport
 * that its parameter names, else UDP, for sips always TLS (4.1); the port that is written, else the
 * transport's default (4.2).
 *
 * False, with |err| saying why: 416 for a scheme other than sip and sips; 503 for a host name, for
 * a transport other than UDP, TCP and TLS, and for one that would make sips unsafe. */
bool ahoy_locate(const struct ahoy_uri *uri, enum ahoy_transport *transport, struct ahoy_ip *ip,
                 struct ahoy_err *err);
