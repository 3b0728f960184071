/* The thread of a shared store: it takes changes, turns the engine's crank, and puts into memory
 * what others changed.  No worker ever waits for it. */
#include "ahoyd/store/shared.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "ahoyd/store/shared_rows.h"

enum {
    OPEN_MS = 10000,  /* At the start, how long the engine may be silent. */
    LINGER_MS = 2500, /* At the end, how long changes may take: more than a change may. */
    TIDY_MS = 1000,
    DAMAGES_NAMED = 10 /* Rows that cannot be read and are named. */
};

/* The secret is a row, that of the node which came first. */
static const struct span secret_key = SPAN_INIT("s:secret");
static const uint64_t secret_ticket = UINT64_MAX;

static uint64_t clock_ms(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

static uint64_t monotonic_ms(void)
{
    return clock_ms(CLOCK_MONOTONIC);
}

/* The server's own time goes on from when it started, whatever becomes of the machine's: nobody
 * else would set his clock by that. */
uint64_t shared_asked_ms(void)
{
    return clock_ms(CLOCK_REALTIME);
}

static void wake(struct shared *shared)
{
    const uint64_t one = 1;
    /* It fails only where it is awake already. */
    (void)!write(shared->wake_fd, &one, sizeof one);
}

static bool ask_secret(struct shared *shared)
{
    struct ahoyd_store *store = shared->store;
    uint64_t version;
    if (!store_random(store->secret, sizeof store->secret) ||
        !store_random(&version, sizeof version))
        return false;
    const struct shared_swap swap = {
        .ticket = secret_ticket,
        .row = { .key = secret_key,
                 .version = version | 1,
                 .bytes = { (const char *)store->secret, sizeof store->secret } },
        .asked_ms = shared_asked_ms(),
    };
    return shared->engine->swap(shared->state, &swap);
}

static void take_secret(struct shared *shared, const struct shared_event *event)
{
    const char *fault = NULL;
    if (event->kind == SHARED_REFUSED)
        fault = event->why;
    else if (event->kind == SHARED_OTHER && event->row.bytes.size != AHOYD_SECRET_SIZE)
        fault = "the secret in the shared store is damaged: remove it, and start all nodes again";
    else if (event->kind == SHARED_OTHER)
        memcpy(shared->store->secret, event->row.bytes.at, AHOYD_SECRET_SIZE);
    shared->has_secret = fault == NULL;
    if (fault == NULL)
        return;
    pthread_mutex_lock(&shared->lock);
    shared->fault = fault;
    pthread_mutex_unlock(&shared->lock);
    pthread_cond_signal(&shared->opened);
}

static void take_row(struct shared *shared, const struct shared_row *row)
{
    if (!(shared_is_name(row->key) ? shared->part.has_names : shared->part.has_bindings))
        return;
    shared_job_overtake(shared, row->key);
    shared_reading_see(shared, row->key);
    if (shared_take(shared->store, row) || shared->damages++ >= DAMAGES_NAMED)
        return;
    char text[4 * SHARED_KEY_LIMIT];
    struct ahoy_buf buf = ahoy_buf_over(text, sizeof text);
    ahoy_buf_put_escaped(&buf, row->key);
    ahoy_log_line(shared->store->log, AHOY_LOG_WARNING,
                  "%s's row %.*s cannot be read and is left as it was in memory", shared->part.name,
                  (int)buf.size, text);
}

static void serve(struct shared *shared, const struct shared_event *event)
{
    switch (event->kind) {
    case SHARED_SWAPPED:
    case SHARED_OTHER:
    case SHARED_REFUSED:
        if (event->ticket == secret_ticket)
            take_secret(shared, event);
        else
            shared_job_answer(shared, event);
        break;
    case SHARED_ROW:
        take_row(shared, &event->row);
        break;
    case SHARED_READING:
        shared_reading_begin(shared);
        break;
    case SHARED_READ:
        shared_reading_end(shared);
        break;
    }
}

/* Tells the opener how far it is. */
static void tell_opener(struct shared *shared)
{
    pthread_mutex_lock(&shared->lock);
    shared->heard_ms = shared->now_ms;
    if (shared->has_secret && shared->has_read)
        shared->is_open = true;
    pthread_mutex_unlock(&shared->lock);
    pthread_cond_signal(&shared->opened);
}

static void serve_engine(struct shared *shared, const struct pollfd *fds, size_t count)
{
    struct shared_event event;
    bool heard = false;
    shared->engine->step(shared->state, fds, count, shared->now_ms);
    while (shared->engine->event(shared->state, &event)) {
        serve(shared, &event);
        heard = true;
    }
    if (heard && !shared->was_open) {
        tell_opener(shared);
        shared->was_open = shared->is_open;
    }
}

/* Takes up what is queued, as far as there is room.  Whether the store is being closed. */
static bool take_changes(struct shared *shared)
{
    uint64_t count;
    (void)!read(shared->wake_fd, &count, sizeof count); /* It may be for the engine only. */
    pthread_mutex_lock(&shared->lock);
    struct ahoyd_change *first = shared->first;
    shared->first = NULL;
    shared->last = &shared->first;
    bool closing = shared->closing;
    pthread_mutex_unlock(&shared->lock);
    while (first != NULL) {
        struct ahoyd_change *next = first->next;
        shared_job_add(shared, first);
        first = next;
    }
    return closing;
}

/* What has expired is forgotten a shard at a time, as no row tells of it where the engine is
 * away. */
static void tidy(struct shared *shared)
{
    if (shared->now_ms < shared->tidied_ms + TIDY_MS)
        return;
    shared->tidied_ms = shared->now_ms;
    if (shared->part.has_bindings)
        index_forget(&shared->store->index, shared->shard++, shared->now_ms + shared->ahead_ms);
}

static int timeout_of(const struct shared *shared)
{
    uint64_t until_ms = shared->tidied_ms + TIDY_MS;
    uint64_t engine_ms = shared->engine->deadline(shared->state);
    uint64_t jobs_ms = shared_jobs_deadline(shared);
    uint64_t now_ms = monotonic_ms();
    if (engine_ms < until_ms)
        until_ms = engine_ms;
    if (jobs_ms < until_ms)
        until_ms = jobs_ms;
    if (shared->reading.is_to_settle && shared->reading.settle_ms < until_ms)
        until_ms = shared->reading.settle_ms;
    if (until_ms <= now_ms)
        return 0;
    return (int)(until_ms - now_ms);
}

static void *follow(void *context)
{
    struct shared *shared = context;
    struct pollfd fds[1 + SHARED_FDS_LIMIT] = { { .fd = shared->wake_fd, .events = POLLIN } };
    uint64_t end_ms = 0;
    while (end_ms == 0 || (shared->oldest != NULL && shared->now_ms < end_ms)) {
        size_t count = shared->engine->watch(shared->state, fds + 1);
        (void)poll(fds, 1 + count, timeout_of(shared)); /* Interrupted is as good as woken. */
        shared->now_ms = monotonic_ms();
        serve_engine(shared, fds + 1, count);
        if (take_changes(shared) && end_ms == 0)
            end_ms = shared->now_ms + LINGER_MS;
        shared_jobs_expire(shared);
        shared_reading_settle(shared);
        tidy(shared);
    }
    return NULL;
}

static void free_change(struct ahoyd_change_owner *owner, struct ahoyd_change *change)
{
    (void)owner; /* Nobody waits for it. */
    ahoyd_change_free(change);
}

static struct shared *new_shared(struct ahoyd_store *store, uint64_t now_ms)
{
    struct shared *shared = calloc(1, sizeof *shared);
    if (shared == NULL)
        return NULL;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&shared->opened, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&shared->lock, NULL);
    shared->store = store;
    shared->nobody.done = free_change;
    shared->last = &shared->first;
    shared->now_ms = shared->heard_ms = monotonic_ms();
    shared->ahead_ms = now_ms - shared->now_ms;
    shared->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    for (size_t i = SHARED_JOBS_LIMIT; i > 0; i--) {
        shared->jobs[i - 1].newer = shared->free;
        shared->free = &shared->jobs[i - 1];
    }
    shared_reading_begin(shared);
    return shared;
}

static void free_shared(struct shared *shared)
{
    if (shared->state != NULL)
        shared->engine->free(shared->state);
    if (shared->wake_fd >= 0)
        close(shared->wake_fd);
    ahoy_map_fini(&shared->reading.seen);
    pthread_cond_destroy(&shared->opened);
    pthread_mutex_destroy(&shared->lock);
    free(shared);
}

static void end_thread(struct shared *shared)
{
    pthread_mutex_lock(&shared->lock);
    shared->closing = true;
    pthread_mutex_unlock(&shared->lock);
    wake(shared);
    pthread_join(shared->thread, NULL);
}

static void close_shared(struct shared *shared)
{
    end_thread(shared);
    free_shared(shared);
}

/* Waits until all has been read, or for too long for anything. */
static bool await_open(struct shared *shared, char *fault, size_t fault_size)
{
    bool in_time = true;
    pthread_mutex_lock(&shared->lock);
    while (!shared->is_open && shared->fault == NULL && in_time) {
        uint64_t until_ms = shared->heard_ms + OPEN_MS;
        const struct timespec until = { .tv_sec = (time_t)(until_ms / 1000),
                                        .tv_nsec = (long)(until_ms % 1000) * 1000000 };
        (void)pthread_cond_timedwait(&shared->opened, &shared->lock, &until); /* See below. */
        in_time = monotonic_ms() < shared->heard_ms + OPEN_MS;
    }
    bool open = shared->is_open;
    if (shared->fault != NULL)
        snprintf(fault, fault_size, "%s", shared->fault);
    else
        snprintf(fault, fault_size, "%s: see whether it runs and can be reached from here",
                 shared->part.silence);
    pthread_mutex_unlock(&shared->lock);
    return open;
}

/* The secret is with the bindings: what a server keeps of its own. */
static bool start(struct shared *shared)
{
    shared->has_secret = !shared->part.has_bindings;
    return shared->wake_fd >= 0 && (shared->has_secret || ask_secret(shared)) &&
           pthread_create(&shared->thread, NULL, follow, shared) == 0;
}

static struct shared *open_shared(struct ahoyd_store *store, const struct shared_part *part,
                                  const struct ahoyd_store_options *options,
                                  const struct shared_engine *engine, char *fault,
                                  size_t fault_size)
{
    struct shared *shared = new_shared(store, options->now_ms);
    if (shared == NULL) {
        snprintf(fault, fault_size, "memory ran out");
        return NULL;
    }
    shared->part = *part;
    shared->engine = engine;
    shared->state = engine->new (options, fault, fault_size);
    if (shared->state == NULL) {
        free_shared(shared);
        return NULL;
    }
    if (!start(shared)) {
        snprintf(fault, fault_size, "the store's thread cannot be started");
        free_shared(shared);
        return NULL;
    }
    if (await_open(shared, fault, fault_size))
        return shared;
    close_shared(shared);
    return NULL;
}

bool shared_open(struct ahoyd_store *store, const struct ahoyd_store_options *options,
                 const struct shared_engine *engine, char *fault, size_t fault_size)
{
    const struct shared_part part = { .has_bindings = true,
                                      .has_names = store->names == NULL,
                                      .name = "the shared store",
                                      .silence = "the shared store does not answer" };
    store->shared = open_shared(store, &part, options, engine, fault, fault_size);
    return store->shared != NULL;
}

bool shared_open_users(struct ahoyd_store *store, const struct ahoyd_store_options *options,
                       const struct shared_engine *engine, char *fault, size_t fault_size)
{
    const struct shared_part part = { .has_names = true,
                                      .name = "the database of users",
                                      .silence = "the database of users does not answer" };
    store->names = open_shared(store, &part, options, engine, fault, fault_size);
    return store->names != NULL;
}

bool shared_queue(struct shared *shared, struct ahoyd_change *change)
{
    pthread_mutex_lock(&shared->lock);
    bool room = shared->waiting < SHARED_JOBS_LIMIT && !shared->closing;
    bool is_first = shared->first == NULL;
    if (room) {
        change->next = NULL;
        *shared->last = change;
        shared->last = &change->next;
        shared->waiting++;
    }
    pthread_mutex_unlock(&shared->lock);
    if (room && is_first)
        wake(shared);
    return room;
}

bool shared_submit(struct ahoyd_store *store, struct ahoyd_change *change)
{
    return shared_queue(store->shared, change);
}

bool shared_submit_user(struct ahoyd_store *store, struct ahoyd_change *change)
{
    return shared_queue(store->names, change);
}

void shared_close(struct ahoyd_store *store)
{
    close_shared(store->shared);
}

void shared_close_users(struct ahoyd_store *store)
{
    close_shared(store->names);
}
