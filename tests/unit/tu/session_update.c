/* UPDATE (RFC 3311), before the answer and after it, and early dialogs, one for each fork. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/pair.h"

static struct pair pair;

static void progress(unsigned end)
{
    const struct ahoy_ip media = { .family = AHOY_IPV4, .port = 4000, .bytes = { 192, 0, 2, 2 } };
    ahoy_ua_progress(pair.ends[end].ua, pair.ends[end].session, &media, pair.now_ms);
    pair_settle(&pair);
}

static void hold(unsigned end)
{
    ahoy_ua_hold(pair.ends[end].ua, pair.ends[end].session, pair.now_ms);
    pair_settle(&pair);
}

static const char *received(unsigned end)
{
    return pair.ends[end].received;
}

static void end_call(void)
{
    pair_hangup(&pair, ALICE);
    pair_hangup(&pair, BOB);
    pair_fini(&pair);
}

/* Up to where both have agreed on early media, at 200. */
static void begin_early(void)
{
    pair_init(&pair);
    pair_call(&pair);
    pair_run(&pair, 100);
    progress(BOB);
    pair_run(&pair, 200);
    pair_forget(&pair);
}

/* RFC 3311 5.1: before the answer the session changes by UPDATE, from either side; afterwards by
 * re-INVITE.  What the caller's early dialog has agreed on goes on in the call. */
static void test_early(void **state)
{
    (void)state;
    for (unsigned end = ALICE; end <= BOB; end++) {
        char ladder[256];
        const char *names[] = { end == ALICE ? "alice" : "bob", end == ALICE ? "bob" : "alice" };
        begin_early();
        hold(end);
        pair_run(&pair, 300);
        snprintf(ladder, sizeof ladder,
                 "200 %s > %s UPDATE\n210 %s: early media\n210 %s > %s 200 UPDATE\n"
                 "220 %s: early media\n",
                 names[0], names[1], names[1], names[1], names[0], names[0]);
        pair_expect(&pair, ladder);
        pair_answer(&pair, BOB);
        pair_run(&pair, 400);
        assert_int_equal(pair.ends[end].news.kind, AHOY_NEWS_ANSWERED);
        assert_int_equal(pair.ends[end].news.agreed.direction, AHOY_SENDONLY);
        assert_int_equal(pair.ends[1 - end].news.agreed.direction, AHOY_RECVONLY);
        pair_forget(&pair);
        ahoy_ua_resume(pair.ends[end].ua, pair.ends[end].session, pair.now_ms);
        pair_run(&pair, 410);
        snprintf(ladder, sizeof ladder,
                 "400 %s > %s INVITE\n410 %s: changed\n410 %s > %s 200 INVITE\n", names[0],
                 names[1], names[1], names[1], names[0]);
        pair_expect(&pair, ladder);
        end_call();
    }
}

/* RFC 3311 5.1, UAC-IU of RFC 6337: an UPDATE waits for the PRACK, and for its 2xx. */
static void test_waits(void **state)
{
    (void)state;
    pair_init(&pair);
    pair_call(&pair);
    hold(ALICE); /* With nobody to ask yet. */
    pair_run(&pair, 100);
    pair_forget(&pair);
    progress(BOB);
    hold(BOB);
    pair_run(&pair, 125);
    pair_expect(&pair, "100 bob: early media\n"
                       "100 bob > alice 183 INVITE\n"
                       "110 alice: early media\n"
                       "110 alice: ringing 183\n"
                       "110 alice > bob PRACK\n"
                       "120 bob > alice 200 PRACK\n"
                       "120 bob > alice UPDATE\n");
    end_call();
}

/* R3311-5.2-4 to -6, R3264-8-3, R3264-8-4: an UPDATE in a call is answered, whether anything is
 * new or not; it is the target from now on; without an offer there is no answer. */
static void test_in_call(void **state)
{
    (void)state;
    pair_establish(&pair);
    for (unsigned cseq = 5; cseq < 7; cseq++) {
        pair_within(&pair, "UPDATE", cseq, cseq == 5 ? "a" : "b", PAIR_SDP_TYPE,
                    PAIR_SDP("sendonly"));
        assert_int_equal(pair_received(&pair, ALICE)->status, 200);
        assert_non_null(strstr(received(ALICE), " 2 IN IP4 192.0.2.2"));
        assert_non_null(strstr(received(ALICE), "a=recvonly\r\n"));
        assert_non_null(strstr(received(ALICE), "Contact: <sip:bob@192.0.2.2:5060>"));
        assert_int_equal(pair.ends[BOB].news.agreed.direction, AHOY_RECVONLY);
    }
    pair_within(&pair, "UPDATE", 7, "c", "", "");
    assert_int_equal(pair_received(&pair, ALICE)->status, 200);
    assert_int_equal(pair.message.body.size, 0);
    pair_hangup(&pair, BOB);
    pair_run(&pair, pair.now_ms + 10);
    pair_received(&pair, ALICE);
    assert_memory_equal(pair.routing.request_uri.text.at, "sip:moved@192.0.2.1", 19);
    end_call();
}

/* R3311-5.2-2 and -3; what cannot be taken is refused, and changes nothing (5.2). */
static void test_refused(void **state)
{
    (void)state;
    pair_ringing(&pair);
    pair_within(&pair, "UPDATE", 5, "a", PAIR_SDP_TYPE, PAIR_SDP("sendonly"));
    assert_int_equal(pair_received(&pair, ALICE)->status, 500);
    assert_non_null(strstr(received(ALICE), "Retry-After: "));
    pair_answer(&pair, BOB);
    pair_run(&pair, 300);
    pair_within(&pair, "UPDATE", 6, "b", PAIR_SDP_TYPE,
                "v=0\r\no=- 1 2 IN IP4 h\r\ns=-\r\nt=0 0\r\nm=video 1 RTP/AVP 96\r\n");
    assert_int_equal(pair_received(&pair, ALICE)->status, 488);
    pair_within(&pair, "UPDATE", 7, "c", "Content-Type: text/plain\r\n", "hello");
    assert_int_equal(pair_received(&pair, ALICE)->status, 415);
    hold(BOB);
    pair_run(&pair, pair.now_ms);
    pair_within(&pair, "UPDATE", 8, "d", PAIR_SDP_TYPE, PAIR_SDP("sendonly"));
    assert_non_null(strstr(pair.trace_space, "491 UPDATE"));
    end_call();
}

/* Bob as two phones behind a proxy that forks. */
static const char *winner;
static unsigned fork_count;
static unsigned update_status;

#define RELIABLE(contact)                                                                          \
    "Require: 100rel\r\nRSeq: 1\r\nAllow: UPDATE\r\nContact: <sip:" contact ">\r\n"

static void script_forks(struct pair *world, const struct ahoy_message *message)
{
    static const char one[] = RELIABLE("one@192.0.2.2") PAIR_SDP_TYPE;
    static const char two[] = RELIABLE("two@192.0.2.2") PAIR_SDP_TYPE;
    switch (message->method) {
    case AHOY_METHOD_INVITE:
        pair_reply(world, message, 183, "one", one, PAIR_SDP("sendonly"));
        if (fork_count == 2)
            pair_reply(world, message, 183, "two", two, PAIR_SDP("sendrecv"));
        if (winner != NULL)
            pair_reply(world, message, 200, winner, "Contact: <sip:w@192.0.2.2>\r\n", "");
        return;
    case AHOY_METHOD_UPDATE:
        pair_reply(world, message, update_status, "",
                   "Contact: <sip:one@192.0.2.2>\r\n" PAIR_SDP_TYPE, PAIR_SDP("recvonly"));
        return;
    case AHOY_METHOD_ACK:
        return;
    default:
        pair_reply(world, message, 200, "", "", "");
        return;
    }
}

/* R3261-13.2.2.4-1, 12.1.2: each fork has a dialog, and offers and answers, of its own; the one
 * that answers gives the call what it has agreed on before, and goes on with its CSeq. */
static void test_forks(void **state)
{
    static const char *const tags[] = { "one", "two" };
    static const enum ahoy_direction ours[] = { AHOY_RECVONLY, AHOY_SENDRECV };
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        winner = tags[i];
        fork_count = 2;
        pair_init(&pair);
        pair.script = script_forks;
        pair_call(&pair);
        pair_run(&pair, 200);
        pair_expect(&pair, "0 alice > bob INVITE\n"
                           "10 bob > alice 183 INVITE\n"
                           "10 bob > alice 183 INVITE\n"
                           "10 bob > alice 200 INVITE\n"
                           "20 alice: early media\n"
                           "20 alice: ringing 183\n"
                           "20 alice > bob PRACK\n"
                           "20 alice: early media\n"
                           "20 alice > bob PRACK\n"
                           "20 alice: answered\n"
                           "20 alice > bob ACK\n"
                           "30 bob > alice 200 PRACK\n"
                           "30 bob > alice 200 PRACK\n");
        assert_int_equal(pair.ends[ALICE].news.agreed.direction, ours[i]);
        pair_hangup(&pair, ALICE);
        pair_run(&pair, 210);
        assert_non_null(strstr(received(BOB), "BYE sip:w@192.0.2.2"));
        assert_non_null(strstr(received(BOB), "CSeq: 3 BYE\r\n"));
        pair_run(&pair, 1000);
        pair.script = NULL;
        pair_fini(&pair);
    }
}

/* Of the INVITE. */
static char our_tag[64], call_id[64];

static void note_invite(void)
{
    pair_received(&pair, BOB);
    snprintf(our_tag, sizeof our_tag, "%.*s", (int)pair.routing.from_tag.size,
             pair.routing.from_tag.at);
    snprintf(call_id, sizeof call_id, "%.*s", (int)pair.routing.call_id.size,
             pair.routing.call_id.at);
}

/* A request of a callee's in one of the dialogs. */
static void from_fork(const char *method, unsigned cseq, const char *tag, const char *body)
{
    char text[2048];
    int size = snprintf(text, sizeof text,
                        "%s sip:alice@192.0.2.1:5060 SIP/2.0\r\n"
                        "Via: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK%s%u\r\n"
                        "Max-Forwards: 70\r\nFrom: <sip:bob@192.0.2.2>;tag=%s\r\n"
                        "To: <sip:alice@192.0.2.1>;tag=%s\r\nCall-ID: %s\r\nCSeq: %u %s\r\n"
                        "Contact: <sip:new@192.0.2.2>\r\n%sContent-Length: %zu\r\n\r\n%s",
                        method, tag, cseq, tag, our_tag, call_id, cseq, method,
                        body[0] != '\0' ? PAIR_SDP_TYPE : "", strlen(body), body);
    pair_inject(&pair, ALICE, (struct span){ text, (size_t)size });
    pair_run(&pair, pair.now_ms + 20);
}

/* R3261-14.2-2 for an early dialog; what is no dialog of ours gets 481. */
static void test_from_forks(void **state)
{
    static const struct {
        const char *method, *tag, *body;
        unsigned status;
    } rows[] = {
        { "UPDATE", "one", PAIR_SDP("sendrecv"), 200 },
        { "UPDATE", "three", "", 481 },
        { "INVITE", "two", PAIR_SDP("sendrecv"), 491 },
        { "BYE", "two", "", 481 },
        { "OPTIONS", "two", "", 200 },
        { "PRACK", "one", "", 481 },
    };
    (void)state;
    winner = NULL;
    fork_count = 2;
    pair_init(&pair);
    pair.script = script_forks;
    pair_call(&pair);
    pair_run(&pair, 10);
    note_invite();
    pair_run(&pair, 100);
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char expected[32];
        pair_forget(&pair);
        from_fork(rows[i].method, 10 + i, rows[i].tag, rows[i].body);
        snprintf(expected, sizeof expected, " %u %s\n", rows[i].status, rows[i].method);
        assert_non_null(strstr(pair.trace_space, expected));
    }
    pair_hangup(&pair, ALICE);
    pair_run(&pair, 40000);
    pair.script = NULL;
    pair_fini(&pair);
}

/* R3311-5.3-1: what was refused changes nothing.  5.3: 491 is tried again after 2.1 to 4 s by who
 * made the call.  An early dialog that is gone is no reason to end the call. */
static void test_answers(void **state)
{
    static const unsigned statuses[] = { 200, 488, 481, 491 };
    (void)state;
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        winner = NULL;
        fork_count = 1;
        update_status = statuses[i];
        pair_init(&pair);
        pair.script = script_forks;
        pair_call(&pair);
        pair_run(&pair, 100);
        hold(ALICE);
        pair_run(&pair, 110);
        pair_forget(&pair);
        pair_run(&pair, 200);
        if (update_status == 200)
            pair_expect(&pair, "120 alice: early media\n");
        else if (update_status == 491)
            assert_in_range(ahoy_ua_deadline(pair.ends[ALICE].ua), 120 + 2100, 120 + 4000);
        else
            assert_int_equal(pair.ends[ALICE].news.status, update_status);
        update_status = 200;
        pair_run(&pair, 5000);
        pair_hangup(&pair, ALICE);
        pair_run(&pair, 40000);
        pair.script = NULL;
        pair_fini(&pair);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_early),      cmocka_unit_test(test_waits),
        cmocka_unit_test(test_in_call),    cmocka_unit_test(test_refused),
        cmocka_unit_test(test_answers),    cmocka_unit_test(test_forks),
        cmocka_unit_test(test_from_forks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
