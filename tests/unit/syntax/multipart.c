/* Bodies of several parts: RFC 2046 5.1, RFC 2387, RFC 5621. */
#include "libahoy/syntax/multipart.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/bytes.h"

static const char mixed[] = "multipart/mixed;boundary=b";

static struct ahoy_multipart walk;
static struct ahoy_part part;

static void open_body(const char *type, const char *body)
{
    struct ahoy_err err = { .expected = NULL };
    if (!ahoy_multipart_open(&walk, test_text(type), test_text(body), &err))
        fail_msg("expected %s", err.expected);
}

static void expect_part(const char *type, const char *content)
{
    struct ahoy_err err = { .expected = NULL };
    if (!ahoy_multipart_next(&walk, &part, &err))
        fail_msg("expected %s", err.expected);
    assert_span(part.type, type);
    assert_span(part.content, content);
}

static void expect_end(void)
{
    struct ahoy_err err = { .expected = "something" };
    assert_false(ahoy_multipart_next(&walk, &part, &err));
    assert_null(err.expected);
}

/* |body| is refused for what stands at |offset|, by the opening or by the walk. */
static void refuse(const char *body, size_t offset)
{
    struct span bytes = test_text(body);
    struct ahoy_err err = { .expected = NULL };
    bool is_sound = ahoy_multipart_open(&walk, test_text(mixed), bytes, &err);
    while (is_sound && ahoy_multipart_next(&walk, &part, &err))
        continue;
    assert_non_null(err.expected);
    assert_int_equal(err.status, 400);
    if (ahoy_err_offset(&err, bytes) != offset)
        fail_msg("%s: %s at %zu", body, err.expected, ahoy_err_offset(&err, bytes));
}

/* The example of RFC 2046 5.1.1. */
static void test_example(void **state)
{
    (void)state;
    open_body(
        "multipart/mixed; boundary=\"simple boundary\"",
        "This is the preamble.  It is to be ignored, though it\r\n"
        "is a handy place for composition agents to include an\r\n"
        "explanatory note to non-MIME conformant readers.\r\n\r\n"
        "--simple boundary\r\n\r\n"
        "This is implicitly typed plain US-ASCII text.\r\nIt does NOT end with a linebreak.\r\n"
        "--simple boundary\r\nContent-type: text/plain; charset=us-ascii\r\n\r\n"
        "This is explicitly typed plain US-ASCII text.\r\nIt DOES end with a linebreak.\r\n\r\n"
        "--simple boundary--\r\n\r\nThis is the epilogue.  It is also to be ignored.\r\n");
    expect_part("text/plain", "This is implicitly typed plain US-ASCII text.\r\n"
                              "It does NOT end with a linebreak.");
    assert_span(part.rows, "");
    expect_part("text/plain; charset=us-ascii", "This is explicitly typed plain US-ASCII text.\r\n"
                                                "It DOES end with a linebreak.\r\n");
    assert_span(part.rows, "Content-type: text/plain; charset=us-ascii\r\n");
    expect_end();
    expect_end();
}

/* Parts without rows, without content, without either; padding behind boundaries. */
static void test_shapes(void **state)
{
    (void)state;
    open_body(
        mixed,
        "--b \t\r\nA: b\r\n--b\r\n\r\n--b\r\n--b\r\n\r\n\r\n--b\r\nA:b\r\n\r\n-\r\n-b\r\n--b--");
    expect_part("text/plain", "");
    assert_span(part.rows, "A: b\r\n");
    expect_part("text/plain", "");
    assert_span(part.rows, "");
    expect_part("text/plain", "");
    expect_part("text/plain", "");
    expect_part("text/plain", "-\r\n-b");
    expect_end();
    open_body("multipart/digest;boundary=b", "--b\r\n\r\nx\r\n--b-- \r\nignored --b\r\n");
    expect_part("message/rfc822", "x");
    expect_end();
    /* A line begins behind CRLF only. */
    open_body(mixed, "--b\r\n\r\nx\n--b\r--b--\r\n--b--");
    expect_part("text/plain", "x\n--b\r--b--");
}

/* What a part says of itself: RFC 5621 3 and 9, RFC 3261 20.11. */
static void test_rows(void **state)
{
    (void)state;
    open_body(mixed,
              "--b\r\nCONTENT-TYPE: a/b;c=d\r\nContent-Disposition: session ; handling=Optional\r\n"
              "Content-ID:\r\n <x@y>\r\nContent-Transfer-Encoding: binary\r\nX: y\r\n\r\nz\r\n"
              "--b\r\nContent-Disposition: render;handling=required\r\n\r\n--b--");
    expect_part("a/b;c=d", "z");
    assert_span(part.disposition, "session");
    assert_true(part.is_optional);
    assert_span(part.id, "<x@y>");
    assert_span(part.encoding, "binary");
    expect_part("text/plain", "");
    assert_span(part.disposition, "render");
    assert_false(part.is_optional);
    assert_span(part.id, "");
    assert_span(part.encoding, "");
}

static void test_faults(void **state)
{
    (void)state;
    refuse("", 0);
    refuse("x", 1);
    refuse("--b--\r\n", 0);
    refuse("--b", 3);
    refuse("--b\r\n", 5);
    refuse("--b\r\n\r\nx\r\n", 10);
    refuse("--b\r\n\r\nx\r\n--b\r\n", 15);
    refuse("--b\r\n\r\nx--b--", 13);
    refuse("--bc\r\n\r\nx\r\n--b--", 3); /* Lines must not begin so. */
    refuse("--b\r\n\r\nx\r\n--b--c\r\n", 15);
    refuse("--b\r\nx\r\n--b--", 6);
    refuse("--b\r\nA: \x01\r\n--b--", 8);
    refuse("--b\r\nContent-ID: <a>\r\nContent-ID: <b>\r\n--b--", 22);
    refuse("--b\r\nContent-Type:\r\n--b--", 18);
    refuse("--b\r\nContent-Disposition: ;x\r\n--b--", 26);
    refuse("--b\r\nContent-Disposition: a;x=\r\n--b--", 30);
}

/* Attack 34, and RFC 2046 5.1.1: quoted or a token, 1 to 70 legal characters, no space at
 * the end. */
static void test_boundaries(void **state)
{
    static const struct {
        const char *type;
        bool is_sound;
    } rows[] = {
        { "multipart/mixed;boundary=b", true },
        { " Multipart / Mixed ; Boundary = \"b\" ", true },
        { "multipart/mixed; boundary=gc0p4Jq0M2Yt08j34c0p", true },
        { "multipart/mixed; boundary=\"gc0pJq0M:08jU534c0p\"", true },
        { "multipart/mixed; boundary=gc0pJq0M:08jU534c0p", false },
        { "multipart/mixed; boundary=\"a'()+_,-./:=?z 0\"", true },
        { "multipart/mixed; boundary=\"1234567890123456789012345678901234567890"
          "123456789012345678901234567890\"",
          true },
        { "multipart/mixed; boundary=\"1234567890123456789012345678901234567890"
          "1234567890123456789012345678901\"",
          false },
        { "multipart/mixed", false },
        { "multipart/mixed;boundary", false },
        { "multipart/mixed;boundary=", false },
        { "multipart/mixed;boundary=\"\"", false },
        { "multipart/mixed;boundary=\"b \"", false },
        { "multipart/mixed;boundary=b%", false },
        { "multipart/mixed;boundary=\"b\\b\"", false },
        { "multipart/mixed;boundary=b;boundary=c", false },
        { "multipart/mixed;boundary=b;x=\"", false },
        { "multipart/;boundary=b", false },
        { "text/plain;boundary=b", false },
        { "multipart;boundary=b", false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char body[300];
        struct ahoy_err err = { .expected = NULL };
        const char *value = strchr(rows[i].type, '=');
        struct span boundary = ahoy_span_trim(ahoy_span(value == NULL ? "" : value + 1));
        if (boundary.size > 1 && boundary.at[0] == '"')
            boundary = (struct span){ boundary.at + 1, boundary.size - 2 };
        snprintf(body, sizeof body, "--%.*s\r\n\r\n", (int)boundary.size, boundary.at);
        if (ahoy_multipart_open(&walk, test_text(rows[i].type), test_text(body), &err) !=
            rows[i].is_sound)
            fail_msg("%s: %s", rows[i].type, err.expected);
        assert_true(rows[i].is_sound || err.status == 400);
    }
}

/* A body of |depth| bodies within each other; R5621-4.2-1. */
static void print_nested(char *text, size_t capacity, unsigned depth)
{
    size_t size = 0;
    for (unsigned i = 1; i <= depth; i++)
        size += (size_t)snprintf(text + size, capacity - size,
                                 "--%u.\r\nContent-Type: multipart/mixed;boundary=%u.\r\n\r\n", i,
                                 i + 1);
    size += (size_t)snprintf(text + size, capacity - size, "x");
    for (unsigned i = depth; i >= 1; i--)
        size += (size_t)snprintf(text + size, capacity - size, "\r\n--%u.--", i);
}

/* Attack 34: depth 1,000; more than 32 parts, at one depth or at all. */
static void test_limits(void **state)
{
    (void)state;
    static char text[100000];
    struct ahoy_multipart walks[AHOY_MULTIPART_DEPTH_LIMIT + 1];
    struct ahoy_err err = { .expected = NULL };
    print_nested(text, sizeof text, 1000);
    assert_true(ahoy_multipart_open(&walks[0], test_text("multipart/mixed;boundary=1."),
                                    test_text(text), &err));
    for (unsigned i = 0;; i++) {
        assert_true(ahoy_multipart_next(&walks[i], &part, &err));
        if (!ahoy_multipart_enter(&walks[i + 1], &walks[i], &part, &err)) {
            assert_int_equal(i + 1, AHOY_MULTIPART_DEPTH_LIMIT);
            break;
        }
    }
    assert_int_equal(err.status, 400);
    assert_int_equal(walks[0].count, AHOY_MULTIPART_DEPTH_LIMIT);
    assert_false(ahoy_body_find(test_text("multipart/mixed;boundary=1."), test_text(text),
                                SPAN("a/b"), &part, &err));
    assert_int_equal(err.status, 400);

    size_t size = 0;
    for (unsigned i = 0; i < AHOY_MULTIPART_PARTS_LIMIT; i++)
        size += (size_t)snprintf(text + size, sizeof text - size, "--b\r\n\r\n");
    snprintf(text + size, sizeof text - size, "--b--");
    open_body(mixed, text);
    for (unsigned i = 0; i < AHOY_MULTIPART_PARTS_LIMIT; i++)
        expect_part("text/plain", "");
    expect_end();
    snprintf(text + size, sizeof text - size, "--b\r\n\r\n--b--");
    refuse(text, size + 5);
}

/* Looks for application/sdp. */
static void expect_found(const char *type, const char *body, const char *content)
{
    struct ahoy_err err = { .expected = NULL };
    bool found =
        ahoy_body_find(test_text(type), test_text(body), SPAN("application/sdp"), &part, &err);
    assert_null(err.expected);
    assert_int_equal(found, content != NULL);
    if (found)
        assert_span(part.content, content);
}

#define TYPED(type, content) "--b\r\nContent-Type: " type "\r\n\r\n" content "\r\n"

/* R5621-4.2-1, R5621-4.2-2 and RFC 2387 3.2. */
static void test_find(void **state)
{
    static const char two[] =
        TYPED("application/SDP", "1") TYPED("application/sdp;x=y", "2") "--b--";
    static const char named[] = TYPED("application/sdp\r\nContent-ID: <1>", "1")
        TYPED("application/sdp\r\nContent-ID: <2>", "2")
            TYPED("a/b\r\nContent-ID: <3>", "3") "--b--";
    static const char nested[] = TYPED("text/plain", "0")
        TYPED("multipart/alternative; boundary=c",
              "--c\r\nContent-Type: application/sdp\r\n\r\n1\r\n"
              "--c\r\nContent-Type: application/sdp\r\n\r\n2\r\n"
              "--c\r\nContent-Type: a/b\r\n\r\n3\r\n--c--") TYPED("application/sdp", "4") "--b--";
    (void)state;
    expect_found("application/sdp; charset=x", "v=0", "v=0");
    expect_found("text/plain", "v=0", NULL);
    expect_found(mixed, two, "1");
    expect_found("multipart/unknown;boundary=b", two, "1");
    expect_found("multipart/alternative;boundary=b", two, "2");
    expect_found("multipart/related;boundary=b", two, "1");
    expect_found("multipart/related;boundary=b;start=\"<2>\"", named, "2");
    expect_found("multipart/related;boundary=b;start=\"<3>\"", named, NULL);
    expect_found("multipart/related;boundary=b;start=\"<4>\"", named, NULL);
    expect_found(mixed, nested, "2");
    expect_found(mixed, TYPED("a/b", "") "--b--", NULL);
    /* A fault behind what is found is one all the same. */
    struct ahoy_err err;
    assert_false(ahoy_body_find(test_text(mixed), test_text(TYPED("application/sdp", "1")),
                                SPAN("application/sdp"), &part, &err));
    assert_int_equal(err.status, 400);
}

static void test_media_is(void **state)
{
    (void)state;
    assert_true(ahoy_media_is(SPAN("application/sdp"), SPAN("application/sdp")));
    assert_true(ahoy_media_is(SPAN("Application / SDP ;a=b"), SPAN("application/sdp")));
    assert_true(ahoy_media_is(SPAN("multipart/x"), SPAN("multipart/")));
    assert_false(ahoy_media_is(SPAN("application/sdpx"), SPAN("application/sdp")));
    assert_false(ahoy_media_is(SPAN("application/sdp x"), SPAN("application/sdp")));
    assert_false(ahoy_media_is(SPAN("application/sd"), SPAN("application/sdp")));
    assert_false(ahoy_media_is(SPAN("application"), SPAN("application/sdp")));
    assert_false(ahoy_media_is(SPAN(""), SPAN("application/sdp")));
}

static void test_print(void **state)
{
    char space[300];
    const struct ahoy_part parts[] = {
        { .rows = SPAN("Content-Type: a/b\r\n"), .content = SPAN("x\r\n") },
        { .rows = SPAN(""), .content = SPAN("") },
    };
    (void)state;
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    assert_true(ahoy_multipart_print(parts, 2, SPAN("b"), &buf));
    assert_span(ahoy_buf_text(&buf),
                "--b\r\nContent-Type: a/b\r\n\r\nx\r\n\r\n--b\r\n\r\n\r\n--b--\r\n");
    assert_true(
        ahoy_multipart_open(&walk, SPAN("multipart/mixed;boundary=b"), ahoy_buf_text(&buf), NULL));
    expect_part("a/b", "x\r\n");
    expect_part("text/plain", "");
    expect_end();
    /* Nothing to print; no boundary; one that occurs. */
    const struct ahoy_part clash = { .rows = SPAN(""), .content = SPAN("x--b") };
    const struct ahoy_part row_clash = { .rows = SPAN("A: --b\r\n"), .content = SPAN("") };
    buf = ahoy_buf_over(space, sizeof space);
    assert_false(ahoy_multipart_print(parts, 0, SPAN("b"), &buf));
    assert_false(ahoy_multipart_print(parts, 1, SPAN(""), &buf));
    assert_false(ahoy_multipart_print(parts, 1, SPAN("b%"), &buf));
    assert_false(ahoy_multipart_print(&clash, 1, SPAN("b"), &buf));
    assert_false(ahoy_multipart_print(&row_clash, 1, SPAN("b"), &buf));
    assert_int_equal(buf.size, 0);
    assert_true(ahoy_multipart_print(&clash, 1, SPAN("c"), &buf));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_example, test_free_all),
        cmocka_unit_test_teardown(test_shapes, test_free_all),
        cmocka_unit_test_teardown(test_rows, test_free_all),
        cmocka_unit_test_teardown(test_faults, test_free_all),
        cmocka_unit_test_teardown(test_boundaries, test_free_all),
        cmocka_unit_test_teardown(test_limits, test_free_all),
        cmocka_unit_test_teardown(test_find, test_free_all),
        cmocka_unit_test_teardown(test_media_is, test_free_all),
        cmocka_unit_test_teardown(test_print, test_free_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
