/* Buckets of one size up to 32, then sixteen to each power of two. */
#include "ahoy/load_histogram.h"

#include <assert.h>

static unsigned bucket_of(uint64_t us)
{
    unsigned digits = 64 - (unsigned)__builtin_clzll(us | 1); /* Binary ones, ... */
    unsigned shift = digits > 5 ? digits - 5 : 0;             /* ... of which the first count. */
    static_assert(2 * LOAD_HISTOGRAM_STEPS == 1 << 5, "five digits tell a step");
    unsigned bucket = shift * LOAD_HISTOGRAM_STEPS + (unsigned)(us >> shift);
    return bucket < LOAD_HISTOGRAM_BUCKETS ? bucket : LOAD_HISTOGRAM_BUCKETS - 1;
}

/* The longest that falls into it. */
static uint64_t end_of(unsigned bucket)
{
    if (bucket < 2 * LOAD_HISTOGRAM_STEPS)
        return bucket;
    unsigned shift = bucket / LOAD_HISTOGRAM_STEPS - 1;
    uint64_t step = bucket % LOAD_HISTOGRAM_STEPS + LOAD_HISTOGRAM_STEPS;
    return ((step + 1) << shift) - 1;
}

void load_histogram_add(struct load_histogram *histogram, uint64_t us)
{
    histogram->count++;
    histogram->buckets[bucket_of(us)]++;
    if (us > histogram->most_us)
        histogram->most_us = us;
}

uint64_t load_histogram_at(const struct load_histogram *histogram, unsigned per_mille)
{
    uint64_t wanted = (histogram->count * per_mille + 999) / 1000, seen = 0;
    for (unsigned i = 0; i < LOAD_HISTOGRAM_BUCKETS && wanted > 0; i++) {
        seen += histogram->buckets[i];
        if (seen >= wanted)
            return end_of(i) < histogram->most_us ? end_of(i) : histogram->most_us;
    }
    return 0;
}
