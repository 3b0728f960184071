/* A phone that registered over a connection is called over the same one: behind a NAT nothing else
 * leads to it, and its Contact may name a port on which nobody listens. */
#include "ahoyd/targets.h"

#include "ahoyd/aor.h"
#include "ahoyd/gruu.h"
#include "ahoyd/node.h"
#include "ahoyd/policy.h"
#include "ahoyd/push.h"
#include "libahoy/resolve/locate.h"
#include "libahoy/syntax/params.h"

/* Whether the target of |uri| is a name, which has to be looked up. */
static bool is_name(const struct ahoy_uri *uri)
{
    struct ahoy_ip ip;
    struct span target = uri->host;
    (void)ahoy_uri_param(uri, SPAN("maddr"), &target); /* Where it is absent the host stays. */
    return uri->scheme != AHOY_SCHEME_OTHER && !ahoy_ip_parse(target, &ip);
}

/* The domain that the far end must prove is the URI's own, whatever maddr and DNS make of it
 * (RFC 5922 7.3). */
static bool locate(const struct ahoyd_server *server, const struct ahoy_uri *uri,
                   struct ahoy_hop *hop, struct ahoy_err *err)
{
    enum ahoy_transport transport;
    *hop = (struct ahoy_hop){ .listener = AHOY_ANY_LISTENER };
    if (!ahoy_locate(uri, &transport, &hop->remote, err))
        return false;
    hop->transport = (uint8_t)transport;
    hop->domain = ahoy_stack_domain(server->stack, transport, uri->host);
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
    bool is_reliable = ahoy_transport_is_reliable(listener->transport);
    if (listener->transport != hop->transport || listener->local.family != hop->remote.family ||
        (listener->leaving && !is_reliable))
        return;
    hop->listener = came->listener;
    if (is_reliable) {
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

/* Whether |uri| names the client of a WebSocket.  Nobody can connect to one; it is reached by the
 * connection that it has opened, and says ws, whether that is above TLS or not (RFC 7118 5.2). */
static bool is_websocket(const struct ahoy_uri *uri)
{
    struct span name;
    return ahoy_uri_param(uri, SPAN("transport"), &name) &&
           ahoy_transport_is_websocket(ahoy_transport_parse(name));
}

/* The way back to such a client that registered |binding|; false where that came by another, or
 * the connection stands no more. */
static bool follow_websocket(const struct ahoyd_server *server, const struct ahoy_binding *binding,
                             struct ahoy_hop *hop)
{
    const struct ahoy_hop *came = &binding->hop;
    if (!ahoy_transport_is_websocket((enum ahoy_transport)came->transport) ||
        came->listener >= server->options.listener_count ||
        server->options.listeners[came->listener].transport != came->transport ||
        !ahoy_stack_stands(server->stack, came))
        return false;
    *hop = *came;
    return true;
}

/* A sip request stays one: a sips contact is written as sip, and still called by TLS (R5630-5.3-5,
 * R5630-5.3-6, R5630-5.3-7).  |contact| is the server's own copy, and so it may change. */
static struct span as_sip(struct span contact)
{
    char *at = (char *)(uintptr_t)contact.at + 1;
    memcpy(at, "sip:", 4);
    return ahoy_span_after(contact, 1);
}

/* What is looked for on behalf of a request. */
struct search {
    struct ahoyd_server *server;
    struct span call_id;
    bool is_secure;
    struct span sleeper; /* Whose phones are woken where they sleep; empty: nobody's. */
    uint64_t now_ms;
};

/* Whether |hop| is a flow that stands; its listener is looked at again. */
static bool stands(const struct ahoyd_server *server, struct ahoy_hop *hop)
{
    if (ahoy_transport_is_reliable(hop->transport))
        return ahoy_stack_is_open(server->stack, hop);
    if (hop->listener >= server->options.listener_count ||
        server->options.listeners[hop->listener].transport != hop->transport ||
        server->options.listeners[hop->listener].leaving)
        hop->listener = AHOY_ANY_LISTENER;
    return true;
}

/* Sends down |hop|, and has the later requests of the call come that way too.  False where it does
 * not stand any more. */
static bool go_down(const struct ahoyd_server *server, struct span call_id,
                    const struct ahoy_hop *hop, struct ahoyd_flow *flow)
{
    struct ahoy_buf token = ahoy_buf_over(flow->token, sizeof flow->token);
    ahoyd_flow_print(&server->flow_key, AHOYD_FLOW_OF_CALL, hop, call_id, &token);
    flow->target.flow = ahoy_buf_text(&token);
    flow->target.hop = *hop;
    return stands(server, &flow->target.hop);
}

/* The Path of |binding| is where a request to it goes first (RFC 3327 5.3). */
static bool target_path(const struct ahoyd_server *server, const struct ahoy_binding *binding,
                        struct ahoyd_flow *flow)
{
    struct ahoy_proxy_target *target = &flow->target;
    struct span path = binding->path;
    struct span first;
    struct ahoy_address address;
    if (!ahoy_list_next(&path, &first, NULL) || !ahoy_address_parse(first, &address, NULL))
        return false;
    target->routes = binding->path;
    if (is_name(&address.uri)) {
        flow->way = address.uri.text;
        target->ways = &flow->way;
        target->way_count = 1;
        return true;
    }
    return locate(server, &address.uri, &target->hop, NULL) &&
           ahoyd_policy_may_reach(server, &target->hop.remote, &binding->hop.remote);
}

/* Through the node that holds the flow.  Its URI is the operator's, so it may be reached. */
static bool target_node(const struct search *search, const struct ahoyd_node_way *way,
                        struct ahoyd_flow *flow)
{
    struct ahoy_proxy_target *target = &flow->target;
    struct ahoy_buf route = ahoy_buf_over(flow->route, sizeof flow->route);
    ahoyd_node_print_route(search->server, way, search->call_id, &route);
    target->routes = ahoy_buf_text(&route);
    target->source = (struct ahoy_ip){ .family = AHOY_NO_FAMILY };
    if (is_name(&way->uri)) {
        flow->way = way->uri.text;
        target->ways = &flow->way;
        target->way_count = 1;
        return true; /* A sips request finds safe servers only. */
    }
    return locate(search->server, &way->uri, &target->hop, NULL) &&
           (!search->is_secure ||
            ahoy_transport_is_secure((enum ahoy_transport)target->hop.transport));
}

/* Whether the phone of |binding| has to be woken before anything is sent to it: one that has just
 * registered is awake (RFC 8599 5.6.2). */
static bool sleeps(const struct search *search, const struct ahoy_binding *binding)
{
    struct ahoy_push push;
    return search->sleeper.size > 0 && ahoyd_push_serves(search->server, binding, &push) &&
           search->now_ms >= binding->updated_ms + AHOYD_PUSH_AWAKE_MS;
}

/* False where nothing can be sent to |binding|; to a sip contact nothing that is sips
 * (R5630-5.3-2, R5630-5.3-3). */
static bool target_binding(const struct search *search, const struct ahoy_binding *binding,
                           struct ahoyd_flow *flow)
{
    const struct ahoyd_server *server = search->server;
    struct ahoy_proxy_target *target = &flow->target;
    struct ahoy_uri contact;
    if (!ahoy_uri_parse(binding->contact, &contact, NULL) ||
        (search->is_secure && contact.scheme != AHOY_SCHEME_SIPS))
        return false;
    *target = (struct ahoy_proxy_target){ .uri = binding->contact,
                                          .source = binding->hop.remote,
                                          .q = binding->q };
    if (sleeps(search, binding)) {
        target->sleeper = search->sleeper;
        return true;
    }
    if (contact.scheme == AHOY_SCHEME_SIPS && !search->is_secure) {
        target->uri = as_sip(binding->contact);
        target->is_secure = true;
    }
    struct ahoyd_node_way way;
    if (ahoyd_node_read(server, binding->path, &way))
        return target_node(search, &way, flow);
    if (binding->path.size > 0)
        return target_path(server, binding, flow);
    bool is_safe = ahoy_transport_is_secure((enum ahoy_transport)binding->hop.transport);
    if (binding->reg_id != 0) /* R5626-7-3; not one that has ended: R5626-7-4, R5626-7-5. */
        return (is_safe || contact.scheme != AHOY_SCHEME_SIPS) &&
               go_down(server, search->call_id, &binding->hop, flow);
    if (is_websocket(&contact))
        return follow_websocket(server, binding, &target->hop);
    if (is_name(&contact)) {
        if (!follow_connection(server, binding, &contact, &target->hop)) {
            target->ways = &target->uri;
            target->way_count = 1;
        }
        return true;
    }
    if (!locate(server, &contact, &target->hop, NULL) ||
        !ahoyd_policy_may_reach(server, &target->hop.remote, &binding->hop.remote))
        return false;
    follow_binding(server, binding, &target->hop);
    return true;
}

/* Whether both are of one phone: of an instance, or of what a push service wakes, as a phone that
 * comes back from another address leaves its old binding behind. */
static bool is_same_phone(const struct ahoyd_server *server, const struct ahoy_binding *a,
                          const struct ahoy_binding *b)
{
    if (a->instance.size > 0 && b->instance.size > 0)
        return ahoy_span_equal(a->instance, b->instance);
    return a == b || ahoyd_push_is_same(server, a, b);
}

/* The binding of the phone of |first| that was not |taken| and registered last; as many as there
 * are where there is none. */
static size_t find_freshest(const struct ahoyd_server *server, size_t first, const bool *taken)
{
    const struct ahoy_bindings *bindings = &server->bindings;
    size_t freshest = bindings->count;
    for (size_t i = 0; i < bindings->count; i++) {
        if (!taken[i] && is_same_phone(server, &bindings->list[i], &bindings->list[first]) &&
            (freshest == bindings->count ||
             bindings->list[i].updated_ms > bindings->list[freshest].updated_ms))
            freshest = i;
    }
    return freshest;
}

/* Makes one target of all bindings of the phone of |first|, the freshest flow at its head and
 * the others behind it: R5626-7-1.  False where none can be reached. */
static bool target_instance(const struct search *search, size_t first, bool *taken,
                            struct ahoy_proxy_target *target)
{
    const struct ahoy_bindings *bindings = &search->server->bindings;
    const struct ahoy_proxy_target *head = NULL;
    const struct ahoy_proxy_target **link = &head;
    size_t i;
    while ((i = find_freshest(search->server, first, taken)) < bindings->count) {
        struct ahoyd_flow *flow = &search->server->flows[i];
        taken[i] = true;
        if (target_binding(search, &bindings->list[i], flow)) {
            *link = &flow->target;
            link = &flow->target.next;
        }
    }
    if (head != NULL)
        *target = *head;
    return head != NULL;
}

/* A phone is woken for what begins something, not for the requests of a dialog, which it has kept
 * itself awake for (RFC 8599 5.6.2). */
static bool may_wake(const struct ahoy_event *event)
{
    return event->routing->to_tag.size == 0 && event->message->method != AHOY_METHOD_ACK;
}

size_t ahoyd_targets_of_user(struct ahoyd_server *server, const struct ahoy_event *event,
                             const struct ahoyd_wishes *wishes, const struct ahoyd_domain *domain,
                             const struct ahoy_uri *uri, uint64_t now_ms)
{
    struct ahoy_buf aor = ahoy_buf_over(server->sleeping_aor, sizeof server->sleeping_aor);
    struct ahoy_bindings *bindings = &server->bindings;
    struct ahoyd_choice choices[AHOY_BINDINGS_LIMIT];
    uint16_t scores[AHOY_BINDINGS_LIMIT];
    struct search search = { .server = server,
                             .call_id = event->routing->call_id,
                             .is_secure = uri->scheme == AHOY_SCHEME_SIPS,
                             .now_ms = now_ms };
    bool taken[AHOY_BINDINGS_LIMIT] = { false };
    size_t count = 0;
    if (!ahoyd_aor_find(server, uri, domain, &aor) || /* R3261-16.5-3 */
        !ahoyd_node_find(server, ahoy_buf_text(&aor), now_ms))
        return 0;
    if (may_wake(event))
        search.sleeper = ahoy_buf_text(&aor);
    if (ahoyd_gruu_kind(uri) != AHOYD_GRUU_NONE)
        ahoyd_gruu_narrow(server, uri, ahoy_buf_text(&aor), bindings);
    ahoyd_wishes_narrow(wishes, bindings, scores);
    for (size_t i = 0; i < bindings->count; i++) {
        if (taken[i] || !target_instance(&search, i, taken, &choices[count].target))
            continue;
        choices[count++].score = scores[i];
    }
    return ahoyd_wishes_order(wishes, domain, choices, count, server->targets);
}

bool ahoyd_targets_of_sleeper(struct ahoyd_server *server, const struct ahoy_event *event,
                              size_t index, struct ahoy_proxy_target *target)
{
    const struct search search = { .server = server,
                                   .call_id = event->routing->call_id,
                                   .is_secure =
                                       event->routing->request_uri.scheme == AHOY_SCHEME_SIPS };
    bool taken[AHOY_BINDINGS_LIMIT] = { false };
    return target_instance(&search, index, taken, target);
}

/* Whether |uri|, which leads to |hop|, is the contact of |binding|, or names the far end of the
 * connection that registered it: phones that nobody can connect to write that into their calls. */
static bool is_of_binding(const struct ahoy_binding *binding, const struct ahoy_uri *uri,
                          const struct ahoy_hop *hop)
{
    struct ahoy_uri contact;
    return (ahoy_uri_parse(binding->contact, &contact, NULL) && ahoy_uri_equal(&contact, uri)) ||
           (binding->hop.transport == hop->transport &&
            ahoy_ip_equal(&binding->hop.remote, &hop->remote));
}

/* The binding of the user whom To names that |uri|, which leads to |hop|, belongs to; NULL where
 * there is none. */
static const struct ahoy_binding *find_binding(struct ahoyd_server *server,
                                               const struct ahoy_event *event,
                                               const struct ahoy_uri *uri,
                                               const struct ahoy_hop *hop, uint64_t now_ms)
{
    char space[AHOYD_AOR_LIMIT];
    struct ahoy_buf aor = ahoy_buf_over(space, sizeof space);
    const struct ahoy_uri *to = &event->routing->to.uri;
    const struct ahoyd_domain *domain = ahoyd_names_domain(&server->names, to);
    if (domain == NULL || !ahoyd_aor_find(server, to, domain, &aor) ||
        !ahoyd_node_find(server, ahoy_buf_text(&aor), now_ms))
        return NULL;
    for (size_t i = 0; i < server->bindings.count; i++) {
        if (is_of_binding(&server->bindings.list[i], uri, hop))
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
        binding = find_binding(server, event, uri, &target->hop, now_ms);
    if (binding != NULL)
        target->source = binding->hop.remote;
    if (binding != NULL && follow_connection(server, binding, uri, &target->hop))
        return;
    target->ways = &uri->text;
    target->way_count = 1;
}

bool ahoyd_targets_of_flow(const struct ahoyd_server *server, const struct ahoy_event *event,
                           const struct ahoyd_path *path, struct ahoyd_flow *flow,
                           struct ahoy_err *err)
{
    flow->target = (struct ahoy_proxy_target){ .uri = path->target.text };
    /* 430 is for the proxy that knows further flows, not for the far end of a call (RFC 5626 5.3,
     * 11.5). */
    unsigned status = path->flow_kind == AHOYD_FLOW_OF_CALL ? 480 : 430;
    return go_down(server, event->routing->call_id, &path->flow, flow) ||
           ahoy_fail(err, status, path->target.text.at, "a flow that still stands");
}

/* The way to the client of a WebSocket: that of its registration.  Where it never registered, a
 * token in our Record-Route leads there, and one of others' Routes leads to none. */
static bool find_websocket(struct ahoyd_server *server, const struct ahoy_event *event,
                           const struct ahoyd_path *path, uint64_t now_ms, struct ahoy_hop *hop)
{
    if (path->has_next)
        return false;
    const struct ahoy_hop nowhere = { .transport = AHOY_TRANSPORT_OTHER };
    const struct ahoy_binding *binding =
        find_binding(server, event, &path->target, &nowhere, now_ms);
    return binding != NULL && follow_websocket(server, binding, hop);
}

static bool target_in_dialog(struct ahoyd_server *server, const struct ahoy_event *event,
                             const struct ahoyd_path *path, uint64_t now_ms,
                             struct ahoy_proxy_target *target, struct ahoy_err *err)
{
    if (path->has_flow) {
        bool found = ahoyd_targets_of_flow(server, event, path, &server->flows[0], err);
        *target = server->flows[0].target;
        return found;
    }
    const struct ahoy_uri *uri = path->has_next ? &path->next : &path->target;
    struct ahoy_uri next = *uri;
    *target = (struct ahoy_proxy_target){ .uri = path->target.text, .source = event->hop->remote };
    if (path->target.scheme == AHOY_SCHEME_SIPS)
        next.scheme = AHOY_SCHEME_SIPS; /* R3261-16.6-30: its whole way is safe. */
    struct ahoy_hop hop;
    if (!locate(server, &next, &hop, err)) {
        if (is_websocket(uri))
            return find_websocket(server, event, path, now_ms, &target->hop) ||
                   ahoy_fail(err, 480, uri->text.at, "a WebSocket that stands");
        if (!is_name(uri))
            return false;
        target_name(server, event, path, now_ms, target);
        return true;
    }
    target->hop = hop;
    bool allowed = ahoyd_policy_may_reach(server, &target->hop.remote, &event->hop->remote);
    if (allowed && !ahoy_transport_is_reliable(target->hop.transport))
        return true;
    const struct ahoy_binding *binding = NULL;
    if (!path->has_next)
        binding = find_binding(server, event, uri, &target->hop, now_ms);
    if (binding != NULL) {
        follow_binding(server, binding, &target->hop);
        allowed = ahoyd_policy_may_reach(server, &target->hop.remote, &binding->hop.remote);
    }
    return allowed || ahoy_fail(err, 403, uri->text.at, "an address that may be reached");
}

/* A GRUU is replaced by the contact that it is bound to; where a Route says how to get there, the
 * Path of that does not count: R5627-6.1-4. */
static bool target_gruu(struct ahoyd_server *server, const struct ahoy_event *event,
                        const struct ahoyd_path *path, uint64_t now_ms,
                        struct ahoy_proxy_target *target, struct ahoy_err *err)
{
    struct ahoyd_wishes wishes;
    if (!ahoyd_wishes_read(event->message, &wishes, err))
        return false;
    if (ahoyd_targets_of_user(server, event, &wishes, path->domain, &path->target, now_ms) == 0) {
        bool is_good = ahoyd_gruu_kind(&path->target) == AHOYD_GRUU_PUBLIC;
        return ahoy_fail(err, is_good ? 480 : 404, path->target.text.at, "an instance");
    }
    *target = server->targets[0];
    if (!path->has_flow && !path->has_next)
        return true;
    struct span contact = target->uri;
    bool found = target_in_dialog(server, event, path, now_ms, target, err);
    target->uri = contact;
    return found;
}

bool ahoyd_targets_in_dialog(struct ahoyd_server *server, const struct ahoy_event *event,
                             const struct ahoyd_path *path, uint64_t now_ms,
                             struct ahoy_proxy_target *target, struct ahoy_err *err)
{
    bool found = path->names_instance ? target_gruu(server, event, path, now_ms, target, err)
                                      : target_in_dialog(server, event, path, now_ms, target, err);
    if (!found)
        return false;
    target->is_neighbour =
        target->way_count == 0 && ahoyd_names_is_trunk_target(&server->names, &target->hop.remote);
    return true;
}
