/* One address-of-record and its bindings in a run of bytes: what the index holds in memory and
 * the log holds on disk. */
#pragma once

#include "libahoy/tu/bindings.h"

enum { RECORD_STATE_LIMIT = AHOY_BINDINGS_TEXT_LIMIT + AHOY_BINDINGS_LIMIT * 96 + 6 };

/* From the allocator; its contents never change once it is made. */
struct record {
    struct record *next; /* In its bucket of the index. */
    uint64_t hash;       /* Of the address-of-record. */
    uint64_t row;        /* Of the log; 0 in the memory store. */
    uint64_t until_ms;   /* When its last binding expires. */
    uint32_t state_size;
    uint16_t aor_size;
    char bytes[]; /* The address-of-record, then the state. */
};

static inline struct span record_aor(const struct record *record)
{
    return (struct span){ record->bytes, record->aor_size };
}

static inline struct span record_state(const struct record *record)
{
    return (struct span){ record->bytes + record->aor_size, record->state_size };
}

/* NULL where memory is refused. */
struct record *record_new(struct span aor, const struct ahoy_bindings *bindings);
/* The same from a state that was read from the log: NULL where it is damaged or memory is
 * refused.  Connections that it names are of an earlier process, and are forgotten. */
struct record *record_read(struct span aor, struct span state);

/* Adds the bindings that live at |now_ms| to |bindings|, which it initialises. False where the
 * state is damaged. */
bool record_decode(struct span state, uint64_t now_ms, struct ahoy_bindings *bindings);
