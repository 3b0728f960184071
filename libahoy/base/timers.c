/* A hierarchical wheel of timers (Varghese and Lauck, 1987).
 *
 * Time is read as digits of six bits.  A timer lies on the level of the highest digit in which
 * its deadline differs from |now_ms|, in the slot of the deadline's digit there; so a slot of
 * level 0 is one millisecond.  Three things follow, on which the rest leans:
 *
 * - Every occupied slot of a level lies ahead of now's digit there (level 0: at it or ahead), so
 *   the first occupied one of the lowest occupied level holds the earliest timers.
 * - Timers of one deadline always lie in one list, and a list is kept newest first: so turning it
 *   round when it is emptied gives them back in the order in which they were set, however often
 *   they have moved down.
 * - The first slot of the last level never holds a deadline within its reach: those beyond wait
 *   there, until that digit turns to 0 again. */
#include "libahoy/base/timers.h"

#include <stddef.h>

enum {
    DIGIT_BITS = 6,
    LAST_LEVEL = AHOY_WHEEL_LEVELS - 1,
    REACH_BITS = AHOY_WHEEL_LEVELS * DIGIT_BITS
};

_Static_assert(1 << DIGIT_BITS == AHOY_WHEEL_SLOTS, "a digit names a slot");

struct place {
    unsigned level;
    unsigned slot;
};

static unsigned digit(uint64_t time_ms, unsigned level)
{
    return time_ms >> (level * DIGIT_BITS) & (AHOY_WHEEL_SLOTS - 1);
}

void ahoy_timers_init(struct ahoy_timers *timers, uint64_t now_ms)
{
    *timers = (struct ahoy_timers){ .now_ms = now_ms };
}

static void link_in(struct ahoy_timer **link, struct ahoy_timer *timer)
{
    timer->next = *link;
    timer->link = link;
    if (timer->next != NULL)
        timer->next->link = &timer->next;
    *link = timer;
}

/* Puts |timer|, whose deadline is not before now, where it belongs. */
static void put(struct ahoy_timers *timers, struct ahoy_timer *timer)
{
    uint64_t differs = timer->deadline_ms ^ timers->now_ms;
    unsigned level = differs == 0 ? 0 : (63 - (unsigned)__builtin_clzll(differs)) / DIGIT_BITS;
    unsigned slot = level > LAST_LEVEL ? 0 : digit(timer->deadline_ms, level);
    uint64_t start_ms = timers->now_ms;
    if (level > LAST_LEVEL)
        level = LAST_LEVEL;
    else
        start_ms = timer->deadline_ms >> level * DIGIT_BITS << level * DIGIT_BITS;
    timers->occupied[level] |= UINT64_C(1) << slot;
    if (start_ms < timers->quiet_ms)
        timers->quiet_ms = start_ms;
    link_in(&timers->slots[level][slot], timer);
}

/* Puts |timer|, whose deadline is past, among those that are due.  The walk begins at the last
 * one that came this way if it can: so however many are set for 0 or for one past time, each
 * takes one step. */
static void put_due(struct ahoy_timers *timers, struct ahoy_timer *timer)
{
    struct ahoy_timer **link = &timers->due;
    if (timers->late != NULL && timers->late->deadline_ms <= timer->deadline_ms)
        link = &timers->late->next;
    while (*link != NULL && (*link)->deadline_ms <= timer->deadline_ms)
        link = &(*link)->next;
    link_in(link, timer);
    timers->late = timer;
}

void ahoy_timers_set(struct ahoy_timers *timers, struct ahoy_timer *timer, uint64_t deadline_ms)
{
    ahoy_timers_cancel(timers, timer);
    timer->deadline_ms = deadline_ms;
    timers->count++;
    if (deadline_ms < timers->now_ms)
        put_due(timers, timer);
    else
        put(timers, timer);
}

/* Notes that |link| leads nowhere, where it is the head of a slot. */
static void note_empty(struct ahoy_timers *timers, struct ahoy_timer **link)
{
    uintptr_t first = (uintptr_t)&timers->slots[0][0];
    uintptr_t at = (uintptr_t)link;
    if (at < first || at - first >= sizeof timers->slots)
        return;
    size_t index = (at - first) / sizeof *link;
    timers->occupied[index / AHOY_WHEEL_SLOTS] &= ~(UINT64_C(1) << index % AHOY_WHEEL_SLOTS);
}

void ahoy_timers_cancel(struct ahoy_timers *timers, struct ahoy_timer *timer)
{
    if (timer->link == NULL)
        return;
    *timer->link = timer->next;
    if (timer->next != NULL)
        timer->next->link = timer->link;
    else
        note_empty(timers, timer->link);
    if (timers->late == timer)
        timers->late = NULL;
    timer->next = NULL;
    timer->link = NULL;
    timers->count--;
}

/* Finds the slot of the earliest timers of the wheel and when it begins; false where there are
 * none. */
static bool earliest(const struct ahoy_timers *timers, struct place *place, uint64_t *start_ms)
{
    for (unsigned level = 0; level < AHOY_WHEEL_LEVELS; level++) {
        unsigned now = digit(timers->now_ms, level);
        uint64_t ahead = timers->occupied[level] >> now << now;
        if (level == LAST_LEVEL)
            ahead &= ~UINT64_C(1);
        if (ahead == 0)
            continue;
        unsigned slot = (unsigned)__builtin_ctzll(ahead);
        unsigned shift = level * DIGIT_BITS;
        *place = (struct place){ level, slot };
        *start_ms = (timers->now_ms >> shift >> DIGIT_BITS << DIGIT_BITS | slot) << shift;
        return true;
    }
    if ((timers->occupied[LAST_LEVEL] & 1) == 0)
        return false;
    *place = (struct place){ LAST_LEVEL, 0 };
    *start_ms = ((timers->now_ms >> REACH_BITS) + 1) << REACH_BITS;
    return true;
}

/* Empties the slot at |place| and returns its timers, the oldest first.  They are linked by
 * |next| alone. |first_ms| becomes the earliest of their deadlines. */
static struct ahoy_timer *empty(struct ahoy_timers *timers, struct place place, uint64_t *first_ms)
{
    struct ahoy_timer *from = timers->slots[place.level][place.slot];
    struct ahoy_timer *turned = NULL;
    timers->slots[place.level][place.slot] = NULL;
    timers->occupied[place.level] &= ~(UINT64_C(1) << place.slot);
    *first_ms = UINT64_MAX;
    while (from != NULL) {
        struct ahoy_timer *next = from->next;
        if (from->deadline_ms < *first_ms)
            *first_ms = from->deadline_ms;
        from->next = turned;
        turned = from;
        from = next;
    }
    return turned;
}

/* Goes to the first deadline in the slot at |place|, which holds the earliest timers, or to
 * |now_ms| if that is before it, and puts the slot's timers where they belong then.  Nothing
 * lies in between. */
static void go_to(struct ahoy_timers *timers, struct place place, uint64_t now_ms)
{
    uint64_t first_ms;
    struct ahoy_timer *timer = empty(timers, place, &first_ms);
    timers->now_ms = first_ms < now_ms ? first_ms : now_ms;
    while (timer != NULL) {
        struct ahoy_timer *next = timer->next;
        put(timers, timer);
        timer = next;
    }
}

/* Makes due what lies in |slot| of level 0, all of which has this one deadline. */
static void fall_due(struct ahoy_timers *timers, struct place place)
{
    struct ahoy_timer **link = &timers->due;
    *link = empty(timers, place, &timers->now_ms);
    for (; *link != NULL; link = &(*link)->next)
        (*link)->link = link;
}

/* Whether the slot of the earliest timers has begun at |now_ms|.  Most ask too early, and are told
 * without a look at the wheel. */
static bool has_begun(struct ahoy_timers *timers, uint64_t now_ms, struct place *place)
{
    if (timers->quiet_ms > now_ms)
        return false;
    if (!earliest(timers, place, &timers->quiet_ms)) {
        timers->quiet_ms = UINT64_MAX;
        return false;
    }
    return timers->quiet_ms <= now_ms;
}

struct ahoy_timer *ahoy_timers_expire_next(struct ahoy_timers *timers, uint64_t now_ms)
{
    if (now_ms < timers->now_ms)
        now_ms = timers->now_ms;
    while (timers->due == NULL) {
        struct place place;
        if (!has_begun(timers, now_ms, &place)) {
            timers->now_ms = now_ms;
            return NULL;
        }
        if (place.level == 0)
            fall_due(timers, place);
        else
            go_to(timers, place, now_ms);
    }
    struct ahoy_timer *timer = timers->due;
    ahoy_timers_cancel(timers, timer);
    return timer;
}

uint64_t ahoy_timers_deadline(const struct ahoy_timers *timers)
{
    struct place place;
    uint64_t start_ms;
    if (timers->due != NULL)
        return timers->due->deadline_ms;
    return earliest(timers, &place, &start_ms) ? start_ms : UINT64_MAX;
}
