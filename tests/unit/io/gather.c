/* When a driver rests: in virtual time. */
#include "libahoy/io/gather.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { BEGIN_US = 1000000 };

/* Turns of |events| each |every_us|, for |for_us| from |now_us| on; returns how many rested. */
static unsigned run(struct ahoy_gather *gather, unsigned events, uint64_t every_us, uint64_t now_us,
                    uint64_t for_us)
{
    unsigned rests = 0;
    for (uint64_t end_us = now_us + for_us; now_us < end_us; now_us += every_us)
        rests += ahoy_gather_turn(gather, events, true, now_us) > 0;
    return rests;
}

static void a_rush_rests(void **state)
{
    (void)state;
    struct ahoy_gather gather = { 0 };
    /* The first window is one with a long quiet time. */
    assert_int_equal(run(&gather, 5, 50, BEGIN_US, AHOY_GATHER_WINDOW_US), 0);
    assert_int_equal(run(&gather, 5, 50, BEGIN_US + AHOY_GATHER_WINDOW_US, 10000), 200);
    /* What rests goes on resting at the same rate, in turns that are fewer and larger. */
    assert_int_equal(run(&gather, 20, 200, BEGIN_US + 12000, 10000), 50);
}

static void fewer_do_not(void **state)
{
    (void)state;
    struct ahoy_gather one = { 0 };
    struct ahoy_gather many = { 0 };
    assert_int_equal(run(&one, 1, 21, BEGIN_US, 100000), 0);
    assert_int_equal(run(&many, 24, 500, BEGIN_US, 100000), 0);
    assert_true(run(&one, 1, 20, BEGIN_US + 100000, 100000) > 4000);
}

static void whoever_comes_after_a_rush_does_not_wait(void **state)
{
    (void)state;
    struct ahoy_gather gather = { 0 };
    assert_true(run(&gather, 10, 50, BEGIN_US, 20000) > 0);
    assert_int_equal(ahoy_gather_turn(&gather, 1, true, BEGIN_US + 1020000), 0);
    assert_int_equal(ahoy_gather_turn(&gather, 1, true, BEGIN_US + 1020010), 0);
}

/* Who has more to read, or had nothing, has no reason to rest. */
static void only_a_turn_that_ran_dry_rests(void **state)
{
    (void)state;
    struct ahoy_gather gather = { 0 };
    assert_true(run(&gather, 10, 50, BEGIN_US, 20000) > 0);
    assert_int_equal(ahoy_gather_turn(&gather, 10, false, BEGIN_US + 20000), 0);
    assert_int_equal(ahoy_gather_turn(&gather, 0, true, BEGIN_US + 20010), 0);
    assert_int_equal(ahoy_gather_turn(&gather, 10, true, BEGIN_US + 20020), AHOY_GATHER_US);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rush_rests),
        cmocka_unit_test(fewer_do_not),
        cmocka_unit_test(whoever_comes_after_a_rush_does_not_wait),
        cmocka_unit_test(only_a_turn_that_ran_dry_rests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
