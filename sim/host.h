/* The real server core as a node: its wire is the world's links instead of sockets. */
#pragma once

#include "ahoyd/server.h"
#include "sim/world.h"
#include "sim/zone.h"

struct sim_host;

/* Who is told of each message that the host sends: before it is on its way.  Returns true where
 * the link must lose it. */
typedef bool sim_host_watch(void *context, const struct ahoy_ip *to, struct span bytes);

/* A server with the configuration |config_text| on a memory store.  It listens on what that
 * says.  NULL after a line on standard error. */
struct sim_host *sim_host_new(struct sim_world *world, const char *name, const char *config_text,
                              sim_host_watch *watch, void *context);
void sim_host_free(struct sim_host *host);

/* From now on |zone| is its DNS, which outlives it; without one every lookup fails. */
void sim_host_resolve(struct sim_host *host, const struct sim_zone *zone);
/* Registers |contact| for |aor| for an hour, as if a REGISTER had come. */
void sim_host_register(struct sim_host *host, const char *aor, const char *contact);
/* How many transactions it holds now. */
uint32_t sim_host_transactions(const struct sim_host *host);
