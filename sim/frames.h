/* The client's side of a WebSocket, which the library does not have: its request, and frames
 * masked as they must be (RFC 6455 5.3). */
#pragma once

#include "libahoy/base/buf.h"

enum { SIM_FRAME_FIN = 0x80, SIM_FRAME_RSV1 = 0x40, SIM_FRAME_MASK = 0x80 };
enum { SIM_FRAME_HEAD_LIMIT = 14 }; /* Bytes. */

/* A sound request to carry SIP (RFC 7118 4.1, with the key of RFC 6455 1.3). */
struct span sim_frames_request(void);
/* Puts a frame whose first byte is |first|, masked. */
void sim_frames_put(struct ahoy_buf *buf, unsigned first, struct span payload);
/* Puts the head of one only, as it says: |mask_bit| is SIM_FRAME_MASK or 0, |length| is written in
 * |length_size| bytes, 1, 2 or 8. */
void sim_frames_put_head(struct ahoy_buf *buf, unsigned first, unsigned mask_bit, uint64_t length,
                         unsigned length_size);
