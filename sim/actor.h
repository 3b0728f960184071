/* A user agent that does what chance says, right or wrong: it registers, calls, cancels, answers
 * late, twice or never, and where it is wild it mutates, forges and replays what it has seen.  It
 * keeps no transactions; what a sound agent would send again it sends again. */
#pragma once

#include "sim/world.h"

enum { SIM_ACTOR_FRIENDS_LIMIT = 8 };

struct sim_actor_options {
    const char *name; /* Its user at atlanta.example; outlives it. */
    struct ahoy_ip ip;
    enum ahoy_transport transport; /* UDP or TCP. */
    struct ahoy_ip server;
    uint64_t seed;
    const char *password;                         /* NULL: it answers no challenge. */
    const char *friends[SIM_ACTOR_FRIENDS_LIMIT]; /* Whom it calls: users, up to NULL. */
    const char *host; /* In half of its Contacts instead of its address; NULL: none. */
    bool is_wild;
    bool loops;       /* Sends what comes for it back to the server, as a proxy would. */
    uint64_t idle_ms; /* The longest wait between two deeds. */
};

struct sim_actor;

struct sim_actor *sim_actor_new(struct sim_world *world, const struct sim_actor_options *options);
void sim_actor_free(struct sim_actor *actor);
/* From now on it begins nothing, and is not wild any more. */
void sim_actor_calm(struct sim_actor *actor);
