/* Packets of RTP: RFC 3550 5.1, 5.3.1 and A.1, read in place. */
#pragma once

#include "libahoy/base/buf.h"

enum { AHOY_RTP_HEADER_SIZE = 12 };

/* What is read is a view into the packet. */
struct ahoy_rtp {
    bool marker;
    uint8_t payload_type; /* 0 to 127 */
    uint16_t sequence;
    uint32_t timestamp;
    uint32_t ssrc;
    struct span sources; /* CSRC, four bytes each. */
    bool has_extension;
    uint16_t profile;      /* The first 16 bits of the extension; its meaning is the profile's. */
    struct span extension; /* What follows its length. */
    struct span payload;   /* Without padding; may be empty. */
};

/* Whether a packet that came to a port which both share is RTCP: RFC 5761 4. */
bool ahoy_rtp_is_rtcp(struct span packet);

/* Reads |packet|.  False where it is too short for its own lengths, of another version than 2, or
 * its padding is longer than what it pads (A.1). */
bool ahoy_rtp_parse(struct span packet, struct ahoy_rtp *rtp);

/* Prints the header and the payload, without sources, extension and padding. */
void ahoy_rtp_print(const struct ahoy_rtp *rtp, struct ahoy_buf *buf);
