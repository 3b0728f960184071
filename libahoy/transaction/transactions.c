/* The owner's face to the stack: a message, a timer or a failure comes in and goes to the
 * transaction that it is about. */
#include "libahoy/transaction/transactions.h"

#include <assert.h>
#include <stdlib.h>

#include "libahoy/transaction/owner.h"

static struct ahoy_hash_key draw_key(struct ahoy_rng *rng)
{
    uint64_t first = ahoy_rng_next(rng);
    return (struct ahoy_hash_key){ { first, ahoy_rng_next(rng) } };
}

struct ahoy_transactions *ahoy_transactions_new(const struct ahoy_transactions_options *options,
                                                const struct ahoy_flows *flows,
                                                struct ahoy_timers *timers)
{
    struct ahoy_transactions *owner = calloc(1, sizeof *owner);
    if (owner == NULL)
        return NULL;
    owner->clocks = options->clocks;
    owner->tag_key = options->tag_key;
    ahoy_rng_init(&owner->rng, options->seed);
    owner->match_key = draw_key(&owner->rng);
    owner->branch_key = options->branch_key;
    owner->flows = flows;
    owner->timers = timers;
    ahoy_pool_init(&owner->pool, sizeof(struct ahoy_transaction), options->limit);
    ahoy_map_init(&owner->clients, options->limit);
    ahoy_map_init(&owner->servers, options->limit);
    ahoy_chunks_init(&owner->chunks, AHOY_MESSAGE_CHUNK, options->memory_limit);
    ahoy_arena_init(&owner->outbox, &owner->chunks);
    owner->sending_limit = 2 * (size_t)options->limit + AHOY_SENDINGS_RESERVE;
    return owner;
}

void ahoy_transactions_free(struct ahoy_transactions *owner)
{
    if (owner == NULL)
        return;
    struct ahoy_handle handle = { 0, 0 };
    struct ahoy_transaction *transaction;
    while ((transaction = ahoy_pool_next(&owner->pool, handle.slot, &handle)) != NULL) {
        ahoy_owner_stop(owner, transaction);
        ahoy_owner_remove(owner, transaction);
    }
    ahoy_arena_release(&owner->outbox);
    ahoy_chunks_fini(&owner->chunks);
    ahoy_map_fini(&owner->servers);
    ahoy_map_fini(&owner->clients);
    ahoy_pool_fini(&owner->pool);
    free(owner->sendings);
    free(owner);
}

void ahoy_transactions_expect(const struct ahoy_transactions *owner,
                              const struct ahoy_message *message,
                              const struct ahoy_routing *routing, struct ahoy_expected *expected)
{
    expected->message = message;
    expected->routing = routing;
    if (message->is_request)
        ahoy_server_expect(owner, expected);
    else
        ahoy_client_expect(owner, expected);
}

void ahoy_transactions_message(struct ahoy_transactions *owner, struct ahoy_expected *expected,
                               const struct ahoy_hop *source, const struct ahoy_hop *reply,
                               uint64_t now_ms)
{
    struct ahoy_arrival *arrival = &owner->arrival;
    assert(arrival->told == 0);
    arrival->expected = expected;
    arrival->message = expected->message;
    arrival->routing = expected->routing;
    arrival->source = source;
    arrival->reply = reply;
    arrival->is_at_hand = true;
    arrival->call = 0;
    ahoy_owner_forget_joined(owner);
    arrival->now_ms = now_ms;
    arrival->unanswered = (struct ahoy_handle){ 0, 0 };
    if (arrival->message->is_request)
        ahoy_server_take_request(owner);
    else
        ahoy_client_take_response(owner);
}

void ahoy_transactions_timer(struct ahoy_transactions *owner, const struct ahoy_timer *timer,
                             uint64_t now_ms)
{
    struct ahoy_handle handle = ahoy_handle_unpack(timer->what);
    struct ahoy_transaction *transaction = ahoy_owner_get(owner, handle);
    if (transaction == NULL)
        return;
    if (ahoy_owner_is_server(transaction))
        ahoy_server_take_timer(owner, transaction, (enum ahoy_clock)timer->which, now_ms);
    else
        ahoy_client_take_timer(owner, transaction, (enum ahoy_clock)timer->which, now_ms);
}

void ahoy_transactions_expect_timer(const struct ahoy_transactions *owner,
                                    const struct ahoy_timer *timer)
{
    struct ahoy_transaction *transaction =
        ahoy_owner_get(owner, ahoy_handle_unpack(timer->what));
    if (transaction == NULL)
        return;
    __builtin_prefetch(transaction->arena.first, 1);
    ahoy_map_fetch(ahoy_owner_is_server(transaction) ? &owner->servers : &owner->clients,
                   transaction->hash);
}

void ahoy_transactions_send_failed(struct ahoy_transactions *owner, struct ahoy_handle handle,
                                   uint64_t now_ms)
{
    struct ahoy_transaction *transaction = ahoy_owner_get(owner, handle);
    if (transaction == NULL)
        return;
    if (ahoy_owner_is_server(transaction))
        ahoy_server_take_failure(owner, transaction, now_ms);
    else
        ahoy_client_take_failure(owner, transaction, now_ms);
}

bool ahoy_transactions_is_waiting(const struct ahoy_transactions *owner, struct ahoy_handle handle)
{
    const struct ahoy_transaction *transaction = ahoy_owner_get(owner, handle);
    if (transaction == NULL)
        return false;
    if (transaction->kind == AHOY_INVITE_CLIENT)
        return transaction->machine.invite_client.state == INC_CALLING;
    return transaction->kind == AHOY_NONINVITE_CLIENT &&
           transaction->machine.noninvite_client.state != NIC_COMPLETED;
}

bool ahoy_transactions_is_moved(const struct ahoy_transactions *owner, struct ahoy_handle handle)
{
    const struct ahoy_transaction *transaction = ahoy_owner_get(owner, handle);
    return transaction != NULL && transaction->is_moved;
}

void ahoy_transactions_settle(struct ahoy_transactions *owner)
{
    if (owner->next_sending < owner->sending_count)
        return;
    while (owner->dead != NULL) {
        struct ahoy_transaction *transaction = owner->dead;
        owner->dead = transaction->next;
        owner->over_count--;
        ahoy_owner_remove(owner, transaction);
    }
    ahoy_arena_release(&owner->outbox);
}

/* A table that is empty starts small again. */
static void trim_table(struct ahoy_map *table)
{
    if (table->used == 0)
        ahoy_map_fini(table);
}

void ahoy_transactions_trim(struct ahoy_transactions *owner)
{
    ahoy_pool_trim(&owner->pool);
    ahoy_chunks_trim(&owner->chunks);
    trim_table(&owner->clients);
    trim_table(&owner->servers);
    if (owner->sending_count > 0)
        return;
    free(owner->sendings);
    owner->sendings = NULL;
    owner->sending_capacity = 0;
}

uint32_t ahoy_transactions_count(const struct ahoy_transactions *owner)
{
    return owner->pool.used - owner->over_count;
}

size_t ahoy_transactions_memory(const struct ahoy_transactions *owner)
{
    return owner->chunks.taken;
}
