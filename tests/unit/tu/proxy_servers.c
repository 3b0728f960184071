/* Targets whose servers have to be found, and the next server when one fails (RFC 3263 4.3,
 * RFC 3261 16.6 step 7). */
#include "libahoy/tu/proxy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "libahoy/tu/proxy_context.h"
#include "tests/support/failing_alloc.h"
#include "tests/support/stage.h"

static const struct span ways[] = { SPAN_INIT("sip:one.example"), SPAN_INIT("sip:two.example"),
                                    SPAN_INIT("sip:three.example") };

static const char ACK[] = "ACK sip:bob@biloxi.example SIP/2.0\r\n"
                          "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKa2\r\n"
                          "Max-Forwards: 70\r\n"
                          "From: <sip:alice@example.com>;tag=a\r\n"
                          "To: <sip:bob@example.com>;tag=t1\r\n"
                          "Call-ID: 1@192.0.2.10\r\n"
                          "CSeq: 1 ACK\r\n"
                          "Content-Length: 0\r\n"
                          "\r\n";

static const char CANCEL[] = "CANCEL sip:bob@example.com SIP/2.0\r\n"
                             "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKa1\r\n"
                             "From: <sip:alice@example.com>;tag=a\r\n"
                             "To: <sip:bob@example.com>\r\n"
                             "Call-ID: 1@192.0.2.10\r\n"
                             "CSeq: 1 CANCEL\r\n"
                             "\r\n";

/* Alice calls; the only target has |count| ways. */
static void call(struct stage *stage, size_t count)
{
    stage_fork(stage, 0);
    stage_add_ways(stage, ways, count);
    stage_say(stage, ALICE, STAGE_INVITE);
    stage_expect(stage, ALICE, "100");
    stage_expect_silence(stage);
}

/* The request as if its server had been known at once. */
static void test_located(void **state)
{
    struct stage *stage = *state;
    stage->plan.record_route = true;
    stage->plan.record_route_params = SPAN(";dialog=1");
    call(stage, 1);
    stage_locate(stage, "sip:one.example", STAGE_AT(BOB), 1);
    stage_expect(stage, BOB, "INVITE");
    stage_expect_invite(stage, "sip:bob@biloxi.example",
                        "Record-Route: <sip:192.0.2.1:5060;transport=udp;lr;dialog=1>\r\n");
    stage_answer(stage, BOB, 200, "");
    stage_expect(stage, ALICE, "200");
    assert_int_equal(stage->proxy->chunks.taken, 0);
}

/* R3263-4-1, R3261-16.6-31 to -33: each failure leads to the next server, by a new transaction and
 * branch; whoever failed rests. */
static void test_next_server(void **state)
{
    struct stage *stage = *state;
    call(stage, 1);
    stage_locate(stage, "sip:one.example", STAGE_AT(BOB, CAROL, DAVE), 3);
    stage_expect(stage, BOB, "INVITE");
    struct span first = stage->last;
    stage_lose(stage, BOB); /* A transport failure. */
    stage_expect_rest(stage, BOB, 30000);
    stage_expect(stage, CAROL, "INVITE");
    assert_false(ahoy_span_equal(first, stage->last));
    stage_fail(stage, CAROL, 503, "Retry-After: 7 (soon)\r\n");
    stage_expect_rest(stage, CAROL, 7000);
    stage_expect(stage, DAVE, "INVITE");
    stage_answer(stage, DAVE, 180, "");
    stage_expect(stage, ALICE, "180");
    /* Carol's transaction ends in the meantime, and says nothing about Dave's. */
    stage_wait(stage, 40000);
    stage_answer(stage, DAVE, 200, "");
    stage_expect(stage, ALICE, "200");
}

/* Timer B: nobody is there. */
static void test_silence(void **state)
{
    struct stage *stage = *state;
    call(stage, 1);
    stage_locate(stage, "sip:one.example", STAGE_AT(BOB, CAROL), 2);
    for (unsigned i = 0; i < 7; i++) {
        stage_expect(stage, BOB, "INVITE");
        stage_wait(stage, i < 6 ? 500u << i : 500);
    }
    stage_expect_rest(stage, BOB, 30000);
    stage_expect(stage, CAROL, "INVITE");
    stage_answer(stage, CAROL, 486, "");
    stage_expect(stage, CAROL, "ACK");
    stage_expect(stage, ALICE, "486");
    stage_say(stage, ALICE, STAGE_ACK);
}

/* Any answer but 503 is an answer. */
static void test_other_failures(void **state)
{
    struct stage *stage = *state;
    call(stage, 1);
    stage_locate(stage, "sip:one.example", STAGE_AT(BOB, CAROL), 2);
    stage_expect(stage, BOB, "INVITE");
    stage_answer(stage, BOB, 500, "");
    stage_expect(stage, BOB, "ACK");
    stage_expect(stage, ALICE, "500");
    stage_say(stage, ALICE, STAGE_ACK);
    assert_int_equal(stage->rest_count, 0);
}

/* S3261-16.7-9: a 503 that is the last of all is no 503 of ours. */
static void test_all_fail(void **state)
{
    struct stage *stage = *state;
    call(stage, 1);
    stage_locate(stage, "sip:one.example", STAGE_AT(BOB, CAROL), 2);
    stage_expect(stage, BOB, "INVITE");
    stage_fail(stage, BOB, 503, "Retry-After: 100000\r\n");
    stage_expect_rest(stage, BOB, 300000);
    stage_expect(stage, CAROL, "INVITE");
    stage_fail(stage, CAROL, 503, "");
    stage_expect_rest(stage, CAROL, 30000);
    stage_expect(stage, ALICE, "500");
    stage_say(stage, ALICE, STAGE_ACK);
}

/* The ways one after the other, the next one not before it is needed. */
static void test_next_way(void **state)
{
    struct stage *stage = *state;
    call(stage, 3);
    assert_int_equal(stage->wanted_count, 1);
    stage_locate(stage, "sip:one.example", NULL, 0);
    stage_locate(stage, "sip:two.example", STAGE_AT(BOB), 1);
    stage_expect(stage, BOB, "INVITE");
    assert_int_equal(stage->wanted_count, 2);
    stage_fail(stage, BOB, 503, "");
    stage_locate(stage, "sip:three.example", STAGE_AT(CAROL), 1);
    stage_expect(stage, CAROL, "INVITE");
    stage_answer(stage, CAROL, 200, "");
    stage_expect(stage, ALICE, "200");
}

/* Who rests is tried when all others have been, whichever way he is at the end of. */
static void test_resting_last(void **state)
{
    struct stage *stage = *state;
    call(stage, 2);
    stage_locate(stage, "sip:one.example", STAGE_AT(BOB), 0);
    stage_locate(stage, "sip:two.example", STAGE_AT(CAROL, DAVE), 1);
    stage_expect(stage, CAROL, "INVITE");
    stage_fail(stage, CAROL, 503, "");
    stage_expect(stage, BOB, "INVITE");
    stage_fail(stage, BOB, 503, "");
    stage_expect(stage, DAVE, "INVITE");
    stage_answer(stage, DAVE, 200, "");
    stage_expect(stage, ALICE, "200");
}

static void test_nowhere(void **state)
{
    struct stage *stage = *state;
    call(stage, 2);
    stage_locate(stage, "sip:one.example", NULL, 0);
    stage_locate(stage, "sip:two.example", NULL, 0);
    stage_expect(stage, ALICE, "500");
    stage_say(stage, ALICE, STAGE_ACK);
}

/* No more servers than the limit, however many names and addresses there are. */
static void test_bound(void **state)
{
    struct stage *stage = *state;
    enum stage_peer peers[AHOY_TARGETS_LIMIT + 1];
    for (unsigned i = 0; i < AHOY_TARGETS_LIMIT; i++)
        peers[i] = (enum stage_peer)(BOB + i);
    peers[AHOY_TARGETS_LIMIT] = ALICE;
    call(stage, 2);
    stage_locate(stage, "sip:one.example", peers, 10);
    for (unsigned i = 0; i < 10; i++) {
        stage_expect(stage, peers[i], "INVITE");
        stage_lose(stage, peers[i]);
    }
    stage_locate(stage, "sip:two.example", peers, AHOY_TARGETS_LIMIT);
    for (unsigned i = 0; i < AHOY_TARGETS_LIMIT - 10; i++) {
        stage_expect(stage, peers[i], "INVITE");
        stage_lose(stage, peers[i]);
    }
    stage_expect(stage, ALICE, "500");
    stage_say(stage, ALICE, STAGE_ACK);
}

/* A server that no listener of ours can send to is passed over. */
static void test_no_listener(void **state)
{
    struct stage *stage = *state;
    stage->peers[CAROL].transport = AHOY_SCTP;
    stage->peers[CAROL].listener = AHOY_ANY_LISTENER;
    call(stage, 1);
    stage_locate(stage, "sip:one.example", STAGE_AT(CAROL, BOB), 2);
    stage_expect(stage, BOB, "INVITE");
    stage_answer(stage, BOB, 200, "");
    stage_expect(stage, ALICE, "200");
}

/* Alice hangs up while nobody knows yet where Bob is; what is found then is of no use. */
static void test_cancel_while_waiting(void **state)
{
    struct stage *stage = *state;
    call(stage, 2);
    stage_say(stage, ALICE, CANCEL);
    stage_expect(stage, ALICE, "200");
    stage_expect(stage, ALICE, "487");
    stage_say(stage, ALICE, STAGE_ACK);
    stage_locate(stage, "sip:one.example", STAGE_AT(BOB), 1);
    stage_expect_silence(stage);
}

/* Once it is cancelled, no further server gets the request. */
static void test_cancel_then_failure(void **state)
{
    struct stage *stage = *state;
    call(stage, 1);
    stage_locate(stage, "sip:one.example", STAGE_AT(BOB, CAROL), 2);
    stage_expect(stage, BOB, "INVITE");
    stage_say(stage, ALICE, CANCEL);
    stage_expect(stage, ALICE, "200");
    stage_fail(stage, BOB, 503, "");
    stage_expect_rest(stage, BOB, 30000);
    stage_expect(stage, ALICE, "500");
    stage_say(stage, ALICE, STAGE_ACK);
}

/* R3263-4-3: CANCEL goes to the server that the request went to. */
static void test_cancel_after_failover(void **state)
{
    struct stage *stage = *state;
    call(stage, 1);
    stage_locate(stage, "sip:one.example", STAGE_AT(BOB, CAROL), 2);
    stage_expect(stage, BOB, "INVITE");
    stage_fail(stage, BOB, 503, "");
    stage_expect(stage, CAROL, "INVITE");
    stage_answer(stage, CAROL, 180, "");
    stage_expect(stage, ALICE, "180");
    stage_say(stage, ALICE, CANCEL);
    stage_expect(stage, ALICE, "200");
    stage_expect(stage, CAROL, "CANCEL");
    stage_answer(stage, CAROL, 487, "");
    stage_expect(stage, CAROL, "ACK");
    stage_expect(stage, ALICE, "487");
    stage_say(stage, ALICE, STAGE_ACK);
    stage_answer_to(stage, CAROL, "CANCEL", 200, "");
}

/* S3261-16.7-13: a 6xx ends what waits too, and is the answer. */
static void test_declined_elsewhere(void **state)
{
    struct stage *stage = *state;
    stage_fork(stage, 1);
    stage_add_ways(stage, ways, 1);
    stage_say(stage, ALICE, STAGE_INVITE);
    stage_expect(stage, ALICE, "100");
    stage_expect(stage, BOB, "INVITE");
    stage_answer(stage, BOB, 603, "");
    stage_expect(stage, BOB, "ACK");
    stage_expect(stage, ALICE, "603");
    stage_say(stage, ALICE, STAGE_ACK);
    stage_locate(stage, "sip:one.example", STAGE_AT(CAROL), 1);
    stage_expect_silence(stage);
}

/* R3261-16.7-33: so does a 200; and a branch that waits keeps the best failure back. */
static void test_fork(void **state)
{
    struct stage *stage = *state;
    stage_fork(stage, 1);
    stage_add_ways(stage, ways, 1);
    stage_add_ways(stage, &ways[1], 1);
    stage_say(stage, ALICE, STAGE_INVITE);
    stage_expect(stage, ALICE, "100");
    stage_expect(stage, BOB, "INVITE");
    stage_answer(stage, BOB, 486, "");
    stage_expect(stage, BOB, "ACK");
    stage_expect_silence(stage);
    stage_locate(stage, "sip:one.example", STAGE_AT(CAROL), 1);
    stage_expect(stage, CAROL, "INVITE");
    stage_answer(stage, CAROL, 200, "");
    stage_expect(stage, ALICE, "200");
    stage_locate(stage, "sip:two.example", STAGE_AT(DAVE), 1);
    stage_expect_silence(stage);
}

/* A request that is no INVITE; nobody waits for the answer any more when it is found. */
static void test_noninvite(void **state)
{
    struct stage *stage = *state;
    stage_fork(stage, 0);
    stage_add_ways(stage, ways, 1);
    stage_say(stage, ALICE, STAGE_OPTIONS);
    stage_locate(stage, "sip:one.example", STAGE_AT(BOB, CAROL), 2);
    stage_expect(stage, BOB, "OPTIONS");
    stage_lose(stage, BOB);
    stage_expect(stage, CAROL, "OPTIONS");
    stage_answer(stage, CAROL, 200, "");
    stage_expect(stage, ALICE, "200");
    stage_wait(stage, 40000);
    stage_say(stage, ALICE, STAGE_OPTIONS);
    stage_wait(stage, 3500);
    stage_expect(stage, ALICE, "100");
    stage_wait(stage, 60000);
    assert_int_equal(ahoy_proxy_count(stage->proxy), 0);
    stage_locate(stage, "sip:one.example", STAGE_AT(BOB), 1);
    stage_expect_silence(stage);
}

/* R3261-16.6-22, R3261-16.6-30: what is for sips goes no other way, whatever the way is called. */
static void test_secure(void **state)
{
    struct stage *stage = *state;
    call(stage, 1);
    assert_false(stage->wanted[0].is_secure);
    stage_locate(stage, "sip:one.example", STAGE_AT(BOB), 1);
    stage_expect(stage, BOB, "INVITE");
    stage_answer(stage, BOB, 200, "");
    stage_expect(stage, ALICE, "200");
    stage_wait(stage, 40000);
    stage_fork(stage, 0);
    stage_add_ways(stage, ways, 1);
    stage->targets[0].uri = SPAN("SIPS:bob@biloxi.example");
    stage_say(stage, ALICE, STAGE_OPTIONS);
    assert_true(stage->wanted[1].is_secure);
    stage_locate(stage, "sip:one.example", NULL, 0);
    stage_expect(stage, ALICE, "500");
}

/* 16.11: it waits, and goes; a second one gets the same branch. */
static void test_ack(void **state)
{
    struct stage *stage = *state;
    struct span first = SPAN("");
    stage_fork(stage, 0);
    stage_add_ways(stage, ways, 1);
    for (int i = 0; i < 2; i++) {
        stage_say(stage, ALICE, ACK);
        stage_expect_silence(stage);
        stage_locate(stage, "sip:one.example", STAGE_AT(BOB, CAROL), 2);
        stage_expect(stage, BOB, "ACK");
        if (i == 0)
            first = stage->last;
        assert_true(ahoy_span_equal(first, stage->last));
    }
    stage_say(stage, ALICE, ACK);
    stage_locate(stage, "sip:one.example", NULL, 0);
    stage_expect_silence(stage);
    assert_int_equal(stage->proxy->acks.used, 0);
    assert_int_equal(stage->proxy->chunks.taken, 0);
}

/* A flood of them, for a name that is never found: bounded, and then gone. */
static void test_many_acks(void **state)
{
    static struct stage stage;
    struct ahoy_proxy_wish wish;
    static uint64_t users[2 * AHOY_PROXY_ACKS_LIMIT];
    size_t count = 0;
    (void)state;
    assert_true(stage_open(&stage, 64));
    stage_fork(&stage, 0);
    stage_add_ways(&stage, ways, 1);
    struct ahoy_message message;
    struct ahoy_routing routing;
    assert_true(ahoy_message_parse(ahoy_span(ACK), &message, NULL));
    assert_true(ahoy_message_routing(&message, &routing, NULL));
    const struct ahoy_event event = {
        .kind = AHOY_EVENT_ACK, .message = &message, .routing = &routing, .hop = &stage.peers[ALICE]
    };
    for (size_t i = 0; i < 2 * AHOY_PROXY_ACKS_LIMIT; i++) {
        ahoy_proxy_forward(stage.proxy, &event, &stage.plan);
        while (ahoy_proxy_poll(stage.proxy, &wish))
            users[count++] = wish.user;
    }
    assert_true(count > 0 && count <= AHOY_PROXY_ACKS_LIMIT);
    assert_true(stage.proxy->chunks.taken <= stage.proxy->chunks.limit);
    const struct ahoy_proxy_found nothing = { .status = 503 };
    for (size_t i = 0; i < count; i++)
        ahoy_proxy_located(stage.proxy, users[i], &nothing, stage.now_ms);
    assert_int_equal(stage.proxy->chunks.taken, 0);
    /* Some are left when all ends. */
    ahoy_proxy_forward(stage.proxy, &event, &stage.plan);
    assert_true(ahoy_proxy_poll(stage.proxy, &wish));
    stage_close(&stage);
}

/* A whole call of that kind under every failing allocation. */
static void play_call(struct stage *stage)
{
    stage_fork(stage, 0);
    stage_add_ways(stage, ways, 2);
    stage_say(stage, ALICE, STAGE_INVITE);
    stage_say(stage, ALICE, ACK);
    while (stage->wanted_read < stage->wanted_count)
        stage_locate(stage, stage->wanted[stage->wanted_read].uri, STAGE_AT(BOB, CAROL), 1);
    if (stage_can_answer(stage, BOB))
        stage_lose(stage, BOB);
    while (stage->wanted_read < stage->wanted_count)
        stage_locate(stage, stage->wanted[stage->wanted_read].uri, STAGE_AT(CAROL), 1);
    if (stage_can_answer(stage, CAROL))
        stage_answer(stage, CAROL, 200, "");
    stage_wait(stage, 200000);
    while (stage->wanted_read < stage->wanted_count)
        stage_locate(stage, stage->wanted[stage->wanted_read].uri, NULL, 0);
    stage_wait(stage, 200000);
}

static void test_memory(void **state)
{
    static struct stage stage;
    (void)state;
    for (size_t number = 0;; number++) {
        failing_alloc_begin(number, FAILING_ALLOC_ONE);
        bool opened = stage_open(&stage, 8);
        if (opened)
            play_call(&stage);
        size_t refused = failing_alloc_end();
        if (opened) {
            assert_int_equal(ahoy_proxy_count(stage.proxy), 0);
            stage_close(&stage);
        }
        if (refused == 0)
            return;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        stage_test(test_located),
        stage_test(test_next_server),
        stage_test(test_silence),
        stage_test(test_other_failures),
        stage_test(test_all_fail),
        stage_test(test_next_way),
        stage_test(test_resting_last),
        stage_test(test_nowhere),
        stage_test(test_bound),
        stage_test(test_no_listener),
        stage_test(test_cancel_while_waiting),
        stage_test(test_cancel_then_failure),
        stage_test(test_cancel_after_failover),
        stage_test(test_declined_elsewhere),
        stage_test(test_fork),
        stage_test(test_noninvite),
        stage_test(test_secure),
        stage_test(test_ack),
        cmocka_unit_test(test_many_acks),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
