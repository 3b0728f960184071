/* Reads all that the workers note (docs/why.md) as it comes, in a thread of its own, and hands each
 * note on to those who keep or send it.  No worker waits for it: where it is too slow, the oldest
 * notes are lost to it, and that is counted. */
#pragma once

#include <stdatomic.h>

#include "libahoy/base/log.h"
#include "libahoy/base/ring.h"
#include "libahoy/syntax/message.h"

enum { AHOYD_TAKERS_LIMIT = 2 };

/* A note, and what can be read of it. */
struct ahoyd_noted {
    const struct ahoy_note *note;
    struct span text;
    struct span call_id;                /* Whose call it is about; empty for none. */
    const struct ahoy_message *message; /* That which it is, as far as it can be parsed; else
                                         * it means nothing. */
};

/* Who is handed them, in the follower's thread. */
struct ahoyd_taker {
    void (*take)(void *self, const struct ahoyd_noted *noted);
    void (*look)(void *self, uint64_t now_ms); /* All that there was has been taken. */
    void *self;
};

struct ahoyd_follower_options {
    /* As ahoyd_worker_copy has it, of the worker of that number. */
    size_t (*notes)(void *context, unsigned worker, uint64_t *from, char *to, size_t room,
                    uint64_t *missed);
    void *context;
    unsigned workers;
    uint64_t (*now_ms)(void); /* The clock of the notes. */
    struct ahoyd_taker takers[AHOYD_TAKERS_LIMIT];
    size_t taker_count;
    const struct ahoy_log *log;
};

struct ahoyd_follower;

/* Starts the thread; it begins with the oldest notes.  NULL where there is no memory or no
 * thread. */
struct ahoyd_follower *ahoyd_follower_open(const struct ahoyd_follower_options *options);
/* Ends the thread: from now on nobody asks the workers. */
void ahoyd_follower_stop(struct ahoyd_follower *follower);
/* Reads what is left, once it has been stopped and the workers' threads have ended too, and frees
 * it.  NULL is allowed. */
void ahoyd_follower_close(struct ahoyd_follower *follower);
/* From any thread: how many bytes of notes were lost to it. */
uint64_t ahoyd_follower_missed(const struct ahoyd_follower *follower);
