/* Fragments of messages: RFC 3420 2. */
#include "libahoy/syntax/sipfrag.h"

#include "libahoy/syntax/fragment.h"
#include "libahoy/syntax/scan.h"

/* A fragment begins with a row, or with the empty line before a body, or with a start line, which
 * has no colon behind its first word: a method is followed by a URI, which begins with none, and
 * "SIP" by a slash. */
static enum ahoy_extent extent_of(struct span bytes)
{
    if (bytes.size == 0 || bytes.at[0] == '\r')
        return AHOY_FRAGMENT_ROWS;
    const char *end = ahoy_span_end(bytes);
    const char *at = ahoy_skip(ahoy_skip(bytes.at, end, AHOY_TOKEN), end, AHOY_WSP);
    return at < end && *at == ':' ? AHOY_FRAGMENT_ROWS : AHOY_FRAGMENT;
}

/* callid (25.1): one word, of which there may be a second behind "@". */
static bool check_call_id(const struct ahoy_message *message, struct ahoy_err *err)
{
    struct span value = ahoy_message_value(message, AHOY_HEADER_CALL_ID);
    if (ahoy_message_first(message, AHOY_HEADER_CALL_ID) == NULL)
        return true;
    const char *end = ahoy_span_end(value);
    const char *stop = ahoy_skip(value.at, end, AHOY_VISIBLE);
    return (value.size > 0 && stop == end) || ahoy_fail(err, 400, stop, "a Call-ID");
}

bool ahoy_sipfrag_parse(struct span bytes, struct ahoy_message *message, struct ahoy_err *err)
{
    if (bytes.at == NULL)
        bytes = SPAN("");
    if (!ahoy_fragment_parse(bytes, extent_of(bytes), message, err) ||
        !ahoy_message_check(message, err) || !check_call_id(message, err))
        return false;
    /* What a body is must be said: RFC 3261 7.4.1. */
    return message->body.size == 0 ||
           ahoy_message_first(message, AHOY_HEADER_CONTENT_TYPE) != NULL ||
           ahoy_fail(err, 400, message->body.at, "a Content-Type for the body");
}
