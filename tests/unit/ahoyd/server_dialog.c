/* Requests within dialogs through the whole server: along our own Record-Route without a question,
 * and nobody else's way (RFC 3261 16.4, 16.11, attack 60). */
#include "tests/support/exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

static const char config[] = "listen \"udp:192.0.2.100:5060\"\n"
                             "listen \"tcp:192.0.2.100:5060\"\n"
                             "listen \"udp:127.0.0.1:5060\"\n"
                             "domain(\"atlanta.example\", { auth = \"digest\" })\n"
                             "store \"memory:\"\n";

#define ALICE    "192.0.2.1:5060"
#define BOB      "192.0.2.2:5060"
#define STRANGER "198.51.100.7:5060"

static int setup(void **state)
{
    struct exchange *exchange = exchange_new(config, 0);
    exchange_bind(exchange, "bob@atlanta.example", "sip:bob@192.0.2.2:5060", BOB);
    *state = exchange;
    return 0;
}

/* The URIs that the server wrote into the Record-Route of |message|, as a Route row. */
static void keep_route(const struct ahoy_message *message, char *row, size_t size)
{
    struct ahoy_buf buf = ahoy_buf_over(row, size - 1);
    struct ahoy_values values = ahoy_message_values(message, AHOY_HEADER_RECORD_ROUTE);
    struct span value;
    while (ahoy_values_next(&values, &value, NULL)) {
        ahoy_buf_put(&buf, SPAN("Route: "));
        ahoy_buf_put(&buf, value);
        ahoy_buf_put(&buf, SPAN("\r\n"));
    }
    assert_false(buf.overflow);
    row[buf.size] = '\0';
}

/* A stranger calls Bob; |route| becomes the Route of the call |call_id|. */
static void call_bob(struct exchange *exchange, const char *call_id, char *route, size_t size)
{
    const struct ask ask = { .peer = STRANGER,
                             .method = "INVITE",
                             .uri = "sip:bob@atlanta.example",
                             .from = "sip:stranger@far.example",
                             .call_id = call_id };
    assert_int_equal(exchange_ask(exchange, &ask), 100);
    keep_route(exchange_sent_to(exchange, BOB), route, size);
}

static struct ask stranger_goes_on(const char *method, const char *uri, const char *rows)
{
    return (struct ask){ .peer = STRANGER,
                         .method = method,
                         .uri = uri,
                         .from = "sip:stranger@far.example",
                         .to = "sip:bob@atlanta.example",
                         .to_tag = "bobs",
                         .call_id = "call",
                         .cseq = 2,
                         .rows = rows };
}

static void a_dialog_goes_its_way(void **state)
{
    struct exchange *exchange = *state;
    char route[512];
    call_bob(exchange, "call", route, sizeof route);
    struct ask bye = stranger_goes_on("BYE", "sip:bob@192.0.2.2:5060", route);
    assert_int_equal(exchange_ask(exchange, &bye), 0);
    const struct ahoy_message *message = exchange_sent_to(exchange, BOB);
    assert_int_equal(message->method, AHOY_METHOD_BYE);
    assert_true(ahoy_span_equal(message->request_uri, SPAN("sip:bob@192.0.2.2:5060")));
    assert_null(ahoy_message_first(message, AHOY_HEADER_ROUTE));
    /* And back, from a user of ours, who is not asked to prove that again. */
    struct ask back = stranger_goes_on("INFO", "sip:stranger@198.51.100.7", route);
    back.peer = BOB;
    back.from = "sip:bob@atlanta.example";
    back.to = "sip:stranger@far.example";
    assert_int_equal(exchange_ask(exchange, &back), 0);
    message = exchange_sent_to(exchange, STRANGER);
    assert_int_equal(message->method, AHOY_METHOD_INFO);
    assert_null(ahoy_message_first(message, AHOY_HEADER_RECORD_ROUTE));
}

/* R3261-16.6-29: a proxy behind us had put itself on the way too. */
static void the_next_route_is_followed(void **state)
{
    struct exchange *exchange = *state;
    char route[512];
    char rows[600];
    call_bob(exchange, "call", route, sizeof route);
    (void)snprintf(rows, sizeof rows, "%sRoute: <sip:192.0.2.50;lr>\r\n", route);
    struct ask ask = stranger_goes_on("BYE", "sip:bob@phone.example", rows);
    assert_int_equal(exchange_ask(exchange, &ask), 0);
    const struct ahoy_message *message = exchange_sent_to(exchange, "192.0.2.50:5060");
    assert_true(ahoy_span_equal(message->request_uri, SPAN("sip:bob@phone.example")));
    assert_string_equal(exchange_value(message, AHOY_HEADER_ROUTE), "<sip:192.0.2.50;lr>");
}

/* Nobody can connect to the client of a WebSocket, at an address or by a name. */
static void a_websocket_that_is_gone_is_not_there(void **state)
{
    struct exchange *exchange = *state;
    static const char *const uris[] = { "sip:bob@192.0.2.2:5060;transport=ws",
                                        "sips:bob@192.0.2.2;transport=ws",
                                        "sip:bob@x4f.invalid;transport=WS" };
    char route[512];
    call_bob(exchange, "call", route, sizeof route);
    for (unsigned i = 0; i < sizeof uris / sizeof *uris; i++) {
        struct ask ask = stranger_goes_on("INFO", uris[i], route);
        ask.cseq += i;
        unsigned status = exchange_ask(exchange, &ask);
        assert_int_equal(status, i == 1 ? 403 : 480); /* The second did not come safely. */
    }
}

/* R3261-16.6-28: one that knows no loose routing finds itself in the Request-URI, and that is where
 * the request goes. */
static void a_strict_router_is_next(void **state)
{
    struct exchange *exchange = *state;
    char route[512];
    char rows[600];
    call_bob(exchange, "call", route, sizeof route);
    (void)snprintf(rows, sizeof rows, "%sRoute: <sip:192.0.2.50:5070>\r\n", route);
    struct ask ask = stranger_goes_on("BYE", "sip:bob@phone.example", rows);
    assert_int_equal(exchange_ask(exchange, &ask), 0);
    const struct ahoy_message *message = exchange_sent_to(exchange, "192.0.2.50:5070");
    assert_non_null(message);
    assert_true(ahoy_span_equal(message->request_uri, SPAN("sip:192.0.2.50:5070")));
    assert_string_equal(exchange_value(message, AHOY_HEADER_ROUTE), "<sip:bob@phone.example>");
}

/* Nobody makes us a relay by a Route of ours that he thought of. */
static void nobody_else_can_write_our_route(void **state)
{
    struct exchange *exchange = *state;
    static const char *const rows[] = {
        "Route: <sip:192.0.2.100:5060;transport=udp;lr>\r\n",
        "Route: <sip:192.0.2.100:5060;transport=udp;lr;dialog>\r\n",
        "Route: <sip:192.0.2.100:5060;transport=udp;lr;dialog=0123456789abc>\r\n",
        "Route: <sip:atlanta.example;lr>\r\n",
        "",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ask ask = stranger_goes_on("BYE", "sip:x@198.51.100.99", rows[i]);
        assert_int_equal(exchange_ask(exchange, &ask), 403);
        assert_int_equal(exchange->count, 1);
        ask.from = "sip:alice@atlanta.example";
        assert_int_equal(exchange_ask(exchange, &ask), 407);
    }
}

static void a_route_is_for_its_call_only(void **state)
{
    struct exchange *exchange = *state;
    char route[512];
    char neighbour[512];
    call_bob(exchange, "call", route, sizeof route);
    struct ask ask = stranger_goes_on("BYE", "sip:x@198.51.100.99", route);
    ask.call_id = "another";
    assert_int_equal(exchange_ask(exchange, &ask), 403);
    ask.call_id = "call";
    ask.to_tag = NULL; /* No dialog yet. */
    assert_int_equal(exchange_ask(exchange, &ask), 403);
    (void)snprintf(neighbour, sizeof neighbour, "%s", route);
    memcpy(strstr(neighbour, "192.0.2.100"), "192.0.2.101", 11);
    ask = stranger_goes_on("BYE", "sip:x@198.51.100.99", neighbour);
    assert_int_equal(exchange_ask(exchange, &ask), 403);
}

/* The mark proves it, by whichever name of ours it comes back. */
static void a_mark_is_one_at_our_domain_too(void **state)
{
    struct exchange *exchange = *state;
    char route[512];
    char rows[600];
    call_bob(exchange, "call", route, sizeof route);
    (void)snprintf(rows, sizeof rows, "Route: <sip:atlanta.example%s", strstr(route, ";transport"));
    struct ask ask = stranger_goes_on("BYE", "sip:bob@192.0.2.2:5060", rows);
    assert_int_equal(exchange_ask(exchange, &ask), 0);
    assert_int_equal(exchange_sent_to(exchange, BOB)->method, AHOY_METHOD_BYE);
}

/* Every worker, and the next start, must know the Routes of this one. */
static void another_server_knows_the_same_routes(void **state)
{
    char route[512];
    char again[512];
    struct exchange *other = exchange_new(config, 0);
    exchange_bind(other, "bob@atlanta.example", "sip:bob@192.0.2.2:5060", BOB);
    call_bob(*state, "call", route, sizeof route);
    call_bob(other, "call", again, sizeof again);
    assert_string_equal(route, again);
    call_bob(other, "another", again, sizeof again);
    assert_string_not_equal(route, again);
    exchange_free(other);
}

/* Attack 60. */
static void a_dialog_does_not_lead_inside(void **state)
{
    struct exchange *exchange = *state;
    static const char *const uris[] = {
        "sip:x@127.0.0.1:5062", "sip:x@[::1]:5062", "sip:x@0.0.0.0",
        "sip:x@169.254.0.1",    "sip:x@224.0.0.1",  "sip:x@far.example;maddr=127.0.0.1"
    };
    static const char *const routes[] = { "Route: <sip:127.0.0.1:5062;lr>\r\n",
                                          "Route: <sip:0.0.0.0;lr>\r\n",
                                          "Route: <sip:[::ffff:127.0.0.1];lr>\r\n" };
    char route[512];
    char rows[600];
    call_bob(exchange, "call", route, sizeof route);
    for (size_t i = 0; i < sizeof uris / sizeof uris[0]; i++) {
        struct ask ask = stranger_goes_on("INFO", uris[i], route);
        assert_int_equal(exchange_ask(exchange, &ask), 403);
        assert_int_equal(exchange->count, 1);
    }
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        (void)snprintf(rows, sizeof rows, "%s%s", route, routes[i]);
        struct ask ask = stranger_goes_on("INFO", "sip:bob@192.0.2.2", rows);
        assert_int_equal(exchange_ask(exchange, &ask), 403);
        assert_int_equal(exchange->count, 1);
    }
    /* Who is inside himself may. */
    struct ask ask = stranger_goes_on("INFO", uris[0], route);
    ask.peer = "127.0.0.1:5064";
    assert_int_equal(exchange_ask(exchange, &ask), 0);
    assert_non_null(exchange_sent_to(exchange, "127.0.0.1:5062"));
}

/* A phone on this machine registered from there: its calls from outside end there too. */
static void a_registered_phone_inside_is_reached(void **state)
{
    struct exchange *exchange = *state;
    char route[512];
    call_bob(exchange, "call", route, sizeof route);
    exchange_bind(exchange, "carol@atlanta.example", "sip:carol@127.0.0.1:5062", "127.0.0.1:5062");
    struct ask ask = stranger_goes_on("BYE", "sip:carol@127.0.0.1:5062", route);
    assert_int_equal(exchange_ask(exchange, &ask), 403);
    ask.to = "sip:carol@atlanta.example";
    assert_int_equal(exchange_ask(exchange, &ask), 0);
    assert_non_null(exchange_sent_to(exchange, "127.0.0.1:5062"));
    ask.uri = "sip:carol@127.0.0.1:5063"; /* Not where she registered. */
    assert_int_equal(exchange_ask(exchange, &ask), 403);
}

/* A Contact that is an address-of-record of ours leads to its bindings. */
static void a_dialog_may_end_at_a_user(void **state)
{
    struct exchange *exchange = *state;
    char route[512];
    call_bob(exchange, "call", route, sizeof route);
    struct ask ask = stranger_goes_on("BYE", "sip:bob@atlanta.example", route);
    assert_int_equal(exchange_ask(exchange, &ask), 0);
    assert_non_null(exchange_sent_to(exchange, BOB));
    ask.uri = "sip:nobody@192.0.2.100";
    assert_int_equal(exchange_ask(exchange, &ask), 404);
}

static void what_cannot_be_located_is_said(void **state)
{
    struct exchange *exchange = *state;
    char route[512];
    call_bob(exchange, "call", route, sizeof route);
    struct ask ask = stranger_goes_on("BYE", "sip:bob@192.0.2.2;transport=sctp", route);
    assert_int_equal(exchange_ask(exchange, &ask), 503);
    ask.uri = "sips:bob@192.0.2.2";
    assert_int_equal(exchange_ask(exchange, &ask), 403);
}

/* 16.11: along the dialog, or into silence; R3261-22.1-4 and -5: nobody asks who sends it. */
static void an_ack_is_forwarded_or_dropped(void **state)
{
    struct exchange *exchange = *state;
    char route[512];
    call_bob(exchange, "call", route, sizeof route);
    struct ask ack = stranger_goes_on("ACK", "sip:bob@192.0.2.2:5060", route);
    assert_int_equal(exchange_ask(exchange, &ack), 0);
    assert_int_equal(exchange->count, 1);
    const struct ahoy_message *message = exchange_sent_to(exchange, BOB);
    assert_int_equal(message->method, AHOY_METHOD_ACK);
    assert_null(ahoy_message_first(message, AHOY_HEADER_ROUTE));

    ack.uri = "sip:bob@127.0.0.1:5062";
    assert_int_equal(exchange_ask(exchange, &ack), 0);
    assert_int_equal(exchange->count, 0);
    ack.uri = "sip:bob@192.0.2.2:5060";
    ack.call_id = "another";
    assert_int_equal(exchange_ask(exchange, &ack), 0);
    assert_int_equal(exchange->count, 0);
    ack.rows = NULL;
    assert_int_equal(exchange_ask(exchange, &ack), 0);
    assert_int_equal(exchange->count, 0);
    ack.uri = "tel:+1555";
    assert_int_equal(exchange_ask(exchange, &ack), 0);
    assert_int_equal(exchange->count, 0);
}

static void an_ack_stops_at_its_last_hop(void **state)
{
    struct exchange *exchange = *state;
    char route[512];
    char space[2048];
    call_bob(exchange, "call", route, sizeof route);
    struct ask ack = stranger_goes_on("ACK", "sip:bob@192.0.2.2:5060", route);
    struct span bytes = exchange_print_ask(exchange, &ack, "", space, sizeof space);
    memcpy(strstr(space, "Max-Forwards: 70"), "Max-Forwards:  0", 16);
    exchange_datagram(exchange, STRANGER, bytes);
    assert_int_equal(exchange->count, 0);
}

/* 9.2. */
static void a_cancel_for_nothing_is_481(void **state)
{
    struct exchange *exchange = *state;
    struct ask cancel = stranger_goes_on("CANCEL", "sip:bob@atlanta.example", NULL);
    cancel.to_tag = NULL;
    assert_int_equal(exchange_ask(exchange, &cancel), 481);
    cancel.from = "sip:alice@atlanta.example"; /* R3261-22.1-6: never challenged. */
    assert_int_equal(exchange_ask(exchange, &cancel), 481);
}

static void a_cancel_meets_its_call(void **state)
{
    struct exchange *exchange = *state;
    char space[2048];
    struct ask ask = stranger_goes_on("INVITE", "sip:bob@atlanta.example", NULL);
    ask.to_tag = NULL;
    struct span bytes = exchange_print_ask(exchange, &ask, "", space, sizeof space);
    exchange_datagram(exchange, STRANGER, bytes);
    /* The same branch, method and CSeq's method changed: six letters both. */
    for (char *at = space; (at = strstr(at, "INVITE")) != NULL; at += 6)
        memcpy(at, "CANCEL", 6);
    exchange_datagram(exchange, STRANGER, bytes);
    const struct ahoy_message *message = exchange_sent_to(exchange, STRANGER);
    assert_int_equal(message->status, 200);
    assert_string_equal(exchange_value(message, AHOY_HEADER_CSEQ), "2 CANCEL");
}

/* 16.4: a strict router put our Record-Route where the callee's address belongs. */
static void a_strict_router_is_understood(void **state)
{
    struct exchange *exchange = *state;
    char route[512];
    char uri[256];
    call_bob(exchange, "call", route, sizeof route);
    const char *begin = strchr(route, '<') + 1;
    const char *end = strchr(begin, '>');
    (void)snprintf(uri, sizeof uri, "%.*s", (int)(end - begin), begin);
    struct ask ask = stranger_goes_on("BYE", uri, "Route: <sip:bob@192.0.2.2:5060>\r\n");
    assert_int_equal(exchange_ask(exchange, &ask), 0);
    const struct ahoy_message *message = exchange_sent_to(exchange, BOB);
    assert_non_null(message);
    assert_true(ahoy_span_equal(message->request_uri, SPAN("sip:bob@192.0.2.2:5060")));
    assert_null(ahoy_message_first(message, AHOY_HEADER_ROUTE));
    ask.call_id = "another";
    assert_int_equal(exchange_ask(exchange, &ask), 403);
    ask.call_id = "call";
    memcpy(strstr(uri, "192.0.2.100"), "192.0.2.101", 11); /* A neighbour's. */
    assert_int_equal(exchange_ask(exchange, &ask), 403);
}

/* Our Record-Route is double where the transport changes, and both values go. */
static void both_our_routes_go(void **state)
{
    struct exchange *exchange = *state;
    char route[512];
    exchange_bind(exchange, "dave@atlanta.example", "sip:dave@192.0.2.9:5060;transport=tcp",
                  "192.0.2.9:5060");
    struct ask ask = stranger_goes_on("INVITE", "sip:dave@atlanta.example", NULL);
    ask.to_tag = NULL;
    assert_int_equal(exchange_ask(exchange, &ask), 100);
    keep_route(exchange_sent_to(exchange, "192.0.2.9:5060"), route, sizeof route);
    const char *second = strstr(route + 1, "Route:");
    assert_non_null(second);
    ask = stranger_goes_on("BYE", "sip:dave@192.0.2.9:5060;transport=tcp", route);
    assert_int_equal(exchange_ask(exchange, &ask), 0);
    const struct ahoy_message *message = exchange_sent_to(exchange, "192.0.2.9:5060");
    assert_int_equal(message->method, AHOY_METHOD_BYE);
    assert_null(ahoy_message_first(message, AHOY_HEADER_ROUTE));
}

#define RULE(test) cmocka_unit_test_setup_teardown(test, setup, exchange_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RULE(a_dialog_goes_its_way),          RULE(the_next_route_is_followed),
        RULE(a_websocket_that_is_gone_is_not_there),
        RULE(a_strict_router_is_next),        RULE(nobody_else_can_write_our_route),
        RULE(a_route_is_for_its_call_only),   RULE(a_mark_is_one_at_our_domain_too),
        RULE(another_server_knows_the_same_routes),
        RULE(a_dialog_does_not_lead_inside),  RULE(a_registered_phone_inside_is_reached),
        RULE(a_dialog_may_end_at_a_user),     RULE(what_cannot_be_located_is_said),
        RULE(an_ack_is_forwarded_or_dropped), RULE(an_ack_stops_at_its_last_hop),
        RULE(a_cancel_for_nothing_is_481),    RULE(a_cancel_meets_its_call),
        RULE(a_strict_router_is_understood),  RULE(both_our_routes_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
