/* Up to eight bytes of a span as one number, for code that compares or hashes faster than a byte
 * at a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* |word| with its first byte in memory lowest, or the other way round: mostly as it is. */
static inline uint64_t ahoy_lowest_first(uint64_t word)
{
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? word : __builtin_bswap64(word);
}

/* The eight bytes at |at|, the first of them lowest; no alignment is asked for. */
static inline uint64_t ahoy_load_eight(const char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return ahoy_lowest_first(word);
}

/* The |size| bytes at |at|, fewer than eight, the first of them lowest and zeros above.  Reads none
 * beyond them and does not loop: the pieces that it loads may overlap, where they hold the same. */
static inline uint64_t ahoy_load_tail(const char *at, size_t size)
{
    if (size >= 4) {
        uint32_t low;
        uint32_t high;
        memcpy(&low, at, sizeof low);
        memcpy(&high, at + size - sizeof high, sizeof high);
        if (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__) {
            low = __builtin_bswap32(low);
            high = __builtin_bswap32(high);
        }
        return low | (uint64_t)high << (8 * (size - sizeof high));
    }
    if (size == 0)
        return 0;
    size_t middle = size / 2;
    size_t last = size - 1;
    return (uint64_t)(unsigned char)at[0] | (uint64_t)(unsigned char)at[middle] << (8 * middle) |
           (uint64_t)(unsigned char)at[last] << (8 * last);
}

/* |word| with each byte that is an upper-case ASCII letter made lower-case.  Seven-bit sums
 * carry into the eighth bit exactly where a byte is at least 'A', or is above 'Z'; the bytes
 * never disturb each other. */
static inline uint64_t ahoy_fold_case(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t low_bits = word & ones * 0x7f;
    uint64_t from_a = low_bits + ones * (0x80 - 'A');
    uint64_t above_z = low_bits + ones * (0x7f - 'Z');
    uint64_t upper = (from_a ^ above_z) & ~word & ones * 0x80;
    return word | upper >> 2;
}

/* Whether two words, as ahoy_load_eight gives them, are equal but for the case of ASCII letters. */
static inline bool ahoy_word_equal_nocase(uint64_t a, uint64_t b)
{
    return a == b || ahoy_fold_case(a) == ahoy_fold_case(b);
}

/* Compares without regard to the case of ASCII letters.  Inline, because little of it is left where
 * |size| is known, as that of a literal is. */
__attribute__((always_inline)) static inline bool ahoy_equal_nocase(const char *a, const char *b,
                                                                    size_t size)
{
    if (size < 8)
        return ahoy_word_equal_nocase(ahoy_load_tail(a, size), ahoy_load_tail(b, size));
    size_t last = size - 8; /* Where the last eight bytes begin; some may be compared twice. */
    for (size_t i = 0; i < last; i += 8) {
        if (!ahoy_word_equal_nocase(ahoy_load_eight(a + i), ahoy_load_eight(b + i)))
            return false;
    }
    return ahoy_word_equal_nocase(ahoy_load_eight(a + last), ahoy_load_eight(b + last));
}
