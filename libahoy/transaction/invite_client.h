/* The client transaction for INVITE: RFC 3261 17.1.1, figure 5 as RFC 6026 8.4 redraws it.
 * Pure: no clock, no socket, no allocation.  The owner reports events to it and carries out the
 * effects that come back. */
#pragma once

enum inc_state { INC_CALLING = 1, INC_PROCEEDING, INC_COMPLETED, INC_ACCEPTED, INC_TERMINATED };

enum inc_event {
    INC_PROVISIONAL, /* A response of 100 to 199 came. */
    INC_SUCCESS,     /* A response of 200 to 299 came. */
    INC_FAILURE,     /* A response of 300 to 699 came. */
    INC_CANCEL_SENT, /* The user's CANCEL has left, as it may in INC_PROCEEDING (9.1). */
    INC_SEND_FAILED, /* The transport could not send. */
    INC_TIMER_A,     /* Started by INC_START_A, now due; the others likewise. */
    INC_TIMER_B,
    INC_TIMER_D,
    INC_TIMER_M,
    INC_EVENT_COUNT
};

enum inc_effect {
    INC_STOP = 1 << 0,             /* Stop clocks A and B. */
    INC_TELL = 1 << 1,             /* The user gets the response. */
    INC_SEND_REQUEST = 1 << 2,     /* Send the request, again unless it is the first time. */
    INC_SEND_ACK = 1 << 3,         /* Make the ACK to the response (17.1.1.3), keep it, send it. */
    INC_RESEND_ACK = 1 << 4,       /* Send the ACK that was kept. */
    INC_FORGET = 1 << 5,           /* Nothing that was sent is needed any longer. */
    INC_TELL_TIMEOUT = 1 << 6,     /* The user learns that no final response came in time. */
    INC_TELL_UNREACHABLE = 1 << 7, /* The user learns that sending failed. */
    INC_START_A = 1 << 8,          /* T1 and doubled; unreliable transports only. */
    INC_START_B = 1 << 9,          /* 64*T1. */
    INC_START_D = 1 << 10,         /* 32 s, or at once on a reliable transport. */
    INC_START_M = 1 << 11          /* 64*T1. */
};

struct ahoy_invite_client {
    enum inc_state state;
};

/* Enters INC_CALLING (R3261-17.1.1.2-1); returns the effects of that. */
unsigned ahoy_invite_client_start(struct ahoy_invite_client *client);

/* Applies |event|; returns the set of inc_effect to carry out, in bit order.  Once the state is
 * INC_TERMINATED the owner sends no more events. */
unsigned ahoy_invite_client_step(struct ahoy_invite_client *client, enum inc_event event);
