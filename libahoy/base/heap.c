/* A binary heap: who stands at |place| is not later than those at 2 * place and 2 * place + 1. */
#include "libahoy/base/heap.h"

#include <stdlib.h>

bool ahoy_heap_init(struct ahoy_heap *heap, size_t limit)
{
    *heap = (struct ahoy_heap){ .list = calloc(limit, sizeof *heap->list) };
    return heap->list != NULL;
}

void ahoy_heap_fini(struct ahoy_heap *heap)
{
    free(heap->list);
    heap->list = NULL;
}

static void put(struct ahoy_heap *heap, struct ahoy_due *due, size_t place)
{
    heap->list[place - 1] = due;
    due->place = place;
}

static bool is_later(const struct ahoy_heap *heap, size_t place, const struct ahoy_due *due)
{
    return heap->list[place - 1]->deadline_ms > due->deadline_ms;
}

/* Finds the place of |due| from |place| on, where there is a gap. */
static void settle(struct ahoy_heap *heap, struct ahoy_due *due, size_t place)
{
    while (place > 1 && is_later(heap, place / 2, due)) {
        put(heap, heap->list[place / 2 - 1], place);
        place /= 2;
    }
    size_t next = 2 * place;
    while (next <= heap->count) {
        if (next < heap->count && is_later(heap, next, heap->list[next]))
            next++;
        if (is_later(heap, next, due))
            break;
        put(heap, heap->list[next - 1], place);
        place = next;
        next = 2 * place;
    }
    put(heap, due, place);
}

void ahoy_heap_set(struct ahoy_heap *heap, struct ahoy_due *due, uint64_t deadline_ms)
{
    size_t place = due->place;
    due->deadline_ms = deadline_ms;
    if (deadline_ms != UINT64_MAX) {
        settle(heap, due, place != 0 ? place : ++heap->count);
    } else if (place != 0) {
        struct ahoy_due *last = heap->list[--heap->count];
        due->place = 0;
        if (last != due)
            settle(heap, last, place);
    }
}
