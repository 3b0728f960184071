/* Who wants to know when the bindings of an address-of-record change: watches of all workers, by
 * the hash of that address.  One lock is held, for nanoseconds, and none while nobody watches. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "ahoyd/store/store.h"

enum {
    AHOYD_WATCHES_LIMIT = 16384,       /* Watches at once. */
    AHOYD_WATCHES_AOR_LIMIT = 16,      /* Of one address-of-record. */
    AHOYD_WATCHES_ADDRESS_LIMIT = 128, /* From one address (IPv6: /64), that of no trunk. */
    AHOYD_WATCH_BUCKETS = 4096
};

/* Who watches: one a worker and purpose.  Zeroed but for |owner|; outlives its watches. */
struct ahoyd_watcher {
    struct ahoyd_change_owner *owner; /* Whose |wake| is called; NULL for nobody. */
    atomic_bool is_told;              /* Something has changed. */
    struct ahoyd_watch *changed;      /* Under the lock. */
};

/* One watch; zeroed: none.  Stays where it is while it is one. */
struct ahoyd_watch {
    struct ahoyd_watch *next, **link; /* In its bucket. */
    struct ahoyd_watcher *watcher;
    struct ahoyd_watch *next_changed, **changed_link; /* NULL while nothing has changed. */
    uint64_t hash;
    uint64_t what;    /* The watcher's. */
    uint16_t *source; /* How many come from there; NULL where that does not count. */
};

struct watches {
    pthread_mutex_t lock;
    struct ahoy_hash_key key; /* Of addresses. */
    atomic_uint count;        /* Of all watches. */
    struct ahoyd_watch **buckets;
    uint16_t *sources; /* Addresses may share one: which, only the key knows. */
};

/* False where memory is refused; watches_fini is then still right. */
bool watches_init(struct watches *watches, struct ahoy_hash_key key);
void watches_fini(struct watches *watches);
/* The bindings behind |hash| have changed: tells those who watch them. */
void watches_tell(struct watches *watches, uint64_t hash);

/* From any thread: |watch|, whose |watcher| and |what| are set, is told when |aor| changes.  |ip|
 * is where it is asked from; NULL where that does not count.  Returns 0, or what answers best: 403
 * where this address or address-of-record has as many as it may, 503 where all together have. */
unsigned ahoyd_watch_add(struct ahoyd_store *store, struct ahoyd_watch *watch, struct span aor,
                         const struct ahoy_ip *ip);
/* Nothing happens where it is none. */
void ahoyd_watch_remove(struct ahoyd_store *store, struct ahoyd_watch *watch);
/* Takes the next watch that something has changed for; false at the end. */
bool ahoyd_watch_next(struct ahoyd_store *store, struct ahoyd_watcher *watcher, uint64_t *what);
