/* The world in which the real server runs without a kernel: a virtual clock, and links that
 * delay, lose, double and reorder what passes, all from one seed.  Whatever happens, happens
 * again with the same seed. */
#pragma once

#include "libahoy/base/rng.h"
#include "libahoy/stack/wire.h"

enum { SIM_NODES_LIMIT = 32, SIM_CUTS_LIMIT = 16 };

/* What travels.  A stream is a connection between two nodes, named by a number. */
enum sim_kind {
    SIM_DATAGRAM,
    SIM_OPEN,
    SIM_OPENED,
    SIM_BYTES,
    SIM_CLOSE,
    SIM_UNREACHABLE /* An ICMP error: nobody takes datagrams at |from|. */
};

struct sim_packet {
    enum sim_kind kind;
    uint64_t due_ms;
    uint64_t order;  /* Packets of one instant arrive in the order in which they were sent. */
    uint64_t stream; /* 0 for datagrams. */
    struct ahoy_ip from, to;
    struct span bytes; /* Of this packet, freed with it. */
};

struct sim_world;

/* Somebody with an address.  Callbacks get |node| back as their first argument. */
struct sim_node {
    const char *name;
    struct ahoy_ip ip; /* Its port is where it listens. */
    void *self;
    void (*receive)(void *self, const struct sim_packet *packet);
    void (*wake)(void *self);               /* Its deadline has come. */
    uint64_t (*deadline)(const void *self); /* UINT64_MAX for none. */
    const struct ahoy_peer *proves;         /* What its certificate says; NULL: it has none. */
};

/* What one direction between two nodes does; in percent.  Loss, duplication and lateness are of
 * datagrams alone; a stream keeps its order whatever its jitter. */
struct sim_link {
    uint32_t delay_ms;
    uint32_t jitter_ms; /* Up to so much more: packets overtake each other. */
    uint32_t loss, duplication;
    uint32_t late, late_ms; /* So many datagrams take up to so much more. */
    uint32_t split;         /* What is written to a stream comes in several pieces. */
    uint32_t hold;          /* It comes together with what is written next. */
};

struct sim_world *sim_world_new(uint64_t seed, const struct sim_link *link);
void sim_world_free(struct sim_world *world);

/* |node| outlives the world. */
void sim_world_add(struct sim_world *world, const struct sim_node *node);
/* The node with this address, port aside; NULL where nobody is. */
const struct sim_node *sim_world_node(const struct sim_world *world, const struct ahoy_ip *ip);

uint64_t sim_world_now(const struct sim_world *world);
struct ahoy_rng *sim_world_rng(struct sim_world *world);
/* Virtual milliseconds before the first step: a Unix time, so that expiry times look real. */
uint64_t sim_world_epoch(void);

/* What becomes of a packet. */
enum sim_passage { SIM_LEFT, SIM_LOST_ON_ITS_WAY, SIM_ARRIVED };

/* Whoever watches is told of all that passes: where it arrives, before its node is. */
typedef void sim_world_tap(void *context, enum sim_passage passage,
                           const struct sim_packet *packet);
void sim_world_watch(struct sim_world *world, sim_world_tap *tap, void *context);

/* Faults.  From now on the links are like |link|. */
void sim_world_set_link(struct sim_world *world, const struct sim_link *link);
/* Up to |until_ms| nothing gets from |from| to |to|: datagrams are lost, streams wait.  False where
 * too many cuts are under way. */
bool sim_world_cut(struct sim_world *world, const struct ahoy_ip *from, const struct ahoy_ip *to,
                   uint64_t until_ms);
/* Up to |until_ms| whoever connects to |ip| is refused. */
void sim_world_refuse(struct sim_world *world, const struct ahoy_ip *ip, uint64_t until_ms);
/* All streams of |ip| break off; both ends are told. */
void sim_world_reset(struct sim_world *world, const struct ahoy_ip *ip);
/* All cuts and refusals are over. */
void sim_world_heal(struct sim_world *world);

/* Sends; the bytes are copied.  A datagram may be lost; |lost| says that this one must be. */
void sim_world_datagram(struct sim_world *world, const struct ahoy_ip *from,
                        const struct ahoy_ip *to, struct span bytes, bool lost);
/* Tells |to| that its datagrams to |from| find nobody. */
void sim_world_unreachable(struct sim_world *world, const struct ahoy_ip *from,
                           const struct ahoy_ip *to);
/* Opens a stream; it can be written to at once.  The peer gets SIM_OPEN, the opener SIM_OPENED
 * in the same instant, or SIM_CLOSE a round trip later where nobody listens on that very port. */
uint64_t sim_world_open(struct sim_world *world, const struct ahoy_ip *from,
                        const struct ahoy_ip *to);
void sim_world_bytes(struct sim_world *world, uint64_t stream, const struct ahoy_ip *from,
                     const struct ahoy_ip *to, struct span bytes);
void sim_world_close(struct sim_world *world, uint64_t stream, const struct ahoy_ip *from,
                     const struct ahoy_ip *to);

/* Lets everything happen up to and including |until_ms|, and sets the clock to it. */
void sim_world_run(struct sim_world *world, uint64_t until_ms);
