/* name-addr and addr-spec (RFC 3261 20, 20.10, 20.20, 20.39, 25.1). */
#include "libahoy/syntax/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/bytes.h"

static struct ahoy_address parse(const char *text)
{
    struct ahoy_address address;
    struct ahoy_err err = { .expected = NULL };
    if (!ahoy_address_parse(test_text(text), &address, &err))
        fail_msg("%s: expected %s", text, err.expected);
    return address;
}

static void refuse(const char *text, size_t offset)
{
    struct span bytes = test_text(text);
    struct ahoy_address address;
    struct ahoy_err err = { .expected = NULL };
    if (ahoy_address_parse(bytes, &address, &err))
        fail_msg("%s was accepted", text);
    assert_non_null(err.expected);
    assert_int_equal(err.status, 400);
    assert_int_equal(ahoy_err_offset(&err, bytes), offset);
    assert_false(ahoy_address_parse(bytes, &address, NULL));
}

/* The examples of 20.10, 20.20 and 20.39. */
static void test_examples(void **state)
{
    (void)state;
    struct ahoy_address address =
        parse("\"Mr. Watson\" <sip:watson@worcester.bell-telephone.com>\r\n"
              "   ;q=0.7; expires=3600");
    assert_span(address.display, "\"Mr. Watson\"");
    assert_span(address.uri.text, "sip:watson@worcester.bell-telephone.com");
    assert_span(address.params, ";q=0.7; expires=3600");
    assert_true(address.in_brackets);
    assert_span(address.tag, "");

    address = parse("\"A. G. Bell\" <sip:agb@bell-telephone.com> ;tag=a48s");
    assert_span(address.tag, "a48s");
    assert_span(ahoy_address_tag(&address), "a48s");

    address = parse("sip:+12125551212@server.phone2net.com;tag=887s");
    assert_false(address.in_brackets);
    assert_span(address.uri.text, "sip:+12125551212@server.phone2net.com");
    assert_span(address.tag, "887s");

    address = parse("Anonymous <sip:c8oqz84zk7z@privacy.org>;tag=hyh8");
    assert_span(address.display, "Anonymous");

    address = parse("The Operator <sip:operator@cs.columbia.edu>;tag=287447");
    assert_span(address.display, "The Operator");
    assert_span(address.uri.user, "operator");

    address = parse("\"Mr. Watson\" <mailto:watson@bell-telephone.com> ;q=0.1");
    assert_int_equal(address.uri.scheme, AHOY_SCHEME_OTHER);
}

/* RFC 4475 3.3.12 and 3.3.13: whose the parameter is. */
static void test_whose_parameter(void **state)
{
    (void)state;
    struct ahoy_address address = parse("sip:+19725552222@gw1.example.net;unknownparam");
    assert_span(address.params, ";unknownparam");
    assert_span(address.uri.params, "");
    address = parse("<sip:+19725552222@gw1.example.net;unknownparam>");
    assert_span(address.params, "");
    assert_span(address.uri.params, ";unknownparam");
}

/* RFC 4475 3.1.1.1, 3.1.1.2, 3.1.1.6 */
static void test_odd_but_sound(void **state)
{
    (void)state;
    struct ahoy_address address = parse("sip:vivekg@example.com ;   tag    = 1918181833n");
    assert_span(address.tag, "1918181833n");
    assert_span(address.uri.text, "sip:vivekg@example.com");
    address =
        parse("\"J Rosenberg \\\\\\\"\"       <sip:jdrosen@example.com>\r\n  ;\r\n  tag = 98asjd8");
    assert_span(address.display, "\"J Rosenberg \\\\\\\"\"");
    assert_span(address.tag, "98asjd8");
    address = parse("caller<sip:caller@example.com>;tag=323");
    assert_span(address.display, "caller");
    address = parse("token1~` token2'+_ token3*%!.- <sip:mundane@example.com>;x=\"a;tag=b\"");
    assert_span(address.display, "token1~` token2'+_ token3*%!.-");
    assert_span(address.tag, "");
    assert_span(parse("J\xc3\xbcrgen <sip:j@example.com>").display, "J\xc3\xbcrgen");
    assert_span(parse("\"<sip:evil@example.org>\" <sip:j@example.com>").uri.user, "j");
    assert_span(parse("<sip:null-%00-null@example.com>").display, "");
}

/* R3261-20-7, R3261-20.10-1, R3261-20.20-1, RFC 4475 3.1.2.13 */
static void test_brackets_where_they_must_be(void **state)
{
    (void)state;
    refuse("sip:user@example.com?Route=%3Csip:sip.example.com%3E", 20);
    refuse("sip:a,b@example.com", 5);
    assert_span(parse("<sip:user@example.com?Route=%3Csip:sip.example.com%3E>").uri.headers,
                "Route=%3Csip:sip.example.com%3E");
    /* A semicolon in the user would be one too: it is the header's parameter that is unreadable. */
    refuse("sip:user;par@example.com", 12);
}

/* Attacks 12 and 13; RFC 4475 3.1.2.6, 3.1.2.14, 3.1.2.15 */
static void test_faults(void **state)
{
    (void)state;
    refuse("", 0);
    refuse("  ", 2);
    refuse("\"Mr. J. User <sip:j.user@example.com>", 0);
    refuse("\"Mr. J. User\\\" <sip:j.user@example.com>", 0);
    refuse("\"Watson\" sip:t.watson@example.org", 9);
    refuse("\"Watson\"", 8);
    refuse("Bell, Alexander <sip:a.g.bell@example.com>;tag=43", 0);
    refuse("\"Watson, Thomas\" < sip:t.watson@example.org >", 18);
    refuse("<sip:t.watson@example.org >", 25);
    refuse("<sip:a", 0);
    refuse("sip:a>", 5);
    refuse("<>", 1);
    refuse("<sip:a>x", 7);
    refuse("<sip:a> <sip:b>", 8);
    refuse("<sip:a>;", 8);
    refuse("<sip:a>;;;;", 8);
    refuse("<sip:a>;x=\"y", 10);
    refuse("alan@jasomi.com", 0);
    refuse("*", 0);
}

static const char *with_tag(char *text, size_t capacity, size_t size)
{
    char tag[AHOY_TAG_LIMIT + 2] = "";
    memset(tag, 'x', size);
    assert_true(snprintf(text, capacity, "<sip:a>;tag=%s", tag) < (int)capacity);
    return text;
}

/* Attack 9. */
static void test_tags(void **state)
{
    (void)state;
    char text[400];
    assert_int_equal(parse(with_tag(text, sizeof text, 256)).tag.size, 256);
    refuse(with_tag(text, sizeof text, 257), 12);
    refuse("<sip:a>;tag=", 12);
    refuse("<sip:a>;tag", 11);
    refuse("<sip:a>;tag=\"x\"", 12);
    refuse("<sip:a>;tag=x;Tag=y", 14); /* R3261-7.3.1-4 */
}

/* A URI that is too long is no 414 outside of the Request-URI. */
static void test_long_uri(void **state)
{
    (void)state;
    char text[AHOY_URI_LIMIT + 100];
    memset(text, 'a', sizeof text);
    memcpy(text, "<sip:", 5);
    memcpy(text + AHOY_URI_LIMIT + 10, ">", 2);
    refuse(text, AHOY_URI_LIMIT + 1);
}

/* What a list holds: its addresses, and where it has a fault; -1 for none. */
struct list {
    const char *text, *first, *second;
    int fault;
};

/* Those in brackets are read in place, the others as ahoy_list_next finds them; nobody sees it. */
static void test_lists(void **state)
{
    (void)state;
    static const struct list lists[] = {
        { "", NULL, NULL, -1 },
        { "<sip:a>", "<sip:a>", NULL, -1 },
        { " <sip:a;lr> , <sip:b;lr> ", "<sip:a;lr>", "<sip:b;lr>", -1 },
        { "A <sip:a>;x=\",\" ; q=1,\"B,\" <sip:b>", "A <sip:a>;x=\",\" ; q=1", "\"B,\" <sip:b>",
          -1 },
        { "sip:a;x=1,sip:b", "sip:a;x=1", "sip:b", -1 },
        { "<sip:a>,sip:b", "<sip:a>", "sip:b", -1 },
        { "<sip:a,b@c>,<sip:d>", "<sip:a,b@c>", "<sip:d>", -1 },
        { "<sip:a>,", "<sip:a>", NULL, 7 },
        { "<sip:a>,,<sip:b>", "<sip:a>", NULL, 8 },
        { ",<sip:a>", NULL, NULL, 0 },
        { "<sip:a> x,<sip:b>", NULL, NULL, 8 },
        { "<sip:a>,<sip:b", "<sip:a>", NULL, 8 },
        { "<sip:a>;tag=,<sip:b>", NULL, NULL, 12 },
    };
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        struct span bytes = test_text(lists[i].text);
        struct span rest = bytes;
        const char *const wanted[] = { lists[i].first, lists[i].second };
        struct ahoy_address address;
        struct ahoy_err err;
        for (size_t j = 0; j < 2 && wanted[j] != NULL; j++) {
            assert_true(ahoy_address_next(&rest, &address, &err));
            assert_span(address.text, wanted[j]);
        }
        assert_false(ahoy_address_next(&rest, &address, &err));
        assert_int_equal(err.expected != NULL, lists[i].fault >= 0);
        if (err.expected != NULL)
            assert_int_equal(ahoy_err_offset(&err, bytes), lists[i].fault);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_lists, test_free_all),
        cmocka_unit_test_teardown(test_examples, test_free_all),
        cmocka_unit_test_teardown(test_whose_parameter, test_free_all),
        cmocka_unit_test_teardown(test_odd_but_sound, test_free_all),
        cmocka_unit_test_teardown(test_brackets_where_they_must_be, test_free_all),
        cmocka_unit_test_teardown(test_faults, test_free_all),
        cmocka_unit_test_teardown(test_tags, test_free_all),
        cmocka_unit_test_teardown(test_long_uri, test_free_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
