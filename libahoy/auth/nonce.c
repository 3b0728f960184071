/* Nonces: when it was made, a number, and a signature over both and the realm, 14, 13 and 13
 * characters (RFC 7616 3.3 suggests as much). */
#include "libahoy/auth/nonce.h"

#include <openssl/crypto.h>

enum { TIME_SIZE = 14, NUMBER_SIZE = 13, SIGNATURE_SIZE = 13, SIGNED_SIZE = 27 };

/* How far the clocks of two workers may be apart when they were last read. */
enum { AHEAD_MS = 1000 };

/* |value| in base 32, most significant digit first. */
static void print_digits(uint64_t value, char *at, size_t size)
{
    for (size_t i = size; i > 0; i--) {
        at[i - 1] = "0123456789abcdefghijklmnopqrstuv"[value & 31];
        value >>= 5;
    }
}

static uint64_t digit_value(char digit)
{
    return (uint64_t)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

/* Of digits that we have signed, and so have written. */
static uint64_t read_digits(const char *at, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++)
        value = value << 5 | digit_value(at[i]);
    return value;
}

/* The signed part has one size, so that none of it can be moved into the realm. */
static void sign(const struct ahoy_hash_key *key, struct span realm, const char *nonce,
                 char signature[SIGNATURE_SIZE])
{
    const struct span parts[] = { { nonce, SIGNED_SIZE }, realm };
    print_digits(ahoy_siphash_parts(key, parts, 2), signature, SIGNATURE_SIZE);
}

void ahoy_nonce_make(const struct ahoy_hash_key *key, struct span realm, uint64_t random,
                     uint64_t now_ms, char nonce[AHOY_NONCE_SIZE])
{
    print_digits(now_ms, nonce, TIME_SIZE);
    print_digits(random, nonce + TIME_SIZE, NUMBER_SIZE);
    sign(key, realm, nonce, nonce + SIGNED_SIZE);
}

enum ahoy_nonce_verdict ahoy_nonce_check(const struct ahoy_hash_key *key, struct span realm,
                                         struct span nonce, uint64_t now_ms)
{
    char signature[SIGNATURE_SIZE];
    if (nonce.size != AHOY_NONCE_SIZE)
        return AHOY_NONCE_FORGED;
    sign(key, realm, nonce.at, signature);
    if (CRYPTO_memcmp(signature, nonce.at + SIGNED_SIZE, SIGNATURE_SIZE) != 0)
        return AHOY_NONCE_FORGED;
    uint64_t made_ms = read_digits(nonce.at, TIME_SIZE);
    /* One from the future was made before somebody set the clock back: it would live too long. */
    if (made_ms > now_ms + AHEAD_MS || made_ms + AHOY_NONCE_LIFE_MS < now_ms)
        return AHOY_NONCE_STALE;
    return AHOY_NONCE_GOOD;
}
