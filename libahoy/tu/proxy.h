/* The stateful proxy (RFC 3261 16): one context a request, one branch a target, the best
 * response up.  Who may send what where is the owner's policy; this is the engine. */
#pragma once

#include "libahoy/base/arena.h"
#include "libahoy/transaction/user.h"
#include "libahoy/tu/cause.h"
#include "libahoy/tu/meter.h"
#include "libahoy/tu/overload.h"

struct ahoy_proxy;

enum {
    AHOY_TARGETS_LIMIT = 16,
    AHOY_PROXY_LIMIT = 1 << 27,       /* What options.limit may be at most. */
    AHOY_PROXY_MEMORY = 1024,         /* Bytes that each context may hold, on the average. */
    AHOY_CHALLENGES_LIMIT = 8192,     /* Bytes of challenges that join those of the best. */
    AHOY_PROXY_REASON_LIMIT = 1024,   /* Bytes of Reason that a CANCEL passes on. */
    AHOY_PROXY_TRYING_MS = 3500,      /* When a non-INVITE request gets its 100 (RFC 4320). */
    AHOY_PROXY_AGAIN_MS = 500,        /* When a refused final response is tried again. */
    AHOY_PROXY_ACKS_LIMIT = 1024,     /* ACKs that wait until their next hop is located. */
    AHOY_PROXY_REST_MS = 30000,       /* How long a server that failed is better left alone. */
    AHOY_PROXY_REST_MOST_MS = 300000, /* The same where its Retry-After asks for more. */
    AHOY_MAX_BREADTH_LIMIT = 60,      /* Branches that a request may have all the way down. */
    AHOY_REDIRECTIONS_LIMIT = 5,      /* How often a target may be one of a 3xx of another. */
    AHOY_PROXY_BRIEF_MS = 4000,       /* What is no INVITE waits so long for a tier at most, */
    AHOY_PROXY_LATE_MS = 16000        /* and behind this begins no branch any more (RFC 4321). */
};

struct ahoy_proxy_options {
    uint32_t limit;      /* Contexts at once: 1 to AHOY_PROXY_LIMIT. */
    uint32_t timer_c_ms; /* Above 180,000 (16.6 step 11). */
    uint64_t seed[2];
    struct ahoy_hash_key loop_key; /* Of branches: the same for all workers (RFC 5393 4.2). */
    struct ahoy_causes *causes;    /* Where it says why; outlives the proxy.  NULL for nowhere. */
};

/* One of the target set (16.5).  Where its servers are known it has a hop.  Else it has ways: URIs
 * that the owner is asked to locate, the next one when all servers of the one before have failed
 * (RFC 3263 4.3); so does a target that has several servers. */
struct ahoy_proxy_target {
    struct span uri;     /* The new Request-URI (16.6 step 2). */
    struct ahoy_hop hop; /* Where it is sent: by the topmost Route value that is left, if any. */
    const struct span *ways;
    size_t way_count;      /* 0: there is a hop.  At most AHOY_TARGETS_LIMIT. */
    bool is_secure;        /* The ways are those of sips URIs, though |uri| is none. */
    bool is_neighbour;     /* Told in our Via that it may ask for less, and heeded (RFC 7339). */
    struct ahoy_ip source; /* The owner's: comes back when it is asked. */
    struct span routes;    /* Route values that lead to it, a Path; empty where there are none. */
    struct span flow;      /* The user part of the Record-Route on its side, or empty. */
    /* The owner's, where the phone has to be woken before anything is sent to it (RFC 8599 5.6.2):
     * there is neither hop nor way yet, and |uri| only says which phone it is.  Or empty. */
    struct span sleeper;
    /* In thousandths.  Those of one q ring together (16.6), a higher one before a lower. */
    uint16_t q;
    /* How long its tier rings before the next, where that is longer than by others of it; where all
     * say 0, it is as the plan has it. */
    uint32_t tier_ms;
    /* Another flow of the same instance, tried when this one fails (RFC 5626 7); NULL for none. */
    const struct ahoy_proxy_target *next;
};

/* What the engine asks of its owner. */
struct ahoy_proxy_wish {
    enum { AHOY_WISH_LOCATE = 1, AHOY_WISH_REST, AHOY_WISH_WAKE, AHOY_WISH_ANSWERED } kind;
    uint64_t user;         /* LOCATE, WAKE: ahoy_proxy_located, ahoy_proxy_woken take it.
                            * ANSWERED: the plan's ticket; no answer is wanted. */
    struct span uri;       /* LOCATE: the way.  WAKE: the target's.  Lives until the next call. */
    struct span sleeper;   /* WAKE: the target's; the same. */
    bool is_secure;        /* LOCATE: to be taken as a sips URI (16.6 step 7). */
    struct ahoy_ip source; /* LOCATE: the target's. */
    struct ahoy_hop hop;   /* REST: it failed and should be tried last. */
    uint64_t rest_ms;      /* REST: for so long. */
};

/* What became of a way. */
struct ahoy_proxy_found {
    const struct ahoy_hop *hops; /* In the order in which they are to be tried. */
    size_t count;
    /* So many of them have not failed lately; the others rest, and are tried when nothing else is
     * left. */
    size_t fresh;
    unsigned status; /* Where there are none: what that counts as. */
};

/* What becomes of a P-Asserted-Identity (RFC 3325).  In a response a
 * P-Preferred-Identity goes in any case. */
enum ahoy_asserted {
    AHOY_ASSERTED_DROPPED,
    AHOY_ASSERTED_KEPT_UNLESS_PRIVATE, /* Unless the message itself asks for privacy. */
    AHOY_ASSERTED_KEPT
};

/* How a request is to be forwarded; copied as far as needed. */
struct ahoy_proxy_plan {
    const struct ahoy_proxy_target *targets; /* In the order of q, the highest first. */
    size_t count;                            /* 1 to AHOY_TARGETS_LIMIT.  More: answered 503. */
    uint32_t tier_ms; /* How long those of one q ring before the next do; 0: until they fail. */
    bool follows;     /* Redirections are followed, where the owner finds targets in them. */
    bool no_cancel;   /* A 2xx cancels no other branch: the caller wants all (RFC 3841 9.1). */
    uint8_t sender;   /* The owner's: comes back with a redirection. */
    uint64_t ticket;  /* Too: comes back once the final response was sent, or none will be; or 0. */
    enum ahoy_urgency urgency; /* What a neighbour that asks for less gets least of. */
    bool tells_load;           /* The sender is a neighbour that wants to know our load. */
    size_t own_routes;         /* Topmost Route values that name us: removed (16.4). */
    bool no_other_route;       /* There are no others, as the owner has seen. */
    bool restore_uri;          /* The last Route value became the Request-URI (16.4): removed. */
    /* Put a Record-Route (16.6 step 4); two where the request leaves by another listener than it
     * came by, or either side has a flow to be named (RFC 5626 5.3).  What crosses into or out of
     * TLS gets one even where this is false. */
    bool record_route;
    struct span record_route_params; /* Behind ";lr" in it, from ";" on, where it names no flow. */
    /* The targets are bindings of a user of ours: that a flow of his has failed (430) is for us
     * alone to know, and comes out as 480 (RFC 5626 11.5). */
    bool is_home;
    struct span flow;    /* The user part of the one on the sender's side, or empty. */
    struct span added;   /* Rows that it gets from us.  Or empty. */
    struct span removed; /* A row that goes no further: credentials for us alone.  Or empty. */
    enum ahoy_asserted asserted_back; /* P-Asserted-Identity of responses. */
    bool drops_asserted;  /* All P-Asserted-Identity that came goes no further (RFC 3325), ... */
    bool drops_preferred; /* ... and all P-Preferred-Identity. */
    struct ahoy_meter *meter; /* What the call counts for; outlives the proxy, or
                               * ahoy_proxy_remeter.  NULL for nothing. */
};

/* A copy of |target| and its other flows, in |arena|; false where memory is refused. */
bool ahoy_proxy_copy_target(struct ahoy_arena *arena, const struct ahoy_proxy_target *target,
                            struct ahoy_proxy_target *copy);

/* NULL where memory is refused. */
struct ahoy_proxy *ahoy_proxy_new(const struct ahoy_proxy_options *options,
                                  struct ahoy_transactions *transactions, uint64_t now_ms);
void ahoy_proxy_free(struct ahoy_proxy *proxy);

/* What responses to those who want to know our load say of it from now on: parameters of a Via
 * (syntax/oc.h), copied, at most AHOY_OC_TEXT_LIMIT bytes. */
void ahoy_proxy_tell_load(struct ahoy_proxy *proxy, struct span load);
/* How many requests were held back from neighbours that asked for less. */
uint64_t ahoy_proxy_held_back(const struct ahoy_proxy *proxy);

/* Takes over a REQUEST event: accepts the server transaction, answers 100 to an INVITE, forwards
 * to the targets.  Where a limit refuses, it answers 503 itself, where Route or Max-Breadth cannot
 * be read 400, where a request that it would fork has come round 482, and where it may not be
 * forked so far 440 (RFC 5393).  The request was checked before (16.3): Max-Forwards is above 0. */
void ahoy_proxy_start(struct ahoy_proxy *proxy, const struct ahoy_event *event,
                      const struct ahoy_proxy_plan *plan, uint64_t now_ms);

/* Forwards a request of any method to the plan's first target, without state (16.11).  But for
 * an ACK to a 2xx it comes by UDP, has a branch with the cookie, and a target with a hop by UDP. */
void ahoy_proxy_forward(struct ahoy_proxy *proxy, const struct ahoy_event *event,
                        const struct ahoy_proxy_plan *plan);
/* Where the response of a STRAY event goes; false where its Via does not say so. */
bool ahoy_proxy_stray_hop(const struct ahoy_event *event, struct ahoy_hop *hop);
/* Forwards it there. */
void ahoy_proxy_pass(struct ahoy_proxy *proxy, const struct ahoy_event *event,
                     const struct ahoy_hop *hop, enum ahoy_asserted asserted);

/* The next wish.  The owner polls until there is none after each call that starts, forwards, steps
 * or has located. */
bool ahoy_proxy_poll(struct ahoy_proxy *proxy, struct ahoy_proxy_wish *wish);
/* Whether somebody still waits for the answer to the LOCATE of |user|, and the target's source. */
bool ahoy_proxy_waits(const struct ahoy_proxy *proxy, uint64_t user, struct ahoy_ip *source);
/* The answer to a LOCATE, in the same turn or later; each gets one. */
void ahoy_proxy_located(struct ahoy_proxy *proxy, uint64_t user,
                        const struct ahoy_proxy_found *found, uint64_t now_ms);

/* Whether the branch that the WAKE of |user| was for still waits. */
bool ahoy_proxy_sleeps(const struct ahoy_proxy *proxy, uint64_t user);
/* Its request, as if it had just come; until the next call.  It sleeps. */
const struct ahoy_event *ahoy_proxy_sleeper(struct ahoy_proxy *proxy, uint64_t user);
/* The answer to a WAKE, in the same turn or later; each gets one.  It goes on to |target|, copied
 * as far as needed, which does not sleep; where that is NULL, it counts as answered 480. */
void ahoy_proxy_woken(struct ahoy_proxy *proxy, uint64_t user,
                      const struct ahoy_proxy_target *target, uint64_t now_ms);

/* A 3xx whose Contacts may join the target set (16.7 step 4). */
struct ahoy_proxy_redirection {
    const struct ahoy_event *request; /* What was sent, as if it had just come; until the next
                                       * call. */
    uint8_t sender;                   /* The plan's. */
    uint32_t followed;                /* The Contacts that were: a bit for each of the first 32. */
    struct span record_route_params, flow; /* The owner's, anew: as a plan has them. */
};

/* Whether |event| is one.  The owner then adds what it allows, and calls ahoy_proxy_follow in
 * place of ahoy_proxy_step, in the same turn. */
bool ahoy_proxy_redirects(struct ahoy_proxy *proxy, const struct ahoy_event *event,
                          struct ahoy_proxy_redirection *redirection, uint64_t now_ms);
/* Adds |targets|, copied, on behalf of the Contact number |contact|.  What was in the set before is
 * not added again (R3261-16.5-6), and no more than AHOY_TARGETS_LIMIT in all. */
void ahoy_proxy_add(struct ahoy_proxy *proxy, const struct ahoy_event *event,
                    struct ahoy_proxy_redirection *redirection, unsigned contact,
                    const struct ahoy_proxy_target *targets, size_t count);
void ahoy_proxy_follow(struct ahoy_proxy *proxy, const struct ahoy_event *event,
                       const struct ahoy_proxy_redirection *redirection, uint64_t now_ms);

/* Every other event whose |user| is not 0, CANCEL included (whose own 200 the engine sends),
 * comes here. */
void ahoy_proxy_step(struct ahoy_proxy *proxy, const struct ahoy_event *event, uint64_t now_ms);

/* Timer C and the like: step with time alone, and when that is due.  It ends at the first that
 * brings wishes: the owner goes on until it returns false, as nothing was due. */
bool ahoy_proxy_expire(struct ahoy_proxy *proxy, uint64_t now_ms);
uint64_t ahoy_proxy_deadline(const struct ahoy_proxy *proxy);
/* Contexts now: requests whose transactions have not all ended. */
uint32_t ahoy_proxy_count(const struct ahoy_proxy *proxy);
/* Of these, the ones that still owe a final response. */
uint32_t ahoy_proxy_open(const struct ahoy_proxy *proxy);
/* What counts for one of the |count| meters |from| counts for the one of the same number in |to|
 * from now on; for nothing where that is NULL. */
void ahoy_proxy_remeter(struct ahoy_proxy *proxy, const struct ahoy_meter *from, size_t count,
                        struct ahoy_meter *const *to);
/* Gives memory back when nothing is under way. */
void ahoy_proxy_trim(struct ahoy_proxy *proxy);
