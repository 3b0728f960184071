/* Numbers that strangers cannot guess: who has seen any number of them cannot tell the next
 * without the key. */
#include "libahoy/base/rng.h"

#include <assert.h>

#include "libahoy/base/load.h"

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

static const uint64_t ones = UINT64_C(0x0101010101010101); /* One in each byte. */

/* Eight digits at once, from what each stands for: what is ten or more becomes a letter. */
static inline uint64_t spell(uint64_t values)
{
    uint64_t letters = (values + ones * (0x80 - 10)) >> 7 & ones;
    return values + ones * '0' + letters * ('a' - '0' - 10);
}

/* The lowest 40 of |bits| as eight digits, five of them each, the lowest first: halves move apart
 * three times. */
static uint64_t digits_of(uint64_t bits)
{
    bits = (bits & 0xfffff) | (bits & UINT64_C(0xfffff00000)) << 12;
    bits = (bits & UINT64_C(0x3ff000003ff)) | (bits & UINT64_C(0xffc00000ffc00)) << 6;
    bits = (bits & UINT64_C(0x1f001f001f001f)) | (bits & UINT64_C(0x3e003e003e003e0)) << 3;
    return spell(bits);
}

/* The way back; false where one of them is none.  Of 32, a digit is what it is above '0' and a
 * letter what it is above 'a', and ten more: so every byte stands for something, but only a digit
 * is how that is spelled. */
static bool bits_of(uint64_t digits, uint64_t *bits)
{
    uint64_t letters = digits >> 6 & ones;
    uint64_t values = (digits & ones * 31) + ones * (64 - '0') + letters * (64 + '0' + 10 - 'a');
    values &= ones * 31;
    uint64_t two = (values & UINT64_C(0x1f001f001f001f)) |
                   (values >> 3 & UINT64_C(0x3e003e003e003e0));
    uint64_t four = (two & UINT64_C(0x3ff000003ff)) | (two >> 6 & UINT64_C(0xffc00000ffc00));
    *bits = (four & 0xfffff) | (four >> 12 & UINT64_C(0xfffff00000));
    return spell(values) == digits;
}

void ahoy_token_print(uint64_t bits, char token[AHOY_TOKEN_SIZE])
{
    const uint64_t first = ahoy_lowest_first(digits_of(bits));
    const uint64_t last = ahoy_lowest_first(digits_of(bits >> 40));
    memcpy(token, &first, sizeof first);
    memcpy(token + sizeof first, &last, AHOY_TOKEN_SIZE - sizeof first);
}

void ahoy_rng_token(struct ahoy_rng *rng, char token[AHOY_TOKEN_SIZE])
{
    ahoy_token_print(ahoy_rng_next(rng), token);
}

/* From the first eight digits of a token and its last eight, three of which are the same. */
static bool read(uint64_t first, uint64_t last, uint64_t *bits)
{
    uint64_t low, high;
    /* 13 digits hold 65 bits: the last one may not say more than is left. */
    if (!bits_of(first, &low) || !bits_of(last, &high) || high >> 39 != 0)
        return false;
    *bits = low | high >> 15 << 40;
    return true;
}

static inline uint64_t last_eight(struct span text)
{
    return ahoy_load_eight(text.at + AHOY_TOKEN_SIZE - 8);
}

bool ahoy_token_parse(struct span text, uint64_t *bits)
{
    return text.size == AHOY_TOKEN_SIZE && read(ahoy_load_eight(text.at), last_eight(text), bits);
}

bool ahoy_token_parse_nocase(struct span text, uint64_t *bits)
{
    return text.size == AHOY_TOKEN_SIZE &&
           read(ahoy_fold_case(ahoy_load_eight(text.at)), ahoy_fold_case(last_eight(text)), bits);
}
