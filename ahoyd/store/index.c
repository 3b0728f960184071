/* A shard's buckets grow one by one: the hash's bits choose among as many as the next power of two
 * would have, and where that bucket is not there yet, the one that it will be made of (Litwin,
 * 1980).  So the table is never copied, and no lock is held for longer than one bucket takes.
 *
 * A look-up by itself waits for memory twice, for a bucket and for a record: a bucket is one line
 * of a processor's cache, and eight bits of each hash in it say which record is meant.  One that
 * was expected waits for neither. */
#include "ahoyd/store/index.h"

#include "libahoy/base/unset.h"

enum {
    LINE_SIZE = 64,
    SLOTS = 12,
    FULL = 8,           /* So many records a bucket, and there is one more. */
    FETCHED = 5,        /* Lines of a record that are brought near before its size is known. */
    EXPECTED_FROM = 16, /* Buckets a shard; fewer, and what they name, are in the caches anyway. */
    HUGE_FROM = 1024 * 1024
};

struct bucket {
    uint8_t prints[SLOTS];   /* Some bits of each one's hash. */
    uint32_t records[SLOTS]; /* The number of each; 0 for none. */
    uint32_t next;           /* The first of those that have found no slot. */
};

_Static_assert(sizeof(struct bucket) == LINE_SIZE, "a bucket is one line");

bool index_init(struct index *index, struct ahoy_hash_key key)
{
    *index = (struct index){ .key = key };
    for (size_t i = 0; i < INDEX_SHARDS; i++) {
        pthread_mutex_init(&index->shards[i].lock, NULL);
        index->shards[i].buckets = 1;
    }
    return slabs_init(&index->slabs) &&
           region_init(&index->buckets, (uint64_t)AHOYD_BUCKETS_LIMIT * LINE_SIZE, HUGE_FROM) &&
           region_grow(&index->buckets, INDEX_SHARDS * LINE_SIZE);
}

void index_fini(struct index *index)
{
    slabs_fini(&index->slabs);
    region_fini(&index->buckets);
    for (size_t i = 0; i < INDEX_SHARDS; i++)
        pthread_mutex_destroy(&index->shards[i].lock);
}

/* The lower bits choose the shard, ... */
static struct shard *shard_of(struct index *index, uint64_t hash)
{
    return &index->shards[hash % INDEX_SHARDS];
}

/* ... the bits above them which of its |count| buckets, ... */
static uint32_t place_of(uint64_t hash, uint32_t count)
{
    const uint32_t bits = (uint32_t)(hash / INDEX_SHARDS);
    uint32_t mask = UINT32_MAX >> __builtin_clz(count | 1);
    uint32_t place = bits & mask;
    return place < count ? place : place & mask >> 1;
}

/* ... and the highest of all are kept in it. */
static uint8_t print_of(uint64_t hash)
{
    return (uint8_t)(hash >> 56);
}

static struct bucket *bucket_at(const struct index *index, const struct shard *shard,
                                uint32_t place)
{
    size_t number = (size_t)place * INDEX_SHARDS + (size_t)(shard - index->shards);
    return (struct bucket *)(void *)index->buckets.at + number;
}

static struct bucket *bucket_of(const struct index *index, const struct shard *shard, uint64_t hash)
{
    return bucket_at(index, shard, place_of(hash, shard->buckets));
}

static struct record *record_at(const struct index *index, uint32_t number)
{
    return slabs_at(&index->slabs, number);
}

/* Has a record brought from memory at once: it is read from one end to the other, and each of its
 * lines would be waited for. */
static void fetch(const struct record *record)
{
    for (size_t i = 0; i < FETCHED; i++)
        __builtin_prefetch((const char *)record + i * LINE_SIZE);
}

/* The place that names the record of |aor|, or NULL where there is none. */
static uint32_t *find(const struct index *index, struct bucket *bucket, uint64_t hash,
                      struct span aor)
{
    for (size_t i = 0; i < SLOTS; i++) {
        if (bucket->prints[i] != print_of(hash) || bucket->records[i] == 0)
            continue;
        const struct record *record = record_at(index, bucket->records[i]);
        fetch(record);
        if (ahoy_span_equal(record_aor(record), aor))
            return &bucket->records[i];
    }
    for (uint32_t *link = &bucket->next; *link != 0; link = &record_at(index, *link)->next) {
        if (ahoy_span_equal(record_aor(record_at(index, *link)), aor))
            return link;
    }
    return NULL;
}

static const struct record *find_record(const struct index *index, const struct shard *shard,
                                        uint64_t hash, struct span aor)
{
    const uint32_t *link = find(index, bucket_of(index, shard, hash), hash, aor);
    return link != NULL ? record_at(index, *link) : NULL;
}

static void add(const struct index *index, struct bucket *bucket, uint64_t hash, uint32_t number)
{
    for (size_t i = 0; i < SLOTS; i++) {
        if (bucket->records[i] == 0) {
            bucket->prints[i] = print_of(hash);
            bucket->records[i] = number;
            return;
        }
    }
    record_at(index, number)->next = bucket->next;
    bucket->next = number;
}

/* Takes all records out of a bucket, chained by |next|; the first one's number. */
static uint32_t empty(const struct index *index, struct bucket *bucket)
{
    uint32_t chain = bucket->next;
    for (size_t i = 0; i < SLOTS; i++) {
        if (bucket->records[i] != 0) {
            record_at(index, bucket->records[i])->next = chain;
            chain = bucket->records[i];
        }
    }
    *bucket = (struct bucket){ .next = 0 };
    return chain;
}

/* Lets each record of |bucket| take the place where it is found, now that there is one bucket more:
 * half of them go there. */
static void arrange(const struct index *index, const struct shard *shard, struct bucket *bucket)
{
    for (size_t i = 0; i < SLOTS; i++) {
        if (bucket->records[i] != 0)
            fetch(record_at(index, bucket->records[i]));
    }
    uint32_t number = empty(index, bucket);
    while (number != 0) {
        struct record *record = record_at(index, number);
        uint64_t hash = index_hash(index, record_aor(record));
        uint32_t next = record->next;
        record->next = 0;
        add(index, bucket_of(index, shard, hash), hash, number);
        number = next;
    }
}

/* One bucket more, where there are too few; without memory the chains grow longer instead. */
static void grow(struct index *index, struct shard *shard)
{
    size_t size = ((size_t)shard->buckets + 1) * INDEX_SHARDS * LINE_SIZE;
    if (shard->count < shard->buckets * FULL || !region_grow(&index->buckets, size))
        return;
    uint32_t added = shard->buckets++;
    uint32_t halved = added & (UINT32_MAX >> __builtin_clz(added)) >> 1;
    arrange(index, shard, bucket_at(index, shard, halved));
}

uint64_t index_hash(const struct index *index, struct span aor)
{
    return ahoy_siphash(&index->key, aor);
}

/* All shards have about as many records. */
uint64_t index_expect(const struct index *index, struct span user, struct span domain)
{
    if (index->shards[0].buckets < EXPECTED_FROM)
        return 0;
    const struct span aor[] = { user, SPAN("@"), domain };
    uint64_t hash = ahoy_siphash_parts(&index->key, aor, 3);
    __builtin_prefetch(bucket_of(index, &index->shards[hash % INDEX_SHARDS], hash));
    return hash;
}

void index_expect_record(struct index *index, uint64_t hash)
{
    struct shard *shard = shard_of(index, hash);
    if (pthread_mutex_trylock(&shard->lock) != 0)
        return;
    const struct bucket *bucket = bucket_of(index, shard, hash);
    for (size_t i = 0; i < SLOTS; i++) {
        if (bucket->prints[i] == print_of(hash) && bucket->records[i] != 0)
            fetch(record_at(index, bucket->records[i]));
    }
    pthread_mutex_unlock(&shard->lock);
}

bool index_find_hashed(struct index *index, uint64_t hash, struct span aor, uint64_t now_ms,
                       struct ahoy_bindings *bindings)
{
    struct shard *shard = shard_of(index, hash);
    pthread_mutex_lock(&shard->lock);
    const struct record *record = find_record(index, shard, hash, aor);
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
    const struct record *record = find_record(index, shard, hash, aor);
    uint64_t row = record == NULL ? 0 : record->row;
    pthread_mutex_unlock(&shard->lock);
    return row;
}

/* Takes the record that |link| names out of its bucket; one that waits behind it moves up. */
static struct record *take_out(const struct index *index, struct bucket *bucket, uint32_t *link)
{
    struct record *record = record_at(index, *link);
    *link = record->next;
    record->next = 0;
    const uint32_t first = bucket->next;
    if (first != 0) {
        struct record *waits = record_at(index, first);
        bucket->next = waits->next;
        waits->next = 0;
        add(index, bucket, index_hash(index, record_aor(waits)), first);
    }
    return record;
}

bool index_put(struct index *index, struct record *record, uint64_t hash)
{
    struct record *unwanted = record->until_ms == 0 ? record : NULL, *old = NULL;
    struct shard *shard = shard_of(index, hash);
    pthread_mutex_lock(&shard->lock);
    struct bucket *bucket = bucket_of(index, shard, hash);
    uint32_t *link = find(index, bucket, hash, record_aor(record));
    if (link != NULL && unwanted == NULL) {
        old = record_at(index, *link);
        record->next = old->next;
        *link = slabs_number(&index->slabs, record);
    } else if (link != NULL) {
        old = take_out(index, bucket, link);
        shard->count--;
    } else if (unwanted == NULL) {
        add(index, bucket, hash, slabs_number(&index->slabs, record));
        shard->count++;
        grow(index, shard);
    }
    pthread_mutex_unlock(&shard->lock);
    slabs_give(&index->slabs, unwanted);
    slabs_give(&index->slabs, old);
    return old != NULL;
}

/* One that has expired, or NULL. */
static uint32_t *find_expired(const struct index *index, struct bucket *bucket, uint64_t now_ms)
{
    for (size_t i = 0; i < SLOTS; i++) {
        if (bucket->records[i] != 0 && record_at(index, bucket->records[i])->until_ms <= now_ms)
            return &bucket->records[i];
    }
    for (uint32_t *link = &bucket->next; *link != 0; link = &record_at(index, *link)->next) {
        if (record_at(index, *link)->until_ms <= now_ms)
            return link;
    }
    return NULL;
}

/* Nobody but the writer, who is here, moves records: so the lock is held for a bucket at a time. */
size_t index_forget(struct index *index, size_t number, uint64_t now_ms)
{
    struct shard *shard = &index->shards[number % INDEX_SHARDS];
    size_t forgotten = 0;
    for (uint32_t i = 0; i < shard->buckets; i++) {
        uint32_t *link = NULL;
        struct bucket *bucket = bucket_at(index, shard, i);
        pthread_mutex_lock(&shard->lock);
        while ((link = find_expired(index, bucket, now_ms)) != NULL) {
            slabs_give(&index->slabs, take_out(index, bucket, link));
            shard->count--;
            forgotten++;
        }
        pthread_mutex_unlock(&shard->lock);
    }
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

static bool visit_bucket(const struct index *index, const struct bucket *bucket,
                         bool (*visit)(void *context, struct record *record), void *context)
{
    for (size_t i = 0; i < SLOTS; i++) {
        if (bucket->records[i] != 0 && !visit(context, record_at(index, bucket->records[i])))
            return false;
    }
    for (uint32_t number = bucket->next; number != 0; number = record_at(index, number)->next) {
        if (!visit(context, record_at(index, number)))
            return false;
    }
    return true;
}

static bool visit_shard(const struct index *index, const struct shard *shard,
                        bool (*visit)(void *context, struct record *record), void *context)
{
    for (uint32_t i = 0; i < shard->buckets; i++) {
        if (!visit_bucket(index, bucket_at(index, shard, i), visit, context))
            return false;
    }
    return true;
}

void index_each_record(struct index *index, bool (*visit)(void *context, struct record *record),
                       void *context)
{
    bool on = true;
    for (size_t i = 0; on && i < INDEX_SHARDS; i++)
        on = visit_shard(index, &index->shards[i], visit, context);
}

struct walk {
    uint64_t now_ms;
    bool (*visit)(void *context, struct span aor, const struct ahoy_bindings *bindings);
    void *context;
};

static bool show(void *context, struct record *record)
{
    AHOY_UNSET struct ahoy_bindings bindings;
    const struct walk *walk = context;
    return !record_decode(record_state(record), walk->now_ms, &bindings) || bindings.count == 0 ||
           walk->visit(walk->context, record_aor(record), &bindings);
}

void index_each(struct index *index, uint64_t now_ms,
                bool (*visit)(void *context, struct span aor, const struct ahoy_bindings *bindings),
                void *context)
{
    struct walk walk = { .now_ms = now_ms, .visit = visit, .context = context };
    bool on = true;
    for (size_t i = 0; on && i < INDEX_SHARDS; i++) {
        pthread_mutex_lock(&index->shards[i].lock);
        on = visit_shard(index, &index->shards[i], show, &walk);
        pthread_mutex_unlock(&index->shards[i].lock);
    }
}
