/* The SQLite file: an append-only log of the states of addresses-of-record, the users, and the
 * secret.  One thread at a time; sqlite.c is that thread. */
#pragma once

#include <sqlite3.h>

#include "ahoyd/store/backend.h"

struct sqlite_file {
    sqlite3 *database;
    sqlite3_stmt *begin, *commit, *rollback, *append, *drop, *page, *put_user, *remove_user,
        *put_alias, *remove_alias, *remove_aliases;
    uint64_t last_row;     /* Of the log. */
    uint64_t sweep_row;    /* Compaction has looked at all rows up to this one, ... */
    uint64_t sweep_end;    /* ... and this was the last one when its round began. */
    uint64_t garbage;      /* Rows that a later one has replaced, about. */
    uint64_t damaged_rows; /* Of those that were loaded. */
    bool is_damaged;       /* SQLite could not read what it had written. */
};

/* Opens or makes the file, takes it for this process alone, and loads the store. False with a
 * fault. */
bool sqlite_file_open(struct sqlite_file *file, struct ahoyd_store *store,
                      const struct ahoyd_store_options *options, char *fault, size_t fault_size);
void sqlite_file_close(struct sqlite_file *file);

bool sqlite_file_begin(struct sqlite_file *file);
/* Writes what |staged| changes; sets the row of its record. */
bool sqlite_file_write(struct sqlite_file *file, struct staged *staged);
bool sqlite_file_commit(struct sqlite_file *file);
void sqlite_file_rollback(struct sqlite_file *file);

/* Looks at the next few hundred rows of the log and drops those that the index does not stand
 * on: one small transaction.  Called while garbage lies about. */
void sqlite_file_sweep(struct sqlite_file *file, struct ahoyd_store *store);

/* Writes what the store has in memory into a new file, which takes the place of a damaged one;
 * that one is kept beside it, and the log names it.  False where that cannot be done; then all is
 * as before. */
bool sqlite_file_mend(struct sqlite_file *file, struct ahoyd_store *store);
