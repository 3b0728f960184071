/* What a trunk may be sent: docs/decisions/0168-calls-of-a-trunk-are-leases.md. */
#include "tests/support/exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "ahoyd/config.h"

static const char config[] =
    "listen \"udp:192.0.2.100:5060\"\n"
    "domain(\"atlanta.example\", { user_unanswered_calls = 1 })\n"
    "store \"memory:\"\n"
    "trunk(\"narrow\", { \"sip:203.0.113.5:5070\" }, { calls = 1 })\n"
    "trunk(\"other\", { \"sip:203.0.113.6:5070\" }, { calls = 1 })\n"
    "trunk(\"slow\", { \"sip:203.0.113.7:5070\" }, { rate = 1 })\n"
    "route { domain = \"narrow.example\", to = \"narrow\", from = \"anyone\" }\n"
    "route { domain = \"both.example\", to = { \"narrow\", \"other\" }, from = \"anyone\" }\n"
    "route { domain = \"slow.example\", to = \"slow\", from = \"anyone\" }\n";

#define CALLER "198.51.100.7:5060"
#define NARROW "203.0.113.5:5070"
#define OTHER  "203.0.113.6:5070"
#define SLOW   "203.0.113.7:5070"

enum { HOUR_MS = 3600000 };

static int setup(void **state)
{
    *state = exchange_of_atlanta(config);
    return 0;
}

static struct ask call_to(const char *uri, const char *call_id)
{
    return (struct ask){ .peer = CALLER,
                         .method = "INVITE",
                         .uri = uri,
                         .from = "sip:caller@far.example",
                         .call_id = call_id };
}

static unsigned calls(struct exchange *exchange, const char *uri, const char *call_id)
{
    const struct ask ask = call_to(uri, call_id);
    return exchange_ask(exchange, &ask);
}

static unsigned calls_narrow(struct exchange *exchange, const char *call_id)
{
    return calls(exchange, "sip:1@narrow.example", call_id);
}

/* What leads back along the call that |peer| was just sent. */
static void keep_route(struct exchange *exchange, const char *peer, char row[512])
{
    const struct ahoy_message *invite = exchange_sent_to(exchange, peer);
    assert_non_null(invite);
    snprintf(row, 512, "Route: %s\r\n", exchange_value(invite, AHOY_HEADER_RECORD_ROUTE));
}

static void answer(struct exchange *exchange, const char *peer, const char *session)
{
    char rows[256];
    snprintf(rows, sizeof rows, "Contact: <sip:1@%s>\r\n%s", peer, session);
    exchange_answer(exchange, peer, 200, rows);
}

/* The caller hangs up on whoever has |tag|. */
static void hang_up(struct exchange *exchange, const char *call_id, const char *tag,
                    const char *route)
{
    struct ask bye = call_to("sip:1@203.0.113.5:5070", call_id);
    bye.method = "BYE";
    bye.to_tag = tag;
    bye.cseq = 2;
    bye.rows = route;
    assert_int_equal(exchange_ask(exchange, &bye), 0);
    assert_non_null(exchange_sent_to(exchange, NARROW));
}

static uint64_t times_full(struct exchange *exchange)
{
    return ahoyd_server_causes(exchange->server)[AHOY_CAUSE_TRUNK_FULL];
}

/* One at once: a call that fails makes room, and so does the end of one that was answered. */
static void a_full_trunk_is_not_called(void **state)
{
    struct exchange *exchange = *state;
    char route[512];
    assert_int_equal(calls_narrow(exchange, "a"), 100);
    exchange_answer(exchange, NARROW, 180, "");
    assert_int_equal(calls_narrow(exchange, "b"), 503);
    assert_string_equal(exchange_value(exchange_sent(exchange, 0), AHOY_HEADER_RETRY_AFTER), "1");
    assert_int_equal(times_full(exchange), 1);
    assert_int_equal(calls_narrow(exchange, "a2"), 503);
    exchange_wait(exchange, 230000); /* Timer C, and nobody hears its CANCEL. */
    assert_int_equal(calls_narrow(exchange, "c"), 100);
    exchange_answer(exchange, NARROW, 486, "");
    assert_int_equal(calls_narrow(exchange, "d"), 100);
    keep_route(exchange, NARROW, route);
    answer(exchange, NARROW, "");
    exchange_wait(exchange, HOUR_MS);
    assert_int_equal(calls_narrow(exchange, "e"), 503);
    hang_up(exchange, "d", "another", route); /* That of another answer to the same call. */
    assert_int_equal(calls_narrow(exchange, "f"), 503);
    hang_up(exchange, "d", "t", route);
    assert_int_equal(calls_narrow(exchange, "g"), 100);
}

/* Where a phone dies no BYE passes: the session's time, or four hours, is all that a call has. */
static void a_call_that_nobody_speaks_of_is_over(void **state)
{
    struct exchange *exchange = *state;
    assert_int_equal(calls_narrow(exchange, "a"), 100);
    answer(exchange, NARROW, "Session-Expires: 1800;refresher=uas\r\n");
    exchange->now_ms += 1799000;
    assert_int_equal(calls_narrow(exchange, "b"), 503);
    exchange->now_ms += 2000;
    assert_int_equal(calls_narrow(exchange, "c"), 100);
    answer(exchange, NARROW, "");
    exchange->now_ms += 4 * HOUR_MS - 1000;
    assert_int_equal(calls_narrow(exchange, "d"), 503);
    exchange->now_ms += 2000;
    assert_int_equal(calls_narrow(exchange, "e"), 100);
}

/* Whoever refreshes it, it stands for as long again (RFC 4028 10). */
static void a_session_is_refreshed(void **state)
{
    struct exchange *exchange = *state;
    char route[512];
    assert_int_equal(calls_narrow(exchange, "a"), 100);
    keep_route(exchange, NARROW, route);
    answer(exchange, NARROW, "Session-Expires: 1800;refresher=uac\r\n");
    exchange->now_ms += 900000;
    struct ask again = call_to("sip:1@203.0.113.5:5070", "a");
    again.to_tag = "t";
    again.cseq = 2;
    again.rows = route;
    assert_int_equal(exchange_ask(exchange, &again), 100);
    answer(exchange, NARROW, "Session-Expires: 1800;refresher=uac\r\n");
    exchange->now_ms += 1799000;
    assert_int_equal(calls_narrow(exchange, "b"), 503);
    exchange->now_ms += 2000;
    assert_int_equal(calls_narrow(exchange, "c"), 100);
}

/* The next place is tried at once; the one that did not answer is free again. */
static void the_next_trunk_is_tried(void **state)
{
    struct exchange *exchange = *state;
    assert_int_equal(calls_narrow(exchange, "a"), 100);
    assert_int_equal(calls(exchange, "sip:1@both.example", "b"), 100);
    assert_null(exchange_sent_to(exchange, NARROW));
    assert_non_null(exchange_sent_to(exchange, OTHER));
    exchange_answer(exchange, OTHER, 404, "");
    assert_int_equal(calls(exchange, "sip:1@both.example", "c"), 100);
    answer(exchange, OTHER, "");
    assert_int_equal(calls(exchange, "sip:1@both.example", "d"), 503);
    exchange_wait(exchange, 32000); /* Timer B of the first. */
    assert_int_equal(calls(exchange, "sip:1@both.example", "e"), 100);
    assert_non_null(exchange_sent_to(exchange, NARROW));
    assert_int_equal(times_full(exchange), 5);
}

static void a_trunk_that_failed_is_free(void **state)
{
    struct exchange *exchange = *state;
    assert_int_equal(calls(exchange, "sip:1@both.example", "a"), 100);
    exchange_answer(exchange, NARROW, 503, "");
    answer(exchange, OTHER, "");
    assert_int_equal(calls_narrow(exchange, "b"), 100);
    assert_int_equal(calls(exchange, "sip:1@both.example", "c"), 503);
}

/* A call has two tickets: its user's, and its trunk's. */
static void a_user_and_a_trunk_have_limits(void **state)
{
    struct exchange *exchange = *state;
    for (unsigned i = 0; i < 3; i++) {
        char call_id[16];
        snprintf(call_id, sizeof call_id, "alice%u", i);
        struct ask ask = call_to("sip:1@narrow.example", call_id);
        ask.from = "sip:alice@atlanta.example";
        ask.user = "alice";
        ask.password = "wonderland";
        assert_int_equal(exchange_ask_as(exchange, &ask), 100);
        exchange_answer(exchange, NARROW, 486, "");
    }
    struct ask ask = call_to("sip:1@narrow.example", "stays");
    ask.from = "sip:alice@atlanta.example";
    ask.user = "alice";
    ask.password = "wonderland";
    assert_int_equal(exchange_ask_as(exchange, &ask), 100);
    exchange_answer(exchange, NARROW, 180, "");
    ask.call_id = "refused"; /* By her limit: it must not keep a place at the trunk. */
    ask.uri = "sip:1@both.example";
    assert_int_equal(exchange_ask_as(exchange, &ask), 503);
    assert_int_equal(calls(exchange, "sip:1@both.example", "b"), 100);
    assert_non_null(exchange_sent_to(exchange, OTHER));
}

static void a_slow_trunk_is_called_slowly(void **state)
{
    struct exchange *exchange = *state;
    assert_int_equal(calls(exchange, "sip:1@slow.example", "a"), 100);
    assert_int_equal(calls(exchange, "sip:1@slow.example", "b"), 503);
    exchange_wait(exchange, 1000);
    assert_int_equal(calls(exchange, "sip:1@slow.example", "c"), 100);
    assert_non_null(exchange_sent_to(exchange, SLOW));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_full_trunk_is_not_called, setup, exchange_teardown),
        cmocka_unit_test_setup_teardown(a_call_that_nobody_speaks_of_is_over, setup,
                                        exchange_teardown),
        cmocka_unit_test_setup_teardown(a_session_is_refreshed, setup, exchange_teardown),
        cmocka_unit_test_setup_teardown(the_next_trunk_is_tried, setup, exchange_teardown),
        cmocka_unit_test_setup_teardown(a_trunk_that_failed_is_free, setup, exchange_teardown),
        cmocka_unit_test_setup_teardown(a_user_and_a_trunk_have_limits, setup, exchange_teardown),
        cmocka_unit_test_setup_teardown(a_slow_trunk_is_called_slowly, setup, exchange_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
