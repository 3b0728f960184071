/* What calls of one kind have come to: the owner has one for each kind that he tells apart. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Bounds of the time from an INVITE to the first sign of the callee, in milliseconds. */
#define AHOY_METER_BOUNDS(BOUND)                                                                   \
    BOUND(100)                                                                                     \
    BOUND(250) BOUND(500) BOUND(1000) BOUND(2000) BOUND(4000) BOUND(8000) BOUND(16000) BOUND(32000)

#define AHOY_METER_ONE(bound) +1
enum { AHOY_METER_BOUND_COUNT = AHOY_METER_BOUNDS(AHOY_METER_ONE) };
#undef AHOY_METER_ONE

struct ahoy_meter {
    uint64_t begun, answered, failed;
    uint64_t delay_ms;                           /* Of all that showed a sign, together. */
    uint64_t delays[AHOY_METER_BOUND_COUNT + 1]; /* How many within each bound, and beyond all. */
};

/* The first sign came after |delay_ms|. */
static inline void ahoy_meter_sign(struct ahoy_meter *meter, uint64_t delay_ms)
{
#define AHOY_METER_BOUND(bound) bound,
    static const uint32_t bounds[] = { AHOY_METER_BOUNDS(AHOY_METER_BOUND) };
#undef AHOY_METER_BOUND
    size_t i = 0;
    while (i < AHOY_METER_BOUND_COUNT && delay_ms > bounds[i])
        i++;
    meter->delays[i]++;
    meter->delay_ms += delay_ms;
}
