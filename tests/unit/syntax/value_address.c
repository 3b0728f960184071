/* Values around a URI: addresses, routes, Via, URIs in brackets (RFC 3261 20). */
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
        { AHOY_HEADER_VIA, "SIP/2.0/UDP erlang.bell-telephone.com:5060;branch=z9hG4bK87asdks7",
          NULL },
        { AHOY_HEADER_VIA,
          "SIP / 2.0\r\n / UDP first.EXAMPLE.com: 04000;ttl=16\r\n ;maddr=224.2.0.1 "
          ";branch=z9hG4bK.1",
          "SIP/2.0/UDP first.example.com:4000;ttl=16;maddr=224.2.0.1;branch=z9hG4bK.1" },
        { AHOY_HEADER_VIA, "SIP/2.0/TLS [2001:DB8::9:1];received=2001:db8::9:255;rport",
          "SIP/2.0/TLS [2001:db8::9:1];received=2001:db8::9:255;rport" },
        { AHOY_HEADER_FROM, "\"A. G. Bell\" <sip:agb@Bell-Telephone.COM> ;tag=a48s",
          "\"A. G. Bell\"<sip:agb@bell-telephone.com>;tag=a48s" },
        { AHOY_HEADER_FROM, "sip:+12125551212@server.phone2net.com;tag=887s", NULL },
        { AHOY_HEADER_FROM, "Anonymous   Caller<sip:c8oqz84zk7z@privacy.org>;tag=hyh8",
          "Anonymous Caller <sip:c8oqz84zk7z@privacy.org>;tag=hyh8" },
        { AHOY_HEADER_TO, "<sip:Carol:Pass@CHICAGO.com:5060;lr?Subject=A%20B>",
          "<sip:Carol:Pass@chicago.com:5060;lr?Subject=A%20B>" },
        { AHOY_HEADER_TO, "\"a\r\n  \\\"b\" <tel:+1-201>", "\"a \\\"b\"<tel:+1-201>" },
        { AHOY_HEADER_TO, "isbn:2983792873", NULL },
        { AHOY_HEADER_CONTACT, "*", NULL },
        { AHOY_HEADER_CONTACT,
          "\"Mr. Watson\" <sip:watson@worcester.bell-telephone.com>;q=0.7; expires=3600",
          "\"Mr. Watson\"<sip:watson@worcester.bell-telephone.com>;q=0.7;expires=3600" },
        { AHOY_HEADER_CONTACT, "<sips:bob@192.0.2.4>;+sip.instance=\"<urn:uuid:0>\";reg-id=1",
          NULL },
        { AHOY_HEADER_ROUTE, "<sip:bigbox3.site3.atlanta.com;lr>", NULL },
        { AHOY_HEADER_ROUTE, "a b <sip:P1;LR> ; x = \"y\"", "a b <sip:p1;LR>;x=\"y\"" },
        { AHOY_HEADER_RECORD_ROUTE, "<sip:server10.biloxi.com;lr>", NULL },
        { AHOY_HEADER_PATH, "<sip:P3.EXAMPLEHOME.COM;lr>", "<sip:p3.examplehome.com;lr>" },
        { AHOY_HEADER_SERVICE_ROUTE, "<sip:HSP.HOME.EXAMPLE.COM;lr>",
          "<sip:hsp.home.example.com;lr>" },
        { AHOY_HEADER_REPLY_TO, "Bob <sip:bob@biloxi.com>", NULL },
        { AHOY_HEADER_P_ASSERTED_IDENTITY, "tel:+14085264000", NULL },
        { AHOY_HEADER_P_PREFERRED_IDENTITY, "\"Cullen Jennings\" <sip:fluffy@cisco.com>",
          "\"Cullen Jennings\"<sip:fluffy@cisco.com>" },
        { AHOY_HEADER_REFER_TO,
          "<sip:dave@denver.example.org?Replaces=12345%40192.168.118.3%3Bto-tag%3D12345>", NULL },
        { AHOY_HEADER_REFERRED_BY, "<sip:referror@referror.example>;cid=\"20398823@x.example\"",
          NULL },
        { AHOY_HEADER_HISTORY_INFO,
          "<sip:UserA@ims.example.com?Reason=SIP%3Bcause%3D302>;index=1.1;rc=1", NULL },
        { AHOY_HEADER_ALERT_INFO, "<http://www.Example.com/sounds/moo.wav>", NULL },
        { AHOY_HEADER_ALERT_INFO, "<urn:alert:service:normal@x>", NULL },
        { AHOY_HEADER_CALL_INFO, "<http://wwww.example.com/alice/photo.jpg> ;purpose=icon",
          "<http://wwww.example.com/alice/photo.jpg>;purpose=icon" },
        { AHOY_HEADER_ERROR_INFO, "<sip:Screen@Failure.example.com>",
          "<sip:Screen@failure.example.com>" },
    };
    test_good_values(values, TEST_COUNT(values));
}

static void test_bad(void **state)
{
    (void)state;
    static const struct test_bad_value values[] = {
        { AHOY_HEADER_VIA, "SIP/2.0 UDP a", 0, "\"SIP/2.0/\", a transport and white space" },
        { AHOY_HEADER_VIA, "SIP/2.0/UDP a:0", 14, "a port of 1 to 65535" },
        { AHOY_HEADER_VIA, "SIP/2.0/UDP 192.0.2.15;;,;,,", 23, "a parameter's name" },
        /* R3261-7.3.1-4 */
        { AHOY_HEADER_VIA, "SIP/2.0/UDP a;x=1;X", 18, "each parameter once" },
        { AHOY_HEADER_FROM, "<sip:a@b>;tag=1;tag=2", 16, "one tag" },
        { AHOY_HEADER_FROM, "Bob <sip:bob@b", 4, "a closing \">\"" },
        /* R3261-20-7, R3261-20.10-1, R3261-20.20-1, R3261-20.31-1 */
        { AHOY_HEADER_FROM, "sip:a@b?c=d", 7, "\"<\" and \">\" around a URI with \"?\" or \",\"" },
        { AHOY_HEADER_REPLY_TO, "sip:a,b@c", 5,
          "\"<\" and \">\" around a URI with \"?\" or \",\"" },
        { AHOY_HEADER_CONTACT, "sip:a@b?c=d", 7,
          "\"<\" and \">\" around a URI with \"?\" or \",\"" },
        { AHOY_HEADER_CONTACT, "*;expires=0", 0, "a URI's scheme and \":\"" },
        { AHOY_HEADER_CONTACT, "<sip:a@b>;x=1;x=2", 14, "each parameter once" },
        { AHOY_HEADER_TO, "\"Watson, Come here", 0, "a closing quote" },
        { AHOY_HEADER_TO, "*", 0, "a URI's scheme and \":\"" },
        { AHOY_HEADER_ROUTE, "sip:a;lr", 0, "\"<\" and \">\" around a route" },
        { AHOY_HEADER_RECORD_ROUTE, "<sip:a;lr;lr>", 10, "each URI parameter once" },
        { AHOY_HEADER_PATH, "sip:a", 0, "\"<\" and \">\" around a route" },
        { AHOY_HEADER_SERVICE_ROUTE, "<sip:a> b", 8, "\";\" before a parameter" },
        { AHOY_HEADER_P_ASSERTED_IDENTITY, "anonymous", 0, "a URI's scheme and \":\"" },
        { AHOY_HEADER_P_PREFERRED_IDENTITY, "<>", 1, "a URI" },
        { AHOY_HEADER_REFER_TO, "\"x\" sip:a", 4, "\"<\" behind a quoted name" },
        { AHOY_HEADER_REFERRED_BY, "<sip:>", 5, "a host" },
        { AHOY_HEADER_HISTORY_INFO, "sip:a;index=1", 0, "\"<\" and \">\" around the URI" },
        { AHOY_HEADER_ALERT_INFO, "http://a", 0, "\"<\" and \">\" around the URI" },
        { AHOY_HEADER_ALERT_INFO, "<http://a", 0, "a closing \">\"" },
        { AHOY_HEADER_CALL_INFO, "<http://a b>", 9, "a character that a URI may have" },
        { AHOY_HEADER_CALL_INFO, "<no-scheme>", 1, "a URI's scheme and \":\"" },
        { AHOY_HEADER_ERROR_INFO, "<sip:a>;", 8, "a parameter's name" },
    };
    test_bad_values(values, TEST_COUNT(values));
}

static void test_what_they_say(void **state)
{
    (void)state;
    struct span found;
    struct ahoy_value value =
        test_value(AHOY_HEADER_CONTACT, "\"B\" <sip:b@c;x=1>;q=0.3;expires=\"60\"");
    assert_span(value.head, "\"B\" <sip:b@c;x=1>");
    assert_span(value.as.address.uri.user, "b");
    assert_true(ahoy_value_param(&value, SPAN("q"), &found));
    assert_span(found, "0.3");
    assert_true(ahoy_value_param(&value, SPAN("Expires"), &found));
    assert_span(found, "60");
    assert_false(ahoy_value_param(&value, SPAN("x"), &found));
    assert_true(test_value(AHOY_HEADER_CONTACT, " * ").is_star);
    value = test_value(AHOY_HEADER_VIA, "SIP/2.0/UDP a ; branch=z9hG4bK1");
    assert_span(value.head, "SIP/2.0/UDP a");
    assert_true(ahoy_value_param(&value, SPAN("branch"), &found));
    assert_span(found, "z9hG4bK1");
    value = test_value(AHOY_HEADER_CALL_INFO, "<http://a/b>;purpose=icon");
    assert_span(value.as.uri.opaque, "//a/b");
    assert_span(value.head, "<http://a/b>");
    /* 414 is for the Request-URI alone. */
    char text[AHOY_URI_LIMIT + 100];
    memset(text, 'a', sizeof text);
    memcpy(text, "<x:", 3);
    memcpy(text + sizeof text - 2, ">", 2);
    struct ahoy_err err;
    assert_false(ahoy_value_parse(AHOY_HEADER_CALL_INFO, test_text(text), &value, &err));
    assert_int_equal(err.status, 400);
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
