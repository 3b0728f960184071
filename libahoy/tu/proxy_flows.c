/* The flows of one instance (RFC 5626 7): never two at a time, the next one when one has failed,
 * and none any more once the instance has said anything. */
#include "libahoy/tu/proxy_context.h"

/* A copy of |target|; NULL where memory is refused. */
static struct ahoy_proxy_target *keep(struct ahoy_arena *arena,
                                      const struct ahoy_proxy_target *target)
{
    struct ahoy_proxy_target *kept = ahoy_arena_take(arena, sizeof *kept);
    if (kept == NULL)
        return NULL;
    *kept = *target;
    kept->next = NULL;
    if (!ahoy_proxy_keep_text(arena, target->uri, &kept->uri) ||
        !ahoy_proxy_keep_text(arena, target->routes, &kept->routes) ||
        !ahoy_proxy_keep_text(arena, target->flow, &kept->flow))
        return NULL;
    if (target->way_count == 0)
        return kept;
    struct span *ways = ahoy_arena_take(arena, target->way_count * sizeof *ways);
    if (ways == NULL)
        return NULL;
    kept->ways = ways;
    for (size_t i = 0; i < target->way_count; i++) {
        if (!ahoy_proxy_keep_text(arena, target->ways[i], &ways[i]))
            return NULL;
    }
    return kept;
}

bool ahoy_proxy_keep_flows(struct proxy_context *context, unsigned index,
                           const struct ahoy_proxy_target *next)
{
    const struct ahoy_proxy_target **link = &proxy_branch_at(context, index)->flows;
    for (; next != NULL; next = next->next) {
        struct ahoy_proxy_target *kept = keep(&context->arena, next);
        if (kept == NULL)
            return false;
        *link = kept;
        link = &kept->next;
    }
    return true;
}

static bool start(struct ahoy_proxy *proxy, struct proxy_context *context, unsigned index,
                  const struct ahoy_proxy_target *target, uint64_t now_ms)
{
    if (target->way_count > 0)
        return ahoy_proxy_keep_ways(context, index, target) &&
               ahoy_proxy_try(proxy, context, index, now_ms);
    const struct ahoy_proxy_plan *plan = &context->kept->plan;
    struct ahoy_event event = ahoy_proxy_recall(proxy, context->kept);
    struct proxy_routes routes;
    struct ahoy_outgoing request;
    return ahoy_proxy_read_routes(event.message, plan, &routes) &&
           ahoy_proxy_make_request(proxy, &event, plan, &routes, target, &request) &&
           ahoy_proxy_start_branch(proxy, context, index, &request, now_ms);
}

bool ahoy_proxy_next_flow(struct ahoy_proxy *proxy, struct proxy_context *context, unsigned index,
                          uint64_t now_ms)
{
    struct proxy_branch *branch = proxy_branch_at(context, index);
    if (context->closed || branch->done || branch->cancelled || branch->flows == NULL)
        return false;
    struct ahoy_handle failed = branch->client;
    branch->client = (struct ahoy_handle){ 0, 0 };
    if (branch->timer.which == PROXY_TIMER_C)
        ahoy_timers_cancel(&proxy->timers, &branch->timer);
    while (branch->flows != NULL) {
        const struct ahoy_proxy_target *target = branch->flows;
        branch->flows = target->next;
        branch->ways = NULL;
        branch->provisional = false;
        if (start(proxy, context, index, target, now_ms)) /* R5626-7-1 */
            return true;
    }
    branch->client = failed;
    return false;
}
