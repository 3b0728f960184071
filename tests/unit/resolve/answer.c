/* What is written as an answer of the DNS, byte by byte: RFC 1035 4.1. */
#include "libahoy/resolve/answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "libahoy/resolve/records.h"

static const char head[] = "\0\0\x81\x80\0\1\0\2\0\0\0\0"
                           "\4_sip\1b\0\0\x21\0\1";

static void as_it_is_on_the_wire(void **state)
{
    static const char record[] = "\xc0\x0c\0\x21\0\1\0\0\0\x3c\0\x0b\0\1\0\2\x13\xc4\1a\1b\0";
    char space[512];
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space), data;
    char data_space[64];
    (void)state;
    ahoy_answer_begin(&buf, SPAN("_sip.b."), AHOY_DNS_SRV, 2);
    assert_int_equal(buf.size, sizeof head - 1);
    assert_memory_equal(buf.at, head, buf.size);
    data = ahoy_buf_over(data_space, sizeof data_space);
    ahoy_answer_put_number(&data, 1);
    ahoy_answer_put_number(&data, 2);
    ahoy_answer_put_number(&data, 5060);
    ahoy_answer_put_name(&data, SPAN("a.b"));
    ahoy_answer_add(&buf, AHOY_DNS_SRV, ahoy_buf_text(&data));
    assert_int_equal(buf.size, sizeof head - 1 + sizeof record - 1);
    assert_memory_equal(buf.at + sizeof head - 1, record, sizeof record - 1);
}

static void it_is_read_again(void **state)
{
    char space[512];
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    struct ahoy_records records;
    struct ahoy_record record;
    (void)state;
    ahoy_answer_begin(&buf, SPAN("b.example"), AHOY_DNS_A, 1);
    ahoy_answer_add(&buf, AHOY_DNS_A, SPAN("\xc0\0\2\7"));
    assert_int_equal(ahoy_records_begin(&records, ahoy_buf_text(&buf), AHOY_DNS_A), AHOY_DNS_FOUND);
    assert_true(ahoy_records_next(&records, &record));
    assert_int_equal(record.ip.bytes[3], 7);
    assert_false(ahoy_records_next(&records, &record));
    buf = ahoy_buf_over(space, sizeof space);
    ahoy_answer_begin(&buf, SPAN("b.example"), AHOY_DNS_A, 0);
    assert_int_equal(ahoy_records_begin(&records, ahoy_buf_text(&buf), AHOY_DNS_A), AHOY_DNS_NONE);
}

static void the_root_has_no_label(void **state)
{
    char space[64];
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    (void)state;
    ahoy_answer_put_name(&buf, SPAN("."));
    ahoy_answer_put_string(&buf, SPAN("s"));
    assert_int_equal(buf.size, 3);
    assert_memory_equal(space, "\0\1s", 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_it_is_on_the_wire),
        cmocka_unit_test(it_is_read_again),
        cmocka_unit_test(the_root_has_no_label),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
