/* Keeping flows alive from the client's side (RFC 5626 4.4). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "libahoy/stack/parts.h"
#include "tests/support/stack_rig.h"

static struct ahoy_ip server(void)
{
    return rig_ip("198.51.100.7", 5060);
}

/* The time passes, and the stack knows it. */
static void pass(struct rig *rig, uint64_t ms)
{
    struct ahoy_wire_event time = { .kind = AHOY_WIRE_TIME };
    rig_wait(rig, rig->now_ms + ms);
    rig_step(rig, &time);
}

static struct ahoy_hop udp(void)
{
    return (struct ahoy_hop){ .transport = AHOY_UDP, .listener = RIG_UDP4, .remote = server() };
}

/* A connection that we opened, which stands. */
static struct ahoy_hop connected(struct rig *rig)
{
    assert_true(rig_request(rig, AHOY_TCP, server(), 1, 0).generation != 0);
    rig_poll(rig);
    struct ahoy_hop hop = rig->effects[0].hop;
    rig_tell(rig, AHOY_WIRE_CONNECTED, hop.connection);
    pass(rig, 40000); /* Its request is over. */
    rig_forget(rig);
    return hop;
}

/* What is sent in the next |ms|: that many keep-alives which are |text|, or of STUN where it is
 * NULL, and nothing else. */
static void expect(struct rig *rig, uint64_t ms, size_t count, const char *text)
{
    rig_forget(rig);
    pass(rig, ms);
    assert_int_equal(rig_count(rig, AHOY_WIRE_SEND), count);
    for (size_t i = 0; i < count; i++) {
        struct span bytes = rig_sent(rig, i)->bytes;
        if (text != NULL)
            assert_true(ahoy_span_equal(bytes, ahoy_span(text)));
        else
            assert_true(ahoy_stun_is(bytes) && bytes.size == AHOY_STUN_ASK_SIZE);
    }
}

/* The time passes until something is sent. */
static void await(struct rig *rig)
{
    rig_forget(rig);
    while (rig_count(rig, AHOY_WIRE_SEND) == 0)
        rig_wait(rig, ahoy_stack_deadline(rig->stack));
}

/* The answer of a server that sees us at |port|. */
static void answer_stun(struct rig *rig, uint16_t port)
{
    char space[AHOY_STUN_ANSWER_SIZE];
    struct ahoy_buf answer = ahoy_buf_over(space, sizeof space);
    struct ahoy_ip seen = rig_ip("203.0.113.9", port);
    const struct ahoy_wire_effect *last = rig_sent(rig, rig_count(rig, AHOY_WIRE_SEND) - 1);
    assert_true(ahoy_stun_answer(last->bytes, &seen, &answer));
    rig_datagram(rig, RIG_UDP4, server(), ahoy_buf_text(&answer));
}

/* R5626-4.4.1-1, R5626-4.4.1-3, R5626-4.4.2-1: two CRLFs on a connection; its answer is one. */
static void a_connection(void **state)
{
    struct rig *rig = *state;
    struct ahoy_hop hop = connected(rig);
    assert_int_equal(ahoy_stack_keep(rig->stack, 0, &hop, 120000), AHOY_KEPT_HOPED);
    expect(rig, 95999, 0, "");
    await(rig);
    assert_true(ahoy_span_equal(rig_sent(rig, 0)->bytes, SPAN("\r\n\r\n")));
    assert_int_equal(ahoy_stack_keep(rig->stack, 0, &hop, 120000), AHOY_KEPT_HOPED);
    rig_bytes(rig, hop.connection, SPAN("\r\n"));
    assert_int_equal(ahoy_stack_keep(rig->stack, 0, &hop, 120000), AHOY_KEPT_ANSWERED);
    expect(rig, 95999, 0, "");
    assert_int_equal(rig_count(rig, AHOY_WIRE_CLOSE), 0);
}

/* R5626-4.4.1-2: ten seconds, and a message is no pong. */
static void no_pong(void **state)
{
    struct rig *rig = *state;
    struct ahoy_hop hop = connected(rig);
    (void)ahoy_stack_keep(rig->stack, 0, &hop, 1000);
    expect(rig, 1000, 1, "\r\n\r\n");
    rig_bytes(
        rig, hop.connection,
        SPAN("SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP x;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\n"
             "To: <sip:a@b>\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"));
    pass(rig, 9799);
    assert_int_equal(ahoy_stack_keep(rig->stack, 0, &hop, 1000), AHOY_KEPT_HOPED);
    pass(rig, 201);
    assert_int_equal(rig_count(rig, AHOY_WIRE_CLOSE), 1);
    assert_int_equal(ahoy_stack_keep(rig->stack, 0, &hop, 1000), AHOY_KEPT_FAILED);
}

static void a_connection_that_ends(void **state)
{
    struct rig *rig = *state;
    struct ahoy_hop hop = connected(rig);
    (void)ahoy_stack_keep(rig->stack, 0, &hop, 120000);
    rig_tell(rig, AHOY_WIRE_CLOSED, hop.connection);
    assert_int_equal(ahoy_stack_keep(rig->stack, 0, &hop, 120000), AHOY_KEPT_FAILED);
    expect(rig, 300000, 0, "");
}

/* R5626-4.4-1, R5626-4.4.1-4: never later than the bound, never a fifth sooner, and not always the
 * same. */
static void the_pause(void **state)
{
    struct rig *rig = *state;
    struct ahoy_hop hop = udp();
    uint64_t least_ms = UINT64_MAX, most_ms = 0;
    (void)ahoy_stack_keep(rig->stack, 0, &hop, 29000);
    for (int i = 0; i < 100; i++) {
        uint64_t begin_ms = rig->now_ms;
        await(rig);
        uint64_t pause_ms = rig->now_ms - begin_ms;
        least_ms = pause_ms < least_ms ? pause_ms : least_ms;
        most_ms = pause_ms > most_ms ? pause_ms : most_ms;
        answer_stun(rig, 4000);
    }
    assert_in_range(least_ms, 23200, 24500);
    assert_in_range(most_ms, 27500, 29000);
}

/* R5626-4.4.2-1, R5626-4.4.2-2: seven times, and 16 times the first interval for the last one. */
static void no_answer_of_stun(void **state)
{
    struct rig *rig = *state;
    struct ahoy_hop hop = udp();
    (void)ahoy_stack_keep(rig->stack, 1, &hop, 1000);
    await(rig);
    for (unsigned i = 1; i < 7; i++)
        expect(rig, UINT64_C(500) << (i - 1), 1, NULL);
    expect(rig, 7999, 0, NULL);
    assert_int_equal(ahoy_stack_keep(rig->stack, 1, &hop, 1000), AHOY_KEPT_HOPED);
    expect(rig, 1, 0, NULL);
    assert_int_equal(ahoy_stack_keep(rig->stack, 1, &hop, 1000), AHOY_KEPT_FAILED);
}

/* R5626-4.4.2-3 */
static void another_address(void **state)
{
    struct rig *rig = *state;
    struct ahoy_hop hop = udp();
    (void)ahoy_stack_keep(rig->stack, 0, &hop, 1000);
    for (uint16_t port = 4000; port < 4002; port++) {
        expect(rig, 1000, 1, NULL);
        answer_stun(rig, 4000);
        assert_int_equal(ahoy_stack_keep(rig->stack, 0, &hop, 1000), AHOY_KEPT_ANSWERED);
    }
    expect(rig, 1000, 1, NULL);
    answer_stun(rig, 4001);
    assert_int_equal(ahoy_stack_keep(rig->stack, 0, &hop, 1000), AHOY_KEPT_FAILED);
    /* It begins anew, with whatever address it has now. */
    assert_int_equal(ahoy_stack_keep(rig->stack, 0, &hop, 1000), AHOY_KEPT_HOPED);
    expect(rig, 1000, 1, NULL);
    answer_stun(rig, 4001);
    assert_int_equal(ahoy_stack_keep(rig->stack, 0, &hop, 1000), AHOY_KEPT_ANSWERED);
    /* None is kept where there is no interval. */
    (void)ahoy_stack_keep(rig->stack, 0, &hop, 0);
    expect(rig, 100000, 0, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        rig_test(a_connection), rig_test(no_pong),           rig_test(a_connection_that_ends),
        rig_test(the_pause),    rig_test(no_answer_of_stun), rig_test(another_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
