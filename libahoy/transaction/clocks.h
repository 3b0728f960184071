/* The timers of RFC 3261 17 (table 4) and RFC 6026, each written once. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Base values in milliseconds (17.1.1.1); a network may set others.  All else follows from them. */
struct ahoy_clocks {
    uint32_t t1_ms; /* 500: the estimate of a round trip. */
    uint32_t t2_ms; /* 4,000: the longest interval of non-INVITE requests and INVITE responses. */
    uint32_t t4_ms; /* 5,000: how long a message may stay in the network. */
};

#define AHOY_DEFAULT_CLOCKS ((struct ahoy_clocks){ 500, 4000, 5000 })

/* What a state machine may start.  Each machine has at most two running at once: one that sends
 * again (A, E, G) and one that ends a state (the others). */
enum ahoy_clock {
    AHOY_CLOCK_A = 'A', /* INVITE request retransmission, T1 and doubled, unreliable only. */
    AHOY_CLOCK_B = 'B', /* INVITE transaction timeout, 64*T1. */
    AHOY_CLOCK_C = 'C', /* Proxy: INVITE without a final response, above 3 minutes (in tu/proxy). */
    AHOY_CLOCK_D = 'D', /* Wait for response retransmissions: 32 s, 0 on reliable transports. */
    /* Non-INVITE request retransmission: T1 doubled up to T2, unreliable only. */
    AHOY_CLOCK_E = 'E',
    AHOY_CLOCK_F = 'F', /* Non-INVITE transaction timeout, 64*T1. */
    /* INVITE response retransmission: T1 doubled up to T2, unreliable only. */
    AHOY_CLOCK_G = 'G',
    AHOY_CLOCK_H = 'H', /* Wait for the ACK, 64*T1. */
    AHOY_CLOCK_I = 'I', /* Wait for ACK retransmissions: T4, 0 on reliable transports. */
    /* Wait for non-INVITE request retransmissions: 64*T1, 0 on reliable ones. */
    AHOY_CLOCK_J = 'J',
    AHOY_CLOCK_K = 'K', /* Wait for response retransmissions: T4, 0 on reliable ones. */
    AHOY_CLOCK_L = 'L', /* Wait for accepted INVITE request retransmissions: 64*T1 (RFC 6026). */
    /* Wait for retransmissions of a 2xx, or more of them from forks: 64*T1 (RFC 6026). */
    AHOY_CLOCK_M = 'M'
};

#define AHOY_CLOCK_NEVER UINT64_MAX

/* How many milliseconds |clock| runs on a reliable or an unreliable transport; AHOY_CLOCK_NEVER
 * where it is not started there.  |round| counts how often it has gone off before and matters for
 * those that double: 0 at first; any large number means the longest interval there is.  Clock C is
 * the proxy's and not asked for here. */
uint64_t ahoy_clock_delay(const struct ahoy_clocks *clocks, enum ahoy_clock clock, bool reliable,
                          unsigned round);
