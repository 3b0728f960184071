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

/* What the digit |byte| stands for; 32 for none. */
static unsigned value_of(char byte)
{
    static const char digits[] = "0123456789abcdefghijklmnopqrstuv";
    const char *found = byte == '\0' ? NULL : strchr(digits, byte);
    return found == NULL ? 32 : (unsigned)(found - digits);
}

/* Every byte at every place: a digit counts, and but for the last place nothing else is one. */
static void test_every_byte(void **state)
{
    (void)state;
    for (unsigned place = 0; place < AHOY_TOKEN_SIZE; place++) {
        const unsigned most = place < AHOY_TOKEN_SIZE - 1 ? 31 : 15;
        for (unsigned byte = 0; byte < 256; byte++) {
            char token[AHOY_TOKEN_SIZE];
            memset(token, '0', sizeof token);
            token[place] = (char)byte;
            const struct span text = { token, sizeof token };
            const char small = byte >= 'A' && byte <= 'Z' ? (char)(byte + 'a' - 'A') : (char)byte;
            uint64_t bits = 99, folded = 99;
            bool is_exact = value_of((char)byte) <= most, is_any = value_of(small) <= most;
            assert_int_equal(ahoy_token_parse(text, &bits), is_exact);
            assert_int_equal(bits, is_exact ? (uint64_t)value_of((char)byte) << 5 * place : 99);
            assert_int_equal(ahoy_token_parse_nocase(text, &folded), is_any);
            assert_int_equal(folded, is_any ? (uint64_t)value_of(small) << 5 * place : 99);
        }
    }
    uint64_t bits = 99;
    assert_false(ahoy_token_parse_nocase(SPAN("00000000000000"), &bits));
    assert_false(ahoy_token_parse_nocase(SPAN("000000000000"), &bits));
    assert_int_equal(bits, 99);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_all_else_is_refused),
        cmocka_unit_test(test_every_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
