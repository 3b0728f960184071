/* A call that a proxy forks, and more than one callee takes (RFC 3261 13.2.2.4). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "libahoy/syntax/compose.h"
#include "libahoy/tu/session.h"
#include "tests/support/failing_alloc.h"
#include "tests/support/pair.h"

static struct pair pair;

/* Answers the INVITE twice, as two forks would. */
static void script_forks(struct pair *world, const struct ahoy_message *message)
{
    static const char first[] = "Contact: <sip:one@192.0.2.2>\r\nContent-Type: application/sdp\r\n";
    static const char second[] =
        "Contact: <sip:two@192.0.2.2>\r\nContent-Type: application/sdp\r\n";
    if (message->method == AHOY_METHOD_INVITE) {
        pair_reply(world, message, 200, "one", first, PAIR_SDP("sendrecv"));
        pair_reply(world, message, 200, "two", second, PAIR_SDP("sendrecv"));
    }
    if (message->method == AHOY_METHOD_BYE)
        pair_reply(world, message, 200, "", "", "");
}

/* R3261-13.2.2.4-2, -9: a second fork's call is one of its own, acknowledged and ended; the first
 * goes on.
 * R3261-20.5-2: neither has an Allow, and both get what calls need. */
static void test_second_fork(void **state)
{
    (void)state;
    pair_init(&pair);
    pair.script = script_forks;
    pair_call(&pair);
    pair_run(&pair, 100);
    pair_expect(&pair, "0 alice > bob INVITE\n"
                       "10 bob > alice 200 INVITE\n"
                       "10 bob > alice 200 INVITE\n"
                       "20 alice: answered\n"
                       "20 alice > bob ACK\n"
                       "20 alice > bob ACK\n"
                       "20 alice > bob BYE\n"
                       "30 bob > alice 200 BYE\n");
    pair_received(&pair, BOB);
    assert_memory_equal(pair.routing.request_uri.text.at, "sip:two@192.0.2.2", 17);
    pair_hangup(&pair, ALICE);
    pair_run(&pair, 200);
    pair_received(&pair, BOB);
    assert_memory_equal(pair.routing.request_uri.text.at, "sip:one@192.0.2.2", 17);
    pair_fini(&pair);
}

/* Answers |message| with 200; the byte behind |name| is another one than it should be. */
static void reply_changed(struct pair *world, const struct ahoy_message *message, const char *tag,
                          const char *name)
{
    static const char rows[] = "Contact: <sip:one@192.0.2.2>\r\nContent-Type: application/sdp\r\n";
    char text[2048];
    const struct ahoy_response response = { .status = 200,
                                            .to_tag = ahoy_span(tag),
                                            .headers = ahoy_span(rows),
                                            .body = ahoy_span(PAIR_SDP("sendrecv")) };
    struct ahoy_buf buf = ahoy_buf_over(text, sizeof text - 1);
    ahoy_compose_response(&buf, message, &response);
    text[buf.size] = '\0';
    char *at = strstr(text, name);
    assert_non_null(at);
    at += strlen(name);
    *at = *at == '7' ? '8' : '7';
    pair_inject(world, ALICE, ahoy_buf_text(&buf));
}

static void script_changed(struct pair *world, const struct ahoy_message *message)
{
    if (message->method == AHOY_METHOD_INVITE) {
        reply_changed(world, message, "one", "Call-ID: ");
        reply_changed(world, message, "two", "From: <sip:alice@192.0.2.1>;tag=");
        reply_changed(world, message, "three", "CSeq: ");
    }
    if (message->method == AHOY_METHOD_BYE)
        pair_reply(world, message, 200, "", "", "");
}

static char call_id[64], our_tag[64]; /* Of the INVITE. */

/* Alice calls somebody who does as |script| says. */
static void call_by(void (*script)(struct pair *, const struct ahoy_message *))
{
    pair_init(&pair);
    pair.script = script;
    pair_call(&pair);
    pair_run(&pair, 10);
    pair_received(&pair, BOB);
    snprintf(call_id, sizeof call_id, "%.*s", (int)pair.routing.call_id.size,
             pair.routing.call_id.at);
    snprintf(our_tag, sizeof our_tag, "%.*s", (int)pair.routing.from_tag.size,
             pair.routing.from_tag.at);
}

/* What reached him last has the names of the INVITE. */
static void expect_names(void)
{
    pair_received(&pair, BOB);
    assert_true(ahoy_span_equal(pair.routing.call_id, ahoy_span(call_id)));
    assert_true(ahoy_span_equal(pair.routing.from_tag, ahoy_span(our_tag)));
}

static const char *answered_rows;

static void script_rows(struct pair *world, const struct ahoy_message *message)
{
    if (message->method == AHOY_METHOD_INVITE)
        pair_reply(world, message, 200, "one", answered_rows, "");
}

/* Whoever called is told what is wrong with the answer, and where. */
static void test_what_is_wrong_with_it(void **state)
{
#define CANNOT "The answer cannot be used: expected "
#define FOUR   "<sip:p;lr>,<sip:p;lr>,<sip:p;lr>,<sip:p;lr>,"
#define EIGHT  FOUR FOUR
    static const struct {
        const char *rows, *text;
    } cases[] = {
        { "", CANNOT "a Contact with a sip URI" },
        { "Contact: <tel:+1>\r\n", CANNOT "a Contact with a sip URI" },
        { "Contact: <sip:one@192.0.2.2>\r\nRecord-Route: <sip:p.example\r\n",
          CANNOT "a closing \">\" in Record-Route" },
        { "Contact: <sip:one@192.0.2.2>\r\nRecord-Route: " EIGHT EIGHT EIGHT EIGHT "<sip:p;lr>\r\n",
          CANNOT "a shorter route set in Record-Route" },
    };
#undef CANNOT
#undef FOUR
#undef EIGHT
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        answered_rows = cases[i].rows;
        call_by(script_rows);
        pair_run(&pair, 60);
        const struct ahoy_ua_news *news = &pair.ends[ALICE].news;
        assert_int_equal(news->kind, AHOY_NEWS_REFUSED);
        assert_int_equal(news->status, 502);
        assert_int_equal(news->text_size, strlen(cases[i].text));
        assert_memory_equal(news->text, cases[i].text, news->text_size);
        pair_fini(&pair);
    }
}

static const char *first_tag; /* Of the answer that cannot be read. */
static unsigned acks, byes;

static void script_unreadable(struct pair *world, const struct ahoy_message *message)
{
    static const char unreadable[] =
        "Contact: <sip:one@192.0.2.2>\r\n"
        "Record-Route: <sip:192.0.2.9;lr>, <sip:a-route-that-is-longer-than-tokens@\r\n";
    if (message->method == AHOY_METHOD_INVITE) {
        pair_reply(world, message, 200, first_tag, unreadable, "");
        pair_reply(world, message, 200, "one", "Contact: <sip:one@192.0.2.2>\r\n", "");
    }
    if (message->method == AHOY_METHOD_BYE)
        pair_reply(world, message, 200, "", "", "");
    acks += message->method == AHOY_METHOD_ACK;
    byes += message->method == AHOY_METHOD_BYE;
}

/* R3261-13.2.2.4-9: an answer that nobody can read ends the call; a sound one behind it, of the
 * same phone or of another, is acknowledged and ended, under the names of the INVITE. */
static void test_unreadable_first(void **state)
{
    static const char *const tags[] = { "one", "two" };
    (void)state;
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++) {
        first_tag = tags[i];
        acks = byes = 0;
        call_by(script_unreadable);
        for (unsigned ms = 11; ms <= 60; ms++) {
            pair_run(&pair, ms);
            expect_names();
        }
        assert_true(acks > 0);
        assert_int_equal(byes, 1);
        pair_settle(&pair);
        pair_fini(&pair);
    }
}

/* R3261-12.1.2-7, -9, -10: an answer may say another Call-ID, another tag of ours or another
 * number; its ACK, and its BYE, have those of the INVITE. */
static void test_changed_answers(void **state)
{
    (void)state;
    call_by(script_changed);
    for (unsigned ms = 11; ms <= 40; ms++) {
        pair_run(&pair, ms);
        expect_names();
        bool is_bye = pair.message.method == AHOY_METHOD_BYE;
        assert_int_equal(pair.routing.cseq.number, is_bye ? 2 : 1);
    }
    pair_hangup(&pair, ALICE);
    pair_run(&pair, 200);
    expect_names();
    assert_int_equal(pair.message.method, AHOY_METHOD_BYE);
    assert_int_equal(pair.routing.cseq.number, 2);
    pair_fini(&pair);
}

#define DESCRIPTION(user)                                                                          \
    "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n"                    \
    "m=audio 4000 UDP/TLS/RTP/SAVPF 8\r\na=rtcp-mux\r\na=setup:active\r\n"                         \
    "a=fingerprint:sha-256 7B:8B:F0:65:5F:78:E2:51:3B:AC:6F:F3:3F:46:1B:35:"                       \
    "DC:B8:5F:64:1A:24:C2:43:F0:A1:58:D0:A1:2C:19:08\r\n"                                          \
    "a=ice-ufrag:" user "\r\na=ice-pwd:asd88fgpdd777uzjYhagZg\r\n"                                 \
    "a=candidate:1 1 UDP 99 192.0.2.9 4000 typ host\r\n"

/* Three forks say beforehand what they know of ICE; the first takes the call, then the others. */
static void script_forks_with_ice(struct pair *world, const struct ahoy_message *message)
{
    static const char *const tags[] = { "one", "two", "three" };
    static const char *const bodies[] = { DESCRIPTION("1one"), DESCRIPTION("2two"),
                                          DESCRIPTION("3three") };
    static const char rows[] = "Contact: <sip:bob@192.0.2.2>\r\n" PAIR_SDP_TYPE;
    for (size_t i = 0; message->method == AHOY_METHOD_INVITE && i < 3; i++)
        pair_reply(world, message, 183, tags[i], rows, bodies[i]);
    for (size_t i = 0; message->method == AHOY_METHOD_INVITE && i < 3; i++)
        pair_reply(world, message, 200, tags[i], rows, bodies[i]);
    if (message->method == AHOY_METHOD_BYE)
        pair_reply(world, message, 200, "", "", "");
}

/* RFC 8839 4.3.1: each fork has words of its own.  What was known of the first stays with the call;
 * what was known of the others goes with them, once. */
static void test_forks_with_ice(void **state)
{
    struct ahoy_sdp_security security = { .wish = AHOY_SECURITY_HANDSHAKE, .can_shake = true };
    struct ahoy_ice_peer peer;
    (void)state;
    memset(&security.handshake.ice.words, 'w', sizeof security.handshake.ice.words);
    pair_init(&pair);
    pair.script = script_forks_with_ice;
    ahoy_ua_secure(pair.ends[ALICE].ua, &security);
    pair_call(&pair);
    pair_run(&pair, 10);
    pair_forget(&pair);
    pair_run(&pair, 100);
    pair_expect(&pair, "20 alice: early media\n"
                       "20 alice: ringing 183\n"
                       "20 alice: early media\n"
                       "20 alice: early media\n"
                       "20 alice: answered\n"
                       "20 alice > bob ACK\n"
                       "20 alice > bob ACK\n"
                       "20 alice > bob BYE\n"
                       "20 alice > bob ACK\n"
                       "20 alice > bob BYE\n"
                       "30 bob > alice 200 BYE\n"
                       "30 bob > alice 200 BYE\n");
    assert_true(ahoy_sdp_read_ice(ahoy_ua_notice(pair.ends[ALICE].ua), &peer));
    assert_int_equal(peer.user_size, 4);
    assert_memory_equal(peer.user, "1one", 4);
    pair_hangup(&pair, ALICE);
    pair_run(&pair, 200);
    pair_fini(&pair);
}

/* 13.2.2.4: a fork's 2xx that comes again is acknowledged again, but its call was ended already:
 * another BYE would have to have another CSeq (12.2.1.1). */
static void script_repeated_fork(struct pair *world, const struct ahoy_message *message)
{
    script_forks(world, message);
    script_forks(world, message);
}

static void test_repeated_fork(void **state)
{
    (void)state;
    pair_init(&pair);
    pair.script = script_repeated_fork;
    pair_call(&pair);
    pair_run(&pair, 15);
    pair_forget(&pair);
    pair.script = script_forks; /* The BYE is answered once. */
    pair_run(&pair, 100);
    pair_expect(&pair, "20 alice: answered\n"
                       "20 alice > bob ACK\n"
                       "20 alice > bob ACK\n"
                       "20 alice > bob BYE\n"
                       "20 alice > bob ACK\n"
                       "20 alice > bob ACK\n"
                       "30 bob > alice 200 BYE\n");
    pair_hangup(&pair, ALICE);
    pair_fini(&pair);
}

/* As many as the limit allows, and one more. */
static void script_many_forks(struct pair *world, const struct ahoy_message *message)
{
    static const char rows[] = "Contact: <sip:one@192.0.2.2>\r\nContent-Type: application/sdp\r\n";
    for (unsigned i = 0; message->method == AHOY_METHOD_INVITE && i < 2 + AHOY_SESSION_FORKS_LIMIT;
         i++) {
        char tag[16];
        snprintf(tag, sizeof tag, "fork-%u", i);
        pair_reply(world, message, 200, tag, rows, PAIR_SDP("sendrecv"));
    }
    if (message->method == AHOY_METHOD_BYE)
        pair_reply(world, message, 200, "", "", "");
}

/* Those that are too many are not answered at all: so they end by themselves (13.3.1.4). */
static void test_many_forks(void **state)
{
    (void)state;
    pair_init(&pair);
    pair.script = script_many_forks;
    pair_call(&pair);
    pair_run(&pair, 15);
    pair_forget(&pair);
    pair_run(&pair, 25);
    pair_expect(&pair, "20 alice: answered\n"
                       "20 alice > bob ACK\n"
                       "20 alice > bob ACK\n"
                       "20 alice > bob BYE\n"
                       "20 alice > bob ACK\n"
                       "20 alice > bob BYE\n"
                       "20 alice > bob ACK\n"
                       "20 alice > bob BYE\n"
                       "20 alice > bob ACK\n"
                       "20 alice > bob BYE\n");
    pair_hangup(&pair, ALICE);
    pair_fini(&pair);
}

static const char first_rows[] = "Contact: <sip:one@192.0.2.2>\r\n" PAIR_SDP_TYPE;
static const char second_rows[] = "Contact: <sip:two@192.0.2.2>\r\n" PAIR_SDP_TYPE;
static struct ahoy_message invite; /* Of a script, kept for what comes late. */
static char invite_bytes[4096];

static bool asks;            /* For credentials. */
static char ack_proof[1024]; /* Those of the last ACK. */

static void script_late(struct pair *world, const struct ahoy_message *message)
{
    struct span proof = ahoy_message_value(message, AHOY_HEADER_PROXY_AUTHORIZATION);
    if (message->method == AHOY_METHOD_ACK)
        snprintf(ack_proof, sizeof ack_proof, "%.*s", (int)proof.size, proof.at);
    if (asks && proof.size == 0) {
        if (message->method != AHOY_METHOD_ACK)
            pair_reply(world, message, 407, "asks",
                       "Proxy-Authenticate: Digest realm=\"atlanta.example\", nonce=\"n\"\r\n", "");
    } else if (message->method == AHOY_METHOD_INVITE) {
        memcpy(invite_bytes, message->bytes.at, message->bytes.size);
        assert_true(
            ahoy_message_parse((struct span){ invite_bytes, message->bytes.size }, &invite, NULL));
        pair_reply(world, message, 200, "one", first_rows, PAIR_SDP("sendrecv"));
    } else if (message->method == AHOY_METHOD_BYE) {
        pair_reply(world, message, 200, "", "", "");
    }
}

static void expect_target(const char *uri)
{
    pair_received(&pair, BOB);
    assert_memory_equal(pair.routing.request_uri.text.at, uri, strlen(uri));
}

/* The call is over, and its 2xx comes once more, for the ACK was lost: R3261-13.2.2.4-3.  It is the
 * same one, but nobody is told.  Then a further fork answers, and another one that was given up
 * before: -9. */
static void test_late(void **state)
{
    (void)state;
    pair_init(&pair);
    pair.script = script_late;
    pair_call(&pair);
    pair_run(&pair, 30);
    char ack[sizeof pair.ends[BOB].received];
    memcpy(ack, pair.ends[BOB].received, sizeof ack);
    pair_reply(&pair, &invite, 200, "three", second_rows, PAIR_SDP("sendrecv"));
    pair_run(&pair, 100);
    pair_hangup(&pair, ALICE);
    pair_run(&pair, 1000);
    pair_forget(&pair);
    pair_reply(&pair, &invite, 200, "one", first_rows, PAIR_SDP("sendrecv"));
    pair_run(&pair, 2000);
    pair_expect(&pair, "1000 bob > alice 200 INVITE\n"
                       "1010 alice > bob ACK\n");
    expect_target("sip:one@192.0.2.2");
    assert_string_equal(pair.ends[BOB].received, ack);
    pair_reply(&pair, &invite, 200, "two", second_rows, PAIR_SDP("sendrecv"));
    pair_reply(&pair, &invite, 200, "two", second_rows, PAIR_SDP("sendrecv"));
    pair_reply(&pair, &invite, 200, "three", second_rows, PAIR_SDP("sendrecv"));
    pair_run(&pair, 3000);
    pair_expect(&pair, "2000 bob > alice 200 INVITE\n"
                       "2000 bob > alice 200 INVITE\n"
                       "2000 bob > alice 200 INVITE\n"
                       "2010 alice > bob ACK\n"
                       "2010 alice > bob BYE\n"
                       "2010 alice > bob ACK\n"
                       "2010 alice > bob ACK\n"
                       "2020 bob > alice 200 BYE\n");
    expect_target("sip:two@192.0.2.2");
    assert_int_equal(ahoy_ua_sessions(pair.ends[ALICE].ua), 1); /* Until 64*T1 are over. */
    pair_run(&pair, 40000);
    assert_int_equal(ahoy_ua_sessions(pair.ends[ALICE].ua), 0);
    pair_fini(&pair);
}

/* R3261-13.2.2.4-5: an ACK has the credentials of its INVITE, however late. */
static void test_late_with_credentials(void **state)
{
    (void)state;
    pair_init(&pair);
    pair.script = script_late;
    asks = true;
    pair_call(&pair);
    pair_run(&pair, 100);
    struct span proof = ahoy_message_value(&invite, AHOY_HEADER_PROXY_AUTHORIZATION);
    assert_true(proof.size > 0);
    pair_hangup(&pair, ALICE);
    pair_run(&pair, 1000);
    static const char *const tags[] = { "one", "two" };
    for (size_t i = 0; i < 2; i++) {
        ack_proof[0] = '\0';
        pair_reply(&pair, &invite, 200, tags[i], first_rows, PAIR_SDP("sendrecv"));
        pair_run(&pair, pair.now_ms + 100);
        assert_int_equal(strlen(ack_proof), proof.size);
        assert_memory_equal(ack_proof, proof.at, proof.size);
    }
    asks = false;
    pair_fini(&pair);
}

/* Whatever is refused when the call ends: what comes late is acknowledged, by the session itself if
 * need be, and the fork that was given up is not ended again. */
static void test_late_without_memory(void **state)
{
    (void)state;
    if (!failing_alloc_works())
        skip();
    bool was_refused = true;
    for (size_t count = 0; was_refused; count++) {
        pair_init(&pair);
        pair.script = script_late;
        pair_call(&pair);
        pair_run(&pair, 30);
        pair_reply(&pair, &invite, 200, "three", second_rows, PAIR_SDP("sendrecv"));
        pair_run(&pair, 100);
        pair_hangup(&pair, ALICE);
        pair_run(&pair, 110); /* The BYE has come, and is answered. */
        failing_alloc_begin(count, FAILING_ALLOC_ONE);
        pair_run(&pair, 5000);
        was_refused = failing_alloc_end() > 0;
        pair_forget(&pair);
        pair_reply(&pair, &invite, 200, "one", first_rows, PAIR_SDP("sendrecv"));
        pair_reply(&pair, &invite, 200, "three", second_rows, PAIR_SDP("sendrecv"));
        pair_run(&pair, 6000);
        pair_expect(&pair, "5000 bob > alice 200 INVITE\n"
                           "5000 bob > alice 200 INVITE\n"
                           "5010 alice > bob ACK\n"
                           "5010 alice > bob ACK\n");
        pair_fini(&pair);
    }
}

/* Calls of ours that are over count as sessions no more: a phone that has ended as many as it may
 * have at once makes the next one. */
static void test_many_late(void **state)
{
    (void)state;
    pair_init(&pair);
    pair.script = script_late;
    for (unsigned i = 0; i < 2 * AHOY_UA_SESSIONS_LIMIT; i++) {
        pair_call(&pair);
        pair_run(&pair, pair.now_ms + 100);
        pair_hangup(&pair, ALICE);
        pair_run(&pair, pair.now_ms + 100);
        pair_forget(&pair);
        assert_int_equal(pair.ends[ALICE].news.kind, AHOY_NEWS_ENDED);
    }
    assert_int_equal(ahoy_ua_busy(pair.ends[ALICE].ua), 0);
    pair_fini(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_second_fork),
        cmocka_unit_test(test_changed_answers),
        cmocka_unit_test(test_what_is_wrong_with_it),
        cmocka_unit_test(test_unreadable_first),
        cmocka_unit_test(test_forks_with_ice),
        cmocka_unit_test(test_repeated_fork),
        cmocka_unit_test(test_many_forks),
        cmocka_unit_test(test_late),
        cmocka_unit_test(test_late_with_credentials),
        cmocka_unit_test(test_late_without_memory),
        cmocka_unit_test(test_many_late),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
