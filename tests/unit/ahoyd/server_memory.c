/* The server when memory runs out, at every place where it asks for some: it answers, or stays
 * silent, and goes on. */
#include "tests/support/exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "ahoyd/push.h"
#include "ahoyd/serving.h"
#include "libahoy/transaction/owner.h"
#include "libahoy/tu/proxy_context.h"
#include "tests/support/failing_alloc.h"

static const char config[] = "listen \"udp:192.0.2.100:5060\"\n"
                             "domain(\"open.example\", { auth = \"none\", insecure = true })\n"
                             "push { url = \"http://127.0.0.1:9\", providers = { \"fcm\" } }\n"
                             "store \"memory:\"\n";

enum { ENOUGH = 10000 }; /* Allocations that nothing here comes near. */

/* One event, without anything of the test's own that could fail. */
static void step(struct exchange *exchange, struct span bytes)
{
    struct ahoy_wire_effect effect;
    struct ahoy_wire_event event = { .kind = AHOY_WIRE_DATAGRAM,
                                     .hop = { .transport = AHOY_UDP,
                                              .remote = exchange_ip("192.0.2.1:5060") },
                                     .bytes = bytes };
    ahoyd_server_step(exchange->server, &event, exchange->now_ms);
    while (ahoyd_server_poll(exchange->server, &effect))
        continue;
    while (exchange->stored != NULL) {
        struct ahoyd_change *change = exchange->stored;
        exchange->stored = change->next;
        ahoyd_server_stored(exchange->server, change, exchange->now_ms);
    }
    while (ahoyd_server_poll(exchange->server, &effect))
        continue;
}

static void survive(const struct ask *ask, enum failing_alloc_mode mode, unsigned status)
{
    char space[4096];
    size_t count = 0;
    size_t refused = 1;
    bool adds = strcmp(ask->method, "REGISTER") == 0;
    for (; refused > 0 && count < ENOUGH; count++) {
        struct exchange *exchange = exchange_new(config, 0);
        exchange_bind(exchange, "bob@open.example", "sip:bob@192.0.2.2", "192.0.2.2:5060");
        struct span bytes = exchange_print_ask(exchange, ask, "", space, sizeof space);
        failing_alloc_begin(count, mode);
        step(exchange, bytes);
        refused = failing_alloc_end();
        /* Memory is there again: the next request is served. */
        struct ask next = *ask;
        next.cseq = 2;
        assert_int_equal(exchange_ask(exchange, &next), status);
        assert_int_equal(exchange_bindings(exchange, "bob@open.example"), adds ? 2 : 1);
        exchange_wait(exchange, 400000);
        assert_int_equal(ahoyd_server_transactions(exchange->server), 0);
        exchange_free(exchange);
    }
    assert_true(count > 1 && count < ENOUGH);
}

static void a_registration_survives(void **state)
{
    (void)state;
    if (!failing_alloc_works())
        skip();
    const struct ask ask = { .method = "REGISTER",
                             .uri = "sip:open.example",
                             .from = "sip:bob@open.example",
                             .to = "sip:bob@open.example",
                             .rows = "Contact: <sip:bob@192.0.2.1>\r\n" };
    survive(&ask, FAILING_ALLOC_ONE, 200);
    survive(&ask, FAILING_ALLOC_FROM_THERE, 200);
}

static void a_call_survives(void **state)
{
    (void)state;
    if (!failing_alloc_works())
        skip();
    const struct ask ask = { .method = "INVITE",
                             .uri = "sip:bob@open.example",
                             .from = "sip:x@far.example" };
    survive(&ask, FAILING_ALLOC_ONE, 100);
    survive(&ask, FAILING_ALLOC_FROM_THERE, 100);
}

/* It waits for a phone that sleeps, which comes. */
static void wait_for_phone(enum failing_alloc_mode mode)
{
    static const char contact[] = "sip:bob@192.0.2.1;pn-provider=fcm;pn-param=a;pn-prid=b";
    char rows[128], call_space[2048], phone_space[2048];
    const struct ask call = { .method = "INVITE",
                              .uri = "sip:bob@open.example",
                              .from = "sip:x@far.example" };
    const struct ask phone = { .method = "REGISTER",
                               .uri = "sip:open.example",
                               .from = "sip:bob@open.example",
                               .to = "sip:bob@open.example",
                               .rows = rows };
    size_t count = 0;
    size_t refused = 1;
    snprintf(rows, sizeof rows, "Contact: <%s>\r\n", contact);
    for (; refused > 0 && count < ENOUGH; count++) {
        struct exchange *exchange = exchange_new(config, 0);
        exchange_bind(exchange, "bob@open.example", contact, "192.0.2.1:5060");
        exchange_wait(exchange, AHOYD_PUSH_AWAKE_MS);
        struct span first = exchange_print_ask(exchange, &call, "", call_space, sizeof call_space);
        struct span second =
            exchange_print_ask(exchange, &phone, "", phone_space, sizeof phone_space);
        failing_alloc_begin(count, mode);
        step(exchange, first);
        step(exchange, second);
        refused = failing_alloc_end();
        assert_true(exchange->pusher.count == 1 || refused > 0);
        struct ask next = call;
        next.cseq = 2;
        assert_int_equal(exchange_ask(exchange, &next), 100);
        exchange_wait(exchange, 400000);
        assert_int_equal(ahoyd_server_transactions(exchange->server), 0);
        assert_int_equal(exchange->server->sleepers.used, 0);
        exchange_free(exchange);
    }
    assert_true(count > 1 && count < ENOUGH);
}

static void a_waiting_call_survives(void **state)
{
    (void)state;
    if (!failing_alloc_works())
        skip();
    wait_for_phone(FAILING_ALLOC_ONE);
    wait_for_phone(FAILING_ALLOC_FROM_THERE);
}

/* Whoever watches is told, or there is no subscription. */
static void a_subscription_survives(void **state)
{
    (void)state;
    if (!failing_alloc_works())
        skip();
    const struct ask ask = { .method = "SUBSCRIBE",
                             .uri = "sip:carol@open.example",
                             .from = "sip:carol@open.example",
                             .rows = "Event: reg\r\nContact: <sip:carol@192.0.2.1>\r\n" };
    survive(&ask, FAILING_ALLOC_ONE, 200);
    survive(&ask, FAILING_ALLOC_FROM_THERE, 200);
}

/* A server that cannot be made is NULL, and leaves nothing behind. */
static void a_start_survives(void **state)
{
    (void)state;
    if (!failing_alloc_works())
        skip();
    size_t refused = 1;
    size_t count = 0;
    struct exchange *exchange = exchange_new(config, 0);
    struct ahoyd_server_options options = { .config = exchange->config,
                                            .store = exchange->store,
                                            .listeners = exchange->listeners->at,
                                            .listener_count = 1,
                                            .workers = 1,
                                            .clocks = AHOY_DEFAULT_CLOCKS,
                                            .timer_c_ms = 181000 };
    for (; refused > 0 && count < ENOUGH; count++) {
        failing_alloc_begin(count, FAILING_ALLOC_ONE);
        struct ahoyd_server *server = ahoyd_server_new(&options, 1);
        refused = failing_alloc_end();
        assert_int_equal(server == NULL, refused > 0);
        ahoyd_server_free(server);
    }
    assert_true(count > 1 && count < ENOUGH);
    exchange_free(exchange);
}

/* What a call holds while it rings: two transactions, a context, and what all three keep.  The
 * allocator adds 32 bytes a chunk, the tables some 24 bytes a transaction. */
static void a_ringing_call_is_small(void **state)
{
    enum { CALLS = 64, MOST = 3072, OVERHEAD = 3 * 32 + 2 * 24 };
    (void)state;
    struct exchange *exchange = exchange_new(config, 0);
    exchange_bind(exchange, "bob@open.example", "sip:bob@192.0.2.2", "192.0.2.2:5060");
    static const char body[] = "v=0\r\no=user1 53655765 2353687637 IN IP4 192.0.2.1\r\ns=-\r\n"
                               "c=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 6000 RTP/AVP 0\r\n"
                               "a=rtpmap:0 PCMU/8000\r\n";
    for (unsigned i = 0; i < CALLS; i++) {
        char text[1024];
        int size = snprintf(text, sizeof text,
                            "INVITE sip:bob@open.example SIP/2.0\r\n"
                            "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-12345-%u-0\r\n"
                            "From: sipp <sip:sipp@far.example>;tag=12345SIPpTag00%u\r\n"
                            "To: bob <sip:bob@open.example>\r\n"
                            "Call-ID: %u-12345@192.0.2.1\r\n"
                            "CSeq: 1 INVITE\r\n"
                            "Contact: sip:sipp@192.0.2.1:5060\r\n"
                            "Max-Forwards: 70\r\n"
                            "Subject: Performance Test\r\n"
                            "Content-Type: application/sdp\r\n"
                            "Content-Length: %zu\r\n\r\n%s",
                            i, i, i, sizeof body - 1, body);
        exchange_datagram(exchange, "192.0.2.1:5060", (struct span){ text, (size_t)size });
    }
    struct ahoyd_server *server = exchange->server;
    ahoyd_server_trim(server); /* Takes nothing that is in use. */
    size_t bytes =
        (ahoy_transactions_memory(server->transactions) + server->proxy->chunks.taken) / CALLS +
        2 * sizeof(struct ahoy_transaction) + sizeof(struct proxy_context) + OVERHEAD;
    print_message("a ringing call holds %zu bytes\n", bytes);
    assert_int_equal(ahoyd_server_transactions(exchange->server), 2 * CALLS);
    assert_true(bytes <= MOST);
    exchange_wait(exchange, 400000);
    assert_int_equal(ahoy_transactions_memory(server->transactions), 0);
    assert_int_equal(server->proxy->chunks.taken, 0);
    assert_int_equal(ahoyd_server_transactions(exchange->server), 0);
    /* The proxy's is left to who asks for it. */
    assert_true(server->proxy->contexts.capacity > 0 && server->proxy->chunks.kept > 0);
    ahoyd_server_trim(server);
    assert_int_equal(server->proxy->contexts.capacity, 0);
    assert_int_equal(server->proxy->chunks.kept + server->transactions->chunks.kept, 0);
    exchange_free(exchange);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_registration_survives), cmocka_unit_test(a_call_survives),
        cmocka_unit_test(a_waiting_call_survives), cmocka_unit_test(a_subscription_survives),
        cmocka_unit_test(a_start_survives),        cmocka_unit_test(a_ringing_call_is_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
