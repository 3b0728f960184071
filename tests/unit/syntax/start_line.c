/* Request-Line and Status-Line (RFC 3261 7.1, 7.2). */
#include "libahoy/syntax/start_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/support/bytes.h"

static struct ahoy_message message;

static void parse(const char *line)
{
    struct ahoy_err err = { .expected = NULL };
    if (!ahoy_start_line_parse(test_text(line), &message, &err))
        fail_msg("%s: expected %s", line, err.expected);
}

/* |line| is refused with |status| at |offset|; what is left is a request, or nothing. */
static void refuse(const char *line, unsigned status, size_t offset, bool is_request)
{
    struct span bytes = test_text(line);
    struct ahoy_err err = { .expected = NULL };
    if (ahoy_start_line_parse(bytes, &message, &err))
        fail_msg("%s was accepted", line);
    assert_non_null(err.expected);
    assert_int_equal(err.status, status);
    assert_int_equal(ahoy_err_offset(&err, bytes), offset);
    assert_int_equal(message.is_request, is_request);
    assert_int_equal(message.status, 0);
}

static void test_requests(void **state)
{
    (void)state;
    parse("INVITE sip:bob@biloxi.com SIP/2.0");
    assert_true(message.is_request);
    assert_int_equal(message.method, AHOY_METHOD_INVITE);
    assert_span(message.request_uri, "sip:bob@biloxi.com");
    parse("RE%47IST%45R sip:registrar.example.com sip/2.0"); /* R3261-7.1-3 */
    assert_int_equal(message.method, AHOY_METHOD_OTHER);
    assert_span(message.method_text, "RE%47IST%45R");
    parse("OPTIONS nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0");
    assert_span(message.request_uri, "nobodyKnowsThisScheme:totallyopaquecontent");
}

/* R3261-7.1-1, RFC 4475 3.1.2.7 to 3.1.2.10 */
static void test_request_uris(void **state)
{
    (void)state;
    refuse("INVITE <sip:a> SIP/2.0", 400, 7, true);
    refuse("INVITE sip:a; lr SIP/2.0", 400, 13, true);
    refuse("INVITE sip:a;\tlr SIP/2.0", 400, 13, true);
    refuse("INVITE  sip:a  SIP/2.0", 400, 7, true);
    refuse("INVITE sip:a SIP/2.0 ", 400, 12, true);
    refuse("INVITE  SIP/2.0", 400, 7, true);
    assert_int_equal(message.method, AHOY_METHOD_INVITE);
}

static void test_versions(void **state)
{
    (void)state;
    refuse("OPTIONS sip:a SIP/7.0", 505, 14, true);
    refuse("OPTIONS sip:a SIP/1.0", 505, 14, true);
    refuse("OPTIONS sip:a SIP/2.00", 505, 14, true);
    refuse("OPTIONS sip:a sip/12.34", 505, 14, true);
    refuse("OPTIONS sip:a SIP/2.", 400, 14, true);
    refuse("OPTIONS sip:a SIP/.0", 400, 14, true);
    refuse("OPTIONS sip:a SIP/2", 400, 14, true);
    refuse("OPTIONS sip:a SIP/2.0x", 400, 14, true);
    refuse("OPTIONS sip:a HTTP/1.1", 400, 14, true);
    refuse("SIP/3.0 200 OK", 505, 0, false);
    refuse("SIP/2.0200 OK", 505, 0, false); /* Version 2.0200, if it were one. */
    refuse("SIP/x 200 OK", 400, 0, false);
}

static void test_no_request(void **state)
{
    (void)state;
    refuse("", 400, 0, false);
    refuse("INVITE", 400, 6, false);
    refuse("INVITE\tsip:a SIP/2.0", 400, 6, false);
    refuse(" INVITE sip:a SIP/2.0", 400, 0, false);
    refuse("IN(VITE sip:a SIP/2.0", 400, 2, false);
    refuse("INVITE sip:a", 400, 12, true);
    refuse("INVITE ", 400, 7, true);
}

/* Attack 11. */
static void test_long_request_uris(void **state)
{
    (void)state;
    size_t size = 100 + AHOY_URI_LIMIT;
    char *line = malloc(size);
    assert_non_null(line);
    memset(line, 'a', size);
    memcpy(line, "INVITE sip:", 11);
    memcpy(line + 7 + AHOY_URI_LIMIT, " SIP/2.0", 9);
    parse(line);
    memcpy(line + 7 + AHOY_URI_LIMIT, "a SIP/2.0", 10);
    refuse(line, 414, 7 + AHOY_URI_LIMIT, true);
    free(line);
}

static void test_responses(void **state)
{
    (void)state;
    parse("SIP/2.0 200 OK");
    assert_false(message.is_request);
    assert_int_equal(message.status, 200);
    assert_span(message.reason, "OK");
    assert_span(message.method_text, "");
    parse("SIP/2.0 100 ");
    assert_span(message.reason, "");
    parse("SIP/2.0 699");
    assert_int_equal(message.status, 699);
    parse("sip/2.0 404 Not  Found, \t sorry");
    assert_span(message.reason, "Not  Found, \t sorry");
}

static void test_bad_statuses(void **state)
{
    (void)state;
    refuse("SIP/2.0 700 x", 400, 8, false);
    refuse("SIP/2.0 099 x", 400, 8, false);
    refuse("SIP/2.0 20 x", 400, 8, false);
    refuse("SIP/2.0 2000 x", 400, 8, false);
    refuse("SIP/2.0 4294967301 better not break the receiver", 400, 8, false);
    refuse("SIP/2.0 -200 x", 400, 8, false);
    refuse("SIP/2.0  200 OK", 400, 8, false);
    refuse("SIP/2.0 200x", 400, 11, false);
    refuse("SIP/2.0 ", 400, 8, false);
    refuse("SIP/2.0", 400, 7, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_requests, test_free_all),
        cmocka_unit_test_teardown(test_request_uris, test_free_all),
        cmocka_unit_test_teardown(test_versions, test_free_all),
        cmocka_unit_test_teardown(test_no_request, test_free_all),
        cmocka_unit_test_teardown(test_long_request_uris, test_free_all),
        cmocka_unit_test_teardown(test_responses, test_free_all),
        cmocka_unit_test_teardown(test_bad_statuses, test_free_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
