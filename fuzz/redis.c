/* Replies of a Redis that means ill: hiredis reads them, and what they mean is taken from them. */
#include "ahoyd/store/redis_reply.h"
#include "fuzz/target.h"

static void take_keys(const redisReply *keys)
{
    for (size_t i = 0; keys != NULL && i < keys->elements; i++)
        (void)redis_slot(redis_reply_text(keys->element[i]));
}

static void take(const redisReply *reply)
{
    static struct redis_map map;
    const struct redis_address asked = { .port = 1, .host = "redis.example" };
    struct redis_address elsewhere;
    struct shared_row row;
    const redisReply *keys = NULL;
    char cursor[24];
    bool done;
    (void)redis_reply_remedy(reply, &elsewhere);
    if (redis_reply_swap(reply, &done, &row) && !done)
        MUST(row.version == 0 || row.bytes.size <= SHARED_BYTES_LIMIT);
    if (redis_reply_scan(reply, cursor, &keys)) {
        MUST(memchr(cursor, '\0', sizeof cursor) != NULL);
        take_keys(keys);
    }
    if (redis_reply_changed(reply, &keys))
        take_keys(keys);
    if (redis_map_read(&map, reply, &asked)) {
        for (size_t i = 0; i < REDIS_SLOTS; i++)
            MUST(map.master_of[i] == REDIS_NO_MASTER || map.master_of[i] < map.master_count);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    redisReader *reader = redisReaderCreate();
    void *reply = NULL;
    if (reader == NULL)
        return 0;
    redisReaderFeed(reader, (const char *)data, size);
    while (redisReaderGetReply(reader, &reply) == REDIS_OK && reply != NULL) {
        take(reply);
        freeReplyObject(reply);
    }
    redisReaderFree(reader);
    return 0;
}
