/* Effects that are ready to be carried out, in order, and the memory that their bytes live in
 * until the next step. */
#pragma once

#include "libahoy/stack/wire.h"

enum { AHOY_OUTBOX_LIMIT = 4096 }; /* Effects of one step. */

struct ahoy_outbox {
    struct ahoy_wire_effect *list;
    size_t next, count, capacity;
    struct ahoy_pending *held; /* Freed with the next reset. */
};

/* All zeroes is an empty one. */
void ahoy_outbox_fini(struct ahoy_outbox *outbox);
/* Forgets all effects and frees what is held. */
void ahoy_outbox_reset(struct ahoy_outbox *outbox);

/* Adds |effect|, whose bytes outlive the step.  False where the limit or the allocator refuses. */
bool ahoy_outbox_add(struct ahoy_outbox *outbox, const struct ahoy_wire_effect *effect);
/* The same with a copy of its bytes. */
bool ahoy_outbox_add_copy(struct ahoy_outbox *outbox, const struct ahoy_wire_effect *effect);
/* A copy of all |pieces| together that lives as long; its |at| is NULL where memory is refused. */
struct span ahoy_outbox_copy(struct ahoy_outbox *outbox, const struct span *pieces, size_t count);
/* Takes |pending|, one alone, over. */
void ahoy_outbox_hold(struct ahoy_outbox *outbox, struct ahoy_pending *pending);

/* The next effect; false when there is none. */
bool ahoy_outbox_next(struct ahoy_outbox *outbox, struct ahoy_wire_effect *effect);
