/* From the transaction layer's messages to effects on the wire: which connection, which listener,
 * and what happens to a message while there is none (RFC 3261 18.1.1, 18.2.2, 18.4). */
#pragma once

#include "libahoy/stack/parts.h"

/* |frame|, which has AHOY_FRAME_MASK_SIZE free bytes in front of it, as it goes out on |hop|:
 * masked where we are the client of that WebSocket. */
struct span ahoy_outbound_mask(struct ahoy_stack *stack, const struct ahoy_hop *hop,
                               struct span frame);
/* |message| as it goes out on |hop|: itself, or by WebSocket a frame around it, which stands in the
 * scratch; empty where it is empty, or too large for that. */
struct span ahoy_outbound_frame(struct ahoy_stack *stack, const struct ahoy_hop *hop,
                                struct span message);
/* The effect of |sending|; false where it has none (yet): it waits, or has failed. */
bool ahoy_outbound_send(struct ahoy_stack *stack, const struct ahoy_sending *sending,
                        struct ahoy_wire_effect *effect);
/* The connection stands: what waited for it is sent. */
void ahoy_outbound_opened(struct ahoy_stack *stack, struct ahoy_flow *flow);
/* The connection will never stand, for that |fate|, or is gone: whose messages waited are told, and
 * it is forgotten. */
void ahoy_outbound_closed(struct ahoy_stack *stack, struct ahoy_flow *flow,
                          enum ahoy_wire_fate fate);
/* The same for one that does not stand yet, and is not to: it is closed on the wire too. */
void ahoy_outbound_give_up(struct ahoy_stack *stack, struct ahoy_flow *flow,
                           enum ahoy_wire_fate fate);
/* hop->connection, perhaps another worker's, is gone: whoever waits for a response that should have
 * come by it is told. */
void ahoy_outbound_lost(struct ahoy_stack *stack, const struct ahoy_hop *hop);
/* We close |flow|, while effects are polled. */
void ahoy_outbound_close(struct ahoy_stack *stack, struct ahoy_flow *flow);
/* The network refused a datagram to |remote|: who sent there lately are told. */
void ahoy_outbound_unreachable(struct ahoy_stack *stack, const struct ahoy_ip *remote);
/* Tells one transaction what failed while sending; false when there is none. */
bool ahoy_outbound_tell_failure(struct ahoy_stack *stack);
