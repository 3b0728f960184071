/* An agent of ICE: candidates (RFC 8445 5.1), and the order in which things are sent (14). */
#include "libahoy/transport/agent.h"

#include <assert.h>

#include "libahoy/transport/agent_inside.h"
#include "libahoy/transport/stun_parts.h"

struct span ahoy_ice_user(const struct ahoy_ice_words *words)
{
    return (struct span){ words->user, words->user_size };
}

struct span ahoy_ice_our_user(const struct ahoy_ice_agent *agent, bool is_former)
{
    return ahoy_ice_user(is_former || agent->is_restarting ? &agent->ours_before : &agent->ours);
}

struct span ahoy_ice_word(const struct ahoy_ice_words *words)
{
    return (struct span){ words->word, words->word_size };
}

void ahoy_ice_new_id(struct ahoy_ice_agent *agent, uint8_t id[AHOY_STUN_ID_SIZE])
{
    uint64_t random[2] = { ahoy_rng_next(&agent->rng), ahoy_rng_next(&agent->rng) };
    memcpy(id, random, AHOY_STUN_ID_SIZE);
}

void ahoy_ice_init(struct ahoy_ice_agent *agent, const uint64_t seed[2], struct ahoy_ice_pace *pace)
{
    *agent = (struct ahoy_ice_agent){ .state = AHOY_ICE_GATHERING,
                                      .pace = pace,
                                      .pace_ms = AHOY_ICE_PACE_MS,
                                      .valid_ms = UINT64_MAX,
                                      .completed_ms = UINT64_MAX };
    ahoy_rng_init(&agent->rng, seed);
    agent->tie = ahoy_rng_next(&agent->rng);
}

static void keep_words(struct ahoy_ice_words *words, struct span user, struct span word)
{
    assert(user.size <= sizeof words->user && word.size <= sizeof words->word);
    memcpy(words->user, user.at, user.size);
    memcpy(words->word, word.at, word.size);
    words->user_size = user.size;
    words->word_size = word.size;
}

void ahoy_ice_say(struct ahoy_ice_agent *agent, const struct ahoy_ice_secret *ours)
{
    if (ahoy_span_equal(ours->user, ahoy_ice_user(&agent->ours)) &&
        ahoy_span_equal(ours->word, ahoy_ice_word(&agent->ours)))
        return;
    if (!agent->way.is_former && !agent->is_restarting)
        agent->ours_before = agent->ours;
    agent->is_restarting = agent->role != AHOY_ICE_NO_ROLE;
    keep_words(&agent->ours, ours->user, ours->word);
}

void ahoy_ice_take_back(struct ahoy_ice_agent *agent)
{
    if (!agent->is_restarting)
        return;
    agent->ours = agent->ours_before;
    agent->is_restarting = false;
    agent->early_count = 0;
}

static struct ahoy_candidate make_local(const struct ahoy_ip *ip, enum ahoy_candidate_kind kind,
                                        size_t base)
{
    return (struct ahoy_candidate){
        .ip = *ip,
        .kind = (uint8_t)kind,
        .base = (uint8_t)base,
        .priority = ahoy_candidate_priority(kind, 65535 - (unsigned)base),
        .foundation = base + 1 + AHOY_ICE_LOCALS_LIMIT * kind,
    };
}

static bool add_base(struct ahoy_ice_agent *agent, const struct ahoy_ip *ip,
                     enum ahoy_candidate_kind kind)
{
    size_t base = agent->base_count;
    if (base == AHOY_ICE_BASES_LIMIT)
        return false;
    assert(agent->local_count == base); /* Their candidates have the numbers of bases. */
    agent->locals[base] = make_local(ip, kind, base);
    agent->base_count++;
    agent->local_count++;
    return true;
}

bool ahoy_ice_add_base(struct ahoy_ice_agent *agent, const struct ahoy_ip *ip)
{
    return add_base(agent, ip, AHOY_CANDIDATE_HOST);
}

bool ahoy_ice_add_relay(struct ahoy_ice_agent *agent, size_t *base)
{
    static const struct ahoy_ip nowhere;
    *base = agent->base_count;
    if (!add_base(agent, &nowhere, AHOY_CANDIDATE_RELAYED))
        return false;
    agent->gone |= 1U << *base;
    return true;
}

bool ahoy_ice_is_gone(const struct ahoy_ice_agent *agent, size_t base)
{
    return (agent->gone >> base & 1) != 0;
}

void ahoy_ice_drop_base(struct ahoy_ice_agent *agent, size_t base)
{
    if (base >= agent->base_count || ahoy_ice_is_gone(agent, base))
        return;
    agent->gone |= 1U << base;
    agent->servers[base] = (struct ahoy_ice_server){ .is_known = false };
    if (agent->way.is_open && agent->locals[agent->way.local].base == base)
        ahoy_ice_close_way(agent);
    for (size_t i = 0; i < agent->pair_count; i++) {
        struct ahoy_ice_pair *pair = &agent->pairs[i];
        if (pair->local != base)
            continue;
        pair->queued = 0;
        if (pair->state != AHOY_PAIR_FAILED)
            ahoy_ice_fail(agent, pair);
    }
}

void ahoy_ice_gather(struct ahoy_ice_agent *agent, const struct ahoy_ip *server, uint64_t now_ms)
{
    agent->gather_ms = now_ms + AHOY_ICE_GATHER_MS;
    for (size_t base = 0; base < agent->base_count; base++) {
        const struct ahoy_ip *ip = &agent->locals[base].ip;
        if (ip->family == server->family && !ahoy_ip_is_link_local(ip) &&
            !ahoy_ice_is_gone(agent, base) && agent->locals[base].kind == AHOY_CANDIDATE_HOST)
            agent->servers[base] = (struct ahoy_ice_server){ .ip = *server, .due_ms = now_ms };
    }
}

bool ahoy_ice_has_gathered(const struct ahoy_ice_agent *agent, uint64_t now_ms)
{
    for (size_t base = 0; base < agent->base_count && now_ms < agent->gather_ms; base++) {
        if (agent->servers[base].ip.family != AHOY_NO_FAMILY && !agent->servers[base].is_known)
            return false;
    }
    return true;
}

/* The candidate of |base| by which a server sees it; the count where there is none. */
static size_t find_mapped(const struct ahoy_ice_agent *agent, size_t base)
{
    size_t place = 0;
    while (place < agent->local_count && (agent->locals[place].base != base ||
                                          agent->locals[place].kind != AHOY_CANDIDATE_SERVER))
        place++;
    return place;
}

/* 5.1.3: where we are seen as we are, there is nothing new.  How we were seen before a restart is
 * of no use any more. */
static void take_mapped(struct ahoy_ice_agent *agent, size_t base, const struct ahoy_ip *mapped)
{
    size_t place = find_mapped(agent, base);
    if (ahoy_ice_find_local(agent, mapped, base) < agent->local_count ||
        place == AHOY_ICE_LOCALS_LIMIT)
        return;
    agent->local_count += place == agent->local_count;
    agent->locals[place] = make_local(mapped, AHOY_CANDIDATE_SERVER, base);
}

void ahoy_ice_place_relay(struct ahoy_ice_agent *agent, size_t base, const struct ahoy_ip *relayed,
                          size_t carrier, const struct ahoy_ip *mapped)
{
    if (base >= agent->base_count || agent->locals[base].kind != AHOY_CANDIDATE_RELAYED)
        return;
    agent->gone &= ~(1U << base);
    agent->locals[base].ip = *relayed;
    agent->locals[base].related = *mapped;
    if (find_mapped(agent, carrier) == agent->local_count)
        take_mapped(agent, carrier, mapped);
}

static bool is_settled(const struct ahoy_ice_agent *agent)
{
    return agent->state == AHOY_ICE_COMPLETED && !agent->is_restarting && !agent->way.is_former;
}

size_t ahoy_ice_whereabouts(const struct ahoy_ice_agent *agent, struct ahoy_ip *ips, size_t limit)
{
    size_t count = 0;
    if (agent->way.is_open && limit > 0)
        ips[count++] = agent->way.remote;
    for (size_t i = 0; i < agent->remote_count && count < limit && !is_settled(agent); i++)
        ips[count++] = agent->remotes[i].ip;
    return count;
}

bool ahoy_ice_is_idle(const struct ahoy_ice_agent *agent, size_t base, uint64_t now_ms)
{
    return is_settled(agent) && agent->way.is_open &&
           agent->locals[agent->way.local].base != base &&
           now_ms >= agent->completed_ms + AHOY_ICE_LINGER_MS;
}

size_t ahoy_ice_candidates(const struct ahoy_ice_agent *agent, struct ahoy_candidate *candidates)
{
    static const enum ahoy_candidate_kind kinds[] = { AHOY_CANDIDATE_HOST, AHOY_CANDIDATE_SERVER,
                                                      AHOY_CANDIDATE_RELAYED };
    size_t count = 0;
    for (size_t kind = 0; kind < sizeof kinds / sizeof kinds[0]; kind++) {
        for (size_t i = 0; i < agent->local_count && count < AHOY_OWN_CANDIDATES_LIMIT; i++) {
            if (agent->locals[i].kind == kinds[kind] &&
                !ahoy_ice_is_gone(agent, agent->locals[i].base))
                candidates[count++] = agent->locals[i];
        }
    }
    return count;
}

static void forget(struct ahoy_ice_agent *agent)
{
    agent->pair_count = agent->remote_count = 0;
    agent->queue_end = 0;
    agent->valid_ms = agent->completed_ms = UINT64_MAX;
    agent->way.is_former = agent->way.is_open;
    agent->is_hopeless = agent->is_restarting = false;
    size_t kept = 0;
    for (size_t i = 0; i < agent->local_count; i++) {
        if (agent->locals[i].kind != AHOY_CANDIDATE_PEER)
            agent->locals[kept++] = agent->locals[i];
    }
    agent->local_count = kept;
}

static void take_candidates(struct ahoy_ice_agent *agent, const struct ahoy_ice_peer *peer)
{
    for (size_t i = 0; i < peer->count && i < AHOY_CANDIDATES_LIMIT; i++) {
        const struct ahoy_candidate *candidate = &peer->candidates[i];
        size_t place = ahoy_ice_find_remote(agent, &candidate->ip);
        if (place == AHOY_ICE_REMOTES_LIMIT)
            return;
        if (place < agent->remote_count && candidate->priority <= agent->remotes[place].priority)
            continue; /* 6.1.2.4: the pairs of both would be redundant. */
        agent->remotes[place] = *candidate;
        agent->remote_count += place == agent->remote_count;
    }
}

void ahoy_ice_begin(struct ahoy_ice_agent *agent, const struct ahoy_ice_peer *peer, bool controls,
                    uint64_t now_ms)
{
    const struct span user = { peer->user, peer->user_size };
    const struct span word = { peer->word, peer->word_size };
    bool is_first = agent->role == AHOY_ICE_NO_ROLE;
    if (!agent->way.is_former)
        agent->theirs_before = agent->theirs;
    forget(agent);
    keep_words(&agent->theirs, user, word);
    agent->is_peer_lite = peer->is_lite;
    if (peer->is_lite || (is_first && controls)) /* R8445-6.1.1-1, -2 */
        agent->role = AHOY_ICE_CONTROLLING;
    else if (is_first)
        agent->role = AHOY_ICE_CONTROLLED;
    agent->pace_ms = AHOY_ICE_PACE_MS; /* R8445-14.2-2: the slower of both. */
    if (peer->pacing_ms > agent->pace_ms)
        agent->pace_ms =
            peer->pacing_ms < AHOY_ICE_PACE_MOST_MS ? peer->pacing_ms : AHOY_ICE_PACE_MOST_MS;
    take_candidates(agent, peer);
    agent->state = AHOY_ICE_RUNNING;
    agent->began_ms = agent->next_ms = now_ms;
    ahoy_ice_list(agent);
    for (size_t i = 0; i < agent->early_count; i++) /* R8445-7.3-6 */
        ahoy_ice_take_early(agent, &agent->early[i]);
    agent->early_count = 0;
}

void ahoy_ice_hear_more(struct ahoy_ice_agent *agent, const struct ahoy_ice_peer *peer,
                        const struct ahoy_ip *at, uint64_t now_ms)
{
    size_t known = agent->remote_count;
    if (agent->state != AHOY_ICE_RUNNING && agent->state != AHOY_ICE_FAILED)
        return;
    take_candidates(agent, peer);
    if (agent->remote_count > known) {
        agent->state = AHOY_ICE_RUNNING;
        agent->began_ms = now_ms;
        ahoy_ice_list_more(agent, known);
    }
    ahoy_ice_order(agent);
    if (peer->ours.family != AHOY_NO_FAMILY)
        ahoy_ice_choose(agent, &peer->ours, at);
    ahoy_ice_settle(agent, now_ms);
}

static bool take_server(struct ahoy_ice_agent *agent, size_t base, const struct ahoy_ip *source,
                        struct span datagram, uint64_t now_ms)
{
    struct ahoy_ice_server *server = &agent->servers[base];
    struct ahoy_ip mapped;
    if (server->ask.sent == 0 || !ahoy_ip_equal(source, &server->ip))
        return false;
    enum ahoy_stun_heard heard = ahoy_stun_hear(datagram, server->ask.id, &mapped);
    if (heard == AHOY_STUN_NOTHING)
        return false;
    server->ask.sent = 0;
    server->due_ms = now_ms + AHOY_ICE_KEEP_MS;              /* R8445-5.1.1.4-2 */
    if (agent->gather_ms > now_ms + AHOY_ICE_GATHER_MORE_MS) /* It may not be there for all. */
        agent->gather_ms = now_ms + AHOY_ICE_GATHER_MORE_MS;
    if (heard != AHOY_STUN_MAPPED)
        return true;
    server->is_known = true;
    take_mapped(agent, base, &mapped);
    return true;
}

void ahoy_ice_step(struct ahoy_ice_agent *agent, size_t base, const struct ahoy_ip *source,
                   struct span datagram, uint64_t now_ms)
{
    if (base >= agent->base_count || !ahoy_stun_is(datagram))
        return;
    if (ahoy_stun_number(datagram, 0, 2) == AHOY_STUN_BINDING_REQUEST)
        ahoy_ice_take_request(agent, base, source, datagram, now_ms);
    else if (!take_server(agent, base, source, datagram, now_ms) &&
             !ahoy_ice_take_consent(agent, source, datagram, now_ms))
        ahoy_ice_take_answer(agent, base, source, datagram, now_ms);
    ahoy_ice_settle(agent, now_ms);
}

/* Bindings at servers are of use until there is a way. */
static bool is_asking(const struct ahoy_ice_agent *agent, const struct ahoy_ice_server *server)
{
    return server->ip.family != AHOY_NO_FAMILY &&
           (agent->state == AHOY_ICE_GATHERING || agent->state == AHOY_ICE_RUNNING ||
            agent->is_restarting);
}

static bool fill(struct ahoy_ice_datagram *datagram, size_t base, const struct ahoy_ip *remote,
                 struct span bytes)
{
    *datagram = (struct ahoy_ice_datagram){ base, *remote, bytes };
    return bytes.size > 0;
}

static struct span ask_server(struct ahoy_ice_agent *agent, const struct ahoy_ice_server *server)
{
    struct ahoy_buf buf = ahoy_buf_over(agent->request, sizeof agent->request);
    ahoy_stun_ask(server->ask.id, &buf);
    return ahoy_buf_text(&buf);
}

/* What has not been answered goes out again, or is given up. */
static bool send_again(struct ahoy_ice_agent *agent, uint64_t now_ms,
                       struct ahoy_ice_datagram *datagram)
{
    for (size_t i = 0; i < agent->pair_count; i++) {
        struct ahoy_ice_pair *pair = &agent->pairs[i];
        if (pair->check.sent == 0 || pair->is_cancelled || now_ms < pair->check.next_ms)
            continue;
        if (ahoy_ice_wait(&pair->check, now_ms))
            return fill(datagram, pair->local, &agent->remotes[pair->remote].ip,
                        ahoy_ice_compose(agent, pair));
        if (pair->state == AHOY_PAIR_IN_PROGRESS)
            ahoy_ice_fail(agent, pair);
    }
    for (size_t base = 0; base < agent->base_count; base++) {
        struct ahoy_ice_server *server = &agent->servers[base];
        if (!is_asking(agent, server) || server->ask.sent == 0 || now_ms < server->ask.next_ms)
            continue;
        if (ahoy_ice_wait(&server->ask, now_ms))
            return fill(datagram, base, &server->ip, ask_server(agent, server));
        server->due_ms = now_ms + AHOY_ICE_KEEP_MS;
    }
    return false;
}

/* The server that is to be asked next, and when; |count| for none. */
static size_t next_server(const struct ahoy_ice_agent *agent, uint64_t *due_ms)
{
    size_t next = agent->base_count;
    *due_ms = UINT64_MAX;
    for (size_t base = 0; base < agent->base_count; base++) {
        const struct ahoy_ice_server *server = &agent->servers[base];
        if (is_asking(agent, server) && server->ask.sent == 0 && server->due_ms < *due_ms) {
            next = base;
            *due_ms = server->due_ms;
        }
    }
    return next;
}

/* R8445-14.2-3: never faster than all agents of this program may be together. */
static bool may_begin(const struct ahoy_ice_agent *agent, uint64_t now_ms)
{
    return now_ms >= agent->next_ms && now_ms >= agent->pace->next_ms;
}

/* A transaction begins, at most one each time that Ta is over (5.1.1.2, 6.1.4.2). */
static bool send_first(struct ahoy_ice_agent *agent, uint64_t now_ms,
                       struct ahoy_ice_datagram *datagram)
{
    uint64_t due_ms;
    size_t base = next_server(agent, &due_ms);
    struct ahoy_ice_pair *pair = NULL;
    if (!may_begin(agent, now_ms))
        return false;
    if (due_ms > now_ms)
        pair = ahoy_ice_next(agent);
    if (due_ms > now_ms && pair == NULL)
        return false;
    agent->next_ms = now_ms + agent->pace_ms;
    agent->pace->next_ms = now_ms + AHOY_ICE_SHARED_PACE_MS;
    if (pair != NULL) {
        ahoy_ice_start(agent, pair, now_ms);
        return fill(datagram, pair->local, &agent->remotes[pair->remote].ip,
                    ahoy_ice_compose(agent, pair));
    }
    struct ahoy_ice_server *server = &agent->servers[base];
    server->ask = (struct ahoy_ice_transaction){ .sent = 1,
                                                 .wait_ms = AHOY_ICE_RTO_MS,
                                                 .next_ms = now_ms + AHOY_ICE_RTO_MS };
    ahoy_ice_new_id(agent, server->ask.id);
    return fill(datagram, base, &server->ip, ask_server(agent, server));
}

bool ahoy_ice_poll(struct ahoy_ice_agent *agent, uint64_t now_ms,
                   struct ahoy_ice_datagram *datagram)
{
    size_t size = agent->answer_size;
    agent->answer_size = 0;
    if (size > 0)
        return fill(datagram, agent->answer_base, &agent->answer_to,
                    (struct span){ agent->answer, size });
    if (send_again(agent, now_ms, datagram))
        return true;
    ahoy_ice_settle(agent, now_ms);
    if (send_first(agent, now_ms, datagram))
        return true;
    const struct ahoy_ice_way *way = &agent->way;
    return fill(datagram, agent->locals[way->local].base, &way->remote,
                ahoy_ice_ask_consent(agent, now_ms));
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* When the list asks for something else than a check. */
static uint64_t list_deadline(const struct ahoy_ice_agent *agent)
{
    uint64_t deadline_ms = UINT64_MAX;
    for (size_t i = 0; i < agent->pair_count; i++) {
        const struct ahoy_ice_pair *pair = &agent->pairs[i];
        if (pair->check.sent > 0 && !pair->is_cancelled)
            deadline_ms = earlier(deadline_ms, pair->check.next_ms);
    }
    return earlier(deadline_ms, ahoy_ice_settles_ms(agent));
}

uint64_t ahoy_ice_deadline(const struct ahoy_ice_agent *agent)
{
    uint64_t server_ms, deadline_ms = list_deadline(agent);
    const uint64_t begin_ms = later(agent->next_ms, agent->pace->next_ms);
    if (agent->answer_size > 0)
        return 0;
    if (ahoy_ice_has_next(agent))
        deadline_ms = earlier(deadline_ms, begin_ms);
    if (next_server(agent, &server_ms) < agent->base_count)
        deadline_ms = earlier(deadline_ms, later(server_ms, begin_ms));
    for (size_t base = 0; base < agent->base_count; base++) {
        const struct ahoy_ice_server *server = &agent->servers[base];
        if (is_asking(agent, server) && server->ask.sent > 0)
            deadline_ms = earlier(deadline_ms, server->ask.next_ms);
    }
    if (agent->way.is_open)
        deadline_ms = earlier(
            deadline_ms, earlier(agent->way.ask_ms, agent->way.heard_ms + AHOY_ICE_CONSENT_MS));
    return deadline_ms;
}

bool ahoy_ice_way(const struct ahoy_ice_agent *agent, size_t *base, struct ahoy_ip *remote)
{
    *base = agent->locals[agent->way.local].base;
    *remote = agent->way.remote;
    return agent->way.is_open;
}

bool ahoy_ice_is_hopeless(const struct ahoy_ice_agent *agent)
{
    return agent->is_hopeless;
}

bool ahoy_ice_knows(const struct ahoy_ice_agent *agent, const struct ahoy_ip *source)
{
    if (agent->way.is_open && ahoy_ip_equal(&agent->way.remote, source))
        return true;
    for (size_t i = 0; i < agent->pair_count; i++) {
        const struct ahoy_ice_pair *pair = &agent->pairs[i];
        if ((pair->is_valid || pair->is_wanted) &&
            ahoy_ip_equal(&agent->remotes[pair->remote].ip, source))
            return true;
    }
    return false;
}
