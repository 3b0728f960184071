/* What a handshake of DTLS on the port of sound asks of a description (RFC 5763 5, RFC 8122 5,
 * RFC 4145 4), and ICE with it. */
#pragma once

#include "libahoy/sdp/ice.h"

enum { AHOY_PRINT_SIZE = 32 /* SHA-256 of a certificate. */ };

/* a=setup: who says hello. */
enum ahoy_setup { AHOY_SETUP_ACTIVE, AHOY_SETUP_PASSIVE, AHOY_SETUP_ACTPASS, AHOY_SETUP_OTHER };

/* Ours. */
struct ahoy_sdp_handshake {
    uint8_t print[AHOY_PRINT_SIZE];
    struct ahoy_sdp_ice ice;
};

/* What a peer says in |media|, or for all media in |session|. */
struct ahoy_sdp_greeting {
    uint8_t print[AHOY_PRINT_SIZE];
    enum ahoy_setup setup;
    bool has_ice, is_mismatch; /* Or somebody on the way has changed its address. */
    uint64_t ice_mark;         /* Another one where his words of ICE are others; 0 without. */
};

/* False where there is no fingerprint by SHA-256 that can be read.  ICE counts where RTCP shares
 * the port of RTP, as there is one candidate of ours. */
bool ahoy_sdp_read_greeting(const struct ahoy_sdp *session, const struct ahoy_sdp_media *media,
                            struct ahoy_sdp_greeting *greeting);
/* Prints the attributes of a medium but those of ICE. */
void ahoy_sdp_put_handshake(const struct ahoy_sdp_handshake *ours, enum ahoy_setup setup,
                            struct ahoy_buf *buf);
