/* Nonces that need no memory: the time and a number, signed (RFC 7616 3.3).  Any worker that has
 * the key can check what another one gave out. */
#pragma once

#include "libahoy/base/rng.h"

enum { AHOY_NONCE_SIZE = 40, AHOY_NONCE_LIFE_MS = 300000 };

enum ahoy_nonce_verdict { AHOY_NONCE_GOOD, AHOY_NONCE_STALE, AHOY_NONCE_FORGED };

/* Writes AHOY_NONCE_SIZE characters of [0-9a-v], no NUL. */
void ahoy_nonce_make(const struct ahoy_hash_key *key, struct span realm, uint64_t random,
                     uint64_t now_ms, char nonce[AHOY_NONCE_SIZE]);
enum ahoy_nonce_verdict ahoy_nonce_check(const struct ahoy_hash_key *key, struct span realm,
                                         struct span nonce, uint64_t now_ms);

/* What identifies a nonce of ours, and when it was made; of one that is not forged. */
struct ahoy_nonce {
    uint64_t mark;
    uint64_t made_ms;
};
struct ahoy_nonce ahoy_nonce_read(struct span nonce);
