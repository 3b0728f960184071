/* A call of ours is redirected (RFC 3261 8.1.3.4, 21.3), by a script in bob's place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/pair.h"

static struct pair pair;

/* What each Request-URI is answered; others 404. */
static const struct answer {
    const char *uri;
    unsigned status; /* 0 for silence. */
    const char *rows;
} * answers;

static char asked[1024]; /* Each Request-URI that came, with its Route, and in a line. */

static void script(struct pair *world, const struct ahoy_message *message)
{
    static const struct answer nobody = { "", 404, "" };
    const struct answer *answer = answers;
    struct span route = ahoy_message_value(message, AHOY_HEADER_ROUTE);
    if (message->method != AHOY_METHOD_INVITE) {
        if (message->method != AHOY_METHOD_ACK)
            pair_reply(world, message, 200, "", "", "");
        return;
    }
    size_t size = strlen(asked);
    snprintf(asked + size, sizeof asked - size, "%.*s %.*s\n", (int)message->request_uri.size,
             message->request_uri.at, (int)route.size, route.at);
    while (answer->uri != NULL && !ahoy_span_equal(message->request_uri, ahoy_span(answer->uri)))
        answer++;
    if (answer->uri == NULL)
        answer = &nobody;
    if (answer->status == 200)
        pair_reply(world, message, 200, "t", answer->rows, PAIR_SDP("sendrecv"));
    else if (answer->status != 0)
        pair_reply(world, message, answer->status, "t", answer->rows, "");
}

#define BOB_URI "sip:bob@192.0.2.2"
#define HERE    "Contact: <sip:here@192.0.2.2>\r\n" PAIR_SDP_TYPE

static void call(const char *uri, const struct answer *all)
{
    const struct ahoy_ip media = { .family = AHOY_IPV4, .port = 4000, .bytes = { 192, 0, 2, 1 } };
    answers = all;
    asked[0] = '\0';
    pair_init(&pair);
    pair.script = script;
    pair.ends[ALICE].session =
        ahoy_ua_call(pair.ends[ALICE].ua, ahoy_span(uri), &media, pair.now_ms);
    pair_run(&pair, 1000);
}

static void end(void)
{
    pair_hangup(&pair, ALICE);
    pair_run(&pair, pair.now_ms + 40000);
    pair.script = NULL;
    pair_fini(&pair);
}

/* R3261-8.1.3.4-2: the URI, without its method and headers.  R3261-8.1.3.4-3: by a request of its
 * own, of the same call and offer.  R3261-21.3.3-1: the next call asks anew. */
static void test_followed(void **state)
{
    char first[128];
    (void)state;
    call(BOB_URI,
         (const struct answer[]){
             { BOB_URI, 302, "Contact: <sip:c@192.0.2.2;method=INVITE;x=1?Subject=a>\r\n" },
             { "sip:c@192.0.2.2;x=1", 200, HERE },
             { NULL, 0, NULL } });
    assert_string_equal(asked, BOB_URI " \nsip:c@192.0.2.2;x=1 \n");
    pair_expect(&pair, "0 alice > bob INVITE\n"
                       "10 bob > alice 302 INVITE\n"
                       "20 alice: redirected 302\n"
                       "20 alice > bob ACK\n"
                       "20 alice > bob INVITE\n"
                       "30 bob > alice 200 INVITE\n"
                       "40 alice: answered\n"
                       "40 alice > bob ACK\n");
    pair_received(&pair, BOB);
    assert_int_equal(pair.routing.cseq.number, 2);
    snprintf(first, sizeof first, "%.*s", (int)pair.routing.via.branch.size,
             pair.routing.via.branch.at);
    pair_hangup(&pair, ALICE);
    pair_run(&pair, 1100);
    asked[0] = '\0';
    pair_call(&pair);
    pair_run(&pair, 1200);
    assert_string_equal(asked, BOB_URI " \nsip:c@192.0.2.2;x=1 \n");
    end();
}

/* By q, one after the other, until somebody answers; failures and silence go on, R3261-8.1.3.1-1;
 * R3261-8.1.3.4-1: each URI once, though they lead in a circle. */
static void test_in_order(void **state)
{
    (void)state;
    call(BOB_URI,
         (const struct answer[]){
             { BOB_URI, 300, "Contact: <sip:low@h>;q=0.1, <sip:high@h>;q=0.9, <tel:1>\r\n" },
             { "sip:high@h", 301, "Contact: <sip:bob@192.0.2.2>, <sip:mid@h>;q=0.5\r\n" },
             { "sip:mid@h", 0, "" },
             { "sip:low@h", 302, "Contact: <sip:HIGH@h>, <sip:high@H>\r\n" },
             { NULL, 0, NULL } });
    pair_run(&pair, 40000);
    assert_string_equal(asked, BOB_URI " \nsip:high@h \nsip:mid@h \nsip:mid@h \nsip:mid@h \n"
                                       "sip:mid@h \nsip:mid@h \nsip:mid@h \nsip:mid@h \n"
                                       "sip:low@h \nsip:HIGH@h \n");
    assert_int_equal(pair.ends[ALICE].news.kind, AHOY_NEWS_REFUSED);
    assert_int_equal(pair.ends[ALICE].news.status, 404);
    end();
}

/* A 6xx speaks for everybody (21.6); 380 and a 3xx without a contact lead nowhere. */
static void test_no_further(void **state)
{
    static const struct answer all[][3] = {
        { { BOB_URI, 300, "Contact: <sip:a@h>, <sip:b@h>\r\n" }, { "sip:a@h", 603, "" } },
        { { BOB_URI, 380, "Contact: <sip:a@h>\r\n" } },
        { { BOB_URI, 302, "" } },
        { { BOB_URI, 302, "Contact: <sip:a@h>;q=7\r\n" } },
    };
    static const unsigned statuses[] = { 603, 380, 302, 302 };
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        call(BOB_URI, all[i]);
        assert_int_equal(pair.ends[ALICE].news.kind, AHOY_NEWS_REFUSED);
        assert_int_equal(pair.ends[ALICE].news.status, statuses[i]);
        end();
    }
}

/* R3261-21.3.4-1: the same request, by the proxy; it is for no other. */
static void test_use_proxy(void **state)
{
    (void)state;
    call(BOB_URI, (const struct answer[]){ { BOB_URI, 305, "Contact: <sip:192.0.2.7>\r\n" },
                                           { NULL, 0, NULL } });
    assert_string_equal(asked, BOB_URI " \n" BOB_URI " <sip:192.0.2.7;lr>\n");
    assert_int_equal(pair.ends[ALICE].news.status, 305);
    end();
    call(BOB_URI,
         (const struct answer[]){ { BOB_URI, 300, "Contact: <sip:a@h>;q=0.9, <sip:b@h>;q=0.1\r\n" },
                                  { "sip:a@h", 305, "Contact: <sip:192.0.2.7>\r\n" },
                                  { NULL, 0, NULL } });
    assert_string_equal(asked, BOB_URI " \nsip:a@h \nsip:a@h <sip:192.0.2.7;lr>\nsip:b@h \n");
    end();
}

/* A set that grows without end is not followed without end. */
static void script_on(struct pair *world, const struct ahoy_message *message)
{
    static unsigned number;
    char row[64];
    snprintf(row, sizeof row, "Contact: <sip:n%u@h>\r\n", number++);
    if (message->method == AHOY_METHOD_INVITE) {
        asked[strlen(asked) + 1] = '\0';
        asked[strlen(asked)] = '.';
        pair_reply(world, message, 302, "t", row, "");
    }
}

static void test_without_end(void **state)
{
    (void)state;
    asked[0] = asked[1] = '\0';
    pair_init(&pair);
    pair.script = script_on;
    pair_call(&pair);
    pair_run(&pair, 2000);
    assert_int_equal(strlen(asked), 8);
    assert_int_equal(pair.ends[ALICE].news.kind, AHOY_NEWS_REFUSED);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_followed),    cmocka_unit_test(test_in_order),
        cmocka_unit_test(test_no_further),  cmocka_unit_test(test_use_proxy),
        cmocka_unit_test(test_without_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
