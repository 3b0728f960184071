/* A user agent and ICE: what the peer says of it is told with what is agreed, our words are others
 * where his are (RFC 8839 4.4.2.1), and what checks have settled on is said alone (4.4.1.2.2). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "libahoy/resolve/locate.h"
#include "libahoy/tu/ua.h"
#include "tests/support/layer.h"

#define SETUP(setup)                                                                               \
    "v=0\r\no=- 1 1 IN IP4 192.0.2.2\r\ns=-\r\nc=IN IP4 192.0.2.2\r\nt=0 0\r\n"                    \
    "m=audio 10 UDP/TLS/RTP/SAVPF 0\r\na=rtcp-mux\r\n"                                             \
    "a=fingerprint:sha-256 7B:8B:F0:65:5F:78:E2:51:3B:AC:6F:F3:3F:46:1B:35:"                       \
    "DC:B8:5F:64:1A:24:C2:43:F0:A1:58:D0:A1:2C:19:08\r\na=setup:" setup "\r\n"
#define MEDIA SETUP("actpass")
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

/* What acknowledges a 2xx, with an answer or nothing. */
static void acknowledge(unsigned cseq, const char *body)
{
    char text[4096];
    int size = snprintf(text, sizeof text,
                        "ACK sip:alice@192.0.2.1 SIP/2.0\r\n"
                        "Via: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKack%u\r\nMax-Forwards: 70\r\n"
                        "From: <sip:b@b.example>;tag=1\r\nTo: <sip:alice@a.example>;tag=%s\r\n"
                        "Call-ID: 1\r\nCSeq: %u ACK\r\n%sContent-Length: %zu\r\n\r\n%s",
                        cseq, tag, cseq, body[0] != '\0' ? "Content-Type: application/sdp\r\n" : "",
                        strlen(body), body);
    assert_true(layer_receive(&layer, (struct span){ text, (size_t)size }));
    layer_drain(&layer);
}

static struct ahoy_handle establish(const char *body)
{
    open_ua();
    invite(1, body);
    answer();
    read_user();
    acknowledge(1, "");
    return news.session;
}

static const struct ahoy_sdp_settled settled = {
    .is_settled = true,
    .ours = { .ip = { .family = AHOY_IPV4, .port = 20000, .bytes = { 198, 51, 100, 7 } },
              .kind = AHOY_CANDIDATE_PEER,
              .priority = 77,
              .foundation = 49 },
    .theirs = { .family = AHOY_IPV4, .port = 30000, .bytes = { 203, 0, 113, 9 } },
};

static void expect_sent(const char *text)
{
    if (strstr(layer.sent, text) == NULL)
        print_error("%s", layer.sent);
    assert_non_null(strstr(layer.sent, text));
}

/* What we have said has |count| candidates. */
static void expect_candidates(unsigned count)
{
    for (const char *at = layer.sent; (at = strstr(at, "a=candidate:")) != NULL; at++)
        count--;
    assert_int_equal(count, 0);
}

static void settle(struct ahoy_handle session, bool controls)
{
    struct ahoy_sdp_settled on = settled;
    on.controls = controls;
    layer.sent[0] = '\0';
    ahoy_ua_settled(ua, session, &on, layer.now_ms);
    layer_drain(&layer);
}

/* R8839-4.4.1.2.2-1 and -2, R8839-4.4.2-1: nothing is sent for it by who does not control; what is
 * said from then on says it, and the origin stays (R3264-8-1). */
static void test_settled(void **state)
{
    (void)state;
    struct ahoy_handle session = establish(MEDIA ICE("8hhY"));
    settle(session, false);
    assert_string_equal(layer.sent, "");
    invite(2, MEDIA ICE("8hhY") "a=sendonly\r\n");
    expect_sent("SIP/2.0 200 ");
    expect_sent(" IN IP4 192.0.2.2\r\ns=-\r\nc=IN IP4 198.51.100.7\r\n");
    expect_sent("m=audio 20000 ");
    expect_candidates(1);
    expect_sent(" 198.51.100.7 20000 typ prflx ");
    assert_null(strstr(layer.sent, "remote-candidates"));
    acknowledge(2, "");
    ahoy_ua_hold(ua, session, layer.now_ms);
    layer_drain(&layer);
    expect_sent("INVITE ");
    expect_sent("m=audio 20000 ");
    assert_null(strstr(layer.sent, "remote-candidates"));
    close_ua();
}

/* R8839-4.3.4-1 and -2, R8839-4.4.1.2.2-3: who controls tells at once who does not know ice2, and
 * others later. */
static void test_controls(void **state)
{
    (void)state;
    struct ahoy_handle session = establish(MEDIA ICE("8hhY"));
    settle(session, true);
    expect_sent("INVITE ");
    expect_sent("m=audio 20000 ");
    expect_sent("a=remote-candidates:1 203.0.113.9 30000\r\n");
    expect_candidates(1);
    layer_answer(&layer, 488); /* Then a later one tells him. */
    ahoy_ua_hold(ua, session, layer.now_ms);
    layer_drain(&layer);
    expect_sent("a=sendonly\r\n");
    expect_sent("a=remote-candidates:1 203.0.113.9 30000\r\n");
    close_ua();
    session = establish(MEDIA "a=ice-options:ice2\r\n" ICE("8hhY"));
    settle(session, true);
    assert_string_equal(layer.sent, "");
    ahoy_ua_hold(ua, session, layer.now_ms);
    layer_drain(&layer);
    expect_sent("m=audio 20000 ");
    expect_sent("a=remote-candidates:1 203.0.113.9 30000\r\n");
    close_ua();
}

/* What was settled on is what stands in c= and m= already: nobody has to be told. */
static void test_default(void **state)
{
    (void)state;
    struct ahoy_handle session = establish(MEDIA ICE("8hhY"));
    struct ahoy_sdp_settled on = settled;
    on.controls = true;
    on.ours.ip = layer.source.remote;
    on.theirs = (struct ahoy_ip){ .family = AHOY_IPV4, .port = 10, .bytes = { 192, 0, 2, 2 } };
    layer.sent[0] = '\0';
    ahoy_ua_settled(ua, session, &on, layer.now_ms);
    layer_drain(&layer);
    assert_string_equal(layer.sent, "");
    on.theirs.port = 11; /* He is elsewhere. */
    ahoy_ua_settled(ua, session, &on, layer.now_ms);
    layer_drain(&layer);
    expect_sent("a=remote-candidates:1 192.0.2.2 11\r\n");
    close_ua();
}

/* R8839-4.4.2-2 and -3: the answer follows who controls, whether or not our checks have. */
static void test_chosen(void **state)
{
    (void)state;
    (void)establish(MEDIA ICE("8hhY"));
    invite(2, MEDIA ICE("8hhY") "a=remote-candidates:1 198.51.100.7 20000\r\n");
    expect_sent("c=IN IP4 198.51.100.7\r\n");
    expect_sent("m=audio 20000 ");
    expect_sent(" 198.51.100.7 20000 typ prflx ");
    expect_candidates(1);
    assert_null(strstr(layer.sent, "remote-candidates"));
    close_ua();
}

/* R8839-7.5-1: who asks for an offer within a call begins anew, with all candidates. */
static void test_asked(void **state)
{
    (void)state;
    struct ahoy_handle session = establish(MEDIA ICE("8hhY"));
    settle(session, true);
    layer_answer(&layer, 488); /* That he would not be told does not matter. */
    invite(2, "");
    read_user();
    assert_string_not_equal(user, "wwwwwwwwwwwww");
    expect_sent("c=IN IP4 192.0.2.2\r\n");
    assert_null(strstr(layer.sent, "remote-candidates"));
    acknowledge(2, SETUP("passive") ICE("9iiZ"));
    do {
        assert_true(ahoy_ua_poll(ua, &news));
    } while (news.kind != AHOY_NEWS_CHANGED);
    assert_memory_equal(news.agreed.secured.words.user, user, AHOY_ICE_USER_SIZE);
    assert_true(news.agreed.secured.has_offered);
    close_ua();
}

/* R8839-4.4.1.1.1-2: other words are a restart of ours; where it is refused all is as it was. */
static void test_own_restart(void **state)
{
    struct ahoy_sdp_security security = { .wish = AHOY_SECURITY_OPTIONAL, .can_shake = true };
    (void)state;
    struct ahoy_handle session = establish(MEDIA ICE("8hhY"));
    settle(session, false);
    memset(&security.handshake.ice.words, 'x', sizeof security.handshake.ice.words);
    ahoy_ua_secure(ua, &security);
    ahoy_ua_move(ua, session, &layer.source.remote, layer.now_ms);
    layer_drain(&layer);
    expect_sent("INVITE ");
    expect_sent("a=ice-ufrag:xxxxxxxxxxxxx\r\na=ice-pwd:xxxxxxxxxxxxxxxxxxxxxxxxxx\r\n");
    expect_sent("c=IN IP4 192.0.2.2\r\n");
    layer_answer(&layer, 488);
    ahoy_ua_hold(ua, session, layer.now_ms);
    layer_drain(&layer);
    expect_sent("a=ice-ufrag:wwwwwwwwwwwww\r\n");
    expect_sent("m=audio 20000 ");
    close_ua();
}

/* R8839-4.4.3.1-6 and -7: who goes on without ICE is followed, and offered it by other words later.
 * */
static void test_left(void **state)
{
    (void)state;
    struct ahoy_handle session = establish(MEDIA ICE("8hhY"));
    invite(2, MEDIA);
    expect_sent("SIP/2.0 200 ");
    assert_null(strstr(layer.sent, "a=candidate"));
    acknowledge(2, "");
    invite(3, MEDIA "a=sendonly\r\n");
    acknowledge(3, "");
    ahoy_ua_hold(ua, session, layer.now_ms);
    layer_drain(&layer);
    expect_sent("INVITE ");
    expect_candidates(1);
    assert_null(strstr(layer.sent, "a=ice-ufrag:wwwwwwwwwwwww\r\n"));
    close_ua();
}

/* R8839-4.2.5-2: an address that is none of the candidates was changed on the way. */
static void test_mismatch(void **state)
{
    (void)state;
    open_ua();
    invite(1, MEDIA "a=ice-ufrag:8hhY\r\na=ice-pwd:asd88fgpdd777uzjYhagZg\r\n"
                    "a=candidate:1 1 UDP 99 192.0.2.2 11 typ host\r\n");
    answer();
    expect_sent("SIP/2.0 200 ");
    expect_sent("a=ice-mismatch\r\n");
    expect_candidates(0);
    assert_null(strstr(layer.sent, "a=ice-ufrag"));
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
        cmocka_unit_test(test_restart), cmocka_unit_test(test_without),
        cmocka_unit_test(test_settled), cmocka_unit_test(test_controls),
        cmocka_unit_test(test_default), cmocka_unit_test(test_chosen),
        cmocka_unit_test(test_asked),   cmocka_unit_test(test_own_restart),
        cmocka_unit_test(test_left),    cmocka_unit_test(test_mismatch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
