/* Samples from one thread to another, without a lock: one thread puts, one takes, and neither ever
 * waits. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PHONE_RING_SAMPLES = 1 << 16 }; /* More than a third of a second at 192 kHz. */

/* Zeroed, it is empty. */
struct phone_ring {
    _Atomic uint32_t written, read; /* How many ever were, modulo 2^32. */
    int16_t samples[PHONE_RING_SAMPLES];
};

/* How many there are: no less for who takes, no more for who puts. */
size_t phone_ring_count(const struct phone_ring *ring);
/* Of |count| samples, or as many zeroes where |samples| is NULL, those that have room; returns how
 * many these are.  For the thread that puts. */
size_t phone_ring_put(struct phone_ring *ring, const int16_t *samples, size_t count);
/* Copies up to |count| samples and leaves them where they are; returns how many.  For the thread
 * that takes, as the next two. */
size_t phone_ring_peek(const struct phone_ring *ring, int16_t *samples, size_t count);
/* Forgets |count| samples, which are there. */
void phone_ring_skip(struct phone_ring *ring, size_t count);
size_t phone_ring_take(struct phone_ring *ring, int16_t *samples, size_t count);
