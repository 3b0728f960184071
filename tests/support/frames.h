/* What a WebSocket's client gets, for tests. */
#pragma once

#include "sim/frames.h"

/* Takes the head of a server's frame off |bytes|, and returns its payload; fails the test where
 * the frame does not begin with |first|, is masked, or not whole. */
struct span frames_take(struct span *bytes, unsigned first);
