/* The store: what was answered is kept, in order, over restarts; what was not committed is not
 * seen. */
#include "ahoyd/store/store.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "tests/support/changes.h"

static const uint64_t now_ms = 1700000000000;

static struct changes changes;

struct place {
    char folder[64];
    char path[96];
    enum ahoyd_store_kind kind;
};

static struct ahoyd_store *open_at(const struct place *place, uint64_t time_ms)
{
    char fault[256] = "";
    struct ahoyd_store_options options = { .kind = place->kind,
                                           .path = place->path,
                                           .now_ms = time_ms };
    struct ahoyd_store *store = ahoyd_store_open(&options, fault, sizeof fault);
    if (store == NULL)
        fail_msg("%s", fault);
    return store;
}

static struct place new_place(enum ahoyd_store_kind kind)
{
    struct place place = { .folder = "/tmp/ahoy-store-XXXXXX", .kind = kind };
    assert_non_null(mkdtemp(place.folder));
    snprintf(place.path, sizeof place.path, "%s/ahoy.db", place.folder);
    return place;
}

static void remove_place(const struct place *place)
{
    static const char *const ends[] = { "", "-wal", "-shm", "-journal" };
    for (size_t i = 0; i < 4; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s%s", place->path, ends[i]);
        unlink(path);
    }
    assert_int_equal(rmdir(place->folder), 0);
}

/* Submits "|aor| is at |contact| for |expires_s|", without waiting. */
static void submit(struct ahoyd_store *store, const char *aor, const char *contact,
                   uint32_t expires_s, uint32_t cseq, uint64_t time_ms)
{
    struct ahoy_registration registration = {
        .count = 1,
        .asked = { { .contact = ahoy_span(contact), .expires_s = expires_s, .q = 1000 } },
        .call_id = SPAN("call-1"),
        .cseq = cseq,
        .hop = { .transport = AHOY_TCP, .connection = { 3, 5 }, .remote = { .family = 4 } },
    };
    struct ahoyd_change *change = ahoyd_change_bindings(ahoy_span(aor), &registration, time_ms);
    changes_submit(&changes, store, change);
}

static unsigned put(struct ahoyd_store *store, const char *aor, const char *contact,
                    uint32_t expires_s, uint32_t cseq)
{
    submit(store, aor, contact, expires_s, cseq, now_ms);
    return changes_end(&changes);
}

static size_t count_of(struct ahoyd_store *store, const char *aor, uint64_t time_ms)
{
    struct ahoy_bindings bindings;
    bool found = ahoyd_store_find(store, ahoy_span(aor), time_ms, &bindings);
    assert_int_equal(found, bindings.count > 0);
    return bindings.count;
}

static void check_bindings(enum ahoyd_store_kind kind)
{
    struct place place = new_place(kind);
    struct ahoyd_store *store = open_at(&place, now_ms);
    assert_int_equal(count_of(store, "bob@b.example", now_ms), 0);
    assert_int_equal(put(store, "bob@b.example", "sip:bob@192.0.2.1", 60, 1), 200);
    assert_int_equal(put(store, "bob@b.example", "sip:bob@192.0.2.2", 120, 2), 200);
    struct ahoy_bindings bindings;
    assert_true(ahoyd_store_find(store, SPAN("bob@b.example"), now_ms, &bindings));
    assert_int_equal(bindings.count, 2);
    assert_true(bindings.list[0].hop.connection.slot == 3);
    assert_int_equal(count_of(store, "bob@b.example", now_ms + 60000), 1);
    assert_int_equal(count_of(store, "bob@b.example", now_ms + 120000), 0);
    /* The same Call-ID and a CSeq that is not higher: nothing changes (R3261-10.3-22). */
    assert_int_equal(put(store, "bob@b.example", "sip:bob@192.0.2.1", 0, 1), 500);
    assert_int_equal(count_of(store, "bob@b.example", now_ms), 2);
    assert_int_equal(put(store, "bob@b.example", "sip:bob@192.0.2.1", 0, 3), 200);
    assert_int_equal(count_of(store, "bob@b.example", now_ms), 1);
    ahoyd_store_close(store);
    if (kind == AHOYD_STORE_SQLITE) {
        store = open_at(&place, now_ms);
        assert_true(ahoyd_store_find(store, SPAN("bob@b.example"), now_ms, &bindings));
        assert_int_equal(bindings.count, 1);
        assert_true(ahoy_span_equal(bindings.list[0].contact, SPAN("sip:bob@192.0.2.2")));
        assert_int_equal(bindings.list[0].cseq, 2);
        assert_int_equal(bindings.list[0].expires_ms, now_ms + 120000);
        /* The connection was another process's. */
        assert_int_equal(bindings.list[0].hop.connection.generation, 0);
        ahoyd_store_close(store);
        store = open_at(&place, now_ms + 120000);
        assert_int_equal(count_of(store, "bob@b.example", now_ms), 0);
        ahoyd_store_close(store);
    }
    remove_place(&place);
}

static void test_memory_bindings(void **state)
{
    (void)state;
    struct place place = new_place(AHOYD_STORE_MEMORY);
    remove_place(&place);
    check_bindings(AHOYD_STORE_MEMORY);
}

static void test_sqlite_bindings(void **state)
{
    (void)state;
    check_bindings(AHOYD_STORE_SQLITE);
}

/* Changes of one address-of-record in one group see each other: the last one stands. */
static void test_order_in_a_group(void **state)
{
    (void)state;
    struct place place = new_place(AHOYD_STORE_SQLITE);
    struct ahoyd_store *store = open_at(&place, now_ms);
    for (uint32_t i = 1; i <= 200; i++)
        submit(store, "a@b.example", "sip:a@192.0.2.1", i % 2 == 1 ? 60 : 0, i, now_ms);
    submit(store, "a@b.example", "sip:a@192.0.2.7", 60, 201, now_ms);
    assert_int_equal(changes_end(&changes), 200);
    struct ahoy_bindings bindings;
    assert_true(ahoyd_store_find(store, SPAN("a@b.example"), now_ms, &bindings));
    assert_int_equal(bindings.count, 1);
    assert_int_equal(bindings.list[0].cseq, 201);
    ahoyd_store_close(store);
    remove_place(&place);
}

static int64_t rows_in(const struct place *place)
{
    sqlite3 *database = NULL;
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_open(place->path, &database), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(database, "SELECT count(*) FROM log", -1, &statement, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t count = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(database);
    return count;
}

/* The log is swept while it is written, and what was removed does not come back. */
static void test_compaction(void **state)
{
    (void)state;
    enum { USERS = 100, ROUNDS = 100 };
    struct place place = new_place(AHOYD_STORE_SQLITE);
    struct ahoyd_store *store = open_at(&place, now_ms);
    char aor[32];
    for (uint32_t round = 1; round <= ROUNDS; round++) {
        for (unsigned user = 0; user < USERS; user++) {
            snprintf(aor, sizeof aor, "u%u@b.example", user);
            /* In the end, every other user is gone. */
            uint32_t expires_s = (round + user) % 2 == 0 ? 60 : 0;
            submit(store, aor, "sip:u@192.0.2.1", expires_s, round, now_ms);
        }
        changes_end(&changes);
    }
    ahoyd_store_close(store);
    assert_true(rows_in(&place) < 6000);
    store = open_at(&place, now_ms);
    for (unsigned user = 0; user < USERS; user++) {
        snprintf(aor, sizeof aor, "u%u@b.example", user);
        assert_int_equal(count_of(store, aor, now_ms), (ROUNDS + user) % 2 == 0 ? 1 : 0);
    }
    ahoyd_store_close(store);
    remove_place(&place);
}

static void test_users(void **state)
{
    (void)state;
    struct place place = new_place(AHOYD_STORE_SQLITE);
    struct ahoyd_store *store = open_at(&place, now_ms);
    struct ahoyd_user credentials = { .ha1[AHOY_DIGEST_MD5] = { "0123456789abcdef0123456789abcdef",
                                                                32 } };
    memset(credentials.ha1[AHOY_DIGEST_SHA256].text, 'a', 64);
    credentials.ha1[AHOY_DIGEST_SHA256].size = 64;
    struct ahoyd_change *change = ahoyd_change_user(AHOYD_CHANGE_USER_PUT, SPAN("o'neil\" OR 1"),
                                                    SPAN("b.example"), &credentials);
    changes_submit(&changes, store, change);
    assert_int_equal(changes_end(&changes), 200);
    unsigned char secret[2][AHOYD_SECRET_SIZE];
    ahoyd_store_secret(store, secret[0]);
    ahoyd_store_close(store);
    store = open_at(&place, now_ms);
    ahoyd_store_secret(store, secret[1]);
    assert_memory_equal(secret[0], secret[1], AHOYD_SECRET_SIZE);
    struct ahoyd_user found = { 0 };
    assert_true(ahoyd_store_user(store, SPAN("o'neil\" OR 1"), SPAN("b.example"), &found));
    assert_memory_equal(found.ha1[AHOY_DIGEST_MD5].text, credentials.ha1[AHOY_DIGEST_MD5].text, 32);
    assert_false(ahoyd_store_user(store, SPAN("o'neil"), SPAN("b.example"), &found));
    for (unsigned i = 0; i < 2; i++) {
        change = ahoyd_change_user(AHOYD_CHANGE_USER_REMOVE, SPAN("o'neil\" OR 1"),
                                   SPAN("b.example"), NULL);
        changes_submit(&changes, store, change);
        assert_int_equal(changes_end(&changes), i == 0 ? 200 : 404);
    }
    assert_false(ahoyd_store_user(store, SPAN("o'neil\" OR 1"), SPAN("b.example"), &found));
    ahoyd_store_close(store);
    remove_place(&place);
}

static unsigned change_alias(struct ahoyd_store *store, enum ahoyd_change_kind kind,
                             const char *alias, const char *user)
{
    struct ahoyd_change *change =
        ahoyd_change_alias(kind, ahoy_span(alias), SPAN("b.example"), ahoy_span(user));
    changes_submit(&changes, store, change);
    return changes_end(&changes);
}

static unsigned change_user(struct ahoyd_store *store, enum ahoyd_change_kind kind,
                            const char *name)
{
    const struct ahoyd_user credentials = { 0 };
    struct ahoyd_change *change =
        ahoyd_change_user(kind, ahoy_span(name), SPAN("b.example"), &credentials);
    changes_submit(&changes, store, change);
    return changes_end(&changes);
}

/* Whom an alias means; "" for nobody. */
static const char *meant(struct ahoyd_store *store, const char *alias, const char *realm)
{
    static char text[AHOYD_NAME_LIMIT + 1];
    struct ahoy_buf user = ahoy_buf_over(text, AHOYD_NAME_LIMIT);
    bool found = ahoyd_store_alias(store, ahoy_span(alias), ahoy_span(realm), &user);
    assert_int_equal(found, user.size > 0);
    text[user.size] = '\0';
    return text;
}

static bool count_alias(void *context, struct span alias, struct span realm, struct span user)
{
    unsigned *count = context;
    assert_true(alias.size > 0 && user.size > 0);
    assert_true(ahoy_span_equal(realm, SPAN("b.example")));
    ++*count;
    return true;
}

static bool count_user(void *context, struct span user, struct span realm,
                       const struct ahoyd_user *credentials)
{
    unsigned *count = context;
    (void)credentials; /* They have none. */
    assert_true(user.size > 0 && realm.size > 0);
    ++*count;
    return true;
}

/* A name is a user's or an alias, never both; an alias is as durable as a user, and goes with
 * him. */
static void test_aliases(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < 2; kind++) {
        unsigned aliases = 0, users = 0;
        struct place place = new_place(kind == 0 ? AHOYD_STORE_SQLITE : AHOYD_STORE_MEMORY);
        struct ahoyd_store *store = open_at(&place, now_ms);
        assert_int_equal(change_alias(store, AHOYD_CHANGE_ALIAS_PUT, "100", "bob"), 404);
        assert_int_equal(change_user(store, AHOYD_CHANGE_USER_PUT, "bob"), 200);
        assert_int_equal(change_user(store, AHOYD_CHANGE_USER_PUT, "alice"), 200);
        assert_int_equal(change_alias(store, AHOYD_CHANGE_ALIAS_PUT, "100", "bob"), 200);
        assert_int_equal(change_alias(store, AHOYD_CHANGE_ALIAS_PUT, "101", "alice"), 200);
        assert_int_equal(change_alias(store, AHOYD_CHANGE_ALIAS_PUT, "102", "100"), 404);
        assert_int_equal(change_alias(store, AHOYD_CHANGE_ALIAS_PUT, "alice", "bob"), 404);
        assert_int_equal(change_user(store, AHOYD_CHANGE_USER_PUT, "100"), 404);
        assert_int_equal(change_user(store, AHOYD_CHANGE_USER_REMOVE, "100"), 404);
        assert_int_equal(change_alias(store, AHOYD_CHANGE_ALIAS_REMOVE, "bob", ""), 404);
        if (kind == 0) {
            ahoyd_store_close(store);
            store = open_at(&place, now_ms);
        }
        assert_string_equal(meant(store, "100", "b.example"), "bob");
        assert_string_equal(meant(store, "100", "c.example"), "");
        assert_string_equal(meant(store, "bob", "b.example"), "");
        assert_false(ahoyd_store_user(store, SPAN("100"), SPAN("b.example"), NULL));
        ahoyd_store_each_alias(store, count_alias, &aliases);
        ahoyd_store_each_user(store, count_user, &users);
        assert_int_equal(aliases, 2);
        assert_int_equal(users, 2);
        /* It changes hands, and goes with its last user alone. */
        assert_int_equal(change_alias(store, AHOYD_CHANGE_ALIAS_PUT, "101", "bob"), 200);
        assert_int_equal(change_user(store, AHOYD_CHANGE_USER_REMOVE, "alice"), 200);
        assert_string_equal(meant(store, "101", "b.example"), "bob");
        assert_int_equal(change_alias(store, AHOYD_CHANGE_ALIAS_REMOVE, "101", ""), 200);
        assert_string_equal(meant(store, "101", "b.example"), "");
        assert_int_equal(change_user(store, AHOYD_CHANGE_USER_REMOVE, "bob"), 200);
        assert_int_equal(change_user(store, AHOYD_CHANGE_USER_PUT, "bob"), 200);
        assert_string_equal(meant(store, "100", "b.example"), "");
        if (kind == 0) {
            ahoyd_store_close(store);
            store = open_at(&place, now_ms);
            assert_string_equal(meant(store, "100", "b.example"), "");
        }
        ahoyd_store_close(store);
        remove_place(&place);
    }
}

static void run_sql(const struct place *place, const char *sql)
{
    sqlite3 *database = NULL;
    assert_int_equal(sqlite3_open(place->path, &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(database);
}

/* What an Ahoy wrote that knew nothing of SHA-512-256 is read, and goes on as if it were new. */
static void test_first_form(void **state)
{
    (void)state;
    struct place place = new_place(AHOYD_STORE_SQLITE);
    struct ahoyd_user found;
    ahoyd_store_close(open_at(&place, now_ms));
    run_sql(&place,
            "DROP TABLE users; DROP TABLE aliases;"
            "CREATE TABLE users (user BLOB NOT NULL, realm BLOB NOT NULL, md5 BLOB NOT NULL,"
            " sha256 BLOB NOT NULL, PRIMARY KEY (user, realm)) WITHOUT ROWID;"
            "INSERT INTO users VALUES (CAST('alice' AS BLOB), CAST('b.example' AS BLOB),"
            " CAST('0123456789abcdef0123456789abcdef' AS BLOB),"
            " CAST('0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef'"
            " AS BLOB));"
            "PRAGMA user_version = 1;");
    for (unsigned i = 0; i < 2; i++) {
        struct ahoyd_store *store = open_at(&place, now_ms);
        assert_true(ahoyd_store_user(store, SPAN("alice"), SPAN("b.example"), &found));
        assert_int_equal(found.ha1[AHOY_DIGEST_SHA256].size, 64);
        assert_int_equal(found.ha1[AHOY_DIGEST_SHA512_256].size, 0);
        assert_true(ahoyd_store_lacks(store, SPAN("b.example"), AHOY_DIGEST_SHA512_256));
        assert_false(ahoyd_store_lacks(store, SPAN("b.example"), AHOY_DIGEST_SHA256));
        assert_false(ahoyd_store_lacks(store, SPAN("c.example"), AHOY_DIGEST_SHA512_256));
        ahoyd_store_close(store);
    }
    struct ahoyd_store *store = open_at(&place, now_ms);
    found.ha1[AHOY_DIGEST_SHA512_256] = found.ha1[AHOY_DIGEST_SHA256];
    struct ahoyd_change *change =
        ahoyd_change_user(AHOYD_CHANGE_USER_PUT, SPAN("alice"), SPAN("b.example"), &found);
    changes_submit(&changes, store, change);
    assert_int_equal(changes_end(&changes), 200);
    assert_false(ahoyd_store_lacks(store, SPAN("b.example"), AHOY_DIGEST_SHA512_256));
    ahoyd_store_close(store);
    store = open_at(&place, now_ms);
    assert_false(ahoyd_store_lacks(store, SPAN("b.example"), AHOY_DIGEST_SHA512_256));
    ahoyd_store_close(store);
    remove_place(&place);
}

/* And one that knew of no aliases. */
static void test_second_form(void **state)
{
    (void)state;
    struct place place = new_place(AHOYD_STORE_SQLITE);
    struct ahoyd_store *store = open_at(&place, now_ms);
    assert_int_equal(change_user(store, AHOYD_CHANGE_USER_PUT, "bob"), 200);
    ahoyd_store_close(store);
    run_sql(&place, "DROP TABLE aliases; PRAGMA user_version = 2;");
    store = open_at(&place, now_ms);
    assert_true(ahoyd_store_user(store, SPAN("bob"), SPAN("b.example"), NULL));
    assert_int_equal(change_alias(store, AHOYD_CHANGE_ALIAS_PUT, "100", "bob"), 200);
    ahoyd_store_close(store);
    store = open_at(&place, now_ms);
    assert_string_equal(meant(store, "100", "b.example"), "bob");
    ahoyd_store_close(store);
    remove_place(&place);
}

/* And one that wrote states with all their texts, each as often as it came. */
static void test_third_form(void **state)
{
    (void)state;
    struct place place = new_place(AHOYD_STORE_SQLITE);
    ahoyd_store_close(open_at(&place, now_ms));
    run_sql(&place,
            "DROP TABLE log; CREATE TABLE log (row INTEGER PRIMARY KEY AUTOINCREMENT,"
            " aor BLOB NOT NULL, state BLOB NOT NULL);"
            "INSERT INTO log (aor, state) VALUES (CAST('a@bench.example' AS BLOB),"
            " x'8301637ad222a201000005000000e80301000000000000000000000004de3a0000000010007f000001"
            "0000000000000000000000000f007369703a61403139322e302e322e31040063616c6ce38b9b22a2010000"
            "000000001d003b2b7369702e696e7374616e63653d223c75726e3a757569643a313e220c003c75726e3a75"
            "7569643a313e0000e38b9b22a2010000a77332cd');"
            "PRAGMA user_version = 3;");
    for (unsigned i = 0; i < 2; i++) {
        struct ahoyd_store *store = open_at(&place, now_ms);
        assert_int_equal(count_of(store, "a@bench.example", now_ms), 1);
        assert_int_equal(put(store, "a@bench.example", "sip:b@192.0.2.1", 60, 6 + i), 200);
        assert_int_equal(count_of(store, "a@bench.example", now_ms), 2);
        ahoyd_store_close(store);
        store = open_at(&place, now_ms);
        assert_int_equal(count_of(store, "a@bench.example", now_ms), 2);
        assert_int_equal(put(store, "a@bench.example", "sip:b@192.0.2.1", 0, 7 + i), 200);
        ahoyd_store_close(store);
    }
    remove_place(&place);
}

/* A damaged row is left out, the others are there. */
static void test_damage(void **state)
{
    (void)state;
    static const char *const damages[] = {
        "UPDATE log SET state = x'02ff' WHERE row = 2",
        "UPDATE log SET state = x'' WHERE row = 2",
        "UPDATE log SET state = substr(state, 1, length(state) - 1) WHERE row = 2",
        "UPDATE log SET state = CAST(state || x'00' AS BLOB) WHERE row = 2",
        "UPDATE log SET aor = '' WHERE row = 2",
    };
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        struct place place = new_place(AHOYD_STORE_SQLITE);
        struct ahoyd_store *store = open_at(&place, now_ms);
        assert_int_equal(put(store, "a@b.example", "sip:a@192.0.2.1", 60, 1), 200);
        assert_int_equal(put(store, "b@b.example", "sip:b@192.0.2.1", 60, 1), 200);
        ahoyd_store_close(store);
        run_sql(&place, damages[i]);
        store = open_at(&place, now_ms);
        assert_int_equal(count_of(store, "a@b.example", now_ms), 1);
        assert_int_equal(count_of(store, "b@b.example", now_ms), 0);
        ahoyd_store_close(store);
        remove_place(&place);
    }
}

static void assert_refused(const struct place *place, const char *what)
{
    char fault[256] = "";
    struct ahoyd_store_options options = { .kind = AHOYD_STORE_SQLITE,
                                           .path = place->path,
                                           .now_ms = now_ms };
    assert_null(ahoyd_store_open(&options, fault, sizeof fault));
    if (strstr(fault, what) == NULL)
        fail_msg("said \"%s\", not \"%s\"", fault, what);
}

static void test_files_that_are_not_ours(void **state)
{
    (void)state;
    struct place place = new_place(AHOYD_STORE_SQLITE);
    struct ahoyd_store *store = open_at(&place, now_ms);
    assert_int_equal(access(place.path, R_OK), 0);
    assert_refused(&place, "is in use");
    ahoyd_store_close(store);
    run_sql(&place, "PRAGMA user_version = 9");
    assert_refused(&place, "newer Ahoy");
    run_sql(&place, "PRAGMA application_id = 7");
    assert_refused(&place, "not a store of Ahoy's");
    FILE *file = fopen(place.path, "w");
    assert_non_null(file);
    for (unsigned i = 0; i < 100; i++)
        fputs("this is no database at all, ", file);
    fclose(file);
    assert_refused(&place, "cannot be opened");
    remove_place(&place);
    struct place nowhere = { .path = "/nonexistent/ahoy.db" };
    assert_refused(&nowhere, "No such file");
}

/* Readers never see half a change, whatever the writer does. */
static void *read_on(void *context)
{
    struct ahoyd_store *store = context;
    struct ahoy_bindings bindings;
    for (unsigned i = 0; i < 20000; i++) {
        if (ahoyd_store_find(store, SPAN("a@b.example"), now_ms, &bindings)) {
            assert_int_equal(bindings.count, 1);
            assert_true(ahoy_span_equal(bindings.list[0].contact, SPAN("sip:a@192.0.2.1")));
        }
    }
    return NULL;
}

static void test_readers_and_writer(void **state)
{
    (void)state;
    struct place place = new_place(AHOYD_STORE_SQLITE);
    struct ahoyd_store *store = open_at(&place, now_ms);
    pthread_t readers[3];
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, read_on, store), 0);
    for (uint32_t i = 1; i <= 500; i++)
        submit(store, "a@b.example", "sip:a@192.0.2.1", i % 2 == 1 ? 60 : 0, i, now_ms);
    changes_end(&changes);
    for (size_t i = 0; i < 3; i++)
        pthread_join(readers[i], NULL);
    ahoyd_store_close(store);
    remove_place(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_bindings),
        cmocka_unit_test(test_sqlite_bindings),
        cmocka_unit_test(test_order_in_a_group),
        cmocka_unit_test(test_compaction),
        cmocka_unit_test(test_users),
        cmocka_unit_test(test_aliases),
        cmocka_unit_test(test_first_form),
        cmocka_unit_test(test_second_form),
        cmocka_unit_test(test_third_form),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_files_that_are_not_ours),
        cmocka_unit_test(test_readers_and_writer),
    };
    changes_init(&changes);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
