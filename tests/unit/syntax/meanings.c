/* What methods, status codes, option tags and event packages mean: each registered one can be
 * explained, and is found by its name alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "libahoy/syntax/event_package.h"
#include "libahoy/syntax/method.h"
#include "libahoy/syntax/option_tag.h"
#include "libahoy/syntax/status.h"
#include "tests/support/bytes.h"

static void expect_meaning(const struct ahoy_meaning *meaning)
{
    assert_non_null(meaning);
    assert_true(meaning->text.size > 0);
    assert_true(ahoy_span_starts_nocase(meaning->source, SPAN("RFC ")));
}

static void test_methods_mean_something(void **state)
{
    (void)state;
    for (unsigned i = 1; i < AHOY_METHOD_COUNT; i++)
        expect_meaning(ahoy_method_meaning((enum ahoy_method)i));
    assert_span(ahoy_method_meaning(AHOY_METHOD_REFER)->source, "RFC 3515 2");
    assert_null(ahoy_method_meaning(AHOY_METHOD_OTHER));
}

/* Whatever has a phrase of its own has a meaning, and nothing else has. */
static void test_status_codes_mean_something(void **state)
{
    (void)state;
    unsigned count = 0;
    for (unsigned status = 0; status <= 999; status++) {
        const struct ahoy_meaning *meaning = ahoy_status_meaning(status);
        if (meaning == NULL)
            continue;
        count++;
        expect_meaning(meaning);
        assert_true(status >= 100 && status <= 699);
    }
    assert_int_equal(count, 75);
    assert_span(ahoy_status_meaning(180)->text, "the callee's phone rings");
    assert_span(ahoy_status_meaning(608)->source, "RFC 8688 5.1");
    assert_null(ahoy_status_meaning(299));
    assert_span(ahoy_status_reason(299), "Success");
}

static void test_option_tags(void **state)
{
    (void)state;
    expect_meaning(ahoy_option_tag(SPAN("100rel")));
    expect_meaning(ahoy_option_tag(SPAN("uui")));
    expect_meaning(ahoy_option_tag(SPAN("Timer")));
    assert_null(ahoy_option_tag(SPAN("time")));
    assert_null(ahoy_option_tag(SPAN("")));
}

static void test_event_packages(void **state)
{
    (void)state;
    expect_meaning(ahoy_event_package(SPAN("call-completion")));
    expect_meaning(ahoy_event_package(SPAN("xcap-diff")));
    assert_span(ahoy_event_package(SPAN("presence"))->source, "RFC 3856 6.1");
    assert_span(ahoy_event_package(SPAN("presence.winfo"))->source, "RFC 3857 4.1");
    assert_null(ahoy_event_package(SPAN("foo.winfo.bar")));
    assert_null(ahoy_event_package(SPAN(".winfo")));
    assert_null(ahoy_event_package(SPAN("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_methods_mean_something),
        cmocka_unit_test(test_status_codes_mean_something),
        cmocka_unit_test(test_option_tags),
        cmocka_unit_test(test_event_packages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
