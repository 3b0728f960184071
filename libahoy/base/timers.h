/* A wheel of timers: set and cancelled in constant time, however many there are.  Time is
 * milliseconds, given by the caller; the wheel never asks a clock. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Lives inside what it wakes; zeroed means not set.  Must not move while it is set. */
struct ahoy_timer {
    struct ahoy_timer *next;
    struct ahoy_timer **link; /* Who points at us; NULL while not set. */
    uint64_t deadline_ms;
    uint64_t what;  /* The owner's: a packed handle, say. */
    uint32_t which; /* The owner's: which of its timers. */
};

enum { AHOY_WHEEL_LEVELS = 6, AHOY_WHEEL_SLOTS = 64 };

/* Level n has slots of 64^n ms: six levels reach 795 days; later deadlines wait in a slot of the
 * last level and are looked at again when it is reached. */
struct ahoy_timers {
    uint64_t now_ms;
    uint64_t quiet_ms;                    /* No slot that is not empty begins before this. */
    uint64_t occupied[AHOY_WHEEL_LEVELS]; /* A bit a slot that is not empty. */
    struct ahoy_timer *slots[AHOY_WHEEL_LEVELS][AHOY_WHEEL_SLOTS];
    struct ahoy_timer *due;  /* Reached, not yet handed out; in the order of their deadlines. */
    struct ahoy_timer *late; /* The one of |due| that was last set, or NULL. */
    uint64_t count;
};

/* An empty wheel, whose time begins with |now_ms|. */
void ahoy_timers_init(struct ahoy_timers *timers, uint64_t now_ms);

/* Sets, or sets anew, |timer| for |deadline_ms|; one in the past is due at once. */
void ahoy_timers_set(struct ahoy_timers *timers, struct ahoy_timer *timer, uint64_t deadline_ms);
/* Nothing happens where it is not set. */
void ahoy_timers_cancel(struct ahoy_timers *timers, struct ahoy_timer *timer);
static inline bool ahoy_timer_is_set(const struct ahoy_timer *timer)
{
    return timer->link != 0;
}

/* Goes on with what ahoy_timers_expire does, where it is not seen at once that none is due. */
struct ahoy_timer *ahoy_timers_expire_next(struct ahoy_timers *timers, uint64_t now_ms);

/* The next timer that is due at |now_ms|, no longer set, or NULL.  Ask until NULL.  Timers come
 * in the order of their deadlines; those of one millisecond in the order in which they were set. */
static inline struct ahoy_timer *ahoy_timers_expire(struct ahoy_timers *timers, uint64_t now_ms)
{
    if (timers->due != 0 || timers->quiet_ms <= now_ms || now_ms < timers->now_ms)
        return ahoy_timers_expire_next(timers, now_ms);
    timers->now_ms = now_ms;
    return 0;
}

/* When to ask again: never later than the first deadline, perhaps earlier; UINT64_MAX for no
 * timer. */
uint64_t ahoy_timers_deadline(const struct ahoy_timers *timers);
