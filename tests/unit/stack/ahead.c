/* Datagrams that are read ahead are dealt with as if each had come alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "libahoy/stack/parts.h"
#include "tests/support/stack_rig.h"

enum { SIZE = 512 };

#define CALL(number)                                                                               \
    "From: <sip:a@a.example>;tag=1\r\nTo: <sip:b@b.example>\r\nCall-ID: " number "@a.example\r\n"  \
    "CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\n\r\n"
#define VIA     "Via: SIP/2.0/UDP pc.example:5070;branch=z9hG4bK1\r\n"
#define OPTIONS "OPTIONS sip:b@b.example SIP/2.0\r\n"

static const struct span stun = SPAN_INIT("\x00\x01\x00\x00\x21\x12\xa4\x42"
                                          "123456789012");

/* What comes, none of it like its neighbours. */
static struct span datagram(size_t which)
{
    const struct span datagrams[] = { SPAN(OPTIONS VIA CALL("first")),
                                      SPAN("\r\n\r\n"),
                                      SPAN(OPTIONS "Via: garbage\r\n" CALL("no-via")),
                                      SPAN("OPTIONS sip:b@b.example SIP/7.0\r\n" VIA CALL("505")),
                                      stun,
                                      SPAN("SIP/2.0 200 OK\r\n" VIA CALL("foreign")),
                                      SPAN("Hello"),
                                      SPAN(OPTIONS VIA CALL("last")) };
    _Static_assert(sizeof datagrams / sizeof *datagrams == 1 + AHOY_COMING_LIMIT, "all at once");
    return datagrams[which];
}

static void come(struct rig *rig, struct span bytes, const struct span *coming, size_t count)
{
    struct ahoy_wire_event event = { .kind = AHOY_WIRE_DATAGRAM,
                                     .hop = { .transport = AHOY_UDP,
                                              .listener = RIG_UDP4,
                                              .remote = rig_ip("198.51.100.7", 1024) },
                                     .bytes = bytes,
                                     .coming = coming,
                                     .coming_count = (uint8_t)count };
    rig_step(rig, &event);
}

static void nothing_changes_by_it(void **state)
{
    struct rig *ahead = *state;
    struct rig *alone = calloc(1, sizeof *alone);
    assert_non_null(alone);
    rig_init(alone, 0, 1);
    struct span all[1 + AHOY_COMING_LIMIT];
    for (size_t i = 0; i <= AHOY_COMING_LIMIT; i++)
        all[i] = datagram(i);
    for (size_t i = 0; i <= AHOY_COMING_LIMIT; i++) {
        come(ahead, all[i], i == 0 ? all + 1 : NULL, i == 0 ? AHOY_COMING_LIMIT : 0);
        come(alone, all[i], NULL, 0);
    }
    assert_int_equal(ahead->effect_count, 4);
    assert_int_equal(alone->effect_count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_true(ahoy_span_equal(rig_sent(ahead, i)->bytes, rig_sent(alone, i)->bytes));
        assert_int_equal(rig_status(rig_sent(ahead, i)), rig_status(rig_sent(alone, i)));
    }
    assert_memory_equal(ahead->counters, alone->counters, sizeof *alone->counters);
    rig_fini(alone);
    free(alone);
}

/* Which of the readings was used; that one is not made twice. */
static size_t used(const struct rig *rig)
{
    return (size_t)(rig->stack->reading - rig->stack->ahead.readings);
}

static void each_is_read_once(void **state)
{
    struct rig *rig = *state;
    const struct span coming[] = { datagram(1), datagram(3), datagram(4), datagram(7) };
    come(rig, datagram(0), coming, 4);
    assert_int_equal(rig->stack->ahead.count, 3); /* The others are no SIP. */
    assert_int_equal(used(rig), 0);
    come(rig, coming[0], NULL, 0);
    come(rig, coming[1], NULL, 0);
    assert_int_equal(used(rig), 1);
    come(rig, coming[2], NULL, 0);
    come(rig, coming[3], NULL, 0);
    assert_int_equal(used(rig), 2);
    come(rig, coming[3], NULL, 0); /* The same once more was not told. */
    assert_ptr_equal(rig->stack->reading, &rig->stack->ahead.at_hand);
}

static struct ahoy_handle accept_tcp(struct rig *rig)
{
    return rig_accept(rig, RIG_TCP4, rig_ip("198.51.100.8", 1024));
}

/* What comes by a connection, or fails to, may stand between two of them. */
static void others_may_come_between(void **state)
{
    struct rig *rig = *state;
    const struct span coming[] = { datagram(3), datagram(7) };
    come(rig, datagram(0), coming, 2);
    struct ahoy_handle connection = accept_tcp(rig);
    rig_bytes(rig, connection, SPAN(OPTIONS "Via: SIP/2.0/TCP pc.example;branch=z9hG4bK2\r\n"
                                            "Content-Length: 0\r\n" CALL("stream")));
    rig_bytes(rig, connection, SPAN(OPTIONS VIA "Content-Length: -1\r\n" CALL("broken")));
    come(rig, coming[0], NULL, 0);
    come(rig, coming[1], NULL, 0);
    static const unsigned statuses[] = { 200, 200, 400, 505, 200 };
    assert_int_equal(used(rig), 2);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(rig_status(rig_sent(rig, i)), statuses[i]);
}

/* Where the next batch is put over the last, what was read of that says nothing any more. */
static void other_bytes_in_the_same_place_are_read(void **state)
{
    struct rig *rig = *state;
    static const char *const texts[] = { OPTIONS VIA CALL("one"), "OPTIONX" };
    char space[2][SIZE];
    for (size_t i = 0; i < 2; i++)
        memcpy(space[i], texts[0], strlen(texts[0]));
    const struct span bytes[] = { { space[0], strlen(texts[0]) }, { space[1], strlen(texts[0]) } };
    come(rig, bytes[0], &bytes[1], 1);
    memcpy(space[0], texts[1], strlen(texts[1]));
    memcpy(space[1], texts[1], strlen(texts[1]));
    come(rig, bytes[0], bytes, 0);
    come(rig, bytes[1], NULL, 0);
    assert_int_equal(rig_status(rig_sent(rig, 0)), 200);
    assert_int_equal(rig_status(rig_sent(rig, 1)), 400); /* CSeq names another method. */
    assert_int_equal(rig_status(rig_sent(rig, 2)), 400);
}

/* What another worker is for is handed to it unread. */
static void those_of_others_are_not_read(void **state)
{
    (void)state;
    enum { WORKERS = 2, COUNT = 8 };
    struct rig *rig = calloc(1, sizeof *rig);
    assert_non_null(rig);
    rig_init(rig, 0, WORKERS);
    char space[COUNT][SIZE];
    struct span bytes[COUNT];
    for (unsigned i = 0; i < COUNT; i++) {
        struct ahoy_buf buf = ahoy_buf_over(space[i], SIZE);
        ahoy_buf_put(&buf, SPAN(OPTIONS VIA "From: <sip:a@a.example>;tag=1\r\n"
                                            "To: <sip:b@b.example>\r\nCall-ID: "));
        ahoy_buf_put_number(&buf, i);
        ahoy_buf_put(&buf, SPAN("@a.example\r\nCSeq: 1 OPTIONS\r\n\r\n"));
        bytes[i] = ahoy_buf_text(&buf);
    }
    for (size_t i = 0; i < COUNT; i++)
        come(rig, bytes[i], i == 0 ? bytes + 1 : NULL, i == 0 ? COUNT - 1 : 0);
    size_t handed = rig_count(rig, AHOY_WIRE_HANDOFF);
    assert_in_range(handed, 1, COUNT - 1);
    assert_int_equal(rig_count(rig, AHOY_WIRE_SEND), COUNT - handed);
    assert_int_equal(rig->stack->ahead.count, COUNT - handed);
    assert_int_equal(rig->stack->ahead.next, COUNT - handed);
    rig_fini(rig);
    free(rig);
}

struct told {
    struct rig *rig;
    size_t count, seen; /* How often; and how many events there had been by the last time. */
};

static void take_coming(void *context, const struct ahoy_message *message,
                        const struct ahoy_routing *routing)
{
    struct told *told = context;
    assert_non_null(routing->via_field);
    assert_true(message->is_request || message->status == 200);
    told->count++;
    told->seen = told->rig->seen_count;
}

/* Who wants to know what was read is told so before anything is done about it; not of what is no
 * sound message. */
static void what_was_read_is_told(void **state)
{
    struct rig *rig = *state;
    struct told told = { .rig = rig };
    char answer[2 * SIZE];
    ahoy_stack_tell_coming(rig->stack, take_coming, &told);
    rig_request(rig, AHOY_UDP, rig_ip("198.51.100.7", 1024), 77, 0);
    rig_poll(rig);
    struct span request = rig_sent(rig, 0)->bytes;
    struct span rows = ahoy_span_after(request, ahoy_span_find(request, '\n') + 1);
    struct ahoy_buf buf = ahoy_buf_over(answer, sizeof answer);
    ahoy_buf_put(&buf, SPAN("SIP/2.0 200 OK\r\n"));
    ahoy_buf_put(&buf, rows);
    const struct span coming[] = { datagram(3), ahoy_buf_text(&buf), datagram(5), stun };
    come(rig, datagram(0), coming, 4);
    assert_int_equal(told.count, 3);
    assert_int_equal(told.seen, 0);
    for (size_t i = 0; i < 4; i++)
        come(rig, coming[i], NULL, 0);
    assert_int_equal(rig_seen_count(rig, AHOY_EVENT_RESPONSE, 77), 1);
    assert_int_equal(told.count, 3);
    come(rig, datagram(7), NULL, 0); /* One that was not read ahead. */
    assert_int_equal(told.count, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        rig_test(nothing_changes_by_it),
        rig_test(each_is_read_once),
        rig_test(others_may_come_between),
        rig_test(other_bytes_in_the_same_place_are_read),
        rig_test(what_was_read_is_told),
        cmocka_unit_test(those_of_others_are_not_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
