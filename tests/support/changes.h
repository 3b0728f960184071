/* Changes of a store that a test makes, and waits for. */
#pragma once

#include <pthread.h>

#include "ahoyd/store/store.h"

struct changes {
    struct ahoyd_change_owner owner; /* First. */
    pthread_mutex_t lock;
    pthread_cond_t came;
    struct ahoyd_change *first, **last; /* Back, in the order in which they came. */
    unsigned count, submitted;
};

void changes_init(struct changes *changes);
void changes_fini(struct changes *changes);
/* Hands it to the store, which must have room. */
void changes_submit(struct changes *changes, struct ahoyd_store *store,
                    struct ahoyd_change *change);
/* Waits for all that were submitted and returns them, oldest first; the caller frees each. */
struct ahoyd_change *changes_await(struct changes *changes);
/* Waits for them, frees them all, and returns the status of the newest. */
unsigned changes_end(struct changes *changes);
