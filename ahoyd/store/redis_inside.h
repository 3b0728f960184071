/* What the files of the Redis engine share. */
#pragma once

#include "ahoyd/store/redis_link.h"
#include "ahoyd/store/shared_engine.h"

enum {
    REDIS_LINKS_LIMIT = SHARED_FDS_LIMIT / 2,
    REDIS_LOOKS_LIMIT = 16384 /* Rows that are asked for at once, beside those of a scan. */
};

extern const struct shared_engine redis_engine;

struct redis {
    struct redis_url url;
    const struct ahoy_log *log;
    uint64_t now_ms;
    /* redis_nodes.c */
    struct redis_map map, fresh;          /* The one in use, and one that is being read. */
    uint8_t link_of[REDIS_MASTERS_LIMIT]; /* Of each master. */
    size_t link_count;
    struct redis_link links[REDIS_LINKS_LIMIT]; /* Those without an address are free. */
    uint64_t map_ms;                            /* When the map is to be asked for. */
    size_t next_asked, next_node; /* Links that are asked for the map, and nodes that are tried, in
                                   * turn. */
    struct shared_requests waiting; /* For a link, or for better times. */
    /* redis.c */
    uint64_t again_ms;                     /* When what waits is tried again. */
    uint64_t round;                        /* Of reading. */
    size_t looks;                          /* Rows that are asked for. */
    struct redis_link *read_now;           /* NULL: nothing is being read. */
    struct shared_requests proved, unsafe; /* Swaps that have ended. */
    size_t next_link;                      /* Whose replies are taken. */
    redisReply *reply;                     /* What the last event pointed into, ... */
    struct redis_request *request;         /* ... and this. */
};

/* The link that |request| is to be sent by, where that is up; else NULL. */
struct redis_link *redis_nodes_link(struct redis *redis, const struct redis_request *request);
/* The link of the slot's master, whatever its state; NULL where there is none. */
struct redis_link *redis_nodes_of_slot(struct redis *redis, uint16_t slot);
/* Links live on: they read and write, are closed and opened, and the map is asked for. */
void redis_nodes_step(struct redis *redis, const struct pollfd *fds, size_t count);
void redis_nodes_close(struct redis *redis, struct redis_link *link, const char *why);
/* A map has come from |link|. */
void redis_nodes_take_map(struct redis *redis, const struct redis_link *link,
                          const redisReply *reply);
/* Whether every master of the map is up. */
bool redis_nodes_are_up(const struct redis *redis);

/* redis.c: frees a request that was not answered. */
void redis_forget_request(struct redis *redis, struct redis_request *request);
/* What was read before |link| closed may be old. */
void redis_reading_abandon(struct redis *redis);
