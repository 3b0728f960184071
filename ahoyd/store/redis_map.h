/* Which master of a Redis Cluster has which of its 16,384 slots. */
#pragma once

#include <hiredis/hiredis.h>

#include "ahoyd/store/redis_url.h"

enum {
    REDIS_SLOTS = 16384,
    REDIS_MASTERS_LIMIT = 64,
    REDIS_NODES_LIMIT = 256, /* Masters and replicas. */
    REDIS_NO_MASTER = 0xff
};

struct redis_map {
    size_t master_count, node_count;
    struct redis_address masters[REDIS_MASTERS_LIMIT];
    struct redis_address nodes[REDIS_NODES_LIMIT]; /* All of them. */
    uint8_t master_of[REDIS_SLOTS];                /* Or REDIS_NO_MASTER. */
};

/* The slot of |key|: by what stands in its first braces, or else by all of it. */
uint16_t redis_slot(struct span key);

bool redis_address_equal(const struct redis_address *a, const struct redis_address *b);
/* Copies a host and a port; false where they are none. */
bool redis_address_set(struct redis_address *address, struct span host, long long port);

/* Reads the reply to CLUSTER SLOTS that |asked| gave; false where it is not understood. */
bool redis_map_read(struct redis_map *map, const redisReply *reply,
                    const struct redis_address *asked);
