/* What holds for the values of every header in the table. */
#include "libahoy/syntax/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/bytes.h"

/* All values of the seed are sound. */
static void expect_seed(enum ahoy_header header)
{
    struct span name = ahoy_header_name(header);
    char path[100];
    int size = snprintf(path, sizeof path, "fuzz/corpus/header/%.*s", (int)name.size, name.at);
    assert_in_range(size, 1, sizeof path - 1);
    struct span seed = test_file(path);
    assert_true(seed.size > name.size && seed.at[name.size] == ':');
    struct span rest = ahoy_span_trim(ahoy_span_after(seed, name.size + 1));
    struct span item = rest;
    struct ahoy_value value;
    struct ahoy_err err = { .expected = NULL };
    bool is_list = ahoy_header_is_list(header);
    while (!is_list || ahoy_header_next(header, &rest, &item, &err)) {
        if (!ahoy_value_parse(header, item, &value, &err))
            fail_msg("%s: expected %s", path, err.expected);
        assert_int_equal(value.form, ahoy_header_form(header));
        if (!is_list)
            break;
    }
    assert_null(err.expected);
}

/* A header without a seed is not fuzzed: see docs/adding-a-header.md. */
static void test_every_header_has_a_seed(void **state)
{
    (void)state;
    for (unsigned i = 1; i < AHOY_HEADER_COUNT; i++)
        expect_seed((enum ahoy_header)i);
}

static void test_every_header_refuses_something(void **state)
{
    (void)state;
    for (unsigned i = 0; i < AHOY_HEADER_COUNT; i++) {
        struct span text = test_text("\x01");
        struct ahoy_value value;
        struct ahoy_err err;
        assert_false(ahoy_value_parse((enum ahoy_header)i, text, &value, &err));
        assert_ptr_equal(err.at, text.at);
        assert_int_equal(err.status, 400);
    }
}

static void test_no_value(void **state)
{
    (void)state;
    for (unsigned i = 0; i < AHOY_HEADER_COUNT; i++) {
        enum ahoy_header header = (enum ahoy_header)i;
        bool may_be_empty = ahoy_header_form(header) == AHOY_FORM_TEXT;
        struct ahoy_value value;
        struct span none = { NULL, 0 };
        assert_int_equal(ahoy_value_parse(header, none, &value, NULL), may_be_empty);
        assert_int_equal(ahoy_value_parse(header, test_text(" \r\n "), &value, NULL), may_be_empty);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_every_header_has_a_seed, test_free_all),
        cmocka_unit_test_teardown(test_every_header_refuses_something, test_free_all),
        cmocka_unit_test_teardown(test_no_value, test_free_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
