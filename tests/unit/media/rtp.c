/* Packets of RTP and RTCP: RFC 3550 5.1, 6, A.1 and A.2. */
#include "libahoy/media/rtp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "libahoy/media/pace.h"
#include "libahoy/media/rtcp.h"
#include "tests/support/bytes.h"

#define FIXED "\x00\x01\x00\x00\x00\xa0\x12\x34\x56\x78"

static struct ahoy_rtp rtp;

static bool parse(struct span packet)
{
    struct span copy = test_copy(packet);
    bool is_read = ahoy_rtp_parse(copy, &rtp);
    assert_true(!is_read || ahoy_span_end(rtp.payload) <= ahoy_span_end(copy));
    return is_read;
}

static void a_packet(void **state)
{
    (void)state;
    char space[64];
    const struct ahoy_rtp said = { .marker = true,
                                   .payload_type = 8,
                                   .sequence = 65535,
                                   .timestamp = 0xfffffff0,
                                   .ssrc = 0x12345678,
                                   .payload = SPAN("voice") };
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    ahoy_rtp_print(&said, &buf);
    struct span text = ahoy_buf_text(&buf);
    assert_memory_equal(text.at, "\x80\x88\xff\xff\xff\xff\xff\xf0\x12\x34\x56\x78voice",
                        text.size);
    assert_true(parse(text));
    assert_true(rtp.marker && rtp.payload_type == 8 && rtp.sequence == 65535);
    assert_true(rtp.timestamp == 0xfffffff0 && rtp.ssrc == 0x12345678 && !rtp.has_extension);
    assert_span(rtp.payload, "voice");
    test_free_all(NULL);
}

/* R3550-5.1-1, R3550-5.3.1-1: sources, then an extension, then the payload, then padding. */
static void lengths_are_judged(void **state)
{
    (void)state;
    assert_true(parse(SPAN("\xb1\x00" FIXED "SRC1\xbe\xde\x00\x01WORDvoice\x00\x00\x03")));
    assert_span(rtp.sources, "SRC1");
    assert_int_equal(rtp.profile, 0xbede);
    assert_span(rtp.extension, "WORD");
    assert_span(rtp.payload, "voice");
    assert_true(parse(SPAN("\x90\x00" FIXED "\xbe\xde\x00\x00")));
    assert_true(rtp.has_extension && rtp.extension.size == 0 && rtp.payload.size == 0);
    static const struct span bad[] = {
        SPAN_INIT("\x80\x00\x00\x01\x00\x00\x00\xa0\x12\x34\x56"), /* Too short. */
        SPAN_INIT("\x40\x00" FIXED),                               /* Version 1. */
        SPAN_INIT("\x8f\x00" FIXED "0123456789"),                  /* 15 sources. */
        SPAN_INIT("\x90\x00" FIXED "\xbe\xde"),                    /* Half an extension. */
        SPAN_INIT("\x90\x00" FIXED "\xbe\xde\xff\xff"
                  "0123"),                          /* A long one. */
        SPAN_INIT("\xa0\x00" FIXED),                /* Padding of nothing. */
        SPAN_INIT("\xa0\x00" FIXED "\x00"),         /* Padding of none. */
        SPAN_INIT("\xa0\x00" FIXED "\x01\x02\x04"), /* More than there is. */
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(parse(bad[i]));
    test_free_all(NULL);
}

/* R3550-6-1, R3550-12-1, R5761-2-1, R5761-4-1 */
static void rtcp_is_told_from_rtp(void **state)
{
    (void)state;
    for (unsigned second = 0; second < 256; second++) {
        const char packet[2] = { (char)0x80, (char)second };
        unsigned type = second & 127;
        bool expected = second >= 128 && type >= 64 && type <= 95;
        assert_int_equal(ahoy_rtp_is_rtcp((struct span){ packet, 2 }), expected);
    }
    assert_false(ahoy_rtp_is_rtcp(SPAN("\x80")));
}

static char space[1024];

static struct span print(const struct ahoy_rtcp_report *report)
{
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    ahoy_rtcp_print(report, &buf);
    assert_int_equal(buf.size % 4, 0);
    return test_copy(ahoy_buf_text(&buf));
}

/* R3550-6.1-1 to -4 and -7 to -10, R3550-6.4.2-1, R3550-6.5-1, -2: a report comes first, though
 * there be nothing to report; then the CNAME; each packet ends on a word. */
static void a_compound(void **state)
{
    (void)state;
    const struct ahoy_rtcp_sender sender = {
        .ntp = 0x1122334455667788, .timestamp = 7, .packets = 8, .bytes = 9
    };
    const struct ahoy_rtcp_block block = { .ssrc = 2,
                                           .fraction_lost = 64,
                                           .lost = -3,
                                           .highest = 65536,
                                           .jitter = 5,
                                           .last_report = 6,
                                           .last_report_ago = 7 };
    for (int what = 0; what < 8; what++) {
        struct ahoy_rtcp_report report = { .ssrc = 1,
                                           .sender = (what & 1) != 0 ? &sender : NULL,
                                           .block = (what & 2) != 0 ? &block : NULL,
                                           .cname = { "alice@example", 10 + (size_t)what % 4 },
                                           .bye = (what & 4) != 0 };
        struct span rest = print(&report);
        struct ahoy_rtcp packet;
        struct ahoy_rtcp_sender read;
        struct span cname;
        uint32_t ssrc;
        assert_true(ahoy_rtcp_is_sound(rest));
        assert_true(ahoy_rtcp_next(&rest, &packet));
        assert_int_equal(packet.type, report.sender != NULL ? AHOY_RTCP_SR : AHOY_RTCP_RR);
        assert_true(ahoy_rtcp_read_report(&packet, &ssrc, &read) && ssrc == 1);
        if (report.sender != NULL)
            assert_true(read.ntp == sender.ntp && read.timestamp == 7 && read.packets == 8 &&
                        read.bytes == 9);
        assert_int_equal(packet.count, report.block != NULL);
        if (report.block != NULL) {
            struct ahoy_rtcp_block back;
            ahoy_rtcp_read_block(&packet, 0, &back);
            assert_true(back.ssrc == 2 && back.fraction_lost == 64 && back.lost == -3);
            assert_true(back.highest == 65536 && back.jitter == 5);
            assert_true(back.last_report == 6 && back.last_report_ago == 7);
        }
        assert_true(ahoy_rtcp_next(&rest, &packet));
        assert_true(ahoy_rtcp_read_cname(&packet, &ssrc, &cname) && ssrc == 1);
        assert_true(ahoy_span_equal(cname, report.cname));
        assert_true(ahoy_span_end(cname) < ahoy_span_end(packet.body));
        assert_int_equal(*ahoy_span_end(cname), '\0');
        assert_int_equal(ahoy_rtcp_next(&rest, &packet), report.bye);
        assert_int_equal(ahoy_rtcp_is_bye_of(&packet, 1), report.bye);
        assert_false(ahoy_rtcp_is_bye_of(&packet, 2));
        test_free_all(NULL);
    }
}

/* R3550-6.1-7, R3550-6.4.1-1; A.2. */
static void unsound_compounds(void **state)
{
    static const struct {
        struct span compound;
        bool sound;
    } rows[] = {
        { SPAN_INIT("\x80\xc9\x00\x01"
                    "AAAA"),
          true },
        { SPAN_INIT("\x80\xc9\x00\x01"
                    "AAAA"
                    "\xa0\xd0\x00\x01\x00\x00\x00\x04"),
          true },
        { SPAN_INIT(""), false },
        { SPAN_INIT("\x80\xca\x00\x01"
                    "AAAA"),
          false }, /* SDES first. */
        { SPAN_INIT("\x40\xc9\x00\x01"
                    "AAAA"),
          false }, /* Version 1. */
        { SPAN_INIT("\x80\xc9\x00\x02"
                    "AAAA"),
          false }, /* Longer than it is. */
        { SPAN_INIT("\x80\xc9\x00\x01"
                    "AAAA"
                    "\x80"),
          false }, /* A tail. */
        { SPAN_INIT("\xa0\xc9\x00\x02"
                    "AAAA\x00\x00\x00\x04"),
          false }, /* The first padded. */
        { SPAN_INIT("\x80\xc9\x00\x01"
                    "AAAA"
                    "\xa0\xd0\x00\x01\x00\x00\x00\x04"
                    "\x80\xd0\x00\x00"),
          false }, /* Not the last. */
        { SPAN_INIT("\x80\xc9\x00\x01"
                    "AAAA"
                    "\xa0\xd0\x00\x01\x00\x00\x00\x05"),
          false },
        { SPAN_INIT("\x80\xc9\x00\x01"
                    "AAAA"
                    "\xa0\xd0\x00\x01\x00\x00\x00\x00"),
          false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(ahoy_rtcp_is_sound(test_copy(rows[i].compound)), rows[i].sound);
    /* Blocks, chunks and sources that are counted but not there. */
    struct ahoy_rtcp packet;
    struct ahoy_rtcp_sender sender;
    struct span cname;
    uint32_t ssrc;
    struct span rest = test_copy(SPAN("\x81\xc9\x00\x01"
                                      "AAAA"
                                      "\x81\xca\x00\x02"
                                      "AAAA\x01\x03me"
                                      "\x82\xcb\x00\x01"
                                      "AAAA"));
    assert_true(ahoy_rtcp_is_sound(rest));
    assert_true(ahoy_rtcp_next(&rest, &packet) && !ahoy_rtcp_read_report(&packet, &ssrc, &sender));
    assert_true(ahoy_rtcp_next(&rest, &packet) && !ahoy_rtcp_read_cname(&packet, &ssrc, &cname));
    assert_true(ahoy_rtcp_next(&rest, &packet) && !ahoy_rtcp_is_bye_of(&packet, 0x41414141));
    test_free_all(NULL);
}

/* R3550-6.2-1, -2; A.7: with little bandwidth used, 5 s times a half to one and a half, over
 * e - 3/2; the first at once, the second after half of that. */
static void reports_are_paced(void **state)
{
    struct ahoy_rng rng;
    struct ahoy_rtcp_pace pace;
    uint64_t sum_us = 0;
    (void)state;
    ahoy_rng_init(&rng, (uint64_t[2]){ 1, 2 });
    ahoy_rtcp_pace_init(&pace, 80000, 1000);
    assert_true(ahoy_rtcp_pace_is_due(&pace, &rng, 1000));
    assert_in_range(pace.next_us, 1000 + 1026000 - 2, 1000 + 3078000);
    for (int i = 0; i < 1000; i++) {
        uint64_t interval_us = ahoy_rtcp_interval(&pace, &rng);
        assert_in_range(interval_us, 2052000, 6157000);
        sum_us += interval_us;
    }
    assert_in_range(sum_us / 1000, 4000000, 4210000); /* About 5 s / 1.21828. */
    for (int i = 0; i < 200; i++)
        ahoy_rtcp_pace_note(&pace, 40000); /* Far more than 500 bytes a second allow. */
    assert_true(ahoy_rtcp_interval(&pace, &rng) > 60000000);
    assert_false(ahoy_rtcp_pace_is_due(&pace, &rng, pace.next_us)); /* Reconsidered: 6.3.6. */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_packet),
        cmocka_unit_test(lengths_are_judged),
        cmocka_unit_test(rtcp_is_told_from_rtp),
        cmocka_unit_test(a_compound),
        cmocka_unit_test(unsound_compounds),
        cmocka_unit_test(reports_are_paced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
