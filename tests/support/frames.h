/* The client's side of a WebSocket, for tests: its request, and frames as masked as it must. */
#pragma once

#include "libahoy/base/buf.h"

enum { FRAME_FIN = 0x80, FRAME_RSV1 = 0x40, FRAME_MASK = 0x80 };

/* A sound request to carry SIP (RFC 7118 4.1, with the key of RFC 6455 1.3). */
struct span frames_request(void);
/* Puts a frame whose first byte is |first|, masked. */
void frames_put(struct ahoy_buf *buf, unsigned first, struct span payload);
/* Puts the head of one only, as it says: |mask| is FRAME_MASK or 0, |length| is written in
 * |length_size| bytes, 1, 2 or 8. */
void frames_put_head(struct ahoy_buf *buf, unsigned first, unsigned mask, uint64_t length,
                     unsigned length_size);
/* Takes the head of a server's frame off |bytes|, and returns its payload; fails the test where
 * the frame does not begin with |first|, is masked, or not whole. */
struct span frames_take(struct span *bytes, unsigned first);
