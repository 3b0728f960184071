/* RFC 2782: by priority, then by chance, as the weights say. */
#include "libahoy/resolve/weigh.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

enum { PICKS = 10000 };

static void seed(struct ahoy_rng *rng, uint64_t number)
{
    const uint64_t seeds[2] = { number, 3 };
    ahoy_rng_init(rng, seeds);
}

/* How often the first one taken has which port; ports are 0, 1 ... */
static void count_first(const struct ahoy_choice *list, size_t count, uint64_t number,
                        unsigned firsts[])
{
    struct ahoy_rng rng;
    seed(&rng, number);
    for (unsigned i = 0; i < PICKS; i++) {
        struct ahoy_choice copy[8];
        size_t left = count;
        memcpy(copy, list, count * sizeof *list);
        firsts[ahoy_choice_take(copy, &left, &rng).port]++;
        assert_int_equal(left, count - 1);
    }
}

/* Chi-square with 3 degrees of freedom: one good seed in a thousand would reach 16.27. */
static void test_weights(void **state)
{
    (void)state;
    const struct ahoy_choice list[] = {
        { 10, 10, 0, SPAN_INIT("") }, { 10, 20, 1, SPAN_INIT("") },  { 10, 30, 2, SPAN_INIT("") },
        { 10, 40, 3, SPAN_INIT("") }, { 20, 900, 4, SPAN_INIT("") },
    };
    for (uint64_t number = 1; number <= 8; number++) {
        unsigned firsts[5] = { 0 };
        double chi = 0;
        count_first(list, 5, number, firsts);
        for (unsigned i = 0; i < 4; i++) {
            double expected = PICKS * list[i].weight / 100.0;
            chi += (firsts[i] - expected) * (firsts[i] - expected) / expected;
        }
        assert_int_equal(firsts[4], 0);
        assert_true(chi < 16.27);
    }
}

/* "A very small chance": one in the sum and one; and all alike where all have none. */
static void test_without_weight(void **state)
{
    (void)state;
    const struct ahoy_choice rare[] = { { 1, 99, 0, SPAN_INIT("") }, { 1, 0, 1, SPAN_INIT("") } };
    const struct ahoy_choice alike[] = { { 1, 0, 0, SPAN_INIT("") },
                                         { 1, 0, 1, SPAN_INIT("") },
                                         { 1, 0, 2, SPAN_INIT("") },
                                         { 1, 0, 3, SPAN_INIT("") } };
    unsigned firsts[4] = { 0 };
    count_first(rare, 2, 1, firsts);
    assert_true(firsts[1] > 50 && firsts[1] < 160);
    unsigned even[4] = { 0 };
    double chi = 0;
    count_first(alike, 4, 1, even);
    for (unsigned i = 0; i < 4; i++)
        chi += (even[i] - PICKS / 4.0) * (even[i] - PICKS / 4.0) / (PICKS / 4.0);
    assert_true(chi < 16.27);
}

/* All of one priority before any of the next, each once. */
static void test_priorities(void **state)
{
    (void)state;
    for (uint64_t number = 0; number < 200; number++) {
        struct ahoy_choice list[] = {
            { 30, 0, 0, SPAN_INIT("") },         { 10, UINT16_MAX, 1, SPAN_INIT("") },
            { UINT16_MAX, 1, 2, SPAN_INIT("") }, { 10, 0, 3, SPAN_INIT("") },
            { 30, 7, 4, SPAN_INIT("") },         { UINT16_MAX, 0, 5, SPAN_INIT("") },
        };
        struct ahoy_rng rng;
        size_t left = 6;
        unsigned seen = 0, last = 0;
        seed(&rng, number);
        while (left > 0) {
            struct ahoy_choice choice = ahoy_choice_take(list, &left, &rng);
            assert_true(choice.priority >= last);
            last = choice.priority;
            seen |= 1u << choice.port;
        }
        assert_int_equal(seen, 63);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_weights),
        cmocka_unit_test(test_without_weight),
        cmocka_unit_test(test_priorities),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
