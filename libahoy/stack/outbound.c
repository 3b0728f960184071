/* A failure that shows while effects are polled is told in the next round of events, because the
 * transaction layer must not change under who is polling it. */
#include "libahoy/stack/outbound.h"

#include <stdlib.h>

/* The transaction will be told; false, for the callers. */
static bool fail(struct ahoy_stack *stack, struct ahoy_handle transaction)
{
    stack->counters.send_failures++;
    if (transaction.generation == 0)
        return false;
    if (stack->failure_count < AHOY_FAILURES_LIMIT)
        stack->failures[stack->failure_count++] = transaction;
    else
        stack->counters.overflows++; /* It ends by its timer. */
    return false;
}

static void tell(struct ahoy_stack *stack, struct ahoy_handle transaction)
{
    stack->counters.send_failures++;
    if (transaction.generation != 0)
        ahoy_transactions_send_failed(stack->transactions, transaction, stack->now_ms);
}

bool ahoy_outbound_tell_failure(struct ahoy_stack *stack)
{
    if (stack->failure_count == 0)
        return false;
    struct ahoy_handle transaction = stack->failures[--stack->failure_count];
    ahoy_transactions_send_failed(stack->transactions, transaction, stack->now_ms);
    return true;
}

struct span ahoy_outbound_mask(struct ahoy_stack *stack, const struct ahoy_hop *hop,
                               struct span frame)
{
    const struct ahoy_flow *flow =
        stack->opens_websockets ? ahoy_flows_get(&stack->flows, hop->connection) : NULL;
    if (flow == NULL || flow->accepted)
        return frame;
    return ahoy_websocket_mask(frame, (uint32_t)ahoy_rng_next(&stack->masks));
}

struct span ahoy_outbound_frame(struct ahoy_stack *stack, const struct ahoy_hop *hop,
                                struct span message)
{
    char *scratch = ahoy_stack_scratch(stack);
    if (!ahoy_transport_is_websocket((enum ahoy_transport)hop->transport))
        return message;
    if (message.size == 0 || message.size > AHOY_MESSAGE_LIMIT)
        return SPAN("");
    memmove(scratch, message.at, message.size);
    return ahoy_outbound_mask(stack, hop, ahoy_websocket_frame_message(scratch, message.size));
}

/* False where a message is too large for a frame: then it is lost, and timers tell. */
static bool send_on(struct ahoy_stack *stack, const struct ahoy_hop *hop,
                    const struct ahoy_sending *sending, struct ahoy_wire_effect *effect)
{
    *effect = (struct ahoy_wire_effect){ .kind = AHOY_WIRE_SEND,
                                         .hop = *hop,
                                         .bytes = ahoy_outbound_frame(stack, hop, sending->bytes),
                                         .call = sending->call,
                                         .gap = sending->gap };
    if (effect->bytes.size == 0) {
        stack->counters.overflows++;
        return false;
    }
    stack->counters.messages_out++;
    ahoy_stack_note(stack, AHOY_NOTE_OUT, hop, sending->bytes);
    return true;
}

/* The same on a connection, whose end |transaction| is told of. */
static bool send_riding(struct ahoy_stack *stack, const struct ahoy_hop *hop,
                        const struct ahoy_sending *sending, struct ahoy_wire_effect *effect)
{
    ahoy_riders_add(&stack->riders, stack->transactions, hop, sending->transaction);
    return send_on(stack, hop, sending, effect);
}

/* The hop with the listener named that it leaves from, as it mostly is; false where none fits. */
static bool choose_listener(const struct ahoy_stack *stack, struct ahoy_hop *hop)
{
    const struct ahoy_listener *listener = ahoy_flows_listener(&stack->flows, hop);
    if (listener == NULL)
        return false;
    if (hop->listener == AHOY_ANY_LISTENER)
        hop->listener = (uint8_t)(listener - stack->flows.listeners);
    return true;
}

static bool send_datagram(struct ahoy_stack *stack, const struct ahoy_sending *sending,
                          struct ahoy_wire_effect *effect)
{
    struct ahoy_hop hop = sending->hop;
    if (!choose_listener(stack, &hop))
        return fail(stack, sending->transaction);
    if (sending->transaction.generation != 0)
        ahoy_sent_add(&stack->sent, &hop.remote, sending->transaction, stack->now_ms);
    return send_on(stack, &hop, sending, effect);
}

/* No connection leads there (any more): one is opened, and the message waits for it.  But a server
 * can connect to no client of a WebSocket. */
static bool open_for(struct ahoy_stack *stack, const struct ahoy_sending *sending,
                     struct ahoy_wire_effect *effect)
{
    struct ahoy_hop hop = sending->hop;
    struct span domain = ahoy_domains_name(&stack->flows.domains, hop.domain);
    bool is_forgotten = hop.domain != 0 && domain.size == 0;
    bool is_websocket = ahoy_transport_is_websocket((enum ahoy_transport)hop.transport);
    if (is_forgotten || (is_websocket && !stack->opens_websockets) || !choose_listener(stack, &hop))
        return fail(stack, sending->transaction);
    struct ahoy_flow *flow = ahoy_flows_open(&stack->flows, &hop, stack->now_ms);
    if (flow == NULL)
        return fail(stack, sending->transaction);
    if (!ahoy_flows_wait(&stack->flows, flow, sending->bytes, sending->transaction)) {
        ahoy_flows_close(&stack->flows, flow);
        return fail(stack, sending->transaction);
    }
    if (ahoy_transactions_is_moved(stack->transactions, sending->transaction))
        ahoy_flows_hurry(&stack->flows, flow, stack->now_ms);
    *effect =
        (struct ahoy_wire_effect){ .kind = AHOY_WIRE_CONNECT, .hop = flow->hop, .bytes = domain };
    return true;
}

bool ahoy_outbound_send(struct ahoy_stack *stack, const struct ahoy_sending *sending,
                        struct ahoy_wire_effect *effect)
{
    ahoy_stack_trim_later(stack);
    const struct ahoy_hop *hop = &sending->hop;
    if (!ahoy_transport_is_reliable((enum ahoy_transport)hop->transport))
        return send_datagram(stack, sending, effect);
    if (hop->connection.generation != 0 && hop->worker != stack->worker)
        return send_riding(stack, hop, sending, effect);
    struct ahoy_flow *flow = ahoy_flows_find(&stack->flows, hop);
    struct ahoy_hop elsewhere = *hop;
    if (flow == NULL && ahoy_flows_find_elsewhere(&stack->flows, &elsewhere))
        return send_riding(stack, &elsewhere, sending, effect);
    if (flow == NULL)
        return open_for(stack, sending, effect);
    if (flow->state == AHOY_FLOW_OPEN)
        return send_riding(stack, &flow->hop, sending, effect);
    if (!ahoy_flows_wait(&stack->flows, flow, sending->bytes, sending->transaction))
        return fail(stack, sending->transaction);
    return false;
}

/* A frame stands in the scratch, where the next one will be. */
static bool add(struct ahoy_stack *stack, const struct ahoy_flow *flow,
                const struct ahoy_wire_effect *effect)
{
    return flow->websocket != NULL ? ahoy_outbox_add_copy(&stack->outbox, effect)
                                   : ahoy_outbox_add(&stack->outbox, effect);
}

void ahoy_outbound_opened(struct ahoy_stack *stack, struct ahoy_flow *flow)
{
    ahoy_flows_opened(&stack->flows, flow, stack->now_ms);
    struct ahoy_pending *pending = ahoy_flows_take_pending(&stack->flows, flow);
    while (pending != NULL) {
        struct ahoy_pending *next = pending->next;
        struct ahoy_wire_effect effect;
        const struct ahoy_sending sending = { .bytes = { pending->bytes, pending->size },
                                              .transaction = pending->transaction };
        if (!send_riding(stack, &flow->hop, &sending, &effect) ||
            !add(stack, flow, &effect))
            (void)fail(stack, pending->transaction);
        ahoy_outbox_hold(&stack->outbox, pending);
        pending = next;
    }
}

/* The other workers may have sent on |flow|, which ends.  Of a stranger's none has. */
static void announce(struct ahoy_stack *stack, const struct ahoy_flow *flow)
{
    if (flow->state != AHOY_FLOW_OPEN || (flow->accepted && !flow->trusted))
        return;
    for (uint16_t worker = 0; worker < stack->workers; worker++) {
        struct ahoy_wire_effect effect = { .kind = AHOY_WIRE_HANDOFF,
                                           .worker = worker,
                                           .hop = flow->hop };
        if (worker != stack->worker && !ahoy_outbox_add(&stack->outbox, &effect))
            stack->counters.overflows++;
    }
}

void ahoy_outbound_lost(struct ahoy_stack *stack, const struct ahoy_hop *hop)
{
    struct ahoy_handle transaction;
    while ((transaction = ahoy_riders_take(&stack->riders, hop)).generation != 0) {
        if (ahoy_transactions_is_waiting(stack->transactions, transaction))
            tell(stack, transaction);
    }
}

void ahoy_outbound_close(struct ahoy_stack *stack, struct ahoy_flow *flow)
{
    const struct ahoy_hop hop = flow->hop;
    struct ahoy_handle transaction;
    announce(stack, flow);
    ahoy_flows_close(&stack->flows, flow);
    while ((transaction = ahoy_riders_take(&stack->riders, &hop)).generation != 0) {
        if (ahoy_transactions_is_waiting(stack->transactions, transaction))
            (void)fail(stack, transaction);
    }
}

/* A connection that was to be opened will not stand. */
static void note_lost(struct ahoy_stack *stack, const struct ahoy_flow *flow,
                      enum ahoy_wire_fate fate)
{
    if (flow->state != AHOY_FLOW_CONNECTING || stack->ring == NULL)
        return;
    const struct span domain = ahoy_domains_name(&stack->flows.domains, flow->hop.domain);
    struct ahoy_note note = { .now_ms = stack->now_ms,
                              .kind = AHOY_NOTE_LOST,
                              .number = (uint16_t)fate,
                              .name_size = (uint16_t)domain.size,
                              .transport = flow->hop.transport,
                              .listener = flow->hop.listener,
                              .remote = flow->hop.remote };
    ahoy_ring_put(stack->ring, &note, &domain, 1);
}

void ahoy_outbound_closed(struct ahoy_stack *stack, struct ahoy_flow *flow,
                          enum ahoy_wire_fate fate)
{
    note_lost(stack, flow, fate);
    struct ahoy_pending *pending = ahoy_flows_take_pending(&stack->flows, flow);
    const struct ahoy_hop hop = flow->hop;
    if (flow->state == AHOY_FLOW_CONNECTING && hop.transport == AHOY_TCP)
        ahoy_refusals_add(&stack->flows.refusals, &hop.remote, stack->now_ms);
    announce(stack, flow);
    ahoy_flows_close(&stack->flows, flow);
    ahoy_outbound_lost(stack, &hop);
    while (pending != NULL) {
        struct ahoy_pending *next = pending->next;
        tell(stack, pending->transaction);
        free(pending);
        pending = next;
    }
}

void ahoy_outbound_give_up(struct ahoy_stack *stack, struct ahoy_flow *flow,
                           enum ahoy_wire_fate fate)
{
    struct ahoy_wire_effect effect = { .kind = AHOY_WIRE_CLOSE, .hop = flow->hop };
    if (!ahoy_outbox_add(&stack->outbox, &effect))
        stack->counters.overflows++;
    ahoy_outbound_closed(stack, flow, fate);
}

void ahoy_outbound_unreachable(struct ahoy_stack *stack, const struct ahoy_ip *remote)
{
    for (;;) {
        struct ahoy_handle transaction = ahoy_sent_take(&stack->sent, remote, stack->now_ms);
        if (transaction.generation == 0)
            return;
        tell(stack, transaction);
    }
}
