/* What callers wish, through the whole server (RFC 3840, RFC 3841): which phones ring, in which
 * order, and what becomes of the others. */
#include "tests/support/exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "libahoy/syntax/compose.h"

static const char config[] = "listen \"udp:192.0.2.100:5060\"\n"
                             "domain(\"open.example\", { auth = \"none\", insecure = true })\n"
                             "domain(\"order.example\", { auth = \"none\", insecure = true, "
                             "ring = \"order\" })\n"
                             "domain(\"moved.example\", { auth = \"none\", insecure = true, "
                             "mode = \"redirect\" })\n"
                             "trunk(\"carrier\", { \"sip:203.0.113.5:5070\" })\n"
                             "route { domain = \"carrier.example\", to = \"carrier\", from = "
                             "\"anyone\" }\n"
                             "store \"memory:\"\n";

#define CALLER "198.51.100.7:5060"

/* Three phones of bob's, at 192.0.2.1 to .3. */
static const char *const phones[] = { "192.0.2.1:5060", "192.0.2.2:5060", "192.0.2.3:5060" };

static int setup(void **state)
{
    *state = exchange_new(config, 0);
    return 0;
}

/* Registers phone number |index| with |params| behind its contact. */
static void registers(struct exchange *exchange, const char *domain, unsigned index,
                      const char *params)
{
    char uri[64], user[64], rows[512], call_id[64];
    snprintf(uri, sizeof uri, "sip:%s", domain);
    snprintf(user, sizeof user, "sip:bob@%s", domain);
    snprintf(call_id, sizeof call_id, "%s-%u", domain, index);
    snprintf(rows, sizeof rows, "Contact: <sip:bob@192.0.2.%u>%s\r\n", index + 1, params);
    const struct ask ask = { .peer = phones[index],
                             .method = "REGISTER",
                             .uri = uri,
                             .from = user,
                             .to = user,
                             .call_id = call_id,
                             .rows = rows };
    assert_int_equal(exchange_ask(exchange, &ask), 200);
}

static unsigned asks(struct exchange *exchange, const char *method, const char *domain,
                     const char *rows)
{
    static char call_id[32];
    static unsigned calls;
    char uri[64];
    snprintf(call_id, sizeof call_id, "call-%u", calls++);
    snprintf(uri, sizeof uri, "sip:bob@%s", domain);
    const struct ask ask = { .peer = CALLER,
                             .method = method,
                             .uri = uri,
                             .from = "sip:x@far.example",
                             .call_id = call_id,
                             .rows = rows };
    return exchange_ask(exchange, &ask);
}

/* Which phones have been sent something just now, as "13". */
static const char *rung(struct exchange *exchange)
{
    static char text[8];
    size_t size = 0;
    for (unsigned i = 0; i < 3; i++) {
        if (exchange_sent_to(exchange, phones[i]) != NULL)
            text[size++] = (char)('1' + i);
    }
    text[size] = '\0';
    return text;
}

/* Phone number |index| answers what it was sent. */
static void answers(struct exchange *exchange, unsigned index, unsigned status, const char *rows)
{
    exchange_answer(exchange, phones[index], status, rows);
}

static void three_phones(struct exchange *exchange, const char *domain)
{
    registers(exchange, domain, 0, ";audio;methods=\"INVITE,MESSAGE\";q=0.3");
    registers(exchange, domain, 1, ";audio;video;methods=\"INVITE\";q=0.3");
    registers(exchange, domain, 2, ";q=0.5");
}

/* R3840-6-3: whoever registers is told all features of all contacts. */
static void features_are_told(void **state)
{
    struct exchange *exchange = *state;
    registers(exchange, "open.example", 0, ";audio;methods=\"INVITE,BYE\";+sip.x=\"<Y>\"");
    const char *value = exchange_value(exchange_sent(exchange, 0), AHOY_HEADER_CONTACT);
    assert_non_null(strstr(value, ";audio;methods=\"INVITE,BYE\";+sip.x=\"<Y>\""));
}

/* 7.2.4: left out is who does not match what is required, or is rejected. */
static void some_are_left_out(void **state)
{
    struct exchange *exchange = *state;
    three_phones(exchange, "open.example");
    assert_int_equal(asks(exchange, "INVITE", "open.example", NULL), 100);
    assert_string_equal(rung(exchange), "123");
    assert_int_equal(asks(exchange, "MESSAGE", "open.example", NULL), 0); /* Implied. */
    assert_string_equal(rung(exchange), "13");
    assert_int_equal(asks(exchange, "INVITE", "open.example", "Reject-Contact: *;video\r\n"), 100);
    assert_string_equal(rung(exchange), "13");
    assert_int_equal(
        asks(exchange, "INVITE", "open.example", "Accept-Contact: *;video;require;explicit\r\n"),
        100);
    assert_string_equal(rung(exchange), "23");
}

/* Where none is left of what was implied, all are asked; of what was said, none: 480. */
static void nobody_suits(void **state)
{
    struct exchange *exchange = *state;
    registers(exchange, "open.example", 0, ";methods=\"INVITE\"");
    assert_int_equal(asks(exchange, "MESSAGE", "open.example", NULL), 0);
    assert_string_equal(rung(exchange), "1");
    assert_int_equal(asks(exchange, "MESSAGE", "open.example",
                          "Accept-Contact: *;methods=\"MESSAGE\";require\r\n"),
                     480);
    assert_int_equal(asks(exchange, "INVITE", "open.example", "Accept-Contact: nonsense\r\n"), 400);
}

/* Those that suit better ring before those that suit less; the domain's ring_time is between. */
static void the_best_ring_first(void **state)
{
    struct exchange *exchange = *state;
    three_phones(exchange, "open.example");
    assert_int_equal(asks(exchange, "INVITE", "open.example", "Accept-Contact: *;video\r\n"), 100);
    assert_string_equal(rung(exchange), "23"); /* The one says so, the other is immune. */
    answers(exchange, 1, 180, "");
    exchange_wait(exchange, 20000);
    const struct ahoy_message *message = exchange_sent_to(exchange, phones[0]);
    assert_non_null(message);
    assert_int_equal(message->method, AHOY_METHOD_INVITE);
    message = exchange_sent_to(exchange, phones[1]);
    assert_non_null(message);
    assert_int_equal(message->method, AHOY_METHOD_CANCEL);
}

/* The callee's own order comes first. */
static void q_counts_more_than_wishes(void **state)
{
    struct exchange *exchange = *state;
    three_phones(exchange, "order.example");
    assert_int_equal(asks(exchange, "INVITE", "order.example", "Accept-Contact: *;video\r\n"), 100);
    assert_string_equal(rung(exchange), "3");
    answers(exchange, 2, 486, "");
    assert_string_equal(rung(exchange), "23"); /* With the ACK to 486. */
    assert_int_equal(asks(exchange, "INVITE", "order.example", NULL), 100);
    answers(exchange, 2, 486, "");
    assert_string_equal(rung(exchange), "123"); /* One q, no wish: both. */
}

/* 9.1: no-fork is the best alone. */
static void no_fork(void **state)
{
    struct exchange *exchange = *state;
    three_phones(exchange, "open.example");
    assert_int_equal(asks(exchange, "INVITE", "open.example", "Request-Disposition: no-fork\r\n"),
                     100);
    assert_string_equal(rung(exchange), "3");
    answers(exchange, 2, 486, "");
    assert_string_equal(rung(exchange), "3"); /* Its ACK. */
    assert_int_equal(asks(exchange, "INVITE", "open.example",
                          "d: No-Fork\r\nAccept-Contact: *;video;require;explicit\r\n"
                          "Reject-Contact: *;audio=\"FALSE\"\r\n"),
                     100);
    assert_string_equal(rung(exchange), "3"); /* By q; it registered nothing. */
}

static void sequential_and_parallel(void **state)
{
    struct exchange *exchange = *state;
    three_phones(exchange, "open.example");
    three_phones(exchange, "order.example");
    assert_int_equal(
        asks(exchange, "INVITE", "open.example", "Request-Disposition: proxy, sequential\r\n"),
        100);
    assert_string_equal(rung(exchange), "3");
    answers(exchange, 2, 486, "");
    assert_string_equal(rung(exchange), "13");
    answers(exchange, 0, 486, "");
    assert_string_equal(rung(exchange), "12");
    assert_int_equal(asks(exchange, "INVITE", "order.example", "Request-Disposition: parallel\r\n"),
                     100);
    assert_string_equal(rung(exchange), "123");
}

/* Whoever wants all answers gets them. */
static void no_cancel(void **state)
{
    struct exchange *exchange = *state;
    three_phones(exchange, "open.example");
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(asks(exchange, "INVITE", "open.example",
                              i == 0 ? "Request-Disposition: no-cancel\r\n" : NULL),
                         100);
        char space[4096];
        struct ahoy_buf late = ahoy_buf_over(space, sizeof space);
        const struct ahoy_response response = { .status = 200, .to_tag = SPAN("late") };
        ahoy_compose_response(&late, exchange_sent_to(exchange, phones[1]), &response);
        const struct ahoy_response ringing = { .status = 180, .to_tag = SPAN("late") };
        char more[4096];
        struct ahoy_buf buf = ahoy_buf_over(more, sizeof more);
        ahoy_compose_response(&buf, exchange_sent_to(exchange, phones[1]), &ringing);
        char answer[4096];
        struct ahoy_buf first = ahoy_buf_over(answer, sizeof answer);
        ahoy_compose_response(&first, exchange_sent_to(exchange, phones[0]),
                              &(struct ahoy_response){ .status = 200, .to_tag = SPAN("first") });
        exchange_datagram(exchange, phones[1], ahoy_buf_text(&buf));
        exchange_datagram(exchange, phones[0], ahoy_buf_text(&first));
        assert_non_null(exchange_sent_to(exchange, CALLER));
        if (i == 1) {
            assert_string_equal(rung(exchange), "2"); /* CANCEL. */
            continue;
        }
        assert_string_equal(rung(exchange), "");
        exchange_datagram(exchange, phones[1], ahoy_buf_text(&late));
        assert_int_equal(exchange_sent_to(exchange, CALLER)->status, 200);
    }
}

static void no_recurse(void **state)
{
    struct exchange *exchange = *state;
    registers(exchange, "open.example", 0, "");
    registers(exchange, "order.example", 1, "");
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(asks(exchange, "INVITE", "open.example",
                              i == 0 ? "Request-Disposition: no-recurse\r\n" : NULL),
                         100);
        answers(exchange, 0, 302, "Contact: <sip:bob@order.example>\r\n");
        assert_string_equal(rung(exchange), i == 0 ? "1" : "12");
        const struct ahoy_message *answer = exchange_sent_to(exchange, CALLER);
        assert_true(i == 1 || answer->status == 302);
    }
}

/* Preferences are asked again of whom a redirection leads to (7.2.4). */
static void wishes_go_with_a_redirection(void **state)
{
    struct exchange *exchange = *state;
    registers(exchange, "open.example", 0, "");
    registers(exchange, "order.example", 1, ";video");
    registers(exchange, "order.example", 2, ";video=\"FALSE\"");
    assert_int_equal(
        asks(exchange, "INVITE", "open.example", "Accept-Contact: *;video;require\r\n"), 100);
    answers(exchange, 0, 302, "Contact: <sip:bob@order.example>\r\n");
    assert_string_equal(rung(exchange), "12");
}

/* R3841-7-1: none of the rows is changed or removed on the way. */
static void wishes_go_on(void **state)
{
    struct exchange *exchange = *state;
    registers(exchange, "open.example", 0, "");
    assert_int_equal(asks(exchange, "INVITE", "open.example",
                          "Accept-Contact: *;audio;x=1\r\nj:  *;video\r\n"
                          "Request-Disposition: no-fork,  queue\r\n"),
                     100);
    struct span bytes = exchange_sent_to(exchange, phones[0])->bytes;
    assert_non_null(strstr(bytes.at, "\r\nAccept-Contact: *;audio;x=1\r\n"));
    assert_non_null(strstr(bytes.at, "\r\nj:  *;video\r\n"));
    assert_non_null(strstr(bytes.at, "\r\nRequest-Disposition: no-fork,  queue\r\n"));
}

/* R3841-7.2-1: they are for the owner of the domain to apply, and nonsense is his to refuse. */
static void wishes_of_others_are_theirs(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = { .peer = CALLER,
                       .method = "MESSAGE",
                       .uri = "sip:bob@carrier.example",
                       .from = "sip:x@far.example",
                       .rows = "Accept-Contact: nonsense\r\nReject-Contact: *\r\n" };
    assert_int_equal(exchange_ask(exchange, &ask), 0);
    assert_non_null(exchange_sent_to(exchange, "203.0.113.5:5070"));
}

/* R3841-7.2.4-1, -2: a redirection that tells features tells all contacts, with their own q. */
static void a_redirection_leaves_it_to_the_caller(void **state)
{
    struct exchange *exchange = *state;
    registers(exchange, "moved.example", 0, ";audio;q=0.3");
    registers(exchange, "moved.example", 1, ";video;q=0.5");
    assert_int_equal(asks(exchange, "INVITE", "moved.example",
                          "Reject-Contact: *;video\r\nAccept-Contact: *;audio;require\r\n"),
                     302);
    struct span bytes = exchange_sent(exchange, 0)->bytes;
    assert_non_null(
        strstr(bytes.at, "Contact: <sip:bob@192.0.2.1>;expires=3600;q=0.300;audio\r\n"));
    assert_non_null(
        strstr(bytes.at, "Contact: <sip:bob@192.0.2.2>;expires=3600;q=0.500;video\r\n"));
}

/* RFC 3841 5: it can be asked whether a proxy knows all this. */
static void it_can_be_required(void **state)
{
    struct exchange *exchange = *state;
    registers(exchange, "open.example", 0, "");
    assert_int_equal(asks(exchange, "INVITE", "open.example", "Proxy-Require: Pref\r\n"), 100);
    assert_int_equal(asks(exchange, "INVITE", "open.example", "Proxy-Require: pref, x\r\n"), 420);
    assert_string_equal(exchange_value(exchange_sent(exchange, 0), AHOY_HEADER_UNSUPPORTED), "x");
}

#define RULE(test) cmocka_unit_test_setup_teardown(test, setup, exchange_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RULE(features_are_told),
        RULE(some_are_left_out),
        RULE(nobody_suits),
        RULE(the_best_ring_first),
        RULE(q_counts_more_than_wishes),
        RULE(no_fork),
        RULE(sequential_and_parallel),
        RULE(no_cancel),
        RULE(no_recurse),
        RULE(wishes_go_with_a_redirection),
        RULE(wishes_go_on),
        RULE(wishes_of_others_are_theirs),
        RULE(a_redirection_leaves_it_to_the_caller),
        RULE(it_can_be_required),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
