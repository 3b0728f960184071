/* REGISTER through the whole server: digest (RFC 3261 22, RFC 8760), whose bindings one may
 * change, what is answered when (10.3), and attacks 14, 15, 17, 25, 26, 56, 57 and 60. */
#include "tests/support/exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "ahoyd/serving.h"
#include "libahoy/auth/nonce.h"

static const char config[] = "listen \"udp:192.0.2.100:5060\"\n"
                             "listen \"udp:127.0.0.1:5060\"\n"
                             "domain(\"atlanta.example\", { auth = \"digest\" })\n"
                             "domain(\"open.example\", { auth = \"none\", insecure = true })\n"
                             "store \"memory:\"\n";

static int setup(void **state)
{
    *state = exchange_of_atlanta(config);
    return 0;
}

static struct ask someone_registers(const char *rows)
{
    struct ask ask = exchange_alice(rows);
    ask.uri = "sip:open.example";
    ask.from = ask.to = "sip:someone@open.example";
    return ask;
}

#define CONTACT "Contact: <sip:alice@192.0.2.1:5060>\r\n"

static size_t alices(struct exchange *exchange)
{
    return exchange_bindings(exchange, "alice@atlanta.example");
}

/* R3261-22.2-1, R3261-22.4-2 and -5, R8760-2.3-1 and -2, R8760-2.6-1 and -5,
 * R7616-3.3-3, -5 and -6, R7616-3.7-1 and -2: the stronger first, a nonce each; rule R3: once. */
static void strangers_are_challenged(void **state)
{
    static const enum ahoy_digest_algorithm algorithms[] = { AHOY_DIGEST_SHA512_256,
                                                             AHOY_DIGEST_SHA256, AHOY_DIGEST_MD5 };
    struct exchange *exchange = *state;
    struct ask ask = exchange_alice(CONTACT);
    assert_int_equal(exchange_ask(exchange, &ask), 401);
    assert_int_equal(exchange->count, 1);
    const struct ahoy_message *message = exchange_sent(exchange, 0);
    const struct ahoy_field *field = ahoy_message_first(message, AHOY_HEADER_WWW_AUTHENTICATE);
    struct span nonce = SPAN("");
    for (size_t i = 0; i < 3; i++) {
        struct ahoy_challenge challenge;
        assert_non_null(field);
        assert_true(ahoy_challenge_parse(field->value, &challenge, NULL));
        assert_int_equal(challenge.algorithm, algorithms[i]);
        assert_true(ahoy_span_equal(challenge.realm, SPAN("atlanta.example")));
        assert_true(ahoy_span_equal(challenge.qop, SPAN("auth")));
        assert_false(challenge.stale);
        assert_false(ahoy_span_equal(challenge.nonce, nonce));
        nonce = challenge.nonce;
        field = ahoy_message_next(message, field);
    }
    assert_null(field);
    assert_non_null(strstr(exchange->challenge, "Digest realm=\"atlanta.example\", nonce=\""));
    assert_non_null(strstr(exchange->challenge, "\", algorithm=SHA-512-256, qop=\"auth\"\r\n"));
    assert_null(strstr(exchange->challenge, "Basic"));
    exchange_wait(exchange, 64000);
    assert_int_equal(exchange->count, 0);
    assert_int_equal(alices(exchange), 0);
}

/* Phones that fail on what they do not know are offered what they know. */
static void an_old_phone_is_offered_md5_alone(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = exchange_alice(CONTACT "User-Agent: baresip v1.0.0 (x86_64/linux)\r\n");
    assert_int_equal(exchange_ask(exchange, &ask), 401);
    assert_null(strstr(exchange->challenge, "SHA-256"));
    ask.md5 = true;
    assert_int_equal(exchange_ask_as(exchange, &ask), 200);
    ask.rows = CONTACT "User-Agent: not baresip v1.0.0\r\n";
    assert_int_equal(exchange_ask(exchange, &ask), 401);
    assert_non_null(strstr(exchange->challenge, "SHA-256"));
}

static void a_user_registers(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = exchange_alice(CONTACT);
    assert_int_equal(exchange_ask_as(exchange, &ask), 200);
    const struct ahoy_message *message = exchange_sent(exchange, 0);
    assert_string_equal(exchange_value(message, AHOY_HEADER_CONTACT),
                        "<sip:alice@192.0.2.1:5060>;expires=3600");
    assert_string_equal(exchange_value(message, AHOY_HEADER_CSEQ), "2 REGISTER");
    assert_null(ahoy_message_first(message, AHOY_HEADER_SERVER));
    assert_int_equal(alices(exchange), 1);
    assert_int_equal(ahoyd_server_counters(exchange->server)->registers, 1);
    /* With MD5 too, by its name in other letters, and at the server's address. */
    ask.md5 = true;
    ask.cseq = 10;
    assert_int_equal(exchange_ask_as(exchange, &ask), 200);
    ask.to = "sip:%61lice@ATLANTA.example";
    ask.cseq = 20;
    assert_int_equal(exchange_ask_as(exchange, &ask), 200);
    assert_int_equal(alices(exchange), 1);
}

/* A retransmission meets the transaction: the same answer, and no second change. */
static void a_retransmission_changes_nothing(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = exchange_alice(CONTACT);
    char row[1024];
    char space[4096];
    char first[4096];
    assert_int_equal(exchange_ask(exchange, &ask), 401);
    exchange_print_credentials(exchange, &ask, row, sizeof row);
    struct span bytes = exchange_print_ask(exchange, &ask, row, space, sizeof space);
    exchange_datagram(exchange, "192.0.2.1:5060", bytes);
    assert_int_equal(exchange->count, 1);
    size_t size = exchange->sent[0].bytes.size;
    memcpy(first, exchange->sent[0].bytes.at, size);
    exchange_datagram(exchange, "192.0.2.1:5060", bytes);
    assert_int_equal(exchange->count, 1);
    assert_int_equal(exchange->sent[0].bytes.size, size);
    assert_memory_equal(exchange->sent[0].bytes.at, first, size);
    assert_int_equal(ahoyd_server_counters(exchange->server)->registers, 1);
}

/* The promise: nothing is answered before the store has kept it. */
static void the_answer_waits_for_the_store(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = exchange_alice(CONTACT);
    exchange->hold = true;
    assert_int_equal(exchange_ask_as(exchange, &ask), 0);
    assert_int_equal(exchange->count, 0);
    assert_int_equal(ahoyd_server_busy(exchange->server), 1);
    exchange_release(exchange);
    assert_int_equal(exchange->count, 1);
    assert_int_equal(exchange_sent(exchange, 0)->status, 200);
    assert_int_equal(ahoyd_server_busy(exchange->server), 0);
}

/* R3261-10.3-24. */
static void what_the_store_refuses_is_not_200(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = exchange_alice(CONTACT);
    exchange->fail = 500;
    assert_int_equal(exchange_ask_as(exchange, &ask), 500);
    assert_null(ahoy_message_first(exchange_sent(exchange, 0), AHOY_HEADER_CONTACT));
    assert_int_equal(ahoyd_server_counters(exchange->server)->registers, 0);
}

/* A peer that is gone when the store answers harms nobody. */
static void the_store_may_be_slower_than_the_peer(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = exchange_alice(CONTACT);
    exchange->hold = true;
    assert_int_equal(exchange_ask_as(exchange, &ask), 0);
    exchange_wait(exchange, 200000);
    exchange_release(exchange);
    assert_int_equal(alices(exchange), 1);
    assert_int_equal(ahoyd_server_busy(exchange->server), 0);
}

static void wrong_credentials_are_challenged_again(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = exchange_alice(CONTACT);
    ask.password = "looking-glass";
    assert_int_equal(exchange_ask_as(exchange, &ask), 401);
    ask.password = "wonderland";
    ask.realm = "open.example"; /* R3261-22.3-5: not ours to judge. */
    assert_int_equal(exchange_ask_as(exchange, &ask), 401);
    assert_int_equal(alices(exchange), 0);
}

/* A nonce that we never gave out, one of another realm, and one that was touched. */
static void forged_nonces_are_not_taken(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = exchange_alice(CONTACT);
    ask.nonce = "f84f1cec41e6cbe5aea9c8e88d359";
    assert_int_equal(exchange_ask_as(exchange, &ask), 401);
    ask.nonce = "0000000000000000000000000000000000000000";
    assert_int_equal(exchange_ask_as(exchange, &ask), 401);
    assert_null(strstr(exchange->challenge, "stale"));
    assert_int_equal(alices(exchange), 0);
}

/* What stands in for the password of a user who does not exist opens nothing. */
static void nobody_has_no_password(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = exchange_alice(CONTACT);
    ask.user = "nobody";
    ask.from = ask.to = "sip:nobody@atlanta.example";
    ask.ha1 = "!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!";
    assert_int_equal(exchange_ask_as(exchange, &ask), 401);
    ask.md5 = true;
    assert_int_equal(exchange_ask_as(exchange, &ask), 401);
    assert_int_equal(exchange_bindings(exchange, "nobody@atlanta.example"), 0);
}

/* Attack 25. */
static void unknown_users_look_like_known_ones(void **state)
{
    struct exchange *exchange = *state;
    char known[4096];
    struct ask ask = exchange_alice(CONTACT);
    ask.password = "guess";
    assert_int_equal(exchange_ask_as(exchange, &ask), 401);
    size_t size = exchange->sent[0].bytes.size;
    memcpy(known, exchange->sent[0].bytes.at, size);
    ask.user = "nobod"; /* As long as alice. */
    ask.from = ask.to = "sip:nobod@atlanta.example";
    assert_int_equal(exchange_ask_as(exchange, &ask), 401);
    assert_int_equal(exchange->sent[0].bytes.size, size);
    size_t reason = ahoy_span_find(exchange->sent[0].bytes, '\r');
    assert_memory_equal(exchange->sent[0].bytes.at, known, reason);
}

static void a_stale_nonce_is_replaced(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = exchange_alice(CONTACT);
    char row[1024];
    char space[4096];
    assert_int_equal(exchange_ask(exchange, &ask), 401);
    exchange_print_credentials(exchange, &ask, row, sizeof row);
    exchange_wait(exchange, AHOY_NONCE_LIFE_MS + 1);
    exchange_datagram(exchange, "192.0.2.1:5060",
                      exchange_print_ask(exchange, &ask, row, space, sizeof space));
    const struct ahoy_message *message = exchange_sent(exchange, 0);
    struct ahoy_challenge challenge;
    assert_int_equal(message->status, 401);
    assert_true(ahoy_challenge_parse(ahoy_message_value(message, AHOY_HEADER_WWW_AUTHENTICATE),
                                     &challenge, NULL));
    assert_true(challenge.stale);
    assert_int_equal(alices(exchange), 0);
    /* Who does not know the password is not told that only the nonce was old. */
    assert_int_equal(exchange_ask(exchange, &ask), 401);
    ask.password = "guess";
    exchange_print_credentials(exchange, &ask, row, sizeof row);
    exchange_wait(exchange, AHOY_NONCE_LIFE_MS + 1);
    exchange_datagram(exchange, "192.0.2.1:5060",
                      exchange_print_ask(exchange, &ask, row, space, sizeof space));
    message = exchange_sent(exchange, 0);
    assert_true(ahoy_challenge_parse(ahoy_message_value(message, AHOY_HEADER_WWW_AUTHENTICATE),
                                     &challenge, NULL));
    assert_false(challenge.stale);
}

/* Attack 17, R7616-3.4.6-3, R8760-2.6-3; what baresip does with the transport is no attack. */
static void the_digest_is_for_one_uri(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = exchange_alice(CONTACT);
    ask.digest_uri = "sip:bob@atlanta.example";
    assert_int_equal(exchange_ask_as(exchange, &ask), 400);
    ask.digest_uri = "nonsense";
    assert_int_equal(exchange_ask_as(exchange, &ask), 400);
    ask.digest_uri = "sip:atlanta.example;maddr=192.0.2.9";
    assert_int_equal(exchange_ask_as(exchange, &ask), 400);
    assert_int_equal(alices(exchange), 0);
    ask.digest_uri = "sip:atlanta.example;transport=udp";
    assert_int_equal(exchange_ask_as(exchange, &ask), 200);
    ask.cseq = 10;
    ask.uri = "sip:Atlanta.Example;transport=tcp";
    ask.digest_uri = "sip:atlanta.example";
    assert_int_equal(exchange_ask_as(exchange, &ask), 200);
}

/* Attack 26, R3261-10.3-8: A authenticates, To is B. */
static void nobody_registers_for_another(void **state)
{
    struct exchange *exchange = *state;
    struct ask bob = exchange_alice("Contact: <sip:bob@192.0.2.1>\r\n");
    bob.user = "bob";
    bob.password = "builder";
    bob.from = bob.to = "sip:bob@atlanta.example";
    assert_int_equal(exchange_ask_as(exchange, &bob), 200);
    struct ask ask = exchange_alice("Contact: *\r\nExpires: 0\r\n");
    ask.call_id = "another";
    ask.to = "sip:bob@atlanta.example";
    assert_int_equal(exchange_ask_as(exchange, &ask), 403);
    ask.from = "sip:bob@atlanta.example";
    assert_int_equal(exchange_ask_as(exchange, &ask), 403);
    ask.to = "sip:alice@atlanta.example"; /* From is another's. */
    assert_int_equal(exchange_ask_as(exchange, &ask), 403);
    ask.from = ask.to = "sip:alice@open.example";
    assert_int_equal(exchange_ask_as(exchange, &ask), 403);
    ask.from = ask.to = "sip:alice@biloxi.example";
    assert_int_equal(exchange_ask_as(exchange, &ask), 403);
    ask.from = ask.to = "sip:alicex@atlanta.example";
    assert_int_equal(exchange_ask_as(exchange, &ask), 403);
    ask.from = ask.to = "sip:atlanta.example";
    assert_int_equal(exchange_ask_as(exchange, &ask), 403);
    assert_int_equal(exchange_bindings(exchange, "bob@atlanta.example"), 1);
    assert_int_equal(alices(exchange), 0);
}

/* Attack 15, CVE-2023-28098. */
static void broken_credentials_are_refused(void **state)
{
    struct exchange *exchange = *state;
    static const char *const rows[] = {
        CONTACT "Authorization: Digest username=\r\n",
        CONTACT "Authorization: Digest username=\"alice\r\n",
        CONTACT "Authorization: Digest\r\n",
        CONTACT "Authorization:\r\n",
        CONTACT "Authorization: Digest username=\"alice\", realm=\"atlanta.example\"\r\n",
        CONTACT "Authorization: Digest username=\"alice\", realm=\"atlanta.example\", "
                "nonce=\"x\", uri=\"sip:atlanta.example\", response=\"y\", qop=auth\r\n",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ask ask = exchange_alice(rows[i]);
        assert_int_equal(exchange_ask(exchange, &ask), 400);
    }
    /* R3261-22-1: no Basic, but that is not broken. */
    struct ask ask = exchange_alice(CONTACT "Authorization: Basic YWxpY2U6d29uZGVybGFuZA==\r\n");
    assert_int_equal(exchange_ask(exchange, &ask), 401);
    assert_int_equal(alices(exchange), 0);
}

static void a_domain_without_passwords_asks_for_none(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = someone_registers("Contact: <sip:x@192.0.2.1>\r\n");
    assert_int_equal(exchange_ask(exchange, &ask), 200);
    assert_int_equal(exchange_bindings(exchange, "someone@open.example"), 1);
    ask.to = "sip:alice@atlanta.example"; /* R3261-10.3-9 */
    ask.cseq = 5;
    assert_int_equal(exchange_ask(exchange, &ask), 404);
    ask.to = "sip:open.example";
    assert_int_equal(exchange_ask(exchange, &ask), 404);
    assert_int_equal(alices(exchange), 0);
}

/* Attack 14, through the whole. */
static void star_must_be_right(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = someone_registers("Contact: <sip:x@192.0.2.1>\r\n");
    assert_int_equal(exchange_ask(exchange, &ask), 200);
    ask.cseq = 2;
    ask.rows = "Contact: *\r\nExpires: 1\r\n";
    assert_int_equal(exchange_ask(exchange, &ask), 400);
    ask.rows = "Contact: *\r\nContact: <sip:y@192.0.2.1>\r\nExpires: 0\r\n";
    assert_int_equal(exchange_ask(exchange, &ask), 400);
    assert_int_equal(exchange_bindings(exchange, "someone@open.example"), 1);
    ask.rows = "Contact: *\r\nExpires: 0\r\n";
    assert_int_equal(exchange_ask(exchange, &ask), 200);
    assert_int_equal(exchange_bindings(exchange, "someone@open.example"), 0);
}

/* Attack 57, R3261-10.3-19. */
static void intervals_are_bounded(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = someone_registers("Contact: <sip:x@192.0.2.1>;expires=59\r\n");
    assert_int_equal(exchange_ask(exchange, &ask), 423);
    assert_string_equal(exchange_value(exchange_sent(exchange, 0), AHOY_HEADER_MIN_EXPIRES), "60");
    assert_int_equal(exchange_bindings(exchange, "someone@open.example"), 0);
    ask.rows = "Contact: <sip:x@192.0.2.1>\r\nExpires: 4294967296\r\n";
    assert_int_equal(exchange_ask(exchange, &ask), 200);
    assert_string_equal(exchange_value(exchange_sent(exchange, 0), AHOY_HEADER_CONTACT),
                        "<sip:x@192.0.2.1>;expires=7200");
    exchange_wait(exchange, 7200 * 1000);
    assert_int_equal(exchange_bindings(exchange, "someone@open.example"), 0);
}

/* Attack 56. */
static void bindings_are_bounded(void **state)
{
    struct exchange *exchange = *state;
    char rows[128] = "";
    struct ask ask = someone_registers(rows);
    for (unsigned i = 0; i < AHOY_BINDINGS_LIMIT; i++) {
        (void)snprintf(rows, sizeof rows, "Contact: <sip:x%u@192.0.2.1>\r\n", i);
        ask.cseq = i + 1;
        assert_int_equal(exchange_ask(exchange, &ask), 200);
    }
    ask.cseq = 100;
    ask.rows = "Contact: <sip:more@192.0.2.1>\r\n";
    assert_int_equal(exchange_ask(exchange, &ask), 403);
    assert_int_equal(exchange_bindings(exchange, "someone@open.example"), AHOY_BINDINGS_LIMIT);
}

/* Attack 60: nobody has his calls sent into our own machine. */
static void a_contact_must_not_lead_inside(void **state)
{
    struct exchange *exchange = *state;
    static const char *const rows[] = {
        "Contact: <sip:x@127.0.0.1:5062>\r\n",
        "Contact: <sip:x@127.9.9.9>\r\n",
        "Contact: <sip:x@0.0.0.0>\r\n",
        "Contact: <sip:x@[::1]>\r\n",
        "Contact: <sip:x@[::]>\r\n",
        "Contact: <sip:x@[::ffff:127.0.0.1]>\r\n",
        "Contact: <sip:x@169.254.1.1>\r\n",
        "Contact: <sip:x@[fe80::1]>\r\n",
        "Contact: <sip:x@224.0.1.75>\r\n",
        "Contact: <sip:x@255.255.255.255>\r\n",
        "Contact: <sip:x@phone.example;maddr=127.0.0.1>\r\n",
        "Contact: <sip:x@192.0.2.100>\r\n",
        "Contact: <sip:good@192.0.2.1>, <sip:x@127.0.0.1:5062>\r\n",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ask ask = someone_registers(rows[i]);
        assert_int_equal(exchange_ask(exchange, &ask), 403);
    }
    assert_int_equal(exchange_bindings(exchange, "someone@open.example"), 0);
    struct ask ask = someone_registers(rows[0]);
    ask.peer = "127.0.0.1:5062"; /* Who is inside himself may. */
    assert_int_equal(exchange_ask(exchange, &ask), 200);
    ask.rows = "Contact: <sip:x@0.0.0.0>\r\n";
    ask.cseq = 2;
    assert_int_equal(exchange_ask(exchange, &ask), 403);
    ask.rows = "Contact: <sip:x@127.0.0.1:5062>;expires=0\r\n"; /* What is there may go. */
    ask.peer = NULL;
    assert_int_equal(exchange_ask(exchange, &ask), 200);
    assert_int_equal(exchange_bindings(exchange, "someone@open.example"), 0);
}

/* Step 2, R3261-10.3-7. */
static void extensions_are_not_known(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = someone_registers("Contact: <sip:x@192.0.2.1>\r\nRequire: 100rel, path\r\n");
    assert_int_equal(exchange_ask(exchange, &ask), 420);
    assert_string_equal(exchange_value(exchange_sent(exchange, 0), AHOY_HEADER_UNSUPPORTED),
                        "100rel");
    assert_int_equal(exchange_bindings(exchange, "someone@open.example"), 0);
    ask.rows = "Contact: <sip:x@192.0.2.1>\r\nRequire: Outbound, path, gruu\r\n"; /* R5626-6-1 */
    ask.cseq = 2;
    assert_int_equal(exchange_ask(exchange, &ask), 200);
}

static void a_query_lists_what_there_is(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = someone_registers("");
    assert_int_equal(exchange_ask(exchange, &ask), 200);
    assert_null(ahoy_message_first(exchange_sent(exchange, 0), AHOY_HEADER_CONTACT));
    ask.rows = "Contact: <sip:x@192.0.2.1>;q=0.5\r\n";
    ask.cseq = 2;
    assert_int_equal(exchange_ask(exchange, &ask), 200);
    ask.rows = "";
    ask.cseq = 3;
    assert_int_equal(exchange_ask(exchange, &ask), 200);
    assert_string_equal(exchange_value(exchange_sent(exchange, 0), AHOY_HEADER_CONTACT),
                        "<sip:x@192.0.2.1>;expires=3600;q=0.500");
}

static void a_draining_server_takes_no_more(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = someone_registers("Contact: <sip:x@192.0.2.1>\r\n");
    ahoyd_server_drain(exchange->server);
    assert_int_equal(exchange_ask(exchange, &ask), 503);
    assert_non_null(ahoy_message_first(exchange_sent(exchange, 0), AHOY_HEADER_RETRY_AFTER));
    assert_int_equal(exchange_bindings(exchange, "someone@open.example"), 0);
}

/* RFC 3261 20.33: in a storm of registrations those for whom there is no room come again, and not
 * all at once. */
static void the_refused_come_again(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = someone_registers("Contact: <sip:x@192.0.2.1>\r\n");
    unsigned seen = 0; /* A bit each second. */
    exchange->server->waiting.limit = 0;
    for (ask.cseq = 1; ask.cseq <= 40; ask.cseq++) {
        assert_int_equal(exchange_ask(exchange, &ask), 503);
        const char *value = exchange_value(exchange_sent(exchange, 0), AHOY_HEADER_RETRY_AFTER);
        unsigned long seconds = strtoul(value, NULL, 10);
        assert_true(seconds >= 2 && seconds < 12);
        seen |= 1U << seconds;
    }
    assert_int_equal(seen, 0xffc);
    assert_int_equal(exchange_bindings(exchange, "someone@open.example"), 0);
}

/* The first Route of baresip and linphone is the server itself. */
static void a_preloaded_route_is_ours(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = someone_registers("Contact: <sip:x@192.0.2.1>\r\n"
                                       "Route: <sip:192.0.2.100:5060;transport=udp;lr>\r\n");
    assert_int_equal(exchange_ask(exchange, &ask), 200);
    ask.rows = "Contact: <sip:x@192.0.2.1>\r\nRoute: <sip:open.example;lr>\r\n";
    ask.cseq = 2;
    assert_int_equal(exchange_ask(exchange, &ask), 200);
}

#define RULE(test) cmocka_unit_test_setup_teardown(test, setup, exchange_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RULE(strangers_are_challenged),
        RULE(an_old_phone_is_offered_md5_alone),
        RULE(a_user_registers),
        RULE(a_retransmission_changes_nothing),
        RULE(the_answer_waits_for_the_store),
        RULE(what_the_store_refuses_is_not_200),
        RULE(the_store_may_be_slower_than_the_peer),
        RULE(wrong_credentials_are_challenged_again),
        RULE(forged_nonces_are_not_taken),
        RULE(nobody_has_no_password),
        RULE(unknown_users_look_like_known_ones),
        RULE(a_stale_nonce_is_replaced),
        RULE(the_digest_is_for_one_uri),
        RULE(nobody_registers_for_another),
        RULE(broken_credentials_are_refused),
        RULE(a_domain_without_passwords_asks_for_none),
        RULE(star_must_be_right),
        RULE(intervals_are_bounded),
        RULE(bindings_are_bounded),
        RULE(a_contact_must_not_lead_inside),
        RULE(extensions_are_not_known),
        RULE(a_query_lists_what_there_is),
        RULE(a_draining_server_takes_no_more),
        RULE(the_refused_come_again),
        RULE(a_preloaded_route_is_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
