/* Words with a name are compared by it.  Routes have none, and their order counts: those that both
 * files begin and end with are the same, and what is between is other, more or fewer. */
#include "ahoyd/difference.h"

#include <string.h>

static bool is_route(const struct ahoyd_item *item)
{
    return strcmp(item->word, "route") == 0;
}

/* What is opened once, when the server starts. */
static bool is_fixed(const char *word)
{
    static const char *const words[] = { "workers", "store", "users",   "node",    "control",
                                         "trace",   "dns",   "observe", "records", "hep",
                                         "log",     "push",  "udp",     "api",     "process" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(word, words[i]) == 0)
            return true;
    }
    return false;
}

/* Whether both say the same thing, though not the same of it.  A word that stands once needs no
 * name. */
static bool is_same(const struct ahoyd_item *a, const struct ahoyd_item *b)
{
    return strcmp(a->word, b->word) == 0 &&
           (is_fixed(a->word) || ahoy_span_equal(a->name, b->name));
}

struct teller {
    void (*told)(void *context, const struct ahoyd_difference *difference);
    void *context;
};

static void tell(const struct teller *teller, char sign, const struct ahoyd_item *item,
                 size_t number)
{
    const struct ahoyd_difference difference = {
        .sign = sign, .word = item->word, .name = item->name, .number = number, .line = item->line
    };
    teller->told(teller->context, &difference);
}

/* The item of |config| that says what |wanted| does, looked for from |at| on, which is
 * left behind it: files are mostly in one order.  NULL where there is none. */
static const struct ahoyd_item *find(const struct ahoyd_config *config,
                                     const struct ahoyd_item *wanted, size_t *at)
{
    for (size_t i = 0; i < config->item_count; i++) {
        size_t index = (*at + i) % config->item_count;
        const struct ahoyd_item *item = &config->items[index];
        if (!is_same(item, wanted))
            continue;
        *at = index + 1;
        return item;
    }
    return NULL;
}

static void compare_named(const struct ahoyd_config *before, const struct ahoyd_config *after,
                          const struct teller *teller)
{
    size_t at = 0;
    for (size_t i = 0; i < after->item_count; i++) {
        const struct ahoyd_item *item = &after->items[i];
        const struct ahoyd_item *old = is_route(item) ? item : find(before, item, &at);
        if (old == NULL || old->sum != item->sum)
            tell(teller, old == NULL ? '+' : '~', item, 0);
    }
    at = 0;
    for (size_t i = 0; i < before->item_count; i++) {
        const struct ahoyd_item *item = &before->items[i];
        if (!is_route(item) && find(after, item, &at) == NULL)
            tell(teller, '-', item, 0);
    }
}

/* The routes of a file that have not been compared yet. */
struct stretch {
    const struct ahoyd_item *items;
    size_t at, end; /* Of these. */
    size_t passed;  /* Routes before |at|. */
};

/* Narrows it down to what a route begins and one ends; false where there is none. */
static bool has_routes(struct stretch *stretch)
{
    while (stretch->at < stretch->end && !is_route(&stretch->items[stretch->at]))
        stretch->at++;
    while (stretch->at < stretch->end && !is_route(&stretch->items[stretch->end - 1]))
        stretch->end--;
    return stretch->at < stretch->end;
}

static const struct ahoyd_item *take_first(struct stretch *stretch)
{
    stretch->passed++;
    return &stretch->items[stretch->at++];
}

static void compare_routes(const struct ahoyd_config *before, const struct ahoyd_config *after,
                           const struct teller *teller)
{
    struct stretch old = { before->items, 0, before->item_count, 0 };
    struct stretch new = { after->items, 0, after->item_count, 0 };
    while (has_routes(&old) && has_routes(&new) && old.items[old.at].sum == new.items[new.at].sum) {
        take_first(&old);
        take_first(&new);
    }
    while (has_routes(&old) && has_routes(&new) &&
           old.items[old.end - 1].sum == new.items[new.end - 1].sum) {
        old.end--;
        new.end--;
    }
    while (has_routes(&new)) {
        bool is_other = has_routes(&old);
        if (is_other)
            take_first(&old);
        const struct ahoyd_item *item = take_first(&new);
        tell(teller, is_other ? '~' : '+', item, new.passed);
    }
    while (has_routes(&old)) {
        const struct ahoyd_item *item = take_first(&old);
        tell(teller, '-', item, old.passed);
    }
}

void ahoyd_difference_find(const struct ahoyd_config *before, const struct ahoyd_config *after,
                           void (*told)(void *context, const struct ahoyd_difference *difference),
                           void *context)
{
    const struct teller teller = { told, context };
    compare_named(before, after, &teller);
    compare_routes(before, after, &teller);
}

bool ahoyd_difference_needs_restart(const struct ahoyd_difference *difference)
{
    return is_fixed(difference->word);
}

void ahoyd_difference_print(const struct ahoyd_difference *difference, struct ahoy_buf *buf)
{
    ahoy_buf_put_byte(buf, difference->sign);
    ahoy_buf_put_byte(buf, ' ');
    ahoy_buf_put(buf, ahoy_span(difference->word));
    if (difference->number == 0 && difference->name.size == 0)
        return;
    ahoy_buf_put_byte(buf, ' ');
    if (difference->number > 0)
        ahoy_buf_put_number(buf, difference->number);
    else
        ahoy_buf_put(buf, difference->name);
}
