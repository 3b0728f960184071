/* What happens at each limit, and that memory goes back as soon as a state does not need it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "libahoy/transaction/owner.h"
#include "tests/support/layer.h"

enum { CHUNK = 864 }; /* What a message of usual size takes. */

static struct layer layer;

static size_t memory(void)
{
    return ahoy_transactions_memory(layer.transactions);
}

static uint32_t count(void)
{
    return ahoy_transactions_count(layer.transactions);
}

/* Requests of ours. */
static void test_clients(void **state)
{
    (void)state;
    layer_init_limited(&layer, AHOY_TCP, 3, LAYER_MEMORY);
    for (uint64_t user = 1; user <= 3; user++)
        assert_int_not_equal(layer_send(&layer, AHOY_METHOD_OPTIONS, user).generation, 0);
    assert_int_equal(layer_send(&layer, AHOY_METHOD_OPTIONS, 4).generation, 0);
    assert_int_equal(count(), 3);
    layer_expect(&layer, "0 > OPTIONS\n0 > OPTIONS\n0 > OPTIONS\n");
    layer_answer(&layer, 200);
    layer_run(&layer, 0);
    assert_int_equal(count(), 2);
    assert_int_not_equal(layer_send(&layer, AHOY_METHOD_OPTIONS, 4).generation, 0);
    layer_expect(&layer, "0 ^ 200 user 3\n0 ^ ended user 3\n0 > OPTIONS\n");
    layer_abort(&layer);
}

/* Requests of others: refused before anything is kept, and answered without state. */
static void test_servers(void **state)
{
    (void)state;
    layer_init_limited(&layer, AHOY_UDP, 1, LAYER_MEMORY);
    layer.accepts = 7;
    layer_request(&layer, "OPTIONS", "z9hG4bKa", "");
    struct ahoy_handle first = layer.accepted;
    layer_request(&layer, "INVITE", "z9hG4bKb", "");
    assert_int_equal(layer.accepted.generation, 0);
    assert_int_equal(count(), 1);
    assert_int_equal(memory(), 0);
    const struct span refusal = SPAN("SIP/2.0 503 Service Unavailable\r\n\r\n");
    ahoy_transaction_answer(layer.transactions, &layer.event, &refusal, 1);
    layer_drain(&layer);
    assert_true(layer_respond(&layer, first, 200));
    layer_run(&layer, 32000);
    layer_expect(&layer, "0 ^ OPTIONS\n"
                         "0 ^ INVITE\n"
                         "0 > 503\n"
                         "0 > 200\n"
                         "32000 ^ ended user 7\n");
    layer_fini(&layer);
}

/* The bytes of all messages together. */
static void test_memory(void **state)
{
    (void)state;
    layer_init_limited(&layer, AHOY_UDP, 100, 2 * CHUNK);
    layer_send(&layer, AHOY_METHOD_OPTIONS, 1);
    layer_send(&layer, AHOY_METHOD_OPTIONS, 2);
    assert_int_equal(memory(), 2 * CHUNK);
    assert_int_equal(layer_send(&layer, AHOY_METHOD_OPTIONS, 3).generation, 0);
    layer.accepts = 7;
    layer_request(&layer, "INVITE", "z9hG4bKa", ""); /* Its 100 finds no room. */
    struct ahoy_handle invite = layer.accepted;
    assert_false(layer_respond(&layer, invite, 486));
    layer_expect(&layer, "0 > OPTIONS\n0 > OPTIONS\n0 ^ INVITE\n");
    layer_run(&layer, 31999);
    layer_forget_trace(&layer);
    layer_run(&layer, 32000);
    assert_int_equal(memory(), 0);
    assert_true(layer_respond(&layer, invite, 486)); /* It was as before. */
    layer_run(&layer, 32100);
    layer_request_to(&layer, "ACK", "z9hG4bKa", LAYER_TAG, "");
    layer_run(&layer, 40000);
    layer_expect(&layer, "32000 ^ timeout user 1\n"
                         "32000 ^ ended user 1\n"
                         "32000 ^ timeout user 2\n"
                         "32000 ^ ended user 2\n"
                         "32000 > 486\n"
                         "37100 ^ ended user 7\n");
    layer_fini(&layer);
}

/* 2xx are not kept, but need room while they are on their way. */
static void test_memory_for_success(void **state)
{
    (void)state;
    layer_init_limited(&layer, AHOY_UDP, 100, CHUNK);
    layer.accepts = 7;
    layer_request(&layer, "INVITE", "z9hG4bKa", "");
    struct ahoy_handle invite = layer.accepted;
    assert_int_equal(memory(), CHUNK); /* The 100. */
    assert_false(layer_respond(&layer, invite, 200));
    layer_request(&layer, "INVITE", "z9hG4bKa", "");
    layer_expect(&layer, "0 ^ INVITE\n0 > 100\n0 > 100\n");
    layer_abort(&layer);
}

/* What waits to be ended cannot fill the memory that ending takes. */
static void test_memory_held_back(void **state)
{
    (void)state;
    enum { ROOM = 16, HELD_BACK = 2 };
    static struct ahoy_handle ringing[ROOM + 1];
    char branch[16];
    layer_init_limited(&layer, AHOY_UDP, 100, ROOM * CHUNK);
    layer.accepts = 7;
    for (size_t i = 0; i <= ROOM; i++) {
        snprintf(branch, sizeof branch, "z9hG4bK%zu", i);
        layer_request(&layer, "INVITE", branch, "");
        ringing[i] = layer.accepted;
        assert_int_not_equal(ringing[i].generation, 0);
    }
    assert_int_equal(memory(), (ROOM - HELD_BACK) * CHUNK); /* Their 100s. */
    assert_int_equal(layer_send(&layer, AHOY_METHOD_OPTIONS, 1).generation, 0);
    assert_false(layer_respond(&layer, ringing[ROOM], 180));
    for (size_t i = 0; i <= ROOM; i++)
        assert_true(layer_respond(&layer, ringing[i], i < ROOM / 2 ? 200 : 486));
    layer_run(&layer, 32000);
    layer_fini(&layer);
}

/* A message is never larger than one that could be received. */
static void test_message_size(void **state)
{
    (void)state;
    static char body[AHOY_MESSAGE_LIMIT];
    layer_init(&layer, AHOY_TCP);
    memset(body, 'x', sizeof body);
    const struct span head = SPAN("MESSAGE sip:b@b SIP/2.0\r\n");
    struct span pieces[] = { SPAN("\r\n"), { body, 0 } };
    struct ahoy_outgoing request = { .method = AHOY_METHOD_MESSAGE,
                                     .request_line = head,
                                     .pieces = pieces,
                                     .count = 2,
                                     .hop = layer.source };
    assert_true(ahoy_transaction_send(layer.transactions, &request, SPAN("seed")));
    layer_drain(&layer);
    pieces[1].size = AHOY_MESSAGE_LIMIT - layer.sent_size;
    assert_true(ahoy_transaction_send(layer.transactions, &request, SPAN("seed")));
    assert_int_not_equal(ahoy_transaction_request(layer.transactions, &request, 0).generation, 0);
    layer_drain(&layer);
    assert_int_equal(layer.sent_size, AHOY_MESSAGE_LIMIT);
    pieces[1].size++;
    assert_false(ahoy_transaction_send(layer.transactions, &request, SPAN("seed")));
    assert_int_equal(ahoy_transaction_request(layer.transactions, &request, 0).generation, 0);
    assert_int_equal(count(), 1);
    layer_abort(&layer);
}

/* Peers of RFC 2543 can make requests whose hashes are the same.  Nobody shall make us walk far. */
static void test_lookalikes(void **state)
{
    (void)state;
    layer_init(&layer, AHOY_UDP);
    layer.accepts = 7;
    for (unsigned i = 0; i <= AHOY_LOOKALIKES_LIMIT; i++) {
        char text[1024];
        int size = snprintf(text, sizeof text,
                            "OPTIONS sip:%u@b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=1\r\n"
                            "From: <sip:a@a>;tag=f\r\nTo: <sip:b@b>\r\nCall-ID: c\r\n"
                            "CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\n\r\n",
                            i);
        assert_true(layer_receive(&layer, (struct span){ text, (size_t)size }));
        assert_int_equal(layer.accepted.generation != 0, i < AHOY_LOOKALIKES_LIMIT);
    }
    assert_int_equal(count(), AHOY_LOOKALIKES_LIMIT);
    layer_run(&layer, 32000);
    layer_fini(&layer);
}

/* A CANCEL for which there is no slot leaves all the same, once; the INVITE ends in its time. */
static void test_cancel_without_room(void **state)
{
    (void)state;
    layer_init_limited(&layer, AHOY_UDP, 1, LAYER_MEMORY);
    struct ahoy_handle invite = layer_send(&layer, AHOY_METHOD_INVITE, 7);
    layer_answer(&layer, 180);
    ahoy_transaction_cancel(layer.transactions, invite, SPAN(""), layer.now_ms);
    layer_drain(&layer);
    layer_run(&layer, 100000);
    layer_expect(&layer, "0 > INVITE\n"
                         "0 ^ 180 user 7\n"
                         "0 > CANCEL\n"
                         "32000 ^ timeout user 7\n"
                         "32000 ^ ended user 7\n");
    layer_fini(&layer);
}

/* The same where there is no memory either: then it counts as lost. */
static void test_cancel_without_memory(void **state)
{
    (void)state;
    layer_init_limited(&layer, AHOY_UDP, 10, CHUNK);
    struct ahoy_handle invite = layer_send(&layer, AHOY_METHOD_INVITE, 7);
    layer_answer(&layer, 180);
    ahoy_transaction_cancel(layer.transactions, invite, SPAN(""), layer.now_ms);
    layer_drain(&layer);
    layer_run(&layer, 100000);
    layer_expect(&layer, "0 > INVITE\n"
                         "0 ^ 180 user 7\n"
                         "32000 ^ timeout user 7\n"
                         "32000 ^ ended user 7\n");
    layer_fini(&layer);
}

/* Its rows may find no room; it leaves without them. */
static void test_cancel_without_rows(void **state)
{
    (void)state;
    static char rows[CHUNK];
    memset(rows, 'x', sizeof rows);
    layer_init_limited(&layer, AHOY_UDP, 10, 2 * CHUNK);
    struct ahoy_handle invite = layer_send(&layer, AHOY_METHOD_INVITE, 7);
    char space[2048];
    struct span sent = { space, layer.sent_size };
    memcpy(space, layer.sent, layer.sent_size);
    layer_send(&layer, AHOY_METHOD_OPTIONS, 8);
    ahoy_transaction_cancel(layer.transactions, invite, (struct span){ rows, sizeof rows },
                            layer.now_ms);
    layer_answer(&layer, 200); /* To OPTIONS: there is room again. */
    layer_answer_to(&layer, sent, 180);
    layer_expect(&layer, "0 > INVITE\n0 > OPTIONS\n0 ^ 200 user 8\n0 ^ 180 user 7\n0 > CANCEL\n");
    assert_in_range(layer.sent_size, 100, 1000);
    layer_abort(&layer);
}

/* An ACK that finds no room is made when the response comes again. */
static void test_ack_without_memory(void **state)
{
    (void)state;
    layer_init_limited(&layer, AHOY_UDP, 10, 2 * CHUNK);
    layer_send(&layer, AHOY_METHOD_INVITE, 7);
    char space[2048];
    struct span sent = { space, layer.sent_size };
    memcpy(space, layer.sent, layer.sent_size);
    layer_send(&layer, AHOY_METHOD_OPTIONS, 8);
    layer_answer_to(&layer, sent, 486);
    layer_answer_to(&layer, sent, 486);
    layer_answer(&layer, 200); /* To OPTIONS. */
    layer_answer_to(&layer, sent, 486);
    layer_answer_to(&layer, sent, 486);
    layer_run(&layer, 100000);
    layer_expect(&layer, "0 > INVITE\n"
                         "0 > OPTIONS\n"
                         "0 ^ 486 user 7\n"
                         "0 ^ 200 user 8\n"
                         "0 > ACK\n"
                         "0 > ACK\n"
                         "5000 ^ ended user 8\n"
                         "32000 ^ ended user 7\n");
    layer_fini(&layer);
}

/* A request that nobody can read again is the user's fault; its transaction lives on without ACK or
 * CANCEL. */
static void test_unreadable_request(void **state)
{
    (void)state;
    layer_init(&layer, AHOY_UDP);
    struct ahoy_handle invite = layer_send(&layer, AHOY_METHOD_INVITE, 7);
    char space[2048];
    struct span sent = { space, layer.sent_size };
    memcpy(space, layer.sent, layer.sent_size);
    layer_abort(&layer);
    layer_init(&layer, AHOY_UDP); /* The same branches again. */
    const struct span nonsense = SPAN("Content-Length: many\r\n\r\n");
    const struct ahoy_outgoing request = { .method = AHOY_METHOD_INVITE,
                                           .request_line = SPAN("INVITE sip:b@b SIP/2.0\r\n"),
                                           .pieces = &nonsense,
                                           .count = 1,
                                           .hop = layer.source,
                                           .user = 7 };
    invite = ahoy_transaction_request(layer.transactions, &request, 0);
    layer_drain(&layer);
    layer_answer_to(&layer, sent, 180);
    ahoy_transaction_cancel(layer.transactions, invite, SPAN(""), layer.now_ms);
    layer_drain(&layer);
    layer_answer_to(&layer, sent, 486);
    layer_run(&layer, 100000);
    layer_expect(&layer, "0 > INVITE\n0 ^ 180 user 7\n0 ^ 486 user 7\n32000 ^ ended user 7\n");
    layer_fini(&layer);
}

/* One provisional response replaces the other, however many there are. */
static void test_provisionals_do_not_pile_up(void **state)
{
    (void)state;
    layer_init(&layer, AHOY_UDP);
    layer.accepts = 7;
    layer_request(&layer, "INVITE", "z9hG4bKa", "");
    for (int i = 0; i < 1000; i++) {
        assert_true(layer_respond(&layer, layer.accepted, 180));
        assert_int_equal(memory(), CHUNK);
    }
    /* Not even in one step, where all of them are still on their way: the limit holds. */
    const struct span piece = SPAN("SIP/2.0 180 Ringing\r\n\r\n");
    int sent = 0;
    while (ahoy_transaction_respond(layer.transactions, layer.accepted, 180, &piece, 1, 0))
        sent++;
    assert_in_range(sent, 1, LAYER_MEMORY / CHUNK);
    layer_drain(&layer);
    assert_int_equal(memory(), CHUNK);
    layer_abort(&layer);
}

/* What each state holds beside its slot. */
static void test_what_states_hold(void **state)
{
    (void)state;
    char space[2048];
    layer_init(&layer, AHOY_UDP);
    layer_send(&layer, AHOY_METHOD_INVITE, 1);
    struct span sent = { space, layer.sent_size };
    memcpy(space, layer.sent, layer.sent_size);
    assert_int_equal(memory(), CHUNK); /* Calling, Proceeding: the INVITE. */
    layer_answer_to(&layer, sent, 180);
    assert_int_equal(memory(), CHUNK);
    layer_answer_to(&layer, sent, 404); /* Completed: the ACK. */
    assert_int_equal(memory(), CHUNK);
    layer_run(&layer, 32000);
    assert_int_equal(memory(), 0);
    layer.accepts = 2;
    layer_request(&layer, "INVITE", "z9hG4bKa", ""); /* Proceeding: the 100. */
    assert_int_equal(memory(), CHUNK);
    assert_true(layer_respond(&layer, layer.accepted, 200)); /* Accepted. */
    assert_int_equal(memory(), 0);
    layer_request(&layer, "OPTIONS", "z9hG4bKa", ""); /* Trying. */
    assert_int_equal(memory(), 0);
    assert_true(layer_respond(&layer, layer.accepted, 200)); /* Completed: the response. */
    assert_int_equal(memory(), CHUNK);
    layer_run(&layer, 64000);
    layer_fini(&layer);
}

/* What waits to be sent is not freed under it. */
static void test_settled_too_early(void **state)
{
    (void)state;
    struct ahoy_sending sending;
    layer_init(&layer, AHOY_TCP);
    layer.accepts = 7;
    layer_request(&layer, "OPTIONS", "z9hG4bKa", "");
    const struct span piece = SPAN("SIP/2.0 200 OK\r\n\r\n");
    assert_true(ahoy_transaction_respond(layer.transactions, layer.accepted, 200, &piece, 1, 0));
    ahoy_transactions_timer(layer.transactions, ahoy_timers_expire(&layer.timers, 0), 0);
    layer_drain_events(&layer); /* It has ended, its response has not left. */
    ahoy_transactions_settle(layer.transactions);
    assert_true(ahoy_transactions_poll(layer.transactions, &sending));
    assert_true(ahoy_span_equal(sending.bytes, piece));
    layer_drain(&layer);
    layer_expect(&layer, "0 ^ OPTIONS\n0 ^ ended user 7\n");
    layer_fini(&layer);
}

/* All memory can go back at rest, and everything begins anew. */
static void test_trim(void **state)
{
    (void)state;
    static struct ahoy_handle old[60];
    layer_init(&layer, AHOY_TCP);
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < 60; i++) {
            struct ahoy_handle handle = layer_send(&layer, AHOY_METHOD_OPTIONS, i + 1);
            assert_int_not_equal(handle.generation, 0);
            for (size_t j = 0; j < 60; j++)
                assert_false(ahoy_handle_equal(handle, old[j]) && round > 0 && j >= i);
            old[i] = handle;
        }
        ahoy_transactions_trim(layer.transactions); /* Nothing that is in use goes. */
        assert_int_equal(count(), 60);
        layer_answer(&layer, 200);
        layer_run(&layer, layer.now_ms + 32000);
        assert_int_equal(count(), 0);
        layer_forget_trace(&layer);
        ahoy_transactions_trim(layer.transactions);
        assert_int_equal(layer.transactions->pool.capacity, 0);
        assert_int_equal(layer.transactions->clients.capacity, 0);
        assert_int_equal(layer.transactions->servers.capacity, 0);
        assert_int_equal(layer.transactions->chunks.kept, 0);
        assert_null(layer.transactions->sendings);
    }
    layer_fini(&layer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clients),
        cmocka_unit_test(test_servers),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_memory_for_success),
        cmocka_unit_test(test_memory_held_back),
        cmocka_unit_test(test_message_size),
        cmocka_unit_test(test_lookalikes),
        cmocka_unit_test(test_cancel_without_room),
        cmocka_unit_test(test_cancel_without_memory),
        cmocka_unit_test(test_cancel_without_rows),
        cmocka_unit_test(test_ack_without_memory),
        cmocka_unit_test(test_unreadable_request),
        cmocka_unit_test(test_provisionals_do_not_pile_up),
        cmocka_unit_test(test_what_states_hold),
        cmocka_unit_test(test_settled_too_early),
        cmocka_unit_test(test_trim),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
