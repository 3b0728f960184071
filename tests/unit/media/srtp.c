/* Secure RTP and RTCP (RFC 3711, RFC 6188): known packets, what came before, and rollover. */
#include "libahoy/media/srtp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "libahoy/media/octets.h"
#include "tests/support/bytes.h"

enum { HEAD_SIZE = 12, SEQUENCE_AT = 2, SSRC_AT = 8 };

/* The master key and salt of RFC 3711 B.3, those of RFC 6188 7.2, and others. */
static const uint8_t known[] = "\xe1\xf9\x7a\x0d\x3e\x01\x8b\xe0\xd6\x4f\xa3\x2c\x06\xde\x41\x39"
                               "\x0e\xc6\x75\xad\x49\x8a\xfe\xeb\xb6\x96\x0b\x3a\xab\xe6";
static const uint8_t long_one[] = "\xf0\xf0\x49\x14\xb5\x13\xf2\x76\x3a\x1b\x1f\xa1\x30\xf1\x0e\x29"
                                  "\x98\xf6\xf6\xe4\x3e\x43\x09\xd1\xe6\x22\xa0\xe3\x32\xb9\xf1\xb6"
                                  "\x3b\x04\x80\x3d\xe5\x1e\xe7\xc9\x64\x23\xab\x5b\x78\xd2";
static const uint8_t other[AHOY_MASTER_LIMIT] = { 1, 2, 3 };

#define SOUND     "\xab\xab\xab\xab\xab\xab\xab\xab\xab\xab\xab\xab\xab\xab\xab\xab"
#define RTP_HEAD  "\x80\x0f\x12\x34\xde\xca\xfb\xad\xca\xfe\xba\xbe"
#define RTCP_HEAD "\x81\xc8\x00\x0b\xca\xfe\xba\xbe"

static struct ahoy_srtp *alice, *bob;
static struct span secured, plain;

/* What Alice says, Bob hears. */
static int open_both(void **state)
{
    (void)state;
    alice = ahoy_srtp_new();
    bob = ahoy_srtp_new();
    return alice != NULL && bob != NULL &&
                   ahoy_srtp_key(alice, AHOY_SRTP_OUT, AHOY_AES_128_SHA1_80, known) &&
                   ahoy_srtp_key(bob, AHOY_SRTP_IN, AHOY_AES_128_SHA1_80, known)
               ? 0
               : -1;
}

static int close_both(void **state)
{
    ahoy_srtp_free(alice);
    ahoy_srtp_free(bob);
    return test_free_all(state);
}

/* Packets by the session keys that RFC 3711 B.3 and RFC 6188 7.2 print, computed apart from here.
 * R3711-4.1.1-1 to -3, R3711-4.2-1, R3711-4.2.1-1 to -3, R3711-4.3.1-1 to -3, -6, -8 and -9,
 * R3711-4.3.3-1, R3711-5.1-1 to -3, R3711-5.2-1 and -2, R3711-5.3-1 and -2.  R4568-6.4-3: the first
 * rollover is zero, which the tag is made from. */
static void test_known_packets(void **state)
{
    static const struct {
        enum ahoy_suite suite;
        const uint8_t *master;
        struct span secured;
    } rows[] = {
        { AHOY_AES_128_SHA1_80, known,
          SPAN_INIT(RTP_HEAD "\x4e\x55\xdc\x4c\xe7\x99\x78\xd8\x8c\xa4\xd2\x15\x94\x9d\x24\x02"
                             "\xb7\x8d\x6a\xcc\x99\xea\x17\x9b\x8d\xbb") },
        { AHOY_AES_128_SHA1_32, known,
          SPAN_INIT(RTP_HEAD "\x4e\x55\xdc\x4c\xe7\x99\x78\xd8\x8c\xa4\xd2\x15\x94\x9d\x24\x02"
                             "\xb7\x8d\x6a\xcc") },
        { AHOY_AES_256_SHA1_80, long_one,
          SPAN_INIT(RTP_HEAD "\xf1\xd9\xde\x17\xff\x25\x1f\xf1\xaa\x00\x77\x74\xb0\xb4\xb4\x0d"
                             "\xa0\x8d\x9d\x9a\x5b\x3a\x55\xd8\x87\x3b") },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_true(ahoy_srtp_key(alice, AHOY_SRTP_OUT, rows[i].suite, rows[i].master));
        assert_true(ahoy_srtp_protect(alice, false, SPAN(RTP_HEAD SOUND), &secured));
        assert_int_equal(secured.size, rows[i].secured.size);
        assert_memory_equal(secured.at, rows[i].secured.at, secured.size);
        assert_true(ahoy_srtp_key(bob, AHOY_SRTP_IN, rows[i].suite, rows[i].master));
        assert_true(ahoy_srtp_unprotect(bob, false, test_copy(secured), &plain));
        assert_true(ahoy_span_equal(plain, SPAN(RTP_HEAD SOUND)));
    }
}

/* R3711-3.4-1, -5, -6, -7, -10, -11 and -13, R3711-4.1.1-4, R3711-4.3.2-1 and -2; R4568-6.3.2-2:
 * the index, which is not encrypted, is one more each time, and E is set.  R3711-5.2-3: the tag is
 * as long with the suite whose RTP has a short one. */
static void test_rtcp(void **state)
{
    static const struct span first =
        SPAN_INIT(RTCP_HEAD "\x71\x28\x03\x5b\xe4\x87\xb9\xbd\xbe\xf8\x90\x41\xf9\x77\xa5\xa8"
                            "\x80\x00\x00\x01\x99\x3e\x08\xcd\x54\xd6\xc1\x23\x07\x98");
    (void)state;
    assert_true(ahoy_srtp_key(alice, AHOY_SRTP_OUT, AHOY_AES_128_SHA1_32, known));
    assert_true(ahoy_srtp_protect(alice, true, SPAN(RTCP_HEAD SOUND), &secured));
    assert_int_equal(secured.size, first.size);
    assert_int_equal(secured.size, strlen(SOUND) + sizeof RTCP_HEAD - 1 + AHOY_SRTCP_TRAILER);
    assert_memory_equal(secured.at, first.at, first.size);
    assert_true(ahoy_srtp_unprotect(bob, true, test_copy(secured), &plain));
    assert_true(ahoy_span_equal(plain, SPAN(RTCP_HEAD SOUND)));
    assert_false(ahoy_srtp_unprotect(bob, true, first, &plain));
    assert_true(ahoy_srtp_protect(alice, true, SPAN(RTCP_HEAD SOUND), &secured));
    assert_memory_equal(secured.at + first.size - AHOY_SRTCP_TRAILER, "\x80\x00\x00\x02", 4);
}

/* A packet of |source|, secured by Alice. */
static struct span packet_of(uint32_t source, uint16_t sequence)
{
    char bytes[] = RTP_HEAD SOUND;
    struct ahoy_buf head = ahoy_buf_over(bytes + SEQUENCE_AT, 2);
    struct ahoy_buf tail = ahoy_buf_over(bytes + SSRC_AT, 4);
    ahoy_octets_put_two(&head, sequence);
    ahoy_octets_put_four(&tail, source);
    assert_true(ahoy_srtp_protect(alice, false, (struct span){ bytes, sizeof bytes - 1 }, &plain));
    return test_copy(plain);
}

static bool hears(struct span packet)
{
    return ahoy_srtp_unprotect(bob, false, packet, &plain);
}

/* R3711-3.3-3 and -4, R3711-3.3.2-1 to -3: what came before is not heard again, what comes late is,
 * unless that is too late to be known; nor is what was changed on the way, or is another's.
 * R4568-6.4.1-1 */
static void test_strangers(void **state)
{
    struct span early = packet_of(1, 100);
    struct span late = packet_of(1, 150);
    struct span changed = packet_of(1, 151);
    (void)state;
    ((char *)changed.at)[HEAD_SIZE] ^= 1;
    assert_false(hears(changed));
    assert_false(hears((struct span){ changed.at, HEAD_SIZE }));
    assert_false(hears((struct span){ changed.at, 5 }));
    ((char *)changed.at)[HEAD_SIZE] ^= 1;
    assert_true(hears(changed));
    assert_true(hears(late));
    assert_true(hears(early));
    assert_false(hears(early));
    assert_false(hears(late));
    struct span old = packet_of(1, 152);
    assert_true(hears(packet_of(1, 500)));
    assert_false(hears(old));
    assert_true(ahoy_srtp_key(bob, AHOY_SRTP_IN, AHOY_AES_128_SHA1_80, other));
    assert_false(hears(packet_of(1, 501)));
}

/* R3711-3.3.1-1 to -3, -5 and -6: sequence numbers wrap, and both sides count how often; a packet
 * of before is still heard. */
static void test_rollover(void **state)
{
    (void)state;
    assert_true(hears(packet_of(1, 65534)));
    struct span last = packet_of(1, 65535);
    assert_true(hears(packet_of(1, 0)));
    assert_true(hears(last));
    assert_true(hears(packet_of(1, 1)));
    for (unsigned i = 2; i < 3 * 65536; i += 1000)
        assert_true(hears(packet_of(1, (uint16_t)i)));
}

/* The same key again is no news: what came before is still known, and the counts go on
 * (R4568-6.4-1).  Another one begins anew. */
static void test_keys_again(void **state)
{
    struct span first = packet_of(1, 7);
    (void)state;
    assert_true(hears(first));
    assert_true(ahoy_srtp_key(bob, AHOY_SRTP_IN, AHOY_AES_128_SHA1_80, known));
    assert_true(ahoy_srtp_key(alice, AHOY_SRTP_OUT, AHOY_AES_128_SHA1_80, known));
    assert_false(hears(first));
    assert_false(ahoy_srtp_protect(alice, false, SPAN(RTP_HEAD), &secured) &&
                 ahoy_srtp_protect(alice, false, SPAN(RTP_HEAD), &secured)); /* R3711-9.1-1 */
    assert_true(ahoy_srtp_key(bob, AHOY_SRTP_IN, AHOY_AES_128_SHA1_80, other));
    assert_true(ahoy_srtp_key(alice, AHOY_SRTP_OUT, AHOY_AES_128_SHA1_80, other));
    assert_true(hears(packet_of(1, 7)));
}

/* The peer has so many sources and no more, which would cost memory. */
static void test_sources(void **state)
{
    (void)state;
    for (uint32_t source = 1; source <= AHOY_SRTP_SOURCES_LIMIT; source++)
        assert_true(hears(packet_of(source, 1)));
    assert_false(hears(packet_of(AHOY_SRTP_SOURCES_LIMIT + 1, 1)));
    assert_true(hears(packet_of(AHOY_SRTP_SOURCES_LIMIT, 2)));
}

/* Without a key nothing is sent and nothing heard: R3711-3.2.3-2. */
static void test_no_key(void **state)
{
    (void)state;
    assert_false(ahoy_srtp_protect(bob, false, SPAN(RTP_HEAD SOUND), &secured));
    assert_false(ahoy_srtp_unprotect(alice, false, SPAN(RTP_HEAD SOUND SOUND), &plain));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_known_packets, open_both, close_both),
        cmocka_unit_test_setup_teardown(test_rtcp, open_both, close_both),
        cmocka_unit_test_setup_teardown(test_strangers, open_both, close_both),
        cmocka_unit_test_setup_teardown(test_rollover, open_both, close_both),
        cmocka_unit_test_setup_teardown(test_keys_again, open_both, close_both),
        cmocka_unit_test_setup_teardown(test_sources, open_both, close_both),
        cmocka_unit_test_setup_teardown(test_no_key, open_both, close_both),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
