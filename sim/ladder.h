/* Ladders: whole exchanges as text, run against the real server in virtual time.
 *
 *     # What this shows.
 *     world 6                  IPv6; before any party
 *     world all                IPv4 and IPv6, and the server listens by TLS and WebSocket too
 *     delay 10                 milliseconds from anywhere to anywhere (10); before any party
 *     party alice udp          a user agent; further words: tcp, tls, mtls (with a certificate for
 *                              alice.example, and goes where the server wants one), ws, wss; 4 or
 *                              6; 2543 (an old one); deaf (nobody takes connections there)
 *     party bob udp
 *     register bob bob         bob@atlanta.example is reached at these parties
 *     flows bob bob carol      one phone of his has these flows, by UDP (RFC 5626)
 *     contact bob sip:b.example   the same at a URI
 *     named bob b.example      his Contact has this host from now on
 *     dns b.example A 192.0.2.12  a record of the DNS (sim/zone.h); parties have 192.0.2.11 and
 *                              onwards, in their order
 *     trunk sip:c.example sip:192.0.2.12   where calls to carrier.example go; before any party
 *
 *     [   0] alice > proxy  INVITE bob
 *     [  10] proxy > alice  100 INVITE
 *     [  10] proxy > bob    INVITE  lost
 *     [ 510] proxy > bob    INVITE  (timer A)
 *     [ 600] bob unreachable
 *
 * A line of a party is played; a line of the proxy is expected, to the millisecond and in this
 * order, and nothing else may be sent.  The first word is the method, or the status and its
 * method.  Behind it, where they apply: the callee of a first request (`proxy`: the server
 * itself; user@carrier.example: over the trunk); `again`, the same bytes once more; `lost`, what
 * the link loses; `stray`, with a branch that is nobody's; `hop`, an ACK made like that to a
 * failure; `forked`, by another agent behind
 * the party; and a remark in parentheses.
 *
 * `[0] alice connects` opens her connection, and her WebSocket: that is open a round trip later.
 * The handshakes of WebSocket and TLS are not shown.
 *
 * `[9999] proxy holds 0` expects that many transactions, after all that happens in that
 * millisecond.  `[30] bob closes` closes his connection, `[30] bob unreachable` is an ICMP error
 * about his address.  Times are when a message leaves. */
#pragma once

#include <stdbool.h>

/* Runs the ladder |text| of the file |path|.  Prints what differs to standard error and returns
 * false where it does; with |verbose| it prints what passed too. */
bool sim_ladder_run(const char *path, const char *text, bool verbose);
