/* STUN, DTLS and SRTP share the port of RTP (RFC 7983). */
#include "ahoy/worker_secure.h"

#include <assert.h>
#include <stdio.h>

#include "libahoy/base/rng.h"
#include "libahoy/io/driver.h"
#include "libahoy/transport/ice.h"
#include "libahoy/transport/stun.h"

static_assert((int)AHOY_PRINT_SIZE == (int)AHOY_DTLS_PRINT_SIZE, "both are of SHA-256");

/* A build without SRTP shakes no hands; nor does one who could not make a certificate. */
static void open_handshake(struct phone_secure *secure, const uint64_t random[3])
{
    struct ahoy_sdp_handshake *ours = &secure->ours.handshake;
    secure->dtls = ahoy_dtls_new(ours->print);
    secure->ours.can_shake = secure->dtls != NULL;
    ahoy_token_print(random[0], ours->ice_user);
    ahoy_token_print(random[1], ours->ice_word);
    ahoy_token_print(random[2], ours->ice_word + AHOY_TOKEN_SIZE);
}

bool phone_secure_open(struct phone_secure *secure, struct ahoy_rtp_pair *pair,
                       enum ahoy_security wish)
{
    uint64_t random[3];
    *secure = (struct phone_secure){ .pair = pair, .ours.wish = wish };
    if (!ahoy_driver_random(secure->ours.masters, sizeof secure->ours.masters) ||
        !ahoy_driver_random(random, sizeof random))
        return false;
    if (wish == AHOY_SECURITY_OPTIONAL || wish == AHOY_SECURITY_HANDSHAKE)
        open_handshake(secure, random);
    return true;
}

void phone_secure_close(struct phone_secure *secure)
{
    ahoy_dtls_free(secure->dtls);
    ahoy_srtp_free(secure->srtp);
    explicit_bzero(secure, sizeof *secure);
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
        ahoy_rtp_pair_send(secure->pair, AHOY_RTP_SIDE, datagram);
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

static void find_peer(struct phone_secure *secure, const struct ahoy_sdp_agreed *agreed,
                      const struct ahoy_ip *rtp, const struct ahoy_ip *rtcp)
{
    const struct ahoy_sdp_greeting *peer = &agreed->secured.peer;
    secure->pair->takes_checks = agreed->secured.by_handshake && peer->has_ice;
    if (secure->pair->takes_checks && !peer->is_lite)
        return; /* His checks show where. */
    ahoy_rtp_pair_aim(secure->pair, rtp, rtcp, agreed->has_mux);
    secure->is_reached = true;
}

bool phone_secure_agree(struct phone_secure *secure, const struct ahoy_sdp_agreed *agreed,
                        const struct ahoy_ip *rtp, const struct ahoy_ip *rtcp)
{
    const struct ahoy_sdp_secured *before = &secure->agreed;
    const struct ahoy_sdp_secured *now = &agreed->secured;
    bool is_new = now->is_active != before->is_active ||
                  memcmp(now->peer.print, before->peer.print, AHOY_PRINT_SIZE) != 0;
    find_peer(secure, agreed, rtp, rtcp);
    secure->agreed = *now;
    if (now->suite == AHOY_NO_SUITE)
        return true;
    if (!now->by_handshake)
        return set_keys(secure, now->ours, now->theirs);
    if (is_new) /* Another peer, or another who says hello: R5763-6.6-1. */
        secure->has_begun = secure->is_over = false;
    begin(secure);
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

static void take_check(struct phone_secure *secure, struct span packet,
                       const struct ahoy_ip *source)
{
    const struct ahoy_sdp_handshake *ours = &secure->ours.handshake;
    const struct ahoy_ice_secret secret = { { ours->ice_user, sizeof ours->ice_user },
                                            { ours->ice_word, sizeof ours->ice_word } };
    char space[AHOY_ICE_ANSWER_SIZE];
    struct ahoy_buf answer = ahoy_buf_over(space, sizeof space);
    struct ahoy_ice_check check;
    if (!ahoy_ice_read(packet, &secret, &check))
        return;
    ahoy_ice_put_answer(packet, source, secret.word, &answer);
    ahoy_rtp_pair_answer(secure->pair, AHOY_RTP_SIDE, ahoy_buf_text(&answer), source);
    if (!check.is_nomination)
        return;
    ahoy_rtp_pair_nominate(secure->pair, source);
    secure->is_reached = true;
    begin(secure);
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

bool phone_secure_take(struct phone_secure *secure, bool is_rtcp, struct span *packet,
                       const struct ahoy_ip *source)
{
    enum ahoy_port_use use = ahoy_port_use(*packet);
    if (use == AHOY_PORT_STUN && secure->pair->takes_checks)
        take_check(secure, *packet, source);
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
    ahoy_rtp_pair_send(secure->pair, is_rtcp ? AHOY_RTCP_SIDE : AHOY_RTP_SIDE, packet);
}

void phone_secure_turn(struct phone_secure *secure)
{
    if (!secure->has_begun || ahoy_dtls_wait_us(secure->dtls) > 0)
        return;
    ahoy_dtls_expire(secure->dtls);
    shake(secure);
}

uint64_t phone_secure_deadline(const struct phone_secure *secure, uint64_t now_us)
{
    uint64_t wait_us = secure->has_begun ? ahoy_dtls_wait_us(secure->dtls) : UINT64_MAX;
    return wait_us == UINT64_MAX ? UINT64_MAX : now_us + wait_us;
}
