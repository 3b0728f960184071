/* Every allocation may fail: what was refused is as if it had never been asked for, what began
 * comes to its end, and nothing is left.  And once warm, nothing is allocated at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/failing_alloc.h"
#include "tests/support/layer.h"

static struct layer layer;
static unsigned begun; /* Transactions that the user got a handle of. */
static struct ahoy_handle handles[16];

static void note(struct ahoy_handle handle)
{
    if (handle.generation != 0)
        handles[begun++] = handle;
}

/* The user, whose responses may have been refused, tries once more. */
static void try_again(void)
{
    for (unsigned i = 0; i < begun; i++)
        (void)layer_respond(&layer, handles[i], 500); /* Most are answered or over by now. */
}

/* A call of ours that fails, after it was cancelled. */
static void call_out(void)
{
    char space[2048];
    struct ahoy_handle handle = layer_send(&layer, AHOY_METHOD_INVITE, 1);
    note(handle);
    if (handle.generation == 0)
        return;
    struct span invite = { space, layer.sent_size };
    memcpy(space, layer.sent, layer.sent_size);
    ahoy_transaction_cancel(layer.transactions, handle, SPAN("Reason: SIP\r\n"), layer.now_ms);
    layer_answer_to(&layer, invite, 180);
    layer_answer_to(&layer, invite, 487);
    layer_answer_to(&layer, invite, 487);
}

static void call_in(const char *branch, unsigned final)
{
    layer.accepted = (struct ahoy_handle){ 0, 0 };
    layer_request(&layer, "INVITE", branch, "");
    note(layer.accepted);
    struct ahoy_handle invite = layer.accepted;
    layer_request(&layer, "INVITE", branch, "");
    if (!ahoy_handle_equal(layer.accepted, invite)) {
        note(layer.accepted); /* Refused at first, it came up again. */
        invite = layer.accepted;
    }
    (void)layer_respond(&layer, invite, 180);   /* Whether they leave or not, */
    (void)layer_respond(&layer, invite, final); /* the next one is tried. */
    (void)layer_respond(&layer, invite, final);
    layer_request_to(&layer, "ACK", branch, LAYER_TAG, "");
}

static void others(void)
{
    struct ahoy_handle handle = layer_send(&layer, AHOY_METHOD_OPTIONS, 2);
    note(handle);
    if (handle.generation != 0)
        layer_answer(&layer, 200);
    layer.accepted = (struct ahoy_handle){ 0, 0 };
    layer_request(&layer, "OPTIONS", "z9hG4bKo", "");
    note(layer.accepted);
    (void)layer_respond(&layer, layer.accepted, 200); /* As above. */
    layer.accepts = 0;
    layer_request(&layer, "MESSAGE", "z9hG4bKm", "");
    const struct span refusal = SPAN("SIP/2.0 503 Service Unavailable\r\n\r\n");
    ahoy_transaction_answer(layer.transactions, &layer.event, &refusal, 1);
    layer_drain(&layer);
    const struct ahoy_outgoing ack = { .method = AHOY_METHOD_ACK,
                                       .request_line = SPAN("ACK sip:b@b SIP/2.0\r\n"),
                                       .pieces = &refusal,
                                       .count = 1,
                                       .hop = layer.source };
    (void)ahoy_transaction_send(layer.transactions, &ack, SPAN("seed")); /* As above. */
    layer_drain(&layer);
}

static void live(const char *long_branch)
{
    begun = 0;
    layer.accepts = 7;
    call_out();
    call_in("z9hG4bKa", 486);
    call_in("z9hG4bKb", 200);
    call_in("1", 404);
    call_in(long_branch, 603);
    others();
}

/* How many lines of the trace say that something ended. */
static unsigned ends(void)
{
    unsigned ended = 0;
    layer.trace_space[layer.trace.size] = '\0';
    for (const char *at = layer.trace_space; (at = strstr(at, "^ ended")) != NULL; at++)
        ended++;
    return ended;
}

static char long_branch[200] = "z9hG4bK"; /* Too long for a slot. */

static void test_each_allocation_fails(void **state)
{
    (void)state;
    if (!failing_alloc_works())
        skip();
    static const enum failing_alloc_mode modes[] = { FAILING_ALLOC_ONE, FAILING_ALLOC_FROM_THERE };
    memset(long_branch + 7, 'x', sizeof long_branch - 8);
    for (size_t mode = 0; mode < 2; mode++) {
        size_t refusals = 0;
        for (size_t allowed = 0;; allowed++) {
            layer_init(&layer, AHOY_UDP);
            failing_alloc_begin(allowed, modes[mode]);
            live(long_branch);
            size_t refused = failing_alloc_end();
            try_again();
            layer_run(&layer, 300000);
            assert_int_equal(ends(), begun);
            layer_fini(&layer);
            refusals += refused > 0;
            if (refused == 0)
                break;
        }
        assert_in_range(refusals, 5, 1000);
    }
}

/* Where an answer that is to be kept cannot be, it is sent all the same, and nobody is left who
 * would have to answer. */
static void test_an_answer_cannot_be_kept(void **state)
{
    (void)state;
    const struct span refusal = SPAN("SIP/2.0 403 Forbidden\r\n\r\n");
    if (!failing_alloc_works())
        skip();
    for (size_t allowed = 0;; allowed++) {
        layer_init(&layer, AHOY_UDP);
        layer_request(&layer, "INVITE", "z9hG4bKa", "");
        ahoy_transaction_keep_answer(layer.transactions, &layer.event);
        failing_alloc_begin(allowed, FAILING_ALLOC_ONE);
        ahoy_transaction_answer(layer.transactions, &layer.event, &refusal, 1);
        size_t refused = failing_alloc_end();
        layer_drain(&layer);
        assert_int_equal(layer.sent_size, refusal.size);
        layer_run(&layer, 300000);
        layer_fini(&layer);
        if (refused == 0)
            break;
    }
}

static void test_new_fails(void **state)
{
    (void)state;
    layer_init(&layer, AHOY_UDP);
    const struct ahoy_transactions_options options = { .clocks = AHOY_DEFAULT_CLOCKS, .limit = 1 };
    failing_alloc_begin(0, FAILING_ALLOC_FROM_THERE);
    struct ahoy_transactions *transactions =
        ahoy_transactions_new(&options, &layer.flows, &layer.timers);
    if (failing_alloc_end() > 0)
        assert_null(transactions);
    ahoy_transactions_free(transactions);
    layer_fini(&layer);
}

static void test_nothing_is_allocated_once_warm(void **state)
{
    (void)state;
    memset(long_branch + 7, 'x', sizeof long_branch - 8);
    layer_init(&layer, AHOY_UDP);
    live(long_branch);
    layer_run(&layer, 300000);
    layer_forget_trace(&layer);
    failing_alloc_begin(0, FAILING_ALLOC_FROM_THERE);
    live(long_branch);
    layer_run(&layer, 600000);
    assert_int_equal(failing_alloc_end(), 0);
    assert_int_equal(begun, 7);
    assert_int_equal(ends(), begun);
    layer_fini(&layer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_allocation_fails),
        cmocka_unit_test(test_an_answer_cannot_be_kept),
        cmocka_unit_test(test_new_fails),
        cmocka_unit_test(test_nothing_is_allocated_once_warm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
