/* Digest challenges and credentials (RFC 3261 20.7, 20.44, 22.4; RFC 8760). */
#include "libahoy/syntax/challenge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/support/bytes.h"

static struct ahoy_challenge parse(const char *text)
{
    struct ahoy_challenge challenge;
    struct ahoy_err err = { .expected = NULL };
    if (!ahoy_challenge_parse(test_text(text), &challenge, &err))
        fail_msg("%s: expected %s", text, err.expected);
    return challenge;
}

static void refuse(const char *text, size_t offset)
{
    struct span bytes = test_text(text);
    struct ahoy_challenge challenge;
    struct ahoy_err err = { .expected = NULL };
    if (ahoy_challenge_parse(bytes, &challenge, &err))
        fail_msg("%s was accepted", text);
    assert_non_null(err.expected);
    assert_int_equal(err.status, 400);
    assert_int_equal(ahoy_err_offset(&err, bytes), offset);
}

static void test_credentials(void **state)
{
    (void)state;
    struct ahoy_challenge got =
        parse("Digest  username=\"Alice\", realm=\"atlanta.com\",\r\n"
              " nonce=\"84a4cc6f3082121f32b42a2187831a9e\", uri=\"sip:bob@biloxi.com\",\r\n"
              " response=\"7587245234b3434cc3412213e5f113a5432\", algorithm=MD5,\r\n"
              " cnonce=\"0a4f113b\", qop=auth, nc=00000001, opaque=\"\", unknown=x");
    assert_true(got.is_digest);
    assert_span(got.scheme, "Digest");
    assert_span(got.username, "Alice");
    assert_span(got.realm, "atlanta.com");
    assert_span(got.nonce, "84a4cc6f3082121f32b42a2187831a9e");
    assert_span(got.uri, "sip:bob@biloxi.com");
    assert_span(got.response, "7587245234b3434cc3412213e5f113a5432");
    assert_span(got.cnonce, "0a4f113b");
    assert_span(got.qop, "auth");
    assert_span(got.nc, "00000001");
    assert_span(got.opaque, "");
    assert_int_equal(got.algorithm, AHOY_DIGEST_MD5);
    assert_false(got.stale);
}

static void test_challenge(void **state)
{
    (void)state;
    struct ahoy_challenge got =
        parse("DIGEST realm=\"a \\\"b\\\", c\", domain=\"sip:ss1.carrier.com\","
              "qop=\"auth,auth-int\",nonce=\"f8\" , stale = TRUE,"
              "algorithm=SHA-256");
    assert_true(got.is_digest);
    assert_true(got.stale);
    assert_span(got.realm, "a \\\"b\\\", c");
    assert_span(got.qop, "auth,auth-int");
    assert_int_equal(got.algorithm, AHOY_DIGEST_SHA256);
    assert_span(got.algorithm_text, "SHA-256");
    assert_span(got.username, "");
    assert_false(parse("Digest realm=\"x\", stale=false").stale);
}

static void test_algorithms(void **state)
{
    (void)state;
    assert_int_equal(parse("Digest realm=\"x\"").algorithm, AHOY_DIGEST_MD5);
    assert_int_equal(parse("Digest algorithm=\"md5\"").algorithm, AHOY_DIGEST_MD5);
    assert_int_equal(parse("Digest algorithm=sha-256").algorithm, AHOY_DIGEST_SHA256);
    assert_int_equal(parse("Digest algorithm=SHA-512-256").algorithm, AHOY_DIGEST_SHA512_256);
    assert_int_equal(parse("Digest algorithm=SHA-512").algorithm, AHOY_DIGEST_OTHER);
    assert_int_equal(parse("Digest algorithm=-sess").algorithm, AHOY_DIGEST_OTHER);
    assert_int_equal(parse("Digest algorithm=\"\"").algorithm, AHOY_DIGEST_OTHER);
    assert_false(parse("Digest algorithm=MD5").is_session);
    struct ahoy_challenge got = parse("Digest algorithm=sha-512-256-SESS");
    assert_int_equal(got.algorithm, AHOY_DIGEST_SHA512_256);
    assert_true(got.is_session);
    assert_span(ahoy_digest_name(got.algorithm), "SHA-512-256");
    assert_int_equal(ahoy_digest_size(got.algorithm), 64);
    assert_int_equal(ahoy_digest_size(AHOY_DIGEST_OTHER), 0);
}

static void user_is(const char *text, const char *right)
{
    char space[32];
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    struct ahoy_challenge credentials = parse(text);
    assert_int_equal(ahoy_challenge_print_user(&credentials, &buf), right != NULL);
    if (right != NULL)
        assert_span(ahoy_buf_text(&buf), right);
}

/* RFC 7616 3.4, 3.4.5, RFC 5987 3.2.1; R7616-3.4-1. */
static void test_names(void **state)
{
    (void)state;
    user_is("Digest username=\"alice\"", "alice");
    user_is("Digest username=\"al\\\"i\\ce\"", "al\"ice");
    user_is("Digest username*=UTF-8''J%C3%A4s%C3%B8n%20Doe, userhash=false",
            "J\xc3\xa4s\xc3\xb8n Doe");
    user_is("Digest username*=utf-8'de'%61", "a");
    user_is("Digest realm=\"x\"", NULL);
    user_is("Digest username=\"\"", NULL);
    user_is("Digest username=\"123456789012345678901234567890123\"", NULL);
    user_is("Digest username*=alice", NULL);
    user_is("Digest username*=UTF-8'alice", NULL);
    user_is("Digest username*=ISO-8859-1''alice", NULL);
    user_is("Digest username*=UTF-8''%4", NULL);
    user_is("Digest username*=UTF-8''%4g", NULL);
    assert_true(parse("Digest userhash=TRUE").userhash);
    assert_false(parse("Digest userhash=yes").userhash);
    assert_span(parse("Digest charset=UTF-8").charset, "UTF-8");
    char space[32];
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    ahoy_put_escaped(&buf, SPAN("al\"i\\ce"));
    assert_span(ahoy_buf_text(&buf), "al\\\"i\\\\ce");
}

/* RFC 4475 3.3.7: another scheme is none of our business, and no fault. */
static void test_other_schemes(void **state)
{
    (void)state;
    struct ahoy_challenge got = parse("NoOneKnowsThisScheme opaque-data=here");
    assert_false(got.is_digest);
    assert_span(got.scheme, "NoOneKnowsThisScheme");
    assert_span(got.realm, "");
    assert_false(parse("Bearer abc.def==").is_digest);
    assert_false(parse("Digestive realm=\"x\"").is_digest);
}

/* Attack 15. */
static void test_faults(void **state)
{
    (void)state;
    refuse("", 0);
    refuse("\"Digest\" realm=\"x\"", 0);
    refuse("Digest,realm=\"x\"", 6);
    refuse("Other,x", 5);
    refuse("Digest", 6);
    refuse("Digest ", 7);
    refuse("Digest realm", 12);
    refuse("Digest realm=", 13);
    refuse("Digest realm=\"x", 13);
    refuse("Digest realm=\"x\\\"", 13);
    refuse("Digest realm=\"x\",", 17);
    refuse("Digest realm=\"x\",,nonce=\"y\"", 17);
    refuse("Digest realm=\"x\" nonce=\"y\"", 17);
    refuse("Digest realm=\"x\"nonce=\"y\"", 16);
    refuse("Digest realm=\"x\",Realm=\"y\"", 17);
    refuse("Digest nonce=,realm=\"x\"", 13);
    refuse("Digest =\"x\"", 7);
    refuse("Digest username=\"a\",username*=UTF-8''a", 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_credentials, test_free_all),
        cmocka_unit_test_teardown(test_challenge, test_free_all),
        cmocka_unit_test_teardown(test_algorithms, test_free_all),
        cmocka_unit_test_teardown(test_names, test_free_all),
        cmocka_unit_test_teardown(test_other_schemes, test_free_all),
        cmocka_unit_test_teardown(test_faults, test_free_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
