/* From a change to what it publishes: the rules are the registrar's, the order is the writer's. */
#include "ahoyd/store/backend.h"

#include <stdlib.h>

#include "libahoy/base/unset.h"

/* The bindings as they will be when all |earlier| ones are published. */
static void current(struct ahoyd_store *store, const struct staged *staged,
                    const struct staged *earlier, size_t count, struct ahoy_bindings *bindings)
{
    const struct ahoyd_change *change = staged->change;
    for (size_t i = count; i > 0; i--) {
        const struct record *record = earlier[i - 1].record;
        if (earlier[i - 1].hash == staged->hash && record != NULL &&
            ahoy_span_equal(record_aor(record), change->aor)) {
            (void)record_decode(record_state(record), change->now_ms, bindings); /* We made it. */
            return;
        }
    }
    index_find_hashed(&store->index, staged->hash, change->aor, change->now_ms, bindings);
}

static void stage_bindings(struct ahoyd_store *store, struct staged *staged,
                           const struct staged *earlier, size_t count)
{
    struct ahoyd_change *change = staged->change;
    AHOY_UNSET struct ahoy_bindings before, after;
    struct ahoy_err err = { 0 };
    staged->hash = index_hash(&store->index, change->aor);
    current(store, staged, earlier, count, &before);
    if (!ahoy_registrar_apply(&before, &change->registration, change->now_ms, &after, &err)) {
        change->status = err.status;
        change->why = err.expected;
        return;
    }
    staged->record = record_new(&store->index.slabs, change->aor, &after);
    /* Another change may take the record's place before the answer is printed. */
    if (staged->record == NULL || !ahoyd_change_tell(change, record_state(staged->record))) {
        record_free(&store->index.slabs, staged->record);
        staged->record = NULL;
        change->status = 503;
        change->why = "memory ran out";
    }
}

/* What is in the way of a change of a user or an alias; NULL for nothing. */
static const char *find_hindrance(struct ahoyd_store *store, const struct ahoyd_change *change)
{
    enum users_kind kind = users_kind(&store->users, change->user, change->realm);
    switch (change->kind) {
    case AHOYD_CHANGE_USER_PUT:
        return kind == USERS_ALIAS ? "there is an alias of that name" : NULL;
    case AHOYD_CHANGE_USER_REMOVE:
        return kind == USERS_USER ? NULL : "there is no such user";
    case AHOYD_CHANGE_ALIAS_PUT:
        if (kind == USERS_USER)
            return "there is a user of that name";
        return users_find(&store->users, change->means, change->realm, NULL)
                   ? NULL
                   : "there is no such user";
    case AHOYD_CHANGE_ALIAS_REMOVE:
        return kind == USERS_ALIAS ? NULL : "there is no such alias";
    case AHOYD_CHANGE_BINDINGS:
        break;
    }
    return NULL;
}

static void stage_user(struct ahoyd_store *store, struct staged *staged)
{
    struct ahoyd_change *change = staged->change;
    bool puts_user = change->kind == AHOYD_CHANGE_USER_PUT;
    change->why = find_hindrance(store, change);
    if (change->why != NULL) {
        change->status = 404;
        return;
    }
    if (!puts_user && change->kind != AHOYD_CHANGE_ALIAS_PUT)
        return;
    staged->user = puts_user ? users_prepare(change->user, change->realm, &change->credentials)
                             : users_prepare_alias(change->user, change->realm, change->means);
    if (staged->user == NULL) {
        change->status = 503;
        change->why = "memory ran out";
    }
}

static bool removes_user(const struct ahoyd_change *change)
{
    return change->kind == AHOYD_CHANGE_USER_REMOVE || change->kind == AHOYD_CHANGE_ALIAS_REMOVE;
}

void store_stage(struct ahoyd_store *store, struct staged *staged, const struct staged *earlier,
                 size_t count)
{
    staged->record = NULL;
    staged->user = NULL;
    staged->hash = 0;
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
        idle += store_put(store, staged->record, staged->hash);
    }
    if (staged->user != NULL)
        users_put(&store->users, staged->user);
    if (removes_user(change) && change->status == 200)
        users_remove(&store->users, change->user, change->realm);
    give_back(change);
    return idle;
}

void store_refuse(struct ahoyd_store *store, struct staged *staged, unsigned status,
                  const char *why)
{
    record_free(&store->index.slabs, staged->record);
    users_discard(staged->user);
    staged->change->status = status;
    staged->change->why = why;
    give_back(staged->change);
}
