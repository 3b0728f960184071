/* Flows: where messages come from and go to, without sockets (RFC 3261 18).
 *
 * A hop says how a message travels: transport, our listener, the peer, and for streams the
 * connection.  The table holds this worker's connections: one that we opened is found by its
 * destination address, port and transport, one that we accepted by its source address, port and
 * transport (18.1.1, 18.2.1), or by the port that its peer asked for (RFC 5923).  By TLS it must
 * also have proved the domain that is asked for, or another's traffic could be drawn to it (RFC
 * 5923 9, attack 47). */
#pragma once

#include "libahoy/base/map.h"
#include "libahoy/base/pool.h"
#include "libahoy/base/rng.h"
#include "libahoy/base/timers.h"
#include "libahoy/syntax/message.h"
#include "libahoy/transport/directory.h"
#include "libahoy/transport/domains.h"
#include "libahoy/transport/frame.h"
#include "libahoy/transport/refusals.h"
#include "libahoy/transport/websocket.h"

enum {
    AHOY_ANY_LISTENER = 255,
    AHOY_LISTENERS_LIMIT = 64,
    AHOY_PENDING_LIMIT = 256 * 1024,      /* Bytes that wait for one connection to open. */
    AHOY_FLOWS_HELD_LIMIT = 64 * 1048576, /* Bytes that all connections hold: what waits to leave
                                           * and messages of which only a part has come. */
    AHOY_STRANGERS_LIMIT = 32,     /* Accepted connections an address that are not trusted; an IPv6
                                 * peer's address is its /64, of which it has all. */
    AHOY_PATIENCE_MS = 10000,      /* For a connection to open, for the first sound message on one
                                 * that is not trusted, for the rest of a message on any. */
    AHOY_SHORT_PATIENCE_MS = 2000, /* For one to open that UDP takes the place of otherwise. */
    AHOY_IDLE_MS = 7200 * 1000,    /* For the next message on all others ... */
    AHOY_SILENCE_MS = 45000,       /* ... but a WebSocket is asked then whether its peer is there,
                                    * and has AHOY_PATIENCE_MS to answer. */
    AHOY_FLOW_TIMER = 0x100        /* timer->which of patience; timer->what is the packed handle. */
};

/* Plain data; copied freely. */
struct ahoy_hop {
    uint8_t transport; /* enum ahoy_transport */
    uint8_t listener;  /* Which of ours it came in by or leaves from, or AHOY_ANY_LISTENER. */
    uint16_t worker;   /* Who owns |connection|; without one, of no meaning. */
    uint32_t domain;   /* TLS: what the peer must prove to be (domains.h); 0: its address alone. */
    struct ahoy_handle connection; /* Null for UDP, and where none is known (yet). */
    struct ahoy_ip remote;
};

/* A hash of where |hop| leads: transport, address and port; and whether two lead to the same. */
uint64_t ahoy_hop_hash(const struct ahoy_hash_key *key, const struct ahoy_hop *hop);
bool ahoy_hop_leads_where(const struct ahoy_hop *a, const struct ahoy_hop *b);

/* An address that we listen on, or have listened on.  The texts outlive its use. */
struct ahoy_listener {
    enum ahoy_transport transport; /* AHOY_TRANSPORT_OTHER: nobody has this number. */
    bool leaving; /* It ends with what is under way: nothing of ours begins there any more. */
    struct ahoy_ip local; /* As bound. */
    struct span sent_by;  /* For Via: "192.0.2.1:5060", what is advertised where that differs. */
    struct span uri;      /* For Record-Route and Contact: "sip:192.0.2.1:5060;transport=udp". */
    struct span origins;  /* WebSocket: whose scripts are let in (upgrade.h). */
};

/* A message that waits for its connection, from the allocator. */
struct ahoy_pending {
    struct ahoy_pending *next;
    struct ahoy_handle transaction; /* Who is told if it fails; null for nobody. */
    size_t size;
    char bytes[];
};

/* A WebSocket of ours is CONNECTING until its server has granted it. */
enum ahoy_flow_state { AHOY_FLOW_CONNECTING = 1, AHOY_FLOW_OPEN };

/* A connection. */
struct ahoy_flow {
    enum ahoy_flow_state state;
    bool accepted; /* By us, rather than opened. */
    bool trusted;  /* Its peer has authenticated, or is a trunk: no stranger any more. */
    bool sound;    /* A sound message has come on it. */
    bool asked;    /* A ping of ours waits for anything to come. */
    bool closing;  /* Its close is owed: nothing that comes on it is read, nobody finds it
                             * who does not name it. */
    struct ahoy_hop hop;
    struct ahoy_frame frame;          /* How far the message at hand has been read. */
    struct ahoy_websocket *websocket; /* WS and WSS; else NULL. */
    char *partial;                    /* The beginning of a message, at most AHOY_MESSAGE_LIMIT. */
    size_t partial_size, partial_capacity;
    struct ahoy_pending *pending; /* What waits for the connection to open, oldest first. */
    struct ahoy_pending *newest;
    size_t pending_size;
    char *proved; /* Names that its peer has proved, each with a NUL behind it. */
    size_t proved_size;
    uint16_t alias_port; /* Its peer takes requests to this port of its address here; 0 for none. */
    struct ahoy_timer timer;        /* Patience: when it is due, the connection is to be closed. */
    struct ahoy_flow *next_closing; /* The stack's. */
};

struct ahoy_flows {
    const struct ahoy_listener *listeners;
    size_t listener_count;
    uint16_t worker;
    struct ahoy_pool pool;     /* struct ahoy_flow */
    struct ahoy_map by_remote; /* Address, port and transport. */
    struct ahoy_map strangers; /* Accepted, untrusted connections by address. */
    struct ahoy_hash_key key;
    struct ahoy_domains domains;
    struct ahoy_refusals refusals;    /* Peers that took no connection by TCP. */
    struct ahoy_timers *timers;       /* The stack's. */
    struct ahoy_directory *directory; /* Where open connections are listed for others, or NULL. */
    size_t held;                      /* Bytes in partial and pending messages, and in names. */
};

struct ahoy_flows_options {
    const struct ahoy_listener *listeners; /* Outlive the table. */
    size_t listener_count;                 /* At most AHOY_LISTENERS_LIMIT. */
    uint16_t worker;
    uint32_t limit;                   /* Connections at once, at least 1. */
    struct ahoy_hash_key key;         /* Secret: peers choose their ports and addresses. */
    struct ahoy_timers *timers;       /* Outlive the table. */
    struct ahoy_directory *directory; /* Too; NULL where there is one worker only. */
};

/* Takes no memory yet. */
void ahoy_flows_init(struct ahoy_flows *flows, const struct ahoy_flows_options *options);
/* Closes all that are left. */
void ahoy_flows_fini(struct ahoy_flows *flows);
/* Other listeners from now on.  One that is still used keeps its number, though it be leaving. */
void ahoy_flows_relisten(struct ahoy_flows *flows, const struct ahoy_listener *listeners,
                         size_t count);
/* The listeners that connections name, a bit each. */
uint64_t ahoy_flows_listeners(const struct ahoy_flows *flows);

/* The listener that a message to |hop| leaves from: its own where it names one; else one that is
 * not leaving, of the same transport and family: one on loopback for a peer on loopback and only
 * then, one on the unspecified address where there is no nearer one; NULL where there is none. */
const struct ahoy_listener *ahoy_flows_listener(const struct ahoy_flows *flows,
                                                const struct ahoy_hop *hop);

/* The connection that serves |hop|: the one it names if that lives, else one to or from the same
 * peer by the same transport, which by TLS has proved the domain that the hop names, if any; NULL
 * where none is open or opening.  The hop must not name one of another worker. */
struct ahoy_flow *ahoy_flows_find(struct ahoy_flows *flows, const struct ahoy_hop *hop);
/* Whether another worker has a connection that leads where |hop| does, which names none: then |hop|
 * names it. */
bool ahoy_flows_find_elsewhere(const struct ahoy_flows *flows, struct ahoy_hop *hop);
/* The connection of this worker with this handle, or NULL. */
struct ahoy_flow *ahoy_flows_get(const struct ahoy_flows *flows, struct ahoy_handle connection);

/* hop->remote connected to hop->listener.  NULL where the limit of strangers, that of
 * connections, or the allocator refuses. */
struct ahoy_flow *ahoy_flows_accept(struct ahoy_flows *flows, const struct ahoy_hop *hop,
                                    uint64_t now_ms);
/* A connection to hop->remote, to be opened; it leaves from hop->listener, which is none of
 * AHOY_ANY_LISTENER.  NULL where the limit of connections or the allocator refuses. */
struct ahoy_flow *ahoy_flows_open(struct ahoy_flows *flows, const struct ahoy_hop *hop,
                                  uint64_t now_ms);
/* It has AHOY_SHORT_PATIENCE_MS to open. */
void ahoy_flows_hurry(struct ahoy_flows *flows, struct ahoy_flow *flow, uint64_t now_ms);
/* It stands. */
void ahoy_flows_opened(struct ahoy_flows *flows, struct ahoy_flow *flow, uint64_t now_ms);
/* Keeps what its peer has proved.  False where a limit or the allocator refuses. */
bool ahoy_flows_prove(struct ahoy_flows *flows, struct ahoy_flow *flow,
                      const struct ahoy_peer *peer);
/* The peer of |flow|, which has proved names and asked for no port before, says by "alias" that it
 * takes requests to |port| of its address here too; 0 for none.  That holds for those names, and no
 * others; a connection that we opened, or one that is not of TLS, stays as it is (RFC 5923 8.2). */
void ahoy_flows_alias(struct ahoy_flows *flows, struct ahoy_flow *flow, uint16_t port);
/* Its peer has authenticated, or is a trunk. */
void ahoy_flows_trust(struct ahoy_flows *flows, struct ahoy_flow *flow, uint64_t now_ms);
/* Forgets |flow| and frees what it holds; its handle is stale from now on. */
void ahoy_flows_close(struct ahoy_flows *flows, struct ahoy_flow *flow);

/* Whether a part of a message has come, and the rest has not. */
bool ahoy_flow_is_amid(const struct ahoy_flow *flow);
/* Keeps |bytes| behind those of the partial message.  False where a limit or the allocator
 * refuses. */
bool ahoy_flows_keep(struct ahoy_flows *flows, struct ahoy_flow *flow, struct span bytes);
/* Gives the partial message away: the caller frees it.  The next message begins. */
char *ahoy_flows_take_partial(struct ahoy_flows *flows, struct ahoy_flow *flow);
/* All bytes that came have been read: patience begins anew, with |began| where the message that is
 * partly there began with them. */
void ahoy_flows_rest(struct ahoy_flows *flows, struct ahoy_flow *flow, bool began, uint64_t now_ms);

/* Patience with |flow| is over.  True where its peer can be asked first whether it is still there,
 * and has not been: then it gets a little more. */
bool ahoy_flows_ask(struct ahoy_flows *flows, struct ahoy_flow *flow, uint64_t now_ms);

/* Keeps a copy of |bytes| until the connection stands.  False where a limit or the allocator
 * refuses. */
bool ahoy_flows_wait(struct ahoy_flows *flows, struct ahoy_flow *flow, struct span bytes,
                     struct ahoy_handle transaction);
/* Gives what waits away, oldest first: the caller frees each. */
struct ahoy_pending *ahoy_flows_take_pending(struct ahoy_flows *flows, struct ahoy_flow *flow);
