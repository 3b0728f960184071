#include "ahoyd/roll.h"

#include <pthread.h>
#include <stdlib.h>

#include "ahoyd/notes.h"
#include "libahoy/base/map.h"

struct ahoyd_roll {
    pthread_mutex_t lock; /* Those who ask are few. */
    struct ahoy_hash_key key;
    struct ahoy_map by_call_id; /* Keys of Call-IDs to places. */
    struct ahoyd_case *calls;   /* A ring of AHOYD_ROLL_LIMIT, in the order in which they came. */
    size_t count, next;
    bool more;
    uint64_t *from; /* How far the ring of each worker is read. */
    struct ahoyd_case_losses losses;
    struct ahoy_message message;
    char piece[AHOYD_PIECE_LIMIT];
};

struct ahoyd_roll *ahoyd_roll_new(struct ahoy_hash_key key, unsigned workers)
{
    struct ahoyd_roll *roll = calloc(1, sizeof *roll);
    if (roll == NULL)
        return NULL;
    pthread_mutex_init(&roll->lock, NULL);
    ahoy_map_init(&roll->by_call_id, AHOYD_ROLL_LIMIT);
    roll->key = key;
    roll->calls = calloc(AHOYD_ROLL_LIMIT, sizeof *roll->calls);
    roll->from = calloc(workers, sizeof *roll->from);
    if (roll->calls != NULL && roll->from != NULL)
        return roll;
    ahoyd_roll_free(roll);
    return NULL;
}

void ahoyd_roll_free(struct ahoyd_roll *roll)
{
    if (roll == NULL)
        return;
    pthread_mutex_destroy(&roll->lock);
    ahoy_map_fini(&roll->by_call_id);
    free(roll->calls);
    free(roll->from);
    free(roll);
}

static struct span call_id_of(const struct ahoyd_case *call)
{
    return (struct span){ call->call_id, call->call_id_size };
}

static struct ahoyd_case *find(const struct ahoyd_roll *roll, struct span call_id, uint64_t hash)
{
    size_t cursor = 0;
    uint64_t place;
    while (ahoy_map_find(&roll->by_call_id, hash, &cursor, &place)) {
        if (ahoy_span_equal(call_id_of(&roll->calls[place]), call_id))
            return &roll->calls[place];
    }
    return NULL;
}

/* NULL where memory is refused: the call is not listed. */
static struct ahoyd_case *add(struct ahoyd_roll *roll, struct span call_id, uint64_t hash)
{
    struct ahoyd_case *call = &roll->calls[roll->next];
    if (roll->count == AHOYD_ROLL_LIMIT) {
        (void)ahoy_map_remove(&roll->by_call_id, ahoy_siphash(&roll->key, call_id_of(call)),
                              roll->next); /* It stands there, or memory was refused for it. */
        roll->more = true;
    } else {
        roll->count++;
    }
    ahoyd_case_init(call, call_id);
    if (!ahoy_map_add(&roll->by_call_id, hash, roll->next))
        ahoyd_case_init(call, SPAN(""));
    roll->next = (roll->next + 1) % AHOYD_ROLL_LIMIT;
    return call->call_id_size > 0 ? call : NULL;
}

/* A call is listed from its INVITE on. */
static void take(void *self, unsigned worker, const struct ahoy_note *note, struct span text)
{
    struct ahoyd_roll *roll = self;
    (void)worker; /* A call has one, and nobody asks which. */
    if (note->kind == AHOY_NOTE_LOST)
        ahoyd_case_lose(&roll->losses, note, text);
    struct span call_id = ahoyd_case_of(note, text, &roll->message);
    if (call_id.size == 0 || call_id.size >= AHOYD_CASE_CALL_ID_LIMIT)
        return;
    uint64_t hash = ahoy_siphash(&roll->key, call_id);
    struct ahoyd_case *call = find(roll, call_id, hash);
    if (call == NULL && note->kind == AHOY_NOTE_IN && roll->message.method == AHOY_METHOD_INVITE &&
        roll->message.is_request)
        call = add(roll, call_id, hash);
    if (call != NULL)
        ahoyd_case_take(call, note, text, &roll->message, &roll->losses);
}

/* The newest first. */
static int compare_begins(const void *a, const void *b)
{
    const struct ahoyd_case *first = *(struct ahoyd_case *const *)a;
    const struct ahoyd_case *second = *(struct ahoyd_case *const *)b;
    return (first->begun_ms < second->begun_ms) - (first->begun_ms > second->begun_ms);
}

bool ahoyd_roll_each(struct ahoyd_roll *roll, const struct ahoyd_command_means *means,
                     void (*visit)(void *self, const struct ahoyd_case *call), void *self,
                     bool *more)
{
    struct ahoyd_case **order = calloc(AHOYD_ROLL_LIMIT, sizeof(struct ahoyd_case *));
    const struct ahoyd_notes_reader reader = { take, roll };
    size_t count = 0;
    if (order == NULL)
        return false;
    pthread_mutex_lock(&roll->lock);
    for (unsigned i = 0; i < means->workers; i++)
        ahoyd_notes_read(means, i, &roll->from[i], roll->piece, &reader);
    for (size_t i = 0; i < roll->count; i++) {
        if (roll->calls[i].begun_ms != 0)
            order[count++] = &roll->calls[i];
    }
    qsort(order, count, sizeof(struct ahoyd_case *), compare_begins);
    for (size_t i = 0; i < count; i++)
        visit(self, order[i]);
    *more = roll->more;
    pthread_mutex_unlock(&roll->lock);
    free(order);
    return true;
}
