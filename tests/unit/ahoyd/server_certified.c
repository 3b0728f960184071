/* A certificate in place of a digest: RFC 5922 7.1, RFC 3261 22, 26.3.2.1. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "tests/support/exchange.h"

static const char config[] =
    "listen \"udp:192.0.2.100:5060\"\n"
    "listen(\"tls:192.0.2.100:5061\", { certificate = \"a.pem\", key = \"a.key\",\n"
    "                                 verify = \"optional\", authorities = \"ca.pem\" })\n"
    "domain(\"atlanta.example\", { user_certificates = true, rspauth = true })\n"
    "domain \"biloxi.example\"\n"
    "store \"memory:\"\n"
    "trunk(\"friend\", { \"sip:203.0.113.5:5070\" }, { trusted = true })\n"
    "route { domain = \"friend.example\", to = \"friend\" }\n";

#define FRIEND "203.0.113.5:5070"

static int setup(void **state)
{
    struct exchange *exchange = exchange_of_atlanta(config);
    exchange_add_user(exchange, "alice", "biloxi.example", "wonderland");
    exchange_add_alias(exchange, "info", "atlanta.example", "alice");
    *state = exchange;
    return 0;
}

/* What somebody asks. */
struct caller {
    const char *from, *to;
    const char *rows;
};

/* A new connection by TLS, whose certificate names |users|, as many as there are up to |limit|. */
static struct ahoy_hop connect_with(struct exchange *exchange, const char *const *users,
                                    size_t limit)
{
    static uint16_t port = 20000;
    struct ahoy_peer peer = { .count = 1, .names = { SPAN("phone.example") } };
    struct ahoy_wire_event event = {
        .kind = AHOY_WIRE_ACCEPTED,
        .hop = { .transport = AHOY_TLS, .listener = 1, .remote = exchange_ip("192.0.2.1:1") }
    };
    event.hop.remote.port = port++;
    exchange_step(exchange, &event);
    assert_int_not_equal(event.hop.connection.generation, 0);
    for (size_t i = 0; i < limit && users[i] != NULL; i++)
        peer.users[peer.user_count++] = ahoy_span(users[i]);
    event.kind = AHOY_WIRE_PROVED;
    event.peer = &peer;
    exchange_step(exchange, &event);
    return event.hop;
}

/* What he is answered on |hop|; 0 where nothing comes. */
static unsigned ask_on(struct exchange *exchange, struct ahoy_hop hop, const char *method,
                       const char *uri, const struct caller *caller)
{
    char space[2048];
    static unsigned number;
    int size = snprintf(space, sizeof space,
                        "%s %s SIP/2.0\r\n"
                        "Via: SIP/2.0/TLS 192.0.2.1:%u;branch=z9hG4bKcert%u\r\n"
                        "Max-Forwards: 70\r\nFrom: <%s>;tag=1\r\nTo: <%s>\r\nCall-ID: c%u\r\n"
                        "CSeq: 1 %s\r\n%sContent-Length: 0\r\n\r\n",
                        method, uri, hop.remote.port, number, caller->from, caller->to, number,
                        method, caller->rows);
    number++;
    struct ahoy_wire_event event = { .kind = AHOY_WIRE_BYTES,
                                     .hop = hop,
                                     .bytes = { space, (size_t)size } };
    exchange_step(exchange, &event);
    unsigned status = 0;
    for (size_t i = 0; i < exchange->count; i++) {
        const struct ahoy_message *message = exchange_sent(exchange, i);
        if (!message->is_request)
            status = message->status;
    }
    return status;
}

#define ALICE    "sip:alice@atlanta.example"
#define BOB      "sip:bob@atlanta.example"
#define CAROL    "sip:carol@atlanta.example"
#define FAR      "sip:alice@biloxi.example"
#define NAMELESS "sip:anonymous@anonymous.invalid"

/* R5922-7.1-5: what names a user is for him, and for nobody else; R3261-10.3-8. */
static void a_certificate_registers(void **state)
{
    /* clang-format off */
    static const struct {
        unsigned status;
        const char *from, *to;
        const char *users[3]; /* Of the certificate. */
    } rows[] = {
        { 200, ALICE, ALICE, { ALICE } },
        { 200, ALICE, ALICE, { "SIP:%61lice@ATLANTA.example" } },
        { 200, "sip:%61lice@ATLANTA.example", "sip:%61lice@ATLANTA.example", { ALICE } },
        { 200, ALICE, ALICE, { FAR, BOB, ALICE } },
        { 200, ALICE, ALICE, { "sip:info@atlanta.example" } }, /* An alias of hers. */
        { 200, "sip:info@atlanta.example", "sip:info@atlanta.example", { ALICE } },
        { 403, ALICE, ALICE, { BOB } },
        { 403, ALICE, BOB, { ALICE } },
        { 403, BOB, ALICE, { ALICE } },
        { 403, ALICE, BOB, { ALICE, BOB } },
        { 401, ALICE, ALICE, { "sip:Alice@atlanta.example" } }, /* Names are told by their case. */
        { 401, ALICE, ALICE, { NULL } },
        { 401, ALICE, ALICE, { FAR } },
        { 401, CAROL, CAROL, { CAROL } }, /* She is not there. */
        { 401, ALICE, ALICE, { CAROL } },
        { 401, ALICE, ALICE, { "sip:*@atlanta.example" } },
        { 401, ALICE, ALICE, { "sip:alice@*.example" } },
        { 401, ALICE, ALICE, { "sip:alice@phone.atlanta.example" } },
        { 401, ALICE, ALICE, { "sip:alice@192.0.2.100" } },
        { 401, ALICE, ALICE, { "sips:alice@atlanta.example" } },
        { 401, ALICE, ALICE, { "sip:alice:secret@atlanta.example" } },
        { 401, ALICE, ALICE, { "sip:alice@atlanta.example:5060" } },
        { 401, ALICE, ALICE, { "sip:alice@atlanta.example;user=phone" } },
        { 401, ALICE, ALICE, { "sip:@atlanta.example" } },
        { 401, ALICE, ALICE, { "sip:alice@" } },
    };
    /* clang-format on */
    struct exchange *exchange = *state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct caller caller = { .from = rows[i].from,
                                 .to = rows[i].to,
                                 .rows = "Contact: <sip:a@192.0.2.1>\r\n" };
        const struct ahoy_hop hop = connect_with(exchange, rows[i].users, 3);
        unsigned status = ask_on(exchange, hop, "REGISTER", "sip:atlanta.example", &caller);
        if (status != rows[i].status)
            fail_msg("row %zu: %u", i, status);
    }
}

/* A call: no 407, the same look at From as after a digest, and he is vouched for (R3325-5-1). */
static void a_certificate_calls(void **state)
{
    struct exchange *exchange = *state;
    static const char *const users[] = { BOB, ALICE };
    struct caller caller = { ALICE, "sip:x@friend.example", "" };
    struct ahoy_hop hop = connect_with(exchange, users, 2);
    assert_int_equal(ask_on(exchange, hop, "INVITE", caller.to, &caller), 100);
    const struct ahoy_message *invite = exchange_sent_to(exchange, FRIEND);
    assert_non_null(invite);
    assert_string_equal(exchange_value(invite, AHOY_HEADER_P_ASSERTED_IDENTITY), "<" ALICE ">");
    caller.from = NAMELESS;
    caller.rows = "P-Preferred-Identity: <" ALICE ">\r\n";
    assert_int_equal(ask_on(exchange, hop, "INVITE", caller.to, &caller), 100);
    invite = exchange_sent_to(exchange, FRIEND);
    assert_string_equal(exchange_value(invite, AHOY_HEADER_P_ASSERTED_IDENTITY), "<" BOB ">");
    caller.from = "sip:carol@atlanta.example";
    assert_int_equal(ask_on(exchange, hop, "INVITE", caller.to, &caller), 403);
}

/* Only in a domain that says so, only by the connection that it was shown on, and only as long as
 * that stands. */
static void a_certificate_is_for_its_connection(void **state)
{
    struct exchange *exchange = *state;
    static const char *const users[] = { ALICE, FAR };
    const struct caller alice = { ALICE, ALICE, "" };
    const struct caller far = { FAR, FAR, "" };
    struct ahoy_hop hers = connect_with(exchange, users, 2);
    struct ahoy_hop others = connect_with(exchange, users, 0);
    assert_int_equal(ask_on(exchange, hers, "REGISTER", "sip:atlanta.example", &alice), 200);
    assert_int_equal(ask_on(exchange, others, "REGISTER", "sip:atlanta.example", &alice), 401);
    struct ask by_udp = exchange_alice("");
    assert_int_equal(exchange_ask(exchange, &by_udp), 401);
    assert_int_equal(ask_on(exchange, hers, "REGISTER", "sip:biloxi.example", &far), 401);
    struct ahoy_wire_event gone = { .kind = AHOY_WIRE_CLOSED, .hop = hers };
    exchange_step(exchange, &gone);
    assert_int_equal(ask_on(exchange, hers, "REGISTER", "sip:atlanta.example", &alice), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_certificate_registers, setup, exchange_teardown),
        cmocka_unit_test_setup_teardown(a_certificate_calls, setup, exchange_teardown),
        cmocka_unit_test_setup_teardown(a_certificate_is_for_its_connection, setup,
                                        exchange_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
