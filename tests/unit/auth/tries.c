/* Guessing is slow, and nobody is locked out (RFC 7616 5.7). */
#include "libahoy/auth/tries.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static const uint64_t start_ms = 1760000000000;

static void ten_at_once_then_slowly(void **state)
{
    (void)state;
    struct ahoy_tries *tries = ahoy_tries_new(64);
    for (unsigned i = 0; i < AHOY_TRIES_AT_ONCE; i++) {
        assert_int_equal(ahoy_tries_wait_ms(tries, 7, start_ms), 0);
        ahoy_tries_fail(tries, 7, start_ms);
    }
    assert_int_equal(ahoy_tries_wait_ms(tries, 7, start_ms), AHOY_TRIES_MS);
    assert_int_equal(ahoy_tries_wait_ms(tries, 8, start_ms), 0);
    assert_int_equal(ahoy_tries_wait_ms(tries, 7, start_ms + AHOY_TRIES_MS - 1), 1);
    assert_int_equal(ahoy_tries_wait_ms(tries, 7, start_ms + AHOY_TRIES_MS), 0);
    ahoy_tries_fail(tries, 7, start_ms + AHOY_TRIES_MS);
    assert_int_equal(ahoy_tries_wait_ms(tries, 7, start_ms + AHOY_TRIES_MS), AHOY_TRIES_MS);
    ahoy_tries_free(tries);
}

/* Three a second: three at once, then one each 333 ms. */
static void a_pace_is_kept(void **state)
{
    (void)state;
    struct ahoy_tries *tries = ahoy_tries_new(64);
    for (unsigned i = 0; i < 3; i++)
        assert_true(ahoy_tries_pace(tries, 7, 3, start_ms));
    assert_false(ahoy_tries_pace(tries, 7, 3, start_ms));
    assert_true(ahoy_tries_pace(tries, 8, 3, start_ms));
    assert_false(ahoy_tries_pace(tries, 7, 3, start_ms + 332));
    assert_true(ahoy_tries_pace(tries, 7, 3, start_ms + 333));
    assert_false(ahoy_tries_pace(tries, 7, 3, start_ms + 333));
    for (unsigned i = 0; i < 3; i++)
        assert_true(ahoy_tries_pace(tries, 7, 3, start_ms + 5000));
    assert_false(ahoy_tries_pace(tries, 7, 3, start_ms + 5000));
    ahoy_tries_free(tries);
}

static void failures_are_counted(void **state)
{
    (void)state;
    struct ahoy_tries *tries = ahoy_tries_new(64);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(ahoy_tries_count(tries, 7, start_ms), i);
        ahoy_tries_fail(tries, 7, start_ms);
    }
    assert_int_equal(ahoy_tries_count(tries, 8, start_ms), 0);
    assert_int_equal(ahoy_tries_count(tries, 7, start_ms + AHOY_TRIES_MS - 1), 3);
    assert_int_equal(ahoy_tries_count(tries, 7, start_ms + AHOY_TRIES_MS), 2);
    assert_int_equal(ahoy_tries_count(tries, 7, start_ms + 5 * AHOY_TRIES_MS), 0);
    ahoy_tries_free(tries);
}

/* An hour of guessing as fast as it is looked at. */
static void so_many_an_hour(void **state)
{
    (void)state;
    struct ahoy_tries *tries = ahoy_tries_new(64);
    unsigned looked_at = 0;
    for (uint64_t ms = 0; ms < 3600000; ms += 10) {
        if (ahoy_tries_wait_ms(tries, 7, start_ms + ms) > 0)
            continue;
        ahoy_tries_fail(tries, 7, start_ms + ms);
        looked_at++;
    }
    assert_int_equal(looked_at, AHOY_TRIES_AT_ONCE + 3600000 / AHOY_TRIES_MS - 1);
    ahoy_tries_free(tries);
}

static void all_is_forgiven(void **state)
{
    (void)state;
    struct ahoy_tries *tries = ahoy_tries_new(64);
    uint64_t later_ms = start_ms + AHOY_TRIES_AT_ONCE * AHOY_TRIES_MS;
    for (unsigned i = 0; i < AHOY_TRIES_AT_ONCE; i++)
        ahoy_tries_fail(tries, 7, start_ms);
    for (unsigned i = 0; i < AHOY_TRIES_AT_ONCE; i++) {
        assert_int_equal(ahoy_tries_wait_ms(tries, 7, later_ms), 0);
        ahoy_tries_fail(tries, 7, later_ms);
    }
    assert_int_equal(ahoy_tries_wait_ms(tries, 7, later_ms), AHOY_TRIES_MS);
    ahoy_tries_free(tries);
}

/* Whoever fails under ever new names does not make the one forgotten who failed most. */
static void the_worst_are_remembered(void **state)
{
    (void)state;
    struct ahoy_tries *tries = ahoy_tries_new(64);
    for (unsigned i = 0; i < AHOY_TRIES_AT_ONCE; i++)
        ahoy_tries_fail(tries, 7, start_ms);
    for (uint64_t name = 8; name < 10000; name++)
        ahoy_tries_fail(tries, name, start_ms);
    assert_int_equal(ahoy_tries_wait_ms(tries, 7, start_ms), AHOY_TRIES_MS);
    ahoy_tries_free(tries);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ten_at_once_then_slowly), cmocka_unit_test(a_pace_is_kept),
        cmocka_unit_test(failures_are_counted),    cmocka_unit_test(so_many_an_hour),
        cmocka_unit_test(all_is_forgiven),         cmocka_unit_test(the_worst_are_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
