#include "tests/support/changes.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* On the store's thread. */
static void take_back(struct ahoyd_change_owner *owner, struct ahoyd_change *change)
{
    struct changes *changes = (struct changes *)owner;
    pthread_mutex_lock(&changes->lock);
    change->next = NULL;
    *changes->last = change;
    changes->last = &change->next;
    changes->count++;
    pthread_cond_signal(&changes->came);
    pthread_mutex_unlock(&changes->lock);
}

void changes_init(struct changes *changes)
{
    *changes = (struct changes){ .owner = { .done = take_back } };
    changes->last = &changes->first;
    pthread_mutex_init(&changes->lock, NULL);
    pthread_cond_init(&changes->came, NULL);
}

void changes_fini(struct changes *changes)
{
    pthread_cond_destroy(&changes->came);
    pthread_mutex_destroy(&changes->lock);
}

void changes_submit(struct changes *changes, struct ahoyd_store *store, struct ahoyd_change *change)
{
    assert_non_null(change);
    change->owner = &changes->owner;
    changes->submitted++;
    assert_true(ahoyd_store_submit(store, change));
}

struct ahoyd_change *changes_await(struct changes *changes)
{
    pthread_mutex_lock(&changes->lock);
    while (changes->count < changes->submitted)
        pthread_cond_wait(&changes->came, &changes->lock);
    struct ahoyd_change *first = changes->first;
    changes->first = NULL;
    changes->last = &changes->first;
    changes->count = changes->submitted = 0;
    pthread_mutex_unlock(&changes->lock);
    return first;
}

unsigned changes_end(struct changes *changes)
{
    unsigned status = 0;
    struct ahoyd_change *next = NULL;
    for (struct ahoyd_change *change = changes_await(changes); change != NULL; change = next) {
        next = change->next;
        status = change->status;
        ahoyd_change_free(change);
    }
    return status;
}
