/* Which client transactions wait for a response over which connection, so that its end is theirs
 * (RFC 3261 17.1.4, 8.1.3.1; RFC 5626 7). */
#pragma once

#include "libahoy/base/map.h"
#include "libahoy/base/pool.h"
#include "libahoy/base/siphash.h"
#include "libahoy/transport/flow.h"

struct ahoy_transactions;

enum {
    AHOY_RIDES_LIMIT = 200000 /* Connections that somebody waits on. */
};

struct ahoy_riders {
    struct ahoy_hash_key key;
    struct ahoy_map by_connection;
    struct ahoy_pool rides; /* struct ahoy_ride */
};

void ahoy_riders_init(struct ahoy_riders *riders, struct ahoy_hash_key key);
void ahoy_riders_fini(struct ahoy_riders *riders);

/* The request of |transaction| leaves by hop->connection, this worker's or another's.  Where memory
 * or the limit refuses, the transaction ends by its timer.  Those that wait no longer, as
 * |transactions| knows, are forgotten on the way. */
void ahoy_riders_add(struct ahoy_riders *riders, const struct ahoy_transactions *transactions,
                     const struct ahoy_hop *hop, struct ahoy_handle transaction);
/* Takes one that left by hop->connection; the null handle, and nothing is kept of the connection
 * any more, where there is no other. */
struct ahoy_handle ahoy_riders_take(struct ahoy_riders *riders, const struct ahoy_hop *hop);
