/* The client transaction for every method but INVITE and ACK: RFC 3261 17.1.2, figure 6.
 * Pure: no clock, no socket, no allocation.  The owner reports events to it and carries out the
 * effects that come back. */
#pragma once

enum nic_state { NIC_TRYING = 1, NIC_PROCEEDING, NIC_COMPLETED, NIC_TERMINATED };

enum nic_event {
    NIC_PROVISIONAL, /* A response of 100 to 199 came. */
    NIC_FINAL,       /* A response of 200 to 699 came. */
    NIC_SEND_FAILED, /* The transport could not send. */
    NIC_TIMER_E, /* Started by NIC_START_E or NIC_START_E_AT_T2, now due; the others likewise. */
    NIC_TIMER_F,
    NIC_TIMER_K,
    NIC_EVENT_COUNT
};

enum nic_effect {
    NIC_STOP = 1 << 0,             /* Stop clocks E and F. */
    NIC_TELL = 1 << 1,             /* The user gets the response. */
    NIC_SEND_REQUEST = 1 << 2,     /* Send the request, again unless it is the first time. */
    NIC_FORGET = 1 << 3,           /* The request is not needed any longer. */
    NIC_TELL_TIMEOUT = 1 << 4,     /* The user learns that no final response came in time. */
    NIC_TELL_UNREACHABLE = 1 << 5, /* The user learns that sending failed. */
    NIC_START_E = 1 << 6,          /* T1 and doubled up to T2; unreliable transports only. */
    NIC_START_E_AT_T2 = 1 << 7,    /* T2; unreliable transports only. */
    NIC_START_F = 1 << 8,          /* 64*T1. */
    NIC_START_K = 1 << 9           /* T4, or at once on a reliable transport. */
};

struct ahoy_noninvite_client {
    enum nic_state state;
};

/* Enters NIC_TRYING; returns the effects of that. */
unsigned ahoy_noninvite_client_start(struct ahoy_noninvite_client *client);

/* Applies |event|; returns the set of nic_effect to carry out, in bit order.  Once the state is
 * NIC_TERMINATED the owner sends no more events. */
unsigned ahoy_noninvite_client_step(struct ahoy_noninvite_client *client, enum nic_event event);
