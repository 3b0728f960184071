/* See exchange.h. */
#include "tests/support/exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "ahoyd/renewal.h"
#include "ahoyd/slots.h"
#include "libahoy/syntax/challenge.h"
#include "libahoy/syntax/compose.h"

enum { RING_SIZE = 1 << 20 };

static const unsigned char secret[AHOYD_SECRET_SIZE] = "not a secret in a test at all..";

static void take_back(struct ahoyd_change_owner *owner, struct ahoyd_change *change)
{
    struct exchange *exchange = (struct exchange *)owner;
    change->next = exchange->stored;
    exchange->stored = change;
}

static bool note_push(struct ahoyd_pusher *base, const struct ahoyd_push *push)
{
    struct exchange_pusher *pusher = (struct exchange_pusher *)base;
    const struct span parts[] = { push->provider, push->prid,   push->param,
                                  push->aor,      push->method, push->call_id };
    struct ahoy_buf buf = ahoy_buf_over(pusher->pushed, sizeof pusher->pushed - 1);
    if (pusher->refuses)
        return false;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        ahoy_buf_put(&buf, i == 0 ? SPAN("") : SPAN(" "));
        ahoy_buf_put(&buf, parts[i]);
    }
    assert_false(buf.overflow);
    pusher->pushed[buf.size] = '\0';
    pusher->count++;
    pusher->key = push->key;
    return true;
}

static void told(void *context, const char *file, int line, const char *what)
{
    (void)context;
    print_error("%s:%d: %s\n", file, line, what);
}

static void note_line(void *context, enum ahoy_log_level level, const char *line)
{
    struct exchange *exchange = context;
    struct ahoy_buf buf = ahoy_buf_over(exchange->logged, sizeof exchange->logged - 1);
    (void)level; /* What is made is wanted. */
    buf.size = exchange->logged_size;
    ahoy_buf_put(&buf, ahoy_span(line));
    ahoy_buf_put_byte(&buf, '\n');
    if (!buf.overflow)
        exchange->logged_size = buf.size;
    exchange->logged[exchange->logged_size] = '\0';
}

static void make_listener(struct exchange *exchange, size_t index)
{
    const struct ahoyd_listen *listen = &exchange->config->listens[index];
    struct ahoy_listener *listener = &exchange->listeners->at[index];
    struct ahoy_buf sent_by = ahoy_buf_over(exchange->listeners->texts[index][0], 80);
    struct ahoy_buf uri = ahoy_buf_over(exchange->listeners->texts[index][1], 80);
    listener->leaving = listen->until_ms > 0;
    listener->transport = listen->transport;
    listener->local = listen->ip;
    if (listen->advertise.size > 0)
        ahoy_buf_put(&sent_by, listen->advertise);
    else
        ahoy_ip_print(&listen->ip, &sent_by);
    listener->sent_by = ahoy_buf_text(&sent_by);
    ahoy_buf_put(&uri, SPAN("sip:"));
    ahoy_buf_put(&uri, listener->sent_by);
    ahoy_buf_put(&uri, SPAN(";transport="));
    ahoy_buf_put(&uri, ahoy_transport_uri_name(listen->transport));
    listener->uri = ahoy_buf_text(&uri);
}

static void read_config(struct exchange *exchange, const char *config)
{
    struct ahoyd_config_faults faults = { .told = told };
    exchange->config = ahoyd_config_parse(config, strlen(config), "/test.lua", &faults);
    assert_non_null(exchange->config);
    exchange->listeners = calloc(1, sizeof *exchange->listeners);
    assert_non_null(exchange->listeners);
}

static void make_listeners(struct exchange *exchange)
{
    for (size_t i = 0; i < exchange->config->listen_count; i++)
        make_listener(exchange, i);
}

struct exchange *exchange_new(const char *config, uint32_t transaction_limit)
{
    struct exchange *exchange = calloc(1, sizeof *exchange);
    char fault[256];
    assert_non_null(exchange);
    exchange->owner.done = take_back;
    exchange->pusher.base.ask = note_push;
    exchange->now_ms = 1760000000000;
    exchange->log = (struct ahoy_log){ note_line, exchange, AHOY_LOG_NOTICE };
    read_config(exchange, config);
    make_listeners(exchange);
    const struct ahoyd_store_options store = { .kind = AHOYD_STORE_MEMORY,
                                               .now_ms = exchange->now_ms,
                                               .finds_hashes =
                                                   ahoyd_config_hashes(exchange->config),
                                               .secret = secret };
    exchange->store = ahoyd_store_open(&store, fault, sizeof fault);
    assert_non_null(exchange->store);
    const struct ahoyd_server_options options = {
        .config = exchange->config,
        .store = exchange->store,
        .listeners = exchange->listeners->at,
        .listener_count = exchange->config->listen_count,
        .workers = 1,
        .seed = { 1, 2 },
        .clocks = AHOY_DEFAULT_CLOCKS,
        .timer_c_ms = 181000,
        .transaction_limit = transaction_limit,
        .ring_size = RING_SIZE,
        .log = &exchange->log,
        .change_owner = &exchange->owner,
        .pusher = &exchange->pusher.base,
    };
    exchange->server = ahoyd_server_new(&options, exchange->now_ms);
    assert_non_null(exchange->server);
    return exchange;
}

static void forget(struct exchange *exchange)
{
    for (size_t i = 0; i < exchange->count; i++)
        free((void *)(uintptr_t)exchange->sent[i].bytes.at);
    exchange->count = 0;
}

struct exchange *exchange_of_atlanta(const char *config)
{
    struct exchange *exchange = exchange_new(config, 0);
    exchange_add_user(exchange, "alice", "atlanta.example", "wonderland");
    exchange_add_user(exchange, "bob", "atlanta.example", "builder");
    return exchange;
}

void exchange_renew(struct exchange *exchange, const char *config)
{
    struct ahoyd_config_faults faults = { .told = told };
    struct ahoyd_config *before = exchange->config;
    struct exchange_listeners *listeners = exchange->listeners;
    read_config(exchange, config);
    assert_true(ahoyd_slots_keep(exchange->config, before, exchange->now_ms, &faults));
    make_listeners(exchange);
    struct ahoyd_renewal *renewal = ahoyd_renewal_new(
        before, exchange->config, exchange->listeners->at, exchange->config->listen_count);
    assert_non_null(renewal);
    ahoyd_server_renew(exchange->server, renewal, exchange->now_ms);
    ahoyd_renewal_free(renewal);
    ahoyd_config_free(before);
    free(listeners);
}

void exchange_free(struct exchange *exchange)
{
    forget(exchange);
    ahoyd_server_free(exchange->server);
    while (exchange->stored != NULL) {
        struct ahoyd_change *change = exchange->stored;
        exchange->stored = change->next;
        ahoyd_change_free(change);
    }
    ahoyd_store_close(exchange->store);
    ahoyd_config_free(exchange->config);
    free(exchange->listeners);
    free(exchange);
}

int exchange_teardown(void **state)
{
    exchange_free(*state);
    return 0;
}

/* Submits |change| and takes it back. */
static void commit(struct exchange *exchange, struct ahoyd_change *change)
{
    assert_non_null(change);
    change->owner = &exchange->owner;
    assert_true(ahoyd_store_submit(exchange->store, change));
    change = exchange->stored;
    assert_non_null(change);
    exchange->stored = change->next;
    assert_int_equal(change->status, 200);
    ahoyd_change_free(change);
}

void exchange_add_user(struct exchange *exchange, const char *user, const char *realm,
                       const char *password)
{
    struct ahoyd_user credentials = { 0 };
    struct span name = ahoy_span(user);
    struct span where = ahoy_span(realm);
    for (unsigned i = AHOY_DIGEST_OTHER + 1; i < AHOY_DIGEST_COUNT; i++)
        assert_true(ahoy_digest_ha1((enum ahoy_digest_algorithm)i, name, where, ahoy_span(password),
                                    &credentials.ha1[i]));
    commit(exchange, ahoyd_change_user(AHOYD_CHANGE_USER_PUT, name, where, &credentials));
}

void exchange_add_alias(struct exchange *exchange, const char *alias, const char *realm,
                        const char *user)
{
    commit(exchange, ahoyd_change_alias(AHOYD_CHANGE_ALIAS_PUT, ahoy_span(alias), ahoy_span(realm),
                                        ahoy_span(user)));
}

struct ask exchange_alice(const char *rows)
{
    return (struct ask){ .method = "REGISTER",
                         .uri = "sip:atlanta.example",
                         .from = "sip:alice@atlanta.example",
                         .to = "sip:alice@atlanta.example",
                         .rows = rows,
                         .user = "alice",
                         .password = "wonderland" };
}

struct ahoy_ip exchange_ip(const char *text)
{
    struct ahoy_ip ip;
    const char *colon = strrchr(text, ':');
    uint64_t port;
    assert_non_null(colon);
    assert_true(ahoy_ip_parse(ahoy_span_between(text, colon), &ip));
    assert_true(ahoy_span_number(ahoy_span(colon + 1), UINT16_MAX, &port));
    ip.port = (uint16_t)port;
    return ip;
}

static void record(struct exchange *exchange, const struct ahoy_wire_effect *effect)
{
    assert_true(exchange->count < EXCHANGE_SENT_LIMIT);
    char *bytes = malloc(effect->bytes.size + 1);
    assert_non_null(bytes);
    memcpy(bytes, effect->bytes.at, effect->bytes.size);
    bytes[effect->bytes.size] = '\0';
    exchange->sent[exchange->count++] =
        (struct exchange_sent){ .hop = effect->hop,
                                .bytes = { bytes, effect->bytes.size },
                                .call = effect->call,
                                .gap = effect->gap };
}

/* Carries out what the server wants; a connection that it opens stands at once, or never. */
static void carry_out(struct exchange *exchange)
{
    struct ahoy_wire_effect effect;
    struct ahoy_wire_event opened = { .kind = AHOY_WIRE_TIME };
    do {
        if (opened.kind != AHOY_WIRE_TIME)
            ahoyd_server_step(exchange->server, &opened, exchange->now_ms);
        opened.kind = AHOY_WIRE_TIME;
        while (ahoyd_server_poll(exchange->server, &effect)) {
            if (effect.kind == AHOY_WIRE_SEND)
                record(exchange, &effect);
            exchange->closed += effect.kind == AHOY_WIRE_CLOSE;
            if (effect.kind == AHOY_WIRE_CONNECT)
                opened = (struct ahoy_wire_event){ .kind = exchange->fate == AHOY_FATE_NONE
                                                               ? AHOY_WIRE_CONNECTED
                                                               : AHOY_WIRE_CLOSED,
                                                   .hop = effect.hop,
                                                   .fate = exchange->fate };
        }
    } while (opened.kind != AHOY_WIRE_TIME);
}

static void hand_over(struct exchange *exchange)
{
    while (exchange->stored != NULL) {
        struct ahoyd_change *change = exchange->stored;
        exchange->stored = change->next;
        if (exchange->fail != 0)
            change->status = exchange->fail;
        ahoyd_server_stored(exchange->server, change, exchange->now_ms);
        carry_out(exchange);
    }
}

void exchange_step(struct exchange *exchange, struct ahoy_wire_event *event)
{
    forget(exchange);
    ahoyd_server_step(exchange->server, event, exchange->now_ms);
    carry_out(exchange);
    if (!exchange->hold)
        hand_over(exchange);
}

void exchange_fail_push(struct exchange *exchange)
{
    forget(exchange);
    ahoyd_server_push_failed(exchange->server, exchange->pusher.key, exchange->now_ms);
    carry_out(exchange);
}

void exchange_release(struct exchange *exchange)
{
    forget(exchange);
    exchange->hold = false;
    hand_over(exchange);
}

void exchange_datagram(struct exchange *exchange, const char *peer, struct span bytes)
{
    struct ahoy_wire_event event = {
        .kind = AHOY_WIRE_DATAGRAM,
        .hop = { .transport = AHOY_UDP, .remote = exchange_ip(peer) },
        .bytes = bytes,
        .waited_us = exchange->waited_us,
    };
    size_t count = exchange->config->listen_count;
    bool found = false;
    for (size_t i = 0; i < count && !found; i++) {
        const struct ahoy_listener *listener = &exchange->listeners->at[i];
        event.hop.listener = (uint8_t)i;
        found = listener->transport == AHOY_UDP &&
                listener->local.family == event.hop.remote.family &&
                ahoy_ip_is_loopback(&listener->local) == ahoy_ip_is_loopback(&event.hop.remote);
    }
    assert_true(found);
    exchange_step(exchange, &event);
}

void exchange_wait(struct exchange *exchange, uint64_t ms)
{
    uint64_t end_ms = exchange->now_ms + ms;
    forget(exchange);
    for (;;) {
        uint64_t deadline_ms = ahoyd_server_deadline(exchange->server);
        if (deadline_ms > end_ms)
            break;
        struct ahoy_wire_event event = { .kind = AHOY_WIRE_TIME };
        if (deadline_ms > exchange->now_ms)
            exchange->now_ms = deadline_ms;
        if (exchange->count > EXCHANGE_SENT_LIMIT / 2)
            forget(exchange);
        ahoyd_server_step(exchange->server, &event, exchange->now_ms);
        carry_out(exchange);
    }
    exchange->now_ms = end_ms;
}

static const char *or_default(const char *text, const char *otherwise)
{
    return text != NULL ? text : otherwise;
}

struct span exchange_print_ask(struct exchange *exchange, const struct ask *ask, const char *more,
                               char *space, size_t size)
{
    const char *peer = or_default(ask->peer, "192.0.2.1:5060");
    int printed = snprintf(space, size,
                           "%s %s SIP/2.0\r\n"
                           "Via: SIP/2.0/UDP %s;branch=z9hG4bKexchange%u\r\n"
                           "Max-Forwards: 70\r\n"
                           "From: <%s>;tag=from1\r\n"
                           "To: <%s>%s%s\r\n"
                           "Call-ID: %s\r\n"
                           "CSeq: %u %s\r\n"
                           "%s%s"
                           "Content-Length: %zu\r\n\r\n%s",
                           ask->method, ask->uri, or_default(ask->sent_by, peer),
                           exchange->branches++, or_default(ask->from, ask->uri),
                           or_default(ask->to, ask->uri), ask->to_tag != NULL ? ";tag=" : "",
                           or_default(ask->to_tag, ""), or_default(ask->call_id, "call"),
                           ask->cseq != 0 ? ask->cseq : 1, ask->method, or_default(ask->rows, ""),
                           more, strlen(or_default(ask->body, "")), or_default(ask->body, ""));
    assert_true(printed > 0 && (size_t)printed < size);
    return (struct span){ space, (size_t)printed };
}

/* Keeps the rows of a challenge. */
static void keep_challenge(struct exchange *exchange, const struct ahoy_message *message)
{
    enum ahoy_header header =
        message->status == 401 ? AHOY_HEADER_WWW_AUTHENTICATE : AHOY_HEADER_PROXY_AUTHENTICATE;
    struct ahoy_buf buf = ahoy_buf_over(exchange->challenge, sizeof exchange->challenge - 1);
    const struct ahoy_field *field = ahoy_message_first(message, header);
    for (; field != NULL; field = ahoy_message_next(message, field))
        ahoy_buf_put(&buf, field->row);
    assert_false(buf.overflow);
    exchange->challenge[buf.size] = '\0';
}

static unsigned answered(struct exchange *exchange, const char *peer)
{
    struct ahoy_ip ip = exchange_ip(peer);
    unsigned status = 0;
    for (size_t i = 0; i < exchange->count; i++) {
        const struct ahoy_message *message = exchange_sent(exchange, i);
        if (message->is_request || !ahoy_ip_equal(&exchange->sent[i].hop.remote, &ip))
            continue;
        if (status <= 100)
            status = message->status;
        if (status == 401 || status == 407)
            keep_challenge(exchange, message);
    }
    return status;
}

static unsigned ask_with(struct exchange *exchange, const struct ask *ask, const char *more)
{
    char space[16384];
    const char *peer = or_default(ask->peer, "192.0.2.1:5060");
    exchange_datagram(exchange, peer, exchange_print_ask(exchange, ask, more, space, sizeof space));
    return answered(exchange, peer);
}

unsigned exchange_ask(struct exchange *exchange, const struct ask *ask)
{
    return ask_with(exchange, ask, "");
}

/* The challenge of |algorithm| among the rows that were kept. */
static void find_challenge(const struct exchange *exchange, enum ahoy_digest_algorithm algorithm,
                           struct ahoy_challenge *challenge)
{
    struct span rest = ahoy_span(exchange->challenge);
    while (rest.size > 0) {
        size_t end = ahoy_span_find(rest, '\n');
        struct span row = { rest.at, end };
        size_t colon = ahoy_span_find(row, ':');
        assert_true(colon < row.size);
        struct span value = ahoy_span_trim(ahoy_span_after(row, colon + 1));
        assert_true(ahoy_challenge_parse(value, challenge, NULL));
        if (challenge->algorithm == algorithm)
            return;
        rest = ahoy_span_after(rest, end + 1);
    }
    fail_msg("no challenge of that algorithm");
}

/* Reads "MD5-sess" as the parser does. */
static const char *read_algorithm(const struct ask *ask, struct ahoy_challenge *challenge)
{
    char text[64];
    const char *name = or_default(ask->algorithm, ask->md5 ? "MD5" : "SHA-256");
    snprintf(text, sizeof text, "Digest algorithm=%s", name);
    assert_true(ahoy_challenge_parse(ahoy_span(text), challenge, NULL));
    return name;
}

void exchange_print_credentials(const struct exchange *exchange, const struct ask *ask, char *row,
                                size_t size)
{
    struct ahoy_challenge wanted, credentials;
    struct ahoy_digest_hex ha1;
    struct ahoy_digest_hex response;
    const struct ahoy_digested digested = { ahoy_span(ask->method),
                                            ahoy_span(or_default(ask->body, "")) };
    const char *algorithm = read_algorithm(ask, &wanted);
    char share[128] = "";
    char name[300];
    find_challenge(exchange, wanted.algorithm, &credentials);
    credentials.is_session = wanted.is_session;
    if (ask->realm != NULL)
        credentials.realm = ahoy_span(ask->realm);
    credentials.uri = ahoy_span(or_default(ask->digest_uri, ask->uri));
    if (ask->nonce != NULL)
        credentials.nonce = ahoy_span(ask->nonce);
    credentials.nc = ahoy_span(or_default(ask->nc, "00000001"));
    credentials.cnonce = SPAN("0a4f113b");
    credentials.qop = ahoy_span(or_default(ask->qop, "auth"));
    assert_true(ahoy_digest_ha1(wanted.algorithm, ahoy_span(ask->user), credentials.realm,
                                ahoy_span(ask->password), &ha1));
    if (ask->ha1 != NULL)
        memcpy(ha1.text, ask->ha1, ha1.size);
    assert_true(ahoy_digest_response(&credentials, &ha1, &digested, &response));
    if (credentials.qop.size > 0)
        snprintf(share, sizeof share, ", qop=%s, nc=%s, cnonce=\"0a4f113b\"", credentials.qop.at,
                 credentials.nc.at);
    snprintf(name, sizeof name, "username=\"%s\"", ask->user);
    int printed =
        snprintf(row, size,
                 "%sAuthorization: Digest %s, realm=\"%.*s\", nonce=\"%.*s\", "
                 "uri=\"%.*s\", response=\"%.*s\", algorithm=%s%s\r\n",
                 exchange->challenge[0] == 'P' ? "Proxy-" : "", or_default(ask->name, name),
                 (int)credentials.realm.size, credentials.realm.at, (int)credentials.nonce.size,
                 credentials.nonce.at, (int)credentials.uri.size, credentials.uri.at,
                 (int)response.size, response.text, algorithm, share);
    assert_true(printed > 0 && (size_t)printed < size);
}

unsigned exchange_ask_as(struct exchange *exchange, const struct ask *ask)
{
    char row[1024];
    unsigned status = exchange_ask(exchange, ask);
    if (status != 401 && status != 407)
        return status;
    struct ask again = *ask;
    again.cseq = ask->cseq != 0 ? ask->cseq + 1 : 2;
    exchange_print_credentials(exchange, ask, row, sizeof row);
    return ask_with(exchange, &again, row);
}

const struct ahoy_message *exchange_sent(struct exchange *exchange, size_t index)
{
    assert_true(index < exchange->count);
    assert_true(ahoy_message_parse(exchange->sent[index].bytes, &exchange->message, NULL));
    return &exchange->message;
}

const struct ahoy_message *exchange_sent_to(struct exchange *exchange, const char *peer)
{
    struct ahoy_ip ip = exchange_ip(peer);
    for (size_t i = 0; i < exchange->count; i++) {
        if (ahoy_ip_equal(&exchange->sent[i].hop.remote, &ip))
            return exchange_sent(exchange, i);
    }
    return NULL;
}

void exchange_answer(struct exchange *exchange, const char *peer, unsigned status, const char *rows)
{
    char space[4096];
    const struct ahoy_message *request = exchange_sent_to(exchange, peer);
    assert_non_null(request);
    const struct ahoy_response response = { .status = status,
                                            .to_tag = SPAN("t"),
                                            .headers = ahoy_span(rows) };
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    ahoy_compose_response(&buf, request, &response);
    exchange_datagram(exchange, peer, ahoy_buf_text(&buf));
}

const char *exchange_value(const struct ahoy_message *message, enum ahoy_header header)
{
    static char text[2048];
    struct span value = ahoy_message_value(message, header);
    assert_true(value.size < sizeof text);
    if (value.size > 0)
        memcpy(text, value.at, value.size);
    text[value.size] = '\0';
    return text;
}

size_t exchange_bindings(struct exchange *exchange, const char *aor)
{
    static struct ahoy_bindings bindings;
    if (!ahoyd_store_find(exchange->store, ahoy_span(aor), exchange->now_ms, &bindings))
        return 0;
    return bindings.count;
}

void exchange_bind(struct exchange *exchange, const char *aor, const char *contact,
                   const char *source)
{
    const struct ahoy_registration registration = {
        .count = 1,
        .asked = { { .contact = ahoy_span(contact), .expires_s = 3600, .q = 1000 } },
        .call_id = ahoy_span(contact),
        .cseq = 1,
        .hop = { .transport = AHOY_UDP, .remote = exchange_ip(source) },
    };
    commit(exchange, ahoyd_change_bindings(ahoy_span(aor), &registration, exchange->now_ms));
}
