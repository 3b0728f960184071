/* A heap of packets and the nodes' deadlines; time jumps from one to the next. */
#include "sim/world.h"

#include <assert.h>
#include <stdlib.h>

#include "sim/world_inside.h"

uint64_t sim_world_epoch(void)
{
    return UINT64_C(1700000000000);
}

struct sim_world *sim_world_new(uint64_t seed, const struct sim_link *link)
{
    struct sim_world *world = calloc(1, sizeof *world);
    if (world == NULL)
        return NULL;
    uint64_t seeds[2] = { seed, 0x61686f79 };
    ahoy_rng_init(&world->rng, seeds);
    world->now_ms = sim_world_epoch();
    world->link = *link;
    return world;
}

static void free_bytes(struct sim_packet *packet)
{
    free((void *)(uintptr_t)packet->bytes.at);
}

void sim_world_free(struct sim_world *world)
{
    if (world == NULL)
        return;
    for (size_t i = 0; i < world->count; i++)
        free_bytes(&world->heap[i]);
    sim_world_free_streams(world);
    free(world->heap);
    free(world);
}

void sim_world_add(struct sim_world *world, const struct sim_node *node)
{
    assert(world->node_count < SIM_NODES_LIMIT);
    world->nodes[world->node_count++] = node;
}

const struct sim_node *sim_world_node(const struct sim_world *world, const struct ahoy_ip *ip)
{
    for (size_t i = 0; i < world->node_count; i++) {
        if (ahoy_ip_equal_host(&world->nodes[i]->ip, ip))
            return world->nodes[i];
    }
    return NULL;
}

uint64_t sim_world_now(const struct sim_world *world)
{
    return world->now_ms;
}

struct ahoy_rng *sim_world_rng(struct sim_world *world)
{
    return &world->rng;
}

void sim_world_watch(struct sim_world *world, sim_world_tap *tap, void *context)
{
    world->tap = tap;
    world->tap_context = context;
}

void sim_world_set_link(struct sim_world *world, const struct sim_link *link)
{
    world->link = *link;
}

bool sim_world_cut(struct sim_world *world, const struct ahoy_ip *from, const struct ahoy_ip *to,
                   uint64_t until_ms)
{
    for (size_t i = 0; i < SIM_CUTS_LIMIT; i++) {
        if (world->cuts[i].until_ms > world->now_ms)
            continue;
        world->cuts[i] = (struct cut){ *from, *to, until_ms };
        return true;
    }
    return false;
}

uint64_t sim_world_cut_until(const struct sim_world *world, const struct ahoy_ip *from,
                             const struct ahoy_ip *to)
{
    uint64_t until_ms = 0;
    for (size_t i = 0; i < SIM_CUTS_LIMIT; i++) {
        const struct cut *cut = &world->cuts[i];
        if (cut->until_ms > world->now_ms && cut->until_ms > until_ms &&
            ahoy_ip_equal_host(&cut->from, from) && ahoy_ip_equal_host(&cut->to, to))
            until_ms = cut->until_ms;
    }
    return until_ms;
}

void sim_world_refuse(struct sim_world *world, const struct ahoy_ip *ip, uint64_t until_ms)
{
    world->refusing = *ip;
    world->refusing_until_ms = until_ms;
}

void sim_world_heal(struct sim_world *world)
{
    world->refusing_until_ms = 0;
    memset(world->cuts, 0, sizeof world->cuts);
}

void sim_world_tell(const struct sim_world *world, enum sim_passage passage,
                    const struct sim_packet *packet)
{
    if (world->tap != NULL)
        world->tap(world->tap_context, passage, packet);
}

static bool is_earlier(const struct sim_packet *a, const struct sim_packet *b)
{
    return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->order < b->order;
}

static void swap(struct sim_packet *a, struct sim_packet *b)
{
    struct sim_packet held = *a;
    *a = *b;
    *b = held;
}

void sim_world_push(struct sim_world *world, struct sim_packet packet, uint64_t delay_ms)
{
    if (world->count == world->capacity) {
        world->capacity = world->capacity == 0 ? 64 : 2 * world->capacity;
        world->heap = realloc(world->heap, world->capacity * sizeof *world->heap);
        assert(world->heap != NULL);
    }
    char *copy = malloc(packet.bytes.size + 1);
    assert(copy != NULL);
    if (packet.bytes.size > 0)
        memcpy(copy, packet.bytes.at, packet.bytes.size);
    packet.bytes.at = copy;
    packet.due_ms = world->now_ms + delay_ms;
    packet.order = world->next_order++;
    size_t at = world->count++;
    world->heap[at] = packet;
    for (; at > 0 && is_earlier(&world->heap[at], &world->heap[(at - 1) / 2]); at = (at - 1) / 2)
        swap(&world->heap[at], &world->heap[(at - 1) / 2]);
}

static struct sim_packet pop(struct sim_world *world)
{
    struct sim_packet first = world->heap[0];
    world->heap[0] = world->heap[--world->count];
    size_t at = 0;
    for (;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2; child++) {
            if (child < world->count && is_earlier(&world->heap[child], &world->heap[least]))
                least = child;
        }
        if (least == at)
            return first;
        swap(&world->heap[at], &world->heap[least]);
        at = least;
    }
}

bool sim_world_chance(struct sim_world *world, uint32_t percent)
{
    return percent > 0 && ahoy_rng_below(&world->rng, 100) < percent;
}

void sim_world_datagram(struct sim_world *world, const struct ahoy_ip *from,
                        const struct ahoy_ip *to, struct span bytes, bool lost)
{
    struct sim_packet packet = { .kind = SIM_DATAGRAM, .from = *from, .to = *to, .bytes = bytes };
    const struct sim_link *link = &world->link;
    unsigned copies = sim_world_chance(world, link->duplication) ? 2 : 1;
    bool cut = sim_world_cut_until(world, from, to) > 0;
    for (unsigned i = 0; i < copies; i++) {
        uint64_t delay_ms = link->delay_ms;
        if (link->jitter_ms > 0)
            delay_ms += ahoy_rng_below(&world->rng, link->jitter_ms + 1);
        if (sim_world_chance(world, link->late))
            delay_ms += ahoy_rng_below(&world->rng, link->late_ms + 1);
        bool passes = !lost && !sim_world_chance(world, link->loss) && !cut;
        sim_world_tell(world, passes ? SIM_LEFT : SIM_LOST_ON_ITS_WAY, &packet);
        if (passes)
            sim_world_push(world, packet, delay_ms);
    }
}

void sim_world_unreachable(struct sim_world *world, const struct ahoy_ip *from,
                           const struct ahoy_ip *to)
{
    struct sim_packet packet = { .kind = SIM_UNREACHABLE, .from = *from, .to = *to };
    sim_world_push(world, packet, world->link.delay_ms);
}

/* The node whose deadline comes first, and when; NULL for none. */
static const struct sim_node *first_deadline(const struct sim_world *world, uint64_t *when_ms)
{
    const struct sim_node *first = NULL;
    *when_ms = UINT64_MAX;
    for (size_t i = 0; i < world->node_count; i++) {
        uint64_t deadline_ms = world->nodes[i]->deadline(world->nodes[i]->self);
        if (deadline_ms < *when_ms) {
            *when_ms = deadline_ms;
            first = world->nodes[i];
        }
    }
    return first;
}

void sim_world_hand_over(struct sim_world *world, const struct sim_packet *packet)
{
    const struct sim_node *node = sim_world_node(world, &packet->to);
    sim_world_tell(world, node == NULL ? SIM_LOST_ON_ITS_WAY : SIM_ARRIVED, packet);
    if (node != NULL)
        node->receive(node->self, packet);
}

static void deliver(struct sim_world *world)
{
    struct sim_packet packet = pop(world);
    world->now_ms = packet.due_ms;
    if (packet.stream == 0)
        sim_world_hand_over(world, &packet);
    else
        sim_world_arrive(world, &packet);
    free_bytes(&packet);
}

void sim_world_run(struct sim_world *world, uint64_t until_ms)
{
    for (;;) {
        uint64_t when_ms = UINT64_MAX;
        const struct sim_node *node = first_deadline(world, &when_ms);
        uint64_t due_ms = world->count > 0 ? world->heap[0].due_ms : UINT64_MAX;
        if (due_ms > until_ms && when_ms > until_ms)
            break;
        if (due_ms <= when_ms) {
            deliver(world);
        } else {
            world->now_ms = when_ms > world->now_ms ? when_ms : world->now_ms;
            node->wake(node->self);
        }
    }
    world->now_ms = until_ms;
}
