/* Messages in their canonical spelling. */
#include "libahoy/syntax/print.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/support/bytes.h"

static struct ahoy_message message;
static char space[70000];

static void parse(struct span text)
{
    struct ahoy_err err = { .expected = NULL };
    if (!ahoy_message_parse(test_copy(text), &message, &err))
        fail_msg("%.*s: expected %s", (int)text.size, text.at, err.expected);
}

/* |text| is printed as |printed|, and that as itself. */
static void expect(const char *text, const char *printed)
{
    parse(ahoy_span(text));
    for (unsigned time = 0; time < 2; time++) {
        struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
        ahoy_message_print(&message, &buf);
        assert_false(buf.overflow);
        assert_span(ahoy_buf_text(&buf), printed);
        parse(ahoy_buf_text(&buf));
    }
}

#define EMPTY "Content-Length: 0\r\n\r\n"

static void test_start_lines(void **state)
{
    (void)state;
    expect("\r\n\r\nOPTIONS sip:Bob@Example.COM;lr sip/2.0\r\n\r\n",
           "OPTIONS sip:Bob@example.com;lr SIP/2.0\r\n" EMPTY);
    expect("New tel:+1-201 SIP/2.0\r\n\r\n", "New tel:+1-201 SIP/2.0\r\n" EMPTY);
    /* Nobody has read this one yet. */
    expect("New No-URI SIP/2.0\r\n\r\n", "New No-URI SIP/2.0\r\n" EMPTY);
    expect("sip/2.0 200  O  K\r\n\r\n", "SIP/2.0 200  O  K\r\n" EMPTY);
    expect("SIP/2.0 100\r\n\r\n", "SIP/2.0 100 \r\n" EMPTY);
}

#define OK "SIP/2.0 200 OK\r\n"

/* R3261-7.3.3-1, R3261-7.3.1-3: rows stay rows, in their order. */
static void test_rows(void **state)
{
    (void)state;
    expect(OK "v:SIP / 2.0/UDP A : 5060 , SIP/2.0/TCP b\r\nFROM :  Bob <sip:B@C> ;tag=1\r\n"
              "via: SIP/2.0/UDP c\r\nk:\r\nm: *\r\nl: 0\r\nexpires: 007\r\n\r\n",
           OK "Via: SIP/2.0/UDP a:5060, SIP/2.0/TCP b\r\nFrom: Bob <sip:B@c>;tag=1\r\n"
              "Via: SIP/2.0/UDP c\r\nSupported:\r\nContact: *\r\nContent-Length: 0\r\n"
              "Expires: 7\r\n\r\n");
    /* R3261-20.12-2 */
    expect(OK "e: gzip,x-tar\r\n\r\n", OK "Content-Encoding: gzip, x-tar\r\n" EMPTY);
    /* R3261-20.7-1, R3261-20.28-1, R3261-7.3.1-2: these are never joined. */
    expect(OK "Authorization: Digest realm=\"a, b\", nonce=\"c\"\r\n"
              "Authorization: Digest realm=\"d\"\r\n\r\n",
           OK "Authorization: Digest realm=\"a, b\",nonce=\"c\"\r\n"
              "Authorization: Digest realm=\"d\"\r\n" EMPTY);
}

static void test_unknown_rows(void **state)
{
    (void)state;
    expect(OK "x-Own :  a,b  ;\r\n \t c \"d\r\n e\"  \r\nX-None:\r\n\r\n",
           OK "x-Own: a,b  ; c \"d e\"\r\nX-None:\r\n" EMPTY);
}

/* Nothing is lost that cannot be read (8.2, 16.3). */
static void test_unreadable_values(void **state)
{
    (void)state;
    expect(OK "Expires: next\r\n  week\r\nDate: Fri, 01 Jan 2010 16:00:00 EST\r\n"
              "Contact: <sip:a> ,b  c, <sip:D>\r\nRequire: a,,b\r\nm: <sip:a>, \"b\r\n\r\n",
           OK
           "Expires: next week\r\nDate: Fri, 01 Jan 2010 16:00:00 EST\r\n"
           "Contact: <sip:a>, b  c, <sip:d>\r\nRequire: a,,b\r\nContact: <sip:a>, \"b\r\n" EMPTY);
}

/* R3261-20.14-2; what lies behind the body is no part of it (18.3). */
static void test_bodies(void **state)
{
    (void)state;
    expect(OK "\r\nb\r\n", OK "Content-Length: 3\r\n\r\nb\r\n");
    expect(OK "l: 00001\r\nQ: r\r\n\r\nbody", OK "Content-Length: 1\r\nQ: r\r\n\r\nb");
}

/* Printing allocates nothing; this is its failing allocation: into too few bytes, of which there
 * is never one more than said. */
static void test_every_size(void **state)
{
    (void)state;
    parse(test_file("tests/torture/messages/wsinv.dat"));
    struct ahoy_buf whole = ahoy_buf_over(space, sizeof space);
    ahoy_message_print(&message, &whole);
    assert_false(whole.overflow);
    for (size_t size = 0; size <= whole.size; size++) {
        struct span room = test_copy((struct span){ space, size });
        struct ahoy_buf buf = ahoy_buf_over((char *)room.at, size);
        ahoy_message_print(&message, &buf);
        assert_int_equal(buf.overflow, size < whole.size);
        assert_true(buf.size <= size);
        assert_memory_equal(room.at, space, buf.size);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_start_lines, test_free_all),
        cmocka_unit_test_teardown(test_rows, test_free_all),
        cmocka_unit_test_teardown(test_unknown_rows, test_free_all),
        cmocka_unit_test_teardown(test_unreadable_values, test_free_all),
        cmocka_unit_test_teardown(test_bodies, test_free_all),
        cmocka_unit_test_teardown(test_every_size, test_free_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
