/* The face of a shared engine: where the rows of a store are kept that several nodes, each an ahoyd
 * of its own, have in common.  shared.c is the one who calls it, on one thread.
 *
 * A row is a key, a version, and bytes that the engine does not understand.  A version is a random
 * number that whoever writes the row chooses: it is only ever compared, so that a row which went
 * and came again is not mistaken for the one before.  0 means that there is no such row.
 *
 * Every node holds all rows in memory and reads them there, so an engine is asked for two things
 * only: to change a row if nobody else has done so first, and to tell of every row that is, or
 * becomes, another than the node knows.
 *
 * How a node follows: the engine first watches, then reads all rows (READING, a ROW each, READ).
 * Whatever changes from then on comes as a ROW too, the node's own changes included or not.  Where
 * the watch was lost, even for a moment, the engine watches and reads once more, by itself, as soon
 * as it can; meanwhile the old rows are served.
 *
 * Step and poll, as everywhere: no call waits for the network, and none calls back. */
#pragma once

#include <poll.h>

#include "ahoyd/store/record.h"
#include "ahoyd/store/store.h"

enum {
    SHARED_KEY_LIMIT = 2 + AHOYD_AOR_LIMIT,   /* Bytes of a key. */
    SHARED_BYTES_LIMIT = RECORD_SEALED_LIMIT, /* Bytes of a row. */
    SHARED_FDS_LIMIT = 160                    /* Descriptors that an engine polls. */
};

/* |bytes| are empty where |version| is 0 or the row is gone, and where the engine has found that
 * nothing can be made of the row: a user or an alias is then forgotten, bindings stay as they
 * were. */
struct shared_row {
    struct span key;
    uint64_t version;
    struct span bytes;
    bool is_gone; /* It has been removed, and still has a version: that is expected now. */
};

/* "Put |row| where that of its key has the version |expected|". */
struct shared_swap {
    uint64_t ticket;   /* The caller's, to know the answer by. */
    uint64_t expected; /* 0: where there is none. */
    /* Its version is new in either case; without bytes the row is removed. */
    struct shared_row row;
    uint64_t until_ms; /* When the engine may forget the row; 0: never. */
    uint64_t asked_ms; /* By the clock of this machine: whoever finds it too old may refuse it. */
};

enum shared_event_kind {
    SHARED_SWAPPED, /* It is done, and kept as safely as the options ask for. */
    SHARED_OTHER,   /* It is not done: |row| is what is there, perhaps nothing. */
    SHARED_REFUSED, /* It is not kept as it should be, or never will be: |why|, a literal. */
    SHARED_ROW,     /* So it stands in the engine now. */
    SHARED_READING, /* All rows follow. */
    SHARED_READ     /* Those were all: the others may be gone. */
};

struct shared_event {
    enum shared_event_kind kind;
    uint64_t ticket; /* Of the swap: SWAPPED, OTHER, REFUSED. */
    struct shared_row row;
    const char *why;
};

struct shared_engine {
    /* Reads options->path, and connects to nothing yet.  NULL with a fault that says how to mend
     * it, in which no password is. */
    void *(*new)(const struct ahoyd_store_options *options, char *fault, size_t fault_size);
    void (*free)(void *engine);

    /* Fills |fds| with what is to be polled; returns how many, at most SHARED_FDS_LIMIT. */
    size_t (*watch)(void *engine, struct pollfd fds[SHARED_FDS_LIMIT]);
    /* When step wants to be called, whatever comes; UINT64_MAX: never. */
    uint64_t (*deadline)(void *engine);
    /* Receives, sends, connects anew: what can be done without waiting.  |fds| are those of watch
     * after poll(2); |now_ms| is monotonic. */
    void (*step)(void *engine, const struct pollfd *fds, size_t count, uint64_t now_ms);
    /* The next thing that happened, until false.  Its spans live until the next call. */
    bool (*event)(void *engine, struct shared_event *event);

    /* Copies |swap|.  It is answered by SWAPPED, OTHER or REFUSED, unless it is dropped first.
     * Where a connection breaks, the engine itself tries again for as long as it takes: a row that
     * is found to have the new version already was written by the first attempt.  False where
     * memory is refused. */
    bool (*swap)(void *engine, const struct shared_swap *swap);
    /* Nobody waits for that answer any more, and it must not come; the swap may still be done. */
    void (*drop)(void *engine, uint64_t ticket);
    /* Asks for the row of |key|, which a ROW answers; not where the connection breaks, as all rows
     * are then read again.  False where memory is refused, or as many are asked for as may be. */
    bool (*look)(void *engine, struct span key);
    /* The same, but where it cannot be asked for, all rows are read again instead. */
    void (*look_or_read)(void *engine, struct span key);
    /* After READ: whether |key| would have been among what was read, if it were there.  An engine
     * that watches in several places need not read them all when it has lost one. */
    bool (*has_read)(void *engine, struct span key);
};
