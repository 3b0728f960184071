/* Tokens: 64 bits as 13 characters and back, one spelling a number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "libahoy/base/rng.h"

static void test_there_and_back(void **state)
{
    (void)state;
    struct ahoy_rng rng;
    ahoy_rng_init(&rng, (const uint64_t[]){ 5, 6 });
    for (int i = 0; i < 10000; i++) {
        uint64_t bits = i == 0 ? 0 : i == 1 ? UINT64_MAX : ahoy_rng_next(&rng);
        char token[AHOY_TOKEN_SIZE], again[AHOY_TOKEN_SIZE];
        uint64_t read = ~bits;
        ahoy_token_print(bits, token);
        assert_true(ahoy_token_parse((struct span){ token, sizeof token }, &read));
        assert_int_equal(read, bits);
        ahoy_token_print(read, again);
        assert_memory_equal(token, again, sizeof token);
    }
}

static void test_all_else_is_refused(void **state)
{
    (void)state;
    static const char *const others[] = { "",
                                          "0",
                                          "000000000000",
                                          "00000000000000",
                                          "w000000000000",
                                          "A000000000000",
                                          "/000000000000",
                                          ":000000000000",
                                          "000000000000g", /* The 65th bit. */
                                          "000000000000v",
                                          "00000 0000000" };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        uint64_t bits = 99;
        assert_false(ahoy_token_parse(ahoy_span(others[i]), &bits));
        assert_int_equal(bits, 99);
    }
    uint64_t bits = 0;
    assert_true(ahoy_token_parse(SPAN("000000000000f"), &bits));
    assert_int_equal(bits, UINT64_C(15) << 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_all_else_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
