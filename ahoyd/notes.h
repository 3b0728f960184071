/* Reading what the workers' rings hold, a piece at a time: a worker copies one between two turns
 * and goes on with its calls; whoever asks reads it in his own thread. */
#pragma once

#include "ahoyd/command.h"
#include "libahoy/base/ring.h"

enum { AHOYD_PIECE_LIMIT = 65536 }; /* Bytes that are copied of a ring at once. */

/* Somebody who reads notes; |self| is his. */
struct ahoyd_notes_reader {
    void (*take)(void *self, unsigned worker, const struct ahoy_note *note, struct span text);
    void *self;
};

/* Hands on what stands in a copied piece. */
void ahoyd_notes_take(struct span bytes, unsigned worker, const struct ahoyd_notes_reader *reader);
/* Hands on all that |worker| has from |*from| on, and moves that behind it.  |piece| has room for
 * AHOYD_PIECE_LIMIT bytes, and is wiped. */
void ahoyd_notes_read(const struct ahoyd_command_means *means, unsigned worker, uint64_t *from,
                      char *piece, const struct ahoyd_notes_reader *reader);
