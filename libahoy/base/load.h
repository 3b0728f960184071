/* Up to eight bytes of a span as one number, for code that compares or hashes faster than a byte
 * at a time. */
#pragma once

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The eight bytes at |at|, the first of them lowest; no alignment is asked for. */
static inline uint64_t ahoy_load_eight(const char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return le64toh(word);
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
        return (uint64_t)le32toh(low) | (uint64_t)le32toh(high) << (8 * (size - sizeof high));
    }
    if (size == 0)
        return 0;
    size_t middle = size / 2;
    size_t last = size - 1;
    return (uint64_t)(unsigned char)at[0] | (uint64_t)(unsigned char)at[middle] << (8 * middle) |
           (uint64_t)(unsigned char)at[last] << (8 * last);
}
