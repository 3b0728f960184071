/* Payload types: RFC 3551 6, RFC 7587 7, RFC 4733 2.4. */
#include "libahoy/sdp/formats.h"

#include "libahoy/sdp/attribute.h"

struct codec {
    struct span name;
    struct span encoding;
    uint8_t payload; /* The static payload type, or the one that we offer. */
    bool is_dynamic;
};

#define CODEC(encoding, rest, payload, is_dynamic)                                                 \
    {                                                                                              \
        SPAN_INIT(encoding rest), SPAN_INIT(encoding), payload, is_dynamic                         \
    }

static const struct codec codecs[] = {
    [AHOY_NO_CODEC] = CODEC("none", "", 0, false),
    [AHOY_PCMU] = CODEC("PCMU", "/8000", 0, false),
    [AHOY_PCMA] = CODEC("PCMA", "/8000", 8, false),
    [AHOY_G722] = CODEC("G722", "/8000", 9, false),
    [AHOY_OPUS] = CODEC("opus", "/48000/2", 96, true),
};

/* What we would rather speak, first: wide band, as far as there is any. */
static const enum ahoy_codec preferred[] = { AHOY_OPUS, AHOY_G722, AHOY_PCMU, AHOY_PCMA };

static const struct {
    uint32_t hz;
    uint8_t payload; /* The one that we offer. */
} clocks[AHOY_EVENT_CLOCKS] = { { 8000, 101 }, { 48000, 97 } };

enum { DIGITS = 16, PAYLOAD_MAX = 127 };

struct span ahoy_codec_name(enum ahoy_codec codec)
{
    return codecs[codec].name;
}

enum ahoy_codec ahoy_codec_find(struct span name)
{
    enum ahoy_codec codec = AHOY_CODECS;
    while (--codec > AHOY_NO_CODEC && !ahoy_span_equal_nocase(name, codecs[codec].encoding))
        continue;
    return codec;
}

bool ahoy_sdp_has_codec(const struct ahoy_sdp_formats *formats, enum ahoy_codec codec)
{
    for (size_t i = 0; i < formats->count; i++) {
        if (formats->order[i] == codec)
            return true;
    }
    return false;
}

bool ahoy_sdp_formats_equal(const struct ahoy_sdp_formats *a, const struct ahoy_sdp_formats *b)
{
    return a->count == b->count && memcmp(a->order, b->order, sizeof a->order) == 0 &&
           memcmp(a->types, b->types, sizeof a->types) == 0 &&
           memcmp(a->events, b->events, sizeof a->events) == 0;
}

static void add(struct ahoy_sdp_formats *formats, enum ahoy_codec codec, uint8_t payload)
{
    if (ahoy_sdp_has_codec(formats, codec))
        return;
    formats->order[formats->count++] = codec;
    formats->types[codec] = payload;
}

static enum ahoy_codec static_codec(uint64_t payload)
{
    for (enum ahoy_codec codec = AHOY_PCMU; codec < AHOY_CODECS; codec++) {
        if (!codecs[codec].is_dynamic && codecs[codec].payload == payload)
            return codec;
    }
    return AHOY_NO_CODEC;
}

/* Those that look like RTCP where both share a port: R5761-4-1, R5761-5.1.1-3. */
static bool is_like_rtcp(uint8_t payload_type)
{
    return payload_type >= 64 && payload_type <= 95;
}

/* What a=rtpmap makes of a payload type. */
enum meaning { UNMAPPED, OTHER, MEANS_OPUS, MEANS_EVENTS };

static enum meaning meaning_of(const struct ahoy_sdp_rtpmap *map)
{
    /* RFC 7587 7: 48000 and 2, whatever is sent. */
    if (map->clock_hz == 48000 && map->channels == 2 &&
        ahoy_span_equal_nocase(map->encoding, codecs[AHOY_OPUS].encoding))
        return MEANS_OPUS;
    for (unsigned i = 0; i < AHOY_EVENT_CLOCKS; i++) {
        if (map->clock_hz == clocks[i].hz &&
            ahoy_span_equal_nocase(map->encoding, SPAN("telephone-event")))
            return MEANS_EVENTS + i;
    }
    return OTHER;
}

/* The first map of each counts. */
static void read_maps(const struct ahoy_sdp_media *media, enum meaning meanings[PAYLOAD_MAX + 1])
{
    struct span rest = media->lines;
    struct span value;
    struct ahoy_sdp_rtpmap map;
    while (ahoy_sdp_attribute_find(&rest, SPAN("rtpmap"), &value)) {
        if (ahoy_sdp_read_rtpmap(value, &map, NULL) && !is_like_rtcp(map.payload) &&
            meanings[map.payload] == UNMAPPED)
            meanings[map.payload] = meaning_of(&map);
    }
}

void ahoy_sdp_read_formats(const struct ahoy_sdp_media *media, unsigned allowed,
                           struct ahoy_sdp_formats *formats)
{
    enum meaning meanings[PAYLOAD_MAX + 1] = { UNMAPPED };
    struct span rest = media->formats;
    *formats = (struct ahoy_sdp_formats){ .count = 0 };
    read_maps(media, meanings);
    while (rest.size > 0) {
        uint64_t payload;
        if (!ahoy_span_number(ahoy_sdp_word(&rest), PAYLOAD_MAX, &payload))
            continue;
        enum ahoy_codec codec = static_codec(payload);
        enum meaning meaning = meanings[payload];
        if (codec == AHOY_NO_CODEC && meaning == MEANS_OPUS)
            codec = AHOY_OPUS;
        if (codec != AHOY_NO_CODEC && (allowed >> codec & 1) != 0)
            add(formats, codec, (uint8_t)payload);
        else if (meaning >= MEANS_EVENTS && formats->events[meaning - MEANS_EVENTS] == 0)
            formats->events[meaning - MEANS_EVENTS] = (uint8_t)payload;
    }
    if (!ahoy_sdp_has_codec(formats, AHOY_OPUS)) /* No audio has that clock. */
        formats->events[AHOY_EVENTS_48000] = 0;
}

/* The parameters of "fmtp:101 ..."; false where there are none. */
static bool find_fmtp(const struct ahoy_sdp_media *media, uint8_t payload, struct span *params)
{
    struct span rest = media->lines;
    struct span value;
    struct ahoy_sdp_fmtp fmtp;
    uint64_t number;
    while (ahoy_sdp_attribute_find(&rest, SPAN("fmtp"), &value)) {
        if (!ahoy_sdp_read_fmtp(value, &fmtp, NULL) ||
            !ahoy_span_number(fmtp.format, PAYLOAD_MAX, &number) || number != payload)
            continue;
        *params = fmtp.params;
        return true;
    }
    return false;
}

/* Takes the next item off |list|, where |mark| is between them. */
static struct span next_item(struct span *list, char mark)
{
    size_t end = ahoy_span_find(*list, mark);
    struct span item = ahoy_span_trim((struct span){ list->at, end });
    *list = ahoy_span_after(*list, end < list->size ? end + 1 : end);
    return item;
}

/* The events 0 to 15 that |list| names, "0-9,11", as bits. */
static unsigned read_events(struct span list)
{
    unsigned set = 0;
    while (list.size > 0) {
        struct span item = next_item(&list, ',');
        size_t dash = ahoy_span_find(item, '-');
        struct span last = ahoy_span_after(item, dash < item.size ? dash + 1 : 0);
        uint64_t low, high;
        if (ahoy_span_number((struct span){ item.at, dash }, UINT8_MAX, &low) &&
            ahoy_span_number(last, UINT8_MAX, &high)) {
            for (uint64_t event = low; event <= high && event < DIGITS; event++)
                set |= 1U << event;
        }
    }
    return set;
}

uint16_t ahoy_sdp_unlisted_events(const struct ahoy_sdp_media *media, uint8_t events)
{
    struct span params;
    return find_fmtp(media, events, &params) ? (uint16_t)~read_events(params) : 0;
}

/* What is not known is not looked at: RFC 7587 7.1. */
void ahoy_sdp_read_opus(const struct ahoy_sdp_media *media, uint8_t payload_type,
                        struct ahoy_sdp_opus *opus)
{
    struct span params;
    *opus = (struct ahoy_sdp_opus){ .bits = 0 };
    if (!find_fmtp(media, payload_type, &params))
        return;
    while (params.size > 0) {
        struct span value = next_item(&params, ';');
        struct span name = next_item(&value, '=');
        uint64_t number;
        if (!ahoy_span_number(value, UINT32_MAX, &number))
            continue;
        if (ahoy_span_equal_nocase(name, SPAN("maxplaybackrate")))
            opus->playback_hz = (uint32_t)number;
        else if (ahoy_span_equal_nocase(name, SPAN("maxaveragebitrate")))
            opus->bits = (uint32_t)number;
        else if (ahoy_span_equal_nocase(name, SPAN("useinbandfec")))
            opus->takes_fec = number == 1;
        else if (ahoy_span_equal_nocase(name, SPAN("cbr")))
            opus->wants_cbr = number == 1;
    }
}

void ahoy_sdp_own_formats(unsigned allowed, struct ahoy_sdp_formats *formats)
{
    *formats = (struct ahoy_sdp_formats){ .count = 0 };
    for (size_t i = 0; i < sizeof preferred / sizeof preferred[0]; i++) {
        if ((allowed >> preferred[i] & 1) != 0)
            add(formats, preferred[i], codecs[preferred[i]].payload);
    }
    formats->events[AHOY_EVENTS_8000] = clocks[AHOY_EVENTS_8000].payload;
    if ((allowed >> AHOY_OPUS & 1) != 0)
        formats->events[AHOY_EVENTS_48000] = clocks[AHOY_EVENTS_48000].payload;
}

/* "a=rtpmap:" or "a=fmtp:", and what it says of |payload|. */
static void put_map(struct span start, uint8_t payload, struct span text, struct ahoy_buf *buf)
{
    ahoy_buf_put(buf, start);
    ahoy_buf_put_number(buf, payload);
    ahoy_buf_put_byte(buf, ' ');
    ahoy_buf_put(buf, text);
    ahoy_buf_put(buf, SPAN("\r\n"));
}

static void put_rtpmap(uint8_t payload, struct span name, struct ahoy_buf *buf)
{
    put_map(SPAN("a=rtpmap:"), payload, name, buf);
}

static void put_fmtp(uint8_t payload, struct span params, struct ahoy_buf *buf)
{
    put_map(SPAN("a=fmtp:"), payload, params, buf);
}

void ahoy_sdp_put_formats(const struct ahoy_sdp_formats *formats, struct ahoy_buf *buf)
{
    static const struct span events[AHOY_EVENT_CLOCKS] = {
        SPAN_INIT("telephone-event/8000"),
        SPAN_INIT("telephone-event/48000"),
    };
    for (size_t i = 0; i < formats->count; i++) {
        ahoy_buf_put_byte(buf, ' ');
        ahoy_buf_put_number(buf, formats->types[formats->order[i]]);
    }
    for (size_t i = 0; i < AHOY_EVENT_CLOCKS; i++) {
        if (formats->events[i] == 0)
            continue;
        ahoy_buf_put_byte(buf, ' ');
        ahoy_buf_put_number(buf, formats->events[i]);
    }
    ahoy_buf_put(buf, SPAN("\r\n"));
    for (size_t i = 0; i < formats->count; i++)
        put_rtpmap(formats->types[formats->order[i]], codecs[formats->order[i]].name, buf);
    if (ahoy_sdp_has_codec(formats, AHOY_OPUS)) /* We hear what 16 kHz hold. */
        put_fmtp(formats->types[AHOY_OPUS],
                 SPAN("maxplaybackrate=16000;useinbandfec=1"), buf);
    for (size_t i = 0; i < AHOY_EVENT_CLOCKS; i++) {
        if (formats->events[i] == 0)
            continue;
        put_rtpmap(formats->events[i], events[i], buf);
        /* Those of the other clock are the same ones without saying so (RFC 4733 2.4.1), and an
         * INVITE that is too long for UDP goes by TCP. */
        if (i == AHOY_EVENTS_8000 || formats->events[AHOY_EVENTS_8000] == 0)
            put_fmtp(formats->events[i], SPAN("0-15"), buf);
    }
}
