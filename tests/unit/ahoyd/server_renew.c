/* A server that goes on with another configuration: what is new holds at once, and nothing that is
 * under way is lost.  Each exchange frees the configuration before, so that a sanitizer sees what
 * still looks into it. */
#include "tests/support/exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "libahoy/syntax/compose.h"

#define UDP      "listen \"udp:192.0.2.100:5060\"\n"
#define STORE    "store \"memory:\"\n"
#define OPEN     "domain(\"open.example\", { auth = \"none\", insecure = true })\n"
#define CLOSED   "domain(\"atlanta.example\", { service_route = { \"sip:edge.example;lr\" } })\n"
#define FIRST    "trunk(\"first\", { \"sip:203.0.113.5:5070\" })\n"
#define SECOND   "trunk(\"second\", { \"sip:203.0.113.6\", \"sip:203.0.113.7\" })\n"
#define TO(name) "route { domain = \"far.example\", from = \"anyone\", to = { \"" name "\" } }\n"

#define CALLER "192.0.2.1:5060"

static const char usual[] = UDP STORE OPEN CLOSED FIRST SECOND TO("first");

static int setup(void **state)
{
    *state = exchange_of_atlanta(usual);
    return 0;
}

static unsigned call(struct exchange *exchange, const char *call_id)
{
    const struct ask ask = { .peer = CALLER,
                             .method = "INVITE",
                             .uri = "sip:x@far.example",
                             .from = "sip:a@b.example",
                             .call_id = call_id };
    return exchange_ask(exchange, &ask);
}

static void a_call_takes_the_new_route(void **state)
{
    struct exchange *exchange = *state;
    assert_int_equal(call(exchange, "one"), 100);
    assert_non_null(exchange_sent_to(exchange, "203.0.113.5:5070"));
    exchange_renew(exchange, UDP STORE OPEN FIRST SECOND TO("second"));
    assert_int_equal(call(exchange, "two"), 100);
    assert_non_null(exchange_sent_to(exchange, "203.0.113.6:5060"));
}

/* The trunk that it rings is gone, and so is the one whose next target would be tried. */
static void a_call_under_way_goes_on(void **state)
{
    struct exchange *exchange = *state;
    exchange_renew(exchange, UDP STORE OPEN FIRST SECOND TO("second"));
    assert_int_equal(call(exchange, "one"), 100);
    exchange_renew(exchange, UDP STORE OPEN);
    exchange_answer(exchange, "203.0.113.6:5060", 503, "");
    assert_non_null(exchange_sent_to(exchange, "203.0.113.7:5060"));
    exchange_renew(exchange, UDP STORE OPEN);
    exchange_answer(exchange, "203.0.113.7:5060", 200, "Contact: <sip:x@203.0.113.7>\r\n");
    const struct ahoy_message *answer = exchange_sent_to(exchange, CALLER);
    assert_non_null(answer);
    assert_int_equal(answer->status, 200);
    assert_int_equal(call(exchange, "two"), 403); /* It is nobody's any more. */
}

/* What was counted for a name stays, wherever it stands now; what it has begun counts on. */
static void counts_follow_their_names(void **state)
{
    struct exchange *exchange = *state;
    assert_int_equal(call(exchange, "one"), 100);
    exchange_renew(exchange, UDP STORE OPEN SECOND FIRST CLOSED TO("first"));
    const struct ahoy_meter *meters = ahoyd_server_meters(exchange->server);
    assert_int_equal(meters[1 + 2 + 1].begun, 1);
    exchange_answer(exchange, "203.0.113.5:5070", 200, "Contact: <sip:x@203.0.113.5>\r\n");
    assert_int_equal(meters[1 + 2 + 1].answered, 1);
    assert_int_equal(meters[1 + 2 + 0].begun, 0);
}

/* What counts for a name that goes is not counted any more. */
static void the_counts_of_what_goes_end(void **state)
{
    struct exchange *exchange = *state;
    assert_int_equal(call(exchange, "one"), 100);
    exchange_renew(exchange, UDP STORE OPEN);
    exchange_answer(exchange, "203.0.113.5:5070", 200, "Contact: <sip:x@203.0.113.5>\r\n");
    const struct ahoy_meter *meters = ahoyd_server_meters(exchange->server);
    assert_int_equal(meters[0].answered + meters[1].answered, 0);
}

/* Its domain goes while it waits for the store; its answer is the one that was promised. */
static void a_registration_that_waits_is_answered(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = exchange_alice("Contact: <sip:alice@192.0.2.1>\r\n");
    exchange->hold = true;
    assert_int_equal(exchange_ask_as(exchange, &ask), 0);
    exchange_renew(exchange, UDP STORE OPEN);
    exchange_release(exchange);
    const struct ahoy_message *answer = exchange_sent(exchange, 0);
    assert_int_equal(answer->status, 200);
    struct span route = ahoy_message_value(answer, AHOY_HEADER_SERVICE_ROUTE);
    assert_true(ahoy_span_equal(route, SPAN("<sip:edge.example;lr>")));
    assert_int_equal(exchange_bindings(exchange, "alice@atlanta.example"), 1);
}

/* A challenge of before is answered after. */
static void nonces_hold(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = exchange_alice("Contact: <sip:alice@192.0.2.1>\r\n");
    char row[1024];
    assert_int_equal(exchange_ask(exchange, &ask), 401);
    exchange_print_credentials(exchange, &ask, row, sizeof row);
    exchange_renew(exchange, usual);
    char rows[2048];
    snprintf(rows, sizeof rows, "%s%s", ask.rows, row);
    ask.rows = rows;
    ask.cseq = 2;
    assert_int_equal(exchange_ask(exchange, &ask), 200);
}

/* Whoever watches a user whose domain goes is told so when he asks again. */
static void a_watcher_of_nobody_is_told(void **state)
{
    struct exchange *exchange = *state;
    exchange_renew(exchange, UDP STORE OPEN CLOSED);
    struct ask ask = { .method = "SUBSCRIBE",
                       .uri = "sip:a@open.example",
                       .from = "sip:a@open.example",
                       .rows = "Event: reg\r\nContact: <sip:a@192.0.2.1>\r\nExpires: 600\r\n" };
    char tag[128];
    assert_int_equal(exchange_ask(exchange, &ask), 200);
    struct ahoy_routing routing;
    assert_true(ahoy_message_routing(exchange_sent(exchange, 0), &routing, NULL));
    snprintf(tag, sizeof tag, "%.*s", (int)routing.to_tag.size, routing.to_tag.at);
    exchange_renew(exchange, UDP STORE CLOSED);
    ask.uri = "sip:192.0.2.100:5060;transport=udp;gr";
    ask.to = "sip:a@open.example";
    ask.to_tag = tag;
    ask.cseq = 2;
    assert_int_equal(exchange_ask(exchange, &ask), 404);
}

#define TWO "listen \"udp:192.0.2.100:5070\"\n"

/* A UDP listener that is removed takes what belongs to dialogs and transactions, and nothing that
 * begins; its name stays ours. */
static void what_is_leaving_begins_nothing(void **state)
{
    struct exchange *exchange = *state;
    exchange_renew(exchange, UDP TWO STORE OPEN FIRST TO("first"));
    exchange_renew(exchange, TWO STORE OPEN FIRST TO("first"));
    assert_int_equal(exchange->config->listen_count, 2);
    assert_int_equal(call(exchange, "one"), 503);
    struct ask options = { .method = "OPTIONS", .uri = "sip:192.0.2.100" };
    assert_int_equal(exchange_ask(exchange, &options), 503);
    const struct ask bye = { .peer = CALLER,
                             .method = "BYE",
                             .uri = "sip:x@203.0.113.9:5060",
                             .from = "sip:a@b.example",
                             .to_tag = "callee",
                             .rows = "Route: <sip:192.0.2.100:5060;lr>\r\n" };
    (void)exchange_ask(exchange, &bye); /* What matters is that it is looked at: no 503. */
    assert_int_not_equal(exchange_sent(exchange, 0)->status, 503);
    exchange_renew(exchange, UDP TWO STORE OPEN FIRST TO("first"));
    assert_int_equal(call(exchange, "two"), 100);
    assert_int_equal(exchange->config->listens[0].ip.port, 5060);
}

#define PROBED(s) "trunk(\"asked\", { \"sip:203.0.113.8\" }, { probe = " s " })\n"
#define ASKED     "203.0.113.8:5060"

/* A target that is known to be down is so afterwards, and the question that is under way is not
 * asked again. */
static void what_probes_know_stays(void **state)
{
    struct exchange *exchange = *state;
    exchange_renew(exchange, UDP STORE OPEN PROBED("60") FIRST TO("asked"));
    exchange_wait(exchange, 1);
    assert_non_null(exchange_sent_to(exchange, ASKED));
    exchange_renew(exchange, UDP STORE OPEN FIRST PROBED("30") TO("asked"));
    exchange_wait(exchange, 100);
    assert_null(exchange_sent_to(exchange, ASKED));
    exchange_wait(exchange, 4000);
    assert_non_null(strstr(exchange->logged, "sip:203.0.113.8 is down"));
    exchange_renew(exchange, UDP STORE OPEN PROBED("60"));
    exchange_wait(exchange, 4000); /* It is sent once more, and its answer is heard. */
    exchange_answer(exchange, ASKED, 200, "");
    assert_non_null(strstr(exchange->logged, "sip:203.0.113.8 is up again"));
    exchange_renew(exchange, UDP STORE OPEN);
    exchange_wait(exchange, 120000);
    assert_null(exchange_sent_to(exchange, ASKED));
}

#define RENEW(test) cmocka_unit_test_setup_teardown(test, setup, exchange_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RENEW(a_call_takes_the_new_route),
        RENEW(a_call_under_way_goes_on),
        RENEW(counts_follow_their_names),
        RENEW(the_counts_of_what_goes_end),
        RENEW(a_registration_that_waits_is_answered),
        RENEW(nonces_hold),
        RENEW(a_watcher_of_nobody_is_told),
        RENEW(what_is_leaving_begins_nothing),
        RENEW(what_probes_know_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
