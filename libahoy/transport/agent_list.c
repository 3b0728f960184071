/* The list of pairs of an agent of ICE: RFC 8445 6.1.2 and 6.1.4.
 *
 * A check leaves from a base, so each pair has a candidate of ours that is a host's, or a relay's:
 * those by which a server or the peer sees us would be replaced by their bases (6.1.2.4), and such
 * a pair is always redundant with that of the host, whose priority is higher. */
#include "libahoy/transport/agent_inside.h"

#include <assert.h>

static_assert(AHOY_ICE_BASES_LIMIT * AHOY_ICE_REMOTES_LIMIT <= AHOY_ICE_PAIRS_LIMIT,
              "no list has to be cut: R8445-6.1.2.5-1");

static uint64_t lesser(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* 6.1.2.3 */
static uint64_t priority_of(const struct ahoy_ice_agent *agent, size_t local, size_t remote)
{
    uint64_t ours = agent->locals[local].priority, theirs = agent->remotes[remote].priority;
    uint64_t controlling = agent->role == AHOY_ICE_CONTROLLING ? ours : theirs;
    uint64_t controlled = agent->role == AHOY_ICE_CONTROLLING ? theirs : ours;
    uint64_t greater = controlling > controlled ? controlling : controlled;
    return (lesser(controlling, controlled) << 32) + 2 * greater + (controlling > controlled);
}

void ahoy_ice_order(struct ahoy_ice_agent *agent)
{
    for (size_t i = 0; i < agent->pair_count; i++) {
        struct ahoy_ice_pair *pair = &agent->pairs[i];
        pair->priority = priority_of(agent, pair->local, pair->remote);
    }
}

size_t ahoy_ice_find_local(const struct ahoy_ice_agent *agent, const struct ahoy_ip *ip,
                           size_t base)
{
    size_t i = 0;
    while (i < agent->local_count &&
           (agent->locals[i].base != base || !ahoy_ip_equal(&agent->locals[i].ip, ip)))
        i++;
    return i;
}

size_t ahoy_ice_find_remote(const struct ahoy_ice_agent *agent, const struct ahoy_ip *ip)
{
    size_t i = 0;
    while (i < agent->remote_count && !ahoy_ip_equal(&agent->remotes[i].ip, ip))
        i++;
    return i;
}

/* 6.1.2.2: of one family; what is of a link alone leads to such. */
static bool may_pair(const struct ahoy_ip *ours, const struct ahoy_ip *theirs)
{
    return ours->family == theirs->family &&
           (ours->family != AHOY_IPV6 ||
            ahoy_ip_is_link_local(ours) == ahoy_ip_is_link_local(theirs));
}

struct ahoy_ice_pair *ahoy_ice_pair(struct ahoy_ice_agent *agent, size_t local, size_t remote)
{
    for (size_t i = 0; i < agent->pair_count; i++) {
        if (agent->pairs[i].local == local && agent->pairs[i].remote == remote)
            return &agent->pairs[i];
    }
    if (agent->pair_count == AHOY_ICE_PAIRS_LIMIT)
        return NULL;
    struct ahoy_ice_pair *pair = &agent->pairs[agent->pair_count++];
    *pair = (struct ahoy_ice_pair){ .local = (uint8_t)local,
                                    .remote = (uint8_t)remote,
                                    .state = AHOY_PAIR_FROZEN,
                                    .priority = priority_of(agent, local, remote) };
    return pair;
}

static bool are_alike(const struct ahoy_ice_agent *agent, const struct ahoy_ice_pair *a,
                      const struct ahoy_ice_pair *b)
{
    return agent->locals[a->local].foundation == agent->locals[b->local].foundation &&
           agent->remotes[a->remote].foundation == agent->remotes[b->remote].foundation;
}

static bool is_better(const struct ahoy_ice_pair *a, const struct ahoy_ice_pair *b)
{
    return b == NULL || a->priority > b->priority;
}

/* Whether one that is like |pair| is to be tried, or is being tried. */
static bool is_held_up(const struct ahoy_ice_agent *agent, const struct ahoy_ice_pair *pair)
{
    for (size_t i = 0; i < agent->pair_count; i++) {
        const struct ahoy_ice_pair *other = &agent->pairs[i];
        bool is_open = other->state == AHOY_PAIR_WAITING || other->state == AHOY_PAIR_IN_PROGRESS;
        if (is_open && are_alike(agent, pair, other))
            return true;
    }
    return false;
}

/* The best frozen pair that no other holds up; NULL for none. */
static struct ahoy_ice_pair *thaw(struct ahoy_ice_agent *agent)
{
    struct ahoy_ice_pair *best = NULL;
    for (size_t i = 0; i < agent->pair_count; i++) {
        struct ahoy_ice_pair *pair = &agent->pairs[i];
        if (pair->state == AHOY_PAIR_FROZEN && is_better(pair, best) && !is_held_up(agent, pair))
            best = pair;
    }
    return best;
}

void ahoy_ice_list(struct ahoy_ice_agent *agent)
{
    agent->pair_count = 0;
    ahoy_ice_list_more(agent, 0);
}

void ahoy_ice_list_more(struct ahoy_ice_agent *agent, size_t known)
{
    struct ahoy_ice_pair *pair;
    for (size_t local = 0; local < agent->base_count; local++) {
        for (size_t remote = known; remote < agent->remote_count; remote++) {
            if (!ahoy_ice_is_gone(agent, local) &&
                may_pair(&agent->locals[local].ip, &agent->remotes[remote].ip))
                (void)ahoy_ice_pair(agent, local, remote); /* There is room for all. */
        }
    }
    while ((pair = thaw(agent)) != NULL) /* 6.1.2.6: one of each foundation. */
        pair->state = AHOY_PAIR_WAITING;
}

void ahoy_ice_trigger(struct ahoy_ice_agent *agent, struct ahoy_ice_pair *pair)
{
    if (pair->queued == 0)
        pair->queued = ++agent->queue_end;
    pair->state = AHOY_PAIR_WAITING;
}

void ahoy_ice_unfreeze(struct ahoy_ice_agent *agent, const struct ahoy_ice_pair *pair)
{
    for (size_t i = 0; i < agent->pair_count; i++) {
        if (agent->pairs[i].state == AHOY_PAIR_FROZEN && are_alike(agent, pair, &agent->pairs[i]))
            agent->pairs[i].state = AHOY_PAIR_WAITING;
    }
}

static struct ahoy_ice_pair *first_triggered(struct ahoy_ice_agent *agent)
{
    struct ahoy_ice_pair *first = NULL;
    for (size_t i = 0; i < agent->pair_count; i++) {
        struct ahoy_ice_pair *pair = &agent->pairs[i];
        if (pair->queued != 0 && (first == NULL || pair->queued < first->queued))
            first = pair;
    }
    return first;
}

struct ahoy_ice_pair *ahoy_ice_next(struct ahoy_ice_agent *agent)
{
    struct ahoy_ice_pair *best = first_triggered(agent);
    if (best != NULL || agent->state != AHOY_ICE_RUNNING)
        return best;
    for (size_t i = 0; i < agent->pair_count; i++) {
        struct ahoy_ice_pair *pair = &agent->pairs[i];
        if (pair->state == AHOY_PAIR_WAITING && is_better(pair, best))
            best = pair;
    }
    return best != NULL ? best : thaw(agent);
}

bool ahoy_ice_has_next(const struct ahoy_ice_agent *agent)
{
    for (size_t i = 0; i < agent->pair_count; i++) {
        const struct ahoy_ice_pair *pair = &agent->pairs[i];
        bool is_open = pair->state == AHOY_PAIR_WAITING ||
                       (pair->state == AHOY_PAIR_FROZEN && !is_held_up(agent, pair));
        if (pair->queued != 0 || (is_open && agent->state == AHOY_ICE_RUNNING))
            return true;
    }
    return false;
}
