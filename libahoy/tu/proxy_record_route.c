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

static void put(struct ahoy_buf *text, struct span uri, bool is_sips, struct span params)
{
    ahoy_buf_put(text, SPAN("Record-Route: <"));
    if (is_sips && ahoy_span_starts_nocase(uri, SPAN("sip:"))) { /* R3261-16.6-13 */
        ahoy_buf_put(text, SPAN("sips:"));
        uri = ahoy_span_after(uri, 4);
    }
    ahoy_buf_put(text, uri);
    ahoy_buf_put(text, SPAN(";lr")); /* R3261-16.6-11 */
    ahoy_buf_put(text, params);
    ahoy_buf_put(text, SPAN(">\r\n"));
}

void ahoy_proxy_record_route(struct ahoy_proxy *proxy, const struct ahoy_event *event,
                             const struct ahoy_proxy_plan *plan, const struct ahoy_hop *hop,
                             bool is_sips, const char *at, struct ahoy_buf *text)
{
    if (!plan->record_route && !crosses(event, is_sips))
        return;
    const struct ahoy_listener *to = ahoy_transaction_listener(proxy->transactions, hop);
    const struct ahoy_listener *from = ahoy_transaction_listener(proxy->transactions, event->hop);
    if (to == NULL)
        return; /* It cannot leave at all, which is found where it is to be sent. */
    size_t start = text->size;
    put(text, to->uri, is_sips, plan->record_route_params);
    /* The callee goes through the values from the top, the caller from the bottom (12.1): each
     * first meets the listener on its own side. */
    if (from != NULL && from != to)
        put(text, from->uri, is_sips, plan->record_route_params);
    if (!text->overflow)
        ahoy_edits_insert(&proxy->edits, at, (struct span){ text->at + start, text->size - start });
}
