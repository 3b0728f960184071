/* ICE in descriptions: RFC 8839 5. */
#pragma once

#include "libahoy/base/candidate.h"
#include "libahoy/base/rng.h"
#include "libahoy/sdp/sdp.h"

enum {
    AHOY_ICE_USER_SIZE = AHOY_TOKEN_SIZE,     /* Of our user fragment, 64 bits. */
    AHOY_ICE_WORD_SIZE = 2 * AHOY_TOKEN_SIZE, /* Of our password, 128 bits. */
    AHOY_ICE_LINES_SIZE = 4096                /* What is kept of a peer's lines. */
};

/* By what checks know us; no NUL. */
struct ahoy_sdp_words {
    char user[AHOY_ICE_USER_SIZE], word[AHOY_ICE_WORD_SIZE];
};

/* What we say. */
struct ahoy_sdp_ice {
    struct ahoy_sdp_words words;
    size_t count; /* 0: where the medium is to be sent to is the only candidate. */
    struct ahoy_candidate candidates[AHOY_OWN_CANDIDATES_LIMIT];
};

/* Whether |media| of |session| has ICE that we would use, with RTCP on the port of RTP; |mark| is a
 * hash of its words.  Not where its default address is none of its candidates, as somebody on the
 * way has changed it (RFC 8839 4.2.5). */
bool ahoy_sdp_has_ice(const struct ahoy_sdp *session, const struct ahoy_sdp_media *media,
                      uint64_t *mark);
/* The first medium of |sdp| that has; NULL for none. */
const struct ahoy_sdp_media *ahoy_sdp_find_ice(const struct ahoy_sdp *sdp);

/* Prints the lines of ICE of that medium, and of the session for it, as far as |buf| has room:
 * what is kept of them. */
void ahoy_sdp_copy_ice(const struct ahoy_sdp *sdp, struct ahoy_buf *buf);
/* Reads them.  Candidates that are none of UDP, of another component, or that have names for
 * addresses are passed over (5.1).  False where they have no words that may be. */
bool ahoy_sdp_read_ice(struct span lines, struct ahoy_ice_peer *peer);

/* Prints what a session says that has ICE; and a medium at |media|. */
void ahoy_sdp_put_ice_options(struct ahoy_buf *buf);
void ahoy_sdp_put_ice(const struct ahoy_sdp_ice *ice, const struct ahoy_ip *media,
                      struct ahoy_buf *buf);
