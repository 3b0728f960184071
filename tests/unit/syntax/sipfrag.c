/* Fragments of messages: the examples of RFC 3420 3, and its rules in 2. */
#include "libahoy/syntax/sipfrag.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "libahoy/sdp/sdp.h"
#include "libahoy/syntax/multipart.h"
#include "libahoy/syntax/value.h"
#include "tests/support/bytes.h"

static struct ahoy_message message;

static void parse(const char *text)
{
    struct ahoy_err err = { .expected = NULL };
    if (!ahoy_sipfrag_parse(test_text(text), &message, &err))
        fail_msg("%s: expected %s", text, err.expected);
}

/* |text| is refused with |status|, for what stands at |offset|. */
static void refuse(const char *text, unsigned status, size_t offset)
{
    struct span bytes = test_text(text);
    struct ahoy_err err = { .expected = NULL };
    if (ahoy_sipfrag_parse(bytes, &message, &err))
        fail_msg("%s was accepted", text);
    assert_non_null(err.expected);
    assert_int_equal(err.status, status);
    if (ahoy_err_offset(&err, bytes) != offset)
        fail_msg("%s: %s at %zu", text, err.expected, ahoy_err_offset(&err, bytes));
}

/* 3.1: a start line alone. */
static void test_start_lines(void **state)
{
    (void)state;
    parse("INVITE sip:alice@atlanta.com SIP/2.0\r\n");
    assert_true(message.is_request);
    assert_int_equal(message.method, AHOY_METHOD_INVITE);
    assert_span(message.request_uri, "sip:alice@atlanta.com");
    parse("SIP/2.0 603 Declined\r\n");
    assert_false(message.is_request);
    assert_int_equal(message.status, 603);
    assert_int_equal(message.field_count, 0);
    assert_span(message.body, "");
    /* Many phones report so in NOTIFY. */
    parse("SIP/2.0 180 Ringing");
    assert_int_equal(message.status, 180);
    assert_span(message.reason, "Ringing");
}

/* 3.1: parts of a message. */
static void test_rows(void **state)
{
    (void)state;
    parse("REGISTER sip:atlanta.com SIP/2.0\r\nTo: sip:alice@atlanta.com\r\n"
          "Contact: <sip:alicepc@atlanta.com>;q=0.9,\r\n"
          "         <sip:alicemobile@atlanta.com>;q=0.1\r\n");
    assert_int_equal(message.method, AHOY_METHOD_REGISTER);
    assert_int_equal(message.field_count, 2);
    parse("SIP/2.0 400 Bad Request\r\n"
          "Warning: 399 atlanta.com Your Event header field was malformed\r\n");
    assert_span(ahoy_message_value(&message, AHOY_HEADER_WARNING),
                "399 atlanta.com Your Event header field was malformed");
    parse("From: Alice <sip:alice@atlanta.com>\r\nTo: Bob <sip:bob@biloxi.com>\r\n"
          "Contact: <sip:alice@pc33.atlanta.com>\r\nDate: Thu, 21 Feb 2002 13:02:03 GMT\r\n"
          "Call-ID: a84b4c76e66710\r\nCseq: 314159 INVITE\r\n");
    assert_span(message.start_line, "");
    assert_false(message.is_request);
    assert_int_equal(message.status, 0);
    assert_int_equal(message.field_count, 6);
    assert_span(ahoy_message_value(&message, AHOY_HEADER_CALL_ID), "a84b4c76e66710");
    parse("CSeq : 1 INVITE\r\n");
    assert_int_equal(message.field_count, 1);
    parse("");
    assert_int_equal(message.field_count, 0);
    assert_span(message.bytes, "");
    assert_true(ahoy_sipfrag_parse((struct span){ NULL, 0 }, &message, NULL));
}

/* 3.1: bodies.  The Content-Length of the first is one too large in the RFC. */
static void test_bodies(void **state)
{
    (void)state;
    parse("SIP/2.0 200 OK\r\nContent-Type: application/sdp\r\nContent-Length: 246\r\n\r\n"
          "v=0\r\no=alice 2890844526 2890844526 IN IP4 host.anywhere.com\r\ns=\r\n"
          "c=IN IP4 host.anywhere.com\r\nt=0 0\r\nm=audio 49170 RTP/AVP 0\r\n"
          "a=rtpmap:0 PCMU/8000\r\nm=video 51372 RTP/AVP 31\r\na=rtpmap:31 H261/90000\r\n"
          "m=video 53000 RTP/AVP 32\r\na=rtpmap:32 MPV/90000\r\n");
    assert_int_equal(message.body.size, 246);
    parse("Content-Type: text/plain\r\nContent-Length: 11\r\n\r\nHi There!\r\n");
    assert_span(message.body, "Hi There!\r\n");
    assert_int_equal(message.status, 0);
    parse("Content-Type: text/plain\r\n\r\nrest");
    assert_span(message.body, "rest");
    parse("SIP/2.0 200 OK\r\n\r\n");
    assert_span(message.body, "");
    parse("\r\n");
    assert_int_equal(message.field_count, 0);
    refuse("Content-Type: text/plain\r\nContent-Length: 11\r\n\r\nHi", 400, 42);
    refuse("\r\nHi There!\r\n", 400, 2);
}

/* 3.2 */
static void test_invalid_examples(void **state)
{
    (void)state;
    refuse("INVITE\r\n", 400, 6);
    refuse("INVITE sip:alice@atlanta.com SIP/1.09\r\n", 505, 29);
    refuse("SIP/2.0\r\n", 400, 7);
    refuse("404 Not Found\r\n", 400, 8);
    refuse("INVITE sip:alice@atlanta.com SIP/2.0\r\nVia: SIP/2.0/UDP ;branch=z9hG4bK29342a\r\n"
           "To: <>;tag=39234\r\n",
           400, 55);
    refuse("To: <>;tag=39234\r\n", 400, 5);
    refuse("To: sip:alice@atlanta.com\r\nFrom: sip:bob@biloxi.com;tag=1992312\r\n"
           "Call-ID: this is invalid\r\n",
           400, 78);
    refuse("INVITE sip:alice@atlanta.com SIP/2.0\r\n"
           "From: <sip:bob@biloxi.com>;tag=z9hG4bK2912;tag=z9hG4bK99234\r\n",
           400, 81);
    refuse("MESSAGE sip:alice@atlanta.com SIP/2.0\r\n\r\nHi There!\r\n", 400, 41);
    refuse("MESSAGE sip:alice@atlanta.com SIP/2.0\r\nHi There!\r\n", 400, 42);
}

static void test_faults(void **state)
{
    (void)state;
    refuse("To: <sip:a>", 400, 11); /* Only a start line may lack its CRLF. */
    refuse("To: <sip:a>\r\nTo: <sip:b>\r\n", 400, 13);
    refuse("SIP/2.0 200 a\x01", 400, 13);
    refuse(": x\r\n", 400, 0);
    refuse(" x: y\r\n", 400, 0);
}

/* RFC 5621 3: from a message with several parts to one value within one of them. */
static void test_from_a_message_to_a_value(void **state)
{
    (void)state;
    static struct ahoy_message fragment;
    struct ahoy_err err;
    struct ahoy_part part;
    struct ahoy_value value;
    struct ahoy_sdp sdp;
    char space[100];
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    assert_true(ahoy_message_parse(test_text("NOTIFY sip:a SIP/2.0\r\n"
                                             "c: multipart/mixed; boundary=\"-\"\r\n\r\n"
                                             "---\r\nContent-Type: message/sipfrag;version=2.0\r\n"
                                             "\r\nSIP/2.0 200 OK\r\nt: sip:b@B.example ;tag=1\r\n"
                                             "\r\n---\r\nContent-Type: application/sdp\r\n\r\n"
                                             "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n"
                                             "\r\n-----\r\n"),
                                   &message, &err));
    struct span type = ahoy_message_value(&message, AHOY_HEADER_CONTENT_TYPE);
    assert_true(ahoy_body_find(type, message.body, SPAN("message/sipfrag"), &part, &err));
    assert_true(ahoy_sipfrag_parse(part.content, &fragment, &err));
    assert_int_equal(fragment.status, 200);
    struct span to = ahoy_message_value(&fragment, AHOY_HEADER_TO);
    assert_true(ahoy_value_parse(AHOY_HEADER_TO, to, &value, &err));
    ahoy_value_print(&value, &buf);
    assert_span(ahoy_buf_text(&buf), "sip:b@b.example;tag=1");
    assert_true(ahoy_body_find(type, message.body, SPAN("application/sdp"), &part, &err));
    assert_true(ahoy_sdp_parse(part.content, &sdp, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_start_lines, test_free_all),
        cmocka_unit_test_teardown(test_rows, test_free_all),
        cmocka_unit_test_teardown(test_bodies, test_free_all),
        cmocka_unit_test_teardown(test_invalid_examples, test_free_all),
        cmocka_unit_test_teardown(test_faults, test_free_all),
        cmocka_unit_test_teardown(test_from_a_message_to_a_value, test_free_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
