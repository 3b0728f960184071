/* host and port, which URIs and Via share (RFC 3261 25.1; IPv6 as RFC 5954 mends it). */
#pragma once

#include "libahoy/base/err.h"

/* Reads a host: a name, an IPv4 address, or an IPv6 address in brackets.  Returns the place behind
 * it; NULL at a fault (400). */
const char *ahoy_host_parse(const char *at, const char *end, struct ahoy_err *err);

/* Reads a port of 1 to 65535 behind the colon.  Returns the place behind it; NULL at a fault. */
const char *ahoy_port_parse(const char *at, const char *end, uint16_t *port, struct ahoy_err *err);
