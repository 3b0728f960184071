/* Other names of a user, through the whole server: he is rung by them, calls by them, and registers
 * by them, with the one password that he has. */
#include "tests/support/exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static const char config[] = "listen \"udp:192.0.2.100:5060\"\n"
                             "domain(\"atlanta.example\", { auth = \"digest\" })\n"
                             "domain(\"other.example\", { auth = \"digest\" })\n"
                             "store \"memory:\"\n";

#define PHONE "192.0.2.1:5060"

static int setup(void **state)
{
    struct exchange *exchange = exchange_of_atlanta(config);
    exchange_add_alias(exchange, "100", "atlanta.example", "alice");
    exchange_add_alias(exchange, "101", "atlanta.example", "bob");
    *state = exchange;
    return 0;
}

static struct ask message_to(const char *uri)
{
    return (struct ask){ .peer = "198.51.100.7:5060",
                         .method = "MESSAGE",
                         .uri = uri,
                         .from = "sip:x@far.example",
                         .call_id = uri };
}

/* He is rung by each of his names, whichever he has registered with. */
static void calls_to_an_alias(void **state)
{
    static const char *const uris[] = { "sip:100@atlanta.example", "sip:%31%300@Atlanta.example;x",
                                        "sip:alice@atlanta.example" };
    struct exchange *exchange = *state;
    struct ask ask = exchange_alice("Contact: <sip:alice@192.0.2.1:5060>\r\n");
    ask.from = ask.to = "sip:100@atlanta.example";
    assert_int_equal(exchange_ask_as(exchange, &ask), 200);
    assert_int_equal(exchange_bindings(exchange, "alice@atlanta.example"), 1);
    assert_int_equal(exchange_bindings(exchange, "100@atlanta.example"), 0);
    for (size_t i = 0; i < sizeof uris / sizeof uris[0]; i++) {
        ask = message_to(uris[i]);
        assert_int_equal(exchange_ask(exchange, &ask), 0);
        const struct ahoy_message *message = exchange_sent_to(exchange, PHONE);
        assert_non_null(message);
        assert_true(ahoy_span_equal(message->request_uri, SPAN("sip:alice@192.0.2.1:5060")));
    }
    ask = message_to("sip:100@other.example");
    assert_int_equal(exchange_ask(exchange, &ask), 404);
    ask = message_to("sip:101@atlanta.example");
    assert_int_equal(exchange_ask(exchange, &ask), 404); /* Bob is not there. */
}

/* He may call as his alias, and as nobody else's; his password is by his own name. */
static void calls_as_an_alias(void **state)
{
    struct exchange *exchange = *state;
    exchange_bind(exchange, "bob@atlanta.example", "sip:bob@192.0.2.2", "192.0.2.2:5060");
    struct ask ask = exchange_alice("");
    ask.method = "MESSAGE";
    ask.uri = ask.to = "sip:101@atlanta.example";
    ask.from = "sip:100@atlanta.example";
    assert_int_equal(exchange_ask_as(exchange, &ask), 0);
    const struct ahoy_message *message = exchange_sent_to(exchange, "192.0.2.2:5060");
    assert_non_null(message);
    assert_string_equal(exchange_value(message, AHOY_HEADER_P_ASSERTED_IDENTITY),
                        "<sip:alice@atlanta.example>");
    ask.from = "sip:101@atlanta.example";
    ask.call_id = "another";
    assert_int_equal(exchange_ask_as(exchange, &ask), 403);
    ask.from = "sip:100@atlanta.example";
    ask.user = "100";
    assert_int_equal(exchange_ask_as(exchange, &ask), 407);
}

/* Attack 26: another's alias is another's. */
static void nobody_registers_by_another_ones_alias(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = exchange_alice("Contact: <sip:alice@192.0.2.1:5060>\r\n");
    ask.to = "sip:101@atlanta.example";
    assert_int_equal(exchange_ask_as(exchange, &ask), 403);
    assert_int_equal(exchange_bindings(exchange, "bob@atlanta.example"), 0);
}

#define RULE(test) cmocka_unit_test_setup_teardown(test, setup, exchange_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RULE(calls_to_an_alias),
        RULE(calls_as_an_alias),
        RULE(nobody_registers_by_another_ones_alias),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
