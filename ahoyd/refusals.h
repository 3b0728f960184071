/* Users who are refused, as the log tells it: a line each, in a form that programs can read
 * (fail2ban), as long as there are not too many. */
#pragma once

#include "ahoyd/serving.h"

enum {
    AHOYD_REFUSALS_TOLD_LIMIT = 50, /* Lines at once, of a worker ... */
    AHOYD_REFUSALS_TOLD_MS = 200,   /* ... and one more each so many milliseconds. */
    AHOYD_REFUSALS_NAME_LIMIT = 64  /* Bytes of a user's name in one. */
};

struct ahoyd_refusal {
    const char *what; /* "failed login" */
    const char *why;
    struct span realm;          /* The domain's name. */
    struct span user;           /* As he calls himself. */
    const struct ahoy_hop *hop; /* Where from. */
};

void ahoyd_refusal_tell(struct ahoyd_server *server, const struct ahoyd_refusal *refusal,
                        uint64_t now_ms);
