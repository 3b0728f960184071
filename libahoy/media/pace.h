/* When to send RTCP: RFC 3550 6.2, 6.3 and A.7, for a session of two. */
#pragma once

#include "libahoy/base/rng.h"

struct ahoy_rtcp_pace {
    uint32_t bytes_a_second; /* What RTCP may take: 5 % of the session's bandwidth (6.2). */
    uint32_t average_size;   /* Of compounds, both ways, with 28 bytes of IP and UDP. */
    uint64_t last_us, next_us;
    bool is_initial; /* None was sent yet. */
};

/* |session_bits| a second is the bandwidth of the session.  The first report is due at once, as
 * RFC 3550 6.2 allows where there is one peer. */
void ahoy_rtcp_pace_init(struct ahoy_rtcp_pace *pace, uint32_t session_bits, uint64_t now_us);
/* A compound of |size| bytes came or went. */
void ahoy_rtcp_pace_note(struct ahoy_rtcp_pace *pace, size_t size);
/* Whether one is to be sent now; then |next_us| is the time of the next. */
bool ahoy_rtcp_pace_is_due(struct ahoy_rtcp_pace *pace, struct ahoy_rng *rng, uint64_t now_us);
/* The time between two, in microseconds (A.7). */
uint64_t ahoy_rtcp_interval(const struct ahoy_rtcp_pace *pace, struct ahoy_rng *rng);
