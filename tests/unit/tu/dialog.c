/* The state of a dialog and the requests within it (RFC 3261 12). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "libahoy/tu/dialog.h"
#include "tests/support/bytes.h"

static struct ahoy_message message;
static struct ahoy_routing routing;
static struct ahoy_dialog dialog;
static char line_space[4096];
static char rows_space[16384];

static void read(const char *text)
{
    assert_true(ahoy_message_parse(test_text(text), &message, NULL));
    assert_true(ahoy_message_routing(&message, &routing, NULL));
}

#define VIA  "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa\r\n"
#define ENDS "From: \"A\" <sip:alice@a.example>;tag=from\r\nTo: <sip:bob@b.example>"

static void read_request(const char *rows)
{
    char text[20000];
    snprintf(text, sizeof text,
             "INVITE sip:bob@192.0.2.2 SIP/2.0\r\n" VIA ENDS
             "\r\nCall-ID: c1\r\nCSeq: 77 INVITE\r\n%s\r\n",
             rows);
    read(text);
}

static void read_response(const char *rows)
{
    char text[20000];
    snprintf(text, sizeof text,
             "SIP/2.0 200 OK\r\n" VIA ENDS ";tag=to\r\nCall-ID: c1\r\nCSeq: 77 INVITE\r\n%s\r\n",
             rows);
    read(text);
}

static void expect_request(enum ahoy_method method, uint32_t cseq, const char *line,
                           const char *rows)
{
    struct ahoy_buf line_buf = ahoy_buf_over(line_space, sizeof line_space);
    struct ahoy_buf rows_buf = ahoy_buf_over(rows_space, sizeof rows_space);
    ahoy_dialog_print(&dialog, method, cseq, &line_buf, &rows_buf);
    assert_span(ahoy_buf_text(&line_buf), line);
    assert_span(ahoy_buf_text(&rows_buf), rows);
}

/* R3261-12.1.1-6, -8, -9, -11, -12, -14; R3261-12.2.1.1-1 to -6, -13. */
static void test_callee(void **state)
{
    struct ahoy_uri hop;
    (void)state;
    read_request("Record-Route: <sip:p1.example;lr>, <sip:p2.example;lr;x=1>\r\n"
                 "Record-Route: <sip:p3.example;lr>\r\nContact: <sip:alice@192.0.2.1;y>\r\n");
    assert_true(ahoy_dialog_from_request(&dialog, &message, &routing, SPAN("mine"), NULL));
    expect_request(AHOY_METHOD_BYE, 1, "BYE sip:alice@192.0.2.1;y SIP/2.0\r\n",
                   "Route: <sip:p1.example;lr>\r\nRoute: <sip:p2.example;lr;x=1>\r\n"
                   "Route: <sip:p3.example;lr>\r\nMax-Forwards: 70\r\n"
                   "From: <sip:bob@b.example>;tag=mine\r\n"
                   "To: <sip:alice@a.example>;tag=from\r\nCall-ID: c1\r\nCSeq: 1 BYE\r\n");
    assert_true(dialog.has_remote_cseq);
    assert_int_equal(dialog.remote_cseq, 77);
    assert_int_equal(dialog.local_cseq, 0); /* R3261-12.1.1-10 */
    assert_true(ahoy_dialog_next_hop(&dialog, &hop));
    assert_span(hop.host, "p1.example");
    test_free_all(NULL);
}

/* R3261-12.1.2-4, -7, -8: the route set is the reverse; the numbers.  R3261-12.1.2-6, -9, -10 and
 * -12: target, Call-ID, tags and URIs. */
static void test_caller(void **state)
{
    (void)state;
    read_response("Record-Route: <sip:p1.example;lr>, <sip:p2.example;lr>\r\n"
                  "Record-Route: <sip:p3.example;lr>\r\nContact: <sip:bob@192.0.2.2>\r\n");
    assert_true(ahoy_dialog_from_response(&dialog, &message, &routing, NULL));
    expect_request(AHOY_METHOD_ACK, 77, "ACK sip:bob@192.0.2.2 SIP/2.0\r\n",
                   "Route: <sip:p3.example;lr>\r\nRoute: <sip:p2.example;lr>\r\n"
                   "Route: <sip:p1.example;lr>\r\nMax-Forwards: 70\r\n"
                   "From: <sip:alice@a.example>;tag=from\r\nTo: <sip:bob@b.example>;tag=to\r\n"
                   "Call-ID: c1\r\nCSeq: 77 ACK\r\n");
    assert_int_equal(dialog.local_cseq, 77);
    assert_false(dialog.has_remote_cseq);
    test_free_all(NULL);
}

/* R3261-12.1.2-7, -9, -10: number, Call-ID and our tag are the request's, whatever the response
 * says. */
static void test_caller_is_told_others(void **state)
{
    const struct ahoy_dialog_seed seed = { .call_id = SPAN("call-id-of-us"),
                                           .local_tag = SPAN("tag-that-isus"),
                                           .local_uri = SPAN("sip:alice@a.example"),
                                           .remote_uri = SPAN("sip:bob@b.example"),
                                           .target = SPAN("sip:bob@b.example") };
    struct ahoy_dialog fork = { 0 };
    (void)state;
    assert_true(ahoy_dialog_begin(&dialog, &seed));
    ahoy_dialog_asked(&fork, &dialog, 5);
    read_response("Contact: <sip:bob@192.0.2.2>\r\n");
    assert_true(ahoy_dialog_from_response(&fork, &message, &routing, NULL));
    assert_span(fork.call_id, "call-id-of-us");
    assert_span(fork.local_tag, "tag-that-isus");
    assert_span(fork.remote_tag, "to");
    assert_int_equal(fork.local_cseq, 5);
    dialog.local_cseq = 4;
    assert_true(ahoy_dialog_from_response(&dialog, &message, &routing, NULL));
    assert_span(dialog.call_id, "call-id-of-us");
    assert_span(dialog.local_tag, "tag-that-isus");
    assert_int_equal(dialog.local_cseq, 4);
    const char *const rows[] = {
        "", "Contact: <sip:bob@192.0.2.2>\r\nRecord-Route: <sip:a;lr>, <\r\n"
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) { /* Neither can be read. */
        read_response(rows[i]);
        assert_false(ahoy_dialog_from_response(&dialog, &message, &routing, NULL));
        assert_span(dialog.call_id, "call-id-of-us");
        assert_span(dialog.local_tag, "tag-that-isus");
        assert_int_equal(dialog.local_cseq, 4);
        assert_int_equal(dialog.remote_tag.size, 0);
    }
    ahoy_dialog_fini(&fork);
    ahoy_dialog_fini(&dialog);
    assert_int_equal(dialog.call_id.size + dialog.local_tag.size, 0);
    test_free_all(NULL);
}

/* R3261-12.2.1.1-11, -12; R3261-12.1.2-5, and R3261-12.1.1-7 on the other side. */
static void test_no_routes(void **state)
{
    struct ahoy_uri hop;
    (void)state;
    read_response("Contact: <sip:bob@192.0.2.2?Subject=no>\r\n");
    assert_true(ahoy_dialog_from_response(&dialog, &message, &routing, NULL));
    expect_request(AHOY_METHOD_BYE, 78, "BYE sip:bob@192.0.2.2 SIP/2.0\r\n",
                   "Max-Forwards: 70\r\n"
                   "From: <sip:alice@a.example>;tag=from\r\nTo: <sip:bob@b.example>;tag=to\r\n"
                   "Call-ID: c1\r\nCSeq: 78 BYE\r\n");
    assert_true(ahoy_dialog_next_hop(&dialog, &hop));
    assert_span(hop.host, "192.0.2.2");
    read_request("Contact: <sip:alice@192.0.2.1>\r\n");
    assert_true(ahoy_dialog_from_request(&dialog, &message, &routing, SPAN("mine"), NULL));
    assert_int_equal(dialog.route_count, 0);
    test_free_all(NULL);
}

/* R3261-8.1.1.1-1: a route that is given before there is a dialog counts as one of it. */
static void test_a_route_given_beforehand(void **state)
{
    (void)state;
    struct ahoy_dialog_seed seed = { .call_id = SPAN("c"),
                                     .local_tag = SPAN("mine"),
                                     .local_uri = SPAN("sip:alice@a.example"),
                                     .remote_uri = SPAN("sip:bob@b.example"),
                                     .target = SPAN("sip:bob@b.example;x"),
                                     .route = SPAN("<sip:p.example;lr>") };
    assert_true(ahoy_dialog_begin(&dialog, &seed));
    expect_request(AHOY_METHOD_INVITE, 1, "INVITE sip:bob@b.example;x SIP/2.0\r\n",
                   "Route: <sip:p.example;lr>\r\nMax-Forwards: 70\r\n"
                   "From: <sip:alice@a.example>;tag=mine\r\nTo: <sip:bob@b.example>\r\n"
                   "Call-ID: c\r\nCSeq: 1 INVITE\r\n");
    seed.route = SPAN("<sip:strict.example>");
    assert_true(ahoy_dialog_begin(&dialog, &seed));
    expect_request(AHOY_METHOD_INVITE, 1, "INVITE sip:strict.example SIP/2.0\r\n",
                   "Route: <sip:bob@b.example;x>\r\nMax-Forwards: 70\r\n"
                   "From: <sip:alice@a.example>;tag=mine\r\nTo: <sip:bob@b.example>\r\n"
                   "Call-ID: c\r\nCSeq: 1 INVITE\r\n");
}

/* R3261-12.2.1.1-14, -15, -16: a strict router is the Request-URI, the target comes last; and it is
 * where the request goes: R3261-8.1.2-2. */
static void test_strict_route(void **state)
{
    struct ahoy_uri hop;
    (void)state;
    read_request("Record-Route: <sip:strict.example>, <sip:loose.example;lr>\r\n"
                 "Contact: <sip:alice@192.0.2.1>\r\n");
    assert_true(ahoy_dialog_from_request(&dialog, &message, &routing, SPAN("mine"), NULL));
    expect_request(AHOY_METHOD_BYE, 1, "BYE sip:strict.example SIP/2.0\r\n",
                   "Route: <sip:loose.example;lr>\r\nRoute: <sip:alice@192.0.2.1>\r\n"
                   "Max-Forwards: 70\r\nFrom: <sip:bob@b.example>;tag=mine\r\n"
                   "To: <sip:alice@a.example>;tag=from\r\nCall-ID: c1\r\nCSeq: 1 BYE\r\n");
    assert_true(ahoy_dialog_next_hop(&dialog, &hop));
    assert_span(hop.host, "strict.example");
    test_free_all(NULL);
}

/* R3261-12.2.2-2, -3, -4. */
static void test_remote_cseq(void **state)
{
    (void)state;
    read_response("Contact: <sip:bob@192.0.2.2>\r\n");
    assert_true(ahoy_dialog_from_response(&dialog, &message, &routing, NULL));
    assert_true(ahoy_dialog_take_cseq(&dialog, 500)); /* The first may be any. */
    assert_true(ahoy_dialog_take_cseq(&dialog, 600));
    assert_false(ahoy_dialog_take_cseq(&dialog, 599));
    assert_true(ahoy_dialog_take_cseq(&dialog, 600));
    test_free_all(NULL);
}

/* R3261-12.1-1: a dialog is its three parts, each of them. */
static void test_matching(void **state)
{
    (void)state;
    read_response("Contact: <sip:bob@192.0.2.2>\r\n");
    assert_true(ahoy_dialog_from_response(&dialog, &message, &routing, NULL));
    /* The response as it stands has the tags the other way round. */
    assert_false(ahoy_dialog_matches(&dialog, &routing));
    struct ahoy_routing theirs = routing;
    theirs.from_tag = SPAN("to");
    theirs.to_tag = SPAN("from");
    assert_true(ahoy_dialog_matches(&dialog, &theirs));
    theirs.call_id = SPAN("C1");
    assert_false(ahoy_dialog_matches(&dialog, &theirs)); /* 20.8: case counts. */
    theirs.call_id = SPAN("c1");
    theirs.from_tag = SPAN("too");
    assert_false(ahoy_dialog_matches(&dialog, &theirs));
    theirs.from_tag = SPAN("to");
    theirs.to_tag = SPAN("form");
    assert_false(ahoy_dialog_matches(&dialog, &theirs));
    test_free_all(NULL);
}

/* R3261-12.1.1-13, R3261-12.1.2-11: who has no tag, as in RFC 2543, has a tag that is null. */
static void test_old_peers(void **state)
{
    (void)state;
    read("INVITE sip:bob@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1\r\n"
         "From: <sip:alice@a.example>\r\nTo: <sip:bob@b.example>\r\nCall-ID: c1\r\n"
         "CSeq: 77 INVITE\r\nContact: <sip:alice@192.0.2.1>\r\n\r\n");
    assert_true(ahoy_dialog_from_request(&dialog, &message, &routing, SPAN("mine"), NULL));
    assert_int_equal(dialog.remote_tag.size, 0);
    routing.to_tag = SPAN("mine");
    assert_true(ahoy_dialog_matches(&dialog, &routing));
    routing.from_tag = SPAN("new");
    assert_false(ahoy_dialog_matches(&dialog, &routing));
    read("SIP/2.0 200 OK\r\n" VIA ENDS "\r\nCall-ID: c1\r\nCSeq: 77 INVITE\r\n"
         "Contact: <sip:bob@192.0.2.2>\r\n\r\n");
    assert_true(ahoy_dialog_from_response(&dialog, &message, &routing, NULL));
    assert_int_equal(dialog.remote_tag.size, 0);
    test_free_all(NULL);
}

/* R3261-12.2.1.2-1: the target follows Contact, the route set does not change. */
static void test_refresh(void **state)
{
    (void)state;
    read_request("Record-Route: <sip:p.example;lr>\r\nContact: <sip:old@192.0.2.1>\r\n");
    assert_true(ahoy_dialog_from_request(&dialog, &message, &routing, SPAN("mine"), NULL));
    read_request("Record-Route: <sip:q.example;lr>\r\nContact: <sip:new@192.0.2.3>\r\n");
    ahoy_dialog_refresh(&dialog, &message);
    assert_span(ahoy_dialog_request_uri(&dialog), "sip:new@192.0.2.3");
    assert_int_equal(dialog.route_count, 1);
    assert_span(dialog.routes[0], "<sip:p.example;lr>");
    read_request("");
    ahoy_dialog_refresh(&dialog, &message);
    assert_span(ahoy_dialog_request_uri(&dialog), "sip:new@192.0.2.3");
    test_free_all(NULL);
}

static void expect_fault(const char *rows, unsigned status)
{
    struct ahoy_err err;
    read_request(rows);
    assert_false(ahoy_dialog_from_request(&dialog, &message, &routing, SPAN("mine"), &err));
    assert_int_equal(err.status, status);
    read_response(rows);
    assert_false(ahoy_dialog_from_response(&dialog, &message, &routing, &err));
    assert_int_equal(err.status, status);
}

static void test_faults(void **state)
{
    static char rows[16384];
    (void)state;
    expect_fault("", 400);
    expect_fault("Contact: <tel:+1>\r\n", 400);
    expect_fault("Contact: *\r\n", 400);
    expect_fault("Contact: <sip:a@b>\r\nRecord-Route: <sip:p.example\r\n", 400);
    snprintf(rows, sizeof rows, "Contact: <sip:a@b;x=%02100d>\r\n", 0);
    expect_fault(rows, 513);
    size_t size = (size_t)snprintf(rows, sizeof rows, "Contact: <sip:a@b>\r\n");
    for (int i = 0; i <= AHOY_ROUTES_LIMIT; i++)
        size += (size_t)snprintf(rows + size, sizeof rows - size, "Record-Route: <sip:p;lr>\r\n");
    expect_fault(rows, 513);
    size = (size_t)snprintf(rows, sizeof rows, "Contact: <sip:a@b>\r\n");
    for (int i = 0; i < 3; i++)
        size += (size_t)snprintf(rows + size, sizeof rows - size,
                                 "Record-Route: <sip:p;lr;x=%03000d>\r\n", 0);
    expect_fault(rows, 513);
    test_free_all(NULL);
}

/* What a proxy does not look into, a caller does before it goes into his requests. */
static void test_bad_uris_of_a_response(void **state)
{
    static const char *const ends[] = { "From: <sip:a@@x>;tag=a\r\nTo: <sip:b>;tag=b",
                                        "From: <sip:a>;tag=a\r\nTo: <sip:b;=>;tag=b",
                                        "From: <sip:a>;tag=a\r\nTo: <>;tag=b",
                                        "From: <>;tag=a\r\nTo: <sip:b>;tag=b" };
    (void)state;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        char text[512];
        struct ahoy_err err;
        snprintf(text, sizeof text,
                 "SIP/2.0 200 OK\r\n" VIA "%s\r\nCall-ID: c1\r\nCSeq: 77 INVITE\r\n"
                 "Contact: <sip:bob@192.0.2.2>\r\n\r\n",
                 ends[i]);
        read(text);
        assert_false(ahoy_dialog_from_response(&dialog, &message, &routing, &err));
        assert_int_equal(err.status, 400);
        /* What stands where they stood vouches for nothing. */
        assert_int_equal(dialog.local_uri.size + dialog.remote_uri.size, 0);
        assert_false(ahoy_dialog_from_response(&dialog, &message, &routing, &err));
    }
    test_free_all(NULL);
}

/* Who was asked, and who asked, is known to be sound; but nobody who is over. */
static void test_known_uris_of_a_response(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        read_response("Contact: <sip:bob@192.0.2.2>\r\n");
        assert_true(ahoy_dialog_from_response(&dialog, &message, &routing, NULL));
        assert_span(dialog.local_uri, "sip:alice@a.example");
        assert_span(dialog.remote_uri, "sip:bob@b.example");
    }
    ahoy_dialog_fini(&dialog);
    assert_int_equal(dialog.local_uri.size + dialog.remote_uri.size, 0);
    test_free_all(NULL);
}

/* 8.1.1: outside of dialogs To has no tag, and the pre-existing route comes first. */
static void test_begin(void **state)
{
    (void)state;
    const struct ahoy_dialog_seed seed = { .call_id = SPAN("c2"),
                                           .local_tag = SPAN("t"),
                                           .local_uri = SPAN("sip:alice@a.example"),
                                           .remote_uri = SPAN("sip:bob@b.example"),
                                           .target = SPAN("sip:bob@b.example"),
                                           .route = SPAN("<sip:192.0.2.9;lr>") };
    assert_true(ahoy_dialog_begin(&dialog, &seed));
    expect_request(AHOY_METHOD_INVITE, 1, "INVITE sip:bob@b.example SIP/2.0\r\n",
                   "Route: <sip:192.0.2.9;lr>\r\nMax-Forwards: 70\r\n"
                   "From: <sip:alice@a.example>;tag=t\r\nTo: <sip:bob@b.example>\r\n"
                   "Call-ID: c2\r\nCSeq: 1 INVITE\r\n");
}

/* |size| bytes of a user's name, and what they are in. */
static void put_long(struct ahoy_buf *buf, const char *before, size_t size, const char *after)
{
    ahoy_buf_put(buf, ahoy_span(before));
    for (size_t i = 0; i < size; i++)
        ahoy_buf_put_byte(buf, (char)('a' + i % 26));
    ahoy_buf_put(buf, ahoy_span(after));
}

/* R3261-12.1.2-6: a Contact that is the target already, or nearly. */
static void test_known_target(void **state)
{
    static const struct {
        const char *contact, *target; /* Empty where there can be no dialog. */
    } cases[] = {
        { "<sip:bob@192.0.2.2>", "sip:bob@192.0.2.2" },
        { "<sip:bob@192.0.2.2>;expires=9", "sip:bob@192.0.2.2" },
        { "<sip:bob@192.0.2.2>, <sip:bob@192.0.2.3>", "sip:bob@192.0.2.2" },
        { "<sip:bob@192.0.2.2?Subject=no>", "sip:bob@192.0.2.2" },
        { "<sip:bob@192.0.2.20>", "sip:bob@192.0.2.20" },
        { "<sip:bob@192.0.2>", "sip:bob@192.0.2" },
        { "<sip:Bob@192.0.2.2>", "sip:Bob@192.0.2.2" },
        { "sip:bob@192.0.2.2", "sip:bob@192.0.2.2" },
        { "<tel:bob@192.0.2.2>", "" },
        { "-sip:bob@192.0.2.2>", "" },
        { "<sip:bob@192.0.2.2-", "" },
        { "", "" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char rows[128];
        snprintf(rows, sizeof rows, "Contact: %s\r\n", cases[i].contact);
        read_response("Contact: <sip:bob@192.0.2.2>\r\n");
        assert_true(ahoy_dialog_from_response(&dialog, &message, &routing, NULL));
        read_response(cases[i].contact[0] != '\0' ? rows : "");
        bool is_made = ahoy_dialog_from_response(&dialog, &message, &routing, NULL);
        assert_int_equal(is_made, cases[i].target[0] != '\0');
        assert_span(ahoy_dialog_target(&dialog), cases[i].target);
    }
    ahoy_dialog_fini(&dialog);
    assert_int_equal(ahoy_dialog_target(&dialog).size, 0);
    test_free_all(NULL);
}

/* Texts of every length up to the limits are kept, and what was kept before stays as it is. */
static void test_long_texts(void **state)
{
    static const size_t sizes[] = { 1, 200, 230, 240, 260, 700, 1900 };
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        char rows_text[12000], line[2200], expected[16000];
        struct ahoy_buf rows = ahoy_buf_over(rows_text, sizeof rows_text - 1);
        struct ahoy_buf line_buf = ahoy_buf_over(line, sizeof line - 1);
        struct ahoy_buf all = ahoy_buf_over(expected, sizeof expected - 1);
        for (size_t route = 0; route < 3; route++) {
            put_long(&rows, "Record-Route: <sip:", sizes[i], "@p.example;lr>\r\n");
            put_long(&all, "Route: <sip:", sizes[i], "@p.example;lr>\r\n");
        }
        put_long(&rows, "Contact: <sip:", sizes[i], "@192.0.2.1>\r\n");
        put_long(&line_buf, "BYE sip:", sizes[i], "@192.0.2.1 SIP/2.0\r\n");
        ahoy_buf_put(&all, SPAN("Max-Forwards: 70\r\nFrom: <sip:bob@b.example>;tag=mine\r\n"
                                "To: <sip:alice@a.example>;tag=from\r\nCall-ID: c1\r\n"
                                "CSeq: 1 BYE\r\n"));
        rows_text[rows.size] = line[line_buf.size] = expected[all.size] = '\0';
        read_request(rows_text);
        assert_true(ahoy_dialog_from_request(&dialog, &message, &routing, SPAN("mine"), NULL));
        expect_request(AHOY_METHOD_BYE, 1, line, expected);
        /* A short target, and the long one again: 12.2.1.2. */
        read_request("Contact: <sip:short@192.0.2.1>\r\n");
        ahoy_dialog_refresh(&dialog, &message);
        assert_span(ahoy_dialog_target(&dialog), "sip:short@192.0.2.1");
        expect_request(AHOY_METHOD_BYE, 1, "BYE sip:short@192.0.2.1 SIP/2.0\r\n", expected);
        read_request(rows_text);
        ahoy_dialog_refresh(&dialog, &message);
        expect_request(AHOY_METHOD_BYE, 1, line, expected);
        /* In little memory, and out of it again, in a dialog that was another. */
        struct ahoy_dialog_kept kept;
        memset(&kept, 0xff, sizeof kept);
        assert_true(ahoy_dialog_keep(&dialog, &kept));
        read_request("Contact: <sip:short@192.0.2.1>\r\n");
        assert_true(ahoy_dialog_from_request(&dialog, &message, &routing, SPAN("other"), NULL));
        assert_true(ahoy_dialog_restore(&dialog, &kept));
        ahoy_dialog_kept_fini(&kept);
        expect_request(AHOY_METHOD_BYE, 1, line, expected);
        assert_int_equal(dialog.remote_cseq, routing.cseq.number);
        ahoy_dialog_fini(&dialog);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_callee),
        cmocka_unit_test(test_caller),
        cmocka_unit_test(test_caller_is_told_others),
        cmocka_unit_test(test_no_routes),
        cmocka_unit_test(test_a_route_given_beforehand),
        cmocka_unit_test(test_strict_route),
        cmocka_unit_test(test_remote_cseq),
        cmocka_unit_test(test_matching),
        cmocka_unit_test(test_refresh),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_begin),
        cmocka_unit_test(test_bad_uris_of_a_response),
        cmocka_unit_test(test_known_uris_of_a_response),
        cmocka_unit_test(test_known_target),
        cmocka_unit_test(test_old_peers),
        cmocka_unit_test(test_long_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
