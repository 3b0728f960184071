/* A wheel of timers: set and cancelled in constant time, however many there are.  Time is
 * milliseconds, given by the caller; the wheel never asks a clock. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* A place in a ring; both are NULL outside of any. */
struct ahoy_timer_link {
    struct ahoy_timer_link *next, *last;
};

/* Lives inside what it wakes; zeroed means not set.  Must not move while it is set. */
struct ahoy_timer {
    struct ahoy_timer_link link; /* Of those that wait in the same slot. */
    uint64_t deadline_ms;
    uint64_t what;  /* The owner's: a packed handle, say. */
    uint32_t which; /* The owner's: which of its timers. */
};

enum {
    AHOY_WHEEL_LEVELS = 5,
    AHOY_WHEEL_ROWS = AHOY_WHEEL_LEVELS + 1, /* The second level has two. */
    AHOY_WHEEL_SLOTS = 256,
    AHOY_WHEEL_WORDS = AHOY_WHEEL_SLOTS / 64
};

/* Level n has slots of 256^n ms: five levels reach 34 years; later deadlines wait in a slot of the
 * last level and are looked at again when it is reached.  What is set for at most a minute, as all
 * that SIP waits for, moves once before it is due, and of that no step moves more than 256 ms.
 * Must not move. */
struct ahoy_timers {
    uint64_t now_ms;
    uint64_t quiet_ms; /* No slot that is not empty begins before this. */
    uint64_t count;
    struct ahoy_timer_link due;          /* Reached, not yet handed out, by their deadlines. */
    struct ahoy_timer_link *late;        /* The one of |due| that was last set, or NULL. */
    const struct ahoy_timer_link *ahead; /* Of the slot that moves next; NULL: all were fetched. */
    uint64_t occupied[AHOY_WHEEL_ROWS][AHOY_WHEEL_WORDS]; /* A bit a slot that is not empty. */
    struct ahoy_timer_link slots[AHOY_WHEEL_ROWS][AHOY_WHEEL_SLOTS];
};

/* An empty wheel, whose time begins with |now_ms|. */
void ahoy_timers_init(struct ahoy_timers *timers, uint64_t now_ms);

/* Sets, or sets anew, |timer| for |deadline_ms|; one in the past is due at once. */
void ahoy_timers_set(struct ahoy_timers *timers, struct ahoy_timer *timer, uint64_t deadline_ms);
/* Nothing happens where it is not set. */
void ahoy_timers_cancel(struct ahoy_timers *timers, struct ahoy_timer *timer);
static inline bool ahoy_timer_is_set(const struct ahoy_timer *timer)
{
    return timer->link.next != 0;
}

/* Goes on with what ahoy_timers_expire does, where it is not seen at once that none is due. */
struct ahoy_timer *ahoy_timers_expire_next(struct ahoy_timers *timers, uint64_t now_ms);

/* The next timer that is due at |now_ms|, no longer set, or NULL.  Ask until NULL.  Timers come
 * in the order of their deadlines; those of one millisecond in the order in which they were set. */
static inline struct ahoy_timer *ahoy_timers_expire(struct ahoy_timers *timers, uint64_t now_ms)
{
    if (timers->due.next != &timers->due || timers->quiet_ms <= now_ms || now_ms < timers->now_ms)
        return ahoy_timers_expire_next(timers, now_ms);
    timers->now_ms = now_ms;
    return 0;
}

/* The one that ahoy_timers_expire will give next, if that is known by now, or NULL. */
static inline const struct ahoy_timer *ahoy_timers_coming(const struct ahoy_timers *timers)
{
    return timers->due.next != &timers->due ? (const struct ahoy_timer *)timers->due.next : 0;
}

/* When to ask again: never later than the first deadline, perhaps earlier; UINT64_MAX for no
 * timer. */
uint64_t ahoy_timers_deadline(const struct ahoy_timers *timers);
