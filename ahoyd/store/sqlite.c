/* The embedded store's writer: a thread that commits changes in groups.  A change is seen, and
 * given back, only after the commit that holds it. */
#include "ahoyd/store/backend.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "ahoyd/store/sqlite_file.h"
#include "libahoy/base/log.h"

enum {
    GROUP_LIMIT = 512,    /* Changes a commit. */
    GARBAGE_LIMIT = 2000, /* Replaced rows that may lie about, beyond as many as records. */
    MEND_AGAIN_MS = 10000
};

struct sqlite_writer {
    struct ahoyd_store *store;
    struct sqlite_file file;
    pthread_t thread;
    pthread_mutex_t lock; /* Guards what stands below. */
    pthread_cond_t wake;
    struct ahoyd_change *first, **last;
    size_t waiting;
    bool closing;
    /* The thread's own. */
    struct staged group[GROUP_LIMIT];
    uint64_t opened_ms;    /* The time by the server's clock when ... */
    uint64_t opened_at_ms; /* ... the monotonic clock stood here. */
    uint64_t tidied_ms;
    size_t shard;     /* The next one to be tidied. */
    uint64_t mend_ms; /* A damaged file is not written anew before. */
    bool failing;     /* The last commit failed; said once. */
};

static uint64_t monotonic_ms(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

/* Takes up to GROUP_LIMIT changes off the queue.  Waits for one for at most a second. */
static size_t take_group(struct sqlite_writer *writer, bool *closing)
{
    size_t count = 0;
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec++;
    pthread_mutex_lock(&writer->lock);
    int rc = 0;
    while (writer->first == NULL && !writer->closing && rc == 0)
        rc = pthread_cond_timedwait(&writer->wake, &writer->lock, &until);
    while (writer->first != NULL && count < GROUP_LIMIT) {
        writer->group[count++].change = writer->first;
        writer->first = writer->first->next;
    }
    if (writer->first == NULL)
        writer->last = &writer->first;
    writer->waiting -= count;
    *closing = writer->closing && writer->first == NULL;
    pthread_mutex_unlock(&writer->lock);
    return count;
}

/* Stages and writes the group in one transaction. */
static bool commit_group(struct sqlite_writer *writer, size_t count)
{
    bool sound = sqlite_file_begin(&writer->file);
    for (size_t i = 0; i < count; i++) {
        struct staged *staged = &writer->group[i];
        store_stage(writer->store, staged, writer->group, i);
        if (sound && staged->change->status == 200)
            sound = sqlite_file_write(&writer->file, staged);
    }
    if (sound && sqlite_file_commit(&writer->file))
        return true;
    if (!writer->failing)
        ahoy_log_line(writer->store->log, AHOY_LOG_ERROR,
                      "the store refuses to commit: %s; registrations are answered 503",
                      sqlite3_errmsg(writer->file.database));
    sqlite_file_rollback(&writer->file);
    return false;
}

static void write_group(struct sqlite_writer *writer, size_t count)
{
    bool committed = commit_group(writer, count);
    if (committed && writer->failing)
        ahoy_log_line(writer->store->log, AHOY_LOG_NOTICE, "the store commits again");
    writer->failing = !committed;
    for (size_t i = 0; i < count; i++) {
        struct staged *staged = &writer->group[i];
        if (!committed && staged->change->status == 200)
            store_refuse(writer->store, staged, 503, "the store could not commit");
        else
            writer->file.garbage += store_publish(writer->store, staged);
    }
}

/* A little at a time, so that no commit waits for long. */
static void tidy(struct sqlite_writer *writer)
{
    uint64_t monotonic = monotonic_ms();
    if (monotonic - writer->tidied_ms >= 1000) {
        uint64_t now_ms = writer->opened_ms + (monotonic - writer->opened_at_ms);
        writer->file.garbage += index_forget(&writer->store->index, writer->shard++, now_ms);
        writer->tidied_ms = monotonic;
    }
    if (writer->file.garbage > GARBAGE_LIMIT + index_count(&writer->store->index))
        sqlite_file_sweep(&writer->file, writer->store);
}

static void mend(struct sqlite_writer *writer)
{
    if (!writer->file.is_damaged || monotonic_ms() < writer->mend_ms ||
        sqlite_file_mend(&writer->file, writer->store))
        return;
    writer->mend_ms = monotonic_ms() + MEND_AGAIN_MS;
    ahoy_log_line(writer->store->log, AHOY_LOG_ERROR,
                  "the store is damaged and cannot be written anew: make room on its disk, or look "
                  "at who may write to its folder");
}

static void *write_on(void *context)
{
    struct sqlite_writer *writer = context;
    bool closing = false;
    while (!closing) {
        size_t count = take_group(writer, &closing);
        if (count > 0)
            write_group(writer, count);
        tidy(writer);
        mend(writer);
    }
    return NULL;
}

static void free_writer(struct sqlite_writer *writer)
{
    pthread_cond_destroy(&writer->wake);
    pthread_mutex_destroy(&writer->lock);
    free(writer);
}

static struct sqlite_writer *new_writer(struct ahoyd_store *store, uint64_t now_ms)
{
    struct sqlite_writer *writer = calloc(1, sizeof *writer);
    if (writer == NULL)
        return NULL;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&writer->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&writer->lock, NULL);
    writer->store = store;
    writer->last = &writer->first;
    writer->opened_ms = now_ms;
    writer->opened_at_ms = monotonic_ms();
    return writer;
}

static bool open_sqlite(struct ahoyd_store *store, const struct ahoyd_store_options *options,
                        char *fault, size_t fault_size)
{
    struct sqlite_writer *writer = new_writer(store, options->now_ms);
    if (writer == NULL) {
        snprintf(fault, fault_size, "memory ran out");
        return false;
    }
    if (!sqlite_file_open(&writer->file, store, options, fault, fault_size)) {
        free_writer(writer);
        return false;
    }
    if (pthread_create(&writer->thread, NULL, write_on, writer) != 0) {
        snprintf(fault, fault_size, "the store's thread cannot be started");
        sqlite_file_close(&writer->file);
        free_writer(writer);
        return false;
    }
    store->writer = writer;
    return true;
}

static bool submit_sqlite(struct ahoyd_store *store, struct ahoyd_change *change)
{
    struct sqlite_writer *writer = store->writer;
    pthread_mutex_lock(&writer->lock);
    bool room = writer->waiting < AHOYD_CHANGES_LIMIT && !writer->closing;
    bool wake = room && writer->first == NULL;
    if (room) {
        change->next = NULL;
        *writer->last = change;
        writer->last = &change->next;
        writer->waiting++;
    }
    pthread_mutex_unlock(&writer->lock);
    if (wake)
        pthread_cond_signal(&writer->wake);
    return room;
}

static void close_sqlite(struct ahoyd_store *store)
{
    struct sqlite_writer *writer = store->writer;
    pthread_mutex_lock(&writer->lock);
    writer->closing = true;
    pthread_mutex_unlock(&writer->lock);
    pthread_cond_signal(&writer->wake);
    pthread_join(writer->thread, NULL);
    sqlite_file_close(&writer->file);
    free_writer(writer);
}

const struct backend sqlite_backend = {
    .kind = AHOYD_STORE_SQLITE,
    .open = open_sqlite,
    .submit = submit_sqlite,
    .close = close_sqlite,
};
