/* Where in a text something is found: a bit for each of 64 bytes.  Whoever goes from one find to
 * the next looks at the bytes once, and from then on at the bits alone. */
#pragma once

#include "libahoy/syntax/block.h"

enum { AHOY_MARKS_SIZE = 4 * AHOY_BLOCK_SIZE };

/* Picks bytes out of a block, zeros among them. */
typedef ahoy_block ahoy_find(ahoy_block bytes);

struct ahoy_marks {
    uint64_t found; /* The lowest bit stands for the byte at |at|; set from |end| on. */
    const char *at;
    const char *end; /* Of the text. */
};

/* The place of the lowest bit of |bits|, which is not 0. */
static inline size_t ahoy_lowest_bit(uint64_t bits)
{
    return (unsigned)__builtin_ctzll(bits);
}

/* What |find| picks out of a whole block. */
static inline uint64_t ahoy_marks_block(const char *at, ahoy_find *find)
{
    return ahoy_block_mask(find(ahoy_block_load(at, at + AHOY_BLOCK_SIZE)));
}

/* The same for 64 bytes, or those that are left. */
static inline uint64_t ahoy_marks_found(const char *at, const char *end, ahoy_find *find)
{
    if (end - at >= AHOY_MARKS_SIZE)
        return ahoy_marks_block(at, find) | ahoy_marks_block(at + 16, find) << 16 |
               ahoy_marks_block(at + 32, find) << 32 | ahoy_marks_block(at + 48, find) << 48;
    size_t size = (size_t)(end - at);
    uint64_t found = ~UINT64_C(0) << size;
    if (size < AHOY_BLOCK_SIZE)
        return found | ahoy_block_mask(find(ahoy_block_load(at, end)));
    /* The last block may overlap the one in front of it. */
    size_t last = size - AHOY_BLOCK_SIZE;
    for (size_t i = 0; i < last; i += AHOY_BLOCK_SIZE)
        found |= ahoy_marks_block(at + i, find) << i;
    return found | ahoy_marks_block(at + last, find) << last;
}

/* The marks of the text from |at| to |end|. */
static inline struct ahoy_marks ahoy_marks_of(const char *at, const char *end, ahoy_find *find)
{
    return (struct ahoy_marks){ ahoy_marks_found(at, end, find), at, end };
}

/* The first find from |at| on, which is not in front of where one was looked for before; the end
 * where there is none. */
static inline const char *ahoy_marks_next(struct ahoy_marks *marks, const char *at, ahoy_find *find)
{
    size_t passed = (size_t)(at - marks->at);
    uint64_t found = passed < AHOY_MARKS_SIZE ? marks->found >> passed : 0;
    if (found != 0)
        return at + ahoy_lowest_bit(found);
    if (passed < AHOY_MARKS_SIZE)
        at = marks->at + AHOY_MARKS_SIZE;
    while ((marks->found = ahoy_marks_found(at, marks->end, find)) == 0)
        at += AHOY_MARKS_SIZE;
    marks->at = at;
    return at + ahoy_lowest_bit(marks->found);
}
