/* Calls between two user agents, as ladders (RFC 3261 13, 14, 15, 9). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/failing_alloc.h"
#include "tests/support/pair.h"

static struct pair pair;

/* R3261-17.1.1.3-1: the ACK to a 2xx is the user agent's own. */
static void test_call(void **state)
{
    (void)state;
    pair_ringing(&pair);
    pair_answer(&pair, BOB);
    pair_run(&pair, 300);
    pair_hangup(&pair, ALICE);
    pair_run(&pair, 400);
    pair_expect(&pair, "0 alice > bob INVITE\n"
                       "10 bob: incoming\n"
                       "10 bob > alice 100 INVITE\n"
                       "100 bob > alice 180 INVITE\n"
                       "110 alice: ringing 180\n"
                       "200 bob: answered\n"
                       "200 bob > alice 200 INVITE\n"
                       "210 alice: answered\n"
                       "210 alice > bob ACK\n"
                       "300 alice: ended by us\n"
                       "300 alice > bob BYE\n"
                       "310 bob: ended by the peer\n"
                       "310 bob > alice 200 BYE\n");
    assert_int_equal(ahoy_ua_busy(pair.ends[ALICE].ua), 0);
    pair_fini(&pair);
}

/* R3261-13.2.2.4-3, -8: each 2xx that comes again is acknowledged again.  13.3.1.4: it does come
 * again, until the ACK. */
static void test_lost_ack(void **state)
{
    (void)state;
    pair_init(&pair);
    pair_call(&pair);
    pair_run(&pair, 100);
    pair_forget(&pair);
    pair_lose(&pair, "ACK", 2);
    pair_answer(&pair, BOB);
    pair_run(&pair, 20000);
    pair_expect(&pair, "100 bob: answered\n"
                       "100 bob > alice 200 INVITE\n"
                       "110 alice: answered\n"
                       "110 alice > bob ACK lost\n"
                       "600 bob > alice 200 INVITE\n"
                       "610 alice > bob ACK lost\n"
                       "1600 bob > alice 200 INVITE\n"
                       "1610 alice > bob ACK\n");
    pair_hangup(&pair, BOB);
    pair_fini(&pair);
}

static void test_lost_answer(void **state)
{
    (void)state;
    pair_init(&pair);
    pair_call(&pair);
    pair_run(&pair, 100);
    pair_forget(&pair);
    pair_lose(&pair, "200 INVITE", 1);
    pair_answer(&pair, BOB);
    pair_run(&pair, 5000);
    pair_expect(&pair, "100 bob: answered\n"
                       "100 bob > alice 200 INVITE lost\n"
                       "600 bob > alice 200 INVITE\n"
                       "610 alice: answered\n"
                       "610 alice > bob ACK\n");
    pair_hangup(&pair, ALICE);
    pair_fini(&pair);
}

/* R3261-12.1.1-5, R3261-12.1.2-3: of a call that was longer than its INVITE's transactions both
 * sides know; and once it is over nothing is left (pair_fini looks), whoever ends it, and whether
 * the BYE can be sent or not. */
static void test_long_call(void **state)
{
    (void)state;
    for (unsigned end = ALICE; end <= BOB; end++) {
        pair_establish(&pair);
        pair_run(&pair, 3600000);
        pair_hangup(&pair, end);
        pair_run(&pair, 3600010);
        assert_int_equal(pair.ends[1 - end].news.by, AHOY_SIDE_PEER);
        pair_fini(&pair);
    }
}

static void test_hangup_into_nothing(void **state)
{
    (void)state;
    pair_establish(&pair);
    pair_run(&pair, 130000); /* Until memory that lay idle has gone back. */
    if (!failing_alloc_works())
        skip();
    failing_alloc_begin(0, FAILING_ALLOC_FROM_THERE);
    ahoy_ua_hangup(pair.ends[ALICE].ua, pair.ends[ALICE].session, pair.now_ms);
    assert_true(failing_alloc_end() > 0);
    pair_settle(&pair);
    assert_int_equal(ahoy_ua_sessions(pair.ends[ALICE].ua), 0);
    pair_hangup(&pair, BOB);
    pair_fini(&pair);
}

/* 13.3.1.4: after 64*T1 without ACK the callee gives up, by BYE. */
static void test_no_ack(void **state)
{
    (void)state;
    pair_init(&pair);
    pair_call(&pair);
    pair_run(&pair, 100);
    pair_lose(&pair, "ACK", 100);
    pair_answer(&pair, BOB);
    pair_run(&pair, 32050);
    pair_forget(&pair);
    pair_run(&pair, 33000);
    pair_expect(&pair, "32100 bob: ended by the network\n"
                       "32100 bob > alice BYE\n"
                       "32110 alice: ended by the peer\n"
                       "32110 alice > bob 200 BYE\n");
    pair_fini(&pair);
}

/* The interval doubles up to T2 and stays there. */
static void test_answer_intervals(void **state)
{
    (void)state;
    pair_init(&pair);
    pair_call(&pair);
    pair_run(&pair, 100);
    pair_lose(&pair, "200 INVITE", 100);
    pair_forget(&pair);
    pair_answer(&pair, BOB);
    pair_run(&pair, 16000);
    pair_expect(&pair, "100 bob: answered\n"
                       "100 bob > alice 200 INVITE lost\n"
                       "600 bob > alice 200 INVITE lost\n"
                       "1600 bob > alice 200 INVITE lost\n"
                       "3600 bob > alice 200 INVITE lost\n"
                       "7600 bob > alice 200 INVITE lost\n"
                       "11600 bob > alice 200 INVITE lost\n"
                       "15600 bob > alice 200 INVITE lost\n");
    pair.drops[0].count = 0;
    pair_run(&pair, 20000);
    pair_hangup(&pair, BOB);
    pair_fini(&pair);
}

/* R3261-15-1: without a dialog there is no BYE. */
static void test_cancel(void **state)
{
    (void)state;
    pair_ringing(&pair);
    pair_forget(&pair);
    pair_hangup(&pair, ALICE);
    pair_run(&pair, 300);
    pair_expect(&pair, "200 alice > bob CANCEL\n"
                       "210 bob: ended by the peer\n"
                       "210 bob > alice 200 CANCEL\n"
                       "210 bob > alice 487 INVITE\n"
                       "220 alice: ended by us\n"
                       "220 alice > bob ACK\n");
    pair_fini(&pair);
}

/* CANCEL and 200 cross: the call stands, so it ends by BYE (9.1, 15; attack 52). */
static void test_cancel_race(void **state)
{
    (void)state;
    pair_init(&pair);
    pair_call(&pair);
    pair_run(&pair, 100);
    pair_forget(&pair);
    pair_answer(&pair, BOB);
    pair_hangup(&pair, ALICE);
    pair_run(&pair, 200);
    pair_expect(&pair, "100 bob: answered\n"
                       "100 bob > alice 200 INVITE\n"
                       "100 alice > bob CANCEL\n"
                       "110 alice: ended by us\n"
                       "110 alice > bob ACK\n"
                       "110 alice > bob BYE\n"
                       "110 bob > alice 200 CANCEL\n"
                       "120 bob: ended by the peer\n"
                       "120 bob > alice 200 BYE\n");
    pair_fini(&pair);
}

/* R3261-15-3: the callee's BYE waits for the ACK. */
static void test_hangup_before_ack(void **state)
{
    (void)state;
    pair_init(&pair);
    pair_call(&pair);
    pair_run(&pair, 100);
    pair_forget(&pair);
    pair_lose(&pair, "ACK", 1);
    pair_answer(&pair, BOB);
    pair_hangup(&pair, BOB);
    pair_run(&pair, 1000);
    pair_expect(&pair, "100 bob: answered\n"
                       "100 bob > alice 200 INVITE\n"
                       "110 alice: answered\n"
                       "110 alice > bob ACK lost\n"
                       "600 bob > alice 200 INVITE\n"
                       "610 alice > bob ACK\n"
                       "620 bob: ended by us\n"
                       "620 bob > alice BYE\n"
                       "630 alice: ended by the peer\n"
                       "630 alice > bob 200 BYE\n");
    pair_fini(&pair);
}

/* The caller's BYE overtakes its ACK: the 2xx is sent no more. */
static void test_bye_before_ack(void **state)
{
    (void)state;
    pair_init(&pair);
    pair_call(&pair);
    pair_run(&pair, 100);
    pair_lose(&pair, "ACK", 1);
    pair_answer(&pair, BOB);
    pair_run(&pair, 150);
    pair_forget(&pair);
    pair_hangup(&pair, ALICE);
    pair_run(&pair, 5000);
    pair_expect(&pair, "150 alice: ended by us\n"
                       "150 alice > bob BYE\n"
                       "160 bob: ended by the peer\n"
                       "160 bob > alice 200 BYE\n");
    pair_fini(&pair);
}

static void test_busy(void **state)
{
    (void)state;
    pair_init(&pair);
    pair_call(&pair);
    pair_run(&pair, 100);
    pair_forget(&pair);
    ahoy_ua_reject(pair.ends[BOB].ua, pair.ends[BOB].session, 486, pair.now_ms);
    pair_run(&pair, 200);
    pair_expect(&pair, "100 bob: refused 486\n"
                       "100 bob > alice 486 INVITE\n"
                       "110 alice: refused 486\n"
                       "110 alice > bob ACK\n");
    pair_fini(&pair);
}

/* R3261-8.1.3.1-2: what cannot be sent counts as a 503. */
static void test_unreachable(void **state)
{
    (void)state;
    pair_init(&pair);
    pair_lose(&pair, "INVITE", 1);
    pair_call(&pair);
    struct ahoy_wire_event event = { .kind = AHOY_WIRE_UNREACHABLE,
                                     .hop = { .transport = AHOY_UDP,
                                              .remote = pair.ends[BOB].listener.local } };
    ahoy_stack_step(pair.ends[ALICE].stack, &event, pair.now_ms);
    pair_settle(&pair);
    assert_int_equal(pair.ends[ALICE].news.kind, AHOY_NEWS_REFUSED);
    assert_int_equal(pair.ends[ALICE].news.status, 503);
    pair_fini(&pair);
}

static void test_nobody_there(void **state)
{
    (void)state;
    pair_init(&pair);
    pair_lose(&pair, "INVITE", 100);
    pair_call(&pair);
    pair_run(&pair, 31900);
    pair_forget(&pair);
    pair_run(&pair, 32100);
    pair_expect(&pair, "32000 alice: refused 408\n");
    pair_fini(&pair);
}

/* R3261-13.3.1.1-2: who rings long says so each minute. */
static void test_long_ring(void **state)
{
    (void)state;
    pair_init(&pair);
    pair_call(&pair);
    pair_run(&pair, 100);
    pair_ring(&pair, BOB);
    pair_run(&pair, 1000);
    pair_forget(&pair);
    pair_run(&pair, 121000);
    pair_expect(&pair, "60100 bob > alice 180 INVITE\n"
                       "120100 bob > alice 180 INVITE\n");
    pair_hangup(&pair, BOB);
    pair_fini(&pair);
}

/* Answers from behind a proxy that stays on the way. */
static void script_behind_proxy(struct pair *world, const struct ahoy_message *message)
{
    static const char rows[] = "Record-Route: <sip:192.0.2.2;lr>\r\n"
                               "Contact: <sip:one@192.0.2.2>\r\n"
                               "Content-Type: application/sdp\r\n";
    if (message->method == AHOY_METHOD_INVITE)
        pair_reply(world, message, 200, "one", rows, PAIR_SDP("sendrecv"));
    if (message->method == AHOY_METHOD_BYE)
        pair_reply(world, message, 200, "", "", "");
}

/* R3261-16.6-17: a call's route set ends with it. */
static void test_routes_are_of_one_call(void **state)
{
    (void)state;
    pair_init(&pair);
    pair.script = script_behind_proxy;
    for (unsigned i = 0; i < 2; i++) {
        pair_call(&pair);
        pair_run(&pair, 1000 * i + 15);
        const struct ahoy_message *invite = pair_received(&pair, BOB);
        assert_int_equal(invite->method, AHOY_METHOD_INVITE);
        assert_null(ahoy_message_first(invite, AHOY_HEADER_ROUTE));
        pair_run(&pair, 1000 * i + 100);
        pair_hangup(&pair, ALICE);
        pair_run(&pair, 1000 * i + 200);
        const struct ahoy_message *bye = pair_received(&pair, BOB);
        assert_int_equal(bye->method, AHOY_METHOD_BYE);
        assert_non_null(ahoy_message_first(bye, AHOY_HEADER_ROUTE));
        pair_run(&pair, 1000 * (i + 1));
    }
    pair_fini(&pair);
}

static unsigned byes;
static const char *challenge;
static unsigned challenge_status;

/* Answers, and then asks for credentials of the BYE. */
static void script_challenge(struct pair *world, const struct ahoy_message *message)
{
    static const char rows[] = "Contact: <sip:one@192.0.2.2>\r\n"
                               "Content-Type: application/sdp\r\n";
    if (message->method == AHOY_METHOD_INVITE)
        pair_reply(world, message, 200, "one", rows, PAIR_SDP("sendrecv"));
    if (message->method != AHOY_METHOD_BYE)
        return;
    byes++;
    pair_reply(world, message, challenge_status, "one", challenge, "");
}

static unsigned count_byes(unsigned status, const char *rows)
{
    byes = 0;
    challenge_status = status;
    challenge = rows;
    pair_init(&pair);
    pair.script = script_challenge;
    pair_call(&pair);
    pair_run(&pair, 100);
    pair_hangup(&pair, ALICE);
    pair_run(&pair, 300);
    pair.script = NULL; /* What comes later is for bob, who knows of nothing. */
    pair_fini(&pair);
    return byes;
}

/* R3261-21.4.8-1: our proxy gets a digest, one of each nonce, twice (attack 21); the callee gets
 * none (attack 20). */
static void test_challenged_bye(void **state)
{
    (void)state;
    assert_int_equal(count_byes(401, "WWW-Authenticate: Digest realm=\"atlanta.example\", "
                                     "nonce=\"n\"\r\n"),
                     1);
    assert_int_equal(count_byes(407, "Proxy-Authenticate: Digest realm=\"evil.example\", "
                                     "nonce=\"n\"\r\n"),
                     1);
    assert_int_equal(count_byes(407, "Proxy-Authenticate: Digest realm=\"atlanta.example\", "
                                     "nonce=\"n\"\r\n"),
                     2);
    assert_int_equal(count_byes(407, "Proxy-Authenticate: Digest realm=\"atlanta.example\", "
                                     "nonce=\"n\", stale=true\r\n"),
                     2); /* It is the same one. */
}

/* 14.2: a hold is answered by its mirror, and the Contact is the target from now on
 * (R3261-12.2.2-5). */
static void test_hold(void **state)
{
    (void)state;
    pair_establish(&pair);
    pair_within(&pair, "INVITE", 5, "hold", PAIR_SDP_TYPE, PAIR_SDP("sendonly"));
    pair_expect(&pair, "200 alice > bob INVITE\n"
                       "210 bob: changed\n"
                       "210 bob > alice 200 INVITE\n");
    assert_int_equal(pair.ends[BOB].news.agreed.direction, AHOY_RECVONLY);
    assert_non_null(strstr(pair.ends[ALICE].received, "m=audio 4000 RTP/AVP 8 0\r\n"));
    assert_non_null(strstr(pair.ends[ALICE].received, "a=recvonly\r\n"));
    pair_within(&pair, "ACK", 5, "ack", "", "");
    pair_run(&pair, 5000);
    pair_forget(&pair);
    pair_hangup(&pair, BOB);
    pair_run(&pair, 5100);
    pair_received(&pair, ALICE);
    assert_memory_equal(pair.routing.request_uri.text.at, "sip:moved@192.0.2.1", 19);
    pair_hangup(&pair, ALICE);
    pair_fini(&pair);
}

/* What cannot be agreed on is refused, and the call goes on (14.2). */
static void test_unacceptable_change(void **state)
{
    (void)state;
    pair_establish(&pair);
    pair_within(&pair, "INVITE", 5, "video", PAIR_SDP_TYPE,
                "v=0\r\no=- 1 2 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n"
                "m=video 4000 RTP/AVP 96\r\n");
    pair_expect(&pair, "200 alice > bob INVITE\n"
                       "210 bob > alice 488 INVITE\n");
    pair_within(&pair, "ACK", 5, "video", "", "");
    pair_forget(&pair);
    pair_hangup(&pair, BOB);
    pair_run(&pair, 400);
    pair_expect(&pair, "240 bob: ended by us\n"
                       "240 bob > alice BYE\n"
                       "250 alice: ended by the peer\n"
                       "250 alice > bob 200 BYE\n");
    pair_fini(&pair);
}

static void test_refused_invites(void **state)
{
    (void)state;
    pair_init(&pair);
    pair_outside(&pair, "INVITE", "carol", "a", PAIR_SDP_TYPE, PAIR_SDP("sendrecv"));
    assert_int_equal(pair_received(&pair, ALICE)->status, 404);
    pair_outside(&pair, "INVITE", "bob", "b", "Require: 100rel, foo\r\n", "");
    assert_int_equal(pair_received(&pair, ALICE)->status, 420);
    assert_non_null(strstr(pair.ends[ALICE].received, "Unsupported: foo\r\n"));
    pair_outside(&pair, "INVITE", "bob", "c", "Content-Type: text/plain\r\n", "hello");
    assert_int_equal(pair_received(&pair, ALICE)->status, 415);
    pair_outside(&pair, "INVITE", "bob", "d", PAIR_SDP_TYPE,
                 "v=0\r\nb=nothing\r\n"); /* attack 31 */
    assert_int_equal(pair_received(&pair, ALICE)->status, 400);
    assert_int_equal(ahoy_ua_sessions(pair.ends[BOB].ua), 0);
    pair_fini(&pair);
}

/* R3261-8.2.2.2-1: the same INVITE by two paths rings once. */
static void test_merged(void **state)
{
    (void)state;
    pair_init(&pair);
    pair_outside(&pair, "INVITE", "bob", "a", PAIR_SDP_TYPE, PAIR_SDP("sendrecv"));
    pair_outside(&pair, "INVITE", "bob", "b", PAIR_SDP_TYPE, PAIR_SDP("sendrecv"));
    pair_expect(&pair, "0 alice > bob INVITE\n"
                       "10 bob: incoming\n"
                       "10 bob > alice 100 INVITE\n"
                       "20 alice > bob INVITE\n"
                       "30 bob > alice 482 INVITE\n");
    pair_hangup(&pair, BOB);
    pair_fini(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_call),
        cmocka_unit_test(test_lost_ack),
        cmocka_unit_test(test_lost_answer),
        cmocka_unit_test(test_long_call),
        cmocka_unit_test(test_hangup_into_nothing),
        cmocka_unit_test(test_no_ack),
        cmocka_unit_test(test_answer_intervals),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_cancel_race),
        cmocka_unit_test(test_hangup_before_ack),
        cmocka_unit_test(test_bye_before_ack),
        cmocka_unit_test(test_busy),
        cmocka_unit_test(test_nobody_there),
        cmocka_unit_test(test_unreachable),
        cmocka_unit_test(test_long_ring),
        cmocka_unit_test(test_routes_are_of_one_call),
        cmocka_unit_test(test_challenged_bye),
        cmocka_unit_test(test_hold),
        cmocka_unit_test(test_unacceptable_change),
        cmocka_unit_test(test_refused_invites),
        cmocka_unit_test(test_merged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
