/* Memory that is taken piece by piece and given back whole. */
#include "libahoy/base/arena.h"

#include <assert.h>
#include <stdalign.h>
#include <stdlib.h>

#include "libahoy/base/poison.h"

struct ahoy_chunk {
    struct ahoy_chunk *next;
    size_t size; /* Usable bytes; more than the usual ones where a single piece needed them. */
    alignas(max_align_t) char bytes[];
};

enum { ALIGNMENT = alignof(max_align_t) };

static size_t align_up(size_t size)
{
    return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

void ahoy_chunks_init(struct ahoy_chunks *chunks, size_t chunk_size, size_t limit)
{
    assert(chunk_size > 0 && chunk_size < SIZE_MAX / 2);
    *chunks = (struct ahoy_chunks){ .chunk_size = align_up(chunk_size), .limit = limit };
}

static void free_chunk(struct ahoy_chunk *chunk)
{
    ahoy_unpoison(chunk->bytes, chunk->size);
    free(chunk);
}

static struct ahoy_chunk *pop_free(struct ahoy_chunks *chunks)
{
    struct ahoy_chunk *chunk = chunks->free;
    chunks->free = chunk->next;
    chunks->kept -= chunk->size;
    return chunk;
}

void ahoy_chunks_fini(struct ahoy_chunks *chunks)
{
    assert(chunks->taken == 0);
    ahoy_chunks_trim(chunks);
}

void ahoy_chunks_trim(struct ahoy_chunks *chunks)
{
    while (chunks->free != NULL)
        free_chunk(pop_free(chunks));
}

static struct ahoy_chunk *new_chunk(struct ahoy_chunks *chunks, size_t size)
{
    /* What lies free gives way to a large piece, so that the limit bounds all the memory there
     * is. */
    while (chunks->free != NULL && chunks->kept > chunks->limit - chunks->taken - size)
        free_chunk(pop_free(chunks));
    struct ahoy_chunk *chunk = malloc(sizeof *chunk + size);
    if (chunk == NULL)
        return NULL;
    chunk->size = size;
    ahoy_poison(chunk->bytes, size);
    return chunk;
}

/* A chunk of |size| usable bytes that counts as taken, or NULL. */
static struct ahoy_chunk *take_chunk(struct ahoy_chunks *chunks, size_t size)
{
    if (size > chunks->limit - chunks->taken)
        return NULL;
    struct ahoy_chunk *chunk = NULL;
    if (size == chunks->chunk_size && chunks->free != NULL)
        chunk = pop_free(chunks);
    else
        chunk = new_chunk(chunks, size);
    if (chunk != NULL)
        chunks->taken += size;
    return chunk;
}

static void give_back(struct ahoy_chunks *chunks, struct ahoy_chunk *chunk)
{
    chunks->taken -= chunk->size;
    if (chunk->size != chunks->chunk_size) {
        free_chunk(chunk);
        return;
    }
    ahoy_poison(chunk->bytes, chunk->size);
    chunk->next = chunks->free;
    chunks->free = chunk;
    chunks->kept += chunk->size;
}

void ahoy_arena_init(struct ahoy_arena *arena, struct ahoy_chunks *chunks)
{
    *arena = (struct ahoy_arena){ .chunks = chunks };
}

void ahoy_arena_release(struct ahoy_arena *arena)
{
    struct ahoy_chunk *chunk = arena->first;
    while (chunk != NULL) {
        struct ahoy_chunk *next = chunk->next;
        give_back(arena->chunks, chunk);
        chunk = next;
    }
    arena->first = NULL;
    arena->used = 0;
}

/* The adopted chunks go behind the newest one, so that what is left of that is still of use. */
void ahoy_arena_adopt(struct ahoy_arena *arena, struct ahoy_arena *from)
{
    assert(arena->chunks == from->chunks);
    if (from->first == NULL)
        return;
    if (arena->first == NULL) {
        *arena = *from;
    } else {
        struct ahoy_chunk *last = from->first;
        while (last->next != NULL)
            last = last->next;
        last->next = arena->first->next;
        arena->first->next = from->first;
    }
    from->first = NULL;
    from->used = 0;
}

/* A piece that no usual chunk holds gets a chunk of its own, behind the newest one, so that what
 * is left of that one is still of use. */
static void *take_large(struct ahoy_arena *arena, size_t size)
{
    struct ahoy_chunk *chunk = take_chunk(arena->chunks, size);
    if (chunk == NULL)
        return NULL;
    if (arena->first == NULL) {
        chunk->next = NULL;
        arena->first = chunk;
        arena->used = size;
    } else {
        chunk->next = arena->first->next;
        arena->first->next = chunk;
    }
    return chunk->bytes;
}

static bool add_chunk(struct ahoy_arena *arena)
{
    struct ahoy_chunk *chunk = take_chunk(arena->chunks, arena->chunks->chunk_size);
    if (chunk == NULL)
        return false;
    chunk->next = arena->first;
    arena->first = chunk;
    arena->used = 0;
    return true;
}

void *ahoy_arena_take(struct ahoy_arena *arena, size_t size)
{
    /* No object is larger than PTRDIFF_MAX; half of it leaves room for what is added below. */
    if (size > arena->chunks->limit || size > PTRDIFF_MAX / 2)
        return NULL;
    size_t whole = align_up(size);
    void *piece = NULL;
    if (whole > arena->chunks->chunk_size) {
        piece = take_large(arena, whole);
    } else {
        bool fits = arena->first != NULL && whole <= arena->first->size - arena->used;
        if (!fits && !add_chunk(arena))
            return NULL;
        piece = arena->first->bytes + arena->used;
        arena->used += whole;
    }
    if (piece != NULL)
        ahoy_unpoison(piece, size);
    return piece;
}

struct span ahoy_arena_copy(struct ahoy_arena *arena, struct span text)
{
    return ahoy_arena_join(arena, &text, 1);
}

struct span ahoy_arena_join(struct ahoy_arena *arena, const struct span *pieces, size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        if (pieces[i].size > SIZE_MAX - size)
            return (struct span){ NULL, 0 };
        size += pieces[i].size;
    }
    if (size == 0)
        return SPAN("");
    char *at = ahoy_arena_take(arena, size);
    if (at == NULL)
        return (struct span){ NULL, 0 };
    size_t done = 0;
    for (size_t i = 0; i < count; i++) {
        if (pieces[i].size > 0)
            memcpy(at + done, pieces[i].at, pieces[i].size);
        done += pieces[i].size;
    }
    return (struct span){ at, size };
}
