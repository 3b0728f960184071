/* Keeping registered, against a registrar of a few lines (RFC 3261 10.2, 22). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "libahoy/auth/digest.h"
#include "tests/support/pair.h"

static struct pair pair;
static unsigned asked; /* REGISTERs that came. */
static uint32_t last_cseq;
static char last_algorithm[16];
static bool hashed;            /* They are for a hash of her name. */
static bool was_right;         /* The last credentials were those of "secret". */
static const char *challenges; /* What a REGISTER without the right credentials gets. */
static unsigned refusal;       /* The status for it. */
static bool accepts;           /* Right credentials are enough. */
static bool is_behind_proxy;   /* That asks for credentials first. */
static bool is_stale;          /* Whatever comes gets a new nonce. */
static char stale[256];
static const char *granted; /* Rows of the 200. */
static const char *proof;   /* An Authentication-Info beside them, with %s where rspauth is. */
static const char *body;    /* Of the 200, which that is for. */
static char last_nonce[16];

#define MD5 "WWW-Authenticate: Digest realm=\"atlanta.example\", nonce=\"m\", qop=\"auth\"\r\n"
#define SHA256                                                                                     \
    "WWW-Authenticate: Digest realm=\"atlanta.example\", nonce=\"s\", qop=\"auth-int,auth\", "     \
    "algorithm=SHA-256, opaque=\"o\"\r\n"

#define PROXY                                                                                      \
    "Proxy-Authenticate: Digest realm=\"atlanta.example\", nonce=\"p\", qop=\"auth\", "            \
    "domain=\"sip:x\"\r\n"

static bool check(const struct ahoy_message *request)
{
    struct ahoy_challenge credentials;
    struct ahoy_digest_hex ha1;
    const struct ahoy_field *field = ahoy_message_first(request, AHOY_HEADER_AUTHORIZATION);
    if (field == NULL)
        return false;
    assert_null(ahoy_message_next(request, field));
    assert_true(ahoy_challenge_parse(field->value, &credentials, NULL));
    snprintf(last_algorithm, sizeof last_algorithm, "%.*s", (int)credentials.algorithm_text.size,
             credentials.algorithm_text.at);
    assert_true(ahoy_span_equal(credentials.uri, request->request_uri));
    struct ahoy_digest_hex name;
    assert_true(
        ahoy_digest_userhash(credentials.algorithm, SPAN("alice"), SPAN("atlanta.example"), &name));
    assert_int_equal(credentials.userhash, hashed);
    assert_true(ahoy_span_equal(credentials.username,
                                hashed ? (struct span){ name.text, name.size } : SPAN("alice")));
    assert_true(ahoy_digest_ha1(credentials.algorithm, SPAN("alice"), SPAN("atlanta.example"),
                                SPAN("secret"), &ha1));
    const struct ahoy_digested digested = { .method = SPAN("REGISTER") };
    return ahoy_digest_verify(&credentials, &ha1, &digested);
}

/* Rows of a 200 with |proof|; its digest is for |body| where it says auth-int. */
static const char *prove(const struct ahoy_message *request)
{
    static char rows[1024];
    char row[512];
    struct ahoy_challenge credentials;
    struct ahoy_digest_hex ha1, rspauth;
    const struct ahoy_field *field = ahoy_message_first(request, AHOY_HEADER_AUTHORIZATION);
    if (proof == NULL || field == NULL)
        return granted;
    assert_true(ahoy_challenge_parse(field->value, &credentials, NULL));
    snprintf(last_nonce, sizeof last_nonce, "%.*s", (int)credentials.nonce.size,
             credentials.nonce.at);
    if (strstr(proof, "qop=auth-int") != NULL)
        credentials.qop = SPAN("auth-int");
    const struct ahoy_digested digested = { .body = ahoy_span(body) };
    assert_true(ahoy_digest_ha1(credentials.algorithm, SPAN("alice"), SPAN("atlanta.example"),
                                SPAN("secret"), &ha1));
    assert_true(ahoy_digest_response(&credentials, &ha1, &digested, &rspauth));
    rspauth.text[rspauth.size - 1] ^= strstr(proof, "wrong") != NULL;
    snprintf(row, sizeof row, "Authentication-Info: %s\r\n%s", proof, granted);
    const char *at = strstr(row, "%s");
    snprintf(rows, sizeof rows, "%.*s%.*s%s", at != NULL ? (int)(at - row) : (int)strlen(row), row,
             at != NULL ? (int)rspauth.size : 0, rspauth.text, at != NULL ? at + 2 : "");
    return rows;
}

/* R3261-10.2-3, R3261-10.2-5: whose bindings these are is said in To, by a SIP URI. */
static void check_rows(const struct ahoy_message *request)
{
    static const enum ahoy_header rows[] = { AHOY_HEADER_TO, AHOY_HEADER_FROM, AHOY_HEADER_CALL_ID,
                                             AHOY_HEADER_CSEQ };
    struct ahoy_address to;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_not_equal(ahoy_message_value(request, rows[i]).size, 0);
    assert_true(ahoy_address_parse(ahoy_message_value(request, AHOY_HEADER_TO), &to, NULL));
    assert_int_equal(to.uri.scheme, AHOY_SCHEME_SIP);
    assert_true(ahoy_span_equal(to.uri.user, SPAN("alice")));
    assert_int_equal(to.tag.size, 0);
}

static void registrar(struct pair *world, const struct ahoy_message *request)
{
    struct ahoy_cseq cseq;
    check_rows(request);
    assert_int_equal(request->method, AHOY_METHOD_REGISTER);
    assert_true(ahoy_cseq_parse(ahoy_message_value(request, AHOY_HEADER_CSEQ), &cseq, NULL));
    asked++;
    assert_true(cseq.number > last_cseq); /* R3261-10.2-6, R3261-22.2-2 */
    last_cseq = cseq.number;
    /* R3261-10.2-4 */
    assert_true(ahoy_span_equal(request->request_uri, SPAN("sip:atlanta.example")));
    if (is_behind_proxy && ahoy_message_first(request, AHOY_HEADER_PROXY_AUTHORIZATION) == NULL) {
        pair_reply(world, request, 407, "p", PROXY, "");
        return;
    }
    was_right = check(request);
    if (is_stale) {
        snprintf(
            stale, sizeof stale,
            "WWW-Authenticate: Digest realm=\"atlanta.example\", nonce=\"n%u\", stale=true\r\n",
            asked);
        challenges = stale;
    }
    if (accepts && (was_right || challenges == NULL))
        pair_reply(world, request, 200, "r", prove(request), proof != NULL ? body : "");
    else
        pair_reply(world, request, refusal, "r", challenges != NULL ? challenges : "", "");
}

static void begin(const char *with, unsigned status, bool accept, const char *rows)
{
    pair_init(&pair);
    pair.script = registrar;
    asked = 0;
    last_cseq = 0;
    challenges = with;
    refusal = status;
    accepts = accept;
    granted = rows;
    last_algorithm[0] = '\0';
    last_nonce[0] = '\0';
    ahoy_ua_register(pair.ends[ALICE].ua, 3600, pair.now_ms);
    pair_run(&pair, 1000);
}

/* RFC 8760 2.4: the first that we know, whatever else is there: R8760-2.4-1, R7616-3.3-4. */
static void test_takes_the_first(void **state)
{
    (void)state;
    begin("WWW-Authenticate: Basic realm=\"atlanta.example\"\r\n"
          "WWW-Authenticate: Digest realm=\"atlanta.example\", nonce=\"x\", algorithm=SHA-1024\r\n"
          "WWW-Authenticate: Digest realm=\"atlanta.example\", nonce=\"x\", qop=\"auth-conf\"\r\n"
          "WWW-Authenticate: Digest realm=\"biloxi.example\", nonce=\"x\", qop=\"auth\"\r\n"
          "WWW-Authenticate: Digest broken\r\n" SHA256 MD5,
          401, true, "Contact: <sip:alice@192.0.2.1:5060>;expires=600\r\n");
    pair_expect(&pair, "0 alice > bob REGISTER\n"
                       "10 bob > alice 401 REGISTER\n"
                       "20 alice > bob REGISTER\n"
                       "30 bob > alice 200 REGISTER\n"
                       "40 alice: registered 600\n");
    assert_true(was_right);
    assert_string_equal(last_algorithm, "SHA-256");
    pair_fini(&pair);
    begin(MD5 SHA256, 401, true, "Expires: 700\r\n");
    assert_true(was_right);
    assert_string_equal(last_algorithm, "");
    assert_int_equal(pair.ends[ALICE].news.expires_s, 700);
    pair_fini(&pair);
    begin(MD5, 401, true, "");
    assert_true(was_right);
    assert_int_equal(pair.ends[ALICE].news.expires_s, 3600);
    pair_fini(&pair);
}

/* What our row holds when it answers |challenge|. */
static const char *row_for(const char *challenge)
{
    static char row[1024];
    begin(challenge, 401, true, "");
    assert_true(was_right);
    pair_received(&pair, BOB);
    struct span value = ahoy_message_value(&pair.message, AHOY_HEADER_AUTHORIZATION);
    snprintf(row, sizeof row, "%.*s", (int)value.size, value.at);
    pair_fini(&pair);
    return row;
}

/* R3261-22.4-3, -4 and -6, R7616-3.4-2 to -6, R7616-3.4.6-1, R8760-2.6-2, -4 and -5. */
static void test_quotes_and_qop(void **state)
{
    (void)state;
    const char *row = row_for("WWW-Authenticate: Digest realm=\"atlanta.example\", nonce=\"n\", "
                              "algorithm=\"sha-512-256-sess\", qop=\"x,auth-int\", opaque=\"o\", "
                              "domain=\"sip:a\", unknown=\"x\"\r\n");
    assert_non_null(strstr(row, "username=\"alice\", realm=\"atlanta.example\", nonce=\"n\", "
                                "uri=\"sip:atlanta.example\", response=\""));
    assert_non_null(strstr(row, "\", algorithm=SHA-512-256-sess, opaque=\"o\", cnonce=\""));
    assert_non_null(strstr(row, "\", qop=auth-int, nc=00000001"));
    assert_null(strstr(row, "userhash"));
    row = row_for("WWW-Authenticate: Digest realm=\"atlanta.example\", nonce=\"n\", "
                  "qop=\"auth-int, AUTH\"\r\n");
    assert_non_null(strstr(row, "\", qop=auth, nc=00000001"));
    assert_null(strstr(row, "algorithm"));
    row = row_for("WWW-Authenticate: Digest realm=\"atlanta.example\", nonce=\"n\"\r\n");
    assert_null(strstr(row, "cnonce"));
    assert_null(strstr(row, "qop"));
    assert_null(strstr(row, "nc="));
}

/* R7616-3.4.4-1 */
static void test_hashes_its_name(void **state)
{
    (void)state;
    hashed = true;
    const char *row = row_for("WWW-Authenticate: Digest realm=\"atlanta.example\", nonce=\"n\", "
                              "algorithm=SHA-256, qop=\"auth\", charset=UTF-8, userhash=true\r\n");
    assert_non_null(strstr(row, "\", userhash=true, realm="));
    hashed = false;
}

/* RFC 7616 3.5: who answers proves that he knows the password too, or is not believed.
 * R7616-3.5-2, -3: for these very credentials. */
static void test_the_server_proves_itself(void **state)
{
    static const struct {
        const char *proof, *news;
    } rows[] = {
        { "qop=auth, rspauth=\"%s\"", "registered 600\n" },
        { "rspauth=\"%s\", nc=00000001", "registered 600\n" },
        { "qop=auth-int, rspauth=\"%s\"", "registered 600\n" },
        { "qop=auth", "registered 600\n" },
        { "x=wrong, qop=auth, rspauth=\"%s\"", "failed 200\n" },
        { "x=wrong, qop=auth-int, rspauth=\"%s\"", "failed 200\n" },
        { "qop=auth, rspauth=\"\", x=\"%s\"", "registered 600\n" },
        { "qop=auth, rspauth=\"0\"", "failed 200\n" },
        { "qop=auth-conf, rspauth=\"%s\"", "failed 200\n" },
        { "rspauth=\"%s\", nc=00000002", "failed 200\n" },
        { "rspauth=\"%s\", cnonce=\"x\"", "failed 200\n" },
    };
    (void)state;
    body = "body";
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char expected[256];
        proof = rows[i].proof;
        begin(SHA256, 401, true, "Contact: <sip:alice@192.0.2.1:5060>;expires=600\r\n");
        snprintf(expected, sizeof expected,
                 "0 alice > bob REGISTER\n10 bob > alice 401 REGISTER\n20 alice > bob REGISTER\n"
                 "30 bob > alice 200 REGISTER\n40 alice: %s",
                 rows[i].news);
        pair_expect(&pair, expected);
        pair_fini(&pair);
    }
    proof = NULL;
}

/* RFC 7616 3.5: the next REGISTER has credentials for the nonce that it was told, so nobody has to
 * ask for any. */
static void test_the_next_nonce_is_used(void **state)
{
    (void)state;
    body = "";
    proof = "nextnonce=\"two\", qop=auth, rspauth=\"%s\"";
    begin(SHA256, 401, true, "Contact: <sip:alice@192.0.2.1:5060>;expires=600\r\n");
    assert_int_equal(asked, 2);
    assert_string_equal(last_nonce, "s");
    proof = "nextnonce=\"three\"";
    pair_run(&pair, 600000);
    assert_int_equal(asked, 3);
    assert_true(was_right);
    assert_string_equal(last_nonce, "two");
    proof = "qop=auth, rspauth=\"%s\"";
    ahoy_ua_unregister(pair.ends[ALICE].ua, pair.now_ms);
    pair_run(&pair, pair.now_ms + 1000);
    assert_int_equal(asked, 4);
    assert_string_equal(last_nonce, "three");
    pair_fini(&pair);
    /* One that cannot stand in a row is not used. */
    proof = "nextnonce=\"a\r\n b\"";
    begin(SHA256, 401, true, "Contact: <sip:alice@192.0.2.1:5060>;expires=600\r\n");
    pair_run(&pair, 600000);
    assert_string_equal(last_nonce, "s");
    pair_fini(&pair);
    proof = NULL;
}

/* Other people's bindings in the 200 do not count: 10.2.4. */
static void test_own_expiry(void **state)
{
    (void)state;
    begin(NULL, 401, true,
          "Contact: <sip:alice@192.0.2.77>;expires=60, <sip:alice@192.0.2.1:5060>;expires=900, "
          "<sip:alice@192.0.2.78>;expires=70\r\n");
    assert_int_equal(pair.ends[ALICE].news.expires_s, 900);
    pair_fini(&pair);
}

/* R7616-3.3-1, R7616-3.8-2: what the proxy was told stays beside what the registrar asks for. */
static void test_proxy_and_registrar(void **state)
{
    (void)state;
    is_behind_proxy = true;
    begin(SHA256, 401, true, "Expires: 600\r\n");
    is_behind_proxy = false;
    pair_expect(&pair, "0 alice > bob REGISTER\n"
                       "10 bob > alice 407 REGISTER\n"
                       "20 alice > bob REGISTER\n"
                       "30 bob > alice 401 REGISTER\n"
                       "40 alice > bob REGISTER\n"
                       "50 bob > alice 200 REGISTER\n"
                       "60 alice: registered 600\n");
    assert_true(was_right);
    pair_fini(&pair);
}

/* Refreshed in time, and again with whatever that takes: R3261-22.3-4, R7616-3.3-2. */
static void test_refresh(void **state)
{
    (void)state;
    begin(SHA256, 401, true, "Contact: <sip:alice@192.0.2.1:5060>;expires=100\r\n");
    pair_forget(&pair);
    pair_run(&pair, 66000);
    pair_expect(&pair, "");
    pair_run(&pair, 99000);
    pair_expect(&pair, "67040 alice > bob REGISTER\n"
                       "67050 bob > alice 401 REGISTER\n"
                       "67060 alice > bob REGISTER\n"
                       "67070 bob > alice 200 REGISTER\n"
                       "67080 alice: registered 100\n");
    pair_fini(&pair);
}

/* R3261-22.1-7: credentials that were refused are not sent again. */
static void test_wrong_password(void **state)
{
    (void)state;
    begin(SHA256, 401, false, "");
    assert_int_equal(asked, 2);
    assert_int_equal(pair.ends[ALICE].news.kind, AHOY_NEWS_REGISTRATION_FAILED);
    assert_int_equal(pair.ends[ALICE].news.status, 401);
    pair_run(&pair, 100000);
    assert_int_equal(asked, 2);
    pair_fini(&pair);
}

/* Attack 21: a registrar that finds every nonce stale is asked no more after two tries. */
/* And R3261-22.1-7: it is tried with the new nonce at least. */
static void test_endless_stale(void **state)
{
    (void)state;
    is_stale = true;
    begin("", 401, false, "");
    assert_int_equal(asked, 3);
    is_stale = false;
    pair_fini(&pair);
    /* The same nonce as before would be the same credentials. */
    begin("WWW-Authenticate: Digest realm=\"atlanta.example\", nonce=\"n\", stale=true\r\n", 401,
          false, "");
    assert_int_equal(asked, 2);
    assert_int_equal(pair.ends[ALICE].news.kind, AHOY_NEWS_REGISTRATION_FAILED);
    pair_fini(&pair);
}

/* Attack 20: another realm, another scheme, an unknown algorithm get nothing. */
static void test_foreign_challenges(void **state)
{
    static const char *const foreign[] = {
        "WWW-Authenticate: Digest realm=\"evil.example\", nonce=\"n\"\r\n",
        "WWW-Authenticate: Basic realm=\"atlanta.example\"\r\n",
        "WWW-Authenticate: Digest realm=\"atlanta.example\", nonce=\"n\", algorithm=MD4\r\n",
        "WWW-Authenticate: Digest realm=\"atlanta.example\", nonce=\"n\", qop=\"auth-conf\"\r\n",
        "WWW-Authenticate: Digest realm=\"atlanta.example\", nonce=\"n\", algorithm=MD5-sess\r\n",
        "WWW-Authenticate: Digest realm=\"atlanta.example\"\r\n",
        "WWW-Authenticate: Digest realm=\"atlanta.example\", nonce=\"\"\r\n",
        "Proxy-Authenticate: Digest realm=\"atlanta.example\", nonce=\"n\"\r\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        begin(foreign[i], 401, true, "");
        assert_int_equal(asked, 1);
        assert_int_equal(pair.ends[ALICE].news.kind, AHOY_NEWS_REGISTRATION_FAILED);
        pair_fini(&pair);
    }
}

/* Attack 16: what does not fit is not sent. */
static void test_long_nonce(void **state)
{
    static char rows[4096];
    (void)state;
    snprintf(rows, sizeof rows,
             "WWW-Authenticate: Digest realm=\"atlanta.example\", nonce=\"%03000d\"\r\n", 7);
    begin(rows, 401, true, "");
    assert_int_equal(asked, 1);
    assert_int_equal(pair.ends[ALICE].news.kind, AHOY_NEWS_REGISTRATION_FAILED);
    pair_fini(&pair);
}

/* 10.2.8: Min-Expires is obeyed, once. */
static void test_interval_too_brief(void **state)
{
    (void)state;
    begin("Min-Expires: 7000\r\n", 423, false, "");
    assert_int_equal(asked, 2);
    assert_true(strstr(pair.ends[BOB].received, "\r\nExpires: 7000\r\n") != NULL);
    assert_int_equal(pair.ends[ALICE].news.status, 423);
    pair_fini(&pair);
}

static void test_unregister(void **state)
{
    (void)state;
    begin(SHA256, 401, true, "Expires: 3600\r\n");
    pair_forget(&pair);
    ahoy_ua_unregister(pair.ends[ALICE].ua, pair.now_ms);
    pair_run(&pair, 2000);
    pair_expect(&pair, "1000 alice > bob REGISTER\n"
                       "1010 bob > alice 401 REGISTER\n"
                       "1020 alice > bob REGISTER\n"
                       "1030 bob > alice 200 REGISTER\n"
                       "1040 alice: unregistered\n");
    assert_true(strstr(pair.ends[BOB].received, "\r\nExpires: 0\r\n") != NULL);
    pair_run(&pair, 7200000); /* Nothing is refreshed any more. */
    pair_expect(&pair, "");
    pair_fini(&pair);
}

/* R3261-10.2-5: nobody is registered as something else. */
static void test_sip_alone(void **state)
{
    (void)state;
    pair_init(&pair);
    struct ahoy_ua_options options = {
        .transactions = ahoy_stack_transactions(pair.ends[ALICE].stack),
        .account = { .uri = SPAN("tel:+15551234"), .user = SPAN("a"), .domain = SPAN("b.example") },
    };
    assert_null(ahoy_ua_new(&options));
    options.account.uri = SPAN("sip:a@b.example");
    struct ahoy_ua *ua = ahoy_ua_new(&options);
    assert_non_null(ua);
    ahoy_ua_free(ua);
    pair_fini(&pair);
}

/* Asked to leave while registering: first the one, then the other (R3261-10.2-7). */
static void test_leave_early(void **state)
{
    (void)state;
    pair_init(&pair);
    pair.script = registrar;
    asked = 0;
    last_cseq = 0;
    challenges = NULL;
    accepts = true;
    granted = "";
    ahoy_ua_register(pair.ends[ALICE].ua, 3600, 0);
    ahoy_ua_unregister(pair.ends[ALICE].ua, 0);
    pair_run(&pair, 1000);
    pair_expect(&pair, "0 alice > bob REGISTER\n"
                       "10 bob > alice 200 REGISTER\n"
                       "20 alice: registered 3600\n"
                       "20 alice > bob REGISTER\n"
                       "30 bob > alice 200 REGISTER\n"
                       "40 alice: unregistered\n");
    pair_fini(&pair);
}

/* A registrar that is silent: at the start it is a failure, later it is asked again. */
static void test_silence(void **state)
{
    (void)state;
    begin(NULL, 401, true, "Expires: 100\r\n");
    pair_lose(&pair, "REGISTER", 11);
    pair_run(&pair, 99050);
    pair_forget(&pair);
    pair_run(&pair, 129000);
    pair_expect(&pair, "");
    pair_run(&pair, 160000); /* 30 to 60 s after the failure, R5626-4.5-2. */
    assert_int_equal(pair.ends[ALICE].news.kind, AHOY_NEWS_REGISTERED);
    pair_fini(&pair);
}

/* When a registration is asked for again that stood, and then was refused with |status| and |rows|;
 * UINT64_MAX for never. */
static uint64_t again_after(unsigned status, const char *rows)
{
    begin(NULL, 401, true, "Expires: 100\r\n");
    accepts = false;
    refusal = status;
    challenges = rows;
    pair_run(&pair, 67200);
    assert_int_equal(asked, 2);
    assert_int_equal(pair.ends[ALICE].news.kind, AHOY_NEWS_REGISTRATION_FAILED);
    uint64_t due_ms = ahoy_ua_deadline(pair.ends[ALICE].ua);
    accepts = true;
    challenges = NULL;
    pair_fini(&pair);
    return due_ms;
}

/* R3261-21.5.4-1 */
static void test_503_is_as_500(void **state)
{
    (void)state;
    uint64_t due_ms = again_after(500, "");
    assert_in_range(due_ms, 67201, 300000);
    assert_int_equal(again_after(503, ""), due_ms);
    assert_int_equal(again_after(403, ""), UINT64_MAX);
}

/* R3261-7.3.2-1, R3261-20-6, R3261-20.43-1, R3261-10.2-1, -2: what has no place in a response to
 * REGISTER, or is for people to read, changes nothing. */
static void test_rows_out_of_place(void **state)
{
    (void)state;
    begin(NULL, 401, true,
          "Expires: 100\r\nRecord-Route: <sip:192.0.2.66;lr>\r\nRoute: <sip:192.0.2.66;lr>\r\n"
          "Max-Forwards: 0\r\nProxy-Require: x\r\nMin-Expires: 7000\r\nUnsupported: x\r\n"
          "Authorization: Digest x=y\r\nSubject: x\r\nPriority: emergency\r\n"
          "WWW-Authenticate: Digest realm=\"atlanta.example\", nonce=\"n\"\r\n"
          "Warning: 399 example.com \"Throw it away\"\r\n");
    pair_run(&pair, 85000);
    pair_expect(&pair, "0 alice > bob REGISTER\n"
                       "10 bob > alice 200 REGISTER\n"
                       "20 alice: registered 100\n"
                       "67020 alice > bob REGISTER\n"
                       "67030 bob > alice 200 REGISTER\n"
                       "67040 alice: registered 100\n");
    pair_received(&pair, BOB);
    assert_null(ahoy_message_first(&pair.message, AHOY_HEADER_ROUTE));
    assert_null(ahoy_message_first(&pair.message, AHOY_HEADER_AUTHORIZATION));
    assert_non_null(strstr(pair.ends[BOB].received, "\r\nExpires: 3600\r\n"));
    pair_fini(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_takes_the_first),
        cmocka_unit_test(test_quotes_and_qop),
        cmocka_unit_test(test_proxy_and_registrar),
        cmocka_unit_test(test_hashes_its_name),
        cmocka_unit_test(test_the_server_proves_itself),
        cmocka_unit_test(test_the_next_nonce_is_used),
        cmocka_unit_test(test_own_expiry),
        cmocka_unit_test(test_refresh),
        cmocka_unit_test(test_wrong_password),
        cmocka_unit_test(test_endless_stale),
        cmocka_unit_test(test_foreign_challenges),
        cmocka_unit_test(test_long_nonce),
        cmocka_unit_test(test_interval_too_brief),
        cmocka_unit_test(test_unregister),
        cmocka_unit_test(test_sip_alone),
        cmocka_unit_test(test_leave_early),
        cmocka_unit_test(test_silence),
        cmocka_unit_test(test_503_is_as_500),
        cmocka_unit_test(test_rows_out_of_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
