/* Handshakes of DTLS-SRTP (RFC 5763, RFC 5764) between two ends, datagram by datagram. */
#include "libahoy/io/dtls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

enum { ACTIVE, PASSIVE, ENDS, TURNS = 64 };

static struct ahoy_dtls *ends[ENDS];
static uint8_t prints[ENDS][AHOY_DTLS_PRINT_SIZE];
static unsigned sent; /* Datagrams. */

static int open_ends(void **state)
{
    (void)state;
    sent = 0;
    for (int i = 0; i < ENDS; i++)
        ends[i] = ahoy_dtls_new(prints[i]);
    return ends[ACTIVE] != NULL && ends[PASSIVE] != NULL ? 0 : -1;
}

static int close_ends(void **state)
{
    (void)state;
    for (int i = 0; i < ENDS; i++)
        ahoy_dtls_free(ends[i]);
    return 0;
}

static void begin(void)
{
    ahoy_dtls_begin(ends[PASSIVE], false, prints[ACTIVE]);
    ahoy_dtls_begin(ends[ACTIVE], true, prints[PASSIVE]);
}

/* What each has to say reaches the other, but for the datagram |lost|, counted from 1. */
static void exchange(unsigned lost)
{
    struct span datagram;
    for (int i = 0; i < TURNS; i++) {
        while (ahoy_dtls_poll(ends[i % ENDS], &datagram)) {
            /* RFC 7983 7: DTLS is told from STUN and RTP. */
            assert_in_range((unsigned char)datagram.at[0], 20, 63);
            if (++sent != lost)
                ahoy_dtls_step(ends[(i + 1) % ENDS], datagram);
        }
    }
}

static void expect_keys(void)
{
    uint8_t ours[ENDS][AHOY_DTLS_MASTER_SIZE], theirs[ENDS][AHOY_DTLS_MASTER_SIZE];
    for (int i = 0; i < ENDS; i++) {
        assert_int_equal(ahoy_dtls_state(ends[i]), AHOY_DTLS_AGREED);
        ahoy_dtls_keys(ends[i], ours[i], theirs[i]);
        assert_true(ahoy_dtls_wait_us(ends[i]) == UINT64_MAX);
    }
    assert_memory_equal(ours[ACTIVE], theirs[PASSIVE], AHOY_DTLS_MASTER_SIZE);
    assert_memory_equal(ours[PASSIVE], theirs[ACTIVE], AHOY_DTLS_MASTER_SIZE);
    assert_memory_not_equal(ours[ACTIVE], ours[PASSIVE], AHOY_DTLS_MASTER_SIZE);
}

/* R5763-5-5 and -7, R5764-4.1.1-1 to -3, R5764-4.2-1 and -2: the active end says hello, and both
 * have the keys of each way. */
static void test_agreed(void **state)
{
    (void)state;
    begin();
    assert_int_equal(ahoy_dtls_state(ends[ACTIVE]), AHOY_DTLS_SHAKING);
    exchange(0);
    expect_keys();
}

/* R5763-5-8 and -9: who has another certificate than was told is not the peer, whichever end he
 * is. */
static void test_impostors(void **state)
{
    (void)state;
    prints[PASSIVE][31] ^= 1;
    begin();
    exchange(0);
    assert_int_equal(ahoy_dtls_state(ends[ACTIVE]), AHOY_DTLS_FAILED);
    prints[PASSIVE][31] ^= 1;
    prints[ACTIVE][0] ^= 1;
    begin();
    exchange(0);
    assert_int_equal(ahoy_dtls_state(ends[PASSIVE]), AHOY_DTLS_FAILED);
}

/* Each datagram may be lost: what was in it comes again, once it is time. */
static void test_losses(void **state)
{
    (void)state;
    for (unsigned lost = 1; lost <= 3; lost++) {
        sent = 0;
        begin();
        exchange(lost);
        assert_int_equal(ahoy_dtls_state(ends[ACTIVE]), AHOY_DTLS_SHAKING);
        uint64_t wait_us = ahoy_dtls_wait_us(ends[ACTIVE]);
        assert_in_range(wait_us, 1, 1000000);
        usleep((useconds_t)wait_us + 1000);
        for (int i = 0; i < ENDS; i++)
            ahoy_dtls_expire(ends[i]);
        exchange(0);
        expect_keys();
    }
}

/* Both begin anew with the certificates that they have: a peer who was moved. */
static void test_anew(void **state)
{
    uint8_t first[AHOY_DTLS_MASTER_SIZE], second[AHOY_DTLS_MASTER_SIZE];
    (void)state;
    begin();
    exchange(0);
    ahoy_dtls_keys(ends[ACTIVE], first, second);
    begin();
    exchange(0);
    expect_keys();
    ahoy_dtls_keys(ends[ACTIVE], second, second);
    assert_memory_not_equal(first, second, AHOY_DTLS_MASTER_SIZE);
}

/* Bytes of strangers, before and within a handshake, do nothing to it. */
static void test_strangers(void **state)
{
    static const char hello[] = "\x16\xfe\xff\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02hi";
    static const char cut[] = "\x16\xfe\xfd\x00\x00";
    (void)state;
    ahoy_dtls_step(ends[PASSIVE], (struct span){ hello, sizeof hello - 1 });
    assert_int_equal(ahoy_dtls_state(ends[PASSIVE]), AHOY_DTLS_WAITING);
    begin();
    ahoy_dtls_step(ends[PASSIVE], (struct span){ cut, sizeof cut - 1 });
    ahoy_dtls_step(ends[ACTIVE], (struct span){ cut, sizeof cut - 1 });
    ahoy_dtls_step(ends[PASSIVE], SPAN(""));
    exchange(0);
    expect_keys();
    ahoy_dtls_step(ends[PASSIVE], (struct span){ hello, sizeof hello - 1 });
    expect_keys();
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_agreed, open_ends, close_ends),
        cmocka_unit_test_setup_teardown(test_impostors, open_ends, close_ends),
        cmocka_unit_test_setup_teardown(test_losses, open_ends, close_ends),
        cmocka_unit_test_setup_teardown(test_anew, open_ends, close_ends),
        cmocka_unit_test_setup_teardown(test_strangers, open_ends, close_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
