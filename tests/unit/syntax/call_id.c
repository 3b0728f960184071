/* The Call-ID that is found before anything is parsed must be the one that the index finds, or the
 * messages of a call part. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "libahoy/syntax/message.h"
#include "tests/support/bytes.h"

#define START "INVITE sip:a SIP/2.0\r\n"

static struct ahoy_message message;

/* Both find |expected|. */
static void expect(const char *text, const char *expected)
{
    struct span bytes = test_text(text);
    struct ahoy_err err = { .expected = "nothing" };
    if (!ahoy_message_parse(bytes, &message, &err))
        fail_msg("%s: expected %s", text, err.expected);
    assert_span(ahoy_message_value(&message, AHOY_HEADER_CALL_ID), expected);
    assert_span(ahoy_message_scan_call_id(bytes), expected);
}

static void test_spellings(void **state)
{
    (void)state;
    expect(START "Call-ID: x@y\r\n\r\n", "x@y");
    expect(START "call-id:x@y\r\nTo: z\r\n\r\n", "x@y");
    expect(START "To: z\r\nCALL-ID\t : \t x@y \t\r\n\r\n", "x@y");
    expect(START "i: x@y\r\n\r\n", "x@y");
    expect(START "I :x@y\r\n\r\n", "x@y");
    expect(START "Call-ID:\r\n x@y\r\n\r\n", "x@y");
    expect(START "Call-ID: \r\n \r\n\tx@y\r\n \r\n\r\n", "x@y");
    expect("\r\n\r\n" START "Call-ID: x@y\r\n\r\n", "x@y");
}

static void test_what_is_none(void **state)
{
    (void)state;
    expect(START "\r\nCall-ID: x@y\r\n\r\n", "");
    expect(START "Call-IDs: z\r\nCall-I: z\r\nInfo: z\r\nCall-ID-X: z\r\ni: x\r\n\r\n", "x");
    expect(START "Subject: z\r\n Call-ID: z\r\nCall-ID: x\r\n\r\n", "x");
    expect(START "Subject: Call-ID: z\r\n\r\n", "");
    expect(START "Call-ID:\r\nTo: z\r\n\r\n", "");
}

static void test_unfinished_messages(void **state)
{
    (void)state;
    static const char text[] = START "Call-ID: x@y\r\n";
    for (size_t size = 0; size < sizeof text; size++) {
        struct span found = ahoy_message_scan_call_id(test_copy((struct span){ text, size }));
        if (size >= sizeof START + 11)
            assert_span(found, "x@y");
    }
    assert_span(ahoy_message_scan_call_id((struct span){ NULL, 0 }), "");
    assert_span(ahoy_message_scan_call_id(test_text(START "Call-ID")), "");
    assert_span(ahoy_message_scan_call_id(test_text(START "i")), "");
    assert_span(ahoy_message_scan_call_id(test_text(START "i:\r\n")), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_spellings, test_free_all),
        cmocka_unit_test_teardown(test_what_is_none, test_free_all),
        cmocka_unit_test_teardown(test_unfinished_messages, test_free_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
