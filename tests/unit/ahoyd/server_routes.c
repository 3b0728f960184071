/* Routes as the server goes by them: who may use them, what rings in which order, and what becomes
 * of numbers on the way. */
#include "tests/support/exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "libahoy/syntax/compose.h"

static const char config[] =
    "listen \"udp:192.0.2.100:5060\"\n"
    "domain(\"atlanta.example\", { numbers = { [\"00\"] = \"+\", [\"0\"] = \"+49\" } })\n"
    "domain(\"open.example\", { auth = \"none\", insecure = true })\n"
    "store \"memory:\"\n"
    "trunk(\"carrier\", { \"sip:203.0.113.5:5070\" },\n"
    "      { receives = { [\"00\"] = \"+\" }, sends = { [\"+\"] = \"00\" } })\n"
    "trunk(\"plain\", { \"sip:203.0.113.7:5070\" }, { trusted = true })\n"
    "trunk(\"weighed\", { { \"sip:203.0.113.8\", weight = 3 }, \"sip:203.0.113.9\",\n"
    "                   { \"sip:203.0.113.10\", priority = 2, weight = 9 } })\n"
    "route { domain = \"weighed.example\", to = \"weighed\", from = \"anyone\" }\n"
    "group(\"both\", { \"alice@open.example\", \"bob@open.example\" }, { ring_time = 10 })\n"
    "route { domain = \"atlanta.example\", number = \"+49900.\", reject = 603, reason = \"No\" }\n"
    "route { domain = \"atlanta.example\", number = \"+49137.\",\n"
    "        from = \"carol@atlanta.example\", reject = 603 }\n"
    "route { domain = \"atlanta.example\", number = \"+.\", to = \"carrier\" }\n"
    "route { domain = \"atlanta.example\", user = \"sales\", to = { \"both\", \"plain\" } }\n"
    "route { domain = \"atlanta.example\", user = \"desk\", to = \"alice@open.example\" }\n"
    "route { domain = \"open.example\", user = \"away\", reject = 480, retry_after = 60 }\n"
    "route { domain = \"open.example\", user = \"moved\", redirect = \"sip:*@far.example\" }\n"
    "route { domain = \"open.example\", from = \"carrier\", number = \"+4930.\",\n"
    "        rewrite = { [\"+4930\"] = \"\" }, to = \"*@open.example\" }\n"
    "route { domain = \"carrier.example\", number = \"+.\", from = \"anyone\", to = \"plain\" }\n"
    "route { source = \"198.51.100.0/27\", reject = 403 }\n";

#define ALICE    "192.0.2.1:5060"
#define BOB      "192.0.2.2:5060"
#define STRANGER "192.0.2.9:5060"
#define CARRIER  "203.0.113.5:5070"
#define PLAIN    "203.0.113.7:5070"

static int setup(void **state)
{
    struct exchange *exchange = exchange_new(config, 0);
    exchange_add_user(exchange, "carol", "atlanta.example", "secret");
    exchange_bind(exchange, "alice@open.example", "sip:alice@192.0.2.1", ALICE);
    exchange_bind(exchange, "bob@open.example", "sip:bob@192.0.2.2", BOB);
    *state = exchange;
    return 0;
}

/* Somebody's INVITE; Carol is asked for her password. */
static unsigned call(struct exchange *exchange, const char *peer, const char *from, const char *uri)
{
    const struct ask ask = { .peer = peer,
                             .method = "INVITE",
                             .uri = uri,
                             .from = from,
                             .user = "carol",
                             .password = "secret" };
    return exchange_ask_as(exchange, &ask);
}

static void assert_invited(struct exchange *exchange, const char *peer, const char *uri)
{
    const struct ahoy_message *sent = exchange_sent_to(exchange, peer);
    assert_non_null(sent);
    assert_true(sent->is_request);
    if (!ahoy_span_equal(sent->request_uri, ahoy_span(uri)))
        fail_msg("%.*s, not %s", (int)sent->request_uri.size, sent->request_uri.at, uri);
}

#define CAROL "sip:carol@atlanta.example"
#define OTHER "sip:other@far.example"

/* Decision 20: whoever has not proved who he is reaches no trunk, unless a route says so. */
static void strangers_reach_no_trunk(void **state)
{
    struct exchange *exchange = *state;
    assert_int_equal(call(exchange, STRANGER, OTHER, "sip:030123@atlanta.example"), 404);
    assert_int_equal(call(exchange, STRANGER, OTHER, "sip:sales@atlanta.example"), 404);
    assert_null(exchange_sent_to(exchange, PLAIN));
    assert_int_equal(call(exchange, STRANGER, OTHER, "sip:+49301@carrier.example"), 100);
    assert_invited(exchange, PLAIN, "sip:+49301@carrier.example");
}

/* What is compared is what is sent, however it was dialled. */
static void numbers_are_brought_into_one_form(void **state)
{
    struct exchange *exchange = *state;
    static const char *const dear[] = { "sip:0900123@atlanta.example",
                                        "sip:0049-900.123@atlanta.example",
                                        "sip:%2b49900123@atlanta.example",
                                        "sip:+49900123;isub=1@atlanta.example" };
    for (size_t i = 0; i < sizeof dear / sizeof dear[0]; i++) {
        assert_int_equal(call(exchange, STRANGER, CAROL, dear[i]), 603);
        const struct ahoy_message *sent = exchange_sent_to(exchange, STRANGER);
        assert_true(ahoy_span_equal(sent->reason, SPAN("No")));
    }
    assert_int_equal(call(exchange, STRANGER, CAROL, "sip:030-123@atlanta.example"), 100);
    assert_invited(exchange, CARRIER, "sip:004930123@203.0.113.5:5070");
    assert_int_equal(call(exchange, STRANGER, OTHER, "sip:+49-301@carrier.example;user=phone"),
                     100);
    assert_invited(exchange, PLAIN, "sip:+49301@carrier.example;user=phone");
}

/* From a trunk to an extension: its form, ours, and what is left of it. */
static void a_trunk_reaches_extensions(void **state)
{
    struct exchange *exchange = *state;
    exchange_bind(exchange, "17@open.example", "sip:17@192.0.2.2", BOB);
    assert_int_equal(call(exchange, CARRIER, OTHER, "sip:00493017@open.example"), 100);
    assert_invited(exchange, BOB, "sip:17@192.0.2.2");
    assert_int_equal(call(exchange, STRANGER, OTHER, "sip:00493017@open.example"), 404);
}

/* The INVITE that |peer| has just got is answered by him. */
static void answer(struct exchange *exchange, const char *peer, unsigned status, const char *rows)
{
    static char request[8192], text[8192];
    static struct ahoy_message message;
    const struct ahoy_message *sent = exchange_sent_to(exchange, peer);
    assert_non_null(sent);
    memcpy(request, sent->bytes.at, sent->bytes.size);
    assert_true(ahoy_message_parse((struct span){ request, sent->bytes.size }, &message, NULL));
    const struct ahoy_response response = { .status = status,
                                            .to_tag = SPAN("callee"),
                                            .headers = ahoy_span(rows) };
    struct ahoy_buf buf = ahoy_buf_over(text, sizeof text);
    ahoy_compose_response(&buf, &message, &response);
    exchange_datagram(exchange, peer, ahoy_buf_text(&buf));
}

/* All of a group at once, and behind its time, not that of the domain, what comes next. */
static void a_group_rings_and_then_the_next(void **state)
{
    struct exchange *exchange = *state;
    assert_int_equal(call(exchange, STRANGER, CAROL, "sip:sales@atlanta.example"), 100);
    assert_invited(exchange, BOB, "sip:bob@192.0.2.2");
    assert_null(exchange_sent_to(exchange, PLAIN));
    answer(exchange, ALICE, 180, "");
    exchange_wait(exchange, 9900);
    assert_null(exchange_sent_to(exchange, PLAIN));
    exchange_wait(exchange, 200);
    assert_invited(exchange, PLAIN, "sip:sales@203.0.113.7:5070");
    assert_int_equal(exchange_sent_to(exchange, ALICE)->method, AHOY_METHOD_CANCEL);
}

/* RFC 2782: by priority, then by weight; all requests of a call have one order. */
static void weights_share_calls(void **state)
{
    struct exchange *exchange = *state;
    unsigned first = 0, second = 0;
    for (unsigned i = 0; i < 100; i++) {
        char call_id[16];
        snprintf(call_id, sizeof call_id, "call-%u", i);
        const struct ask ask = { .peer = STRANGER,
                                 .method = "INVITE",
                                 .uri = "sip:x@weighed.example",
                                 .from = OTHER,
                                 .call_id = call_id };
        assert_int_equal(exchange_ask(exchange, &ask), 100);
        first += exchange_sent_to(exchange, "203.0.113.8:5060") != NULL;
        second += exchange_sent_to(exchange, "203.0.113.9:5060") != NULL;
        assert_null(exchange_sent_to(exchange, "203.0.113.10:5060"));
    }
    assert_int_equal(first + second, 100);
    assert_in_range(first, 60, 90); /* Of 100 by a weight of 3 to 1. */
}

static void a_user_stands_for_another(void **state)
{
    struct exchange *exchange = *state;
    assert_int_equal(call(exchange, STRANGER, OTHER, "sip:desk@atlanta.example"), 100);
    assert_invited(exchange, ALICE, "sip:alice@192.0.2.1");
}

static void routes_answer_themselves(void **state)
{
    struct exchange *exchange = *state;
    assert_int_equal(call(exchange, STRANGER, OTHER, "sip:away@open.example"), 480);
    const struct ahoy_message *sent = exchange_sent_to(exchange, STRANGER);
    assert_string_equal(exchange_value(sent, AHOY_HEADER_RETRY_AFTER), "60");
    assert_int_equal(call(exchange, STRANGER, OTHER, "sip:moved@open.example"), 302);
    sent = exchange_sent_to(exchange, STRANGER);
    assert_string_equal(exchange_value(sent, AHOY_HEADER_CONTACT), "<sip:moved@far.example>");
    /* For all domains of ours. */
    assert_int_equal(call(exchange, "198.51.100.8:5060", OTHER, "sip:bob@open.example"), 403);
    assert_int_equal(call(exchange, "198.51.100.32:5060", OTHER, "sip:bob@open.example"), 100);
    assert_int_equal(call(exchange, STRANGER, OTHER, "sip:bob@open.example"), 100);
}

/* RFC 3261 16.7 step 4, decision 63: whoever redirects a call gets it as far as the caller could
 * have called, by the routes that he would have taken. */
static void redirections_take_the_callers_route(void **state)
{
    struct exchange *exchange = *state;
    static const struct {
        const char *caller, *contact;
        bool follows;
    } rows[] = { { OTHER, "<sip:030123@atlanta.example>", false },
                 { CAROL, "<sip:0900123@atlanta.example>", false },
                 { CAROL, "<sip:030123@atlanta.example>", true } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char row[128];
        assert_int_equal(call(exchange, STRANGER, rows[i].caller, "sip:alice@open.example"), 100);
        snprintf(row, sizeof row, "Contact: %s\r\n", rows[i].contact);
        answer(exchange, ALICE, 302, row);
        assert_int_equal(exchange_sent_to(exchange, CARRIER) != NULL, rows[i].follows);
    }
    assert_invited(exchange, CARRIER, "sip:004930123@203.0.113.5:5070");
}

/* Whoever hides behind a redirection is not known to be another than the one whom a route is about
 * (RFC 3323 4.1.1.3, RFC 3325 9.2). */
static void nobody_hides_behind_a_redirection(void **state)
{
    struct exchange *exchange = *state;
    static const char *const contacts[] = { "0137123", "030123" };
    for (unsigned i = 0; i < 2; i++) {
        char row[128];
        const struct ask ask = { .peer = STRANGER,
                                 .method = "INVITE",
                                 .uri = "sip:alice@open.example",
                                 .from = "sip:anonymous@anonymous.invalid",
                                 .user = "carol",
                                 .password = "secret",
                                 .rows = "P-Preferred-Identity: <" CAROL ">\r\n" };
        assert_int_equal(exchange_ask_as(exchange, &ask), 100);
        snprintf(row, sizeof row, "Contact: <sip:%s@atlanta.example>\r\n", contacts[i]);
        answer(exchange, ALICE, 302, row);
        assert_null(exchange_sent_to(exchange, CARRIER));
    }
    assert_int_equal(call(exchange, STRANGER, CAROL, "sip:0137123@atlanta.example"), 603);
}

#define ROUTE(test) cmocka_unit_test_setup_teardown(test, setup, exchange_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROUTE(strangers_reach_no_trunk),
        ROUTE(numbers_are_brought_into_one_form),
        ROUTE(a_trunk_reaches_extensions),
        ROUTE(a_group_rings_and_then_the_next),
        ROUTE(weights_share_calls),
        ROUTE(a_user_stands_for_another),
        ROUTE(routes_answer_themselves),
        ROUTE(redirections_take_the_callers_route),
        ROUTE(nobody_hides_behind_a_redirection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
