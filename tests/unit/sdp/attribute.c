/* Attributes of media: RFC 8866 6.4 to 6.6 and 6.15, RFC 3605 2.1. */
#include "libahoy/sdp/attribute.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/support/bytes.h"

static void test_rtpmap(void **state)
{
    static const char *const bad[] = { "",        "99",         "128 a/8000", "x a/8000",
                                       "9 /8000", "9 a",        "9 a/",       "9 a/x",
                                       "9 a/0",   "9 a/8000/x", "9 a/8000/0" };
    (void)state;
    struct ahoy_sdp_rtpmap map;
    assert_true(ahoy_sdp_read_rtpmap(test_text("99 h263-1998/90000"), &map, NULL));
    assert_int_equal(map.payload, 99);
    assert_span(map.encoding, "h263-1998");
    assert_int_equal(map.clock_hz, 90000);
    assert_int_equal(map.channels, 1);
    assert_true(ahoy_sdp_read_rtpmap(test_text("98 L16/11025/2"), &map, NULL));
    assert_int_equal(map.channels, 2);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct ahoy_err err = { .status = 0 };
        assert_false(ahoy_sdp_read_rtpmap(test_text(bad[i]), &map, &err));
        assert_int_equal(err.status, 400);
    }
}

static void test_find_rtpmap(void **state)
{
    (void)state;
    struct ahoy_sdp_media media = {
        .lines = test_text("a=rtpmap:0 PCMU/8000\r\na=fmtp:97 x\r\na=rtpmap:97 opus/48000/2\r\n"),
    };
    struct ahoy_sdp_rtpmap map;
    assert_true(ahoy_sdp_find_rtpmap(&media, 97, &map));
    assert_span(map.encoding, "opus");
    assert_false(ahoy_sdp_find_rtpmap(&media, 98, &map));
}

static void test_fmtp(void **state)
{
    (void)state;
    struct ahoy_sdp_fmtp fmtp;
    assert_true(
        ahoy_sdp_read_fmtp(test_text("96 profile-level-id=42e016;max-mbps=1 2"), &fmtp, NULL));
    assert_span(fmtp.format, "96");
    assert_span(fmtp.params, "profile-level-id=42e016;max-mbps=1 2");
    assert_false(ahoy_sdp_read_fmtp(test_text("96"), &fmtp, NULL));
    assert_false(ahoy_sdp_read_fmtp(test_text("96 "), &fmtp, NULL));
    assert_false(ahoy_sdp_read_fmtp(test_text(" x"), &fmtp, NULL));
}

static void test_rtcp(void **state)
{
    (void)state;
    struct ahoy_sdp_rtcp rtcp;
    assert_true(ahoy_sdp_read_rtcp(test_text("53020"), &rtcp, NULL));
    assert_int_equal(rtcp.port, 53020);
    assert_int_equal(rtcp.connection.address.size, 0);
    assert_true(ahoy_sdp_read_rtcp(test_text("53020 IN IP6 2001:2345::1"), &rtcp, NULL));
    assert_span(rtcp.connection.family, "IP6");
    assert_span(rtcp.connection.address, "2001:2345::1");
    assert_false(ahoy_sdp_read_rtcp(test_text("65536"), &rtcp, NULL));
    assert_false(ahoy_sdp_read_rtcp(test_text("1 IN IP4"), &rtcp, NULL));
}

static void test_ptime(void **state)
{
    static const struct {
        const char *text;
        uint64_t time_us; /* 0: refused. */
    } rows[] = {
        { "20", 20000 }, { "2.5", 2500 }, { "0.125", 125 },    { "1.0625", 1062 }, { "0", 0 },
        { "0.0", 0 },    { "", 0 },       { ".5", 0 },         { "1.", 0 },        { "1.x", 0 },
        { "-1", 0 },     { "1e3", 0 },    { "4294967296", 0 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t time_us = 0;
        assert_int_equal(ahoy_sdp_read_ptime(test_text(rows[i].text), &time_us, NULL),
                         rows[i].time_us > 0);
        assert_int_equal(time_us, rows[i].time_us);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_rtpmap, test_free_all),
        cmocka_unit_test_teardown(test_find_rtpmap, test_free_all),
        cmocka_unit_test_teardown(test_fmtp, test_free_all),
        cmocka_unit_test_teardown(test_rtcp, test_free_all),
        cmocka_unit_test_teardown(test_ptime, test_free_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
