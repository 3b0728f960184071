/* From the clock of a call to that of a device, or back: samples change their rate, and as no two
 * clocks agree, that rate is bent a little so that what waits between the two stays the same. */
#pragma once

#include "ahoy/ring.h"

enum {
    PHONE_DEVICE_LOWEST_HZ = 8000,
    PHONE_DEVICE_HIGHEST_HZ = 192000,
    PHONE_DEVICE_MULTIPLE_HZ = 25, /* A rate is one of this. */
    PHONE_BRIDGE_MARGIN_MS = 20, /* What waits, beside what the device takes or gives at once. */
    PHONE_BRIDGE_SLACK_MS = 100  /* What more than that may wait, before it is dropped. */
};

struct phone_bridge;

/* |device_hz| is within the limits above.  NULL where memory is refused. */
struct phone_bridge *phone_bridge_to(uint32_t call_hz, uint32_t device_hz);
struct phone_bridge *phone_bridge_from(uint32_t device_hz, uint32_t call_hz);
void phone_bridge_free(struct phone_bridge *bridge);

/* A frame of the call, of at most 20 ms, for the device, which takes up to |burst| samples of
 * |ring| at once.  Where it ran dry, silence goes first; where too much waits, the frame is
 * dropped. */
void phone_bridge_play(struct phone_bridge *bridge, struct phone_ring *ring, size_t burst,
                       const int16_t *samples, size_t count);
/* A frame for the call of what the device has put into |ring|, up to |burst| samples at once.
 * Where too little is there, it is silence. */
void phone_bridge_take(struct phone_bridge *bridge, struct phone_ring *ring, size_t burst,
                       int16_t *samples, size_t count);

/* How often sound was dropped or silence put in its place. */
uint64_t phone_bridge_gaps(const struct phone_bridge *bridge);
