/* SUBSCRIBE through the whole server (RFC 6665 4.2), and what it tells of a user's registrations
 * (RFC 3680, RFC 5628). */
#include "tests/support/exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "ahoyd/store/watch.h"

static const char config[] =
    "listen \"udp:192.0.2.100:5060\"\n"
    "domain(\"atlanta.example\", { auth = \"digest\" })\n"
    "store \"memory:\"\n"
    "trunk(\"carrier\", { \"sip:203.0.113.5:5070\" }, { trusted = true })\n"
    "route { domain = \"carrier.example\", to = \"carrier\", from = \"anyone\" }\n";

#define DESK     "192.0.2.2:5060"
#define SOFT     "192.0.2.3:5060"
#define APP      "203.0.113.5:5070"
#define STRANGER "198.51.100.7:5060"
#define EVENT    "Event: reg\r\nContact: <sip:alice@192.0.2.3>\r\n"

static int setup(void **state)
{
    *state = exchange_of_atlanta(config);
    return 0;
}

/* What Alice's soft phone asks about herself. */
static struct ask subscribe(const char *rows)
{
    return (struct ask){ .peer = SOFT,
                         .method = "SUBSCRIBE",
                         .uri = "sip:alice@atlanta.example",
                         .from = "sip:alice@atlanta.example",
                         .call_id = "watch",
                         .rows = rows,
                         .user = "alice",
                         .password = "wonderland" };
}

static unsigned register_desk(struct exchange *exchange, unsigned cseq, const char *rows)
{
    struct ask ask = exchange_alice(rows);
    ask.peer = DESK;
    ask.call_id = "desk";
    ask.cseq = cseq;
    return exchange_ask_as(exchange, &ask);
}

/* The NOTIFY that was sent to |peer|; NULL where none was. */
static const struct ahoy_message *find_notify(struct exchange *exchange)
{
    for (size_t i = 0; i < exchange->count; i++) {
        const struct ahoy_message *message = exchange_sent(exchange, i);
        if (message->is_request && message->method == AHOY_METHOD_NOTIFY)
            return message;
    }
    return NULL;
}

static bool has(const struct ahoy_message *message, const char *text)
{
    return memmem(message->body.at, message->body.size, text, strlen(text)) != NULL;
}

static void expect_state(const struct ahoy_message *notify, const char *state)
{
    assert_non_null(notify);
    assert_string_equal(exchange_value(notify, AHOY_HEADER_SUBSCRIPTION_STATE), state);
}

/* The subscriber answers the NOTIFY at hand. */
static void answer(struct exchange *exchange, const char *peer, const char *status)
{
    char text[2048];
    const struct ahoy_message *notify = find_notify(exchange);
    assert_non_null(notify);
    struct ahoy_buf buf = ahoy_buf_over(text, sizeof text);
    ahoy_buf_put(&buf, SPAN("SIP/2.0 "));
    ahoy_buf_put(&buf, ahoy_span(status));
    static const enum ahoy_header rows[] = { AHOY_HEADER_VIA, AHOY_HEADER_FROM, AHOY_HEADER_TO,
                                             AHOY_HEADER_CALL_ID, AHOY_HEADER_CSEQ };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ahoy_buf_put(&buf, SPAN("\r\n"));
        ahoy_buf_put(&buf, ahoy_header_name(rows[i]));
        ahoy_buf_put(&buf, SPAN(": "));
        ahoy_buf_put(&buf, ahoy_message_value(notify, rows[i]));
    }
    ahoy_buf_put(&buf, SPAN("\r\nContent-Length: 0\r\n\r\n"));
    exchange_datagram(exchange, peer, ahoy_buf_text(&buf));
}

/* The To tag of the 200 at hand. */
static const char *tag_of(struct exchange *exchange)
{
    static char tag[64];
    const char *to = exchange_value(exchange_sent(exchange, 0), AHOY_HEADER_TO);
    const char *at = strstr(to, ";tag=");
    assert_non_null(at);
    (void)snprintf(tag, sizeof tag, "%s", at + 5);
    return tag;
}

/* RFC 3680 6: R6665-3.1.1-2, R6665-4.2.1.2-1, R6665-4.2.2-1, -3 and -4, R6665-4.5.1-1,
 * R5627-4.3-1, R6665-8.3.1-2, R3680-4.5-3, R3680-5.1-5, -8 and -9. */
static void the_state_is_told_at_once(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = subscribe(EVENT "Expires: 600\r\n");
    assert_int_equal(exchange_ask_as(exchange, &ask), 200);
    assert_int_equal(exchange->count, 2);
    const struct ahoy_message *ok = exchange_sent(exchange, 0);
    assert_string_equal(exchange_value(ok, AHOY_HEADER_EXPIRES), "600");
    assert_string_equal(exchange_value(ok, AHOY_HEADER_CONTACT),
                        "<sip:192.0.2.100:5060;transport=udp;gr>");
    const struct ahoy_message *notify = find_notify(exchange);
    expect_state(notify, "active;expires=600");
    assert_string_equal(exchange_value(notify, AHOY_HEADER_EVENT), "reg");
    assert_string_equal(exchange_value(notify, AHOY_HEADER_CONTENT_TYPE),
                        "application/reginfo+xml");
    assert_true(ahoy_span_equal(notify->request_uri, SPAN("sip:alice@192.0.2.3")));
    assert_true(has(notify, " version=\"0\" state=\"full\">\n<registration "
                            "aor=\"sip:alice@atlanta.example\" id=\"r\" state=\"init\">\n"
                            "</registration>"));
}

/* R3680-5.1-11, -13, -14 and -15: who comes and goes, and how; R3680-4.7.1-1, R3680-4.7.2-1: that
 * nobody is there any more is told once. */
static void changes_are_told(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = subscribe(EVENT);
    assert_int_equal(exchange_ask_as(exchange, &ask), 200);
    answer(exchange, SOFT, "200 OK");
    exchange_wait(exchange, 5000);
    assert_int_equal(
        register_desk(exchange, 1,
                      "Contact: <sip:alice@192.0.2.2>;expires=100;q=0.5;+a=\"<&>\"\r\n"),
        200);
    const struct ahoy_message *notify = find_notify(exchange);
    assert_true(has(notify, "version=\"1\""));
    assert_true(has(notify, "state=\"active\" event=\"registered\" expires=\"100\" q=\"0.500\" "
                            "callid=\"desk\" cseq=\"2\"><uri>sip:alice@192.0.2.2</uri>"
                            "<unknown-param name=\"+a\">&#34;&#60;&#38;&#62;&#34;</unknown-param>"
                            "</contact>"));
    answer(exchange, SOFT, "200 OK");
    exchange_wait(exchange, 5000);
    assert_int_equal(register_desk(exchange, 3, "Contact: <sip:alice@192.0.2.2>;expires=200\r\n"),
                     200);
    notify = find_notify(exchange);
    assert_true(has(notify, "state=\"active\" event=\"refreshed\" expires=\"200\""));
    answer(exchange, SOFT, "200 OK");
    exchange_wait(exchange, 5000);
    assert_int_equal(register_desk(exchange, 5, "Contact: <sip:alice@192.0.2.2>;expires=0\r\n"),
                     200);
    notify = find_notify(exchange);
    assert_true(has(notify, "state=\"terminated\">\n<contact id="));
    assert_true(has(notify, "state=\"terminated\" event=\"unregistered\" callid"));
    answer(exchange, SOFT, "200 OK");
    exchange_wait(exchange, 60000);
    assert_null(find_notify(exchange));
}

/* Nobody says that a binding has expired, but who watches learns it, when it does. */
static void an_expiry_is_told(void **state)
{
    struct exchange *exchange = *state;
    assert_int_equal(register_desk(exchange, 1, "Contact: <sip:alice@192.0.2.2>;expires=90\r\n"),
                     200);
    struct ask ask = subscribe(EVENT);
    assert_int_equal(exchange_ask_as(exchange, &ask), 200);
    answer(exchange, SOFT, "200 OK");
    exchange_wait(exchange, 89000);
    assert_null(find_notify(exchange));
    exchange_wait(exchange, 2000);
    assert_true(has(find_notify(exchange), "state=\"terminated\" event=\"expired\""));
}

/* RFC 3680 4.10: what changes within five seconds is told as one. */
static void changes_wait_for_the_pause(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = subscribe(EVENT);
    assert_int_equal(exchange_ask_as(exchange, &ask), 200);
    answer(exchange, SOFT, "200 OK");
    assert_int_equal(register_desk(exchange, 1, "Contact: <sip:alice@192.0.2.2>\r\n"), 200);
    assert_null(find_notify(exchange));
    assert_int_equal(register_desk(exchange, 3, "Contact: <sip:alice@192.0.2.4>\r\n"), 200);
    assert_null(find_notify(exchange));
    exchange_wait(exchange, 5000);
    const struct ahoy_message *notify = find_notify(exchange);
    assert_true(has(notify, "sip:alice@192.0.2.2") && has(notify, "sip:alice@192.0.2.4"));
    assert_true(has(notify, "version=\"1\""));
}

/* R5627-5.5-1: the public GRUU of an instance, as its 200 had it. */
static void gruus_are_told(void **state)
{
    struct exchange *exchange = *state;
    assert_int_equal(register_desk(exchange, 1,
                                   "Contact: <sip:alice@192.0.2.2>;+sip.instance=\"<urn:x:1>\"\r\n"
                                   "Supported: gruu\r\n"),
                     200);
    struct ask ask = subscribe(EVENT);
    assert_int_equal(exchange_ask_as(exchange, &ask), 200);
    const struct ahoy_message *notify = find_notify(exchange);
    assert_true(has(notify, "<gr:pub-gruu uri=\"sip:alice@atlanta.example;gr=urn:x:1\"/>"));
    assert_true(has(notify, "<unknown-param name=\"+sip.instance\">&#34;&#60;urn:x:1&#62;&#34;"));
}

/* R6665-4.2.1.1-2, R6665-4.2.1.4-1, R6665-4.2.2-5, R6665-4.5.2-2: refreshed and ended within its
 * dialog, each with a NOTIFY. */
static void it_is_refreshed_and_ended(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = subscribe("Event: reg;id=7\r\nContact: <sip:alice@192.0.2.3>\r\n"
                               "Expires: 100\r\n");
    assert_int_equal(exchange_ask_as(exchange, &ask), 200);
    ask.to_tag = tag_of(exchange);
    assert_string_equal(exchange_value(find_notify(exchange), AHOY_HEADER_EVENT), "reg;id=7");
    answer(exchange, SOFT, "200 OK");
    exchange_wait(exchange, 50000);
    ask.uri = "sip:192.0.2.100:5060;transport=udp;gr";
    ask.to = "sip:alice@atlanta.example";
    ask.cseq = 3;
    assert_int_equal(exchange_ask_as(exchange, &ask), 200);
    expect_state(find_notify(exchange), "active;expires=100");
    answer(exchange, SOFT, "200 OK");
    ask.cseq = 1;
    assert_int_equal(exchange_ask_as(exchange, &ask), 500);
    ask.cseq = 7;
    ask.rows = EVENT;
    assert_int_equal(exchange_ask_as(exchange, &ask), 481); /* Another id. */
    struct ask bob = ask;                                   /* Whoever has seen its tags. */
    bob.from = bob.to = "sip:bob@atlanta.example";
    bob.user = "bob";
    bob.password = "builder";
    bob.rows = "Event: reg;id=7\r\nContact: <sip:bob@192.0.2.3>\r\nExpires: 0\r\n";
    assert_int_equal(exchange_ask_as(exchange, &bob), 403);
    ask.cseq = 9;
    ask.rows = "Event: reg;id=7\r\nContact: <sip:alice@192.0.2.3>\r\nExpires: 0\r\n";
    assert_int_equal(exchange_ask_as(exchange, &ask), 200);
    expect_state(find_notify(exchange), "terminated;reason=timeout");
    answer(exchange, SOFT, "200 OK");
    ask.cseq = 11;
    assert_int_equal(exchange_ask(exchange, &ask), 481);
}

/* 4.4.3: what there is now, and no more. */
static void it_is_asked_once(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = subscribe(EVENT "Expires: 0\r\n");
    assert_int_equal(exchange_ask_as(exchange, &ask), 200);
    expect_state(find_notify(exchange), "terminated;reason=timeout");
    assert_true(has(find_notify(exchange), "state=\"init\""));
    answer(exchange, SOFT, "200 OK");
    assert_int_equal(register_desk(exchange, 1, "Contact: <sip:alice@192.0.2.2>\r\n"), 200);
    exchange_wait(exchange, 60000);
    assert_null(find_notify(exchange));
}

static void it_expires(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = subscribe(EVENT "Expires: 60\r\n");
    assert_int_equal(exchange_ask_as(exchange, &ask), 200);
    answer(exchange, SOFT, "200 OK");
    exchange_wait(exchange, 60000);
    expect_state(find_notify(exchange), "terminated;reason=timeout");
}

/* R6665-4.2.2-2, and timer F: who is not there is not told any more. */
static void who_is_gone_is_forgotten(void **state)
{
    static const char *const answers[] = { "481 Gone", "404 Gone", NULL };
    struct exchange *exchange = *state;
    unsigned cseq = 1;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++, cseq += 4) {
        struct ask ask = subscribe(EVENT);
        ask.cseq = cseq;
        assert_int_equal(exchange_ask_as(exchange, &ask), 200);
        if (answers[i] != NULL)
            answer(exchange, SOFT, answers[i]);
        else
            exchange_wait(exchange, 33000);
        assert_int_equal(
            register_desk(exchange, cseq, "Contact: <sip:alice@192.0.2.2>;expires=70\r\n"), 200);
        exchange_wait(exchange, 6000);
        assert_null(find_notify(exchange));
    }
}

/* RFC 3680 4.6: others than he himself, and trusted peers, learn nothing. */
static void only_he_may_watch(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = subscribe(EVENT);
    ask.from = "sip:bob@atlanta.example";
    ask.user = "bob";
    ask.password = "builder";
    assert_int_equal(exchange_ask_as(exchange, &ask), 403);
    ask.peer = STRANGER;
    ask.from = "sip:stranger@far.example";
    assert_int_equal(exchange_ask(exchange, &ask), 401);
    assert_null(find_notify(exchange));
    ask.peer = APP;
    ask.from = "sip:app@carrier.example";
    assert_int_equal(exchange_ask(exchange, &ask), 200);
    assert_non_null(find_notify(exchange));
}

/* R6665-4.4.4-1: what is not understood, and what cannot be. */
static void what_cannot_be_is_refused(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = subscribe(EVENT "Expires: 30\r\n");
    ask.peer = APP;
    assert_int_equal(exchange_ask(exchange, &ask), 423);
    assert_string_equal(exchange_value(exchange_sent(exchange, 0), AHOY_HEADER_MIN_EXPIRES), "60");
    ask.rows = EVENT "Accept: application/pidf+xml\r\n";
    assert_int_equal(exchange_ask(exchange, &ask), 406);
    ask.rows = EVENT "Accept: text/plain, application/*;q=0.5\r\n";
    assert_int_equal(exchange_ask(exchange, &ask), 200);
    ask.rows = "Event: reg\r\n";
    ask.call_id = "without";
    assert_int_equal(exchange_ask(exchange, &ask), 400); /* No Contact. */
    ask.uri = "sip:192.0.2.100:5060";
    ask.rows = "Event: weather\r\n";
    assert_int_equal(exchange_ask(exchange, &ask), 489);
    assert_string_equal(exchange_value(exchange_sent(exchange, 0), AHOY_HEADER_ALLOW_EVENTS),
                        "reg");
    ask.rows = EVENT;
    ask.to_tag = "none";
    assert_int_equal(exchange_ask(exchange, &ask), 481);
}

/* Other packages are the phones' business. */
static void other_packages_are_forwarded(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = subscribe("Event: presence\r\nContact: <sip:alice@192.0.2.3>\r\n");
    exchange_bind(exchange, "alice@atlanta.example", "sip:alice@192.0.2.2", DESK);
    assert_int_equal(exchange_ask_as(exchange, &ask), 0);
    const struct ahoy_message *forwarded = exchange_sent_to(exchange, DESK);
    assert_non_null(forwarded);
    assert_int_equal(forwarded->method, AHOY_METHOD_SUBSCRIBE);
}

/* The same bytes again are the same subscription. */
static void a_retransmission_makes_no_other(void **state)
{
    struct exchange *exchange = *state;
    char text[2048], branch[2048];
    struct ask ask = subscribe(EVENT);
    ask.peer = APP;
    struct span bytes = exchange_print_ask(exchange, &ask, "", text, sizeof text);
    exchange_datagram(exchange, APP, bytes);
    (void)snprintf(branch, sizeof branch, "%s", tag_of(exchange));
    assert_non_null(find_notify(exchange));
    exchange_datagram(exchange, APP, bytes);
    assert_int_equal(exchange->count, 1);
    assert_string_equal(tag_of(exchange), branch);
}

static void there_is_a_limit(void **state)
{
    struct exchange *exchange = *state;
    char call_id[32];
    struct ask ask = subscribe(EVENT);
    ask.peer = APP;
    ask.call_id = call_id;
    for (unsigned i = 0; i <= AHOYD_WATCHES_AOR_LIMIT; i++) {
        (void)snprintf(call_id, sizeof call_id, "watch-%u", i);
        assert_int_equal(exchange_ask(exchange, &ask), i < AHOYD_WATCHES_AOR_LIMIT ? 200 : 403);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define SERVER_TEST(test) cmocka_unit_test_setup_teardown(test, setup, exchange_teardown)
        SERVER_TEST(the_state_is_told_at_once),
        SERVER_TEST(changes_are_told),
        SERVER_TEST(an_expiry_is_told),
        SERVER_TEST(changes_wait_for_the_pause),
        SERVER_TEST(gruus_are_told),
        SERVER_TEST(it_is_refreshed_and_ended),
        SERVER_TEST(it_is_asked_once),
        SERVER_TEST(it_expires),
        SERVER_TEST(who_is_gone_is_forgotten),
        SERVER_TEST(only_he_may_watch),
        SERVER_TEST(what_cannot_be_is_refused),
        SERVER_TEST(other_packages_are_forwarded),
        SERVER_TEST(a_retransmission_makes_no_other),
        SERVER_TEST(there_is_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
