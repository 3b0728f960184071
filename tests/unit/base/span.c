/* Spans: comparing, finding, trimming and reading numbers, at every length and alignment. */
#include "libahoy/base/span.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static char lower(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte + 32) : byte;
}

/* Every pair of bytes is equal exactly when their lower-case forms are, in every place of a word:
 * '@' and '`', '[' and '{', and bytes from 0x80 on differ in the same bit as letters do. */
static void test_case_of_every_byte_in_every_place(void **state)
{
    (void)state;
    for (size_t size = 1; size <= 17; size += 4) {
        for (size_t place = 0; place < size; place++) {
            char a[17];
            char b[17];
            memset(a, 'x', sizeof a);
            memset(b, 'X', sizeof b);
            for (int i = 0; i < 256; i++) {
                for (int j = 0; j < 256; j++) {
                    a[place] = (char)i;
                    b[place] = (char)j;
                    bool same =
                        ahoy_span_equal_nocase((struct span){ a, size }, (struct span){ b, size });
                    if (same != (lower(a[place]) == lower(b[place])))
                        fail_msg("bytes %d and %d at %zu of %zu", i, j, place, size);
                }
            }
        }
    }
}

static void test_nocase_needs_equal_sizes(void **state)
{
    (void)state;
    assert_true(ahoy_span_equal_nocase(SPAN("Via"), SPAN("vIA")));
    assert_false(ahoy_span_equal_nocase(SPAN("Via"), SPAN("Via ")));
    assert_true(ahoy_span_equal_nocase((struct span){ NULL, 0 }, SPAN("")));
    assert_false(ahoy_span_equal_nocase((struct span){ NULL, 0 }, SPAN("v")));
}

static void test_equal_heeds_case(void **state)
{
    (void)state;
    assert_true(ahoy_span_equal(SPAN("tag"), SPAN("tag")));
    assert_false(ahoy_span_equal(SPAN("tag"), SPAN("Tag")));
    assert_false(ahoy_span_equal(SPAN("tag"), SPAN("ta")));
    assert_true(ahoy_span_equal((struct span){ NULL, 0 }, SPAN("")));
}

static void test_starts(void **state)
{
    (void)state;
    assert_true(ahoy_span_starts_nocase(SPAN("Z9HG4bKabc"), SPAN("z9hG4bK")));
    assert_true(ahoy_span_starts_nocase(SPAN("z9hG4bK"), SPAN("z9hG4bK")));
    assert_true(ahoy_span_starts_nocase(SPAN("abc"), SPAN("")));
    assert_true(ahoy_span_starts_nocase((struct span){ NULL, 0 }, (struct span){ NULL, 0 }));
    /* What follows the text in memory does not count. */
    assert_false(ahoy_span_starts_nocase((struct span){ "z9hG4bK", 6 }, SPAN("z9hG4bK")));
    assert_false(ahoy_span_starts_nocase(SPAN("z9hG4b"), SPAN("z9hG4bK")));
    assert_false(ahoy_span_starts_nocase(SPAN("y9hG4bK"), SPAN("z9hG4bK")));
}

static int sign(int number)
{
    return (number > 0) - (number < 0);
}

static void test_order(void **state)
{
    (void)state;
    static const struct span rising[] = {
        { NULL, 0 }, { "\0", 1 }, { "\0a", 2 }, { "A", 1 },    { "a", 1 },
        { "aa", 2 }, { "ab", 2 }, { "b", 1 },   { "\x80", 1 }, { "\xff", 1 },
    };
    const int count = sizeof rising / sizeof rising[0];
    for (int i = 0; i < count; i++) {
        for (int j = 0; j < count; j++)
            assert_int_equal(sign(ahoy_span_compare(rising[i], rising[j])), sign(i - j));
    }
}

static void test_find(void **state)
{
    (void)state;
    assert_int_equal(ahoy_span_find(SPAN("a:b:c"), ':'), 1);
    assert_int_equal(ahoy_span_find(SPAN("abc"), ':'), 3);
    assert_int_equal(ahoy_span_find((struct span){ "a\0b", 3 }, 'b'), 2);
    assert_int_equal(ahoy_span_find((struct span){ "\xff", 1 }, '\xff'), 0);
    assert_int_equal(ahoy_span_find((struct span){ NULL, 0 }, ':'), 0);
    assert_int_equal(ahoy_span_find((struct span){ "ab", 1 }, 'b'), 1);
}

static void test_trim(void **state)
{
    (void)state;
    struct span text = SPAN(" \t\r\n a b \r\n\t ");
    struct span trimmed = ahoy_span_trim(text);
    assert_true(ahoy_span_equal(trimmed, SPAN("a b")));
    assert_ptr_equal(trimmed.at, text.at + 5);
    assert_int_equal(ahoy_span_trim(SPAN(" \r\n\t ")).size, 0);
    assert_int_equal(ahoy_span_trim((struct span){ NULL, 0 }).size, 0);
    assert_true(ahoy_span_equal(ahoy_span_trim(SPAN("\va\f")), SPAN("\va\f")));
}

static void assert_number(struct span text, uint64_t limit, uint64_t expected)
{
    uint64_t value = ~expected;
    assert_true(ahoy_span_number(text, limit, &value));
    assert_true(value == expected);
}

static void assert_no_number(struct span text, uint64_t limit)
{
    uint64_t value = 4711;
    assert_false(ahoy_span_number(text, limit, &value));
    assert_int_equal(value, 4711);
}

static void test_numbers(void **state)
{
    (void)state;
    assert_number(SPAN("0"), 0, 0);
    assert_number(SPAN("65535"), 65535, 65535);
    assert_number(SPAN("000000000000000000000000000000000070"), 70, 70);
    assert_number(SPAN("18446744073709551615"), UINT64_MAX, UINT64_MAX);
    assert_number(SPAN("2147483647"), (UINT64_C(1) << 31) - 1, 2147483647);

    assert_no_number(SPAN("1"), 0);
    assert_no_number(SPAN("65536"), 65535);
    assert_no_number(SPAN("8"), 7);
    assert_no_number(SPAN("18446744073709551616"), UINT64_MAX);
    assert_no_number(SPAN("99999999999999999999"), UINT64_MAX);
    assert_no_number(SPAN("4294967328"), UINT32_MAX);
    assert_no_number((struct span){ NULL, 0 }, 10);
    assert_no_number(SPAN("-1"), 10);
    assert_no_number(SPAN("+1"), 10);
    assert_no_number(SPAN(" 1"), 10);
    assert_no_number(SPAN("1 "), 10);
    assert_no_number(SPAN("1:"), 100);
    assert_no_number(SPAN("1/"), 100);
    assert_no_number((struct span){ "1\0", 2 }, 100);
    assert_no_number(SPAN("\xb2"), 100);
}

/* Digit by digit around each limit, against what printf says. */
static void test_numbers_around_limits(void **state)
{
    (void)state;
    for (uint64_t limit = 0; limit < 130; limit++) {
        for (uint64_t number = 0; number < 1300; number++) {
            char digits[8];
            int size = snprintf(digits, sizeof digits, "%u", (unsigned)number);
            uint64_t value = 0;
            bool read = ahoy_span_number((struct span){ digits, (size_t)size }, limit, &value);
            assert_int_equal(read, number <= limit);
            if (read)
                assert_int_equal(value, number);
        }
    }
}

/* One byte more, or another one in any place, and it is another number. */
static void test_hashes(void **state)
{
    (void)state;
    char bytes[20] = { 0 };
    for (size_t size = 0; size < sizeof bytes; size++) {
        struct span text = { bytes, size };
        uint64_t hash = ahoy_span_hash(text);
        assert_true(hash != ahoy_span_hash((struct span){ bytes, size + 1 }));
        for (size_t place = 0; place < size; place++) {
            bytes[place] = 'x';
            assert_true(hash != ahoy_span_hash(text));
            bytes[place] = '\0';
        }
        assert_true(hash == ahoy_span_hash(text));
    }
}

/* Letters are the same in either case, and nothing else is that of another. */
static void test_hashes_without_case(void **state)
{
    (void)state;
    for (size_t size = 1; size < 20; size++) {
        for (unsigned byte = 0; byte < 256; byte++) {
            char text[20], small[20];
            memset(text, (char)byte, size);
            for (size_t i = 0; i < size; i++)
                small[i] = byte >= 'A' && byte <= 'Z' ? (char)(byte | 0x20) : (char)byte;
            assert_true(ahoy_span_hash_nocase((struct span){ text, size }) ==
                        ahoy_span_hash((struct span){ small, size }));
        }
    }
}

static void test_parts(void **state)
{
    (void)state;
    struct span text = ahoy_span("sip:alice");
    assert_int_equal(text.size, 9);
    assert_ptr_equal(ahoy_span_end(text), text.at + 9);
    assert_true(ahoy_span_equal(ahoy_span_after(text, 4), SPAN("alice")));
    assert_true(ahoy_span_equal(ahoy_span_between(text.at, text.at + 3), SPAN("sip")));
}

static void test_places(void **state)
{
    (void)state;
    const char text[] = "alice alice", copy[] = "alice alice";
    struct span whole = { text, 11 }, part = { text + 6, 5 };
    assert_true(ahoy_span_has(whole, whole) && ahoy_span_has(whole, part));
    assert_true(ahoy_span_has(whole, (struct span){ text + 11, 0 }));
    assert_false(ahoy_span_has(whole, (struct span){ copy, 5 }));
    assert_false(ahoy_span_has(part, whole));
    assert_false(ahoy_span_has((struct span){ text, 10 }, part));
    assert_false(ahoy_span_has(SPAN(""), (struct span){ text, 1 }));
    assert_ptr_equal(ahoy_span_moved(part, whole, (struct span){ copy, 11 }).at, copy + 6);
    assert_ptr_equal(ahoy_span_moved((struct span){ copy, 5 }, whole, part).at, copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_case_of_every_byte_in_every_place),
        cmocka_unit_test(test_nocase_needs_equal_sizes),
        cmocka_unit_test(test_equal_heeds_case),
        cmocka_unit_test(test_starts),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_trim),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_numbers_around_limits),
        cmocka_unit_test(test_hashes),
        cmocka_unit_test(test_hashes_without_case),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
