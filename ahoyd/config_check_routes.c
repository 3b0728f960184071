/* What only the whole can tell of routes: what their names mean, which of them belong to one
 * domain, and whether each can do what it says. */
#include "ahoyd/config_reader.h"
#include "libahoy/tu/proxy.h"

/* How many leaves |goals| have in all, groups included; more than AHOY_TARGETS_LIMIT where groups
 * are in each other, or too deep. */
static size_t count_leaves(const struct ahoyd_config *config, const struct ahoyd_goals *goals,
                           unsigned depth)
{
    size_t count = 0;
    for (size_t i = 0; i < goals->count && count <= AHOY_TARGETS_LIMIT; i++) {
        if (goals->at[i].kind != AHOYD_GOAL_GROUP)
            count++;
        else if (depth == AHOYD_GROUP_DEPTH_LIMIT)
            return SIZE_MAX / 2;
        else
            count += count_leaves(config, &config->groups[goals->at[i].index].members, depth + 1);
    }
    return count;
}

static void check_leaves(struct reader *reader, const char *word, int line,
                         const struct ahoyd_goals *goals)
{
    size_t count = count_leaves(reader->config, goals, 0);
    if (count >= SIZE_MAX / 2)
        config_fault(reader, line, "%s: its groups are in each other, or deeper than %d", word,
                     AHOYD_GROUP_DEPTH_LIMIT);
    else if (count > AHOY_TARGETS_LIMIT)
        config_fault(reader, line, "%s: leads to more than %d places", word, AHOY_TARGETS_LIMIT);
}

static bool reaches_trunk(const struct ahoyd_config *config, const struct ahoyd_goals *goals)
{
    for (size_t i = 0; i < goals->count; i++) {
        const struct ahoyd_goal *goal = &goals->at[i];
        if (goal->kind == AHOYD_GOAL_TRUNK ||
            (goal->kind == AHOYD_GOAL_GROUP &&
             reaches_trunk(config, &config->groups[goal->index].members)))
            return true;
    }
    return false;
}

static bool has_address(const struct ahoyd_trunk *trunk)
{
    for (size_t i = 0; i < trunk->count; i++) {
        if (trunk->targets[i].ip.family != AHOY_NO_FAMILY)
            return true;
    }
    return false;
}

/* What one text of |from| means; false where there is no such thing. */
static bool resolve_from(const struct ahoyd_config *config, struct span text,
                         struct ahoyd_from *from)
{
    *from = (struct ahoyd_from){ .kind = AHOYD_FROM_USERS };
    if (ahoy_span_equal(text, SPAN("users")))
        return true;
    from->kind = AHOYD_FROM_TRUNKS;
    if (ahoy_span_equal(text, SPAN("trunks")))
        return true;
    from->kind = AHOYD_FROM_ANYONE;
    if (ahoy_span_equal(text, SPAN("anyone")))
        return true;
    from->kind = AHOYD_FROM_ONE_USER;
    if (config_find_user(config, text, &from->user, &from->index))
        return from->user.size > 0;
    from->kind = AHOYD_FROM_ONE_TRUNK;
    return config_find_trunk(config, text, &from->index) &&
           has_address(&config->trunks[from->index]);
}

/* Where a route does not say whose requests it is for, those of strangers reach no trunk by it. */
static void default_from(const struct ahoyd_config *config, struct ahoyd_route *route)
{
    static const struct span users = SPAN_INIT("users"), anyone = SPAN_INIT("anyone");
    if ((route->conditions >> AHOYD_IF_FROM & 1) != 0)
        return;
    bool is_dear = reaches_trunk(config, &route->to);
    route->said[AHOYD_IF_FROM] = (struct ahoyd_texts){ is_dear ? &users : &anyone, 1 };
    route->conditions |= 1u << AHOYD_IF_FROM;
}

static void read_from(struct reader *reader, struct ahoyd_route *route)
{
    default_from(reader->config, route);
    const struct ahoyd_texts *said = &route->said[AHOYD_IF_FROM];
    struct ahoyd_from *list = ahoy_arena_take(reader->texts, said->count * sizeof *list);
    reader->out_of_memory |= list == NULL;
    route->from = list;
    for (size_t i = 0; list != NULL && i < said->count; i++) {
        if (!resolve_from(reader->config, said->at[i], &list[i]))
            config_fault(reader, route->line,
                         "route: from = \"%.64s\" is neither \"users\", \"trunks\" nor \"anyone\", "
                         "no user of a domain of ours, and no trunk that has an address",
                         said->at[i].at);
        else if (list[i].kind == AHOYD_FROM_ANYONE)
            route->conditions &= ~(1u << AHOYD_IF_FROM);
    }
}

static struct ahoyd_domain *find_domain(struct ahoyd_config *config, struct span name)
{
    for (size_t i = 0; i < config->domain_count; i++) {
        if (ahoy_span_equal(config->domains[i].name, name))
            return &config->domains[i];
    }
    return NULL;
}

/* Puts |route| before those of its domain that come later in the file. */
static void link_route(struct ahoyd_config *config, size_t index)
{
    struct ahoyd_route *route = &config->routes[index];
    struct ahoyd_domain *domain = find_domain(config, route->domain);
    if (route->domain.size == 0 || domain != NULL) {
        size_t *first = domain != NULL ? &domain->route : &config->common_route;
        route->next = *first;
        *first = index + 1;
        return;
    }
    route->is_first = true;
    for (size_t i = index + 1; i < config->route_count && route->next == 0; i++) {
        if (!ahoy_span_equal(config->routes[i].domain, route->domain))
            continue;
        route->next = i + 1;
        config->routes[i].is_first = false;
    }
}

/* What follows a request without state, its CANCEL, has nothing but the caller's address to be
 * routed by; so nothing else may count, and no other route of the domain may come before. */
static const char *stateless_fault(struct ahoyd_config *config, const struct ahoyd_route *route)
{
    for (size_t i = 0; i < route->said[AHOYD_IF_FROM].count; i++) {
        if (route->from[i].kind == AHOYD_FROM_USERS || route->from[i].kind == AHOYD_FROM_ONE_USER)
            return "is for from = \"trunks\" or \"anyone\": a user's CANCEL and ACK cannot be "
                   "asked for a password";
    }
    const struct ahoyd_goal *goal = &route->to.at[0];
    if (route->domain.size == 0 || find_domain(config, route->domain) != NULL)
        return "is for domains that are not ours";
    if ((route->conditions & ~(1u << AHOYD_IF_FROM)) != 0 || route->rewrite.count > 0 ||
        route->to.count != 1 || goal->kind != AHOYD_GOAL_TRUNK || goal->user.size > 0 ||
        config->trunks[goal->index].sends.count > 0)
        return "takes no condition but domain and from, and leads to one trunk, as it was called";
    if (config->trunks[goal->index].calls > 0 || config->trunks[goal->index].rate > 0)
        return "counts no calls, and its trunk has a limit of them";
    for (const struct ahoyd_route *other = config->routes; other < route; other++) {
        if (!other->stateless && ahoy_span_equal(other->domain, route->domain))
            return "must stand before the other routes of its domain";
    }
    return NULL;
}

static bool covers_from(const struct ahoyd_from *wide, const struct ahoyd_from *narrow)
{
    if (wide->kind == narrow->kind)
        return wide->index == narrow->index && ahoy_span_equal(wide->user, narrow->user);
    return (wide->kind == AHOYD_FROM_USERS && narrow->kind == AHOYD_FROM_ONE_USER) ||
           (wide->kind == AHOYD_FROM_TRUNKS && narrow->kind == AHOYD_FROM_ONE_TRUNK);
}

/* Whether the |i|th text of a condition of |wide| holds wherever the |j|th of |narrow| does. */
static bool covers_text(const struct ahoyd_route *wide, size_t i, const struct ahoyd_route *narrow,
                        size_t j, unsigned condition)
{
    struct span a = wide->said[condition].at[i], b = narrow->said[condition].at[j];
    if (condition == AHOYD_IF_FROM)
        return covers_from(&wide->from[i], &narrow->from[j]);
    if (condition == AHOYD_IF_NUMBER)
        return ahoyd_pattern_covers(a, b);
    return ahoy_span_equal(a, b) && condition != AHOYD_IF_WHEN && /* Who knows? */
           (condition != AHOYD_IF_HOURS || wide->hours.zone == narrow->hours.zone);
}

static bool covers(const struct ahoyd_route *wide, const struct ahoyd_route *narrow,
                   unsigned condition)
{
    if ((wide->conditions >> condition & 1) == 0)
        return true;
    if ((narrow->conditions >> condition & 1) == 0)
        return false;
    for (size_t j = 0; j < narrow->said[condition].count; j++) {
        bool is_covered = false;
        for (size_t i = 0; i < wide->said[condition].count; i++)
            is_covered = is_covered || covers_text(wide, i, narrow, j, condition);
        if (!is_covered)
            return false;
    }
    return true;
}

/* The route before |route| that leaves nothing for it; NULL where there is none. */
static const struct ahoyd_route *find_cover(const struct ahoyd_config *config,
                                            const struct ahoyd_route *route, bool is_ours)
{
    for (const struct ahoyd_route *other = config->routes; other < route; other++) {
        unsigned condition = 0;
        if (!ahoy_span_equal(other->domain, route->domain) && (other->domain.size > 0 || !is_ours))
            continue;
        while (condition < AHOYD_CONDITION_COUNT && covers(other, route, condition))
            condition++;
        if (condition == AHOYD_CONDITION_COUNT)
            return other;
    }
    return NULL;
}

static void check_route(struct reader *reader, struct ahoyd_route *route)
{
    struct ahoyd_config *config = reader->config;
    const struct ahoyd_domain *domain = find_domain(config, route->domain);
    const struct ahoyd_route *cover = find_cover(config, route, domain != NULL);
    const char *what = route->stateless ? stateless_fault(config, route) : NULL;
    if (what != NULL)
        config_fault(reader, route->line, "route: stateless %s", what);
    else if (route->domain.size == 0 && config->domain_count == 0)
        config_fault(reader, route->line, "route: there is no domain of ours; write domain = ...");
    else if (cover != NULL)
        config_fault(reader, route->line,
                     "route: nothing comes here, as the route in line %d takes it all; put this "
                     "one before that",
                     cover->line);
    else if (domain != NULL && domain->mode == AHOYD_MODE_REDIRECT)
        config_fault(reader, route->line,
                     "route: domain \"%s\" answers all calls by redirections; write "
                     "mode = \"proxy\" there",
                     domain->name.at);
}

void config_check_routes(struct reader *reader)
{
    struct ahoyd_config *config = reader->config;
    unsigned before = reader->faults->count;
    for (size_t i = 0; i < config->group_count; i++)
        config_resolve_goals(reader, "group", config->groups[i].line, &config->groups[i].members);
    for (size_t i = 0; i < config->route_count; i++)
        config_resolve_goals(reader, "route", config->routes[i].line, &config->routes[i].to);
    if (reader->faults->count > before)
        return;
    for (size_t i = 0; i < config->group_count; i++)
        check_leaves(reader, "group", config->groups[i].line, &config->groups[i].members);
    if (reader->faults->count > before)
        return;
    for (size_t i = 0; i < config->route_count; i++) {
        check_leaves(reader, "route", config->routes[i].line, &config->routes[i].to);
        read_from(reader, &config->routes[i]);
    }
    for (size_t i = config->route_count; i > 0; i--)
        link_route(config, i - 1);
    if (reader->faults->count > before || reader->out_of_memory)
        return;
    for (size_t i = 0; i < config->route_count; i++)
        check_route(reader, &config->routes[i]);
}
