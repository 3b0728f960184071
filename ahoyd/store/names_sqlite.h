/* What the files of users in SQLite share: a file of the operator's in which the table ahoy_users
 * has the columns that it has in PostgreSQL (pgsql_schema.c), and which other programs write too,
 * so it is locked for moments only.  All on one thread, that of shared.c. */
#pragma once

#include <sqlite3.h>
#include <sys/stat.h>

#include "ahoyd/store/name_row.h"

enum {
    NAMES_VERSION = 1,         /* Of the tables. */
    NAMES_KEPT_CHANGES = 10000 /* Behind which is told what has changed; else all is read again. */
};

/* Each brings the tables to the next version, where they are of the one before. */
extern const char *const names_schema[NAMES_VERSION];

struct names_file {
    const char *path;
    sqlite3 *database; /* NULL: it is not open. */
    struct stat opened;
    sqlite3_stmt *begin, *commit, *rollback;
    sqlite3_stmt *state;   /* A number that is another one after each commit of others. */
    sqlite3_stmt *newest;  /* The last change that the file knows of. */
    sqlite3_stmt *changes; /* So many behind one. */
    sqlite3_stmt *page;    /* So many rows behind an id. */
    sqlite3_stmt *look;    /* One row. */
    sqlite3_stmt *insert, *update, *remove;
};

/* Opens the file at |path|, makes it where it |may_make| it, and brings its tables up to date.
 * False with a fault that says what is to be done. */
bool names_file_open(struct names_file *file, const char *path, bool may_make, char *fault,
                     size_t fault_size);
/* So may one that is not open. */
void names_file_close(struct names_file *file);
/* Whether the file is still the one that was opened; else it has gone, or has another's place. */
bool names_file_is_there(const struct names_file *file);

/* Runs |statement| to its end, or to its first row, whose first number is |number| then.  A code of
 * SQLite's: SQLITE_OK where all is well. */
int names_file_run(sqlite3_stmt *statement);
int names_file_ask(sqlite3_stmt *statement, int64_t *number);
/* The row that |statement| stands on, or where that is NULL none.  Returns why it cannot be served,
 * and has |id| told then. */
const char *names_file_read(sqlite3_stmt *statement, struct name_space *space,
                            struct shared_row *row, struct name_number *id);
/* Whether others are at the file just now. */
bool names_file_is_busy(int code);
