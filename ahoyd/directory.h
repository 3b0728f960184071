/* The directory of connections that the workers share (libahoy/transport/directory.h): sharded,
 * each shard under a lock that is held for nanoseconds.  It is asked only where a worker has no
 * connection of its own to a peer. */
#pragma once

#include "libahoy/transport/flow.h"

enum { AHOYD_DIRECTORY_LIMIT = 1 << 20 };

/* |secret| keys the table: peers choose their addresses.  NULL where memory is refused. */
struct ahoy_directory *ahoyd_directory_new(struct ahoy_hash_key secret);
/* When no worker, and so no connection, is there any more. */
void ahoyd_directory_free(struct ahoy_directory *directory);
