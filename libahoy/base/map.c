/* From a 64-bit hash to a 64-bit value: linear probing, never more than three quarters full, and
 * without tombstones, so that a table that many entries have passed through stays as quick as a
 * new one.
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

enum { FIRST_CAPACITY = 16 };

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
    *map = (struct ahoy_map){ .limit = map->limit };
}

static void place(struct ahoy_map_entry *entries, size_t capacity, struct ahoy_map_entry entry)
{
    uint8_t *marks = marks_of(entries, capacity);
    size_t index = home_of(entry.hash, capacity);
    while (marks[index] != 0)
        index = (index + 1) & (capacity - 1);
    marks[index] = mark_of(entry.hash);
    entries[index] = entry;
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
    for (size_t i = 0; i < map->capacity; i++) {
        if (marks_of(map->entries, map->capacity)[i] != 0)
            place(entries, capacity, map->entries[i]);
    }
    free(map->entries);
    map->entries = entries;
    map->capacity = capacity;
    return true;
}

bool ahoy_map_reserve(struct ahoy_map *map)
{
    return map->used < map->limit && (map->used < map->capacity / 4 * 3 || grow(map));
}

bool ahoy_map_add(struct ahoy_map *map, uint64_t hash, uint64_t value)
{
    if (!ahoy_map_reserve(map))
        return false;
    place(map->entries, map->capacity, (struct ahoy_map_entry){ hash, value });
    map->used++;
    return true;
}

/* Empties entry |hole| by moving up those behind it that the hole would cut off from their home. */
static void close_up(struct ahoy_map *map, size_t hole)
{
    size_t mask = map->capacity - 1;
    struct ahoy_map_entry *entries = map->entries;
    uint8_t *marks = marks_of(entries, map->capacity);
    for (size_t i = (hole + 1) & mask; marks[i] != 0; i = (i + 1) & mask) {
        size_t from_home = (i - home_of(entries[i].hash, map->capacity)) & mask;
        size_t from_hole = (i - hole) & mask;
        if (from_home < from_hole)
            continue;
        entries[hole] = entries[i];
        marks[hole] = marks[i];
        hole = i;
    }
    marks[hole] = 0;
}

bool ahoy_map_remove(struct ahoy_map *map, uint64_t hash, uint64_t value)
{
    size_t cursor = 0;
    uint64_t found;
    while (ahoy_map_find(map, hash, &cursor, &found)) {
        if (found != value)
            continue;
        /* The cursor has counted the entries from home to just behind the one that was found. */
        size_t index = home_of(hash, map->capacity) + cursor - 1;
        close_up(map, index & (map->capacity - 1));
        map->used--;
        return true;
    }
    return false;
}

void ahoy_map_fetch(const struct ahoy_map *map, uint64_t hash)
{
    if (map->used == 0)
        return;
    size_t home = home_of(hash, map->capacity);
    __builtin_prefetch(marks_of(map->entries, map->capacity) + home);
    __builtin_prefetch(&map->entries[home], 1);
}

bool ahoy_map_find(const struct ahoy_map *map, uint64_t hash, size_t *cursor, uint64_t *value)
{
    if (map->used == 0)
        return false;
    const uint8_t *marks = marks_of(map->entries, map->capacity);
    const uint8_t mark = mark_of(hash);
    size_t mask = map->capacity - 1;
    size_t home = home_of(hash, map->capacity);
    size_t i = *cursor;
    for (; marks[(home + i) & mask] != 0; i++) {
        const struct ahoy_map_entry *entry = &map->entries[(home + i) & mask];
        if (marks[(home + i) & mask] == mark && entry->hash == hash) {
            *cursor = i + 1;
            *value = entry->value;
            return true;
        }
    }
    *cursor = i;
    return false;
}
