/* Sound between the clocks of a call and of a device. */
#include "ahoy/bridge.h"

#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "libahoy/media/tone.h"

static struct phone_ring ring;

static void test_ring_wraps(void **state)
{
    (void)state;
    static int16_t samples[PHONE_RING_SAMPLES];
    ring = (struct phone_ring){ 0 };
    atomic_store(&ring.written, UINT32_MAX - 99); /* Counts wrap, and places do. */
    atomic_store(&ring.read, UINT32_MAX - 99);
    for (int i = 0; i < 300; i++)
        samples[i] = (int16_t)(i + 1);
    assert_int_equal(phone_ring_put(&ring, samples, 300), 300);
    assert_int_equal(phone_ring_count(&ring), 300);
    assert_int_equal(phone_ring_peek(&ring, samples + 1000, 250), 250);
    assert_int_equal(samples[1249], 250);
    phone_ring_skip(&ring, 200);
    assert_int_equal(phone_ring_take(&ring, samples + 1000, 500), 100);
    assert_int_equal(samples[1000], 201);
    assert_int_equal(samples[1099], 300);
    assert_int_equal(phone_ring_put(&ring, NULL, PHONE_RING_SAMPLES + 1), PHONE_RING_SAMPLES);
    assert_int_equal(phone_ring_put(&ring, samples, 1), 0);
    assert_int_equal(phone_ring_take(&ring, samples, PHONE_RING_SAMPLES), PHONE_RING_SAMPLES);
    assert_int_equal(samples[0], 0);
}

enum { PASSED = 10 * PHONE_RING_SAMPLES };

static void *put_all(void *context)
{
    struct phone_ring *shared = context;
    int16_t samples[77];
    for (uint32_t next = 0; next < PASSED;) {
        for (uint32_t i = 0; i < 77; i++)
            samples[i] = (int16_t)(next + i);
        next += (uint32_t)phone_ring_put(shared, samples, PASSED - next < 77 ? PASSED - next : 77);
    }
    return NULL;
}

static void test_ring_between_threads(void **state)
{
    (void)state;
    pthread_t thread;
    int16_t samples[101];
    uint32_t next = 0;
    ring = (struct phone_ring){ 0 };
    assert_int_equal(pthread_create(&thread, NULL, put_all, &ring), 0);
    while (next < PASSED) {
        size_t count = phone_ring_take(&ring, samples, 101);
        for (size_t i = 0; i < count; i++, next++)
            assert_int_equal(samples[i], (int16_t)next);
    }
    pthread_join(thread, NULL);
    assert_int_equal(phone_ring_count(&ring), 0);
}

/* A device whose clock is off by |off|, and which takes or gives |burst| samples at once. */
struct clock {
    uint32_t device_hz, call_hz;
    size_t burst;
    double off, owed;
};

enum { FRAMES = 50 * 60, LATE = FRAMES / 2 };

/* The level of the second half of a minute that is played; |most| is the most that waits then. */
static double play(struct clock clock, double hz, size_t *most, uint64_t *gaps)
{
    static int16_t taken[8192];
    int16_t frame[320];
    double power = 0, count = 0;
    struct ahoy_tone tone;
    ring = (struct phone_ring){ 0 };
    *most = 0;
    ahoy_tone_init(&tone, hz, -10, clock.call_hz);
    struct phone_bridge *bridge = phone_bridge_to(clock.call_hz, clock.device_hz);
    for (int i = 0; i < FRAMES; i++) {
        ahoy_tone_next(&tone, frame, clock.call_hz / 50);
        phone_bridge_play(bridge, &ring, clock.burst, frame, clock.call_hz / 50);
        if (i > LATE && phone_ring_count(&ring) > *most)
            *most = phone_ring_count(&ring);
        clock.owed += clock.device_hz / 50.0 * (1 + clock.off);
        for (; clock.owed >= (double)clock.burst; clock.owed -= (double)clock.burst) {
            size_t got = phone_ring_take(&ring, taken, clock.burst);
            if (i < LATE)
                continue;
            power += pow(10, ahoy_level_dbov(taken, got) / 10) * (double)got;
            count += (double)clock.burst;
        }
    }
    *gaps = phone_bridge_gaps(bridge);
    phone_bridge_free(bridge);
    return 10 * log10(power / count);
}

/* The same, from the device. */
static double take(struct clock clock, double hz, size_t *most, uint64_t *gaps, double *heard_hz)
{
    static int16_t given[8192];
    int16_t frame[320];
    struct ahoy_tone tone;
    static struct ahoy_tone_meter meter;
    double level, power = 0, count = 0;
    ring = (struct phone_ring){ 0 };
    *most = 0;
    ahoy_tone_init(&tone, hz, -10, clock.device_hz);
    ahoy_tone_meter_init(&meter, clock.call_hz);
    struct phone_bridge *bridge = phone_bridge_from(clock.device_hz, clock.call_hz);
    for (int i = 0; i < FRAMES; i++) {
        clock.owed += clock.device_hz / 50.0 * (1 + clock.off);
        for (; clock.owed >= (double)clock.burst; clock.owed -= (double)clock.burst) {
            ahoy_tone_next(&tone, given, clock.burst);
            phone_ring_put(&ring, given, clock.burst);
        }
        if (i > LATE && phone_ring_count(&ring) > *most)
            *most = phone_ring_count(&ring);
        phone_bridge_take(bridge, &ring, clock.burst, frame, clock.call_hz / 50);
        if (i < LATE)
            continue;
        ahoy_tone_meter_take(&meter, frame, clock.call_hz / 50);
        power += pow(10, ahoy_level_dbov(frame, clock.call_hz / 50) / 10);
        count++;
    }
    *gaps = phone_bridge_gaps(bridge);
    phone_bridge_free(bridge);
    if (!ahoy_tone_meter_read(&meter, heard_hz, &level))
        *heard_hz = 0;
    return 10 * log10(power / count);
}

static const struct clock clocks[] = {
    { 48000, 8000, 480, 0, 0 },       { 48000, 16000, 960, 0.0005, 0 },
    { 44100, 16000, 441, -0.0005, 0 }, { 44100, 8000, 1024, 0.001, 0 },
    { 96000, 8000, 512, -0.001, 0 },  { 16000, 8000, 160, 0.0002, 0 },
    { 8000, 16000, 160, -0.0002, 0 }, { 192000, 16000, 4096, 0, 0 },
};

/* A tone keeps its level and frequency, nothing is ever dropped, and what waits stays little. */
static void test_clocks(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof clocks / sizeof clocks[0]; i++) {
        size_t most, bound;
        uint64_t gaps;
        double hz, level = play(clocks[i], 1000, &most, &gaps);
        print_message("%u Hz to %u Hz, %+.4f:", clocks[i].call_hz, clocks[i].device_hz,
                      clocks[i].off);
        print_message(" %.2f dBov, %zu, %llu", level, most, (unsigned long long)gaps);
        bound = clocks[i].burst * 2 + clocks[i].device_hz * 55 / 1000;
        assert_true(fabs(level + 10) < 1);
        assert_int_equal(gaps, 0);
        assert_true(most < bound);
        level = take(clocks[i], 1000, &most, &gaps, &hz);
        print_message("; back %.2f dBov, %zu, %.1f Hz, %llu\n", level, most, hz,
                      (unsigned long long)gaps);
        assert_true(fabs(level + 10) < 1);
        assert_true(fabs(hz - 1000) < 5);
        assert_int_equal(gaps, 0);
        assert_true(most < bound);
    }
}

/* What the call's rate has no room for comes through 40 dB weaker at least, wherever it would be
 * heard. */
static void test_aliases(void **state)
{
    (void)state;
    static const double above[] = { 4700, 5000, 6000, 7000, 8500, 11000, 15000, 20000 };
    for (size_t i = 0; i < sizeof above / sizeof above[0]; i++) {
        size_t most;
        uint64_t gaps;
        double hz, level = take((struct clock){ 48000, 8000, 480, 0.0003, 0 }, above[i], &most,
                                &gaps, &hz);
        print_message("%.0f Hz: %.1f dBov\n", above[i], level);
        assert_true(level < -50);
    }
}

/* A device that stops for a while is followed by silence, not by what was kept. */
static void test_gaps(void **state)
{
    (void)state;
    static int16_t samples[48000];
    int16_t frame[160] = { 0 };
    ring = (struct phone_ring){ 0 };
    struct phone_bridge *out = phone_bridge_to(8000, 48000);
    for (int i = 0; i < 100; i++)
        phone_bridge_play(out, &ring, 480, frame, 160);
    assert_true(phone_ring_count(&ring) <= 480 + 960 + 48 * (PHONE_BRIDGE_MARGIN_MS +
                                                            PHONE_BRIDGE_SLACK_MS));
    assert_true(phone_bridge_gaps(out) > 80);
    phone_ring_skip(&ring, phone_ring_count(&ring));
    uint64_t before = phone_bridge_gaps(out);
    phone_bridge_play(out, &ring, 480, frame, 160);
    assert_int_equal(phone_bridge_gaps(out), before + 1);
    assert_true(phone_ring_count(&ring) >= 480 + 48 * PHONE_BRIDGE_MARGIN_MS);
    phone_bridge_free(out);

    ring = (struct phone_ring){ 0 };
    struct phone_bridge *in = phone_bridge_from(48000, 8000);
    samples[0] = 1;
    frame[0] = 1;
    phone_bridge_take(in, &ring, 480, frame, 160);
    assert_int_equal(frame[0], 0);
    assert_int_equal(phone_bridge_gaps(in), 0); /* It has not begun. */
    phone_ring_put(&ring, samples, 48000);
    phone_bridge_take(in, &ring, 480, frame, 160);
    assert_true(phone_ring_count(&ring) < 480 + 48 * PHONE_BRIDGE_MARGIN_MS + 100);
    phone_ring_skip(&ring, phone_ring_count(&ring));
    phone_bridge_take(in, &ring, 480, frame, 160);
    assert_int_equal(phone_bridge_gaps(in), 1);
    phone_bridge_free(in);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ring_wraps), cmocka_unit_test(test_ring_between_threads),
        cmocka_unit_test(test_clocks), cmocka_unit_test(test_aliases), cmocka_unit_test(test_gaps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
