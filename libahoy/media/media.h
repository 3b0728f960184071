/* The sound of one call: RTP and RTCP with one peer (RFC 3550, RFC 3551), 20 ms at a time.  No
 * socket and no clock: packets and the time are arguments.
 *
 * The owner's turn:
 *     ahoy_media_step(media, packet, is_rtcp, now_us) for each packet that came;
 *     while (ahoy_media_hear(media, now_us, heard)) {   a frame is due
 *         use |heard|; ahoy_media_say(media, said, now_us);
 *         while (ahoy_media_poll(media, now_us, &packet)) send it;
 *     }
 *     while (ahoy_media_poll(media, now_us, &packet)) send it;
 * and the next one at ahoy_media_deadline.  Times are those of Unix, in microseconds. */
#pragma once

#include "libahoy/media/codec.h"
#include "libahoy/media/jitter.h"
#include "libahoy/sdp/negotiate.h"

enum { AHOY_MEDIA_PACKET_LIMIT = 1500, AHOY_MEDIA_DIGITS_LIMIT = 32 };

struct ahoy_media;

struct ahoy_media_options {
    const struct ahoy_coder *coder; /* By which we speak, ... */
    uint8_t payload_type;           /* ... as the peer numbers it. */
    /* As ahoy_sdp_agreed has them; |heard| is of codecs that this build has.  With none of them,
     * the peer speaks as we do. */
    struct ahoy_sdp_opus opus;
    struct ahoy_sdp_formats heard;
    bool has_events;
    uint8_t events;
    uint32_t events_hz;
    uint16_t unlisted_events;
    bool is_secured;   /* Packets become longer on the way (RFC 3711 3.4). */
    struct span cname; /* Copied; at most AHOY_CNAME_LIMIT bytes are used. */
    uint64_t seed[2];
};

/* NULL where memory is refused. */
struct ahoy_media *ahoy_media_new(const struct ahoy_media_options *options, uint64_t now_us);
void ahoy_media_free(struct ahoy_media *media);

/* What both sides have agreed on of late: whether we speak.  Sendrecv at first. */
void ahoy_media_direct(struct ahoy_media *media, enum ahoy_direction direction);
/* Sends |digits| as telephone events, one after the other.  False where the peer takes none or not
 * one of them, one is no digit, or there are too many. */
bool ahoy_media_dial(struct ahoy_media *media, struct span digits);
/* Says goodbye: one more RTCP packet, and nothing after it. */
void ahoy_media_end(struct ahoy_media *media);

/* A packet came from the peer. */
void ahoy_media_step(struct ahoy_media *media, struct span packet, bool is_rtcp, uint64_t now_us);

/* How many samples a frame has, of what is heard and of what is said. */
size_t ahoy_media_frame(const struct ahoy_media *media);
/* Whether a frame is due; then |samples| are what is heard in it, and a frame is to be said. */
bool ahoy_media_hear(struct ahoy_media *media, uint64_t now_us, int16_t *samples);
void ahoy_media_say(struct ahoy_media *media, const int16_t *samples, uint64_t now_us);

/* |bytes| live until the next call. */
struct ahoy_media_packet {
    bool is_rtcp;
    struct span bytes;
};

bool ahoy_media_poll(struct ahoy_media *media, uint64_t now_us, struct ahoy_media_packet *packet);
uint64_t ahoy_media_deadline(const struct ahoy_media *media);

struct ahoy_media_stats {
    uint64_t sent, received; /* Packets; of the latest source. */
    int64_t lost;
    double loss; /* A share of those expected, what came too late included. */
    uint64_t jitter_us;
    bool has_round_trip;
    uint64_t round_trip_us;
    uint64_t delay_us; /* From arrival to playing. */
    double opinion;    /* The mean opinion score (quality.h); 0 where nothing was heard. */
    struct ahoy_jitter_counters playout;
    uint64_t malformed; /* Packets that are neither RTP nor RTCP. */
    uint64_t collisions;
    char digits[AHOY_MEDIA_DIGITS_LIMIT + 1]; /* Heard as events; those beyond are not kept. */
};

void ahoy_media_read_stats(const struct ahoy_media *media, struct ahoy_media_stats *stats);
