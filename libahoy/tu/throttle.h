/* What is held back from neighbours that have asked for less (RFC 7339 5.4, 5.5, 7.2), and from
 * those that do not answer at all (5.9).  A neighbour is an address with its port. */
#pragma once

#include "libahoy/base/ip.h"
#include "libahoy/syntax/oc.h"
#include "libahoy/tu/overload.h"

enum {
    AHOY_THROTTLES_LIMIT = 64,          /* Neighbours that are remembered. */
    AHOY_THROTTLE_SAMPLE_MS = 5000,     /* How often the mix of requests is looked at. */
    AHOY_THROTTLE_FAILURES = 3,         /* Without an answer between: then it is left alone ... */
    AHOY_THROTTLE_PROBE_MS = 1000,      /* ... but for one request after so long, then ... */
    AHOY_THROTTLE_PROBE_MOST_MS = 32000 /* ... after twice as long each time, up to this. */
};

struct ahoy_throttle_neighbour {
    struct ahoy_ip ip;
    uint64_t seq;                       /* Of what it said last. */
    uint64_t until_ms;                  /* That holds until then. */
    uint32_t loss;                      /* Percent of all requests. */
    uint32_t debts[AHOY_URGENCY_COUNT]; /* Hundredths of a request that is to be held back. */
    uint64_t sampled_ms;
    uint32_t seen[AHOY_URGENCY_COUNT]; /* Since then. */
    uint32_t mix;      /* How many percent of them were new ones, in the sample before. */
    uint32_t failures; /* One after the other. */
    uint64_t probe_ms; /* When one may be tried again. */
};

/* All zeros: nobody is known.  Where more neighbours speak than are remembered, the one whose word
 * holds for the shortest is forgotten. */
struct ahoy_throttle {
    size_t count;
    struct ahoy_throttle_neighbour list[AHOY_THROTTLES_LIMIT];
};

/* Whether a request to |ip|, one of our neighbours, is to be held back. */
bool ahoy_throttle_holds(struct ahoy_throttle *throttle, const struct ahoy_ip *ip,
                         enum ahoy_urgency urgency, uint64_t now_ms);
/* |ip| has answered; |oc| is what its response says in our Via, NULL where that is nothing. */
void ahoy_throttle_answered(struct ahoy_throttle *throttle, const struct ahoy_ip *ip,
                            const struct ahoy_oc *oc, uint64_t now_ms);
/* It has not answered in time, or could not be reached. */
void ahoy_throttle_failed(struct ahoy_throttle *throttle, const struct ahoy_ip *ip,
                          uint64_t now_ms);
