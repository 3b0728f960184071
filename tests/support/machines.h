/* The tables of the four machines of libahoy/transaction/, and the names of all that is in them.
 * The machines are compiled into the program that includes this, under their own names; one that
 * wants to note their steps gives them others first. */
#pragma once

#include <stddef.h>

#define edge  inc_edge
#define edges inc_edges
#include "libahoy/transaction/invite_client.c"
#undef edge
#undef edges

#define edge  ins_edge
#define edges ins_edges
#include "libahoy/transaction/invite_server.c"
#undef edge
#undef edges

#define edge  nic_edge
#define edges nic_edges
#include "libahoy/transaction/noninvite_client.c"
#undef edge
#undef edges

#define edge  nis_edge
#define edges nis_edges
#include "libahoy/transaction/noninvite_server.c"
#undef edge
#undef edges

enum machine { INC, INS, NIC, NIS, MACHINES };
enum { STATES_LIMIT = 6, EVENTS_LIMIT = 16, EFFECTS_LIMIT = 16 };

/* clang-format off */
#define NAME(constant) [constant] = #constant
static const char *const states[MACHINES][STATES_LIMIT] = {
    [INC] = { NAME(INC_CALLING), NAME(INC_PROCEEDING), NAME(INC_COMPLETED), NAME(INC_ACCEPTED),
              NAME(INC_TERMINATED) },
    [INS] = { NAME(INS_PROCEEDING), NAME(INS_COMPLETED), NAME(INS_CONFIRMED), NAME(INS_ACCEPTED),
              NAME(INS_TERMINATED) },
    [NIC] = { NAME(NIC_TRYING), NAME(NIC_PROCEEDING), NAME(NIC_COMPLETED), NAME(NIC_TERMINATED) },
    [NIS] = { NAME(NIS_TRYING), NAME(NIS_PROCEEDING), NAME(NIS_COMPLETED), NAME(NIS_TERMINATED) },
};
static const char *const events[MACHINES][EVENTS_LIMIT] = {
    [INC] = { NAME(INC_PROVISIONAL), NAME(INC_SUCCESS), NAME(INC_FAILURE), NAME(INC_CANCEL_SENT),
              NAME(INC_SEND_FAILED), NAME(INC_TIMER_A), NAME(INC_TIMER_B), NAME(INC_TIMER_D),
              NAME(INC_TIMER_M) },
    [INS] = { NAME(INS_INVITE), NAME(INS_ACK), NAME(INS_PROVISIONAL), NAME(INS_SUCCESS),
              NAME(INS_FAILURE), NAME(INS_SEND_FAILED), NAME(INS_TIMER_G), NAME(INS_TIMER_H),
              NAME(INS_TIMER_I), NAME(INS_TIMER_L) },
    [NIC] = { NAME(NIC_PROVISIONAL), NAME(NIC_FINAL), NAME(NIC_SEND_FAILED), NAME(NIC_TIMER_E),
              NAME(NIC_TIMER_F), NAME(NIC_TIMER_K) },
    [NIS] = { NAME(NIS_REQUEST), NAME(NIS_PROVISIONAL), NAME(NIS_FINAL), NAME(NIS_SEND_FAILED),
              NAME(NIS_TIMER_F), NAME(NIS_TIMER_J) },
};

#define EFFECT(constant) { #constant, constant }
static const struct effect {
    const char *name;
    unsigned bit;
} effect_names[MACHINES][EFFECTS_LIMIT] = {
    [INC] = { EFFECT(INC_STOP), EFFECT(INC_TELL), EFFECT(INC_SEND_REQUEST), EFFECT(INC_SEND_ACK),
              EFFECT(INC_RESEND_ACK), EFFECT(INC_FORGET), EFFECT(INC_TELL_TIMEOUT),
              EFFECT(INC_TELL_UNREACHABLE), EFFECT(INC_START_A), EFFECT(INC_START_B),
              EFFECT(INC_START_D), EFFECT(INC_START_M) },
    [INS] = { EFFECT(INS_SEND), EFFECT(INS_SEND_ONCE), EFFECT(INS_RESEND), EFFECT(INS_STOP),
              EFFECT(INS_FORGET), EFFECT(INS_TELL_ACK), EFFECT(INS_TELL_UNREACHABLE),
              EFFECT(INS_TELL_NO_ACK), EFFECT(INS_START_G), EFFECT(INS_START_H),
              EFFECT(INS_START_I), EFFECT(INS_START_L) },
    [NIC] = { EFFECT(NIC_STOP), EFFECT(NIC_TELL), EFFECT(NIC_SEND_REQUEST), EFFECT(NIC_FORGET),
              EFFECT(NIC_TELL_TIMEOUT), EFFECT(NIC_TELL_UNREACHABLE), EFFECT(NIC_START_E),
              EFFECT(NIC_START_E_AT_T2), EFFECT(NIC_START_F), EFFECT(NIC_START_K) },
    [NIS] = { EFFECT(NIS_SEND), EFFECT(NIS_RESEND), EFFECT(NIS_STOP),
              EFFECT(NIS_TELL_UNREACHABLE), EFFECT(NIS_START_F), EFFECT(NIS_START_J) },
};
/* clang-format on */

_Static_assert((int)INC_EVENT_COUNT <= (int)EVENTS_LIMIT, "the events have room");
_Static_assert((int)INS_EVENT_COUNT <= (int)EVENTS_LIMIT, "the events have room");

/* A cell of a machine's table, whichever the machine; |next| is 0 where it is empty or there is no
 * such cell. */
struct cell {
    unsigned next, effects;
};

#define CELL_OF(edges)                                                                             \
    (state < sizeof edges / sizeof edges[0] && event < sizeof edges[0] / sizeof edges[0][0]        \
         ? (struct cell){ edges[state][event].next, edges[state][event].effects }                  \
         : (struct cell){ 0, 0 })

static inline struct cell cell_of(enum machine machine, size_t state, size_t event)
{
    switch (machine) {
    case INC:
        return CELL_OF(inc_edges);
    case INS:
        return CELL_OF(ins_edges);
    case NIC:
        return CELL_OF(nic_edges);
    default:
        return CELL_OF(nis_edges);
    }
}
