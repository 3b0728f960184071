/* Responses on their way up, and the best of them (RFC 3261 16.7, RFC 6026 8). */
#include "libahoy/tu/proxy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/support/stage.h"

/* Alice calls, and |count| targets ring. */
static void call(struct stage *stage, size_t count)
{
    stage_fork(stage, count);
    stage_say(stage, ALICE, STAGE_INVITE);
    stage_expect(stage, ALICE, "100");
    for (unsigned i = 0; i < count; i++)
        stage_expect(stage, (enum stage_peer)(BOB + i), "INVITE");
    stage_expect_silence(stage);
}

static void says(struct stage *stage, enum stage_peer peer, unsigned status)
{
    stage_answer(stage, peer, status, "");
    stage_expect(stage, peer, "ACK");
}

/* R3261-16.7-12: ours was sent before. */
static void test_100_stays(void **state)
{
    struct stage *stage = *state;
    call(stage, 1);
    stage_answer(stage, BOB, 100, "");
    stage_expect_silence(stage);
    stage_answer(stage, BOB, 200, "");
    stage_expect(stage, ALICE, "200");
}

/* R3261-16.7-2, -3, -8, -10, -13, -20, -21 and -28: each at once, less our Via and not a byte
 * more. */
static void test_passes_at_once(void **state)
{
    struct stage *stage = *state;
    call(stage, 1);
    stage_answer(stage, BOB, 180, "Require: 100rel\r\nX-Any: 1\r\n");
    stage_expect(stage, ALICE, "180");
    stage_expect_text(stage, "SIP/2.0 180 Ringing\r\n"
                             "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKa1\r\n"
                             "From: <sip:alice@example.com>;tag=a\r\n"
                             "To: <sip:bob@example.com>;tag=t1\r\n"
                             "Call-ID: 1@192.0.2.10\r\n"
                             "CSeq: 1 INVITE\r\n"
                             "Require: 100rel\r\n"
                             "X-Any: 1\r\n"
                             "Content-Length: 0\r\n"
                             "\r\n");
    stage_answer(stage, BOB, 180, "");
    stage_expect(stage, ALICE, "180");
    stage_answer(stage, BOB, 199, "");
    stage_expect(stage, ALICE, "199");
    stage_answer(stage, BOB, 200, "");
    stage_expect(stage, ALICE, "200");
    assert_true(stage_has(stage, "To: <sip:bob@example.com>;tag=t1"));
    /* Each retransmission too: the UAS must hear an ACK (law 8). */
    stage_answer(stage, BOB, 200, "");
    stage_expect(stage, ALICE, "200");
    /* But nothing provisional or final behind it. */
    stage_answer(stage, BOB, 180, "");
    stage_answer(stage, BOB, 486, "");
    stage_expect_silence(stage);
}

/* |via| as Bob returns it, what Alice gets of it: R3261-16.7-29. */
static void check_via(struct stage *stage, const char *before, const char *between,
                      const char *after, const char *got)
{
    stage_say(stage, ALICE, STAGE_OPTIONS);
    stage_expect(stage, BOB, "OPTIONS");
    struct ahoy_message request;
    assert_true(ahoy_message_parse(stage->last, &request, NULL));
    char text[1024];
    struct ahoy_buf buf = ahoy_buf_over(text, sizeof text);
    ahoy_buf_put(&buf, SPAN("SIP/2.0 200 Sure\r\n"));
    ahoy_buf_put(&buf, ahoy_span(before));
    ahoy_buf_put(&buf, ahoy_message_value(&request, AHOY_HEADER_VIA));
    ahoy_buf_put(&buf, ahoy_span(between));
    ahoy_buf_put(&buf, SPAN("SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKo1"));
    ahoy_buf_put(&buf, ahoy_span(after));
    ahoy_buf_put(&buf, SPAN("From: <sip:alice@example.com>;tag=a\r\n"
                            "To: <sip:bob@example.com>;tag=b\r\n"
                            "Call-ID: 1@192.0.2.10\r\n"
                            "CSeq: 1 OPTIONS\r\n"
                            "\r\nbody"));
    stage_hear(stage, &stage->peers[BOB], ahoy_buf_text(&buf));
    stage_expect(stage, ALICE, "200");
    stage_expect_text(stage, got);
    stage_wait(stage, 40000);
}

#define BEHIND                                                                                     \
    "From: <sip:alice@example.com>;tag=a\r\nTo: <sip:bob@example.com>;tag=b\r\n"                   \
    "Call-ID: 1@192.0.2.10\r\nCSeq: 1 OPTIONS\r\n\r\nbody"

/* Law 17: ours goes, however the row is written, and no other. */
static void test_own_via(void **state)
{
    struct stage *stage = *state;
    check_via(stage, "Via: ", "\r\nVia: ", "\r\n",
              "SIP/2.0 200 Sure\r\n"
              "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKo1\r\n" BEHIND);
    check_via(stage, "Via: ", ",", "\r\n",
              "SIP/2.0 200 Sure\r\n"
              "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKo1\r\n" BEHIND);
    check_via(stage, "v:\r\n ", "\r\n ,\r\n  ", ";received=192.0.2.10, SIP/2.0/TCP a\r\nVia: b\r\n",
              "SIP/2.0 200 Sure\r\n"
              "v:\r\n SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKo1;received=192.0.2.10, "
              "SIP/2.0/TCP a\r\nVia: b\r\n" BEHIND);
}

/* What others have written of a load into further Vias goes, in whichever row and after whichever
 * value it stands (RFC 7339 5.4). */
static void test_loads_of_others(void **state)
{
    struct stage *stage = *state;
    static const char got[] = "SIP/2.0 200 Sure\r\n"
                              "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKo1\r\n"
                              "Via: SIP/2.0/TCP a;oca, SIP/2.0/TCP b;branch=1\r\n" BEHIND;
    check_via(stage, "Via: ", "\r\nVia: ",
              ";OC=20;oc-seq=1.0\r\nVia: SIP/2.0/TCP a;oca, SIP/2.0/TCP b;branch=1\r\n", got);
    check_via(stage, "Via: ", "\r\nVia: ",
              "\r\nVia: SIP/2.0/TCP a;oca, SIP/2.0/TCP b;oc=20;branch=1\r\n", got);
    check_via(stage, "Via: ", ",", ";oc=20\r\nVia: SIP/2.0/TCP a;oca, SIP/2.0/TCP b;branch=1\r\n",
              got);
}

/* R3261-16.7-6: a response that was meant for us alone says that the branch has failed. */
static void test_no_via_left(void **state)
{
    struct stage *stage = *state;
    call(stage, 1);
    struct ahoy_message request;
    assert_true(ahoy_message_parse(stage->last, &request, NULL));
    char text[1024];
    struct ahoy_buf buf = ahoy_buf_over(text, sizeof text);
    ahoy_buf_put(&buf, SPAN("SIP/2.0 486 Busy Here\r\nVia: "));
    ahoy_buf_put(&buf, ahoy_message_value(&request, AHOY_HEADER_VIA));
    ahoy_buf_put(&buf, SPAN("\r\nFrom: <sip:alice@example.com>;tag=a\r\n"
                            "To: <sip:bob@example.com>;tag=b\r\n"
                            "Call-ID: 1@192.0.2.10\r\n"
                            "CSeq: 1 INVITE\r\n\r\n"));
    stage_hear(stage, &stage->peers[BOB], ahoy_buf_text(&buf));
    stage_expect(stage, BOB, "ACK");
    stage_expect(stage, ALICE, "500");
    stage_say(stage, ALICE, STAGE_ACK);
}

/* What three answers become, in all orders of their coming.  A status of ours comes with our To
 * tag. */
static void test_best_of_three(void **state)
{
    (void)state; /* Each row has a stage of its own. */
    static struct stage room;
    struct stage *stage = &room;
    static const struct {
        unsigned of[3];
        const char *best;
        bool is_ours;
    } rows[] = {
        { { 486, 486, 486 }, "486", false },
        { { 404, 486, 500 }, "4", false }, /* S3261-16.7-6: the lowest class. */
        { { 302, 486, 500 }, "302", false },
        { { 302, 486, 603 }, "603", false }, /* R3261-16.7-18 */
        { { 503, 500, 600 }, "600", false },
        { { 486, 401, 404 }, "401", false }, /* S3261-16.7-7 */
        { { 486, 407, 500 }, "407", false }, /* R3261-22.3-3 */
        { { 486, 415, 480 }, "415", false },
        { { 486, 420, 480 }, "420", false },
        { { 486, 484, 480 }, "484", false },
        { { 408, 486, 503 }, "486", false },
        { { 408, 503, 503 }, "408", false },
        { { 487, 486, 408 }, "486", false }, /* One that we have cancelled says little. */
        { { 408, 487, 500 }, "487", false },
        { { 503, 501, 503 }, "501", false }, /* S3261-16.7-8 */
        { { 503, 503, 503 }, "500", true },  /* S3261-16.7-9 */
    };
    static const unsigned orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
                                           { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
    for (size_t i = 0; i < 6 * sizeof rows / sizeof rows[0]; i++) {
        stage_init(stage);
        call(stage, 3);
        /* Nobody has rung, so no CANCEL leaves either, after a 6xx (law 10). */
        for (unsigned j = 0; j < 3; j++)
            says(stage, (enum stage_peer)(BOB + j), rows[i / 6].of[orders[i % 6][j]]);
        const char *best = rows[i / 6].best;
        if (best[1] == '\0') /* Any of the class: the first that came. */
            best = orders[i % 6][0] == 0 || (orders[i % 6][0] == 2 && orders[i % 6][1] == 0)
                       ? "404"
                       : "486";
        stage_expect(stage, ALICE, best);
        bool is_ours = !stage_has(stage, "To: <sip:bob@example.com>;tag=t1") &&
                       !stage_has(stage, "To: <sip:bob@example.com>;tag=t2") &&
                       !stage_has(stage, "To: <sip:bob@example.com>;tag=t3");
        assert_int_equal(is_ours, rows[i / 6].is_ours);
        stage_say(stage, ALICE, STAGE_ACK);
        stage_fini(stage);
    }
}

/* Three targets answer 180, then finally in every order of who comes when, one of them 200. */
static void test_fork_with_success(void **state)
{
    (void)state;
    static struct stage room;
    struct stage *stage = &room;
    static const unsigned orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
                                           { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
    for (size_t i = 0; i < 18; i++) {
        stage_init(stage);
        call(stage, 3);
        for (unsigned j = 0; j < 3; j++) {
            stage_answer(stage, (enum stage_peer)(BOB + j), 180, "");
            stage_expect(stage, ALICE, "180");
        }
        const unsigned *order = orders[i % 6];
        unsigned winner = (unsigned)i / 6;
        for (unsigned j = 0; j < winner; j++)
            says(stage, (enum stage_peer)(BOB + order[j]), 486);
        stage_answer(stage, (enum stage_peer)(BOB + order[winner]), 200, "");
        stage_expect(stage, ALICE, "200"); /* R3261-16.7-33, law 10 */
        for (unsigned j = 0; j < 3; j++) {
            if (j == order[winner] || (winner > 0 && j == order[0]) ||
                (winner > 1 && j == order[1]))
                continue;
            stage_expect(stage, (enum stage_peer)(BOB + j), "CANCEL");
            assert_true(
                stage_has(stage, "Reason: SIP ;cause=200 ;text=\"Call completed elsewhere\""));
        }
        stage_expect_silence(stage);
        for (unsigned j = winner + 1; j < 3; j++) {
            enum stage_peer peer = (enum stage_peer)(BOB + order[j]);
            stage_answer_to(stage, peer, "CANCEL", 200, "");
            stage_answer_to(stage, peer, "INVITE", 487, "");
            stage_expect(stage, peer, "ACK");
        }
        stage_expect_silence(stage);
        stage_fini(stage);
    }
}

/* R3261-16.7-10, law 9: two that answer at one time are both heard. */
static void test_second_success(void **state)
{
    struct stage *stage = *state;
    call(stage, 2);
    stage_answer(stage, BOB, 200, "");
    stage_expect(stage, ALICE, "200");
    assert_true(stage_has(stage, "To: <sip:bob@example.com>;tag=t1"));
    /* Carol has not rung: her CANCEL waits, and then it is too late for it. */
    stage_answer(stage, CAROL, 200, "");
    stage_expect(stage, ALICE, "200");
    assert_true(stage_has(stage, "To: <sip:bob@example.com>;tag=t2"));
}

/* S3261-16.7-13, R3261-16.7-9: a 6xx waits for those that it ends; a 200 on its way still wins. */
static void test_global_failure(void **state)
{
    struct stage *stage = *state;
    call(stage, 2);
    stage_answer(stage, CAROL, 180, "");
    stage_expect(stage, ALICE, "180");
    says(stage, BOB, 603);
    stage_expect(stage, CAROL, "CANCEL");
    assert_true(stage_has(stage, "Reason: SIP ;cause=603"));
    stage_answer_to(stage, CAROL, "CANCEL", 200, "");
    stage_expect_silence(stage);
    stage_answer_to(stage, CAROL, "INVITE", 487, "");
    stage_expect(stage, CAROL, "ACK");
    stage_expect(stage, ALICE, "603");
    assert_true(stage_has(stage, "To: <sip:bob@example.com>;tag=t1"));
    stage_say(stage, ALICE, STAGE_ACK);
}

static void test_global_failure_loses_to_success(void **state)
{
    struct stage *stage = *state;
    call(stage, 2);
    stage_answer(stage, CAROL, 180, "");
    stage_expect(stage, ALICE, "180");
    says(stage, BOB, 600);
    stage_expect(stage, CAROL, "CANCEL");
    stage_answer_to(stage, CAROL, "INVITE", 200, "");
    stage_expect(stage, ALICE, "200");
    stage_answer_to(stage, CAROL, "CANCEL", 481, "");
    stage_expect_silence(stage);
}

/* R3261-16.7-19, R3261-16.7-23, R3261-22.3-7, R8760-2.5-1 and -2: what every 401 and 407 asks for,
 * as it stands and in its order, behind the rows of the first. */
static void test_challenges(void **state)
{
    struct stage *stage = *state;
    call(stage, 5);
    stage_answer(stage, BOB, 486, "WWW-Authenticate: Digest realm=\"b\", nonce=\"0\"\r\n");
    stage_expect(stage, BOB, "ACK");
    stage_answer(stage, CAROL, 407,
                 "Proxy-Authenticate: Digest realm=\"c\", nonce=\"1\"\r\nX-Any: 1\r\n");
    stage_expect(stage, CAROL, "ACK");
    stage_answer(stage, DAVE, 401,
                 "WWW-Authenticate: Digest realm=\"d\",\r\n nonce=\"2\"\r\n"
                 "www-authenticate: Digest realm=\"e\", nonce=\"3\"\r\nX-Any: 2\r\n");
    stage_expect(stage, DAVE, "ACK");
    stage_answer(stage, (enum stage_peer)(DAVE + 1), 407,
                 "X-Any: 3\r\nProxy-Authenticate: Digest realm=\"f\", nonce=\"4\"\r\n");
    stage_expect(stage, (enum stage_peer)(DAVE + 1), "ACK");
    /* That of no 401 or 407 asks for nothing. */
    stage_answer(stage, (enum stage_peer)(DAVE + 2), 403,
                 "WWW-Authenticate: Digest realm=\"g\", nonce=\"5\"\r\n");
    stage_expect(stage, (enum stage_peer)(DAVE + 2), "ACK");
    stage_expect(stage, ALICE, "407");
    stage_expect_text(stage, "SIP/2.0 407 Proxy Authentication Required\r\n"
                             "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKa1\r\n"
                             "From: <sip:alice@example.com>;tag=a\r\n"
                             "To: <sip:bob@example.com>;tag=t2\r\n"
                             "Call-ID: 1@192.0.2.10\r\n"
                             "CSeq: 1 INVITE\r\n"
                             "Proxy-Authenticate: Digest realm=\"c\", nonce=\"1\"\r\n"
                             "X-Any: 1\r\n"
                             "Content-Length: 0\r\n"
                             "WWW-Authenticate: Digest realm=\"d\",\r\n nonce=\"2\"\r\n"
                             "www-authenticate: Digest realm=\"e\", nonce=\"3\"\r\n"
                             "Proxy-Authenticate: Digest realm=\"f\", nonce=\"4\"\r\n"
                             "\r\n");
    stage_say(stage, ALICE, STAGE_ACK);
}

/* Challenges are of no use to who gets another answer. */
static void test_challenges_lose(void **state)
{
    struct stage *stage = *state;
    call(stage, 3);
    for (unsigned i = 0; i < 2; i++) {
        stage_answer(stage, (enum stage_peer)(BOB + i), 401,
                     "WWW-Authenticate: Digest realm=\"c\", nonce=\"1\"\r\n");
        stage_expect(stage, (enum stage_peer)(BOB + i), "ACK");
    }
    stage_answer(stage, DAVE, 302, "Contact: <sip:eve@example.com>\r\n");
    stage_expect(stage, DAVE, "ACK");
    stage_expect(stage, ALICE, "302");
    assert_false(stage_has(stage, "WWW-Authenticate: Digest realm=\"c\", nonce=\"1\""));
    assert_true(stage_has(stage, "Contact: <sip:eve@example.com>"));
    stage_say(stage, ALICE, STAGE_ACK);
}

/* 16.6 step 7, R3261-16.7-16: nobody answers.  With a tag of our own, in what can be told apart. */
static void test_timeout(void **state)
{
    struct stage *stage = *state;
    stage_transport(stage, BOB, AHOY_TCP);
    stage_transport(stage, CAROL, AHOY_TCP);
    call(stage, 2);
    stage_wait(stage, 31999);
    stage_expect_silence(stage);
    stage_wait(stage, 1);
    stage_expect(stage, ALICE, "408");
    assert_true(ahoy_span_starts_nocase(stage->last,
                                        SPAN("SIP/2.0 408 Request Timeout\r\n"
                                             "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKa1\r\n"
                                             "From: <sip:alice@example.com>;tag=a\r\n"
                                             "To: <sip:bob@example.com>;tag=")));
    stage_say(stage, ALICE, STAGE_ACK);
}

/* One that answers beats one that never does. */
static void test_timeout_of_one(void **state)
{
    struct stage *stage = *state;
    stage_transport(stage, BOB, AHOY_TCP);
    stage_transport(stage, CAROL, AHOY_TCP);
    call(stage, 2);
    says(stage, CAROL, 480);
    stage_wait(stage, 32000);
    stage_expect(stage, ALICE, "480");
    assert_true(stage_has(stage, "To: <sip:bob@example.com>;tag=t2"));
    stage_say(stage, ALICE, STAGE_ACK);
}

/* R3261-16.9-1: what cannot be sent counts as a 503, which nobody is told. */
static void test_unreachable(void **state)
{
    struct stage *stage = *state;
    call(stage, 2);
    stage_lose(stage, BOB);
    stage_expect_silence(stage);
    stage_lose(stage, CAROL);
    stage_expect(stage, ALICE, "500");
    stage_say(stage, ALICE, STAGE_ACK);
}

/* 16.9: that the caller cannot be reached ends nothing, or anybody could end calls by his Via. */
static void test_caller_is_unreachable(void **state)
{
    struct stage *stage = *state;
    call(stage, 1);
    stage_answer(stage, BOB, 180, "");
    stage_expect(stage, ALICE, "180");
    stage_lose(stage, ALICE);
    stage_expect_silence(stage);
    stage_answer(stage, BOB, 183, "");
    stage_expect(stage, ALICE, "183");
    stage_answer(stage, BOB, 200, "");
    stage_expect(stage, ALICE, "200");
}

/* Each answer of our own has a tag of its own (19.3). */
static void test_tags_differ(void **state)
{
    struct stage *stage = *state;
    struct span tags[2];
    for (size_t i = 0; i < 2; i++) {
        call(stage, 1);
        stage_lose(stage, BOB);
        stage_expect(stage, ALICE, "500");
        const char *tag = memmem(stage->last.at, stage->last.size, "bob@example.com>;tag=", 21);
        assert_non_null(tag);
        tags[i] = (struct span){ tag + 21, AHOY_TOKEN_SIZE };
        stage_say(stage, ALICE, STAGE_ACK);
        stage_wait(stage, 70000);
    }
    assert_false(ahoy_span_equal(tags[0], tags[1]));
}

/* Alice's |method| within a call that she has with Bob. */
static void say_within(struct stage *stage, const char *method, const char *branch)
{
    char text[1024];
    snprintf(text, sizeof text,
             "%s sip:bob@example.com SIP/2.0\r\n"
             "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK%s\r\n"
             "Max-Forwards: 70\r\n"
             "From: <sip:alice@example.com>;tag=a\r\n"
             "To: <sip:bob@example.com>;tag=Bob's\r\n"
             "Call-ID: 1@192.0.2.10\r\n"
             "CSeq: 2 %s\r\n"
             "Content-Length: 0\r\n"
             "\r\n",
             method, branch, method);
    stage_say(stage, ALICE, text);
}

/* R3261-16.7-22: where the request has a tag in To, no answer gets another, ours neither. */
static void test_to_tag_stays(void **state)
{
    static const char to[] = "To: <sip:bob@example.com>;tag=Bob's";
    struct stage *stage = *state;
    say_within(stage, "INVITE", "c1");
    stage_expect(stage, ALICE, "100");
    stage_expect(stage, BOB, "INVITE");
    stage_answer(stage, BOB, 200, "");
    stage_expect(stage, ALICE, "200");
    assert_true(stage_has(stage, to));
    say_within(stage, "INVITE", "c2");
    stage_expect(stage, ALICE, "100");
    stage_expect(stage, BOB, "INVITE");
    stage_lose(stage, BOB);
    stage_expect(stage, ALICE, "500");
    assert_true(stage_has(stage, to));
    say_within(stage, "ACK", "c2");
}

static void test_unreachable_of_one(void **state)
{
    struct stage *stage = *state;
    call(stage, 2);
    stage_lose(stage, BOB);
    says(stage, CAROL, 600);
    stage_expect(stage, ALICE, "600");
    stage_say(stage, ALICE, STAGE_ACK);
}

/* Where no listener of ours fits, the branch has failed before it began. */
static void test_no_listener(void **state)
{
    struct stage *stage = *state;
    stage_fork(stage, 2);
    stage->targets[0].hop.listener = AHOY_ANY_LISTENER;
    stage->targets[0].hop.transport = AHOY_SCTP;
    stage_say(stage, ALICE, STAGE_INVITE);
    stage_expect(stage, ALICE, "100");
    stage_expect(stage, CAROL, "INVITE");
    says(stage, CAROL, 486);
    stage_expect(stage, ALICE, "486");
    stage_say(stage, ALICE, STAGE_ACK);
    stage_wait(stage, 70000);

    stage_fork(stage, 1);
    stage->targets[0].hop.listener = AHOY_ANY_LISTENER;
    stage->targets[0].hop.transport = AHOY_SCTP;
    stage_say(stage, ALICE, STAGE_INVITE);
    stage_expect(stage, ALICE, "100");
    stage_expect(stage, ALICE, "500");
    stage_say(stage, ALICE, STAGE_ACK);
}

/* A request that comes again gets its answer again, and is not forwarded again (law 3). */
static void test_retransmission(void **state)
{
    struct stage *stage = *state;
    call(stage, 1);
    stage_say(stage, ALICE, STAGE_INVITE);
    stage_expect(stage, ALICE, "100");
    stage_answer(stage, BOB, 180, "");
    stage_expect(stage, ALICE, "180");
    stage_say(stage, ALICE, STAGE_INVITE);
    stage_expect(stage, ALICE, "180");
    says(stage, BOB, 486);
    stage_expect(stage, ALICE, "486");
    says(stage, BOB, 486); /* Bob's again: the layer's ACK, and no more. */
    stage_say(stage, ALICE, STAGE_INVITE);
    stage_expect(stage, ALICE, "486");
    stage_say(stage, ALICE, STAGE_ACK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        stage_test(test_100_stays),
        stage_test(test_passes_at_once),
        stage_test(test_own_via),
        stage_test(test_loads_of_others),
        stage_test(test_no_via_left),
        cmocka_unit_test(test_best_of_three),
        cmocka_unit_test(test_fork_with_success),
        stage_test(test_second_success),
        stage_test(test_global_failure),
        stage_test(test_global_failure_loses_to_success),
        stage_test(test_challenges),
        stage_test(test_challenges_lose),
        stage_test(test_timeout),
        stage_test(test_timeout_of_one),
        stage_test(test_unreachable),
        stage_test(test_caller_is_unreachable),
        stage_test(test_tags_differ),
        stage_test(test_to_tag_stays),
        stage_test(test_unreachable_of_one),
        stage_test(test_no_listener),
        stage_test(test_retransmission),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
