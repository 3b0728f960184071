/* What the world's two files share: world.c has the clock and the datagrams, world_streams.c the
 * streams. */
#pragma once

#include "sim/world.h"

/* A connection; each array has the opener's direction first. */
struct sim_stream {
    uint64_t number;
    struct ahoy_ip opener, peer;
    bool broken;
    uint64_t last_due_ms[2]; /* What is sent later does not come earlier. */
    char *held[2];           /* Bytes that have arrived and wait for those behind them. */
    size_t held_size[2];
};

struct sim_world {
    uint64_t now_ms;
    uint64_t next_order, next_stream;
    struct ahoy_rng rng;
    struct sim_link link;
    const struct sim_node *nodes[SIM_NODES_LIMIT];
    size_t node_count;
    struct sim_packet *heap; /* The earliest first. */
    size_t count, capacity;
    struct sim_stream *streams;
    size_t stream_count, stream_capacity;
    struct cut {
        struct ahoy_ip from, to;
        uint64_t until_ms;
    } cuts[SIM_CUTS_LIMIT];
    struct ahoy_ip refusing;
    uint64_t refusing_until_ms;
    sim_world_tap *tap;
    void *tap_context;
};

bool sim_world_chance(struct sim_world *world, uint32_t percent);
void sim_world_tell(const struct sim_world *world, enum sim_passage passage,
                    const struct sim_packet *packet);
/* Puts |packet| on its way, with a copy of its bytes. */
void sim_world_push(struct sim_world *world, struct sim_packet packet, uint64_t delay_ms);
/* When the cut that lies between the two ends; 0 where there is none. */
uint64_t sim_world_cut_until(const struct sim_world *world, const struct ahoy_ip *from,
                             const struct ahoy_ip *to);
/* Hands |packet| to its node. */
void sim_world_hand_over(struct sim_world *world, const struct sim_packet *packet);
/* A packet of a stream has come: it is handed over, or held for a while. */
void sim_world_arrive(struct sim_world *world, const struct sim_packet *packet);
void sim_world_free_streams(struct sim_world *world);
