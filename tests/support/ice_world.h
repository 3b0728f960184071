/* A network for two agents of ICE, with a server of STUN and TURN, and a NAT before each that may
 * have one, as RFC 4787 tells them apart; datagrams are late, overtake each other and get lost, by
 * a seed. */
#pragma once

#include "libahoy/transport/relay.h"
#include "tests/support/turn_server.h"

enum ice_filter { ICE_OPEN, ICE_BY_ADDRESS, ICE_BY_PORT, ICE_CLOSED };

struct ice_nat {
    bool is_there;
    bool is_symmetric; /* Another port for each remote one (address- and port-dependent mapping). */
    enum ice_filter filter;
};

enum { ICE_WIRE_LIMIT = 256, ICE_MAPPINGS_LIMIT = 128 };

struct ice_packet {
    uint64_t at_ms; /* UINT64_MAX: free. */
    struct ahoy_ip from, to;
    size_t size;
    char bytes[600];
};

struct ice_mapping {
    struct ahoy_ip inside, outside, remote; /* Remote: that it was made for. */
};

struct ice_side {
    struct ice_nat nat;
    struct ahoy_ice_agent agent;
    struct ahoy_ice_secret secret;
    char user[16], word[32]; /* Of a restart. */
    bool has_dead_base;      /* One on a network that leads nowhere, ... */
    bool has_link;           /* ... and one on which both are. */
    bool has_relay;          /* It asks the server for one. */
    struct ahoy_relay relay;
    struct ahoy_ip bases[AHOY_ICE_BASES_LIMIT];
    size_t base_count;
    size_t mapping_count, sent_count;
    uint16_t first_port; /* Of the NAT's. */
    struct ice_mapping mappings[ICE_MAPPINGS_LIMIT];
    struct {
        struct ahoy_ip from, to;
    } sent[ICE_MAPPINGS_LIMIT]; /* From inside to whom: what filters let back in. */
    unsigned data;              /* Packets of sound that have come from the peer. */
    unsigned answers;           /* Datagrams that its agent has sent. */
};

struct ice_world {
    struct ice_side sides[2];
    struct ahoy_ice_pace pace;
    struct ahoy_rng rng;
    unsigned loss_percent, delay_ms;
    bool is_cut;     /* Nothing gets through. */
    bool gathers;    /* They ask the server. */
    bool same_place; /* Both are behind the NAT of side 0. */
    uint64_t now_ms;
    struct ahoy_ip server;
    struct turn_server turn; /* Its other half. */
    struct ice_packet wire[ICE_WIRE_LIMIT];
};

/* |world|->sides[i].nat, further bases, loss and delay are the caller's, who then ... */
void ice_world_init(struct ice_world *world, uint64_t seed);
/* ... opens the bases, and asks the server where |gathers|. */
void ice_world_open(struct ice_world *world, bool gathers);
/* Both, of a world like most. */
void ice_world_begin(struct ice_world *world, bool gathers);
/* What |side| tells the other. */
struct ahoy_ice_peer ice_world_tell(const struct ice_world *world, size_t side);
/* Each hears of the other: |side|, who has offered, after |later_ms|. */
void ice_world_exchange(struct ice_world *world, size_t side, uint64_t later_ms);
/* The same in a restart, of which |side| asks; each description is on its way for |later_ms|. */
void ice_world_restart(struct ice_world *world, size_t side, unsigned number, uint64_t later_ms);
/* The NAT of |side| forgets whom it knew, and has other ports from now on. */
void ice_world_reboot(struct ice_world *world, size_t side);
/* Runs for |ms|. */
void ice_world_run(struct ice_world *world, uint64_t ms);
/* Runs until both have settled, or |ms| are over; whether each has a way, by which sound gets to
 * the other as his. */
bool ice_world_connects(struct ice_world *world, uint64_t ms);
/* A datagram as |side| would send it from its first base. */
void ice_world_send(struct ice_world *world, const struct ahoy_ip *from, const struct ahoy_ip *to,
                    struct span bytes);
