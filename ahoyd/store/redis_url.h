/* Where a Redis Cluster is: "redis-cluster://user:password@host:port,host:port?wait=1&wait_ms=50". */
#pragma once

#include <stdbool.h>

#include "libahoy/base/span.h"

enum {
    REDIS_SEEDS_LIMIT = 16,
    REDIS_HOST_LIMIT = 255,   /* Bytes. */
    REDIS_SECRET_LIMIT = 255, /* Bytes of a user's name, and of a password. */
    REDIS_WAIT_LIMIT = 16,    /* Replicas. */
    REDIS_WAIT_MS_LIMIT = 1000,
    REDIS_PORT = 6379
};

/* One process of Redis. */
struct redis_address {
    uint16_t port;
    char host[REDIS_HOST_LIMIT + 1]; /* A name or an address, without brackets. */
};

struct redis_url {
    size_t seed_count; /* At least 1. */
    struct redis_address seeds[REDIS_SEEDS_LIMIT];
    char user[REDIS_SECRET_LIMIT + 1];     /* Empty where none is named. */
    char password[REDIS_SECRET_LIMIT + 1]; /* Likewise. */
    unsigned wait;                         /* Replicas that must have a change before it counts. */
    unsigned wait_ms;                      /* How long they may take. */
};

/* Whether |text| begins as such a URL does. */
bool redis_url_is_one(struct span text);
/* False where it is not sound; |fault|, a literal, then says what is wrong. */
bool redis_url_parse(struct span text, struct redis_url *url, const char **fault);
