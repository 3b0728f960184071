/* Connections by TLS: the domain that is asked for when one is opened, and which serve whom (RFC
 * 5922 7.3, RFC 5923 9; attack 47). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "libahoy/stack/parts.h"
#include "tests/support/stack_rig.h"

static int set_up(void **state)
{
    struct rig *rig = calloc(1, sizeof *rig);
    assert_non_null(rig);
    rig_init(rig, 0, 1);
    *state = rig;
    return 0;
}

static int tear_down(void **state)
{
    struct rig *rig = *state;
    rig_fini(rig);
    free(rig);
    return 0;
}

static struct ahoy_ip far_end(void)
{
    return rig_ip("198.51.100.7", 5061);
}

/* A request to the far end, which must be |host|; the effect that comes of it. */
static const struct ahoy_wire_effect *ask_for(struct rig *rig, const char *host, uint64_t user)
{
    rig_forget(rig);
    rig->domain = ahoy_stack_domain(rig->stack, AHOY_TLS, ahoy_span(host));
    assert_true(rig_request(rig, AHOY_TLS, far_end(), user, 0).generation != 0);
    rig_poll(rig);
    assert_int_equal(rig->effect_count, 1);
    return &rig->effects[0];
}

static void tell(struct rig *rig, enum ahoy_wire_event_kind kind, struct ahoy_handle connection,
                 const struct ahoy_peer *peer)
{
    struct ahoy_wire_event event = { .kind = kind,
                                     .hop = { .transport = AHOY_TLS, .connection = connection },
                                     .peer = peer };
    rig_step(rig, &event);
}

static void a_connection_is_opened_for_a_domain(void **state)
{
    struct rig *rig = *state;
    const struct ahoy_wire_effect *effect = ask_for(rig, "A.example", 1);
    assert_int_equal(effect->kind, AHOY_WIRE_CONNECT);
    assert_int_equal(effect->hop.listener, RIG_TLS4);
    assert_true(ahoy_span_equal(effect->bytes, SPAN("a.example")));
    struct ahoy_handle first = effect->hop.connection;
    effect = ask_for(rig, "b.example", 2); /* It may be another's: one of its own. */
    assert_int_equal(effect->kind, AHOY_WIRE_CONNECT);
    assert_true(ahoy_span_equal(effect->bytes, SPAN("b.example")));
    rig_forget(rig);
    const struct ahoy_peer peer = { .count = 2, .names = { SPAN("a.example"), SPAN("c.example") } };
    tell(rig, AHOY_WIRE_CONNECTED, first, &peer);
    assert_int_equal(rig_count(rig, AHOY_WIRE_SEND), 1);
    effect = ask_for(rig, "c.example", 3); /* It has proved to be that too. */
    assert_int_equal(effect->kind, AHOY_WIRE_SEND);
    assert_true(ahoy_handle_equal(effect->hop.connection, first));
}

/* Where only the address is asked for, the address is to be proved. */
static void an_address_is_no_domain(void **state)
{
    struct rig *rig = *state;
    const struct ahoy_wire_effect *effect = ask_for(rig, "198.51.100.7", 1);
    assert_int_equal(effect->kind, AHOY_WIRE_CONNECT);
    assert_int_equal(effect->bytes.size, 0);
    assert_int_equal(ahoy_stack_domain(rig->stack, AHOY_TCP, SPAN("a.example")), 0);
}

static void nobody_draws_calls_to_himself(void **state)
{
    struct rig *rig = *state;
    struct ahoy_wire_event event = {
        .kind = AHOY_WIRE_ACCEPTED,
        .hop = { .transport = AHOY_TLS, .listener = RIG_TLS4, .remote = far_end() }
    };
    rig_step(rig, &event);
    struct ahoy_handle accepted = event.hop.connection;
    assert_true(accepted.generation != 0);
    assert_int_equal(ask_for(rig, "a.example", 1)->kind, AHOY_WIRE_CONNECT);
    const struct ahoy_peer peer = { .count = 1, .names = { SPAN("b.example") } };
    tell(rig, AHOY_WIRE_PROVED, accepted, &peer);
    const struct ahoy_wire_effect *effect = ask_for(rig, "b.example", 2);
    assert_int_equal(effect->kind, AHOY_WIRE_SEND);
    assert_true(ahoy_handle_equal(effect->hop.connection, accepted));
}

/* So many others came in between that nobody knows any more who it was to be: it is not sent. */
static void a_forgotten_domain_is_a_failure(void **state)
{
    struct rig *rig = *state;
    char host[32];
    rig->domain = ahoy_stack_domain(rig->stack, AHOY_TLS, SPAN("a.example"));
    for (int i = 0; i < AHOY_DOMAINS_LIMIT; i++) {
        snprintf(host, sizeof host, "h%d.example", i);
        assert_int_not_equal(ahoy_stack_domain(rig->stack, AHOY_TLS, ahoy_span(host)), 0);
    }
    assert_true(rig_request(rig, AHOY_TLS, far_end(), 7, 0).generation != 0);
    rig_poll(rig);
    assert_int_equal(rig->effect_count, 0);
    rig_wait(rig, rig->now_ms + 1);
    assert_int_equal(rig_seen_count(rig, AHOY_EVENT_UNREACHABLE, 7), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_connection_is_opened_for_a_domain),
        TEST(an_address_is_no_domain),
        TEST(nobody_draws_calls_to_himself),
        TEST(a_forgotten_domain_is_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
