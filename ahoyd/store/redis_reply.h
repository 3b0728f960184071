/* What replies of Redis mean.  They are read as if a stranger had written them. */
#pragma once

#include "ahoyd/store/redis_map.h"
#include "ahoyd/store/shared_engine.h"

/* What an error asks for. */
enum redis_remedy {
    REDIS_NO_ERROR,
    REDIS_REROUTE, /* The slot is another's: the map is old (MOVED), or that is one no more. */
    REDIS_ASK,     /* The slot is on its way to another, to be asked just this once. */
    REDIS_AGAIN,   /* In a moment it may do. */
    REDIS_PLAIN,   /* The script is not known there. */
    REDIS_HOPELESS
};

/* |address| is set for REDIS_ASK. */
enum redis_remedy redis_reply_remedy(const redisReply *reply, struct redis_address *address);

/* Reads a version and bytes, [version, bytes], both nil where there is no row; false where that is
 * not what |reply| holds.  |row| points into |reply|; its key is left alone. */
bool redis_reply_row(const redisReply *reply, struct shared_row *row);
/* Reads the reply of our script: whether it is |done|, or which row is there. */
bool redis_reply_swap(const redisReply *reply, bool *done, struct shared_row *row);
/* Reads [cursor, [key ...]]. */
bool redis_reply_scan(const redisReply *reply, char cursor[24], const redisReply **keys);
/* Reads ["message", channel, [key ...]] of a watch: |keys| are NULL where all keys are meant. */
bool redis_reply_changed(const redisReply *reply, const redisReply **keys);
/* The text of |reply|; empty where it has none. */
struct span redis_reply_text(const redisReply *reply);
