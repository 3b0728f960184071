/* One call's sound.  Its packets are read when the driver says that they are there; its frames are
 * sent and played in the worker's turns. */
#include "ahoy/worker_talk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "ahoy/show.h"
#include "ahoy/sound.h"
#include "ahoy/view.h"
#include "ahoy/worker_secure.h"
#include "libahoy/io/addresses.h"
#include "libahoy/io/driver.h"
#include "libahoy/media/media.h"

enum { PACKETS_A_TURN = 64, GATHERING_MS = 50 };

struct phone_base {
    struct phone_talk *talk;
    size_t number;
    struct ahoy_ip ip;
};

struct phone_talk {
    struct phone *phone;
    const struct phone_options *options;
    struct ahoy_handle session; /* Null until there is something agreed. */
    struct ahoy_rtp_pair pair;
    struct phone_base bases[AHOY_RTP_BASES_LIMIT];
    struct ahoy_media *media; /* NULL until there is something agreed. */
    struct phone_sound *sound;
    struct phone_secure secure;
    struct ahoy_sdp_agreed agreed; /* Its codec is AHOY_NO_CODEC until then. */
    uint32_t rate_hz;              /* Of |sound|. */
    bool is_early, has_dialled;    /* Nothing is agreed yet, but something is heard. */
    bool records, is_muted;
    struct ahoy_ip shown;     /* Where others are told that the sockets are. */
    bool is_answered, is_cut; /* There is no way for its sound; so it was hung up. */
    bool is_lost;             /* There was one, and another is looked for. */
    uint64_t give_up_ms;      /* Then nobody has asked for that. */
    bool is_gathering, is_restarting;
    double said_dbov, heard_dbov; /* Of the latest frame. */
};

static bool is_recording; /* Some call of this phone writes the file. */

static bool begin(struct phone_talk *talk, const struct ahoy_sdp_agreed *agreed);

/* Sound comes before any description, by a number of our offer's: R3264-5.1-12.  Nothing is said
 * for now, as nobody knows where to. */
static void begin_early(struct phone_talk *talk, struct span packet)
{
    struct ahoy_rtp rtp;
    struct ahoy_sdp_agreed early = { .codec = AHOY_NO_CODEC };
    ahoy_sdp_own_formats(talk->options->codecs, &early.heard);
    if (!ahoy_rtp_parse(packet, &rtp))
        return;
    for (size_t i = 0; i < early.heard.count; i++) {
        if (early.heard.types[early.heard.order[i]] == rtp.payload_type)
            early.codec = early.heard.order[i];
    }
    early.payload_type = rtp.payload_type;
    talk->is_early = early.codec != AHOY_NO_CODEC;
    if (!talk->is_early)
        return;
    if (begin(talk, &early)) {
        ahoy_media_direct(talk->media, AHOY_RECVONLY);
        return;
    }
    ahoy_media_free(talk->media);
    talk->media = NULL;
    talk->pair.takes_first = false; /* Nor is it tried again. */
}

static void take_packet(struct phone_talk *talk, size_t base, bool is_rtcp, struct span packet,
                        const struct ahoy_ip *source)
{
    if (!phone_secure_take(&talk->secure, base, is_rtcp, &packet, source))
        return;
    if (talk->media == NULL && talk->pair.takes_first && !is_rtcp)
        begin_early(talk, packet);
    if (talk->media != NULL)
        ahoy_media_step(talk->media, packet, is_rtcp, ahoy_driver_now_us());
}

static void read_side(struct phone_talk *talk, enum ahoy_rtp_side side)
{
    char bytes[AHOY_RTP_DATAGRAM_LIMIT];
    struct span packet;
    struct ahoy_ip source;
    for (int i = 0; i < PACKETS_A_TURN; i++) {
        if (!ahoy_rtp_pair_receive(&talk->pair, side, bytes, &packet, &source))
            return;
        size_t base = 0;
        if (side == AHOY_RTP_SIDE && !phone_secure_unwrap(&talk->secure, &base, &packet, &source))
            continue;
        /* RTCP may come to the port of RTP, as we have offered: R5761-5.1.1-5. */
        bool is_rtcp = side == AHOY_RTCP_SIDE || ahoy_rtp_is_rtcp(packet);
        take_packet(talk, base, is_rtcp, packet, &source);
    }
}

static void read_further(void *context)
{
    const struct phone_base *base = context;
    struct phone_talk *talk = base->talk;
    char bytes[AHOY_RTP_DATAGRAM_LIMIT];
    struct span packet;
    struct ahoy_ip source;
    for (int i = 0; i < PACKETS_A_TURN; i++) {
        if (!ahoy_rtp_pair_receive_at(&talk->pair, base->number, bytes, &packet, &source))
            return;
        size_t number = base->number;
        if (phone_secure_unwrap(&talk->secure, &number, &packet, &source))
            take_packet(talk, number, ahoy_rtp_is_rtcp(packet), packet, &source);
    }
}

static void read_rtp(void *context)
{
    read_side(context, AHOY_RTP_SIDE);
}

static void read_rtcp(void *context)
{
    read_side(context, AHOY_RTCP_SIDE);
}

/* By keys of an offer what comes may be secured, and would be noise until the answer is here. */
static bool takes_first(const struct phone_options *options)
{
    bool has_keys = options->security != AHOY_SECURITY_OFF;
    for (size_t i = 0; options->security == AHOY_SECURITY_OPTIONAL && i < options->server_count;
         i++) {
        has_keys = ahoy_transport_is_secure((enum ahoy_transport)options->servers[i].hop.transport);
        if (has_keys)
            break;
    }
    return !has_keys;
}

/* The peer may be reached from other addresses of this machine, too (RFC 8445 5.1.1.1); but not
 * where ours was chosen, or the server is on this machine. */
static void open_further(struct phone_talk *talk)
{
    struct ahoy_own_address addresses[AHOY_OWN_ADDRESSES_LIMIT];
    struct ahoy_ip chosen[AHOY_RTP_BASES_LIMIT];
    const struct ahoy_ip *own = &talk->pair.local;
    int fd;
    if (!phone_secure_may_have_ice(talk->options) ||
        talk->options->listen.family != AHOY_NO_FAMILY || ahoy_ip_is_loopback(own))
        return;
    bool has_relay = talk->options->turn.server.family != AHOY_NO_FAMILY; /* It takes a place. */
    size_t count = ahoy_own_addresses_choose(addresses, ahoy_own_addresses(addresses), own, chosen,
                                             AHOY_RTP_BASES_LIMIT - has_relay);
    for (size_t i = 1; i < count; i++) {
        size_t number = talk->pair.base_count;
        chosen[i].port = own->port;
        if (!ahoy_rtp_pair_add(&talk->pair, &chosen[i], &fd))
            continue;
        talk->bases[number] = (struct phone_base){ talk, number, chosen[i] };
        if (!ahoy_driver_watch(phone_driver(talk->phone), fd, read_further, &talk->bases[number]))
            return;
        phone_secure_place(&talk->secure, &chosen[i]);
    }
}

struct phone_talk *phone_talk_open(struct phone *phone, const struct phone_options *options,
                                   struct ahoy_ip *media)
{
    uint64_t random;
    struct phone_talk *talk = calloc(1, sizeof *talk);
    if (talk == NULL || !ahoy_driver_random(&random, sizeof random)) {
        fprintf(stderr, "ahoy: no audio: %s\n", strerror(errno));
        free(talk);
        return NULL;
    }
    talk->phone = phone;
    talk->options = options;
    talk->pair = (struct ahoy_rtp_pair){ .fds = { -1, -1 } };
    struct ahoy_driver *driver = phone_driver(phone);
    struct ahoy_ip local = ahoy_driver_local(driver, 0);
    const struct ahoy_port_range range = { options->port_low, options->port_high };
    if (!phone_secure_open(&talk->secure, &talk->pair, options->security) ||
        !ahoy_rtp_pair_open(&talk->pair, &local, range, random) ||
        !ahoy_driver_watch(driver, talk->pair.fds[AHOY_RTP_SIDE], read_rtp, talk) ||
        !ahoy_driver_watch(driver, talk->pair.fds[AHOY_RTCP_SIDE], read_rtcp, talk) ||
        !phone_join(phone, talk)) {
        fprintf(stderr, "ahoy: no UDP ports for audio: %s\n", strerror(errno));
        phone_talk_close(talk, (struct ahoy_handle){ 0, 0 });
        return NULL;
    }
    /* Whoever is called with a handshake may begin it before his answer is here. */
    talk->pair.takes_checks = options->security == AHOY_SECURITY_HANDSHAKE;
    talk->pair.takes_first = takes_first(options);
    *media = talk->shown = phone_shown(phone, &talk->pair.local);
    phone_secure_place(&talk->secure, media);
    talk->bases[0] = (struct phone_base){ talk, 0, *media };
    open_further(talk);
    phone_secure_gather(&talk->secure, options);
    while (!phone_secure_has_gathered(&talk->secure)) /* All else goes on meanwhile. */
        phone_turn(phone, phone_now() + GATHERING_MS);
    ahoy_ua_secure(phone_ua(phone), &talk->secure.ours); /* The call that is made next. */
    return talk;
}

/* Where |ip| leads.  A wildcard stands for a call on hold (RFC 3264 8.4), and no group is called:
 * that is nowhere, for RTP and RTCP. */
static struct ahoy_ip destination(const struct ahoy_ip *ip)
{
    static const struct ahoy_ip nowhere;
    return ahoy_ip_is_wildcard(ip) || ahoy_ip_is_multicast(ip) ? nowhere : *ip;
}

static bool begin(struct phone_talk *talk, const struct ahoy_sdp_agreed *agreed)
{
    struct ahoy_media_options media = { .coder = ahoy_coder(agreed->codec),
                                        .payload_type = agreed->payload_type,
                                        .opus = agreed->opus,
                                        .heard = agreed->heard,
                                        .has_events = agreed->has_events,
                                        .events = agreed->events,
                                        .events_hz = agreed->events_hz,
                                        .unlisted_events = agreed->unlisted_events,
                                        .is_secured = agreed->secured.suite != AHOY_NO_SUITE,
                                        .cname = talk->options->address };
    if (media.coder == NULL || !ahoy_driver_random(media.seed, sizeof media.seed))
        return false;
    ahoy_media_free(talk->media);
    talk->records |= !is_recording;
    is_recording = true;
    talk->media = ahoy_media_new(&media, ahoy_driver_now_us());
    if (talk->sound == NULL || talk->rate_hz != media.coder->rate_hz) {
        phone_sound_close(talk->sound);
        talk->sound = phone_sound_open(talk->options, phone_devices(talk->phone),
                                       media.coder->rate_hz, talk->records);
        talk->rate_hz = media.coder->rate_hz;
    }
    if (talk->media == NULL || talk->sound == NULL)
        return false;
    if (!talk->is_early && !talk->has_dialled &&
        !ahoy_media_dial(talk->media, ahoy_span(talk->options->digits)))
        fprintf(stderr, "ahoy: the other phone takes no digits\n");
    talk->has_dialled |= !talk->is_early;
    talk->agreed = *agreed;
    return true;
}

static bool is_as_before(const struct phone_talk *talk, const struct ahoy_sdp_agreed *agreed)
{
    const struct ahoy_sdp_opus *opus = &agreed->opus, *before = &talk->agreed.opus;
    return agreed->codec == talk->agreed.codec &&
           agreed->payload_type == talk->agreed.payload_type &&
           ahoy_sdp_formats_equal(&agreed->heard, &talk->agreed.heard) &&
           opus->playback_hz == before->playback_hz && opus->bits == before->bits &&
           opus->takes_fec == before->takes_fec && opus->wants_cbr == before->wants_cbr &&
           agreed->has_events == talk->agreed.has_events && agreed->events == talk->agreed.events &&
           agreed->events_hz == talk->agreed.events_hz &&
           agreed->unlisted_events == talk->agreed.unlisted_events &&
           agreed->secured.suite == talk->agreed.secured.suite;
}

void phone_talk_agree(struct phone_talk *talk, const struct ahoy_ua_news *news)
{
    const struct ahoy_sdp_agreed *agreed = &news->agreed;
    if (talk == NULL || agreed->codec == AHOY_NO_CODEC)
        return;
    talk->session = news->session;
    talk->is_answered |= news->kind != AHOY_NEWS_EARLY;
    talk->is_restarting = false;
    talk->pair.takes_first = false;
    if (talk->is_early) /* That was a guess. */
        talk->agreed.codec = AHOY_NO_CODEC;
    talk->is_early = false;
    struct ahoy_ip rtp = destination(&agreed->rtp);
    struct ahoy_ip rtcp = destination(&agreed->rtcp);
    if (!phone_secure_agree(&talk->secure, agreed, &rtp, &rtcp,
                            ahoy_ua_notice(phone_ua(talk->phone))) ||
        (!is_as_before(talk, agreed) && !begin(talk, agreed))) {
        ahoy_media_free(talk->media);
        talk->media = NULL;
        talk->agreed.codec = AHOY_NO_CODEC;
        fprintf(stderr, "ahoy: this call goes without sound\n");
        return;
    }
    ahoy_media_direct(talk->media, agreed->direction);
    phone_sound_attend(talk->sound, (agreed->direction & AHOY_SENDONLY) == 0); /* Not on hold. */
}

static void send_all(struct phone_talk *talk)
{
    struct ahoy_media_packet packet;
    while (ahoy_media_poll(talk->media, ahoy_driver_now_us(), &packet))
        phone_secure_send(&talk->secure, packet.is_rtcp, packet.bytes);
}

/* A call that nobody hears is none (decision 184). */
static void cut(struct phone_talk *talk)
{
    if (talk->is_cut)
        return;
    talk->is_cut = true;
    phone_show_way(talk->options, talk->session, PHONE_NO_WAY);
    ahoy_ua_hangup(phone_ua(talk->phone), talk->session, phone_now());
}

/* The other side is asked to look for another way, once it is known how others see us. */
static void restart(struct phone_talk *talk)
{
    struct ahoy_ua *ua = phone_ua(talk->phone);
    if (!talk->is_gathering || !phone_secure_has_gathered(&talk->secure))
        return;
    talk->is_gathering = false;
    talk->is_restarting = true;
    if (talk->secure.ours.handshake.ice.count > 0) /* Of an address that is still ours. */
        talk->shown = talk->secure.ours.handshake.ice.candidates[0].ip;
    ahoy_ua_secure(ua, &talk->secure.ours);
    ahoy_ua_move(ua, talk->session, &talk->shown, phone_now());
}

void phone_talk_refused(struct phone_talk *talk)
{
    if (talk == NULL || !talk->is_restarting)
        return;
    talk->is_restarting = false;
    phone_secure_take_back(&talk->secure);
}

static void lose(struct phone_talk *talk)
{
    if (talk->is_lost)
        return;
    talk->is_lost = true;
    talk->give_up_ms = phone_now() + AHOY_ICE_PATIENCE_MS;
    phone_show_way(talk->options, talk->session, PHONE_LOST);
    talk->is_gathering = phone_secure_restart(&talk->secure, talk->options);
    if (!talk->is_gathering)
        cut(talk);
}

/* One that rings may still be answered by another phone. */
static void mind_way(struct phone_talk *talk)
{
    struct ahoy_sdp_settled settled;
    enum phone_reach reach = phone_secure_reach(&talk->secure);
    if (phone_secure_settled(&talk->secure, &settled)) {
        ahoy_ua_settled(phone_ua(talk->phone), talk->session, &settled, phone_now());
        if (talk->is_lost)
            phone_show_way(talk->options, talk->session, PHONE_REACHED);
        talk->is_lost = false;
    }
    if (talk->is_answered && reach == PHONE_LOST)
        lose(talk);
    /* Where the other side does not hear that we would begin anew, we may still hear that of it. */
    if (talk->is_answered &&
        (reach == PHONE_NO_WAY || (reach == PHONE_LOST && phone_now() >= talk->give_up_ms)))
        cut(talk);
    restart(talk);
}

void phone_talk_find_bases(struct phone_talk *talk, const struct ahoy_own_address *addresses,
                           size_t count)
{
    for (size_t base = 0; base < talk->pair.base_count; base++) {
        bool is_there = false;
        for (size_t i = 0; i < count; i++)
            is_there |= ahoy_ip_equal_host(&addresses[i].ip, &talk->bases[base].ip);
        if (!is_there)
            phone_secure_drop(&talk->secure, base);
    }
}

void phone_talk_turn(struct phone_talk *talk)
{
    int16_t samples[AHOY_FRAME_SAMPLES_MAX];
    phone_secure_turn(&talk->secure);
    mind_way(talk);
    if (talk->media == NULL)
        return;
    size_t count = ahoy_media_frame(talk->media);
    uint64_t now_us = ahoy_driver_now_us();
    while (ahoy_media_hear(talk->media, now_us, samples)) {
        phone_sound_hear(talk->sound, samples, count);
        talk->heard_dbov = ahoy_level_dbov(samples, count);
        phone_sound_say(talk->sound, samples, count);
        if (talk->is_muted)
            memset(samples, 0, sizeof samples);
        talk->said_dbov = ahoy_level_dbov(samples, count);
        ahoy_media_say(talk->media, samples, now_us);
        send_all(talk);
    }
    send_all(talk);
}

uint64_t phone_talk_deadline(const struct phone_talk *talk)
{
    uint64_t deadline_us = phone_secure_deadline(&talk->secure, ahoy_driver_now_us());
    uint64_t frame_us = talk->media != NULL ? ahoy_media_deadline(talk->media) : UINT64_MAX;
    if (frame_us < deadline_us)
        deadline_us = frame_us;
    if (talk->is_gathering && deadline_us > (phone_now() + GATHERING_MS) * 1000)
        return phone_now() + GATHERING_MS;
    if (talk->is_lost && talk->give_up_ms > phone_now() && deadline_us > talk->give_up_ms * 1000)
        return talk->give_up_ms;
    return deadline_us == UINT64_MAX ? UINT64_MAX : (deadline_us + 999) / 1000;
}

bool phone_talk_is_cut(const struct phone_talk *talk)
{
    return talk != NULL && (talk->is_cut || talk->is_lost);
}

void phone_talk_mute(struct phone_talk *talk)
{
    if (talk != NULL)
        talk->is_muted = !talk->is_muted;
}

bool phone_talk_dial(struct phone_talk *talk, struct span digits)
{
    return talk->media != NULL && ahoy_media_dial(talk->media, digits);
}

bool phone_talk_read(const struct phone_talk *talk, struct phone_sounding *sounding)
{
    if (talk->media == NULL)
        return false;
    *sounding = (struct phone_sounding){ .said_dbov = talk->said_dbov,
                                         .heard_dbov = talk->heard_dbov,
                                         .is_muted = talk->is_muted };
    ahoy_media_read_stats(talk->media, &sounding->stats);
    return true;
}

bool phone_talk_is_of(const struct phone_talk *talk, struct ahoy_handle session)
{
    return ahoy_handle_equal(talk->session, session);
}

/* When it is said what was heard, the recording is whole. */
static void show(struct phone_talk *talk, struct ahoy_handle session)
{
    struct phone_heard heard = { .codec = talk->agreed.codec, .suite = talk->agreed.secured.suite };
    ahoy_media_read_stats(talk->media, &heard.stats);
    heard.has_tone = phone_sound_tone(talk->sound, &heard.hz, &heard.level_dbov);
    phone_sound_close(talk->sound);
    talk->sound = NULL;
    phone_show_heard(talk->options, session, &heard);
}

void phone_talk_close(struct phone_talk *talk, struct ahoy_handle session)
{
    if (talk == NULL)
        return;
    if (talk->media != NULL) {
        ahoy_media_end(talk->media);
        send_all(talk);
        show(talk, session);
    }
    phone_secure_leave(&talk->secure);
    for (int side = 0; side < AHOY_RTP_SIDES; side++)
        ahoy_driver_unwatch(phone_driver(talk->phone), talk->pair.fds[side]);
    for (size_t base = 1; base < talk->pair.base_count; base++)
        ahoy_driver_unwatch(phone_driver(talk->phone), talk->pair.further[base - 1]);
    phone_part(talk->phone, talk);
    ahoy_rtp_pair_close(&talk->pair);
    ahoy_media_free(talk->media);
    phone_secure_close(&talk->secure);
    phone_sound_close(talk->sound);
    is_recording &= !talk->records;
    explicit_bzero(talk, sizeof *talk);
    free(talk);
}
