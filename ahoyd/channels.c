/* Each trunk has few places, so that they are walked; those whose time has passed are found then,
 * and no timer is needed. */
#include "ahoyd/channels.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "libahoy/base/map.h"
#include "libahoy/base/pool.h"

struct place {
    uint64_t trunk, call; /* Hashes. */
    uint64_t until_ms;
    uint64_t tag; /* Of who answered first, as a hash: then the place stands; or 0. */
};

struct ahoyd_channels {
    struct ahoy_hash_key key;
    atomic_uint used; /* So that who has no such trunk takes no lock. */
    pthread_mutex_t lock;
    struct ahoy_pool places;
    struct ahoy_map by_trunk, by_call; /* To packed handles. */
    struct ahoy_map joined;            /* From tickets to others. */
};

struct ahoyd_channels *ahoyd_channels_new(struct ahoy_hash_key key)
{
    struct ahoyd_channels *channels = calloc(1, sizeof *channels);
    if (channels == NULL)
        return NULL;
    channels->key = key;
    pthread_mutex_init(&channels->lock, NULL);
    ahoy_pool_init(&channels->places, sizeof(struct place), AHOYD_CHANNELS_LIMIT);
    ahoy_map_init(&channels->by_trunk, AHOYD_CHANNELS_LIMIT);
    ahoy_map_init(&channels->by_call, AHOYD_CHANNELS_LIMIT);
    ahoy_map_init(&channels->joined, AHOYD_CHANNELS_LIMIT);
    return channels;
}

void ahoyd_channels_free(struct ahoyd_channels *channels)
{
    if (channels == NULL)
        return;
    ahoy_map_fini(&channels->by_trunk);
    ahoy_map_fini(&channels->by_call);
    ahoy_map_fini(&channels->joined);
    ahoy_pool_fini(&channels->places);
    pthread_mutex_destroy(&channels->lock);
    free(channels);
}

/* An even number that is not 0: those of other tickets are odd. */
static uint64_t name_call(const struct ahoyd_channels *channels, struct span call_id)
{
    uint64_t call = ahoy_siphash(&channels->key, call_id) & ~(uint64_t)1;
    return call != 0 ? call : 2;
}

/* Not 0. */
static uint64_t name_tag(const struct ahoyd_channels *channels, struct span tag)
{
    return ahoy_siphash(&channels->key, tag) | 1;
}

static uint64_t name_trunk(const struct ahoyd_channels *channels, struct span trunk)
{
    return ahoy_siphash(&channels->key, trunk);
}

static void give_back(struct ahoyd_channels *channels, uint64_t packed)
{
    const struct ahoy_handle handle = ahoy_handle_unpack(packed);
    const struct place *place = ahoy_pool_get(&channels->places, handle);
    (void)ahoy_map_remove(&channels->by_trunk, place->trunk, packed); /* It is in both. */
    (void)ahoy_map_remove(&channels->by_call, place->call, packed);
    ahoy_pool_remove(&channels->places, handle);
    atomic_store(&channels->used, channels->places.used);
}

/* The next place under |hash|, with its handle in |packed|; NULL where there is none.  Once one was
 * given back, |cursor| begins anew. */
static struct place *next(const struct ahoyd_channels *channels, const struct ahoy_map *map,
                          uint64_t hash, size_t *cursor, uint64_t *packed)
{
    if (!ahoy_map_find(map, hash, cursor, packed))
        return NULL;
    return ahoy_pool_get(&channels->places, ahoy_handle_unpack(*packed));
}

static uint32_t count_places(struct ahoyd_channels *channels, uint64_t trunk, uint64_t now_ms)
{
    const struct place *place;
    size_t cursor = 0;
    uint64_t packed;
    uint32_t count = 0;
    while ((place = next(channels, &channels->by_trunk, trunk, &cursor, &packed)) != NULL) {
        count++;
        if (place->until_ms > now_ms)
            continue;
        give_back(channels, packed);
        cursor = count = 0;
    }
    return count;
}

static bool has_place(const struct ahoyd_channels *channels, uint64_t trunk, uint64_t call)
{
    const struct place *place;
    size_t cursor = 0;
    uint64_t packed;
    while ((place = next(channels, &channels->by_call, call, &cursor, &packed)) != NULL) {
        if (place->trunk == trunk)
            return true;
    }
    return false;
}

/* False where there is no room. */
static bool add(struct ahoyd_channels *channels, const struct place *place)
{
    struct ahoy_handle handle;
    struct place *added = ahoy_pool_add(&channels->places, &handle);
    if (added == NULL)
        return false;
    uint64_t packed = ahoy_handle_pack(handle);
    *added = *place;
    if (ahoy_map_add(&channels->by_trunk, place->trunk, packed) &&
        ahoy_map_add(&channels->by_call, place->call, packed)) {
        atomic_store(&channels->used, channels->places.used);
        return true;
    }
    give_back(channels, packed);
    return false;
}

bool ahoyd_channels_take(struct ahoyd_channels *channels, struct span trunk, struct span call_id,
                         uint32_t most, uint64_t now_ms, uint64_t *ticket)
{
    const struct place place = { .trunk = name_trunk(channels, trunk),
                                 .call = name_call(channels, call_id),
                                 .until_ms = now_ms + AHOYD_CHANNEL_SETUP_MS };
    pthread_mutex_lock(&channels->lock);
    bool had = has_place(channels, place.trunk, place.call);
    bool gets = !had && count_places(channels, place.trunk, now_ms) < most && add(channels, &place);
    pthread_mutex_unlock(&channels->lock);
    if (gets)
        *ticket = place.call;
    return had || gets;
}

bool ahoyd_channels_any(struct ahoyd_channels *channels)
{
    return atomic_load(&channels->used) != 0;
}

void ahoyd_channels_answered(struct ahoyd_channels *channels,
                             const struct ahoyd_channels_answer *answer, uint64_t now_ms)
{
    if (!ahoyd_channels_any(channels))
        return;
    uint64_t call = name_call(channels, answer->call_id), packed;
    uint64_t trunk = name_trunk(channels, answer->trunk);
    uint64_t stands_s = answer->stands_s > 0 ? answer->stands_s : AHOYD_CHANNEL_STANDS_S;
    struct place *place;
    size_t cursor = 0;
    pthread_mutex_lock(&channels->lock);
    while ((place = next(channels, &channels->by_call, call, &cursor, &packed)) != NULL) {
        if (place->tag == 0 && place->trunk != trunk) {
            give_back(channels, packed);
            cursor = 0;
            continue;
        }
        if (place->tag == 0)
            place->tag = name_tag(channels, answer->to_tag);
        place->until_ms = now_ms + stands_s * 1000;
    }
    pthread_mutex_unlock(&channels->lock);
}

/* Gives back the places of |call| that have one of the two |tags|. */
static void clear(struct ahoyd_channels *channels, uint64_t call, const uint64_t tags[2])
{
    const struct place *place;
    size_t cursor = 0;
    uint64_t packed;
    if (!ahoyd_channels_any(channels))
        return;
    pthread_mutex_lock(&channels->lock);
    while ((place = next(channels, &channels->by_call, call, &cursor, &packed)) != NULL) {
        if (place->tag != tags[0] && place->tag != tags[1])
            continue;
        give_back(channels, packed);
        cursor = 0;
    }
    pthread_mutex_unlock(&channels->lock);
}

bool ahoyd_channels_join(struct ahoyd_channels *channels, uint64_t ticket, uint64_t other)
{
    pthread_mutex_lock(&channels->lock);
    bool kept = ahoy_map_add(&channels->joined, ticket, other);
    pthread_mutex_unlock(&channels->lock);
    return kept;
}

void ahoyd_channels_drop(struct ahoyd_channels *channels, uint64_t ticket)
{
    clear(channels, ticket, (const uint64_t[2]){ 0, 0 });
}

uint64_t ahoyd_channels_settle(struct ahoyd_channels *channels, uint64_t ticket)
{
    uint64_t other = 0;
    size_t cursor = 0;
    ahoyd_channels_drop(channels, ticket);
    pthread_mutex_lock(&channels->lock);
    if (ahoy_map_find(&channels->joined, ticket, &cursor, &other))
        (void)ahoy_map_remove(&channels->joined, ticket, other); /* It is there. */
    pthread_mutex_unlock(&channels->lock);
    return other;
}

void ahoyd_channels_end(struct ahoyd_channels *channels, struct span call_id,
                        const struct span tags[2])
{
    if (!ahoyd_channels_any(channels))
        return;
    clear(channels, name_call(channels, call_id),
          (const uint64_t[2]){ name_tag(channels, tags[0]), name_tag(channels, tags[1]) });
}

uint32_t ahoyd_channels_count(struct ahoyd_channels *channels, struct span trunk, uint64_t now_ms)
{
    pthread_mutex_lock(&channels->lock);
    uint32_t count = count_places(channels, name_trunk(channels, trunk), now_ms);
    pthread_mutex_unlock(&channels->lock);
    return count;
}
