/* What the layer tells of the messages that it sends: whose call they belong to, and where they may
 * grow (stack/wire.h).  io/glance finds the same by looking. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "libahoy/io/glance.h"
#include "tests/support/layer.h"

#define HEAD                                                                                       \
    "Via: SIP/2.0/UDP pc.example;branch=z9hG4bK1\r\nFrom: <sip:a@a.example>;tag=1\r\n"             \
    "To: <sip:b@b.example>\r\nCall-ID: c1@a.example\r\nCSeq: 1 INVITE\r\n"

static struct layer layer;
static void (*act)(const struct ahoy_event *event); /* What the user does with a request. */
static unsigned sent_count, told_count; /* What was sent; of it, with its gap. */

static void on_event(struct layer *unused, const struct ahoy_event *event)
{
    (void)unused;
    if (event->kind == AHOY_EVENT_REQUEST || event->kind == AHOY_EVENT_ACK)
        act(event);
}

/* What is told is what a look would find. */
static void on_sending(struct layer *unused, const struct ahoy_sending *sending)
{
    (void)unused;
    struct ahoy_glance glance = { 0 };
    ahoy_glance(sending->bytes, &glance);
    bool is_datagram = sending->hop.transport == AHOY_UDP;
    assert_int_equal(sending->call, is_datagram ? glance.call : 0);
    told_count += sending->gap > 0;
    if (sending->gap > 0) { /* Behind the colon, or behind the blank that follows it. */
        assert_in_range(sending->gap, glance.gap, glance.gap + 1);
        assert_true(sending->gap == glance.gap || sending->bytes.at[glance.gap] == ' ');
    }
    sent_count++;
}

static const struct layer_watch watch = { on_event, on_sending };

static void count_sending(struct layer *unused, const struct ahoy_sending *sending)
{
    (void)unused;
    (void)sending;
    sent_count++;
}

static const struct layer_watch counting = { on_event, count_sending };

static struct ahoy_edits edits;

/* The message at hand without its first line and its Via. */
static size_t rest_of(const struct ahoy_event *event, struct span pieces[AHOY_PIECES_LIMIT])
{
    ahoy_edits_remove(&edits, event->message->start_line);
    ahoy_edits_remove(&edits, ahoy_message_first(event->message, AHOY_HEADER_VIA)->row);
    return ahoy_edits_gather(&edits, pieces);
}

static void send_on(const struct ahoy_event *event)
{
    struct span pieces[AHOY_PIECES_LIMIT];
    struct ahoy_outgoing request = { .method = event->message->method,
                                     .request_line = event->message->start_line,
                                     .pieces = pieces,
                                     .count = rest_of(event, pieces),
                                     .hop = *event->hop };
    if (event->kind == AHOY_EVENT_ACK)
        assert_true(ahoy_transaction_send(layer.transactions, &request, SPAN("seed")));
    else
        assert_int_not_equal(
            ahoy_transaction_request(layer.transactions, &request, layer.now_ms).generation, 0);
}

static void forward(const struct ahoy_event *event)
{
    ahoy_edits_init(&edits, event->message->bytes);
    send_on(event);
}

static void forward_with_a_row_behind(const struct ahoy_event *event)
{
    ahoy_edits_init(&edits, event->message->bytes);
    ahoy_edits_insert(&edits, event->message->bytes.at + event->message->headers_end,
                      SPAN("X: y\r\n"));
    send_on(event);
}

static void forward_cut(const struct ahoy_event *event)
{
    ahoy_edits_init(&edits, event->message->bytes);
    ahoy_edits_remove(&edits, (struct span){ ahoy_span_end(event->message->bytes) - 1, 1 });
    send_on(event);
}

/* As if the message at hand were the answer to itself, which differs in its first line. */
static void answer_with(const struct ahoy_event *event, unsigned status)
{
    struct span pieces[1 + AHOY_PIECES_LIMIT] = { SPAN("SIP/2.0 200 OK\r\n") };
    ahoy_edits_init(&edits, event->message->bytes);
    size_t count = 1 + rest_of(event, pieces + 1);
    struct ahoy_handle transaction =
        ahoy_transaction_accept(layer.transactions, event, 7, layer.now_ms);
    assert_true(ahoy_transaction_respond(layer.transactions, transaction, status, pieces, count,
                                         layer.now_ms));
}

static void answer_for_good(const struct ahoy_event *event)
{
    answer_with(event, 200);
}

static void answer_for_now(const struct ahoy_event *event)
{
    answer_with(event, 180);
}

static void pass(const struct ahoy_event *event)
{
    struct span pieces[1 + AHOY_PIECES_LIMIT] = { SPAN("SIP/2.0 200 OK\r\n") };
    ahoy_edits_init(&edits, event->message->bytes);
    size_t count = 1 + rest_of(event, pieces + 1);
    ahoy_transaction_pass(layer.transactions, event->hop, pieces, count);
}

/* An answer of ours quotes the message in its body: its end is not the end of a head. */
static void quote(const struct ahoy_event *event)
{
    char text[2048];
    struct ahoy_buf buf = ahoy_buf_over(text, sizeof text);
    const struct ahoy_response response = { .status = 400, .body = event->message->bytes };
    ahoy_compose_response(&buf, event->message, &response);
    struct span piece = ahoy_buf_text(&buf);
    ahoy_transaction_answer(layer.transactions, event, &piece, 1);
}

static void forward_and_quote(const struct ahoy_event *event)
{
    forward(event);
    quote(event);
}

struct row {
    void (*act)(const struct ahoy_event *event);
    const char *text;
    unsigned sent, told;
};

static void run(enum ahoy_transport transport, const struct row *row, unsigned told)
{
    layer_init(&layer, transport);
    layer.watch = &watch;
    act = row->act;
    sent_count = told_count = 0;
    assert_true(layer_receive(&layer, ahoy_span(row->text)));
    layer_drain(&layer);
    assert_int_equal(sent_count, row->sent);
    assert_int_equal(told_count, told);
    layer_abort(&layer);
}

#define INVITE  "INVITE sip:b@b.example SIP/2.0\r\n" HEAD
#define OPTIONS "OPTIONS sip:b@b.example SIP/2.0\r\n" \
    "Via: SIP/2.0/UDP pc.example;branch=z9hG4bK1\r\nFrom: <sip:a@a.example>;tag=1\r\n" \
    "To: <sip:b@b.example>\r\nCall-ID: c1@a.example\r\nCSeq: 1 OPTIONS\r\n"
#define ACK     "ACK sip:b@b.example SIP/2.0\r\n" \
    "Via: SIP/2.0/UDP pc.example;branch=z9hG4bK1\r\nFrom: <sip:a@a.example>;tag=1\r\n" \
    "To: <sip:b@b.example>;tag=2\r\nCall-ID: c1@a.example\r\nCSeq: 1 ACK\r\n"

static const struct row rows[] = {
    { forward, OPTIONS "Content-Length: 0\r\n\r\n", 1, 1 },
    { forward, OPTIONS "l:3\r\nSubject: a\r\n\r\nabcsurplus", 1, 1 },
    { forward, ACK "Content-Length: 0\r\n\r\n", 1, 1 },
    { answer_for_good, OPTIONS "Content-Length: 3\r\n\r\nabc", 1, 1 },
    { answer_for_good, INVITE "Content-Length: 3\r\n\r\nabc", 1, 1 },
    { answer_for_now, INVITE "Content-Length: 0\r\n\r\n", 1, 1 },
    { pass, OPTIONS "Content-Length: 0\r\n\r\n", 1, 1 },
    /* Not where a look would find none either: on a row that is folded, or where there is none. */
    { forward, OPTIONS "Content-Length:\r\n 0\r\n\r\n", 1, 0 },
    { forward, OPTIONS "Content-Length: 0\r\n \r\n\r\n", 1, 0 },
    { forward, OPTIONS "\r\n", 1, 0 },
    /* Nor where it ends otherwise than the message at hand, or is another one. */
    { forward_with_a_row_behind, OPTIONS "Content-Length: 0\r\n\r\n", 1, 0 },
    { forward_cut, OPTIONS "Content-Length: 3\r\n\r\nabc", 1, 0 },
    { quote, OPTIONS "Content-Length: 0\r\n\r\n", 1, 0 },
    { forward_and_quote, OPTIONS "Content-Length: 0\r\n\r\n", 2, 1 },
};

static void told_as_a_look_would_find_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        run(AHOY_UDP, &rows[i], rows[i].told);
}

/* On a connection nobody asks whose call it is. */
static void on_a_connection(void **state)
{
    (void)state;
    run(AHOY_TCP, &rows[0], 0);
}

/* What is sent again stands alone: no message is at hand then. */
static void sent_again(void **state)
{
    (void)state;
    layer_init(&layer, AHOY_UDP);
    layer_send(&layer, AHOY_METHOD_INVITE, 7);
    assert_int_equal(layer.sending.call, 0);
    layer_answer(&layer, 100);
    layer_request(&layer, "INVITE", "z9hG4bKa", "");
    layer_run(&layer, 100);
    layer_send(&layer, AHOY_METHOD_INVITE, 8);
    assert_int_equal(layer.sending.call, 0);
    assert_int_equal(layer.sending.gap, 0);
    layer_abort(&layer);
}

/* A request that was composed; its call and its place are told. */
static struct ahoy_outgoing compose(void)
{
    static const struct span rows_of_ours =
        SPAN_INIT("Max-Forwards: 70\r\nFrom: <sip:a@a.example>;tag=1\r\n"
                  "To: <sip:b@b.example>\r\nCall-ID: mine@a.example\r\n"
                  "CSeq: 1 INFO\r\nContent-Length: 3\r\n\r\nabc");
    return (struct ahoy_outgoing){ .method = AHOY_METHOD_INFO,
                                   .request_line = SPAN("INFO sip:b@b.example SIP/2.0\r\n"),
                                   .pieces = &rows_of_ours,
                                   .count = 1,
                                   .hop = layer.source,
                                   .call = ahoy_span_mark(SPAN("mine@a.example")),
                                   .behind = sizeof "3\r\n\r\nabc" - 1 };
}

/* Who composes a request himself knows both, whatever is at hand; and of the next one, nothing. */
static void composed(void **state)
{
    (void)state;
    layer_init(&layer, AHOY_UDP);
    struct ahoy_outgoing request = compose();
    layer.watch = &watch;
    sent_count = told_count = 0;
    assert_true(ahoy_transaction_send(layer.transactions, &request, SPAN("seed")));
    layer_drain(&layer);
    assert_int_not_equal(
        ahoy_transaction_request(layer.transactions, &request, layer.now_ms).generation, 0);
    layer_drain(&layer);
    layer.watch = NULL;
    layer_run(&layer, 500); /* Timer E.  By then that place might have other bytes. */
    assert_int_equal(layer.sending.call, 0);
    assert_int_equal(layer.sending.gap, 0);
    layer.watch = &watch;
    assert_true(ahoy_transaction_send(layer.transactions, &request, SPAN("seed")));
    layer_drain(&layer);
    assert_int_equal(sent_count, 3);
    assert_int_equal(told_count, 3);
    const char *last = layer.sending.bytes.at;
    layer.watch = NULL;
    request.call = request.behind = 0;
    ahoy_transactions_settle(layer.transactions);
    assert_true(ahoy_transaction_send(layer.transactions, &request, SPAN("seed")));
    layer_drain(&layer);
    assert_ptr_equal(layer.sending.bytes.at, last); /* Other bytes in the same place. */
    assert_int_equal(layer.sending.call, 0);
    assert_int_equal(layer.sending.gap, 0);
    layer_abort(&layer);
}

/* So does who answers a request that is no longer at hand. */
static void answered_later(void **state)
{
    (void)state;
    static const struct span rows_of_ours =
        SPAN_INIT("SIP/2.0 486 Busy Here\r\nVia: SIP/2.0/UDP pc.example;branch=z9hG4bKa\r\n"
                  "Call-ID: mine@a.example\r\nContent-Length: 3\r\n\r\nabc");
    struct ahoy_reply reply = { .status = 486, .pieces = &rows_of_ours, .count = 1 };
    for (unsigned known = 0; known < 2; known++) {
        layer_init(&layer, AHOY_UDP);
        layer_request(&layer, "INVITE", "z9hG4bKa", "");
        struct ahoy_handle invite =
            ahoy_transaction_accept(layer.transactions, &layer.event, 7, layer.now_ms);
        layer_drain(&layer);
        layer_run(&layer, 100);
        if (known) {
            reply.call = ahoy_span_mark(SPAN("mine@a.example"));
            reply.behind = sizeof "3\r\n\r\nabc" - 1;
            layer.watch = &watch;
        }
        sent_count = told_count = 0;
        assert_true(ahoy_transaction_reply(layer.transactions, invite, &reply, layer.now_ms));
        layer_drain(&layer);
        assert_int_equal(told_count, known);
        assert_int_equal(sent_count, known);
        assert_int_equal(layer.sending.call != 0, known);
        layer.watch = NULL;
        sent_count = 0;
        layer.watch = &counting;
        layer_run(&layer, 600); /* Timer G.  By then that place might have other bytes. */
        assert_int_equal(sent_count, 1);
        assert_int_equal(layer.sending.call, 0);
        assert_int_equal(layer.sending.gap, 0);
        layer.watch = NULL;
        layer_abort(&layer);
    }
}

/* A CANCEL that leaves without a transaction stands where what was composed before stood. */
static void another_in_its_place(void **state)
{
    (void)state;
    layer_init_limited(&layer, AHOY_UDP, 1, LAYER_MEMORY);
    struct ahoy_handle invite = layer_send(&layer, AHOY_METHOD_INVITE, 7);
    layer_answer(&layer, 100);
    const struct ahoy_outgoing request = compose();
    assert_true(ahoy_transaction_send(layer.transactions, &request, SPAN("seed")));
    layer_drain(&layer);
    assert_int_not_equal(layer.sending.call, 0);
    const char *place = layer.sending.bytes.at;
    ahoy_transaction_cancel(layer.transactions, invite, SPAN(""), layer.now_ms);
    layer_drain(&layer);
    assert_memory_equal(layer.sent, "CANCEL ", 7);
    assert_ptr_equal(layer.sending.bytes.at, place);
    assert_int_equal(layer.sending.call, 0);
    assert_int_equal(layer.sending.gap, 0);
    layer_abort(&layer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(told_as_a_look_would_find_it),
        cmocka_unit_test(on_a_connection),
        cmocka_unit_test(sent_again),
        cmocka_unit_test(composed),
        cmocka_unit_test(answered_later),
        cmocka_unit_test(another_in_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
