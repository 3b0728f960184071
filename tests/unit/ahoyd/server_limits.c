/* What a user may have: docs/decisions/0107-limits-of-a-user.md, 0129-calls-not-yet-answered.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "tests/support/exchange.h"

static const char config[] =
    "listen \"udp:192.0.2.100:5060\"\n"
    "domain(\"atlanta.example\", { user_contacts = 2, user_calls_per_second = 2 })\n"
    "store \"memory:\"\n";

static const char config_at_once[] =
    "listen \"udp:192.0.2.100:5060\"\n"
    "domain(\"atlanta.example\", { user_unanswered_calls = 2 })\n"
    "user(\"bob@Atlanta.example\", { contacts = 1, unanswered_calls = 1 })\n"
    "store \"memory:\"\n";

#define BOB "192.0.2.2:5060"

static int setup(void **state)
{
    struct exchange *exchange = exchange_of_atlanta(config);
    exchange_bind(exchange, "bob@atlanta.example", "sip:bob@192.0.2.2:5060", BOB);
    *state = exchange;
    return 0;
}

static int setup_at_once(void **state)
{
    struct exchange *exchange = exchange_of_atlanta(config_at_once);
    exchange_bind(exchange, "bob@atlanta.example", "sip:bob@192.0.2.2:5060", BOB);
    *state = exchange;
    return 0;
}

static unsigned registers(struct exchange *exchange, const char *rows)
{
    static unsigned cseq;
    struct ask ask = exchange_alice(rows);
    ask.cseq = cseq += 10;
    return exchange_ask_as(exchange, &ask);
}

#define CONTACT(number) "Contact: <sip:alice@192.0.2." #number ":5060>"

/* No third one; those that are there may be refreshed, and replaced. */
static void contacts_are_limited(void **state)
{
    struct exchange *exchange = *state;
    assert_int_equal(registers(exchange, CONTACT(1) "\r\n"), 200);
    assert_int_equal(registers(exchange, CONTACT(2) "\r\n"), 200);
    assert_string_equal(exchange->logged, "");
    assert_int_equal(registers(exchange, CONTACT(3) "\r\n"), 403);
    assert_string_equal(exchange->logged,
                        "refused phone from 192.0.2.1:5060 by udp, realm \"atlanta.example\": too "
                        "many of one user, user \"alice\"\n");
    assert_int_equal(exchange_bindings(exchange, "alice@atlanta.example"), 2);
    assert_int_equal(registers(exchange, CONTACT(2) "\r\n"), 200);
    assert_int_equal(registers(exchange, CONTACT(1) ";expires=0\r\n" CONTACT(3) "\r\n"), 200);
    assert_int_equal(registers(exchange, CONTACT(3) "\r\n" CONTACT(3) "\r\n"), 200);
    assert_int_equal(exchange_bindings(exchange, "alice@atlanta.example"), 2);
    /* There were more before the domain had a limit. */
    exchange_bind(exchange, "alice@atlanta.example", "sip:alice@192.0.2.9:5060", "192.0.2.9:5060");
    assert_int_equal(exchange_bindings(exchange, "alice@atlanta.example"), 3);
    assert_int_equal(registers(exchange, CONTACT(2) "\r\n" CONTACT(3) "\r\n"), 200);
    assert_int_equal(registers(exchange, CONTACT(1) "\r\n"), 403);
    assert_int_equal(exchange_bindings(exchange, "alice@atlanta.example"), 3);
}

static char last_call[32];

static unsigned calls(struct exchange *exchange, const char *method, const char *user,
                      const char *password)
{
    static unsigned number;
    char from[64];
    snprintf(last_call, sizeof last_call, "paced%u", number++);
    snprintf(from, sizeof from, "sip:%s@atlanta.example", user);
    struct ask ask = { .method = method,
                       .uri = "sip:bob@atlanta.example",
                       .from = from,
                       .call_id = last_call,
                       .user = user,
                       .password = password };
    return exchange_ask_as(exchange, &ask);
}

/* Two at once and two a second, of each user who proves that he is one. */
static void calls_are_paced(void **state)
{
    struct exchange *exchange = *state;
    const char *password = "wonderland";
    assert_int_equal(calls(exchange, "INVITE", "alice", "guess"), 407); /* Counts for nothing. */
    exchange->logged[exchange->logged_size = 0] = '\0';
    assert_int_equal(calls(exchange, "INVITE", "alice", password), 100);
    assert_int_equal(calls(exchange, "INVITE", "alice", password), 100);
    assert_int_equal(calls(exchange, "INVITE", "alice", password), 503);
    assert_string_equal(exchange_value(exchange_sent(exchange, 0), AHOY_HEADER_RETRY_AFTER), "1");
    assert_null(exchange_sent_to(exchange, BOB));
    assert_string_equal(exchange->logged,
                        "refused call from 192.0.2.1:5060 by udp, realm \"atlanta.example\": too "
                        "many a second, user \"alice\"\n");
    assert_int_equal(ahoyd_server_counters(exchange->server)->paced_calls, 1);
    assert_int_equal(calls(exchange, "INVITE", "bob", "builder"), 100);
    (void)calls(exchange, "MESSAGE", "alice", password); /* No call: it goes on. */
    assert_non_null(exchange_sent_to(exchange, BOB));
    exchange_wait(exchange, 499);
    assert_int_equal(calls(exchange, "INVITE", "alice", password), 503);
    exchange_wait(exchange, 1);
    assert_int_equal(calls(exchange, "INVITE", "alice", password), 100);
    assert_int_equal(calls(exchange, "INVITE", "alice", password), 503);
    exchange_wait(exchange, 5000);
    assert_int_equal(calls(exchange, "INVITE", "alice", password), 100);
    assert_int_equal(calls(exchange, "INVITE", "alice", password), 100);
    assert_int_equal(calls(exchange, "INVITE", "alice", password), 503);
}

/* Two that are not answered yet: an answer, a CANCEL, and time make room for another. */
static void unanswered_calls_are_limited(void **state)
{
    struct exchange *exchange = *state;
    const char *password = "wonderland";
    assert_int_equal(calls(exchange, "INVITE", "alice", password), 100);
    exchange_answer(exchange, BOB, 180, "");
    assert_int_equal(calls(exchange, "INVITE", "alice", password), 100);
    exchange_answer(exchange, BOB, 486, "");
    assert_int_equal(calls(exchange, "INVITE", "alice", password), 100);
    exchange_answer(exchange, BOB, 200, "Contact: <sip:bob@192.0.2.2>\r\n");
    assert_int_equal(calls(exchange, "INVITE", "alice", password), 100);
    assert_int_equal(calls(exchange, "INVITE", "alice", password), 503);
    assert_string_equal(exchange_value(exchange_sent(exchange, 0), AHOY_HEADER_RETRY_AFTER), "1");
    assert_non_null(strstr(exchange->logged, "too many at once, user \"alice\""));
    (void)calls(exchange, "MESSAGE", "alice", password); /* No call: it goes on. */
    assert_non_null(exchange_sent_to(exchange, BOB));
    exchange_wait(exchange, 32000); /* The other one: Timer B. */
    assert_int_equal(calls(exchange, "INVITE", "alice", password), 100);
    exchange->branches--;
    struct ask cancel = { .method = "CANCEL",
                          .uri = "sip:bob@atlanta.example",
                          .from = "sip:alice@atlanta.example",
                          .call_id = last_call,
                          .cseq = 2 };
    exchange_answer(exchange, BOB, 180, "");
    assert_int_equal(exchange_ask(exchange, &cancel), 200);
    exchange_wait(exchange, 32000); /* Bob does not say that he has heard of it: RFC 3261 9.1. */
    assert_int_equal(calls(exchange, "INVITE", "alice", password), 100);
    assert_int_equal(calls(exchange, "INVITE", "alice", password), 503);
}

/* Somebody may have less than others, or more. */
static void some_have_others(void **state)
{
    struct exchange *exchange = *state;
    assert_int_equal(calls(exchange, "INVITE", "bob", "builder"), 100);
    assert_int_equal(calls(exchange, "INVITE", "bob", "builder"), 503);
    assert_int_equal(registers(exchange, CONTACT(1) "\r\n" CONTACT(2) "\r\n"), 200);
    struct ask ask = exchange_alice(CONTACT(1) "\r\n");
    ask.from = ask.to = "sip:bob@atlanta.example";
    ask.user = "bob";
    ask.password = "builder";
    ask.call_id = "bob";
    assert_int_equal(exchange_ask_as(exchange, &ask), 403);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(contacts_are_limited, setup, exchange_teardown),
        cmocka_unit_test_setup_teardown(calls_are_paced, setup, exchange_teardown),
        cmocka_unit_test_setup_teardown(unanswered_calls_are_limited, setup_at_once,
                                        exchange_teardown),
        cmocka_unit_test_setup_teardown(some_have_others, setup_at_once, exchange_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
