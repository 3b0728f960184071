/* Redirections, ours and those of others: a domain that answers 302 in place of forwarding (RFC
 * 3261 8.3), and Contacts of a 3xx that are followed (16.7 step 4).  Whoever redirects a call to
 * him gets it no further than the caller could have called: to our users, and by the routes that
 * he may use. */
#include "ahoyd/answer.h"
#include "ahoyd/aor.h"
#include "ahoyd/routed.h"
#include "ahoyd/serve.h"
#include "ahoyd/targets.h"
#include "ahoyd/trunks.h"
#include "libahoy/syntax/params.h"
#include "libahoy/tu/registrar.h"

/* Whether the contact of |binding| may stand in a redirection of |uri|: not that itself, and
 * nothing less safe (R3261-8.3-1, 26.4.4). */
static bool is_elsewhere(const struct ahoy_binding *binding, const struct ahoy_uri *uri)
{
    struct ahoy_uri contact;
    return ahoy_uri_parse(binding->contact, &contact, NULL) && !ahoy_uri_equal(&contact, uri) &&
           (uri->scheme != AHOY_SCHEME_SIPS || contact.scheme == AHOY_SCHEME_SIPS);
}

bool ahoyd_serve_redirect(struct ahoyd_server *server, const struct ahoy_event *event,
                          const struct ahoyd_path *path, uint64_t now_ms)
{
    struct ahoy_bindings *bindings = &server->bindings;
    char space[AHOYD_AOR_LIMIT];
    struct ahoy_buf aor = ahoy_buf_over(space, sizeof space);
    size_t count = 0;
    if (!ahoyd_aor_find(server, &path->target, path->domain, &aor) ||
        !ahoyd_store_find(server->options.store, ahoy_buf_text(&aor), now_ms, bindings))
        return false;
    size_t found = bindings->count;
    for (size_t i = 0; i < found; i++) {
        if (is_elsewhere(&bindings->list[i], &path->target))
            bindings->list[count++] = bindings->list[i];
    }
    bindings->count = count;
    struct ahoy_buf rows = ahoy_buf_over(server->rows, sizeof server->rows);
    ahoy_registrar_print(bindings, now_ms, &rows);
    bindings->count = found;
    if (ahoy_buf_text(&rows).size == 0)
        return false;
    ahoyd_answer_with(server, event, 302, ahoy_buf_text(&rows));
    return true;
}

/* What is looked for on behalf of a caller who was redirected. */
struct search {
    struct ahoyd_server *server;
    const struct ahoy_proxy_redirection *redirection;
    const struct ahoyd_wishes *wishes;
    struct ahoy_arena *arena;
    uint64_t now_ms;
};

/* The targets that |uri| of |domain|, ours or not, stands for: by the route that the caller would
 * have taken himself. */
static size_t find_routed(const struct search *search, const struct ahoy_uri *uri,
                          const struct ahoyd_domain *domain)
{
    struct ahoyd_server *server = search->server;
    const struct ahoy_event *request = search->redirection->request;
    const struct ahoyd_sender sender = { .caller = (enum ahoyd_caller)search->redirection->sender };
    const struct ahoyd_route *route = NULL;
    struct ahoyd_call call;
    struct ahoyd_leaves leaves;
    call.fault.is_told = false;
    if (ahoyd_routed_call(server, request, &sender, uri, domain, search->now_ms, &call))
        route = ahoyd_routed_find(server, &call);
    if (route == NULL && domain != NULL && !call.fault.is_told)
        return ahoyd_targets_of_user(server, request, search->wishes, domain, uri, search->now_ms);
    if (route == NULL || route->to.count == 0) /* He would have been refused, or sent elsewhere. */
        return 0;
    ahoyd_routing_spread(&call, route, &leaves);
    return ahoyd_routed_targets(server, request, search->wishes, &call, &leaves, search->arena);
}

/* The targets that |uri| stands for, in server->targets; their count.  Neither what is sips goes to
 * what is not, nor the other way about (R5630-5.3-8, R5630-5.3-9). */
static size_t find_targets(const struct search *search, const struct ahoy_uri *uri)
{
    struct span maddr;
    enum ahoy_scheme scheme = search->redirection->request->routing->request_uri.scheme;
    bool is_secure = scheme == AHOY_SCHEME_SIPS;
    if (uri->scheme == AHOY_SCHEME_OTHER || is_secure != (uri->scheme == AHOY_SCHEME_SIPS) ||
        ahoy_uri_param(uri, SPAN("maddr"), &maddr))
        return 0;
    const struct ahoyd_domain *domain = ahoyd_names_domain(&search->server->names, uri);
    if (domain != NULL && (!uri->has_user || domain->mode == AHOYD_MODE_REDIRECT))
        return 0;
    return find_routed(search, uri, domain);
}

/* What the Contact number |number| of |event| stands for joins the target set, with its q. */
static void take_contact(const struct search *search, const struct ahoy_event *event,
                         struct ahoy_proxy_redirection *redirection, unsigned number,
                         struct span text)
{
    struct ahoyd_server *server = search->server;
    struct ahoy_address contact;
    struct ahoy_param param;
    uint16_t q = 1000;
    if (!ahoy_address_parse(text, &contact, NULL))
        return;
    if (ahoy_params_find(contact.params, SPAN("q"), &param) &&
        !ahoy_registrar_read_q(param.value, &q))
        return;
    size_t count = find_targets(search, &contact.uri);
    for (size_t i = 0; i < count; i++)
        server->targets[i].q = (uint16_t)(server->targets[i].q * q / 1000);
    ahoy_proxy_add(server->proxy, event, redirection, number, server->targets, count);
}

/* Follows |event|, a 3xx, where that is to be followed.  Kept apart, so that other responses do not
 * pay for its locals. */
__attribute__((noinline)) static bool follow(struct ahoyd_server *server,
                                             const struct ahoy_event *event, uint64_t now_ms)
{
    struct ahoy_proxy_redirection redirection;
    struct ahoyd_marks marks;
    struct ahoyd_wishes wishes;
    if (!ahoy_proxy_redirects(server->proxy, event, &redirection, now_ms))
        return false;
    ahoyd_path_print_marks(server, redirection.request, &marks);
    redirection.record_route_params = (struct span){ marks.param, sizeof marks.param };
    redirection.flow = (struct span){ marks.flow, marks.flow_size };
    struct ahoy_values values = ahoy_message_values(event->message, AHOY_HEADER_CONTACT);
    struct span text;
    struct ahoy_arena arena;
    const struct search search = { server, &redirection, &wishes, &arena, now_ms };
    bool is_read = ahoyd_wishes_read(redirection.request->message, &wishes, NULL);
    ahoy_arena_init(&arena, &server->waiting_chunks);
    for (unsigned i = 0; is_read && ahoy_values_next(&values, &text, NULL); i++)
        take_contact(&search, event, &redirection, i, text);
    ahoy_arena_release(&arena);
    ahoy_proxy_follow(server->proxy, event, &redirection, now_ms);
    return true;
}

void ahoyd_serve_response(struct ahoyd_server *server, const struct ahoy_event *event,
                          uint64_t now_ms)
{
    bool redirects = event->kind == AHOY_EVENT_RESPONSE && event->message->status / 100 == 3;
    ahoyd_trunks_answered(server, event, now_ms);
    if (!redirects || !follow(server, event, now_ms))
        ahoy_proxy_step(server->proxy, event, now_ms);
}
