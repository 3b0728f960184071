/* Offer and answer: RFC 3264 5, 6 and 8. */
#include "libahoy/sdp/negotiate.h"

#include <assert.h>

#include "libahoy/sdp/attribute.h"

struct codec {
    struct span name;
    struct span payload; /* The static payload type (RFC 3551 6). */
};

static const struct codec codecs[] = {
    [AHOY_NO_CODEC] = { SPAN_INIT("none"), SPAN_INIT("") },
    [AHOY_PCMU] = { SPAN_INIT("PCMU/8000"), SPAN_INIT("0") },
    [AHOY_PCMA] = { SPAN_INIT("PCMA/8000"), SPAN_INIT("8") },
    [AHOY_G722] = { SPAN_INIT("G722/8000"), SPAN_INIT("9") },
};

enum { OFFERED_EVENTS = 101, DIGITS = 16 };

/* What we would rather speak, first: wide band, as far as there is any. */
static const enum ahoy_codec preferred[] = { AHOY_G722, AHOY_PCMU, AHOY_PCMA };
enum { PREFERRED = sizeof preferred / sizeof preferred[0] };

#define ALWAYS (1U << AHOY_PCMU | 1U << AHOY_PCMA)

struct span ahoy_codec_name(enum ahoy_codec codec)
{
    return codecs[codec].name;
}

/* The one of |allowed| that |payload| is. */
static enum ahoy_codec codec_of(struct span payload, unsigned allowed)
{
    for (enum ahoy_codec codec = AHOY_PCMU; codec < AHOY_CODECS; codec++) {
        if ((allowed >> codec & 1) != 0 && ahoy_span_equal(payload, codecs[codec].payload))
            return codec;
    }
    return AHOY_NO_CODEC;
}

/* Those that look like RTCP where both share a port: R5761-4-1, R5761-5.1.1-3. */
static bool is_like_rtcp(uint8_t payload_type)
{
    return payload_type >= 64 && payload_type <= 95;
}

/* The events 0 to 15 that |list| names, "0-9,11", as bits. */
static unsigned read_events(struct span list)
{
    unsigned set = 0;
    while (list.size > 0) {
        size_t comma = ahoy_span_find(list, ',');
        struct span item = ahoy_span_trim((struct span){ list.at, comma });
        size_t dash = ahoy_span_find(item, '-');
        struct span last = ahoy_span_after(item, dash < item.size ? dash + 1 : 0);
        uint64_t low, high;
        if (ahoy_span_number((struct span){ item.at, dash }, UINT8_MAX, &low) &&
            ahoy_span_number(last, UINT8_MAX, &high)) {
            for (uint64_t event = low; event <= high && event < DIGITS; event++)
                set |= 1U << event;
        }
        list = ahoy_span_after(list, comma < list.size ? comma + 1 : comma);
    }
    return set;
}

/* The digits' events that "fmtp:101 0-15" leaves out; without one, none (RFC 4733 2.5.1.1). */
static uint16_t find_unlisted(const struct ahoy_sdp_media *media, struct span payload)
{
    struct span rest = media->lines;
    struct ahoy_sdp_attribute attribute;
    struct ahoy_sdp_fmtp fmtp;
    while (ahoy_sdp_attribute_next(&rest, &attribute)) {
        if (ahoy_span_equal(attribute.name, SPAN("fmtp")) &&
            ahoy_sdp_read_fmtp(attribute.value, &fmtp, NULL) &&
            ahoy_span_equal(fmtp.format, payload))
            return (uint16_t)~read_events(fmtp.params);
    }
    return 0;
}

/* The payload type that "rtpmap:101 telephone-event/8000" gives to telephone events. */
static void find_events(const struct ahoy_sdp_media *media, struct ahoy_sdp_agreed *agreed)
{
    struct span rest = media->lines;
    struct ahoy_sdp_attribute attribute;
    struct ahoy_sdp_rtpmap map;
    while (ahoy_sdp_attribute_next(&rest, &attribute)) {
        if (!ahoy_span_equal(attribute.name, SPAN("rtpmap")) ||
            !ahoy_sdp_read_rtpmap(attribute.value, &map, NULL) || map.clock_hz != 8000 ||
            is_like_rtcp(map.payload) ||
            !ahoy_span_equal_nocase(map.encoding, SPAN("telephone-event")))
            continue;
        struct span formats = media->formats;
        while (formats.size > 0) {
            struct span format = ahoy_sdp_word(&formats);
            uint64_t payload;
            if (ahoy_span_number(format, 127, &payload) && payload == map.payload) {
                agreed->has_events = true;
                agreed->events = map.payload;
                agreed->unlisted_events = find_unlisted(media, format);
                return;
            }
        }
    }
}

/* What the peer would have, seen from here: RFC 3264 6.1. */
static enum ahoy_direction mirrored(enum ahoy_direction theirs)
{
    static const enum ahoy_direction ours[] = { AHOY_SENDRECV, AHOY_RECVONLY, AHOY_SENDONLY,
                                                AHOY_INACTIVE };
    return ours[theirs];
}

/* What is left where both are asked for: each way that one of them rules out is out. */
static enum ahoy_direction narrowed(enum ahoy_direction a, enum ahoy_direction b)
{
    static_assert((AHOY_SENDONLY | AHOY_RECVONLY) == AHOY_INACTIVE && AHOY_SENDRECV == 0,
                  "SENDONLY and RECVONLY are the bits of what is ruled out");
    return (enum ahoy_direction)((unsigned)a | (unsigned)b);
}

/* "0.0.0.0" (R3264-8.4-2), or the same of IPv6. */
static bool is_nowhere(const struct ahoy_ip *ip)
{
    static const struct ahoy_ip nowhere;
    return memcmp(ip->bytes, nowhere.bytes, sizeof ip->bytes) == 0;
}

/* Where the peer awaits RTP, and RTCP: where that is, one port above, or what a=rtcp says. */
static bool find_addresses(const struct ahoy_sdp_media *media, struct ahoy_sdp_agreed *agreed)
{
    struct span value;
    struct ahoy_sdp_rtcp rtcp;
    if (!ahoy_ip_parse(media->connection.address, &agreed->rtp))
        return false;
    agreed->rtp.port = media->port;
    agreed->rtcp = agreed->rtp;
    agreed->has_mux = ahoy_sdp_attribute(media->lines, SPAN("rtcp-mux"), &value);
    if (agreed->has_mux)
        return true;
    agreed->rtcp.port++; /* RFC 3550 11 */
    if (ahoy_sdp_attribute(media->lines, SPAN("rtcp"), &value) &&
        ahoy_sdp_read_rtcp(value, &rtcp, NULL)) {
        if (rtcp.connection.address.size > 0 &&
            !ahoy_ip_parse(rtcp.connection.address, &agreed->rtcp))
            agreed->rtcp = agreed->rtp;
        agreed->rtcp.port = rtcp.port;
    }
    return true;
}

/* Whatever it is secured by. */
static bool take_media(const struct ahoy_sdp_media *media, unsigned allowed,
                       struct ahoy_sdp_agreed *agreed)
{
    *agreed = (struct ahoy_sdp_agreed){ .codec = AHOY_NO_CODEC };
    struct ahoy_sdp_agreed taken = *agreed;
    if (!ahoy_span_equal(media->type, SPAN("audio")) || media->port == 0 ||
        !ahoy_sdp_knows_protocol(media->protocol) || !find_addresses(media, &taken))
        return false;
    struct span formats = media->formats;
    while (formats.size > 0 && taken.codec == AHOY_NO_CODEC)
        taken.codec = codec_of(ahoy_sdp_word(&formats), allowed);
    uint64_t payload_type;
    if (!ahoy_span_number(codecs[taken.codec].payload, 127, &payload_type))
        return false; /* AHOY_NO_CODEC has none. */
    taken.payload_type = (uint8_t)payload_type;
    taken.direction = mirrored(media->direction);
    find_events(media, &taken);
    *agreed = taken;
    return true;
}

/* What the peer's |media| comes to. */
static bool agree(const struct ahoy_sdp *sdp, const struct ahoy_sdp_media *media,
                  const struct ahoy_sdp_local *local, bool is_answer,
                  struct ahoy_sdp_agreed *agreed)
{
    struct ahoy_sdp_secured secured;
    if (!ahoy_sdp_take_security(sdp, media, &local->security, is_answer, &secured) ||
        !take_media(media, local->more_codecs | ALWAYS, agreed))
        return false;
    agreed->secured = secured;
    agreed->direction = narrowed(agreed->direction, local->direction);
    return true;
}

/* With ICE, where the peer is will be seen. */
static bool is_hold(const struct ahoy_sdp_agreed *agreed)
{
    return is_nowhere(&agreed->rtp) && !agreed->secured.peer.has_ice;
}

/* |offer| is what is answered, or NULL. */
static void put_session(const struct ahoy_sdp_local *local, struct span timing,
                        const struct ahoy_sdp *offer, struct ahoy_buf *buf)
{
    struct span family = local->media.family == AHOY_IPV6 ? SPAN("IP6 ") : SPAN("IP4 ");
    ahoy_buf_put(buf, SPAN("v=0\r\no=- "));
    ahoy_buf_put_number(buf, local->session_id);
    ahoy_buf_put_byte(buf, ' ');
    ahoy_buf_put_number(buf, local->version);
    ahoy_buf_put(buf, SPAN(" IN "));
    ahoy_buf_put(buf, family);
    ahoy_ip_print_bare(&local->media, buf);
    ahoy_buf_put(buf, SPAN("\r\ns=-\r\nc=IN "));
    ahoy_buf_put(buf, family);
    ahoy_ip_print_bare(&local->media, buf);
    ahoy_buf_put(buf, SPAN("\r\nt="));
    ahoy_buf_put(buf, timing);
    ahoy_buf_put(buf, SPAN("\r\n"));
    ahoy_sdp_put_lite(&local->security, offer, buf);
}

static void put_audio(uint16_t port, struct span protocol, struct ahoy_buf *buf)
{
    ahoy_buf_put(buf, SPAN("m=audio "));
    ahoy_buf_put_number(buf, port);
    ahoy_buf_put_byte(buf, ' ');
    ahoy_buf_put(buf, protocol);
}

static void put_rtpmap(struct span payload, struct span name, struct ahoy_buf *buf)
{
    ahoy_buf_put(buf, SPAN("a=rtpmap:"));
    ahoy_buf_put(buf, payload);
    ahoy_buf_put_byte(buf, ' ');
    ahoy_buf_put(buf, name);
    ahoy_buf_put(buf, SPAN("\r\n"));
}

static void put_events(uint8_t payload, struct ahoy_buf *buf)
{
    ahoy_buf_put(buf, SPAN("a=rtpmap:"));
    ahoy_buf_put_number(buf, payload);
    ahoy_buf_put(buf, SPAN(" telephone-event/8000\r\na=fmtp:"));
    ahoy_buf_put_number(buf, payload);
    ahoy_buf_put(buf, SPAN(" 0-15\r\n"));
}

/* What stands below the maps.  R5761-5.1.1-1, -2. */
static void put_rest(bool has_mux, enum ahoy_direction direction, struct ahoy_buf *buf)
{
    ahoy_buf_put(buf, SPAN("a=ptime:20\r\n"));
    if (has_mux)
        ahoy_buf_put(buf, SPAN("a=rtcp-mux\r\n"));
    ahoy_buf_put(buf, SPAN("a="));
    ahoy_buf_put(buf, ahoy_direction_name(direction));
    ahoy_buf_put(buf, SPAN("\r\n"));
}

static void put_offered(const struct ahoy_sdp_local *local, const struct ahoy_sdp_agreed *kept,
                        struct span protocol, struct ahoy_buf *buf)
{
    const unsigned allowed = local->more_codecs | ALWAYS;
    put_audio(local->media.port, protocol, buf);
    for (size_t i = 0; i < PREFERRED; i++) {
        if ((allowed >> preferred[i] & 1) == 0)
            continue;
        ahoy_buf_put_byte(buf, ' ');
        ahoy_buf_put(buf, codecs[preferred[i]].payload);
    }
    if (kept->has_events) {
        ahoy_buf_put_byte(buf, ' ');
        ahoy_buf_put_number(buf, kept->events);
    }
    ahoy_buf_put(buf, SPAN("\r\n"));
    for (size_t i = 0; i < PREFERRED; i++) {
        if ((allowed >> preferred[i] & 1) != 0)
            put_rtpmap(codecs[preferred[i]].payload, codecs[preferred[i]].name, buf);
    }
    if (kept->has_events)
        put_events(kept->events, buf);
    ahoy_sdp_put_security(&local->security, protocol, &local->media, buf);
    put_rest(true, local->direction, buf);
}

/* The formats in the offerer's order, which is its preference (RFC 3264 6.1). */
static void put_taken(const struct ahoy_sdp_media *media, const struct ahoy_sdp_local *local,
                      const struct ahoy_sdp_agreed *agreed, struct ahoy_buf *buf)
{
    bool listed[AHOY_CODECS] = { false };
    struct span formats = media->formats;
    put_audio(local->media.port, media->protocol, buf);
    while (formats.size > 0) {
        enum ahoy_codec codec = codec_of(ahoy_sdp_word(&formats), local->more_codecs | ALWAYS);
        if (codec == AHOY_NO_CODEC || listed[codec])
            continue;
        listed[codec] = true;
        ahoy_buf_put_byte(buf, ' ');
        ahoy_buf_put(buf, codecs[codec].payload);
    }
    if (agreed->has_events) {
        ahoy_buf_put_byte(buf, ' ');
        ahoy_buf_put_number(buf, agreed->events);
    }
    ahoy_buf_put(buf, SPAN("\r\n"));
    for (enum ahoy_codec codec = AHOY_PCMU; codec < AHOY_CODECS; codec++) {
        if (listed[codec])
            put_rtpmap(codecs[codec].payload, codecs[codec].name, buf);
    }
    if (agreed->has_events)
        put_events(agreed->events, buf);
    ahoy_sdp_put_secured(&agreed->secured, &local->security, &local->media, buf);
    put_rest(agreed->has_mux, agreed->direction, buf);
}

static void put_rejected(const struct ahoy_sdp_media *media, struct ahoy_buf *buf)
{
    ahoy_buf_put(buf, SPAN("m="));
    ahoy_buf_put(buf, media->type);
    ahoy_buf_put(buf, SPAN(" 0 "));
    ahoy_buf_put(buf, media->protocol);
    ahoy_buf_put_byte(buf, ' ');
    ahoy_buf_put(buf, media->formats);
    ahoy_buf_put(buf, SPAN("\r\n"));
}

static struct span timing_of(const struct ahoy_sdp *sdp)
{
    return sdp != NULL && sdp->timing.size > 0 ? sdp->timing : SPAN("0 0");
}

void ahoy_sdp_print_offer(const struct ahoy_sdp_local *local, const struct ahoy_sdp *previous,
                          struct ahoy_buf *buf)
{
    const struct ahoy_sdp_agreed fresh = { .has_events = true, .events = OFFERED_EVENTS };
    struct ahoy_sdp_agreed kept;
    size_t media_count = previous == NULL ? 0 : previous->media_count;
    bool is_placed = false;
    put_session(local, timing_of(previous), previous, buf);
    for (size_t i = 0; i < media_count; i++) { /* R3264-8-5, R3264-8-6, R3264-8-7 */
        if (!is_placed && take_media(&previous->media[i], local->more_codecs | ALWAYS, &kept)) {
            /* Events as they are mapped: R3264-8.3.2-1. */
            put_offered(local, &kept, previous->media[i].protocol, buf);
            is_placed = true;
        } else {
            put_rejected(&previous->media[i], buf);
        }
    }
    if (!is_placed)
        put_offered(local, &fresh, ahoy_sdp_protocol(local->security.wish), buf); /* R3264-8.1-1 */
}

bool ahoy_sdp_print_answer(const struct ahoy_sdp *offer, const struct ahoy_sdp_local *local,
                           struct ahoy_buf *buf, struct ahoy_sdp_agreed *agreed)
{
    struct ahoy_sdp_agreed taken = { .codec = AHOY_NO_CODEC };
    put_session(local, timing_of(offer), offer, buf);
    for (size_t i = 0; i < offer->media_count; i++) {
        const struct ahoy_sdp_media *media = &offer->media[i];
        if (taken.codec == AHOY_NO_CODEC && agree(offer, media, local, false, &taken))
            put_taken(media, local, &taken, buf);
        else
            put_rejected(media, buf);
    }
    if (is_hold(&taken))
        taken.direction = narrowed(taken.direction, AHOY_RECVONLY);
    *agreed = taken;
    return taken.codec != AHOY_NO_CODEC && !buf->overflow;
}

bool ahoy_sdp_read_answer(const struct ahoy_sdp *answer, const struct ahoy_sdp_local *local,
                          struct ahoy_sdp_agreed *agreed)
{
    for (size_t i = 0; i < answer->media_count; i++) {
        if (!agree(answer, &answer->media[i], local, true, agreed))
            continue;
        if (is_hold(agreed))
            agreed->direction = narrowed(agreed->direction, AHOY_RECVONLY);
        return true;
    }
    *agreed = (struct ahoy_sdp_agreed){ .codec = AHOY_NO_CODEC };
    return false;
}
