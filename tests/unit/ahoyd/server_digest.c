/* Digests as the server offers and takes them: RFC 7616, RFC 8760, RFC 3261 22. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "ahoyd/refusals.h"
#include "libahoy/auth/tries.h"
#include "libahoy/syntax/challenge.h"
#include "tests/support/exchange.h"

static const char config[] =
    "listen \"udp:192.0.2.100:5060\"\n"
    "domain(\"atlanta.example\", { qop = { \"auth\", \"auth-int\" }, rspauth = true })\n"
    "domain(\"strict.example\", { algorithms = { \"SHA-256\", \"SHA-512-256\" },\n"
    "                           qop = { \"auth-int\" }, userhash = true })\n"
    "store \"memory:\"\n";

static int setup(void **state)
{
    struct exchange *exchange = exchange_of_atlanta(config);
    exchange_add_user(exchange, "alice", "strict.example", "wonderland");
    *state = exchange;
    return 0;
}

#define CONTACT "Contact: <sip:alice@192.0.2.1:5060>\r\n"

static struct ask strict(const char *rows)
{
    struct ask ask = exchange_alice(rows);
    ask.uri = "sip:strict.example";
    ask.from = ask.to = "sip:alice@strict.example";
    ask.algorithm = "SHA-512-256";
    ask.qop = "auth-int";
    return ask;
}

/* Takes the last challenge up. */
static unsigned answer(struct exchange *exchange, const struct ask *ask)
{
    char row[1024];
    char rows[2048];
    struct ask with = *ask;
    exchange_print_credentials(exchange, ask, row, sizeof row);
    snprintf(rows, sizeof rows, "%s%s", ask->rows, row);
    with.rows = rows;
    return exchange_ask(exchange, &with);
}

static bool is_stale(struct exchange *exchange)
{
    return strstr(exchange->challenge, "stale=true") != NULL;
}

/* R3261-26.3.1-4, R7616-3.6-1, R7616-3.4-3 and -4, R8760-2.6-4, R3261-22.4-7. */
static void every_variant_is_taken(void **state)
{
    static const char *const algorithms[] = { "MD5",          "MD5-sess",    "SHA-256",
                                              "sha-256-Sess", "SHA-512-256", "SHA-512-256-sess" };
    static const char *const qops[] = { "auth", "auth-int", "AUTH" };
    struct exchange *exchange = *state;
    struct ask ask = exchange_alice(CONTACT);
    for (size_t i = 0; i < 6; i++) {
        for (size_t k = 0; k < 3; k++) {
            ask.algorithm = algorithms[i];
            ask.qop = qops[k];
            ask.body = k == 1 ? "body" : NULL;
            ask.cseq += 10;
            assert_int_equal(exchange_ask_as(exchange, &ask), 200);
        }
    }
}

/* R3261-22.4-1: as RFC 2069 has it, by MD5 alone, and each nonce once. */
static void old_clients_are_understood(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = exchange_alice(CONTACT);
    ask.qop = "";
    ask.algorithm = "MD5";
    assert_int_equal(exchange_ask_as(exchange, &ask), 200);
    ask.cseq = 10;
    assert_int_equal(answer(exchange, &ask), 401);
    assert_true(is_stale(exchange));
    ask.algorithm = "SHA-256";
    ask.cseq = 20;
    assert_int_equal(exchange_ask_as(exchange, &ask), 400);
    ask.algorithm = "MD5-sess";
    ask.cseq = 30;
    assert_int_equal(exchange_ask_as(exchange, &ask), 400);
}

/* Attack 18, R7616-3.5-6: what was overheard is of no use. */
static void a_count_is_taken_once(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = exchange_alice(CONTACT);
    assert_int_equal(exchange_ask_as(exchange, &ask), 200);
    ask.nc = "00000002";
    ask.cseq = 10;
    assert_int_equal(answer(exchange, &ask), 200);
    ask.cseq = 20;
    ask.call_id = "another";
    ask.rows = "Contact: *\r\nExpires: 0\r\n";
    assert_int_equal(answer(exchange, &ask), 401);
    assert_true(is_stale(exchange));
    assert_int_equal(exchange_bindings(exchange, "alice@atlanta.example"), 1);
    static const char *const counts[] = { "1", "0000000g", "000000001", "-0000001" };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        ask.nc = counts[i];
        ask.cseq += 10;
        assert_int_equal(answer(exchange, &ask), 400);
    }
    assert_int_equal(exchange_bindings(exchange, "alice@atlanta.example"), 1);
}

/* Attack 19: what is not offered is not taken, and the body counts where it must. */
static void what_is_not_offered_is_not_taken(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = strict(CONTACT);
    assert_int_equal(exchange_ask(exchange, &ask), 401);
    assert_null(strstr(exchange->challenge, "MD5"));
    assert_non_null(strstr(exchange->challenge, "qop=\"auth-int\""));
    assert_int_equal(answer(exchange, &ask), 200);
    ask.qop = "auth";
    ask.cseq = 10;
    assert_int_equal(exchange_ask_as(exchange, &ask), 401);
    assert_false(is_stale(exchange));

    struct ask weak =
        strict(CONTACT "Authorization: Digest username=\"alice\", realm=\"strict.example\", "
                       "nonce=\"x\", uri=\"sip:strict.example\", response=\"x\", "
                       "algorithm=MD5\r\n");
    assert_int_equal(exchange_ask(exchange, &weak), 401);
    ask = exchange_alice(CONTACT);
    assert_int_equal(exchange_ask(exchange, &ask), 401);
    assert_non_null(strstr(exchange->challenge, "qop=\"auth,auth-int\""));
}

/* Attack 28: what looks like SQL, or like the end of a line, is a name that nobody has. */
static void names_are_only_names(void **state)
{
    static const char *const names[] = { "alice' OR '1'='1", "alice\\\"; DROP TABLE users; --",
                                         "alice%0d%0aX: y", "*", "" };
    struct exchange *exchange = *state;
    struct ask ask = exchange_alice(CONTACT);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        ask.user = names[i];
        ask.cseq += 10;
        assert_int_equal(exchange_ask_as(exchange, &ask), i < 4 ? 401 : 400);
    }
    ask.name = "username*=UTF-8''alice%0d%0a%00x";
    assert_int_equal(exchange_ask_as(exchange, &ask), 401);
    assert_int_equal(exchange_bindings(exchange, "alice@atlanta.example"), 0);
}

/* A body that somebody changed on its way. */
static void auth_int_covers_the_body(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = strict(CONTACT);
    char row[1024];
    char space[4096];
    ask.body = "one";
    assert_int_equal(exchange_ask(exchange, &ask), 401);
    exchange_print_credentials(exchange, &ask, row, sizeof row);
    ask.body = "two";
    exchange_datagram(exchange, "192.0.2.1:5060",
                      exchange_print_ask(exchange, &ask, row, space, sizeof space));
    assert_int_equal(exchange_sent(exchange, 0)->status, 401);
    ask.body = "one";
    exchange_datagram(exchange, "192.0.2.1:5060",
                      exchange_print_ask(exchange, &ask, row, space, sizeof space));
    assert_int_equal(exchange_sent(exchange, 0)->status, 200);
}

/* RFC 7616 3.4.4, 3.4.5, 4; R7616-3.4-1: names in quotes, hashed, and encoded. */
static void names_have_many_forms(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = strict(CONTACT);
    char name[128];
    struct ahoy_digest_hex hash;
    assert_int_equal(exchange_ask(exchange, &ask), 401);
    assert_non_null(strstr(exchange->challenge, ", charset=UTF-8, userhash=true"));
    assert_true(
        ahoy_digest_userhash(AHOY_DIGEST_SHA512_256, SPAN("alice"), SPAN("strict.example"), &hash));
    snprintf(name, sizeof name, "username=\"%.64s\", userhash=true", hash.text);
    ask.name = name;
    assert_int_equal(answer(exchange, &ask), 200);
    name[10] = name[10] == '0' ? '1' : '0';
    ask.cseq = 10;
    assert_int_equal(exchange_ask_as(exchange, &ask), 401);
    ask.name = "username*=UTF-8''%61lice";
    ask.cseq = 20;
    assert_int_equal(exchange_ask_as(exchange, &ask), 200);
    ask.name = "username=\"\\al\\ice\"";
    ask.cseq = 30;
    assert_int_equal(exchange_ask_as(exchange, &ask), 200);
    ask.name = "username=\"alice\", username*=UTF-8''alice";
    ask.cseq = 40;
    assert_int_equal(exchange_ask_as(exchange, &ask), 400);
    /* Where it is not offered, nobody has such a name. */
    ask = exchange_alice(CONTACT);
    ask.name = "username=\"alice\", userhash=true";
    assert_int_equal(exchange_ask_as(exchange, &ask), 401);
}

/* RFC 7616 3.5, R7616-3.5-2 to -5: the registrar proves that it knows the password too. */
static void the_answer_proves_itself(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = exchange_alice(CONTACT);
    struct ahoy_challenge info;
    struct ahoy_digest_hex ha1, right;
    assert_int_equal(exchange_ask_as(exchange, &ask), 200);
    const char *value = exchange_value(exchange_sent(exchange, 0), AHOY_HEADER_AUTHENTICATION_INFO);
    assert_non_null(strstr(value, "qop=auth, rspauth=\""));
    assert_non_null(strstr(value, "\", cnonce=\"0a4f113b\", nc=00000001"));
    assert_true(ahoy_digest_ha1(AHOY_DIGEST_SHA256, SPAN("alice"), SPAN("atlanta.example"),
                                SPAN("wonderland"), &ha1));
    const char *nonce = strstr(exchange->challenge, "SHA-256");
    assert_non_null(nonce);
    info = (struct ahoy_challenge){ .algorithm = AHOY_DIGEST_SHA256,
                                    .nonce = { nonce - 13 - 40, 40 },
                                    .uri = SPAN("sip:atlanta.example"),
                                    .nc = SPAN("00000001"),
                                    .cnonce = SPAN("0a4f113b"),
                                    .qop = SPAN("auth") };
    const struct ahoy_digested response = { SPAN(""), SPAN("") };
    assert_true(ahoy_digest_response(&info, &ha1, &response, &right));
    assert_memory_equal(strstr(value, "rspauth=\"") + 9, right.text, right.size);
    /* A query is answered so too; and where the domain does not want it, nothing is said. */
    ask.rows = "";
    ask.cseq = 10;
    assert_int_equal(exchange_ask_as(exchange, &ask), 200);
    assert_non_null(
        ahoy_message_first(exchange_sent(exchange, 0), AHOY_HEADER_AUTHENTICATION_INFO));
    ask = strict(CONTACT);
    assert_int_equal(exchange_ask_as(exchange, &ask), 200);
    assert_null(ahoy_message_first(exchange_sent(exchange, 0), AHOY_HEADER_AUTHENTICATION_INFO));
}

static void add_old_user(struct exchange *exchange, bool remove)
{
    struct ahoyd_user user = { 0 };
    for (unsigned i = AHOY_DIGEST_MD5; i <= AHOY_DIGEST_SHA256; i++)
        assert_true(ahoy_digest_ha1((enum ahoy_digest_algorithm)i, SPAN("old"),
                                    SPAN("atlanta.example"), SPAN("hat"), &user.ha1[i]));
    struct ahoyd_change *change =
        ahoyd_change_user(remove ? AHOYD_CHANGE_USER_REMOVE : AHOYD_CHANGE_USER_PUT, SPAN("old"),
                          SPAN("atlanta.example"), &user);
    change->owner = &exchange->owner;
    assert_true(ahoyd_store_submit(exchange->store, change));
    exchange->stored = NULL;
    ahoyd_change_free(change);
}

/* One who was added before SHA-512-256: nobody of his domain is offered it, whoever asks. */
static void old_users_hold_their_domain_back(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = exchange_alice(CONTACT);
    add_old_user(exchange, false);
    assert_int_equal(exchange_ask(exchange, &ask), 401);
    assert_null(strstr(exchange->challenge, "SHA-512-256"));
    assert_non_null(strstr(exchange->challenge, "SHA-256"));
    ask = strict(CONTACT);
    assert_int_equal(exchange_ask(exchange, &ask), 401);
    assert_non_null(strstr(exchange->challenge, "SHA-512-256"));
    ask = exchange_alice(CONTACT);
    ask.user = "old";
    ask.password = "hat";
    ask.from = ask.to = "sip:old@atlanta.example";
    assert_int_equal(exchange_ask_as(exchange, &ask), 200);
    exchange_add_user(exchange, "old", "atlanta.example", "hat");
    assert_int_equal(exchange_ask(exchange, &ask), 401);
    assert_non_null(strstr(exchange->challenge, "SHA-512-256"));
    add_old_user(exchange, false);
    add_old_user(exchange, true);
    assert_int_equal(exchange_ask(exchange, &ask), 401);
    assert_non_null(strstr(exchange->challenge, "SHA-512-256"));
}

/* Guesses for |ask|, from its peer; how many are looked at. */
static unsigned guess(struct exchange *exchange, struct ask ask, unsigned times)
{
    unsigned looked_at = 0;
    ask.password = "guess";
    for (unsigned i = 0; i < times; i++) {
        ask.cseq += 10;
        looked_at += exchange_ask_as(exchange, &ask) == 401;
    }
    return looked_at;
}

/* RFC 7616 5.7: a right guess that comes too soon is not told from a wrong one. */
static void guessing_is_slow(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = exchange_alice(CONTACT);
    ask.peer = "192.0.2.66:5060";
    assert_int_equal(guess(exchange, ask, 25), AHOY_TRIES_AT_ONCE);
    ask.cseq = 500;
    assert_int_equal(exchange_ask_as(exchange, &ask), 503);
    assert_string_equal(exchange_value(exchange_sent(exchange, 0), AHOY_HEADER_RETRY_AFTER), "6");
    assert_int_equal(exchange_bindings(exchange, "alice@atlanta.example"), 0);
    /* The user is, from wherever; others elsewhere are not. */
    ask = exchange_alice(CONTACT);
    ask.peer = "192.0.2.67:5060";
    ask.cseq = 600;
    assert_int_equal(exchange_ask_as(exchange, &ask), 503);
    ask.user = "bob";
    ask.password = "builder";
    ask.from = ask.to = "sip:bob@atlanta.example";
    assert_int_equal(exchange_ask_as(exchange, &ask), 200);
    assert_int_equal(ahoyd_server_counters(exchange->server)->failed_logins, AHOY_TRIES_AT_ONCE);
    /* Nobody is locked out. */
    exchange_wait(exchange, AHOY_TRIES_MS);
    ask = exchange_alice(CONTACT);
    ask.peer = "192.0.2.67:5060";
    ask.cseq = 700;
    assert_int_equal(exchange_ask_as(exchange, &ask), 200);
}

/* What the log says of a login that failed: never a password, a nonce or a digest. */
static void failed_logins_are_told(void **state)
{
    static const struct {
        const char *user, *algorithm, *line;
    } rows[] = {
        { "alice", "MD5", "wrong password, user \"alice\"\n" },
        { "carol", "SHA-256", "unknown user, user \"carol\"\n" },
        { "caf\xe9", "MD5", "unknown user, user \"caf\\xe9\"\n" },
        { "x from 198.51.100.1:1 by udp", "MD5",
          "unknown user, user \"x from 198.51.100.1:1 by udp\"\n" },
        { "a234567890123456789012345678901234567890123456789012345678901234567890", "MD5",
          "user \"a234567890123456789012345678901234567890123456789012345678901234\"\n" },
    };
    struct exchange *exchange = *state;
    struct ask ask = exchange_alice(CONTACT);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *first = "failed login from 192.0.2.1:5060 by udp, realm \"atlanta.example\": ";
        exchange->logged_size = 0;
        ask.user = rows[i].user;
        ask.algorithm = rows[i].algorithm;
        ask.password = "guess";
        ask.cseq += 10;
        assert_int_equal(exchange_ask_as(exchange, &ask), 401);
        assert_ptr_equal(strstr(exchange->logged, first), exchange->logged);
        assert_non_null(strstr(exchange->logged, rows[i].line));
        assert_null(strstr(exchange->logged, "guess"));
    }
    /* A stale nonce and a right password are nothing to be told of. */
    exchange->logged[exchange->logged_size = 0] = '\0';
    ask = exchange_alice(CONTACT);
    ask.cseq = 900;
    assert_int_equal(exchange_ask_as(exchange, &ask), 200);
    ask.cseq = 902;
    assert_int_equal(answer(exchange, &ask), 401);
    assert_true(is_stale(exchange));
    assert_string_equal(exchange->logged, "");
}

/* A flood of failures is no flood of lines, and lines come again. */
static void failed_logins_are_told_within_bounds(void **state)
{
    struct exchange *exchange = *state;
    char peer[32], name[16];
    unsigned lines = 0;
    struct ask ask = exchange_alice(CONTACT);
    ask.peer = peer;
    ask.user = name;
    ask.password = "guess";
    for (unsigned i = 0; i < 3 * AHOYD_REFUSALS_TOLD_LIMIT; i++) {
        snprintf(peer, sizeof peer, "198.51.100.%u:5060", i + 1);
        snprintf(name, sizeof name, "user%u", i);
        ask.cseq += 10;
        assert_int_equal(exchange_ask_as(exchange, &ask), 401);
    }
    for (const char *at = exchange->logged; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    assert_int_equal(lines, AHOYD_REFUSALS_TOLD_LIMIT);
    assert_int_equal(ahoyd_server_counters(exchange->server)->untold_refusals,
                     2 * AHOYD_REFUSALS_TOLD_LIMIT);
    exchange_wait(exchange, AHOYD_REFUSALS_TOLD_MS);
    exchange->logged_size = 0;
    for (unsigned i = 0; i < 2; i++) {
        snprintf(peer, sizeof peer, "198.51.100.%u:5060", 200 + i);
        ask.cseq += 10;
        assert_int_equal(exchange_ask_as(exchange, &ask), 401);
    }
    assert_non_null(strstr(exchange->logged, "198.51.100.200:5060"));
    assert_null(strstr(exchange->logged, "198.51.100.201:5060"));
}

/* Who guesses for many is slowed by his address, be there such users or not. */
static void guessing_for_many_is_slow(void **state)
{
    struct exchange *exchange = *state;
    char names[AHOY_TRIES_AT_ONCE][8];
    struct ask ask = exchange_alice(CONTACT);
    ask.peer = "192.0.2.66:5060";
    for (unsigned i = 0; i < AHOY_TRIES_AT_ONCE; i++) {
        snprintf(names[i], sizeof names[i], "user%u", i);
        ask.user = names[i];
        ask.cseq = 100 * i + 1;
        assert_int_equal(guess(exchange, ask, 1), 1);
    }
    ask.user = "bob";
    assert_int_equal(exchange_ask_as(exchange, &ask), 503);
    ask.user = "nobody";
    assert_int_equal(exchange_ask_as(exchange, &ask), 503);
}

/* Behind one address many phones may be, and one of them may have a wrong password. */
static void a_wrong_phone_keeps_nobody_out(void **state)
{
    struct exchange *exchange = *state;
    struct ask wrong = exchange_alice(CONTACT);
    wrong.user = "bob";
    wrong.peer = "192.0.2.66:5060";
    assert_int_equal(guess(exchange, wrong, 25), AHOY_TRIES_AT_ONCE);
    for (unsigned i = 0; i < 20; i++) {
        exchange_wait(exchange, AHOY_TRIES_MS);
        wrong.cseq = 1000 * (i + 1);
        (void)guess(exchange, wrong, 2);
    }
    struct ask ask = exchange_alice(CONTACT);
    ask.peer = "192.0.2.66:5070";
    assert_int_equal(exchange_ask_as(exchange, &ask), 200);
}

/* From where he is registered he may, whatever others try elsewhere or beside him. */
static void at_home_a_user_is_left_alone(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = exchange_alice(CONTACT);
    ask.cseq = 1000;
    assert_int_equal(exchange_ask_as(exchange, &ask), 200);
    struct ask other = exchange_alice(CONTACT);
    other.peer = "192.0.2.66:5060";
    assert_int_equal(guess(exchange, other, 25), AHOY_TRIES_AT_ONCE);
    ask.cseq = 2000;
    assert_int_equal(exchange_ask_as(exchange, &ask), 200);
    other.peer = "192.0.2.1:7070";
    other.user = "bob";
    assert_int_equal(guess(exchange, other, 25), AHOY_TRIES_AT_ONCE);
    ask.cseq = 3000;
    assert_int_equal(exchange_ask_as(exchange, &ask), 200);
    /* But at home too guessing is slow. */
    ask.cseq = 4000;
    assert_int_equal(guess(exchange, ask, 25), AHOY_TRIES_AT_ONCE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_variant_is_taken, setup, exchange_teardown),
        cmocka_unit_test_setup_teardown(old_clients_are_understood, setup, exchange_teardown),
        cmocka_unit_test_setup_teardown(a_count_is_taken_once, setup, exchange_teardown),
        cmocka_unit_test_setup_teardown(what_is_not_offered_is_not_taken, setup, exchange_teardown),
        cmocka_unit_test_setup_teardown(names_are_only_names, setup, exchange_teardown),
        cmocka_unit_test_setup_teardown(auth_int_covers_the_body, setup, exchange_teardown),
        cmocka_unit_test_setup_teardown(names_have_many_forms, setup, exchange_teardown),
        cmocka_unit_test_setup_teardown(the_answer_proves_itself, setup, exchange_teardown),
        cmocka_unit_test_setup_teardown(old_users_hold_their_domain_back, setup, exchange_teardown),
        cmocka_unit_test_setup_teardown(guessing_is_slow, setup, exchange_teardown),
        cmocka_unit_test_setup_teardown(failed_logins_are_told, setup, exchange_teardown),
        cmocka_unit_test_setup_teardown(failed_logins_are_told_within_bounds, setup,
                                        exchange_teardown),
        cmocka_unit_test_setup_teardown(guessing_for_many_is_slow, setup, exchange_teardown),
        cmocka_unit_test_setup_teardown(a_wrong_phone_keeps_nobody_out, setup, exchange_teardown),
        cmocka_unit_test_setup_teardown(at_home_a_user_is_left_alone, setup, exchange_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
