/* RFC 3261 figure 6, a block a state, a line an arrow.
 *
 * What a peer may send at any time has a line in every state, so that no stranger can reach an
 * empty cell; so has a send that failed, which may be reported late. */
#include "libahoy/transaction/noninvite_client.h"

#include <assert.h>

struct edge {
    enum nic_state next;
    unsigned effects;
};

/* clang-format off */
/* An empty cell cannot happen unless the owner is wrong. */
static const struct edge edges[NIC_TERMINATED][NIC_EVENT_COUNT] = {
    [NIC_TRYING] = {
        /* Clock E goes on as it was set; its next interval is T2 (R3261-17.1.2.2-5). */
        [NIC_PROVISIONAL] = { NIC_PROCEEDING, NIC_TELL },
        [NIC_FINAL]       = { NIC_COMPLETED,  NIC_STOP | NIC_TELL | NIC_FORGET | NIC_START_K },
        [NIC_SEND_FAILED] = { NIC_TERMINATED, NIC_TELL_UNREACHABLE },
        [NIC_TIMER_E]     = { NIC_TRYING,     NIC_SEND_REQUEST | NIC_START_E },
        [NIC_TIMER_F]     = { NIC_TERMINATED, NIC_TELL_TIMEOUT },
        /* NIC_TIMER_K: started with NIC_COMPLETED. */
    },
    [NIC_PROCEEDING] = {
        [NIC_PROVISIONAL] = { NIC_PROCEEDING, NIC_TELL },
        [NIC_FINAL]       = { NIC_COMPLETED,  NIC_STOP | NIC_TELL | NIC_FORGET | NIC_START_K },
        [NIC_SEND_FAILED] = { NIC_TERMINATED, NIC_TELL_UNREACHABLE },
        [NIC_TIMER_E]     = { NIC_PROCEEDING, NIC_SEND_REQUEST | NIC_START_E_AT_T2 },
        [NIC_TIMER_F]     = { NIC_TERMINATED, NIC_TELL_TIMEOUT },
        /* NIC_TIMER_K: started with NIC_COMPLETED. */
    },
    [NIC_COMPLETED] = {
        [NIC_PROVISIONAL] = { NIC_COMPLETED,  0 },
        [NIC_FINAL]       = { NIC_COMPLETED,  0 },
        /* Late news: a response shows that the request did arrive. */
        [NIC_SEND_FAILED] = { NIC_COMPLETED,  0 },
        /* NIC_TIMER_E, NIC_TIMER_F: stopped when this state was entered. */
        [NIC_TIMER_K]     = { NIC_TERMINATED, 0 },
    },
};
/* clang-format on */

unsigned ahoy_noninvite_client_start(struct ahoy_noninvite_client *client)
{
    client->state = NIC_TRYING;
    return NIC_SEND_REQUEST | NIC_START_E | NIC_START_F;
}

unsigned ahoy_noninvite_client_step(struct ahoy_noninvite_client *client, enum nic_event event)
{
    assert(client->state >= NIC_TRYING && client->state < NIC_TERMINATED);
    assert(event < NIC_EVENT_COUNT);
    struct edge edge = edges[client->state][event];
    assert(edge.next != 0);
    client->state = edge.next;
    return edge.effects;
}
