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

/* What checks have settled on: nothing else is told from then on (RFC 8839 4.4.1.2.2). */
struct ahoy_sdp_settled {
    bool is_settled, controls; /* We have chosen: offers say of the peer's, too, which. */
    struct ahoy_candidate ours;
    struct ahoy_ip theirs;
};

/* What we say. */
struct ahoy_sdp_ice {
    struct ahoy_sdp_words words;
    size_t count; /* 0: where the medium is to be sent to is the only candidate. */
    struct ahoy_candidate candidates[AHOY_OWN_CANDIDATES_LIMIT];
    struct ahoy_sdp_settled settled;
};

/* Whether both have the same words, and are settled on the same. */
bool ahoy_sdp_ice_equal(const struct ahoy_sdp_ice *a, const struct ahoy_sdp_ice *b);

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

/* Whether the offer |media| has words of ICE, but a default address that is none of its
 * candidates: an answer says so then. */
bool ahoy_sdp_is_mismatch(const struct ahoy_sdp *session, const struct ahoy_sdp_media *media);
/* Which of our candidates |media|, whose sender controls, says to be settled on (5.2). */
bool ahoy_sdp_read_chosen(const struct ahoy_sdp_media *media, struct ahoy_ip *ours);

/* Prints what a session says that has ICE; and a medium at |media|, of an offer or an answer. */
void ahoy_sdp_put_ice_options(struct ahoy_buf *buf);
void ahoy_sdp_put_ice(const struct ahoy_sdp_ice *ice, const struct ahoy_ip *media, bool is_offer,
                      struct ahoy_buf *buf);
