/* Two piles: one that others add to, one that the owner reads.  Taking swaps them, so that the lock
 * is never held while a letter is worked on. */
#include "ahoyd/inbox.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { PILE_START = 16 * 1024 };

struct pile {
    char *at;
    size_t size, capacity;
};

struct ahoyd_inbox {
    pthread_mutex_t lock;
    /* Set by those who put, so that an owner whose inbox is empty need not lock. */
    atomic_bool filled;
    /* Under the lock: */
    struct pile coming;
    struct ahoyd_change *first, **last;
    uint64_t dropped;
    /* The owner's: */
    struct pile taken;
    size_t read;
    struct ahoyd_change *changes;
};

/* Stands before the bytes of each letter in a pile. */
struct head {
    struct ahoy_hop hop;
    uint64_t came_us;
    enum ahoyd_letter_kind kind;
    uint32_t size;
};

struct ahoyd_inbox *ahoyd_inbox_new(void)
{
    struct ahoyd_inbox *inbox = calloc(1, sizeof *inbox);
    if (inbox == NULL)
        return NULL;
    if (pthread_mutex_init(&inbox->lock, NULL) != 0) {
        free(inbox);
        return NULL;
    }
    inbox->last = &inbox->first;
    return inbox;
}

static void free_changes(struct ahoyd_change *change)
{
    while (change != NULL) {
        struct ahoyd_change *next = change->next;
        ahoyd_change_free(change);
        change = next;
    }
}

void ahoyd_inbox_free(struct ahoyd_inbox *inbox)
{
    if (inbox == NULL)
        return;
    free_changes(inbox->first);
    free_changes(inbox->changes);
    free(inbox->coming.at);
    free(inbox->taken.at);
    pthread_mutex_destroy(&inbox->lock);
    free(inbox);
}

/* Makes room for |size| more bytes. */
static bool reserve(struct pile *pile, size_t size)
{
    if (size > AHOYD_INBOX_LIMIT - pile->size)
        return false;
    size_t capacity = pile->capacity == 0 ? PILE_START : pile->capacity;
    while (capacity - pile->size < size)
        capacity *= 2;
    if (capacity == pile->capacity)
        return true;
    char *at = realloc(pile->at, capacity);
    if (at == NULL)
        return false;
    pile->at = at;
    pile->capacity = capacity;
    return true;
}

static void append(struct pile *pile, const void *bytes, size_t size)
{
    if (size > 0)
        memcpy(pile->at + pile->size, bytes, size);
    pile->size += size;
}

bool ahoyd_inbox_put(struct ahoyd_inbox *inbox, const struct ahoyd_letter *letter)
{
    struct head head = { .hop = letter->hop,
                         .came_us = letter->came_us,
                         .kind = letter->kind,
                         .size = (uint32_t)letter->bytes.size };
    pthread_mutex_lock(&inbox->lock);
    bool fits = letter->bytes.size <= AHOYD_INBOX_LIMIT &&
                reserve(&inbox->coming, sizeof head + letter->bytes.size);
    if (fits) {
        append(&inbox->coming, &head, sizeof head);
        append(&inbox->coming, letter->bytes.at, letter->bytes.size);
        atomic_store(&inbox->filled, true);
    } else {
        inbox->dropped++;
    }
    pthread_mutex_unlock(&inbox->lock);
    return fits;
}

void ahoyd_inbox_put_change(struct ahoyd_inbox *inbox, struct ahoyd_change *change)
{
    change->next = NULL;
    pthread_mutex_lock(&inbox->lock);
    *inbox->last = change;
    inbox->last = &change->next;
    atomic_store(&inbox->filled, true);
    pthread_mutex_unlock(&inbox->lock);
}

bool ahoyd_inbox_take(struct ahoyd_inbox *inbox)
{
    assert(inbox->changes == NULL); /* The owner has worked off what it took before. */
    struct pile empty = { inbox->taken.at, 0, inbox->taken.capacity };
    inbox->taken = empty;
    inbox->read = 0;
    if (!atomic_load(&inbox->filled))
        return false;
    pthread_mutex_lock(&inbox->lock);
    inbox->taken = inbox->coming;
    inbox->coming = empty;
    inbox->changes = inbox->first;
    inbox->first = NULL;
    inbox->last = &inbox->first;
    atomic_store(&inbox->filled, false);
    pthread_mutex_unlock(&inbox->lock);
    return true;
}

bool ahoyd_inbox_next(struct ahoyd_inbox *inbox, struct ahoyd_letter *letter)
{
    if (inbox->read == inbox->taken.size)
        return false;
    struct head head;
    assert(inbox->taken.size - inbox->read >= sizeof head);
    memcpy(&head, inbox->taken.at + inbox->read, sizeof head);
    inbox->read += sizeof head;
    assert(inbox->taken.size - inbox->read >= head.size);
    *letter = (struct ahoyd_letter){ .kind = head.kind,
                                     .hop = head.hop,
                                     .came_us = head.came_us,
                                     .bytes = { inbox->taken.at + inbox->read, head.size } };
    inbox->read += head.size;
    return true;
}

struct ahoyd_change *ahoyd_inbox_change(struct ahoyd_inbox *inbox)
{
    struct ahoyd_change *change = inbox->changes;
    if (change != NULL)
        inbox->changes = change->next;
    return change;
}

static void empty_pile(struct pile *pile)
{
    free(pile->at);
    *pile = (struct pile){ 0 };
}

void ahoyd_inbox_trim(struct ahoyd_inbox *inbox)
{
    assert(inbox->read == inbox->taken.size);
    empty_pile(&inbox->taken);
    inbox->read = 0;
    pthread_mutex_lock(&inbox->lock);
    if (inbox->coming.size == 0)
        empty_pile(&inbox->coming);
    pthread_mutex_unlock(&inbox->lock);
}

uint64_t ahoyd_inbox_dropped(struct ahoyd_inbox *inbox)
{
    pthread_mutex_lock(&inbox->lock);
    uint64_t dropped = inbox->dropped;
    pthread_mutex_unlock(&inbox->lock);
    return dropped;
}
