/* What comes on a WebSocket: first the request to become one, then frames (RFC 7118, RFC 6455). */
#pragma once

#include "libahoy/stack/parts.h"

/* Takes the next whole thing off stack->input, which came on |flow|; false when there is none. */
bool ahoy_inbound_next_of_websocket(struct ahoy_stack *stack, struct ahoy_flow *flow);
