/* The handshake of DTLS-SRTP (RFC 5763, RFC 5764) on the port of a call's sound, by OpenSSL:
 * datagrams come in and go out as arguments.  It is here since OpenSSL itself asks the clock when
 * to send again.  Each call has a key pair and a certificate of its own, which nobody has signed:
 * the peer believes its fingerprint, which he was told in our description.
 *
 * What is protected is so by AES_CM_128_HMAC_SHA1_80, which all have (RFC 8827 6.5). */
#pragma once

#include "libahoy/base/span.h"

enum {
    AHOY_DTLS_PRINT_SIZE = 32,  /* SHA-256 of a certificate. */
    AHOY_DTLS_MASTER_SIZE = 30, /* A key of SRTP and its salt. */
    AHOY_DTLS_DATAGRAM_LIMIT = 2048,
    AHOY_DTLS_CERTIFICATES_LIMIT = 16384 /* Bytes of those that a peer shows. */
};

enum ahoy_dtls_state {
    AHOY_DTLS_WAITING, /* Not begun. */
    AHOY_DTLS_SHAKING,
    AHOY_DTLS_AGREED,
    AHOY_DTLS_FAILED /* It is not the peer, or he cannot. */
};

struct ahoy_dtls;

/* |print| becomes the fingerprint of our certificate.  NULL where memory is refused. */
struct ahoy_dtls *ahoy_dtls_new(uint8_t print[AHOY_DTLS_PRINT_SIZE]);
/* NULL is none. */
void ahoy_dtls_free(struct ahoy_dtls *dtls);

/* Begins, or begins anew, with the peer whose certificate has |print|; |is_active|: by a hello of
 * ours. */
void ahoy_dtls_begin(struct ahoy_dtls *dtls, bool is_active,
                     const uint8_t print[AHOY_DTLS_PRINT_SIZE]);
enum ahoy_dtls_state ahoy_dtls_state(const struct ahoy_dtls *dtls);

/* A datagram of the peer's; before it has begun it is lost, and comes again. */
void ahoy_dtls_step(struct ahoy_dtls *dtls, struct span datagram);
/* The next datagram to be sent, which lives until the next call; false where there is none. */
bool ahoy_dtls_poll(struct ahoy_dtls *dtls, struct span *datagram);
/* In how long expire is to be called, which may have more to be sent; UINT64_MAX: never. */
uint64_t ahoy_dtls_wait_us(const struct ahoy_dtls *dtls);
void ahoy_dtls_expire(struct ahoy_dtls *dtls);

/* Once agreed: the master keys of what we send and of what comes. */
void ahoy_dtls_keys(const struct ahoy_dtls *dtls, uint8_t ours[AHOY_DTLS_MASTER_SIZE],
                    uint8_t theirs[AHOY_DTLS_MASTER_SIZE]);
