/* One world a seed. */
#include "sim/seeds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/host.h"
#include "sim/phone.h"

enum {
    LOSS_MOST = 30,       /* Percent; half of the seeds have none. */
    PATIENCE_MS = 120000, /* Of Bob, whose phone rings. */
    REST_MS = 400000,     /* After the last deed: every timer of a call, C included, is over. */
    REPEAT_EVERY = 50     /* Seeds: the next one is run twice and must be the same. */
};

/* What chance decided for a seed. */
struct plan {
    struct sim_link link;
    uint64_t answer_ms, alice_ms, bob_ms; /* After the call began: when they answer and hang up. */
    unsigned status;                      /* What Bob answers. */
};

struct seed {
    struct sim_world *world;
    struct sim_host *host;
    struct sim_phone *alice, *bob;
    struct plan plan;
    uint64_t hash; /* Of all that the server sent, and when. */
    const char *broken;
};

static bool watch(void *context, const struct ahoy_ip *to, struct span bytes)
{
    struct seed *seed = context;
    static const struct ahoy_hash_key key = { { 1, 2 } };
    uint64_t now_ms = sim_world_now(seed->world);
    const struct span parts[] = { { (const char *)&seed->hash, sizeof seed->hash },
                                  { (const char *)&now_ms, sizeof now_ms },
                                  { (const char *)to->bytes, sizeof to->bytes },
                                  bytes };
    seed->hash = ahoy_siphash_parts(&key, parts, 4);
    return false;
}

static struct plan make_plan(uint64_t number)
{
    struct ahoy_rng rng;
    const uint64_t seeds[2] = { number, 0x706c616e };
    ahoy_rng_init(&rng, seeds);
    struct plan plan = { .link = { .delay_ms = 1 + (uint32_t)ahoy_rng_below(&rng, 200),
                                   .jitter_ms = (uint32_t)ahoy_rng_below(&rng, 100),
                                   .duplication = (uint32_t)ahoy_rng_below(&rng, 20) } };
    if (ahoy_rng_below(&rng, 2) == 1)
        plan.link.loss = 1 + (uint32_t)ahoy_rng_below(&rng, LOSS_MOST);
    static const unsigned statuses[] = { 200, 200, 200, 486, 603 };
    plan.status = statuses[ahoy_rng_below(&rng, 5)];
    plan.answer_ms = ahoy_rng_below(&rng, 5000);
    /* Near the answer, so that CANCEL and BYE cross it. */
    plan.alice_ms = plan.answer_ms + ahoy_rng_below(&rng, 3000);
    if (ahoy_rng_below(&rng, 4) == 0)
        plan.alice_ms = ahoy_rng_below(&rng, plan.answer_ms + 1);
    plan.bob_ms = plan.answer_ms + ahoy_rng_below(&rng, 6000);
    return plan;
}

static void run_for(struct seed *seed, uint64_t ms)
{
    sim_world_run(seed->world, sim_world_now(seed->world) + ms);
}

/* Lets time pass up to |at_ms| after |begin_ms|. */
static void run_to(struct seed *seed, uint64_t begin_ms, uint64_t at_ms)
{
    if (begin_ms + at_ms > sim_world_now(seed->world))
        sim_world_run(seed->world, begin_ms + at_ms);
}

static void play(struct seed *seed)
{
    const struct plan *plan = &seed->plan;
    sim_phone_register(seed->bob);
    run_for(seed, 60000);
    uint64_t begin_ms = sim_world_now(seed->world);
    sim_phone_call(seed->alice, "sip:bob@atlanta.example");
    if (plan->alice_ms < plan->answer_ms) {
        run_to(seed, begin_ms, plan->alice_ms);
        sim_phone_hangup(seed->alice);
    }
    run_to(seed, begin_ms, plan->answer_ms);
    sim_phone_answer(seed->bob, plan->status);
    run_to(seed, begin_ms, plan->alice_ms < plan->bob_ms ? plan->alice_ms : plan->bob_ms);
    sim_phone_hangup(plan->alice_ms < plan->bob_ms ? seed->alice : seed->bob);
    run_to(seed, begin_ms, plan->alice_ms < plan->bob_ms ? plan->bob_ms : plan->alice_ms);
    sim_phone_hangup(plan->alice_ms < plan->bob_ms ? seed->bob : seed->alice);
    /* A phone whose every 180 was lost may still ring for a caller who has gone: people give up. */
    run_for(seed, PATIENCE_MS);
    sim_phone_hangup(seed->bob);
    run_for(seed, REST_MS);
}

/* A call in which Bob answered at once must come through where nothing is lost. */
static bool must_be_answered(const struct plan *plan)
{
    const uint64_t slow_ms = 4 * (plan->link.delay_ms + plan->link.jitter_ms) + 1;
    return plan->link.loss == 0 && plan->status == 200 && plan->answer_ms > slow_ms &&
           plan->alice_ms > plan->answer_ms + slow_ms && plan->bob_ms > plan->answer_ms + slow_ms;
}

static void check(struct seed *seed)
{
    const struct sim_phone_told *alice = sim_phone_told(seed->alice);
    const struct sim_phone_told *bob = sim_phone_told(seed->bob);
    if (alice->refused + alice->ended != 1)
        seed->broken = "the caller's call has not ended once";
    else if (bob->refused + bob->ended != bob->incoming || bob->incoming > 1)
        seed->broken = "the callee's call has not ended once";
    else if (sim_host_transactions(seed->host) != 0)
        seed->broken = "the server still holds transactions";
    else if (sim_phone_held(seed->alice) + sim_phone_held(seed->bob) != 0)
        seed->broken = "a phone still holds a session";
    else if (seed->plan.link.loss == 0 && bob->registered == 0)
        seed->broken = "nothing was lost, and Bob could not register";
    else if (must_be_answered(&seed->plan) && (alice->answered != 1 || bob->answered != 1))
        seed->broken = "nothing was lost, and the call was not put through";
}

/* Runs one seed; returns the hash of what the server sent, and the law that was broken, or NULL. */
static uint64_t run_seed(uint64_t number, const char **broken)
{
    static const char config[] = "listen 'udp:192.0.2.1' store 'memory:'\n"
                                 "domain('atlanta.example', { auth = 'none', insecure = true })";
    struct seed seed = { .plan = make_plan(number), .broken = "memory ran out" };
    struct ahoy_ip ips[3];
    for (uint8_t i = 0; i < 3; i++)
        ips[i] = (struct ahoy_ip){ AHOY_IPV4, 5060, 0, { 192, 0, 2, (uint8_t)(i + 1) } };
    seed.world = sim_world_new(number, &seed.plan.link);
    if (seed.world != NULL) {
        seed.host = sim_host_new(seed.world, "proxy", config, watch, &seed);
        seed.alice = sim_phone_new(seed.world, "alice", &ips[1], &ips[0]);
        seed.bob = sim_phone_new(seed.world, "bob", &ips[2], &ips[0]);
    }
    if (seed.host != NULL && seed.alice != NULL && seed.bob != NULL) {
        seed.broken = NULL;
        play(&seed);
        check(&seed);
    }
    sim_phone_free(seed.alice);
    sim_phone_free(seed.bob);
    sim_host_free(seed.host);
    sim_world_free(seed.world);
    *broken = seed.broken;
    return seed.hash;
}

bool sim_seeds_run(uint64_t first, uint64_t count)
{
    uint64_t faults = 0;
    bool terminal = isatty(STDOUT_FILENO) == 1;
    for (uint64_t i = 0; i < count; i++) {
        const char *broken = NULL, *again = NULL;
        uint64_t hash = run_seed(first + i, &broken);
        if (i % REPEAT_EVERY == 0 && run_seed(first + i, &again) != hash)
            broken = "the same seed did not do the same";
        if (broken != NULL) {
            fprintf(stderr, "seed %llu: %s\n", (unsigned long long)(first + i), broken);
            faults++;
        }
        if (terminal && i % 100 == 99) {
            printf("\r%llu of %llu", (unsigned long long)(i + 1), (unsigned long long)count);
            fflush(stdout);
        }
    }
    printf("%s%llu seeds, %llu broken\n", terminal ? "\r" : "", (unsigned long long)count,
           (unsigned long long)faults);
    return faults == 0;
}
