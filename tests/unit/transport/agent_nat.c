/* Two agents of ICE and what may stand between them: they find a way exactly where there is one,
 * whatever gets lost or overtaken (RFC 8445 2, RFC 4787). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/support/ice_world.h"

enum { SEEDS = 400, LONG_MS = 120000 };

static struct ice_world world;

/* Whether anybody may ask who is behind |nat|, and is answered from where he has asked. */
static bool is_reachable(const struct ice_nat *nat)
{
    return !nat->is_there || (nat->filter == ICE_OPEN && !nat->is_symmetric);
}

/* Whether there is a way by a relay; how many there are is up to what got lost. */
static bool is_there_a_relay(void)
{
    bool is_one = false;
    for (size_t i = 0; i < 2; i++) {
        const struct ice_nat *nat = &world.sides[i].nat;
        if (nat->is_there && nat->filter == ICE_CLOSED)
            return false;
        is_one |= world.sides[i].relay.is_placed;
    }
    return is_one;
}

/* Whether there is a way for who have asked a STUN server. */
static bool is_there_a_way(const struct ice_nat *a, const struct ice_nat *b)
{
    if ((a->is_there && a->filter == ICE_CLOSED) || (b->is_there && b->filter == ICE_CLOSED))
        return false;
    if (is_reachable(a) || is_reachable(b))
        return true;
    if (a->is_symmetric && b->is_symmetric)
        return false; /* No answer comes from where was asked: 7.2.5.2.1. */
    /* Where one is seen at a port that nobody could tell, the other must let it in by address. */
    if (a->is_symmetric)
        return b->filter != ICE_BY_PORT;
    if (b->is_symmetric)
        return a->filter != ICE_BY_PORT;
    return true;
}

static struct ice_nat choose_nat(struct ahoy_rng *rng)
{
    return (struct ice_nat){ .is_there = ahoy_rng_below(rng, 5) > 0,
                             .is_symmetric = ahoy_rng_below(rng, 4) == 0,
                             .filter = (enum ice_filter)ahoy_rng_below(rng, 20) / 6 };
}

/* Something happens to those who have found each other, and they begin anew. */
static void disturb(struct ahoy_rng *rng, unsigned number)
{
    size_t side = ahoy_rng_below(rng, 2);
    switch (ahoy_rng_below(rng, 3)) {
    case 0:
        break;
    case 1: /* Consent is lost. */
        world.is_cut = true;
        ice_world_run(&world, 31000 + ahoy_rng_below(rng, 30000));
        world.is_cut = false;
        break;
    case 2: /* So is whom the NAT knew; whoever begins anew asks again how he is seen. */
        ice_world_reboot(&world, side);
        break;
    }
    ice_world_restart(&world, side, number, ahoy_rng_below(rng, 2000));
}

static void test_seeds(void **state)
{
    unsigned ways = 0, relayed = 0;
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        ice_world_init(&world, seed);
        struct ahoy_rng rng = world.rng;
        world.sides[0].nat = choose_nat(&rng);
        world.sides[1].nat = choose_nat(&rng);
        world.loss_percent = (unsigned)ahoy_rng_below(&rng, 31);
        world.delay_ms = 1 + (unsigned)ahoy_rng_below(&rng, 300);
        bool has_link = ahoy_rng_below(&rng, 8) == 0;
        for (size_t i = 0; i < 2; i++) {
            world.sides[i].has_dead_base = ahoy_rng_below(&rng, 3) == 0;
            world.sides[i].has_link = has_link || ahoy_rng_below(&rng, 4) == 0;
            world.sides[i].has_relay = ahoy_rng_below(&rng, 2) == 0;
        }
        has_link = world.sides[0].has_link && world.sides[1].has_link;
        bool is_way = has_link || is_there_a_way(&world.sides[0].nat, &world.sides[1].nat);
        ice_world_open(&world, true);
        ice_world_run(&world, 40000); /* However long the phone rings. */
        bool is_straight = is_way;
        is_way |= is_there_a_relay();
        ice_world_exchange(&world, ahoy_rng_below(&rng, 2), ahoy_rng_below(&rng, 2000));
        bool connects = ice_world_connects(&world, LONG_MS);
        if (connects != is_way)
            print_error("seed %u: %s\n", (unsigned)seed, is_way ? "no way found" : "a way found");
        assert_int_equal(connects, is_way);
        ways += is_way;
        world.loss_percent /= 3; /* Or consent would be lost by that alone. */
        for (unsigned i = 0; i < 2 && is_way; i++) {
            disturb(&rng, i);
            connects = ice_world_connects(&world, LONG_MS);
            if (!connects && (is_straight || is_there_a_relay())) {
                print_error("seed %u: no way after restart %u\n", (unsigned)seed, i);
                fail();
            }
        }
        relayed += is_way && !is_straight;
    }
    assert_true(ways > SEEDS / 4 && ways < SEEDS - SEEDS / 8);
    assert_true(relayed > SEEDS / 80);
}

/* In one place the way leads not through its NAT. */
static void test_same_place(void **state)
{
    size_t base;
    struct ahoy_ip remote;
    (void)state;
    ice_world_init(&world, 1);
    world.same_place = true;
    world.sides[0].nat = (struct ice_nat){ .is_there = true, .filter = ICE_BY_PORT };
    ice_world_open(&world, true);
    ice_world_run(&world, 3000);
    ice_world_exchange(&world, 0, 10);
    assert_true(ice_world_connects(&world, LONG_MS));
    assert_true(ahoy_ice_way(&world.sides[0].agent, &base, &remote));
    assert_true(ahoy_ip_equal(&remote, &world.sides[1].bases[0]));
}

/* Without a server, who is behind a NAT is found by his checks: 7.3.1.3. */
static void test_no_server(void **state)
{
    (void)state;
    for (int behind = 0; behind < 2; behind++) {
        ice_world_init(&world, 2);
        world.sides[behind].nat = (struct ice_nat){ .is_there = true, .filter = ICE_BY_PORT };
        ice_world_open(&world, false);
        ice_world_exchange(&world, 0, 10);
        assert_true(ice_world_connects(&world, LONG_MS));
    }
}

static bool is_relayed(size_t side)
{
    size_t base;
    struct ahoy_ip remote;
    return ahoy_ice_way(&world.sides[side].agent, &base, &remote) &&
           (ahoy_relay_is(&world.sides[side].relay, base) ||
            turn_server_is_at(&world.turn, &remote));
}

/* Between the two nothing gets through but by a relay, which |relays| says who has, a bit a side;
 * one who has it offers. */
static void open_between_walls(uint64_t seed, unsigned relays)
{
    ice_world_init(&world, seed);
    for (size_t i = 0; i < 2; i++) {
        world.sides[i].nat =
            (struct ice_nat){ .is_there = true, .is_symmetric = true, .filter = ICE_BY_PORT };
        world.sides[i].has_relay = (relays >> i & 1) != 0;
    }
    ice_world_open(&world, true);
    ice_world_run(&world, 3000);
    ice_world_exchange(&world, relays == 2, 10);
}

/* Both NATs take another port for each destination: one relay is enough, whoever has it, and sound
 * goes by a channel.  It is renewed as long as the call goes on, and given back then. */
static void test_relay(void **state)
{
    (void)state;
    for (unsigned with = 0; with < 3; with++) {
        open_between_walls(3 + with, 1 + with);
        assert_true(ice_world_connects(&world, 10000));
        assert_true(is_relayed(0) && is_relayed(1));
        assert_in_range(world.turn.channel_data, 40, 60);
        ice_world_run(&world, 1000000);
        assert_true(ice_world_connects(&world, 10));
        for (size_t i = 0; i < 2; i++)
            ahoy_turn_close(&world.sides[i].relay.turn);
        ice_world_run(&world, 1000);
        assert_int_equal(world.turn.deleted, with == 2 ? 2 : 1);
        if (with < 2)
            assert_int_equal(world.sides[with].agent.state, AHOY_ICE_LOST);
    }
}

/* A better way is taken where there is one, and relays that nobody needs are given back: 8.3. */
static void test_idle_relay(void **state)
{
    (void)state;
    ice_world_init(&world, 4);
    for (size_t i = 0; i < 2; i++) {
        world.sides[i].nat = (struct ice_nat){ .is_there = true, .filter = ICE_BY_PORT };
        world.sides[i].has_relay = true;
    }
    ice_world_open(&world, true);
    ice_world_run(&world, 3000);
    ice_world_exchange(&world, 0, 10);
    assert_true(ice_world_connects(&world, 10000));
    assert_false(is_relayed(0) || is_relayed(1));
    ice_world_run(&world, 10000);
    assert_int_equal(world.turn.deleted, 2);
    ice_world_restart(&world, 0, 1, 10); /* Another one then. */
    assert_true(ice_world_connects(&world, LONG_MS));
    assert_int_equal(world.turn.counts[AHOY_TURN_ALLOCATE], 3);
}

/* The server goes away in a call: that is a way that is lost, and a restart has another relay. */
static void test_lost_relay(void **state)
{
    (void)state;
    open_between_walls(5, 1);
    assert_true(ice_world_connects(&world, 10000));
    turn_server_reboot(&world.turn);
    ice_world_run(&world, 60000);
    assert_int_equal(world.sides[0].agent.state, AHOY_ICE_LOST);
    ice_world_restart(&world, 0, 1, 10);
    assert_true(ice_world_connects(&world, LONG_MS));
    assert_true(is_relayed(0));
}

/* A relay is chosen for good only when a better way has been waited for; sound has it meanwhile. */
static void test_relay_is_last(void **state)
{
    size_t base;
    struct ahoy_ip remote;
    struct ahoy_ice_agent *agent = &world.sides[0].agent;
    (void)state;
    open_between_walls(7, 1);
    for (int i = 0; i < 30 && !ahoy_ice_way(agent, &base, &remote); i++)
        ice_world_run(&world, 20);
    assert_true(ahoy_ice_way(agent, &base, &remote) && ahoy_relay_is(&world.sides[0].relay, base));
    ice_world_run(&world, AHOY_ICE_RELAYED_MS - 100);
    assert_int_equal(agent->state, AHOY_ICE_RUNNING);
    ice_world_run(&world, 500);
    assert_int_equal(agent->state, AHOY_ICE_COMPLETED);
}

/* What a relay could not bring before a permission was there is sent again once it is. */
static void test_hurry(void **state)
{
    struct ahoy_ice_agent *agent = &world.sides[0].agent;
    struct ahoy_ice_datagram datagram;
    size_t relay;
    const struct ahoy_ip relayed = { .family = AHOY_IPV4, .port = 9, .bytes = { 192, 0, 2, 77 } };
    (void)state;
    ice_world_init(&world, 8);
    assert_true(ahoy_ice_add_base(agent, &relayed));
    assert_true(ahoy_ice_add_relay(agent, &relay));
    ahoy_ice_place_relay(agent, relay, &relayed, 0, &relayed);
    struct ahoy_ice_peer peer = ice_world_tell(&world, 1);
    peer.count = 1;
    peer.candidates[0] = (struct ahoy_candidate){ .ip = relayed, .priority = 9 };
    ahoy_ice_begin(agent, &peer, true, world.now_ms);
    do
        world.now_ms = ahoy_ice_deadline(agent);
    while (!ahoy_ice_poll(agent, world.now_ms, &datagram) || datagram.base != relay);
    struct ahoy_ip other = relayed;
    other.bytes[0] ^= 1;
    ahoy_ice_hurry(agent, relay, &other, world.now_ms);
    assert_false(ahoy_ice_poll(agent, world.now_ms, &datagram));
    ahoy_ice_hurry(agent, relay, &relayed, world.now_ms);
    assert_true(ahoy_ice_poll(agent, world.now_ms, &datagram));
    assert_int_equal(datagram.base, relay);
    assert_false(ahoy_ice_poll(agent, world.now_ms, &datagram));
}

/* What is told of a relay (RFC 8839 5.1), and how else it is seen where no STUN server is asked. */
static void test_relay_is_told(void **state)
{
    (void)state;
    ice_world_init(&world, 6);
    world.sides[0].nat = (struct ice_nat){ .is_there = true };
    world.sides[0].has_relay = true;
    ice_world_open(&world, false);
    ahoy_turn_open(&world.sides[0].relay.turn, &world.server, world.turn.user, world.turn.password,
                   world.now_ms);
    assert_int_equal(ice_world_tell(&world, 0).count, 1);
    ice_world_run(&world, 1000);
    const struct ahoy_ice_peer peer = ice_world_tell(&world, 0);
    const struct ahoy_candidate *server = &peer.candidates[1], *relayed = &peer.candidates[2];
    assert_int_equal(peer.count, 3);
    assert_int_equal(server->kind, AHOY_CANDIDATE_SERVER);
    assert_int_equal(relayed->kind, AHOY_CANDIDATE_RELAYED);
    assert_true(ahoy_ip_equal(&relayed->ip, &world.turn.clients[0].relayed));
    assert_true(ahoy_ip_equal(&relayed->related, &server->ip));
    assert_true(ahoy_ip_equal(&server->ip, &world.turn.clients[0].seen));
    assert_int_equal(relayed->priority, 65534 << 8 | 255);
    assert_int_not_equal(relayed->foundation, server->foundation);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_place), cmocka_unit_test(test_no_server),
        cmocka_unit_test(test_relay),      cmocka_unit_test(test_idle_relay),
        cmocka_unit_test(test_lost_relay), cmocka_unit_test(test_relay_is_last),
        cmocka_unit_test(test_hurry),      cmocka_unit_test(test_relay_is_told),
        cmocka_unit_test(test_seeds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
