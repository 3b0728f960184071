/* What every element needs of a message before it does anything with it (RFC 3261 8.1.1, 16.3,
 * 18.2.1). */
#include "libahoy/syntax/params.h"
#include "libahoy/syntax/scan.h"
#include "libahoy/syntax/message.h"

/* Where a row could have stood that is missing. */
static bool missing(const struct ahoy_message *message, struct ahoy_err *err, const char *expected)
{
    return ahoy_fail(err, 400, message->bytes.at + message->headers_end, expected);
}

static bool route_via(const struct ahoy_message *message, struct ahoy_routing *routing,
                      struct ahoy_err *err)
{
    const struct ahoy_field *field = ahoy_message_first(message, AHOY_HEADER_VIA);
    if (field == NULL)
        return missing(message, err, "Via");
    /* Nearly all are sound, and then the list need not be looked through before. */
    if (ahoy_via_first(field->value, &routing->via)) {
        routing->via_field = field;
        return true;
    }
    struct span rest = field->value;
    struct span item;
    struct ahoy_err fault;
    if (!ahoy_list_next(&rest, &item, &fault))
        return ahoy_fail(err, 400, field->value.at, "a Via");
    bool sound = ahoy_via_parse(item, &routing->via, err);
    if (routing->via.sent_by.size > 0)
        routing->via_field = field;
    return sound;
}

/* In a response both are what the request's sender has written, and go back to him; whoever acts
 * upon them, as a user agent does, reads their URIs himself. */
static bool route_address(const struct ahoy_message *message, enum ahoy_header header,
                          struct ahoy_address *address, struct ahoy_err *err)
{
    const struct ahoy_field *field = ahoy_message_first(message, header);
    if (field == NULL)
        return missing(message, err, header == AHOY_HEADER_FROM ? "From" : "To");
    if (!message->is_request)
        return ahoy_address_skim(field->value, address, err);
    return ahoy_address_parse(field->value, address, err);
}

/* The Call-ID is compared and copied, never taken apart: whatever is visible passes. */
static bool route_call_id(const struct ahoy_message *message, struct ahoy_routing *routing,
                          struct ahoy_err *err)
{
    const struct ahoy_field *field = ahoy_message_first(message, AHOY_HEADER_CALL_ID);
    if (field == NULL)
        return missing(message, err, "Call-ID");
    const char *end = ahoy_span_end(field->value);
    const char *stop = ahoy_scan_invisible(field->value.at, end);
    if (field->value.size == 0 || stop != end)
        return ahoy_fail(err, 400, stop, "a Call-ID");
    routing->call_id = field->value;
    return true;
}

static bool route_cseq(const struct ahoy_message *message, struct ahoy_routing *routing,
                       struct ahoy_err *err)
{
    const struct ahoy_field *field = ahoy_message_first(message, AHOY_HEADER_CSEQ);
    if (field == NULL)
        return missing(message, err, "CSeq");
    if (!ahoy_cseq_parse(field->value, &routing->cseq, err))
        return false;
    struct span method = routing->cseq.method_text;
    bool is_same =
        routing->cseq.method == message->method &&
        (message->method != AHOY_METHOD_OTHER || ahoy_span_equal(method, message->method_text));
    if (message->is_request && !is_same)
        return ahoy_fail(err, 400, method.at, "the request's method"); /* R3261-8.1.1.5-1 */
    return true;
}

static bool route_max_forwards(const struct ahoy_message *message, struct ahoy_routing *routing,
                               struct ahoy_err *err)
{
    routing->max_forwards = 70;
    const struct ahoy_field *field = ahoy_message_first(message, AHOY_HEADER_MAX_FORWARDS);
    if (field == NULL)
        return true;
    uint64_t value;
    if (!ahoy_span_number(field->value, 255, &value))
        return ahoy_fail(err, 400, field->value.at, "a number of hops up to 255");
    routing->max_forwards = (unsigned)value;
    return true;
}

/* The Request-URI must not carry headers (19.1.1, table 1): nobody downstream may mistake them for
 * the request's own. */
static bool route_request_uri(const struct ahoy_message *message, struct ahoy_routing *routing,
                              struct ahoy_err *err)
{
    if (!message->is_request) {
        routing->request_uri = (struct ahoy_uri){ .text = message->request_uri };
        return true;
    }
    if (!ahoy_uri_parse(message->request_uri, &routing->request_uri, err))
        return false;
    if (routing->request_uri.headers.size > 0)
        return ahoy_fail(err, 400, routing->request_uri.headers.at, "no headers in a Request-URI");
    return true;
}

static inline bool route_all(const struct ahoy_message *message, struct ahoy_routing *routing,
                             struct ahoy_err *err)
{
    if (!route_via(message, routing, err) ||
        !route_address(message, AHOY_HEADER_FROM, &routing->from, err) ||
        !route_address(message, AHOY_HEADER_TO, &routing->to, err))
        return false;
    routing->from_tag = routing->from.tag;
    routing->to_tag = routing->to.tag;
    /* R3261-8.1.1.3-1; peers of RFC 2543 are known by their branch.  In a response the branch is
     * ours, and From is as the caller wrote it. */
    if (message->is_request && routing->from_tag.size == 0 && ahoy_via_has_cookie(&routing->via))
        return ahoy_fail(err, 400, ahoy_span_end(routing->from.text), "a tag in From");
    return route_call_id(message, routing, err) && route_cseq(message, routing, err) &&
           route_max_forwards(message, routing, err) && route_request_uri(message, routing, err);
}

/* Reads what has a fault, onto a clean sheet: nothing of the message before is to be left there.
 * Faults are rare; a sound message fills all of it. */
__attribute__((noinline)) static bool route_anew(const struct ahoy_message *message,
                                                 struct ahoy_routing *routing, struct ahoy_err *err)
{
    *routing = (struct ahoy_routing){ .via_field = NULL };
    return route_all(message, routing, err);
}

bool ahoy_message_routing(const struct ahoy_message *message, struct ahoy_routing *routing,
                          struct ahoy_err *err)
{
    routing->via_field = NULL;
    return route_all(message, routing, err) || route_anew(message, routing, err);
}
