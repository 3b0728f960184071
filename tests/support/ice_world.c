#include "tests/support/ice_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static const struct ahoy_ice_secret secrets[2] = {
    { SPAN_INIT("alicealicealice"), SPAN_INIT("a-password-of-alice-26-cha") },
    { SPAN_INIT("bobbobbobbobbob"), SPAN_INIT("a-password-of-bob-26-chars") },
};

static struct ahoy_ip address(const char *text, uint16_t port)
{
    struct ahoy_ip ip;
    assert_true(ahoy_ip_parse(ahoy_span(text), &ip));
    ip.port = port;
    return ip;
}

void ice_world_init(struct ice_world *world, uint64_t seed)
{
    const uint64_t seeds[2] = { seed, 7 };
    *world = (struct ice_world){ .now_ms = 1000, .delay_ms = 40 };
    ahoy_rng_init(&world->rng, seeds);
    turn_server_init(&world->turn, "198.51.100.9");
    world->server = world->turn.ip;
    for (size_t i = 0; i < ICE_WIRE_LIMIT; i++)
        world->wire[i].at_ms = UINT64_MAX;
    for (size_t i = 0; i < 2; i++) {
        const uint64_t own[2] = { ahoy_rng_next(&world->rng), ahoy_rng_next(&world->rng) };
        ahoy_ice_init(&world->sides[i].agent, own, &world->pace);
        ahoy_ice_say(&world->sides[i].agent, &secrets[i]);
        world->sides[i].secret = secrets[i];
    }
}

static bool is_inside(const struct ice_world *world, size_t side)
{
    return world->same_place || world->sides[side].nat.is_there;
}

static void gather(struct ice_world *world, struct ice_side *side)
{
    ahoy_ice_gather(&side->agent, &world->server, world->now_ms);
    if (side->has_relay)
        ahoy_turn_open(&side->relay.turn, &world->server, world->turn.user, world->turn.password,
                       world->now_ms);
}

void ice_world_open(struct ice_world *world, bool gathers)
{
    static const char *const inside[2] = { "10.0.0.2", "10.0.0.3" };
    static const char *const outside[2] = { "203.0.113.2", "203.0.113.3" };
    static const char *const dead[2] = { "192.168.0.2", "192.168.0.3" };
    static const char *const link[2] = { "172.16.0.2", "172.16.0.3" };
    world->gathers = gathers;
    for (size_t i = 0; i < 2; i++) {
        struct ice_side *side = &world->sides[i];
        side->base_count = 0;
        if (side->has_dead_base)
            side->bases[side->base_count++] = address(dead[i], 4000);
        side->bases[side->base_count++] =
            address(is_inside(world, i) ? inside[i] : outside[i], 4000);
        if (side->has_link)
            side->bases[side->base_count++] = address(link[i], 4000);
        for (size_t base = 0; base < side->base_count; base++)
            assert_true(ahoy_ice_add_base(&side->agent, &side->bases[base]));
        if (side->has_relay) {
            const uint64_t own[2] = { ahoy_rng_next(&world->rng), i };
            assert_true(
                ahoy_relay_add(&side->relay, &side->agent, &world->server, own, &world->pace));
            side->relay.carrier = side->has_dead_base;
        }
        if (gathers)
            gather(world, side);
    }
}

void ice_world_begin(struct ice_world *world, bool gathers)
{
    ice_world_init(world, 3);
    ice_world_open(world, gathers);
}

static void put(struct ice_world *world, const struct ahoy_ip *from, const struct ahoy_ip *to,
                struct span bytes)
{
    size_t i = 0;
    bool is_lost = world->is_cut || ahoy_rng_below(&world->rng, 100) < world->loss_percent;
    while (i < ICE_WIRE_LIMIT && world->wire[i].at_ms != UINT64_MAX)
        i++;
    if (is_lost || i == ICE_WIRE_LIMIT)
        return;
    assert_true(bytes.size <= sizeof world->wire[i].bytes);
    world->wire[i] = (struct ice_packet){
        .at_ms = world->now_ms + 1 + ahoy_rng_below(&world->rng, world->delay_ms),
        .from = *from,
        .to = *to,
        .size = bytes.size,
    };
    memcpy(world->wire[i].bytes, bytes.at, bytes.size);
}

/* The side whose base |ip| is, seen from where |from_side| is; 2 for none. */
static size_t base_of(const struct ice_world *world, const struct ahoy_ip *ip)
{
    for (size_t i = 0; i < 2; i++) {
        for (size_t base = 0; base < world->sides[i].base_count; base++) {
            if (ahoy_ip_equal(&world->sides[i].bases[base], ip))
                return i;
        }
    }
    return 2;
}

/* The NAT that |side| is behind. */
static struct ice_side *gate(struct ice_world *world, size_t side)
{
    return &world->sides[world->same_place ? 0 : side];
}

static struct ahoy_ip map(struct ice_world *world, size_t side, const struct ahoy_ip *from,
                          const struct ahoy_ip *to)
{
    struct ice_side *nat = gate(world, side);
    size_t i = 0;
    while (i < nat->mapping_count &&
           (!ahoy_ip_equal(&nat->mappings[i].inside, from) ||
            (nat->nat.is_symmetric && !ahoy_ip_equal(&nat->mappings[i].remote, to))))
        i++;
    if (i == nat->mapping_count) {
        assert_true(i < ICE_MAPPINGS_LIMIT);
        nat->mappings[nat->mapping_count++] = (struct ice_mapping){
            .inside = *from,
            .outside = address(nat == &world->sides[0] ? "192.0.2.10" : "192.0.2.11",
                               (uint16_t)(20000 + nat->first_port + 7 * i)),
            .remote = *to,
        };
    }
    return nat->mappings[i].outside;
}

static void note(struct ice_side *nat, const struct ahoy_ip *from, const struct ahoy_ip *to)
{
    size_t i = 0;
    while (i < nat->sent_count &&
           (!ahoy_ip_equal(&nat->sent[i].from, from) || !ahoy_ip_equal(&nat->sent[i].to, to)))
        i++;
    if (i == nat->sent_count && i < ICE_MAPPINGS_LIMIT) {
        nat->sent[i].from = *from;
        nat->sent[i].to = *to;
        nat->sent_count++;
    }
}

/* Whether the NAT lets |from| in to |mapping|. */
static bool lets_in(const struct ice_side *nat, const struct ice_mapping *mapping,
                    const struct ahoy_ip *from)
{
    if (nat->nat.filter == ICE_OPEN)
        return true;
    for (size_t i = 0; i < nat->sent_count && nat->nat.filter != ICE_CLOSED; i++) {
        bool is_known = nat->nat.filter == ICE_BY_ADDRESS
                            ? ahoy_ip_equal_host(&nat->sent[i].to, from)
                            : ahoy_ip_equal(&nat->sent[i].to, from);
        if (is_known && ahoy_ip_equal(&nat->sent[i].from, &mapping->outside))
            return true;
    }
    return false;
}

static bool is_private(const struct ahoy_ip *ip)
{
    return ip->family == AHOY_IPV4 && ip->bytes[0] == 10;
}

static bool is_on_link(const struct ahoy_ip *ip)
{
    return ip->family == AHOY_IPV4 && ip->bytes[0] == 172;
}

/* Whether who has that address gets to no other network. */
static bool is_closed(const struct ahoy_ip *ip)
{
    return is_on_link(ip) ||
           (ip->family == AHOY_IPV4 && ip->bytes[0] == 192 && ip->bytes[1] == 168);
}

void ice_world_send(struct ice_world *world, const struct ahoy_ip *from, const struct ahoy_ip *to,
                    struct span bytes)
{
    size_t side = base_of(world, from);
    if (is_closed(from) || is_closed(to)) {
        if (is_on_link(from) && is_on_link(to))
            put(world, from, to, bytes);
        return;
    }
    if (is_private(to)) { /* Nobody but who is in the same place. */
        if (side < 2 && is_private(from) && world->same_place)
            put(world, from, to, bytes);
        return;
    }
    struct ahoy_ip seen = *from;
    if (side < 2 && is_inside(world, side)) {
        seen = map(world, side, from, to);
        note(gate(world, side), &seen, to);
    }
    put(world, &seen, to, bytes);
}

/* What leaves from a base, or by the relay. */
static void leave(struct ice_world *world, struct ice_side *side, size_t base,
                  const struct ahoy_ip *remote, struct span bytes)
{
    char space[AHOY_ICE_ASK_SIZE + AHOY_TURN_WRAP_SIZE];
    struct ahoy_buf room = ahoy_buf_over(space, sizeof space);
    if (!ahoy_relay_is(&side->relay, base)) {
        assert_true(base < side->base_count);
        ice_world_send(world, &side->bases[base], remote, bytes);
    } else if (ahoy_turn_wrap(&side->relay.turn, remote, bytes, world->now_ms, &room)) {
        ice_world_send(world, &side->bases[side->relay.carrier], &world->server,
                       ahoy_buf_text(&room));
    }
}

static void drain(struct ice_world *world, size_t i)
{
    struct ice_side *side = &world->sides[i];
    struct ahoy_ice_datagram datagram;
    struct span bytes;
    ahoy_relay_mind(&side->relay, &side->agent, world->now_ms);
    while (ahoy_ice_poll(&side->agent, world->now_ms, &datagram)) {
        side->answers++;
        leave(world, side, datagram.base, &datagram.remote, datagram.bytes);
    }
    while (side->has_relay && ahoy_turn_poll(&side->relay.turn, world->now_ms, &bytes))
        ice_world_send(world, &side->bases[side->relay.carrier], &world->server, bytes);
    ahoy_relay_mind(&side->relay, &side->agent, world->now_ms);
}

static void reach(struct ice_world *world, size_t i, const struct ahoy_ip *to,
                  const struct ahoy_ip *from, struct span bytes)
{
    struct ice_side *side = &world->sides[i];
    size_t base = 0;
    struct ahoy_ip peer;
    while (!ahoy_ip_equal(&side->bases[base], to))
        base++;
    if (side->has_relay && ahoy_ip_equal(from, &world->server)) {
        enum ahoy_turn_heard heard =
            ahoy_turn_step(&side->relay.turn, bytes, world->now_ms, &peer, &bytes);
        if (heard == AHOY_TURN_TAKEN)
            bytes = SPAN("");
        if (heard == AHOY_TURN_HEARD) {
            base = side->relay.base;
            from = &peer;
        }
    }
    if (ahoy_port_use(bytes) == AHOY_PORT_RTP)
        side->data += ahoy_ice_knows(&side->agent, from);
    else
        ahoy_ice_step(&side->agent, base, from, bytes, world->now_ms);
    drain(world, i);
}

static void deliver(struct ice_world *world, const struct ice_packet *packet)
{
    char space[AHOY_STUN_ANSWER_SIZE];
    struct ahoy_buf answer = ahoy_buf_over(space, sizeof space);
    struct span bytes = { packet->bytes, packet->size };
    if (turn_server_is_at(&world->turn, &packet->to)) {
        static struct turn_datagram out;
        if (ahoy_ip_equal(&packet->to, &world->server) &&
            ahoy_stun_answer(bytes, &packet->from, &answer))
            put(world, &world->server, &packet->from, ahoy_buf_text(&answer));
        else if (turn_server_step(&world->turn, &packet->from, &packet->to, bytes, world->now_ms,
                                  &out))
            ice_world_send(world, &out.from, &out.to, (struct span){ out.bytes, out.size });
        return;
    }
    for (size_t i = 0; i < 2; i++) {
        const struct ice_side *nat = &world->sides[i];
        for (size_t m = 0; m < nat->mapping_count; m++) {
            const struct ice_mapping *mapping = &nat->mappings[m];
            if (ahoy_ip_equal(&mapping->outside, &packet->to) &&
                lets_in(nat, mapping, &packet->from))
                reach(world, base_of(world, &mapping->inside), &mapping->inside, &packet->from,
                      bytes);
        }
    }
    size_t side = base_of(world, &packet->to);
    if (side < 2 && (!is_private(&packet->to) || is_private(&packet->from)))
        reach(world, side, &packet->to, &packet->from, bytes);
}

/* The packet that arrives next; ICE_WIRE_LIMIT for none. */
static size_t next_packet(const struct ice_world *world)
{
    size_t next = ICE_WIRE_LIMIT;
    for (size_t i = 0; i < ICE_WIRE_LIMIT; i++) {
        if (world->wire[i].at_ms != UINT64_MAX &&
            (next == ICE_WIRE_LIMIT || world->wire[i].at_ms < world->wire[next].at_ms))
            next = i;
    }
    return next;
}

static void turn(struct ice_world *world, uint64_t until_ms)
{
    size_t next = next_packet(world);
    uint64_t at_ms = next < ICE_WIRE_LIMIT ? world->wire[next].at_ms : UINT64_MAX;
    for (size_t i = 0; i < 2; i++) {
        const struct ice_side *side = &world->sides[i];
        uint64_t deadline_ms = ahoy_ice_deadline(&side->agent);
        uint64_t relay_ms = side->has_relay ? ahoy_turn_deadline(&side->relay.turn) : UINT64_MAX;
        at_ms = deadline_ms < at_ms ? deadline_ms : at_ms;
        at_ms = relay_ms < at_ms ? relay_ms : at_ms;
    }
    if (at_ms > world->now_ms)
        world->now_ms = at_ms < until_ms ? at_ms : until_ms;
    if (next < ICE_WIRE_LIMIT && world->wire[next].at_ms <= world->now_ms) {
        struct ice_packet packet = world->wire[next];
        world->wire[next].at_ms = UINT64_MAX;
        deliver(world, &packet);
    }
    drain(world, 0);
    drain(world, 1);
}

void ice_world_run(struct ice_world *world, uint64_t ms)
{
    uint64_t until_ms = world->now_ms + ms;
    unsigned turns = 0;
    while (world->now_ms < until_ms) {
        uint64_t before_ms = world->now_ms;
        turn(world, until_ms);
        turns = world->now_ms == before_ms ? turns + 1 : 0;
        assert_true(turns < 1000); /* A deadline that has passed asks for something. */
    }
}

struct ahoy_ice_peer ice_world_tell(const struct ice_world *world, size_t side)
{
    struct ahoy_ice_peer peer = { .is_modern = true, .pacing_ms = 50 };
    const struct ahoy_ice_secret *secret = &world->sides[side].secret;
    memcpy(peer.user, secret->user.at, secret->user.size);
    memcpy(peer.word, secret->word.at, secret->word.size);
    peer.user_size = secret->user.size;
    peer.word_size = secret->word.size;
    peer.count = ahoy_ice_candidates(&world->sides[side].agent, peer.candidates);
    return peer;
}

void ice_world_exchange(struct ice_world *world, size_t side, uint64_t later_ms)
{
    const struct ahoy_ice_peer offer = ice_world_tell(world, side);
    ahoy_ice_begin(&world->sides[1 - side].agent, &offer, false, world->now_ms);
    const struct ahoy_ice_peer answer = ice_world_tell(world, 1 - side);
    ice_world_run(world, later_ms);
    ahoy_ice_begin(&world->sides[side].agent, &answer, true, world->now_ms);
}

static void renew(struct ice_side *side, unsigned number)
{
    snprintf(side->user, sizeof side->user, "restarted-%u", number);
    snprintf(side->word, sizeof side->word, "a-password-of-restart-%u", number);
    side->secret = (struct ahoy_ice_secret){ ahoy_span(side->user), ahoy_span(side->word) };
    ahoy_ice_say(&side->agent, &side->secret);
}

void ice_world_restart(struct ice_world *world, size_t side, unsigned number, uint64_t later_ms)
{
    renew(&world->sides[side], 2 * number);
    if (world->gathers) {
        gather(world, &world->sides[side]);
        ice_world_run(world, 10000);
    }
    const struct ahoy_ice_peer offer = ice_world_tell(world, side);
    ice_world_run(world, later_ms);
    renew(&world->sides[1 - side], 2 * number + 1);
    ahoy_ice_begin(&world->sides[1 - side].agent, &offer, false, world->now_ms);
    const struct ahoy_ice_peer answer = ice_world_tell(world, 1 - side);
    ice_world_run(world, later_ms);
    ahoy_ice_begin(&world->sides[side].agent, &answer, true, world->now_ms);
}

void ice_world_reboot(struct ice_world *world, size_t side)
{
    struct ice_side *nat = gate(world, side);
    nat->mapping_count = nat->sent_count = 0;
    nat->first_port = (uint16_t)(nat->first_port + 5000);
}

static bool speak(struct ice_world *world, size_t i)
{
    size_t base;
    struct ahoy_ip remote;
    if (!ahoy_ice_way(&world->sides[i].agent, &base, &remote))
        return false;
    leave(world, &world->sides[i], base, &remote, SPAN("\x80 sound"));
    return true;
}

static bool is_over(const struct ahoy_ice_agent *agent)
{
    return agent->state != AHOY_ICE_GATHERING && agent->state != AHOY_ICE_RUNNING;
}

bool ice_world_connects(struct ice_world *world, uint64_t ms)
{
    uint64_t until_ms = world->now_ms + ms;
    while (world->now_ms < until_ms &&
           (!is_over(&world->sides[0].agent) || !is_over(&world->sides[1].agent)))
        ice_world_run(world, 100);
    if (world->sides[0].agent.state != AHOY_ICE_COMPLETED ||
        world->sides[1].agent.state != AHOY_ICE_COMPLETED)
        return false;
    world->sides[0].data = world->sides[1].data = 0;
    for (int i = 0; i < 50; i++) {
        if (!speak(world, 0) || !speak(world, 1))
            return false;
        ice_world_run(world, 20);
    }
    return world->sides[0].data > 0 && world->sides[1].data > 0;
}
