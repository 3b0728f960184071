/* bench-ua: what a call costs two user agents, caller and callee, without sockets: INVITE, 100,
 * 180, 200, ACK, BYE, 200, and whatever their transactions have to do until they are over.
 *
 *   bench-ua --turns N   measures: a line a turn, the microseconds of CPU that a call takes on both
 *                        sides, and on the callee's
 *   bench-ua --count N   makes so many calls, for callgrind to count
 *
 * Calls go side by side, as many as a user agent takes at once.  What is sent lies in an array
 * until the other side has its turn, so one reading of the clock is for many messages. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "libahoy/resolve/locate.h"
#include "libahoy/stack/stack.h"
#include "libahoy/tu/ua.h"

enum {
    CALLS = AHOY_UA_SESSIONS_LIMIT,
    FLIGHT = 4 * CALLS,
    TURN_CALLS = 4000,
    OVER_MS = 40000 /* 64*T1 and some more: then nothing is left of them. */
};

struct end {
    const char *name, *uri, *sent_by;
    struct ahoy_listener listener;
    struct ahoy_stack *stack;
    struct ahoy_ua *ua;
    double spent_us;
    size_t waiting; /* Messages to it. */
    struct message {
        size_t size;
        char bytes[2048];
    } messages[FLIGHT];
};

static struct end ends[2] = {
    { .name = "alice", .uri = "sip:alice@192.0.2.1", .sent_by = "192.0.2.1:5060" },
    { .name = "bob", .uri = "sip:bob@192.0.2.2", .sent_by = "192.0.2.2:5060" },
};
static uint64_t now_ms;
static unsigned answered;

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "bench-ua: %s\n", what);
    exit(1);
}

static double cpu_us(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static struct end *other(const struct end *end)
{
    return &ends[end == &ends[0]];
}

static struct ahoy_ip ip_of(const struct end *end)
{
    return (struct ahoy_ip){ .family = AHOY_IPV4,
                             .port = 5060,
                             .bytes = { 192, 0, 2, end == &ends[0] ? 1 : 2 } };
}

static void open_end(struct end *end)
{
    end->listener = (struct ahoy_listener){ .transport = AHOY_UDP,
                                            .local = ip_of(end),
                                            .sent_by = ahoy_span(end->sent_by) };
    const struct ahoy_stack_options stack = {
        .listeners = &end->listener,
        .listener_count = 1,
        .workers = 1,
        .connection_limit = 1,
        .transactions = { .clocks = AHOY_DEFAULT_CLOCKS,
                          .limit = 8 * CALLS,
                          .memory_limit = 4 << 20 },
    };
    end->stack = ahoy_stack_new(&stack, now_ms);
    if (end->stack == NULL)
        die("no stack");
    const struct ahoy_ua_options ua = {
        .transactions = ahoy_stack_transactions(end->stack),
        .account = { .uri = ahoy_span(end->uri), .user = ahoy_span(end->name) },
        .server = { .transport = AHOY_UDP,
                    .listener = AHOY_ANY_LISTENER,
                    .remote = ip_of(other(end)) },
        .locate = ahoy_locate,
        .t1_ms = AHOY_DEFAULT_CLOCKS.t1_ms,
        .t2_ms = AHOY_DEFAULT_CLOCKS.t2_ms,
    };
    end->ua = ahoy_ua_new(&ua);
    if (end->ua == NULL)
        die("no user agent");
}

/* Bob rings and answers at once; Alice hangs up. */
static void take_news(struct end *end)
{
    const struct ahoy_ip media = ip_of(end);
    struct ahoy_ua_news news;
    while (ahoy_ua_poll(end->ua, &news)) {
        if (news.kind == AHOY_NEWS_INCOMING) {
            ahoy_ua_ring(end->ua, news.session, now_ms);
            ahoy_ua_answer(end->ua, news.session, &media, now_ms);
        } else if (news.kind == AHOY_NEWS_ANSWERED && end == &ends[0]) {
            answered++;
            ahoy_ua_hangup(end->ua, news.session, now_ms);
        }
    }
}

static void settle(struct end *end)
{
    struct ahoy_event event;
    struct ahoy_wire_effect effect;
    struct end *to = other(end);
    while (ahoy_stack_event(end->stack, &event))
        ahoy_ua_step(end->ua, &event, now_ms);
    take_news(end);
    while (ahoy_stack_poll(end->stack, &effect)) {
        struct message *message = &to->messages[to->waiting];
        if (to->waiting == FLIGHT || effect.bytes.size > sizeof message->bytes)
            die("there is no room for a message");
        memcpy(message->bytes, effect.bytes.at, effect.bytes.size);
        message->size = effect.bytes.size;
        to->waiting++;
    }
}

static void step(struct end *end, struct ahoy_wire_event *event)
{
    ahoy_stack_step(end->stack, event, now_ms);
    settle(end);
}

/* All that waits for it. */
static void receive(struct end *end)
{
    double begin = cpu_us();
    for (size_t i = 0; i < end->waiting; i++) {
        struct ahoy_wire_event event = {
            .kind = AHOY_WIRE_DATAGRAM,
            .hop = { .transport = AHOY_UDP, .remote = ip_of(other(end)) },
            .bytes = { end->messages[i].bytes, end->messages[i].size }
        };
        step(end, &event);
    }
    end->waiting = 0;
    end->spent_us += cpu_us() - begin;
}

static void wake(struct end *end)
{
    struct ahoy_wire_event event = { .kind = AHOY_WIRE_TIME };
    double begin = cpu_us();
    step(end, &event);
    if (ahoy_ua_deadline(end->ua) <= now_ms)
        ahoy_ua_expire(end->ua, now_ms);
    settle(end);
    end->spent_us += cpu_us() - begin;
}

static void begin_calls(struct end *end, unsigned calls)
{
    const struct ahoy_ip media = ip_of(end);
    double begin = cpu_us();
    for (unsigned i = 0; i < calls; i++) {
        if (ahoy_ua_call(end->ua, ahoy_span(other(end)->uri), &media, now_ms).generation == 0)
            die("no call can be made");
        settle(end);
    }
    end->spent_us += cpu_us() - begin;
}

/* So many calls side by side, from their INVITE until nothing is left. */
static void make_calls(unsigned calls)
{
    begin_calls(&ends[0], calls);
    while (ends[0].waiting + ends[1].waiting > 0) {
        receive(&ends[1]);
        receive(&ends[0]);
    }
    now_ms += OVER_MS;
    wake(&ends[0]);
    wake(&ends[1]);
    if (ahoy_ua_sessions(ends[0].ua) + ahoy_ua_sessions(ends[1].ua) > 0)
        die("something is left of a call");
}

static void make_many(unsigned calls)
{
    answered = 0;
    for (unsigned i = 0; i < calls; i += CALLS)
        make_calls(calls - i < CALLS ? calls - i : CALLS);
    if (answered != calls)
        die("not all calls were answered");
}

static void measure(unsigned turns)
{
    make_many(TURN_CALLS); /* Memory is touched for the first time. */
    for (unsigned i = 0; i < turns; i++) {
        ends[0].spent_us = ends[1].spent_us = 0;
        make_many(TURN_CALLS);
        printf("%.3f %.3f\n", (ends[0].spent_us + ends[1].spent_us) / answered,
               ends[1].spent_us / answered);
    }
}

int main(int argc, char **argv)
{
    unsigned number = argc == 3 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;
    if (number == 0 || (strcmp(argv[1], "--turns") != 0 && strcmp(argv[1], "--count") != 0)) {
        fputs("Usage: bench-ua --turns N | --count N\n", stderr);
        return 2;
    }
    for (size_t i = 0; i < 2; i++)
        open_end(&ends[i]);
    if (strcmp(argv[1], "--turns") == 0)
        measure(number);
    else
        make_many(number);
    for (size_t i = 0; i < 2; i++) {
        ahoy_ua_free(ends[i].ua);
        ahoy_stack_free(ends[i].stack);
    }
    return 0;
}
