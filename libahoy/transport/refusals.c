/* A ring, searched from end to end: only a request that is too large for a datagram asks. */
#include "libahoy/transport/refusals.h"

void ahoy_refusals_add(struct ahoy_refusals *refusals, const struct ahoy_ip *remote,
                       uint64_t now_ms)
{
    if (ahoy_refusals_has(refusals, remote, now_ms))
        return;
    refusals->list[refusals->next] = (struct ahoy_refusal){ *remote, now_ms + AHOY_REFUSAL_MS };
    refusals->next = (refusals->next + 1) % AHOY_REFUSALS_LIMIT;
}

bool ahoy_refusals_has(const struct ahoy_refusals *refusals, const struct ahoy_ip *remote,
                       uint64_t now_ms)
{
    for (size_t i = 0; i < AHOY_REFUSALS_LIMIT; i++) {
        const struct ahoy_refusal *refusal = &refusals->list[i];
        if (refusal->until_ms > now_ms && ahoy_ip_equal(&refusal->remote, remote))
            return true;
    }
    return false;
}
