/* Registering over flows, against a registrar of a few lines (RFC 5626 4.2 to 4.5). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "libahoy/tu/registration.h"
#include "tests/support/pair.h"

#define INSTANCE SPAN("urn:uuid:00000000-0000-1000-8000-000a95a0e128")

static struct pair pair;
static unsigned status;  /* Of all REGISTERs. */
static const char *rows; /* Of the 200. */
static unsigned asked;
static char contacts[8][160], call_ids[8][64];
static char message_route[64];

static void keep(const struct ahoy_message *message, enum ahoy_header header, char *space,
                 size_t size)
{
    struct span text = ahoy_message_value(message, header);
    (void)snprintf(space, size, "%.*s", (int)text.size, text.size > 0 ? text.at : "");
}

static void registrar(struct pair *world, const struct ahoy_message *message)
{
    if (message->method == AHOY_METHOD_REGISTER) {
        keep(message, AHOY_HEADER_CONTACT, contacts[asked % 8], sizeof contacts[0]);
        keep(message, AHOY_HEADER_CALL_ID, call_ids[asked % 8], sizeof call_ids[0]);
        asked++;
    } else {
        keep(message, AHOY_HEADER_ROUTE, message_route, sizeof message_route);
    }
    if (status != 0)
        pair_reply(world, message, status, "r", rows, "");
}

static void begin_at(const char *granted, const struct ahoy_ua_server *more)
{
    pair_init_at(&pair, INSTANCE, more);
    pair.script = registrar;
    asked = 0;
    status = 200;
    rows = granted;
    ahoy_ua_register(pair.ends[ALICE].ua, 3600, pair.now_ms);
    pair_run(&pair, 100);
}

static void begin(const char *granted)
{
    begin_at(granted, NULL);
}

static bool alice_sent(const char *text)
{
    return strstr(pair.ends[BOB].received, text) != NULL;
}

static uint32_t kept_ms(size_t index)
{
    struct ahoy_hop flow;
    uint32_t keep_ms;
    bool is_kept = ahoy_ua_flow(pair.ends[ALICE].ua, index, &flow, &keep_ms);
    assert_int_equal(is_kept, keep_ms > 0);
    return keep_ms;
}

static void fail_flow(size_t index)
{
    ahoy_ua_flow_failed(pair.ends[ALICE].ua, index, pair.now_ms);
    pair_settle(&pair);
}

static void finish(void)
{
    status = 200;
    pair_fini(&pair);
}

/* R5626-4.2.1-3 to -5, -7: what a REGISTER says. */
static void test_register(void **state)
{
    (void)state;
    begin("Require: outbound\r\n");
    assert_string_equal(contacts[0],
                        "<sip:alice@192.0.2.1:5060>;reg-id=1;"
                        "+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-000a95a0e128>\"");
    assert_true(alice_sent("\r\nSupported: 100rel, timer, replaces, gruu, outbound, path\r\n"));
    finish();
}

/* R5626-4.4-1: as often as the server says, or the RFC; only where the server knows of flows. */
static void test_what_is_kept(void **state)
{
    static const struct {
        const char *rows;
        uint32_t keep_ms;
    } cases[] = {
        { "Require: outbound\r\n", 29000 },
        { "Require: path, outbound\r\nFlow-Timer: 100\r\n", 100000 },
        { "Require: outbound\r\nFlow-Timer: 0\r\n", 29000 },
        { "Flow-Timer: 100\r\n", 0 },
        { "Supported: outbound\r\n", 0 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        begin(cases[i].rows);
        assert_int_equal(kept_ms(0), cases[i].keep_ms);
        assert_int_equal(kept_ms(1), 0);
        finish();
    }
}

/* R5626-4.5-1: one that was good is replaced at once, and has the same number. */
static void test_a_flow_that_was_good(void **state)
{
    (void)state;
    begin("Require: outbound\r\n");
    ahoy_ua_flow_answered(pair.ends[ALICE].ua, 0);
    pair_run(&pair, 100000);
    fail_flow(0);
    assert_int_equal(kept_ms(0), 0);
    pair_run(&pair, 100100);
    assert_int_equal(asked, 2);
    assert_string_equal(contacts[1], contacts[0]);
    assert_int_equal(kept_ms(0), 29000);
    finish();
}

/* R5626-4.5-2: one that never answered is not, so that two who disagree do not spin. */
static void test_a_flow_that_was_not(void **state)
{
    (void)state;
    begin("Require: outbound\r\n");
    for (unsigned i = 1; i <= 3; i++) {
        uint64_t most_ms = UINT64_C(30000) << i;
        fail_flow(0);
        pair_run(&pair, pair.now_ms + most_ms / 2 - 1);
        assert_int_equal(asked, i);
        pair_run(&pair, pair.now_ms + most_ms / 2 + 100);
        assert_int_equal(asked, i + 1);
    }
    finish();
}

/* R5626-4.5-2: twice as long each time, up to half an hour, of which half is left to chance. */
static void test_the_wait(void **state)
{
    uint64_t least_ms = UINT64_MAX, most_ms = 0;
    (void)state;
    begin("Require: outbound\r\n");
    ahoy_ua_flow_answered(pair.ends[ALICE].ua, 0);
    status = 503;
    rows = "";
    fail_flow(0);
    pair_run(&pair, 200);
    for (unsigned i = 1; i <= 40; i++) {
        uint64_t bound_ms = i < 6 ? UINT64_C(30000) << i : 1800000;
        uint64_t began_ms = pair.now_ms;
        uint64_t wait_ms = ahoy_ua_deadline(pair.ends[ALICE].ua) - began_ms;
        assert_in_range(wait_ms, bound_ms / 2 - 200, bound_ms);
        if (i >= 6) {
            least_ms = wait_ms < least_ms ? wait_ms : least_ms;
            most_ms = wait_ms > most_ms ? wait_ms : most_ms;
        }
        pair_run(&pair, began_ms + wait_ms + 100);
        assert_int_equal(asked, 2 + i);
    }
    assert_in_range(most_ms - least_ms, 500000, 900000);
    finish();
}

static void send_message(void)
{
    const struct ahoy_ua_question question = { .method = AHOY_METHOD_MESSAGE,
                                               .uri = SPAN("sip:bob@192.0.2.2"),
                                               .type = SPAN("text/plain"),
                                               .body = SPAN("hello") };
    ahoy_ua_ask(pair.ends[ALICE].ua, &question, pair.now_ms);
    pair_run(&pair, pair.now_ms + 100);
}

/* R5626-4.2.1-1, -2, -5 and -6: two servers, a REGISTER to each, numbered as they always are; what
 * else there is goes by one that has us. */
static void test_two_servers(void **state)
{
    const struct ahoy_ua_server more = {
        .hop = { .transport = AHOY_UDP,
                 .listener = AHOY_ANY_LISTENER,
                 .remote = { .family = AHOY_IPV4, .port = 5060, .bytes = { 192, 0, 2, 2 } } },
        .route = SPAN("<sip:192.0.2.2;lr>"),
    };
    (void)state;
    for (int restarts = 0; restarts < 2; restarts++) {
        begin_at("Require: outbound\r\n", &more);
        assert_int_equal(asked, 2);
        assert_non_null(strstr(contacts[0], ";reg-id=1;"));
        assert_non_null(strstr(contacts[1], ";reg-id=2;"));
        assert_string_not_equal(call_ids[0], call_ids[1]);
        assert_true(alice_sent("\r\nRoute: <sip:192.0.2.2;lr>\r\n"));
        send_message();
        assert_string_equal(message_route, "");
        status = 503;
        rows = "";
        ahoy_ua_flow_answered(pair.ends[ALICE].ua, 0);
        fail_flow(0);
        pair_run(&pair, pair.now_ms + 100);
        assert_int_equal(asked, 3);
        /* One flow is left, so the other has time: 90 to 180 s. */
        pair_run(&pair, pair.now_ms + 89000);
        assert_int_equal(asked, 3);
        send_message();
        assert_string_equal(message_route, "<sip:192.0.2.2;lr>");
        pair_run(&pair, pair.now_ms + 92000);
        assert_int_equal(asked, 4);
        assert_string_equal(contacts[3], contacts[0]);
        finish();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_register),
        cmocka_unit_test(test_what_is_kept),
        cmocka_unit_test(test_a_flow_that_was_good),
        cmocka_unit_test(test_a_flow_that_was_not),
        cmocka_unit_test(test_the_wait),
        cmocka_unit_test(test_two_servers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
