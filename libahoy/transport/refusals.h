/* Peers that lately took no connection by TCP.  What is too large for a datagram goes to them in
 * one nevertheless, and does not wait each time until that shows (RFC 3261 18.1.1). */
#pragma once

#include "libahoy/base/ip.h"

enum {
    AHOY_REFUSALS_LIMIT = 256, /* Peers that are remembered; one more, and the oldest is not. */
    AHOY_REFUSAL_MS = 300000   /* For how long. */
};

/* All zeroes is an empty one. */
struct ahoy_refusals {
    size_t next;
    struct ahoy_refusal {
        struct ahoy_ip remote;
        uint64_t until_ms;
    } list[AHOY_REFUSALS_LIMIT];
};

/* Remembers that |remote| has refused, for AHOY_REFUSAL_MS. */
void ahoy_refusals_add(struct ahoy_refusals *refusals, const struct ahoy_ip *remote,
                       uint64_t now_ms);
/* Whether |remote| is remembered, port included. */
bool ahoy_refusals_has(const struct ahoy_refusals *refusals, const struct ahoy_ip *remote,
                       uint64_t now_ms);
