/* What a TLS connection proves of its peer: the domains that its certificate speaks for, and the
 * users that it names (RFC 5922 7.1).  How it is proved is the business of io/; a wire
 * that has no certificates tells none. */
#pragma once

#include "libahoy/base/span.h"

enum {
    AHOY_PEER_NAMES_LIMIT = 32,  /* Names of one certificate; more are not read. */
    AHOY_PEER_TEXT_LIMIT = 4096, /* Bytes of all of them. */
    AHOY_PEER_NAME_LIMIT = 255   /* Bytes of one. */
};

struct ahoy_peer {
    size_t count;
    struct span names[AHOY_PEER_NAMES_LIMIT];
    size_t user_count;
    struct span users[AHOY_PEER_NAMES_LIMIT]; /* URIs: "sip:alice@atlanta.example". */
};

/* Whether one of the names is |domain|, the whole of it and without regard to case: no suffix, and
 * a wildcard is a name like others (R5922-7.2-2, R5922-7.2-4, R5922-7.2-6). */
bool ahoy_peer_is(const struct ahoy_peer *peer, struct span domain);
