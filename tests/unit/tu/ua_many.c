/* Many sessions of one user agent, and several user agents on one stack. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "libahoy/resolve/locate.h"
#include "libahoy/stack/stack.h"
#include "libahoy/tu/ua.h"

enum { CALLS = 300, NUMBER = 0x1234, FLIGHT = 64 };

/* A stack with two user agents of one name; the callee's has the first alone. */
struct end {
    struct ahoy_listener listener;
    struct ahoy_stack *stack;
    struct ahoy_ua *uas[2];
    struct ahoy_handle sessions[2][CALLS];
    unsigned answered, refused, over;
};

struct datagram {
    struct end *to;
    size_t size;
    char bytes[2048];
};

static struct end ends[2];
static struct datagram flight[FLIGHT];
static unsigned first, last;
static uint64_t now_ms;
static const struct ahoy_ip media = { .family = AHOY_IPV4, .port = 9, .bytes = { 192, 0, 2, 9 } };

static void open_end(struct end *end, uint8_t number)
{
    static const struct span hosts[] = { SPAN_INIT("192.0.2.1:5060"), SPAN_INIT("192.0.2.2:5060") };
    struct ahoy_ip ip = { .family = AHOY_IPV4, .port = 5060, .bytes = { 192, 0, 2, number } };
    struct ahoy_ip other = ip;
    other.bytes[3] = (uint8_t)(3 - number);
    end->listener =
        (struct ahoy_listener){ .transport = AHOY_UDP, .local = ip, .sent_by = hosts[number - 1] };
    const struct ahoy_stack_options stack = {
        .listeners = &end->listener,
        .listener_count = 1,
        .workers = 1,
        .connection_limit = 1,
        .transactions = { .clocks = AHOY_DEFAULT_CLOCKS,
                          .limit = 4 * CALLS,
                          .memory_limit = 16 << 20,
                          .seed = { number, 1 } },
    };
    end->stack = ahoy_stack_new(&stack, now_ms);
    assert_non_null(end->stack);
    for (unsigned i = 0; i < 2; i++) {
        const struct ahoy_ua_options ua = {
            .transactions = ahoy_stack_transactions(end->stack),
            .account = { .uri = SPAN("sip:x@192.0.2.1"), .user = SPAN("x") },
            .server = { .transport = AHOY_UDP, .listener = AHOY_ANY_LISTENER, .remote = other },
            .locate = ahoy_locate,
            .t1_ms = 500,
            .t2_ms = 4000,
            .sessions = CALLS,
            .number = (uint16_t)(i * NUMBER),
            .seed = { number, i },
        };
        end->uas[i] = ahoy_ua_new(&ua);
        assert_non_null(end->uas[i]);
    }
}

static void hear(struct end *end, struct ahoy_ua *ua)
{
    struct ahoy_ua_news news;
    while (ahoy_ua_poll(ua, &news)) {
        if (news.kind == AHOY_NEWS_INCOMING)
            ahoy_ua_answer(ua, news.session, &media, now_ms);
        end->answered += news.kind == AHOY_NEWS_ANSWERED;
        end->refused += news.kind == AHOY_NEWS_REFUSED;
        end->over += news.kind == AHOY_NEWS_ENDED;
    }
}

/* Events go to the user agent of their number; what is to be sent takes off. */
static void drain(struct end *end)
{
    struct ahoy_event event;
    struct ahoy_wire_effect effect;
    while (ahoy_stack_event(end->stack, &event)) {
        struct ahoy_ua *ua = end->uas[ahoy_ua_number(&event) == NUMBER];
        ahoy_ua_step(ua, &event, now_ms);
        hear(end, ua);
    }
    while (ahoy_stack_poll(end->stack, &effect)) {
        struct datagram *datagram = &flight[last++ % FLIGHT];
        assert_in_range(last - first, 1, FLIGHT);
        assert_in_range(effect.bytes.size, 1, sizeof datagram->bytes);
        datagram->to = end == &ends[0] ? &ends[1] : &ends[0];
        datagram->size = effect.bytes.size;
        memcpy(datagram->bytes, effect.bytes.at, effect.bytes.size);
    }
}

/* What has taken off arrives at once, and what is answered to it. */
static void settle(void)
{
    drain(&ends[0]);
    drain(&ends[1]);
    while (first < last) {
        struct datagram *datagram = &flight[first++ % FLIGHT];
        struct end *to = datagram->to;
        struct ahoy_wire_event arrival = {
            .kind = AHOY_WIRE_DATAGRAM,
            .hop = { .transport = AHOY_UDP, .remote = ends[to == &ends[0]].listener.local },
            .bytes = { datagram->bytes, datagram->size },
        };
        ahoy_stack_step(to->stack, &arrival, now_ms);
        drain(to);
    }
}

static void pass(uint64_t ms)
{
    struct ahoy_wire_event time = { .kind = AHOY_WIRE_TIME };
    for (uint64_t end_ms = now_ms + ms; now_ms < end_ms; now_ms += 100) {
        for (unsigned i = 0; i < 2; i++) {
            ahoy_stack_step(ends[i].stack, &time, now_ms);
            settle();
            for (unsigned j = 0; j < 2; j++) {
                ahoy_ua_expire(ends[i].uas[j], now_ms);
                hear(&ends[i], ends[i].uas[j]);
            }
            settle();
        }
    }
}

static void place(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        for (unsigned j = 0; j < 2; j++) {
            ends[0].sessions[j][i] =
                ahoy_ua_call(ends[0].uas[j], SPAN("sip:x@192.0.2.2"), &media, now_ms);
            assert_int_not_equal(ends[0].sessions[j][i].generation, 0);
            settle();
        }
    }
}

/* All of them stand at once; one more finds the callee busy; each is found again when it is hung
 * up (R3261-12.2.2-1), by the user agent that it belongs to. */
static void make_all(unsigned rounds)
{
    place(CALLS / 2);
    assert_int_equal(ends[0].answered, rounds * CALLS);
    assert_int_equal(ahoy_ua_sessions(ends[1].uas[0]), CALLS);
    assert_int_equal(ahoy_ua_sessions(ends[0].uas[1]), CALLS / 2);
    (void)ahoy_ua_call(ends[0].uas[1], SPAN("sip:x@192.0.2.2"), &media, now_ms);
    settle();
    assert_int_equal(ends[0].refused, rounds);
    pass(1000); /* No 2xx is sent again: each has had its ACK. */
    for (unsigned i = 0; i < CALLS / 2; i++) {
        for (unsigned j = 0; j < 2; j++)
            ahoy_ua_hangup(ends[0].uas[j], ends[0].sessions[j][i], now_ms);
        settle();
    }
    pass(40000);
    assert_int_equal(ends[1].over, rounds * CALLS);
}

/* Nothing is left of them, so that as many can be made again. */
static void test_many(void **state)
{
    (void)state;
    open_end(&ends[0], 1);
    open_end(&ends[1], 2);
    make_all(1);
    make_all(2);
    for (unsigned i = 0; i < 2; i++) {
        for (unsigned j = 0; j < 2; j++) {
            assert_int_equal(ahoy_ua_sessions(ends[i].uas[j]), 0);
            assert_true(ahoy_ua_deadline(ends[i].uas[j]) == UINT64_MAX);
            ahoy_ua_free(ends[i].uas[j]);
        }
        assert_int_equal(ahoy_transactions_count(ahoy_stack_transactions(ends[i].stack)), 0);
        ahoy_stack_free(ends[i].stack);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_many) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
