/* What lies between a client and a server, and the time that passes there.
 *
 * Two worlds, each with and without RELIABLE:
 * HASTY      Any message may be lost, come twice or be overtaken; a send may fail, and the failure
 *            be told late; any clock may go off as soon as it runs.
 * otherwise  At most LOSSES messages are lost and none fails to be sent; messages may come twice
 *            and be overtaken.  Clocks that send again go off when the wire is quiet and nobody
 *            |is_thinking|, and those that end a state when nothing else can happen.
 * RELIABLE   Messages come in order and once; nothing is lost unless the send fails, which HASTY
 *            may keep a secret.
 *
 * Whatever sends again does so SENDS times at most, as the clock that ends the state sees
 * to.  So every run is finite, which Spin shows by finding no cycle. */
#define NONE 255 /* No clock runs; nothing is kept. */
#define LOSSES 2

#ifdef HASTY
#define SENDS          1 /* As messages may come twice anyway. */
#define ROOM           3 /* On the wire; what finds none is lost. */
#define may_send_again true
#define may_end        true
#else
#define SENDS          3
#define ROOM           8
byte losses = LOSSES;
#define may_send_again (empty(to_server) && empty(to_client) && !is_thinking)
#define may_end        timeout
#endif

chan to_server = [ROOM] of { byte };
chan to_client = [ROOM] of { byte };

/* A message that may be next to arrive: on a wire without order any that is under way.  There all
 * are kept sorted, since in which order they were sent makes no difference. */
#ifdef RELIABLE
#define arrives(wire, kind) wire?kind
#define put(wire, kind)     wire!kind
#else
#define arrives(wire, kind) wire??kind
#define put(wire, kind)     wire!!kind
#endif

/* |failed| is the sender's: it will be told. */
inline send(wire, kind, failed)
{
    if
    :: nfull(wire) -> put(wire, kind)
#ifndef RELIABLE
    :: len(wire) < ROOM - 1 -> put(wire, kind); put(wire, kind)
#endif
#ifdef HASTY
    :: true -> skip
    :: true -> failed = true
#else
#ifndef RELIABLE
    :: losses > 0 -> losses--
#endif
#endif
    fi
}
