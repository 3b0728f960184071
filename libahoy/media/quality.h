/* How good a call is: the round trip from reports (RFC 3550 6.4.1), and an estimate of what people
 * would say of it, the E-model (ITU-T G.107) with its defaults. */
#pragma once

#include "libahoy/media/rtcp.h"

/* The time of NTP (RFC 5905 6) at |unix_us|, microseconds since 1970. */
uint64_t ahoy_ntp(uint64_t unix_us);

/* What a block about us says of the round trip, in microseconds.  False where it says nothing: no
 * report of ours had come. */
bool ahoy_round_trip(const struct ahoy_rtcp_block *block, uint64_t now_us, uint64_t *trip_us);

/* The mean opinion score, 1 to 4.5, of G.711 with concealment: |loss| is a share of all packets,
 * |delay_ms| from mouth to ear. */
double ahoy_opinion(double loss, double delay_ms);
