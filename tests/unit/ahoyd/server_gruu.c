/* GRUUs through the whole server (RFC 5627): what a phone is given, and whom a request to it
 * reaches. */
#include "tests/support/exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "ahoyd/gruu.h"

static const char config[] = "listen \"udp:192.0.2.100:5060\"\n"
                             "domain(\"open.example\", { auth = \"none\", insecure = true })\n"
                             "domain(\"moved.example\", { auth = \"none\", insecure = true, "
                             "mode = \"redirect\" })\n"
                             "domain(\"atlanta.example\", { auth = \"digest\" })\n"
                             "store \"memory:\"\n";

#define DESK     "192.0.2.2:5060"
#define SOFT     "192.0.2.3:5060"
#define STRANGER "198.51.100.7:5060"
#define GRUU     "Supported: gruu\r\n"
#define X        ";+sip.instance=\"<urn:uuid:0A>\""
#define Y        ";+sip.instance=\"<urn:uuid:0b>\""
#define PUBLIC_X "sip:bob@open.example;gr=urn:uuid:0A"

static int setup(void **state)
{
    *state = exchange_of_atlanta(config);
    return 0;
}

/* Bob registers from |peer|, with a CSeq of its own each time; a moment passes. */
static unsigned registers(struct exchange *exchange, const char *peer, const char *call_id,
                          const char *rows)
{
    static unsigned cseq;
    const struct ask ask = { .peer = peer,
                             .method = "REGISTER",
                             .uri = "sip:open.example",
                             .from = "sip:bob@open.example",
                             .to = "sip:bob@open.example",
                             .call_id = call_id,
                             .cseq = ++cseq,
                             .rows = rows };
    exchange_wait(exchange, 5);
    return exchange_ask(exchange, &ask);
}

/* The GRUU |name| of the first Contact that was just told; "" where it has none. */
static const char *told(struct exchange *exchange, const char *name)
{
    static char uris[4][512];
    static unsigned next;
    char *uri = uris[next++ % 4];
    uri[0] = '\0';
    const char *value = exchange_value(exchange_sent(exchange, 0), AHOY_HEADER_CONTACT);
    const char *at = strstr(value, name);
    if (at != NULL) {
        at = strchr(at, '"') + 1;
        snprintf(uri, 512, "%.*s", (int)strcspn(at, "\""), at);
    }
    return uri;
}

/* A MESSAGE of a stranger to |uri|: the status, or 0 where it was sent on. */
static unsigned message_to(struct exchange *exchange, const char *uri)
{
    static char call_id[32];
    static unsigned calls;
    snprintf(call_id, sizeof call_id, "message-%u", calls++);
    const struct ask ask = { .peer = STRANGER,
                             .method = "MESSAGE",
                             .uri = uri,
                             .from = "sip:x@far.example",
                             .to = uri,
                             .call_id = call_id };
    return exchange_ask(exchange, &ask);
}

static void assert_reaches(struct exchange *exchange, const char *uri, const char *peer,
                           const char *contact)
{
    assert_int_equal(message_to(exchange, uri), 0);
    assert_int_equal(exchange->count, 1);
    const struct ahoy_message *message = exchange_sent_to(exchange, peer);
    assert_non_null(message);
    assert_true(ahoy_span_equal(message->request_uri, ahoy_span(contact)));
}

static void two_phones(struct exchange *exchange)
{
    assert_int_equal(registers(exchange, SOFT, "soft", GRUU "Contact: <sip:s@192.0.2.3>" Y "\r\n"),
                     200);
    assert_int_equal(registers(exchange, DESK, "desk", GRUU "Contact: <sip:d@192.0.2.2>" X "\r\n"),
                     200);
}

/* R5627-5.1-4, R5627-5.2-1, -2, -3, R5627-5.4-7, R5627-7-1: to whom it means something. */
static void gruus_are_given(void **state)
{
    struct exchange *exchange = *state;
    struct ahoy_uri uri;
    assert_int_equal(registers(exchange, DESK, "desk", "Contact: <sip:d@192.0.2.2>" X "\r\n"), 200);
    assert_string_equal(told(exchange, "gruu"), "");
    assert_int_equal(registers(exchange, DESK, "desk", GRUU "Contact: <sip:d@192.0.2.2>" X "\r\n"),
                     200);
    assert_string_equal(told(exchange, "pub-gruu"), PUBLIC_X);
    const char *first = told(exchange, "temp-gruu");
    assert_true(ahoy_uri_parse(ahoy_span(first), &uri, NULL));
    assert_true(ahoy_span_starts_nocase(uri.user, SPAN("tgruu.")));
    assert_true(ahoy_span_equal(uri.host, SPAN("open.example")));
    const struct ahoy_message *answer = exchange_sent(exchange, 0);
    assert_non_null(strstr(exchange_value(answer, AHOY_HEADER_CONTACT), X));
    assert_null(ahoy_message_first(answer, AHOY_HEADER_SUPPORTED));
    assert_null(ahoy_message_first(answer, AHOY_HEADER_REQUIRE));
    assert_int_equal(registers(exchange, DESK, "ask", "Supported: path, GRUU\r\n"), 200);
    assert_string_equal(told(exchange, "pub-gruu"), PUBLIC_X);
    assert_string_not_equal(told(exchange, "temp-gruu"), first);
    assert_int_equal(registers(exchange, DESK, "two", GRUU "Contact: *\r\nExpires: 0\r\n"), 200);
    assert_int_equal(registers(exchange, DESK, "two", GRUU "Contact: <sip:d@192.0.2.2>\r\n"), 200);
    assert_string_equal(told(exchange, "gruu"), "");
}

/* R5627-5.1-5, R5627-5.1-10: a phone has no say in them. */
static void no_phone_chooses_its_gruu(void **state)
{
    struct exchange *exchange = *state;
    assert_int_equal(registers(exchange, DESK, "desk",
                               GRUU "Contact: <sip:d@192.0.2.2>;pub-gruu=\"sip:evil@x\";x=1" X
                                    ";temp-gruu=\"sip:worse@x\"\r\n"),
                     200);
    const char *value = exchange_value(exchange_sent(exchange, 0), AHOY_HEADER_CONTACT);
    assert_null(strstr(value, "evil"));
    assert_null(strstr(value, "worse"));
    assert_non_null(strstr(value, ";x=1"));
    assert_string_equal(told(exchange, "pub-gruu"), PUBLIC_X);
}

/* R5627-5.4-1: that phone and no other; a URN's case does not matter, nor an escape. */
static void a_gruu_reaches_one_instance(void **state)
{
    struct exchange *exchange = *state;
    two_phones(exchange);
    assert_reaches(exchange, PUBLIC_X, DESK, "sip:d@192.0.2.2");
    assert_reaches(exchange, "sip:bob@OPEN.example;gr=URN:uuid:0a", DESK, "sip:d@192.0.2.2");
    assert_reaches(exchange, "sip:bob@open.example;GR=%75rn:uuid:0b", SOFT, "sip:s@192.0.2.3");
    assert_int_equal(message_to(exchange, "sip:bob@open.example"), 0);
    assert_int_equal(exchange->count, 2); /* Both. */
}

/* R5627-6.1-1: bound to nobody now, it is still good. */
static void a_public_gruu_outlives_its_registration(void **state)
{
    struct exchange *exchange = *state;
    two_phones(exchange);
    assert_int_equal(
        registers(exchange, DESK, "desk", "Contact: <sip:d@192.0.2.2>;expires=0" X "\r\n"), 200);
    assert_int_equal(message_to(exchange, PUBLIC_X), 480);
    assert_int_equal(registers(exchange, DESK, "new", "Contact: <sip:n@192.0.2.2>" X "\r\n"), 200);
    assert_reaches(exchange, PUBLIC_X, DESK, "sip:n@192.0.2.2");
}

/* R5627-5.4-4: all that were given since the instance came are good, through refreshes; R5627-5.1-6
 * and R5627-5.3-1: until the Call-ID changes, or the last binding is gone. */
static void temporary_gruus_gather(void **state)
{
    struct exchange *exchange = *state;
    char first[512], second[512], third[512];
    two_phones(exchange);
    /* Of two Contacts the first is the soft phone's. */
    snprintf(first, sizeof first, "%s", told(exchange, "temp-gruu"));
    assert_reaches(exchange, first, SOFT, "sip:s@192.0.2.3");
    assert_int_equal(registers(exchange, SOFT, "soft", GRUU "Contact: <sip:s@192.0.2.3>" Y "\r\n"),
                     200);
    snprintf(second, sizeof second, "%s", told(exchange, "temp-gruu"));
    assert_string_not_equal(first, second);
    assert_reaches(exchange, first, SOFT, "sip:s@192.0.2.3");
    assert_reaches(exchange, second, SOFT, "sip:s@192.0.2.3");
    assert_int_equal(registers(exchange, SOFT, "other", GRUU "Contact: <sip:s@192.0.2.3>" Y "\r\n"),
                     200);
    snprintf(third, sizeof third, "%s", told(exchange, "temp-gruu"));
    assert_int_equal(message_to(exchange, first), 404);
    assert_int_equal(message_to(exchange, second), 404);
    assert_reaches(exchange, third, SOFT, "sip:s@192.0.2.3");
    assert_int_equal(
        registers(exchange, SOFT, "other", "Contact: <sip:s@192.0.2.3>;expires=0" Y "\r\n"), 200);
    assert_int_equal(message_to(exchange, third), 404);
    assert_int_equal(registers(exchange, SOFT, "other", "Contact: <sip:s@192.0.2.3>" Y "\r\n"),
                     200);
    assert_int_equal(message_to(exchange, third), 404);
}

static void what_is_no_gruu_of_ours(void **state)
{
    struct exchange *exchange = *state;
    char forged[512];
    two_phones(exchange);
    snprintf(forged, sizeof forged, "%s", told(exchange, "temp-gruu"));
    forged[strlen("sip:tgruu.")] ^= 1;
    assert_int_equal(message_to(exchange, forged), 404);
    assert_int_equal(message_to(exchange, "sip:tgruu.@open.example;gr"), 404);
    assert_int_equal(message_to(exchange, "sip:tgruu.0123456789abc@open.example;gr"), 404);
    assert_int_equal(message_to(exchange, "sip:bob@open.example;gr"), 404);
    assert_int_equal(message_to(exchange, "sip:bob@open.example;gr=urn:uuid:0"), 480);
}

/* A call of alice's, who has a password. */
static unsigned alice_calls(struct exchange *exchange, const char *uri, unsigned cseq)
{
    struct ask ask = exchange_alice("");
    ask.method = "MESSAGE";
    ask.uri = ask.to = uri;
    ask.call_id = uri;
    ask.cseq = cseq;
    return exchange_ask_as(exchange, &ask);
}

/* R5627-5.4-5, -6: as long as its user exists; but a stranger is not told which do, attack 25. */
static void a_public_gruu_ends_with_its_user(void **state)
{
    struct exchange *exchange = *state;
    assert_int_equal(alice_calls(exchange, "sip:bob@atlanta.example;gr=x", 1), 480);
    assert_int_equal(alice_calls(exchange, "sip:nobody@atlanta.example;gr=x", 1), 404);
    assert_int_equal(message_to(exchange, "sip:bob@atlanta.example;gr=x"), 480);
    assert_int_equal(message_to(exchange, "sip:nobody@atlanta.example;gr=x"), 480);
}

/* RFC 5627 6.2: nobody has his dialogs kept to another's phone. */
static void a_contact_is_no_gruu_of_another(void **state)
{
    static const struct {
        unsigned status;
        const char *rows;
    } calls[] = {
        { 403, "Contact: <sip:bob@atlanta.example;gr=x>\r\n" },
        { 403, "Contact: <sip:tgruu.0@atlanta.example;gr>\r\n" },
        { 480, "Contact: <sip:alice@atlanta.example;gr=x>\r\n" },
        { 480, "Contact: <sip:bob@192.0.2.1;gr=x>\r\n" }, /* One that he made himself. */
        { 480, "Contact: <sip:bob@atlanta.example>\r\n" },
    };
    struct exchange *exchange = *state;
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        struct ask ask = exchange_alice(calls[i].rows);
        ask.method = "INVITE";
        ask.uri = ask.to = "sip:bob@atlanta.example";
        ask.cseq = (unsigned)(10 * i + 1);
        assert_int_equal(exchange_ask_as(exchange, &ask), calls[i].status);
    }
}

/* R5627-5.1-1, -2: such a contact would send calls round in circles. */
static void a_contact_is_not_the_address_itself(void **state)
{
    struct exchange *exchange = *state;
    char rows[1024];
    two_phones(exchange);
    snprintf(rows, sizeof rows, "Contact: <%s>" X "\r\n", told(exchange, "temp-gruu"));
    assert_int_equal(registers(exchange, DESK, "loop", rows), 403);
    static const char *const bad[] = {
        "Contact: <sip:bob@open.example>" X "\r\n",
        "Contact: <sip:b%6fb@Open.example;x=y>" X "\r\n",
        "Contact: <" PUBLIC_X ">" X "\r\n",
        "Contact: <sip:good@192.0.2.2>, <sip:bob@open.example;gr=y>" Y "\r\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(registers(exchange, DESK, "loop", bad[i]), 403);
    assert_int_equal(exchange_bindings(exchange, "bob@open.example"), 2);
    static const char *const good[] = {
        "Contact: <sip:clara@open.example>" X "\r\n",
        "Contact: <sip:bob@open.example:5080>" X "\r\n", /* Another URI: 19.1.4. */
        "Contact: <sip:bob@open.example>;expires=0" X "\r\n",
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_int_equal(registers(exchange, DESK, "loop", good[i]), 200);
}

/* R5627-6.1-2, -3: of several without reg-id the one that was refreshed last; another only where
 * that one was not met. */
static void the_freshest_of_an_instance(void **state)
{
    struct exchange *exchange = *state;
    assert_int_equal(registers(exchange, DESK, "one", "Contact: <sip:old@192.0.2.2>" X "\r\n"),
                     200);
    assert_int_equal(registers(exchange, SOFT, "two", "Contact: <sip:new@192.0.2.3>" X "\r\n"),
                     200);
    assert_reaches(exchange, PUBLIC_X, SOFT, "sip:new@192.0.2.3");
    struct ahoy_wire_event gone = { .kind = AHOY_WIRE_UNREACHABLE,
                                    .hop = { .remote = exchange_ip(SOFT) } };
    exchange_step(exchange, &gone);
    assert_non_null(exchange_sent_to(exchange, DESK));
}

/* Whether |uri| is a GRUU of the binding. */
static bool is_bound(struct exchange *exchange, const char *uri, const struct ahoy_binding *binding)
{
    static struct ahoy_bindings bindings;
    struct ahoy_uri parsed;
    assert_true(ahoy_uri_parse(ahoy_span(uri), &parsed, NULL));
    ahoy_bindings_init(&bindings);
    assert_true(ahoy_bindings_add(&bindings, binding));
    ahoyd_gruu_narrow(exchange->server, &parsed, SPAN("bob@open.example"), &bindings);
    return bindings.count == 1;
}

/* R5630-5.2.1-1, -2, -3: each kind of Contact is told its own; both are good. */
static void a_gruu_is_as_safe_as_its_contact(void **state)
{
    struct exchange *exchange = *state;
    char row[512];
    struct ahoy_binding binding = { .contact = SPAN("sips:b@192.0.2.2"),
                                    .instance = SPAN("<urn:x>") };
    struct ahoy_buf buf = ahoy_buf_over(row, sizeof row - 1);
    ahoyd_gruu_print(exchange->server, SPAN("bob@open.example"), &binding, &buf);
    row[buf.size] = '\0';
    assert_non_null(strstr(row, ";pub-gruu=\"sips:bob@open.example;gr=urn:x\""));
    assert_non_null(strstr(row, ";temp-gruu=\"sips:tgruu."));
    binding.contact = SPAN("sip:b@192.0.2.2");
    buf = ahoy_buf_over(row, sizeof row - 1);
    ahoyd_gruu_print(exchange->server, SPAN("bob@open.example"), &binding, &buf);
    assert_non_null(strstr(row, ";pub-gruu=\"sip:bob@open.example;gr=urn:x\""));
    assert_true(is_bound(exchange, "sips:bob@open.example;gr=urn:x", &binding));
    assert_true(is_bound(exchange, "sip:bob@open.example;gr=urn:x", &binding));
    assert_false(is_bound(exchange, "sip:bob@open.example;gr=urn:y", &binding));
    binding.instance = SPAN("");
    assert_false(is_bound(exchange, "sip:bob@open.example;gr=urn:x", &binding));
}

/* R5627-5.4-2, -3: the rules of 19.1.4 tell two of them apart, but none from its own address. */
static void gruus_are_compared_as_uris(void **state)
{
    struct ahoy_uri aor, gruu, other;
    (void)state;
    assert_true(ahoy_uri_parse(SPAN("sip:bob@open.example"), &aor, NULL));
    assert_true(ahoy_uri_parse(SPAN(PUBLIC_X), &gruu, NULL));
    assert_true(ahoy_uri_parse(SPAN("sip:bob@open.example;gr=urn:uuid:0b"), &other, NULL));
    assert_true(ahoy_uri_equal(&aor, &gruu));
    assert_false(ahoy_uri_equal(&gruu, &other));
    assert_true(ahoy_uri_parse(SPAN("sip:clara@open.example"), &aor, NULL));
    assert_false(ahoy_uri_equal(&aor, &gruu));
}

/* RFC 5627 6.1: a GRUU is not redirected. */
static void a_gruu_is_proxied_where_all_else_is_redirected(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = { .peer = DESK,
                       .method = "REGISTER",
                       .uri = "sip:moved.example",
                       .from = "sip:bob@moved.example",
                       .to = "sip:bob@moved.example",
                       .rows = "Contact: <sip:d@192.0.2.2>" X "\r\n" };
    assert_int_equal(exchange_ask(exchange, &ask), 200);
    assert_int_equal(message_to(exchange, "sip:bob@moved.example"), 302);
    assert_reaches(exchange, "sip:bob@moved.example;gr=urn:uuid:0A", DESK, "sip:d@192.0.2.2");
    ask = (struct ask){ .peer = STRANGER,
                        .method = "MESSAGE",
                        .uri = "sip:bob@moved.example;gr=urn:uuid:0A",
                        .from = "sip:x@far.example",
                        .call_id = "required",
                        .rows = "Proxy-Require: x\r\n" };
    assert_int_equal(exchange_ask(exchange, &ask), 420); /* As a proxy answers. */
}

/* The Record-Route of what was sent to |peer|, as a Route row that the caller would send. */
static void keep_route(struct exchange *exchange, const char *peer, char *row, size_t size)
{
    const struct ahoy_message *message = exchange_sent_to(exchange, peer);
    assert_non_null(message);
    snprintf(row, size, "Route: %s\r\n", exchange_value(message, AHOY_HEADER_RECORD_ROUTE));
}

static struct ask invites(const char *uri, const char *rows)
{
    return (struct ask){ .peer = STRANGER,
                         .method = "INVITE",
                         .uri = uri,
                         .from = "sip:x@far.example",
                         .to = "sip:bob@open.example",
                         .call_id = "invite",
                         .rows = rows };
}

/* Within a dialog too the instance is found, for ACK as for others; R5627-6.2-3: by our Route. */
static void a_gruu_within_a_dialog(void **state)
{
    struct exchange *exchange = *state;
    char route[512];
    two_phones(exchange);
    struct ask ask = invites(PUBLIC_X, NULL);
    assert_int_equal(exchange_ask(exchange, &ask), 100);
    keep_route(exchange, DESK, route, sizeof route);
    ask.rows = route;
    ask.to_tag = "bobs";
    ask.method = "ACK";
    assert_int_equal(exchange_ask(exchange, &ask), 0);
    const struct ahoy_message *message = exchange_sent_to(exchange, DESK);
    assert_non_null(message);
    assert_true(ahoy_span_equal(message->request_uri, SPAN("sip:d@192.0.2.2")));
    assert_null(ahoy_message_first(message, AHOY_HEADER_ROUTE));
    ask.method = "BYE";
    ask.cseq = 2;
    assert_int_equal(exchange_ask(exchange, &ask), 0);
    message = exchange_sent_to(exchange, DESK);
    assert_non_null(message);
    assert_true(ahoy_span_equal(message->request_uri, SPAN("sip:d@192.0.2.2")));
    assert_null(exchange_sent_to(exchange, SOFT));
    assert_int_equal(registers(exchange, DESK, "x", "Contact: *\r\nExpires: 0\r\n"), 200);
    ask.cseq = 3;
    assert_int_equal(exchange_ask(exchange, &ask), 480);
    ask.uri = "sip:tgruu.0@open.example;gr";
    ask.cseq = 4;
    assert_int_equal(exchange_ask(exchange, &ask), 404);
}

/* R5627-6.1-4: where a Route says how to get there, the Path of the registration does not; and
 * R5627-6.2-1, -2: there is such a Route, for all calls to and from our users. */
static void a_path_counts_for_new_requests(void **state)
{
    struct exchange *exchange = *state;
    char route[512], rows[1024];
    assert_int_equal(registers(exchange, DESK, "desk",
                               "Path: <sip:edge@192.0.2.50;lr>\r\nContact: <sip:d@10.0.0.2>" X
                               "\r\n"),
                     200);
    struct ask ask =
        invites(PUBLIC_X, "Record-Route: <sip:192.0.2.60;lr>\r\nContact: <" PUBLIC_X ">\r\n");
    assert_int_equal(exchange_ask(exchange, &ask), 100);
    const struct ahoy_message *message = exchange_sent_to(exchange, "192.0.2.50:5060");
    assert_non_null(message);
    assert_string_equal(exchange_value(message, AHOY_HEADER_ROUTE), "<sip:edge@192.0.2.50;lr>");
    keep_route(exchange, "192.0.2.50:5060", route, sizeof route);
    assert_non_null(strstr(route, "192.0.2.100"));
    snprintf(rows, sizeof rows, "%sRoute: <sip:192.0.2.51;lr>\r\n", route);
    ask.rows = rows;
    ask.to_tag = "bobs";
    ask.method = "BYE";
    ask.cseq = 2;
    assert_int_equal(exchange_ask(exchange, &ask), 0);
    message = exchange_sent_to(exchange, "192.0.2.51:5060");
    assert_non_null(message);
    assert_string_equal(exchange_value(message, AHOY_HEADER_ROUTE), "<sip:192.0.2.51;lr>");
    assert_true(ahoy_span_equal(message->request_uri, SPAN("sip:d@10.0.0.2")));
}

#define RULE(test) cmocka_unit_test_setup_teardown(test, setup, exchange_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RULE(gruus_are_given),
        RULE(no_phone_chooses_its_gruu),
        RULE(a_gruu_reaches_one_instance),
        RULE(a_public_gruu_outlives_its_registration),
        RULE(temporary_gruus_gather),
        RULE(what_is_no_gruu_of_ours),
        RULE(a_public_gruu_ends_with_its_user),
        RULE(a_contact_is_no_gruu_of_another),
        RULE(a_contact_is_not_the_address_itself),
        RULE(the_freshest_of_an_instance),
        RULE(a_gruu_is_as_safe_as_its_contact),
        RULE(gruus_are_compared_as_uris),
        RULE(a_gruu_is_proxied_where_all_else_is_redirected),
        RULE(a_gruu_within_a_dialog),
        RULE(a_path_counts_for_new_requests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
