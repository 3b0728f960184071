/* What SUBSCRIBE and NOTIFY say (RFC 6665 8.2), the notifier by itself (4.2), and the document of
 * the registration event package (RFC 3680 5). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "libahoy/tu/notifier.h"
#include "libahoy/tu/reginfo.h"
#include "tests/support/bytes.h"

static struct ahoy_message message;
static struct ahoy_routing routing;
static struct ahoy_notifier notifier;
static struct ahoy_bindings before, current;
static char space[8192];

static void read(const char *method, unsigned cseq, const char *rows)
{
    char text[2048];
    snprintf(text, sizeof text,
             "%s sip:a@a.example SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa\r\n"
             "From: <sip:a@a.example>;tag=f\r\nTo: <sip:a@a.example>\r\nCall-ID: c\r\n"
             "Contact: <sip:a@192.0.2.1>\r\nCSeq: %u %s\r\n%s\r\n",
             method, cseq, method, rows);
    assert_true(ahoy_message_parse(test_text(text), &message, NULL));
    assert_true(ahoy_message_routing(&message, &routing, NULL));
}

/* R6665-3.1.1-1, -3, R6665-3.1.3-1, R6665-3.2.1-3, R6665-5.4.4-1, R6665-8.2.1-2. */
static void test_subscribe(void **state)
{
    static const struct {
        const char *rows;
        unsigned status; /* 0: read. */
        uint32_t expires_s;
    } cases[] = {
        { "Event: reg\r\n", 0, 3761 },
        { "o: reg;id=abc\r\nExpires: 100\r\n", 0, 100 },
        { "Event: reg\r\nExpires: 0\r\n", 0, 0 },
        { "Event: reg\r\nExpires: 59\r\n", 423, 0 },
        { "Event: reg\r\nExpires: 99999\r\n", 0, 7200 },
        { "Event: reg\r\nExpires: 99999999999\r\n", 400, 0 },
        { "Event: reg\r\nAccept: application/reginfo+xml;v=1\r\n", 0, 3761 },
        { "Event: reg\r\nAccept: text/html, */*\r\n", 0, 3761 },
        { "Event: reg\r\nAccept: text/*\r\n", 406, 0 },
        { "Event: Reg\r\n", 489, 0 },
        { "Event: reg, presence\r\n", 489, 0 },
        { "Event: presence\r\n", 489, 0 }, /* That we can only be told. */
        { "Event: reg.winfo\r\n", 489, 0 },
        { "", 489, 0 },
    };
    const struct ahoy_subscribe_limits limits = { 60, 7200 };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ahoy_subscribe subscribe;
        struct ahoy_err err = { 0 };
        read("SUBSCRIBE", 1, cases[i].rows);
        assert_int_equal(ahoy_subscribe_read(&message, &limits, &subscribe, &err),
                         cases[i].status == 0);
        assert_int_equal(err.status, cases[i].status);
        if (cases[i].status == 0)
            assert_int_equal(subscribe.expires_s, cases[i].expires_s);
    }
    test_free_all(NULL);
}

/* R6665-4.1.3-4 */
static void test_status(void **state)
{
    struct ahoy_subscription_status status;
    (void)state;
    read("NOTIFY", 1, "Subscription-State: pending;expires=7\r\n");
    assert_true(ahoy_subscription_status_read(&message, &status));
    assert_int_equal(status.state, AHOY_SUBSCRIPTION_PENDING);
    assert_true(status.has_expires && status.expires_s == 7);
    read("NOTIFY", 1, "Subscription-State: terminated;expires=7;reason=GiveUp;retry-after=3\r\n");
    assert_true(ahoy_subscription_status_read(&message, &status));
    assert_false(status.has_expires);
    assert_int_equal(status.reason, AHOY_SUBSCRIPTION_GIVEUP);
    assert_int_equal(status.retry_after_s, 3);
    read("NOTIFY", 1, "Subscription-State: ;\r\n");
    assert_false(ahoy_subscription_status_read(&message, &status));
    test_free_all(NULL);
}

/* R6665-4.2.2-2: exactly these. */
static void test_fatal_answers(void **state)
{
    static const unsigned fatal[] = { 404, 405, 410, 416, 480, 481, 482,
                                      483, 484, 485, 489, 501, 604 };
    size_t next = 0;
    (void)state;
    for (unsigned i = 100; i < 700; i++) {
        bool is_one = next < sizeof fatal / sizeof fatal[0] && fatal[next] == i;
        assert_int_equal(ahoy_subscription_is_ended_by(i), is_one);
        next += is_one;
    }
}

static const struct ahoy_handle first = { 1, 1 };

static void begin(uint32_t expires_s)
{
    const struct ahoy_subscribe subscribe = { .event = { &ahoy_event_reg, SPAN_INIT("9") },
                                              .expires_s = expires_s };
    read("SUBSCRIBE", 5, "Event: reg;id=9\r\n");
    assert_true(
        ahoy_notifier_begin(&notifier, &message, &routing, &subscribe, SPAN("t"), 1000, NULL));
}

static void expect_notify(uint64_t now_ms, const char *rows)
{
    char line_space[512];
    struct ahoy_buf line = ahoy_buf_over(line_space, sizeof line_space);
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    assert_true(ahoy_notifier_poll(&notifier, now_ms));
    ahoy_notifier_print(&notifier, 4, now_ms, &line, &buf);
    assert_span(ahoy_buf_text(&line), "NOTIFY sip:a@192.0.2.1 SIP/2.0\r\n");
    assert_span(ahoy_span_after(ahoy_buf_text(&buf), (size_t)(strstr(space, "CSeq") - space)),
                rows);
    ahoy_notifier_sent(&notifier, first, now_ms);
}

#define BODY "Content-Type: application/reginfo+xml\r\nContent-Length: 4\r\n\r\n"

static void answer(enum ahoy_event_kind kind)
{
    struct ahoy_message response = { .status = 200 };
    const struct ahoy_event event = { .kind = kind, .transaction = first, .message = &response };
    ahoy_notifier_step(&notifier, &event);
}

/* R6665-3.2.1-1, -2, R6665-4.2.1.2-1, R6665-4.2.2-3, -4: one at a time, the newest state wins. */
static void test_notifier(void **state)
{
    (void)state;
    begin(100);
    assert_int_equal(ahoy_notifier_deadline(&notifier), 0);
    expect_notify(1000, "CSeq: 1 NOTIFY\r\nEvent: reg;id=9\r\n"
                        "Subscription-State: active;expires=100\r\n" BODY);
    ahoy_notifier_change(&notifier);
    assert_false(ahoy_notifier_poll(&notifier, 9000)); /* The first is not answered. */
    assert_true(ahoy_notifier_deadline(&notifier) == UINT64_MAX);
    answer(AHOY_EVENT_RESPONSE);
    assert_int_equal(ahoy_notifier_deadline(&notifier), 6000);
    assert_false(ahoy_notifier_poll(&notifier, 5999));
    expect_notify(9500, "CSeq: 2 NOTIFY\r\nEvent: reg;id=9\r\n"
                        "Subscription-State: active;expires=91\r\n" BODY);
    assert_false(ahoy_notifier_poll(&notifier, 90000));
    answer(AHOY_EVENT_RESPONSE);
    assert_int_equal(ahoy_notifier_deadline(&notifier), 101000);
    expect_notify(101000, "CSeq: 3 NOTIFY\r\nEvent: reg;id=9\r\n"
                          "Subscription-State: terminated;reason=timeout\r\n" BODY);
    assert_int_equal(notifier.state, AHOY_NOTIFIER_ENDING);
    answer(AHOY_EVENT_RESPONSE);
    assert_int_equal(notifier.state, AHOY_NOTIFIER_OVER);
    assert_false(ahoy_notifier_poll(&notifier, 200000));
    test_free_all(NULL);
}

/* Timer F, and memory that is refused. */
static void test_notifier_fails(void **state)
{
    (void)state;
    begin(100);
    ahoy_notifier_sent(&notifier, first, 1000);
    answer(AHOY_EVENT_TIMEOUT);
    assert_int_equal(notifier.state, AHOY_NOTIFIER_OVER);
    begin(100);
    ahoy_notifier_sent(&notifier, (struct ahoy_handle){ 0, 0 }, 1000);
    assert_int_equal(notifier.state, AHOY_NOTIFIER_OVER);
    test_free_all(NULL);
}

static const char *document(uint64_t now_ms, const struct ahoy_bindings *told)
{
    struct ahoy_reginfo reginfo = { .aor = SPAN_INIT("a&b@a.example"), .version = 4 };
    ahoy_reginfo_compare(&reginfo, told, &current, now_ms);
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space - 1);
    ahoy_event_reg.print(&reginfo, &buf);
    assert_false(buf.overflow);
    space[buf.size] = '\0';
    return space;
}

static void bind(struct ahoy_bindings *bindings, const char *contact, const char *params,
                 uint32_t reg_id)
{
    const struct ahoy_binding binding = { .contact = ahoy_span(contact),
                                          .params = ahoy_span(params),
                                          .reg_id = reg_id,
                                          .call_id = SPAN_INIT("<\"\x01>"),
                                          .cseq = 3,
                                          .q = 1000,
                                          .expires_ms = 5000 };
    assert_true(ahoy_bindings_add(bindings, &binding));
}

/* R3680-5.1-1, -2, -3: strangers' bytes, among them what XML has no place for. */
static void test_escaping(void **state)
{
    (void)state;
    ahoy_bindings_init(&current);
    bind(&current, "sip:\xc3\xa4'\xff@\xef\xbf\xbf", ";x=\"a]]>&b\";y;expires=9", 0);
    assert_non_null(strstr(document(1000, NULL), "aor=\"sip:a&#38;b@a.example\" id=\"r\" "));
    assert_non_null(strstr(space, " expires=\"4\" callid=\"&#60;&#34;&#65533;&#62;\" cseq=\"3\">"
                                  "<uri>sip:\xc3\xa4'&#65533;@&#65533;</uri>"
                                  "<unknown-param name=\"x\">&#34;a]]&#62;&#38;b&#34;"
                                  "</unknown-param><unknown-param name=\"y\"></unknown-param>"
                                  "</contact>\n</registration>\n</reginfo>\n"));
}

/* R3680-5.1-13 to -15: flows of one URI are two contacts; each keeps its id. */
static void test_ids(void **state)
{
    char ids[2][14];
    (void)state;
    ahoy_bindings_init(&current);
    ahoy_bindings_init(&before);
    bind(&current, "sip:a@192.0.2.1", "", 1);
    bind(&current, "sip:a@192.0.2.1", "", 2);
    const char *at = document(1000, NULL);
    for (unsigned i = 0; i < 2; i++) {
        at = strstr(at, "<contact id=\"");
        assert_non_null(at);
        at += strlen("<contact id=\"");
        snprintf(ids[i], sizeof ids[i], "%s", at);
    }
    assert_string_not_equal(ids[0], ids[1]);
    ahoy_bindings_copy(&before, &current, 0);
    current.count = 1;
    at = strstr(document(1000, &before), ids[0]);
    assert_non_null(at);
    assert_memory_equal(at + 13, "\" state=\"active\" event=\"registered\"", 35);
    at = strstr(space, ids[1]);
    assert_non_null(at);
    assert_memory_equal(at + 13, "\" state=\"terminated\" event=\"unregistered\"", 41);
    assert_non_null(strstr(document(5000, &before), "event=\"expired\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_subscribe),
        cmocka_unit_test(test_status),
        cmocka_unit_test(test_fatal_answers),
        cmocka_unit_test(test_notifier),
        cmocka_unit_test(test_notifier_fails),
        cmocka_unit_test(test_escaping),
        cmocka_unit_test(test_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
