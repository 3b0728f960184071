/* What is said of two configurations: what has come, gone and changed, by name, and which of it
 * needs a restart. */
#include "ahoyd/difference.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define BASE "listen \"udp:127.0.0.1:5060\"\nstore \"memory:\"\ndomain(\"a.example\")\n"

struct lines {
    char text[1024];
    size_t size;
    unsigned fixed;
};

static void told(void *context, const char *file, int line, const char *what)
{
    (void)context;
    fail_msg("%s:%d: %s", file, line, what);
}

static struct ahoyd_config *parse(const char *text)
{
    struct ahoyd_config_faults faults = { .told = told };
    struct ahoyd_config *config = ahoyd_config_parse(text, strlen(text), "/test.lua", &faults);
    assert_non_null(config);
    return config;
}

static void add(void *context, const struct ahoyd_difference *difference)
{
    struct lines *lines = context;
    struct ahoy_buf buf = ahoy_buf_over(lines->text + lines->size, AHOYD_DIFFERENCE_SIZE);
    ahoyd_difference_print(difference, &buf);
    ahoy_buf_put_byte(&buf, ';');
    lines->size += buf.size;
    lines->fixed += ahoyd_difference_needs_restart(difference);
}

/* "+ a;~ b;" for what makes |after| of |before|, and how much of it needs a restart. */
static void expect(const char *before, const char *after, const char *text, unsigned fixed)
{
    struct ahoyd_config *old = parse(before);
    struct ahoyd_config *new = parse(after);
    struct lines lines = { .size = 0 };
    ahoyd_difference_find(old, new, add, &lines);
    assert_string_equal(lines.text, text);
    assert_int_equal(lines.fixed, fixed);
    ahoyd_config_free(old);
    ahoyd_config_free(new);
}

static void the_same_differs_in_nothing(void **state)
{
    (void)state;
    expect(BASE, BASE, "", 0);
    expect(BASE "trunk(\"t\", { \"sip:127.0.0.2\" }, { probe = 60, trusted = true })\n",
           "-- Elsewhere, and in another order.\n" BASE
           "trunk(\"t\", { \"sip:127.0.0.2\" }, { trusted = true, probe = 60 })\n",
           "", 0);
}

static void names_come_go_and_change(void **state)
{
    (void)state;
    expect(BASE "trunk(\"t\", { \"sip:127.0.0.2\" })\ntrunk(\"u\", { \"sip:127.0.0.2\" })\n",
           BASE "listen \"udp:127.0.0.1:5070\"\ntrunk(\"u\", { \"sip:127.0.0.3\" })\n",
           "+ listen udp:127.0.0.1:5070;~ trunk u;- trunk t;", 0);
    expect(BASE, BASE "overload { target = 50 }\n", "+ overload;", 0);
    expect("listen \"udp:127.0.0.1:5060\"\nstore \"memory:\"\n"
           "domain(\"a.example\", { max_expires = 600 })\n",
           BASE, "~ domain a.example;", 0);
}

#define R(status) "route { user = \"u" status "\", reject = " status " }\n"

static void routes_are_a_list(void **state)
{
    (void)state;
    expect(BASE R("404") R("405"), BASE R("404") R("406") R("405"), "+ route 2;", 0);
    expect(BASE R("404") R("406") R("405"), BASE R("404") R("405"), "- route 2;", 0);
    expect(BASE R("404") R("405") R("406"), BASE R("404") R("407") R("406"), "~ route 2;", 0);
    expect(BASE R("404") R("405"), BASE R("405") R("404"), "~ route 1;~ route 2;", 0);
    expect(BASE R("404"), BASE, "- route 1;", 0);
    expect(BASE, BASE R("404") R("405"), "+ route 1;+ route 2;", 0);
}

#define WHEN(body, limit)                                                                          \
    "local limit = " limit "\nroute { domain = \"x.example\", from = \"anyone\", reject = 404,"    \
    " when = function(call) return " body " end }\n"

/* A function counts by its code and what it keeps, not by where it stands. */
static void functions_are_compared(void **state)
{
    (void)state;
    expect(BASE WHEN("limit > 1", "1"), BASE "\n\n" WHEN("limit > 1", "1"), "", 0);
    expect(BASE WHEN("limit > 1", "1"), BASE WHEN("limit > 2", "1"), "~ route 1;", 0);
    expect(BASE WHEN("limit > 1", "1"), BASE WHEN("limit > 1", "2"), "~ route 1;", 0);
}

static void some_need_a_restart(void **state)
{
    (void)state;
    expect(BASE, BASE "workers(2)\n", "+ workers;", 1);
    expect(BASE "workers(2)\n", BASE "workers(3)\n", "~ workers;", 1);
    expect(BASE "control \"unix:a\"\n", BASE "control \"unix:b\"\n", "~ control unix:b;", 1);
    expect(BASE "workers(2)\n", BASE, "- workers;", 1);
    expect(BASE, BASE "process { filter = false }\n", "+ process;", 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_differs_in_nothing), cmocka_unit_test(names_come_go_and_change),
        cmocka_unit_test(routes_are_a_list),           cmocka_unit_test(functions_are_compared),
        cmocka_unit_test(some_need_a_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
