/* The transaction layer alone, under virtual time. */
#include "tests/support/layer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct ahoy_hash_key some_key = { { 1, 2 } };

void layer_init_limited(struct layer *layer, enum ahoy_transport transport, uint32_t limit,
                        size_t memory_limit)
{
    memset(layer, 0, sizeof *layer);
    struct ahoy_ip local = { .family = AHOY_IPV4, .port = 5060, .bytes = { 192, 0, 2, 1 } };
    layer->listeners[LAYER_UDP] = (struct ahoy_listener){ .transport = AHOY_UDP,
                                                          .local = local,
                                                          .sent_by = SPAN("192.0.2.1:5060") };
    layer->listeners[LAYER_TCP] = (struct ahoy_listener){ .transport = AHOY_TCP,
                                                          .local = local,
                                                          .sent_by = SPAN("192.0.2.1:5060") };
    layer->peers_tag = "peers";
    ahoy_timers_init(&layer->timers, 0);
    const struct ahoy_flows_options flows = { .listeners = layer->listeners,
                                              .listener_count = LAYER_LISTENERS,
                                              .limit = 1,
                                              .key = some_key,
                                              .timers = &layer->timers };
    ahoy_flows_init(&layer->flows, &flows);
    layer->source = (struct ahoy_hop){
        .transport = (uint8_t)transport,
        .listener = AHOY_ANY_LISTENER,
        .remote = { .family = AHOY_IPV4, .port = 5062, .bytes = { 192, 0, 2, 2 } },
    };
    const struct ahoy_transactions_options options = { .clocks = AHOY_DEFAULT_CLOCKS,
                                                       .limit = limit,
                                                       .memory_limit = memory_limit,
                                                       .seed = { 3, 4 },
                                                       .tag_key = some_key };
    layer->transactions = ahoy_transactions_new(&options, &layer->flows, &layer->timers);
    assert_non_null(layer->transactions);
    layer_forget_trace(layer);
}

void layer_init(struct layer *layer, enum ahoy_transport transport)
{
    layer_init_limited(layer, transport, LAYER_LIMIT, LAYER_MEMORY);
}

void layer_abort(struct layer *layer)
{
    ahoy_transactions_free(layer->transactions);
    assert_int_equal(layer->timers.count, 0);
    ahoy_flows_fini(&layer->flows);
}

void layer_fini(struct layer *layer)
{
    assert_int_equal(ahoy_transactions_count(layer->transactions), 0);
    assert_int_equal(ahoy_transactions_memory(layer->transactions), 0);
    assert_int_equal(layer->timers.count, 0);
    layer_abort(layer);
}

static void trace(struct layer *layer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void trace(struct layer *layer, const char *format, ...)
{
    char line[256];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    assert_in_range(size, 1, sizeof line - 1);
    ahoy_buf_put(&layer->trace, (struct span){ line, (size_t)size });
    assert_false(layer->trace.overflow);
}

/* "INVITE" of a request, "180" of a response. */
static struct span short_name(struct span bytes)
{
    struct span status = { bytes.at + strlen("SIP/2.0 "), 3 };
    if (ahoy_span_starts_nocase(bytes, SPAN("SIP/2.0 ")))
        return status;
    return (struct span){ bytes.at, ahoy_span_find(bytes, ' ') };
}

static const char *name_of(enum ahoy_event_kind kind)
{
    switch (kind) {
    case AHOY_EVENT_TIMEOUT:
        return "timeout";
    case AHOY_EVENT_UNREACHABLE:
        return "unreachable";
    case AHOY_EVENT_NO_ACK:
        return "no ack";
    case AHOY_EVENT_ENDED:
        return "ended";
    default:
        return "message";
    }
}

static void trace_event(struct layer *layer, const struct ahoy_event *event)
{
    if (event->message == NULL) {
        trace(layer, "%llu ^ %s user %llu\n", (unsigned long long)layer->now_ms,
              name_of(event->kind), (unsigned long long)event->user);
        return;
    }
    assert_ptr_equal(event->message, &layer->message);
    assert_ptr_equal(event->routing, &layer->routing);
    assert_ptr_equal(event->hop, &layer->source);
    struct span name = short_name(event->message->bytes);
    trace(layer, "%llu ^ %.*s", (unsigned long long)layer->now_ms, (int)name.size, name.at);
    if (event->transaction.generation != 0)
        trace(layer, " user %llu", (unsigned long long)event->user);
    trace(layer, "\n");
}

static void take_event(struct layer *layer, const struct ahoy_event *event)
{
    if (layer->watch != NULL) {
        layer->watch->event(layer, event);
        return;
    }
    trace_event(layer, event);
    if (event->kind != AHOY_EVENT_REQUEST && event->kind != AHOY_EVENT_CANCEL)
        return;
    layer->event = *event;
    if (layer->accepts != 0)
        layer->accepted =
            ahoy_transaction_accept(layer->transactions, event, layer->accepts, layer->now_ms);
}

static void take_sending(struct layer *layer, const struct ahoy_sending *sending)
{
    layer->sending = *sending;
    assert_in_range(sending->bytes.size, 1, sizeof layer->sent);
    memcpy(layer->sent, sending->bytes.at, sending->bytes.size);
    layer->sent_size = sending->bytes.size;
    if (layer->watch != NULL) {
        layer->watch->sending(layer, sending);
        return;
    }
    struct span name = short_name(sending->bytes);
    trace(layer, "%llu > %.*s\n", (unsigned long long)layer->now_ms, (int)name.size, name.at);
}

void layer_drain_events(struct layer *layer)
{
    struct ahoy_event event;
    while (ahoy_transactions_event(layer->transactions, &event))
        take_event(layer, &event);
}

void layer_drain(struct layer *layer)
{
    struct ahoy_sending sending;
    layer_drain_events(layer);
    while (ahoy_transactions_poll(layer->transactions, &sending))
        take_sending(layer, &sending);
    ahoy_transactions_settle(layer->transactions);
    layer->drains++;
}

void layer_run(struct layer *layer, uint64_t now_ms)
{
    for (;;) {
        uint64_t next = ahoy_timers_deadline(&layer->timers);
        layer->now_ms = next < now_ms ? (next > layer->now_ms ? next : layer->now_ms) : now_ms;
        struct ahoy_timer *timer = ahoy_timers_expire(&layer->timers, layer->now_ms);
        if (timer != NULL) {
            ahoy_transactions_timer(layer->transactions, timer, layer->now_ms);
            layer_drain(layer);
        } else if (layer->now_ms == now_ms) {
            return;
        }
    }
}

bool layer_receive(struct layer *layer, struct span text)
{
    assert_in_range(text.size, 1, sizeof layer->received);
    memmove(layer->received, text.at, text.size);
    struct span bytes = { layer->received, text.size };
    struct ahoy_err err;
    if (!ahoy_message_parse(bytes, &layer->message, &err) ||
        !ahoy_message_routing(&layer->message, &layer->routing, &err))
        return false;
    struct ahoy_expected expected;
    ahoy_transactions_expect(layer->transactions, &layer->message, &layer->routing, &expected);
    ahoy_transactions_message(layer->transactions, &expected, &layer->source, &layer->source,
                              layer->now_ms);
    layer_drain(layer);
    return true;
}

void layer_request_to(struct layer *layer, const char *method, const char *branch,
                      const char *to_tag, const char *rows)
{
    char text[4096];
    int size = snprintf(text, sizeof text,
                        "%s sip:bob@192.0.2.1 SIP/2.0\r\n"
                        "Via: SIP/2.0/UDP 192.0.2.2:5062;branch=%s\r\n"
                        "Max-Forwards: 70\r\n"
                        "From: <sip:alice@192.0.2.2>;tag=theirs\r\n"
                        "To: <sip:bob@192.0.2.1>%s%s\r\n"
                        "Call-ID: a-call\r\n"
                        "CSeq: 1 %s\r\n"
                        "%s"
                        "Content-Length: 0\r\n\r\n",
                        method, branch, to_tag != NULL ? ";tag=" : "", to_tag != NULL ? to_tag : "",
                        method, rows);
    assert_in_range(size, 1, sizeof text - 1);
    assert_true(layer_receive(layer, (struct span){ text, (size_t)size }));
}

void layer_request(struct layer *layer, const char *method, const char *branch, const char *rows)
{
    layer_request_to(layer, method, branch, NULL, rows);
}

void layer_answer_to(struct layer *layer, struct span request, unsigned status)
{
    char text[AHOY_MESSAGE_LIMIT];
    const struct ahoy_response response = { .status = status,
                                            .to_tag = ahoy_span(layer->peers_tag) };
    struct ahoy_buf buf = ahoy_buf_over(text, sizeof text);
    assert_true(ahoy_message_parse(request, &layer->parsed, NULL));
    ahoy_compose_response(&buf, &layer->parsed, &response);
    assert_true(layer_receive(layer, ahoy_buf_text(&buf)));
}

void layer_answer(struct layer *layer, unsigned status)
{
    layer_answer_to(layer, layer_sent(layer), status);
}

struct ahoy_handle layer_send_quietly(struct layer *layer, enum ahoy_method method, uint64_t user)
{
    struct span name = ahoy_method_name(method);
    if (name.size == 0)
        name = SPAN("FROB");
    char line[64];
    char cseq[64];
    int line_size =
        snprintf(line, sizeof line, "%.*s sip:bob@192.0.2.2 SIP/2.0\r\n", (int)name.size, name.at);
    int cseq_size = snprintf(cseq, sizeof cseq, "CSeq: 7 %.*s\r\n", (int)name.size, name.at);
    const struct span pieces[] = {
        SPAN("Max-Forwards: 70\r\nRoute: <sip:192.0.2.2;lr>\r\n"
             "From: <sip:alice@192.0.2.1>;tag=ours\r\nTo: <sip:bob@192.0.2.2>\r\n"
             "Call-ID: our-call\r\n"),
        { cseq, (size_t)cseq_size },
        SPAN("Content-Length: 4\r\n\r\nbody"),
    };
    const struct ahoy_outgoing request = { .method = method,
                                           .request_line = { line, (size_t)line_size },
                                           .pieces = pieces,
                                           .count = sizeof pieces / sizeof pieces[0],
                                           .hop = layer->source,
                                           .user = user };
    return ahoy_transaction_request(layer->transactions, &request, layer->now_ms);
}

struct ahoy_handle layer_send(struct layer *layer, enum ahoy_method method, uint64_t user)
{
    struct ahoy_handle handle = layer_send_quietly(layer, method, user);
    layer_drain(layer);
    return handle;
}

bool layer_respond(struct layer *layer, struct ahoy_handle transaction, unsigned status)
{
    char text[4096];
    const struct ahoy_response response = { .status = status, .to_tag = SPAN(LAYER_TAG) };
    struct ahoy_buf buf = ahoy_buf_over(text, sizeof text);
    ahoy_compose_response(&buf, &layer->message, &response);
    const struct span pieces[] = { { text, 5 }, { text + 5, buf.size - 5 } };
    bool result = ahoy_transaction_respond(layer->transactions, transaction, status, pieces, 2,
                                           layer->now_ms);
    layer_drain(layer);
    return result;
}

void layer_fail(struct layer *layer, struct ahoy_handle transaction)
{
    ahoy_transactions_send_failed(layer->transactions, transaction, layer->now_ms);
    layer_drain(layer);
}

bool layer_same_hop(const struct ahoy_hop *a, const struct ahoy_hop *b)
{
    return a->transport == b->transport && a->listener == b->listener &&
           ahoy_handle_equal(a->connection, b->connection) && ahoy_ip_equal(&a->remote, &b->remote);
}

struct span layer_sent(const struct layer *layer)
{
    return (struct span){ layer->sent, layer->sent_size };
}

void layer_forget_trace(struct layer *layer)
{
    layer->trace = ahoy_buf_over(layer->trace_space, sizeof layer->trace_space - 1);
}

void layer_expect(struct layer *layer, const char *lines)
{
    layer->trace_space[layer->trace.size] = '\0';
    assert_string_equal(layer->trace_space, lines);
    layer_forget_trace(layer);
}
