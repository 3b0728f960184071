/* How a connection becomes a WebSocket: the handshake of RFC 6455 4, with the subprotocol of RFC
 * 7118 4.1. */
#pragma once

#include "libahoy/base/buf.h"

enum { AHOY_UPGRADE_LIMIT = 8192 }; /* Bytes of a request, and of an answer. */

/* The bytes of the HTTP message that |bytes| begins with, its empty line included; 0 where that has
 * not come yet.  The first |seen| bytes have been looked at before. */
size_t ahoy_upgrade_size(struct span bytes, size_t seen);

/* Prints the answer to |request|, a whole one.  |origins|: whose scripts are let in, with spaces
 * between; empty: everybody's.  Who names no origin is no browser, and let in.
 *
 * Returns the status: 101; 400 for what is no sound request for a WebSocket that carries SIP, 403
 * for another origin, 405 for another method than GET, 426 for no WebSocket at all or another
 * version than 13.  After all but 101 the connection must be closed. */
unsigned ahoy_upgrade_answer(struct span request, struct span origins, struct ahoy_buf *answer);
/* Prints an answer that refuses. */
void ahoy_upgrade_refuse(unsigned status, struct ahoy_buf *answer);

/* The client's side: prints the request for a WebSocket that carries SIP.  |host| is the server's
 * name or address, with its port; |random|, new for each connection, is the nonce of it. */
void ahoy_upgrade_ask(struct span host, const uint64_t random[2], struct ahoy_buf *request);
/* Whether |answer|, a whole one, grants what was asked with this |random|: it says 101, proves that
 * the request was read, speaks SIP, and adds no extension (4.1, what must be checked of it). */
bool ahoy_upgrade_is_granted(struct span answer, const uint64_t random[2]);
