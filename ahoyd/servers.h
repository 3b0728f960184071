/* Between the proxy, which wants its targets located, and the stack, which finds their servers. */
#pragma once

#include "ahoyd/serving.h"

/* Passes on what the proxy wishes for, until it has no wish. */
void ahoyd_servers_ask(struct ahoyd_server *server, uint64_t now_ms);
/* Passes on what was found, less what must not be reached. */
void ahoyd_servers_found(struct ahoyd_server *server, struct ahoy_located *located,
                         uint64_t now_ms);
