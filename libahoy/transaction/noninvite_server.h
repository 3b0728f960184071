/* The server transaction for every method but INVITE and ACK: RFC 3261 17.2.2, figure 8.
 * Pure: no clock, no socket, no allocation.  The owner reports events to it and carries out the
 * effects that come back. */
#pragma once

enum nis_state { NIS_TRYING = 1, NIS_PROCEEDING, NIS_COMPLETED, NIS_TERMINATED };

enum nis_event {
    NIS_REQUEST,     /* The peer sent the same request again. */
    NIS_PROVISIONAL, /* The user answers 1xx. */
    NIS_FINAL,       /* The user answers 2xx to 6xx. */
    NIS_SEND_FAILED, /* The transport could not send. */
    NIS_TIMER_F,     /* Started by NIS_START_F, now due: the peer's own clock F is due too. */
    NIS_TIMER_J,     /* Started by NIS_START_J, now due. */
    NIS_EVENT_COUNT
};

enum nis_effect {
    NIS_SEND = 1 << 0,             /* Send the user's response and keep its bytes. */
    NIS_RESEND = 1 << 1,           /* Send the kept bytes again. */
    NIS_STOP = 1 << 2,             /* Stop clock F. */
    NIS_TELL_UNREACHABLE = 1 << 3, /* The user must learn that sending failed. */
    NIS_START_F = 1 << 4,          /* Due in 64*T1. */
    NIS_START_J = 1 << 5           /* Due in 64*T1, or at once on a reliable flow. */
};

struct ahoy_noninvite_server {
    enum nis_state state;
};

/* Enters NIS_TRYING; returns the effects of that. */
unsigned ahoy_noninvite_server_start(struct ahoy_noninvite_server *server);

/* Applies |event|; returns the set of nis_effect to carry out, in bit order.  Once the state is
 * NIS_TERMINATED the owner sends no more events. */
unsigned ahoy_noninvite_server_step(struct ahoy_noninvite_server *server, enum nis_event event);
