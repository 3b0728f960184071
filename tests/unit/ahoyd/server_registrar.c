/* What a registrar promises besides whom it believes (RFC 3261 10.1, 10.3): who else sees its
 * bindings, in which order requests are served, and what it never answers. */
#include "tests/support/exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "libahoy/syntax/compose.h"

static const char config[] = "listen \"udp:192.0.2.100:5060\"\n"
                             "domain(\"open.example\", { auth = \"none\", insecure = true })\n"
                             "domain(\"other.example\", { auth = \"none\", insecure = true, "
                             "service_route = { \"sip:edge.other.example;lr\", "
                             "\"sips:other.example;lr;x=1\" } })\n"
                             "trunk(\"carrier\", { \"sip:203.0.113.5:5070\" })\n"
                             "route { domain = \"carrier.example\", to = \"carrier\", from = "
                             "\"anyone\" }\n"
                             "domain(\"atlanta.example\", { auth = \"digest\" })\n"
                             "store \"memory:\"\n";

#define BOB   "192.0.2.2:5060"
#define CLARA "192.0.2.3:5060"

static int setup(void **state)
{
    *state = exchange_new(config, 0);
    return 0;
}

static struct ask registers(const char *call_id, unsigned cseq, const char *rows)
{
    return (struct ask){ .method = "REGISTER",
                         .uri = "sip:open.example",
                         .from = "sip:bob@open.example",
                         .to = "sip:bob@open.example",
                         .call_id = call_id,
                         .cseq = cseq,
                         .rows = rows };
}

static unsigned register_now(struct exchange *exchange, const char *call_id, unsigned cseq,
                             const char *rows)
{
    const struct ask ask = registers(call_id, cseq, rows);
    return exchange_ask(exchange, &ask);
}

static unsigned call(struct exchange *exchange, const char *uri)
{
    const struct ask ask = { .peer = "192.0.2.9:5060",
                             .method = "MESSAGE",
                             .uri = uri,
                             .from = "sip:x@far.example",
                             .call_id = uri };
    return exchange_ask(exchange, &ask);
}

/* R3261-10.1-1: what is registered is called at once, in that domain and in no other; what is
 * removed no longer. */
static void the_proxy_reads_what_the_registrar_writes(void **state)
{
    struct exchange *exchange = *state;
    assert_int_equal(call(exchange, "sip:bob@open.example"), 404);
    assert_int_equal(register_now(exchange, "one", 1, "Contact: <sip:bob@192.0.2.2>\r\n"), 200);
    assert_int_equal(call(exchange, "sip:bob@open.example;x=1"), 0);
    assert_non_null(exchange_sent_to(exchange, BOB));
    assert_int_equal(call(exchange, "sip:bob@other.example"), 404);
    assert_int_equal(register_now(exchange, "one", 2, "Contact: *\r\nExpires: 0\r\n"), 200);
    assert_int_equal(call(exchange, "sip:bob@open.example;x=2"), 404);
}

/* R3261-10.3-10, -11: one address-of-record, however it is written, by who registers and by who
 * calls. */
static void an_address_has_one_form(void **state)
{
    static const char *const forms[] = {
        "sip:bob@open.example",
        "sip:b%6Fb@open.example",
        "sip:bob@OPEN.example",
        "sip:bob:secret@open.example",
        "sip:bob@open.example;user=phone",
        "sip:bob@open.example:5060;x=y?subject=z",
    };
    struct exchange *exchange = *state;
    for (unsigned i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        struct ask ask = registers("one", i + 1, "Contact: <sip:bob@192.0.2.2>\r\n");
        ask.to = forms[i];
        assert_int_equal(exchange_ask(exchange, &ask), 200);
        assert_int_equal(exchange_bindings(exchange, "bob@open.example"), 1);
        ask = registers("one", 100 + i, "Contact: *\r\nExpires: 0\r\n");
        assert_int_equal(exchange_ask(exchange, &ask), 200);
        assert_int_equal(exchange_bindings(exchange, "bob@open.example"), 0);
    }
    struct ask ask = registers("two", 1, "Contact: <sip:Bob@192.0.2.2>\r\n");
    ask.to = "sip:Bob@open.example"; /* The user's case matters: 19.1.4. */
    assert_int_equal(exchange_ask(exchange, &ask), 200);
    assert_int_equal(exchange_bindings(exchange, "bob@open.example"), 0);
}

/* R3261-10.3-2, -3: it changes nothing, and none comes back, whatever the answer is. */
static void record_route_means_nothing(void **state)
{
    static const struct {
        unsigned status;
        const char *rows;
    } requests[] = {
        { 200, "Record-Route: <sip:198.51.100.9;lr>\r\nContact: <sip:bob@192.0.2.2>\r\n" },
        { 200, "Record-Route: <sip:198.51.100.9;lr>\r\n" },
        { 400, "Record-Route: <sip:198.51.100.9;lr>\r\nContact: *\r\n" },
        { 423, "Record-Route: <sip:198.51.100.9;lr>\r\nContact: <sip:b@192.0.2.2>;expires=9\r\n" },
        { 420, "Record-Route: <sip:198.51.100.9;lr>\r\nRequire: unheard-of\r\n" },
    };
    struct exchange *exchange = *state;
    for (unsigned i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        assert_int_equal(register_now(exchange, "one", i + 1, requests[i].rows),
                         requests[i].status);
        assert_null(ahoy_message_first(exchange_sent(exchange, 0), AHOY_HEADER_RECORD_ROUTE));
    }
    assert_int_equal(call(exchange, "sip:bob@open.example"), 0);
    assert_non_null(exchange_sent_to(exchange, BOB)); /* And not 198.51.100.9. */
}

/* R3261-10.3-1: whatever is wrong, others may still know better. */
static void nothing_is_refused_for_everywhere(void **state)
{
    static const char *const rows[] = {
        "Contact: <sip:bob@127.0.0.1>\r\n",
        "Contact: <sip:bob@192.0.2.2\r\n",
        "Contact: <mailto:bob@open.example>\r\n",
        "Contact: <sip:bob@192.0.2.2>;expires=1\r\n",
        "Contact: <sip:bob@192.0.2.2>;q=9\r\n",
        "Contact: *\r\nExpires: 1\r\n",
        "Require: unheard-of\r\n",
        "Supported: outbound\r\nVia: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bK7\r\n"
        "Contact: <sip:bob@192.0.2.2>;reg-id=1;+sip.instance=\"<urn:x>\"\r\n",
    };
    struct exchange *exchange = *state;
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_in_range(register_now(exchange, "one", i + 1, rows[i]), 400, 599);
    struct ask ask = registers("one", 50, "");
    ask.to = "sip:bob@biloxi.example";
    assert_in_range(exchange_ask(exchange, &ask), 400, 599);
    ask.uri = "sip:atlanta.example";
    assert_in_range(exchange_ask(exchange, &ask), 400, 599);
    ask = registers("one", 51, "Contact: <sip:bob@192.0.2.2>\r\n");
    assert_int_equal(exchange_ask(exchange, &ask), 200);
    ask.cseq = 50;
    assert_in_range(exchange_ask(exchange, &ask), 400, 599);
}

/* R3261-10.3-4: of two that wait for the store at once, the later one has the last word. */
static void requests_are_served_in_their_order(void **state)
{
    struct exchange *exchange = *state;
    exchange->hold = true;
    assert_int_equal(
        register_now(exchange, "one", 9, "Contact: <sip:bob@192.0.2.2>;expires=100\r\n"), 0);
    assert_int_equal(
        register_now(exchange, "two", 1, "Contact: <sip:bob@192.0.2.2>;expires=200\r\n"), 0);
    assert_int_equal(register_now(exchange, "three", 1, "Contact: *\r\nExpires: 0\r\n"), 0);
    assert_int_equal(register_now(exchange, "four", 1, "Contact: <sip:bob@192.0.2.3>\r\n"), 0);
    exchange_release(exchange);
    assert_int_equal(exchange->count, 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(exchange_sent(exchange, i)->status, 200);
    assert_int_equal(call(exchange, "sip:bob@open.example"), 0);
    assert_null(exchange_sent_to(exchange, BOB));
    assert_non_null(exchange_sent_to(exchange, CLARA));
}

/* R3261-10.3-6: one that fails takes no other with it, and none sees what another has not kept. */
static void requests_do_not_lean_on_each_other(void **state)
{
    struct exchange *exchange = *state;
    assert_int_equal(register_now(exchange, "one", 5, "Contact: <sip:bob@192.0.2.2>\r\n"), 200);
    exchange->hold = true;
    assert_int_equal(
        register_now(exchange, "one", 5, "Contact: <sip:new@192.0.2.2>, <sip:bob@192.0.2.2>\r\n"),
        0);
    assert_int_equal(register_now(exchange, "one", 6, "Contact: <sip:bob@192.0.2.3>\r\n"), 0);
    exchange_release(exchange);
    unsigned refused = 0, served = 0;
    for (size_t i = 0; i < exchange->count; i++) {
        refused += exchange_sent(exchange, i)->status == 500;
        served += exchange_sent(exchange, i)->status == 200;
    }
    assert_int_equal(refused, 1);
    assert_int_equal(served, 1);
    assert_int_equal(exchange_bindings(exchange, "bob@open.example"), 2);
}

/* R3608-5-1, -2, R3608-6.3-1, -2, R5630-5.2-4, -5: as it is configured, to who registers and to who
 * only asks; but not where nothing was kept. */
static void a_service_route_is_told(void **state)
{
    static const char route[] = "<sip:edge.other.example;lr>, <sips:other.example;lr;x=1>";
    struct exchange *exchange = *state;
    struct ask ask = registers("one", 1, "Contact: <sip:bob@192.0.2.2>\r\n");
    assert_int_equal(exchange_ask(exchange, &ask), 200);
    assert_null(ahoy_message_first(exchange_sent(exchange, 0), AHOY_HEADER_SERVICE_ROUTE));
    ask.uri = "sip:other.example";
    ask.from = ask.to = "sip:bob@other.example";
    assert_int_equal(exchange_ask(exchange, &ask), 200);
    assert_string_equal(exchange_value(exchange_sent(exchange, 0), AHOY_HEADER_SERVICE_ROUTE),
                        route);
    assert_int_equal(exchange_ask(exchange, &ask), 500);
    assert_null(ahoy_message_first(exchange_sent(exchange, 0), AHOY_HEADER_SERVICE_ROUTE));
    ask.cseq = 2;
    ask.rows = "";
    assert_int_equal(exchange_ask(exchange, &ask), 200);
    assert_string_equal(exchange_value(exchange_sent(exchange, 0), AHOY_HEADER_SERVICE_ROUTE),
                        route);
}

/* R3608-6.2-1: that of another registrar passes as it is. */
static void a_service_route_passes(void **state)
{
    struct exchange *exchange = *state;
    char space[2048];
    struct ask ask = registers("one", 1, "Contact: <sip:bob@192.0.2.2>\r\n");
    ask.uri = "sip:carrier.example";
    ask.from = ask.to = "sip:bob@carrier.example";
    assert_int_equal(exchange_ask(exchange, &ask), 0);
    const struct ahoy_message *message = exchange_sent_to(exchange, "203.0.113.5:5070");
    const struct ahoy_response response = {
        .status = 200, .headers = SPAN("Service-Route: <sip:a;lr>,<sip:b;lr;x>\r\n")
    };
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    ahoy_compose_response(&buf, message, &response);
    exchange_datagram(exchange, "203.0.113.5:5070", ahoy_buf_text(&buf));
    message = exchange_sent_to(exchange, "192.0.2.1:5060");
    assert_non_null(message);
    assert_string_equal(exchange_value(message, AHOY_HEADER_SERVICE_ROUTE),
                        "<sip:a;lr>,<sip:b;lr;x>");
}

#define RULE(test) cmocka_unit_test_setup_teardown(test, setup, exchange_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RULE(the_proxy_reads_what_the_registrar_writes),
        RULE(an_address_has_one_form),
        RULE(record_route_means_nothing),
        RULE(nothing_is_refused_for_everywhere),
        RULE(requests_are_served_in_their_order),
        RULE(requests_do_not_lean_on_each_other),
        RULE(a_service_route_is_told),
        RULE(a_service_route_passes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
