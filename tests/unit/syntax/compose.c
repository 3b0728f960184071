/* Responses (RFC 3261 8.2.6), ACK (17.1.1.3) and CANCEL (9.1). */
#include "libahoy/syntax/compose.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/bytes.h"

static struct ahoy_message request;
static struct ahoy_message response;
static char space[4000];

#define REQUEST                                                                                    \
    "INVITE sip:bob@192.0.2.4;x SIP/2.0\r\n"                                                       \
    "V: SIP/2.0/UDP bigbox3.site3.atlanta.com;branch=z9hG4bK77ef4c2312983.1 , SIP/2.0/UDP b\r\n"   \
    "Via: SIP/2.0/UDP pc33.atlanta.com;rport\r\n"                                                  \
    "Max-Forwards: 69\r\n"                                                                         \
    "t : Bob\r\n <sip:bob@biloxi.com>\r\n"                                                         \
    "From: Alice <sip:alice@atlanta.com>;tag=1928301774\r\n"                                       \
    "Call-ID: a84b4c76e66710@pc33.atlanta.com\r\n"                                                 \
    "CSeq: 0314159 INVITE\r\n"                                                                     \
    "Timestamp: 54\r\n"                                                                            \
    "Route: <sip:p1;lr>, <sip:p2;lr>\r\n"                                                          \
    "Require: x\r\n"                                                                               \
    "Proxy-Require: x\r\n"                                                                         \
    "Route: <sip:p3;lr>\r\n"                                                                       \
    "Content-Length: 4\r\n"                                                                        \
    "\r\n"                                                                                         \
    "body"

static void parse(struct ahoy_message *message, const char *text)
{
    struct ahoy_err err = { .expected = NULL };
    if (!ahoy_message_parse(test_text(text), message, &err))
        fail_msg("%s: expected %s", text, err.expected);
}

static struct span compose(const struct ahoy_response *answer)
{
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    ahoy_compose_response(&buf, &request, answer);
    assert_false(buf.overflow);
    return ahoy_buf_text(&buf);
}

/* R3261-8.2.6.2-1 to -6, R3261-7.1-2, -3 */
static void test_a_response(void **state)
{
    (void)state;
    parse(&request, REQUEST);
    struct ahoy_ip source;
    assert_true(ahoy_ip_parse(SPAN("192.0.2.7"), &source));
    source.port = 4000;
    assert_span(compose(&(struct ahoy_response){ .status = 486,
                                                 .to_tag = SPAN("a6c85cf"),
                                                 .headers = SPAN("Server: x\r\n"),
                                                 .body = SPAN("why"),
                                                 .received = &source }),
                "SIP/2.0 486 Busy Here\r\n"
                "V: SIP/2.0/UDP bigbox3.site3.atlanta.com;received=192.0.2.7;"
                "branch=z9hG4bK77ef4c2312983.1 , SIP/2.0/UDP b\r\n"
                "Via: SIP/2.0/UDP pc33.atlanta.com;rport\r\n"
                "From: Alice <sip:alice@atlanta.com>;tag=1928301774\r\n"
                "t : Bob\r\n <sip:bob@biloxi.com>;tag=a6c85cf\r\n"
                "Call-ID: a84b4c76e66710@pc33.atlanta.com\r\n"
                "CSeq: 0314159 INVITE\r\n"
                "Server: x\r\n"
                "Content-Length: 3\r\n"
                "\r\n"
                "why");
}

/* R3261-8.2.6.1-1, R3261-20.14-2; a 100 gets no tag (8.2.6.2). */
static void test_a_100(void **state)
{
    (void)state;
    parse(&request, REQUEST);
    assert_span(compose(&(struct ahoy_response){ .status = 100, .to_tag = SPAN("x") }),
                "SIP/2.0 100 Trying\r\n"
                "V: SIP/2.0/UDP bigbox3.site3.atlanta.com;branch=z9hG4bK77ef4c2312983.1 "
                ", SIP/2.0/UDP b\r\n"
                "Via: SIP/2.0/UDP pc33.atlanta.com;rport\r\n"
                "From: Alice <sip:alice@atlanta.com>;tag=1928301774\r\n"
                "t : Bob\r\n <sip:bob@biloxi.com>\r\n"
                "Call-ID: a84b4c76e66710@pc33.atlanta.com\r\n"
                "CSeq: 0314159 INVITE\r\n"
                "Timestamp: 54\r\n"
                "Content-Length: 0\r\n"
                "\r\n");
}

/* R3261-8.2.6.2-5 */
static void test_a_tag_that_is_there_stays(void **state)
{
    (void)state;
    parse(&request, "BYE sip:a SIP/2.0\r\nTo: sip:b ; tag = 1\r\n\r\n");
    assert_span(compose(&(struct ahoy_response){ .status = 200, .to_tag = SPAN("2") }),
                "SIP/2.0 200 OK\r\nTo: sip:b ; tag = 1\r\nContent-Length: 0\r\n\r\n");
}

static void test_a_phrase_of_ones_own(void **state)
{
    (void)state;
    parse(&request, "BYE sip:a SIP/2.0\r\nTo: sip:b\r\n\r\n");
    assert_span(compose(&(struct ahoy_response){ .status = 499, .reason = SPAN("No") }),
                "SIP/2.0 499 No\r\nTo: sip:b\r\nContent-Length: 0\r\n\r\n");
    assert_span(compose(&(struct ahoy_response){ .status = 499 }),
                "SIP/2.0 499 Client Failure\r\nTo: sip:b\r\nContent-Length: 0\r\n\r\n");
}

/* A request of which only half could be read is answered with that half. */
static void test_half_a_request(void **state)
{
    (void)state;
    struct ahoy_err err;
    assert_false(ahoy_message_parse(test_text("INVITE sip:a SIP/7.0\r\n"
                                              "Via: SIP/2.0/UDP a;;\r\n"
                                              "To: \"x <sip:b>\r\n"
                                              "From: y\r\n"
                                              "From: z\r\n"
                                              "Call-ID: \x01\r\n"
                                              "CSeq: 1\r\n"),
                                    &request, &err));
    struct ahoy_ip source;
    assert_true(ahoy_ip_parse(SPAN("::1"), &source));
    assert_span(
        compose(&(struct ahoy_response){ .status = 505, .to_tag = SPAN("t"), .received = &source }),
        "SIP/2.0 505 Version Not Supported\r\n"
        "Via: SIP/2.0/UDP a;received=::1;;\r\n"
        "From: y\r\n"
        "To: \"x <sip:b>;tag=t\r\n"
        "CSeq: 1\r\n"
        "Content-Length: 0\r\n"
        "\r\n");
    assert_false(
        ahoy_message_parse(test_text("INVITE sip:a SIP/2.0\r\nVia: \"\r\n"), &request, &err));
    assert_span(compose(&(struct ahoy_response){ .status = 400, .received = &source }),
                "SIP/2.0 400 Bad Request\r\nVia: \"\r\nContent-Length: 0\r\n\r\n");
}

static void test_no_room(void **state)
{
    (void)state;
    parse(&request, REQUEST);
    size_t size = compose(&(struct ahoy_response){ .status = 200 }).size;
    struct ahoy_buf buf = ahoy_buf_over(space, size - 1);
    ahoy_compose_response(&buf, &request, &(struct ahoy_response){ .status = 200 });
    assert_true(buf.overflow);
    assert_int_equal(ahoy_buf_text(&buf).size, 0);
}

/* R3261-8.2.2.3-3, R3261-17.1.1.3-2 to -6; the rows as in the example of the section. */
static void test_ack(void **state)
{
    (void)state;
    parse(&request, REQUEST);
    parse(&response, "SIP/2.0 486 Busy Here\r\n"
                     "To: Bob <sip:bob@biloxi.com>;tag=99sa0xk\r\n"
                     "Max-Forwards: 3\r\n\r\n");
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    ahoy_compose_ack(&buf, &request, &response);
    assert_span(ahoy_buf_text(&buf),
                "ACK sip:bob@192.0.2.4;x SIP/2.0\r\n"
                "Via: SIP/2.0/UDP bigbox3.site3.atlanta.com;branch=z9hG4bK77ef4c2312983.1\r\n"
                "Max-Forwards: 70\r\n"
                "From: Alice <sip:alice@atlanta.com>;tag=1928301774\r\n"
                "Call-ID: a84b4c76e66710@pc33.atlanta.com\r\n"
                "CSeq: 314159 ACK\r\n"
                "Route: <sip:p1;lr>, <sip:p2;lr>\r\n"
                "Route: <sip:p3;lr>\r\n"
                "To: Bob <sip:bob@biloxi.com>;tag=99sa0xk\r\n"
                "Content-Length: 0\r\n"
                "\r\n");
}

/* R3261-9.1-1 to -5, R3261-8.2.2.3-3 */
static void test_cancel(void **state)
{
    (void)state;
    parse(&request, REQUEST);
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    ahoy_compose_cancel(&buf, &request, SPAN("Reason: SIP;cause=200\r\n"));
    assert_span(ahoy_buf_text(&buf),
                "CANCEL sip:bob@192.0.2.4;x SIP/2.0\r\n"
                "Via: SIP/2.0/UDP bigbox3.site3.atlanta.com;branch=z9hG4bK77ef4c2312983.1\r\n"
                "Max-Forwards: 70\r\n"
                "From: Alice <sip:alice@atlanta.com>;tag=1928301774\r\n"
                "Call-ID: a84b4c76e66710@pc33.atlanta.com\r\n"
                "CSeq: 314159 CANCEL\r\n"
                "Route: <sip:p1;lr>, <sip:p2;lr>\r\n"
                "Route: <sip:p3;lr>\r\n"
                "t : Bob\r\n <sip:bob@biloxi.com>\r\n"
                "Reason: SIP;cause=200\r\n"
                "Content-Length: 0\r\n"
                "\r\n");
}

/* R3841-5-1 */
static void test_preferences(void **state)
{
    static const char rows[] = "Accept-Contact: *;audio\r\n"
                               "a: *;video\r\n"
                               "Reject-Contact: *;text\r\n"
                               "Request-Disposition: no-fork\r\n";
    char text[1024];
    (void)state;
    snprintf(text, sizeof text,
             "INVITE sip:bob@192.0.2.4 SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK7\r\n"
             "CSeq: 1 INVITE\r\nSubject: x\r\n%s\r\n",
             rows);
    parse(&request, text);
    parse(&response, "SIP/2.0 486 Busy Here\r\n\r\n");
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space - 1);
    ahoy_compose_ack(&buf, &request, &response);
    space[buf.size] = '\0';
    assert_non_null(strstr(space, rows));
    buf = ahoy_buf_over(space, sizeof space - 1);
    ahoy_compose_cancel(&buf, &request, SPAN(""));
    space[buf.size] = '\0';
    assert_non_null(strstr(space, rows));
    assert_null(strstr(space, "Subject"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_a_response, test_free_all),
        cmocka_unit_test_teardown(test_a_100, test_free_all),
        cmocka_unit_test_teardown(test_a_tag_that_is_there_stays, test_free_all),
        cmocka_unit_test_teardown(test_a_phrase_of_ones_own, test_free_all),
        cmocka_unit_test_teardown(test_half_a_request, test_free_all),
        cmocka_unit_test_teardown(test_no_room, test_free_all),
        cmocka_unit_test_teardown(test_ack, test_free_all),
        cmocka_unit_test_teardown(test_cancel, test_free_all),
        cmocka_unit_test_teardown(test_preferences, test_free_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
