/* Another configuration for a server that runs.  All that may fail, and all that takes time, is
 * done beforehand; then, between two events, one takes the place of the other.  What is under way
 * goes on: bindings, transactions, connections, keys, windows of rates, counters. */
#pragma once

#include "ahoyd/server.h"

struct ahoyd_renewal;

/* |config|, for a server that has |before|; both, and the listeners, outlive the renewal.  A number
 * that a listener had before is its own still, or nobody's.  NULL where memory is refused. */
struct ahoyd_renewal *ahoyd_renewal_new(const struct ahoyd_config *before,
                                        const struct ahoyd_config *config,
                                        const struct ahoy_listener *listeners, size_t count);
/* Frees what the server has not taken, or what it had before. */
void ahoyd_renewal_free(struct ahoyd_renewal *renewal);

/* Between two events: |server| goes on with what |renewal| has, and that holds from now on what the
 * server had before; once it is freed, nothing names the configuration before. */
void ahoyd_server_renew(struct ahoyd_server *server, struct ahoyd_renewal *renewal,
                        uint64_t now_ms);
