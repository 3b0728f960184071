/* The table.  A law that needs to look at several moments has several functions. */
#include "sim/laws.h"

/* clang-format off */
const struct sim_law sim_laws[] = {
    { 1, "at most one final response, 2xx to INVITE aside", .leaves = sim_law_one_final },
    { 2, "exactly one final response in time", .rests = sim_law_answered },
    { 3, "a retransmission is not executed again", .leaves = sim_law_executed_once },
    { 4, "nothing is sent after the end", .leaves = sim_law_over_is_over },
    { 5, "no transaction outlives its final response", .rests = sim_law_no_leftovers },
    { 6, "retransmissions follow timers A, E and G", .leaves = sim_law_timers,
      .rests = sim_law_no_timer_missed },
    { 7, "ACK to a failure: hop by hop, same branch", .leaves = sim_law_ack_hop_by_hop,
      .comes = sim_law_ack_owed, .rests = sim_law_acks_sent },
    { 9, "every 2xx is forwarded", .comes = sim_law_success_comes,
      .leaves = sim_law_success_leaves, .rests = sim_law_successes_forwarded },
    { 10, "pending branches get one CANCEL each, and not too early",
      .comes = sim_law_cancel_wanted, .leaves = sim_law_cancel_sent,
      .rests = sim_law_cancels_sent },
    { 11, "a CANCEL touches its own branch only", .leaves = sim_law_cancel_answered },
    { 12, "the best response is that of 16.7", .leaves = sim_law_best_response },
    { 14, "From, To, Call-ID and CSeq are passed on as they came",
      .leaves = sim_law_dialog_names },
    { 16, "our Record-Route is on what forms a dialog", .leaves = sim_law_record_route },
    { 17, "we pop our own Via only; responses follow it", .leaves = sim_law_own_via },
    { 18, "Max-Forwards falls; at 0 it is 483", .leaves = sim_law_max_forwards },
    { 19, "no loop survives two visits without a change", .leaves = sim_law_no_loop },
    { 20, "a REGISTER is done wholly or not at all", .leaves = sim_law_register_granted },
    { 21, "a binding that was answered 200 is there until it expires",
      .rests = sim_law_bindings_kept },
    { 23, "nothing is routed to a binding that is not there", .leaves = sim_law_contacts_live },
    { 24, "nothing changes for those who have not proved who they are",
      .comes = sim_law_proof_comes, .leaves = sim_law_proven },
    { 26, "no secret is told", .leaves = sim_law_no_secret },
    { 27, "at rest nothing is left", .ends = sim_law_nothing_left },
    /* Judged by phones.c, which watches the phones: */
    { .number = 8, .name = "each 2xx that reaches a caller is acknowledged" },
    { .number = 13, .name = "a phone's CSeq rises, and a lower one gets 500" },
    { .number = 15, .name = "a dialog keeps its route set" },
    /* Judged by laws_registrar.c together with 21: */
    { .number = 22, .name = "an older CSeq never overwrites" },
    /* Judged by seeds.c, when all faults have healed: */
    { .number = 28, .name = "after the faults heal, a call succeeds within 32 s" },
};
/* clang-format on */

const size_t sim_law_count = sizeof sim_laws / sizeof *sim_laws;

const char *sim_law_name(unsigned number)
{
    for (size_t i = 0; i < sim_law_count; i++) {
        if (sim_laws[i].number == number)
            return sim_laws[i].name;
    }
    return "";
}
