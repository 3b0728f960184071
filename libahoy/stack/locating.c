/* A search ends in its own time and is told of in the next poll, because it may have ended within
 * the call that began it. */
#include "libahoy/stack/locating.h"

#include <assert.h>

#include "libahoy/stack/parts.h"

/* In the id of a lookup the number of the question stands above the slot of its search. */
enum { NUMBER_SHIFT = 24, NUMBER_MASK = 255 };

_Static_assert((int)AHOY_SEARCHES_LIMIT <= 1 << NUMBER_SHIFT, "a slot's number fits into an id");

struct ahoy_searching {
    struct ahoy_search search;
    struct ahoy_handle handle; /* Its own. */
    uint64_t user;
    unsigned status; /* Why it could not begin; 0 where it did. */
    uint32_t domain; /* hop.domain of the servers that speak TLS. */
    struct ahoy_timer timer;
    struct ahoy_searching *next; /* In the list of those that have ended. */
};

void ahoy_locating_init(struct ahoy_stack *stack, const uint64_t seed[2])
{
    struct ahoy_locating *locating = &stack->locating;
    ahoy_rng_init(&locating->rng, seed);
    ahoy_pool_init(&locating->searches, sizeof(struct ahoy_searching), AHOY_SEARCHES_LIMIT);
    ahoy_locating_look(stack);
}

void ahoy_locating_look(struct ahoy_stack *stack)
{
    struct ahoy_locating *locating = &stack->locating;
    locating->means.v4 = locating->means.v6 = 0;
    for (size_t i = 0; i < stack->flows.listener_count; i++) {
        const struct ahoy_listener *listener = &stack->flows.listeners[i];
        bool is_websocket = ahoy_transport_is_websocket(listener->transport);
        if (listener->leaving || (is_websocket && !stack->opens_websockets))
            continue;
        if (listener->local.family == AHOY_IPV4)
            locating->means.v4 |= (uint16_t)(1 << listener->transport);
        else
            locating->means.v6 |= (uint16_t)(1 << listener->transport);
    }
}

static void end(struct ahoy_stack *stack, struct ahoy_searching *searching)
{
    struct ahoy_locating *locating = &stack->locating;
    ahoy_timers_cancel(&stack->timers, &searching->timer);
    searching->next = NULL;
    if (locating->ended == NULL)
        locating->ended = searching;
    else
        locating->newest->next = searching;
    locating->newest = searching;
}

/* Sends the questions that there are now.  One that cannot be sent is answered by nothing. */
static void go_on(struct ahoy_stack *stack, struct ahoy_searching *searching)
{
    struct ahoy_question question;
    while (ahoy_search_poll(&searching->search, &question)) {
        const uint64_t id = ahoy_handle_pack(searching->handle);
        struct ahoy_wire_effect effect = { .kind = AHOY_WIRE_LOOKUP,
                                           .type = (uint16_t)question.type,
                                           .lookup = id | (uint64_t)question.number << NUMBER_SHIFT,
                                           .bytes = ahoy_dns_name_text(question.name) };
        stack->counters.lookups++;
        if (ahoy_outbox_add_copy(&stack->outbox, &effect))
            continue;
        stack->counters.overflows++;
        ahoy_search_step(&searching->search, question.number, SPAN(""), &stack->locating.rng);
    }
    if (searching->search.done)
        end(stack, searching);
}

static void begin(struct ahoy_stack *stack, struct ahoy_searching *searching,
                  const struct ahoy_wanted *wanted)
{
    struct ahoy_uri uri;
    struct ahoy_err err = { .status = 503 };
    const struct ahoy_search_options options = { stack->locating.means, wanted->is_secure };
    if (!ahoy_uri_parse(wanted->uri, &uri, &err) ||
        !ahoy_search_begin(&searching->search, &uri, &options, &err)) {
        searching->status = err.status;
        end(stack, searching);
        return;
    }
    if (((stack->locating.means.v4 | stack->locating.means.v6) & 1 << AHOY_TLS) != 0)
        searching->domain = ahoy_stack_domain(stack, AHOY_TLS, uri.host);
    searching->timer.what = ahoy_handle_pack(searching->handle);
    searching->timer.which = AHOY_LOCATING_TIMER;
    ahoy_timers_set(&stack->timers, &searching->timer, stack->now_ms + AHOY_SEARCH_MS);
    go_on(stack, searching);
}

bool ahoy_stack_locate(struct ahoy_stack *stack, const struct ahoy_wanted *wanted)
{
    struct ahoy_handle handle;
    struct ahoy_searching *searching = ahoy_pool_add(&stack->locating.searches, &handle);
    if (searching == NULL)
        return false;
    ahoy_stack_trim_later(stack);
    searching->handle = handle;
    searching->user = wanted->user;
    begin(stack, searching, wanted);
    return true;
}

void ahoy_locating_answer(struct ahoy_stack *stack, uint64_t lookup, struct span message)
{
    const uint64_t mask = (uint64_t)NUMBER_MASK << NUMBER_SHIFT;
    struct ahoy_searching *searching =
        ahoy_pool_get(&stack->locating.searches, ahoy_handle_unpack(lookup & ~mask));
    if (searching == NULL || searching->search.done)
        return;
    ahoy_search_step(&searching->search, (uint8_t)(lookup >> NUMBER_SHIFT & NUMBER_MASK), message,
                     &stack->locating.rng);
    go_on(stack, searching);
}

void ahoy_locating_expire(struct ahoy_stack *stack, struct ahoy_handle search)
{
    struct ahoy_searching *searching = ahoy_pool_get(&stack->locating.searches, search);
    assert(searching != NULL); /* Its timer goes with it. */
    ahoy_search_end(&searching->search);
    end(stack, searching);
}

static bool is_resting(const struct ahoy_stack *stack, const struct ahoy_server *server)
{
    for (size_t i = 0; i < AHOY_RESTING_LIMIT; i++) {
        const struct ahoy_resting *resting = &stack->locating.resting[i];
        if (resting->until_ms > stack->now_ms && resting->transport == server->transport &&
            ahoy_ip_equal(&resting->remote, &server->ip))
            return true;
    }
    return false;
}

/* Adds the servers that rest, or those that do not. */
static void add_hops(const struct ahoy_stack *stack, const struct ahoy_searching *searching,
                     bool resting, struct ahoy_located *located)
{
    const struct ahoy_search *search = &searching->search;
    for (size_t i = 0; i < search->count; i++) {
        const struct ahoy_server *server = &search->servers[i];
        bool is_safe = ahoy_transport_is_secure(server->transport);
        if (is_resting(stack, server) == resting)
            located->hops[located->count++] = (struct ahoy_hop){
                .transport = (uint8_t)server->transport,
                .listener = AHOY_ANY_LISTENER,
                .domain = is_safe ? searching->domain : 0,
                .remote = server->ip,
            };
    }
}

bool ahoy_stack_located(struct ahoy_stack *stack, struct ahoy_located *located)
{
    struct ahoy_searching *searching = stack->locating.ended;
    if (searching == NULL)
        return false;
    stack->locating.ended = searching->next;
    *located = (struct ahoy_located){ .user = searching->user, .status = searching->status };
    add_hops(stack, searching, false, located);
    located->fresh = located->count;
    add_hops(stack, searching, true, located);
    if (located->count > 0) {
        stack->counters.located++;
    } else {
        stack->counters.not_located++;
        if (located->status == 0)
            located->status = 503;
    }
    ahoy_pool_remove(&stack->locating.searches, searching->handle);
    return true;
}

void ahoy_stack_rest(struct ahoy_stack *stack, const struct ahoy_hop *hop, uint64_t rest_ms)
{
    struct ahoy_locating *locating = &stack->locating;
    struct ahoy_resting *resting = NULL;
    for (size_t i = 0; i < AHOY_RESTING_LIMIT && resting == NULL; i++) {
        if (locating->resting[i].transport == hop->transport &&
            ahoy_ip_equal(&locating->resting[i].remote, &hop->remote))
            resting = &locating->resting[i];
    }
    if (resting == NULL) {
        resting = &locating->resting[locating->next_resting];
        locating->next_resting = (locating->next_resting + 1) % AHOY_RESTING_LIMIT;
    }
    *resting = (struct ahoy_resting){ hop->transport, hop->remote, stack->now_ms + rest_ms };
}
