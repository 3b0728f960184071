#include "tests/support/stack_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "libahoy/syntax/compose.h"

static struct ahoy_listener listeners[RIG_LISTENERS];

struct ahoy_ip rig_ip(const char *text, uint16_t port)
{
    struct ahoy_ip ip;
    assert_true(ahoy_ip_parse(ahoy_span(text), &ip));
    ip.port = port;
    return ip;
}

static void listen(uint8_t index, enum ahoy_transport transport, const char *host,
                   struct span sent_by)
{
    listeners[index] = (struct ahoy_listener){ .transport = transport,
                                               .local = rig_ip(host, 5060),
                                               .sent_by = sent_by,
                                               .uri = SPAN("sip:ahoy.example") };
}

void rig_init(struct rig *rig, uint16_t worker, uint16_t workers)
{
    rig_init_shared(rig, worker, workers, NULL);
}

static void start(struct rig *rig, struct ahoy_stack_options *options)
{
    *rig = (struct rig){ .now_ms = 1000000 };
    listen(RIG_UDP4, AHOY_UDP, "192.0.2.1", SPAN("192.0.2.1:5060"));
    listen(RIG_TCP4, AHOY_TCP, "192.0.2.1", SPAN("192.0.2.1:5060"));
    listen(RIG_UDP6, AHOY_UDP, "2001:db8::1", SPAN("[2001:db8::1]:5060"));
    listen(RIG_TCP6, AHOY_TCP, "2001:db8::1", SPAN("[2001:db8::1]:5060"));
    listen(RIG_TLS4, AHOY_TLS, "192.0.2.1", SPAN("192.0.2.1:5061"));
    listen(RIG_WS4, AHOY_WS, "192.0.2.1", SPAN("192.0.2.1:8080"));
    listeners[RIG_WS4].origins = SPAN("http://www.example.com");
    options->listeners = listeners;
    options->listener_count = RIG_LISTENERS;
    options->connection_limit = RIG_CONNECTIONS;
    options->call_key = (struct ahoy_hash_key){ { 11, 12 } };
    options->transactions =
        (struct ahoy_transactions_options){ .clocks = AHOY_DEFAULT_CLOCKS,
                                            .limit = 2000,
                                            .memory_limit = 16 * 1048576,
                                            .seed = { options->worker, 2 },
                                            .tag_key = { { 3, 4 } } };
    rig->stack = ahoy_stack_new(options, rig->now_ms);
    assert_non_null(rig->stack);
    rig->counters = ahoy_stack_counters(rig->stack);
}

void rig_init_shared(struct rig *rig, uint16_t worker, uint16_t workers,
                     struct ahoy_directory *directory)
{
    start(rig, &(struct ahoy_stack_options){
                   .worker = worker, .workers = workers, .directory = directory });
}

void rig_init_phone(struct rig *rig)
{
    start(rig, &(struct ahoy_stack_options){ .workers = 1, .opens_websockets = true });
}

void rig_forget(struct rig *rig)
{
    for (size_t i = 0; i < rig->effect_count; i++)
        free((char *)(uintptr_t)rig->effects[i].bytes.at);
    rig->effect_count = 0;
    rig->seen_count = 0;
}

void rig_fini(struct rig *rig)
{
    rig_forget(rig);
    ahoy_stack_free(rig->stack);
}

int rig_set_up(void **state)
{
    struct rig *rig = calloc(1, sizeof *rig);
    assert_non_null(rig);
    rig_init(rig, 0, 1);
    *state = rig;
    return 0;
}

int rig_tear_down(void **state)
{
    rig_fini(*state);
    free(*state);
    return 0;
}

static void answer(struct rig *rig, const struct ahoy_event *event)
{
    char space[4096];
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    const struct ahoy_response response = { .status = 200,
                                            .to_tag = SPAN("rig"),
                                            .received = &event->hop->remote };
    ahoy_compose_response(&buf, event->message, &response);
    const struct span text = ahoy_buf_text(&buf);
    ahoy_transaction_answer(ahoy_stack_transactions(rig->stack), event, &text, 1);
}

static void take_events(struct rig *rig)
{
    struct ahoy_event event;
    while (ahoy_stack_event(rig->stack, &event)) {
        assert_true(rig->seen_count < RIG_LIMIT);
        struct rig_seen *seen = &rig->seen[rig->seen_count++];
        *seen = (struct rig_seen){ .kind = event.kind, .user = event.user };
        if (event.message != NULL)
            rig->last_hop = *event.hop;
        if (event.kind == AHOY_EVENT_RESPONSE)
            seen->status = event.message->status;
        if (event.kind == AHOY_EVENT_REQUEST && !rig->mute)
            answer(rig, &event);
    }
}

void rig_poll(struct rig *rig)
{
    struct ahoy_wire_effect effect;
    while (ahoy_stack_poll(rig->stack, &effect)) {
        assert_true(rig->effect_count < RIG_LIMIT);
        rig->at[rig->effect_count] = effect.bytes.at;
        char *copy = malloc(effect.bytes.size + 1);
        assert_non_null(copy);
        if (effect.bytes.size > 0)
            memcpy(copy, effect.bytes.at, effect.bytes.size);
        copy[effect.bytes.size] = '\0';
        effect.bytes.at = copy;
        rig->effects[rig->effect_count++] = effect;
    }
}

void rig_step(struct rig *rig, struct ahoy_wire_event *event)
{
    ahoy_stack_step(rig->stack, event, rig->now_ms);
    take_events(rig);
    rig_poll(rig);
}

void rig_wait(struct rig *rig, uint64_t now_ms)
{
    struct ahoy_wire_event event = { .kind = AHOY_WIRE_TIME };
    uint64_t deadline_ms;
    while ((deadline_ms = ahoy_stack_deadline(rig->stack)) <= now_ms) {
        if (deadline_ms > rig->now_ms)
            rig->now_ms = deadline_ms;
        rig_step(rig, &event);
    }
    rig->now_ms = now_ms;
}

void rig_datagram(struct rig *rig, uint8_t listener, struct ahoy_ip remote, struct span bytes)
{
    /* Exactly as many bytes as came, so that the sanitizer sees who reads beyond them. */
    char *copy = malloc(bytes.size + 1);
    assert_non_null(copy);
    memcpy(copy + 1, bytes.at, bytes.size);
    struct ahoy_wire_event event = {
        .kind = AHOY_WIRE_DATAGRAM,
        .hop = { .transport = AHOY_UDP, .listener = listener, .remote = remote },
        .bytes = { copy + 1, bytes.size }
    };
    rig_step(rig, &event);
    free(copy);
}

struct ahoy_handle rig_accept(struct rig *rig, uint8_t listener, struct ahoy_ip remote)
{
    struct ahoy_wire_event event = { .kind = AHOY_WIRE_ACCEPTED,
                                     .hop = { .transport = (uint8_t)listeners[listener].transport,
                                              .listener = listener,
                                              .remote = remote } };
    rig_step(rig, &event);
    return event.hop.connection;
}

void rig_bytes(struct rig *rig, struct ahoy_handle connection, struct span bytes)
{
    struct ahoy_wire_event event = { .kind = AHOY_WIRE_BYTES,
                                     .hop = { .transport = AHOY_TCP, .connection = connection },
                                     .bytes = bytes };
    rig_step(rig, &event);
}

void rig_tell(struct rig *rig, enum ahoy_wire_event_kind kind, struct ahoy_handle connection)
{
    struct ahoy_wire_event event = { .kind = kind,
                                     .hop = { .transport = AHOY_TCP, .connection = connection } };
    rig_step(rig, &event);
}

struct ahoy_handle rig_request(struct rig *rig, enum ahoy_transport transport,
                               struct ahoy_ip remote, uint64_t user, size_t body_size)
{
    char space[512];
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    ahoy_buf_put(&buf, SPAN("Max-Forwards: 70\r\nFrom: <sip:a@a.example>;tag=1\r\n"
                            "To: <sip:b@b.example>\r\nCall-ID: rig-"));
    ahoy_buf_put_number(&buf, user);
    ahoy_buf_put(&buf, SPAN("\r\nCSeq: 1 OPTIONS\r\nContent-Length: "));
    ahoy_buf_put_number(&buf, body_size);
    ahoy_buf_put(&buf, SPAN("\r\n\r\n"));
    char *body = calloc(1, body_size + 1);
    assert_non_null(body);
    const struct span pieces[] = { ahoy_buf_text(&buf), { body, body_size } };
    const struct ahoy_outgoing outgoing = { .method = AHOY_METHOD_OPTIONS,
                                            .request_line =
                                                SPAN("OPTIONS sip:b@b.example SIP/2.0\r\n"),
                                            .pieces = pieces,
                                            .count = 2,
                                            .hop = { .transport = (uint8_t)transport,
                                                     .listener = AHOY_ANY_LISTENER,
                                                     .domain = rig->domain,
                                                     .remote = remote },
                                            .branch_tail = SPAN(""),
                                            .user = user };
    struct ahoy_handle handle =
        ahoy_transaction_request(ahoy_stack_transactions(rig->stack), &outgoing, rig->now_ms);
    free(body);
    return handle;
}

size_t rig_count(const struct rig *rig, enum ahoy_wire_effect_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < rig->effect_count; i++)
        count += rig->effects[i].kind == kind;
    return count;
}

const struct ahoy_wire_effect *rig_sent(const struct rig *rig, size_t index)
{
    for (size_t i = 0; i < rig->effect_count; i++) {
        if (rig->effects[i].kind == AHOY_WIRE_SEND && index-- == 0)
            return &rig->effects[i];
    }
    fail_msg("only %zu sent", rig_count(rig, AHOY_WIRE_SEND));
    return NULL;
}

unsigned rig_status(const struct ahoy_wire_effect *effect)
{
    struct span text = effect->bytes;
    uint64_t status = 0;
    if (text.size < 12 || !ahoy_span_starts_nocase(text, SPAN("SIP/2.0 ")))
        return 0;
    assert_true(ahoy_span_number((struct span){ text.at + 8, 3 }, 699, &status));
    return (unsigned)status;
}

size_t rig_seen_count(const struct rig *rig, enum ahoy_event_kind kind, uint64_t user)
{
    size_t count = 0;
    for (size_t i = 0; i < rig->seen_count; i++)
        count += rig->seen[i].kind == kind && rig->seen[i].user == user;
    return count;
}
