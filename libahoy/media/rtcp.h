/* Packets of RTCP: RFC 3550 6.1, 6.4 to 6.6 and A.2.  Several are sent as one, a compound. */
#pragma once

#include "libahoy/base/buf.h"

enum { AHOY_RTCP_SR = 200, AHOY_RTCP_RR, AHOY_RTCP_SDES, AHOY_RTCP_BYE, AHOY_RTCP_APP };

enum { AHOY_CNAME_LIMIT = 255 }; /* 6.5: one byte has its length. */

/* What its sender has heard of one source (6.4.1). */
struct ahoy_rtcp_block {
    uint32_t ssrc;
    uint8_t fraction_lost;    /* Of 256, since the report before. */
    int32_t lost;             /* All in all; 24 bits, and below 0 where some came twice. */
    uint32_t highest;         /* Sequence number, with its cycles above. */
    uint32_t jitter;          /* In units of the timestamp. */
    uint32_t last_report;     /* LSR: the middle of the NTP time of the last SR; 0 for none. */
    uint32_t last_report_ago; /* DLSR: since that came, in 1/65536 s. */
};

/* What only a sender's report has. */
struct ahoy_rtcp_sender {
    uint64_t ntp; /* Seconds since 1900 and their 2^-32nd parts. */
    uint32_t timestamp;
    uint32_t packets;
    uint32_t bytes; /* Of payload. */
};

/* One packet of a compound. */
struct ahoy_rtcp {
    uint8_t type;
    uint8_t count;    /* Of blocks, chunks or sources. */
    struct span body; /* Behind the first four bytes, without padding. */
};

/* Whether all of |compound| is sound: A.2.  The walk below is for sound ones. */
bool ahoy_rtcp_is_sound(struct span compound);
/* Takes the next packet off |rest|; false at the end. */
bool ahoy_rtcp_next(struct span *rest, struct ahoy_rtcp *packet);

/* SR or RR: who reports, and for an SR its sender's part.  False for any other packet, and where
 * its blocks do not fit into it. */
bool ahoy_rtcp_read_report(const struct ahoy_rtcp *packet, uint32_t *ssrc,
                           struct ahoy_rtcp_sender *sender);
/* Block |index|, less than packet->count, of a report that was read. */
void ahoy_rtcp_read_block(const struct ahoy_rtcp *packet, size_t index,
                          struct ahoy_rtcp_block *block);
/* The CNAME of an SDES packet's first chunk (6.5.1).  False where there is none. */
bool ahoy_rtcp_read_cname(const struct ahoy_rtcp *packet, uint32_t *ssrc, struct span *cname);
/* Whether a BYE packet (6.6) says goodbye for |ssrc|. */
bool ahoy_rtcp_is_bye_of(const struct ahoy_rtcp *packet, uint32_t ssrc);

/* What a compound of ours says. */
struct ahoy_rtcp_report {
    uint32_t ssrc;
    const struct ahoy_rtcp_sender *sender; /* NULL: nothing was sent, so it is an RR. */
    const struct ahoy_rtcp_block *block;   /* NULL: nothing was heard. */
    struct span cname;                     /* At most AHOY_CNAME_LIMIT bytes. */
    bool bye;
};

/* Prints it: a report, SDES with the CNAME and perhaps BYE (6.1). */
void ahoy_rtcp_print(const struct ahoy_rtcp_report *report, struct ahoy_buf *buf);
