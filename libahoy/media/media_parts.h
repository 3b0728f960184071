/* What the files of a media session share: media.c speaks, media_in.c listens. */
#pragma once

#include "libahoy/media/conceal.h"
#include "libahoy/media/event.h"
#include "libahoy/media/media.h"
#include "libahoy/media/pace.h"
#include "libahoy/media/reception.h"

/* Decoded and not played yet: packets and frames need not be of one length. */
struct ahoy_media_queue {
    size_t count;
    int16_t samples[AHOY_DECODED_SAMPLES_LIMIT + AHOY_FRAME_SAMPLES_MAX];
};

struct ahoy_media {
    const struct ahoy_coder *coder, *hears; /* What is said, and what came of late. */
    struct ahoy_sdp_opus wish;
    struct ahoy_sdp_formats formats; /* That may come. */
    void *encoder;
    void *decoders[AHOY_CODECS]; /* NULL until one is needed. */
    int16_t last_decoded;        /* Of G.711 that is played at 16 kHz. */
    uint8_t payload_type, events;
    uint32_t events_hz;
    uint16_t unlisted_events;
    bool has_events, is_muted, is_ended, is_over;
    bool must_part;      /* BYE for |old_ssrc| is to be sent. */
    uint64_t collisions; /* Packets that had our own SSRC. */
    struct ahoy_rng rng;
    size_t cname_size;
    char cname[AHOY_CNAME_LIMIT];

    uint32_t ssrc, old_ssrc;
    uint16_t sequence;
    uint32_t timestamp; /* Of the frame that is due at ... */
    uint64_t frame_us;
    uint32_t sent_packets, sent_bytes, reported_packets;
    struct ahoy_event_said event;
    size_t dial_count;
    char dial[AHOY_MEDIA_DIGITS_LIMIT];
    uint64_t dial_us;   /* The next digit not before. */
    size_t packet_size; /* An RTP packet that is to be polled; 0: none. */
    char packet[AHOY_MEDIA_PACKET_LIMIT];
    char report[AHOY_MEDIA_PACKET_LIMIT];
    size_t report_more; /* Bytes that each grows by. */
    struct ahoy_rtcp_pace pace;

    struct ahoy_reception source;
    struct ahoy_reception candidate; /* Another one, which is not believed yet. */
    struct ahoy_jitter jitter;
    struct ahoy_concealer concealer;
    struct ahoy_media_queue queue;
    struct ahoy_event_heard heard;
    uint64_t malformed;
    bool has_round_trip;
    uint64_t round_trip_us;
    size_t digit_count;
    char digits[AHOY_MEDIA_DIGITS_LIMIT + 1];
};

/* From now on |codec| is heard.  False where memory is refused. */
bool ahoy_media_hear_codec(struct ahoy_media *media, enum ahoy_codec codec);
/* Takes the samples of the next frame out of what came. */
void ahoy_media_next_frame(struct ahoy_media *media, uint64_t now_us, int16_t *samples);
