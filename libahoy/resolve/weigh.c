/* The RFC has those of weight 0 stand in front and a random number from 0 on, so that they are
 * rarely chosen.  It leaves open which of several; here chance decides.  Where there are none, the
 * number begins with 1, so that each of the others is chosen just as often as its weight says. */
#include "libahoy/resolve/weigh.h"

#include <assert.h>

/* Those of the lowest priority. */
struct group {
    uint16_t priority;
    size_t weightless;
    uint64_t sum;
};

static struct group lowest_group(const struct ahoy_choice *list, size_t count)
{
    struct group group = { .priority = UINT16_MAX };
    for (size_t i = 0; i < count; i++) {
        if (list[i].priority < group.priority)
            group.priority = list[i].priority;
    }
    for (size_t i = 0; i < count; i++) {
        if (list[i].priority != group.priority)
            continue;
        group.sum += list[i].weight;
        group.weightless += list[i].weight == 0;
    }
    return group;
}

/* The one of |group| without weight that has |before| of its like before it. */
static size_t find_weightless(const struct ahoy_choice *list, const struct group *group,
                              uint64_t before)
{
    size_t at = 0;
    for (;; at++) {
        if (list[at].priority == group->priority && list[at].weight == 0 && before-- == 0)
            return at;
    }
}

/* The first one of |group| at which the running sum of the weights reaches |number|. */
static size_t find_running(const struct ahoy_choice *list, const struct group *group,
                           uint64_t number)
{
    uint64_t sum = 0;
    size_t at = 0;
    for (;; at++) {
        if (list[at].priority == group->priority)
            sum += list[at].weight;
        if (sum >= number)
            return at;
    }
}

struct ahoy_choice ahoy_choice_take(struct ahoy_choice *list, size_t *count, struct ahoy_rng *rng)
{
    assert(*count > 0);
    struct group group = lowest_group(list, *count);
    uint64_t least = group.weightless > 0 ? 0 : 1;
    uint64_t number = least + ahoy_rng_below(rng, group.sum - least + 1);
    size_t at = number == 0 ? find_weightless(list, &group, ahoy_rng_below(rng, group.weightless))
                            : find_running(list, &group, number);
    struct ahoy_choice choice = list[at];
    list[at] = list[--*count];
    return choice;
}
