/* The messages of RFC 3665: sound ones, which must be read, forwarded unchanged and answered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "libahoy/syntax/compose.h"
#include "tests/support/bytes.h"

static struct ahoy_message message;
static struct ahoy_message answer;

/* What is wrong with some of them as printed: see README.md. */
static const struct fault {
    const char *path;
    const char *by;
} faults[] = {
    { "tests/torture/flows/2.1-F3.sip", "check" },
    { "tests/torture/flows/3.10-F4.sip", "routing" },
    { "tests/torture/flows/3.9-F10.sip", "index" },
    { "tests/torture/flows/3.9-F6.sip", "index" },
    { "tests/torture/flows/3.9-F8.sip", "index" },
};

static const char *fault_of(const char *path)
{
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        if (strcmp(faults[i].path, path) == 0)
            return faults[i].by;
    }
    return "-";
}

/* Reads |message|; who found a fault. */
static const char *read_message(struct span bytes, struct ahoy_routing *routing,
                                struct ahoy_err *err)
{
    if (!ahoy_message_parse(bytes, &message, err))
        return "index";
    if (!ahoy_message_routing(&message, routing, err))
        return "routing";
    return ahoy_message_check(&message, err) ? "-" : "check";
}

/* An empty edit list gathers the very bytes. */
static void expect_same_bytes(struct span bytes)
{
    struct ahoy_edits edits;
    struct span pieces[AHOY_PIECES_LIMIT];
    ahoy_edits_init(&edits, message.bytes);
    assert_int_equal(ahoy_edits_gather(&edits, pieces), 1);
    assert_ptr_equal(pieces[0].at, bytes.at);
    assert_int_equal(pieces[0].size, bytes.size);
}

/* A response to |message| can be read, and fits it. */
static void expect_answer(const struct ahoy_routing *routing)
{
    static char space[8000];
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    struct ahoy_ip source;
    assert_true(ahoy_ip_parse(SPAN("203.0.113.9"), &source));
    source.port = 1234;
    struct ahoy_response response = {
        .status = 200, .to_tag = SPAN("our-tag"), .body = SPAN("x"), .received = &source
    };
    ahoy_compose_response(&buf, &message, &response);
    struct ahoy_err err;
    struct ahoy_routing back;
    assert_true(ahoy_message_parse(test_copy(ahoy_buf_text(&buf)), &answer, &err));
    assert_true(ahoy_message_routing(&answer, &back, &err));
    assert_true(ahoy_message_check(&answer, &err));
    assert_int_equal(answer.status, 200);
    assert_span(answer.body, "x");
    assert_true(ahoy_span_equal(back.via.branch, routing->via.branch));
    assert_true(ahoy_span_equal(back.via.sent_by, routing->via.sent_by));
    assert_span(back.via.received, "203.0.113.9");
    assert_true(ahoy_span_equal(back.from.text, routing->from.text));
    assert_true(ahoy_span_equal(back.call_id, routing->call_id));
    assert_int_equal(back.cseq.number, routing->cseq.number);
    if (routing->to_tag.size > 0)
        assert_true(ahoy_span_equal(back.to_tag, routing->to_tag));
    else
        assert_span(back.to_tag, "our-tag");
    assert_int_equal(answer.fields[answer.field_count - 1].header, AHOY_HEADER_CONTENT_LENGTH);
}

static void test_every_message(void **state)
{
    (void)state;
    const char *const *paths;
    size_t count = test_list_files("tests/torture/flows", ".sip", &paths);
    assert_int_equal(count, 181);
    for (size_t i = 0; i < count; i++) {
        struct span bytes = test_file(paths[i]);
        struct ahoy_routing routing;
        struct ahoy_err err = { .expected = "nothing" };
        const char *by = read_message(bytes, &routing, &err);
        if (strcmp(by, fault_of(paths[i])) != 0)
            fail_msg("%s: %s expected %s", paths[i], by, err.expected);
        if (strcmp(by, "-") != 0)
            continue;
        expect_same_bytes(bytes);
        if (message.is_request)
            expect_answer(&routing);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_every_message, test_free_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
