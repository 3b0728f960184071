/* A worker: a thread that owns a driver and a server.  All messages of a call belong to one worker,
 * so nothing in it is shared; what comes to another's door is passed on through an inbox. */
#pragma once

#include "ahoyd/listeners.h"
#include "ahoyd/renewal.h"
#include "ahoyd/trace.h"

struct ahoy_driver;
struct ahoyd_worker;

enum {
    AHOYD_PAUSE_MS = 5000, /* For a worker's turn to end. */
    AHOYD_DRAIN_MS = 4000, /* For calls that are being set up, once the server is to end. */
    AHOYD_QUIET_MS = 60000 /* Without work, before memory goes back to the kernel. */
};

/* Each counter written once. */
/* clang-format off */
#define AHOYD_WORKER_COUNTERS(COUNTER)                                                             \
    COUNTER(turns) COUNTER(handed_in) COUNTER(sent_for_others) COUNTER(inbox_dropped)              \
    COUNTER(changes) COUNTER(trims)
/* clang-format on */

struct ahoyd_worker_counters {
#define AHOYD_COUNTER_FIELD(name) uint64_t name;
    AHOYD_WORKER_COUNTERS(AHOYD_COUNTER_FIELD)
#undef AHOYD_COUNTER_FIELD
};

struct ahoyd_worker_options {
    struct ahoyd_server_options server; /* Without change_owner, which is the worker's business. */
    struct ahoy_driver *driver;         /* The worker's from now on, even where new fails. */
    struct ahoyd_trace *trace;          /* The same; may be NULL. */
    /* All workers by their numbers, this one too; filled before the first one starts, and there
     * until the last one has been freed. */
    struct ahoyd_worker *const *workers;
};

/* NULL where memory is refused. */
struct ahoyd_worker *ahoyd_worker_new(const struct ahoyd_worker_options *options);
/* Starts the thread; false where the kernel refuses. */
bool ahoyd_worker_start(struct ahoyd_worker *worker);
/* From any thread: no new calls from now on.  The thread ends when no worker has a call that is
 * being set up, or after AHOYD_DRAIN_MS. */
void ahoyd_worker_drain(struct ahoyd_worker *worker);
/* Waits for the thread's end, if it was started. */
void ahoyd_worker_join(struct ahoyd_worker *worker);
/* When all workers have been joined and the store, which has changes of theirs, is closed. */
void ahoyd_worker_free(struct ahoyd_worker *worker);

/* From any other thread: has all |count| workers stop between two turns, so that the caller may do
 * with them what follows, until they go on.  False where one does not come to its turn's end within
 * AHOYD_PAUSE_MS: they go on then. */
bool ahoyd_workers_pause(struct ahoyd_worker *const *workers, unsigned count);
void ahoyd_workers_resume(struct ahoyd_worker *const *workers, unsigned count);
/* Of one that is paused. */
struct ahoy_driver *ahoyd_worker_driver(struct ahoyd_worker *worker);
/* The listeners that its connections came by, a bit each. */
uint64_t ahoyd_worker_listeners(const struct ahoyd_worker *worker);
/* As ahoyd_server_renew has it. */
void ahoyd_worker_renew(struct ahoyd_worker *worker, struct ahoyd_renewal *renewal,
                        const struct ahoyd_config *config, const struct ahoyd_listeners *listeners);

/* From any other thread: asks the worker for what its server's ring holds from |*from| on
 * (ahoy_ring_copy), at most |room| bytes into |to|.  0: nothing more, or no answer within a
 * second.  |missed|, which may be NULL, gets how many bytes behind |*from| had gone already.  Once
 * its thread has been joined, whoever did that may still ask. */
size_t ahoyd_worker_copy(struct ahoyd_worker *worker, uint64_t *from, char *to, size_t room,
                         uint64_t *missed);
/* From any other thread: the same for what its server's meters are at, of which |meters| has room
 * for ahoyd_server_meter_count, and its AHOY_CAUSE_COUNT |causes|.  False where it does not
 * answer. */
bool ahoyd_worker_meter(struct ahoyd_worker *worker, struct ahoy_meter *meters, uint64_t *causes);
/* From any other thread: has the worker give back, between two turns, the memory that lies idle;
 * by itself it does so once nothing has come for AHOYD_QUIET_MS.  False where it does not answer
 * within a second. */
bool ahoyd_worker_trim(struct ahoyd_worker *worker);
/* From any other thread: asks the worker, which answers between two turns, and calls |count| for
 * each of its counters: of the wire, the stack, the server and itself.  False where it does not
 * answer within a second. */
bool ahoyd_worker_count(struct ahoyd_worker *worker,
                        void (*count)(void *context, const char *name, uint64_t value),
                        void *context);
