/* Memory that is taken piece by piece and given back whole: one arena a transaction.  The chunks
 * come from a bounded store that a worker owns, so that the hot path never meets the allocator. */
#pragma once

#include "libahoy/base/span.h"

struct ahoy_chunk;

/* Where chunks come from and go back to.  One a worker; not locked. */
struct ahoy_chunks {
    struct ahoy_chunk *free; /* Chunks of the usual size, ready to be used again. */
    size_t chunk_size;       /* Usable bytes of a usual chunk. */
    size_t taken;            /* Bytes out in arenas now. */
    size_t limit;            /* |taken| never passes this. */
    size_t kept;             /* Bytes lying free. */
};

/* No memory is taken before it is needed.  |limit| bounds all arenas of this store together. */
void ahoy_chunks_init(struct ahoy_chunks *chunks, size_t chunk_size, size_t limit);
/* Frees what lies free; every arena must have been released. */
void ahoy_chunks_fini(struct ahoy_chunks *chunks);
/* Frees what lies free, and goes on. */
void ahoy_chunks_trim(struct ahoy_chunks *chunks);

struct ahoy_arena {
    struct ahoy_chunks *chunks;
    struct ahoy_chunk *first; /* The newest chunk. */
    size_t used;              /* Bytes taken of the newest chunk. */
};

/* An empty arena of |chunks|, which outlives it; no memory is taken yet. */
void ahoy_arena_init(struct ahoy_arena *arena, struct ahoy_chunks *chunks);
/* Gives all chunks back; everything taken is gone. */
void ahoy_arena_release(struct ahoy_arena *arena);
/* Everything taken of |from| now belongs to |arena| and lives as long as that; |from| is as new.
 * Both have the same store. */
void ahoy_arena_adopt(struct ahoy_arena *arena, struct ahoy_arena *from);

/* |size| bytes, aligned for any type, contents unspecified.  NULL where the store's limit or the
 * allocator refuses; the arena is then as before. */
void *ahoy_arena_take(struct ahoy_arena *arena, size_t size);
/* A copy of |text|; its |at| is NULL where memory was refused (an empty |text| never is). */
struct span ahoy_arena_copy(struct ahoy_arena *arena, struct span text);
/* A copy of all |count| |pieces| in one run of bytes: the end of a gather list that must be
 * kept. */
struct span ahoy_arena_join(struct ahoy_arena *arena, const struct span *pieces, size_t count);
