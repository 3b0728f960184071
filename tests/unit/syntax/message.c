/* The index over a message (RFC 3261 7, 18.3). */
#include "libahoy/syntax/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/bytes.h"

#define START "OPTIONS sip:a SIP/2.0\r\n"

static struct ahoy_message message;

static void parse(const char *text)
{
    struct ahoy_err err = { .expected = NULL };
    if (!ahoy_message_parse(test_text(text), &message, &err))
        fail_msg("%s: expected %s", text, err.expected);
}

static void refuse_bytes(struct span text, unsigned status, size_t offset)
{
    struct span bytes = test_copy(text);
    struct ahoy_err err = { .expected = NULL };
    if (ahoy_message_parse(bytes, &message, &err))
        fail_msg("%.*s was accepted", (int)text.size, text.at);
    assert_non_null(err.expected);
    assert_int_equal(err.status, status);
    assert_int_equal(ahoy_err_offset(&err, bytes), offset);
    assert_false(ahoy_message_parse(bytes, &message, NULL));
}

static void refuse(const char *text, unsigned status, size_t offset)
{
    refuse_bytes(ahoy_span(text), status, offset);
}

static void test_an_index(void **state)
{
    (void)state;
    parse("INVITE sip:bob@biloxi.com SIP/2.0\r\n"
          "Via: SIP/2.0/UDP a\r\n"
          "X-One : \t 1 \r\n"
          "v:b\r\n"
          "Subject:\r\n"
          "VIA  : c\r\n"
          "l: 3\r\n"
          "\r\n"
          "xyz");
    assert_true(message.is_request);
    assert_span(message.start_line, "INVITE sip:bob@biloxi.com SIP/2.0\r\n");
    assert_int_equal(message.field_count, 6);
    assert_span(message.body, "xyz");
    assert_span(ahoy_span_after(message.bytes, message.headers_end), "\r\nxyz");

    const struct ahoy_field *via = ahoy_message_first(&message, AHOY_HEADER_VIA);
    assert_span(via->value, "SIP/2.0/UDP a");
    assert_span(via->row, "Via: SIP/2.0/UDP a\r\n");
    via = ahoy_message_next(&message, via);
    assert_span(via->name, "v");
    assert_span(via->value, "b");
    via = ahoy_message_next(&message, via);
    assert_span(via->row, "VIA  : c\r\n");
    assert_null(ahoy_message_next(&message, via));

    assert_span(message.fields[1].name, "X-One");
    assert_span(message.fields[1].value, "1");
    assert_int_equal(message.fields[1].header, AHOY_HEADER_OTHER);
    assert_span(ahoy_message_value(&message, AHOY_HEADER_SUBJECT), "");
    assert_non_null(ahoy_message_first(&message, AHOY_HEADER_SUBJECT));
    assert_null(ahoy_message_first(&message, AHOY_HEADER_TO));
    assert_span(ahoy_message_value(&message, AHOY_HEADER_TO), "");
}

/* 7.3.1: "Subject: I know you're there," folded in all the ways of the section. */
static void test_folded_lines(void **state)
{
    (void)state;
    parse(START "Subject: I know you're there, pick up the phone and talk to me!\r\n\r\n");
    assert_span(ahoy_message_value(&message, AHOY_HEADER_SUBJECT),
                "I know you're there, pick up the phone and talk to me!");
    parse(START "Subject: I know you're there,\r\n"
                "         pick up the phone\r\n"
                "\tand talk to me!\r\n"
                "To: x\r\n\r\n");
    assert_span(ahoy_message_value(&message, AHOY_HEADER_SUBJECT),
                "I know you're there,\r\n         pick up the phone\r\n\tand talk to me!");
    assert_span(
        message.fields[0].row,
        "Subject: I know you're there,\r\n         pick up the phone\r\n\tand talk to me!\r\n");
    assert_span(ahoy_message_value(&message, AHOY_HEADER_TO), "x");
    /* A value that begins, or ends, behind a fold. */
    parse(START "TO :\r\n sip:vivekg@example.com ;   tag    = 1918181833n\r\n \r\n\t\r\n\r\n");
    assert_span(ahoy_message_value(&message, AHOY_HEADER_TO),
                "sip:vivekg@example.com ;   tag    = 1918181833n");
    assert_int_equal(message.field_count, 1);
}

/* 7.3.1: all spellings of one header, which are equivalent. */
static void test_white_space_around_the_colon(void **state)
{
    (void)state;
    static const char *const spellings[] = { "Subject:            lunch",
                                             "Subject      :      lunch",
                                             "Subject            :lunch",
                                             "Subject: lunch",
                                             "SUBJECT:lunch",
                                             "s: lunch",
                                             "s:lunch  ",
                                             "S\t:\tlunch\t" };
    for (size_t i = 0; i < sizeof spellings / sizeof spellings[0]; i++) {
        char text[100];
        assert_in_range(snprintf(text, sizeof text, START "%s\r\n\r\n", spellings[i]), 1, 99);
        parse(text);
        assert_span(ahoy_message_value(&message, AHOY_HEADER_SUBJECT), "lunch");
    }
}

static void expect_values(enum ahoy_header header, const char *const *items)
{
    struct ahoy_values values = ahoy_message_values(&message, header);
    struct span item;
    struct ahoy_err err = { .expected = NULL };
    for (; *items != NULL; items++) {
        assert_true(ahoy_values_next(&values, &item, &err));
        assert_span(item, *items);
        assert_true(item.at >= values.field->row.at);
        assert_true(ahoy_span_end(item) <= ahoy_span_end(values.field->row));
    }
    err.expected = "the walk to end";
    assert_false(ahoy_values_next(&values, &item, &err));
    assert_null(err.expected);
}

/* R3261-7.3.1-1, R3261-7.3.1-3: the three blocks of Route of the section are equivalent, the fourth
 * is not. */
static void test_lists_over_rows(void **state)
{
    (void)state;
    static const char *const expected[] = { "<sip:alice@atlanta.com>", "<sip:bob@biloxi.com>",
                                            "<sip:carol@chicago.com>", NULL };
    parse(START "Route: <sip:alice@atlanta.com>\r\n"
                "Subject: Lunch\r\n"
                "Route: <sip:bob@biloxi.com>\r\n"
                "Route: <sip:carol@chicago.com>\r\n\r\n");
    expect_values(AHOY_HEADER_ROUTE, expected);
    parse(START "Route: <sip:alice@atlanta.com>, <sip:bob@biloxi.com>\r\n"
                "Route: <sip:carol@chicago.com>\r\n"
                "Subject: Lunch\r\n\r\n");
    expect_values(AHOY_HEADER_ROUTE, expected);
    parse(START "Subject: Lunch\r\n"
                "Route: <sip:alice@atlanta.com>, <sip:bob@biloxi.com>,\r\n"
                "       <sip:carol@chicago.com>\r\n\r\n");
    expect_values(AHOY_HEADER_ROUTE, expected);
    parse(START "Route: <sip:bob@biloxi.com>\r\n"
                "Route: <sip:alice@atlanta.com>\r\n"
                "Route: <sip:carol@chicago.com>\r\n\r\n");
    expect_values(AHOY_HEADER_ROUTE,
                  (const char *const[]){ "<sip:bob@biloxi.com>", "<sip:alice@atlanta.com>",
                                         "<sip:carol@chicago.com>", NULL });
    expect_values(AHOY_HEADER_CONTACT, (const char *const[]){ NULL });
    parse(START "Supported:\r\nk: 100rel ,timer\r\nSupported: \r\n\r\n");
    expect_values(AHOY_HEADER_SUPPORTED, (const char *const[]){ "100rel", "timer", NULL });
}

/* R3261-7.3.1-2, R3261-20.7-1, R3261-20.28-1: each row of these is one value,
 * whatever its commas. */
static void test_rows_that_are_no_lists(void **state)
{
    (void)state;
    static const struct {
        enum ahoy_header header;
        const char *name;
    } rows[] = { { AHOY_HEADER_AUTHORIZATION, "Authorization" },
                 { AHOY_HEADER_PROXY_AUTHORIZATION, "Proxy-Authorization" },
                 { AHOY_HEADER_WWW_AUTHENTICATE, "WWW-Authenticate" },
                 { AHOY_HEADER_PROXY_AUTHENTICATE, "Proxy-Authenticate" } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[200];
        snprintf(text, sizeof text,
                 START "%s: Digest realm=\"a\", nonce=\"1\"\r\n%s: Digest realm=\"b\"\r\n\r\n",
                 rows[i].name, rows[i].name);
        parse(text);
        const struct ahoy_field *field = ahoy_message_first(&message, rows[i].header);
        assert_false(ahoy_header_is_list(rows[i].header));
        assert_span(field->value, "Digest realm=\"a\", nonce=\"1\"");
        assert_span(ahoy_message_next(&message, field)->value, "Digest realm=\"b\"");
        assert_true(ahoy_message_check(&message, NULL));
    }
}

/* 20.21: a callid is made of words, which may hold quotes and brackets, but no comma (25.1). */
static void test_call_ids_end_at_commas(void **state)
{
    (void)state;
    parse(START "In-Reply-To: a\"b@c , <d@\"e, f>\r\nIn-Reply-To: \"\r\n\r\n");
    expect_values(AHOY_HEADER_IN_REPLY_TO,
                  (const char *const[]){ "a\"b@c", "<d@\"e", "f>", "\"", NULL });
}

static void test_a_fault_in_a_list(void **state)
{
    (void)state;
    parse(START "Route: <sip:a>,,<sip:b>\r\n\r\n");
    struct ahoy_values values = ahoy_message_values(&message, AHOY_HEADER_ROUTE);
    struct span item;
    struct ahoy_err err = { .expected = NULL };
    assert_true(ahoy_values_next(&values, &item, &err));
    assert_false(ahoy_values_next(&values, &item, &err));
    assert_non_null(err.expected);
    assert_int_equal(err.status, 400);
}

/* 18.3, and attacks 1 to 3. */
static void test_content_length(void **state)
{
    (void)state;
    parse(START "Content-Length: 3\r\n\r\nabcdef");
    assert_span(message.body, "abc");
    assert_ptr_equal(ahoy_span_end(message.bytes), ahoy_span_end(message.body));
    parse(START "L:0\r\n\r\nabc");
    assert_span(message.body, "");
    parse(START "\r\nabc"); /* Absent: the rest of the datagram. */
    assert_span(message.body, "abc");
    parse(START "Content-Length : 0003\r\n\r\nabc");
    assert_span(message.body, "abc");
    size_t value = sizeof START - 1 + 3;
    refuse(START "l: 4\r\n\r\nabc", 400, value);
    refuse(START "l: 9999\r\n\r\nabc", 400, value);
    refuse(START "l: -999\r\n\r\nabc", 400, value);
    refuse(START "l: +3\r\n\r\nabc", 400, value);
    refuse(START "l: 0x3\r\n\r\nabc", 400, value);
    refuse(START "l: 3 3\r\n\r\nabc", 400, value);
    refuse(START "l: 3,3\r\n\r\nabc", 400, value);
    refuse(START "l: 4294967299\r\n\r\nabc", 400, value);
    refuse(START "l: 4294967328\r\n\r\nabc", 400, value);
    refuse(START "l: 18446744073709551619\r\n\r\nabc", 400, value);
    refuse(START "l: \r\n\r\nabc", 400, value);
    refuse(START "l: 3\r\nContent-Length: 3\r\n\r\nabc", 400, value + 3);
}

static void test_any_byte_may_be_in_a_body(void **state)
{
    (void)state;
    static const char text[] = START "l: 5\r\n\r\n\0\r\n\xff\x01";
    struct ahoy_err err = { .expected = NULL };
    struct span bytes = test_copy((struct span){ text, sizeof text - 1 });
    assert_true(ahoy_message_parse(bytes, &message, &err));
    assert_int_equal(message.body.size, 5);
}

/* Attack 6: every header that may stand once. */
static void test_singletons(void **state)
{
    (void)state;
    for (unsigned i = 1; i < AHOY_HEADER_COUNT; i++) {
        enum ahoy_header header = (enum ahoy_header)i;
        struct span name = ahoy_header_name(header);
        char text[300];
        int size = snprintf(text, sizeof text, START "%.*s: 0\r\nQ: y\r\n%.*s: 0\r\nQ: z\r\n\r\n",
                            (int)name.size, name.at, (int)name.size, name.at);
        assert_in_range(size, 1, sizeof text - 1);
        if (ahoy_header_kind(header) != AHOY_SINGLE) {
            parse(text);
            assert_int_equal(message.field_count, 4);
            continue;
        }
        refuse(text, 400, sizeof START - 1 + name.size + 11);
        /* The first one stays, and so does everything else. */
        assert_int_equal(message.field_count, 3);
        assert_null(ahoy_message_next(&message, ahoy_message_first(&message, header)));
    }
}

/* Attacks 4 and 5. */
static void test_bytes_that_must_not_be_there(void **state)
{
    (void)state;
    size_t row = sizeof START - 1;
    refuse(START "Contact\x01: x\r\n\r\n", 400, row + 7);
    refuse(START "Con tact: x\r\n\r\n", 400, row + 4);
    refuse(START "Contact \r\n : x\r\n\r\n", 400, row + 8);
    refuse(START "Contact\r\n\r\n", 400, row + 7);
    refuse(START ": x\r\n\r\n", 400, row);
    refuse(START "Cont\xc3\xa4"
                 "ct: x\r\n\r\n",
           400, row + 4);
    refuse(START "\"To\": x\r\n\r\n", 400, row);
    refuse(START " To: x\r\n\r\n", 400, row);
    static const char with_nul[] = START "To: x\0y\r\n\r\n";
    refuse_bytes((struct span){ with_nul, sizeof with_nul - 1 }, 400, row + 5);
    refuse(START "To: x\x1by\r\n\r\n", 400, row + 5);
    refuse(START "To: x\x7f\r\n\r\n", 400, row + 5);
    refuse(START "To: x\ry\r\n\r\n", 400, row + 5);
    refuse(START "To: x\ny: z\r\n\r\n", 400, row + 5);
    refuse(START "To: x\r\n\n\r\n", 400, row + 7);
    refuse(START "To: x\r\n\r\r\n\r\n", 400, row + 7);
    refuse("OPTIONS sip:\x01 SIP/2.0\r\n\r\n", 400, 12);
    refuse("SIP/2.0 200 O\nK\r\n\r\n", 400, 13);
    assert_int_equal(message.status, 0);
    parse(START "To: \xc3\xa4 \x80 tab\there\r\n\r\n");
}

/* 25.1 quoted-pair: all but CR and LF can be escaped, inside quotes only. */
static void test_escaped_control_bytes(void **state)
{
    (void)state;
    static const char sound[] = START "To: \"BEL:\\\x07 NUL:\\\0 DEL:\\\x7f\" <sip:a>\r\n\r\n";
    struct ahoy_err err = { .expected = NULL };
    struct span bytes = test_copy((struct span){ sound, sizeof sound - 1 });
    assert_true(ahoy_message_parse(bytes, &message, &err));
    size_t row = sizeof START - 1;
    refuse(START "To: \"\\\\\x07\" <sip:a>\r\n\r\n", 400, row + 7);
    refuse(START "To: \"x\" \\\x07 <sip:a>\r\n\r\n", 400, row + 9);
    refuse(START "To: \"\\\ny\" <sip:a>\r\n\r\n", 400, row + 6);
    refuse(START "To: \"\\\ry\" <sip:a>\r\n\r\n", 400, row + 6);
    refuse(START "To: \"\x07\" <sip:a>\r\n\r\n", 400, row + 5);
}

/* R3261-7-1, R3261-7-2: CRLF ends a line, nothing else, and the empty line must be there. */
static void test_line_ends(void **state)
{
    (void)state;
    refuse("", 400, 0);
    refuse("\r\n\r\n", 400, 4);
    refuse("OPTIONS sip:a SIP/2.0", 400, 21);
    refuse(START, 400, sizeof START - 1);
    refuse(START "To: x", 400, sizeof START + 4);
    assert_int_equal(message.field_count, 0);
    refuse(START "To: x\r\n", 400, sizeof START + 6);
    assert_span(ahoy_message_value(&message, AHOY_HEADER_TO), "x");
    refuse(START "To: x\r\n\r", 400, sizeof START + 7);
    refuse("OPTIONS sip:a SIP/2.0\nTo: x\n\n", 400, 21);
    assert_false(message.is_request);
    struct ahoy_err err;
    assert_false(ahoy_message_parse((struct span){ NULL, 0 }, &message, &err));
}

/* R3261-7.5-1 */
static void test_empty_lines_in_front(void **state)
{
    (void)state;
    parse("\r\n\r\n" START "To: x\r\n\r\n");
    assert_span(message.start_line, START);
    assert_ptr_equal(message.bytes.at, message.start_line.at);
}

/* At a fault, what is sound is kept, and the first fault is named. */
static void test_what_is_left_of_a_bad_message(void **state)
{
    (void)state;
    refuse(
        "OPTIONS sip:a SIP/7.0\r\nVia: a\r\nBad Row: x\r\n folded\r\nTo: y\r\nVia: b\r\n\r\nbody",
        505, 14);
    assert_true(message.is_request);
    assert_int_equal(message.method, AHOY_METHOD_OPTIONS);
    assert_int_equal(message.field_count, 3);
    assert_span(ahoy_message_value(&message, AHOY_HEADER_TO), "y");
    expect_values(AHOY_HEADER_VIA, (const char *const[]){ "a", "b", NULL });
}

/* Attack 7. */
static void test_header_count(void **state)
{
    (void)state;
    enum { CAPACITY = 20000 };
    static char text[CAPACITY];
    struct ahoy_buf buf = ahoy_buf_over(text, sizeof text);
    ahoy_buf_put(&buf, SPAN(START));
    for (unsigned i = 0; i < AHOY_HEADERS_LIMIT; i++)
        ahoy_buf_put(&buf, SPAN("Accept: text/plain\r\n"));
    size_t full = buf.size;
    ahoy_buf_put(&buf, SPAN("\r\n"));
    struct ahoy_err err = { .expected = NULL };
    assert_true(ahoy_message_parse(ahoy_buf_text(&buf), &message, &err));
    assert_int_equal(message.field_count, AHOY_HEADERS_LIMIT);
    buf.size = full;
    for (unsigned i = 0; i < 300; i++)
        ahoy_buf_put(&buf, SPAN("X: y\r\n"));
    ahoy_buf_put(&buf, SPAN("\r\n"));
    refuse_bytes(ahoy_buf_text(&buf), 400, full);
    assert_int_equal(message.field_count, AHOY_HEADERS_LIMIT);
}

/* A message whose only row has |size| bytes, CRLF aside; from |text| on, which has room. */
static struct span with_row(char *text, size_t size, bool folded)
{
    size_t row = sizeof START - 1;
    memcpy(text, START, row);
    memset(text + row, 'x', size);
    text[row + 1] = ':';
    if (folded)
        memcpy(text + row + 100, "\r\n ", 3);
    memcpy(text + row + size, "\r\n\r\n", 4);
    return (struct span){ text, row + size + 4 };
}

static void test_row_size(void **state)
{
    (void)state;
    static char text[AHOY_LINE_LIMIT + 200];
    for (unsigned folded = 0; folded < 2; folded++) {
        struct ahoy_err err = { .expected = NULL };
        struct span bytes = with_row(text, AHOY_LINE_LIMIT, folded);
        assert_true(ahoy_message_parse(bytes, &message, &err));
        bytes = with_row(text, AHOY_LINE_LIMIT + 1, folded);
        refuse_bytes(bytes, 400, sizeof START - 1 + AHOY_LINE_LIMIT);
    }
}

static void test_message_size(void **state)
{
    (void)state;
    static char text[AHOY_MESSAGE_LIMIT + 1];
    memset(text, 'x', sizeof text);
    memcpy(text, START "To: y\r\n\r\n", sizeof START + 8);
    struct ahoy_err err = { .expected = NULL };
    struct span bytes = { text, AHOY_MESSAGE_LIMIT };
    assert_true(ahoy_message_parse(bytes, &message, &err));
    bytes.size++;
    refuse_bytes(bytes, 413, AHOY_MESSAGE_LIMIT);
    assert_span(ahoy_message_value(&message, AHOY_HEADER_TO), "y");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_an_index, test_free_all),
        cmocka_unit_test_teardown(test_folded_lines, test_free_all),
        cmocka_unit_test_teardown(test_white_space_around_the_colon, test_free_all),
        cmocka_unit_test_teardown(test_lists_over_rows, test_free_all),
        cmocka_unit_test_teardown(test_rows_that_are_no_lists, test_free_all),
        cmocka_unit_test_teardown(test_call_ids_end_at_commas, test_free_all),
        cmocka_unit_test_teardown(test_a_fault_in_a_list, test_free_all),
        cmocka_unit_test_teardown(test_content_length, test_free_all),
        cmocka_unit_test_teardown(test_any_byte_may_be_in_a_body, test_free_all),
        cmocka_unit_test_teardown(test_singletons, test_free_all),
        cmocka_unit_test_teardown(test_bytes_that_must_not_be_there, test_free_all),
        cmocka_unit_test_teardown(test_escaped_control_bytes, test_free_all),
        cmocka_unit_test_teardown(test_line_ends, test_free_all),
        cmocka_unit_test_teardown(test_empty_lines_in_front, test_free_all),
        cmocka_unit_test_teardown(test_what_is_left_of_a_bad_message, test_free_all),
        cmocka_unit_test_teardown(test_header_count, test_free_all),
        cmocka_unit_test_teardown(test_row_size, test_free_all),
        cmocka_unit_test_teardown(test_message_size, test_free_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
