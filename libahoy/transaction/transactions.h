/* The owner of all transactions of a worker: tables, timers, memory, and what is to be sent.
 * The stack drives it; its user sees user.h.  The four state machines are pure tables beside
 * this file. */
#pragma once

#include "libahoy/base/arena.h"
#include "libahoy/transaction/clocks.h"
#include "libahoy/transaction/match.h"
#include "libahoy/transaction/user.h"

struct ahoy_transactions_options {
    struct ahoy_clocks clocks;
    uint32_t limit;                  /* Transactions at once. */
    size_t memory_limit;             /* Bytes of all their messages; the last eighth only for what
                                   * ends a transaction: final responses, ACK, CANCEL. */
    uint64_t seed[2];                /* Of branches and tags. */
    struct ahoy_hash_key tag_key;    /* Of stateless tags: the same for all workers. */
    struct ahoy_hash_key branch_key; /* Of branches that are made from a seed: the same again. */
};

/* A message on its way down to the transport. */
struct ahoy_sending {
    struct ahoy_hop hop;
    struct span bytes;              /* Live until the next settle. */
    struct ahoy_handle transaction; /* Who is told if it fails; null for nobody. */
    uint32_t call;                  /* As in stack/wire.h. */
    uint16_t gap;                   /* The same. */
};

/* |flows| tells which listener a hop leaves from and outlives the layer; |timers| is the stack's
 * wheel and outlives it too.  NULL where memory is refused. */
struct ahoy_transactions *ahoy_transactions_new(const struct ahoy_transactions_options *options,
                                                const struct ahoy_flows *flows,
                                                struct ahoy_timers *timers);
/* NULL is allowed. */
void ahoy_transactions_free(struct ahoy_transactions *transactions);

/* A sound message, and what it is matched by. */
struct ahoy_expected {
    const struct ahoy_message *message;
    const struct ahoy_routing *routing;
    struct ahoy_request_key key; /* Of a request. */
    uint64_t hash;
    struct ahoy_branch branch; /* Of a response, where it has one that may be ours. */
    bool has_branch;
};

/* Fills |expected| for a sound message that has been read, and goes on by the next call, or no
 * further.  What it will be matched with comes near the processor while the caller does what else
 * is to be done. */
void ahoy_transactions_expect(const struct ahoy_transactions *transactions,
                              const struct ahoy_message *message,
                              const struct ahoy_routing *routing, struct ahoy_expected *expected);
/* What was expected came by |source|; if it is a request, its responses go to |reply| (18.2.2).  At
 * most one event with it follows, and what is to be sent.  All must live until the events have been
 * polled dry. */
void ahoy_transactions_message(struct ahoy_transactions *transactions,
                               struct ahoy_expected *expected, const struct ahoy_hop *source,
                               const struct ahoy_hop *reply, uint64_t now_ms);
/* One of its timers (timer->what is the packed handle, timer->which an enum ahoy_clock) is due. */
void ahoy_transactions_timer(struct ahoy_transactions *transactions, const struct ahoy_timer *timer,
                             uint64_t now_ms);
/* One of its timers will be due next: what that needs comes near the processor. */
void ahoy_transactions_expect_timer(const struct ahoy_transactions *transactions,
                                    const struct ahoy_timer *timer);
/* What |transaction| sent did not leave.  Nothing happens where that is over. */
void ahoy_transactions_send_failed(struct ahoy_transactions *transactions,
                                   struct ahoy_handle transaction, uint64_t now_ms);

/* Whether |transaction| is a client whose request may be lost with the connection that it left by:
 * to an INVITE no response has come, to others no final one. */
bool ahoy_transactions_is_waiting(const struct ahoy_transactions *transactions,
                                  struct ahoy_handle transaction);

/* Whether |transaction| went by TCP only because it is too large for a datagram, and is to go by
 * UDP where that fails. */
bool ahoy_transactions_is_moved(const struct ahoy_transactions *transactions,
                                struct ahoy_handle transaction);

/* The next event for the user, and the next message for the transport; false when there is none.
 * Events must be dry before the next message is given. */
bool ahoy_transactions_event(struct ahoy_transactions *transactions, struct ahoy_event *event);
bool ahoy_transactions_poll(struct ahoy_transactions *transactions, struct ahoy_sending *sending);

/* Frees what has ended.  Call when both polls are dry and nobody uses what they gave; while a
 * message still waits to be sent nothing happens. */
void ahoy_transactions_settle(struct ahoy_transactions *transactions);
/* Gives memory that lies idle back to the allocator: all of it where no transaction is left. */
void ahoy_transactions_trim(struct ahoy_transactions *transactions);

/* How many there are now, and how many bytes their messages take. */
uint32_t ahoy_transactions_count(const struct ahoy_transactions *transactions);
size_t ahoy_transactions_memory(const struct ahoy_transactions *transactions);
