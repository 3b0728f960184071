/* Phones that sleep, through the whole server (RFC 8599): what they are told when they register,
 * and how a request waits until they have woken. */
#include "tests/support/exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "ahoyd/push.h"
#include "ahoyd/push_refresh.h"
#include "ahoyd/sleepers.h"

static const char config[] =
    "listen \"udp:192.0.2.100:5060\"\n"
    "domain(\"open.example\", { auth = \"none\", insecure = true, default_expires = 3600 })\n"
    "domain(\"moved.example\", { auth = \"none\", insecure = true, mode = \"redirect\" })\n"
    "domain(\"order.example\", { auth = \"none\", insecure = true, ring = \"order\" })\n"
    "push { url = \"http://127.0.0.1:8099/wake\", providers = { \"fcm\", \"webpush\" } }\n"
    "store \"memory:\"\n";

#define CALLER "198.51.100.7:5060"
#define PHONE  "192.0.2.1:5060"
#define DESK   "192.0.2.2:5060"
#define PRID   ";pn-provider=fcm;pn-param=ahoy;pn-prid=abc"
#define MOBILE "Contact: <sip:bob@192.0.2.1" PRID ">"

static int setup(void **state)
{
    *state = exchange_new(config, 0);
    return 0;
}

static unsigned cseq = 1;

static unsigned registers_from(struct exchange *exchange, const char *peer, const char *rows)
{
    const struct ask ask = { .peer = peer,
                             .method = "REGISTER",
                             .uri = "sip:open.example",
                             .from = "sip:bob@open.example",
                             .to = "sip:bob@open.example",
                             .call_id = peer,
                             .cseq = cseq++,
                             .rows = rows };
    return exchange_ask(exchange, &ask);
}

static unsigned registers(struct exchange *exchange, const char *rows)
{
    return registers_from(exchange, PHONE, rows);
}

/* All Feature-Caps of the last answer, a line each. */
static const char *caps(struct exchange *exchange)
{
    static char text[512];
    struct ahoy_buf buf = ahoy_buf_over(text, sizeof text - 1);
    const struct ahoy_message *message = exchange_sent(exchange, 0);
    const struct ahoy_field *field = ahoy_message_first(message, AHOY_HEADER_FEATURE_CAPS);
    for (; field != NULL; field = ahoy_message_next(message, field)) {
        ahoy_buf_put(&buf, field->value);
        ahoy_buf_put_byte(&buf, '\n');
    }
    assert_false(buf.overflow);
    text[buf.size] = '\0';
    return text;
}

/* R8599-1-1, R8599-5.4-1 to -3, R8599-5.6.1-1, R8599-5.6.1.1-1, -2, -4 to -6, R8599-5.6.1.2-1,
 * -5 and -6, R8599-8.4-1, R8599-14.3.3-1 */
static void phones_are_told(void **state)
{
    static const struct {
        const char *rows, *caps;
    } cases[] = {
        { "Contact: <sip:bob@192.0.2.1>", "" },
        { MOBILE, "*;+sip.pns=\"fcm\"\n" },
        { MOBILE ";+sip.pnsreg", "*;+sip.pns=\"fcm\";+sip.pnsreg=\"180\"\n" },
        { MOBILE ";expires=239", "" }, /* It ends before it would be pushed. */
        { MOBILE ";expires=240", "*;+sip.pns=\"fcm\"\n" },
        { "Contact: <sip:bob@192.0.2.1;pn-provider=fcm;pn-prid=abc>", "" },
        { "Contact: <sip:bob@192.0.2.1;pn-provider=webpush;pn-prid=abc>",
          "*;+sip.pns=\"webpush\"\n" },
        /* Those who only ask. */
        { "Contact: <sip:bob@192.0.2.1;pn-provider=fcm>", "*;+sip.pns=\"fcm\"\n" },
        { "Contact: <sip:bob@192.0.2.1;pn-provider>",
          "*;+sip.pns=\"fcm\"\n*;+sip.pns=\"webpush\"\n" },
        /* Another proxy does it, or would have to. */
        { MOBILE "\r\nFeature-Caps: *;+sip.pns=\"fcm\"", "" },
        { MOBILE "\r\nSupported: path\r\nPath: <sip:edge.example;lr>", "" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char rows[256];
        snprintf(rows, sizeof rows, "%s\r\n", cases[i].rows);
        assert_int_equal(registers(*state, rows), 200);
        assert_string_equal(caps(*state), cases[i].caps);
    }
}

/* R8599-5.6.1.2-3 and -4: not where another proxy may have it; and all may leave. */
static void unknown_services_are_refused(void **state)
{
#define APNS "Contact: <sip:bob@192.0.2.1;pn-provider=apns"
    assert_int_equal(registers(*state, APNS ";pn-param=a;pn-prid=abc>\r\n"), 555);
    assert_int_equal(registers(*state, APNS ">\r\n"), 555);
    assert_int_equal(registers(*state, APNS ">\r\nFeature-Caps: *;+sip.pns=\"apns\"\r\n"), 200);
    assert_string_equal(caps(*state), "");
    assert_int_equal(registers(*state, APNS ">;expires=0\r\n"), 200);
    assert_int_equal(exchange_bindings(*state, "bob@open.example"), 0);
}

static unsigned asks(struct exchange *exchange, const char *method, const char *call_id,
                     const char *to_tag)
{
    const struct ask ask = { .peer = CALLER,
                             .method = method,
                             .uri = "sip:bob@open.example",
                             .from = "sip:x@far.example",
                             .to_tag = to_tag,
                             .call_id = call_id };
    return exchange_ask(exchange, &ask);
}

static void sleep_well(struct exchange *exchange, const char *rows)
{
    assert_int_equal(registers(exchange, rows), 200);
    exchange_wait(exchange, AHOYD_PUSH_AWAKE_MS);
    assert_int_equal(exchange->pusher.count, 0);
}

/* How many of |method|, or answers with |status|, have been sent just now. */
static unsigned count_sent(struct exchange *exchange, enum ahoy_method method, unsigned status)
{
    unsigned count = 0;
    for (size_t i = 0; i < exchange->count; i++) {
        const struct ahoy_message *message = exchange_sent(exchange, i);
        count += message->is_request ? message->method == method : message->status == status;
    }
    return count;
}

static unsigned status_to_caller(struct exchange *exchange)
{
    const struct ahoy_message *message = exchange_sent_to(exchange, CALLER);
    return message != NULL ? message->status : 0;
}

/*  caller > server  INVITE, twice
 *  server > hook    abc
 *  phone  > server  REGISTER, which is refused, and another: R8599-5.6.2-1 and -2
 *  server > phone   INVITE */
static void a_phone_is_woken(void **state)
{
    struct exchange *exchange = *state;
    sleep_well(exchange, MOBILE "\r\n");
    assert_int_equal(asks(exchange, "INVITE", "first", NULL), 100);
    assert_null(exchange_sent_to(exchange, PHONE));
    assert_string_equal(exchange->pusher.pushed, "fcm abc ahoy bob@open.example INVITE first");
    exchange->branches--;
    assert_int_equal(asks(exchange, "INVITE", "first", NULL), 100);
    assert_int_equal(exchange->pusher.count, 1);
    cseq--;
    assert_int_equal(registers(exchange, MOBILE "\r\n"), 500);
    assert_int_equal(exchange->count, 1);
    assert_int_equal(registers(exchange, MOBILE "\r\n"), 200);
    assert_int_equal(count_sent(exchange, AHOY_METHOD_INVITE, 200), 2);
    const struct ahoy_message *invite = exchange_sent_to(exchange, PHONE);
    assert_int_equal(invite->method, AHOY_METHOD_INVITE);
    assert_true(ahoy_span_equal(invite->request_uri, SPAN("sip:bob@192.0.2.1" PRID)));
    assert_int_equal(ahoyd_server_counters(exchange->server)->woken, 1);
    /* It is awake now. */
    assert_int_equal(asks(exchange, "INVITE", "second", NULL), 100);
    assert_non_null(exchange_sent_to(exchange, PHONE));
    assert_int_equal(exchange->pusher.count, 1);
}

/* R8599-5.3-1: another phone, or the same URI for another one to be pushed, is not it. */
static void another_is_not_it(void **state)
{
    struct exchange *exchange = *state;
    sleep_well(exchange, MOBILE "\r\n");
    assert_int_equal(asks(exchange, "INVITE", "call", NULL), 100);
#define OTHER(param) "Contact: <sip:bob@192.0.2.1;pn-provider=fcm;" param ">\r\n"
    assert_int_equal(registers(exchange, OTHER("pn-param=ahoy;pn-prid=abd")), 200);
    assert_int_equal(registers(exchange, OTHER("pn-param=ahoi;pn-prid=abc")), 200);
    exchange_wait(exchange, 19999);
    assert_int_equal(status_to_caller(exchange), 0);
    exchange_wait(exchange, 1);
    assert_int_equal(status_to_caller(exchange), 480); /* R8599-5.6.2-4 */
    assert_int_equal(ahoyd_server_counters(exchange->server)->not_woken, 1);
    assert_int_equal(registers(exchange, MOBILE "\r\n"), 200);
    assert_int_equal(exchange->count, 1);
}

/* By its instance it is, with another name at the push service (4.1.3). */
static void a_phone_is_renamed(void **state)
{
    struct exchange *exchange = *state;
    sleep_well(exchange, MOBILE ";+sip.instance=\"<urn:uuid:1>\"\r\n");
    assert_int_equal(asks(exchange, "INVITE", "call", NULL), 100);
    assert_int_equal(registers(exchange, "Contact: <sip:bob@192.0.2.1;pn-provider=fcm;pn-param=ahoy"
                                         ";pn-prid=new>;+sip.instance=\"<urn:uuid:1>\"\r\n"),
                     200);
    assert_int_equal(count_sent(exchange, AHOY_METHOD_INVITE, 0), 1);
}

/* It comes back from another address, and again: it rings once, where it is now. */
static void a_phone_moves(void **state)
{
    struct exchange *exchange = *state;
    const char *moved = "Contact: <sip:bob@192.0.2.2" PRID ">\r\n";
    sleep_well(exchange, MOBILE "\r\n");
    assert_int_equal(registers_from(exchange, DESK, moved), 200);
    exchange_wait(exchange, AHOYD_PUSH_AWAKE_MS);
    assert_int_equal(asks(exchange, "INVITE", "call", NULL), 100);
    assert_int_equal(ahoyd_server_counters(exchange->server)->parked, 1);
    assert_int_equal(
        registers_from(exchange, "192.0.2.3:5060", "Contact: <sip:bob@192.0.2.3" PRID ">\r\n"),
        200);
    assert_int_equal(count_sent(exchange, AHOY_METHOD_INVITE, 0), 1);
    const struct ahoy_message *invite = exchange_sent_to(exchange, "192.0.2.3:5060");
    assert_true(ahoy_span_equal(invite->request_uri, SPAN("sip:bob@192.0.2.3" PRID)));
}

/* What is no INVITE is answered while its sender still waits. */
static void a_message_waits_shorter(void **state)
{
    struct exchange *exchange = *state;
    sleep_well(exchange, MOBILE "\r\n");
    assert_int_equal(asks(exchange, "MESSAGE", "call", NULL), 0);
    exchange_wait(exchange, 15999);
    assert_true(status_to_caller(exchange) < 200);
    exchange_wait(exchange, 1);
    assert_int_equal(status_to_caller(exchange), 480);
}

static void a_cancelled_call_ends(void **state)
{
    struct exchange *exchange = *state;
    sleep_well(exchange, MOBILE "\r\n");
    assert_int_equal(asks(exchange, "INVITE", "call", NULL), 100);
    exchange->branches--;
    assert_int_equal(asks(exchange, "CANCEL", "call", NULL), 200);
    assert_int_equal(exchange_sent(exchange, 1)->status, 487);
    assert_int_equal(registers(exchange, MOBILE "\r\n"), 200);
    assert_int_equal(exchange->count, 1);
}

/* R8599-5.6.2-3; one push is for all that wait for the phone. */
static void a_push_fails(void **state)
{
    struct exchange *exchange = *state;
    sleep_well(exchange, MOBILE "\r\n");
    assert_int_equal(asks(exchange, "INVITE", "first", NULL), 100);
    assert_int_equal(asks(exchange, "INVITE", "second", NULL), 100);
    assert_int_equal(exchange->pusher.count, 1);
    exchange_fail_push(exchange);
    assert_int_equal(exchange->count, 2);
    assert_int_equal(exchange_sent(exchange, 0)->status, 480);
    assert_int_equal(exchange_sent(exchange, 1)->status, 480);
    exchange->pusher.refuses = true;
    assert_int_equal(asks(exchange, "INVITE", "third", NULL), 480);
    assert_int_equal(ahoyd_server_counters(exchange->server)->failed_pushes, 2);
}

/* A phone that does not hear is pushed again for whoever calls later. */
static void a_phone_is_pushed_again(void **state)
{
    struct exchange *exchange = *state;
    sleep_well(exchange, MOBILE "\r\n");
    assert_int_equal(asks(exchange, "INVITE", "first", NULL), 100);
    exchange_wait(exchange, AHOYD_PUSH_AGAIN_MS);
    assert_int_equal(asks(exchange, "INVITE", "second", NULL), 100);
    assert_int_equal(exchange->pusher.count, 2);
}

/* The phone on the desk rings at once; who answers there ends the waiting for the other. */
static void others_ring_meanwhile(void **state)
{
    struct exchange *exchange = *state;
    assert_int_equal(registers_from(exchange, DESK, "Contact: <sip:bob@192.0.2.2>\r\n"), 200);
    sleep_well(exchange, MOBILE "\r\n");
    assert_int_equal(asks(exchange, "INVITE", "call", NULL), 100);
    exchange_answer(exchange, DESK, 200, "Contact: <sip:bob@192.0.2.2>\r\n");
    assert_int_equal(status_to_caller(exchange), 200);
    assert_int_equal(exchange->count, 1); /* Nobody is told CANCEL. */
    assert_int_equal(registers(exchange, MOBILE "\r\n"), 200);
    assert_int_equal(exchange->count, 1);
}

/* R8599-5.5-1 */
static void a_phone_leaves(void **state)
{
    struct exchange *exchange = *state;
    sleep_well(exchange, MOBILE "\r\n");
    assert_int_equal(asks(exchange, "INVITE", "call", NULL), 100);
    assert_int_equal(registers(exchange, "Contact: <sip:bob@192.0.2.1>;expires=0\r\n"), 200);
    assert_int_equal(status_to_caller(exchange), 480);
    (void)asks(exchange, "INVITE", "next", NULL);
    assert_int_equal(exchange->pusher.count, 1);
}

/* What belongs to a dialog does not wait: the phone is awake for that. */
static void dialogs_go_on(void **state)
{
    struct exchange *exchange = *state;
    sleep_well(exchange, MOBILE "\r\n");
    (void)asks(exchange, "BYE", "call", "tag");
    assert_non_null(exchange_sent_to(exchange, PHONE));
    assert_int_equal(exchange->pusher.count, 0);
}

static void only_so_many_wait(void **state)
{
    struct exchange *exchange = *state;
    char call_id[32];
    sleep_well(exchange, MOBILE "\r\n");
    for (unsigned i = 0; i < AHOYD_WATCHES_AOR_LIMIT; i++) {
        snprintf(call_id, sizeof call_id, "call-%u", i);
        assert_int_equal(asks(exchange, "INVITE", call_id, NULL), 100);
    }
    assert_int_equal(asks(exchange, "INVITE", "more", NULL), 480);
    assert_int_equal(registers(exchange, MOBILE "\r\n"), 200);
    assert_int_equal(exchange->count, 1 + AHOYD_WATCHES_AOR_LIMIT);
}

/* A phone that is rung later is pushed when its turn comes, of however many calls at once. */
static void turns_come_together(void **state)
{
    struct exchange *exchange = *state;
    struct ask ask = { .peer = PHONE,
                       .method = "REGISTER",
                       .uri = "sip:order.example",
                       .from = "sip:bob@order.example",
                       .to = "sip:bob@order.example",
                       .rows = MOBILE ";q=0.5\r\n" };
    char call_id[32];
    assert_int_equal(exchange_ask(exchange, &ask), 200);
    exchange_bind(exchange, "bob@order.example", "sip:bob@192.0.2.2", DESK);
    exchange_wait(exchange, AHOYD_PUSH_AWAKE_MS);
    ask = (struct ask){ .peer = CALLER,
                        .method = "INVITE",
                        .uri = "sip:bob@order.example",
                        .from = "sip:x@far.example",
                        .call_id = call_id };
    for (unsigned i = 0; i < 40; i++) {
        snprintf(call_id, sizeof call_id, "call-%u", i);
        assert_int_equal(exchange_ask(exchange, &ask), 100);
        assert_non_null(exchange_sent_to(exchange, DESK));
    }
    exchange_wait(exchange, 19999);
    assert_int_equal(exchange->pusher.count, 0);
    exchange_wait(exchange, 1);
    assert_int_equal(exchange->pusher.count, 1);
    assert_int_equal(ahoyd_server_counters(exchange->server)->parked, AHOYD_WATCHES_AOR_LIMIT);
}

/* R8599-13-3: a redirection tells the caller nothing of it. */
static void others_see_nothing(void **state)
{
    struct exchange *exchange = *state;
    exchange_bind(exchange, "bob@moved.example", "sip:bob@192.0.2.1" PRID ";ob", PHONE);
    const struct ask ask = { .peer = CALLER,
                             .method = "INVITE",
                             .uri = "sip:bob@moved.example",
                             .from = "sip:x@far.example" };
    assert_int_equal(exchange_ask(exchange, &ask), 302);
    assert_string_equal(exchange_value(exchange_sent(exchange, 0), AHOY_HEADER_CONTACT),
                        "<sip:bob@192.0.2.1;ob>;expires=3600");
}

/* RFC 8599 5.5: once, and early enough. */
static void bindings_are_refreshed(void **state)
{
    struct exchange *exchange = *state;
    struct ahoyd_push_refresh refresh = { .config = exchange->config,
                                          .store = exchange->store,
                                          .pusher = &exchange->pusher.base,
                                          .until_ms = exchange->now_ms };
    assert_int_equal(registers(exchange, MOBILE ";expires=300\r\n"), 200);
    for (unsigned s = 0; s <= 300; s += 30) {
        ahoyd_push_refresh(&refresh, exchange->now_ms + s * 1000);
        assert_int_equal(exchange->pusher.count, s < 150 ? 0 : 1);
    }
    assert_string_equal(exchange->pusher.pushed, "fcm abc ahoy bob@open.example REGISTER ");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, exchange_teardown)
    const struct CMUnitTest tests[] = {
        TEST(phones_are_told),
        TEST(unknown_services_are_refused),
        TEST(a_phone_is_woken),
        TEST(another_is_not_it),
        TEST(a_phone_is_renamed),
        TEST(a_phone_moves),
        TEST(a_message_waits_shorter),
        TEST(a_cancelled_call_ends),
        TEST(a_push_fails),
        TEST(a_phone_is_pushed_again),
        TEST(others_ring_meanwhile),
        TEST(a_phone_leaves),
        TEST(dialogs_go_on),
        TEST(only_so_many_wait),
        TEST(others_see_nothing),
        TEST(turns_come_together),
        TEST(bindings_are_refreshed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
