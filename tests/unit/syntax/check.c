/* The check of every header that has a type. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "libahoy/syntax/message.h"
#include "tests/support/bytes.h"

#define START "REGISTER sip:example.com SIP/2.0\r\n"

static struct ahoy_message message;

static bool check(const char *rows, struct ahoy_err *err)
{
    char text[1000];
    assert_in_range(snprintf(text, sizeof text, START "%s\r\n", rows), 1, sizeof text - 1);
    assert_true(ahoy_message_parse(test_text(text), &message, err));
    return ahoy_message_check(&message, err);
}

static void accept(const char *rows)
{
    struct ahoy_err err = { .expected = NULL };
    if (!check(rows, &err))
        fail_msg("%s: expected %s", rows, err.expected);
}

/* |rows| are refused at |offset| of them. */
static void refuse(const char *rows, size_t offset)
{
    struct ahoy_err err = { .expected = NULL };
    if (check(rows, &err))
        fail_msg("%s was accepted", rows);
    assert_non_null(err.expected);
    assert_int_equal(err.status, 400);
    assert_int_equal(ahoy_err_offset(&err, message.bytes), sizeof START - 1 + offset);
}

static void test_sound_headers(void **state)
{
    (void)state;
    accept("");
    accept("Via: SIP/2.0/UDP a\r\nVia: SIP/2.0/TCP b , SIP/2.0/TLS c;rport\r\n"
           "From: sip:a;tag=1\r\nTo: <sip:b>\r\nCSeq: 1 X\r\n"
           "Contact: sip:a, \"b\" <sip:b;x>;q=0.3\r\nContact: <name:John_Smith>;expires=60\r\n"
           "Route: <sip:a;lr>,<sip:b>\r\nRecord-Route: <sip:a;lr>;x=y\r\nPath: <sip:p;lr>\r\n"
           "Refer-To: <sip:c?Replaces=x>\r\nAuthorization: Digest realm=\"x, y\"\r\n"
           "Proxy-Authorization: Other x\r\n");
    /* No typed value, nothing to check. */
    accept("Date: Fri, 01 Jan 2010 16:00:00 EST\r\nExpires: soon\r\nUnknown: ;;,,;;,;\r\n");
}

/* 10.2.2, attack 14; what goes with it is for the registrar to say. */
static void test_star(void **state)
{
    (void)state;
    accept("Contact: *\r\n");
    accept("m: *\r\nExpires: 0\r\n");
    refuse("Contact: *, <sip:a>\r\n", 9);
    refuse("Contact: *\r\nContact: <sip:a>\r\n", 9);
    refuse("Contact: <sip:a>\r\nContact: *\r\n", 27);
    refuse("Contact: *;expires=0\r\n", 9);
    refuse("Route: *\r\n", 7);
}

/* RFC 4475 3.1.2.1, 3.1.2.6, 3.1.2.13; attacks 12, 13 and 15. */
static void test_faults(void **state)
{
    (void)state;
    refuse("Via: SIP/2.0/UDP 192.0.2.15;;,;,,\r\n", 28);
    refuse("Via: SIP/2.0/UDP a\r\nVia: SIP/2.0/UDP b,garbage\r\n", 39);
    refuse("To: \"Mr. J. User <sip:j.user@example.com>\r\n", 4);
    refuse("From: <sip:a\r\n", 6);
    refuse("CSeq: 4294967296 X\r\n", 6);
    refuse("Contact: \"Joe\" <sip:joe@example.org>;;;;\r\n", 37);
    refuse("Contact: sip:user@example.com?Route=%3Csip:sip.example.com%3E\r\n", 29);
    refuse("Contact: <sip:a>,\r\n", 16);
    refuse("Contact: <sip:a>, <sip:b\r\n", 18);
    refuse("Contact:\r\n", 8);
    refuse("Route: sip:a;lr\r\n", 7);
    refuse("Record-Route: <sip:a>,sip:b\r\n", 22);
    refuse("Path: \"x <sip:a>\r\n", 6);
    refuse("Refer-To: x\r\n", 10);
    refuse("Authorization: Digest realm=\"x\r\n", 28);
    refuse("Authorization: Digest realm=\"x\"\r\nAuthorization: Digest realm\r\n", 60);
    refuse("Proxy-Authorization: Digest realm=\"x\" nonce=\"y\"\r\n", 38);
}

/* What was read for the routing is not read again, and found all the same. */
static void test_behind_the_routing(void **state)
{
    static const struct {
        const char *via, *from, *to, *rest;
        bool is_sound;
    } cases[] = {
        { "SIP/2.0/UDP a;branch=z9hG4bKx;rport", "<sip:a>;tag=1", "<sip:b>", "", true },
        { "SIP/2.0/UDP a;branch=z9hG4bKx;x;X", "<sip:a>;tag=1", "<sip:b>", "", false },
        { "SIP/2.0/UDP a;branch=z9hG4bKx;ttl=256", "<sip:a>;tag=1", "<sip:b>", "", false },
        { "SIP/2.0/UDP a;branch=z9hG4bKx, x", "<sip:a>;tag=1", "<sip:b>", "", false },
        { "SIP/2.0/UDP a;branch=z9hG4bKx", "<sip:a>;tag=1;x;x", "<sip:b>", "", false },
        { "SIP/2.0/UDP a;branch=z9hG4bKx", "<sip:a>;tag=1", "<sip:b>;x;x", "", false },
        { "SIP/2.0/UDP a;branch=z9hG4bKx", "<sip:a>;tag=1", "<sip:b>", "Via: x\r\n", false },
        { "SIP/2.0/UDP a;branch=z9hG4bKx", "<sip:a>;tag=1", "<sip:b>", "Contact: <\r\n", false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char rows[500];
        struct ahoy_err err = { .expected = NULL };
        struct ahoy_routing routing;
        assert_in_range(snprintf(rows, sizeof rows,
                                 "Via: %s\r\nFrom: %s\r\nTo: %s\r\nCall-ID: a\r\n"
                                 "CSeq: 1 REGISTER\r\n%s",
                                 cases[i].via, cases[i].from, cases[i].to, cases[i].rest),
                        1, sizeof rows - 1);
        assert_int_equal(check(rows, &err), cases[i].is_sound);
        assert_true(ahoy_message_routing(&message, &routing, &err));
        assert_int_equal(ahoy_message_check_rest(&message, &routing, NULL, &err),
                         cases[i].is_sound);
    }
}

/* The first Contact is left for whoever needs it. */
static void test_contact_is_left(void **state)
{
    static const struct {
        const char *rows, *contact;
    } cases[] = {
        { "", "" },
        { "Contact: *\r\n", "" },
        { "Contact: <sip:a@b;x=1>;q=0.5\r\n", "sip:a@b;x=1" },
        { "Contact: <sip:a>, <sip:b>\r\nContact: <sip:c>\r\n", "sip:a" },
        { "Route: <sip:r;lr>\r\nm: sip:a\r\nPath: <sip:p;lr>\r\n", "sip:a" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char rows[500];
        struct ahoy_err err = { .expected = NULL };
        struct ahoy_routing routing;
        struct ahoy_address contact;
        snprintf(rows, sizeof rows,
                 "Via: SIP/2.0/UDP a;branch=z9hG4bKx\r\nFrom: <sip:a>;tag=1\r\nTo: <sip:b>\r\n"
                 "Call-ID: a\r\nCSeq: 1 REGISTER\r\n%s",
                 cases[i].rows);
        assert_true(check(rows, &err));
        assert_true(ahoy_message_routing(&message, &routing, &err));
        assert_true(ahoy_message_check_rest(&message, &routing, &contact, &err));
        assert_int_equal(contact.text.size > 0, cases[i].contact[0] != '\0');
        if (contact.text.size > 0)
            assert_true(ahoy_span_equal(contact.uri.text, ahoy_span(cases[i].contact)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_sound_headers, test_free_all),
        cmocka_unit_test_teardown(test_star, test_free_all),
        cmocka_unit_test_teardown(test_faults, test_free_all),
        cmocka_unit_test(test_behind_the_routing),
        cmocka_unit_test(test_contact_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
