/* A table of small buckets.  A bucket that is full forgets the nonce that was made first, and from
 * then on takes none that it does not hold and that is not younger: the forgotten one may be among
 * those. */
#include "libahoy/auth/replay.h"

#include <stdlib.h>

enum { USES = 8 };

struct bucket {
    uint64_t since_ms; /* Nonces that are not held must have been made behind this. */
    struct use {
        struct ahoy_nonce nonce; /* Made at 0: there is none. */
        uint32_t highest;        /* The highest count so far ... */
        uint32_t seen; /* ... and which of those below it, a bit each, itself the first. */
    } uses[USES];
};

struct ahoy_replay {
    uint64_t begun_ms;
    size_t count; /* Of buckets. */
    struct bucket buckets[];
};

struct ahoy_replay *ahoy_replay_new(size_t nonces, uint64_t now_ms)
{
    size_t count = nonces / USES + 1;
    struct ahoy_replay *replay = calloc(1, sizeof *replay + count * sizeof(struct bucket));
    if (replay == NULL)
        return NULL;
    replay->begun_ms = now_ms;
    replay->count = count;
    return replay;
}

void ahoy_replay_free(struct ahoy_replay *replay)
{
    free(replay);
}

static bool take_count(struct use *use, uint32_t count)
{
    if (count > use->highest) {
        uint32_t ahead = count - use->highest;
        use->seen = ahead < AHOY_REPLAY_WINDOW ? use->seen << ahead | 1 : 1;
        use->highest = count;
        return true;
    }
    uint32_t behind = use->highest - count;
    if (behind >= AHOY_REPLAY_WINDOW || (use->seen >> behind & 1) != 0)
        return false;
    use->seen |= 1U << behind;
    return true;
}

/* Makes room: an empty place, one that has died, or that of the oldest. */
static struct use *make_room(struct bucket *bucket, uint64_t now_ms)
{
    struct use *oldest = &bucket->uses[0];
    for (size_t i = 1; i < USES; i++) {
        if (bucket->uses[i].nonce.made_ms < oldest->nonce.made_ms)
            oldest = &bucket->uses[i];
    }
    if (oldest->nonce.made_ms + AHOY_NONCE_LIFE_MS >= now_ms &&
        oldest->nonce.made_ms > bucket->since_ms)
        bucket->since_ms = oldest->nonce.made_ms;
    return oldest;
}

bool ahoy_replay_take(struct ahoy_replay *replay, const struct ahoy_nonce *nonce, uint32_t count,
                      uint64_t now_ms)
{
    struct bucket *bucket = &replay->buckets[nonce->mark % replay->count];
    for (size_t i = 0; i < USES; i++) {
        struct use *use = &bucket->uses[i];
        if (use->nonce.mark == nonce->mark && use->nonce.made_ms == nonce->made_ms)
            return take_count(use, count);
    }
    if (nonce->made_ms < replay->begun_ms || nonce->made_ms <= bucket->since_ms)
        return false;
    struct use *use = make_room(bucket, now_ms);
    *use = (struct use){ .nonce = *nonce, .highest = count, .seen = 1 };
    return true;
}
