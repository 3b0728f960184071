/* Transfers between alice and bob: REFER (RFC 3515), what is told of it, and by whom it is obeyed.
 * Bob's server is alice, so whom he calls for her is another line of hers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/pair.h"

static struct pair pair;
static struct ahoy_handle calls[2]; /* The first call, as each end knows it. */
static const struct ahoy_ip media = { .family = AHOY_IPV4,
                                      .port = 4002,
                                      .bytes = { 192, 0, 2, 2 } };

static char ack[AHOY_MESSAGE_LIMIT + 1]; /* Of that call, which names its dialog. */
static size_t ack_size;

static void establish(void)
{
    pair_establish(&pair);
    memcpy(ack, pair.ends[BOB].received, sizeof ack);
    ack_size = pair.ends[BOB].received_size;
    calls[ALICE] = pair.ends[ALICE].session;
    calls[BOB] = pair.ends[BOB].session;
}

static const char *received(unsigned end)
{
    return pair.ends[end].received;
}

static char refer_text[AHOY_MESSAGE_LIMIT + 1]; /* What bob was sent. */

static void transfer(void)
{
    assert_true(ahoy_ua_transfer(pair.ends[ALICE].ua, calls[ALICE], SPAN("sip:alice@192.0.2.1"),
                                 pair.now_ms));
    pair_run(&pair, 210);
    memcpy(refer_text, received(BOB), sizeof refer_text);
    pair_run(&pair, 230);
}

static void accept(void)
{
    struct ahoy_handle call =
        ahoy_ua_accept_transfer(pair.ends[BOB].ua, calls[BOB], &media, pair.now_ms);
    assert_int_not_equal(call.generation, 0);
    pair_settle(&pair);
}

static void end_all(void)
{
    for (unsigned end = ALICE; end <= BOB; end++) {
        ahoy_ua_hangup(pair.ends[end].ua, calls[end], pair.now_ms);
        ahoy_ua_hangup(pair.ends[end].ua, pair.ends[end].session, pair.now_ms);
        pair_settle(&pair);
    }
    pair_run(&pair, pair.now_ms + 1000);
    ahoy_ua_hangup(pair.ends[ALICE].ua, calls[ALICE], pair.now_ms);
    pair_fini(&pair);
}

/* R3515-2-1, R3892-3-2, R3515-2.4.1-1, R3515-2.4.2-1, R3515-2.4.2-3, R3515-2.4.2-4,
 * R3515-2.4.4-1, R3515-2.4.4-2, R3515-2.4.4-3, R3515-2.4.5-1, R3515-2.4.5-2, R3515-2.4.7-1: a blind
 * transfer, RFC 5359 2.4. */
static void test_blind(void **state)
{
    (void)state;
    establish();
    transfer();
    pair_expect(&pair, "200 alice > bob REFER\n"
                       "210 bob: transfer asked\n"
                       "210 bob > alice 200 REFER\n"
                       "210 bob > alice NOTIFY\n"
                       "220 alice: transfer accepted\n"
                       "220 alice: transfer progress 100\n"
                       "220 alice > bob 200 NOTIFY\n");
    assert_memory_equal(pair.ends[BOB].news.text, "sip:alice@192.0.2.1", 19);
    assert_non_null(strstr(refer_text, "\r\nRefer-To: <sip:alice@192.0.2.1>\r\n"));
    assert_non_null(strstr(refer_text, "\r\nReferred-By: <sip:alice@192.0.2.1>\r\n"));
    assert_non_null(strstr(refer_text, "\r\nContact: <sip:alice@192.0.2.1:5060>\r\n"));
    assert_non_null(strstr(received(ALICE), "Event: refer\r\n"));
    assert_non_null(strstr(received(ALICE), "Subscription-State: active;expires=600\r\n"));
    assert_non_null(strstr(received(ALICE), "Content-Type: message/sipfrag;version=2.0\r\n"));
    assert_non_null(strstr(received(ALICE), "\r\n\r\nSIP/2.0 100 Trying\r\n"));
    assert_non_null(strstr(received(ALICE), "Contact: <sip:bob@192.0.2.2:5060>\r\n"));
    accept();
    pair_run(&pair, 300);
    struct ahoy_handle second = pair.ends[ALICE].session;
    assert_non_null(strstr(received(ALICE), "Referred-By: <sip:alice@192.0.2.1>\r\n"));
    pair_forget(&pair);
    pair_ring(&pair, ALICE);
    pair_run(&pair, 400);
    pair.ends[ALICE].session = second;
    pair_answer(&pair, ALICE);
    pair_run(&pair, 450);
    pair_expect(&pair, "300 alice > bob 180 INVITE\n"
                       "310 bob: ringing 180\n"
                       "310 bob > alice NOTIFY\n"
                       "320 alice: transfer progress 180\n"
                       "320 alice > bob 200 NOTIFY\n"
                       "400 alice: answered\n"
                       "400 alice > bob 200 INVITE\n"
                       "410 bob: answered\n"
                       "410 bob > alice ACK\n"
                       "410 bob > alice NOTIFY\n"
                       "420 alice: transfer ended 200\n"
                       "420 alice > bob 200 NOTIFY\n");
    assert_non_null(strstr(received(ALICE), "Subscription-State: terminated;reason=noresource"));
    end_all();
}

/* R3515-2.4.5-2: the program does not agree, or nobody answers there. */
static void test_in_vain(void **state)
{
    (void)state;
    establish();
    transfer();
    ahoy_ua_refuse_transfer(pair.ends[BOB].ua, calls[BOB], pair.now_ms);
    pair_run(&pair, 300);
    assert_int_equal(pair.ends[ALICE].news.kind, AHOY_NEWS_TRANSFER_ENDED);
    assert_int_equal(pair.ends[ALICE].news.status, 603);
    assert_true(ahoy_ua_transfer(pair.ends[ALICE].ua, calls[ALICE], SPAN("sip:alice@192.0.2.1"),
                                 pair.now_ms));
    assert_false(ahoy_ua_transfer(pair.ends[ALICE].ua, calls[ALICE], SPAN("sip:alice@192.0.2.1"),
                                  pair.now_ms)); /* One after the other. */
    pair_run(&pair, 400);
    accept();
    pair_run(&pair, 410);
    ahoy_ua_reject(pair.ends[ALICE].ua, pair.ends[ALICE].session, 486, pair.now_ms);
    pair_run(&pair, 500);
    assert_int_equal(pair.ends[ALICE].news.kind, AHOY_NEWS_TRANSFER_ENDED);
    assert_int_equal(pair.ends[ALICE].news.status, 486);
    /* R3515-2.4.6-1: the second one has a name. */
    assert_non_null(strstr(received(ALICE), "Event: refer;id=3\r\n"));
    end_all();
}

/* 2.4.4: what REFER subscribes to outlives the call; without a decision it ends by itself. */
static void test_after_the_call(void **state)
{
    (void)state;
    establish();
    transfer();
    ahoy_ua_hangup(pair.ends[ALICE].ua, calls[ALICE], pair.now_ms);
    pair_run(&pair, 300);
    pair_forget(&pair);
    pair_run(&pair, 700000);
    pair_expect(&pair, "600210 bob > alice NOTIFY\n"
                       "600220 alice: transfer ended 603\n"
                       "600220 alice > bob 200 NOTIFY\n");
    end_all();
}

static unsigned answer_to(const char *method, unsigned cseq, const char *rows, const char *body)
{
    char branch[16];
    snprintf(branch, sizeof branch, "x%u", cseq);
    unsigned status = 0;
    pair_run(&pair, pair.now_ms + 50);
    pair_forget(&pair);
    memcpy(pair.ends[BOB].received, ack, sizeof ack);
    pair.ends[BOB].received_size = ack_size;
    pair_within(&pair, method, cseq, branch, rows, body);
    pair.trace_space[pair.trace.size] = '\0';
    char wanted[32];
    snprintf(wanted, sizeof wanted, " %s\n", method);
    for (const char *at = pair.trace_space; (at = strstr(at, "bob > alice ")) != NULL; at++) {
        const char *end = strstr(at, wanted);
        if (end != NULL && end - at < 20)
            sscanf(at, "bob > alice %u", &status);
    }
    return status;
}

#define TO_ALICE "Refer-To: <sip:alice@192.0.2.1>\r\n"
#define REPLACES "Replaces: 1;to-tag=a;from-tag=b\r\n"

/* R3515-2.4.2-2; what cannot be done is not begun: 2.4.2, R3261-19.1.5-2, -5. */
static void test_refused(void **state)
{
    static const struct {
        unsigned status;
        const char *rows, *body;
    } cases[] = {
        { 400, "", "" },
        { 400, "Refer-To: <sip:alice@192.0.2.1>, <sip:alice@192.0.2.1>\r\n", "" },
        { 400, "Refer-To: <sip:alice@192.0.2.1?Replaces=x>\r\n", "" },
        { 400,
          "Refer-To: <sip:alice@192.0.2.1?Replaces=1%0D%0AX:y%3Bto-tag%3D1%3Bfrom-tag%3D2>\r\n",
          "" },
        { 603, "Refer-To: <tel:+15551234567>\r\n", "" },
        { 603, "Refer-To: <sip:alice@192.0.2.1;method=BYE>\r\n", "" },
        { 415, TO_ALICE "Content-Type: text/plain\r\n", "hello" },
        { 200, TO_ALICE, "" },
        { 491, TO_ALICE, "" },
    };
    (void)state;
    establish();
    pair_lose(&pair, "NOTIFY", 100); /* Alice knows nothing of what is sent in her name. */
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(answer_to("REFER", 5 + i, cases[i].rows, cases[i].body), cases[i].status);
    pair.drops[0].count = 0;
    end_all();
}

/* Of these there is one: R3515-2.4.2-2, R3891-3-1, R3892-2.1-1. */
static void test_twice(void **state)
{
    static const char *const rows[] = { TO_ALICE TO_ALICE,
                                        TO_ALICE "Referred-By: <sip:a@b>\r\nb: <sip:a@b>\r\n",
                                        REPLACES REPLACES };
    (void)state;
    pair_init(&pair);
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[1024];
        struct ahoy_wire_effect effect;
        struct ahoy_event none;
        int size = snprintf(text, sizeof text,
                            "REFER sip:bob@192.0.2.2 SIP/2.0\r\n"
                            "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKt%u\r\n"
                            "From: <sip:alice@192.0.2.1>;tag=x\r\nTo: <sip:bob@192.0.2.2>;tag=y\r\n"
                            "Call-ID: by-hand\r\nCSeq: %u REFER\r\n%s\r\n",
                            i, i + 1, rows[i]);
        struct ahoy_wire_event event = {
            .kind = AHOY_WIRE_DATAGRAM,
            .hop = { .transport = AHOY_UDP, .remote = pair.ends[ALICE].listener.local },
            .bytes = { text, (size_t)size },
        };
        ahoy_stack_step(pair.ends[BOB].stack, &event, pair.now_ms);
        assert_false(ahoy_stack_event(pair.ends[BOB].stack, &none));
        assert_true(ahoy_stack_poll(pair.ends[BOB].stack, &effect));
        assert_memory_equal(effect.bytes.at, "SIP/2.0 400 ", 12);
    }
    pair_fini(&pair);
}

/* R3515-2.4.4-5, and nobody is sent anywhere from outside of a dialog. */
static void test_outside(void **state)
{
    (void)state;
    pair_init(&pair);
    pair_outside(&pair, "REFER", "bob", "a", TO_ALICE, "");
    assert_non_null(strstr(received(ALICE), "SIP/2.0 403 "));
    pair_outside(&pair, "SUBSCRIBE", "bob", "b", "Event: refer\r\n", "");
    assert_non_null(strstr(received(ALICE), "SIP/2.0 403 "));
    pair_outside(&pair, "SUBSCRIBE", "bob", "c", "Event: presence\r\n", "");
    assert_non_null(strstr(received(ALICE), "SIP/2.0 489 "));
    pair_fini(&pair);
}

/* R3515-2.4.4-5: whoever is told may ask for longer, or for no more. */
static void test_subscribed(void **state)
{
    (void)state;
    establish();
    transfer();
    assert_int_equal(answer_to("SUBSCRIBE", 6, "Event: refer;id=9\r\nExpires: 60\r\n", ""), 403);
    assert_int_equal(answer_to("SUBSCRIBE", 7, "Event: refer\r\nExpires: 60\r\n", ""), 200);
    assert_int_equal(answer_to("SUBSCRIBE", 8, "Event: reg\r\n", ""), 489);
    pair_run(&pair, 70000);
    assert_int_equal(pair.ends[ALICE].news.kind, AHOY_NEWS_TRANSFER_ENDED);
    assert_int_equal(pair.ends[ALICE].news.status, 603);
    assert_int_equal(answer_to("SUBSCRIBE", 9, "Event: refer\r\n", ""), 403);
    end_all();
}

/* R3892-2.2-1: Referred-By goes on as it came; of the headers of a Refer-To Replaces alone is
 * heard. */
static void test_what_goes_on(void **state)
{
    (void)state;
    establish();
    assert_int_equal(
        answer_to("REFER", 5,
                  "Refer-To: <sip:alice@192.0.2.1?Replaces=1%40h%3Bto-tag%3Da%3Bfrom-tag%3Db"
                  "&Route=%3Csip:192.0.2.9%3E&Require=replaces>\r\n"
                  "b:  \"A\"  <sip:a@b?x=y> ;z=\"w\"\r\n",
                  ""),
        200);
    accept();
    pair_run(&pair, pair.now_ms + 10);
    assert_memory_equal(received(ALICE), "INVITE sip:alice@192.0.2.1 SIP/2.0\r\n", 36);
    assert_non_null(strstr(received(ALICE), "\r\nReplaces: 1@h;to-tag=a;from-tag=b\r\n"));
    assert_non_null(strstr(received(ALICE), "\r\nRequire: replaces\r\n"));
    assert_non_null(strstr(received(ALICE), "\r\nb:  \"A\"  <sip:a@b?x=y> ;z=\"w\"\r\n"));
    assert_null(strstr(received(ALICE), "Route"));
    end_all();
}

/* R3891-4-1: the place of a call that is not answered, or of the call itself, is nobody's. */
static void test_not_answered(void **state)
{
    (void)state;
    establish();
    pair_call(&pair);
    pair_run(&pair, 300);
    struct ahoy_handle second = pair.ends[ALICE].session;
    assert_false(ahoy_ua_transfer_to(pair.ends[ALICE].ua, calls[ALICE], second, pair.now_ms));
    assert_false(ahoy_ua_transfer_to(pair.ends[ALICE].ua, second, calls[ALICE], pair.now_ms));
    assert_false(ahoy_ua_transfer_to(pair.ends[ALICE].ua, calls[ALICE], calls[ALICE], pair.now_ms));
    end_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blind),          cmocka_unit_test(test_in_vain),
        cmocka_unit_test(test_after_the_call), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_twice),          cmocka_unit_test(test_outside),
        cmocka_unit_test(test_subscribed),     cmocka_unit_test(test_what_goes_on),
        cmocka_unit_test(test_not_answered),

    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
