/* Provisional responses that are confirmed (RFC 3262), and what they offer and answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/support/pair.h"

#define RELIES "Supported: 100rel\r\n"
#define NEEDS  "Require: 100rel\r\n"

static struct pair pair;

static void progress(unsigned end)
{
    const struct ahoy_ip media = { .family = AHOY_IPV4, .port = 4000, .bytes = { 192, 0, 2, 2 } };
    ahoy_ua_progress(pair.ends[end].ua, pair.ends[end].session, &media, pair.now_ms);
    pair_settle(&pair);
}

static const char *received(unsigned end)
{
    return pair.ends[end].received;
}

/* The number in the row |name| of what alice received last. */
static unsigned long number_of(const char *name)
{
    const char *row = strstr(received(ALICE), name);
    assert_non_null(row);
    return strtoul(row + strlen(name), NULL, 10);
}

/* Confirms what bob sent last, as |rseq| of the INVITE |invite|. */
static void prack(unsigned cseq, unsigned long rseq, const char *invite, const char *body)
{
    char rows[256], branch[16];
    snprintf(rows, sizeof rows, "RAck: %lu %s\r\n%s", rseq, invite,
             body[0] != '\0' ? PAIR_SDP_TYPE : "");
    snprintf(branch, sizeof branch, "p%u", cseq);
    pair_within(&pair, "PRACK", cseq, branch, rows, body);
}

/* An INVITE of alice's by hand, which bob does not answer at once. */
static void invited(const char *rows, const char *body)
{
    pair_init(&pair);
    pair_outside(&pair, "INVITE", "bob", "i", rows, body);
    pair_forget(&pair);
}

static void end_call(void)
{
    pair_hangup(&pair, ALICE);
    pair_hangup(&pair, BOB);
    pair_fini(&pair);
}

/* Between two of ours: R3262-3-7, R3262-4-4, R3262-4-5; R3262-3-15, R3262-5-4: the 2xx waits for
 * the PRACK, and says nothing that was said (RFC 6337 3.1.1). */
static void test_early_media(void **state)
{
    (void)state;
    pair_init(&pair);
    pair_call(&pair);
    pair_run(&pair, 100);
    pair_forget(&pair);
    progress(BOB);
    pair_answer(&pair, BOB);
    pair_run(&pair, 110);
    assert_non_null(strstr(received(ALICE), "Require: 100rel\r\nRSeq: "));
    assert_non_null(strstr(received(ALICE), "a=sendrecv\r\n"));
    pair_run(&pair, 130);
    assert_int_equal(pair_received(&pair, ALICE)->body.size, 0);
    pair_run(&pair, 1000);
    pair_expect(&pair, "100 bob: early media\n"
                       "100 bob > alice 183 INVITE\n"
                       "110 alice: early media\n"
                       "110 alice: ringing 183\n"
                       "110 alice > bob PRACK\n"
                       "120 bob: answered\n"
                       "120 bob > alice 200 PRACK\n"
                       "120 bob > alice 200 INVITE\n"
                       "130 alice: answered\n"
                       "130 alice > bob ACK\n");
    assert_int_equal(pair.ends[ALICE].news.agreed.codec, AHOY_PCMU);
    end_call();
}

/* R3261-8.2.4-2, -3, R3262-3-1, R3262-8.1-1: all of them, where the caller requires it, but the 100
 * (R3262-3-3), and they say so; R3262-3-8, -12 and -13: one at a time, each one higher. */
static void test_required(void **state)
{
    (void)state;
    invited(NEEDS PAIR_SDP_TYPE, PAIR_SDP("sendrecv"));
    assert_int_equal(pair_received(&pair, ALICE)->status, 100);
    assert_null(strstr(received(ALICE), "RSeq"));
    pair_ring(&pair, BOB);
    progress(BOB);
    pair_run(&pair, 40);
    pair_expect(&pair, "20 bob > alice 180 INVITE\n");
    unsigned long rseq = number_of("RSeq: ");
    assert_in_range(rseq, 1, INT32_MAX);
    assert_non_null(strstr(received(ALICE), "\r\nRequire: 100rel\r\n"));
    prack(2, rseq, "1 INVITE", "");
    pair_expect(&pair, "40 alice > bob PRACK\n"
                       "50 bob: early media\n"
                       "50 bob > alice 200 PRACK\n"
                       "50 bob > alice 183 INVITE\n");
    assert_int_equal(number_of("RSeq: "), rseq + 1);
    prack(3, rseq + 1, "1 INVITE", "");
    pair_answer(&pair, BOB);
    pair_run(&pair, 90);
    pair_within(&pair, "ACK", 1, "a", "", "");
    end_call();
}

/* R3261-8.2.4-1, -4, R3262-3-4: never unasked; what is early media then is a preview, which the 2xx
 * repeats (RFC 6337 3.1.1, R3264-8-2). */
static void test_not_supported(void **state)
{
    char preview[256];
    (void)state;
    invited(PAIR_SDP_TYPE, PAIR_SDP("sendrecv"));
    progress(BOB);
    pair_run(&pair, 30);
    assert_null(strstr(received(ALICE), "RSeq"));
    snprintf(preview, sizeof preview, "%s", strstr(received(ALICE), "v=0"));
    pair_answer(&pair, BOB);
    pair_run(&pair, 45);
    assert_string_equal(strstr(received(ALICE), "v=0"), preview);
    pair_within(&pair, "ACK", 1, "a", "", "");
    end_call();
}

/* R3262-3-9 and -10: only the PRACK that names it is for it.  R3262-3-11: then it is sent no
 * more. */
static void test_matching(void **state)
{
    (void)state;
    invited(RELIES PAIR_SDP_TYPE, PAIR_SDP("sendrecv"));
    progress(BOB);
    pair_run(&pair, 30);
    unsigned long rseq = number_of("RSeq: ");
    const struct {
        unsigned long rseq;
        const char *invite;
        unsigned status;
    } rows[] = { { rseq + 1, "1 INVITE", 481 }, { rseq, "2 INVITE", 481 },
                 { rseq, "1 UPDATE", 481 },     { rseq, "none", 400 },
                 { rseq, "1 INVITE", 200 },     { rseq, "1 INVITE", 481 } };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        prack(2 + i, rows[i].rseq, rows[i].invite, "");
        assert_int_equal(pair_received(&pair, ALICE)->status, rows[i].status);
    }
    pair_within(&pair, "PRACK", 10, "bare", "", "");
    assert_int_equal(pair_received(&pair, ALICE)->status, 400);
    pair_forget(&pair);
    pair_run(&pair, 20000);
    pair_expect(&pair, "");
    end_call();
}

/* RFC 3262 3: T1, doubled and doubled, beyond T2; after 64*T1 the INVITE is refused.  R3262-3-16: a
 * PRACK that is later still is answered well; R3262-3-17: nothing else is begun. */
static void test_never_confirmed(void **state)
{
    (void)state;
    invited(RELIES PAIR_SDP_TYPE, PAIR_SDP("sendrecv"));
    progress(BOB);
    pair_run(&pair, 30);
    unsigned long rseq = number_of("RSeq: ");
    pair_run(&pair, 32100);
    pair_expect(&pair, "20 bob: early media\n"
                       "20 bob > alice 183 INVITE\n"
                       "520 bob > alice 183 INVITE\n"
                       "1520 bob > alice 183 INVITE\n"
                       "3520 bob > alice 183 INVITE\n"
                       "7520 bob > alice 183 INVITE\n"
                       "15520 bob > alice 183 INVITE\n"
                       "31520 bob > alice 183 INVITE\n"
                       "32020 bob: refused 504\n"
                       "32020 bob > alice 504 INVITE\n");
    progress(BOB);
    pair_expect(&pair, "");
    prack(2, rseq, "1 INVITE", "");
    assert_int_equal(pair_received(&pair, ALICE)->status, 200);
    prack(3, rseq, "1 INVITE", "");
    assert_int_equal(pair_received(&pair, ALICE)->status, 481);
    pair_fini(&pair);
}

/* R3262-5-1: an INVITE without an offer gets one in the first reliable response, and the answer
 * comes with the PRACK; without one that can be read the call is not (RFC 6337 2.3). */
static void test_offer_in_response(void **state)
{
    (void)state;
    for (int is_answered = 0; is_answered < 2; is_answered++) {
        invited(NEEDS, "");
        pair_ring(&pair, BOB); /* It has nothing to offer yet, and may not go without. */
        pair_run(&pair, 30);
        pair_expect(&pair, "");
        progress(BOB);
        pair_run(&pair, 45);
        assert_non_null(strstr(received(ALICE), "m=audio 4000 RTP/AVP 0 8 101\r\n"));
        pair_forget(&pair);
        prack(2, number_of("RSeq: "), "1 INVITE", is_answered ? PAIR_SDP("sendonly") : "");
        if (is_answered) {
            assert_int_equal(pair.ends[BOB].news.agreed.direction, AHOY_RECVONLY);
            pair_expect(&pair, "45 alice > bob PRACK\n"
                               "55 bob: early media\n"
                               "55 bob > alice 200 PRACK\n");
        } else {
            pair_expect(&pair, "45 alice > bob PRACK\n"
                               "55 bob: refused 488\n"
                               "55 bob > alice 200 PRACK\n"
                               "55 bob > alice 488 INVITE\n");
        }
        end_call();
    }
}

/* R3262-5-3, R6337-2.3-1, RFC 6337 pattern 5: an offer in the PRACK is answered in its 2xx; one
 * that comes too soon is passed over, one that cannot be taken ends the call. */
static void test_offer_in_prack(void **state)
{
    (void)state;
    invited(RELIES PAIR_SDP_TYPE, PAIR_SDP("sendrecv"));
    progress(BOB);
    pair_run(&pair, 30);
    prack(2, number_of("RSeq: "), "1 INVITE", PAIR_SDP("sendonly"));
    assert_non_null(strstr(received(ALICE), "200 OK"));
    assert_non_null(strstr(received(ALICE), "a=recvonly\r\n"));
    end_call();
    invited(NEEDS PAIR_SDP_TYPE, PAIR_SDP("sendrecv"));
    pair_ring(&pair, BOB);
    pair_run(&pair, 30);
    prack(2, number_of("RSeq: "), "1 INVITE", PAIR_SDP("sendonly"));
    assert_int_equal(pair_received(&pair, ALICE)->status, 200);
    assert_int_equal(pair.message.body.size, 0);
    end_call();
    invited(RELIES PAIR_SDP_TYPE, PAIR_SDP("sendrecv"));
    progress(BOB);
    pair_run(&pair, 30);
    pair_forget(&pair);
    prack(2, number_of("RSeq: "), "1 INVITE", "v=0\r\n");
    pair_expect(&pair, "30 alice > bob PRACK\n"
                       "40 bob: refused 488\n"
                       "40 bob > alice 200 PRACK\n"
                       "40 bob > alice 488 INVITE\n");
    end_call();
}

/* What a script in bob's place says to the INVITE, one after the other. */
static const char *const *lines;
static unsigned pracks;

static void script(struct pair *world, const struct ahoy_message *message)
{
    pracks += message->method == AHOY_METHOD_PRACK;
    if (message->method == AHOY_METHOD_INVITE)
        for (size_t i = 0; lines[i] != NULL; i++)
            pair_reply(world, message, 180, "one", lines[i], "");
    else if (message->method != AHOY_METHOD_ACK)
        pair_reply(world, message, 200, "one", "", "");
}

#define CONTACT      "Contact: <sip:one@192.0.2.2>\r\n"
#define RSEQ(number) CONTACT NEEDS "RSeq: " number "\r\n"

static void expect_pracks(const char *const *said, unsigned count)
{
    pracks = 0;
    lines = said;
    pair_init(&pair);
    pair.script = script;
    pair_call(&pair);
    pair_run(&pair, 500);
    assert_int_equal(pracks, count);
    pair_hangup(&pair, ALICE);
    pair_run(&pair, 40000);
    pair.script = NULL;
    pair_fini(&pair);
}

/* R3262-4-6 to -10: each number once, and in order from wherever it begins; without RSeq,
 * Require or a Contact there is none to confirm. */
static void test_caller_order(void **state)
{
    (void)state;
    expect_pracks((const char *[]){ RSEQ("7"), RSEQ("7"), RSEQ("9"), RSEQ("8"), NULL }, 2);
    expect_pracks((const char *[]){ RSEQ("4294967295"), RSEQ("1"), NULL }, 1);
    expect_pracks((const char *[]){ NEEDS "RSeq: 1\r\n", CONTACT "RSeq: 1\r\n", CONTACT NEEDS,
                                    RSEQ("0"), NULL },
                  0);
}

/* R3262-4-3: a 100 asks for nothing. */
static void script_100(struct pair *world, const struct ahoy_message *message)
{
    pracks += message->method == AHOY_METHOD_PRACK;
    if (message->method == AHOY_METHOD_INVITE)
        pair_reply(world, message, 100, "one", RSEQ("1"), "");
    else if (message->method != AHOY_METHOD_ACK)
        pair_reply(world, message, 200, "one", "", "");
}

static void test_trying(void **state)
{
    (void)state;
    pracks = 0;
    pair_init(&pair);
    pair.script = script_100;
    pair_call(&pair);
    pair_run(&pair, 500);
    assert_int_equal(pracks, 0);
    pair_hangup(&pair, ALICE);
    pair_run(&pair, 40000);
    pair.script = NULL;
    pair_fini(&pair);
}

static void script_preview(struct pair *world, const struct ahoy_message *message)
{
    if (message->method == AHOY_METHOD_INVITE) {
        pair_reply(world, message, 183, "one", CONTACT PAIR_SDP_TYPE, PAIR_SDP("sendonly"));
        pair_reply(world, message, 183, "one", CONTACT PAIR_SDP_TYPE, PAIR_SDP("sendonly"));
        pair_reply(world, message, 200, "one", CONTACT PAIR_SDP_TYPE, PAIR_SDP("sendonly"));
    } else if (message->method != AHOY_METHOD_ACK) {
        pair_reply(world, message, 200, "one", "", "");
    }
}

/* R3261-13.2.1-3: where sound before the answer comes from, as gateways say it that
 * know no PRACK; once, and the 2xx is the answer all the same. */
static void test_preview(void **state)
{
    (void)state;
    pair_init(&pair);
    pair.script = script_preview;
    pair_call(&pair);
    pair_run(&pair, 500);
    assert_non_null(strstr(pair.trace_space, "alice: early media\n"));
    assert_null(strstr(strstr(pair.trace_space, "early media\n") + 1, "early media\n"));
    assert_non_null(strstr(strstr(pair.trace_space, "early media\n"), "alice: answered\n"));
    assert_int_equal(pair.ends[ALICE].news.agreed.codec, AHOY_PCMA);
    assert_int_equal(pair.ends[ALICE].news.agreed.direction, AHOY_RECVONLY);
    pair_hangup(&pair, ALICE);
    pair_run(&pair, 40000);
    pair.script = NULL;
    pair_fini(&pair);
}

/* A PRACK that is lost is sent again by its transaction alone, though the 183 comes again too. */
static void test_lost_prack(void **state)
{
    (void)state;
    pair_init(&pair);
    pair_call(&pair);
    pair_run(&pair, 100);
    pair_forget(&pair);
    pair_lose(&pair, "PRACK", 1);
    progress(BOB);
    pair_run(&pair, 5000);
    pair_expect(&pair, "100 bob: early media\n"
                       "100 bob > alice 183 INVITE\n"
                       "110 alice: early media\n"
                       "110 alice: ringing 183\n"
                       "110 alice > bob PRACK lost\n"
                       "600 bob > alice 183 INVITE\n"
                       "610 alice > bob PRACK\n"
                       "620 bob > alice 200 PRACK\n");
    end_call();
}

/* Each response confirms itself; what |reliable| says is the number of its call. */
static const char *reliable;

static void script_reliable(struct pair *world, const struct ahoy_message *message)
{
    char rows[128];
    snprintf(rows, sizeof rows, "Contact: <sip:bob@192.0.2.2>\r\n" NEEDS "RSeq: %s\r\n", reliable);
    if (message->method == AHOY_METHOD_INVITE)
        pair_reply(world, message, 180, "early", rows, "");
    else if (message->method != AHOY_METHOD_ACK)
        pair_reply(world, message, 200, "", "", "");
}

/* R3262-4-6 is about one dialog: that of the call before, whose room may be the same, has numbers
 * of its own. */
static void test_next_call(void **state)
{
    static const char *const numbers[] = { "700", "3" };
    (void)state;
    pair_init(&pair);
    pair.script = script_reliable;
    for (size_t i = 0; i < 2; i++) {
        uint64_t begun_ms = pair.now_ms;
        reliable = numbers[i];
        pair_call(&pair);
        pair_run(&pair, begun_ms + 50);
        assert_int_equal(pair_received(&pair, BOB)->method, AHOY_METHOD_PRACK);
        pair_hangup(&pair, ALICE);
        pair_run(&pair, begun_ms + 200000); /* Nobody answers the INVITE. */
    }
    pair.script = NULL;
    pair_fini(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_preview),           cmocka_unit_test(test_early_media),
        cmocka_unit_test(test_required),          cmocka_unit_test(test_not_supported),
        cmocka_unit_test(test_matching),          cmocka_unit_test(test_never_confirmed),
        cmocka_unit_test(test_offer_in_response), cmocka_unit_test(test_offer_in_prack),
        cmocka_unit_test(test_caller_order),      cmocka_unit_test(test_trying),
        cmocka_unit_test(test_lost_prack),        cmocka_unit_test(test_next_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
