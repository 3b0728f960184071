/* Puts the plan of a seed on the stage, and watches. */
#include "sim/scene.h"

#include <stdio.h>
#include <stdlib.h>

#include "sim/actor.h"
#include "sim/failing_alloc.h"
#include "sim/laws.h"
#include "sim/laws_phone.h"
#include "sim/phone.h"
#include "sim/plan.h"

enum {
    PROXY_PORT = 5060,
    CALM_MS = 60000,   /* After the faults: what is late arrives. */
    HEALTH_MS = 32000, /* Law 28. */
    REST_MS = 500000   /* After the last deed: every timer of a call, C included, is over. */
};

static const char *const names[] = { "alice", "bob",   "carol", "dave",
                                     "erin",  "frank", "grace", "heidi" };
static const char *const aors[] = {
    "alice@atlanta.example", "bob@atlanta.example",   "carol@atlanta.example",
    "dave@atlanta.example",  "erin@atlanta.example",  "frank@atlanta.example",
    "grace@atlanta.example", "heidi@atlanta.example", NULL
};

struct scene {
    struct sim_witness witness; /* First: the server's eyes get it. */
    struct sim_plan plan;
    struct sim_world *world;
    struct sim_host *host;
    struct sim_zone *zone;
    struct sim_phone *phones[SIM_PHONES];
    struct sim_phone_witness *phone_witness;
    struct sim_actor *actors[SIM_ACTORS_LIMIT];
    unsigned placed[SIM_PHONES];                           /* Calls. */
    struct ahoy_ip ips[1 + SIM_PHONES + SIM_ACTORS_LIMIT]; /* The proxy's first. */
    uint64_t short_turns; /* So many turns are still to meet a refused allocation. */
    bool is_armed;
    struct ahoy_rng rng;
    uint64_t hash, messages;
    bool ladder;
};

static bool lose_nothing(void *context, const struct ahoy_ip *to, struct span bytes)
{
    (void)context; /* The links lose enough. */
    (void)to;
    (void)bytes;
    return false;
}

/* Whether what passes is still to be printed: all that does in the instant in which a law is broken
 * is. */
static bool tells(const struct scene *scene)
{
    uint64_t ms = sim_world_now(scene->world) - sim_world_epoch();
    return scene->ladder && (scene->witness.law == 0 || scene->witness.broken_ms == ms);
}

static void say(const struct scene *scene, const char *what)
{
    if (tells(scene))
        printf("[%7llu] %s\n",
               (unsigned long long)(sim_world_now(scene->world) - sim_world_epoch()), what);
}

/* All that passes is in the hash: what arrives, and what does not. */
static void watch(void *context, enum sim_passage passage, const struct sim_packet *packet)
{
    struct scene *scene = context;
    static const struct ahoy_hash_key key = { { 1, 2 } };
    const uint64_t facts[] = { scene->hash, sim_world_now(scene->world), passage, packet->kind };
    const struct span parts[] = { { (const char *)facts, sizeof facts },
                                  { (const char *)packet->from.bytes, 4 },
                                  { (const char *)packet->to.bytes, 4 },
                                  packet->bytes };
    scene->hash = ahoy_siphash_parts(&key, parts, 4);
    scene->messages += passage == SIM_ARRIVED;
    if (packet->kind == SIM_DATAGRAM)
        sim_phone_witness_see(scene->phone_witness, passage, packet);
    if (tells(scene))
        sim_laws_print(scene->world, passage, packet);
}

/* Before the server gets its turn, and behind it. */
static void enters(void *context)
{
    struct scene *scene = context;
    if (scene->short_turns == 0)
        return;
    scene->short_turns--;
    scene->is_armed = true;
    failing_alloc_begin(ahoy_rng_below(&scene->rng, 12), FAILING_ALLOC_ONE);
}

static void leaves(void *context)
{
    struct scene *scene = context;
    if (!scene->is_armed)
        return;
    scene->is_armed = false;
    if (failing_alloc_end() > 0)
        sim_witness_excuse(&scene->witness);
}

static void fill_zone(struct sim_zone *zone)
{
    static const char *const lines[] = {
        "erin.example A 192.0.2.6",
        "_sip._udp.frank.example SRV 10 1 5060 one.frank.example",
        "_sip._udp.frank.example SRV 20 1 5060 two.frank.example",
        "one.frank.example A 192.0.2.99",
        "two.frank.example A 192.0.2.7",
        "frank.example A 192.0.2.7",
        "grace.example A 192.0.2.8",
        "grace.example SLOW 700",
        "heidi.example A 192.0.2.9",
        "heidi.example A 192.0.2.98",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        (void)sim_zone_add(zone, lines[i]); /* They are records. */
}

static bool open_host(struct scene *scene)
{
    char text[256];
    snprintf(text, sizeof text,
             "listen 'udp:192.0.2.1' listen 'tcp:192.0.2.1' store 'memory:'\n"
             "domain('atlanta.example', { %s })",
             scene->plan.is_strict ? "auth = 'digest'" : "auth = 'none', insecure = true");
    scene->host = sim_host_new(scene->world, "proxy", text, lose_nothing, scene);
    if (scene->host == NULL)
        return false;
    for (size_t i = 0; scene->plan.is_strict && aors[i] != NULL; i++)
        sim_host_add_user(scene->host, names[i], "atlanta.example", SIM_PASSWORD);
    sim_host_resolve(scene->host, scene->zone);
    sim_host_set_store(scene->host, &(struct sim_host_store){ .limit = 4096 });
    sim_witness_init(&scene->witness, scene->world, scene->host, aors);
    scene->witness.eyes.enters = enters;
    scene->witness.eyes.leaves = leaves;
    scene->witness.is_strict = scene->plan.is_strict;
    if (scene->plan.is_strict)
        (void)ahoyd_store_user(sim_host_store(scene->host), SPAN("alice"), SPAN("atlanta.example"),
                               &scene->witness.user); /* Just put. */
    return true;
}

static bool open_actor(struct scene *scene, size_t i, uint64_t number)
{
    static const char *const hosts[] = { "erin.example", "frank.example", "grace.example",
                                         "heidi.example" };
    const struct sim_actor_plan *plan = &scene->plan.actors[i];
    struct sim_actor_options options = {
        .name = names[SIM_PHONES + i],
        .ip = scene->ips[1 + SIM_PHONES + i],
        .transport = plan->is_stream ? AHOY_TCP : AHOY_UDP,
        .server = scene->ips[0],
        .seed = number,
        .password = scene->plan.is_strict ? SIM_PASSWORD : NULL,
        .friends = { "alice", "bob", "erin", "frank", "grace", "heidi", "nobody" },
        .host = plan->is_named ? hosts[i] : NULL,
        .is_wild = plan->is_wild,
        .loops = plan->loops,
        .idle_ms = plan->idle_ms,
    };
    scene->witness.has_streams |= plan->is_stream || plan->is_named;
    scene->actors[i] = sim_actor_new(scene->world, &options);
    return scene->actors[i] != NULL;
}

static bool open_scene(struct scene *scene, uint64_t number)
{
    const uint64_t seeds[2] = { number, 0x7363656e };
    sim_plan_make(&scene->plan, number);
    ahoy_rng_init(&scene->rng, seeds);
    for (uint8_t i = 0; i < sizeof scene->ips / sizeof *scene->ips; i++)
        scene->ips[i] = (struct ahoy_ip){ AHOY_IPV4, PROXY_PORT, 0, { 192, 0, 2, 1 + i } };
    scene->world = sim_world_new(number, &scene->plan.link);
    scene->zone = sim_zone_new();
    if (scene->world == NULL || scene->zone == NULL)
        return false;
    fill_zone(scene->zone);
    if (!open_host(scene))
        return false;
    scene->phone_witness = sim_phone_witness_new(&scene->witness);
    for (size_t i = 0; i < SIM_PHONES; i++) {
        scene->phones[i] =
            sim_phone_new(scene->world, names[i], scene->plan.is_strict ? SIM_PASSWORD : NULL,
                          &scene->ips[1 + i], &scene->ips[0]);
        if (scene->phones[i] == NULL)
            return false;
        sim_phone_witness_add(scene->phone_witness, &scene->ips[1 + i]);
    }
    for (size_t i = 0; i < scene->plan.actor_count; i++) {
        if (!open_actor(scene, i, number))
            return false;
    }
    sim_world_watch(scene->world, watch, scene);
    return true;
}

static void close_scene(struct scene *scene)
{
    sim_witness_fini(&scene->witness);
    for (size_t i = 0; i < SIM_ACTORS_LIMIT; i++)
        sim_actor_free(scene->actors[i]);
    for (size_t i = 0; i < SIM_PHONES; i++)
        sim_phone_free(scene->phones[i]);
    sim_phone_witness_free(scene->phone_witness);
    sim_host_free(scene->host);
    sim_zone_free(scene->zone);
    if (scene->world != NULL)
        sim_world_free(scene->world);
}

static void call(struct scene *scene, unsigned who, const char *user)
{
    char uri[64];
    snprintf(uri, sizeof uri, "sip:%s@atlanta.example", user);
    scene->placed[who] += sim_phone_call(scene->phones[who], uri);
}

static void transfer(struct scene *scene, unsigned who, const char *user)
{
    char uri[64];
    snprintf(uri, sizeof uri, "sip:%s@atlanta.example", user);
    sim_phone_transfer(scene->phones[who], uri);
}

static void crash(struct scene *scene)
{
    if (!sim_host_is_up(scene->host))
        return;
    sim_law_bindings_revived(&scene->witness); /* What is known is brought up to date. */
    sim_witness_forget(&scene->witness);
    sim_host_crash(scene->host);
}

static void start(struct scene *scene, int64_t jump_ms)
{
    if (sim_host_is_up(scene->host))
        return;
    sim_host_jump(scene->host, jump_ms);
    sim_host_restart(scene->host);
    sim_witness_revived(&scene->witness);
}

/* The address of a party: the proxy, the phones that take part, the actors. */
static const struct ahoy_ip *party(const struct scene *scene, unsigned who)
{
    return &scene->ips[who <= SIM_HEALTHY_PHONES ? who : who + SIM_PHONES - SIM_HEALTHY_PHONES];
}

static void cut(struct scene *scene, const struct sim_event *event)
{
    uint64_t until_ms = sim_world_now(scene->world) + event->amount;
    const struct ahoy_ip *from = party(scene, event->who), *to = party(scene, event->whom);
    (void)sim_world_cut(scene->world, from, to, until_ms); /* Where too many are, no more. */
    if (event->both_ways)
        (void)sim_world_cut(scene->world, to, from, until_ms); /* Likewise. */
}

static void happen_to_server(struct scene *scene, const struct sim_event *event)
{
    switch (event->kind) {
    case SIM_SERVER_CRASHES:
        say(scene, "the server crashes");
        crash(scene);
        break;
    case SIM_SERVER_STARTS:
        say(scene, "the server starts");
        start(scene, event->both_ways ? -(int64_t)event->amount : (int64_t)event->amount);
        break;
    case SIM_CLOCK_JUMPS:
        say(scene, "the clock jumps");
        sim_witness_jumps(&scene->witness, event->amount); /* Before the laws look, ... */
        sim_host_jump(scene->host, (int64_t)event->amount);
        sim_witness_jumps(&scene->witness, 0); /* ... and by the new time. */
        break;
    case SIM_STORE_CHANGES:
        say(scene, "the store is slow, or fails");
        sim_host_set_store(scene->host, &event->store);
        break;
    case SIM_DNS_CHANGES:
        say(scene, "the DNS is slow, or fails");
        sim_host_set_dns(scene->host, &event->dns);
        break;
    default:
        say(scene, "memory is short");
        scene->short_turns = event->amount;
        break;
    }
}

static void happen(struct scene *scene, const struct sim_event *event)
{
    switch (event->kind) {
    case SIM_PHONE_REGISTERS:
        sim_phone_register(scene->phones[event->who]);
        break;
    case SIM_PHONE_CALLS:
        call(scene, event->who, names[event->whom]);
        break;
    case SIM_PHONE_ANSWERS:
        sim_phone_answer(scene->phones[event->who], (unsigned)event->amount);
        break;
    case SIM_PHONE_PROGRESSES:
        sim_phone_progress(scene->phones[event->who]);
        break;
    case SIM_PHONE_HOLDS:
        sim_phone_hold(scene->phones[event->who]);
        break;
    case SIM_PHONE_RESUMES:
        sim_phone_resume(scene->phones[event->who]);
        break;
    case SIM_PHONE_TRANSFERS:
        transfer(scene, event->who, names[event->whom]);
        break;
    case SIM_PHONE_JOINS:
        sim_phone_join(scene->phones[event->who]);
        break;
    case SIM_PHONE_HANGS_UP:
        sim_phone_hangup(scene->phones[event->who]);
        break;
    case SIM_LINK_CHANGES:
        say(scene, "the links change");
        sim_world_set_link(scene->world, &event->link);
        break;
    case SIM_LINK_IS_CUT:
        say(scene, "a link is cut");
        cut(scene, event);
        break;
    case SIM_STREAMS_RESET:
        say(scene, "streams break");
        sim_world_reset(scene->world, party(scene, event->who));
        break;
    case SIM_CONNECTIONS_REFUSED:
        sim_world_refuse(scene->world, party(scene, event->who),
                         sim_world_now(scene->world) + event->amount);
        break;
    default:
        happen_to_server(scene, event);
        break;
    }
}

static void run_for(struct scene *scene, uint64_t ms)
{
    sim_world_run(scene->world, sim_world_now(scene->world) + ms);
}

static void act(struct scene *scene)
{
    uint64_t begin_ms = sim_world_now(scene->world);
    for (size_t i = 0; i < scene->plan.event_count && scene->witness.law == 0; i++) {
        sim_world_run(scene->world, begin_ms + scene->plan.events[i].at_ms);
        happen(scene, &scene->plan.events[i]);
    }
    if (sim_world_now(scene->world) < begin_ms + scene->plan.action_ms)
        sim_world_run(scene->world, begin_ms + scene->plan.action_ms);
}

static void heal(struct scene *scene)
{
    const struct sim_link link = { .delay_ms = 10 };
    say(scene, "all heals");
    scene->short_turns = 0;
    sim_world_heal(scene->world);
    sim_world_set_link(scene->world, &link);
    sim_host_set_dns(scene->host, &(struct sim_host_dns){ 0 });
    sim_host_set_store(scene->host, &(struct sim_host_store){ .limit = 4096 });
    start(scene, 0);
    for (size_t i = 0; i < scene->plan.actor_count; i++)
        sim_actor_calm(scene->actors[i]);
    run_for(scene, CALM_MS);
}

/* Law 28: two who have kept out of all that. */
static void call_in_health(struct scene *scene)
{
    struct sim_phone *carol = scene->phones[2], *dave = scene->phones[3];
    sim_phone_register(dave);
    run_for(scene, HEALTH_MS / 4);
    if (sim_phone_told(dave)->registered == 0)
        sim_witness_break(&scene->witness, 28, "dave could not register");
    unsigned before = sim_phone_told(carol)->answered;
    unsigned rung = sim_phone_told(dave)->incoming;
    call(scene, 2, "dave");
    for (unsigned i = 0; i < 8 && sim_phone_told(dave)->incoming == rung; i++)
        run_for(scene, HEALTH_MS / 16);
    sim_phone_answer(dave, 200);
    run_for(scene, HEALTH_MS / 4);
    if (sim_phone_told(carol)->answered == before)
        sim_witness_break(&scene->witness, 28, "carol could not call dave");
}

static void rest(struct scene *scene)
{
    for (unsigned i = 0; i < 2; i++) { /* A call that was still ringing may be answered. */
        for (size_t j = 0; j < SIM_PHONES; j++)
            sim_phone_hangup_all(scene->phones[j]);
        run_for(scene, REST_MS / 2);
    }
    for (size_t i = 0; i < SIM_PHONES; i++) {
        const struct sim_phone_told *told = sim_phone_told(scene->phones[i]);
        unsigned calls = scene->placed[i] + told->incoming + told->referred;
        if (told->refused + told->ended != calls)
            sim_witness_break(&scene->witness, 2, "%s: %u calls, and %u ends", names[i], calls,
                              told->refused + told->ended);
        if (told->transferred != told->asked)
            sim_witness_break(&scene->witness, 2, "%s: %u transfers, and %u ends", names[i],
                              told->asked, told->transferred);
        if (sim_phone_held(scene->phones[i]) != 0)
            sim_witness_break(&scene->witness, 27, "%s still holds something", names[i]);
    }
    sim_witness_end(&scene->witness);
}

static void play(struct scene *scene)
{
    act(scene);
    if (scene->witness.law == 0)
        heal(scene);
    if (scene->witness.law == 0)
        call_in_health(scene);
    if (scene->witness.law == 0)
        rest(scene);
}

void sim_scene_run(uint64_t number, bool ladder, struct sim_verdict *verdict)
{
    struct scene *scene = calloc(1, sizeof *scene);
    *verdict = (struct sim_verdict){ .law = 27, .what = "memory ran out" };
    if (scene == NULL)
        return;
    scene->ladder = ladder;
    if (open_scene(scene, number)) {
        play(scene);
        *verdict = (struct sim_verdict){ .hash = scene->hash,
                                         .messages = scene->messages,
                                         .law = scene->witness.law };
        for (size_t i = 0; i < SIM_PHONES; i++)
            sim_phone_told_add(&verdict->told, sim_phone_told(scene->phones[i]));
        if (scene->witness.law != 0)
            snprintf(verdict->what, sizeof verdict->what, "law %u (%s) at %llu ms: %s",
                     scene->witness.law, sim_law_name(scene->witness.law),
                     (unsigned long long)scene->witness.broken_ms, scene->witness.what);
    }
    close_scene(scene);
    free(scene);
}
