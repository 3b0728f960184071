/* Changes under way.  Each is worked out on what is in memory and put where the row still has the
 * version of that; where another node was first, the engine gives its row, and the change is worked
 * out again.  Those of one key go one after the other, those of different ones side by side. */
#include "ahoyd/store/shared_rows.h"
#include "ahoyd/store/shared.h"

#include <stdlib.h>

#include "libahoy/base/unset.h"

enum {
    CHANGE_MS = 2000, /* How long a change may take; then it is answered 503. */
    TRIES_LIMIT = 20
};

static uint64_t hash_of(const struct shared *shared, struct span key)
{
    return ahoy_siphash(&shared->store->index.key, key);
}

/* The link to the job of |hash| that is being asked for, or to NULL. */
static struct shared_job **link_of(struct shared *shared, uint64_t hash)
{
    struct shared_job **link = &shared->buckets[hash % SHARED_BUCKETS];
    while (*link != NULL && (*link)->hash != hash)
        link = &(*link)->sibling;
    return link;
}

static uint64_t ticket_of(const struct shared *shared, const struct shared_job *job)
{
    return (uint64_t)job->generation << 32 | (uint64_t)(job - shared->jobs);
}

static struct shared_job *job_of(struct shared *shared, uint64_t ticket)
{
    uint32_t place = (uint32_t)ticket;
    if (place >= SHARED_JOBS_LIMIT || shared->jobs[place].generation != ticket >> 32)
        return NULL;
    return &shared->jobs[place];
}

/* Random, and so never that of another attempt. */
static bool choose_version(struct shared_job *job)
{
    do {
        if (!store_random(&job->version, sizeof job->version))
            return false;
    } while (job->version == 0);
    return true;
}

/* Works the change out and hands it to the engine.  False where it has ended instead: job->staged
 * says how. */
static bool ask(struct shared *shared, struct shared_job *job)
{
    struct ahoyd_change *change = job->staged.change;
    char key_space[SHARED_KEY_LIMIT];
    AHOY_UNSET char space[RECORD_SEALED_LIMIT];
    store_stage(shared->store, &job->staged, NULL, 0);
    if (change->owner == &shared->nobody)
        change->status = 200; /* The alias has left memory with its user, and the engine has it. */
    if (change->status != 200)
        return false;
    if (change->kind == AHOYD_CHANGE_BINDINGS && job->tries == 0)
        job->expected = index_row(&shared->store->index, change->aor);
    const struct record *record = job->staged.record;
    bool asked = choose_version(job);
    const struct shared_swap swap = {
        .ticket = ticket_of(shared, job),
        .expected = job->expected,
        .row = { .key = shared_key_of(change, key_space),
                 .version = job->version,
                 .bytes = shared_bytes_of(&job->staged, space) },
        .until_ms = record != NULL ? record->until_ms : 0,
        .asked_ms = shared_asked_ms(),
    };
    asked = asked && shared->engine->swap(shared->state, &swap);
    if (job->staged.user != NULL)
        explicit_bzero(space, swap.row.bytes.size);
    if (!asked) {
        change->status = 503;
        change->why = "memory or chance ran out";
    }
    return asked;
}

/* Aliases of a user who has gone go too, each as a change of its own. */
static bool remove_alias(void *context, struct span alias, struct span realm, struct span user)
{
    struct shared_job *job = context;
    struct ahoyd_change *removed = job->staged.change;
    if (!ahoy_span_equal(user, removed->user) || !ahoy_span_equal(realm, removed->realm))
        return true;
    struct ahoyd_change *change =
        ahoyd_change_alias(AHOYD_CHANGE_ALIAS_REMOVE, alias, realm, SPAN(""));
    if (change == NULL)
        return false;
    change->next = removed->next;
    removed->next = change;
    return true;
}

static void remove_aliases(struct shared *shared, struct shared_job *job)
{
    struct ahoyd_change *removed = job->staged.change;
    removed->next = NULL;
    users_each_alias(&shared->store->users, remove_alias, job);
    while (removed->next != NULL) {
        struct ahoyd_change *change = removed->next;
        removed->next = change->next;
        change->owner = &shared->nobody;
        /* Where the queue is full an alias of nobody stays: calls to it are answered 404. */
        if (!shared_queue(shared, change))
            ahoyd_change_free(change);
    }
}

/* Ends the job of a bucket, whose change has been given back, and returns the one behind it. */
static struct shared_job *leave(struct shared *shared, struct shared_job *job)
{
    struct shared_job **link = link_of(shared, job->hash);
    struct shared_job *behind = job->behind;
    *link = job->sibling;
    if (behind != NULL) {
        behind->sibling = job->sibling;
        *link = behind;
    }
    *(job->older != NULL ? &job->older->newer : &shared->oldest) = job->newer;
    *(job->newer != NULL ? &job->newer->older : &shared->newest) = job->older;
    job->generation++;
    job->newer = shared->free;
    shared->free = job;
    pthread_mutex_lock(&shared->lock);
    shared->waiting--;
    pthread_mutex_unlock(&shared->lock);
    return behind;
}

/* A row that came while |job| was under way may be newer than what an answer has put into memory
 * since, as they may come by different connections; nobody tells of it again. */
static void look_again(struct shared *shared, const struct shared_job *job)
{
    char space[SHARED_KEY_LIMIT];
    if (job->overtaken)
        shared->engine->look_or_read(shared->state, shared_key_of(job->staged.change, space));
}

/* As leave, of a change that is not made. */
static struct shared_job *refuse(struct shared *shared, struct shared_job *job, unsigned status,
                                 const char *why)
{
    look_again(shared, job);
    store_refuse(shared->store, &job->staged, status, why);
    return leave(shared, job);
}

/* Asks for |job|, or where that ends at once, for those behind it. */
static void go_on(struct shared *shared, struct shared_job *job)
{
    while (job != NULL && !ask(shared, job))
        job = refuse(shared, job, job->staged.change->status, job->staged.change->why);
}

void shared_job_add(struct shared *shared, struct ahoyd_change *change)
{
    char space[SHARED_KEY_LIMIT];
    struct shared_job *job = shared->free;
    shared->free = job->newer;
    const uint32_t generation = job->generation;
    *job = (struct shared_job){ .staged.change = change, .generation = generation };
    job->hash = hash_of(shared, shared_key_of(change, space));
    job->deadline_ms = shared->now_ms + CHANGE_MS;
    job->older = shared->newest;
    *(job->older != NULL ? &job->older->newer : &shared->oldest) = job;
    shared->newest = job;
    struct shared_job *first = *link_of(shared, job->hash);
    if (first != NULL) {
        while (first->behind != NULL)
            first = first->behind;
        first->behind = job;
        return;
    }
    job->sibling = shared->buckets[job->hash % SHARED_BUCKETS];
    shared->buckets[job->hash % SHARED_BUCKETS] = job;
    go_on(shared, job);
}

static void commit(struct shared *shared, struct shared_job *job)
{
    char space[SHARED_KEY_LIMIT];
    struct ahoyd_change *change = job->staged.change;
    if (shared->failing)
        ahoy_log_line(shared->store->log, AHOY_LOG_NOTICE, "%s answers again", shared->part.name);
    shared->failing = false;
    if (job->staged.record != NULL)
        job->staged.record->row = job->version;
    if (change->kind == AHOYD_CHANGE_USER_REMOVE)
        remove_aliases(shared, job);
    shared_reading_see(shared, shared_key_of(change, space));
    look_again(shared, job);
    store_publish(shared->store, &job->staged);
    go_on(shared, leave(shared, job));
}

/* Another was first.  What cannot be read is written over. */
static void try_again(struct shared *shared, struct shared_job *job, const struct shared_row *row)
{
    record_free(&shared->store->index.slabs, job->staged.record);
    users_discard(job->staged.user);
    job->staged.record = NULL;
    job->staged.user = NULL;
    job->expected = row->version;
    shared_take(shared->store, row);
    if (++job->tries < TRIES_LIMIT) {
        go_on(shared, job);
        return;
    }
    go_on(shared, refuse(shared, job, 503, "others change it all the time"));
}

void shared_job_answer(struct shared *shared, const struct shared_event *event)
{
    struct shared_job *job = job_of(shared, event->ticket);
    if (job == NULL)
        return;
    if (event->kind == SHARED_SWAPPED) {
        commit(shared, job);
    } else if (event->kind == SHARED_OTHER) {
        try_again(shared, job, &event->row);
    } else {
        go_on(shared, refuse(shared, job, 503, event->why));
    }
}

void shared_job_overtake(struct shared *shared, struct span key)
{
    struct shared_job *job = *link_of(shared, hash_of(shared, key));
    if (job != NULL)
        job->overtaken = true;
}

void shared_jobs_expire(struct shared *shared)
{
    while (shared->oldest != NULL && shared->oldest->deadline_ms <= shared->now_ms) {
        struct shared_job *job = shared->oldest;
        if (!shared->failing)
            ahoy_log_line(shared->store->log, AHOY_LOG_ERROR,
                          "%s: changes are answered 503, and what is known is served",
                          shared->part.silence);
        shared->failing = true;
        shared->engine->drop(shared->state, ticket_of(shared, job));
        go_on(shared, refuse(shared, job, 503, shared->part.silence));
    }
}

uint64_t shared_jobs_deadline(const struct shared *shared)
{
    return shared->oldest != NULL ? shared->oldest->deadline_ms : UINT64_MAX;
}
