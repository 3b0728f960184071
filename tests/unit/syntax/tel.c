/* tel URIs: RFC 3966 3 to 6, and their likeness to SIP URIs (RFC 3261 19.1.6). */
#include "libahoy/syntax/tel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "libahoy/syntax/scan.h"
#include "tests/support/bytes.h"

static char space[4096];

static struct ahoy_tel parse(const char *text)
{
    struct ahoy_tel tel;
    struct ahoy_err err = { .expected = NULL };
    if (!ahoy_tel_parse(test_text(text), &tel, &err))
        fail_msg("%s: expected %s", text, err.expected);
    return tel;
}

/* |text| is refused with |status|, for what stands at |offset|. */
static void refuse(const char *text, unsigned status, size_t offset)
{
    struct span bytes = test_text(text);
    struct ahoy_tel tel;
    struct ahoy_err err = { .expected = NULL };
    if (ahoy_tel_parse(bytes, &tel, &err))
        fail_msg("%s was accepted", text);
    assert_non_null(err.expected);
    assert_int_equal(err.status, status);
    if (ahoy_err_offset(&err, bytes) != offset)
        fail_msg("%s: fault at %zu", text, ahoy_err_offset(&err, bytes));
}

/* |a| and |b| are tel URIs that are equal or not, as URIs too, and either equals itself. */
static void expect(bool equal, const char *first, const char *second)
{
    struct ahoy_tel a = parse(first);
    struct ahoy_tel b = parse(second);
    struct ahoy_uri first_uri;
    struct ahoy_uri second_uri;
    if (ahoy_tel_equal(&a, &b) != equal || ahoy_tel_equal(&b, &a) != equal)
        fail_msg("%s and %s should %sbe equal", first, second, equal ? "" : "not ");
    assert_true(ahoy_tel_equal(&a, &a) && ahoy_tel_equal(&b, &b));
    assert_true(ahoy_uri_parse(test_text(first), &first_uri, NULL));
    assert_true(ahoy_uri_parse(test_text(second), &second_uri, NULL));
    assert_int_equal(ahoy_uri_equal(&first_uri, &second_uri), equal);
}

static void expect_print(const char *text, const char *printed)
{
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    struct ahoy_tel tel = parse(text);
    ahoy_tel_print(&tel, &buf);
    assert_span(ahoy_buf_text(&buf), printed);
}

/* |text| becomes |sip|, which is read as the same number and becomes |sip| again. */
static void expect_sip(const char *text, const char *sip)
{
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    struct ahoy_tel tel = parse(text);
    ahoy_tel_print_sip(&tel, SPAN("foo.com"), &buf);
    assert_span(ahoy_buf_text(&buf), sip);
    struct ahoy_uri uri;
    struct ahoy_tel back;
    assert_true(ahoy_uri_parse(test_text(sip), &uri, NULL));
    assert_true(ahoy_tel_from_sip(&uri, &back, NULL));
    assert_true(ahoy_tel_equal(&tel, &back));
    buf = ahoy_buf_over(space, sizeof space);
    ahoy_tel_print_sip(&back, SPAN("foo.com"), &buf);
    assert_span(ahoy_buf_text(&buf), sip);
}

/* The examples of section 6, and the one of 9. */
static void test_examples(void **state)
{
    (void)state;
    struct ahoy_tel tel = parse("tel:+1-201-555-0123");
    assert_true(tel.is_global);
    assert_span(tel.number, "+1-201-555-0123");
    assert_span(tel.params, "");
    tel = parse("tel:7042;phone-context=example.com");
    assert_false(tel.is_global);
    assert_span(tel.number, "7042");
    assert_span(tel.context, "example.com");
    tel = parse("tel:863-1234;phone-context=+1-914-555");
    assert_span(tel.number, "863-1234");
    assert_span(tel.context, "+1-914-555");
    assert_span(parse("tel:1234;phone-context=munich.example.com").context, "munich.example.com");
}

/* R3966-5.1-3: any length, any digits. */
static void test_numbers(void **state)
{
    (void)state;
    assert_span(parse("TEL:+0").number, "+0");
    assert_span(parse("tel:+(0).-").number, "+(0).-");
    assert_span(parse("tel:*#aF;phone-context=a").number, "*#aF");
    assert_span(parse("tel:%23%31;phone-context=a").number, "%23%31");
    refuse("tel:", 400, 4);
    refuse("tel:+", 400, 5);
    refuse("tel:+-.", 400, 7);
    refuse("tel:+1a", 400, 6);
    refuse("tel:+1*", 400, 6);
    refuse("tel:+1 2", 400, 6); /* R3966-5.1.1-1 */
    refuse("tel:1g;phone-context=a", 400, 5);
    refuse("tel:%2B1", 400, 4); /* R3966-3-1 */
    refuse("tel:+1%3", 400, 6);
    refuse("tel:+1%3g", 400, 6);
    refuse("sip:+1", 400, 0);
    refuse("tel", 400, 0);
}

static void test_parameters(void **state)
{
    (void)state;
    struct ahoy_tel tel = parse("tel:+1;isub=a/b@c,%3B;x;y-1=[:]%3d;m-new=1");
    assert_span(tel.isub, "a/b@c,%3B");
    assert_span(tel.params, ";isub=a/b@c,%3B;x;y-1=[:]%3d;m-new=1");
    assert_true(tel.has_mandatory);
    assert_false(parse("tel:+1;x").has_mandatory);
    assert_span(parse("tel:+1;ext=(12)-3").ext, "(12)-3");
    /* R3966-3-4 is about those who write: section 4 reads any order. */
    assert_span(parse("tel:1;z=1;phone-context=+3;a=2;ext=4").ext, "4");
    refuse("tel:+1;", 400, 7);
    refuse("tel:+1;=a", 400, 7);
    refuse("tel:+1;a_b=1", 400, 8);
    refuse("tel:+1;a=", 400, 9);
    refuse("tel:+1;a=b=c", 400, 9); /* R3966-3-2 */
    refuse("tel:+1;isub=b?", 400, 12);
    refuse("tel:+1;isub", 400, 11);
    refuse("tel:+1;ext=", 400, 11);
    refuse("tel:+1;ext=-", 400, 12);
    refuse("tel:+1;ext=1a", 400, 12);
    refuse("tel:+1;a=1;A=2", 400, 11);      /* R3966-3-3 */
    refuse("tel:+1;ext=1;isub=2", 400, 11); /* 5.3 */
}

/* R3966-5.1-2: a local number has a context, and 3 says what it may be. */
static void test_contexts(void **state)
{
    (void)state;
    assert_span(parse("tel:1;phone-context=a-1.b0.").context, "a-1.b0.");
    assert_span(parse("tel:+1;phone-context=5").context, "");
    refuse("tel:1", 400, 5);
    refuse("tel:1;ext=2", 400, 11);
    refuse("tel:1;phone-context", 400, 19);
    refuse("tel:1;phone-context=5", 400, 20);
    refuse("tel:1;phone-context=a.5", 400, 20);
    refuse("tel:1;phone-context=-a", 400, 20);
    refuse("tel:1;phone-context=a-.b", 400, 20);
    refuse("tel:1;phone-context=a..b", 400, 20);
    refuse("tel:1;phone-context=.", 400, 20);
    refuse("tel:1;phone-context=a_b", 400, 20);
    refuse("tel:1;phone-context=+", 400, 21);
    refuse("tel:1;phone-context=+a", 400, 21);
}

static void test_limits(void **state)
{
    (void)state;
    char text[8000] = "tel:+1";
    size_t size = strlen(text);
    for (unsigned i = 0; i < AHOY_URI_PARTS_LIMIT; i++)
        size += (size_t)snprintf(text + size, sizeof text - size, ";p%u", i);
    parse(text);
    snprintf(text + size, sizeof text - size, ";q");
    refuse(text, 400, size);
    snprintf(text, sizeof text, "tel:+%0*d", AHOY_URI_LIMIT - 5, 1);
    parse(text);
    snprintf(text, sizeof text, "tel:+%0*d", AHOY_URI_LIMIT - 4, 1);
    refuse(text, 414, AHOY_URI_LIMIT);
}

/* Section 4. */
static void test_equality(void **state)
{
    (void)state;
    expect(true, "tel:+1-201-555-0123", "TEL:+1(201)555.0123");
    expect(false, "tel:+1201", "tel:+1202");
    expect(false, "tel:+1201", "tel:+12011");
    expect(false, "tel:+1", "tel:1;phone-context=a");
    expect(true, "tel:aB1;phone-context=a", "tel:Ab1;phone-context=a");
    expect(true, "tel:%231;phone-context=a", "tel:%23-%31;phone-context=a");
    expect(true, "tel:1;phone-context=Example.COM", "tel:1;phone-context=example.com");
    expect(false, "tel:1;phone-context=example.com", "tel:1;phone-context=example.org");
    expect(true, "tel:1;phone-context=+1-914", "tel:1;phone-context=+1.(914)");
    expect(false, "tel:1;phone-context=+1-914", "tel:1;phone-context=+1-915");
    expect(false, "tel:1;phone-context=a-b", "tel:1;phone-context=ab");
    expect(true, "tel:+1;ext=1-2", "tel:+1;EXT=12");
    expect(false, "tel:+1;ext=1", "tel:+1");
    expect(true, "tel:+1;x=A;y", "tel:+1;Y;X=%61");
    expect(false, "tel:+1;x=a-b", "tel:+1;x=ab");
    expect(false, "tel:+1;x", "tel:+1;y");
    expect(false, "tel:+1;x=%3a", "tel:+1;x=:");
    /* RFC 3261 19.1.6 calls these equivalent. */
    expect(true, "tel:+358-555-1234567;postd=pp22", "tel:+358-555-1234567;POSTD=PP22");
    expect(true, "tel:+358-555-1234567;postd=pp22;isub=1411",
           "tel:+358-555-1234567;isub=1411;postd=pp22");
}

static void test_canonical(void **state)
{
    (void)state;
    expect_print("TEL:+1-(201).555", "tel:+1201555");
    expect_print("tel:*A-#;x=B;Phone-Context=+1-2;EXT=0-1;c=%7e",
                 "tel:*a%23;ext=01;phone-context=+12;c=~;x=b");
    expect_print("tel:+1;b;aa;a;isub=A-%3d%41", "tel:+1;isub=a-%3Da;a;aa;b");
    expect_print("tel:+1;isub=%5B@;x=%5B", "tel:+1;isub=%5B@;x=[");
    expect_print("tel:1;phone-context=A-B.c", "tel:1;phone-context=a-b.c");
}

/* All examples of RFC 3261 19.1.6. */
static void test_as_sip(void **state)
{
    (void)state;
    expect_sip("tel:+358-555-1234567;postd=pp22",
               "sip:+358-555-1234567;postd=pp22@foo.com;user=phone");
    expect_sip("tel:+358-555-1234567;POSTD=PP22",
               "sip:+358-555-1234567;postd=pp22@foo.com;user=phone");
    expect_sip("tel:+358-555-1234567;postd=pp22;isub=1411",
               "sip:+358-555-1234567;isub=1411;postd=pp22@foo.com;user=phone");
    expect_sip("tel:+358-555-1234567;tsp=a.b;phone-context=5",
               "sip:+358-555-1234567;phone-context=5;tsp=a.b@foo.com;user=phone");
    expect_sip("tel:+358-555-1234567;phone-context=5;tsp=a.b",
               "sip:+358-555-1234567;phone-context=5;tsp=a.b@foo.com;user=phone");
    expect_sip("tel:#1;phone-context=a;x=[%41]",
               "sip:%231;phone-context=a;x=%5Ba%5D@foo.com;user=phone");
}

/* What 19.1.6 says that is not equivalent. */
static void test_sip_differs(void **state)
{
    static const char *const pairs[][2] = {
        { "sip:+358-555-1234567;postd=pp22@foo.com;user=phone",
          "sip:+358-555-1234567;POSTD=PP22@foo.com;user=phone" },
        { "sip:+358-555-1234567;postd=pp22;isub=1411@foo.com;user=phone",
          "sip:+358-555-1234567;isub=1411;postd=pp22@foo.com;user=phone" },
        { "sip:+358-555-1234567;postd=pp22@foo.com;user=phone",
          "sip:+358-555-1234567@foo.com;postd=pp22;user=phone" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        struct ahoy_uri a;
        struct ahoy_uri b;
        assert_true(ahoy_uri_parse(test_text(pairs[i][0]), &a, NULL));
        assert_true(ahoy_uri_parse(test_text(pairs[i][1]), &b, NULL));
        assert_false(ahoy_uri_equal(&a, &b));
    }
}

static void test_from_sip(void **state)
{
    static const char *const bad[] = { "sip:+1@a",           "sip:+1@a;user=ip",
                                       "sip:a;user=phone",   "sip:bob@a;user=phone",
                                       "sip:5@a;user=phone", "tel:+1;user=phone" };
    (void)state;
    struct ahoy_uri uri;
    struct ahoy_tel tel;
    assert_true(ahoy_uri_parse(test_text("sips:+1-2;ext=3:pw@a;User=PHONE"), &uri, NULL));
    assert_true(ahoy_tel_from_sip(&uri, &tel, NULL));
    assert_span(tel.number, "+1-2");
    assert_span(tel.ext, "3");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct span text = test_text(bad[i]);
        struct ahoy_err err = { .expected = NULL };
        assert_true(ahoy_uri_parse(text, &uri, NULL));
        assert_false(ahoy_tel_from_sip(&uri, &tel, &err));
        assert_int_equal(err.status, 400);
        assert_true(ahoy_err_offset(&err, text) < text.size);
    }
}

static void test_escaping(void **state)
{
    (void)state;
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    ahoy_uri_put_escaped(&buf, SPAN("a;b=c d%\x80"), AHOY_USER);
    ahoy_buf_put_byte(&buf, ' ');
    ahoy_uri_put_escaped(&buf, SPAN("a;b=c"), AHOY_PARAMCHAR);
    ahoy_buf_put_byte(&buf, ' ');
    ahoy_uri_put_escaped(&buf, SPAN("a&b?@"), AHOY_HNV);
    assert_span(ahoy_buf_text(&buf), "a;b=c%20d%25%80 a%3Bb%3Dc a%26b?%40");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_examples, test_free_all),
        cmocka_unit_test_teardown(test_numbers, test_free_all),
        cmocka_unit_test_teardown(test_parameters, test_free_all),
        cmocka_unit_test_teardown(test_contexts, test_free_all),
        cmocka_unit_test_teardown(test_limits, test_free_all),
        cmocka_unit_test_teardown(test_equality, test_free_all),
        cmocka_unit_test_teardown(test_canonical, test_free_all),
        cmocka_unit_test_teardown(test_as_sip, test_free_all),
        cmocka_unit_test_teardown(test_sip_differs, test_free_all),
        cmocka_unit_test_teardown(test_from_sip, test_free_all),
        cmocka_unit_test_teardown(test_escaping, test_free_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
