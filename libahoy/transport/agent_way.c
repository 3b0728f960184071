/* Where an agent of ICE sends to: nomination (RFC 8445 8.1), and consent (RFC 7675 5). */
#include "libahoy/transport/agent_inside.h"

enum { CONSENT_MIN_MS = 4000, CONSENT_SPAN_MS = 2001 };

static uint64_t next_consent(struct ahoy_ice_agent *agent, uint64_t now_ms)
{
    return now_ms + CONSENT_MIN_MS + ahoy_rng_below(&agent->rng, CONSENT_SPAN_MS);
}

/* The best that is valid, or |is_nominated| too; SIZE_MAX for none. */
static size_t best_valid(const struct ahoy_ice_agent *agent, bool is_nominated)
{
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < agent->pair_count; i++) {
        const struct ahoy_ice_pair *pair = &agent->pairs[i];
        if (pair->is_valid && (pair->is_nominated || !is_nominated) &&
            (best == SIZE_MAX || pair->priority > agent->pairs[best].priority))
            best = i;
    }
    return best;
}

/* Whether a pair that is better than |priority| may still turn out to be valid. */
static bool is_better_open(const struct ahoy_ice_agent *agent, uint64_t priority)
{
    for (size_t i = 0; i < agent->pair_count; i++) {
        const struct ahoy_ice_pair *pair = &agent->pairs[i];
        if (pair->priority > priority && !pair->is_valid && pair->state != AHOY_PAIR_FAILED)
            return true;
    }
    return false;
}

static bool is_nominating(const struct ahoy_ice_agent *agent)
{
    for (size_t i = 0; i < agent->pair_count; i++) {
        if (agent->pairs[i].nominates)
            return true;
    }
    return false;
}

/* How long a better one than |pair| is waited for.  Sound has a way meanwhile. */
static uint64_t patience_ms(const struct ahoy_ice_agent *agent, const struct ahoy_ice_pair *pair)
{
    bool is_relayed = agent->locals[pair->local].kind == AHOY_CANDIDATE_RELAYED ||
                      agent->remotes[pair->remote].kind == AHOY_CANDIDATE_RELAYED;
    return is_relayed ? AHOY_ICE_RELAYED_MS : AHOY_ICE_NOMINATE_MS;
}

/* One, and for good: R8445-8.1.1-2. */
static void nominate(struct ahoy_ice_agent *agent, uint64_t now_ms)
{
    size_t valid = best_valid(agent, false);
    if (agent->role != AHOY_ICE_CONTROLLING || valid == SIZE_MAX || is_nominating(agent))
        return;
    struct ahoy_ice_pair *best = &agent->pairs[valid];
    if (is_better_open(agent, best->priority) &&
        now_ms < agent->valid_ms + patience_ms(agent, best))
        return;
    best->nominates = true;
    ahoy_ice_trigger(agent, best);
}

/* 8.1.2: what is not chosen is not tried any more. */
static void complete(struct ahoy_ice_agent *agent, uint64_t now_ms)
{
    agent->state = AHOY_ICE_COMPLETED;
    agent->completed_ms = now_ms;
    for (size_t i = 0; i < agent->pair_count; i++) {
        struct ahoy_ice_pair *pair = &agent->pairs[i];
        pair->queued = 0;
        pair->is_cancelled = !pair->is_nominated;
    }
}

/* Nothing is tried any more. */
static void give_up(struct ahoy_ice_agent *agent)
{
    agent->way.is_open = agent->way.is_former = false;
    for (size_t i = 0; i < agent->pair_count; i++) {
        struct ahoy_ice_pair *pair = &agent->pairs[i];
        pair->queued = 0;
        pair->check.sent = 0;
        pair->state = AHOY_PAIR_FAILED;
        pair->is_valid = false;
    }
}

static bool has_open(const struct ahoy_ice_agent *agent)
{
    for (size_t i = 0; i < agent->pair_count; i++) {
        if (agent->pairs[i].state != AHOY_PAIR_FAILED &&
            agent->pairs[i].state != AHOY_PAIR_SUCCEEDED)
            return true;
    }
    return false;
}

static void open_way(struct ahoy_ice_agent *agent, const struct ahoy_ice_pair *pair,
                     uint64_t now_ms)
{
    struct ahoy_ice_way *way = &agent->way;
    const struct ahoy_ip *remote = &agent->remotes[pair->remote].ip;
    bool is_same =
        !way->is_former && way->local == pair->local && ahoy_ip_equal(&way->remote, remote);
    /* 12.1: what was the way before a restart is until there is another that both want. */
    if (way->is_open && (is_same || (way->is_former && !pair->is_nominated)))
        return;
    *way = (struct ahoy_ice_way){ .is_open = true,
                                  .local = pair->local,
                                  .remote = *remote,
                                  .heard_ms = pair->heard_ms,
                                  .ask_ms = next_consent(agent, now_ms) };
}

/* 12.1: nobody has told us that he wants more, or that there is a way. */
void ahoy_ice_close_way(struct ahoy_ice_agent *agent)
{
    struct ahoy_ice_way *way = &agent->way;
    bool was_former = way->is_former;
    way->is_open = way->is_former = false;
    if (was_former)
        return;
    if (agent->state == AHOY_ICE_COMPLETED)
        agent->state = AHOY_ICE_LOST;
    for (size_t i = 0; i < agent->pair_count; i++) {
        struct ahoy_ice_pair *pair = &agent->pairs[i];
        if (pair->local == way->local &&
            ahoy_ip_equal(&agent->remotes[pair->remote].ip, &way->remote))
            ahoy_ice_fail(agent, pair);
    }
}

void ahoy_ice_settle(struct ahoy_ice_agent *agent, uint64_t now_ms)
{
    struct ahoy_ice_way *way = &agent->way;
    if (way->is_open && now_ms >= way->heard_ms + AHOY_ICE_CONSENT_MS) /* RFC 7675 5.1 */
        ahoy_ice_close_way(agent);
    if (agent->state == AHOY_ICE_RUNNING)
        nominate(agent, now_ms);
    size_t chosen = best_valid(agent, true);
    if (agent->state == AHOY_ICE_RUNNING && chosen != SIZE_MAX)
        complete(agent, now_ms);
    if (agent->state == AHOY_ICE_RUNNING && best_valid(agent, false) == SIZE_MAX &&
        !has_open(agent) && now_ms >= agent->began_ms + AHOY_ICE_PATIENCE_MS)
        agent->state = AHOY_ICE_FAILED;
    agent->is_hopeless =
        agent->state == AHOY_ICE_FAILED && now_ms >= agent->began_ms + AHOY_ICE_PATIENCE_MS;
    if (agent->state == AHOY_ICE_FAILED) {
        give_up(agent);
        return;
    }
    if (agent->state == AHOY_ICE_LOST)
        return;
    if (chosen == SIZE_MAX)
        chosen = best_valid(agent, false);
    if (chosen != SIZE_MAX)
        open_way(agent, &agent->pairs[chosen], now_ms);
}

uint64_t ahoy_ice_settles_ms(const struct ahoy_ice_agent *agent)
{
    if (agent->state == AHOY_ICE_FAILED && !agent->is_hopeless)
        return agent->began_ms + AHOY_ICE_PATIENCE_MS;
    if (agent->state != AHOY_ICE_RUNNING)
        return UINT64_MAX;
    size_t valid = best_valid(agent, false);
    if (valid != SIZE_MAX)
        return agent->role == AHOY_ICE_CONTROLLING && !is_nominating(agent)
                   ? agent->valid_ms + patience_ms(agent, &agent->pairs[valid])
                   : UINT64_MAX;
    return has_open(agent) ? UINT64_MAX : agent->began_ms + AHOY_ICE_PATIENCE_MS;
}

bool ahoy_ice_settled(const struct ahoy_ice_agent *agent, struct ahoy_ice_settled *settled)
{
    size_t chosen = best_valid(agent, true);
    if (agent->state != AHOY_ICE_COMPLETED || chosen == SIZE_MAX)
        return false;
    const struct ahoy_ice_pair *pair = &agent->pairs[chosen];
    *settled = (struct ahoy_ice_settled){ .controls = agent->role == AHOY_ICE_CONTROLLING,
                                          .ours = agent->locals[pair->seen],
                                          .theirs = agent->remotes[pair->remote].ip };
    return true;
}

static const struct ahoy_ice_words *words_of(const struct ahoy_ice_agent *agent)
{
    return agent->way.is_former ? &agent->theirs_before : &agent->theirs;
}

bool ahoy_ice_take_consent(struct ahoy_ice_agent *agent, const struct ahoy_ip *source,
                           struct span answer, uint64_t now_ms)
{
    struct ahoy_ice_way *way = &agent->way;
    struct ahoy_ip mapped;
    for (size_t i = 0; i < AHOY_ICE_CONSENTS_LIMIT && i < way->asked; i++) {
        enum ahoy_ice_heard heard =
            ahoy_ice_hear(answer, way->ids[i], ahoy_ice_word(words_of(agent)), &mapped);
        if (heard == AHOY_ICE_NOTHING || !ahoy_ip_equal(source, &way->remote))
            continue;
        if (heard == AHOY_ICE_SEEN)
            way->heard_ms = now_ms;
        else if (heard == AHOY_ICE_REVOKED) /* RFC 7675 5.2 */
            ahoy_ice_close_way(agent);
        return true;
    }
    return false;
}

/* Each is asked once, by a transaction of its own (RFC 7675 5.1). */
struct span ahoy_ice_ask_consent(struct ahoy_ice_agent *agent, uint64_t now_ms)
{
    struct ahoy_ice_way *way = &agent->way;
    if (!way->is_open || now_ms < way->ask_ms)
        return SPAN("");
    uint8_t *id = way->ids[way->asked++ % AHOY_ICE_CONSENTS_LIMIT];
    const struct ahoy_ice_words *words = words_of(agent);
    const struct ahoy_ice_secret secret = { ahoy_ice_user(words), ahoy_ice_word(words) };
    const struct ahoy_ice_check check = { .theirs = ahoy_ice_our_user(agent, way->is_former),
                                          .priority = agent->locals[way->local].priority,
                                          .role = agent->role,
                                          .tie = agent->tie };
    struct ahoy_buf buf = ahoy_buf_over(agent->request, sizeof agent->request);
    ahoy_ice_new_id(agent, id);
    way->ask_ms = next_consent(agent, now_ms);
    ahoy_ice_ask(id, &secret, &check, &buf);
    return buf.overflow ? SPAN("") : ahoy_buf_text(&buf);
}
