/* A phone that registered over a connection is called over the same one: behind a NAT nothing else
 * leads to it, and its Contact may name a port on which nobody listens. */
#include "ahoyd/targets.h"

#include "ahoyd/authenticate.h"
#include "ahoyd/policy.h"
#include "libahoy/resolve/locate.h"

/* Whether the target of |uri| is a name, which has to be looked up. */
static bool is_name(const struct ahoy_uri *uri)
{
    struct ahoy_ip ip;
    struct span target = uri->host;
    (void)ahoy_uri_param(uri, SPAN("maddr"), &target); /* Where it is absent the host stays. */
    return uri->scheme != AHOY_SCHEME_OTHER && !ahoy_ip_parse(target, &ip);
}

static bool locate(const struct ahoy_uri *uri, struct ahoy_hop *hop, struct ahoy_err *err)
{
    enum ahoy_transport transport;
    *hop = (struct ahoy_hop){ .listener = AHOY_ANY_LISTENER };
    if (!ahoy_locate(uri, &transport, &hop->remote, err))
        return false;
    hop->transport = (uint8_t)transport;
    return true;
}

/* |hop| leads to the contact of |binding|: along the way that its REGISTER came, where that is one
 * of the same kind.  The listener is looked at again, as the configuration may have changed. */
static void follow_binding(const struct ahoyd_server *server, const struct ahoy_binding *binding,
                           struct ahoy_hop *hop)
{
    const struct ahoy_hop *came = &binding->hop;
    if (came->transport != hop->transport || came->listener >= server->options.listener_count)
        return;
    const struct ahoy_listener *listener = &server->options.listeners[came->listener];
    if (listener->transport != hop->transport || listener->local.family != hop->remote.family)
        return;
    hop->listener = came->listener;
    if (ahoy_transport_is_reliable(listener->transport)) {
        hop->connection = came->connection;
        hop->worker = came->worker;
    }
}

/* A contact that is a name, as those of phones behind a NAT often are, of nobody: it is reached by
 * the connection that it registered over.  False where there was none. */
static bool follow_connection(const struct ahoyd_server *server, const struct ahoy_binding *binding,
                              const struct ahoy_uri *contact, struct ahoy_hop *hop)
{
    struct span name;
    if (!ahoy_uri_param(contact, SPAN("transport"), &name) ||
        ahoy_transport_parse(name) != binding->hop.transport)
        return false;
    *hop = (struct ahoy_hop){ .transport = binding->hop.transport,
                              .listener = AHOY_ANY_LISTENER,
                              .remote = binding->hop.remote };
    follow_binding(server, binding, hop);
    return hop->connection.generation != 0;
}

/* False where nothing can be sent to |binding|. */
static bool target_binding(const struct ahoyd_server *server, const struct ahoy_binding *binding,
                           bool is_secure, struct ahoy_proxy_target *target)
{
    struct ahoy_uri contact;
    if (!ahoy_uri_parse(binding->contact, &contact, NULL) ||
        (is_secure && contact.scheme != AHOY_SCHEME_SIPS))
        return false;
    *target = (struct ahoy_proxy_target){ .uri = binding->contact, .source = binding->hop.remote };
    if (is_name(&contact)) {
        if (!follow_connection(server, binding, &contact, &target->hop)) {
            target->ways = &target->uri;
            target->way_count = 1;
        }
        return true;
    }
    if (!locate(&contact, &target->hop, NULL) ||
        !ahoyd_policy_may_reach(server, &target->hop.remote, &binding->hop.remote))
        return false;
    follow_binding(server, binding, &target->hop);
    return true;
}

size_t ahoyd_targets_of_user(struct ahoyd_server *server, struct span aor,
                             const struct ahoy_uri *uri, uint64_t now_ms)
{
    struct ahoy_bindings *bindings = &server->bindings;
    bool is_secure = uri->scheme == AHOY_SCHEME_SIPS;
    size_t count = 0;
    if (!ahoyd_store_find(server->options.store, aor, now_ms, bindings))
        return 0;
    for (size_t i = 0; i < bindings->count && count < AHOY_TARGETS_LIMIT; i++) {
        if (target_binding(server, &bindings->list[i], is_secure, &server->targets[count]))
            count++;
    }
    return count;
}

void ahoyd_targets_of_route(const struct ahoyd_server *server, const struct ahoyd_route *route,
                            const struct ahoy_uri *uri, struct ahoy_proxy_target *target)
{
    const struct ahoyd_trunk *trunk = &server->options.config->trunks[route->trunk];
    const struct ahoyd_trunk_target *first = &trunk->targets[0];
    *target = (struct ahoy_proxy_target){ .uri = uri->text };
    if (trunk->count == 1 && first->ip.family != AHOY_NO_FAMILY) {
        target->hop = (struct ahoy_hop){ .transport = (uint8_t)first->transport,
                                         .listener = AHOY_ANY_LISTENER,
                                         .remote = first->ip };
        return;
    }
    target->ways = trunk->uris;
    target->way_count = trunk->count;
}

/* The binding of the user whom To names that has |uri| as its contact; NULL where there is none. */
static const struct ahoy_binding *find_binding(struct ahoyd_server *server,
                                               const struct ahoy_event *event,
                                               const struct ahoy_uri *uri, uint64_t now_ms)
{
    char space[AHOYD_AOR_LIMIT];
    struct ahoy_buf aor = ahoy_buf_over(space, sizeof space);
    const struct ahoy_uri *to = &event->routing->to.uri;
    const struct ahoyd_domain *domain = ahoyd_names_domain(&server->names, to);
    if (domain == NULL || !ahoyd_print_aor(to, domain, &aor) ||
        !ahoyd_store_find(server->options.store, ahoy_buf_text(&aor), now_ms, &server->bindings))
        return NULL;
    for (size_t i = 0; i < server->bindings.count; i++) {
        struct ahoy_uri contact;
        if (ahoy_uri_parse(server->bindings.list[i].contact, &contact, NULL) &&
            ahoy_uri_equal(&contact, uri))
            return &server->bindings.list[i];
    }
    return NULL;
}

/* The next hop is a name. */
static void target_name(struct ahoyd_server *server, const struct ahoy_event *event,
                        const struct ahoyd_path *path, uint64_t now_ms,
                        struct ahoy_proxy_target *target)
{
    const struct ahoy_uri *uri = path->has_next ? &path->next : &path->target;
    const struct ahoy_binding *binding = NULL;
    if (!path->has_next)
        binding = find_binding(server, event, uri, now_ms);
    if (binding != NULL)
        target->source = binding->hop.remote;
    if (binding != NULL && follow_connection(server, binding, uri, &target->hop))
        return;
    target->ways = &uri->text;
    target->way_count = 1;
}

bool ahoyd_targets_in_dialog(struct ahoyd_server *server, const struct ahoy_event *event,
                             const struct ahoyd_path *path, uint64_t now_ms,
                             struct ahoy_proxy_target *target, struct ahoy_err *err)
{
    const struct ahoy_uri *uri = path->has_next ? &path->next : &path->target;
    *target = (struct ahoy_proxy_target){ .uri = path->target.text, .source = event->hop->remote };
    if (is_name(uri)) {
        target_name(server, event, path, now_ms, target);
        return true;
    }
    if (!locate(uri, &target->hop, err))
        return false;
    bool allowed = ahoyd_policy_may_reach(server, &target->hop.remote, &event->hop->remote);
    if (allowed && !ahoy_transport_is_reliable(target->hop.transport))
        return true;
    const struct ahoy_binding *binding = NULL;
    if (!path->has_next)
        binding = find_binding(server, event, uri, now_ms);
    if (binding != NULL) {
        follow_binding(server, binding, &target->hop);
        allowed = ahoyd_policy_may_reach(server, &target->hop.remote, &binding->hop.remote);
    }
    return allowed || ahoy_fail(err, 403, uri->text.at, "an address that may be reached");
}
