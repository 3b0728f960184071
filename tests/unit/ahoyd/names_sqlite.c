/* Users in a file of SQLite: what is said of one that cannot be used, and what becomes of changes
 * that cannot be written.  The rest: tests/live/test_users_file.py. */
#include "ahoyd/store/store.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "tests/support/changes.h"
#include "tests/support/frail_disk.h"

#define REALM "atlanta.example"

static struct changes changes;

struct place {
    char folder[64];
    char path[96];
};

static struct place new_place(void)
{
    struct place place = { .folder = "/tmp/ahoy-names-XXXXXX" };
    assert_non_null(mkdtemp(place.folder));
    snprintf(place.path, sizeof place.path, "%s/users.db", place.folder);
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

static struct ahoyd_store *open_at(const char *path, char *fault, size_t fault_size)
{
    const struct ahoyd_store_options options = { .kind = AHOYD_STORE_MEMORY,
                                                 .users = AHOYD_STORE_SQLITE,
                                                 .users_path = path,
                                                 .now_ms = 1700000000000 };
    return ahoyd_store_open(&options, fault, fault_size);
}

static sqlite3 *open_beside(const char *path)
{
    sqlite3 *database;
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    return database;
}

static void run(sqlite3 *database, const char *sql)
{
    assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
}

static void expect_fault(const char *path, const char *what)
{
    char fault[512] = "";
    assert_null(open_at(path, fault, sizeof fault));
    if (strstr(fault, path) == NULL || strstr(fault, what) == NULL)
        fail_msg("\"%s\" is not in: %s", what, fault);
}

static void test_files_of_others(void **state)
{
    static const struct {
        const char *sql, *fault;
    } files[] = {
        { "CREATE TABLE ahoy_users (name TEXT)", "was not made by Ahoy; rename it" },
        { "CREATE TABLE ahoy_schema (version INTEGER)", "was not made by Ahoy; rename it" },
        { "CREATE TABLE ahoy_schema (version INTEGER); INSERT INTO ahoy_schema VALUES (2)",
          "of a newer Ahoy; use that one" },
        { "PRAGMA application_id = 0x41686f79; CREATE TABLE users (user BLOB)",
          "it is a store of Ahoy's" },
    };
    (void)state; /* There is none. */
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct place place = new_place();
        sqlite3 *database = open_beside(place.path);
        run(database, files[i].sql);
        sqlite3_close(database);
        expect_fault(place.path, files[i].fault);
        remove_place(&place);
    }
}

static void test_what_is_no_database(void **state)
{
    struct place place = new_place();
    (void)state; /* There is none. */
    FILE *file = fopen(place.path, "w");
    for (int i = 0; i < 1000; i++)
        assert_true(fputs("not a database; ", file) >= 0);
    assert_int_equal(fclose(file), 0);
    expect_fault(place.path, "file is not a database; name another file");
    remove_place(&place);
    expect_fault("/tmp/ahoy-names-nowhere/users.db", "No such file or directory; make its folder");
    expect_fault("/tmp", "cannot be used");
}

static void test_one_that_is_locked(void **state)
{
    struct place place = new_place();
    (void)state; /* There is none. */
    sqlite3 *database = open_beside(place.path);
    run(database, "CREATE TABLE theirs (number INTEGER); BEGIN EXCLUSIVE");
    expect_fault(place.path, "another program has it");
    sqlite3_close(database);
    char fault[512] = "";
    struct ahoyd_store *store = open_at(place.path, fault, sizeof fault);
    assert_non_null(store);
    ahoyd_store_close(store);
    remove_place(&place);
}

static unsigned change(struct ahoyd_store *store, struct ahoyd_change *change)
{
    changes_submit(&changes, store, change);
    return changes_end(&changes);
}

static unsigned put_user(struct ahoyd_store *store, const char *name)
{
    const struct ahoyd_user credentials = {
        .ha1[AHOY_DIGEST_MD5] = { .size = 32, .text = "0123456789abcdef0123456789abcdef" }
    };
    return change(store, ahoyd_change_user(AHOYD_CHANGE_USER_PUT, ahoy_span(name), SPAN(REALM),
                                           &credentials));
}

static bool is_known(struct ahoyd_store *store, const char *name)
{
    struct ahoyd_user credentials;
    return ahoyd_store_user(store, ahoy_span(name), SPAN(REALM), &credentials);
}

/* What could not be written is not served, and what was there is, before and after. */
static void test_a_full_disk(void **state)
{
    char fault[512] = "";
    struct place place = new_place();
    struct frail_disk *disk = frail_disk_new(1);
    (void)state; /* There is none. */
    assert_non_null(disk);
    struct ahoyd_store *store = open_at(place.path, fault, sizeof fault);
    if (store == NULL)
        fail_msg("%s", fault);
    assert_int_equal(put_user(store, "alice"), 200);
    frail_disk_refuse(disk, SQLITE_FULL);
    assert_int_equal(put_user(store, "bob"), 503);
    assert_false(is_known(store, "bob"));
    assert_true(is_known(store, "alice"));
    frail_disk_refuse(disk, SQLITE_OK);
    assert_int_equal(put_user(store, "bob"), 200);
    assert_true(is_known(store, "bob"));
    ahoyd_store_close(store);
    store = open_at(place.path, fault, sizeof fault);
    assert_true(is_known(store, "alice") && is_known(store, "bob"));
    ahoyd_store_close(store);
    frail_disk_free(disk);
    remove_place(&place);
}

/* Another may have removed the user after it was looked. */
static void test_an_alias_of_nobody(void **state)
{
    char fault[512] = "";
    struct place place = new_place();
    (void)state; /* There is none. */
    struct ahoyd_store *store = open_at(place.path, fault, sizeof fault);
    assert_int_equal(put_user(store, "alice"), 200);
    sqlite3 *database = open_beside(place.path);
    run(database, "BEGIN IMMEDIATE; DELETE FROM ahoy_users");
    changes_submit(
        &changes, store,
        ahoyd_change_alias(AHOYD_CHANGE_ALIAS_PUT, SPAN("100"), SPAN(REALM), SPAN("alice")));
    usleep(100000); /* Mostly the change has come by then, and waits. */
    run(database, "COMMIT");
    assert_int_not_equal(changes_end(&changes), 200);
    sqlite3_close(database);
    ahoyd_store_close(store);
    remove_place(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files_of_others),    cmocka_unit_test(test_what_is_no_database),
        cmocka_unit_test(test_one_that_is_locked), cmocka_unit_test(test_a_full_disk),
        cmocka_unit_test(test_an_alias_of_nobody),
    };
    changes_init(&changes);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
