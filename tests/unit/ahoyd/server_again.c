/* A REGISTER that comes again gets what it got: of its transaction (RFC 3261 17.2.2), whatever the
 * store says and however long that takes; and what is told of its answer is what it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "libahoy/io/glance.h"
#include "tests/support/exchange.h"

static const char config[] =
    "listen \"udp:192.0.2.100:5060\"\n"
    "domain(\"open.example\", { auth = \"none\", insecure = true, service_route = { "
    "\"sip:edge.open.example;lr\" } })\n"
    "store \"memory:\"\n";

#define BOB "192.0.2.2:5060"

static char request[4096];
static struct span bytes;

/* A phone's whole REGISTER, with all that an answer may say. */
static int setup(void **state)
{
    struct exchange *exchange = exchange_new(config, 0);
    const struct ask ask = {
        .peer = BOB,
        .method = "REGISTER",
        .uri = "sip:open.example",
        .from = "sip:bob@open.example",
        .to = "sip:bob@open.example",
        .rows = "Contact: <sip:bob@192.0.2.2>;+sip.instance=\"<urn:uuid:1>\";reg-id=1;q=0.5\r\n"
                "Supported: path, gruu, outbound\r\n",
    };
    bytes = exchange_print_ask(exchange, &ask, "", request, sizeof request);
    *state = exchange;
    return 0;
}

static void send_it(struct exchange *exchange)
{
    exchange_datagram(exchange, BOB, bytes);
}

/* The answer is the only thing that was sent, and what is told of it is so. */
static struct span the_answer(struct exchange *exchange, unsigned status)
{
    static char kept[4096];
    assert_int_equal(exchange->count, 1);
    assert_int_equal(exchange_sent(exchange, 0)->status, status);
    const struct exchange_sent *sent = &exchange->sent[0];
    struct ahoy_glance glance = { 0 };
    ahoy_glance(sent->bytes, &glance);
    if (sent->call != 0)
        assert_int_equal(sent->call, glance.call);
    if (sent->gap != 0) { /* Behind the blank that follows the colon. */
        assert_int_equal(sent->gap, glance.gap + 1);
        assert_int_equal(sent->bytes.at[sent->gap], '0');
    }
    assert_true(sent->bytes.size <= sizeof kept);
    memcpy(kept, sent->bytes.at, sent->bytes.size);
    return (struct span){ kept, sent->bytes.size };
}

static void assert_same_again(struct exchange *exchange, struct span answer, unsigned status)
{
    char first[4096];
    memcpy(first, answer.at, answer.size);
    for (unsigned i = 0; i < 3; i++) {
        exchange_wait(exchange, 10000);
        assert_int_equal(exchange->count, 0);
        send_it(exchange);
        struct span again = the_answer(exchange, status);
        assert_int_equal(again.size, answer.size);
        assert_memory_equal(again.at, first, answer.size);
    }
}

/* To the last byte, for as long as the transaction lives: R3261-17.2.2-7. */
static void the_same_answer_comes(void **state)
{
    struct exchange *exchange = *state;
    send_it(exchange);
    assert_int_not_equal(exchange->sent[0].call, 0);
    assert_int_not_equal(exchange->sent[0].gap, 0);
    assert_same_again(exchange, the_answer(exchange, 200), 200);
    assert_int_equal(ahoyd_server_counters(exchange->server)->registers, 1);
}

/* As long as the store has not answered, silence; and then the same. */
static void what_waits_is_answered_once(void **state)
{
    struct exchange *exchange = *state;
    exchange->hold = true;
    for (unsigned i = 0; i < 3; i++) {
        send_it(exchange);
        assert_int_equal(exchange->count, 0);
        exchange_wait(exchange, 500);
    }
    const struct ask another = { .method = "OPTIONS", .uri = "sip:open.example" };
    (void)exchange_ask(exchange, &another); /* It has been at hand since. */
    exchange_release(exchange);
    assert_int_not_equal(exchange->sent[0].call, 0);
    assert_int_not_equal(exchange->sent[0].gap, 0);
    assert_same_again(exchange, the_answer(exchange, 200), 200);
    assert_int_equal(ahoyd_server_counters(exchange->server)->registers, 1);
}

/* So is what the store refuses. */
static void a_refusal_is_kept_too(void **state)
{
    static const unsigned statuses[] = { 403, 500, 503 };
    for (unsigned i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        struct exchange *exchange = *state;
        exchange->fail = statuses[i];
        send_it(exchange);
        assert_same_again(exchange, the_answer(exchange, statuses[i]), statuses[i]);
        exchange_free(exchange);
        assert_int_equal(setup(state), 0);
    }
}

static struct span to_tag(struct span answer)
{
    static struct ahoy_message message;
    static struct ahoy_routing routing;
    assert_true(ahoy_message_parse(answer, &message, NULL));
    assert_true(ahoy_message_routing(&message, &routing, NULL));
    return routing.to_tag;
}

/* Once the transaction is gone it is another request, which comes too late (10.3 step 7): its To
 * tag is another too, and nobody could have told the first from what he sent (8.2.6.2, 19.3). */
static void behind_its_transaction_it_is_new(void **state)
{
    struct exchange *exchange = *state;
    char first[AHOY_TOKEN_SIZE];
    send_it(exchange);
    struct span tag = to_tag(the_answer(exchange, 200));
    assert_int_equal(tag.size, sizeof first);
    memcpy(first, tag.at, tag.size);
    exchange_wait(exchange, 33000);
    send_it(exchange);
    tag = to_tag(the_answer(exchange, 500));
    assert_int_equal(tag.size, sizeof first);
    assert_memory_not_equal(tag.at, first, sizeof first);
    assert_int_equal(ahoyd_server_counters(exchange->server)->registers, 1);
}

/* The store answers when nobody waits any more: nothing is sent, and nothing is left. */
static void an_answer_may_come_too_late(void **state)
{
    struct exchange *exchange = *state;
    exchange->hold = true;
    send_it(exchange);
    exchange_wait(exchange, 200000);
    exchange_release(exchange);
    assert_int_equal(exchange->count, 0);
    assert_int_equal(ahoyd_server_busy(exchange->server), 0);
    send_it(exchange);
    (void)the_answer(exchange, 500); /* Its CSeq has been seen. */
}

#define AGAIN(test) cmocka_unit_test_setup_teardown(test, setup, exchange_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        AGAIN(the_same_answer_comes),
        AGAIN(what_waits_is_answered_once),
        AGAIN(a_refusal_is_kept_too),
        AGAIN(behind_its_transaction_it_is_new),
        AGAIN(an_answer_may_come_too_late),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
