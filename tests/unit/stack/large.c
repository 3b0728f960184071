/* A request that is too large for a datagram, on its way by TCP and back (RFC 3261 18.1.1). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "libahoy/stack/parts.h"
#include "tests/support/stack_rig.h"

enum { LARGE = 2000 };

static struct ahoy_ip bob(void)
{
    return rig_ip("198.51.100.7", 5060);
}

/* A large request by UDP: the connection that is asked for instead. */
static struct ahoy_handle send_large(struct rig *rig, uint64_t user)
{
    rig_forget(rig);
    assert_true(rig_request(rig, AHOY_UDP, bob(), user, LARGE).generation != 0);
    rig_poll(rig);
    assert_int_equal(rig->effect_count, 1);
    const struct ahoy_ip remote = bob();
    const struct ahoy_wire_effect *effect = &rig->effects[0];
    assert_int_equal(effect->kind, AHOY_WIRE_CONNECT);
    assert_int_equal(effect->hop.transport, AHOY_TCP);
    assert_true(ahoy_ip_equal(&effect->hop.remote, &remote));
    struct ahoy_handle connection = effect->hop.connection;
    rig_forget(rig);
    return connection;
}

static void expect_one(const struct rig *rig, enum ahoy_transport transport)
{
    assert_int_equal(rig->effect_count, 1);
    const struct ahoy_wire_effect *effect = rig_sent(rig, 0);
    const char *via = transport == AHOY_UDP ? "\r\nVia: SIP/2.0/UDP " : "\r\nVia: SIP/2.0/TCP ";
    assert_int_equal(effect->hop.transport, transport);
    assert_non_null(strstr(effect->bytes.at, via));
}

/* R3261-18.1.1-1, -2; the next one has the connection. */
static void goes_by_tcp(void **state)
{
    struct rig *rig = *state;
    struct ahoy_handle connection = send_large(rig, 1);
    rig_tell(rig, AHOY_WIRE_CONNECTED, connection);
    expect_one(rig, AHOY_TCP);
    rig_forget(rig);
    (void)rig_request(rig, AHOY_UDP, bob(), 2, LARGE);
    (void)rig_request(rig, AHOY_UDP, bob(), 3, 0); /* A small one goes as it was to go. */
    rig_poll(rig);
    assert_int_equal(rig_count(rig, AHOY_WIRE_SEND), 2);
    assert_true(ahoy_handle_equal(rig_sent(rig, 0)->hop.connection, connection));
    assert_int_equal(rig_sent(rig, 1)->hop.transport, AHOY_UDP);
}

/* S3261-18.1.1-1: a reset.  The user learns nothing of it, and the peer is not asked again for five
 * minutes. */
static void refused(void **state)
{
    struct rig *rig = *state;
    struct ahoy_handle connection = send_large(rig, 1);
    rig_tell(rig, AHOY_WIRE_CLOSED, connection);
    expect_one(rig, AHOY_UDP);
    assert_int_equal(rig->seen_count, 0);
    rig_forget(rig);
    (void)rig_request(rig, AHOY_UDP, bob(), 2, LARGE);
    rig_poll(rig);
    expect_one(rig, AHOY_UDP);
    rig_wait(rig, rig->now_ms + AHOY_REFUSAL_MS);
    (void)send_large(rig, 3);
}

/* A firewall that swallows what comes: after two seconds it is as if it had been refused. */
static void swallowed(void **state)
{
    struct rig *rig = *state;
    (void)send_large(rig, 1);
    rig_wait(rig, rig->now_ms + AHOY_SHORT_PATIENCE_MS - 1);
    assert_int_equal(rig->effect_count, 0);
    rig_wait(rig, rig->now_ms + 1);
    assert_int_equal(rig_count(rig, AHOY_WIRE_CLOSE), 1);
    assert_int_equal(rig_count(rig, AHOY_WIRE_SEND), 1);
    assert_int_equal(rig_sent(rig, 0)->hop.transport, AHOY_UDP);
    assert_int_equal(rig->seen_count, 0);
}

/* A connection that broke before anything came back is none either; but the peer has TCP. */
static void broken(void **state)
{
    struct rig *rig = *state;
    struct ahoy_handle connection = send_large(rig, 1);
    rig_tell(rig, AHOY_WIRE_CONNECTED, connection);
    rig_forget(rig);
    rig_tell(rig, AHOY_WIRE_CLOSED, connection);
    expect_one(rig, AHOY_UDP);
    (void)send_large(rig, 2);
}

/* Whoever chose TCP has ten seconds, and no other way. */
static void chosen_tcp(void **state)
{
    struct rig *rig = *state;
    (void)rig_request(rig, AHOY_TCP, bob(), 1, LARGE);
    rig_poll(rig);
    struct ahoy_handle connection = rig->effects[0].hop.connection;
    rig_wait(rig, rig->now_ms + AHOY_PATIENCE_MS - 1);
    assert_int_equal(rig_seen_count(rig, AHOY_EVENT_UNREACHABLE, 1), 0);
    rig_tell(rig, AHOY_WIRE_CLOSED, connection);
    assert_int_equal(rig_seen_count(rig, AHOY_EVENT_UNREACHABLE, 1), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        rig_test(goes_by_tcp), rig_test(refused),    rig_test(swallowed),
        rig_test(broken),      rig_test(chosen_tcp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
