/* A hierarchical wheel of timers (Varghese and Lauck, 1987).
 *
 * Time is read as digits of eight bits.  A timer lies on the level of the highest digit in which
 * its deadline differs from |now_ms|, in the slot of the deadline's digit there; so a slot of
 * level 0 is one millisecond.  Three things follow, on which the rest leans:
 *
 * - Every occupied slot of a level lies ahead of now's digit there (level 0: at it or ahead), so
 *   the first occupied one of the lowest occupied level holds the earliest timers.
 * - Timers of one deadline always lie in one slot, which is a ring with the slot's link between
 *   the newest and the oldest: so they come in the order in which they were set, however often they
 *   have moved down.
 * - The first slot of the last level never holds a deadline within its reach: those beyond wait
 *   there, until that digit turns to 0 again.
 *
 * A timer lies where nobody has looked for as long as it was set, so each step of a walk along a
 * ring waits for memory.  Hence nothing is touched before it is its turn, and what moves next is
 * walked along by and by beforehand. */
#include "libahoy/base/timers.h"

#include <stddef.h>

enum {
    DIGIT_BITS = 8,
    WORD_BITS = 64,
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

static void make_empty(struct ahoy_timer_link *ring)
{
    *ring = (struct ahoy_timer_link){ ring, ring };
}

void ahoy_timers_init(struct ahoy_timers *timers, uint64_t now_ms)
{
    *timers = (struct ahoy_timers){ .now_ms = now_ms };
    make_empty(&timers->due);
    for (unsigned level = 0; level < AHOY_WHEEL_LEVELS; level++) {
        for (unsigned slot = 0; slot < AHOY_WHEEL_SLOTS; slot++)
            make_empty(&timers->slots[level][slot]);
    }
}

static struct ahoy_timer *timer_of(struct ahoy_timer_link *link)
{
    return (struct ahoy_timer *)link; /* It is the first thing there. */
}

static void put_behind(struct ahoy_timer_link *last, struct ahoy_timer_link *link)
{
    *link = (struct ahoy_timer_link){ .next = last->next, .last = last };
    last->next->last = link;
    last->next = link;
}

/* Whether |link| is that of a slot, and so the end of its ring. */
static bool is_slot(const struct ahoy_timers *timers, const struct ahoy_timer_link *link)
{
    uintptr_t first = (uintptr_t)&timers->slots[0][0];
    return (uintptr_t)link - first < sizeof timers->slots;
}

static void clear_slot(struct ahoy_timers *timers, size_t level, size_t slot)
{
    timers->occupied[level][slot / WORD_BITS] &= ~(UINT64_C(1) << slot % WORD_BITS);
}

/* The first slot of |level| from |slot| on that is not empty; AHOY_WHEEL_SLOTS where all are. */
static unsigned next_slot(const struct ahoy_timers *timers, unsigned level, unsigned slot)
{
    const uint64_t *words = timers->occupied[level];
    unsigned bit = slot % WORD_BITS;
    for (unsigned i = slot / WORD_BITS; i < AHOY_WHEEL_WORDS; i++, bit = 0) {
        uint64_t ahead = words[i] >> bit << bit;
        if (ahead != 0)
            return i * WORD_BITS + (unsigned)__builtin_ctzll(ahead);
    }
    return AHOY_WHEEL_SLOTS;
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
    struct ahoy_timer_link *ring = &timers->slots[level][slot];
    timers->occupied[level][slot / WORD_BITS] |= UINT64_C(1) << slot % WORD_BITS;
    if (start_ms < timers->quiet_ms)
        timers->quiet_ms = start_ms;
    put_behind(ring->last, &timer->link);
}

/* Puts |timer|, whose deadline is past, among those that are due.  The walk begins at the last
 * one that came this way if it can: so however many are set for 0 or for one past time, each
 * takes one step. */
static void put_due(struct ahoy_timers *timers, struct ahoy_timer *timer)
{
    struct ahoy_timer_link *last = &timers->due;
    if (timers->late != NULL && timer_of(timers->late)->deadline_ms <= timer->deadline_ms)
        last = timers->late;
    while (last->next != &timers->due && timer_of(last->next)->deadline_ms <= timer->deadline_ms)
        last = last->next;
    put_behind(last, &timer->link);
    timers->late = &timer->link;
}

/* Fetches the next of those that move next. */
static void look_ahead(struct ahoy_timers *timers)
{
    if (timers->ahead == NULL)
        return;
    timers->ahead = is_slot(timers, timers->ahead->next) ? NULL : timers->ahead->next;
    __builtin_prefetch(timers->ahead, 1);
}

void ahoy_timers_set(struct ahoy_timers *timers, struct ahoy_timer *timer, uint64_t deadline_ms)
{
    ahoy_timers_cancel(timers, timer);
    timer->deadline_ms = deadline_ms;
    timers->count++;
    look_ahead(timers);
    if (deadline_ms < timers->now_ms)
        put_due(timers, timer);
    else
        put(timers, timer);
}

void ahoy_timers_cancel(struct ahoy_timers *timers, struct ahoy_timer *timer)
{
    struct ahoy_timer_link link = timer->link;
    if (link.next == NULL)
        return;
    if (timers->late == &timer->link)
        timers->late = NULL;
    if (timers->ahead == &timer->link)
        look_ahead(timers);
    link.last->next = link.next;
    link.next->last = link.last;
    if (link.next == link.last && is_slot(timers, link.next)) {
        size_t index = (size_t)(link.next - &timers->slots[0][0]);
        clear_slot(timers, index / AHOY_WHEEL_SLOTS, index % AHOY_WHEEL_SLOTS);
    }
    timer->link = (struct ahoy_timer_link){ NULL, NULL };
    timers->count--;
}

/* Finds the slot of the earliest timers of the wheel and when it begins; false where there are
 * none. */
static bool earliest(const struct ahoy_timers *timers, struct place *place, uint64_t *start_ms)
{
    for (unsigned level = 0; level < AHOY_WHEEL_LEVELS; level++) {
        unsigned now = digit(timers->now_ms, level);
        unsigned slot = next_slot(timers, level, level == LAST_LEVEL && now == 0 ? 1 : now);
        if (slot == AHOY_WHEEL_SLOTS)
            continue;
        unsigned shift = level * DIGIT_BITS;
        *place = (struct place){ level, slot };
        *start_ms = (timers->now_ms >> shift >> DIGIT_BITS << DIGIT_BITS | slot) << shift;
        return true;
    }
    if ((timers->occupied[LAST_LEVEL][0] & 1) == 0)
        return false;
    *place = (struct place){ LAST_LEVEL, 0 };
    *start_ms = ((timers->now_ms >> REACH_BITS) + 1) << REACH_BITS;
    return true;
}

/* Puts what lies in the slot at |place|, which begins at |start_ms|, where it belongs then; nothing
 * is due before. */
static void go_to(struct ahoy_timers *timers, struct place place, uint64_t start_ms)
{
    struct ahoy_timer_link *ring = &timers->slots[place.level][place.slot];
    struct ahoy_timer_link *link = ring->next;
    make_empty(ring);
    clear_slot(timers, place.level, place.slot);
    timers->now_ms = start_ms;
    while (link != ring) {
        struct ahoy_timer *timer = timer_of(link);
        link = link->next;
        put(timers, timer);
    }
    timers->ahead = place.slot + 1 < AHOY_WHEEL_SLOTS ? ring + 1 : NULL;
}

/* Makes due what lies in |slot| of level 0, all of which has the one deadline |start_ms|. */
static void fall_due(struct ahoy_timers *timers, struct place place, uint64_t start_ms)
{
    struct ahoy_timer_link *ring = &timers->slots[place.level][place.slot];
    timers->due = *ring;
    timers->due.next->last = timers->due.last->next = &timers->due;
    make_empty(ring);
    clear_slot(timers, place.level, place.slot);
    timers->now_ms = start_ms;
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
    while (timers->due.next == &timers->due) {
        struct place place;
        if (!has_begun(timers, now_ms, &place)) {
            timers->now_ms = now_ms;
            return NULL;
        }
        if (place.level == 0)
            fall_due(timers, place, timers->quiet_ms);
        else
            go_to(timers, place, timers->quiet_ms);
    }
    struct ahoy_timer *timer = timer_of(timers->due.next);
    ahoy_timers_cancel(timers, timer);
    __builtin_prefetch(timers->due.next->next, 1); /* The next one is at hand. */
    return timer;
}

uint64_t ahoy_timers_deadline(const struct ahoy_timers *timers)
{
    struct place place;
    uint64_t start_ms;
    const struct ahoy_timer *coming = ahoy_timers_coming(timers);
    if (coming != NULL)
        return coming->deadline_ms;
    return earliest(timers, &place, &start_ms) ? start_ms : UINT64_MAX;
}
