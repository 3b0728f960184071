/* The span operations that are too long for a header. */
#include "libahoy/base/span.h"

int ahoy_span_compare(struct span a, struct span b)
{
    size_t shorter = a.size < b.size ? a.size : b.size;
    int order = shorter == 0 ? 0 : memcmp(a.at, b.at, shorter);
    if (order != 0)
        return order;
    return (a.size > b.size) - (a.size < b.size);
}

size_t ahoy_span_find(struct span text, char byte)
{
    if (text.size == 0)
        return 0;
    const char *found = memchr(text.at, byte, text.size);
    return found == NULL ? text.size : (size_t)(found - text.at);
}

static bool is_white(char byte)
{
    return (unsigned char)byte <= ' ' &&
           (byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n');
}

struct span ahoy_span_trim(struct span text)
{
    while (text.size > 0 && is_white(text.at[0])) {
        text.at++;
        text.size--;
    }
    while (text.size > 0 && is_white(text.at[text.size - 1]))
        text.size--;
    return text;
}

static uint64_t as_it_is(uint64_t word)
{
    return word;
}

static inline uint64_t hash(struct span text, uint64_t (*fold)(uint64_t))
{
    const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t mixed = text.size;
    for (; text.size >= 8; text = ahoy_span_after(text, 8)) {
        mixed = (mixed ^ fold(ahoy_load_eight(text.at))) * odd;
        mixed ^= mixed >> 32;
    }
    mixed = (mixed ^ fold(ahoy_load_tail(text.at, text.size))) * odd;
    return mixed ^ mixed >> 32;
}

uint64_t ahoy_span_hash(struct span text)
{
    return hash(text, as_it_is);
}

uint64_t ahoy_span_hash_nocase(struct span text)
{
    return hash(text, ahoy_fold_case);
}

uint32_t ahoy_span_mark(struct span text)
{
    return (uint32_t)ahoy_span_hash(text) | 1;
}

bool ahoy_span_number(struct span text, uint64_t limit, uint64_t *value)
{
    if (text.size == 0)
        return false;
    uint64_t sum = 0;
    for (size_t i = 0; i < text.size; i++) {
        unsigned digit = (unsigned)(unsigned char)text.at[i] - '0';
        if (digit > 9 || __builtin_mul_overflow(sum, 10, &sum) ||
            __builtin_add_overflow(sum, digit, &sum) || sum > limit)
            return false;
    }
    *value = sum;
    return true;
}
