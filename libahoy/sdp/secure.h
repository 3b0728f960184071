/* How sound is secured, seen from a description: by keys within it (RFC 4568), or not at all; by
 * keys in one that does not insist, for peers who know of them (RFC 8643). */
#pragma once

#include "libahoy/sdp/crypto.h"

enum ahoy_security {
    AHOY_SECURITY_OFF,      /* Nothing secured is offered or taken. */
    AHOY_SECURITY_OPTIONAL, /* As the peer would have it; rather secured. */
    AHOY_SECURITY_KEYS      /* By keys in descriptions, or not at all. */
};

/* What we would have.  Each suite has a master key of its own: R4568-6.1-2. */
struct ahoy_sdp_security {
    enum ahoy_security wish;
    uint8_t masters[AHOY_SUITES][AHOY_MASTER_LIMIT];
};

/* What both sides came to. */
struct ahoy_sdp_secured {
    enum ahoy_suite suite; /* AHOY_NO_SUITE: packets go in plain. */
    uint32_t tag;
    uint8_t ours[AHOY_MASTER_LIMIT], theirs[AHOY_MASTER_LIMIT];
};

/* The transport protocol of an offer that follows none. */
struct span ahoy_sdp_protocol(enum ahoy_security wish);
/* Whether |protocol| is one of ours. */
bool ahoy_sdp_knows_protocol(struct span protocol);

/* Whether |media|, of an offer or (|is_answer|) of what answers ours, is secured as we would have
 * it, and how.  |tells_keys|: no stranger on the way reads what we answer. */
bool ahoy_sdp_take_security(const struct ahoy_sdp_media *media,
                            const struct ahoy_sdp_security *security, bool tells_keys,
                            bool is_answer, struct ahoy_sdp_secured *secured);
/* Prints the attributes of an offer. */
void ahoy_sdp_put_security(const struct ahoy_sdp_security *security, bool tells_keys,
                           struct ahoy_buf *buf);
/* Prints those of an answer. */
void ahoy_sdp_put_secured(const struct ahoy_sdp_secured *secured, struct ahoy_buf *buf);
