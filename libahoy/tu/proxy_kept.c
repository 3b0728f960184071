/* A copy of a request, from which it is made again as if it had just come. */
#include "libahoy/tu/proxy_context.h"

/* The same bytes in the copy. */
static struct span moved(struct span text, struct span from, struct span to)
{
    if (text.size == 0)
        return SPAN("");
    return (struct span){ to.at + (text.at - from.at), text.size };
}

bool ahoy_proxy_keep_request(struct ahoy_arena *arena, const struct ahoy_event *event,
                             const struct ahoy_proxy_plan *plan, struct proxy_kept *kept)
{
    struct span bytes = event->message->bytes;
    *kept = (struct proxy_kept){ .bytes = ahoy_arena_copy(arena, bytes),
                                 .source = *event->hop,
                                 .plan = *plan };
    if (kept->bytes.at == NULL)
        return false;
    kept->plan.targets = NULL;
    kept->plan.removed = moved(plan->removed, bytes, kept->bytes);
    kept->plan.record_route_params = ahoy_arena_copy(arena, plan->record_route_params);
    return kept->plan.record_route_params.at != NULL || plan->record_route_params.size == 0;
}

struct ahoy_event ahoy_proxy_recall(struct ahoy_proxy *proxy, const struct proxy_kept *kept)
{
    /* It was read before, from the same bytes. */
    (void)ahoy_message_parse(kept->bytes, &proxy->again, NULL);
    (void)ahoy_message_routing(&proxy->again, &proxy->routing, NULL);
    return (struct ahoy_event){ .kind = AHOY_EVENT_REQUEST,
                                .message = &proxy->again,
                                .routing = &proxy->routing,
                                .hop = &kept->source };
}
