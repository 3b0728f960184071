/* The ACK to a 2xx, which is forwarded without state (RFC 3261 16.11). */
#include "libahoy/tu/proxy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/support/stage.h"

static const char ACK[] = "ACK sip:bob@192.0.2.11 SIP/2.0\r\n"
                          "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKa2;rport\r\n"
                          "Route: <sip:192.0.2.1:5060;transport=udp;lr>\r\n"
                          "Max-Forwards: 70\r\n"
                          "From: <sip:alice@example.com>;tag=a\r\n"
                          "To: <sip:bob@example.com>;tag=t1\r\n"
                          "Call-ID: 1@192.0.2.10\r\n"
                          "CSeq: 1 ACK\r\n"
                          "Content-Length: 0\r\n"
                          "\r\n";

/* R3261-16.11-9: a second time with the same branch; never a Record-Route. */
static void test_ack(void **state)
{
    struct stage *stage = *state;
    stage->plan.own_routes = 1;
    stage->plan.record_route = true;
    struct span first = SPAN("");
    for (int i = 0; i < 2; i++) {
        stage_say(stage, ALICE, ACK);
        stage_expect(stage, BOB, "ACK");
        stage_expect_text(stage, "ACK sip:bob@192.0.2.11 SIP/2.0\r\n"
                                 "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=BRANCH\r\n"
                                 "Via: SIP/2.0/UDP 192.0.2.10:5060;received=192.0.2.10;"
                                 "branch=z9hG4bKa2;rport=5060\r\n"
                                 "Max-Forwards: 69\r\n"
                                 "Max-Breadth: 60\r\n"
                                 "From: <sip:alice@example.com>;tag=a\r\n"
                                 "To: <sip:bob@example.com>;tag=t1\r\n"
                                 "Call-ID: 1@192.0.2.10\r\n"
                                 "CSeq: 1 ACK\r\n"
                                 "Content-Length: 0\r\n"
                                 "\r\n");
        if (i == 0)
            first = stage->last;
        assert_true(ahoy_span_equal(first, stage->last));
    }
    stage_expect_silence(stage);
    assert_int_equal(ahoy_proxy_count(stage->proxy), 0);
}

/* Whether both have the same first Via, ours. */
static bool is_same_via(struct span a, struct span b)
{
    struct ahoy_message messages[2];
    assert_true(ahoy_message_parse(a, &messages[0], NULL));
    assert_true(ahoy_message_parse(b, &messages[1], NULL));
    return ahoy_span_equal(ahoy_message_value(&messages[0], AHOY_HEADER_VIA),
                           ahoy_message_value(&messages[1], AHOY_HEADER_VIA));
}

/* Two calls' ACKs, or two of one call, are two transactions. */
static void test_other_ack(void **state)
{
    static char text[sizeof ACK];
    struct stage *stage = *state;
    stage_say(stage, ALICE, ACK);
    stage_expect(stage, BOB, "ACK");
    struct span first = stage->last;
    memcpy(text, ACK, sizeof text);
    *strstr(text, "a2;rport") = 'b';
    stage_say(stage, ALICE, text);
    stage_expect(stage, BOB, "ACK");
    assert_false(is_same_via(first, stage->last));
}

/* Of a peer of RFC 2543, whose branch tells nothing: two ACKs must not get one branch. */
static void test_ack_without_cookie(void **state)
{
    static const char *const calls[] = { "1", "2", "1" };
    struct stage *stage = *state;
    struct span got[3];
    for (size_t i = 0; i < 3; i++) {
        char text[512];
        struct ahoy_buf buf = ahoy_buf_over(text, sizeof text);
        ahoy_buf_put(&buf, SPAN("ACK sip:bob@192.0.2.11 SIP/2.0\r\n"
                                "Via: SIP/2.0/UDP 192.0.2.10:5060\r\n"
                                "From: <sip:alice@example.com>\r\n"
                                "To: <sip:bob@example.com>;tag=t1\r\n"
                                "Call-ID: "));
        ahoy_buf_put(&buf, ahoy_span(calls[i]));
        ahoy_buf_put(&buf, SPAN("\r\nCSeq: 1 ACK\r\n\r\n"));
        stage_hear(stage, &stage->peers[ALICE], ahoy_buf_text(&buf));
        stage_expect(stage, BOB, "ACK");
        got[i] = stage->last;
    }
    assert_false(is_same_via(got[0], got[1]));
    assert_true(ahoy_span_equal(got[0], got[2]));
}

/* An ACK is never answered, whatever is wrong with it. */
static void test_bad_ack(void **state)
{
    struct stage *stage = *state;
    stage_say(stage, ALICE,
              "ACK sip:bob@192.0.2.11 SIP/2.0\r\n"
              "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKa2\r\n"
              "Route: <sip:a;lr>,,\r\n"
              "From: <sip:alice@example.com>;tag=a\r\n"
              "To: <sip:bob@example.com>;tag=t1\r\n"
              "Call-ID: 1@192.0.2.10\r\n"
              "CSeq: 1 ACK\r\n"
              "\r\n");
    stage->plan.own_routes = 1;
    stage->targets[0].hop.transport = AHOY_SCTP; /* No listener of ours. */
    stage->targets[0].hop.listener = AHOY_ANY_LISTENER;
    stage_say(stage, ALICE, ACK);
    stage_expect_silence(stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        stage_test(test_ack),
        stage_test(test_other_ack),
        stage_test(test_ack_without_cookie),
        stage_test(test_bad_ack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
