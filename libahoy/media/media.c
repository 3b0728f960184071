/* The session: a frame each 20 ms, reports when they are due (RFC 3550 6, RFC 3551 4.1). */
#include "libahoy/media/media.h"

#include <assert.h>
#include <stdlib.h>

#include "libahoy/media/media_parts.h"
#include "libahoy/media/quality.h"
#include "libahoy/media/srtp.h"

enum {
    FRAME_US = AHOY_FRAME_MS * 1000,
    LATE_US = 1000000, /* After so long a sleep, frames are not caught up with. */
    EVENT_MS = 100,    /* RFC 4733 says nothing; 40 ms is what receivers need (Q.24). */
    EVENT_GAP_US = 100000,
    OVERHEAD_BITS = 16000 /* IP, UDP and RTP headers, 50 times a second. */
};

static uint32_t step_of(const struct ahoy_media *media)
{
    return media->coder->clock_hz * AHOY_FRAME_MS / 1000;
}

size_t ahoy_media_frame(const struct ahoy_media *media)
{
    return media->coder->rate_hz * AHOY_FRAME_MS / 1000;
}

static bool open_coders(struct ahoy_media *media)
{
    const struct ahoy_coder *coder = media->coder;
    if (coder->encoder_new != NULL)
        media->encoder = coder->encoder_new(&media->wish);
    return (coder->encoder_new == NULL || media->encoder != NULL) &&
           ahoy_media_hear_codec(media, coder->codec);
}

/* SSRC, sequence and timestamp begin at random: RFC 3550 5.1. */
struct ahoy_media *ahoy_media_new(const struct ahoy_media_options *options, uint64_t now_us)
{
    struct ahoy_media *media = calloc(1, sizeof *media);
    if (media == NULL)
        return NULL;
    media->coder = options->coder;
    media->payload_type = options->payload_type;
    media->wish = options->opus;
    media->formats = options->heard;
    if (media->formats.count == 0) {
        media->formats.order[media->formats.count++] = media->coder->codec;
        media->formats.types[media->coder->codec] = media->payload_type;
        media->formats.events[AHOY_EVENTS_8000] = options->has_events ? options->events : 0;
    }
    media->events_hz = options->events_hz != 0 ? options->events_hz : 8000;
    media->has_events = options->has_events;
    media->events = options->events;
    media->unlisted_events = options->unlisted_events;
    media->report_more = options->is_secured ? AHOY_SRTCP_TRAILER : 0;
    size_t size = options->cname.size;
    media->cname_size = size < AHOY_CNAME_LIMIT ? size : AHOY_CNAME_LIMIT;
    memcpy(media->cname, options->cname.at, media->cname_size);
    ahoy_rng_init(&media->rng, options->seed);
    media->ssrc = (uint32_t)ahoy_rng_next(&media->rng);
    media->sequence = (uint16_t)(ahoy_rng_next(&media->rng) & 0x7fff); /* RFC 4568 6.4 */
    media->timestamp = (uint32_t)ahoy_rng_next(&media->rng);
    media->frame_us = now_us;
    ahoy_rtcp_pace_init(&media->pace, media->coder->bits + OVERHEAD_BITS, now_us);
    media->pace.average_size += (uint32_t)media->report_more; /* R3711-3.4-15 */
    ahoy_conceal_init(&media->concealer, media->coder->rate_hz);
    if (!open_coders(media)) {
        ahoy_media_free(media);
        return NULL;
    }
    return media;
}

void ahoy_media_free(struct ahoy_media *media)
{
    if (media == NULL)
        return;
    if (media->encoder != NULL)
        media->coder->encoder_free(media->encoder);
    for (enum ahoy_codec codec = AHOY_PCMU; codec < AHOY_CODECS; codec++) {
        if (media->decoders[codec] != NULL)
            ahoy_coder(codec)->decoder_free(media->decoders[codec]);
    }
    free(media);
}

void ahoy_media_direct(struct ahoy_media *media, enum ahoy_direction direction)
{
    media->is_muted = direction == AHOY_RECVONLY || direction == AHOY_INACTIVE;
}

bool ahoy_media_dial(struct ahoy_media *media, struct span digits)
{
    if (digits.size == 0)
        return true;
    if (!media->has_events || digits.size > AHOY_MEDIA_DIGITS_LIMIT - media->dial_count)
        return false;
    for (size_t i = 0; i < digits.size; i++) {
        uint8_t code = ahoy_event_code(digits.at[i]);
        if (code == AHOY_EVENT_CODES || (media->unlisted_events >> code & 1) != 0)
            return false; /* R4733-2.5.1.1-1 */
    }
    memcpy(media->dial + media->dial_count, digits.at, digits.size);
    media->dial_count += digits.size;
    return true;
}

void ahoy_media_end(struct ahoy_media *media)
{
    media->is_ended = true;
}

bool ahoy_media_hear(struct ahoy_media *media, uint64_t now_us, int16_t *samples)
{
    if (media->is_ended || now_us < media->frame_us)
        return false;
    if (now_us - media->frame_us > LATE_US) {
        uint64_t missed = (now_us - media->frame_us) / FRAME_US;
        media->frame_us += missed * FRAME_US;
        media->timestamp += (uint32_t)missed * step_of(media);
    }
    ahoy_media_next_frame(media, now_us, samples);
    return true;
}

/* The next digit, once the one before has been over for a while. */
static void begin_event(struct ahoy_media *media)
{
    if (media->dial_count == 0 || ahoy_event_is_said(&media->event) ||
        media->frame_us < media->dial_us)
        return;
    ahoy_event_say(&media->event, ahoy_event_code(media->dial[0]),
                   media->events_hz * EVENT_MS / 1000, media->timestamp);
    media->dial_us = media->frame_us + EVENT_MS * 1000 + EVENT_GAP_US;
    memmove(media->dial, media->dial + 1, --media->dial_count);
}

void ahoy_media_say(struct ahoy_media *media, const int16_t *samples, uint64_t now_us)
{
    char payload[AHOY_FRAME_SAMPLES_MAX * 2];
    char event[AHOY_EVENT_SIZE];
    /* No silence is left out, so the marker stays zero: R3551-4.1-2. */
    struct ahoy_rtp rtp = { .payload_type = media->payload_type, .timestamp = media->timestamp };
    assert(now_us >= media->frame_us && media->packet_size == 0);
    begin_event(media);
    if (ahoy_event_is_said(&media->event)) {
        rtp.payload_type = media->events;
        ahoy_event_next(&media->event, media->events_hz * AHOY_FRAME_MS / 1000, event, &rtp);
    } else {
        rtp.payload = (struct span){ payload, media->coder->encode(media->encoder, samples,
                                                                   ahoy_media_frame(media), payload,
                                                                   sizeof payload) };
    }
    media->timestamp += step_of(media);
    media->frame_us += FRAME_US;
    if (media->is_muted || rtp.payload.size == 0)
        return;
    struct ahoy_buf buf = ahoy_buf_over(media->packet, sizeof media->packet);
    rtp.ssrc = media->ssrc;
    rtp.sequence = media->sequence++;
    ahoy_rtp_print(&rtp, &buf);
    media->packet_size = buf.size;
    media->sent_packets++;
    media->sent_bytes += (uint32_t)rtp.payload.size;
}

/* The timestamp of this very moment: R3550-6.4.1-2. */
static uint32_t timestamp_of(const struct ahoy_media *media, uint64_t now_us)
{
    int64_t ahead_us = (int64_t)(now_us - media->frame_us);
    return media->timestamp + (uint32_t)(ahead_us * media->coder->clock_hz / 1000000);
}

/* A report of ours as |ssrc|: SR where something was sent since the last one, else RR. */
static struct span report(struct ahoy_media *media, uint32_t ssrc, bool bye, uint64_t now_us)
{
    struct ahoy_buf buf = ahoy_buf_over(media->report, sizeof media->report);
    struct ahoy_rtcp_block block;
    struct ahoy_rtcp_sender sender = { .ntp = ahoy_ntp(now_us),
                                       .timestamp = timestamp_of(media, now_us),
                                       .packets = media->sent_packets,
                                       .bytes = media->sent_bytes };
    struct ahoy_rtcp_report said = { .ssrc = ssrc,
                                     .cname = { media->cname, media->cname_size },
                                     .bye = bye };
    if (ssrc == media->ssrc && media->sent_packets != media->reported_packets)
        said.sender = &sender;
    if (ahoy_reception_expected(&media->source) > 0) {
        ahoy_reception_report(&media->source, now_us, &block);
        said.block = &block;
    }
    media->reported_packets = media->sent_packets;
    ahoy_rtcp_print(&said, &buf);
    ahoy_rtcp_pace_note(&media->pace, buf.size + media->report_more); /* R3711-3.4-16 */
    return ahoy_buf_text(&buf);
}

bool ahoy_media_poll(struct ahoy_media *media, uint64_t now_us, struct ahoy_media_packet *packet)
{
    *packet = (struct ahoy_media_packet){ .is_rtcp = false };
    if (media->packet_size > 0) {
        packet->bytes = (struct span){ media->packet, media->packet_size };
        media->packet_size = 0;
        return true;
    }
    packet->is_rtcp = true;
    if (media->must_part) {
        media->must_part = false;
        packet->bytes = report(media, media->old_ssrc, true, now_us);
        return true;
    }
    if (media->is_ended) {
        bool was_heard = media->sent_packets > 0 || !media->pace.is_initial;
        if (media->is_over || !was_heard) /* R3550-6.3.7-2 */
            return false;
        media->is_over = true;
        packet->bytes = report(media, media->ssrc, true, now_us);
        return true;
    }
    if (!ahoy_rtcp_pace_is_due(&media->pace, &media->rng, now_us))
        return false;
    packet->bytes = report(media, media->ssrc, false, now_us);
    return true;
}

uint64_t ahoy_media_deadline(const struct ahoy_media *media)
{
    if (media->is_ended)
        return UINT64_MAX;
    uint64_t report_us = media->pace.next_us;
    return media->frame_us < report_us ? media->frame_us : report_us;
}

/* What was lost on the way, or more where it came too late. */
static double loss_of(const struct ahoy_media *media)
{
    const struct ahoy_jitter_counters *playout = &media->jitter.counters;
    double expected = ahoy_reception_expected(&media->source);
    double turns = (double)(playout->played + playout->concealed);
    double lost = expected > 0 ? (double)ahoy_reception_lost(&media->source) / expected : 0;
    double concealed = turns > 0 ? (double)playout->concealed / turns : 0;
    return lost > concealed ? lost : concealed;
}

void ahoy_media_read_stats(const struct ahoy_media *media, struct ahoy_media_stats *stats)
{
    const struct ahoy_reception *source = &media->source;
    *stats = (struct ahoy_media_stats){
        .sent = media->sent_packets,
        .received = source->received,
        .lost = ahoy_reception_lost(source),
        .loss = loss_of(media),
        .jitter_us = (uint64_t)(source->jitter_16 >> 4) * 1000000 / media->hears->clock_hz,
        .has_round_trip = media->has_round_trip,
        .round_trip_us = media->round_trip_us,
        .delay_us = media->jitter.delay_us,
        .playout = media->jitter.counters,
        .malformed = media->malformed,
        .collisions = media->collisions,
    };
    if (source->received > 0)
        stats->opinion = ahoy_opinion(
            stats->loss, (double)(stats->delay_us + FRAME_US + stats->round_trip_us / 2) / 1000);
    memcpy(stats->digits, media->digits, sizeof stats->digits);
}
