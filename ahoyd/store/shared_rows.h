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

/* The bytes that |staged| puts; empty where it removes. */
struct span shared_bytes_of(const struct staged *staged, char space[RECORD_SEALED_LIMIT]);

/* Puts |row| into memory, or takes what it was out of it.  False where it is damaged, is nothing
 * that we know, or memory is refused. */
bool shared_take(struct ahoyd_store *store, const struct shared_row *row);
