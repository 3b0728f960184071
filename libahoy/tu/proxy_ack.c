/* The ACK to a 2xx whose next hop is a name (RFC 3261 16.11): it waits, without a transaction, and
 * goes to the first server that is found.  If that fails nobody is told: the callee sends its 2xx
 * again, and the caller its ACK. */
#include "libahoy/tu/proxy_context.h"

struct proxy_ack {
    struct ahoy_arena arena;
    struct proxy_kept kept;
    struct span uri, way;
    struct ahoy_ip source;
};

void ahoy_proxy_init_acks(struct ahoy_proxy *proxy)
{
    ahoy_pool_init(&proxy->acks, sizeof(struct proxy_ack), AHOY_PROXY_ACKS_LIMIT);
}

static void forget(struct ahoy_proxy *proxy, struct ahoy_handle handle, struct proxy_ack *ack)
{
    ahoy_arena_release(&ack->arena);
    ahoy_pool_remove(&proxy->acks, handle);
}

void ahoy_proxy_fini_acks(struct ahoy_proxy *proxy)
{
    struct ahoy_handle handle = { 0, 0 };
    struct proxy_ack *ack;
    while ((ack = ahoy_pool_next(&proxy->acks, handle.slot, &handle)) != NULL)
        forget(proxy, handle, ack);
    ahoy_pool_fini(&proxy->acks);
}

void ahoy_proxy_wait_with_ack(struct ahoy_proxy *proxy, const struct ahoy_event *event,
                              const struct ahoy_proxy_plan *plan)
{
    const struct ahoy_proxy_target *target = &plan->targets[0];
    struct ahoy_handle handle;
    struct proxy_ack *ack = ahoy_pool_add(&proxy->acks, &handle);
    if (ack == NULL)
        return;
    ahoy_arena_init(&ack->arena, &proxy->chunks);
    ack->uri = ahoy_arena_copy(&ack->arena, target->uri);
    ack->way = ahoy_arena_copy(&ack->arena, target->ways[0]);
    ack->source = target->source;
    if (ack->uri.at == NULL || ack->way.at == NULL ||
        !ahoy_proxy_keep_request(&ack->arena, event, plan, &ack->kept)) {
        forget(proxy, handle, ack);
        return;
    }
    ahoy_proxy_wish(proxy, &(struct proxy_wish){ .user = ahoy_proxy_name(handle, PROXY_ACK) });
}

bool ahoy_proxy_ack_wish(const struct ahoy_proxy *proxy, struct ahoy_handle handle,
                         struct ahoy_proxy_wish *wish)
{
    const struct proxy_ack *ack = ahoy_pool_get(&proxy->acks, handle);
    if (ack == NULL)
        return false;
    wish->uri = ack->way;
    wish->source = ack->source;
    wish->is_secure = ahoy_span_starts_nocase(ack->uri, SPAN("sips:"));
    return true;
}

void ahoy_proxy_ack_located(struct ahoy_proxy *proxy, struct ahoy_handle handle,
                            const struct ahoy_proxy_found *found)
{
    struct proxy_ack *ack = ahoy_pool_get(&proxy->acks, handle);
    if (ack == NULL)
        return;
    if (found->count > 0) {
        const struct ahoy_proxy_target target = { .uri = ack->uri, .hop = found->hops[0] };
        struct ahoy_proxy_plan plan = ack->kept.plan;
        plan.targets = &target;
        ahoy_proxy_forward(proxy, ahoy_proxy_recall(proxy, &ack->kept), &plan);
    }
    forget(proxy, handle, ack);
}
