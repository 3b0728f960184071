/* Reception statistics: RFC 3550 A.1, A.3, A.8.  Names and constants are those of the appendix. */
#include "libahoy/media/reception.h"

enum { MIN_SEQUENTIAL = 2, MAX_DROPOUT = 3000, MAX_MISORDER = 100 };

/* The source begins with |sequence|.  Counts of lost packets begin anew. */
static void begin(struct ahoy_reception *reception, uint16_t sequence)
{
    reception->in_sequence = MIN_SEQUENTIAL;
    reception->highest = sequence;
    reception->bad_sequence = 0;
    reception->cycles = 0;
    reception->first = sequence;
    reception->received = 1;
    reception->received_prior = 0;
    reception->expected_prior = 0;
    reception->has_transit = false;
}

static bool is_in_sequence(struct ahoy_reception *reception, uint16_t sequence)
{
    uint16_t ahead = (uint16_t)(sequence - reception->highest);
    if (reception->in_sequence < MIN_SEQUENTIAL) {
        reception->in_sequence =
            reception->in_sequence > 0 && ahead == 1 ? reception->in_sequence + 1 : 1;
        reception->highest = sequence;
        if (reception->in_sequence < MIN_SEQUENTIAL)
            return false;
        begin(reception, sequence);
        return true;
    }
    if (ahead < MAX_DROPOUT) {
        if (sequence < reception->highest)
            reception->cycles += 65536;
        reception->highest = sequence;
    } else if (ahead <= 65536 - MAX_MISORDER) {
        if (reception->bad_sequence != (uint32_t)sequence + 1) {
            reception->bad_sequence = (uint32_t)(uint16_t)(sequence + 1) + 1;
            return false;
        }
        begin(reception, sequence); /* Two in sequence: it has begun anew. */
        return true;
    }
    reception->received++;
    return true;
}

/* R3550-6.4.1-3: the mean deviation of the transit time from packet to packet. */
static void measure(struct ahoy_reception *reception, uint32_t timestamp, uint32_t clock_hz,
                    uint64_t now_us)
{
    uint32_t arrival =
        (uint32_t)(now_us / 1000000 * clock_hz + now_us % 1000000 * clock_hz / 1000000);
    uint32_t transit = arrival - timestamp;
    int32_t difference = (int32_t)(transit - reception->transit);
    if (reception->has_transit) {
        uint32_t size = difference < 0 ? 0 - (uint32_t)difference : (uint32_t)difference;
        reception->jitter_16 += size - ((reception->jitter_16 + 8) >> 4);
    }
    reception->transit = transit;
    reception->has_transit = true;
}

bool ahoy_reception_take(struct ahoy_reception *reception, const struct ahoy_rtp *rtp,
                         uint32_t clock_hz, uint64_t now_us)
{
    if (!is_in_sequence(reception, rtp->sequence))
        return false;
    measure(reception, rtp->timestamp, clock_hz, now_us);
    return true;
}

void ahoy_reception_take_report(struct ahoy_reception *reception, uint64_t ntp, uint64_t now_us)
{
    reception->last_report = (uint32_t)(ntp >> 16);
    reception->last_report_us = now_us;
}

static uint32_t highest(const struct ahoy_reception *reception)
{
    return reception->cycles + reception->highest;
}

uint32_t ahoy_reception_expected(const struct ahoy_reception *reception)
{
    return reception->in_sequence < MIN_SEQUENTIAL ? 0 : highest(reception) - reception->first + 1;
}

int64_t ahoy_reception_lost(const struct ahoy_reception *reception)
{
    return (int64_t)ahoy_reception_expected(reception) - reception->received;
}

static int32_t clamp(int64_t lost)
{
    const int32_t most = 0x7fffff; /* What 24 bits hold. */
    return (int32_t)(lost > most ? most : lost < -most - 1 ? -most - 1 : lost);
}

void ahoy_reception_report(struct ahoy_reception *reception, uint64_t now_us,
                           struct ahoy_rtcp_block *block)
{
    uint32_t expected = ahoy_reception_expected(reception);
    uint32_t of = expected - reception->expected_prior;
    int64_t lost = (int64_t)of - (reception->received - reception->received_prior);
    reception->expected_prior = expected;
    reception->received_prior = reception->received;
    *block = (struct ahoy_rtcp_block){
        .ssrc = reception->ssrc,
        .fraction_lost = (uint8_t)(of == 0 || lost <= 0 ? 0 : lost * 255 / of),
        .lost = clamp(ahoy_reception_lost(reception)),
        .highest = highest(reception),
        .jitter = reception->jitter_16 >> 4,
    };
    if (reception->last_report_us != 0) {
        uint64_t ago_us = now_us - reception->last_report_us;
        block->last_report = reception->last_report;
        block->last_report_ago = (uint32_t)(ago_us * 65536 / 1000000);
    }
}
