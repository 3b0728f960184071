/* What a registrar gives to a phone, and how the phone uses it (RFC 3608 6.1). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/pair.h"

static struct pair pair;
static unsigned status;  /* What a REGISTER is answered, ... */
static const char *rows; /* ... and with which rows. */

static void registrar(struct pair *world, const struct ahoy_message *request)
{
    if (request->method == AHOY_METHOD_REGISTER)
        pair_reply(world, request, status, "r", rows, "");
    else if (request->method == AHOY_METHOD_INVITE)
        pair_reply(world, request, 486, "b", "", "");
}

static void register_with(unsigned answer, const char *granted)
{
    status = answer;
    rows = granted;
    ahoy_ua_register(pair.ends[ALICE].ua, 3600, pair.now_ms);
    pair_run(&pair, pair.now_ms + 1000);
}

static void begin(unsigned answer, const char *granted)
{
    pair_init(&pair);
    pair.script = registrar;
    register_with(answer, granted);
}

/* The value of |header| in the INVITE of a call; "" where there is none. */
static const char *called_with(enum ahoy_header header)
{
    static char value[1024];
    struct ahoy_ip media = { .family = AHOY_IPV4, .port = 4000, .bytes = { 192, 0, 2, 1 } };
    (void)ahoy_ua_call(pair.ends[ALICE].ua, SPAN("sip:bob@atlanta.example"), &media, pair.now_ms);
    pair_settle(&pair);
    pair_run(&pair, pair.now_ms + 15);
    const struct ahoy_message *invite = pair_received(&pair, BOB);
    assert_int_equal(invite->method, AHOY_METHOD_INVITE);
    const struct ahoy_field *field = ahoy_message_first(invite, header);
    struct ahoy_buf buf = ahoy_buf_over(value, sizeof value - 1);
    for (; field != NULL; field = ahoy_message_next(invite, field)) {
        if (buf.size > 0)
            ahoy_buf_put(&buf, SPAN(", "));
        ahoy_buf_put(&buf, field->value);
    }
    value[buf.size] = '\0';
    pair_run(&pair, pair.now_ms + 1000);
    return value;
}

/* R3608-6.1-1, R3608-6.1-2: in the order of the answer, in calls, and not in REGISTERs. */
static void test_calls_take_the_service_route(void **state)
{
    (void)state;
    begin(200, "Service-Route: <sip:p2.example;lr>, <sip:p3.example;lr;x=y>\r\n"
               "Service-Route: <sip:hsp.example;lr>\r\n");
    assert_string_equal(called_with(AHOY_HEADER_ROUTE),
                        "<sip:p2.example;lr>, <sip:p3.example;lr;x=y>, <sip:hsp.example;lr>");
    register_with(200, "Service-Route: <sip:new.example;lr>\r\n"); /* The latest counts. */
    assert_null(ahoy_message_first(pair_received(&pair, BOB), AHOY_HEADER_ROUTE));
    assert_string_equal(called_with(AHOY_HEADER_ROUTE), "<sip:new.example;lr>");
    register_with(200, "");
    assert_string_equal(called_with(AHOY_HEADER_ROUTE), "");
    pair_fini(&pair);
}

static void test_it_ends_with_the_registration(void **state)
{
    (void)state;
    begin(200, "Service-Route: <sip:p2.example;lr>\r\n");
    register_with(403, "");
    assert_string_equal(called_with(AHOY_HEADER_ROUTE), "");
    register_with(200, "Service-Route: <sip:p2.example;lr>\r\n");
    assert_string_equal(called_with(AHOY_HEADER_ROUTE), "<sip:p2.example;lr>");
    ahoy_ua_unregister(pair.ends[ALICE].ua, pair.now_ms);
    pair_run(&pair, pair.now_ms + 1000);
    assert_string_equal(called_with(AHOY_HEADER_ROUTE), "");
    pair_fini(&pair);
}

/* What cannot be read, or is too long, is passed over, and the registration stands. */
static void test_a_bad_one_is_none(void **state)
{
    static char huge[2048];
    (void)state;
    begin(200, "Service-Route: <sip:p2.example;lr>, <sip:\r\n");
    assert_int_equal(pair.ends[ALICE].news.kind, AHOY_NEWS_REGISTERED);
    assert_string_equal(called_with(AHOY_HEADER_ROUTE), "");
    snprintf(huge, sizeof huge, "Service-Route: <sip:%0*d.example;lr>\r\n",
             AHOY_SERVICE_ROUTE_LIMIT, 1);
    register_with(200, huge);
    assert_int_equal(pair.ends[ALICE].news.kind, AHOY_NEWS_REGISTERED);
    assert_string_equal(called_with(AHOY_HEADER_ROUTE), "");
    pair_fini(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls_take_the_service_route),
        cmocka_unit_test(test_it_ends_with_the_registration),
        cmocka_unit_test(test_a_bad_one_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
