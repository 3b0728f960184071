/* Nonces: a digit for their form, when it was made, a number, and a signature over all that and
 * the realm (RFC 7616 3.3 suggests as much). */
#include "libahoy/auth/nonce.h"

#include <assert.h>

#include <openssl/crypto.h>

enum {
    FORM = '0',
    TIME_AT = 1,
    NUMBER_AT = TIME_AT + AHOY_TOKEN_SIZE,
    SIGNATURE_AT = NUMBER_AT + AHOY_TOKEN_SIZE,
    AHEAD_MS = 1000 /* How far the clocks of two workers may be apart when they were last read. */
};

static_assert(SIGNATURE_AT + AHOY_TOKEN_SIZE == AHOY_NONCE_SIZE, "these are all its parts");

/* The signed part has one size, so that none of it can be moved into the realm. */
static void sign(const struct ahoy_hash_key *key, struct span realm, const char *nonce,
                 char signature[AHOY_TOKEN_SIZE])
{
    const struct span parts[] = { { nonce, SIGNATURE_AT }, realm };
    ahoy_token_print(ahoy_siphash_parts(key, parts, 2), signature);
}

void ahoy_nonce_make(const struct ahoy_hash_key *key, struct span realm, uint64_t random,
                     uint64_t now_ms, char nonce[AHOY_NONCE_SIZE])
{
    nonce[0] = FORM;
    ahoy_token_print(now_ms, nonce + TIME_AT);
    ahoy_token_print(random, nonce + NUMBER_AT);
    sign(key, realm, nonce, nonce + SIGNATURE_AT);
}

enum ahoy_nonce_verdict ahoy_nonce_check(const struct ahoy_hash_key *key, struct span realm,
                                         struct span nonce, uint64_t now_ms)
{
    char signature[AHOY_TOKEN_SIZE];
    if (nonce.size != AHOY_NONCE_SIZE)
        return AHOY_NONCE_FORGED;
    sign(key, realm, nonce.at, signature);
    if (CRYPTO_memcmp(signature, nonce.at + SIGNATURE_AT, sizeof signature) != 0)
        return AHOY_NONCE_FORGED;
    uint64_t made_ms = 0;
    if (!ahoy_token_parse((struct span){ nonce.at + TIME_AT, AHOY_TOKEN_SIZE }, &made_ms))
        return AHOY_NONCE_FORGED; /* The signature is right, but nobody knows for what. */
    /* One from the future was made before somebody set the clock back: it would live too long. */
    if (made_ms > now_ms + AHEAD_MS || made_ms + AHOY_NONCE_LIFE_MS < now_ms)
        return AHOY_NONCE_STALE;
    return AHOY_NONCE_GOOD;
}

struct ahoy_nonce ahoy_nonce_read(struct span nonce)
{
    struct ahoy_nonce read = { 0, 0 };
    assert(nonce.size == AHOY_NONCE_SIZE);
    /* Both are tokens, or the signature would not be right. */
    (void)ahoy_token_parse((struct span){ nonce.at + SIGNATURE_AT, AHOY_TOKEN_SIZE }, &read.mark);
    (void)ahoy_token_parse((struct span){ nonce.at + TIME_AT, AHOY_TOKEN_SIZE }, &read.made_ms);
    return read;
}
