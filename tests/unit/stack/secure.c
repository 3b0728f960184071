/* Connections by TLS: the domain that is asked for when one is opened, and which serve whom (RFC
 * 5922 7.3, RFC 5923 9; attack 47). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "libahoy/stack/parts.h"
#include "tests/support/stack_rig.h"

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

/* R5923-8.1-4, -8 and -9, R5923-8.3-3, R5626-4.3-2 */
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
    tell(rig, AHOY_WIRE_CLOSED, first, NULL);
    effect = ask_for(rig, "c.example", 4);
    assert_int_equal(effect->kind, AHOY_WIRE_CONNECT);
    assert_false(ahoy_handle_equal(effect->hop.connection, first));
}

/* R5923-8.3-1, -2: we close, and who waits for a response is told; what still comes is not read. */
static void a_connection_that_we_close(void **state)
{
    struct rig *rig = *state;
    struct ahoy_handle connection = ask_for(rig, "a.example", 1)->hop.connection;
    const struct ahoy_peer peer = { .count = 1, .names = { SPAN("a.example") } };
    tell(rig, AHOY_WIRE_CONNECTED, connection, &peer);
    rig_forget(rig);
    rig_bytes(rig, connection, SPAN("OPTIONS sip:a SIP/2.0\r\nContent-Length: -1\r\n\r\n"));
    assert_int_equal(rig_count(rig, AHOY_WIRE_CLOSE), 1);
    rig_wait(rig, rig->now_ms);
    assert_int_equal(rig_seen_count(rig, AHOY_EVENT_UNREACHABLE, 1), 1);
    rig_forget(rig);
    rig_bytes(rig, connection,
              SPAN("OPTIONS sip:b@b.example SIP/2.0\r\nVia: SIP/2.0/TLS a;branch=z9hG4bK1\r\n"
                   "From: <sip:a@a.example>;tag=1\r\nTo: <sip:b@b.example>\r\nCall-ID: 1\r\n"
                   "CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"));
    assert_int_equal(rig->seen_count + rig->effect_count, 0);
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

/* A connection from another port, a request on it, and whom a request to far_end() then finds. */
struct alias {
    const char *what;
    uint8_t listener;
    const char *proved; /* NULL: nothing. */
    const char *via;
    const char *wanted; /* "198.51.100.7": the address alone. */
    bool is_used;
};

/* R5923-8.2-1, -4, -5 and -6, R5923-9.2-2, -3, R5923-9.3-1, attack 47. */
static const struct alias aliases[] = {
    { "alias", RIG_TLS4, "b.example", "TLS b.example:5061;alias", "b.example", true },
    { "the default port", RIG_TLS4, "b.example", "TLS b.example;alias", "b.example", true },
    { "a name of another case", RIG_TLS4, "B.example", "TLS b.example;alias", "b.EXAMPLE", true },
    { "no alias", RIG_TLS4, "b.example", "TLS b.example:5061", "b.example", false },
    { "another port", RIG_TLS4, "b.example", "TLS b.example:5062;alias", "b.example", false },
    { "another name", RIG_TLS4, "b.example", "TLS a.example;alias", "a.example", false },
    { "no name", RIG_TLS4, "b.example", "TLS b.example;alias", "198.51.100.7", false },
    { "nothing proved", RIG_TLS4, NULL, "TLS b.example;alias", "b.example", false },
    { "nothing proved, no name", RIG_TLS4, NULL, "TLS b.example;alias", "198.51.100.7", false },
    { "by TCP", RIG_TCP4, NULL, "TLS b.example;alias", "b.example", false },
};

/* The far end connects, proves what |row| says, and sends its request; answered in any case. */
static struct ahoy_handle accept_alias(struct rig *rig, const struct alias *row)
{
    char text[512];
    struct ahoy_handle accepted = rig_accept(rig, row->listener, rig_ip("198.51.100.7", 40000));
    if (row->proved != NULL) {
        const struct ahoy_peer peer = { .count = 1, .names = { ahoy_span(row->proved) } };
        tell(rig, AHOY_WIRE_PROVED, accepted, &peer);
    }
    (void)snprintf(text, sizeof text,
                   "OPTIONS sip:b@b.example SIP/2.0\r\nVia: SIP/2.0/%s;branch=z9hG4bK1\r\n"
                   "From: <sip:a@a.example>;tag=1\r\nTo: <sip:b@b.example>\r\nCall-ID: 1\r\n"
                   "CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
                   row->via);
    rig_bytes(rig, accepted, ahoy_span(text));
    assert_int_equal(rig_status(rig_sent(rig, 0)), 200);
    if (row->proved == NULL) /* R5923-9.2-3 */
        assert_int_equal(rig->stack->flows.by_remote.used, 1);
    return accepted;
}

static void an_alias_is_for_proved_names(void **state)
{
    struct rig *rig = *state;
    for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; i++) {
        const struct alias *row = &aliases[i];
        struct ahoy_handle accepted = accept_alias(rig, row);
        const struct ahoy_wire_effect *effect = ask_for(rig, row->wanted, i);
        struct ahoy_handle used = effect->hop.connection;
        if ((effect->kind == AHOY_WIRE_SEND) != row->is_used ||
            ahoy_handle_equal(used, accepted) != row->is_used)
            fail_msg("%s", row->what);
        tell(rig, AHOY_WIRE_CLOSED, accepted, NULL);
        if (row->is_used) /* R5923-8.2-2, -3: it is gone, so one is opened. */
            used = ask_for(rig, row->wanted, 100)->hop.connection;
        assert_false(ahoy_handle_equal(used, accepted));
        tell(rig, AHOY_WIRE_CLOSED, used, NULL);
        rig_forget(rig);
    }
    assert_int_equal(rig->stack->flows.by_remote.used, 0);
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
    const struct CMUnitTest tests[] = {
        rig_test(a_connection_is_opened_for_a_domain), rig_test(an_address_is_no_domain),
        rig_test(a_connection_that_we_close),          rig_test(an_alias_is_for_proved_names),
        rig_test(nobody_draws_calls_to_himself),       rig_test(a_forgotten_domain_is_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
