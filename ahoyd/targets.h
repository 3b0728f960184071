/* Where a request goes (RFC 3261 16.5): to the bindings of a user, to a trunk, or along its
 * dialog. */
#pragma once

#include "ahoyd/path.h"

/* Fills server->targets with the bindings of |aor| that can be reached, all of them; for a |uri|
 * of sips only those of sips (never downgraded).  Returns their count. */
size_t ahoyd_targets_of_user(struct ahoyd_server *server, struct span aor,
                             const struct ahoy_uri *uri, uint64_t now_ms);

/* The trunk of |route|, with all of its targets, to be tried one after the other; |uri| stays the
 * Request-URI.  False where that is sips and the way to the trunk is not safe. */
bool ahoyd_targets_of_route(const struct ahoyd_server *server, const struct ahoyd_route *route,
                            const struct ahoy_uri *uri, struct ahoy_proxy_target *target);

/* The next Route, or else the Request-URI, of a request within a dialog; |target| points into
 * |path|.  False where it cannot be located or must not be reached: |err| says why (403, 416,
 * 480, 503). */
bool ahoyd_targets_in_dialog(struct ahoyd_server *server, const struct ahoy_event *event,
                             const struct ahoyd_path *path, uint64_t now_ms,
                             struct ahoy_proxy_target *target, struct ahoy_err *err);
