/* Numbers that replay from their seed, are spread evenly, and never repeat in a token. */
#include "libahoy/base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static struct ahoy_rng seeded(uint64_t first, uint64_t second)
{
    struct ahoy_rng rng;
    ahoy_rng_init(&rng, (const uint64_t[2]){ first, second });
    return rng;
}

static void test_same_seed_same_sequence(void **state)
{
    (void)state;
    struct ahoy_rng a = seeded(1, 2);
    struct ahoy_rng b = seeded(1, 2);
    for (int i = 0; i < 1000; i++)
        assert_true(ahoy_rng_next(&a) == ahoy_rng_next(&b));
}

static void test_each_half_of_the_seed_counts(void **state)
{
    (void)state;
    struct ahoy_rng a = seeded(1, 2);
    struct ahoy_rng b = seeded(3, 2);
    struct ahoy_rng c = seeded(1, 3);
    uint64_t first = ahoy_rng_next(&a);
    assert_true(first != ahoy_rng_next(&b));
    assert_true(first != ahoy_rng_next(&c));
}

static int by_value(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static void test_no_number_twice(void **state)
{
    (void)state;
    enum { COUNT = 20000 };
    static uint64_t numbers[COUNT];
    struct ahoy_rng rng = seeded(5, 6);
    for (int i = 0; i < COUNT; i++)
        numbers[i] = ahoy_rng_next(&rng);
    qsort(numbers, COUNT, sizeof numbers[0], by_value);
    for (int i = 1; i < COUNT; i++)
        assert_true(numbers[i] != numbers[i - 1]);
}

/* Each bit is set about half of the time: 20,000 draws, six standard deviations. */
static void test_every_bit_is_fair(void **state)
{
    (void)state;
    enum { DRAWS = 20000 };
    int ones[64] = { 0 };
    struct ahoy_rng rng = seeded(7, 8);
    for (int i = 0; i < DRAWS; i++) {
        uint64_t number = ahoy_rng_next(&rng);
        for (int bit = 0; bit < 64; bit++)
            ones[bit] += (int)(number >> bit & 1);
    }
    for (int bit = 0; bit < 64; bit++)
        assert_in_range(ones[bit], DRAWS / 2 - 425, DRAWS / 2 + 425);
}

static void test_below_stays_below_and_reaches_all(void **state)
{
    (void)state;
    struct ahoy_rng rng = seeded(9, 10);
    for (uint64_t bound = 1; bound < 50; bound++) {
        int seen[50] = { 0 };
        for (int i = 0; i < 2000; i++) {
            uint64_t number = ahoy_rng_below(&rng, bound);
            assert_true(number < bound);
            seen[number]++;
        }
        for (uint64_t i = 0; i < bound; i++)
            assert_true(seen[i] > 0);
    }
}

/* For a bound of three quarters of 2^64 a plain remainder would put half of the draws into the
 * lowest quarter of 2^64, where an even choice puts a third. */
static void test_below_is_even_for_large_bounds(void **state)
{
    (void)state;
    const uint64_t quarter = UINT64_C(1) << 62;
    int low = 0;
    struct ahoy_rng rng = seeded(11, 12);
    for (int i = 0; i < 9000; i++) {
        uint64_t number = ahoy_rng_below(&rng, 3 * quarter);
        assert_true(number < 3 * quarter);
        low += number < quarter;
    }
    assert_in_range(low, 3000 - 270, 3000 + 270);
    assert_true(ahoy_rng_below(&rng, UINT64_MAX) < UINT64_MAX);
}

static bool is_token_digit(char byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'v');
}

/* R3261-19.3-1 wants 32 bits.  A token is one number, none of whose 64 bits is lost. */
static void test_token_holds_all_bits(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct ahoy_rng rng = seeded(seed, 13);
        struct ahoy_rng same = rng;
        char token[AHOY_TOKEN_SIZE + 1];
        token[AHOY_TOKEN_SIZE] = '!';
        ahoy_rng_token(&rng, token);
        assert_int_equal(token[AHOY_TOKEN_SIZE], '!');
        uint64_t number = 0;
        for (int i = AHOY_TOKEN_SIZE - 1; i >= 0; i--) {
            assert_true(is_token_digit(token[i]));
            uint64_t digit = (uint64_t)(token[i] <= '9' ? token[i] - '0' : token[i] - 'a' + 10);
            number = number << 5 | digit;
        }
        assert_true(number == ahoy_rng_next(&same));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_seed_same_sequence),
        cmocka_unit_test(test_each_half_of_the_seed_counts),
        cmocka_unit_test(test_no_number_twice),
        cmocka_unit_test(test_every_bit_is_fair),
        cmocka_unit_test(test_below_stays_below_and_reaches_all),
        cmocka_unit_test(test_below_is_even_for_large_bounds),
        cmocka_unit_test(test_token_holds_all_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
