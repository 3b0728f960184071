/* Digest authentication: the arithmetic (RFC 7616, RFC 8760, RFC 3261 22). */
#pragma once

#include "libahoy/syntax/challenge.h"

enum { AHOY_DIGEST_HEX_LIMIT = 64 };

/* A digest in lower-case hex: 32 characters of MD5, 64 of the others; no NUL. */
struct ahoy_digest_hex {
    char text[AHOY_DIGEST_HEX_LIMIT];
    size_t size;
};

/* H(user ":" realm ":" password): what a server keeps instead of a password.  All in plain text,
 * without the escapes of a quoted string. */
bool ahoy_digest_ha1(enum ahoy_digest_algorithm algorithm, struct span user, struct span realm,
                     struct span password, struct ahoy_digest_hex *ha1);

/* H(user ":" realm): what a client may send in place of its name (RFC 7616 3.4.4). */
bool ahoy_digest_userhash(enum ahoy_digest_algorithm algorithm, struct span user, struct span realm,
                          struct ahoy_digest_hex *hash);

/* What the credentials are for. */
struct ahoy_digested {
    struct span method; /* Empty where it is a response, which rspauth is for (RFC 7616 3.5). */
    struct span body;   /* Digested where qop is auth-int. */
};

/* The response that |credentials| (uri, nonce, nc, cnonce, qop, and whether they are of a session)
 * must hold.  False for an algorithm or qop that is not ours (qop absent, "auth", "auth-int"), or
 * where libcrypto refuses. */
bool ahoy_digest_response(const struct ahoy_challenge *credentials,
                          const struct ahoy_digest_hex *ha1, const struct ahoy_digested *digested,
                          struct ahoy_digest_hex *response);

/* Whether |credentials|->response is right; compares in constant time. */
bool ahoy_digest_verify(const struct ahoy_challenge *credentials, const struct ahoy_digest_hex *ha1,
                        const struct ahoy_digested *digested);
