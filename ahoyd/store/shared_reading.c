/* After all rows were read, what is in memory and did not come is looked for one by one: it may
 * have gone, or have been moved about inside the engine meanwhile. */
#include "ahoyd/store/shared_rows.h"
#include "ahoyd/store/shared.h"

enum {
    SEEN_LIMIT = INT32_MAX,
    LOOKS_A_TURN = 500 /* Rows that are looked for before others get their turn. */
};

struct search {
    struct shared *shared;
    unsigned left;
};

static uint64_t hash_of(const struct shared *shared, struct span key)
{
    return ahoy_siphash(&shared->store->index.key, key);
}

static bool is_seen(const struct shared *shared, struct span key)
{
    size_t cursor = 0;
    uint64_t value;
    return ahoy_map_find(&shared->reading.seen, hash_of(shared, key), &cursor, &value);
}

static void forget_all(struct shared *shared)
{
    ahoy_map_fini(&shared->reading.seen);
    ahoy_map_init(&shared->reading.seen, SEEN_LIMIT);
}

void shared_reading_begin(struct shared *shared)
{
    forget_all(shared);
    shared->reading.runs = true;
    shared->reading.is_to_settle = false;
}

void shared_reading_see(struct shared *shared, struct span key)
{
    /* Where memory is refused, a row is looked for that is there. */
    if ((shared->reading.runs || shared->reading.is_to_settle) && !is_seen(shared, key))
        (void)ahoy_map_add(&shared->reading.seen, hash_of(shared, key), 0);
}

void shared_reading_end(struct shared *shared)
{
    shared->reading.runs = false;
    shared->reading.is_to_settle = true;
    shared->has_read = true;
}

/* Whether the walk may go on. */
static bool look(struct search *search, struct span key)
{
    struct shared *shared = search->shared;
    if (is_seen(shared, key) || !shared->engine->has_read(shared->state, key))
        return true;
    if (!shared->engine->look(shared->state, key)) {
        search->left = 0; /* There will be another turn. */
        return false;
    }
    shared_reading_see(shared, key);
    return --search->left > 0;
}

static bool visit_record(void *context, struct record *record)
{
    char space[SHARED_KEY_LIMIT];
    return look(context, shared_key_of_aor(record_aor(record), space));
}

static bool visit_user(void *context, struct span user, struct span realm,
                       const struct ahoyd_user *credentials)
{
    char space[SHARED_KEY_LIMIT];
    (void)credentials; /* Whether he is there is all that is asked. */
    return look(context, shared_key_of_name(user, realm, space));
}

static bool visit_alias(void *context, struct span alias, struct span realm, struct span user)
{
    char space[SHARED_KEY_LIMIT];
    (void)user; /* Likewise. */
    return look(context, shared_key_of_name(alias, realm, space));
}

void shared_reading_settle(struct shared *shared)
{
    struct search search = { .shared = shared, .left = LOOKS_A_TURN };
    if (!shared->reading.is_to_settle || shared->now_ms < shared->reading.settle_ms)
        return;
    shared->reading.settle_ms = shared->now_ms + SHARED_SETTLE_MS;
    if (shared->part.has_bindings)
        index_each_record(&shared->store->index, visit_record, &search);
    if (shared->part.has_names && search.left > 0)
        users_each(&shared->store->users, visit_user, &search);
    if (shared->part.has_names && search.left > 0)
        users_each_alias(&shared->store->users, visit_alias, &search);
    if (search.left > 0) {
        shared->reading.is_to_settle = false;
        forget_all(shared);
    }
}
