/* Session timers (RFC 4028): the terms, and two phones who refresh, or do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "libahoy/tu/session_timer.h"
#include "tests/support/pair.h"

#define OPEN AHOY_REFRESHER_OPEN
#define UAC  AHOY_REFRESHER_UAC
#define UAS  AHOY_REFRESHER_UAS

static struct pair pair;
static struct ahoy_handle calls[2];

/* R4028-9-3 to -7: table 2, who knows what, what is asked for and what is granted. */
static void test_granted(void **state)
{
    static const struct {
        struct ahoy_session_terms asked;
        bool is_ours;
        uint32_t wanted_s, interval_s;
        const char *rows;
    } cases[] = {
        { { false, OPEN, 200, 0 }, false, 1800, 200, "Session-Expires: 200;refresher=uas\r\n" },
        { { false, OPEN, 0, 0 }, false, 1800, 0, "" },
        { { false, OPEN, 50, 0 }, false, 1800, 0, "" },
        { { true, OPEN, 200, 0 },
          false,
          1800,
          200,
          "Session-Expires: 200;refresher=uac\r\nRequire: timer\r\n" },
        { { true, OPEN, 200, 0 },
          true,
          1800,
          200,
          "Session-Expires: 200;refresher=uas\r\nRequire: timer\r\n" },
        { { true, UAC, 4000, 0 },
          true,
          1800,
          4000,
          "Session-Expires: 4000;refresher=uac\r\nRequire: timer\r\n" },
        { { true, UAS, 200, 100 },
          false,
          0,
          200,
          "Session-Expires: 200;refresher=uas\r\nRequire: timer\r\n" },
        { { true, OPEN, 0, 0 }, false, 0, 0, "" },
        { { true, OPEN, 0, 2000 },
          false,
          1800,
          2000,
          "Session-Expires: 2000;refresher=uac\r\nRequire: timer\r\n" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char space[256];
        struct ahoy_buf rows = ahoy_buf_over(space, sizeof space - 1);
        struct ahoy_session_timer timer = { .is_ours = cases[i].is_ours };
        struct ahoy_session_terms granted =
            ahoy_session_timer_grant(&timer, &cases[i].asked, cases[i].wanted_s);
        assert_int_equal(granted.interval_s, cases[i].interval_s);
        ahoy_session_terms_put(&granted, &rows);
        space[rows.size] = '\0';
        assert_string_equal(space, cases[i].rows);
    }
}

static void establish(uint32_t alice_s, uint32_t bob_s)
{
    pair_init_timed(&pair, alice_s, bob_s);
    pair_call(&pair);
    pair_run(&pair, 100);
    pair_answer(&pair, BOB);
    pair_run(&pair, 200);
    calls[ALICE] = pair.ends[ALICE].session;
    calls[BOB] = pair.ends[BOB].session;
    pair_forget(&pair);
}

static void end_all(void)
{
    ahoy_ua_hangup(pair.ends[ALICE].ua, calls[ALICE], pair.now_ms);
    ahoy_ua_hangup(pair.ends[BOB].ua, calls[BOB], pair.now_ms);
    pair_settle(&pair);
    pair_fini(&pair);
}

static const char *received(unsigned end)
{
    return pair.ends[end].received;
}

/* R4028-7.2-1, -2, -4, R4028-7.4-1, R4028-9-6, -7: whoever is to refresh does so at half the
 * time, by UPDATE without an offer (7.4), and roles stay as they are. */
static void test_refreshed(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 2; round++) {
        /* Bob's wish alone is granted to alice to refresh, as hers is. */
        establish(round == 0 ? 90 : 0, round == 0 ? 0 : 90);
        pair_run(&pair, 95000);
        pair_expect(&pair, "45110 alice > bob UPDATE\n"
                           "45120 bob > alice 200 UPDATE\n"
                           "90130 alice > bob UPDATE\n"
                           "90140 bob > alice 200 UPDATE\n");
        assert_non_null(strstr(received(BOB), "\r\nSession-Expires: 90;refresher=uac\r\n"));
        assert_non_null(strstr(received(BOB), "\r\nSupported: 100rel, timer, replaces\r\n"));
        assert_non_null(strstr(received(BOB), "\r\nContent-Length: 0\r\n"));
        assert_non_null(strstr(received(ALICE), "\r\nSession-Expires: 90;refresher=uac\r\n"));
        assert_non_null(strstr(received(ALICE), "\r\nRequire: timer\r\n"));
        end_all();
    }
}

/* A change refreshes too (7.2); then nothing is due before. */
static void test_changed(void **state)
{
    (void)state;
    establish(90, 90);
    pair_run(&pair, 30000);
    ahoy_ua_hold(pair.ends[BOB].ua, calls[BOB], pair.now_ms);
    pair_run(&pair, 74000);
    pair_expect(&pair, "30000 bob > alice INVITE\n"
                       "30010 alice: changed\n"
                       "30010 alice > bob 200 INVITE\n"
                       "30020 bob: changed\n"
                       "30020 bob > alice ACK\n");
    assert_non_null(strstr(received(BOB), "\r\nSession-Expires: 90;refresher=uas\r\n"));
    pair_run(&pair, 76000);
    pair_expect(&pair, "75010 alice > bob UPDATE\n"
                       "75020 bob > alice 200 UPDATE\n");
    end_all();
}

/* 10: without an answer the call is ended by who refreshes, without a refresh by who does not, a
 * third of the time before it is over. */
static void test_not_refreshed(void **state)
{
    (void)state;
    establish(90, 90);
    pair_lose(&pair, "UPDATE", 100);
    pair_lose(&pair, "BYE", 100);
    pair_run(&pair, 78000);
    pair.trace_space[pair.trace.size] = '\0';
    assert_non_null(strstr(pair.trace_space, "60100 bob: ended by the network\n"));
    assert_non_null(strstr(pair.trace_space, "alice: ended by the network\n"));
    pair.drops[0].count = pair.drops[1].count = 0;
    end_all();
}

/* R4028-6-1, R4028-9-1, -2, R4028-4-1, R4028-5-1: less than 90 s is refused.  R4028-5-2: Min-SE
 * stands nowhere else. */
static void test_too_short(void **state)
{
    (void)state;
    pair_init(&pair);
    pair_outside(&pair, "INVITE", "bob", "a", "Supported: timer\r\nSession-Expires: 60\r\n", "");
    assert_memory_equal(received(ALICE), "SIP/2.0 422 ", 12);
    assert_non_null(strstr(received(ALICE), "\r\nMin-SE: 90\r\n"));
    pair_fini(&pair);
    establish(90, 90);
    pair_within(&pair, "UPDATE", 5, "b", "k: timer\r\nx: 89;refresher=uac\r\n", "");
    assert_memory_equal(received(ALICE), "SIP/2.0 422 ", 12);
    pair_within(&pair, "UPDATE", 6, "c", "k: timer\r\nx: 120;refresher=uac\r\nMin-SE: 100\r\n", "");
    assert_memory_equal(received(ALICE), "SIP/2.0 200 ", 12);
    assert_non_null(strstr(received(ALICE), "\r\nSession-Expires: 120;refresher=uac\r\n"));
    assert_null(strstr(received(ALICE), "Min-SE"));
    ahoy_ua_hold(pair.ends[BOB].ua, calls[BOB], pair.now_ms);
    pair_run(&pair, pair.now_ms + 10);
    assert_non_null(strstr(received(ALICE), "\r\nMin-SE: 100\r\n")); /* R4028-7.4-2 */
    end_all();
}

/* Bob by hand. */
static const char *answers[8]; /* Status and rows, to what comes in turn; NULL: the last. */
static unsigned answered;

static void play_bob(struct pair *at, const struct ahoy_message *message)
{
    char rows[256];
    if (!message->is_request || message->method == AHOY_METHOD_ACK)
        return;
    if (message->method == AHOY_METHOD_BYE) {
        pair_reply(at, message, 200, "b", "", "");
        return;
    }
    const char *answer = answers[answered];
    unsigned status = (unsigned)strtoul(answer, NULL, 10);
    answered += answers[answered + 1] != NULL;
    bool describes = status == 200 && message->method == AHOY_METHOD_INVITE;
    snprintf(rows, sizeof rows, "Contact: <sip:bob@192.0.2.2>\r\n%s%s", answer + 4,
             describes ? PAIR_SDP_TYPE : "");
    pair_reply(at, message, status, "b", rows, describes ? PAIR_SDP("sendrecv") : "");
}

static void script(const char *first, const char *second, const char *third, uint32_t alice_s)
{
    answers[0] = first;
    answers[1] = second;
    answers[2] = third;
    answered = 0;
    pair_init_timed(&pair, alice_s, 0);
    pair.script = play_bob;
    pair_call(&pair);
    pair_run(&pair, 200);
    calls[ALICE] = pair.ends[ALICE].session;
}

/* R4028-7.2-3: bob refreshes, or does not. */
static void test_peer_refreshes(void **state)
{
    (void)state;
    script("200 Require: timer\r\nSession-Expires: 90;refresher=uas\r\n", NULL, NULL, 90);
    pair_forget(&pair);
    pair_run(&pair, 61000);
    pair_expect(&pair, "60020 alice: ended by the network\n"
                       "60020 alice > bob BYE\n"
                       "60030 bob > alice 200 BYE\n");
    end_all();
}

/* R4028-7.1-4, R4028-7.4-2 to -4: a 422 is obeyed, with the largest Min-SE, which is forgotten with
 * the dialog; one that asks for no more is not. */
static void test_raised(void **state)
{
    (void)state;
    script("422 Min-SE: 200\r\n", "422 Min-SE: 300\r\n",
           "200 Require: timer\r\nSession-Expires: 300;refresher=uac\r\n", 90);
    assert_int_equal(pair.ends[ALICE].news.kind, AHOY_NEWS_ANSWERED);
    pair_forget(&pair);
    answers[3] = "422 Min-SE: 400\r\n";
    answers[4] = "200 Session-Expires: 400;refresher=uac\r\n";
    answered = 3;
    pair_run(&pair, 151000);
    pair_expect(&pair, "150060 alice > bob INVITE\n"
                       "150070 bob > alice 422 INVITE\n"
                       "150080 alice > bob ACK\n"
                       "150080 alice > bob INVITE\n"
                       "150090 bob > alice 200 INVITE\n"
                       "150100 alice > bob ACK\n");
    pair_run(&pair, 350115);
    assert_non_null(strstr(received(BOB), "\r\nSession-Expires: 400;refresher=uac\r\n"
                                          "Min-SE: 400\r\n"));
    end_all();
    script("422 Min-SE: 200\r\n", "422 Min-SE: 200\r\n", NULL, 90);
    assert_int_equal(pair.ends[ALICE].news.kind, AHOY_NEWS_REFUSED);
    end_all();
}

static void test_initial_rows(void **state)
{
    (void)state;
    script("422 Min-SE: 200\r\n", "100 \r\n", NULL, 90);
    /* R4028-7.1-4, R4028-7.4-3 */
    assert_non_null(strstr(received(BOB), "\r\nSession-Expires: 200\r\nMin-SE: 200\r\n"));
    answers[0] = "200 \r\n";
    answered = 0;
    end_all();
}

/* Who knows nothing of it is refreshed by re-INVITE, with the offer as it was (R4028-7.4-5): 7.2.
 * What he refuses is tried again, not without end. */
static void test_alone(void **state)
{
    char origin[128];
    (void)state;
    script("200 ", "200 ", NULL, 90);
    const char *line = strstr(received(BOB), "SIP/2.0"); /* The ACK. */
    assert_non_null(line);
    pair_run(&pair, 45040);
    line = strstr(received(BOB), "\r\no=");
    assert_non_null(line);
    snprintf(origin, sizeof origin, "%.*s", (int)strcspn(line + 2, "\r"), line + 2);
    assert_non_null(strstr(origin, " 1 IN IP4 "));
    pair_forget(&pair);
    answers[1] = "488 ";
    answered = 1;
    pair_run(&pair, 150000);
    pair.trace_space[pair.trace.size] = '\0';
    unsigned count = 0;
    for (const char *at = pair.trace_space; (at = strstr(at, "bob > alice 488")) != NULL; at++)
        count++;
    assert_in_range(count, 1, 4);
    assert_non_null(strstr(pair.trace_space, "alice: ended by the network\n"));
    end_all();
}

/* Whoever said that he takes UPDATE and does not is asked by INVITE. */
static void test_no_update(void **state)
{
    (void)state;
    script("200 Allow: UPDATE\r\n", "501 ", "200 ", 180);
    pair_forget(&pair);
    pair_run(&pair, 140000);
    pair_expect(&pair, "90020 alice > bob UPDATE\n"
                       "90030 bob > alice 501 UPDATE\n"
                       "90040 alice > bob INVITE\n"
                       "90050 bob > alice 200 INVITE\n"
                       "90060 alice > bob ACK\n");
    end_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_granted),        cmocka_unit_test(test_refreshed),
        cmocka_unit_test(test_peer_refreshes), cmocka_unit_test(test_changed),
        cmocka_unit_test(test_not_refreshed),  cmocka_unit_test(test_too_short),
        cmocka_unit_test(test_raised),         cmocka_unit_test(test_initial_rows),
        cmocka_unit_test(test_alone),          cmocka_unit_test(test_no_update),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
