/* Each worker is asked for a piece at a time until it has no more; then all rest a while, which
 * is short enough for a ring of the usual size to hold what a rush brings meanwhile. */
#include "ahoyd/follower.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "ahoyd/case.h"

enum {
    PIECE_SIZE = 65536,
    TURNS = 64, /* Of all workers, before the takers look again. */
    REST_MS = 100,
    TOLD_MS = 10000 /* One line of log in so long says what was missed. */
};

struct ahoyd_follower {
    struct ahoyd_follower_options options;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool is_ending;
    atomic_uint_fast64_t missed;
    uint64_t told; /* Of these, what was logged, ... */
    uint64_t told_ms;
    uint64_t *from; /* By worker. */
    struct ahoy_message message;
    char piece[PIECE_SIZE];
};

static void hand_on(struct ahoyd_follower *follower, struct span bytes)
{
    struct ahoy_note note;
    struct ahoyd_noted noted = { .note = &note, .message = &follower->message };
    while (ahoy_note_next(&bytes, &note, &noted.text)) {
        noted.call_id = ahoyd_case_of(&note, noted.text, &follower->message);
        for (size_t i = 0; i < follower->options.taker_count; i++)
            follower->options.takers[i].take(follower->options.takers[i].self, &noted);
    }
}

/* False where the worker has no more. */
static bool read_worker(struct ahoyd_follower *follower, unsigned worker)
{
    const struct ahoyd_follower_options *options = &follower->options;
    uint64_t missed = 0;
    size_t size = options->notes(options->context, worker, &follower->from[worker], follower->piece,
                                 sizeof follower->piece, &missed);
    atomic_fetch_add(&follower->missed, missed);
    hand_on(follower, (struct span){ follower->piece, size });
    return size > 0;
}

static void tell_missed(struct ahoyd_follower *follower, uint64_t now_ms)
{
    uint64_t missed = atomic_load(&follower->missed);
    if (missed == follower->told || now_ms < follower->told_ms + TOLD_MS)
        return;
    ahoy_log_line(follower->options.log, AHOY_LOG_WARNING,
                  "%" PRIu64 " bytes of notes went before they were read, so that records and HEP "
                  "have gaps; give observe more memory",
                  missed - follower->told);
    follower->told = missed;
    follower->told_ms = now_ms;
}

/* False where there is no more. */
static bool read_workers(struct ahoyd_follower *follower)
{
    bool any = false;
    for (unsigned i = 0; i < follower->options.workers; i++)
        any |= read_worker(follower, i);
    return any;
}

/* Takes turns, so that a worker with much to tell does not silence the others.  False where there
 * is no more. */
static bool read_all(struct ahoyd_follower *follower)
{
    const struct ahoyd_follower_options *options = &follower->options;
    bool any = true;
    for (unsigned i = 0; any && i < TURNS; i++)
        any = read_workers(follower);
    explicit_bzero(follower->piece, sizeof follower->piece); /* Credentials stand in it. */
    uint64_t now_ms = options->now_ms();
    for (size_t i = 0; i < options->taker_count; i++)
        options->takers[i].look(options->takers[i].self, now_ms);
    tell_missed(follower, now_ms);
    return any;
}

/* Waits a while, or not at all; false where it is to end. */
static bool rest(struct ahoyd_follower *follower, long rest_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += rest_ms * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_mutex_lock(&follower->lock);
    while (!follower->is_ending &&
           pthread_cond_timedwait(&follower->ended, &follower->lock, &until) == 0)
        continue;
    bool goes_on = !follower->is_ending;
    pthread_mutex_unlock(&follower->lock);
    return goes_on;
}

static void *run(void *context)
{
    struct ahoyd_follower *follower = context;
    bool more;
    do {
        more = read_all(follower);
    } while (rest(follower, more ? 0 : REST_MS));
    return NULL;
}

static bool init_locks(struct ahoyd_follower *follower)
{
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0)
        return false;
    bool made = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
                pthread_cond_init(&follower->ended, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    return made && pthread_mutex_init(&follower->lock, NULL) == 0;
}

struct ahoyd_follower *ahoyd_follower_open(const struct ahoyd_follower_options *options)
{
    struct ahoyd_follower *follower = calloc(1, sizeof *follower);
    if (follower == NULL)
        return NULL;
    follower->options = *options;
    follower->from = calloc(options->workers, sizeof *follower->from);
    if (follower->from != NULL && init_locks(follower) &&
        pthread_create(&follower->thread, NULL, run, follower) == 0) {
        (void)pthread_setname_np(follower->thread, "follower"); /* It works without. */
        return follower;
    }
    free(follower->from);
    free(follower);
    return NULL;
}

void ahoyd_follower_stop(struct ahoyd_follower *follower)
{
    if (follower == NULL)
        return;
    pthread_mutex_lock(&follower->lock);
    follower->is_ending = true;
    pthread_cond_signal(&follower->ended);
    pthread_mutex_unlock(&follower->lock);
    pthread_join(follower->thread, NULL);
}

void ahoyd_follower_close(struct ahoyd_follower *follower)
{
    if (follower == NULL)
        return;
    while (read_all(follower))
        continue;
    pthread_cond_destroy(&follower->ended);
    pthread_mutex_destroy(&follower->lock);
    free(follower->from);
    free(follower);
}

uint64_t ahoyd_follower_missed(const struct ahoyd_follower *follower)
{
    return atomic_load(&follower->missed);
}
