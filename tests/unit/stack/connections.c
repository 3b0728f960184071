/* Connections that we open, share and lose (RFC 3261 18, 18.1.1, 18.2.2, 18.4; row 44). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "libahoy/stack/parts.h"
#include "tests/support/stack_rig.h"

#define REST                                                                                       \
    "From: <sip:a@a.example>;tag=1\r\nTo: <sip:b@b.example>\r\nCall-ID: c1@a.example\r\n"          \
    "CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
#define REQUEST                                                                                    \
    "OPTIONS sip:b@b.example SIP/2.0\r\nVia: SIP/2.0/TCP pc.example:5070;branch=z9hG4bK1\r\n" REST

static int tear_down(void **state)
{
    struct rig *rig = *state;
    assert_int_equal(rig->stack->flows.held, 0); /* Nothing is kept for a connection at rest. */
    return rig_tear_down(state);
}

static struct ahoy_ip bob(void)
{
    return rig_ip("198.51.100.7", 5060);
}

static bool holds(const struct ahoy_wire_effect *effect, const char *text)
{
    return strstr(effect->bytes.at, text) != NULL;
}

/* A request to |remote| that makes the stack ask for a connection; the name of that. */
static struct ahoy_handle connecting(struct rig *rig, struct ahoy_ip remote, uint64_t user)
{
    assert_true(rig_request(rig, AHOY_TCP, remote, user, 0).generation != 0);
    rig_poll(rig);
    assert_int_equal(rig->effect_count, 1);
    const struct ahoy_wire_effect *effect = &rig->effects[0];
    assert_int_equal(effect->kind, AHOY_WIRE_CONNECT);
    assert_true(ahoy_ip_equal(&effect->hop.remote, &remote));
    assert_int_equal(effect->hop.transport, AHOY_TCP);
    struct ahoy_handle connection = effect->hop.connection;
    assert_true(connection.generation != 0);
    rig_forget(rig);
    return connection;
}

/* R5626-4.3-1: what is sent while the connection opens waits for it, in order, and one is opened
 * only. */
static void messages_wait_for_the_connection(void **state)
{
    struct rig *rig = *state;
    struct ahoy_handle connection = connecting(rig, bob(), 1);
    (void)rig_request(rig, AHOY_TCP, bob(), 2, 0);
    (void)rig_request(rig, AHOY_TCP, bob(), 3, 0);
    rig_poll(rig);
    assert_int_equal(rig->effect_count, 0);
    rig_tell(rig, AHOY_WIRE_CONNECTED, connection);
    assert_int_equal(rig->effect_count, 3);
    static const char *const calls[] = { ": rig-1\r", ": rig-2\r", ": rig-3\r" };
    for (size_t i = 0; i < 3; i++) {
        assert_true(holds(rig_sent(rig, i), calls[i]));
        assert_true(ahoy_handle_equal(rig_sent(rig, i)->hop.connection, connection));
        assert_int_equal(rig_sent(rig, i)->hop.listener, RIG_TCP4);
    }
    /* It is used again (18.1.1), by requests of ours and answers to the peer's alike. */
    rig_forget(rig);
    (void)rig_request(rig, AHOY_TCP, bob(), 4, 0);
    rig_poll(rig);
    assert_true(ahoy_handle_equal(rig_sent(rig, 0)->hop.connection, connection));
    rig_forget(rig);
    rig_bytes(rig, connection, SPAN(REQUEST));
    assert_int_equal(rig_status(rig_sent(rig, 0)), 200);
    assert_true(ahoy_handle_equal(rig_sent(rig, 0)->hop.connection, connection));
}

static void ipv6_leaves_from_ipv6(void **state)
{
    struct rig *rig = *state;
    const struct ahoy_ip carol = rig_ip("2001:db8::7", 5060);
    struct ahoy_handle connection = connecting(rig, carol, 1);
    rig_tell(rig, AHOY_WIRE_CONNECTED, connection);
    assert_int_equal(rig_sent(rig, 0)->hop.listener, RIG_TCP6);
}

/* 18: one that the peer opened serves requests to its source address and port, no other. */
static void accepted_connections_are_used(void **state)
{
    struct rig *rig = *state;
    const struct ahoy_ip phone = rig_ip("198.51.100.7", 40000);
    struct ahoy_handle connection = rig_accept(rig, RIG_TCP4, phone);
    (void)rig_request(rig, AHOY_TCP, phone, 1, 0);
    rig_poll(rig);
    assert_true(ahoy_handle_equal(rig_sent(rig, 0)->hop.connection, connection));
    rig_forget(rig);
    struct ahoy_handle another = connecting(rig, bob(), 2);
    assert_false(ahoy_handle_equal(another, connection));
    rig_tell(rig, AHOY_WIRE_CLOSED, another);
}

/* 18.4: who waited for a connection that fails is told; the next request tries again. */
static void refused_connections(void **state)
{
    struct rig *rig = *state;
    struct ahoy_handle connection = connecting(rig, bob(), 1);
    (void)rig_request(rig, AHOY_TCP, bob(), 2, 0);
    rig_poll(rig);
    rig_tell(rig, AHOY_WIRE_CLOSED, connection);
    assert_int_equal(rig_seen_count(rig, AHOY_EVENT_UNREACHABLE, 1), 1);
    assert_int_equal(rig_seen_count(rig, AHOY_EVENT_UNREACHABLE, 2), 1);
    assert_int_equal(rig_count(rig, AHOY_WIRE_CLOSE), 0);
    assert_int_equal(rig->counters->send_failures, 2);
    rig_forget(rig);
    struct ahoy_handle again = connecting(rig, bob(), 3);
    assert_false(ahoy_handle_equal(again, connection));
    rig_tell(rig, AHOY_WIRE_CLOSED, again);
}

/* A connection that neither stands nor fails is given up. */
static void connections_that_hang(void **state)
{
    struct rig *rig = *state;
    struct ahoy_handle connection = connecting(rig, bob(), 1);
    rig_wait(rig, rig->now_ms + AHOY_PATIENCE_MS - 1);
    assert_int_equal(rig->effect_count, 0);
    rig_wait(rig, rig->now_ms + 1);
    assert_int_equal(rig_count(rig, AHOY_WIRE_CLOSE), 1);
    assert_true(ahoy_handle_equal(rig->effects[0].hop.connection, connection));
    assert_int_equal(rig_seen_count(rig, AHOY_EVENT_UNREACHABLE, 1), 1);
    rig_tell(rig, AHOY_WIRE_CONNECTED, connection); /* Too late. */
    assert_int_equal(rig->counters->messages_out, 0);
}

/* What does not fit any more fails, in the next round of events, which is due at once. */
static void too_much_waits(void **state)
{
    struct rig *rig = *state;
    struct ahoy_handle connection = connecting(rig, bob(), 1);
    for (uint64_t user = 2; user <= 6; user++)
        (void)rig_request(rig, AHOY_TCP, bob(), user, 60000);
    rig_poll(rig);
    assert_in_range(rig->stack->flows.held, 4 * 60000, AHOY_PENDING_LIMIT);
    assert_int_equal(rig->effect_count, 0);
    assert_int_equal(ahoy_stack_deadline(rig->stack), rig->now_ms);
    rig_wait(rig, rig->now_ms);
    assert_int_equal(rig_seen_count(rig, AHOY_EVENT_UNREACHABLE, 6), 1);
    assert_int_equal(rig_seen_count(rig, AHOY_EVENT_UNREACHABLE, 5), 0);
    assert_true(ahoy_stack_deadline(rig->stack) > rig->now_ms);
    rig_tell(rig, AHOY_WIRE_CONNECTED, connection);
    assert_int_equal(rig_count(rig, AHOY_WIRE_SEND), 5);
}

/* Nothing can wait any more, so no connection is opened for it. */
static void no_room_to_wait(void **state)
{
    struct rig *rig = *state;
    rig->stack->flows.held = AHOY_FLOWS_HELD_LIMIT;
    (void)rig_request(rig, AHOY_TCP, bob(), 1, 0);
    rig_poll(rig);
    assert_int_equal(rig->effect_count, 0);
    assert_int_equal(rig->stack->flows.pool.used, 0);
    rig->stack->flows.held = 0;
    rig_wait(rig, rig->now_ms);
    assert_int_equal(rig_seen_count(rig, AHOY_EVENT_UNREACHABLE, 1), 1);
}

static void too_many_connections(void **state)
{
    struct rig *rig = *state;
    for (uint16_t i = 0; i <= RIG_CONNECTIONS; i++) {
        const struct ahoy_ip remote = rig_ip("198.51.100.7", (uint16_t)(5060 + i));
        (void)rig_request(rig, AHOY_TCP, remote, i, 0);
    }
    rig_poll(rig);
    assert_int_equal(rig_count(rig, AHOY_WIRE_CONNECT), RIG_CONNECTIONS);
    rig_wait(rig, rig->now_ms);
    assert_int_equal(rig_seen_count(rig, AHOY_EVENT_UNREACHABLE, RIG_CONNECTIONS), 1);
    rig_wait(rig, rig->now_ms + AHOY_PATIENCE_MS);
    for (uint16_t i = 0; i < RIG_CONNECTIONS; i++)
        assert_int_equal(rig_seen_count(rig, AHOY_EVENT_UNREACHABLE, i), 1);
    assert_int_equal(rig->stack->flows.pool.used, 0);
}

/* R3261-18.2.2-2: the connection that the request came by is gone, so the answer goes to the
 * source's address and sent-by's port. */
static void answers_without_their_connection(void **state)
{
    struct rig *rig = *state;
    rig->mute = true;
    struct ahoy_handle connection = rig_accept(rig, RIG_TCP4, rig_ip("198.51.100.7", 40000));
    struct ahoy_wire_event event = { .kind = AHOY_WIRE_BYTES,
                                     .hop = { .transport = AHOY_TCP, .connection = connection },
                                     .bytes = SPAN(REQUEST) };
    ahoy_stack_step(rig->stack, &event, rig->now_ms);
    struct ahoy_event request;
    assert_true(ahoy_stack_event(rig->stack, &request));
    struct ahoy_transactions *transactions = ahoy_stack_transactions(rig->stack);
    struct ahoy_handle transaction =
        ahoy_transaction_accept(transactions, &request, 1, rig->now_ms);
    assert_true(transaction.generation != 0);
    assert_false(ahoy_stack_event(rig->stack, &request));
    rig_poll(rig);
    rig_tell(rig, AHOY_WIRE_CLOSED, connection);

    const struct span answer =
        SPAN("SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP pc.example:5070;branch=z9hG4bK1\r\n" REST);
    assert_true(ahoy_transaction_respond(transactions, transaction, 200, &answer, 1, rig->now_ms));
    rig_poll(rig);
    assert_int_equal(rig->effect_count, 1);
    assert_int_equal(rig->effects[0].kind, AHOY_WIRE_CONNECT);
    const struct ahoy_ip sent_by = rig_ip("198.51.100.7", 5070);
    assert_true(ahoy_ip_equal(&rig->effects[0].hop.remote, &sent_by));
    rig_tell(rig, AHOY_WIRE_CONNECTED, rig->effects[0].hop.connection);
    assert_int_equal(rig_status(rig_sent(rig, 0)), 200);
}

/* Row 44: requests, then a reset, with answers of all kinds still to be sent to nobody. */
static void the_peer_vanishes(void **state)
{
    struct rig *rig = *state;
    char space[512];
    for (unsigned i = 0; i < 40; i++) {
        struct ahoy_handle connection = rig_accept(rig, RIG_TCP4, rig_ip("198.51.100.7", 40000));
        struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
        ahoy_buf_put(&buf, SPAN("INVITE sip:b@b.example SIP/2.0\r\n"
                                "Via: SIP/2.0/TCP pc.example;branch=z9hG4bK"));
        ahoy_buf_put_number(&buf, i);
        ahoy_buf_put(&buf, SPAN("\r\nFrom: <sip:a@a.example>;tag=1\r\nTo: <sip:b@b.example>\r\n"
                                "Call-ID: c1\r\nCSeq: 1 INVITE\r\nl: 0\r\n\r\nINVITE sip:"));
        struct ahoy_wire_event event = { .kind = AHOY_WIRE_BYTES,
                                         .hop = { .transport = AHOY_TCP, .connection = connection },
                                         .bytes = ahoy_buf_text(&buf) };
        ahoy_stack_step(rig->stack, &event, rig->now_ms);
        struct ahoy_event request;
        assert_true(ahoy_stack_event(rig->stack, &request));
        assert_int_equal(request.kind, AHOY_EVENT_REQUEST);
        assert_true(
            ahoy_transaction_accept(ahoy_stack_transactions(rig->stack), &request, 1, rig->now_ms)
                .generation != 0);
        assert_false(ahoy_stack_event(rig->stack, &request));
        rig_poll(rig);
        rig_tell(rig, AHOY_WIRE_CLOSED, connection);
        rig_forget(rig);
    }
    assert_int_equal(rig->stack->flows.pool.used, 0);
    assert_int_equal(ahoy_transactions_count(rig->stack->transactions), 40);
    /* They are freed with the stack, under the sanitizer's eyes. */
}

/* At rest nothing is left, not even a timer. */
static void at_rest(void **state)
{
    struct rig *rig = *state;
    const uint64_t idle_ms = ahoy_stack_deadline(rig->stack);
    assert_int_equal(idle_ms, UINT64_MAX);
    struct ahoy_handle connection = rig_accept(rig, RIG_TCP4, rig_ip("198.51.100.7", 40000));
    rig_bytes(rig, connection, SPAN(REQUEST));
    (void)rig_request(rig, AHOY_UDP, bob(), 1, 0);
    rig_poll(rig);
    rig_wait(rig, rig->now_ms + AHOY_IDLE_MS);
    assert_int_equal(rig_seen_count(rig, AHOY_EVENT_ENDED, 1), 1);
    assert_int_equal(rig_count(rig, AHOY_WIRE_CLOSE), 1);
    rig_wait(rig, rig->now_ms + AHOY_TRIM_MS);
    assert_int_equal(ahoy_stack_deadline(rig->stack), UINT64_MAX);
    assert_int_equal(rig->stack->flows.pool.capacity, 0);
    assert_int_equal(ahoy_transactions_memory(rig->stack->transactions), 0);
}

/* What a rush took stays until a minute has passed without anything to do, for the next rush, and
 * goes before where it is asked for. */
static void memory_is_kept_for_the_next_rush(void **state)
{
    struct rig *rig = *state;
    const struct ahoy_pool *flows = &rig->stack->flows.pool;
    const uint64_t start_ms = rig->now_ms;
    rig_tell(rig, AHOY_WIRE_CLOSED, rig_accept(rig, RIG_TCP4, rig_ip("198.51.100.7", 40000)));
    rig_wait(rig, start_ms + AHOY_TRIM_MS - 1);
    assert_int_equal(flows->used, 0);
    assert_true(flows->capacity > 0);
    rig_tell(rig, AHOY_WIRE_CLOSED, rig_accept(rig, RIG_TCP4, rig_ip("198.51.100.7", 40001)));
    rig_wait(rig, start_ms + 2 * AHOY_TRIM_MS - 2);
    assert_true(flows->capacity > 0);
    rig_wait(rig, start_ms + 2 * AHOY_TRIM_MS - 1);
    assert_int_equal(flows->capacity, 0);
    assert_int_equal(ahoy_stack_deadline(rig->stack), UINT64_MAX);
    rig_tell(rig, AHOY_WIRE_CLOSED, rig_accept(rig, RIG_TCP4, rig_ip("198.51.100.7", 40002)));
    assert_true(flows->capacity > 0);
    ahoy_stack_trim(rig->stack);
    assert_int_equal(flows->capacity, 0);
}

/* A clock that is set back stops the stack's, which has promised deadlines. */
static void time_does_not_go_back(void **state)
{
    struct rig *rig = *state;
    const uint64_t start_ms = rig->now_ms;
    rig->now_ms -= 5000;
    (void)rig_accept(rig, RIG_TCP4, rig_ip("198.51.100.7", 40000));
    rig_wait(rig, start_ms + AHOY_PATIENCE_MS - 1);
    assert_int_equal(rig_count(rig, AHOY_WIRE_CLOSE), 0);
    rig_wait(rig, start_ms + AHOY_PATIENCE_MS);
    assert_int_equal(rig_count(rig, AHOY_WIRE_CLOSE), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(messages_wait_for_the_connection),
        TEST(ipv6_leaves_from_ipv6),
        TEST(accepted_connections_are_used),
        TEST(refused_connections),
        TEST(connections_that_hang),
        TEST(too_much_waits),
        TEST(no_room_to_wait),
        TEST(too_many_connections),
        TEST(answers_without_their_connection),
        TEST(the_peer_vanishes),
        TEST(at_rest),
        TEST(memory_is_kept_for_the_next_rush),
        TEST(time_does_not_go_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
