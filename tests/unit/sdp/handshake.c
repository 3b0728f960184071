/* Offers and answers of sound that a handshake secures (RFC 5763 5, RFC 8122), and of ICE as a lite
 * agent has it (RFC 8839 4.2.2). */
#include "libahoy/sdp/handshake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "libahoy/sdp/negotiate.h"
#include "tests/support/bytes.h"

#define HEAD    "v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
#define MEDIA   "m=audio 10 UDP/TLS/RTP/SAVPF 0\r\na=rtcp-mux\r\n"
#define HALF    "7B:8B:F0:65:5F:78:E2:51:3B:AC:6F:F3:3F:46:1B:35:"
#define PRINT   "a=fingerprint:sha-256 " HALF "dc:b8:5f:64:1a:24:c2:43:f0:a1:58:d0:a1:2c:19:08\r\n"
#define ICE     "a=ice-ufrag:4ZcD\r\na=ice-pwd:2/1muCWoOi3uLifh0NuRHlxx\r\n"
#define ACTPASS "a=setup:actpass\r\n"
#define OUR_ICE                                                                                    \
    "a=ice-ufrag:abcdefghijklm\r\na=ice-pwd:nopqrstuv0123nopqrstuv0123\r\n"                        \
    "a=candidate:1 1 UDP 2130706431 192.0.2.2 4000 typ host\r\n"
#define OUR_PRINT                                                                                  \
    "a=fingerprint:sha-256 0A:0A:0A:0A:0A:0A:0A:0A:0A:0A:0A:0A:0A:0A:0A:0A:"                       \
    "0A:0A:0A:0A:0A:0A:0A:0A:0A:0A:0A:0A:0A:0A:0A:0A\r\n"

static struct ahoy_sdp sdp;
static struct ahoy_sdp_agreed agreed;
static struct ahoy_sdp_local local;
static char space[4096];

static int set_up(void **state)
{
    (void)state;
    local = (struct ahoy_sdp_local){
        .media = { .family = AHOY_IPV4, .port = 4000, .bytes = { 192, 0, 2, 2 } },
        .security = { .wish = AHOY_SECURITY_OPTIONAL, .can_shake = true },
    };
    struct ahoy_sdp_handshake *ours = &local.security.handshake;
    memset(ours->print, 10, sizeof ours->print);
    memcpy(ours->ice.words.user, "abcdefghijklm", sizeof ours->ice.words.user);
    memcpy(ours->ice.words.word, "nopqrstuv0123nopqrstuv0123", sizeof ours->ice.words.word);
    return 0;
}

/* What comes of the offer |text|; the answer is in |space|. */
static bool answer(const char *text)
{
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space - 1);
    assert_true(ahoy_sdp_parse(test_text(text), &sdp, NULL));
    bool is_taken = ahoy_sdp_print_answer(&sdp, &local, &buf, &agreed);
    assert_false(buf.overflow);
    space[buf.size] = '\0';
    test_free_all(NULL);
    return is_taken;
}

/* R5763-5-4, -6 and -7, R5764-8-2: the offer's profile, our print, and we say hello.
 * R5761-5.1.3-3: one candidate.  R8839-4.2.1.4-2, R8839-4.2.1.5-1: we are full, by RFC 8445. */
static void test_answer(void **state)
{
    (void)state;
    assert_true(answer(HEAD MEDIA PRINT ACTPASS ICE));
    assert_non_null(strstr(space, "m=audio 4000 UDP/TLS/RTP/SAVPF 0\r\n"));
    assert_non_null(strstr(space, "t=0 0\r\na=ice-options:ice2\r\nm="));
    assert_non_null(strstr(space, OUR_PRINT "a=setup:active\r\n" OUR_ICE));
    assert_null(strstr(space, "a=crypto"));
    assert_null(strstr(space, "a=ice-lite"));
    assert_null(strstr(space, "a=connection"));
    assert_int_equal(agreed.secured.suite, AHOY_AES_128_SHA1_80);
    assert_true(agreed.secured.by_handshake && agreed.secured.is_active);
    assert_true(agreed.secured.peer.has_ice && !agreed.secured.has_offered);
    assert_memory_equal(agreed.secured.peer.print, "\x7b\x8b\xf0\x65", 4);
    assert_memory_equal(agreed.secured.peer.print + 28, "\xa1\x2c\x19\x08", 4);
}

/* The print, the words of ICE and who says hello may stand for the whole session; without ICE, or
 * with RTCP at a port of its own, there is none. */
static void test_session(void **state)
{
    (void)state;
    assert_true(answer(HEAD PRINT ACTPASS ICE MEDIA));
    assert_true(agreed.secured.is_active && agreed.secured.peer.has_ice);
    assert_true(agreed.secured.peer.ice_mark != 0);
    assert_true(answer(HEAD PRINT ACTPASS MEDIA));
    assert_false(agreed.secured.peer.has_ice);
    assert_null(strstr(space, "a=ice"));
    assert_null(strstr(space, "a=candidate"));
    assert_true(answer(HEAD PRINT ACTPASS ICE "m=audio 10 UDP/TLS/RTP/SAVP 0\r\n"));
    assert_false(agreed.secured.peer.has_ice);
}

/* R5763-5-2: whoever says hello, the other does not; who has said it in a call does again
 * (R5763-6.6-1).  RFC 4145 4.1: he does where nothing is said. */
static void test_setup(void **state)
{
    static const struct {
        const char *line;
        bool was_passive, is_taken, is_active;
    } rows[] = {
        { ACTPASS, false, true, true },
        { ACTPASS, true, true, false },
        { "a=setup:active\r\n", false, true, false },
        { "a=setup:passive\r\n", false, true, true },
        { "", false, true, false },
        { "a=setup:holdconn\r\n", false, false, false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[1024];
        snprintf(text, sizeof text, HEAD MEDIA PRINT "%s", rows[i].line);
        local.security.is_passive = rows[i].was_passive;
        assert_int_equal(answer(text), rows[i].is_taken);
        assert_int_equal(agreed.secured.is_active, rows[i].is_active);
    }
}

/* R5763-5-7: without a print that can be read nothing is taken; nor by who wants no handshake, or
 * can none. */
static void test_refused(void **state)
{
    static const char *const offers[] = {
        HEAD MEDIA ACTPASS,
        HEAD MEDIA ACTPASS "a=fingerprint:sha-1 " HALF "DC:B8:5F:64\r\n",
        HEAD MEDIA ACTPASS "a=fingerprint:sha-256 " HALF "DC:B8:5F:64\r\n",
        HEAD MEDIA ACTPASS "a=fingerprint:sha-256 " HALF HALF "00\r\n",
        HEAD MEDIA ACTPASS "a=fingerprint:sha-256 " HALF
                           "DC:B8:5F:64:1A:24:C2:43:F0:A1:58:D0:A1:2C:19:0G\r\n",
        HEAD MEDIA ACTPASS "a=fingerprint:sha-256 " HALF
                           "DC:B8:5F:64:1A:24:C2:43:F0:A1:58:D0:A1:2C:19-08\r\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof offers / sizeof offers[0]; i++)
        assert_false(answer(offers[i]));
    local.security.wish = AHOY_SECURITY_HANDSHAKE;
    assert_true(answer(HEAD MEDIA PRINT ACTPASS));
    assert_false(answer(HEAD "m=audio 10 RTP/AVP 0\r\n"));
    local.security.wish = AHOY_SECURITY_KEYS;
    assert_false(answer(HEAD MEDIA PRINT ACTPASS));
    local.security.wish = AHOY_SECURITY_OFF;
    assert_false(answer(HEAD MEDIA PRINT ACTPASS));
    local.security.wish = AHOY_SECURITY_OPTIONAL;
    local.security.can_shake = false;
    assert_false(answer(HEAD MEDIA PRINT ACTPASS));
}

/* R5763-5-3: an offer lets the peer choose who says hello; he must choose. */
static void test_offer(void **state)
{
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space - 1);
    (void)state;
    local.security.wish = AHOY_SECURITY_HANDSHAKE;
    ahoy_sdp_print_offer(&local, NULL, &buf);
    space[buf.size] = '\0';
    assert_non_null(
        strstr(space, "a=ice-options:ice2\r\nm=audio 4000 UDP/TLS/RTP/SAVPF 0 8 101\r\n"));
    assert_non_null(strstr(space, OUR_PRINT ACTPASS OUR_ICE));
    assert_non_null(strstr(space, "a=rtcp-mux\r\n"));
    assert_true(ahoy_sdp_parse(test_text(HEAD MEDIA PRINT "a=setup:active\r\n"), &sdp, NULL));
    assert_true(ahoy_sdp_read_answer(&sdp, &local, &agreed));
    assert_false(agreed.secured.is_active);
    assert_true(ahoy_sdp_parse(test_text(HEAD MEDIA PRINT ACTPASS), &sdp, NULL));
    assert_false(ahoy_sdp_read_answer(&sdp, &local, &agreed));
    test_free_all(NULL);
}

/* A browser's default address may be zeros, as checks will show where it is: that is no hold. */
static void test_nowhere(void **state)
{
    (void)state;
    assert_true(
        answer("v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n" MEDIA PRINT
                   ACTPASS ICE));
    assert_int_equal(agreed.direction, AHOY_SENDRECV);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_answer, set_up), cmocka_unit_test_setup(test_session, set_up),
        cmocka_unit_test_setup(test_setup, set_up),  cmocka_unit_test_setup(test_refused, set_up),
        cmocka_unit_test_setup(test_offer, set_up),  cmocka_unit_test_setup(test_nowhere, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
