/* Via (RFC 3261 20.42, RFC 3581, RFC 5118 4.5). */
#include "libahoy/syntax/via.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "libahoy/syntax/params.h"
#include "tests/support/bytes.h"

static struct ahoy_via parse(const char *text)
{
    struct ahoy_via via;
    struct ahoy_err err = { .expected = NULL };
    if (!ahoy_via_parse(test_text(text), &via, &err))
        fail_msg("%s: expected %s", text, err.expected);
    return via;
}

/* |text| is refused at |offset|; sent-by could be read or could not. */
static void refuse(const char *text, size_t offset, bool answerable)
{
    struct span bytes = test_text(text);
    struct ahoy_via via;
    struct ahoy_err err = { .expected = NULL };
    if (ahoy_via_parse(bytes, &via, &err))
        fail_msg("%s was accepted", text);
    assert_non_null(err.expected);
    assert_int_equal(err.status, 400);
    assert_int_equal(ahoy_err_offset(&err, bytes), offset);
    assert_int_equal(via.sent_by.size > 0, answerable);
    assert_false(ahoy_via_parse(bytes, &via, NULL));
}

/* The examples of 20.42, folded ones among them. */
static void test_examples(void **state)
{
    (void)state;
    struct ahoy_via via =
        parse("SIP/2.0/UDP erlang.bell-telephone.com:5060;branch=z9hG4bK87asdks7");
    assert_int_equal(via.transport, AHOY_UDP);
    assert_span(via.host, "erlang.bell-telephone.com");
    assert_int_equal(via.port, 5060);
    assert_span(via.sent_by, "erlang.bell-telephone.com:5060");
    assert_span(via.branch, "z9hG4bK87asdks7");
    assert_span(via.params, ";branch=z9hG4bK87asdks7");
    assert_span(via.received, "");
    assert_false(via.has_rport);

    via = parse("SIP/2.0/UDP 192.0.2.1:5060 ;received=192.0.2.207\r\n  ;branch=z9hG4bK77asjd");
    assert_span(via.received, "192.0.2.207");
    assert_span(via.branch, "z9hG4bK77asjd");

    via = parse("SIP / 2.0 / UDP first.example.com: 4000;ttl=16\r\n"
                "  ;maddr=224.2.0.1 ;branch=z9hG4bKa7c6a8dlze.1");
    assert_span(via.host, "first.example.com");
    assert_int_equal(via.port, 4000);
    assert_span(via.maddr, "224.2.0.1");
    assert_span(via.branch, "z9hG4bKa7c6a8dlze.1");
}

static void test_addresses_of_ipv6(void **state)
{
    (void)state;
    struct ahoy_via via = parse("SIP/2.0/TLS [2001:db8::9:1]:6050;received=2001:db8::9:255");
    assert_int_equal(via.transport, AHOY_TLS);
    assert_span(via.host, "[2001:db8::9:1]");
    assert_span(via.sent_by, "[2001:db8::9:1]:6050");
    assert_span(via.received, "2001:db8::9:255");
    assert_span(parse("SIP/2.0/UDP [::1];received=[2001:db8::9:255];branch=x").received,
                "[2001:db8::9:255]");
}

static void test_unknown_transports_and_versions_are_read(void **state)
{
    (void)state;
    assert_int_equal(parse("SIP/2.0/UNKNOWN t4.example.com").transport, AHOY_TRANSPORT_OTHER);
    assert_int_equal(parse("SIP/7.0/UDP c.example.com;branch=z9hG4bKkdjuw").transport, AHOY_UDP);
}

/* RFC 3581 3, 4 */
static void test_rport(void **state)
{
    (void)state;
    struct ahoy_via via = parse("SIP/2.0/UDP 10.1.1.1:4540;rport;branch=z9hG4bKkjshdyff");
    assert_true(via.has_rport);
    assert_int_equal(via.rport, 0);
    via = parse("SIP/2.0/UDP 10.1.1.1:4540;received=192.0.2.1;RPORT=9988;branch=z9hG4bKkjshdyff");
    assert_true(via.has_rport);
    assert_int_equal(via.rport, 9988);
    refuse("SIP/2.0/UDP a;rport=65536", 20, true);
    refuse("SIP/2.0/UDP a;rport=x", 20, true);
}

static void test_cookie(void **state)
{
    (void)state;
    struct ahoy_via via = parse("SIP/2.0/UDP a;branch=z9hG4bK1");
    assert_true(ahoy_via_has_cookie(&via));
    via = parse("SIP/2.0/UDP a;branch=z9hG4bK");
    assert_false(ahoy_via_has_cookie(&via));
    via = parse("SIP/2.0/UDP a;branch=390skdjuw");
    assert_false(ahoy_via_has_cookie(&via));
    via = parse("SIP/2.0/UDP a");
    assert_false(ahoy_via_has_cookie(&via));
}

/* The first of |list| is |text|, with |params|; it is read as it is where the list is not read in
 * place. */
static void first(const char *list, const char *text, const char *params)
{
    struct span rest = test_text(list);
    struct ahoy_via via;
    assert_true(ahoy_via_first(rest, &via));
    assert_span(via.text, text);
    assert_span(via.params, params);
    struct span item;
    assert_true(ahoy_list_next(&rest, &item, NULL));
    assert_span(item, text);
}

static void test_first_of_a_list(void **state)
{
    (void)state;
    first("SIP/2.0/UDP a", "SIP/2.0/UDP a", "");
    first("SIP/2.0/UDP a,SIP/2.0/UDP b", "SIP/2.0/UDP a", "");
    first("SIP/2.0/UDP a:1 , SIP/2.0/UDP b", "SIP/2.0/UDP a:1", "");
    first("SIP/2.0/UDP a ;x=\",;\" ; rport\r\n , b", "SIP/2.0/UDP a ;x=\",;\" ; rport",
          ";x=\",;\" ; rport");
    struct ahoy_via via;
    assert_false(ahoy_via_first(test_text("SIP/2.0/UDP a b, SIP/2.0/UDP c"), &via));
    assert_false(ahoy_via_first(test_text("SIP/2.0/UDP a;b=\"c, SIP/2.0/UDP d"), &via));
    assert_false(ahoy_via_first(test_text(", SIP/2.0/UDP a"), &via));
    assert_false(ahoy_via_first(test_text(""), &via));
}

/* A Via with a branch of |size| bytes. */
static const char *with_branch(char *text, size_t capacity, size_t size)
{
    char branch[AHOY_BRANCH_LIMIT + 2] = "";
    memset(branch, 'x', size);
    assert_true(snprintf(text, capacity, "SIP/2.0/UDP a;branch=%s", branch) < (int)capacity);
    return text;
}

/* Attack 9. */
static void test_branch_limits(void **state)
{
    (void)state;
    char text[400];
    assert_int_equal(parse(with_branch(text, sizeof text, 256)).branch.size, 256);
    refuse(with_branch(text, sizeof text, 257), 21, true);
    refuse("SIP/2.0/UDP a;branch=", 21, true);
    refuse("SIP/2.0/UDP a;branch", 20, true);
    refuse("SIP/2.0/UDP a;branch=\"x\"", 21, true);
    /* R3261-7.3.1-4 */
    refuse("SIP/2.0/UDP a;branch=x;branch=y", 23, true);
    refuse("SIP/2.0/UDP a;rport;rport=1", 20, true);
    refuse("SIP/2.0/UDP a;received=::1;received=::1", 27, true);
    refuse("SIP/2.0/UDP a;maddr=b;x;Maddr=c", 24, true);
}

/* Attack 8, and RFC 4475 3.1.2.1. */
static void test_garbage(void **state)
{
    (void)state;
    refuse("", 0, false);
    refuse("SIP/2.0", 0, false);
    refuse("SIP/2.0/UDP", 0, false);
    refuse("SIP/2.0/UDP ", 12, false);
    refuse("SIP/2.0 a", 0, false);
    refuse("/2.0/UDP a", 0, false);
    refuse("SIP//UDP a", 0, false);
    refuse("SIP/2.0/ a", 0, false);
    refuse("SIP/2.0/UDP :5060", 12, false);
    refuse("SIP/2.0/UDP [::1", 12, false);
    refuse("SIP/2.0/UDP a:99999", 14, false);
    refuse("SIP/2.0/UDP a:", 14, false);
    refuse("SIP/2.0/UDP a b", 14, true);
    refuse("SIP/2.0/UDP 192.0.2.15;;", 23, true);
    refuse("SIP/2.0/UDP a;branch=\"x", 21, true);
    struct ahoy_via via;
    assert_false(ahoy_via_parse((struct span){ NULL, 0 }, &via, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_examples, test_free_all),
        cmocka_unit_test_teardown(test_addresses_of_ipv6, test_free_all),
        cmocka_unit_test_teardown(test_unknown_transports_and_versions_are_read, test_free_all),
        cmocka_unit_test_teardown(test_rport, test_free_all),
        cmocka_unit_test_teardown(test_cookie, test_free_all),
        cmocka_unit_test_teardown(test_first_of_a_list, test_free_all),
        cmocka_unit_test_teardown(test_branch_limits, test_free_all),
        cmocka_unit_test_teardown(test_garbage, test_free_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
