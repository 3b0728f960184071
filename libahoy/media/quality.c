/* The round trip and the E-model. */
#include "libahoy/media/quality.h"

#define NTP_UNIX_S UINT64_C(2208988800) /* From 1900 to 1970. */

uint64_t ahoy_ntp(uint64_t unix_us)
{
    uint64_t seconds = unix_us / 1000000 + NTP_UNIX_S;
    return seconds << 32 | (unix_us % 1000000 << 32) / 1000000;
}

/* A - LSR - DLSR.  Clocks that differ, and peers that lie, give what is below 0: it is passed
 * over. */
bool ahoy_round_trip(const struct ahoy_rtcp_block *block, uint64_t now_us, uint64_t *trip_us)
{
    if (block->last_report == 0)
        return false;
    uint32_t now = (uint32_t)(ahoy_ntp(now_us) >> 16);
    int32_t trip = (int32_t)(now - block->last_report - block->last_report_ago);
    if (trip < 0)
        return false;
    *trip_us = (uint64_t)trip * 1000000 / 65536;
    return true;
}

/* ITU-T G.107: R = 93.2 - Id - Ie,eff with all other parameters at their defaults.  Id as Cole and
 * Rosenbluth have fitted it ("Voice over IP performance monitoring", 2001); Ie,eff for random loss,
 * of G.711 with concealment: Ie = 0, Bpl = 25.1 (G.113, appendix I).  MOS from R: G.107, annex B.
 * Codecs of wide band, which have a scale of their own, are judged as if they were G.711. */
double ahoy_opinion(double loss, double delay_ms)
{
    const double best = 93.2;
    const double robustness = 25.1;
    const double knee_ms = 177.3;
    double percent = (loss < 0 ? 0 : loss) * 100;
    double delay = 0.024 * delay_ms + (delay_ms > knee_ms ? 0.11 * (delay_ms - knee_ms) : 0);
    double rating = best - delay - 95 * percent / (percent + robustness);
    if (rating <= 0)
        return 1;
    double opinion = 1 + 0.035 * rating + rating * (rating - 60) * (100 - rating) * 7e-6;
    return opinion < 1 ? 1 : opinion;
}
