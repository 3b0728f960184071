/* The headers that every element needs (RFC 3261 8.1.1). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "libahoy/syntax/message.h"
#include "tests/support/bytes.h"

#define START   "INVITE sip:bob@biloxi.com SIP/2.0\r\n"
#define VIA     "Via: SIP/2.0/UDP a.example.com;branch=z9hG4bK1\r\n"
#define FROM    "From: <sip:alice@atlanta.com>;tag=1928301774\r\n"
#define TO      "To: <sip:bob@biloxi.com>\r\n"
#define CALL_ID "Call-ID: a84b4c76e66710@pc33.atlanta.com\r\n"
#define CSEQ    "CSeq: 314159 INVITE\r\n"
#define END     "\r\n"

static struct ahoy_message message;
static struct ahoy_routing routing;

static void route(const char *text)
{
    struct ahoy_err err = { .expected = NULL };
    if (!ahoy_message_parse(test_text(text), &message, &err) ||
        !ahoy_message_routing(&message, &routing, &err))
        fail_msg("%s: expected %s", text, err.expected);
}

/* |text| can be indexed, but not routed; |where| is the text from the fault on. */
static void refuse(const char *text, unsigned status, const char *where, bool answerable)
{
    struct ahoy_err err = { .expected = NULL };
    assert_true(ahoy_message_parse(test_text(text), &message, &err));
    if (ahoy_message_routing(&message, &routing, &err))
        fail_msg("%s was accepted", text);
    assert_non_null(err.expected);
    assert_int_equal(err.status, status);
    assert_span(ahoy_span_between(err.at, ahoy_span_end(message.bytes)), where);
    assert_int_equal(routing.via_field != NULL, answerable);
    assert_false(ahoy_message_routing(&message, &routing, NULL));
}

static void test_a_request(void **state)
{
    (void)state;
    route(START VIA FROM TO CALL_ID CSEQ "Max-Forwards: 0068\r\n" END);
    assert_span(routing.request_uri.host, "biloxi.com");
    assert_span(routing.via.host, "a.example.com");
    assert_span(routing.via_field->row, VIA);
    assert_span(routing.from.uri.user, "alice");
    assert_span(routing.from_tag, "1928301774");
    assert_span(routing.to.uri.user, "bob");
    assert_span(routing.to_tag, "");
    assert_span(routing.call_id, "a84b4c76e66710@pc33.atlanta.com");
    assert_int_equal(routing.cseq.number, 314159);
    assert_int_equal(routing.max_forwards, 68);
}

static void test_a_response(void **state)
{
    (void)state;
    route("SIP/2.0 200 OK\r\n" VIA FROM "t: sip:bob@biloxi.com;tag=a6c85cf\r\n" CALL_ID CSEQ END);
    assert_span(routing.to_tag, "a6c85cf");
    assert_int_equal(routing.max_forwards, 70);
    assert_int_equal(routing.cseq.method, AHOY_METHOD_INVITE);
}

static void test_the_topmost_via(void **state)
{
    (void)state;
    route(START FROM "v: SIP/2.0/TCP b;branch=z9hG4bK2 ,SIP/2.0/UDP c\r\n" VIA TO CALL_ID CSEQ END);
    assert_span(routing.via.text, "SIP/2.0/TCP b;branch=z9hG4bK2");
    /* Via values below are those behind us to judge. */
    route(START VIA "Via: garbage\r\n" FROM TO CALL_ID CSEQ END);
}

/* Attack 8: without a usable Via there is nowhere to answer to. */
static void test_no_usable_via(void **state)
{
    (void)state;
    refuse(START FROM TO CALL_ID CSEQ END, 400, END, false);
    refuse(START "Via: \r\n" FROM TO CALL_ID CSEQ END, 400, "\r\n" FROM TO CALL_ID CSEQ END, false);
    refuse(START "Via: SIP/2.0/UDP\r\n" END, 400, "SIP/2.0/UDP\r\n" END, false);
    refuse(START "Via: SIP/2.0/UDP a,\"\r\n" FROM TO CALL_ID "CSeq: x\r\n" END, 400, "x\r\n" END,
           true);
    refuse(START "Via: \"SIP/2.0/UDP a\r\n" END, 400, "\"SIP/2.0/UDP a\r\n" END, false);
    /* RFC 4475 3.1.2.1: the sent-by is there. */
    refuse(START "Via: SIP/2.0/UDP 192.0.2.15;;,;,,\r\n" END, 400, ";,;,,\r\n" END, true);
    refuse(START "Via: SIP/2.0/UDP a;branch=\r\n" END, 400, "\r\n" END, true);
}

/* R3261-20-2, -3: in a request and in a response. */
static void test_missing_headers(void **state)
{
    (void)state;
    static const char *const rows[] = { FROM, TO, CALL_ID, CSEQ };
    for (size_t missing = 0; missing < 5; missing++) {
        char text[1000];
        struct ahoy_buf buf = ahoy_buf_over(text, sizeof text - 1);
        ahoy_buf_put(&buf, SPAN("SIP/2.0 200 OK\r\n" VIA));
        for (size_t i = 0; i < 4; i++)
            ahoy_buf_put(&buf, i == missing ? SPAN("") : ahoy_span(rows[i]));
        ahoy_buf_put(&buf, SPAN(END));
        text[buf.size] = '\0';
        if (missing == 4)
            route(text); /* None is. */
        else
            refuse(text, 400, END, true);
    }
    refuse("SIP/2.0 200 OK\r\n" FROM TO CALL_ID CSEQ END, 400, END, false);
    refuse(START VIA TO CALL_ID CSEQ END, 400, END, true);
    refuse(START VIA FROM CALL_ID CSEQ END, 400, END, true);
    refuse(START VIA FROM TO CSEQ END, 400, END, true);
    refuse(START VIA FROM TO CALL_ID END, 400, END, true);
}

/* R3261-8.1.1.3-1, but not for peers of RFC 2543 (RFC 4475 3.4.1). */
static void test_a_tag_in_from(void **state)
{
    (void)state;
    refuse(START VIA TO CALL_ID CSEQ "From: <sip:a>\r\n" END, 400, "\r\n" END, true);
    route(START "Via: SIP/2.0/UDP a\r\nFrom: <sip:a>\r\n" TO CALL_ID CSEQ END);
    assert_span(routing.from_tag, "");
    route(START "Via: SIP/2.0/UDP a;branch=z9hG4bK\r\nFrom: <sip:a>\r\n" TO CALL_ID CSEQ END);
    route("SIP/2.0 200 OK\r\n" VIA "From: <sip:a>\r\n" TO CALL_ID CSEQ END);
    assert_span(routing.from_tag, "");
}

static void test_bad_addresses(void **state)
{
    (void)state;
    refuse(START VIA FROM "To: \"J <sip:j>\r\n" CALL_ID CSEQ END, 400,
           "\"J <sip:j>\r\n" CALL_ID CSEQ END, true);
    refuse(START VIA "From: <sip:a>;tag=\r\n" TO CALL_ID CSEQ END, 400, "\r\n" TO CALL_ID CSEQ END,
           true);
    refuse(START VIA FROM "To:\r\n" CALL_ID CSEQ END, 400, "\r\n" CALL_ID CSEQ END, true);
}

/* Of a response the URIs are the request's, and for who wrote that to judge; all else of From and
 * To is read as in a request. */
static void test_addresses_of_a_response(void **state)
{
    (void)state;
    char text[1000];
    route("SIP/2.0 200 OK\r\n" VIA "From: \"<\" < sip:a@@;x >;tag=1 ;y\r\n"
          "To: B <>;tag=2\r\n" CALL_ID CSEQ END);
    assert_span(routing.from.uri.text, " sip:a@@;x ");
    assert_span(routing.from.uri.host, "");
    assert_span(routing.from.display, "\"<\"");
    assert_span(routing.from.params, ";tag=1 ;y");
    assert_true(routing.from.in_brackets);
    assert_span(routing.from_tag, "1");
    assert_span(routing.to.uri.text, "");
    assert_span(routing.to_tag, "2");
    static const char *const faults[] = { "<sip:b",      "\"B <sip:b>",         "\"B\" sip:b",
                                          "<sip:b>;tag=", "<sip:b>;tag=1;tag=2", "<sip:b> x",
                                          "sip:b@;tag=1", "" };
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        struct ahoy_buf buf = ahoy_buf_over(text, sizeof text - 1);
        ahoy_buf_put(&buf, SPAN("SIP/2.0 200 OK\r\n" VIA FROM "To: "));
        ahoy_buf_put(&buf, ahoy_span(faults[i]));
        ahoy_buf_put(&buf, SPAN("\r\n" CALL_ID CSEQ END));
        text[buf.size] = '\0';
        assert_true(ahoy_message_parse(test_text(text), &message, NULL));
        struct ahoy_err err = { .expected = NULL };
        if (ahoy_message_routing(&message, &routing, &err))
            fail_msg("%s was accepted", faults[i]);
        assert_int_equal(err.status, 400);
    }
}

/* R3261-8.1.1.5-1, attack 10, RFC 4475 3.1.2.17 and 3.1.2.18. */
static void test_cseq(void **state)
{
    (void)state;
    refuse(START VIA FROM TO CALL_ID "CSeq: 8 OPTIONS\r\n" END, 400, "OPTIONS\r\n" END, true);
    refuse(START VIA FROM TO CALL_ID "CSeq: 8 invite\r\n" END, 400, "invite\r\n" END, true);
    refuse("NEW sip:a SIP/2.0\r\n" VIA FROM TO CALL_ID CSEQ END, 400, "INVITE\r\n" END, true);
    route("NEW sip:a SIP/2.0\r\n" VIA FROM TO CALL_ID "CSeq: 8 NEW\r\n" END);
}

static void test_call_id(void **state)
{
    (void)state;
    route(START VIA FROM TO CSEQ "i: intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{\r\n" END);
    assert_span(routing.call_id, "intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{");
    refuse(START VIA FROM TO CSEQ "Call-ID:\r\n" END, 400, "\r\n" END, true);
    refuse(START VIA FROM TO CSEQ "Call-ID: a b\r\n" END, 400, " b\r\n" END, true);
    refuse(START VIA FROM TO CSEQ "Call-ID: a\xff\r\n" END, 400, "\xff\r\n" END, true);
}

/* 20.22 */
static void test_max_forwards(void **state)
{
    (void)state;
    route(START VIA FROM TO CALL_ID CSEQ "Max-Forwards: 0\r\n" END);
    assert_int_equal(routing.max_forwards, 0);
    route(START VIA FROM TO CALL_ID CSEQ "Max-Forwards: 255\r\n" END);
    assert_int_equal(routing.max_forwards, 255);
    route(START VIA FROM TO CALL_ID CSEQ END);
    assert_int_equal(routing.max_forwards, 70);
    refuse(START VIA FROM TO CALL_ID CSEQ "Max-Forwards: 256\r\n" END, 400, "256\r\n" END, true);
    refuse(START VIA FROM TO CALL_ID CSEQ "Max-Forwards: 4294967296\r\n" END, 400,
           "4294967296\r\n" END, true);
    refuse(START VIA FROM TO CALL_ID CSEQ "Max-Forwards: -1\r\n" END, 400, "-1\r\n" END, true);
    refuse(START VIA FROM TO CALL_ID CSEQ "Max-Forwards:\r\n" END, 400, "\r\n" END, true);
}

/* RFC 4475 3.1.2.11, RFC 5118 4.2 */
static void test_request_uri(void **state)
{
    (void)state;
    refuse("INVITE sip:a?Route=%3Csip:b%3E SIP/2.0\r\n" VIA FROM TO CALL_ID CSEQ END, 400,
           "Route=%3Csip:b%3E SIP/2.0\r\n" VIA FROM TO CALL_ID CSEQ END, true);
    refuse("INVITE sip:2001:db8::10 SIP/2.0\r\n" VIA FROM TO CALL_ID CSEQ END, 400,
           "db8::10 SIP/2.0\r\n" VIA FROM TO CALL_ID CSEQ END, true);
    refuse("INVITE bob SIP/2.0\r\n" VIA FROM TO CALL_ID CSEQ END, 400,
           "bob SIP/2.0\r\n" VIA FROM TO CALL_ID CSEQ END, true);
    route("INVITE soap.beep://192.0.2.103:3002 SIP/2.0\r\n" VIA FROM TO CALL_ID CSEQ END);
    assert_int_equal(routing.request_uri.scheme, AHOY_SCHEME_OTHER);
}

/* What could not be indexed may still tell where a 400 goes. */
static void test_via_of_a_bad_message(void **state)
{
    (void)state;
    struct ahoy_err err;
    assert_false(ahoy_message_parse(test_text(START "bad row\r\n" VIA), &message, &err));
    assert_false(ahoy_message_routing(&message, &routing, &err));
    assert_span(routing.via.host, "a.example.com");
    assert_false(ahoy_message_parse(test_text(""), &message, &err));
    assert_false(ahoy_message_routing(&message, &routing, &err));
    assert_null(routing.via_field);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_a_request, test_free_all),
        cmocka_unit_test_teardown(test_a_response, test_free_all),
        cmocka_unit_test_teardown(test_the_topmost_via, test_free_all),
        cmocka_unit_test_teardown(test_no_usable_via, test_free_all),
        cmocka_unit_test_teardown(test_missing_headers, test_free_all),
        cmocka_unit_test_teardown(test_a_tag_in_from, test_free_all),
        cmocka_unit_test_teardown(test_bad_addresses, test_free_all),
        cmocka_unit_test_teardown(test_addresses_of_a_response, test_free_all),
        cmocka_unit_test_teardown(test_cseq, test_free_all),
        cmocka_unit_test_teardown(test_call_id, test_free_all),
        cmocka_unit_test_teardown(test_max_forwards, test_free_all),
        cmocka_unit_test_teardown(test_request_uri, test_free_all),
        cmocka_unit_test_teardown(test_via_of_a_bad_message, test_free_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
