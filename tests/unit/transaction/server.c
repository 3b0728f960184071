/* The server side with real messages and virtual time: which requests come up, what is sent when,
 * every timer to the millisecond (RFC 3261 17.2, RFC 6026 7.1, 8.5 to 8.8). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/layer.h"

static struct layer layer;

static void begin(enum ahoy_transport transport)
{
    layer_init(&layer, transport);
    layer.accepts = 7;
}

/* An INVITE came and was accepted; the 100 has left. */
static struct ahoy_handle begin_invite(enum ahoy_transport transport)
{
    begin(transport);
    layer_request(&layer, "INVITE", "z9hG4bKa", "");
    layer_expect(&layer, "0 ^ INVITE\n0 > 100\n");
    return layer.accepted;
}

static void ack(const char *to_tag)
{
    layer_request_to(&layer, "ACK", "z9hG4bKa", to_tag, "");
}

/* R3261-17.2.1-1, -2, -3, -4; S3261-17.2.1-1. */
static void test_invite_rings(void **state)
{
    (void)state;
    struct ahoy_handle invite = begin_invite(AHOY_UDP);
    assert_null(strstr(layer.sent, ";tag=" LAYER_TAG));
    layer_run(&layer, 500);
    layer_request(&layer, "INVITE", "z9hG4bKa", "");
    assert_true(layer_respond(&layer, invite, 180));
    layer_request(&layer, "INVITE", "z9hG4bKa", "");
    assert_true(layer_respond(&layer, invite, 183));
    assert_true(layer_respond(&layer, invite, 183));
    ack(LAYER_TAG); /* Nothing to acknowledge. */
    layer_request(&layer, "INVITE", "z9hG4bKa", "");
    layer_run(&layer, 600000); /* None of them is sent again by itself. */
    layer_expect(&layer, "500 > 100\n"
                         "500 > 180\n"
                         "500 > 180\n"
                         "500 > 183\n"
                         "500 > 183\n"
                         "500 > 183\n");
    layer_abort(&layer);
}

/* R3261-17.2.1-1: whoever answers at once needs no 100 beside it. */
static void test_invite_answered_at_once(void **state)
{
    (void)state;
    static const unsigned answers[] = { 100, 180, 200, 486 };
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        layer_init(&layer, AHOY_UDP);
        layer_request(&layer, "INVITE", "z9hG4bKa", "");
        struct ahoy_handle handle =
            ahoy_transaction_accept(layer.transactions, &layer.event, 7, layer.now_ms);
        assert_true(layer_respond(&layer, handle, answers[i]));
        char lines[64];
        snprintf(lines, sizeof lines, "0 ^ INVITE\n0 > %u\n", answers[i]);
        layer_expect(&layer, lines);
        layer_abort(&layer);
    }
}

/* The 100 repeats Timestamp, and says where the request came from (8.2.6.1, 18.2.1). */
static void test_trying(void **state)
{
    (void)state;
    begin(AHOY_UDP);
    layer.source.remote.bytes[3] = 99;
    layer_request(&layer, "INVITE", "z9hG4bKa;rport", "Timestamp: 54\r\n");
    static struct ahoy_message trying;
    assert_true(ahoy_message_parse(layer_sent(&layer), &trying, NULL));
    assert_int_equal(trying.status, 100);
    assert_true(ahoy_span_equal(ahoy_message_value(&trying, AHOY_HEADER_TIMESTAMP), SPAN("54")));
    struct span via = ahoy_message_value(&trying, AHOY_HEADER_VIA);
    char text[256];
    snprintf(text, sizeof text, "%.*s", (int)via.size, via.at);
    assert_non_null(strstr(text, "received=192.0.2.99"));
    assert_non_null(strstr(text, "rport=5062"));
    layer_abort(&layer);
}

/* R3261-17.2.1-5 with R6026-7.1-1 to -5, R6026-8.5-1, -2, R6026-8.7-1 to -4: nothing is kept and
 * nothing sent again but by the user, until clock L. */
static void test_invite_accepted(void **state)
{
    (void)state;
    struct ahoy_handle invite = begin_invite(AHOY_UDP);
    layer_run(&layer, 100);
    assert_true(layer_respond(&layer, invite, 200));
    assert_int_equal(ahoy_transactions_memory(layer.transactions), 0);
    layer_run(&layer, 600);
    layer_request(&layer, "INVITE", "z9hG4bKa", ""); /* Absorbed. */
    assert_true(layer_respond(&layer, invite, 200));
    assert_true(layer_respond(&layer, invite, 180)); /* Ignored. */
    assert_true(layer_respond(&layer, invite, 486));
    ack(LAYER_TAG);
    ack(LAYER_TAG);
    layer_run(&layer, 32099);
    layer_request(&layer, "INVITE", "z9hG4bKa", "");
    assert_true(layer_respond(&layer, invite, 200));
    layer_run(&layer, 32100);
    assert_false(layer_respond(&layer, invite, 200));
    ack(LAYER_TAG);
    layer_expect(&layer, "100 > 200\n"
                         "600 > 200\n"
                         "600 ^ ACK\n"
                         "600 ^ ACK\n"
                         "32099 > 200\n"
                         "32100 ^ ended user 7\n"
                         "32100 ^ ACK\n");
    layer_fini(&layer);
}

/* R6026-8.7-2: "for all transports". */
static void test_invite_accepted_reliable(void **state)
{
    (void)state;
    struct ahoy_handle invite = begin_invite(AHOY_TCP);
    assert_true(layer_respond(&layer, invite, 200));
    layer_run(&layer, 100000);
    layer_expect(&layer, "0 > 200\n32000 ^ ended user 7\n");
    layer_fini(&layer);
}

/* R3261-17.2.1-7, -8, -10: clock G doubles up to T2, clock H gives up. */
static void test_invite_refused_unacknowledged(void **state)
{
    (void)state;
    struct ahoy_handle invite = begin_invite(AHOY_UDP);
    assert_true(layer_respond(&layer, invite, 486));
    layer_run(&layer, 100000);
    layer_expect(&layer, "0 > 486\n"
                         "500 > 486\n"
                         "1500 > 486\n"
                         "3500 > 486\n"
                         "7500 > 486\n"
                         "11500 > 486\n"
                         "15500 > 486\n"
                         "19500 > 486\n"
                         "23500 > 486\n"
                         "27500 > 486\n"
                         "31500 > 486\n"
                         "32000 ^ no ack user 7\n"
                         "32000 ^ ended user 7\n");
    layer_fini(&layer);
}

static void test_invite_refused_unacknowledged_reliable(void **state)
{
    (void)state;
    struct ahoy_handle invite = begin_invite(AHOY_TCP);
    assert_true(layer_respond(&layer, invite, 486));
    layer_run(&layer, 100000);
    layer_expect(&layer, "0 > 486\n"
                         "32000 ^ no ack user 7\n"
                         "32000 ^ ended user 7\n");
    layer_fini(&layer);
}

/* R3261-17.2.1-9, -11, -12; S3261-17.2.1-2: the ACK ends the retransmissions; what else comes is
 * absorbed while clock I runs. */
static void test_invite_refused(void **state)
{
    (void)state;
    struct ahoy_handle invite = begin_invite(AHOY_UDP);
    assert_true(layer_respond(&layer, invite, 486));
    assert_true(layer_respond(&layer, invite, 486));
    assert_true(layer_respond(&layer, invite, 200));
    assert_true(layer_respond(&layer, invite, 180));
    layer_run(&layer, 100);
    layer_request(&layer, "INVITE", "z9hG4bKa", "");
    layer_run(&layer, 600);
    ack(LAYER_TAG);
    assert_int_equal(ahoy_transactions_memory(layer.transactions), 0);
    layer_run(&layer, 5000);
    ack(LAYER_TAG);
    layer_request(&layer, "INVITE", "z9hG4bKa", "");
    assert_true(layer_respond(&layer, invite, 486));
    layer_run(&layer, 5599);
    ack(LAYER_TAG);
    layer_run(&layer, 5600);
    layer_expect(&layer, "0 > 486\n"
                         "100 > 486\n"
                         "500 > 486\n"
                         "5600 ^ ended user 7\n");
    layer_fini(&layer);
}

static void test_invite_refused_reliable(void **state)
{
    (void)state;
    struct ahoy_handle invite = begin_invite(AHOY_TCP);
    assert_true(layer_respond(&layer, invite, 486));
    layer_run(&layer, 100);
    ack(LAYER_TAG);
    layer_run(&layer, 100);
    layer_expect(&layer, "0 > 486\n100 ^ ended user 7\n");
    layer_fini(&layer);
}

/* R6026-6-2, R6026-7.1-7, -8, R6026-8.8-1: the user hears of it, and INVITEs are still absorbed. */
static void test_invite_responses_fail(void **state)
{
    (void)state;
    struct ahoy_handle invite = begin_invite(AHOY_UDP);
    layer_fail(&layer, invite);
    assert_true(layer_respond(&layer, invite, 200));
    layer_fail(&layer, invite);
    layer_request(&layer, "INVITE", "z9hG4bKa", "");
    layer_run(&layer, 32000);
    layer_expect(&layer, "0 ^ unreachable user 7\n"
                         "0 > 200\n"
                         "0 ^ unreachable user 7\n"
                         "32000 ^ ended user 7\n");
    layer_fini(&layer);
    invite = begin_invite(AHOY_UDP);
    assert_true(layer_respond(&layer, invite, 500));
    layer_fail(&layer, invite);
    layer_request(&layer, "INVITE", "z9hG4bKa", "");
    ack(LAYER_TAG);
    layer_fail(&layer, invite); /* Late news. */
    layer_run(&layer, 5000);
    layer_expect(&layer, "0 > 500\n"
                         "0 ^ unreachable user 7\n"
                         "0 > 500\n"
                         "5000 ^ ended user 7\n");
    layer_fini(&layer);
}

/* R3261-17.2.2-1 to -9. */
static void test_noninvite(void **state)
{
    (void)state;
    begin(AHOY_UDP);
    layer_request(&layer, "OPTIONS", "z9hG4bKa", "");
    struct ahoy_handle options = layer.accepted;
    layer_request(&layer, "OPTIONS", "z9hG4bKa", ""); /* Discarded: nothing to send yet. */
    layer_run(&layer, 5000);
    assert_true(layer_respond(&layer, options, 100));
    layer_request(&layer, "OPTIONS", "z9hG4bKa", "");
    assert_true(layer_respond(&layer, options, 100));
    layer_run(&layer, 6000);
    assert_true(layer_respond(&layer, options, 200));
    layer_request(&layer, "OPTIONS", "z9hG4bKa", "");
    assert_true(layer_respond(&layer, options, 404)); /* Discarded: R3261-17.2.2-8. */
    assert_true(layer_respond(&layer, options, 100));
    layer_run(&layer, 37999);
    layer_request(&layer, "OPTIONS", "z9hG4bKa", "");
    layer_run(&layer, 38000);
    assert_false(layer_respond(&layer, options, 200));
    layer_expect(&layer, "0 ^ OPTIONS\n"
                         "5000 > 100\n"
                         "5000 > 100\n"
                         "5000 > 100\n"
                         "6000 > 200\n"
                         "6000 > 200\n"
                         "37999 > 200\n"
                         "38000 ^ ended user 7\n");
    /* R3261-17.2.2-10: it is gone, so the same request is a new one. */
    layer_request(&layer, "OPTIONS", "z9hG4bKa", "");
    layer_expect(&layer, "38000 ^ OPTIONS\n");
    layer_abort(&layer);
}

static void test_noninvite_reliable(void **state)
{
    (void)state;
    begin(AHOY_TCP);
    layer_request(&layer, "OPTIONS", "z9hG4bKa", "");
    assert_true(layer_respond(&layer, layer.accepted, 200));
    layer_run(&layer, 0);
    layer_expect(&layer, "0 ^ OPTIONS\n0 > 200\n0 ^ ended user 7\n");
    layer_fini(&layer);
}

/* RFC 4320 4.2: whoever may not answer 408 answers nothing, and nothing is left behind. */
static void test_noninvite_unanswered(void **state)
{
    (void)state;
    static const enum ahoy_transport transports[] = { AHOY_UDP, AHOY_TCP };
    for (size_t i = 0; i < 2; i++) {
        begin(transports[i]);
        layer_request(&layer, "OPTIONS", "z9hG4bKa", "");
        struct ahoy_handle silent = layer.accepted;
        layer_request(&layer, "MESSAGE", "z9hG4bKb", "");
        layer_run(&layer, 5000);
        assert_true(layer_respond(&layer, layer.accepted, 100));
        layer_run(&layer, 31999);
        layer_expect(&layer, "0 ^ OPTIONS\n0 ^ MESSAGE\n5000 > 100\n");
        layer_run(&layer, 32000);
        layer_expect(&layer, "32000 ^ ended user 7\n32000 ^ ended user 7\n");
        assert_false(layer_respond(&layer, silent, 200));
        layer_fini(&layer);
    }
}

/* R6026-8.8-1 is about every server transaction. */
static void test_noninvite_responses_fail(void **state)
{
    (void)state;
    begin(AHOY_UDP);
    layer_request(&layer, "OPTIONS", "z9hG4bKa", "");
    struct ahoy_handle options = layer.accepted;
    assert_true(layer_respond(&layer, options, 100));
    layer_fail(&layer, options);
    assert_true(layer_respond(&layer, options, 200));
    layer_fail(&layer, options);
    layer_request(&layer, "OPTIONS", "z9hG4bKa", "");
    layer_run(&layer, 32000);
    layer_expect(&layer, "0 ^ OPTIONS\n"
                         "0 > 100\n"
                         "0 ^ unreachable user 7\n"
                         "0 > 200\n"
                         "0 ^ unreachable user 7\n"
                         "0 > 200\n"
                         "32000 ^ ended user 7\n");
    layer_fini(&layer);
}

/* 17.2.3: what differs in branch, sent-by or method is another request. */
static void test_other_requests(void **state)
{
    (void)state;
    begin(AHOY_UDP);
    layer_request(&layer, "OPTIONS", "z9hG4bKa", "");
    layer_request(&layer, "OPTIONS", "z9hG4bKb", "");
    layer_request(&layer, "MESSAGE", "z9hG4bKa", "");
    layer_request(&layer, "FROB", "z9hG4bKa", "");
    layer_request(&layer, "FROG", "z9hG4bKa", "");
    layer_request(&layer, "FROB", "z9hG4bKa", "");
    layer_expect(&layer, "0 ^ OPTIONS\n0 ^ OPTIONS\n0 ^ MESSAGE\n0 ^ FROB\n0 ^ FROG\n");
    assert_int_equal(ahoy_transactions_count(layer.transactions), 5);
    layer_run(&layer, 32000);
    layer_fini(&layer);
}

/* A request that the user lets drop comes up again each time. */
static void test_not_accepted(void **state)
{
    (void)state;
    layer_init(&layer, AHOY_UDP);
    layer_request(&layer, "INVITE", "z9hG4bKa", "");
    layer_request(&layer, "INVITE", "z9hG4bKa", "");
    ack(LAYER_TAG);
    layer_expect(&layer, "0 ^ INVITE\n0 ^ INVITE\n0 ^ ACK\n");
    layer_fini(&layer);
}

/* What a stranger makes us hold for a key has a place outside the slot, and goes with it. */
static void test_long_keys(void **state)
{
    (void)state;
    enum { SIZE = 200 };
    char branch[8 + SIZE] = "z9hG4bK";
    memset(branch + 7, 'x', SIZE);
    begin(AHOY_UDP);
    layer_request(&layer, "INVITE", branch, "");
    struct ahoy_handle invite = layer.accepted;
    assert_int_not_equal(ahoy_transactions_memory(layer.transactions), 0);
    assert_true(layer_respond(&layer, invite, 180));
    layer_request(&layer, "INVITE", branch, "");
    assert_true(layer_respond(&layer, invite, 200));
    layer_request(&layer, "INVITE", branch, "");
    branch[7 + SIZE - 1] = 'y';
    layer_request(&layer, "INVITE", branch, "");
    layer_expect(&layer, "0 ^ INVITE\n0 > 100\n0 > 180\n0 > 180\n0 > 200\n0 ^ INVITE\n0 > 100\n");
    assert_true(layer_respond(&layer, layer.accepted, 200));
    layer_run(&layer, 32000);
    layer_fini(&layer);
}

/* RFC 2543: no cookie.  The ACK is for our response where its To tag is that of the response. */
static void old_request(const char *method, const char *to_tag)
{
    layer_request_to(&layer, method, "1", to_tag, "");
}

static void test_rfc_2543_refused(void **state)
{
    (void)state;
    begin(AHOY_UDP);
    old_request("INVITE", NULL);
    old_request("INVITE", NULL);
    struct ahoy_handle invite = layer.accepted;
    assert_true(layer_respond(&layer, invite, 404));
    old_request("ACK", "another");
    old_request("INVITE", NULL);
    old_request("ACK", LAYER_TAG);
    old_request("ACK", LAYER_TAG); /* "A retransmission of that previous ACK." */
    old_request("ACK", "another");
    old_request("INVITE", NULL);
    layer_run(&layer, 5000);
    layer_expect(&layer, "0 ^ INVITE\n"
                         "0 > 100\n"
                         "0 > 100\n"
                         "0 > 404\n"
                         "0 ^ ACK\n"
                         "0 > 404\n"
                         "0 ^ ACK\n"
                         "5000 ^ ended user 7\n");
    layer_fini(&layer);
}

/* R6026-6-5: in Accepted each ACK goes to the user. */
static void test_rfc_2543_accepted(void **state)
{
    (void)state;
    begin(AHOY_UDP);
    old_request("INVITE", NULL);
    old_request("ACK", LAYER_TAG); /* For nothing that we have sent. */
    assert_true(layer_respond(&layer, layer.accepted, 200));
    old_request("INVITE", NULL);
    old_request("ACK", LAYER_TAG);
    old_request("ACK", "another");
    layer_run(&layer, 32000);
    layer_expect(&layer, "0 ^ INVITE\n"
                         "0 > 100\n"
                         "0 ^ ACK\n"
                         "0 > 200\n"
                         "0 ^ ACK\n"
                         "0 ^ ACK\n"
                         "32000 ^ ended user 7\n");
    layer_fini(&layer);
}

static void test_rfc_2543_noninvite(void **state)
{
    (void)state;
    begin(AHOY_UDP);
    old_request("BYE", "dialog");
    assert_true(layer_respond(&layer, layer.accepted, 200));
    old_request("BYE", "dialog");
    old_request("BYE", "other");
    assert_true(layer_respond(&layer, layer.accepted, 481));
    layer_expect(&layer, "0 ^ BYE\n0 > 200\n0 > 200\n0 ^ BYE\n0 > 481\n");
    layer_run(&layer, 32000);
    layer_fini(&layer);
}

/* Responses go where the stack says, all of them, and name who is told if they fail. */
static void test_where_responses_go(void **state)
{
    (void)state;
    struct ahoy_handle invite = begin_invite(AHOY_UDP);
    struct ahoy_hop hop = layer.source;
    layer.source.remote.port = 9999; /* A duplicate from elsewhere changes nothing. */
    layer_request(&layer, "INVITE", "z9hG4bKa", "");
    assert_true(layer_same_hop(&layer.sending.hop, &hop));
    assert_true(ahoy_handle_equal(layer.sending.transaction, invite));
    assert_true(layer_respond(&layer, invite, 200));
    assert_true(layer_same_hop(&layer.sending.hop, &hop));
    assert_true(ahoy_handle_equal(layer.sending.transaction, invite));
    layer_abort(&layer);
}

/* One event makes one transaction. */
static void test_accepted_twice(void **state)
{
    (void)state;
    begin(AHOY_UDP);
    layer_request(&layer, "OPTIONS", "z9hG4bKa", "");
    struct ahoy_handle again =
        ahoy_transaction_accept(layer.transactions, &layer.event, 8, layer.now_ms);
    assert_int_equal(again.generation, 0);
    assert_int_equal(ahoy_transactions_count(layer.transactions), 1);
    layer_abort(&layer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_invite_rings),
        cmocka_unit_test(test_invite_answered_at_once),
        cmocka_unit_test(test_trying),
        cmocka_unit_test(test_invite_accepted),
        cmocka_unit_test(test_invite_accepted_reliable),
        cmocka_unit_test(test_invite_refused_unacknowledged),
        cmocka_unit_test(test_invite_refused_unacknowledged_reliable),
        cmocka_unit_test(test_invite_refused),
        cmocka_unit_test(test_invite_refused_reliable),
        cmocka_unit_test(test_invite_responses_fail),
        cmocka_unit_test(test_noninvite),
        cmocka_unit_test(test_noninvite_reliable),
        cmocka_unit_test(test_noninvite_unanswered),
        cmocka_unit_test(test_noninvite_responses_fail),
        cmocka_unit_test(test_other_requests),
        cmocka_unit_test(test_not_accepted),
        cmocka_unit_test(test_long_keys),
        cmocka_unit_test(test_rfc_2543_refused),
        cmocka_unit_test(test_rfc_2543_accepted),
        cmocka_unit_test(test_rfc_2543_noninvite),
        cmocka_unit_test(test_where_responses_go),
        cmocka_unit_test(test_accepted_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
