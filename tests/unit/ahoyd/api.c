/* The API without its sockets: its paths are those that are described, its guard lets in whoever it
 * should. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "ahoyd/api_files.h"
#include "ahoyd/api_guard.h"
#include "ahoyd/api_paths.h"

/* How often |paths| has |method|: how many operations there are, with "get" and so on. */
static size_t count_operations(const json_t *paths)
{
    size_t count = 0;
    const char *path;
    json_t *methods;
    json_object_foreach((json_t *)(uintptr_t)paths, path, methods)
    {
        count += json_object_size(methods);
    }
    return count;
}

static void every_path_is_described(void **state)
{
    (void)state;
    const struct ahoyd_api_file *file = ahoyd_api_file("/api/openapi.json");
    json_t *doc = json_loadb((const char *)file->bytes, *file->size, 0, NULL);
    const json_t *paths = json_object_get(doc, "paths");
    for (size_t i = 0; i < ahoyd_api_path_count; i++) {
        const struct ahoyd_api_path *row = &ahoyd_api_paths[i];
        char path[64], method[8] = "";
        snprintf(path, sizeof path, row->name != NULL ? "%s{%s}" : "%s", row->path, row->name);
        for (size_t j = 0; row->method[j] != '\0'; j++)
            method[j] = (char)(row->method[j] | 0x20);
        if (json_object_get(json_object_get(paths, path), method) == NULL)
            fail_msg("docs/openapi.json lacks %s %s", row->method, path);
    }
    assert_int_equal(count_operations(paths), ahoyd_api_path_count + 1); /* And itself. */
    json_decref(doc);
}

static void a_path_is_a_verb(void **state)
{
    (void)state;
    char space[32];
    struct ahoy_buf allowed = ahoy_buf_over(space, sizeof space);
    json_t *request = json_object();
    const struct ahoyd_api_path *row = ahoyd_api_find("PUT", "/api/users/a@b@c", &allowed);
    assert_string_equal(row->verb, "user-add");
    assert_true(ahoyd_api_read_name(row, "/api/users/a@b@c", request));
    assert_string_equal(json_string_value(json_object_get(request, "user")), "a@b");
    assert_string_equal(json_string_value(json_object_get(request, "realm")), "c");
    assert_false(ahoyd_api_read_name(row, "/api/users/a", request));
    assert_false(ahoyd_api_read_name(row, "/api/users/\xff@c", request));
    row = ahoyd_api_find("GET", "/api/calls/a/b?c", &allowed);
    assert_true(ahoyd_api_read_name(row, "/api/calls/a/b?c", request));
    assert_string_equal(json_string_value(json_object_get(request, "call_id")), "a/b?c");
    assert_null(ahoyd_api_find("PATCH", "/api/users/a@b", &allowed));
    assert_true(ahoy_span_equal(ahoy_buf_text(&allowed), SPAN("PUT, DELETE")));
    json_decref(request);
}

static void a_query_is_known(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value;
        bool sound;
    } rows[] = { { "search", "12", true },      { "search", "\xff", false },
                 { "limit", "12", true },       { "limit", "twelve", false },
                 { "from", "[1,2]", true },     { "from", "[1", false },
                 { "verb", "user-add", false }, { "", "", false } };
    json_t *request = json_object();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(ahoyd_api_read_query(rows[i].name, rows[i].value, request), rows[i].sound);
    assert_true(json_is_string(json_object_get(request, "search")));
    assert_true(json_is_integer(json_object_get(request, "limit")));
    json_decref(request);
}

/* A name that a stranger's DNS leads to us is in his pages' Host, and his own in their Origin. */
static void pages_of_others_are_told(void **state)
{
    (void)state;
    static const struct span names[] = { SPAN_INIT("ahoy.example") };
    static const struct {
        const char *host;
        bool is_ours;
    } hosts[] = {
        { "127.0.0.1:9465", true },  { "[::1]:9465", true },      { "::1", true },
        { "localhost", true },       { "LOCALHOST:1", true },     { "ahoy.example:443", true },
        { "evil.example", false },   { "localhost.evil", false }, { "", false },
        { "127.0.0.1.evil", false }, { ":9465", false },          { "ahoy.example.", false },
        { "ahoy.example:x", false }
    };
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++)
        assert_int_equal(ahoyd_api_host_is_ours(ahoy_span(hosts[i].host), names, 1),
                         hosts[i].is_ours);
    struct span host = SPAN("127.0.0.1:9465");
    assert_true(ahoyd_api_origin_is_ours(SPAN("http://127.0.0.1:9465"), host));
    assert_true(ahoyd_api_origin_is_ours(SPAN("https://127.0.0.1:9465"), host));
    assert_false(ahoyd_api_origin_is_ours(SPAN("http://127.0.0.1:80"), host));
    assert_false(ahoyd_api_origin_is_ours(SPAN("ftp://127.0.0.1:9465"), host));
    assert_false(ahoyd_api_origin_is_ours(SPAN("null"), host));
}

static void a_session_ends(void **state)
{
    (void)state;
    char folder[] = "/tmp/ahoy-api-XXXXXX", path[64], fault[512];
    struct ahoyd_api_guard guard;
    struct ahoyd_api_cookie first, other;
    struct stat status;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/token", folder);
    assert_true(ahoyd_api_guard_init(&guard, path, fault, sizeof fault));
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_false(ahoyd_api_guard_knows(&guard, SPAN("")));
    assert_true(ahoyd_api_guard_admit(&guard, 1000, &first));
    struct span cookie = ahoy_span(first.text);
    assert_true(ahoyd_api_guard_remembers(&guard, cookie, 1000));
    assert_false(ahoyd_api_guard_remembers(&guard, SPAN(""), 1000));
    assert_false(ahoyd_api_guard_remembers(&guard, cookie, 1000 + AHOYD_SESSION_MS));
    for (int i = 1; i < AHOYD_SESSIONS_LIMIT; i++)
        assert_true(ahoyd_api_guard_admit(&guard, 1000, &other));
    assert_true(ahoyd_api_guard_remembers(&guard, cookie, 1000));
    assert_true(ahoyd_api_guard_admit(&guard, 1000, &other));
    assert_false(ahoyd_api_guard_remembers(&guard, cookie, 1000));
    ahoyd_api_guard_forget(&guard, ahoy_span(other.text));
    assert_false(ahoyd_api_guard_remembers(&guard, ahoy_span(other.text), 1000));
    unlink(path);
    assert_int_equal(symlink("/dev/null", path), 0);
    assert_false(ahoyd_api_guard_init(&guard, path, fault, sizeof fault));
    unlink(path);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_path_is_described), cmocka_unit_test(a_path_is_a_verb),
        cmocka_unit_test(a_query_is_known),        cmocka_unit_test(pages_of_others_are_told),
        cmocka_unit_test(a_session_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
