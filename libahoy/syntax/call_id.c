/* The Call-ID of bytes that nobody has parsed yet, to choose the worker whose message it is. */
#include "libahoy/syntax/message.h"
#include "libahoy/syntax/scan.h"

/* Behind the name and the colon, where the row at |at| is a Call-ID; else NULL. */
static const char *match_name(const char *at, const char *end)
{
    size_t size = 1;
    if (at < end && ahoy_lower(*at) == 'c')
        size = 7;
    else if (at == end || ahoy_lower(*at) != 'i')
        return NULL;
    if ((size_t)(end - at) < size)
        return NULL;
    if (size == 7 && !ahoy_span_equal_nocase((struct span){ at, size }, SPAN("Call-ID")))
        return NULL;
    at = ahoy_skip(at + size, end, AHOY_WSP);
    return at < end && *at == ':' ? at + 1 : NULL;
}

/* Behind the white space at |at|, folds included, but not behind the end of the row. */
static const char *skip_white(const char *at, const char *end)
{
    for (;;) {
        at = ahoy_skip(at, end, AHOY_WSP);
        if (end - at < 3 || at[0] != '\r' || at[1] != '\n' || !ahoy_is(at[2], AHOY_WSP))
            return at;
        at += 2;
    }
}

struct span ahoy_message_scan_call_id(struct span bytes)
{
    if (bytes.size == 0)
        return SPAN("");
    const char *end = ahoy_span_end(bytes);
    const char *at = bytes.at;
    while (end - at >= 2 && at[0] == '\r' && at[1] == '\n')
        at += 2;
    for (;;) {
        at = memchr(at, '\n', (size_t)(end - at));
        if (at == NULL)
            return SPAN("");
        at++;
        if (at < end && *at == '\r')
            return SPAN(""); /* The empty line. */
        const char *value = match_name(at, end);
        if (value != NULL) {
            value = skip_white(value, end);
            return ahoy_span_between(value, ahoy_scan_invisible(value, end));
        }
    }
}
