/* Ahoy and libosip2 on the same messages.  Where only one of them takes a message, a class says
 * why; tests/osip/classes.tsv explains each class and names a message that belongs to it.  The fuzz
 * target osip asks the same of messages that are made up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/osip/compare.h"
#include "tests/support/bytes.h"

enum { CLASS_LIMIT = 128 };

/* Takes a cell off |line|. */
static struct span cell(struct span *line)
{
    struct span text = { line->at, ahoy_span_find(*line, '\t') };
    *line = ahoy_span_after(*line, text.size + (text.size < line->size));
    return text;
}

static size_t class_number(struct span name)
{
    size_t number = 0;
    while (osip_class_name(number) != NULL &&
           !ahoy_span_equal(name, ahoy_span(osip_class_name(number))))
        number++;
    if (osip_class_name(number) == NULL)
        fail_msg("no class is called %.*s", (int)name.size, name.at);
    return number;
}

/* One row: class, who takes the message, the section that decides, an example, why. */
static void judge_row(struct span line, bool explained[CLASS_LIMIT])
{
    struct span name = cell(&line);
    struct span taken_by = cell(&line);
    struct span section = cell(&line);
    struct span example = cell(&line);
    char path[200];
    struct osip_comparison comparison;
    assert_in_range(snprintf(path, sizeof path, "%.*s", (int)example.size, example.at), 1,
                    sizeof path - 1);
    osip_compare(test_file(path), &comparison);
    print_message("%s\n", path);
    assert_true(comparison.ours != comparison.theirs);
    assert_non_null(comparison.reason);
    assert_span(name, comparison.reason);
    assert_span(taken_by, comparison.ours ? "ahoy" : "libosip2");
    assert_true(section.size > 0 && line.size > 0);
    explained[class_number(name)] = true;
}

static void test_every_class_is_explained(void **state)
{
    (void)state;
    bool explained[CLASS_LIMIT] = { false };
    struct span table = test_file("tests/osip/classes.tsv");
    for (bool head = true; table.size > 0; head = false) {
        struct span line = { table.at, ahoy_span_find(table, '\n') };
        table = ahoy_span_after(table, line.size + 1);
        if (!head)
            judge_row(line, explained);
    }
    for (size_t i = 0; osip_class_name(i) != NULL; i++) {
        if (!explained[class_number(ahoy_span(osip_class_name(i)))])
            fail_msg("%s is not explained", osip_class_name(i));
    }
}

/* All messages of a folder; how many only one of the two takes. */
static size_t compare_folder(const char *folder, const char *ending)
{
    size_t differences = 0;
    const char *const *paths;
    size_t count = test_list_files(folder, ending, &paths);
    assert_true(count > 0);
    for (size_t i = 0; i < count; i++) {
        struct osip_comparison comparison;
        osip_compare(test_file(paths[i]), &comparison);
        if (comparison.reason == NULL)
            fail_msg("%s: only %s takes it, and no class says why", paths[i],
                     comparison.ours ? "Ahoy" : "libosip2");
        differences += comparison.ours != comparison.theirs;
    }
    return differences;
}

static void test_every_difference_has_a_class(void **state)
{
    (void)state;
    assert_int_equal(compare_folder("tests/torture/messages", ".dat"), 12);
    assert_int_equal(compare_folder("tests/torture/flows", ".sip"), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_every_class_is_explained, test_free_all),
        cmocka_unit_test_teardown(test_every_difference_has_a_class, test_free_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
