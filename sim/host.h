/* The real server core as a node: its wire is the world's links instead of sockets. */
#pragma once

#include "ahoyd/server.h"
#include "sim/world.h"
#include "sim/zone.h"

/* What its keys are derived from; nothing that it sends may tell. */
#define SIM_SECRET "one for every simulated world"

struct sim_host;

/* Who is told of each message that the host sends: before it is on its way, and without the frame
 * that a WebSocket puts around it.  Returns true where the link must lose it. */
typedef bool sim_host_watch(void *context, const struct ahoy_ip *to, struct span bytes);

/* Whoever watches the server closely; each member may be NULL. */
struct sim_host_eyes {
    void *context;
    /* Bytes come, by a stream (its number) or as a datagram (0); before the server has them. */
    void (*receives)(void *context, uint64_t stream, const struct ahoy_ip *from, struct span bytes);
    void (*sends)(void *context, uint64_t stream, const struct ahoy_ip *to, struct span bytes);
    /* The connection is gone. */
    void (*loses)(void *context, uint64_t stream);
    /* Around each call into the server; nothing of the simulator's own runs between them. */
    void (*enters)(void *context);
    void (*leaves)(void *context);
    /* A turn is over: all that followed from one event has been done. */
    void (*rests)(void *context);
};

/* A server with the configuration |config_text| on a memory store.  It listens on what that
 * says; TLS is below the wire, so of certificates it is only told what they prove, and no file is
 * read.  NULL after a line on standard error. */
struct sim_host *sim_host_new(struct sim_world *world, const char *name, const char *config_text,
                              sim_host_watch *watch, void *context);
void sim_host_free(struct sim_host *host);

/* From now on |zone| is its DNS, which outlives it; without one every lookup fails. */
void sim_host_resolve(struct sim_host *host, const struct sim_zone *zone);
/* Registers |contact| for |aor| for an hour, as if a REGISTER had come. */
void sim_host_register(struct sim_host *host, const char *aor, const char *contact);
/* The same for the flow |reg_id| of an instance, the only one there is, that came by UDP |from|
 * there; NULL and 0 for none. */
void sim_host_register_flow(struct sim_host *host, const char *aor, const char *contact,
                            const struct ahoy_ip *from, uint32_t reg_id);
/* |eyes| outlive the host. */
void sim_host_observe(struct sim_host *host, const struct sim_host_eyes *eyes);
/* The server's own time: the world's, but for what its clock has jumped. */
uint64_t sim_host_now(const struct sim_host *host);
/* Its clock jumps; backwards only while it is down, as it never runs backwards in a process. */
void sim_host_jump(struct sim_host *host, int64_t ms);
/* Kills it, and starts it again: what was committed is still there, all else is lost. */
void sim_host_crash(struct sim_host *host);
void sim_host_restart(struct sim_host *host);
bool sim_host_is_up(const struct sim_host *host);

/* What its store is like from now on. */
struct sim_host_store {
    uint32_t delay_ms; /* From a change to its commit. */
    uint32_t failing;  /* So many commits fail, in percent. */
    uint32_t limit;    /* So many changes may wait; then it is busy. */
};

/* What the DNS is like from now on: so many questions, in percent, are never answered, fail, or get
 * an answer of random bytes; all others take so long. */
struct sim_host_dns {
    uint32_t silent, failing, bogus, delay_ms;
};

void sim_host_set_dns(struct sim_host *host, const struct sim_host_dns *dns);
/* A user of one of its domains. */
void sim_host_add_user(struct sim_host *host, const char *user, const char *domain,
                       const char *password);
void sim_host_set_store(struct sim_host *host, const struct sim_host_store *store);
struct ahoyd_store *sim_host_store(const struct sim_host *host);
const struct ahoyd_config *sim_host_config(const struct sim_host *host);

/* How many transactions it holds now. */
uint32_t sim_host_transactions(const struct sim_host *host);
/* Whether it waits for no time: nothing is under way, and all memory is given back. */
bool sim_host_rests(const struct sim_host *host);
/* Requests without a final response, and registrations that wait. */
uint32_t sim_host_busy(const struct sim_host *host);
/* Requests that are remembered. */
uint32_t sim_host_remembered(const struct sim_host *host);
