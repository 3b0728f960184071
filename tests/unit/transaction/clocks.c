/* Table 4 of RFC 3261 with the rows of RFC 6026 8.11, in numbers. */
#include "libahoy/transaction/clocks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/support/aborts.h"

enum { UNRELIABLE, RELIABLE };

#define NEVER AHOY_CLOCK_NEVER

/* clang-format off */
static const struct row {
    enum ahoy_clock clock;
    uint64_t delays[2][8]; /* By round. */
} rows[] = {
    /* R3261-17.1.1.2-3, -5 to -8; S3261-17.1.1.2-1 */
    { AHOY_CLOCK_A, { { 500, 1000, 2000, 4000, 8000, 16000, 32000, 64000 },
                      { NEVER, NEVER, NEVER, NEVER, NEVER, NEVER, NEVER, NEVER } } },
    /* R3261-17.1.2.2-2 */
    { AHOY_CLOCK_E, { { 500, 1000, 2000, 4000, 4000, 4000, 4000, 4000 },
                      { NEVER, NEVER, NEVER, NEVER, NEVER, NEVER, NEVER, NEVER } } },
    /* 17.2.1 */
    { AHOY_CLOCK_G, { { 500, 1000, 2000, 4000, 4000, 4000, 4000, 4000 },
                      { NEVER, NEVER, NEVER, NEVER, NEVER, NEVER, NEVER, NEVER } } },
    { AHOY_CLOCK_B, { { 32000 }, { 32000 } } }, /* R3261-17.1.1.2-4 */
    { AHOY_CLOCK_D, { { 32000 }, { 0 } } },     /* R6026-8.4-4 */
    { AHOY_CLOCK_F, { { 32000 }, { 32000 } } }, /* S3261-17.1.2.2-1 */
    { AHOY_CLOCK_H, { { 32000 }, { 32000 } } }, /* R3261-17.2.1-8 */
    { AHOY_CLOCK_I, { { 5000 }, { 0 } } },      /* 17.2.1 */
    { AHOY_CLOCK_J, { { 32000 }, { 0 } } },     /* R3261-17.2.2-6 */
    { AHOY_CLOCK_K, { { 5000 }, { 0 } } },      /* R3261-17.1.2.2-8 */
    { AHOY_CLOCK_L, { { 32000 }, { 32000 } } }, /* R6026-8.7-2 */
    { AHOY_CLOCK_M, { { 32000 }, { 32000 } } }, /* R6026-8.4-7 */
};
/* clang-format on */

static void test_table_4(void **state)
{
    (void)state;
    const struct ahoy_clocks clocks = AHOY_DEFAULT_CLOCKS;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool doubles = rows[i].delays[UNRELIABLE][1] != 0;
        for (unsigned round = 0; round < (doubles ? 8 : 1); round++) {
            for (int reliable = UNRELIABLE; reliable <= RELIABLE; reliable++)
                assert_int_equal(
                    ahoy_clock_delay(&clocks, rows[i].clock, reliable == RELIABLE, round),
                    rows[i].delays[reliable][round]);
        }
    }
}

/* All follows from T1, T2 and T4, but D, which has a floor: the peer's T1 may be another. */
static void test_other_networks(void **state)
{
    (void)state;
    const struct ahoy_clocks fast = { 100, 300, 700 };
    assert_int_equal(ahoy_clock_delay(&fast, AHOY_CLOCK_A, false, 3), 800);
    assert_int_equal(ahoy_clock_delay(&fast, AHOY_CLOCK_E, false, 1), 200);
    assert_int_equal(ahoy_clock_delay(&fast, AHOY_CLOCK_E, false, 2), 300);
    assert_int_equal(ahoy_clock_delay(&fast, AHOY_CLOCK_B, false, 0), 6400);
    assert_int_equal(ahoy_clock_delay(&fast, AHOY_CLOCK_K, false, 0), 700);
    assert_int_equal(ahoy_clock_delay(&fast, AHOY_CLOCK_D, false, 0), 32000);
    const struct ahoy_clocks slow = { 2000, 16000, 17000 };
    assert_int_equal(ahoy_clock_delay(&slow, AHOY_CLOCK_D, false, 0), 128000);
    assert_int_equal(ahoy_clock_delay(&slow, AHOY_CLOCK_L, true, 0), 128000);
}

/* However large the round, nothing wraps round to a small delay. */
static void test_many_rounds(void **state)
{
    (void)state;
    const struct ahoy_clocks odd = { UINT32_MAX, UINT32_MAX, UINT32_MAX };
    const struct ahoy_clocks usual = AHOY_DEFAULT_CLOCKS;
    uint64_t before = 0;
    for (unsigned round = 0; round < 300; round++) {
        uint64_t delay = ahoy_clock_delay(&odd, AHOY_CLOCK_A, false, round);
        assert_true(delay >= before);
        before = delay;
        if (round >= 3)
            assert_int_equal(ahoy_clock_delay(&usual, AHOY_CLOCK_G, false, round), 4000);
    }
    assert_int_equal(ahoy_clock_delay(&usual, AHOY_CLOCK_E, false, UINT32_MAX), 4000);
}

static void ask_for_c(const void *context)
{
    (void)ahoy_clock_delay(context, AHOY_CLOCK_C, false, 0); /* It must not come back. */
}

static void test_clock_c_is_the_proxys(void **state)
{
    (void)state;
    const struct ahoy_clocks clocks = AHOY_DEFAULT_CLOCKS;
    assert_true(aborts(ask_for_c, &clocks));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table_4),
        cmocka_unit_test(test_other_networks),
        cmocka_unit_test(test_many_rounds),
        cmocka_unit_test(test_clock_c_is_the_proxys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
