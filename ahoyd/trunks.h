/* The limits of a trunk: how many calls it is sent at once, and in a second (decision 168). */
#pragma once

#include "ahoyd/serving.h"

/* Whether |event|, if it begins a call, may go to |trunk|, which then counts it; else that is
 * noted. */
bool ahoyd_trunks_admit(struct ahoyd_server *server, const struct ahoy_event *event,
                        const struct ahoyd_trunk *trunk, uint64_t now_ms);
/* The ticket of the places that the request at hand has got, with |other|, an odd one or 0, in it:
 * for the plan, which gives it back.  |other| where it has none. */
uint64_t ahoyd_trunks_ticket(struct ahoyd_server *server, uint64_t other);
/* The request at hand is done with: places that no plan has taken are given back. */
void ahoyd_trunks_done(struct ahoyd_server *server);
/* A ticket of a plan came back.  Returns the other one that was in it, or 0. */
uint64_t ahoyd_trunks_settle(struct ahoyd_server *server, uint64_t ticket);

/* A response has come. */
void ahoyd_trunks_answered(struct ahoyd_server *server, const struct ahoy_event *event,
                           uint64_t now_ms);
/* A BYE goes on: its dialog is over for both sides, whatever is answered (RFC 3261 15.1.1). */
void ahoyd_trunks_ended(struct ahoyd_server *server, const struct ahoy_event *event);
