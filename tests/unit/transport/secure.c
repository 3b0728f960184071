/* Whom a TLS connection serves: the numbers of domains, and reuse by what a peer has proved (RFC
 * 5923 9, attack 47). */
#include "libahoy/transport/flow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/support/failing_alloc.h"

static void assert_name(const struct ahoy_domains *domains, uint32_t number, const char *name)
{
    assert_true(ahoy_span_equal(ahoy_domains_name(domains, number), ahoy_span(name)));
}

static void a_domain_has_a_number(void **state)
{
    (void)state;
    static struct ahoy_domains domains;
    uint32_t a = ahoy_domains_add(&domains, SPAN("A.example"));
    uint32_t b = ahoy_domains_add(&domains, SPAN("b.example"));
    assert_int_not_equal(a, 0);
    assert_int_not_equal(a, b);
    assert_int_equal(ahoy_domains_add(&domains, SPAN("a.EXAMPLE")), a);
    assert_name(&domains, a, "a.example");
    assert_name(&domains, b, "b.example");
    assert_name(&domains, 0, "");
    assert_name(&domains, b + 1, "");
    char text[AHOY_PEER_NAME_LIMIT + 1];
    memset(text, 'x', sizeof text);
    assert_int_equal(ahoy_domains_add(&domains, (struct span){ text, sizeof text }), 0);
    assert_int_not_equal(ahoy_domains_add(&domains, (struct span){ text, sizeof text - 1 }), 0);
    assert_int_equal(ahoy_domains_add(&domains, SPAN("")), 0);
    ahoy_domains_fini(&domains);
}

/* The table does not grow: whatever is forgotten is never taken for another. */
static void old_domains_are_forgotten(void **state)
{
    (void)state;
    static struct ahoy_domains domains;
    domains.count = UINT32_MAX - 100; /* The numbers begin anew meanwhile. */
    uint32_t numbers[3 * AHOY_DOMAINS_LIMIT];
    char text[64];
    for (unsigned i = 0; i < 3 * AHOY_DOMAINS_LIMIT; i++) {
        snprintf(text, sizeof text, "host-%u.example", i);
        numbers[i] = ahoy_domains_add(&domains, ahoy_span(text));
        assert_int_not_equal(numbers[i], 0);
        assert_name(&domains, numbers[i], text);
        for (unsigned back = 1; back <= i && back < 4; back++) {
            snprintf(text, sizeof text, "host-%u.example", i - back);
            if (i > 200)
                assert_name(&domains, numbers[i - back], text);
        }
    }
    assert_name(&domains, numbers[1000], "");
    ahoy_domains_fini(&domains);
}

static void without_memory_there_is_no_number(void **state)
{
    (void)state;
    if (!failing_alloc_works())
        skip();
    static struct ahoy_domains domains;
    failing_alloc_begin(0, FAILING_ALLOC_FROM_THERE);
    uint32_t number = ahoy_domains_add(&domains, SPAN("a.example"));
    assert_int_equal(failing_alloc_end(), 1);
    assert_int_equal(number, 0);
    ahoy_domains_fini(&domains);
}

struct table {
    struct ahoy_flows flows;
    struct ahoy_timers timers;
};

static int set_up(void **state)
{
    static const struct ahoy_listener listener = { .transport = AHOY_TLS,
                                                   .local = { .family = AHOY_IPV4 } };
    struct table *table = calloc(1, sizeof *table);
    assert_non_null(table);
    ahoy_timers_init(&table->timers, 0);
    const struct ahoy_flows_options options = {
        .listeners = &listener, .listener_count = 1, .limit = 64, .timers = &table->timers
    };
    ahoy_flows_init(&table->flows, &options);
    *state = table;
    return 0;
}

static int tear_down(void **state)
{
    struct table *table = *state;
    ahoy_flows_fini(&table->flows);
    assert_int_equal(table->flows.held, 0);
    free(table);
    return 0;
}

static struct ahoy_hop hop_to(struct table *table, const char *domain)
{
    struct ahoy_hop hop = { .transport = AHOY_TLS };
    hop.remote = (struct ahoy_ip){ .family = AHOY_IPV4, .port = 5061, .bytes = { 192, 0, 2, 1 } };
    hop.domain = ahoy_domains_add(&table->flows.domains, ahoy_span(domain));
    return hop;
}

/* R5923-8.1-5 to -7, R5923-9.3-2 */
static void an_opened_connection_serves_what_it_has_proved(void **state)
{
    struct table *table = *state;
    struct ahoy_flows *flows = &table->flows;
    struct ahoy_hop a = hop_to(table, "a.example");
    struct ahoy_hop b = hop_to(table, "b.example");
    struct ahoy_hop c = hop_to(table, "c.example");
    struct ahoy_hop address = hop_to(table, "");
    struct ahoy_flow *flow = ahoy_flows_open(flows, &a, 0);
    /* While it opens it is for the domain that it was opened for. */
    assert_ptr_equal(ahoy_flows_find(flows, &a), flow);
    assert_null(ahoy_flows_find(flows, &b));
    const struct ahoy_peer peer = { .count = 2, .names = { SPAN("A.example"), SPAN("B.example") } };
    assert_true(ahoy_flows_prove(flows, flow, &peer));
    ahoy_flows_opened(flows, flow, 0);
    assert_ptr_equal(ahoy_flows_find(flows, &a), flow);
    assert_ptr_equal(ahoy_flows_find(flows, &b), flow);
    assert_null(ahoy_flows_find(flows, &c));
    assert_ptr_equal(ahoy_flows_find(flows, &address), flow);
    c.connection = flow->hop.connection; /* Who names it has his reasons. */
    assert_ptr_equal(ahoy_flows_find(flows, &c), flow);
    assert_false(ahoy_flows_prove(flows, flow, &peer)); /* Once is enough. */
}

/* Nobody draws a domain's calls to himself by calling from its address. */
static void an_accepted_connection_serves_no_domain_by_itself(void **state)
{
    struct table *table = *state;
    struct ahoy_flows *flows = &table->flows;
    struct ahoy_hop a = hop_to(table, "a.example");
    struct ahoy_hop address = hop_to(table, "");
    struct ahoy_flow *flow = ahoy_flows_accept(flows, &address, 0);
    assert_null(ahoy_flows_find(flows, &a));
    assert_ptr_equal(ahoy_flows_find(flows, &address), flow);
    const struct ahoy_peer peer = { .count = 1, .names = { SPAN("a.example") } };
    assert_true(ahoy_flows_prove(flows, flow, &peer));
    assert_ptr_equal(ahoy_flows_find(flows, &a), flow);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_domain_has_a_number),
        cmocka_unit_test(old_domains_are_forgotten),
        cmocka_unit_test(without_memory_there_is_no_number),
        cmocka_unit_test_setup_teardown(an_opened_connection_serves_what_it_has_proved, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_accepted_connection_serves_no_domain_by_itself, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
