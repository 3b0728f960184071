/* Codecs, tones, concealment, and how good a call is. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "libahoy/media/codec.h"
#include "libahoy/media/conceal.h"
#include "libahoy/media/g711.h"
#include "libahoy/media/quality.h"
#include "libahoy/media/reception.h"
#include "libahoy/media/tone.h"

/* ITU-T G.711, tables 1a to 2b: the ends and the middle; every code means itself again.
 * R3551-4.5.14-1 to -3. */
static void g711(void **state)
{
    (void)state;
    static const struct {
        int16_t sample;
        uint8_t mu, a;
    } rows[] = { { 0, 0xff, 0xd5 },     { 32124, 0x80, 0xaa },  { -32124, 0x00, 0x2a },
                 { 32767, 0x80, 0xaa }, { -32768, 0x00, 0x2a }, { 8, 0xfe, 0xd5 },
                 { -8, 0x7e, 0x55 },    { 1000, 0xce, 0xfa },   { -1000, 0x4e, 0x7a } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(ahoy_mu_law(rows[i].sample), rows[i].mu);
        assert_int_equal(ahoy_a_law(rows[i].sample), rows[i].a);
    }
    for (unsigned code = 0; code < 256; code++) {
        /* Minus zero is zero. */
        uint8_t mu = ahoy_mu_law(ahoy_mu_law_sample((uint8_t)code));
        assert_int_equal(mu, code == 0x7f ? 0xff : code);
        assert_int_equal(ahoy_a_law(ahoy_a_law_sample((uint8_t)code)), code);
    }
    for (int sample = -32768; sample < 32768; sample++) {
        int limit = abs(sample) / 16 + 8;
        int back = ahoy_a_law_sample(ahoy_a_law((int16_t)sample));
        assert_true(abs(back - sample) <= limit);
        back = ahoy_mu_law_sample(ahoy_mu_law((int16_t)sample));
        assert_true(abs(back - sample) <= limit || abs(sample) > 32124);
    }
}

/* The levels of ITU-T G.100.1: the largest square wave, a sine, nothing. */
static void levels(void **state)
{
    (void)state;
    int16_t samples[160];
    struct ahoy_tone tone;
    for (size_t i = 0; i < 160; i++)
        samples[i] = i % 2 == 0 ? INT16_MIN : INT16_MAX;
    assert_true(fabs(ahoy_level_dbov(samples, 160)) < 0.01);
    ahoy_tone_init(&tone, 1000, -10, 8000);
    ahoy_tone_next(&tone, samples, 160);
    assert_true(fabs(ahoy_level_dbov(samples, 160) + 10) < 0.01);
    memset(samples, 0, sizeof samples);
    assert_true(ahoy_level_dbov(samples, 160) == AHOY_SILENCE_DBOV);
}

/* R3551-4.5.2-1, -2 among others: a second of a tone through every codec that there is, heard
 * within 1 % and 0.5 dB. */
static void tones(void **state)
{
    (void)state;
    static const struct ahoy_sdp_opus wish;
    for (enum ahoy_codec codec = AHOY_PCMU; codec < AHOY_CODECS; codec++) {
        const struct ahoy_coder *coder = ahoy_coder(codec);
        if (coder == NULL)
            continue;
        for (double hz = 300; hz < 3400; hz *= 1.37) {
            struct ahoy_tone tone;
            static struct ahoy_tone_meter meter;
            void *encoder = coder->encoder_new != NULL ? coder->encoder_new(&wish) : NULL;
            void *decoder = coder->decoder_new != NULL ? coder->decoder_new(coder->rate_hz) : NULL;
            ahoy_tone_init(&tone, hz, -10, coder->rate_hz);
            ahoy_tone_meter_init(&meter, coder->rate_hz);
            for (int frame = 0; frame < 50; frame++) {
                int16_t samples[AHOY_FRAME_SAMPLES_MAX];
                int16_t back[AHOY_DECODED_SAMPLES_LIMIT];
                char bytes[AHOY_FRAME_SAMPLES_MAX * 2];
                size_t count = coder->rate_hz / 50;
                ahoy_tone_next(&tone, samples, count);
                size_t size = coder->encode(encoder, samples, count, bytes, sizeof bytes);
                count = coder->decode(decoder, (struct span){ bytes, size }, back,
                                      AHOY_DECODED_SAMPLES_LIMIT);
                ahoy_tone_meter_take(&meter, back, count);
            }
            double heard_hz, level;
            assert_true(ahoy_tone_meter_read(&meter, &heard_hz, &level));
            assert_true(fabs(heard_hz - hz) < hz / 100);
            assert_true(fabs(level + 10) < 0.5);
            if (encoder != NULL)
                coder->encoder_free(encoder);
            if (decoder != NULL)
                coder->decoder_free(decoder);
        }
    }
}

/* How much of |samples| is at |hz|. */
static double part_at(const int16_t *samples, size_t count, double hz, double rate_hz)
{
    double re = 0, im = 0;
    for (size_t i = 0; i < count; i++) {
        re += samples[i] * cos(2 * M_PI * hz * (double)i / rate_hz);
        im += samples[i] * sin(2 * M_PI * hz * (double)i / rate_hz);
    }
    return re * re + im * im;
}

/* RFC 7587 3.3: the packet in which a tone becomes another is lost.  The one behind it says what
 * was in it; without that, the old tone goes on. */
static void repair(void **state)
{
    (void)state;
    const struct ahoy_coder *coder = ahoy_coder(AHOY_OPUS);
    if (coder == NULL)
        skip();
    for (int takes_fec = 0; takes_fec < 2; takes_fec++) {
        const struct ahoy_sdp_opus wish = { .takes_fec = takes_fec == 1 };
        void *encoder = coder->encoder_new(&wish);
        void *decoder = coder->decoder_new(coder->rate_hz);
        struct ahoy_tone tones[2];
        int16_t samples[AHOY_FRAME_SAMPLES_MAX], back[AHOY_DECODED_SAMPLES_LIMIT];
        char bytes[400];
        ahoy_tone_init(&tones[0], 400, -10, coder->rate_hz);
        ahoy_tone_init(&tones[1], 1600, -10, coder->rate_hz);
        for (int frame = 0; frame < 52; frame++) {
            ahoy_tone_next(&tones[frame >= 50], samples, 320);
            size_t size = coder->encode(encoder, samples, 320, bytes, sizeof bytes);
            if (frame < 50)
                assert_int_equal(coder->decode(decoder, (struct span){ bytes, size }, back,
                                               AHOY_DECODED_SAMPLES_LIMIT),
                                 320);
            if (frame == 51) /* 50 was lost; a remainder of 2.5 ms is left out. */
                assert_int_equal(coder->conceal(decoder, (struct span){ bytes, size }, back, 325),
                                 320);
        }
        bool is_repaired =
            part_at(back + 160, 160, 1600, 16000) > part_at(back + 160, 160, 400, 16000);
        assert_int_equal(is_repaired, takes_fec);
        assert_int_equal(coder->conceal(decoder, SPAN(""), back, 1), 40);
        assert_int_equal(coder->decode(decoder, SPAN(""), back, 320), 0);
        assert_int_equal(coder->decode(decoder, SPAN("\xff\xff\xff"), back, 320), 0);
        coder->encoder_free(encoder);
        coder->decoder_free(decoder);
    }
}

/* Silence, and noise, are no tone; full scale is -3 dBov. */
static void no_tones(void **state)
{
    (void)state;
    static struct ahoy_tone_meter meter;
    int16_t samples[8000] = { 0 };
    double hz, level;
    ahoy_tone_meter_init(&meter, 8000);
    ahoy_tone_meter_take(&meter, samples, 8000);
    uint64_t noise = 1;
    for (size_t i = 0; i < 8000; i++) {
        noise = noise * UINT64_C(6364136223846793005) + 1442695040888963407;
        samples[i] = (int16_t)(noise >> 50);
    }
    ahoy_tone_meter_take(&meter, samples, 8000);
    assert_false(ahoy_tone_meter_read(&meter, &hz, &level));
    struct ahoy_tone tone;
    ahoy_tone_init(&tone, 1000, 0, 8000); /* More than there is. */
    ahoy_tone_next(&tone, samples, 8000);
    ahoy_tone_meter_take(&meter, samples, 8000);
    assert_true(ahoy_tone_meter_read(&meter, &hz, &level));
    assert_true(fabs(hz - 1000) < 1 && fabs(level + 3.01) < 0.1);
}

/* A gap of 10 ms in a tone is filled with the same tone; one of 60 ms and more fades away. */
static void concealment(void **state)
{
    (void)state;
    static struct ahoy_concealer concealer;
    struct ahoy_tone tone;
    int16_t samples[160];
    ahoy_tone_init(&tone, 500, -10, 8000);
    ahoy_conceal_init(&concealer, 8000);
    for (int i = 0; i < 5; i++) {
        ahoy_tone_next(&tone, samples, 160);
        ahoy_conceal_join(&concealer, samples, 160);
    }
    int16_t expected[80];
    ahoy_tone_next(&tone, expected, 80);
    ahoy_conceal_fill(&concealer, samples, 80);
    for (int i = 0; i < 80; i++)
        assert_in_range(samples[i] - expected[i] + 1000, 0, 2000);
    ahoy_conceal_fill(&concealer, samples, 160);
    ahoy_conceal_fill(&concealer, samples, 160);
    ahoy_conceal_fill(&concealer, samples, 160);
    for (int i = 80; i < 160; i++)
        assert_int_equal(samples[i], 0);
    /* What comes again does not begin with a jump: it is blended. */
    memset(samples, 0x40, sizeof samples);
    ahoy_conceal_join(&concealer, samples, 160);
    assert_int_equal(samples[0], 0);
    assert_int_equal(samples[100], 0x4040);
}

static struct ahoy_reception source;

static bool take(uint16_t sequence, uint64_t now_us)
{
    struct ahoy_rtp rtp = { .sequence = sequence, .timestamp = (uint32_t)sequence * 160 };
    return ahoy_reception_take(&source, &rtp, 8000, now_us);
}

/* R3550-8.2-4, A.1: two in sequence make a source; a jump is believed at its second packet.
 * A.3: what is lost; across the end of the numbers.  R3550-6.4.1-3, A.8: the jitter. */
static void reception(void **state)
{
    (void)state;
    struct ahoy_rtcp_block block;
    source = (struct ahoy_reception){ .ssrc = 9 };
    assert_false(take(65530, 0));
    assert_false(take(65532, 0)); /* One was lost: begun anew. */
    for (uint16_t sequence = 65533; sequence != 10; sequence++)
        assert_int_equal(sequence == 3 || take(sequence, sequence * UINT64_C(20000)), true);
    assert_int_equal(ahoy_reception_expected(&source), 13);
    assert_int_equal(ahoy_reception_lost(&source), 1);
    ahoy_reception_take_report(&source, 0x0102030405060708, 1000000);
    ahoy_reception_report(&source, 1500000, &block);
    assert_int_equal(block.ssrc, 9);
    assert_int_equal(block.fraction_lost, 255 / 13);
    assert_int_equal(block.lost, 1);
    assert_int_equal(block.highest, 65536 + 9);
    assert_int_equal(block.last_report, 0x03040506);
    assert_int_equal(block.last_report_ago, 32768);
    assert_true(take(9, 0) && take(9, 0)); /* Twice more: none is lost, and one too many is here. */
    ahoy_reception_report(&source, 1500000, &block);
    assert_int_equal(block.lost, -1);
    assert_int_equal(block.fraction_lost, 0);
    assert_false(take(30000, 0));
    assert_true(take(30001, 0));
    assert_int_equal(ahoy_reception_expected(&source), 1);
    source = (struct ahoy_reception){ .ssrc = 9 };
    for (uint16_t sequence = 0; sequence < 1000; sequence++) /* Alternately 8 ms late. */
        (void)take(sequence,
                   sequence * UINT64_C(20000) + sequence % 2 * UINT64_C(8000)); /* 0 no. */
    ahoy_reception_report(&source, 0, &block);
    assert_in_range(block.jitter, 63, 64);
}

/* RFC 3550 6.4.1, figure 2: the round trip of its example is 6.125 s. */
static void round_trip(void **state)
{
    (void)state;
    const struct ahoy_rtcp_block block = { .last_report = 0xb7052000,
                                           .last_report_ago = 0x00054000 };
    uint64_t trip_us;
    /* 0xb44db705:20000000 is 10 Nov 1995 11:33:25.125 UTC; it came back at 11:33:36.5. */
    const uint64_t back_us = UINT64_C(816003216500000);
    assert_int_equal(ahoy_ntp(back_us), UINT64_C(0xb44db71080000000));
    assert_true(ahoy_round_trip(&block, back_us, &trip_us));
    assert_int_equal(trip_us, 6125000);
    assert_false(ahoy_round_trip(&block, back_us - 7000000, &trip_us)); /* Before it was sent. */
    assert_false(ahoy_round_trip(&(struct ahoy_rtcp_block){ .ssrc = 1 }, back_us, &trip_us));
}

/* ITU-T G.107: the defaults give R = 93.2, which is 4.41; more of anything bad is worse. */
static void opinions(void **state)
{
    (void)state;
    assert_true(fabs(ahoy_opinion(0, 0) - 4.41) < 0.01);
    assert_true(fabs(ahoy_opinion(0.05, 150) - 3.89) < 0.2);
    double last = 5;
    for (int percent = 0; percent <= 100; percent += 5) {
        double opinion = ahoy_opinion(percent / 100.0, 100);
        assert_true(opinion < last || opinion == 1);
        assert_true(opinion >= 1);
        last = opinion;
    }
    assert_true(ahoy_opinion(0, 400) < ahoy_opinion(0, 150) - 0.4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(g711),      cmocka_unit_test(levels),     cmocka_unit_test(tones),
        cmocka_unit_test(repair),    cmocka_unit_test(no_tones),   cmocka_unit_test(concealment),
        cmocka_unit_test(reception), cmocka_unit_test(round_trip), cmocka_unit_test(opinions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
