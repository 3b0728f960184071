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

static bool submit_memory(struct ahoyd_store *store, struct ahoyd_change *change)
{
    struct staged staged = { .change = change };
    pthread_mutex_lock(&store->memory_lock);
    store_stage(store, &staged, NULL, 0);
    if (change->kind == AHOYD_CHANGE_BINDINGS)
        index_forget(&store->index, (size_t)(change->now_ms / 1000), change->now_ms);
    store_publish(store, &staged);
    pthread_mutex_unlock(&store->memory_lock);
    return true;
}

static void close_memory(struct ahoyd_store *store)
{
    (void)store; /* Nothing is open. */
}

const struct backend memory_backend = {
    .kind = AHOYD_STORE_MEMORY,
    .open = open_memory,
    .submit = submit_memory,
    .close = close_memory,
};
