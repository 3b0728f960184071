/* The store that forgets everything at its end: for trying things out, and for the simulator. */
#include "ahoyd/store/backend.h"

#include <stdio.h>

static bool open_memory(struct ahoyd_store *store, const struct ahoyd_store_options *options,
                        char *fault, size_t fault_size)
{
    if (options->secret != NULL) {
        memcpy(store->secret, options->secret, sizeof store->secret);
        return true;
    }
    if (store_random(store->secret, sizeof store->secret))
        return true;
    snprintf(fault, fault_size, "no random device");
    return false;
}

/* One shard a second: to walk one costs more than a change does. */
static void forget(struct ahoyd_store *store, uint64_t now_ms)
{
    if (now_ms / 1000 == store->forgotten_s)
        return;
    store->forgotten_s = now_ms / 1000;
    index_forget(&store->index, (size_t)store->forgotten_s, now_ms);
}

/* With the lock. */
static void commit(struct ahoyd_store *store, struct ahoyd_change *change)
{
    struct staged staged = { .change = change };
    store_stage(store, &staged, NULL, 0);
    if (change->kind == AHOYD_CHANGE_BINDINGS)
        forget(store, change->now_ms);
    store_publish(store, &staged);
}

/* Likewise.  False where as many wait as may. */
static bool keep_waiting(struct ahoyd_store *store, struct ahoyd_change *change)
{
    if (store->held_count >= store->held_limit)
        return false;
    change->next = NULL;
    if (store->held == NULL)
        store->held = change;
    else
        store->newest_held->next = change;
    store->newest_held = change;
    store->held_count++;
    return true;
}

static bool submit_memory(struct ahoyd_store *store, struct ahoyd_change *change)
{
    bool taken = true;
    pthread_mutex_lock(&store->memory_lock);
    if (store->holds)
        taken = keep_waiting(store, change);
    else
        commit(store, change);
    pthread_mutex_unlock(&store->memory_lock);
    return taken;
}

void ahoyd_store_hold(struct ahoyd_store *store, size_t limit)
{
    pthread_mutex_lock(&store->memory_lock);
    store->holds = true;
    store->held_limit = limit;
    pthread_mutex_unlock(&store->memory_lock);
}

bool ahoyd_store_settle(struct ahoyd_store *store, bool fails)
{
    pthread_mutex_lock(&store->memory_lock);
    struct ahoyd_change *change = store->held;
    if (change != NULL) {
        struct staged staged = { .change = change };
        store->held = change->next;
        store->held_count--;
        if (fails)
            store_refuse(store, &staged, 503, "the store failed");
        else
            commit(store, change);
    }
    pthread_mutex_unlock(&store->memory_lock);
    return change != NULL;
}

static void close_memory(struct ahoyd_store *store)
{
    while (ahoyd_store_settle(store, false))
        continue;
}

const struct backend memory_backend = {
    .kind = AHOYD_STORE_MEMORY,
    .open = open_memory,
    .submit = submit_memory,
    .close = close_memory,
};
