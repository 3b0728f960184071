/* How much new work a server lets in (RFC 3261 21.5.4, RFC 7339 5.3, design: RFC 6357).
 *
 * The measure is how long messages have waited when they are read, the least of each interval: a
 * queue that empties now and then is no overload, however long it was in between.  Each listener
 * has a queue of its own, and the worst of them counts.  Where the least stays above the target,
 * new requests are let in by a rate that follows what was managed, so that the wait settles at the
 * target and no work is lost; what has waited for far longer is refused whatever the rate.  What
 * belongs to calls that stand has a rate of its own, which begins to bind at a multiple of the
 * target only.
 *
 * Pure: no clock, no allocation, no message. */
#pragma once

#include "libahoy/base/rng.h"

enum {
    AHOY_OVERLOAD_INTERVAL_MS = 200, /* Between two looks at the wait. */
    AHOY_OVERLOAD_STALE_MS = 500,    /* T1: by UDP the client has sent again what waited so long. */
    AHOY_OVERLOAD_LOSS_LIMIT = 95,   /* Percent that neighbours are asked to hold back. */
    AHOY_OVERLOAD_QUEUES = 8,        /* Where there are more of them, some count as one. */
    AHOY_OVERLOAD_ALL = 1024,        /* Of |heard|: everything. */
    AHOY_OVERLOAD_DEAF_MS = 1000     /* Without an interval, until everything is heard again. */
};

/* What is refused first, and what last. */
enum ahoy_urgency {
    AHOY_URGENCY_NEW,  /* Begins something. */
    AHOY_URGENCY_KEPT, /* Belongs to what stands, or must get through (RFC 7339 5.10.1). */
    AHOY_URGENCY_COUNT
};

/* The rate of one urgency. */
struct ahoy_gate {
    bool binds;      /* The rate is in force. */
    uint8_t calm;    /* Intervals in which it was not needed. */
    uint8_t idle;    /* Intervals in which hardly anything waited. */
    uint32_t rate;   /* Requests a second. */
    uint32_t best;   /* The highest rate lately. */
    int64_t tokens;  /* Thousandths of a request that may still come in. */
    uint32_t let_in; /* In this interval. */
    uint32_t refused;
};

/* What was read from a queue in this interval. */
struct ahoy_overload_queue {
    uint32_t least_us; /* The least wait; UINT32_MAX: nothing was read. */
    uint32_t messages;
};

struct ahoy_overload {
    uint32_t target_us; /* 0: everything is let in. */
    uint64_t begun_ms;  /* When this interval began. */
    uint64_t filled_ms; /* When the gates got tokens last. */
    uint32_t waited_us; /* The message at hand. */
    struct ahoy_overload_queue all, queues[AHOY_OVERLOAD_QUEUES];
    bool overflowed; /* Something was lost before it could be read. */
    struct ahoy_gate gates[AHOY_URGENCY_COUNT];
    uint32_t served; /* Messages in this interval, all but those that were refused. */
    uint32_t needed; /* How many of them a new request brings about; in 256ths. */
    /* Sums of what was served, and of new requests that were let in, that fade. */
    uint32_t served_lately, let_in_lately;
    uint32_t last_us;    /* The least wait of the last interval. */
    unsigned share;      /* Of new requests, in percent: what would have to stay away. */
    unsigned heard;      /* Of 1,024 datagrams that begin something, so many are worth reading. */
    unsigned loud;       /* Intervals of a load that is far too much, round and round; 0: none. */
    bool tells;          /* Callers are told to stay away, rather than served. */
    uint32_t retry_ms;   /* Mean Retry-After. */
    uint32_t lasted_ms;  /* How long new requests have been refused, up to what matters. */
    uint32_t away;       /* How many have been told one that is not over yet, about. */
    unsigned loss;       /* The same of all requests of the neighbours that hold back themselves. */
    uint32_t theirs_new; /* Requests of those, in this interval, ... */
    uint32_t theirs;     /* ... and all of them. */
};

/* |target_ms| 0 switches it off. */
void ahoy_overload_init(struct ahoy_overload *overload, uint32_t target_ms, uint64_t now_ms);
/* A message of |queue|, any number, has been read that had waited so long; |overflowed| where
 * others before it were lost.  True where an interval has ended with it, so that rates, |loss|,
 * |heard| and |last_us| are new. */
bool ahoy_overload_waited(struct ahoy_overload *overload, unsigned queue, uint32_t waited_us,
                          bool overflowed, uint64_t now_ms);
/* Whether the request that was read last may come in.  |holds_back|: it comes from a neighbour that
 * was told |loss|, so it may draw on what comes later, as an urgent one may. */
bool ahoy_overload_admits(struct ahoy_overload *overload, enum ahoy_urgency urgency,
                          bool holds_back);
/* A message has come that is always served: a response, an ACK, a CANCEL. */
static inline void ahoy_overload_serves(struct ahoy_overload *overload)
{
    overload->served++;
}
/* When |heard| is to be looked at again; UINT64_MAX: with the next message. */
uint64_t ahoy_overload_deadline(const struct ahoy_overload *overload);
/* Where nothing has been read for a while, that may be as nothing is heard: all is again. */
void ahoy_overload_expire(struct ahoy_overload *overload, uint64_t now_ms);
/* Whether new requests are being refused, or might be. */
bool ahoy_overload_binds(const struct ahoy_overload *overload);
/* Seconds for a Retry-After (RFC 3261 20.33): the more come back, the longer, and for each
 * another, so that they do not come back together. */
unsigned ahoy_overload_retry_s(const struct ahoy_overload *overload, struct ahoy_rng *rng);
