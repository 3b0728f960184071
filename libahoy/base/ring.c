/* A note is never split: where the end of the ring has too little room for one, the rest is left
 * out, as a note of kind 0 or, where not even its head fits, as nothing. */
#include "libahoy/base/ring.h"

#include <stdlib.h>

enum { HEAD_SIZE = sizeof(struct ahoy_note), NOTE_MOST = HEAD_SIZE + AHOY_RING_TEXT_LIMIT };

_Static_assert(HEAD_SIZE % 8 == 0, "all notes begin at a multiple of eight");

static size_t room_of(size_t text_size)
{
    return HEAD_SIZE + (text_size + 7) / 8 * 8;
}

bool ahoy_ring_init(struct ahoy_ring *ring, size_t size)
{
    *ring = (struct ahoy_ring){ .size = size / 8 * 8 };
    if (size < 2 * NOTE_MOST)
        return true;
    ring->at = malloc(ring->size);
    return ring->at != NULL;
}

void ahoy_ring_fini(struct ahoy_ring *ring)
{
    size_t used = ring->end < ring->size ? (size_t)ring->end : ring->size;
    if (ring->at != NULL)
        explicit_bzero(ring->at, used); /* Credentials stand in it. */
    free(ring->at);
    *ring = (struct ahoy_ring){ 0 };
}

/* How many bytes the note at |at|, or what is left out there, has; whether it |is_note|. */
static size_t step_at(const struct ahoy_ring *ring, size_t at, bool *is_note)
{
    const struct ahoy_note *note = (const void *)(ring->at + at);
    size_t rest = ring->size - at;
    *is_note = rest >= HEAD_SIZE && note->kind != 0;
    return *is_note ? room_of(note->size) : rest;
}

static size_t next_at(const struct ahoy_ring *ring, size_t at, size_t step)
{
    return at + step == ring->size ? 0 : at + step;
}

/* Pushes so many of the oldest out that |size| bytes are free behind the newest. */
static void make_room(struct ahoy_ring *ring, size_t size)
{
    while (ring->end + size - ring->oldest > ring->size) {
        bool is_note;
        size_t step = step_at(ring, ring->oldest_at, &is_note);
        ring->oldest += step;
        ring->oldest_at = next_at(ring, ring->oldest_at, step);
    }
}

static void move_end(struct ahoy_ring *ring, size_t size)
{
    ring->end += size;
    ring->end_at = next_at(ring, ring->end_at, size);
}

/* The next note does not fit before the end of the ring. */
static void leave_rest_out(struct ahoy_ring *ring)
{
    static const struct ahoy_note nothing;
    size_t rest = ring->size - ring->end_at;
    make_room(ring, rest);
    if (rest >= HEAD_SIZE)
        memcpy(ring->at + ring->end_at, &nothing, HEAD_SIZE);
    move_end(ring, rest);
}

void ahoy_ring_put(struct ahoy_ring *ring, struct ahoy_note *note, const struct span *pieces,
                   size_t count)
{
    if (ring->at == NULL)
        return;
    size_t whole = 0;
    for (size_t i = 0; i < count; i++)
        whole += pieces[i].size;
    note->whole_size = (uint32_t)whole;
    note->size = whole < AHOY_RING_TEXT_LIMIT ? (uint32_t)whole : AHOY_RING_TEXT_LIMIT;
    size_t size = room_of(note->size);
    if (ring->size - ring->end_at < size)
        leave_rest_out(ring);
    make_room(ring, size);
    char *at = ring->at + ring->end_at;
    memcpy(at, note, HEAD_SIZE);
    at += HEAD_SIZE;
    for (size_t i = 0, left = note->size; i < count && left > 0; i++) {
        size_t part = pieces[i].size < left ? pieces[i].size : left;
        if (part > 0)
            memcpy(at, pieces[i].at, part);
        at += part;
        left -= part;
    }
    move_end(ring, size);
}

size_t ahoy_ring_copy(const struct ahoy_ring *ring, uint64_t *from, char *to, size_t room)
{
    size_t copied = 0;
    if (ring->at == NULL)
        return 0;
    if (*from == UINT64_MAX)
        *from = ring->end;
    if (*from < ring->oldest || *from > ring->end)
        *from = ring->oldest;
    size_t at = ring->oldest_at + (size_t)(*from - ring->oldest);
    if (at >= ring->size)
        at -= ring->size;
    while (*from < ring->end) {
        bool is_note;
        size_t step = step_at(ring, at, &is_note);
        if (is_note && step > room - copied)
            break;
        if (is_note)
            memcpy(to + copied, ring->at + at, step);
        copied += is_note ? step : 0;
        *from += step;
        at = next_at(ring, at, step);
    }
    return copied;
}

bool ahoy_note_next(struct span *bytes, struct ahoy_note *note, struct span *text)
{
    if (bytes->size < HEAD_SIZE)
        return false;
    memcpy(note, bytes->at, HEAD_SIZE);
    size_t size = room_of(note->size);
    if (size > bytes->size)
        return false;
    *text = (struct span){ bytes->at + HEAD_SIZE, note->size };
    *bytes = ahoy_span_after(*bytes, size);
    return true;
}
