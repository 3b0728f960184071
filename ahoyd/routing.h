/* Which route a call takes, and where that leads: asked by the server for each call, and by
 * ahoyd --route and --test for one that nobody makes.  Pure: no clock, no socket, and nothing is
 * kept. */
#pragma once

#include "ahoyd/config.h"
#include "ahoyd/script.h"
#include "libahoy/syntax/message.h"
#include "libahoy/tu/proxy.h"

enum ahoyd_caller { AHOYD_CALLER_STRANGER, AHOYD_CALLER_USER, AHOYD_CALLER_TRUNK };

/* What is known of a request that belongs to no dialog. */
struct ahoyd_call {
    const struct ahoyd_config *config;
    const struct ahoy_message *message;
    const struct ahoy_uri *uri;        /* The Request-URI. */
    const struct ahoyd_domain *domain; /* That of ours which it names, or NULL. */
    struct ahoyd_routes routes;        /* For it. */
    const struct ahoy_hop *hop;        /* By which it came. */
    enum ahoyd_caller caller;
    const struct ahoyd_domain *caller_domain; /* Of a user; NULL where it is not known which. */
    struct span caller_user;                  /* His name there. */
    const struct ahoyd_trunk *trunk;          /* Whose address it came from, or NULL. */
    uint64_t now_ms;                          /* Since 1970. */
    struct ahoyd_script *script;              /* That of the configuration, where it has one. */
    uint64_t chance; /* What decides where chance shall: the same for all requests of a call. */
    /* Ours. */
    bool is_read;
    struct ahoyd_script_fault fault; /* Of a function of the configuration. */
    struct span user, number; /* That are called: the latter as routes compare it, or empty. */
    char user_text[AHOYD_USER_LIMIT], number_text[AHOYD_NUMBER_LIMIT];
    char caller_text[AHOYD_USER_LIMIT]; /* The owner's, for |caller_user|. */
};

/* Finds out who is called, if that is not known yet: |user| and |number|. */
void ahoyd_routing_read(struct ahoyd_call *call);

/* Who wants to know what was looked at: told of each route, and which condition failed first;
 * AHOYD_CONDITION_COUNT where all held. */
struct ahoyd_steps {
    void (*told)(void *context, const struct ahoyd_route *route, enum ahoyd_condition failed);
    void *context;
};

/* The first route whose conditions all hold, or NULL.  |steps| may be NULL.  A function that fails
 * ends the search, and leaves call->fault: nobody shall pass because a rule is broken. */
const struct ahoyd_route *ahoyd_routing_find(struct ahoyd_call *call,
                                             const struct ahoyd_steps *steps);

/* One place of those that a call goes to. */
struct ahoyd_leaf {
    const struct ahoyd_domain *domain; /* A user's; NULL: */
    const struct ahoyd_trunk *trunk;
    struct span user; /* Who is called there: a name or a number, without escapes. */
    bool is_other;    /* Not the one whom the Request-URI names. */
    bool
        is_foreign; /* A trunk is called by the domain of the Request-URI, which is none of ours. */
    unsigned tier;  /* Those of a lower one ring before. */
    uint32_t ring_time_s;
};

struct ahoyd_leaves {
    size_t count;
    struct ahoyd_leaf at[AHOY_TARGETS_LIMIT]; /* In the order of their tiers. */
    char called[AHOYD_NUMBER_LIMIT];          /* What they point to. */
    char texts[AHOY_TARGETS_LIMIT][AHOYD_NUMBER_LIMIT];
};

/* Where |route|, which has goals, leads |call|: at least one leaf.  They point into all three. */
void ahoyd_routing_spread(struct ahoyd_call *call, const struct ahoyd_route *route,
                          struct ahoyd_leaves *leaves);
/* Prints the URI by which the |leaf| of |call| is called. */
void ahoyd_routing_print_uri(const struct ahoyd_call *call, const struct ahoyd_leaf *leaf,
                             struct ahoy_buf *buf);
/* Prints where |route| redirects to: its URI, with the one who is called in place of a "*". */
void ahoyd_routing_print_redirect(struct ahoyd_call *call, const struct ahoyd_route *route,
                                  struct ahoy_buf *buf);
