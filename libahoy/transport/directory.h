/* Which worker has a connection to a peer: what the workers of one server share, so that the owner
 * of a call finds the connection that another worker accepted (RFC 3261 18.2.1: by its source
 * address, port and transport).  Who runs several workers implements it; all calls may come from
 * any of their threads. */
#pragma once

#include <stdbool.h>

struct ahoy_hop;

struct ahoy_directory {
    /* hop->worker has an open connection, hop->connection, to hop->remote.  Where memory is refused
     * only its worker finds it. */
    void (*add)(struct ahoy_directory *directory, const struct ahoy_hop *hop);
    /* It is no more. */
    void (*remove)(struct ahoy_directory *directory, const struct ahoy_hop *hop);
    /* Fills hop->connection and hop->worker with one that leads to hop->remote by hop->transport;
     * false where there is none, |hop| then being untouched. */
    bool (*find)(struct ahoy_directory *directory, struct ahoy_hop *hop);
};
