/* Where responses go (RFC 3261 18.2.2, RFC 3581 4), and which are ours (18.1.2), as tables. */
#include "libahoy/transport/via_rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct ahoy_ip ip_of(const char *text, uint16_t port)
{
    struct ahoy_ip ip;
    assert_true(ahoy_ip_parse(ahoy_span(text), &ip));
    ip.port = port;
    return ip;
}

static struct ahoy_via via_of(const char *text)
{
    struct ahoy_via via;
    if (!ahoy_via_parse(ahoy_span(text), &via, NULL))
        fail_msg("no Via: %s", text);
    return via;
}

struct reply {
    const char *rule;
    const char *via;
    enum ahoy_transport transport; /* The request really came by. */
    const char *source;
    const char *remote; /* The response goes to. */
    uint16_t port;
    bool any_listener; /* Rather than the one that the request came to. */
};

#define V4 "198.51.100.7"
#define V6 "2001:db8::7"
#define U  "SIP/2.0/UDP "
#define T  "SIP/2.0/TCP "

/* clang-format off */
/* Every request comes from port 1024; 18.2.2-n is one of R3261-18.2.2-2 to -5, 3581 RFC 3581 4. */
static const struct reply replies[] = {
    { "18.2.2-5", U V4 ":5066", AHOY_UDP, V4, V4, 5066, false },
    { "18.2.2-5 default", U V4 "", AHOY_UDP, V4, V4, 5060, false },
    { "18.2.2-4", U "pc.example:5066", AHOY_UDP, V4, V4, 5066, false },
    { "18.2.2-4 default", U "pc.example", AHOY_UDP, V4, V4, 5060, false },
    { "18.2.2-4 IPv6", U "[2001:db8::1]:5066", AHOY_UDP, V6, V6, 5066, false },
    { "received= of the peer's own", U "pc.example;received=192.0.2.9",
      AHOY_UDP, V4, V4, 5060, false },
    { "3581 rport", U "pc.example:5066;rport", AHOY_UDP, V4, V4, 1024, false },
    { "3581 rport IPv6", U "[2001:db8::1];rport", AHOY_UDP, V6, V6, 1024, false },
    { "rport= of the peer's own", U "pc.example:5066;rport=99", AHOY_UDP, V4, V4, 1024, false },
    { "18.2.2-3 maddr", U "pc.example:5066;maddr=224.0.1.75",
      AHOY_UDP, V4, "224.0.1.75", 5066, false },
    { "18.2.2-3 default", U "pc.example;maddr=192.0.2.9", AHOY_UDP, V4, "192.0.2.9", 5060, false },
    { "maddr before rport", U "pc.example:5066;rport;maddr=192.0.2.9",
      AHOY_UDP, V4, "192.0.2.9", 5066, false },
    { "maddr of the other family", U "pc.example;maddr=[2001:db8::9]",
      AHOY_UDP, V4, "2001:db8::9", 5060, true },
    { "maddr that is a name", U "pc.example;maddr=mc.example", AHOY_UDP, V4, V4, 5060, false },
    { "row 60: maddr to our loopback", U "pc.example:5066;maddr=127.0.0.1",
      AHOY_UDP, V4, V4, 5066, false },
    { "maddr from loopback to it", U "pc.example:5066;maddr=127.0.0.2",
      AHOY_UDP, "127.0.0.1", "127.0.0.2", 5066, false },
    { "18.2.2-2 TCP", T "pc.example:5066", AHOY_TCP, V4, V4, 5066, false },
    { "TCP default", T "pc.example", AHOY_TCP, V4, V4, 5060, false },
    { "TCP with rport", T "pc.example:5066;rport", AHOY_TCP, V6, V6, 5066, false },
    { "TCP with maddr", T "pc.example;maddr=192.0.2.9", AHOY_TCP, V4, V4, 5060, false },
    { "TLS default", "SIP/2.0/TLS pc.example", AHOY_TLS, V4, V4, 5061, false },
    { "Via lies about UDP", T "pc.example;rport", AHOY_UDP, V4, V4, 1024, false },
    { "Via lies about TCP", U "pc.example:5066;rport", AHOY_TCP, V4, V4, 5066, false },
};
/* clang-format on */

/* R3261-18.2.2-1, R3581-4-3, R3263-5-1 */
static void where_responses_go(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) {
        const struct reply *row = &replies[i];
        const struct ahoy_via via = via_of(row->via);
        const struct ahoy_hop source = { .transport = (uint8_t)row->transport,
                                         .listener = 4,
                                         .worker = 2,
                                         .connection = { 5, 6 },
                                         .remote = ip_of(row->source, 1024) };
        struct ahoy_hop reply;
        ahoy_via_reply(&via, &source, &reply);
        const struct ahoy_ip remote = ip_of(row->remote, row->port);
        if (!ahoy_ip_equal(&reply.remote, &remote))
            fail_msg("%s: to port %u", row->rule, reply.remote.port);
        assert_int_equal(reply.transport, row->transport);
        assert_int_equal(reply.listener, row->any_listener ? AHOY_ANY_LISTENER : 4);
        assert_int_equal(reply.worker, 2);
        assert_true(ahoy_handle_equal(reply.connection, source.connection));
    }
}

/* What a link-local peer's address means depends on the link. */
static void the_scope_is_kept(void **state)
{
    (void)state;
    const struct ahoy_via via = via_of("SIP/2.0/UDP pc.example");
    struct ahoy_hop source = { .transport = AHOY_UDP, .remote = ip_of("fe80::7", 1024) };
    source.remote.scope = 3;
    struct ahoy_hop reply;
    ahoy_via_reply(&via, &source, &reply);
    assert_int_equal(reply.remote.scope, 3);
    assert_int_equal(reply.remote.port, 5060);
}

/* R3261-18.1.2-1 */
static void which_responses_are_ours(void **state)
{
    (void)state;
    const struct ahoy_listener listeners[] = {
        { .transport = AHOY_UDP, .sent_by = SPAN("192.0.2.1:5060") },
        { .transport = AHOY_TCP, .sent_by = SPAN("Sip.Atlanta.example") },
        { .transport = AHOY_UDP, .sent_by = SPAN("[2001:db8::1]:5070") },
        { .transport = AHOY_TLS, .sent_by = SPAN("tls.example") },
        { .transport = AHOY_UDP, .sent_by = SPAN("[2001:db8::2]") },
    };
    const struct ahoy_flows flows = { .listeners = listeners, .listener_count = 5 };
    static const struct {
        const char *via;
        bool ours;
    } cases[] = {
        { "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1", true },
        { "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1", true },
        { "SIP / 2.0 / UDP 192.0.2.1 : 5060", true },
        { "SIP/2.0/UDP 192.0.2.1:5061", false },
        { "SIP/2.0/UDP 192.0.2.10:5060", false },
        { "SIP/2.0/UDP 192.0.2:5060", false },
        { "SIP/2.0/TCP sip.atlanta.example", true },
        { "SIP/2.0/TCP sip.atlanta.example:5060", true },
        { "SIP/2.0/TCP sip.atlanta.example:5061", false },
        { "SIP/2.0/TCP atlanta.example", false },
        { "SIP/2.0/UDP [2001:DB8::1]:5070", true },
        { "SIP/2.0/UDP [2001:db8:0:0::1]:5070", true },
        { "SIP/2.0/UDP [2001:db8::1]", false },
        { "SIP/2.0/UDP [2001:db8::2]:5060", true },
        { "SIP/2.0/TLS tls.example:5061", true },
        { "SIP/2.0/TLS tls.example:5060", false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct ahoy_via via = via_of(cases[i].via);
        if (ahoy_via_is_ours(&via, &flows) != cases[i].ours)
            fail_msg("%s", cases[i].via);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(where_responses_go),
        cmocka_unit_test(the_scope_is_kept),
        cmocka_unit_test(which_responses_are_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
