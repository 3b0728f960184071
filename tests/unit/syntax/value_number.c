/* Numbers, and what counts by them: CSeq, RAck, Timestamp, intervals, Date (RFC 3261 20). */
#include "tests/support/values.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/support/bytes.h"

static void test_good(void **state)
{
    (void)state;
    static const struct test_good_value values[] = {
        { AHOY_HEADER_MAX_FORWARDS, "70", NULL },
        { AHOY_HEADER_MAX_FORWARDS, "0255", "255" },
        { AHOY_HEADER_CONTENT_LENGTH, "0", NULL },
        { AHOY_HEADER_CONTENT_LENGTH, "4294967295", NULL },
        { AHOY_HEADER_EXPIRES, " 0000005\r\n ", "5" },
        { AHOY_HEADER_MIN_EXPIRES, "60", NULL },
        { AHOY_HEADER_RSEQ, "988789", NULL },
        { AHOY_HEADER_MAX_BREADTH, "60", NULL },
        { AHOY_HEADER_FLOW_TIMER, "120", NULL },
        { AHOY_HEADER_RETRY_AFTER, "18000;duration=3600", NULL },
        { AHOY_HEADER_RETRY_AFTER, "120 (I'm in a meeting)", "120(I'm in a meeting)" },
        { AHOY_HEADER_RETRY_AFTER, "5 ( a (b\r\n (\\))) \\( ) ; x", "5( a (b (\\))) \\( );x" },
        { AHOY_HEADER_SESSION_EXPIRES, "4000 ; refresher = uac", "4000;refresher=uac" },
        { AHOY_HEADER_MIN_SE, "3600;x=y", NULL },
        { AHOY_HEADER_CSEQ, "0004711\r\n  INVITE", "4711 INVITE" },
        { AHOY_HEADER_CSEQ, "2147483647 New-Method", NULL },
        { AHOY_HEADER_RACK, "776656 1\t INVITE", "776656 1 INVITE" },
        { AHOY_HEADER_TIMESTAMP, "54", NULL },
        { AHOY_HEADER_TIMESTAMP, "54.21 \r\n .5", "54.21 .5" },
        { AHOY_HEADER_TIMESTAMP, "1. 0.", NULL },
        { AHOY_HEADER_TIMESTAMP, "1 .", NULL },
        { AHOY_HEADER_DATE, "Sat, 13 Nov 2010 23:29:00 GMT", NULL },
        { AHOY_HEADER_DATE, "thu, \r\n 29  feb 2024\t00:00:00 gmt",
          "Thu, 29 Feb 2024 00:00:00 GMT" },
        { AHOY_HEADER_DATE, "Sat, 01 Jan 0000 00:00:00 GMT", NULL },
        { AHOY_HEADER_DATE, "Tue, 29 Feb 2000 23:59:59 GMT", NULL },
        { AHOY_HEADER_DATE, "Fri, 31 Dec 9999 12:00:00 GMT", NULL },
        { AHOY_HEADER_DATE, "Thu, 01 Jan 1970 00:00:00 GMT", NULL },
        { AHOY_HEADER_DATE, "Mon, 01 Mar 2100 09:09:09 GMT", NULL },
    };
    test_good_values(values, TEST_COUNT(values));
}

static void test_bad(void **state)
{
    (void)state;
    static const struct test_bad_value values[] = {
        { AHOY_HEADER_MAX_FORWARDS, "256", 0, "a number of hops up to 255" },
        { AHOY_HEADER_CONTENT_LENGTH, "-999", 0, "a number below 2^32" },
        { AHOY_HEADER_EXPIRES, "4294967296", 0, "a number below 2^32" },
        { AHOY_HEADER_EXPIRES, "soon", 0, "a number below 2^32" },
        { AHOY_HEADER_EXPIRES, "Thu, 01 Dec 1994 16:00:00 GMT", 0, "a number below 2^32" },
        { AHOY_HEADER_EXPIRES, "5;x", 1, "nothing more" },
        { AHOY_HEADER_MIN_EXPIRES, "5 (a)", 2, "nothing more" },
        { AHOY_HEADER_RSEQ, "0", 0, "a number from 1 to below 2^32" },
        { AHOY_HEADER_MAX_BREADTH, "1.5", 1, "nothing more" },
        { AHOY_HEADER_FLOW_TIMER, "+1", 0, "a number below 2^32" },
        { AHOY_HEADER_RETRY_AFTER, "5 (a", 2, "a closing \")\"" },
        { AHOY_HEADER_RETRY_AFTER, "5 (a\\)", 2, "a closing \")\"" },
        { AHOY_HEADER_RETRY_AFTER, "5 (a(b)", 2, "a closing \")\"" },
        { AHOY_HEADER_RETRY_AFTER, "5 (a\\\r\n )", 2, "a closing \")\"" },
        { AHOY_HEADER_RETRY_AFTER, "5 (a) (b)", 6, "\";\" before a parameter" },
        { AHOY_HEADER_SESSION_EXPIRES, "5 (a)", 2, "\";\" before a parameter" },
        { AHOY_HEADER_MIN_SE, ";x", 0, "a number below 2^32" },
        /* R3261-20.16-1, and by R3261-8.1.1.5-2 even below 2^31. */
        { AHOY_HEADER_CSEQ, "36893488147419103232 REGISTER", 0, "a number below 2^31" },
        { AHOY_HEADER_CSEQ, "2147483648 INVITE", 0, "a number below 2^31" },
        { AHOY_HEADER_CSEQ, "1INVITE", 7, "white space and a method" },
        { AHOY_HEADER_RACK, "1", 1, "white space and a CSeq" },
        { AHOY_HEADER_RACK, "1 2", 3, "white space and a method" },
        { AHOY_HEADER_RACK, "x 2 INVITE", 0, "a number below 2^32" },
        { AHOY_HEADER_TIMESTAMP, ".5", 0, "a time in seconds" },
        { AHOY_HEADER_TIMESTAMP, "5s", 1, "white space and a delay in seconds" },
        { AHOY_HEADER_TIMESTAMP, "5.5.5", 3, "white space and a delay in seconds" },
        { AHOY_HEADER_TIMESTAMP, "5 1.2.3", 5, "white space and a delay in seconds" },
        { AHOY_HEADER_DATE, "Fri, 01 Jan 2010 16:00:00 EST", 26, "\"GMT\"" },
        { AHOY_HEADER_DATE, "Fri, 01 Jan 2010 16:00:00 GMT+1", 29, "nothing more" },
        { AHOY_HEADER_DATE, "Fri, 01 Jan 2010 16:00:00", 25, "\"GMT\"" },
        { AHOY_HEADER_DATE, "2010-01-01", 0, "a weekday such as \"Mon\"" },
        { AHOY_HEADER_DATE, "Friday, 01 Jan 2010 16:00:00 GMT", 3, "a comma and a space" },
        { AHOY_HEADER_DATE, "Fri, 1 Jan 2010 16:00:00 GMT", 5, "a day of two digits and a space" },
        { AHOY_HEADER_DATE, "Fri, 01 01 2010 16:00:00 GMT", 8,
          "a month such as \"Jan\" and a space" },
        { AHOY_HEADER_DATE, "Fri, 01 Jan 10 16:00:00 GMT", 12,
          "a year of four digits and a space" },
        { AHOY_HEADER_DATE, "Fri, 01 Jan 2010 16:00 GMT", 22, "a time as \"23:59:59\"" },
        { AHOY_HEADER_DATE, "Fri, 01 Jan 2010 24:00:00 GMT", 17, "a time of 00:00:00 to 23:59:59" },
        { AHOY_HEADER_DATE, "Fri, 01 Jan 2010 23:60:00 GMT", 17, "a time of 00:00:00 to 23:59:59" },
        { AHOY_HEADER_DATE, "Fri, 01 Jan 2010 23:59:60 GMT", 17, "a time of 00:00:00 to 23:59:59" },
        { AHOY_HEADER_DATE, "Sat, 01 Jan 2010 16:00:00 GMT", 0, "the weekday of that day" },
        { AHOY_HEADER_DATE, "Mon, 29 Feb 2010 16:00:00 GMT", 0, "a day that the month has" },
        { AHOY_HEADER_DATE, "Mon, 29 Feb 2100 16:00:00 GMT", 0, "a day that the month has" },
        { AHOY_HEADER_DATE, "Thu, 31 Apr 2010 16:00:00 GMT", 0, "a day that the month has" },
        { AHOY_HEADER_DATE, "Thu, 00 Apr 2010 16:00:00 GMT", 0, "a day that the month has" },
    };
    test_bad_values(values, TEST_COUNT(values));
}

static void test_what_they_say(void **state)
{
    (void)state;
    assert_int_equal(test_value(AHOY_HEADER_EXPIRES, "4294967295").as.number, UINT32_MAX);
    struct ahoy_value value = test_value(AHOY_HEADER_RETRY_AFTER, "120 (busy) ;duration=60");
    assert_int_equal(value.as.number, 120);
    assert_span(value.comment, "(busy)");
    assert_span(value.params, ";duration=60");
    value = test_value(AHOY_HEADER_RACK, "776656 1 INVITE");
    assert_int_equal(value.as.rack.response, 776656);
    assert_int_equal(value.as.rack.cseq.number, 1);
    assert_int_equal(value.as.rack.cseq.method, AHOY_METHOD_INVITE);
    assert_int_equal(test_value(AHOY_HEADER_CSEQ, "7 BYE").as.cseq.number, 7);
    value = test_value(AHOY_HEADER_TIMESTAMP, "54.5 0.1");
    assert_span(value.as.timestamp.time, "54.5");
    assert_span(value.as.timestamp.delay, "0.1");
    assert_span(test_value(AHOY_HEADER_TIMESTAMP, "54").as.timestamp.delay, "");
    struct ahoy_date date = test_value(AHOY_HEADER_DATE, "Sun, 14 Nov 2010 23:29:01 GMT").as.date;
    assert_int_equal(date.year, 2010);
    assert_int_equal(date.month, 11);
    assert_int_equal(date.day, 14);
    assert_int_equal(date.hour, 23);
    assert_int_equal(date.minute, 29);
    assert_int_equal(date.second, 1);
    assert_int_equal(date.weekday, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_good, test_free_all),
        cmocka_unit_test_teardown(test_bad, test_free_all),
        cmocka_unit_test_teardown(test_what_they_say, test_free_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
