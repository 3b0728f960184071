/* One address-of-record and its bindings in a run of bytes: what the index holds in memory, and,
 * sealed, the log on disk. */
#pragma once

#include "ahoyd/store/slabs.h"
#include "libahoy/tu/bindings.h"

/* The numbers of a binding take 104 bytes at most, each as long as its type lets it be. */
enum {
    RECORD_STATE_LIMIT = AHOY_BINDINGS_TEXT_LIMIT + AHOY_BINDINGS_LIMIT * 104 + 2,
    RECORD_SEALED_LIMIT = RECORD_STATE_LIMIT + 4
};

/* Its contents never change once it is made. */
struct record {
    uint64_t row;      /* Of the log; 0 in the memory store. */
    uint64_t until_ms; /* When its last binding expires. */
    uint32_t next;     /* The number of one behind the same bucket of the index; 0 for none. */
    uint16_t aor_size, state_size;
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

/* From |slabs|, or where that is NULL from the allocator.  NULL where memory is refused. */
struct record *record_new(struct slabs *slabs, struct span aor,
                          const struct ahoy_bindings *bindings);
/* Gives it back to where it came from. */
void record_free(struct slabs *slabs, struct record *record);
/* Prints the state with a check, as the log keeps it. */
struct span record_seal(const struct record *record, char row[RECORD_SEALED_LIMIT]);
/* A record from a row of the log, of this or an older form: NULL where it is damaged or
 * memory is refused.  Connections that it names are of an earlier process, and are forgotten. */
struct record *record_read(struct slabs *slabs, struct span aor, struct span row);

/* Adds the bindings that live at |now_ms| to |bindings|, which it initialises. False where the
 * state is damaged. */
bool record_decode(struct span state, uint64_t now_ms, struct ahoy_bindings *bindings);
