/* One TLS connection, without a socket: sealed bytes in, plain bytes out, and the other way round.
 * Nothing waits inside but an unfinished record; between two calls it holds no buffer. */
#pragma once

#include "libahoy/io/identity.h"
#include "libahoy/io/outgoing.h"
#include "libahoy/io/tls_context.h"
#include "libahoy/stack/wire.h"

enum {
    AHOY_TLS_RECORD_SIZE = 5 + 16384 + 256, /* The longest of TLS 1.3; of 1.2, with our ciphers. */
    AHOY_TLS_OVERHEAD = 64                  /* What sealing adds to each record, at most. */
};

enum ahoy_tls_state {
    AHOY_TLS_SHAKING = 1, /* Hands. */
    AHOY_TLS_STANDING,
    AHOY_TLS_ENDED, /* The peer has said so; it may be told so too. */
    AHOY_TLS_FAILED /* It broke the protocol, or did not prove who it is. */
};

struct ahoy_tls;

/* Where sealed bytes are put. */
struct ahoy_tls_way {
    struct ahoy_outgoing *outgoing;
    struct ahoy_pages *pages;
};

/* The end that |listener| accepted; NULL where memory is refused. */
struct ahoy_tls *ahoy_tls_accept(struct ahoy_tls_context *context, uint8_t listener);
/* The end that calls |domain|, or, where that is empty, |remote|, and accepts nobody else (RFC 5922
 * 7.3).  NULL where memory is refused, or nothing is known of connections outward. */
struct ahoy_tls *ahoy_tls_connect(struct ahoy_tls_context *context, struct span domain,
                                  const struct ahoy_ip *remote);
/* NULL is allowed. */
void ahoy_tls_free(struct ahoy_tls *tls);

enum ahoy_tls_state ahoy_tls_state(const struct ahoy_tls *tls);

/* Takes all |sealed| bytes; what comes out of them is written to |plain|, whose |room| is at least
 * theirs and AHOY_TLS_RECORD_SIZE, and its size to |*size|.  Without any it begins to shake hands.
 * Where it fails, a reason for the peer is put on its way. */
enum ahoy_tls_state ahoy_tls_open(struct ahoy_tls *tls, struct span sealed,
                                  const struct ahoy_tls_way *way, char *plain, size_t room,
                                  size_t *size);
/* Puts |plain| on its way, in records of 16 KiB, while STANDING or ENDED; false where memory is
 * refused: it is then of no more use. */
bool ahoy_tls_seal(struct ahoy_tls *tls, struct span plain, const struct ahoy_tls_way *way);
/* Tells the peer that nothing more comes (close_notify), while STANDING or ENDED. */
void ahoy_tls_end(struct ahoy_tls *tls, const struct ahoy_tls_way *way);

/* Whether a record has begun that has no end yet: 17 KiB wait for it. */
bool ahoy_tls_is_partial(const struct ahoy_tls *tls);
/* Whether hands were shaken with what was agreed on before: that takes half the time. */
bool ahoy_tls_is_resumed(const struct ahoy_tls *tls);
/* Why it FAILED while hands were shaken. */
enum ahoy_wire_fate ahoy_tls_fate(const struct ahoy_tls *tls);
/* What the peer's certificate proves, once STANDING; false where it has shown none, or none that
 * was looked at. */
bool ahoy_tls_identify(const struct ahoy_tls *tls, struct ahoy_identity *identity);
