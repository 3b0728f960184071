/* A request on its way: RFC 3261 16.3 (is it sound), 16.4 (its Routes), the policy (may it), 16.5
 * (where to), and then the engine of tu/proxy. */
#include "ahoyd/admission.h"
#include "ahoyd/answer.h"
#include "ahoyd/aor.h"
#include "ahoyd/gruu.h"
#include "ahoyd/identity.h"
#include "ahoyd/routed.h"
#include "ahoyd/serve.h"
#include "ahoyd/targets.h"
#include "ahoyd/trunks.h"
#include "ahoyd/why.h"
#include "libahoy/base/unset.h"

static bool is_new_call(const struct ahoy_event *event)
{
    return event->message->method == AHOY_METHOD_INVITE && event->routing->to_tag.size == 0;
}

/* Where a request goes, and who sent it. */
struct course {
    const struct ahoyd_path *path;
    const struct ahoyd_domain *domain; /* Whose user is called; NULL for none of ours. */
    const struct ahoyd_wishes *wishes; /* Of him; NULL where nobody is asked for any. */
    struct ahoyd_sender sender;
    const struct ahoy_proxy_target *targets;
    size_t count;
    size_t meter;    /* Which of the server's counts it; 0 for that of all others. */
    bool in_dialog;  /* Nobody has asked who sends it. */
    bool to_trusted; /* RFC 3325 */
};

enum { ADDED_LIMIT = AHOYD_PATH_ROW_LIMIT + AHOYD_AOR_LIMIT + 64 };

static void start(struct ahoyd_server *server, const struct ahoy_event *event,
                  const struct course *course, uint64_t now_ms)
{
    struct ahoyd_marks marks;
    AHOY_UNSET char added[ADDED_LIMIT];
    struct ahoy_buf rows = ahoy_buf_over(added, sizeof added);
    bool forms_dialog = ahoy_method_forms_dialog(event->message->method);
    marks.flow_size = 0;
    if (forms_dialog)
        ahoyd_path_print_marks(server, event, &marks);
    ahoyd_path_print_path(server, event, &rows);
    const struct ahoyd_domain *domain = course->domain;
    struct ahoy_proxy_plan plan = {
        .targets = course->targets,
        .count = course->count,
        .tier_ms = domain != NULL ? domain->ring_time_s * 1000 : 0,
        .follows = domain != NULL && domain->follows && !course->wishes->no_recurse,
        .no_cancel = domain != NULL && course->wishes->no_cancel,
        .sender = (uint8_t)course->sender.caller,
        .urgency = ahoyd_admission_urgency(server, event),
        .tells_load = ahoyd_admission_tells(server, event),
        .own_routes = course->path->own_routes,
        .no_other_route = !course->path->has_next && !course->path->restored,
        .restore_uri = course->path->restored,
        .removed = course->sender.proof,
        .is_home = domain != NULL,
        .record_route = forms_dialog,
        .record_route_params = { marks.param, forms_dialog ? sizeof marks.param : 0 },
        .flow = { marks.flow, marks.flow_size },
        .meter = is_new_call(event) ? &server->meters[course->meter] : NULL,
    };
    ahoyd_identity_settle(server, event, course->in_dialog ? NULL : &course->sender,
                          course->to_trusted, &plan, &rows);
    plan.added = ahoy_buf_text(&rows);
    if (is_new_call(event) &&
        !ahoyd_policy_hold(server, event, &course->sender, now_ms, &plan.ticket))
        return;
    plan.ticket = ahoyd_trunks_ticket(server, plan.ticket);
    if (course->path->in_dialog && event->message->method == AHOY_METHOD_BYE)
        ahoyd_trunks_ended(server, event);
    server->counters.forwarded++;
    if (is_new_call(event))
        server->counters.calls++;
    ahoy_proxy_start(server->proxy, event, &plan, now_ms);
}

/* A GRUU that we once gave, though nobody is there now: R5627-6.1-1.  A temporary one is not good
 * any more (R5627-5.3-1).  Of a public one strangers do not learn whether its user exists. */
static bool is_good_gruu(const struct course *course, bool known)
{
    return ahoyd_gruu_kind(&course->path->target) == AHOYD_GRUU_PUBLIC &&
           (known || course->sender.caller == AHOYD_CALLER_STRANGER ||
            course->path->domain->auth == AHOYD_AUTH_NONE);
}

/* Whether he is there, but no phone of his is what the caller insists on (RFC 3841 7.2.4): that is
 * no secret, as any other call would ring. */
static bool is_unsuitable(struct ahoyd_server *server, const struct course *course, struct span aor,
                          uint64_t now_ms)
{
    return !course->wishes->preferences.is_implicit &&
           ahoyd_store_find(server->options.store, aor, now_ms, &server->bindings);
}

/* For strangers a user who is not there and one who never was are the same (attack 25).  Others are
 * told where it is sips that he cannot be reached by (R5630-5.3-4, R5630-5.4-2). */
static void answer_not_there(struct ahoyd_server *server, const struct ahoy_event *event,
                             const struct course *course, uint64_t now_ms)
{
    const struct ahoyd_domain *domain = course->path->domain;
    char space[AHOYD_AOR_LIMIT];
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    struct ahoyd_user user;
    bool is_one = ahoyd_aor_find(server, &course->path->target, domain, &buf);
    struct span aor = ahoy_buf_text(&buf);
    bool known = false;
    if (is_one && course->sender.caller != AHOYD_CALLER_STRANGER) {
        struct span name = { aor.at, ahoy_span_find(aor, '@') };
        known = ahoyd_store_user(server->options.store, name, domain->name, &user);
        explicit_bzero(&user, sizeof user);
    }
    struct ahoy_buf rows = ahoy_buf_over(server->rows, sizeof server->rows);
    if (known && course->path->target.scheme == AHOY_SCHEME_SIPS && server->bindings.count > 0) {
        ahoy_buf_put(&rows, SPAN("Warning: 380 "));
        ahoy_buf_put(&rows, domain->name);
        ahoy_buf_put(&rows, SPAN(" \"SIPS Not Allowed\"\r\n"));
    }
    if (course->path->names_instance)
        known = is_good_gruu(course, known);
    else if (!known && is_one)
        known = is_unsuitable(server, course, aor, now_ms);
    ahoyd_why(server, event,
              known                                            ? AHOY_CAUSE_NOT_REGISTERED
              : course->sender.caller == AHOYD_CALLER_STRANGER ? AHOY_CAUSE_NOT_THERE
                                                               : AHOY_CAUSE_UNKNOWN_USER,
              course->path->target.text);
    ahoyd_answer_with(server, event, known ? 480 : 404, /* R3261-16.5-7, R3261-16.5-8 */
                      ahoy_buf_text(&rows));
}

static void forward_to_user(struct ahoyd_server *server, const struct ahoy_event *event,
                            struct course *course, uint64_t now_ms)
{
    const struct ahoyd_domain *domain = course->path->domain;
    const struct ahoy_uri *uri = &course->path->target;
    struct ahoyd_wishes wishes;
    struct ahoy_err err;
    if (!ahoyd_wishes_read(event->message, &wishes, &err)) {
        ahoyd_answer(server, event, err.status);
        return;
    }
    course->domain = domain;
    course->meter = 1 + (size_t)(domain - server->options.config->domains);
    course->wishes = &wishes;
    course->targets = server->targets;
    course->count = 0;
    if (domain->mode != AHOYD_MODE_REDIRECT || course->path->names_instance)
        course->count = ahoyd_targets_of_user(server, event, &wishes, domain, uri, now_ms);
    else if (ahoyd_serve_redirect(server, event, course->path, now_ms))
        return;
    if (course->count == 0) {
        answer_not_there(server, event, course, now_ms);
        return;
    }
    ahoyd_why(server, event, AHOY_CAUSE_USER_FOUND, uri->text);
    start(server, event, course, now_ms);
}

/* To a phone that has registered elsewhere through us, as the token in our Path says. */
static void forward_down(struct ahoyd_server *server, const struct ahoy_event *event,
                         struct course *course, uint64_t now_ms)
{
    struct ahoy_err err;
    if (!ahoyd_targets_of_flow(server, event, course->path, &server->flows[0], &err)) {
        ahoyd_refuse(server, event, err.status, AHOY_CAUSE_NO_FLOW, course->path->target.text);
        return;
    }
    course->targets = &server->flows[0].target;
    course->count = 1;
    start(server, event, course, now_ms);
}

/* To one user, who is called as if the caller had named him. */
static void forward_to_leaf(struct ahoyd_server *server, const struct ahoy_event *event,
                            struct course *course, const struct ahoyd_call *call,
                            const struct ahoyd_leaf *leaf)
{
    struct ahoyd_path path = *course->path;
    char space[2 * AHOYD_AOR_LIMIT];
    struct ahoy_buf text = ahoy_buf_over(space, sizeof space);
    path.domain = leaf->domain;
    if (leaf->is_other) {
        ahoyd_routing_print_uri(call, leaf, &text);
        path.names_instance = false;
        if (!ahoy_uri_parse(ahoy_buf_text(&text), &path.target, NULL)) {
            ahoyd_answer(server, event, 404); /* A name that fits no URI is nobody's. */
            return;
        }
    }
    course->path = &path;
    forward_to_user(server, event, course, call->now_ms);
}

static size_t meter_of(const struct ahoyd_config *config, const struct ahoyd_leaf *leaf)
{
    return 1 + (leaf->trunk != NULL ? config->domain_count + (size_t)(leaf->trunk - config->trunks)
                                    : (size_t)(leaf->domain - config->domains));
}

static void tell_user(struct ahoyd_server *server, const struct ahoy_event *event,
                      enum ahoy_cause cause, struct span user, const struct ahoyd_domain *domain)
{
    char space[AHOYD_AOR_LIMIT];
    struct ahoy_buf aor = ahoy_buf_over(space, sizeof space);
    ahoy_buf_put(&aor, user);
    ahoy_buf_put_byte(&aor, '@');
    ahoy_buf_put(&aor, domain->name);
    ahoyd_why(server, event, cause, ahoy_buf_text(&aor));
}

static void tell_leaf(struct ahoyd_server *server, const struct ahoy_event *event,
                      const struct ahoyd_leaf *leaf)
{
    if (leaf->trunk != NULL)
        ahoyd_why(server, event, AHOY_CAUSE_TRUNK_CHOSEN, leaf->trunk->name);
    else
        tell_user(server, event, AHOY_CAUSE_USER_FOUND, leaf->user, leaf->domain);
}

/* To several at once or one after the other, or to a trunk. */
static void forward_to_leaves(struct ahoyd_server *server, const struct ahoy_event *event,
                              struct course *course, const struct ahoyd_call *call,
                              const struct ahoyd_leaves *leaves)
{
    struct ahoyd_wishes wishes;
    struct ahoy_arena arena;
    struct ahoy_err err;
    size_t trunks = 0, trusted = 0;
    for (size_t i = 0; i < leaves->count; i++) {
        trunks += leaves->at[i].trunk != NULL;
        trusted += leaves->at[i].trunk != NULL && leaves->at[i].trunk->trusted;
    }
    if (trunks < leaves->count && !ahoyd_wishes_read(event->message, &wishes, &err)) {
        ahoyd_answer(server, event, err.status);
        return;
    }
    course->to_trusted = trusted == leaves->count;
    course->meter = meter_of(server->options.config, &leaves->at[0]);
    course->wishes = &wishes;
    if (trunks == 0) /* Redirections by a trunk are not followed. */
        course->domain = leaves->at[0].domain;
    ahoy_arena_init(&arena, &server->waiting_chunks);
    course->targets = server->targets;
    course->count = ahoyd_routed_targets(server, event, &wishes, call, leaves, &arena);
    for (size_t i = 0; i < leaves->count && course->count > 0; i++)
        tell_leaf(server, event, &leaves->at[i]);
    if (course->count > 0)
        start(server, event, course, call->now_ms);
    else if (server->is_full) /* Why is noted. */
        ahoyd_answer_with(server, event, 503, SPAN("Retry-After: 1\r\n"));
    else /* R5630-5.3-2, R5630-5.3-4 */
        ahoyd_refuse(server, event, 480, trunks > 0 ? AHOY_CAUSE_UNSAFE : AHOY_CAUSE_NOT_REGISTERED,
                     call->uri->text);
    ahoy_arena_release(&arena);
}

/* The route itself has the answer. */
static void answer_by_route(struct ahoyd_server *server, const struct ahoy_event *event,
                            struct ahoyd_call *call, const struct ahoyd_route *route)
{
    struct ahoy_buf rows = ahoy_buf_over(server->rows, sizeof server->rows);
    if (route->reject == 0) {
        ahoy_buf_put(&rows, SPAN("Contact: <"));
        ahoyd_routing_print_redirect(call, route, &rows);
        ahoy_buf_put(&rows, SPAN(">\r\n"));
    }
    if (route->retry_after_s > 0) {
        ahoy_buf_put(&rows, SPAN("Retry-After: "));
        ahoy_buf_put_number(&rows, route->retry_after_s);
        ahoy_buf_put(&rows, SPAN("\r\n"));
    }
    const struct ahoyd_answer answer = { .status = route->reject > 0 ? route->reject : 302,
                                         .reason = route->reason,
                                         .rows = ahoy_buf_text(&rows) };
    if (route->reject > 0)
        ahoyd_why(server, event, AHOY_CAUSE_ROUTE_REFUSES, route->reason);
    ahoyd_answer_in_words(server, event, &answer);
}

static void forward_by_route(struct ahoyd_server *server, const struct ahoy_event *event,
                             struct course *course, struct ahoyd_call *call,
                             const struct ahoyd_route *route)
{
    AHOY_UNSET struct ahoyd_leaves leaves;
    char space[32];
    struct ahoy_buf line = ahoy_buf_over(space, sizeof space);
    ahoy_buf_put(&line, SPAN("line "));
    ahoy_buf_put_number(&line, (uint64_t)route->line);
    ahoyd_why(server, event, AHOY_CAUSE_ROUTED, ahoy_buf_text(&line));
    if (route->to.count == 0) {
        answer_by_route(server, event, call, route);
        return;
    }
    if (ahoyd_serve_stateless(server, event, course->path, route))
        return;
    ahoyd_routing_spread(call, route, &leaves);
    if (leaves.count == 1 && leaves.at[0].domain != NULL)
        forward_to_leaf(server, event, course, call, &leaves.at[0]);
    else
        forward_to_leaves(server, event, course, call, &leaves);
}

/* The trunk that the first route leads to which is not for this caller; empty for none. */
static void find_forbidden(void *context, const struct ahoyd_route *route,
                           enum ahoyd_condition failed)
{
    struct span *trunk = context;
    bool leads = route->to.count > 0 && route->to.at[0].kind == AHOYD_GOAL_TRUNK;
    if (trunk->size == 0 && failed == AHOYD_IF_FROM && leads)
        *trunk = route->to.at[0].text;
}

/* No route leads there, or none for this caller. */
static void refuse_unrouted(struct ahoyd_server *server, const struct ahoy_event *event,
                            const struct ahoyd_path *path, struct ahoyd_call *call)
{
    struct span trunk = SPAN("");
    const struct ahoyd_steps steps = { find_forbidden, &trunk };
    if (call->config != NULL)
        (void)ahoyd_routing_find(call, &steps);
    if (trunk.size > 0)
        ahoyd_refuse(server, event, 403, AHOY_CAUSE_FORBIDDEN_TRUNK, trunk);
    else
        ahoyd_refuse(server, event, 403, AHOY_CAUSE_NO_ROUTE, path->target.host);
}

/* Who calls, where that has been proved or is known by the address. */
static void tell_caller(struct ahoyd_server *server, const struct ahoy_event *event,
                        const struct ahoyd_sender *sender)
{
    const struct ahoyd_trunk *trunk = NULL;
    if (sender->caller == AHOYD_CALLER_TRUNK)
        trunk = ahoyd_names_trunk(&server->names, &event->hop->remote);
    if (trunk != NULL)
        ahoyd_why(server, event, AHOY_CAUSE_FROM_TRUNK, trunk->name);
    if (sender->domain != NULL)
        tell_user(server, event, AHOY_CAUSE_LOGGED_IN,
                  (struct span){ sender->user, sender->user_size }, sender->domain);
}

/* Whether a new call may go on by who begins it. */
static bool is_welcome(struct ahoyd_server *server, const struct ahoy_event *event,
                       const struct ahoyd_sender *sender, uint64_t now_ms)
{
    if (!is_new_call(event))
        return true;
    tell_caller(server, event, sender);
    return ahoyd_policy_pace(server, event, sender, now_ms);
}

/* A request that belongs to no dialog of ours. */
static void forward_new(struct ahoyd_server *server, const struct ahoy_event *event,
                        const struct ahoyd_path *path, uint64_t now_ms)
{
    struct course course = { .path = path };
    if (path->has_flow && path->flow_kind == AHOYD_FLOW_OF_NODE) {
        course.sender.is_judged = true; /* By the node that printed the token for this call. */
        forward_down(server, event, &course, now_ms);
        return;
    }
    if (!ahoyd_policy_sender(server, event, now_ms, &course.sender) ||
        !is_welcome(server, event, &course.sender, now_ms))
        return;
    if (path->has_flow) {
        forward_down(server, event, &course, now_ms);
        return;
    }
    if (path->has_next) {
        ahoyd_refuse(server, event, 403, AHOY_CAUSE_OWN_WAY, path->next.text);
        return;
    }
    const struct ahoyd_route *route = NULL;
    AHOY_UNSET struct ahoyd_call call;
    call.fault.is_told = false;
    call.config = NULL;
    if (!path->in_dialog && ahoyd_routed_call(server, event, &course.sender, &path->target,
                                              path->domain, now_ms, &call))
        route = ahoyd_routed_find(server, &call);
    if (call.fault.is_told)
        ahoyd_refuse(server, event, 500, AHOY_CAUSE_SCRIPT_FAILED, ahoy_span(call.fault.text));
    else if (route != NULL)
        forward_by_route(server, event, &course, &call, route);
    else if (path->domain != NULL)
        forward_to_user(server, event, &course, now_ms);
    else
        refuse_unrouted(server, event, path, &call);
}

static void forward_in_dialog(struct ahoyd_server *server, const struct ahoy_event *event,
                              const struct ahoyd_path *path, uint64_t now_ms)
{
    struct ahoy_proxy_target target;
    struct ahoy_err err;
    struct course course = { .path = path, .targets = &target, .count = 1, .in_dialog = true };
    if (!ahoyd_targets_in_dialog(server, event, path, now_ms, &target, &err)) {
        ahoyd_answer(server, event, err.status);
        return;
    }
    course.to_trusted = ahoyd_names_is_trusted(&server->names, &target.hop.remote);
    start(server, event, &course, now_ms);
}

/* Whether the request ends here: it names the server and nobody behind it, is a REGISTER of one of
 * our domains, whatever user that names, or asks what we know of a user. */
static bool is_for_us(const struct ahoyd_server *server, const struct ahoy_event *event,
                      const struct ahoyd_path *path)
{
    if (path->has_next || path->has_flow)
        return false;
    if (path->target.has_user && event->message->method != AHOY_METHOD_REGISTER)
        return ahoyd_serve_watches(event, path);
    return path->domain != NULL || ahoyd_names_is_own_address(&server->names, &path->target);
}

static void serve(struct ahoyd_server *server, const struct ahoy_event *event,
                  const struct ahoyd_path *path, uint64_t now_ms)
{
    if (event->message->method == AHOY_METHOD_REGISTER) {
        if (path->domain == NULL)
            ahoyd_answer(server, event, 404); /* Which of our domains is not said. */
        else if (server->draining)
            ahoyd_serve_later(server, event);
        else
            ahoyd_serve_register(server, event, path->domain, now_ms);
    } else if (event->message->method == AHOY_METHOD_SUBSCRIBE) {
        if (server->draining)
            ahoyd_serve_later(server, event);
        else
            ahoyd_serve_subscribe(server, event, path, now_ms);
    } else if (event->message->method != AHOY_METHOD_OPTIONS) {
        ahoyd_serve_not_allowed(server, event);
    } else if (ahoyd_serve_extensions(server, event, AHOY_HEADER_REQUIRE)) {
        ahoyd_serve_options(server, event);
    }
}

/* Whether the answer is a 3xx, whatever else is asked (8.3). */
static bool is_redirected(const struct ahoyd_path *path)
{
    return path->domain != NULL && path->domain->mode == AHOYD_MODE_REDIRECT &&
           !path->names_instance && /* RFC 5627 6.1 */
           path->target.has_user && !path->has_next && !path->has_flow;
}

/* Whether it came to an address that is listened on for what is under way only.  A connection is
 * under way. */
static bool comes_too_late(const struct ahoyd_server *server, const struct ahoy_event *event)
{
    const struct ahoy_hop *hop = event->hop;
    return event->routing->to_tag.size == 0 && !ahoy_transport_is_reliable(hop->transport) &&
           hop->listener < server->options.listener_count &&
           server->options.listeners[hop->listener].leaving;
}

void ahoyd_serve_request(struct ahoyd_server *server, const struct ahoy_event *event,
                         uint64_t now_ms)
{
    struct ahoyd_path path;
    struct ahoy_err err;
    if (comes_too_late(server, event)) {
        ahoyd_serve_later(server, event);
        return;
    }
    if (event->routing->request_uri.scheme == AHOY_SCHEME_OTHER) {
        ahoyd_answer(server, event, 416);
        return;
    }
    if (!ahoyd_path_read(server, event, &path, &err)) {
        ahoyd_answer(server, event, err.status);
        return;
    }
    if (path.forged) { /* RFC 5626 5.3.1 */
        ahoyd_refuse(server, event, 403, AHOY_CAUSE_FORGED, SPAN(""));
        return;
    }
    if (path.target.scheme == AHOY_SCHEME_OTHER) {
        ahoyd_answer(server, event, 416);
        return;
    }
    if (path.target.scheme == AHOY_SCHEME_SIPS &&
        !ahoy_transport_is_secure((enum ahoy_transport)event->hop->transport)) {
        ahoyd_refuse(server, event, 403, AHOY_CAUSE_UNSAFE, path.target.text);
        return;
    }
    bool for_us = is_for_us(server, event, &path);
    bool redirected = !for_us && is_redirected(&path);
    if (event->routing->max_forwards == 0 && !for_us && !redirected) {
        ahoyd_refuse(server, event, 483, AHOY_CAUSE_TOO_MANY_HOPS, SPAN("")); /* R3261-16.3-7, -8 */
        return;
    }
    if (!redirected && /* R3261-8.3-2 */
        !ahoyd_serve_extensions(server, event, AHOY_HEADER_PROXY_REQUIRE))
        return; /* R3261-16.3-9 */
    if (for_us)
        serve(server, event, &path, now_ms);
    else if (server->draining && is_new_call(event))
        ahoyd_serve_later(server, event);
    else if (path.in_dialog &&
             (path.has_flow || path.has_next || path.domain == NULL || path.names_instance))
        forward_in_dialog(server, event, &path, now_ms);
    else /* For a user of ours his bindings say where he is, in a dialog too. */
        forward_new(server, event, &path, now_ms);
}

/* An ACK is never answered: what may not be forwarded is dropped. */
void ahoyd_serve_ack(struct ahoyd_server *server, const struct ahoy_event *event, uint64_t now_ms)
{
    struct ahoyd_path path;
    struct ahoy_proxy_target target;
    struct ahoy_err err;
    if (event->routing->max_forwards == 0 || !ahoyd_path_read(server, event, &path, &err) ||
        path.forged)
        return;
    if (!path.in_dialog) {
        /* Or it is dropped. */
        (void)ahoyd_serve_stateless_follower(server, event, &path, now_ms);
        return;
    }
    if (!ahoyd_targets_in_dialog(server, event, &path, now_ms, &target, &err))
        return;
    const struct ahoy_proxy_plan plan = {
        .targets = &target,
        .count = 1,
        .own_routes = path.own_routes,
        .no_other_route = !path.has_next && !path.restored,
        .restore_uri = path.restored
    };
    ahoy_proxy_forward(server->proxy, event, &plan);
}

void ahoyd_serve_cancel(struct ahoyd_server *server, const struct ahoy_event *event,
                        uint64_t now_ms)
{
    struct ahoyd_path path;
    struct ahoy_err err;
    if (event->transaction.generation != 0)
        ahoyd_answer(server, event, 200); /* 9.2: it matches what has been answered. */
    else if (!ahoyd_path_read(server, event, &path, &err))
        ahoyd_answer(server, event, err.status);
    else if (event->routing->max_forwards == 0)
        ahoyd_answer(server, event, 483);
    else if (is_redirected(&path))
        ahoyd_answer(server, event, 200); /* S3261-8.3-1: there is nothing to end. */
    else if (!ahoyd_serve_stateless_follower(server, event, &path, now_ms))
        ahoyd_answer(server, event, 481); /* 9.2: it matches nothing. */
}
