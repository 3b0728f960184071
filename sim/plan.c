/* Chance, in an order that must not depend on anything but the seed. */
#include "sim/plan.h"

#include <stdlib.h>

enum { DELAY_MOST_MS = 40000 };

static uint32_t below(struct ahoy_rng *rng, uint32_t bound)
{
    return (uint32_t)ahoy_rng_below(rng, bound);
}

static bool chance(struct ahoy_rng *rng, uint32_t percent)
{
    return below(rng, 100) < percent;
}

static struct sim_link make_link(struct ahoy_rng *rng)
{
    struct sim_link link = { .delay_ms = 1 + below(rng, 200) };
    if (chance(rng, 70))
        link.jitter_ms = below(rng, 200);
    if (chance(rng, 50))
        link.loss = 1 + below(rng, chance(rng, 30) ? 50 : 15);
    if (chance(rng, 50))
        link.duplication = below(rng, 25);
    if (chance(rng, 20)) {
        link.late = 1 + below(rng, 10);
        link.late_ms = DELAY_MOST_MS;
    }
    if (chance(rng, 50)) {
        link.split = below(rng, 60);
        link.hold = below(rng, 40);
    }
    return link;
}

/* The phones' deeds come close to each other, so that requests cross on the wire. */
static struct sim_event make_deed(struct ahoy_rng *rng)
{
    static const unsigned statuses[] = { 200, 200, 200, 200, 486, 603, 480 };
    struct sim_event event = { .who = below(rng, SIM_HEALTHY_PHONES) };
    static const enum sim_event_kind changes[] = { SIM_PHONE_PROGRESSES, SIM_PHONE_HOLDS,
                                                   SIM_PHONE_RESUMES };
    uint32_t kind = below(rng, 13);
    if (kind == 0) {
        event.kind = SIM_PHONE_REGISTERS;
    } else if (kind < 4) {
        event.kind = SIM_PHONE_CALLS;
        event.whom = below(rng, 8);
    } else if (kind < 7) {
        event.kind = SIM_PHONE_ANSWERS;
        event.amount = statuses[below(rng, sizeof statuses / sizeof *statuses)];
    } else if (kind < 10) {
        event.kind = changes[below(rng, sizeof changes / sizeof *changes)];
    } else {
        event.kind = SIM_PHONE_HANGS_UP;
    }
    return event;
}

static void add(struct sim_plan *plan, struct sim_event event, uint64_t at_ms)
{
    if (plan->event_count == SIM_EVENTS_LIMIT)
        return;
    event.at_ms = at_ms;
    plan->events[plan->event_count++] = event;
}

/* A call that is answered and handed on, at once or after a second call, half of the time to one
 * who will answer and else to whoever that may be: by chance alone few come so far. */
static void add_transfer(struct sim_plan *plan, struct ahoy_rng *rng, uint64_t at_ms)
{
    unsigned who = below(rng, SIM_HEALTHY_PHONES), whom = below(rng, 8);
    unsigned peer = SIM_HEALTHY_PHONES - 1 - who;
    bool asks_first = chance(rng, 50);
    if (chance(rng, 50))
        whom = asks_first ? peer : who;
    const struct sim_event answers = { .kind = SIM_PHONE_ANSWERS, .amount = 200 };
    struct sim_event deeds[] = {
        { .kind = SIM_PHONE_CALLS, .who = who, .whom = peer },
        answers,
        { .kind = asks_first ? SIM_PHONE_CALLS : SIM_PHONE_TRANSFERS, .who = who, .whom = whom },
        answers,
        { .kind = asks_first ? SIM_PHONE_JOINS : SIM_PHONE_ANSWERS, .who = who, .amount = 200 },
    };
    deeds[1].who = deeds[3].who = peer;
    for (size_t i = 0; i < sizeof deeds / sizeof *deeds; i++) {
        add(plan, deeds[i], at_ms);
        at_ms += 1000 + below(rng, 4000);
    }
}

/* A call that both change at once, so that the changes cross (RFC 3261 14.2), now and then while it
 * rings (RFC 3311 5.2). */
static void add_glare(struct sim_plan *plan, struct ahoy_rng *rng, uint64_t at_ms)
{
    unsigned who = below(rng, SIM_HEALTHY_PHONES);
    unsigned peer = SIM_HEALTHY_PHONES - 1 - who;
    bool is_early = chance(rng, 30);
    const struct sim_event deeds[] = {
        { .kind = SIM_PHONE_CALLS, .who = who, .whom = peer },
        { .kind = is_early ? SIM_PHONE_PROGRESSES : SIM_PHONE_ANSWERS, .who = peer, .amount = 200 },
        { .kind = SIM_PHONE_HOLDS, .who = who },
        { .kind = SIM_PHONE_HOLDS, .who = peer },
        { .kind = SIM_PHONE_ANSWERS, .who = peer, .amount = 200 },
        { .kind = SIM_PHONE_RESUMES, .who = peer },
        { .kind = SIM_PHONE_RESUMES, .who = who },
    };
    for (size_t i = 0; i < sizeof deeds / sizeof *deeds; i++) {
        bool crosses = deeds[i].kind == SIM_PHONE_HOLDS || deeds[i].kind == SIM_PHONE_RESUMES;
        add(plan, deeds[i], at_ms);
        at_ms += crosses ? below(rng, 100) : 1000 + below(rng, 3000);
    }
}

static void add_crash(struct sim_plan *plan, struct ahoy_rng *rng, uint64_t at_ms)
{
    add(plan, (struct sim_event){ .kind = SIM_SERVER_CRASHES }, at_ms);
    /* A clock is set while the machine starts: forwards or backwards. */
    uint64_t jump_ms = chance(rng, 40) ? below(rng, 20000) : 0;
    add(plan,
        (struct sim_event){
            .kind = SIM_SERVER_STARTS, .amount = jump_ms, .both_ways = chance(rng, 50) },
        at_ms + 1 + below(rng, 5000));
}

static void add_fault(struct sim_plan *plan, struct ahoy_rng *rng, uint64_t at_ms)
{
    uint32_t parties = (uint32_t)(1 + SIM_HEALTHY_PHONES + plan->actor_count);
    struct sim_event event = { .kind = SIM_LINK_CHANGES };
    switch (below(rng, 10)) {
    case 0:
        event.link = make_link(rng);
        break;
    case 1:
    case 2:
        event.kind = SIM_LINK_IS_CUT;
        event.whom = 1 + below(rng, parties - 1);
        event.both_ways = chance(rng, 60);
        event.amount = 100 + below(rng, 30000);
        break;
    case 3:
        event.kind = SIM_STREAMS_RESET;
        event.who = below(rng, parties);
        break;
    case 4:
        event.kind = SIM_CONNECTIONS_REFUSED;
        event.who = below(rng, parties);
        event.amount = below(rng, 20000);
        break;
    case 5:
        add_crash(plan, rng, at_ms);
        return;
    case 6:
        event.kind = SIM_CLOCK_JUMPS;
        event.amount = below(rng, 60000);
        break;
    case 7:
        event.kind = SIM_STORE_CHANGES;
        event.store =
            (struct sim_host_store){ below(rng, 3000), chance(rng, 50) ? 40 : 0, below(rng, 5) };
        break;
    case 8:
        event.kind = SIM_DNS_CHANGES;
        event.dns = (struct sim_host_dns){ below(rng, 30), below(rng, 30), below(rng, 30),
                                           below(rng, 3000) };
        break;
    default:
        event.kind = SIM_MEMORY_IS_SHORT;
        event.amount = 1 + below(rng, 20);
        break;
    }
    add(plan, event, at_ms);
}

static int compare(const void *left, const void *right)
{
    const struct sim_event *a = left, *b = right;
    if (a->at_ms != b->at_ms)
        return a->at_ms < b->at_ms ? -1 : 1;
    return a->kind < b->kind ? -1 : a->kind > b->kind;
}

static void make_actors(struct sim_plan *plan, struct ahoy_rng *rng)
{
    bool has_streams = chance(rng, 40);
    plan->actor_count = below(rng, SIM_ACTORS_LIMIT + 1);
    for (size_t i = 0; i < plan->actor_count; i++) {
        struct sim_actor_plan *actor = &plan->actors[i];
        actor->is_stream = has_streams && chance(rng, 50);
        actor->is_wild = chance(rng, 15);
        actor->is_named = plan->has_names && chance(rng, 50);
        actor->loops = chance(rng, 15);
        actor->idle_ms = 500 + below(rng, 20000);
    }
}

void sim_plan_make(struct sim_plan *plan, uint64_t seed)
{
    struct ahoy_rng rng;
    const uint64_t seeds[2] = { seed, 0x706c616e };
    ahoy_rng_init(&rng, seeds);
    *plan = (struct sim_plan){ .is_strict = chance(&rng, 25),
                               .has_names = chance(&rng, 30),
                               .has_faults = chance(&rng, 50),
                               .link = make_link(&rng),
                               .action_ms = 20000 + below(&rng, 60000) };
    make_actors(plan, &rng);
    for (unsigned i = 0; i < SIM_HEALTHY_PHONES; i++)
        add(plan, (struct sim_event){ .kind = SIM_PHONE_REGISTERS, .who = i }, below(&rng, 2000));
    for (uint32_t i = 4 + below(&rng, 16); i > 0; i--)
        add(plan, make_deed(&rng), below(&rng, (uint32_t)plan->action_ms));
    if (chance(&rng, 50))
        add_transfer(plan, &rng, 3000 + below(&rng, (uint32_t)plan->action_ms));
    for (uint32_t i = plan->has_faults ? 1 + below(&rng, 8) : 0; i > 0; i--)
        add_fault(plan, &rng, below(&rng, (uint32_t)plan->action_ms));
    if (chance(&rng, 50))
        add_glare(plan, &rng, 3000 + below(&rng, (uint32_t)plan->action_ms));
    qsort(plan->events, plan->event_count, sizeof *plan->events, compare);
}
