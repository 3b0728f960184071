/* What crosses on its way between two user agents, or comes in another order than it was sent
 * (RFC 5407, RFC 3261 12.2.2, 14.2). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/pair.h"

static struct pair pair;

/* RFC 5407 3.1.4: whoever changes a call before his ACK has come has got the 2xx. */
static void test_change_before_ack(void **state)
{
    (void)state;
    pair_establish(&pair);
    pair_within(&pair, "INVITE", 5, "first", PAIR_SDP_TYPE, PAIR_SDP("sendonly"));
    pair_forget(&pair);
    pair_within(&pair, "INVITE", 6, "second", PAIR_SDP_TYPE, PAIR_SDP("sendrecv"));
    pair_expect(&pair, "220 alice > bob INVITE\n"
                       "230 bob: changed\n"
                       "230 bob > alice 200 INVITE\n");
    pair_within(&pair, "ACK", 5, "late", "", "");
    pair_within(&pair, "ACK", 6, "soon", "", "");
    pair_forget(&pair);
    pair_run(&pair, 5000);
    pair_expect(&pair, ""); /* No 2xx comes again. */
    pair_hangup(&pair, ALICE);
    pair_hangup(&pair, BOB);
    pair_fini(&pair);
}

/* RFC 5407 3.1.5: but not where the 2xx held an offer, whose answer comes with the ACK. */
static void test_offers_collide(void **state)
{
    (void)state;
    pair_establish(&pair);
    pair_within(&pair, "INVITE", 5, "first", "", "");
    pair_forget(&pair);
    pair_within(&pair, "INVITE", 6, "second", PAIR_SDP_TYPE, PAIR_SDP("sendonly"));
    pair_expect(&pair, "220 alice > bob INVITE\n"
                       "230 bob > alice 491 INVITE\n");
    pair_within(&pair, "ACK", 6, "second", "", "");
    pair_within(&pair, "ACK", 5, "third", PAIR_SDP_TYPE, PAIR_SDP("sendrecv"));
    pair_expect(&pair, "240 alice > bob ACK\n"
                       "260 alice > bob ACK\n"
                       "270 bob: changed\n");
    pair_hangup(&pair, ALICE);
    pair_hangup(&pair, BOB);
    pair_fini(&pair);
}

/* RFC 5407 3.2.1: both hang up at once, and both BYEs are answered well. */
static void test_bye_crosses_bye(void **state)
{
    (void)state;
    pair_establish(&pair);
    pair_hangup(&pair, ALICE);
    pair_hangup(&pair, BOB);
    pair_run(&pair, 1000);
    pair_expect(&pair, "200 alice: ended by us\n"
                       "200 alice > bob BYE\n"
                       "200 bob: ended by us\n"
                       "200 bob > alice BYE\n"
                       "210 bob > alice 200 BYE\n"
                       "210 alice > bob 200 BYE\n");
    pair_fini(&pair);
}

/* R3261-14.2-1: one INVITE at a time; R3261-12.2.2-3: none from the past; attack 53. */
static void test_out_of_order(void **state)
{
    (void)state;
    pair_ringing(&pair);
    pair_forget(&pair);
    pair_within(&pair, "INVITE", 6, "second", PAIR_SDP_TYPE, PAIR_SDP("sendrecv"));
    pair_expect(&pair, "200 alice > bob INVITE\n"
                       "210 bob > alice 500 INVITE\n");
    assert_non_null(strstr(pair.ends[ALICE].received, "Retry-After:"));
    pair_within(&pair, "ACK", 6, "second", "", "");
    pair_answer(&pair, BOB);
    pair_run(&pair, 260);
    pair_forget(&pair);
    pair_within(&pair, "OPTIONS", 4, "old", "", "");
    pair_expect(&pair, "260 alice > bob OPTIONS\n"
                       "270 bob > alice 500 OPTIONS\n");
    pair_within(&pair, "ACK", 5, "third", "", "");
    pair_within(&pair, "PUBLISH", 7, "publish", "", "");
    pair_expect(&pair, "280 alice > bob ACK\n"
                       "300 alice > bob PUBLISH\n"
                       "310 bob > alice 405 PUBLISH\n");
    assert_non_null(strstr(pair.ends[ALICE].received, "Allow: INVITE"));
    pair_within(&pair, "BYE", 8, "bye", "", "");
    pair_within(&pair, "INVITE", 9, "late", PAIR_SDP_TYPE, PAIR_SDP("sendrecv"));
    pair_expect(&pair, "320 alice > bob BYE\n"
                       "330 bob: ended by the peer\n"
                       "330 bob > alice 200 BYE\n"
                       "340 alice > bob INVITE\n"
                       "350 bob > alice 481 INVITE\n");
    pair_hangup(&pair, ALICE);
    pair_fini(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_change_before_ack),
        cmocka_unit_test(test_offers_collide),
        cmocka_unit_test(test_bye_crosses_bye),
        cmocka_unit_test(test_out_of_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
