/* The account of all transactions, as RFC 3261 17.1.3 and 17.2.3 tell them apart: each message that
 * the server gets or sends is noted beside the others of its own. */
#pragma once

#include "sim/witness.h"

/* Notes |news|, which comes or leaves, and says in it whose it is. */
void sim_notes_take(struct sim_witness *witness, struct sim_news *news, bool comes);
/* The request that a response with |routing| is to; NULL for none. */
struct sim_upper *sim_notes_find(struct sim_witness *witness, const struct ahoy_routing *routing);
/* The port of its sent-by, 5060 where none is written (18.2.2). */
uint16_t sim_sent_by_port(const struct ahoy_via *via);
/* For so long the answers to REGISTERs may not be seen. */
void sim_notes_excuse_registers(struct sim_witness *witness, uint64_t ms);
/* Whether the Vias of |message| behind the first |skipped| are those of |request|, by branch. */
bool sim_notes_has_vias(const struct ahoy_message *message, unsigned skipped,
                        const struct ahoy_message *request);
