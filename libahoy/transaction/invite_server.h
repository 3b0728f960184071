/* The server transaction for INVITE: RFC 3261 17.2.1, figure 7 as RFC 6026 8.6 redraws it.
 * Pure: no clock, no socket, no allocation.  The owner reports events to it and carries out the
 * effects that come back. */
#pragma once

enum ins_state { INS_PROCEEDING = 1, INS_COMPLETED, INS_CONFIRMED, INS_ACCEPTED, INS_TERMINATED };

enum ins_event {
    INS_INVITE,      /* The peer sent the same INVITE again. */
    INS_ACK,         /* The peer sent an ACK that matches. */
    INS_PROVISIONAL, /* The user answers 1xx. */
    INS_SUCCESS,     /* The user answers 2xx. */
    INS_FAILURE,     /* The user answers 3xx to 6xx. */
    INS_SEND_FAILED, /* The transport could not send. */
    INS_TIMER_G,     /* Started by INS_START_G, now due; the others likewise. */
    INS_TIMER_H,
    INS_TIMER_I,
    INS_TIMER_L,
    INS_EVENT_COUNT
};

enum ins_effect {
    INS_SEND = 1 << 0,             /* Send the user's response and keep its bytes. */
    INS_SEND_ONCE = 1 << 1,        /* Send the user's response. */
    INS_RESEND = 1 << 2,           /* Send the kept bytes again, if there are any yet. */
    INS_STOP = 1 << 3,             /* Stop clocks G and H. */
    INS_FORGET = 1 << 4,           /* The kept bytes are not needed any longer. */
    INS_TELL_ACK = 1 << 5,         /* The user gets the ACK. */
    INS_TELL_UNREACHABLE = 1 << 6, /* The user learns that sending failed. */
    INS_TELL_NO_ACK = 1 << 7,      /* The user learns that no ACK came. */
    INS_START_G = 1 << 8,          /* T1 and doubled up to T2; unreliable transports only. */
    INS_START_H = 1 << 9,          /* 64*T1. */
    INS_START_I = 1 << 10,         /* T4, or at once on a reliable transport. */
    INS_START_L = 1 << 11          /* 64*T1. */
};

struct ahoy_invite_server {
    enum ins_state state;
};

/* Enters INS_PROCEEDING; nothing is to be done for that.  (The 100 of 17.2.1 is a response like
 * any other, which the owner makes where the user does not.) */
void ahoy_invite_server_start(struct ahoy_invite_server *server);

/* Applies |event|; returns the set of ins_effect to carry out, in bit order.  Once the state is
 * INS_TERMINATED the owner sends no more events. */
unsigned ahoy_invite_server_step(struct ahoy_invite_server *server, enum ins_event event);
