/* What holds of each call, whoever is on the other side (RFC 3261 8.1.3.2, 12, 13.2.2, 15). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/pair.h"

#define ANSWER "Contact: <sip:bob@192.0.2.2>\r\n" PAIR_SDP_TYPE

static struct pair pair;
static unsigned first, second; /* Statuses for an INVITE, the second where it is not 0. */
static unsigned bye_status;    /* 0: silence. */
static bool asks;              /* The first INVITE is asked for a password. */
static char invite_proof[512], ack_proof[512], ack_cseq[32];

static void keep(const struct ahoy_message *message, enum ahoy_header header, char *space,
                 size_t size)
{
    struct span text = ahoy_message_value(message, header);
    (void)snprintf(space, size, "%.*s", (int)text.size, text.size > 0 ? text.at : "");
}

static void take_invite(struct pair *world, const struct ahoy_message *message)
{
    keep(message, AHOY_HEADER_PROXY_AUTHORIZATION, invite_proof, sizeof invite_proof);
    if (asks && invite_proof[0] == '\0') {
        pair_reply(world, message, 407, "b",
                   "Proxy-Authenticate: Digest realm=\"atlanta.example\", nonce=\"n\"\r\n", "");
        return;
    }
    pair_reply(world, message, first, "b", ANSWER, first < 300 ? PAIR_SDP("sendrecv") : "");
    if (second != 0)
        pair_reply(world, message, second, "b", ANSWER, second < 300 ? PAIR_SDP("sendrecv") : "");
}

static void callee(struct pair *world, const struct ahoy_message *message)
{
    if (message->method == AHOY_METHOD_INVITE)
        take_invite(world, message);
    if (message->method == AHOY_METHOD_BYE && bye_status != 0)
        pair_reply(world, message, bye_status, "", "", "");
    if (message->method != AHOY_METHOD_ACK)
        return;
    keep(message, AHOY_HEADER_PROXY_AUTHORIZATION, ack_proof, sizeof ack_proof);
    keep(message, AHOY_HEADER_CSEQ, ack_cseq, sizeof ack_cseq);
}

static void call(unsigned status, unsigned next)
{
    pair_init(&pair);
    pair.script = callee;
    first = status;
    second = next;
    bye_status = 200;
    asks = false;
    pair_call(&pair);
    pair_run(&pair, 100);
}

/* R3261-8.1.3.2-1: what is not known counts as the x00 of its class. */
static void test_unknown_finals(void **state)
{
    static const struct {
        unsigned status;
        enum ahoy_ua_news_kind kind;
    } cases[] = { { 299, AHOY_NEWS_ANSWERED },
                  { 499, AHOY_NEWS_REFUSED },
                  { 599, AHOY_NEWS_REFUSED },
                  { 699, AHOY_NEWS_REFUSED } };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        call(cases[i].status, 0);
        assert_int_equal(pair.ends[ALICE].news.kind, cases[i].kind);
        assert_int_equal(pair_received(&pair, BOB)->method, AHOY_METHOD_ACK);
        pair_hangup(&pair, ALICE);
        pair_fini(&pair);
    }
}

/* R3261-8.1.3.2-2, R3261-8.1.3.2-3: 183 is known, and what is not known counts as it; 100 tells
 * nothing. */
static void test_unknown_provisionals(void **state)
{
    static const unsigned statuses[] = { 100, 183, 199 };
    (void)state;
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        call(statuses[i], 0);
        bool told = pair.ends[ALICE].news.kind == AHOY_NEWS_RINGING ||
                    pair.ends[ALICE].news.kind == AHOY_NEWS_EARLY;
        assert_int_equal(told, statuses[i] != 100);
        first = 486;
        pair_received(&pair, BOB); /* The INVITE, which is answered at last. */
        pair_reply(&pair, &pair.message, 486, "b", "", "");
        pair_run(&pair, 200);
        assert_int_equal(pair.ends[ALICE].news.status, 486);
        pair_fini(&pair);
    }
}

/* R3261-13.2.2.3-1: after a failure nothing else counts. */
static void test_one_failure(void **state)
{
    (void)state;
    call(486, 200);
    pair_expect(&pair, "0 alice > bob INVITE\n"
                       "10 bob > alice 486 INVITE\n"
                       "10 bob > alice 200 INVITE\n"
                       "20 alice: refused 486\n"
                       "20 alice > bob ACK\n");
    pair_fini(&pair);
}

/* R3261-13.2.2.4-4, R3261-13.2.2.4-5: the ACK has the INVITE's number and its credentials. */
static void test_ack(void **state)
{
    (void)state;
    pair_init(&pair);
    pair.script = callee;
    first = 200;
    second = 0;
    bye_status = 200;
    asks = true;
    pair_call(&pair);
    pair_run(&pair, 100);
    assert_int_equal(pair.ends[ALICE].news.kind, AHOY_NEWS_ANSWERED);
    assert_string_equal(ack_cseq, "2 ACK");
    assert_string_not_equal(ack_proof, "");
    assert_string_equal(ack_proof, invite_proof);
    pair_hangup(&pair, ALICE);
    pair_fini(&pair);
}

/* R3261-15.1.1-1, R3261-15.1.1-2: with the BYE it is over, whatever is said to that, or nothing. */
static void test_bye(void **state)
{
    static const unsigned statuses[] = { 481, 408, 500, 0 };
    (void)state;
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        call(200, 0);
        bye_status = statuses[i];
        pair_hangup(&pair, ALICE);
        assert_int_equal(pair.ends[ALICE].news.kind, AHOY_NEWS_ENDED);
        pair_run(&pair, 40000);
        assert_int_equal(ahoy_ua_busy(pair.ends[ALICE].ua), 0);
        pair_fini(&pair);
    }
}

/* R3261-15-1, -2: before the answer the callee has a response to say no by, and sends no BYE. */
static void test_callee_says_no(void **state)
{
    (void)state;
    pair_ringing(&pair);
    pair_forget(&pair);
    pair_hangup(&pair, BOB);
    pair_run(&pair, 300);
    pair_expect(&pair, "200 bob: refused 480\n"
                       "200 bob > alice 480 INVITE\n"
                       "210 alice: refused 480\n"
                       "210 alice > bob ACK\n");
    pair_fini(&pair);
}

/* R3261-12.1.1-1, R3261-12.1.1-2, R3261-12.1.1-3: what begins a dialog says by which way and where
 * to go on: the way as it came, all of it. */
static void test_beginning(void **state)
{
    (void)state;
    pair_init(&pair);
    pair_outside(&pair, "INVITE", "bob", "a",
                 "Record-Route: <sip:p1.example;lr;x=1>;y=\"2\", <sip:p2.example>\r\n"
                 "Record-Route: <sip:p3.example;lr>\r\n" PAIR_SDP_TYPE,
                 PAIR_SDP("sendrecv"));
    pair_ring(&pair, BOB);
    for (unsigned status = 180; status <= 200; status += 20) {
        pair_run(&pair, pair.now_ms + 20);
        const struct ahoy_message *response = pair_received(&pair, ALICE);
        assert_int_equal(response->status, status);
        assert_non_null(strstr(pair.ends[ALICE].received,
                               "\r\nRecord-Route: <sip:p1.example;lr;x=1>;y=\"2\", "
                               "<sip:p2.example>\r\nRecord-Route: <sip:p3.example;lr>\r\n"));
        struct span contact = ahoy_message_value(response, AHOY_HEADER_CONTACT);
        assert_true(ahoy_span_starts_nocase(contact, SPAN("<sip:bob@192.0.2.2:5060")));
        pair_answer(&pair, BOB);
    }
    pair_within(&pair, "ACK", 1, "b", "", "");
    pair_within(&pair, "BYE", 2, "c", "", "");
    assert_int_equal(pair_received(&pair, ALICE)->status, 200); /* R3261-15.1.2-2 */
    pair_fini(&pair);
}

/* R3261-15.1.2-3: a BYE takes the INVITE along that is not answered yet. */
static void test_bye_before_the_answer(void **state)
{
    (void)state;
    pair_ringing(&pair);
    pair_forget(&pair);
    pair_within(&pair, "BYE", 5, "b", "", "");
    pair_expect(&pair, "200 alice > bob BYE\n"
                       "210 bob: ended by the peer\n"
                       "210 bob > alice 200 BYE\n"
                       "210 bob > alice 487 INVITE\n"
                       "220 alice: refused 487\n"
                       "220 alice > bob ACK\n");
    pair_fini(&pair);
}

/* R3261-12.2.2-1, R3261-15.1.2-1: what is of no dialog of ours. */
static void test_strangers(void **state)
{
    static const char *const methods[] = { "BYE", "INVITE", "INFO", "MESSAGE" };
    (void)state;
    pair_establish(&pair);
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        char text[512];
        int size = snprintf(text, sizeof text,
                            "%s sip:bob@192.0.2.2 SIP/2.0\r\n"
                            "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKs%zu\r\n"
                            "Max-Forwards: 70\r\nFrom: <sip:alice@192.0.2.1>;tag=x\r\n"
                            "To: <sip:bob@192.0.2.2>;tag=none\r\nCall-ID: none\r\nCSeq: 1 %s\r\n"
                            "Contact: <sip:alice@192.0.2.1>\r\nContent-Length: 0\r\n\r\n",
                            methods[i], i, methods[i]);
        pair_inject(&pair, BOB, (struct span){ text, (size_t)size });
        pair_run(&pair, pair.now_ms + 20);
        assert_int_equal(pair_received(&pair, ALICE)->status, 481);
    }
    assert_int_equal(ahoy_ua_busy(pair.ends[BOB].ua), 1);
    pair_hangup(&pair, BOB);
    pair_fini(&pair);
}

static const char *ringing_rows, *answer_rows;

static void script_moving(struct pair *world, const struct ahoy_message *message)
{
    if (message->method == AHOY_METHOD_INVITE) {
        pair_reply(world, message, 180, "b", ringing_rows, "");
        pair_reply(world, message, 200, "b", answer_rows, PAIR_SDP("sendrecv"));
    } else if (message->method != AHOY_METHOD_ACK) {
        pair_reply(world, message, 200, "", "", "");
    }
}

/* R3261-12.1.2-6, whatever his ringing has said, and whoever was called before: the answer says
 * where he is, or there is no dialog. */
static void test_where_he_is(void **state)
{
    static const struct {
        const char *ringing, *answer, *ack; /* For whom that is; NULL for nobody. */
    } cases[] = {
        { "Contact: <sip:one@192.0.2.2>\r\n", "Contact: <sip:one@192.0.2.2>\r\n", "sip:one@" },
        { "Contact: <sip:one@192.0.2.2>\r\n", "Contact: <sip:two@192.0.2.2>\r\n", "sip:two@" },
        { "Contact: <sip:two@192.0.2.2>\r\n", "Contact: <sip:one@192.0.2.2>\r\n", "sip:one@" },
        { "", "Contact: <sip:two@192.0.2.2>\r\n", "sip:two@" },
        { "Contact: <sip:two@192.0.2.2>\r\n", "", NULL },
        { "", "", NULL },
    };
    (void)state;
    pair_init(&pair);
    pair.script = script_moving;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char rows[128];
        snprintf(rows, sizeof rows, "%s" PAIR_SDP_TYPE, cases[i].answer);
        ringing_rows = cases[i].ringing;
        answer_rows = rows;
        pair_call(&pair);
        pair_run(&pair, pair.now_ms + 50);
        assert_int_equal(pair.ends[ALICE].news.kind,
                         cases[i].ack != NULL ? AHOY_NEWS_ANSWERED : AHOY_NEWS_REFUSED);
        if (cases[i].ack == NULL)
            continue;
        assert_int_equal(pair_received(&pair, BOB)->method, AHOY_METHOD_ACK);
        assert_memory_equal(pair.message.request_uri.at, cases[i].ack, strlen(cases[i].ack));
        pair_hangup(&pair, ALICE);
        pair_run(&pair, pair.now_ms + 50);
        assert_int_equal(pair_received(&pair, BOB)->method, AHOY_METHOD_BYE);
        assert_memory_equal(pair.message.request_uri.at, cases[i].ack, strlen(cases[i].ack));
    }
    pair_fini(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unknown_finals),
        cmocka_unit_test(test_unknown_provisionals),
        cmocka_unit_test(test_one_failure),
        cmocka_unit_test(test_ack),
        cmocka_unit_test(test_bye),
        cmocka_unit_test(test_callee_says_no),
        cmocka_unit_test(test_beginning),
        cmocka_unit_test(test_bye_before_the_answer),
        cmocka_unit_test(test_strangers),
        cmocka_unit_test(test_where_he_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
