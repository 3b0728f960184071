/* RFC 3261 figure 5 with RFC 6026's Accepted state, a block a state, a line an arrow.
 *
 * What a peer may send at any time has a line in every state, so that no stranger can reach an
 * empty cell.  A send that failed is sometimes reported late, of a message that was sent in an
 * earlier state; so that has a line everywhere too. */
#include "libahoy/transaction/invite_client.h"

#include <assert.h>

struct edge {
    enum inc_state next;
    unsigned effects;
};

/* clang-format off */
/* An empty cell cannot happen unless the owner is wrong. */
static const struct edge edges[INC_TERMINATED][INC_EVENT_COUNT] = {
    [INC_CALLING] = {
        [INC_PROVISIONAL] = { INC_PROCEEDING, INC_STOP | INC_TELL },
        [INC_SUCCESS]     = { INC_ACCEPTED,   INC_STOP | INC_TELL | INC_FORGET | INC_START_M },
        [INC_FAILURE]     = { INC_COMPLETED,  INC_STOP | INC_TELL | INC_SEND_ACK | INC_START_D },
        /* INC_CANCEL_SENT: no CANCEL leaves before a provisional response (R3261-9.1-6). */
        [INC_SEND_FAILED] = { INC_TERMINATED, INC_TELL_UNREACHABLE },
        [INC_TIMER_A]     = { INC_CALLING,    INC_SEND_REQUEST | INC_START_A },
        [INC_TIMER_B]     = { INC_TERMINATED, INC_TELL_TIMEOUT },
        /* INC_TIMER_D, INC_TIMER_M: started when this state is left. */
    },
    [INC_PROCEEDING] = {
        [INC_PROVISIONAL] = { INC_PROCEEDING, INC_TELL },
        [INC_SUCCESS]     = { INC_ACCEPTED,   INC_STOP | INC_TELL | INC_FORGET | INC_START_M },
        [INC_FAILURE]     = { INC_COMPLETED,  INC_STOP | INC_TELL | INC_SEND_ACK | INC_START_D },
        /* From here on there must be a final response within 64*T1 (9.1): B runs once more. */
        [INC_CANCEL_SENT] = { INC_PROCEEDING, INC_START_B },
        /* Late news: a response shows that the request did arrive. */
        [INC_SEND_FAILED] = { INC_PROCEEDING, 0 },
        /* INC_TIMER_A: stopped when this state was entered. */
        [INC_TIMER_B]     = { INC_TERMINATED, INC_TELL_TIMEOUT },
        /* INC_TIMER_D, INC_TIMER_M: started when this state is left. */
    },
    [INC_COMPLETED] = {
        [INC_PROVISIONAL] = { INC_COMPLETED,  0 },
        [INC_SUCCESS]     = { INC_COMPLETED,  0 },
        [INC_FAILURE]     = { INC_COMPLETED,  INC_RESEND_ACK },
        /* INC_CANCEL_SENT: no CANCEL leaves after a final response (9.1). */
        [INC_SEND_FAILED] = { INC_TERMINATED, INC_TELL_UNREACHABLE },
        /* INC_TIMER_A, INC_TIMER_B: stopped when this state was entered. */
        [INC_TIMER_D]     = { INC_TERMINATED, 0 },
        /* INC_TIMER_M: belongs to INC_ACCEPTED. */
    },
    [INC_ACCEPTED] = {
        [INC_PROVISIONAL] = { INC_ACCEPTED,   0 },
        [INC_SUCCESS]     = { INC_ACCEPTED,   INC_TELL },
        [INC_FAILURE]     = { INC_ACCEPTED,   0 },
        /* INC_CANCEL_SENT: no CANCEL leaves after a final response (9.1). */
        [INC_SEND_FAILED] = { INC_ACCEPTED,   0 },
        /* INC_TIMER_A, INC_TIMER_B: stopped when this state was entered. */
        /* INC_TIMER_D: belongs to INC_COMPLETED. */
        [INC_TIMER_M]     = { INC_TERMINATED, 0 },
    },
};
/* clang-format on */

unsigned ahoy_invite_client_start(struct ahoy_invite_client *client)
{
    client->state = INC_CALLING;
    return INC_SEND_REQUEST | INC_START_A | INC_START_B;
}

unsigned ahoy_invite_client_step(struct ahoy_invite_client *client, enum inc_event event)
{
    assert(client->state >= INC_CALLING && client->state < INC_TERMINATED);
    assert(event < INC_EVENT_COUNT);
    struct edge edge = edges[client->state][event];
    assert(edge.next != 0);
    client->state = edge.next;
    return edge.effects;
}
