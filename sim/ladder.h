/* Ladders: whole exchanges as text, run against the real server in virtual time.
 *
 *     # What this shows.     party alice udp            a user agent; further words: tcp, 2543
 * party bob udp     register bob bob           bob@atlanta.example is reached at these parties
 * (default: its own)     delay 10                   milliseconds from anywhere to anywhere
 * (default 10)
 *
 *     [   0] alice > proxy  INVITE bob     [  10] proxy > alice  100 INVITE     [  10] proxy >
 * bob    INVITE  lost     [ 510] proxy > bob    INVITE  (timer A)
 *
 * A line of a party is played; a line of the proxy is expected, to the millisecond and in this
 * order, and nothing else may be sent.  The first word is the method, or the status and its
 * method; then, where they apply, the callee of a first request, `again` for the same bytes once
 * more, `lost` for what the link loses, and a remark in parentheses. `[9999] proxy holds 0`
 * expects that many transactions.  Times are when a message leaves. */
#pragma once

#include <stdbool.h>

/* Runs the ladder in the file |path|.  Prints what differs to standard error and returns false
 * where it does; with |verbose| it prints what passed too. */
bool sim_ladder_run(const char *path, bool verbose);
