/* A real phone as a node: the library's user agent over a stack of its own, by UDP. */
#pragma once

#include "libahoy/tu/ua.h"
#include "sim/world.h"

struct sim_phone;

/* |name| is its user at atlanta.example, and |password| its password, NULL for none; both outlive
 * it.  |server| is its registrar and proxy.  NULL where memory is refused. */
struct sim_phone *sim_phone_new(struct sim_world *world, const char *name, const char *password,
                                const struct ahoy_ip *ip, const struct ahoy_ip *server);
void sim_phone_free(struct sim_phone *phone);

void sim_phone_register(struct sim_phone *phone);
/* False where it has too many sessions already. */
bool sim_phone_call(struct sim_phone *phone, const char *uri);
/* Answers the call that came in last, or refuses it with |status| where that is not 200. */
void sim_phone_answer(struct sim_phone *phone, unsigned status);
/* Early media for the call that came in last. */
void sim_phone_progress(struct sim_phone *phone);
/* Holds the peer of the last call, and lets him be heard again. */
void sim_phone_hold(struct sim_phone *phone);
void sim_phone_resume(struct sim_phone *phone);
/* Hands the last call to |uri|; or the one before it to the last one's peer.  Where it cannot,
 * nothing happens.  Asked for that by others, it agrees. */
void sim_phone_transfer(struct sim_phone *phone, const char *uri);
void sim_phone_join(struct sim_phone *phone);
/* Ends the call that it made or got last, in whatever state it is. */
void sim_phone_hangup(struct sim_phone *phone);
/* Ends all of them. */
void sim_phone_hangup_all(struct sim_phone *phone);
const struct ahoy_ip *sim_phone_ip(const struct sim_phone *phone);

/* Who is told of each message that it sends, before it is on its way, like sim_host_watch. */
typedef bool sim_phone_watch(void *context, const struct ahoy_ip *to, struct span bytes);
void sim_phone_observe(struct sim_phone *phone, sim_phone_watch *watch, void *context);

/* What its program has been told so far. */
struct sim_phone_told {
    unsigned registered, incoming, answered, refused, ended;
    unsigned referred;           /* Calls that it made for a peer who asked. */
    unsigned asked, transferred; /* Transfers that it asked for, and that have ended. */
};

const struct sim_phone_told *sim_phone_told(const struct sim_phone *phone);
/* Sessions and transactions that are not over. */
uint32_t sim_phone_held(const struct sim_phone *phone);
