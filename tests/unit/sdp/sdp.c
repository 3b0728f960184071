/* Session descriptions as peers send them, sound and not (RFC 8866 5). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "libahoy/sdp/sdp.h"
#include "libahoy/syntax/message.h"
#include "tests/support/bytes.h"

#define HEAD "v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\n"

static struct ahoy_sdp sdp;

static void expect_fault(const char *text, unsigned status)
{
    struct ahoy_err err = { .status = 0 };
    assert_false(ahoy_sdp_parse(test_text(text), &sdp, &err));
    assert_int_equal(err.status, status);
    test_free_all(NULL);
}

static void test_full(void **state)
{
    (void)state;
    assert_true(ahoy_sdp_parse(
        test_text(HEAD "i=info\r\nc=IN IP4 192.0.2.7\r\nb=AS:64\r\nt=0 0\r\nt=1 2\r\nx=what\r\n"
                       "a=sendonly\r\nm=audio 4000 RTP/AVP 0 8\r\na=rtpmap:0 PCMU/8000\r\n"
                       "m=video 0/2 RTP/SAVP 96\r\nc=IN IP6 ::1\r\na=inactive\r\n"),
        &sdp, NULL));
    assert_span(sdp.origin.username, "-");
    assert_int_equal(sdp.origin.session_id, 1);
    assert_int_equal(sdp.origin.version, 2);
    assert_span(sdp.origin.network, "IN");
    assert_span(sdp.origin.family, "IP4");
    assert_span(sdp.origin.address, "192.0.2.1");
    assert_span(sdp.name, "-");
    assert_span(sdp.timing, "0 0");
    assert_int_equal(sdp.media_count, 2);
    assert_span(sdp.media[0].type, "audio");
    assert_int_equal(sdp.media[0].port, 4000);
    assert_span(sdp.media[0].protocol, "RTP/AVP");
    assert_span(sdp.media[0].formats, "0 8");
    assert_span(sdp.media[0].lines, "a=rtpmap:0 PCMU/8000\r\n");
    assert_span(sdp.media[0].connection.address, "192.0.2.7");
    assert_int_equal(sdp.media[0].direction, AHOY_SENDONLY);
    assert_int_equal(sdp.media[0].port_count, 1);
    assert_int_equal(sdp.media[1].port, 0);
    assert_int_equal(sdp.media[1].port_count, 2);
    assert_span(sdp.media[1].connection.address, "::1");
    assert_int_equal(sdp.media[1].direction, AHOY_INACTIVE);
    test_free_all(NULL);
}

/* 5: line ends of LF alone are borne. */
static void test_bare_lf(void **state)
{
    (void)state;
    assert_true(
        ahoy_sdp_parse(test_text("v=0\no=- 1 2 IN IP4 h\ns=\nm=audio 1 RTP/AVP 0\n"), &sdp, NULL));
    assert_int_equal(sdp.media_count, 1);
    assert_span(sdp.timing, "");
    assert_int_equal(sdp.media[0].direction, AHOY_SENDRECV);
    test_free_all(NULL);
}

static void test_faults(void **state)
{
    static const char *const bad[] = {
        "",
        "v=0",
        "v=1\r\no=- 1 2 IN IP4 h\r\ns=-\r\n",
        "o=- 1 2 IN IP4 h\r\nv=0\r\ns=-\r\n",
        "v=0\r\ns=-\r\n",
        "v=0\r\no=- 1 2 IN IP4 h\r\n",
        "v=0\r\no=- 1 2 IN IP4\r\ns=-\r\n",
        HEAD "v=0\r\n",
        HEAD "t=0 0",    /* Attack 31: no end of the line. */
        HEAD "b=AS\r\n", /* Attack 31: no colon. */
        HEAD "b=AS:\r\n",
        HEAD "b=\r\n",
        HEAD "b=:1\r\n",
        HEAD "\r\n",
        HEAD "c\r\n",
        HEAD "c=IN IP4\r\n",
        HEAD "t=0\r\n",
        HEAD "t=a b\r\n",
        HEAD "M=audio 1 RTP/AVP 0\r\n",
        HEAD "m=audio 70000 RTP/AVP 0\r\n",
        HEAD "m=audio 1 RTP/AVP\r\n",
        HEAD "m=audio -1 RTP/AVP 0\r\n",
        HEAD "m=audio 1/x RTP/AVP 0\r\n",
        HEAD "a=x\ry\r\n",
        HEAD "b=A S:1\r\n",
        HEAD "b=AS:x\r\n",
        HEAD "t=1 2 3\r\n",
        HEAD "u=\r\n",
        HEAD "e=\r\n",
        HEAD "p=\r\n",
        HEAD "a=\r\n",
        HEAD "a=:x\r\n",
        HEAD "a=b c\r\n",
        HEAD "m=au/dio 1 RTP/AVP 0\r\n",
        HEAD "m=audio 1/0 RTP/AVP 0\r\n",
        HEAD "m=audio 1 RTP//AVP 0\r\n",
        HEAD "m=audio 1 RTP/AVP 0 (\r\n",
        "v=0\r\no=- x 2 IN IP4 h\r\ns=-\r\n",
        "v=0\r\no=- 1 -2 IN IP4 h\r\ns=-\r\n",
        "v=0\r\no=- 18446744073709551616 2 IN IP4 h\r\ns=-\r\n",
        "v=0\r\no=- 1 2 IN IP4 h j\r\ns=-\r\n",
        "v=0\r\no=- 1 2 I/N IP4 h\r\ns=-\r\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        expect_fault(bad[i], 400);
}

/* Attack 32, and its like with other lines; the limit itself is allowed. */
static void test_limits(void **state)
{
    (void)state;
    size_t capacity = 200000;
    char *text = malloc(capacity);
    assert_non_null(text);
    size_t size = (size_t)snprintf(text, capacity, HEAD);
    for (int i = 0; i < AHOY_SDP_MEDIA_LIMIT; i++)
        size += (size_t)snprintf(text + size, capacity - size, "m=audio 1 RTP/AVP 0\r\n");
    assert_true(ahoy_sdp_parse((struct span){ text, size }, &sdp, NULL));
    assert_int_equal(sdp.media_count, AHOY_SDP_MEDIA_LIMIT);
    snprintf(text + size, capacity - size, "m=audio 1 RTP/AVP 0\r\n");
    expect_fault(text, 488);
    size = (size_t)snprintf(text, capacity, HEAD);
    for (int i = 0; i < AHOY_SDP_LINES_LIMIT; i++)
        size += (size_t)snprintf(text + size, capacity - size, "a=crypto:1 x\r\n");
    expect_fault(text, 488);
    snprintf(text, capacity, HEAD "a=%09000d\r\n", 0); /* Attack 33. */
    expect_fault(text, 488);
    size = (size_t)snprintf(text, capacity, HEAD);
    for (int i = 0; i < 10000; i++)
        size += (size_t)snprintf(text + size, capacity - size, "m=a 0 b 0\r\n");
    expect_fault(text, 488);
    free(text);
}

/* |text| is refused for what stands at |offset|. */
static void expect_place(const char *text, size_t offset, const char *expected)
{
    struct span bytes = test_text(text);
    struct ahoy_err err = { .status = 0 };
    assert_false(ahoy_sdp_parse(bytes, &sdp, &err));
    assert_int_equal(err.status, 400);
    assert_string_equal(err.expected, expected);
    assert_int_equal(ahoy_err_offset(&err, bytes), offset);
    test_free_all(NULL);
}

/* R8866-5-1: the order of section 9, and what stands once. */
static void test_order(void **state)
{
    static const char *const bad[] = {
        "v=0\r\ns=-\r\no=- 1 2 IN IP4 h\r\n",
        HEAD "s=-\r\n", /* R8866-5.3-1 */
        HEAD "o=- 1 2 IN IP4 h\r\n",
        HEAD "i=a\r\ni=b\r\n",
        HEAD "u=a\r\nu=b\r\n",
        HEAD "p=1\r\ne=a\r\n",
        HEAD "c=IN IP4 h\r\nc=IN IP4 h\r\n", /* R8866-5.7-6 */
        HEAD "b=AS:1\r\nc=IN IP4 h\r\n",
        HEAD "t=0 0\r\nb=AS:1\r\n",
        HEAD "r=1 1 0\r\n",
        HEAD "z=1 1\r\n",
        HEAD "a=x\r\nt=0 0\r\n",
        HEAD "a=x\r\nk=prompt\r\n",
        HEAD "m=audio 1 RTP/AVP 0\r\nt=0 0\r\n",
        HEAD "m=audio 1 RTP/AVP 0\r\ne=a\r\n", /* R8866-5.6-1 */
        HEAD "m=audio 1 RTP/AVP 0\r\ni=a\r\ni=b\r\n",
        HEAD "m=audio 1 RTP/AVP 0\r\nb=AS:1\r\nc=IN IP4 h\r\n",
        HEAD "m=audio 1 RTP/AVP 0\r\na=x\r\nb=AS:1\r\n",
        "v=0\r\no=- 1 2 IN IP4 h\r\nm=audio 1 RTP/AVP 0\r\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        expect_fault(bad[i], 400);
    expect_place(HEAD "a=x\r\nb=AS:1\r\n", strlen(HEAD) + 5,
                 "lines in the order v o s i u e p c b t k a");
    expect_place(HEAD "c=IN IP4\r\n", strlen(HEAD) + 2, "c= with three fields");
}

/* 5.7 */
static void test_connections(void **state)
{
    static const char *const good[] = {
        "IN IP4 192.0.2.1",         "IN IP4 233.252.0.1/127",  "IN IP4 233.252.0.1/127/3",
        "IN IP6 ff00::db8:0:101/3", "IN IP6 ff00::1",          "IN IP6 ::1",
        "IN IP4 host.example",      "IN IP4 host.example/1/2", "ATM NSAP 47.0091/1/2/3 x y",
        "IN IP4 192.0.2.1 ",
    };
    static const char *const bad[] = {
        "IN IP4 233.252.0.1",     /* R8866-5.7-2 */
        "IN IP4 233.252.0.1/256", /* R8866-5.7-3 */
        "IN IP6 ff00::1/127/3",   /* R8866-5.7-5 */
        "IN IP4 192.0.2.1/127",   /* R8866-5.7-7 */
        "IN IP6 ::1/2",
        "IN IP4 233.252.0.1/1/0",
        "IN IP4 233.252.0.1/1/2/3",
        "IN IP4 /1",
        "IN IP4 h/",
    };
    char text[256];
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        snprintf(text, sizeof text, HEAD "c=%s\r\n", good[i]);
        assert_true(ahoy_sdp_parse(test_text(text), &sdp, NULL));
        assert_int_equal(sdp.media_count, 0);
        test_free_all(NULL);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(text, sizeof text, HEAD "c=%s\r\n", bad[i]);
        expect_fault(text, 400);
    }
    /* The first of a medium's counts, or the session's. */
    assert_true(ahoy_sdp_parse(test_text(HEAD "c=IN IP4 192.0.2.1\r\nm=a 1 b 0\r\n"
                                              "c=IN IP4 233.252.0.1/1\r\n"
                                              "c=IN IP4 233.252.0.2/1\r\nm=a 1 b 0\r\n"),
                               &sdp, NULL));
    assert_span(sdp.media[0].connection.address, "233.252.0.1/1");
    assert_span(sdp.media[1].connection.address, "192.0.2.1");
    test_free_all(NULL);
}

/* 5.4 to 5.13: every line can be walked, those of unknown types too. */
static void test_walks(void **state)
{
    (void)state;
    assert_true(ahoy_sdp_parse(
        test_text(HEAD "i=info\r\nu=http://a\r\ne=a@b\r\ne=c@d\r\np=+1 2\r\nb=CT:1\r\nx=y\r\n"
                       "b=X-NEW:18446744073709551615\r\na=tool:x:y\r\na=recvonly\r\n"
                       "m=audio 1 RTP/AVP 0\r\ni=title\r\na=crypto:1 x inline:y\r\n"),
        &sdp, NULL));
    struct span rest = sdp.lines;
    struct span value;
    assert_true(ahoy_sdp_next(&rest, 'e', &value));
    assert_span(value, "a@b");
    assert_true(ahoy_sdp_next(&rest, 'e', &value));
    assert_span(value, "c@d");
    assert_false(ahoy_sdp_next(&rest, 'e', &value));
    rest = sdp.lines;
    assert_true(ahoy_sdp_next(&rest, 'x', &value));
    assert_span(value, "y");
    struct ahoy_sdp_bandwidth bandwidth;
    rest = sdp.lines;
    assert_true(ahoy_sdp_bandwidth_next(&rest, &bandwidth));
    assert_span(bandwidth.type, "CT");
    assert_true(ahoy_sdp_bandwidth_next(&rest, &bandwidth)); /* R8866-5.8-2 */
    assert_true(bandwidth.value == UINT64_MAX);
    assert_false(ahoy_sdp_bandwidth_next(&rest, &bandwidth));
    assert_true(ahoy_sdp_attribute(sdp.lines, SPAN("tool"), &value));
    assert_span(value, "x:y");
    assert_true(ahoy_sdp_attribute(sdp.lines, SPAN("recvonly"), &value));
    assert_span(value, "");
    assert_false(ahoy_sdp_attribute(sdp.lines, SPAN("too"), &value)); /* A name is whole. */
    rest = sdp.lines;
    assert_true(ahoy_sdp_attribute_find(&rest, SPAN("tool"), &value));
    assert_false(ahoy_sdp_attribute_find(&rest, SPAN("tool"), &value));
    assert_false(ahoy_sdp_attribute(sdp.lines, SPAN("crypto"), &value));
    assert_true(ahoy_sdp_attribute(sdp.media[0].lines, SPAN("crypto"), &value));
    assert_span(value, "1 x inline:y");
    assert_int_equal(sdp.media[0].direction, AHOY_RECVONLY);
    test_free_all(NULL);
}

/* 5.9 to 5.11, with their examples. */
static void test_times(void **state)
{
    (void)state;
    assert_true(ahoy_sdp_parse(test_text(HEAD "t=3724394400 3754123200\r\nr=604800 3600 0 90000\r\n"
                                              "r=7d 1h 0 25h\r\n"
                                              "z=3730928400 -1h 3749680800 0\r\nt=0 0\r\n"),
                               &sdp, NULL));
    struct span rest = sdp.lines;
    struct ahoy_sdp_time time;
    struct ahoy_sdp_repeat repeat;
    int64_t seconds;
    assert_true(ahoy_sdp_time_next(&rest, &time));
    assert_int_equal(time.start_s, 3724394400);
    assert_int_equal(time.stop_s, 3754123200);
    struct span lines = time.lines;
    for (int i = 0; i < 2; i++) {
        assert_true(ahoy_sdp_repeat_next(&lines, &repeat));
        assert_int_equal(repeat.interval_s, 604800);
        assert_int_equal(repeat.duration_s, 3600);
        assert_true(ahoy_sdp_seconds_next(&repeat.offsets, &seconds));
        assert_int_equal(seconds, 0);
        assert_true(ahoy_sdp_seconds_next(&repeat.offsets, &seconds));
        assert_int_equal(seconds, 90000);
        assert_false(ahoy_sdp_seconds_next(&repeat.offsets, &seconds));
    }
    assert_false(ahoy_sdp_repeat_next(&lines, &repeat));
    struct span zones;
    assert_true(ahoy_sdp_next(&time.lines, 'z', &zones));
    assert_true(ahoy_sdp_seconds_next(&zones, &seconds));
    assert_true(ahoy_sdp_seconds_next(&zones, &seconds));
    assert_int_equal(seconds, -3600);
    assert_true(ahoy_sdp_time_next(&rest, &time));
    assert_int_equal(time.stop_s, 0);
    assert_int_equal(time.lines.size, 0);
    assert_false(ahoy_sdp_time_next(&rest, &time));
    test_free_all(NULL);
    expect_fault(HEAD "t=0 0\r\nr=1 1\r\n", 400);
    expect_fault(HEAD "t=0 0\r\nr=0 1 0\r\n", 400);
    expect_fault(HEAD "t=0 0\r\nr=1w 1 0\r\n", 400);
    expect_fault(HEAD "t=0 0\r\nr=1 1 0 x\r\n", 400);
    expect_fault(HEAD "t=0 0\r\nr=1 1 -1\r\n", 400);
    expect_fault(HEAD "t=0 0\r\nz=1\r\n", 400);
    expect_fault(HEAD "t=0 0\r\nz=-1 0\r\n", 400);
    expect_fault(HEAD "t=0 0\r\nz=1 d\r\n", 400);
    expect_fault(HEAD "t=0 0\r\nr=106751991167301d 1 0\r\n", 400); /* No overflow. */
}

/* |text| prints as |printed|, which prints as itself. */
static void expect_print(const char *text, const char *printed)
{
    char space[2048];
    for (int i = 0; i < 2; i++) {
        struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
        assert_true(ahoy_sdp_parse(test_text(i == 0 ? text : printed), &sdp, NULL));
        ahoy_sdp_print(&sdp, &buf);
        assert_span(ahoy_buf_text(&buf), printed);
        test_free_all(NULL);
    }
}

/* The example of section 5 is canonical as it stands. */
static void test_print(void **state)
{
    static const char example[] = "v=0\r\no=jdoe 3724394400 3724394405 IN IP4 198.51.100.1\r\n"
                                  "s=Call to John Smith\r\ni=SDP Offer #1\r\n"
                                  "u=http://www.jdoe.example.com/home.html\r\n"
                                  "e=Jane Doe <jane@jdoe.example.com>\r\np=+1 617 555-6011\r\n"
                                  "c=IN IP4 198.51.100.1\r\nt=0 0\r\nm=audio 49170 RTP/AVP 0\r\n"
                                  "m=audio 49180 RTP/AVP 0\r\nm=video 51372 RTP/AVP 99\r\n"
                                  "c=IN IP6 2001:db8::2\r\na=rtpmap:99 h263-1998/90000\r\n";
    (void)state;
    expect_print(example, example);
    /* Line ends, spaces, s= and t= mended; k= discarded (R8866-5.12-2). */
    expect_print("v=0\no=- 1 2 IN IP4 h \ns=\nx=a  b\na=y\nm=audio 1 RTP/AVP 0  8 \nk=prompt\n",
                 "v=0\r\no=- 1 2 IN IP4 h\r\ns=-\r\nx=a  b\r\nt=0 0\r\na=y\r\n"
                 "m=audio 1 RTP/AVP 0 8\r\n");
    expect_print(HEAD "t=1 2\r\nr=1h 1 0\r\nt=3 4 \r\nk=prompt\r\n",
                 HEAD "t=1 2\r\nr=1h 1 0\r\nt=3 4\r\n");
}

/* Whether the body of the message in |path| breaks a rule that its authors did not write about. */
static bool is_unsound(const char *path)
{
    static const char *const names[] = {
        "/ipv4-mapped-ipv6.dat", /* Its Content-Length ends within the last line. */
        "/mult-ip-in-sdp.dat",   /* The same. */
        "/mismatch02.dat",       /* No s=: R8866-5.3-1. */
        "/test.dat",             /* The same. */
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strstr(path, names[i]) != NULL)
            return true;
    }
    return false;
}

/* All other bodies of RFC 4475, RFC 5118 and the call flows can be read, and printed. */
static void test_torture(void **state)
{
    static const char *const folders[] = { "tests/torture/messages", "tests/torture/flows" };
    static struct ahoy_message message;
    char space[8192];
    char again[8192];
    size_t seen = 0;
    (void)state;
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        const char *const *paths;
        size_t count = test_list_files(folders[i], i == 0 ? ".dat" : ".sip", &paths);
        for (size_t j = 0; j < count; j++) {
            struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
            struct ahoy_buf second = ahoy_buf_over(again, sizeof again);
            struct ahoy_err err = { .expected = NULL };
            if (!ahoy_message_parse(test_file(paths[j]), &message, NULL) ||
                !ahoy_span_equal(ahoy_message_value(&message, AHOY_HEADER_CONTENT_TYPE),
                                 SPAN("application/sdp")))
                continue;
            seen++;
            bool is_sound = ahoy_sdp_parse(message.body, &sdp, &err);
            if (is_sound == is_unsound(paths[j]))
                fail_msg("%s: expected %s", paths[j], err.expected);
            if (!is_sound)
                continue;
            ahoy_sdp_print(&sdp, &buf);
            assert_true(ahoy_sdp_parse(ahoy_buf_text(&buf), &sdp, NULL));
            ahoy_sdp_print(&sdp, &second);
            assert_true(ahoy_span_equal(ahoy_buf_text(&buf), ahoy_buf_text(&second)));
        }
    }
    assert_true(seen > 40);
    test_free_all(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),  cmocka_unit_test(test_connections),
        cmocka_unit_test(test_walks),  cmocka_unit_test(test_times),
        cmocka_unit_test(test_print),  cmocka_unit_test(test_torture),
        cmocka_unit_test(test_full),   cmocka_unit_test(test_bare_lf),
        cmocka_unit_test(test_faults), cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
