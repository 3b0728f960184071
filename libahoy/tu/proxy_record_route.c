/* Our Record-Route values (RFC 3261 16.6 step 4), so that the dialog's later requests pass here
 * too. */
#include "libahoy/tu/proxy_context.h"

/* Whether both ends of the path through us would otherwise differ in how safe they are: such a
 * path must not be left (R3261-16.6-14, R3261-16.6-15). */
static bool crosses(const struct ahoy_event *event, bool is_sips)
{
    bool is_safe = ahoy_transport_is_secure((enum ahoy_transport)event->hop->transport);
    return is_sips != is_safe && ahoy_method_forms_dialog(event->message->method);
}

/* What says in |uri| that it is met by TLS, which a sips URI says itself: R5630-5.3-10. */
static struct span without_tls(struct span uri)
{
    const struct span tls = SPAN(";transport=tls");
    size_t size = uri.size < tls.size ? 0 : uri.size - tls.size;
    return ahoy_span_equal(ahoy_span_after(uri, size), tls) ? (struct span){ uri.at, size } : uri;
}

/* |uri| is a listener's; a |flow| goes in front of its host, and then speaks for itself. */
static void put(struct ahoy_buf *text, struct span uri, bool is_sips, struct span flow,
                struct span params)
{
    if (is_sips)
        uri = without_tls(uri);
    size_t colon = ahoy_span_find(uri, ':');
    struct span scheme = { uri.at, colon };
    ahoy_buf_put(text, SPAN("Record-Route: <"));
    ahoy_buf_put(text, is_sips ? SPAN("sips") : scheme); /* R3261-16.6-13 */
    ahoy_buf_put_byte(text, ':');
    ahoy_buf_put(text, flow);
    if (flow.size > 0)
        ahoy_buf_put_byte(text, '@');
    ahoy_buf_put(text, ahoy_span_after(uri, colon + 1));
    ahoy_buf_put(text, SPAN(";lr")); /* R3261-16.6-11 */
    if (flow.size == 0)
        ahoy_buf_put(text, params);
    ahoy_buf_put(text, SPAN(">\r\n"));
}

uint8_t ahoy_proxy_record_route(struct ahoy_proxy *proxy, const struct ahoy_event *event,
                                const struct ahoy_proxy_plan *plan,
                                const struct ahoy_proxy_target *target, bool is_sips,
                                const char *at, struct ahoy_buf *text)
{
    if (!plan->record_route && !crosses(event, is_sips))
        return 0;
    const struct ahoy_listener *to = ahoy_transaction_listener(proxy->transactions, &target->hop);
    const struct ahoy_listener *from = ahoy_transaction_listener(proxy->transactions, event->hop);
    if (to == NULL)
        return 0; /* It cannot leave at all, which is found where it is to be sent. */
    size_t start = text->size;
    bool names_flow = target->flow.size > 0 || plan->flow.size > 0;
    put(text, to->uri, is_sips, target->flow, plan->record_route_params);
    /* The callee goes through the values from the top, the caller from the bottom (12.1): each
     * first meets the listener on its own side. */
    bool is_double = from != NULL && (from != to || names_flow);
    if (is_double)
        put(text, from->uri, is_sips, plan->flow, plan->record_route_params);
    if (!text->overflow)
        ahoy_edits_insert(&proxy->edits, at, (struct span){ text->at + start, text->size - start });
    return is_double ? 2 : 1;
}
