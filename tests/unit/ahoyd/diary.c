/* A line of the log as it leaves: for people, for programs, and for systemd's journal. */
#include "ahoyd/diary.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include <jansson.h>

static uint64_t noon(void)
{
    return 1769947230123;
}

/* What is written for a line that holds a stranger's |name|. */
static const char *write_line(bool json, bool for_journal, const char *name)
{
    static char text[4096];
    struct ahoyd_diary diary;
    char stream[64] = "";
    int ends[2];
    struct stat file;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(fstat(ends[1], &file), 0);
    snprintf(stream, sizeof stream, "%ju:%ju", (uintmax_t)file.st_dev, (uintmax_t)file.st_ino);
    assert_int_equal(setenv("JOURNAL_STREAM", for_journal ? stream : "1:2", 1), 0);
    ahoyd_diary_init(&diary, noon, ends[1], json);
    const struct ahoy_log log = { ahoyd_diary_line, &diary, AHOY_LOG_INFO };
    ahoy_log_line(&log, AHOY_LOG_NOTICE, "refused: %s", name);
    ahoy_log_line(&log, AHOY_LOG_DEBUG, "not told");
    ssize_t size = read(ends[0], text, sizeof text - 1);
    assert_true(size > 0);
    text[size] = '\0';
    close(ends[0]);
    close(ends[1]);
    return text;
}

static void a_line_is_for_people(void **state)
{
    (void)state;
    assert_string_equal(write_line(false, false, "a\n\"b\""),
                        "2026-02-01T12:00:30.123Z notice: refused: a\\x0a\"b\"\n");
    assert_string_equal(write_line(false, true, "a"), "<5>refused: a\n");
}

static void a_line_is_an_object(void **state)
{
    (void)state;
    static char longest[2000];
    memset(longest, '"', sizeof longest - 1);
    static const char *const names[] = { "a\n\"b\"\\", "\xff\x01", longest };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *text = write_line(true, false, names[i]);
        json_t *line = json_loads(text, 0, NULL);
        assert_string_equal(json_string_value(json_object_get(line, "level")), "notice");
        assert_string_equal(json_string_value(json_object_get(line, "time")),
                            "2026-02-01T12:00:30.123Z");
        assert_memory_equal(json_string_value(json_object_get(line, "message")), "refused: ", 9);
        assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
        json_decref(line);
    }
    assert_string_equal(write_line(true, true, "a"),
                        "<5>{\"time\":\"2026-02-01T12:00:30.123Z\",\"level\":\"notice\","
                        "\"message\":\"refused: a\"}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_for_people),
        cmocka_unit_test(a_line_is_an_object),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
