/* Overload control alone: a server with a queue, a tenth of a processor and more calls than it can
 * serve, in virtual time. */
#include "libahoy/tu/overload.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

enum {
    TARGET_MS = 50,
    QUEUE_LIMIT = 8192,
    /* A call is its INVITE and five messages that follow from it; microseconds of work each. */
    INVITE_US = 20,
    FOLLOWER_US = 8,
    FOLLOWERS = 5,
    CALL_US = INVITE_US + FOLLOWERS * FOLLOWER_US,
    REFUSAL_US = 2,
    SHARE = 10, /* Of a processor: one in so many milliseconds is the server's. */
    CAPACITY = 1000000 / SHARE / CALL_US /* Calls a second. */
};

struct waiting {
    uint64_t since_us;
    unsigned left; /* Messages that follow; FOLLOWERS: an INVITE. */
};

struct rig {
    struct ahoy_overload overload;
    uint64_t now_us;
    unsigned rate;      /* Calls a second that arrive. */
    unsigned period_ms; /* The server has a SHARE of each, at its beginning. */
    unsigned owed;      /* Thousandths of a call that will have arrived. */
    size_t room;        /* What the queue holds. */
    bool lost;
    struct waiting queue[QUEUE_LIMIT];
    size_t first, count;
    unsigned completed, refused;
    uint32_t wait_us; /* Of the message at hand. */
    bool holds_back;  /* All are neighbours that do as they are told. */
    unsigned debt;
    unsigned slowness;       /* The work takes so many times as long. */
    unsigned heard, unheard; /* Parts of a call that is (decision 177); calls that are not. */
};

static void put(struct rig *rig, unsigned left)
{
    if (rig->count >= rig->room) {
        rig->lost = true;
        return;
    }
    rig->queue[(rig->first + rig->count++) % QUEUE_LIMIT] = (struct waiting){ rig->now_us, left };
}

/* A millisecond's worth of callers. */
static void arrive(struct rig *rig)
{
    for (rig->owed += rig->rate; rig->owed >= 1000; rig->owed -= 1000) {
        rig->debt += rig->holds_back ? rig->overload.share : 0;
        if (rig->debt >= 100) {
            rig->debt -= 100;
            rig->refused++;
            continue;
        }
        rig->heard += rig->overload.heard;
        if (rig->heard < AHOY_OVERLOAD_ALL) {
            rig->unheard++;
            continue;
        }
        rig->heard -= AHOY_OVERLOAD_ALL;
        put(rig, FOLLOWERS);
    }
}

/* Serves one message and returns what that took. */
static unsigned serve(struct rig *rig)
{
    const struct waiting next = rig->queue[rig->first];
    rig->first = (rig->first + 1) % QUEUE_LIMIT;
    rig->count--;
    rig->wait_us = (uint32_t)(rig->now_us - next.since_us);
    (void)ahoy_overload_waited(&rig->overload, 0, rig->wait_us, rig->lost, rig->now_us / 1000);
    rig->lost = false;
    bool is_new = next.left == FOLLOWERS;
    enum ahoy_urgency urgency = is_new ? AHOY_URGENCY_NEW : AHOY_URGENCY_KEPT;
    if (!ahoy_overload_admits(&rig->overload, urgency, rig->holds_back)) {
        rig->refused++;
        return REFUSAL_US;
    }
    if (next.left > 0)
        put(rig, next.left - 1);
    else
        rig->completed++;
    return is_new ? INVITE_US : FOLLOWER_US;
}

/* The queue moves on for |ms|; returns the calls that were completed in it. */
static unsigned run(struct rig *rig, unsigned rate, unsigned ms)
{
    unsigned before = rig->completed;
    rig->rate = rate;
    for (unsigned i = 0; i < ms; i++) {
        arrive(rig);
        uint64_t end_us = rig->now_us + 1000;
        bool is_its_turn = rig->now_us / 1000 % rig->period_ms < rig->period_ms / SHARE;
        while (is_its_turn && rig->count > 0 && rig->now_us < end_us)
            rig->now_us += rig->slowness * serve(rig);
        if (rig->now_us < end_us)
            rig->now_us = end_us;
    }
    return rig->completed - before;
}

static struct rig *open_rig(unsigned target_ms, unsigned period_ms)
{
    struct rig *rig = calloc(1, sizeof *rig);
    assert_non_null(rig);
    rig->period_ms = period_ms;
    rig->room = QUEUE_LIMIT;
    rig->slowness = 1;
    ahoy_overload_init(&rig->overload, target_ms, 0);
    return rig;
}

/* Below its capacity nobody is refused, however the processor is shared out. */
static void nobody_is_refused_without_need(void **state)
{
    (void)state;
    const unsigned periods[] = { 10, 100 };
    for (size_t i = 0; i < 2; i++) {
        struct rig *rig = open_rig(TARGET_MS, periods[i]);
        run(rig, CAPACITY * 9 / 10, 20000);
        assert_int_equal(rig->refused, 0);
        assert_false(ahoy_overload_binds(&rig->overload));
        free(rig);
    }
}

/* Twice the load, and three times: nearly all of the capacity is calls that come about. */
static void the_goodput_stays_at_its_peak(void **state)
{
    (void)state;
    const unsigned periods[] = { 10, 100 };
    for (size_t i = 0; i < 2; i++) {
        struct rig *rig = open_rig(TARGET_MS, periods[i]);
        run(rig, CAPACITY * 2, 3000);
        unsigned refusals = CAPACITY * REFUSAL_US / CALL_US;
        assert_in_range(run(rig, CAPACITY * 2, 10000), (CAPACITY - refusals) * 97 / 10,
                        CAPACITY * 10);
        run(rig, CAPACITY * 3, 1000);
        assert_in_range(run(rig, CAPACITY * 3, 10000), (CAPACITY - 2 * refusals) * 97 / 10,
                        CAPACITY * 10);
        free(rig);
    }
}

/* It does not flap: once it has settled, what is managed a second, and the wait, stay what they
 * are. */
static void the_rate_does_not_flap(void **state)
{
    (void)state;
    struct rig *rig = open_rig(TARGET_MS, 10);
    run(rig, CAPACITY * 2, 4000);
    for (unsigned i = 0; i < 10; i++) {
        unsigned managed = run(rig, CAPACITY * 2, 1000);
        assert_in_range(managed, CAPACITY * 90 / 100, CAPACITY * 102 / 100);
        assert_in_range(rig->wait_us, TARGET_MS * 500, TARGET_MS * 1500);
    }
    free(rig);
}

/* Others use the machine for a while; when they have done, the rate is soon as before, and not far
 * above that, which would be felt as a wait. */
static void a_slow_while_is_left_behind(void **state)
{
    (void)state;
    struct rig *rig = open_rig(TARGET_MS, 10);
    run(rig, CAPACITY * 2, 5000);
    rig->slowness = 4;
    run(rig, CAPACITY * 2, 2000);
    rig->slowness = 1;
    for (unsigned i = 0; i < 15; i++) {
        run(rig, CAPACITY * 2, AHOY_OVERLOAD_INTERVAL_MS);
        assert_in_range(rig->wait_us, 0, TARGET_MS * 1500);
        assert_true(rig->overload.gates[AHOY_URGENCY_NEW].rate > CAPACITY * 3 / 4);
    }
    free(rig);
}

/* A rate that refuses nobody needs not grow: it would mean nothing when it is needed again. */
static void what_is_not_needed_does_not_grow(void **state)
{
    (void)state;
    struct rig *rig = open_rig(TARGET_MS, 10);
    run(rig, CAPACITY * 2, 5000);
    run(rig, CAPACITY / 2, 1900);
    assert_true(ahoy_overload_binds(&rig->overload));
    assert_in_range(rig->overload.gates[AHOY_URGENCY_NEW].rate, CAPACITY / 2, CAPACITY * 5 / 4);
    assert_in_range(rig->overload.gates[AHOY_URGENCY_NEW].best, CAPACITY / 2, CAPACITY * 5 / 4);
    free(rig);
}

/* Of what was served some belongs to calls that were let in before: an interval in which hardly any
 * was says little about what a call needs. */
static void what_a_call_needs_is_an_average(void **state)
{
    (void)state;
    struct ahoy_overload overload;
    ahoy_overload_init(&overload, TARGET_MS, 0);
    for (unsigned i = 0; i < 100; i++) {
        (void)ahoy_overload_waited(&overload, 0, 0, false, i * AHOY_OVERLOAD_INTERVAL_MS);
        for (unsigned n = 0; n < (i % 2 == 0 ? 10 : 190); n++)
            (void)ahoy_overload_admits(&overload, AHOY_URGENCY_NEW, false);
        for (unsigned n = 0; n < 500; n++)
            ahoy_overload_serves(&overload);
    }
    assert_in_range(overload.needed / 256, 5, 6);
}

/* Without it the queue is all that grows. */
static void off_is_off(void **state)
{
    (void)state;
    struct rig *rig = open_rig(0, 10);
    run(rig, CAPACITY * 2, 4000);
    assert_int_equal(rig->refused, 0);
    assert_true(rig->wait_us > 4 * TARGET_MS * 1000);
    free(rig);
}

/* When the load is gone, so is every refusal, within five seconds. */
static void it_recovers(void **state)
{
    (void)state;
    struct rig *rig = open_rig(TARGET_MS, 100);
    run(rig, CAPACITY * 10, 10000);
    run(rig, CAPACITY * 8 / 10, 5000);
    unsigned refused = rig->refused;
    unsigned completed = run(rig, CAPACITY * 8 / 10, 5000);
    assert_int_equal(rig->refused, refused);
    assert_in_range(completed, CAPACITY * 4 - CAPACITY / 10, CAPACITY * 4 + CAPACITY / 10);
    assert_false(ahoy_overload_binds(&rig->overload));
    free(rig);
}

/* A queue too short for the target overflows before anybody waits: that counts too. */
static void what_is_lost_counts_as_waiting(void **state)
{
    (void)state;
    struct rig *rig = open_rig(TARGET_MS, 10);
    rig->room = 100;
    run(rig, CAPACITY * 2, 4000);
    unsigned completed = run(rig, CAPACITY * 2, 10000);
    assert_in_range(completed, CAPACITY * 85 / 10, CAPACITY * 10);
    assert_true(rig->refused + rig->unheard > CAPACITY * 5);
    free(rig);
}

/* R7339-5.3-1, R7339-7.1-1: neighbours are asked for the part that is too much, though they are
 * seen only after they have held it back, and none is left to be refused. */
static void neighbours_are_told_how_much(void **state)
{
    (void)state;
    struct rig *rig = open_rig(TARGET_MS, 10);
    rig->holds_back = true;
    run(rig, CAPACITY * 2, 5000);
    assert_in_range(rig->overload.share, 40, 60);
    /* An INVITE is one message of six that come, and stands for all of them. */
    assert_in_range(rig->overload.loss, 1, rig->overload.share);
    unsigned completed = run(rig, CAPACITY * 2, 10000);
    assert_in_range(completed, CAPACITY * 93 / 10, CAPACITY * 105 / 10);
    run(rig, CAPACITY / 2, 5000);
    assert_int_equal(rig->overload.share, 0);
    assert_int_equal(rig->overload.loss, 0);
    run(rig, CAPACITY * 100, 5000);
    assert_in_range(rig->overload.loss, 0, AHOY_OVERLOAD_LOSS_LIMIT);
    free(rig);
}

/* New calls suffer first; what stands does when that does not help. */
static void what_stands_suffers_last(void **state)
{
    (void)state;
    struct ahoy_overload overload;
    uint64_t now_ms = 0;
    ahoy_overload_init(&overload, TARGET_MS, now_ms);
    unsigned refused[AHOY_URGENCY_COUNT] = { 0 };
    const uint32_t waits_ms[] = { 2 * TARGET_MS, 8 * TARGET_MS };
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < 3000; i++, now_ms++) {
            (void)ahoy_overload_waited(&overload, 0, waits_ms[round] * 1000, false, now_ms);
            for (unsigned urgency = 0; urgency < AHOY_URGENCY_COUNT; urgency++)
                refused[urgency] +=
                    !ahoy_overload_admits(&overload, (enum ahoy_urgency)urgency, false);
        }
        assert_true(refused[AHOY_URGENCY_NEW] > 1000);
        if (round == 0)
            assert_int_equal(refused[AHOY_URGENCY_KEPT], 0);
    }
    assert_true(refused[AHOY_URGENCY_KEPT] > 1000);
}

/* After a pause nothing is held against those who come, and time that stands still is no fault. */
static void a_pause_forgets(void **state)
{
    (void)state;
    struct ahoy_overload overload;
    ahoy_overload_init(&overload, TARGET_MS, 1000);
    for (unsigned i = 0; i < 2000; i++)
        (void)ahoy_overload_waited(&overload, 0, UINT32_MAX, true, 1000 + i);
    assert_true(ahoy_overload_binds(&overload));
    (void)ahoy_overload_waited(&overload, 0, UINT32_MAX, true, 1000000);
    assert_false(ahoy_overload_binds(&overload));
    (void)ahoy_overload_waited(&overload, 0, 0, false, 999999);
    assert_true(ahoy_overload_admits(&overload, AHOY_URGENCY_NEW, false));
}

/* Whether new requests are refused after 2 s in which one queue is empty each millisecond and from
 * another a message is read every |every_ms|, after a long wait. */
static bool is_bound(unsigned every_ms)
{
    struct ahoy_overload overload;
    ahoy_overload_init(&overload, TARGET_MS, 0);
    for (unsigned ms = 0; ms < 2000; ms++) {
        (void)ahoy_overload_waited(&overload, 0, 0, false, ms);
        if (ms % every_ms == 0)
            (void)ahoy_overload_waited(&overload, 1, 2 * TARGET_MS * 1000, false, ms);
    }
    return ahoy_overload_binds(&overload);
}

/* Where all that comes to one listener waits, the others do not hide it.  A few messages say
 * nothing. */
static void no_queue_hides_another(void **state)
{
    (void)state;
    assert_true(is_bound(1));
    assert_true(is_bound(20));
    assert_false(is_bound(40));
}

/* Silence is no overload, and a rate that is far too low is soon left behind. */
static void a_rate_that_is_too_low_is_left(void **state)
{
    (void)state;
    struct rig *rig = open_rig(TARGET_MS, 10);
    for (unsigned ms = 0; ms < 4; ms++)
        (void)ahoy_overload_waited(&rig->overload, 0, 0, false, ms * 1000);
    assert_false(ahoy_overload_binds(&rig->overload));
    for (; rig->now_us < 10000000; rig->now_us += 100000) /* Somebody stops the process. */
        (void)ahoy_overload_waited(&rig->overload, 0, 90000, false, rig->now_us / 1000);
    assert_true(ahoy_overload_binds(&rig->overload));
    run(rig, CAPACITY * 8 / 10, 2500);
    unsigned refused = rig->refused;
    run(rig, CAPACITY * 8 / 10, 2500);
    assert_int_equal(rig->refused, refused);
    free(rig);
}

/* Where refusing is all that it could do, some still get through. */
static void some_get_through(void **state)
{
    (void)state;
    struct rig *rig = open_rig(TARGET_MS, 10);
    run(rig, CAPACITY * 2, 5000);
    run(rig, CAPACITY * 40, 5000);
    assert_in_range(rig->overload.gates[AHOY_URGENCY_NEW].rate, CAPACITY / 10, CAPACITY);
    free(rig);
}

/* RFC 3261 20.33: those who are refused come back one by one, and the more they are the later. */
static void callers_come_back_one_by_one(void **state)
{
    (void)state;
    struct ahoy_rng rng;
    ahoy_rng_init(&rng, (const uint64_t[2]){ 1, 2 });
    struct rig *rig = open_rig(TARGET_MS, 10);
    const unsigned loads[] = { 2, 20, 2 }, seconds[] = { 1, 5, 1 };
    const unsigned least[] = { 9, 35, 9 }, most[] = { 11, 41, 11 };
    for (size_t i = 0; i < 3; i++) {
        run(rig, CAPACITY / 2, 600000);
        run(rig, CAPACITY * loads[i], seconds[i] * 1000);
        unsigned sum = 0, first = ahoy_overload_retry_s(&rig->overload, &rng), same = 0;
        for (unsigned n = 0; n < 1000; n++) {
            unsigned retry_s = ahoy_overload_retry_s(&rig->overload, &rng);
            assert_in_range(retry_s, 1, most[i] * 2);
            sum += retry_s;
            same += retry_s == first;
        }
        assert_in_range(sum / 1000, least[i], most[i]);
        assert_true(same < 250);
    }
    free(rig);
}

/* Seconds that who is refused is asked to wait, on average. */
static unsigned mean_retry_s(const struct rig *rig)
{
    enum { MANY = 10000 };
    struct ahoy_rng rng;
    ahoy_rng_init(&rng, (const uint64_t[2]){ 1, 2 });
    unsigned sum = 0;
    for (unsigned n = 0; n < MANY; n++)
        sum += ahoy_overload_retry_s(&rig->overload, &rng);
    return sum / MANY;
}

/* Far too much comes for ever: they are asked to wait for as long as it has lasted, but for 40 s at
 * most while it is young, and for a minute at most.  What is calm for as long is forgotten, and no
 * longer than a minute is remembered. */
static void what_lasts_is_expected_to_last(void **state)
{
    (void)state;
    struct rig *rig = open_rig(TARGET_MS, 10);
    const struct {
        unsigned percent, seconds, least, most;
    } steps[] = {
        { 2000, 30, 38, 40 },    { 2000, 20, 48, 51 }, { 2000, 100, 59, 60 },
        { 50, 12, 0, UINT_MAX }, { 2000, 5, 52, 56 },  { 50, 62, 0, UINT_MAX },
        { 2000, 30, 38, 40 },
    };
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        run(rig, CAPACITY * steps[i].percent / 100, steps[i].seconds * 1000);
        assert_in_range(mean_retry_s(rig), steps[i].least, steps[i].most);
    }
    free(rig);
}

/* While the socket overflows less and less is heard, down to a part, and more and more afterwards.
 * Where nothing comes at all, perhaps as nothing is heard, everything is. */
static void what_overflows_is_not_heard(void **state)
{
    (void)state;
    struct ahoy_overload overload;
    ahoy_overload_init(&overload, TARGET_MS, 0);
    uint64_t ms = 0;
    unsigned last = AHOY_OVERLOAD_ALL;
    for (; ms < 10000; ms += AHOY_OVERLOAD_INTERVAL_MS) {
        (void)ahoy_overload_waited(&overload, 0, 0, true, ms);
        assert_in_range(overload.heard, 1, last);
        last = overload.heard;
    }
    assert_true(last < AHOY_OVERLOAD_ALL / 32);
    (void)ahoy_overload_waited(&overload, 0, 0, false, ms);
    (void)ahoy_overload_waited(&overload, 0, 0, false, ms += AHOY_OVERLOAD_INTERVAL_MS);
    assert_true(overload.heard > last && overload.heard < 2 * last);
    assert_int_equal(ahoy_overload_deadline(&overload), ms + AHOY_OVERLOAD_DEAF_MS);
    ahoy_overload_expire(&overload, ms + AHOY_OVERLOAD_DEAF_MS - 1);
    assert_true(overload.heard < 2 * last);
    ahoy_overload_expire(&overload, ms + AHOY_OVERLOAD_DEAF_MS);
    assert_int_equal(ahoy_overload_deadline(&overload), UINT64_MAX);
    assert_int_equal(overload.heard, AHOY_OVERLOAD_ALL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_is_refused_without_need),
        cmocka_unit_test(the_goodput_stays_at_its_peak),
        cmocka_unit_test(the_rate_does_not_flap),
        cmocka_unit_test(a_slow_while_is_left_behind),
        cmocka_unit_test(what_is_not_needed_does_not_grow),
        cmocka_unit_test(what_a_call_needs_is_an_average),
        cmocka_unit_test(off_is_off),
        cmocka_unit_test(it_recovers),
        cmocka_unit_test(what_is_lost_counts_as_waiting),
        cmocka_unit_test(neighbours_are_told_how_much),
        cmocka_unit_test(what_stands_suffers_last),
        cmocka_unit_test(a_pause_forgets),
        cmocka_unit_test(no_queue_hides_another),
        cmocka_unit_test(a_rate_that_is_too_low_is_left),
        cmocka_unit_test(some_get_through),
        cmocka_unit_test(callers_come_back_one_by_one),
        cmocka_unit_test(what_lasts_is_expected_to_last),
        cmocka_unit_test(what_overflows_is_not_heard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
