/* The joint itself: a step sorts the event, the polls pull work through the layers. */
#include "libahoy/stack/stack.h"

#include <assert.h>
#include <stdlib.h>

#include "libahoy/base/unset.h"
#include "libahoy/stack/inbound.h"
#include "libahoy/stack/inbound_websocket.h"
#include "libahoy/stack/outbound.h"

/* A secret for the table of flows, made of the one that the workers share. */
static struct ahoy_hash_key flow_key(const struct ahoy_hash_key *call_key)
{
    return (struct ahoy_hash_key){ { ahoy_siphash(call_key, SPAN("flows: first half")),
                                     ahoy_siphash(call_key, SPAN("flows: second half")) } };
}

/* The same for the masks of frames (RFC 6455 5.3, 10.3). */
static void init_masks(struct ahoy_stack *stack)
{
    const uint64_t seed[] = { ahoy_siphash(&stack->call_key, SPAN("masks: first half")),
                              ahoy_siphash(&stack->call_key, SPAN("masks: second half")) };
    ahoy_rng_init(&stack->masks, seed);
}

static void init_flows(struct ahoy_stack *stack, const struct ahoy_stack_options *options)
{
    const struct ahoy_flows_options flows = { .listeners = options->listeners,
                                              .listener_count = options->listener_count,
                                              .worker = options->worker,
                                              .limit = options->connection_limit,
                                              .key = flow_key(&options->call_key),
                                              .timers = &stack->timers,
                                              .directory = options->directory };
    ahoy_flows_init(&stack->flows, &flows);
    ahoy_riders_init(&stack->riders, flows.key);
}

struct ahoy_stack *ahoy_stack_new(const struct ahoy_stack_options *options, uint64_t now_ms)
{
    assert(options->worker < options->workers);
    assert(!options->opens_websockets || options->workers == 1);
    struct ahoy_stack *stack = calloc(1, sizeof *stack);
    if (stack == NULL)
        return NULL;
    stack->now_ms = now_ms;
    stack->worker = options->worker;
    stack->workers = options->workers;
    stack->opens_websockets = options->opens_websockets;
    stack->call_key = options->call_key;
    init_masks(stack);
    stack->log = options->log;
    stack->ring = options->ring;
    ahoy_timers_init(&stack->timers, now_ms);
    stack->trim.which = AHOY_TRIM_TIMER;
    init_flows(stack, options);
    ahoy_locating_init(stack, options->seed);
    ahoy_keeper_init(&stack->keeper, options->seed);
    stack->transactions =
        ahoy_transactions_new(&options->transactions, &stack->flows, &stack->timers);
    if (stack->transactions == NULL) {
        ahoy_stack_free(stack);
        return NULL;
    }
    return stack;
}

void ahoy_stack_free(struct ahoy_stack *stack)
{
    if (stack == NULL)
        return;
    if (stack->transactions != NULL)
        ahoy_transactions_free(stack->transactions);
    ahoy_riders_fini(&stack->riders);
    ahoy_flows_fini(&stack->flows);
    ahoy_pool_fini(&stack->locating.searches);
    ahoy_outbox_fini(&stack->outbox);
    free(stack->spent);
    free(stack);
}

void ahoy_stack_relisten(struct ahoy_stack *stack, const struct ahoy_listener *listeners,
                         size_t count)
{
    ahoy_flows_relisten(&stack->flows, listeners, count);
    ahoy_locating_look(stack);
}

uint64_t ahoy_stack_listeners(const struct ahoy_stack *stack)
{
    return ahoy_flows_listeners(&stack->flows);
}

static void accept_flow(struct ahoy_stack *stack, struct ahoy_hop *hop)
{
    ahoy_stack_trim_later(stack);
    const struct ahoy_flow *flow = ahoy_flows_accept(&stack->flows, hop, stack->now_ms);
    if (flow == NULL)
        stack->counters.connections_refused++;
    hop->connection = flow == NULL ? (struct ahoy_handle){ 0, 0 } : flow->hop.connection;
}

static void take_input(struct ahoy_stack *stack, const struct ahoy_hop *source, struct span bytes,
                       enum ahoy_input kind)
{
    stack->source = *source;
    /* Every worker has a socket for datagrams; mostly its driver has said so. */
    if (source->connection.generation == 0 && source->worker != stack->worker)
        stack->source.worker = stack->worker;
    stack->input = bytes;
    stack->input_kind = kind;
    stack->partial_began = false;
}

static void take_stream(struct ahoy_stack *stack, const struct ahoy_flow *flow, struct span bytes)
{
    take_input(stack, &flow->hop, bytes, AHOY_INPUT_STREAM);
    stack->partial_began = !ahoy_flow_is_amid(flow);
}

/* What another worker handed off: a message, trust in a connection of this worker, or the end of
 * one of its own. */
static void take_handoff(struct ahoy_stack *stack, const struct ahoy_wire_event *event)
{
    if (event->bytes.size > 0)
        take_input(stack, &event->hop, event->bytes, AHOY_INPUT_MESSAGE);
    else if (event->hop.worker == stack->worker)
        ahoy_stack_trust(stack, &event->hop);
    else
        ahoy_outbound_lost(stack, &event->hop);
}

static void take_event(struct ahoy_stack *stack, struct ahoy_wire_event *event)
{
    struct ahoy_flow *flow = NULL;
    switch (event->kind) {
    case AHOY_WIRE_TIME:
        return;
    case AHOY_WIRE_DATAGRAM:
        if (event->coming != NULL)
            ahoy_ahead_read(stack, event->bytes, event->coming, event->coming_count);
        take_input(stack, &event->hop, event->bytes, AHOY_INPUT_DATAGRAM);
        return;
    case AHOY_WIRE_MESSAGE:
        take_handoff(stack, event);
        return;
    case AHOY_WIRE_ACCEPTED:
        accept_flow(stack, &event->hop);
        return;
    case AHOY_WIRE_UNREACHABLE:
        ahoy_outbound_unreachable(stack, &event->hop.remote);
        return;
    case AHOY_WIRE_ANSWER:
        ahoy_locating_answer(stack, event->lookup, event->bytes);
        return;
    case AHOY_WIRE_CONNECTED:
    case AHOY_WIRE_PROVED:
    case AHOY_WIRE_BYTES:
    case AHOY_WIRE_CLOSED:
        /* It may have been closed here while this was on its way. */
        flow = ahoy_flows_get(&stack->flows, event->hop.connection);
        break;
    }
    if (flow == NULL)
        return;
    /* What does not fit is not known: the connection serves those only who name it. */
    if (event->peer != NULL && !ahoy_flows_prove(&stack->flows, flow, event->peer))
        stack->counters.overflows++;
    if (event->kind == AHOY_WIRE_CLOSED)
        ahoy_outbound_closed(stack, flow, event->fate);
    else if (event->kind == AHOY_WIRE_CONNECTED && flow->websocket != NULL)
        ahoy_inbound_ask_upgrade(stack, flow);
    else if (event->kind == AHOY_WIRE_CONNECTED)
        ahoy_outbound_opened(stack, flow);
    else if (event->bytes.size > 0)
        take_stream(stack, flow, event->bytes);
}

void ahoy_stack_step(struct ahoy_stack *stack, struct ahoy_wire_event *event, uint64_t now_ms)
{
    /* The owner polls until dry: what is left would point into what is freed now. */
    assert(stack->input_kind == AHOY_INPUT_NONE && stack->closing == NULL);
    assert(stack->outbox.next == stack->outbox.count);
    ahoy_transactions_settle(stack->transactions);
    ahoy_outbox_reset(&stack->outbox);
    free(stack->spent);
    stack->spent = NULL;
    if (now_ms > stack->now_ms)
        stack->now_ms = now_ms;
    take_event(stack, event);
}

/* A connection has used its patience up. */
static void time_out(struct ahoy_stack *stack, struct ahoy_handle connection)
{
    struct ahoy_flow *flow = ahoy_flows_get(&stack->flows, connection);
    assert(flow != NULL); /* Its timer goes with it. */
    if (ahoy_inbound_ask_websocket(stack, flow))
        return;
    stack->counters.connections_timed_out++;
    if (flow->state == AHOY_FLOW_OPEN) {
        ahoy_inbound_close(stack, flow);
        return;
    }
    ahoy_outbound_give_up(stack, flow, AHOY_FATE_LATE);
}

void ahoy_stack_trim(struct ahoy_stack *stack)
{
    ahoy_transactions_trim(stack->transactions);
    ahoy_pool_trim(&stack->flows.pool);
    ahoy_pool_trim(&stack->riders.rides);
    ahoy_pool_trim(&stack->locating.searches);
}

/* After a flood all of its memory goes back; while there is work, it is looked after again. */
static void trim(struct ahoy_stack *stack)
{
    const uint64_t due_ms = stack->worked_ms + AHOY_TRIM_MS;
    if (stack->now_ms < due_ms) {
        ahoy_timers_set(&stack->timers, &stack->trim, due_ms);
        return;
    }
    ahoy_stack_trim(stack);
    if (ahoy_transactions_count(stack->transactions) > 0 || stack->flows.pool.used > 0)
        ahoy_stack_trim_later(stack);
}

static bool next_timer(struct ahoy_stack *stack)
{
    struct ahoy_timer *timer = ahoy_timers_expire(&stack->timers, stack->now_ms);
    if (timer == NULL)
        return false;
    const struct ahoy_timer *coming = ahoy_timers_coming(&stack->timers);
    if (coming != NULL && coming->which < AHOY_FLOW_TIMER)
        ahoy_transactions_expect_timer(stack->transactions, coming);
    if (timer->which == AHOY_FLOW_TIMER)
        time_out(stack, ahoy_handle_unpack(timer->what));
    else if (timer->which == AHOY_TRIM_TIMER)
        trim(stack);
    else if (timer->which == AHOY_LOCATING_TIMER)
        ahoy_locating_expire(stack, ahoy_handle_unpack(timer->what));
    else if (timer->which == AHOY_KEEPER_TIMER)
        ahoy_keeper_expire(stack, timer->what);
    else
        ahoy_transactions_timer(stack->transactions, timer, stack->now_ms);
    return true;
}

bool ahoy_stack_event(struct ahoy_stack *stack, struct ahoy_event *event)
{
    do {
        if (ahoy_transactions_event(stack->transactions, event))
            return true;
    } while (ahoy_outbound_tell_failure(stack) || next_timer(stack) || ahoy_inbound_next(stack));
    return false;
}

static bool next_close(struct ahoy_stack *stack, struct ahoy_wire_effect *effect)
{
    struct ahoy_flow *flow = stack->closing;
    if (flow == NULL)
        return false;
    stack->closing = flow->next_closing;
    *effect = (struct ahoy_wire_effect){ .kind = AHOY_WIRE_CLOSE, .hop = flow->hop };
    ahoy_outbound_close(stack, flow);
    return true;
}

bool ahoy_stack_poll(struct ahoy_stack *stack, struct ahoy_wire_effect *effect)
{
    if (ahoy_outbox_next(&stack->outbox, effect))
        return true;
    AHOY_UNSET struct ahoy_sending sending;
    while (ahoy_transactions_poll(stack->transactions, &sending)) {
        if (ahoy_outbound_send(stack, &sending, effect))
            return true;
    }
    return next_close(stack, effect) ||
           (stack->is_leaving && ahoy_inbound_leave_websockets(stack, effect));
}

void ahoy_stack_tell_coming(struct ahoy_stack *stack, ahoy_coming *coming, void *context)
{
    stack->coming = coming;
    stack->context = context;
}

void ahoy_stack_leave(struct ahoy_stack *stack)
{
    stack->is_leaving = true;
}

uint64_t ahoy_stack_deadline(const struct ahoy_stack *stack)
{
    if (stack->failure_count > 0)
        return stack->now_ms;
    return ahoy_timers_deadline(&stack->timers);
}

struct ahoy_transactions *ahoy_stack_transactions(struct ahoy_stack *stack)
{
    return stack->transactions;
}

uint32_t ahoy_stack_domain(struct ahoy_stack *stack, enum ahoy_transport transport,
                           struct span host)
{
    struct ahoy_ip ip;
    if (!ahoy_transport_is_secure(transport) || ahoy_ip_parse(host, &ip))
        return 0;
    return ahoy_domains_add(&stack->flows.domains, host);
}

bool ahoy_stack_stands(const struct ahoy_stack *stack, const struct ahoy_hop *hop)
{
    struct ahoy_hop found = *hop;
    if (hop->worker == stack->worker) {
        const struct ahoy_flow *flow = ahoy_flows_get(&stack->flows, hop->connection);
        return flow != NULL && !flow->closing;
    }
    return ahoy_flows_find_elsewhere(&stack->flows, &found) && found.worker == hop->worker &&
           ahoy_handle_equal(found.connection, hop->connection);
}

void ahoy_stack_trust(struct ahoy_stack *stack, const struct ahoy_hop *hop)
{
    if (hop->connection.generation == 0)
        return;
    if (hop->worker != stack->worker) {
        struct ahoy_wire_effect effect = { .kind = AHOY_WIRE_HANDOFF,
                                           .worker = hop->worker,
                                           .hop = *hop };
        if (!ahoy_outbox_add(&stack->outbox, &effect))
            stack->counters.overflows++;
        return;
    }
    struct ahoy_flow *flow = ahoy_flows_get(&stack->flows, hop->connection);
    if (flow != NULL)
        ahoy_flows_trust(&stack->flows, flow, stack->now_ms);
}

bool ahoy_stack_is_open(const struct ahoy_stack *stack, const struct ahoy_hop *hop)
{
    if (hop->connection.generation == 0)
        return false;
    if (hop->worker == stack->worker) {
        const struct ahoy_flow *flow = ahoy_flows_get(&stack->flows, hop->connection);
        return flow != NULL && !flow->closing && ahoy_hop_leads_where(&flow->hop, hop);
    }
    struct ahoy_hop listed = *hop;
    return ahoy_flows_find_elsewhere(&stack->flows, &listed) && listed.worker == hop->worker &&
           ahoy_handle_equal(listed.connection, hop->connection);
}

const struct ahoy_stack_counters *ahoy_stack_counters(const struct ahoy_stack *stack)
{
    return &stack->counters;
}
