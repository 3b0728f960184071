/* A map from connections to what is on their badges. */
#include "ahoyd/badges.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "libahoy/base/map.h"

struct badge {
    uint16_t worker;
    struct ahoy_handle connection;
    size_t count, size;
    char *text; /* The URIs, each with a NUL behind it; from the allocator. */
};

struct ahoyd_badges {
    pthread_mutex_t lock;
    struct ahoy_pool pool; /* struct badge */
    struct ahoy_map map;   /* To their handles. */
    size_t held;
    atomic_bool has_any; /* Most servers never have one, and need no lock. */
};

struct ahoyd_badges *ahoyd_badges_new(void)
{
    struct ahoyd_badges *badges = calloc(1, sizeof *badges);
    if (badges == NULL)
        return NULL;
    pthread_mutex_init(&badges->lock, NULL);
    ahoy_pool_init(&badges->pool, sizeof(struct badge), AHOYD_BADGES_LIMIT);
    ahoy_map_init(&badges->map, AHOYD_BADGES_LIMIT);
    return badges;
}

void ahoyd_badges_free(struct ahoyd_badges *badges)
{
    struct ahoy_handle handle = { 0, 0 };
    struct badge *badge;
    if (badges == NULL)
        return;
    while ((badge = ahoy_pool_next(&badges->pool, handle.slot, &handle)) != NULL) {
        free(badge->text);
        ahoy_pool_remove(&badges->pool, handle);
    }
    ahoy_pool_fini(&badges->pool);
    ahoy_map_fini(&badges->map);
    pthread_mutex_destroy(&badges->lock);
    free(badges);
}

/* We number connections ourselves, so nobody can aim at a bucket. */
static uint64_t hash_of(uint16_t worker, struct ahoy_handle connection)
{
    static const struct ahoy_hash_key key;
    const uint64_t parts[] = { worker, ahoy_handle_pack(connection) };
    return ahoy_siphash(&key, (struct span){ (const char *)parts, sizeof parts });
}

static struct badge *find(const struct ahoyd_badges *badges, uint16_t worker,
                          struct ahoy_handle connection, struct ahoy_handle *handle)
{
    size_t cursor = 0;
    uint64_t value;
    while (ahoy_map_find(&badges->map, hash_of(worker, connection), &cursor, &value)) {
        *handle = ahoy_handle_unpack(value);
        struct badge *badge = ahoy_pool_get(&badges->pool, *handle);
        if (badge->worker == worker && ahoy_handle_equal(badge->connection, connection))
            return badge;
    }
    return NULL;
}

/* Writes |peer|'s users on |badge|; false where memory is refused. */
static bool write_on(struct badge *badge, const struct ahoy_peer *peer)
{
    for (size_t i = 0; i < peer->user_count; i++)
        badge->size += peer->users[i].size + 1;
    badge->text = calloc(1, badge->size);
    if (badge->text == NULL)
        return false;
    char *at = badge->text;
    for (; badge->count < peer->user_count; badge->count++) {
        const struct span user = peer->users[badge->count];
        memcpy(at, user.at, user.size);
        at += user.size + 1;
    }
    return true;
}

static void add(struct ahoyd_badges *badges, uint16_t worker, struct ahoy_handle connection,
                const struct ahoy_peer *peer)
{
    struct ahoy_handle handle;
    struct badge *badge = ahoy_pool_add(&badges->pool, &handle);
    if (badge == NULL)
        return;
    badge->worker = worker;
    badge->connection = connection;
    if (badges->held <= AHOYD_BADGES_MEMORY_LIMIT - AHOY_PEER_TEXT_LIMIT && write_on(badge, peer) &&
        ahoy_map_add(&badges->map, hash_of(worker, connection), ahoy_handle_pack(handle))) {
        badges->held += badge->size;
        atomic_store(&badges->has_any, true);
        return;
    }
    free(badge->text);
    ahoy_pool_remove(&badges->pool, handle);
}

void ahoyd_badges_add(struct ahoyd_badges *badges, uint16_t worker, struct ahoy_handle connection,
                      const struct ahoy_peer *peer)
{
    struct ahoy_handle known;
    if (peer->user_count == 0)
        return;
    pthread_mutex_lock(&badges->lock);
    if (find(badges, worker, connection, &known) == NULL)
        add(badges, worker, connection, peer);
    pthread_mutex_unlock(&badges->lock);
}

void ahoyd_badges_remove(struct ahoyd_badges *badges, uint16_t worker,
                         struct ahoy_handle connection)
{
    struct ahoy_handle handle;
    if (!atomic_load(&badges->has_any))
        return;
    pthread_mutex_lock(&badges->lock);
    struct badge *badge = find(badges, worker, connection, &handle);
    if (badge != NULL) {
        /* It was found just now. */
        (void)ahoy_map_remove(&badges->map, hash_of(worker, connection), ahoy_handle_pack(handle));
        badges->held -= badge->size;
        free(badge->text);
        ahoy_pool_remove(&badges->pool, handle);
    }
    pthread_mutex_unlock(&badges->lock);
}

bool ahoyd_badges_print(struct ahoyd_badges *badges, const struct ahoy_hop *hop, size_t index,
                        struct ahoy_buf *uri)
{
    struct ahoy_handle handle;
    if (!atomic_load(&badges->has_any))
        return false;
    pthread_mutex_lock(&badges->lock);
    const struct badge *badge = find(badges, hop->worker, hop->connection, &handle);
    bool found = badge != NULL && index < badge->count;
    if (found) {
        const char *at = badge->text;
        while (index-- > 0)
            at += strlen(at) + 1;
        ahoy_buf_put(uri, ahoy_span(at));
    }
    pthread_mutex_unlock(&badges->lock);
    return found;
}
