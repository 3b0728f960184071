/* What comes from the peer: which source is believed, what is played (RFC 3550 6.3, 8.2). */
#include "libahoy/media/media_parts.h"
#include "libahoy/media/quality.h"

/* Somebody has our SSRC: we take another one, but only once, for it may be our own packets that
 * come back (8.2).  R3550-8.2-1, -2, -4. */
static void collide(struct ahoy_media *media)
{
    if (media->collisions++ > 0)
        return;
    media->old_ssrc = media->ssrc;
    /* Whoever has sent nothing says no goodbye: R3550-6.3.7-2. */
    media->must_part = media->sent_packets > 0 || !media->pace.is_initial;
    media->ssrc = (uint32_t)ahoy_rng_next(&media->rng);
    media->sent_packets = media->sent_bytes = media->reported_packets = 0;
}

/* The source, or the one that may become it. */
static struct ahoy_reception *find_source(struct ahoy_media *media, uint32_t ssrc)
{
    if (media->source.in_sequence > 0 && media->source.ssrc == ssrc)
        return &media->source;
    if (media->candidate.ssrc != ssrc)
        media->candidate = (struct ahoy_reception){ .ssrc = ssrc };
    return &media->candidate;
}

static void take_event(struct ahoy_media *media, const struct ahoy_rtp *rtp)
{
    uint8_t code;
    if (!ahoy_event_take(&media->heard, rtp, &code) || ahoy_event_digit(code) == '\0' ||
        media->digit_count == AHOY_MEDIA_DIGITS_LIMIT)
        return;
    media->digits[media->digit_count++] = ahoy_event_digit(code);
}

bool ahoy_media_hear_codec(struct ahoy_media *media, enum ahoy_codec codec)
{
    const struct ahoy_coder *coder = ahoy_coder(codec);
    void **decoder = &media->decoders[codec];
    if (coder->decoder_new != NULL && *decoder == NULL)
        *decoder = coder->decoder_new(media->coder->rate_hz);
    if (coder->decoder_new != NULL && *decoder == NULL)
        return false;
    media->hears = coder;
    ahoy_jitter_init(&media->jitter, coder->clock_hz);
    return true;
}

/* The codec that |payload_type| is by our numbers; AHOY_NO_CODEC where it was not agreed on. */
static enum ahoy_codec codec_of(const struct ahoy_media *media, uint8_t payload_type)
{
    for (size_t i = 0; i < media->formats.count; i++) {
        enum ahoy_codec codec = media->formats.order[i];
        if (media->formats.types[codec] == payload_type && ahoy_coder(codec) != NULL)
            return codec;
    }
    return AHOY_NO_CODEC;
}

/* Whether |rtp| is to be played.  The peer may change between all that was agreed on, R3264-6.1-16
 * and R3264-7-2; what comes late, of a codec that he has left, is left out. */
static bool is_sound(struct ahoy_media *media, struct ahoy_reception *source,
                     const struct ahoy_rtp *rtp, uint32_t jitter_before)
{
    enum ahoy_codec codec = codec_of(media, rtp->payload_type);
    if (codec == AHOY_NO_CODEC)
        return false;
    if (codec == media->hears->codec)
        return true;
    if (rtp->sequence != source->highest || !ahoy_media_hear_codec(media, codec))
        return false;
    /* It may be another clock, by which nothing was measured yet. */
    source->jitter_16 = jitter_before;
    source->has_transit = false;
    return true;
}

static bool is_event(const struct ahoy_media *media, uint8_t payload_type)
{
    for (size_t i = 0; i < AHOY_EVENT_CLOCKS; i++) {
        if (payload_type != 0 && media->formats.events[i] == payload_type)
            return true;
    }
    return false;
}

static void take_rtp(struct ahoy_media *media, struct span packet, uint64_t now_us)
{
    struct ahoy_rtp rtp;
    if (!ahoy_rtp_parse(packet, &rtp)) {
        media->malformed++;
        return;
    }
    if (rtp.ssrc == media->ssrc || (media->collisions > 0 && rtp.ssrc == media->old_ssrc)) {
        collide(media);
        return;
    }
    struct ahoy_reception *source = find_source(media, rtp.ssrc);
    uint32_t jitter_before = source->jitter_16;
    if (!ahoy_reception_take(source, &rtp, media->hears->clock_hz, now_us))
        return;
    if (source == &media->candidate) {
        media->source = media->candidate;
        media->candidate = (struct ahoy_reception){ .ssrc = 0 };
        source = &media->source;
        ahoy_jitter_init(&media->jitter, media->hears->clock_hz);
    }
    if (is_event(media, rtp.payload_type))
        take_event(media, &rtp);
    /* What is not understood is not played (R3550-5.1-2), but has its place in the sequence. */
    bool is_silent = !is_sound(media, source, &rtp, jitter_before);
    ahoy_jitter_put(&media->jitter, &rtp, is_silent, now_us);
}

static void take_report(struct ahoy_media *media, const struct ahoy_rtcp *packet, uint64_t now_us)
{
    uint32_t ssrc;
    struct ahoy_rtcp_sender sender;
    if (!ahoy_rtcp_read_report(packet, &ssrc, &sender))
        return;
    if (ssrc == media->ssrc) {
        collide(media);
        return;
    }
    if (packet->type == AHOY_RTCP_SR)
        ahoy_reception_take_report(find_source(media, ssrc), sender.ntp, now_us);
    for (size_t i = 0; i < packet->count; i++) {
        struct ahoy_rtcp_block block;
        ahoy_rtcp_read_block(packet, i, &block);
        if (block.ssrc == media->ssrc && ahoy_round_trip(&block, now_us, &media->round_trip_us))
            media->has_round_trip = true;
    }
}

static void take_rtcp(struct ahoy_media *media, struct span compound, uint64_t now_us)
{
    struct ahoy_rtcp packet;
    if (!ahoy_rtcp_is_sound(compound)) {
        media->malformed++;
        return;
    }
    ahoy_rtcp_pace_note(&media->pace, compound.size + media->report_more);
    while (ahoy_rtcp_next(&compound, &packet))
        take_report(media, &packet, now_us);
}

void ahoy_media_step(struct ahoy_media *media, struct span packet, bool is_rtcp, uint64_t now_us)
{
    if (is_rtcp)
        take_rtcp(media, packet, now_us);
    else
        take_rtp(media, packet, now_us);
}

/* Puts one between two, as the line goes. */
static void double_samples(struct ahoy_media *media, int16_t *samples, size_t count)
{
    int16_t last = count > 0 ? samples[count - 1] : media->last_decoded;
    for (size_t i = count; i-- > 0;) {
        int16_t sample = samples[i];
        int before = i > 0 ? samples[i - 1] : media->last_decoded;
        samples[2 * i + 1] = sample;
        samples[2 * i] = (int16_t)((before + sample) / 2);
    }
    media->last_decoded = last;
}

static size_t decode(struct ahoy_media *media, struct span payload, int16_t *samples)
{
    const struct ahoy_coder *hears = media->hears;
    bool is_half = hears->decoder_new == NULL && hears->rate_hz < media->coder->rate_hz;
    size_t room = is_half ? AHOY_DECODED_SAMPLES_LIMIT / 2 : AHOY_DECODED_SAMPLES_LIMIT;
    size_t count = hears->decode(media->decoders[hears->codec], payload, samples, room);
    if (is_half)
        double_samples(media, samples, count);
    return is_half ? 2 * count : count;
}

/* What stands for a packet that is lost. */
static size_t conceal(struct ahoy_media *media, int16_t *samples)
{
    const struct ahoy_coder *hears = media->hears;
    size_t count = media->jitter.packet_us * media->coder->rate_hz / 1000000;
    size_t made_up = hears->conceal == NULL
                         ? 0
                         : hears->conceal(media->decoders[hears->codec],
                                          ahoy_jitter_peek(&media->jitter), samples, count);
    if (made_up > 0)
        ahoy_conceal_join(&media->concealer, samples, made_up);
    else
        ahoy_conceal_fill(&media->concealer, samples, count);
    return made_up > 0 ? made_up : count;
}

/* One more packet's samples behind those that wait, or what stands for them. */
static void fill(struct ahoy_media *media, uint64_t now_us)
{
    struct ahoy_media_queue *queue = &media->queue;
    int16_t *end = queue->samples + queue->count;
    size_t frame = ahoy_media_frame(media);
    struct span payload;
    enum ahoy_jitter_frame what = ahoy_jitter_get(&media->jitter, now_us, &payload);
    size_t count = what == AHOY_JITTER_PLAY ? decode(media, payload, end) : 0;
    if (count > 0) {
        ahoy_conceal_join(&media->concealer, end, count);
    } else if (what == AHOY_JITTER_SILENCE) {
        count = frame;
        memset(end, 0, count * sizeof *end);
        ahoy_conceal_join(&media->concealer, end, count);
    } else {
        count = conceal(media, end);
    }
    queue->count += count;
}

void ahoy_media_next_frame(struct ahoy_media *media, uint64_t now_us, int16_t *samples)
{
    struct ahoy_media_queue *queue = &media->queue;
    size_t frame = ahoy_media_frame(media);
    while (queue->count < frame)
        fill(media, now_us);
    memcpy(samples, queue->samples, frame * sizeof *samples);
    queue->count -= frame;
    memmove(queue->samples, queue->samples + frame, queue->count * sizeof *samples);
}
