/* A message passes here once, in place, whether it came in a datagram, in a chunk of a stream, or
 * from another worker.  Only one that was split between chunks has been copied, and at most one
 * of those is completed a step. */
#include "libahoy/stack/inbound.h"

#include <stdlib.h>

#include "libahoy/stack/inbound_websocket.h"
#include "libahoy/stack/refuse.h"
#include "libahoy/transport/stun.h"
#include "libahoy/transport/via_rules.h"

/* What of a chunk is copied behind a partial message before looking whether that is whole. */
enum { TAKE_SIZE = 2048 };

void ahoy_inbound_close(struct ahoy_stack *stack, struct ahoy_flow *flow)
{
    if (flow->closing)
        return;
    flow->closing = true;
    flow->next_closing = stack->closing;
    stack->closing = flow;
}

bool ahoy_inbound_is_keepalive(struct span bytes)
{
    if (bytes.size > 4)
        return false;
    for (size_t i = 0; i < bytes.size; i++) {
        if (bytes.at[i] != '\r' && bytes.at[i] != '\n' && bytes.at[i] != '\0')
            return false;
    }
    return true;
}

static uint16_t owner_of(const struct ahoy_stack *stack, struct span bytes)
{
    if (stack->workers == 1)
        return stack->worker;
    struct span call_id = ahoy_message_scan_call_id(bytes);
    if (call_id.size == 0)
        return stack->worker;
    return (uint16_t)(ahoy_siphash(&stack->call_key, call_id) % stack->workers);
}

bool ahoy_inbound_is_ours(const struct ahoy_stack *stack, struct span bytes)
{
    return !ahoy_inbound_is_keepalive(bytes) && !ahoy_stun_is(bytes) &&
           owner_of(stack, bytes) == stack->worker;
}

static void hand_off(struct ahoy_stack *stack, struct span bytes, uint16_t owner)
{
    struct ahoy_wire_effect effect = {
        .kind = AHOY_WIRE_HANDOFF, .worker = owner, .hop = stack->source, .bytes = bytes
    };
    if (ahoy_outbox_add(&stack->outbox, &effect))
        stack->counters.handed_off++;
    else
        stack->counters.overflows++;
}

/* The connection that the message came by, where it is one of this worker's. */
static struct ahoy_flow *own_flow(struct ahoy_stack *stack)
{
    if (stack->source.worker != stack->worker)
        return NULL;
    return ahoy_flows_get(&stack->flows, stack->source.connection);
}

/* The peer of a connection that has proved who it is may take requests on it, but only at the first
 * port that it asks for (RFC 5923 8.2, 9.2). */
static void see_alias(struct ahoy_stack *stack)
{
    struct ahoy_flow *flow = own_flow(stack);
    if (flow != NULL && flow->proved != NULL && flow->alias_port == 0)
        ahoy_flows_alias(&stack->flows, flow, ahoy_via_alias(&stack->reading->routing.via));
}

static void deliver(struct ahoy_stack *stack)
{
    if (stack->reading->message.is_request) {
        see_alias(stack);
        ahoy_via_reply(&stack->reading->routing.via, &stack->source, &stack->reply);
    } else if (!ahoy_via_is_ours(&stack->reading->routing.via, &stack->flows)) {
        stack->counters.foreign_responses++; /* R3261-18.1.2-1 */
        return;
    }
    ahoy_stack_trim_later(stack);
    ahoy_transactions_message(stack->transactions, &stack->reading->expected, &stack->source,
                              &stack->reply, stack->now_ms);
}

/* |bytes| are one whole message of a call of this worker. */
static void read_message(struct ahoy_stack *stack, struct span bytes)
{
    struct ahoy_flow *flow = own_flow(stack);
    stack->reading = ahoy_ahead_take(stack, bytes);
    ahoy_stack_note(stack, AHOY_NOTE_IN, &stack->source, bytes);
    if (!stack->reading->is_sound) {
        ahoy_refuse(stack, &stack->reading->err);
    } else {
        if (flow != NULL)
            flow->sound = true;
        deliver(stack);
    }
}

void ahoy_inbound_take(struct ahoy_stack *stack, struct span bytes)
{
    stack->counters.messages_in++;
    uint16_t owner = owner_of(stack, bytes);
    if (owner == stack->worker) {
        read_message(stack, bytes);
        return;
    }
    struct ahoy_flow *flow = own_flow(stack);
    if (flow != NULL)
        flow->sound = true; /* As far as this worker can tell. */
    hand_off(stack, bytes, owner);
}

/* Where one message ends and the next begins is lost: what can be read of this one's head is
 * answered, and the connection ends (rule R2: never resynchronise by guessing). */
static void break_stream(struct ahoy_stack *stack, struct ahoy_flow *flow, struct span head,
                         const struct ahoy_err *err)
{
    stack->counters.messages_in++;
    ahoy_stack_note(stack, AHOY_NOTE_IN, &stack->source, head);
    stack->reading = ahoy_ahead_salvage(stack, head);
    ahoy_refuse(stack, err);
    ahoy_inbound_close(stack, flow);
}

/* One CRLF for each double one (R5626-5.4-2); whoever sends more than eight at once
 * needs no more than eight. */
static void answer_keepalives(struct ahoy_stack *stack, size_t count)
{
    const struct span pongs = SPAN("\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n");
    stack->counters.keepalives += count;
    size_t size = 2 * count < pongs.size ? 2 * count : pongs.size;
    struct ahoy_wire_effect effect = { .kind = AHOY_WIRE_SEND,
                                       .hop = stack->source,
                                       .bytes = { pongs.at, size } };
    if (count > 0 && !ahoy_outbox_add(&stack->outbox, &effect))
        stack->counters.overflows++;
}

/* Moves the next piece of the input behind the partial message: no more than a message needs, so
 * that what follows it is read in place again. */
static bool take_piece(struct ahoy_stack *stack, struct ahoy_flow *flow)
{
    size_t size = TAKE_SIZE;
    if (flow->frame.size > 0)
        size = flow->frame.size - flow->partial_size;
    else if (size > AHOY_MESSAGE_LIMIT - flow->partial_size)
        size = AHOY_MESSAGE_LIMIT - flow->partial_size;
    if (size > stack->input.size)
        size = stack->input.size;
    if (!ahoy_flows_keep(&stack->flows, flow, (struct span){ stack->input.at, size }))
        return false;
    stack->input = ahoy_span_after(stack->input, size);
    return true;
}

/* The partial message is whole: what was taken of the bytes behind it goes back. */
static void finish_partial(struct ahoy_stack *stack, struct ahoy_flow *flow, size_t size)
{
    size_t surplus = flow->partial_size - size;
    stack->input = (struct span){ stack->input.at - surplus, stack->input.size + surplus };
    free(stack->spent);
    stack->spent = ahoy_flows_take_partial(&stack->flows, flow);
}

/* Goes on with a message of which a part came before. */
static bool next_of_partial(struct ahoy_stack *stack, struct ahoy_flow *flow)
{
    while (stack->input.size > 0) {
        if (!take_piece(stack, flow)) {
            stack->counters.overflows++;
            ahoy_inbound_close(stack, flow);
            return false;
        }
        struct span partial = { flow->partial, flow->partial_size };
        struct ahoy_err err;
        enum ahoy_frame_verdict verdict = ahoy_frame_cut(&flow->frame, partial, &err);
        partial.size = flow->frame.size;
        if (verdict == AHOY_FRAME_MORE)
            continue;
        if (verdict == AHOY_FRAME_BROKEN) {
            break_stream(stack, flow, partial, &err);
            return true;
        }
        finish_partial(stack, flow, partial.size);
        ahoy_inbound_take(stack, partial);
        return true;
    }
    return false;
}

/* Reads the next message where it stands in the chunk. */
static bool next_in_place(struct ahoy_stack *stack, struct ahoy_flow *flow)
{
    size_t size = stack->input.size;
    size_t doubles = ahoy_frame_skip(&flow->frame, &stack->input);
    answer_keepalives(stack, doubles);
    if (doubles == 0 && size > stack->input.size)
        ahoy_keeper_pong(stack, flow->hop.connection);
    if (stack->input.size == 0)
        return false;
    struct span bytes = stack->input;
    struct ahoy_err err;
    enum ahoy_frame_verdict verdict = ahoy_frame_cut(&flow->frame, bytes, &err);
    bytes.size = flow->frame.size;
    if (verdict == AHOY_FRAME_MORE) {
        stack->partial_began = true;
        if (!ahoy_flows_keep(&stack->flows, flow, stack->input)) {
            stack->counters.overflows++;
            ahoy_inbound_close(stack, flow);
        }
        stack->input.size = 0;
        return false;
    }
    if (verdict == AHOY_FRAME_BROKEN) {
        break_stream(stack, flow, bytes, &err);
        return true;
    }
    flow->frame = (struct ahoy_frame){ 0 };
    stack->input = ahoy_span_after(stack->input, bytes.size);
    ahoy_inbound_take(stack, bytes);
    return true;
}

static bool next_of_stream(struct ahoy_stack *stack)
{
    struct ahoy_flow *flow = own_flow(stack);
    bool found = false;
    if (flow != NULL && !flow->closing) {
        if (flow->websocket != NULL)
            found = ahoy_inbound_next_of_websocket(stack, flow);
        else if (flow->partial_size > 0)
            found = next_of_partial(stack, flow);
        else
            found = next_in_place(stack, flow);
        if (!found && !flow->closing)
            ahoy_flows_rest(&stack->flows, flow, stack->partial_began, stack->now_ms);
    }
    if (!found)
        stack->input_kind = AHOY_INPUT_NONE;
    return found;
}

/* A datagram that is no SIP: R5626-5.4-1, R5626-8-2.  False where it is. */
static bool take_keepalive(struct ahoy_stack *stack)
{
    if (ahoy_inbound_is_keepalive(stack->input)) {
        stack->counters.keepalives++;
        return true;
    }
    if (!ahoy_stun_is(stack->input))
        return false;
    if (ahoy_keeper_hear(stack, stack->input))
        return true;
    char space[AHOY_STUN_ANSWER_SIZE];
    struct ahoy_buf answer = ahoy_buf_over(space, sizeof space);
    if (!ahoy_stun_answer(stack->input, &stack->source.remote, &answer)) {
        stack->counters.malformed_dropped++;
        return true;
    }
    stack->counters.keepalives++;
    struct ahoy_wire_effect effect = { .kind = AHOY_WIRE_SEND,
                                       .hop = stack->source,
                                       .bytes = ahoy_buf_text(&answer) };
    if (!ahoy_outbox_add_copy(&stack->outbox, &effect))
        stack->counters.overflows++;
    return true;
}

bool ahoy_inbound_next(struct ahoy_stack *stack)
{
    enum ahoy_input kind = stack->input_kind;
    if (kind == AHOY_INPUT_NONE)
        return false;
    if (kind == AHOY_INPUT_STREAM)
        return next_of_stream(stack);
    stack->input_kind = AHOY_INPUT_NONE;
    if (kind == AHOY_INPUT_DATAGRAM && take_keepalive(stack))
        return true;
    if (kind == AHOY_INPUT_MESSAGE)
        read_message(stack, stack->input);
    else
        ahoy_inbound_take(stack, stack->input);
    return true;
}
