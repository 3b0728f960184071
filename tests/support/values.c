/* Header values for tests. */
#include "tests/support/values.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/support/bytes.h"

struct ahoy_value test_value(enum ahoy_header header, const char *text)
{
    struct ahoy_value value;
    struct ahoy_err err = { .expected = NULL };
    struct span bytes = test_text(text);
    if (!ahoy_value_parse(header, bytes, &value, &err))
        fail_msg("%s: expected %s at %zu", text, err.expected, ahoy_err_offset(&err, bytes));
    return value;
}

static void assert_inside(struct span part, struct span whole)
{
    assert_true(part.at >= whole.at && ahoy_span_end(part) <= ahoy_span_end(whole));
}

static void expect_good(const struct test_good_value *good)
{
    const char *printed = good->printed == NULL ? good->text : good->printed;
    const char *text = good->text;
    for (unsigned time = 0; time < 2; time++, text = printed) {
        char space[1000];
        struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
        struct ahoy_value value = test_value(good->header, text);
        assert_int_equal(value.header, good->header);
        assert_int_equal(value.form, ahoy_header_form(good->header));
        assert_inside(value.head, value.text);
        assert_inside(value.params, value.text);
        assert_inside(value.comment, value.text);
        ahoy_value_print(&value, &buf);
        assert_false(buf.overflow);
        assert_span(ahoy_buf_text(&buf), printed);
    }
}

void test_good_values(const struct test_good_value *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        expect_good(&values[i]);
}

static void expect_bad(const struct test_bad_value *bad)
{
    struct ahoy_value value;
    struct ahoy_err err = { .expected = NULL };
    struct span bytes = test_text(bad->text);
    if (ahoy_value_parse(bad->header, bytes, &value, &err))
        fail_msg("%s was accepted", bad->text);
    if (strcmp(err.expected, bad->expected) != 0)
        fail_msg("%s: expected %s instead of %s", bad->text, err.expected, bad->expected);
    if (ahoy_err_offset(&err, bytes) != bad->offset)
        fail_msg("%s: at %zu", bad->text, ahoy_err_offset(&err, bytes));
    assert_int_equal(err.status, 400);
}

void test_bad_values(const struct test_bad_value *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        expect_bad(&values[i]);
}
