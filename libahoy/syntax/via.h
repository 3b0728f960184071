/* One Via value (RFC 3261 20.42, 18.2.1; rport: RFC 3581). */
#pragma once

#include "libahoy/base/err.h"
#include "libahoy/base/ip.h"

enum ahoy_transport {
    AHOY_TRANSPORT_OTHER,
    AHOY_UDP,
    AHOY_TCP,
    AHOY_TLS,
    AHOY_SCTP,
    AHOY_WS,
    AHOY_WSS,
    AHOY_TRANSPORT_COUNT
};

/* "UDP", "udp"; unknown ones are AHOY_TRANSPORT_OTHER. */
enum ahoy_transport ahoy_transport_parse(struct span text);
struct span ahoy_transport_name(enum ahoy_transport transport);     /* "UDP", as Via has it. */
struct span ahoy_transport_uri_name(enum ahoy_transport transport); /* "udp", as a URI has it. */
bool ahoy_transport_is_reliable(enum ahoy_transport transport);
bool ahoy_transport_is_secure(enum ahoy_transport transport);    /* TLS, or above it. */
bool ahoy_transport_is_websocket(enum ahoy_transport transport); /* WS, WSS */
uint16_t ahoy_transport_port(enum ahoy_transport transport);     /* 5060 or 5061, 80, 443. */

#define AHOY_BRANCH_COOKIE "z9hG4bK"

enum { AHOY_BRANCH_LIMIT = 256 };

/* A view into the value. */
struct ahoy_via {
    enum ahoy_transport transport;
    uint16_t port;        /* Of sent-by; 0 where none is written. */
    bool has_rport;       /* ";rport" or ";rport=n" is there. */
    bool has_received;    /* ";received" is, or may be: not all parameters could be read. */
    bool has_oc;          /* ";oc" is there, and oc.h may read it ... */
    bool has_oc_value;    /* ... with a value, so that it is an answer: RFC 7339 4.1. */
    uint16_t rport;       /* 0 without a value. */
    struct span text;     /* All of it. */
    struct span host;     /* Of sent-by; IPv6 with its brackets. */
    struct span sent_by;  /* Host and port as written. */
    struct span branch;   /* Empty where absent. */
    struct span received; /* Empty where absent. */
    struct span maddr;
    struct span params; /* From the first ";" on. */
};

/* Faults are 400; among them a branch that is empty or too long, and a parameter of those above
 * that is there twice.  Even then |sent_by| is not empty if it could be read, so that a 400 finds
 * its way. */
bool ahoy_via_parse(struct span text, struct ahoy_via *via, struct ahoy_err *err);
/* Reads the first Via of a comma list, which is a row's value.  False at a fault: ahoy_list_next
 * and ahoy_via_parse can tell what it is. */
bool ahoy_via_first(struct span list, struct ahoy_via *via);
/* Whether the branch was made by an element of RFC 3261: the cookie and something behind it. */
bool ahoy_via_has_cookie(const struct ahoy_via *via);
