/* A user agent and ICE: what the peer says of it is told with what is agreed, and our words are
 * others where his are (RFC 8839 4.4.2.1). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "libahoy/resolve/locate.h"
#include "libahoy/tu/ua.h"
#include "tests/support/layer.h"

#define PRINT                                                                                      \
    "a=fingerprint:sha-256 7B:8B:F0:65:5F:78:E2:51:3B:AC:6F:F3:3F:46:1B:35:"                       \
    "DC:B8:5F:64:1A:24:C2:43:F0:A1:58:D0:A1:2C:19:08\r\na=setup:actpass\r\n"
#define MEDIA                                                                                      \
    "v=0\r\no=- 1 1 IN IP4 192.0.2.2\r\ns=-\r\nc=IN IP4 192.0.2.2\r\nt=0 0\r\n"                    \
    "m=audio 10 UDP/TLS/RTP/SAVPF 0\r\na=rtcp-mux\r\n" PRINT
#define ICE(user)                                                                                  \
    "a=ice-ufrag:" user "\r\na=ice-pwd:asd88fgpdd777uzjYhagZg\r\n"                                 \
    "a=candidate:1 1 UDP 99 192.0.2.2 10 typ host\r\n"

static struct layer layer;
static struct ahoy_ua *ua;
static struct ahoy_ua_news news;
static char tag[64], user[16];

static void take_event(struct layer *owner, const struct ahoy_event *event)
{
    ahoy_ua_step(ua, event, owner->now_ms);
}

static void take_sending(struct layer *owner, const struct ahoy_sending *sending)
{
    (void)sending; /* The layer has kept it. */
    owner->sent[owner->sent_size] = '\0';
}

static void open_ua(void)
{
    static const struct layer_watch watch = { take_event, take_sending };
    layer_init(&layer, AHOY_UDP);
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
    tag[0] = '\0';
}

/* An INVITE of |cseq| with that body, within the dialog where there is one. */
static void invite(unsigned cseq, const char *body)
{
    char text[4096];
    int size = snprintf(text, sizeof text,
                        "INVITE sip:alice@192.0.2.1 SIP/2.0\r\n"
                        "Via: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK%u\r\nMax-Forwards: 70\r\n"
                        "From: <sip:b@b.example>;tag=1\r\nTo: <sip:alice@a.example>%s%s\r\n"
                        "Call-ID: 1\r\nCSeq: %u INVITE\r\nContact: <sip:b@192.0.2.2>\r\n"
                        "Content-Type: application/sdp\r\nContent-Length: %zu\r\n\r\n%s",
                        cseq, tag[0] != '\0' ? ";tag=" : "", tag, cseq, strlen(body), body);
    assert_true(layer_receive(&layer, (struct span){ text, (size_t)size }));
    layer_drain(&layer);
}

static void answer(void)
{
    struct ahoy_sdp_security security = { .wish = AHOY_SECURITY_OPTIONAL, .can_shake = true };
    assert_true(ahoy_ua_poll(ua, &news));
    memset(&security.handshake.ice.words, 'w', sizeof security.handshake.ice.words);
    ahoy_ua_secure(ua, &security);
    ahoy_ua_answer(ua, news.session, &layer.source.remote, layer.now_ms);
    layer_drain(&layer);
}

/* Our user fragment in what we have answered. */
static void read_user(void)
{
    const char *line = strstr(layer.sent, "a=ice-ufrag:");
    const char *to = strstr(layer.sent, "To: <sip:alice@a.example>;tag=");
    assert_non_null(strstr(layer.sent, "SIP/2.0 200 "));
    assert_true(line != NULL && to != NULL);
    assert_int_equal(sscanf(line, "a=ice-ufrag:%13[^\r]", user), 1);
    assert_int_equal(sscanf(to, "To: <sip:alice@a.example>;tag=%63[^\r]", tag), 1);
}

/* The news that say what was agreed, and the peer's lines with them. */
static void expect_told(enum ahoy_ua_news_kind kind, const char *their_user)
{
    struct ahoy_ice_peer peer;
    do {
        assert_true(ahoy_ua_poll(ua, &news));
    } while (news.kind != kind);
    assert_true(ahoy_sdp_read_ice(ahoy_ua_notice(ua), &peer));
    assert_int_equal(peer.user_size, strlen(their_user));
    assert_memory_equal(peer.user, their_user, peer.user_size);
    assert_int_equal(peer.count, 1);
    assert_memory_equal(news.agreed.secured.words.user, user, AHOY_ICE_USER_SIZE);
    assert_false(news.agreed.secured.has_offered);
}

/* R8839-4.4.2.1-1: as long as his words stay ours do; with others he begins anew, and we do. */
static void test_restart(void **state)
{
    char before[16];
    (void)state;
    open_ua();
    invite(1, MEDIA ICE("8hhY"));
    answer();
    read_user();
    assert_string_equal(user, "wwwwwwwwwwwww");
    expect_told(AHOY_NEWS_ANSWERED, "8hhY");
    invite(2, MEDIA ICE("8hhY") "a=sendonly\r\n");
    read_user();
    assert_string_equal(user, "wwwwwwwwwwwww");
    expect_told(AHOY_NEWS_CHANGED, "8hhY");
    invite(3, MEDIA ICE("9iiZ"));
    read_user();
    assert_string_not_equal(user, "wwwwwwwwwwwww");
    expect_told(AHOY_NEWS_CHANGED, "9iiZ");
    memcpy(before, user, sizeof before);
    invite(4, MEDIA ICE("9iiZ") "a=sendonly\r\n");
    read_user();
    assert_string_equal(user, before);
    close_ua();
}

/* R8839-4.3.2-7: who does not offer it gets none. */
static void test_without(void **state)
{
    (void)state;
    open_ua();
    invite(1, MEDIA);
    answer();
    assert_non_null(strstr(layer.sent, "SIP/2.0 200 "));
    assert_null(strstr(layer.sent, "a=ice"));
    assert_null(strstr(layer.sent, "a=candidate"));
    do {
        assert_true(ahoy_ua_poll(ua, &news));
    } while (news.kind != AHOY_NEWS_ANSWERED);
    assert_int_equal(ahoy_ua_notice(ua).size, 0);
    close_ua();
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_restart),
        cmocka_unit_test(test_without),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
