/* Every allocation of a stack at work may fail: messages and connections are lost then, and nothing
 * else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "libahoy/stack/parts.h"
#include "libahoy/syntax/compose.h"
#include "tests/support/failing_alloc.h"
#include "tests/support/stack_rig.h"

#define FIELDS                                                                                     \
    "From: <sip:a@a.example>;tag=1\r\nTo: <sip:b@b.example>\r\nMax-Forwards: 70\r\n"               \
    "Content-Length: 0\r\n"
#define VIA "Via: SIP/2.0/TCP pc.example:5070;branch=z9hG4bK1\r\n"
/* Of two workers with this key, the first has this call, and the second that one. */
#define OURS   "CSeq: 1 OPTIONS\r\nCall-ID: 2\r\n\r\n"
#define THEIRS "CSeq: 1 OPTIONS\r\nCall-ID: 1\r\n\r\n"
#define START  "OPTIONS sip:b@b.example SIP/2.0\r\n"

static const struct ahoy_listener listeners[] = {
    { .transport = AHOY_TCP,
      .local = { .family = AHOY_IPV4, .port = 5060, .bytes = { 192, 0, 2, 1 } },
      .sent_by = { "192.0.2.1:5060", 14 },
      .uri = { "sip:192.0.2.1", 13 } },
};

/* What came out; nothing here takes memory. */
struct yield {
    struct ahoy_stack *stack;
    uint64_t now_ms;
    size_t answered, refused, handed_off, sent;
    struct ahoy_handle connect; /* That the stack asked for last. */
};

static void answer(struct yield *yield, const struct ahoy_event *event)
{
    char space[1024];
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    const struct ahoy_response response = { .status = 200, .to_tag = SPAN("x") };
    ahoy_compose_response(&buf, event->message, &response);
    const struct span text = ahoy_buf_text(&buf);
    ahoy_transaction_answer(ahoy_stack_transactions(yield->stack), event, &text, 1);
}

static void take_effects(struct yield *yield)
{
    struct ahoy_wire_effect effect;
    while (ahoy_stack_poll(yield->stack, &effect)) {
        yield->answered += effect.kind == AHOY_WIRE_SEND && rig_status(&effect) == 200;
        yield->refused += effect.kind == AHOY_WIRE_SEND && rig_status(&effect) == 400;
        yield->sent += effect.kind == AHOY_WIRE_SEND && rig_status(&effect) == 0;
        yield->handed_off += effect.kind == AHOY_WIRE_HANDOFF;
        if (effect.kind == AHOY_WIRE_CONNECT)
            yield->connect = effect.hop.connection;
    }
}

static void turn(struct yield *yield, struct ahoy_wire_event *event)
{
    struct ahoy_event up;
    ahoy_stack_step(yield->stack, event, yield->now_ms);
    while (ahoy_stack_event(yield->stack, &up)) {
        if (up.kind == AHOY_EVENT_REQUEST)
            answer(yield, &up);
    }
    take_effects(yield);
}

static const struct ahoy_ip bob = {
    .family = AHOY_IPV4, .port = 5060, .bytes = { 198, 51, 100, 7 }
};

static struct ahoy_handle accept(struct yield *yield)
{
    struct ahoy_wire_event event = { .kind = AHOY_WIRE_ACCEPTED,
                                     .hop = { .transport = AHOY_TCP, .remote = bob } };
    event.hop.remote.port = 40000;
    turn(yield, &event);
    return event.hop.connection;
}

static void give(struct yield *yield, struct ahoy_handle connection, struct span bytes)
{
    struct ahoy_wire_event event = { .kind = AHOY_WIRE_BYTES,
                                     .hop = { .transport = AHOY_TCP, .connection = connection },
                                     .bytes = bytes };
    turn(yield, &event);
}

static void request(struct yield *yield)
{
    const struct span rest = SPAN(FIELDS OURS);
    const struct ahoy_outgoing outgoing = { .method = AHOY_METHOD_OPTIONS,
                                            .request_line = SPAN(START),
                                            .pieces = &rest,
                                            .count = 1,
                                            .hop = { .transport = AHOY_TCP,
                                                     .listener = AHOY_ANY_LISTENER,
                                                     .remote = bob },
                                            .branch_tail = SPAN("") };
    (void)ahoy_transaction_request(ahoy_stack_transactions(yield->stack), &outgoing,
                                   yield->now_ms); /* Null is what this test is about. */
    take_effects(yield);
    struct ahoy_wire_event event = { .kind = AHOY_WIRE_CONNECTED,
                                     .hop = { .connection = yield->connect } };
    turn(yield, &event);
}

static struct ahoy_stack *new_stack(void)
{
    const struct ahoy_stack_options options = { .listeners = listeners,
                                                .listener_count = 1,
                                                .workers = 2,
                                                .connection_limit = 8,
                                                .call_key = { { 11, 12 } },
                                                .transactions = { .clocks = AHOY_DEFAULT_CLOCKS,
                                                                  .limit = 100,
                                                                  .memory_limit = 1 << 20 } };
    return ahoy_stack_new(&options, 0);
}

/* A connection in, a message in pieces, one that is malformed, one for another worker, a ping; a
 * connection out. */
static void work(struct yield *yield)
{
    const struct span first = SPAN(START VIA FIELDS OURS);
    struct ahoy_handle connection = accept(yield);
    give(yield, connection, (struct span){ first.at, 100 });
    give(yield, connection, ahoy_span_after(first, 100));
    give(yield, connection, SPAN("\r\n\r\nINFO sip:b@b.example SIP/2.0\r\n" VIA FIELDS OURS));
    give(yield, connection, SPAN(START VIA FIELDS THEIRS));
    request(yield);
}

/* Lets all time pass, until nothing is left. */
static void rest(struct yield *yield)
{
    struct ahoy_wire_event event = { .kind = AHOY_WIRE_TIME };
    uint64_t deadline_ms;
    while ((deadline_ms = ahoy_stack_deadline(yield->stack)) != UINT64_MAX) {
        if (deadline_ms > yield->now_ms)
            yield->now_ms = deadline_ms;
        turn(yield, &event);
    }
}

static void assert_all_done(const struct yield *yield)
{
    assert_int_equal(yield->answered, 1);
    assert_int_equal(yield->refused, 1);
    assert_int_equal(yield->handed_off, 1);
    assert_int_equal(yield->sent, 2); /* The request and the pong. */
}

static void every_allocation_fails(void **state)
{
    const enum failing_alloc_mode mode = *(const enum failing_alloc_mode *)*state;
    size_t refused = 1;
    for (size_t count = 0; refused > 0; count++) {
        struct yield yield = { .stack = new_stack() };
        assert_non_null(yield.stack);
        failing_alloc_begin(count, mode);
        work(&yield);
        refused = failing_alloc_end();
        if (refused == 0)
            assert_all_done(&yield);

        /* All is well again once there is memory. */
        rest(&yield);
        assert_int_equal(yield.stack->flows.held, 0);
        assert_int_equal(yield.stack->flows.pool.used, 0);
        yield = (struct yield){ .stack = yield.stack, .now_ms = yield.now_ms };
        work(&yield);
        assert_all_done(&yield);
        ahoy_stack_free(yield.stack);
        assert_true(count < 1000);
    }
}

static void a_new_stack_fails(void **state)
{
    (void)state;
    size_t refused = 1;
    for (size_t count = 0; refused > 0; count++) {
        failing_alloc_begin(count, FAILING_ALLOC_ONE);
        struct ahoy_stack *stack = new_stack();
        refused = failing_alloc_end();
        assert_int_equal(stack == NULL, refused > 0);
        ahoy_stack_free(stack);
    }
}

int main(void)
{
    static enum failing_alloc_mode one = FAILING_ALLOC_ONE;
    static enum failing_alloc_mode all = FAILING_ALLOC_FROM_THERE;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(every_allocation_fails, &one),
        cmocka_unit_test_prestate(every_allocation_fails, &all),
        cmocka_unit_test(a_new_stack_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
