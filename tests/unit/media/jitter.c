/* The playout buffer, in virtual time: single cases, and a thousand networks. */
#include "libahoy/media/jitter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "libahoy/base/rng.h"

enum { PACKET_US = 20000, TICKS = 160 };

static struct ahoy_jitter jitter;

/* Packet |number| of a stream that begins at |sequence|, and says its number. */
static void put(unsigned number, uint16_t sequence, uint64_t now_us)
{
    struct ahoy_rtp rtp = { .sequence = (uint16_t)(sequence + number),
                            .timestamp = number * TICKS,
                            .payload = { (const char *)&number, sizeof number } };
    ahoy_jitter_put(&jitter, &rtp, false, now_us);
}

/* What is played: a number, or -1 for LOST, -2 for SILENCE. */
static int64_t get(uint64_t now_us)
{
    struct span payload;
    unsigned number;
    enum ahoy_jitter_frame frame = ahoy_jitter_get(&jitter, now_us, &payload);
    if (frame != AHOY_JITTER_PLAY)
        return frame == AHOY_JITTER_LOST ? -1 : -2;
    assert_int_equal(payload.size, sizeof number);
    memcpy(&number, payload.at, sizeof number);
    return number;
}

/* The number of the packet that repairs the one that is lost now, or -1. */
static int64_t peek(void)
{
    struct span payload = ahoy_jitter_peek(&jitter);
    unsigned number;
    if (payload.size == 0)
        return -1;
    memcpy(&number, payload.at, sizeof number);
    return number;
}

static int fresh(void **state)
{
    (void)state;
    memset(&jitter, 0, sizeof jitter);
    ahoy_jitter_init(&jitter, 8000);
    return 0;
}

/* Order is restored across the end of the sequence numbers; twice is once; what is missing is
 * concealed once a later one is there. */
static void order(void **state)
{
    (void)state;
    assert_int_equal(get(0), -2);
    put(1, 65534, 1000);
    put(0, 65534, 2000);
    put(1, 65534, 3000);
    put(4, 65534, 4000);
    put(3, 65534, 5000);
    assert_int_equal(jitter.counters.duplicates, 1);
    static const int64_t expected[] = { 0, 1, -1, 3, 4, -1 };
    static const int64_t behind[] = { 1, -1, 3, 4, -1, -1 };
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        assert_int_equal(get(41000 + i * PACKET_US), expected[i]);
        assert_int_equal(peek(), behind[i]);
    }
    put(2, 65534, 170000); /* Its turn is over. */
    assert_int_equal(jitter.counters.late, 1);
    put(5, 65534, 170000); /* This one's is not: it was concealed, and is played all the same. */
    assert_int_equal(get(170000), 5);
}

/* R3551-4.1-1: when nothing comes it is silence after 60 ms, and the next word waits again, however
 * far the numbers have gone. */
static void silence(void **state)
{
    (void)state;
    put(0, 1, 0);
    assert_int_equal(get(10000), -2);
    assert_int_equal(get(40000), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(get(60000), -1);
    assert_int_equal(get(120000), -2);
    assert_int_equal(jitter.counters.concealed, 0); /* It was an end, no loss. */
    put(2000, 1, 500000);
    assert_int_equal(get(500000), -2);
    assert_int_equal(get(500000 + jitter.wait_us), 2000);
}

/* One late packet is enough to wait longer from then on; it is forgotten slowly. */
static void lateness(void **state)
{
    (void)state;
    put(0, 1, 0);
    put(1, 1, 120000);
    assert_in_range(jitter.wait_us, 99000, 100000);
    for (unsigned i = 2; i < 300; i++) {
        put(i, 1, i * UINT64_C(20000));
        get(i * UINT64_C(20000));
    }
    assert_in_range(jitter.wait_us, 20000, 50000);
}

/* A marker says that somebody speaks again: where nothing is left to play, it is waited anew. */
static void marker(void **state)
{
    (void)state;
    const struct ahoy_rtp word = { .marker = true, .sequence = 2, .timestamp = 9999 };
    put(0, 1, 0);
    assert_int_equal(get(40000), 0);
    assert_int_equal(get(60000), -1);
    ahoy_jitter_put(&jitter, &word, false, 65000);
    struct span payload;
    assert_int_equal(ahoy_jitter_get(&jitter, 80000, &payload), AHOY_JITTER_SILENCE);
    assert_int_equal(ahoy_jitter_get(&jitter, 120000, &payload), AHOY_JITTER_PLAY);
}

/* A packet with nothing to play takes no time. */
static void silent_packets(void **state)
{
    (void)state;
    const struct ahoy_rtp event = { .sequence = 2, .timestamp = TICKS };
    put(0, 1, 0);
    ahoy_jitter_put(&jitter, &event, true, 20000);
    put(2, 1, 40000);
    assert_int_equal(get(40000), 0);
    assert_int_equal(get(60000), 2);
    assert_int_equal(jitter.counters.concealed, 0);
}

/* Too much at once: the newest are kept, as many as should wait. */
static void bursts(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 100; i++)
        put(i, 1, 1000);
    assert_true(get(1000) >= 90);
    assert_int_equal(get(1000 + PACKET_US) < 100, true);
    char large[AHOY_JITTER_PAYLOAD_LIMIT + 1] = { 0 };
    const struct ahoy_rtp rtp = { .sequence = 101, .payload = { large, sizeof large } };
    ahoy_jitter_put(&jitter, &rtp, false, 1000);
    assert_int_equal(jitter.counters.too_large, 1);
}

/* A sender whose clock is off by a thousandth, for five minutes: nothing is waited for longer and
 * longer, and nothing but what the clocks differ by is made up or left out. */
static void skew(void **state)
{
    (void)state;
    for (int faster = -1; faster <= 1; faster += 2) {
        fresh(NULL);
        unsigned sent = 0;
        uint64_t send_us = 0;
        for (uint64_t now_us = 0; now_us < 300000000; now_us += PACKET_US) {
            for (; send_us <= now_us; send_us += (uint64_t)(PACKET_US - faster * 20))
                put(sent++, 1, send_us);
            get(now_us);
        }
        assert_true(jitter.delay_us < 80000);
        assert_in_range(jitter.counters.given_up + jitter.counters.concealed, 10, 25);
    }
}

/* One network: each packet is lost, comes twice, late, or as it should. */
struct network {
    struct ahoy_rng rng;
    uint64_t loss, twice, spread_us, spike; /* Of a thousand, but for the second last. */
    uint64_t arrivals_us[2][1000];          /* UINT64_MAX: never. */
    bool arrived[1000];
    uint64_t first_us[1000];
};

static struct network network;

static void draw(uint64_t seed)
{
    ahoy_rng_init(&network.rng, (uint64_t[2]){ seed, 77 });
    network.loss = ahoy_rng_below(&network.rng, 300);
    network.twice = ahoy_rng_below(&network.rng, 100);
    network.spread_us = ahoy_rng_below(&network.rng, 150000);
    network.spike = ahoy_rng_below(&network.rng, 20);
    for (unsigned i = 0; i < 1000; i++) {
        for (int copy = 0; copy < 2; copy++) {
            uint64_t share = copy == 0 ? 1000 - network.loss : network.twice;
            uint64_t late_us = ahoy_rng_below(&network.rng, network.spread_us + 1);
            if (ahoy_rng_below(&network.rng, 1000) < network.spike)
                late_us += 400000;
            network.arrivals_us[copy][i] = ahoy_rng_below(&network.rng, 1000) < share
                                               ? i * UINT64_C(20000) + late_us
                                               : UINT64_MAX;
        }
        network.arrived[i] = false;
    }
}

static void arrive(uint16_t sequence, uint64_t from_us, uint64_t to_us)
{
    unsigned first = from_us > 600000 ? (unsigned)((from_us - 600000) / PACKET_US) : 0;
    for (unsigned i = first; i < 1000 && i * UINT64_C(20000) < to_us; i++) {
        for (int copy = 0; copy < 2; copy++) {
            uint64_t at_us = network.arrivals_us[copy][i];
            if (at_us < from_us || at_us >= to_us)
                continue;
            if (!network.arrived[i])
                network.first_us[i] = at_us;
            network.arrived[i] = true;
            put(i, sequence, at_us);
        }
    }
}

/* The laws: what is played has arrived, each but once and in order; nothing waits longer than the
 * limit; each frame is played, concealed or silence; and with time what comes is mostly played. */
static void thousand_networks(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 1000; seed++) {
        fresh(NULL);
        draw(seed);
        int64_t last = -1;
        uint64_t played = 0;
        uint64_t came = 0;
        for (uint64_t now_us = 0; now_us < 1100 * UINT64_C(20000); now_us += PACKET_US) {
            int64_t number = get(now_us);
            if (number >= 0) {
                assert_true(number > last && network.arrived[number]);
                assert_true(now_us - network.first_us[number] <=
                            AHOY_JITTER_MS_LIMIT * UINT64_C(1000) + PACKET_US);
                last = number;
                played++;
            }
            arrive((uint16_t)(seed * 131), now_us, now_us + PACKET_US);
        }
        for (unsigned i = 0; i < 1000; i++)
            came += network.arrived[i];
        assert_int_equal(played, jitter.counters.played);
        if (network.spread_us < 20000 && network.spike == 0)
            assert_true(played * 100 >= came * 95);
        assert_true(played * 2 >= came);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(order, fresh),          cmocka_unit_test_setup(silence, fresh),
        cmocka_unit_test_setup(lateness, fresh),       cmocka_unit_test_setup(marker, fresh),
        cmocka_unit_test_setup(silent_packets, fresh), cmocka_unit_test_setup(bursts, fresh),
        cmocka_unit_test_setup(skew, fresh),           cmocka_unit_test(thousand_networks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
