/* A WebSocket keeps messages apart by itself, so what it carries is read like datagrams: each whole
 * message is one of SIP, whatever Content-Length says or does not say (RFC 7118 5). */
#include "libahoy/stack/inbound_websocket.h"

#include <stdlib.h>

#include "libahoy/base/utf8.h"
#include "libahoy/stack/inbound.h"
#include "libahoy/stack/outbound.h"
#include "libahoy/transport/upgrade.h"

/* Sends |bytes|, which are no SIP message. */
static void reply(struct ahoy_stack *stack, const struct ahoy_flow *flow, struct span bytes)
{
    struct ahoy_wire_effect effect = { .kind = AHOY_WIRE_SEND, .hop = flow->hop, .bytes = bytes };
    if (!ahoy_outbox_add_copy(&stack->outbox, &effect))
        stack->counters.overflows++;
}

/* The random number of the request on |flow|: it need not be kept, as no other has this name. */
static void make_key(const struct ahoy_stack *stack, const struct ahoy_flow *flow, uint64_t key[2])
{
    const struct ahoy_handle names[] = { flow->hop.connection, { UINT32_MAX, 0 } };
    const struct span one = { (const char *)names, sizeof names[0] };
    const struct span both = { (const char *)names, sizeof names };
    key[0] = ahoy_siphash(&stack->masks.key, one);
    key[1] = ahoy_siphash(&stack->masks.key, both);
}

void ahoy_inbound_ask_upgrade(struct ahoy_stack *stack, const struct ahoy_flow *flow)
{
    char name[AHOY_PEER_NAME_LIMIT + sizeof ":65535"], space[sizeof name + 512];
    struct ahoy_buf host = ahoy_buf_over(name, sizeof name);
    struct ahoy_buf request = ahoy_buf_over(space, sizeof space);
    struct span domain = ahoy_domains_name(&stack->flows.domains, flow->hop.domain);
    uint64_t key[2];
    ahoy_buf_put(&host, domain);
    if (domain.size > 0) {
        ahoy_buf_put_byte(&host, ':');
        ahoy_buf_put_number(&host, flow->hop.remote.port);
    } else {
        ahoy_ip_print(&flow->hop.remote, &host);
    }
    make_key(stack, flow, key);
    ahoy_upgrade_ask(ahoy_buf_text(&host), key, &request);
    reply(stack, flow, ahoy_buf_text(&request));
}

/* Gives back what was taken behind the request, or the answer, and forgets that. */
static void finish_upgrade(struct ahoy_stack *stack, struct ahoy_flow *flow, size_t size)
{
    size_t surplus = flow->partial_size - size;
    stack->input = (struct span){ stack->input.at - surplus, stack->input.size + surplus };
    free(ahoy_flows_take_partial(&stack->flows, flow));
}

/* The client's request is whole: it is a WebSocket from now on, or no connection. */
static void answer_upgrade(struct ahoy_stack *stack, struct ahoy_flow *flow, size_t size)
{
    char space[512];
    struct ahoy_buf answer = ahoy_buf_over(space, sizeof space);
    const struct ahoy_listener *listener = ahoy_flows_listener(&stack->flows, &flow->hop);
    struct span request = { flow->partial, size };
    unsigned status = ahoy_upgrade_answer(request, listener->origins, &answer);
    finish_upgrade(stack, flow, size);
    reply(stack, flow, ahoy_buf_text(&answer));
    if (status == 101) {
        ahoy_websocket_open(flow->websocket);
        return;
    }
    stack->counters.upgrades_refused++;
    ahoy_inbound_close(stack, flow);
}

/* The answer to our request is whole: what waits is sent, or will never be (RFC 7118 4.1). */
static void take_grant(struct ahoy_stack *stack, struct ahoy_flow *flow, size_t size)
{
    uint64_t key[2];
    make_key(stack, flow, key);
    if (!ahoy_upgrade_is_granted((struct span){ flow->partial, size }, key)) {
        stack->counters.upgrades_refused++;
        ahoy_outbound_give_up(stack, flow, AHOY_FATE_REFUSED);
        return;
    }
    finish_upgrade(stack, flow, size);
    ahoy_websocket_open(flow->websocket);
    ahoy_outbound_opened(stack, flow);
}

/* There is no end to it. */
static void refuse_upgrade(struct ahoy_stack *stack, struct ahoy_flow *flow)
{
    if (!flow->accepted) {
        stack->counters.upgrades_refused++;
        ahoy_outbound_give_up(stack, flow, AHOY_FATE_REFUSED);
        return;
    }
    char space[512];
    struct ahoy_buf answer = ahoy_buf_over(space, sizeof space);
    ahoy_upgrade_refuse(431, &answer);
    reply(stack, flow, ahoy_buf_text(&answer));
    stack->counters.upgrades_refused++;
    ahoy_inbound_close(stack, flow);
}

/* Gathers the client's request, or the server's answer.  The flow may be gone afterwards. */
static bool next_of_upgrade(struct ahoy_stack *stack, struct ahoy_flow *flow)
{
    size_t seen = flow->partial_size;
    size_t size = AHOY_UPGRADE_LIMIT - seen;
    if (size > stack->input.size)
        size = stack->input.size;
    if (size == 0)
        return false;
    if (!ahoy_flows_keep(&stack->flows, flow, (struct span){ stack->input.at, size })) {
        stack->counters.overflows++;
        ahoy_inbound_close(stack, flow);
        return false;
    }
    stack->input = ahoy_span_after(stack->input, size);
    struct span bytes = { flow->partial, flow->partial_size };
    size_t whole = ahoy_upgrade_size(bytes, seen);
    bool is_endless = whole == 0 && bytes.size == AHOY_UPGRADE_LIMIT;
    if (whole > 0)
        (flow->accepted ? answer_upgrade : take_grant)(stack, flow, whole);
    else if (is_endless)
        refuse_upgrade(stack, flow);
    return whole > 0 || is_endless;
}

/* |frame| was printed where frame_over has left room for a mask in front. */
static void reply_frame(struct ahoy_stack *stack, const struct ahoy_flow *flow,
                        const struct ahoy_buf *frame)
{
    reply(stack, flow, ahoy_outbound_mask(stack, &flow->hop, ahoy_buf_text(frame)));
}

static struct ahoy_buf frame_over(char *space, size_t size)
{
    return ahoy_buf_over(space + AHOY_FRAME_MASK_SIZE, size - AHOY_FRAME_MASK_SIZE);
}

static void say_close(struct ahoy_stack *stack, const struct ahoy_flow *flow, unsigned code)
{
    char space[AHOY_FRAME_HEAD_LIMIT];
    struct ahoy_buf frame = frame_over(space, sizeof space);
    ahoy_websocket_put_close(code, &frame);
    reply_frame(stack, flow, &frame);
}

/* Says why, and closes. */
static void end(struct ahoy_stack *stack, struct ahoy_flow *flow, unsigned code)
{
    say_close(stack, flow, code);
    ahoy_inbound_close(stack, flow);
}

/* A ping wants a pong; a double CRLF, as on any stream, a single one (R5626-5.4-2). */
static void answer_keepalive(struct ahoy_stack *stack, const struct ahoy_flow *flow,
                             unsigned opcode, struct span payload)
{
    char space[AHOY_FRAME_HEAD_LIMIT + AHOY_SHORT_FRAME_LIMIT];
    struct ahoy_buf frame = frame_over(space, sizeof space);
    ahoy_websocket_put(opcode, payload, &frame);
    reply_frame(stack, flow, &frame);
}

/* The pieces before are kept with the flow, |last| is the end.  The message lives as long as the
 * step, as others may be handed what stands in it. */
static struct span join(struct ahoy_stack *stack, struct ahoy_flow *flow, struct span last)
{
    const struct span pieces[] = { { flow->partial, flow->partial_size }, last };
    struct span message = ahoy_outbox_copy(&stack->outbox, pieces, 2);
    free(ahoy_flows_take_partial(&stack->flows, flow));
    return message;
}

/* A whole message has come. */
static void take(struct ahoy_stack *stack, struct ahoy_flow *flow,
                 const struct ahoy_websocket_part *part)
{
    stack->partial_began = true; /* What follows it. */
    struct span message = join(stack, flow, part->bytes);
    if (message.at == NULL) {
        stack->counters.overflows++;
        end(stack, flow, AHOY_CLOSE_INTERNAL);
    } else if (part->is_text && !ahoy_utf8_is_valid(message)) {
        end(stack, flow, AHOY_CLOSE_NOT_UTF8);
    } else if (ahoy_inbound_is_keepalive(message)) {
        stack->counters.keepalives++;
        if (ahoy_span_equal(message, SPAN("\r\n\r\n")))
            answer_keepalive(stack, flow, AHOY_TEXT_FRAME, SPAN("\r\n"));
    } else {
        ahoy_inbound_take(stack, message);
    }
}

static bool next_of_frames(struct ahoy_stack *stack, struct ahoy_flow *flow)
{
    struct ahoy_websocket_part part;
    switch (ahoy_websocket_next(flow->websocket, AHOY_MESSAGE_LIMIT, &stack->input, &part)) {
    case AHOY_WEBSOCKET_MORE:
        return false;
    case AHOY_WEBSOCKET_PIECE:
        if (!ahoy_flows_keep(&stack->flows, flow, part.bytes)) {
            stack->counters.overflows++;
            end(stack, flow, AHOY_CLOSE_INTERNAL);
        }
        break;
    case AHOY_WEBSOCKET_LAST:
        take(stack, flow, &part);
        break;
    case AHOY_WEBSOCKET_PING:
        stack->counters.keepalives++;
        answer_keepalive(stack, flow, AHOY_PONG_FRAME, part.bytes);
        break;
    case AHOY_WEBSOCKET_CLOSE:
        end(stack, flow, part.code);
        break;
    }
    return true;
}

bool ahoy_inbound_next_of_websocket(struct ahoy_stack *stack, struct ahoy_flow *flow)
{
    if (ahoy_websocket_is_open(flow->websocket))
        return next_of_frames(stack, flow);
    return next_of_upgrade(stack, flow);
}

bool ahoy_inbound_ask_websocket(struct ahoy_stack *stack, struct ahoy_flow *flow)
{
    if (ahoy_flows_ask(&stack->flows, flow, stack->now_ms)) {
        stack->counters.pings++;
        answer_keepalive(stack, flow, AHOY_PING_FRAME, SPAN(""));
        return true;
    }
    if (flow->websocket != NULL && ahoy_websocket_is_open(flow->websocket))
        say_close(stack, flow, AHOY_CLOSE_AWAY);
    return false;
}

bool ahoy_inbound_leave_websockets(struct ahoy_stack *stack, struct ahoy_wire_effect *effect)
{
    static const char away[] = { AHOY_CLOSE_AWAY >> 8, (char)(AHOY_CLOSE_AWAY & 0xff) };
    char *scratch = ahoy_stack_scratch(stack);
    struct ahoy_handle handle;
    const struct ahoy_flow *flow;
    while ((flow = ahoy_pool_next(&stack->flows.pool, stack->leaving, &handle)) != NULL) {
        stack->leaving = handle.slot + 1;
        if (flow->websocket == NULL || !ahoy_websocket_is_open(flow->websocket) || flow->closing)
            continue;
        memcpy(scratch, away, sizeof away);
        struct span frame = ahoy_websocket_frame(AHOY_CLOSE_FRAME, scratch, sizeof away);
        *effect = (struct ahoy_wire_effect){ .kind = AHOY_WIRE_SEND,
                                             .hop = flow->hop,
                                             .bytes =
                                                 ahoy_outbound_mask(stack, &flow->hop, frame) };
        return true;
    }
    return false;
}
