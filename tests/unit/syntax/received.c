/* received= and rport= in the topmost Via (RFC 3261 18.2.1, RFC 3581 4). */
#include "libahoy/syntax/received.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/support/bytes.h"

/* A request with |via| that came from |source| is marked to be |expected|. */
static void expect(const char *via_text, const char *source, uint16_t port, const char *expected)
{
    struct span original = test_text(via_text);
    struct ahoy_via via;
    (void)ahoy_via_parse(original, &via, NULL); /* Some are half sound, on purpose. */
    struct ahoy_ip ip;
    assert_true(ahoy_ip_parse(ahoy_span(source), &ip));
    ip.port = port;
    char space[64];
    struct ahoy_buf text = ahoy_buf_over(space, sizeof space);
    struct ahoy_edits edits;
    ahoy_edits_init(&edits, original);
    ahoy_edits_mark_via(&edits, &via, &ip, &text);
    assert_false(text.overflow);
    struct span pieces[AHOY_PIECES_LIMIT];
    size_t count = ahoy_edits_gather(&edits, pieces);
    char joined[300];
    struct ahoy_buf buf = ahoy_buf_over(joined, sizeof joined);
    for (size_t i = 0; i < count; i++)
        ahoy_buf_put(&buf, pieces[i]);
    assert_span(ahoy_buf_text(&buf), expected);
    if (ahoy_via_parse(original, &via, NULL))
        assert_true(ahoy_via_parse(ahoy_buf_text(&buf), &via, NULL));
}

/* R3261-18.2.1-2, -3, R7118-5.3-1, -2; the first is the example of the section. */
static void test_received(void **state)
{
    (void)state;
    expect("SIP/2.0/UDP bobspc.biloxi.com:5060", "192.0.2.4", 5060,
           "SIP/2.0/UDP bobspc.biloxi.com:5060;received=192.0.2.4");
    expect("SIP/2.0/UDP 192.0.2.4;branch=x", "192.0.2.4", 5060, "SIP/2.0/UDP 192.0.2.4;branch=x");
    expect("SIP/2.0/UDP 192.0.2.5;branch=x", "192.0.2.4", 5060,
           "SIP/2.0/UDP 192.0.2.5;received=192.0.2.4;branch=x");
    expect("SIP/2.0/UDP [2001:DB8::9:1];branch=x", "2001:db8:0::9:1", 5060,
           "SIP/2.0/UDP [2001:DB8::9:1];branch=x");
    expect("SIP/2.0/UDP [2001:db8::9:1] ; branch = x", "2001:db8::9:2", 5060,
           "SIP/2.0/UDP [2001:db8::9:1];received=2001:db8::9:2 ; branch = x");
}

/* RFC 3581 4 and the example of its section 6. */
/* R3581-4-1, -2 */
static void test_rport(void **state)
{
    (void)state;
    expect("SIP/2.0/UDP 10.1.1.1:4540;rport;branch=z9hG4bKkjshdyff", "192.0.2.1", 9988,
           "SIP/2.0/UDP 10.1.1.1:4540;received=192.0.2.1;rport=9988;branch=z9hG4bKkjshdyff");
    /* "Even if it is identical". */
    expect("SIP/2.0/UDP 192.0.2.1:4540;rport", "192.0.2.1", 4540,
           "SIP/2.0/UDP 192.0.2.1:4540;received=192.0.2.1;rport=4540");
    expect("SIP/2.0/UDP 192.0.2.1 ; RPort ;branch=x", "192.0.2.1", 1,
           "SIP/2.0/UDP 192.0.2.1;received=192.0.2.1 ; RPort=1 ;branch=x");
}

/* A peer does not say for itself where it is. */
static void test_what_the_peer_wrote_is_replaced(void **state)
{
    (void)state;
    expect("SIP/2.0/UDP a;received=203.0.113.1;branch=x;rport=7", "192.0.2.1", 65535,
           "SIP/2.0/UDP a;received=192.0.2.1;branch=x;rport=65535");
    expect("SIP/2.0/UDP 192.0.2.1;branch=x ;Received=203.0.113.1", "192.0.2.1", 5060,
           "SIP/2.0/UDP 192.0.2.1;branch=x");
    expect("SIP/2.0/UDP a;received=1.1.1.1;rport;received=2.2.2.2;rport=3", "192.0.2.1", 4,
           "SIP/2.0/UDP a;received=192.0.2.1;rport=4;rport=4");
    /* Nor where it leaves the value out, or what is in front of it is at fault. */
    expect("SIP/2.0/UDP 192.0.2.1;received;branch=x", "192.0.2.1", 5060,
           "SIP/2.0/UDP 192.0.2.1;branch=x");
    expect("SIP/2.0/UDP 192.0.2.1;branch=x;branch=y;received=203.0.113.1", "192.0.2.1", 5060,
           "SIP/2.0/UDP 192.0.2.1;branch=x;branch=y");
}

static void test_half_sound(void **state)
{
    (void)state;
    expect("SIP/2.0/UDP 192.0.2.15;;,;,,", "192.0.2.1", 5060,
           "SIP/2.0/UDP 192.0.2.15;received=192.0.2.1;;,;,,");
    expect("SIP/2.0/UDP a;rport;branch=", "192.0.2.1", 5060,
           "SIP/2.0/UDP a;received=192.0.2.1;rport=5060;branch=");
}

/* The longest address and port fit into what the header promises. */
static void test_the_longest_text(void **state)
{
    (void)state;
    expect("SIP/2.0/UDP a;rport;rport;rport", "2001:db8:1111:2222:3333:4444:5555:6666", 65535,
           "SIP/2.0/UDP a;received=2001:db8:1111:2222:3333:4444:5555:6666;rport=65535;rport=65535"
           ";rport=65535");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_received, test_free_all),
        cmocka_unit_test_teardown(test_rport, test_free_all),
        cmocka_unit_test_teardown(test_what_the_peer_wrote_is_replaced, test_free_all),
        cmocka_unit_test_teardown(test_half_sound, test_free_all),
        cmocka_unit_test_teardown(test_the_longest_text, test_free_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
