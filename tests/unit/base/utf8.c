/* UTF-8 (RFC 3629 4). */
#include "libahoy/base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const struct span sound[] = {
    SPAN_INIT(""),
    SPAN_INIT("plain ASCII, longer than eight bytes\x7f"),
    SPAN_INIT("Gr\xc3\xbc\xc3\x9f"
              "e, \xe4\xbd\xa0\xe5\xa5\xbd"),
    SPAN_INIT("\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf"),
    SPAN_INIT("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"),
    SPAN_INIT("a NUL \0 is a character"),
};

static const struct span unsound[] = {
    SPAN_INIT("\x80"),
    SPAN_INIT("\xc3"),
    SPAN_INIT("\xc0\x80"),
    SPAN_INIT("\xc1\xbf"),
    SPAN_INIT("\xe0\x9f\xbf"),
    SPAN_INIT("\xed\xa0\x80"),
    SPAN_INIT("\xf0\x8f\xbf\xbf"),
    SPAN_INIT("\xf4\x90\x80\x80"),
    SPAN_INIT("\xf5\x80\x80\x80"),
    SPAN_INIT("\xff"),
    SPAN_INIT("\xe4\xbd"),
    SPAN_INIT("\xe4\x20\xa0"),
};

static void what_is_utf8(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof sound / sizeof *sound; i++)
        assert_true(ahoy_utf8_is_valid(sound[i]));
}

/* Wherever in a text it stands. */
static void what_is_not(void **state)
{
    (void)state;
    char text[40];
    for (size_t i = 0; i < sizeof unsound / sizeof *unsound; i++) {
        for (size_t at = 0; at < 20; at++) {
            memset(text, 'x', sizeof text);
            memcpy(text + at, unsound[i].at, unsound[i].size);
            assert_false(ahoy_utf8_is_valid((struct span){ text, sizeof text }));
            assert_false(ahoy_utf8_is_valid((struct span){ text, at + unsound[i].size }));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_utf8),
        cmocka_unit_test(what_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
