/* Nodes: servers that share a store, so that each knows the bindings of all.  A phone that only its
 * own connection leads to is reached through the node that it is connected to: its binding has that
 * node's URI for a Path, with a token for the flow (RFC 3327, RFC 5626).  No phone is shown it. */
#pragma once

#include "ahoyd/serving.h"

/* A Path of ours. */
struct ahoyd_node_way {
    struct ahoy_uri uri; /* Of the node. */
    bool is_own;         /* That is this one. */
    struct ahoy_hop flow;
};

/* False where |path| is empty, or is that of others. */
bool ahoyd_node_read(const struct ahoyd_server *server, struct span path,
                     struct ahoyd_node_way *way);

/* Gives the registration that was |read| such a Path, where the store is shared and nothing else
 * leads to the phone. */
void ahoyd_node_mark(const struct ahoyd_server *server, struct ahoy_register *read);

/* As ahoyd_store_find, into server->bindings; those of this node look as without a Path. */
bool ahoyd_node_find(struct ahoyd_server *server, struct span aor, uint64_t now_ms);

/* Prints the Route that leads by |way|, good for one call: the node that gets it knows that the
 * request has been judged by one of us. */
void ahoyd_node_print_route(const struct ahoyd_server *server, const struct ahoyd_node_way *way,
                            struct span call_id, struct ahoy_buf *route);
