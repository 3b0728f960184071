/* The life of a response context (RFC 3261 16.2): from the request that makes it to the end of the
 * last of its transactions (16.7 step 9). */
#include "libahoy/tu/proxy.h"

#include <assert.h>
#include <stdlib.h>

#include "libahoy/tu/proxy_context.h"

enum {
    INDEX_SHIFT = 27, /* In a name: the slot below, the branch above, then the generation. */
    INDEX_MASK = 31,
    CHUNK_SIZE = 416 /* The head of a request that came over two hops fits. */
};

_Static_assert((int)AHOY_TARGETS_LIMIT <= (int)PROXY_ACK, "no branch has that number");
_Static_assert((int)PROXY_NO_BRANCH <= (int)INDEX_MASK, "a branch's number fits into a name");
_Static_assert((int)AHOY_PROXY_LIMIT <= 1 << INDEX_SHIFT, "a slot's number fits into a name");

uint64_t ahoy_proxy_name(struct ahoy_handle handle, unsigned index)
{
    return ahoy_handle_pack(handle) | (uint64_t)index << INDEX_SHIFT;
}

struct ahoy_handle ahoy_proxy_unname(uint64_t name, unsigned *index)
{
    *index = name >> INDEX_SHIFT & INDEX_MASK;
    return ahoy_handle_unpack(name & ~((uint64_t)INDEX_MASK << INDEX_SHIFT));
}

/* The context that |name| belongs to, or NULL where that is no more. */
struct proxy_context *ahoy_proxy_find(const struct ahoy_proxy *proxy, uint64_t name,
                                      unsigned *index)
{
    return ahoy_pool_get(&proxy->contexts, ahoy_proxy_unname(name, index));
}

void ahoy_proxy_note(struct ahoy_proxy *proxy, const struct proxy_context *context,
                     enum ahoy_cause cause, const struct ahoy_hop *hop, struct span detail)
{
    if (context->head.size > 0)
        ahoy_cause_note(proxy->causes, cause, ahoy_message_scan_call_id(context->head), hop,
                        detail);
}

static void init_memory(struct ahoy_proxy *proxy, uint32_t limit)
{
    ahoy_pool_init(&proxy->contexts, sizeof(struct proxy_context), limit);
    ahoy_proxy_init_acks(proxy);
    /* Beside the share of each, room for two of the largest messages even where few may be. */
    size_t memory = (size_t)limit * AHOY_PROXY_MEMORY + 4 * (size_t)AHOY_MESSAGE_LIMIT;
    ahoy_chunks_init(&proxy->chunks, CHUNK_SIZE, memory);
}

struct ahoy_proxy *ahoy_proxy_new(const struct ahoy_proxy_options *options,
                                  struct ahoy_transactions *transactions, uint64_t now_ms)
{
    assert(options->limit >= 1 && options->limit <= AHOY_PROXY_LIMIT);
    assert(options->timer_c_ms > 180000); /* R3261-16.6-42 */
    struct ahoy_proxy *proxy = malloc(sizeof *proxy);
    if (proxy == NULL)
        return NULL;
    proxy->transactions = transactions;
    proxy->causes = options->causes;
    proxy->timer_c_ms = options->timer_c_ms;
    proxy->loop_key = options->loop_key;
    proxy->serial = 0;
    proxy->open = 0;
    proxy->wish_count = proxy->next_wish = 0;
    proxy->throttle.count = 0;
    proxy->held_back = 0;
    proxy->load_size = 0;
    ahoy_rng_init(&proxy->rng, options->seed);
    init_memory(proxy, options->limit);
    ahoy_timers_init(&proxy->timers, now_ms);
    return proxy;
}

static void release(struct proxy_context *context)
{
    if (context->failure != NULL)
        ahoy_arena_release(&context->failure->arena);
    ahoy_arena_release(&context->arena);
}

void ahoy_proxy_free(struct ahoy_proxy *proxy)
{
    if (proxy == NULL)
        return;
    struct ahoy_handle handle = { 0, 0 };
    struct proxy_context *context;
    while ((context = ahoy_pool_next(&proxy->contexts, handle.slot, &handle)) != NULL) {
        release(context);
        ahoy_pool_remove(&proxy->contexts, handle);
    }
    ahoy_pool_fini(&proxy->contexts);
    ahoy_proxy_fini_acks(proxy);
    ahoy_chunks_fini(&proxy->chunks);
    free(proxy);
}

/* Nothing is left to do: all of its transactions have ended. */
static void end(struct ahoy_proxy *proxy, struct proxy_context *context)
{
    for (unsigned i = 0; i < context->count; i++)
        ahoy_timers_cancel(&proxy->timers, &proxy_branch_at(context, i)->timer);
    if (context->search != NULL)
        ahoy_timers_cancel(&proxy->timers, &context->search->timer);
    release(context);
    ahoy_pool_remove(&proxy->contexts, context->handle);
}

bool ahoy_proxy_add_branch(struct proxy_context *context)
{
    if (context->count > 0) {
        struct proxy_branch *branch = ahoy_arena_take(&context->arena, sizeof *branch);
        if (branch == NULL)
            return false;
        *branch = (struct proxy_branch){ .done = false };
        proxy_branch_at(context, context->count - 1u)->next = branch;
    }
    context->count++;
    context->pending++;
    return true;
}

/* How many targets begin at once: those of the highest q, as far as the breadth allows. */
static size_t first_tier(const struct ahoy_proxy_plan *plan, unsigned breadth)
{
    size_t count = 1;
    while (count < plan->count && count < breadth && plan->targets[count].q == plan->targets[0].q)
        count++;
    return count;
}

static bool add_branches(struct proxy_context *context, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!ahoy_proxy_add_branch(context))
            return false;
    }
    return true;
}

/* Whether the request has to be made again later. */
static bool needs_request(const struct ahoy_proxy_plan *plan, size_t tier)
{
    bool needed = tier < plan->count;
    for (size_t i = 0; i < tier; i++)
        needed |= plan->targets[i].way_count > 0 || plan->targets[i].next != NULL ||
                  plan->targets[i].sleeper.size > 0;
    return needed;
}

/* What is kept of |target|, the first of the branch |index|. */
static bool keep_first(struct proxy_context *context, unsigned index,
                       const struct ahoy_proxy_target *target)
{
    struct proxy_branch *branch = proxy_branch_at(context, index);
    if (target->sleeper.size > 0)
        return ahoy_proxy_keep_flows(&context->arena, target, &branch->flows);
    return (target->way_count == 0 || ahoy_proxy_keep_ways(context, index, target)) &&
           ahoy_proxy_keep_flows(&context->arena, target->next, &branch->flows);
}

/* What is kept of the plan, whose first |tier| targets begin. */
static bool keep_plan(struct proxy_context *context, const struct ahoy_event *event,
                      const struct ahoy_proxy_plan *plan, size_t tier, uint64_t now_ms)
{
    struct ahoy_arena *arena = &context->arena;
    if (needs_request(plan, tier)) {
        context->kept = ahoy_arena_take(arena, sizeof *context->kept);
        if (context->kept == NULL || !ahoy_proxy_keep_request(arena, event, plan, context->kept))
            return false;
    }
    for (unsigned i = 0; i < tier; i++) {
        if (!keep_first(context, i, &plan->targets[i]))
            return false;
    }
    return plan->count == 1 || ahoy_proxy_keep_search(context, plan, tier, now_ms);
}

/* A context with its server transaction; NULL where a limit or the allocator refuses. */
static struct proxy_context *begin(struct ahoy_proxy *proxy, const struct ahoy_event *event,
                                   const struct ahoy_proxy_plan *plan, uint8_t breadth,
                                   uint64_t now_ms)
{
    if (plan->count > AHOY_TARGETS_LIMIT)
        return NULL;
    struct ahoy_handle handle;
    struct proxy_context *context = ahoy_pool_add(&proxy->contexts, &handle);
    if (context == NULL)
        return NULL;
    context->handle = handle;
    context->serial = proxy->serial++;
    context->source = *event->hop;
    context->is_invite = event->message->method == AHOY_METHOD_INVITE;
    context->is_home = plan->is_home;
    context->breadth = breadth;
    context->tier_ms = plan->tier_ms;
    context->follows = plan->follows;
    context->no_cancel = plan->no_cancel;
    context->sender = plan->sender;
    context->ticket = plan->ticket;
    context->meter = plan->meter;
    context->begun_ms = now_ms;
    context->tells_load = plan->tells_load;
    context->asserted_back = (uint8_t)plan->asserted_back;
    ahoy_arena_init(&context->arena, &proxy->chunks);
    size_t tier = first_tier(plan, breadth);
    if (ahoy_proxy_keep_head(proxy, context, event) && add_branches(context, tier) &&
        keep_plan(context, event, plan, tier, now_ms))
        context->server =
            ahoy_transaction_accept(proxy->transactions, event, ahoy_proxy_name(handle, 0), now_ms);
    if (context->server.generation == 0) {
        end(proxy, context);
        return NULL;
    }
    ahoy_proxy_share_breadth(context, 0);
    context->living = 1;
    proxy->open++;
    if (context->meter != NULL)
        context->meter->begun++;
    return context;
}

bool ahoy_proxy_start_branch(struct ahoy_proxy *proxy, struct proxy_context *context,
                             unsigned index, struct ahoy_outgoing *request, uint64_t now_ms)
{
    struct proxy_branch *branch = proxy_branch_at(context, index);
    request->user = ahoy_proxy_name(context->handle, index);
    if (context->loop != 0) { /* R5393-4.2.1-2 */
        ahoy_token_print(context->loop, proxy->tail);
        request->branch_tail = (struct span){ proxy->tail, sizeof proxy->tail };
    }
    branch->client = ahoy_transaction_request(proxy->transactions, request, now_ms);
    if (branch->client.generation == 0)
        return false;
    context->living++;
    if (!context->is_invite)
        return true;
    branch->timer.what = request->user; /* R3261-16.6-41 */
    branch->timer.which = PROXY_TIMER_C;
    ahoy_timers_set(&proxy->timers, &branch->timer, now_ms + proxy->timer_c_ms);
    return true;
}

/* The first response: an INVITE's at once (16.2), another's after a while. */
static void begin_answer(struct ahoy_proxy *proxy, struct proxy_context *context, uint64_t now_ms)
{
    if (context->is_invite) {
        ahoy_proxy_send_trying(proxy, context, now_ms);
        return;
    }
    struct ahoy_timer *timer = &context->first.timer;
    timer->what = ahoy_proxy_name(context->handle, 0);
    timer->which = PROXY_TIMER_TRYING;
    ahoy_timers_set(&proxy->timers, timer, now_ms + AHOY_PROXY_TRYING_MS);
}

/* Sends the request to a target, or begins to look for its servers.  Returns 0, or what it counts
 * as where that cannot be. */
static unsigned start_target(struct ahoy_proxy *proxy, struct proxy_context *context,
                             unsigned index, struct proxy_making *making, uint64_t now_ms)
{
    const struct proxy_branch *branch = proxy_branch_at(context, index);
    making->target = &making->plan->targets[index];
    if (making->target->sleeper.size > 0) {
        ahoy_proxy_sleep(proxy, context, index, branch->flows);
        return 0;
    }
    if (making->target->way_count > 0)
        return ahoy_proxy_try(proxy, context, index, now_ms) ? 0 : 503;
    return ahoy_proxy_send(proxy, context, index, making, now_ms);
}

/* What RFC 5393 refuses: 0 for nothing.  Loops are looked for where the request is, or may be,
 * sent to several: R5393-4.1-1. */
static unsigned check_forking(const struct ahoy_proxy *proxy, const struct ahoy_event *event,
                              const struct ahoy_proxy_plan *plan, uint8_t *breadth, uint64_t *loop)
{
    *loop = 0;
    if (!ahoy_proxy_read_breadth(event->message, breadth))
        return 400;
    bool is_invite = event->message->method == AHOY_METHOD_INVITE;
    /* What is no INVITE has no time to be sent to one after the other: R5393-5.3.3-6. */
    if (*breadth == 0 || (!is_invite && *breadth < plan->count))
        return 440;
    if (plan->count == 1 && !plan->follows)
        return 0;
    *loop = ahoy_proxy_loop_hash(proxy, event);
    return ahoy_proxy_has_looped(proxy, event, *loop) ? 482 : 0; /* R5393-4.2.2-4 */
}

/* Answers a request that is not forwarded at all. */
static void refuse(struct ahoy_proxy *proxy, const struct ahoy_event *event,
                   const struct ahoy_proxy_plan *plan, unsigned status)
{
    enum ahoy_cause cause = status == 482   ? AHOY_CAUSE_LOOPED
                            : status == 440 ? AHOY_CAUSE_TOO_BROAD
                            : status == 400 ? AHOY_CAUSE_UNREADABLE
                                            : AHOY_CAUSE_FULL;
    ahoy_cause_note(proxy->causes, cause, event->routing->call_id, event->hop, SPAN(""));
    ahoy_proxy_refuse(proxy, event, status, plan->tells_load);
}

void ahoy_proxy_start(struct ahoy_proxy *proxy, const struct ahoy_event *event,
                      const struct ahoy_proxy_plan *plan, uint64_t now_ms)
{
    assert(plan->count > 0);
    struct proxy_routes routes;
    struct proxy_making making = { .event = event, .plan = plan, .routes = &routes };
    uint8_t breadth;
    uint64_t loop;
    unsigned refusal = check_forking(proxy, event, plan, &breadth, &loop);
    if (refusal == 0 && !ahoy_proxy_read_routes(event->message, plan, &routes))
        refusal = 400;
    struct proxy_context *context = NULL;
    if (refusal == 0)
        context = begin(proxy, event, plan, breadth, now_ms);
    if (context == NULL) {
        refuse(proxy, event, plan, refusal != 0 ? refusal : 503);
        ahoy_proxy_give_back(proxy, plan->ticket);
        return;
    }
    context->loop = loop;
    begin_answer(proxy, context, now_ms);
    unsigned refused[AHOY_TARGETS_LIMIT];
    unsigned count = context->count;
    for (unsigned i = 0; i < count; i++) {
        refused[i] = start_target(proxy, context, i, &making, now_ms);
        if (refused[i] != 0 && !context->held_back)
            ahoy_proxy_note(proxy, context, AHOY_CAUSE_NOT_SENT, &plan->targets[i].hop, SPAN(""));
    }
    /* Only now, so that the best is not chosen before all are under way. */
    for (unsigned i = 0; i < count; i++) {
        if (refused[i] != 0 && !ahoy_proxy_next_flow(proxy, context, i, now_ms))
            ahoy_proxy_finish(proxy, context, proxy_branch_at(context, i), refused[i], NULL,
                              now_ms);
    }
    if (proxy_waits(context))
        ahoy_proxy_go_on(proxy, context, now_ms);
}

static void server_event(struct ahoy_proxy *proxy, struct proxy_context *context,
                         const struct ahoy_event *event, uint64_t now_ms)
{
    /* A response that could not be sent, or an ACK that never came, is nothing to act upon: 16.9,
     * 16.7 step 9. */
    if (event->kind != AHOY_EVENT_ENDED || context->server.generation == 0)
        return;
    context->server = (struct ahoy_handle){ 0, 0 };
    context->living--;
    if (!context->closed) {
        /* Nobody waits for an answer any more. */
        ahoy_proxy_close(proxy, context);
        ahoy_proxy_cancel_pending(proxy, context, SPAN(""), now_ms);
    }
}

/* How long a server that answers 503 wants to be left alone (20.33, 21.5.4). */
static uint64_t rest_ms(const struct ahoy_message *message)
{
    struct span value = ahoy_message_value(message, AHOY_HEADER_RETRY_AFTER);
    uint64_t seconds;
    size_t digits = 0;
    while (digits < value.size && value.at[digits] >= '0' && value.at[digits] <= '9')
        digits++;
    value.size = digits;
    if (!ahoy_span_number(value, AHOY_PROXY_REST_MOST_MS / 1000, &seconds))
        return digits == 0 ? AHOY_PROXY_REST_MS : AHOY_PROXY_REST_MOST_MS;
    return 1000 * seconds;
}

/* The next server, or the next flow of the instance. */
static bool try_another(struct ahoy_proxy *proxy, struct proxy_context *context, unsigned index,
                        uint64_t now_ms)
{
    return ahoy_proxy_fail_over(proxy, context, index, AHOY_PROXY_REST_MS, now_ms) ||
           ahoy_proxy_next_flow(proxy, context, index, now_ms);
}

/* What a final response asks for before it counts.  Only 430 says that the instance was not met:
 * R5626-7-2. */
static bool passes_over(struct ahoy_proxy *proxy, struct proxy_context *context, unsigned index,
                        const struct ahoy_message *message, uint64_t now_ms)
{
    if (message->status == 503)
        return ahoy_proxy_fail_over(proxy, context, index, rest_ms(message), now_ms);
    if (message->status != 430)
        return false;
    if (ahoy_proxy_next_flow(proxy, context, index, now_ms))
        return true;
    if (context->is_home)
        ahoy_proxy_finish(proxy, context, proxy_branch_at(context, index), 480, NULL, now_ms);
    return context->is_home;
}

/* What counts as a failure of the server, so that the next one is tried: RFC 3263 4.3.  One that
 * has said anything is not left for being silent afterwards. */
static void client_event(struct ahoy_proxy *proxy, struct proxy_context *context, unsigned index,
                         const struct ahoy_event *event, uint64_t now_ms)
{
    struct proxy_branch *branch = proxy_branch_at(context, index);
    bool silent = !branch->provisional;
    ahoy_proxy_hear_neighbour(proxy, branch, event, now_ms);
    switch (event->kind) {
    case AHOY_EVENT_RESPONSE:
        if (!passes_over(proxy, context, index, event->message, now_ms))
            ahoy_proxy_response(proxy, context, branch, event->message, now_ms);
        break;
    case AHOY_EVENT_UNREACHABLE:
        if (!branch->done)
            ahoy_proxy_note(proxy, context, AHOY_CAUSE_NOT_SENT, event->sent_to, SPAN(""));
        if (!silent || !try_another(proxy, context, index, now_ms))
            ahoy_proxy_finish(proxy, context, branch, 503, NULL, now_ms); /* R3261-16.9-1 */
        break;
    case AHOY_EVENT_ENDED:
        branch->client = (struct ahoy_handle){ 0, 0 };
        ahoy_proxy_finish(proxy, context, branch, 408, NULL, now_ms);
        break;
    case AHOY_EVENT_TIMEOUT:
        if (!branch->cancelled)
            ahoy_proxy_note(proxy, context, AHOY_CAUSE_SILENT, event->sent_to, SPAN(""));
        if (!silent || !try_another(proxy, context, index, now_ms))
            ahoy_proxy_finish(proxy, context, branch, 408, NULL, now_ms); /* 16.6 step 7 */
        break;
    default:
        break;
    }
}

void ahoy_proxy_step(struct ahoy_proxy *proxy, const struct ahoy_event *event, uint64_t now_ms)
{
    unsigned index;
    struct proxy_context *context = ahoy_proxy_find(proxy, event->user, &index);
    if (event->kind == AHOY_EVENT_CANCEL) {
        if (context == NULL)
            ahoy_proxy_refuse(proxy, event, 481, false);
        else
            ahoy_proxy_take_cancel(proxy, context, event, now_ms);
        return;
    }
    if (context == NULL || index == PROXY_NO_BRANCH)
        return;
    if (event->is_server) {
        server_event(proxy, context, event, now_ms);
    } else if (index < context->count) {
        if (event->kind == AHOY_EVENT_ENDED)
            context->living--;
        /* What happens to a server that was left for the next one means nothing any more. */
        if (ahoy_handle_equal(event->transaction, proxy_branch_at(context, index)->client))
            client_event(proxy, context, index, event, now_ms);
    }
    if (context->living == 0)
        end(proxy, context);
}

bool ahoy_proxy_expire(struct ahoy_proxy *proxy, uint64_t now_ms)
{
    struct ahoy_timer *timer;
    bool any = false;
    while (proxy->wish_count == 0 && (timer = ahoy_timers_expire(&proxy->timers, now_ms)) != NULL) {
        unsigned index;
        struct proxy_context *context = ahoy_proxy_find(proxy, timer->what, &index);
        any = true;
        if (context == NULL)
            continue;
        if (timer->which == PROXY_TIMER_C)
            ahoy_proxy_timer_c(proxy, context, proxy_branch_at(context, index), now_ms);
        else if (timer->which == PROXY_TIMER_TIER)
            ahoy_proxy_next_tier(proxy, context, now_ms);
        else if (timer->which == PROXY_TIMER_TRYING)
            ahoy_proxy_send_trying(proxy, context, now_ms);
        else if (!context->closed)
            ahoy_proxy_choose(proxy, context, now_ms);
    }
    return any;
}

uint64_t ahoy_proxy_deadline(const struct ahoy_proxy *proxy)
{
    return ahoy_timers_deadline(&proxy->timers);
}

uint32_t ahoy_proxy_count(const struct ahoy_proxy *proxy)
{
    return proxy->contexts.used;
}

uint32_t ahoy_proxy_open(const struct ahoy_proxy *proxy)
{
    return proxy->open;
}

void ahoy_proxy_remeter(struct ahoy_proxy *proxy, const struct ahoy_meter *from, size_t count,
                        struct ahoy_meter *const *to)
{
    struct ahoy_handle handle = { 0, 0 };
    struct proxy_context *context;
    for (uint32_t at = 0; (context = ahoy_pool_next(&proxy->contexts, at, &handle)) != NULL;
         at = handle.slot + 1) {
        if (context->meter == NULL)
            continue;
        assert(context->meter >= from && context->meter < from + count);
        context->meter = to[context->meter - from];
    }
}

void ahoy_proxy_trim(struct ahoy_proxy *proxy)
{
    if (proxy->contexts.used > 0 || proxy->acks.used > 0)
        return;
    uint32_t limit = proxy->contexts.limit;
    ahoy_pool_fini(&proxy->contexts);
    ahoy_proxy_fini_acks(proxy);
    ahoy_chunks_fini(&proxy->chunks);
    init_memory(proxy, limit);
}
