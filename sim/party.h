/* A scripted user agent: it sends exactly what a ladder says, made from what it has seen, and
 * does nothing by itself.  So every fault of a peer can be played. */
#pragma once

#include "sim/rows.h"
#include "sim/world.h"

struct sim_party;

/* Told of every message that arrives at a party. */
typedef void sim_party_watch(void *context, struct sim_party *party, struct span bytes);

/* What a party is. */
struct sim_party_kind {
    struct ahoy_ip proxy; /* Where it sends its requests and opens its connections. */
    enum ahoy_transport transport;
    const char *domain;             /* Whose user it is. */
    const char *password;           /* His there. */
    bool old;                       /* It speaks RFC 2543: no branch cookie, no From tag. */
    const struct ahoy_peer *proves; /* What its certificate says; NULL: it has none. */
};

/* |name| is its user name too; it and all that |kind| points to outlive it. */
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
    SIM_FORKED = 1 << 3,   /* Another agent behind the party answers: another To tag. */
    SIM_SDP = 1 << 4,      /* None: it has a session description. */
    SIM_PROVED = 1 << 5,   /* None: the call again, with what the last 401 or 407 asks for. */
    SIM_WRONG = 1 << 6     /* The same with another password. */
};

/* What a party is to send. */
struct sim_saying {
    const char *method;
    unsigned status;    /* 0: a request. */
    const char *callee; /* Of a request that begins a call, or NULL. */
    unsigned flaws;     /* enum sim_flaw */
    const struct sim_row *rows;
    size_t row_count;
};

/* Opens the party's connection, and asks for a WebSocket where it speaks by one: that is open a
 * round trip later.  Others open theirs with their first message. */
void sim_party_connect(struct sim_party *party);
/* From now on its requests go to |ip|: by a connection of its own, where they go by one. */
void sim_party_go_to(struct sim_party *party, const struct ahoy_ip *ip);
/* Sends a request: one with a |callee|, a user or user@domain, with "sips:" before it or without,
 * begins a call, or registers him, and the callee "proxy" is the server itself; ACK, BYE and others
 * in the dialog, or in an early one, go on with it; CANCEL and the ACK to a failure follow the
 * INVITE.  Or answers the last request of the method that came.  False where there is nothing to
 * make it from, or no WebSocket to send it by. */
bool sim_party_say(struct sim_party *party, const struct sim_saying *saying);
/* Where the answer to the last request of |method| goes; NULL where none came. */
const struct ahoy_ip *sim_party_asker(struct sim_party *party, const char *method);
/* Sends once more, byte for byte, the last request of the method, or the last response to one. */
bool sim_party_say_again(struct sim_party *party, const struct sim_saying *saying);
/* Closes the connection that the party's last message used; false where there is none. */
bool sim_party_close(struct sim_party *party);
/* The host of the party says that nobody listens there: an ICMP error. */
void sim_party_unreachable(struct sim_party *party);
