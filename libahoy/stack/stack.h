/* The joint of transport, transaction and locating: bytes in, events up; calls down, bytes out.
 *
 * The owner's turn is always the same:
 *
 *     ahoy_stack_step(stack, &wire_event, now_ms);
 *     while (ahoy_stack_event(stack, &event) or ahoy_stack_located(stack, &located))
 *         the user works, and may call down (transaction/user.h, and ahoy_stack_locate);
 *     while (ahoy_stack_poll(stack, &effect))
 *         the wire carries it out;
 *
 * All polls must be dry before the next step. */
#pragma once

#include "libahoy/base/ring.h"
#include "libahoy/resolve/search.h"
#include "libahoy/stack/keeper.h"
#include "libahoy/stack/wire.h"
#include "libahoy/transaction/transactions.h"

/* Each counter written once. */
/* clang-format off */
#define AHOY_STACK_COUNTERS(COUNTER)                                                               \
    COUNTER(messages_in) COUNTER(messages_out) COUNTER(handed_off) COUNTER(malformed_answered)     \
    COUNTER(malformed_dropped) COUNTER(keepalives) COUNTER(connections_refused)                    \
    COUNTER(connections_timed_out) COUNTER(upgrades_refused) COUNTER(send_failures)                \
    COUNTER(foreign_responses) COUNTER(overflows) COUNTER(lookups) COUNTER(located)                \
    COUNTER(not_located) COUNTER(pings)
/* clang-format on */

struct ahoy_stack_counters {
#define AHOY_COUNTER_FIELD(name) uint64_t name;
    AHOY_STACK_COUNTERS(AHOY_COUNTER_FIELD)
#undef AHOY_COUNTER_FIELD
};

struct ahoy_stack_options {
    const struct ahoy_listener *listeners; /* Outlive the stack, or ahoy_stack_relisten. */
    size_t listener_count;
    uint16_t worker, workers; /* This one, and how many there are (at least 1). */
    uint32_t connection_limit;
    bool opens_websockets; /* To servers, as phones do; they have one worker.  Nobody else can open
                            * one, least of all to a client. */
    struct ahoy_directory *directory; /* Shared by all workers; NULL where there is one only. */
    struct ahoy_hash_key call_key;    /* Call-ID to worker: the same for all workers. */
    struct ahoy_transactions_options transactions;
    uint64_t seed[2];           /* Of the chance that SRV records and keep-alives ask for. */
    const struct ahoy_log *log; /* May be NULL. */
    struct ahoy_ring *ring;     /* Where messages are noted, and connections that did not come to
                                 * stand; outlives the stack.  NULL for nowhere. */
};

struct ahoy_stack;

/* NULL where memory is refused. */
struct ahoy_stack *ahoy_stack_new(const struct ahoy_stack_options *options, uint64_t now_ms);
void ahoy_stack_free(struct ahoy_stack *stack);
/* Between two steps: other listeners, as ahoy_flows_relisten has it; they outlive the stack, or the
 * next call. */
void ahoy_stack_relisten(struct ahoy_stack *stack, const struct ahoy_listener *listeners,
                         size_t count);
/* The listeners that connections name, a bit each. */
uint64_t ahoy_stack_listeners(const struct ahoy_stack *stack);

/* The turn of ARCHITECTURE.md.  Step takes an event of the wire, and fills in what wire.h says of
 * it; then events are taken until there is none, and after that effects until there is none.  What
 * is polled lives until the next step or poll. */
void ahoy_stack_step(struct ahoy_stack *stack, struct ahoy_wire_event *event, uint64_t now_ms);
bool ahoy_stack_event(struct ahoy_stack *stack, struct ahoy_event *event);
bool ahoy_stack_poll(struct ahoy_stack *stack, struct ahoy_wire_effect *effect);
/* The end is near: what is polled next tells every WebSocket (RFC 6455 7.4.1: 1001). */
void ahoy_stack_leave(struct ahoy_stack *stack);
/* A message that is sound has been read, and is dealt with later: mostly some are read before the
 * first of them is.  What it will need can be fetched from memory meanwhile; nothing else can be
 * done with it, and it may come to nothing. */
typedef void ahoy_coming(void *context, const struct ahoy_message *message,
                         const struct ahoy_routing *routing);
/* Between two steps: |coming| is told from now on; NULL for nobody. */
void ahoy_stack_tell_coming(struct ahoy_stack *stack, ahoy_coming *coming, void *context);
/* Between two steps: gives back the memory that lies idle now.  It goes by itself once no message
 * has come or gone for a minute. */
void ahoy_stack_trim(struct ahoy_stack *stack);
/* When a step with AHOY_WIRE_TIME is due at the latest; UINT64_MAX for never. */
uint64_t ahoy_stack_deadline(const struct ahoy_stack *stack);

/* A URI whose servers are to be found. */
struct ahoy_wanted {
    struct span uri;
    bool is_secure; /* As a sips URI, whatever it is (RFC 3261 16.6 step 7). */
    uint64_t user;  /* Comes back with what was found. */
};

/* What was found: hops in the order in which they are to be tried. */
struct ahoy_located {
    uint64_t user;
    unsigned status; /* 0; where nothing was found, what a proxy makes of that: 416, 503. */
    size_t count;
    size_t fresh; /* So many of them have not failed lately; the others come last. */
    struct ahoy_hop hops[AHOY_SERVERS_LIMIT];
};

/* Locates servers (RFC 3263 4); what is found is polled, and comes within AHOY_SEARCH_MS.  False
 * where the limit of searches or the allocator refuses; nothing comes then. */
bool ahoy_stack_locate(struct ahoy_stack *stack, const struct ahoy_wanted *wanted);
bool ahoy_stack_located(struct ahoy_stack *stack, struct ahoy_located *located);
/* A request to |hop| failed, in the sense of RFC 3263 4.3: for |rest_ms| every search names it
 * last. */
void ahoy_stack_rest(struct ahoy_stack *stack, const struct ahoy_hop *hop, uint64_t rest_ms);

/* Keeps the flow that |hop| is alive, at least each |most_ms|, and tells what is known of it: to be
 * called after each step.  |which|, below AHOY_KEPT_LIMIT, is the caller's number for it: another
 * flow takes its place, none does where |most_ms| is 0, and one that has failed is kept no more. */
enum ahoy_kept ahoy_stack_keep(struct ahoy_stack *stack, size_t which, const struct ahoy_hop *hop,
                               uint32_t most_ms);

/* The layer that the user calls down to. */
struct ahoy_transactions *ahoy_stack_transactions(struct ahoy_stack *stack);
/* hop.domain for a URI's |host| that is called by |transport|: its number where that is TLS and it
 * is a name.  Else 0, and where memory is refused: then the peer's address must be proved. */
uint32_t ahoy_stack_domain(struct ahoy_stack *stack, enum ahoy_transport transport,
                           struct span host);
/* Whether the very connection that |hop| names still stands, of this worker or another. */
bool ahoy_stack_stands(const struct ahoy_stack *stack, const struct ahoy_hop *hop);
/* The peer on this connection has authenticated, or is a trunk: it is no longer counted as a
 * stranger.  Where the connection is another worker's, that one is told by a HANDOFF without
 * bytes.  Nothing happens for a hop without a connection, or with one that is gone. */
void ahoy_stack_trust(struct ahoy_stack *stack, const struct ahoy_hop *hop);
/* Whether hop->connection, this worker's or another's, still stands, and leads to hop->remote. */
bool ahoy_stack_is_open(const struct ahoy_stack *stack, const struct ahoy_hop *hop);
const struct ahoy_stack_counters *ahoy_stack_counters(const struct ahoy_stack *stack);
