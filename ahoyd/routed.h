/* The routes of the configuration for requests that are here: routing.h with the server's names,
 * users and trunks. */
#pragma once

#include "ahoyd/policy.h"
#include "ahoyd/wishes.h"
#include "libahoy/base/arena.h"

/* What routes may ask about |event|, sent by |sender| to |uri|, which names |domain| of ours or
 * NULL.  False where there is no route for that anyway. */
bool ahoyd_routed_call(const struct ahoyd_server *server, const struct ahoy_event *event,
                       const struct ahoyd_sender *sender, const struct ahoy_uri *uri,
                       const struct ahoyd_domain *domain, uint64_t now_ms, struct ahoyd_call *call);

/* Its route, or NULL.  A function of the configuration that fails is counted and logged. */
const struct ahoyd_route *ahoyd_routed_find(struct ahoyd_server *server, struct ahoyd_call *call);

/* Fills server->targets with those of all |leaves| that can be reached, in the order of their q,
 * which is that of their tiers; what they point to is in |arena| or |call|'s.  Returns their
 * count. */
size_t ahoyd_routed_targets(struct ahoyd_server *server, const struct ahoy_event *event,
                            const struct ahoyd_wishes *wishes, const struct ahoyd_call *call,
                            const struct ahoyd_leaves *leaves, struct ahoy_arena *arena);
