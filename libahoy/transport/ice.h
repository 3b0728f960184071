/* Checks of ICE, by which a peer proves that he is where he is (RFC 8445).  This is a lite agent by
 * its section 2.5: it answers the checks of a full one, which chooses among the ways that work, and
 * makes none itself.  That answers consent too (RFC 7675).  Nothing is kept. */
#pragma once

#include "libahoy/base/ip.h"

enum { AHOY_ICE_ANSWER_SIZE = 96 }; /* Room that every answer fits. */

/* What we have told the peer. */
struct ahoy_ice_secret {
    struct span user, word; /* ice-ufrag and ice-pwd. */
};

enum ahoy_ice_check {
    AHOY_ICE_NOTHING,  /* It is no check of the peer's, and gets no answer. */
    AHOY_ICE_ASKED,    /* |answer| goes to where it came from. */
    AHOY_ICE_NOMINATED /* The same, and that is where the peer wants to be sent to. */
};

/* Judges |request|, which came from |source|, and writes what answers it. */
enum ahoy_ice_check ahoy_ice_answer(struct span request, const struct ahoy_ip *source,
                                    const struct ahoy_ice_secret *secret, struct ahoy_buf *answer);

/* What a datagram is that came to a port of sound, by its first byte (RFC 7983 7). */
enum ahoy_port_use { AHOY_PORT_STUN, AHOY_PORT_DTLS, AHOY_PORT_RTP, AHOY_PORT_OTHER };
enum ahoy_port_use ahoy_port_use(struct span datagram);
