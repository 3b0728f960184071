/* The messages of RFC 4475 and RFC 5118 against the table beside them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "libahoy/syntax/compose.h"
#include "tests/support/bytes.h"

static struct ahoy_message message;

/* What came of a message. */
struct verdict {
    const char *by;  /* Who found a fault; "-" for nobody. */
    unsigned status; /* The answer; 0 for none. */
    struct ahoy_err err;
};

static struct verdict judge(struct span bytes)
{
    struct ahoy_routing routing;
    struct verdict verdict = { .by = "-" };
    struct ahoy_err fault;
    bool indexed = ahoy_message_parse(bytes, &message, &verdict.err);
    bool routed = ahoy_message_routing(&message, &routing, indexed ? &verdict.err : &fault);
    if (!indexed)
        verdict.by = "index";
    else if (!routed)
        verdict.by = "routing";
    else if (!ahoy_message_check(&message, &verdict.err))
        verdict.by = "check";
    bool answerable =
        message.is_request && message.method != AHOY_METHOD_ACK && routing.via_field != NULL;
    if (verdict.by[0] != '-' && answerable)
        verdict.status = verdict.err.status;
    return verdict;
}

/* Takes a cell off |line|. */
static struct span cell(struct span *line)
{
    struct span text = { line->at, ahoy_span_find(*line, '\t') };
    *line = ahoy_span_after(*line, text.size + (text.size < line->size));
    return text;
}

static uint64_t number(struct span text)
{
    uint64_t value = 0;
    if (!ahoy_span_equal(text, SPAN("-")))
        assert_true(ahoy_span_number(text, 1000000, &value));
    return value;
}

/* Judges the message of one row of the table: name, verdict, status, by, offset, expected. */
static void judge_row(struct span line)
{
    struct span name = cell(&line);
    struct span expected = cell(&line);
    char path[200];
    assert_in_range(
        snprintf(path, sizeof path, "tests/torture/messages/%.*s.dat", (int)name.size, name.at), 1,
        sizeof path - 1);
    struct span bytes = test_file(path);
    print_message("%s\n", path);
    struct verdict verdict = judge(bytes);
    bool sound = verdict.by[0] == '-';
    assert_span(expected, sound ? "accept" : "reject");
    assert_int_equal(number(cell(&line)), verdict.status);
    assert_span(cell(&line), verdict.by);
    struct span offset = cell(&line);
    if (sound) {
        assert_span(offset, "-");
        assert_span(cell(&line), "-");
        return;
    }
    assert_int_equal(number(offset), ahoy_err_offset(&verdict.err, bytes));
    assert_span(cell(&line), verdict.err.expected);
}

static void test_every_message(void **state)
{
    (void)state;
    struct span table = test_file("tests/torture/expected.tsv");
    size_t rows = 0;
    for (bool head = true; table.size > 0; head = false) {
        struct span line = { table.at, ahoy_span_find(table, '\n') };
        table = ahoy_span_after(table, line.size + 1);
        if (head)
            continue;
        judge_row(line);
        rows++;
    }
    const char *const *paths;
    assert_int_equal(rows, test_list_files("tests/torture/messages", ".dat", &paths));
}

static struct span header_value(const char *path, enum ahoy_header header)
{
    assert_true(ahoy_message_parse(test_file(path), &message, NULL));
    return ahoy_message_value(&message, header);
}

/* What single messages are there to show, beyond being sound. */
static void test_what_they_mean(void **state)
{
    (void)state;
    /* 3.1.1.5: two Contacts, not three; no REGISTER. */
    header_value("tests/torture/messages/esc02.dat", AHOY_HEADER_CONTACT);
    assert_int_equal(message.method, AHOY_METHOD_OTHER);
    struct ahoy_values values = ahoy_message_values(&message, AHOY_HEADER_CONTACT);
    struct span item;
    assert_true(ahoy_values_next(&values, &item, NULL));
    assert_true(ahoy_values_next(&values, &item, NULL));
    assert_span(item, "<sip:alias3@host3.example.com>");
    assert_false(ahoy_values_next(&values, &item, NULL));
    /* 3.1.1.7: 34 Via values in all spellings. */
    header_value("tests/torture/messages/longreq.dat", AHOY_HEADER_VIA);
    values = ahoy_message_values(&message, AHOY_HEADER_VIA);
    unsigned count = 0;
    while (ahoy_values_next(&values, &item, NULL))
        count++;
    assert_int_equal(count, 34);
    /* 3.1.1.8: what follows the message is noise. */
    struct span bytes = test_file("tests/torture/messages/dblreq.dat");
    assert_true(ahoy_message_parse(bytes, &message, NULL));
    assert_true(message.bytes.size < bytes.size);
    assert_int_equal(message.bytes.size, message.headers_end + 2);
    /* 3.1.1.11: a NUL within the body. */
    header_value("tests/torture/messages/mpart01.dat", AHOY_HEADER_VIA);
    assert_int_equal(message.body.size, 553);
    assert_true(ahoy_span_find(message.body, 0) < 553);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_every_message, test_free_all),
        cmocka_unit_test_teardown(test_what_they_mean, test_free_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
