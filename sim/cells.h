/* Ladders that stand for many: a file may name values, and is run once for each choice of them.
 *
 *     each $caller udp tcp     every line below that says $caller is played with udp and with tcp
 *     each $from 4 6           ... each of them with 4 and with 6
 *
 *     scene call               what follows, up to the next scene, is a ladder of its own
 *     party alice $caller $from
 *     ...
 *
 * What stands before the first scene belongs to each of them.  A scene varies only what it names.
 * The rest is as sim/ladder.h says. */
#pragma once

#include <stdbool.h>

/* Runs all ladders that the file |path| stands for; where they are several, prints a line for each.
 * False where one does not hold, after its fault on standard error; with |verbose| all that passed
 * is printed too. */
bool sim_cells_run(const char *path, bool verbose);
