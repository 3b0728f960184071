/* STUN, DTLS and SRTP share the port of RTP (RFC 7983). */
#include "ahoy/worker_secure.h"

#include <assert.h>
#include <stdio.h>

#include "libahoy/base/rng.h"
#include "libahoy/io/driver.h"
#include "libahoy/transport/ice.h"
#include "libahoy/transport/stun.h"

static_assert((int)AHOY_RTP_BASES_LIMIT == (int)AHOY_ICE_BASES_LIMIT, "a base is a socket");
static_assert((int)AHOY_PRINT_SIZE == (int)AHOY_DTLS_PRINT_SIZE, "both are of SHA-256");

static struct ahoy_ice_pace pace; /* Of all calls (RFC 8445 14.2). */

static void mind_relay(struct phone_secure *secure);

static void say_words(struct phone_secure *secure, const struct ahoy_sdp_words *words)
{
    const struct ahoy_ice_secret secret = { { words->user, sizeof words->user },
                                            { words->word, sizeof words->word } };
    ahoy_ice_say(&secure->ice, &secret);
}

static void renew_words(struct phone_secure *secure, const uint64_t random[3])
{
    struct ahoy_sdp_words *words = &secure->ours.handshake.ice.words;
    ahoy_token_print(random[0], words->user);
    ahoy_token_print(random[1], words->word);
    ahoy_token_print(random[2], words->word + AHOY_TOKEN_SIZE);
    say_words(secure, words);
}

/* A build without SRTP shakes no hands; nor does one who could not make a certificate. */
static void open_handshake(struct phone_secure *secure, const uint64_t random[5])
{
    struct ahoy_sdp_handshake *ours = &secure->ours.handshake;
    secure->dtls = ahoy_dtls_new(ours->print);
    secure->ours.can_shake = secure->dtls != NULL;
    ahoy_ice_init(&secure->ice, random + 3, &pace);
    renew_words(secure, random);
}

bool phone_secure_open(struct phone_secure *secure, struct ahoy_rtp_pair *pair,
                       enum ahoy_security wish)
{
    uint64_t random[5];
    *secure = (struct phone_secure){ .pair = pair, .ours.wish = wish };
    if (!ahoy_driver_random(secure->ours.masters, sizeof secure->ours.masters) ||
        !ahoy_driver_random(random, sizeof random))
        return false;
    if (wish == AHOY_SECURITY_OPTIONAL || wish == AHOY_SECURITY_HANDSHAKE)
        open_handshake(secure, random);
    return true;
}

void phone_secure_place(struct phone_secure *secure, const struct ahoy_ip *shown)
{
    struct ahoy_sdp_ice *ice = &secure->ours.handshake.ice;
    if (secure->dtls != NULL && ahoy_ice_add_base(&secure->ice, shown))
        ice->count = ahoy_ice_candidates(&secure->ice, ice->candidates);
}

void phone_secure_drop(struct phone_secure *secure, size_t base)
{
    ahoy_ice_drop_base(&secure->ice, base);
}

/* One for the whole call: it is asked for anew when it has failed, or was not needed. */
static void ask_for_relay(struct phone_secure *secure, const struct phone_turn *options)
{
    struct ahoy_relay *relay = &secure->relay;
    uint64_t seed[2];
    if (!relay->is_used && secure->ice.state == AHOY_ICE_GATHERING &&
        ahoy_driver_random(seed, sizeof seed) &&
        !ahoy_relay_add(relay, &secure->ice, &options->server, seed, &pace))
        fprintf(stderr, "ahoy: no relay: the server is reached from no address of ours\n");
    if (!relay->is_used)
        return;
    secure->pair->takes_all = true;
    secure->told = NULL;
    ahoy_turn_open(&relay->turn, &options->server, options->user, ahoy_span(options->password),
                   ahoy_driver_now());
    mind_relay(secure);
}

bool phone_secure_may_have_ice(const struct phone_options *options)
{
    return options->security == AHOY_SECURITY_HANDSHAKE ||
           (options->security == AHOY_SECURITY_OPTIONAL && options->verb == PHONE_ANSWER);
}

void phone_secure_gather(struct phone_secure *secure, const struct phone_options *options)
{
    bool has_stun = options->stun.family != AHOY_NO_FAMILY;
    bool has_turn =
        options->turn.server.family != AHOY_NO_FAMILY && phone_secure_may_have_ice(options);
    if (secure->dtls == NULL || (!has_stun && !has_turn))
        return;
    secure->pair->takes_checks = true;
    if (has_stun)
        ahoy_ice_gather(&secure->ice, &options->stun, ahoy_driver_now());
    if (has_turn)
        ask_for_relay(secure, &options->turn);
}

bool phone_secure_has_gathered(struct phone_secure *secure)
{
    struct ahoy_sdp_ice *ice = &secure->ours.handshake.ice;
    if (secure->dtls == NULL)
        return true;
    ice->count = ahoy_ice_candidates(&secure->ice, ice->candidates);
    return ahoy_ice_has_gathered(&secure->ice, ahoy_driver_now()) &&
           secure->relay.turn.state != AHOY_TURN_ASKING;
}

bool phone_secure_restart(struct phone_secure *secure, const struct phone_options *options)
{
    uint64_t random[3];
    if (!ahoy_driver_random(random, sizeof random))
        return false;
    renew_words(secure, random);
    phone_secure_gather(secure, options);
    return true;
}

void phone_secure_take_back(struct phone_secure *secure)
{
    ahoy_ice_take_back(&secure->ice);
}

void phone_secure_leave(struct phone_secure *secure)
{
    ahoy_turn_close(&secure->relay.turn);
    mind_relay(secure);
}

void phone_secure_close(struct phone_secure *secure)
{
    ahoy_dtls_free(secure->dtls);
    ahoy_srtp_free(secure->srtp);
    explicit_bzero(secure, sizeof *secure);
}

/* Leaves from |base|, which may be the relay. */
static void send_from(struct phone_secure *secure, size_t base, struct span packet,
                      const struct ahoy_ip *remote)
{
    struct ahoy_relay *relay = &secure->relay;
    char space[AHOY_RTP_DATAGRAM_LIMIT + AHOY_TURN_WRAP_SIZE];
    struct ahoy_buf room = ahoy_buf_over(space, sizeof space);
    if (!ahoy_relay_is(relay, base))
        ahoy_rtp_pair_answer(secure->pair, base, packet, remote);
    else if (ahoy_turn_wrap(&relay->turn, remote, packet, ahoy_driver_now(), &room))
        ahoy_rtp_pair_answer(secure->pair, relay->carrier, ahoy_buf_text(&room),
                             &relay->turn.server);
}

static void send_side(struct phone_secure *secure, enum ahoy_rtp_side side, struct span packet)
{
    if (secure->is_relayed)
        send_from(secure, secure->relay.base, packet, &secure->pair->remotes[AHOY_RTP_SIDE]);
    else
        ahoy_rtp_pair_send(secure->pair, side, packet);
}

/* Whichever way has the key that it had goes on as it was (RFC 4568 7.1.4). */
static bool set_keys(struct phone_secure *secure, const uint8_t *ours, const uint8_t *theirs)
{
    if (secure->srtp == NULL)
        secure->srtp = ahoy_srtp_new();
    return secure->srtp != NULL &&
           ahoy_srtp_key(secure->srtp, AHOY_SRTP_OUT, secure->agreed.suite, ours) &&
           ahoy_srtp_key(secure->srtp, AHOY_SRTP_IN, secure->agreed.suite, theirs);
}

/* What has come of the handshake: packets to send, and keys at last. */
static void shake(struct phone_secure *secure)
{
    uint8_t ours[AHOY_DTLS_MASTER_SIZE], theirs[AHOY_DTLS_MASTER_SIZE];
    struct span datagram;
    while (ahoy_dtls_poll(secure->dtls, &datagram))
        send_side(secure, AHOY_RTP_SIDE, datagram);
    bool is_agreed = ahoy_dtls_state(secure->dtls) == AHOY_DTLS_AGREED;
    if (secure->is_over || (!is_agreed && ahoy_dtls_state(secure->dtls) != AHOY_DTLS_FAILED))
        return;
    secure->is_over = true;
    if (is_agreed) {
        ahoy_dtls_keys(secure->dtls, ours, theirs);
        is_agreed = set_keys(secure, ours, theirs);
        explicit_bzero(ours, sizeof ours);
        explicit_bzero(theirs, sizeof theirs);
    }
    if (!is_agreed) /* R5763-5-9: without keys nothing is sent or heard. */
        fprintf(stderr, "ahoy: no sound: the other phone could not prove who it is\n");
}

/* RFC 8445 12.1.1: not before it is known where to. */
static void begin(struct phone_secure *secure)
{
    if (secure->has_begun || !secure->is_reached || !secure->agreed.by_handshake)
        return;
    secure->has_begun = true;
    ahoy_dtls_begin(secure->dtls, secure->agreed.is_active, secure->agreed.peer.print);
    if (ahoy_ip_equal_host(&secure->hello_from, &secure->pair->remotes[AHOY_RTP_SIDE]))
        ahoy_dtls_step(secure->dtls, (struct span){ secure->hello, secure->hello_size });
    shake(secure);
}

/* Sends what the relay is due to send.  That there is none is said once each time. */
static void mind_relay(struct phone_secure *secure)
{
    struct ahoy_turn *turn = &secure->relay.turn;
    struct span datagram;
    if (!secure->relay.is_used)
        return;
    ahoy_relay_mind(&secure->relay, &secure->ice, ahoy_driver_now());
    while (ahoy_turn_poll(turn, ahoy_driver_now(), &datagram))
        ahoy_rtp_pair_answer(secure->pair, secure->relay.carrier, datagram, &turn->server);
    ahoy_relay_mind(&secure->relay, &secure->ice, ahoy_driver_now());
    const char *why = ahoy_turn_why(turn);
    if (why != NULL && secure->told != why)
        fprintf(stderr, "ahoy: no relay: %s\n", why);
    secure->told = why;
}

/* Whether there is a way, and where it leads from now on. */
static bool find_way(struct phone_secure *secure)
{
    struct ahoy_ip *aimed = &secure->pair->remotes[AHOY_RTP_SIDE];
    struct ahoy_ip remote;
    size_t base;
    if (!ahoy_ice_way(&secure->ice, &base, &remote))
        remote = (struct ahoy_ip){ .family = AHOY_NO_FAMILY };
    secure->is_relayed = ahoy_relay_is(&secure->relay, base);
    if (secure->is_relayed)
        base = secure->relay.carrier;
    if (!ahoy_ip_equal(&remote, aimed) || base != secure->pair->base)
        ahoy_rtp_pair_nominate(secure->pair, base, &remote);
    return remote.family != AHOY_NO_FAMILY;
}

/* Sends what is due, and sees whether there is a way (RFC 7675 5.1). */
static void mind_ice(struct phone_secure *secure)
{
    struct ahoy_ice_datagram datagram;
    mind_relay(secure);
    if (!secure->pair->takes_checks)
        return;
    while (ahoy_ice_poll(&secure->ice, ahoy_driver_now(), &datagram))
        send_from(secure, datagram.base, datagram.bytes, &datagram.remote);
    if (secure->ice.state == AHOY_ICE_GATHERING || !find_way(secure))
        return;
    secure->is_reached = true;
    begin(secure);
}

static void find_peer(struct phone_secure *secure, const struct ahoy_sdp_agreed *agreed,
                      const struct ahoy_ip *rtp, const struct ahoy_ip *rtcp, struct span lines)
{
    const struct ahoy_sdp_secured *now = &agreed->secured;
    struct ahoy_ice_peer peer;
    secure->pair->takes_checks =
        now->by_handshake && now->peer.has_ice && ahoy_sdp_read_ice(lines, &peer);
    if (!secure->pair->takes_checks) {
        ahoy_turn_close(&secure->relay.turn); /* It is of use with ICE alone. */
        secure->is_relayed = false;
        ahoy_rtp_pair_aim(secure->pair, rtp, rtcp, agreed->has_mux);
        secure->is_reached = true;
        return;
    }
    if (now->peer.ice_mark == secure->agreed.peer.ice_mark &&
        memcmp(&now->words, &secure->agreed.words, sizeof now->words) == 0) { /* As before. */
        ahoy_ice_hear_more(&secure->ice, &peer, &agreed->rtp, ahoy_driver_now());
        return;
    }
    say_words(secure, &now->words);
    ahoy_ice_begin(&secure->ice, &peer, now->has_offered, ahoy_driver_now());
}

bool phone_secure_agree(struct phone_secure *secure, const struct ahoy_sdp_agreed *agreed,
                        const struct ahoy_ip *rtp, const struct ahoy_ip *rtcp, struct span lines)
{
    const struct ahoy_sdp_secured *before = &secure->agreed;
    const struct ahoy_sdp_secured *now = &agreed->secured;
    bool is_new = now->is_active != before->is_active ||
                  memcmp(now->peer.print, before->peer.print, AHOY_PRINT_SIZE) != 0;
    find_peer(secure, agreed, rtp, rtcp, lines);
    secure->agreed = *now;
    if (now->suite == AHOY_NO_SUITE)
        return true;
    if (!now->by_handshake)
        return set_keys(secure, now->ours, now->theirs);
    if (is_new) /* Another peer, or another who says hello: R5763-6.6-1. */
        secure->has_begun = secure->is_over = false;
    if (secure->is_reached)
        begin(secure);
    mind_ice(secure);
    return true;
}

/* Who answers may be faster than his answer: R5763-5-3. */
static void keep_hello(struct phone_secure *secure, struct span packet,
                       const struct ahoy_ip *source)
{
    memcpy(secure->hello, packet.at, packet.size);
    secure->hello_size = packet.size;
    secure->hello_from = *source;
}

static void take_check(struct phone_secure *secure, size_t base, struct span packet,
                       const struct ahoy_ip *source)
{
    ahoy_ice_step(&secure->ice, base, source, packet, ahoy_driver_now());
    mind_ice(secure);
}

/* One who shakes hands without ICE opens his NAT so: R5763-6.7.2-2. */
static void answer_stun(struct phone_secure *secure, struct span packet,
                        const struct ahoy_ip *source)
{
    char space[AHOY_STUN_ANSWER_SIZE];
    struct ahoy_buf answer = ahoy_buf_over(space, sizeof space);
    if (ahoy_stun_answer(packet, source, &answer))
        ahoy_rtp_pair_send(secure->pair, AHOY_RTP_SIDE, ahoy_buf_text(&answer));
}

/* He may be reached in more than one way, and be so until both have settled (RFC 8445 12.2). */
static bool is_for_us(struct phone_secure *secure, struct span packet, const struct ahoy_ip *source)
{
    return !secure->pair->takes_all || ahoy_rtp_pair_takes(secure->pair, packet, source) ||
           (secure->pair->takes_checks && ahoy_ice_knows(&secure->ice, source));
}

bool phone_secure_unwrap(struct phone_secure *secure, size_t *base, struct span *packet,
                         struct ahoy_ip *source)
{
    struct ahoy_relay *relay = &secure->relay;
    enum ahoy_turn_heard heard = AHOY_TURN_NOTHING;
    struct ahoy_ip peer;
    struct span data;
    if (relay->is_used && ahoy_ip_equal(source, &relay->turn.server))
        heard = ahoy_turn_step(&relay->turn, *packet, ahoy_driver_now(), &peer, &data);
    if (heard == AHOY_TURN_TAKEN)
        mind_ice(secure);
    if (heard == AHOY_TURN_HEARD) {
        *base = relay->base;
        *packet = data;
        *source = peer;
    }
    return heard != AHOY_TURN_TAKEN && is_for_us(secure, *packet, source);
}

bool phone_secure_settled(struct phone_secure *secure, struct ahoy_sdp_settled *settled)
{
    struct ahoy_ice_settled found;
    bool is_settled = secure->pair->takes_checks && ahoy_ice_settled(&secure->ice, &found);
    bool is_new = is_settled && !secure->was_settled;
    secure->was_settled = is_settled;
    if (is_new)
        *settled = (struct ahoy_sdp_settled){ .is_settled = true,
                                              .controls = found.controls,
                                              .ours = found.ours,
                                              .theirs = found.theirs };
    return is_new;
}

enum phone_reach phone_secure_reach(const struct phone_secure *secure)
{
    if (!secure->pair->takes_checks)
        return PHONE_REACHED;
    if (secure->ice.state == AHOY_ICE_LOST)
        return PHONE_LOST;
    return ahoy_ice_is_hopeless(&secure->ice) ? PHONE_NO_WAY : PHONE_REACHED;
}

bool phone_secure_take(struct phone_secure *secure, size_t base, bool is_rtcp, struct span *packet,
                       const struct ahoy_ip *source)
{
    enum ahoy_port_use use = ahoy_port_use(*packet);
    if (use == AHOY_PORT_STUN && secure->pair->takes_checks)
        take_check(secure, base, *packet, source);
    else if (use == AHOY_PORT_STUN && secure->agreed.by_handshake)
        answer_stun(secure, *packet, source);
    if (use == AHOY_PORT_DTLS && secure->has_begun) {
        ahoy_dtls_step(secure->dtls, *packet);
        shake(secure);
    } else if (use == AHOY_PORT_DTLS) {
        keep_hello(secure, *packet, source);
    }
    if (secure->agreed.suite == AHOY_NO_SUITE)
        return true;
    return use == AHOY_PORT_RTP && secure->srtp != NULL &&
           ahoy_srtp_unprotect(secure->srtp, is_rtcp, *packet, packet);
}

void phone_secure_send(struct phone_secure *secure, bool is_rtcp, struct span packet)
{
    if (secure->agreed.suite != AHOY_NO_SUITE &&
        (secure->srtp == NULL || !ahoy_srtp_protect(secure->srtp, is_rtcp, packet, &packet)))
        return;
    send_side(secure, is_rtcp ? AHOY_RTCP_SIDE : AHOY_RTP_SIDE, packet);
}

void phone_secure_turn(struct phone_secure *secure)
{
    mind_ice(secure);
    if (!secure->has_begun || ahoy_dtls_wait_us(secure->dtls) > 0)
        return;
    ahoy_dtls_expire(secure->dtls);
    shake(secure);
}

uint64_t phone_secure_deadline(const struct phone_secure *secure, uint64_t now_us)
{
    uint64_t wait_us = secure->has_begun ? ahoy_dtls_wait_us(secure->dtls) : UINT64_MAX;
    uint64_t deadline_us = wait_us == UINT64_MAX ? UINT64_MAX : now_us + wait_us;
    uint64_t ice_ms = secure->pair->takes_checks ? ahoy_ice_deadline(&secure->ice) : UINT64_MAX;
    uint64_t relay_ms =
        secure->relay.is_used ? ahoy_turn_deadline(&secure->relay.turn) : UINT64_MAX;
    if (relay_ms < ice_ms)
        ice_ms = relay_ms;
    if (ice_ms < deadline_us / 1000)
        deadline_us = ice_ms * 1000;
    return deadline_us;
}
