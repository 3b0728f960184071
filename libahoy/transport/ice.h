/* Checks of ICE: binding requests by which each of two agents proves that he is where he says
 * (RFC 8445 7.1, 16.1), and consents to be sent to (RFC 7675); their answers.  Messages only: who
 * asks when is the business of agent.h.  Nothing is kept. */
#pragma once

#include "libahoy/base/ip.h"
#include "libahoy/transport/stun.h"

enum {
    AHOY_ICE_ANSWER_SIZE = 96, /* Room that every answer fits. */
    AHOY_ICE_ASK_SIZE = 384    /* Room that every check of ours fits. */
};

/* What we have told the peer. */
struct ahoy_ice_secret {
    struct span user, word; /* ice-ufrag and ice-pwd. */
};

enum ahoy_ice_role { AHOY_ICE_NO_ROLE, AHOY_ICE_CONTROLLING, AHOY_ICE_CONTROLLED };

/* A check of a peer's, or one of ours. */
struct ahoy_ice_check {
    struct span theirs;      /* The user fragment of who asks. */
    uint32_t priority;       /* Of a candidate that is learned by it; 0: it does not say. */
    enum ahoy_ice_role role; /* Of who asks ... */
    uint64_t tie;            /* ... and what breaks a tie, where both have the same. */
    bool is_nomination;
};

/* Whether |request| is a check of somebody who knows |secret|, and what it says.  Others get no
 * answer. */
bool ahoy_ice_read(struct span request, const struct ahoy_ice_secret *secret,
                   struct ahoy_ice_check *check);
/* Writes what answers it: where it has come from, or that both have the same role (487). */
void ahoy_ice_put_answer(struct span request, const struct ahoy_ip *source, struct span word,
                         struct ahoy_buf *answer);
void ahoy_ice_put_conflict(struct span request, struct span word, struct ahoy_buf *answer);

/* Writes |check| to a peer who has said |secret|, as the transaction |id|. */
void ahoy_ice_ask(const uint8_t id[AHOY_STUN_ID_SIZE], const struct ahoy_ice_secret *secret,
                  const struct ahoy_ice_check *check, struct ahoy_buf *request);

enum ahoy_ice_heard {
    AHOY_ICE_NOTHING,  /* It is no answer of the peer's. */
    AHOY_ICE_SEEN,     /* He says where he sees us. */
    AHOY_ICE_CONFLICT, /* 487: he has our role. */
    AHOY_ICE_REVOKED,  /* 403: he would not be sent to (RFC 7675 5.2). */
    AHOY_ICE_REFUSED   /* Another error. */
};

/* What |answer| says to our check |id|; |word| is the peer's, |mapped| where he sees us. */
enum ahoy_ice_heard ahoy_ice_hear(struct span answer, const uint8_t id[AHOY_STUN_ID_SIZE],
                                  struct span word, struct ahoy_ip *mapped);

/* What a datagram is that came to a port of sound, by its first byte (RFC 7983 7). */
enum ahoy_port_use { AHOY_PORT_STUN, AHOY_PORT_DTLS, AHOY_PORT_RTP, AHOY_PORT_OTHER };
enum ahoy_port_use ahoy_port_use(struct span datagram);
