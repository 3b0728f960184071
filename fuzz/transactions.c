/* The transaction layer between a peer and a user who both do anything.  Every transaction must
 * end, each end must be told once, and at rest nothing may be left.
 *
 * The input is a list of acts, three bytes each: what is done, and two that say to what and how.
 * One of them gives a whole message of its own: the second byte is then its size. */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz/target.h"
#include "libahoy/syntax/compose.h"
#include "libahoy/transaction/transactions.h"

enum { LIMIT = 24, MEMORY = 20 * 2016 };

static const struct ahoy_listener listeners[] = {
    { .transport = AHOY_UDP,
      .local = { .family = AHOY_IPV4, .port = 5060, .bytes = { 192, 0, 2, 1 } },
      .sent_by = { "192.0.2.1", 9 } },
    { .transport = AHOY_TCP,
      .local = { .family = AHOY_IPV4, .port = 5060, .bytes = { 192, 0, 2, 1 } },
      .sent_by = { "192.0.2.1", 9 } },
};

/* The messages that go in are read here; what they are made of is in |text|. */
static struct ahoy_message message;
static struct ahoy_routing routing;
static char text[AHOY_MESSAGE_LIMIT];

struct world {
    uint64_t now_ms;
    struct ahoy_flows flows;
    struct ahoy_timers timers;
    struct ahoy_transactions *transactions;
    struct ahoy_hop source;
    /* The last transaction of each slot. */
    struct known {
        struct ahoy_handle handle;
        uint64_t user;
        bool is_server, is_answered, has_ended;
    } known[LIMIT];
    uint64_t begun, ended;
    char sent[4096]; /* The last request of ours. */
    size_t sent_size;
    unsigned how;
};

static struct world world;

static struct known *know(struct ahoy_handle handle, bool is_server)
{
    if (handle.generation == 0)
        return NULL;
    struct known *known = &world.known[handle.slot];
    MUST(known->handle.generation == 0 || known->has_ended);
    *known = (struct known){ .handle = handle, .user = ++world.begun, .is_server = is_server };
    return known;
}

static bool respond(struct known *known, unsigned status)
{
    const struct span piece = SPAN("SIP/2.0 000 Any\r\nTo: <sip:b@b>;tag=x\r\n\r\n");
    bool ok = ahoy_transaction_respond(world.transactions, known->handle, status, &piece, 1,
                                       world.now_ms);
    MUST(!ok || (known->is_server && !known->has_ended));
    known->is_answered |= ok && status >= 200;
    return ok;
}

static void take_event(const struct ahoy_event *event)
{
    if (event->transaction.generation != 0) {
        struct known *known = &world.known[event->transaction.slot];
        MUST(ahoy_handle_equal(known->handle, event->transaction));
        MUST(known->user == event->user && known->is_server == event->is_server);
        MUST(!known->has_ended);
        known->has_ended = event->kind == AHOY_EVENT_ENDED;
        world.ended += known->has_ended;
    }
    if (event->kind != AHOY_EVENT_REQUEST && event->kind != AHOY_EVENT_CANCEL)
        return;
    struct ahoy_handle handle =
        ahoy_transaction_accept(world.transactions, event, world.begun + 1, world.now_ms);
    struct known *known = know(handle, true);
    if (known != NULL && (world.how & 1) != 0)
        (void)respond(known, 100 + world.how % 600); /* Or it is refused. */
}

static void drain(void)
{
    struct ahoy_event event;
    struct ahoy_sending sending;
    while (ahoy_transactions_event(world.transactions, &event))
        take_event(&event);
    while (ahoy_transactions_poll(world.transactions, &sending)) {
        MUST(sending.bytes.size > 0);
        if (memcmp(sending.bytes.at, "SIP/2.0", 7) == 0 || sending.bytes.size > sizeof world.sent)
            continue;
        memcpy(world.sent, sending.bytes.at, sending.bytes.size);
        world.sent_size = sending.bytes.size;
    }
    ahoy_transactions_settle(world.transactions);
    MUST(ahoy_transactions_count(world.transactions) <= LIMIT);
    MUST(ahoy_transactions_memory(world.transactions) <= MEMORY);
}

static void receive(size_t size)
{
    struct ahoy_err err;
    struct ahoy_expected expected;
    if (ahoy_message_parse((struct span){ text, size }, &message, &err) &&
        ahoy_message_routing(&message, &routing, &err)) {
        ahoy_transactions_expect(world.transactions, &message, &routing, &expected);
        ahoy_transactions_message(world.transactions, &expected, &world.source, &world.source,
                                  world.now_ms);
    }
    drain();
}

static void peer_asks(unsigned which, unsigned how)
{
    static const char *const methods[] = { "INVITE", "ACK", "CANCEL", "OPTIONS", "X" };
    const char *method = methods[which % 5];
    const char *to = (how & 1) != 0 ? ";tag=x" : "";
    const char *cookie = (how & 2) != 0 ? "z9hG4bK" : "";
    const char *more =
        (how & 4) != 0 ? "0123456789012345678901234567890123456789012345678901234567890123" : "";
    int size = snprintf(text, sizeof text,
                        "%s sip:b@b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=%s%s%u\r\n"
                        "From: <sip:a@a>;tag=f\r\nTo: <sip:b@b>%s\r\nCall-ID: c\r\n"
                        "CSeq: 1 %s\r\nMax-Forwards: 70\r\n\r\n",
                        method, cookie, more, how >> 5, to, method);
    receive((size_t)size);
}

static void peer_answers(unsigned status)
{
    struct ahoy_buf buf = ahoy_buf_over(text, sizeof text);
    const struct ahoy_response response = { .status = status };
    if (!ahoy_message_parse((struct span){ world.sent, world.sent_size }, &message, NULL))
        return;
    ahoy_compose_response(&buf, &message, &response);
    receive(buf.size);
}

static void user_asks(unsigned which)
{
    static const struct span lines[] = { SPAN_INIT("INVITE sip:b@b SIP/2.0\r\n"),
                                         SPAN_INIT("BYE sip:b@b SIP/2.0\r\n") };
    static const struct span rows[] = {
        SPAN_INIT("From: <sip:a@a>;tag=1\r\nTo: <sip:b@b>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n\r\n"),
        SPAN_INIT("From: <sip:a@a>;tag=1\r\nTo: <sip:b@b>\r\nCall-ID: c\r\nCSeq: 1 BYE\r\n\r\n")
    };
    const struct ahoy_outgoing request = { .method =
                                               which == 0 ? AHOY_METHOD_INVITE : AHOY_METHOD_BYE,
                                           .request_line = lines[which],
                                           .pieces = &rows[which],
                                           .count = 1,
                                           .hop = world.source,
                                           .user = world.begun + 1 };
    (void)know(ahoy_transaction_request(world.transactions, &request, world.now_ms), false);
}

static void pass_time(uint64_t until_ms)
{
    for (;;) {
        uint64_t next_ms = ahoy_timers_deadline(&world.timers);
        if (next_ms > world.now_ms)
            world.now_ms = next_ms < until_ms ? next_ms : until_ms;
        struct ahoy_timer *timer = ahoy_timers_expire(&world.timers, world.now_ms);
        if (timer == NULL && world.now_ms >= until_ms)
            return;
        if (timer != NULL)
            ahoy_transactions_timer(world.transactions, timer, world.now_ms);
        drain();
    }
}

/* Whoever fails has sent something: a client, or a server that has answered. */
static void fail(const struct known *known)
{
    if (!known->is_server || known->is_answered)
        ahoy_transactions_send_failed(world.transactions, known->handle, world.now_ms);
}

static void act(unsigned what, unsigned which, unsigned how)
{
    struct known *known = &world.known[which % LIMIT];
    world.how = how;
    world.source.transport = (what & 8) != 0 ? AHOY_TCP : AHOY_UDP;
    switch (what & 7) {
    case 0:
        peer_asks(which, how);
        break;
    case 1:
        peer_answers(100 + (which << 8 | how) % 600);
        break;
    case 2:
        user_asks(which & 1);
        break;
    case 3:
        (void)respond(known, 100 + (how * 16) % 600); /* Whatever comes of it. */
        break;
    case 4:
        ahoy_transaction_cancel(world.transactions, known->handle, SPAN(""), world.now_ms);
        break;
    case 5:
        fail(known);
        break;
    case 6:
        drain();
        pass_time(world.now_ms + which * (how < 128 ? 1 : 100));
        break;
    default:
        break;
    }
    /* Now and then several things happen before anything is polled. */
    if ((what & 16) == 0)
        drain();
}

static void play(struct span input)
{
    while (input.size >= 3) {
        unsigned what = (unsigned char)input.at[0];
        unsigned which = (unsigned char)input.at[1];
        unsigned how = (unsigned char)input.at[2];
        input = ahoy_span_after(input, 3);
        if ((what & 7) <= 1 || (what & 7) == 7)
            drain(); /* Before a message comes in. */
        act(what, which, how);
        if ((what & 7) != 7)
            continue;
        size_t size = which < input.size ? which : input.size;
        memcpy(text, input.at, size);
        input = ahoy_span_after(input, size);
        receive(size);
    }
}

/* All servers are answered, all calls cancelled, and all clocks run out. */
static void come_to_rest(void)
{
    for (int round = 0; round < 3; round++) {
        drain();
        for (unsigned i = 0; i < LIMIT; i++) {
            if (!respond(&world.known[i], 500))
                ahoy_transaction_cancel(world.transactions, world.known[i].handle, SPAN(""),
                                        world.now_ms);
            drain();
        }
        pass_time(world.now_ms + 100000);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct ahoy_transactions_options options = {
        .clocks = AHOY_DEFAULT_CLOCKS, .limit = LIMIT, .memory_limit = MEMORY, .seed = { 1, 2 }
    };
    const struct ahoy_flows_options flows = {
        .listeners = listeners, .listener_count = 2, .limit = 1, .timers = &world.timers
    };
    world = (struct world){
        .source = { .listener = AHOY_ANY_LISTENER,
                    .remote = { .family = AHOY_IPV4, .port = 5060, .bytes = { 192, 0, 2, 9 } } }
    };
    ahoy_timers_init(&world.timers, 0);
    ahoy_flows_init(&world.flows, &flows);
    world.transactions = ahoy_transactions_new(&options, &world.flows, &world.timers);
    MUST(world.transactions != NULL);
    play((struct span){ (const char *)data, size });
    come_to_rest();
    MUST(world.begun == world.ended);
    MUST(ahoy_transactions_count(world.transactions) == 0);
    MUST(ahoy_transactions_memory(world.transactions) == 0);
    MUST(world.timers.count == 0);
    ahoy_transactions_free(world.transactions);
    ahoy_flows_fini(&world.flows);
    return 0;
}
