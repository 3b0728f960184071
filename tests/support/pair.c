/* Two user agents and the wire between them. */
#include "tests/support/pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "libahoy/resolve/locate.h"
#include "libahoy/syntax/compose.h"

static void trace(struct pair *pair, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void trace(struct pair *pair, const char *format, ...)
{
    char line[256];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    assert_in_range(size, 1, sizeof line - 1);
    ahoy_buf_put(&pair->trace, (struct span){ line, (size_t)size });
    assert_false(pair->trace.overflow);
}

void pair_forget(struct pair *pair)
{
    pair->trace = ahoy_buf_over(pair->trace_space, sizeof pair->trace_space - 1);
}

void pair_expect(struct pair *pair, const char *lines)
{
    pair->trace_space[pair->trace.size] = '\0';
    assert_string_equal(pair->trace_space, lines);
    pair_forget(pair);
}

static void init_end(struct pair *pair, unsigned index, struct span instance,
                     const struct ahoy_ua_server *more)
{
    static const struct span users[] = { SPAN_INIT("alice"), SPAN_INIT("bob") };
    static const struct span uris[] = { SPAN_INIT("sip:alice@192.0.2.1"),
                                        SPAN_INIT("sip:bob@192.0.2.2") };
    static const struct span hosts[] = { SPAN_INIT("192.0.2.1:5060"), SPAN_INIT("192.0.2.2:5060") };
    struct pair_end *end = &pair->ends[index];
    struct ahoy_ip ip = { .family = AHOY_IPV4, .port = 5060, .bytes = { 192, 0, 2 } };
    struct ahoy_ip other = ip;
    ip.bytes[3] = (uint8_t)(index + 1);
    other.bytes[3] = (uint8_t)(2 - index);
    end->name = index == ALICE ? "alice" : "bob";
    end->listener =
        (struct ahoy_listener){ .transport = AHOY_UDP, .local = ip, .sent_by = hosts[index] };
    const struct ahoy_stack_options stack = {
        .listeners = &end->listener,
        .listener_count = 1,
        .workers = 1,
        .connection_limit = 1,
        .call_key = { { index, 1 } },
        .transactions = { .clocks = AHOY_DEFAULT_CLOCKS,
                          .limit = 256,
                          .memory_limit = 1 << 20,
                          .seed = { index, 2 },
                          .tag_key = { { index, 3 } } },
    };
    end->stack = ahoy_stack_new(&stack, 0);
    assert_non_null(end->stack);
    const struct ahoy_ua_options ua = {
        .transactions = ahoy_stack_transactions(end->stack),
        .account = { .uri = uris[index],
                     .user = users[index],
                     .domain = SPAN("atlanta.example"),
                     .realm = SPAN("atlanta.example"),
                     .password = SPAN("secret"),
                     .instance = instance },
        .server = { .transport = AHOY_UDP, .listener = AHOY_ANY_LISTENER, .remote = other },
        .more_servers = more,
        .more_count = more != NULL,
        .locate = ahoy_locate,
        .t1_ms = 500,
        .t2_ms = 4000,
        .session_s = pair->session_s[index],
        .takes_transfers = true,
        .takes_referrals = pair->trusts_anybody,
        .takes_replacers = pair->trusts_anybody,
        .seed = { index, 4 },
    };
    end->ua = ahoy_ua_new(&ua);
    assert_non_null(end->ua);
}

static void init_ends(struct pair *pair, struct span instance, const struct ahoy_ua_server *more)
{
    init_end(pair, ALICE, instance, more);
    init_end(pair, BOB, SPAN(""), NULL);
    pair_forget(pair);
}

static void init(struct pair *pair, struct span instance, const struct ahoy_ua_server *more,
                 uint32_t alice_s, uint32_t bob_s)
{
    memset(pair, 0, sizeof *pair);
    pair->session_s[ALICE] = alice_s;
    pair->session_s[BOB] = bob_s;
    init_ends(pair, instance, more);
}

void pair_init_trusting(struct pair *pair)
{
    memset(pair, 0, sizeof *pair);
    pair->trusts_anybody = true;
    init_ends(pair, SPAN(""), NULL);
}

void pair_init_at(struct pair *pair, struct span instance, const struct ahoy_ua_server *more)
{
    init(pair, instance, more, 0, 0);
}

void pair_init_as(struct pair *pair, struct span instance)
{
    pair_init_at(pair, instance, NULL);
}

void pair_init_timed(struct pair *pair, uint32_t alice_s, uint32_t bob_s)
{
    init(pair, SPAN(""), NULL, alice_s, bob_s);
}

void pair_init(struct pair *pair)
{
    pair_init_as(pair, SPAN(""));
}

/* "INVITE", "200 INVITE" */
static void name_message(struct pair *pair, struct span bytes, char name[64])
{
    assert_true(ahoy_message_parse(bytes, &pair->message, NULL));
    assert_true(ahoy_message_routing(&pair->message, &pair->routing, NULL));
    struct span method = pair->routing.cseq.method_text;
    if (pair->message.is_request)
        snprintf(name, 64, "%.*s", (int)method.size, method.at);
    else
        snprintf(name, 64, "%u %.*s", pair->message.status, (int)method.size, method.at);
}

void pair_lose(struct pair *pair, const char *name, unsigned count)
{
    for (size_t i = 0; i < PAIR_DROPS; i++) {
        if (pair->drops[i].count > 0)
            continue;
        pair->drops[i].name = name;
        pair->drops[i].count = count;
        return;
    }
    fail();
}

static bool is_lost(struct pair *pair, const char *name)
{
    for (size_t i = 0; i < PAIR_DROPS; i++) {
        if (pair->drops[i].count == 0 || strcmp(pair->drops[i].name, name) != 0)
            continue;
        pair->drops[i].count--;
        return true;
    }
    return false;
}

void pair_inject(struct pair *pair, unsigned to, struct span text)
{
    char name[64];
    name_message(pair, text, name);
    bool lost = is_lost(pair, name);
    trace(pair, "%llu %s > %s %s%s\n", (unsigned long long)pair->now_ms, pair->ends[1 - to].name,
          pair->ends[to].name, name, lost ? " lost" : "");
    if (lost)
        return;
    assert_in_range(pair->flying, 0, PAIR_FLIGHT - 1);
    char *bytes = malloc(text.size);
    if (bytes == NULL)
        return; /* Refused to a test that asked for it: as if it were lost. */
    memcpy(bytes, text.at, text.size);
    pair->flight[pair->flying++] =
        (struct pair_datagram){ pair->now_ms + PAIR_DELAY_MS, to, bytes, text.size };
}

static const char *news_name(enum ahoy_ua_news_kind kind)
{
    static const char *const names[] = {
        [AHOY_NEWS_REGISTERED] = "registered",
        [AHOY_NEWS_UNREGISTERED] = "unregistered",
        [AHOY_NEWS_REGISTRATION_FAILED] = "failed",
        [AHOY_NEWS_INCOMING] = "incoming",
        [AHOY_NEWS_REDIRECTED] = "redirected",
        [AHOY_NEWS_RINGING] = "ringing",
        [AHOY_NEWS_EARLY] = "early media",
        [AHOY_NEWS_ANSWERED] = "answered",
        [AHOY_NEWS_CHANGED] = "changed",
        [AHOY_NEWS_CHANGE_REFUSED] = "change refused",
        [AHOY_NEWS_REFUSED] = "refused",
        [AHOY_NEWS_ENDED] = "ended",
        [AHOY_NEWS_TRANSFER_ASKED] = "transfer asked",
        [AHOY_NEWS_TRANSFER_ACCEPTED] = "transfer accepted",
        [AHOY_NEWS_TRANSFER_PROGRESS] = "transfer progress",
        [AHOY_NEWS_TRANSFER_ENDED] = "transfer ended",
        [AHOY_NEWS_NOTIFIED] = "notified",
        [AHOY_NEWS_WATCH_ENDED] = "watch ended",
        [AHOY_NEWS_MESSAGE] = "message",
        [AHOY_NEWS_REPLY] = "reply",
        [AHOY_NEWS_PUBLISHED] = "published",
        [AHOY_NEWS_PUBLISH_ENDED] = "publish ended",
    };
    return names[kind];
}

static void note_news(struct pair *pair, struct pair_end *end)
{
    static const char *const sides[] = { "", " by us", " by the peer", " by the network" };
    struct ahoy_ua_news *news = &end->news;
    while (ahoy_ua_poll(end->ua, news)) {
        trace(pair, "%llu %s: %s%s", (unsigned long long)pair->now_ms, end->name,
              news_name(news->kind), sides[news->by]);
        if (news->status != 0)
            trace(pair, " %u", news->status);
        if (news->expires_s != 0)
            trace(pair, " %u", news->expires_s);
        trace(pair, "\n");
        if (news->session.generation != 0)
            end->session = news->session;
    }
}

static void pump(struct pair *pair, unsigned index)
{
    struct pair_end *end = &pair->ends[index];
    struct ahoy_event event;
    struct ahoy_wire_effect effect;
    while (ahoy_stack_event(end->stack, &event))
        ahoy_ua_step(end->ua, &event, pair->now_ms);
    note_news(pair, end);
    while (ahoy_stack_poll(end->stack, &effect)) {
        assert_int_equal(effect.kind, AHOY_WIRE_SEND);
        pair_inject(pair, 1 - index, effect.bytes);
    }
}

void pair_settle(struct pair *pair)
{
    pump(pair, ALICE);
    pump(pair, BOB);
}

static void deliver(struct pair *pair, const struct pair_datagram *datagram)
{
    struct pair_end *end = &pair->ends[datagram->to];
    struct span bytes = { datagram->bytes, datagram->size };
    memcpy(end->received, bytes.at, bytes.size);
    end->received[bytes.size] = '\0';
    end->received_size = bytes.size;
    if (datagram->to == BOB && pair->script != NULL) {
        struct ahoy_message *message = malloc(sizeof *message);
        assert_non_null(message);
        assert_true(ahoy_message_parse(bytes, message, NULL));
        pair->script(pair, message);
        free(message);
        return;
    }
    struct ahoy_wire_event event = {
        .kind = AHOY_WIRE_DATAGRAM,
        .hop = { .transport = AHOY_UDP, .remote = pair->ends[1 - datagram->to].listener.local },
        .bytes = bytes,
    };
    ahoy_stack_step(end->stack, &event, pair->now_ms);
    pump(pair, datagram->to);
}

static bool deliver_next(struct pair *pair)
{
    for (size_t i = 0; i < pair->flying; i++) {
        if (pair->flight[i].due_ms > pair->now_ms)
            continue;
        struct pair_datagram datagram = pair->flight[i];
        pair->flying--;
        memmove(&pair->flight[i], &pair->flight[i + 1],
                (pair->flying - i) * sizeof pair->flight[0]);
        deliver(pair, &datagram);
        free(datagram.bytes);
        return true;
    }
    return false;
}

static uint64_t earliest(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t next_time(const struct pair *pair)
{
    uint64_t next_ms = UINT64_MAX;
    for (size_t i = 0; i < pair->flying; i++)
        next_ms = earliest(next_ms, pair->flight[i].due_ms);
    for (size_t i = 0; i < 2; i++) {
        next_ms = earliest(next_ms, ahoy_stack_deadline(pair->ends[i].stack));
        next_ms = earliest(next_ms, ahoy_ua_deadline(pair->ends[i].ua));
    }
    return next_ms > pair->now_ms ? next_ms : pair->now_ms;
}

void pair_run(struct pair *pair, uint64_t until_ms)
{
    pair_settle(pair);
    while (next_time(pair) <= until_ms) {
        pair->now_ms = next_time(pair);
        while (deliver_next(pair)) {
        }
        for (unsigned i = 0; i < 2; i++) {
            struct ahoy_wire_event time = { .kind = AHOY_WIRE_TIME };
            ahoy_stack_step(pair->ends[i].stack, &time, pair->now_ms);
            pump(pair, i);
            if (ahoy_ua_deadline(pair->ends[i].ua) <= pair->now_ms)
                ahoy_ua_expire(pair->ends[i].ua, pair->now_ms);
            pump(pair, i);
        }
    }
    pair->now_ms = until_ms;
}

void pair_fini(struct pair *pair)
{
    ahoy_ua_unregister(pair->ends[ALICE].ua, pair->now_ms);
    pair_run(pair, pair->now_ms + 200000);
    assert_int_equal(pair->flying, 0);
    for (size_t i = 0; i < 2; i++) {
        struct ahoy_wire_event time = { .kind = AHOY_WIRE_TIME };
        assert_int_equal(ahoy_ua_sessions(pair->ends[i].ua), 0);
        ahoy_stack_step(pair->ends[i].stack, &time, pair->now_ms);
        assert_int_equal(ahoy_transactions_count(ahoy_stack_transactions(pair->ends[i].stack)), 0);
        ahoy_ua_free(pair->ends[i].ua);
        ahoy_stack_free(pair->ends[i].stack);
    }
}

void pair_reply(struct pair *pair, const struct ahoy_message *request, unsigned status,
                const char *tag, const char *rows, const char *body)
{
    char text[8192];
    const struct ahoy_response response = { .status = status,
                                            .to_tag = ahoy_span(tag),
                                            .headers = ahoy_span(rows),
                                            .body = ahoy_span(body) };
    struct ahoy_buf buf = ahoy_buf_over(text, sizeof text);
    ahoy_compose_response(&buf, request, &response);
    assert_false(buf.overflow);
    pair_inject(pair, ALICE, ahoy_buf_text(&buf));
}

/* A request of alice's to bob, whose text is printed so. */
static void send_by_hand(struct pair *pair, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void send_by_hand(struct pair *pair, const char *format, ...)
{
    char text[4096];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    assert_in_range(size, 1, sizeof text - 1);
    pair_inject(pair, BOB, (struct span){ text, (size_t)size });
    pair_run(pair, pair->now_ms + 2 * PAIR_DELAY_MS);
}

void pair_outside(struct pair *pair, const char *method, const char *user, const char *branch,
                  const char *rows, const char *body)
{
    send_by_hand(pair,
                 "%s sip:%s@192.0.2.2 SIP/2.0\r\n"
                 "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK%s\r\n"
                 "Max-Forwards: 70\r\nFrom: <sip:alice@192.0.2.1>;tag=x\r\n"
                 "To: <sip:bob@192.0.2.2>\r\nCall-ID: by-hand\r\nCSeq: 1 %s\r\n"
                 "Contact: <sip:alice@192.0.2.1>\r\n%sContent-Length: %zu\r\n\r\n%s",
                 method, user, branch, method, rows, strlen(body), body);
}

void pair_within(struct pair *pair, const char *method, unsigned cseq, const char *branch,
                 const char *rows, const char *body)
{
    pair_received(pair, BOB);
    if (pair->routing.to_tag.size == 0)
        pair_received(pair, ALICE);
    struct span ours = pair->routing.from_tag;
    struct span theirs = pair->routing.to_tag;
    struct span call_id = pair->routing.call_id;
    send_by_hand(pair,
                 "%s sip:bob@192.0.2.2:5060 SIP/2.0\r\n"
                 "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK%s\r\nMax-Forwards: 70\r\n"
                 "From: <sip:alice@192.0.2.1>;tag=%.*s\r\nTo: <sip:bob@192.0.2.2>;tag=%.*s\r\n"
                 "Call-ID: %.*s\r\nCSeq: %u %s\r\n"
                 "Contact: <sip:moved@192.0.2.1>\r\n%sContent-Length: %zu\r\n\r\n%s",
                 method, branch, (int)ours.size, ours.at, (int)theirs.size, theirs.at,
                 (int)call_id.size, call_id.at, cseq, method, rows, strlen(body), body);
}

static struct ahoy_ip media_of(unsigned end)
{
    return (struct ahoy_ip){ .family = AHOY_IPV4,
                             .port = 4000,
                             .bytes = { 192, 0, 2, (uint8_t)(end + 1) } };
}

void pair_call(struct pair *pair)
{
    struct ahoy_ip media = media_of(ALICE);
    pair->ends[ALICE].session =
        ahoy_ua_call(pair->ends[ALICE].ua, SPAN("sip:bob@192.0.2.2"), &media, pair->now_ms);
    assert_int_not_equal(pair->ends[ALICE].session.generation, 0);
    pair_settle(pair);
}

void pair_ring(struct pair *pair, unsigned end)
{
    ahoy_ua_ring(pair->ends[end].ua, pair->ends[end].session, pair->now_ms);
    pair_settle(pair);
}

void pair_answer(struct pair *pair, unsigned end)
{
    struct ahoy_ip media = media_of(end);
    ahoy_ua_answer(pair->ends[end].ua, pair->ends[end].session, &media, pair->now_ms);
    pair_settle(pair);
}

void pair_hangup(struct pair *pair, unsigned end)
{
    ahoy_ua_hangup(pair->ends[end].ua, pair->ends[end].session, pair->now_ms);
    pair_settle(pair);
}

void pair_ringing(struct pair *pair)
{
    pair_init(pair);
    pair_call(pair);
    pair_run(pair, 100);
    pair_ring(pair, BOB);
    pair_run(pair, 200);
}

void pair_establish(struct pair *pair)
{
    pair_init(pair);
    pair_call(pair);
    pair_run(pair, 100);
    pair_answer(pair, BOB);
    pair_run(pair, 200);
    pair_forget(pair);
}

const struct ahoy_message *pair_received(struct pair *pair, unsigned end)
{
    struct span bytes = { pair->ends[end].received, pair->ends[end].received_size };
    assert_true(ahoy_message_parse(bytes, &pair->message, NULL));
    assert_true(ahoy_message_routing(&pair->message, &pair->routing, NULL));
    return &pair->message;
}
