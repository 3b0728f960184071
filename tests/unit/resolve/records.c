/* DNS messages as they come (RFC 1035 4.1), and as they should not (attack 42). */
#include "libahoy/resolve/records.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "sim/zone.h"

/* A header with one question, |answers| records, and the question itself: "a", any type. */
#define HEAD(flags, answers) "\0\1" flags "\0\1\0" answers "\0\0\0\0\1a\0\0\1\0\1"
#define OK                   "\x81\x80"

static enum ahoy_dns_verdict count(struct span message, enum ahoy_dns_type type, size_t *found)
{
    struct ahoy_records records;
    struct ahoy_record record;
    enum ahoy_dns_verdict verdict = ahoy_records_begin(&records, message, type);
    *found = 0;
    while (verdict == AHOY_DNS_FOUND && ahoy_records_next(&records, &record))
        ++*found;
    return verdict;
}

struct message {
    struct span text;
    enum ahoy_dns_verdict verdict;
    size_t found; /* Addresses of IPv4. */
};

#define OWNER   "\xc0\x0c"
#define A_IN    "\0\1\0\1\0\0\0\x3c"
#define ADDRESS "\xc0\0\2\1"

static const struct message messages[] = {
    { SPAN_INIT(""), AHOY_DNS_FAILED, 0 },
    { SPAN_INIT("\0\1\x81\x80\0\0\0\0\0\0\0"), AHOY_DNS_FAILED, 0 },
    { SPAN_INIT(HEAD(OK, "\0")), AHOY_DNS_NONE, 0 },
    { SPAN_INIT(HEAD("\x81\x83", "\0")), AHOY_DNS_NONE, 0 },   /* NXDOMAIN */
    { SPAN_INIT(HEAD("\x81\x82", "\0")), AHOY_DNS_FAILED, 0 }, /* SERVFAIL */
    { SPAN_INIT(HEAD("\x81\x85", "\0")), AHOY_DNS_FAILED, 0 }, /* REFUSED */
    { SPAN_INIT(HEAD(OK, "\1") OWNER A_IN "\0\4" ADDRESS), AHOY_DNS_FOUND, 1 },
    { SPAN_INIT(HEAD(OK, "\2") OWNER A_IN "\0\4" ADDRESS OWNER A_IN "\0\4" ADDRESS), AHOY_DNS_FOUND,
      2 },
    /* An owner written out, and one that is partly a pointer, which nobody follows. */
    { SPAN_INIT(HEAD(OK, "\1") "\1b\1c\0" A_IN "\0\4" ADDRESS), AHOY_DNS_FOUND, 1 },
    { SPAN_INIT(HEAD(OK, "\1") "\1b\xff\xff" A_IN "\0\4" ADDRESS), AHOY_DNS_FOUND, 1 },
    /* The alias goes before what it leads to. */
    { SPAN_INIT(HEAD(OK, "\2") OWNER "\0\5\0\1\0\0\0\x3c\0\3\1b\0"
                                     "\1b\0" A_IN "\0\4" ADDRESS),
      AHOY_DNS_FOUND, 1 },
    /* Another type, another class, another size. */
    { SPAN_INIT(HEAD(OK, "\1") OWNER "\0\2\0\1\0\0\0\x3c\0\4" ADDRESS), AHOY_DNS_FOUND, 0 },
    { SPAN_INIT(HEAD(OK, "\1") OWNER "\0\1\0\3\0\0\0\x3c\0\4" ADDRESS), AHOY_DNS_FOUND, 0 },
    { SPAN_INIT(HEAD(OK, "\2") OWNER A_IN "\0\5" ADDRESS "x" OWNER A_IN "\0\4" ADDRESS),
      AHOY_DNS_FOUND, 1 },
    /* It breaks off, or says more than it has. */
    { SPAN_INIT(HEAD(OK, "\1") OWNER A_IN "\0\4\xc0\0\2"), AHOY_DNS_FOUND, 0 },
    { SPAN_INIT(HEAD(OK, "\1") OWNER "\0\1\0"), AHOY_DNS_FOUND, 0 },
    { SPAN_INIT(HEAD(OK, "\7") OWNER A_IN "\0\4" ADDRESS), AHOY_DNS_FOUND, 1 },
    { SPAN_INIT(HEAD(OK, "\1") "\x40"), AHOY_DNS_FOUND, 0 },
    { SPAN_INIT("\0\1\x81\x80\0\2\0\1\0\0\0\0\1a\0\0\1\0\1"), AHOY_DNS_FAILED, 0 },
};

static void test_messages(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
        size_t found;
        enum ahoy_dns_verdict verdict = count(messages[i].text, AHOY_DNS_A, &found);
        if (verdict != messages[i].verdict || found != messages[i].found)
            fail_msg("message %zu: %d, %zu found", i, (int)verdict, found);
    }
}

static void test_fields(void **state)
{
    (void)state;
    char space[512];
    uint32_t delay_ms;
    struct ahoy_records records;
    struct ahoy_record record;
    struct ahoy_dns_name name;
    struct sim_zone *zone = sim_zone_new();
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    assert_non_null(zone);
    assert_true(sim_zone_add(zone, "a NAPTR 100 50 s SIP+D2U _sip._udp.example.com"));
    assert_true(sim_zone_add(zone, "a SRV 1 65535 5060 sip-1.example.com"));
    assert_true(sim_zone_answer(zone, SPAN("a"), AHOY_DNS_NAPTR, &buf, &delay_ms));
    assert_int_equal(ahoy_records_begin(&records, ahoy_buf_text(&buf), AHOY_DNS_NAPTR),
                     AHOY_DNS_FOUND);
    assert_true(ahoy_records_next(&records, &record));
    assert_int_equal(record.first, 100);
    assert_int_equal(record.second, 50);
    assert_true(ahoy_span_equal(record.flags, SPAN("s")));
    assert_true(ahoy_span_equal(record.services, SPAN("SIP+D2U")));
    assert_int_equal(record.regexp.size, 0);
    assert_true(ahoy_dns_name_read(&name, record.name));
    assert_string_equal(name.text, "_sip._udp.example.com");
    assert_false(ahoy_records_next(&records, &record));
    buf = ahoy_buf_over(space, sizeof space);
    assert_true(sim_zone_answer(zone, SPAN("a"), AHOY_DNS_SRV, &buf, &delay_ms));
    assert_int_equal(ahoy_records_begin(&records, ahoy_buf_text(&buf), AHOY_DNS_SRV),
                     AHOY_DNS_FOUND);
    assert_true(ahoy_records_next(&records, &record));
    assert_int_equal(record.first, 1);
    assert_int_equal(record.second, 65535);
    assert_int_equal(record.port, 5060);
    assert_true(ahoy_dns_name_read(&name, record.name));
    assert_string_equal(name.text, "sip-1.example.com");
    sim_zone_free(zone);
}

#define LABEL_63                                                                                   \
    "\x3f"                                                                                         \
    "a23456789b23456789c23456789d23456789e23456789f23456789g23456789"
#define LABEL_61                                                                                   \
    "\x3d"                                                                                         \
    "a23456789b23456789c23456789d23456789e23456789f23456789g234567"
#define LABEL_62                                                                                   \
    "\x3e"                                                                                         \
    "a23456789b23456789c23456789d23456789e23456789f23456789g2345678"

static void test_names(void **state)
{
    (void)state;
    static const struct {
        struct span wire;
        bool sound;
    } names[] = {
        { SPAN_INIT("\0"), true },
        { SPAN_INIT("\1a\0"), true },
        { SPAN_INIT("\4_sip\4_udp\3A-b\0"), true },
        { SPAN_INIT(LABEL_63 LABEL_63 LABEL_63 LABEL_61 "\0"), true },
        { SPAN_INIT(LABEL_63 LABEL_63 LABEL_63 LABEL_62 "\0"), false },
        { SPAN_INIT(""), false },
        { SPAN_INIT("\1a"), false },
        { SPAN_INIT("\1a\0x"), false },
        { SPAN_INIT("\2a"), false },
        { SPAN_INIT("\1.\0"), false },
        { SPAN_INIT("\1 \0"), false },
        { SPAN_INIT("\2a\0\0"), false },
        { SPAN_INIT("\1a\xc0\x0c"), false }, /* RFC 2782: not compressed. */
    };
    struct ahoy_dns_name name;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (ahoy_dns_name_read(&name, names[i].wire) != names[i].sound)
            fail_msg("name %zu", i);
    }
    assert_true(ahoy_dns_name_make(&name, SPAN("_sip._udp."), SPAN("Example.com.")));
    assert_string_equal(name.text, "_sip._udp.Example.com");
    assert_false(ahoy_dns_name_make(&name, SPAN("_sip._udp."), SPAN("")));
    assert_false(ahoy_dns_name_make(&name, SPAN(""), SPAN(".")));
    assert_false(ahoy_dns_name_make(&name, SPAN(""), SPAN("a..b")));
    assert_false(ahoy_dns_name_make(&name, SPAN(""), SPAN("a.b..")));
    assert_false(ahoy_dns_name_make(&name, SPAN(""), SPAN("[::1]")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
