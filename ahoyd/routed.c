/* Several users are called at once by one target set, so that what is found of each is kept until
 * that of the others has been found too. */
#include "ahoyd/routed.h"

#include "ahoyd/aor.h"
#include "ahoyd/probes.h"
#include "ahoyd/targets.h"
#include "ahoyd/trunks.h"
#include "libahoy/base/log.h"
#include "libahoy/base/unset.h"
#include "libahoy/resolve/weigh.h"

enum { URI_SIZE = 1024, FIRST_Q = 1000, SCRIPT_TOLD_MS = 1000 };

/* Who calls, where his user was proved, or else as From says: that he is one of ours was found to
 * be enough. */
static void find_caller(const struct ahoyd_server *server, const struct ahoy_event *event,
                        const struct ahoyd_sender *sender, struct ahoyd_call *call)
{
    const struct ahoy_uri *from = &event->routing->from.uri;
    call->caller_domain = sender->domain;
    call->caller_user = (struct span){ sender->user, sender->user_size };
    if (call->caller != AHOYD_CALLER_USER || sender->domain != NULL)
        return;
    char space[AHOYD_AOR_LIMIT];
    struct ahoy_buf aor = ahoy_buf_over(space, sizeof space);
    struct ahoy_buf user = ahoy_buf_over(call->caller_text, sizeof call->caller_text);
    const struct ahoyd_domain *domain = ahoyd_names_domain(&server->names, from);
    if (domain == NULL || !ahoyd_aor_find(server, from, domain, &aor))
        return;
    ahoy_buf_put(&user, (struct span){ space, aor.size - domain->name.size - 1 });
    call->caller_user = ahoy_buf_text(&user);
    call->caller_domain = user.overflow ? NULL : domain;
}

bool ahoyd_routed_call(const struct ahoyd_server *server, const struct ahoy_event *event,
                       const struct ahoyd_sender *sender, const struct ahoy_uri *uri,
                       const struct ahoyd_domain *domain, uint64_t now_ms, struct ahoyd_call *call)
{
    struct ahoyd_routes routes = ahoyd_names_routes(&server->names, uri, domain);
    if (routes.own == 0 && routes.common == 0)
        return false;
    call->config = server->options.config;
    call->message = event->message;
    call->uri = uri;
    call->domain = domain;
    call->routes = routes;
    call->hop = event->hop;
    call->caller = sender->caller;
    call->trunk = NULL;
    if (sender->caller == AHOYD_CALLER_TRUNK)
        call->trunk = ahoyd_names_trunk(&server->names, &event->hop->remote);
    if (sender->caller == AHOYD_CALLER_TRUNK && call->trunk == NULL)
        call->caller = AHOYD_CALLER_STRANGER;
    find_caller(server, event, sender, call);
    call->now_ms = now_ms;
    call->chance = server->options.without_chance
                       ? 0
                       : ahoy_siphash(&server->dialog_key, event->routing->call_id);
    call->is_read = false;
    call->fault.is_told = false;
    call->script = server->script;
    return true;
}

const struct ahoyd_route *ahoyd_routed_find(struct ahoyd_server *server, struct ahoyd_call *call)
{
    const struct ahoyd_route *route = ahoyd_routing_find(call, NULL);
    if (!call->fault.is_told)
        return route;
    server->counters.script_faults++;
    if (call->now_ms >= server->script_told_ms + SCRIPT_TOLD_MS) {
        server->script_told_ms = call->now_ms;
        ahoy_log_line(server->options.log, AHOY_LOG_WARNING, "%s:%d: when: %s",
                      call->config->path.at, call->fault.line, call->fault.text);
    }
    return NULL;
}

/* The ways of |trunk| in the order of this call: by priority, and by chance where that is the
 * same. */
static void weigh(const struct ahoyd_trunk *trunk, uint64_t chance,
                  struct span ways[AHOYD_TRUNK_TARGETS_LIMIT])
{
    struct ahoy_choice choices[AHOYD_TRUNK_TARGETS_LIMIT];
    struct ahoy_rng rng;
    size_t count = trunk->count;
    ahoy_rng_init(&rng, (const uint64_t[2]){ chance, (uint64_t)trunk->line });
    for (size_t i = 0; i < count; i++)
        choices[i] = (struct ahoy_choice){ .priority = trunk->targets[i].priority,
                                           .weight = trunk->targets[i].weight,
                                           .port = (uint16_t)i };
    for (size_t i = 0; i < trunk->count; i++)
        ways[i] = trunk->uris[ahoy_choice_take(choices, &count, &rng).port];
}

/* A trunk with all of its targets, to be tried one after the other; |uri| becomes the Request-URI.
 * False where that is sips and the way to the trunk is not safe. */
static bool find_trunk(struct ahoyd_server *server, const struct ahoyd_trunk *trunk,
                       const struct ahoy_uri *uri, uint64_t chance,
                       struct ahoy_proxy_target *target)
{
    const struct ahoyd_trunk_target *first = &trunk->targets[0];
    *target = (struct ahoy_proxy_target){ .uri = uri->text, .is_neighbour = true, .q = FIRST_Q };
    if (trunk->count > 1 || first->ip.family == AHOY_NO_FAMILY) {
        target->ways = trunk->uris;
        target->way_count = trunk->count;
        if (trunk->is_weighed) {
            weigh(trunk, chance, server->ways);
            target->ways = server->ways;
        }
        return true; /* A sips request finds safe servers only. */
    }
    target->hop = (struct ahoy_hop){ .transport = (uint8_t)first->transport,
                                     .listener = AHOY_ANY_LISTENER,
                                     .remote = first->ip };
    target->hop.domain = ahoy_stack_domain(server->stack, first->transport, first->domain);
    return uri->scheme != AHOY_SCHEME_SIPS || ahoy_transport_is_secure(first->transport);
}

/* What has been found, in the order of q. */
struct found {
    struct ahoy_arena *arena;
    struct ahoy_proxy_target list[AHOY_TARGETS_LIMIT];
    size_t count;
    uint16_t first_q, last_q; /* Of the tier of leaves at hand. */
};

/* False where there is no room or no memory. */
static bool insert(struct found *found, const struct ahoy_proxy_target *target)
{
    struct ahoy_proxy_target copy;
    size_t at = found->count;
    if (at == AHOY_TARGETS_LIMIT || !ahoy_proxy_copy_target(found->arena, target, &copy))
        return false;
    for (; at > 0 && found->list[at - 1].q < copy.q; at--)
        found->list[at] = found->list[at - 1];
    found->list[at] = copy;
    found->count++;
    return true;
}

/* Adds the |count| targets of |leaf|: those of a user may have tiers of their own, by their q. */
static void add(struct found *found, const struct ahoyd_leaf *leaf,
                const struct ahoy_proxy_target *targets, size_t count)
{
    bool in_order = count > 0 && targets[0].q != targets[count - 1].q;
    uint32_t time_s = in_order ? leaf->domain->ring_time_s : leaf->ring_time_s;
    uint16_t q = found->first_q;
    for (size_t i = 0; i < count; i++) {
        struct ahoy_proxy_target target = targets[i];
        if (i > 0 && targets[i].q != targets[i - 1].q)
            q--;
        target.q = q;
        target.tier_ms = time_s * 1000;
        if (!insert(found, &target))
            return;
    }
    if (q < found->last_q)
        found->last_q = q;
}

/* The targets of one leaf, in server->targets. */
static size_t find_leaf(struct ahoyd_server *server, const struct ahoy_event *event,
                        const struct ahoyd_wishes *wishes, const struct ahoyd_call *call,
                        const struct ahoyd_leaf *leaf, const struct ahoy_uri *uri)
{
    if (leaf->domain != NULL)
        return ahoyd_targets_of_user(server, event, wishes, leaf->domain, uri, call->now_ms);
    return find_trunk(server, leaf->trunk, uri, call->chance, &server->targets[0]) ? 1 : 0;
}

static bool has_room(struct ahoyd_server *server, const struct ahoy_event *event,
                     const struct ahoyd_call *call, const struct ahoyd_leaf *leaf)
{
    return leaf->trunk == NULL || ahoyd_trunks_admit(server, event, leaf->trunk, call->now_ms);
}

/* Where all are down they are tried none the less. */
static bool is_up(const struct ahoyd_server *server, const struct ahoyd_leaf *leaf)
{
    return leaf->trunk == NULL || !ahoyd_probes_is_down(server, leaf->trunk);
}

size_t ahoyd_routed_targets(struct ahoyd_server *server, const struct ahoy_event *event,
                            const struct ahoyd_wishes *wishes, const struct ahoyd_call *call,
                            const struct ahoyd_leaves *leaves, struct ahoy_arena *arena)
{
    AHOY_UNSET struct found found;
    char space[URI_SIZE];
    bool any_up = false;
    if (leaves->count == 1 && leaves->at[0].trunk != NULL && !leaves->at[0].is_other)
        return has_room(server, event, call, &leaves->at[0])
                   ? find_leaf(server, event, wishes, call, &leaves->at[0], call->uri)
                   : 0;
    found.arena = arena;
    found.count = 0;
    found.first_q = found.last_q = FIRST_Q;
    for (size_t i = 0; i < leaves->count; i++)
        any_up = any_up || is_up(server, &leaves->at[i]);
    for (size_t i = 0; i < leaves->count; i++) {
        const struct ahoyd_leaf *leaf = &leaves->at[i];
        struct ahoy_buf text = ahoy_buf_over(space, sizeof space);
        if (i > 0 && leaf->tier != leaf[-1].tier)
            found.first_q = --found.last_q;
        if ((any_up && !is_up(server, leaf)) || !has_room(server, event, call, leaf))
            continue;
        struct ahoy_uri uri;
        ahoyd_routing_print_uri(call, leaf, &text);
        if (!ahoy_uri_parse(ahoy_buf_text(&text), &uri, NULL))
            continue; /* A name that is too long for one. */
        size_t count = find_leaf(server, event, wishes, call, leaf, &uri);
        add(&found, leaf, server->targets, count);
    }
    if (found.count > 0)
        memcpy(server->targets, found.list, found.count * sizeof found.list[0]);
    return found.count;
}
