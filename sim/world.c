/* A heap of packets and the nodes' deadlines; time jumps from one to the next. */
#include "sim/world.h"

#include <assert.h>
#include <stdlib.h>

struct sim_world {
    uint64_t now_ms;
    uint64_t next_order, next_stream;
    struct ahoy_rng rng;
    struct sim_link link;
    const struct sim_node *nodes[SIM_NODES_LIMIT];
    size_t node_count;
    struct sim_packet *heap; /* The earliest first. */
    size_t count, capacity;
};

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

/* Puts |packet| on its way, with a copy of its bytes. */
static void push(struct sim_world *world, struct sim_packet packet, uint64_t delay_ms)
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

static bool chance(struct sim_world *world, uint32_t percent)
{
    return percent > 0 && ahoy_rng_below(&world->rng, 100) < percent;
}

void sim_world_datagram(struct sim_world *world, const struct ahoy_ip *from,
                        const struct ahoy_ip *to, struct span bytes, bool lost)
{
    struct sim_packet packet = { .kind = SIM_DATAGRAM, .from = *from, .to = *to, .bytes = bytes };
    unsigned copies = chance(world, world->link.duplication) ? 2 : 1;
    for (unsigned i = 0; i < copies; i++) {
        uint64_t delay_ms = world->link.delay_ms;
        if (world->link.jitter_ms > 0)
            delay_ms += ahoy_rng_below(&world->rng, world->link.jitter_ms + 1);
        if (!lost && !chance(world, world->link.loss))
            push(world, packet, delay_ms);
    }
}

void sim_world_unreachable(struct sim_world *world, const struct ahoy_ip *from,
                           const struct ahoy_ip *to)
{
    struct sim_packet packet = { .kind = SIM_UNREACHABLE, .from = *from, .to = *to };
    push(world, packet, world->link.delay_ms);
}

static bool listens(const struct sim_world *world, const struct ahoy_ip *at)
{
    for (size_t i = 0; i < world->node_count; i++) {
        if (ahoy_ip_equal(&world->nodes[i]->ip, at))
            return true;
    }
    return false;
}

uint64_t sim_world_open(struct sim_world *world, const struct ahoy_ip *from,
                        const struct ahoy_ip *to)
{
    uint64_t stream = ++world->next_stream;
    if (!listens(world, to)) {
        struct sim_packet refusal = { SIM_CLOSE, .stream = stream, .from = *to, .to = *from };
        push(world, refusal, 2 * world->link.delay_ms);
        return stream;
    }
    struct sim_packet opened = { SIM_OPENED, .stream = stream, .from = *to, .to = *from };
    struct sim_packet open = { SIM_OPEN, .stream = stream, .from = *from, .to = *to };
    push(world, opened, 0);
    push(world, open, world->link.delay_ms);
    return stream;
}

void sim_world_bytes(struct sim_world *world, uint64_t stream, const struct ahoy_ip *from,
                     const struct ahoy_ip *to, struct span bytes)
{
    struct sim_packet packet = { SIM_BYTES, .stream = stream, .from = *from, .to = *to,
                                 .bytes = bytes };
    push(world, packet, world->link.delay_ms);
}

void sim_world_close(struct sim_world *world, uint64_t stream, const struct ahoy_ip *from,
                     const struct ahoy_ip *to)
{
    struct sim_packet packet = { SIM_CLOSE, .stream = stream, .from = *from, .to = *to };
    push(world, packet, world->link.delay_ms);
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

static void deliver(struct sim_world *world)
{
    struct sim_packet packet = pop(world);
    world->now_ms = packet.due_ms;
    const struct sim_node *node = sim_world_node(world, &packet.to);
    if (node != NULL)
        node->receive(node->self, &packet);
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
