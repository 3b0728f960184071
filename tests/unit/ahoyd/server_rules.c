/* What every request meets before it is forwarded (RFC 3261 16.3 to 16.5), and what is left as it
 * was (16.6). */
#include "tests/support/exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "libahoy/syntax/compose.h"

static const char config[] = "listen \"udp:192.0.2.100:5060\"\n"
                             "domain(\"open.example\", { auth = \"none\", insecure = true })\n"
                             "domain(\"atlanta.example\", { auth = \"digest\" })\n"
                             "store \"memory:\"\n";

#define ALICE "192.0.2.1:5060"
#define BOB   "192.0.2.2:5060"

static int setup(void **state)
{
    struct exchange *exchange = exchange_new(config, 0);
    exchange_bind(exchange, "bob@open.example", "sip:bob@192.0.2.2", BOB);
    exchange_add_user(exchange, "carol", "open.example", "christmas");
    *state = exchange;
    return 0;
}

static unsigned told(struct exchange *exchange)
{
    const struct ahoy_message *sent = exchange_sent_to(exchange, ALICE);
    return sent == NULL || sent->is_request ? 0 : sent->status;
}

static void say(struct exchange *exchange, const char *text)
{
    exchange_datagram(exchange, ALICE, ahoy_span(text));
}

#define TOP                                                                                        \
    "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKrules\r\n"                                      \
    "Max-Forwards: 70\r\n"
#define REST                                                                                       \
    "From: \"A\" <sip:alice@far.example>;tag=1\r\n"                                                \
    "To: <sip:bob@open.example>\r\n"                                                               \
    "Call-ID: rules\r\n"                                                                           \
    "CSeq: 7 BREW\r\n"

/* R3261-16.3-6, R3261-16.6-3, R3261-16.2-2: unknown methods, rows and bodies pass, byte for byte
 * but for the Request-URI, our Via, Max-Forwards and Max-Breadth. */
static void what_is_not_known_passes_untouched(void **state)
{
    struct exchange *exchange = *state;
    static const char rows[] = REST "X-Second: b\r\n"
                                    "x-SECOND : a,  c\r\n"
                                    "X-Folded: one\r\n two\r\n"
                                    "Subject:    spaces   \r\n"
                                    "Content-Type: application/octet-stream\r\n"
                                    "Content-Length: 6\r\n"
                                    "\r\n"
                                    "\x01\xff\r\n\r\n";
    char text[1024];
    snprintf(text, sizeof text, "BREW sip:bob@open.example SIP/2.0\r\n" TOP "%s", rows);
    say(exchange, text);
    const struct ahoy_message *sent = exchange_sent_to(exchange, BOB);
    assert_non_null(sent);
    struct span bytes = sent->bytes;
    static const char start[] = "BREW sip:bob@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.100";
    assert_true(ahoy_span_starts_nocase(bytes, ahoy_span(start)));
    static const char before[] = "\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKrules\r\n"
                                 "Max-Forwards: 69\r\n"
                                 "Max-Breadth: 60\r\n";
    size_t size = strlen(before) + strlen(rows);
    assert_true(bytes.size > size);
    struct span tail = ahoy_span_after(bytes, bytes.size - size);
    snprintf(text, sizeof text, "%s%s", before, rows);
    assert_true(ahoy_span_equal(tail, ahoy_span(text)));
}

/* R3261-16.7-27: early media passes, reliable or not (RFC 3262), body and all. */
static void early_media_passes_through(void **state)
{
    struct exchange *exchange = *state;
    const struct ask ask = { .method = "INVITE",
                             .uri = "sip:bob@open.example",
                             .from = "sip:alice@far.example" };
    assert_int_equal(exchange_ask(exchange, &ask), 100);
    const struct ahoy_response response = {
        .status = 183,
        .to_tag = SPAN("b"),
        .headers = SPAN("Require: 100rel\r\nRSeq: 1\r\nContent-Type: application/sdp\r\n"),
        .body = SPAN("v=0\r\no=\x00\r\n"),
    };
    char text[2048];
    struct ahoy_buf buf = ahoy_buf_over(text, sizeof text);
    ahoy_compose_response(&buf, exchange_sent_to(exchange, BOB), &response);
    exchange_datagram(exchange, BOB, ahoy_buf_text(&buf));
    const struct ahoy_message *sent = exchange_sent_to(exchange, ALICE);
    assert_non_null(sent);
    assert_int_equal(sent->status, 183);
    assert_true(ahoy_span_equal(sent->body, response.body));
    assert_string_equal(exchange_value(sent, AHOY_HEADER_RSEQ), "1");
}

/* PRACK (RFC 3262) and UPDATE (RFC 3311) go along the early dialog, and their answers come back;
 * the INVITE is not answered yet. */
static void early_dialogs_go_their_way(void **state)
{
    struct exchange *exchange = *state;
    char text[2048], rows[1024];
    const struct ask ask = { .method = "INVITE",
                             .uri = "sip:bob@open.example",
                             .from = "sip:alice@far.example" };
    static const char *const methods[] = { "PRACK", "UPDATE" };
    assert_int_equal(exchange_ask(exchange, &ask), 100);
    snprintf(rows, sizeof rows, "Route: %s\r\nRAck: 1 1 INVITE\r\n",
             exchange_value(exchange_sent_to(exchange, BOB), AHOY_HEADER_RECORD_ROUTE));
    for (unsigned i = 0; i < 2; i++) {
        const struct ask next = { .method = methods[i],
                                  .uri = "sip:bob@192.0.2.2",
                                  .from = "sip:alice@far.example",
                                  .to = "sip:bob@open.example",
                                  .to_tag = "b",
                                  .cseq = 2 + i,
                                  .rows = rows };
        assert_int_equal(exchange_ask(exchange, &next), 0);
        const struct ahoy_message *sent = exchange_sent_to(exchange, BOB);
        assert_non_null(sent);
        assert_true(ahoy_span_equal(sent->method_text, ahoy_span(methods[i])));
        assert_string_equal(exchange_value(sent, AHOY_HEADER_RACK), "1 1 INVITE");
        const struct ahoy_response response = { .status = 200, .to_tag = SPAN("b") };
        struct ahoy_buf buf = ahoy_buf_over(text, sizeof text);
        ahoy_compose_response(&buf, sent, &response);
        exchange_datagram(exchange, BOB, ahoy_buf_text(&buf));
        assert_int_equal(told(exchange), 200);
    }
}

/* R3261-16.3-3: what came on two ways is forwarded twice. */
static void merged_requests_are_no_fault(void **state)
{
    struct exchange *exchange = *state;
    const struct ask ask = { .method = "INVITE",
                             .uri = "sip:bob@open.example",
                             .from = "sip:alice@far.example" };
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(exchange_ask(exchange, &ask), 100);
        assert_non_null(exchange_sent_to(exchange, BOB));
    }
}

/* R3261-16.3-1, -2, -4 and -5, R3261-16.1-1: what is looked at must be sound, or the answer is that
 * of a server, with a tag of its own. */
static void what_is_not_sound_goes_no_further(void **state)
{
    static const char *const texts[] = {
        "BREW sip:bob@open.example SIP/2.0\r\n" TOP "From: <sip:a@b>;tag=1\r\n"
        "To: <sip:bob@open.example\r\nCall-ID: r\r\nCSeq: 7 BREW\r\n\r\n",
        "BREW sip:bob@open.example SIP/2.0\r\n" TOP REST "Route: <sip:\r\n\r\n",
        "BREW sip:bob@open.example SIP/2.0\r\n" TOP REST "Max-Breadth: many\r\n\r\n",
        "BREW sip:bob@open.example SIP/2.0\r\n" TOP "From: <sip:a@b>;tag=1\r\n"
        "To: <sip:bob@open.example>\r\nCall-ID: r\r\nCSeq: 7 TEA\r\n\r\n",
    };
    struct exchange *exchange = *state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        say(exchange, texts[i]);
        assert_int_equal(told(exchange), 400);
        assert_null(exchange_sent_to(exchange, BOB));
        const char *to = exchange_value(exchange_sent_to(exchange, ALICE), AHOY_HEADER_TO);
        assert_non_null(strstr(to, i == 0 ? "bob" : ";tag="));
    }
}

/* The order of 16.3: a request that is wrong in all ways is told the first. */
static void the_checks_have_an_order(void **state)
{
    static const struct {
        const char *text;
        unsigned status;
    } rows[] = {
        { "BREW urn:x SIP/2.0\r\n"
          "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKr1\r\nMax-Forwards: 0\r\n" REST
          "Proxy-Require: x\r\n\r\n",
          416 },
        { "BREW sip:bob@open.example SIP/2.0\r\n"
          "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKr2\r\nMax-Forwards: 0\r\n" REST
          "Proxy-Require: x\r\n\r\n",
          483 },
        { "BREW sip:bob@open.example SIP/2.0\r\n"
          "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKr3\r\nMax-Forwards: 1\r\n"
          "From: <sip:alice@atlanta.example>;tag=1\r\nTo: <sip:bob@open.example>\r\n"
          "Call-ID: rules\r\nCSeq: 7 BREW\r\nProxy-Require: x\r\n\r\n",
          420 },
        /* R3261-16.3-11 */
        { "BREW sip:bob@open.example SIP/2.0\r\n"
          "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKr4\r\nMax-Forwards: 1\r\n"
          "From: <sip:alice@atlanta.example>;tag=1\r\nTo: <sip:bob@open.example>\r\n"
          "Call-ID: rules\r\nCSeq: 7 BREW\r\n\r\n",
          407 },
    };
    struct exchange *exchange = *state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        say(exchange, rows[i].text);
        assert_int_equal(told(exchange), rows[i].status);
        assert_int_equal(exchange->count, 1);
    }
}

/* R3261-16.5-3: brought into one form before it is looked up.  R3261-16.5-7, R3261-16.5-8: nobody
 * of that name, and nobody there. */
static void a_user_is_looked_up(void **state)
{
    static const struct {
        const char *uri, *from;
        unsigned status;
    } rows[] = {
        { "sip:%62o%62@OPEN.example;x=y", "sip:x@far.example", 100 },
        { "sip:bob@open.example:5060", "sip:x@far.example", 100 },
        { "sip:nobody@open.example", "sip:alice@open.example", 404 },
        { "sip:carol@open.example", "sip:alice@open.example", 480 },
    };
    struct exchange *exchange = *state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char call_id[16];
        snprintf(call_id, sizeof call_id, "call%zu", i);
        const struct ask ask = {
            .method = "INVITE", .uri = rows[i].uri, .from = rows[i].from, .call_id = call_id
        };
        assert_int_equal(exchange_ask(exchange, &ask), rows[i].status);
    }
}

/* A preloaded Route leads nobody anywhere but to us: it is for whoever has a token of ours, or
 * for a user of ours through us. */
static void preloaded_routes_lead_nowhere(void **state)
{
    static const struct {
        const char *rows;
        unsigned status;
    } rows[] = {
        { "Route: <sip:192.0.2.100;lr>\r\n", 100 },
        { "Route: <sip:192.0.2.100;lr>, <sip:203.0.113.9;lr>\r\n", 403 },
        { "Route: <sip:203.0.113.9;lr>\r\n", 403 },
        { "Route: <sip:192.0.2.100;lr;dialog=0123456789abc>, <sip:203.0.113.9;lr>\r\n", 403 },
    };
    struct exchange *exchange = *state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct ask ask = { .method = "INVITE",
                                 .uri = "sip:bob@open.example",
                                 .from = "sip:x@far.example",
                                 .rows = rows[i].rows };
        assert_int_equal(exchange_ask(exchange, &ask), rows[i].status);
        assert_null(exchange_sent_to(exchange, "203.0.113.9:5060"));
    }
}

int main(void)
{
#define EXCHANGE_TEST(test) cmocka_unit_test_setup_teardown(test, setup, exchange_teardown)
    const struct CMUnitTest tests[] = {
        EXCHANGE_TEST(what_is_not_known_passes_untouched),
        EXCHANGE_TEST(early_media_passes_through),
        EXCHANGE_TEST(early_dialogs_go_their_way),
        EXCHANGE_TEST(merged_requests_are_no_fault),
        EXCHANGE_TEST(what_is_not_sound_goes_no_further),
        EXCHANGE_TEST(the_checks_have_an_order),
        EXCHANGE_TEST(a_user_is_looked_up),
        EXCHANGE_TEST(preloaded_routes_lead_nowhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
