/* From a target's ways to its servers, one after the other, until one answers (RFC 3263 4.3).  A
 * server that rests, because it failed lately, is tried when all ways are known and no other is
 * left. */
#include <assert.h>

#include "libahoy/tu/proxy_context.h"

bool ahoy_proxy_keep_ways(struct proxy_context *context, unsigned index,
                          const struct ahoy_proxy_target *target)
{
    struct ahoy_arena *arena = &context->arena;
    struct proxy_ways *ways = ahoy_arena_take(arena, sizeof *ways);
    struct span *texts = ahoy_arena_take(arena, target->way_count * sizeof *texts);
    assert(target->way_count <= AHOY_TARGETS_LIMIT);
    if (ways == NULL || texts == NULL)
        return false;
    *ways = (struct proxy_ways){ .uri = ahoy_arena_copy(arena, target->uri),
                                 .source = target->source,
                                 .is_secure = target->is_secure,
                                 .is_neighbour = target->is_neighbour,
                                 .ways = texts,
                                 .way_count = (uint8_t)target->way_count };
    bool kept = ways->uri.at != NULL &&
                ahoy_proxy_keep_text(arena, target->routes, &ways->routes) &&
                ahoy_proxy_keep_text(arena, target->flow, &ways->flow);
    for (size_t i = 0; i < target->way_count; i++) {
        texts[i] = ahoy_arena_copy(arena, target->ways[i]);
        kept &= texts[i].at != NULL;
    }
    proxy_branch_at(context, index)->ways = ways;
    return kept;
}

void ahoy_proxy_wish(struct ahoy_proxy *proxy, const struct proxy_wish *wish)
{
    assert(proxy->wish_count < PROXY_WISHES_LIMIT); /* The owner polls after each call. */
    size_t at = (proxy->next_wish + proxy->wish_count++) % PROXY_WISHES_LIMIT;
    proxy->wishes[at] = *wish;
}

void ahoy_proxy_give_back(struct ahoy_proxy *proxy, uint64_t ticket)
{
    if (ticket != 0)
        ahoy_proxy_wish(proxy, &(struct proxy_wish){ .ticket = ticket });
}

/* The wish of a branch that still waits; false where it does not any more. */
static bool branch_wish(struct proxy_context *context, unsigned index, struct ahoy_proxy_wish *wish)
{
    const struct proxy_branch *branch = proxy_branch_at(context, index);
    if (!branch->waiting)
        return false;
    if (branch->sleeps) {
        wish->kind = AHOY_WISH_WAKE;
        wish->uri = branch->flows->uri;
        wish->sleeper = branch->flows->sleeper;
        return true;
    }
    const struct proxy_ways *ways = branch->ways;
    wish->uri = ways->ways[ways->next_way - 1];
    wish->source = ways->source;
    wish->is_secure = ways->is_secure || ahoy_span_starts_nocase(ways->uri, SPAN("sips:"));
    return true;
}

/* The wish that waits under the name |user|. */
static bool find_wish(const struct ahoy_proxy *proxy, uint64_t user, struct ahoy_proxy_wish *wish)
{
    unsigned index;
    struct ahoy_handle handle = ahoy_proxy_unname(user, &index);
    *wish = (struct ahoy_proxy_wish){ .kind = AHOY_WISH_LOCATE, .user = user };
    if (index == PROXY_ACK)
        return ahoy_proxy_ack_wish(proxy, handle, wish);
    struct proxy_context *context = ahoy_pool_get(&proxy->contexts, handle);
    return context != NULL && !context->closed && branch_wish(context, index, wish);
}

bool ahoy_proxy_poll(struct ahoy_proxy *proxy, struct ahoy_proxy_wish *wish)
{
    while (proxy->wish_count > 0) {
        const struct proxy_wish next = proxy->wishes[proxy->next_wish];
        proxy->next_wish = (proxy->next_wish + 1) % PROXY_WISHES_LIMIT;
        proxy->wish_count--;
        if (next.ticket != 0) {
            *wish = (struct ahoy_proxy_wish){ .kind = AHOY_WISH_ANSWERED, .user = next.ticket };
            return true;
        }
        if (next.user != 0 && find_wish(proxy, next.user, wish))
            return true;
        if (next.user != 0)
            continue;
        *wish = (struct ahoy_proxy_wish){ .kind = AHOY_WISH_REST,
                                          .hop = next.hop,
                                          .rest_ms = next.rest_ms };
        return true;
    }
    return false;
}

bool ahoy_proxy_waits(const struct ahoy_proxy *proxy, uint64_t user, struct ahoy_ip *source)
{
    struct ahoy_proxy_wish wish;
    if (!find_wish(proxy, user, &wish))
        return false;
    *source = wish.source;
    return true;
}

/* R3263-4-1: each server gets a transaction of its own, and with it a branch of its own. */
static bool send_to(struct ahoy_proxy *proxy, struct proxy_context *context, unsigned index,
                    uint64_t now_ms)
{
    const struct proxy_ways *ways = proxy_branch_at(context, index)->ways;
    const struct ahoy_proxy_target target = {
        .uri = ways->uri,
        .hop = ways->tried,
        .is_neighbour = ways->is_neighbour,
        .routes = ways->routes,
        .flow = ways->flow,
    };
    return ahoy_proxy_send_kept(proxy, context, index, &target, now_ms) == 0;
}

static void take_hop(struct proxy_ways *ways)
{
    ways->tried = ways->hops[0];
    ways->hop_count--;
    if (ways->fresh > 0)
        ways->fresh--;
    ways->tries++;
    memmove(&ways->hops[0], &ways->hops[1], ways->hop_count * sizeof *ways->hops);
}

bool ahoy_proxy_try(struct ahoy_proxy *proxy, struct proxy_context *context, unsigned index,
                    uint64_t now_ms)
{
    struct proxy_branch *branch = proxy_branch_at(context, index);
    struct proxy_ways *ways = branch->ways;
    while (ways->tries < AHOY_TARGETS_LIMIT) {
        if (ways->fresh == 0 && ways->next_way < ways->way_count) {
            ways->next_way++;
            branch->waiting = true;
            ahoy_proxy_wish(
                proxy, &(struct proxy_wish){ .user = ahoy_proxy_name(context->handle, index) });
            return true;
        }
        if (ways->hop_count == 0)
            return false;
        take_hop(ways);
        if (send_to(proxy, context, index, now_ms))
            return true;
    }
    return false;
}

/* Adds |hop| at |at|; of too many, those that rest go. */
static void add_hop(struct proxy_ways *ways, unsigned at, const struct ahoy_hop *hop)
{
    if (at == AHOY_TARGETS_LIMIT)
        return;
    if (ways->hop_count < AHOY_TARGETS_LIMIT)
        ways->hop_count++;
    memmove(&ways->hops[at + 1], &ways->hops[at], (ways->hop_count - 1u - at) * sizeof *ways->hops);
    ways->hops[at] = *hop;
}

static void note_found(struct ahoy_proxy *proxy, const struct proxy_context *context,
                       const struct proxy_ways *ways, const struct ahoy_proxy_found *found)
{
    enum ahoy_cause cause = found->count > 0       ? AHOY_CAUSE_LOCATED
                            : found->status == 403 ? AHOY_CAUSE_FORBIDDEN_PLACE
                                                   : AHOY_CAUSE_NOT_LOCATED;
    ahoy_proxy_note(proxy, context, cause, found->count > 0 ? &found->hops[0] : NULL,
                    ways->ways[ways->next_way - 1]);
}

void ahoy_proxy_located(struct ahoy_proxy *proxy, uint64_t user,
                        const struct ahoy_proxy_found *found, uint64_t now_ms)
{
    unsigned index;
    struct ahoy_handle handle = ahoy_proxy_unname(user, &index);
    if (index == PROXY_ACK) {
        ahoy_proxy_ack_located(proxy, handle, found);
        return;
    }
    struct proxy_context *context = ahoy_pool_get(&proxy->contexts, handle);
    if (context == NULL || context->closed || !proxy_branch_at(context, index)->waiting)
        return;
    struct proxy_branch *branch = proxy_branch_at(context, index);
    branch->waiting = false;
    note_found(proxy, context, branch->ways, found);
    for (size_t i = 0; i < found->fresh && branch->ways->fresh < AHOY_TARGETS_LIMIT; i++)
        add_hop(branch->ways, branch->ways->fresh++, &found->hops[i]);
    for (size_t i = found->fresh; i < found->count; i++)
        add_hop(branch->ways, branch->ways->hop_count, &found->hops[i]);
    if (!ahoy_proxy_try(proxy, context, index, now_ms) &&
        !ahoy_proxy_next_flow(proxy, context, index, now_ms))
        ahoy_proxy_finish(proxy, context, branch, found->status != 0 ? found->status : 503, NULL,
                          now_ms);
}

bool ahoy_proxy_fail_over(struct ahoy_proxy *proxy, struct proxy_context *context, unsigned index,
                          uint64_t rest_ms, uint64_t now_ms)
{
    struct proxy_branch *branch = proxy_branch_at(context, index);
    if (context->closed || branch->ways == NULL || branch->done)
        return false;
    ahoy_proxy_wish(proxy, &(struct proxy_wish){ .hop = branch->ways->tried, .rest_ms = rest_ms });
    if (branch->cancelled)
        return false;
    struct ahoy_handle failed = branch->client;
    branch->client = (struct ahoy_handle){ 0, 0 };
    if (branch->timer.which == PROXY_TIMER_C)
        ahoy_timers_cancel(&proxy->timers, &branch->timer);
    if (ahoy_proxy_try(proxy, context, index, now_ms))
        return true;
    branch->client = failed;
    return false;
}
