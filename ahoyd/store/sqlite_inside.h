/* What the files of the SQLite store share: statements, and how a file is read and made. */
#pragma once

#include "ahoyd/store/sqlite_file.h"

bool file_run(struct sqlite_file *file, const char *sql);
/* The number that a PRAGMA or a query answers; -1 for none. */
int64_t file_ask(struct sqlite_file *file, const char *sql);
/* Runs |statement| to its end and makes it ready for the next time. */
bool file_finish(struct sqlite_file *file, sqlite3_stmt *statement);
/* |text| must stay until the statement is finished. */
void file_bind(sqlite3_stmt *statement, int place, struct span text);
/* Until the next step of |statement|. */
struct span file_column(sqlite3_stmt *statement, int place);
/* Whether SQLite's |code| says that the file is not what was written into it. */
bool file_is_damage(int code);

/* Opens the file at |path|, which is there, for this process alone.  False with a fault. */
bool file_attach(struct sqlite_file *file, const char *path, char *fault, size_t fault_size);
/* Ends what file_attach and file_prepare began; so may what never began. */
void file_detach(struct sqlite_file *file);
bool file_prepare(struct sqlite_file *file);
/* Makes the tables of a new file and keeps |secret| in it, inside the caller's transaction. */
bool file_make(struct sqlite_file *file, const unsigned char secret[AHOYD_SECRET_SIZE]);
bool file_put_user(struct sqlite_file *file, struct span user, struct span realm,
                   const struct ahoyd_user *credentials);
bool file_put_alias(struct sqlite_file *file, struct span alias, struct span realm,
                    struct span user);
/* Sets record->row. */
bool file_append(struct sqlite_file *file, struct record *record);

/* Reads the secret, the users, their aliases and the log into |store|.  What is damaged is left
 * out, told of, and leaves file->is_damaged; false where nothing can be read at all. */
bool file_load(struct sqlite_file *file, struct ahoyd_store *store, uint64_t now_ms);
