/* The Secure RTP of one call (RFC 3711, RFC 6188), by libsrtp: what we send is encrypted, and what
 * comes is believed where it is the peer's, of this call, and new. */
#pragma once

#include "libahoy/sdp/crypto.h"

enum {
    AHOY_SRTP_PACKET_LIMIT = 2048,
    AHOY_SRTP_SOURCES_LIMIT = 8, /* Of the peer's; libsrtp keeps something for each. */
    AHOY_SRTCP_TRAILER = 4 + 10  /* By how much RTCP grows: an index and a tag (3.4). */
};

enum ahoy_srtp_way { AHOY_SRTP_OUT, AHOY_SRTP_IN, AHOY_SRTP_WAYS };

struct ahoy_srtp;

/* Whether this build has it. */
bool ahoy_srtp_is_there(void);
/* NULL where it has not, or memory is refused.  The first call of a program is made by one thread
 * alone. */
struct ahoy_srtp *ahoy_srtp_new(void);
/* Leaves nothing of its keys; NULL is none. */
void ahoy_srtp_free(struct ahoy_srtp *srtp);

/* From now on |way| has this key and salt, of the suite's size.  Where they are as before all goes
 * on, packets that were used among it; else it begins anew.  False where memory is refused, and
 * nothing passes |way| then. */
bool ahoy_srtp_key(struct ahoy_srtp *srtp, enum ahoy_srtp_way way, enum ahoy_suite suite,
                   const uint8_t *master);

/* What is to be sent in place of |packet|.  It lives until the next call of these two.  False where
 * there is no key, or it has served long enough (9.2). */
bool ahoy_srtp_protect(struct ahoy_srtp *srtp, bool is_rtcp, struct span packet,
                       struct span *secured);
/* What |packet| was before it was secured.  False where it is not the peer's, came before, or is
 * older than what can be remembered, or where the peer has had too many sources (SSRC). */
bool ahoy_srtp_unprotect(struct ahoy_srtp *srtp, bool is_rtcp, struct span packet,
                         struct span *plain);
