/* How long many things took, in fixed memory: each is told to within a sixteenth of itself. */
#pragma once

#include <stdint.h>

/* From 0 us to 2^36 us, 19 hours; what is longer counts as that. */
enum { LOAD_HISTOGRAM_STEPS = 16, LOAD_HISTOGRAM_BUCKETS = 33 * LOAD_HISTOGRAM_STEPS };

/* Zeroed at first. */
struct load_histogram {
    uint64_t count, most_us;
    uint64_t buckets[LOAD_HISTOGRAM_BUCKETS];
};

void load_histogram_add(struct load_histogram *histogram, uint64_t us);
/* What |per_mille| of them took no longer than; 0 where there are none. */
uint64_t load_histogram_at(const struct load_histogram *histogram, unsigned per_mille);
