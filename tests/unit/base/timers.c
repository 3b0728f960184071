/* The wheel against a plain list: the same timers, in the same order, at the same time, whatever
 * was set, cancelled or set anew, and however far time jumps. */
#include "libahoy/base/timers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "libahoy/base/rng.h"

enum { MOST = 400 };

/* What the wheel promises, done the slow way. */
struct model {
    struct ahoy_timers wheel;
    struct ahoy_timer timers[MOST];
    uint64_t deadlines[MOST];
    uint64_t turns[MOST]; /* When each was set, counted; 0 for not set. */
    uint64_t turn;
    uint64_t now_ms;
    uint64_t count;
};

static void begin(struct model *model, uint64_t now_ms)
{
    memset(model, 0, sizeof *model);
    model->now_ms = now_ms;
    ahoy_timers_init(&model->wheel, now_ms);
    for (uint32_t i = 0; i < MOST; i++)
        model->timers[i].which = i;
}

static void set(struct model *model, uint32_t which, uint64_t deadline_ms)
{
    ahoy_timers_set(&model->wheel, &model->timers[which], deadline_ms);
    model->count += model->turns[which] == 0;
    model->deadlines[which] = deadline_ms;
    model->turns[which] = ++model->turn;
}

static void cancel(struct model *model, uint32_t which)
{
    ahoy_timers_cancel(&model->wheel, &model->timers[which]);
    model->count -= model->turns[which] != 0;
    model->turns[which] = 0;
}

/* The first of those that are set: the earliest deadline, of these the first that was set.  MOST
 * where there is none. */
static uint32_t first(const struct model *model)
{
    uint32_t best = MOST;
    for (uint32_t i = 0; i < MOST; i++) {
        if (model->turns[i] == 0)
            continue;
        if (best == MOST || model->deadlines[i] < model->deadlines[best] ||
            (model->deadlines[i] == model->deadlines[best] && model->turns[i] < model->turns[best]))
            best = i;
    }
    return best;
}

static void check(const struct model *model)
{
    uint32_t best = first(model);
    uint64_t deadline_ms = ahoy_timers_deadline(&model->wheel);
    assert_true(model->wheel.count == model->count);
    if (best == MOST)
        assert_true(deadline_ms == UINT64_MAX);
    else
        assert_true(deadline_ms <= model->deadlines[best]);
    for (uint32_t i = 0; i < MOST; i++)
        assert_int_equal(ahoy_timer_is_set(&model->timers[i]), model->turns[i] != 0);
}

/* Asks once; returns whether a timer came. */
static bool expire(struct model *model)
{
    uint32_t best = first(model);
    const struct ahoy_timer *timer = ahoy_timers_expire(&model->wheel, model->now_ms);
    if (best == MOST || model->deadlines[best] > model->now_ms) {
        assert_null(timer);
        return false;
    }
    assert_non_null(timer);
    assert_false(ahoy_timer_is_set(timer));
    assert_int_equal(timer->which, best);
    assert_true(timer->deadline_ms == model->deadlines[best]);
    model->turns[best] = 0;
    model->count--;
    return true;
}

/* Near, far, of one millisecond, past, at the edges of slots, beyond all levels. */
static uint64_t some_deadline(const struct model *model, struct ahoy_rng *rng)
{
    uint64_t now_ms = model->now_ms;
    uint64_t bits = ahoy_rng_below(rng, 45);
    switch (ahoy_rng_below(rng, 8)) {
    case 0:
        return now_ms + ahoy_rng_below(rng, 3);
    case 1:
        return now_ms - ahoy_rng_below(rng, now_ms < 200 ? now_ms + 1 : 200);
    case 2:
        return now_ms + 500;
    case 3: /* The edge of a slot, a millisecond before or behind it. */
        return (((now_ms >> bits) + 1) << bits) - 1 + ahoy_rng_below(rng, 3);
    case 4: /* A deadline that is set already. */
        return model->deadlines[ahoy_rng_below(rng, MOST)];
    case 5:
        return ahoy_rng_below(rng, 50) == 0 ? UINT64_MAX - ahoy_rng_below(rng, 2) : now_ms + 32000;
    default:
        return now_ms + ahoy_rng_below(rng, UINT64_C(1) << bits);
    }
}

static uint64_t some_jump(const struct model *model, struct ahoy_rng *rng)
{
    uint64_t deadline_ms = ahoy_timers_deadline(&model->wheel);
    switch (ahoy_rng_below(rng, 6)) {
    case 0:
        return model->now_ms;
    case 1:
        return model->now_ms + ahoy_rng_below(rng, 100);
    case 2: /* Just when the wheel asked for it, as a loop does. */
    case 3:
        return deadline_ms == UINT64_MAX || deadline_ms < model->now_ms ? model->now_ms
                                                                        : deadline_ms;
    default:
        return model->now_ms + ahoy_rng_below(rng, UINT64_C(1) << ahoy_rng_below(rng, 43));
    }
}

static void act(struct model *model, struct ahoy_rng *rng)
{
    uint64_t what = ahoy_rng_below(rng, 100);
    uint32_t which = (uint32_t)ahoy_rng_below(rng, MOST);
    if (what < 55) {
        set(model, which, some_deadline(model, rng));
    } else if (what < 70) {
        cancel(model, which);
    } else if (what < 85) {
        /* Only some of those that are due, so that more are set while the rest waits. */
        for (uint64_t left = ahoy_rng_below(rng, 8); left > 0 && expire(model);)
            left--;
    } else {
        while (expire(model))
            continue;
        model->now_ms = some_jump(model, rng);
    }
}

static void run(uint64_t seed, uint64_t start_ms)
{
    static struct model model;
    struct ahoy_rng rng;
    ahoy_rng_init(&rng, (const uint64_t[2]){ seed, 5 });
    begin(&model, start_ms);
    for (int i = 0; i < 6000; i++) {
        act(&model, &rng);
        if (i % 16 == 0)
            check(&model);
    }
    /* As a loop would go on, and then to the end of time at once. */
    for (int i = 0; model.count > 0; i++) {
        uint64_t deadline_ms = ahoy_timers_deadline(&model.wheel);
        if (deadline_ms > model.now_ms)
            model.now_ms = i < 1000 ? deadline_ms : UINT64_MAX;
        while (expire(&model))
            continue;
    }
    check(&model);
}

static void test_against_a_list(void **state)
{
    (void)state;
    static const uint64_t starts_ms[] = { 0, 1, 4095, 1700000000000, (UINT64_C(1) << 36) - 2000 };
    for (uint64_t seed = 1; seed <= 20; seed++)
        run(seed, starts_ms[seed % 5]);
}

/* Two timers of one millisecond that reach it from different levels, and one that was set when it
 * was near: in the order in which they were set. */
static void test_order_within_a_millisecond(void **state)
{
    (void)state;
    static struct model model;
    for (uint64_t deadline_ms = 1; deadline_ms < UINT64_C(1) << 40;
         deadline_ms = deadline_ms * 3 + 1) {
        begin(&model, 0);
        uint32_t which = 0;
        for (uint64_t left_ms = deadline_ms; left_ms > 0; left_ms /= 5) {
            set(&model, which++, deadline_ms);
            set(&model, which++, deadline_ms);
            model.now_ms = deadline_ms - left_ms / 5;
            if (left_ms / 5 > 0)
                assert_false(expire(&model));
        }
        model.now_ms = deadline_ms;
        for (uint32_t i = 0; i < which; i++)
            assert_true(expire(&model));
        assert_false(expire(&model));
    }
}

static void test_past_deadlines_are_due_at_once_and_in_order(void **state)
{
    (void)state;
    static struct model model;
    begin(&model, 1000);
    static const uint64_t deadlines_ms[] = { 1000, 5, 999, 0, 5, 1001, 1000, 0, 7, 5, 1000 };
    for (uint32_t i = 0; i < 11; i++)
        set(&model, i, deadlines_ms[i]);
    assert_true(ahoy_timers_deadline(&model.wheel) <= 1000);
    assert_true(expire(&model));
    cancel(&model, 2);
    set(&model, 20, 0);
    set(&model, 21, 6);
    cancel(&model, 21);
    set(&model, 22, 6);
    for (int i = 0; i < 10; i++)
        assert_true(expire(&model));
    assert_false(expire(&model));
    assert_int_equal(model.count, 1);
}

/* A timer that is set from another's handling for the same time comes in the same turn, behind
 * those that were waiting. */
static void test_set_while_handing_out(void **state)
{
    (void)state;
    static struct model model;
    begin(&model, 0);
    set(&model, 0, 50);
    set(&model, 1, 50);
    set(&model, 2, 60);
    model.now_ms = 100;
    assert_true(expire(&model));
    set(&model, 3, 50);
    set(&model, 4, 100);
    set(&model, 5, 40);
    set(&model, 6, 101);
    for (int i = 0; i < 5; i++)
        assert_true(expire(&model));
    assert_false(expire(&model));
}

/* Decades in one step, with timers in every slot of every level. */
static void test_jump_over_everything(void **state)
{
    (void)state;
    static struct model model;
    begin(&model, 12345);
    uint32_t which = 0;
    for (unsigned bits = 0; bits < 64; bits++) {
        for (uint64_t step = 1; step < 6 && which < MOST; step++)
            set(&model, which++, 12345 + step * (UINT64_C(1) << bits) / 2);
    }
    model.now_ms = UINT64_C(1) << 42;
    while (expire(&model))
        continue;
    assert_true(model.count > 0);
    /* The rest is due 2^21 times the reach of the last level later. */
    set(&model, 0, UINT64_MAX);
    model.now_ms = UINT64_MAX - 1;
    while (expire(&model))
        continue;
    assert_true(ahoy_timer_is_set(&model.timers[0]));
    model.now_ms = UINT64_MAX;
    while (expire(&model))
        continue;
    assert_int_equal(model.count, 0);
}

static void test_time_going_back_changes_nothing(void **state)
{
    (void)state;
    struct ahoy_timers wheel;
    struct ahoy_timer early = { 0 };
    struct ahoy_timer late = { 0 };
    ahoy_timers_init(&wheel, 1000);
    assert_null(ahoy_timers_expire(&wheel, 5000));
    ahoy_timers_set(&wheel, &early, 4000);
    ahoy_timers_set(&wheel, &late, 6000);
    /* The clock stood at 5000 already, so what was set for 4000 is due. */
    assert_ptr_equal(ahoy_timers_expire(&wheel, 10), &early);
    assert_null(ahoy_timers_expire(&wheel, 10));
    assert_null(ahoy_timers_expire(&wheel, 5999));
    assert_null(ahoy_timers_expire(&wheel, 10));
    ahoy_timers_set(&wheel, &early, 5999);
    assert_ptr_equal(ahoy_timers_expire(&wheel, 10), &early);
    assert_ptr_equal(ahoy_timers_expire(&wheel, 6000), &late);
}

/* Setting anew moves a timer both ways, and cancelling twice is harmless. */
static void test_set_anew_and_cancel(void **state)
{
    (void)state;
    struct ahoy_timers wheel;
    struct ahoy_timer timer = { .what = 7, .which = 9 };
    ahoy_timers_init(&wheel, 0);
    ahoy_timers_cancel(&wheel, &timer);
    assert_false(ahoy_timer_is_set(&timer));
    ahoy_timers_set(&wheel, &timer, 100);
    ahoy_timers_set(&wheel, &timer, 100000);
    assert_int_equal(wheel.count, 1);
    assert_null(ahoy_timers_expire(&wheel, 99999));
    ahoy_timers_set(&wheel, &timer, 100001);
    ahoy_timers_set(&wheel, &timer, 0);
    assert_ptr_equal(ahoy_timers_expire(&wheel, 99999), &timer);
    assert_int_equal(timer.what, 7);
    assert_int_equal(timer.which, 9);
    ahoy_timers_set(&wheel, &timer, 200000);
    ahoy_timers_cancel(&wheel, &timer);
    ahoy_timers_cancel(&wheel, &timer);
    assert_int_equal(wheel.count, 0);
    assert_true(ahoy_timers_deadline(&wheel) == UINT64_MAX);
    assert_null(ahoy_timers_expire(&wheel, UINT64_MAX));
}

/* What has been set for 32 s all along moves by blocks of 256 ms, whatever the time is: to move all
 * of it would keep everybody waiting. */
static void test_no_step_moves_more_than_a_block(void **state)
{
    (void)state;
    enum { BLOCK_MS = 256, EVERY_MS = 8, WAITING = 4000, DELAY_MS = WAITING * EVERY_MS };
    static struct ahoy_timers wheel;
    static struct ahoy_timer timers[WAITING + 1];
    static struct ahoy_timer_link before[WAITING + 1];
    memset(timers, 0, sizeof timers);
    ahoy_timers_init(&wheel, 0);
    for (uint64_t now_ms = 0; now_ms < 140000; now_ms += EVERY_MS) {
        bool is_looked_at = now_ms % BLOCK_MS == 0;
        for (size_t i = 0; is_looked_at && i <= WAITING; i++)
            before[i] = timers[i].link;
        assert_true((ahoy_timers_expire(&wheel, now_ms) != NULL) == (now_ms >= DELAY_MS));
        unsigned moved = 0;
        for (size_t i = 0; is_looked_at && i <= WAITING; i++)
            moved += memcmp(&before[i], &timers[i].link, sizeof before[i]) != 0;
        assert_true(moved <= BLOCK_MS / EVERY_MS + 4); /* And their neighbours. */
        assert_null(ahoy_timers_expire(&wheel, now_ms));
        ahoy_timers_set(&wheel, &timers[now_ms / EVERY_MS % (WAITING + 1)], now_ms + DELAY_MS);
    }
}

/* Whoever sleeps until the deadline is woken a few times at most before a timer is due. */
static void test_few_wakings(void **state)
{
    (void)state;
    for (uint64_t delay_ms = 1; delay_ms < UINT64_C(1) << 36; delay_ms = delay_ms * 7 + 3) {
        struct ahoy_timers wheel;
        struct ahoy_timer timer = { 0 };
        uint64_t now_ms = 1700000000123;
        int wakings = 0;
        ahoy_timers_init(&wheel, now_ms);
        ahoy_timers_set(&wheel, &timer, now_ms + delay_ms);
        while (ahoy_timer_is_set(&timer)) {
            uint64_t next_ms = ahoy_timers_deadline(&wheel);
            assert_true(next_ms > now_ms);
            now_ms = next_ms;
            ahoy_timers_expire(&wheel, now_ms);
            wakings++;
        }
        assert_true(now_ms == 1700000000123 + delay_ms);
        assert_in_range(wakings, 1, AHOY_WHEEL_LEVELS + 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_a_list),
        cmocka_unit_test(test_order_within_a_millisecond),
        cmocka_unit_test(test_past_deadlines_are_due_at_once_and_in_order),
        cmocka_unit_test(test_set_while_handing_out),
        cmocka_unit_test(test_jump_over_everything),
        cmocka_unit_test(test_time_going_back_changes_nothing),
        cmocka_unit_test(test_set_anew_and_cancel),
        cmocka_unit_test(test_no_step_moves_more_than_a_block),
        cmocka_unit_test(test_few_wakings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
