/* The transaction layer alone, under virtual time, with everything that it does written down: what
 * a test expects then reads as a trace.  A line is the time in milliseconds, an arrow, and what:
 *
 *      0 > INVITE            went down to the transport
 *     20 ^ 180 user 7        came up to the user of a transaction
 *  32000 ^ timeout user 7
 *
 * Between two calls of a test everything is polled dry, as the stack does it. */
#pragma once

#include "libahoy/syntax/compose.h"
#include "libahoy/transaction/transactions.h"

enum { LAYER_UDP, LAYER_TCP, LAYER_LISTENERS };

enum {
    LAYER_LIMIT = 64,           /* Transactions. */
    LAYER_MEMORY = 1024 * 1024, /* Of their messages. */
    LAYER_TRACE = 1 << 16
};

struct layer;

/* A user of the test's own: gets what would go into the trace. */
struct layer_watch {
    void (*event)(struct layer *layer, const struct ahoy_event *event);
    void (*sending)(struct layer *layer, const struct ahoy_sending *sending);
};

struct layer {
    const struct layer_watch *watch; /* NULL: the trace. */
    uint64_t now_ms;
    struct ahoy_listener listeners[LAYER_LISTENERS];
    struct ahoy_flows flows;
    struct ahoy_timers timers;
    struct ahoy_transactions *transactions;

    /* What the user does with a REQUEST or CANCEL: accepts it under this number, unless 0. */
    uint64_t accepts;
    struct ahoy_handle accepted; /* By the last one that was. */
    struct ahoy_event event;     /* The last REQUEST or CANCEL that came up. */
    struct ahoy_hop source;      /* By which messages come in; also where requests go. */
    struct ahoy_message message; /* The last that came in. */
    struct ahoy_routing routing;
    char received[AHOY_MESSAGE_LIMIT];

    unsigned drains;             /* How often everything was dry. */
    struct ahoy_sending sending; /* The last message that went down, and its bytes. */
    char sent[AHOY_MESSAGE_LIMIT];
    size_t sent_size;

    const char *peers_tag;      /* The To tag of layer_answer; "peers" unless set. */
    struct ahoy_message parsed; /* What answers are composed from. */
    struct ahoy_buf trace;
    char trace_space[LAYER_TRACE];
};

/* |transport| is AHOY_UDP or AHOY_TCP: how messages come in and where requests go. */
void layer_init(struct layer *layer, enum ahoy_transport transport);
void layer_init_limited(struct layer *layer, enum ahoy_transport transport, uint32_t limit,
                        size_t memory_limit);
/* Checks that no transaction and no memory is left, then ends. */
void layer_fini(struct layer *layer);
/* Ends in the middle of things. */
void layer_abort(struct layer *layer);

/* Everything that arises goes into the trace; then what has ended is freed. */
void layer_drain(struct layer *layer);
/* The events alone. */
void layer_drain_events(struct layer *layer);
/* Lets time pass, up to and including |now_ms|: each timer at its own time. */
void layer_run(struct layer *layer, uint64_t now_ms);

/* A message of any bytes comes in.  False where it is not sound. */
bool layer_receive(struct layer *layer, struct span text);
/* A request comes in, as a UAC would make it; |rows| are further rows or "". */
void layer_request(struct layer *layer, const char *method, const char *branch, const char *rows);
/* The same with the To tag that an ACK has, or NULL. */
void layer_request_to(struct layer *layer, const char *method, const char *branch,
                      const char *to_tag, const char *rows);
/* A response to |request|, a whole message that we sent, comes in. */
void layer_answer_to(struct layer *layer, struct span request, unsigned status);
/* The same to the last message that went down. */
void layer_answer(struct layer *layer, unsigned status);

/* The user sends a request of |method| to layer->source, under number |user|. */
struct ahoy_handle layer_send(struct layer *layer, enum ahoy_method method, uint64_t user);
/* The same without polling anything. */
struct ahoy_handle layer_send_quietly(struct layer *layer, enum ahoy_method method, uint64_t user);
/* The user answers the last REQUEST or CANCEL through |transaction|. */
bool layer_respond(struct layer *layer, struct ahoy_handle transaction, unsigned status);
void layer_fail(struct layer *layer, struct ahoy_handle transaction);

/* Whether both lead to the same peer by the same way. */
bool layer_same_hop(const struct ahoy_hop *a, const struct ahoy_hop *b);
struct span layer_sent(const struct layer *layer);
/* The To tag that layer_respond writes. */
#define LAYER_TAG "ours"

/* Compares the trace since the last time with |lines|, and empties it. */
void layer_expect(struct layer *layer, const char *lines);
void layer_forget_trace(struct layer *layer);
