/* Parameters and comma lists (RFC 3261 7.3.1, 25.1). */
#include "libahoy/syntax/params.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/bytes.h"

/* The next parameter is |name|, with |value| or, for NULL, without. */
static void expect_param(struct span *rest, const char *name, const char *value)
{
    struct ahoy_param param;
    struct ahoy_err err = { .expected = NULL };
    if (!ahoy_param_next(rest, &param, &err))
        fail_msg("no parameter %s: expected %s", name, err.expected);
    assert_span(param.name, name);
    assert_int_equal(param.has_value, value != NULL);
    assert_span(param.value, value == NULL ? "" : value);
}

static void expect_end(struct span *rest)
{
    struct ahoy_param param;
    struct ahoy_err err = { .expected = "the walk to end" };
    assert_false(ahoy_param_next(rest, &param, &err));
    assert_null(err.expected);
}

static void expect_param_fault(const char *text, size_t offset)
{
    struct span all = test_text(text);
    struct span rest = all;
    struct ahoy_param param;
    struct ahoy_err err = { .expected = NULL };
    while (ahoy_param_next(&rest, &param, &err)) {
    }
    assert_non_null(err.expected);
    assert_int_equal(err.status, 400);
    assert_int_equal(ahoy_err_offset(&err, all), offset);
}

static void test_params_are_walked(void **state)
{
    (void)state;
    struct span rest = test_text(";a=1;lr;b=\"x;y\\\"\";c=[2001:db8::1]");
    expect_param(&rest, "a", "1");
    expect_param(&rest, "lr", NULL);
    expect_param(&rest, "b", "\"x;y\\\"\"");
    expect_param(&rest, "c", "[2001:db8::1]");
    expect_end(&rest);
    expect_end(&rest);
}

static void test_white_space_and_folds_around_params(void **state)
{
    (void)state;
    struct span rest = test_text(" ; tag\t = \r\n 98asjd8 ;\r\n  secondparam ; q = 0.33 ");
    expect_param(&rest, "tag", "98asjd8");
    expect_param(&rest, "secondparam", NULL);
    expect_param(&rest, "q", "0.33");
    expect_end(&rest);
}

static void test_nothing_is_no_param(void **state)
{
    (void)state;
    struct span nothing = { NULL, 0 };
    expect_end(&nothing);
    struct span blank = test_text(" \r\n ");
    expect_end(&blank);
}

static void test_param_faults(void **state)
{
    (void)state;
    expect_param_fault("a", 0);
    expect_param_fault(";", 1);
    expect_param_fault(";;", 1);
    expect_param_fault(";a=", 3);
    expect_param_fault(";a=;b", 3);
    expect_param_fault(";a=\"x", 3);
    expect_param_fault(";a=1,", 4);
    expect_param_fault(";a b", 3);
    expect_param_fault(";\"a\"=1", 1);
    expect_param_fault(";a=\"x\"y", 6);
}

/* R3261-25.1-1: what would be taken for a separator, or for white space, stands in quotes.  Of the
 * rest more is read than a token or a host may have: scan.c says why. */
static void test_special_characters_in_values(void **state)
{
    (void)state;
    static const char special[] = "<>,;\\\" \t";
    for (const char *at = special; *at != '\0'; at++) {
        char text[32];
        struct ahoy_err err;
        struct ahoy_param param;
        snprintf(text, sizeof text, ";a=x%cy", *at);
        struct span rest = test_text(text);
        assert_true(ahoy_param_next(&rest, &param, &err));
        assert_span(param.value, "x");
        snprintf(text, sizeof text, ";a=\"x%s%cy\"", strchr("\"\\", *at) ? "\\" : "", *at);
        rest = test_text(text);
        assert_true(ahoy_param_next(&rest, &param, &err));
        assert_span(param.value, text + 3);
    }
}

static void test_params_are_found_case_aside(void **state)
{
    (void)state;
    struct span params = test_text(";Expires=60;lr;expires=70");
    struct ahoy_param param;
    assert_true(ahoy_params_find(params, SPAN("EXPIRES"), &param));
    assert_span(param.value, "60");
    assert_true(ahoy_params_find(params, SPAN("lr"), &param));
    assert_false(param.has_value);
    assert_false(ahoy_params_find(params, SPAN("l"), &param));
    assert_false(ahoy_params_find(SPAN(""), SPAN("lr"), &param));
}

/* |list| has exactly these |items|, the last of them NULL. */
static void expect_items(const char *list, const char *const *items)
{
    struct span rest = test_text(list);
    struct span item;
    struct ahoy_err err = { .expected = NULL };
    for (; *items != NULL; items++) {
        if (!ahoy_list_next(&rest, &item, &err))
            fail_msg("no item %s", *items);
        assert_span(item, *items);
    }
    err.expected = "the walk to end";
    assert_false(ahoy_list_next(&rest, &item, &err));
    assert_null(err.expected);
}

static void test_lists(void **state)
{
    (void)state;
    expect_items("", (const char *const[]){ NULL });
    expect_items(" \t", (const char *const[]){ NULL });
    expect_items("a", (const char *const[]){ "a", NULL });
    expect_items("a,b", (const char *const[]){ "a", "b", NULL });
    expect_items(" a ,\r\n b\t, c ", (const char *const[]){ "a", "b", "c", NULL });
    expect_items("\"x,y\" <sip:a,b@c>;p=1, <sip:d>",
                 (const char *const[]){ "\"x,y\" <sip:a,b@c>;p=1", "<sip:d>", NULL });
    expect_items("\"\\\",\" <sip:a>,b", (const char *const[]){ "\"\\\",\" <sip:a>", "b", NULL });
}

/* Walks |list| to its fault; the offset of that. */
static size_t list_fault(const char *list)
{
    struct span all = test_text(list);
    struct span rest = all;
    struct span item;
    struct ahoy_err err = { .expected = NULL };
    while (ahoy_list_next(&rest, &item, &err)) {
    }
    assert_non_null(err.expected);
    assert_int_equal(err.status, 400);
    return ahoy_err_offset(&err, all);
}

static void test_list_faults(void **state)
{
    (void)state;
    assert_int_equal(list_fault(","), 0);
    assert_int_equal(list_fault(",a"), 0);
    assert_int_equal(list_fault("a,"), 1);
    assert_int_equal(list_fault("a, "), 1);
    assert_int_equal(list_fault("a,,b"), 2);
    assert_int_equal(list_fault("a, \"b"), 3);
    assert_int_equal(list_fault("a, <b"), 3);
}

static void test_unquote(void **state)
{
    (void)state;
    assert_span(ahoy_unquote(SPAN("\"a b\"")), "a b");
    assert_span(ahoy_unquote(SPAN("\"\"")), "");
    assert_span(ahoy_unquote(SPAN("\"a\\\"b\"")), "a\\\"b");
    assert_span(ahoy_unquote(SPAN("a")), "a");
    assert_span(ahoy_unquote(SPAN("\"")), "\"");
    assert_span(ahoy_unquote(SPAN("")), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_params_are_walked, test_free_all),
        cmocka_unit_test_teardown(test_white_space_and_folds_around_params, test_free_all),
        cmocka_unit_test_teardown(test_nothing_is_no_param, test_free_all),
        cmocka_unit_test_teardown(test_param_faults, test_free_all),
        cmocka_unit_test_teardown(test_special_characters_in_values, test_free_all),
        cmocka_unit_test_teardown(test_params_are_found_case_aside, test_free_all),
        cmocka_unit_test_teardown(test_lists, test_free_all),
        cmocka_unit_test_teardown(test_list_faults, test_free_all),
        cmocka_unit_test(test_unquote),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
