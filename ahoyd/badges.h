/* Whose the connections are: the users that the certificates of their peers name.  The worker that
 * has a connection learns it; each worker may be handed the requests that come by it, so all share
 * this.  A lock is held for nanoseconds. */
#pragma once

#include "libahoy/transport/flow.h"
#include "libahoy/transport/secure.h"

enum {
    AHOYD_BADGES_LIMIT = 1 << 20,            /* Connections whose peer has one. */
    AHOYD_BADGES_MEMORY_LIMIT = 64 * 1048576 /* Bytes of all of them. */
};

struct ahoyd_badges;

/* NULL where memory is refused. */
struct ahoyd_badges *ahoyd_badges_new(void);
void ahoyd_badges_free(struct ahoyd_badges *badges);

/* |connection| of |worker| is that of |peer|'s users.  Where a limit or the allocator refuses, it
 * is nobody's. */
void ahoyd_badges_add(struct ahoyd_badges *badges, uint16_t worker, struct ahoy_handle connection,
                      const struct ahoy_peer *peer);
/* It is gone. */
void ahoyd_badges_remove(struct ahoyd_badges *badges, uint16_t worker,
                         struct ahoy_handle connection);
/* Prints the URI of user number |index| of the connection that |hop| names; false where there is no
 * such one. */
bool ahoyd_badges_print(struct ahoyd_badges *badges, const struct ahoy_hop *hop, size_t index,
                        struct ahoy_buf *uri);
