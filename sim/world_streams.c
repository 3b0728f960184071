/* Streams of a world: bytes come in the order in which they were written, but in other pieces, and
 * until somebody breaks the connection. */
#include <assert.h>
#include <stdlib.h>

#include "sim/world_inside.h"

enum { PIECES_MOST = 3, HOLD_MOST_MS = 200, HELD_LIMIT = 65536 };

static struct sim_stream *find(const struct sim_world *world, uint64_t number)
{
    assert(number > 0 && number <= world->stream_count);
    return &world->streams[number - 1];
}

static struct sim_stream *add(struct sim_world *world, const struct ahoy_ip *from,
                              const struct ahoy_ip *to)
{
    if (world->stream_count == world->stream_capacity) {
        world->stream_capacity = world->stream_capacity == 0 ? 16 : 2 * world->stream_capacity;
        world->streams = realloc(world->streams, world->stream_capacity * sizeof *world->streams);
        assert(world->streams != NULL);
    }
    struct sim_stream *stream = &world->streams[world->stream_count++];
    *stream = (struct sim_stream){ .number = world->stream_count, .opener = *from, .peer = *to };
    return stream;
}

/* Which of a stream's arrays a packet from |from| belongs to. */
static unsigned direction(const struct sim_stream *stream, const struct ahoy_ip *from)
{
    return ahoy_ip_equal_host(&stream->opener, from) ? 0 : 1;
}

/* Puts |packet| on its way, behind all that were sent before it. */
static void push_behind(struct sim_world *world, struct sim_packet packet)
{
    struct sim_stream *stream = find(world, packet.stream);
    uint64_t *last_ms = &stream->last_due_ms[direction(stream, &packet.from)];
    uint64_t due_ms = world->now_ms + world->link.delay_ms;
    uint64_t until_ms = sim_world_cut_until(world, &packet.from, &packet.to);
    if (world->link.jitter_ms > 0)
        due_ms += ahoy_rng_below(&world->rng, world->link.jitter_ms + 1);
    if (until_ms > 0)
        due_ms += until_ms - world->now_ms;
    if (due_ms > *last_ms)
        *last_ms = due_ms;
    sim_world_push(world, packet, *last_ms - world->now_ms);
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
    struct sim_stream *stream = add(world, from, to);
    uint64_t number = stream->number;
    bool refused =
        world->refusing_until_ms > world->now_ms && ahoy_ip_equal_host(&world->refusing, to);
    if (!listens(world, to) || refused) {
        struct sim_packet refusal = { SIM_CLOSE, .stream = number, .from = *to, .to = *from };
        sim_world_push(world, refusal, 2 * world->link.delay_ms);
        stream->broken = true;
        return number;
    }
    struct sim_packet opened = { SIM_OPENED, .stream = number, .from = *to, .to = *from };
    struct sim_packet open = { SIM_OPEN, .stream = number, .from = *from, .to = *to };
    sim_world_push(world, opened, 0);
    push_behind(world, open);
    return number;
}

void sim_world_bytes(struct sim_world *world, uint64_t stream, const struct ahoy_ip *from,
                     const struct ahoy_ip *to, struct span bytes)
{
    struct sim_packet packet = { SIM_BYTES, .stream = stream, .from = *from, .to = *to };
    if (find(world, stream)->broken)
        return;
    packet.bytes = bytes;
    sim_world_tell(world, SIM_LEFT, &packet);
    unsigned pieces = 1;
    if (sim_world_chance(world, world->link.split))
        pieces += 1 + (unsigned)ahoy_rng_below(&world->rng, PIECES_MOST);
    for (; pieces > 0 && bytes.size > 0; pieces--) {
        packet.bytes = bytes;
        if (pieces > 1)
            packet.bytes.size = 1 + ahoy_rng_below(&world->rng, bytes.size);
        push_behind(world, packet);
        bytes = ahoy_span_after(bytes, packet.bytes.size);
    }
}

void sim_world_close(struct sim_world *world, uint64_t stream, const struct ahoy_ip *from,
                     const struct ahoy_ip *to)
{
    struct sim_packet packet = { SIM_CLOSE, .stream = stream, .from = *from, .to = *to };
    if (find(world, stream)->broken)
        return;
    push_behind(world, packet);
    find(world, stream)->broken = true;
}

void sim_world_reset(struct sim_world *world, const struct ahoy_ip *ip)
{
    for (size_t i = 0; i < world->stream_count; i++) {
        const struct sim_stream *stream = &world->streams[i];
        if (stream->broken ||
            (!ahoy_ip_equal_host(&stream->opener, ip) && !ahoy_ip_equal_host(&stream->peer, ip)))
            continue;
        sim_world_close(world, stream->number, &stream->opener, &stream->peer);
        world->streams[i].broken = false; /* The other end is told too. */
        sim_world_close(world, stream->number, &stream->peer, &stream->opener);
    }
}

/* Keeps the bytes of |packet| for a while; false where they are not to wait. */
static bool hold(struct sim_world *world, struct sim_stream *stream,
                 const struct sim_packet *packet)
{
    unsigned way = direction(stream, &packet->from);
    if (!sim_world_chance(world, world->link.hold) ||
        stream->held_size[way] + packet->bytes.size > HELD_LIMIT)
        return false;
    char *held = realloc(stream->held[way], stream->held_size[way] + packet->bytes.size);
    assert(held != NULL);
    memcpy(held + stream->held_size[way], packet->bytes.at, packet->bytes.size);
    stream->held[way] = held;
    stream->held_size[way] += packet->bytes.size;
    const struct sim_packet flush = { SIM_BYTES, .stream = packet->stream, .from = packet->from,
                                      .to = packet->to };
    sim_world_push(world, flush, 1 + ahoy_rng_below(&world->rng, HOLD_MOST_MS));
    return true;
}

/* Hands over what was held, with |bytes| behind it. */
static void release(struct sim_world *world, const struct sim_packet *packet, struct span bytes)
{
    struct sim_stream *stream = find(world, packet->stream);
    unsigned way = direction(stream, &packet->from);
    struct sim_packet whole = { SIM_BYTES, .stream = packet->stream, .from = packet->from,
                                .to = packet->to };
    size_t size = stream->held_size[way] + bytes.size;
    char *joined = size > 0 ? malloc(size) : NULL;
    if (size == 0)
        return;
    assert(joined != NULL);
    if (stream->held_size[way] > 0)
        memcpy(joined, stream->held[way], stream->held_size[way]);
    if (bytes.size > 0)
        memcpy(joined + stream->held_size[way], bytes.at, bytes.size);
    stream->held_size[way] = 0;
    whole.bytes = (struct span){ joined, size };
    sim_world_hand_over(world, &whole);
    free(joined);
}

void sim_world_arrive(struct sim_world *world, const struct sim_packet *packet)
{
    if (packet->kind == SIM_BYTES && packet->bytes.size > 0 &&
        hold(world, find(world, packet->stream), packet))
        return;
    release(world, packet, packet->kind == SIM_BYTES ? packet->bytes : SPAN(""));
    if (packet->kind != SIM_BYTES)
        sim_world_hand_over(world, packet);
}

void sim_world_free_streams(struct sim_world *world)
{
    for (size_t i = 0; i < world->stream_count; i++) {
        free(world->streams[i].held[0]);
        free(world->streams[i].held[1]);
    }
    free(world->streams);
}
