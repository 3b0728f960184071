/* Who a caller is said to be when his request leaves (RFC 3325); attack 27. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "tests/support/exchange.h"

static const char config[] =
    "listen \"udp:192.0.2.100:5060\"\n"
    "domain \"atlanta.example\"\n"
    "domain(\"open.example\", { auth = \"none\", insecure = true })\n"
    "store \"memory:\"\n"
    "trunk(\"friend\", { \"sip:203.0.113.5:5070\" }, { trusted = true })\n"
    "trunk(\"ally\", { \"sip:203.0.113.7:5070\" }, { trusted = true })\n"
    "trunk(\"carrier\", { \"sip:203.0.113.6:5070\" }, { trusted = false })\n"
    "route { domain = \"friend.example\", to = \"friend\", from = \"anyone\" }\n"
    "route { domain = \"quick.example\", to = \"friend\", from = \"anyone\", stateless = true }\n"
    "route { domain = \"slow.example\", to = \"carrier\", from = \"anyone\", stateless = true }\n"
    "route { domain = \"carrier.example\", to = \"carrier\", from = \"anyone\" }\n";

#define BOB     "192.0.2.2:5060"
#define FRIEND  "203.0.113.5:5070"
#define ALLY    "203.0.113.7:5070"
#define CARRIER "203.0.113.6:5070"

static int setup(void **state)
{
    struct exchange *exchange = exchange_new(config, 0);
    exchange_add_user(exchange, "alice", "atlanta.example", "wonderland");
    exchange_add_user(exchange, "no;uri?", "atlanta.example", "wonderland");
    exchange_bind(exchange, "bob@atlanta.example", "sip:bob@192.0.2.2:5060", BOB);
    *state = exchange;
    return 0;
}

#define TO_BOB     "sip:bob@atlanta.example"
#define TO_FRIEND  "sip:x@friend.example"
#define TO_CARRIER "sip:x@carrier.example"

static struct ask alice_calls(const char *uri, const char *rows)
{
    return (struct ask){ .method = "INVITE",
                         .uri = uri,
                         .from = "sip:alice@atlanta.example",
                         .rows = rows,
                         .user = "alice",
                         .password = "wonderland" };
}

static struct ask far_calls(const char *peer, const char *uri, const char *rows)
{
    return (struct ask){
        .peer = peer, .method = "INVITE", .uri = uri, .from = "sip:x@far.example", .rows = rows
    };
}

/* The rows of |header| that reach |peer|, each with a comma behind it. */
static const char *arrives(struct exchange *exchange, struct ask ask, const char *peer,
                           enum ahoy_header header)
{
    static char rows[1024];
    static unsigned call;
    char call_id[32];
    struct ahoy_buf buf = ahoy_buf_over(rows, sizeof rows - 1);
    snprintf(call_id, sizeof call_id, "call%u", call++);
    ask.call_id = call_id;
    (void)exchange_ask_as(exchange, &ask); /* What left is looked at. */
    const struct ahoy_message *message = exchange_sent_to(exchange, peer);
    assert_non_null(message);
    assert_true(message->is_request);
    assert_null(ahoy_message_first(message, AHOY_HEADER_P_PREFERRED_IDENTITY)); /* R3325-6-1 */
    const struct ahoy_field *field = ahoy_message_first(message, header);
    for (; field != NULL; field = ahoy_message_next(message, field)) {
        ahoy_buf_put(&buf, field->value);
        ahoy_buf_put_byte(&buf, ',');
    }
    rows[buf.size] = '\0';
    return rows;
}

static const char *asserted(struct exchange *exchange, struct ask ask, const char *peer)
{
    return arrives(exchange, ask, peer, AHOY_HEADER_P_ASSERTED_IDENTITY);
}

#define ALICES "<sip:alice@atlanta.example>,"

/* R3325-5-1, -2 and -3, R3325-9.1-1 and -2, R3325-11-2 and -5: what a user has proved, whatever he
 * says of himself. */
static void a_user_is_who_he_proved(void **state)
{
    static const char *const rows[] = {
        "",
        "P-Asserted-Identity: <sip:boss@atlanta.example>\r\n",
        "P-Asserted-Identity: <sip:boss@atlanta.example>, <tel:+1>\r\nP-Asserted-Identity: "
        "<tel:+2>\r\n",
        "P-Preferred-Identity: <sip:boss@atlanta.example>\r\n",
        "P-Preferred-Identity: <sips:boss@atlanta.example>\r\n",
        "P-Preferred-Identity: <tel:+1>, \"Boss\" <sip:Alice@far.example>\r\n",
        "P-Preferred-Identity: <sip:alice@open.example>\r\n",
        "P-Preferred-Identity: \"Boss\" <sip:%61lice@ATLANTA.example>\r\n",
        "P-Preferred-Identity: <<<\r\n",
        "Privacy: none\r\n",
        "Privacy: header;idle\r\n",
    };
    struct exchange *exchange = *state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_string_equal(asserted(exchange, alice_calls(TO_BOB, rows[i]), BOB), ALICES);
        assert_string_equal(asserted(exchange, alice_calls(TO_CARRIER, rows[i]), CARRIER), ALICES);
    }
    assert_string_equal(
        asserted(exchange,
                 alice_calls(TO_BOB, "P-Preferred-Identity: <sip:boss@atlanta.example>\r\n"
                                     "P-Preferred-Identity: <sips:alice@atlanta.example>\r\n"),
                 BOB),
        "<sips:alice@atlanta.example>,");
}

/* R3325-4-1, R3325-5-4, R3325-7-1, -2 and -4. */
static void privacy_is_for_those_who_are_not_trusted(void **state)
{
    static const char *const rows[] = { "Privacy: id\r\n", "Privacy: header; ID ;critical\r\n" };
    struct exchange *exchange = *state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_string_equal(asserted(exchange, alice_calls(TO_BOB, rows[i]), BOB), "");
        assert_string_equal(asserted(exchange, alice_calls(TO_CARRIER, rows[i]), CARRIER), "");
        assert_string_equal(asserted(exchange, alice_calls(TO_FRIEND, rows[i]), FRIEND), ALICES);
    }
    const char *kept =
        arrives(exchange, alice_calls(TO_FRIEND, rows[0]), FRIEND, AHOY_HEADER_PRIVACY);
    assert_string_equal(kept, "id,");
}

/* RFC 3325 5, 10.2; R3325-7-2 and -4: a trunk that is trusted is believed, and no other. */
static void trunks_are_believed_if_trusted(void **state)
{
#define THEIRS "P-Asserted-Identity: <sip:x@far.example>\r\nP-Asserted-Identity: <tel:+1>\r\n"
    static const char both[] = "<sip:x@far.example>,<tel:+1>,";
    struct exchange *exchange = *state;
    assert_string_equal(asserted(exchange, far_calls(FRIEND, TO_BOB, THEIRS), BOB), both);
    assert_string_equal(
        asserted(exchange, far_calls(FRIEND, TO_BOB, THEIRS "Privacy: none\r\n"), BOB), both);
    assert_string_equal(
        asserted(exchange, far_calls(FRIEND, TO_BOB, THEIRS "Privacy: id\r\n"), BOB), "");
    assert_string_equal(asserted(exchange,
                                 far_calls(FRIEND, "sip:x@quick.example", THEIRS "Privacy: id\r\n"),
                                 FRIEND),
                        both);
    assert_string_equal(asserted(exchange, far_calls(CARRIER, TO_BOB, THEIRS), BOB), "");
    assert_string_equal(asserted(exchange, far_calls(CARRIER, TO_FRIEND, THEIRS), FRIEND), "");
    assert_string_equal(
        asserted(exchange, far_calls("198.51.100.7:5060", TO_FRIEND, THEIRS), FRIEND), "");
    assert_string_equal(
        asserted(exchange, far_calls("198.51.100.7:5060", "sip:x@quick.example", THEIRS), FRIEND),
        "");
    /* Who is not asked for a password has not proved anything. */
    struct ask open = far_calls("192.0.2.9:5060", TO_FRIEND, THEIRS);
    open.from = "sip:someone@open.example";
    assert_string_equal(asserted(exchange, open, FRIEND), "");
}

/* RFC 3325 10.1: From hides the caller, his proxy knows him all the same. */
static void the_hidden_are_known_to_us(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = alice_calls(
        TO_FRIEND, "P-Preferred-Identity: <sip:alice@atlanta.example>\r\nPrivacy: id\r\n");
    ask.from = "sip:anonymous@anonymous.invalid";
    assert_int_equal(exchange_ask(exchange, &ask), 407);
    assert_string_equal(asserted(exchange, ask, FRIEND), ALICES);
    /* He is who he proves to be, not whom he would like to be. */
    ask.rows = "P-Preferred-Identity: <sip:bob@atlanta.example>\r\nPrivacy: id\r\n";
    assert_string_equal(asserted(exchange, ask, FRIEND), ALICES);
    ask.uri = TO_BOB;
    assert_string_equal(asserted(exchange, ask, BOB), "");
    /* A name that fits no URI is not asserted as another one. */
    ask.user = "no;uri?";
    ask.uri = TO_FRIEND;
    const char *row = asserted(exchange, ask, FRIEND);
    assert_true(row[0] == '\0' || strcmp(row, "<sip:no;uri?@atlanta.example>,") == 0);
    /* A trunk that hides its caller is not asked for our passwords. */
    ask.peer = FRIEND;
    ask.uri = TO_BOB;
    ask.rows = "P-Preferred-Identity: <sip:alice@atlanta.example>\r\n"
               "P-Asserted-Identity: <sip:x@far.example>\r\n";
    assert_string_equal(asserted(exchange, ask, BOB), "<sip:x@far.example>,");
}

/* What reaches |from| of |rows| in an answer with |status| that |to| gives. */
static const char *comes_back(struct exchange *exchange, struct ask ask, const char *to,
                              unsigned status, const char *rows)
{
    static char text[512];
    char answer[4096];
    const char *from = ask.peer != NULL ? ask.peer : "192.0.2.1:5060";
    (void)arrives(exchange, ask, to, AHOY_HEADER_VIA);
    const struct ahoy_message *request = exchange_sent_to(exchange, to);
    struct ahoy_buf buf = ahoy_buf_over(answer, sizeof answer);
    ahoy_buf_put(&buf, SPAN("SIP/2.0 "));
    ahoy_buf_put_number(&buf, status);
    ahoy_buf_put(&buf, SPAN(" Yes\r\n"));
    static const enum ahoy_header copied[] = { AHOY_HEADER_VIA, AHOY_HEADER_FROM, AHOY_HEADER_TO,
                                               AHOY_HEADER_CALL_ID, AHOY_HEADER_CSEQ };
    for (size_t i = 0; i < 5; i++) {
        const struct ahoy_field *field = ahoy_message_first(request, copied[i]);
        for (; field != NULL; field = ahoy_message_next(request, field))
            ahoy_buf_put(&buf, field->row);
    }
    ahoy_buf_put(&buf, ahoy_span(rows));
    ahoy_buf_put(&buf, SPAN("Content-Length: 0\r\n\r\n"));
    exchange_datagram(exchange, to, ahoy_buf_text(&buf));
    const struct ahoy_message *response = exchange_sent_to(exchange, from);
    assert_non_null(response);
    assert_int_equal(response->status, status);
    assert_null(ahoy_message_first(response, AHOY_HEADER_P_PREFERRED_IDENTITY)); /* R3325-6-1 */
    struct ahoy_buf found = ahoy_buf_over(text, sizeof text - 1);
    const struct ahoy_field *field = ahoy_message_first(response, AHOY_HEADER_P_ASSERTED_IDENTITY);
    for (; field != NULL; field = ahoy_message_next(response, field)) {
        ahoy_buf_put(&found, field->value);
        ahoy_buf_put_byte(&found, ',');
    }
    text[found.size] = '\0';
    return text;
}

/* RFC 3325 5, R3325-4-1, R3325-5-2, R3325-5-3, R3325-5-4, R3325-7-1, R3325-7-4: responses too, with
 * state and without; nothing is asserted of a phone that answers. */
static void who_answers_is_vouched_for_by_the_trusted(void **state)
{
#define CALLEE  "P-Asserted-Identity: <sip:y@far.example>\r\nP-Preferred-Identity: <sip:z@a>\r\n"
#define CALLEES "<sip:y@far.example>,"
#define HIDDEN  CALLEE "Privacy: id\r\n"
    static const struct {
        const char *from, *uri, *to, *rows, *found;
    } ways[] = {
        { NULL, TO_FRIEND, FRIEND, CALLEE, CALLEES },
        { NULL, TO_FRIEND, FRIEND, HIDDEN, "" },
        { NULL, TO_CARRIER, CARRIER, CALLEE, "" },
        { NULL, TO_BOB, BOB, CALLEE, "" },
        { FRIEND, TO_BOB, BOB, CALLEE, "" },
        { FRIEND, TO_CARRIER, CARRIER, CALLEE, "" },
        { CARRIER, TO_FRIEND, FRIEND, CALLEE, CALLEES },
        { CARRIER, TO_FRIEND, FRIEND, HIDDEN, "" },
        { ALLY, TO_FRIEND, FRIEND, HIDDEN, CALLEES },
        { ALLY, "sip:x@quick.example", FRIEND, HIDDEN, CALLEES },
        { CARRIER, "sip:x@quick.example", FRIEND, CALLEE, CALLEES },
        { CARRIER, "sip:x@quick.example", FRIEND, HIDDEN, "" },
        { CARRIER, "sip:x@slow.example", CARRIER, CALLEE, "" },
    };
    struct exchange *exchange = *state;
    static const unsigned statuses[] = { 180, 200, 486 };
    for (size_t i = 0; i < 3 * sizeof ways / sizeof *ways; i++) {
        const char *from = ways[i / 3].from;
        const char *found = comes_back(exchange,
                                       from != NULL ? far_calls(from, ways[i / 3].uri, "")
                                                    : alice_calls(ways[i / 3].uri, ""),
                                       ways[i / 3].to, statuses[i % 3], ways[i / 3].rows);
        if (strcmp(found, ways[i / 3].found) != 0)
            fail_msg("way %zu, %u: %s", i / 3, statuses[i % 3], found);
    }
}

/* Attack 27: From and To are the user's own, wherever he calls. */
static void from_is_not_spoofed(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = alice_calls(TO_BOB, "");
    ask.from = "sip:boss@atlanta.example";
    assert_int_equal(exchange_ask_as(exchange, &ask), 403);
    ask.peer = FRIEND;
    assert_int_equal(exchange_ask_as(exchange, &ask), 403);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_user_is_who_he_proved, setup, exchange_teardown),
        cmocka_unit_test_setup_teardown(privacy_is_for_those_who_are_not_trusted, setup,
                                        exchange_teardown),
        cmocka_unit_test_setup_teardown(trunks_are_believed_if_trusted, setup, exchange_teardown),
        cmocka_unit_test_setup_teardown(the_hidden_are_known_to_us, setup, exchange_teardown),
        cmocka_unit_test_setup_teardown(who_answers_is_vouched_for_by_the_trusted, setup,
                                        exchange_teardown),
        cmocka_unit_test_setup_teardown(from_is_not_spoofed, setup, exchange_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
