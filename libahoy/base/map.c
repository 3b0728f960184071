/* From a 64-bit hash to a 64-bit value: linear probing, never more than three quarters full but for
 * a while, and without tombstones, so that a table that many entries have passed through stays as
 * quick as a new one.
 *
 * A table that is full is not moved to one of twice its size at once, which took a tenth of a
 * second for a million entries: from its first place on some move with each entry that is added.
 * Until all have, an entry lies in either.
 *
 * Each entry has a mark of one byte, and the marks stand together.  Most look-ups in a large table
 * are for what is not there, and end among the marks, which a processor's cache has room for. */
#include "libahoy/base/map.h"

#include <stdlib.h>
#include <string.h>

#include "libahoy/base/huge.h"

struct ahoy_map_entry {
    uint64_t hash;
    uint64_t value;
};

enum {
    FIRST_CAPACITY = 16,
    STEP = 8 /* So many places of the old table are emptied with each entry that is added: it is
              * empty long before the new one is full. */
};

/* The fractional part of the golden ratio: multiplying by it spreads neighbours over the whole
 * word. */
static const uint64_t golden = UINT64_C(0x9e3779b97f4a7c15);

static size_t home_of(uint64_t hash, size_t capacity)
{
    uint64_t spread = hash * golden;
    return (size_t)(spread ^ spread >> 32) & (capacity - 1);
}

/* Of bits that are not a home's before a table has 2^25 entries; 0 marks an empty entry. */
static uint8_t mark_of(uint64_t hash)
{
    return (uint8_t)(hash * golden >> 57 | 0x80);
}

void ahoy_map_init(struct ahoy_map *map, size_t limit)
{
    *map = (struct ahoy_map){ .limit = limit };
}

/* The marks stand behind the entries, in the same piece of memory. */
static uint8_t *marks_of(struct ahoy_map_entry *entries, size_t capacity)
{
    return (uint8_t *)(entries + capacity);
}

void ahoy_map_fini(struct ahoy_map *map)
{
    free(map->entries);
    free(map->old);
    *map = (struct ahoy_map){ .limit = map->limit };
}

/* The empty place of a table where an entry with |hash| belongs. */
static size_t vacancy(struct ahoy_map_entry *entries, size_t capacity, uint64_t hash)
{
    const uint8_t *marks = marks_of(entries, capacity);
    size_t index = home_of(hash, capacity);
    while (marks[index] != 0)
        index = (index + 1) & (capacity - 1);
    return index;
}

static void put(struct ahoy_map_entry *entries, size_t capacity, size_t index,
                struct ahoy_map_entry entry)
{
    marks_of(entries, capacity)[index] = mark_of(entry.hash);
    entries[index] = entry;
}

static void place(struct ahoy_map_entry *entries, size_t capacity, struct ahoy_map_entry entry)
{
    put(entries, capacity, vacancy(entries, capacity, entry.hash), entry);
}

/* Moves what lies in the next places of the old table, and what follows without a gap: an entry is
 * found by going on from its home, so it may not stay where those in between have moved. */
static void move_some(struct ahoy_map *map)
{
    size_t capacity = map->capacity / 2;
    uint8_t *marks = marks_of(map->old, capacity);
    bool is_gap = false;
    for (size_t i = 0; map->old_next < capacity && (i < STEP || !is_gap); i++, map->old_next++) {
        is_gap = marks[map->old_next] == 0;
        if (is_gap)
            continue;
        place(map->entries, map->capacity, map->old[map->old_next]);
        marks[map->old_next] = 0;
    }
    if (map->old_next < capacity)
        return;
    free(map->old);
    map->old = NULL;
}

static bool grow(struct ahoy_map *map)
{
    const size_t entry_size = sizeof(struct ahoy_map_entry) + 1; /* With its mark. */
    if (map->capacity > SIZE_MAX / 2 / entry_size)
        return false;
    size_t capacity = map->capacity == 0 ? FIRST_CAPACITY : 2 * map->capacity;
    struct ahoy_map_entry *entries = ahoy_huge_take(capacity * entry_size);
    if (entries == NULL)
        return false;
    memset(marks_of(entries, capacity), 0, capacity);
    while (map->old != NULL)
        move_some(map);
    map->old = map->entries;
    map->old_next = 0;
    map->entries = entries;
    map->capacity = capacity;
    return true;
}

bool ahoy_map_reserve(struct ahoy_map *map)
{
    return map->used < map->limit && (map->used < map->capacity / 4 * 3 || grow(map));
}

/* Adds |entry| to the old table where it will move with its neighbours: so the new one, which is
 * touched for the first time, is touched by and by.  False where that place has moved. */
static bool add_to_old(struct ahoy_map *map, struct ahoy_map_entry entry)
{
    size_t capacity = map->capacity / 2, index = vacancy(map->old, capacity, entry.hash);
    if (index < map->old_next)
        return false;
    put(map->old, capacity, index, entry);
    return true;
}

bool ahoy_map_add(struct ahoy_map *map, uint64_t hash, uint64_t value)
{
    struct ahoy_map_entry entry = { hash, value };
    if (!ahoy_map_reserve(map))
        return false;
    if (map->old != NULL)
        move_some(map);
    if (map->old == NULL || !add_to_old(map, entry))
        place(map->entries, map->capacity, entry);
    map->used++;
    return true;
}

/* Empties entry |hole| by moving up those behind it that the hole would cut off from their home. */
static void close_up(struct ahoy_map_entry *entries, size_t capacity, size_t hole)
{
    size_t mask = capacity - 1;
    uint8_t *marks = marks_of(entries, capacity);
    for (size_t i = (hole + 1) & mask; marks[i] != 0; i = (i + 1) & mask) {
        size_t from_home = (i - home_of(entries[i].hash, capacity)) & mask;
        size_t from_hole = (i - hole) & mask;
        if (from_home < from_hole)
            continue;
        entries[hole] = entries[i];
        marks[hole] = marks[i];
        hole = i;
    }
    marks[hole] = 0;
}

/* Removes the entry that a walk found in a table, which has counted the entries from home to just
 * behind it. */
static void remove_at(struct ahoy_map_entry *entries, size_t capacity, uint64_t hash, size_t count)
{
    close_up(entries, capacity, (home_of(hash, capacity) + count - 1) & (capacity - 1));
}

bool ahoy_map_remove(struct ahoy_map *map, uint64_t hash, uint64_t value)
{
    size_t cursor = 0;
    uint64_t found;
    while (ahoy_map_find(map, hash, &cursor, &found)) {
        if (found != value)
            continue;
        if (cursor <= map->capacity)
            remove_at(map->entries, map->capacity, hash, cursor);
        else
            remove_at(map->old, map->capacity / 2, hash, cursor - map->capacity);
        map->used--;
        return true;
    }
    return false;
}

/* Of the new table alone, in which nearly all is nearly always.  GCC 12 leaves out the call of a
 * function of this file that does nothing but this. */
void ahoy_map_fetch(const struct ahoy_map *map, uint64_t hash)
{
    if (map->used == 0)
        return;
    size_t home = home_of(hash, map->capacity);
    __builtin_prefetch(marks_of(map->entries, map->capacity) + home);
    __builtin_prefetch(&map->entries[home], 1);
}

/* Goes on with a walk in one table, which has come |count| entries far from home. */
static inline bool find_in(struct ahoy_map_entry *entries, size_t capacity, uint64_t hash,
                           size_t *count, uint64_t *value)
{
    const uint8_t *marks = marks_of(entries, capacity);
    const uint8_t mark = mark_of(hash);
    size_t mask = capacity - 1;
    size_t home = home_of(hash, capacity);
    size_t i = *count;
    for (; marks[(home + i) & mask] != 0; i++) {
        const struct ahoy_map_entry *entry = &entries[(home + i) & mask];
        if (marks[(home + i) & mask] == mark && entry->hash == hash) {
            *count = i + 1;
            *value = entry->value;
            return true;
        }
    }
    *count = i;
    return false;
}

/* The same in the old one, where a cursor counts on from |capacity|, which no walk in the new one
 * reaches.  Apart, as it is seldom there. */
static __attribute__((noinline)) bool find_in_old(const struct ahoy_map *map, uint64_t hash,
                                                  size_t *cursor, uint64_t *value)
{
    size_t count = *cursor < map->capacity ? 0 : *cursor - map->capacity;
    bool found = find_in(map->old, map->capacity / 2, hash, &count, value);
    *cursor = map->capacity + count;
    return found;
}

bool ahoy_map_find(const struct ahoy_map *map, uint64_t hash, size_t *cursor, uint64_t *value)
{
    if (map->used == 0)
        return false;
    if (*cursor < map->capacity && find_in(map->entries, map->capacity, hash, cursor, value))
        return true;
    return map->old != NULL && find_in_old(map, hash, cursor, value);
}
