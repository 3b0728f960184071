/* Who may offer when, and what a description is: RFC 3264 4, RFC 6337 2.2 and 4, RFC 3311 5. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "libahoy/tu/offers.h"

enum { US = true, PEER = false };

static const struct ahoy_offers agreed = { .state = AHOY_OFFERS_AGREED, .is_established = true };

static void expect(struct ahoy_offers *offers, enum ahoy_carrier carrier, bool is_ours,
                   enum ahoy_description kind, enum ahoy_offers_state next)
{
    assert_int_equal(ahoy_offers_kind(offers, carrier, is_ours), kind);
    ahoy_offers_take(offers, carrier, is_ours);
    assert_int_equal(offers->state, next);
}

/* RFC 6337 table 1, patterns 1 to 4; R3261-13.2.1-1, -3 and -5: what comes after the answer is
 * neither. */
static void test_initial(void **state)
{
    (void)state;
    struct ahoy_offers offers = { .state = AHOY_OFFERS_ASKED };
    expect(&offers, AHOY_CARRIER_INVITE, US, AHOY_OFFER, AHOY_OFFERS_OURS);
    expect(&offers, AHOY_CARRIER_RELIABLE, PEER, AHOY_ANSWER, AHOY_OFFERS_AGREED);
    expect(&offers, AHOY_CARRIER_RELIABLE, PEER, AHOY_NEITHER, AHOY_OFFERS_AGREED);
    expect(&offers, AHOY_CARRIER_ACK, US, AHOY_NEITHER, AHOY_OFFERS_AGREED);
    offers = (struct ahoy_offers){ .state = AHOY_OFFERS_ASKED };
    expect(&offers, AHOY_CARRIER_RELIABLE, US, AHOY_OFFER, AHOY_OFFERS_OURS);
    expect(&offers, AHOY_CARRIER_RELIABLE, US, AHOY_NEITHER, AHOY_OFFERS_OURS);
    expect(&offers, AHOY_CARRIER_ACK, PEER, AHOY_ANSWER, AHOY_OFFERS_AGREED);
    offers = (struct ahoy_offers){ .state = AHOY_OFFERS_ASKED };
    expect(&offers, AHOY_CARRIER_RELIABLE, US, AHOY_OFFER, AHOY_OFFERS_OURS);
    expect(&offers, AHOY_CARRIER_PRACK, PEER, AHOY_ANSWER, AHOY_OFFERS_AGREED);
}

/* Patterns 5 and 6; none of them begins a session. */
static void test_later(void **state)
{
    (void)state;
    static const enum ahoy_carrier requests[] = { AHOY_CARRIER_PRACK, AHOY_CARRIER_UPDATE };
    for (size_t i = 0; i < 2; i++) {
        struct ahoy_offers offers = { .state = AHOY_OFFERS_ASKED };
        expect(&offers, requests[i], US, AHOY_NEITHER, AHOY_OFFERS_ASKED);
        offers = agreed;
        expect(&offers, requests[i], PEER, AHOY_OFFER, AHOY_OFFERS_THEIRS);
        expect(&offers, AHOY_CARRIER_SUCCESS, US, AHOY_ANSWER, AHOY_OFFERS_AGREED);
    }
}

/* R3264-4-1, R3264-4-2, R6337-4-1, R6337-4-2: one offer at a time, whoever made it. */
static void test_one_at_a_time(void **state)
{
    (void)state;
    for (unsigned is_ours = 0; is_ours < 2; is_ours++) {
        struct ahoy_offers offers = agreed;
        ahoy_offers_take(&offers, AHOY_CARRIER_UPDATE, US);
        for (enum ahoy_carrier carrier = 0; carrier < AHOY_CARRIER_COUNT; carrier++)
            assert_int_not_equal(ahoy_offers_kind(&offers, carrier, is_ours), AHOY_OFFER);
        assert_false(ahoy_offers_may_send(&offers, AHOY_METHOD_UPDATE, 0));
        assert_false(ahoy_offers_may_send(&offers, AHOY_METHOD_INVITE, 0));
    }
}

/* RFC 6337 4.1, figure 3: an INVITE's response that repeats its answer does not answer the UPDATE
 * that was sent meanwhile. */
static void test_crossing(void **state)
{
    (void)state;
    struct ahoy_offers offers = agreed;
    expect(&offers, AHOY_CARRIER_UPDATE, US, AHOY_OFFER, AHOY_OFFERS_OURS);
    expect(&offers, AHOY_CARRIER_RELIABLE, PEER, AHOY_NEITHER, AHOY_OFFERS_OURS);
    expect(&offers, AHOY_CARRIER_SUCCESS, PEER, AHOY_ANSWER, AHOY_OFFERS_AGREED);
}

/* R3261-14.1-4, R3311-5.3-1: what was refused was never offered. */
static void test_refused(void **state)
{
    (void)state;
    struct ahoy_offers offers = agreed;
    ahoy_offers_take(&offers, AHOY_CARRIER_INVITE, US);
    ahoy_offers_reject(&offers);
    assert_int_equal(offers.state, AHOY_OFFERS_AGREED);
    ahoy_offers_ask(&offers);
    assert_int_equal(offers.state, AHOY_OFFERS_ASKED);
    ahoy_offers_reject(&offers);
    assert_int_equal(offers.state, AHOY_OFFERS_AGREED);
    offers = (struct ahoy_offers){ .state = AHOY_OFFERS_ASKED };
    ahoy_offers_take(&offers, AHOY_CARRIER_INVITE, US);
    ahoy_offers_reject(&offers);
    assert_int_equal(offers.state, AHOY_OFFERS_ASKED);
}

#define OFFERED(who, in)                                                                           \
    {                                                                                              \
        AHOY_OFFERS_##who, AHOY_CARRIER_##in, true                                                 \
    }

/* RFC 6337 4.3, tables 3 and 4; R3311-5.2-2 and -3, R3261-14.2-1 and -2. */
static void test_glare(void **state)
{
    (void)state;
    static const struct {
        struct ahoy_offers offers;
        unsigned ongoing;
        unsigned invite, update; /* What refuses the peer's. */
        bool may_invite, may_update;
    } rows[] = {
        { OFFERED(AGREED, INVITE), 0, 0, 0, true, true },
        { OFFERED(OURS, INVITE), AHOY_ONGOING_OUR_INVITE, 491, 491, false, false },
        { OFFERED(AGREED, INVITE), AHOY_ONGOING_OUR_INVITE, 491, 0, false, true },
        { OFFERED(AGREED, INVITE), AHOY_ONGOING_OUR_INVITE | AHOY_ONGOING_OUR_PRACK, 491, 491,
          false, false },
        { OFFERED(OURS, UPDATE), AHOY_ONGOING_OUR_UPDATE, 491, 491, false, false },
        { OFFERED(THEIRS, INVITE), AHOY_ONGOING_THEIR_INVITE, 500, 500, false, false },
        { OFFERED(ASKED, INVITE), AHOY_ONGOING_THEIR_INVITE, 500, 500, false, false },
        { OFFERED(AGREED, INVITE), AHOY_ONGOING_THEIR_INVITE, 500, 0, false, true },
        { OFFERED(AGREED, INVITE), AHOY_ONGOING_THEIR_INVITE | AHOY_ONGOING_THEIR_PRACK, 500, 500,
          false, false },
        { OFFERED(OURS, RELIABLE), AHOY_ONGOING_THEIR_INVITE | AHOY_ONGOING_THEIR_PRACK, 500, 500,
          false, false }, /* Figure 6. */
        { OFFERED(OURS, RELIABLE), AHOY_ONGOING_THEIR_ACK, 491, 500, false, false },
        { OFFERED(AGREED, INVITE), AHOY_ONGOING_THEIR_ACK, 0, 0, false, true },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct ahoy_offers *offers = &rows[i].offers;
        unsigned ongoing = rows[i].ongoing;
        assert_int_equal(ahoy_offers_refuse(offers, AHOY_METHOD_INVITE, ongoing), rows[i].invite);
        assert_int_equal(ahoy_offers_refuse(offers, AHOY_METHOD_UPDATE, ongoing), rows[i].update);
        assert_int_equal(ahoy_offers_may_send(offers, AHOY_METHOD_INVITE, ongoing),
                         rows[i].may_invite);
        assert_int_equal(ahoy_offers_may_send(offers, AHOY_METHOD_UPDATE, ongoing),
                         rows[i].may_update);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_initial),       cmocka_unit_test(test_later),
        cmocka_unit_test(test_one_at_a_time), cmocka_unit_test(test_crossing),
        cmocka_unit_test(test_refused),       cmocka_unit_test(test_glare),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
