/* The table of flows (RFC 3261 18): who is found, which listener is taken, and every limit. */
#include "libahoy/transport/flow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static struct ahoy_ip ip_of(const char *text, uint16_t port)
{
    struct ahoy_ip ip;
    assert_true(ahoy_ip_parse(ahoy_span(text), &ip));
    ip.port = port;
    return ip;
}

static struct ahoy_hop hop_to(enum ahoy_transport transport, const char *text, uint16_t port)
{
    return (struct ahoy_hop){ .transport = (uint8_t)transport,
                              .listener = AHOY_ANY_LISTENER,
                              .remote = ip_of(text, port) };
}

struct table {
    struct ahoy_timers timers;
    struct ahoy_listener listeners[8];
    struct ahoy_flows flows;
};

static const struct {
    enum ahoy_transport transport;
    const char *host;
} listeners[8] = {
    { AHOY_UDP, "127.0.0.1" },   { AHOY_UDP, "192.0.2.1" }, { AHOY_TCP, "192.0.2.1" },
    { AHOY_TCP, "127.0.0.1" },   { AHOY_TCP, "::1" },       { AHOY_TCP, "2001:db8::1" },
    { AHOY_UDP, "0.0.0.0" },     { AHOY_UDP, "::" },
};

static int set_up(void **state)
{
    struct table *table = calloc(1, sizeof *table);
    assert_non_null(table);
    for (size_t i = 0; i < 8; i++) {
        table->listeners[i].transport = listeners[i].transport;
        table->listeners[i].local = ip_of(listeners[i].host, 5060);
    }
    ahoy_timers_init(&table->timers, 0);
    const struct ahoy_flows_options options = { .listeners = table->listeners,
                                                .listener_count = 8,
                                                .worker = 3,
                                                .limit = 80,
                                                .key = { { 1, 2 } },
                                                .timers = &table->timers };
    ahoy_flows_init(&table->flows, &options);
    *state = table;
    return 0;
}

static int tear_down(void **state)
{
    struct table *table = *state;
    ahoy_flows_fini(&table->flows);
    assert_int_equal(table->flows.held, 0);
    assert_int_equal(table->timers.count, 0);
    free(table);
    return 0;
}

static void listener_of_a_hop(void **state)
{
    struct table *table = *state;
    static const struct {
        enum ahoy_transport transport;
        const char *remote;
        int listener; /* -1: none. */
    } cases[] = {
        { AHOY_UDP, "127.0.0.9", 0 },   { AHOY_UDP, "198.51.100.7", 1 },
        { AHOY_TCP, "198.51.100.7", 2 }, { AHOY_TCP, "127.0.0.1", 3 },
        { AHOY_TCP, "::1", 4 },         { AHOY_TCP, "2001:db8::9", 5 },
        { AHOY_UDP, "::1", 7 },         { AHOY_UDP, "2001:db8::9", 7 },
        { AHOY_TLS, "198.51.100.7", -1 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ahoy_hop hop = hop_to(cases[i].transport, cases[i].remote, 5060);
        const struct ahoy_listener *expected =
            cases[i].listener < 0 ? NULL : &table->listeners[cases[i].listener];
        assert_ptr_equal(ahoy_flows_listener(&table->flows, &hop), expected);
    }
}

static void listener_by_name_and_by_address(void **state)
{
    struct table *table = *state;
    struct ahoy_hop hop = hop_to(AHOY_UDP, "198.51.100.7", 5060);
    hop.listener = 6;
    assert_ptr_equal(ahoy_flows_listener(&table->flows, &hop), &table->listeners[6]);
    hop.listener = 8;
    assert_null(ahoy_flows_listener(&table->flows, &hop));

    /* A listener on loopback serves loopback only, and a peer there is served by no other. */
    table->flows.listener_count = 1;
    hop.listener = AHOY_ANY_LISTENER;
    assert_null(ahoy_flows_listener(&table->flows, &hop));
    table->flows.listeners = &table->listeners[1];
    hop.remote = ip_of("127.0.0.1", 5060);
    assert_null(ahoy_flows_listener(&table->flows, &hop));
}

/* 18.1.1: by destination where we opened it, by source where we accepted it, and never by
 * another address, port or transport. */
static void found_by_the_far_end(void **state)
{
    struct table *table = *state;
    struct ahoy_flows *flows = &table->flows;
    struct ahoy_hop out = hop_to(AHOY_TCP, "198.51.100.7", 5060);
    out.listener = 2;
    struct ahoy_hop in = hop_to(AHOY_TCP, "2001:db8::9", 40000);
    in.listener = 5;
    struct ahoy_flow *opened = ahoy_flows_open(flows, &out, 0);
    struct ahoy_flow *accepted = ahoy_flows_accept(flows, &in, 0);
    assert_int_equal(opened->state, AHOY_FLOW_CONNECTING);
    assert_int_equal(accepted->state, AHOY_FLOW_OPEN);
    assert_int_equal(accepted->hop.worker, 3);
    assert_ptr_equal(ahoy_flows_find(flows, &out), opened);
    assert_ptr_equal(ahoy_flows_find(flows, &in), accepted);
    assert_ptr_equal(ahoy_flows_get(flows, accepted->hop.connection), accepted);

    struct ahoy_hop other = out;
    other.remote.port = 5061;
    assert_null(ahoy_flows_find(flows, &other));
    other = out;
    other.transport = AHOY_TLS;
    assert_null(ahoy_flows_find(flows, &other));
    other = out;
    other.remote.bytes[3]++;
    assert_null(ahoy_flows_find(flows, &other));
    other = in;
    other.remote.scope = 2;
    assert_null(ahoy_flows_find(flows, &other));
}

static void named_before_found(void **state)
{
    struct ahoy_flows *flows = &((struct table *)*state)->flows;
    struct ahoy_hop hop = hop_to(AHOY_TCP, "198.51.100.7", 5060);
    hop.listener = 2;
    struct ahoy_flow *first = ahoy_flows_open(flows, &hop, 0);
    struct ahoy_flow *second = ahoy_flows_accept(flows, &hop, 0);
    /* One that is open is better than one that is opening. */
    assert_ptr_equal(ahoy_flows_find(flows, &hop), second);
    hop.connection = first->hop.connection;
    assert_ptr_equal(ahoy_flows_find(flows, &hop), first);
    /* A stale name falls back to the address. */
    ahoy_flows_close(flows, first);
    assert_null(ahoy_flows_get(flows, hop.connection));
    assert_ptr_equal(ahoy_flows_find(flows, &hop), second);
    /* A connection that is to be closed serves only who names it. */
    second->closing = true;
    assert_null(ahoy_flows_find(flows, &hop));
    hop.connection = second->hop.connection;
    assert_ptr_equal(ahoy_flows_find(flows, &hop), second);
}

static struct ahoy_flow *accept_from(struct table *table, const char *host, uint16_t port)
{
    struct ahoy_hop hop = hop_to(AHOY_TCP, host, port);
    hop.listener = 2;
    return ahoy_flows_accept(&table->flows, &hop, 0);
}

/* Row 45: a limit of strangers an address, which is a link's prefix in IPv6. */
static void limit_of_strangers(void **state)
{
    struct table *table = *state;
    struct ahoy_flow *four[AHOY_STRANGERS_LIMIT];
    char host[32];
    for (uint16_t i = 0; i < AHOY_STRANGERS_LIMIT; i++) {
        four[i] = accept_from(table, "198.51.100.7", (uint16_t)(40000 + i));
        assert_non_null(four[i]);
        struct ahoy_buf buf = ahoy_buf_over(host, sizeof host - 1);
        ahoy_buf_put(&buf, SPAN("2001:db8:0:1::"));
        ahoy_buf_put_number(&buf, 1u + i);
        host[buf.size] = '\0';
        assert_non_null(accept_from(table, host, 40000));
    }
    assert_null(accept_from(table, "198.51.100.7", 50000));
    assert_null(accept_from(table, "2001:db8:0:1:ffff::1", 50000));
    struct ahoy_flow *neighbour = accept_from(table, "198.51.100.8", 50000);
    assert_non_null(neighbour);
    assert_non_null(accept_from(table, "2001:db8:0:2::1", 50000));

    /* Whoever is trusted or gone is no longer counted, and not twice. */
    ahoy_flows_trust(&table->flows, four[0], 0);
    ahoy_flows_trust(&table->flows, four[0], 0);
    assert_non_null(accept_from(table, "198.51.100.7", 50000));
    assert_null(accept_from(table, "198.51.100.7", 50001));
    ahoy_flows_close(&table->flows, four[0]);
    assert_null(accept_from(table, "198.51.100.7", 50001));
    ahoy_flows_close(&table->flows, four[1]);
    assert_non_null(accept_from(table, "198.51.100.7", 50001));
    assert_null(accept_from(table, "198.51.100.7", 50002));
}

static void limit_of_connections(void **state)
{
    struct table *table = *state;
    for (uint16_t i = 0; i < 80; i++) {
        struct ahoy_hop hop = hop_to(AHOY_TCP, "198.51.100.7", (uint16_t)(1000 + i));
        hop.listener = 2;
        assert_non_null(ahoy_flows_open(&table->flows, &hop, 0));
    }
    assert_null(accept_from(table, "198.51.100.8", 1));
    struct ahoy_hop hop = hop_to(AHOY_TCP, "198.51.100.7", 999);
    hop.listener = 2;
    assert_null(ahoy_flows_open(&table->flows, &hop, 0));
    assert_int_equal(table->flows.by_remote.used, 80);
    assert_int_equal(table->flows.strangers.used, 0);
}

/* Row 2: memory follows what came. */
static void partial_bytes_are_bounded(void **state)
{
    struct table *table = *state;
    struct ahoy_flow *flow = accept_from(table, "198.51.100.7", 1);
    static const char bytes[AHOY_MESSAGE_LIMIT];
    assert_true(ahoy_flows_keep(&table->flows, flow, (struct span){ bytes, 10 }));
    assert_in_range(table->flows.held, 10, 4096);
    assert_true(ahoy_flows_keep(&table->flows, flow, (struct span){ bytes, 60000 }));
    assert_int_equal(flow->partial_size, 60010);
    assert_int_equal(table->flows.held, AHOY_MESSAGE_LIMIT);
    assert_false(ahoy_flows_keep(&table->flows, flow, (struct span){ bytes, 5527 }));
    assert_true(ahoy_flows_keep(&table->flows, flow, (struct span){ bytes, 5526 }));
    assert_int_equal(table->flows.held, AHOY_MESSAGE_LIMIT);
    free(ahoy_flows_take_partial(&table->flows, flow));
    assert_int_equal(table->flows.held, 0);
    assert_int_equal(flow->partial_size, 0);

    table->flows.held = AHOY_FLOWS_HELD_LIMIT - 1000; /* Others hold as much as that. */
    assert_false(ahoy_flows_keep(&table->flows, flow, (struct span){ bytes, 10 }));
    table->flows.held = 0;
}

static void pending_bytes_are_bounded(void **state)
{
    struct table *table = *state;
    struct ahoy_hop hop = hop_to(AHOY_TCP, "198.51.100.7", 5060);
    hop.listener = 2;
    struct ahoy_flow *flow = ahoy_flows_open(&table->flows, &hop, 0);
    static const char bytes[60000];
    const struct ahoy_handle owner = { 7, 9 };
    for (int i = 0; i < 4; i++) {
        struct span message = { bytes, 60000 - (size_t)i };
        assert_true(ahoy_flows_wait(&table->flows, flow, message, owner));
    }
    assert_false(ahoy_flows_wait(&table->flows, flow, (struct span){ bytes, 60000 }, owner));
    assert_true(ahoy_flows_wait(&table->flows, flow, (struct span){ bytes, 1 }, owner));
    struct ahoy_pending *pending = ahoy_flows_take_pending(&table->flows, flow);
    assert_int_equal(table->flows.held, 0);
    size_t size = 60000;
    for (int i = 0; i < 5; i++, size--) {
        assert_int_equal(pending->size, i < 4 ? size : 1); /* Oldest first. */
        assert_true(ahoy_handle_equal(pending->transaction, owner));
        struct ahoy_pending *next = pending->next;
        free(pending);
        pending = next;
    }
    assert_null(pending);
    table->flows.held = AHOY_FLOWS_HELD_LIMIT - 1000; /* Others hold as much as that. */
    assert_false(ahoy_flows_wait(&table->flows, flow, (struct span){ bytes, 1000 }, owner));
    table->flows.held = 0;
    assert_true(ahoy_flows_wait(&table->flows, flow, (struct span){ bytes, 60000 }, owner));
    /* The rest is freed with the flow: the sanitizer sees it. */
}

static bool is_due(struct table *table, struct ahoy_flow *flow, uint64_t deadline_ms)
{
    bool early = ahoy_timers_expire(&table->timers, deadline_ms - 1) != NULL;
    return !early && ahoy_timers_expire(&table->timers, deadline_ms) == &flow->timer;
}

static void patience(void **state)
{
    struct table *table = *state;
    struct ahoy_flows *flows = &table->flows;
    struct ahoy_flow *flow = accept_from(table, "198.51.100.7", 1);
    assert_int_equal(flow->timer.which, AHOY_FLOW_TIMER);
    assert_true(ahoy_handle_equal(ahoy_handle_unpack(flow->timer.what), flow->hop.connection));

    /* A stranger's blank lines and beginnings of messages win no time. */
    ahoy_flows_rest(flows, flow, false, 5000);
    assert_true(ahoy_flows_keep(flows, flow, SPAN("INV")));
    ahoy_flows_rest(flows, flow, true, 9000);
    assert_true(is_due(table, flow, AHOY_PATIENCE_MS));

    /* Once it has sent something sound, each message has ten seconds from its beginning. */
    flow->sound = true;
    ahoy_flows_rest(flows, flow, true, 20000);
    ahoy_flows_rest(flows, flow, false, 25000);
    assert_true(is_due(table, flow, 20000 + AHOY_PATIENCE_MS));
    free(ahoy_flows_take_partial(flows, flow));
    ahoy_flows_rest(flows, flow, false, 40000);
    assert_true(is_due(table, flow, 40000 + AHOY_IDLE_MS));
}

static void patience_with_trusted_and_opened(void **state)
{
    struct table *table = *state;
    struct ahoy_flows *flows = &table->flows;
    struct ahoy_flow *flow = accept_from(table, "198.51.100.7", 1);
    ahoy_flows_trust(flows, flow, 100);
    assert_true(is_due(table, flow, 100 + AHOY_IDLE_MS));
    uint64_t now_ms = 100 + AHOY_IDLE_MS;
    assert_true(ahoy_flows_keep(flows, flow, SPAN("INV")));
    ahoy_flows_rest(flows, flow, true, now_ms);
    ahoy_flows_trust(flows, flow, now_ms); /* Trust does not excuse half a message. */
    now_ms += AHOY_PATIENCE_MS;
    assert_true(is_due(table, flow, now_ms));

    struct ahoy_hop hop = hop_to(AHOY_TCP, "198.51.100.7", 5060);
    hop.listener = 2;
    struct ahoy_flow *opened = ahoy_flows_open(flows, &hop, now_ms);
    now_ms += AHOY_PATIENCE_MS;
    assert_true(is_due(table, opened, now_ms));
    ahoy_flows_opened(flows, opened, now_ms);
    assert_true(is_due(table, opened, now_ms + AHOY_IDLE_MS));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(listener_of_a_hop),
        TEST(listener_by_name_and_by_address),
        TEST(found_by_the_far_end),
        TEST(named_before_found),
        TEST(limit_of_strangers),
        TEST(limit_of_connections),
        TEST(partial_bytes_are_bounded),
        TEST(pending_bytes_are_bounded),
        TEST(patience),
        TEST(patience_with_trusted_and_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
