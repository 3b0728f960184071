/* Offers and answers (RFC 3264). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "libahoy/sdp/negotiate.h"
#include "tests/support/bytes.h"

#define HEAD "v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=5 6\r\n"
#define OURS "v=0\r\no=- 9 1 IN IP4 192.0.2.2\r\ns=-\r\nc=IN IP4 192.0.2.2\r\nt=5 6\r\n"

static struct ahoy_sdp sdp;
static struct ahoy_sdp_agreed agreed;
static char space[4096];

static struct ahoy_sdp_local local = {
    .media = { .family = AHOY_IPV4, .port = 4000, .bytes = { 192, 0, 2, 2 } },
    .session_id = 9,
    .version = 1,
};

static bool answer(const char *offer, struct ahoy_buf *buf)
{
    *buf = ahoy_buf_over(space, sizeof space);
    assert_true(ahoy_sdp_parse(test_text(offer), &sdp, NULL));
    return ahoy_sdp_print_answer(&sdp, &local, buf, &agreed);
}

static void expect_answer(const char *offer, const char *expected)
{
    struct ahoy_buf buf;
    assert_true(answer(offer, &buf));
    assert_span(ahoy_buf_text(&buf), expected);
    test_free_all(NULL);
}

/* R3264-5-1, R3264-5-4, R3264-5.1-6: our own offer can be answered by ourselves. */
static void test_offer(void **state)
{
    (void)state;
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    ahoy_sdp_print_offer(&local, NULL, &buf);
    assert_true(ahoy_sdp_parse(ahoy_buf_text(&buf), &sdp, NULL));
    assert_int_equal(sdp.media_count, 1);
    assert_span(sdp.media[0].formats, "0 8 101");
    assert_true(ahoy_sdp_read_answer(&sdp, &local, &agreed));
    assert_int_equal(agreed.codec, AHOY_PCMU);
    assert_true(agreed.has_events);
    assert_int_equal(agreed.events, 101);
    assert_true(agreed.has_mux); /* R5761-5.1.1-1 */
    assert_true(ahoy_ip_equal(&agreed.rtp, &local.media));
    assert_true(ahoy_ip_equal(&agreed.rtcp, &local.media));
}

static void test_offer_ipv6(void **state)
{
    (void)state;
    struct ahoy_sdp_local six = local;
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space - 1);
    assert_true(ahoy_ip_parse(SPAN("2001:db8::1"), &six.media));
    six.media.port = 4000;
    ahoy_sdp_print_offer(&six, NULL, &buf);
    space[buf.size] = '\0';
    assert_non_null(strstr(space, "\r\nc=IN IP6 2001:db8::1\r\n"));
}

/* R3264-6-1 to -3, -5, -7 and -8: as many m= lines, in order; t= the same; what is not taken has
 * port 0.  R3264-6.1-1, -2, -8, -10, -11 and -13: the offerer's order and its payload type for
 * events, by which we send: R3264-6.1-17, -18.  R4733-2.5.2.1-1: they are listed.  R3264-5.1-4,
 * R3264-6-6, R3264-8.2-1: what was offered with port 0, or not taken, has no address to send to. */
static void test_answer(void **state)
{
    (void)state;
    expect_answer(HEAD "m=video 5000 RTP/AVP 96\r\nm=audio 0 RTP/AVP 0\r\n"
                       "m=audio 5004 RTP/AVP 18 8 97 0\r\na=rtpmap:97 telephone-event/8000\r\n"
                       "m=audio 5008 RTP/AVP 0\r\n",
                  OURS "m=video 0 RTP/AVP 96\r\nm=audio 0 RTP/AVP 0\r\n"
                       "m=audio 4000 RTP/AVP 8 0 97\r\na=rtpmap:8 PCMA/8000\r\n"
                       "a=rtpmap:0 PCMU/8000\r\na=rtpmap:97 telephone-event/8000\r\n"
                       "a=fmtp:97 0-15\r\na=ptime:20\r\na=sendrecv\r\nm=audio 0 RTP/AVP 0\r\n");
    assert_int_equal(agreed.codec, AHOY_PCMA);
    assert_int_equal(agreed.payload_type, 8);
    assert_int_equal(agreed.events, 97);
    assert_int_equal(agreed.rtp.port, 5004);
    assert_int_equal(agreed.rtcp.port, 5005);
    /* A map for a type that is not among the formats gives nothing; nor does one that could be
     * taken for RTCP: R5761-5.1.1-3. */
    expect_answer(HEAD "m=audio 5004 RTP/AVP 0 72\r\na=rtpmap:72 telephone-event/8000\r\n",
                  OURS "m=audio 4000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=ptime:20\r\n"
                       "a=sendrecv\r\n");
    expect_answer(HEAD "m=audio 5004 RTP/AVP 0 0\r\na=rtpmap:97 telephone-event/8000\r\n", OURS
                  "m=audio 4000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=ptime:20\r\na=sendrecv\r\n");
}

/* R3264-5.1-5, R3264-7-1: the answer's numbers, the answer's first codec. */
static void test_read_answer(void **state)
{
    (void)state;
    assert_true(ahoy_sdp_parse(test_text(HEAD "m=audio 5004 RTP/AVP 8 0 97\r\n"
                                              "a=rtpmap:97 telephone-event/8000\r\n"),
                               &sdp, NULL));
    assert_true(ahoy_sdp_read_answer(&sdp, &local, &agreed));
    assert_int_equal(agreed.codec, AHOY_PCMA);
    assert_int_equal(agreed.payload_type, 8);
    assert_true(agreed.has_events);
    assert_int_equal(agreed.events, 97);
    test_free_all(NULL);
}

/* RFC 4733 2.4.1: the events that the other side lists; 2.5.1.1: or all digits. */
static void test_events(void **state)
{
    static const struct {
        const char *fmtp;
        unsigned listed;
    } rows[] = {
        { "", 0xffff },
        { "a=fmtp:98 0\r\n", 0xffff },
        { "a=fmtp:97 0-15\r\n", 0xffff },
        { "a=fmtp:97 0-15,66,70-255\r\n", 0xffff },
        { "a=fmtp:97 32-49,11,0-9\r\n", 0xbff },
        { "a=fmtp:97 3\r\n", 1 << 3 },
        { "a=fmtp:97 9-8,15-,-1,x,256,1-256,14-300\r\n", 0 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[512];
        struct ahoy_buf buf;
        snprintf(text, sizeof text, "%sm=audio 1 RTP/AVP 0 97\r\na=rtpmap:97 %s\r\n%s", HEAD,
                 "telephone-event/8000", rows[i].fmtp);
        assert_true(answer(text, &buf));
        assert_int_equal(agreed.unlisted_events, 0xffff & ~rows[i].listed);
        test_free_all(NULL);
    }
}

/* R5761-5.1.1-2, -4: RTCP shares the port of RTP where both sides say so, else it has what a=rtcp
 * says (RFC 3605), else the next one. */
static void test_rtcp(void **state)
{
    static const struct {
        const char *offer;
        const char *rtcp;
        bool has_mux;
    } rows[] = {
        { HEAD "m=audio 10 RTP/AVP 0\r\n", "192.0.2.1:11", false },
        { HEAD "m=audio 10 RTP/AVP 0\r\na=rtcp:99\r\n", "192.0.2.1:99", false },
        { HEAD "m=audio 10 RTP/AVP 0\r\na=rtcp:99 IN IP4 192.0.2.9\r\n", "192.0.2.9:99", false },
        { HEAD "m=audio 10 RTP/AVP 0\r\na=rtcp:99\r\na=rtcp-mux\r\n", "192.0.2.1:10", true },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[64];
        struct ahoy_buf ip = ahoy_buf_over(text, sizeof text);
        struct ahoy_buf buf;
        assert_true(answer(rows[i].offer, &buf));
        ahoy_ip_print(&agreed.rtcp, &ip);
        assert_span(ahoy_buf_text(&ip), rows[i].rtcp);
        assert_int_equal(agreed.has_mux, rows[i].has_mux);
        buf.at[buf.size] = '\0';
        assert_int_equal(strstr(buf.at, "a=rtcp-mux\r\n") != NULL, rows[i].has_mux);
        test_free_all(NULL);
    }
}

/* What a build has beside G.711 is offered first, and taken; without it, it is not there. */
static void test_more_codecs(void **state)
{
    static const char offer[] = HEAD "m=audio 10 RTP/AVP 9 0\r\n";
    struct ahoy_sdp_local wide = local;
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    (void)state;
    wide.codecs = AHOY_CODECS_G711 | 1U << AHOY_G722;
    ahoy_sdp_print_offer(&wide, NULL, &buf);
    assert_true(ahoy_sdp_parse(ahoy_buf_text(&buf), &sdp, NULL));
    assert_span(sdp.media[0].formats, "9 0 8 101");
    assert_true(answer(offer, &buf));
    assert_int_equal(agreed.codec, AHOY_PCMU);
    buf = ahoy_buf_over(space, sizeof space);
    assert_true(ahoy_sdp_print_answer(&sdp, &wide, &buf, &agreed));
    assert_int_equal(agreed.codec, AHOY_G722);
    test_free_all(NULL);
}

#define OPUS "maxplaybackrate=16000;useinbandfec=1\r\n"
#define WIDE (AHOY_CODECS_G711 | 1U << AHOY_G722 | 1U << AHOY_OPUS)

/* RFC 7587 7; RFC 4733 2.4.1: events have a number for each clock. */
static void test_offer_opus(void **state)
{
    (void)state;
    struct ahoy_sdp_local wide = local;
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space - 1);
    wide.codecs = WIDE;
    ahoy_sdp_print_offer(&wide, NULL, &buf);
    space[buf.size] = '\0';
    assert_non_null(strstr(space, "m=audio 4000 RTP/AVP 96 9 0 8 101 97\r\n"
                                  "a=rtpmap:96 opus/48000/2\r\n"));
    assert_non_null(strstr(space, "\r\na=fmtp:96 " OPUS));
    assert_non_null(strstr(space, "\r\na=rtpmap:97 telephone-event/48000\r\n"));
    wide.codecs = 1U << AHOY_PCMA;
    buf = ahoy_buf_over(space, sizeof space - 1);
    ahoy_sdp_print_offer(&wide, NULL, &buf);
    space[buf.size] = '\0';
    assert_non_null(strstr(space, "m=audio 4000 RTP/AVP 8 101\r\n"));
}

/* R3264-6.1-10, -11, -17: the answer has the offer's numbers, by which both send then. */
static void test_answer_opus(void **state)
{
    (void)state;
    local.codecs = WIDE;
    expect_answer(HEAD "m=audio 1 RTP/AVP 63 111 9 0 110 126\r\na=rtpmap:63 red/48000/2\r\n"
                       "a=rtpmap:111 OPUS/48000/2\r\na=fmtp:111 minptime=10; useinbandfec=1;x=y\r\n"
                       "a=rtpmap:110 telephone-event/48000\r\n"
                       "a=rtpmap:126 telephone-event/8000\r\n",
                  OURS "m=audio 4000 RTP/AVP 111 9 0 126 110\r\na=rtpmap:111 opus/48000/2\r\n"
                       "a=rtpmap:9 G722/8000\r\na=rtpmap:0 PCMU/8000\r\na=fmtp:111 " OPUS
                       "a=rtpmap:126 telephone-event/8000\r\na=fmtp:126 0-15\r\n"
                       "a=rtpmap:110 telephone-event/48000\r\n"
                       "a=ptime:20\r\na=sendrecv\r\n");
    assert_int_equal(agreed.codec, AHOY_OPUS);
    assert_int_equal(agreed.payload_type, 111);
    assert_true(agreed.opus.takes_fec && !agreed.opus.wants_cbr);
    assert_true(agreed.has_events && agreed.events == 110 && agreed.events_hz == 48000);
    assert_int_equal(agreed.heard.types[AHOY_OPUS], 111);
    local.codecs = 0;
}

/* RFC 3264 5.1: each side sends by the other's numbers.  R3264-6.1-16: all that was agreed on can
 * be heard. */
static void test_numbers_differ(void **state)
{
    (void)state;
    struct ahoy_sdp_local wide = local;
    wide.codecs = WIDE;
    static const char answer[] = HEAD "m=audio 5 RTP/AVP 120 8 121 122\r\n"
                                      "a=rtpmap:120 opus/48000/2\r\n"
                                      "a=fmtp:120 maxaveragebitrate=20000; cbr=1; "
                                      "maxplaybackrate=8000\r\n"
                                      "a=rtpmap:121 telephone-event/48000\r\n"
                                      "a=rtpmap:122 telephone-event/8000\r\n";
    assert_true(ahoy_sdp_parse(test_text(answer), &sdp, NULL));
    assert_true(ahoy_sdp_read_answer(&sdp, &wide, &agreed));
    assert_true(agreed.codec == AHOY_OPUS && agreed.payload_type == 120 && agreed.events == 121);
    assert_int_equal(agreed.opus.bits, 20000);
    assert_int_equal(agreed.opus.playback_hz, 8000);
    assert_true(agreed.opus.wants_cbr && !agreed.opus.takes_fec);
    assert_int_equal(agreed.heard.count, 2);
    assert_int_equal(agreed.heard.types[AHOY_OPUS], 96);
    assert_int_equal(agreed.heard.types[AHOY_PCMA], 8);
    assert_int_equal(agreed.heard.events[AHOY_EVENTS_48000], 97);
    assert_int_equal(agreed.heard.events[AHOY_EVENTS_8000], 101);
    wide.opus = 111; /* As an answer of ours has it. */
    wide.events[AHOY_EVENTS_8000] = 126;
    assert_true(ahoy_sdp_read_answer(&sdp, &wide, &agreed));
    assert_int_equal(agreed.heard.types[AHOY_OPUS], 111);
    assert_int_equal(agreed.heard.events[AHOY_EVENTS_8000], 126);
    test_free_all(NULL);
}

/* Which events go with a codec: those of its clock; phones that map them at 8000 Hz alone get
 * those. */
static void test_clocks_of_events(void **state)
{
    static const struct {
        const char *formats;
        unsigned events, hz;
    } rows[] = {
        { "96 97 98", 97, 48000 }, { "96 98", 98, 8000 },  { "0 96 97 98", 98, 8000 },
        { "96 97", 97, 48000 },    { "0 96 97", 0, 8000 }, { "0 97 98", 98, 8000 },
        { "0 97", 0, 8000 },       { "0 72", 0, 8000 },
    };
    (void)state;
    local.codecs = WIDE;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[512];
        struct ahoy_buf buf;
        snprintf(text, sizeof text,
                 "%sm=audio 1 RTP/AVP %s\r\na=rtpmap:96 opus/48000/2\r\n"
                 "a=rtpmap:97 telephone-event/48000\r\na=rtpmap:98 telephone-event/8000\r\n"
                 "a=rtpmap:72 telephone-event/8000\r\n",
                 HEAD, rows[i].formats);
        assert_true(answer(text, &buf));
        assert_int_equal(agreed.has_events, rows[i].events != 0);
        assert_int_equal(agreed.events, rows[i].events);
        assert_int_equal(agreed.events_hz, rows[i].hz);
        test_free_all(NULL);
    }
    local.codecs = 0;
}

/* R3264-8.3.2-1: what has a number keeps it; what had none gets none. */
static void test_later_numbers(void **state)
{
    static const struct {
        const char *previous, *line;
    } rows[] = {
        { "m=audio 4000 RTP/AVP 111 0 126\r\na=rtpmap:111 opus/48000/2\r\n"
          "a=rtpmap:126 telephone-event/48000\r\n",
          "m=audio 4000 RTP/AVP 111 9 0 8 126\r\na=rtpmap:111 opus/48000/2\r\n" },
        { "m=audio 4000 RTP/AVP 0 96\r\na=rtpmap:96 telephone-event/8000\r\n",
          "m=audio 4000 RTP/AVP 9 0 8 96\r\na=rtpmap:9 G722/8000\r\n" },
    };
    (void)state;
    struct ahoy_sdp_local wide = local;
    wide.codecs = WIDE;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char previous[512];
        struct ahoy_buf buf = ahoy_buf_over(space, sizeof space - 1);
        snprintf(previous, sizeof previous, "%s%s", OURS, rows[i].previous);
        assert_true(ahoy_sdp_parse(test_text(previous), &sdp, NULL));
        ahoy_sdp_print_offer(&wide, &sdp, &buf);
        space[buf.size] = '\0';
        assert_non_null(strstr(space, rows[i].line));
        test_free_all(NULL);
    }
}

/* R3264-6.1-3 to -5: the direction is the offer's, seen from here, less what we would not have.
 * R3264-8.4-2: nothing goes to 0.0.0.0. */
static void test_directions(void **state)
{
    static const struct {
        const char *offer;
        enum ahoy_direction wish, ours;
    } rows[] = {
        { HEAD "m=audio 1 RTP/AVP 0\r\na=sendrecv\r\n", AHOY_SENDRECV, AHOY_SENDRECV },
        { HEAD "m=audio 1 RTP/AVP 0\r\na=sendonly\r\n", AHOY_SENDRECV, AHOY_RECVONLY },
        { HEAD "m=audio 1 RTP/AVP 0\r\na=recvonly\r\n", AHOY_SENDRECV, AHOY_SENDONLY },
        { HEAD "m=audio 1 RTP/AVP 0\r\na=inactive\r\n", AHOY_SENDRECV, AHOY_INACTIVE },
        { HEAD "a=sendonly\r\nm=audio 1 RTP/AVP 0\r\n", AHOY_SENDRECV, AHOY_RECVONLY },
        { HEAD "m=audio 1 RTP/AVP 0\r\na=sendrecv\r\n", AHOY_SENDONLY, AHOY_SENDONLY },
        { HEAD "m=audio 1 RTP/AVP 0\r\na=sendonly\r\n", AHOY_SENDONLY, AHOY_INACTIVE },
        { HEAD "m=audio 1 RTP/AVP 0\r\na=recvonly\r\n", AHOY_SENDONLY, AHOY_SENDONLY },
        { HEAD "m=audio 1 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\n", AHOY_SENDRECV, AHOY_RECVONLY },
        { HEAD "m=audio 1 RTP/AVP 0\r\nc=IN IP6 ::\r\na=recvonly\r\n", AHOY_SENDRECV,
          AHOY_INACTIVE },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ahoy_buf buf;
        local.direction = rows[i].wish;
        assert_true(answer(rows[i].offer, &buf));
        assert_int_equal(agreed.direction, rows[i].ours);
        assert_true(ahoy_sdp_read_answer(&sdp, &local, &agreed));
        assert_int_equal(agreed.direction, rows[i].ours);
        local.direction = AHOY_SENDRECV;
        test_free_all(NULL);
    }
}

/* RFC 6337 5.4: the answer to an offer of 0.0.0.0 has its direction by the rules all the same. */
static void test_nowhere(void **state)
{
    (void)state;
    expect_answer(HEAD "m=audio 1 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\n", OURS
                  "m=audio 4000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=ptime:20\r\na=sendrecv\r\n");
}

/* R3264-8-5 to -7: no line vanishes, and none moves.  R3264-8.3.2-1, -2: events keep their number.
 * R3264-8.1-1: where all were rejected, ours is a further one.  8.4: the peer is held by
 * sendonly. */
static void test_later_offer(void **state)
{
    static const struct {
        const char *previous, *lines;
    } rows[] = {
        { "m=video 0 RTP/AVP 96 97\r\nm=audio 4000 RTP/AVP 8 97\r\n"
          "a=rtpmap:97 telephone-event/8000\r\nm=audio 0 RTP/AVP 0\r\n",
          "m=video 0 RTP/AVP 96 97\r\nm=audio 4000 RTP/AVP 0 8 97\r\na=rtpmap:0 PCMU/8000\r\n"
          "a=rtpmap:8 PCMA/8000\r\na=rtpmap:97 telephone-event/8000\r\na=fmtp:97 0-15\r\n"
          "a=ptime:20\r\na=rtcp-mux\r\na=sendonly\r\nm=audio 0 RTP/AVP 0\r\n" },
        { "m=audio 4000 RTP/AVP 0\r\n",
          "m=audio 4000 RTP/AVP 0 8\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
          "a=ptime:20\r\na=rtcp-mux\r\na=sendonly\r\n" },
        { "m=audio 0 RTP/AVP 0\r\n",
          "m=audio 0 RTP/AVP 0\r\nm=audio 4000 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\n"
          "a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"
          "a=ptime:20\r\na=rtcp-mux\r\na=sendonly\r\n" },
    };
    (void)state;
    local.direction = AHOY_SENDONLY;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char previous[512], expected[512];
        struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
        snprintf(previous, sizeof previous, "%s%s", OURS, rows[i].previous);
        snprintf(expected, sizeof expected, "%s%s", OURS, rows[i].lines);
        assert_true(ahoy_sdp_parse(test_text(previous), &sdp, NULL));
        ahoy_sdp_print_offer(&local, &sdp, &buf);
        assert_span(ahoy_buf_text(&buf), expected);
        test_free_all(NULL);
    }
    local.direction = AHOY_SENDRECV;
}

static void test_nothing_in_common(void **state)
{
    static const char *const offers[] = {
        HEAD,
        HEAD "m=audio 5004 RTP/AVP 9 18\r\n",
        HEAD "m=audio 5004 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x\r\n",
        HEAD "m=audio 0 RTP/AVP 0\r\n",
        HEAD "m=image 5004 RTP/AVP 0\r\n",
        "v=0\r\no=- 1 2 IN IP4 h\r\ns=-\r\nm=audio 5004 RTP/AVP 0\r\n", /* No c=. */
        "v=0\r\no=- 1 2 IN IP4 h\r\ns=-\r\nc=IN IP4 host.example\r\nm=audio 5004 RTP/AVP 0\r\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof offers / sizeof offers[0]; i++) {
        struct ahoy_buf buf;
        assert_false(answer(offers[i], &buf));
        assert_false(ahoy_sdp_read_answer(&sdp, &local, &agreed));
        assert_int_equal(agreed.codec, AHOY_NO_CODEC);
        test_free_all(NULL);
    }
}

static void test_no_room(void **state)
{
    (void)state;
    assert_true(ahoy_sdp_parse(test_text(HEAD "m=audio 1 RTP/AVP 0\r\n"), &sdp, NULL));
    for (size_t room = 0; room < 100; room++) {
        struct ahoy_buf buf = ahoy_buf_over(space, room);
        assert_false(ahoy_sdp_print_answer(&sdp, &local, &buf, &agreed));
    }
    test_free_all(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_offer),
        cmocka_unit_test(test_offer_ipv6),
        cmocka_unit_test(test_answer),
        cmocka_unit_test(test_read_answer),
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_rtcp),
        cmocka_unit_test(test_more_codecs),
        cmocka_unit_test(test_offer_opus),
        cmocka_unit_test(test_answer_opus),
        cmocka_unit_test(test_numbers_differ),
        cmocka_unit_test(test_clocks_of_events),
        cmocka_unit_test(test_later_numbers),
        cmocka_unit_test(test_directions),
        cmocka_unit_test(test_nowhere),
        cmocka_unit_test(test_later_offer),
        cmocka_unit_test(test_nothing_in_common),
        cmocka_unit_test(test_no_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
