/* Whose call a message belongs to, and where it may grow (RFC 3261 7.3.1, 7.3.3). */
#include <stdlib.h>

#include "libahoy/io/glance.h"
#include "libahoy/syntax/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define HEAD "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a.example;branch=z9hG4bK1\r\n"

static struct ahoy_glance glance_of(struct span message)
{
    struct ahoy_glance glance = { 0 };
    ahoy_glance(message, &glance);
    return glance;
}

/* Where a message of these rows may grow. */
static uint32_t gap_of(const char *rows)
{
    return glance_of(ahoy_span(rows)).gap;
}

/* |rows| may grow behind what stands in front of its '|', which is no part of it. */
static void check_gap(const char *rows)
{
    const char *mark = strchr(rows, '|');
    assert_non_null(mark);
    char text[256];
    size_t before = (size_t)(mark - rows);
    memcpy(text, rows, before);
    memcpy(text + before, mark + 1, strlen(mark)); /* The NUL too. */
    assert_int_equal(gap_of(text), before);
}

static void spaces_fit_behind_the_colon_of_content_length(void **state)
{
    (void)state;
    check_gap(HEAD "Content-Length:| 0\r\n\r\n");
    check_gap(HEAD "Content-Length:|0\r\n\r\n");
    check_gap(HEAD "content-LENGTH \t:|\t 12\r\nTo: <sip:b@c>\r\n\r\nx");
    check_gap(HEAD "l:| 4\r\n\r\nl: 5");
    check_gap(HEAD "L:|4\r\n\r\n");
}

static void nothing_else_may_grow(void **state)
{
    (void)state;
    assert_int_equal(gap_of(""), 0);
    assert_int_equal(gap_of("\r\n\r\n"), 0);
    assert_int_equal(gap_of(HEAD "Content-Length: 0"), 0);
    assert_int_equal(gap_of(HEAD "Content-Length: 0\r\n"), 0);         /* Cut before it is plain. */
    assert_int_equal(gap_of(HEAD "\r\nContent-Length: 0\r\n\r\n"), 0); /* In the body. */
    assert_int_equal(gap_of("Content-Length: 0\r\n\r\n"), 0);          /* The first line. */
    assert_int_equal(gap_of(HEAD "Content-Length:\r\n 0\r\n\r\n"), 0);
    assert_int_equal(gap_of(HEAD "Content-Length: 0\r\n \r\n\r\n"), 0);
    assert_int_equal(gap_of(HEAD "Content-Length: 0\r\n\t\r\n\r\n"), 0);
    assert_int_equal(gap_of(HEAD "Subject: a\r\n Content-Length: 0\r\n\r\n"), 0);
    assert_int_equal(gap_of(HEAD "Content-Length: x\r\n\r\n"), 0);
    assert_int_equal(gap_of(HEAD "Content-Length:\r\n\r\n"), 0);
    assert_int_equal(gap_of(HEAD "Content-Lengths: 0\r\n\r\n"), 0);
    assert_int_equal(gap_of(HEAD "X-Content-Length: 0\r\n\r\n"), 0);
    assert_int_equal(gap_of(HEAD "Language: 0\r\nlo: 1\r\n\r\n"), 0);
    assert_int_equal(glance_of((struct span){ HEAD "l:\0 4\r\n\r\n", sizeof HEAD + 9 }).gap, 0);
}

static uint32_t call_of(const char *rows)
{
    return glance_of(ahoy_span(rows)).call;
}

/* However its row is written, a Call-ID is the same one. */
static void one_call_id_is_one_call(void **state)
{
    (void)state;
    uint32_t call = call_of(HEAD "Call-ID: a84b4c76e66710@pc33.example\r\n\r\n");
    assert_int_not_equal(call, 0);
    assert_int_equal(call, call_of(HEAD "i:a84b4c76e66710@pc33.example\r\nl: 0\r\n\r\n"));
    assert_int_equal(call, call_of(HEAD "CALL-ID\t: a84b4c76e66710@pc33.example  \r\n\r\n"));
    assert_int_equal(call, call_of(HEAD "l: 0\r\ni:\r\n a84b4c76e66710@pc33.example\r\n\r\n"));
    assert_int_equal(call, call_of("BYE sip:a SIP/2.0\r\nI: a84b4c76e66710@pc33.example"));
    assert_int_not_equal(call, call_of(HEAD "i: A84b4c76e66710@pc33.example\r\n\r\n"));
    assert_int_not_equal(call, call_of(HEAD "i: a84b4c76e66710@pc33.exampl\r\n\r\n"));
    assert_int_not_equal(call, call_of(HEAD "i: a84b4c76e66710@pc33.example2\r\n\r\n"));
    assert_int_equal(call_of(HEAD "i:\r\nl: 0\r\n\r\n"), call_of(HEAD "i:\r\nl: 5\r\n\r\n"));
    assert_int_equal(call_of(HEAD "In-Reply-To: a84b4c76e66710@pc33.example\r\n\r\n"), 0);
    assert_int_equal(call_of("\r\n\r\n"), 0);
    assert_int_equal(call_of(""), 0);
}

/* What is known already is not looked for, right or wrong. */
static void what_is_known_stays(void **state)
{
    (void)state;
    const struct span message = SPAN(HEAD "l: 0\r\ni: 1@a\r\n\r\n");
    const struct ahoy_glance found = glance_of(message);
    struct ahoy_glance glance = { .call = 4711, .gap = 12 };
    ahoy_glance(message, &glance);
    assert_int_equal(glance.call, 4711);
    assert_int_equal(glance.gap, 12);
    glance.gap = 0;
    ahoy_glance(message, &glance);
    assert_int_equal(glance.gap, found.gap);
    glance.call = 0;
    ahoy_glance(message, &glance);
    assert_int_equal(glance.call, found.call);
    assert_int_equal(found.call, ahoy_span_mark(SPAN("1@a")));
}

/* A message that has grown says the same: each row and the body. */
static void what_has_grown_says_the_same(void **state)
{
    (void)state;
    static const char text[] = HEAD "From: <sip:a@b>;tag=1\r\nTo: <sip:b@c>\r\nCall-ID: 1@a\r\n"
                                    "CSeq: 1 INVITE\r\nl: 5\r\nX: 1\r\n\r\nv=0\r\nsurplus";
    static struct ahoy_message before;
    static struct ahoy_message after;
    struct span bytes = { text, sizeof text - 1 };
    uint32_t gap = glance_of(bytes).gap;
    enum { MORE = 128 };
    char longer[sizeof text + MORE];
    memcpy(longer, text, gap);
    memset(longer + gap, ' ', MORE);
    memcpy(longer + gap + MORE, text + gap, bytes.size - gap);
    assert_true(ahoy_message_parse(bytes, &before, NULL));
    assert_true(ahoy_message_parse((struct span){ longer, bytes.size + MORE }, &after, NULL));
    assert_int_equal(before.field_count, after.field_count);
    for (size_t i = 0; i < before.field_count; i++)
        assert_true(ahoy_span_equal(before.fields[i].value, after.fields[i].value));
    assert_true(ahoy_span_equal(before.body, after.body));
    assert_int_equal(after.body.size, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spaces_fit_behind_the_colon_of_content_length),
        cmocka_unit_test(nothing_else_may_grow),
        cmocka_unit_test(one_call_id_is_one_call),
        cmocka_unit_test(what_is_known_stays),
        cmocka_unit_test(what_has_grown_says_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
