/* A map a shard, of what is listed in it. */
#include "ahoyd/directory.h"

#include <pthread.h>
#include <stdlib.h>

enum { SHARDS = 16 };

struct shard {
    pthread_mutex_t lock;
    struct ahoy_map map; /* To struct ahoy_hop, from the allocator. */
};

struct directory {
    struct ahoy_directory face; /* First: what callers hold. */
    struct ahoy_hash_key secret;
    struct shard shards[SHARDS];
};

static struct directory *of(struct ahoy_directory *face)
{
    return (struct directory *)(void *)face;
}

/* The shard of |hash|, locked. */
static struct shard *enter(struct directory *directory, uint64_t hash)
{
    struct shard *shard = &directory->shards[hash % SHARDS];
    pthread_mutex_lock(&shard->lock);
    return shard;
}

static void add(struct ahoy_directory *face, const struct ahoy_hop *hop)
{
    struct ahoy_hop *listed = malloc(sizeof *listed);
    if (listed == NULL)
        return;
    *listed = *hop;
    uint64_t hash = ahoy_hop_hash(&of(face)->secret, hop);
    struct shard *shard = enter(of(face), hash);
    bool added = ahoy_map_add(&shard->map, hash, (uintptr_t)listed);
    pthread_mutex_unlock(&shard->lock);
    if (!added)
        free(listed);
}

static struct ahoy_hop *at(uint64_t value)
{
    return (struct ahoy_hop *)(uintptr_t)value;
}

static void remove_listed(struct ahoy_directory *face, const struct ahoy_hop *hop)
{
    uint64_t hash = ahoy_hop_hash(&of(face)->secret, hop);
    struct shard *shard = enter(of(face), hash);
    size_t cursor = 0;
    uint64_t value;
    while (ahoy_map_find(&shard->map, hash, &cursor, &value)) {
        if (at(value)->worker != hop->worker ||
            !ahoy_handle_equal(at(value)->connection, hop->connection))
            continue;
        (void)ahoy_map_remove(&shard->map, hash, value); /* It was found just now. */
        free(at(value));
        break;
    }
    pthread_mutex_unlock(&shard->lock);
}

static bool find(struct ahoy_directory *face, struct ahoy_hop *hop)
{
    uint64_t hash = ahoy_hop_hash(&of(face)->secret, hop);
    struct shard *shard = enter(of(face), hash);
    size_t cursor = 0;
    uint64_t value;
    bool found = false;
    while (!found && ahoy_map_find(&shard->map, hash, &cursor, &value)) {
        found = ahoy_hop_leads_where(at(value), hop);
        if (found) {
            hop->connection = at(value)->connection;
            hop->worker = at(value)->worker;
        }
    }
    pthread_mutex_unlock(&shard->lock);
    return found;
}

struct ahoy_directory *ahoyd_directory_new(struct ahoy_hash_key secret)
{
    struct directory *directory = calloc(1, sizeof *directory);
    if (directory == NULL)
        return NULL;
    directory->face = (struct ahoy_directory){ add, remove_listed, find };
    directory->secret = secret;
    for (size_t i = 0; i < SHARDS; i++) {
        pthread_mutex_init(&directory->shards[i].lock, NULL);
        ahoy_map_init(&directory->shards[i].map, AHOYD_DIRECTORY_LIMIT / SHARDS);
    }
    return &directory->face;
}

void ahoyd_directory_free(struct ahoy_directory *face)
{
    if (face == NULL)
        return;
    struct directory *directory = of(face);
    for (size_t i = 0; i < SHARDS; i++) {
        ahoy_map_fini(&directory->shards[i].map);
        pthread_mutex_destroy(&directory->shards[i].lock);
    }
    free(directory);
}
