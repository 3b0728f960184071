/* Trunks that are asked whether they are there, and what becomes of calls when they are not. */
#include "tests/support/exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "libahoy/syntax/compose.h"

static const char config[] =
    "listen \"udp:192.0.2.100:5060\"\n"
    "domain(\"open.example\", { auth = \"none\", insecure = true })\n"
    "store \"memory:\"\n"
    "trunk(\"first\", { \"sip:203.0.113.5:5070\" }, { probe = 60 })\n"
    "trunk(\"second\", { \"sip:203.0.113.6\", \"sip:203.0.113.7\" }, { probe = 60 })\n"
    "route { domain = \"far.example\", from = \"anyone\", to = { \"first\", \"second\" } }\n";

#define CALLER "192.0.2.1:5060"
#define FIRST  "203.0.113.5:5070"
#define SECOND "203.0.113.6:5060"
#define THIRD  "203.0.113.7:5060"

static int setup(void **state)
{
    *state = exchange_new(config, 0);
    exchange_wait(*state, 1);
    return 0;
}

/* The request of |method| that |peer| has just got is answered by him. */
static void answer(struct exchange *exchange, const char *peer, const char *method, unsigned status)
{
    static char request[8192], text[8192];
    static struct ahoy_message message;
    const struct ahoy_message *sent = exchange_sent_to(exchange, peer);
    assert_non_null(sent);
    assert_true(ahoy_span_equal(sent->method_text, ahoy_span(method)));
    memcpy(request, sent->bytes.at, sent->bytes.size);
    assert_true(ahoy_message_parse((struct span){ request, sent->bytes.size }, &message, NULL));
    const struct ahoy_response response = { .status = status, .to_tag = SPAN("callee") };
    struct ahoy_buf buf = ahoy_buf_over(text, sizeof text);
    ahoy_compose_response(&buf, &message, &response);
    exchange_datagram(exchange, peer, ahoy_buf_text(&buf));
}

static unsigned calls;

/* Whether a new call goes to |peer| at once. */
static bool goes_to(struct exchange *exchange, const char *peer)
{
    char call_id[32];
    snprintf(call_id, sizeof call_id, "call-%u", calls++);
    const struct ask ask = { .peer = CALLER,
                             .method = "INVITE",
                             .uri = "sip:x@far.example",
                             .from = "sip:a@b.example",
                             .call_id = call_id };
    assert_int_equal(exchange_ask(exchange, &ask), 100);
    return exchange_sent_to(exchange, peer) != NULL;
}

static bool was_logged(const struct exchange *exchange, const char *text)
{
    return strstr(exchange->logged, text) != NULL;
}

/* RFC 3261 11.1: what is asked is complete, and says what would be understood. */
static void each_target_is_asked(void **state)
{
    struct exchange *exchange = *state;
    static const char *const peers[] = { FIRST, SECOND, THIRD };
    for (size_t i = 0; i < 3; i++) {
        const struct ahoy_message *sent = exchange_sent_to(exchange, peers[i]);
        struct ahoy_routing routing;
        assert_non_null(sent);
        assert_int_equal(sent->method, AHOY_METHOD_OPTIONS);
        assert_true(ahoy_message_routing(sent, &routing, NULL));
        assert_int_equal(routing.max_forwards, 70);
        assert_string_equal(exchange_value(sent, AHOY_HEADER_ACCEPT), "application/sdp");
    }
}

static void what_is_silent_is_left_out(void **state)
{
    struct exchange *exchange = *state;
    assert_true(goes_to(exchange, FIRST)); /* Nothing is known yet. */
    exchange_wait(exchange, 4001);
    assert_true(was_logged(exchange, "trunk \"first\": sip:203.0.113.5:5070 is down"));
    assert_true(was_logged(exchange, "trunk \"second\": sip:203.0.113.6 is down"));
    assert_true(goes_to(exchange, FIRST)); /* All are down, so that it is tried after all. */
}

/* Its answer matters, not what it says; but for 503. */
static void what_answers_is_up(void **state)
{
    struct exchange *exchange = *state;
    exchange_wait(exchange, 500); /* Sent again, as the first is lost. */
    answer(exchange, SECOND, "OPTIONS", 404);
    exchange_wait(exchange, 4000);
    assert_false(was_logged(exchange, "sip:203.0.113.6 is down"));
    assert_false(goes_to(exchange, FIRST));
    assert_non_null(exchange_sent_to(exchange, SECOND));
    /* Half a minute after the first was asked it is given up, and a minute later asked again. */
    exchange_wait(exchange, 32000);
    exchange_wait(exchange, 60000);
    answer(exchange, FIRST, "OPTIONS", 200);
    assert_true(was_logged(exchange, "trunk \"first\": sip:203.0.113.5:5070 is up again"));
    assert_true(goes_to(exchange, FIRST));
}

static void a_503_is_down(void **state)
{
    struct exchange *exchange = *state;
    exchange_wait(exchange, 500);
    answer(exchange, FIRST, "OPTIONS", 503);
    assert_true(was_logged(exchange, "trunk \"first\": sip:203.0.113.5:5070 is down"));
    assert_false(goes_to(exchange, FIRST));
}

#define PROBE(test) cmocka_unit_test_setup_teardown(test, setup, exchange_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROBE(each_target_is_asked),
        PROBE(what_is_silent_is_left_out),
        PROBE(what_answers_is_up),
        PROBE(a_503_is_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
