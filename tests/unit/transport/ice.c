/* Checks of ICE (RFC 8445 7.1, 7.3) and their answers, with the bytes of RFC 5769, and what shares
 * a port of sound (RFC 7983). */
#include "libahoy/transport/ice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/support/bytes.h"

#define TRANSACTION "\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae"

/* RFC 5769 2.1; the others are made apart from here, one of them with USE-CANDIDATE. */
static const char check[] =
    "\x00\x01\x00\x58" TRANSACTION "\x80\x22\x00\x10"
    "STUN test client"
    "\x00\x24\x00\x04\x6e\x00\x01\xff\x80\x29\x00\x08\x93\x2f\xf9\xb1\x51\x26\x3b\x36"
    "\x00\x06\x00\x09"
    "evtj:h6vY   "
    "\x00\x08\x00\x14\x9a\xea\xa7\x0c\xbf\xd8\xcb\x56\x78\x1e\xf2\xb5\xb2\xd3\xf2\x49\xc1\xb5\x71"
    "\xa2\x80\x28\x00\x04\xe5\x7a\x3b\xcf";
static const char nomination[] =
    "\x00\x01\x00\x3c\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae\x00\x24"
    "\x00\x04\x6e\x00\x01\xff\x00\x06\x00\x09\x65\x76\x74\x6a\x3a\x68\x36\x76\x59\x00\x00\x00"
    "\x00\x25\x00\x00\x00\x08\x00\x14\x7a\x4e\x0e\xed\xea\x3e\x46\xf8\x13\x41\xc7\xea\x2b\xae"
    "\x02\x06\xfe\xce\x36\x8c\x80\x28\x00\x04\xc7\x6e\x17\x1d";
/* The same with an attribute that is unknown and must be understood. */
static const char strange[] =
    "\x00\x01\x00\x3c\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae\x00\x24"
    "\x00\x04\x6e\x00\x01\xff\x00\x06\x00\x09\x65\x76\x74\x6a\x3a\x68\x36\x76\x59\x00\x00\x00"
    "\x00\x26\x00\x00\x00\x08\x00\x14\x4e\x0a\x33\x34\xe7\x43\xea\xbc\xa7\xc2\x85\xb2\xac\x57"
    "\xd3\x69\xf0\x8f\xfd\x71\x80\x28\x00\x04\x45\x53\x8d\x06";
static const struct ahoy_ice_secret secret = { SPAN_INIT("evtj"),
                                               SPAN_INIT("VOkJxbRl1RmTxUk/WvJxBt") };

static struct ahoy_ip source = { .family = AHOY_IPV4, .port = 32853, .bytes = { 192, 0, 2, 1 } };
static char space[AHOY_ICE_ANSWER_SIZE];
static struct ahoy_buf answer;

static struct ahoy_ice_check read;

static bool ask(struct span request)
{
    answer = ahoy_buf_over(space, sizeof space);
    if (!ahoy_ice_read(test_copy(request), &secret, &read))
        return false;
    ahoy_ice_put_answer(request, &source, secret.word, &answer);
    assert_false(answer.overflow);
    return true;
}

static struct span check_span(void)
{
    return (struct span){ check, sizeof check - 1 };
}

/* R8445-7.3-1 to -5, -7 and -8: who knows the words is answered by where he is seen, and by proof
 * of them; what he nominates is said. */
static void test_answers(void **state)
{
    static const char expected[] =
        "\x01\x01\x00\x2c" TRANSACTION "\x00\x20\x00\x08\x00\x01\xa1\x47\xe1\x12\xa6\x43"
        "\x00\x08\x00\x14\x74\xc9\x37\x1e\xbf\x31\x48\x54\x85\x18\x69\x9c\x3e\x31\x74\xc2\x0d\xd9"
        "\xe6\x8a\x80\x28\x00\x04\xfa\xe4\x04\x3a";
    (void)state;
    assert_true(ask(check_span()));
    assert_int_equal(answer.size, sizeof expected - 1);
    assert_memory_equal(answer.at, expected, answer.size);
    assert_false(read.is_nomination);
    assert_int_equal(read.priority, 0x6e0001ff);
    assert_int_equal(read.role, AHOY_ICE_CONTROLLED);
    assert_true(read.tie == UINT64_C(0x932ff9b151263b36));
    assert_int_equal(read.theirs.size, 4);
    assert_true(ask((struct span){ nomination, sizeof nomination - 1 }));
    assert_true(read.is_nomination && read.role == AHOY_ICE_NO_ROLE);
    source.family = AHOY_IPV6;
    assert_true(ask(check_span()));
    assert_int_equal(answer.size, 20 + 24 + 24 + 8);
    source.family = AHOY_IPV4;
}

/* Nobody else is answered: not by one bit that differs, a part of a check, another's words, or an
 * attribute that must be understood. */
static void test_strangers(void **state)
{
    static const struct ahoy_ice_secret others[] = {
        { SPAN_INIT("evtk"), SPAN_INIT("VOkJxbRl1RmTxUk/WvJxBt") },
        { SPAN_INIT("evt"), SPAN_INIT("VOkJxbRl1RmTxUk/WvJxBt") },
        { SPAN_INIT("evtj:h6vY"), SPAN_INIT("VOkJxbRl1RmTxUk/WvJxBt") },
        { SPAN_INIT("evtj"), SPAN_INIT("VOkJxbRl1RmTxUk/WvJxBT") },
    };
    (void)state;
    for (size_t bit = 0; bit < (sizeof check - 1) * 8; bit++) {
        struct span changed = test_copy(check_span());
        ((char *)changed.at)[bit / 8] ^= (char)(1 << bit % 8);
        assert_false(ask(changed));
        test_free_all(NULL);
    }
    for (size_t size = 0; size < sizeof check - 1; size++)
        assert_false(ask((struct span){ check, size }));
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_false(ahoy_ice_read(check_span(), &others[i], &read));
    assert_false(ask((struct span){ strange, sizeof strange - 1 }));
    test_free_all(NULL);
}

static const uint8_t id[AHOY_STUN_ID_SIZE] = "transaction";

/* What we ask is read by whom it is for as it was meant: R8445-7.1.1-1, R8445-7.1.2-1,
 * R8445-7.1.3-1 and -2, R8445-7.2.2-1, R8445-7.2.4-2. */
static void test_asks(void **state)
{
    char room[AHOY_ICE_ASK_SIZE];
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct ahoy_buf buf = ahoy_buf_over(room, sizeof room);
        const struct ahoy_ice_check asked = {
            .theirs = SPAN("h6vY"),
            .priority = 0x6e00ffff,
            .role = i < 2 ? AHOY_ICE_CONTROLLING : AHOY_ICE_CONTROLLED,
            .tie = UINT64_C(0x0123456789abcdef),
            .is_nomination = i == 1,
        };
        ahoy_ice_ask(id, &secret, &asked, &buf);
        assert_false(buf.overflow);
        assert_true(ask(ahoy_buf_text(&buf)));
        assert_true(ahoy_span_equal(read.theirs, asked.theirs));
        assert_int_equal(read.priority, asked.priority);
        assert_int_equal(read.role, asked.role);
        assert_true(read.tie == asked.tie);
        assert_int_equal(read.is_nomination, asked.is_nomination);
        test_free_all(NULL);
    }
}

/* Answers count where they are to that check, and proved by the password of who was asked. */
static void test_hears(void **state)
{
    static const uint8_t other[AHOY_STUN_ID_SIZE] = "Transaction";
    char room[AHOY_ICE_ASK_SIZE];
    struct ahoy_ip mapped;
    struct ahoy_buf buf = ahoy_buf_over(room, sizeof room);
    const struct ahoy_ice_check asked = { .theirs = SPAN("h6vY"), .role = AHOY_ICE_CONTROLLED };
    (void)state;
    ahoy_ice_ask(id, &secret, &asked, &buf);
    assert_true(ask(ahoy_buf_text(&buf)));
    struct span text = ahoy_buf_text(&answer);
    assert_int_equal(ahoy_ice_hear(text, id, secret.word, &mapped), AHOY_ICE_SEEN);
    assert_true(ahoy_ip_equal(&mapped, &source));
    assert_int_equal(ahoy_ice_hear(text, other, secret.word, &mapped), AHOY_ICE_NOTHING);
    assert_int_equal(ahoy_ice_hear(text, id, SPAN("VOkJxbRl1RmTxUk/WvJxBT"), &mapped),
                     AHOY_ICE_NOTHING);
    for (size_t bit = 0; bit < text.size * 8; bit++) {
        struct span changed = test_copy(text);
        ((char *)changed.at)[bit / 8] ^= (char)(1 << bit % 8);
        assert_int_equal(ahoy_ice_hear(changed, id, secret.word, &mapped), AHOY_ICE_NOTHING);
        test_free_all(NULL);
    }
    answer = ahoy_buf_over(space, sizeof space);
    ahoy_ice_put_conflict(ahoy_buf_text(&buf), secret.word, &answer);
    text = ahoy_buf_text(&answer);
    assert_int_equal(ahoy_ice_hear(text, id, secret.word, &mapped), AHOY_ICE_CONFLICT);
    assert_int_equal(ahoy_ice_hear(text, id, SPAN("VOkJxbRl1RmTxUk/WvJxBT"), &mapped),
                     AHOY_ICE_NOTHING);
    assert_false(ask(text)); /* It is none. */
    test_free_all(NULL);
}

/* RFC 7983 7, at the borders. */
static void test_port(void **state)
{
    static const struct {
        unsigned char first;
        enum ahoy_port_use use;
    } rows[] = {
        { 0, AHOY_PORT_STUN },   { 3, AHOY_PORT_STUN },    { 4, AHOY_PORT_OTHER },
        { 19, AHOY_PORT_OTHER }, { 20, AHOY_PORT_DTLS },   { 63, AHOY_PORT_DTLS },
        { 64, AHOY_PORT_OTHER }, { 127, AHOY_PORT_OTHER }, { 128, AHOY_PORT_RTP },
        { 191, AHOY_PORT_RTP },  { 192, AHOY_PORT_OTHER }, { 255, AHOY_PORT_OTHER },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(ahoy_port_use((struct span){ (const char *)&rows[i].first, 1 }),
                         rows[i].use);
    assert_int_equal(ahoy_port_use(SPAN("")), AHOY_PORT_OTHER);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_answers, test_free_all),
        cmocka_unit_test(test_strangers),
        cmocka_unit_test(test_asks),
        cmocka_unit_test(test_hears),
        cmocka_unit_test(test_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
