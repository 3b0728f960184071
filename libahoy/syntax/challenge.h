/* Challenges and credentials of digest authentication (RFC 3261 20.7, 20.27, 20.28, 20.44, 22;
 * RFC 7616, RFC 8760). */
#pragma once

#include "libahoy/base/buf.h"
#include "libahoy/base/err.h"

/* Each algorithm once, the weakest first: its name, and how many hex digits its digests have. */
#define AHOY_DIGESTS(DIGEST)                                                                       \
    DIGEST(MD5, "MD5", 32) DIGEST(SHA256, "SHA-256", 64) DIGEST(SHA512_256, "SHA-512-256", 64)

enum ahoy_digest_algorithm {
    AHOY_DIGEST_OTHER,
#define AHOY_DIGEST_CONSTANT(name, text, size) AHOY_DIGEST_##name,
    AHOY_DIGESTS(AHOY_DIGEST_CONSTANT)
#undef AHOY_DIGEST_CONSTANT
        AHOY_DIGEST_COUNT
};

/* A view of one Authorization, Proxy-Authorization, WWW-Authenticate or Proxy-Authenticate row.
 * Values are without their quotes, escapes kept; what is absent is empty. */
struct ahoy_challenge {
    bool is_digest; /* Another scheme is well-formed too, and not for us: the rest is then empty. */
    enum ahoy_digest_algorithm algorithm; /* MD5 where none is named. */
    bool is_session;                      /* The algorithm's variant "-sess". */
    bool stale;
    bool userhash; /* The server takes hashes of names; of credentials: username is one. */
    struct span scheme, username, realm, nonce, uri, response, cnonce, opaque, qop, nc;
    struct span algorithm_text, charset;
    struct span username_extended; /* Of "username*", as RFC 5987 3.2 encodes it. */
};

/* Faults (400): parameters cut short, one twice, no "=", username and "username*" at once.  Whether
 * all are there that the scheme needs is for auth/ to say. */
bool ahoy_challenge_parse(struct span text, struct ahoy_challenge *challenge, struct ahoy_err *err);

/* "SHA-256", and 64; of AHOY_DIGEST_OTHER empty, and 0. */
struct span ahoy_digest_name(enum ahoy_digest_algorithm algorithm);
size_t ahoy_digest_size(enum ahoy_digest_algorithm algorithm);

/* Prints the name of the user in plain text: escapes undone, "username*" decoded.  False where that
 * cannot be done, or does not fit, or leaves nothing. */
bool ahoy_challenge_print_user(const struct ahoy_challenge *credentials, struct ahoy_buf *buf);
/* Prints |text|, the contents of a quoted string, without the backslashes of its escapes. */
void ahoy_put_unescaped(struct ahoy_buf *buf, struct span text);
/* Prints |text| with them. */
void ahoy_put_escaped(struct ahoy_buf *buf, struct span text);
