/* Where a request for a URI goes: RFC 3263 section 4, as far as it needs no DNS. */
#pragma once

#include "libahoy/syntax/uri.h"
#include "libahoy/syntax/via.h"

/* For a URI whose target, the maddr parameter or else the host, is an IP address: the transport
 * that its parameter names, else UDP (4.1); the port that is written, else the transport's
 * default (4.2).
 *
 * False, with |err| saying why: 416 for a scheme other than sip, sips included, as that needs a
 * transport that is not spoken yet; 503 for a host name, and for a transport other than UDP and
 * TCP. */
bool ahoy_locate(const struct ahoy_uri *uri, enum ahoy_transport *transport, struct ahoy_ip *ip,
                 struct ahoy_err *err);
