/* Ending before the end: CANCEL (RFC 3261 16.10, 9.2) and Timer C (16.8). */
#include "libahoy/tu/proxy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/support/stage.h"

#define CANCEL_WITH(rows)                                                                          \
    "CANCEL sip:bob@example.com SIP/2.0\r\n"                                                       \
    "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKa1\r\n"                                        \
    "Max-Forwards: 70\r\n"                                                                         \
    "From: <sip:alice@example.com>;tag=a\r\n"                                                      \
    "To: <sip:bob@example.com>\r\n"                                                                \
    "Call-ID: 1@192.0.2.10\r\n"                                                                    \
    "CSeq: 1 CANCEL\r\n" rows "Content-Length: 0\r\n"                                              \
    "\r\n"

static const char CANCEL[] = CANCEL_WITH("");

/* Alice calls, and |count| targets are called, all by TCP, where nothing is sent twice. */
static void call(struct stage *stage, size_t count)
{
    for (unsigned i = 0; i < count; i++)
        stage_transport(stage, (enum stage_peer)(BOB + i), AHOY_TCP);
    stage_fork(stage, count);
    stage_say(stage, ALICE, STAGE_INVITE);
    stage_expect(stage, ALICE, "100");
    for (unsigned i = 0; i < count; i++)
        stage_expect(stage, (enum stage_peer)(BOB + i), "INVITE");
}

static void rings(struct stage *stage, enum stage_peer peer)
{
    stage_answer(stage, peer, 180, "");
    stage_expect(stage, ALICE, "180");
}

/* |peer| obeys a CANCEL that it got. */
static void obeys(struct stage *stage, enum stage_peer peer)
{
    stage_answer_to(stage, peer, "CANCEL", 200, "");
    stage_answer(stage, peer, 487, "");
    stage_expect(stage, peer, "ACK");
}

/* R3261-16.10-1 to -3. */
static void test_cancel(void **state)
{
    struct stage *stage = *state;
    call(stage, 2);
    rings(stage, BOB);
    rings(stage, CAROL);
    stage_say(stage, ALICE, CANCEL);
    stage_expect(stage, ALICE, "200");
    stage_expect(stage, BOB, "CANCEL");
    stage_expect(stage, CAROL, "CANCEL");
    stage_expect_silence(stage);
    obeys(stage, BOB);
    stage_expect_silence(stage);
    obeys(stage, CAROL);
    stage_expect(stage, ALICE, "487");
    assert_true(stage_has(stage, "To: <sip:bob@example.com>;tag=t1"));
    stage_say(stage, ALICE, STAGE_ACK);
}

/* Its answer is of its own transaction: it comes again as it was, and nothing else does (law 3).
 * S3261-9.2-3: it has the To tag of what we say ourselves to the INVITE. */
static void test_cancel_comes_twice(void **state)
{
    struct stage *stage = *state;
    call(stage, 1);
    rings(stage, BOB);
    stage_say(stage, ALICE, CANCEL);
    stage_expect(stage, ALICE, "200");
    struct span first = stage->last;
    stage_expect(stage, BOB, "CANCEL");
    stage_say(stage, ALICE, CANCEL);
    stage_expect(stage, ALICE, "200");
    assert_true(ahoy_span_equal(first, stage->last));
    stage_expect_silence(stage);
    stage_wait(stage, 32000);
    stage_expect(stage, ALICE, "408");
    const char *to = memmem(first.at, first.size, "To: ", 4);
    assert_non_null(to);
    const char *tag = memmem(to, (size_t)(ahoy_span_end(first) - to), ";tag=", 5);
    assert_non_null(tag);
    assert_non_null(memmem(stage->last.at, stage->last.size, tag, 5 + AHOY_TOKEN_SIZE + 2));
    stage_say(stage, ALICE, STAGE_ACK);
}

/* R3261-9.1-6 and law 10: no CANCEL before the first provisional response, and then at once. */
static void test_cancel_before_provisional(void **state)
{
    struct stage *stage = *state;
    call(stage, 2);
    rings(stage, BOB);
    stage_say(stage, ALICE, CANCEL);
    stage_expect(stage, ALICE, "200");
    stage_expect(stage, BOB, "CANCEL");
    stage_expect_silence(stage);
    stage_answer(stage, CAROL, 100, "");
    stage_expect(stage, CAROL, "CANCEL");
    obeys(stage, CAROL);
    obeys(stage, BOB);
    stage_expect(stage, ALICE, "487");
    stage_say(stage, ALICE, STAGE_ACK);
}

/* R3261-16.7-8 stays in force until there is a final response. */
static void test_rings_after_cancel(void **state)
{
    struct stage *stage = *state;
    call(stage, 1);
    stage_say(stage, ALICE, CANCEL);
    stage_expect(stage, ALICE, "200");
    stage_answer(stage, BOB, 180, "");
    stage_expect(stage, BOB, "CANCEL");
    stage_expect(stage, ALICE, "180");
    assert_true(ahoy_proxy_deadline(stage->proxy) == UINT64_MAX); /* Timer C stays off. */
    obeys(stage, BOB);
    stage_expect(stage, ALICE, "487");
    stage_say(stage, ALICE, STAGE_ACK);
}

/* Attack 52: one outcome, the 200 that was on its way. */
static void test_success_beats_cancel(void **state)
{
    struct stage *stage = *state;
    call(stage, 2);
    rings(stage, BOB);
    rings(stage, CAROL);
    stage_say(stage, ALICE, CANCEL);
    stage_expect(stage, ALICE, "200");
    stage_expect(stage, BOB, "CANCEL");
    stage_expect(stage, CAROL, "CANCEL");
    stage_answer(stage, BOB, 200, "");
    stage_expect(stage, ALICE, "200");
    assert_true(stage_has(stage, "CSeq: 1 INVITE"));
    obeys(stage, CAROL);
    stage_answer_to(stage, BOB, "CANCEL", 481, "");
    stage_expect_silence(stage);
}

/* 9.2: behind the final response a CANCEL changes nothing, and is answered. */
static void test_cancel_too_late(void **state)
{
    struct stage *stage = *state;
    call(stage, 1);
    rings(stage, BOB);
    stage_answer(stage, BOB, 200, "");
    stage_expect(stage, ALICE, "200");
    stage_say(stage, ALICE, CANCEL);
    stage_expect(stage, ALICE, "200");
    assert_true(stage_has(stage, "CSeq: 1 CANCEL"));
    stage_expect_silence(stage);
}

/* RFC 3326 2: why it is cancelled goes on, with whatever stands there (RFC 8606). */
static void test_reason(void **state)
{
    struct stage *stage = *state;
    call(stage, 1);
    rings(stage, BOB);
    stage_say(
        stage, ALICE,
        CANCEL_WITH(
            "Reason: SIP ;cause=600\r\nreason: Q.850;cause=16;text=\"a, b\";location=LN\r\n"));
    stage_expect(stage, ALICE, "200");
    stage_expect(stage, BOB, "CANCEL");
    assert_true(stage_has(stage, "Reason: SIP ;cause=600"));
    assert_true(stage_has(stage, "reason: Q.850;cause=16;text=\"a, b\";location=LN"));
    obeys(stage, BOB);
    stage_expect(stage, ALICE, "487");
    stage_say(stage, ALICE, STAGE_ACK);
}

/* But not at any length. */
static void test_long_reason(void **state)
{
    static char text[4096];
    struct stage *stage = *state;
    struct ahoy_buf buf = ahoy_buf_over(text, sizeof text);
    const char *rows = strstr(CANCEL, "Content-Length");
    ahoy_buf_put(&buf, ahoy_span_between(CANCEL, rows));
    ahoy_buf_put(&buf, SPAN("Reason: SIP ;text=\""));
    for (int i = 0; i < AHOY_PROXY_REASON_LIMIT; i++)
        ahoy_buf_put_byte(&buf, 'x');
    ahoy_buf_put(&buf, SPAN("\"\r\n"));
    ahoy_buf_put(&buf, ahoy_span(rows));
    call(stage, 1);
    rings(stage, BOB);
    stage_hear(stage, &stage->peers[ALICE], ahoy_buf_text(&buf));
    stage_expect(stage, ALICE, "200");
    stage_expect(stage, BOB, "CANCEL");
    assert_null(memmem(stage->last.at, stage->last.size, "Reason", 6));
    obeys(stage, BOB);
    stage_expect(stage, ALICE, "487");
    stage_say(stage, ALICE, STAGE_ACK);
}

/* Nobody obeys the CANCEL: the call ends all the same (9.1, law 2). */
static void test_cancel_is_ignored(void **state)
{
    struct stage *stage = *state;
    call(stage, 1);
    rings(stage, BOB);
    stage_say(stage, ALICE, CANCEL);
    stage_expect(stage, ALICE, "200");
    stage_expect(stage, BOB, "CANCEL");
    stage_answer_to(stage, BOB, "CANCEL", 200, "");
    stage_wait(stage, 31999);
    stage_expect_silence(stage);
    stage_wait(stage, 1);
    stage_expect(stage, ALICE, "408");
    stage_say(stage, ALICE, STAGE_ACK);
}

/* R3261-16.8-2: it has rung for too long. */
static void test_timer_c(void **state)
{
    struct stage *stage = *state;
    call(stage, 1);
    rings(stage, BOB);
    stage_wait(stage, STAGE_TIMER_C_MS - 1);
    stage_expect_silence(stage);
    stage_wait(stage, 1);
    stage_expect(stage, BOB, "CANCEL");
    stage_expect_silence(stage);
    obeys(stage, BOB);
    stage_expect(stage, ALICE, "487");
    stage_say(stage, ALICE, STAGE_ACK);
}

/* R3261-16.7-4: 101 to 199 begin it anew, 100 does not. */
static void test_timer_c_begins_anew(void **state)
{
    struct stage *stage = *state;
    call(stage, 2);
    stage_answer(stage, BOB, 100, "");
    rings(stage, CAROL);
    stage_wait(stage, 100000);
    stage_answer(stage, BOB, 100, "");
    rings(stage, CAROL);
    stage_wait(stage, STAGE_TIMER_C_MS - 100000 - 1);
    stage_expect_silence(stage);
    stage_wait(stage, 1);
    stage_expect(stage, BOB, "CANCEL");
    stage_wait(stage, 31999);
    stage_expect_silence(stage);
    stage_answer(stage, BOB, 487, "");
    stage_expect(stage, BOB, "ACK");
    stage_wait(stage, 100000 - 32000);
    stage_expect_silence(stage);
    stage_wait(stage, 1);
    stage_expect(stage, CAROL, "CANCEL");
    obeys(stage, CAROL);
    stage_expect(stage, ALICE, "487");
    assert_true(stage_has(stage, "To: <sip:bob@example.com>;tag=t1"));
    stage_say(stage, ALICE, STAGE_ACK);
}

/* A branch that was answered or cancelled has no Timer C any more. */
static void test_timer_c_ends(void **state)
{
    struct stage *stage = *state;
    call(stage, 2);
    rings(stage, BOB);
    rings(stage, CAROL);
    stage_answer(stage, BOB, 486, "");
    stage_expect(stage, BOB, "ACK");
    stage_wait(stage, STAGE_TIMER_C_MS - 20000);
    stage_say(stage, ALICE, CANCEL);
    stage_expect(stage, ALICE, "200");
    stage_expect(stage, CAROL, "CANCEL");
    stage_wait(stage, 31000);
    stage_expect_silence(stage);
    obeys(stage, CAROL);
    stage_expect(stage, ALICE, "487"); /* She has given up: so it is told. */
    stage_say(stage, ALICE, STAGE_ACK);
    assert_true(ahoy_proxy_deadline(stage->proxy) == UINT64_MAX);
}

/* R3261-16.8-3, where a transaction is not ended by its own clock before: nothing was heard. */
static void test_timer_c_without_provisional(void **state)
{
    struct stage *stage = *state;
    call(stage, 1);
    /* Timer B is far shorter; so it is called here by hand, as clocks longer than ours would. */
    ahoy_proxy_expire(stage->proxy, stage->now_ms + STAGE_TIMER_C_MS);
    stage_turn(stage);
    stage_expect(stage, ALICE, "408");
    stage_say(stage, ALICE, STAGE_ACK);
    stage_answer(stage, BOB, 180, "");
    stage_expect(stage, BOB, "CANCEL"); /* The branch is given up, so it must not ring on. */
    stage_expect_silence(stage);
    obeys(stage, BOB);
    stage_expect_silence(stage);
}

static const char STRAY[] = "CANCEL sip:bob@example.com SIP/2.0\r\n"
                            "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKother\r\n"
                            "From: <sip:alice@example.com>;tag=a\r\n"
                            "To: <sip:bob@example.com>\r\n"
                            "Call-ID: 1@192.0.2.10\r\n"
                            "CSeq: 1 CANCEL\r\n"
                            "\r\n";

/* Events of contexts that are no more, or never were, touch nothing; a CANCEL is told so. */
static void test_stale(void **state)
{
    struct stage *stage = *state;
    call(stage, 1);
    stage_answer(stage, BOB, 200, "");
    stage_expect(stage, ALICE, "200");
    assert_true(ahoy_message_parse(ahoy_span(STRAY), &stage->message, NULL));
    assert_true(ahoy_message_routing(&stage->message, &stage->routing, NULL));
    const struct ahoy_hop *hop = &stage->peers[ALICE];
    struct ahoy_expected expected;
    ahoy_transactions_expect(stage->transactions, &stage->message, &stage->routing, &expected);
    ahoy_transactions_message(stage->transactions, &expected, hop, hop, stage->now_ms);
    struct ahoy_event event;
    assert_true(ahoy_transactions_event(stage->transactions, &event));
    assert_int_equal(event.kind, AHOY_EVENT_CANCEL);
    event.user = UINT64_MAX;
    ahoy_proxy_step(stage->proxy, &event, stage->now_ms);
    stage_turn(stage);
    stage_expect(stage, ALICE, "481");
    for (int kind = AHOY_EVENT_RESPONSE; kind <= AHOY_EVENT_ENDED; kind++) {
        event.kind = (enum ahoy_event_kind)kind;
        for (event.user = 2; event.user < UINT64_C(1) << 63; event.user = event.user << 1 | 1) {
            event.is_server = event.user % 3 == 0;
            ahoy_proxy_step(stage->proxy, &event, stage->now_ms);
        }
        /* Branches that the one living context does not have, and a CANCEL's own transaction. */
        for (unsigned i = 1; i < 32; i++) {
            event.user = UINT64_C(1) << 32 | (uint64_t)i << 27;
            event.is_server = i == 31;
            ahoy_proxy_step(stage->proxy, &event, stage->now_ms);
        }
    }
    stage_turn(stage);
    stage_expect_silence(stage);
    assert_int_equal(ahoy_proxy_count(stage->proxy), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        stage_test(test_cancel),
        stage_test(test_cancel_comes_twice),
        stage_test(test_cancel_before_provisional),
        stage_test(test_rings_after_cancel),
        stage_test(test_success_beats_cancel),
        stage_test(test_cancel_too_late),
        stage_test(test_reason),
        stage_test(test_long_reason),
        stage_test(test_cancel_is_ignored),
        stage_test(test_timer_c),
        stage_test(test_timer_c_begins_anew),
        stage_test(test_timer_c_ends),
        stage_test(test_timer_c_without_provisional),
        stage_test(test_stale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
