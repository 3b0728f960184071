/* What a handshake of DTLS on the port of sound asks of a description (RFC 5763 5, RFC 8122 5,
 * RFC 4145 4), and ICE, as those have it who answer checks and make none (RFC 8839 4.2.2). */
#pragma once

#include "libahoy/base/ip.h"
#include "libahoy/base/rng.h"
#include "libahoy/sdp/sdp.h"

enum {
    AHOY_PRINT_SIZE = 32,                    /* SHA-256 of a certificate. */
    AHOY_ICE_USER_SIZE = AHOY_TOKEN_SIZE,    /* Of our user fragment, 64 bits. */
    AHOY_ICE_WORD_SIZE = 2 * AHOY_TOKEN_SIZE /* Of our password, 128 bits. */
};

/* a=setup: who says hello. */
enum ahoy_setup { AHOY_SETUP_ACTIVE, AHOY_SETUP_PASSIVE, AHOY_SETUP_ACTPASS, AHOY_SETUP_OTHER };

/* Ours; no NUL. */
struct ahoy_sdp_handshake {
    uint8_t print[AHOY_PRINT_SIZE];
    char ice_user[AHOY_ICE_USER_SIZE], ice_word[AHOY_ICE_WORD_SIZE];
};

/* What a peer says in |media|, or for all media in |session|. */
struct ahoy_sdp_greeting {
    uint8_t print[AHOY_PRINT_SIZE];
    enum ahoy_setup setup;
    bool has_ice, is_lite;
};

/* False where there is no fingerprint by SHA-256 that can be read.  ICE counts where RTCP shares
 * the port of RTP, as there is one candidate of ours. */
bool ahoy_sdp_read_greeting(const struct ahoy_sdp *session, const struct ahoy_sdp_media *media,
                            struct ahoy_sdp_greeting *greeting);
/* Whether some medium of |sdp| would have ICE: then the session says that we are lite. */
bool ahoy_sdp_asks_for_ice(const struct ahoy_sdp *sdp);

/* Prints the attributes of a medium; with ICE, |media| is our one candidate. */
void ahoy_sdp_put_handshake(const struct ahoy_sdp_handshake *ours, enum ahoy_setup setup,
                            bool has_ice, const struct ahoy_ip *media, struct ahoy_buf *buf);
