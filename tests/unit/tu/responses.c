/* What a user agent's responses hold (RFC 3261 8.2.6, table 2, 21.4), and what it overlooks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/pair.h"

static struct pair pair;

/* The last response that reached alice; its status is |status|. */
static const struct ahoy_message *response(unsigned status)
{
    const struct ahoy_message *message = pair_received(&pair, ALICE);
    assert_int_equal(message->status, status);
    return message;
}

static void finish(void)
{
    pair_hangup(&pair, ALICE);
    pair_hangup(&pair, BOB);
    pair_fini(&pair);
}

/* R3841-6-1: a phone is what a call ends at, however it wants to be handled on its way. */
static void test_directives(void **state)
{
    (void)state;
    pair_init(&pair);
    pair_outside(&pair, "INVITE", "bob", "a",
                 "Request-Disposition: redirect, no-fork, no-cancel, sequential\r\n" PAIR_SDP_TYPE,
                 PAIR_SDP("sendrecv"));
    assert_int_equal(pair.ends[BOB].news.kind, AHOY_NEWS_INCOMING);
    pair_ring(&pair, BOB);
    pair_run(&pair, 100);
    response(180);
    finish();
}

/* R3261-8.2.6.2-7, R3261-13.3.1.1-1: whatever is answered, and however often, the tag is the
 * same. */
static void test_one_tag(void **state)
{
    (void)state;
    char tag[64];
    pair_init(&pair);
    pair_outside(&pair, "INVITE", "bob", "a", PAIR_SDP_TYPE, PAIR_SDP("sendrecv"));
    response(100);
    assert_int_equal(pair.routing.to_tag.size, 0);
    pair_ring(&pair, BOB);
    pair_run(&pair, 100);
    response(180);
    size_t size = pair.routing.to_tag.size;
    assert_in_range(size, 1, sizeof tag);
    memcpy(tag, pair.routing.to_tag.at, size);
    pair_run(&pair, 61000);
    response(180);
    assert_true(ahoy_span_equal(pair.routing.to_tag, (struct span){ tag, size }));
    ahoy_ua_reject(pair.ends[BOB].ua, pair.ends[BOB].session, 486, pair.now_ms);
    pair_run(&pair, 61100);
    response(486);
    assert_true(ahoy_span_equal(pair.routing.to_tag, (struct span){ tag, size }));
    pair_fini(&pair);
}

/* R3261-20-6: what table 2 denies to a response does not stand in it. */
static void test_nothing_out_of_place(void **state)
{
    (void)state;
    static const enum ahoy_header only_2xx[] = { AHOY_HEADER_ACCEPT, AHOY_HEADER_SUPPORTED };
    pair_init(&pair);
    pair_outside(&pair, "INVITE", "bob", "a", PAIR_SDP_TYPE, PAIR_SDP("sendrecv"));
    pair_ring(&pair, BOB);
    pair_run(&pair, 100);
    for (size_t i = 0; i < 2; i++)
        assert_null(ahoy_message_first(response(180), only_2xx[i]));
    pair_answer(&pair, BOB);
    pair_run(&pair, 200);
    for (size_t i = 0; i < 2; i++)
        assert_non_null(ahoy_message_first(response(200), only_2xx[i]));
    pair_outside(&pair, "PUBLISH", "bob", "b", "", "");
    for (size_t i = 0; i < 2; i++)
        assert_null(ahoy_message_first(response(405), only_2xx[i]));
    finish();
}

/* Whether Allow of the last response names |method|. */
static bool allows(struct span method)
{
    struct ahoy_values values = ahoy_message_values(pair_received(&pair, ALICE), AHOY_HEADER_ALLOW);
    struct span value;
    struct ahoy_err err;
    while (ahoy_values_next(&values, &value, &err)) {
        if (ahoy_span_equal(value, method))
            return true;
    }
    return false;
}

/* R3261-20.5-1, R3261-21.4.6-1, R3261-8.2.1-1 to -4, R3261-11-1: Allow names what is served, and
 * what it does not name is answered 405.  ACK has no answer, and CANCEL one of its own:
 * R3261-13.1-1. */
static void test_allow(void **state)
{
    (void)state;
    pair_establish(&pair);
    pair_within(&pair, "OPTIONS", 10, "first", "", "");
    response(200);
    assert_true(allows(SPAN("ACK")));
    assert_true(allows(SPAN("CANCEL")));
    assert_true(allows(SPAN("BYE")));
    bool is_allowed[AHOY_METHOD_COUNT];
    for (int method = 1; method < AHOY_METHOD_COUNT; method++)
        is_allowed[method] = allows(ahoy_method_name((enum ahoy_method)method));
    unsigned cseq = 11;
    for (int method = 1; method < AHOY_METHOD_COUNT; method++) {
        if (method == AHOY_METHOD_ACK || method == AHOY_METHOD_CANCEL || method == AHOY_METHOD_BYE)
            continue;
        char name[32];
        struct span text = ahoy_method_name((enum ahoy_method)method);
        memcpy(name, text.at, text.size);
        name[text.size] = '\0';
        pair_within(&pair, name, cseq++, name, "", "");
        unsigned status = pair_received(&pair, ALICE)->status;
        if (method == AHOY_METHOD_NOTIFY) { /* It is served, but says of what it tells. */
            assert_int_equal(status, 489);
            continue;
        }
        assert_int_equal(status == 405, !is_allowed[method]);
        if (method == AHOY_METHOD_INVITE)
            pair_within(&pair, "ACK", cseq - 1, "ack", PAIR_SDP_TYPE, PAIR_SDP("sendrecv"));
    }
    pair_within(&pair, "BYE", cseq, "bye", "", "");
    response(200);
    finish();
}

/* The rows of Unsupported of the last response, which is a 420, are for a, b and c. */
static void expect_unsupported(void)
{
    static const char *const options[] = { "a", "b", "c" };
    struct ahoy_values values = ahoy_message_values(response(420), AHOY_HEADER_UNSUPPORTED);
    struct span value;
    struct ahoy_err err;
    for (size_t i = 0; i < 3; i++) {
        assert_true(ahoy_values_next(&values, &value, &err));
        assert_true(ahoy_span_equal(value, ahoy_span(options[i])));
    }
    assert_false(ahoy_values_next(&values, &value, &err));
}

/* R3261-20.32-1, -2, R3261-21.4.15-1, R3261-8.2.2.3-1, -2: in every request, in a dialog or not. */
static void test_require(void **state)
{
    (void)state;
    static const char rows[] = "Require: a, b\r\nRequire: c\r\n" PAIR_SDP_TYPE;
    pair_establish(&pair);
    pair_within(&pair, "INVITE", 10, "c", rows, PAIR_SDP("sendonly"));
    expect_unsupported();
    pair_within(&pair, "ACK", 10, "c", "", "");
    pair_within(&pair, "BYE", 11, "d", rows, "");
    expect_unsupported();
    pair_within(&pair, "BYE", 12, "e", "", "");
    response(200);
    pair_outside(&pair, "OPTIONS", "bob", "a", rows, "");
    expect_unsupported();
    pair_outside(&pair, "INVITE", "bob", "b", rows, PAIR_SDP("sendrecv"));
    expect_unsupported();
    finish();
}

/* R3261-20-5, R3261-8.2.2.3-4: in CANCEL there is no Require, so what is there is overlooked. */
static void test_require_in_cancel(void **state)
{
    (void)state;
    pair_init(&pair);
    pair_outside(&pair, "INVITE", "bob", "a", PAIR_SDP_TYPE, PAIR_SDP("sendrecv"));
    pair_forget(&pair);
    pair_outside(&pair, "CANCEL", "bob", "a", "Require: a\r\nProxy-Require: b\r\n", "");
    pair_expect(&pair, "20 alice > bob CANCEL\n"
                       "30 bob: ended by the peer\n"
                       "30 bob > alice 200 CANCEL\n"
                       "30 bob > alice 487 INVITE\n");
    pair_fini(&pair);
}

/* What is not known: R3261-8.2.2-1. */
static void test_a_strange_header(void **state)
{
    (void)state;
    pair_init(&pair);
    pair_outside(&pair, "INVITE", "bob", "a", "X-Strange: <;\"\r\nQ: 1\r\n" PAIR_SDP_TYPE,
                 PAIR_SDP("sendrecv"));
    response(100);
    pair_outside(&pair, "OPTIONS", "bob", "b", "X-Strange: ,,\r\n", "");
    response(200);
    finish();
}

/* Without state there is one answer, and its ACK is passed over: R3261-8.2.7-1, -3. */
static void test_refused_without_state(void **state)
{
    (void)state;
    pair_init(&pair);
    pair_outside(&pair, "INVITE", "carol", "a", PAIR_SDP_TYPE, PAIR_SDP("sendrecv"));
    pair_outside(&pair, "ACK", "carol", "a", "", "");
    pair_run(&pair, 5000);
    pair_expect(&pair, "0 alice > bob INVITE\n"
                       "10 bob > alice 404 INVITE\n"
                       "20 alice > bob ACK\n");
    pair_fini(&pair);
}

/* R3261-21.4.13-1, R3261-8.2.3-1 to -3, R3261-20.12-1, R3261-7.4.1-1: what we cannot read we
 * refuse, and say what we can. */
static void test_bodies_that_are_not_understood(void **state)
{
    (void)state;
    pair_init(&pair);
    pair_outside(&pair, "INVITE", "bob", "a", "Content-Type: text/plain\r\n", PAIR_SDP("sendrecv"));
    assert_non_null(strstr(pair.ends[ALICE].received, "\r\nAccept: application/sdp\r\n"));
    assert_null(ahoy_message_first(response(415), AHOY_HEADER_ACCEPT_ENCODING));
    pair_outside(&pair, "INVITE", "bob", "b", PAIR_SDP_TYPE "Content-Encoding: gzip\r\n",
                 PAIR_SDP("sendrecv"));
    assert_non_null(strstr(pair.ends[ALICE].received, "\r\nAccept-Encoding: identity\r\n"));
    assert_null(ahoy_message_first(response(415), AHOY_HEADER_ACCEPT));
    pair_outside(&pair, "INVITE", "bob", "c", "", PAIR_SDP("sendrecv"));
    response(415);
    pair_fini(&pair);
}

/* R3261-23.2-5 and -6: S/MIME is not understood, and what was encrypted is not for us. */
static void test_secure_bodies(void **state)
{
    (void)state;
    pair_init(&pair);
    pair_outside(&pair, "INVITE", "bob", "a",
                 "Content-Type: multipart/signed;boundary=b\r\n"
                 "Content-Disposition: session;handling=required\r\n",
                 "--b\r\n");
    response(415);
    pair_outside(&pair, "INVITE", "bob", "b",
                 "Content-Type: application/pkcs7-mime ; smime-type=\"Signed-Data\"\r\n", "x");
    response(415);
    pair_outside(&pair, "INVITE", "bob", "c",
                 "Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=x\r\n",
                 "x");
    response(493);
    pair_outside(&pair, "INVITE", "bob", "d", "Content-Type: Application/PKCS7-MIME\r\n", "x");
    response(493);
    pair_fini(&pair);
}

static const char *answer_rows;

/* Answers the INVITE with a description under |answer_rows|. */
static void script_answer(struct pair *world, const struct ahoy_message *message)
{
    if (message->method == AHOY_METHOD_INVITE)
        pair_reply(world, message, 200, "b", answer_rows, PAIR_SDP("sendrecv"));
    if (message->method == AHOY_METHOD_BYE)
        pair_reply(world, message, 200, "", "", "");
}

/* R3261-20.12-1, R3261-7.4.1-1: neither is a description that came under another name an answer. */
static void test_answers_that_are_not_understood(void **state)
{
    (void)state;
    static const char *const rows[] = { PAIR_SDP_TYPE "Content-Encoding: gzip\r\n",
                                        "Content-Type: text/plain\r\n", "" };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[256];
        snprintf(text, sizeof text, "Contact: <sip:bob@192.0.2.2>\r\n%s", rows[i]);
        answer_rows = text;
        pair_init(&pair);
        pair.script = script_answer;
        pair_call(&pair);
        pair_run(&pair, 100);
        pair_expect(&pair, "0 alice > bob INVITE\n"
                           "10 bob > alice 200 INVITE\n"
                           "20 alice: ended by us\n"
                           "20 alice > bob ACK\n"
                           "20 alice > bob BYE\n"
                           "30 bob > alice 200 BYE\n");
        pair_fini(&pair);
    }
}

/* R3261-14.2-1: 0 to 10 seconds, by chance. */
static void test_retry_after(void **state)
{
    (void)state;
    unsigned seen[11] = { 0 };
    pair_ringing(&pair);
    for (unsigned i = 0; i < 200; i++) {
        char branch[16];
        uint64_t seconds;
        snprintf(branch, sizeof branch, "b%u", i);
        pair_within(&pair, "INVITE", 11 + i, branch, PAIR_SDP_TYPE, PAIR_SDP("sendrecv"));
        struct span value = ahoy_message_value(response(500), AHOY_HEADER_RETRY_AFTER);
        assert_true(ahoy_span_number(value, 10, &seconds));
        seen[seconds]++;
        pair_within(&pair, "ACK", 11 + i, branch, "", "");
    }
    for (size_t i = 0; i < 11; i++)
        assert_in_range(seen[i], 1, 60);
    finish();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_directives),
        cmocka_unit_test(test_one_tag),
        cmocka_unit_test(test_nothing_out_of_place),
        cmocka_unit_test(test_allow),
        cmocka_unit_test(test_require),
        cmocka_unit_test(test_require_in_cancel),
        cmocka_unit_test(test_a_strange_header),
        cmocka_unit_test(test_refused_without_state),
        cmocka_unit_test(test_bodies_that_are_not_understood),
        cmocka_unit_test(test_secure_bodies),
        cmocka_unit_test(test_answers_that_are_not_understood),
        cmocka_unit_test(test_retry_after),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
