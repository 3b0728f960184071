/* Two media sessions, Alice's and Bob's, on a network of virtual time. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "libahoy/media/event.h"
#include "libahoy/media/media.h"
#include "libahoy/media/rtcp.h"
#include "libahoy/media/tone.h"

enum { DELAY_US = 30000, WAY_PACKETS = 64, BEGIN_US = 1000000000 };

struct in_flight {
    uint64_t due_us;
    bool is_rtcp;
    size_t size;
    char bytes[AHOY_MEDIA_PACKET_LIMIT];
};

struct side {
    struct ahoy_media *media;
    struct ahoy_tone tone;
    struct ahoy_tone_meter meter;
    struct in_flight way[WAY_PACKETS]; /* To the other. */
    size_t sent, arrived;
    unsigned lose; /* Each so manieth packet of RTP; 0: none. */
    unsigned rtp_count, rtcp_count, bye_count;
    struct ahoy_rtp last;
    struct ahoy_rtcp_sender first; /* Of its SRs. */
};

static struct side sides[2];
static uint64_t now_us;
static uint32_t clock_hz;
static struct ahoy_sdp_opus wish;

static void begin(const struct ahoy_coder *coder)
{
    memset(sides, 0, sizeof sides);
    now_us = BEGIN_US;
    clock_hz = coder->clock_hz;
    for (int i = 0; i < 2; i++) {
        const struct ahoy_media_options options = { .coder = coder,
                                                    .payload_type = 0,
                                                    .opus = wish,
                                                    .has_events = true,
                                                    .events = 101,
                                                    .cname = SPAN("someone@example"),
                                                    .seed = { (uint64_t)i, 5 } };
        sides[i].media = ahoy_media_new(&options, now_us);
        ahoy_tone_init(&sides[i].tone, i == 0 ? 440 : 660, -10, coder->rate_hz);
        ahoy_tone_meter_init(&sides[i].meter, coder->rate_hz);
    }
}

static int end(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        ahoy_media_free(sides[i].media);
        sides[i].media = NULL;
    }
    return 0;
}

/* R3550-6.4.1-2: between two SRs, timestamps go on as NTP's time does, by the codec's clock. */
static void check_clock(struct side *side, const struct ahoy_rtcp *packet)
{
    uint32_t ssrc;
    struct ahoy_rtcp_sender sender;
    if (!ahoy_rtcp_read_report(packet, &ssrc, &sender) || sender.ntp == 0)
        return;
    if (side->first.ntp == 0)
        side->first = sender;
    uint32_t passed = (uint32_t)((sender.ntp - side->first.ntp) * clock_hz >> 32);
    assert_in_range(sender.timestamp - side->first.timestamp - passed + 1, 0, 2);
}

static void send(struct side *side, const struct ahoy_media_packet *packet)
{
    struct ahoy_rtcp rtcp;
    struct span rest = packet->bytes;
    if (packet->is_rtcp) {
        assert_true(ahoy_rtcp_is_sound(rest));
        side->rtcp_count++;
        for (; ahoy_rtcp_next(&rest, &rtcp); check_clock(side, &rtcp))
            side->bye_count += rtcp.type == AHOY_RTCP_BYE;
    } else {
        uint16_t before = side->last.sequence;
        assert_true(ahoy_rtp_parse(rest, &side->last));
        assert_true(side->rtp_count == 0 || (uint16_t)(before + 1) == side->last.sequence);
        if (++side->rtp_count % (side->lose + 1) == side->lose && side->lose > 0)
            return;
    }
    struct in_flight *flight = &side->way[side->sent++ % WAY_PACKETS];
    flight->due_us = now_us + DELAY_US;
    flight->is_rtcp = packet->is_rtcp;
    flight->size = packet->bytes.size;
    memcpy(flight->bytes, packet->bytes.at, packet->bytes.size);
}

static void send_all(struct side *side)
{
    struct ahoy_media_packet packet;
    while (ahoy_media_poll(side->media, now_us, &packet))
        send(side, &packet);
}

static void turn(struct side *side, struct side *other)
{
    int16_t samples[AHOY_FRAME_SAMPLES_MAX];
    size_t count = ahoy_media_frame(side->media);
    for (; other->arrived < other->sent; other->arrived++) {
        const struct in_flight *flight = &other->way[other->arrived % WAY_PACKETS];
        if (flight->due_us > now_us)
            break;
        ahoy_media_step(side->media, (struct span){ flight->bytes, flight->size }, flight->is_rtcp,
                        now_us);
    }
    while (ahoy_media_hear(side->media, now_us, samples)) {
        ahoy_tone_meter_take(&side->meter, samples, count);
        ahoy_tone_next(&side->tone, samples, count);
        ahoy_media_say(side->media, samples, now_us);
        send_all(side);
    }
    send_all(side);
}

static void run(uint64_t us)
{
    for (uint64_t until_us = now_us + us; now_us < until_us; now_us += 5000) {
        turn(&sides[0], &sides[1]);
        turn(&sides[1], &sides[0]);
    }
}

static void expect_tone(struct side *side, double expected_hz)
{
    double hz, level;
    assert_true(ahoy_tone_meter_read(&side->meter, &hz, &level));
    assert_true(fabs(hz - expected_hz) < expected_hz / 100);
    assert_true(fabs(level + 10) < 1);
}

/* A second of 1 kHz, said by |codec|. */
static uint16_t speak(struct ahoy_media *listener, enum ahoy_codec codec, uint8_t payload_type,
                      uint16_t sequence, struct ahoy_tone_meter *meter)
{
    const struct ahoy_coder *coder = ahoy_coder(codec);
    void *encoder = coder->encoder_new != NULL ? coder->encoder_new(&wish) : NULL;
    struct ahoy_tone tone;
    ahoy_tone_init(&tone, 1000, -10, coder->rate_hz);
    for (int i = 0; i < 50; i++) {
        int16_t samples[AHOY_FRAME_SAMPLES_MAX];
        char payload[500], packet[600];
        struct ahoy_buf buf = ahoy_buf_over(packet, sizeof packet);
        size_t count = coder->rate_hz / 50;
        ahoy_tone_next(&tone, samples, count);
        size_t size = coder->encode(encoder, samples, count, payload, sizeof payload);
        const struct ahoy_rtp rtp = { .payload_type = payload_type,
                                      .sequence = sequence,
                                      .timestamp = sequence * (coder->clock_hz / 50),
                                      .ssrc = 7,
                                      .payload = { payload, size } };
        sequence++;
        ahoy_rtp_print(&rtp, &buf);
        ahoy_media_step(listener, ahoy_buf_text(&buf), false, now_us);
        while (ahoy_media_hear(listener, now_us, samples)) {
            ahoy_tone_meter_take(meter, samples, ahoy_media_frame(listener));
            ahoy_media_say(listener, samples, now_us);
            send_all(&(struct side){ .media = listener });
        }
        now_us += 20000;
    }
    if (coder->encoder_free != NULL)
        coder->encoder_free(encoder);
    return sequence;
}

static struct ahoy_media_stats stats_of(int side)
{
    struct ahoy_media_stats stats;
    ahoy_media_read_stats(sides[side].media, &stats);
    return stats;
}

/* Ten seconds: each hears the other's tone, and learns the round trip from reports.
 * R3264-6.1-15, -17: both at once, by the payload type that was agreed on. */
static void a_call(void **state)
{
    (void)state;
    for (enum ahoy_codec codec = AHOY_PCMU; codec < AHOY_CODECS; codec++) {
        if (ahoy_coder(codec) == NULL)
            continue;
        begin(ahoy_coder(codec));
        run(10000000);
        expect_tone(&sides[0], 660);
        expect_tone(&sides[1], 440);
        for (int i = 0; i < 2; i++) {
            struct ahoy_media_stats stats = stats_of(i);
            assert_int_equal(stats.sent, 500);
            assert_int_equal(stats.lost, 0);
            assert_true(stats.has_round_trip && stats.opinion > 4.3);
            assert_in_range(stats.round_trip_us, 2 * DELAY_US - 100, 2 * DELAY_US + 15000);
            assert_in_range(sides[i].rtcp_count, 2, 6);
            assert_int_equal(sides[i].last.marker, false); /* R3551-4.1-2 */
            assert_int_equal(sides[i].last.payload_type, 0);
        }
        end(NULL);
    }
}

/* Every fourth packet is lost: the tone is still heard, and the share is known on both sides. */
static void loss(void **state)
{
    (void)state;
    begin(ahoy_coder(AHOY_PCMA));
    sides[0].lose = 4;
    run(10000000);
    struct ahoy_media_stats stats = stats_of(1);
    assert_in_range(stats.loss * 1000, 190, 215);
    assert_true(stats.opinion < 3);
    double hz, level;
    assert_true(ahoy_tone_meter_read(&sides[1].meter, &hz, &level));
    assert_true(fabs(hz - 440) < 4.4);
}

/* Every tenth packet of Opus is lost: repaired by the one behind it (RFC 7587 3.3), the tone goes
 * on as if nothing were.  Without repairs it is concealed, and still heard. */
static void repairs(void **state)
{
    (void)state;
    double level[2];
    unsigned blocks[2];
    if (ahoy_coder(AHOY_OPUS) == NULL)
        skip();
    for (int takes_fec = 0; takes_fec < 2; takes_fec++) {
        wish.takes_fec = takes_fec == 1;
        begin(ahoy_coder(AHOY_OPUS));
        sides[0].lose = 9;
        run(10000000);
        double hz;
        assert_in_range(stats_of(1).loss * 1000, 90, 110);
        assert_true(ahoy_tone_meter_read(&sides[1].meter, &hz, &level[takes_fec]));
        assert_true(fabs(hz - 440) < 4.4);
        assert_true(fabs(level[takes_fec] + 10) < 1);
        blocks[takes_fec] = 0;
        for (size_t i = 0; i < AHOY_METER_BINS; i++)
            blocks[takes_fec] += sides[1].meter.bins[i].blocks;
        end(NULL);
    }
    wish.takes_fec = false;
    print_message("blocks of 200: %u concealed, %u repaired\n", blocks[0], blocks[1]);
    assert_true(blocks[1] > 190);
}

/* R3264-6.1-16, R3264-7-2: whatever was agreed on is heard, by our numbers, and so are changes in
 * the middle of a call, between clocks and rates; events of either clock are digits. */
static void changes(void **state)
{
    (void)state;
    static const enum ahoy_codec order[] = { AHOY_PCMA, AHOY_OPUS, AHOY_G722, AHOY_PCMU,
                                             AHOY_PCMA };
    struct ahoy_media_options options = {
        .cname = SPAN("someone@example"),
        .heard = { .count = 4,
                   .order = { AHOY_OPUS, AHOY_G722, AHOY_PCMU, AHOY_PCMA },
                   .types = { [AHOY_OPUS] = 96, [AHOY_G722] = 9, [AHOY_PCMA] = 8 },
                   .events = { 101, 97 } },
    };
    if (ahoy_coder(AHOY_OPUS) == NULL || ahoy_coder(AHOY_G722) == NULL)
        skip();
    for (unsigned wide = 0; wide < 2; wide++) {
        options.coder = ahoy_coder(wide ? AHOY_OPUS : AHOY_PCMU);
        struct ahoy_media *listener = ahoy_media_new(&options, BEGIN_US);
        uint16_t sequence = 7;
        now_us = BEGIN_US;
        for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
            struct ahoy_tone_meter meter;
            double hz, level;
            ahoy_tone_meter_init(&meter, options.coder->rate_hz);
            sequence = speak(listener, order[i], options.heard.types[order[i]], sequence, &meter);
            assert_true(ahoy_tone_meter_read(&meter, &hz, &level));
            assert_true(fabs(hz - 1000) < 10);
            assert_true(fabs(level + 10) < 1);
        }
        struct ahoy_media_stats stats;
        ahoy_media_read_stats(listener, &stats);
        assert_int_equal(stats.lost, 0);
        ahoy_media_free(listener);
    }
}

/* R3550-6.3.7-2 and 6.6: goodbye is said once, with a report, and not by who has sent nothing. */
static void goodbye(void **state)
{
    (void)state;
    begin(ahoy_coder(AHOY_PCMU));
    ahoy_media_end(sides[1].media);
    run(100000);
    ahoy_media_end(sides[0].media);
    run(100000);
    assert_int_equal(sides[0].bye_count, 1);
    assert_int_equal(sides[1].rtcp_count + sides[1].rtp_count, 0);
    assert_int_equal(ahoy_media_deadline(sides[0].media), UINT64_MAX);
}

/* R4733-2.1-1, R4733-2.5.1.6-1, R4733-2.5.2.2-2: events have the sequence of the audio, and digits
 * arrive once each and in order, though half of the packets are lost. */
static void digits(void **state)
{
    (void)state;
    begin(ahoy_coder(AHOY_PCMU));
    run(500000);
    sides[0].lose = 1;
    assert_true(ahoy_media_dial(sides[0].media, SPAN("159#")));
    assert_true(ahoy_media_dial(sides[0].media, SPAN("5D")));
    assert_false(ahoy_media_dial(sides[0].media, SPAN("x")));
    run(3000000);
    assert_string_equal(stats_of(1).digits, "159#5D");
    assert_string_equal(stats_of(0).digits, "");
}

/* R4733-2.5.1.1-1: no digit that the other side does not list. */
static void listed_digits(void **state)
{
    (void)state;
    const struct ahoy_media_options options = { .coder = ahoy_coder(AHOY_PCMU),
                                                .cname = SPAN("someone@example"),
                                                .has_events = true,
                                                .unlisted_events = 1U << 10 | 1U << 15 };
    struct ahoy_media *media = ahoy_media_new(&options, BEGIN_US);
    assert_true(ahoy_media_dial(media, SPAN("09#ABC")));
    assert_false(ahoy_media_dial(media, SPAN("1*")));
    assert_false(ahoy_media_dial(media, SPAN("D")));
    ahoy_media_free(media);
}

/* R4733-2.3.5-1, R4733-2.5.1.2-1 to -5, R4733-2.5.1.4-1, R4733-2.5.2.2-1 */
static void event_packets(void **state)
{
    (void)state;
    struct ahoy_event_said said;
    struct ahoy_rtp rtp;
    char bytes[AHOY_EVENT_SIZE];
    static const char *const expected[] = { "\x0b\x0a\x00\xa0", "\x0b\x0a\x01\x40",
                                            "\x0b\x8a\x01\x90", "\x0b\x8a\x01\x90",
                                            "\x0b\x8a\x01\x90" };
    ahoy_event_say(&said, ahoy_event_code('#'), 400, 1234);
    for (size_t i = 0; i < 5; i++) {
        assert_true(ahoy_event_is_said(&said));
        ahoy_event_next(&said, 160, bytes, &rtp);
        assert_memory_equal(bytes, expected[i], 4);
        assert_true(rtp.marker == (i == 0) && rtp.timestamp == 1234);
    }
    assert_false(ahoy_event_is_said(&said));
    /* R4733-2.5.2.3-1: a segment that begins where the longest ends is no new event.
     * R4733-2.3.3-1: R is not looked at. */
    struct ahoy_event_heard heard = { .is_any = false };
    uint8_t code;
    rtp = (struct ahoy_rtp){ .timestamp = 0xffffff00, .payload = SPAN("\x05\x4a\xff\xff") };
    assert_true(ahoy_event_take(&heard, &rtp, &code) && code == 5);
    rtp.timestamp += 0xffff;
    assert_false(ahoy_event_take(&heard, &rtp, &code));
    rtp.timestamp += 0xfffe;
    assert_true(ahoy_event_take(&heard, &rtp, &code));
    rtp.payload.size = 3;
    rtp.timestamp += 1000;
    assert_false(ahoy_event_take(&heard, &rtp, &code));
}

/* R3550-8.2-1, -2, -4: our own packets come back: we say goodbye and go on as another, but once. */
static void collisions(void **state)
{
    (void)state;
    begin(ahoy_coder(AHOY_PCMU));
    run(100000);
    uint32_t before = sides[0].last.ssrc;
    for (int i = 0; i < 3; i++) {
        char packet[256];
        struct ahoy_buf buf = ahoy_buf_over(packet, sizeof packet);
        ahoy_rtp_print(&sides[0].last, &buf);
        ahoy_media_step(sides[0].media, ahoy_buf_text(&buf), false, now_us);
        run(100000);
    }
    assert_int_equal(sides[0].bye_count, 1);
    assert_true(sides[0].last.ssrc != before);
    run(1000000);
    expect_tone(&sides[1], 440); /* Bob follows. */
}

/* R3550-5.1-2: payload types that were not agreed on are not played; nor is what is malformed. */
static void strange_packets(void **state)
{
    (void)state;
    int16_t samples[AHOY_FRAME_SAMPLES_MAX];
    begin(ahoy_coder(AHOY_PCMU));
    for (uint16_t i = 0; i < 50; i++) {
        char packet[256];
        struct ahoy_buf buf = ahoy_buf_over(packet, sizeof packet);
        const struct ahoy_rtp rtp = { .payload_type = i < 25 ? 18 : 13,
                                      .sequence = i,
                                      .timestamp = i * 160U,
                                      .ssrc = 7,
                                      .payload = SPAN("loud noise of a codec that is not ours") };
        ahoy_rtp_print(&rtp, &buf);
        ahoy_media_step(sides[0].media, ahoy_buf_text(&buf), false, now_us);
        ahoy_media_step(sides[0].media, SPAN("\x80"), i % 2 == 0, now_us);
        now_us += 20000;
        while (ahoy_media_hear(sides[0].media, now_us, samples)) {
            for (size_t k = 0; k < 160; k++)
                assert_int_equal(samples[k], 0);
            ahoy_media_say(sides[0].media, samples, now_us);
            send_all(&sides[0]);
        }
    }
    assert_int_equal(stats_of(0).malformed, 50);
}

/* R3550-5.1-3: on hold nothing is said, and time goes on; the other is heard: R3264-6.1-14.  A
 * sleep of a minute is not caught up with. */
static void holding(void **state)
{
    (void)state;
    begin(ahoy_coder(AHOY_PCMU));
    run(1000000);
    ahoy_media_direct(sides[0].media, AHOY_RECVONLY);
    uint32_t held_at = sides[0].last.timestamp;
    ahoy_tone_meter_init(&sides[0].meter, 8000);
    run(1000000);
    assert_int_equal(sides[0].rtp_count, 50);
    expect_tone(&sides[0], 660);
    ahoy_media_direct(sides[0].media, AHOY_SENDRECV);
    run(20000);
    assert_int_equal(sides[0].last.timestamp - held_at, 51 * 160);
    now_us += 60000000;
    run(5000);
    assert_in_range(sides[0].rtp_count, 51, 53);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_call, end),
        cmocka_unit_test_teardown(loss, end),
        cmocka_unit_test_teardown(repairs, end),
        cmocka_unit_test(changes),
        cmocka_unit_test_teardown(goodbye, end),
        cmocka_unit_test_teardown(digits, end),
        cmocka_unit_test(listed_digits),
        cmocka_unit_test(event_packets),
        cmocka_unit_test_teardown(collisions, end),
        cmocka_unit_test_teardown(holding, end),
        cmocka_unit_test_teardown(strange_packets, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
