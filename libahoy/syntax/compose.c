/* Messages that we make out of others: responses (RFC 3261 8.2.6), ACK (17.1.1.3), CANCEL (9.1). */
#include "libahoy/syntax/compose.h"

#include "libahoy/base/unset.h"
#include "libahoy/syntax/oc.h"
#include "libahoy/syntax/params.h"
#include "libahoy/syntax/received.h"
#include "libahoy/syntax/scan.h"
#include "libahoy/syntax/status.h"

/* Rows are echoed byte by byte: what a peer wrote is never decoded and printed again, so nothing
 * in it can become a line of its own. */
static void put_first(struct ahoy_buf *buf, const struct ahoy_message *message,
                      enum ahoy_header header)
{
    const struct ahoy_field *field = ahoy_message_first(message, header);
    if (field != NULL)
        ahoy_buf_put(buf, field->row);
}

static void put_rows(struct ahoy_buf *buf, const struct ahoy_message *message,
                     const struct ahoy_field *field)
{
    for (; field != NULL; field = ahoy_message_next(message, field))
        ahoy_buf_put(buf, field->row);
}

/* The topmost Via value; false where it cannot be told. */
static bool top_via(const struct ahoy_field *field, struct ahoy_via *via)
{
    struct span rest = field->value;
    struct span item;
    if (!ahoy_list_next(&rest, &item, NULL))
        return false;
    return ahoy_via_parse(item, via, NULL) || via->sent_by.size > 0;
}

static void put_marked_via(struct ahoy_buf *buf, const struct ahoy_field *field,
                           const struct ahoy_via *via, const struct ahoy_response *response)
{
    char space[64];
    struct ahoy_buf text = ahoy_buf_over(space, sizeof space);
    AHOY_UNSET struct ahoy_edits edits;
    ahoy_edits_init(&edits, field->row);
    if (response->received != NULL)
        ahoy_edits_mark_via(&edits, via, response->received, &text);
    else
        ahoy_edits_remove_oc(&edits, via->params);
    if (response->load.size > 0)
        ahoy_edits_insert(&edits, ahoy_span_end(via->sent_by), response->load);
    AHOY_UNSET struct span pieces[AHOY_PIECES_LIMIT];
    size_t count = ahoy_edits_gather(&edits, pieces);
    if (count == 0)
        ahoy_buf_put(buf, field->row);
    for (size_t i = 0; i < count; i++)
        ahoy_buf_put(buf, pieces[i]);
}

static void put_via_rows(struct ahoy_buf *buf, const struct ahoy_message *request,
                         const struct ahoy_response *response)
{
    const struct ahoy_field *field = ahoy_message_first(request, AHOY_HEADER_VIA);
    struct ahoy_via via;
    if (field == NULL)
        return;
    if (response->received == NULL && response->load.size == 0)
        ahoy_buf_put(buf, field->row);
    else if (response->routing != NULL && response->routing->via_field == field)
        put_marked_via(buf, field, &response->routing->via, response);
    else if (top_via(field, &via))
        put_marked_via(buf, field, &via, response);
    else
        ahoy_buf_put(buf, field->row);
    put_rows(buf, request, ahoy_message_next(request, field));
}

static bool has_to_tag(const struct ahoy_field *field, const struct ahoy_routing *routing)
{
    struct ahoy_address to;
    if (routing != NULL)
        return routing->to_tag.size > 0;
    return ahoy_address_parse(field->value, &to, NULL) && to.tag.size > 0;
}

static void put_to(struct ahoy_buf *buf, const struct ahoy_message *request,
                   const struct ahoy_response *response)
{
    const struct ahoy_field *field = ahoy_message_first(request, AHOY_HEADER_TO);
    if (field == NULL)
        return;
    if (response->status == 100 || response->to_tag.size == 0 ||
        has_to_tag(field, response->routing)) {
        ahoy_buf_put(buf, field->row);
        return;
    }
    const char *end = ahoy_span_end(field->value);
    ahoy_buf_put(buf, ahoy_span_between(field->row.at, end));
    ahoy_buf_put(buf, SPAN(";tag="));
    ahoy_buf_put(buf, response->to_tag);
    ahoy_buf_put(buf, ahoy_span_between(end, ahoy_span_end(field->row)));
}

/* Content-Length, the empty line and the body. */
static void put_end(struct ahoy_buf *buf, struct span body)
{
    ahoy_buf_put(buf, SPAN("Content-Length: "));
    ahoy_buf_put_number(buf, body.size);
    ahoy_buf_put(buf, SPAN("\r\n\r\n"));
    ahoy_buf_put(buf, body);
}

void ahoy_compose_response(struct ahoy_buf *buf, const struct ahoy_message *request,
                           const struct ahoy_response *response)
{
    struct span reason = response->reason;
    if (reason.size == 0)
        reason = ahoy_status_reason(response->status);
    ahoy_buf_put(buf, SPAN("SIP/2.0 "));
    ahoy_buf_put_number(buf, response->status);
    ahoy_buf_put_byte(buf, ' ');
    ahoy_buf_put(buf, reason);
    ahoy_buf_put(buf, SPAN("\r\n"));
    put_via_rows(buf, request, response);
    put_first(buf, request, AHOY_HEADER_FROM);
    put_to(buf, request, response);
    put_first(buf, request, AHOY_HEADER_CALL_ID);
    put_first(buf, request, AHOY_HEADER_CSEQ);
    if (response->status == 100) /* R3261-8.2.6.1-1 */
        put_first(buf, request, AHOY_HEADER_TIMESTAMP);
    ahoy_buf_put(buf, response->headers);
    put_end(buf, response->body);
}

static bool is_listed(struct span list, struct span tag)
{
    struct span item;
    while (ahoy_list_next(&list, &item, NULL)) {
        if (ahoy_span_equal_nocase(item, tag))
            return true;
    }
    return false;
}

void ahoy_compose_unsupported(struct ahoy_buf *buf, const struct ahoy_message *request,
                              enum ahoy_header header, struct span known)
{
    struct ahoy_values values = ahoy_message_values(request, header);
    struct span tag;
    while (ahoy_values_next(&values, &tag, NULL)) {
        if (is_listed(known, tag))
            continue;
        ahoy_buf_put(buf, SPAN("Unsupported: "));
        ahoy_buf_put(buf, tag);
        ahoy_buf_put(buf, SPAN("\r\n"));
    }
}

/* What tells proxies without state the way: R3841-5-1. */
static void put_preferences(struct ahoy_buf *buf, const struct ahoy_message *request)
{
    put_rows(buf, request, ahoy_message_first(request, AHOY_HEADER_ACCEPT_CONTACT));
    put_rows(buf, request, ahoy_message_first(request, AHOY_HEADER_REJECT_CONTACT));
    put_rows(buf, request, ahoy_message_first(request, AHOY_HEADER_REQUEST_DISPOSITION));
}

/* Start line, topmost Via, Max-Forwards, From, Call-ID, CSeq, Route and what the caller prefers, of
 * a request that belongs to |request|; the caller adds To. */
static void put_request(struct ahoy_buf *buf, const struct ahoy_message *request,
                        enum ahoy_method method)
{
    ahoy_buf_put(buf, ahoy_method_name(method));
    ahoy_buf_put_byte(buf, ' ');
    ahoy_buf_put(buf, request->request_uri);
    ahoy_buf_put(buf, SPAN(" SIP/2.0\r\nVia: "));
    const struct ahoy_field *field = ahoy_message_first(request, AHOY_HEADER_VIA);
    struct ahoy_via via;
    if (field != NULL && top_via(field, &via))
        ahoy_buf_put(buf, via.text);
    ahoy_buf_put(buf, SPAN("\r\nMax-Forwards: 70\r\n"));
    put_first(buf, request, AHOY_HEADER_FROM);
    put_first(buf, request, AHOY_HEADER_CALL_ID);
    struct ahoy_cseq cseq;
    (void)ahoy_cseq_parse(ahoy_message_value(request, AHOY_HEADER_CSEQ), &cseq,
                          NULL); /* It is ours. */
    ahoy_buf_put(buf, SPAN("CSeq: "));
    ahoy_buf_put_number(buf, cseq.number);
    ahoy_buf_put_byte(buf, ' ');
    ahoy_buf_put(buf, ahoy_method_name(method));
    ahoy_buf_put(buf, SPAN("\r\n"));
    put_rows(buf, request, ahoy_message_first(request, AHOY_HEADER_ROUTE));
    put_preferences(buf, request);
}

void ahoy_compose_ack(struct ahoy_buf *buf, const struct ahoy_message *request,
                      const struct ahoy_message *response)
{
    put_request(buf, request, AHOY_METHOD_ACK);
    put_first(buf, response, AHOY_HEADER_TO); /* R3261-17.1.1.3-3 */
    put_end(buf, SPAN(""));
}

void ahoy_compose_cancel(struct ahoy_buf *buf, const struct ahoy_message *request,
                         struct span headers)
{
    put_request(buf, request, AHOY_METHOD_CANCEL);
    put_first(buf, request, AHOY_HEADER_TO); /* R3261-9.1-1 */
    ahoy_buf_put(buf, headers);
    put_end(buf, SPAN(""));
}
