/* A rate rather than a share: when twice as many come, no more are let in.
 *
 * What a new request brings about comes later, some messages that wait in the same queue, so to
 * follow the wait alone is to swing.  The rate is made of what was served, whatever it was, and of
 * how many messages a request has needed lately: that is what can be managed, known at once. */
#include "libahoy/tu/overload.h"

enum {
    UNIT = 256, /* Of |needed|: so many parts of a message. */
    NEEDED_USUAL = 6,
    NEEDED_MOST = 64,
    FOLLOWED_INTERVALS = 16, /* Over which what was let in and what was served are summed up. */
    BEST_FADES = 64,         /* Each interval takes so small a part of it. */
    LEAST_PART = 4,
    LEAST_RATE = 50,      /* A second: something is always tried. */
    KEPT_FACTOR = 4,      /* Targets that the wait must be at before calls that stand suffer. */
    QUOTA_US = 100000,    /* By which waits differ where a quota holds the process, as is usual. */
    CALM_INTERVALS = 10,  /* Without a refusal, until the rate is given up. */
    PAUSE_INTERVALS = 25, /* Without a message: all is over. */
    QUEUE_LEAST = 8, /* Messages of a queue in an interval, for it to count alone: of fewer none may
                      * have found it empty though it often is. */
    IDLE_LEAST = 3,
    IDLE_MOST = 6,
    MOST_DOWN = 500, /* Thousandths by which a rate falls or rises in one interval. */
    MOST_UP = 125,
    RETRY_MS = 10000,      /* Mean Retry-After at first, ... */
    RETRY_MOST_MS = 40000, /* ... at most, ... */
    RETRY_LONG_MS = 60000, /* ... and at most once it has lasted for as long. */
    HEARD_LEAST = 4,       /* Of AHOY_OVERLOAD_ALL. */
    HEARD_DOWN = 6,        /* So small a part of it is taken off, or put on, in an interval. */
    HEARD_UP = 4,
    TELLING_INTERVALS = 25,
    SERVING_INTERVALS = 250,
    LOUD_FACTOR = 2, /* So many are refused for each who is let in, or more: that is loud. */
    BACK_PART = 8    /* Such a part of those who are let in: as many may come back. */
};

static void empty_queues(struct ahoy_overload *overload)
{
    overload->all = (struct ahoy_overload_queue){ .least_us = UINT32_MAX };
    for (unsigned i = 0; i < AHOY_OVERLOAD_QUEUES; i++)
        overload->queues[i] = overload->all;
}

static void reset(struct ahoy_overload *overload, uint64_t now_ms)
{
    const uint32_t target_us = overload->target_us;
    *overload = (struct ahoy_overload){ .target_us = target_us,
                                        .begun_ms = now_ms,
                                        .filled_ms = now_ms,
                                        .needed = NEEDED_USUAL * UNIT,
                                        .heard = AHOY_OVERLOAD_ALL,
                                        .retry_ms = RETRY_MS };
    empty_queues(overload);
}

void ahoy_overload_init(struct ahoy_overload *overload, uint32_t target_ms, uint64_t now_ms)
{
    overload->target_us = target_ms * 1000;
    reset(overload, now_ms);
}

/* By how many thousandths the rate changes: an eighth for a whole target of difference.  Where the
 * queue has been all but empty for a while the rate is far too low, and grows faster. */
static int64_t change_for(struct ahoy_gate *gate, uint32_t wait_us, uint32_t target_us)
{
    int64_t change = ((int64_t)target_us - wait_us) * MOST_UP / target_us;
    gate->idle = wait_us < target_us / 8 ? (uint8_t)(gate->idle + 1) : 0;
    if (gate->idle > IDLE_MOST)
        gate->idle = IDLE_MOST;
    if (gate->idle > IDLE_LEAST)
        change <<= gate->idle - IDLE_LEAST;
    return change < -MOST_DOWN ? -MOST_DOWN : change;
}

/* An interval has ended in which the least wait was |wait_us|, and so many requests a second were
 * |managed|.  |told| of 1,024 is all that is heard while callers are told to stay away: the less,
 * the more there is to tell, and what is spent on it says nothing of what could be managed. */
static void adjust(struct ahoy_gate *gate, uint32_t wait_us, uint32_t target_us, uint64_t managed,
                   unsigned told)
{
    bool tells = told < AHOY_OVERLOAD_ALL;
    bool needed = gate->refused > 0 || wait_us > target_us || tells;
    gate->let_in = gate->refused = 0;
    gate->calm = needed ? 0 : (uint8_t)(gate->calm + 1);
    if (!needed && (!gate->binds || gate->calm >= CALM_INTERVALS)) {
        *gate = (struct ahoy_gate){ .binds = false };
        return;
    }
    int64_t change = change_for(gate, wait_us, target_us);
    if (needed)
        managed = managed * (uint64_t)(1000 + change) / 1000;
    else if (managed < gate->rate) /* Less came than might have: that is not what can be managed. */
        managed = gate->rate;
    if (!tells)
        gate->best -= gate->best / BEST_FADES;
    if (managed > gate->best)
        gate->best = (uint32_t)managed;
    else if (!tells && gate->idle > 0) /* The machine was slower for a while. */
        managed = (managed + gate->best) / 2;
    if (tells)
        managed = (uint64_t)gate->best * told * told / AHOY_OVERLOAD_ALL / AHOY_OVERLOAD_ALL;
    /* Where refusing alone takes all there is, to let nobody in would help nobody. */
    uint32_t least = gate->best / LEAST_PART > LEAST_RATE ? gate->best / LEAST_PART : LEAST_RATE;
    gate->rate = managed < least ? least : (uint32_t)managed;
    gate->binds = true;
}

/* How many messages a new request needs, those that follow from it among them: what was served by
 * what was let in, of all that was lately.  The two of one interval say nothing of each other where
 * few were let in, as what follows from those before is served all the same. */
static void follow(struct ahoy_overload *overload)
{
    uint32_t let_in = overload->gates[AHOY_URGENCY_NEW].let_in;
    if (overload->let_in_lately < FOLLOWED_INTERVALS) {
        overload->let_in_lately = let_in * FOLLOWED_INTERVALS;
        overload->served_lately = overload->let_in_lately * NEEDED_USUAL; /* What will follow. */
        return;
    }
    overload->served_lately += overload->served - overload->served_lately / FOLLOWED_INTERVALS;
    overload->let_in_lately += let_in - overload->let_in_lately / FOLLOWED_INTERVALS;
    uint64_t needed = (uint64_t)overload->served_lately * UNIT / overload->let_in_lately;
    if (needed > NEEDED_MOST * UNIT)
        needed = NEEDED_MOST * UNIT;
    overload->needed = needed < UNIT ? UNIT : (uint32_t)needed;
}

/* What part of new requests would have to stay away, counting with those that already do. */
static void set_loss(struct ahoy_overload *overload, uint32_t came_new, uint64_t span_ms)
{
    const struct ahoy_gate *gate = &overload->gates[AHOY_URGENCY_NEW];
    uint64_t theirs_new = (uint64_t)overload->theirs_new * 100 / (100 - overload->share);
    uint64_t wanted = came_new - overload->theirs_new + theirs_new;
    uint64_t allowed = gate->binds ? (uint64_t)gate->rate * span_ms / 1000 : wanted;
    uint64_t share = wanted > allowed ? 100 * (wanted - allowed) / wanted : 0;
    uint64_t all = overload->theirs - overload->theirs_new + theirs_new;
    overload->share = (unsigned)(overload->share + share) / 2;
    if (overload->share > AHOY_OVERLOAD_LOSS_LIMIT)
        overload->share = AHOY_OVERLOAD_LOSS_LIMIT;
    /* R7339-5.3-1: they are asked for a part of all that they send. */
    overload->loss = overload->share;
    if (all > 0)
        overload->loss = (unsigned)(overload->share * theirs_new / all);
}

/* For how long it has been too much, as far as that matters; what is calm for as long is
 * forgotten. */
static void set_lasted(struct ahoy_overload *overload, uint64_t span_ms)
{
    uint64_t lasted_ms = overload->lasted_ms;
    if (overload->gates[AHOY_URGENCY_NEW].binds)
        lasted_ms += span_ms;
    else
        lasted_ms -= lasted_ms < span_ms ? lasted_ms : span_ms;
    overload->lasted_ms = lasted_ms < RETRY_LONG_MS ? (uint32_t)lasted_ms : RETRY_LONG_MS;
}

/* Who is refused costs too, and comes back.  So those who are away are counted, and the more they
 * are, the longer the next are asked to wait: at once, as a second is enough to refuse many.  What
 * has lasted for long may well last as long again. */
static void set_retry(struct ahoy_overload *overload, uint64_t span_ms)
{
    const struct ahoy_gate *gate = &overload->gates[AHOY_URGENCY_NEW];
    overload->away -= (uint32_t)(overload->away * span_ms / overload->retry_ms);
    overload->away += gate->refused;
    if (!gate->binds)
        return;
    uint64_t retry_ms = (uint64_t)overload->away * 1000 * BACK_PART / gate->rate;
    uint32_t most_ms =
        overload->lasted_ms > RETRY_MOST_MS ? overload->lasted_ms : (uint32_t)RETRY_MOST_MS;
    overload->retry_ms = retry_ms < most_ms ? (uint32_t)retry_ms : most_ms;
    if (overload->retry_ms < RETRY_MS)
        overload->retry_ms = RETRY_MS;
}

/* Of datagrams that begin something so many are worth reading as there is room for.  Where nobody
 * chooses, the kernel loses whatever comes when there is none, and with it what calls need that
 * stand: they send it again, and work is spent on what comes to nothing.
 *
 * First callers are told, as many as there is room for: who is refused stays away, who is not heard
 * sends again.  Where it is as loud after a while, they do not heed what they are told; then only
 * so many are heard as can be served, for a longer while. */
static void set_heard(struct ahoy_overload *overload, uint32_t wait_us)
{
    const struct ahoy_gate *gate = &overload->gates[AHOY_URGENCY_NEW];
    bool serves = overload->loud > TELLING_INTERVALS;
    bool less = overload->overflowed ||
                (serves && (wait_us > overload->target_us || gate->refused > gate->let_in));
    unsigned heard = overload->heard;
    heard = less ? heard - heard / HEARD_DOWN : heard + heard / HEARD_UP;
    if (heard < HEARD_LEAST)
        heard = HEARD_LEAST;
    overload->heard = heard < AHOY_OVERLOAD_ALL ? heard : AHOY_OVERLOAD_ALL;
    if (overload->overflowed || overload->heard < AHOY_OVERLOAD_ALL ||
        gate->refused > LOUD_FACTOR * gate->let_in)
        overload->loud = (overload->loud + 1) % (TELLING_INTERVALS + SERVING_INTERVALS);
    else if (overload->loud > TELLING_INTERVALS)
        overload->loud = 0;
    else if (overload->loud > 0)
        overload->loud--; /* A calm interval is no end yet. */
}

static void read_from(struct ahoy_overload_queue *queue, uint32_t waited_us)
{
    queue->messages++;
    if (waited_us < queue->least_us)
        queue->least_us = waited_us;
}

/* The least wait of the interval, in the queue where that is longest. */
static uint32_t least_wait(const struct ahoy_overload *overload)
{
    uint32_t wait_us = overload->all.messages > 0 ? overload->all.least_us : 0;
    for (unsigned i = 0; i < AHOY_OVERLOAD_QUEUES; i++) {
        const struct ahoy_overload_queue *queue = &overload->queues[i];
        if (queue->messages >= QUEUE_LEAST && queue->least_us > wait_us)
            wait_us = queue->least_us;
    }
    return wait_us;
}

static void adjust_new(struct ahoy_overload *overload, uint32_t wait_us, uint64_t span_ms)
{
    struct ahoy_gate *gate = &overload->gates[AHOY_URGENCY_NEW];
    bool has_told = overload->tells;
    overload->tells = overload->heard < AHOY_OVERLOAD_ALL && overload->loud <= TELLING_INTERVALS;
    uint64_t managed = (uint64_t)overload->served * 1000 * UNIT / overload->needed / span_ms;
    if (has_told && !overload->tells)
        managed = gate->best;
    adjust(gate, wait_us, overload->target_us, managed,
           overload->tells ? overload->heard : AHOY_OVERLOAD_ALL);
}

static void end_interval(struct ahoy_overload *overload, uint64_t span_ms)
{
    struct ahoy_gate *gates = overload->gates;
    uint32_t wait_us = least_wait(overload);
    uint32_t target_us = overload->target_us;
    const struct ahoy_gate *kept = &gates[AHOY_URGENCY_KEPT];
    uint32_t came_new = gates[AHOY_URGENCY_NEW].let_in + gates[AHOY_URGENCY_NEW].refused;
    overload->last_us = wait_us;
    /* What the kernel has no room for never waits, but would have. */
    if (overload->overflowed && wait_us < 2 * target_us)
        wait_us = 2 * target_us;
    follow(overload);
    set_lasted(overload, span_ms);
    set_retry(overload, span_ms);
    set_heard(overload, wait_us);
    adjust_new(overload, wait_us, span_ms);
    adjust(&gates[AHOY_URGENCY_KEPT], wait_us, KEPT_FACTOR * target_us,
           (uint64_t)kept->let_in * 1000 / span_ms, AHOY_OVERLOAD_ALL);
    set_loss(overload, came_new, span_ms);
    overload->theirs = overload->theirs_new = overload->served = 0;
    empty_queues(overload);
    overload->overflowed = false;
}

/* A gate holds no more than an interval's worth: whoever reads in bursts needs that much. */
static void fill(struct ahoy_gate *gate, uint64_t span_ms)
{
    int64_t most = (int64_t)gate->rate * AHOY_OVERLOAD_INTERVAL_MS;
    gate->tokens += (int64_t)gate->rate * (int64_t)span_ms;
    if (gate->tokens > most)
        gate->tokens = most;
}

bool ahoy_overload_waited(struct ahoy_overload *overload, unsigned queue, uint32_t waited_us,
                          bool overflowed, uint64_t now_ms)
{
    if (overload->target_us == 0)
        return false;
    uint64_t span_ms = now_ms - overload->begun_ms;
    bool ended = span_ms >= AHOY_OVERLOAD_INTERVAL_MS;
    if (span_ms >= PAUSE_INTERVALS * AHOY_OVERLOAD_INTERVAL_MS)
        reset(overload, now_ms);
    else if (ended)
        end_interval(overload, span_ms);
    if (ended)
        overload->begun_ms = now_ms;
    if (now_ms > overload->filled_ms) {
        for (int i = 0; i < AHOY_URGENCY_COUNT; i++)
            fill(&overload->gates[i], now_ms - overload->filled_ms);
        overload->filled_ms = now_ms;
    }
    overload->waited_us = waited_us;
    read_from(&overload->all, waited_us);
    read_from(&overload->queues[queue % AHOY_OVERLOAD_QUEUES], waited_us);
    overload->overflowed |= overflowed;
    return ended;
}

/* What is let in too late has answers that wait as long, and are sent again meanwhile. */
static bool pass(struct ahoy_gate *gate, bool is_too_late, bool may_borrow)
{
    int64_t least = may_borrow ? -(int64_t)gate->rate * AHOY_OVERLOAD_INTERVAL_MS : 0;
    if (gate->binds && (is_too_late || gate->tokens - 1000 < least)) {
        gate->refused++;
        return false;
    }
    gate->let_in++;
    if (gate->binds)
        gate->tokens -= 1000;
    return true;
}

bool ahoy_overload_admits(struct ahoy_overload *overload, enum ahoy_urgency urgency,
                          bool holds_back)
{
    uint32_t target_us = overload->target_us * (urgency == AHOY_URGENCY_KEPT ? KEPT_FACTOR : 1);
    bool is_too_late = overload->waited_us > target_us + QUOTA_US;
    overload->theirs += holds_back;
    overload->theirs_new += holds_back && urgency == AHOY_URGENCY_NEW;
    if (!pass(&overload->gates[urgency], is_too_late, holds_back))
        return false;
    overload->served++;
    return true;
}

uint64_t ahoy_overload_deadline(const struct ahoy_overload *overload)
{
    return overload->heard < AHOY_OVERLOAD_ALL ? overload->begun_ms + AHOY_OVERLOAD_DEAF_MS
                                               : UINT64_MAX;
}

void ahoy_overload_expire(struct ahoy_overload *overload, uint64_t now_ms)
{
    if (now_ms >= ahoy_overload_deadline(overload))
        overload->heard = AHOY_OVERLOAD_ALL;
}

bool ahoy_overload_binds(const struct ahoy_overload *overload)
{
    return overload->gates[AHOY_URGENCY_NEW].binds;
}

unsigned ahoy_overload_retry_s(const struct ahoy_overload *overload, struct ahoy_rng *rng)
{
    unsigned mean_s = overload->retry_ms / 1000;
    return 1 + (unsigned)ahoy_rng_below(rng, 2 * mean_s - 1);
}
