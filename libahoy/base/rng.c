/* Numbers that strangers cannot guess: who has seen any number of them cannot tell the next
 * without the key. */
#include "libahoy/base/rng.h"

#include <assert.h>

void ahoy_rng_init(struct ahoy_rng *rng, const uint64_t seed[2])
{
    *rng = (struct ahoy_rng){ .key = { { seed[0], seed[1] } } };
}

uint64_t ahoy_rng_next(struct ahoy_rng *rng)
{
    uint64_t counter = ahoy_lowest_first(rng->counter++);
    return ahoy_siphash(&rng->key, (struct span){ (const char *)&counter, sizeof counter });
}

uint64_t ahoy_rng_below(struct ahoy_rng *rng, uint64_t bound)
{
    assert(bound >= 1);
    /* The lowest 2^64 mod bound numbers would make small results likelier; they are drawn again. */
    uint64_t surplus = (UINT64_MAX - bound + 1) % bound;
    uint64_t number = 0;
    do {
        number = ahoy_rng_next(rng);
    } while (number < surplus);
    return number % bound;
}

/* The lowest 40 of |bits| as eight digits at once, five of them each, the lowest first: halves
 * move apart three times, and what is ten or more becomes a letter. */
static uint64_t digits_of(uint64_t bits)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    bits = (bits & 0xfffff) | (bits & UINT64_C(0xfffff00000)) << 12;
    bits = (bits & UINT64_C(0x3ff000003ff)) | (bits & UINT64_C(0xffc00000ffc00)) << 6;
    bits = (bits & UINT64_C(0x1f001f001f001f)) | (bits & UINT64_C(0x3e003e003e003e0)) << 3;
    uint64_t letters = (bits + ones * (0x80 - 10)) >> 7 & ones;
    return ahoy_lowest_first(bits + ones * '0' + letters * ('a' - '0' - 10));
}

void ahoy_token_print(uint64_t bits, char token[AHOY_TOKEN_SIZE])
{
    const uint64_t first = digits_of(bits), last = digits_of(bits >> 40);
    memcpy(token, &first, sizeof first);
    memcpy(token + sizeof first, &last, AHOY_TOKEN_SIZE - sizeof first);
}

void ahoy_rng_token(struct ahoy_rng *rng, char token[AHOY_TOKEN_SIZE])
{
    ahoy_token_print(ahoy_rng_next(rng), token);
}

/* What each byte stands for, and one more: 0 is no digit. */
/* clang-format off */
static const uint8_t values[256] = {
    ['0'] = 1, ['1'] = 2, ['2'] = 3, ['3'] = 4, ['4'] = 5, ['5'] = 6, ['6'] = 7, ['7'] = 8,
    ['8'] = 9, ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['g'] = 17, ['h'] = 18, ['i'] = 19, ['j'] = 20, ['k'] = 21, ['l'] = 22, ['m'] = 23, ['n'] = 24,
    ['o'] = 25, ['p'] = 26, ['q'] = 27, ['r'] = 28, ['s'] = 29, ['t'] = 30, ['u'] = 31, ['v'] = 32
};
/* clang-format on */

bool ahoy_token_parse(struct span text, uint64_t *bits)
{
    uint64_t sum = 0, digit = 0;
    if (text.size != AHOY_TOKEN_SIZE)
        return false;
    for (unsigned i = 0; i < AHOY_TOKEN_SIZE; i++) {
        digit = (uint64_t)values[(unsigned char)text.at[i]] - 1;
        if (digit > 31) /* -1, as there is no number below 0. */
            return false;
        sum |= digit << (5 * i);
    }
    if (digit > 15) /* 13 digits hold 65 bits: the last one may not say more than is left. */
        return false;
    *bits = sum;
    return true;
}
