/* Offer and answer: RFC 3264 5, 6 and 8. */
#include "libahoy/sdp/negotiate.h"

#include <assert.h>

#include "libahoy/base/poison.h"
#include "libahoy/sdp/attribute.h"

static unsigned allowed(const struct ahoy_sdp_local *local)
{
    return local->codecs != 0 ? local->codecs : AHOY_CODECS_G711;
}

/* The peer's telephone events: those of the clock of what is sent, or, where he has mapped none for
 * it, as phones do that know no other clock for them, the others. */
static void choose_events(const struct ahoy_sdp_media *media, const struct ahoy_sdp_formats *theirs,
                          struct ahoy_sdp_agreed *agreed)
{
    enum ahoy_event_clock clock =
        agreed->codec == AHOY_OPUS && theirs->events[AHOY_EVENTS_48000] != 0 ? AHOY_EVENTS_48000
                                                                             : AHOY_EVENTS_8000;
    agreed->events = theirs->events[clock];
    agreed->has_events = agreed->events != 0;
    agreed->events_hz = clock == AHOY_EVENTS_48000 ? 48000 : 8000;
    if (agreed->has_events)
        agreed->unlisted_events = ahoy_sdp_unlisted_events(media, agreed->events);
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
static bool take_media(const struct ahoy_sdp_media *media, unsigned codecs,
                       struct ahoy_sdp_agreed *agreed)
{
    *agreed = (struct ahoy_sdp_agreed){ .codec = AHOY_NO_CODEC };
    struct ahoy_sdp_agreed taken = *agreed;
    if (!ahoy_span_equal(media->type, SPAN("audio")) || media->port == 0 ||
        !ahoy_sdp_knows_protocol(media->protocol) || !find_addresses(media, &taken))
        return false;
    ahoy_sdp_read_formats(media, codecs, &taken.heard);
    if (taken.heard.count == 0)
        return false;
    taken.codec = taken.heard.order[0];
    taken.payload_type = taken.heard.types[taken.codec];
    if (taken.codec == AHOY_OPUS)
        ahoy_sdp_read_opus(media, taken.payload_type, &taken.opus);
    taken.direction = mirrored(media->direction);
    choose_events(media, &taken.heard, &taken);
    *agreed = taken;
    return true;
}

static uint8_t own(uint8_t described, uint8_t number)
{
    return described != 0 ? described : number;
}

/* The answer says by which numbers we send; what comes has those of our offer: RFC 3264 5.1. */
static void renumber(const struct ahoy_sdp_local *local, struct ahoy_sdp_formats *heard)
{
    struct ahoy_sdp_formats offered;
    ahoy_sdp_own_formats(allowed(local), &offered);
    heard->types[AHOY_OPUS] = own(local->opus, offered.types[AHOY_OPUS]);
    for (size_t i = 0; i < AHOY_EVENT_CLOCKS; i++) {
        if (heard->events[i] != 0)
            heard->events[i] = own(local->events[i], offered.events[i]);
    }
}

/* What the peer's |media| comes to. */
static bool agree(const struct ahoy_sdp *sdp, const struct ahoy_sdp_media *media,
                  const struct ahoy_sdp_local *local, bool is_answer,
                  struct ahoy_sdp_agreed *agreed)
{
    struct ahoy_sdp_secured secured;
    if (!ahoy_sdp_take_security(sdp, media, &local->security, is_answer, &secured) ||
        !take_media(media, allowed(local), agreed))
        return false;
    if (is_answer)
        renumber(local, &agreed->heard);
    agreed->secured = secured;
    agreed->direction = narrowed(agreed->direction, local->direction);
    return true;
}

/* An address of zeros, R3264-8.4-2; but with ICE, where the peer is will be seen. */
static bool is_hold(const struct ahoy_sdp_agreed *agreed)
{
    return ahoy_ip_is_wildcard(&agreed->rtp) && !agreed->secured.peer.has_ice;
}

/* What all have, and the rest, of those who would be secured. */
enum {
    PLAIN_SIZE = offsetof(struct ahoy_sdp_local, security.masters),
    SECRET_SIZE = sizeof(struct ahoy_sdp_local) - PLAIN_SIZE
};

static void *secrets_of(struct ahoy_sdp_local *local)
{
    return (char *)local + PLAIN_SIZE;
}

void ahoy_sdp_local_init(struct ahoy_sdp_local *local)
{
    memset(local, 0, PLAIN_SIZE);
    ahoy_poison(secrets_of(local), SECRET_SIZE);
}

void ahoy_sdp_local_secure(struct ahoy_sdp_local *local)
{
    ahoy_unpoison(secrets_of(local), SECRET_SIZE);
    memset(secrets_of(local), 0, SECRET_SIZE);
}

void ahoy_sdp_local_copy(struct ahoy_sdp_local *to, const struct ahoy_sdp_local *from)
{
    bool has_secrets = from->security.wish != AHOY_SECURITY_OFF;
    if (!has_secrets && to->security.wish != AHOY_SECURITY_OFF)
        explicit_bzero(secrets_of(to), SECRET_SIZE);
    memcpy(to, from, has_secrets ? sizeof *to : (size_t)PLAIN_SIZE);
}

/* RFC 8839 4.4.1.2.2 */
const struct ahoy_ip *ahoy_sdp_place(const struct ahoy_sdp_local *local)
{
    const struct ahoy_sdp_settled *settled = &local->security.handshake.ice.settled;
    bool is_settled = local->security.wish != AHOY_SECURITY_OFF && settled->is_settled;
    return is_settled ? &settled->ours.ip : &local->media;
}

/* "IN IP6 " and an address. */
static void put_address(const struct ahoy_ip *ip, struct ahoy_buf *buf)
{
    ahoy_buf_put(buf, ip->family == AHOY_IPV6 ? SPAN("IN IP6 ") : SPAN("IN IP4 "));
    ahoy_ip_print_bare(ip, buf);
}

/* |offer| is what is answered, or NULL. */
static void put_session(const struct ahoy_sdp_local *local, struct span timing,
                        const struct ahoy_sdp *offer, struct ahoy_buf *buf)
{
    bool has_origin = local->origin.family != AHOY_NO_FAMILY; /* R3264-8-1 */
    ahoy_buf_put(buf, SPAN("v=0\r\no=- "));
    ahoy_buf_put_number(buf, local->session_id);
    ahoy_buf_put_byte(buf, ' ');
    ahoy_buf_put_number(buf, local->version);
    ahoy_buf_put_byte(buf, ' ');
    put_address(has_origin ? &local->origin : &local->media, buf);
    ahoy_buf_put(buf, SPAN("\r\ns=-\r\nc="));
    put_address(ahoy_sdp_place(local), buf);
    ahoy_buf_put(buf, SPAN("\r\nt="));
    ahoy_buf_put(buf, timing);
    ahoy_buf_put(buf, SPAN("\r\n"));
    ahoy_sdp_put_ice_option(&local->security, offer, buf);
}

static void put_audio(uint16_t port, struct span protocol, struct ahoy_buf *buf)
{
    ahoy_buf_put(buf, SPAN("m=audio "));
    ahoy_buf_put_number(buf, port);
    ahoy_buf_put_byte(buf, ' ');
    ahoy_buf_put(buf, protocol);
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

/* |kept| are the formats of our description before; NULL: there is none.  What has a number of its
 * own there keeps it, and what has none gets none, as its number may have meant something else:
 * R3264-8.3.2-1. */
static void put_offered(const struct ahoy_sdp_local *local, const struct ahoy_sdp_formats *kept,
                        struct span protocol, struct ahoy_buf *buf)
{
    struct ahoy_sdp_formats formats;
    unsigned codecs = allowed(local);
    if (kept != NULL && !ahoy_sdp_has_codec(kept, AHOY_OPUS))
        codecs &= ~(1U << AHOY_OPUS);
    ahoy_sdp_own_formats(codecs, &formats);
    renumber(local, &formats);
    if (kept != NULL) {
        formats.types[AHOY_OPUS] = kept->types[AHOY_OPUS];
        memcpy(formats.events, kept->events, sizeof formats.events);
    }
    put_audio(ahoy_sdp_place(local)->port, protocol, buf);
    ahoy_sdp_put_formats(&formats, buf);
    ahoy_sdp_put_security(&local->security, protocol, ahoy_sdp_place(local), buf);
    put_rest(true, local->direction, buf);
}

/* The formats in the offerer's order, which is its preference, by its numbers (RFC 3264 6.1). */
static void put_taken(const struct ahoy_sdp_media *media, const struct ahoy_sdp_local *local,
                      const struct ahoy_sdp_agreed *agreed, struct ahoy_buf *buf)
{
    put_audio(ahoy_sdp_place(local)->port, media->protocol, buf);
    ahoy_sdp_put_formats(&agreed->heard, buf);
    ahoy_sdp_put_secured(&agreed->secured, &local->security, ahoy_sdp_place(local), buf);
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
    struct ahoy_sdp_agreed kept;
    size_t media_count = previous == NULL ? 0 : previous->media_count;
    bool is_placed = false;
    put_session(local, timing_of(previous), previous, buf);
    for (size_t i = 0; i < media_count; i++) { /* R3264-8-5, R3264-8-6, R3264-8-7 */
        if (!is_placed && take_media(&previous->media[i], allowed(local), &kept)) {
            /* Events as they are mapped: R3264-8.3.2-1. */
            put_offered(local, &kept.heard, previous->media[i].protocol, buf);
            is_placed = true;
        } else {
            put_rejected(&previous->media[i], buf);
        }
    }
    if (!is_placed)
        put_offered(local, NULL, ahoy_sdp_protocol(local->security.wish), buf); /* R3264-8.1-1 */
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
