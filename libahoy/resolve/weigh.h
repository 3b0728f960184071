/* The order of the SRV records of one answer: RFC 2782, "Usage rules" and "Weight". */
#pragma once

#include "libahoy/base/rng.h"
#include "libahoy/base/span.h"

struct ahoy_choice {
    uint16_t priority, weight, port;
    struct span name; /* In wire form. */
};

/* Takes the one that is to be tried next out of |list| and makes |count| smaller by one; there is
 * at least one.  The order of the others may change. */
struct ahoy_choice ahoy_choice_take(struct ahoy_choice *list, size_t *count, struct ahoy_rng *rng);
