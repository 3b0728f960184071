/* CSeq (RFC 3261 20.16). */
#include "libahoy/syntax/cseq.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/support/bytes.h"

static struct ahoy_cseq parse(const char *text)
{
    struct ahoy_cseq cseq;
    struct ahoy_err err = { .expected = NULL };
    if (!ahoy_cseq_parse(test_text(text), &cseq, &err))
        fail_msg("%s: expected %s", text, err.expected);
    return cseq;
}

static void refuse(const char *text, size_t offset)
{
    struct span bytes = test_text(text);
    struct ahoy_cseq cseq;
    struct ahoy_err err = { .expected = NULL };
    if (ahoy_cseq_parse(bytes, &cseq, &err))
        fail_msg("%s was accepted", text);
    assert_non_null(err.expected);
    assert_int_equal(err.status, 400);
    assert_int_equal(ahoy_err_offset(&err, bytes), offset);
}

static void test_cseq(void **state)
{
    (void)state;
    struct ahoy_cseq cseq = parse("4711 INVITE");
    assert_int_equal(cseq.number, 4711);
    assert_int_equal(cseq.method, AHOY_METHOD_INVITE);
    assert_span(cseq.method_text, "INVITE");
    cseq = parse("0009\r\n  INVITE"); /* RFC 4475 3.1.1.1 */
    assert_int_equal(cseq.number, 9);
    cseq = parse("0 !interesting-Method0123456789_*+`.%indeed'~");
    assert_int_equal(cseq.method, AHOY_METHOD_OTHER);
    assert_span(cseq.method_text, "!interesting-Method0123456789_*+`.%indeed'~");
    assert_int_equal(parse("1 invite").method, AHOY_METHOD_OTHER);
}

/* R3261-8.1.1.5-2, R3261-20.16-1, attack 10. */
static void test_numbers(void **state)
{
    (void)state;
    assert_int_equal(parse("2147483647 BYE").number, 2147483647);
    refuse("2147483648 BYE", 0);
    refuse("4294967297 BYE", 0);
    refuse("36893488147419103233 BYE", 0);
    refuse("1234567890123456789012345678901234567890 BYE", 0);
    refuse("-1 BYE", 0);
    refuse("+1 BYE", 0);
    refuse("x BYE", 0);
}

static void test_faults(void **state)
{
    (void)state;
    refuse("", 0);
    refuse("1", 1);
    refuse("1 ", 2);
    refuse("1BYE", 4);
    refuse("1 BYE x", 5);
    refuse("1 \"BYE\"", 2);
    refuse(" BYE", 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_cseq, test_free_all),
        cmocka_unit_test_teardown(test_numbers, test_free_all),
        cmocka_unit_test_teardown(test_faults, test_free_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
