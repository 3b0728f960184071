/* Names are only as good as the addresses that they have at the moment: whether those may be
 * reached is asked here, each time (attack 60). */
#include "ahoyd/servers.h"

#include "ahoyd/policy.h"
#include "ahoyd/sleepers.h"
#include "ahoyd/trunks.h"
#include "libahoy/base/unset.h"

void ahoyd_servers_ask(struct ahoyd_server *server, uint64_t now_ms)
{
    AHOY_UNSET struct ahoy_proxy_wish wish;
    while (ahoy_proxy_poll(server->proxy, &wish)) {
        if (wish.kind == AHOY_WISH_REST) {
            ahoy_stack_rest(server->stack, &wish.hop, wish.rest_ms);
            continue;
        }
        if (wish.kind == AHOY_WISH_ANSWERED) {
            uint64_t ticket = ahoyd_trunks_settle(server, wish.user);
            if (ticket != 0)
                ahoyd_guard_end(server->guard, ticket);
            continue;
        }
        if (wish.kind == AHOY_WISH_WAKE) {
            ahoyd_sleepers_wake(server, &wish, now_ms);
            continue;
        }
        const struct ahoy_wanted wanted = { wish.uri, wish.is_secure, wish.user };
        const struct ahoy_proxy_found nothing = { .status = 503 };
        if (!ahoy_stack_locate(server->stack, &wanted))
            ahoy_proxy_located(server->proxy, wish.user, &nothing, now_ms);
    }
}

/* Takes out the hops that must not be reached. */
static void filter(const struct ahoyd_server *server, const struct ahoy_ip *source,
                   struct ahoy_located *located)
{
    size_t count = 0, fresh = 0;
    for (size_t i = 0; i < located->count; i++) {
        if (!ahoyd_policy_may_reach(server, &located->hops[i].remote, source))
            continue;
        located->hops[count++] = located->hops[i];
        fresh += i < located->fresh;
    }
    if (count == 0 && located->count > 0)
        located->status = 403;
    located->count = count;
    located->fresh = fresh;
}

void ahoyd_servers_found(struct ahoyd_server *server, struct ahoy_located *located, uint64_t now_ms)
{
    struct ahoy_ip source;
    if (!ahoy_proxy_waits(server->proxy, located->user, &source))
        return;
    filter(server, &source, located);
    const struct ahoy_proxy_found found = { located->hops, located->count, located->fresh,
                                            located->status };
    ahoy_proxy_located(server->proxy, located->user, &found, now_ms);
}
