/* Reading SIP and SIPS URIs (RFC 3261 19.1.1 to 19.1.3; RFC 5118 for IPv6). */
#include "libahoy/syntax/uri.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "libahoy/resolve/locate.h"
#include "tests/support/bytes.h"

static struct ahoy_uri parse(const char *text)
{
    struct ahoy_uri uri;
    struct ahoy_err err = { .expected = NULL };
    if (!ahoy_uri_parse(test_text(text), &uri, &err))
        fail_msg("%s: expected %s", text, err.expected);
    return uri;
}

/* |text| is refused with |status|, for what stands at |offset|. */
static void refuse(const char *text, unsigned status, size_t offset)
{
    struct span bytes = test_text(text);
    struct ahoy_uri uri;
    struct ahoy_err err = { .expected = NULL };
    if (ahoy_uri_parse(bytes, &uri, &err))
        fail_msg("%s was accepted", text);
    assert_non_null(err.expected);
    assert_int_equal(err.status, status);
    assert_int_equal(ahoy_err_offset(&err, bytes), offset);
}

/* The first four are the examples of 19.1.3.  R3261-8.1.1.2-1. */
static void test_all_parts(void **state)
{
    (void)state;
    struct ahoy_uri uri = parse("sip:alice:secretword@atlanta.com;transport=tcp");
    assert_int_equal(uri.scheme, AHOY_SCHEME_SIP);
    assert_true(uri.has_user);
    assert_span(uri.name, "sip");
    assert_span(uri.user, "alice");
    assert_span(uri.password, "secretword");
    assert_span(uri.host, "atlanta.com");
    assert_span(uri.params, ";transport=tcp");
    assert_int_equal(uri.port, 0);

    uri = parse("sips:alice@atlanta.com?subject=project%20x&priority=urgent");
    assert_int_equal(uri.scheme, AHOY_SCHEME_SIPS);
    assert_span(uri.host, "atlanta.com");
    assert_span(uri.params, "");
    assert_span(uri.headers, "subject=project%20x&priority=urgent");

    uri = parse("sip:+1-212-555-1212:1234@gateway.com;user=phone");
    assert_span(uri.user, "+1-212-555-1212");
    assert_span(uri.password, "1234");

    uri = parse("sip:atlanta.com;method=REGISTER?to=alice%40atlanta.com");
    assert_false(uri.has_user);
    assert_span(uri.user, "");
    assert_span(uri.host, "atlanta.com");
    assert_span(uri.params, ";method=REGISTER");
    assert_span(uri.headers, "to=alice%40atlanta.com");

    uri = parse("SiPs:bob@[2001:db8::10]:5070;lr");
    assert_int_equal(uri.scheme, AHOY_SCHEME_SIPS);
    assert_span(uri.name, "SiPs");
    assert_span(uri.host, "[2001:db8::10]");
    assert_int_equal(uri.port, 5070);
    assert_span(uri.text, "SiPs:bob@[2001:db8::10]:5070;lr");
}

/* "alice;day=tuesday" (19.1.3) and the torture of RFC 4475 3.1.1.2 and 3.1.1.9. */
static void test_users_may_hold_much(void **state)
{
    (void)state;
    assert_span(parse("sip:alice;day=tuesday@atlanta.com").user, "alice;day=tuesday");
    assert_span(parse("sip:user;par=u%40example.net@example.com").user, "user;par=u%40example.net");
    struct ahoy_uri uri = parse("sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"
                                ":&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com");
    assert_span(uri.user, "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*");
    assert_span(uri.password, "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)");
    assert_span(uri.host, "example.com");
    assert_span(parse("sip:null-%00-null@example.com").user, "null-%00-null");
}

static void test_other_schemes_are_kept_whole(void **state)
{
    (void)state;
    struct ahoy_uri uri = parse("nobodyKnowsThisScheme:totallyopaquecontent");
    assert_int_equal(uri.scheme, AHOY_SCHEME_OTHER);
    assert_span(uri.name, "nobodyKnowsThisScheme");
    assert_span(uri.opaque, "totallyopaquecontent");
    assert_span(parse("soap.beep://192.0.2.103:3002").opaque, "//192.0.2.103:3002");
    assert_span(parse("tel:+1-201-555-0123;ext=5").opaque, "+1-201-555-0123;ext=5");
    refuse("tel:", 400, 4);
    refuse("tel:a b", 400, 5);
    refuse("http://a/<b>", 400, 9);
}

static void test_hosts(void **state)
{
    (void)state;
    assert_span(parse("sip:192.0.2.4").host, "192.0.2.4");
    assert_span(parse("sip:a.example.com.").host, "a.example.com.");
    assert_span(parse("sip:fold-and_staple.example.com").host, "fold-and_staple.example.com");
    assert_span(parse("sip:[::ffff:192.0.2.2]").host, "[::ffff:192.0.2.2]");
    assert_span(parse("sip:[2001:db8::10:5070]").host, "[2001:db8::10:5070]");
    /* RFC 5118 4.10: what the first grammar allowed. */
    assert_span(parse("sip:user@[2001:db8:::192.0.2.1]").host, "[2001:db8:::192.0.2.1]");
    refuse("sip:", 400, 4);
    refuse("sip:a@", 400, 6);
    refuse("sip:.example.com", 400, 4);
    refuse("sip:a..b", 400, 6);
    refuse("sip:2001:db8::10", 400, 9);
    refuse("sip:[2001:db8::10", 400, 4);
    refuse("sip:[]", 400, 4);
    refuse("sip:[192.0.2.1]", 400, 4);
    refuse("sip:[2001:db8:::::1]", 400, 4);
    refuse("sip:[fe80::1%25eth0]", 400, 4);
    /* R3261-19.1.2-6: no escapes in a host. */
    refuse("sip:exam%70le.com", 400, 8);
    refuse("sip:a@b@c", 400, 7);
}

/* Attack 11. */
static void test_ports(void **state)
{
    (void)state;
    assert_int_equal(parse("sip:a:1").port, 1);
    assert_int_equal(parse("sip:a:65535").port, 65535);
    assert_int_equal(parse("sip:a:05060").port, 5060);
    refuse("sip:a:0", 400, 6);
    refuse("sip:a:65536", 400, 6);
    refuse("sip:a:99999", 400, 6);
    refuse("sip:a:4294967297", 400, 6);
    refuse("sip:a:18446744073709551617", 400, 6);
    refuse("sip:a:", 400, 6);
    refuse("sip:a:-1", 400, 6);
    refuse("sip:a:50x", 400, 8);
}

/* R3261-19.1.1-1 and attack 11. */
static void test_bad_users_and_escapes(void **state)
{
    (void)state;
    refuse("sip:@example.com", 400, 4);
    refuse("sip::pw@example.com", 400, 4);
    refuse("sip:%", 400, 4);
    refuse("sip:%@example.com", 400, 4);
    refuse("sip:a%4@example.com", 400, 5);
    refuse("sip:a%4g@example.com", 400, 5);
    refuse("sip:a b@example.com", 400, 5);
    refuse("sip:a<b@example.com", 400, 5);
    refuse("sip:a\"@example.com", 400, 5);
    refuse("sip:a\x01@example.com", 400, 5);
    refuse("sip:\xc3\xa9@example.com", 400, 4);
    refuse("sip:a:b;c@example.com", 400, 7);
}

static void test_params_and_headers(void **state)
{
    (void)state;
    struct ahoy_uri uri = parse("sip:a;Transport=TCP;lr;x=%41;maddr=[::1]?h=%0d&i=");
    struct span value;
    assert_true(ahoy_uri_param(&uri, SPAN("transport"), &value));
    assert_span(value, "TCP");
    assert_true(ahoy_uri_param(&uri, SPAN("LR"), &value));
    assert_span(value, "");
    assert_true(ahoy_uri_param(&uri, SPAN("maddr"), &value));
    assert_span(value, "[::1]");
    assert_false(ahoy_uri_param(&uri, SPAN("l"), &value));
    assert_false(ahoy_uri_param(&uri, SPAN("lrx"), &value));
    assert_span(uri.headers, "h=%0d&i=");
    /* RFC 4475 3.1.1.3: an escaped name is the name. */
    uri = parse("sip:cal%6Cer@host5.example.net;%6C%72;n%61me=v%61lue%25%34%31");
    assert_true(ahoy_uri_param(&uri, SPAN("lr"), &value));
    assert_true(ahoy_uri_param(&uri, SPAN("%4CR"), &value));
    assert_true(ahoy_uri_param(&uri, SPAN("name"), &value));
    assert_span(value, "v%61lue%25%34%31");
}

/* R3261-19.1.1-5: they are no fault, and hide none that are known. */
static void test_unknown_params(void **state)
{
    (void)state;
    struct ahoy_uri uri = parse("sip:a;nobody=knows;me;transport=tcp;x=%41");
    struct span value;
    assert_true(ahoy_uri_param(&uri, SPAN("transport"), &value));
    assert_span(value, "tcp");
    enum ahoy_transport transport;
    struct ahoy_ip ip;
    uri = parse("sip:192.0.2.1;nobody=knows;me;transport=tcp");
    assert_true(ahoy_locate(&uri, &transport, &ip, NULL));
    assert_int_equal(transport, AHOY_TCP);
}

/* R3261-19.1.2-1 to -5, R3261-25.1-2: each byte of a part stands bare only if the grammar of that
 * part (25.1) has it; all others are let in as escapes only. */
static void test_bare_characters(void **state)
{
    (void)state;
#define ALPHANUM   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define UNRESERVED ALPHANUM "-_.!~*'()"
    static const struct {
        const char *before, *behind, *bare;
    } parts[] = {
        { "sip:x", "y@h", UNRESERVED "&=+$,;?/:" }, /* ":" ends a user, and a password follows. */
        { "sip:+1;phone-context=", "y@h", UNRESERVED "&=+$,;?/:" },
        { "sip:u:x", "y@h", UNRESERVED "&=+$," },
        { "sip:h;x", "y", UNRESERVED "[]/:&+$" },
        { "sip:h;p=x", "y", UNRESERVED "[]/:&+$" },
        { "sip:h?h=x", "y", UNRESERVED "[]/?:+$" },
        { "sip:h?x", "y=1", UNRESERVED "[]/?:+$" },
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        for (int byte = 1; byte < 256; byte++) {
            char text[64];
            struct ahoy_uri uri;
            if (strchr("=;?&@", byte) != NULL && i >= 3)
                continue; /* Between parts these have a meaning. */
            snprintf(text, sizeof text, "%s%c%s", parts[i].before, byte, parts[i].behind);
            if (ahoy_uri_parse(test_text(text), &uri, NULL) !=
                (strchr(parts[i].bare, byte) != NULL))
                fail_msg("%s", text);
            snprintf(text, sizeof text, "%s%%%02x%s", parts[i].before, (unsigned)byte,
                     parts[i].behind);
            parse(text);
        }
        test_free_all(NULL);
    }
}

static void test_bad_params_and_headers(void **state)
{
    (void)state;
    refuse("sip:a;", 400, 6);
    refuse("sip:a;;lr", 400, 6);
    refuse("sip:a;x=", 400, 8);
    refuse("sip:a;=x", 400, 8);
    refuse("sip:a; lr", 400, 6);
    refuse("sip:a;x=y=z", 400, 9);
    refuse("sip:a;x=\"y\"", 400, 8);
    refuse("sip:a;x%4", 400, 7);
    refuse("sip:a;ttl=1;x;TTL=2", 400, 14); /* R3261-19.1.1-2 */
    refuse("sip:a;ttl=1;%54tl=2", 400, 12);
    refuse("sip:a;%74tl=1;ttl=2", 400, 14);
    refuse("sip:a;lr;%6cr", 400, 9);
    refuse("sip:a/b", 400, 5);
    refuse("sip:a?", 400, 6);
    refuse("sip:a?h", 400, 7);
    refuse("sip:a?h=1&", 400, 10);
    refuse("sip:a?&h=1", 400, 6);
    refuse("sip:a?h=1;x", 400, 9);
}

static void test_no_scheme(void **state)
{
    (void)state;
    refuse("", 400, 0);
    refuse("alice@atlanta.com", 400, 0);
    refuse(":a", 400, 0);
    refuse("1sip:a", 400, 0);
    refuse(" sip:a", 400, 0);
    refuse("<sip:a>", 400, 0);
    struct ahoy_uri uri;
    assert_false(ahoy_uri_parse((struct span){ NULL, 0 }, &uri, NULL));
}

/* A URI of |size| bytes. */
static const char *long_uri(char *text, size_t size)
{
    memset(text, 'a', size);
    memcpy(text, "sip:", 4);
    text[size] = 0;
    return text;
}

static void test_limits(void **state)
{
    (void)state;
    char text[AHOY_URI_LIMIT + 1000];
    assert_int_equal(parse(long_uri(text, AHOY_URI_LIMIT)).host.size, AHOY_URI_LIMIT - 4);
    refuse(long_uri(text, AHOY_URI_LIMIT + 1), 414, AHOY_URI_LIMIT);
    struct ahoy_buf buf = ahoy_buf_over(text, sizeof text);
    ahoy_buf_put(&buf, SPAN("sip:a"));
    for (unsigned i = 0; i < AHOY_URI_PARTS_LIMIT; i++) {
        ahoy_buf_put(&buf, SPAN(";p"));
        ahoy_buf_put_number(&buf, i);
    }
    text[buf.size] = 0;
    parse(text);
    memcpy(text + buf.size, ";q", 3);
    refuse(text, 400, buf.size);
    memcpy(text + buf.size, "?h=", 4);
    for (unsigned i = 0; i < AHOY_URI_PARTS_LIMIT; i++)
        memcpy(text + buf.size + 3 + 3 * i, "&h=", 4);
    refuse(text, 400, buf.size + 3 * AHOY_URI_PARTS_LIMIT);
}

static void expect_aor(const char *text, const char *expected)
{
    struct ahoy_uri uri = parse(text);
    char space[200];
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    ahoy_uri_print_aor(&uri, &buf);
    assert_span(ahoy_buf_text(&buf), expected);
}

/* R3261-10.3-11 */
static void test_address_of_record(void **state)
{
    (void)state;
    expect_aor("sip:alice@AtLanta.COM", "alice@atlanta.com");
    expect_aor("sips:Alice:pw@atlanta.com:5061;transport=tls?a=b", "Alice@atlanta.com");
    expect_aor("sip:%61lice@atlanta.com", "alice@atlanta.com");
    expect_aor("sip:a%3bb%2Fc@atlanta.com", "a;b/c@atlanta.com");
    /* What would read as another URI stays escaped, in one spelling. */
    expect_aor("sip:u%40example.net@example.com", "u%40example.net@example.com");
    expect_aor("sip:a%0d%0a%3a%20@example.com", "a%0D%0A%3A%20@example.com");
    expect_aor("sip:a%2541@example.com", "a%2541@example.com");
    expect_aor("sip:+1-212-555-1212;isub=7@gateway.com;user=phone",
               "+1-212-555-1212;isub=7@gateway.com");
    expect_aor("sip:bob@[2001:DB8:0::10]:5070", "bob@[2001:db8::10]");
    expect_aor("sip:Registrar.example.com", "registrar.example.com");
}

/* hostport of 25.1 within an absoluteURI. */
static void test_another_scheme_with_an_ipv6_reference(void **state)
{
    (void)state;
    struct ahoy_uri uri = parse("https://[2001:db8::1]:8443/ring.wav?x=%20");
    assert_int_equal(uri.scheme, AHOY_SCHEME_OTHER);
    assert_span(uri.opaque, "//[2001:db8::1]:8443/ring.wav?x=%20");
    refuse("http://[2001:db8::zz]/", 400, strlen("http://"));
    refuse("http://[2001:db8::1", 400, strlen("http://"));
    refuse("http://host/[2001:db8::1]", 400, strlen("http://host/"));
}

/* The first fault by its place: a name that a bad escape cuts short is no duplicate. */
static void test_first_fault_of_parameters(void **state)
{
    (void)state;
    refuse("sip:a@b;x;x%zz", 400, strlen("sip:a@b;x;x"));
    refuse("sip:a@b;x=1;x=%zz", 400, strlen("sip:a@b;x=1;x="));
    refuse("sip:a@b;x=1;x=2%zz", 400, strlen("sip:a@b;x=1;"));
    refuse("sip:a@b;x;x?y=z", 400, strlen("sip:a@b;x;"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_another_scheme_with_an_ipv6_reference, test_free_all),
        cmocka_unit_test_teardown(test_first_fault_of_parameters, test_free_all),
        cmocka_unit_test_teardown(test_all_parts, test_free_all),
        cmocka_unit_test_teardown(test_users_may_hold_much, test_free_all),
        cmocka_unit_test_teardown(test_other_schemes_are_kept_whole, test_free_all),
        cmocka_unit_test_teardown(test_hosts, test_free_all),
        cmocka_unit_test_teardown(test_ports, test_free_all),
        cmocka_unit_test_teardown(test_bad_users_and_escapes, test_free_all),
        cmocka_unit_test_teardown(test_params_and_headers, test_free_all),
        cmocka_unit_test_teardown(test_unknown_params, test_free_all),
        cmocka_unit_test_teardown(test_bare_characters, test_free_all),
        cmocka_unit_test_teardown(test_bad_params_and_headers, test_free_all),
        cmocka_unit_test_teardown(test_no_scheme, test_free_all),
        cmocka_unit_test_teardown(test_limits, test_free_all),
        cmocka_unit_test_teardown(test_address_of_record, test_free_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
