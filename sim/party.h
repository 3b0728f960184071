/* A scripted user agent: it sends exactly what a ladder says, made from what it has seen, and
 * does nothing by itself.  So every fault of a peer can be played. */
#pragma once

#include "libahoy/syntax/message.h"
#include "sim/world.h"

struct sim_party;

/* Told of every message that arrives at a party. */
typedef void sim_party_watch(void *context, struct sim_party *party, struct span bytes);

/* What a party is. */
struct sim_party_kind {
    struct ahoy_ip proxy; /* Where it sends its requests and opens its connections. */
    enum ahoy_transport transport;
    bool old;                       /* It speaks RFC 2543: no branch cookie, no From tag. */
    const struct ahoy_peer *proves; /* What its certificate says; NULL: it has none. */
};

/* |name| is its user name too; it and |kind->proves| outlive it. */
struct sim_party *sim_party_new(struct sim_world *world, const char *name, const struct ahoy_ip *ip,
                                const struct sim_party_kind *kind, sim_party_watch *watch,
                                void *context);
void sim_party_free(struct sim_party *party);
/* From now on its Contact has |host|, which outlives it, in place of its address. */
void sim_party_call_itself(struct sim_party *party, const char *host);
const char *sim_party_name(const struct sim_party *party);
const struct ahoy_ip *sim_party_ip(const struct sim_party *party);
enum ahoy_transport sim_party_transport(const struct sim_party *party);
/* Of a URI that leads to it: ";transport=tcp"; none for UDP. */
const char *sim_party_parameter(const struct sim_party *party);

/* What is wrong with a message, or its way. */
enum sim_flaw {
    SIM_LOST = 1 << 0,     /* The link loses it. */
    SIM_STRAY = 1 << 1,    /* Its branch belongs to nobody. */
    SIM_HOPBYHOP = 1 << 2, /* An ACK is made like that to a failure, whatever was answered. */
    SIM_FORKED = 1 << 3    /* Another agent behind the party answers: another To tag. */
};

/* Opens the party's connection, and asks for a WebSocket where it speaks by one: that is open a
 * round trip later.  Others open theirs with their first message. */
void sim_party_connect(struct sim_party *party);
/* Sends a request: one with a |callee|, a user or user@domain, begins a call, or registers him, and
 * the callee "proxy" is the server itself; ACK, BYE and others in the dialog go on with it; CANCEL
 * and the ACK to a failure follow the INVITE.  |flaws| is a set of sim_flaw.  False
 * where there is nothing to make it from, or no WebSocket to send it by. */
bool sim_party_request(struct sim_party *party, const char *method, const char *callee,
                       unsigned flaws);
/* Answers the last request of |method| that came. */
bool sim_party_respond(struct sim_party *party, unsigned status, const char *method,
                       unsigned flaws);
/* Sends once more, byte for byte, the last request of |method|, or the last response to one. */
bool sim_party_again(struct sim_party *party, unsigned status, const char *method,
                     unsigned flaws);
/* Closes the connection that the party's last message used; false where there is none. */
bool sim_party_close(struct sim_party *party);
/* The host of the party says that nobody listens there: an ICMP error. */
void sim_party_unreachable(struct sim_party *party);
