/* Watching, against a notifier of a few lines (RFC 6665 4.1). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/pair.h"

#define SELF "sip:alice@192.0.2.1"

static struct pair pair;
static unsigned answer; /* To SUBSCRIBE; 0: none. */
static const char *answer_rows;
static char call_id[64], tag[64], event[64], expires[16], to_tag[64];
static unsigned asked; /* SUBSCRIBEs that came. */
static uint32_t cseq;  /* Of the latest. */
static unsigned told;  /* NOTIFYs that were sent. */

static void keep(struct span text, char *space, size_t size)
{
    (void)snprintf(space, size, "%.*s", (int)text.size, text.size > 0 ? text.at : "");
}

static void notifier(struct pair *world, const struct ahoy_message *message)
{
    struct ahoy_routing routing;
    if (message->method != AHOY_METHOD_SUBSCRIBE)
        return;
    asked++;
    assert_true(ahoy_message_routing(message, &routing, NULL));
    cseq = routing.cseq.number;
    keep(routing.call_id, call_id, sizeof call_id);
    keep(routing.from_tag, tag, sizeof tag);
    keep(routing.to_tag, to_tag, sizeof to_tag);
    keep(ahoy_message_value(message, AHOY_HEADER_EVENT), event, sizeof event);
    keep(ahoy_message_value(message, AHOY_HEADER_EXPIRES), expires, sizeof expires);
    if (answer != 0)
        pair_reply(world, message, answer, "n", answer_rows, "");
}

static void begin_with(unsigned status, const char *rows, const char *uri, uint32_t expires_s)
{
    pair_init(&pair);
    pair.script = notifier;
    asked = told = 0;
    answer = status;
    answer_rows = rows;
    assert_true(ahoy_ua_watch(pair.ends[ALICE].ua, &ahoy_event_reg, ahoy_span(uri), expires_s,
                              pair.now_ms));
    pair_run(&pair, pair.now_ms + 100);
}

static void begin(unsigned status, const char *rows)
{
    begin_with(status, rows, "sip:bob@biloxi.example", 1000);
}

static void end(void)
{
    ahoy_ua_unwatch(pair.ends[ALICE].ua, pair.now_ms);
    pair_fini(&pair);
}

/* A NOTIFY from the one whose tag is |from|. */
static void notify_from(const char *from, const char *name, const char *rows, const char *body)
{
    char text[2048];
    told++;
    (void)snprintf(text, sizeof text,
                   "NOTIFY sip:alice@192.0.2.1:5060 SIP/2.0\r\n"
                   "Via: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK%u-%u\r\nMax-Forwards: 70\r\n"
                   "From: <sip:bob@biloxi.example>;tag=%s\r\nTo: <" SELF ">;tag=%s\r\n"
                   "Call-ID: %s\r\nCSeq: %u NOTIFY\r\nContact: <sip:192.0.2.2:5060>\r\n"
                   "Event: %s\r\n%sContent-Length: %zu\r\n\r\n%s",
                   told, asked, from, tag, call_id, told, name, rows, strlen(body), body);
    pair_inject(&pair, ALICE, ahoy_span(text));
    pair_run(&pair, pair.now_ms + 20);
}

static void notify(const char *state)
{
    char rows[128];
    (void)snprintf(rows, sizeof rows, "Subscription-State: %s\r\n", state);
    notify_from("n", "reg", rows, "");
}

static unsigned last_status(void)
{
    return pair_received(&pair, BOB)->status;
}

/* R6665-3.1.2-1, R6665-4.1.3-5, R3680-4.5-2; an answer, a NOTIFY, and a refresh in its dialog. */
static void test_watched(void **state)
{
    (void)state;
    begin(200, "Expires: 1000\r\n");
    assert_string_equal(event, "reg");
    assert_string_equal(expires, "1000");
    assert_true(strstr(pair.ends[BOB].received, "\r\nAccept: application/reginfo+xml\r\n") != NULL);
    assert_string_equal(to_tag, "");
    pair_forget(&pair);
    notify_from("n", "reg", "Subscription-State: active;expires=500\r\n", "<a/>");
    pair_expect(&pair, "100 bob > alice NOTIFY\n"
                       "110 alice: notified 500\n"
                       "110 alice > bob 200 NOTIFY\n");
    assert_true(ahoy_span_equal(ahoy_ua_notice(pair.ends[ALICE].ua), SPAN("<a/>")));
    pair_run(&pair, 400000);
    assert_int_equal(asked, 1);
    pair_run(&pair, 400500); /* A fifth of what the NOTIFY has left is before its end. */
    assert_int_equal(asked, 2);
    assert_string_equal(to_tag, "n");
    notify("active;expires=1000");
    end();
}

/* R6665-4.1.2.4-2: the NOTIFY comes first, and makes the dialog, in which our numbers go on from
 * those of the SUBSCRIBE: R3261-12.2.1.1-7. */
static void test_notify_before_the_answer(void **state)
{
    (void)state;
    begin(0, "");
    uint32_t first = cseq;
    notify("active;expires=900");
    assert_int_equal(last_status(), 200);
    answer = 202; /* R6665-8.3.1-1 */
    pair_run(&pair, 2000);
    pair_run(&pair, 740000);
    assert_string_equal(to_tag, "n");
    assert_int_equal(cseq, first + 1);
    end();
}

/* R6665-4.1.4-1, R3680-4.9-1: of a fork the first is heard, the others get 481.  R6665-4.1.3-1, -2;
 * 489 and 500. */
static void test_whose_notify(void **state)
{
    (void)state;
    begin(200, "");
    told = 10;
    notify_from("other", "reg", "Subscription-State: active\r\n", "");
    assert_int_equal(last_status(), 200);
    notify("active"); /* Its tag is the one of the 200: that does not count. */
    assert_int_equal(last_status(), 481);
    notify_from("other", "reg;id=1", "Subscription-State: active\r\n", "");
    assert_int_equal(last_status(), 481);
    notify_from("other", "weather", "Subscription-State: active\r\n", "");
    assert_int_equal(last_status(), 489);
    notify_from("other", "reg", "", "");
    assert_int_equal(last_status(), 400);
    told = 0;
    notify_from("other", "reg", "Subscription-State: active\r\n", "");
    assert_int_equal(last_status(), 500);
    tag[0] = 'x'; /* Somebody else's. */
    told = 20;
    notify_from("other", "reg", "Subscription-State: active\r\n", "");
    assert_int_equal(last_status(), 481);
    end();
}

/* Timer N: where nobody tells, there is no subscription (4.1.2.4). */
static void test_timer_n(void **state)
{
    (void)state;
    begin(200, "");
    pair_forget(&pair);
    pair_run(&pair, 40000);
    pair_expect(&pair, "32000 alice: watch ended 408\n");
    notify("active");
    assert_int_equal(last_status(), 481);
    end();
    begin(204, ""); /* R6665-4.1.2.2-2: nobody will. */
    pair_forget(&pair);
    pair_run(&pair, 40000);
    pair_expect(&pair, "");
    end();
}

/* R6665-4.1.3-3, -4: how long until the next SUBSCRIBE, by the reason of the end; 0 for never. */
static void test_reasons(void **state)
{
    static const struct {
        const char *state;
        unsigned again_ms;
    } cases[] = {
        { "terminated;reason=deactivated;retry-after=100", 500 },
        { "terminated;reason=timeout;expires=100", 500 },
        { "terminated;reason=probation", 30000 },
        { "terminated;reason=probation;retry-after=50", 50000 },
        { "terminated;reason=giveup;retry-after=7", 7000 },
        { "terminated;reason=new;retry-after=9", 9000 },
        { "Terminated", 30000 },
        { "terminated;reason=rejected;retry-after=7", 0 },
        { "terminated;reason=noresource", 0 },
        { "terminated;reason=invariant;retry-after=7", 0 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char before[64];
        begin(200, "");
        notify("active;expires=900");
        (void)snprintf(before, sizeof before, "%s", call_id);
        notify(cases[i].state);
        uint64_t at_ms = pair.now_ms;
        if (cases[i].again_ms > 0) {
            pair_run(&pair, at_ms + cases[i].again_ms - 20);
            assert_int_equal(asked, 1);
            pair_run(&pair, at_ms + cases[i].again_ms + 20);
            assert_int_equal(asked, 2);
            assert_string_not_equal(call_id, before); /* 4.1.2.2: unrelated to the one before. */
            assert_string_equal(to_tag, "");
        } else {
            assert_int_equal(pair.ends[ALICE].news.kind, AHOY_NEWS_WATCH_ENDED);
            pair_run(&pair, at_ms + 200000);
            assert_int_equal(asked, 1);
        }
        end();
    }
}

/* R6665-4.1.2.2-1: what fails to be refreshed ends, or goes on until it expires. */
static void test_refresh_fails(void **state)
{
    (void)state;
    begin(200, "");
    notify("active;expires=100");
    answer = 481;
    pair_run(&pair, 80200);
    assert_int_equal(asked, 2);
    answer = 200;
    pair_run(&pair, 81000);
    assert_int_equal(asked, 3);
    assert_string_equal(to_tag, "");
    end();
    begin(200, "");
    notify("active;expires=400");
    answer = 503;
    pair_run(&pair, 320200);
    assert_int_equal(asked, 2);
    pair_run(&pair, 349000);
    notify("active;expires=400");
    assert_int_equal(last_status(), 200);
    end();
}

/* 4.1.2.3: the last NOTIFY is heard. */
static void test_unwatched(void **state)
{
    (void)state;
    begin(200, "");
    notify("active;expires=900");
    pair_forget(&pair);
    ahoy_ua_unwatch(pair.ends[ALICE].ua, pair.now_ms);
    pair_run(&pair, pair.now_ms + 40);
    assert_string_equal(expires, "0");
    assert_int_equal(ahoy_ua_busy(pair.ends[ALICE].ua), 1);
    notify("terminated;reason=timeout");
    pair_expect(&pair, "120 alice > bob SUBSCRIBE\n"
                       "130 bob > alice 200 SUBSCRIBE\n"
                       "160 bob > alice NOTIFY\n"
                       "170 alice: notified\n"
                       "170 alice: watch ended 200\n"
                       "170 alice > bob 200 NOTIFY\n");
    assert_int_equal(ahoy_ua_busy(pair.ends[ALICE].ua), 0);
    end();
}

static void test_refused(void **state)
{
    (void)state;
    begin(403, "");
    assert_int_equal(pair.ends[ALICE].news.kind, AHOY_NEWS_WATCH_ENDED);
    assert_int_equal(pair.ends[ALICE].news.status, 403);
    end();
    begin(423, "Min-Expires: 5000\r\n");
    assert_int_equal(asked, 2);
    assert_string_equal(expires, "5000");
    end();
    begin_with(200, "", "sip:bob@biloxi.example", 0); /* Asked once: 4.4.3. */
    notify("terminated;reason=timeout");
    pair_run(&pair, 100000);
    assert_int_equal(asked, 1);
    end();
}

/* Attack 20: a 401 is answered by who watches himself, and by nobody else. */
static void test_password(void **state)
{
    static const char challenge[] =
        "WWW-Authenticate: Digest realm=\"atlanta.example\", nonce=\"s\", qop=\"auth\"\r\n";
    (void)state;
    begin_with(401, challenge, SELF, 1000);
    assert_int_equal(asked, 2);
    end();
    begin(401, challenge);
    assert_int_equal(asked, 1);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_watched),      cmocka_unit_test(test_notify_before_the_answer),
        cmocka_unit_test(test_whose_notify), cmocka_unit_test(test_timer_n),
        cmocka_unit_test(test_reasons),      cmocka_unit_test(test_refresh_fails),
        cmocka_unit_test(test_unwatched),    cmocka_unit_test(test_refused),
        cmocka_unit_test(test_password),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
