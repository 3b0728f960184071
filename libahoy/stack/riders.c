/* A list a connection.  A transaction that has its answer stays on it until the list is full: then
 * the list is swept, and grows only where it stays half full. */
#include "libahoy/stack/riders.h"

#include <stdlib.h>

#include "libahoy/transaction/transactions.h"

enum { FIRST_CAPACITY = 8 };

struct ahoy_ride {
    struct ahoy_handle connection;
    uint16_t worker;
    uint32_t count, capacity;
    struct ahoy_handle *list;
};

void ahoy_riders_init(struct ahoy_riders *riders, struct ahoy_hash_key key)
{
    riders->key = key;
    ahoy_map_init(&riders->by_connection, AHOY_RIDES_LIMIT);
    ahoy_pool_init(&riders->rides, sizeof(struct ahoy_ride), AHOY_RIDES_LIMIT);
}

void ahoy_riders_fini(struct ahoy_riders *riders)
{
    struct ahoy_handle handle = { 0, 0 };
    struct ahoy_ride *ride;
    while ((ride = ahoy_pool_next(&riders->rides, handle.slot, &handle)) != NULL) {
        free(ride->list);
        ahoy_pool_remove(&riders->rides, handle);
    }
    ahoy_pool_fini(&riders->rides);
    ahoy_map_fini(&riders->by_connection);
}

static uint64_t hash_of(const struct ahoy_riders *riders, const struct ahoy_hop *hop)
{
    uint64_t connection = ahoy_handle_pack(hop->connection);
    const struct span parts[] = { { (const char *)&connection, sizeof connection },
                                  { (const char *)&hop->worker, sizeof hop->worker } };
    return ahoy_siphash_parts(&riders->key, parts, 2);
}

/* NULL where nobody waits on hop->connection. */
static struct ahoy_ride *find(const struct ahoy_riders *riders, const struct ahoy_hop *hop,
                              struct ahoy_handle *handle)
{
    size_t cursor = 0;
    uint64_t value;
    while (ahoy_map_find(&riders->by_connection, hash_of(riders, hop), &cursor, &value)) {
        *handle = ahoy_handle_unpack(value);
        struct ahoy_ride *ride = ahoy_pool_get(&riders->rides, *handle);
        if (ride->worker == hop->worker && ahoy_handle_equal(ride->connection, hop->connection))
            return ride;
    }
    return NULL;
}

static struct ahoy_ride *make(struct ahoy_riders *riders, const struct ahoy_hop *hop)
{
    struct ahoy_handle handle;
    struct ahoy_ride *ride = ahoy_pool_add(&riders->rides, &handle);
    if (ride == NULL)
        return NULL;
    ride->connection = hop->connection;
    ride->worker = hop->worker;
    if (ahoy_map_add(&riders->by_connection, hash_of(riders, hop), ahoy_handle_pack(handle)))
        return ride;
    ahoy_pool_remove(&riders->rides, handle);
    return NULL;
}

static void sweep(struct ahoy_ride *ride, const struct ahoy_transactions *transactions)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < ride->count; i++) {
        if (ahoy_transactions_is_waiting(transactions, ride->list[i]))
            ride->list[kept++] = ride->list[i];
    }
    ride->count = kept;
}

static bool make_room(struct ahoy_ride *ride, const struct ahoy_transactions *transactions)
{
    if (ride->count < ride->capacity)
        return true;
    sweep(ride, transactions);
    if (ride->capacity > 0 && ride->count <= ride->capacity / 2)
        return true;
    uint32_t capacity = ride->capacity == 0 ? FIRST_CAPACITY : 2 * ride->capacity;
    struct ahoy_handle *list = realloc(ride->list, capacity * sizeof *list);
    if (list == NULL)
        return ride->count < ride->capacity;
    ride->list = list;
    ride->capacity = capacity;
    return true;
}

void ahoy_riders_add(struct ahoy_riders *riders, const struct ahoy_transactions *transactions,
                     const struct ahoy_hop *hop, struct ahoy_handle transaction)
{
    struct ahoy_handle handle;
    if (!ahoy_transactions_is_waiting(transactions, transaction))
        return; /* Nor does whoever has sent a response. */
    struct ahoy_ride *ride = find(riders, hop, &handle);
    if (ride == NULL)
        ride = make(riders, hop);
    if (ride != NULL && make_room(ride, transactions))
        ride->list[ride->count++] = transaction;
}

struct ahoy_handle ahoy_riders_take(struct ahoy_riders *riders, const struct ahoy_hop *hop)
{
    const struct ahoy_handle nobody = { 0, 0 };
    struct ahoy_handle handle;
    struct ahoy_ride *ride = find(riders, hop, &handle);
    if (ride == NULL)
        return nobody;
    if (ride->count > 0)
        return ride->list[--ride->count];
    free(ride->list);
    (void)ahoy_map_remove(&riders->by_connection, hash_of(riders, hop),
                          ahoy_handle_pack(handle)); /* It was found just now. */
    ahoy_pool_remove(&riders->rides, handle);
    return nobody;
}
