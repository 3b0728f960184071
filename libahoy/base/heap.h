/* A heap of deadlines: the earliest is known to the millisecond, which the wheel of timers.h does
 * not tell; setting one costs the logarithm of how many there are. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Lives inside what it is for; zeroed means that it is not in the heap.  Must not move while it
 * is. */
struct ahoy_due {
    uint64_t deadline_ms;
    uint64_t what; /* The owner's: a packed handle, say. */
    size_t place;  /* In the list, from 1. */
};

struct ahoy_heap {
    struct ahoy_due **list;
    size_t count;
};

/* With room for |limit|; false where memory is refused. */
bool ahoy_heap_init(struct ahoy_heap *heap, size_t limit);
void ahoy_heap_fini(struct ahoy_heap *heap);
/* Sets |due|, or sets it anew; UINT64_MAX takes it out.  No more are set than there is room for. */
void ahoy_heap_set(struct ahoy_heap *heap, struct ahoy_due *due, uint64_t deadline_ms);
/* The earliest; NULL for none. */
static inline struct ahoy_due *ahoy_heap_first(const struct ahoy_heap *heap)
{
    return heap->count > 0 ? heap->list[0] : NULL;
}
