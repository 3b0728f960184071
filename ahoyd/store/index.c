/* A hash table a shard, chained. */
#include "ahoyd/store/index.h"

#include <stdlib.h>

#include "libahoy/base/unset.h"

enum { FIRST_CAPACITY = 16, LINE_SIZE = 64 };

bool index_init(struct index *index, struct ahoy_hash_key key)
{
    bool sound = true;
    index->key = key;
    for (size_t i = 0; i < INDEX_SHARDS; i++) {
        struct shard *shard = &index->shards[i];
        *shard = (struct shard){ .capacity = FIRST_CAPACITY };
        pthread_mutex_init(&shard->lock, NULL);
        shard->buckets = calloc(FIRST_CAPACITY, sizeof *shard->buckets);
        if (shard->buckets == NULL)
            sound = false;
    }
    return sound;
}

void index_fini(struct index *index)
{
    for (size_t i = 0; i < INDEX_SHARDS; i++) {
        struct shard *shard = &index->shards[i];
        for (size_t j = 0; shard->buckets != NULL && j < shard->capacity; j++) {
            while (shard->buckets[j] != NULL) {
                struct record *record = shard->buckets[j];
                shard->buckets[j] = record->next;
                free(record);
            }
        }
        free(shard->buckets);
        pthread_mutex_destroy(&shard->lock);
    }
}

/* The lower bits choose the shard, ... */
static struct shard *shard_of(struct index *index, uint64_t hash)
{
    return &index->shards[hash % INDEX_SHARDS];
}

/* ... and what a record keeps, the bits above them, chooses the bucket. */
static uint32_t kept_of(uint64_t hash)
{
    return (uint32_t)(hash / INDEX_SHARDS);
}

static struct record **bucket_of(const struct shard *shard, uint32_t kept)
{
    return &shard->buckets[kept & (shard->capacity - 1)];
}

/* The link that points to the record of |aor|, or to NULL where there is none. */
static struct record **link_of(const struct shard *shard, uint64_t hash, struct span aor)
{
    struct record **link = bucket_of(shard, kept_of(hash));
    while (*link != NULL &&
           !((*link)->hash == kept_of(hash) && ahoy_span_equal(record_aor(*link), aor)))
        link = &(*link)->next;
    return link;
}

/* Has all of a record brought from memory at once: it is read from one end to the other, and each
 * of its lines would be waited for. */
static void fetch(const struct record *record)
{
    if (record == NULL)
        return;
    for (size_t at = LINE_SIZE; at < record->state_size; at += LINE_SIZE)
        __builtin_prefetch(record->bytes + at);
}

uint64_t index_hash(const struct index *index, struct span aor)
{
    return ahoy_siphash(&index->key, aor);
}

bool index_find_hashed(struct index *index, uint64_t hash, struct span aor, uint64_t now_ms,
                       struct ahoy_bindings *bindings)
{
    struct shard *shard = shard_of(index, hash);
    pthread_mutex_lock(&shard->lock);
    const struct record *record = *link_of(shard, hash, aor);
    fetch(record);
    if (record == NULL || !record_decode(record_state(record), now_ms, bindings))
        ahoy_bindings_init(bindings);
    pthread_mutex_unlock(&shard->lock);
    return bindings->count > 0;
}

bool index_find(struct index *index, struct span aor, uint64_t now_ms,
                struct ahoy_bindings *bindings)
{
    return index_find_hashed(index, index_hash(index, aor), aor, now_ms, bindings);
}

uint64_t index_row(struct index *index, struct span aor)
{
    uint64_t hash = index_hash(index, aor);
    struct shard *shard = shard_of(index, hash);
    pthread_mutex_lock(&shard->lock);
    const struct record *record = *link_of(shard, hash, aor);
    uint64_t row = record == NULL ? 0 : record->row;
    pthread_mutex_unlock(&shard->lock);
    return row;
}

/* Doubles the buckets where they are full; without memory the chains grow longer instead. */
static void grow(struct shard *shard)
{
    if (shard->count < shard->capacity)
        return;
    struct shard wider = *shard;
    wider.capacity = 2 * shard->capacity;
    wider.buckets = calloc(wider.capacity, sizeof *wider.buckets);
    if (wider.buckets == NULL)
        return;
    for (size_t i = 0; i < shard->capacity; i++) {
        while (shard->buckets[i] != NULL) {
            struct record *record = shard->buckets[i];
            shard->buckets[i] = record->next;
            struct record **bucket = bucket_of(&wider, record->hash);
            record->next = *bucket;
            *bucket = record;
        }
    }
    free(shard->buckets);
    shard->buckets = wider.buckets;
    shard->capacity = wider.capacity;
}

bool index_put(struct index *index, struct record *record, uint64_t hash)
{
    struct record *unwanted = record->until_ms == 0 ? record : NULL;
    struct shard *shard = shard_of(index, hash);
    record->hash = kept_of(hash);
    pthread_mutex_lock(&shard->lock);
    struct record **link = link_of(shard, hash, record_aor(record));
    struct record *old = *link;
    if (old != NULL) {
        *link = old->next;
        shard->count--;
    }
    if (unwanted == NULL) {
        grow(shard);
        struct record **bucket = bucket_of(shard, record->hash);
        record->next = *bucket;
        *bucket = record;
        shard->count++;
    }
    pthread_mutex_unlock(&shard->lock);
    free(unwanted);
    free(old);
    return old != NULL;
}

size_t index_forget(struct index *index, size_t number, uint64_t now_ms)
{
    struct shard *shard = &index->shards[number % INDEX_SHARDS];
    size_t forgotten = 0;
    pthread_mutex_lock(&shard->lock);
    for (size_t i = 0; i < shard->capacity; i++) {
        struct record **link = &shard->buckets[i];
        while (*link != NULL) {
            struct record *record = *link;
            if (record->until_ms > now_ms) {
                link = &record->next;
                continue;
            }
            *link = record->next;
            free(record);
            shard->count--;
            forgotten++;
        }
    }
    pthread_mutex_unlock(&shard->lock);
    return forgotten;
}

size_t index_count(struct index *index)
{
    size_t count = 0;
    for (size_t i = 0; i < INDEX_SHARDS; i++) {
        pthread_mutex_lock(&index->shards[i].lock);
        count += index->shards[i].count;
        pthread_mutex_unlock(&index->shards[i].lock);
    }
    return count;
}

void index_each_record(struct index *index, bool (*visit)(void *context, struct record *record),
                       void *context)
{
    for (size_t i = 0; i < INDEX_SHARDS; i++) {
        const struct shard *shard = &index->shards[i];
        for (size_t j = 0; j < shard->capacity; j++) {
            for (struct record *record = shard->buckets[j]; record != NULL; record = record->next) {
                if (!visit(context, record))
                    return;
            }
        }
    }
}

static bool visit_shard(struct shard *shard, uint64_t now_ms,
                        bool (*visit)(void *context, struct span aor,
                                      const struct ahoy_bindings *bindings),
                        void *context)
{
    AHOY_UNSET struct ahoy_bindings bindings;
    for (size_t i = 0; i < shard->capacity; i++) {
        for (struct record *record = shard->buckets[i]; record != NULL; record = record->next) {
            if (record_decode(record_state(record), now_ms, &bindings) && bindings.count > 0 &&
                !visit(context, record_aor(record), &bindings))
                return false;
        }
    }
    return true;
}

void index_each(struct index *index, uint64_t now_ms,
                bool (*visit)(void *context, struct span aor, const struct ahoy_bindings *bindings),
                void *context)
{
    bool on = true;
    for (size_t i = 0; on && i < INDEX_SHARDS; i++) {
        pthread_mutex_lock(&index->shards[i].lock);
        on = visit_shard(&index->shards[i], now_ms, visit, context);
        pthread_mutex_unlock(&index->shards[i].lock);
    }
}
