/* RFC 3263 4.1 and 4.2 where the target is an address, and what is refused. */
#include "libahoy/resolve/locate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

struct place {
    const char *uri;
    unsigned status; /* 0: found. */
    enum ahoy_transport transport;
    const char *ip;
    uint16_t port;
};

static const struct place places[] = {
    { "sip:bob@192.0.2.4", 0, AHOY_UDP, "192.0.2.4", 5060 },
    { "sip:192.0.2.4:5080", 0, AHOY_UDP, "192.0.2.4", 5080 },
    { "sip:bob@192.0.2.4;transport=tcp", 0, AHOY_TCP, "192.0.2.4", 5060 },
    { "sip:bob@192.0.2.4;transport=TCP", 0, AHOY_TCP, "192.0.2.4", 5060 },
    { "sip:bob@192.0.2.4;lr;transport=udp", 0, AHOY_UDP, "192.0.2.4", 5060 },
    { "sip:bob@[2001:db8::4]:5070;transport=tcp", 0, AHOY_TCP, "2001:db8::4", 5070 },
    { "sip:bob@example.com;maddr=192.0.2.9", 0, AHOY_UDP, "192.0.2.9", 5060 },
    { "sip:bob@192.0.2.4:5080;maddr=192.0.2.9", 0, AHOY_UDP, "192.0.2.9", 5080 },
    { "sip:bob@192.0.2.4;maddr=mc.example", 503, 0, NULL, 0 },
    { "sip:bob@example.com", 503, 0, NULL, 0 },
    { "sip:bob@192.0.2.4;transport=tls", 0, AHOY_TLS, "192.0.2.4", 5061 },
    { "sip:bob@example.com:5090;maddr=192.0.2.9;transport=tls", 0, AHOY_TLS, "192.0.2.9", 5090 },
    { "sip:bob@192.0.2.4;transport=wss", 503, 0, NULL, 0 },
    { "sip:bob@192.0.2.4;transport=sctp", 503, 0, NULL, 0 },
    { "sip:bob@192.0.2.4;transport=pigeon", 503, 0, NULL, 0 },
    { "sips:bob@192.0.2.4", 0, AHOY_TLS, "192.0.2.4", 5061 },
    { "sips:bob@192.0.2.4:5071;transport=tcp", 0, AHOY_TLS, "192.0.2.4", 5071 },
    { "sips:bob@192.0.2.4;transport=tls", 0, AHOY_TLS, "192.0.2.4", 5061 },
    { "sips:bob@192.0.2.4;transport=udp", 503, 0, NULL, 0 }, /* R3261-19.1.1-3 */
    { "sips:bob@192.0.2.4;transport=ws", 503, 0, NULL, 0 },
    { "tel:+358-555-1234567", 416, 0, NULL, 0 },
};

static void numeric_rules(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const struct place *place = &places[i];
        struct ahoy_uri uri;
        assert_true(ahoy_uri_parse(ahoy_span(place->uri), &uri, NULL));
        enum ahoy_transport transport = AHOY_TRANSPORT_OTHER;
        struct ahoy_ip found = { 0 };
        struct ahoy_err err = { 0 };
        bool located = ahoy_locate(&uri, &transport, &found, &err);
        if (located != (place->status == 0) || transport != place->transport ||
            err.status != place->status || found.port != place->port)
            fail_msg("%s: transport %d, port %u, status %u", place->uri, (int)transport, found.port,
                     err.status);
        if (!located) {
            assert_non_null(err.expected);
            continue;
        }
        struct ahoy_ip expected;
        assert_true(ahoy_ip_parse(ahoy_span(place->ip), &expected));
        assert_true(ahoy_ip_equal_host(&found, &expected));
    }
}

static void what_opens_websockets(void **state)
{
    (void)state;
    static const struct place with[] = {
        { "sip:bob@192.0.2.4;transport=ws", 0, AHOY_WS, NULL, 80 },
        { "sip:192.0.2.4:8080;transport=ws", 0, AHOY_WS, NULL, 8080 },
        { "sips:192.0.2.4;transport=ws", 0, AHOY_WSS, NULL, 443 }, /* RFC 7118 5.2 */
        { "sip:192.0.2.4;transport=wss", 0, AHOY_WSS, NULL, 443 },
        { "sip:192.0.2.4", 0, AHOY_UDP, NULL, 5060 },
        { "sips:192.0.2.4;transport=udp", 503, 0, NULL, 0 },
        { "sip:192.0.2.4;transport=pigeon", 503, 0, NULL, 0 },
    };
    for (size_t i = 0; i < sizeof with / sizeof with[0]; i++) {
        struct ahoy_uri uri;
        enum ahoy_transport transport = AHOY_TRANSPORT_OTHER;
        struct ahoy_ip ip = { 0 };
        struct ahoy_err err = { 0 };
        assert_true(ahoy_uri_parse(ahoy_span(with[i].uri), &uri, NULL));
        assert_int_equal(ahoy_locate_with_websocket(&uri, &transport, &ip, &err),
                         with[i].status == 0);
        assert_int_equal(err.status, with[i].status);
        if (err.status != 0)
            continue;
        assert_int_equal(transport, with[i].transport);
        assert_int_equal(ip.port, with[i].port);
    }
}

static void nobody_needs_the_reason(void **state)
{
    (void)state;
    struct ahoy_uri uri;
    enum ahoy_transport transport;
    struct ahoy_ip ip;
    assert_true(ahoy_uri_parse(SPAN("sip:bob@example.com"), &uri, NULL));
    assert_false(ahoy_locate(&uri, &transport, &ip, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numeric_rules),
        cmocka_unit_test(what_opens_websockets),
        cmocka_unit_test(nobody_needs_the_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
