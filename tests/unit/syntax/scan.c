/* Character classes against the grammar of RFC 3261 25.1, written a second time. */
#include "libahoy/syntax/scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "libahoy/syntax/host.h"
#include "libahoy/syntax/marks.h"
#include "tests/support/bytes.h"

#define ALPHA      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS     "0123456789"
#define MARKS      "-_.!~*'()"
#define UNRESERVED ALPHA DIGITS MARKS

/* Exactly the bytes of |members| are in |set|. */
static void expect_class(unsigned set, const char *members)
{
    for (unsigned byte = 0; byte < 256; byte++) {
        bool member = byte != 0 && strchr(members, (int)byte) != NULL;
        if (ahoy_is((char)byte, set) != member)
            fail_msg("0x%02x should %sbe in class %#x", byte, member ? "" : "not ", set);
    }
}

static void test_classes(void **state)
{
    (void)state;
    expect_class(AHOY_WSP, " \t");
    expect_class(AHOY_LWS, " \t\r\n");
    expect_class(AHOY_DIGIT, DIGITS);
    expect_class(AHOY_ALPHA, ALPHA);
    expect_class(AHOY_HEX, DIGITS "abcdefABCDEF");
    expect_class(AHOY_TOKEN, ALPHA DIGITS "-.!%*_+`'~");
    expect_class(AHOY_HOST, ALPHA DIGITS "-._");
    expect_class(AHOY_USER, UNRESERVED "&=+$,;?/");
    expect_class(AHOY_PASSWORD, UNRESERVED "&=+$,");
    expect_class(AHOY_PARAMCHAR, UNRESERVED "[]/:&+$");
    expect_class(AHOY_HNV, UNRESERVED "[]/?:+$");
    expect_class(AHOY_URIC, UNRESERVED ";/?:@&=+$,");
    expect_class(AHOY_RESERVED, ";/?:@&=+$,");
    expect_class(AHOY_LISTED, ",\"<");
}

static void test_visible_is_what_has_a_glyph(void **state)
{
    (void)state;
    for (unsigned byte = 0; byte < 256; byte++)
        assert_int_equal(ahoy_is((char)byte, AHOY_VISIBLE), byte > 0x20 && byte < 0x7f);
}

/* Nothing that ends a value may be part of one. */
static void test_a_value_holds_no_separator(void **state)
{
    (void)state;
    for (const char *byte = ",;\"<>\\ \t\r\n"; *byte != 0; byte++)
        assert_false(ahoy_is(*byte, AHOY_VALUE));
    for (const char *byte = ALPHA DIGITS "-.!%*_+`'~[]:"; *byte != 0; byte++)
        assert_true(ahoy_is(*byte, AHOY_VALUE));
}

/* Every byte at every place of runs of every length around the width of a vector. */
static void test_scan_control_finds_the_first(void **state)
{
    (void)state;
    for (size_t size = 1; size < 50; size++) {
        char bytes[50];
        for (size_t place = 0; place < size; place++) {
            for (unsigned byte = 0; byte < 256; byte++) {
                memset(bytes, 'x', size);
                bytes[place] = (char)byte;
                struct span text = { bytes, size };
                size_t expected = byte < 0x20 || byte == 0x7f ? place : size;
                const char *found = ahoy_scan_control(text.at, ahoy_span_end(text));
                assert_int_equal(found - bytes, expected);
            }
        }
    }
}

/* The same for the other two, which look for what the table says. */
static void test_words_and_lists_end_where_the_table_says(void **state)
{
    (void)state;
    for (size_t size = 1; size < 50; size++) {
        char bytes[50];
        for (size_t place = 0; place < size; place++) {
            for (unsigned byte = 0; byte < 256; byte++) {
                memset(bytes, 'x', size);
                bytes[place] = (char)byte;
                const char *end = bytes + size;
                size_t word = ahoy_is((char)byte, AHOY_TOKEN) ? size : place;
                assert_int_equal(ahoy_skip_word(bytes, end, AHOY_TOKEN) - bytes, word);
                size_t listed = ahoy_is((char)byte, AHOY_LISTED) ? place : size;
                assert_int_equal(ahoy_scan_listed(bytes, end) - bytes, listed);
            }
        }
    }
}

/* From find to find, over texts of every length around one map and two: the bits say what the bytes
 * do, wherever the walk stops in between. */
static void marks_are_where_the_bytes_are(void **state)
{
    (void)state;
    char bytes[140];
    for (size_t size = 0; size < sizeof bytes; size++) {
        for (size_t step = 1; step < 70; step++) {
            for (size_t i = 0; i < size; i++)
                bytes[i] = i % step == step / 2 ? '\n' : 'x';
            const char *end = bytes + size;
            struct ahoy_marks marks = ahoy_marks_of(bytes, end, ahoy_find_control);
            for (const char *at = bytes; at <= end; at++) {
                const char *expected = ahoy_scan_control(at, end);
                at = ahoy_marks_next(&marks, at, ahoy_find_control);
                assert_ptr_equal(at, expected);
            }
        }
    }
}

/* A dot needs a label in front of it, wherever the vectors part. */
static void test_hosts_have_no_empty_label(void **state)
{
    (void)state;
    for (size_t size = 3; size < 50; size++) {
        char bytes[50];
        for (size_t place = 0; place + 1 < size; place++) {
            memset(bytes, 'x', size);
            bytes[place] = '.';
            const char *end = bytes + size;
            struct ahoy_err err;
            assert_true(ahoy_host_parse(bytes, end, &err) == (place == 0 ? NULL : end));
            bytes[place + 1] = '.';
            assert_null(ahoy_host_parse(bytes, end, &err));
            assert_int_equal(err.at - bytes, place == 0 ? 0 : place + 1);
        }
    }
}

static size_t quoted_size(const char *literal)
{
    struct span text = test_text(literal);
    const char *stop = ahoy_skip_quoted(text.at, ahoy_span_end(text));
    return stop == NULL ? 0 : (size_t)(stop - text.at);
}

static void test_quoted_strings(void **state)
{
    (void)state;
    assert_int_equal(quoted_size("\"\""), 2);
    assert_int_equal(quoted_size("\"a\" b"), 3);
    assert_int_equal(quoted_size("\"a\\\"b\"c\""), 6);
    assert_int_equal(quoted_size("\"a\\\\\"b\""), 5);
    assert_int_equal(quoted_size("\""), 0);
    assert_int_equal(quoted_size("\"a"), 0);
    assert_int_equal(quoted_size("\"a\\"), 0);
    assert_int_equal(quoted_size("\"a\\\""), 0);
}

static size_t escaped_size(const char *literal)
{
    struct span text = test_text(literal);
    const char *stop = ahoy_skip_escaped(text.at, ahoy_span_end(text), AHOY_USER);
    return (size_t)(stop - text.at);
}

static void test_escapes(void **state)
{
    (void)state;
    assert_int_equal(escaped_size("a%41b"), 5);
    assert_int_equal(escaped_size("a%4"), 1);
    assert_int_equal(escaped_size("a%"), 1);
    assert_int_equal(escaped_size("%zz"), 0);
    assert_int_equal(escaped_size("%00%fF@"), 6);
    assert_int_equal(ahoy_unescape("%4a"), 'J');
    assert_int_equal((unsigned char)ahoy_unescape("%Ff"), 0xff);
    assert_int_equal(ahoy_unescape("%00"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_visible_is_what_has_a_glyph),
        cmocka_unit_test(test_a_value_holds_no_separator),
        cmocka_unit_test(test_scan_control_finds_the_first),
        cmocka_unit_test(test_words_and_lists_end_where_the_table_says),
        cmocka_unit_test(marks_are_where_the_bytes_are),
        cmocka_unit_test(test_hosts_have_no_empty_label),
        cmocka_unit_test_teardown(test_quoted_strings, test_free_all),
        cmocka_unit_test_teardown(test_escapes, test_free_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
