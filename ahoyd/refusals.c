/* The address stands first and the name last: whatever a stranger calls himself, he cannot make a
 * line look like that of another address.  The guard slows each address and each user, so it takes
 * thousands of them to reach the limit of lines. */
#include "ahoyd/refusals.h"

#include "libahoy/base/log.h"

/* Whether there is room for a line; one number says it all, as in auth/tries. */
static bool may_tell(struct ahoyd_server *server, uint64_t now_ms)
{
    const uint64_t most_ms = (uint64_t)AHOYD_REFUSALS_TOLD_LIMIT * AHOYD_REFUSALS_TOLD_MS;
    if (server->told_ms < now_ms)
        server->told_ms = now_ms;
    if (server->told_ms + AHOYD_REFUSALS_TOLD_MS > now_ms + most_ms)
        return false;
    server->told_ms += AHOYD_REFUSALS_TOLD_MS;
    return true;
}

void ahoyd_refusal_tell(struct ahoyd_server *server, const struct ahoyd_refusal *refusal,
                        uint64_t now_ms)
{
    char text[64];
    struct ahoy_buf from = ahoy_buf_over(text, sizeof text);
    struct span realm = refusal->realm;
    struct span user = refusal->user;
    if (!may_tell(server, now_ms)) {
        server->counters.untold_refusals++;
        return;
    }
    ahoy_ip_print(&refusal->hop->remote, &from);
    if (user.size > AHOYD_REFUSALS_NAME_LIMIT)
        user.size = AHOYD_REFUSALS_NAME_LIMIT;
    ahoy_log_line(server->options.log, AHOY_LOG_NOTICE,
                  "%s from %.*s by %s, realm \"%.*s\": %s, user \"%.*s\"", refusal->what,
                  (int)from.size, text,
                  ahoy_transport_uri_name((enum ahoy_transport)refusal->hop->transport).at,
                  (int)realm.size, realm.at, refusal->why, (int)user.size, user.at);
}
