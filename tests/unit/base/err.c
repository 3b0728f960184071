/* A fault's place among the bytes that it was found in. */
#include "libahoy/base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_fail_fills_and_is_false(void **state)
{
    (void)state;
    const char *bytes = "sip:%";
    struct ahoy_err err = { 0 };
    assert_false(ahoy_fail(&err, 414, bytes + 4, "two hexadecimal digits"));
    assert_int_equal(err.status, 414);
    assert_ptr_equal(err.at, bytes + 4);
    assert_string_equal(err.expected, "two hexadecimal digits");
}

static void test_nobody_need_listen(void **state)
{
    (void)state;
    assert_false(ahoy_fail(NULL, 400, NULL, "anything"));
}

static void test_offset(void **state)
{
    (void)state;
    const char bytes[] = "0123456789";
    struct span middle = { bytes + 2, 5 };
    struct ahoy_err err = { .at = bytes + 2 };
    assert_int_equal(ahoy_err_offset(&err, middle), 0);
    err.at = bytes + 6;
    assert_int_equal(ahoy_err_offset(&err, middle), 4);
    /* The end is where something was missing. */
    err.at = bytes + 7;
    assert_int_equal(ahoy_err_offset(&err, middle), 5);
}

static void test_offset_outside(void **state)
{
    (void)state;
    const char bytes[] = "0123456789";
    struct span middle = { bytes + 2, 5 };
    struct ahoy_err err = { .at = bytes + 1 };
    assert_int_equal(ahoy_err_offset(&err, middle), 5);
    err.at = bytes + 8;
    assert_int_equal(ahoy_err_offset(&err, middle), 5);
    err.at = NULL;
    assert_int_equal(ahoy_err_offset(&err, middle), 5);
    assert_int_equal(ahoy_err_offset(&err, (struct span){ NULL, 0 }), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fail_fills_and_is_false),
        cmocka_unit_test(test_nobody_need_listen),
        cmocka_unit_test(test_offset),
        cmocka_unit_test(test_offset_outside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
