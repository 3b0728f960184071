/* The real server core as a node: its wire is the world's links instead of sockets. */
#pragma once

#include "ahoyd/server.h"
#include "sim/world.h"
#include "sim/zone.h"

struct sim_host;

/* Who is told of each message that the host sends: before it is on its way, and without the frame
 * that a WebSocket puts around it.  Returns true where the link must lose it. */
typedef bool sim_host_watch(void *context, const struct ahoy_ip *to, struct span bytes);

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
/* How many transactions it holds now. */
uint32_t sim_host_transactions(const struct sim_host *host);
