/* Keeping flows alive from the client's side (RFC 5626 4.4): CRLF on connections, STUN on UDP, and
 * finding out by that which of them have failed. */
#pragma once

#include "libahoy/stack/wire.h"
#include "libahoy/transport/stun.h"

enum {
    AHOY_KEPT_LIMIT = 4,         /* Flows that are kept alive. */
    AHOY_KEEPER_TIMER = 0x103,   /* timer->which; timer->what is the flow's index. */
    AHOY_KEPT_STUN_RTO_MS = 500, /* RFC 5389 7.2.1 */
    AHOY_KEPT_STUN_TRIES = 7
};

enum ahoy_kept {
    AHOY_KEPT_HOPED,    /* Nothing is known against it. */
    AHOY_KEPT_ANSWERED, /* Its peer has answered a keep-alive. */
    AHOY_KEPT_FAILED
};

struct ahoy_kept_flow {
    struct ahoy_hop hop;
    uint32_t most_ms; /* Between two keep-alives; 0: none is kept here. */
    enum ahoy_kept state;
    bool is_asked; /* An answer is awaited. */
    unsigned tries;
    uint8_t id[AHOY_STUN_ID_SIZE];
    struct ahoy_ip mapped; /* How its peer has seen us; no family before. */
    struct ahoy_timer timer;
};

struct ahoy_keeper {
    struct ahoy_rng rng;
    struct ahoy_kept_flow flows[AHOY_KEPT_LIMIT];
};

struct ahoy_stack;

/* Keeps nothing yet; |seed| is for the chance in times and identifiers. */
void ahoy_keeper_init(struct ahoy_keeper *keeper, const uint64_t seed[2]);
/* The timer of flow |index| is due. */
void ahoy_keeper_expire(struct ahoy_stack *stack, uint64_t index);
/* A single CRLF came between the messages of |connection|. */
void ahoy_keeper_pong(struct ahoy_stack *stack, struct ahoy_handle connection);
/* Whether |datagram| answers a request of ours. */
bool ahoy_keeper_hear(struct ahoy_stack *stack, struct span datagram);
