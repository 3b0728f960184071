/* The turn of a worker, and its ways to the others.  Nothing here waits for anybody: an inbox that
 * is full loses messages, as a network does, and whoever sent them sends them again. */
#include "ahoyd/worker.h"

#include <assert.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "ahoyd/inbox.h"
#include "libahoy/io/driver.h"

enum {
    DRAIN_LOOK_MS = 20, /* How often a worker that is to end looks for the others. */
    REPORT_WAIT_S = 1
};

/* What is asked of a worker: where |to| is set, what a piece of its ring holds; where |meters| is,
 * what they are at; where it |is_to_trim|, that it does; else all that it counts. */
struct report {
    bool is_to_trim;
    char *to;
    size_t room, copied;
    uint64_t from, missed;
    struct ahoy_meter *meters;
    uint64_t *causes;
    struct ahoy_driver_counters driver;
    struct ahoy_stack_counters stack;
    struct ahoyd_server_counters server;
    struct ahoyd_worker_counters worker;
};

/* Who is told of pushes that have failed. */
struct push_end {
    struct ahoyd_push_owner owner; /* First. */
    struct ahoyd_worker *worker;
};

struct ahoyd_worker {
    struct ahoyd_change_owner owner; /* First, as the store asks. */
    struct push_end push_end;
    struct ahoyd_worker_options options;
    struct ahoyd_server *server;
    struct ahoyd_inbox *inbox;
    struct ahoyd_worker_counters counters;
    uint16_t number, count;
    bool *woken; /* By worker: it has got something in this turn. */
    bool any_woken;
    bool started;
    bool dirty; /* Something has happened since memory was given back. */
    uint64_t now_ms;
    uint64_t came_us; /* When the message at hand came. */
    uint64_t last_ms; /* When something last happened, or memory was given back. */
    uint64_t end_ms;  /* Draining ends at the latest; 0 while not draining. */
    pthread_t thread;
    atomic_bool draining; /* Asked by others. */
    atomic_bool busy;     /* For others: calls are being set up, as far as is known. */
    pthread_mutex_t lock; /* Of the report, and of the pause: */
    pthread_cond_t answered;
    struct report *asked; /* NULL: nobody asks. */
    bool is_to_pause, is_paused;
};

/* The store's thread brings a change back. */
static void take_back(struct ahoyd_change_owner *owner, struct ahoyd_change *change)
{
    struct ahoyd_worker *worker = (struct ahoyd_worker *)(void *)owner;
    ahoyd_inbox_put_change(worker->inbox, change);
    ahoy_driver_wake(worker->options.driver);
}

/* Something that the server watches has changed, by whichever thread. */
static void wake(struct ahoyd_change_owner *owner)
{
    struct ahoyd_worker *worker = (struct ahoyd_worker *)(void *)owner;
    ahoy_driver_wake(worker->options.driver);
}

/* Where the inbox is full, the requests that wait find out by their own clocks. */
static void push_failed(struct ahoyd_push_owner *owner, uint64_t key)
{
    struct ahoyd_worker *worker = ((struct push_end *)(void *)owner)->worker;
    const struct ahoyd_letter letter = { .kind = AHOYD_LETTER_PUSH_FAILED,
                                         .bytes = { (const char *)&key, sizeof key } };
    if (ahoyd_inbox_put(worker->inbox, &letter))
        ahoy_driver_wake(worker->options.driver);
}

static bool init_locks(struct ahoyd_worker *worker)
{
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0)
        return false;
    bool made = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
                pthread_cond_init(&worker->answered, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    if (!made)
        return false;
    if (pthread_mutex_init(&worker->lock, NULL) == 0)
        return true;
    pthread_cond_destroy(&worker->answered);
    return false;
}

static void free_parts(struct ahoyd_worker *worker)
{
    ahoyd_server_free(worker->server);
    ahoyd_inbox_free(worker->inbox);
    ahoyd_trace_free(worker->options.trace);
    ahoy_driver_close(worker->options.driver);
    free(worker->woken);
    free(worker);
}

struct ahoyd_worker *ahoyd_worker_new(const struct ahoyd_worker_options *options)
{
    struct ahoyd_worker *worker = calloc(1, sizeof *worker);
    if (worker == NULL) {
        ahoy_driver_close(options->driver);
        ahoyd_trace_free(options->trace);
        return NULL;
    }
    worker->options = *options;
    worker->owner.done = take_back;
    worker->owner.wake = wake;
    worker->push_end = (struct push_end){ { push_failed }, worker };
    worker->number = options->server.worker;
    worker->count = options->server.workers;
    worker->now_ms = worker->last_ms = ahoy_driver_now();
    worker->dirty = true;
    worker->inbox = ahoyd_inbox_new();
    worker->woken = calloc(worker->count, sizeof *worker->woken);
    worker->options.server.change_owner = &worker->owner;
    worker->options.server.push_owner = &worker->push_end.owner;
    worker->server = ahoyd_server_new(&worker->options.server, worker->now_ms);
    if (worker->inbox == NULL || worker->woken == NULL || worker->server == NULL ||
        !init_locks(worker)) {
        free_parts(worker);
        return NULL;
    }
    return worker;
}

void ahoyd_worker_free(struct ahoyd_worker *worker)
{
    if (worker == NULL)
        return;
    pthread_cond_destroy(&worker->answered);
    pthread_mutex_destroy(&worker->lock);
    free_parts(worker);
}

/* Puts a letter into another worker's inbox; it is woken at the end of the turn. */
static void pass_on(struct ahoyd_worker *worker, uint16_t to, enum ahoyd_letter_kind kind,
                    const struct ahoy_wire_effect *effect)
{
    assert(to < worker->count);
    struct ahoyd_letter letter = {
        .kind = kind, .hop = effect->hop, .bytes = effect->bytes, .came_us = worker->came_us
    };
    if (ahoyd_inbox_put(worker->options.workers[to]->inbox, &letter))
        worker->any_woken = worker->woken[to] = true;
}

/* Carries out all that the server wants. */
static void carry_all(struct ahoyd_worker *worker)
{
    struct ahoy_wire_effect effect;
    while (ahoyd_server_poll(worker->server, &effect)) {
        if (worker->options.trace != NULL)
            ahoyd_trace_out(worker->options.trace, &effect, ahoy_driver_now_us());
        /* A connection of another worker: it can only be sent on, through its owner. */
        bool foreign = effect.hop.connection.generation != 0 && effect.hop.worker != worker->number;
        if (effect.kind == AHOY_WIRE_HANDOFF)
            pass_on(worker, effect.worker, AHOYD_LETTER_MESSAGE, &effect);
        else if (!foreign)
            ahoy_driver_carry(worker->options.driver, &effect);
        else if (effect.kind == AHOY_WIRE_SEND)
            pass_on(worker, effect.hop.worker, AHOYD_LETTER_SEND, &effect);
    }
}

static void step(struct ahoyd_worker *worker, struct ahoy_wire_event *event)
{
    worker->dirty = true;
    worker->came_us = worker->now_ms * 1000 - event->waited_us;
    ahoyd_server_step(worker->server, event, worker->now_ms);
    carry_all(worker);
}

/* How long a message has waited, at the door where it came and in the inbox. */
static uint32_t waited_us(const struct ahoyd_worker *worker, const struct ahoyd_letter *letter)
{
    uint64_t now_us = worker->now_ms * 1000;
    if (now_us <= letter->came_us)
        return 0;
    return now_us - letter->came_us > UINT32_MAX ? UINT32_MAX
                                                 : (uint32_t)(now_us - letter->came_us);
}

static void read_push(struct ahoyd_worker *worker, struct span bytes)
{
    uint64_t key;
    assert(bytes.size == sizeof key);
    memcpy(&key, bytes.at, sizeof key);
    worker->dirty = true;
    ahoyd_server_push_failed(worker->server, key, worker->now_ms);
    carry_all(worker);
}

static void read_letter(struct ahoyd_worker *worker, const struct ahoyd_letter *letter)
{
    worker->last_ms = worker->now_ms;
    if (letter->kind == AHOYD_LETTER_PUSH_FAILED) {
        read_push(worker, letter->bytes);
    } else if (letter->kind == AHOYD_LETTER_SEND) {
        struct ahoy_wire_effect effect = { .kind = AHOY_WIRE_SEND,
                                           .hop = letter->hop,
                                           .bytes = letter->bytes };
        worker->counters.sent_for_others++;
        ahoy_driver_carry(worker->options.driver, &effect);
    } else {
        struct ahoy_wire_event event = { .kind = AHOY_WIRE_MESSAGE,
                                         .hop = letter->hop,
                                         .bytes = letter->bytes,
                                         .waited_us = waited_us(worker, letter) };
        worker->counters.handed_in++;
        step(worker, &event);
    }
}

/* What the others have put into the inbox. */
static void read_letters(struct ahoyd_worker *worker)
{
    struct ahoyd_letter letter;
    while (ahoyd_inbox_next(worker->inbox, &letter))
        read_letter(worker, &letter);
    struct ahoyd_change *change;
    while ((change = ahoyd_inbox_change(worker->inbox)) != NULL) {
        worker->last_ms = worker->now_ms;
        worker->dirty = true;
        worker->counters.changes++;
        ahoyd_server_stored(worker->server, change, worker->now_ms);
        carry_all(worker);
    }
}

static void read_wire(struct ahoyd_worker *worker)
{
    struct ahoy_wire_event event;
    while (ahoy_driver_next(worker->options.driver, &event)) {
        worker->last_ms = worker->now_ms;
        if (worker->options.trace != NULL)
            ahoyd_trace_in(worker->options.trace, &event, ahoy_driver_now_us());
        step(worker, &event);
    }
}

static void wake_others(struct ahoyd_worker *worker)
{
    if (!worker->any_woken)
        return;
    worker->any_woken = false;
    for (uint16_t i = 0; i < worker->count; i++) {
        if (worker->woken[i])
            ahoy_driver_wake(worker->options.workers[i]->options.driver);
        worker->woken[i] = false;
    }
}

/* What lies idle goes back to the kernel. */
static void trim(struct ahoyd_worker *worker)
{
    worker->dirty = false;
    worker->last_ms = worker->now_ms; /* Timers that go on ending old calls do not repeat it. */
    worker->counters.trims++;
    ahoyd_server_trim(worker->server);
    ahoyd_inbox_trim(worker->inbox);
    ahoy_driver_trim(worker->options.driver);
    malloc_trim(0);
}

static void fill_report(struct ahoyd_worker *worker, struct report *report)
{
    if (report->to != NULL) {
        const struct ahoy_ring *ring = ahoyd_server_ring(worker->server);
        report->missed = report->from < ring->oldest ? ring->oldest - report->from : 0;
        report->copied = ahoy_ring_copy(ring, &report->from, report->to, report->room);
        return;
    }
    if (report->meters != NULL) {
        size_t count = ahoyd_server_meter_count(worker->options.server.config);
        memcpy(report->meters, ahoyd_server_meters(worker->server), count * sizeof *report->meters);
        memcpy(report->causes, ahoyd_server_causes(worker->server),
               AHOY_CAUSE_COUNT * sizeof *report->causes);
        return;
    }
    if (report->is_to_trim) {
        trim(worker);
        return;
    }
    worker->counters.inbox_dropped = ahoyd_inbox_dropped(worker->inbox);
    *report = (struct report){
        .driver = *ahoy_driver_counters(worker->options.driver),
        .stack = *ahoyd_server_stack_counters(worker->server),
        .server = *ahoyd_server_counters(worker->server),
        .worker = worker->counters,
    };
}

/* Answers who asked, and stands still for as long as somebody else works on the worker. */
static void serve_others(struct ahoyd_worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    if (worker->asked != NULL) {
        fill_report(worker, worker->asked);
        worker->asked = NULL;
        pthread_cond_broadcast(&worker->answered);
    }
    worker->is_paused = worker->is_to_pause;
    if (worker->is_paused)
        pthread_cond_broadcast(&worker->answered);
    while (worker->is_to_pause)
        pthread_cond_wait(&worker->answered, &worker->lock);
    worker->is_paused = false;
    pthread_mutex_unlock(&worker->lock);
}

static void turn(struct ahoyd_worker *worker)
{
    worker->now_ms = ahoy_driver_now();
    worker->counters.turns++;
    if (ahoyd_inbox_take(worker->inbox))
        read_letters(worker);
    read_wire(worker);
    if (ahoyd_server_deadline(worker->server) <= worker->now_ms) {
        struct ahoy_wire_event event = { .kind = AHOY_WIRE_TIME };
        step(worker, &event);
    }
    ahoy_driver_sieve(worker->options.driver, ahoyd_server_heard(worker->server));
    wake_others(worker);
    ahoy_driver_flush(worker->options.driver);
    if (worker->options.trace != NULL)
        ahoyd_trace_flush(worker->options.trace);
    if (worker->dirty && worker->now_ms >= worker->last_ms + AHOYD_QUIET_MS)
        trim(worker);
}

/* Whether no worker has a call any more that is being set up: one that still has needs the others,
 * at whose doors messages of it may arrive. */
static bool all_are_done(struct ahoyd_worker *worker)
{
    for (uint16_t i = 0; i < worker->count; i++) {
        if (atomic_load(&worker->options.workers[i]->busy))
            return false;
    }
    return true;
}

/* Looks whether it is to end.  True: now. */
static bool is_finished(struct ahoyd_worker *worker)
{
    if (!atomic_load(&worker->draining))
        return false;
    if (worker->end_ms == 0) {
        worker->end_ms = worker->now_ms + AHOYD_DRAIN_MS;
        ahoyd_server_drain(worker->server);
        carry_all(worker);
        ahoy_driver_flush(worker->options.driver);
    }
    atomic_store(&worker->busy, ahoyd_server_busy(worker->server) > 0);
    return worker->now_ms >= worker->end_ms || all_are_done(worker);
}

static uint64_t next_deadline(const struct ahoyd_worker *worker)
{
    uint64_t deadline_ms = ahoyd_server_deadline(worker->server);
    if (worker->dirty && worker->last_ms + AHOYD_QUIET_MS < deadline_ms)
        deadline_ms = worker->last_ms + AHOYD_QUIET_MS;
    if (worker->end_ms != 0 && worker->now_ms + DRAIN_LOOK_MS < deadline_ms)
        deadline_ms = worker->now_ms + DRAIN_LOOK_MS;
    return deadline_ms;
}

static void *run(void *context)
{
    struct ahoyd_worker *worker = context;
    do {
        ahoy_driver_wait(worker->options.driver, next_deadline(worker));
        turn(worker);
        serve_others(worker);
    } while (!is_finished(worker));
    ahoyd_server_leave(worker->server);
    carry_all(worker);
    ahoy_driver_flush(worker->options.driver);
    return NULL;
}

bool ahoyd_worker_start(struct ahoyd_worker *worker)
{
    /* Until it has looked itself, the others must think that it has something. */
    atomic_store(&worker->busy, true);
    if (pthread_create(&worker->thread, NULL, run, worker) != 0)
        return false;
    worker->started = true;
    char name[16];
    snprintf(name, sizeof name, "worker %u", worker->number);
    (void)pthread_setname_np(worker->thread, name); /* For those who look; it works without. */
    return true;
}

void ahoyd_worker_drain(struct ahoyd_worker *worker)
{
    atomic_store(&worker->draining, true);
    ahoy_driver_wake(worker->options.driver);
}

void ahoyd_worker_join(struct ahoyd_worker *worker)
{
    if (!worker->started)
        return;
    pthread_join(worker->thread, NULL);
    worker->started = false;
}

/* Waits until |report| is not asked for any more, or |end|; NULL: until nothing is. */
static bool wait_while(struct ahoyd_worker *worker, const struct report *report,
                       const struct timespec *end)
{
    int rc = 0;
    while (rc == 0 && (report == NULL ? worker->asked != NULL : worker->asked == report))
        rc = pthread_cond_timedwait(&worker->answered, &worker->lock, end);
    return report == NULL ? worker->asked == NULL : worker->asked != report;
}

/* Several threads may ask: each has its turn. */
static bool ask(struct ahoyd_worker *worker, struct report *report)
{
    struct timespec end;
    bool answered = false;
    if (clock_gettime(CLOCK_MONOTONIC, &end) != 0)
        return false;
    end.tv_sec += REPORT_WAIT_S;
    pthread_mutex_lock(&worker->lock);
    if (wait_while(worker, NULL, &end)) {
        worker->asked = report;
        ahoy_driver_wake(worker->options.driver);
        answered = wait_while(worker, report, &end);
        if (!answered)
            worker->asked = NULL;
        pthread_cond_broadcast(&worker->answered);
    }
    pthread_mutex_unlock(&worker->lock);
    return answered;
}

static void set_pause(struct ahoyd_worker *worker, bool is_to_pause)
{
    pthread_mutex_lock(&worker->lock);
    worker->is_to_pause = is_to_pause;
    pthread_cond_broadcast(&worker->answered);
    pthread_mutex_unlock(&worker->lock);
    ahoy_driver_wake(worker->options.driver);
}

static bool wait_for_pause(struct ahoyd_worker *worker, const struct timespec *end)
{
    int rc = 0;
    pthread_mutex_lock(&worker->lock);
    while (rc == 0 && !worker->is_paused)
        rc = pthread_cond_timedwait(&worker->answered, &worker->lock, end);
    bool is_paused = worker->is_paused;
    pthread_mutex_unlock(&worker->lock);
    return is_paused;
}

bool ahoyd_workers_pause(struct ahoyd_worker *const *workers, unsigned count)
{
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += AHOYD_PAUSE_MS / 1000;
    for (unsigned i = 0; i < count; i++)
        set_pause(workers[i], true);
    for (unsigned i = 0; i < count; i++) {
        if (!wait_for_pause(workers[i], &end)) {
            ahoyd_workers_resume(workers, count);
            return false;
        }
    }
    return true;
}

void ahoyd_workers_resume(struct ahoyd_worker *const *workers, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        set_pause(workers[i], false);
}

struct ahoy_driver *ahoyd_worker_driver(struct ahoyd_worker *worker)
{
    return worker->options.driver;
}

uint64_t ahoyd_worker_listeners(const struct ahoyd_worker *worker)
{
    return ahoyd_server_listeners(worker->server);
}

void ahoyd_worker_renew(struct ahoyd_worker *worker, struct ahoyd_renewal *renewal,
                        const struct ahoyd_config *config, const struct ahoyd_listeners *listeners)
{
    worker->options.server.config = config;
    ahoyd_server_renew(worker->server, renewal, worker->now_ms);
    if (worker->options.trace != NULL)
        ahoyd_trace_relisten(worker->options.trace, listeners->at, listeners->count);
}

size_t ahoyd_worker_copy(struct ahoyd_worker *worker, uint64_t *from, char *to, size_t room,
                         uint64_t *missed)
{
    struct report report = { .to = to, .room = room, .from = *from };
    if (!worker->started)
        fill_report(worker, &report);
    else if (!ask(worker, &report))
        return 0;
    *from = report.from;
    if (missed != NULL)
        *missed = report.missed;
    return report.copied;
}

bool ahoyd_worker_meter(struct ahoyd_worker *worker, struct ahoy_meter *meters, uint64_t *causes)
{
    struct report report = { .meters = meters, .causes = causes };
    return ask(worker, &report);
}

bool ahoyd_worker_trim(struct ahoyd_worker *worker)
{
    struct report report = { .is_to_trim = true };
    return ask(worker, &report);
}

bool ahoyd_worker_count(struct ahoyd_worker *worker,
                        void (*count)(void *context, const char *name, uint64_t value),
                        void *context)
{
    struct report report = { .to = NULL };
    if (!ask(worker, &report))
        return false;
#define COUNT_DRIVER(name) count(context, #name, report.driver.name);
#define COUNT_STACK(name)  count(context, #name, report.stack.name);
#define COUNT_SERVER(name) count(context, #name, report.server.name);
#define COUNT_WORKER(name) count(context, #name, report.worker.name);
    AHOY_DRIVER_COUNTERS(COUNT_DRIVER)
    AHOY_STACK_COUNTERS(COUNT_STACK)
    AHOYD_SERVER_COUNTERS(COUNT_SERVER)
    AHOYD_SERVER_LEVELS(COUNT_SERVER)
    AHOYD_WORKER_COUNTERS(COUNT_WORKER)
    return true;
}
