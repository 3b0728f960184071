#include "tests/support/stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "libahoy/syntax/compose.h"
#include "libahoy/syntax/params.h"

const char STAGE_INVITE[] = "INVITE sip:bob@example.com SIP/2.0\r\n"
                            "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKa1\r\n"
                            "Max-Forwards: 70\r\n"
                            "From: <sip:alice@example.com>;tag=a\r\n"
                            "To: <sip:bob@example.com>\r\n"
                            "Call-ID: 1@192.0.2.10\r\n"
                            "CSeq: 1 INVITE\r\n"
                            "Contact: <sip:alice@192.0.2.10>\r\n"
                            "Content-Length: 5\r\n"
                            "\r\n"
                            "v=0\r\n";

const char STAGE_ACK[] = "ACK sip:bob@example.com SIP/2.0\r\n"
                         "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKa1\r\n"
                         "From: <sip:alice@example.com>;tag=a\r\n"
                         "To: <sip:bob@example.com>;tag=x\r\n"
                         "Call-ID: 1@192.0.2.10\r\n"
                         "CSeq: 1 ACK\r\n"
                         "\r\n";

const char STAGE_OPTIONS[] = "OPTIONS sip:bob@example.com SIP/2.0\r\n"
                             "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKo1\r\n"
                             "Max-Forwards: 70\r\n"
                             "From: <sip:alice@example.com>;tag=a\r\n"
                             "To: <sip:bob@example.com>\r\n"
                             "Call-ID: 1@192.0.2.10\r\n"
                             "CSeq: 1 OPTIONS\r\n"
                             "Content-Length: 0\r\n"
                             "\r\n";

static const struct {
    enum ahoy_transport transport;
    const char *host;
    const char *sent_by;
    const char *uri;
} listeners[STAGE_LISTENERS] = {
    { AHOY_UDP, "192.0.2.1", "192.0.2.1:5060", "sip:192.0.2.1:5060;transport=udp" },
    { AHOY_TCP, "192.0.2.1", "192.0.2.1:5060", "sip:192.0.2.1:5060;transport=tcp" },
    { AHOY_UDP, "2001:db8::1", "[2001:db8::1]:5060", "sip:[2001:db8::1]:5060;transport=udp" },
    { AHOY_TLS, "192.0.2.1", "192.0.2.1:5061", "sip:192.0.2.1:5061;transport=tls" },
    { AHOY_UDP, "198.51.100.1", "198.51.100.1:5060", "sip:198.51.100.1:5060;transport=udp" },
};

static const char *const targets[] = { "sip:bob@192.0.2.11", "sip:carol@192.0.2.12",
                                       "sip:dave@192.0.2.13" };

/* The bytes of the log: of one stage at a time, and not taken from an allocator that may be told to
 * fail. */
static char room[8 << 20];

static struct ahoy_ip ip_of(const char *text, uint16_t port)
{
    struct ahoy_ip ip = { .family = AHOY_NO_FAMILY };
    (void)ahoy_ip_parse(ahoy_span(text), &ip); /* Ours, and right. */
    ip.port = port;
    return ip;
}

static void init_peers(struct stage *stage)
{
    for (unsigned i = 0; i < STAGE_PEERS; i++) {
        struct ahoy_hop *hop = &stage->peers[i];
        *hop = (struct ahoy_hop){ .transport = AHOY_UDP,
                                  .listener = STAGE_UDP,
                                  .remote = ip_of("192.0.2.10", 5060) };
        hop->remote.bytes[3] = (uint8_t)(10 + i);
    }
}

static bool open_layers(struct stage *stage, uint32_t limit)
{
    const struct ahoy_transactions_options below = { .clocks = AHOY_DEFAULT_CLOCKS,
                                                     .limit = limit * (AHOY_TARGETS_LIMIT + 4),
                                                     .memory_limit = 16 << 20,
                                                     .seed = { 1, 2 },
                                                     .tag_key = { { 3, 4 } } };
    const struct ahoy_proxy_options options = {
        .limit = limit, .timer_c_ms = STAGE_TIMER_C_MS, .seed = { 5, 6 }, .loop_key = { { 7, 8 } }
    };
    stage->transactions = ahoy_transactions_new(&below, &stage->flows, &stage->timers);
    if (stage->transactions == NULL)
        return false;
    stage->proxy = ahoy_proxy_new(&options, stage->transactions, stage->now_ms);
    return stage->proxy != NULL;
}

bool stage_open(struct stage *stage, uint32_t limit)
{
    *stage = (struct stage){ .now_ms = 1000000 };
    for (size_t i = 0; i < STAGE_LISTENERS; i++)
        stage->listeners[i] = (struct ahoy_listener){ .transport = listeners[i].transport,
                                                      .local = ip_of(listeners[i].host, 5060),
                                                      .sent_by = ahoy_span(listeners[i].sent_by),
                                                      .uri = ahoy_span(listeners[i].uri) };
    const struct ahoy_flows_options options = { .listeners = stage->listeners,
                                                .listener_count = STAGE_LISTENERS,
                                                .limit = 4,
                                                .timers = &stage->timers };
    ahoy_timers_init(&stage->timers, stage->now_ms);
    ahoy_flows_init(&stage->flows, &options);
    init_peers(stage);
    stage_fork(stage, 1);
    if (open_layers(stage, limit))
        return true;
    stage_close(stage);
    return false;
}

void stage_close(struct stage *stage)
{
    ahoy_proxy_free(stage->proxy);
    if (stage->transactions != NULL)
        ahoy_transactions_free(stage->transactions);
    ahoy_flows_fini(&stage->flows);
}

void stage_init(struct stage *stage)
{
    assert_true(stage_open(stage, 100));
}

void stage_fini(struct stage *stage)
{
    stage_expect_silence(stage);
    /* Longer than any transaction of RFC 3261 lives, retransmissions and all. */
    stage->watch = NULL;
    stage->tap = NULL;
    stage_wait(stage, STAGE_TIMER_C_MS + 200000);
    assert_int_equal(ahoy_proxy_count(stage->proxy), 0);
    assert_int_equal(ahoy_proxy_open(stage->proxy), 0);
    assert_int_equal(ahoy_transactions_count(stage->transactions), 0);
    assert_true(ahoy_proxy_deadline(stage->proxy) == UINT64_MAX);
    stage_close(stage);
}

int stage_set_up(void **state)
{
    static struct stage stage;
    stage_init(&stage);
    *state = &stage;
    return 0;
}

int stage_tear_down(void **state)
{
    struct stage *stage = *state;
    stage_fini(stage);
    return 0;
}

void stage_fork(struct stage *stage, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *uri = targets[i < 3 ? i : 2];
        stage->targets[i] =
            (struct ahoy_proxy_target){ .uri = ahoy_span(uri), .hop = stage->peers[BOB + i] };
    }
    stage->plan.targets = stage->targets;
    stage->plan.count = count;
}

void stage_add_ways(struct stage *stage, const struct span *ways, size_t count)
{
    stage->targets[stage->plan.count++] = (struct ahoy_proxy_target){
        .uri = SPAN("sip:bob@biloxi.example"), .ways = ways, .way_count = count
    };
}

/* All that the proxy wishes for. */
static void take_wishes(struct stage *stage)
{
    struct ahoy_proxy_wish wish;
    while (ahoy_proxy_poll(stage->proxy, &wish)) {
        if (wish.kind == AHOY_WISH_REST) {
            assert_true(stage->rest_count < STAGE_WISHES_LIMIT);
            stage->rests[stage->rest_count++] = wish;
            continue;
        }
        assert_true(stage->wanted_count < STAGE_WISHES_LIMIT);
        struct stage_wanted *wanted = &stage->wanted[stage->wanted_count++];
        wanted->user = wish.user;
        wanted->is_secure = wish.is_secure;
        snprintf(wanted->uri, sizeof wanted->uri, "%.*s", (int)wish.uri.size, wish.uri.at);
    }
}

void stage_locate(struct stage *stage, const char *uri, const enum stage_peer *peers, size_t fresh)
{
    struct ahoy_hop hops[STAGE_PEERS];
    struct ahoy_proxy_found found = { .hops = hops, .status = 503 };
    assert_true(stage->wanted_read < stage->wanted_count);
    const struct stage_wanted *wanted = &stage->wanted[stage->wanted_read++];
    assert_string_equal(wanted->uri, uri);
    for (; peers != NULL && peers[found.count] != ALICE; found.count++)
        hops[found.count] = stage->peers[peers[found.count]];
    found.fresh = fresh < found.count ? fresh : found.count;
    ahoy_proxy_located(stage->proxy, wanted->user, &found, stage->now_ms);
    stage_turn(stage);
}

void stage_expect_rest(struct stage *stage, enum stage_peer peer, uint64_t rest_ms)
{
    assert_true(stage->rest_read < stage->rest_count);
    const struct ahoy_proxy_wish *rest = &stage->rests[stage->rest_read++];
    assert_true(ahoy_ip_equal(&rest->hop.remote, &stage->peers[peer].remote));
    assert_int_equal(rest->rest_ms, rest_ms);
}

void stage_transport(struct stage *stage, enum stage_peer peer, enum ahoy_transport transport)
{
    stage->peers[peer].transport = (uint8_t)transport;
    stage->peers[peer].listener = transport == AHOY_UDP   ? STAGE_UDP
                                  : transport == AHOY_TLS ? STAGE_TLS
                                                          : STAGE_TCP;
    stage_fork(stage, stage->plan.count);
}

static void record(struct stage *stage, const struct ahoy_sending *sending)
{
    if (stage->watch != NULL) {
        stage->watch(stage->watcher, sending);
        return;
    }
    assert_true(stage->count < STAGE_LOG_LIMIT);
    assert_true(sending->bytes.size <= sizeof room - stage->room_used);
    char *copy = room + stage->room_used;
    memcpy(copy, sending->bytes.at, sending->bytes.size);
    stage->room_used += sending->bytes.size;
    stage->log[stage->count++] = (struct stage_message){ .at_ms = stage->now_ms,
                                                         .hop = sending->hop,
                                                         .transaction = sending->transaction,
                                                         .bytes = { copy, sending->bytes.size } };
}

/* The q of |contact|, in thousandths: "0.7" or "1". */
static uint16_t q_of(const struct ahoy_address *contact)
{
    struct ahoy_param q;
    if (!ahoy_params_find(contact->params, SPAN("q"), &q) || q.value.size < 3)
        return 1000;
    return (uint16_t)(100 * (q.value.at[2] - '0'));
}

/* Follows the contacts that are addresses of peers; all else the policy forbids. */
static void follow(struct stage *stage, const struct ahoy_event *event,
                   struct ahoy_proxy_redirection *redirection)
{
    struct ahoy_values values = ahoy_message_values(event->message, AHOY_HEADER_CONTACT);
    struct ahoy_address contact;
    struct span text;
    stage->redirected++;
    stage->sender = redirection->sender;
    redirection->record_route_params = stage->plan.record_route_params;
    redirection->flow = stage->plan.flow;
    for (unsigned i = 0; ahoy_values_next(&values, &text, NULL); i++) {
        struct ahoy_proxy_target target = { .uri = SPAN("") };
        if (!ahoy_address_parse(text, &contact, NULL) ||
            !ahoy_ip_parse(contact.uri.host, &target.hop.remote))
            continue;
        target.uri = contact.uri.text;
        target.q = q_of(&contact);
        target.hop.transport = AHOY_UDP;
        target.hop.listener = STAGE_UDP;
        target.hop.remote.port = 5060;
        ahoy_proxy_add(stage->proxy, event, redirection, i, &target, 1);
    }
    ahoy_proxy_follow(stage->proxy, event, redirection, stage->now_ms);
}

/* The owner: what a server does with events, its policy being |plan|. */
static void take_event(struct stage *stage, const struct ahoy_event *event)
{
    struct ahoy_proxy_redirection redirection;
    if (stage->tap != NULL)
        stage->tap(stage->watcher, event);
    if (ahoy_proxy_redirects(stage->proxy, event, &redirection, stage->now_ms))
        follow(stage, event, &redirection);
    else if (event->kind == AHOY_EVENT_REQUEST)
        ahoy_proxy_start(stage->proxy, event, &stage->plan, stage->now_ms);
    else if (event->kind == AHOY_EVENT_ACK)
        ahoy_proxy_forward(stage->proxy, event, &stage->plan);
    else if (event->user != 0)
        ahoy_proxy_step(stage->proxy, event, stage->now_ms);
}

void stage_turn(struct stage *stage)
{
    struct ahoy_event event;
    struct ahoy_sending sending;
    bool busy;
    take_wishes(stage);
    do {
        busy = false;
        while (ahoy_transactions_event(stage->transactions, &event)) {
            take_event(stage, &event);
            take_wishes(stage);
            busy = true;
        }
        while (ahoy_transactions_poll(stage->transactions, &sending)) {
            record(stage, &sending);
            busy = true;
        }
    } while (busy);
    ahoy_transactions_settle(stage->transactions);
    if (stage->tap != NULL)
        stage->tap(stage->watcher, NULL);
}

void stage_hear(struct stage *stage, const struct ahoy_hop *hop, struct span text)
{
    struct ahoy_err err = { .expected = NULL };
    bool sound = ahoy_message_parse(text, &stage->message, &err) &&
                 ahoy_message_routing(&stage->message, &stage->routing, &err);
    if (!sound)
        fail_msg("unsound: expected %s in\n%.*s", err.expected, (int)text.size, text.at);
    struct ahoy_expected expected;
    ahoy_transactions_expect(stage->transactions, &stage->message, &stage->routing, &expected);
    ahoy_transactions_message(stage->transactions, &expected, hop, hop, stage->now_ms);
    stage_turn(stage);
}

void stage_say(struct stage *stage, enum stage_peer peer, const char *text)
{
    stage_hear(stage, &stage->peers[peer], ahoy_span(text));
}

static bool is_to(const struct stage *stage, const struct stage_message *message,
                  enum stage_peer peer)
{
    return ahoy_ip_equal(&message->hop.remote, &stage->peers[peer].remote);
}

static bool is_request(const struct stage_message *message, const char *method)
{
    struct span line = { message->bytes.at, ahoy_span_find(message->bytes, ' ') };
    if (method != NULL)
        return ahoy_span_equal(line, ahoy_span(method));
    return !ahoy_span_equal(line, SPAN("SIP/2.0")) && !ahoy_span_equal(line, SPAN("ACK")) &&
           !ahoy_span_equal(line, SPAN("CANCEL"));
}

/* 1 + the number of the last request of |method| to |peer|, or 0. */
static size_t find_request(const struct stage *stage, enum stage_peer peer, const char *method)
{
    size_t i = stage->count;
    while (i > 0 &&
           !(is_to(stage, &stage->log[i - 1], peer) && is_request(&stage->log[i - 1], method)))
        i--;
    return i;
}

bool stage_can_answer(const struct stage *stage, enum stage_peer peer)
{
    return find_request(stage, peer, NULL) > 0;
}

void stage_answer_to(struct stage *stage, enum stage_peer peer, const char *method, unsigned status,
                     const char *headers)
{
    size_t i = find_request(stage, peer, method);
    assert_true(i > 0);
    static struct ahoy_message request;
    assert_true(ahoy_message_parse(stage->log[i - 1].bytes, &request, NULL));
    char tag[] = { 't', (char)(peer < 10 ? '0' + peer : 'a' + peer - 10) };
    struct ahoy_response response = { .status = status,
                                      .to_tag = { tag, sizeof tag },
                                      .headers = ahoy_span(headers) };
    static char text[AHOY_MESSAGE_LIMIT];
    struct ahoy_buf buf = ahoy_buf_over(text, sizeof text);
    ahoy_compose_response(&buf, &request, &response);
    stage_hear(stage, &stage->peers[peer], ahoy_buf_text(&buf));
}

void stage_answer(struct stage *stage, enum stage_peer peer, unsigned status, const char *headers)
{
    stage_answer_to(stage, peer, NULL, status, headers);
}

void stage_lose(struct stage *stage, enum stage_peer peer)
{
    size_t i = stage->count;
    while (i > 0 && !is_to(stage, &stage->log[i - 1], peer))
        i--;
    assert_true(i > 0);
    ahoy_transactions_send_failed(stage->transactions, stage->log[i - 1].transaction,
                                  stage->now_ms);
    stage_turn(stage);
}

void stage_wait(struct stage *stage, uint64_t span_ms)
{
    uint64_t end = stage->now_ms + span_ms;
    for (;;) {
        uint64_t below = ahoy_timers_deadline(&stage->timers);
        uint64_t own = ahoy_proxy_deadline(stage->proxy);
        uint64_t next = below < own ? below : own;
        if (next > stage->now_ms)
            stage->now_ms = next < end ? next : end;
        struct ahoy_timer *timer = ahoy_timers_expire(&stage->timers, stage->now_ms);
        if (timer != NULL)
            ahoy_transactions_timer(stage->transactions, timer, stage->now_ms);
        else
            ahoy_proxy_expire(stage->proxy, stage->now_ms);
        stage_turn(stage);
        if (next > end)
            return;
    }
}

static struct span first_line(struct span text)
{
    return (struct span){ text.at, ahoy_span_find(text, '\r') };
}

static bool is_what(const struct stage_message *message, const char *what)
{
    if (what[0] >= 'A')
        return is_request(message, what);
    return ahoy_span_starts_nocase(message->bytes, SPAN("SIP/2.0 ")) &&
           memcmp(message->bytes.at + 8, what, 3) == 0;
}

void stage_check(struct stage *stage, enum stage_peer peer, const char *what, const char *file,
                 int line)
{
    if (stage->read == stage->count) {
        print_error("peer %d should get %s, and nothing left\n", (int)peer, what);
        _fail(file, line);
    }
    const struct stage_message *message = &stage->log[stage->read++];
    stage->last = message->bytes;
    if (is_to(stage, message, peer) && is_what(message, what))
        return;
    struct span start = first_line(message->bytes);
    print_error("peer %d should get %s; peer %d got %.*s\n", (int)peer, what,
                message->hop.remote.bytes[3] - 10, (int)start.size, start.at);
    _fail(file, line);
}

void stage_check_silence(struct stage *stage, const char *file, int line)
{
    if (stage->read == stage->count)
        return;
    const struct stage_message *message = &stage->log[stage->read];
    struct span start = first_line(message->bytes);
    print_error("nothing should leave; peer %d got %.*s\n", message->hop.remote.bytes[3] - 10,
                (int)start.size, start.at);
    _fail(file, line);
}

/* Whether |actual| is |text|, "BRANCH" standing for the rest of our Via. */
static bool matches(struct span actual, const char *text)
{
    size_t i = 0;
    while (*text != '\0') {
        if (strncmp(text, "BRANCH", 6) == 0) {
            text += 6;
            if (actual.size - i < 7 || memcmp(actual.at + i, "z9hG4bK", 7) != 0)
                return false;
            while (i < actual.size && strchr("\r,", actual.at[i]) == NULL)
                i++;
        } else if (i == actual.size || actual.at[i++] != *text++) {
            return false;
        }
    }
    return i == actual.size;
}

void stage_check_text(struct stage *stage, const char *text, const char *file, int line)
{
    if (matches(stage->last, text))
        return;
    print_error("should be\n%s\nbut is\n%.*s\n", text, (int)stage->last.size, stage->last.at);
    _fail(file, line);
}

void stage_check_invite(struct stage *stage, const char *uri, const char *rows, const char *file,
                        int line)
{
    char text[2048];
    int size = snprintf(text, sizeof text,
                        "INVITE %s SIP/2.0\r\n"
                        "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=BRANCH\r\n"
                        "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKa1\r\n"
                        "%s"
                        "Max-Forwards: 69\r\n"
                        "Max-Breadth: 60\r\n"
                        "From: <sip:alice@example.com>;tag=a\r\n"
                        "To: <sip:bob@example.com>\r\n"
                        "Call-ID: 1@192.0.2.10\r\n"
                        "CSeq: 1 INVITE\r\n"
                        "Contact: <sip:alice@192.0.2.10>\r\n"
                        "Content-Length: 5\r\n"
                        "\r\n"
                        "v=0\r\n",
                        uri, rows);
    assert_in_range(size, 1, sizeof text - 1);
    stage_check_text(stage, text, file, line);
}

bool stage_has(const struct stage *stage, const char *row)
{
    struct span rest = stage->last;
    struct span wanted = ahoy_span(row);
    while (rest.size > 0) {
        struct span line = first_line(rest);
        if (ahoy_span_equal(line, wanted))
            return true;
        rest = ahoy_span_after(rest, line.size + 2 < rest.size ? line.size + 2 : rest.size);
    }
    return false;
}
