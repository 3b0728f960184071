/* The only seam to the world.  io/driver implements it with sockets, sim/world with seeded
 * links; the stack does not know which. */
#pragma once

#include "libahoy/transport/flow.h"
#include "libahoy/transport/secure.h"

enum ahoy_wire_event_kind {
    AHOY_WIRE_TIME,        /* Nothing but the time: the stack's deadline has come. */
    AHOY_WIRE_DATAGRAM,    /* |bytes| came from hop.remote to hop.listener (UDP). */
    AHOY_WIRE_ACCEPTED,    /* hop.remote connected to hop.listener.  The stack fills
                            * hop.connection: null if refused. */
    AHOY_WIRE_CONNECTED,   /* The connection that an effect asked for stands; by TLS its peer has
                            * proved the domain that was asked for, and |peer| tells all names. */
    AHOY_WIRE_PROVED,      /* hop.connection, which was accepted by TLS: its |peer| has proved who
                            * it is. */
    AHOY_WIRE_BYTES,       /* |bytes| came on hop.connection. */
    AHOY_WIRE_CLOSED,      /* hop.connection is gone, or could not be opened; no CLOSE effect is
                            * owed. */
    AHOY_WIRE_UNREACHABLE, /* A datagram to hop.remote was refused (ICMP, no route, would block
                            * for good). */
    AHOY_WIRE_MESSAGE,     /* What another worker handed off: one whole message that it received,
                            * with the hop it came by; or no bytes, see HANDOFF. */
    AHOY_WIRE_ANSWER       /* |bytes| are what the DNS says to |lookup|, a message of RFC 1035; none
                            * where it says nothing, or what cannot be trusted (DNSSEC). */
};

/* Why a connection did not come to stand. */
enum ahoy_wire_fate {
    AHOY_FATE_NONE,     /* It did, or nobody knows. */
    AHOY_FATE_REFUSED,  /* Nobody listens there, or no way leads there. */
    AHOY_FATE_LATE,     /* It took too long. */
    AHOY_FATE_INSECURE, /* TLS failed: no certificate that is trusted, or nothing in common. */
    AHOY_FATE_UNPROVED  /* Its certificate is for others than the domain asked for (RFC 5922 7). */
};

enum { AHOY_COMING_LIMIT = 7 /* Datagrams that an event may name beside its own. */ };

/* |bytes| live until the next step. */
struct ahoy_wire_event {
    enum ahoy_wire_event_kind kind;
    struct ahoy_hop hop;
    enum ahoy_wire_fate fate; /* CLOSED */
    uint64_t lookup;          /* ANSWER */
    struct span bytes;
    const struct ahoy_peer *peer; /* Lives as long; NULL where nothing is known. */
    /* DATAGRAM, BYTES, MESSAGE: how long |bytes| have waited to be read, or what came last of those
     * that were read with them. */
    uint32_t waited_us;
    bool overflowed;  /* DATAGRAM: others were lost, as there was no room for them. */
    uint64_t read_us; /* DATAGRAM: when they were read, by the driver's clock; 0: untold. */
    /* DATAGRAM: the bytes of those that come next, in this order, as far as that is known by now;
     * they stay as they are until then.  NULL says nothing: what was said before holds. */
    const struct span *coming;
    uint8_t coming_count; /* At most AHOY_COMING_LIMIT. */
};

enum ahoy_wire_effect_kind {
    AHOY_WIRE_SEND,    /* |bytes| on hop.connection, or as one datagram from hop.listener to
                        * hop.remote. */
    AHOY_WIRE_CONNECT, /* Open hop.connection to hop.remote by hop.transport; answer CONNECTED or
                        * CLOSED.  By TLS |bytes| is the domain that the peer must prove; none:
                        * its address. */
    AHOY_WIRE_CLOSE,   /* Close hop.connection once what was sent on it has left. */
    AHOY_WIRE_HANDOFF, /* |bytes| is a message of a call that belongs to |worker|: give it there as
                        * a MESSAGE.  Without bytes, and to be given there likewise: the peer on
                        * hop.connection is trusted, where that is |worker|'s; the connection is
                        * gone, where it is another's. */
    AHOY_WIRE_LOOKUP   /* Ask the DNS for the records of |type| that the name |bytes| has; answer
                        * ANSWER, once, sooner or later. */
};

/* |bytes| live until the next poll.  A SEND whose hop.worker is another worker goes through that
 * one's inbox to its driver, not to its stack. */
struct ahoy_wire_effect {
    enum ahoy_wire_effect_kind kind;
    uint16_t worker; /* HANDOFF */
    uint16_t type;   /* LOOKUP: enum ahoy_dns_type */
    uint64_t lookup; /* LOOKUP: comes back with the answer. */
    struct ahoy_hop hop;
    struct span bytes;
    /* SEND: what the stack knows of |bytes| without looking into them, 0 where it does not. */
    uint32_t call; /* The mark of the Call-ID (ahoy_span_mark). */
    uint16_t gap;  /* Spaces put in at this offset change nothing: Content-Length begins there. */
};
