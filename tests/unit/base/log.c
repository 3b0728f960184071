/* One event is one line, whatever a stranger put into it. */
#include "libahoy/base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct heard {
    int lines;
    enum ahoy_log_level level;
    char line[2048];
};

static void hear(void *context, enum ahoy_log_level level, const char *line)
{
    struct heard *heard = context;
    size_t size = strlen(line);
    heard->lines++;
    heard->level = level;
    assert_true(size < sizeof heard->line);
    memcpy(heard->line, line, size + 1);
}

static struct ahoy_log log_to(struct heard *heard, enum ahoy_log_level level)
{
    *heard = (struct heard){ .lines = 0 };
    return (struct ahoy_log){ .sink = hear, .context = heard, .level = level };
}

static void test_formats(void **state)
{
    (void)state;
    struct heard heard;
    struct ahoy_log log = log_to(&heard, AHOY_LOG_NOTICE);
    ahoy_log_line(&log, AHOY_LOG_WARNING, "%s:%d from %.*s", "flow", 7, 3, "bob@example");
    assert_int_equal(heard.lines, 1);
    assert_int_equal(heard.level, AHOY_LOG_WARNING);
    assert_string_equal(heard.line, "flow:7 from bob");
}

static void test_levels_above_are_not_made(void **state)
{
    (void)state;
    for (int limit = AHOY_LOG_ERROR; limit <= AHOY_LOG_DEBUG; limit++) {
        for (int level = AHOY_LOG_ERROR; level <= AHOY_LOG_DEBUG; level++) {
            struct heard heard;
            struct ahoy_log log = log_to(&heard, (enum ahoy_log_level)limit);
            ahoy_log_line(&log, (enum ahoy_log_level)level, "x");
            assert_int_equal(heard.lines, level <= limit);
        }
    }
}

static void test_nobody_listens(void **state)
{
    (void)state;
    ahoy_log_line(NULL, AHOY_LOG_ERROR, "x");
    struct ahoy_log deaf = { .level = AHOY_LOG_DEBUG };
    ahoy_log_line(&deaf, AHOY_LOG_ERROR, "x");
}

/* Attack 29: line ends, terminal sequences and NUL; also where they come from the format itself. */
static void test_never_two_lines(void **state)
{
    (void)state;
    struct heard heard;
    struct ahoy_log log = log_to(&heard, AHOY_LOG_DEBUG);
    const char name[] = "eve\r\n12:00 root logged in\x1b]0;x\x07";
    ahoy_log_line(&log, AHOY_LOG_INFO, "user %.*s\n", (int)sizeof name - 1, name);
    assert_int_equal(heard.lines, 1);
    assert_string_equal(heard.line, "user eve\\x0d\\x0a12:00 root logged in\\x1b]0;x\\x07\\x0a");
    ahoy_log_line(&log, AHOY_LOG_INFO, "a%cb", 0);
    assert_string_equal(heard.line, "a\\x00b");
}

static void test_empty_line(void **state)
{
    (void)state;
    struct heard heard;
    struct ahoy_log log = log_to(&heard, AHOY_LOG_DEBUG);
    ahoy_log_line(&log, AHOY_LOG_INFO, "%s", "");
    assert_int_equal(heard.lines, 1);
    assert_string_equal(heard.line, "");
}

/* The cut at 1,024 bytes parts neither a character nor an escape, wherever they fall. */
static void test_cuts_between_characters(void **state)
{
    (void)state;
    static const struct {
        const char *unit;
        const char *shown;
    } cases[] = {
        { "x", "x" },
        { "\n", "\\x0a" },
        { "\xc3\xb6", "\xc3\xb6" },
        { "\xe2\x82\xac", "\xe2\x82\xac" },
        { "\xf0\x9f\x93\x9e", "\xf0\x9f\x93\x9e" },
        { "\xff", "\\xff" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t unit = strlen(cases[i].unit);
        size_t shown = strlen(cases[i].shown);
        for (size_t lead = 0; lead < 8; lead++) {
            char raw[8000];
            memset(raw, '.', lead);
            for (size_t k = 0; k < 1500; k++)
                memcpy(raw + lead + k * unit, cases[i].unit, unit);
            struct heard heard;
            struct ahoy_log log = log_to(&heard, AHOY_LOG_DEBUG);
            ahoy_log_line(&log, AHOY_LOG_INFO, "%.*s", (int)(lead + 1500 * unit), raw);
            assert_int_equal(heard.lines, 1);
            size_t size = strlen(heard.line);
            assert_int_equal(size, lead + (1024 - lead) / shown * shown);
            assert_memory_equal(heard.line + size - shown, cases[i].shown, shown);
        }
    }
}

/* What fits to the last byte is not cut. */
static void test_exactly_full(void **state)
{
    (void)state;
    char raw[1025];
    memset(raw, 'y', 1024);
    raw[1024] = '\0';
    struct heard heard;
    struct ahoy_log log = log_to(&heard, AHOY_LOG_DEBUG);
    ahoy_log_line(&log, AHOY_LOG_INFO, "%s", raw);
    assert_string_equal(heard.line, raw);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formats),        cmocka_unit_test(test_levels_above_are_not_made),
        cmocka_unit_test(test_nobody_listens), cmocka_unit_test(test_never_two_lines),
        cmocka_unit_test(test_empty_line),     cmocka_unit_test(test_cuts_between_characters),
        cmocka_unit_test(test_exactly_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
