/* SipHash-2-4 (Aumasson and Bernstein, 2012): a keyed hash that strangers cannot aim. */
#pragma once

#include "libahoy/base/span.h"

struct ahoy_hash_key {
    uint64_t half[2];
};

/* The hash of |text|: without |key| nobody can find two texts that share one. */
uint64_t ahoy_siphash(const struct ahoy_hash_key *key, struct span text);
/* Those of |text| with 0, 1, 2 ... behind it, each as the eight bytes that it has in memory. */
void ahoy_siphash_counted(const struct ahoy_hash_key *key, struct span text, uint64_t *hashes,
                          size_t count);
/* The same over several spans as if they were one; used to build table keys of parts. */
uint64_t ahoy_siphash_parts(const struct ahoy_hash_key *key, const struct span *parts,
                            size_t count);
/* A hash of |parts| and of a |number| of at most 56 bits.  Where a part ends counts, modulo 256.
 * Quicker than ahoy_siphash_parts, where a hash need not be that of one text. */
uint64_t ahoy_siphash_apart(const struct ahoy_hash_key *key, const struct span *parts,
                            size_t count, uint64_t number);
/* The same however ASCII letters are written: for tables whose finds are compared. */
uint64_t ahoy_siphash_nocase(const struct ahoy_hash_key *key, const struct span *parts,
                             size_t count, uint64_t number);
