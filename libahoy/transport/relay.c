/* An agent and its relay: RFC 8445 5.1.1.2, RFC 8656 9 and 12. */
#include "libahoy/transport/relay.h"

#include "libahoy/transport/agent_inside.h"

bool ahoy_relay_add(struct ahoy_relay *relay, struct ahoy_ice_agent *agent,
                    const struct ahoy_ip *server, const uint64_t seed[2],
                    struct ahoy_ice_pace *pace)
{
    size_t carrier = 0;
    while (carrier < agent->base_count && (agent->locals[carrier].ip.family != server->family ||
                                           ahoy_ip_is_link_local(&agent->locals[carrier].ip)))
        carrier++;
    *relay = (struct ahoy_relay){ .carrier = carrier };
    ahoy_turn_init(&relay->turn, seed, pace);
    relay->is_used = carrier < agent->base_count && ahoy_ice_add_relay(agent, &relay->base);
    return relay->is_used;
}

bool ahoy_relay_is(const struct ahoy_relay *relay, size_t base)
{
    return relay->is_used && relay->base == base;
}

void ahoy_relay_mind(struct ahoy_relay *relay, struct ahoy_ice_agent *agent, uint64_t now_ms)
{
    struct ahoy_turn *turn = &relay->turn;
    struct ahoy_ip ips[AHOY_TURN_PEERS_LIMIT], remote;
    size_t base;
    if (!relay->is_used)
        return;
    if (ahoy_ice_is_gone(agent, relay->carrier) || ahoy_ice_is_idle(agent, relay->base, now_ms))
        ahoy_turn_close(turn);
    if (relay->is_placed && turn->state != AHOY_TURN_THERE) {
        ahoy_ice_drop_base(agent, relay->base);
        relay->is_placed = false;
    }
    if (turn->state != AHOY_TURN_THERE)
        return;
    if (!relay->is_placed)
        ahoy_ice_place_relay(agent, relay->base, &turn->relayed, relay->carrier, &turn->mapped);
    relay->is_placed = true;
    ahoy_turn_permit(turn, ips, ahoy_ice_whereabouts(agent, ips, AHOY_TURN_PEERS_LIMIT));
    for (size_t i = 0; i < turn->peer_count; i++) {
        if (turn->peers[i].is_new)
            ahoy_ice_hurry(agent, relay->base, &turn->peers[i].ip, now_ms);
        turn->peers[i].is_new = false;
    }
    if (ahoy_ice_way(agent, &base, &remote) && base == relay->base)
        ahoy_turn_bind(turn, &remote);
}
