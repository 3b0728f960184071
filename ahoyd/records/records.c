/* Two threads meet here: the follower's, whose notes become rows, and that of the writer, which
 * takes all that wait at once. */
#include "ahoyd/records/records.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "ahoyd/records/ledger.h"
#include "ahoyd/records/sink.h"

enum { AGAIN_S = 1 /* Until what could not be written is tried again. */ };

struct ahoyd_records {
    const struct ahoyd_sink *kind;
    void *sink;
    char *place, *node;
    const struct ahoy_log *log;
    struct ahoyd_ledger *ledger; /* The follower's, ... */
    uint64_t untaken;            /* ... as what is counted of those that it had no room for. */
    bool is_failing;             /* The writer's, ... */
    json_t *writing;             /* ... as these. */
    pthread_t thread;
    pthread_mutex_t lock; /* Of the rest: */
    pthread_cond_t changed;
    json_t *waiting;
    bool is_ending;
    struct ahoyd_records_counters counters;
};

static void take(void *self, const struct ahoyd_noted *noted)
{
    struct ahoyd_records *records = self;
    ahoyd_ledger_take(records->ledger, noted);
}

static void count(struct ahoyd_records *records, uint64_t *counter, uint64_t rows)
{
    pthread_mutex_lock(&records->lock);
    *counter += rows;
    pthread_mutex_unlock(&records->lock);
}

/* Adds |row|, or lets it go. */
static void put(struct ahoyd_records *records, json_t *row)
{
    pthread_mutex_lock(&records->lock);
    if (json_array_size(records->waiting) == AHOYD_ROWS_LIMIT) {
        json_decref(row);
        records->counters.records_lost++;
    } else if (json_array_append_new(records->waiting, row) != 0) {
        records->counters.records_lost++;
    }
    pthread_cond_signal(&records->changed);
    pthread_mutex_unlock(&records->lock);
}

static void look(void *self, uint64_t now_ms)
{
    struct ahoyd_records *records = self;
    json_t *row;
    while ((row = ahoyd_ledger_row(records->ledger, now_ms)) != NULL)
        put(records, row);
    uint64_t untaken = ahoyd_ledger_lost(records->ledger);
    count(records, &records->counters.records_lost, untaken - records->untaken);
    records->untaken = untaken;
}

struct ahoyd_taker ahoyd_records_taker(struct ahoyd_records *records)
{
    return (struct ahoyd_taker){ take, look, records };
}

/* Waits for rows and takes them; false where it is to end and there are none. */
static bool take_waiting(struct ahoyd_records *records)
{
    pthread_mutex_lock(&records->lock);
    while (!records->is_ending && json_array_size(records->waiting) == 0)
        pthread_cond_wait(&records->changed, &records->lock);
    json_t *rows = records->waiting;
    records->waiting = records->writing;
    records->writing = rows;
    pthread_mutex_unlock(&records->lock);
    return json_array_size(rows) > 0;
}

/* True where it is to end. */
static bool rest(struct ahoyd_records *records)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += AGAIN_S;
    pthread_mutex_lock(&records->lock);
    while (!records->is_ending &&
           pthread_cond_timedwait(&records->changed, &records->lock, &until) == 0)
        continue;
    bool ends = records->is_ending;
    pthread_mutex_unlock(&records->lock);
    return ends;
}

/* Tells when it begins to fail, and when that is over. */
static bool write_rows(struct ahoyd_records *records)
{
    char fault[512];
    bool done = records->kind->write(records->sink, records->writing, fault, sizeof fault);
    if (!done && !records->is_failing)
        ahoy_log_line(records->log, AHOY_LOG_ERROR, "records: %s; they wait, up to %d of them",
                      fault, AHOYD_ROWS_LIMIT);
    else if (done && records->is_failing)
        ahoy_log_line(records->log, AHOY_LOG_NOTICE, "records are written again");
    records->is_failing = !done;
    return done;
}

static void *run(void *context)
{
    struct ahoyd_records *records = context;
    while (take_waiting(records)) {
        bool done, ends = false;
        while (!(done = write_rows(records)) && !ends)
            ends = rest(records);
        count(records, done ? &records->counters.records_written : &records->counters.records_lost,
              json_array_size(records->writing));
        (void)json_array_clear(records->writing); /* It is an array. */
    }
    return NULL;
}

static bool init_locks(struct ahoyd_records *records)
{
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0)
        return false;
    bool made = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
                pthread_cond_init(&records->changed, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    return made && pthread_mutex_init(&records->lock, NULL) == 0;
}

static void free_records(struct ahoyd_records *records)
{
    if (records->sink != NULL)
        records->kind->close(records->sink);
    ahoyd_ledger_free(records->ledger);
    json_decref(records->waiting);
    json_decref(records->writing);
    if (records->place != NULL)
        explicit_bzero(records->place, strlen(records->place)); /* It may hold a password. */
    free(records->place);
    free(records->node);
    free(records);
}

static bool start(struct ahoyd_records *records, const struct ahoyd_records_options *options,
                  char *fault, size_t fault_size)
{
    records->place = strdup(options->place);
    records->node = strndup(options->node.at != NULL ? options->node.at : "", options->node.size);
    records->waiting = json_array();
    records->writing = json_array();
    if (records->node != NULL)
        records->ledger =
            ahoyd_ledger_new(&options->key, ahoy_span(records->node), options->now_ms);
    snprintf(fault, fault_size, "records: no memory, or no thread");
    if (records->place == NULL || records->waiting == NULL || records->writing == NULL ||
        records->ledger == NULL)
        return false;
    records->sink = records->kind->open(records->place, fault, fault_size);
    return records->sink != NULL && init_locks(records) &&
           pthread_create(&records->thread, NULL, run, records) == 0;
}

struct ahoyd_records *ahoyd_records_open(const struct ahoyd_records_options *options, char *fault,
                                         size_t fault_size)
{
    static const struct ahoyd_sink *const kinds[] = { [AHOYD_RECORDS_CSV] = &ahoyd_sink_csv,
                                                      [AHOYD_RECORDS_SQLITE] = &ahoyd_sink_sqlite,
                                                      [AHOYD_RECORDS_PGSQL] = &ahoyd_sink_pgsql };
    struct ahoyd_records *records = calloc(1, sizeof *records);
    if (records == NULL) {
        snprintf(fault, fault_size, "records: memory ran out");
        return NULL;
    }
    records->kind = kinds[options->kind];
    records->log = options->log;
    if (start(records, options, fault, fault_size)) {
        (void)pthread_setname_np(records->thread, "records"); /* It works without. */
        return records;
    }
    free_records(records);
    return NULL;
}

void ahoyd_records_close(struct ahoyd_records *records)
{
    if (records == NULL)
        return;
    ahoyd_ledger_finish(records->ledger);
    look(records, 0);
    pthread_mutex_lock(&records->lock);
    records->is_ending = true;
    pthread_cond_signal(&records->changed);
    pthread_mutex_unlock(&records->lock);
    pthread_join(records->thread, NULL);
    struct ahoyd_records_counters counters = ahoyd_records_count(records);
    if (counters.records_lost > 0)
        ahoy_log_line(records->log, AHOY_LOG_WARNING, "records: %" PRIu64 " were lost",
                      counters.records_lost);
    pthread_cond_destroy(&records->changed);
    pthread_mutex_destroy(&records->lock);
    free_records(records);
}

struct ahoyd_records_counters ahoyd_records_count(struct ahoyd_records *records)
{
    pthread_mutex_lock(&records->lock);
    struct ahoyd_records_counters counters = records->counters;
    pthread_mutex_unlock(&records->lock);
    return counters;
}
