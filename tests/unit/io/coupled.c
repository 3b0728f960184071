/* Trains over real sockets: what leaves together arrives apart, whole, in the order of each call;
 * and where the kernel refuses trains, all leave without them. */
#include <stdio.h>
#include <unistd.h>

#include "tests/support/loopback.h"
#include "libahoy/io/datagrams_out.h"
#include "libahoy/syntax/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { CALLS = 8, MESSAGES = 96, ROOM = 2000, PADDING = 128, LISTENER = 3 };

struct wire {
    struct ahoy_datagrams_out out;
    int from, to;
    struct ahoy_ip remote;
};

static void open_wire(struct wire *wire, enum ahoy_family family)
{
    uint16_t port;
    struct ahoy_ip any = loopback_ip(family, 0);
    wire->to = loopback_socket(family, SOCK_DGRAM, &port);
    wire->remote = loopback_ip(family, port);
    wire->from = ahoy_socket_datagram(&any, false);
    assert_true(wire->from >= 0);
    assert_true(ahoy_datagrams_out_init(&wire->out, PADDING));
    ahoy_datagrams_out_couple(&wire->out, wire->from, LISTENER);
    assert_true(wire->out.sockets[LISTENER] > 0); /* This machine's kernel knows trains. */
}

static void close_wire(struct wire *wire)
{
    ahoy_datagrams_out_fini(&wire->out);
    close(wire->from);
    close(wire->to);
}

/* Message |number|; sizes differ by more and by less than may be padded. */
static struct span compose(unsigned number, char text[ROOM])
{
    int size = snprintf(text, ROOM,
                        "SIP/2.0 200 OK\r\nCall-ID: %u@a\r\nCSeq: %u BYE\r\n"
                        "Subject: %0*u\r\nContent-Length: 3\r\n\r\nabc",
                        number % CALLS, number, (int)(1 + number * 37 % 600), 0);
    return (struct span){ text, (size_t)size };
}

static void put(struct wire *wire, const struct ahoy_ip *remote, unsigned number)
{
    char text[ROOM];
    ahoy_datagrams_out_put(&wire->out, wire->from, LISTENER, remote, compose(number, text),
                           (struct ahoy_glance){ 0 });
}

/* Reads the next one: its number.  It says what was sent, and has grown by |most| at most. */
static unsigned take(struct wire *wire, size_t most)
{
    static struct ahoy_message message;
    char bytes[ROOM];
    char text[ROOM];
    ssize_t size = recv(wire->to, bytes, sizeof bytes, 0);
    assert_true(size > 0);
    struct ahoy_err err;
    assert_true(ahoy_message_parse((struct span){ bytes, (size_t)size }, &message, &err));
    struct span cseq = ahoy_message_value(&message, AHOY_HEADER_CSEQ);
    uint64_t number = 0;
    assert_true(ahoy_span_number((struct span){ cseq.at, cseq.size - 4 }, MESSAGES, &number));
    struct span sent = compose((unsigned)number, text);
    assert_true((size_t)size >= sent.size && (size_t)size <= sent.size + most);
    /* But for the spaces, byte by byte. */
    size_t gap = (size_t)size - sent.size;
    struct ahoy_glance glance = { 0 };
    ahoy_glance(sent, &glance);
    size_t before = glance.gap;
    assert_memory_equal(bytes, sent.at, before);
    assert_memory_equal(bytes + before + gap, sent.at + before, sent.size - before);
    assert_true(ahoy_span_equal(message.body, SPAN("abc")));
    return (unsigned)number;
}

/* Takes all of one flush: each once, those of a call in order. */
static void take_all(struct wire *wire, size_t most)
{
    bool seen[MESSAGES] = { false };
    unsigned newest[CALLS] = { 0 };
    for (unsigned i = 0; i < MESSAGES; i++) {
        unsigned number = take(wire, most);
        assert_false(seen[number]);
        assert_true(number >= newest[number % CALLS]);
        seen[number] = true;
        newest[number % CALLS] = number;
    }
}

static void put_all(struct wire *wire)
{
    for (unsigned i = 0; i < MESSAGES; i++)
        put(wire, &wire->remote, i);
    ahoy_datagrams_out_flush(&wire->out);
}

static void check_trains(enum ahoy_family family)
{
    static struct wire wire;
    open_wire(&wire, family);
    put_all(&wire);
    take_all(&wire, PADDING);
    assert_true(wire.out.trains_sent > 0);
    assert_int_equal(wire.out.sent, MESSAGES);
    assert_int_equal(wire.out.unsent, 0);
    close_wire(&wire);
}

static void a_train_arrives_apart_and_whole(void **state)
{
    (void)state;
    check_trains(AHOY_IPV4);
    check_trains(AHOY_IPV6);
}

/* A socket that sends no checksums may send no trains: each message leaves by itself, none is told
 * as a failure, and no further train is tried, so later ones leave as they were. */
static void a_refused_train_leaves_as_plain_datagrams(void **state)
{
    (void)state;
    static struct wire wire;
    open_wire(&wire, AHOY_IPV4);
    int one = 1;
    assert_int_equal(setsockopt(wire.from, SOL_SOCKET, SO_NO_CHECK, &one, sizeof one), 0);
    for (unsigned turn = 1; turn <= 2; turn++) {
        put_all(&wire);
        take_all(&wire, turn == 1 ? PADDING : 0);
        assert_int_equal(wire.out.trains_sent, 0);
        assert_int_equal(wire.out.sent, turn * MESSAGES);
        assert_int_equal(wire.out.sockets[LISTENER], 0);
    }
    struct ahoy_unreachable failure;
    assert_false(ahoy_datagrams_out_failed(&wire.out, &failure));
    close_wire(&wire);
}

/* An ICMP error strikes the next send, which is a train to another peer: that one arrives, and the
 * peer that is gone is told. */
static void another_ones_error_costs_no_message(void **state)
{
    (void)state;
    static struct wire wire;
    open_wire(&wire, AHOY_IPV4);
    uint16_t port;
    close(loopback_socket(AHOY_IPV4, SOCK_DGRAM, &port));
    struct ahoy_ip gone = loopback_ip(AHOY_IPV4, port);
    put(&wire, &gone, 0);
    put(&wire, &gone, 1);
    put_all(&wire);
    take_all(&wire, PADDING);
    ahoy_datagrams_out_errors(&wire.out, wire.from, LISTENER);
    struct ahoy_unreachable failure;
    unsigned told = 0;
    for (; ahoy_datagrams_out_failed(&wire.out, &failure); told++)
        assert_true(ahoy_ip_equal(&failure.remote, &gone));
    assert_true(told > 0);
    assert_int_equal(wire.out.sockets[LISTENER] > 0, true);
    close_wire(&wire);
}

/* A train to where no way leads: each of its datagrams is told, and the others leave. */
static void each_of_a_failing_train_is_told(void **state)
{
    (void)state;
    static struct wire wire;
    open_wire(&wire, AHOY_IPV4);
    struct ahoy_ip nowhere = { 0 };
    assert_true(ahoy_ip_parse(SPAN("255.255.255.255"), &nowhere)); /* EACCES: no SO_BROADCAST. */
    nowhere.port = 5060;
    put(&wire, &nowhere, 0);
    put(&wire, &nowhere, 8);
    put(&wire, &wire.remote, 1);
    put(&wire, &wire.remote, 9);
    ahoy_datagrams_out_flush(&wire.out);
    assert_int_equal(take(&wire, PADDING), 1);
    assert_int_equal(take(&wire, PADDING), 9);
    struct ahoy_unreachable failure;
    for (unsigned i = 0; i < 2; i++) {
        assert_true(ahoy_datagrams_out_failed(&wire.out, &failure));
        assert_true(ahoy_ip_equal(&failure.remote, &nowhere));
    }
    assert_false(ahoy_datagrams_out_failed(&wire.out, &failure));
    assert_int_equal(wire.out.sent, 2);
    assert_int_equal(wire.out.unsent, 2);
    close_wire(&wire);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_train_arrives_apart_and_whole),
        cmocka_unit_test(a_refused_train_leaves_as_plain_datagrams),
        cmocka_unit_test(another_ones_error_costs_no_message),
        cmocka_unit_test(each_of_a_failing_train_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
