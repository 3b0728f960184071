/* A hierarchical wheel of timers (Varghese and Lauck, 1987).
 *
 * Time is read as digits of eight bits.  The lowest two name a millisecond within a block of 256,
 * and a block within a window of 65,536; the others number the windows.
 *
 * What is due in this block lies in row 0, in the slot of its millisecond.  What is due later in
 * this window or in the next one lies in the slot of its block, in row 1 or 2, as the window's
 * number is even or odd.  All else lies on the level of the highest digit in which its window
 * differs from the next one, in the slot of its own digit there.  So those levels are one window
 * ahead of the time, and what lies there comes down while nobody waits for it; with one row of
 * blocks for each 65 seconds all that is set for longer than the rest of them would move at once.
 *
 * Four things follow, on which the rest leans:
 *
 * - Every occupied slot of a level lies ahead of now's digit there (level 0: at it or ahead; the
 *   last levels: of the next window's digit), so the first occupied one of the lowest occupied
 *   level holds the earliest timers; but what moves into the row of blocks that has become free
 *   does so before anything of the window that has begun.
 * - When it moves that row is empty, as no block of the window before is left.
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
    WINDOW_BITS = 2 * DIGIT_BITS,
    BLOCK_ROW = 1,                         /* Of even windows; the next one is of odd ones. */
    FAR_ROW = 3,                           /* The first of those that differ in their window. */
    FAR_LAST = AHOY_WHEEL_ROWS - FAR_ROW - 1, /* Counted from there. */
    FAR_BITS = (FAR_LAST + 1) * DIGIT_BITS
};

_Static_assert(1 << DIGIT_BITS == AHOY_WHEEL_SLOTS, "a digit names a slot");

struct place {
    unsigned row;
    unsigned slot;
};

/* One of the digits of |number|, which is a time or a window. */
static unsigned digit(uint64_t number, unsigned place)
{
    return number >> (place * DIGIT_BITS) & (AHOY_WHEEL_SLOTS - 1);
}

/* When the row of |window|'s blocks begins to take in what lies farther away. */
static uint64_t opening_ms(uint64_t window)
{
    return (window - 1) << WINDOW_BITS;
}

static unsigned block_row(uint64_t window)
{
    return BLOCK_ROW + (unsigned)(window & 1);
}

static void make_empty(struct ahoy_timer_link *ring)
{
    *ring = (struct ahoy_timer_link){ ring, ring };
}

void ahoy_timers_init(struct ahoy_timers *timers, uint64_t now_ms)
{
    *timers = (struct ahoy_timers){ .now_ms = now_ms };
    make_empty(&timers->due);
    for (unsigned row = 0; row < AHOY_WHEEL_ROWS; row++) {
        for (unsigned slot = 0; slot < AHOY_WHEEL_SLOTS; slot++)
            make_empty(&timers->slots[row][slot]);
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

static void clear_slot(struct ahoy_timers *timers, size_t row, size_t slot)
{
    timers->occupied[row][slot / WORD_BITS] &= ~(UINT64_C(1) << slot % WORD_BITS);
}

/* The first slot of |row| from |slot| on that is not empty; AHOY_WHEEL_SLOTS where all are. */
static unsigned next_slot(const struct ahoy_timers *timers, unsigned row, unsigned slot)
{
    const uint64_t *words = timers->occupied[row];
    unsigned bit = slot % WORD_BITS;
    for (unsigned i = slot / WORD_BITS; i < AHOY_WHEEL_WORDS; i++, bit = 0) {
        uint64_t ahead = words[i] >> bit << bit;
        if (ahead != 0)
            return i * WORD_BITS + (unsigned)__builtin_ctzll(ahead);
    }
    return AHOY_WHEEL_SLOTS;
}

/* Where what is due in |window|, behind the next one, lies, and when it moves. */
static struct place far_place(const struct ahoy_timers *timers, uint64_t window, uint64_t *start_ms)
{
    uint64_t next = (timers->now_ms >> WINDOW_BITS) + 1;
    unsigned level = (63 - (unsigned)__builtin_clzll(window ^ next)) / DIGIT_BITS;
    if (level > FAR_LAST) {
        *start_ms = timers->now_ms; /* Nobody knows yet. */
        return (struct place){ FAR_ROW + FAR_LAST, 0 };
    }
    *start_ms = opening_ms(window >> level * DIGIT_BITS << level * DIGIT_BITS);
    return (struct place){ FAR_ROW + level, digit(window, level) };
}

/* Puts |timer|, whose deadline is not before now, where it belongs. */
static void put(struct ahoy_timers *timers, struct ahoy_timer *timer)
{
    uint64_t deadline_ms = timer->deadline_ms, start_ms = deadline_ms;
    uint64_t window = deadline_ms >> WINDOW_BITS;
    struct place place = { 0, digit(deadline_ms, 0) };
    if (window - (timers->now_ms >> WINDOW_BITS) > 1) {
        place = far_place(timers, window, &start_ms);
    } else if ((deadline_ms ^ timers->now_ms) >> DIGIT_BITS != 0) {
        place = (struct place){ block_row(window), digit(deadline_ms, 1) };
        start_ms = deadline_ms >> DIGIT_BITS << DIGIT_BITS;
    }
    struct ahoy_timer_link *ring = &timers->slots[place.row][place.slot];
    timers->occupied[place.row][place.slot / WORD_BITS] |= UINT64_C(1) << place.slot % WORD_BITS;
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

/* Finds the block of the earliest timers in this window and the next, and when it begins; false
 * where there is none. */
static bool earliest_block(const struct ahoy_timers *timers, struct place *place,
                           uint64_t *start_ms)
{
    uint64_t window = timers->now_ms >> WINDOW_BITS;
    unsigned from = digit(timers->now_ms, 1);
    for (unsigned i = 0; i < 2; i++, window++, from = 0) {
        unsigned row = block_row(window), slot = next_slot(timers, row, from);
        if (slot == AHOY_WHEEL_SLOTS)
            continue;
        *place = (struct place){ row, slot };
        *start_ms = (window << DIGIT_BITS | slot) << DIGIT_BITS;
        return true;
    }
    return false;
}

/* The same of the slots behind these windows, and of when it moves. */
static bool earliest_far(const struct ahoy_timers *timers, struct place *place, uint64_t *start_ms)
{
    uint64_t next = (timers->now_ms >> WINDOW_BITS) + 1;
    for (unsigned level = 0; level <= FAR_LAST; level++) {
        unsigned now = digit(next, level), row = FAR_ROW + level;
        unsigned slot = next_slot(timers, row, level == FAR_LAST && now == 0 ? 1 : now);
        if (slot == AHOY_WHEEL_SLOTS)
            continue;
        unsigned shift = level * DIGIT_BITS;
        *place = (struct place){ row, slot };
        *start_ms = opening_ms((next >> shift >> DIGIT_BITS << DIGIT_BITS | slot) << shift);
        return true;
    }
    *place = (struct place){ FAR_ROW + FAR_LAST, 0 };
    *start_ms = opening_ms(((next >> FAR_BITS) + 1) << FAR_BITS);
    return (timers->occupied[place->row][0] & 1) != 0;
}

/* Finds the slot of the earliest timers of the wheel and when it begins or moves; false where there
 * are none. */
static bool earliest(const struct ahoy_timers *timers, struct place *place, uint64_t *start_ms)
{
    unsigned slot = next_slot(timers, 0, digit(timers->now_ms, 0));
    if (slot < AHOY_WHEEL_SLOTS) {
        *place = (struct place){ 0, slot };
        *start_ms = timers->now_ms >> DIGIT_BITS << DIGIT_BITS | slot;
        return true;
    }
    struct place far;
    uint64_t far_ms;
    bool is_near = earliest_block(timers, place, start_ms);
    if (!earliest_far(timers, &far, &far_ms) || (is_near && *start_ms < far_ms))
        return is_near;
    *place = far;
    *start_ms = far_ms;
    return true;
}

/* Puts what lies in the slot at |place|, which begins or moves at |start_ms|, where it belongs
 * then; nothing is due before. */
static void go_to(struct ahoy_timers *timers, struct place place, uint64_t start_ms)
{
    struct ahoy_timer_link *ring = &timers->slots[place.row][place.slot];
    struct ahoy_timer_link *link = ring->next;
    make_empty(ring);
    clear_slot(timers, place.row, place.slot);
    timers->now_ms = start_ms;
    while (link != ring) {
        struct ahoy_timer *timer = timer_of(link);
        link = link->next;
        put(timers, timer);
    }
    if (place.row < FAR_ROW) /* The block behind it is the next to move. */
        timers->ahead = place.slot + 1 < AHOY_WHEEL_SLOTS ? ring + 1 : NULL;
}

/* Makes due what lies in a slot of row 0, all of which has the one deadline |start_ms|. */
static void fall_due(struct ahoy_timers *timers, struct place place, uint64_t start_ms)
{
    struct ahoy_timer_link *ring = &timers->slots[place.row][place.slot];
    timers->due = *ring;
    timers->due.next->last = timers->due.last->next = &timers->due;
    make_empty(ring);
    clear_slot(timers, place.row, place.slot);
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
        if (place.row == 0)
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
