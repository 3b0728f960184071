/* A failure counts for the user, for the user at his address, and for the address.  There one user
 * counts twice, however often he fails: a phone with a wrong password, which never stops trying,
 * must not keep out those behind the same address (decision 93). */
#include "ahoyd/guard.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "libahoy/auth/replay.h"
#include "libahoy/auth/tries.h"
#include "libahoy/base/map.h"

struct ahoyd_guard {
    struct ahoy_hash_key key;
    pthread_mutex_t lock;
    struct ahoy_replay *replay;
    struct ahoy_tries *tries;
    struct ahoy_tries *calls;
    struct ahoy_map unanswered; /* An entry a call, by its user; of no value. */
    struct ahoyd_badges *badges;
    struct ahoyd_channels *channels;
    atomic_bool has_failures; /* Nobody has to wait as long as nobody has ever failed. */
};

struct ahoyd_guard *ahoyd_guard_new(struct ahoy_hash_key key, uint64_t now_ms)
{
    struct ahoyd_guard *guard = calloc(1, sizeof *guard);
    if (guard == NULL)
        return NULL;
    guard->key = key;
    pthread_mutex_init(&guard->lock, NULL);
    guard->replay = ahoy_replay_new(AHOYD_NONCES_LIMIT, now_ms);
    guard->tries = ahoy_tries_new(AHOYD_FAILED_LIMIT);
    guard->calls = ahoy_tries_new(AHOYD_PACED_LIMIT);
    guard->badges = ahoyd_badges_new();
    guard->channels = ahoyd_channels_new(key);
    ahoy_map_init(&guard->unanswered, AHOYD_UNANSWERED_LIMIT);
    if (guard->replay == NULL || guard->tries == NULL || guard->calls == NULL ||
        guard->badges == NULL || guard->channels == NULL) {
        ahoyd_guard_free(guard);
        return NULL;
    }
    return guard;
}

void ahoyd_guard_free(struct ahoyd_guard *guard)
{
    if (guard == NULL)
        return;
    ahoy_replay_free(guard->replay);
    ahoy_tries_free(guard->tries);
    ahoy_tries_free(guard->calls);
    ahoy_map_fini(&guard->unanswered);
    ahoyd_badges_free(guard->badges);
    ahoyd_channels_free(guard->channels);
    pthread_mutex_destroy(&guard->lock);
    explicit_bzero(&guard->key, sizeof guard->key);
    free(guard);
}

struct ahoyd_badges *ahoyd_guard_badges(const struct ahoyd_guard *guard)
{
    return guard->badges;
}

struct ahoyd_channels *ahoyd_guard_channels(const struct ahoyd_guard *guard)
{
    return guard->channels;
}

bool ahoyd_guard_take(struct ahoyd_guard *guard, const struct ahoy_nonce *nonce, uint32_t count,
                      uint64_t now_ms)
{
    pthread_mutex_lock(&guard->lock);
    bool taken = ahoy_replay_take(guard->replay, nonce, count, now_ms);
    pthread_mutex_unlock(&guard->lock);
    return taken;
}

static uint64_t name_user(const struct ahoyd_guard *guard, struct span user, struct span realm)
{
    const struct span parts[] = { user, SPAN("@"), realm };
    return ahoy_siphash_parts(&guard->key, parts, 3);
}

bool ahoyd_guard_pace(struct ahoyd_guard *guard, struct span user, struct span realm,
                      uint32_t count, uint64_t now_ms)
{
    uint64_t who = name_user(guard, user, realm);
    pthread_mutex_lock(&guard->lock);
    bool may = ahoy_tries_pace(guard->calls, who, count, now_ms);
    pthread_mutex_unlock(&guard->lock);
    return may;
}

bool ahoyd_guard_begin(struct ahoyd_guard *guard, struct span user, struct span realm,
                       uint32_t most, uint64_t *ticket)
{
    uint64_t who = name_user(guard, user, realm) | 1; /* A ticket is not 0. */
    uint64_t value;
    uint32_t count = 0;
    size_t cursor = 0;
    *ticket = 0;
    pthread_mutex_lock(&guard->lock);
    while (count < most && ahoy_map_find(&guard->unanswered, who, &cursor, &value))
        count++;
    if (count < most && ahoy_map_add(&guard->unanswered, who, 0))
        *ticket = who;
    pthread_mutex_unlock(&guard->lock);
    return count < most;
}

void ahoyd_guard_end(struct ahoyd_guard *guard, uint64_t ticket)
{
    pthread_mutex_lock(&guard->lock);
    bool was_there = ahoy_map_remove(&guard->unanswered, ticket, 0);
    pthread_mutex_unlock(&guard->lock);
    assert(was_there);
}

enum { ADDRESS, USER, HOME, KINDS };
enum { MOST_OF_A_USER = 2 /* Failures that count for an address. */ };

/* The hashes that failures are counted under, each kind its own. */
static void name_all(const struct ahoyd_guard *guard, const struct ahoyd_attempt *attempt,
                     uint64_t who[KINDS])
{
    size_t size = attempt->ip.family == AHOY_IPV4 ? 4 : 8;
    const struct span ip = { (const char *)attempt->ip.bytes, size };
    const struct span none = SPAN("");
    const struct span parts[KINDS][5] = {
        [ADDRESS] = { SPAN("a"), ip },
        [USER] = { SPAN("u"), none, attempt->user, SPAN("@"), attempt->realm },
        [HOME] = { SPAN("h"), ip, attempt->user, SPAN("@"), attempt->realm },
    };
    for (unsigned i = 0; i < KINDS; i++)
        who[i] = ahoy_siphash_parts(&guard->key, parts[i], 5);
}

uint64_t ahoyd_guard_wait_ms(struct ahoyd_guard *guard, const struct ahoyd_attempt *attempt,
                             bool at_home, uint64_t now_ms)
{
    uint64_t who[KINDS];
    uint64_t wait_ms = 0;
    if (!atomic_load(&guard->has_failures))
        return 0;
    name_all(guard, attempt, who);
    pthread_mutex_lock(&guard->lock);
    for (unsigned i = at_home ? HOME : ADDRESS; i < KINDS; i++) {
        uint64_t longer_ms = ahoy_tries_wait_ms(guard->tries, who[i], now_ms);
        if (longer_ms > wait_ms)
            wait_ms = longer_ms;
    }
    pthread_mutex_unlock(&guard->lock);
    return wait_ms;
}

void ahoyd_guard_failed(struct ahoyd_guard *guard, const struct ahoyd_attempt *attempt,
                        uint64_t now_ms)
{
    uint64_t who[KINDS];
    name_all(guard, attempt, who);
    pthread_mutex_lock(&guard->lock);
    if (ahoy_tries_count(guard->tries, who[HOME], now_ms) < MOST_OF_A_USER)
        ahoy_tries_fail(guard->tries, who[ADDRESS], now_ms);
    ahoy_tries_fail(guard->tries, who[USER], now_ms);
    ahoy_tries_fail(guard->tries, who[HOME], now_ms);
    pthread_mutex_unlock(&guard->lock);
    atomic_store(&guard->has_failures, true);
}
