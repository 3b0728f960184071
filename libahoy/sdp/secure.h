/* How sound is secured, seen from a description: by keys within it (RFC 4568), by a handshake on
 * its port (RFC 5763), or not at all; by keys in one that does not insist, for peers who know of
 * them (RFC 8643). */
#pragma once

#include "libahoy/sdp/crypto.h"
#include "libahoy/sdp/handshake.h"

enum ahoy_security {
    AHOY_SECURITY_OFF,      /* Nothing secured is offered or taken. */
    AHOY_SECURITY_OPTIONAL, /* As the peer would have it; rather secured. */
    AHOY_SECURITY_KEYS,     /* By keys in descriptions, or not at all. */
    AHOY_SECURITY_HANDSHAKE /* By a handshake, or not at all. */
};

/* What we would have.  Each suite has a master key of its own: R4568-6.1-2. */
struct ahoy_sdp_security {
    enum ahoy_security wish;
    bool is_passive; /* The peer has said hello in this call, and does again: R5763-6.6-1. */
    bool tells_keys; /* No stranger reads what is said now (RFC 4568 8.3). */

    /* Only where there is a wish; else nobody sets or reads it. */
    uint8_t masters[AHOY_SUITES][AHOY_MASTER_LIMIT];
    bool can_shake; /* There is ... */
    struct ahoy_sdp_handshake handshake;
};

/* What both sides came to. */
struct ahoy_sdp_secured {
    enum ahoy_suite suite; /* AHOY_NO_SUITE: packets go in plain. */
    uint32_t tag;          /* Of a=crypto. */
    uint8_t ours[AHOY_MASTER_LIMIT], theirs[AHOY_MASTER_LIMIT];
    bool by_handshake;             /* Keys come from one ... */
    bool is_active;                /* ... in which we say hello ... */
    bool has_offered;              /* The offer was ours. */
    struct ahoy_sdp_words words;   /* Of ICE, ours, where the peer has it. */
    struct ahoy_sdp_greeting peer; /* ... to him who has this print. */
};

/* The transport protocol of an offer that follows none. */
struct span ahoy_sdp_protocol(enum ahoy_security wish);
/* Whether |protocol| is one of ours. */
bool ahoy_sdp_knows_protocol(struct span protocol);

/* Whether |media| of |session|, of an offer or (|is_answer|) of what answers ours, is secured as we
 * would have it, and how. */
bool ahoy_sdp_take_security(const struct ahoy_sdp *session, const struct ahoy_sdp_media *media,
                            const struct ahoy_sdp_security *security, bool is_answer,
                            struct ahoy_sdp_secured *secured);
/* Prints the session's attribute of ICE, where that is offered, or asked for by |offer|. */
void ahoy_sdp_put_ice_option(const struct ahoy_sdp_security *security, const struct ahoy_sdp *offer,
                             struct ahoy_buf *buf);
/* Prints the attributes of an offer over |protocol|, at |media|. */
void ahoy_sdp_put_security(const struct ahoy_sdp_security *security, struct span protocol,
                           const struct ahoy_ip *media, struct ahoy_buf *buf);
/* Prints those of an answer. */
void ahoy_sdp_put_secured(const struct ahoy_sdp_secured *secured,
                          const struct ahoy_sdp_security *security, const struct ahoy_ip *media,
                          struct ahoy_buf *buf);
