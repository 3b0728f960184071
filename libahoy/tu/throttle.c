/* A part of the requests is held back by counting, not by chance: exactly as many as were asked
 * for, and the same in every run. */
#include "libahoy/tu/throttle.h"

enum {
    MIX_USUAL = 80,         /* Percent: RFC 7339 7.2. */
    SEQ_JUMP = 60 * 100000, /* Back by more than a minute, the neighbour has begun to count anew. */
    SAMPLE_LEAST = 20       /* Requests that a sample needs. */
};

static struct ahoy_throttle_neighbour *find(struct ahoy_throttle *throttle,
                                            const struct ahoy_ip *ip)
{
    for (size_t i = 0; i < throttle->count; i++) {
        if (ahoy_ip_equal(&throttle->list[i].ip, ip))
            return &throttle->list[i];
    }
    return NULL;
}

/* The place of |ip|: a new one, or that of whoever has to be thought of the shortest. */
static struct ahoy_throttle_neighbour *place(struct ahoy_throttle *throttle,
                                             const struct ahoy_ip *ip, uint64_t now_ms)
{
    struct ahoy_throttle_neighbour *found = find(throttle, ip);
    if (found != NULL)
        return found;
    if (throttle->count < AHOY_THROTTLES_LIMIT) {
        found = &throttle->list[throttle->count++];
    } else {
        found = &throttle->list[0];
        for (size_t i = 1; i < throttle->count; i++) {
            if (throttle->list[i].until_ms < found->until_ms)
                found = &throttle->list[i];
        }
    }
    *found = (struct ahoy_throttle_neighbour){ .ip = *ip, .mix = MIX_USUAL, .sampled_ms = now_ms };
    return found;
}

/* How many of the requests in each 100 of |urgency| are held back: the new ones, and the others
 * when all of those are. */
static uint32_t part_of(const struct ahoy_throttle_neighbour *neighbour, enum ahoy_urgency urgency)
{
    uint32_t loss = neighbour->loss;
    uint32_t mix = neighbour->mix;
    if (urgency == AHOY_URGENCY_NEW)
        return loss >= mix ? 100 : loss * 100 / mix;
    return loss <= mix ? 0 : (loss - mix) * 100 / (100 - mix);
}

static void sample(struct ahoy_throttle_neighbour *neighbour, enum ahoy_urgency urgency,
                   uint64_t now_ms)
{
    neighbour->seen[urgency]++;
    if (now_ms < neighbour->sampled_ms + AHOY_THROTTLE_SAMPLE_MS)
        return;
    uint32_t all = neighbour->seen[AHOY_URGENCY_NEW] + neighbour->seen[AHOY_URGENCY_KEPT];
    if (all >= SAMPLE_LEAST)
        neighbour->mix = neighbour->seen[AHOY_URGENCY_NEW] * 100 / all;
    neighbour->seen[AHOY_URGENCY_NEW] = neighbour->seen[AHOY_URGENCY_KEPT] = 0;
    neighbour->sampled_ms = now_ms;
}

/* Whether it is left alone, as it has not answered lately.  What is let through is a probe, and the
 * next one has to wait longer: R7339-5.9-3. */
static bool is_dead(struct ahoy_throttle_neighbour *neighbour, uint64_t now_ms)
{
    if (neighbour->failures < AHOY_THROTTLE_FAILURES)
        return false;
    if (now_ms < neighbour->probe_ms)
        return true;
    unsigned doublings = neighbour->failures - AHOY_THROTTLE_FAILURES;
    uint64_t pause_ms = AHOY_THROTTLE_PROBE_MOST_MS;
    if (doublings < 5)
        pause_ms = (uint64_t)AHOY_THROTTLE_PROBE_MS << doublings;
    neighbour->failures += doublings < 5;
    neighbour->probe_ms = now_ms + pause_ms;
    return false;
}

bool ahoy_throttle_holds(struct ahoy_throttle *throttle, const struct ahoy_ip *ip,
                         enum ahoy_urgency urgency, uint64_t now_ms)
{
    struct ahoy_throttle_neighbour *neighbour = find(throttle, ip);
    if (neighbour == NULL)
        return false;
    sample(neighbour, urgency, now_ms);
    if (is_dead(neighbour, now_ms))
        return true;
    if (now_ms >= neighbour->until_ms) /* R7339-5.4-1 */
        return false;
    neighbour->debts[urgency] += part_of(neighbour, urgency);
    if (neighbour->debts[urgency] < 100)
        return false;
    neighbour->debts[urgency] -= 100;
    return true;
}

/* Whether |oc| is newer than what is known; where it lies far behind, its numbers have begun
 * again: RFC 7339 4.4. */
static bool is_news(const struct ahoy_throttle_neighbour *neighbour, const struct ahoy_oc *oc)
{
    return oc->seq > neighbour->seq || neighbour->seq - oc->seq > SEQ_JUMP;
}

void ahoy_throttle_answered(struct ahoy_throttle *throttle, const struct ahoy_ip *ip,
                            const struct ahoy_oc *oc, uint64_t now_ms)
{
    struct ahoy_throttle_neighbour *neighbour = find(throttle, ip);
    if (neighbour != NULL)
        neighbour->failures = 0;
    if (oc == NULL || !oc->has_value || !oc->is_loss)
        return;
    if (neighbour == NULL)
        neighbour = place(throttle, ip, now_ms);
    if (!is_news(neighbour, oc))
        return;
    neighbour->seq = oc->seq;
    neighbour->loss = oc->loss;
    neighbour->until_ms = now_ms + oc->validity_ms;
}

void ahoy_throttle_failed(struct ahoy_throttle *throttle, const struct ahoy_ip *ip, uint64_t now_ms)
{
    struct ahoy_throttle_neighbour *neighbour = place(throttle, ip, now_ms);
    if (neighbour->failures >= AHOY_THROTTLE_FAILURES)
        return; /* It is probed already. */
    neighbour->failures++;
    neighbour->probe_ms = now_ms + AHOY_THROTTLE_PROBE_MS;
}
