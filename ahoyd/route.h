/* Routes: conditions, and where a request goes that fulfils them all.  Written in the
 * configuration, compiled when that is loaded, and then only read. */
#pragma once

#include "ahoyd/hours.h"
#include "ahoyd/number.h"
#include "libahoy/transport/flow.h"

enum {
    AHOYD_TRUNK_TARGETS_LIMIT = 16,
    AHOYD_USER_LIMIT = 255,      /* Bytes of a user's name in them; a longer one is nobody's. */
    AHOYD_GROUP_DEPTH_LIMIT = 8, /* Groups within groups. */
    AHOYD_RING_TIME_S = 20       /* Where nothing else is said. */
};

/* What a route may ask, in the order in which it does. */
/* clang-format off */
#define AHOYD_CONDITIONS(CONDITION)                                                                \
    CONDITION(FROM, "from") CONDITION(METHOD, "method") CONDITION(TRANSPORT, "transport")          \
    CONDITION(NUMBER, "number") CONDITION(USER, "user") CONDITION(SOURCE, "source")                \
    CONDITION(HEADER, "header") CONDITION(HOURS, "hours") CONDITION(WHEN, "when")
/* clang-format on */
#define AHOYD_CONDITION(constant, name) AHOYD_IF_##constant,
enum ahoyd_condition { AHOYD_CONDITIONS(AHOYD_CONDITION) AHOYD_CONDITION_COUNT };
#undef AHOYD_CONDITION

extern const char *const ahoyd_condition_names[AHOYD_CONDITION_COUNT];

struct ahoyd_texts {
    const struct span *at;
    size_t count;
};

/* Who may use a route: one of several. */
struct ahoyd_from {
    enum {
        AHOYD_FROM_USERS,
        AHOYD_FROM_TRUNKS,
        AHOYD_FROM_ANYONE,
        AHOYD_FROM_ONE_TRUNK,
        AHOYD_FROM_ONE_USER
    } kind;
    size_t index; /* Of the one trunk, or of the user's domain. */
    struct span user;
};

/* An address and how many of its bits count. */
struct ahoyd_net {
    struct ahoy_ip ip;
    unsigned bits;
};

/* Where a call may go. */
struct ahoyd_goal {
    enum { AHOYD_GOAL_USER, AHOYD_GOAL_TRUNK, AHOYD_GOAL_GROUP } kind;
    size_t index;         /* Of the user's domain, the trunk or the group. */
    struct span user;     /* There; empty: the one that is called. */
    uint32_t ring_time_s; /* 0: what its group or route says. */
    struct span text;     /* As it was written. */
};

struct ahoyd_goals {
    struct ahoyd_goal *at;
    size_t count;
};

enum ahoyd_ring { AHOYD_RING_ALL, AHOYD_RING_ORDER, AHOYD_RING_HUNT };

struct ahoyd_group {
    struct span name;
    int line;
    enum ahoyd_ring ring;
    uint32_t ring_time_s;
    struct ahoyd_goals members;
};

struct ahoyd_trunk {
    struct span name;
    int line;
    bool trusted;    /* What it asserts of its callers is believed, and it is told the same. */
    bool is_weighed; /* Each call has its own order of the targets. */
    size_t count;
    struct span uris[AHOYD_TRUNK_TARGETS_LIMIT];
    struct ahoyd_trunk_target {
        struct span domain; /* The URI's host: whom the peer must prove to be (TLS). */
        struct span place;  /* Host and port, as written: what we make URIs of for it. */
        enum ahoy_transport transport;
        struct ahoy_ip ip; /* Without a family where the URI has a name: then it is located. */
        uint16_t priority, weight; /* As in SRV records (RFC 2782), where the trunk is weighed. */
    } targets[AHOYD_TRUNK_TARGETS_LIMIT];
    uint32_t probe_s;   /* How often each target is asked whether it is there; 0: never. */
    size_t first_probe; /* Of its targets, all of which are addresses then. */
    uint32_t calls, rate; /* That it is sent at once, and in a second; 0: as many as there are. */
    struct ahoyd_prefixes receives; /* From its numbers to ours, ... */
    struct ahoyd_prefixes sends;    /* ... and back. */
};

struct ahoyd_route {
    int line;
    struct span domain;                             /* Lower case; empty: every one of ours. */
    size_t next;                                    /* 1 + the next of the same domain, or 0. */
    bool is_first;                                  /* The first of one that is not ours. */
    unsigned conditions;                            /* A bit each. */
    struct ahoyd_texts said[AHOYD_CONDITION_COUNT]; /* What each asks, as it was written. */
    const struct ahoyd_from *from;                  /* As many as said[AHOYD_IF_FROM]. */
    unsigned transports;                            /* A bit each. */
    const struct ahoyd_net *sources;                /* As many as said[AHOYD_IF_SOURCE]. */
    struct ahoyd_hours hours;
    size_t when; /* Which of the functions of the file. */
    struct ahoyd_prefixes rewrite;
    /* One of these three. */
    struct ahoyd_goals to; /* One after the other. */
    struct span redirect;
    unsigned reject;
    uint32_t ring_time_s;
    uint32_t retry_after_s; /* Of |reject|; 0: nothing is said. */
    struct span reason;     /* The same; empty: the usual one. */
    bool stateless;         /* What can be is forwarded without state (RFC 3261 16.11). */
};

/* Where the routes for one domain begin: 1 + the index of the first, or 0. */
struct ahoyd_routes {
    size_t own, common; /* For that one, and for every one of ours. */
};
