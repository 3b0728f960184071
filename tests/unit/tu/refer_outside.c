/* REFER outside of calls (RFC 3515; RFC 5359 2.18): alice asks bob's phone to call carol.  The
 * subscription has a dialog of its own, which ends with what is told (RFC 6665 4.4.1). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/pair.h"

#define TARGET "Refer-To: <sip:carol@192.0.2.3>\r\n"

static struct pair pair;
static struct ahoy_handle asked; /* Alice's. */

static void refer(void)
{
    asked = ahoy_ua_refer(pair.ends[ALICE].ua, SPAN("sip:bob@192.0.2.2"),
                          SPAN("sip:carol@192.0.2.3"), pair.now_ms);
    assert_true(asked.generation != 0);
    pair_settle(&pair);
}

static void assert_rows(const char *text)
{
    assert_non_null(strstr(pair.ends[ALICE].received, text));
}

/* R3515-2-1, R3515-2.4.1-1, R3515-2.4.2-4, R3515-2.4.7-1: the program of bob's is told who asks,
 * and says no. */
static void test_declined(void **state)
{
    (void)state;
    pair_init_trusting(&pair);
    refer();
    pair_run(&pair, 35);
    pair_expect(&pair, "0 alice > bob REFER\n"
                       "10 bob: transfer asked\n"
                       "10 bob > alice 200 REFER\n"
                       "10 bob > alice NOTIFY\n"
                       "20 alice: transfer accepted\n"
                       "20 alice: transfer progress 100\n"
                       "20 alice > bob 200 NOTIFY\n");
    struct span target = { pair.ends[BOB].news.text, pair.ends[BOB].news.text_size };
    assert_true(ahoy_span_equal(target, SPAN("sip:carol@192.0.2.3")));
    assert_true(ahoy_span_equal(ahoy_ua_notice(pair.ends[BOB].ua), SPAN("sip:alice@192.0.2.1")));
    assert_rows("Event: refer\r\n"); /* It is the first: R3515-2.4.6-1. */
    ahoy_ua_refuse_transfer(pair.ends[BOB].ua, pair.ends[BOB].news.session, pair.now_ms);
    pair_settle(&pair);
    pair_run(&pair, 100);
    pair_expect(&pair, "35 bob > alice NOTIFY\n"
                       "45 alice: transfer ended 603\n"
                       "45 alice > bob 200 NOTIFY\n");
    assert_rows("Subscription-State: terminated;reason=noresource\r\n");
    pair_fini(&pair);
}

/* R3515-2.4.2-1: he agrees.  His call finds nobody. */
static void test_called(void **state)
{
    const struct ahoy_ip media = { .family = AHOY_IPV4, .port = 4000, .bytes = { 192, 0, 2, 2 } };
    (void)state;
    pair_init_trusting(&pair);
    refer();
    pair_run(&pair, 35);
    pair_forget(&pair);
    struct ahoy_handle session = pair.ends[BOB].news.session;
    assert_true(
        ahoy_ua_accept_transfer(pair.ends[BOB].ua, session, &media, pair.now_ms).generation != 0);
    pair_settle(&pair);
    pair_run(&pair, 100);
    pair_expect(&pair, "35 bob > alice INVITE\n"
                       "45 alice > bob 404 INVITE\n"
                       "55 bob: refused 404\n"
                       "55 bob > alice ACK\n"
                       "55 bob > alice NOTIFY\n"
                       "65 alice: transfer ended 404\n"
                       "65 alice > bob 200 NOTIFY\n");
    pair_fini(&pair);
}

/* The answer is lost, and the NOTIFY makes the dialog: R3515-2.4.4-4. */
static void test_told_first(void **state)
{
    (void)state;
    pair_init_trusting(&pair);
    pair_lose(&pair, "200 REFER", 1);
    refer();
    pair_run(&pair, 600);
    pair_expect(&pair, "0 alice > bob REFER\n"
                       "10 bob: transfer asked\n"
                       "10 bob > alice 200 REFER lost\n"
                       "10 bob > alice NOTIFY\n"
                       "20 alice: transfer progress 100\n"
                       "20 alice > bob 200 NOTIFY\n"
                       "500 alice > bob REFER\n"
                       "510 bob > alice 200 REFER\n"
                       "520 alice: transfer accepted\n");
    ahoy_ua_hangup(pair.ends[ALICE].ua, asked, pair.now_ms); /* She does not want to hear more. */
    pair_run(&pair, 700);
    pair_expect(&pair, "600 alice: transfer ended 487\n");
    ahoy_ua_refuse_transfer(pair.ends[BOB].ua, pair.ends[BOB].news.session, pair.now_ms);
    pair_settle(&pair);
    pair_run(&pair, 800);
    pair_expect(&pair, "700 bob > alice NOTIFY\n710 alice > bob 481 NOTIFY\n");
    pair_fini(&pair);
}

/* The value of tag in the row |name| of what alice got last. */
static struct span tag_of(const char *name)
{
    const char *row = strstr(pair.ends[ALICE].received, name);
    assert_non_null(row);
    const char *tag = strstr(row, ";tag=");
    assert_non_null(tag);
    return (struct span){ tag + 5, strcspn(tag + 5, "\r;") };
}

/* Answer and NOTIFY are of one dialog (12.1.1), which has the route that REFER has come by. */
static void test_one_dialog(void **state)
{
    char tag[64];
    (void)state;
    pair_init_trusting(&pair);
    pair_lose(&pair, "NOTIFY", 1);
    pair_outside(&pair, "REFER", "bob", "1",
                 TARGET "Record-Route: <sip:192.0.2.1;lr;x>\r\n", "");
    pair_run(&pair, 100);
    assert_rows("SIP/2.0 200 ");
    assert_rows("\r\nRecord-Route: <sip:192.0.2.1;lr;x>\r\n");
    struct span ours = tag_of("\r\nTo: ");
    assert_in_range(ours.size, 1, sizeof tag);
    memcpy(tag, ours.at, ours.size);
    pair_run(&pair, 600);
    assert_rows("NOTIFY sip:alice@192.0.2.1 ");
    assert_rows("\r\nRoute: <sip:192.0.2.1;lr;x>\r\n");
    assert_true(ahoy_span_equal(tag_of("\r\nFrom: "), (struct span){ tag, ours.size }));
    pair_fini(&pair);
}

/* Nobody decides: for ten minutes. */
static void test_undecided(void **state)
{
    (void)state;
    pair_init_trusting(&pair);
    refer();
    pair_run(&pair, 35);
    pair_forget(&pair);
    pair_run(&pair, 700000);
    pair_expect(&pair, "600010 bob > alice NOTIFY\n"
                       "600020 alice: transfer ended 603\n"
                       "600020 alice > bob 200 NOTIFY\n");
    pair_fini(&pair);
}

/* Nobody makes a phone dial that does not want to be asked; and it says nothing for a while. */
static void test_unwilling(void **state)
{
    (void)state;
    pair_init(&pair);
    refer();
    pair_run(&pair, 100);
    pair_expect(&pair, "0 alice > bob REFER\n"
                       "10 bob > alice 403 REFER\n"
                       "20 alice: transfer ended 403\n");
    pair_lose(&pair, "REFER", 100);
    refer();
    pair_run(&pair, 40000);
    pair.trace_space[pair.trace.size] = '\0';
    assert_non_null(strstr(pair.trace_space, "32100 alice: transfer ended 408\n"));
    pair_fini(&pair);
    const struct ahoy_handle none = { 0, 0 };
    static const char *const bad[] = { "tel:1", "sip:x@192.0.2.2?Subject=x",
                                       "sip:x@192.0.2.2;method=BYE" };
    pair_init(&pair);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct ahoy_ua *ua = pair.ends[ALICE].ua;
        struct span good = SPAN("sip:bob@192.0.2.2"), uri = ahoy_span(bad[i]);
        assert_true(ahoy_handle_equal(ahoy_ua_refer(ua, good, uri, 0), none));
        assert_true(ahoy_handle_equal(ahoy_ua_refer(ua, uri, good, 0), none));
    }
    pair_fini(&pair);
}

/* R3515-2.4.2-2; and what nobody could agree to. */
static void test_refused(void **state)
{
    static const struct {
        const char *rows;
        unsigned status;
    } cases[] = {
        { "", 400 },
        { "Refer-To: <tel:1>\r\n", 603 },
        { "Refer-To: <sip:carol@192.0.2.3;method=BYE>\r\n", 603 },
        { TARGET "Require: norefersub\r\n", 420 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char wanted[64];
        snprintf(wanted, sizeof wanted, " bob > alice %u REFER\n", cases[i].status);
        pair_init_trusting(&pair);
        pair_outside(&pair, "REFER", "bob", "1", cases[i].rows, "");
        pair.trace_space[pair.trace.size] = '\0';
        assert_non_null(strstr(pair.trace_space, wanted));
        assert_null(strstr(pair.trace_space, "transfer asked"));
        pair_fini(&pair);
    }
}

/* By two branches of a fork he is asked once (8.2.2.2). */
static void test_merged(void **state)
{
    (void)state;
    pair_init_trusting(&pair);
    pair_lose(&pair, "NOTIFY", 100); /* Nobody knows of it at alice's. */
    pair_outside(&pair, "REFER", "bob", "1", TARGET, "");
    pair_forget(&pair);
    pair_outside(&pair, "REFER", "bob", "2", TARGET, "");
    pair.trace_space[pair.trace.size] = '\0';
    assert_non_null(strstr(pair.trace_space, " bob > alice 482 REFER\n"));
    assert_null(strstr(pair.trace_space, "transfer asked"));
    pair_fini(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_declined),   cmocka_unit_test(test_called),
        cmocka_unit_test(test_told_first), cmocka_unit_test(test_undecided),
        cmocka_unit_test(test_unwilling),  cmocka_unit_test(test_refused),
        cmocka_unit_test(test_merged),     cmocka_unit_test(test_one_dialog),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
