/* What was taken once is never taken again, however little room there is: attack 18. */
#include "libahoy/auth/replay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static const uint64_t start_ms = 1760000000000;

static bool take(struct ahoy_replay *replay, uint64_t mark, uint64_t made_ms, uint32_t count)
{
    const struct ahoy_nonce nonce = { mark, made_ms };
    return ahoy_replay_take(replay, &nonce, count, made_ms + 20);
}

static void each_count_once(void **state)
{
    (void)state;
    struct ahoy_replay *replay = ahoy_replay_new(64, start_ms);
    assert_true(take(replay, 7, start_ms, 1));
    assert_false(take(replay, 7, start_ms, 1));
    assert_true(take(replay, 8, start_ms, 1));
    assert_true(take(replay, 7, start_ms, 2));
    assert_true(take(replay, 7, start_ms, 5)); /* 3 and 4 are on their way. */
    assert_true(take(replay, 7, start_ms, 3));
    assert_false(take(replay, 7, start_ms, 3));
    assert_false(take(replay, 7, start_ms, 5));
    assert_true(take(replay, 7, start_ms, 4));
    ahoy_replay_free(replay);
}

/* RFC 2069 has no counts: a nonce serves once, with whatever comes later. */
static void without_a_count_once(void **state)
{
    (void)state;
    struct ahoy_replay *replay = ahoy_replay_new(64, start_ms);
    assert_true(take(replay, 7, start_ms, AHOY_REPLAY_NO_COUNT));
    assert_false(take(replay, 7, start_ms, AHOY_REPLAY_NO_COUNT));
    assert_false(take(replay, 7, start_ms, 1));
    ahoy_replay_free(replay);
}

static void what_is_far_behind_is_refused(void **state)
{
    (void)state;
    struct ahoy_replay *replay = ahoy_replay_new(64, start_ms);
    assert_true(take(replay, 7, start_ms, 100));
    assert_true(take(replay, 7, start_ms, 101 - AHOY_REPLAY_WINDOW));
    assert_false(take(replay, 7, start_ms, 100 - AHOY_REPLAY_WINDOW));
    assert_true(take(replay, 7, start_ms, 100 + AHOY_REPLAY_WINDOW - 1));
    assert_false(take(replay, 7, start_ms, 100)); /* At the very edge it is remembered still, ... */
    assert_true(take(replay, 7, start_ms, UINT32_MAX));
    assert_false(take(replay, 7, start_ms, 100)); /* ... and behind it too. */
    ahoy_replay_free(replay);
}

/* A restart forgets what was used. */
static void those_before_the_start_are_refused(void **state)
{
    (void)state;
    struct ahoy_replay *replay = ahoy_replay_new(64, start_ms);
    assert_false(take(replay, 7, start_ms - 1, 1));
    assert_true(take(replay, 7, start_ms, 1));
    ahoy_replay_free(replay);
}

/* Many more than there is room for: none is taken twice, and those that come soon are all taken. */
static void none_is_taken_twice(void **state)
{
    (void)state;
    enum { COUNT = 5000 };
    struct ahoy_hash_key key = { { 1, 2 } };
    struct ahoy_replay *replay = ahoy_replay_new(64, start_ms);
    unsigned refused = 0;
    for (uint64_t i = 0; i < COUNT; i++) {
        uint64_t mark = ahoy_siphash(&key, (struct span){ (const char *)&i, sizeof i });
        refused += !take(replay, mark, start_ms + i * 100, 1);
    }
    assert_int_equal(refused, 0);
    for (uint64_t i = 0; i < COUNT; i++) {
        uint64_t mark = ahoy_siphash(&key, (struct span){ (const char *)&i, sizeof i });
        assert_false(take(replay, mark, start_ms + i * 100, 1));
    }
    ahoy_replay_free(replay);
}

/* Those that have died make room, and push out none that lives. */
static void the_dead_make_room(void **state)
{
    (void)state;
    struct ahoy_replay *replay = ahoy_replay_new(1, start_ms);
    uint64_t later_ms = start_ms + AHOY_NONCE_LIFE_MS + 1000;
    for (uint64_t i = 0; i < 8; i++)
        assert_true(take(replay, i, start_ms + i, 1));
    assert_true(take(replay, 100, later_ms, 1));
    assert_true(take(replay, 101, later_ms - 900, 1));
    assert_false(take(replay, 101, later_ms - 900, 1));
    ahoy_replay_free(replay);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_count_once),
        cmocka_unit_test(without_a_count_once),
        cmocka_unit_test(what_is_far_behind_is_refused),
        cmocka_unit_test(those_before_the_start_are_refused),
        cmocka_unit_test(none_is_taken_twice),
        cmocka_unit_test(the_dead_make_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
