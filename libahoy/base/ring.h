/* What happened last, in memory of a fixed size: the newest notes push the oldest out.  One a
 * worker, which alone touches it; others get copies.  A note is copied as it is: nothing is
 * allocated, formatted or looked up for it. */
#pragma once

#include "libahoy/base/ip.h"

enum {
    AHOY_RING_TEXT_LIMIT = 2048, /* Bytes of a note's text; what is longer is cut. */
    AHOY_RING_SECTIONS = 256     /* The oldest notes go by so many parts of the ring. */
};

enum ahoy_note_kind {
    AHOY_NOTE_IN = 1, /* The text is a message that came, ... */
    AHOY_NOTE_OUT,    /* ... or that left. */
    AHOY_NOTE_CAUSE,  /* Why something was done: |number| says it, the text a name and more. */
    AHOY_NOTE_LOST    /* A connection that did not come to stand: |number| says why. */
};

/* Its text stands behind it. */
struct ahoy_note {
    uint64_t now_ms;
    uint32_t size;       /* Bytes of the text that are kept ... */
    uint32_t whole_size; /* ... of so many. */
    uint16_t kind;       /* enum ahoy_note_kind */
    uint16_t number;     /* What this means, and ... */
    uint16_t name_size;  /* ... how much of the text is the name, depends on the kind. */
    uint8_t transport, listener;
    struct ahoy_ip remote;
};

struct ahoy_ring {
    char *at;    /* NULL: nothing is noted. */
    size_t size; /* A multiple of eight. */
    /* Positions, in bytes since the beginning: of the oldest note and behind the newest; and where
     * in the ring that is. */
    uint64_t oldest, end;
    size_t oldest_at, end_at;
    /* By section: where the first note begins that begins there, SIZE_MAX for none; and the one
     * that the newest note begins in. */
    size_t begins[AHOY_RING_SECTIONS], section, section_size;
};

/* A ring of |size| bytes, or one that notes nothing where that is too few for a note.  False where
 * memory is refused. */
bool ahoy_ring_init(struct ahoy_ring *ring, size_t size);
void ahoy_ring_fini(struct ahoy_ring *ring);

/* Notes |note| with |pieces| joined as its text; fills in the sizes. */
void ahoy_ring_put(struct ahoy_ring *ring, struct ahoy_note *note, const struct span *pieces,
                   size_t count);

/* Copies whole notes from the position |*from| on, or from the oldest where that has gone, and
 * moves |*from| behind them; UINT64_MAX is behind the newest.  Returns their bytes, at most |room|;
 * 0 where there are none, or where |room| has none for one note.  From a position that was not
 * given by this, what is copied may be no notes. */
size_t ahoy_ring_copy(const struct ahoy_ring *ring, uint64_t *from, char *to, size_t room);

/* Takes the next note off copied |bytes|; false at their end. */
bool ahoy_note_next(struct span *bytes, struct ahoy_note *note, struct span *text);
