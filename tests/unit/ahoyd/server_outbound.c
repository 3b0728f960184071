/* Flows through the whole server (RFC 5626): as registrar and proxy of its users, and as the edge
 * of somebody else's. */
#include "tests/support/exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

static const char config[] = "listen \"udp:192.0.2.100:5060\"\n"
                             "listen \"tcp:192.0.2.100:5060\"\n"
                             "domain(\"atlanta.example\", { auth = \"none\", insecure = true })\n"
                             "store \"memory:\"\n"
                             "trunk(\"carrier\", { \"sip:203.0.113.5:5070\" })\n"
                             "route { domain = \"carrier.example\", to = \"carrier\", from = "
                             "\"anyone\" }\n";

#define NAT      "198.51.100.2:40000"
#define NAT_TWO  "198.51.100.2:40001"
#define CARRIER  "203.0.113.5:5070"
#define STRANGER "198.51.100.7:5060"
#define PRIVATE  "sip:bob@10.0.0.2:5060;ob"
#define INSTANCE ";+sip.instance=\"<urn:uuid:1>\"\r\n"
#define OUTBOUND "Supported: path, outbound\r\n"

static int setup(void **state)
{
    *state = exchange_new(config, 0);
    return 0;
}

static unsigned register_flow(struct exchange *exchange, const char *peer, const char *domain,
                              const char *rows)
{
    static unsigned calls;
    char call_id[32], uri[64], user[64];
    (void)snprintf(call_id, sizeof call_id, "register-%u", calls++);
    (void)snprintf(uri, sizeof uri, "sip:%s", domain);
    (void)snprintf(user, sizeof user, "sip:bob@%s", domain);
    const struct ask ask = { .peer = peer,
                             .method = "REGISTER",
                             .uri = uri,
                             .from = user,
                             .to = user,
                             .call_id = call_id,
                             .rows = rows };
    return exchange_ask(exchange, &ask);
}

static struct ask stranger_asks(const char *method, const char *uri, const char *rows)
{
    return (struct ask){ .peer = STRANGER,
                         .method = method,
                         .uri = uri,
                         .from = "sip:stranger@far.example",
                         .rows = rows };
}

/* The values of Record-Route, from the caller's end on, as Route rows; |count| of them. */
static void keep_routes(const struct ahoy_message *message, char *rows, size_t size, size_t count)
{
    struct ahoy_values values = ahoy_message_values(message, AHOY_HEADER_RECORD_ROUTE);
    struct span value[4];
    size_t found = 0;
    while (found < 4 && ahoy_values_next(&values, &value[found], NULL))
        found++;
    assert_int_equal(found, count);
    struct ahoy_buf buf = ahoy_buf_over(rows, size - 1);
    for (size_t i = found; i > 0; i--) {
        ahoy_buf_put(&buf, SPAN("Route: "));
        ahoy_buf_put(&buf, value[i - 1]);
        ahoy_buf_put(&buf, SPAN("\r\n"));
    }
    assert_false(buf.overflow);
    rows[buf.size] = '\0';
}

/* Bob's side sees two of them the other way round; here, where one listener is, both are ours. */
static void turn_round(const char *routes, char *back, size_t size)
{
    const char *second = strstr(routes, "\r\n") + 2;
    (void)snprintf(back, size, "%s%.*s", second, (int)(second - routes), routes);
}

static struct ask bye(const char *rows)
{
    struct ask ask = stranger_asks("BYE", PRIVATE, rows);
    ask.to = "sip:bob@atlanta.example";
    ask.to_tag = "bobs";
    ask.cseq = 2;
    return ask;
}

/* R5626-6-9, -10, R5626-7-3: the request leaves for where the REGISTER came from, whatever Contact
 * says, and so do those of the dialog: section 5.3. */
static void a_call_goes_down_the_flow(void **state)
{
    struct exchange *exchange = *state;
    char routes[1024];
    assert_int_equal(register_flow(exchange, NAT, "atlanta.example",
                                   OUTBOUND "Contact: <" PRIVATE ">;reg-id=1" INSTANCE),
                     200);
    const struct ahoy_message *answer = exchange_sent_to(exchange, NAT);
    assert_string_equal(exchange_value(answer, AHOY_HEADER_REQUIRE), "outbound");
    assert_string_equal(exchange_value(answer, AHOY_HEADER_FLOW_TIMER), "29");
    struct ask ask = stranger_asks("INVITE", "sip:bob@atlanta.example", NULL);
    assert_int_equal(exchange_ask(exchange, &ask), 100);
    const struct ahoy_message *invite = exchange_sent_to(exchange, NAT);
    assert_non_null(invite);
    assert_true(ahoy_span_equal(invite->request_uri, SPAN(PRIVATE)));
    keep_routes(invite, routes, sizeof routes, 2);
    ask = bye(routes);
    assert_int_equal(exchange_ask(exchange, &ask), 0);
    assert_non_null(exchange_sent_to(exchange, NAT));
    ask = bye(routes);
    ask.call_id = "another";
    assert_int_equal(exchange_ask(exchange, &ask), 403);
    char *at = strrchr(routes, '@');
    at[-2] = at[-2] == '0' ? '1' : '0';
    ask = bye(routes);
    ask.cseq = 3;
    assert_int_equal(exchange_ask(exchange, &ask), 403);
}

/* Section 5.3.2: the caller wants what comes back by his own flow. */
static void a_caller_with_ob(void **state)
{
    struct exchange *exchange = *state;
    char routes[1024], back[1024];
    exchange_bind(exchange, "bob@atlanta.example", "sip:bob@192.0.2.2:5060", "192.0.2.2:5060");
    struct ask ask = stranger_asks("INVITE", "sip:bob@atlanta.example",
                                   "Contact: <sip:stranger@10.0.0.9;ob>\r\n");
    assert_int_equal(exchange_ask(exchange, &ask), 100);
    const struct ahoy_message *invite = exchange_sent_to(exchange, "192.0.2.2:5060");
    keep_routes(invite, routes, sizeof routes, 2);
    turn_round(routes, back, sizeof back);
    ask = (struct ask){ .peer = "192.0.2.2:5060",
                        .method = "BYE",
                        .uri = "sip:stranger@10.0.0.9;ob",
                        .from = "sip:bob@atlanta.example",
                        .to = "sip:stranger@far.example",
                        .to_tag = "from1",
                        .rows = back };
    assert_int_equal(exchange_ask(exchange, &ask), 0);
    assert_non_null(exchange_sent_to(exchange, STRANGER));
    /* And his own are not sent back to him. */
    ask = stranger_asks("BYE", "sip:bob@192.0.2.2:5060", routes);
    ask.to = "sip:bob@atlanta.example";
    ask.to_tag = "bobs";
    ask.cseq = 2;
    assert_int_equal(exchange_ask(exchange, &ask), 0);
    assert_non_null(exchange_sent_to(exchange, "192.0.2.2:5060"));
}

/* Somebody who is not registered calls from behind a NAT: he takes an address for his own that he
 * is not seen at, and is reached by the way that he came. */
static void a_caller_behind_a_nat(void **state)
{
    struct exchange *exchange = *state;
    char routes[1024], back[1024];
    exchange_bind(exchange, "bob@atlanta.example", "sip:bob@192.0.2.2:5060", "192.0.2.2:5060");
    struct ask ask = stranger_asks("INVITE", "sip:bob@atlanta.example",
                                   "Contact: <sip:stranger@10.0.0.9:5061>\r\n");
    ask.peer = NAT;
    ask.sent_by = "10.0.0.9:5060;rport";
    assert_int_equal(exchange_ask(exchange, &ask), 100);
    keep_routes(exchange_sent_to(exchange, "192.0.2.2:5060"), routes, sizeof routes, 2);
    turn_round(routes, back, sizeof back);
    ask = (struct ask){ .peer = "192.0.2.2:5060",
                        .method = "BYE",
                        .uri = "sip:stranger@10.0.0.9:5061",
                        .from = "sip:bob@atlanta.example",
                        .to = "sip:stranger@far.example",
                        .to_tag = "from1",
                        .rows = back };
    assert_int_equal(exchange_ask(exchange, &ask), 0);
    const struct ahoy_message *message = exchange_sent_to(exchange, NAT);
    assert_non_null(message);
    assert_true(ahoy_span_equal(message->request_uri, SPAN("sip:stranger@10.0.0.9:5061")));
    /* The NAT has given him another port meanwhile: his own still go to Bob. */
    ask = stranger_asks("BYE", "sip:bob@192.0.2.2:5060", routes);
    ask.peer = NAT_TWO;
    ask.to = "sip:bob@atlanta.example";
    ask.to_tag = "bobs";
    ask.cseq = 2;
    assert_int_equal(exchange_ask(exchange, &ask), 0);
    assert_non_null(exchange_sent_to(exchange, "192.0.2.2:5060"));
    assert_null(exchange_sent_to(exchange, NAT));
}

/* Who is where he says, or says that others lead to him, is reached as ever: at his Contact. */
static void callers_without_a_nat(void **state)
{
    static const struct {
        const char *sent_by, *rows;
    } cases[] = {
        { NULL, "Contact: <sip:stranger@198.51.100.7>\r\n" },
        { "198.51.100.7:5070;rport", "Contact: <sip:stranger@198.51.100.7:5070>\r\n" },
        { NULL, "Contact: <sip:stranger@10.0.0.9>\r\n" }, /* Another one of his. */
        { "10.0.0.9", "Contact: <sip:stranger@198.51.100.7>\r\n" },
        { "10.0.0.9", "Contact: <sip:stranger@10.0.0.9;maddr=198.51.100.8>\r\n" },
        { "10.0.0.9", "Contact: <sip:stranger@phone.example>\r\n" },
        { "phone.example", "Contact: <sip:stranger@10.0.0.9>\r\n" },
        { "[2001:db8::9]", "Contact: <sip:stranger@[2001:db8::9]>\r\n" },
        { "10.0.0.9", "Via: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bKbefore\r\n"
                      "Contact: <sip:stranger@10.0.0.9>\r\n" },
    };
    struct exchange *exchange = *state;
    exchange_bind(exchange, "bob@atlanta.example", "sip:bob@192.0.2.2:5060", "192.0.2.2:5060");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char call_id[16], routes[1024];
        struct ask ask = stranger_asks("INVITE", "sip:bob@atlanta.example", cases[i].rows);
        (void)snprintf(call_id, sizeof call_id, "call-%zu", i);
        ask.sent_by = cases[i].sent_by;
        ask.call_id = call_id;
        assert_int_equal(exchange_ask(exchange, &ask), 100);
        keep_routes(exchange_sent_to(exchange, "192.0.2.2:5060"), routes, sizeof routes, 1);
    }
}

/* R5626-7-1, R5626-7-2: one flow of an instance at a time. */
static void flows_are_alternatives(void **state)
{
    struct exchange *exchange = *state;
    assert_int_equal(register_flow(exchange, NAT, "atlanta.example",
                                   OUTBOUND "Contact: <" PRIVATE ">;reg-id=1" INSTANCE),
                     200);
    exchange_wait(exchange, 10);
    assert_int_equal(register_flow(exchange, NAT_TWO, "atlanta.example",
                                   OUTBOUND "Contact: <" PRIVATE ">;reg-id=2" INSTANCE),
                     200);
    assert_int_equal(exchange_bindings(exchange, "bob@atlanta.example"), 2);
    struct ask ask = stranger_asks("MESSAGE", "sip:bob@atlanta.example", NULL);
    assert_int_equal(exchange_ask(exchange, &ask), 0);
    assert_non_null(exchange_sent_to(exchange, NAT_TWO)); /* The freshest. */
    assert_null(exchange_sent_to(exchange, NAT));
    struct ahoy_wire_event gone = { .kind = AHOY_WIRE_UNREACHABLE,
                                    .hop = { .remote = exchange_ip(NAT_TWO) } };
    exchange_step(exchange, &gone);
    assert_non_null(exchange_sent_to(exchange, NAT));
}

static void bytes_come(struct exchange *exchange, const struct ahoy_hop *hop, struct span bytes)
{
    struct ahoy_wire_event event = { .kind = AHOY_WIRE_BYTES, .hop = *hop, .bytes = bytes };
    exchange_step(exchange, &event);
}

/* R5626-5.4-3: longer than Flow-Timer the flow stands without a word; R5626-7-5: once we have
 * closed it, nothing is sent to it. */
static void a_flow_that_we_close(void **state)
{
    struct exchange *exchange = *state;
    char space[1024];
    const struct ask registers = { .method = "REGISTER",
                                   .uri = "sip:atlanta.example",
                                   .from = "sip:bob@atlanta.example",
                                   .to = "sip:bob@atlanta.example",
                                   .call_id = "register",
                                   .rows = OUTBOUND "Contact: <" PRIVATE
                                                    ";transport=tcp>;reg-id=1" INSTANCE };
    struct ahoy_wire_event event = {
        .kind = AHOY_WIRE_ACCEPTED,
        .hop = { .transport = AHOY_TCP, .listener = 1, .remote = exchange_ip(NAT) }
    };
    exchange_step(exchange, &event);
    const struct ahoy_hop hop = event.hop;
    bytes_come(exchange, &hop, exchange_print_ask(exchange, &registers, "", space, sizeof space));
    assert_string_equal(exchange_value(exchange_sent(exchange, 0), AHOY_HEADER_FLOW_TIMER), "120");
    exchange_wait(exchange, 130000);
    assert_int_equal(exchange->closed, 0);
    struct ask ask = stranger_asks("MESSAGE", "sip:bob@atlanta.example", NULL);
    assert_int_equal(exchange_ask(exchange, &ask), 0);
    assert_true(ahoy_handle_equal(exchange->sent[0].hop.connection, hop.connection));
    bytes_come(exchange, &hop, SPAN("This is no SIP.\n\n"));
    assert_int_equal(exchange->closed, 1);
    exchange_wait(exchange, 1);
    ask.call_id = "another";
    assert_int_equal(exchange_ask(exchange, &ask), 404);
}

/* R5626-6-5, R5626-11.6-1 */
static void a_proxy_without_outbound(void **state)
{
    struct exchange *exchange = *state;
    assert_int_equal(register_flow(exchange, NAT, "atlanta.example",
                                   OUTBOUND "Via: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bK7\r\n"
                                            "Contact: <" PRIVATE ">;reg-id=1" INSTANCE),
                     439);
}

/* R5626-6-1: requests go the way that Path says, and the answer says which that was. */
static void a_path_is_followed(void **state)
{
    struct exchange *exchange = *state;
    assert_int_equal(register_flow(exchange, NAT, "atlanta.example",
                                   OUTBOUND "Via: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bK7\r\n"
                                            "Path: <sip:token@198.51.100.50:5080;lr;ob>\r\n"
                                            "Contact: <" PRIVATE ">;reg-id=1" INSTANCE),
                     200);
    const struct ahoy_message *answer = exchange_sent_to(exchange, NAT);
    assert_string_equal(exchange_value(answer, AHOY_HEADER_PATH),
                        "<sip:token@198.51.100.50:5080;lr;ob>");
    assert_null(ahoy_message_first(answer, AHOY_HEADER_FLOW_TIMER));
    struct ask ask = stranger_asks("INVITE", "sip:bob@atlanta.example", NULL);
    assert_int_equal(exchange_ask(exchange, &ask), 100);
    const struct ahoy_message *invite = exchange_sent_to(exchange, "198.51.100.50:5080");
    assert_non_null(invite);
    assert_true(ahoy_span_equal(invite->request_uri, SPAN(PRIVATE)));
    assert_string_equal(exchange_value(invite, AHOY_HEADER_ROUTE),
                        "<sip:token@198.51.100.50:5080;lr;ob>");
}

/* RFC 3327 5.3: the way is kept, but not told to a phone that does not know what it means. */
static void a_path_is_told_to_those_who_know_it(void **state)
{
    struct exchange *exchange = *state;
    assert_int_equal(register_flow(exchange, NAT, "atlanta.example",
                                   "Path: <sip:198.51.100.50:5080;lr>\r\n"
                                   "Contact: <" PRIVATE ">\r\n"),
                     200);
    const struct ahoy_message *answer = exchange_sent_to(exchange, NAT);
    assert_null(ahoy_message_first(answer, AHOY_HEADER_PATH));
    struct ask ask = stranger_asks("INVITE", "sip:bob@atlanta.example", NULL);
    assert_int_equal(exchange_ask(exchange, &ask), 100);
    assert_non_null(exchange_sent_to(exchange, "198.51.100.50:5080"));
}

/* R5626-5.1-1, -2, -4, R3327-4-1: the edge of a registrar elsewhere; and 5.3.1: what comes back
 * from there. */
static void the_edge(void **state)
{
    struct exchange *exchange = *state;
    assert_int_equal(register_flow(exchange, NAT, "carrier.example",
                                   OUTBOUND "Contact: <" PRIVATE ">;reg-id=1" INSTANCE),
                     0);
    const struct ahoy_message *message = exchange_sent_to(exchange, CARRIER);
    assert_non_null(message);
    char route[256], rows[1024];
    (void)snprintf(route, sizeof route, "%s", exchange_value(message, AHOY_HEADER_PATH));
    assert_non_null(strstr(route, "@192.0.2.100:5060"));
    assert_non_null(strstr(route, ";lr;ob>"));
    (void)snprintf(rows, sizeof rows, "Route: %s\r\n", route);
    struct ask ask = { .peer = CARRIER,
                       .method = "INVITE",
                       .uri = PRIVATE,
                       .from = "sip:x@carrier.example",
                       .rows = rows };
    assert_int_equal(exchange_ask(exchange, &ask), 100);
    message = exchange_sent_to(exchange, NAT);
    assert_non_null(message);
    assert_null(ahoy_message_first(message, AHOY_HEADER_ROUTE));
    keep_routes(message, rows, sizeof rows, 2);
    ask.method = "BYE";
    ask.cseq = 2;
    ask.to_tag = "bobs";
    assert_int_equal(exchange_ask(exchange, &ask), 0);
    assert_non_null(exchange_sent_to(exchange, NAT));
}

/* R5626-5.1-5 */
static void the_second_hop_promises_nothing(void **state)
{
    struct exchange *exchange = *state;
    assert_int_equal(register_flow(exchange, NAT, "carrier.example",
                                   OUTBOUND "Via: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bK7\r\n"
                                            "Contact: <" PRIVATE ">;reg-id=1" INSTANCE),
                     0);
    const struct ahoy_message *message = exchange_sent_to(exchange, CARRIER);
    assert_null(ahoy_message_first(message, AHOY_HEADER_PATH));
}

#define RULE(test) cmocka_unit_test_setup_teardown(test, setup, exchange_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RULE(a_call_goes_down_the_flow),
        RULE(a_caller_with_ob),
        RULE(a_caller_behind_a_nat),
        RULE(callers_without_a_nat),
        RULE(flows_are_alternatives),
        RULE(a_flow_that_we_close),
        RULE(a_proxy_without_outbound),
        RULE(a_path_is_followed),
        RULE(a_path_is_told_to_those_who_know_it),
        RULE(the_edge),
        RULE(the_second_hop_promises_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
