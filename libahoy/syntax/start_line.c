/* Request-Line and Status-Line (RFC 3261 7.1, 7.2, 25.1). */
#include "libahoy/syntax/start_line.h"

#include "libahoy/syntax/scan.h"

/* "SIP/2.0", case aside (R3261-7.1-3). */
static bool is_version(struct span text)
{
    return text.size == 7 &&
           (memcmp(text.at, "SIP/2.0", 7) == 0 || ahoy_span_equal_nocase(text, SPAN("SIP/2.0")));
}

/* Whether |text| is a SIP-Version, but not ours. */
static bool is_other_version(struct span text)
{
    if (!ahoy_span_starts_nocase(text, SPAN("SIP/")))
        return false;
    const char *end = ahoy_span_end(text);
    const char *major = text.at + 4;
    const char *dot = ahoy_skip(major, end, AHOY_DIGIT);
    if (dot == major || dot == end || *dot != '.')
        return false;
    return dot + 1 < end && ahoy_skip(dot + 1, end, AHOY_DIGIT) == end;
}

/* Checks what lies between method and version; |space| is the first behind the method. */
static bool check_request_uri(struct span uri, const char *space, struct ahoy_err *err)
{
    if (uri.size == 0)
        return ahoy_fail(err, 400, uri.at, "a Request-URI");
    if (uri.size > AHOY_URI_LIMIT)
        return ahoy_fail(err, 414, uri.at + AHOY_URI_LIMIT, "a Request-URI of at most 4096 bytes");
    if (uri.at[0] == '<') /* R3261-7.1-1 */
        return ahoy_fail(err, 400, uri.at, "a Request-URI without brackets");
    if (space == ahoy_span_end(uri))
        space = memchr(uri.at, '\t', uri.size);
    if (space != NULL)
        return ahoy_fail(err, 400, space, "no white space in the Request-URI");
    return true;
}

static bool parse_request(struct span line, struct ahoy_message *message, struct ahoy_err *err)
{
    const char *end = ahoy_span_end(line);
    const char *stop = ahoy_skip(line.at, end, AHOY_TOKEN);
    if (stop == line.at || stop == end || *stop != ' ')
        return ahoy_fail(err, 400, stop, "a method and a space");
    message->is_request = true;
    message->method_text = ahoy_span_between(line.at, stop);
    message->method = ahoy_method_parse(message->method_text);
    const char *first = memchr(stop + 1, ' ', (size_t)(end - stop - 1));
    if (first == NULL)
        return ahoy_fail(err, 400, end, "a space and \"SIP/2.0\"");
    const char *space = first;
    if (end - first > 8) /* What follows is longer than a version, so look for the last space. */
        space = memrchr(first, ' ', (size_t)(end - first));
    message->request_uri = ahoy_span_between(stop + 1, space);
    if (!check_request_uri(message->request_uri, first, err))
        return false;
    struct span version = ahoy_span_between(space + 1, end);
    if (is_version(version))
        return true;
    return ahoy_fail(err, is_other_version(version) ? 505 : 400, version.at, "\"SIP/2.0\"");
}

static bool parse_status(struct span line, struct ahoy_message *message, struct ahoy_err *err)
{
    const char *end = ahoy_span_end(line);
    const char *space = line.at + ahoy_span_find(line, ' ');
    struct span version = ahoy_span_between(line.at, space);
    if (!is_version(version))
        return ahoy_fail(err, is_other_version(version) ? 505 : 400, line.at, "\"SIP/2.0\"");
    if (space == end)
        return ahoy_fail(err, 400, end, "a space and a status");
    const char *stop = ahoy_skip(space + 1, end, AHOY_DIGIT);
    uint64_t status;
    if (stop - space != 4 || !ahoy_span_number(ahoy_span_between(space + 1, stop), 699, &status) ||
        status < 100)
        return ahoy_fail(err, 400, space + 1, "a status of 100 to 699");
    /* The space in front of an empty phrase is often left out. */
    if (stop < end && *stop != ' ')
        return ahoy_fail(err, 400, stop, "a space and a reason phrase");
    message->status = (unsigned)status;
    message->reason = stop == end ? ahoy_nothing(end) : ahoy_span_between(stop + 1, end);
    return true;
}

static void clear(struct ahoy_message *message, const char *at)
{
    message->is_request = false;
    message->method = AHOY_METHOD_OTHER;
    message->status = 0;
    message->method_text = ahoy_nothing(at);
    message->request_uri = ahoy_nothing(at);
    message->reason = ahoy_nothing(at);
}

void ahoy_start_line_none(struct ahoy_message *message)
{
    message->start_line = ahoy_nothing(message->bytes.at);
    clear(message, message->bytes.at);
}

bool ahoy_start_line_parse(struct span line, struct ahoy_message *message, struct ahoy_err *err)
{
    clear(message, line.at);
    if (line.size == 0)
        return ahoy_fail(err, 400, line.at, "a start line");
    if (ahoy_span_starts_nocase(line, SPAN("SIP/")))
        return parse_status(line, message, err);
    return parse_request(line, message, err);
}
