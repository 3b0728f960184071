/* RFC 3261 figure 7 with RFC 6026's Accepted state, a block a state, a line an arrow.
 *
 * What the peer or the user may send at any time has a line in every state; so has a send that
 * failed, which may be reported late. */
#include "libahoy/transaction/invite_server.h"

#include <assert.h>

struct edge {
    enum ins_state next;
    unsigned effects;
};

/* clang-format off */
/* An empty cell cannot happen unless the owner is wrong. */
static const struct edge edges[INS_TERMINATED][INS_EVENT_COUNT] = {
    [INS_PROCEEDING] = {
        [INS_INVITE]      = { INS_PROCEEDING, INS_RESEND },
        /* Nothing to acknowledge yet: the peer is confused. */
        [INS_ACK]         = { INS_PROCEEDING, 0 },
        [INS_PROVISIONAL] = { INS_PROCEEDING, INS_SEND },
        [INS_SUCCESS]     = { INS_ACCEPTED,   INS_SEND_ONCE | INS_FORGET | INS_START_L },
        [INS_FAILURE]     = { INS_COMPLETED,  INS_SEND | INS_START_G | INS_START_H },
        [INS_SEND_FAILED] = { INS_PROCEEDING, INS_TELL_UNREACHABLE }, /* R6026-7.1-8 */
        /* INS_TIMER_G, INS_TIMER_H, INS_TIMER_I, INS_TIMER_L: started when this state is left. */
    },
    [INS_COMPLETED] = {
        [INS_INVITE]      = { INS_COMPLETED,  INS_RESEND },
        [INS_ACK]         = { INS_CONFIRMED,  INS_STOP | INS_FORGET | INS_START_I },
        [INS_PROVISIONAL] = { INS_COMPLETED,  0 },
        [INS_SUCCESS]     = { INS_COMPLETED,  0 },
        [INS_FAILURE]     = { INS_COMPLETED,  0 },
        [INS_SEND_FAILED] = { INS_COMPLETED,  INS_TELL_UNREACHABLE }, /* R6026-7.1-8 */
        [INS_TIMER_G]     = { INS_COMPLETED,  INS_RESEND | INS_START_G },
        [INS_TIMER_H]     = { INS_TERMINATED, INS_TELL_NO_ACK },
        /* INS_TIMER_I: started with INS_CONFIRMED. */
        /* INS_TIMER_L: belongs to INS_ACCEPTED. */
    },
    [INS_CONFIRMED] = {
        [INS_INVITE]      = { INS_CONFIRMED,  0 },
        [INS_ACK]         = { INS_CONFIRMED,  0 },
        [INS_PROVISIONAL] = { INS_CONFIRMED,  0 },
        [INS_SUCCESS]     = { INS_CONFIRMED,  0 },
        [INS_FAILURE]     = { INS_CONFIRMED,  0 },
        /* Late news: the ACK shows that the response did arrive. */
        [INS_SEND_FAILED] = { INS_CONFIRMED,  0 },
        /* INS_TIMER_G, INS_TIMER_H: stopped when this state was entered. */
        [INS_TIMER_I]     = { INS_TERMINATED, 0 },
        /* INS_TIMER_L: belongs to INS_ACCEPTED. */
    },
    [INS_ACCEPTED] = {
        [INS_INVITE]      = { INS_ACCEPTED,   0 },
        [INS_ACK]         = { INS_ACCEPTED,   INS_TELL_ACK }, /* R6026-7.1-4 */
        [INS_PROVISIONAL] = { INS_ACCEPTED,   0 },
        [INS_SUCCESS]     = { INS_ACCEPTED,   INS_SEND_ONCE }, /* R6026-7.1-3 */
        [INS_FAILURE]     = { INS_ACCEPTED,   0 },
        [INS_SEND_FAILED] = { INS_ACCEPTED,   INS_TELL_UNREACHABLE }, /* R6026-7.1-8 */
        /* INS_TIMER_G, INS_TIMER_H, INS_TIMER_I: belong to INS_COMPLETED and INS_CONFIRMED. */
        [INS_TIMER_L]     = { INS_TERMINATED, 0 },
    },
};
/* clang-format on */

void ahoy_invite_server_start(struct ahoy_invite_server *server)
{
    server->state = INS_PROCEEDING;
}

unsigned ahoy_invite_server_step(struct ahoy_invite_server *server, enum ins_event event)
{
    assert(server->state >= INS_PROCEEDING && server->state < INS_TERMINATED);
    assert(event < INS_EVENT_COUNT);
    struct edge edge = edges[server->state][event];
    assert(edge.next != 0);
    server->state = edge.next;
    return edge.effects;
}
