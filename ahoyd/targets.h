/* Where a request goes (RFC 3261 16.5): to the bindings of a user, or along its dialog. */
#pragma once

#include "ahoyd/path.h"
#include "ahoyd/wishes.h"

/* Fills server->targets with the bindings of the user of |domain| whom |uri| names that can be
 * reached, all of them, but for each phone one, with its other flows behind it (RFC 5626 7); for
 * a |uri| of sips only those of sips (never downgraded); for a GRUU only those that it is bound to.
 * They are in the order of q, or all of one q where the domain rings all at once, as far as the
 * caller's |wishes| leave it at that.  Returns their count. */
size_t ahoyd_targets_of_user(struct ahoyd_server *server, const struct ahoy_event *event,
                             const struct ahoyd_wishes *wishes, const struct ahoyd_domain *domain,
                             const struct ahoy_uri *uri, uint64_t now_ms);

/* The binding number |index| of server->bindings, whose phone has been woken, and the other flows
 * of its instance, for |event|.  False where none can be reached. */
bool ahoyd_targets_of_sleeper(struct ahoyd_server *server, const struct ahoy_event *event,
                              size_t index, struct ahoy_proxy_target *target);

/* The flow that a token of ours names (RFC 5626 5.3.1).  False where it has ended: with 430,
 * or for one of a call with 480. */
bool ahoyd_targets_of_flow(const struct ahoyd_server *server, const struct ahoy_event *event,
                           const struct ahoyd_path *path, struct ahoyd_flow *flow,
                           struct ahoy_err *err);

/* The flow of a request within a dialog, or its next Route, or else its Request-URI; |target|
 * points into |path|, for a GRUU into server->bindings.  False where it cannot be located or must
 * not be reached: |err| says why (403, 404, 416, 430, 480, 503). */
bool ahoyd_targets_in_dialog(struct ahoyd_server *server, const struct ahoy_event *event,
                             const struct ahoyd_path *path, uint64_t now_ms,
                             struct ahoy_proxy_target *target, struct ahoy_err *err);
