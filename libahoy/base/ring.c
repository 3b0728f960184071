/* A note is never split: where the end of the ring has too little room for one, the rest is left
 * out, as a note of kind 0 or, where not even its head fits, as nothing. */
#include "libahoy/base/ring.h"

#include <stdlib.h>

#include "libahoy/base/huge.h"

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
    ring->section_size = (ring->size / 8 + AHOY_RING_SECTIONS - 1) / AHOY_RING_SECTIONS * 8;
    ring->section = SIZE_MAX;
    ring->at = ahoy_huge_take(ring->size);
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

/* How many bytes the note at |at|, or what is left out there, has; whether it |is_note|.  Readers
 * name any place, so it may be none where a note begins: then it is as if it was left out. */
static size_t step_at(const struct ahoy_ring *ring, size_t at, bool *is_note)
{
    const struct ahoy_note *note = (const void *)(ring->at + at);
    size_t rest = ring->size - at;
    *is_note = rest >= HEAD_SIZE && note->kind != 0 && note->size <= AHOY_RING_TEXT_LIMIT &&
               room_of(note->size) <= rest;
    return *is_note ? room_of(note->size) : rest;
}

static size_t next_at(const struct ahoy_ring *ring, size_t at, size_t step)
{
    return at + step == ring->size ? 0 : at + step;
}

static size_t section_of(const struct ahoy_ring *ring, size_t at)
{
    return at / ring->section_size;
}

/* How far the first note behind |position| that begins a section is from the oldest. */
static uint64_t step_behind(const struct ahoy_ring *ring, uint64_t position)
{
    const size_t last = section_of(ring, ring->size - 1);
    size_t section = section_of(ring, (size_t)(position % ring->size));
    do
        section = section == last ? 0 : section + 1;
    while (ring->begins[section] == SIZE_MAX);
    size_t begin = ring->begins[section];
    return begin >= ring->oldest_at ? begin - ring->oldest_at
                                    : ring->size - ring->oldest_at + begin;
}

/* Pushes so many of the oldest out that |size| bytes are free behind the newest.  They go by
 * sections, as it is known where those begin: what has not been touched for a whole turn of the
 * ring is far from the processor, and to read each note's size there took longer than to write
 * the new one. */
static void make_room(struct ahoy_ring *ring, size_t size)
{
    if (ring->end + size - ring->oldest <= ring->size)
        return;
    uint64_t position = ring->end + size - ring->size; /* None before it may stay. */
    uint64_t oldest = ring->oldest + step_behind(ring, position);
    if (oldest < position || oldest > ring->end)
        oldest = ring->end; /* None may: the newest is as large as all that is left. */
    ring->oldest_at = (size_t)((ring->oldest_at + (oldest - ring->oldest)) % ring->size);
    ring->oldest = oldest;
}

/* Notes which section the next note, of |size| bytes, begins, and in which none does for it. */
static void note_sections(struct ahoy_ring *ring, size_t size)
{
    size_t section = section_of(ring, ring->end_at);
    const size_t last = section_of(ring, ring->end_at + size - 1);
    if (section != ring->section)
        ring->begins[section] = ring->end_at;
    ring->section = section;
    while (section < last)
        ring->begins[++section] = SIZE_MAX;
}

static void move_end(struct ahoy_ring *ring, size_t size)
{
    note_sections(ring, size);
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
    if (*from < ring->oldest || *from > ring->end || *from % 8 != 0)
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
