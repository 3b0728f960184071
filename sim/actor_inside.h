/* What the files of an actor share: actor.c sends and receives, actor_caller.c asks, actor_callee.c
 * answers, actor_wild.c does what nobody should. */
#pragma once

#include "libahoy/tu/account.h"
#include "sim/actor.h"
#include "sim/inlets.h"

enum {
    ACTOR_MESSAGE_LIMIT = 8192,
    ACTOR_PENDING_LIMIT = 128,
    ACTOR_ASKED_LIMIT = 24,
    ACTOR_ANSWERED_LIMIT = 24,
    ACTOR_SEEN_LIMIT = 8
};

/* What is to be sent, once or again and again. */
struct actor_pending {
    uint64_t due_ms; /* 0: free. */
    uint64_t order, interval_ms, until_ms;
    uint64_t transaction; /* What it belongs to: it goes when that is answered. */
    struct ahoy_ip to;
    uint64_t stream; /* 0: its own. */
    char *bytes;
    size_t size;
    bool is_cancel;  /* The CANCEL of what it belongs to; else the response to it ... */
    unsigned status; /* ... with this status; 0: a request. */
};

/* A message that is kept. */
struct actor_kept {
    uint64_t transaction;
    char *bytes;
    size_t size;
};

struct sim_actor {
    struct sim_node node;
    struct sim_world *world;
    struct sim_actor_options options;
    struct ahoy_rng rng;
    struct ahoy_account account;
    char uri[64];
    bool is_calm;
    uint64_t deed_ms, next_order, stream;
    unsigned branches, calls, cseq, register_cseq;
    struct actor_pending pending[ACTOR_PENDING_LIMIT];
    size_t pending_count;
    struct actor_kept asked[ACTOR_ASKED_LIMIT];       /* Requests that it sent. */
    struct actor_kept answered[ACTOR_ANSWERED_LIMIT]; /* Its last responses. */
    struct actor_kept seen[ACTOR_SEEN_LIMIT];         /* What others sent. */
    size_t asked_next, answered_next, seen_next;
    struct sim_inlets inlets;
    struct ahoy_message message, other;
    struct ahoy_routing routing;
    uint64_t came_by;         /* The stream of the message at hand, ... */
    struct ahoy_ip came_from; /* ... and its source. */
};

bool actor_chance(struct sim_actor *actor, unsigned percent);
uint64_t actor_below(struct sim_actor *actor, uint64_t bound);
void actor_put(struct ahoy_buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void actor_put_via(struct sim_actor *actor, struct ahoy_buf *buf);
void actor_put_contact(struct sim_actor *actor, struct ahoy_buf *buf);
/* Names the transaction of a branch and a method. */
uint64_t actor_transaction(struct span branch, struct span method);

/* Keeps a copy of |bytes| in place of the oldest of |count|. */
void actor_keep(struct actor_kept *list, size_t count, size_t *next, uint64_t transaction,
                struct span bytes);
struct actor_kept *actor_find(struct actor_kept *list, size_t count, uint64_t transaction);
/* Sends now. */
void actor_send(struct sim_actor *actor, const struct ahoy_ip *to, uint64_t stream,
                struct span bytes);
/* Sends a copy of |bytes| in |delay_ms|; NULL where too much is pending. */
struct actor_pending *actor_later(struct sim_actor *actor, uint64_t delay_ms,
                                  const struct ahoy_ip *to, uint64_t stream, struct span bytes);
/* Drops what is pending for |transaction|: requests, or responses. */
void actor_drop(struct sim_actor *actor, uint64_t transaction, bool responses);

/* Sends a request, and again until it is answered. */
void actor_ask(struct sim_actor *actor, struct span request);
void actor_do_something(struct sim_actor *actor);
void actor_take_response(struct sim_actor *actor);
void actor_take_request(struct sim_actor *actor);
void actor_be_wild(struct sim_actor *actor);
/* Sends a copy of |bytes| that has suffered. */
void actor_mutate(struct sim_actor *actor, const struct ahoy_ip *to, uint64_t stream,
                  struct span bytes);
