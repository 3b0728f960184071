/* Slots of one size, named by handles.  A slot's generation is odd while it is in use and even
 * while it is free: it rises by one whenever the slot is given out or back, and no odd number is
 * 0. */
#include "libahoy/base/pool.h"

#include <assert.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "libahoy/base/huge.h"
#include "libahoy/base/poison.h"

enum {
    BLOCK_SLOTS = 128,
    BLOCKS_MOST = 2 << 20 /* Bytes that blocks are taken in at most: a huge page. */
};

/* Generations stand apart from the slots, so that a walk reads them in a row. */
struct block {
    uint32_t generation[BLOCK_SLOTS];
    uint32_t next[BLOCK_SLOTS]; /* The next free slot, where this one is free. */
    bool leads;                 /* It begins what the allocator gave. */
    alignas(max_align_t) char slots[];
};

void ahoy_pool_init(struct ahoy_pool *pool, size_t slot_size, uint32_t limit)
{
    const size_t alignment = alignof(max_align_t);
    assert(limit >= 1);
    assert(slot_size >= 1 && slot_size <= SIZE_MAX / (2 * BLOCK_SLOTS));
    size_t aligned = (slot_size + alignment - 1) / alignment * alignment;
    *pool = (struct ahoy_pool){
        .slot_size = aligned, .zeroed_size = aligned, .limit = limit, .free = UINT32_MAX
    };
}

void ahoy_pool_init_roomy(struct ahoy_pool *pool, size_t slot_size, size_t zeroed_size,
                          uint32_t limit)
{
    assert(zeroed_size <= slot_size);
    ahoy_pool_init(pool, slot_size, limit);
    pool->zeroed_size = zeroed_size;
}

static uint32_t block_count(const struct ahoy_pool *pool)
{
    return pool->capacity / BLOCK_SLOTS + (pool->capacity % BLOCK_SLOTS != 0);
}

static void free_blocks(struct ahoy_pool *pool)
{
    /* From the last one on: those behind a leader go with it. */
    for (uint32_t i = block_count(pool); i > 0; i--) {
        struct block *block = pool->blocks[i - 1];
        uint32_t left = pool->capacity - (i - 1) * BLOCK_SLOTS;
        ahoy_unpoison(block->slots, pool->slot_size * (left < BLOCK_SLOTS ? left : BLOCK_SLOTS));
        if (block->leads)
            free(block);
    }
    free(pool->blocks);
    *pool = (struct ahoy_pool){ .slot_size = pool->slot_size,
                                .zeroed_size = pool->zeroed_size,
                                .limit = pool->limit,
                                .free = UINT32_MAX,
                                .generation = pool->generation };
}

void ahoy_pool_fini(struct ahoy_pool *pool)
{
    free_blocks(pool);
    pool->generation = 0;
}

/* What is forgotten of the slots is how often they were given out: the next ones begin where the
 * busiest of them ended. */
void ahoy_pool_trim(struct ahoy_pool *pool)
{
    if (pool->used > 0)
        return;
    for (uint32_t slot = 0; slot < pool->capacity; slot++) {
        const struct block *block = pool->blocks[slot / BLOCK_SLOTS];
        uint32_t generation = block->generation[slot % BLOCK_SLOTS];
        if (generation > pool->generation)
            pool->generation = generation;
    }
    free_blocks(pool);
}

static struct block *block_of(const struct ahoy_pool *pool, uint32_t slot)
{
    return pool->blocks[slot / BLOCK_SLOTS];
}

static void *slot_of(const struct ahoy_pool *pool, uint32_t slot)
{
    return block_of(pool, slot)->slots + pool->slot_size * (slot % BLOCK_SLOTS);
}

/* Makes room for one more block in the list of blocks, which doubles each time it is full. */
static bool grow_list(struct ahoy_pool *pool)
{
    size_t count = block_count(pool);
    if ((count & (count - 1)) != 0)
        return true;
    void **blocks = realloc(pool->blocks, (count == 0 ? 1 : 2 * count) * sizeof *blocks);
    if (blocks == NULL)
        return false;
    pool->blocks = blocks;
    return true;
}

/* The next block of |more| slots.  As many as there are come with it, up to a huge page: a pool
 * doubles, and then grows by these. */
static struct block *next_block(struct ahoy_pool *pool, uint32_t more)
{
    size_t size = sizeof(struct block) + pool->slot_size * more;
    if (pool->spare > 0) {
        pool->spare--;
        char *last = pool->blocks[block_count(pool) - 1];
        struct block *block = (struct block *)(void *)(last + size);
        block->leads = false;
        return block;
    }
    uint32_t count = (pool->limit - pool->capacity) / BLOCK_SLOTS;
    if (count > block_count(pool))
        count = block_count(pool);
    if (count > BLOCKS_MOST / size)
        count = (uint32_t)(BLOCKS_MOST / size);
    if (count == 0)
        count = 1;
    struct block *block = ahoy_huge_take(count * size);
    if (block == NULL)
        return NULL;
    block->leads = true;
    pool->spare = count - 1;
    return block;
}

static bool grow(struct ahoy_pool *pool)
{
    uint32_t more = pool->limit - pool->capacity;
    if (more == 0)
        return false;
    if (more > BLOCK_SLOTS)
        more = BLOCK_SLOTS;
    if (!grow_list(pool))
        return false;
    struct block *block = next_block(pool, more);
    if (block == NULL)
        return false;
    for (uint32_t i = 0; i < more; i++) {
        block->generation[i] = pool->generation;
        block->next[i] = i + 1 < more ? pool->capacity + i + 1 : pool->free;
    }
    ahoy_poison(block->slots, pool->slot_size * more);
    pool->blocks[block_count(pool)] = block;
    pool->free = pool->capacity;
    pool->capacity += more;
    return true;
}

void *ahoy_pool_add(struct ahoy_pool *pool, struct ahoy_handle *handle)
{
    if (pool->free == UINT32_MAX && !grow(pool))
        return NULL;
    uint32_t slot = pool->free;
    struct block *block = block_of(pool, slot);
    uint32_t generation = ++block->generation[slot % BLOCK_SLOTS];
    pool->free = block->next[slot % BLOCK_SLOTS];
    pool->used++;
    *handle = (struct ahoy_handle){ .slot = slot, .generation = generation };
    void *data = slot_of(pool, slot);
    ahoy_unpoison(data, pool->slot_size);
    memset(data, 0, pool->zeroed_size);
    return data;
}

void *ahoy_pool_get(const struct ahoy_pool *pool, struct ahoy_handle handle)
{
    if (handle.slot >= pool->capacity || handle.generation % 2 == 0)
        return NULL;
    struct block *block = block_of(pool, handle.slot);
    if (block->generation[handle.slot % BLOCK_SLOTS] != handle.generation)
        return NULL;
    return slot_of(pool, handle.slot);
}

void ahoy_pool_remove(struct ahoy_pool *pool, struct ahoy_handle handle)
{
    void *data = ahoy_pool_get(pool, handle);
    assert(data != NULL);
    struct block *block = block_of(pool, handle.slot);
    block->generation[handle.slot % BLOCK_SLOTS]++;
    block->next[handle.slot % BLOCK_SLOTS] = pool->free;
    pool->free = handle.slot;
    pool->used--;
    ahoy_poison(data, pool->slot_size);
}

void *ahoy_pool_next(const struct ahoy_pool *pool, uint32_t from, struct ahoy_handle *handle)
{
    for (uint32_t slot = from; slot < pool->capacity; slot++) {
        uint32_t generation = block_of(pool, slot)->generation[slot % BLOCK_SLOTS];
        if (generation % 2 == 0)
            continue;
        *handle = (struct ahoy_handle){ .slot = slot, .generation = generation };
        return slot_of(pool, slot);
    }
    return NULL;
}
