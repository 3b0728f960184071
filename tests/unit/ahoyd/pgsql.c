/* What the PostgreSQL engine makes of answers, whatever has been written into the tables and
 * whoever answers.  The rest: tests/live/test_pgsql.py and test_users.py. */
#include "ahoyd/store/pgsql_inside.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MD5      "0123456789abcdef0123456789abcdef"
#define SHA      MD5 MD5
#define REALM    "atlanta.example"
#define LONG_64  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define LONG_256 LONG_64 LONG_64 LONG_64 LONG_64

/* An answer with these columns, all of them binary; NULL is NULL. */
static PGresult *answer(const struct span *values, int columns)
{
    PGresAttDesc descriptions[NAME_ROW_COLUMNS];
    PGresult *result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
    for (int i = 0; i < columns; i++)
        descriptions[i] = (PGresAttDesc){ .name = (char *)(uintptr_t) "column", .format = 1 };
    assert_int_not_equal(PQsetResultAttrs(result, columns, descriptions), 0);
    for (int i = 0; i < columns; i++) {
        const int size = values[i].at != NULL ? (int)values[i].size : -1;
        assert_int_not_equal(PQsetvalue(result, 0, i, (char *)(uintptr_t)values[i].at, size), 0);
    }
    return result;
}

/* What was said in the log. */
struct told {
    unsigned count;
    char last[512];
};

static void take_line(void *context, enum ahoy_log_level level, const char *line)
{
    struct told *told = context;
    (void)level; /* All are warnings. */
    told->count++;
    snprintf(told->last, sizeof told->last, "%s", line);
}

struct user_case {
    const char *name, *realm, *md5, *sha256, *sha512_256, *alias_of;
    const char *why; /* Part of it; NULL: it is served. */
};

static const struct user_case user_cases[] = {
    { "alice", REALM, MD5, SHA, SHA, NULL, NULL },
    { "alice", REALM, MD5, NULL, "", NULL, NULL },
    { "100", REALM, NULL, NULL, NULL, "alice", NULL },
    { "alice", REALM, NULL, NULL, NULL, NULL, "neither an HA1" },
    { "alice", REALM, "", "", "", NULL, "neither an HA1" },
    { "alice", REALM, "0123456789ABCDEF0123456789ABCDEF", NULL, NULL, NULL, "lower-case hex" },
    { "alice", REALM, SHA, NULL, NULL, NULL, "lower-case hex" },
    { "alice", REALM, MD5, MD5, NULL, NULL, "lower-case hex" },
    { "alice", REALM, MD5, NULL, SHA "0", NULL, "lower-case hex" },
    { "100", REALM, MD5, NULL, NULL, "alice", "an alias has no HA1" },
    { "100", REALM, NULL, NULL, NULL, "", "alias_of" },
    { "100", REALM, NULL, NULL, NULL, "a@b", "alias_of" },
    { "", REALM, MD5, NULL, NULL, NULL, "its name" },
    { NULL, REALM, MD5, NULL, NULL, NULL, "its name" },
    { "a b", REALM, MD5, NULL, NULL, NULL, "its name" },
    { LONG_256, REALM, MD5, NULL, NULL, NULL, "its name" },
    { "alice", "", MD5, NULL, NULL, NULL, "its realm" },
    { "alice", NULL, MD5, NULL, NULL, NULL, "its realm" },
    { "alice", "Atlanta.example", MD5, NULL, NULL, NULL, "lower case" },
    { "alice", LONG_256, MD5, NULL, NULL, NULL, "its realm" },
};

static struct span text_of(const char *text)
{
    return text != NULL ? ahoy_span(text) : (struct span){ NULL, 0 };
}

static void fill(const struct user_case *user, const struct name_number numbers[2],
                 struct span values[NAME_ROW_COLUMNS])
{
    values[NAME_ROW_ID] = (struct span){ numbers[0].bytes, sizeof numbers[0].bytes };
    values[NAME_ROW_VERSION] = (struct span){ numbers[1].bytes, sizeof numbers[1].bytes };
    values[NAME_ROW_NAME] = text_of(user->name);
    values[NAME_ROW_REALM] = text_of(user->realm);
    values[NAME_ROW_MD5] = text_of(user->md5);
    values[NAME_ROW_SHA256] = text_of(user->sha256);
    values[NAME_ROW_SHA512_256] = text_of(user->sha512_256);
    values[NAME_ROW_ALIAS_OF] = text_of(user->alias_of);
}

static void test_users(void **state)
{
    static struct name_space space;
    const struct name_number numbers[2] = { name_number(1), name_number(1ULL << 63 | 7) };
    (void)state; /* There is none. */
    for (size_t i = 0; i < sizeof user_cases / sizeof *user_cases; i++) {
        const struct user_case *user = &user_cases[i];
        struct span values[NAME_ROW_COLUMNS];
        struct shared_row row;
        fill(user, numbers, values);
        const char *why = name_row_read(values, &space, &row);
        assert_true(row.version == (1ULL << 63 | 7));
        assert_int_equal(why == NULL, user->why == NULL);
        assert_int_equal(row.bytes.size > 0, user->why == NULL);
        if (why != NULL)
            assert_non_null(strstr(why, user->why));
    }
}

static void test_what_is_served(void **state)
{
    static struct name_space space;
    const struct name_number numbers[2] = { name_number(1), name_number(2) };
    struct span values[NAME_ROW_COLUMNS];
    struct shared_row row;
    struct shared_name name;
    (void)state; /* There is none. */
    fill(&user_cases[1], numbers, values);
    assert_null(name_row_read(values, &space, &row));
    assert_true(ahoy_span_equal(row.key, SPAN("u:alice@" REALM)));
    assert_true(shared_read_name(row.bytes, &name));
    assert_true(ahoy_span_equal(name.ha1[AHOY_DIGEST_MD5], SPAN(MD5)));
    assert_int_equal(name.ha1[AHOY_DIGEST_SHA256].size, 0);
    assert_int_equal(name.means.size, 0);
    fill(&user_cases[2], numbers, values);
    assert_null(name_row_read(values, &space, &row));
    assert_true(shared_read_name(row.bytes, &name));
    assert_true(ahoy_span_equal(name.means, SPAN("alice")));
    /* There is no row, or one of which nothing can be told apart. */
    values[NAME_ROW_VERSION] = (struct span){ NULL, 0 };
    assert_null(name_row_read(values, &space, &row));
    assert_true(row.version == 0 && row.key.size == 0 && row.bytes.size == 0);
    values[NAME_ROW_VERSION] = SPAN("1");
    assert_non_null(strstr(name_row_read(values, &space, &row), "version"));
    assert_true(row.version == 0 && row.bytes.size == 0);
}

static void test_rows(void **state)
{
    const struct name_number five = name_number(5);
    struct span values[PGSQL_ROW_COLUMNS] = { SPAN_INIT("b:a@b"),
                                              { five.bytes, 8 },
                                              SPAN_INIT("bytes") };
    struct shared_row row;
    (void)state; /* There is none. */
    assert_null(pgsql_row_read(values, NULL, &row));
    assert_true(ahoy_span_equal(row.key, SPAN("b:a@b")) && row.version == 5);
    assert_true(ahoy_span_equal(row.bytes, SPAN("bytes")) && !row.is_gone);
    values[PGSQL_ROW_BYTES].size = 0;
    assert_null(pgsql_row_read(values, NULL, &row));
    assert_true(row.version == 5 && row.bytes.size == 0 && row.is_gone);
    for (size_t i = 0; i < PGSQL_ROW_COLUMNS; i++)
        values[i] = (struct span){ NULL, 0 };
    assert_null(pgsql_row_read(values, NULL, &row));
    assert_true(row.key.size == 0 && row.version == 0 && row.bytes.size == 0 && !row.is_gone);
}

/* Columns that are missing, too many, as text; and no rows at all. */
static void test_results(void **state)
{
    struct span values[] = { SPAN_INIT("a"), { NULL, 0 } };
    PGresAttDesc text = { .name = (char *)(uintptr_t) "text", .format = 0 };
    (void)state; /* There is none. */
    PGresult *result = answer(values, 2);
    assert_true(pgsql_result_fits(result, 2));
    assert_false(pgsql_result_fits(result, 1));
    assert_false(pgsql_result_fits(result, 3));
    assert_true(ahoy_span_equal(pgsql_value_of(result, 0, 0), SPAN("a")));
    assert_null(pgsql_value_of(result, 0, 1).at);
    assert_null(pgsql_value_of(result, 0, 2).at);
    assert_null(pgsql_value_of(result, 1, 0).at);
    assert_null(pgsql_value_of(result, -1, 0).at);
    PQclear(result);
    result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
    assert_int_not_equal(PQsetResultAttrs(result, 1, &text), 0);
    assert_false(pgsql_result_fits(result, 1));
    PQclear(result);
    result = PQmakeEmptyPGresult(NULL, PGRES_COMMAND_OK);
    assert_false(pgsql_result_fits(result, 0));
    PQclear(result);
    result = PQmakeEmptyPGresult(NULL, PGRES_FATAL_ERROR);
    assert_false(pgsql_result_fits(result, 0));
    PQclear(result);
}

/* A row is named once, and again when it is another one that cannot be served either. */
static void test_each_is_named_once(void **state)
{
    struct told told = { .count = 0 };
    const struct ahoy_log log = { .sink = take_line, .context = &told, .level = AHOY_LOG_INFO };
    struct pgsql *pgsql = calloc(1, sizeof *pgsql);
    const struct user_case bad = { .name = "alice", .realm = REALM, .md5 = "secret" };
    struct shared_row row;
    (void)state; /* There is none. */
    assert_non_null(pgsql);
    pgsql->table = &pgsql_users;
    pgsql->faults = (struct name_faults){ .log = &log, .place = "PostgreSQL" };
    for (uint64_t version = 1; version <= NAME_FAULTS_LIMIT + 5; version++) {
        const struct name_number numbers[2] = { name_number(41), name_number(version) };
        struct span values[NAME_ROW_COLUMNS];
        fill(&bad, numbers, values);
        PGresult *result = answer(values, NAME_ROW_COLUMNS);
        for (int again = 0; again < 2; again++)
            pgsql_take_row(pgsql, result, 0, &row);
        if (version <= 2) {
            assert_int_equal(told.count, version);
            assert_non_null(strstr(told.last, "the id 41 is not served: md5"));
            assert_null(strstr(told.last, "secret"));
        }
        PQclear(result);
    }
    assert_int_equal(told.count, NAME_FAULTS_LIMIT + 1); /* And that there are more. */
    free(pgsql);
}

/* More has changed than can be asked for: all is read again, but not before it listens, or what
 * changes meanwhile would never be heard of. */
static void test_reads_again_once_it_listens(void **state)
{
    static const struct {
        enum pgsql_stage before, after;
    } cases[] = { { PGSQL_PREPARING, PGSQL_PREPARING },
                  { PGSQL_COMPARING, PGSQL_COMPARING },
                  { PGSQL_LISTENING, PGSQL_LISTENING },
                  { PGSQL_READING, PGSQL_READING },
                  { PGSQL_WATCHING, PGSQL_READING } };
    (void)state; /* It is static. */
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pgsql *pgsql = calloc(1, sizeof *pgsql); /* Without a connection. */
        assert_non_null(pgsql);
        pgsql->table = &pgsql_rows;
        shared_requests_init(&pgsql->watcher.looks);
        pgsql->watcher.link.state = PGSQL_IDLE;
        pgsql->watcher.stage = cases[i].before;
        pgsql->watcher.is_overrun = true;
        pgsql_watch_step(pgsql, 0);
        assert_int_equal(pgsql->watcher.stage, cases[i].after);
        pgsql_watch_fini(pgsql);
        free(pgsql);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_users),
        cmocka_unit_test(test_what_is_served),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_results),
        cmocka_unit_test(test_each_is_named_once),
        cmocka_unit_test(test_reads_again_once_it_listens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
