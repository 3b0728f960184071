/* Ladders: whole exchanges as text, run against real servers and phones in virtual time.
 *
 *     # What this shows.
 *     world 6                  IPv6; before any party
 *     world all                IPv4 and IPv6, and the servers listen by TLS and WebSocket too
 *     world direct             no server at all
 *     delay 10                 milliseconds from anywhere to anywhere (10); before any party
 *     server proxy1 atlanta.example   a server with a domain, by which the others find it; further
 *                              words: digest (whoever is of it has a password), order (phones ring
 *                              by their q, 15 s each), redirect (answers 302), pass (follows no
 *                              3xx); before any party.  Without one there is "proxy", for
 *                              atlanta.example
 *     domain proxy1 chicago.example   one more domain of it; the same words
 *     party alice udp          a user agent; further words: tcp, tls, mtls (with a certificate for
 *                              alice.example, and goes where the server wants one), ws, wss; 4 or
 *                              6; 2543 (an old one); deaf (nobody takes connections there); the
 *                              server that it is at home at (the first)
 *     party bob udp
 *     phone carol              a real phone, by UDP, that is at home at the first server
 *     phone carol bob          ... or has nobody to call but bob
 *     register bob bob         bob is reached at these parties, in the domain of their home
 *     flows bob bob carol      one phone of his has these flows, by UDP (RFC 5626)
 *     contact bob sip:b.example   the same at a URI; also bob@biloxi.example
 *     named bob b.example      his Contact has this host from now on
 *     dns b.example A 192.0.2.12  a record of the DNS (sim/zone.h); servers have 192.0.2.1 and
 *                              onwards, parties 192.0.2.11, in their order
 *     trunk sip:c.example sip:192.0.2.12   where calls to carrier.example go; before any party;
 *                              with "stateless" before the first they go without state
 *
 *     [   0] alice > proxy  INVITE bob
 *     [  10] proxy > alice  100 INVITE
 *     [  10] proxy > bob    INVITE  lost
 *     [ 510] proxy > bob    INVITE  (timer A)
 *     [ 600] bob unreachable
 *
 * A line of a party is played; one of a server or a phone is expected, to the millisecond and in
 * this order, and nothing else may be sent.  The first word is the method, or the status and its
 * method.  Behind it, where they apply: the callee of a first request (`proxy`: the server itself;
 * user@domain; sips:user; user@carrier.example: over the trunk); `again`, the same bytes once
 * more, for others than parties too; `lost`, what the link loses; `stray`, with a branch that is
 * nobody's; `hop`, an ACK made like that to a failure; `forked`, by another agent behind the
 * party; `sdp`, with a session description; `proved`, the request again with what the last 401 or
 * 407 asks for, `wrong`, with another password; and a remark in parentheses.
 *
 * Rows below it are put into the message of a party, in place of its own of this name; that of
 * others must have such a row, with this in its value, or behind a "=" as its value.  With nothing
 * behind the colon there is none:
 *
 *     [  20] bob   > proxy  302 INVITE
 *            Contact: <sip:carol@atlanta.example>
 *     [  30] proxy > carol  INVITE
 *            Route:
 *
 * Who uses a phone does this: `[0] carol calls sip:bob@atlanta.example`, `carol answers`, `carol
 * rejects 486`, `carol progresses` (with early media), `carol pauses` (holds the call), `carol
 * resumes`, `carol transfers sip:dave@atlanta.example` (her peer, who agrees), `carol joins` (her
 * last two calls, so that their other ends talk), `carol refers sip:bob@atlanta.example
 * sip:dave@atlanta.example` (bob's phone, which agrees, is to call dave), `carol ends` (the call,
 * in whatever state it is), `carol registers`.  A call that comes rings by itself.
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
