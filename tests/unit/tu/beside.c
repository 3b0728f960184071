/* What is asked beside calls, by us and of us: MESSAGE (RFC 3428), OPTIONS (RFC 3261 11), INFO (RFC
 * 6086). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "libahoy/tu/exchange.h"
#include "tests/support/failing_alloc.h"
#include "tests/support/pair.h"

#define TEXT "Content-Type: text/plain;charset=UTF-8\r\n"

static struct pair pair;

static struct ahoy_ua_question message_to(const char *uri, const char *text)
{
    return (struct ahoy_ua_question){ .method = AHOY_METHOD_MESSAGE,
                                      .uri = ahoy_span(uri),
                                      .type = SPAN("text/plain"),
                                      .body = ahoy_span(text) };
}

static bool ask(unsigned end, const struct ahoy_ua_question *question)
{
    struct ahoy_handle exchange = ahoy_ua_ask(pair.ends[end].ua, question, pair.now_ms);
    pair_settle(&pair);
    return exchange.generation != 0;
}

static bool send_message(const char *text)
{
    const struct ahoy_ua_question question = message_to("sip:bob@192.0.2.2", text);
    return ask(ALICE, &question);
}

static bool bob_has(const char *text)
{
    return strstr(pair.ends[BOB].received, text) != NULL;
}

static bool alice_has(const char *text)
{
    return strstr(pair.ends[ALICE].received, text) != NULL;
}

static bool told(unsigned end, const char *text)
{
    return ahoy_span_equal(ahoy_ua_notice(pair.ends[end].ua), ahoy_span(text));
}

/* R3428-4-1, R3428-4-2, R3428-7-1, R3428-7-2, R3428-7-3; R3261-8.2-1: what is answered 200 has been
 * told, and lost answers tell it no second time. */
static void test_message(void **state)
{
    (void)state;
    pair_init(&pair);
    pair_lose(&pair, "200 MESSAGE", 1);
    assert_true(send_message("Watson, come here."));
    pair_run(&pair, 1000);
    pair_expect(&pair, "0 alice > bob MESSAGE\n"
                       "10 bob: message\n"
                       "10 bob > alice 200 MESSAGE lost\n"
                       "500 alice > bob MESSAGE\n"
                       "510 bob > alice 200 MESSAGE\n"
                       "520 alice: reply 200\n");
    assert_true(bob_has("\r\nContent-Type: text/plain\r\n"));
    assert_false(bob_has("\r\nContact:"));
    assert_false(alice_has("\r\nContact:"));
    assert_true(alice_has("\r\nContent-Length: 0\r\n"));
    assert_true(told(BOB, "Watson, come here."));
    struct ahoy_ua_news *news = &pair.ends[BOB].news;
    assert_memory_equal(news->text, "sip:alice@192.0.2.1", news->text_size);
    pair_fini(&pair);
}

/* R3428-8-2: one at a time to one place; to another place another one. */
static void test_one_message_at_a_time(void **state)
{
    (void)state;
    const struct ahoy_ua_question other = message_to("sip:carol@192.0.2.2", "hello");
    pair_init(&pair);
    assert_true(send_message("one"));
    assert_false(send_message("two"));
    assert_true(ask(ALICE, &other));
    pair_run(&pair, 100);
    assert_true(send_message("three"));
    pair_run(&pair, 200);
    assert_true(told(BOB, "three"));
    pair_fini(&pair);
}

/* R3428-8-1: 1300 bytes, with all that the transaction layer adds. */
static void test_long_messages(void **state)
{
    char text[AHOY_PAGER_LIMIT];
    size_t largest = 0;
    (void)state;
    memset(text, 'x', sizeof text);
    pair_init(&pair);
    for (size_t size = 1; size < sizeof text; size += 7) {
        text[size] = '\0';
        pair_forget(&pair);
        assert_true(send_message(text));
        text[size] = 'x';
        if (pair.ends[ALICE].news.status == 513)
            break;
        pair_run(&pair, pair.now_ms + 100);
        largest = pair.ends[BOB].received_size;
    }
    assert_int_equal(pair.ends[ALICE].news.status, 513);
    assert_in_range(largest, AHOY_PAGER_LIMIT - 160, AHOY_PAGER_LIMIT);
    pair_fini(&pair);
}

/* R3261-8.2-2: what is refused is told to nobody. */
static void test_refused_messages(void **state)
{
    (void)state;
    pair_init(&pair);
    pair_outside(&pair, "MESSAGE", "bob", "a", "Content-Type: text/html\r\n", "<b>");
    assert_true(alice_has("SIP/2.0 415 "));
    assert_true(alice_has("\r\nAccept: text/plain\r\n"));
    pair_outside(&pair, "MESSAGE", "bob", "b", TEXT "Content-Encoding: gzip\r\n", "x");
    assert_true(alice_has("SIP/2.0 415 "));
    pair_outside(&pair, "MESSAGE", "carol", "c", TEXT, "for carol");
    assert_true(alice_has("SIP/2.0 404 "));
    pair_outside(&pair, "MESSAGE", "bob", "d", "Require: foo\r\n" TEXT, "x");
    assert_true(alice_has("SIP/2.0 420 "));
    assert_int_equal(pair.ends[BOB].news.kind, 0);
    pair_outside(&pair, "MESSAGE", "bob", "e", "Expires: 60\r\n" TEXT, "soon");
    assert_int_equal(pair.ends[BOB].news.expires_s, 60);
    pair_fini(&pair);
}

/* Where there is no memory for the text, nobody is told that it has come. */
static void test_message_without_memory(void **state)
{
    (void)state;
    if (!failing_alloc_works())
        skip();
    bool was_refused = true;
    for (size_t count = 0; was_refused; count++) {
        pair_init(&pair);
        failing_alloc_begin(count, FAILING_ALLOC_ONE);
        const struct ahoy_ua_question question = message_to("sip:bob@192.0.2.2", "hello");
        ahoy_ua_ask(pair.ends[ALICE].ua, &question, pair.now_ms);
        pair_run(&pair, 40000);
        was_refused = failing_alloc_end() > 0;
        if (pair.ends[ALICE].news.kind == AHOY_NEWS_REPLY && pair.ends[ALICE].news.status == 200)
            assert_int_equal(pair.ends[BOB].news.kind, AHOY_NEWS_MESSAGE);
        pair_fini(&pair);
    }
}

static const char *status_rows;
static unsigned status;

/* Asks for a password in the name of the realm first, then answers |status|. */
static void script(struct pair *world, const struct ahoy_message *message)
{
    bool has_proof = ahoy_message_first(message, AHOY_HEADER_PROXY_AUTHORIZATION) != NULL;
    pair_reply(world, message, status == 407 && has_proof ? 202 : status, "b", status_rows, "");
}

/* Our proxy may ask for the password; a callee, by 401, may not (attack 20).  R3428-4-4: 202
 * stays what it is. */
static void test_answers(void **state)
{
    static const struct {
        unsigned status, told;
        const char *rows;
    } cases[] = {
        { 407, 202, "Proxy-Authenticate: Digest realm=\"atlanta.example\", nonce=\"n\"\r\n" },
        { 401, 401, "WWW-Authenticate: Digest realm=\"atlanta.example\", nonce=\"n\"\r\n" },
        { 299, 299, "" },
        { 499, 499, "" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        pair_init(&pair);
        pair.script = script;
        status = cases[i].status;
        status_rows = cases[i].rows;
        assert_true(send_message("hello"));
        pair_run(&pair, 100);
        assert_int_equal(pair.ends[ALICE].news.kind, AHOY_NEWS_REPLY);
        assert_int_equal(pair.ends[ALICE].news.status, cases[i].told);
        pair_fini(&pair);
    }
}

/* R3261-8.1.3.1-1: silence counts as 408. */
static void test_no_answer(void **state)
{
    (void)state;
    pair_init(&pair);
    pair_lose(&pair, "MESSAGE", 100);
    assert_true(send_message("hello"));
    pair_run(&pair, 31999);
    assert_int_equal(pair.ends[ALICE].news.kind, 0);
    pair_run(&pair, 32001);
    assert_int_equal(pair.ends[ALICE].news.status, 408);
    pair_fini(&pair);
}

static void ask_options(unsigned end, struct ahoy_handle session)
{
    const struct ahoy_ua_question question = { .method = AHOY_METHOD_OPTIONS,
                                               .session = session,
                                               .uri = end == ALICE ? SPAN("sip:bob@192.0.2.2")
                                                                   : SPAN("sip:alice@192.0.2.1") };
    assert_true(ask(end, &question));
    pair_run(&pair, pair.now_ms + 100);
    assert_int_equal(pair.ends[end].news.kind, AHOY_NEWS_REPLY);
}

/* R3261-11.2-1: as an INVITE would be answered, and saying what can be done. */
static void test_options(void **state)
{
    static const char *const rows[] = { "\r\nAllow: INVITE, ACK, ",
                                        ", MESSAGE, INFO\r\n",
                                        "\r\nAccept: application/sdp, text/plain\r\n",
                                        "\r\nAccept-Encoding: identity\r\n",
                                        "\r\nAccept-Language: en\r\n",
                                        "\r\nSupported: 100rel, timer, replaces\r\n" };
    (void)state;
    pair_init(&pair);
    ask_options(ALICE, (struct ahoy_handle){ 0, 0 });
    assert_int_equal(pair.ends[ALICE].news.status, 200);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_true(alice_has(rows[i]));
    assert_true(ahoy_span_starts_nocase(ahoy_ua_notice(pair.ends[ALICE].ua), SPAN("SIP/2.0 200 ")));
    assert_true(bob_has("\r\nAccept: application/sdp, text/plain\r\n"));
    pair_outside(&pair, "OPTIONS", "carol", "a", "", "");
    assert_true(alice_has("SIP/2.0 404 "));
    pair_fini(&pair);
}

/* R3261-11.2-1: 486 where no call could be taken; but within a call there is nothing to refuse. */
static void test_options_when_busy(void **state)
{
    (void)state;
    pair_establish(&pair);
    struct ahoy_handle call = pair.ends[ALICE].session;
    struct ahoy_handle others[AHOY_UA_SESSIONS_LIMIT];
    unsigned count = 0;
    for (; count < AHOY_UA_SESSIONS_LIMIT - 1; count++) {
        struct ahoy_ip media = { .family = AHOY_IPV4, .port = 4000, .bytes = { 192, 0, 2, 1 } };
        others[count] =
            ahoy_ua_call(pair.ends[ALICE].ua, SPAN("sip:bob@192.0.2.2"), &media, pair.now_ms);
        assert_int_not_equal(others[count].generation, 0);
    }
    pair_run(&pair, pair.now_ms + 100);
    pair_outside(&pair, "OPTIONS", "bob", "busy", "", "");
    assert_true(alice_has("SIP/2.0 486 "));
    pair_outside(&pair, "INVITE", "bob", "call", PAIR_SDP_TYPE, PAIR_SDP("sendrecv"));
    assert_true(alice_has("SIP/2.0 486 "));
    pair_outside(&pair, "MESSAGE", "bob", "text", TEXT, "are you there?");
    assert_true(alice_has("SIP/2.0 200 "));
    for (unsigned i = 0; i < count; i++)
        ahoy_ua_hangup(pair.ends[ALICE].ua, others[i], pair.now_ms);
    pair_run(&pair, pair.now_ms + 40000);
    ask_options(ALICE, call);
    assert_int_equal(pair.ends[ALICE].news.status, 200);
    ahoy_ua_hangup(pair.ends[ALICE].ua, call, pair.now_ms);
    pair_fini(&pair);
}

/* Within a call, both ways, with its tags and the next sequence number: R3261-12.2.1.1-7, -8 and
 * -10; R3261-12.2.1.1-9 at the callee, who has sent no request yet. */
static void test_within_a_call(void **state)
{
    (void)state;
    pair_establish(&pair);
    struct ahoy_handle alices = pair.ends[ALICE].session;
    struct ahoy_handle bobs = pair.ends[BOB].session;
    struct ahoy_ua_question question = message_to("", "in a call");
    question.session = alices;
    assert_true(ask(ALICE, &question));
    assert_false(ask(ALICE, &question)); /* R3428-8-3 */
    pair_run(&pair, 300);
    pair_expect(&pair, "200 alice > bob MESSAGE\n"
                       "210 bob: message\n"
                       "210 bob > alice 200 MESSAGE\n"
                       "220 alice: reply 200\n");
    assert_true(bob_has("\r\nCSeq: 2 MESSAGE\r\n"));
    assert_true(ahoy_handle_equal(pair.ends[BOB].news.session, bobs));
    ask_options(BOB, bobs);
    assert_true(alice_has("\r\nCSeq: 1 OPTIONS\r\n"));
    question = (struct ahoy_ua_question){ .method = AHOY_METHOD_INFO, .session = alices };
    assert_true(ask(ALICE, &question)); /* R6086-4.2.2-3 */
    pair_run(&pair, 500);
    assert_int_equal(pair.ends[ALICE].news.status, 200);
    assert_false(bob_has("Info-Package")); /* R6086-4.2.1-2 */
    assert_false(bob_has("Recv-Info"));    /* R6086-4.2.1-3 */
    pair_hangup(&pair, ALICE);
    question.session = alices;
    assert_false(ask(ALICE, &question));
    pair_fini(&pair);
}

/* R6086-4.2.1-4: an INFO is of a call. */
static void test_info_outside(void **state)
{
    const struct ahoy_ua_question question = { .method = AHOY_METHOD_INFO,
                                               .uri = SPAN("sip:bob@192.0.2.2") };
    (void)state;
    pair_init(&pair);
    assert_false(ask(ALICE, &question));
    pair_outside(&pair, "INFO", "bob", "a", "", "");
    assert_true(alice_has("SIP/2.0 481 "));
    pair_fini(&pair);
}

/* R6086-4.2.2-1, R6086-4.3.2-1, R6086-5.2.2-2: what package it is, none is known; and the call goes
 * on. */
static void test_packages(void **state)
{
    (void)state;
    pair_establish(&pair);
    pair_within(&pair, "INFO", 2, "a", "Info-Package: foo\r\n", "");
    assert_true(alice_has("SIP/2.0 469 "));
    assert_true(alice_has("\r\nRecv-Info:\r\n"));
    assert_true(alice_has("\r\nContent-Length: 0\r\n"));
    pair_within(&pair, "INFO", 3, "b", "Content-Type: application/dtmf-relay\r\n", "Signal=1\r\n");
    assert_true(alice_has("SIP/2.0 415 "));
    pair_within(&pair, "INFO", 4, "c", "", "");
    assert_true(alice_has("SIP/2.0 200 "));
    assert_int_equal(ahoy_ua_busy(pair.ends[BOB].ua), 1);
    pair_hangup(&pair, BOB);
    pair_fini(&pair);
}

/* R6086-5.2.2-1, -5, R6086-5.2.3-1 to -4: an INVITE lists what it takes, and so do all answers to
 * one that does, and none to one that does not. */
static void test_recv_info(void **state)
{
    (void)state;
    pair_ringing(&pair);
    assert_true(bob_has("\r\nRecv-Info:\r\n"));
    assert_true(alice_has("\r\nRecv-Info:\r\n"));
    pair_answer(&pair, BOB);
    pair_run(&pair, 300);
    assert_true(alice_has("SIP/2.0 200 ") && alice_has("\r\nRecv-Info:\r\n"));
    pair_within(&pair, "UPDATE", 2, "a", "", "");
    assert_false(alice_has("Recv-Info"));
    pair_within(&pair, "UPDATE", 3, "b", "Recv-Info:\r\n", "");
    assert_true(alice_has("\r\nRecv-Info:\r\n"));
    pair_hangup(&pair, BOB);
    pair_run(&pair, 400);
    pair_outside(&pair, "INVITE", "bob", "c", "", "");
    pair_ring(&pair, BOB);
    pair_run(&pair, pair.now_ms + 20);
    assert_true(alice_has("SIP/2.0 180 "));
    assert_false(alice_has("Recv-Info"));
    pair_hangup(&pair, BOB);
    pair_fini(&pair);
}

static void refuse_info(struct pair *world, const struct ahoy_message *message)
{
    if (message->method == AHOY_METHOD_INFO)
        pair_reply(world, message, status, "", "", "");
    else if (message->method != AHOY_METHOD_ACK)
        pair_reply(world, message, 200, "b", "Contact: <sip:bob@192.0.2.2>\r\n" PAIR_SDP_TYPE,
                   message->method == AHOY_METHOD_INVITE ? PAIR_SDP("sendrecv") : "");
}

/* R6086-4.2.1-5: 469 is the end of one INFO; 481 is that of the call (RFC 3261 12.2.1.2). */
static void test_refused_info(void **state)
{
    (void)state;
    pair_init(&pair);
    pair.script = refuse_info;
    pair_call(&pair);
    pair_run(&pair, 100);
    const struct ahoy_ua_question question = { .method = AHOY_METHOD_INFO,
                                               .session = pair.ends[ALICE].session };
    pair_forget(&pair);
    status = 469;
    assert_true(ask(ALICE, &question));
    pair_run(&pair, 200);
    status = 481;
    assert_true(ask(ALICE, &question));
    pair_run(&pair, 300);
    pair_expect(&pair, "100 alice > bob INFO\n"
                       "110 bob > alice 469 INFO\n"
                       "120 alice: reply 469\n"
                       "200 alice > bob INFO\n"
                       "210 bob > alice 481 INFO\n"
                       "220 alice: reply 481\n"
                       "220 alice: ended by the network\n"
                       "220 alice > bob BYE\n"
                       "230 bob > alice 200 BYE\n");
    pair_fini(&pair);
}

/* An INFO from the fork with this tag, as soon as that rings. */
static void ring_and_inform(struct pair *world, const struct ahoy_message *invite, const char *tag)
{
    char text[1024];
    struct span call_id = ahoy_message_value(invite, AHOY_HEADER_CALL_ID);
    struct span to = ahoy_message_value(invite, AHOY_HEADER_FROM);
    pair_reply(world, invite, 180, tag, "Contact: <sip:bob@192.0.2.2>\r\nRecv-Info: foo\r\n", "");
    int size = snprintf(text, sizeof text,
                        "INFO sip:alice@192.0.2.1 SIP/2.0\r\n"
                        "Via: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK%s\r\nMax-Forwards: 70\r\n"
                        "From: <sip:bob@192.0.2.2>;tag=%s\r\nTo: %.*s\r\nCall-ID: %.*s\r\n"
                        "CSeq: 1 INFO\r\nContent-Length: 0\r\n\r\n",
                        tag, tag, (int)to.size, to.at, (int)call_id.size, call_id.at);
    pair_inject(world, ALICE, (struct span){ text, (size_t)size });
}

static void two_forks(struct pair *world, const struct ahoy_message *message)
{
    if (message->method == AHOY_METHOD_INVITE) {
        ring_and_inform(world, message, "one");
        ring_and_inform(world, message, "two");
        pair_reply(world, message, 486, "one", "", "");
    }
}

/* R6086-4.2.1-6: before the answer there may be several who inform us. */
static void test_info_of_forks(void **state)
{
    (void)state;
    pair_init(&pair);
    pair.script = two_forks;
    pair_call(&pair);
    pair_run(&pair, 100);
    pair_expect(&pair, "0 alice > bob INVITE\n"
                       "10 bob > alice 180 INVITE\n"
                       "10 bob > alice INFO\n"
                       "10 bob > alice 180 INVITE\n"
                       "10 bob > alice INFO\n"
                       "10 bob > alice 486 INVITE\n"
                       "20 alice: ringing 180\n"
                       "20 alice > bob 200 INFO\n"
                       "20 alice > bob 200 INFO\n"
                       "20 alice: refused 486\n"
                       "20 alice > bob ACK\n");
    pair_fini(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_message),
        cmocka_unit_test(test_one_message_at_a_time),
        cmocka_unit_test(test_long_messages),
        cmocka_unit_test(test_refused_messages),
        cmocka_unit_test(test_message_without_memory),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_no_answer),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_options_when_busy),
        cmocka_unit_test(test_within_a_call),
        cmocka_unit_test(test_info_outside),
        cmocka_unit_test(test_packages),
        cmocka_unit_test(test_recv_info),
        cmocka_unit_test(test_refused_info),
        cmocka_unit_test(test_info_of_forks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
