/* What alice is told of her REFER by bob, who is played by hand (RFC 3515 2.4.4, RFC 6665 4.1). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/pair.h"

static struct pair pair;
static struct ahoy_handle call; /* Alice's. */

/* Bob's NOTIFYs. */
static void notify(const char *event, const char *subscription, const char *body)
{
    char text[2048];
    struct ahoy_routing *routing = &pair.routing;
    static unsigned cseq;
    cseq++;
    int size = snprintf(
        text, sizeof text,
        "NOTIFY sip:alice@192.0.2.1:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2:5060;"
        "branch=z9hG4bKn%u\r\nMax-Forwards: 70\r\nFrom: <sip:bob@192.0.2.2>;tag=b\r\n"
        "To: <sip:alice@192.0.2.1>;tag=%.*s\r\nCall-ID: %.*s\r\nCSeq: %u NOTIFY\r\n"
        "Contact: <sip:bob@192.0.2.2>\r\nEvent: %s\r\n%s"
        "Content-Type: message/sipfrag\r\nContent-Length: %zu\r\n\r\n%s",
        cseq, (int)routing->from_tag.size, routing->from_tag.at, (int)routing->call_id.size,
        routing->call_id.at, cseq, event, subscription, strlen(body), body);
    assert_in_range(size, 1, sizeof text - 1);
    pair_inject(&pair, ALICE, (struct span){ text, (size_t)size });
}

static const char *notices[3]; /* Of NOTIFYs before the answer to REFER: Event, state, body. */
static unsigned refer_status;

static void play_bob(struct pair *at, const struct ahoy_message *message)
{
    static const char contact[] = "Contact: <sip:bob@192.0.2.2>\r\n";
    assert_true(ahoy_message_routing(message, &at->routing, NULL));
    if (message->is_request && message->method == AHOY_METHOD_INVITE)
        pair_reply(at, message, 200, "b", "Contact: <sip:bob@192.0.2.2>\r\n" PAIR_SDP_TYPE,
                   PAIR_SDP("sendrecv"));
    if (message->is_request && message->method == AHOY_METHOD_BYE)
        pair_reply(at, message, 200, "b", "", "");
    if (message->is_request && message->method == AHOY_METHOD_REFER) {
        if (notices[0] != NULL)
            notify(notices[0], notices[1], notices[2]);
        pair_reply(at, message, refer_status, "b", contact, "");
    }
}

static void refer(const char *event, const char *subscription, const char *body, unsigned status)
{
    notices[0] = event;
    notices[1] = subscription;
    notices[2] = body;
    refer_status = status;
    pair_init(&pair);
    pair.script = play_bob;
    pair_call(&pair);
    pair_run(&pair, 200);
    call = pair.ends[ALICE].session;
    pair_forget(&pair);
    assert_true(
        ahoy_ua_transfer(pair.ends[ALICE].ua, call, SPAN("sip:carol@192.0.2.3"), pair.now_ms));
    pair_run(&pair, 225);
}

#define TERMINATED "Subscription-State: terminated;reason=noresource\r\n"

static void end_script(void)
{
    ahoy_ua_hangup(pair.ends[ALICE].ua, call, pair.now_ms);
    pair_run(&pair, pair.now_ms + 50);
    ahoy_ua_hangup(pair.ends[ALICE].ua, call, pair.now_ms);
    pair_fini(&pair);
}

/* R3515-2.4.4-4: the NOTIFY is before the answer.  A 202 is none but a 200. */
static void test_notified(void **state)
{
    static const struct {
        const char *event, *subscription, *body;
        unsigned status;
    } cases[] = {
        { "refer;id=3", TERMINATED, "SIP/2.0 200 OK\r\n", 481 },
        { "refer;id=2", "", "SIP/2.0 200 OK\r\n", 400 },
        { "refer", TERMINATED, "hello", 400 },
        { "refer", TERMINATED, "", 400 },
        { "refer", TERMINATED, "INVITE sip:a@b SIP/2.0\r\n", 400 },
    };
    (void)state;
    refer("refer;id=2", TERMINATED, "SIP/2.0 486 Busy\nX", 202);
    pair_expect(&pair, "200 alice > bob REFER\n"
                       "210 bob > alice NOTIFY\n"
                       "210 bob > alice 202 REFER\n"
                       "220 alice: transfer ended 486\n"
                       "220 alice > bob 200 NOTIFY\n");
    end_script();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char wanted[64];
        snprintf(wanted, sizeof wanted, "220 alice > bob %u NOTIFY\n", cases[i].status);
        refer(cases[i].event, cases[i].subscription, cases[i].body, 200);
        pair.trace_space[pair.trace.size] = '\0';
        assert_non_null(strstr(pair.trace_space, wanted));
        assert_int_equal(pair.ends[ALICE].news.kind, AHOY_NEWS_TRANSFER_ACCEPTED);
        end_script();
    }
}

/* The answer to REFER is lost for good, but not what is told: RFC 6665 4.1.2.4. */
static void test_lost_answer(void **state)
{
    (void)state;
    refer("refer", "Subscription-State: active;expires=90\r\n", "SIP/2.0 100 Trying\r\n", 100);
    assert_int_equal(pair.ends[ALICE].news.kind, AHOY_NEWS_TRANSFER_PROGRESS);
    notices[0] = NULL;
    pair_forget(&pair);
    pair_lose(&pair, "REFER", 100);
    pair_run(&pair, 100000);
    pair.trace_space[pair.trace.size] = '\0';
    assert_non_null(strstr(pair.trace_space, "\n90220 alice: transfer ended 408\n"));
    end_script();
}

/* Nothing is told: RFC 6665 4.1.2.4.  Or it is refused. */
static void test_silence(void **state)
{
    (void)state;
    refer(NULL, NULL, NULL, 202);
    pair_run(&pair, 40000);
    pair_expect(&pair, "200 alice > bob REFER\n"
                       "210 bob > alice 202 REFER\n"
                       "220 alice: transfer accepted\n"
                       "32220 alice: transfer ended 408\n");
    end_script();
    refer(NULL, NULL, NULL, 603);
    pair_expect(&pair, "200 alice > bob REFER\n"
                       "210 bob > alice 603 REFER\n"
                       "220 alice: transfer ended 603\n");
    end_script();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_notified),
        cmocka_unit_test(test_lost_answer),
        cmocka_unit_test(test_silence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
