/* What is ours: domains, addresses, Routes (RFC 3261 16.4), and who is a trunk. */
#include "ahoyd/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static const char text[] = "listen \"udp:192.0.2.100:5060\"\n"
                           "listen \"tcp:[2001:db8::1]:5080\"\n"
                           "listen(\"udp:0.0.0.0:5070\", { advertise = \"sip.example:5090\" })\n"
                           "domain(\"Atlanta.Example\", { auth = \"digest\" })\n"
                           "domain(\"192.0.2.100\", { auth = \"digest\" })\n"
                           "store \"memory:\"\n"
                           "trunk(\"a\", { \"sip:203.0.113.5:5070\", \"sip:203.0.113.6\" })\n"
                           "route { domain = \"Routed.example\", to = \"a\" }\n";

static const char single[] = "listen \"udp:192.0.2.100:5060\"\n"
                             "domain(\"atlanta.example\", { auth = \"digest\" })\n"
                             "store \"memory:\"\n";

struct world {
    struct ahoyd_config *config;
    struct ahoy_listener listeners[3];
    struct ahoyd_names names;
};

static struct world world;

static void told(void *context, const char *file, int line, const char *what)
{
    (void)context;
    print_error("%s:%d: %s\n", file, line, what);
}

static void build(const char *config, size_t size)
{
    static const struct span sent_by[] = { { "192.0.2.100:5060", 16 },
                                           { "[2001:db8::1]:5080", 18 },
                                           { "sip.example:5090", 16 } };
    struct ahoyd_config_faults faults = { .told = told };
    world.config = ahoyd_config_parse(config, size, "/test.lua", &faults);
    assert_non_null(world.config);
    for (size_t i = 0; i < world.config->listen_count; i++) {
        world.listeners[i] =
            (struct ahoy_listener){ .transport = world.config->listens[i].transport,
                                    .local = world.config->listens[i].ip,
                                    .sent_by = sent_by[i] };
    }
    assert_true(
        ahoyd_names_init(&world.names, world.config, world.listeners, world.config->listen_count));
}

static int setup(void **state)
{
    (void)state;
    build(text, sizeof text - 1);
    return 0;
}

static int setup_single(void **state)
{
    (void)state;
    build(single, sizeof single - 1);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ahoyd_names_fini(&world.names);
    ahoyd_config_free(world.config);
    return 0;
}

static struct ahoy_uri uri_of(const char *uri_text)
{
    struct ahoy_uri uri;
    assert_true(ahoy_uri_parse(ahoy_span(uri_text), &uri, NULL));
    return uri;
}

/* The index of the domain, or -1. */
static int domain_of(const char *uri_text)
{
    struct ahoy_uri uri = uri_of(uri_text);
    const struct ahoyd_domain *domain = ahoyd_names_domain(&world.names, &uri);
    for (size_t i = 0; i < world.config->domain_count; i++) {
        const struct ahoyd_domain *other = &world.config->domains[i];
        assert_int_equal(ahoyd_names_are_of(&world.names, &uri, other), other == domain);
    }
    return domain == NULL ? -1 : (int)(domain - world.config->domains);
}

static bool is_route(const char *uri_text)
{
    struct ahoy_uri uri = uri_of(uri_text);
    return ahoyd_names_is_own_route(&world.names, &uri);
}

static bool is_own(const char *uri_text)
{
    struct ahoy_uri uri = uri_of(uri_text);
    return ahoyd_names_is_own_address(&world.names, &uri);
}

static void domains_are_names_or_addresses(void **state)
{
    (void)state;
    assert_int_equal(domain_of("sip:alice@ATLANTA.example"), 0);
    assert_int_equal(domain_of("sip:atlanta.example:9999;transport=tcp"), 0);
    assert_int_equal(domain_of("sips:alice@atlanta.example"), 0);
    assert_int_equal(domain_of("sip:alice@atlanta.example.org"), -1);
    assert_int_equal(domain_of("sip:alice@x.atlanta.example"), -1);
    assert_int_equal(domain_of("tel:+1555"), -1);
    /* An address that is a domain: phones may live on other ports of it. */
    assert_int_equal(domain_of("sip:alice@192.0.2.100"), 1);
    assert_int_equal(domain_of("sip:alice@192.0.2.100:5060"), 1);
    assert_int_equal(domain_of("sip:alice@192.0.2.100:5072"), -1);
    /* Another address says nothing of the domain. */
    assert_int_equal(domain_of("sip:alice@[2001:db8::1]:5080"), -1);
    assert_int_equal(domain_of("sip:alice@sip.example:5090"), -1);
    /* R3261-16.4-4 */
    assert_int_equal(domain_of("sip:alice@atlanta.example;maddr=192.0.2.100"), 0);
    assert_int_equal(domain_of("sip:alice@atlanta.example;maddr=atlanta.example"), 0);
    assert_int_equal(domain_of("sip:alice@atlanta.example;maddr=192.0.2.101"), -1);
    assert_int_equal(domain_of("sip:alice@atlanta.example;maddr=far.example"), -1);
}

static void one_domain_is_meant_by_every_address(void **state)
{
    (void)state;
    assert_int_equal(domain_of("sip:alice@192.0.2.100"), 0);
    assert_int_equal(domain_of("sip:alice@192.0.2.100:5060"), 0);
    assert_int_equal(domain_of("sip:alice@192.0.2.100:5061"), -1);
    assert_int_equal(domain_of("sip:alice@192.0.2.101"), -1);
}

static void own_addresses_have_ports(void **state)
{
    (void)state;
    assert_true(is_own("sip:192.0.2.100"));
    assert_true(is_own("sip:x@192.0.2.100:5060;transport=tcp"));
    assert_false(is_own("sip:192.0.2.100:5080"));
    assert_true(is_own("sip:[2001:DB8:0::1]:5080"));
    assert_false(is_own("sip:[2001:db8::1]"));
    assert_true(is_own("sip:SIP.example:5090"));
    assert_false(is_own("sip:sip.example"));
    assert_true(is_own("sip:127.0.0.1:5070")); /* By the listener on all addresses. */
    assert_false(is_own("sip:127.0.0.1:5060"));
    assert_false(is_own("sips:192.0.2.100"));
    assert_false(is_own("tel:+1555"));
}

static void own_routes(void **state)
{
    (void)state;
    assert_true(is_route("sip:192.0.2.100;lr"));
    assert_true(is_route("sip:sip.example:5090;lr"));
    assert_true(is_route("sip:atlanta.example;lr"));
    assert_true(is_route("sip:atlanta.example:5070;lr"));
    assert_false(is_route("sip:atlanta.example:5062;lr"));
    assert_false(is_route("sip:192.0.2.100:5062;lr"));
    assert_false(is_route("sip:routed.example;lr"));
    assert_false(is_route("sip:sip.example;lr"));
}

static void routes_are_found_by_their_domain(void **state)
{
    (void)state;
    struct ahoy_uri uri = uri_of("sip:x@ROUTED.example:5999");
    assert_int_equal(ahoyd_names_routes(&world.names, &uri, NULL).own, 1);
    uri = uri_of("sip:x@other.example");
    assert_int_equal(ahoyd_names_routes(&world.names, &uri, NULL).own, 0);
}

static void trunks_are_known_by_address(void **state)
{
    (void)state;
    struct ahoy_ip ip;
    assert_true(ahoy_ip_parse(SPAN("203.0.113.6"), &ip));
    ip.port = 40000;
    assert_true(ahoyd_names_is_trunk(&world.names, &ip));
    assert_false(ahoyd_names_is_trunk_target(&world.names, &ip));
    ip.port = 5060;
    assert_true(ahoyd_names_is_trunk_target(&world.names, &ip));
    assert_true(ahoy_ip_parse(SPAN("203.0.113.7"), &ip));
    assert_false(ahoyd_names_is_trunk(&world.names, &ip));
    assert_true(ahoy_ip_parse(SPAN("::ffff:203.0.113.6"), &ip));
    assert_false(ahoyd_names_is_trunk(&world.names, &ip));
}

#define RULE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RULE(domains_are_names_or_addresses),
        cmocka_unit_test_setup_teardown(one_domain_is_meant_by_every_address, setup_single,
                                        teardown),
        RULE(own_addresses_have_ports),
        RULE(own_routes),
        RULE(routes_are_found_by_their_domain),
        RULE(trunks_are_known_by_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
