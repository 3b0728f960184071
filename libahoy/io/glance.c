/* Looking for two rows of a message's head (RFC 3261 7.3.1, 7.3.3).
 *
 * Spaces around a value mean nothing, so a message can be made longer without being changed.  Only
 * Content-Length bears it everywhere: nobody echoes it, as Via, From, To and Record-Route are, and
 * bytes behind the body, though legal (18.3), are refused by some servers and forwarded by others.
 * A value on a folded row is left alone, as parsers differ there. */
#include "libahoy/io/glance.h"

static const char *next_row(const char *row, const char *end)
{
    const char *newline = memchr(row, '\n', (size_t)(end - row));
    return newline == NULL ? end : newline + 1;
}

static const char *skip(const char *at, const char *end, const char *what)
{
    while (at < end && strchr(what, *at) != NULL && *at != '\0')
        at++;
    return at;
}

/* Behind the colon of a row whose name is |name| or |compact|; NULL where it has another. */
static const char *value_of(struct span row, struct span name, struct span compact)
{
    const char *end = ahoy_span_end(row);
    struct span wanted = ahoy_span_starts_nocase(row, name) ? name : compact;
    if (!ahoy_span_starts_nocase(row, wanted))
        return NULL;
    const char *colon = skip(row.at + wanted.size, end, " \t");
    return colon < end && *colon == ':' ? colon + 1 : NULL;
}

/* Not secret: who makes two calls collide has gained only that their messages leave in order. */
static uint32_t hash_word(const char *at, const char *end)
{
    const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t hash = odd;
    const char *from = at = skip(at, end, " \t\r\n");
    while (at < end && (unsigned char)*at > ' ')
        at++;
    for (; at - from >= 8; from += 8) {
        hash = (hash ^ ahoy_load_eight(from)) * odd;
        hash ^= hash >> 32;
    }
    hash = (hash ^ ahoy_load_tail(from, (size_t)(at - from))) * odd;
    return (uint32_t)(hash >> 32) | 1;
}

/* Whether the value at |at| is a number that ends with its line, and the row with it. */
static bool is_plain_number(const char *at, const char *end)
{
    const char *digits = skip(at, end, " \t");
    at = skip(digits, end, "0123456789");
    return at > digits && end - at > 2 && at[0] == '\r' && at[1] == '\n' && at[2] != ' ' &&
           at[2] != '\t';
}

struct ahoy_glance ahoy_glance(struct span message)
{
    struct ahoy_glance glance = { 0 };
    if (message.size == 0)
        return glance;
    const char *end = ahoy_span_end(message);
    const char *row = next_row(message.at, end); /* The first line is none. */
    while (row < end && *row != '\r' && (glance.call == 0 || glance.gap == 0)) {
        const char *next = next_row(row, end);
        struct span text = ahoy_span_between(row, next);
        char initial = *row | 0x20;
        const char *value = NULL;
        if ((initial == 'c' || initial == 'i') &&
            (value = value_of(text, SPAN("Call-ID"), SPAN("i"))) != NULL)
            glance.call = hash_word(value, end);
        else if ((initial == 'c' || initial == 'l') &&
                 (value = value_of(text, SPAN("Content-Length"), SPAN("l"))) != NULL &&
                 is_plain_number(value, end))
            glance.gap = (uint32_t)(value - message.at);
        row = next;
    }
    return glance;
}
