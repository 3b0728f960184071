/* Keys in descriptions: what a=crypto says (RFC 4568 4, 6, 9), and offers and answers of secured
 * sound (RFC 4568 5.1 and 7.1, RFC 8643). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "libahoy/sdp/negotiate.h"
#include "tests/support/bytes.h"

#define KEY        "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj" /* RFC 4568 6.1 */
#define OTHER      "PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR"
#define LONG_KEY   "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWZBQkNERUZHSElKS0xNTg=="
#define LONG_OTHER "enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6eg=="
#define SHA80      "1 AES_CM_128_HMAC_SHA1_80 inline:"
#define HEAD                                                                                       \
    "v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\n"                             \
    "t=0 0\r\nm=audio 10 "

static struct ahoy_sdp sdp;
static struct ahoy_sdp_agreed agreed;
static char space[4096];

static struct ahoy_sdp_local local = {
    .media = { .family = AHOY_IPV4, .port = 4000, .bytes = { 192, 0, 2, 2 } },
    .security = { .wish = AHOY_SECURITY_OPTIONAL,
                  .masters = { [AHOY_AES_128_SHA1_80] = "0123456789abcdefABCDEFGHIJKLMN",
                               [AHOY_AES_128_SHA1_32] = "0123456789abcdefNMLKJIHGFEDCBA",
                               [AHOY_AES_256_SHA1_80] =
                                   "0123456789abcdef0123456789abcdefABCDEFGHIJKLMN" },
                  .tells_keys = true },
};

/* R4568-6.1-1 and -3, -6 to -8, -10 to -14, R4568-6.2.1-1, R4568-6.2.2-1, R4568-6.3.7-1,
 * R4568-4.1-1; the first row is RFC 4568 6.1's example, but for its identifier. */
static void test_crypto(void **state)
{
    static const struct {
        const char *value;
        unsigned status; /* 0: it is good. */
    } rows[] = {
        { SHA80 KEY "|2^31", 0 },
        { SHA80 KEY, 0 },
        { "1  AES_CM_128_HMAC_SHA1_32\tinline:" KEY "|281474976710656 WSH=64 -what=ever", 0 },
        { "999999999 AES_256_CM_HMAC_SHA1_80 inline:" LONG_KEY, 0 },
        { SHA80 KEY "|2^20", 488 },
        { SHA80 KEY "|1066:4", 488 },
        { SHA80 KEY "|2^31|1:4", 488 },
        { SHA80 KEY "|2^31|1:4;inline:" OTHER "|2^31|2:4", 488 },
        { SHA80 KEY ";inline:" OTHER, 488 },
        { SHA80 KEY " KDR=1", 488 },
        { SHA80 KEY " UNENCRYPTED_SRTP", 488 },
        { SHA80 KEY " UNENCRYPTED_SRTCP", 488 },
        { SHA80 KEY " UNAUTHENTICATED_SRTP", 488 },
        { SHA80 KEY " WSH=63", 488 },
        { SHA80 KEY " WSH=064", 488 },
        { "1 F8_128_HMAC_SHA1_80 inline:" KEY, 488 },
        { "", 400 },
        { "01 AES_CM_128_HMAC_SHA1_80 inline:" KEY, 400 },
        { "1234567890 AES_CM_128_HMAC_SHA1_80 inline:" KEY, 400 },
        { "1 AES_CM_128_HMAC_SHA1_80", 400 },
        { "1 AES_CM_128_HMAC_SHA1_80 uri:" KEY, 400 },
        { SHA80 KEY "A", 400 },
        { SHA80 LONG_KEY, 400 },
        { "1 AES_256_CM_HMAC_SHA1_80 inline:" KEY, 400 },
        { SHA80 "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSo", 400 },
        { SHA80 "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSo?", 400 },
        { SHA80 KEY "|0", 400 },
        { SHA80 KEY "|031", 400 },
        { SHA80 KEY "|2^49", 400 },
        { SHA80 KEY "|2^031", 400 },
        { SHA80 KEY "|281474976710657", 400 },
        { SHA80 KEY "|", 400 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ahoy_sdp_crypto crypto;
        struct ahoy_err err = { .status = 0 };
        struct span value = test_text(rows[i].value);
        if (ahoy_sdp_read_crypto(value, &crypto, &err) != (rows[i].status == 0) ||
            err.status != rows[i].status)
            fail_msg("%s: %u", rows[i].value, err.status);
        if (rows[i].status != 0)
            assert_true(ahoy_err_offset(&err, value) <= value.size);
    }
    test_free_all(NULL);
}

/* The key of RFC 4568 6.1, as bytes and back; one whose base64 is filled up. */
static void test_key_bytes(void **state)
{
    static const char *const lines[] = {
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" KEY "\r\n",
        "a=crypto:7 AES_256_CM_HMAC_SHA1_80 inline:" LONG_KEY "\r\n",
    };
    struct ahoy_sdp_crypto crypto;
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
        struct span line = test_text(lines[i]);
        struct span value = { line.at + strlen("a=crypto:"), line.size - strlen("a=crypto:\r\n") };
        assert_true(ahoy_sdp_read_crypto(value, &crypto, NULL));
        ahoy_sdp_put_crypto(&crypto, &buf);
        assert_span(ahoy_buf_text(&buf), lines[i]);
    }
    assert_memory_equal(crypto.master, local.security.masters[AHOY_AES_256_SHA1_80], 46);
    assert_true(ahoy_sdp_read_crypto(SPAN(SHA80 KEY), &crypto, NULL));
    assert_memory_equal(crypto.master,
                        "\x77\x44\x66\x76\x67\x26\x54\x2b\x29\x78\x47\x37\x40\x66\x62\x35"
                        "\x6a\x55\x2c\x52\x61\x41\x7d\x5c\x7c\x70\x30\x25\x2a\x23",
                        30);
    test_free_all(NULL);
}

static const char *text_of(struct ahoy_buf *buf)
{
    assert_false(buf->overflow);
    space[buf->size] = '\0';
    return space;
}

static const char *offer(enum ahoy_security wish, bool tells_keys)
{
    struct ahoy_sdp_local ours = local;
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space - 1);
    ours.security.wish = wish;
    ours.security.tells_keys = tells_keys;
    ahoy_sdp_print_offer(&ours, NULL, &buf);
    return text_of(&buf);
}

/* R4568-4.1-2, R4568-5.1.1-1 and -2, R4568-6-1, R4568-6.1-2 and -4, R4568-7.1.1-2: a key of its own
 * for each suite, and tags.  RFC 8643 3.1: the plain profile where it need not be secured.
 * R4568-8.3-2: no key where it could be read. */
static void test_offer(void **state)
{
    static const char keys[] = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 "
                               "inline:MDEyMzQ1Njc4OWFiY2RlZkFCQ0RFRkdISUpLTE1O\r\n"
                               "a=crypto:2 AES_256_CM_HMAC_SHA1_80 inline:" LONG_KEY "\r\n"
                               "a=crypto:3 AES_CM_128_HMAC_SHA1_32 "
                               "inline:MDEyMzQ1Njc4OWFiY2RlZk5NTEtKSUhHRkVEQ0JB\r\n";
    (void)state;
    assert_non_null(strstr(offer(AHOY_SECURITY_KEYS, true), " RTP/SAVP 0 8 101\r\n"));
    assert_non_null(strstr(space, keys));
    assert_non_null(strstr(offer(AHOY_SECURITY_OPTIONAL, true), " RTP/AVP 0 8 101\r\n"));
    assert_non_null(strstr(space, keys));
    assert_null(strstr(offer(AHOY_SECURITY_OPTIONAL, false), "crypto"));
    assert_null(strstr(offer(AHOY_SECURITY_OFF, true), "crypto"));
}

/* What comes of an offer of |media|, a line of m= from its protocol on, and more. */
static bool answer(const char *media, enum ahoy_security wish, bool tells_keys)
{
    char text[1024];
    struct ahoy_sdp_local ours = local;
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space - 1);
    ours.security.wish = wish;
    ours.security.tells_keys = tells_keys;
    assert_true((size_t)snprintf(text, sizeof text, HEAD "%s", media) < sizeof text);
    assert_true(ahoy_sdp_parse(ahoy_span(text), &sdp, NULL));
    bool is_taken = ahoy_sdp_print_answer(&sdp, &ours, &buf, &agreed);
    (void)text_of(&buf);
    return is_taken;
}

/* R4568-5.1.2-1 to -5, R4568-7.1.2-2, -3, -5 and -7: the first that is ours, with its tag, a key of
 * ours and the offer's profile; or the stream is rejected.  R4568-7.1.2-5, R4568-6.4-2: never the
 * key that the peer has. */
static void test_answer(void **state)
{
    (void)state;
    assert_true(answer("RTP/SAVP 0\r\na=crypto:4 F8_128_HMAC_SHA1_80 inline:" KEY "\r\n"
                       "a=crypto:5 AES_CM_128_HMAC_SHA1_32 inline:" KEY "\r\n"
                       "a=crypto:6 AES_CM_128_HMAC_SHA1_80 inline:" OTHER "\r\n",
                       AHOY_SECURITY_OPTIONAL, true));
    assert_non_null(strstr(space, "m=audio 4000 RTP/SAVP 0\r\n"));
    assert_non_null(strstr(space, "a=crypto:5 AES_CM_128_HMAC_SHA1_32 "
                                  "inline:MDEyMzQ1Njc4OWFiY2RlZk5NTEtKSUhHRkVEQ0JB\r\n"));
    assert_null(strstr(space, "a=crypto:6"));
    assert_int_equal(agreed.secured.suite, AHOY_AES_128_SHA1_32);
    assert_memory_equal(agreed.secured.ours, "0123456789abcdefNMLKJIHGFEDCBA", 30);
    assert_memory_equal(agreed.secured.theirs, "\x77\x44\x66\x76", 4);
    assert_false(answer("RTP/SAVP 0\r\na=crypto:1 F8_128_HMAC_SHA1_80 inline:" KEY "\r\n",
                        AHOY_SECURITY_OPTIONAL, true));
    assert_non_null(strstr(space, "m=audio 0 RTP/SAVP 0\r\n"));
    assert_false(answer("RTP/SAVP 0\r\n", AHOY_SECURITY_OPTIONAL, true));
    /* R4568-4-1: what stands at another medium is not for this one. */
    assert_false(answer("RTP/SAVP 0\r\nm=video 12 RTP/SAVP 96\r\na=crypto:" SHA80 KEY "\r\n",
                        AHOY_SECURITY_OPTIONAL, true));
    assert_false(answer("RTP/SAVP 0\r\na=crypto:" SHA80 "MDEyMzQ1Njc4OWFiY2RlZkFCQ0RFRkdISUpLTE1O"
                        "\r\n",
                        AHOY_SECURITY_OPTIONAL, true));
}

/* What is taken by what we would have, and whether keys may be told. */
static void test_wishes(void **state)
{
    enum { PLAIN = 1, SECURED = 2 };
    static const struct {
        const char *protocol;
        enum ahoy_security wish;
        bool tells_keys;
        int outcome; /* 0: rejected. */
    } rows[] = {
        { "RTP/AVP", AHOY_SECURITY_OFF, true, PLAIN },
        { "RTP/SAVP", AHOY_SECURITY_OFF, true, 0 },
        { "RTP/AVP", AHOY_SECURITY_OPTIONAL, true, SECURED }, /* RFC 8643 3.2 */
        { "RTP/SAVP", AHOY_SECURITY_OPTIONAL, true, SECURED },
        { "RTP/SAVPF", AHOY_SECURITY_OPTIONAL, true, SECURED },
        { "RTP/AVP", AHOY_SECURITY_OPTIONAL, false, PLAIN },
        { "RTP/SAVP", AHOY_SECURITY_OPTIONAL, false, 0 },
        { "RTP/AVP", AHOY_SECURITY_KEYS, true, SECURED },
        { "RTP/AVP", AHOY_SECURITY_KEYS, false, 0 },
        { "RTP/SAVP", AHOY_SECURITY_KEYS, true, SECURED },
        { "RTP/WHAT", AHOY_SECURITY_OPTIONAL, true, 0 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char media[256];
        snprintf(media, sizeof media, "%s 0\r\na=crypto:" SHA80 KEY "\r\n", rows[i].protocol);
        int outcome = 0;
        if (answer(media, rows[i].wish, rows[i].tells_keys))
            outcome = agreed.secured.suite != AHOY_NO_SUITE ? SECURED : PLAIN;
        assert_int_equal(outcome, rows[i].outcome);
    }
    assert_true(answer("RTP/AVP 0\r\n", AHOY_SECURITY_OPTIONAL, true));
    assert_false(answer("RTP/AVP 0\r\n", AHOY_SECURITY_KEYS, true));
}

/* R4568-5.1.1-3, R4568-5.1.3-1, -2, -4 and -5, R4568-7.1.3-2 to -4: an answer
 * echoes the tag of the suite that it takes, and has a key. */
static void test_read_answer(void **state)
{
    static const struct {
        const char *media;
        bool is_taken;
    } rows[] = {
        { "RTP/SAVP 0\r\na=crypto:" SHA80 KEY "\r\n", true },
        { "RTP/SAVP 0\r\na=crypto:2 AES_256_CM_HMAC_SHA1_80 inline:" LONG_OTHER "\r\n", true },
        { "RTP/SAVP 0\r\na=crypto:3 AES_CM_128_HMAC_SHA1_32 inline:" KEY "\r\n", true },
        { "RTP/SAVP 0\r\na=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:" KEY "\r\n", false },
        { "RTP/SAVP 0\r\na=crypto:" SHA80 KEY " KDR=1\r\n", false },
        { "RTP/SAVP 0\r\n", false },
        { "RTP/AVP 0\r\n", false },
    };
    char text[512];
    struct ahoy_sdp_local ours = local;
    (void)state;
    ours.security.wish = AHOY_SECURITY_KEYS;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        snprintf(text, sizeof text, HEAD "%s", rows[i].media);
        assert_true(ahoy_sdp_parse(ahoy_span(text), &sdp, NULL));
        assert_int_equal(ahoy_sdp_read_answer(&sdp, &ours, &agreed), rows[i].is_taken);
    }
    ours.security.wish = AHOY_SECURITY_OPTIONAL; /* RFC 8643 3.3: then it goes in plain. */
    assert_true(ahoy_sdp_read_answer(&sdp, &ours, &agreed));
    assert_int_equal(agreed.secured.suite, AHOY_NO_SUITE);
}

/* R4568-5.1.4-1, R4568-7.1.4-1: an offer that follows has the profile that there was, and the keys
 * where the place is the same. */
static void test_later_offer(void **state)
{
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space - 1);
    (void)state;
    assert_true(answer("RTP/SAVPF 0\r\na=crypto:9 AES_CM_128_HMAC_SHA1_80 inline:" KEY "\r\n",
                       AHOY_SECURITY_OPTIONAL, true));
    assert_true(ahoy_sdp_parse(test_text(space), &sdp, NULL));
    ahoy_sdp_print_offer(&local, &sdp, &buf);
    assert_non_null(strstr(text_of(&buf), "m=audio 4000 RTP/SAVPF 0 8\r\n"));
    assert_non_null(strstr(space, "a=crypto:1 AES_CM_128_HMAC_SHA1_80 "
                                  "inline:MDEyMzQ1Njc4OWFiY2RlZkFCQ0RFRkdISUpLTE1O\r\n"));
}

/* A plain one has no keys, in memory that had some before; and they do not outlive the wish. */
static void test_copies(void **state)
{
    static struct ahoy_sdp_local first, second;
    static const uint8_t none[AHOY_SUITES][AHOY_MASTER_LIMIT];
    (void)state;
    memset(&first, 7, sizeof first);
    ahoy_sdp_local_init(&first);
    ahoy_sdp_local_init(&second);
    assert_int_equal(first.security.wish, AHOY_SECURITY_OFF);
    assert_false(first.security.tells_keys);
    first.media.port = 4000;
    first.security.tells_keys = true;
    ahoy_sdp_local_copy(&second, &first);
    assert_int_equal(second.media.port, 4000);
    assert_true(second.security.tells_keys);
    ahoy_sdp_local_secure(&first);
    ahoy_sdp_local_secure(&second);
    assert_memory_equal(first.security.masters, none, sizeof none);
    ahoy_sdp_local_copy(&first, &local);
    ahoy_sdp_local_copy(&second, &first);
    assert_memory_equal(&second, &local, sizeof local);
    first.security.wish = AHOY_SECURITY_OFF;
    ahoy_sdp_local_copy(&second, &first);
    assert_int_equal(second.security.wish, AHOY_SECURITY_OFF);
    assert_memory_equal(second.security.masters, none, sizeof none);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crypto),      cmocka_unit_test(test_key_bytes),
        cmocka_unit_test(test_offer),       cmocka_unit_test(test_answer),
        cmocka_unit_test(test_wishes),      cmocka_unit_test(test_read_answer),
        cmocka_unit_test(test_later_offer), cmocka_unit_test(test_copies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
