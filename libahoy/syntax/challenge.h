/* Challenges and credentials of digest authentication (RFC 3261 20.7, 20.27, 20.28, 20.44, 22;
 * RFC 8760). */
#pragma once

#include "libahoy/base/err.h"

enum ahoy_digest_algorithm { AHOY_DIGEST_OTHER, AHOY_DIGEST_MD5, AHOY_DIGEST_SHA256 };

/* A view of one Authorization, Proxy-Authorization, WWW-Authenticate or Proxy-Authenticate row.
 * Values are without their quotes, escapes kept; what is absent is empty. */
struct ahoy_challenge {
    bool is_digest; /* Another scheme is well-formed too, and not for us: the rest is then empty. */
    enum ahoy_digest_algorithm algorithm; /* MD5 where none is named. */
    bool stale;
    struct span scheme, username, realm, nonce, uri, response, cnonce, opaque, qop, nc;
    struct span algorithm_text;
};

/* Faults (400): parameters cut short, one twice, no "=".  Whether all are there that the scheme
 * needs is for auth/ to say. */
bool ahoy_challenge_parse(struct span text, struct ahoy_challenge *challenge, struct ahoy_err *err);
