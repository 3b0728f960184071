/* Memory that is taken piece by piece and given back whole. */
#include "libahoy/base/arena.h"

#include <assert.h>
#include <stdalign.h>
#include <stdlib.h>

#include "libahoy/base/huge.h"
#include "libahoy/base/poison.h"

struct ahoy_chunk {
    struct ahoy_chunk *next;
    size_t size; /* Usable bytes; more than the usual ones where a single piece needed them. */
    struct ahoy_chunk_block *block; /* That it stands in; NULL: it is one of its own. */
    alignas(max_align_t) char bytes[];
};

struct ahoy_chunk_block {
    struct ahoy_chunk_block *next;
    size_t idle; /* Chunks of it that lie free, while that is counted. */
    alignas(max_align_t) char chunks[];
};

enum {
    ALIGNMENT = alignof(max_align_t),
    BLOCK_SIZE = 2 << 20,
    BLOCK_CHUNKS_LEAST = 64 /* Where a block would hold fewer, there are none. */
};

static size_t align_up(size_t size)
{
    return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static size_t stride_of(const struct ahoy_chunks *chunks)
{
    return sizeof(struct ahoy_chunk) + chunks->chunk_size;
}

static size_t chunks_of_block(const struct ahoy_chunks *chunks)
{
    return (BLOCK_SIZE - sizeof(struct ahoy_chunk_block)) / stride_of(chunks);
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

static void count_idle(struct ahoy_chunks *chunks)
{
    for (struct ahoy_chunk_block *block = chunks->blocks; block != NULL; block = block->next)
        block->idle = 0;
    if (chunks->blocks != NULL)
        chunks->blocks->idle = chunks->unused;
    for (struct ahoy_chunk *chunk = chunks->free; chunk != NULL; chunk = chunk->next) {
        if (chunk->block != NULL)
            chunk->block->idle++;
    }
}

/* Chunks of their own, and those of blocks that are idle, lie free no longer. */
static void drop_idle_chunks(struct ahoy_chunks *chunks, size_t whole)
{
    struct ahoy_chunk *next, *chunk = chunks->free;
    chunks->free = NULL;
    for (; chunk != NULL; chunk = next) {
        next = chunk->next;
        if (chunk->block != NULL && chunk->block->idle < whole) {
            chunk->next = chunks->free;
            chunks->free = chunk;
            continue;
        }
        chunks->kept -= chunk->size;
        if (chunk->block == NULL)
            free_chunk(chunk);
    }
}

void ahoy_chunks_trim(struct ahoy_chunks *chunks)
{
    const size_t whole = chunks_of_block(chunks);
    chunks->returned = 0;
    count_idle(chunks);
    drop_idle_chunks(chunks, whole);
    if (chunks->blocks != NULL && chunks->blocks->idle == whole) {
        chunks->kept -= chunks->unused * chunks->chunk_size;
        chunks->unused = 0;
    }
    struct ahoy_chunk_block **link = &chunks->blocks;
    while (*link != NULL) {
        struct ahoy_chunk_block *block = *link;
        if (block->idle < whole) {
            link = &block->next;
            continue;
        }
        *link = block->next;
        ahoy_unpoison(block->chunks, whole * stride_of(chunks));
        free(block);
    }
}

/* What lies free gives way to what could not be had beside it, so that the limit bounds all the
 * memory there is.  To look through it may be in vain, as a block goes as a whole only, so it must
 * have been earned: by as many chunks that came back. */
static bool make_way(struct ahoy_chunks *chunks, size_t size)
{
    const size_t most = chunks->limit - chunks->taken - size;
    while (chunks->kept > most && chunks->free != NULL && chunks->free->block == NULL)
        free_chunk(pop_free(chunks));
    if (chunks->kept > most && chunks->returned >= chunks->kept / chunks->chunk_size)
        ahoy_chunks_trim(chunks);
    return chunks->kept <= most;
}

/* A chunk of its own. */
static struct ahoy_chunk *new_chunk(struct ahoy_chunks *chunks, size_t size)
{
    struct ahoy_chunk *chunk = make_way(chunks, size) ? malloc(sizeof *chunk + size) : NULL;
    if (chunk == NULL)
        return NULL;
    chunk->size = size;
    chunk->block = NULL;
    ahoy_poison(chunk->bytes, size);
    return chunk;
}

/* One more block, once there are as many chunks as it has.  False where it is too early for one,
 * the limit is too near, or memory is refused. */
static bool add_block(struct ahoy_chunks *chunks)
{
    const size_t count = chunks_of_block(chunks);
    if (count < BLOCK_CHUNKS_LEAST || chunks->taken / chunks->chunk_size < count ||
        chunks->limit - chunks->taken < count * chunks->chunk_size)
        return false;
    struct ahoy_chunk_block *block = ahoy_huge_take(BLOCK_SIZE);
    if (block == NULL)
        return false;
    ahoy_poison(block->chunks, count * stride_of(chunks));
    block->next = chunks->blocks;
    chunks->blocks = block;
    chunks->unused = count;
    chunks->kept += count * chunks->chunk_size;
    return true;
}

/* The next chunk of the newest block. */
static struct ahoy_chunk *use_chunk(struct ahoy_chunks *chunks)
{
    char *at = chunks->blocks->chunks + --chunks->unused * stride_of(chunks);
    struct ahoy_chunk *chunk = (struct ahoy_chunk *)(void *)at;
    ahoy_unpoison(chunk, sizeof *chunk);
    chunk->size = chunks->chunk_size;
    chunk->block = chunks->blocks;
    chunks->kept -= chunk->size;
    return chunk;
}

static struct ahoy_chunk *usual_chunk(struct ahoy_chunks *chunks)
{
    if (chunks->free != NULL)
        return pop_free(chunks);
    if (chunks->unused > 0 || add_block(chunks))
        return use_chunk(chunks);
    return new_chunk(chunks, chunks->chunk_size);
}

/* A chunk of |size| usable bytes that counts as taken, or NULL. */
static struct ahoy_chunk *take_chunk(struct ahoy_chunks *chunks, size_t size)
{
    if (size > chunks->limit - chunks->taken)
        return NULL;
    bool is_usual = size == chunks->chunk_size;
    struct ahoy_chunk *chunk = is_usual ? usual_chunk(chunks) : new_chunk(chunks, size);
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
    chunks->returned++;
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
