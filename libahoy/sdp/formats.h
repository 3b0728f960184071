/* The formats of audio: which codec each payload type of an m= line is.  Static ones are known by
 * their number (RFC 3551 6), Opus (RFC 7587 7) and telephone events (RFC 4733 2.4.1) by a=rtpmap;
 * their numbers may be different ones in each description (RFC 3264 5.1, 6.1). */
#pragma once

#include "libahoy/base/buf.h"
#include "libahoy/sdp/sdp.h"

enum ahoy_codec { AHOY_NO_CODEC, AHOY_PCMU, AHOY_PCMA, AHOY_G722, AHOY_OPUS, AHOY_CODECS };

/* A set of codecs is bits, 1 << a codec. */
#define AHOY_CODECS_G711 (1U << AHOY_PCMU | 1U << AHOY_PCMA)

/* "PCMU/8000" */
struct span ahoy_codec_name(enum ahoy_codec codec);
/* The one that "PCMU", in any case, begins the name of; AHOY_NO_CODEC for none. */
enum ahoy_codec ahoy_codec_find(struct span name);

/* telephone-event is mapped for each clock that audio has. */
enum ahoy_event_clock { AHOY_EVENTS_8000, AHOY_EVENTS_48000, AHOY_EVENT_CLOCKS };

struct ahoy_sdp_formats {
    size_t count;
    enum ahoy_codec order[AHOY_CODECS]; /* The |count| codecs, each once, the preferred first. */
    uint8_t types[AHOY_CODECS];         /* The payload type of each. */
    uint8_t events[AHOY_EVENT_CLOCKS];  /* That of telephone events; 0 where there is none. */
};

/* What a receiver of Opus asks for (RFC 7587 6.1); zeroes: nothing. */
struct ahoy_sdp_opus {
    uint32_t playback_hz; /* No more of it is heard. */
    uint32_t bits;        /* No more a second, on average. */
    bool takes_fec, wants_cbr;
};

/* The formats of |media| that are among the |codecs|. */
void ahoy_sdp_read_formats(const struct ahoy_sdp_media *media, unsigned codecs,
                           struct ahoy_sdp_formats *formats);
bool ahoy_sdp_has_codec(const struct ahoy_sdp_formats *formats, enum ahoy_codec codec);
bool ahoy_sdp_formats_equal(const struct ahoy_sdp_formats *a, const struct ahoy_sdp_formats *b);
/* The digits' events, 1 << 0 to 15, that the receiver of |media| does not list for events of the
 * payload type |events|; without a list, none (RFC 4733 2.5.1.1). */
uint16_t ahoy_sdp_unlisted_events(const struct ahoy_sdp_media *media, uint8_t events);
void ahoy_sdp_read_opus(const struct ahoy_sdp_media *media, uint8_t payload_type,
                        struct ahoy_sdp_opus *opus);

/* What we offer of |codecs|, by our own numbers. */
void ahoy_sdp_own_formats(unsigned codecs, struct ahoy_sdp_formats *formats);
/* The rest of an m= line, and the lines that say what it means. */
void ahoy_sdp_put_formats(const struct ahoy_sdp_formats *formats, struct ahoy_buf *buf);
