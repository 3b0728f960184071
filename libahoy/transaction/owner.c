/* The life of a transaction: its slot, its clocks, and what it keeps.
 *
 * Bytes that have been given to the transport stay where they are until the next settle.  So what
 * a state no longer needs is not released but handed to the outbox, which settle empties. */
#include "libahoy/transaction/owner.h"

_Static_assert(sizeof(struct ahoy_transaction) <= 256, "there are many");
_Static_assert(AHOY_METHOD_COUNT <= 32, "it has five bits");

struct ahoy_transaction *ahoy_owner_add(struct ahoy_transactions *owner,
                                        enum ahoy_transaction_kind kind, enum ahoy_method method,
                                        const struct ahoy_hop *hop, uint64_t user)
{
    struct ahoy_handle handle;
    struct ahoy_transaction *transaction = ahoy_pool_add(&owner->pool, &handle);
    if (transaction == NULL)
        return NULL;
    ahoy_arena_init(&transaction->arena, &owner->chunks);
    transaction->again.what = transaction->end.what = ahoy_handle_pack(handle);
    transaction->kind = kind & 7;
    transaction->method = method & 31;
    transaction->hop = *hop;
    transaction->user = user;
    return transaction;
}

void ahoy_owner_remove(struct ahoy_transactions *owner, struct ahoy_transaction *transaction)
{
    ahoy_arena_release(&transaction->arena);
    ahoy_pool_remove(&owner->pool, ahoy_owner_handle(transaction));
}

static struct ahoy_map *table_of(struct ahoy_transactions *owner,
                                 const struct ahoy_transaction *transaction)
{
    return ahoy_owner_is_server(transaction) ? &owner->servers : &owner->clients;
}

void ahoy_owner_drop(struct ahoy_transactions *owner, struct ahoy_transaction *transaction)
{
    /* Whether it had got into the table by then matters to nobody. */
    (void)ahoy_map_remove(table_of(owner, transaction), transaction->hash, transaction->end.what);
    ahoy_owner_remove(owner, transaction);
}

struct ahoy_transaction *ahoy_owner_get(const struct ahoy_transactions *owner,
                                        struct ahoy_handle handle)
{
    struct ahoy_transaction *transaction = ahoy_pool_get(&owner->pool, handle);
    return transaction == NULL || transaction->is_over ? NULL : transaction;
}

void ahoy_transaction_assign(struct ahoy_transactions *owner, struct ahoy_handle handle,
                             uint64_t user)
{
    struct ahoy_transaction *transaction = ahoy_owner_get(owner, handle);
    if (transaction != NULL)
        transaction->user = user;
}

struct ahoy_handle ahoy_owner_handle(const struct ahoy_transaction *transaction)
{
    return ahoy_handle_unpack(transaction->end.what);
}

bool ahoy_owner_is_server(const struct ahoy_transaction *transaction)
{
    return transaction->kind >= AHOY_INVITE_SERVER;
}

void ahoy_owner_end(struct ahoy_transactions *owner, struct ahoy_transaction *transaction)
{
    ahoy_owner_stop(owner, transaction);
    /* It has been in the table since it began. */
    (void)ahoy_map_remove(table_of(owner, transaction), transaction->hash, transaction->end.what);
    transaction->is_over = true;
    owner->over_count++;
    if (!transaction->is_silent) {
        ahoy_owner_tell(owner, transaction, AHOY_EVENT_ENDED);
        return;
    }
    transaction->next = owner->dead;
    owner->dead = transaction;
}

static bool sends_again(enum ahoy_clock clock)
{
    return clock == AHOY_CLOCK_A || clock == AHOY_CLOCK_E || clock == AHOY_CLOCK_G;
}

void ahoy_owner_start(struct ahoy_transactions *owner, struct ahoy_transaction *transaction,
                      enum ahoy_clock clock, uint64_t now_ms)
{
    bool is_reliable = ahoy_transport_is_reliable((enum ahoy_transport)transaction->hop.transport);
    bool is_again = sends_again(clock);
    uint64_t delay_ms = ahoy_clock_delay(&owner->clocks, clock, is_reliable, transaction->round);
    if (delay_ms == AHOY_CLOCK_NEVER)
        return;
    struct ahoy_timer *timer = is_again ? &transaction->again : &transaction->end;
    timer->which = clock;
    ahoy_timers_set(owner->timers, timer, now_ms + delay_ms);
    if (is_again && transaction->round < UINT8_MAX)
        transaction->round++;
}

void ahoy_owner_stop(struct ahoy_transactions *owner, struct ahoy_transaction *transaction)
{
    ahoy_timers_cancel(owner->timers, &transaction->again);
    ahoy_timers_cancel(owner->timers, &transaction->end);
}

bool ahoy_owner_has_room(const struct ahoy_transactions *owner)
{
    const struct ahoy_chunks *chunks = &owner->chunks;
    return chunks->taken < chunks->limit - chunks->limit / 8;
}

bool ahoy_owner_keep(struct ahoy_transactions *owner, struct ahoy_transaction *transaction,
                     const struct span *pieces, size_t count)
{
    struct ahoy_arena before = transaction->arena;
    struct ahoy_arena *arena = &transaction->arena;
    ahoy_arena_init(arena, &owner->chunks);
    struct span kept = ahoy_arena_join(arena, pieces, count);
    const char *key = NULL;
    if (transaction->has_long_key) {
        struct ahoy_request_key view = ahoy_request_key_unpack(transaction->long_key);
        struct span packed = { transaction->long_key, ahoy_request_key_size(&view) };
        key = ahoy_arena_copy(arena, packed).at;
    }
    if (kept.at == NULL || (transaction->has_long_key && key == NULL)) {
        ahoy_arena_release(arena);
        *arena = before;
        return false;
    }
    ahoy_arena_adopt(&owner->outbox, &before);
    transaction->kept = kept;
    ahoy_owner_note_joined(owner, pieces, count, kept);
    if (transaction->has_long_key)
        transaction->long_key = key;
    return true;
}

void ahoy_owner_forget(struct ahoy_transactions *owner, struct ahoy_transaction *transaction)
{
    /* Where a long key finds no new place, it stays in the old one with what should have gone. */
    (void)ahoy_owner_keep(owner, transaction, NULL, 0);
    transaction->kept = SPAN("");
}
