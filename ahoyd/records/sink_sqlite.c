/* Rows are handed over as one text of JSON, which SQLite takes apart itself: one statement whatever
 * their number, and so all of them or none.  A row that was written before is left as it is. */
#include "ahoyd/records/sink.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <sqlite3.h>

enum { FORM = 1, APPLICATION = 0x41686f52 /* "AhoR" */, BUSY_MS = 2000 };

#define TYPE_TIME             "TEXT"
#define TYPE_TEXT             "TEXT"
#define TYPE_NUMBER           "INTEGER"
#define FIRST(name, type)     #name " " TYPE_##type
#define FURTHER(name, type)   ", " #name " " TYPE_##type
#define TAKEN(name, type)     "value ->> '" #name "'"
#define TAKEN_TOO(name, type) ", value ->> '" #name "'"

/* What brings the file from each form to the next one. */
static const char *const steps[FORM] = {
    "CREATE TABLE ahoy_calls (" AHOYD_RECORD_COLUMNS(
        FIRST, FURTHER) ", UNIQUE (call_id, begun, node));"
                        "CREATE INDEX ahoy_calls_begun ON ahoy_calls (begun);"
                        "PRAGMA application_id = 0x41686f52;"
                        "PRAGMA user_version = 1;",
};

static const char insertion[] =
    "INSERT OR IGNORE INTO ahoy_calls (" AHOYD_RECORD_COLUMN_LIST
    ") SELECT " AHOYD_RECORD_COLUMNS(TAKEN, TAKEN_TOO) " FROM json_each(?)";

static int ask(sqlite3 *database, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    int number = -1;
    if (sqlite3_prepare_v2(database, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        number = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    return number;
}

static bool run(sqlite3 *database, const char *sql)
{
    return sqlite3_exec(database, sql, NULL, NULL, NULL) == SQLITE_OK;
}

/* NULL, or what is wrong with the file. */
static const char *prepare(sqlite3 *database)
{
    if (!run(database, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;") ||
        !run(database, "BEGIN IMMEDIATE"))
        return sqlite3_errmsg(database);
    int application = ask(database, "PRAGMA application_id");
    int form = ask(database, "PRAGMA user_version");
    if (application == 0 && ask(database, "SELECT count(*) FROM sqlite_master") > 0)
        return "it is no file of records; name another";
    if (application != 0 && (application != APPLICATION || form < 1 || form > FORM))
        return "it is no file of records, or a newer Ahoy's; name another";
    for (; form < FORM; form++) {
        if (!run(database, steps[form]))
            return sqlite3_errmsg(database);
    }
    return run(database, "COMMIT") ? NULL : sqlite3_errmsg(database);
}

/* Nobody else may read it, not even for a moment. */
static bool make(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static void *sqlite_open(const char *place, char *fault, size_t fault_size)
{
    sqlite3 *database = NULL;
    const char *why = "its folder is not there, or not ours to write to";
    if (make(place) &&
        sqlite3_open_v2(place, &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) ==
            SQLITE_OK &&
        sqlite3_busy_timeout(database, BUSY_MS) == SQLITE_OK)
        why = prepare(database);
    if (why == NULL)
        return database;
    snprintf(fault, fault_size, "%s cannot be opened: %s", place, why);
    sqlite3_close(database);
    return NULL;
}

static bool insert(sqlite3 *database, const char *text)
{
    sqlite3_stmt *statement = NULL;
    bool done = sqlite3_prepare_v2(database, insertion, -1, &statement, NULL) == SQLITE_OK &&
                sqlite3_bind_text(statement, 1, text, -1, SQLITE_STATIC) == SQLITE_OK &&
                sqlite3_step(statement) == SQLITE_DONE;
    sqlite3_finalize(statement);
    return done;
}

static bool sqlite_write(void *sink, const json_t *rows, char *fault, size_t fault_size)
{
    sqlite3 *database = sink;
    char *text = json_dumps(rows, JSON_COMPACT);
    bool done = text != NULL && insert(database, text);
    if (!done)
        snprintf(fault, fault_size, "SQLite: %s",
                 text != NULL ? sqlite3_errmsg(database) : "memory is refused");
    free(text);
    return done;
}

static void sqlite_close(void *sink)
{
    sqlite3_close(sink);
}

const struct ahoyd_sink ahoyd_sink_sqlite = { sqlite_open, sqlite_write, sqlite_close };
