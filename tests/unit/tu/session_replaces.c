/* Bob has a call with alice, and is asked by INVITE to let another take its place: RFC 3891. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/pair.h"

static struct pair pair;
static struct ahoy_handle call; /* Bob's. */
static struct ahoy_handle alices;
static char call_id[64], ours[64], theirs[64]; /* As bob sees the dialog. */

static void keep(char *place, struct span text)
{
    assert_in_range(text.size, 1, 63);
    memcpy(place, text.at, text.size);
    place[text.size] = '\0';
}

/* |end|: who received a request or a response with both tags last. */
static void note_dialog(bool bob_calls)
{
    pair_received(&pair, bob_calls ? BOB : ALICE);
    keep(call_id, pair.routing.call_id);
    keep(ours, bob_calls ? pair.routing.from_tag : pair.routing.to_tag);
    keep(theirs, bob_calls ? pair.routing.to_tag : pair.routing.from_tag);
    call = pair.ends[BOB].session;
    alices = pair.ends[ALICE].session;
    pair_forget(&pair);
}

/* Between two who have been made. */
static void establish_call(void)
{
    pair_call(&pair);
    pair_run(&pair, 100);
    pair_answer(&pair, BOB);
    pair_run(&pair, 200);
    note_dialog(false);
}

static void establish(void)
{
    pair_init(&pair);
    establish_call();
}

/* An INVITE with |format|, in which %s are the Call-ID and bob's and alice's tag, if there are. */
static void invite(const char *format, const char *rows)
{
    static unsigned number;
    char value[512], text[1024], branch[16];
    number++;
    snprintf(branch, sizeof branch, "r%u", number);
    snprintf(value, sizeof value, format, call_id, ours, theirs);
    snprintf(text, sizeof text, "Replaces: %s\r\n%s" PAIR_SDP_TYPE, value, rows);
    pair_outside(&pair, "INVITE", "bob", branch, text, PAIR_SDP("sendrecv"));
}

static void end_all(void)
{
    ahoy_ua_hangup(pair.ends[BOB].ua, pair.ends[BOB].session, pair.now_ms);
    ahoy_ua_hangup(pair.ends[BOB].ua, call, pair.now_ms);
    ahoy_ua_hangup(pair.ends[ALICE].ua, alices, pair.now_ms);
    pair_settle(&pair);
    pair_fini(&pair);
}

#define THIS "%s;to-tag=%s;from-tag=%s"

/* R3891-3-5: alice herself asks; the call is ended by BYE once the other one is answered. */
static void test_confirmed(void **state)
{
    (void)state;
    establish();
    invite(THIS, "");
    assert_int_equal(pair.ends[BOB].news.kind, AHOY_NEWS_INCOMING);
    assert_true(ahoy_handle_equal(pair.ends[BOB].news.replaced, call));
    pair_forget(&pair);
    pair_answer(&pair, BOB);
    pair_run(&pair, pair.now_ms + 15);
    pair_expect(&pair, "220 bob: answered\n"
                       "220 bob: ended by us\n"
                       "220 bob > alice 200 INVITE\n"
                       "220 bob > alice BYE\n"
                       "230 alice: ended by the peer\n"
                       "230 alice > bob 200 BYE\n");
    end_all();
}

/* R3891-3-6: what is not accepted leaves the call as it was. */
static void test_rejected(void **state)
{
    (void)state;
    establish();
    invite(THIS, "");
    ahoy_ua_reject(pair.ends[BOB].ua, pair.ends[BOB].session, 488, pair.now_ms);
    pair_run(&pair, 5000);
    pair_forget(&pair);
    ahoy_ua_hangup(pair.ends[BOB].ua, call, pair.now_ms);
    pair_run(&pair, 5010);
    pair_expect(&pair, "5000 bob: ended by us\n"
                       "5000 bob > alice BYE\n"
                       "5010 alice: ended by the peer\n"
                       "5010 alice > bob 200 BYE\n");
    end_all();
}

static void expect_refusal(const char *format, const char *rows, unsigned status)
{
    char wanted[32];
    snprintf(wanted, sizeof wanted, "SIP/2.0 %u ", status);
    invite(format, rows);
    assert_memory_equal(pair.ends[ALICE].received, wanted, strlen(wanted));
}

/* R3891-3-1, R3891-3-2, R3891-3-5, R3891-6.1-1, and 3 throughout. */
static void test_refused(void **state)
{
    (void)state;
    establish();
    expect_refusal("other;to-tag=%2$s;from-tag=%3$s", "", 481);
    expect_refusal("%1$s;to-tag=%3$s;from-tag=%2$s", "", 481);
    expect_refusal(THIS ";early-only", "", 486);
    expect_refusal("%s;to-tag=%s", "", 400);
    expect_refusal(THIS ";to-tag=x", "", 400);
    expect_refusal(THIS, "Join: 1;to-tag=a;from-tag=b\r\n", 400);
    pair_outside(&pair, "OPTIONS", "bob", "o", "Replaces: 1;to-tag=a;from-tag=b\r\n", "");
    assert_memory_equal(pair.ends[ALICE].received, "SIP/2.0 400 ", 12);
    end_all();
}

/* R3891-3-5: neither of alice's, nor sent by her; sent by her; and where bob trusts anybody. */
static void test_authorized(void **state)
{
    static const struct {
        const char *sender;
        unsigned status;
        bool trusts_anybody;
    } cases[] = { { "", 403, false },
                  { "Referred-By: <sip:mallory@192.0.2.1>\r\n", 403, false },
                  { "Referred-By: <sip:alice@192.0.2.1;x=y>\r\n", 100, false },
                  { "", 100, true } };
    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        (cases[i].trusts_anybody ? pair_init_trusting : pair_init)(&pair);
        establish_call();
        char text[1024], wanted[32];
        int size = snprintf(text, sizeof text,
                            "INVITE sip:bob@192.0.2.2 SIP/2.0\r\n"
                            "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKc%u\r\n"
                            "Max-Forwards: 70\r\nFrom: <sip:carol@192.0.2.3>;tag=x\r\n"
                            "To: <sip:bob@192.0.2.2>\r\nCall-ID: c%u\r\nCSeq: 1 INVITE\r\n"
                            "Contact: <sip:carol@192.0.2.1>\r\n"
                            "Replaces: %s;to-tag=%s;from-tag=%s\r\n%sContent-Length: 0\r\n\r\n",
                            i, i, call_id, ours, theirs, cases[i].sender);
        pair_inject(&pair, BOB, (struct span){ text, (size_t)size });
        pair_run(&pair, pair.now_ms + 20);
        snprintf(wanted, sizeof wanted, "SIP/2.0 %u ", cases[i].status);
        assert_memory_equal(pair.ends[ALICE].received, wanted, strlen(wanted));
        end_all();
    }
}

/* A call that is over, or that bob did not begin and has not answered: 3. */
static void test_states(void **state)
{
    (void)state;
    pair_init(&pair);
    pair_call(&pair);
    pair_run(&pair, 100);
    pair_ring(&pair, BOB);
    pair_run(&pair, 200);
    note_dialog(false);
    expect_refusal(THIS, "", 481);
    pair_answer(&pair, BOB);
    pair_run(&pair, 300);
    ahoy_ua_hangup(pair.ends[BOB].ua, call, pair.now_ms);
    pair_run(&pair, 400);
    expect_refusal(THIS, "", 603);
    end_all();
}

/* What bob has begun is cancelled: alice's phone rings, and alice calls from elsewhere. */
static void test_early(void **state)
{
    const struct ahoy_ip media = { .family = AHOY_IPV4, .port = 4000, .bytes = { 192, 0, 2, 2 } };
    (void)state;
    pair_init(&pair);
    pair.ends[BOB].session =
        ahoy_ua_call(pair.ends[BOB].ua, SPAN("sip:alice@192.0.2.1"), &media, pair.now_ms);
    pair_run(&pair, 100);
    pair_ring(&pair, ALICE);
    pair_run(&pair, 200);
    note_dialog(true);
    invite(THIS ";early-only", "");
    pair_forget(&pair);
    pair_answer(&pair, BOB);
    pair_run(&pair, pair.now_ms + 25);
    pair_expect(&pair, "220 bob: answered\n"
                       "220 bob > alice 200 INVITE\n"
                       "220 bob > alice CANCEL\n"
                       "230 alice: ended by the peer\n"
                       "230 alice > bob 200 CANCEL\n"
                       "230 alice > bob 487 INVITE\n"
                       "240 bob: ended by us\n"
                       "240 bob > alice ACK\n");
    end_all();
}

/* R3891-6.2-1 */
static void test_supported(void **state)
{
    (void)state;
    establish();
    assert_non_null(
        strstr(pair.ends[ALICE].received, "\r\nSupported: 100rel, timer, replaces\r\n"));
    end_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_confirmed), cmocka_unit_test(test_rejected),
        cmocka_unit_test(test_refused),   cmocka_unit_test(test_authorized),
        cmocka_unit_test(test_states),    cmocka_unit_test(test_early),
        cmocka_unit_test(test_supported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
