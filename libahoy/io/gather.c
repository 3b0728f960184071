/* The rate of a window decides for the next one, so the first of a burst are served at once.  A
 * quiet time is part of the window that it ends, so whoever comes after it does not wait either. */
#include "libahoy/io/gather.h"

unsigned ahoy_gather_turn(struct ahoy_gather *gather, unsigned events, bool is_dry, uint64_t now_us)
{
    uint64_t span_us = now_us - gather->since_us;
    gather->events += events;
    if (span_us >= AHOY_GATHER_WINDOW_US) {
        gather->is_rush = gather->events * 1000 >= AHOY_GATHER_RATE * span_us;
        gather->events = 0;
        gather->since_us = now_us;
    }
    return gather->is_rush && is_dry && events > 0 ? AHOY_GATHER_US : 0;
}
