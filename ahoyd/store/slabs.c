/* What is known of a slab stands apart from it: giving an item back then touches little else. */
#include "ahoyd/store/slabs.h"

#include <assert.h>
#include <string.h>

#include "libahoy/base/poison.h"

enum {
    SLAB_SIZE = 64 * 1024,
    HUGE_FROM = 16 * 1024 * 1024, /* Before it, a huge page that is begun would weigh too much. */
    FINE_SIZE = 512, /* Up to it each multiple of the granule is a size of slots, ... */
    FINE_SIZES = FINE_SIZE / SLABS_GRANULE,
    STEPS = 8, /* ... and beyond it so many up to its double. */
    NEAR = 2   /* So many sizes larger than asked for, a free slot is taken nevertheless. */
};

struct slab {
    uint32_t next, previous; /* In the list of those with a free slot, or of the empty ones. */
    uint32_t free;           /* The number of a slot that was given back; 0 for none. */
    uint16_t used;           /* Slots that are taken. */
    uint16_t kind;           /* The place of its size among all. */
};

_Static_assert(UINT64_C(1) * AHOYD_SLABS_LIMIT * SLAB_SIZE / SLABS_GRANULE < UINT32_MAX,
               "all have numbers");
_Static_assert(FINE_SIZES + 6 * STEPS == SLABS_SIZES && FINE_SIZE << 6 == SLABS_ITEM_LIMIT,
               "each item has a size");
_Static_assert(SLAB_SIZE / SLABS_GRANULE <= UINT16_MAX, "slots of a slab can be counted");

/* The place of the smallest size that |size| bytes fit into. */
static unsigned kind_of(size_t size)
{
    if (size <= FINE_SIZE)
        return size == 0 ? 0 : (unsigned)((size - 1) / SLABS_GRANULE);
    unsigned doubled = 0;
    while (size > (size_t)FINE_SIZE << (doubled + 1))
        doubled++;
    size_t begin = (size_t)FINE_SIZE << doubled;
    return FINE_SIZES + doubled * STEPS + (unsigned)((size - begin - 1) / (begin / STEPS));
}

static size_t size_of(unsigned kind)
{
    if (kind < FINE_SIZES)
        return (size_t)(kind + 1) * SLABS_GRANULE;
    size_t begin = (size_t)FINE_SIZE << (kind - FINE_SIZES) / STEPS;
    return begin + ((kind - FINE_SIZES) % STEPS + 1) * (begin / STEPS);
}

static unsigned capacity_of(unsigned kind)
{
    return (unsigned)(SLAB_SIZE / size_of(kind));
}

/* Slabs are numbered from one. */
static struct slab *slab_at(const struct slabs *slabs, uint32_t number)
{
    return (struct slab *)(void *)slabs->heads.at + (number - 1);
}

static char *begin_of(const struct slabs *slabs, uint32_t number)
{
    return slabs->items.at + (size_t)(number - 1) * SLAB_SIZE;
}

static void link_slab(const struct slabs *slabs, uint32_t *list, uint32_t number)
{
    struct slab *slab = slab_at(slabs, number);
    slab->previous = 0;
    slab->next = *list;
    if (slab->next != 0)
        slab_at(slabs, slab->next)->previous = number;
    *list = number;
}

static void unlink_slab(const struct slabs *slabs, uint32_t *list, uint32_t number)
{
    const struct slab *slab = slab_at(slabs, number);
    if (slab->next != 0)
        slab_at(slabs, slab->next)->previous = slab->previous;
    *(slab->previous != 0 ? &slab_at(slabs, slab->previous)->next : list) = slab->next;
}

bool slabs_init(struct slabs *slabs)
{
    *slabs = (struct slabs){ .count = 0 };
    const size_t heads_size = AHOYD_SLABS_LIMIT * sizeof(struct slab);
    return region_init(&slabs->items, (uint64_t)AHOYD_SLABS_LIMIT * SLAB_SIZE, HUGE_FROM) &&
           region_init(&slabs->heads, heads_size, heads_size);
}

void slabs_fini(struct slabs *slabs)
{
    region_fini(&slabs->items);
    region_fini(&slabs->heads);
}

/* An empty slab, or 0. */
static uint32_t take_slab(struct slabs *slabs)
{
    uint32_t number = slabs->empty;
    if (number != 0) {
        unlink_slab(slabs, &slabs->empty, number);
        return number;
    }
    number = slabs->count + 1;
    if (number > AHOYD_SLABS_LIMIT || !region_grow(&slabs->items, (size_t)number * SLAB_SIZE) ||
        !region_grow(&slabs->heads, number * sizeof(struct slab)))
        return 0;
    ahoy_poison(begin_of(slabs, number), SLAB_SIZE);
    slabs->count = number;
    return number;
}

/* A slab with a free slot of that size, or of one that is not much larger; 0 for none. */
static uint32_t slab_with_room(struct slabs *slabs, unsigned kind)
{
    for (unsigned i = kind; i <= kind + NEAR && i < SLABS_SIZES; i++) {
        if (slabs->room[i] != 0)
            return slabs->room[i];
    }
    uint32_t number = take_slab(slabs);
    if (number == 0)
        return 0;
    *slab_at(slabs, number) = (struct slab){ .kind = (uint16_t)kind };
    link_slab(slabs, &slabs->room[kind], number);
    return number;
}

void *slabs_take(struct slabs *slabs, size_t size)
{
    if (size > SLABS_ITEM_LIMIT)
        return NULL;
    uint32_t number = slab_with_room(slabs, kind_of(size));
    if (number == 0)
        return NULL;
    struct slab *slab = slab_at(slabs, number);
    char *item;
    if (slab->free != 0) {
        item = slabs_at(slabs, slab->free);
        memcpy(&slab->free, item, sizeof slab->free);
    } else {
        /* All slots that were ever taken are: the next one is new. */
        item = begin_of(slabs, number) + slab->used * size_of(slab->kind);
    }
    if (++slab->used == capacity_of(slab->kind))
        unlink_slab(slabs, &slabs->room[slab->kind], number);
    ahoy_unpoison(item, size);
    return item;
}

void slabs_give(struct slabs *slabs, void *item)
{
    if (item == NULL)
        return;
    uint32_t number = (uint32_t)((size_t)((char *)item - slabs->items.at) / SLAB_SIZE) + 1;
    assert(number <= slabs->count);
    struct slab *slab = slab_at(slabs, number);
    if (slab->used == capacity_of(slab->kind))
        link_slab(slabs, &slabs->room[slab->kind], number);
    ahoy_poison((char *)item + SLABS_GRANULE / 2, size_of(slab->kind) - SLABS_GRANULE / 2);
    memcpy(item, &slab->free, sizeof slab->free); /* The next free one, read when it is taken. */
    slab->free = slabs_number(slabs, item);
    if (--slab->used > 0)
        return;
    unlink_slab(slabs, &slabs->room[slab->kind], number);
    ahoy_poison(begin_of(slabs, number), SLAB_SIZE);
    link_slab(slabs, &slabs->empty, number);
}
