/* Searches for servers (RFC 3263), many at a time: their questions go out as LOOKUP effects, their
 * answers come in as ANSWER events, their ends are polled by the stack's owner.  And the servers
 * that failed lately (4.3), which all searches name last. */
#pragma once

#include "libahoy/resolve/search.h"
#include "libahoy/stack/stack.h"

enum {
    AHOY_SEARCHES_LIMIT = 4096, /* At once. */
    AHOY_SEARCH_MS = 4000,      /* How long one may take. */
    AHOY_RESTING_LIMIT = 256,   /* Servers that rest. */
    AHOY_LOCATING_TIMER = 0x102 /* timer->which; timer->what is the packed handle of the search. */
};

struct ahoy_searching;

struct ahoy_locating {
    struct ahoy_means means;
    struct ahoy_rng rng;
    struct ahoy_pool searches;    /* struct ahoy_searching */
    struct ahoy_searching *ended; /* Those that are done and not polled, the oldest first. */
    struct ahoy_searching *newest;
    size_t next_resting; /* Where the one is that began to rest first, to be overwritten. */
    struct ahoy_resting {
        uint8_t transport;
        struct ahoy_ip remote;
        uint64_t until_ms;
    } resting[AHOY_RESTING_LIMIT];
};

/* The means are what the stack's listeners speak: looked at anew where those are others. */
void ahoy_locating_init(struct ahoy_stack *stack, const uint64_t seed[2]);
void ahoy_locating_look(struct ahoy_stack *stack);
/* An ANSWER to |lookup|, which may be about a search that is no more. */
void ahoy_locating_answer(struct ahoy_stack *stack, uint64_t lookup, struct span message);
/* The time of |search| is up. */
void ahoy_locating_expire(struct ahoy_stack *stack, struct ahoy_handle search);
