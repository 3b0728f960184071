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

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    return at;
}

/* The eight bytes at |at| in lower case, zeros where there are fewer. */
static uint64_t word_at(const char *at, const char *end)
{
    size_t size = (size_t)(end - at);
    return ahoy_fold_case(size >= 8 ? ahoy_load_eight(at) : ahoy_load_tail(at, size));
}

/* Behind the colon that follows the name of |name_size| bytes, or NULL. */
static const char *value_behind(const char *row, size_t name_size, const char *end)
{
    const char *colon = skip_blanks(row + name_size, end);
    return colon < end && *colon == ':' ? colon + 1 : NULL;
}

/* The value of a row that is a Call-ID; NULL where it is another. */
static const char *call_id_of(const char *row, const char *end)
{
    uint64_t name = word_at(row, end) & UINT64_MAX >> 8;
    if (name == ahoy_load_tail("call-id", 7))
        return value_behind(row, 7, end);
    return (name & 0xff) == 'i' ? value_behind(row, 1, end) : NULL;
}

/* The same for Content-Length. */
static const char *content_length_of(const char *row, const char *end)
{
    uint64_t name = word_at(row, end);
    if (name == ahoy_load_eight("content-") &&
        (word_at(row + 8, end) & UINT64_MAX >> 16) == ahoy_load_tail("length", 6))
        return value_behind(row, 14, end);
    return (name & 0xff) == 'l' ? value_behind(row, 1, end) : NULL;
}

/* The call of a Call-ID whose value begins at |value|, in a line that ends before |next|.  There is
 * no white space in it, so it stands in one line: in the next one of its row where this one is
 * empty. */
static uint32_t call_of(const char *value, const char *next, const char *end)
{
    struct span text = ahoy_span_trim(ahoy_span_between(value, next));
    if (text.size == 0 && skip_blanks(next, end) > next)
        text = ahoy_span_trim(ahoy_span_between(next, next_row(next, end)));
    /* Who makes two calls collide has gained only that their messages leave in order. */
    return ahoy_span_mark(text);
}

/* Whether the value at |at| is a number that ends with its line, and the row with it. */
static bool is_plain_number(const char *at, const char *end)
{
    const char *digits = skip_blanks(at, end);
    at = digits;
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return at > digits && end - at > 2 && at[0] == '\r' && at[1] == '\n' && at[2] != ' ' &&
           at[2] != '\t';
}

void ahoy_glance(struct span message, struct ahoy_glance *glance)
{
    if (message.size == 0 || (glance->call != 0 && glance->gap != 0))
        return;
    const char *end = ahoy_span_end(message);
    const char *row = next_row(message.at, end); /* The first line is none. */
    while (row < end && *row != '\r' && (glance->call == 0 || glance->gap == 0)) {
        const char *next = next_row(row, end);
        char initial = *row | 0x20;
        if (initial == 'c' || initial == 'i' || initial == 'l') {
            const char *value = call_id_of(row, end);
            if (value != NULL)
                glance->call = call_of(value, next, end);
            else if ((value = content_length_of(row, end)) != NULL && is_plain_number(value, end))
                glance->gap = (uint32_t)(value - message.at);
        }
        row = next;
    }
}
