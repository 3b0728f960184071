/* The inside of the server, which server.c and its neighbours share; nobody else includes it.
 * Each neighbour is one question that a request meets on its way: path.h where its Routes lead,
 * policy.h who sent it and what he may, targets.h where it goes, serve.h what is done. */
#pragma once

#include "ahoyd/flow_token.h"
#include "ahoyd/gruu_token.h"
#include "ahoyd/names.h"
#include "ahoyd/server.h"
#include "ahoyd/store/watch.h"
#include "libahoy/syntax/oc.h"

/* What bounds a server, where its options name nothing else. */
enum {
    AHOYD_CONNECTIONS_LIMIT = 100000,
    AHOYD_TRANSACTIONS_LIMIT = 2000000, /* Four a call, for 32 s, at 15,000 calls a second. */
    AHOYD_MESSAGES_MEMORY_LIMIT = 512 * 1048576, /* Bytes of all transactions' messages. */
    AHOYD_WAITING_LIMIT = 65536,                 /* Registrations at the store. */
    AHOYD_WAITING_MEMORY_LIMIT = 64 * 1048576    /* Bytes kept for their answers. */
};

/* Messages are told in a row; as many pass before what the first of them waits for is there. */
enum { AHOYD_EXPECTED = 4 };

/* A registration that waits for the store. */
struct ahoyd_waiting {
    struct ahoy_handle transaction;
    struct ahoy_arena arena;
    struct span rows;          /* The answer's: all that follows its status line. */
    uint32_t call;             /* The mark of its Call-ID. */
    struct span service_route; /* Of a 200; see ahoyd_domain. */
};

struct ahoyd_server {
    struct ahoyd_server_options options;
    struct ahoy_ring ring;
    struct ahoy_causes causes;
    struct ahoy_meter *meters; /* As ahoyd_server_meters has them. */
    struct ahoyd_names names;
    struct ahoy_stack *stack;
    struct ahoy_transactions *transactions; /* The stack's. */
    struct ahoy_proxy *proxy;
    struct ahoy_hash_key nonce_key; /* All four are the same for all workers of a store. */
    struct ahoy_hash_key dialog_key;
    struct ahoy_hash_key flow_key;
    struct ahoy_hash_key gruu_key;
    struct ahoyd_guard *guard;     /* That of the options, ... */
    struct ahoyd_guard *own_guard; /* ... or this one. */
    struct ahoy_rng rng;
    struct ahoyd_script *script; /* NULL where the configuration has no functions. */
    uint64_t script_told_ms;     /* When a fault of one was logged last. */
    uint64_t told_ms; /* Lines of log on refused users are allowed up to here (refusals.c). */
    struct ahoy_pool waiting; /* struct ahoyd_waiting */
    struct ahoy_chunks waiting_chunks;
    struct ahoy_pool subscriptions; /* struct ahoyd_subscription */
    struct ahoy_timers subscription_timers;
    struct ahoyd_watcher watcher;
    struct ahoy_pool sleepers; /* In sleepers.c, with the next four. */
    struct ahoy_map sleepers_by_key;
    struct ahoy_timers sleeper_timers;
    struct ahoyd_watcher sleeper_watcher;
    struct ahoy_hash_key sleeper_key;
    struct ahoyd_probe *probes; /* As many as config->probe_count. */
    uint32_t probe_number;      /* That was given last. */
    struct ahoy_timers probe_timers;
    struct ahoy_overload overload;
    uint32_t waited_us; /* The message at hand. */
    unsigned told_loss; /* To neighbours, by ... */
    size_t load_size;
    char load[AHOY_OC_TEXT_LIMIT];
    bool draining;
    struct ahoyd_server_counters counters;
    /* Scratch: for the request at hand only. */
    uint64_t expected[AHOYD_EXPECTED]; /* Bindings that are being fetched (aor.c), as the store
                                        * has them; or 0. */
    size_t expected_count;             /* So far; the next takes the place of the oldest. */
    uint64_t channel; /* The ticket for its places at trunks that count their calls; 0: none. */
    bool is_full;     /* Some trunk had no room for it. */
    struct ahoy_bindings bindings;
    struct ahoy_proxy_target targets[AHOY_TARGETS_LIMIT];
    struct ahoyd_flow { /* One for each of |bindings|. */
        struct ahoy_proxy_target target;
        struct span way;
        char token[AHOYD_FLOW_TOKEN_LIMIT];
        char route[AHOYD_NODE_LIMIT + AHOYD_FLOW_TOKEN_LIMIT + 8];
    } flows[AHOY_BINDINGS_LIMIT];
    char sleeping_aor[AHOYD_AOR_LIMIT]; /* Of those of |targets| that sleep. */
    struct span ways[AHOYD_TRUNK_TARGETS_LIMIT];
    struct ahoy_located located;
    char rows[AHOY_MESSAGE_LIMIT];
    char text[AHOY_MESSAGE_LIMIT];
};
