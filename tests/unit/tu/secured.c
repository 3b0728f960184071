/* A user agent and keys of SRTP: they are told by TLS alone (RFC 4568 8.3), and a call that is
 * secured stays so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "libahoy/resolve/locate.h"
#include "libahoy/tu/ua.h"
#include "tests/support/layer.h"

#define KEY "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"
#define BODY                                                                                       \
    "v=0\r\no=- 1 1 IN IP4 192.0.2.2\r\ns=-\r\nc=IN IP4 192.0.2.2\r\n"                             \
    "t=0 0\r\nm=audio 10 "
#define CRYPTO "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" KEY "\r\n"

static struct layer layer;
static struct ahoy_ua *ua;
static struct ahoy_ua_news news;

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

static void open_ua(enum ahoy_transport transport)
{
    layer_init(&layer, transport);
    layer.listeners[LAYER_TCP].transport = AHOY_TLS;
    layer.listeners[LAYER_TCP].sent_by = SPAN("192.0.2.1:5061");
    layer.watch = &watch;
    const struct ahoy_ua_options options = { .transactions = layer.transactions,
                                             .account = { .uri = SPAN("sip:alice@a.example"),
                                                          .user = SPAN("alice"),
                                                          .domain = SPAN("a.example") },
                                             .server = layer.source,
                                             .locate = ahoy_locate,
                                             .t1_ms = 500,
                                             .t2_ms = 4000 };
    ua = ahoy_ua_new(&options);
    assert_non_null(ua);
}

static void close_ua(void)
{
    ahoy_ua_free(ua);
    layer_abort(&layer);
}

static void secure(enum ahoy_security wish)
{
    struct ahoy_sdp_security security = { .wish = wish };
    memset(security.masters, 7, sizeof security.masters);
    ahoy_ua_secure(ua, &security);
}

static bool calls(enum ahoy_security wish)
{
    secure(wish);
    struct ahoy_handle call =
        ahoy_ua_call(ua, SPAN("sip:bob@192.0.2.2"), &layer.source.remote, layer.now_ms);
    layer_drain(&layer);
    return call.generation != 0;
}

/* R4568-8.3-2: no key leaves but by TLS; what must have one is not called at all. */
static void test_calls(void **state)
{
    static const struct {
        enum ahoy_transport transport;
        enum ahoy_security wish;
        bool is_called, has_key;
    } rows[] = {
        { AHOY_TLS, AHOY_SECURITY_KEYS, true, true },
        { AHOY_TLS, AHOY_SECURITY_OPTIONAL, true, true },
        { AHOY_TLS, AHOY_SECURITY_OFF, true, false },
        { AHOY_UDP, AHOY_SECURITY_KEYS, false, false },
        { AHOY_UDP, AHOY_SECURITY_OPTIONAL, true, false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        open_ua(rows[i].transport);
        assert_int_equal(calls(rows[i].wish), rows[i].is_called);
        assert_int_equal(strstr(layer.sent, "a=crypto:1 ") != NULL, rows[i].has_key);
        close_ua();
        layer.sent[0] = '\0';
    }
}

/* A security serves one call. */
static void test_once(void **state)
{
    (void)state;
    open_ua(AHOY_TLS);
    assert_true(calls(AHOY_SECURITY_OPTIONAL));
    assert_non_null(strstr(layer.sent, "a=crypto:1 "));
    (void)ahoy_ua_call(ua, SPAN("sip:bob@192.0.2.2"), &layer.source.remote, layer.now_ms);
    layer_drain(&layer);
    assert_null(strstr(layer.sent, "a=crypto"));
    close_ua();
}

/* An INVITE of |cseq| with an offer of |media|; within the dialog where |tag| is ours. */
static void invite(unsigned cseq, const char *tag, const char *media)
{
    char body[1024], text[4096];
    int body_size = snprintf(body, sizeof body, BODY "%s", media);
    int size = snprintf(text, sizeof text,
                        "INVITE sip:alice@192.0.2.1 SIP/2.0\r\n"
                        "Via: SIP/2.0/%s 192.0.2.2;branch=z9hG4bK%u\r\nMax-Forwards: 70\r\n"
                        "From: <sip:b@b.example>;tag=1\r\nTo: <sip:alice@a.example>%s%s\r\n"
                        "Call-ID: 1\r\nCSeq: %u INVITE\r\nContact: <sip:b@192.0.2.2>\r\n"
                        "Content-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s",
                        layer.source.transport == AHOY_TLS ? "TLS" : "UDP", cseq,
                        tag[0] != '\0' ? ";tag=" : "", tag, cseq, body_size, body);
    assert_true(layer_receive(&layer, (struct span){ text, (size_t)size }));
    layer_drain(&layer);
}

static void answer(void)
{
    assert_true(ahoy_ua_poll(ua, &news));
    secure(AHOY_SECURITY_OPTIONAL);
    ahoy_ua_answer(ua, news.session, &layer.source.remote, layer.now_ms);
    layer_drain(&layer);
}

/* What was offered by UDP is not answered by a key: it is refused, or goes in plain. */
static void test_answers(void **state)
{
    static const struct {
        enum ahoy_transport transport;
        const char *media, *expected;
        bool has_key;
    } rows[] = {
        { AHOY_TLS, "RTP/SAVP 0\r\n" CRYPTO, "SIP/2.0 200 ", true },
        { AHOY_TLS, "RTP/AVP 0\r\n" CRYPTO, "SIP/2.0 200 ", true },
        { AHOY_UDP, "RTP/SAVP 0\r\n" CRYPTO, "SIP/2.0 488 ", false },
        { AHOY_UDP, "RTP/AVP 0\r\n" CRYPTO, "SIP/2.0 200 ", false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        open_ua(rows[i].transport);
        invite(1, "", rows[i].media);
        answer();
        assert_non_null(strstr(layer.sent, rows[i].expected));
        assert_int_equal(strstr(layer.sent, "a=crypto:1 ") != NULL, rows[i].has_key);
        close_ua();
    }
}

/* Of a call that is secured nothing makes a plain one, and the call goes on: R4568-5.1.4-1.  Nor do
 * we offer our keys by another way than TLS: the Contact that we have been told leads by UDP. */
static void test_stays_secured(void **state)
{
    char tag[64] = "";
    (void)state;
    open_ua(AHOY_TLS);
    invite(1, "", "RTP/AVP 0\r\n" CRYPTO);
    answer();
    const char *at = strstr(layer.sent, "To: <sip:alice@a.example>;tag=");
    assert_non_null(at);
    assert_int_equal(sscanf(at, "To: <sip:alice@a.example>;tag=%63[^\r]", tag), 1);
    invite(2, tag, "RTP/AVP 0\r\n" CRYPTO);
    assert_non_null(strstr(layer.sent, "SIP/2.0 200 "));
    invite(3, tag, "RTP/AVP 0\r\n");
    assert_non_null(strstr(layer.sent, "SIP/2.0 488 "));
    layer.sent[0] = '\0';
    ahoy_ua_hold(ua, news.session, layer.now_ms);
    layer_drain(&layer);
    assert_null(strstr(layer.sent, "a=crypto"));
    close_ua();
}

/* In a call that began in plain there may be a wish later; no key is told, as its Contact leads by
 * UDP. */
static void test_secured_later(void **state)
{
    char tag[64] = "", text[1024];
    (void)state;
    open_ua(AHOY_TLS);
    invite(1, "", "RTP/AVP 0\r\n");
    assert_true(ahoy_ua_poll(ua, &news));
    ahoy_ua_answer(ua, news.session, &layer.source.remote, layer.now_ms);
    layer_drain(&layer);
    const char *at = strstr(layer.sent, "To: <sip:alice@a.example>;tag=");
    assert_non_null(at);
    assert_int_equal(sscanf(at, "To: <sip:alice@a.example>;tag=%63[^\r]", tag), 1);
    int size = snprintf(text, sizeof text,
                        "ACK sip:alice@192.0.2.1 SIP/2.0\r\n"
                        "Via: SIP/2.0/TLS 192.0.2.2;branch=z9hG4bKa\r\nMax-Forwards: 70\r\n"
                        "From: <sip:b@b.example>;tag=1\r\nTo: <sip:alice@a.example>;tag=%s\r\n"
                        "Call-ID: 1\r\nCSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n",
                        tag);
    assert_true(layer_receive(&layer, (struct span){ text, (size_t)size }));
    layer_drain(&layer);
    struct ahoy_ip other = layer.source.remote;
    other.port++;
    secure(AHOY_SECURITY_OPTIONAL);
    layer.sent[0] = '\0';
    ahoy_ua_move(ua, news.session, &other, layer.now_ms);
    layer_drain(&layer);
    assert_non_null(strstr(layer.sent, "INVITE "));
    assert_null(strstr(layer.sent, "a=crypto"));
    close_ua();
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls),
        cmocka_unit_test(test_once),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_stays_secured),
        cmocka_unit_test(test_secured_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
