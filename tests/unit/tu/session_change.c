/* Our own changes to a call: hold, resume, another address (RFC 3261 14.1, RFC 3264 8). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/pair.h"

static struct pair pair;

static void hold(unsigned end)
{
    ahoy_ua_hold(pair.ends[end].ua, pair.ends[end].session, pair.now_ms);
    pair_settle(&pair);
}

static void resume(unsigned end)
{
    ahoy_ua_resume(pair.ends[end].ua, pair.ends[end].session, pair.now_ms);
    pair_settle(&pair);
}

static void expect_received(unsigned end, const char *text)
{
    assert_non_null(strstr(pair.ends[end].received, text));
}

static enum ahoy_direction direction(unsigned end)
{
    return pair.ends[end].news.agreed.direction;
}

static void end_call(void)
{
    pair_hangup(&pair, ALICE);
    pair_hangup(&pair, BOB);
    pair_fini(&pair);
}

/* RFC 3264 8.4, RFC 5359 2.1: hold and resume, each by an offer whose version is one more
 * (R3264-8-1) and by an answer that follows it.  R3264-5.1-1, R3264-8.4-1: the one is sendonly, and
 * has a port; R3264-6.1-6, -7 and -9: so has the other. */
static void test_hold(void **state)
{
    (void)state;
    for (unsigned end = ALICE; end <= BOB; end++) {
        char ladder[256];
        const char *names[] = { end == ALICE ? "alice" : "bob", end == ALICE ? "bob" : "alice" };
        pair_establish(&pair);
        hold(end);
        pair_run(&pair, 210);
        expect_received(1 - end, "m=audio 4000 RTP/AVP 0 8 101\r\n");
        expect_received(1 - end, "a=sendonly\r\n");
        expect_received(1 - end, " 2 IN IP4 192.0.2.");
        assert_int_equal(direction(1 - end), AHOY_RECVONLY);
        pair_run(&pair, 220);
        expect_received(end, "m=audio 4000 RTP/AVP 0 8 101\r\n");
        expect_received(end, "a=recvonly\r\n");
        pair_run(&pair, 300);
        assert_int_equal(direction(end), AHOY_SENDONLY);
        snprintf(ladder, sizeof ladder,
                 "200 %s > %s INVITE\n210 %s: changed\n210 %s > %s 200 INVITE\n"
                 "220 %s: changed\n220 %s > %s ACK\n",
                 names[0], names[1], names[1], names[1], names[0], names[0], names[0], names[1]);
        pair_expect(&pair, ladder);
        resume(end);
        pair_run(&pair, 310);
        expect_received(1 - end, "a=sendrecv\r\n");
        expect_received(1 - end, " 3 IN IP4 192.0.2.");
        pair_run(&pair, 400);
        assert_int_equal(direction(ALICE), AHOY_SENDRECV);
        assert_int_equal(direction(BOB), AHOY_SENDRECV);
        end_call();
    }
}

/* R3264-5-2, R3264-5-3 */
static void test_origin(void **state)
{
    (void)state;
    pair_init(&pair);
    for (unsigned i = 0; i < 8; i++) {
        unsigned long long session_id, version;
        pair_call(&pair);
        pair_run(&pair, pair.now_ms + 10);
        const char *origin = strstr(pair.ends[BOB].received, "o=- ");
        assert_non_null(origin);
        assert_int_equal(sscanf(origin, "o=- %llu %llu IN", &session_id, &version), 2);
        assert_in_range(session_id, 0, INT64_MAX);
        assert_int_equal(version, 1);
        pair_hangup(&pair, BOB);
        pair_run(&pair, pair.now_ms + 1000);
    }
    pair_fini(&pair);
}

/* RFC 6337 5.3: each side has its own hold, and the last to resume brings both ways back. */
static void test_both_hold(void **state)
{
    (void)state;
    pair_establish(&pair);
    hold(ALICE);
    pair_run(&pair, 300);
    hold(BOB);
    pair_run(&pair, 400);
    assert_int_equal(direction(ALICE), AHOY_INACTIVE);
    assert_int_equal(direction(BOB), AHOY_INACTIVE);
    resume(ALICE);
    pair_run(&pair, 500);
    assert_int_equal(direction(ALICE), AHOY_RECVONLY);
    assert_int_equal(direction(BOB), AHOY_SENDONLY);
    resume(BOB);
    pair_run(&pair, 600);
    assert_int_equal(direction(ALICE), AHOY_SENDRECV);
    assert_int_equal(direction(BOB), AHOY_SENDRECV);
    end_call();
}

/* What is in force already is not asked for: no re-INVITE. */
static void test_nothing_to_change(void **state)
{
    (void)state;
    pair_establish(&pair);
    resume(ALICE);
    pair_run(&pair, 300);
    pair_expect(&pair, "");
    end_call();
}

/* 8.3.1: another address is another offer. */
static void test_move(void **state)
{
    const struct ahoy_ip media = { .family = AHOY_IPV4, .port = 4700, .bytes = { 192, 0, 2, 77 } };
    (void)state;
    pair_establish(&pair);
    ahoy_ua_move(pair.ends[BOB].ua, pair.ends[BOB].session, &media, pair.now_ms);
    pair_run(&pair, 210);
    expect_received(ALICE, "c=IN IP4 192.0.2.77\r\n");
    expect_received(ALICE, "m=audio 4700 RTP/AVP 0 8 101\r\n");
    end_call();
}

/* R3261-14.1-1 to -3: two wishes at once are two re-INVITEs, one after the other; and the callee's
 * waits for the ACK. */
static void test_one_at_a_time(void **state)
{
    (void)state;
    pair_establish(&pair);
    hold(ALICE);
    resume(ALICE);
    pair_run(&pair, 300);
    pair_expect(&pair, "200 alice > bob INVITE\n"
                       "210 bob: changed\n"
                       "210 bob > alice 200 INVITE\n"
                       "220 alice: changed\n"
                       "220 alice > bob ACK\n"
                       "220 alice > bob INVITE\n"
                       "230 bob: changed\n"
                       "230 bob > alice 200 INVITE\n"
                       "240 alice: changed\n"
                       "240 alice > bob ACK\n");
    end_call();
    pair_init(&pair);
    pair_call(&pair);
    pair_run(&pair, 100);
    pair_forget(&pair);
    pair_answer(&pair, BOB);
    hold(BOB);
    pair_run(&pair, 200);
    pair_expect(&pair, "100 bob: answered\n"
                       "100 bob > alice 200 INVITE\n"
                       "110 alice: answered\n"
                       "110 alice > bob ACK\n"
                       "120 bob > alice INVITE\n"
                       "130 alice: changed\n"
                       "130 alice > bob 200 INVITE\n"
                       "140 bob: changed\n"
                       "140 bob > alice ACK\n");
    end_call();
}

/* R3261-14.2-2 and 14.1: both at once get 491; who made the call waits for 2.1 to 4 s, who did not
 * for 2 s at most.  The answer to the first fulfils the second's wish too. */
static void test_glare(void **state)
{
    (void)state;
    pair_establish(&pair);
    hold(ALICE);
    hold(BOB);
    pair_run(&pair, 230);
    pair_expect(&pair, "200 alice > bob INVITE\n"
                       "200 bob > alice INVITE\n"
                       "210 bob > alice 491 INVITE\n"
                       "210 alice > bob 491 INVITE\n"
                       "220 alice > bob ACK\n"
                       "220 bob > alice ACK\n");
    uint64_t bob_ms = ahoy_ua_deadline(pair.ends[BOB].ua);
    uint64_t alice_ms = ahoy_ua_deadline(pair.ends[ALICE].ua);
    assert_in_range(bob_ms, 220, 2220);
    assert_in_range(alice_ms, 220 + 2100, 220 + 4000);
    assert_int_equal((bob_ms - 220) % 10, 0);
    pair_run(&pair, 5000);
    assert_int_equal(direction(ALICE), AHOY_INACTIVE);
    assert_int_equal(direction(BOB), AHOY_INACTIVE);
    end_call();
}

static struct {
    unsigned status;
    const char *rows, *body;
} reply;

/* Bob as a script: answers the call, and re-INVITEs by |reply|; 0 for silence. */
static void script(struct pair *world, const struct ahoy_message *message)
{
    static const char rows[] = "Contact: <sip:one@192.0.2.2>\r\n" PAIR_SDP_TYPE;
    bool is_first = strstr(world->ends[BOB].received, "CSeq: 1 ") != NULL;
    if (message->method == AHOY_METHOD_INVITE && is_first)
        pair_reply(world, message, 200, "one", rows, PAIR_SDP("sendrecv"));
    else if (message->method == AHOY_METHOD_INVITE && reply.status != 0)
        pair_reply(world, message, reply.status, "", reply.rows, reply.body);
    else if (message->method == AHOY_METHOD_BYE)
        pair_reply(world, message, 200, "", "", "");
}

static void establish_with_script(unsigned status, const char *rows, const char *body)
{
    reply.status = status;
    reply.rows = rows;
    reply.body = body;
    pair_init(&pair);
    pair.script = script;
    pair_call(&pair);
    pair_run(&pair, 100);
    pair_forget(&pair);
    hold(ALICE);
}

static void end_script(void)
{
    pair_hangup(&pair, ALICE);
    pair_run(&pair, pair.now_ms + 1000);
    pair.script = NULL;
    pair_fini(&pair);
}

/* R3261-14.1-4: what was refused changes nothing, and is not wished any more; and the version goes
 * on (R3264-8-1). */
static void test_refused(void **state)
{
    (void)state;
    establish_with_script(488, "", "");
    pair_run(&pair, 200);
    pair_expect(&pair, "100 alice > bob INVITE\n"
                       "110 bob > alice 488 INVITE\n"
                       "120 alice: change refused 488\n"
                       "120 alice > bob ACK\n");
    resume(ALICE);
    pair_run(&pair, 300);
    pair_expect(&pair, "");
    hold(ALICE);
    pair_run(&pair, 310);
    expect_received(BOB, "CSeq: 3 INVITE\r\n");
    end_script();
}

/* 12.2.1.2, 14.1: 481, 408 and silence end the call, by BYE. */
static void test_gone(void **state)
{
    static const unsigned statuses[] = { 481, 408 };
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        establish_with_script(statuses[i], "", "");
        pair_run(&pair, 115);
        pair_forget(&pair);
        pair_run(&pair, 200);
        pair_expect(&pair, "120 alice: ended by the network\n"
                           "120 alice > bob ACK\n"
                           "120 alice > bob BYE\n"
                           "130 bob > alice 200 BYE\n");
        end_script();
    }
    establish_with_script(0, "", "");
    pair_run(&pair, 32050);
    pair_forget(&pair);
    pair_run(&pair, 33000);
    pair_expect(&pair, "32100 alice: ended by the network\n"
                       "32100 alice > bob BYE\n"
                       "32110 bob > alice 200 BYE\n");
    end_script();
}

/* 12.2.1.2, target refresh: what follows goes to the Contact of the 2xx.  Its 2xx, when it
 * comes again, is acknowledged again (R3261-13.2.2.4-8). */
static void test_refresh(void **state)
{
    (void)state;
    establish_with_script(200, "Contact: <sip:two@192.0.2.2>\r\n" PAIR_SDP_TYPE,
                          PAIR_SDP("recvonly"));
    pair_run(&pair, 130);
    assert_int_equal(pair_received(&pair, BOB)->method, AHOY_METHOD_ACK);
    assert_memory_equal(pair.routing.request_uri.text.at, "sip:two@192.0.2.2", 17);
    assert_int_equal(pair.routing.cseq.number, 2);
    pair_inject(&pair, ALICE,
                (struct span){ pair.ends[ALICE].received, pair.ends[ALICE].received_size });
    pair_forget(&pair);
    pair_run(&pair, 200);
    pair_expect(&pair, "140 alice > bob ACK\n");
    end_script();
}

/* 13.2.2.4, 14.1: a 2xx without an answer of use is acknowledged, and the call ended. */
static void test_no_answer(void **state)
{
    (void)state;
    establish_with_script(200, "Contact: <sip:two@192.0.2.2>\r\n", "");
    pair_run(&pair, 115);
    pair_forget(&pair);
    pair_run(&pair, 200);
    pair_expect(&pair, "120 alice: ended by us\n"
                       "120 alice > bob ACK\n"
                       "120 alice > bob BYE\n"
                       "130 bob > alice 200 BYE\n");
    end_script();
}

/* R3264-7-1, R3264-8.3.2-4, R3264-8.3.4-1: from the answer on we speak as it has it, and by nothing
 * that it has not. */
static void test_other_formats(void **state)
{
    static const char answer[] = "v=0\r\no=- 1 2 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.8\r\n"
                                 "t=0 0\r\nm=audio 4000 RTP/AVP 0 97\r\na=rtpmap:97 "
                                 "telephone-event/8000\r\n";
    (void)state;
    establish_with_script(200, "Contact: <sip:two@192.0.2.2>\r\n" PAIR_SDP_TYPE, answer);
    const struct ahoy_sdp_agreed *agreed = &pair.ends[ALICE].news.agreed;
    assert_int_equal(agreed->codec, AHOY_PCMA); /* The first of "8 0". */
    assert_int_equal(agreed->payload_type, 8);
    pair_run(&pair, 200);
    assert_int_equal(agreed->codec, AHOY_PCMU);
    assert_int_equal(agreed->payload_type, 0);
    assert_true(agreed->has_events && agreed->events == 97);
    assert_int_equal(agreed->rtp.bytes[3], 8);
    end_script();
}

/* 22.2: a proxy may ask for a password again. */
static void test_challenged(void **state)
{
    (void)state;
    establish_with_script(
        407, "Proxy-Authenticate: Digest realm=\"atlanta.example\", nonce=\"n\"\r\n", "");
    pair_run(&pair, 120);
    reply.status = 200;
    reply.rows = "Contact: <sip:two@192.0.2.2>\r\n" PAIR_SDP_TYPE;
    reply.body = PAIR_SDP("recvonly");
    pair_forget(&pair);
    pair_run(&pair, 200);
    pair_expect(&pair, "130 bob > alice 200 INVITE\n"
                       "140 alice: changed\n"
                       "140 alice > bob ACK\n");
    expect_received(BOB, "Proxy-Authorization: ");
    end_script();
}

/* RFC 5407 3.2.3: our BYE crosses the 2xx, which is acknowledged all the same. */
static void test_bye_crosses(void **state)
{
    (void)state;
    pair_establish(&pair);
    hold(ALICE);
    pair_run(&pair, 210);
    pair_forget(&pair);
    pair_hangup(&pair, ALICE);
    pair_run(&pair, 300);
    pair_expect(&pair, "210 alice: ended by us\n"
                       "210 alice > bob BYE\n"
                       "220 alice > bob ACK\n"
                       "220 bob: ended by the peer\n"
                       "220 bob > alice 200 BYE\n");
    pair_fini(&pair);
}

/* R3264-8-6, R3264-8-7: the video that we refused keeps its line; an offer that lets it vanish is
 * refused. */
static void test_lines_stay(void **state)
{
    (void)state;
    pair_establish(&pair);
    pair_within(&pair, "INVITE", 5, "video", PAIR_SDP_TYPE,
                PAIR_SDP("sendrecv") "m=video 4002 RTP/AVP 96\r\n");
    pair_within(&pair, "ACK", 5, "ack", "", "");
    pair_within(&pair, "INVITE", 6, "fewer", PAIR_SDP_TYPE, PAIR_SDP("sendrecv"));
    assert_int_equal(pair_received(&pair, ALICE)->status, 488);
    pair_within(&pair, "ACK", 6, "fewer", "", "");
    hold(BOB);
    pair_run(&pair, pair.now_ms + 10);
    expect_received(ALICE, "a=sendonly\r\nm=video 0 RTP/AVP 96\r\n");
    end_call();
}

/* A call that ends while our change was heard of, but not answered, takes that INVITE along: it is
 * cancelled (9.1), since nobody sends its final response again once the dialog is over. */
static void test_ends_unanswered(void **state)
{
    (void)state;
    establish_with_script(100, "", "");
    pair_run(&pair, 150);
    pair_forget(&pair);
    pair_hangup(&pair, ALICE);
    pair_run(&pair, 300);
    pair_expect(&pair, "150 alice: ended by us\n"
                       "150 alice > bob BYE\n"
                       "150 alice > bob CANCEL\n"
                       "160 bob > alice 200 BYE\n");
    pair_run(&pair, 40000);
    assert_int_equal(ahoy_ua_sessions(pair.ends[ALICE].ua), 0);
    end_script();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hold),        cmocka_unit_test(test_origin),
        cmocka_unit_test(test_both_hold),   cmocka_unit_test(test_nothing_to_change),
        cmocka_unit_test(test_move),        cmocka_unit_test(test_one_at_a_time),
        cmocka_unit_test(test_glare),       cmocka_unit_test(test_refused),
        cmocka_unit_test(test_gone),        cmocka_unit_test(test_refresh),
        cmocka_unit_test(test_no_answer),   cmocka_unit_test(test_challenged),
        cmocka_unit_test(test_bye_crosses), cmocka_unit_test(test_ends_unanswered),
        cmocka_unit_test(test_lines_stay),  cmocka_unit_test(test_other_formats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
