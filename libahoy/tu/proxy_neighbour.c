/* Overload control between neighbours (RFC 7339): ours is told in the Via that they wrote, theirs
 * in the one that we wrote. */
#include "libahoy/tu/proxy_context.h"

#include <assert.h>

void ahoy_proxy_tell_load(struct ahoy_proxy *proxy, struct span load)
{
    assert(load.size <= sizeof proxy->load);
    memcpy(proxy->load, load.at, load.size);
    proxy->load_size = load.size;
}

struct span ahoy_proxy_load(const struct ahoy_proxy *proxy, bool tells_load)
{
    return (struct span){ proxy->load, tells_load ? proxy->load_size : 0 };
}

uint64_t ahoy_proxy_held_back(const struct ahoy_proxy *proxy)
{
    return proxy->held_back;
}

/* Our Via is the topmost one, and was matched by a branch that nobody else can know. */
void ahoy_proxy_hear_neighbour(struct ahoy_proxy *proxy, const struct proxy_branch *branch,
                               const struct ahoy_event *event, uint64_t now_ms)
{
    if (!branch->is_neighbour)
        return;
    const struct ahoy_ip *ip = &event->sent_to->remote;
    if (event->kind == AHOY_EVENT_RESPONSE) {
        struct ahoy_oc oc;
        const struct ahoy_via *via = &event->routing->via;
        bool told = via->has_oc_value && ahoy_oc_parse(via->params, &oc);
        ahoy_throttle_answered(&proxy->throttle, ip, told ? &oc : NULL, now_ms);
    } else if (!branch->provisional && event->kind != AHOY_EVENT_ENDED) {
        ahoy_throttle_failed(&proxy->throttle, ip, now_ms);
    }
}

bool ahoy_proxy_holds_back(struct ahoy_proxy *proxy, struct proxy_context *context,
                           struct proxy_branch *branch, const struct proxy_making *making,
                           uint64_t now_ms)
{
    const struct ahoy_proxy_target *target = making->target;
    branch->is_neighbour = target->is_neighbour;
    if (!target->is_neighbour)
        return false;
    const struct ahoy_ip *ip = &target->hop.remote;
    if (!ahoy_throttle_holds(&proxy->throttle, ip, making->plan->urgency, now_ms))
        return false;
    context->held_back = true;
    ahoy_proxy_note(proxy, context, AHOY_CAUSE_HELD_BACK, &target->hop, SPAN(""));
    proxy->held_back++;
    return true;
}
