/* A user agent and sips: what must be safe leaves by TLS or not at all, and Contact says so
 * (RFC 3261 8.1.1.8, 8.1.2, 12.1.1; RFC 5630). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "libahoy/resolve/locate.h"
#include "libahoy/tu/ua.h"
#include "tests/support/layer.h"
#include "tests/support/pair.h"

static struct layer layer;
static struct ahoy_ua *ua;

static void take_event(struct layer *owner, const struct ahoy_event *event)
{
    ahoy_ua_step(ua, event, owner->now_ms);
}

static void take_sending(struct layer *owner, const struct ahoy_sending *sending)
{
    (void)sending; /* The layer has kept it. */
    owner->sent[owner->sent_size] = '\0';
}

static const struct layer_watch watch = { take_event, take_sending };

/* The user agent of |uri|, whose server is met by |transport|; it has a listener for UDP and one
 * for TLS. */
static void open_ua_of(struct span uri, enum ahoy_transport transport, struct span route)
{
    layer_init(&layer, transport);
    layer.listeners[LAYER_TCP].transport = AHOY_TLS;
    layer.listeners[LAYER_TCP].sent_by = SPAN("192.0.2.1:5061");
    layer.watch = &watch;
    const struct ahoy_ua_options options = { .transactions = layer.transactions,
                                             .account = { .uri = uri,
                                                          .user = SPAN("alice"),
                                                          .domain = SPAN("a.example"),
                                                          .realm = SPAN("a.example"),
                                                          .password = SPAN("secret") },
                                             .server = layer.source,
                                             .route = route,
                                             .locate = ahoy_locate,
                                             .t1_ms = 500,
                                             .t2_ms = 4000,
                                             .takes_transfers = true };
    ua = ahoy_ua_new(&options);
    assert_non_null(ua);
}

static void open_ua_with(enum ahoy_transport transport, struct span route)
{
    open_ua_of(SPAN("sip:alice@a.example"), transport, route);
}

static void open_ua(enum ahoy_transport transport)
{
    open_ua_with(transport, SPAN(""));
}

static void close_ua(void)
{
    ahoy_ua_free(ua);
    layer_abort(&layer);
}

static struct ahoy_handle call(struct span uri)
{
    layer.sent_size = 0;
    struct ahoy_handle handle = ahoy_ua_call(ua, uri, &layer.source.remote, layer.now_ms);
    layer_drain(&layer);
    return handle;
}

/* R3261-8.1.1.2-2, R3261-8.1.1.8-3, R3261-12.1.2-2, R5630-3.3-1, R5630-5.1.1-1, -2: sips stays
 * sips, and Contact is one; R3261-26.3.1-3. */
static void test_a_call_by_sips(void **state)
{
    (void)state;
    open_ua(AHOY_TLS);
    assert_int_not_equal(call(SPAN("sips:bob@192.0.2.2")).generation, 0);
    assert_int_equal(layer.sending.hop.transport, AHOY_TLS);
    assert_non_null(strstr(layer.sent, "INVITE sips:bob@192.0.2.2 SIP/2.0\r\n"));
    assert_non_null(strstr(layer.sent, "Contact: <sips:alice@192.0.2.1:5061>\r\n"));
    close_ua();
}

/* R5630-5.1.1.2-1: TLS alone makes no sips. */
static void test_a_call_by_sip(void **state)
{
    (void)state;
    open_ua(AHOY_TLS);
    assert_int_not_equal(call(SPAN("sip:bob@192.0.2.2")).generation, 0);
    assert_non_null(strstr(layer.sent, "INVITE sip:bob@192.0.2.2 SIP/2.0\r\n"));
    assert_non_null(strstr(layer.sent, "Contact: <sip:alice@192.0.2.1:5061;transport=tls>\r\n"));
    close_ua();
}

/* R3261-8.1.2-4: a server that is not met by TLS gets nothing that is sips. */
static void test_no_way_but_tls(void **state)
{
    (void)state;
    open_ua(AHOY_UDP);
    assert_int_equal(call(SPAN("sips:bob@192.0.2.2")).generation, 0);
    assert_int_equal(layer.sent_size, 0);
    assert_int_not_equal(call(SPAN("sip:bob@192.0.2.2")).generation, 0);
    assert_int_equal(layer.sending.hop.transport, AHOY_UDP);
    close_ua();
}

static char call_id[64], tag[64];

/* A call by sips is answered. */
static struct ahoy_handle establish(void)
{
    open_ua(AHOY_TLS);
    struct ahoy_handle session = call(SPAN("sips:bob@192.0.2.2"));
    char text[4096];
    const struct ahoy_response response = {
        .status = 200,
        .to_tag = SPAN("bobs"),
        .headers = SPAN("Record-Route: <sip:192.0.2.9;lr>\r\nContact: <sips:bob@192.0.2.2>\r\n"
                        "Content-Type: application/sdp\r\n"),
        .body = SPAN(PAIR_SDP("sendrecv"))
    };
    struct ahoy_buf buf = ahoy_buf_over(text, sizeof text);
    assert_true(ahoy_message_parse(layer_sent(&layer), &layer.parsed, NULL));
    ahoy_compose_response(&buf, &layer.parsed, &response);
    assert_true(layer_receive(&layer, ahoy_buf_text(&buf)));
    struct ahoy_routing routing;
    assert_true(ahoy_message_parse(layer_sent(&layer), &layer.parsed, NULL)); /* The ACK. */
    assert_true(ahoy_message_routing(&layer.parsed, &routing, NULL));
    snprintf(call_id, sizeof call_id, "%.*s", (int)routing.call_id.size, routing.call_id.at);
    snprintf(tag, sizeof tag, "%.*s", (int)routing.from_tag.size, routing.from_tag.at);
    return session;
}

/* Bob's request in that call; |rows| are further rows. */
static void from_bob(const char *method, unsigned cseq, const char *rows, const char *body)
{
    char text[2048];
    int size = snprintf(text, sizeof text,
                        "%s sips:alice@192.0.2.1:5061 SIP/2.0\r\n"
                        "Via: SIP/2.0/TLS 192.0.2.2;branch=z9hG4bKr%u\r\n"
                        "From: <sips:bob@192.0.2.2>;tag=bobs\r\n"
                        "To: <sip:alice@a.example>;tag=%s\r\nMax-Forwards: 70\r\n"
                        "Call-ID: %s\r\nCSeq: %u %s\r\nContact: <sips:bob@192.0.2.2>\r\n"
                        "%sContent-Length: %zu\r\n\r\n%s",
                        method, cseq, tag, call_id, cseq, method, rows, strlen(body), body);
    assert_true(layer_receive(&layer, (struct span){ text, (size_t)size }));
}

/* R3261-8.1.2-3: within the dialog the next Route is met by TLS though it is a sip URI. */
static void test_within_the_dialog(void **state)
{
    (void)state;
    (void)establish();
    assert_non_null(strstr(layer.sent, "ACK sips:bob@192.0.2.2 SIP/2.0\r\n"));
    assert_int_equal(layer.sending.hop.transport, AHOY_TLS);
    assert_int_equal(layer.sending.hop.remote.bytes[3], 9);
    assert_int_equal(layer.sending.hop.remote.port, 5061);
    close_ua();
}

/* R5630-5.1.1.3-1: nor does a peer send us elsewhere by less. */
static void test_a_transfer(void **state)
{
    static const char *const cases[][2] = { { "sip:carol@192.0.2.3", "SIP/2.0 603 " },
                                            { "sips:carol@192.0.2.3",
                                              "NOTIFY sips:bob@192.0.2.2 SIP/2.0\r\n" } };
    (void)state;
    (void)establish();
    for (unsigned i = 0; i < 2; i++) {
        char rows[64];
        snprintf(rows, sizeof rows, "Refer-To: <%s>\r\n", cases[i][0]);
        from_bob("REFER", i + 1, rows, "");
        assert_non_null(strstr(layer.sent, cases[i][1]));
    }
    close_ua();
}

/* R3261-12.2.1.1-17, R5630-5.1.1.2-2, R5630-5.1.2-6: what refreshes the target, and what answers
 * that, names one of sips. */
static void test_a_target_refresh(void **state)
{
    (void)state;
    struct ahoy_handle session = establish();
    from_bob("UPDATE", 1, "", "");
    assert_non_null(strstr(layer.sent, "SIP/2.0 200 OK\r\n"));
    assert_non_null(strstr(layer.sent, "Contact: <sips:alice@"));
    from_bob("INVITE", 2, PAIR_SDP_TYPE, PAIR_SDP("sendrecv"));
    assert_non_null(strstr(layer.sent, "SIP/2.0 200 OK\r\n"));
    assert_non_null(strstr(layer.sent, "Contact: <sips:alice@"));
    from_bob("ACK", 2, "", "");
    ahoy_ua_hold(ua, session, layer.now_ms);
    layer_drain(&layer);
    assert_non_null(strstr(layer.sent, "INVITE sips:bob@192.0.2.2 SIP/2.0\r\n"));
    assert_non_null(strstr(layer.sent, "Contact: <sips:alice@"));
    close_ua();
}

/* R3261-12.1.2-2, R5630-5.1.1-2, -5 and -6: a sips Route asks for as much, for a sip URI too. */
static void test_a_safe_route(void **state)
{
    (void)state;
    open_ua_with(AHOY_UDP, SPAN("<sips:192.0.2.9;lr>"));
    assert_int_equal(call(SPAN("sip:bob@192.0.2.2")).generation, 0);
    close_ua();
    open_ua_with(AHOY_TLS, SPAN("<sips:192.0.2.9;lr>"));
    assert_int_not_equal(call(SPAN("sip:bob@192.0.2.2")).generation, 0);
    assert_int_equal(layer.sending.hop.transport, AHOY_TLS);
    assert_non_null(strstr(layer.sent, "INVITE sip:bob@192.0.2.2 SIP/2.0\r\n"));
    assert_non_null(strstr(layer.sent, "Contact: <sips:alice@"));
    close_ua();
    open_ua_with(AHOY_TLS, SPAN("<sips:192.0.2.9>"));
    assert_int_not_equal(call(SPAN("sip:bob@192.0.2.2")).generation, 0);
    assert_int_equal(layer.sending.hop.transport, AHOY_TLS);
    assert_non_null(strstr(layer.sent, "INVITE sips:192.0.2.9 SIP/2.0\r\n"));
    close_ua();
}

/* R5630-5.1.1-3, R5630-A-1: who has no sips, or no TLS, is not called by sip instead. */
static void test_no_second_try(void **state)
{
    (void)state;
    static const unsigned statuses[] = { 416, 480 };
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        open_ua(AHOY_TLS);
        (void)call(SPAN("sips:bob@192.0.2.2"));
        char text[4096];
        const struct ahoy_response response = {
            .status = statuses[i],
            .to_tag = SPAN("bobs"),
            .headers = SPAN("Warning: 380 192.0.2.2 \"SIPS Not Allowed\"\r\n")
        };
        struct ahoy_buf buf = ahoy_buf_over(text, sizeof text);
        assert_true(ahoy_message_parse(layer_sent(&layer), &layer.parsed, NULL));
        ahoy_compose_response(&buf, &layer.parsed, &response);
        assert_true(layer_receive(&layer, ahoy_buf_text(&buf)));
        assert_non_null(strstr(layer.sent, "ACK sips:bob@192.0.2.2 SIP/2.0\r\n"));
        assert_int_equal(ahoy_ua_busy(ua), 0);
        close_ua();
    }
}

/* 8.1.3.4: sips is not left for a contact of a redirection that is none. */
static void test_redirected(void **state)
{
    (void)state;
    open_ua(AHOY_TLS);
    (void)call(SPAN("sips:bob@192.0.2.2"));
    for (size_t i = 0; i < 2; i++) {
        char text[4096];
        const struct ahoy_response response = {
            .status = 302,
            .to_tag = SPAN("bobs"),
            .headers = SPAN("Contact: <sip:c@192.0.2.2>, <sips:d@192.0.2.2>\r\n")
        };
        struct ahoy_buf buf = ahoy_buf_over(text, sizeof text);
        assert_true(ahoy_message_parse(layer_sent(&layer), &layer.parsed, NULL));
        ahoy_compose_response(&buf, &layer.parsed, &response);
        layer.sent_size = 0;
        assert_true(layer_receive(&layer, ahoy_buf_text(&buf)));
        assert_int_equal(strstr(layer.sent, "INVITE sips:d@192.0.2.2 SIP/2.0\r\n") != NULL, i == 0);
        assert_null(strstr(layer.sent, "INVITE sip:c@"));
    }
    assert_int_equal(ahoy_ua_busy(ua), 0);
    close_ua();
}

/* R5630-5.1.1.1-2, -3 and -5: one sip Contact, for a sip address-of-record, by TLS too. */
static void test_register(void **state)
{
    (void)state;
    open_ua(AHOY_TLS);
    ahoy_ua_register(ua, 3600, 0);
    layer_drain(&layer);
    assert_non_null(strstr(layer.sent, "REGISTER "));
    assert_non_null(strstr(layer.sent, "Contact: <sip:alice@"));
    assert_non_null(strstr(layer.sent, "From: <sip:alice@a.example>"));
    assert_non_null(strstr(layer.sent, "To: <sip:alice@a.example>"));
    assert_null(strstr(layer.sent, "sips:"));
    close_ua();
}

/* R5630-5.1.1.1-1, -4, R5630-A-2: who is called by sips registers one sips Contact, for himself, by
 * TLS and not without. */
static void test_register_by_sips(void **state)
{
    (void)state;
    open_ua_of(SPAN("sips:alice@a.example"), AHOY_TLS, SPAN(""));
    ahoy_ua_register(ua, 3600, 0);
    layer_drain(&layer);
    assert_int_equal(layer.sending.hop.transport, AHOY_TLS);
    assert_non_null(strstr(layer.sent, "REGISTER sips:a.example SIP/2.0\r\n"));
    assert_non_null(strstr(layer.sent, "Contact: <sips:alice@192.0.2.1:5061>\r\n"));
    assert_non_null(strstr(layer.sent, "From: <sips:alice@a.example>"));
    assert_non_null(strstr(layer.sent, "To: <sips:alice@a.example>"));
    close_ua();
    open_ua_of(SPAN("sips:alice@a.example"), AHOY_UDP, SPAN(""));
    layer.sent_size = 0;
    ahoy_ua_register(ua, 3600, 0);
    layer_drain(&layer);
    assert_int_equal(layer.sent_size, 0);
    close_ua();
}

/* What an INVITE says of itself, and the scheme of the Contact that answers it: R3261-12.1.1-4,
 * R5630-5.1.2-1, -2. */
static const struct {
    const char *uri, *rows, *contact;
} asked[] = {
    { "sips:alice@192.0.2.1", "Contact: <sips:b@192.0.2.2>\r\n", "Contact: <sips:" },
    { "sip:alice@192.0.2.1", "Contact: <sip:b@192.0.2.2>\r\n", "Contact: <sip:" },
    { "sip:alice@192.0.2.1", "Contact: <sips:b@192.0.2.2>\r\n", "Contact: <sips:" },
    { "sip:alice@192.0.2.1",
      "Record-Route: <sips:192.0.2.3;lr>, <sip:192.0.2.4;lr>\r\nContact: <sip:b@192.0.2.2>\r\n",
      "Contact: <sips:" },
    { "sip:alice@192.0.2.1", "Record-Route: <sip:192.0.2.3;lr>\r\nContact: <sips:b@192.0.2.2>\r\n",
      "Contact: <sip:" },
};

static void test_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
        open_ua(AHOY_TLS);
        char text[4096];
        int size = snprintf(text, sizeof text,
                            "INVITE %s SIP/2.0\r\nVia: SIP/2.0/TLS 192.0.2.2;branch=z9hG4bK1\r\n"
                            "Max-Forwards: 70\r\nFrom: <sip:b@b.example>;tag=1\r\n"
                            "To: <sip:alice@a.example>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n%s"
                            "Content-Length: 0\r\n\r\n",
                            asked[i].uri, asked[i].rows);
        assert_true(layer_receive(&layer, (struct span){ text, (size_t)size }));
        struct ahoy_ua_news news;
        assert_true(ahoy_ua_poll(ua, &news));
        ahoy_ua_answer(ua, news.session, &layer.source.remote, layer.now_ms);
        layer_drain(&layer);
        assert_non_null(strstr(layer.sent, "SIP/2.0 200 OK\r\n"));
        assert_non_null(strstr(layer.sent, asked[i].contact));
        close_ua();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_call_by_sips), cmocka_unit_test(test_a_call_by_sip),
        cmocka_unit_test(test_no_way_but_tls), cmocka_unit_test(test_within_the_dialog),
        cmocka_unit_test(test_a_transfer),     cmocka_unit_test(test_a_safe_route),
        cmocka_unit_test(test_no_second_try),  cmocka_unit_test(test_redirected),
        cmocka_unit_test(test_register),       cmocka_unit_test(test_register_by_sips),
        cmocka_unit_test(test_answers),        cmocka_unit_test(test_a_target_refresh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
