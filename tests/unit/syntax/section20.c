/* What RFC 3261 20 asks of single headers, where their values are read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "libahoy/syntax/message.h"
#include "libahoy/syntax/value.h"
#include "tests/support/bytes.h"

static bool reads(enum ahoy_header header, const char *text)
{
    struct ahoy_value value;
    struct ahoy_err err;
    return ahoy_value_parse(header, test_text(text), &value, &err);
}

/* R3261-20.10-1, R3261-20.20-1, R3261-20.31-1, R3261-20-7: a URI with a comma, a question mark or a
 * semicolon stands in brackets, with a name before them or without. */
static void test_brackets(void **state)
{
    (void)state;
    static const enum ahoy_header headers[] = { AHOY_HEADER_CONTACT, AHOY_HEADER_FROM,
                                                AHOY_HEADER_TO, AHOY_HEADER_REPLY_TO };
    static const char *const uris[] = { "sip:a,b@example.com", "sip:a@example.com?Subject=x",
                                        "sip:a;b@example.com" };
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        assert_true(reads(headers[i], "sip:a@example.com"));
        for (size_t k = 0; k < sizeof uris / sizeof uris[0]; k++) {
            char text[100];
            assert_false(reads(headers[i], uris[k]));
            snprintf(text, sizeof text, "<%s>", uris[k]);
            assert_true(reads(headers[i], text));
            snprintf(text, sizeof text, "\"\" <%s>", uris[k]);
            assert_true(reads(headers[i], text));
        }
    }
}

/* R3261-7.3.2-1, R3261-20-5: a request is not judged by headers that belong into responses. */
static void test_headers_of_responses_in_a_request(void **state)
{
    (void)state;
    static struct ahoy_message message;
    struct ahoy_err err;
    static const char *const names[] = { "Authentication-Info", "Error-Info",  "Min-Expires",
                                         "Proxy-Authenticate",  "Retry-After", "Server",
                                         "Unsupported",         "Warning",     "WWW-Authenticate" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char text[200];
        snprintf(text, sizeof text, "OPTIONS sip:a SIP/2.0\r\n%s: ,;\"\r\n\r\n", names[i]);
        assert_true(ahoy_message_parse(test_text(text), &message, &err));
        if (!ahoy_message_check(&message, &err))
            fail_msg("%s: expected %s", text, err.expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_brackets, test_free_all),
        cmocka_unit_test_teardown(test_headers_of_responses_in_a_request, test_free_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
