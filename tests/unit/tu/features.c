/* Values of features compared (RFC 3841 7.2.4, 8). */
#include "libahoy/tu/features.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static struct ahoy_param param_of(const char *text)
{
    struct ahoy_param param;
    struct span rest = ahoy_span(text);
    assert_true(ahoy_param_next(&rest, &param, NULL));
    return param;
}

static bool meet(const char *has, const char *wanted)
{
    const struct ahoy_param a = param_of(has), b = param_of(wanted);
    bool result = ahoy_features_meet(&a, &b);
    assert_int_equal(ahoy_features_meet(&b, &a), result); /* As sets do. */
    return result;
}

static void tokens(void **state)
{
    (void)state;
    assert_true(meet(";a", ";a"));
    assert_true(meet(";a", ";a=\"true\""));
    assert_false(meet(";a", ";a=\"FALSE\""));
    assert_true(meet(";a=\"fixed\"", ";a=\"Fixed\""));
    assert_false(meet(";a=\"fixed\"", ";a=\"mobile\""));
    assert_true(meet(";a=\"INVITE,BYE\"", ";a=\" ACK , bye \""));
    assert_false(meet(";a=\"INVITE,BYE\"", ";a=\"ACK\""));
    assert_true(meet(";a=\"!fixed\"", ";a=\"mobile\""));
    assert_false(meet(";a=\"!fixed\"", ";a=\"fixed\""));
    assert_true(meet(";a=\"!fixed\"", ";a=\"!fixed\""));
    assert_true(meet(";a=\"!fixed\"", ";a=\"!mobile\""));
    assert_true(meet(";a=\"!presence,message-summary\"", ";a=\"presence,dialog\""));
    assert_true(meet(";a=token", ";a=\"token\""));
}

static void strings(void **state)
{
    (void)state;
    assert_true(meet(";a=\"<PC>\"", ";a=\"<PC>\""));
    assert_false(meet(";a=\"<PC>\"", ";a=\"<pc>\""));
    assert_false(meet(";a=\"<PC>\"", ";a=\"PC\""));
    assert_true(meet(";a=\"<a,b>\"", ";a=\"<a,b>\""));
    assert_false(meet(";a=\"<a,b>\"", ";a=\"<a>\""));
}

/* R3840-9-2: as a double holds them. */
static void numbers(void **state)
{
    (void)state;
    assert_true(meet(";a=\"#5\"", ";a=\"#=5\""));
    assert_true(meet(";a=\"#5.0\"", ";a=\"#+5\""));
    assert_false(meet(";a=\"#5\"", ";a=\"#-5\""));
    assert_true(meet(";a=\"#5\"", ";a=\"#>=5\""));
    assert_false(meet(";a=\"#4.9\"", ";a=\"#>=5\""));
    assert_true(meet(";a=\"#<=5\"", ";a=\"#>=5\""));
    assert_false(meet(";a=\"#<=4\"", ";a=\"#>=5\""));
    assert_true(meet(";a=\"#-4:+5.125\"", ";a=\"#5.125:9\""));
    assert_false(meet(";a=\"#-4:5.125\"", ";a=\"#5.126:9\""));
    assert_false(meet(";a=\"#1:9\"", ";a=\"!#0:10\""));
    assert_true(meet(";a=\"#1:11\"", ";a=\"!#0:10\""));
    assert_true(meet(";a=\"#-1:9\"", ";a=\"!#0:10\""));
    assert_true(meet(";a=\"!#1\"", ";a=\"!#1\""));
    assert_false(meet(";a=\"#5\"", ";a=\"5\""));
    assert_true(meet(";a=\"#5,low\"", ";a=\"LOW\""));
}

static void what_cannot_be_read_has_no_value(void **state)
{
    static const char *const texts[] = { ";a=\"\"",    ";a=\"#\"",   ";a=\"#x\"",    ";a=\"#.5\"",
                                         ";a=\"#5:\"", ";a=\"#:5\"", ";a=\"!\"",     ";a=\",\"",
                                         ";a=\"#>5\"", ";a=\"#-\"",  ";a=\"#1.2.3\"" };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_false(meet(texts[i], ";a=\"!other\""));
        assert_false(meet(texts[i], ";a=\"#0:9\""));
    }
}

static void values_are_counted(void **state)
{
    (void)state;
    const struct ahoy_param one = param_of(";a"), three = param_of(";a=\"x,y,z\"");
    assert_int_equal(ahoy_features_count(&one), 1);
    assert_int_equal(ahoy_features_count(&three), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens),
        cmocka_unit_test(strings),
        cmocka_unit_test(numbers),
        cmocka_unit_test(what_cannot_be_read_has_no_value),
        cmocka_unit_test(values_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
