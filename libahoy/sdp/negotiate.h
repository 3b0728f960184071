/* Offer and answer (RFC 3264) for audio and telephone events. */
#pragma once

#include "libahoy/base/ip.h"
#include "libahoy/sdp/formats.h"
#include "libahoy/sdp/secure.h"

/* What we describe ourselves by. */
struct ahoy_sdp_local {
    struct ahoy_ip media;          /* Where RTP is to be sent to, until ICE has settled on ... */
    struct ahoy_ip origin;         /* What o= names for the life of the session; none: |media|. */
    enum ahoy_direction direction; /* What we would have: AHOY_SENDONLY holds the peer (8.4). */
    uint64_t session_id;           /* The same for the life of the session. */
    uint64_t version;              /* One more whenever the description changes (RFC 3264 8). */
    unsigned codecs;               /* A set: those offered and taken; 0: G.711. */
    /* How those were numbered that we described of late; 0 for our own numbers. */
    uint8_t opus, events[AHOY_EVENT_CLOCKS];
    struct ahoy_sdp_security security;
};

/* One that says nothing yet, in memory that need not be zeroed, and is not to be secured: what only
 * those have that are, most of it, is not touched. */
void ahoy_sdp_local_init(struct ahoy_sdp_local *local);
/* It may be secured from now on: before its first wish.  What that takes is zeroed. */
void ahoy_sdp_local_secure(struct ahoy_sdp_local *local);
/* Makes |to|, which was begun, what |from| is; without a wish for security, no more than that. */
void ahoy_sdp_local_copy(struct ahoy_sdp_local *to, const struct ahoy_sdp_local *from);

/* What both sides came to. */
struct ahoy_sdp_agreed {
    enum ahoy_codec codec;         /* What the peer would rather hear of what both have. */
    uint8_t payload_type;          /* By which it is sent, as the peer has it. */
    struct ahoy_sdp_opus opus;     /* Of Opus: what the peer asks for. */
    struct ahoy_sdp_formats heard; /* All that may come, by our numbers: RFC 3264 6.1. */
    bool has_events;               /* telephone-event (RFC 4733) is sent as |events|. */
    uint8_t events;
    uint32_t events_hz;            /* The clock of their durations. */
    uint16_t unlisted_events;      /* Bits, 1 << 0 to 15: the digits' events that the peer lacks. */
    bool has_mux;                  /* RTCP goes where RTP goes (RFC 5761). */
    enum ahoy_direction direction; /* Ours; nothing is sent to an address of zeros (8.4). */
    struct ahoy_ip rtp, rtcp;      /* Where the peer awaits them. */
    struct ahoy_sdp_secured secured;
};

/* Where RTP is to be sent to, as descriptions say. */
const struct ahoy_ip *ahoy_sdp_place(const struct ahoy_sdp_local *local);

/* Prints an offer: the first one where |previous| is NULL, else one that follows our description
 * |previous|, with a line for each of its media, in their order (8). */
void ahoy_sdp_print_offer(const struct ahoy_sdp_local *local, const struct ahoy_sdp *previous,
                          struct ahoy_buf *buf);

/* Prints the answer: the first audio over RTP, secured as we would have it, with a codec of ours,
 * to an address that is a number, is taken, everything else rejected with port 0.  False where
 * there is nothing to take: 488, and |buf| then rejects all. */
bool ahoy_sdp_print_answer(const struct ahoy_sdp *offer, const struct ahoy_sdp_local *local,
                           struct ahoy_buf *buf, struct ahoy_sdp_agreed *agreed);

/* Reads the answer to our offer of |local|.  False where it takes nothing of it. */
bool ahoy_sdp_read_answer(const struct ahoy_sdp *answer, const struct ahoy_sdp_local *local,
                          struct ahoy_sdp_agreed *agreed);
