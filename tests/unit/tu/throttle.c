/* What is held back from neighbours, in virtual time (RFC 7339 5.4, 5.5, 5.9, 7.2). */
#include "libahoy/tu/throttle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static const struct ahoy_ip carrier = { .family = AHOY_IPV4,
                                        .port = 5060,
                                        .bytes = { 192, 0, 2, 9 } };

static struct ahoy_oc told(uint32_t loss, uint32_t validity_ms, uint64_t seq)
{
    return (struct ahoy_oc){
        .has_value = true, .is_loss = true, .loss = loss, .validity_ms = validity_ms, .seq = seq
    };
}

/* How many of 1000 requests are held back, of which so many percent are new. */
static unsigned count_held(struct ahoy_throttle *throttle, unsigned mix, uint64_t now_ms,
                           unsigned held[AHOY_URGENCY_COUNT])
{
    held[AHOY_URGENCY_NEW] = held[AHOY_URGENCY_KEPT] = 0;
    for (unsigned i = 0; i < 1000; i++) {
        enum ahoy_urgency urgency = i % 100 < mix ? AHOY_URGENCY_NEW : AHOY_URGENCY_KEPT;
        held[urgency] += ahoy_throttle_holds(throttle, &carrier, urgency, now_ms);
    }
    return held[AHOY_URGENCY_NEW] + held[AHOY_URGENCY_KEPT];
}

/* R7339-4.1-4, R7339-5.5-1, R7339-5.5-2: as much is held back as was asked for, new requests before
 * those of calls that stand. */
static void as_much_as_was_asked(void **state)
{
    (void)state;
    struct ahoy_throttle throttle = { .count = 0 };
    unsigned held[AHOY_URGENCY_COUNT];
    assert_int_equal(count_held(&throttle, 80, 0, held), 0);
    struct ahoy_oc oc = told(20, 500, 1);
    ahoy_throttle_answered(&throttle, &carrier, &oc, 1000);
    assert_int_equal(count_held(&throttle, 80, 1001, held), 200);
    assert_int_equal(held[AHOY_URGENCY_KEPT], 0);
    oc = told(90, 500, 2);
    ahoy_throttle_answered(&throttle, &carrier, &oc, 1000);
    assert_int_equal(count_held(&throttle, 80, 1001, held), 900);
    assert_int_equal(held[AHOY_URGENCY_KEPT], 100);
    oc = told(100, 500, 3);
    ahoy_throttle_answered(&throttle, &carrier, &oc, 1000);
    assert_int_equal(count_held(&throttle, 80, 1001, held), 1000);
    struct ahoy_ip other = carrier;
    other.port++;
    assert_false(ahoy_throttle_holds(&throttle, &other, AHOY_URGENCY_NEW, 1001));
}

/* The mix is what came in the last seconds. */
static void the_mix_is_followed(void **state)
{
    (void)state;
    struct ahoy_throttle throttle = { .count = 0 };
    unsigned held[AHOY_URGENCY_COUNT];
    struct ahoy_oc oc = told(10, 60000, 1);
    ahoy_throttle_answered(&throttle, &carrier, &oc, 0);
    (void)count_held(&throttle, 40, 1, held);
    (void)count_held(&throttle, 40, AHOY_THROTTLE_SAMPLE_MS, held);
    assert_int_equal(count_held(&throttle, 40, AHOY_THROTTLE_SAMPLE_MS + 1, held), 100);
    assert_int_equal(held[AHOY_URGENCY_NEW], 100);
}

/* R7339-5.4-1: for as long as was said; and older news changes nothing, unless the numbers have
 * begun again. */
static void as_long_as_was_said(void **state)
{
    (void)state;
    struct ahoy_throttle throttle = { .count = 0 };
    unsigned held[AHOY_URGENCY_COUNT];
    struct ahoy_oc oc = told(50, 500, 1282321615 * UINT64_C(100000));
    ahoy_throttle_answered(&throttle, &carrier, &oc, 1000);
    struct ahoy_oc late = told(0, 0, oc.seq - 1);
    ahoy_throttle_answered(&throttle, &carrier, &late, 1000);
    late.seq = oc.seq;
    ahoy_throttle_answered(&throttle, &carrier, &late, 1000);
    assert_in_range(count_held(&throttle, 80, 1499, held), 495, 500);
    assert_int_equal(count_held(&throttle, 80, 1500, held), 0);
    ahoy_throttle_answered(&throttle, &carrier, &oc, 1600); /* The same once more. */
    assert_int_equal(count_held(&throttle, 80, 1601, held), 0);
    oc = told(50, 500, 7);
    ahoy_throttle_answered(&throttle, &carrier, &oc, 2000);
    assert_in_range(count_held(&throttle, 80, 2001, held), 495, 500);
    oc = told(50, 0, 8); /* RFC 7339 5.7: the end. */
    ahoy_throttle_answered(&throttle, &carrier, &oc, 2002);
    assert_int_equal(count_held(&throttle, 80, 2003, held), 0);
}

/* What is not meant for us, or that we did not offer, is not obeyed. */
static void only_loss_counts(void **state)
{
    (void)state;
    struct ahoy_throttle throttle = { .count = 0 };
    unsigned held[AHOY_URGENCY_COUNT];
    struct ahoy_oc oc = told(50, 500, 1);
    oc.is_loss = false;
    ahoy_throttle_answered(&throttle, &carrier, &oc, 0);
    oc = told(50, 500, 1);
    oc.has_value = false;
    ahoy_throttle_answered(&throttle, &carrier, &oc, 0);
    assert_int_equal(count_held(&throttle, 80, 1, held), 0);
    assert_int_equal(throttle.count, 0);
}

/* R7339-5.9-1 to -3: who has not answered three times gets one request now and then, until he
 * answers. */
static void who_does_not_answer_is_left_alone(void **state)
{
    (void)state;
    struct ahoy_throttle throttle = { .count = 0 };
    for (unsigned i = 0; i < AHOY_THROTTLE_FAILURES; i++) {
        assert_false(ahoy_throttle_holds(&throttle, &carrier, AHOY_URGENCY_KEPT, i));
        ahoy_throttle_failed(&throttle, &carrier, i);
    }
    unsigned probes = 0;
    uint64_t last_ms = 0;
    uint64_t pause_ms = 0;
    for (uint64_t now_ms = 3; now_ms < 300000; now_ms++) {
        if (ahoy_throttle_holds(&throttle, &carrier, AHOY_URGENCY_KEPT, now_ms))
            continue;
        assert_true(probes < 2 || now_ms - last_ms >= pause_ms);
        pause_ms = now_ms - last_ms;
        last_ms = now_ms;
        probes++;
        ahoy_throttle_failed(&throttle, &carrier, now_ms);
    }
    assert_in_range(probes, 8, 16);
    assert_int_equal(pause_ms, AHOY_THROTTLE_PROBE_MOST_MS);
    ahoy_throttle_answered(&throttle, &carrier, NULL, 300000);
    assert_false(ahoy_throttle_holds(&throttle, &carrier, AHOY_URGENCY_NEW, 300000));
    assert_false(ahoy_throttle_holds(&throttle, &carrier, AHOY_URGENCY_NEW, 300000));
}

/* Too many: who has said least for the future is forgotten. */
static void the_list_has_a_limit(void **state)
{
    (void)state;
    struct ahoy_throttle throttle = { .count = 0 };
    for (unsigned i = 0; i < 2 * AHOY_THROTTLES_LIMIT; i++) {
        struct ahoy_ip ip = carrier;
        ip.port = (uint16_t)(6000 + i);
        struct ahoy_oc oc = told(100, 500, 1);
        ahoy_throttle_answered(&throttle, &ip, &oc, i);
        assert_true(ahoy_throttle_holds(&throttle, &ip, AHOY_URGENCY_NEW, i));
    }
    assert_int_equal(throttle.count, AHOY_THROTTLES_LIMIT);
    struct ahoy_ip first = carrier;
    first.port = 6000;
    assert_false(ahoy_throttle_holds(&throttle, &first, AHOY_URGENCY_NEW, 200));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_much_as_was_asked),
        cmocka_unit_test(the_mix_is_followed),
        cmocka_unit_test(as_long_as_was_said),
        cmocka_unit_test(only_loss_counts),
        cmocka_unit_test(who_does_not_answer_is_left_alone),
        cmocka_unit_test(the_list_has_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
