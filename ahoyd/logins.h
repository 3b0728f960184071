/* Failed logins as the log tells them: a line each, in a form that programs can read (fail2ban), as
 * long as there are not too many. */
#pragma once

#include "ahoyd/authenticate.h"

enum {
    AHOYD_LOGINS_TOLD_LIMIT = 50, /* Lines at once, of a worker ... */
    AHOYD_LOGINS_TOLD_MS = 200,   /* ... and one more each so many milliseconds. */
    AHOYD_LOGINS_NAME_LIMIT = 64  /* Bytes of a user's name in one. */
};

/* |proof| was wrong, for |reason|. */
void ahoyd_logins_tell(struct ahoyd_server *server, const struct ahoy_event *event,
                       const struct ahoyd_domain *domain, const struct ahoyd_proof *proof,
                       const char *reason, uint64_t now_ms);
