/* What a registrar gives to a phone, and how the phone uses it (RFC 3608 6.1, RFC 5627 4). */
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
    pair_init_as(&pair, SPAN("urn:uuid:1"));
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

#define OURS "Contact: <sip:alice@192.0.2.1:5060>;expires=3600"

/* R5627-4.1-1 to -6, R3840-6-2: what a REGISTER says, each time with one Call-ID. */
static void test_a_gruu_is_asked_for(void **state)
{
    struct ahoy_address contact, to;
    char call_id[64];
    (void)state;
    begin(200, "");
    const struct ahoy_message *request = pair_received(&pair, BOB);
    struct span value = ahoy_message_value(request, AHOY_HEADER_CONTACT);
    assert_true(ahoy_span_equal(value, SPAN("<sip:alice@192.0.2.1:5060>;reg-id=1;+sip.instance="
                                            "\"<urn:uuid:1>\"")));
    assert_true(ahoy_span_equal(ahoy_message_value(request, AHOY_HEADER_SUPPORTED),
                                SPAN("100rel, timer, replaces, gruu, outbound, path")));
    assert_true(ahoy_address_parse(value, &contact, NULL));
    assert_true(ahoy_address_parse(ahoy_message_value(request, AHOY_HEADER_TO), &to, NULL));
    assert_false(ahoy_uri_equal(&contact.uri, &to.uri));
    value = ahoy_message_value(request, AHOY_HEADER_CALL_ID);
    snprintf(call_id, sizeof call_id, "%.*s", (int)value.size, value.at);
    /* Though it has a GRUU now, that is not what it registers. */
    register_with(200, OURS ";pub-gruu=\"sip:alice@atlanta.example;gr=urn:uuid:1\"\r\n");
    register_with(200, "");
    request = pair_received(&pair, BOB);
    assert_true(
        ahoy_span_equal(ahoy_message_value(request, AHOY_HEADER_CALL_ID), ahoy_span(call_id)));
    assert_true(ahoy_span_equal(ahoy_message_value(request, AHOY_HEADER_CONTACT),
                                SPAN("<sip:alice@192.0.2.1:5060>;reg-id=1;+sip.instance="
                                     "\"<urn:uuid:1>\"")));
    pair_fini(&pair);
}

/* R5627-4.2-1, -2, -6 to -9, R5627-4.4-1: either kind or none, as it was told, and the newest. */
static void test_a_gruu_is_its_contact(void **state)
{
    static const char bare[] = "<sip:alice@192.0.2.1:5060>";
    (void)state;
    begin(200, OURS ";temp-gruu=\"sip:t@atlanta.example;gr\""
                    ";pub-gruu=\"sip:%61lice@Atlanta.Example;x=%59;gr=urn:uuid:1\"\r\n");
    assert_string_equal(called_with(AHOY_HEADER_CONTACT),
                        "<sip:%61lice@Atlanta.Example;x=%59;gr=urn:uuid:1>");
    register_with(200, OURS ";pub-gruu=\"sip:alice@b.example;gr=\\urn:uuid:1\"\r\n");
    assert_string_equal(called_with(AHOY_HEADER_CONTACT), "<sip:alice@b.example;gr=urn:uuid:1>");
    register_with(200, OURS ";temp-gruu=\"sip:t@atlanta.example;gr\"\r\n");
    assert_string_equal(called_with(AHOY_HEADER_CONTACT), "<sip:t@atlanta.example;gr>");
    register_with(200, OURS "\r\n");
    assert_string_equal(called_with(AHOY_HEADER_CONTACT), bare);
    register_with(200, OURS ";pub-gruu=\"tel:+1\"\r\n");
    assert_string_equal(called_with(AHOY_HEADER_CONTACT), bare);
    register_with(200, OURS ";pub-gruu=\"sip:\"\r\n");
    assert_string_equal(called_with(AHOY_HEADER_CONTACT), bare);
    /* Another phone's. */
    register_with(200, "Contact: <sip:alice@192.0.2.9>;pub-gruu=\"sip:alice@x;gr=y\"\r\n");
    assert_string_equal(called_with(AHOY_HEADER_CONTACT), bare);
    pair_fini(&pair);
}

/* A GRUU of sip is not a Contact where that must be sips; and it must not be changed. */
static void test_a_gruu_is_not_made_safe(void **state)
{
    static struct ahoy_ua_context context;
    static char text[512];
    (void)state;
    begin(200, "");
    context.transactions = ahoy_stack_transactions(pair.ends[ALICE].stack);
    context.account.user = SPAN("alice");
    context.granted.gruu_size = strlen("sip:a@b;gr");
    memcpy(context.granted.gruu, "sip:a@b;gr", context.granted.gruu_size);
    for (unsigned is_sips = 0; is_sips < 2; is_sips++) {
        struct ahoy_buf buf = ahoy_buf_over(text, sizeof text - 1);
        const struct ahoy_hop hop = { .transport = AHOY_UDP, .listener = AHOY_ANY_LISTENER };
        ahoy_ua_put_contact(&context, &hop, is_sips == 1, &buf);
        text[buf.size] = '\0';
        assert_non_null(strstr(text, is_sips == 1 ? "<sips:alice@" : "<sip:a@b;gr>"));
    }
    pair_fini(&pair);
}

/* R5627-4.4-2 */
static void test_a_gruu_ends_with_its_registration(void **state)
{
    (void)state;
    begin(200, OURS ";pub-gruu=\"sip:alice@atlanta.example;gr=urn:uuid:1\"\r\n");
    ahoy_ua_unregister(pair.ends[ALICE].ua, pair.now_ms);
    pair_run(&pair, pair.now_ms + 1000);
    assert_string_equal(called_with(AHOY_HEADER_CONTACT), "<sip:alice@192.0.2.1:5060>");
    pair_fini(&pair);
}

/* R5627-4.2-4: nobody answers the refresh, and it has failed before the registration ends. */
static void test_a_refresh_is_over_in_time(void **state)
{
    static const unsigned seconds[] = { 66, 70, 100, 170, 200 };
    char rows_of[128];
    (void)state;
    for (size_t i = 0; i < sizeof seconds / sizeof seconds[0]; i++) {
        snprintf(rows_of, sizeof rows_of, "Contact: <sip:alice@192.0.2.1:5060>;expires=%u\r\n",
                 seconds[i]);
        begin(200, rows_of);
        pair_lose(&pair, "REGISTER", 11);
        pair_run(&pair, seconds[i] * 1000);
        assert_int_equal(pair.ends[ALICE].news.kind, AHOY_NEWS_REGISTRATION_FAILED);
        pair_run(&pair, 700000);
        ahoy_ua_unregister(pair.ends[ALICE].ua, pair.now_ms);
        pair_run(&pair, pair.now_ms + 1000);
        pair_fini(&pair);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls_take_the_service_route),
        cmocka_unit_test(test_it_ends_with_the_registration),
        cmocka_unit_test(test_a_bad_one_is_none),
        cmocka_unit_test(test_a_gruu_is_asked_for),
        cmocka_unit_test(test_a_gruu_is_its_contact),
        cmocka_unit_test(test_a_gruu_ends_with_its_registration),
        cmocka_unit_test(test_a_gruu_is_not_made_safe),
        cmocka_unit_test(test_a_refresh_is_over_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
