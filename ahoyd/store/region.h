/* A region: addresses that are kept free for one thing, with memory behind the first of them, as
 * much as it needs.  What lives in it never moves, so that a small number can say where. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct region {
    char *at;         /* Begins a page; a huge one where it may get so large. */
    size_t size;      /* Bytes that have memory behind them: zeros, until they are written. */
    size_t limit;     /* Bytes it may have. */
    size_t huge_from; /* From which size on it gets huge pages. */
    size_t mapped;    /* Bytes of addresses, some of them before |at|. */
    char *map;
};

/* Keeps addresses for |limit| bytes, of two megabytes at least, or for a half, a quarter ... of
 * them where the system has no more.  False where it has none. */
bool region_init(struct region *region, uint64_t limit, size_t huge_from);
/* For one that is zeroed, too. */
void region_fini(struct region *region);
/* Sees to it that it has |size| bytes.  False beyond its limit, or where memory is refused. */
bool region_grow(struct region *region, size_t size);
