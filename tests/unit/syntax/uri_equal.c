/* When two URIs are one (RFC 3261 19.1.4): all examples of the section, then its rules. */
#include "libahoy/syntax/uri.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/support/bytes.h"

static struct ahoy_uri parse(const char *text)
{
    struct ahoy_uri uri;
    struct ahoy_err err = { .expected = NULL };
    if (!ahoy_uri_parse(test_text(text), &uri, &err))
        fail_msg("%s: expected %s", text, err.expected);
    return uri;
}

/* Equality is symmetric, and everything equals itself. */
static void expect(bool equal, const char *first, const char *second)
{
    struct ahoy_uri a = parse(first);
    struct ahoy_uri b = parse(second);
    if (ahoy_uri_equal(&a, &b) != equal || ahoy_uri_equal(&b, &a) != equal)
        fail_msg("%s and %s should %sbe equal", first, second, equal ? "" : "not ");
    assert_true(ahoy_uri_equal(&a, &a));
    assert_true(ahoy_uri_equal(&b, &b));
}

static void test_equivalent_examples(void **state)
{
    (void)state;
    expect(true, "sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp");
    expect(true, "sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5");
    expect(true, "sip:carol@chicago.com", "sip:carol@chicago.com;security=on");
    expect(true, "sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on");
    expect(true, "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
           "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com");
    expect(true, "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
           "sip:alice@atlanta.com?priority=urgent&subject=project%20x");
}

static void test_different_examples(void **state)
{
    (void)state;
    expect(false, "SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP");
    expect(false, "sip:bob@biloxi.com", "sip:bob@biloxi.com:5060");
    expect(false, "sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp");
    expect(false, "sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp");
    expect(false, "sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting");
    expect(false, "sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4");
}

static void test_equality_is_not_transitive(void **state)
{
    (void)state;
    expect(true, "sip:carol@chicago.com", "sip:carol@chicago.com;security=on");
    expect(true, "sip:carol@chicago.com", "sip:carol@chicago.com;security=off");
    expect(false, "sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off");
}

static void test_scheme_user_and_password(void **state)
{
    (void)state;
    expect(false, "sip:alice@atlanta.com", "sips:alice@atlanta.com");
    expect(true, "SIP:alice@atlanta.com", "sip:alice@atlanta.com");
    expect(false, "sip:atlanta.com", "sip:alice@atlanta.com");
    expect(false, "sip:alice@atlanta.com", "sip:alice:pw@atlanta.com");
    expect(false, "sip:alice:pw@atlanta.com", "sip:alice:PW@atlanta.com");
    expect(false, "sip:alice@atlanta.com", "sip:alice1@atlanta.com");
    expect(true, "fax:+1", "FAX:+1");
    expect(false, "fax:+1", "fax:+2");
    expect(false, "tel:+1", "fax:+1");
    expect(false, "mailto:a", "mailto:A");
    /* A tel URI that cannot be read as one is compared as any other; tel.c has those that can. */
    expect(true, "tel:+1-2", "TEL:+12");
    expect(true, "tel:911", "TEL:911");
    expect(false, "tel:9-11", "tel:911");
}

static void test_escapes(void **state)
{
    (void)state;
    expect(true, "sip:%41lice@a", "sip:Alice@a");
    expect(false, "sip:%41lice@a", "sip:alice@a");
    expect(true, "sip:a%7eb@a", "sip:a~b@a");
    /* Reserved characters are not their escapes; the digits of an escape have no case. */
    expect(false, "sip:a%3bb@a", "sip:a;b@a");
    expect(true, "sip:a%3bb@a", "sip:a%3Bb@a");
    expect(false, "sip:a%00@a", "sip:a%00%00@a");
    expect(true, "sip:a;%6Cr", "sip:a;lr");
    /* Undone once: %25%34%31 is the text "%41", not "A". */
    expect(false, "sip:%25%34%31@a", "sip:A@a");
    expect(true, "sip:%25%34%31@a", "sip:%2541@a");
}

static void test_hosts(void **state)
{
    (void)state;
    expect(true, "sip:a@[2001:db8::10]", "sip:a@[2001:DB8:0:0::10]");
    expect(true, "sip:user@[2001:db8:::192.0.2.1]", "sip:user@[2001:db8::192.0.2.1]");
    expect(false, "sip:a@[2001:db8::10]", "sip:a@[2001:db8::11]");
    expect(false, "sip:a@192.0.2.1", "sip:a@[::ffff:192.0.2.1]");
    assert_true(ahoy_host_equal(SPAN("Example.COM"), SPAN("example.com")));
    assert_false(ahoy_host_equal(SPAN("example.com"), SPAN("example.co")));
    assert_false(ahoy_host_equal(SPAN("[::1]"), SPAN("localhost")));
}

static void test_params_that_count_alone(void **state)
{
    (void)state;
    expect(false, "sip:a;user=ip", "sip:a");
    expect(false, "sip:a;ttl=1", "sip:a");
    expect(false, "sip:a;method=INVITE", "sip:a");
    expect(false, "sip:a;maddr=a", "sip:a");
    expect(false, "sip:a;Trans%70ort=udp", "sip:a");
    expect(true, "sip:a;lr", "sip:a");
    expect(true, "sip:a;user=Phone;ttl=1", "sip:a;ttl=1;user=phone");
    expect(false, "sip:a;ttl=1", "sip:a;ttl=2");
    expect(false, "sip:a;x", "sip:a;x=1");
}

/* R3261-19.1.4-1 */
static void test_headers_always_count(void **state)
{
    (void)state;
    expect(false, "sip:a?b=1", "sip:a");
    expect(false, "sip:a?b=1", "sip:a?b=2");
    expect(false, "sip:a?b=1", "sip:a?b=1&c=2");
    expect(true, "sip:a?Subject=%61", "sip:a?subject=a");
    expect(true, "sip:a?Route=1&x=3&route=2", "sip:a?x=3&route=1&ROUTE=2");
    expect(false, "sip:a?Route=1&Route=2", "sip:a?Route=2&Route=1");
    expect(false, "sip:a?Route=1&Route=2", "sip:a?Route=1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_equivalent_examples, test_free_all),
        cmocka_unit_test_teardown(test_different_examples, test_free_all),
        cmocka_unit_test_teardown(test_equality_is_not_transitive, test_free_all),
        cmocka_unit_test_teardown(test_scheme_user_and_password, test_free_all),
        cmocka_unit_test_teardown(test_escapes, test_free_all),
        cmocka_unit_test_teardown(test_hosts, test_free_all),
        cmocka_unit_test_teardown(test_params_that_count_alone, test_free_all),
        cmocka_unit_test_teardown(test_headers_always_count, test_free_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
