/* Values of one word, and parameters behind it (RFC 3261 20, 25.1, and extensions). */
#include "tests/support/values.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/support/bytes.h"

/* RFC 3261. */
static void test_good(void **state)
{
    (void)state;
    static const struct test_good_value values[] = {
        { AHOY_HEADER_CALL_ID, "f81d4fae-7dec-11d0-a765-00a0c91e6bf6@foo.bar.com", NULL },
        { AHOY_HEADER_CALL_ID, " w@[2001:db8::9:1] ", "w@[2001:db8::9:1]" },
        { AHOY_HEADER_CALL_ID, "!%*_+`'~()<>:\\\"/[]?{}@-.!%*_+`'~()<>:\\\"/[]?{}", NULL },
        { AHOY_HEADER_IN_REPLY_TO, "70710@saturn.bell-tel.com", NULL },
        { AHOY_HEADER_SUBJECT, "Need   more boxes", NULL },
        { AHOY_HEADER_SUBJECT, "", NULL },
        { AHOY_HEADER_SUBJECT, "I know you're there,\r\n  pick up  \r\n\tthe phone!",
          "I know you're there, pick up the phone!" },
        { AHOY_HEADER_SUBJECT, "\xe2\x82\xac 5, \"open (and) <so> on", NULL },
        { AHOY_HEADER_ORGANIZATION, "Boxes by Bob", NULL },
        { AHOY_HEADER_PRIORITY, "emergency", NULL },
        { AHOY_HEADER_PRIORITY, "Own-Priority!%*_+`'~.", NULL },
        { AHOY_HEADER_REQUIRE, "100rel", NULL },
        { AHOY_HEADER_PROXY_REQUIRE, "foo", NULL },
        { AHOY_HEADER_SUPPORTED, "\r\n 100rel\r\n ", "100rel" },
        { AHOY_HEADER_UNSUPPORTED, "foo", NULL },
        { AHOY_HEADER_ALLOW, "INVITE", NULL },
        { AHOY_HEADER_ALLOW, "!interesting-Method0123456789_*+`.%indeed'~", NULL },
        { AHOY_HEADER_CONTENT_ENCODING, "gzip", NULL },
        { AHOY_HEADER_ACCEPT_ENCODING, "gzip", NULL },
        { AHOY_HEADER_ACCEPT_ENCODING, "* ; q = 0.5", "*;q=0.5" },
        { AHOY_HEADER_CONTENT_DISPOSITION, "session", NULL },
        { AHOY_HEADER_CONTENT_DISPOSITION, "render; handling = optional; x=\"a;\r\n b\"",
          "render;handling=optional;x=\"a; b\"" },
    };
    test_good_values(values, TEST_COUNT(values));
}

static void test_good_extensions(void **state)
{
    (void)state;
    static const struct test_good_value values[] = {
        { AHOY_HEADER_REPLACES, "98732@sip.example.com ;from-tag=r33th4x0r ;to-tag= ff87ff",
          "98732@sip.example.com;from-tag=r33th4x0r;to-tag=ff87ff" },
        { AHOY_HEADER_REPLACES, "a@b;to-tag=7743;from-tag=6472;early-only", NULL },
        { AHOY_HEADER_JOIN, "12adf2f34456gs5;to-tag=12345;from-tag=54321", NULL },
        { AHOY_HEADER_TARGET_DIALOG, "592435881734450904;local-tag=kkaz-;remote-tag=6544", NULL },
        { AHOY_HEADER_PRIVACY, "header;session;critical", NULL },
        { AHOY_HEADER_PRIVACY, "id ; user", "id;user" },
        { AHOY_HEADER_REASON, "Q.850 ;cause=16 ;text=\"Terminated\"",
          "Q.850;cause=16;text=\"Terminated\"" },
        { AHOY_HEADER_REASON, "SIP;cause=200;text=\"Call completed \\\"elsewhere\\\"\"", NULL },
        { AHOY_HEADER_SECURITY_CLIENT, "ipsec-ike;q=0.1", NULL },
        { AHOY_HEADER_SECURITY_SERVER, "tls;q=0.2", NULL },
        { AHOY_HEADER_SECURITY_VERIFY,
          "digest;d-alg=MD5;d-qop=auth;d-ver=\"0000000000000000000000000000abcd\"", NULL },
        { AHOY_HEADER_REQUEST_DISPOSITION, "no-fork", NULL },
        { AHOY_HEADER_REQUEST_DISPOSITION, "Proxy", NULL },
        { AHOY_HEADER_SIP_ETAG, "dx200xyz", NULL },
        { AHOY_HEADER_SIP_IF_MATCH, "12345", NULL },
        { AHOY_HEADER_REFER_SUB, "false", NULL },
        { AHOY_HEADER_REFER_SUB, "TRUE;x", NULL },
        { AHOY_HEADER_P_EARLY_MEDIA, "sendrecv", NULL },
        { AHOY_HEADER_P_EARLY_MEDIA, "something-new", NULL },
        { AHOY_HEADER_INFO_PACKAGE, "foo;x=y", NULL },
        { AHOY_HEADER_RECV_INFO, "bar", NULL },
        { AHOY_HEADER_EVENT, "presence", NULL },
        { AHOY_HEADER_EVENT, "presence.winfo.winfo;id=1", NULL },
        { AHOY_HEADER_ALLOW_EVENTS, "spirits-INDPs", NULL },
        { AHOY_HEADER_ALLOW_EVENTS, "presence.winfo", NULL },
        { AHOY_HEADER_SUBSCRIPTION_STATE, "active;expires=3600", NULL },
        { AHOY_HEADER_SUBSCRIPTION_STATE, "terminated; reason=noresource; retry-after=5",
          "terminated;reason=noresource;retry-after=5" },
        { AHOY_HEADER_ACCEPT_CONTACT, "*;audio;require;explicit", NULL },
        { AHOY_HEADER_ACCEPT_CONTACT, "*", NULL },
        { AHOY_HEADER_REJECT_CONTACT, "* ; actor=\"msg-taker\" ;video",
          "*;actor=\"msg-taker\";video" },
        { AHOY_HEADER_FEATURE_CAPS, "*;+sip.pns=\"apns\";+g.3gpp.x", NULL },
        { AHOY_HEADER_RESOURCE_PRIORITY, "dsn.flash-override", NULL },
        { AHOY_HEADER_RESOURCE_PRIORITY, "!%*_+`'~-.0", NULL },
        { AHOY_HEADER_ACCEPT_RESOURCE_PRIORITY, "wps.3", NULL },
        { AHOY_HEADER_SESSION_ID, "f81d4fae7dec11d0a76500a0c91e6bf6", NULL },
        { AHOY_HEADER_SESSION_ID,
          "ab30317f1a784dc48ff824d0d3715d86;remote=47755a9de7794ba387653f2099600ef2", NULL },
        { AHOY_HEADER_IDENTITY, "eyJ.abc+/=.x_-=;info=<https://cert.example.org/a.cer>;alg=ES256",
          NULL },
        { AHOY_HEADER_IDENTITY, "A ; ppt=\"shaken\" ; info = <https://a/b?c=d&e>",
          "A;ppt=\"shaken\";info=<https://a/b?c=d&e>" },
    };
    test_good_values(values, TEST_COUNT(values));
}

static void test_bad(void **state)
{
    (void)state;
    static const struct test_bad_value values[] = {
        { AHOY_HEADER_CALL_ID, "", 0, "a value" },
        { AHOY_HEADER_CALL_ID, "a b", 2, "nothing more" },
        { AHOY_HEADER_CALL_ID, "\xc3\xa4", 0, "a Call-ID" },
        { AHOY_HEADER_IN_REPLY_TO, "a@b c", 4, "nothing more" },
        { AHOY_HEADER_REPLACES, ";to-tag=a;from-tag=b", 0, "a Call-ID" },
        { AHOY_HEADER_REPLACES, "a b;to-tag=a;from-tag=b", 2, "\";\" before a parameter" },
        { AHOY_HEADER_JOIN, "a;to-tag=", 9, "a parameter's value" },
        { AHOY_HEADER_TARGET_DIALOG, "a;;", 2, "a parameter's name" },
        { AHOY_HEADER_SUBJECT, "a\x01z", 1, "no control byte" },
        { AHOY_HEADER_ORGANIZATION, "a\x7f", 1, "no control byte" },
        { AHOY_HEADER_PRIORITY, "very urgent", 5, "nothing more" },
        { AHOY_HEADER_REQUIRE, "\"100rel\"", 0, "a token" },
        { AHOY_HEADER_PROXY_REQUIRE, "a;b", 1, "nothing more" },
        { AHOY_HEADER_SUPPORTED, "a@b", 1, "nothing more" },
        { AHOY_HEADER_UNSUPPORTED, "<a>", 0, "a token" },
        { AHOY_HEADER_ALLOW, "INVITE ACK", 7, "nothing more" },
        { AHOY_HEADER_CONTENT_ENCODING, "a/b", 1, "nothing more" },
        { AHOY_HEADER_ACCEPT_ENCODING, ";q=1", 0, "a token" },
        { AHOY_HEADER_CONTENT_DISPOSITION, "a;handling=\"", 11, "a parameter's value" },
        { AHOY_HEADER_PRIVACY, "id,user", 2, "\";\" before a parameter" },
        /* R3261-25.1-1 */
        { AHOY_HEADER_REASON, "SIP;text=a b", 11, "\";\" before a parameter" },
        { AHOY_HEADER_REASON, "SIP;text=a,b", 10, "\";\" before a parameter" },
        { AHOY_HEADER_REASON, "SIP cause=200", 4, "\";\" before a parameter" },
        { AHOY_HEADER_SECURITY_CLIENT, "/", 0, "a token" },
        { AHOY_HEADER_SECURITY_SERVER, "tls;=1", 4, "a parameter's name" },
        { AHOY_HEADER_SECURITY_VERIFY, "tls;q=", 6, "a parameter's value" },
        { AHOY_HEADER_REQUEST_DISPOSITION, "sideways", 0, "a word that this header allows" },
        { AHOY_HEADER_SIP_ETAG, "\"x\"", 0, "a token" },
        { AHOY_HEADER_SIP_IF_MATCH, "a:b", 1, "nothing more" },
        { AHOY_HEADER_REFER_SUB, "maybe", 0, "a word that this header allows" },
        { AHOY_HEADER_P_EARLY_MEDIA, "sendrecv;x", 8, "nothing more" },
        { AHOY_HEADER_INFO_PACKAGE, "a b", 2, "\";\" before a parameter" },
        { AHOY_HEADER_RECV_INFO, ";", 0, "a token" },
        { AHOY_HEADER_EVENT, "presence..winfo", 0, "a name on each side of \".\"" },
        { AHOY_HEADER_EVENT, ".winfo", 0, "a name on each side of \".\"" },
        { AHOY_HEADER_EVENT, "dialog;id=", 10, "a parameter's value" },
        { AHOY_HEADER_ALLOW_EVENTS, "presence.", 0, "a name on each side of \".\"" },
        { AHOY_HEADER_SUBSCRIPTION_STATE, "active;expires=1;Expires=2", 17, "each parameter once" },
        { AHOY_HEADER_ACCEPT_CONTACT, "sip:a", 0, "\"*\"" },
        { AHOY_HEADER_REJECT_CONTACT, "**", 1, "\";\" before a parameter" },
        { AHOY_HEADER_FEATURE_CAPS, "+sip.pns", 0, "\"*\"" },
        { AHOY_HEADER_RESOURCE_PRIORITY, "dsn", 3, "\".\" behind the namespace" },
        { AHOY_HEADER_RESOURCE_PRIORITY, ".flash", 0, "a namespace" },
        { AHOY_HEADER_RESOURCE_PRIORITY, "dsn.", 4, "a priority behind the \".\"" },
        { AHOY_HEADER_ACCEPT_RESOURCE_PRIORITY, "dsn.a.b", 5, "nothing more" },
        { AHOY_HEADER_SESSION_ID, "F81D4FAE7DEC11D0A76500A0C91E6BF6", 0,
          "32 lower-case hexadecimal digits" },
        { AHOY_HEADER_SESSION_ID, "f81d4fae7dec11d0a76500a0c91e6bf60", 0,
          "32 lower-case hexadecimal digits" },
        { AHOY_HEADER_IDENTITY, "\"a\";info=<http:a>", 0, "a signature in base64" },
        { AHOY_HEADER_IDENTITY, "a;info=\"http://a\"", 7, "\"<\" and \">\" around the URI" },
        { AHOY_HEADER_IDENTITY, "a;info", 6, "\"<\" and \">\" around the URI" },
        { AHOY_HEADER_IDENTITY, "a;info=<http://a", 7, "a parameter's value" },
        { AHOY_HEADER_IDENTITY, "a;info=<>", 7, "a parameter's value" },
    };
    test_bad_values(values, TEST_COUNT(values));
}

/* What RFC 3891 6.1, 3911 7.1, 4538 7 and 8224 4 ask for. */
static void test_required_parameters(void **state)
{
    (void)state;
    static const struct test_bad_value values[] = {
        { AHOY_HEADER_REPLACES, "a@b;from-tag=1", 14, "the parameter to-tag" },
        { AHOY_HEADER_REPLACES, "a@b;to-tag=1", 12, "the parameter from-tag" },
        { AHOY_HEADER_JOIN, "a@b", 3, "the parameter to-tag" },
        { AHOY_HEADER_TARGET_DIALOG, "a@b;local-tag=1", 15, "the parameter remote-tag" },
        { AHOY_HEADER_IDENTITY, "a;alg=ES256", 11, "the parameter info" },
    };
    test_bad_values(values, TEST_COUNT(values));
}

static void test_what_they_say(void **state)
{
    (void)state;
    struct span found;
    struct ahoy_value value = test_value(AHOY_HEADER_REASON, "SIP ;Cause=200;text=\"a b\";x");
    assert_span(value.head, "SIP");
    assert_span(value.params, ";Cause=200;text=\"a b\";x");
    assert_true(ahoy_value_param(&value, SPAN("cause"), &found));
    assert_span(found, "200");
    assert_true(ahoy_value_param(&value, SPAN("TEXT"), &found));
    assert_span(found, "a b");
    assert_true(ahoy_value_param(&value, SPAN("x"), &found));
    assert_span(found, "");
    assert_false(ahoy_value_param(&value, SPAN("y"), &found));
    value = test_value(AHOY_HEADER_RESOURCE_PRIORITY, "q735.3");
    assert_span(value.as.pair.first, "q735");
    assert_span(value.as.pair.second, "3");
    assert_true(test_value(AHOY_HEADER_ACCEPT_CONTACT, "*;audio").is_star);
    assert_true(test_value(AHOY_HEADER_ACCEPT_ENCODING, "*").is_star);
    assert_false(test_value(AHOY_HEADER_ACCEPT_ENCODING, "gzip").is_star);
    assert_false(test_value(AHOY_HEADER_REQUIRE, "*").is_star);
    value = test_value(AHOY_HEADER_OTHER, " Any, thing; at all ");
    assert_int_equal(value.form, AHOY_FORM_TEXT);
    assert_span(value.text, "Any, thing; at all");
    assert_span(value.params, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_good, test_free_all),
        cmocka_unit_test_teardown(test_good_extensions, test_free_all),
        cmocka_unit_test_teardown(test_bad, test_free_all),
        cmocka_unit_test_teardown(test_required_parameters, test_free_all),
        cmocka_unit_test_teardown(test_what_they_say, test_free_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
