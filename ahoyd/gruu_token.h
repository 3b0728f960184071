/* The user part of a temporary GRUU (RFC 5627 3.1.2, A.2): it hides whose it is, and nothing has to
 * be kept for it. */
#pragma once

#include "libahoy/base/buf.h"
#include "libahoy/base/rng.h"

enum {
    AHOYD_GRUU_NAME_LIMIT = 40,                       /* Bytes of a user's name. */
    AHOYD_GRUU_WORDS = 2 + AHOYD_GRUU_NAME_LIMIT / 8, /* Of 64 bits. */
    AHOYD_GRUU_TOKEN_SIZE = AHOYD_GRUU_WORDS * AHOY_TOKEN_SIZE
};

/* What it stands for. */
struct ahoyd_gruu_target {
    struct span name, domain; /* Together an address-of-record. */
    struct span instance;
    uint64_t era_ms; /* As in struct ahoy_binding. */
};

/* Prints AHOYD_GRUU_TOKEN_SIZE characters of [0-9a-v], all of them others for another |unique|.
 * False, and nothing, where the name is longer than AHOYD_GRUU_NAME_LIMIT. */
bool ahoyd_gruu_token_print(const struct ahoy_hash_key *key, uint64_t unique,
                            const struct ahoyd_gruu_target *target, struct ahoy_buf *buf);
/* Prints the name that |token| hides.  False where it is none; whether we wrote it,
 * ahoyd_gruu_token_fits tells. */
bool ahoyd_gruu_token_open(const struct ahoy_hash_key *key, struct span token,
                           struct ahoy_buf *name);
/* Whether |token| was printed with |key| for |target|. */
bool ahoyd_gruu_token_fits(const struct ahoy_hash_key *key, struct span token,
                           const struct ahoyd_gruu_target *target);
