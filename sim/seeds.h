/* Many worlds, one a seed, by several processes. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct sim_seeds {
    uint64_t first, count;
    unsigned jobs; /* At least 1. */
};

/* Plays them all.  A seed that breaks a law, or stops the server, is named on standard error with
 * the end of its ladder, and false is returned; so where one that is played again does not do the
 * same again, byte by byte. */
bool sim_seeds_run(const struct sim_seeds *seeds);
/* Plays one; with |ladder| all that passes is printed. */
bool sim_seeds_play(uint64_t number, bool ladder);
