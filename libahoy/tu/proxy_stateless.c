/* Forwarding without state (RFC 3261 16.11): nothing is kept, and whatever is done to a request is
 * done in the same way when it comes again. */
#include <assert.h>

#include "libahoy/tu/proxy_context.h"

_Static_assert((int)AHOY_LISTENERS_LIMIT <= 100, "a listener's number has two digits");

/* What stays the same when a request is sent again, and in its CANCEL and its ACK
 * (R3261-16.11-9, R3261-16.11-10).  Of a peer whose branch is not unique, it is all that it
 * wrote. */
static struct span seed_of(const struct ahoy_event *event)
{
    if (ahoy_via_has_cookie(&event->routing->via))
        return event->routing->via.branch;
    return (struct span){ event->message->bytes.at, event->message->headers_end };
}

void ahoy_proxy_forward(struct ahoy_proxy *proxy, const struct ahoy_event *event,
                        const struct ahoy_proxy_plan *plan)
{
    assert(plan->count > 0);
    struct proxy_routes routes;
    struct ahoy_outgoing request;
    struct proxy_making making = {
        .event = event, .plan = plan, .routes = &routes, .target = &plan->targets[0]
    };
    uint8_t breadth = AHOY_MAX_BREADTH_LIMIT;
    (void)ahoy_proxy_read_breadth(event->message, &breadth); /* Unreadable, it is made anew. */
    making.breadth = breadth;
    if (plan->targets[0].way_count > 0) {
        ahoy_proxy_wait_with_ack(proxy, event, plan);
        return;
    }
    if (!ahoy_proxy_read_routes(event->message, plan, &routes) ||
        !ahoy_proxy_make_request(proxy, &making, &request))
        return;
    /* The listener that the responses leave by. */
    const char number[] = { (char)('0' + event->hop->listener / 10 % 10),
                            (char)('0' + event->hop->listener % 10) };
    request.branch_tail = (struct span){ number, sizeof number };
    /* Nobody is told either where it cannot leave: whoever sent it will send it again. */
    (void)ahoy_transaction_send(proxy->transactions, &request, seed_of(event));
}

bool ahoy_proxy_stray_hop(const struct ahoy_event *event, struct ahoy_hop *hop)
{
    struct span own = event->routing->via.branch;
    struct ahoy_values values = ahoy_message_values(event->message, AHOY_HEADER_VIA);
    struct ahoy_via via;
    struct span text;
    uint64_t listener;
    *hop = (struct ahoy_hop){ .transport = AHOY_UDP };
    if (!ahoy_values_next(&values, &text, NULL) || !ahoy_values_next(&values, &text, NULL) ||
        !ahoy_via_parse(text, &via, NULL) || own.size < 2 ||
        !ahoy_span_number(ahoy_span_after(own, own.size - 2), AHOY_LISTENERS_LIMIT - 1, &listener))
        return false;
    /* Our mark is there where the sender's address is not that of sent-by (18.2.1). */
    if (!ahoy_ip_parse(via.received.size > 0 ? via.received : via.host, &hop->remote))
        return false;
    hop->remote.port = via.rport != 0 ? via.rport : via.port != 0 ? via.port : 5060;
    hop->listener = (uint8_t)listener;
    return true;
}

void ahoy_proxy_pass(struct ahoy_proxy *proxy, const struct ahoy_event *event,
                     const struct ahoy_hop *hop, enum ahoy_asserted asserted)
{
    /* R3261-16.11-16 */
    size_t count = ahoy_proxy_pop_via(proxy, event->message, false, asserted);
    if (count > 0)
        ahoy_transaction_pass(proxy->transactions, hop, proxy->pieces, count);
}
