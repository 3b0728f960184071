/* Slots of one size, named by handles.  A handle holds the slot and how often that slot has been
 * given out, so a late timer or a stale event misses a look-up instead of touching another's
 * data. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ahoy_handle {
    uint32_t slot;
    uint32_t generation; /* 0 names nothing: a zeroed handle is the null handle. */
};

/* Whether both name the same: slot and generation. */
static inline bool ahoy_handle_equal(struct ahoy_handle a, struct ahoy_handle b)
{
    return a.slot == b.slot && a.generation == b.generation;
}

/* Handles travel as one number where a table or the wire holds them. */
static inline uint64_t ahoy_handle_pack(struct ahoy_handle handle)
{
    return (uint64_t)handle.generation << 32 | handle.slot;
}

/* The handle that was packed. */
static inline struct ahoy_handle ahoy_handle_unpack(uint64_t packed)
{
    return (struct ahoy_handle){ (uint32_t)packed, (uint32_t)(packed >> 32) };
}

/* Slots stay where they are for the pool's life: they are taken from the allocator in blocks. */
struct ahoy_pool {
    void **blocks;
    size_t slot_size;
    size_t zeroed_size;  /* So much of a slot is zeroed. */
    uint32_t capacity;   /* Slots there are now. */
    uint32_t limit;      /* Slots there may be. */
    uint32_t spare;      /* Blocks that the allocator gave with the last one, not in use yet. */
    uint32_t used;       /* Slots given out now. */
    uint32_t free;       /* The first free slot, or UINT32_MAX. */
    uint32_t generation; /* Even: no slot of a block to come was ever beyond it. */
};

/* Takes no memory yet. |limit| is at least 1. */
void ahoy_pool_init(struct ahoy_pool *pool, size_t slot_size, uint32_t limit);
/* The same for slots that end in room for texts: what is behind |zeroed_size| is left as it was, so
 * that no page of it is touched before it is used. */
void ahoy_pool_init_roomy(struct ahoy_pool *pool, size_t slot_size, size_t zeroed_size,
                          uint32_t limit);
void ahoy_pool_fini(struct ahoy_pool *pool);
/* Gives all memory back where no slot is in use; else nothing happens.  Old handles stay stale. */
void ahoy_pool_trim(struct ahoy_pool *pool);

/* A slot, zeroed, its handle in |handle|; NULL where the limit or the allocator refuses. */
void *ahoy_pool_add(struct ahoy_pool *pool, struct ahoy_handle *handle);
/* The slot, or NULL where |handle| is null, stale or never was. */
void *ahoy_pool_get(const struct ahoy_pool *pool, struct ahoy_handle handle);
/* Gives the slot back; its handle is stale from now on.  |handle| must be valid. */
void ahoy_pool_remove(struct ahoy_pool *pool, struct ahoy_handle handle);
/* The slot in use with the lowest number at or above |from|, or NULL; its handle in |handle|.
 * To walk a pool, begin with 0 and go on with handle->slot + 1; removing the slot at hand is
 * allowed. */
void *ahoy_pool_next(const struct ahoy_pool *pool, uint32_t from, struct ahoy_handle *handle);
