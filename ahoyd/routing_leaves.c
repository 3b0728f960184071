/* Where a route leads: its goals one after the other, groups in their own way, and each number in
 * the form that its trunk wants. */
#include <assert.h>

#include "ahoyd/routing.h"
#include "libahoy/syntax/scan.h"

/* What is being spread. */
struct spread {
    const struct ahoyd_call *call;
    struct ahoyd_leaves *leaves;
    struct span called; /* Who is called: the number as the route has it, or else the name. */
    bool is_number;     /* It is that number which counts, however it was dialled. */
};

static struct spread begin(const struct ahoyd_call *call, const struct ahoyd_route *route,
                           struct ahoyd_leaves *leaves)
{
    struct spread spread = { .call = call, .leaves = leaves, .called = call->user };
    if (call->number.size == 0)
        return spread;
    struct ahoy_buf number = ahoy_buf_over(leaves->called, sizeof leaves->called);
    ahoyd_prefixes_put(&route->rewrite, call->number, &number);
    spread.called = ahoy_buf_text(&number);
    spread.is_number = (route->conditions >> AHOYD_IF_NUMBER & 1) != 0 ||
                       route->rewrite.count > 0 ||
                       (call->caller == AHOYD_CALLER_TRUNK && call->trunk->receives.count > 0);
    return spread;
}

/* Puts |leaf| behind those of its tier. */
static void insert(struct ahoyd_leaves *leaves, const struct ahoyd_leaf *leaf)
{
    size_t at = leaves->count++;
    for (; at > 0 && leaves->at[at - 1].tier > leaf->tier; at--)
        leaves->at[at] = leaves->at[at - 1];
    leaves->at[at] = *leaf;
}

/* A user of ours; where he is not named, the one whom the caller has. */
static void find_user(const struct spread *spread, const struct ahoyd_goal *goal,
                      struct ahoyd_leaf *leaf)
{
    const struct ahoyd_call *call = spread->call;
    leaf->domain = &call->config->domains[goal->index];
    leaf->user = goal->user;
    if (goal->user.size == 0)
        leaf->user = spread->is_number ? spread->called : call->user;
    leaf->is_other = leaf->domain != call->domain || !ahoy_span_equal(leaf->user, call->user);
}

/* A number of ours in the form of its trunk. */
static void convert(struct spread *spread, struct ahoyd_leaf *leaf)
{
    char space[AHOYD_NUMBER_LIMIT];
    struct ahoy_buf number = ahoy_buf_over(space, sizeof space);
    char *text = spread->leaves->texts[spread->leaves->count];
    struct ahoy_buf sent = ahoy_buf_over(text, AHOYD_NUMBER_LIMIT);
    if (leaf->trunk->sends.count == 0 || !ahoyd_number_read(leaf->user, &number))
        return;
    ahoyd_prefixes_put(&leaf->trunk->sends, ahoy_buf_text(&number), &sent);
    leaf->user = ahoy_buf_text(&sent);
}

static void find_trunk(struct spread *spread, const struct ahoyd_goal *goal,
                       struct ahoyd_leaf *leaf)
{
    const struct ahoyd_call *call = spread->call;
    leaf->trunk = &call->config->trunks[goal->index];
    leaf->is_foreign = call->domain == NULL && goal->user.size == 0;
    leaf->user = goal->user.size > 0 ? goal->user : spread->called;
    if (leaf->is_foreign && !spread->is_number && leaf->trunk->sends.count == 0)
        leaf->user = call->user;
    convert(spread, leaf);
    leaf->is_other = !leaf->is_foreign || !ahoy_span_equal(leaf->user, call->user);
}

static unsigned spread_group(struct spread *spread, const struct ahoyd_group *group,
                             uint32_t ring_time_s, unsigned tier);

/* Returns the tier behind those that |goal| takes from |tier| on. */
static unsigned spread_goal(struct spread *spread, const struct ahoyd_goal *goal,
                            uint32_t ring_time_s, unsigned tier)
{
    struct ahoyd_leaf leaf = { .tier = tier, .ring_time_s = ring_time_s };
    if (goal->ring_time_s > 0)
        leaf.ring_time_s = goal->ring_time_s;
    if (goal->kind == AHOYD_GOAL_GROUP) {
        const struct ahoyd_group *group = &spread->call->config->groups[goal->index];
        return spread_group(spread, group,
                            goal->ring_time_s > 0 ? goal->ring_time_s : group->ring_time_s, tier);
    }
    assert(spread->leaves->count < AHOY_TARGETS_LIMIT); /* As the configuration was checked. */
    if (goal->kind == AHOYD_GOAL_USER)
        find_user(spread, goal, &leaf);
    else
        find_trunk(spread, goal, &leaf);
    insert(spread->leaves, &leaf);
    return tier + 1;
}

static unsigned spread_group(struct spread *spread, const struct ahoyd_group *group,
                             uint32_t ring_time_s, unsigned tier)
{
    size_t count = group->members.count, first = 0;
    unsigned end = tier;
    if (group->ring == AHOYD_RING_HUNT)
        first = spread->call->chance % count;
    for (size_t i = 0; i < count; i++) {
        const struct ahoyd_goal *member = &group->members.at[(first + i) % count];
        unsigned from = group->ring == AHOYD_RING_ALL ? tier : end;
        unsigned behind = spread_goal(spread, member, ring_time_s, from);
        end = behind > end ? behind : end;
    }
    return end;
}

void ahoyd_routing_spread(struct ahoyd_call *call, const struct ahoyd_route *route,
                          struct ahoyd_leaves *leaves)
{
    ahoyd_routing_read(call);
    leaves->count = 0;
    struct spread spread = begin(call, route, leaves);
    unsigned tier = 0;
    for (size_t i = 0; i < route->to.count; i++)
        tier = spread_goal(&spread, &route->to.at[i], route->ring_time_s, tier);
}

/* The URI of the call, with another user in it. */
static void print_foreign(const struct ahoy_uri *uri, struct span user, struct ahoy_buf *buf)
{
    ahoy_buf_put(buf, uri->name);
    ahoy_buf_put_byte(buf, ':');
    ahoy_uri_put_escaped(buf, user, AHOY_USER);
    ahoy_buf_put_byte(buf, '@');
    ahoy_buf_put(buf, ahoy_span_between(uri->host.at, ahoy_span_end(uri->text)));
}

void ahoyd_routing_print_uri(const struct ahoyd_call *call, const struct ahoyd_leaf *leaf,
                             struct ahoy_buf *buf)
{
    if (!leaf->is_other) {
        ahoy_buf_put(buf, call->uri->text);
        return;
    }
    if (leaf->is_foreign) {
        print_foreign(call->uri, leaf->user, buf);
        return;
    }
    ahoy_buf_put(buf, call->uri->scheme == AHOY_SCHEME_SIPS ? SPAN("sips:") : SPAN("sip:"));
    ahoy_uri_put_escaped(buf, leaf->user, AHOY_USER);
    ahoy_buf_put_byte(buf, '@');
    ahoy_buf_put(buf, leaf->domain != NULL ? leaf->domain->name : leaf->trunk->targets[0].place);
    if (leaf->trunk != NULL && leaf->user.size > 0 && leaf->user.at[0] == '+')
        ahoy_buf_put(buf, SPAN(";user=phone")); /* RFC 3261 19.1.1 */
}

void ahoyd_routing_print_redirect(struct ahoyd_call *call, const struct ahoyd_route *route,
                                  struct ahoy_buf *buf)
{
    struct ahoyd_leaves leaves;
    ahoyd_routing_read(call);
    struct spread spread = begin(call, route, &leaves);
    size_t star = ahoy_span_find(route->redirect, '*');
    ahoy_buf_put(buf, (struct span){ route->redirect.at, star });
    if (star == route->redirect.size)
        return;
    ahoy_uri_put_escaped(buf, spread.called, AHOY_USER);
    ahoy_buf_put(buf, ahoy_span_after(route->redirect, star + 1));
}
