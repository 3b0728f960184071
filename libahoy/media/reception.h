/* What is heard of one source: whether its packets are in sequence (RFC 3550 A.1), how many were
 * lost (A.3) and how unevenly they come (A.8). */
#pragma once

#include "libahoy/media/rtcp.h"
#include "libahoy/media/rtp.h"

/* Zeroed but for |ssrc|: nothing was heard yet. */
struct ahoy_reception {
    uint32_t ssrc;
    unsigned in_sequence; /* The source is believed once two packets are: R3550-8.2-4. */
    uint16_t highest;
    uint32_t bad_sequence; /* The next one of a source that may have begun anew; + 1, 0: none. */
    uint32_t cycles;       /* Of the sequence number, times 65536. */
    uint32_t first;        /* Of those that count. */
    uint32_t received, received_prior, expected_prior;
    bool has_transit;
    uint32_t transit;
    uint32_t jitter_16; /* Sixteen times the jitter, in units of the timestamp. */
    uint32_t last_report;
    uint64_t last_report_us; /* When that came. */
};

/* A packet of this source came.  False where it must not be believed (yet). */
bool ahoy_reception_take(struct ahoy_reception *reception, const struct ahoy_rtp *rtp,
                         uint32_t clock_hz, uint64_t now_us);
/* A report of this source came. */
void ahoy_reception_take_report(struct ahoy_reception *reception, uint64_t ntp, uint64_t now_us);

uint32_t ahoy_reception_expected(const struct ahoy_reception *reception);
/* Below 0 where packets came twice. */
int64_t ahoy_reception_lost(const struct ahoy_reception *reception);
/* What is to be reported; a new time of |fraction_lost| begins. */
void ahoy_reception_report(struct ahoy_reception *reception, uint64_t now_us,
                           struct ahoy_rtcp_block *block);
