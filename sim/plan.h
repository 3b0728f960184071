/* What chance decides for a seed before its world begins. */
#pragma once

#include "sim/host.h"

enum {
    SIM_PHONES = 4, /* The last two wait until all has healed. */
    SIM_ACTORS_LIMIT = 4,
    SIM_EVENTS_LIMIT = 64,
    SIM_HEALTHY_PHONES = 2 /* Those that take part from the beginning. */
};

/* What happens at a time: somebody does something, or something breaks. */
enum sim_event_kind {
    SIM_PHONE_REGISTERS,
    SIM_PHONE_CALLS,
    SIM_PHONE_ANSWERS,
    SIM_PHONE_PROGRESSES,
    SIM_PHONE_HOLDS,
    SIM_PHONE_RESUMES,
    SIM_PHONE_TRANSFERS,
    SIM_PHONE_JOINS,
    SIM_PHONE_HANGS_UP,
    SIM_LINK_CHANGES,
    SIM_LINK_IS_CUT,
    SIM_STREAMS_RESET,
    SIM_CONNECTIONS_REFUSED,
    SIM_SERVER_CRASHES,
    SIM_SERVER_STARTS,
    SIM_CLOCK_JUMPS,
    SIM_STORE_CHANGES,
    SIM_DNS_CHANGES,
    SIM_MEMORY_IS_SHORT
};

struct sim_event {
    uint64_t at_ms; /* After the beginning. */
    enum sim_event_kind kind;
    unsigned who, whom; /* Phones, or all parties in the order of their addresses. */
    uint64_t amount;    /* Milliseconds, a status, turns. */
    bool both_ways;
    struct sim_link link;
    struct sim_host_store store;
    struct sim_host_dns dns;
};

struct sim_plan {
    bool is_strict;  /* Everybody has to prove who he is. */
    bool has_names;  /* Contacts are names, which the DNS knows. */
    bool has_faults; /* Beside those of the links. */
    struct sim_link link;
    size_t actor_count;
    struct sim_actor_plan {
        bool is_stream, is_wild, is_named, loops;
        uint64_t idle_ms;
    } actors[SIM_ACTORS_LIMIT];
    uint64_t action_ms;                        /* How long all that lasts. */
    struct sim_event events[SIM_EVENTS_LIMIT]; /* In their order. */
    size_t event_count;
};

void sim_plan_make(struct sim_plan *plan, uint64_t seed);
