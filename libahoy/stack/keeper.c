/* Each flow rests for a while, by chance so that phones do not ask in step, and is asked; what does
 * not answer in its time has failed. */
#include "libahoy/stack/keeper.h"

#include "libahoy/stack/inbound.h"

void ahoy_keeper_init(struct ahoy_keeper *keeper, const uint64_t seed[2])
{
    ahoy_rng_init(&keeper->rng, seed);
    for (size_t i = 0; i < AHOY_KEPT_LIMIT; i++) {
        keeper->flows[i].timer.which = AHOY_KEEPER_TIMER;
        keeper->flows[i].timer.what = i;
    }
}

static bool is_connection(const struct ahoy_kept_flow *kept)
{
    return ahoy_transport_is_reliable((enum ahoy_transport)kept->hop.transport);
}

/* Between four fifths of the bound and all of it: R5626-4.4-1, R5626-4.4.1-4. */
static void rest(struct ahoy_stack *stack, struct ahoy_kept_flow *kept)
{
    uint64_t less_ms = ahoy_rng_below(&stack->keeper.rng, kept->most_ms / 5 + 1);
    kept->is_asked = false;
    ahoy_timers_set(&stack->timers, &kept->timer, stack->now_ms + kept->most_ms - less_ms);
}

static void fail(struct ahoy_stack *stack, struct ahoy_kept_flow *kept)
{
    kept->state = AHOY_KEPT_FAILED;
    kept->is_asked = false;
    ahoy_timers_cancel(&stack->timers, &kept->timer);
}

static void send(struct ahoy_stack *stack, const struct ahoy_kept_flow *kept, struct span bytes)
{
    struct ahoy_wire_effect effect = { .kind = AHOY_WIRE_SEND, .hop = kept->hop, .bytes = bytes };
    if (ahoy_outbox_add_copy(&stack->outbox, &effect))
        stack->counters.pings++;
    else
        stack->counters.overflows++; /* As if it were lost. */
}

/* Two CRLFs, R5626-4.4.1-3, on connections alone, R5626-4.4.1-1, and a pong within ten seconds. */
static void ask_connection(struct ahoy_stack *stack, struct ahoy_kept_flow *kept)
{
    struct ahoy_flow *flow = ahoy_flows_get(&stack->flows, kept->hop.connection);
    if (flow == NULL || flow->closing || kept->is_asked) { /* R5626-4.4.1-2 */
        if (flow != NULL)
            ahoy_inbound_close(stack, flow);
        fail(stack, kept);
        return;
    }
    kept->is_asked = true;
    send(stack, kept, SPAN("\r\n\r\n"));
    ahoy_timers_set(&stack->timers, &kept->timer, stack->now_ms + AHOY_PATIENCE_MS);
}

/* A binding request, R5626-4.4.2-2, on UDP alone, R5626-4.4.2-1: seven times, at intervals that
 * double, and after the last one sixteen times the first is waited (RFC 5389 7.2.1). */
static void ask_datagram(struct ahoy_stack *stack, struct ahoy_kept_flow *kept)
{
    char space[AHOY_STUN_ASK_SIZE];
    struct ahoy_buf request = ahoy_buf_over(space, sizeof space);
    if (!kept->is_asked) {
        kept->is_asked = true;
        kept->tries = 0;
        for (size_t i = 0; i < AHOY_STUN_ID_SIZE; i++)
            kept->id[i] = (uint8_t)ahoy_rng_next(&stack->keeper.rng);
    } else if (kept->tries == AHOY_KEPT_STUN_TRIES) {
        fail(stack, kept);
        return;
    }
    ahoy_stun_ask(kept->id, &request);
    send(stack, kept, ahoy_buf_text(&request));
    unsigned times = kept->tries == AHOY_KEPT_STUN_TRIES - 1 ? 16 : 1U << kept->tries;
    kept->tries++;
    ahoy_timers_set(&stack->timers, &kept->timer,
                    stack->now_ms + UINT64_C(1) * times * AHOY_KEPT_STUN_RTO_MS);
}

void ahoy_keeper_expire(struct ahoy_stack *stack, uint64_t index)
{
    struct ahoy_kept_flow *kept = &stack->keeper.flows[index];
    if (is_connection(kept))
        ask_connection(stack, kept);
    else
        ask_datagram(stack, kept);
}

static void answered(struct ahoy_stack *stack, struct ahoy_kept_flow *kept)
{
    kept->state = AHOY_KEPT_ANSWERED;
    rest(stack, kept);
}

void ahoy_keeper_pong(struct ahoy_stack *stack, struct ahoy_handle connection)
{
    for (size_t i = 0; i < AHOY_KEPT_LIMIT; i++) {
        struct ahoy_kept_flow *kept = &stack->keeper.flows[i];
        if (kept->is_asked && is_connection(kept) &&
            ahoy_handle_equal(kept->hop.connection, connection))
            answered(stack, kept);
    }
}

/* R5626-4.4.2-3: who is seen by another address than before is no longer reached by the old one. */
static void take_mapped(struct ahoy_stack *stack, struct ahoy_kept_flow *kept,
                        const struct ahoy_ip *mapped)
{
    bool has_moved = kept->mapped.family != AHOY_NO_FAMILY && !ahoy_ip_equal(&kept->mapped, mapped);
    kept->mapped = *mapped;
    if (has_moved)
        fail(stack, kept);
    else
        answered(stack, kept);
}

bool ahoy_keeper_hear(struct ahoy_stack *stack, struct span datagram)
{
    struct ahoy_ip mapped;
    for (size_t i = 0; i < AHOY_KEPT_LIMIT; i++) {
        struct ahoy_kept_flow *kept = &stack->keeper.flows[i];
        if (!kept->is_asked || is_connection(kept))
            continue;
        enum ahoy_stun_heard heard = ahoy_stun_hear(datagram, kept->id, &mapped);
        if (heard == AHOY_STUN_NOTHING)
            continue;
        if (heard == AHOY_STUN_FAILED)
            fail(stack, kept);
        else
            take_mapped(stack, kept, &mapped);
        return true;
    }
    return false;
}

enum ahoy_kept ahoy_stack_keep(struct ahoy_stack *stack, size_t which, const struct ahoy_hop *hop,
                               uint32_t most_ms)
{
    struct ahoy_kept_flow *kept = &stack->keeper.flows[which];
    bool is_same = kept->most_ms != 0 && ahoy_hop_leads_where(&kept->hop, hop) &&
                   ahoy_handle_equal(kept->hop.connection, hop->connection);
    kept->most_ms = most_ms; /* From the next rest on. */
    if (!is_same || most_ms == 0) {
        kept->hop = *hop;
        kept->state = AHOY_KEPT_HOPED;
        kept->mapped.family = AHOY_NO_FAMILY;
        ahoy_timers_cancel(&stack->timers, &kept->timer);
        if (most_ms != 0)
            rest(stack, kept);
    }
    bool is_gone = most_ms != 0 && is_connection(kept) && !ahoy_stack_stands(stack, hop);
    if (is_gone)
        fail(stack, kept);
    enum ahoy_kept state = kept->state;
    if (state == AHOY_KEPT_FAILED)
        kept->most_ms = 0; /* It is not kept any more. */
    return state;
}
