/* Memory for what is of many sizes, small, and there in large numbers: slots of equal size stand
 * in slabs, and a slab that is empty may become one of any other size.  What is taken stays where
 * it is, and has a number of 32 bits.  For one thread at a time, but for slabs_at. */
#pragma once

#include <stdint.h>

#include "ahoyd/store/region.h"

enum {
    AHOYD_SLABS_LIMIT = 1 << 18, /* Slabs: 16 GB. */
    SLABS_ITEM_LIMIT = 32768,    /* Bytes of an item. */
    SLABS_GRANULE = 16,          /* Bytes that sizes and places are multiples of. */
    SLABS_SIZES = 80             /* How many there are of slots. */
};

struct slab;

struct slabs {
    struct region items, heads;
    uint32_t count;             /* Of slabs. */
    uint32_t empty;             /* The first of those without items; 0 for none. */
    uint32_t room[SLABS_SIZES]; /* For each size, the first slab with a free slot; 0 for none. */
};

/* False where the system refuses; slabs_fini is then still right. */
bool slabs_init(struct slabs *slabs);
void slabs_fini(struct slabs *slabs);
/* |size| bytes, as some other item left them; NULL where memory is refused, or beyond a limit. */
void *slabs_take(struct slabs *slabs, size_t size);
void slabs_give(struct slabs *slabs, void *item);

/* The number of an item, which is not 0. */
static inline uint32_t slabs_number(const struct slabs *slabs, const void *item)
{
    return (uint32_t)((size_t)((const char *)item - slabs->items.at) / SLABS_GRANULE) + 1;
}

/* The item of that number. */
static inline void *slabs_at(const struct slabs *slabs, uint32_t number)
{
    return slabs->items.at + (size_t)(number - 1) * SLABS_GRANULE;
}
