/* The server's core: a stack and its users, under a policy.  No socket, clock or thread:
 * worker.c runs it on the kernel, sim/world on seeded links. */
#pragma once

#include "ahoyd/guard.h"
#include "ahoyd/pusher.h"
#include "ahoyd/store/store.h"
#include "libahoy/stack/stack.h"
#include "libahoy/tu/proxy.h"

/* Each counter written once. */
#define AHOYD_SERVER_COUNTERS(COUNTER)                                                             \
    COUNTER(registers)                                                                             \
    COUNTER(calls)                                                                                 \
    COUNTER(forwarded)                                                                             \
    COUNTER(challenged)                                                                            \
    COUNTER(refused)                                                                               \
    COUNTER(failed_logins)                                                                         \
    COUNTER(slowed_logins)                                                                         \
    COUNTER(untold_refusals)                                                                       \
    COUNTER(paced_calls)                                                                           \
    COUNTER(script_faults)                                                                         \
    COUNTER(overload_refused)                                                                      \
    COUNTER(overload_dropped)                                                                      \
    COUNTER(overload_held_back)                                                                    \
    COUNTER(notified)                                                                              \
    COUNTER(pushes)                                                                                \
    COUNTER(failed_pushes)                                                                         \
    COUNTER(parked)                                                                                \
    COUNTER(woken)                                                                                 \
    COUNTER(not_woken)
/* What stands at some height now: of several workers the highest counts, not their sum. */
#define AHOYD_SERVER_LEVELS(LEVEL)                                                                 \
    LEVEL(overload_wait_ms) LEVEL(overload_loss) LEVEL(longest_wait_us)

struct ahoyd_server_counters {
#define AHOYD_COUNTER_FIELD(name) uint64_t name;
    AHOYD_SERVER_COUNTERS(AHOYD_COUNTER_FIELD)
    AHOYD_SERVER_LEVELS(AHOYD_COUNTER_FIELD)
#undef AHOYD_COUNTER_FIELD
};

struct ahoyd_server_options {
    const struct ahoyd_config *config; /* Outlives the server. */
    struct ahoyd_store *store;         /* Too. */
    /* Too; as many as the configuration listens on, in its order.  Others, and another
     * configuration, may take their place (renewal.h). */
    const struct ahoy_listener *listeners;
    size_t listener_count;
    uint16_t worker, workers;
    struct ahoy_directory *directory; /* Shared by all workers, outlives them; NULL for one. */
    struct ahoyd_guard *guard;        /* Too; NULL: the server makes one for itself. */
    uint64_t seed[2];                 /* Random, another for each worker. */
    struct ahoy_clocks clocks;
    uint32_t timer_c_ms;
    uint32_t transaction_limit; /* At once; 0 for the usual 2,000,000. */
    size_t ring_size;           /* Bytes for notes of what happened last; 0: none are taken. */
    const struct ahoy_log *log;
    struct ahoyd_change_owner *change_owner; /* Gets the changes back that this server makes. */
    struct ahoyd_pusher *pusher;             /* Wakes phones; NULL: nobody does. */
    struct ahoyd_push_owner *push_owner;     /* Is told where that has failed. */
    bool without_chance; /* Where chance decides, it is the first: for tests. */
};

struct ahoyd_server;

/* NULL where memory is refused. */
struct ahoyd_server *ahoyd_server_new(const struct ahoyd_server_options *options, uint64_t now_ms);
void ahoyd_server_free(struct ahoyd_server *server);

/* One event in.  Then poll until dry. */
void ahoyd_server_step(struct ahoyd_server *server, struct ahoy_wire_event *event, uint64_t now_ms);
/* A change of this server came back from the store; the server frees it.  Then poll until dry. */
void ahoyd_server_stored(struct ahoyd_server *server, struct ahoyd_change *change, uint64_t now_ms);
/* What this server asked its pusher for under |key| cannot be done.  Then poll until dry. */
void ahoyd_server_push_failed(struct ahoyd_server *server, uint64_t key, uint64_t now_ms);
bool ahoyd_server_poll(struct ahoyd_server *server, struct ahoy_wire_effect *effect);
uint64_t ahoyd_server_deadline(const struct ahoyd_server *server);
/* Of 1,024 datagrams that begin something, so many are worth reading now (overload.h). */
unsigned ahoyd_server_heard(const struct ahoyd_server *server);
/* Between two steps: gives back the memory that lies idle now, of which the next rush takes as much
 * again. */
void ahoyd_server_trim(struct ahoyd_server *server);

/* From now on new calls and registrations get 503; what is under way goes on. */
void ahoyd_server_drain(struct ahoyd_server *server);
/* It is freed next: what is polled says so to those who want to know. */
void ahoyd_server_leave(struct ahoyd_server *server);
/* What would be broken off: requests without a final response, registrations that wait for the
 * store. */
uint32_t ahoyd_server_busy(const struct ahoyd_server *server);
/* Requests that it remembers, as some of their transactions have not ended yet. */
uint32_t ahoyd_server_remembered(const struct ahoyd_server *server);
/* The listeners that its connections came by, a bit each. */
uint64_t ahoyd_server_listeners(const struct ahoyd_server *server);
/* All transactions that are held, those that only absorb retransmissions too. */
uint32_t ahoyd_server_transactions(const struct ahoyd_server *server);
/* Whether |name| is that of a level. */
bool ahoyd_server_is_level(const char *name);
/* What happened last: messages, and why what was done (docs/why.md). */
const struct ahoy_ring *ahoyd_server_ring(const struct ahoyd_server *server);
/* What calls have come to: to where no name of the configuration says, then to each of its domains,
 * then to each of its trunks. */
size_t ahoyd_server_meter_count(const struct ahoyd_config *config);
const struct ahoy_meter *ahoyd_server_meters(const struct ahoyd_server *server);
/* How often each cause was noted: AHOY_CAUSE_COUNT numbers. */
const uint64_t *ahoyd_server_causes(const struct ahoyd_server *server);
const struct ahoyd_server_counters *ahoyd_server_counters(const struct ahoyd_server *server);
const struct ahoy_stack_counters *ahoyd_server_stack_counters(const struct ahoyd_server *server);
