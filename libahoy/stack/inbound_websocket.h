/* What comes on a WebSocket: first the request to become one, or the answer to ours, then frames
 * (RFC 7118, RFC 6455). */
#pragma once

#include "libahoy/stack/parts.h"

/* |flow|, which we have opened, stands: asks for a WebSocket upon it. */
void ahoy_inbound_ask_upgrade(struct ahoy_stack *stack, const struct ahoy_flow *flow);
/* Takes the next whole thing off stack->input, which came on |flow|; false when there is none. */
bool ahoy_inbound_next_of_websocket(struct ahoy_stack *stack, struct ahoy_flow *flow);

/* Patience with |flow| is over.  True: a WebSocket that has only been silent is asked whether its
 * peer is still there (RFC 6455 5.5.2).  False: one that is open has been told that we leave. */
bool ahoy_inbound_ask_websocket(struct ahoy_stack *stack, struct ahoy_flow *flow);
/* The same farewell for all of them: the next one; false when there is none. */
bool ahoy_inbound_leave_websockets(struct ahoy_stack *stack, struct ahoy_wire_effect *effect);
