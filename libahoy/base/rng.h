/* Numbers that strangers cannot guess, from a seed that somebody else fetched: SipHash over a
 * counter.  Tags and branches take 64 bits of it (RFC 3261 19.3 asks for 32). */
#pragma once

#include "libahoy/base/siphash.h"

struct ahoy_rng {
    struct ahoy_hash_key key;
    uint64_t counter;
};

/* The same seed gives the same sequence, which is what the simulator replays. */
void ahoy_rng_init(struct ahoy_rng *rng, const uint64_t seed[2]);
uint64_t ahoy_rng_next(struct ahoy_rng *rng);
/* Uniform in [0, bound); |bound| is at least 1. */
uint64_t ahoy_rng_below(struct ahoy_rng *rng, uint64_t bound);

enum { AHOY_TOKEN_SIZE = 13 };
/* Writes |bits| as 13 characters of [0-9a-v], the lowest five first; no NUL. */
void ahoy_token_print(uint64_t bits, char token[AHOY_TOKEN_SIZE]);
/* Writes 64 random bits as 13 characters of [0-9a-v], no NUL: a tag, the tail of a branch, a
 * Call-ID. */
void ahoy_rng_token(struct ahoy_rng *rng, char token[AHOY_TOKEN_SIZE]);
/* Reads a token back; false where |text| is none, |bits| is then untouched. */
bool ahoy_token_parse(struct span text, uint64_t *bits);
/* The same where letters may be large. */
bool ahoy_token_parse_nocase(struct span text, uint64_t *bits);
