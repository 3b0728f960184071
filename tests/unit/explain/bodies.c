/* What is said about bodies: several parts (RFC 2046 5.1, RFC 5621), fragments of messages (RFC
 * 3420), and each within the other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "libahoy/explain/explain.h"
#include "libahoy/syntax/multipart.h"
#include "tests/support/bytes.h"

/* Big, so not on the stack. */
static struct ahoy_explanation explanation;

#define HEAD                                                                                       \
    "NOTIFY sip:bob@biloxi.com SIP/2.0\r\n"                                                        \
    "Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bK776asdhds\r\n"                                \
    "Max-Forwards: 70\r\n"                                                                         \
    "To: <sip:bob@biloxi.com>;tag=1\r\n"                                                           \
    "From: <sip:alice@atlanta.com>;tag=1928301774\r\n"                                             \
    "Call-ID: a84b4c76e66710@pc33.atlanta.com\r\n"                                                 \
    "CSeq: 1 NOTIFY\r\n"                                                                           \
    "Contact: <sip:alice@pc33.atlanta.com>\r\n"                                                    \
    "Event: refer\r\n"                                                                             \
    "Subscription-State: active\r\n"
#define MIXED   "multipart/mixed;boundary=b"
#define SIPFRAG "message/sipfrag"
#define SDP     "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"

static char space[AHOY_MESSAGE_LIMIT];

/* A message with |body| of |type|. */
static struct span with(const char *type, const char *body)
{
    int size =
        snprintf(space, sizeof space, HEAD "Content-Type: %s\r\nContent-Length: %zu\r\n\r\n%s",
                 type, strlen(body), body);
    assert_true(size > 0 && (size_t)size < sizeof space);
    return (struct span){ space, (size_t)size };
}

static size_t count_of(enum ahoy_remark_kind kind)
{
    return explanation.remarks.counts[kind];
}

/* Explains |body|, in which nothing is wrong. */
static void explain(const char *type, const char *body)
{
    ahoy_explain(with(type, body), false, &explanation);
    assert_int_equal(count_of(AHOY_REMARK_FAULT), 0);
    assert_int_equal(count_of(AHOY_REMARK_WARNING), 0);
}

/* The first remark of |kind| about |subject| within |within|, or NULL. */
static const struct ahoy_remark *find(enum ahoy_remark_kind kind, const char *within,
                                      const char *subject)
{
    const struct ahoy_remarks *remarks = &explanation.remarks;
    for (size_t i = 0; i < remarks->count; i++) {
        const struct ahoy_remark *remark = &remarks->list[i];
        if (remark->kind == kind && ahoy_span_equal(remark->subject, ahoy_span(subject)) &&
            ahoy_span_equal(remark->within, ahoy_span(within)))
            return remark;
    }
    return NULL;
}

static const struct ahoy_remark *line(const char *within, const char *subject)
{
    const struct ahoy_remark *remark = find(AHOY_REMARK_LINE, within, subject);
    assert_non_null(remark);
    return remark;
}

static void test_parts(void **state)
{
    (void)state;
    explain(MIXED, "--b\r\n"
                   "Content-Type: application/sdp\r\n"
                   "Content-Disposition: session;handling=required\r\n"
                   "\r\n" SDP "\r\n"
                   "--b\r\n"
                   "Content-ID: <a@b>\r\n"
                   "\r\n"
                   "hello\r\n"
                   "--b--\r\n");
    assert_span(line("part 1", "part 1")->where, "--b\r\n");
    assert_span(line("part 1", "part 1")->text, "63 bytes of application/sdp");
    assert_span(line("part 1", "Content-Type")->where, "Content-Type: application/sdp\r\n");
    assert_span(find(AHOY_REMARK_PART, "part 1", "disposition")->where, "session");
    assert_span(find(AHOY_REMARK_PART, "part 1", "disposition")->source, "RFC 3261 20.11");
    assert_span(find(AHOY_REMARK_PART, "part 1", "handling")->where, "handling=required");
    assert_span(line("part 1", "o=")->where, "o=- 1 1 IN IP4 192.0.2.1\r\n");
    assert_span(line("part 2", "part 2")->text, "5 bytes of text/plain");
    assert_span(line("part 2", "Content-ID")->source, "RFC 2045 7");
    assert_span(line("body", "multipart")->where, "--b--\r\n");
    assert_int_equal(count_of(AHOY_REMARK_NOTE), 0);
    /* The message's own rows are within nothing. */
    assert_span(line("", "Content-Type")->where, "Content-Type: multipart/mixed;boundary=b\r\n");
    assert_non_null(find(AHOY_REMARK_VERDICT, "", "sender"));
}

/* RFC 2046 5.1.1: what stands around the parts is passed over. */
static void test_around_the_parts(void **state)
{
    (void)state;
    explain(MIXED, "This is MIME.\r\n--b\r\n\r\n--b--\r\nIs it?");
    assert_int_equal(count_of(AHOY_REMARK_NOTE), 2);
    assert_span(find(AHOY_REMARK_NOTE, "body", "multipart")->where, "This is MIME.");
    explain(MIXED, "--b\r\n\r\n--b--");
    assert_span(line("body", "multipart")->where, "--b--");
    assert_int_equal(count_of(AHOY_REMARK_NOTE), 0);
}

static void test_parts_within_parts(void **state)
{
    (void)state;
    explain(MIXED, "--b\r\n\r\n\r\n--b\r\n"
                   "Content-Type: multipart/alternative;boundary=c\r\n"
                   "\r\n"
                   "--c\r\n\r\n\r\n--c\r\nContent-Type: application/sdp\r\n\r\n" SDP "\r\n--c--\r\n"
                   "\r\n--b--\r\n");
    assert_span(line("part 2.2", "part 2.2")->text, "63 bytes of application/sdp");
    assert_span(line("part 2.2", "v=")->where, "v=0\r\n");
    assert_span(line("part 2", "multipart")->where, "--c--\r\n");
    assert_span(line("body", "multipart")->where, "--b--\r\n");
}

/* RFC 3420 2: a start line, rows, a body, or any of them alone. */
static void test_fragments(void **state)
{
    (void)state;
    explain(SIPFRAG, "SIP/2.0 100 Trying\r\n");
    assert_span(line("body", "start line")->where, "SIP/2.0 100 Trying\r\n");
    assert_span(find(AHOY_REMARK_PART, "body", "status")->where, "100");
    explain(SIPFRAG ";version=2.0", "Subject: x\r\nTo: <sip:a@b>;tag=7\r\n");
    assert_null(find(AHOY_REMARK_LINE, "body", "start line"));
    assert_span(line("body", "Subject")->source, "RFC 3261 20.36");
    assert_span(find(AHOY_REMARK_PART, "body", "tag")->where, "tag=7");
    explain(SIPFRAG, "Content-Type: application/sdp\r\n");
    explain(SIPFRAG, "Content-Type: application/sdp\r\n\r\n" SDP);
    assert_span(line("body", "t=")->where, "t=0 0\r\n");
    explain(MIXED, "--b\r\nContent-Type: message/sip\r\n\r\nOPTIONS sip:a SIP/2.0\r\n\r\n"
                   "\r\n--b--");
    assert_span(find(AHOY_REMARK_PART, "part 1", "method")->where, "OPTIONS");
}

/* What is packed is not looked into. */
static void test_packed(void **state)
{
    (void)state;
    explain(MIXED, "--b\r\nContent-Type: application/sdp\r\n"
                   "Content-Transfer-Encoding: base64\r\n\r\ndj0w\r\n--b--");
    assert_null(find(AHOY_REMARK_LINE, "part 1", "v="));
    explain(SIPFRAG, "Content-Type: application/sdp\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b");
    explain(MIXED, "--b\r\nContent-Type: application/sdp\r\n"
                   "Content-Transfer-Encoding: Binary\r\n\r\n" SDP "\r\n--b--");
    assert_non_null(find(AHOY_REMARK_LINE, "part 1", "v="));
}

/* Each has one warning, for the message passes. */
static const struct {
    const char *type;
    const char *body;
    const char *within;
    const char *subject;
    const char *text;
    const char *where; /* How the bytes begin that it is about. */
} problems[] = {
    { MIXED, "--b\r\n\r\nhello", "body", "multipart", "expected the last boundary, found the end",
      "" },
    { "multipart/mixed", "--b\r\n\r\n--b--", "body", "multipart",
      "expected a boundary of 1 to 70 legal characters, found the end of the line", "" },
    { MIXED, "--b\r\n\r\n\r\n--b?\r\n\r\n--b--", "body", "multipart",
      "expected CRLF behind a boundary, found \"?\"", "?" },
    { MIXED, "--b\r\nContent-Type: application/sdp\r\nno row\r\n\r\n\r\n--b--", "body", "multipart",
      "expected \":\" behind a header name, found \"row\"", "row" },
    { MIXED, "--b\r\nContent-Type: x\r\n\r\n\r\n--b--", "part 1", "Content-Type",
      "expected \"/\" behind the media type, found the end of the line", "" },
    { MIXED, "--b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\no=\r\n\r\n--b--", "part 1",
      "session description", "expected", "" },
    { MIXED, "--b\r\nContent-Type: application/sdp\r\n\r\n\r\n--b--", "part 1",
      "session description", "expected", "" },
    { SIPFRAG, "SIP/2.0 7 Ringing\r\n", "body", "start line", "expected a status of 100 to 699",
      "7" },
    { SIPFRAG, "To: <sip:\r\nSubject: x\r\n", "body", "To", "expected a closing \">\"", "<sip:" },
    { SIPFRAG, "Subject x\r\nTo: <sip:b>\r\n", "body", "start line",
      "expected a space and \"SIP/2.0\"", "" },
    { SIPFRAG, "Subject: x\r\nTo <sip:b>\r\n", "body", "", "expected \":\"", "<sip:b>" },
    { SIPFRAG, "Subject: x\r\nTo: <sip:b>", "body", "To", "expected CRLF, found the end", "" },
    { SIPFRAG, "To: <sip:b>\r\n\r\nhello", "body", "fragment",
      "expected a Content-Type for the body, found \"hello\"", "hello" },
    { MIXED, "--b\r\nContent-Type: message/sipfrag\r\n\r\nCSeq: x\r\n\r\n--b--", "part 1", "CSeq",
      "expected a number below 2^31, found \"x\"", "x" },
};

static void test_problems(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof problems / sizeof problems[0]; i++) {
        ahoy_explain(with(problems[i].type, problems[i].body), false, &explanation);
        const struct ahoy_remark *remark =
            find(AHOY_REMARK_WARNING, problems[i].within, problems[i].subject);
        if (remark == NULL || !ahoy_span_starts_nocase(remark->text, ahoy_span(problems[i].text)))
            fail_msg("%zu, %s: %.*s", i, problems[i].subject,
                     remark == NULL ? 0 : (int)remark->text.size,
                     remark == NULL ? "" : remark->text.at);
        if (!ahoy_span_starts_nocase(remark->where, ahoy_span(problems[i].where)))
            fail_msg("%zu: at %.*s", i, (int)remark->where.size, remark->where.at);
        assert_true(ahoy_span_starts_nocase(remark->consequence, SPAN("a proxy passes")));
        assert_true(remark->mend.size > 0);
        if (count_of(AHOY_REMARK_FAULT) != 0 || count_of(AHOY_REMARK_WARNING) != 1)
            fail_msg("%zu: %zu faults, %zu warnings", i, count_of(AHOY_REMARK_FAULT),
                     count_of(AHOY_REMARK_WARNING));
    }
}

/* |depth| bodies, each but the innermost the only part of the one around it. */
static const char *nested(char *text, size_t size, unsigned depth)
{
    struct ahoy_buf buf = ahoy_buf_over(text, size - 1);
    for (unsigned i = 1; i < depth; i++) {
        ahoy_buf_put(&buf, SPAN("--b"));
        ahoy_buf_put_number(&buf, i);
        ahoy_buf_put(&buf, SPAN("\r\nContent-Type: multipart/mixed;boundary=b"));
        ahoy_buf_put_number(&buf, i + 1);
        ahoy_buf_put(&buf, SPAN("\r\n\r\n"));
    }
    for (unsigned i = depth; i > 0; i--) {
        if (i == depth) {
            ahoy_buf_put(&buf, SPAN("--b"));
            ahoy_buf_put_number(&buf, i);
            ahoy_buf_put(&buf, SPAN("\r\n\r\n"));
        }
        ahoy_buf_put(&buf, SPAN("\r\n--b"));
        ahoy_buf_put_number(&buf, i);
        ahoy_buf_put(&buf, SPAN("--\r\n"));
    }
    assert_false(buf.overflow);
    text[buf.size] = '\0';
    return text;
}

/* Attack 34. */
static void test_limits(void **state)
{
    (void)state;
    char text[4096];
    explain("multipart/mixed;boundary=b1", nested(text, sizeof text, AHOY_MULTIPART_DEPTH_LIMIT));
    assert_non_null(find(AHOY_REMARK_LINE, "part 1.1.1.1", "part 1.1.1.1"));
    ahoy_explain(with("multipart/mixed;boundary=b1",
                      nested(text, sizeof text, AHOY_MULTIPART_DEPTH_LIMIT + 1)),
                 false, &explanation);
    assert_int_equal(count_of(AHOY_REMARK_WARNING), 1);
    const struct ahoy_remark *deep = find(AHOY_REMARK_WARNING, "part 1.1.1.1", "multipart");
    assert_span(deep->text, "expected at most 4 bodies within each other, found \"--b5\"");

    struct ahoy_buf buf = ahoy_buf_over(text, sizeof text - 1);
    for (unsigned i = 0; i <= AHOY_MULTIPART_DEPTH_LIMIT; i++)
        ahoy_buf_put(&buf, SPAN("Content-Type: message/sipfrag\r\n\r\n"));
    text[buf.size] = '\0';
    ahoy_explain(with(SIPFRAG, text), false, &explanation);
    assert_int_equal(count_of(AHOY_REMARK_WARNING), 1);
    assert_non_null(find(AHOY_REMARK_WARNING, "body", "fragment"));

    buf = ahoy_buf_over(text, sizeof text - 1);
    for (unsigned i = 0; i <= AHOY_MULTIPART_PARTS_LIMIT; i++)
        ahoy_buf_put(&buf, SPAN("--b\r\n\r\n\r\n"));
    ahoy_buf_put(&buf, SPAN("--b--"));
    text[buf.size] = '\0';
    ahoy_explain(with(MIXED, text), false, &explanation);
    assert_non_null(find(AHOY_REMARK_LINE, "part 32", "part 32"));
    assert_true(ahoy_span_starts_nocase(find(AHOY_REMARK_WARNING, "body", "multipart")->text,
                                        SPAN("expected at most 32 parts")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_around_the_parts),
        cmocka_unit_test(test_parts_within_parts),
        cmocka_unit_test(test_fragments),
        cmocka_unit_test(test_packed),
        cmocka_unit_test(test_problems),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
