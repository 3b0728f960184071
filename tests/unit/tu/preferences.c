/* Caller preferences matched with features of phones (RFC 3841 7.2). */
#include "libahoy/tu/preferences.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static char text[32768];
static struct ahoy_message message;
static struct ahoy_preferences preferences;
static struct ahoy_err err;

static bool read_request(const char *method, const char *rows)
{
    int size =
        snprintf(text, sizeof text, "%s sip:user@example.com SIP/2.0\r\n%s\r\n", method, rows);
    assert_in_range(size, 1, sizeof text - 1);
    err = (struct ahoy_err){ 0 };
    assert_true(ahoy_message_parse((struct span){ text, (size_t)size }, &message, NULL));
    return ahoy_preferences_read(&message, &preferences, &err);
}

enum { LEFT_OUT = -1 };

static int score(const char *params)
{
    uint16_t thousandths;
    return ahoy_preferences_match(&preferences, ahoy_span(params), &thousandths) ? thousandths
                                                                                 : LEFT_OUT;
}

#define U1 ";audio;video;methods=\"INVITE,BYE\";q=0.2"
#define U2 ";audio=\"FALSE\";methods=\"INVITE\";actor=\"msg-taker\";q=0.2"
#define U3 ";audio;actor=\"msg-taker\";methods=\"INVITE\";video;q=0.3"
#define U4 ";audio;methods=\"INVITE,OPTIONS\";q=0.2"
#define U5 ";q=0.5"

/* R3841-7.2-2: the example of 7.2.5, to the last digit. */
static void the_example(void **state)
{
    (void)state;
    assert_true(read_request("INVITE",
                             "Reject-Contact: *;actor=\"msg-taker\";video\r\n"
                             "Accept-Contact: *;audio;require\r\n"
                             "Accept-Contact: *;video;explicit\r\n"
                             "Accept-Contact: *;methods=\"BYE\";class=\"business\";q=1.0\r\n"));
    assert_false(preferences.is_implicit);
    assert_int_equal(score(U1), 833);
    assert_int_equal(score(U2), LEFT_OUT);
    assert_int_equal(score(U3), LEFT_OUT);
    assert_int_equal(score(U4), 500);
    assert_int_equal(score(U5), 1000);
}

/* Figure 1, each way through it. */
static void require_and_explicit(void **state)
{
    static const struct {
        const char *flags;
        int matches, unknown, differs;
    } rows[] = {
        { "", 1000, 500, 0 },
        { ";require", 1000, 500, LEFT_OUT },
        { ";explicit", 1000, 0, 0 },
        { ";require;explicit", 1000, LEFT_OUT, LEFT_OUT },
        { ";EXPLICIT;Require", 1000, LEFT_OUT, LEFT_OUT },
    };
    char row[128];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        snprintf(row, sizeof row, "a: *;audio;mobility=\"fixed\"%s\r\n", rows[i].flags);
        assert_true(read_request("INVITE", row));
        assert_int_equal(score(";audio;mobility=\"fixed\""), rows[i].matches);
        assert_int_equal(score(";audio"), rows[i].unknown);
        assert_int_equal(score(";audio;mobility=\"mobile\""), rows[i].differs);
        assert_int_equal(score(";x=y;q=0.1;expires=5"), 1000); /* No features: immune. */
    }
}

/* Who does not say that he is so is not rejected. */
static void rejections(void **state)
{
    (void)state;
    assert_true(read_request("INVITE", "j: *;automata;actor=\"msg-taker\", *;+sip.x=\"<a>\"\r\n"));
    assert_int_equal(score(";automata"), 1000);
    assert_int_equal(score(";automata;actor=\"principal\""), 1000);
    assert_int_equal(score(";automata;actor=\"principal,msg-taker\""), LEFT_OUT);
    assert_int_equal(score(";+sip.x=\"<A>\""), 1000);
    assert_int_equal(score(";+sip.x=\"<a>\""), LEFT_OUT);
}

/* 7.2.2: the method is wanted, and the event of a subscription, where nothing else is. */
static void what_a_request_implies(void **state)
{
    (void)state;
    assert_true(read_request("MESSAGE", "Event: presence\r\n"));
    assert_true(preferences.is_implicit);
    assert_int_equal(score(";methods=\"INVITE,MESSAGE\""), 1000);
    assert_int_equal(score(";methods=\"INVITE\""), LEFT_OUT);
    assert_int_equal(score(";audio"), 0);
    assert_true(read_request("SUBSCRIBE", "Event: presence;id=7\r\n"));
    assert_int_equal(score(";methods=\"SUBSCRIBE\";events=\"presence,dialog\""), 1000);
    assert_int_equal(score(";methods=\"SUBSCRIBE\""), 500);
    assert_int_equal(score(";methods=\"SUBSCRIBE\";events=\"dialog\""), LEFT_OUT);
    assert_true(read_request("MESSAGE", "Accept-Contact: *;audio\r\n"));
    assert_int_equal(score(";methods=\"INVITE\";audio"), 1000);
}

/* A preference without features suits everybody. */
static void an_empty_preference(void **state)
{
    (void)state;
    assert_true(read_request("INVITE", "Accept-Contact: *;q=1;require;explicit\r\n"));
    assert_int_equal(score(";audio"), 1000);
}

/* R3841-10-1, R3840-9-1, and section 11: neither nonsense nor too much. */
static void faults(void **state)
{
    static char rows[16384];
    (void)state;
    assert_false(read_request("INVITE", "Accept-Contact: audio\r\n"));
    assert_int_equal(err.status, 400);
    assert_false(read_request("INVITE", "Accept-Contact: *;audio;audio\r\n"));
    assert_int_equal(err.status, 400);
    assert_false(read_request("INVITE", "Accept-Contact: *;require;audio;require\r\n"));
    assert_false(read_request("INVITE", "Accept-Contact: *;explicit;audio;explicit\r\n"));
    assert_false(read_request("INVITE", "Reject-Contact: *;audio,\r\n"));
    size_t size = (size_t)snprintf(rows, sizeof rows, "Accept-Contact: *;audio");
    for (size_t i = 1; i < AHOY_PREFERENCES_LIMIT; i++)
        size += (size_t)snprintf(rows + size, sizeof rows - size, ",*;audio");
    snprintf(rows + size, sizeof rows - size, "\r\n");
    assert_true(read_request("INVITE", rows));
    assert_int_equal(preferences.count, AHOY_PREFERENCES_LIMIT);
    snprintf(rows + size, sizeof rows - size, ",*\r\n");
    assert_false(read_request("INVITE", rows));
    assert_int_equal(err.status, 400);
    size = (size_t)snprintf(rows, sizeof rows, "Accept-Contact: *;audio=\"0");
    for (size_t i = 1; i < AHOY_PREFERENCE_VALUES_LIMIT; i++)
        size += (size_t)snprintf(rows + size, sizeof rows - size, ",0");
    snprintf(rows + size, sizeof rows - size, "\"\r\n");
    assert_true(read_request("INVITE", rows));
    snprintf(rows + size, sizeof rows - size, "\";video\r\n");
    assert_false(read_request("INVITE", rows));
    assert_int_equal(err.status, 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example),         cmocka_unit_test(require_and_explicit),
        cmocka_unit_test(rejections),          cmocka_unit_test(what_a_request_implies),
        cmocka_unit_test(an_empty_preference), cmocka_unit_test(faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
