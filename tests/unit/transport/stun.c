/* Keep-alives by STUN (RFC 5626 8, RFC 5389), with the bytes of RFC 5769. */
#include "libahoy/transport/stun.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define TRANSACTION "\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae"

/* RFC 5769 2.1, which has attributes of ICE: PRIORITY must be understood. */
static const char ice_request[] =
    "\x00\x01\x00\x58" TRANSACTION "\x80\x22\x00\x10"
    "STUN test client"
    "\x00\x24\x00\x04\x6e\x00\x01\xff\x80\x29\x00\x08\x93\x2f\xf9\xb1\x51\x26\x3b\x36"
    "\x00\x06\x00\x09"
    "evtj:h6vY   "
    "\x00\x08\x00\x14\x9a\xea\xa7\x0c\xbf\xd8\xcb\x56\x78\x1e\xf2\xb5\xb2\xd3\xf2\x49\xc1\xb5\x71"
    "\xa2\x80\x28\x00\x04\xe5\x7a\x3b\xcf";

static struct ahoy_ip ip_of(const char *text, uint16_t port)
{
    struct ahoy_ip ip;
    assert_true(ahoy_ip_parse(ahoy_span(text), &ip));
    ip.port = port;
    return ip;
}

static char space[AHOY_STUN_ANSWER_SIZE];

/* What |request| is answered with; empty for nothing. */
static struct span answer_to(struct span request, const char *source)
{
    struct ahoy_ip ip = ip_of(source, 32853);
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    bool answered = ahoy_stun_answer(request, &ip, &buf);
    assert_int_equal(answered, buf.size > 0);
    assert_false(buf.overflow);
    return ahoy_buf_text(&buf);
}

static void expect(struct span request, const char *source, struct span answer)
{
    struct span got = answer_to(request, source);
    assert_int_equal(got.size, answer.size);
    assert_memory_equal(got.at, answer.at, answer.size);
}

/* R5626-8-1: the addresses of RFC 5769 2.2 and 2.3, as those answers have them. */
static void the_address_is_told(void **state)
{
    (void)state;
    const struct span request = SPAN("\x00\x01\x00\x00" TRANSACTION);
    expect(request, "192.0.2.1",
           SPAN("\x01\x01\x00\x0c" TRANSACTION "\x00\x20\x00\x08\x00\x01\xa1\x47\xe1\x12\xa6\x43"));
    expect(request, "2001:db8:1234:5678:11:2233:4455:6677",
           SPAN("\x01\x01\x00\x18" TRANSACTION
                "\x00\x20\x00\x14\x00\x02\xa1\x47\x01\x13\xa9\xfa\xa5\xd3\xf1\x79\xbc\x25\xf4\xb5"
                "\xbe\xd2\xb9\xd9"));
}

/* RFC 5389 7.3.1.  The fingerprint of RFC 5769 is right, so the answer has one too: made
 * by zlib. */
static void what_must_be_understood_and_is_not(void **state)
{
    (void)state;
    expect((struct span){ ice_request, sizeof ice_request - 1 }, "192.0.2.1",
           SPAN("\x01\x11\x00\x18" TRANSACTION "\x00\x09\x00\x04\x00\x00\x04\x14"
                "\x00\x0a\x00\x02\x00\x24\x00\x00\x80\x28\x00\x04\x4a\xae\x39\x85"));
}

/* RFC 5389 7.3: silence for a fingerprint that does not fit, or is not the last. */
static void fingerprints_are_checked(void **state)
{
    (void)state;
    char bad[sizeof ice_request - 1];
    /* The transaction, SOFTWARE, and the fingerprint itself. */
    for (size_t i = 8; i < sizeof bad; i++) {
        if ((i >= 20 && i < 24) || (i >= 40 && i < sizeof bad - 4))
            continue;
        memcpy(bad, ice_request, sizeof bad);
        bad[i] ^= 0x20;
        assert_int_equal(answer_to((struct span){ bad, sizeof bad }, "192.0.2.1").size, 0);
    }
    const struct span early =
        SPAN("\x00\x01\x00\x10" TRANSACTION "\x80\x28\x00\x04\x00\x00\x00\x00\x80\x22\x00\x04text");
    assert_int_equal(answer_to(early, "192.0.2.1").size, 0);
}

/* What a credential says is of no interest, nor what comes behind it (RFC 5389 13, 15.4). */
static void attributes_that_change_nothing(void **state)
{
    (void)state;
    const struct span requests[] = {
        SPAN("\x00\x01\x00\x08" TRANSACTION "\x00\x06\x00\x01u   "),
        SPAN("\x00\x01\x00\x04" TRANSACTION "\x80\x22\x00\x00"),
        SPAN("\x00\x01\x00\x0c" TRANSACTION "\xff\xff\x00\x05longer  "),
        SPAN("\x00\x01\x00\x20" TRANSACTION "\x00\x08\x00\x14"
             "12345678901234567890"
             "\x00\x24\x00\x04late"),
    };
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        struct span answer = answer_to(requests[i], "192.0.2.1");
        assert_int_equal(answer.size, 32);
        assert_memory_equal(answer.at, "\x01\x01", 2);
    }
}

/* Attack 36. */
static void silence(void **state)
{
    (void)state;
    const struct span requests[] = {
        SPAN(""),
        SPAN("\x00\x01\x00\x00\x21\x12\xa4\x42"),                /* Half a head. */
        SPAN("\x00\x01\x00\x04" TRANSACTION),                    /* Less than it says. */
        SPAN("\x00\x01\x00\x00" TRANSACTION "more"),             /* More. */
        SPAN("\x00\x01\x00\x04" TRANSACTION "\x00\x06\x00\x01"), /* A value that is not there. */
        SPAN("\x00\x01\x00\x04" TRANSACTION "\x00\x06\xff\xff"),
        SPAN("\x00\x01\x00\x03" TRANSACTION "\x00\x06\x00"),      /* Half an attribute's head. */
        SPAN("\x00\x01\x00\x05" TRANSACTION "\x00\x06\x00\x01u"), /* No multiple of four. */
        SPAN("\x00\x01\x00\x08" TRANSACTION "\x80\x28\x00\x02\x00\x00  "), /* A short CRC. */
        SPAN("\x00\x11\x00\x00" TRANSACTION),                              /* An indication. */
        SPAN("\x01\x01\x00\x00" TRANSACTION),                              /* Answers: no loops. */
        SPAN("\x01\x11\x00\x00" TRANSACTION),
        SPAN("\x00\x03\x00\x00" TRANSACTION), /* TURN's Allocate. */
        SPAN("\x00\x01\x00\x00\x21\x12\xa4\x43"
             "123456789012"), /* Another cookie. */
    };
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++)
        assert_int_equal(answer_to(requests[i], "192.0.2.1").size, 0);
    static char large[AHOY_STUN_REQUEST_LIMIT + 4] =
        "\x00\x01\x04\xf0" TRANSACTION "\x80\x22\x04\xec";
    assert_int_equal(answer_to((struct span){ large, sizeof large }, "192.0.2.1").size, 0);
}

/* However many there are, the answer stays small. */
static void many_unknown_attributes(void **state)
{
    (void)state;
    static char many[20 + 4 * 100] = "\x00\x01\x01\x90" TRANSACTION;
    for (size_t i = 0; i < 100; i++)
        many[20 + 4 * i + 1] = 0x30;
    struct span answer = answer_to((struct span){ many, sizeof many }, "192.0.2.1");
    assert_int_equal(answer.size, 20 + 8 + 4 + 2 * AHOY_STUN_UNKNOWN_LIMIT);
}

static void told_from_sip(void **state)
{
    (void)state;
    assert_true(ahoy_stun_is(SPAN("\x00\x01\x00\x00" TRANSACTION)));
    assert_false(ahoy_stun_is(SPAN("INVI\x21\x12\xa4\x42"
                                   "234567890123456789")));
    assert_false(ahoy_stun_is(SPAN("\x00\x01\x00\x00")));
    assert_false(ahoy_stun_is(SPAN("\r\n\r\n")));
}

static const uint8_t id[AHOY_STUN_ID_SIZE] = "\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae";

/* What is asked is what is answered, to whom asks from either family: R5626-4.4.2-2. */
static void there_and_back(void **state)
{
    static const char *const sources[] = { "192.0.2.1", "2001:db8:1234:5678:11:2233:4455:6677" };
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct ahoy_ip mapped, source = ip_of(sources[i], 32853);
        char request[AHOY_STUN_ASK_SIZE];
        struct ahoy_buf buf = ahoy_buf_over(request, sizeof request);
        ahoy_stun_ask(id, &buf);
        struct span answer = answer_to(ahoy_buf_text(&buf), sources[i]);
        assert_int_equal(ahoy_stun_hear(answer, id, &mapped), AHOY_STUN_MAPPED);
        assert_true(ahoy_ip_equal(&mapped, &source));
        for (size_t size = 0; size < answer.size; size++)
            assert_int_equal(ahoy_stun_hear((struct span){ answer.at, size }, id, &mapped),
                             AHOY_STUN_NOTHING);
    }
}

static void answers(void **state)
{
    static const struct {
        struct span text;
        enum ahoy_stun_heard heard;
    } cases[] = {
        { SPAN_INIT("\x01\x11\x00\x00" TRANSACTION), AHOY_STUN_FAILED },
        { SPAN_INIT("\x01\x01\x00\x00" TRANSACTION), AHOY_STUN_FAILED },  /* No address. */
        { SPAN_INIT("\x00\x01\x00\x00" TRANSACTION), AHOY_STUN_NOTHING }, /* A request. */
        { SPAN_INIT("\x01\x01\x00\x00\x21\x12\xa4\x42"
                    "anotherone.."),
          AHOY_STUN_NOTHING },
        /* An address that is too short, and one of no family. */
        { SPAN_INIT("\x01\x01\x00\x08" TRANSACTION "\x00\x20\x00\x04\x00\x01\xa1\x47"),
          AHOY_STUN_FAILED },
        { SPAN_INIT("\x01\x01\x00\x0c" TRANSACTION
                    "\x00\x20\x00\x08\x00\x03\xa1\x47\xe1\x12\xa6\x43"),
          AHOY_STUN_FAILED },
        /* RFC 5389 7.3.3: something that must be understood, and is not. */
        { SPAN_INIT("\x01\x01\x00\x10" TRANSACTION "\x00\x24\x00\x00"
                    "\x00\x20\x00\x08\x00\x01\xa1\x47\xe1\x12\xa6\x43"),
          AHOY_STUN_FAILED },
        { SPAN_INIT("\x01\x01\x00\x10" TRANSACTION "\x80\x22\x00\x00"
                    "\x00\x20\x00\x08\x00\x01\xa1\x47\xe1\x12\xa6\x43"),
          AHOY_STUN_MAPPED },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ahoy_ip mapped;
        assert_int_equal(ahoy_stun_hear(cases[i].text, id, &mapped), cases[i].heard);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_address_is_told),
        cmocka_unit_test(what_must_be_understood_and_is_not),
        cmocka_unit_test(fingerprints_are_checked),
        cmocka_unit_test(attributes_that_change_nothing),
        cmocka_unit_test(silence),
        cmocka_unit_test(many_unknown_attributes),
        cmocka_unit_test(told_from_sip),
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
