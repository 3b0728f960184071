/* RFC 3261 figure 8, a block a state, a line an arrow.
 *
 * DEPARTS: figure 8 lets a transaction wait for its user for ever, and RFC 4320 4.2 forbids the
 * user who is too late every answer that would end it.  So what is not answered ends when the
 * client's clock F has gone off: 64*T1 after the request came, no answer can be of use.
 *
 * DEPARTS: a transport error does not end the transaction as in figure 8.  RFC 6026 8.8 rewrites
 * 17.2.4, which is about both kinds of server transactions. */
#include "libahoy/transaction/noninvite_server.h"

#include <assert.h>

struct edge {
    enum nis_state next;
    unsigned effects;
};

/* clang-format off */
/* An empty cell cannot happen unless the owner is wrong. */
static const struct edge edges[NIS_TERMINATED][NIS_EVENT_COUNT] = {
    [NIS_TRYING] = {
        [NIS_REQUEST]     = { NIS_TRYING,     0 },
        [NIS_PROVISIONAL] = { NIS_PROCEEDING, NIS_SEND },
        [NIS_FINAL]       = { NIS_COMPLETED,  NIS_SEND | NIS_STOP | NIS_START_J },
        /* NIS_SEND_FAILED: nothing has been sent. */
        [NIS_TIMER_F]     = { NIS_TERMINATED, 0 },
        /* NIS_TIMER_J: started with NIS_COMPLETED. */
    },
    [NIS_PROCEEDING] = {
        [NIS_REQUEST]     = { NIS_PROCEEDING, NIS_RESEND },
        [NIS_PROVISIONAL] = { NIS_PROCEEDING, NIS_SEND },
        [NIS_FINAL]       = { NIS_COMPLETED,  NIS_SEND | NIS_STOP | NIS_START_J },
        [NIS_SEND_FAILED] = { NIS_PROCEEDING, NIS_TELL_UNREACHABLE }, /* R6026-8.8-1 */
        [NIS_TIMER_F]     = { NIS_TERMINATED, 0 },
        /* NIS_TIMER_J: started with NIS_COMPLETED. */
    },
    [NIS_COMPLETED] = {
        [NIS_REQUEST]     = { NIS_COMPLETED,  NIS_RESEND },
        [NIS_PROVISIONAL] = { NIS_COMPLETED,  0 },
        [NIS_FINAL]       = { NIS_COMPLETED,  0 }, /* R3261-17.2.2-8 */
        [NIS_SEND_FAILED] = { NIS_COMPLETED,  NIS_TELL_UNREACHABLE }, /* R6026-8.8-1 */
        /* NIS_TIMER_F: stopped when this state was entered. */
        [NIS_TIMER_J]     = { NIS_TERMINATED, 0 },
    },
};
/* clang-format on */

unsigned ahoy_noninvite_server_start(struct ahoy_noninvite_server *server)
{
    server->state = NIS_TRYING;
    return NIS_START_F;
}

unsigned ahoy_noninvite_server_step(struct ahoy_noninvite_server *server, enum nis_event event)
{
    assert(server->state >= NIS_TRYING && server->state < NIS_TERMINATED);
    assert(event < NIS_EVENT_COUNT);
    struct edge edge = edges[server->state][event];
    assert(edge.next != 0);
    server->state = edge.next;
    return edge.effects;
}
