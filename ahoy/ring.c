/* What was written is seen by the other thread no later than the count of it, and what was read is
 * overwritten no sooner: release and acquire of the two counts (C11 7.17.3). */
#include "ahoy/ring.h"

#include <assert.h>
#include <string.h>

size_t phone_ring_count(const struct phone_ring *ring)
{
    uint32_t read = atomic_load_explicit(&ring->read, memory_order_acquire);
    return atomic_load_explicit(&ring->written, memory_order_acquire) - read;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t phone_ring_put(struct phone_ring *ring, const int16_t *samples, size_t count)
{
    uint32_t written = atomic_load_explicit(&ring->written, memory_order_relaxed);
    count = smaller(count, PHONE_RING_SAMPLES - phone_ring_count(ring));
    size_t place = written % PHONE_RING_SAMPLES;
    size_t first = smaller(count, PHONE_RING_SAMPLES - place);
    if (samples == NULL) {
        memset(ring->samples + place, 0, first * sizeof *samples);
        memset(ring->samples, 0, (count - first) * sizeof *samples);
    } else {
        memcpy(ring->samples + place, samples, first * sizeof *samples);
        memcpy(ring->samples, samples + first, (count - first) * sizeof *samples);
    }
    atomic_store_explicit(&ring->written, written + (uint32_t)count, memory_order_release);
    return count;
}

size_t phone_ring_peek(const struct phone_ring *ring, int16_t *samples, size_t count)
{
    uint32_t read = atomic_load_explicit(&ring->read, memory_order_relaxed);
    count = smaller(count, phone_ring_count(ring));
    size_t place = read % PHONE_RING_SAMPLES;
    size_t first = smaller(count, PHONE_RING_SAMPLES - place);
    memcpy(samples, ring->samples + place, first * sizeof *samples);
    memcpy(samples + first, ring->samples, (count - first) * sizeof *samples);
    return count;
}

void phone_ring_skip(struct phone_ring *ring, size_t count)
{
    uint32_t read = atomic_load_explicit(&ring->read, memory_order_relaxed);
    assert(count <= phone_ring_count(ring));
    atomic_store_explicit(&ring->read, read + (uint32_t)count, memory_order_release);
}

size_t phone_ring_take(struct phone_ring *ring, int16_t *samples, size_t count)
{
    count = phone_ring_peek(ring, samples, count);
    phone_ring_skip(ring, count);
    return count;
}
