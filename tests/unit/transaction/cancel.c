/* CANCEL, as its sender (RFC 3261 9.1) and as its receiver (9.2). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/layer.h"

static struct layer layer;
static char invite_space[4096], cancel_space[4096];
static struct span invite, cancel;
static struct ahoy_handle handle;

static struct span keep(char *space)
{
    memcpy(space, layer.sent, layer.sent_size);
    return (struct span){ space, layer.sent_size };
}

/* An INVITE of ours has left. */
static void begin(enum ahoy_transport transport)
{
    layer_init(&layer, transport);
    handle = layer_send(&layer, AHOY_METHOD_INVITE, 7);
    invite = keep(invite_space);
    layer_forget_trace(&layer);
}

static void give_up(struct span headers)
{
    ahoy_transaction_cancel(layer.transactions, handle, headers, layer.now_ms);
    layer_drain(&layer);
}

/* R3261-9.1-6: nothing leaves before a provisional response, and then at once.  The transactions
 * "complete independently"; of the CANCEL's nothing comes up. */
static void test_waits_for_provisional(void **state)
{
    (void)state;
    begin(AHOY_UDP);
    layer_run(&layer, 100);
    give_up(SPAN("Reason: SIP;cause=200\r\n"));
    layer_run(&layer, 600);
    layer_answer_to(&layer, invite, 100);
    cancel = keep(cancel_space);
    layer_answer_to(&layer, invite, 180);
    layer_run(&layer, 700);
    layer_answer_to(&layer, cancel, 200);
    layer_run(&layer, 800);
    layer_answer_to(&layer, invite, 487);
    layer_run(&layer, 100000);
    layer_expect(&layer, "500 > INVITE\n"
                         "600 ^ 100 user 7\n"
                         "600 > CANCEL\n"
                         "600 ^ 180 user 7\n"
                         "800 ^ 487 user 7\n"
                         "800 > ACK\n"
                         "32800 ^ ended user 7\n");
    assert_non_null(strstr(cancel_space, "\r\nReason: SIP;cause=200\r\n"));
    layer_fini(&layer);
}

static void test_after_provisional(void **state)
{
    (void)state;
    begin(AHOY_UDP);
    layer_answer_to(&layer, invite, 180);
    layer_run(&layer, 5000);
    give_up(SPAN("Reason: Q.850;cause=16\r\n"));
    cancel = keep(cancel_space);
    assert_non_null(strstr(cancel_space, "\r\nReason: Q.850;cause=16\r\n"));
    give_up(SPAN("")); /* Once is enough. */
    layer_run(&layer, 5100);
    layer_answer_to(&layer, cancel, 200);
    layer_answer_to(&layer, invite, 487);
    layer_run(&layer, 100000);
    layer_expect(&layer, "0 ^ 180 user 7\n"
                         "5000 > CANCEL\n"
                         "5100 ^ 487 user 7\n"
                         "5100 > ACK\n"
                         "37100 ^ ended user 7\n");
    layer_fini(&layer);
}

/* "If the original request has generated a final response, the CANCEL SHOULD NOT be sent." */
static void test_after_final(void **state)
{
    (void)state;
    static const unsigned finals[] = { 200, 486 };
    for (size_t i = 0; i < 2; i++) {
        begin(AHOY_UDP);
        layer_answer_to(&layer, invite, 180);
        layer_answer_to(&layer, invite, finals[i]);
        layer_forget_trace(&layer);
        give_up(SPAN(""));
        layer_answer_to(&layer, invite, 180);
        layer_run(&layer, 32000);
        layer_expect(&layer, "32000 ^ ended user 7\n");
        layer_fini(&layer);
    }
}

/* The same where the final response is the first that comes. */
static void test_final_without_provisional(void **state)
{
    (void)state;
    begin(AHOY_UDP);
    give_up(SPAN("Reason: SIP;cause=200\r\n"));
    layer_answer_to(&layer, invite, 200);
    layer_run(&layer, 32000);
    layer_expect(&layer, "0 ^ 200 user 7\n32000 ^ ended user 7\n");
    layer_fini(&layer);
}

/* S3261-9.1-4: 64*T1 after the CANCEL the INVITE counts as cancelled. */
static void test_never_answered(void **state)
{
    (void)state;
    begin(AHOY_TCP);
    layer_answer_to(&layer, invite, 180);
    layer_run(&layer, 5000);
    give_up(SPAN(""));
    cancel = keep(cancel_space);
    layer_answer_to(&layer, cancel, 200);
    layer_run(&layer, 20000);
    layer_answer_to(&layer, invite, 180); /* Rings on. */
    layer_run(&layer, 100000);
    layer_expect(&layer, "0 ^ 180 user 7\n"
                         "5000 > CANCEL\n"
                         "20000 ^ 180 user 7\n"
                         "37000 ^ timeout user 7\n"
                         "37000 ^ ended user 7\n");
    layer_fini(&layer);
}

/* Nobody answers anything: clock B of the INVITE runs on. */
static void test_no_response_at_all(void **state)
{
    (void)state;
    begin(AHOY_TCP);
    layer_run(&layer, 1000);
    give_up(SPAN("Reason: SIP;cause=200\r\n"));
    layer_run(&layer, 100000);
    layer_expect(&layer, "32000 ^ timeout user 7\n32000 ^ ended user 7\n");
    layer_fini(&layer);
}

/* It is a transaction of its own: sent again, timed out, unreachable, and all of it in silence. */
static void test_lost(void **state)
{
    (void)state;
    begin(AHOY_UDP);
    layer_answer_to(&layer, invite, 180);
    give_up(SPAN(""));
    layer_run(&layer, 7000);
    layer_answer_to(&layer, invite, 200);
    layer_run(&layer, 100000);
    layer_expect(&layer, "0 ^ 180 user 7\n"
                         "0 > CANCEL\n"
                         "500 > CANCEL\n"
                         "1500 > CANCEL\n"
                         "3500 > CANCEL\n"
                         "7000 ^ 200 user 7\n"
                         "7500 > CANCEL\n"
                         "11500 > CANCEL\n"
                         "15500 > CANCEL\n"
                         "19500 > CANCEL\n"
                         "23500 > CANCEL\n"
                         "27500 > CANCEL\n"
                         "31500 > CANCEL\n"
                         "39000 ^ ended user 7\n");
    layer_fini(&layer);
    begin(AHOY_UDP);
    layer_answer_to(&layer, invite, 180);
    give_up(SPAN(""));
    layer_fail(&layer, layer.sending.transaction);
    layer_run(&layer, 100000);
    layer_expect(&layer, "0 ^ 180 user 7\n"
                         "0 > CANCEL\n"
                         "32000 ^ timeout user 7\n"
                         "32000 ^ ended user 7\n");
    layer_fini(&layer);
}

static bool same_value(const struct ahoy_message *a, const struct ahoy_message *b,
                       enum ahoy_header header)
{
    return ahoy_span_equal(ahoy_message_value(a, header), ahoy_message_value(b, header));
}

/* R3261-9.1-1 to -5, -7. */
static void test_what_it_says(void **state)
{
    (void)state;
    static struct ahoy_message original, made;
    begin(AHOY_UDP);
    struct ahoy_hop hop = layer.sending.hop;
    layer_answer_to(&layer, invite, 180); /* Its To tag is not the INVITE's. */
    give_up(SPAN(""));
    assert_true(ahoy_message_parse(invite, &original, NULL));
    assert_true(ahoy_message_parse(layer_sent(&layer), &made, NULL));
    assert_int_equal(made.method, AHOY_METHOD_CANCEL);
    assert_true(ahoy_span_equal(made.request_uri, original.request_uri));
    static const enum ahoy_header same[] = { AHOY_HEADER_CALL_ID, AHOY_HEADER_TO, AHOY_HEADER_FROM,
                                             AHOY_HEADER_VIA, AHOY_HEADER_ROUTE };
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
        assert_true(same_value(&original, &made, same[i]));
    struct span cseq = ahoy_message_value(&made, AHOY_HEADER_CSEQ);
    assert_true(ahoy_span_equal(cseq, SPAN("7 CANCEL")));
    assert_null(ahoy_message_first(&made, AHOY_HEADER_REQUIRE));
    assert_null(ahoy_message_first(&made, AHOY_HEADER_PROXY_REQUIRE));
    assert_int_equal(made.body.size, 0);
    assert_true(layer_same_hop(&layer.sending.hop, &hop));
    layer_abort(&layer);
}

/* S3261-9.1: nothing but an INVITE is cancelled. */
static void test_no_invite(void **state)
{
    (void)state;
    layer_init(&layer, AHOY_TCP);
    handle = layer_send(&layer, AHOY_METHOD_OPTIONS, 7);
    layer_answer(&layer, 100);
    give_up(SPAN(""));
    layer.accepts = 8;
    layer_request(&layer, "INVITE", "z9hG4bKa", "");
    handle = layer.accepted;
    give_up(SPAN(""));
    layer_expect(&layer, "0 > OPTIONS\n0 ^ 100 user 7\n0 ^ INVITE\n0 > 100\n");
    layer_abort(&layer);
}

/* Rows that fit into no message are left out rather than the CANCEL. */
static void test_too_many_rows(void **state)
{
    (void)state;
    static char rows[AHOY_MESSAGE_LIMIT];
    memset(rows, 'x', sizeof rows);
    begin(AHOY_TCP);
    layer_answer_to(&layer, invite, 180);
    give_up((struct span){ rows, sizeof rows });
    layer_expect(&layer, "0 ^ 180 user 7\n0 > CANCEL\n");
    assert_in_range(layer.sent_size, 100, 1000);
    layer_abort(&layer);
}

/* 9.2: the CANCEL names the INVITE that it means, whatever has become of that. */
static void test_received(void **state)
{
    (void)state;
    static const char *const branches[] = { "z9hG4bKa", "1" }; /* RFC 3261, RFC 2543 */
    for (size_t i = 0; i < 2; i++) {
        layer_init(&layer, AHOY_UDP);
        layer.accepts = 7;
        layer_request(&layer, "INVITE", branches[i], "");
        struct ahoy_handle ringing = layer.accepted;
        layer.accepts = 8;
        layer_request(&layer, "CANCEL", branches[i], "");
        assert_int_equal(layer.event.kind, AHOY_EVENT_CANCEL);
        assert_true(ahoy_handle_equal(layer.event.transaction, ringing));
        assert_int_equal(layer.event.user, 7);
        assert_true(layer.event.is_server);
        struct ahoy_handle answered = layer.accepted;
        assert_true(layer_respond(&layer, answered, 200));
        layer_request(&layer, "CANCEL", branches[i], ""); /* Again: a transaction of its own. */
        layer_request(&layer, "INVITE", branches[i], "");
        assert_true(layer_respond(&layer, ringing, 487));
        layer_run(&layer, 400);
        layer_request_to(&layer, "ACK", branches[i], LAYER_TAG, "");
        layer_run(&layer, 100000);
        layer_expect(&layer, "0 ^ INVITE\n"
                             "0 > 100\n"
                             "0 ^ CANCEL user 7\n"
                             "0 > 200\n"
                             "0 > 200\n"
                             "0 > 100\n"
                             "0 > 487\n"
                             "5400 ^ ended user 7\n"
                             "32000 ^ ended user 8\n");
        layer_fini(&layer);
    }
}

/* The final response has been sent: the CANCEL matches, and changes nothing. */
static void test_received_after_final(void **state)
{
    (void)state;
    layer_init(&layer, AHOY_UDP);
    layer.accepts = 7;
    layer_request(&layer, "INVITE", "z9hG4bKa", "");
    struct ahoy_handle accepted = layer.accepted;
    assert_true(layer_respond(&layer, accepted, 200));
    layer.accepts = 0;
    layer_request(&layer, "CANCEL", "z9hG4bKa", "");
    assert_true(ahoy_handle_equal(layer.event.transaction, accepted));
    assert_true(layer_respond(&layer, accepted, 487)); /* Ignored. */
    layer_run(&layer, 32000);
    layer_request(&layer, "CANCEL", "z9hG4bKa", "");
    assert_int_equal(layer.event.transaction.generation, 0);
    layer_expect(&layer, "0 ^ INVITE\n"
                         "0 > 100\n"
                         "0 > 200\n"
                         "0 ^ CANCEL user 7\n"
                         "32000 ^ ended user 7\n"
                         "32000 ^ CANCEL\n");
    layer_fini(&layer);
}

/* Attack 51: whoever does not know branch and sent-by cancels nothing. */
static void test_received_for_nothing(void **state)
{
    (void)state;
    layer_init(&layer, AHOY_UDP);
    layer.accepts = 7;
    layer_request(&layer, "INVITE", "z9hG4bKa", "");
    layer.accepts = 0;
    layer_request(&layer, "CANCEL", "z9hG4bKb", "");
    assert_int_equal(layer.event.transaction.generation, 0);
    assert_int_equal(layer.event.user, 0);
    layer_request(&layer, "OPTIONS", "z9hG4bKc", "");
    layer_request(&layer, "CANCEL", "z9hG4bKc", ""); /* Means no INVITE. */
    assert_int_equal(layer.event.transaction.generation, 0);
    layer_expect(&layer, "0 ^ INVITE\n0 > 100\n0 ^ CANCEL\n0 ^ OPTIONS\n0 ^ CANCEL\n");
    layer_abort(&layer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_waits_for_provisional),
        cmocka_unit_test(test_after_provisional),
        cmocka_unit_test(test_after_final),
        cmocka_unit_test(test_final_without_provisional),
        cmocka_unit_test(test_never_answered),
        cmocka_unit_test(test_no_response_at_all),
        cmocka_unit_test(test_lost),
        cmocka_unit_test(test_what_it_says),
        cmocka_unit_test(test_no_invite),
        cmocka_unit_test(test_too_many_rows),
        cmocka_unit_test(test_received),
        cmocka_unit_test(test_received_after_final),
        cmocka_unit_test(test_received_for_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
