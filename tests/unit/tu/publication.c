/* Publishing, against a server of a few lines (RFC 3903 4, 5). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/pair.h"

static struct pair pair;
static unsigned status, served;
static const char *rows; /* Of the answer, where they are not the usual ones. */
static bool has_body, has_event;
static char match[64], expires[16];

static void keep(const struct ahoy_message *message, enum ahoy_header header, char *space,
                 size_t size)
{
    struct span text = ahoy_message_value(message, header);
    (void)snprintf(space, size, "%.*s", (int)text.size, text.size > 0 ? text.at : "");
}

/* Each 200 has another tag. */
static void server(struct pair *world, const struct ahoy_message *message)
{
    char taken[128];
    if (message->method != AHOY_METHOD_PUBLISH)
        return;
    served++;
    keep(message, AHOY_HEADER_SIP_IF_MATCH, match, sizeof match);
    keep(message, AHOY_HEADER_EXPIRES, expires, sizeof expires);
    has_body = message->body.size > 0;
    has_event = ahoy_span_equal(ahoy_message_value(message, AHOY_HEADER_EVENT), SPAN("presence"));
    (void)snprintf(taken, sizeof taken, "SIP-ETag: t%u\r\nExpires: %s\r\n%s", served, expires,
                   "Record-Route: <sip:192.0.2.7;lr>\r\n");
    if (status != 0)
        pair_reply(world, message, status, "n", status < 300 && rows[0] == '\0' ? taken : rows, "");
}

static bool publish(const char *document, uint32_t expires_s)
{
    const struct ahoy_published published = { .event = SPAN("presence"),
                                              .type = SPAN("application/pidf+xml"),
                                              .document = ahoy_span(document) };
    return ahoy_ua_publish(pair.ends[ALICE].ua, &published, expires_s, pair.now_ms);
}

static void begin(void)
{
    pair_init(&pair);
    pair.script = server;
    served = 0;
    status = 200;
    rows = "";
    assert_true(publish("<a/>", 1000));
    pair_run(&pair, 100);
}

static void expect(const char *if_match, bool body, const char *seconds)
{
    assert_string_equal(match, if_match);
    assert_int_equal(has_body, body);
    assert_string_equal(expires, seconds);
    assert_true(has_event);                                             /* R3903-4.1-1 */
    assert_true(strstr(pair.ends[BOB].received, "\r\nRoute:") == NULL); /* R3903-4-1, R3903-4-2 */
}

static void end(void)
{
    ahoy_ua_unpublish(pair.ends[ALICE].ua, pair.now_ms);
    pair_fini(&pair);
}

/* The four of table 1: R3903-4.2-1, -2; R3903-4.1-2, -3, R3903-4.3-1 to -3; R3903-4.4-1 to -3;
 * R3903-4.5-1, -2. */
static void test_table(void **state)
{
    (void)state;
    begin();
    expect("", true, "1000");
    pair_run(&pair, 900000); /* After 800 s it is refreshed. */
    assert_int_equal(served, 2);
    expect("t1", false, "1000");
    assert_true(publish("<b/>", 2000));
    pair_run(&pair, 900100);
    expect("t2", true, "2000");
    assert_true(strstr(pair.ends[BOB].received, "<b/>") != NULL);
    pair_forget(&pair);
    ahoy_ua_unpublish(pair.ends[ALICE].ua, pair.now_ms);
    pair_run(&pair, 900200);
    expect("t3", false, "0");
    pair_expect(&pair, "900100 alice > bob PUBLISH\n"
                       "900110 bob > alice 200 PUBLISH\n"
                       "900120 alice: publish ended 200\n");
    pair_fini(&pair);
    assert_int_equal(served, 4);
}

/* R3903-4-3: one request at a time; what is new, or the end, waits for its answer. */
static void test_one_at_a_time(void **state)
{
    (void)state;
    begin();
    assert_true(publish("<b/>", 1000));
    assert_true(publish("<c/>", 1000));
    pair_run(&pair, 115); /* The first has arrived, and is not answered yet. */
    assert_int_equal(served, 2);
    pair_run(&pair, 200);
    assert_int_equal(served, 3);
    assert_true(strstr(pair.ends[BOB].received, "<c/>") != NULL);
    expect("t2", true, "1000");
    assert_true(publish("<d/>", 1000));
    ahoy_ua_unpublish(pair.ends[ALICE].ua, pair.now_ms);
    pair_run(&pair, 300);
    assert_int_equal(served, 5);
    expect("t4", false, "0");
    pair_fini(&pair);
}

/* R3903-5-1, R3903-5-2: with 412 the tag is gone, and the document is handed in anew, once. */
static void test_gone(void **state)
{
    (void)state;
    begin();
    status = 412;
    pair_forget(&pair);
    pair_run(&pair, 800500);
    assert_int_equal(served, 3);
    expect("", true, "1000");
    pair_expect(&pair, "800020 alice > bob PUBLISH\n"
                       "800030 bob > alice 412 PUBLISH\n"
                       "800040 alice > bob PUBLISH\n"
                       "800050 bob > alice 412 PUBLISH\n"
                       "800060 alice: publish ended 412\n");
    pair_fini(&pair);
}

/* 423 is obeyed once; 401 is answered, for it is our server (R3903-14.1-1); what may pass is tried
 * again, and what may not is the end. */
static void test_failures(void **state)
{
    (void)state;
    begin();
    status = 423;
    rows = "Min-Expires: 3000\r\n";
    pair_run(&pair, 800100);
    expect("t1", false, "3000");
    assert_int_equal(pair.ends[ALICE].news.status, 423);
    pair_fini(&pair);
    begin();
    status = 503;
    pair_run(&pair, 800100);
    status = 200;
    pair_run(&pair, 840000);
    assert_int_equal(served, 3);
    expect("t1", false, "1000");
    end();
    begin();
    status = 401;
    rows = "WWW-Authenticate: Digest realm=\"atlanta.example\", nonce=\"n\"\r\n";
    pair_run(&pair, 800100);
    assert_true(strstr(pair.ends[BOB].received, "\r\nAuthorization: Digest ") != NULL);
    assert_int_equal(pair.ends[ALICE].news.status, 401);
    pair_fini(&pair);
}

/* What a 200 without a tag stands for cannot be refreshed; and what is no publication of ours is
 * refused. */
static void test_limits(void **state)
{
    const struct ahoy_published other = { .event = SPAN("dialog"),
                                          .type = SPAN("application/dialog-info+xml"),
                                          .document = SPAN("<a/>") };
    static char large[AHOY_UA_BODY_LIMIT];
    (void)state;
    memset(large, 'x', sizeof large - 1);
    begin();
    assert_false(publish("", 1000));
    assert_false(publish(large, 1000));
    assert_false(publish("<a/>", 0));
    assert_false(ahoy_ua_publish(pair.ends[ALICE].ua, &other, 1000, pair.now_ms));
    end();
    begin();
    rows = "Expires: 1000\r\n";
    pair_run(&pair, 800100);
    assert_int_equal(pair.ends[ALICE].news.kind, AHOY_NEWS_PUBLISH_ENDED);
    assert_int_equal(pair.ends[ALICE].news.status, 502);
    pair_fini(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),  cmocka_unit_test(test_one_at_a_time),
        cmocka_unit_test(test_gone),   cmocka_unit_test(test_failures),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
