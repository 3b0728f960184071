/* Making the forwarded request (RFC 3261 16.6 steps 1 to 9): a list of edits over the received
 * one, for each target anew. */
#include "libahoy/syntax/params.h"
#include "libahoy/syntax/received.h"
#include "libahoy/tu/proxy_context.h"

/* Prints |text| without what a Request-URI may not have: R3261-16.6-6.  Returns whether it is a
 * sips URI.  Most often it is the one that |came|, and read already. */
static bool put_request_uri(struct ahoy_buf *buf, struct span text, const struct ahoy_uri *came)
{
    struct ahoy_uri parsed;
    const struct ahoy_uri *uri = came;
    if (text.at != came->text.at || text.size != came->text.size) {
        if (!ahoy_uri_parse(text, &parsed, NULL)) {
            ahoy_buf_put(buf, text);
            return false;
        }
        uri = &parsed;
    }
    ahoy_uri_print_request(uri, buf);
    return uri->scheme == AHOY_SCHEME_SIPS;
}

/* What was printed since |start|; empty after an overflow, which fails the whole. */
static struct span since(const struct ahoy_buf *buf, size_t start)
{
    if (buf->overflow)
        return SPAN("");
    return (struct span){ buf->at + start, buf->size - start };
}

static struct span put_request_line(struct ahoy_buf *text, const struct ahoy_event *event,
                                    struct span uri, bool *is_sips)
{
    size_t start = text->size;
    ahoy_buf_put(text, event->message->method_text);
    ahoy_buf_put_byte(text, ' ');
    *is_sips = put_request_uri(text, uri, &event->routing->request_uri); /* R3261-16.6-5 */
    ahoy_buf_put(text, SPAN(" SIP/2.0\r\n"));
    return since(text, start);
}

/* Where a row for proxies is added if there is no like one: behind the Vias. */
static const char *behind_vias(const struct ahoy_message *message)
{
    const struct ahoy_field *field = ahoy_message_first(message, AHOY_HEADER_VIA);
    const char *at = message->bytes.at + message->headers_end;
    for (; field != NULL; field = ahoy_message_next(message, field))
        at = ahoy_span_end(field->row);
    return at;
}

static void edit_max_forwards(struct ahoy_edits *edits, const struct ahoy_message *message,
                              const struct ahoy_routing *routing, struct ahoy_buf *text)
{
    const struct ahoy_field *field = ahoy_message_first(message, AHOY_HEADER_MAX_FORWARDS);
    if (field == NULL) { /* R3261-16.6-8 */
        ahoy_edits_insert(edits, behind_vias(message), SPAN("Max-Forwards: 70\r\n"));
        return;
    }
    size_t start = text->size; /* R3261-16.6-7 */
    ahoy_buf_put_number(text, routing->max_forwards > 0 ? routing->max_forwards - 1 : 0);
    ahoy_edits_replace(edits, field->value, since(text, start));
}

/* Each request has one (RFC 5393 5.3.3). */
static void edit_max_breadth(struct ahoy_edits *edits, const struct ahoy_message *message,
                             unsigned breadth, struct ahoy_buf *text)
{
    const struct ahoy_field *field = ahoy_message_first(message, AHOY_HEADER_MAX_BREADTH);
    size_t start = text->size;
    if (field != NULL) {
        ahoy_buf_put_number(text, breadth);
        ahoy_edits_replace(edits, field->value, since(text, start));
        return;
    }
    const struct ahoy_field *hops = ahoy_message_first(message, AHOY_HEADER_MAX_FORWARDS);
    ahoy_buf_put(text, SPAN("Max-Breadth: ")); /* R5393-5.3.3-1 */
    ahoy_buf_put_number(text, breadth);
    ahoy_buf_put(text, SPAN("\r\n"));
    ahoy_edits_insert(edits, hops != NULL ? ahoy_span_end(hops->row) : behind_vias(message),
                      since(text, start));
}

/* A datagram's end is its body's end; on a stream something must say so, and for its size any
 * request may end up on one (18.1.1). */
static void edit_content_length(struct ahoy_edits *edits, const struct ahoy_message *message,
                                struct ahoy_buf *text)
{
    if (ahoy_message_first(message, AHOY_HEADER_CONTENT_LENGTH) != NULL)
        return;
    size_t start = text->size; /* R3261-16.6-39 */
    ahoy_buf_put(text, SPAN("Content-Length: "));
    ahoy_buf_put_number(text, message->body.size);
    ahoy_buf_put(text, SPAN("\r\n"));
    ahoy_edits_insert(edits, message->bytes.at + message->headers_end, since(text, start));
}

/* RFC 3327 5.3: the Path of a binding is where a request to it goes first. */
static void add_routes(struct ahoy_edits *edits, const struct ahoy_message *message,
                       struct span routes, struct ahoy_buf *text)
{
    if (routes.size == 0)
        return;
    size_t start = text->size;
    ahoy_buf_put(text, SPAN("Route: "));
    ahoy_buf_put(text, routes);
    ahoy_buf_put(text, SPAN("\r\n"));
    ahoy_edits_insert(edits, behind_vias(message), since(text, start));
}

void ahoy_proxy_drop_rows(struct ahoy_edits *edits, const struct ahoy_message *message,
                          enum ahoy_header header)
{
    const struct ahoy_field *field = ahoy_message_first(message, header);
    for (; field != NULL; field = ahoy_message_next(message, field))
        ahoy_edits_remove(edits, field->row);
}

bool ahoy_proxy_make_request(struct ahoy_proxy *proxy, struct proxy_making *making,
                             struct ahoy_outgoing *request)
{
    const struct ahoy_event *event = making->event;
    const struct ahoy_proxy_target *target = making->target;
    const struct proxy_routes *routes = making->routes;
    const struct ahoy_message *message = event->message;
    struct ahoy_edits *edits = &proxy->edits;
    struct ahoy_buf text = ahoy_buf_over(proxy->text, sizeof proxy->text);
    bool is_sips;
    struct span uri = routes->strict.size > 0 ? routes->strict : target->uri;
    *request =
        (struct ahoy_outgoing){ .method = message->method,
                                .hop = target->hop,
                                .via_params = target->is_neighbour ? SPAN(AHOY_OC_OFFER) : SPAN(""),
                                .is_flow = target->flow.size > 0 };
    request->request_line = put_request_line(&text, event, uri, &is_sips);

    ahoy_edits_init(edits, ahoy_span_after(message->bytes, message->start_line.size));
    ahoy_edits_mark_via(edits, &event->routing->via, &event->hop->remote, &text);
    if (message->method != AHOY_METHOD_ACK) {
        const struct ahoy_field *others = ahoy_message_first(message, AHOY_HEADER_RECORD_ROUTE);
        const char *at = others != NULL ? others->row.at : behind_vias(message);
        making->record_routes = ahoy_proxy_record_route(proxy, event, making->plan, target,
                                                        is_sips || routes->top_is_sips, at, &text);
    }
    edit_max_forwards(edits, message, event->routing, &text);
    edit_max_breadth(edits, message, making->breadth, &text);
    ahoy_proxy_edit_routes(edits, message, routes, target->uri, &text);
    if (making->plan->added.size > 0)
        ahoy_edits_insert(edits, behind_vias(message), making->plan->added);
    add_routes(edits, message, target->routes, &text);
    if (making->plan->removed.size > 0)
        ahoy_edits_remove(edits, making->plan->removed);
    if (making->plan->drops_asserted)
        ahoy_proxy_drop_rows(edits, message, AHOY_HEADER_P_ASSERTED_IDENTITY);
    if (making->plan->drops_preferred)
        ahoy_proxy_drop_rows(edits, message, AHOY_HEADER_P_PREFERRED_IDENTITY);
    edit_content_length(edits, message, &text);
    request->pieces = proxy->pieces;
    request->count = ahoy_edits_gather(edits, proxy->pieces);
    return request->count > 0 && !text.overflow;
}

unsigned ahoy_proxy_send(struct ahoy_proxy *proxy, struct proxy_context *context, unsigned index,
                         struct proxy_making *making, uint64_t now_ms)
{
    struct proxy_branch *branch = proxy_branch_at(context, index);
    struct ahoy_outgoing request;
    if (ahoy_proxy_holds_back(proxy, context, branch, making, now_ms))
        return 503; /* RFC 7339 5.10: without a Retry-After. */
    making->breadth = branch->breadth;
    if (!ahoy_proxy_make_request(proxy, making, &request))
        return 400;
    branch->record_routes = making->record_routes;
    branch->provisional = false;
    /* R3261-16.9-1 */
    return ahoy_proxy_start_branch(proxy, context, index, &request, now_ms) ? 0 : 503;
}

unsigned ahoy_proxy_send_kept(struct ahoy_proxy *proxy, struct proxy_context *context,
                              unsigned index, const struct ahoy_proxy_target *target,
                              uint64_t now_ms)
{
    const struct ahoy_event *event = ahoy_proxy_recall(proxy, context->kept);
    struct proxy_routes routes;
    struct proxy_making making = {
        .event = event, .plan = &context->kept->plan, .routes = &routes, .target = target
    };
    if (!ahoy_proxy_read_routes(event->message, making.plan, &routes))
        return 400;
    return ahoy_proxy_send(proxy, context, index, &making, now_ms);
}
