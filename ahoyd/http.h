/* What programs that watch the server ask it by HTTP: /metrics, and whether it lives (/health) and
 * may be sent to (/ready).  Nobody is asked who he is, so the address should be one that only the
 * operator reaches. */
#pragma once

#include "libahoy/base/ip.h"

/* Called from a thread of its own. */
struct ahoyd_http_means {
    char *(*metrics)(void *context); /* The text, to be freed; NULL where memory is refused. */
    bool (*lives)(void *context);
    bool (*ready)(void *context);
    void *context;
};

struct ahoyd_http;

/* Begins to serve at |ip|; NULL and a |fault| where it cannot be listened there.  |means| outlive
 * it. */
struct ahoyd_http *ahoyd_http_open(const struct ahoy_ip *ip, const struct ahoyd_http_means *means,
                                   char *fault, size_t fault_size);
/* NULL is allowed. */
void ahoyd_http_close(struct ahoyd_http *http);
