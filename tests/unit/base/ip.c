/* Addresses: what is one and what is a name, how they are written, and where strangers may not
 * point. */
#include "libahoy/base/ip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "libahoy/base/rng.h"

static struct ahoy_ip parsed(const char *text)
{
    struct ahoy_ip ip;
    memset(&ip, 0xaa, sizeof ip);
    if (!ahoy_ip_parse(ahoy_span(text), &ip))
        fail_msg("%s was refused", text);
    assert_int_equal(ip.port, 0);
    assert_int_equal(ip.scope, 0);
    return ip;
}

static void assert_bare(const struct ahoy_ip *ip, const char *expected)
{
    char bytes[64];
    struct ahoy_buf buf = ahoy_buf_over(bytes, sizeof bytes - 1);
    ahoy_ip_print_bare(ip, &buf);
    bytes[buf.size] = '\0';
    assert_string_equal(bytes, expected);
}

static void test_ipv4(void **state)
{
    (void)state;
    struct ahoy_ip ip = parsed("192.0.2.1");
    assert_int_equal(ip.family, AHOY_IPV4);
    assert_memory_equal(ip.bytes, "\xc0\x00\x02\x01\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    ip = parsed("255.255.255.255");
    assert_memory_equal(ip.bytes, "\xff\xff\xff\xff", 4);
    ip = parsed("0.0.0.0");
    assert_int_equal(ip.family, AHOY_IPV4);
}

static void test_ipv6(void **state)
{
    (void)state;
    struct ahoy_ip ip = parsed("2001:db8::1");
    assert_int_equal(ip.family, AHOY_IPV6);
    assert_memory_equal(ip.bytes, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16);
    struct ahoy_ip bracketed = parsed("[2001:DB8:0::1]");
    assert_true(ahoy_ip_equal(&ip, &bracketed));
    /* A mapped address stays IPv6. */
    ip = parsed("::ffff:192.0.2.1");
    assert_int_equal(ip.family, AHOY_IPV6);
    assert_memory_equal(ip.bytes, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\x00\x02\x01", 16);
}

/* What is refused here is taken for a host name or a fault, never for another address. */
static void test_refused(void **state)
{
    (void)state;
    /* clang-format off */
    static const char *const texts[] = {
        "", ".", "1", "1.2.3", "1.2.3.", ".1.2.3", "1.2.3.4.", "1.2.3.4.5", "1..2.3", "256.1.1.1",
        "1.2.3.256", "1.2.3.1000", "01.2.3.4", "1.2.3.00", "1.2.3.04", "0x7f.0.0.1", "127.1",
        "2130706433", "1.2.3.4 ", " 1.2.3.4", "1.2.3.4:5060", "+1.2.3.4", "1.2.3.-4", "[1.2.3.4]",
        "[]", "[", "]", "[::1", "::1]", "[[::1]]", "[::1]:5060", ":", ":::", "1::2::3",
        "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "12345::", "::g", "::1%lo", "::1/128", "::1.2.3",
        "::01.2.3.4", "1:2:3:4:5:6:7:1.2.3.4", "example.com", "v1.x",
        "0000:0000:0000:0000:0000:0000:0000:00000000000000000000000000000001",
    };
    /* clang-format on */
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct ahoy_ip ip = { .port = 4711 };
        if (ahoy_ip_parse(ahoy_span(texts[i]), &ip))
            fail_msg("\"%s\" was taken for an address", texts[i]);
        assert_int_equal(ip.port, 4711);
    }
    struct ahoy_ip ip;
    assert_false(ahoy_ip_parse((struct span){ NULL, 0 }, &ip));
    assert_false(ahoy_ip_parse((struct span){ "::1\0", 4 }, &ip));
    assert_false(ahoy_ip_parse((struct span){ "1.2.3.4\0", 8 }, &ip));
}

static void test_octets(void **state)
{
    (void)state;
    for (int octet = 0; octet < 256; octet++) {
        char text[32];
        int size = snprintf(text, sizeof text, "%d.1.2.%d", octet, 255 - octet);
        struct ahoy_ip ip;
        assert_true(ahoy_ip_parse((struct span){ text, (size_t)size }, &ip));
        assert_int_equal(ip.bytes[0], octet);
        assert_int_equal(ip.bytes[3], 255 - octet);
        assert_true(ahoy_ip_reads_as((struct span){ text, (size_t)size }, &ip));
        assert_false(ahoy_ip_reads_as((struct span){ text, (size_t)size - 1 }, &ip));
        assert_bare(&ip, text);
    }
}

/* To be read as an address is to be read, and to be equal. */
static void test_what_reads_as_an_address(void **state)
{
    (void)state;
    /* clang-format off */
    static const char *const texts[] = {
        "", "1.2.3.4", "1.2.3.5", "1.2.3", "1.2.3.", "1.2.3.4.", "1.2.3.40", "1.2.3.04", "01.2.3.4",
        "0.0.0.0", "10.20.30.40", "255.255.255.255", "100.99.9.109", "200.99.9.109", "100.99.9.10",
        "100.99.9.1", "100.9.9.1", "100.89.9.1",
        "1.2.3.4 ", "1.2.3:4", "1:2.3.4", "10.0.0.0", "1.0.0.0", "0.0.0.1", "::1.2.3.4",
        "::ffff:1.2.3.4", "::1", "[::1]", "[0:0::1]", "::2", "host", "1.2.3.host",
    };
    /* clang-format on */
    enum { COUNT = sizeof texts / sizeof *texts };
    for (size_t i = 0; i < COUNT; i++) {
        struct ahoy_ip ip, other;
        if (!ahoy_ip_parse(ahoy_span(texts[i]), &ip))
            continue;
        ip.port = 5060;
        for (size_t k = 0; k < COUNT; k++) {
            bool expected =
                ahoy_ip_parse(ahoy_span(texts[k]), &other) && ahoy_ip_equal_host(&ip, &other);
            assert_int_equal(ahoy_ip_reads_as(ahoy_span(texts[k]), &ip), expected);
        }
        assert_false(ahoy_ip_reads_as((struct span){ NULL, 0 }, &ip));
    }
}

/* RFC 5952 4 and 5: lower case, no leading zeros, the first longest run of two or more. */
static void test_written_as_rfc_5952_says(void **state)
{
    (void)state;
    /* clang-format off */
    static const char *const cases[][2] = {
        { "2001:0DB8::0001", "2001:db8::1" },
        { "2001:db8:0:0:0:0:2:1", "2001:db8::2:1" },
        { "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
        { "2001:0:0:1:0:0:0:1", "2001:0:0:1::1" },
        { "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1" },
        { "0:0:0:0:0:0:0:0", "::" },
        { "0:0:0:0:0:0:0:1", "::1" },
        { "1:0:0:0:0:0:0:0", "1::" },
        { "0:1:2:3:4:5:6:7", "0:1:2:3:4:5:6:7" },
        { "0:0:2:3:4:5:6:7", "::2:3:4:5:6:7" },
        { "1:2:3:4:5:6:0:0", "1:2:3:4:5:6::" },
        { "fe80:0:0:0:10:200:3000:abcd", "fe80::10:200:3000:abcd" },
        { "::ffff:c000:201", "::ffff:192.0.2.1" },
        { "::c000:201", "::c000:201" },
    };
    /* clang-format on */
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ahoy_ip ip = parsed(cases[i][0]);
        assert_bare(&ip, cases[i][1]);
    }
}

/* Random addresses with many zero groups: what is written reads as the same address, here and by
 * the C library, and is what the C library writes. */
static void test_round_trip(void **state)
{
    (void)state;
    struct ahoy_rng rng;
    ahoy_rng_init(&rng, (const uint64_t[2]){ 1, 2 });
    for (int i = 0; i < 20000; i++) {
        struct ahoy_ip ip = { .family = AHOY_IPV6 };
        uint64_t zero = ahoy_rng_next(&rng);
        for (int k = 0; k < 16; k++)
            ip.bytes[k] = (uint8_t)(zero >> (k / 2) & 1 ? 0 : ahoy_rng_next(&rng));
        ip.bytes[0] = 0x20; /* The C library writes ::a.b.c.d where RFC 5952 does not. */
        char text[64];
        struct ahoy_buf buf = ahoy_buf_over(text, sizeof text - 1);
        ahoy_ip_print_bare(&ip, &buf);
        text[buf.size] = '\0';
        struct ahoy_ip back = parsed(text);
        assert_true(ahoy_ip_equal(&ip, &back));
        char theirs[INET6_ADDRSTRLEN];
        assert_non_null(inet_ntop(AF_INET6, ip.bytes, theirs, sizeof theirs));
        assert_string_equal(text, theirs);
    }
}

static void test_printing_with_brackets_and_port(void **state)
{
    (void)state;
    struct ahoy_ip four = parsed("192.0.2.1");
    struct ahoy_ip six = parsed("2001:db8::1");
    four.port = 5060;
    six.port = 65535;
    char bytes[128];
    struct ahoy_buf buf = ahoy_buf_over(bytes, sizeof bytes);
    ahoy_ip_print_host(&four, &buf);
    ahoy_buf_put_byte(&buf, ' ');
    ahoy_ip_print_host(&six, &buf);
    ahoy_buf_put_byte(&buf, ' ');
    ahoy_ip_print(&four, &buf);
    ahoy_buf_put_byte(&buf, ' ');
    ahoy_ip_print(&six, &buf);
    assert_true(ahoy_span_equal(
        ahoy_buf_text(&buf), SPAN("192.0.2.1 [2001:db8::1] 192.0.2.1:5060 [2001:db8::1]:65535")));
}

static void test_equal(void **state)
{
    (void)state;
    struct ahoy_ip a = parsed("192.0.2.1");
    struct ahoy_ip b = a;
    assert_true(ahoy_ip_equal(&a, &b));
    b.port = 5060;
    assert_false(ahoy_ip_equal(&a, &b));
    assert_true(ahoy_ip_equal_host(&a, &b));
    b = parsed("192.0.2.2");
    assert_false(ahoy_ip_equal_host(&a, &b));
    b = parsed("c000:201::");
    assert_memory_equal(a.bytes, b.bytes, 16);
    assert_false(ahoy_ip_equal_host(&a, &b));
    /* One link-local address on two interfaces is two hosts. */
    a = parsed("fe80::1");
    b = a;
    b.scope = 2;
    assert_false(ahoy_ip_equal_host(&a, &b));
}

struct kinds {
    const char *text;
    bool loopback;
    bool link_local;
    bool multicast;
};

/* Attack 60: every spelling of this very host. */
static void test_kinds(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct kinds cases[] = {
        { "127.0.0.1",          true,  false, false },
        { "127.255.255.255",    true,  false, false },
        { "0.0.0.0",            true,  false, false },
        { "0.1.2.3",            true,  false, false },
        { "::",                 true,  false, false },
        { "::1",                true,  false, false },
        { "::ffff:127.0.0.1",   true,  false, false },
        { "::ffff:0.0.0.0",     true,  false, false },
        { "126.255.255.255",    false, false, false },
        { "128.0.0.1",          false, false, false },
        { "1.0.0.0",            false, false, false },
        { "::2",                false, false, false },
        { "1::1",               false, false, false },
        { "::1:0:0",            false, false, false },
        { "::ffff:128.0.0.1",   false, false, false },
        { "169.254.0.1",        false, true,  false },
        { "169.253.0.1",        false, false, false },
        { "::ffff:169.254.9.9", false, true,  false },
        { "fe80::1",            false, true,  false },
        { "febf::1",            false, true,  false },
        { "fec0::1",            false, false, false },
        { "fe7f::1",            false, false, false },
        { "224.0.1.75",         false, false, true  },
        { "239.255.255.255",    false, false, true  },
        { "223.255.255.255",    false, false, false },
        { "240.0.0.1",          false, false, false },
        { "255.255.255.255",    false, false, true  },
        { "255.255.255.254",    false, false, false },
        { "::ffff:224.0.1.75",  false, false, true  },
        { "ff02::1",            false, false, true  },
        { "fe02::1",            false, false, false },
        { "192.0.2.1",          false, false, false },
    };
    /* clang-format on */
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ahoy_ip ip = parsed(cases[i].text);
        if (ahoy_ip_is_loopback(&ip) != cases[i].loopback ||
            ahoy_ip_is_link_local(&ip) != cases[i].link_local ||
            ahoy_ip_is_multicast(&ip) != cases[i].multicast)
            fail_msg("%s is of the wrong kind", cases[i].text);
    }
}

static void test_hashes_are_of_the_host(void **state)
{
    (void)state;
    struct ahoy_ip a = parsed("192.0.2.1"), b = a, c = parsed("192.0.2.2");
    b.port = 5060;
    assert_true(ahoy_ip_hash_host(&a) == ahoy_ip_hash_host(&b));
    assert_true(ahoy_ip_hash_host(&a) != ahoy_ip_hash_host(&c));
    a = parsed("2001:db8::1");
    b = parsed("2001:db8:1::");
    assert_true(ahoy_ip_hash_host(&a) != ahoy_ip_hash_host(&b));
}

static void test_no_address_is_of_no_kind(void **state)
{
    (void)state;
    struct ahoy_ip none = { 0 };
    assert_false(ahoy_ip_is_loopback(&none));
    assert_false(ahoy_ip_is_link_local(&none));
    assert_false(ahoy_ip_is_multicast(&none));
    assert_bare(&none, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ipv4),
        cmocka_unit_test(test_ipv6),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_octets),
        cmocka_unit_test(test_what_reads_as_an_address),
        cmocka_unit_test(test_written_as_rfc_5952_says),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_printing_with_brackets_and_port),
        cmocka_unit_test(test_equal),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_hashes_are_of_the_host),
        cmocka_unit_test(test_no_address_is_of_no_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
