/* Which addresses of a machine are told to others: RFC 8445 5.1.1.1, RFC 8421 4. */
#include "libahoy/io/addresses.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

enum { LIMIT = 4 };

static struct ahoy_own_address addresses[16];
static size_t count;
static struct ahoy_ip chosen[LIMIT];

static struct ahoy_ip ip_of(const char *text)
{
    struct ahoy_ip ip;
    assert_true(ahoy_ip_parse(ahoy_span(text), &ip));
    return ip;
}

static struct ahoy_own_address *add(const char *text, uint32_t interface)
{
    struct ahoy_own_address *address = &addresses[count++];
    *address = (struct ahoy_own_address){ .ip = ip_of(text), .interface = interface };
    address->prefix_size = address->ip.family == AHOY_IPV6 ? 64 : 24;
    return address;
}

/* They are |expected|, parted by spaces. */
static void expect(const char *first, const char *expected)
{
    char space[256];
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space - 1);
    const struct ahoy_ip ip = ip_of(first);
    size_t found = ahoy_own_addresses_choose(addresses, count, &ip, chosen, LIMIT);
    for (size_t i = 0; i < found; i++) {
        if (i > 0)
            ahoy_buf_put_byte(&buf, ' ');
        ahoy_ip_print_bare(&chosen[i], &buf);
    }
    space[buf.size] = '\0';
    assert_string_equal(space, expected);
}

static int clear(void **state)
{
    (void)state;
    count = 0;
    return 0;
}

/* R8445-5.1.1.1-3 and -5: what others cannot reach, or should not learn, is not told. */
static void test_exceptions(void **state)
{
    (void)state;
    add("127.0.0.1", 1);
    add("198.51.100.1", 1)->is_loopback = true;
    add("::1", 1);
    add("192.0.2.1", 2);
    add("fe80::1", 2);
    add("169.254.7.7", 2);
    add("fec0::1", 2);
    add("::192.0.2.1", 2);
    add("::ffff:192.0.2.1", 2);
    add("2001:db8::7", 2)->is_unfit = true;
    add("10.0.0.2", 3);
    expect("192.0.2.1", "192.0.2.1 10.0.0.2");
    expect("127.0.0.1", "127.0.0.1 192.0.2.1 10.0.0.2");
}

/* R8445-5.1.1.1-4: beside one that does not tell for long who we are, one that does is not. */
static void test_temporary(void **state)
{
    (void)state;
    add("2001:db8::1", 2);
    add("2001:db8::abcd", 2)->is_temporary = true;
    add("2001:db8:0:1::1", 2); /* Of another network ... */
    add("2001:db8::2", 3);     /* ... and of another interface. */
    expect("192.0.2.1", "192.0.2.1 2001:db8::abcd 2001:db8:0:1::1 2001:db8::2");
    addresses[1].is_unfit = true;
    expect("192.0.2.1", "192.0.2.1 2001:db8::1 2001:db8:0:1::1 2001:db8::2");
}

/* The families take turns, so that one that leads nowhere does not keep the other out. */
static void test_order(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        char text[32];
        snprintf(text, sizeof text, "10.0.%d.2", i);
        add(text, 2);
    }
    add("2001:db8::1", 2);
    expect("10.0.2.2", "10.0.2.2 2001:db8::1 10.0.0.2 10.0.1.2");
    expect("2001:db8::1", "2001:db8::1 10.0.0.2 10.0.1.2 10.0.2.2");
}

/* The kernel tells that there is a loopback interface. */
static void test_kernel(void **state)
{
    static struct ahoy_own_address told[AHOY_OWN_ADDRESSES_LIMIT];
    const struct ahoy_ip loopback = ip_of("127.0.0.1");
    bool has_loopback = false;
    (void)state;
    size_t told_count = ahoy_own_addresses(told);
    for (size_t i = 0; i < told_count; i++)
        has_loopback |= told[i].is_loopback && ahoy_ip_equal_host(&told[i].ip, &loopback);
    assert_true(has_loopback);
    int fd = ahoy_own_addresses_watch();
    assert_true(fd >= 0);
    ahoy_own_addresses_watched(fd); /* Does not wait. */
    close(fd);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_exceptions, clear),
        cmocka_unit_test_setup(test_temporary, clear),
        cmocka_unit_test_setup(test_order, clear),
        cmocka_unit_test(test_kernel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
