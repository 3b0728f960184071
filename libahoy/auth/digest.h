/* Digest authentication: the arithmetic (RFC 7616, RFC 8760, RFC 3261 22). */
#pragma once

#include "libahoy/syntax/challenge.h"

enum { AHOY_DIGEST_HEX_LIMIT = 64 };

/* A digest in lower-case hex: 32 characters of MD5, 64 of SHA-256; no NUL. */
struct ahoy_digest_hex {
    char text[AHOY_DIGEST_HEX_LIMIT];
    size_t size;
};

/* H(user ":" realm ":" password): what a server keeps instead of a password. */
bool ahoy_digest_ha1(enum ahoy_digest_algorithm algorithm, struct span user, struct span realm,
                     struct span password, struct ahoy_digest_hex *ha1);

/* The response that |credentials| (uri, nonce, nc, cnonce, qop) must hold.  False for an
 * algorithm or qop that is not ours (qop absent, "auth"), or where libcrypto refuses. */
bool ahoy_digest_response(const struct ahoy_challenge *credentials,
                          const struct ahoy_digest_hex *ha1, struct span method,
                          struct ahoy_digest_hex *response);

/* Whether |credentials|->response is right; compares in constant time. */
bool ahoy_digest_verify(const struct ahoy_challenge *credentials, const struct ahoy_digest_hex *ha1,
                        struct span method);
