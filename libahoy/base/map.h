/* From a 64-bit hash to a 64-bit value: open addressing, doubling up to a limit, by and by, so that
 * nobody waits for it.  Several entries may share a hash; whoever looks one up walks them and
 * compares what the values name.  Hashes of strangers' bytes must be keyed (siphash.h), or they
 * choose their bucket. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ahoy_map_entry;

struct ahoy_map {
    struct ahoy_map_entry *entries;
    size_t capacity;            /* A power of two, or 0. */
    struct ahoy_map_entry *old; /* The table of half the capacity before this one, until all of it
                                 * has moved; then NULL. */
    size_t old_next;            /* From here on it has yet to move. */
    size_t used;                /* Of both. */
    size_t limit; /* Entries there may be. */
};

/* Takes no memory yet. */
void ahoy_map_init(struct ahoy_map *map, size_t limit);
void ahoy_map_fini(struct ahoy_map *map);

/* Makes room for one more, so that the next to be added is not refused.  False where the limit or
 * the allocator refuses. */
bool ahoy_map_reserve(struct ahoy_map *map);
/* Adds an entry beside any that have the same hash.  False where the limit or the allocator
 * refuses. */
bool ahoy_map_add(struct ahoy_map *map, uint64_t hash, uint64_t value);
/* Removes the entry with this hash and value; false where there is none. */
bool ahoy_map_remove(struct ahoy_map *map, uint64_t hash, uint64_t value);

/* |hash| will be looked up, or added, soon: what the processor needs for it is brought near. */
void ahoy_map_fetch(const struct ahoy_map *map, uint64_t hash);
/* Walks the values of |hash|: begin with *cursor = 0, go on while it returns true.  The map must
 * not change in between. */
bool ahoy_map_find(const struct ahoy_map *map, uint64_t hash, size_t *cursor, uint64_t *value);
