/* An agent of ICE: priorities, roles, nomination, consent, and whom it does not heed
 * (RFC 8445 5.1.2 to 9, RFC 7675 5). */
#include "libahoy/transport/agent.h"

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

/* R8445-5.1.2-1, R8445-5.1.2.1-1 and -2: the numbers of RFC 8839 5.1. */
static void test_priorities(void **state)
{
    (void)state;
    assert_int_equal(ahoy_candidate_priority(AHOY_CANDIDATE_HOST, 65535), 2130706431);
    assert_int_equal(ahoy_candidate_priority(AHOY_CANDIDATE_PEER, 65535), 1862270975);
    assert_int_equal(ahoy_candidate_priority(AHOY_CANDIDATE_SERVER, 65535), 1694498815);
    assert_int_equal(ahoy_candidate_priority(AHOY_CANDIDATE_RELAYED, 65535), 16777215);
}

/* 6.1.2.3: by the greater of both, and by who controls; 6.1.2.4: an address counts once. */
static void test_pairs(void **state)
{
    (void)state;
    ice_world_begin(&world, false);
    struct ahoy_ice_peer peer = ice_world_tell(&world, 1);
    peer.candidates[0].priority = 5;
    peer.candidates[1] = peer.candidates[0];
    peer.candidates[1].priority = 9; /* The same again, better. */
    peer.candidates[2] = peer.candidates[0];
    peer.candidates[2].ip.port++;
    peer.candidates[3] = (struct ahoy_candidate){ .ip = { .family = AHOY_IPV6, .port = 9 } };
    peer.candidates[4] = peer.candidates[0]; /* And worse. */
    peer.candidates[4].priority = 3;
    peer.count = 5;
    ahoy_ice_begin(agent(0), &peer, true, world.now_ms);
    assert_int_equal(agent(0)->pair_count, 2);
    const uint64_t ours = 2130706431;
    assert_true(agent(0)->pairs[0].priority == (UINT64_C(9) << 32) + 2 * ours + 1);
    assert_true(agent(0)->pairs[1].priority == (UINT64_C(5) << 32) + 2 * ours + 1);
    ice_world_begin(&world, false);
    ahoy_ice_begin(agent(0), &peer, false, world.now_ms);
    assert_true(agent(0)->pairs[0].priority == (UINT64_C(9) << 32) + 2 * ours);
}

/* R8445-6.1.1-1, R8445-8.1.1-2 and -3: who has offered controls, and one pair is nominated. */
static void test_nomination(void **state)
{
    (void)state;
    ice_world_begin(&world, true);
    ice_world_run(&world, 1000);
    ice_world_exchange(&world, 0, 10);
    assert_true(ice_world_connects(&world, 5000));
    assert_int_equal(agent(0)->role, AHOY_ICE_CONTROLLING);
    assert_int_equal(agent(1)->role, AHOY_ICE_CONTROLLED);
    for (size_t side = 0; side < 2; side++) {
        unsigned nominated = 0;
        for (size_t i = 0; i < agent(side)->pair_count; i++)
            nominated += agent(side)->pairs[i].is_nominated;
        assert_int_equal(nominated, 1);
    }
}

/* R8445-7.3.1.1-2: both think the same of who controls; the tie is
 * broken. */
static void test_roles(void **state)
{
    (void)state;
    for (int both = 0; both < 2; both++) {
        for (int seed = 0; seed < 8; seed++) {
            ice_world_init(&world, 100 + (uint64_t)seed);
            ice_world_open(&world, false);
            const struct ahoy_ice_peer a = ice_world_tell(&world, 0);
            const struct ahoy_ice_peer b = ice_world_tell(&world, 1);
            ahoy_ice_begin(agent(0), &b, both, world.now_ms);
            ahoy_ice_begin(agent(1), &a, both, world.now_ms);
            assert_true(ice_world_connects(&world, 10000));
            assert_int_not_equal(agent(0)->role, agent(1)->role);
        }
    }
}

/* R8445-7.3.1.1-3: the greater number keeps control, or takes it. */
static void test_ties(void **state)
{
    static const struct {
        bool controls, is_greater, is_told, controls_then;
    } rows[] = {
        { true, true, true, true },
        { true, false, false, false },
        { false, true, false, true },
        { false, false, true, false },
    };
    const uint8_t id[AHOY_STUN_ID_SIZE] = { 1 };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char room[AHOY_ICE_ASK_SIZE];
        struct ahoy_buf buf = ahoy_buf_over(room, sizeof room);
        struct ahoy_ice_datagram datagram;
        struct ahoy_ip mapped;
        ice_world_begin(&world, false);
        const struct ahoy_ice_peer peer = ice_world_tell(&world, 0);
        ahoy_ice_begin(agent(1), &peer, rows[i].controls, world.now_ms);
        const struct ahoy_ice_check check = {
            .theirs = world.sides[0].secret.user,
            .role = rows[i].controls ? AHOY_ICE_CONTROLLING : AHOY_ICE_CONTROLLED,
            .tie = rows[i].is_greater ? 0 : UINT64_MAX,
        };
        ahoy_ice_ask(id, &world.sides[1].secret, &check, &buf);
        ahoy_ice_step(agent(1), 0, &world.sides[0].bases[0], ahoy_buf_text(&buf), world.now_ms);
        assert_true(ahoy_ice_poll(agent(1), world.now_ms, &datagram));
        assert_int_equal(ahoy_ice_hear(datagram.bytes, id, world.sides[1].secret.word, &mapped),
                         rows[i].is_told ? AHOY_ICE_CONFLICT : AHOY_ICE_SEEN);
        assert_int_equal(agent(1)->role,
                         rows[i].controls_then ? AHOY_ICE_CONTROLLING : AHOY_ICE_CONTROLLED);
    }
}

/* R8445-7.2.5.1-1 to -4: a 487 changes the role, and the number; the pair is tried again. */
static void test_conflict(void **state)
{
    (void)state;
    for (int controls = 0; controls < 2; controls++) {
        char room[AHOY_ICE_ANSWER_SIZE];
        struct ahoy_buf buf = ahoy_buf_over(room, sizeof room);
        struct ahoy_ice_datagram datagram;
        struct ahoy_ice_check check;
        ice_world_begin(&world, false);
        const struct ahoy_ice_peer peer = ice_world_tell(&world, 0);
        ahoy_ice_begin(agent(1), &peer, controls, world.now_ms);
        assert_true(ahoy_ice_poll(agent(1), world.now_ms, &datagram));
        uint64_t tie = agent(1)->tie;
        ahoy_ice_put_conflict(datagram.bytes, world.sides[0].secret.word, &buf);
        ahoy_ice_step(agent(1), 0, &datagram.remote, ahoy_buf_text(&buf), world.now_ms);
        assert_true(ahoy_ice_poll(agent(1), world.now_ms + AHOY_ICE_PACE_MS, &datagram));
        assert_true(ahoy_ice_read(datagram.bytes, &world.sides[0].secret, &check));
        assert_int_equal(check.role, controls ? AHOY_ICE_CONTROLLED : AHOY_ICE_CONTROLLING);
        assert_true(check.tie != tie);
    }
}

/* R8445-6.1.1-2: we control who is lite. */
static void test_lite(void **state)
{
    (void)state;
    ice_world_begin(&world, false);
    struct ahoy_ice_peer peer = ice_world_tell(&world, 1);
    peer.is_lite = true;
    ahoy_ice_begin(agent(0), &peer, false, world.now_ms);
    assert_int_equal(agent(0)->role, AHOY_ICE_CONTROLLING);
    ice_world_run(&world, 3000); /* The other knows nobody, and answers alone. */
    assert_int_equal(agent(0)->state, AHOY_ICE_COMPLETED);
    assert_int_equal(agent(1)->state, AHOY_ICE_GATHERING);
}

/* R8445-7.3-5 and -6: checks before the answer are answered, and looked into once it is there. */
static void test_early(void **state)
{
    (void)state;
    ice_world_begin(&world, false);
    const struct ahoy_ice_peer offer = ice_world_tell(&world, 0);
    struct ahoy_ice_peer answer = ice_world_tell(&world, 1);
    ahoy_ice_begin(agent(1), &offer, false, world.now_ms);
    ice_world_run(&world, 1000);
    assert_int_equal(agent(0)->early_count, 1);
    answer.count = 0; /* He is known by his checks alone. */
    ahoy_ice_begin(agent(0), &answer, true, world.now_ms);
    assert_int_equal(agent(0)->pair_count, 1);
    assert_true(ice_world_connects(&world, 5000));
}

/* RFC 7675 5.1: after 30 s without an answer nothing is sent any more. */
static void test_consent(void **state)
{
    size_t base;
    struct ahoy_ip remote;
    (void)state;
    ice_world_begin(&world, false);
    ice_world_exchange(&world, 0, 10);
    assert_true(ice_world_connects(&world, 5000));
    ice_world_run(&world, 300000);
    assert_int_equal(agent(0)->state, AHOY_ICE_COMPLETED);
    world.is_cut = true;
    ice_world_run(&world, 23000);
    assert_true(ahoy_ice_way(agent(0), &base, &remote));
    ice_world_run(&world, 8000);
    for (size_t side = 0; side < 2; side++) {
        assert_false(ahoy_ice_way(agent(side), &base, &remote));
        assert_int_equal(agent(side)->state, AHOY_ICE_LOST);
    }
    unsigned sent = world.sides[0].answers;
    ice_world_run(&world, 60000);
    assert_int_equal(world.sides[0].answers, sent);
    world.is_cut = false; /* It does not come back by itself. */
    ice_world_run(&world, 60000);
    assert_int_equal(agent(0)->state, AHOY_ICE_LOST);
}

/* RFC 8839 4.3.4: where a check has failed at once, the peer may still find a way; after that,
 * nobody waits any more. */
static void test_hopeless(void **state)
{
    (void)state;
    ice_world_begin(&world, false);
    world.is_cut = true;
    ice_world_exchange(&world, 0, 10);
    uint64_t began_ms = agent(0)->began_ms;
    agent(0)->state = AHOY_ICE_FAILED;
    ice_world_run(&world, AHOY_ICE_PATIENCE_MS - 10);
    assert_int_equal(agent(0)->state, AHOY_ICE_FAILED);
    assert_false(ahoy_ice_is_hopeless(agent(0)));
    assert_int_equal(ahoy_ice_deadline(agent(0)), began_ms + AHOY_ICE_PATIENCE_MS);
    ice_world_run(&world, 20);
    assert_true(ahoy_ice_is_hopeless(agent(0)));
    assert_true(ahoy_ice_deadline(agent(0)) == UINT64_MAX);
    ice_world_run(&world, 60000);
    assert_true(ahoy_ice_is_hopeless(agent(1)));
    world.is_cut = false;
    ice_world_exchange(&world, 0, 10);
    assert_false(ahoy_ice_is_hopeless(agent(0)));
}

/* Nobody is heard who does not know the words, and nothing is sent to him. */
static void test_strangers(void **state)
{
    static const struct ahoy_ice_secret wrong = { SPAN_INIT("bobbobbobbobbob"),
                                                  SPAN_INIT("not-the-password-of-bob---") };
    const struct ahoy_ice_check check = { .theirs = SPAN("alicealicealice"),
                                          .priority = 77,
                                          .role = AHOY_ICE_CONTROLLING,
                                          .is_nomination = true };
    uint8_t id[AHOY_STUN_ID_SIZE] = { 1 };
    struct ahoy_ice_datagram datagram;
    (void)state;
    ice_world_begin(&world, false);
    ice_world_exchange(&world, 0, 10);
    assert_true(ice_world_connects(&world, 5000));
    size_t remotes = agent(1)->remote_count;
    struct ahoy_ip stranger = world.server;
    for (unsigned i = 0; i < 5000; i++) {
        char room[AHOY_ICE_ASK_SIZE];
        struct ahoy_buf buf = ahoy_buf_over(room, sizeof room);
        stranger.port = (uint16_t)(1000 + i);
        id[0] = (uint8_t)i;
        ahoy_ice_ask(id, &wrong, &check, &buf);
        ahoy_ice_step(agent(1), 0, &stranger, ahoy_buf_text(&buf), world.now_ms);
        assert_false(ahoy_ice_poll(agent(1), world.now_ms, &datagram));
    }
    assert_int_equal(agent(1)->remote_count, remotes);
    assert_false(ahoy_ice_knows(agent(1), &stranger));
}

/* Who knows them may ask from anywhere, and fills no more than there is room for. */
static void test_flood(void **state)
{
    const struct ahoy_ice_check check = { .theirs = SPAN("alicealicealice"),
                                          .priority = 77,
                                          .role = AHOY_ICE_CONTROLLING };
    const uint8_t id[AHOY_STUN_ID_SIZE] = { 1 };
    (void)state;
    ice_world_begin(&world, false);
    ice_world_exchange(&world, 0, 10);
    struct ahoy_ip source = world.server;
    for (unsigned i = 0; i < 1000; i++) {
        char room[AHOY_ICE_ASK_SIZE];
        struct ahoy_buf buf = ahoy_buf_over(room, sizeof room);
        source.port = (uint16_t)(1000 + i);
        ahoy_ice_ask(id, &world.sides[1].secret, &check, &buf);
        ahoy_ice_step(agent(1), 0, &source, ahoy_buf_text(&buf), world.now_ms);
    }
    assert_int_equal(agent(1)->remote_count, AHOY_ICE_REMOTES_LIMIT);
    assert_true(agent(1)->pair_count <= AHOY_ICE_PAIRS_LIMIT);
    assert_true(ice_world_connects(&world, 60000));
}

/* R8445-14.3-1: a check each 50 ms, and none again before 500. */
static void test_pace(void **state)
{
    struct ahoy_ice_datagram datagram;
    unsigned sent = 0;
    (void)state;
    ice_world_begin(&world, false);
    struct ahoy_ice_peer peer = ice_world_tell(&world, 1);
    for (peer.count = 0; peer.count < AHOY_CANDIDATES_LIMIT; peer.count++) {
        peer.candidates[peer.count] = peer.candidates[0];
        peer.candidates[peer.count].ip.port = (uint16_t)(6000 + peer.count);
        peer.candidates[peer.count].foundation = peer.count;
    }
    ahoy_ice_begin(agent(0), &peer, true, 0);
    for (uint64_t now_ms = 0; now_ms < 500; now_ms++) {
        while (ahoy_ice_poll(agent(0), now_ms, &datagram))
            sent++;
        assert_true(sent <= now_ms / AHOY_ICE_PACE_MS + 1);
    }
    assert_int_equal(sent, 10);
}

/* R8445-14.2-2: the slower pace counts; R8445-14.2-3: agents that share a program share its. */
static void test_shared_pace(void **state)
{
    struct ahoy_ice_datagram datagram;
    uint64_t last_ms = 0;
    unsigned sent = 0;
    (void)state;
    ice_world_begin(&world, false);
    for (size_t side = 0; side < 2; side++) {
        struct ahoy_ice_peer peer = ice_world_tell(&world, 1 - side);
        peer.pacing_ms = side == 0 ? 100 : 20;
        for (peer.count = 0; peer.count < AHOY_CANDIDATES_LIMIT; peer.count++) {
            peer.candidates[peer.count] = peer.candidates[0];
            peer.candidates[peer.count].ip.port = (uint16_t)(6000 + peer.count);
            peer.candidates[peer.count].foundation = peer.count;
        }
        ahoy_ice_begin(agent(side), &peer, true, 1000);
    }
    for (uint64_t now_ms = 1000; now_ms < 1500; now_ms++) {
        for (size_t side = 0; side < 2; side++) {
            while (ahoy_ice_poll(agent(side), now_ms, &datagram)) {
                assert_true(now_ms >= last_ms + AHOY_ICE_SHARED_PACE_MS);
                last_ms = now_ms;
                sent++;
            }
        }
    }
    assert_int_equal(sent, 5 + 10);
}

/* R8445-5.1.1.4-2: until there is a way, the server is asked each 15 s. */
static void test_kept(void **state)
{
    (void)state;
    ice_world_begin(&world, true);
    ice_world_run(&world, 40000);
    assert_int_equal(world.sides[0].answers, 3);
    assert_true(ahoy_ice_has_gathered(agent(0), world.now_ms));
}

/* A base from which nobody answers costs a call 200 ms, not two seconds. */
static void test_dead_base(void **state)
{
    (void)state;
    for (size_t dead = 0; dead < 2; dead++) {
        ice_world_init(&world, 3);
        world.sides[0].has_dead_base = dead > 0;
        ice_world_open(&world, true);
        ice_world_run(&world,
                      300); /* 50 ms until it asks from the second one, 80 there and back. */
        assert_int_equal(ahoy_ice_has_gathered(agent(0), world.now_ms), dead == 0);
        ice_world_run(&world, 200);
        assert_true(ahoy_ice_has_gathered(agent(0), world.now_ms));
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_priorities),  cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_nomination),  cmocka_unit_test(test_roles),
        cmocka_unit_test(test_lite),        cmocka_unit_test(test_early),
        cmocka_unit_test(test_consent),     cmocka_unit_test(test_strangers),
        cmocka_unit_test(test_flood),       cmocka_unit_test(test_pace),
        cmocka_unit_test(test_shared_pace), cmocka_unit_test(test_kept),
        cmocka_unit_test(test_ties),        cmocka_unit_test(test_conflict),
        cmocka_unit_test(test_hopeless),    cmocka_unit_test(test_dead_base),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
