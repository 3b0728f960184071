/* ICE in descriptions: candidates, words, options (RFC 8839 4.2.5, 5). */
#include "libahoy/sdp/ice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/support/bytes.h"

#define HEAD  "v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.3\r\nt=0 0\r\n"
#define MEDIA "m=audio 45664 RTP/AVP 0\r\na=rtcp-mux\r\n"
#define WORDS "a=ice-ufrag:8hhY\r\na=ice-pwd:asd88fgpdd777uzjYhagZg\r\n"
#define HOST  "a=candidate:1 1 UDP 2130706431 203.0.113.141 8998 typ host\r\n"
#define SRFLX                                                                                      \
    "a=candidate:2 1 UDP 1694498815 192.0.2.3 45664 typ srflx raddr 203.0.113.141 rport 8998\r\n"

static struct ahoy_sdp sdp;
static struct ahoy_ice_peer peer;

/* What is kept of |text|, read again. */
static bool keep(const char *text)
{
    char room[AHOY_ICE_LINES_SIZE];
    struct ahoy_buf lines = ahoy_buf_over(room, sizeof room);
    assert_true(ahoy_sdp_parse(test_text(text), &sdp, NULL));
    ahoy_sdp_copy_ice(&sdp, &lines);
    assert_false(lines.overflow);
    bool is_read = ahoy_sdp_read_ice(test_copy(ahoy_buf_text(&lines)), &peer);
    test_free_all(NULL);
    return is_read;
}

/* The example of 4.2.6. */
static void test_reads(void **state)
{
    (void)state;
    assert_true(keep(
        HEAD
        "a=ice-options:rtp+ecn ice2\r\na=ice-pacing:80\r\na=ice-lite\r\n" WORDS MEDIA HOST SRFLX
        "a=remote-candidates:1 192.0.2.9 4000\r\n"));
    assert_int_equal(peer.user_size, 4);
    assert_memory_equal(peer.user, "8hhY", 4);
    assert_int_equal(peer.word_size, 22);
    assert_true(peer.is_modern && peer.is_lite);
    assert_int_equal(peer.pacing_ms, 80);
    assert_int_equal(peer.count, 2);
    assert_int_equal(peer.candidates[1].kind, AHOY_CANDIDATE_SERVER);
    assert_int_equal(peer.candidates[1].priority, 1694498815);
    assert_int_equal(peer.candidates[1].ip.port, 45664);
    assert_true(peer.candidates[0].foundation != peer.candidates[1].foundation);
    assert_int_equal(peer.ours.port, 4000);
    /* A medium's own words count: 5.4. */
    assert_true(keep(HEAD "a=ice-ufrag:else\r\n" MEDIA WORDS HOST SRFLX));
    assert_memory_equal(peer.user, "8hhY", 4);
    assert_true(!peer.is_modern && !peer.is_lite);
    assert_int_equal(peer.pacing_ms, 50);
}

/* R8839-5.1-2 and -10: names, other components and protocols, and what is no candidate, are
 * passed over; no more are kept than there is room for. */
static void test_passes_over(void **state)
{
    static const char *const lines[] = {
        "1 1 UDP 99 host.example 4 typ host",
        "1 2 UDP 99 192.0.2.1 4 typ host",
        "1 1 TCP 99 192.0.2.1 9 typ host",
        "1 1 UDP 0 192.0.2.1 4 typ host",
        "1 1 UDP 2147483648 192.0.2.1 4 typ host",
        "1 1 UDP 9x 192.0.2.1 4 typ host",
        "1 1 UDP 99 192.0.2.1 65536 typ host",
        "1 1 UDP 99 192.0.2.1 0 typ host",
        "1 1 UDP 99 0.0.0.0 4 typ host",
        "1 1 UDP 99 224.0.0.1 4 typ host",
        "1 1 UDP 99 192.0.2.1 4 host",
        "1 1 UDP 99 192.0.2.1 4 typ",
        "123456789012345678901234567890123 1 UDP 99 192.0.2.1 4 typ host",
    };
    char text[4096];
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        snprintf(text, sizeof text, HEAD MEDIA WORDS SRFLX "a=candidate:%s\r\n", lines[i]);
        assert_true(keep(text));
        assert_int_equal(peer.count, 1);
    }
    assert_true(keep(HEAD MEDIA WORDS SRFLX
                     "a=candidate:9 1 udp 7 2001:db8::1 4 typ new generation 0\r\n"));
    assert_int_equal(peer.count, 2);
    int size = snprintf(text, sizeof text, HEAD MEDIA WORDS SRFLX);
    for (int i = 0; i < 40; i++)
        size += snprintf(text + size, sizeof text - (size_t)size,
                         "a=candidate:1 1 UDP 99 192.0.2.1 %d typ host\r\n", 1000 + i);
    assert_true(keep(text));
    assert_int_equal(peer.count, AHOY_CANDIDATES_LIMIT);
}

static bool has_ice(const char *text)
{
    uint64_t mark;
    assert_true(ahoy_sdp_parse(test_text(text), &sdp, NULL));
    bool has = ahoy_sdp_has_ice(&sdp, &sdp.media[0], &mark);
    assert_int_equal(has, mark != 0);
    test_free_all(NULL);
    return has;
}

/* R8839-4.2.5-3 to -5: where the default address is no candidate somebody has changed it; but not
 * zeros, names, and where there are no candidates so far. */
static void test_mismatch(void **state)
{
    (void)state;
    assert_true(has_ice(HEAD MEDIA WORDS HOST SRFLX));
    assert_false(has_ice(HEAD MEDIA WORDS HOST));
    assert_true(has_ice(HEAD MEDIA WORDS HOST "a=candidate:1 1 UDP 9 a.local 4 typ host\r\n"));
    assert_true(has_ice(HEAD MEDIA WORDS));
    assert_true(
        has_ice(HEAD "m=audio 9 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\na=rtcp-mux\r\n" WORDS HOST));
    assert_true(
        has_ice(HEAD "m=audio 10 RTP/AVP 0\r\nc=IN IP4 a.example\r\na=rtcp-mux\r\n" WORDS HOST));
    assert_false(has_ice(HEAD MEDIA WORDS SRFLX "a=ice-mismatch\r\n"));
    assert_false(has_ice(HEAD MEDIA HOST SRFLX));
    assert_false(has_ice(HEAD "m=audio 45664 RTP/AVP 0\r\n" WORDS SRFLX));
}

/* Words that are too short or too long are none: 5.4. */
static void test_words(void **state)
{
    char text[2048], word[300];
    (void)state;
    assert_false(keep(HEAD MEDIA SRFLX "a=ice-ufrag:8hh\r\na=ice-pwd:asd88fgpdd777uzjYhagZg\r\n"));
    assert_false(keep(HEAD MEDIA SRFLX "a=ice-ufrag:8hhY\r\na=ice-pwd:asd88fgpdd777uzjYhagZ\r\n"));
    for (size_t size = 256; size <= 257; size++) {
        memset(word, 'a', size);
        word[size] = '\0';
        snprintf(text, sizeof text, HEAD MEDIA SRFLX "a=ice-ufrag:%s\r\na=ice-pwd:%s\r\n", word,
                 word);
        assert_int_equal(keep(text), size == 256);
    }
}

/* What we print is read as it was meant: R8839-5.1-6 and -7. */
static void test_prints(void **state)
{
    char space[1024];
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space - 1);
    const struct ahoy_ip base = { .family = AHOY_IPV4, .port = 4000, .bytes = { 10, 0, 0, 2 } };
    const struct ahoy_ip seen = { .family = AHOY_IPV4, .port = 5000, .bytes = { 192, 0, 2, 2 } };
    struct ahoy_sdp_ice ice = {
        .count = 2,
        .candidates = { { .ip = base, .priority = 2130706431, .foundation = 1 },
                        { .ip = seen,
                          .kind = AHOY_CANDIDATE_SERVER,
                          .priority = 1694498815,
                          .foundation = 17 } },
    };
    (void)state;
    memset(&ice.words, 'w', sizeof ice.words);
    ahoy_sdp_put_ice(&ice, &base, true, &buf);
    space[buf.size] = '\0';
    assert_non_null(
        strstr(space, "a=candidate:1 1 UDP 2130706431 10.0.0.2 4000 typ host\r\n"
                      "a=candidate:17 1 UDP 1694498815 192.0.2.2 5000 typ srflx raddr 10.0.0.2 "
                      "rport 4000\r\n"));
    assert_true(ahoy_sdp_read_ice(ahoy_buf_text(&buf), &peer));
    assert_int_equal(peer.count, 2);
    assert_true(ahoy_ip_equal(&peer.candidates[1].ip, &seen));
    assert_null(strstr(space, "remote-candidates"));
}

/* RFC 8839 5.1: what a relay is related to is how its server sees us. */
static void test_relayed(void **state)
{
    char space[1024];
    const struct ahoy_ip base = { .family = AHOY_IPV4, .port = 4000, .bytes = { 10, 0, 0, 2 } };
    struct ahoy_sdp_ice ice = {
        .count = 2,
        .candidates = { { .ip = base, .priority = 2130706431, .foundation = 1 },
                        { .ip = { .family = AHOY_IPV4, .port = 50000, .bytes = { 192, 0, 2, 9 } },
                          .related = { .family = AHOY_IPV4, .port = 5, .bytes = { 192, 0, 2, 2 } },
                          .kind = AHOY_CANDIDATE_RELAYED,
                          .base = 1,
                          .priority = 16776959,
                          .foundation = 50 } },
    };
    static const char line[] = "a=candidate:50 1 UDP 16776959 192.0.2.9 50000 typ relay raddr "
                               "192.0.2.2 rport 5\r\n";
    (void)state;
    memset(&ice.words, 'w', sizeof ice.words);
    for (int i = 0; i < 2; i++) {
        struct ahoy_buf buf = ahoy_buf_over(space, sizeof space - 1);
        ahoy_sdp_put_ice(&ice, &base, true, &buf);
        space[buf.size] = '\0';
        assert_non_null(strstr(space, line));
        assert_true(ahoy_sdp_read_ice(ahoy_buf_text(&buf), &peer));
        assert_int_equal(peer.candidates[1 - i].kind, AHOY_CANDIDATE_RELAYED);
        ice.settled = (struct ahoy_sdp_settled){ .is_settled = true, .ours = ice.candidates[1] };
    }
}

/* R8839-4.4.1.2.2-2 and -3, R8839-5.2-2: what was settled on is the only candidate, and offers of
 * who controls say which of the peer's goes with it. */
static void test_settled(void **state)
{
    const struct ahoy_ip base = { .family = AHOY_IPV4, .port = 4000, .bytes = { 10, 0, 0, 2 } };
    const struct ahoy_ip seen = { .family = AHOY_IPV4, .port = 5000, .bytes = { 192, 0, 2, 2 } };
    struct ahoy_sdp_ice ice = {
        .count = 1,
        .candidates = { { .ip = base, .priority = 2130706431, .foundation = 1 } },
        .settled = { .is_settled = true,
                     .controls = true,
                     .ours = { .ip = seen, .kind = AHOY_CANDIDATE_PEER, .priority = 77 },
                     .theirs = { .family = AHOY_IPV4, .port = 6000, .bytes = { 192, 0, 2, 9 } } },
    };
    (void)state;
    memset(&ice.words, 'w', sizeof ice.words);
    for (int i = 0; i < 3; i++) {
        char space[1024];
        struct ahoy_buf buf = ahoy_buf_over(space, sizeof space - 1);
        bool is_offer = i > 0;
        ice.settled.controls = i < 2;
        ahoy_sdp_put_ice(&ice, &seen, is_offer, &buf);
        space[buf.size] = '\0';
        const char *first = strstr(space, "a=candidate:");
        assert_non_null(first);
        assert_non_null(strstr(first, " 192.0.2.2 5000 typ prflx raddr 10.0.0.2 rport 4000\r\n"));
        assert_null(strstr(first + 1, "a=candidate:"));
        assert_int_equal(strstr(space, "a=remote-candidates:1 192.0.2.9 6000\r\n") != NULL,
                         is_offer && ice.settled.controls);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads),    cmocka_unit_test(test_passes_over),
        cmocka_unit_test(test_mismatch), cmocka_unit_test(test_words),
        cmocka_unit_test(test_relayed),  cmocka_unit_test(test_prints),
        cmocka_unit_test(test_settled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
