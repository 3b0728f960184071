/* An agent of ICE in a call that goes on: restarts, what was settled on, what descriptions tell
 * later (RFC 8445 9, RFC 8839 4.4). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/support/ice_world.h"

static struct ice_world world;

static struct ahoy_ice_agent *agent(size_t side)
{
    return &world.sides[side].agent;
}

/* 9: with other words the way is looked for anew, and the old one is used until it is found. */
static void test_restart(void **state)
{
    static const struct ahoy_ice_secret others[2] = {
        { SPAN_INIT("otheralice"), SPAN_INIT("another-password-of-alice-") },
        { SPAN_INIT("otherbob"), SPAN_INIT("another-password-of-bob---") },
    };
    size_t base;
    struct ahoy_ip remote;
    (void)state;
    ice_world_begin(&world, false);
    ice_world_exchange(&world, 0, 10);
    assert_true(ice_world_connects(&world, 5000));
    for (size_t side = 0; side < 2; side++) {
        world.sides[side].secret = others[side];
        ahoy_ice_say(agent(side), &others[side]);
    }
    const struct ahoy_ice_peer a = ice_world_tell(&world, 0);
    const struct ahoy_ice_peer b = ice_world_tell(&world, 1);
    ahoy_ice_begin(agent(1), &a, true, world.now_ms);
    assert_int_equal(agent(1)->state, AHOY_ICE_RUNNING);
    assert_int_equal(agent(1)->role, AHOY_ICE_CONTROLLED); /* R8445-9-3: roles stay. */
    assert_true(ahoy_ice_way(agent(1), &base, &remote));
    ahoy_ice_begin(agent(0), &b, true, world.now_ms);
    while (agent(0)->valid_ms == UINT64_MAX)
        ice_world_run(&world, 1);
    assert_true(agent(0)->way.is_former); /* Until the other has agreed. */
    assert_true(ice_world_connects(&world, 5000));
    assert_false(agent(0)->way.is_former);
}

/* 9: from the offer with other words until its answer, all goes on by the words before; checks by
 * the new ones are answered, and looked into later.  Where the offer is refused all is as before.
 * */
static void test_own_restart(void **state)
{
    static const struct ahoy_ice_secret other = { SPAN_INIT("otheralice"),
                                                  SPAN_INIT("another-password-of-alice-") };
    const struct ahoy_ice_check check = { .theirs = SPAN("otherbob"),
                                          .priority = 77,
                                          .role = AHOY_ICE_CONTROLLED };
    const uint8_t id[AHOY_STUN_ID_SIZE] = { 7 };
    char room[AHOY_ICE_ASK_SIZE];
    struct ahoy_buf buf = ahoy_buf_over(room, sizeof room);
    struct ahoy_ice_datagram datagram;
    struct ahoy_ip mapped;
    size_t base;
    (void)state;
    ice_world_begin(&world, false);
    ice_world_exchange(&world, 0, 10);
    assert_true(ice_world_connects(&world, 5000));
    ahoy_ice_say(agent(0), &other);
    ice_world_run(&world, 120000);
    for (size_t side = 0; side < 2; side++) {
        assert_int_equal(agent(side)->state, AHOY_ICE_COMPLETED);
        assert_true(ahoy_ice_way(agent(side), &base, &mapped));
    }
    ahoy_ice_ask(id, &other, &check, &buf);
    ahoy_ice_step(agent(0), 0, &world.sides[1].bases[0], ahoy_buf_text(&buf), world.now_ms);
    assert_true(ahoy_ice_poll(agent(0), world.now_ms, &datagram));
    assert_int_equal(ahoy_ice_hear(datagram.bytes, id, other.word, &mapped), AHOY_ICE_SEEN);
    assert_int_equal(agent(0)->early_count, 1);
    ahoy_ice_take_back(agent(0));
    ahoy_ice_step(agent(0), 0, &world.sides[1].bases[0], ahoy_buf_text(&buf), world.now_ms);
    assert_false(ahoy_ice_poll(agent(0), world.now_ms, &datagram));
    ice_world_run(&world, 120000);
    assert_true(ice_world_connects(&world, 5000));
}

/* The peer knows by whom he is asked: the user of each question is of one time (RFC 8445 7.2.2),
 * before a restart, while its answer is awaited, and while the former way is used. */
static void test_users(void **state)
{
    static const struct ahoy_ice_secret other = { SPAN_INIT("otheralice"),
                                                  SPAN_INIT("another-password-of-alice-") };
    (void)state;
    ice_world_begin(&world, false);
    ice_world_exchange(&world, 0, 10);
    assert_true(ice_world_connects(&world, 5000));
    for (int i = 0; i < 3; i++) {
        struct ahoy_ice_datagram datagram = { .base = 0 };
        struct ahoy_ice_check check;
        if (i == 1)
            ahoy_ice_say(agent(0), &other);
        if (i == 2) {
            struct ahoy_ice_peer peer = ice_world_tell(&world, 1);
            memcpy(peer.user, "anew", 4);
            peer.count = 0;
            ahoy_ice_begin(agent(0), &peer, true, world.now_ms);
        }
        while (!ahoy_ice_poll(agent(0), world.now_ms, &datagram))
            world.now_ms += 100;
        assert_true(ahoy_ice_read(datagram.bytes, &world.sides[1].secret, &check));
        assert_true(ahoy_span_equal(check.theirs, world.sides[0].secret.user));
    }
}

/* A base that goes away takes its way with it, at once; a restart finds another without it. */
static void test_dropped_base(void **state)
{
    struct ahoy_ip remote;
    size_t base;
    (void)state;
    ice_world_init(&world, 3);
    world.sides[0].has_link = world.sides[1].has_link = true;
    world.sides[0].nat = (struct ice_nat){ .is_there = true, .filter = ICE_BY_PORT };
    world.sides[1].nat = world.sides[0].nat;
    ice_world_open(&world, true);
    ice_world_run(&world, 3000);
    ice_world_exchange(&world, 0, 10);
    assert_true(ice_world_connects(&world, 5000));
    assert_true(ahoy_ice_way(agent(0), &base, &remote));
    assert_int_equal(base, 1);
    ahoy_ice_drop_base(agent(0), 1);
    ahoy_ice_drop_base(agent(0), 7); /* There is none. */
    assert_false(ahoy_ice_way(agent(0), &base, &remote));
    assert_int_equal(agent(0)->state, AHOY_ICE_LOST);
    const struct ahoy_ice_peer told = ice_world_tell(&world, 0);
    assert_int_equal(told.count, 2); /* The other, and how a server sees it. */
    ice_world_restart(&world, 0, 1, 10);
    assert_true(ice_world_connects(&world, 50000));
    assert_true(ahoy_ice_way(agent(0), &base, &remote));
    assert_int_equal(base, 0);
}

/* RFC 8839 4.4.1.2.2: both sides have settled on the same pair, each as the other sees it. */
static void test_settled(void **state)
{
    struct ahoy_ice_settled a, b;
    (void)state;
    ice_world_init(&world, 5);
    world.sides[0].nat = (struct ice_nat){ .is_there = true, .filter = ICE_BY_PORT };
    ice_world_open(&world, false);
    ice_world_exchange(&world, 0, 10);
    assert_false(ahoy_ice_settled(agent(0), &a));
    assert_true(ice_world_connects(&world, 5000));
    assert_true(ahoy_ice_settled(agent(0), &a) && ahoy_ice_settled(agent(1), &b));
    assert_true(a.controls && !b.controls);
    assert_int_equal(a.ours.kind, AHOY_CANDIDATE_PEER); /* No server has told of it. */
    assert_true(ahoy_ip_equal(&a.ours.ip, &b.theirs));
    assert_true(ahoy_ip_equal(&b.ours.ip, &a.theirs));
}

/* RFC 8839 4.4.3.1: a description that comes again may have further candidates. */
static void test_more(void **state)
{
    (void)state;
    for (int later = 0; later < 2; later++) {
        ice_world_begin(&world, false);
        struct ahoy_ice_peer peer = ice_world_tell(&world, 1);
        world.is_cut = true; /* Nor are there checks of his. */
        peer.candidates[0].ip.port++;
        peer.candidates[0].foundation = 99;
        ahoy_ice_begin(agent(0), &peer, true, world.now_ms);
        ice_world_run(&world, later == 0 ? 100 : 60000);
        assert_int_equal(agent(0)->state, later == 0 ? AHOY_ICE_RUNNING : AHOY_ICE_FAILED);
        const struct ahoy_ice_peer more = ice_world_tell(&world, 1);
        world.is_cut = false;
        ahoy_ice_hear_more(agent(0), &more, &more.candidates[0].ip, world.now_ms);
        assert_int_equal(agent(0)->remote_count, 2);
        ahoy_ice_hear_more(agent(0), &more, &more.candidates[0].ip, world.now_ms);
        assert_int_equal(agent(0)->remote_count, 2);
        ice_world_run(&world, 3000); /* The other answers alone. */
        assert_int_equal(agent(0)->state, AHOY_ICE_COMPLETED);
    }
}

/* They fill no more than there is room for. */
static void test_many_more(void **state)
{
    (void)state;
    ice_world_begin(&world, false);
    struct ahoy_ice_peer peer = ice_world_tell(&world, 1);
    ahoy_ice_begin(agent(0), &peer, true, world.now_ms);
    for (unsigned i = 0; i < 1000; i++) {
        peer.candidates[0].ip.port = (uint16_t)(7000 + i);
        ahoy_ice_hear_more(agent(0), &peer, &peer.candidates[0].ip, world.now_ms);
    }
    assert_int_equal(agent(0)->remote_count, AHOY_ICE_REMOTES_LIMIT);
    assert_true(agent(0)->pair_count <= AHOY_ICE_PAIRS_LIMIT);
}

/* RFC 8839 4.4.2: an offer that says what was settled on may be faster than the check that does. */
static void test_chosen(void **state)
{
    (void)state;
    ice_world_begin(&world, false);
    const struct ahoy_ice_peer offer = ice_world_tell(&world, 0);
    ahoy_ice_begin(agent(1), &offer, false, world.now_ms);
    ice_world_run(&world, 3000); /* The other knows nobody, and nominates nothing. */
    assert_int_equal(agent(1)->state, AHOY_ICE_RUNNING);
    struct ahoy_ice_peer again = offer;
    again.ours = world.sides[1].bases[0];
    again.ours.port++;
    ahoy_ice_hear_more(agent(1), &again, &offer.candidates[0].ip, world.now_ms);
    assert_int_equal(agent(1)->state, AHOY_ICE_RUNNING); /* That is none of ours. */
    again.ours = world.sides[1].bases[0];
    ahoy_ice_hear_more(agent(1), &again, &offer.candidates[0].ip, world.now_ms);
    assert_int_equal(agent(1)->state, AHOY_ICE_COMPLETED);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_restart),   cmocka_unit_test(test_own_restart),
        cmocka_unit_test(test_users),     cmocka_unit_test(test_dropped_base),
        cmocka_unit_test(test_settled),   cmocka_unit_test(test_more),
        cmocka_unit_test(test_many_more), cmocka_unit_test(test_chosen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
