/* The laws that hold in every world, each a row: docs/laws.md has them in words, and says which of
 * them are judged elsewhere. */
#pragma once

#include "sim/witness.h"

struct sim_law {
    unsigned number;
    const char *name;
    /* A message comes, or leaves, and has been noted; or a turn, or all, is over.  Each may be
     * NULL. */
    void (*comes)(struct sim_witness *witness, const struct sim_news *news);
    void (*leaves)(struct sim_witness *witness, const struct sim_news *news);
    void (*rests)(struct sim_witness *witness);
    void (*ends)(struct sim_witness *witness);
};

extern const struct sim_law sim_laws[];
extern const size_t sim_law_count;
/* Empty for a number that is none. */
const char *sim_law_name(unsigned number);

/* What the table names, by file: laws_transaction.c, laws_proxy.c, laws_registrar.c,
 * laws_message.c. */
typedef void sim_law_of_news(struct sim_witness *witness, const struct sim_news *news);
typedef void sim_law_of_time(struct sim_witness *witness);

sim_law_of_news sim_law_one_final, sim_law_executed_once, sim_law_over_is_over, sim_law_timers,
    sim_law_ack_hop_by_hop, sim_law_ack_owed;
sim_law_of_time sim_law_answered, sim_law_no_leftovers, sim_law_no_timer_missed, sim_law_acks_sent,
    sim_law_nothing_left;
sim_law_of_news sim_law_success_comes, sim_law_success_leaves, sim_law_cancel_wanted,
    sim_law_cancel_sent, sim_law_cancel_answered, sim_law_best_response;
sim_law_of_time sim_law_successes_forwarded, sim_law_cancels_sent;
sim_law_of_news sim_law_dialog_names, sim_law_record_route, sim_law_own_via, sim_law_max_forwards,
    sim_law_no_loop, sim_law_no_secret;
sim_law_of_news sim_law_contacts_live, sim_law_register_granted, sim_law_proof_comes,
    sim_law_proven;
sim_law_of_time sim_law_bindings_kept, sim_law_bindings_revived;
