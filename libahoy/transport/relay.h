/* What an agent of ICE and its relay have to tell each other (RFC 8445 5.1.1.2, 8.3): where the
 * relay is, whom it lets in, and when it is not needed.  The owner has the sockets: what the agent
 * sends from the relay's base is handed to ahoy_turn_wrap, and what ahoy_turn_step hears is stepped
 * as come to that base. */
#pragma once

#include "libahoy/transport/turn.h"

struct ahoy_relay {
    struct ahoy_turn turn;
    size_t base;    /* Of the agent; ... */
    size_t carrier; /* ... and the one that the server is asked from. */
    bool is_used;   /* The agent has that base. */
    bool is_placed; /* And knows where it is. */
};

/* Adds the base, behind all others, of |agent|, which is asked from the first one of |server|'s
 * family; false where there is no such one, or no room: there will be no relay.  |pace| outlives
 * it. */
bool ahoy_relay_add(struct ahoy_relay *relay, struct ahoy_ice_agent *agent,
                    const struct ahoy_ip *server, const uint64_t seed[2],
                    struct ahoy_ice_pace *pace);
/* Each tells the other what is new: after every step of one of them, before both are polled. */
void ahoy_relay_mind(struct ahoy_relay *relay, struct ahoy_ice_agent *agent, uint64_t now_ms);
/* Whether |base| is a relay that is used. */
bool ahoy_relay_is(const struct ahoy_relay *relay, size_t base);
