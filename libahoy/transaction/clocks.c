/* How long each timer of RFC 3261 17 and RFC 6026 runs: table 4, row by row. */
#include "libahoy/transaction/clocks.h"

#include <assert.h>

/* Timer D does not follow T1: the peer's may be another (R6026-8.4-4). */
static const uint64_t least_d_ms = 32000;

/* T1 doubled |round| times. */
static uint64_t doubled(const struct ahoy_clocks *clocks, unsigned round)
{
    return (uint64_t)clocks->t1_ms << (round < 31 ? round : 31);
}

static uint64_t doubled_to_t2(const struct ahoy_clocks *clocks, unsigned round)
{
    uint64_t delay = doubled(clocks, round);
    return delay < clocks->t2_ms ? delay : clocks->t2_ms;
}

uint64_t ahoy_clock_delay(const struct ahoy_clocks *clocks, enum ahoy_clock clock, bool reliable,
                          unsigned round)
{
    const uint64_t timeout_ms = UINT64_C(64) * clocks->t1_ms;
    switch (clock) {
    case AHOY_CLOCK_A:
        return reliable ? AHOY_CLOCK_NEVER : doubled(clocks, round);
    case AHOY_CLOCK_E:
    case AHOY_CLOCK_G:
        return reliable ? AHOY_CLOCK_NEVER : doubled_to_t2(clocks, round);
    case AHOY_CLOCK_B:
    case AHOY_CLOCK_F:
    case AHOY_CLOCK_H:
    case AHOY_CLOCK_L:
    case AHOY_CLOCK_M:
        return timeout_ms;
    case AHOY_CLOCK_D:
        if (reliable)
            return 0;
        return timeout_ms < least_d_ms ? least_d_ms : timeout_ms;
    case AHOY_CLOCK_I:
    case AHOY_CLOCK_K:
        return reliable ? 0 : clocks->t4_ms;
    case AHOY_CLOCK_J:
        return reliable ? 0 : timeout_ms;
    case AHOY_CLOCK_C:
        break;
    }
    assert(clock != AHOY_CLOCK_C);
    return AHOY_CLOCK_NEVER;
}
