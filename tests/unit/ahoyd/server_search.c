/* Where calls go that are not simply forwarded: phones in their order, redirections followed and
 * given, and routes without state (RFC 3261 16.5, 16.7 step 4, 8.3, 16.11). */
#include "tests/support/exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "libahoy/syntax/compose.h"

static const char config[] =
    "listen \"udp:192.0.2.100:5060\"\n"
    "listen \"udp:127.0.0.1:5060\"\n"
    "listen(\"tls:192.0.2.100:5061\", { certificate = \"a.pem\", key = \"a.key\" })\n"
    "domain(\"open.example\", { auth = \"none\", insecure = true })\n"
    "domain(\"order.example\", { auth = \"none\", insecure = true, ring = \"order\",\n"
    "                            ring_time = 15 })\n"
    "domain(\"pass.example\", { auth = \"none\", insecure = true, redirections = \"pass\" })\n"
    "domain(\"moved.example\", { auth = \"none\", insecure = true, mode = \"redirect\" })\n"
    "store \"memory:\"\n"
    "trunk(\"carrier\", { \"sip:203.0.113.5:5070\", \"sip:203.0.113.6:5070\" })\n"
    "trunk(\"named\", { \"sip:203.0.113.5:5070\", \"sip:carrier.example\" })\n"
    "route { domain = \"users.example\", to = \"carrier\" }\n"
    "route { domain = \"quick.example\", to = \"carrier\", from = \"anyone\", stateless = true }\n"
    "route { domain = \"trunks.example\", to = \"carrier\", from = \"trunks\", stateless = true }\n"
    "route { domain = \"named.example\", to = \"named\", from = \"anyone\", stateless = true }\n";

#define ALICE   "192.0.2.1:5060"
#define BOB     "192.0.2.2:5060"
#define CAROL   "192.0.2.3:5060"
#define CARRIER "203.0.113.5:5070"
#define SECOND  "203.0.113.6:5070"

static int setup(void **state)
{
    *state = exchange_new(config, 0);
    return 0;
}

/* Registers |user| from |source| with |contact|, which may have a q. */
static void bind(struct exchange *exchange, const char *user, const char *contact,
                 const char *source)
{
    char uri[64], rows[128];
    snprintf(uri, sizeof uri, "sip:%s", user);
    snprintf(rows, sizeof rows, "Contact: %s\r\n", contact);
    const struct ask ask = { .peer = source,
                             .method = "REGISTER",
                             .uri = uri,
                             .from = uri,
                             .call_id = source,
                             .rows = rows };
    struct ask home = ask;
    char domain[64];
    snprintf(domain, sizeof domain, "sip:%s", strchr(user, '@') + 1);
    home.uri = domain;
    home.to = uri;
    assert_int_equal(exchange_ask(exchange, &home), 200);
}

/* The last request to |peer| is answered by him. */
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

static bool invited(struct exchange *exchange, const char *peer)
{
    const struct ahoy_message *sent = exchange_sent_to(exchange, peer);
    return sent != NULL && sent->is_request && sent->method == AHOY_METHOD_INVITE;
}

static unsigned told(struct exchange *exchange, const char *peer)
{
    const struct ahoy_message *sent = exchange_sent_to(exchange, peer);
    return sent == NULL || sent->is_request ? 0 : sent->status;
}

static struct ask call(const char *uri)
{
    return (struct ask){ .method = "INVITE", .uri = uri, .from = "sip:alice@open.example" };
}

static void phones_ring_in_their_order(void **state)
{
    struct exchange *exchange = *state;
    bind(exchange, "bob@order.example", "<sip:bob@192.0.2.2>;q=0.3", BOB);
    bind(exchange, "bob@order.example", "<sip:bob@192.0.2.3>;q=0.8", CAROL);
    struct ask ask = call("sip:bob@order.example");
    assert_int_equal(exchange_ask(exchange, &ask), 100);
    assert_true(invited(exchange, CAROL));
    assert_null(exchange_sent_to(exchange, BOB));
    answer(exchange, CAROL, 180, "");
    exchange_wait(exchange, 14999);
    assert_null(exchange_sent_to(exchange, BOB));
    exchange_wait(exchange, 1);
    assert_true(invited(exchange, BOB));
    assert_int_equal(exchange_sent_to(exchange, CAROL)->method, AHOY_METHOD_CANCEL);
    /* Elsewhere they ring at once, whatever their q. */
    bind(exchange, "bob@open.example", "<sip:bob@192.0.2.2>;q=0.3", BOB);
    bind(exchange, "bob@open.example", "<sip:bob@192.0.2.3>;q=0.8", CAROL);
    ask = call("sip:bob@open.example");
    ask.call_id = "other";
    assert_int_equal(exchange_ask(exchange, &ask), 100);
    assert_true(invited(exchange, BOB) && invited(exchange, CAROL));
}

/* RFC 5626 11.5: that a phone's flow has failed is for its own proxy to know; what another proxy
 * says of its own passes. */
static void a_failed_flow_is_for_its_proxy(void **state)
{
    struct exchange *exchange = *state;
    bind(exchange, "bob@open.example", "<sip:bob@192.0.2.2>", BOB);
    struct ask ask = call("sip:bob@open.example");
    assert_int_equal(exchange_ask(exchange, &ask), 100);
    answer(exchange, BOB, 430, "");
    assert_int_equal(told(exchange, ALICE), 480);
    ask = call("sip:bob@users.example");
    ask.call_id = "other";
    assert_int_equal(exchange_ask(exchange, &ask), 100);
    answer(exchange, CARRIER, 430, "");
    assert_int_equal(told(exchange, ALICE), 430);
}

/* Bob's phone sends Alice to |contact|; what she then is told, 0 where she waits. */
static unsigned redirected(struct exchange *exchange, const char *from, const char *contact)
{
    static unsigned number;
    char call_id[16], row[160];
    snprintf(call_id, sizeof call_id, "call%u", number++);
    snprintf(row, sizeof row, "Contact: %s\r\n", contact);
    struct ask ask = call("sip:bob@open.example");
    ask.from = from;
    ask.call_id = call_id;
    assert_int_equal(exchange_ask(exchange, &ask), 100);
    answer(exchange, BOB, 302, row);
    return told(exchange, ALICE);
}

/* What the caller may call himself. */
static void redirections_are_followed(void **state)
{
    struct exchange *exchange = *state;
    exchange_bind(exchange, "bob@open.example", "sip:bob@192.0.2.2", BOB);
    exchange_bind(exchange, "carol@open.example", "sip:carol@192.0.2.3", CAROL);
    assert_int_equal(redirected(exchange, "sip:alice@open.example", "<sip:carol@open.example>"), 0);
    const struct ahoy_message *invite = exchange_sent_to(exchange, CAROL);
    assert_true(invited(exchange, CAROL));
    assert_true(ahoy_span_equal(invite->request_uri, SPAN("sip:carol@192.0.2.3")));
    assert_string_equal(exchange_value(invite, AHOY_HEADER_MAX_FORWARDS), "69");
    assert_non_null(strstr(exchange_value(invite, AHOY_HEADER_RECORD_ROUTE), ";lr;dialog="));
    assert_int_equal(redirected(exchange, "sip:x@far.example", "<sip:carol@open.example>"), 0);
    assert_true(invited(exchange, CAROL));
    assert_int_equal(redirected(exchange, "sip:alice@open.example", "<sip:1@users.example>"), 0);
    assert_true(invited(exchange, CARRIER));
}

/* R3261-16.5-5: and nothing else.  Attack 60: not ourselves, not loopback, not by maddr. */
static void bad_redirections_are_passed_on(void **state)
{
    static const char *const contacts[] = {
        "<sip:carol@192.0.2.3>",
        "<sip:carol@127.0.0.1>",
        "<sip:carol@localhost>",
        "<sip:carol@192.0.2.100>",
        "<sip:open.example>",
        "<sip:bob@open.example>", /* He is where the call has been. */
        "<sip:nobody@open.example>",
        "<sip:carol@open.example;maddr=192.0.2.77>",
        "<sip:carol@open.example>;q=2",
        "<sips:carol@open.example>",
        "<sip:carol@moved.example>",
        "<sip:x@far.example>",
        "<tel:+15551234>",
        "<mailto:carol@open.example>",
        "*",
        "<sip:",
    };
    struct exchange *exchange = *state;
    exchange_bind(exchange, "bob@open.example", "sip:bob@192.0.2.2", BOB);
    exchange_bind(exchange, "carol@open.example", "sip:carol@192.0.2.3", CAROL);
    exchange_bind(exchange, "carol@moved.example", "sip:carol@192.0.2.3", CAROL);
    for (size_t i = 0; i < sizeof contacts / sizeof contacts[0]; i++) {
        unsigned status = redirected(exchange, "sip:alice@open.example", contacts[i]);
        if (status != 302)
            print_error("%s: %u\n", contacts[i], status);
        assert_int_equal(status, 302);
        assert_null(exchange_sent_to(exchange, CAROL));
    }
    /* A stranger may not use the route of our users. */
    assert_int_equal(redirected(exchange, "sip:x@far.example", "<sip:1@users.example>"), 302);
    assert_null(exchange_sent_to(exchange, CARRIER));
}

/* R5630-5.3-9: what was sip does not become sips by a redirection, though Carol is there. */
static void no_redirection_makes_it_sips(void **state)
{
    struct exchange *exchange = *state;
    exchange_bind(exchange, "bob@open.example", "sip:bob@192.0.2.2", BOB);
    exchange_bind(exchange, "carol@open.example", "sips:carol@192.0.2.3", CAROL);
    const char *from = "sip:alice@open.example";
    assert_int_equal(redirected(exchange, from, "<sips:carol@open.example>"), 302);
    assert_int_equal(redirected(exchange, from, "<sip:carol@open.example>"), 0);
}

static void a_domain_may_pass_them_all_on(void **state)
{
    struct exchange *exchange = *state;
    exchange_bind(exchange, "bob@pass.example", "sip:bob@192.0.2.2", BOB);
    exchange_bind(exchange, "carol@open.example", "sip:carol@192.0.2.3", CAROL);
    struct ask ask = call("sip:bob@pass.example");
    assert_int_equal(exchange_ask(exchange, &ask), 100);
    answer(exchange, BOB, 302, "Contact: <sip:carol@open.example>\r\n");
    assert_int_equal(told(exchange, ALICE), 302);
}

/* R3261-8.3-1, R3261-8.3-2, S3261-8.3-1, R5630-5.4-1, R5630-5.4-3 */
static void a_domain_may_redirect(void **state)
{
    struct exchange *exchange = *state;
    bind(exchange, "bob@moved.example", "<sip:bob@192.0.2.2>;q=0.3;expires=600", BOB);
    bind(exchange, "bob@moved.example", "<sip:bob@192.0.2.3>", CAROL);
    bind(exchange, "bob@moved.example", "<sip:bob@moved.example>", ALICE);
    static const char *const methods[] = { "INVITE", "MESSAGE", "BREW" };
    uint32_t before = ahoyd_server_transactions(exchange->server);
    for (size_t i = 0; i < 3; i++) {
        struct ask ask = call("sip:bob@moved.example");
        ask.method = methods[i];
        ask.rows = "Require: nothing-known\r\nProxy-Require: nothing-known\r\n";
        assert_int_equal(exchange_ask(exchange, &ask), 302);
        assert_int_equal(exchange->count, 1);
        const struct ahoy_message *sent = exchange_sent_to(exchange, ALICE);
        const struct ahoy_field *first = ahoy_message_first(sent, AHOY_HEADER_CONTACT);
        assert_true(ahoy_span_equal(first->value, SPAN("<sip:bob@192.0.2.2>;expires=600;q=0.300")));
        const struct ahoy_field *second = ahoy_message_next(sent, first);
        assert_true(ahoy_span_starts_nocase(second->value, SPAN("<sip:bob@192.0.2.3>;expires=")));
        assert_int_equal(second->next, 0);
    }
    assert_int_equal(ahoyd_server_transactions(exchange->server), before);
    struct ask cancel = call("sip:bob@moved.example");
    cancel.method = "CANCEL";
    assert_int_equal(exchange_ask(exchange, &cancel), 200);
    struct ask nobody = call("sip:carol@moved.example");
    assert_int_equal(exchange_ask(exchange, &nobody), 404);
    /* What is safe is not made less so. */
    struct ask safe = call("sips:bob@moved.example");
    assert_int_equal(exchange_ask(exchange, &safe), 403);
}

/* The carrier that a request was sent to. */
static const char *chosen(struct exchange *exchange)
{
    return exchange_sent_to(exchange, CARRIER) != NULL ? CARRIER : SECOND;
}

static void say(struct exchange *exchange, const char *method, const char *uri, const char *rows)
{
    char text[1024];
    int size = snprintf(text, sizeof text,
                        "%s %s SIP/2.0\r\n"
                        "Via: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKfast;rport\r\n"
                        "Max-Forwards: 70\r\n"
                        "From: <sip:x@far.example>;tag=1\r\n"
                        "To: <%s>\r\n"
                        "Call-ID: quick\r\n"
                        "CSeq: 1 %s\r\n"
                        "%s"
                        "Content-Length: 0\r\n\r\n",
                        method, uri, uri, method, rows);
    exchange_datagram(exchange, ALICE, (struct span){ text, (size_t)size });
}

/* R3261-16.11-1, -3 to -6, -8 to -13: the same bytes each time, and nothing else. */
static void a_route_may_be_stateless(void **state)
{
    struct exchange *exchange = *state;
    char first[2048];
    say(exchange, "INVITE", "sip:1@quick.example", "X-Own: 1\r\n");
    assert_int_equal(exchange->count, 1);
    const char *carrier = chosen(exchange);
    const struct ahoy_message *sent = exchange_sent_to(exchange, carrier);
    size_t size = sent->bytes.size;
    memcpy(first, sent->bytes.at, size);
    assert_string_equal(exchange_value(sent, AHOY_HEADER_MAX_FORWARDS), "69");
    assert_int_equal(ahoyd_server_transactions(exchange->server), 0);
    say(exchange, "INVITE", "sip:1@quick.example", "X-Own: 1\r\n");
    sent = exchange_sent_to(exchange, carrier);
    assert_true(ahoy_span_equal(sent->bytes, (struct span){ first, size }));
    assert_int_equal(exchange->count, 1);
    exchange_wait(exchange, 100000);
    assert_int_equal(exchange->count, 0);
}

/* The branch of the message that went to |peer| last. */
static void copy_branch(struct exchange *exchange, const char *peer, char branch[64])
{
    const char *via = exchange_value(exchange_sent_to(exchange, peer), AHOY_HEADER_VIA);
    const char *at = strstr(via, "branch=");
    assert_non_null(at);
    snprintf(branch, 64, "%.*s", (int)strcspn(at, ";\r"), at);
}

/* R3261-16.11-7, R3261-16.11-14, R3261-16.10-4, R3263-4.4-1: CANCEL and ACK go the way of their
 * INVITE. */
static void what_follows_goes_the_same_way(void **state)
{
    struct exchange *exchange = *state;
    char invite[64], cancel[64], ack[64];
    say(exchange, "INVITE", "sip:1@quick.example", "");
    const char *carrier = chosen(exchange);
    copy_branch(exchange, carrier, invite);
    say(exchange, "CANCEL", "sip:1@quick.example", "");
    assert_int_equal(exchange->count, 1);
    copy_branch(exchange, carrier, cancel);
    say(exchange, "ACK", "sip:1@quick.example", "");
    assert_int_equal(exchange->count, 1);
    copy_branch(exchange, carrier, ack);
    assert_string_equal(invite, cancel);
    assert_string_equal(invite, ack);
    /* By no route but such a one, and not for strangers by one of the trunks'. */
    say(exchange, "CANCEL", "sip:1@users.example", "");
    assert_int_equal(told(exchange, ALICE), 481);
    say(exchange, "CANCEL", "sip:1@trunks.example", "");
    assert_int_equal(told(exchange, ALICE), 481);
    say(exchange, "ACK", "sip:1@trunks.example", "");
    assert_int_equal(exchange->count, 0);
    say(exchange, "INVITE", "sip:1@trunks.example", "");
    assert_int_equal(told(exchange, ALICE), 403);
}

/* R3261-16.11-15 to -19, R3261-16.7-1: back by the Via below ours, 100 and all; a response to
 * nothing that we sent goes nowhere. */
static void responses_find_their_way(void **state)
{
    struct exchange *exchange = *state;
    static const unsigned statuses[] = { 100, 180, 200, 486 };
    for (size_t i = 0; i < 4; i++) {
        say(exchange, "INVITE", "sip:1@quick.example", "");
        const char *carrier = chosen(exchange);
        answer(exchange, carrier, statuses[i], "X-Own: 1\r\n");
        assert_int_equal(exchange->count, 1);
        assert_int_equal(told(exchange, ALICE), statuses[i]);
        const struct ahoy_message *sent = exchange_sent_to(exchange, ALICE);
        const struct ahoy_field *via = ahoy_message_first(sent, AHOY_HEADER_VIA);
        assert_int_equal(via->next, 0);
        assert_non_null(strstr(exchange_value(sent, AHOY_HEADER_VIA), "received=192.0.2.1"));
    }
    static const char stray[] = "SIP/2.0 200 OK\r\n"
                                "Via: SIP/2.0/UDP %s;branch=z9hG4bK0123456789abc00;rport\r\n"
                                "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKfast\r\n"
                                "From: <sip:x@far.example>;tag=1\r\n"
                                "To: <sip:1@quick.example>;tag=2\r\n"
                                "Call-ID: quick\r\n"
                                "CSeq: 1 INVITE\r\n\r\n";
    static const char *const ours[] = { "192.0.2.100:5060", "192.0.2.99:5060" };
    for (size_t i = 0; i < 2; i++) {
        char text[512];
        int size = snprintf(text, sizeof text, stray, ours[i]);
        exchange_datagram(exchange, CARRIER, (struct span){ text, (size_t)size });
        assert_int_equal(exchange->count, 0);
    }
}

/* R3261-16.11-2: checked like any other.  R3261-16.1-3: where it must be made reliable there is
 * state. */
static void not_all_can_be_stateless(void **state)
{
    struct exchange *exchange = *state;
    say(exchange, "INVITE", "sip:1@quick.example", "Proxy-Require: nothing-known\r\n");
    assert_int_equal(told(exchange, ALICE), 420);
    say(exchange, "INVITE", "sip:1@named.example", "");
    assert_int_equal(told(exchange, ALICE), 100);
}

int main(void)
{
#define EXCHANGE_TEST(test) cmocka_unit_test_setup_teardown(test, setup, exchange_teardown)
    const struct CMUnitTest tests[] = {
        EXCHANGE_TEST(phones_ring_in_their_order),
        EXCHANGE_TEST(redirections_are_followed),
        EXCHANGE_TEST(a_failed_flow_is_for_its_proxy),
        EXCHANGE_TEST(redirections_are_followed),
        EXCHANGE_TEST(bad_redirections_are_passed_on),
        EXCHANGE_TEST(no_redirection_makes_it_sips),
        EXCHANGE_TEST(a_domain_may_pass_them_all_on),
        EXCHANGE_TEST(a_domain_may_redirect),
        EXCHANGE_TEST(a_route_may_be_stateless),
        EXCHANGE_TEST(what_follows_goes_the_same_way),
        EXCHANGE_TEST(responses_find_their_way),
        EXCHANGE_TEST(not_all_can_be_stateless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
