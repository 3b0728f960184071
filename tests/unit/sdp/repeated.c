/* What is kept of descriptions is as good as if it were printed, or read, anew (RFC 3264). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "libahoy/sdp/repeated.h"
#include "tests/support/bytes.h"

#define REST                                                                                       \
    "s=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\nm=audio 5000 RTP/AVP 8 101\r\n"                         \
    "a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n"
#define ANSWER "v=0\r\no=- 1 2 IN IP4 192.0.2.7\r\n" REST

static struct ahoy_sdp_repeated repeated;
static struct ahoy_sdp sdp;
static struct ahoy_sdp_agreed agreed;
static struct ahoy_sdp_local local;

static int setup(void **state)
{
    (void)state;
    repeated = (struct ahoy_sdp_repeated){ .said = { .size = 0 } };
    sdp = (struct ahoy_sdp){ .media_count = 0 };
    local = (struct ahoy_sdp_local){
        .media = { .family = AHOY_IPV4, .port = 4000, .bytes = { 192, 0, 2, 2 } },
        .session_id = 9,
        .version = 1,
    };
    return 0;
}

static bool hear(const char *answer)
{
    memset(&agreed, 0x55, sizeof agreed);
    return ahoy_sdp_hear_answer(&repeated, test_text(answer), &local, &sdp, &agreed);
}

/* The same as printed in full, whatever was said before. */
static void expect_said(void)
{
    char said_space[2048], plain_space[2048];
    struct ahoy_buf said = ahoy_buf_over(said_space, sizeof said_space);
    struct ahoy_buf plain = ahoy_buf_over(plain_space, sizeof plain_space);
    ahoy_sdp_print_first(&repeated, &local, &said);
    ahoy_sdp_print_offer(&local, NULL, &plain);
    assert_false(said.overflow);
    assert_true(ahoy_span_equal(ahoy_buf_text(&said), ahoy_buf_text(&plain)));
}

/* Its numbers are the next ones (R3264-5-1), and the rest is as before. */
static void test_offers(void **state)
{
    (void)state;
    expect_said();
    local.session_id = UINT64_C(1234567890123456789);
    expect_said();
    assert_true(repeated.said.size > 0);
    local.version = 23;
    expect_said();
}

/* Each thing that it depends on is seen to have changed. */
static void test_offers_that_differ(void **state)
{
    (void)state;
    expect_said();
    local.media.port = 4002;
    expect_said();
    local.media.bytes[3] = 3;
    expect_said();
    local.direction = AHOY_SENDONLY;
    expect_said();
    local.codecs = AHOY_CODECS_G711 | 1U << AHOY_OPUS;
    expect_said();
    local.opus = 120;
    expect_said();
    local.events[AHOY_EVENTS_8000] = 99;
    expect_said();
    local.events[AHOY_EVENTS_48000] = 98;
    expect_said();
}

/* Keys are other ones each time (R4568-6.1-2), and are not kept. */
static void test_secured_is_not_kept(void **state)
{
    (void)state;
    local.security.wish = AHOY_SECURITY_OPTIONAL;
    local.security.tells_keys = true;
    expect_said();
    local.security.masters[AHOY_AES_128_SHA1_80][0] = 1;
    expect_said();
    assert_int_equal(repeated.said.size, 0);
    assert_true(hear(ANSWER));
    assert_int_equal(repeated.heard.size, 0);
    local.security.wish = AHOY_SECURITY_OFF;
    expect_said();
    assert_true(hear(ANSWER));
    assert_true(repeated.heard.size > 0);
    local.security.wish = AHOY_SECURITY_KEYS; /* Plain sound was taken before, and is not now. */
    expect_said();
    assert_false(hear(ANSWER));
}

static void expect_heard(const char *answer)
{
    struct ahoy_sdp read;
    struct ahoy_sdp_agreed plain;
    assert_true(hear(answer));
    assert_true(ahoy_sdp_parse(test_text(answer), &read, NULL));
    assert_true(ahoy_sdp_read_answer(&read, &local, &plain));
    assert_int_equal(agreed.codec, plain.codec);
    assert_int_equal(agreed.payload_type, plain.payload_type);
    assert_int_equal(agreed.direction, plain.direction);
    assert_int_equal(agreed.events, plain.events);
    assert_true(ahoy_ip_equal(&agreed.rtp, &plain.rtp));
    assert_true(ahoy_ip_equal(&agreed.rtcp, &plain.rtcp));
    assert_true(ahoy_sdp_formats_equal(&agreed.heard, &plain.heard));
}

/* Another o= changes nothing, and is not read further: there is nothing in |sdp|. */
static void test_answers(void **state)
{
    (void)state;
    expect_heard(ANSWER);
    assert_int_equal(sdp.media_count, 1);
    sdp.media_count = 0;
    expect_heard(ANSWER);
    expect_heard("v=0\r\no=carol 987654321 2 IN IP6 2001:db8::1\r\n" REST);
    assert_int_equal(sdp.media_count, 0);
    test_free_all(NULL);
}

/* What differs elsewhere, what is asked otherwise, and what ends sooner or later. */
static void test_answers_that_differ(void **state)
{
    (void)state;
    expect_heard(ANSWER);
    expect_heard("v=0\r\no=- 1 2 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.8\r\nt=0 0\r\n"
                 "m=audio 5000 RTP/AVP 0\r\n");
    assert_int_equal(agreed.codec, AHOY_PCMU);
    expect_heard(ANSWER "a=ptime:20\r\n");
    expect_heard(ANSWER);
    local.direction = AHOY_SENDONLY;
    expect_heard(ANSWER);
    assert_int_equal(agreed.direction, AHOY_SENDONLY);
    local.codecs = 1U << AHOY_PCMU; /* Nothing that was asked for. */
    assert_false(hear(ANSWER));
    assert_false(hear("v=0\r\no=- 1 2 IN IP4 192.0.2.7\r\n"));
    assert_false(hear(""));
    test_free_all(NULL);
}

/* An o= that cannot be read is no o=, though all else is as before. */
static void test_answers_with_bad_origins(void **state)
{
    static const char *const bad[] = {
        "v=0\r\no=- x 2 IN IP4 192.0.2.7\r\n" REST, "v=0\r\no=- 1 2 IN IP4\r\n" REST,
        "v=0\r\no=\r\n" REST,                       "v=0\r\no=- 1 2 IN IP4 a b\r\n" REST,
        "v=0\r\no=- 1 2 IN\rIP4 a\r\n" REST,        "v=1\r\no=- 1 2 IN IP4 192.0.2.7\r\n" REST,
        "v=0\r\n" REST
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        expect_heard(ANSWER);
        assert_false(hear(bad[i]));
    }
    test_free_all(NULL);
}

/* One that is too long for its place is read in full each time. */
static void test_long_answers(void **state)
{
    static char text[2 * AHOY_SDP_REPEATED_LIMIT];
    (void)state;
    snprintf(text, sizeof text, ANSWER "a=x:%0*d\r\n", AHOY_SDP_REPEATED_LIMIT, 0);
    expect_heard(ANSWER);
    expect_heard(text);
    assert_int_equal(repeated.heard.size, 0);
    expect_heard(text);
    test_free_all(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_offers, setup),
        cmocka_unit_test_setup(test_offers_that_differ, setup),
        cmocka_unit_test_setup(test_secured_is_not_kept, setup),
        cmocka_unit_test_setup(test_answers, setup),
        cmocka_unit_test_setup(test_answers_that_differ, setup),
        cmocka_unit_test_setup(test_answers_with_bad_origins, setup),
        cmocka_unit_test_setup(test_long_answers, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
