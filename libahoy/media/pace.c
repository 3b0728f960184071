/* The interval of RTCP.  Its constants are those that all participants share: R3550-6.2-2. */
#include "libahoy/media/pace.h"

enum {
    MINIMUM_US = 5000000,
    PARTICIPANTS = 2,
    OVERHEAD = 28,      /* IP and UDP, of IPv4. */
    FIRST_AVERAGE = 128 /* "The probable size of the first RTCP packet" (6.3.2). */
};

void ahoy_rtcp_pace_init(struct ahoy_rtcp_pace *pace, uint32_t session_bits, uint64_t now_us)
{
    *pace = (struct ahoy_rtcp_pace){ .bytes_a_second = session_bits / 8 / 20,
                                     .average_size = FIRST_AVERAGE,
                                     .last_us = now_us,
                                     .next_us = now_us,
                                     .is_initial = true };
}

void ahoy_rtcp_pace_note(struct ahoy_rtcp_pace *pace, size_t size)
{
    pace->average_size = (uint32_t)((size + OVERHEAD + (uint64_t)pace->average_size * 15) / 16);
}

uint64_t ahoy_rtcp_interval(const struct ahoy_rtcp_pace *pace, struct ahoy_rng *rng)
{
    uint64_t minimum_us = pace->is_initial ? MINIMUM_US / 2 : MINIMUM_US;
    uint64_t interval_us =
        (uint64_t)pace->average_size * PARTICIPANTS * 1000000 / pace->bytes_a_second;
    if (interval_us < minimum_us)
        interval_us = minimum_us;
    /* Half to one and a half of it, and less by e - 3/2, which reconsidering takes back. */
    uint64_t random_us = interval_us / 2 + ahoy_rng_below(rng, interval_us);
    return random_us * 100000 / 121828;
}

/* Reconsidered when it has come (6.3.6): it is sent only if an interval drawn anew is over too. */
bool ahoy_rtcp_pace_is_due(struct ahoy_rtcp_pace *pace, struct ahoy_rng *rng, uint64_t now_us)
{
    if (now_us < pace->next_us)
        return false;
    if (!pace->is_initial) {
        uint64_t again_us = pace->last_us + ahoy_rtcp_interval(pace, rng);
        if (again_us > now_us) {
            pace->next_us = again_us;
            return false;
        }
    }
    pace->last_us = now_us;
    pace->next_us = now_us + ahoy_rtcp_interval(pace, rng);
    pace->is_initial = false;
    return true;
}
