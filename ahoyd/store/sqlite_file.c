/* A row is never changed: a new state of an address-of-record is a new row, and old rows are
 * swept away in small steps.  So a commit writes only the end of the file. */
#include "ahoyd/store/sqlite_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "libahoy/base/log.h"

enum { SWEEP_ROWS = 2000, FORM = 3 };

#define ALIASES                                                                                    \
    "CREATE TABLE aliases (alias BLOB NOT NULL, realm BLOB NOT NULL, user BLOB NOT NULL,"          \
    " PRIMARY KEY (alias, realm)) WITHOUT ROWID;"

static const char schema[] =
    "PRAGMA application_id = 0x41686f79;" /* "Ahoy" */
    "PRAGMA user_version = 3;"
    "CREATE TABLE log (row INTEGER PRIMARY KEY AUTOINCREMENT, aor BLOB NOT NULL,"
    " state BLOB NOT NULL);"
    "CREATE TABLE users (user BLOB NOT NULL, realm BLOB NOT NULL, md5 BLOB NOT NULL,"
    " sha256 BLOB NOT NULL, sha512_256 BLOB NOT NULL, PRIMARY KEY (user, realm)) WITHOUT "
    "ROWID;" ALIASES
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;";

/* What each form is brought to the next one by.  Users of form 1 have no HA1 by SHA-512-256 until
 * their password is set again. */
static const char *const upgrades[FORM] = {
    [1] = "ALTER TABLE users ADD COLUMN sha512_256 BLOB NOT NULL DEFAULT x'';"
          "PRAGMA user_version = 2;",
    [2] = ALIASES "PRAGMA user_version = 3;",
};

static bool run(struct sqlite_file *file, const char *sql)
{
    return sqlite3_exec(file->database, sql, NULL, NULL, NULL) == SQLITE_OK;
}

/* The number that a PRAGMA answers; -1 for none. */
static int64_t ask(struct sqlite_file *file, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    int64_t number = -1;
    if (sqlite3_prepare_v2(file->database, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return number;
}

static bool prepare(struct sqlite_file *file)
{
    const struct {
        sqlite3_stmt **statement;
        const char *sql;
    } statements[] = {
        { &file->begin, "BEGIN IMMEDIATE" },
        { &file->commit, "COMMIT" },
        { &file->rollback, "ROLLBACK" },
        { &file->append, "INSERT INTO log (aor, state) VALUES (?, ?)" },
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

/* Runs |statement| to its end and makes it ready for the next time. */
static bool finish(sqlite3_stmt *statement)
{
    int rc = sqlite3_step(statement);
    sqlite3_reset(statement);
    return rc == SQLITE_DONE;
}

static void bind(sqlite3_stmt *statement, int place, struct span text)
{
    sqlite3_bind_blob(statement, place, text.at, (int)text.size, SQLITE_STATIC);
}

/* One that is not known is kept as no bytes, not as NULL. */
static void bind_digest(sqlite3_stmt *statement, int place, const struct ahoy_digest_hex *ha1)
{
    bind(statement, place, (struct span){ ha1->text, ha1->size });
}

static struct span column(sqlite3_stmt *statement, int place)
{
    const char *at = sqlite3_column_blob(statement, place);
    return (struct span){ at, (size_t)sqlite3_column_bytes(statement, place) };
}

/* Puts one row of the log into the index. */
static void load_row(struct sqlite_file *file, struct ahoyd_store *store, uint64_t now_ms)
{
    file->last_row = (uint64_t)sqlite3_column_int64(file->page, 0);
    struct span aor = column(file->page, 1);
    struct record *record = record_read(aor, column(file->page, 2));
    if (record == NULL) {
        ahoy_log_line(store->log, AHOY_LOG_WARNING,
                      "the store's row %lld of %.*s is damaged and left out",
                      (long long)file->last_row, (int)aor.size, aor.at);
        file->garbage++;
        return;
    }
    record->row = file->last_row;
    if (record->until_ms <= now_ms)
        record->until_ms = 0;
    if (index_put(&store->index, record))
        file->garbage++;
}

static bool load_log(struct sqlite_file *file, struct ahoyd_store *store, uint64_t now_ms)
{
    sqlite3_bind_int64(file->page, 1, 0);
    sqlite3_bind_int64(file->page, 2, -1);
    int rc = SQLITE_OK;
    while ((rc = sqlite3_step(file->page)) == SQLITE_ROW)
        load_row(file, store, now_ms);
    sqlite3_reset(file->page);
    return rc == SQLITE_DONE;
}

/* Reads what is not there as not known. */
static bool take_digest(struct span text, enum ahoy_digest_algorithm algorithm,
                        struct ahoyd_user *credentials)
{
    struct ahoy_digest_hex *ha1 = &credentials->ha1[algorithm];
    if (text.size != 0 && text.size != ahoy_digest_size(algorithm))
        return false;
    if (text.size > 0)
        memcpy(ha1->text, text.at, text.size);
    ha1->size = text.size;
    return true;
}

static bool load_users(struct sqlite_file *file, struct ahoyd_store *store)
{
    sqlite3_stmt *statement = NULL;
    int rc =
        sqlite3_prepare_v2(file->database, "SELECT user, realm, md5, sha256, sha512_256 FROM users",
                           -1, &statement, NULL);
    if (rc != SQLITE_OK)
        return false;
    while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
        struct ahoyd_user credentials = { 0 };
        struct known_user *user = NULL;
        if (take_digest(column(statement, 2), AHOY_DIGEST_MD5, &credentials) &&
            take_digest(column(statement, 3), AHOY_DIGEST_SHA256, &credentials) &&
            take_digest(column(statement, 4), AHOY_DIGEST_SHA512_256, &credentials))
            user = users_prepare(column(statement, 0), column(statement, 1), &credentials);
        if (user != NULL)
            users_put(&store->users, user);
    }
    sqlite3_finalize(statement);
    return rc == SQLITE_DONE;
}

static bool load_aliases(struct sqlite_file *file, struct ahoyd_store *store)
{
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(file->database, "SELECT alias, realm, user FROM aliases", -1,
                                &statement, NULL);
    if (rc != SQLITE_OK)
        return false;
    while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
        struct known_user *alias =
            users_prepare_alias(column(statement, 0), column(statement, 1), column(statement, 2));
        if (alias != NULL)
            users_put(&store->users, alias);
    }
    sqlite3_finalize(statement);
    return rc == SQLITE_DONE;
}

static bool load_secret(struct sqlite_file *file, struct ahoyd_store *store)
{
    sqlite3_stmt *statement = NULL;
    bool sound = false;
    if (sqlite3_prepare_v2(file->database, "SELECT value FROM meta WHERE name = 'secret'", -1,
                           &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW &&
        sqlite3_column_bytes(statement, 0) == AHOYD_SECRET_SIZE) {
        memcpy(store->secret, sqlite3_column_blob(statement, 0), AHOYD_SECRET_SIZE);
        sound = true;
    }
    sqlite3_finalize(statement);
    return sound;
}

static bool make_secret(struct sqlite_file *file)
{
    unsigned char secret[AHOYD_SECRET_SIZE];
    sqlite3_stmt *statement = NULL;
    bool sound = store_random(secret, sizeof secret) &&
                 sqlite3_prepare_v2(file->database, "INSERT INTO meta VALUES ('secret', ?)", -1,
                                    &statement, NULL) == SQLITE_OK;
    if (sound) {
        sqlite3_bind_blob(statement, 1, secret, sizeof secret, SQLITE_STATIC);
        sound = sqlite3_step(statement) == SQLITE_DONE;
    }
    sqlite3_finalize(statement);
    explicit_bzero(secret, sizeof secret);
    return sound;
}

/* Brings the file from the form |version| to ours, all at once or not at all. */
static bool upgrade(struct sqlite_file *file, int64_t version)
{
    bool sound = run(file, "BEGIN EXCLUSIVE");
    for (int64_t form = version; sound && form < FORM; form++)
        sound = run(file, upgrades[form]);
    return sound && run(file, "COMMIT");
}

/* Checks that the file is ours, or makes it so where it is new. */
static bool check_form(struct sqlite_file *file, const char *path, char *fault, size_t fault_size)
{
    int64_t application = ask(file, "PRAGMA application_id");
    int64_t version = ask(file, "PRAGMA user_version");
    int64_t tables = ask(file, "SELECT count(*) FROM sqlite_master");
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
    if (run(file, "BEGIN EXCLUSIVE") && run(file, schema) && make_secret(file) &&
        run(file, "COMMIT"))
        return true;
    snprintf(fault, fault_size, "%s cannot be written: %s", path, sqlite3_errmsg(file->database));
    return false;
}

static bool open_database(struct sqlite_file *file, const char *path, char *fault,
                          size_t fault_size)
{
    /* Made by us first, so that nobody else can read it for a moment. */
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        snprintf(fault, fault_size, "%s cannot be opened: %s", path, strerror(errno));
        return false;
    }
    close(fd);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    int rc = sqlite3_open_v2(path, &file->database, flags, NULL);
    if (rc == SQLITE_OK && run(file, "PRAGMA locking_mode = EXCLUSIVE") &&
        run(file, "PRAGMA journal_mode = WAL") && run(file, "PRAGMA synchronous = FULL") &&
        run(file, "PRAGMA wal_autocheckpoint = 400") && run(file, "BEGIN EXCLUSIVE") &&
        run(file, "COMMIT"))
        return true;
    if ((sqlite3_errcode(file->database) & 0xff) == SQLITE_BUSY)
        snprintf(fault, fault_size, "%s is in use by another process; stop that ahoyd first", path);
    else
        snprintf(fault, fault_size, "%s cannot be opened: %s", path,
                 sqlite3_errmsg(file->database));
    return false;
}

bool sqlite_file_open(struct sqlite_file *file, struct ahoyd_store *store,
                      const struct ahoyd_store_options *options, char *fault, size_t fault_size)
{
    *file = (struct sqlite_file){ 0 };
    if (open_database(file, options->path, fault, fault_size) &&
        check_form(file, options->path, fault, fault_size)) {
        if (prepare(file) && load_secret(file, store) && load_users(file, store) &&
            load_aliases(file, store) && load_log(file, store, options->now_ms))
            return true;
        snprintf(fault, fault_size, "%s cannot be read: %s", options->path,
                 sqlite3_errmsg(file->database));
    }
    sqlite_file_close(file);
    return false;
}

void sqlite_file_close(struct sqlite_file *file)
{
    sqlite3_stmt *const statements[] = { file->begin,        file->commit,        file->rollback,
                                         file->append,       file->drop,          file->page,
                                         file->put_user,     file->remove_user,   file->put_alias,
                                         file->remove_alias, file->remove_aliases };
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++)
        sqlite3_finalize(statements[i]);
    sqlite3_close(file->database);
}

bool sqlite_file_begin(struct sqlite_file *file)
{
    return finish(file->begin);
}

bool sqlite_file_commit(struct sqlite_file *file)
{
    return finish(file->commit);
}

void sqlite_file_rollback(struct sqlite_file *file)
{
    /* After some errors SQLite has rolled back by itself. */
    if (sqlite3_get_autocommit(file->database) == 0)
        finish(file->rollback);
}

static bool append(struct sqlite_file *file, struct record *record)
{
    bind(file->append, 1, record_aor(record));
    bind(file->append, 2, record_state(record));
    if (!finish(file->append))
        return false;
    record->row = (uint64_t)sqlite3_last_insert_rowid(file->database);
    file->last_row = record->row;
    return true;
}

/* Runs a statement whose first places are the name and the realm. */
static bool run_named(sqlite3_stmt *statement, const struct ahoyd_change *change)
{
    bind(statement, 1, change->user);
    bind(statement, 2, change->realm);
    return finish(statement);
}

static bool put_user(struct sqlite_file *file, const struct ahoyd_change *change)
{
    bind_digest(file->put_user, 3, &change->credentials.ha1[AHOY_DIGEST_MD5]);
    bind_digest(file->put_user, 4, &change->credentials.ha1[AHOY_DIGEST_SHA256]);
    bind_digest(file->put_user, 5, &change->credentials.ha1[AHOY_DIGEST_SHA512_256]);
    return run_named(file->put_user, change);
}

bool sqlite_file_write(struct sqlite_file *file, struct staged *staged)
{
    const struct ahoyd_change *change = staged->change;
    switch (change->kind) {
    case AHOYD_CHANGE_BINDINGS:
        return append(file, staged->record);
    case AHOYD_CHANGE_USER_PUT:
        return put_user(file, change);
    case AHOYD_CHANGE_USER_REMOVE:
        return run_named(file->remove_user, change) && run_named(file->remove_aliases, change);
    case AHOYD_CHANGE_ALIAS_PUT:
        bind(file->put_alias, 3, change->means);
        return run_named(file->put_alias, change);
    case AHOYD_CHANGE_ALIAS_REMOVE:
        return run_named(file->remove_alias, change);
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

/* Reads the next page of rows and notes which of them nothing stands on. */
static size_t find_garbage(struct sqlite_file *file, struct ahoyd_store *store,
                           uint64_t rows[SWEEP_ROWS], size_t *seen)
{
    size_t count = 0;
    *seen = 0;
    sqlite3_bind_int64(file->page, 1, (sqlite3_int64)file->sweep_row);
    sqlite3_bind_int64(file->page, 2, SWEEP_ROWS);
    while (sqlite3_step(file->page) == SQLITE_ROW && *seen < SWEEP_ROWS) {
        file->sweep_row = (uint64_t)sqlite3_column_int64(file->page, 0);
        if (is_garbage(file, file->sweep_row, index_row(&store->index, column(file->page, 1))))
            rows[count++] = file->sweep_row;
        ++*seen;
    }
    sqlite3_reset(file->page);
    return count;
}

void sqlite_file_sweep(struct sqlite_file *file, struct ahoyd_store *store)
{
    uint64_t rows[SWEEP_ROWS];
    size_t seen = 0;
    if (file->sweep_row == 0)
        file->sweep_end = file->last_row;
    if (!sqlite_file_begin(file))
        return;
    size_t count = find_garbage(file, store, rows, &seen);
    bool sound = true;
    for (size_t i = 0; sound && i < count; i++) {
        sqlite3_bind_int64(file->drop, 1, (sqlite3_int64)rows[i]);
        sound = finish(file->drop);
    }
    if (sound && sqlite_file_commit(file))
        file->garbage = file->garbage > count ? file->garbage - count : 0;
    else
        sqlite_file_rollback(file);
    if (seen < SWEEP_ROWS) {
        file->sweep_row = 0;
        file->garbage = 0;
    }
}
