/* What a load counts by: when the next is due, and how long things took. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ahoy/load_histogram.h"
#include "ahoy/load_pace.h"

/* How many have had their turn after |ms|, where it is asked whenever it says. */
static uint64_t run(struct load_pace *pace, uint64_t ms)
{
    uint64_t now_ms = 0;
    while (now_ms <= ms) {
        pace->count += load_pace_due(pace, now_ms);
        uint64_t wait_ms = load_pace_wait_ms(pace, now_ms);
        assert_in_range(wait_ms, 1, LOAD_PACE_REST_MS);
        now_ms += wait_ms;
    }
    return pace->count;
}

static void test_even(void **state)
{
    struct load_pace pace = { .rate = { 10000, 10000 } };
    (void)state;
    assert_int_equal(load_pace_due(&pace, 0), 1);
    assert_in_range(run(&pace, 10000), 100, 101);
    struct load_pace slow = { .rate = { 500, 500 } }; /* One in two seconds. */
    assert_in_range(run(&slow, 10000), 5, 6);
    struct load_pace fast = { .rate = { 100000000, 100000000 } };
    assert_in_range(run(&fast, 1000), 100000, 100101);
}

/* From 0 on up to 100 a second within 10 s: half of that on average; and down again. */
static void test_ramp(void **state)
{
    struct load_pace up = { .rate = { 0, 100000 }, .ramp_ms = 10000 };
    struct load_pace down = { .rate = { 100000, 10000 }, .ramp_ms = 10000 };
    (void)state;
    assert_in_range(run(&up, 5000), 125, 127);
    assert_in_range(load_pace_due(&up, 10000) + up.count, 500, 502);
    assert_in_range(load_pace_due(&up, 20000) + up.count, 1500, 1502);
    assert_in_range(run(&down, 20000), 650, 652);
}

/* A step has 64 calls, but none lasts longer than 64 ms. */
static void test_step(void **state)
{
    struct load_pace none = { .rate = { 0, 0 } }, thousand = { .rate = { 1000000, 1000000 } };
    struct load_pace hundred = { .rate = { 100000, 100000 } };
    struct load_pace up = { .rate = { 0, 8000000 }, .ramp_ms = 1000 };
    struct load_pace most = { .rate = { 100000000, 100000000 } };
    (void)state;
    assert_int_equal(load_pace_step_us(&none, 5), LOAD_STEP_MOST_US);
    assert_int_equal(load_pace_step_us(&thousand, 5), 64000);
    assert_int_equal(load_pace_step_us(&hundred, 5), 64000);
    assert_int_equal(load_pace_step_us(&up, 0), LOAD_STEP_MOST_US);
    assert_in_range(load_pace_step_us(&up, 500), 15990, 16010); /* 4,000 a second. */
    assert_in_range(load_pace_step_us(&up, 2000), 7990, 8010);
    assert_int_equal(load_pace_step_us(&most, 5), LOAD_STEP_LEAST_US);
}

/* Half of what is due begins at once, half at the next look, and nothing else before the next step;
 * what is due no longer then does not begin. */
static void test_halves(void **state)
{
    struct load_pace pace = { 0 };
    (void)state;
    assert_int_equal(load_pace_take(&pace, 65, false), 0);
    assert_int_equal(load_pace_take(&pace, 65, true), 33);
    assert_int_equal(load_pace_take(&pace, 34, false), 32);
    assert_int_equal(load_pace_take(&pace, 4, false), 0);
    assert_int_equal(load_pace_take(&pace, 4, true), 2);
    assert_int_equal(load_pace_take(&pace, 1, false), 1);
    assert_int_equal(load_pace_take(&pace, 1, true), 1);
    assert_int_equal(load_pace_take(&pace, 1, false), 0);
    assert_int_equal(load_pace_take(&pace, 9, true), 5);
    assert_int_equal(load_pace_take(&pace, 0, false), 0);
}

/* The median of 1 to 10,000 us is told to within a sixteenth; small times exactly. */
static void test_histogram(void **state)
{
    static struct load_histogram times, few;
    (void)state;
    assert_int_equal(load_histogram_at(&times, 500), 0);
    for (uint64_t us = 1; us <= 10000; us++)
        load_histogram_add(&times, us);
    for (unsigned per_mille = 100; per_mille <= 1000; per_mille += 100) {
        uint64_t exact = per_mille * 10;
        assert_in_range(load_histogram_at(&times, per_mille), exact, exact + exact / 16);
    }
    assert_int_equal(load_histogram_at(&times, 1000), 10000);
    load_histogram_add(&few, 0);
    load_histogram_add(&few, 31);
    assert_int_equal(load_histogram_at(&few, 500), 0);
    assert_int_equal(load_histogram_at(&few, 990), 31);
    load_histogram_add(&few, UINT64_MAX);
    assert_true(few.most_us == UINT64_MAX);
    assert_true(load_histogram_at(&few, 1000) >= UINT64_C(1) << 35);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_even), cmocka_unit_test(test_ramp),
                                        cmocka_unit_test(test_step), cmocka_unit_test(test_halves),
                                        cmocka_unit_test(test_histogram) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
