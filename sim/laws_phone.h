/* Laws 8, 13 and 15: what the real phones say in their dialogs (RFC 3261 12, 13), by the datagrams
 * that they send and get; and how a packet is printed. */
#pragma once

#include "sim/laws.h"

struct sim_phone_witness;

/* What is broken is told to |witness|, which outlives it. */
struct sim_phone_witness *sim_phone_witness_new(struct sim_witness *witness);
void sim_phone_witness_free(struct sim_phone_witness *watcher);
/* Watches the phone at |ip|. */
void sim_phone_witness_add(struct sim_phone_witness *watcher, const struct ahoy_ip *ip);
void sim_phone_witness_see(struct sim_phone_witness *watcher, enum sim_passage passage,
                           const struct sim_packet *packet);

/* Prints a line of a ladder, as the server sees it: what it sends when that leaves, and what comes
 * when it arrives. */
void sim_laws_print(const struct sim_world *world, enum sim_passage passage,
                    const struct sim_packet *packet);
