/* The target set where not all of it is begun at once (RFC 3261 16.6): targets of one q ring
 * together; those of the next have their turn when these have failed, or have had their time.  What
 * Max-Breadth has no room for waits until a branch has ended (RFC 5393 5.3.3.1). */
#include "libahoy/tu/proxy_context.h"

/* Puts |candidate| behind all that come before it: those of a higher q, and of the same. */
static void insert(struct proxy_search *search, struct proxy_candidate *candidate)
{
    struct proxy_candidate **link = &search->waiting;
    while (*link != NULL && (*link)->target.q >= candidate->target.q)
        link = &(*link)->next;
    candidate->next = *link;
    *link = candidate;
}

bool ahoy_proxy_add_candidate(struct proxy_context *context, const struct ahoy_proxy_target *target,
                              uint8_t depth)
{
    struct proxy_candidate *candidate = ahoy_arena_take(&context->arena, sizeof *candidate);
    if (candidate == NULL || !ahoy_proxy_copy_target(&context->arena, target, &candidate->target))
        return false;
    candidate->depth = depth;
    insert(context->search, candidate);
    return true;
}

static bool keep_uris(struct proxy_context *context, const struct ahoy_proxy_plan *plan)
{
    struct proxy_search *search = context->search;
    for (size_t i = 0; i < plan->count; i++) {
        if (!ahoy_proxy_keep_text(&context->arena, plan->targets[i].uri, &search->uris[i]))
            return false;
    }
    search->uri_count = (uint8_t)plan->count;
    return true;
}

/* The tier of |target| rings as long as that wants, or another one of it. */
static void take_time(struct proxy_search *search, const struct ahoy_proxy_target *target)
{
    if (target->q != search->q)
        search->tier_ms = 0;
    search->q = target->q;
    if (target->tier_ms > search->tier_ms)
        search->tier_ms = target->tier_ms;
}

bool ahoy_proxy_keep_search(struct proxy_context *context, const struct ahoy_proxy_plan *plan,
                            size_t from, uint64_t now_ms)
{
    struct proxy_search *search = ahoy_arena_take(&context->arena, sizeof *search);
    if (search == NULL)
        return false;
    *search = (struct proxy_search){ .begun_ms = now_ms, .q = plan->targets[0].q };
    context->search = search;
    for (size_t i = 0; i < from; i++)
        take_time(search, &plan->targets[i]);
    if (plan->follows && !keep_uris(context, plan))
        return false;
    for (size_t i = from; i < plan->count; i++) {
        if (!ahoy_proxy_add_candidate(context, &plan->targets[i], 0))
            return false;
    }
    return true;
}

/* Whether a branch stands in the way of the next tier: one that may still be answered. */
static bool rings(const struct proxy_context *context)
{
    for (const struct proxy_branch *branch = &context->first; branch != NULL;
         branch = branch->next) {
        if (!branch->done && !branch->cancelled && !branch->late)
            return true;
    }
    return false;
}

/* Whether the first of those that wait has its turn. */
static bool has_turn(const struct proxy_context *context, uint64_t now_ms)
{
    const struct proxy_search *search = context->search;
    if (!proxy_waits(context) || context->closed)
        return false;
    if (!context->is_invite && now_ms >= search->begun_ms + AHOY_PROXY_LATE_MS)
        return false;
    return search->waiting->target.q >= search->q || !rings(context);
}

/* Takes as many of the tier as there is room for out of those that wait: each becomes a branch.
 * Returns the first of them; NULL where there is none. */
static struct proxy_candidate *take_tier(struct ahoy_proxy *proxy, struct proxy_context *context,
                                         uint64_t now_ms)
{
    struct proxy_search *search = context->search;
    unsigned room = ahoy_proxy_free_breadth(context);
    struct proxy_candidate *first = NULL;
    struct proxy_candidate **link = &first;
    while (room > 0 && has_turn(context, now_ms)) {
        struct proxy_candidate *candidate = search->waiting;
        if (first != NULL && candidate->target.q < first->target.q)
            break;
        if (!ahoy_proxy_add_branch(context)) {
            search->waiting = NULL; /* There is no memory for any. */
            ahoy_proxy_keep(proxy, context, 503, NULL);
            break;
        }
        search->waiting = candidate->next;
        take_time(search, &candidate->target);
        candidate->next = NULL;
        *link = candidate;
        link = &candidate->next;
        room--;
    }
    return first;
}

static void begin(struct ahoy_proxy *proxy, struct proxy_context *context, unsigned index,
                  const struct proxy_candidate *candidate, uint64_t now_ms)
{
    struct proxy_branch *branch = proxy_branch_at(context, index);
    branch->depth = candidate->depth;
    branch->flows = candidate->target.next;
    if (!ahoy_proxy_start_target(proxy, context, index, &candidate->target, now_ms) &&
        !ahoy_proxy_next_flow(proxy, context, index, now_ms))
        ahoy_proxy_drop(proxy, context, branch, 503); /* R3261-16.9-1 */
}

/* The tier's time runs while another one waits.  What is no INVITE cannot be cancelled and has half
 * a minute in all, so that it waits shortly and goes on beside those that are silent (RFC 4321). */
static void start_timer(struct ahoy_proxy *proxy, struct proxy_context *context, uint64_t now_ms)
{
    struct proxy_search *search = context->search;
    if (!proxy_waits(context) || context->closed)
        return;
    uint64_t span_ms = search->tier_ms > 0 ? search->tier_ms : context->tier_ms;
    if (!context->is_invite && span_ms > AHOY_PROXY_BRIEF_MS)
        span_ms = AHOY_PROXY_BRIEF_MS;
    struct ahoy_timer *timer = &search->timer;
    if (span_ms == 0 || ahoy_timer_is_set(timer))
        return;
    timer->what = ahoy_proxy_name(context->handle, 0);
    timer->which = PROXY_TIMER_TIER;
    ahoy_timers_set(&proxy->timers, timer, now_ms + span_ms);
}

void ahoy_proxy_go_on(struct ahoy_proxy *proxy, struct proxy_context *context, uint64_t now_ms)
{
    struct proxy_candidate *tier;
    unsigned index = context->count;
    while ((tier = take_tier(proxy, context, now_ms)) != NULL) {
        ahoy_timers_cancel(&proxy->timers, &context->search->timer);
        ahoy_proxy_share_breadth(context, index);
        for (; tier != NULL; tier = tier->next, index++)
            begin(proxy, context, index, tier, now_ms);
    }
    start_timer(proxy, context, now_ms);
    if (context->pending == 0 && !context->closed)
        ahoy_proxy_choose(proxy, context, now_ms);
}

void ahoy_proxy_stop(struct ahoy_proxy *proxy, struct proxy_context *context)
{
    context->stopped = true;
    if (context->search != NULL)
        ahoy_timers_cancel(&proxy->timers, &context->search->timer);
}

void ahoy_proxy_next_tier(struct ahoy_proxy *proxy, struct proxy_context *context, uint64_t now_ms)
{
    if (!proxy_waits(context) || context->closed)
        return;
    for (struct proxy_branch *branch = &context->first; branch != NULL; branch = branch->next) {
        branch->late = true;
        ahoy_proxy_cancel_branch(proxy, context, branch, SPAN(""), now_ms);
    }
    ahoy_proxy_go_on(proxy, context, now_ms);
}
