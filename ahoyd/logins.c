/* The address stands first and the name last: whatever a stranger calls himself, he cannot make a
 * line look like that of another address.  The guard slows each address and each user, so it takes
 * thousands of them to reach the limit of lines. */
#include "ahoyd/logins.h"

#include "libahoy/base/log.h"

/* Whether there is room for a line; one number says it all, as in auth/tries. */
static bool may_tell(struct ahoyd_server *server, uint64_t now_ms)
{
    const uint64_t most_ms = (uint64_t)AHOYD_LOGINS_TOLD_LIMIT * AHOYD_LOGINS_TOLD_MS;
    if (server->logins_told_ms < now_ms)
        server->logins_told_ms = now_ms;
    if (server->logins_told_ms + AHOYD_LOGINS_TOLD_MS > now_ms + most_ms)
        return false;
    server->logins_told_ms += AHOYD_LOGINS_TOLD_MS;
    return true;
}

void ahoyd_logins_tell(struct ahoyd_server *server, const struct ahoy_event *event,
                       const struct ahoyd_domain *domain, const struct ahoyd_proof *proof,
                       const char *reason, uint64_t now_ms)
{
    char text[64];
    struct ahoy_buf from = ahoy_buf_over(text, sizeof text);
    struct span user = proof->user;
    if (!may_tell(server, now_ms)) {
        server->counters.untold_logins++;
        return;
    }
    ahoy_ip_print(&event->hop->remote, &from);
    if (user.size > AHOYD_LOGINS_NAME_LIMIT)
        user.size = AHOYD_LOGINS_NAME_LIMIT;
    ahoy_log_line(server->options.log, AHOY_LOG_NOTICE,
                  "failed login from %.*s by %s, realm \"%.*s\": %s, user \"%.*s\"", (int)from.size,
                  text, ahoy_transport_uri_name((enum ahoy_transport)event->hop->transport).at,
                  (int)domain->name.size, domain->name.at, reason, (int)user.size, user.at);
}
