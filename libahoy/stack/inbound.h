/* From received bytes to the transaction layer: framing, whose call it is, whether it is sound
 * (RFC 3261 18.1.2, 18.2.1, 18.3). */
#pragma once

#include "libahoy/stack/parts.h"

/* Takes the next message of stack->input to its end: handed off, answered with a fault, dropped,
 * or given to the transaction layer.  False when no whole message is left. */
bool ahoy_inbound_next(struct ahoy_stack *stack);

/* |bytes| are one whole message that this worker received; they live until the next step. */
void ahoy_inbound_take(struct ahoy_stack *stack, struct span bytes);
/* Whether the datagram |bytes| is a message, or may be one, of a call of this worker. */
bool ahoy_inbound_is_ours(const struct ahoy_stack *stack, struct span bytes);
/* CRLF (which phones behind a NAT send), and what others send to the same end: no bytes at all, or
 * a few NULs. */
bool ahoy_inbound_is_keepalive(struct span bytes);

/* Owes |flow| a CLOSE, which leaves when all that this step sends has. */
void ahoy_inbound_close(struct ahoy_stack *stack, struct ahoy_flow *flow);
