/* Flows: where messages come from and go to, without sockets (RFC 3261 18).
 *
 * A hop says how a message travels: transport, our listener, the peer, and for streams the
 * connection.  The table holds this worker's connections: one that we opened is found by its
 * destination address, port and transport, one that we accepted by its source address, port and
 * transport (18.1.1, 18.2.1). */
#pragma once

#include "libahoy/base/map.h"
#include "libahoy/base/pool.h"
#include "libahoy/base/rng.h"
#include "libahoy/base/timers.h"
#include "libahoy/syntax/message.h"

enum {
    AHOY_ANY_LISTENER = 255,
    AHOY_LISTENERS_LIMIT = 64,
    AHOY_PENDING_LIMIT = 256 * 1024, /* Bytes that wait for a connection to open. */
    AHOY_STRANGERS_LIMIT = 32,       /* Accepted connections an address that are not trusted. */
    AHOY_PATIENCE_MS = 10000 /* For a whole message from a connection that is not trusted. */
};

/* Plain data; copied freely. */
struct ahoy_hop {
    uint8_t transport; /* enum ahoy_transport */
    uint8_t listener;  /* Which of ours it came in by or leaves from, or AHOY_ANY_LISTENER. */
    uint16_t worker;   /* Who owns |connection|; without one, of no meaning. */
    struct ahoy_handle connection; /* Null for UDP, and where none is known (yet). */
    struct ahoy_ip remote;
};

/* An address that we listen on.  The texts are written once, at start, and outlive the stack. */
struct ahoy_listener {
    enum ahoy_transport transport;
    struct ahoy_ip local; /* As bound. */
    struct span sent_by;  /* For Via: "192.0.2.1:5060", what is advertised where that differs. */
    struct span uri;      /* For Record-Route and Contact: "sip:192.0.2.1:5060;transport=udp". */
};

enum ahoy_flow_state { AHOY_FLOW_CONNECTING = 1, AHOY_FLOW_OPEN };

/* A connection. */
struct ahoy_flow {
    enum ahoy_flow_state state;
    bool accepted;          /* By us, rather than opened. */
    bool trusted;           /* Its peer has authenticated, or is a trunk: no stranger any more. */
    struct ahoy_hop hop;
    char *partial;          /* The beginning of a message, at most AHOY_MESSAGE_LIMIT. */
    size_t partial_size, partial_capacity;
    struct ahoy_pending *pending; /* What waits for the connection to open, oldest first. */
    size_t pending_size;
    struct ahoy_timer timer; /* Patience. */
};

struct ahoy_flows {
    const struct ahoy_listener *listeners;
    size_t listener_count;
    uint16_t worker;
    struct ahoy_pool pool;        /* struct ahoy_flow */
    struct ahoy_map by_remote;    /* Address, port and transport. */
    struct ahoy_map strangers;    /* Accepted, untrusted connections by address. */
    struct ahoy_hash_key key;
    struct ahoy_timers *timers;   /* The stack's. */
};

/* The listener that a message to |hop| leaves from: its own where it names one; else of the same
 * transport and family, one on loopback for a peer on loopback and only then; NULL where there
 * is none. */
const struct ahoy_listener *ahoy_flows_listener(const struct ahoy_flows *flows,
                                                const struct ahoy_hop *hop);

/* The connection that serves |hop|: the one it names if that lives, else one to or from the same
 * peer by the same transport; NULL where none is open or opening. */
struct ahoy_flow *ahoy_flows_find(struct ahoy_flows *flows, const struct ahoy_hop *hop);
