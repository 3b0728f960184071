/* A change that comes while one is not yet looked at is the same one: who looks, finds the newest.
 * So nothing here needs memory when something changes, and nothing is ever lost. */
#include "ahoyd/store/watch.h"

#include <stdlib.h>

#include "ahoyd/store/backend.h"

bool watches_init(struct watches *watches, struct ahoy_hash_key key)
{
    watches->key = key;
    pthread_mutex_init(&watches->lock, NULL);
    watches->buckets = calloc(AHOYD_WATCH_BUCKETS, sizeof *watches->buckets);
    watches->sources = calloc(AHOYD_WATCH_BUCKETS, sizeof *watches->sources);
    return watches->buckets != NULL && watches->sources != NULL;
}

void watches_fini(struct watches *watches)
{
    free(watches->buckets);
    free(watches->sources);
    pthread_mutex_destroy(&watches->lock);
}

static struct ahoyd_watch **bucket_of(const struct watches *watches, uint64_t hash)
{
    return &watches->buckets[hash % AHOYD_WATCH_BUCKETS];
}

/* With the lock. */
static void mark(struct ahoyd_watch *watch)
{
    struct ahoyd_watcher *watcher = watch->watcher;
    if (watch->changed_link != NULL)
        return;
    watch->next_changed = watcher->changed;
    if (watch->next_changed != NULL)
        watch->next_changed->changed_link = &watch->next_changed;
    watch->changed_link = &watcher->changed;
    watcher->changed = watch;
    if (!atomic_exchange(&watcher->is_told, true) && watcher->owner != NULL &&
        watcher->owner->wake != NULL)
        watcher->owner->wake(watcher->owner);
}

/* With the lock. */
static void unmark(struct ahoyd_watch *watch)
{
    if (watch->changed_link == NULL)
        return;
    *watch->changed_link = watch->next_changed;
    if (watch->next_changed != NULL)
        watch->next_changed->changed_link = watch->changed_link;
    watch->changed_link = NULL;
}

void watches_tell(struct watches *watches, uint64_t hash)
{
    pthread_mutex_lock(&watches->lock);
    for (struct ahoyd_watch *at = *bucket_of(watches, hash); at != NULL; at = at->next) {
        if (at->hash == hash)
            mark(at);
    }
    pthread_mutex_unlock(&watches->lock);
}

/* With the lock: what is in the way of one more; 0 for nothing. */
static unsigned refusal_of(const struct watches *watches, const struct ahoyd_watch *watch)
{
    unsigned count = 0;
    for (const struct ahoyd_watch *at = *bucket_of(watches, watch->hash); at != NULL; at = at->next)
        count += at->hash == watch->hash;
    if (count >= AHOYD_WATCHES_AOR_LIMIT ||
        (watch->source != NULL && *watch->source >= AHOYD_WATCHES_ADDRESS_LIMIT))
        return 403;
    return atomic_load(&watches->count) >= AHOYD_WATCHES_LIMIT ? 503 : 0;
}

/* With the lock. */
static void link_in(struct watches *watches, struct ahoyd_watch *watch)
{
    struct ahoyd_watch **bucket = bucket_of(watches, watch->hash);
    watch->next = *bucket;
    if (watch->next != NULL)
        watch->next->link = &watch->next;
    watch->link = bucket;
    *bucket = watch;
    atomic_fetch_add(&watches->count, 1);
    if (watch->source != NULL)
        ++*watch->source;
}

/* With the lock. */
static void link_out(struct watches *watches, struct ahoyd_watch *watch)
{
    *watch->link = watch->next;
    if (watch->next != NULL)
        watch->next->link = watch->link;
    watch->link = NULL;
    atomic_fetch_sub(&watches->count, 1);
    if (watch->source != NULL)
        --*watch->source;
}

unsigned ahoyd_watch_add(struct ahoyd_store *store, struct ahoyd_watch *watch, struct span aor,
                         const struct ahoy_ip *ip)
{
    struct watches *watches = &store->watches;
    watch->hash = ahoy_siphash(&store->index.key, aor);
    watch->source = NULL;
    if (ip != NULL) {
        const struct span address = { (const char *)ip->bytes, ip->family == AHOY_IPV4 ? 4 : 8 };
        watch->source =
            &watches->sources[ahoy_siphash(&watches->key, address) % AHOYD_WATCH_BUCKETS];
    }
    pthread_mutex_lock(&watches->lock);
    unsigned refusal = refusal_of(watches, watch);
    if (refusal == 0)
        link_in(watches, watch);
    pthread_mutex_unlock(&watches->lock);
    return refusal;
}

void ahoyd_watch_remove(struct ahoyd_store *store, struct ahoyd_watch *watch)
{
    pthread_mutex_lock(&store->watches.lock);
    if (watch->link != NULL) {
        unmark(watch);
        link_out(&store->watches, watch);
    }
    pthread_mutex_unlock(&store->watches.lock);
}

bool ahoyd_watch_next(struct ahoyd_store *store, struct ahoyd_watcher *watcher, uint64_t *what)
{
    if (!atomic_load(&watcher->is_told))
        return false;
    pthread_mutex_lock(&store->watches.lock);
    struct ahoyd_watch *watch = watcher->changed;
    if (watch != NULL) {
        *what = watch->what;
        unmark(watch);
    } else {
        atomic_store(&watcher->is_told, false);
    }
    pthread_mutex_unlock(&store->watches.lock);
    return watch != NULL;
}
