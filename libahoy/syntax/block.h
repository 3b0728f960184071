/* Sixteen bytes at a time: the compiler's vectors, which need no more of a machine than it has, and
 * the one step that they lack, from a comparison to the places where it holds.  For the loops of
 * this folder that look for the end of something. */
#pragma once

#include "libahoy/base/load.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { AHOY_BLOCK_SIZE = 16 };

/* Operators work on each byte by itself; a comparison gives 0xff where it holds, else 0. */
typedef uint8_t ahoy_block __attribute__((vector_size(AHOY_BLOCK_SIZE)));

/* The bytes from |at| on, and zeros from |end| on, beyond which none is read. */
static inline ahoy_block ahoy_block_load(const char *at, const char *end)
{
    if (end - at >= AHOY_BLOCK_SIZE) {
        ahoy_block block;
        memcpy(&block, at, sizeof block);
        return block;
    }
    typedef uint64_t halves __attribute__((vector_size(AHOY_BLOCK_SIZE)));
    size_t size = (size_t)(end - at);
    if (size < 8)
        return (ahoy_block)(halves){ ahoy_lowest_first(ahoy_load_tail(at, size)), 0 };
    uint64_t tail = ahoy_load_eight(at + size - 8) >> 8 >> 8 * (15 - size);
    return (ahoy_block)(halves){ ahoy_lowest_first(ahoy_load_eight(at)), ahoy_lowest_first(tail) };
}

/* Which bytes are letters and digits. */
static inline ahoy_block ahoy_block_alphanumeric(ahoy_block bytes)
{
    return (ahoy_block)((bytes | 0x20) - 'a' < 26) | (ahoy_block)(bytes - '0' < 10);
}

/* A bit for each byte of what a comparison gave, the first byte's lowest. */
static inline unsigned ahoy_block_mask(ahoy_block found)
{
#ifdef __SSE2__
    return (unsigned)_mm_movemask_epi8((__m128i)found);
#else
    unsigned mask = 0;
    for (unsigned i = 0; i < AHOY_BLOCK_SIZE; i++)
        mask |= (found[i] & 1u) << i;
    return mask;
#endif
}
