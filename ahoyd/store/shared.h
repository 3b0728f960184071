/* A store that several nodes share: all of it is held in memory and read there, and a change is
 * made where the engine keeps the rows.  These are the verbs of its struct backend but open, to
 * which the backend adds its engine. */
#pragma once

#include "ahoyd/store/backend.h"
#include "ahoyd/store/shared_engine.h"

/* Reads everything, which takes as long as it takes while something comes.  False with a fault. */
bool shared_open(struct ahoyd_store *store, const struct ahoyd_store_options *options,
                 const struct shared_engine *engine, char *fault, size_t fault_size);
bool shared_submit(struct ahoyd_store *store, struct ahoyd_change *change);
void shared_close(struct ahoyd_store *store);

/* The same for a store that has its users and aliases elsewhere: store->names.  It is opened before
 * the backend, and that keeps bindings alone. */
bool shared_open_users(struct ahoyd_store *store, const struct ahoyd_store_options *options,
                       const struct shared_engine *engine, char *fault, size_t fault_size);
bool shared_submit_user(struct ahoyd_store *store, struct ahoyd_change *change);
void shared_close_users(struct ahoyd_store *store);

/* What its files share. */

enum {
    SHARED_JOBS_LIMIT = AHOYD_CHANGES_LIMIT, /* Changes that the thread has taken. */
    SHARED_BUCKETS = 1024,
    SHARED_SETTLE_MS = 5 /* Between two turns of looking for rows that did not come. */
};

/* A change under way. */
struct shared_job {
    struct staged staged;
    uint64_t hash; /* Of its key.  Two keys of one hash wait for each other, which harms nobody. */
    uint64_t version;     /* That its row will have. */
    uint64_t expected;    /* That the row has now, where the engine has told. */
    uint64_t deadline_ms; /* Monotonic. */
    uint32_t generation;  /* Of its ticket. */
    uint8_t tries;        /* How often others were first. */
    bool overtaken;       /* Its row came from the engine while it was under way. */
    struct shared_job *older, *newer; /* By age, so by deadline. */
    struct shared_job *behind;        /* The next change of the same key. */
    struct shared_job *sibling;       /* In its bucket. */
};

/* What it keeps, and how it is called. */
struct shared_part {
    bool has_bindings, has_names;
    const char *name;
    const char *silence; /* That it does not answer. */
};

struct shared {
    struct ahoyd_store *store;
    struct shared_part part;
    const struct shared_engine *engine;
    void *state;                      /* The engine's. */
    struct ahoyd_change_owner nobody; /* Of changes that the store makes itself. */
    pthread_t thread;
    int wake_fd;
    pthread_mutex_t lock; /* Guards what stands below. */
    pthread_cond_t opened;
    struct ahoyd_change *first, **last;
    size_t waiting; /* Queued and under way. */
    bool closing;
    bool is_open;      /* All has been read. */
    const char *fault; /* Why it never will be; a literal. */
    uint64_t heard_ms; /* When the engine last told something. */
    /* The thread's own. */
    uint64_t now_ms;   /* Monotonic. */
    uint64_t ahead_ms; /* The server's clock is so far ahead of it. */
    uint64_t tidied_ms;
    size_t shard;
    bool failing; /* The last change was not answered; said once. */
    bool has_secret, has_read, was_open;
    unsigned damages; /* Rows that could not be read. */
    struct shared_job jobs[SHARED_JOBS_LIMIT];
    struct shared_job *free, *oldest, *newest;
    struct shared_job *buckets[SHARED_BUCKETS];
    struct shared_reading {
        bool runs;          /* Rows are coming in. */
        bool is_to_settle;  /* They have all come: those that did not are looked for, ... */
        uint64_t settle_ms; /* ... the next time then. */
        struct ahoy_map seen;
    } reading;
};

/* Hands |change| to the thread; false where too many wait. */
bool shared_queue(struct shared *shared, struct ahoyd_change *change);

/* The clock of this machine, for the swaps that are asked for now. */
uint64_t shared_asked_ms(void);

/* shared_jobs.c, all on the thread.  Takes |change| up. */
void shared_job_add(struct shared *shared, struct ahoyd_change *change);
/* An answer of the engine to a swap. */
void shared_job_answer(struct shared *shared, const struct shared_event *event);
/* A row came that was not asked for by a job: one that is being changed is looked at again once
 * that is done. */
void shared_job_overtake(struct shared *shared, struct span key);
/* Refuses what has waited for too long. */
void shared_jobs_expire(struct shared *shared);
uint64_t shared_jobs_deadline(const struct shared *shared);

/* shared_reading.c: which rows came since READING, so that those which are gone are found. */
void shared_reading_begin(struct shared *shared);
void shared_reading_see(struct shared *shared, struct span key);
void shared_reading_end(struct shared *shared);
/* Looks for some of those that did not come. */
void shared_reading_settle(struct shared *shared);
