/* Reading the file at the start.  A page that SQLite cannot read and a row that is not as it was
 * written are left out and named, and all others are read. */
#include <inttypes.h>

#include "ahoyd/store/sqlite_inside.h"
#include "libahoy/base/log.h"

enum {
    NAMED_LIMIT = 10, /* Damaged rows that are named. */
    PROBES_EACH =
        1000 /* Places at which a damaged log is read on, before they lie further apart. */
};

/* Puts one row of the log into the index. */
static void load_row(struct sqlite_file *file, struct ahoyd_store *store, uint64_t now_ms)
{
    file->last_row = (uint64_t)sqlite3_column_int64(file->page, 0);
    struct span aor = file_column(file->page, 1);
    struct record *record = record_read(&store->index.slabs, aor, file_column(file->page, 2));
    if (record == NULL) {
        if (file->damaged_rows++ < NAMED_LIMIT)
            ahoy_log_line(store->log, AHOY_LOG_WARNING,
                          "the store's row %lld of %.*s is damaged and left out",
                          (long long)file->last_row, (int)aor.size, aor.at);
        file->garbage++;
        return;
    }
    record->row = file->last_row;
    if (record->until_ms <= now_ms)
        record->until_ms = 0;
    if (index_put(&store->index, record, index_hash(&store->index, record_aor(record))))
        file->garbage++;
}

/* Reads the rows after |row|; returns how that ended. */
static int load_rows(struct sqlite_file *file, struct ahoyd_store *store, uint64_t row,
                     uint64_t now_ms)
{
    int rc = SQLITE_OK;
    sqlite3_bind_int64(file->page, 1, (sqlite3_int64)row);
    sqlite3_bind_int64(file->page, 2, -1);
    while ((rc = sqlite3_step(file->page)) == SQLITE_ROW)
        load_row(file, store, now_ms);
    sqlite3_reset(file->page);
    return rc;
}

/* Where the rows cannot be read on, they are read from a later one: the further away, the more of
 * them have been tried in vain. */
static bool load_log(struct sqlite_file *file, struct ahoyd_store *store, uint64_t now_ms)
{
    uint64_t from = 0, tried = 0;
    int rc = SQLITE_OK;
    while ((rc = load_rows(file, store, from, now_ms)) != SQLITE_DONE) {
        if (!file_is_damage(rc))
            return false;
        file->is_damaged = true;
        if (from < file->last_row) {
            from = file->last_row;
            tried = 0;
        }
        uint64_t step = 1 + tried / PROBES_EACH;
        if (step > INT64_MAX - from)
            break;
        from += step;
        tried += step;
    }
    if (file->damaged_rows > NAMED_LIMIT)
        ahoy_log_line(store->log, AHOY_LOG_WARNING, "%llu more rows are damaged and left out",
                      (unsigned long long)(file->damaged_rows - NAMED_LIMIT));
    return true;
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

static void load_user(struct ahoyd_store *store, sqlite3_stmt *row)
{
    struct ahoyd_user credentials = { 0 };
    struct known_user *user = NULL;
    if (take_digest(file_column(row, 2), AHOY_DIGEST_MD5, &credentials) &&
        take_digest(file_column(row, 3), AHOY_DIGEST_SHA256, &credentials) &&
        take_digest(file_column(row, 4), AHOY_DIGEST_SHA512_256, &credentials))
        user = users_prepare(file_column(row, 0), file_column(row, 1), &credentials);
    if (user != NULL)
        users_put(&store->users, user);
}

static void load_alias(struct ahoyd_store *store, sqlite3_stmt *row)
{
    struct known_user *alias =
        users_prepare_alias(file_column(row, 0), file_column(row, 1), file_column(row, 2));
    if (alias != NULL)
        users_put(&store->users, alias);
}

/* Gives all rows of |query| to |load|; returns how that ended. */
static int load_table(struct sqlite_file *file, struct ahoyd_store *store, const char *query,
                      void (*load)(struct ahoyd_store *store, sqlite3_stmt *row))
{
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(file->database, query, -1, &statement, NULL);
    while (rc == SQLITE_OK || rc == SQLITE_ROW) {
        rc = sqlite3_step(statement);
        if (rc == SQLITE_ROW)
            load(store, statement);
    }
    sqlite3_finalize(statement);
    return rc;
}

/* From one end, and where that is not enough from the other: what stands between two damages is
 * lost.  False where nothing can be read at all. */
static bool load_names(struct sqlite_file *file, struct ahoyd_store *store,
                       const char *const ways[2],
                       void (*load)(struct ahoyd_store *store, sqlite3_stmt *row))
{
    int rc = SQLITE_OK;
    for (size_t i = 0; i < 2 && rc != SQLITE_DONE; i++) {
        rc = load_table(file, store, ways[i], load);
        if (rc != SQLITE_DONE && !file_is_damage(rc))
            return false;
    }
    if (rc != SQLITE_DONE) {
        file->is_damaged = true;
        ahoy_log_line(store->log, AHOY_LOG_ERROR,
                      "the store's users are damaged, and some of them or of their aliases may be "
                      "lost: compare what `ahoyctl user list` prints with your own");
    }
    return true;
}

static bool load_users(struct sqlite_file *file, struct ahoyd_store *store)
{
    static const char *const ways[2] = {
        "SELECT user, realm, md5, sha256, sha512_256 FROM users ORDER BY user, realm",
        "SELECT user, realm, md5, sha256, sha512_256 FROM users ORDER BY user DESC, realm DESC"
    };
    return load_names(file, store, ways, load_user);
}

static bool load_aliases(struct sqlite_file *file, struct ahoyd_store *store)
{
    static const char *const ways[2] = {
        "SELECT alias, realm, user FROM aliases ORDER BY alias, realm",
        "SELECT alias, realm, user FROM aliases ORDER BY alias DESC, realm DESC"
    };
    return load_names(file, store, ways, load_alias);
}

static bool load_secret(struct sqlite_file *file, struct ahoyd_store *store)
{
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(file->database, "SELECT value FROM meta WHERE name = 'secret'", -1,
                                &statement, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(statement);
    bool sound = rc == SQLITE_ROW && sqlite3_column_bytes(statement, 0) == AHOYD_SECRET_SIZE;
    if (sound)
        memcpy(store->secret, sqlite3_column_blob(statement, 0), AHOYD_SECRET_SIZE);
    sqlite3_finalize(statement);
    if (sound || (rc != SQLITE_ROW && rc != SQLITE_DONE && !file_is_damage(rc)))
        return sound;
    file->is_damaged = true;
    ahoy_log_line(
        store->log, AHOY_LOG_WARNING,
        "the store's secret is damaged: a new one is made, and phones are asked for their "
        "passwords once more");
    return store_random(store->secret, AHOYD_SECRET_SIZE);
}

/* Those that are kept elsewhere are not mixed with what the file had before. */
static bool load_all_names(struct sqlite_file *file, struct ahoyd_store *store)
{
    if (store->names == NULL)
        return load_users(file, store) && load_aliases(file, store);
    const int64_t count = file_ask(file, "SELECT count(*) FROM users");
    if (count > 0)
        ahoy_log_line(store->log, AHOY_LOG_WARNING,
                      "the store has %" PRId64 " users of its own who are not served, as users are "
                      "kept elsewhere",
                      count);
    return true;
}

bool file_load(struct sqlite_file *file, struct ahoyd_store *store, uint64_t now_ms)
{
    return load_secret(file, store) && load_all_names(file, store) && load_log(file, store, now_ms);
}
