/* The life of a nonce: good until it is old, and no one else's. */
#include "libahoy/auth/nonce.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static const struct ahoy_hash_key key = { { 0x0123456789abcdef, 0xfedcba9876543210 } };
static const uint64_t start_ms = 1760000000000;

static struct span text(const char nonce[AHOY_NONCE_SIZE])
{
    return (struct span){ nonce, AHOY_NONCE_SIZE };
}

static void it_is_good_until_it_is_old(void **state)
{
    (void)state;
    char nonce[AHOY_NONCE_SIZE];
    struct span realm = SPAN("atlanta.example");
    ahoy_nonce_make(&key, realm, 42, start_ms, nonce);
    for (size_t i = 0; i < sizeof nonce; i++)
        assert_non_null(memchr("0123456789abcdefghijklmnopqrstuv", nonce[i], 32));
    assert_int_equal(ahoy_nonce_check(&key, realm, text(nonce), start_ms), AHOY_NONCE_GOOD);
    assert_int_equal(ahoy_nonce_check(&key, realm, text(nonce), start_ms + AHOY_NONCE_LIFE_MS),
                     AHOY_NONCE_GOOD);
    assert_int_equal(ahoy_nonce_check(&key, realm, text(nonce), start_ms + AHOY_NONCE_LIFE_MS + 1),
                     AHOY_NONCE_STALE);
}

/* Two workers read their clocks at different moments; a clock set back is another thing. */
static void one_from_the_future_is_stale(void **state)
{
    (void)state;
    char nonce[AHOY_NONCE_SIZE];
    struct span realm = SPAN("atlanta.example");
    ahoy_nonce_make(&key, realm, 42, start_ms, nonce);
    assert_int_equal(ahoy_nonce_check(&key, realm, text(nonce), start_ms - 5), AHOY_NONCE_GOOD);
    assert_int_equal(ahoy_nonce_check(&key, realm, text(nonce), start_ms - 60000),
                     AHOY_NONCE_STALE);
}

static void every_changed_character_is_forged(void **state)
{
    (void)state;
    char nonce[AHOY_NONCE_SIZE];
    struct span realm = SPAN("atlanta.example");
    ahoy_nonce_make(&key, realm, 42, start_ms, nonce);
    for (size_t i = 0; i < sizeof nonce; i++) {
        char kept = nonce[i];
        nonce[i] = kept == '0' ? '1' : '0';
        assert_int_equal(ahoy_nonce_check(&key, realm, text(nonce), start_ms), AHOY_NONCE_FORGED);
        nonce[i] = '\xff';
        assert_int_equal(ahoy_nonce_check(&key, realm, text(nonce), start_ms), AHOY_NONCE_FORGED);
        nonce[i] = kept;
    }
    assert_int_equal(ahoy_nonce_check(&key, realm, text(nonce), start_ms), AHOY_NONCE_GOOD);
}

static void another_size_realm_or_key_is_forged(void **state)
{
    (void)state;
    char nonce[AHOY_NONCE_SIZE + 1] = { 0 };
    struct span realm = SPAN("atlanta.example");
    struct ahoy_hash_key other = { { 1, 2 } };
    ahoy_nonce_make(&key, realm, 42, start_ms, nonce);
    struct span cut = { nonce, AHOY_NONCE_SIZE - 1 };
    struct span longer = { nonce, AHOY_NONCE_SIZE + 1 };
    struct span none = { NULL, 0 };
    assert_int_equal(ahoy_nonce_check(&key, realm, cut, start_ms), AHOY_NONCE_FORGED);
    assert_int_equal(ahoy_nonce_check(&key, realm, longer, start_ms), AHOY_NONCE_FORGED);
    assert_int_equal(ahoy_nonce_check(&key, realm, none, start_ms), AHOY_NONCE_FORGED);
    assert_int_equal(ahoy_nonce_check(&key, SPAN("biloxi.example"), text(nonce), start_ms),
                     AHOY_NONCE_FORGED);
    assert_int_equal(ahoy_nonce_check(&other, realm, text(nonce), start_ms), AHOY_NONCE_FORGED);
}

static void two_of_one_moment_differ(void **state)
{
    (void)state;
    char first[AHOY_NONCE_SIZE];
    char second[AHOY_NONCE_SIZE];
    ahoy_nonce_make(&key, SPAN("atlanta.example"), 1, start_ms, first);
    ahoy_nonce_make(&key, SPAN("atlanta.example"), 2, start_ms, second);
    assert_memory_not_equal(first, second, AHOY_NONCE_SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_good_until_it_is_old),
        cmocka_unit_test(one_from_the_future_is_stale),
        cmocka_unit_test(every_changed_character_is_forged),
        cmocka_unit_test(another_size_realm_or_key_is_forged),
        cmocka_unit_test(two_of_one_moment_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
