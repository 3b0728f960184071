/* Random worlds: two real phones and the real server on links that lose, double and reorder, all
 * from a seed. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Runs the seeds |first| to |first| + |count| - 1: in each, Bob registers, Alice calls, and
 * chance says when Bob answers or refuses and who hangs up when.  Then the laws are checked:
 * every call that began has ended on both sides; nothing is left in the server or a phone;
 * without loss the call is put through; and the same seed sends the same bytes at the same
 * times.  A seed that breaks one is named on standard error, and false is returned. */
bool sim_seeds_run(uint64_t first, uint64_t count);
