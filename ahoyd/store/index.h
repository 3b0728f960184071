/* The location index: every address-of-record in memory, in shards whose locks are held for
 * nanoseconds.  One writer at a time makes records, puts and forgets them; everybody looks up.
 * Records that find their bucket full are chained behind it, so that putting one never needs memory
 * and so cannot fail after its commit. */
#pragma once

#include <pthread.h>

#include "ahoyd/store/record.h"

enum {
    INDEX_SHARDS = 64,
    AHOYD_BUCKETS_LIMIT = 1 << 24 /* Of 64 bytes each, for 8 records. */
};

struct index {
    struct ahoy_hash_key key;
    struct slabs slabs;    /* Where the records are. */
    struct region buckets; /* The first of each shard, then the second of each, ... */
    struct shard {
        pthread_mutex_t lock;
        _Atomic uint32_t buckets; /* How many; read without the lock too. */
        uint32_t count;           /* Of records. */
    } shards[INDEX_SHARDS];
};

/* False where memory is refused; index_fini is then still right. */
bool index_init(struct index *index, struct ahoy_hash_key key);
void index_fini(struct index *index);

/* By which an address-of-record is found. */
uint64_t index_hash(const struct index *index, struct span aor);
/* Fills |bindings| with those that live; false where there are none. */
bool index_find(struct index *index, struct span aor, uint64_t now_ms,
                struct ahoy_bindings *bindings);
/* The same for who has its hash already. */
bool index_find_hashed(struct index *index, uint64_t hash, struct span aor, uint64_t now_ms,
                       struct ahoy_bindings *bindings);
/* For who knows early whom it will look up: has the bucket of "|user|@|domain|" fetched from
 * memory, and returns its hash; 0 where there are so few records that there is nothing to wait
 * for. */
uint64_t index_expect(const struct index *index, struct span user, struct span domain);
/* Some hundred nanoseconds later: has the record of that hash fetched, and some hundred later it
 * is there.  Does not wait for a lock.  Whoever looks somebody else up finds him all the same. */
void index_expect_record(struct index *index, uint64_t hash);
/* The row of the record, or 0 where there is none. */
uint64_t index_row(struct index *index, struct span aor);
/* Puts |record|, one of index->slabs, which it then owns and whose hash that is, in the place of
 * what stood there; one without bindings only removes.  Returns whether something stood there. */
bool index_put(struct index *index, struct record *record, uint64_t hash);
/* Forgets what has expired by |now_ms| in one shard; the caller goes round.  Returns how many. */
size_t index_forget(struct index *index, size_t shard, uint64_t now_ms);
size_t index_count(struct index *index);

/* Walks all records, until |visit| returns false.  For the one writer alone, who may set their
 * rows: nobody else changes what it walks, so no lock is taken. */
void index_each_record(struct index *index, bool (*visit)(void *context, struct record *record),
                       void *context);
void index_each(struct index *index, uint64_t now_ms,
                bool (*visit)(void *context, struct span aor, const struct ahoy_bindings *bindings),
                void *context);
