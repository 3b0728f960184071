/* How a file with the table ahoy_users is opened, and asked.  It may be one that others made and
 * have tables of their own in: its journal is left as it is, unless it is made here. */
#include "ahoyd/store/names_sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    OPEN_MS = 2000,          /* How long others may have the file while it is opened. */
    APPLICATION = 0x41686f79 /* "Ahoy": a store that has users of its own. */
};

/* One character more than there may be is enough to see that a text is too long. */
#define COLUMNS                                                                                    \
    "SELECT id, version, substr(name, 1, 256), substr(realm, 1, 256), substr(md5, 1, 65), "        \
    "substr(sha256, 1, 65), substr(sha512_256, 1, 65), substr(alias_of, 1, 256) FROM ahoy_users "

static bool prepare(struct names_file *file)
{
    const struct {
        sqlite3_stmt **statement;
        const char *sql;
    } statements[] = {
        { &file->begin, "BEGIN IMMEDIATE" },
        { &file->commit, "COMMIT" },
        { &file->rollback, "ROLLBACK" },
        { &file->state, "PRAGMA data_version" },
        { &file->newest, "SELECT ifnull(max(number), 0) FROM ahoy_changes" },
        { &file->changes, "SELECT number, substr(name, 1, 256), substr(realm, 1, 256) "
                          "FROM ahoy_changes WHERE number > ?1 ORDER BY number LIMIT ?2" },
        { &file->page, COLUMNS "WHERE id > ?1 ORDER BY id LIMIT ?2" },
        { &file->look, COLUMNS "WHERE realm = ?2 AND name = ?1" },
        { &file->insert, "INSERT INTO ahoy_users "
                         "(name, realm, version, md5, sha256, sha512_256, alias_of) "
                         "VALUES (?1, ?2, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING" },
        { &file->update, "UPDATE ahoy_users SET version = ?4, md5 = ?5, sha256 = ?6, "
                         "sha512_256 = ?7, alias_of = ?8 "
                         "WHERE realm = ?2 AND name = ?1 AND version = ?3" },
        { &file->remove, "DELETE FROM ahoy_users WHERE realm = ?2 AND name = ?1 AND version = ?3" },
    };
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        if (sqlite3_prepare_v3(file->database, statements[i].sql, -1, SQLITE_PREPARE_PERSISTENT,
                               statements[i].statement, NULL) != SQLITE_OK)
            return false;
    }
    return true;
}

void names_file_close(struct names_file *file)
{
    sqlite3_stmt *statement;
    while (file->database != NULL && (statement = sqlite3_next_stmt(file->database, NULL)) != NULL)
        sqlite3_finalize(statement);
    sqlite3_close(file->database);
    *file = (struct names_file){ .path = file->path };
}

static bool run(struct names_file *file, const char *sql)
{
    return sqlite3_exec(file->database, sql, NULL, NULL, NULL) == SQLITE_OK;
}

/* -1 where it cannot be said. */
static int64_t number_of(struct names_file *file, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    int64_t number = -1;
    if (sqlite3_prepare_v2(file->database, sql, -1, &statement, NULL) == SQLITE_OK)
        (void)names_file_ask(statement, &number); /* It stays as it is. */
    sqlite3_finalize(statement);
    return number;
}

/* Says what SQLite complains of, and what helps. */
static bool fail(struct names_file *file, char *fault, size_t fault_size)
{
    const char *help = "see that ahoyd may write to it and to its folder, or name another file";
    const char *what = sqlite3_errmsg(file->database);
    int code = sqlite3_errcode(file->database) & 0xff;
    if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
        help = "another program has it; end that, or wait for it";
    else if (code == SQLITE_NOTADB)
        help = "name another file";
    else if (code == SQLITE_CORRUPT)
        help = "put a copy in its place that is sound";
    else if (code == SQLITE_FULL)
        help = "make room there";
    snprintf(fault, fault_size, "the users' file %s cannot be used: %s; %s", file->path, what,
             help);
    return false;
}

/* What the tables are like. */
enum form { FORM_SOUND, FORM_OLD, FORM_WRONG };

/* Within a transaction.  FORM_WRONG with a fault; else the |version| that is there, 0 for none. */
static enum form judge(struct names_file *file, int64_t *version, char *fault, size_t fault_size)
{
    int64_t schemas = number_of(file, "SELECT count(*) FROM sqlite_master "
                                      "WHERE type = 'table' AND name = 'ahoy_schema'");
    int64_t users = number_of(file, "SELECT count(*) FROM sqlite_master "
                                    "WHERE name LIKE 'ahoy\\_users%' ESCAPE '\\'");
    const char *why = NULL;
    *version = schemas > 0 ? number_of(file, "SELECT max(version) FROM ahoy_schema") : 0;
    if (schemas < 0 || users < 0 || *version < 0) {
        fail(file, fault, fault_size);
        return FORM_WRONG;
    }
    if (number_of(file, "PRAGMA application_id") == APPLICATION)
        why = "it is a store of Ahoy's, which has users of its own; name another file";
    else if (*version > NAMES_VERSION)
        why = "its tables are of a newer Ahoy; use that one, or name another file";
    else if (*version == 0 && schemas + users > 0)
        why = "its table ahoy_users was not made by Ahoy; rename it, or name another file";
    else if (*version < NAMES_VERSION && sqlite3_db_readonly(file->database, "main") == 1)
        why = "it lacks the table ahoy_users of this Ahoy, and ahoyd may not write to it; let it, "
              "or name another file";
    if (why == NULL)
        return *version < NAMES_VERSION ? FORM_OLD : FORM_SOUND;
    snprintf(fault, fault_size, "the users' file %s cannot be used: %s", file->path, why);
    return FORM_WRONG;
}

/* Brings the tables up to date, all at once or not at all, unless another does so first.  Where
 * they are, nobody who writes there is waited for. */
static bool check_tables(struct names_file *file, char *fault, size_t fault_size)
{
    int64_t version;
    if (!run(file, "BEGIN"))
        return fail(file, fault, fault_size);
    enum form form = judge(file, &version, fault, fault_size);
    if (form == FORM_OLD) {
        if (!run(file, "COMMIT") || !run(file, "BEGIN IMMEDIATE"))
            return fail(file, fault, fault_size);
        form = judge(file, &version, fault, fault_size);
    }
    if (form == FORM_WRONG)
        return false;
    bool sound = true;
    for (; sound && version < NAMES_VERSION; version++)
        sound = run(file, names_schema[version]);
    return (sound && run(file, "COMMIT")) || fail(file, fault, fault_size);
}

/* A file that nobody else can read, not even for a moment.  Whether there is one now. */
static bool make_file(const char *path, bool *is_new, char *fault, size_t fault_size)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    *is_new = fd >= 0;
    if (fd >= 0)
        close(fd);
    if (fd >= 0 || errno == EEXIST)
        return true;
    snprintf(fault, fault_size,
             "the users' file %s cannot be made: %s; make its folder, let ahoyd write to it, or "
             "name another file",
             path, strerror(errno));
    return false;
}

/* What is written in the file's schema by others is not to be believed more than its rows. */
static bool attach(struct names_file *file)
{
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    return sqlite3_open_v2(file->path, &file->database, flags, NULL) == SQLITE_OK &&
           sqlite3_db_config(file->database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL) ==
               SQLITE_OK &&
           run(file, "PRAGMA synchronous = FULL") && run(file, "PRAGMA recursive_triggers = OFF");
}

bool names_file_open(struct names_file *file, const char *path, bool may_make, char *fault,
                     size_t fault_size)
{
    bool is_new = false;
    *file = (struct names_file){ .path = path };
    if (may_make && !make_file(path, &is_new, fault, fault_size))
        return false;
    /* First: one that takes its place meanwhile shows later. */
    bool sound = stat(path, &file->opened) == 0;
    if (!sound) {
        snprintf(fault, fault_size, "the users' file %s is not there: %s", path, strerror(errno));
        return false;
    }
    sound = attach(file);
    if (sound && may_make)
        sqlite3_busy_timeout(file->database, OPEN_MS);
    sound = sound && (!is_new || run(file, "PRAGMA journal_mode = WAL"));
    if (!sound)
        fail(file, fault, fault_size);
    sound = sound && check_tables(file, fault, fault_size) &&
            (prepare(file) || fail(file, fault, fault_size));
    if (sound)
        sqlite3_busy_timeout(file->database, 0);
    else
        names_file_close(file);
    return sound;
}

bool names_file_is_there(const struct names_file *file)
{
    struct stat now;
    return stat(file->path, &now) == 0 && now.st_dev == file->opened.st_dev &&
           now.st_ino == file->opened.st_ino;
}

int names_file_run(sqlite3_stmt *statement)
{
    int code;
    do
        code = sqlite3_step(statement);
    while (code == SQLITE_ROW);
    sqlite3_reset(statement);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

int names_file_ask(sqlite3_stmt *statement, int64_t *number)
{
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        *number = sqlite3_column_int64(statement, 0);
    sqlite3_reset(statement);
    return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
}

/* Whatever is no text is as good as nothing: a column may hold anything. */
static struct span column_of(sqlite3_stmt *statement, int place)
{
    if (sqlite3_column_type(statement, place) != SQLITE_TEXT)
        return (struct span){ NULL, 0 };
    const char *at = (const char *)sqlite3_column_text(statement, place);
    return (struct span){ at, (size_t)sqlite3_column_bytes(statement, place) };
}

const char *names_file_read(sqlite3_stmt *statement, struct name_space *space,
                            struct shared_row *row, struct name_number *id)
{
    struct span values[NAME_ROW_COLUMNS] = { { NULL, 0 } };
    struct name_number version;
    if (statement != NULL) {
        *id = name_number((uint64_t)sqlite3_column_int64(statement, NAME_ROW_ID));
        version = name_number((uint64_t)sqlite3_column_int64(statement, NAME_ROW_VERSION));
        values[NAME_ROW_ID] = (struct span){ id->bytes, sizeof id->bytes };
        values[NAME_ROW_VERSION] = (struct span){ version.bytes, sizeof version.bytes };
        for (int i = NAME_ROW_NAME; i < NAME_ROW_COLUMNS; i++)
            values[i] = column_of(statement, i);
    }
    return name_row_read(values, space, row);
}

bool names_file_is_busy(int code)
{
    return (code & 0xff) == SQLITE_BUSY || (code & 0xff) == SQLITE_LOCKED;
}
