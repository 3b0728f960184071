/* Edit lists and what is gathered from them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "libahoy/syntax/compose.h"
#include "tests/support/bytes.h"

static struct ahoy_message message;
static struct ahoy_edits edits;

/* The edited text, joined. */
static struct span joined(void)
{
    static char text[70000];
    struct ahoy_buf buf = ahoy_buf_over(text, sizeof text);
    struct span pieces[AHOY_PIECES_LIMIT];
    size_t count = ahoy_edits_gather(&edits, pieces);
    for (size_t i = 0; i < count; i++) {
        assert_true(pieces[i].size > 0);
        ahoy_buf_put(&buf, pieces[i]);
    }
    return ahoy_buf_text(&buf);
}

static const char *begin(const char *text)
{
    struct span original = test_text(text);
    ahoy_edits_init(&edits, original);
    return original.at;
}

static void test_no_edit(void **state)
{
    (void)state;
    const char *at = begin("0123456789");
    struct span pieces[AHOY_PIECES_LIMIT];
    assert_int_equal(ahoy_edits_gather(&edits, pieces), 1);
    assert_ptr_equal(pieces[0].at, at);
    assert_int_equal(pieces[0].size, 10);
    ahoy_edits_init(&edits, SPAN(""));
    assert_int_equal(ahoy_edits_gather(&edits, pieces), 0);
}

static void test_edits_in_any_order(void **state)
{
    (void)state;
    const char *at = begin("0123456789");
    ahoy_edits_insert(&edits, at + 10, SPAN("end"));
    ahoy_edits_replace(&edits, (struct span){ at + 4, 2 }, SPAN("xyz"));
    ahoy_edits_insert(&edits, at, SPAN("begin"));
    ahoy_edits_remove(&edits, (struct span){ at + 7, 1 });
    ahoy_edits_insert(&edits, at + 2, SPAN("a"));
    ahoy_edits_insert(&edits, at + 2, SPAN("b"));
    assert_span(joined(), "begin01ab23xyz689end");
    assert_false(edits.overflow);
}

/* An insert at the place of a removal is beside what is removed, whichever came first. */
static void test_neighbours(void **state)
{
    (void)state;
    const char *at = begin("0123456789");
    ahoy_edits_insert(&edits, at + 3, SPAN("a"));
    ahoy_edits_remove(&edits, (struct span){ at + 3, 2 });
    ahoy_edits_insert(&edits, at + 3, SPAN("b"));
    ahoy_edits_insert(&edits, at + 5, SPAN("c"));
    assert_span(joined(), "012abc56789");
    ahoy_edits_remove(&edits, (struct span){ at + 5, 2 });
    ahoy_edits_remove(&edits, (struct span){ at + 1, 2 });
    assert_span(joined(), "0abc789");
    at = begin("0123456789");
    ahoy_edits_remove(&edits, (struct span){ at, 10 });
    assert_span(joined(), "");
    assert_false(edits.overflow);
    ahoy_edits_insert(&edits, at + 10, SPAN("x"));
    ahoy_edits_insert(&edits, at, SPAN("y"));
    assert_span(joined(), "yx");
}

/* Edits of |first|, then |second|, overlap. */
static void expect_overlap(size_t first, size_t remove_first, size_t second, size_t remove_second)
{
    const char *at = begin("0123456789");
    struct span pieces[AHOY_PIECES_LIMIT];
    ahoy_edits_replace(&edits, (struct span){ at + first, remove_first }, SPAN("x"));
    assert_false(edits.overflow);
    ahoy_edits_replace(&edits, (struct span){ at + second, remove_second }, SPAN("y"));
    assert_true(edits.overflow);
    assert_int_equal(ahoy_edits_gather(&edits, pieces), 0);
}

static void test_overlaps(void **state)
{
    (void)state;
    expect_overlap(2, 3, 2, 3);
    expect_overlap(2, 3, 4, 3);
    expect_overlap(4, 3, 2, 3);
    expect_overlap(2, 5, 3, 1);
    expect_overlap(3, 1, 2, 5);
    expect_overlap(2, 3, 3, 0);
    expect_overlap(3, 0, 2, 3);
    expect_overlap(2, 1, 2, 2);
    /* An insert between does not hide it. */
    const char *at = begin("0123456789");
    ahoy_edits_remove(&edits, (struct span){ at + 2, 3 });
    ahoy_edits_insert(&edits, at + 2, SPAN("x"));
    ahoy_edits_remove(&edits, (struct span){ at + 4, 3 });
    assert_true(edits.overflow);
}

static void test_too_many(void **state)
{
    (void)state;
    const char *at = begin("0123456789");
    for (unsigned i = 0; i < AHOY_EDITS_LIMIT; i++)
        ahoy_edits_insert(&edits, at + i % 10, SPAN("x"));
    assert_false(edits.overflow);
    struct span pieces[AHOY_PIECES_LIMIT];
    assert_int_equal(joined().size, 10 + AHOY_EDITS_LIMIT);
    ahoy_edits_insert(&edits, at, SPAN("")); /* Nothing is no edit. */
    assert_false(edits.overflow);
    ahoy_edits_insert(&edits, at, SPAN("x"));
    assert_true(edits.overflow);
    assert_int_equal(ahoy_edits_gather(&edits, pieces), 0);
}

/* Random edits against the same on an array of bytes, each with what stands in front of it. */
static void test_random_edits(void **state)
{
    (void)state;
    enum { SIZE = 40 };
    srand(1);
    for (unsigned round = 0; round < 2000; round++) {
        const char *at = begin("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN");
        char front[SIZE + 1][AHOY_EDITS_LIMIT + 1] = { "" };
        bool removed[SIZE + 1] = { false };
        for (unsigned i = 0; i < AHOY_EDITS_LIMIT; i++) {
            size_t place = (size_t)rand() % (SIZE + 1);
            static const char digits[] = "0123456789";
            struct span text = { &digits[rand() % 10], 1 };
            if (rand() % 2 == 0 && place < SIZE && !removed[place]) {
                ahoy_edits_remove(&edits, (struct span){ at + place, 1 });
                removed[place] = true;
            } else {
                ahoy_edits_insert(&edits, at + place, text);
                front[place][strlen(front[place])] = *text.at;
            }
        }
        char expected[200] = "";
        for (size_t place = 0; place <= SIZE; place++) {
            size_t size = strlen(expected);
            memcpy(expected + size, front[place], strlen(front[place]) + 1);
            size += strlen(front[place]);
            if (place < SIZE && !removed[place])
                expected[size++] = at[place];
            expected[size] = 0;
        }
        assert_false(edits.overflow);
        assert_span(joined(), expected);
        test_free_all(NULL);
    }
}

#define START "INVITE sip:a SIP/2.0\r\n"

/* After the first Route of |rows| is removed, |expected| stays. */
static void remove_first(const char *rows, const char *expected)
{
    char text[500];
    char wanted[500];
    struct ahoy_buf buf = ahoy_buf_over(text, sizeof text - 1);
    ahoy_buf_put(&buf, SPAN(START));
    ahoy_buf_put(&buf, ahoy_span(rows));
    ahoy_buf_put(&buf, SPAN("\r\n"));
    assert_true(ahoy_message_parse(test_copy(ahoy_buf_text(&buf)), &message, NULL));
    ahoy_edits_init(&edits, message.bytes);
    ahoy_edits_remove_first(&edits, &message, AHOY_HEADER_ROUTE);
    buf = ahoy_buf_over(wanted, sizeof wanted - 1);
    ahoy_buf_put(&buf, SPAN(START));
    ahoy_buf_put(&buf, ahoy_span(expected));
    ahoy_buf_put(&buf, SPAN("\r\n"));
    wanted[buf.size] = 0;
    assert_span(joined(), wanted);
}

static void test_remove_first(void **state)
{
    (void)state;
    remove_first("To: x\r\nRoute: <sip:a;lr>\r\nFrom: y\r\n", "To: x\r\nFrom: y\r\n");
    remove_first("Route: <sip:a;lr>\r\nRoute: <sip:b>\r\n", "Route: <sip:b>\r\n");
    remove_first("Route: <sip:a,x>;p=\",\" ,\t<sip:b>,<sip:c>\r\n", "Route: <sip:b>,<sip:c>\r\n");
    remove_first("Route:\r\n <sip:a>,\r\n  <sip:b>\r\n", "Route:\r\n <sip:b>\r\n");
    remove_first("Route:\r\nRoute: <sip:b>\r\n", "Route:\r\n");
    remove_first("Route: \"x <sip:b>\r\nRoute: <sip:c>\r\n", "Route: <sip:c>\r\n");
    remove_first("To: x\r\n", "To: x\r\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_no_edit, test_free_all),
        cmocka_unit_test_teardown(test_edits_in_any_order, test_free_all),
        cmocka_unit_test_teardown(test_neighbours, test_free_all),
        cmocka_unit_test_teardown(test_overlaps, test_free_all),
        cmocka_unit_test_teardown(test_too_many, test_free_all),
        cmocka_unit_test_teardown(test_random_edits, test_free_all),
        cmocka_unit_test_teardown(test_remove_first, test_free_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
