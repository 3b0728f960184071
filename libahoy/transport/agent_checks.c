/* Checks of an agent of ICE: RFC 8445 7. */
#include "libahoy/transport/agent_inside.h"

enum { SENDS = 7, LAST_WAIT = 16 }; /* RFC 5389 7.2.1: Rc and Rm. */

static struct ahoy_ice_secret secret_of(const struct ahoy_ice_words *words)
{
    return (struct ahoy_ice_secret){ ahoy_ice_user(words), ahoy_ice_word(words) };
}

/* 7.1.1: that of a candidate which the peer learns by it. */
static uint32_t learned_priority(const struct ahoy_candidate *local)
{
    return (local->priority & 0xffffff) | ahoy_candidate_priority(AHOY_CANDIDATE_PEER, 0);
}

struct span ahoy_ice_compose(struct ahoy_ice_agent *agent, const struct ahoy_ice_pair *pair)
{
    struct ahoy_buf buf = ahoy_buf_over(agent->request, sizeof agent->request);
    const struct ahoy_ice_secret secret = secret_of(&agent->theirs);
    const struct ahoy_ice_check check = { .theirs = ahoy_ice_our_user(agent, false),
                                          .priority = learned_priority(&agent->locals[pair->local]),
                                          .role = pair->role,
                                          .tie = agent->tie,
                                          .is_nomination = pair->nominates &&
                                                           pair->role == AHOY_ICE_CONTROLLING };
    ahoy_ice_ask(pair->check.id, &secret, &check, &buf);
    return buf.overflow ? SPAN("") : ahoy_buf_text(&buf);
}

void ahoy_ice_start(struct ahoy_ice_agent *agent, struct ahoy_ice_pair *pair, uint64_t now_ms)
{
    unsigned open = 1;
    for (size_t i = 0; i < agent->pair_count; i++)
        open += agent->pairs[i].state == AHOY_PAIR_WAITING ||
                agent->pairs[i].state == AHOY_PAIR_IN_PROGRESS;
    /* R8445-14.3-1.  As long as it takes to begin all that is open: a formula of 14.3's kind. */
    uint32_t wait_ms = agent->pace_ms * open;
    if (wait_ms < AHOY_ICE_RTO_MS)
        wait_ms = AHOY_ICE_RTO_MS;
    pair->queued = 0;
    pair->state = AHOY_PAIR_IN_PROGRESS;
    pair->is_cancelled = false;
    pair->role = agent->role;
    pair->check =
        (struct ahoy_ice_transaction){ .sent = 1, .wait_ms = wait_ms, .next_ms = now_ms + wait_ms };
    ahoy_ice_new_id(agent, pair->check.id);
}

bool ahoy_ice_wait(struct ahoy_ice_transaction *check, uint64_t now_ms)
{
    if (check->sent == SENDS) {
        check->sent = 0;
        return false;
    }
    check->sent++;
    check->wait_ms *= 2;
    if (check->sent == SENDS) /* Six times it was doubled. */
        check->wait_ms = LAST_WAIT * (check->wait_ms >> (SENDS - 1));
    check->next_ms = now_ms + check->wait_ms;
    return true;
}

void ahoy_ice_hurry(struct ahoy_ice_agent *agent, size_t base, const struct ahoy_ip *ip,
                    uint64_t now_ms)
{
    for (size_t i = 0; i < agent->pair_count; i++) {
        struct ahoy_ice_pair *pair = &agent->pairs[i];
        if (pair->local == base && pair->check.sent > 0 &&
            ahoy_ip_equal_host(&agent->remotes[pair->remote].ip, ip))
            pair->check.next_ms = now_ms;
    }
}

void ahoy_ice_fail(struct ahoy_ice_agent *agent, struct ahoy_ice_pair *pair)
{
    bool was_chosen = pair->is_wanted || pair->nominates;
    pair->state = AHOY_PAIR_FAILED;
    pair->check.sent = 0;
    pair->is_valid = pair->is_wanted = pair->nominates = false;
    if (was_chosen && agent->state == AHOY_ICE_RUNNING) /* 7.2.5.3.4 */
        agent->state = AHOY_ICE_FAILED;
}

/* 7.3.1.3 */
static size_t learn_remote(struct ahoy_ice_agent *agent, const struct ahoy_ip *source,
                           uint32_t priority)
{
    size_t remote = ahoy_ice_find_remote(agent, source);
    if (remote < agent->remote_count || remote == AHOY_ICE_REMOTES_LIMIT)
        return remote;
    agent->remotes[agent->remote_count++] = (struct ahoy_candidate){
        .ip = *source,
        .kind = AHOY_CANDIDATE_PEER,
        .priority = priority == 0 ? 1 : priority,
        .foundation = ahoy_rng_next(&agent->rng),
    };
    return remote;
}

/* The answer to the check that was under way counts still, but is not waited for. */
static void cancel(struct ahoy_ice_pair *pair)
{
    if (pair->state != AHOY_PAIR_IN_PROGRESS || pair->check.sent == 0)
        return;
    memcpy(pair->former, pair->check.id, sizeof pair->former);
    pair->has_former = true;
    pair->check.sent = 0;
}

/* 7.3.1.4, 7.3.1.5: the peer has asked, so that we ask him. */
static void look_back(struct ahoy_ice_agent *agent, size_t base, size_t remote, bool is_nomination)
{
    struct ahoy_ice_pair *pair = ahoy_ice_pair(agent, base, remote);
    if (pair == NULL)
        return;
    if (is_nomination && agent->role == AHOY_ICE_CONTROLLED) {
        pair->is_nominated |= pair->is_valid;
        pair->is_wanted = !pair->is_valid;
    }
    if (pair->state == AHOY_PAIR_SUCCEEDED)
        return;
    if (agent->state == AHOY_ICE_FAILED)
        agent->state = AHOY_ICE_RUNNING;
    cancel(pair);
    ahoy_ice_trigger(agent, pair);
}

static void switch_role(struct ahoy_ice_agent *agent, enum ahoy_ice_role role)
{
    agent->role = role;
    for (size_t i = 0; i < agent->pair_count; i++)
        agent->pairs[i].nominates = agent->pairs[i].is_wanted = false;
    ahoy_ice_order(agent);
}

/* 7.3.1.1: false where the peer is to change his role. */
static bool repair_role(struct ahoy_ice_agent *agent, const struct ahoy_ice_check *check)
{
    if (check->role == AHOY_ICE_NO_ROLE || agent->role != check->role)
        return true;
    bool is_greater = agent->tie >= check->tie;
    bool stays = agent->role == AHOY_ICE_CONTROLLING ? is_greater : !is_greater;
    if (stays)
        return false;
    switch_role(agent,
                agent->role == AHOY_ICE_CONTROLLING ? AHOY_ICE_CONTROLLED : AHOY_ICE_CONTROLLING);
    return true;
}

static void keep_early(struct ahoy_ice_agent *agent, size_t base, const struct ahoy_ip *source,
                       const struct ahoy_ice_check *check)
{
    size_t i = 0;
    uint64_t user = ahoy_span_hash(check->theirs);
    while (i < agent->early_count &&
           (agent->early[i].base != base || agent->early[i].user != user ||
            !ahoy_ip_equal(&agent->early[i].source, source)))
        i++;
    if (i == AHOY_ICE_EARLY_LIMIT)
        return; /* He asks again. */
    bool is_nomination =
        check->is_nomination || (i < agent->early_count && agent->early[i].is_nomination);
    agent->early[i] = (struct ahoy_ice_early){ .base = (uint8_t)base,
                                               .source = *source,
                                               .priority = check->priority,
                                               .is_nomination = is_nomination,
                                               .user = user };
    agent->early_count += i == agent->early_count;
}

void ahoy_ice_take_early(struct ahoy_ice_agent *agent, const struct ahoy_ice_early *early)
{
    size_t remote;
    if (early->user != ahoy_span_hash(ahoy_ice_user(&agent->theirs)))
        return;
    remote = learn_remote(agent, &early->source, early->priority);
    if (remote < agent->remote_count)
        look_back(agent, early->base, remote, early->is_nomination);
}

void ahoy_ice_choose(struct ahoy_ice_agent *agent, const struct ahoy_ip *ours,
                     const struct ahoy_ip *theirs)
{
    size_t remote = ahoy_ice_find_remote(agent, theirs);
    size_t local = 0;
    while (local < agent->local_count && !ahoy_ip_equal(&agent->locals[local].ip, ours))
        local++;
    if (local < agent->local_count && remote < agent->remote_count)
        look_back(agent, agent->locals[local].base, remote, true);
}

/* Whether checks still lead to ours: 8.3.1. */
static bool looks_back(const struct ahoy_ice_agent *agent, uint64_t now_ms)
{
    return agent->state == AHOY_ICE_RUNNING || agent->state == AHOY_ICE_FAILED ||
           (agent->state == AHOY_ICE_COMPLETED &&
            now_ms < agent->completed_ms + AHOY_ICE_LINGER_MS);
}

/* Whether |request| knows our words; |is_before|: those before a restart, by which he asks for
 * consent as long as that goes on. */
static bool read_request(const struct ahoy_ice_agent *agent, struct span request,
                         struct ahoy_ice_secret *ours, bool *is_before,
                         struct ahoy_ice_check *check)
{
    *is_before = false;
    *ours = secret_of(&agent->ours);
    if (ours->user.size > 0 && ahoy_ice_read(request, ours, check))
        return true;
    *is_before = agent->way.is_former || agent->is_restarting;
    *ours = secret_of(&agent->ours_before);
    return *is_before && ahoy_ice_read(request, ours, check);
}

void ahoy_ice_take_request(struct ahoy_ice_agent *agent, size_t base, const struct ahoy_ip *source,
                           struct span request, uint64_t now_ms)
{
    struct ahoy_buf answer = ahoy_buf_over(agent->answer, sizeof agent->answer);
    struct ahoy_ice_secret ours;
    struct ahoy_ice_check check;
    bool is_before;
    if (!read_request(agent, request, &ours, &is_before, &check))
        return;
    bool is_early = agent->state == AHOY_ICE_GATHERING || (agent->is_restarting && !is_before);
    bool is_former = is_before && !agent->is_restarting; /* Nothing but consent is by them. */
    bool is_agreed = is_early || is_former || repair_role(agent, &check);
    if (is_agreed)
        ahoy_ice_put_answer(request, source, ours.word, &answer);
    else
        ahoy_ice_put_conflict(request, ours.word, &answer);
    agent->answer_base = (uint8_t)base;
    agent->answer_to = *source;
    agent->answer_size = answer.overflow ? 0 : answer.size;
    if (is_early)
        keep_early(agent, base, source, &check);
    if (!is_agreed || is_early || is_former || !looks_back(agent, now_ms) ||
        !ahoy_span_equal(check.theirs, ahoy_ice_user(&agent->theirs)))
        return;
    size_t remote = learn_remote(agent, source, check.priority);
    if (remote < agent->remote_count)
        look_back(agent, base, remote, check.is_nomination);
}

/* 7.2.5.3.1 */
static size_t learn_local(struct ahoy_ice_agent *agent, const struct ahoy_ip *mapped, size_t base)
{
    size_t local = ahoy_ice_find_local(agent, mapped, base);
    if (local < agent->local_count)
        return local;
    if (local == AHOY_ICE_LOCALS_LIMIT)
        return base;
    agent->locals[agent->local_count++] = (struct ahoy_candidate){
        .ip = *mapped,
        .kind = AHOY_CANDIDATE_PEER,
        .base = (uint8_t)base,
        .priority = learned_priority(&agent->locals[base]),
        .foundation = agent->locals[base].foundation + AHOY_ICE_LOCALS_LIMIT * AHOY_CANDIDATE_PEER,
    };
    return local;
}

/* 7.2.5.3 */
static void succeed(struct ahoy_ice_agent *agent, struct ahoy_ice_pair *pair,
                    const struct ahoy_ip *mapped, bool is_former, uint64_t now_ms)
{
    pair->seen = (uint8_t)learn_local(agent, mapped, pair->local);
    pair->is_valid = true;
    pair->heard_ms = now_ms;
    if (agent->valid_ms == UINT64_MAX)
        agent->valid_ms = now_ms;
    /* An answer to the check before says nothing of what the one after it asks for. */
    if (!is_former || !pair->nominates) {
        pair->state = AHOY_PAIR_SUCCEEDED;
        pair->queued = 0;
        pair->check.sent = 0;
        pair->has_former = false;
    }
    if (!is_former && pair->nominates && pair->role == AHOY_ICE_CONTROLLING)
        pair->is_nominated = true;
    if (pair->is_wanted) {
        pair->is_nominated = true;
        pair->is_wanted = false;
    }
    ahoy_ice_unfreeze(agent, pair);
}

/* 7.2.5.1 */
static void change_role(struct ahoy_ice_agent *agent, struct ahoy_ice_pair *pair)
{
    if (pair->role == agent->role)
        switch_role(agent, pair->role == AHOY_ICE_CONTROLLING ? AHOY_ICE_CONTROLLED
                                                              : AHOY_ICE_CONTROLLING);
    agent->tie = ahoy_rng_next(&agent->rng);
    pair->check.sent = 0;
    ahoy_ice_trigger(agent, pair);
}

static bool is_its(const struct ahoy_ice_pair *pair, const uint8_t *id, bool *is_former)
{
    *is_former = pair->has_former && memcmp(id, pair->former, AHOY_STUN_ID_SIZE) == 0;
    return *is_former ||
           (pair->check.sent > 0 && memcmp(id, pair->check.id, AHOY_STUN_ID_SIZE) == 0);
}

void ahoy_ice_take_answer(struct ahoy_ice_agent *agent, size_t base, const struct ahoy_ip *source,
                          struct span answer, uint64_t now_ms)
{
    const uint8_t *id = (const uint8_t *)answer.at + 20 - AHOY_STUN_ID_SIZE;
    struct ahoy_ice_pair *pair = NULL;
    bool is_former = false;
    struct ahoy_ip mapped;
    for (size_t i = 0; pair == NULL && i < agent->pair_count; i++) {
        if (is_its(&agent->pairs[i], id, &is_former))
            pair = &agent->pairs[i];
    }
    if (pair == NULL)
        return;
    enum ahoy_ice_heard heard = ahoy_ice_hear(answer, id, ahoy_ice_word(&agent->theirs), &mapped);
    bool is_straight = agent->locals[pair->local].base == base &&
                       ahoy_ip_equal(source, &agent->remotes[pair->remote].ip);
    if (heard == AHOY_ICE_NOTHING)
        return;
    if (!is_straight || heard == AHOY_ICE_REFUSED || heard == AHOY_ICE_REVOKED) {
        if (!is_former) /* 7.2.5.2.1, 7.2.5.2.4 */
            ahoy_ice_fail(agent, pair);
    } else if (heard == AHOY_ICE_CONFLICT) {
        if (!is_former)
            change_role(agent, pair);
    } else {
        succeed(agent, pair, &mapped, is_former, now_ms);
    }
}
