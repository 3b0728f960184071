/* A whole call without sockets, clock or waiting: two user agents, each on a stack of its own, and
 * a wire of 20 ms between them that is an array.  Prints each message with its virtual time. */
#include <ahoy/ahoy.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum { DELAY_MS = 20, FLIGHT = 32 };

struct end {
    const char *name;
    char uri[64], sent_by[64];
    struct ahoy_listener listener;
    struct ahoy_stack *stack;
    struct ahoy_ua *ua;
};

struct datagram {
    uint64_t due_ms;
    struct end *to;
    struct ahoy_ip from;
    size_t size;
    char bytes[2048];
};

static struct end ends[2] = { { .name = "alice" }, { .name = "bob" } };
static struct datagram flight[FLIGHT]; /* In the order in which they left. */
static size_t flying;
static uint64_t now_ms;

static void open_end(struct end *end, uint8_t number)
{
    struct ahoy_ip ip = { .family = AHOY_IPV4, .port = 5060, .bytes = { 192, 0, 2, number } };
    struct ahoy_ip other = ip;
    other.bytes[3] = (uint8_t)(3 - number);
    snprintf(end->uri, sizeof end->uri, "sip:%s@192.0.2.%u", end->name, number);
    snprintf(end->sent_by, sizeof end->sent_by, "192.0.2.%u:5060", number);
    end->listener = (struct ahoy_listener){ .transport = AHOY_UDP,
                                            .local = ip,
                                            .sent_by = ahoy_span(end->sent_by) };
    const struct ahoy_stack_options stack = {
        .listeners = &end->listener,
        .listener_count = 1,
        .workers = 1,
        .connection_limit = 1,
        .transactions = { .clocks = AHOY_DEFAULT_CLOCKS,
                          .limit = 64,
                          .memory_limit = 1 << 20,
                          .seed = { number, 1 } },
    };
    end->stack = ahoy_stack_new(&stack, now_ms);
    assert(end->stack != NULL);
    const struct ahoy_ua_options ua = {
        .transactions = ahoy_stack_transactions(end->stack),
        .account = { .uri = ahoy_span(end->uri), .user = ahoy_span(end->name) },
        .server = { .transport = AHOY_UDP, .listener = AHOY_ANY_LISTENER, .remote = other },
        .locate = ahoy_locate,
        .t1_ms = AHOY_DEFAULT_CLOCKS.t1_ms,
        .t2_ms = AHOY_DEFAULT_CLOCKS.t2_ms,
        .seed = { number, 2 },
    };
    end->ua = ahoy_ua_new(&ua);
    assert(end->ua != NULL);
}

static void close_end(struct end *end)
{
    ahoy_ua_free(end->ua);
    ahoy_stack_free(end->stack);
}

/* The wire takes a message over. */
static void carry(struct end *from, struct span bytes)
{
    struct datagram *datagram = &flight[flying++];
    struct span line = { bytes.at, ahoy_span_find(bytes, '\r') };
    assert(flying < FLIGHT && bytes.size <= sizeof datagram->bytes);
    printf("%6u  %-5s  %.*s\n", (unsigned)now_ms, from->name, (int)line.size, line.at);
    datagram->due_ms = now_ms + DELAY_MS;
    datagram->to = from == &ends[0] ? &ends[1] : &ends[0];
    datagram->from = from->listener.local;
    datagram->size = bytes.size;
    memcpy(datagram->bytes, bytes.at, bytes.size);
}

/* What the stack has to say goes to the user agent, what is to be sent to the wire. */
static void pump(struct end *end)
{
    struct ahoy_event event;
    struct ahoy_wire_effect effect;
    while (ahoy_stack_event(end->stack, &event))
        ahoy_ua_step(end->ua, &event, now_ms);
    while (ahoy_stack_poll(end->stack, &effect)) {
        if (effect.kind == AHOY_WIRE_SEND)
            carry(end, effect.bytes);
    }
}

static void step(struct end *end, struct ahoy_wire_event *event)
{
    ahoy_stack_step(end->stack, event, now_ms);
    pump(end);
    ahoy_ua_expire(end->ua, now_ms);
    pump(end);
}

/* Takes the oldest datagram off the wire. */
static void arrive(void)
{
    struct datagram datagram = flight[0];
    memmove(flight, flight + 1, --flying * sizeof *flight);
    struct ahoy_wire_event event = { .kind = AHOY_WIRE_DATAGRAM,
                                     .hop = { .transport = AHOY_UDP, .remote = datagram.from },
                                     .bytes = { datagram.bytes, datagram.size } };
    step(datagram.to, &event);
}

/* Bob answers after two seconds of ringing; Alice hangs up three seconds later. */
static void work(struct end *end)
{
    static const struct ahoy_ip media = { .family = AHOY_IPV4,
                                          .port = 4000,
                                          .bytes = { 192, 0, 2, 9 } };
    static struct ahoy_handle incoming, answered;
    static uint64_t answer_ms = UINT64_MAX, hangup_ms = UINT64_MAX;
    struct ahoy_ua_news news;
    while (ahoy_ua_poll(end->ua, &news)) {
        if (news.kind == AHOY_NEWS_INCOMING) {
            incoming = news.session;
            answer_ms = now_ms + 2000;
            ahoy_ua_ring(end->ua, incoming, now_ms);
        } else if (news.kind == AHOY_NEWS_ANSWERED && end == &ends[0]) {
            answered = news.session;
            hangup_ms = now_ms + 3000;
        }
    }
    if (end == &ends[1] && now_ms >= answer_ms) {
        answer_ms = UINT64_MAX;
        ahoy_ua_answer(end->ua, incoming, &media, now_ms);
    } else if (end == &ends[0] && now_ms >= hangup_ms) {
        hangup_ms = UINT64_MAX;
        ahoy_ua_hangup(end->ua, answered, now_ms);
    } else {
        return;
    }
    pump(end);
}

int main(void)
{
    const struct ahoy_ip media = { .family = AHOY_IPV4, .port = 4000, .bytes = { 192, 0, 2, 8 } };
    for (uint8_t i = 0; i < 2; i++)
        open_end(&ends[i], (uint8_t)(i + 1));
    (void)ahoy_ua_call(ends[0].ua, ahoy_span(ends[1].uri), &media, now_ms);
    pump(&ends[0]);
    for (; now_ms < 40000; now_ms += 10) { /* A clock that ticks as fast as the program runs. */
        struct ahoy_wire_event time = { .kind = AHOY_WIRE_TIME };
        while (flying > 0 && flight[0].due_ms <= now_ms)
            arrive();
        for (int i = 0; i < 2; i++) {
            step(&ends[i], &time);
            work(&ends[i]);
        }
    }
    bool over = ahoy_ua_sessions(ends[0].ua) == 0 && ahoy_ua_sessions(ends[1].ua) == 0;
    for (int i = 0; i < 2; i++)
        close_end(&ends[i]);
    return over ? 0 : 1;
}
