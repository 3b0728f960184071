/* What the files of this folder share: the stack's state, in the order in which a step passes
 * through it. */
#pragma once

#include "libahoy/stack/ahead.h"
#include "libahoy/stack/keeper.h"
#include "libahoy/stack/locating.h"
#include "libahoy/stack/outbox.h"
#include "libahoy/stack/riders.h"
#include "libahoy/stack/sent.h"
#include "libahoy/stack/stack.h"

enum {
    AHOY_FAILURES_LIMIT = 1024, /* Transactions that wait to be told. */
    AHOY_TRIM_TIMER = 0x101,    /* timer->which of tidying up; another than those of flow.h. */
    AHOY_TRIM_MS = 60000        /* Without a message, before memory that lies idle goes back. */
};

enum ahoy_input {
    AHOY_INPUT_NONE,
    AHOY_INPUT_DATAGRAM,
    AHOY_INPUT_STREAM,
    AHOY_INPUT_MESSAGE /* From another worker, which has found that it is ours. */
};

struct ahoy_stack {
    uint64_t now_ms; /* Of the step; never goes back. */
    uint16_t worker, workers;
    bool opens_websockets;
    struct ahoy_rng masks; /* Of frames on those. */
    struct ahoy_hash_key call_key;
    ahoy_coming *coming; /* NULL: nobody is told. */
    void *context;
    const struct ahoy_log *log;
    struct ahoy_ring *ring;
    struct ahoy_stack_counters counters;
    struct ahoy_timers timers; /* Of the transactions and the flows. */
    struct ahoy_timer trim;    /* Set while there is or was work; a stack at rest does not wake. */
    uint64_t worked_ms;        /* When there was last. */
    struct ahoy_flows flows;
    struct ahoy_transactions *transactions;
    struct ahoy_locating locating;
    struct ahoy_keeper keeper;

    /* In: what is still to be read of this step's event, and what was read last. */
    enum ahoy_input input_kind;
    struct span input;
    bool partial_began; /* The partial message began with this step's bytes. */
    char *spent;        /* The bytes of the message of this step that came in parts. */
    struct ahoy_hop source, reply;
    struct ahoy_reading *reading;
    struct ahoy_ahead ahead;

    /* Out. */
    struct ahoy_outbox outbox;
    struct ahoy_sent sent;
    struct ahoy_riders riders;
    struct ahoy_flow *closing; /* Connections whose CLOSE is owed once all has been sent. */
    bool is_leaving;           /* WebSockets are told so ... */
    uint32_t leaving;          /* ... from this slot on. */
    size_t failure_count;
    struct ahoy_handle failures[AHOY_FAILURES_LIMIT]; /* Found while sending; told by events. */
    char scratch[AHOY_FRAME_HEAD_LIMIT + AHOY_MESSAGE_LIMIT];
};

/* Where messages are composed, AHOY_MESSAGE_LIMIT bytes: in front of it is room for the head of a
 * frame. */
static inline char *ahoy_stack_scratch(struct ahoy_stack *stack)
{
    return stack->scratch + AHOY_FRAME_HEAD_LIMIT;
}

/* A message, before it is looked at or put into a frame. */
static inline void ahoy_stack_note(struct ahoy_stack *stack, enum ahoy_note_kind kind,
                                   const struct ahoy_hop *hop, struct span message)
{
    if (stack->ring == NULL)
        return;
    struct ahoy_note note = { .now_ms = stack->now_ms,
                              .kind = (uint16_t)kind,
                              .transport = hop->transport,
                              .listener = hop->listener,
                              .remote = hop->remote };
    ahoy_ring_put(stack->ring, &note, &message, 1);
}

/* There is work, so there will be memory to give back. */
static inline void ahoy_stack_trim_later(struct ahoy_stack *stack)
{
    stack->worked_ms = stack->now_ms;
    if (!ahoy_timer_is_set(&stack->trim))
        ahoy_timers_set(&stack->timers, &stack->trim, stack->now_ms + AHOY_TRIM_MS);
}
