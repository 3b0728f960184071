/* The two UDP sockets of a call's sound: RTP on an even port, RTCP on the next (RFC 3550 11), or
 * both on the first one (RFC 5761).
 *
 * Whom we listen to.  A packet is taken where it comes from the address that the peer has signalled
 * (for RTCP: for RTCP), from whatever port.  The port of the first one that comes is from then on
 * where our packets go, and no other port is listened to: symmetric RTP (RFC 4961), which passes
 * a NAT that keeps the address, as one on the peer's own host does.  Until one comes, packets go to
 * the signalled port.  So a stranger elsewhere cannot be heard and cannot draw our packets to
 * himself, and one at the peer's own address must be faster than the peer.  A peer behind a NAT
 * that has signalled an address of its own network is not heard.
 *
 * With ICE he is where he has proved to be: only STUN is taken from everybody then.  There may be
 * further sockets for RTP and RTCP, at other addresses: bases (RFC 8445 5.1.1.1), of which the
 * first, number 0, is that of RTP. */
#pragma once

#include "libahoy/base/ip.h"
#include "libahoy/base/span.h"

enum {
    AHOY_RTP_DATAGRAM_LIMIT = 2048, /* Longer ones are cut, which their lengths then tell. */
    AHOY_RTP_BASES_LIMIT = 4        /* Sockets for RTP, each at another address of ours. */
};

enum ahoy_rtp_side { AHOY_RTP_SIDE, AHOY_RTCP_SIDE, AHOY_RTP_SIDES };

struct ahoy_rtp_pair {
    int fds[AHOY_RTP_SIDES];               /* For a loop to watch. */
    int further[AHOY_RTP_BASES_LIMIT - 1]; /* Bases from 1 on ... */
    size_t base_count;                     /* ... below this number. */
    size_t base;                           /* That packets leave from. */
    struct ahoy_ip local;                  /* Of RTP. */
    bool is_muxed;
    bool takes_checks;    /* STUN from whomever, and DTLS until it is aimed. */
    bool takes_first;     /* Until it is aimed, the RTP of whoever is the first to send any. */
    struct ahoy_ip first; /* Who that was: heard, and never sent to. */
    struct ahoy_ip signalled[AHOY_RTP_SIDES]; /* AHOY_NO_FAMILY until it is aimed. */
    struct ahoy_ip remotes[AHOY_RTP_SIDES];   /* The same, or what was latched. */
    bool is_latched[AHOY_RTP_SIDES];
    bool takes_all;     /* What comes to bases, from whomever: its owner asks further. */
    uint64_t strangers; /* Packets that were not taken. */
};

/* Even ports from |low| to |high|; 0 and 0: those that the kernel chooses. */
struct ahoy_port_range {
    uint16_t low, high;
};

/* Opens both at |address|, whose port is not looked at; the search begins at a port that |random|
 * chooses.  False where none is free, or the kernel refuses. */
bool ahoy_rtp_pair_open(struct ahoy_rtp_pair *pair, const struct ahoy_ip *address,
                        struct ahoy_port_range range, uint64_t random);
/* One more base, at |address| and the port of RTP, where others are allowed to send to: its socket
 * is |*fd| for a loop to watch.  False where there are too many, or it is taken. */
bool ahoy_rtp_pair_add(struct ahoy_rtp_pair *pair, const struct ahoy_ip *address, int *fd);
void ahoy_rtp_pair_close(struct ahoy_rtp_pair *pair);

/* The addresses that the peer has signalled.  Where they are as before, what was latched stays. */
void ahoy_rtp_pair_aim(struct ahoy_rtp_pair *pair, const struct ahoy_ip *rtp,
                       const struct ahoy_ip *rtcp, bool is_muxed);

/* Checks have shown that the peer is at |ip|, for RTP and RTCP, and is reached from |base|. */
void ahoy_rtp_pair_nominate(struct ahoy_rtp_pair *pair, size_t base, const struct ahoy_ip *ip);

/* The next packet that waits on |side|'s socket and is the peer's, or the first one's, or a check,
 * into |bytes| of AHOY_RTP_DATAGRAM_LIMIT, and where it came from; false where there is none. */
bool ahoy_rtp_pair_receive(struct ahoy_rtp_pair *pair, enum ahoy_rtp_side side, char *bytes,
                           struct span *packet, struct ahoy_ip *source);
/* The same of |base|. */
bool ahoy_rtp_pair_receive_at(struct ahoy_rtp_pair *pair, size_t base, char *bytes,
                              struct span *packet, struct ahoy_ip *source);
/* Whether |packet| of |source|, which has come to a base, is the peer's, the first one's, or a
 * check: what an owner asks who takes all. */
bool ahoy_rtp_pair_takes(struct ahoy_rtp_pair *pair, struct span packet,
                         const struct ahoy_ip *source);
/* Where it cannot be sent it is lost, as on the way. */
void ahoy_rtp_pair_send(struct ahoy_rtp_pair *pair, enum ahoy_rtp_side side, struct span packet);
/* The same from |base| to |remote|, whoever that is. */
void ahoy_rtp_pair_answer(struct ahoy_rtp_pair *pair, size_t base, struct span packet,
                          const struct ahoy_ip *remote);
