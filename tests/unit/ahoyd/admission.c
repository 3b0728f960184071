/* A server to which more comes than it can serve, and what it and its neighbours say of that (RFC
 * 3261 21.5.4, RFC 7339). */
#include "tests/support/exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "libahoy/syntax/compose.h"

static const char config[] =
    "listen \"udp:192.0.2.100:5060\"\n"
    "domain(\"open.example\", { auth = \"none\", insecure = true })\n"
    "trunk(\"carrier\", { \"sip:192.0.2.9:5060\" })\n"
    "route { domain = \"carrier.example\", to = \"carrier\", from = \"anyone\" }\n"
    "store \"memory:\"\n";

#define ALICE   "192.0.2.1:5060"
#define BOB     "192.0.2.2:5060"
#define CARRIER "192.0.2.9:5060"

enum { LONG_US = 300000, STALE_US = 600000 };

static int setup(void **state)
{
    struct exchange *exchange = exchange_new(config, 0);
    exchange_bind(exchange, "bob@open.example", "sip:bob@192.0.2.2", BOB);
    *state = exchange;
    return 0;
}

static const struct ask call_bob = { .method = "INVITE",
                                     .uri = "sip:bob@open.example",
                                     .from = "sip:alice@far.example" };
static const struct ask call_carrier = { .method = "INVITE",
                                         .uri = "sip:1@carrier.example",
                                         .from = "sip:alice@far.example" };
static const struct ask from_carrier = { .peer = CARRIER,
                                         .method = "INVITE",
                                         .uri = "sip:bob@open.example",
                                         .from = "sip:1@carrier.example" };

/* So many new requests wait, and so long, that no more are let in for now. */
static void overwhelm(struct exchange *exchange)
{
    const struct ask ask = { .peer = "192.0.2.66:5060",
                             .method = "OPTIONS",
                             .uri = "sip:open.example",
                             .from = "sip:mallory@evil.example" };
    exchange->waited_us = LONG_US;
    for (unsigned i = 0; i < 4000; i++, exchange->now_ms++)
        (void)exchange_ask(exchange, &ask);
    while (exchange_ask(exchange, &ask) != 503)
        continue;
}

static const struct ahoyd_server_counters *counters(const struct exchange *exchange)
{
    return ahoyd_server_counters(exchange->server);
}

/* Prints the answer to the request that |peer| got last, with the first |from| in it replaced by
 * |to|, and sends it. */
static void answer(struct exchange *exchange, const char *peer, unsigned status, const char *from,
                   const char *to)
{
    char text[4096], edited[4096];
    struct ahoy_buf buf = ahoy_buf_over(text, sizeof text - 1);
    const struct ahoy_response response = { .status = status, .to_tag = SPAN("theirs") };
    ahoy_compose_response(&buf, exchange_sent_to(exchange, peer), &response);
    text[buf.size] = '\0';
    const char *at = strstr(text, from);
    assert_non_null(at);
    int size =
        snprintf(edited, sizeof edited, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    exchange_datagram(exchange, peer, (struct span){ edited, (size_t)size });
}

/* The first Via of what |peer| got last. */
static const char *via_of(struct exchange *exchange, const char *peer)
{
    return exchange_value(exchange_sent_to(exchange, peer), AHOY_HEADER_VIA);
}

/* R3261-21.5.4-1: a phone is told when to come back; nothing is kept of it. */
static void new_work_is_refused(void **state)
{
    struct exchange *exchange = *state;
    assert_int_equal(exchange_ask(exchange, &call_bob), 100);
    overwhelm(exchange);
    uint32_t transactions = ahoyd_server_transactions(exchange->server);
    assert_int_equal(exchange_ask(exchange, &call_bob), 503);
    long seconds = strtol(exchange_value(&exchange->message, AHOY_HEADER_RETRY_AFTER), NULL, 10);
    assert_in_range(seconds, 1, 90);
    struct ask ask = { .method = "REGISTER",
                       .uri = "sip:open.example",
                       .from = "sip:bob@open.example",
                       .to = "sip:bob@open.example",
                       .rows = "Contact: <sip:bob@192.0.2.3>\r\n" };
    assert_int_equal(exchange_ask(exchange, &ask), 503);
    assert_int_equal(exchange_bindings(exchange, "bob@open.example"), 1);
    assert_int_equal(ahoyd_server_transactions(exchange->server), transactions);
    assert_true(counters(exchange)->overload_refused >= 2);
    assert_int_equal(counters(exchange)->overload_wait_ms, LONG_US / 1000);
    assert_int_equal(counters(exchange)->longest_wait_us, LONG_US);
    assert_true(counters(exchange)->overload_loss > 0);
}

/* What belongs to a call that stands passes, and so does an INVITE that is there already. */
static void what_stands_goes_on(void **state)
{
    struct exchange *exchange = *state;
    char space[2048];
    struct span invite = exchange_print_ask(exchange, &call_bob, "", space, sizeof space);
    exchange_datagram(exchange, ALICE, invite);
    answer(exchange, BOB, 180, "Via", "Via");
    char route[300];
    snprintf(route, sizeof route, "Route: %s\r\n",
             exchange_value(exchange_sent_to(exchange, ALICE), AHOY_HEADER_RECORD_ROUTE));
    overwhelm(exchange);
    exchange_datagram(exchange, ALICE, invite);
    assert_int_equal(exchange_sent_to(exchange, ALICE)->status, 180);
    struct ask ask = call_bob;
    ask.to_tag = "theirs";
    static const char *const methods[] = { "BYE", "PRACK", "INVITE", "INFO" };
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        ask.method = methods[i];
        ask.cseq = (unsigned)(2 + i);
        assert_int_not_equal(exchange_ask(exchange, &ask), 503);
        assert_non_null(exchange_sent_to(exchange, BOB));
    }
    ask.method = "CANCEL";
    assert_int_equal(exchange_ask(exchange, &ask), 481);
    assert_int_equal(exchange_ask(exchange, &call_bob), 503);
}

/* R7339-5.10.2-1: whoever sends the calls of others gets no Retry-After. */
static void proxies_get_no_retry_after(void **state)
{
    struct exchange *exchange = *state;
    overwhelm(exchange);
    assert_int_equal(exchange_ask(exchange, &from_carrier), 503);
    assert_string_equal(exchange_value(&exchange->message, AHOY_HEADER_RETRY_AFTER), "");
    struct ask ask = call_bob;
    ask.rows = "Via: SIP/2.0/UDP 198.51.100.1;branch=z9hG4bK77\r\n";
    assert_int_equal(exchange_ask(exchange, &ask), 503);
    assert_string_equal(exchange_value(&exchange->message, AHOY_HEADER_RETRY_AFTER), "");
}

/* What is stale has been sent again: by UDP it is dropped. */
static void stale_work_is_dropped(void **state)
{
    struct exchange *exchange = *state;
    overwhelm(exchange);
    exchange->waited_us = STALE_US;
    uint64_t refused = counters(exchange)->overload_refused;
    assert_int_equal(exchange_ask(exchange, &call_bob), 0);
    assert_int_equal(counters(exchange)->overload_refused, refused);
    assert_int_equal(counters(exchange)->overload_dropped, 1);
}

/* RFC 7339 5.10.1: calls for help from everybody, and what Resource-Priority says from those who
 * may say it. */
static void some_must_get_through(void **state)
{
    struct exchange *exchange = *state;
    overwhelm(exchange);
    struct ask ask = call_bob;
    ask.to = "urn:service:sos.police";
    assert_int_equal(exchange_ask(exchange, &ask), 100);
    ask.to = "urn:service:sosa";
    assert_int_equal(exchange_ask(exchange, &ask), 503);
    ask.uri = "urn:service:sos";
    ask.to = call_bob.uri;
    assert_int_equal(exchange_ask(exchange, &ask), 416);
    ask = call_bob;
    ask.rows = "Resource-Priority: ets.0\r\n";
    assert_int_equal(exchange_ask(exchange, &ask), 503);
    ask = from_carrier;
    ask.rows = "Resource-Priority: foo.1, wps.3\r\n";
    assert_int_equal(exchange_ask(exchange, &ask), 100);
    ask.rows = "Resource-Priority: dsn.routine, foo.1\r\n";
    assert_int_equal(exchange_ask(exchange, &ask), 503);
}

/* R7339-4.1-3, R7339-4.2-3, R7339-4.2-4, R7339-5.1-3 to -6: a trunk that asks is told that all is
 * well, by the one algorithm that we have; R7339-4.4-1, R7339-5.2-3: with a number.  R7339-5.11-1:
 * in the 100 and in what follows.  What it wrote goes no further. */
static void neighbours_are_told(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = from_carrier;
    ask.rows = "X: 1\r\n";
    char space[2048], text[2048];
    struct span printed = exchange_print_ask(exchange, &ask, "", space, sizeof space);
    const char *branch = strstr(space, ";branch=");
    int size = snprintf(text, sizeof text, "%.*s;oc;oc-algo=\"A,loss\"%.*s", (int)(branch - space),
                        space, (int)(printed.size - (size_t)(branch - space)), branch);
    exchange_datagram(exchange, CARRIER, (struct span){ text, (size_t)size });
    assert_int_equal(exchange_sent_to(exchange, CARRIER)->status, 100);
    static const char calm[] = ";oc=0;oc-algo=\"loss\";oc-validity=0;oc-seq=";
    assert_non_null(strstr(via_of(exchange, CARRIER), calm));
    const struct ahoy_message *forwarded = exchange_sent_to(exchange, BOB);
    const char *end = ahoy_span_end(forwarded->bytes);
    char all[2048];
    snprintf(all, sizeof all, "%.*s", (int)(end - forwarded->bytes.at), forwarded->bytes.at);
    assert_null(strstr(all, ";oc"));
    /* RFC 7339 5.4: what others put there is not passed on. */
    answer(exchange, BOB, 486, "192.0.2.9:5060", "192.0.2.9:5060;oc=99;oc-algo=\"loss\"");
    assert_int_equal(exchange_sent_to(exchange, CARRIER)->status, 486);
    assert_non_null(strstr(via_of(exchange, CARRIER), calm));
    assert_null(strstr(via_of(exchange, CARRIER), "oc=99"));
}

/* A request of |peer| with |params| in its Via; returns the Via of the answer. */
static const char *ask_with_params(struct exchange *exchange, const struct ask *ask,
                                   const char *params)
{
    char space[2048], text[2048];
    struct span printed = exchange_print_ask(exchange, ask, "", space, sizeof space);
    const char *branch = strstr(space, ";branch=");
    int size = snprintf(text, sizeof text, "%.*s%s%.*s", (int)(branch - space), space, params,
                        (int)(printed.size - (size_t)(branch - space)), branch);
    const char *peer = ask->peer != NULL ? ask->peer : ALICE;
    exchange_datagram(exchange, peer, (struct span){ text, (size_t)size });
    return via_of(exchange, peer);
}

/* R7339-5.1-7, R7339-5.7-1, R7339-5.7-2: as long as there is too much, so much less is asked for;
 * in the end it is called off. */
static void neighbours_are_asked_for_less(void **state)
{
    struct exchange *exchange = *state;
    static const char offer[] = ";oc;oc-algo=\"loss\"";
    struct ask ask = from_carrier;
    overwhelm(exchange);
    const char *via = ask_with_params(exchange, &ask, offer);
    const char *value = strstr(via, ";oc=");
    assert_non_null(value);
    assert_in_range(strtol(value + 4, NULL, 10), 1, 95);
    assert_non_null(strstr(via, ";oc-validity=500;oc-seq="));
    exchange->waited_us = 0;
    ask.method = "OPTIONS";
    ask.uri = "sip:open.example";
    for (unsigned i = 0; i < 10000; i += 100, exchange->now_ms += 100)
        via = ask_with_params(exchange, &ask, offer);
    assert_non_null(strstr(via, ";oc=0;oc-algo=\"loss\";oc-validity=0;oc-seq="));
    assert_int_equal(counters(exchange)->overload_loss, 0);
}

/* RFC 7339 5.2: who is no neighbour of ours learns nothing, nor does who names another way, or
 * none. */
static void strangers_are_not_told(void **state)
{
    struct exchange *exchange = *state;
    assert_null(strstr(ask_with_params(exchange, &call_bob, ";oc;oc-algo=\"loss\""), ";oc"));
    assert_null(strstr(ask_with_params(exchange, &from_carrier, ";oc;oc-algo=\"A\""), ";oc"));
    assert_null(strstr(ask_with_params(exchange, &from_carrier, ""), ";oc"));
    assert_null(strstr(ask_with_params(exchange, &from_carrier, ";oc;oc;oc-algo=\"loss\""), ";oc"));
}

/* R7339-4.1-1, R7339-4.1-2, R7339-4.2-1, R7339-4.2-2, R7339-5.1-1, R7339-5.1-2: trunks are offered
 * it, and phones are spared the bytes.  R7339-4.3-1, R7339-5.2-4: an offer has no more. */
static void trunks_are_offered_it(void **state)
{
    struct exchange *exchange = *state;
    assert_int_equal(exchange_ask(exchange, &call_carrier), 100);
    const char *via = via_of(exchange, CARRIER);
    const char *offer = strstr(via, ";oc");
    assert_non_null(offer);
    assert_string_equal(offer, ";oc;oc-algo=\"loss\"");
    assert_int_equal(exchange_ask(exchange, &call_bob), 100);
    assert_null(strstr(via_of(exchange, BOB), ";oc"));
}

/* R7339-5.5-1, R7339-5.5-2: a trunk that asks for less gets less.  The caller is answered 503,
 * without a Retry-After (RFC 7339 5.10), and after the time that it said all goes on. */
static void trunks_that_ask_for_less_get_less(void **state)
{
    struct exchange *exchange = *state;
    assert_int_equal(exchange_ask(exchange, &call_carrier), 100);
    answer(exchange, CARRIER, 486, ";oc;", ";oc=100;oc-validity=2000;oc-seq=1.5;");
    assert_int_equal(exchange_ask(exchange, &call_carrier), 503);
    assert_string_equal(exchange_value(&exchange->message, AHOY_HEADER_RETRY_AFTER), "");
    assert_null(exchange_sent_to(exchange, CARRIER));
    exchange_wait(exchange, 2000);
    assert_int_equal(exchange_ask(exchange, &call_carrier), 100);
    answer(exchange, CARRIER, 486, ";oc;", ";oc=101;oc-seq=2.0;"); /* Nobody can mean that. */
    assert_int_equal(exchange_ask(exchange, &call_carrier), 100);
}

/* A phone's word on overload means nothing: only whom we asked may say so. */
static void phones_do_not_throttle(void **state)
{
    struct exchange *exchange = *state;
    assert_int_equal(exchange_ask(exchange, &call_bob), 100);
    answer(exchange, BOB, 486, ";rport", ";rport;oc=100;oc-algo=\"loss\";oc-seq=1.5");
    assert_int_equal(exchange_ask(exchange, &call_bob), 100);
    assert_non_null(exchange_sent_to(exchange, BOB));
}

/* What comes to one listener waits, and what comes to the other does not. */
static void one_listener_hides_no_other(void **state)
{
    (void)state;
    char text[1024];
    snprintf(text, sizeof text, "listen \"udp:[2001:db8::100]:5060\"\n%s", config);
    struct exchange *exchange = exchange_new(text, 0);
    struct ask waiting = { .method = "OPTIONS",
                           .uri = "sip:open.example",
                           .from = "sip:mallory@evil.example" };
    struct ask at_once = waiting;
    at_once.peer = "[2001:db8::1]:5060";
    for (unsigned i = 0; i < 4000; i++, exchange->now_ms++) {
        exchange->waited_us = i % 2 == 0 ? LONG_US : 0;
        (void)exchange_ask(exchange, i % 2 == 0 ? &waiting : &at_once);
    }
    assert_true(counters(exchange)->overload_refused > 0);
    exchange_free(exchange);
}

static void off_is_off(void **state)
{
    (void)state;
    char text[1024];
    snprintf(text, sizeof text, "%soverload { target = 0 }\n", config);
    struct exchange *exchange = exchange_new(text, 0);
    const struct ask ask = { .method = "OPTIONS",
                             .uri = "sip:open.example",
                             .from = "sip:mallory@evil.example" };
    exchange->waited_us = LONG_US;
    for (unsigned i = 0; i < 2000; i++, exchange->now_ms++)
        assert_int_equal(exchange_ask(exchange, &ask), 200);
    exchange_free(exchange);
}

#define in_exchange(test) cmocka_unit_test_setup_teardown(test, setup, exchange_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_exchange(new_work_is_refused),
        in_exchange(what_stands_goes_on),
        in_exchange(proxies_get_no_retry_after),
        in_exchange(stale_work_is_dropped),
        in_exchange(some_must_get_through),
        in_exchange(neighbours_are_told),
        in_exchange(neighbours_are_asked_for_less),
        in_exchange(strangers_are_not_told),
        in_exchange(trunks_are_offered_it),
        in_exchange(trunks_that_ask_for_less_get_less),
        in_exchange(phones_do_not_throttle),
        cmocka_unit_test(one_listener_hides_no_other),
        cmocka_unit_test(off_is_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
