/* What the host's files share: host.c runs the server, host_wire.c is between it and the world,
 * host_crash.c ends it and starts it again. */
#pragma once

#include "sim/host.h"

enum { STREAMS_LIMIT = 256, TEXT_LIMIT = 96, ANSWERS_LIMIT = 256, ANSWER_SIZE = 8192 };

struct sim_host {
    struct ahoyd_change_owner owner;             /* First: the store gives changes back to it. */
    struct sim_node nodes[AHOY_LISTENERS_LIMIT]; /* One a listener. */
    struct sim_world *world;
    struct ahoyd_config *config;
    struct ahoyd_store *store;
    struct ahoyd_server *server;
    struct ahoy_listener listeners[AHOY_LISTENERS_LIMIT];
    char texts[AHOY_LISTENERS_LIMIT][2][TEXT_LIMIT];
    struct stream {
        uint64_t number; /* 0: this place is free. */
        struct ahoy_hop hop;
        char domain[AHOY_PEER_NAME_LIMIT + 1]; /* Whom we opened it to by TLS must prove it. */
    } streams[STREAMS_LIMIT];
    const struct sim_zone *zone;
    size_t answer_count;
    struct answer {
        uint64_t due_ms, lookup;
        struct span bytes;
    } answers[ANSWERS_LIMIT];     /* Of the DNS, on their way, in the order of their questions. */
    struct ahoyd_change *changes; /* Given back by the store, not yet by us. */
    bool holds;                   /* Changes wait to be committed, ... */
    uint64_t commit_ms;           /* ... in the world's time; UINT64_MAX while none does. */
    struct sim_host_store manner;
    struct sim_host_dns dns;
    int64_t skew_ms; /* Of its clock. */
    sim_host_watch *watch;
    void *watch_context;
    const struct sim_host_eyes *eyes;
};

/* Gives |event| to the server, and carries out all that follows. */
void sim_host_step(struct sim_host *host, struct ahoy_wire_event *event);
/* Has the world do |effect|, which is no lookup. */
void sim_host_carry(struct sim_host *host, const struct ahoy_wire_effect *effect);
/* Gives |packet| to the server; |self| is the host. */
void sim_host_receive(void *self, const struct sim_packet *packet);
/* A store with nothing in it; NULL where it cannot be opened. */
struct ahoyd_store *sim_host_open_store(const struct sim_host *host);
/* A server on the store that there is; false where memory is refused. */
bool sim_host_open_server(struct sim_host *host);
/* All that the process held is gone, and what the store was still to commit. */
void sim_host_stop(struct sim_host *host);
/* Has the store keep |change| at once. */
void sim_host_put_change(struct sim_host *host, struct ahoyd_change *change);
