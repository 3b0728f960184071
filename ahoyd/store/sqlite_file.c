/* A row is never changed: a new state of an address-of-record is a new row, and old rows are
 * swept away in small steps.  So a commit writes only the end of the file. */
#include "ahoyd/store/sqlite_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "ahoyd/store/sqlite_inside.h"
#include "libahoy/base/unset.h"

enum { SWEEP_ROWS = 2000, FORM = 4 };

#define LOG "CREATE TABLE log (row INTEGER PRIMARY KEY, aor BLOB NOT NULL, state BLOB NOT NULL);"

#define ALIASES                                                                                    \
    "CREATE TABLE aliases (alias BLOB NOT NULL, realm BLOB NOT NULL, user BLOB NOT NULL,"          \
    " PRIMARY KEY (alias, realm)) WITHOUT ROWID;"

static const char schema[] =
    "PRAGMA application_id = 0x41686f79;" /* "Ahoy" */
    "PRAGMA user_version = 4;" LOG
    "CREATE TABLE users (user BLOB NOT NULL, realm BLOB NOT NULL, md5 BLOB NOT NULL,"
    " sha256 BLOB NOT NULL, sha512_256 BLOB NOT NULL, PRIMARY KEY (user, realm)) WITHOUT "
    "ROWID;" ALIASES
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;";

/* What each form is brought to the next one by.  Users of form 1 have no HA1 by SHA-512-256 until
 * their password is set again.  To form 4 the file stays as it is, but for how its log is
 * described: we number the rows ourselves, and states of form 3 are read as they are. */
static const char *const upgrades[FORM] = {
    [1] = "ALTER TABLE users ADD COLUMN sha512_256 BLOB NOT NULL DEFAULT x'';"
          "PRAGMA user_version = 2;",
    [2] = ALIASES "PRAGMA user_version = 3;",
    [3] = "PRAGMA writable_schema = ON;"
          "UPDATE sqlite_master SET sql = replace(sql, ' AUTOINCREMENT', '') WHERE name = 'log';"
          "PRAGMA writable_schema = RESET;"
          "PRAGMA user_version = 4;",
};

bool file_run(struct sqlite_file *file, const char *sql)
{
    return sqlite3_exec(file->database, sql, NULL, NULL, NULL) == SQLITE_OK;
}

int64_t file_ask(struct sqlite_file *file, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    int64_t number = -1;
    if (sqlite3_prepare_v2(file->database, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return number;
}

bool file_prepare(struct sqlite_file *file)
{
    const struct {
        sqlite3_stmt **statement;
        const char *sql;
    } statements[] = {
        { &file->begin, "BEGIN IMMEDIATE" },
        { &file->commit, "COMMIT" },
        { &file->rollback, "ROLLBACK" },
        { &file->append, "INSERT INTO log VALUES (?, ?, ?)" },
        { &file->drop, "DELETE FROM log WHERE row = ?" },
        { &file->page, "SELECT row, aor, state FROM log WHERE row > ? ORDER BY row LIMIT ?" },
        { &file->put_user, "INSERT OR REPLACE INTO users VALUES (?, ?, ?, ?, ?)" },
        { &file->remove_user, "DELETE FROM users WHERE user = ? AND realm = ?" },
        { &file->put_alias, "INSERT OR REPLACE INTO aliases VALUES (?, ?, ?)" },
        { &file->remove_alias, "DELETE FROM aliases WHERE alias = ? AND realm = ?" },
        { &file->remove_aliases, "DELETE FROM aliases WHERE user = ? AND realm = ?" },
    };
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        if (sqlite3_prepare_v3(file->database, statements[i].sql, -1, SQLITE_PREPARE_PERSISTENT,
                               statements[i].statement, NULL) != SQLITE_OK)
            return false;
    }
    return true;
}

bool file_finish(struct sqlite_file *file, sqlite3_stmt *statement)
{
    int rc = sqlite3_step(statement);
    sqlite3_reset(statement);
    file->is_damaged |= file_is_damage(rc);
    return rc == SQLITE_DONE;
}

void file_bind(sqlite3_stmt *statement, int place, struct span text)
{
    sqlite3_bind_blob(statement, place, text.at, (int)text.size, SQLITE_STATIC);
}

/* One that is not known is kept as no bytes, not as NULL. */
static void bind_digest(sqlite3_stmt *statement, int place, const struct ahoy_digest_hex *ha1)
{
    file_bind(statement, place, (struct span){ ha1->text, ha1->size });
}

struct span file_column(sqlite3_stmt *statement, int place)
{
    const char *at = sqlite3_column_blob(statement, place);
    return (struct span){ at, (size_t)sqlite3_column_bytes(statement, place) };
}

bool file_is_damage(int code)
{
    return (code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB;
}

bool file_make(struct sqlite_file *file, const unsigned char secret[AHOYD_SECRET_SIZE])
{
    sqlite3_stmt *statement = NULL;
    bool sound = file_run(file, schema) &&
                 sqlite3_prepare_v2(file->database, "INSERT INTO meta VALUES ('secret', ?)", -1,
                                    &statement, NULL) == SQLITE_OK;
    if (sound) {
        file_bind(statement, 1, (struct span){ (const char *)secret, AHOYD_SECRET_SIZE });
        sound = sqlite3_step(statement) == SQLITE_DONE;
    }
    sqlite3_finalize(statement);
    return sound;
}

static bool make_anew(struct sqlite_file *file)
{
    unsigned char secret[AHOYD_SECRET_SIZE];
    bool sound = store_random(secret, sizeof secret) && file_run(file, "BEGIN EXCLUSIVE") &&
                 file_make(file, secret) && file_run(file, "COMMIT");
    explicit_bzero(secret, sizeof secret);
    return sound;
}

/* Brings the file from the form |version| to ours, all at once or not at all. */
static bool upgrade(struct sqlite_file *file, int64_t version)
{
    bool sound = file_run(file, "BEGIN EXCLUSIVE");
    for (int64_t form = version; sound && form < FORM; form++)
        sound = file_run(file, upgrades[form]);
    return sound && file_run(file, "COMMIT");
}

/* Checks that the file is ours, or makes it so where it is new. */
static bool check_form(struct sqlite_file *file, const char *path, char *fault, size_t fault_size)
{
    int64_t application = file_ask(file, "PRAGMA application_id");
    int64_t version = file_ask(file, "PRAGMA user_version");
    int64_t tables = file_ask(file, "SELECT count(*) FROM sqlite_master");
    if (application == 0x41686f79 && version == FORM)
        return true;
    if (application == 0x41686f79 && version >= 1 && version < FORM) {
        if (upgrade(file, version))
            return true;
        snprintf(fault, fault_size, "%s cannot be brought to form %d: %s", path, FORM,
                 sqlite3_errmsg(file->database));
        return false;
    }
    if (application == 0x41686f79) {
        snprintf(fault, fault_size,
                 "%s was written by a newer Ahoy (form %lld); use that one, or another file", path,
                 (long long)version);
        return false;
    }
    if (tables != 0) {
        snprintf(fault, fault_size, "%s is not a store of Ahoy's; name another file", path);
        return false;
    }
    if (make_anew(file))
        return true;
    snprintf(fault, fault_size, "%s cannot be written: %s", path, sqlite3_errmsg(file->database));
    return false;
}

bool file_attach(struct sqlite_file *file, const char *path, char *fault, size_t fault_size)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    int rc = sqlite3_open_v2(path, &file->database, flags, NULL);
    if (rc == SQLITE_OK && file_run(file, "PRAGMA locking_mode = EXCLUSIVE") &&
        file_run(file, "PRAGMA journal_mode = WAL") &&
        file_run(file, "PRAGMA synchronous = FULL") &&
        file_run(file, "PRAGMA wal_autocheckpoint = 400") && file_run(file, "BEGIN EXCLUSIVE") &&
        file_run(file, "COMMIT"))
        return true;
    if ((sqlite3_errcode(file->database) & 0xff) == SQLITE_BUSY)
        snprintf(fault, fault_size, "%s is in use by another process; stop that ahoyd first", path);
    else
        snprintf(fault, fault_size, "%s cannot be opened: %s", path,
                 sqlite3_errmsg(file->database));
    return false;
}

void file_detach(struct sqlite_file *file)
{
    sqlite3_stmt **const statements[] = {
        &file->begin,     &file->commit,       &file->rollback,      &file->append,
        &file->drop,      &file->page,         &file->put_user,      &file->remove_user,
        &file->put_alias, &file->remove_alias, &file->remove_aliases
    };
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        sqlite3_finalize(*statements[i]);
        *statements[i] = NULL;
    }
    sqlite3_close(file->database);
    file->database = NULL;
}

/* A file that nobody else can read, not even for a moment. */
static bool make_file(const char *path, char *fault, size_t fault_size)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        snprintf(fault, fault_size, "%s cannot be opened: %s", path, strerror(errno));
    else
        close(fd);
    return fd >= 0;
}

bool sqlite_file_open(struct sqlite_file *file, struct ahoyd_store *store,
                      const struct ahoyd_store_options *options, char *fault, size_t fault_size)
{
    *file = (struct sqlite_file){ 0 };
    if (make_file(options->path, fault, fault_size) &&
        file_attach(file, options->path, fault, fault_size) &&
        check_form(file, options->path, fault, fault_size)) {
        if (file_prepare(file) && file_load(file, store, options->now_ms) &&
            (!file->is_damaged || sqlite_file_mend(file, store)))
            return true;
        snprintf(fault, fault_size, "%s cannot be read: %s", options->path,
                 sqlite3_errmsg(file->database));
    }
    file_detach(file);
    return false;
}

void sqlite_file_close(struct sqlite_file *file)
{
    file_detach(file);
}

bool sqlite_file_begin(struct sqlite_file *file)
{
    return file_finish(file, file->begin);
}

bool sqlite_file_commit(struct sqlite_file *file)
{
    return file_finish(file, file->commit);
}

void sqlite_file_rollback(struct sqlite_file *file)
{
    /* After some errors SQLite has rolled back by itself. */
    if (file->database != NULL && sqlite3_get_autocommit(file->database) == 0)
        file_finish(file, file->rollback);
}

bool file_append(struct sqlite_file *file, struct record *record)
{
    AHOY_UNSET char row[RECORD_SEALED_LIMIT];
    record->row = ++file->last_row;
    sqlite3_bind_int64(file->append, 1, (sqlite3_int64)record->row);
    file_bind(file->append, 2, record_aor(record));
    file_bind(file->append, 3, record_seal(record, row));
    return file_finish(file, file->append);
}

/* Runs a statement whose first places are a name and its realm. */
static bool run_named(struct sqlite_file *file, sqlite3_stmt *statement, struct span name,
                      struct span realm)
{
    file_bind(statement, 1, name);
    file_bind(statement, 2, realm);
    return file_finish(file, statement);
}

bool file_put_user(struct sqlite_file *file, struct span user, struct span realm,
                   const struct ahoyd_user *credentials)
{
    bind_digest(file->put_user, 3, &credentials->ha1[AHOY_DIGEST_MD5]);
    bind_digest(file->put_user, 4, &credentials->ha1[AHOY_DIGEST_SHA256]);
    bind_digest(file->put_user, 5, &credentials->ha1[AHOY_DIGEST_SHA512_256]);
    return run_named(file, file->put_user, user, realm);
}

bool file_put_alias(struct sqlite_file *file, struct span alias, struct span realm,
                    struct span user)
{
    file_bind(file->put_alias, 3, user);
    return run_named(file, file->put_alias, alias, realm);
}

bool sqlite_file_write(struct sqlite_file *file, struct staged *staged)
{
    const struct ahoyd_change *change = staged->change;
    switch (change->kind) {
    case AHOYD_CHANGE_BINDINGS:
        return file_append(file, staged->record);
    case AHOYD_CHANGE_USER_PUT:
        return file_put_user(file, change->user, change->realm, &change->credentials);
    case AHOYD_CHANGE_USER_REMOVE:
        return run_named(file, file->remove_user, change->user, change->realm) &&
               run_named(file, file->remove_aliases, change->user, change->realm);
    case AHOYD_CHANGE_ALIAS_PUT:
        return file_put_alias(file, change->user, change->realm, change->means);
    case AHOYD_CHANGE_ALIAS_REMOVE:
        return run_named(file, file->remove_alias, change->user, change->realm);
    }
    return false;
}

/* Whether a row may go.  A newer one makes it so; one that left no bindings is needed as long as
 * older rows of its address-of-record lie about, and those are gone only if it was there before
 * this round began: the round goes from old rows to new ones. */
static bool is_garbage(const struct sqlite_file *file, uint64_t row, uint64_t standing)
{
    return standing > row || (standing == 0 && row <= file->sweep_end);
}

/* Reads the next page of rows and notes which of them nothing stands on.  False where the file
 * cannot be read. */
static bool find_garbage(struct sqlite_file *file, struct ahoyd_store *store,
                         uint64_t rows[SWEEP_ROWS], size_t *count, size_t *seen)
{
    int rc = SQLITE_DONE;
    sqlite3_bind_int64(file->page, 1, (sqlite3_int64)file->sweep_row);
    sqlite3_bind_int64(file->page, 2, SWEEP_ROWS);
    while (*seen < SWEEP_ROWS && (rc = sqlite3_step(file->page)) == SQLITE_ROW) {
        file->sweep_row = (uint64_t)sqlite3_column_int64(file->page, 0);
        if (is_garbage(file, file->sweep_row, index_row(&store->index, file_column(file->page, 1))))
            rows[(*count)++] = file->sweep_row;
        ++*seen;
    }
    sqlite3_reset(file->page);
    file->is_damaged |= file_is_damage(rc);
    return rc == SQLITE_ROW || rc == SQLITE_DONE;
}

static bool drop_rows(struct sqlite_file *file, const uint64_t rows[], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        sqlite3_bind_int64(file->drop, 1, (sqlite3_int64)rows[i]);
        if (!file_finish(file, file->drop))
            return false;
    }
    return true;
}

void sqlite_file_sweep(struct sqlite_file *file, struct ahoyd_store *store)
{
    uint64_t rows[SWEEP_ROWS];
    size_t count = 0, seen = 0;
    if (file->sweep_row == 0)
        file->sweep_end = file->last_row;
    if (file->is_damaged || !sqlite_file_begin(file))
        return;
    if (find_garbage(file, store, rows, &count, &seen) && drop_rows(file, rows, count) &&
        sqlite_file_commit(file)) {
        file->garbage = file->garbage > count ? file->garbage - count : 0;
    } else {
        /* A round that has left an old row must not take the one that removed its bindings. */
        sqlite_file_rollback(file);
        file->sweep_row = 0;
        return;
    }
    if (seen < SWEEP_ROWS) {
        file->sweep_row = 0;
        file->garbage = 0;
    }
}
