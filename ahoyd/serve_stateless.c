/* Forwarding without state (RFC 3261 16.11), for routes that say so: from one datagram to
 * another, so that whoever sent a request sends it again where it is lost, to a target that is
 * an address and is chosen by the Call-ID.  What follows a request, its CANCEL and the ACK to a
 * failure, goes the same way, as both have its Request-URI and Call-ID. */
#include "ahoyd/identity.h"
#include "ahoyd/routed.h"
#include "ahoyd/serve.h"

/* R3261-16.11-4 to -7: the same for all requests of a call.  NULL where some target is a name or is
 * not reached by UDP: such a trunk needs state (R3261-16.1-3). */
static const struct ahoyd_trunk_target *choose(const struct ahoyd_server *server,
                                               const struct ahoyd_trunk *trunk, struct span call_id)
{
    for (size_t i = 0; i < trunk->count; i++) {
        if (trunk->targets[i].ip.family == AHOY_NO_FAMILY ||
            trunk->targets[i].transport != AHOY_UDP)
            return NULL;
    }
    return &trunk->targets[ahoy_siphash(&server->dialog_key, call_id) % trunk->count];
}

bool ahoyd_serve_stateless(struct ahoyd_server *server, const struct ahoy_event *event,
                           const struct ahoyd_path *path, const struct ahoyd_route *route)
{
    if (!route->stateless || event->hop->transport != AHOY_UDP ||
        path->target.scheme == AHOY_SCHEME_SIPS || !ahoy_via_has_cookie(&event->routing->via))
        return false;
    const struct ahoyd_trunk *trunk = &server->options.config->trunks[route->to.at[0].index];
    const struct ahoyd_trunk_target *chosen = choose(server, trunk, event->routing->call_id);
    if (chosen == NULL)
        return false;
    struct ahoyd_marks marks;
    ahoyd_path_print_marks(server, event, &marks);
    const struct ahoy_proxy_target target = {
        .uri = path->target.text,
        .hop = { .transport = AHOY_UDP, .listener = AHOY_ANY_LISTENER, .remote = chosen->ip },
    };
    struct ahoy_buf no_rows = ahoy_buf_over(NULL, 0);
    struct ahoy_proxy_plan plan = {
        .targets = &target,
        .count = 1,
        .own_routes = path->own_routes,
        .restore_uri = path->restored,
        .record_route = ahoy_method_forms_dialog(event->message->method),
        .record_route_params = { marks.param, sizeof marks.param },
    };
    ahoyd_identity_settle(server, event, NULL, trunk->trusted, &plan, &no_rows);
    server->counters.forwarded++;
    ahoy_proxy_forward(server->proxy, event, &plan);
    return true;
}

bool ahoyd_serve_stateless_follower(struct ahoyd_server *server, const struct ahoy_event *event,
                                    const struct ahoyd_path *path, uint64_t now_ms)
{
    /* Nobody can be asked for a password here, and such a route is not for users. */
    const struct ahoyd_sender sender = {
        .caller = ahoyd_names_is_trunk(&server->names, &event->hop->remote) ? AHOYD_CALLER_TRUNK
                                                                            : AHOYD_CALLER_STRANGER
    };
    struct ahoyd_call call;
    if (path->domain != NULL || path->has_next || path->has_flow ||
        !ahoyd_routed_call(server, event, &sender, &path->target, NULL, now_ms, &call))
        return false;
    const struct ahoyd_route *route = ahoyd_routed_find(server, &call);
    return route != NULL && ahoyd_serve_stateless(server, event, path, route);
}

void ahoyd_serve_stray(struct ahoyd_server *server, const struct ahoy_event *event)
{
    struct ahoy_hop hop;
    if (ahoy_proxy_stray_hop(event, &hop) && hop.listener < server->options.listener_count &&
        ahoyd_policy_may_reach(server, &hop.remote, &event->hop->remote))
        ahoy_proxy_pass(server->proxy, event, &hop,
                        ahoyd_identity_way(server, &event->hop->remote, &hop.remote));
}
