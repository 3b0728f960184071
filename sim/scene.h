/* One random world: the real server, real phones, actors, and faults, all from a seed; then
 * everything heals, and the server must be as good as new. */
#pragma once

#include "sim/phone.h"

struct sim_verdict {
    uint64_t hash;  /* Of all that passed, and when. */
    unsigned law;   /* The law that was broken; 0 for none. */
    char what[256]; /* Which, how, and when. */
    uint64_t messages;
    struct sim_phone_told told; /* By all phones. */
};

/* Plays the seed |number|.  With |ladder| what passes the server is printed as it passes, to
 * standard output. */
void sim_scene_run(uint64_t number, bool ladder, struct sim_verdict *verdict);
