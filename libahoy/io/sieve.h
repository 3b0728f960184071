/* A sieve before a UDP socket: of the datagrams that begin something the kernel drops a random part
 * before they are queued (socket(7), SO_ATTACH_FILTER), so that there is room for all others.
 *
 * What passes whole, by its first bytes: responses, ACK, BYE, CANCEL, PRACK, UPDATE, NOTIFY, INFO,
 * an INVITE for a URN (RFC 5031: a call for help), and what is no request at all, as STUN
 * (RFC 5626 4.4.2) and keep-alives.  A request within a dialog that begins none of these ways, a
 * re-INVITE, cannot be told from one that is new: its caller sends it again. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
    AHOY_SIEVE_ALL = 1024,         /* The share of everything: no sieve. */
    AHOY_SIEVE_FULL_SIXTEENTHS = 15 /* Of a socket's memory: something is about to be lost. */
};

/* What whoever reads the sockets knows of it. */
struct ahoy_sieve {
    unsigned share;      /* AHOY_SIEVE_ALL: there is none. */
    bool is_full;        /* There was hardly room in the socket that was read last. */
    uint64_t changed_ms; /* When |share| last became another. */
};

/* Of |fd|, a UDP socket, lets |share| of 1,024 through of what begins something; from
 * AHOY_SIEVE_ALL on there is no sieve any more.  What has been queued stays.  False where the
 * kernel refuses: all is as before. */
bool ahoy_sieve_set(int fd, unsigned share);
/* Whether there is hardly any room in the socket.  While a sieve is set what the kernel counts as
 * lost (SO_RXQ_OVFL) has been sieved, so this tells what has no room. */
bool ahoy_sieve_is_full(int fd);
/* Sets |is_full| for |fd|, which is read next. */
static inline void ahoy_sieve_look(struct ahoy_sieve *sieve, int fd)
{
    sieve->is_full = sieve->share < AHOY_SIEVE_ALL && ahoy_sieve_is_full(fd);
}
/* Whether what is read at |now_ms|, after so long, may have come while there was a sieve: then what
 * was lost before it was sieved. */
static inline bool ahoy_sieve_judged(const struct ahoy_sieve *sieve, uint32_t waited_us,
                                     uint64_t now_ms)
{
    return sieve->share < AHOY_SIEVE_ALL || now_ms <= sieve->changed_ms + waited_us / 1000;
}
