/* New requests through the whole server: who may send what where (attacks 22, 23, 25, 60), and
 * what it looks like when it leaves (RFC 3261 16.3 to 16.6). */
#include "tests/support/exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

static const char config[] =
    "listen \"udp:192.0.2.100:5060\"\n"
    "listen \"tcp:192.0.2.100:5060\"\n"
    "listen \"udp:127.0.0.1:5060\"\n"
    "domain(\"atlanta.example\", { auth = \"digest\" })\n"
    "domain(\"open.example\", { auth = \"none\", insecure = true })\n"
    "store \"memory:\"\n"
    "trunk(\"carrier\", { \"sip:203.0.113.5:5070\", \"sip:203.0.113.6:5070\" })\n"
    "trunk(\"inside\", { \"sip:127.0.0.1:5080\" })\n"
    "route { domain = \"users.example\", to = \"carrier\" }\n"
    "route { domain = \"trunks.example\", to = \"carrier\", from = \"trunks\" }\n"
    "route { domain = \"anyone.example\", to = \"carrier\", from = \"anyone\" }\n"
    "route { domain = \"inside.example\", to = \"inside\", from = \"anyone\" }\n";

#define ALICE   "192.0.2.1:5060"
#define BOB     "192.0.2.2:5060"
#define CARRIER "203.0.113.5:5070"

static int setup(void **state)
{
    struct exchange *exchange = exchange_of_atlanta(config);
    exchange_add_user(exchange, "carol", "atlanta.example", "christmas");
    exchange_bind(exchange, "bob@atlanta.example", "sip:bob@192.0.2.2:5060", BOB);
    *state = exchange;
    return 0;
}

static struct ask alice_asks(const char *method, const char *uri)
{
    return (struct ask){ .method = method,
                         .uri = uri,
                         .from = "sip:alice@atlanta.example",
                         .user = "alice",
                         .password = "wonderland" };
}

static struct ask stranger_asks(const char *method, const char *uri)
{
    return (struct ask){ .peer = "198.51.100.7:5060",
                         .method = method,
                         .uri = uri,
                         .from = "sip:stranger@far.example" };
}

static void a_user_calls_a_user(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = alice_asks("INVITE", "sip:bob@atlanta.example");
    assert_int_equal(exchange_ask(exchange, &ask), 407);
    assert_int_equal(exchange->count, 1);
    assert_int_equal(exchange_ask_as(exchange, &ask), 100);
    const struct ahoy_message *invite = exchange_sent_to(exchange, BOB);
    assert_non_null(invite);
    assert_int_equal(invite->method, AHOY_METHOD_INVITE);
    assert_true(ahoy_span_equal(invite->request_uri, SPAN("sip:bob@192.0.2.2:5060")));
    assert_string_equal(exchange_value(invite, AHOY_HEADER_MAX_FORWARDS), "69");
    struct ahoy_address record_route;
    struct span value;
    assert_true(ahoy_address_parse(ahoy_message_value(invite, AHOY_HEADER_RECORD_ROUTE),
                                   &record_route, NULL));
    assert_true(ahoy_uri_param(&record_route.uri, SPAN("lr"), &value));
    assert_true(ahoy_uri_param(&record_route.uri, SPAN("dialog"), &value));
    assert_int_equal(value.size, AHOY_TOKEN_SIZE);
    assert_int_equal(ahoyd_server_counters(exchange->server)->calls, 1);
}

/* What proved Alice to us is not for Bob; another server's proof is not ours to take. */
static void credentials_for_us_go_no_further(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = alice_asks("MESSAGE", "sip:bob@atlanta.example");
    ask.rows = "Proxy-Authorization: Digest username=\"a\", realm=\"far.example\"\r\n";
    assert_int_equal(exchange_ask_as(exchange, &ask), 0);
    const struct ahoy_message *message = exchange_sent_to(exchange, BOB);
    const struct ahoy_field *field = ahoy_message_first(message, AHOY_HEADER_PROXY_AUTHORIZATION);
    assert_non_null(field);
    assert_int_equal(field->next, 0);
    assert_true(ahoy_span_starts_nocase(field->value, SPAN("Digest username=\"a\"")));
}

/* RFC 3261 22.3: another proxy on the way has the same realm.  The credentials for it, which answer
 * a nonce of its own, are not for us, whichever stand first. */
static void a_realm_may_have_several_proxies(void **state)
{
    struct exchange *exchange = *state;
    char rows[2][1024], both[2048];
    struct ask ask = alice_asks("MESSAGE", "sip:bob@atlanta.example");
    for (unsigned i = 0; i < 2; i++) {
        ask.rows = NULL;
        ask.nonce = NULL;
        assert_int_equal(exchange_ask(exchange, &ask), 407);
        exchange_print_credentials(exchange, &ask, rows[1], sizeof rows[1]);
        ask.nonce = "0123456789abcdefghijklmnopqrstuv01234567";
        exchange_print_credentials(exchange, &ask, rows[0], sizeof rows[0]);
        snprintf(both, sizeof both, "%s%s", rows[i], rows[1 - i]);
        ask.rows = both;
        ask.cseq = 2 + i;
        assert_int_equal(exchange_ask(exchange, &ask), 0);
        const struct ahoy_message *message = exchange_sent_to(exchange, BOB);
        assert_non_null(message);
        const struct ahoy_field *field =
            ahoy_message_first(message, AHOY_HEADER_PROXY_AUTHORIZATION);
        assert_non_null(field);
        assert_int_equal(field->next, 0);
        assert_true(ahoy_span_equal(field->row, ahoy_span(rows[0])));
    }
    ask.rows = rows[0];
    assert_int_equal(exchange_ask(exchange, &ask), 407);
}

/* Attack 22: whatever the method.  R3261-22.1-1: a proxy asks by 407. */
static void every_method_needs_proof(void **state)
{
    struct exchange *exchange = *state;
    static const char *const methods[] = { "INVITE",  "MESSAGE", "SUBSCRIBE", "NOTIFY", "PUBLISH",
                                           "OPTIONS", "REFER",   "INFO",      "BYE",    "UPDATE",
                                           "PRACK",   "BREW",    "invite" };
    static const char *const uris[] = { "sip:bob@atlanta.example", "sip:x@anyone.example",
                                        "sip:x@198.51.100.1", "sip:bob@192.0.2.100" };
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        for (size_t j = 0; j < sizeof uris / sizeof uris[0]; j++) {
            struct ask ask = alice_asks(methods[i], uris[j]);
            assert_int_equal(exchange_ask(exchange, &ask), 407);
            ask.to_tag = "made-up";
            assert_int_equal(exchange_ask(exchange, &ask), 407);
            assert_int_equal(exchange->count, 1);
        }
    }
    assert_int_equal(ahoyd_server_busy(exchange->server), 0);
}

/* Attack 23: an address is no identity, not even a trunk's. */
static void no_address_is_proof(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = alice_asks("INVITE", "sip:bob@atlanta.example");
    ask.peer = CARRIER;
    assert_int_equal(exchange_ask(exchange, &ask), 407);
    ask.peer = "127.0.0.1:5090";
    assert_int_equal(exchange_ask(exchange, &ask), 407);
    ask.peer = BOB;
    assert_int_equal(exchange_ask(exchange, &ask), 407);
}

static void from_must_be_the_user(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = alice_asks("INVITE", "sip:carol@atlanta.example");
    ask.from = "sip:bob@atlanta.example";
    assert_int_equal(exchange_ask_as(exchange, &ask), 403);
    ask.from = "sip:atlanta.example";
    assert_int_equal(exchange_ask_as(exchange, &ask), 403);
    ask.from = "sip:%61lice@ATLANTA.example:5999"; /* That is she. */
    assert_int_equal(exchange_ask_as(exchange, &ask), 480);
    assert_int_equal(ahoyd_server_busy(exchange->server), 0);
}

/* R3261-22.3-1, R7616-3.8-1 */
static void a_stale_proof_is_renewed(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = alice_asks("INVITE", "sip:bob@atlanta.example");
    char row[1024];
    assert_int_equal(exchange_ask(exchange, &ask), 407);
    exchange_print_credentials(exchange, &ask, row, sizeof row);
    exchange_wait(exchange, 400000);
    ask.rows = row;
    assert_int_equal(exchange_ask(exchange, &ask), 407);
    assert_non_null(strstr(exchange->challenge, "stale=true"));
    assert_non_null(strstr(exchange->challenge, "Proxy-Authenticate: Digest"));
}

/* Attack 25: only who has proved who he is may know who is known. */
static void who_is_not_there(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = alice_asks("INVITE", "sip:carol@atlanta.example");
    assert_int_equal(exchange_ask_as(exchange, &ask), 480);
    ask.uri = "sip:nobody@atlanta.example";
    assert_int_equal(exchange_ask_as(exchange, &ask), 404);
    struct ask stranger = stranger_asks("INVITE", "sip:carol@atlanta.example");
    assert_int_equal(exchange_ask(exchange, &stranger), 404);
    stranger.uri = "sip:nobody@atlanta.example";
    assert_int_equal(exchange_ask(exchange, &stranger), 404);
    stranger.peer = CARRIER;
    assert_int_equal(exchange_ask(exchange, &stranger), 404);
    stranger.uri = "sip:carol@atlanta.example";
    assert_int_equal(exchange_ask(exchange, &stranger), 480);
}

static void strangers_reach_our_users(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = stranger_asks("INVITE", "sip:bob@atlanta.example;transport=tcp");
    assert_int_equal(exchange_ask(exchange, &ask), 100);
    assert_non_null(exchange_sent_to(exchange, BOB));
    ask.call_id = "two";
    ask.uri = "sip:bob@atlanta.example:5999"; /* A name is ours whatever the port. */
    assert_int_equal(exchange_ask(exchange, &ask), 100);
    assert_non_null(exchange_sent_to(exchange, BOB));
}

static unsigned asked_by(struct exchange *exchange, const char *uri, unsigned who)
{
    static unsigned calls;
    char call_id[32];
    struct ask ask = who == 0 ? alice_asks("MESSAGE", uri) : stranger_asks("MESSAGE", uri);
    (void)snprintf(call_id, sizeof call_id, "call-%u", calls++);
    ask.call_id = call_id;
    if (who == 2)
        ask.peer = "203.0.113.6:1024"; /* Any of the trunk's addresses, from any port. */
    return exchange_ask_as(exchange, &ask);
}

/* No relay between foreign domains, for nobody; 0 means forwarded. */
static void routes_are_for_whom_they_are_for(void **state)
{
    struct exchange *exchange = *state;
    enum { USER, STRANGER, TRUNK, SENDERS };
    static const struct {
        const char *uri;
        unsigned status[SENDERS];
    } table[] = {
        { "sip:x@users.example", { 0, 403, 403 } },
        { "sip:x@trunks.example", { 403, 403, 0 } },
        { "sip:x@Anyone.EXAMPLE:5999", { 0, 0, 0 } },
        { "sip:anyone.example", { 0, 0, 0 } },
        { "sip:x@far.example", { 403, 403, 403 } },
        { "sip:x@198.51.100.1", { 403, 403, 403 } },
        { "sip:x@203.0.113.5:5070", { 403, 403, 403 } },
        { "sip:x@sub.users.example", { 403, 403, 403 } },
        { "sip:x@127.0.0.1:5062", { 403, 403, 403 } },
        { "sip:bob@atlanta.example;maddr=198.51.100.1", { 403, 403, 403 } },
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        for (unsigned who = 0; who < SENDERS; who++) {
            assert_int_equal(asked_by(exchange, table[i].uri, who), table[i].status[who]);
            bool forwarded = exchange_sent_to(exchange, CARRIER) != NULL;
            assert_int_equal(forwarded, table[i].status[who] == 0);
        }
    }
}

static void a_trunk_gets_the_uri_as_it_is(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = stranger_asks("INVITE", "sip:+1555@anyone.example;user=phone");
    assert_int_equal(exchange_ask(exchange, &ask), 100);
    const struct ahoy_message *invite = exchange_sent_to(exchange, CARRIER);
    assert_true(ahoy_span_equal(invite->request_uri, ahoy_span(ask.uri)));
}

/* Attack 60: a configured trunk may live on loopback. */
static void a_trunk_may_be_inside(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = stranger_asks("INVITE", "sip:x@inside.example");
    assert_int_equal(exchange_ask(exchange, &ask), 100);
    assert_non_null(exchange_sent_to(exchange, "127.0.0.1:5080"));
}

/* Attack 60: a binding that should not be there leads nowhere either. */
static void a_binding_does_not_lead_inside(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = stranger_asks("INVITE", "sip:carol@atlanta.example");
    exchange_bind(exchange, "carol@atlanta.example", "sip:carol@127.0.0.1:5062", ALICE);
    assert_int_equal(exchange_ask(exchange, &ask), 404);
    ask.peer = "127.0.0.1:5090"; /* For us the trunk, as that has the same address. */
    assert_int_equal(exchange_ask(exchange, &ask), 480);
    exchange_bind(exchange, "carol@atlanta.example", "sip:carol@127.0.0.1:5063", "127.0.0.1:5063");
    assert_int_equal(exchange_ask(exchange, &ask), 100);
    assert_non_null(exchange_sent_to(exchange, "127.0.0.1:5063"));
    assert_null(exchange_sent_to(exchange, "127.0.0.1:5062"));
}

static void all_contacts_ring(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = stranger_asks("INVITE", "sip:bob@atlanta.example");
    exchange_bind(exchange, "bob@atlanta.example", "sip:bob@192.0.2.3:5070", "192.0.2.3:5070");
    exchange_bind(exchange, "bob@atlanta.example", "sip:bob@phone.example", "192.0.2.4:5060");
    exchange_bind(exchange, "bob@atlanta.example", "sips:bob@192.0.2.5", "192.0.2.5:5061");
    assert_int_equal(exchange_ask(exchange, &ask), 100);
    assert_non_null(exchange_sent_to(exchange, BOB));
    assert_non_null(exchange_sent_to(exchange, "192.0.2.3:5070"));
    assert_int_equal(exchange->count, 3); /* Who cannot be located is left out. */
}

/* sips is never downgraded, on its way to us neither. */
static void sips_needs_tls(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = alice_asks("INVITE", "sips:bob@atlanta.example");
    assert_int_equal(exchange_ask(exchange, &ask), 403);
    assert_null(exchange_sent_to(exchange, BOB));
}

/* R3261-16.3-7, -8; the server itself is no hop. */
static void hops_are_counted(void **state)
{
    struct exchange *exchange = *state;
    char space[2048];
    struct ask ask = stranger_asks("OPTIONS", "sip:bob@atlanta.example");
    struct span bytes = exchange_print_ask(exchange, &ask, "", space, sizeof space);
    char *hops = strstr(space, "Max-Forwards: 70");
    memcpy(hops, "Max-Forwards:  0", 16);
    exchange_datagram(exchange, ask.peer, bytes);
    assert_int_equal(exchange_sent(exchange, 0)->status, 483);
    ask.uri = "sip:atlanta.example";
    bytes = exchange_print_ask(exchange, &ask, "", space, sizeof space);
    memcpy(strstr(space, "Max-Forwards: 70"), "Max-Forwards:  0", 16);
    exchange_datagram(exchange, ask.peer, bytes);
    assert_int_equal(exchange_sent(exchange, 0)->status, 200);
}

/* R3261-16.3-9, -10. */
static void proxy_require_is_not_known(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = stranger_asks("INVITE", "sip:bob@atlanta.example");
    ask.rows = "Proxy-Require: sec-agree\r\nProxy-Require: privacy\r\nRequire: 100rel\r\n";
    assert_int_equal(exchange_ask(exchange, &ask), 420);
    const struct ahoy_message *message = exchange_sent(exchange, 0);
    const struct ahoy_field *field = ahoy_message_first(message, AHOY_HEADER_UNSUPPORTED);
    assert_true(ahoy_span_equal(field->value, SPAN("sec-agree")));
    field = ahoy_message_next(message, field);
    assert_true(ahoy_span_equal(field->value, SPAN("privacy")));
    assert_null(ahoy_message_next(message, field));
    /* Require is for the callee. */
    ask.rows = "Require: 100rel\r\n";
    assert_int_equal(exchange_ask(exchange, &ask), 100);
}

static void other_schemes_are_not_understood(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = stranger_asks("INVITE", "tel:+15551234");
    assert_int_equal(exchange_ask(exchange, &ask), 416);
    ask.uri = "http://atlanta.example/";
    assert_int_equal(exchange_ask(exchange, &ask), 416);
}

static void the_server_itself(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = stranger_asks("OPTIONS", "sip:atlanta.example");
    assert_int_equal(exchange_ask(exchange, &ask), 200);
    const struct ahoy_message *message = exchange_sent(exchange, 0);
    assert_string_equal(exchange_value(message, AHOY_HEADER_ALLOW), "OPTIONS, REGISTER, SUBSCRIBE");
    assert_non_null(ahoy_message_first(message, AHOY_HEADER_ACCEPT));
    assert_non_null(ahoy_message_first(message, AHOY_HEADER_SUPPORTED));
    ask.uri = "sip:192.0.2.100";
    ask.from = "sip:alice@atlanta.example"; /* Who asks that need not prove anything. */
    assert_int_equal(exchange_ask(exchange, &ask), 200);
    ask.rows = "Require: gruu\r\nRequire: x, y\r\n"; /* R3261-20.32-1, -2, R3261-21.4.15-1 */
    assert_int_equal(exchange_ask(exchange, &ask), 420);
    message = exchange_sent(exchange, 0);
    const struct ahoy_field *field = ahoy_message_first(message, AHOY_HEADER_UNSUPPORTED);
    assert_true(ahoy_span_equal(field->value, SPAN("gruu")));
    field = ahoy_message_next(message, field);
    assert_true(ahoy_span_equal(field->value, SPAN("x")));
    assert_true(ahoy_span_equal(ahoy_message_next(message, field)->value, SPAN("y")));
    ask.rows = NULL;
    ask.method = "BREW"; /* R3261-21.4.6-1 */
    assert_int_equal(exchange_ask(exchange, &ask), 405);
    assert_string_equal(exchange_value(exchange_sent(exchange, 0), AHOY_HEADER_ALLOW),
                        "OPTIONS, REGISTER, SUBSCRIBE");
    ask.method = "INVITE";
    assert_int_equal(exchange_ask(exchange, &ask), 405);
    /* With two domains an address says nothing of whose bindings are meant. */
    ask.method = "REGISTER";
    assert_int_equal(exchange_ask(exchange, &ask), 404);
}

static void a_draining_server_takes_no_new_calls(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = stranger_asks("INVITE", "sip:bob@atlanta.example");
    ahoyd_server_drain(exchange->server);
    assert_int_equal(exchange_ask(exchange, &ask), 503);
    assert_non_null(ahoy_message_first(exchange_sent(exchange, 0), AHOY_HEADER_RETRY_AFTER));
    ask.method = "MESSAGE";
    assert_int_equal(exchange_ask(exchange, &ask), 0);
    assert_non_null(exchange_sent_to(exchange, BOB));
}

/* What is over does not hold up the end of the server, though its transactions linger. */
static void only_open_requests_keep_it_busy(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = stranger_asks("MESSAGE", "sip:bob@atlanta.example");
    assert_int_equal(exchange_ask(exchange, &ask), 0);
    assert_int_equal(ahoyd_server_busy(exchange->server), 1);
    char answer[2048];
    struct span request = exchange->sent[0].bytes;
    const char *line = memchr(request.at, '\n', request.size);
    int size = snprintf(answer, sizeof answer, "SIP/2.0 200 OK\r\n%s", line + 1);
    exchange_datagram(exchange, BOB, (struct span){ answer, (size_t)size });
    assert_int_equal(exchange_sent_to(exchange, ask.peer)->status, 200);
    assert_int_equal(ahoyd_server_busy(exchange->server), 0);
    assert_int_not_equal(ahoyd_server_transactions(exchange->server), 0);
    exchange_wait(exchange, 64000);
    assert_int_equal(ahoyd_server_transactions(exchange->server), 0);
    assert_true(ahoyd_server_deadline(exchange->server) == UINT64_MAX);
}

static void routes_in_front_of_ours_are_not_followed(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = alice_asks("INVITE", "sip:bob@atlanta.example");
    ask.rows = "Route: <sip:192.0.2.100;lr>, <sip:198.51.100.1;lr>\r\n";
    assert_int_equal(exchange_ask_as(exchange, &ask), 403);
    ask.rows = "Route: <sip:198.51.100.1;lr>\r\n";
    assert_int_equal(exchange_ask_as(exchange, &ask), 403);
    ask.rows = "Route: <sip:192.0.2.100:5062;lr>\r\n"; /* A neighbour. */
    assert_int_equal(exchange_ask_as(exchange, &ask), 403);
    ask.rows = "Route: <sip:192.0.2.100\r\n";
    assert_int_equal(exchange_ask_as(exchange, &ask), 400);
    /* Two of our own, and R3261-16.4-6: they go. */
    ask.rows = "Route: <sip:atlanta.example:5060;lr>\r\nRoute: <sip:192.0.2.100;lr>\r\n";
    assert_int_equal(exchange_ask_as(exchange, &ask), 100);
    const struct ahoy_message *invite = exchange_sent_to(exchange, BOB);
    assert_null(ahoy_message_first(invite, AHOY_HEADER_ROUTE));
}

/* A phone that registered over a connection is called over it, whatever its Contact's port. */
static void a_connection_is_used_again(void **state)
{
    struct exchange *exchange = *state;
    struct ahoy_wire_event event = {
        .kind = AHOY_WIRE_ACCEPTED,
        .hop = { .transport = AHOY_TCP, .listener = 1, .remote = exchange_ip("192.0.2.9:40123") }
    };
    exchange_step(exchange, &event);
    assert_int_not_equal(event.hop.connection.generation, 0);
    struct ahoy_handle connection = event.hop.connection;
    static const char text[] = "REGISTER sip:open.example SIP/2.0\r\n"
                               "Via: SIP/2.0/TCP 192.0.2.9:5060;branch=z9hG4bKx\r\n"
                               "From: <sip:dave@open.example>;tag=1\r\n"
                               "To: <sip:dave@open.example>\r\n"
                               "Call-ID: r\r\nCSeq: 1 REGISTER\r\n"
                               "Contact: <sip:dave@192.0.2.9:5060;transport=tcp>\r\n"
                               "Content-Length: 0\r\n\r\n";
    event.kind = AHOY_WIRE_BYTES;
    event.bytes = ahoy_span(text);
    exchange_step(exchange, &event);
    assert_int_equal(exchange_sent(exchange, 0)->status, 200);
    struct ask ask = stranger_asks("INVITE", "sip:dave@open.example");
    assert_int_equal(exchange_ask(exchange, &ask), 100);
    size_t found = 0;
    for (size_t i = 0; i < exchange->count; i++) {
        if (ahoy_handle_equal(exchange->sent[i].hop.connection, connection))
            found++;
    }
    assert_int_equal(found, 1);
}

#define RULE(test) cmocka_unit_test_setup_teardown(test, setup, exchange_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RULE(a_user_calls_a_user),
        RULE(credentials_for_us_go_no_further),
        RULE(a_realm_may_have_several_proxies),
        RULE(every_method_needs_proof),
        RULE(no_address_is_proof),
        RULE(from_must_be_the_user),
        RULE(a_stale_proof_is_renewed),
        RULE(who_is_not_there),
        RULE(strangers_reach_our_users),
        RULE(routes_are_for_whom_they_are_for),
        RULE(a_trunk_gets_the_uri_as_it_is),
        RULE(a_trunk_may_be_inside),
        RULE(a_binding_does_not_lead_inside),
        RULE(all_contacts_ring),
        RULE(sips_needs_tls),
        RULE(hops_are_counted),
        RULE(proxy_require_is_not_known),
        RULE(other_schemes_are_not_understood),
        RULE(the_server_itself),
        RULE(a_draining_server_takes_no_new_calls),
        RULE(only_open_requests_keep_it_busy),
        RULE(routes_in_front_of_ours_are_not_followed),
        RULE(a_connection_is_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
