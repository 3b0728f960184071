/* How one call's sound is secured on the kernel: keys from descriptions, or a handshake, once ICE
 * has shown where the peer is; then SRTP. */
#pragma once

#include "ahoy/show.h"
#include "libahoy/io/dtls.h"
#include "libahoy/io/rtp_pair.h"
#include "libahoy/media/srtp.h"
#include "libahoy/sdp/negotiate.h"
#include "libahoy/transport/relay.h"

struct phone_secure {
    struct ahoy_rtp_pair *pair;
    struct ahoy_sdp_security ours;
    struct ahoy_sdp_secured agreed; /* Its suite is AHOY_NO_SUITE: packets go in plain. */
    struct ahoy_dtls *dtls;         /* NULL where no handshake is wanted. */
    struct ahoy_srtp *srtp;         /* NULL before there are keys. */
    struct ahoy_ice_agent ice;      /* Of the socket of RTP. */
    struct ahoy_relay relay;        /* Of the same; used where a server of TURN is named. */
    bool is_relayed;                /* Sound goes by it. */
    const char *told;               /* Why there is none, as the user was told. */
    bool is_reached;                /* It is known where the peer is. */
    bool was_settled;               /* ICE was, and it was told. */
    bool has_begun, is_over;        /* The handshake; with keys or without. */
    size_t hello_size;              /* What came before it has begun, from ... */
    struct ahoy_ip hello_from;
    char hello[AHOY_RTP_DATAGRAM_LIMIT];
};

/* Makes what |secure|->ours says; false where the kernel has no random numbers. */
bool phone_secure_open(struct phone_secure *secure, struct ahoy_rtp_pair *pair,
                       enum ahoy_security wish);
/* Gives the relay back, as long as there are sockets. */
void phone_secure_leave(struct phone_secure *secure);
void phone_secure_close(struct phone_secure *secure);

/* The sockets are open, and others see that of RTP as |shown|; again for each further base. */
void phone_secure_place(struct phone_secure *secure, const struct ahoy_ip *shown);
/* The address of a base is ours no more. */
void phone_secure_drop(struct phone_secure *secure, size_t base);
/* Calls with a handshake have ICE: those that we make where it is asked for, others perhaps. */
bool phone_secure_may_have_ice(const struct phone_options *options);
/* Asks the servers of |options| how others see that socket, and for a relay, which stays a base
 * behind all others; and whether that is over. */
void phone_secure_gather(struct phone_secure *secure, const struct phone_options *options);
bool phone_secure_has_gathered(struct phone_secure *secure);
/* Both sides have agreed, at first or anew: the sockets lead to |rtp| and |rtcp|, or to where ICE
 * will show, of which the peer says |lines|.  False where it cannot be secured so. */
bool phone_secure_agree(struct phone_secure *secure, const struct ahoy_sdp_agreed *agreed,
                        const struct ahoy_ip *rtp, const struct ahoy_ip *rtcp, struct span lines);
/* Looks for another way, by other words: our description is to say so once it is gathered how
 * others see us (RFC 8445 9).  False where the kernel has no random numbers. */
bool phone_secure_restart(struct phone_secure *secure, const struct phone_options *options);
/* That description was refused: all is as before. */
void phone_secure_take_back(struct phone_secure *secure);
/* Whether ICE has settled on a pair since this was last asked, and on which. */
bool phone_secure_settled(struct phone_secure *secure, struct ahoy_sdp_settled *settled);
enum phone_reach phone_secure_reach(const struct phone_secure *secure);
/* A packet came to |base| from |source|.  What the server of a relay brings becomes the packet that
 * it stands for, come to the relay.  False where there is nothing more to do about it. */
bool phone_secure_unwrap(struct phone_secure *secure, size_t *base, struct span *packet,
                         struct ahoy_ip *source);
/* Such a packet; true where it is one of sound, which it is laid open to.  Others are
 * answered. */
bool phone_secure_take(struct phone_secure *secure, size_t base, bool is_rtcp, struct span *packet,
                       const struct ahoy_ip *source);
/* Secures and sends one of ours, unless there are no keys yet. */
void phone_secure_send(struct phone_secure *secure, bool is_rtcp, struct span packet);

/* Sends what the handshake is due to send again; and when the next time is, in microseconds;
 * UINT64_MAX: never. */
void phone_secure_turn(struct phone_secure *secure);
uint64_t phone_secure_deadline(const struct phone_secure *secure, uint64_t now_us);
