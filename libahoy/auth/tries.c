/* One number each says it all: when all is forgiven.  A failure moves it on by AHOY_TRIES_MS, and
 * as long as it is not too far ahead, he may try. */
#include "libahoy/auth/tries.h"

#include <stdlib.h>

enum { BUCKET = 8, AHEAD_MS = AHOY_TRIES_AT_ONCE * AHOY_TRIES_MS };

struct failed {
    uint64_t who;
    uint64_t forgiven_ms;
};

struct ahoy_tries {
    size_t count; /* Of buckets. */
    struct failed failed[];
};

struct ahoy_tries *ahoy_tries_new(size_t count)
{
    size_t buckets = count / BUCKET + 1;
    struct ahoy_tries *tries = calloc(1, sizeof *tries + buckets * BUCKET * sizeof(struct failed));
    if (tries != NULL)
        tries->count = buckets;
    return tries;
}

void ahoy_tries_free(struct ahoy_tries *tries)
{
    free(tries);
}

/* When all is forgiven to |who|; 0 where nothing is known of him. */
static uint64_t forgiven_ms(const struct ahoy_tries *tries, uint64_t who)
{
    const struct failed *bucket = &tries->failed[who % tries->count * BUCKET];
    for (size_t i = 0; i < BUCKET; i++) {
        if (bucket[i].who == who)
            return bucket[i].forgiven_ms;
    }
    return 0;
}

uint64_t ahoy_tries_wait_ms(const struct ahoy_tries *tries, uint64_t who, uint64_t now_ms)
{
    uint64_t free_ms = now_ms + AHEAD_MS - AHOY_TRIES_MS;
    uint64_t until_ms = forgiven_ms(tries, who);
    return until_ms > free_ms ? until_ms - free_ms : 0;
}

unsigned ahoy_tries_count(const struct ahoy_tries *tries, uint64_t who, uint64_t now_ms)
{
    uint64_t until_ms = forgiven_ms(tries, who);
    return until_ms > now_ms ? (unsigned)((until_ms - now_ms + AHOY_TRIES_MS - 1) / AHOY_TRIES_MS)
                             : 0;
}

/* Moves |who| on by |by_ms|. */
static void move_on(struct ahoy_tries *tries, uint64_t who, uint64_t by_ms, uint64_t now_ms)
{
    struct failed *bucket = &tries->failed[who % tries->count * BUCKET];
    struct failed *found = &bucket[0];
    for (size_t i = 0; i < BUCKET; i++) {
        if (bucket[i].who == who) {
            found = &bucket[i];
            break;
        }
        if (bucket[i].forgiven_ms < found->forgiven_ms)
            found = &bucket[i];
    }
    if (found->who != who || found->forgiven_ms < now_ms)
        *found = (struct failed){ .who = who, .forgiven_ms = now_ms };
    found->forgiven_ms += by_ms;
}

void ahoy_tries_fail(struct ahoy_tries *tries, uint64_t who, uint64_t now_ms)
{
    move_on(tries, who, AHOY_TRIES_MS, now_ms);
}

bool ahoy_tries_pace(struct ahoy_tries *tries, uint64_t who, uint32_t count, uint64_t now_ms)
{
    const uint64_t each_ms = 1000 / count;
    if (forgiven_ms(tries, who) + each_ms > now_ms + count * each_ms)
        return false;
    move_on(tries, who, each_ms, now_ms);
    return true;
}
