/* Media, languages, challenges, and what is written for people (RFC 3261 20, 25.1). */
#include "tests/support/values.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/support/bytes.h"

static void test_good(void **state)
{
    (void)state;
    static const struct test_good_value values[] = {
        { AHOY_HEADER_CONTENT_TYPE, "application/sdp", NULL },
        { AHOY_HEADER_CONTENT_TYPE, "text / html\r\n ; charset = ISO-8859-4",
          "text/html;charset=ISO-8859-4" },
        { AHOY_HEADER_CONTENT_TYPE, "multipart/mixed;boundary=\"a  b\"", NULL },
        { AHOY_HEADER_ACCEPT, "*/*", NULL },
        { AHOY_HEADER_ACCEPT, "text/*;q=0.3;x", NULL },
        { AHOY_HEADER_ACCEPT, "application/x-private;level=1", NULL },
        { AHOY_HEADER_ACCEPT_LANGUAGE, "da", NULL },
        { AHOY_HEADER_ACCEPT_LANGUAGE, "en-gb-oed ;q=0.8", "en-gb-oed;q=0.8" },
        { AHOY_HEADER_ACCEPT_LANGUAGE, "*;q=0", NULL },
        { AHOY_HEADER_ACCEPT_LANGUAGE, "es-419", NULL },
        { AHOY_HEADER_CONTENT_LANGUAGE, "fr", NULL },
        { AHOY_HEADER_CONTENT_LANGUAGE, "i-mingo", NULL },
        { AHOY_HEADER_MIME_VERSION, "1.0", NULL },
        { AHOY_HEADER_AUTHORIZATION,
          "Digest   username=\"Alice\", realm=\"atlanta.com\",\r\n nonce = \"84\" ,nc=00000001",
          "Digest username=\"Alice\",realm=\"atlanta.com\",nonce=\"84\",nc=00000001" },
        { AHOY_HEADER_AUTHORIZATION, "Bearer  abc.def==\r\n x", "Bearer abc.def== x" },
        { AHOY_HEADER_PROXY_AUTHORIZATION, "digest uri=\"a\r\n b\"", "digest uri=\"a b\"" },
        { AHOY_HEADER_WWW_AUTHENTICATE, "Digest realm=\"x\",qop=\"auth,auth-int\",stale=FALSE",
          NULL },
        { AHOY_HEADER_PROXY_AUTHENTICATE, "NTLM", NULL },
        { AHOY_HEADER_AUTHENTICATION_INFO, "nextnonce=\"47364c23432d2e131a5fb210812c\"", NULL },
        { AHOY_HEADER_AUTHENTICATION_INFO, "qop = auth ,\r\n nc=00000001, x=\"y, z\"",
          "qop=auth,nc=00000001,x=\"y, z\"" },
        { AHOY_HEADER_USER_AGENT, "Softphone Beta1.5", NULL },
        { AHOY_HEADER_USER_AGENT, "a / 1.0\r\n (x  (y\r\n z) \\)) b/2",
          "a/1.0 (x  (y z) \\)) b/2" },
        { AHOY_HEADER_USER_AGENT, "(only \xc3\xa4 comment)", NULL },
        { AHOY_HEADER_SERVER, "HomeServer v2", NULL },
        { AHOY_HEADER_WARNING, "307 isi.edu \"Session parameter 'foo' not understood\"", NULL },
        { AHOY_HEADER_WARNING, "399  [2001:db8::1]:5060\r\n \"a\r\n  \\\"b\"",
          "399 [2001:db8::1]:5060 \"a \\\"b\"" },
        { AHOY_HEADER_WARNING, "999 !pseudonym' \"\"", NULL },
        { AHOY_HEADER_WARNING, "100 a.example:1 \"\"", NULL },
    };
    test_good_values(values, TEST_COUNT(values));
}

static void test_bad(void **state)
{
    (void)state;
    static const struct test_bad_value values[] = {
        { AHOY_HEADER_CONTENT_TYPE, "text", 4, "\"/\" behind the media type" },
        { AHOY_HEADER_CONTENT_TYPE, "/plain", 0, "a media type" },
        { AHOY_HEADER_CONTENT_TYPE, "text/", 5, "a media subtype" },
        { AHOY_HEADER_CONTENT_TYPE, "text/plain;charset", 18, "\"=\" and a value" },
        { AHOY_HEADER_CONTENT_TYPE, "text/plain, text/html", 10, "\";\" before a parameter" },
        { AHOY_HEADER_ACCEPT, "*", 1, "\"/\" behind the media type" },
        { AHOY_HEADER_ACCEPT, "text/plain;q=0.5;q=1", 17, "each parameter once" },
        { AHOY_HEADER_ACCEPT_LANGUAGE, "en_us", 2, "\";\" before a parameter" },
        { AHOY_HEADER_ACCEPT_LANGUAGE, "languages", 0, "1 to 8 letters of a language" },
        { AHOY_HEADER_ACCEPT_LANGUAGE, "en-", 3, "1 to 8 letters of a language" },
        { AHOY_HEADER_ACCEPT_LANGUAGE, "4n", 0, "1 to 8 letters of a language" },
        { AHOY_HEADER_CONTENT_LANGUAGE, "*", 0, "1 to 8 letters of a language" },
        { AHOY_HEADER_CONTENT_LANGUAGE, "en;q=1", 2, "nothing more" },
        { AHOY_HEADER_MIME_VERSION, "1", 1, "a number and \".\"" },
        { AHOY_HEADER_MIME_VERSION, "1.", 2, "a number behind the \".\"" },
        { AHOY_HEADER_MIME_VERSION, "1.0.0", 3, "nothing more" },
        { AHOY_HEADER_AUTHORIZATION, "Digest", 6, "a parameter's name and \"=\"" },
        { AHOY_HEADER_AUTHORIZATION, "Digest realm=\"x\" nonce=\"y\"", 17,
          "a comma between parameters" },
        { AHOY_HEADER_PROXY_AUTHORIZATION, "Digest realm=\"x\",Realm=\"y\"", 17,
          "each parameter once" },
        { AHOY_HEADER_WWW_AUTHENTICATE, "Digest realm=\"x\",", 17, "a parameter behind the comma" },
        { AHOY_HEADER_PROXY_AUTHENTICATE, "\"Digest\"", 0, "a scheme and white space" },
        { AHOY_HEADER_AUTHENTICATION_INFO, "qop", 3, "a parameter's name and \"=\"" },
        { AHOY_HEADER_AUTHENTICATION_INFO, "nc=1,NC=2", 5, "each parameter once" },
        { AHOY_HEADER_AUTHENTICATION_INFO, "qop=<a>", 4, "a parameter's value" },
        { AHOY_HEADER_USER_AGENT, "/1.0", 0, "a product or a comment" },
        { AHOY_HEADER_USER_AGENT, "a/", 2, "a version behind the \"/\"" },
        { AHOY_HEADER_USER_AGENT, "a/1/2", 3, "white space behind a product or comment" },
        { AHOY_HEADER_USER_AGENT, "a(b)", 1, "white space behind a product or comment" },
        { AHOY_HEADER_SERVER, "a (b", 2, "a closing \")\"" },
        { AHOY_HEADER_SERVER, "a )", 2, "a product or a comment" },
        { AHOY_HEADER_WARNING, "1812 overture \"In Progress\"", 0, "a code of 100 to 999" },
        { AHOY_HEADER_WARNING, "099 a \"b\"", 0, "a code of 100 to 999" },
        { AHOY_HEADER_WARNING, "300 a:99999 \"b\"", 4,
          "white space and who warns: a host or a token" },
        { AHOY_HEADER_WARNING, "300", 3, "white space and who warns: a host or a token" },
        { AHOY_HEADER_WARNING, "300a \"b\"", 3, "white space and who warns: a host or a token" },
        { AHOY_HEADER_WARNING, "300 a b", 6, "white space and a text in quotes" },
        { AHOY_HEADER_WARNING, "300 a \"b", 6, "a closing quote" },
        { AHOY_HEADER_WARNING, "300 a \"b\";c", 9, "nothing more" },
    };
    test_bad_values(values, TEST_COUNT(values));
}

static void test_what_they_say(void **state)
{
    (void)state;
    struct ahoy_value value = test_value(AHOY_HEADER_CONTENT_TYPE, "text /plain;charset=\"x\"");
    assert_span(value.as.pair.first, "text");
    assert_span(value.as.pair.second, "plain");
    assert_false(value.is_star);
    assert_true(test_value(AHOY_HEADER_ACCEPT, "*/*;q=1").is_star);
    assert_false(test_value(AHOY_HEADER_ACCEPT, "text/*").is_star);
    assert_true(test_value(AHOY_HEADER_ACCEPT_LANGUAGE, "*").is_star);
    value = test_value(AHOY_HEADER_WARNING, "307 isi.edu \"No \\\"foo\\\"\"");
    assert_int_equal(value.as.warning.code, 307);
    assert_span(value.as.warning.agent, "isi.edu");
    assert_span(value.as.warning.text, "\"No \\\"foo\\\"\"");
    value = test_value(AHOY_HEADER_WWW_AUTHENTICATE, "Digest realm=\"x\"");
    assert_span(value.as.challenge.realm, "x");
    assert_span(value.head, "Digest");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_good, test_free_all),
        cmocka_unit_test_teardown(test_bad, test_free_all),
        cmocka_unit_test_teardown(test_what_they_say, test_free_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
