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

static void begin(const struct ahoy_coder *coder)
{
    memset(sides, 0, sizeof sides);
    now_us = BEGIN_US;
    for (int i = 0; i < 2; i++) {
        const struct ahoy_media_options options = { .coder = coder,
                                                    .payload_type = 0,
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

/* R3550-6.4.1-2: between two SRs, timestamps go on as NTP's time does, at 8 kHz. */
static void check_clock(struct side *side, const struct ahoy_rtcp *packet)
{
    uint32_t ssrc;
    struct ahoy_rtcp_sender sender;
    if (!ahoy_rtcp_read_report(packet, &ssrc, &sender) || sender.ntp == 0)
        return;
    if (side->first.ntp == 0)
        side->first = sender;
    uint32_t passed = (uint32_t)((sender.ntp - side->first.ntp) * 8000 >> 32);
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
