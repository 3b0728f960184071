/* A stretch of bytes that somebody else owns.  Received messages are read in place through spans,
 * so that no byte is copied before someone needs it for longer than a step. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "libahoy/base/load.h"

/* |at| may be NULL only where |size| is 0.  Not terminated by NUL; may hold any byte. */
struct span {
    const char *at;
    size_t size;
};

/* The span of a string literal, without its NUL. */
#define SPAN(literal) ((struct span){ "" literal, sizeof(literal) - 1 })
/* The same within the initialiser of a static table, where C takes constants alone. */
#define SPAN_INIT(literal)                                                                         \
    {                                                                                              \
        "" literal, sizeof(literal) - 1                                                            \
    }

/* The span of a C string, without its NUL. */
static inline struct span ahoy_span(const char *text)
{
    return (struct span){ text, strlen(text) };
}

/* The first byte past the end. */
static inline const char *ahoy_span_end(struct span text)
{
    return text.at + text.size;
}

/* The span from |from| up to, not including, |to|. */
static inline struct span ahoy_span_between(const char *from, const char *to)
{
    return (struct span){ from, (size_t)(to - from) };
}

/* What is left of |text| behind its first |count| bytes; |count| is at most its size. */
static inline struct span ahoy_span_after(struct span text, size_t count)
{
    return (struct span){ text.at + count, text.size - count };
}

/* Whether |part| is a stretch of |whole|: not only the same bytes, but the same place. */
static inline bool ahoy_span_has(struct span whole, struct span part)
{
    return (uintptr_t)part.at - (uintptr_t)whole.at <= whole.size &&
           part.size <= whole.size - ((uintptr_t)part.at - (uintptr_t)whole.at);
}

/* What |part| of |whole|, if it is one, has become in |copy|, which has the same bytes; elsewhere
 * |part| itself. */
static inline struct span ahoy_span_moved(struct span part, struct span whole, struct span copy)
{
    if (!ahoy_span_has(whole, part))
        return part;
    return (struct span){ copy.at + (part.at - whole.at), part.size };
}

/* Whether both hold the same bytes. */
static inline bool ahoy_span_equal(struct span a, struct span b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.at, b.at, a.size) == 0);
}

/* Compares without regard to the case of ASCII letters, as RFC 3261 7.3.1 asks for tokens. */
__attribute__((always_inline)) static inline bool ahoy_span_equal_nocase(struct span a,
                                                                         struct span b)
{
    return a.size == b.size && ahoy_equal_nocase(a.at, b.at, b.size);
}

/* Orders bytewise, a shorter prefix first: negative, 0 or positive. */
int ahoy_span_compare(struct span a, struct span b);

/* Whether |text| begins with |prefix|, ASCII case aside. */
__attribute__((always_inline)) static inline bool ahoy_span_starts_nocase(struct span text,
                                                                          struct span prefix)
{
    return text.size >= prefix.size && ahoy_equal_nocase(text.at, prefix.at, prefix.size);
}

/* The index of the first |byte|, or text.size where there is none. */
size_t ahoy_span_find(struct span text, char byte);

/* |text| without the SP, HTAB, CR and LF at both ends: linear white space around a value. */
struct span ahoy_span_trim(struct span text);

/* The same number for the same bytes, by chance for others, and on purpose too: where strangers
 * choose what a table holds, siphash.h is for it. */
uint64_t ahoy_span_hash(struct span text);
/* The same number for texts that are equal but for the case of ASCII letters. */
uint64_t ahoy_span_hash_nocase(struct span text);
/* ahoy_span_hash in fewer bits and never 0, which may then say that there is none. */
uint32_t ahoy_span_mark(struct span text);

/* Reads all of |text| as an unsigned decimal number up to |limit|.  False where it is empty, holds
 * another byte than a digit, or is greater; |value| is then untouched. */
bool ahoy_span_number(struct span text, uint64_t limit, uint64_t *value);
