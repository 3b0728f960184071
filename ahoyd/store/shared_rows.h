/* What the rows of a shared store hold: the bindings of an address-of-record as the log on a disk
 * has them, a user, or an alias.  They are read as if a stranger had written them. */
#pragma once

#include "ahoyd/store/backend.h"
#include "ahoyd/store/shared_engine.h"

/* The key of what |change| changes: "b:" and the address-of-record, or "u:", the name, "@" and the
 * realm. */
struct span shared_key_of(const struct ahoyd_change *change, char space[SHARED_KEY_LIMIT]);
struct span shared_key_of_aor(struct span aor, char space[SHARED_KEY_LIMIT]);
struct span shared_key_of_name(struct span name, struct span realm, char space[SHARED_KEY_LIMIT]);
/* Whether the row of |key| is a user or an alias. */
bool shared_is_name(struct span key);

/* A user, or where |means| is not empty another name of one. */
struct shared_name {
    struct span name, realm, means;     /* At most AHOYD_NAME_LIMIT bytes each. */
    struct span ha1[AHOY_DIGEST_COUNT]; /* Each of its algorithm's size, or empty. */
};

enum {
    /* Bytes of a name as a row has it: a version, and texts behind their sizes. */
    SHARED_NAME_LIMIT =
        1 + 3 * (1 + AHOYD_NAME_LIMIT) + AHOY_DIGEST_COUNT * (1 + AHOY_DIGEST_HEX_LIMIT)
};

struct span shared_print_name(const struct shared_name *name, char space[SHARED_NAME_LIMIT]);
/* The spans of |name| point into |bytes|; false where those are damaged. */
bool shared_read_name(struct span bytes, struct shared_name *name);
/* The name and the realm of such a row's key; false where that is another's. */
bool shared_split_key(struct span key, struct span *name, struct span *realm);

/* The bytes that |staged| puts; empty where it removes. */
struct span shared_bytes_of(const struct staged *staged, char space[RECORD_SEALED_LIMIT]);

/* Puts |row| into memory, or takes what it was out of it.  False where it is damaged, is nothing
 * that we know, or memory is refused. */
bool shared_take(struct ahoyd_store *store, const struct shared_row *row);
