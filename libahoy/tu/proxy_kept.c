/* A copy of a request, from which it is made again as if it had just come. */
#include "libahoy/tu/proxy_context.h"

/* The same bytes in the copy. */
static struct span moved(struct span text, struct span from, struct span to)
{
    if (text.size == 0)
        return SPAN("");
    return (struct span){ to.at + (text.at - from.at), text.size };
}

bool ahoy_proxy_keep_text(struct ahoy_arena *arena, struct span text, struct span *kept)
{
    *kept = SPAN("");
    if (text.size > 0)
        *kept = ahoy_arena_copy(arena, text);
    return kept->size == text.size;
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
    return ahoy_proxy_keep_text(arena, plan->record_route_params,
                                &kept->plan.record_route_params) &&
           ahoy_proxy_keep_text(arena, plan->flow, &kept->plan.flow) &&
           ahoy_proxy_keep_text(arena, plan->added, &kept->plan.added);
}

/* A copy of |target| in |kept|; its other flows are left out. */
bool ahoy_proxy_keep_target(struct ahoy_arena *arena, const struct ahoy_proxy_target *target,
                            struct ahoy_proxy_target *kept)
{
    *kept = *target;
    kept->next = NULL;
    if (!ahoy_proxy_keep_text(arena, target->uri, &kept->uri) ||
        !ahoy_proxy_keep_text(arena, target->routes, &kept->routes) ||
        !ahoy_proxy_keep_text(arena, target->flow, &kept->flow) ||
        !ahoy_proxy_keep_text(arena, target->sleeper, &kept->sleeper))
        return false;
    if (target->way_count == 0)
        return true;
    struct span *ways = ahoy_arena_take(arena, target->way_count * sizeof *ways);
    if (ways == NULL)
        return false;
    kept->ways = ways;
    for (size_t i = 0; i < target->way_count; i++) {
        if (!ahoy_proxy_keep_text(arena, target->ways[i], &ways[i]))
            return false;
    }
    return true;
}

bool ahoy_proxy_keep_flows(struct ahoy_arena *arena, const struct ahoy_proxy_target *next,
                           const struct ahoy_proxy_target **kept)
{
    for (; next != NULL; next = next->next) {
        struct ahoy_proxy_target *copy = ahoy_arena_take(arena, sizeof *copy);
        if (copy == NULL || !ahoy_proxy_keep_target(arena, next, copy))
            return false;
        *kept = copy;
        kept = &copy->next;
    }
    return true;
}

bool ahoy_proxy_copy_target(struct ahoy_arena *arena, const struct ahoy_proxy_target *target,
                            struct ahoy_proxy_target *copy)
{
    return ahoy_proxy_keep_target(arena, target, copy) &&
           ahoy_proxy_keep_flows(arena, target->next, &copy->next);
}

const struct ahoy_event *ahoy_proxy_recall(struct ahoy_proxy *proxy, const struct proxy_kept *kept)
{
    /* It was read before, from the same bytes. */
    (void)ahoy_message_parse(kept->bytes, &proxy->again, NULL);
    (void)ahoy_message_routing(&proxy->again, &proxy->routing, NULL);
    proxy->routing.max_forwards += kept->spent_hops;
    proxy->recalled = (struct ahoy_event){ .kind = AHOY_EVENT_REQUEST,
                                           .message = &proxy->again,
                                           .routing = &proxy->routing,
                                           .hop = &kept->source };
    return &proxy->recalled;
}
