/* The stateful proxy (RFC 3261 16): one context a request, one branch a target, the best
 * response up.  Who may send what where is the owner's policy; this is the engine. */
#pragma once

#include "libahoy/transaction/user.h"

struct ahoy_proxy;

enum {
    AHOY_TARGETS_LIMIT = 16,
    AHOY_PROXY_LIMIT = 1 << 27,         /* What options.limit may be at most. */
    AHOY_PROXY_MEMORY = 1024,           /* Bytes that each context may hold, on the average. */
    AHOY_CHALLENGES_LIMIT = 8192,       /* Bytes of challenges that join those of the best. */
    AHOY_PROXY_REASON_LIMIT = 1024,     /* Bytes of Reason that a CANCEL passes on. */
    AHOY_PROXY_TRYING_MS = 3500,        /* When a non-INVITE request gets its 100 (RFC 4320). */
    AHOY_PROXY_AGAIN_MS = 500           /* When a refused final response is tried again. */
};

struct ahoy_proxy_options {
    uint32_t limit;       /* Contexts at once: 1 to AHOY_PROXY_LIMIT. */
    uint32_t timer_c_ms;  /* Above 180,000 (16.6 step 11). */
    uint64_t seed[2];
};

/* One of the target set (16.5), located. */
struct ahoy_proxy_target {
    struct span uri;      /* The new Request-URI (16.6 step 2). */
    struct ahoy_hop hop;  /* Where it is sent: by the topmost Route value that is left, if any. */
};

/* How a request is to be forwarded; copied as far as needed. */
struct ahoy_proxy_plan {
    const struct ahoy_proxy_target *targets;
    size_t count;      /* 1 to AHOY_TARGETS_LIMIT; all are rung at once.  More: answered 503. */
    size_t own_routes; /* Topmost Route values that name us: removed (16.4). */
    bool restore_uri;  /* The last Route value became the Request-URI (16.4): removed. */
    /* Put a Record-Route (16.6 step 4); two where the request leaves by another listener than it
     * came by.  What crosses into or out of TLS gets one even where this is false. */
    bool record_route;
    struct span record_route_params; /* Behind ";lr" in it, from ";" on. */
    struct span removed; /* A row that goes no further: credentials for us alone.  Or empty. */
};

/* NULL where memory is refused. */
struct ahoy_proxy *ahoy_proxy_new(const struct ahoy_proxy_options *options,
                                  struct ahoy_transactions *transactions, uint64_t now_ms);
void ahoy_proxy_free(struct ahoy_proxy *proxy);

/* Takes over a REQUEST event: accepts the server transaction, answers 100 to an INVITE, forwards
 * to all targets.  Where a limit refuses, it answers 503 itself, where Route cannot be read 400.
 * The request was checked before (16.3): Max-Forwards is above 0. */
void ahoy_proxy_start(struct ahoy_proxy *proxy, const struct ahoy_event *event,
                      const struct ahoy_proxy_plan *plan, uint64_t now_ms);

/* Forwards an ACK event to the plan's first target, without state (16.11). */
void ahoy_proxy_forward_ack(struct ahoy_proxy *proxy, const struct ahoy_event *event,
                            const struct ahoy_proxy_plan *plan);

/* Every other event whose |user| is not 0, CANCEL included (whose own 200 the engine sends),
 * comes here. */
void ahoy_proxy_step(struct ahoy_proxy *proxy, const struct ahoy_event *event, uint64_t now_ms);

/* Timer C and the like: step with time alone, and when that is due. */
void ahoy_proxy_expire(struct ahoy_proxy *proxy, uint64_t now_ms);
uint64_t ahoy_proxy_deadline(const struct ahoy_proxy *proxy);
/* Contexts now: requests whose transactions have not all ended. */
uint32_t ahoy_proxy_count(const struct ahoy_proxy *proxy);
/* Of these, the ones that still owe a final response. */
uint32_t ahoy_proxy_open(const struct ahoy_proxy *proxy);
/* Gives memory back when nothing is under way. */
void ahoy_proxy_trim(struct ahoy_proxy *proxy);
