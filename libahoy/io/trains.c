/* Making up trains: for each peer, the longest message that may leave next leads, whatever is near
 * enough to it in size follows in the order in which it came, and one that is shorter by more may
 * be the last. */
#include "libahoy/io/trains.h"

#include <assert.h>

enum { NONE = 255, TABLE_BITS = 7 };

/* What waits for one peer. */
struct yard {
    struct ahoy_wagon *wagons; /* Of all peers. */
    uint8_t *waiting;          /* Indices of those that are left, oldest first. */
    unsigned count;
    unsigned padding;
    unsigned segment_limit;
    const uint8_t *before; /* By wagon: the one of its call that leaves before it, or NONE. */
    bool *gone;            /* By wagon. */
};

/* A train that is being made up. */
struct coupling {
    struct ahoy_trains *trains;
    struct ahoy_train *train;
    size_t longest, shortest;
    bool rigid; /* There is one that cannot grow. */
};

static bool may_leave(const struct yard *yard, unsigned wagon)
{
    uint8_t before = yard->before[wagon];
    return !yard->gone[wagon] && (before == NONE || yard->gone[before]);
}

static void append(struct yard *yard, struct coupling *coupling, unsigned wagon)
{
    const struct ahoy_wagon *added = &yard->wagons[wagon];
    size_t size = added->bytes.size;
    coupling->trains->order[coupling->train->first + coupling->train->count++] = (uint8_t)wagon;
    yard->gone[wagon] = true;
    coupling->longest = size > coupling->longest ? size : coupling->longest;
    coupling->shortest = size < coupling->shortest ? size : coupling->shortest;
    coupling->rigid = coupling->rigid || added->glance.gap == 0;
}

/* Whether there is room for one more, where each takes |segment|. */
static bool has_room(const struct coupling *coupling, size_t segment)
{
    unsigned count = coupling->train->count;
    return count < AHOY_TRAIN_LIMIT && (count + 1) * segment <= AHOY_TRAIN_SIZE_LIMIT;
}

/* Whether |wagon| and all that are coupled can be made equally long. */
static bool is_near(const struct yard *yard, const struct coupling *coupling, unsigned wagon)
{
    size_t size = yard->wagons[wagon].bytes.size;
    size_t longest = size > coupling->longest ? size : coupling->longest;
    size_t shortest = size < coupling->shortest ? size : coupling->shortest;
    if (longest > yard->segment_limit || longest - shortest > yard->padding)
        return false;
    if ((coupling->rigid && longest > coupling->longest) ||
        (yard->wagons[wagon].glance.gap == 0 && longest > size))
        return false;
    return has_room(coupling, longest);
}

/* The longest that may leave, of no more than |limit| bytes; NONE where there is none. */
static unsigned find_longest(const struct yard *yard, size_t limit)
{
    unsigned found = NONE;
    for (unsigned i = 0; i < yard->count; i++) {
        unsigned wagon = yard->waiting[i];
        size_t size = yard->wagons[wagon].bytes.size;
        if (may_leave(yard, wagon) && size <= limit &&
            (found == NONE || size > yard->wagons[found].bytes.size))
            found = wagon;
    }
    return found;
}

static void forget_gone(struct yard *yard)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < yard->count; i++) {
        if (!yard->gone[yard->waiting[i]])
            yard->waiting[kept++] = yard->waiting[i];
    }
    yard->count = kept;
}

/* Makes up the next train of |yard|, which begins at |first| of the order. */
static void couple(struct yard *yard, struct ahoy_trains *trains, unsigned first)
{
    struct ahoy_train *train = &trains->list[trains->count++];
    *train = (struct ahoy_train){ .first = (uint8_t)first };
    struct coupling coupling = { .trains = trains, .train = train, .shortest = SIZE_MAX };
    append(yard, &coupling, find_longest(yard, SIZE_MAX));
    if (coupling.longest > 0 && coupling.longest <= yard->segment_limit) {
        for (unsigned i = 0; i < yard->count; i++) {
            unsigned wagon = yard->waiting[i];
            if (may_leave(yard, wagon) && is_near(yard, &coupling, wagon))
                append(yard, &coupling, wagon);
        }
        size_t segment = coupling.longest;
        unsigned last = has_room(&coupling, segment) ? find_longest(yard, segment) : NONE;
        if (last != NONE && yard->wagons[last].bytes.size > 0)
            append(yard, &coupling, last);
        train->segment = train->count > 1 ? (uint16_t)segment : 0;
    }
    forget_gone(yard);
}

/* Looks into each wagon of |yard| and links those of one call, by a small table of calls: for each
 * the wagon that came last, and from it on those that came before. */
static void link_calls(const struct yard *yard, uint8_t *before)
{
    uint8_t last[1 << TABLE_BITS];
    uint8_t next[AHOY_OUT_LIMIT];
    memset(last, NONE, sizeof last);
    for (unsigned i = 0; i < yard->count; i++) {
        uint8_t index = yard->waiting[i];
        struct ahoy_wagon *wagon = &yard->wagons[index];
        ahoy_glance(wagon->bytes, &wagon->glance);
        uint8_t *entry = &last[wagon->glance.call >> (32 - TABLE_BITS)];
        uint8_t earlier = *entry;
        while (earlier != NONE && yard->wagons[earlier].glance.call != wagon->glance.call)
            earlier = next[earlier];
        before[index] = earlier;
        next[index] = *entry;
        *entry = index;
    }
}

/* All of |yard|, one by one, as they came. */
static void leave_alone(struct yard *yard, struct ahoy_trains *trains, unsigned first)
{
    for (unsigned i = 0; i < yard->count; i++) {
        trains->order[first + i] = yard->waiting[i];
        trains->list[trains->count++] =
            (struct ahoy_train){ .first = (uint8_t)(first + i), .count = 1 };
    }
    yard->count = 0;
}

/* Sorts the indices of |wagons| by peer; those of |peer| end before ends[peer]. */
static void sort_by_peer(const struct ahoy_wagon *wagons, unsigned count, unsigned peer_count,
                         uint8_t *sorted, uint8_t *ends)
{
    memset(ends, 0, peer_count);
    for (unsigned i = 0; i < count; i++)
        ends[wagons[i].peer]++;
    for (unsigned peer = 1; peer < peer_count; peer++)
        ends[peer] = (uint8_t)(ends[peer] + ends[peer - 1]);
    for (unsigned i = count; i > 0; i--)
        sorted[--ends[wagons[i - 1].peer]] = (uint8_t)(i - 1);
    /* Each now tells where its own begin, which is where those before it end. */
    memmove(ends, ends + 1, peer_count - 1);
    ends[peer_count - 1] = (uint8_t)count;
}

void ahoy_trains_plan(struct ahoy_trains *trains, struct ahoy_wagon *wagons, unsigned count,
                      const struct ahoy_trains_options *options)
{
    assert(count <= AHOY_OUT_LIMIT && options->peer_count <= AHOY_OUT_LIMIT);
    trains->count = 0;
    if (count == 0)
        return;
    uint8_t sorted[AHOY_OUT_LIMIT];
    uint8_t ends[AHOY_OUT_LIMIT];
    uint8_t before[AHOY_OUT_LIMIT];
    bool gone[AHOY_OUT_LIMIT] = { false };
    sort_by_peer(wagons, count, options->peer_count, sorted, ends);
    for (unsigned peer = 0, first = 0; peer < options->peer_count; first = ends[peer++]) {
        struct yard yard = { .wagons = wagons,
                             .waiting = sorted + first,
                             .count = ends[peer] - first,
                             .padding = options->padding,
                             .segment_limit = options->segment[peer],
                             .before = before,
                             .gone = gone };
        if (yard.count < 2 || yard.segment_limit == 0) {
            leave_alone(&yard, trains, first);
            continue;
        }
        link_calls(&yard, before);
        for (unsigned next = first; yard.count > 0; next = ends[peer] - yard.count)
            couple(&yard, trains, next);
    }
}
