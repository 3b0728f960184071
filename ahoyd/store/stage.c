/* From a change to what it publishes: the rules are the registrar's, the order is the writer's. */
#include "ahoyd/store/backend.h"

#include <stdlib.h>

#include "libahoy/base/unset.h"

/* The bindings as they will be when all |earlier| ones are published. */
static void current(struct ahoyd_store *store, const struct ahoyd_change *change,
                    const struct staged *earlier, size_t count, struct ahoy_bindings *bindings)
{
    for (size_t i = count; i > 0; i--) {
        const struct record *record = earlier[i - 1].record;
        if (record != NULL && ahoy_span_equal(record_aor(record), change->aor)) {
            (void)record_decode(record_state(record), change->now_ms, bindings); /* We made it. */
            return;
        }
    }
    index_find(&store->index, change->aor, change->now_ms, bindings);
}

static void stage_bindings(struct ahoyd_store *store, struct staged *staged,
                           const struct staged *earlier, size_t count)
{
    struct ahoyd_change *change = staged->change;
    AHOY_UNSET struct ahoy_bindings before;
    struct ahoy_err err = { 0 };
    current(store, change, earlier, count, &before);
    if (!ahoy_registrar_apply(&before, &change->registration, change->now_ms, &change->bindings,
                              &err)) {
        change->status = err.status;
        change->why = err.expected;
        return;
    }
    staged->record = record_new(change->aor, &change->bindings);
    if (staged->record == NULL) {
        change->status = 503;
        change->why = "memory ran out";
    }
}

static void stage_user(struct ahoyd_store *store, struct staged *staged)
{
    struct ahoyd_change *change = staged->change;
    if (change->kind == AHOYD_CHANGE_USER_PUT) {
        staged->user = users_prepare(change->user, change->realm, &change->credentials);
        if (staged->user == NULL) {
            change->status = 503;
            change->why = "memory ran out";
        }
    } else if (!users_find(&store->users, change->user, change->realm, NULL)) {
        change->status = 404;
        change->why = "there is no such user";
    }
}

void store_stage(struct ahoyd_store *store, struct staged *staged, const struct staged *earlier,
                 size_t count)
{
    staged->record = NULL;
    staged->user = NULL;
    staged->change->status = 200;
    if (staged->change->kind == AHOYD_CHANGE_BINDINGS)
        stage_bindings(store, staged, earlier, count);
    else
        stage_user(store, staged);
}

static void give_back(struct ahoyd_change *change)
{
    change->owner->done(change->owner, change);
}

unsigned store_publish(struct ahoyd_store *store, struct staged *staged)
{
    struct ahoyd_change *change = staged->change;
    unsigned idle = 0;
    if (staged->record != NULL) {
        idle += staged->record->until_ms == 0;
        idle += index_put(&store->index, staged->record);
    }
    if (staged->user != NULL)
        users_put(&store->users, staged->user);
    if (change->kind == AHOYD_CHANGE_USER_REMOVE && change->status == 200)
        users_remove(&store->users, change->user, change->realm);
    give_back(change);
    return idle;
}

void store_refuse(struct staged *staged, unsigned status, const char *why)
{
    free(staged->record);
    users_discard(staged->user);
    staged->change->status = status;
    staged->change->why = why;
    give_back(staged->change);
}
