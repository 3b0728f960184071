/* A scripted user agent: it sends exactly what a ladder says, made from what it has seen, and
 * does nothing by itself.  So every fault of a peer can be played. */
#pragma once

#include "libahoy/syntax/message.h"
#include "sim/world.h"

struct sim_party;

/* Told of every message that arrives at a party. */
typedef void sim_party_watch(void *context, struct sim_party *party, struct span bytes);

/* |name| is its user name too, and outlives it. |old| makes it speak RFC 2543: no branch cookie,
 * no From tag. */
struct sim_party *sim_party_new(struct sim_world *world, const char *name, const struct ahoy_ip *ip,
                                enum ahoy_transport transport, bool old, sim_party_watch *watch,
                                void *context);
void sim_party_free(struct sim_party *party);
const char *sim_party_name(const struct sim_party *party);
const struct ahoy_ip *sim_party_ip(const struct sim_party *party);
enum ahoy_transport sim_party_transport(const struct sim_party *party);

/* Sends a request to |proxy|: INVITE begins a call to |callee|; ACK, BYE and others in the
 * dialog go on with it; CANCEL and the ACK to a failure follow the INVITE.  |lost| loses it on
 * the way.  False where there is nothing to make it from. */
bool sim_party_request(struct sim_party *party, const char *method, const struct ahoy_ip *proxy,
                       const char *callee, bool lost);
/* Answers the last request of |method| that came. */
bool sim_party_respond(struct sim_party *party, unsigned status, const char *method, bool lost);
/* Sends once more, byte for byte, the last request of |method|, or the last response to one. */
bool sim_party_again(struct sim_party *party, unsigned status, const char *method,
                     const struct ahoy_ip *proxy, bool lost);
