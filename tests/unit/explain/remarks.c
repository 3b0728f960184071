/* What is said about a message: each fault, warning and note with its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "libahoy/explain/explain.h"
#include "tests/support/bytes.h"

/* Big, so not on the stack. */
static struct ahoy_explanation explanation;

#define VIA     "Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bK776asdhds\r\n"
#define HOPS    "Max-Forwards: 70\r\n"
#define TO      "To: Bob <sip:bob@biloxi.com>\r\n"
#define FROM    "From: Alice <sip:alice@atlanta.com>;tag=1928301774\r\n"
#define CALL_ID "Call-ID: a84b4c76e66710@pc33.atlanta.com\r\n"
#define CSEQ    "CSeq: 314159 OPTIONS\r\n"
#define NO_BODY "Content-Length: 0\r\n"
#define HEAD    VIA HOPS TO FROM CALL_ID
#define OPTIONS "OPTIONS sip:bob@biloxi.com SIP/2.0\r\n" HEAD CSEQ
#define INVITE  "INVITE sip:bob@biloxi.com SIP/2.0\r\n" HEAD "CSeq: 314159 INVITE\r\n"
#define CONTACT "Contact: <sip:alice@pc33.atlanta.com>\r\n"

#define FAULT   AHOY_REMARK_FAULT
#define WARNING AHOY_REMARK_WARNING
#define NOTE    AHOY_REMARK_NOTE

static bool holds(struct span text, const char *part)
{
    struct span wanted = ahoy_span(part);
    for (size_t i = 0; i + wanted.size <= text.size; i++) {
        if (memcmp(text.at + i, wanted.at, wanted.size) == 0)
            return true;
    }
    return false;
}

/* The first remark of |kind| about |subject|, or NULL. */
static const struct ahoy_remark *find(enum ahoy_remark_kind kind, const char *subject)
{
    const struct ahoy_remarks *remarks = &explanation.remarks;
    for (size_t i = 0; i < remarks->count; i++) {
        if (remarks->list[i].kind == kind &&
            ahoy_span_equal(remarks->list[i].subject, ahoy_span(subject)))
            return &remarks->list[i];
    }
    return NULL;
}

static void explain(const char *text)
{
    ahoy_explain(test_text(text), false, &explanation);
}

static size_t count_of(enum ahoy_remark_kind kind)
{
    return explanation.remarks.counts[kind];
}

static void test_a_sound_message_has_no_faults(void **state)
{
    (void)state;
    explain(INVITE CONTACT NO_BODY "\r\n");
    assert_int_equal(count_of(FAULT), 0);
    assert_int_equal(count_of(WARNING), 0);
    assert_int_equal(count_of(NOTE), 0);
    assert_span(find(AHOY_REMARK_LINE, "Via")->source, "RFC 3261 20.42");
    assert_span(find(AHOY_REMARK_PART, "branch")->where, "branch=z9hG4bK776asdhds");
    assert_span(find(AHOY_REMARK_VERDICT, "sender")->text,
                "alice@atlanta.com, from pc33.atlanta.com by UDP");
    assert_span(find(AHOY_REMARK_VERDICT, "missing")->text, "nothing that RFC 3261 8.1.1 asks for");
}

/* Each with the one problem that |text| has. */
static const struct problem {
    const char *message;
    enum ahoy_remark_kind kind;
    const char *subject;
    const char *text;
    const char *where; /* How the bytes begin that it is about, or NULL. */
} problems[] = {
    /* RFC 3261 8.1.1: what every request has. */
    { "OPTIONS sip:b@b SIP/2.0\r\n" HOPS TO FROM CALL_ID CSEQ NO_BODY "\r\n", FAULT, "Via",
      "there is no Via", NULL },
    { "OPTIONS sip:b@b SIP/2.0\r\n" VIA HOPS FROM CALL_ID CSEQ NO_BODY "\r\n", FAULT, "To",
      "there is no To", NULL },
    { "OPTIONS sip:b@b SIP/2.0\r\n" VIA HOPS TO CALL_ID CSEQ NO_BODY "\r\n", FAULT, "From",
      "there is no From", NULL },
    { "OPTIONS sip:b@b SIP/2.0\r\n" VIA HOPS TO FROM CSEQ NO_BODY "\r\n", FAULT, "Call-ID",
      "there is no Call-ID", NULL },
    { "OPTIONS sip:b@b SIP/2.0\r\n" HEAD NO_BODY "\r\n", FAULT, "CSeq", "there is no CSeq", NULL },
    { "OPTIONS sip:b@b SIP/2.0\r\n" VIA TO FROM CALL_ID CSEQ NO_BODY "\r\n", WARNING,
      "Max-Forwards", "there is no Max-Forwards", NULL },
    { INVITE NO_BODY "\r\n", WARNING, "Contact", "there is no Contact", NULL },
    /* R3261-8.1.1.3-1 and R3261-8.1.1.5-1. */
    { "OPTIONS sip:b@b SIP/2.0\r\n" VIA HOPS TO "From: <sip:a@a>\r\n" CALL_ID CSEQ NO_BODY "\r\n",
      FAULT, "From", "expected a tag in From, found the end of the line", NULL },
    { "BYE sip:b@b SIP/2.0\r\n" HEAD CSEQ NO_BODY "\r\n", FAULT, "CSeq",
      "expected the request's method, found \"OPTIONS\"", "OPTIONS" },
    /* 8.1.1.7, 16.3, 20.22. */
    { "OPTIONS sip:b@b SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=1\r\n" HOPS TO FROM CALL_ID CSEQ NO_BODY
      "\r\n",
      WARNING, "Via", "the branch does not begin with z9hG4bK", "1" },
    { "OPTIONS sip:b@b SIP/2.0\r\n" VIA "Max-Forwards: 0\r\n" TO FROM CALL_ID CSEQ NO_BODY "\r\n",
      WARNING, "Max-Forwards", "no hop is left", "0" },
    { "OPTIONS sip:b@b SIP/2.0\r\n" VIA "Max-Forwards: 256\r\n" TO FROM CALL_ID CSEQ NO_BODY "\r\n",
      FAULT, "Max-Forwards", "expected a number of hops up to 255, found \"256\"", "256" },
    /* 18.3, 20.14, 20.15. */
    { OPTIONS "Content-Type: text/plain\r\nContent-Length: 7\r\n\r\nabc", FAULT, "Content-Length",
      "Content-Length says 7, but 3 bytes of body follow", "7" },
    { OPTIONS "Content-Type: text/plain\r\nContent-Length: 1\r\n\r\nabc", WARNING, "Content-Length",
      "Content-Length says 1, but 3 bytes follow", "1" },
    { OPTIONS "Content-Length: x\r\n\r\n", FAULT, "Content-Length", "found \"x\"", "x" },
    { OPTIONS "\r\n", NOTE, "Content-Length", "there is no Content-Length", NULL },
    { OPTIONS "Content-Length: 3\r\n\r\nabc", WARNING, "body", "no Content-Type says what", "abc" },
    /* Names. */
    { OPTIONS "X-Own: 1\r\n" NO_BODY "\r\n", NOTE, "X-Own", "does not know", "X-Own" },
    { OPTIONS "l: 0\r\n\r\n", NOTE, "Content-Length", "the compact form of Content-Length", "l" },
    { OPTIONS "Require: x-own\r\n" NO_BODY "\r\n", NOTE, "Require", "420 Bad Extension", "x-own" },
    /* 10.2.1.1, 10.2.2, RFC 4028. */
    { OPTIONS "Contact: <sip:a@a>;expires=soon\r\n" NO_BODY "\r\n", WARNING, "Contact",
      "no number of seconds", "soon" },
    { OPTIONS "Contact: *\r\n" NO_BODY "\r\n", WARNING, "Contact", "without Expires: 0", "*" },
    { OPTIONS "Supported: timer\r\nSession-Expires: 89\r\n" NO_BODY "\r\n", WARNING,
      "Session-Expires", "less than 90 seconds", "89" },
    { OPTIONS "Supported: timer\r\nSession-Expires: 100\r\nMin-SE: 120\r\n" NO_BODY "\r\n", WARNING,
      "Session-Expires", "shorter than Min-SE, which is 120", "100" },
    { OPTIONS "Session-Expires: 100\r\n" NO_BODY "\r\n", WARNING, "Session-Expires",
      "Supported does not name timer", "100" },
    /* Values: those that a server needs, and others (8.2.2). */
    { OPTIONS "Contact: <sip:a@a\r\n" NO_BODY "\r\n", FAULT, "Contact", "expected", "<sip:a@a" },
    { OPTIONS "Date: yesterday\r\n" NO_BODY "\r\n", WARNING, "Date", "found \"yesterday\"",
      "yesterday" },
    /* Attack 29: what strangers wrote is escaped. */
    { OPTIONS "Date: \xe2\x80\xae\r\n" NO_BODY "\r\n", WARNING, "Date", "\\xe2\\x80\\xae", NULL },
    { "OPTIONS sip:b@b SIP/2.0\r\n" HEAD "CSeq: 1 OPTIONS\r\nSubject: \033[2J\r\n" NO_BODY "\r\n",
      FAULT, "Subject", "no control byte, found \"\\x1b[2J\"", "\033[2J" },
    /* Start lines. */
    { "OPTIONS <sip:b@b> SIP/2.0\r\n" HEAD CSEQ NO_BODY "\r\n", FAULT, "start line",
      "expected a Request-URI without brackets", "<sip:b@b>" },
    { "OPTIONS sip:b@b:x SIP/2.0\r\n" HEAD CSEQ NO_BODY "\r\n", FAULT, "Request-URI",
      "expected a port", "x" },
    { "OPTIONS sip:b@b?a=b SIP/2.0\r\n" HEAD CSEQ NO_BODY "\r\n", FAULT, "Request-URI",
      "no headers in a Request-URI", "a=b" },
    { "OPTIONS sip:b@b SIP/3.0\r\n" HEAD CSEQ NO_BODY "\r\n", FAULT, "start line", "\"SIP/2.0\"",
      "SIP/3.0" },
};

static void test_each_problem_is_said_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof problems / sizeof problems[0]; i++) {
        const struct problem *problem = &problems[i];
        explain(problem->message);
        const struct ahoy_remark *remark = find(problem->kind, problem->subject);
        if (remark == NULL || !holds(remark->text, problem->text))
            fail_msg("%zu, %s: %.*s", i, problem->subject,
                     remark == NULL ? 0 : (int)remark->text.size,
                     remark == NULL ? "" : remark->text.at);
        if (problem->where != NULL &&
            !ahoy_span_starts_nocase(remark->where, ahoy_span(problem->where)))
            fail_msg("%zu, %s: at %.*s", i, problem->subject, (int)remark->where.size,
                     remark->where.at);
        size_t all = count_of(FAULT) + count_of(WARNING) + count_of(NOTE);
        if (all != 1)
            fail_msg("%zu, %s: %zu problems", i, problem->subject, all);
        if (problem->kind == NOTE)
            continue;
        assert_true(remark->consequence.size > 0);
        assert_true(remark->mend.size > 0);
        assert_true(ahoy_span_starts_nocase(remark->source, SPAN("RFC ")));
    }
}

/* The parsers stop at the first fault of a message; here all of them are said. */
static void test_all_faults_are_said(void **state)
{
    (void)state;
    explain("OPTIONS sip:b@b SIP/2.0\r\n" VIA HOPS "To: <sip:\r\n" FROM FROM "\001: 1\r\n"
            "Contact: \"\r\n" NO_BODY "\r\n");
    assert_non_null(find(FAULT, "To"));
    assert_true(holds(find(FAULT, "From")->text, "this header only once"));
    assert_non_null(find(FAULT, "Contact"));
    assert_non_null(find(FAULT, "Call-ID"));
    assert_non_null(find(FAULT, "CSeq"));
    assert_int_equal(count_of(FAULT), 6);
}

/* The INVITE of RFC 3261 4, whose body is not shown there. */
static void test_the_body_that_is_not_shown(void **state)
{
    (void)state;
    explain(INVITE CONTACT "Content-Type: application/sdp\r\nContent-Length: 142\r\n\r\n");
    assert_int_equal(count_of(FAULT), 1);
    const struct ahoy_remark *remark = find(FAULT, "Content-Length");
    assert_span(remark->text, "Content-Length says 142, but 0 bytes of body follow");
    assert_span(remark->source, "RFC 3261 18.3");
    assert_span(remark->consequence,
                "over UDP a server answers this with 400 Bad Request (18.3); over TCP the receiver "
                "waits for 142 more bytes, takes what comes next for them, and closes the "
                "connection when none come");
    assert_span(remark->mend,
                "write Content-Length: 0, or send the body that is missing: 142 bytes "
                "behind the empty line");
}

static void test_who_is_told(void **state)
{
    (void)state;
    explain("SIP/2.0 180 Ringing\r\n" HEAD NO_BODY "\r\n");
    assert_true(holds(find(FAULT, "CSeq")->consequence, "drops it, as if no answer had come"));
    explain("ACK sip:b@b SIP/2.0\r\n" HEAD NO_BODY "\r\n");
    assert_true(holds(find(FAULT, "CSeq")->consequence, "an ACK is never answered"));
    explain("OPTIONS sip:b@b SIP/2.0\r\n" HOPS TO FROM CALL_ID CSEQ NO_BODY "\r\n");
    assert_true(holds(find(FAULT, "Via")->consequence, "no answer finds its way back"));
}

#define SDP "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"

static void test_session_descriptions(void **state)
{
    (void)state;
    explain(INVITE CONTACT "Content-Type: application/sdp\r\nContent-Length: 109\r\n\r\n" SDP
                           "m=audio 5004 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n");
    assert_int_equal(count_of(FAULT) + count_of(WARNING), 0);
    assert_span(find(AHOY_REMARK_LINE, "o=")->source, "RFC 8866 5.2");
    assert_span(find(AHOY_REMARK_PART, "port")->where, "5004");
    assert_span(find(AHOY_REMARK_PART, "rtpmap")->source, "RFC 8866 6.6");
    assert_span(find(AHOY_REMARK_PART, "encoding")->where, "PCMU/8000");
    assert_span(find(AHOY_REMARK_PART, "stop")->where, "0");
    assert_span(find(AHOY_REMARK_PART, "network")->where, "IN");
    explain(INVITE CONTACT "Content-Type: application/sdp\r\nContent-Length: 74\r\n\r\n" SDP
                           "m=audio x\r\n");
    assert_int_equal(count_of(FAULT), 0);
    assert_true(holds(find(WARNING, "session description")->consequence, "the phone answers 400"));
}

static void test_an_excerpt_misses_nothing(void **state)
{
    (void)state;
    ahoy_explain(test_text("OPTIONS sip:b@b SIP/2.0\r\n" CSEQ "\r\n"), true, &explanation);
    assert_int_equal(count_of(FAULT) + count_of(WARNING) + count_of(NOTE), 0);
    assert_null(find(AHOY_REMARK_VERDICT, "missing"));
    assert_non_null(find(AHOY_REMARK_VERDICT, "asks"));
}

/* However many there are, none is written past the end, and all are counted. */
static void test_a_full_list_still_counts(void **state)
{
    (void)state;
    struct ahoy_remarks *remarks = &explanation.remarks;
    ahoy_remarks_clear(remarks);
    for (size_t i = 0; i < AHOY_REMARKS_LIMIT + 2; i++)
        ahoy_remark_add(remarks, FAULT, SPAN(""), SPAN(""))->text = SPAN("x");
    assert_int_equal(remarks->count, AHOY_REMARKS_LIMIT);
    assert_int_equal(remarks->counts[FAULT], AHOY_REMARKS_LIMIT + 2);
    static char big[AHOY_REMARKS_TEXT_LIMIT + 1];
    memset(big, 'a', sizeof big);
    struct span all = { big, sizeof big };
    assert_span(AHOY_REMARK_TEXT(remarks, all), "...");
    assert_span(AHOY_REMARK_TEXT(remarks, SPAN("a"), SPAN("\n")), "a\\x0a");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_a_sound_message_has_no_faults, test_free_all),
        cmocka_unit_test_teardown(test_each_problem_is_said_once, test_free_all),
        cmocka_unit_test_teardown(test_all_faults_are_said, test_free_all),
        cmocka_unit_test_teardown(test_the_body_that_is_not_shown, test_free_all),
        cmocka_unit_test_teardown(test_who_is_told, test_free_all),
        cmocka_unit_test_teardown(test_session_descriptions, test_free_all),
        cmocka_unit_test_teardown(test_an_excerpt_misses_nothing, test_free_all),
        cmocka_unit_test(test_a_full_list_still_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
