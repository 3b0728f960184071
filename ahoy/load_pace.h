/* When the next of many is due: so many a second, growing or falling evenly while that is wished.
 * Pure: no clock. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* In thousandths a second. */
struct load_rate {
    uint32_t from, to;
};

enum { LOAD_RATE_LIMIT = 100000, /* A second. */ LOAD_PACE_REST_MS = 100 };
/* Calls begin in steps: of so many, but none is longer, or shorter, than that. */
enum { LOAD_STEP_CALLS = 64, LOAD_STEP_MOST_US = 64000, LOAD_STEP_LEAST_US = 1000 };

struct load_pace {
    struct load_rate rate;
    uint64_t ramp_ms; /* How long it takes from the one to the other; 0: it is |to| at once. */
    uint64_t count;   /* How many have had their turn. */
    uint64_t second;  /* The second half of the step, where it has not begun. */
};

/* How many are due that have had none, |elapsed_ms| after the beginning. */
uint64_t load_pace_due(const struct load_pace *pace, uint64_t elapsed_ms);
/* How many of those that are |due| begin now: the first half, where this is the beginning of a
 * step, else the second, where that has not begun.  So no socket need have room for all. */
uint64_t load_pace_take(struct load_pace *pace, uint64_t due, bool is_step);
/* How long to wait until one may be due: 0 where one is, at most LOAD_PACE_REST_MS. */
uint64_t load_pace_wait_ms(const struct load_pace *pace, uint64_t elapsed_ms);
/* How long a step is at that time. */
uint64_t load_pace_step_us(const struct load_pace *pace, uint64_t elapsed_ms);
