/* The flows of one instance (RFC 5626 7): never two at a time, the next one when one has failed,
 * and none any more once the instance has said anything. */
#include "libahoy/tu/proxy_context.h"

bool ahoy_proxy_start_target(struct ahoy_proxy *proxy, struct proxy_context *context,
                             unsigned index, const struct ahoy_proxy_target *target,
                             uint64_t now_ms)
{
    if (target->sleeper.size > 0) {
        ahoy_proxy_sleep(proxy, context, index, target);
        return true;
    }
    if (target->way_count > 0)
        return ahoy_proxy_keep_ways(context, index, target) &&
               ahoy_proxy_try(proxy, context, index, now_ms);
    return ahoy_proxy_send_kept(proxy, context, index, target, now_ms) == 0;
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
        if (ahoy_proxy_start_target(proxy, context, index, target, now_ms)) /* R5626-7-1 */
            return true;
    }
    branch->client = failed;
    return false;
}
