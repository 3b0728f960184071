/* TCP through the driver, on real sockets: what comes in pieces, what a slow peer does not take,
 * and every way in which a connection ends. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/support/failing_alloc.h"
#include "tests/support/loopback.h"
#include "libahoy/io/socket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const char *const both[] = { "tcp", "tcp6" };

/* Calls the first listener; |hop| is what the driver then calls the connection. */
static int call(struct loopback *at, struct ahoy_hop *hop)
{
    size_t before = at->event_count;
    int fd = loopback_call(&at->listeners[0].local);
    const struct ahoy_wire_event *event = loopback_event(at, before + 1);
    assert_int_equal(event->kind, AHOY_WIRE_ACCEPTED);
    *hop = event->hop;
    return fd;
}

static void put(int fd, struct span bytes)
{
    assert_int_equal(send(fd, bytes.at, bytes.size, MSG_NOSIGNAL), bytes.size);
}

static void expect_closed(struct loopback *at, size_t count, const struct ahoy_hop *hop)
{
    const struct ahoy_wire_event *event = loopback_event(at, count);
    assert_int_equal(event->kind, AHOY_WIRE_CLOSED);
    assert_true(ahoy_handle_equal(event->hop.connection, hop->connection));
    assert_true(ahoy_ip_equal(&event->hop.remote, &hop->remote));
    assert_int_equal(event->hop.transport, AHOY_TCP);
}

static void accepted_connections_tell_their_peer(void **state)
{
    (void)state;
    for (uint8_t i = 0; i < 2; i++) {
        struct loopback at;
        loopback_open(&at, both, 2);
        int fd = loopback_call(&at.listeners[i].local);
        struct ahoy_ip peer;
        assert_true(ahoy_socket_local(fd, &peer));
        const struct ahoy_wire_event *event = loopback_event(&at, 1);
        assert_int_equal(event->kind, AHOY_WIRE_ACCEPTED);
        assert_int_equal(event->hop.listener, i);
        assert_true(ahoy_ip_equal(&event->hop.remote, &peer));
        struct ahoy_hop hop = event->hop;
        put(fd, SPAN("REGISTER"));
        loopback_bytes(&at, 8);
        assert_true(ahoy_handle_equal(at.last_hop.connection, hop.connection));
        loopback_send(&at, &hop, SPAN("200"));
        ahoy_driver_flush(at.driver);
        char bytes[3];
        assert_int_equal(loopback_read(fd, bytes, 3), 3);
        assert_memory_equal(bytes, "200", 3);
        close(fd);
        expect_closed(&at, 2, &hop);
        loopback_close(&at);
    }
}

/* Bytes keep their order, however they are cut: one at a time, and more than a read takes. */
static void split_and_joined_writes_arrive(void **state)
{
    (void)state;
    struct loopback at;
    struct ahoy_hop hop;
    loopback_open(&at, both, 1);
    int fd = call(&at, &hop);
    struct span text = SPAN("OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 0\r\n\r\n");
    for (size_t i = 0; i < text.size; i++) {
        put(fd, (struct span){ text.at + i, 1 });
        loopback_bytes(&at, i + 1);
    }
    enum { JOINED = 300000 };
    char *joined = malloc(JOINED);
    assert_non_null(joined);
    for (size_t i = 0; i < JOINED; i++)
        joined[i] = (char)(i * 31 + i / 257);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    for (size_t sent = 0; sent < JOINED;) {
        ssize_t size = send(fd, joined + sent, JOINED - sent, MSG_NOSIGNAL);
        if (size > 0)
            sent += (size_t)size;
        else
            assert_int_equal(errno, EAGAIN);
        loopback_turn(&at, 0);
    }
    loopback_bytes(&at, text.size + JOINED);
    assert_memory_equal(at.bytes, text.at, text.size);
    assert_memory_equal(at.bytes + text.size, joined, JOINED);
    free(joined);
    close(fd);
    loopback_close(&at);
}

/* What is sent in one turn leaves in one segment train, in order, and a reader that is slow gets
 * all of it: the rest waits for room. */
static void a_slow_reader_gets_all(void **state)
{
    (void)state;
    enum { PIECE = 1000, COUNT = 1000, SIZE = PIECE * COUNT };
    struct loopback at;
    struct ahoy_hop hop;
    loopback_open(&at, both, 1);
    int fd = call(&at, &hop);
    char piece[PIECE];
    for (int i = 0; i < COUNT; i++) {
        memset(piece, i % 251, sizeof piece);
        loopback_send(&at, &hop, (struct span){ piece, sizeof piece });
    }
    char *got = malloc(SIZE);
    assert_non_null(got);
    size_t size = 0;
    for (int i = 0; size < SIZE; i++) {
        loopback_turn(&at, 1);
        ssize_t count = recv(fd, got + size, i < 50 ? 100 : 30000, MSG_DONTWAIT);
        assert_true(count > 0 || (count < 0 && errno == EAGAIN));
        size += count > 0 ? (size_t)count : 0;
    }
    for (size_t i = 0; i < SIZE; i++)
        assert_int_equal((unsigned char)got[i], i / PIECE % 251);
    assert_int_equal(at.event_count, 1);
    free(got);
    close(fd);
    loopback_close(&at);
}

/* One that takes nothing is closed once AHOY_OUTPUT_LIMIT waits for it; others live on. */
static void a_peer_that_takes_nothing_is_closed(void **state)
{
    (void)state;
    struct loopback at;
    struct ahoy_hop stuck;
    struct ahoy_hop well;
    loopback_open(&at, both, 1);
    int first = call(&at, &stuck);
    int second = call(&at, &well);
    static char piece[50000];
    size_t sent = 0;
    while (at.event_count < 3) {
        loopback_send(&at, &stuck, (struct span){ piece, sizeof piece });
        sent += sizeof piece;
        loopback_turn(&at, 0);
        assert_true(sent < 64 * 1024 * 1024); /* No more fits into the kernel's buffers. */
    }
    assert_true(sent > AHOY_OUTPUT_LIMIT);
    expect_closed(&at, 3, &stuck);
    assert_int_equal(ahoy_driver_counters(at.driver)->outputs_overrun, 1);
    loopback_send(&at, &stuck, SPAN("late")); /* The handle is stale: nothing happens. */
    loopback_send(&at, &well, SPAN("200"));
    ahoy_driver_flush(at.driver);
    char bytes[3];
    assert_int_equal(loopback_read(second, bytes, 3), 3);
    close(first);
    close(second);
    expect_closed(&at, 4, &well);
    loopback_close(&at);
}

static struct ahoy_hop outward(const struct ahoy_ip *remote, uint32_t slot)
{
    struct ahoy_hop hop = { .transport = AHOY_TCP, .listener = AHOY_ANY_LISTENER };
    hop.connection = (struct ahoy_handle){ slot, 7 };
    hop.remote = *remote;
    return hop;
}

/* Opened by us, from the listener's address; what was sent before it stood follows. */
static void an_opened_connection_carries_what_waited(void **state)
{
    (void)state;
    struct loopback from;
    struct loopback to;
    for (uint8_t i = 0; i < 2; i++) {
        loopback_open(&from, both, 2);
        loopback_open(&to, both, 2);
        struct ahoy_hop hop = outward(&to.listeners[i].local, 5);
        hop.listener = i;
        loopback_connect(&from, &hop);
        loopback_send(&from, &hop, SPAN("INVITE"));
        ahoy_driver_flush(from.driver);
        const struct ahoy_wire_event *event = loopback_event(&from, 1);
        assert_int_equal(event->kind, AHOY_WIRE_CONNECTED);
        assert_true(ahoy_handle_equal(event->hop.connection, hop.connection));
        for (int turns = 0; turns < 100 && to.size < 6; turns++) {
            loopback_turn(&to, 10);
            loopback_turn(&from, 10);
        }
        assert_string_equal(to.bytes, "INVITE");
        assert_true(ahoy_ip_equal_host(&to.last_hop.remote, &from.listeners[i].local));
        loopback_hang_up(&from, &hop);
        ahoy_driver_flush(from.driver);
        loopback_event(&to, 2);
        assert_int_equal(to.events[1].kind, AHOY_WIRE_CLOSED);
        loopback_turn(&from, 10);
        assert_int_equal(from.event_count, 1); /* No CLOSED for what the owner closed. */
        loopback_close(&from);
        loopback_close(&to);
    }
}

static void a_refused_connection_is_closed(void **state)
{
    (void)state;
    struct loopback at;
    uint16_t port;
    int fd = loopback_socket(AHOY_IPV4, SOCK_STREAM, &port); /* Bound, but nobody listens. */
    loopback_open(&at, both, 1);
    struct ahoy_ip there = loopback_ip(AHOY_IPV4, port);
    struct ahoy_hop hop = outward(&there, 0);
    loopback_connect(&at, &hop);
    loopback_send(&at, &hop, SPAN("INVITE"));
    expect_closed(&at, 1, &hop);
    loopback_hang_up(&at, &hop); /* Not owed, but harmless. */
    loopback_turn(&at, 0);
    assert_int_equal(at.event_count, 1);
    assert_int_equal(ahoy_driver_counters(at.driver)->not_opened, 1);
    close(fd);
    loopback_close(&at);
}

/* A reset tells what came before it, and then the end. */
static void a_reset_is_closed(void **state)
{
    (void)state;
    struct loopback at;
    struct ahoy_hop hop;
    loopback_open(&at, both, 1);
    int fd = call(&at, &hop);
    put(fd, SPAN("BYE"));
    loopback_bytes(&at, 3);
    struct linger hard = { .l_onoff = 1 };
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard), 0);
    close(fd);
    /* Sending into it may fail first; the end is told all the same, and once. */
    loopback_send(&at, &hop, SPAN("200"));
    ahoy_driver_flush(at.driver);
    loopback_send(&at, &hop, SPAN("200"));
    ahoy_driver_flush(at.driver);
    expect_closed(&at, 2, &hop);
    loopback_turn(&at, 0);
    assert_int_equal(at.event_count, 2);
    loopback_close(&at);
}

/* A peer whose machine dies says nothing; the next thing that is sent to it finds out.  Needs the
 * right to take a socket apart without a word (TCP_REPAIR). */
static void a_peer_that_vanishes_is_found_out(void **state)
{
    (void)state;
    struct loopback at;
    struct ahoy_hop hop;
    loopback_open(&at, both, 1);
    int fd = call(&at, &hop);
    int on = 1;
    if (setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof on) != 0) {
        close(fd);
        loopback_close(&at);
        skip();
    }
    close(fd);
    loopback_turn(&at, 10);
    assert_int_equal(at.event_count, 1);
    loopback_send(&at, &hop, SPAN("OPTIONS"));
    ahoy_driver_flush(at.driver);
    expect_closed(&at, 2, &hop);
    loopback_close(&at);
}

static void answer(struct loopback *at, const struct ahoy_wire_event *event)
{
    if (event->kind == AHOY_WIRE_BYTES)
        loopback_send(at, &event->hop, SPAN("SIP/2.0 200 OK"));
}

/* A peer that ends its own side right behind its request still gets the answer. */
static void a_half_closed_peer_gets_its_answer(void **state)
{
    (void)state;
    struct loopback at;
    struct ahoy_hop hop;
    loopback_open(&at, both, 1);
    at.step = answer;
    int fd = call(&at, &hop);
    put(fd, SPAN("OPTIONS"));
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    expect_closed(&at, 2, &hop);
    loopback_turn(&at, 0);
    char bytes[32];
    assert_int_equal(loopback_read(fd, bytes, sizeof bytes), 14);
    assert_memory_equal(bytes, "SIP/2.0 200 OK", 14);
    close(fd);
    loopback_close(&at);
}

static void refuse_and_close(struct loopback *at, const struct ahoy_wire_event *event)
{
    if (event->kind != AHOY_WIRE_BYTES)
        return;
    loopback_send(at, &event->hop, SPAN("SIP/2.0 413 Too Large"));
    loopback_hang_up(at, &event->hop);
    loopback_send(at, &event->hop, SPAN("never")); /* The handle is stale already. */
}

/* A connection that is closed while the peer still sends: the peer gets the answer that says why,
 * then the end, and no reset that would take the answer away. */
static void closing_lets_the_answer_leave(void **state)
{
    (void)state;
    struct loopback at;
    struct ahoy_hop hop;
    loopback_open(&at, both, 1);
    at.step = refuse_and_close;
    int fd = call(&at, &hop);
    put(fd, SPAN("INVITE"));
    loopback_bytes(&at, 6);
    static char more[200000];
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    for (int i = 0; i < 20; i++) {
        ssize_t size = send(fd, more, sizeof more, MSG_NOSIGNAL);
        assert_true(size > 0 || errno == EAGAIN);
        loopback_turn(&at, 5);
    }
    char bytes[64];
    assert_int_equal(loopback_read(fd, bytes, sizeof bytes), 21);
    assert_memory_equal(bytes, "SIP/2.0 413 Too Large", 21);
    assert_int_equal(at.size, 6); /* What came afterwards was discarded. */
    assert_int_equal(at.event_count, 1);
    close(fd);
    loopback_turn(&at, 10);
    loopback_close(&at);
}

static void what_the_owner_refuses_is_closed(void **state)
{
    (void)state;
    struct loopback at;
    loopback_open(&at, both, 1);
    at.refuse = true;
    int fd = loopback_call(&at.listeners[0].local);
    loopback_event(&at, 1);
    loopback_turn(&at, 0);
    char byte;
    assert_int_equal(loopback_read(fd, &byte, 1), 0);
    assert_int_equal(at.event_count, 1);
    close(fd);
    loopback_close(&at);
}

/* A slot that is given out anew does not touch the connection that had it before, which still lets
 * its last words leave. */
static void a_reused_slot_is_another_connection(void **state)
{
    (void)state;
    struct loopback at;
    struct ahoy_hop old;
    struct ahoy_hop new;
    loopback_open(&at, both, 1);
    int first = call(&at, &old);
    loopback_send(&at, &old, SPAN("old"));
    loopback_hang_up(&at, &old);
    at.slots = 0; /* The owner has freed the slot ... */
    int second = loopback_call(&at.listeners[0].local);
    loopback_event(&at, 2);
    new = at.events[1].hop;
    assert_int_equal(new.connection.slot, old.connection.slot);
    /* ... but gives no generation out twice. */
    struct ahoy_hop stale = new;
    stale.connection.generation = 99;
    loopback_send(&at, &stale, SPAN("stale"));
    loopback_hang_up(&at, &stale);
    loopback_send(&at, &new, SPAN("new"));
    ahoy_driver_flush(at.driver);
    char bytes[8];
    assert_int_equal(loopback_read(first, bytes, 4), 3);
    assert_memory_equal(bytes, "old", 3);
    assert_int_equal(loopback_read(second, bytes, 3), 3);
    assert_memory_equal(bytes, "new", 3);
    close(first);
    close(second);
    expect_closed(&at, 3, &new);
    loopback_close(&at);
}

struct shares {
    struct ahoy_handle busy;
    size_t busy_bytes; /* Of the busy one, before the quiet one was heard. */
    bool quiet_heard;
};

static void measure(struct loopback *at, const struct ahoy_wire_event *event)
{
    struct shares *shares = at->context;
    if (event->kind != AHOY_WIRE_BYTES || shares->quiet_heard)
        return;
    if (ahoy_handle_equal(event->hop.connection, shares->busy))
        shares->busy_bytes += event->bytes.size;
    else
        shares->quiet_heard = true;
}

/* One that sends without end does not keep another waiting for more than a turn. */
static void a_busy_peer_does_not_starve_a_quiet_one(void **state)
{
    (void)state;
    struct loopback at;
    struct ahoy_hop busy;
    struct ahoy_hop quiet;
    loopback_open(&at, both, 1);
    int first = call(&at, &busy);
    int second = call(&at, &quiet);
    struct shares shares = { .busy = busy.connection };
    at.step = measure;
    at.context = &shares;
    static char flood[4 * 1024 * 1024];
    int large = 8 * 1024 * 1024;
    (void)setsockopt(first, SOL_SOCKET, SO_SNDBUF, &large, sizeof large); /* More is busier. */
    assert_int_equal(fcntl(first, F_SETFL, O_NONBLOCK), 0);
    assert_true(send(first, flood, sizeof flood, MSG_NOSIGNAL) > 0);
    put(second, SPAN("BYE"));
    for (int turns = 0; turns < 2; turns++) {
        loopback_turn(&at, 1000);
        (void)!send(first, flood, sizeof flood, MSG_NOSIGNAL); /* As much as fits. */
    }
    assert_true(shares.quiet_heard);
    assert_true(shares.busy_bytes <= 2 * 4 * 65536);
    close(first);
    close(second);
    loopback_close(&at);
}

/* Whichever allocation fails, each connection is either served or told to be closed. */
static void without_memory_connections_are_closed(void **state)
{
    (void)state;
    static char piece[40000];
    size_t refused = 1;
    for (size_t count = 0; refused > 0; count++) {
        struct loopback at;
        loopback_open(&at, both, 1);
        uint16_t port;
        int server = loopback_socket(AHOY_IPV4, SOCK_STREAM, &port);
        assert_int_equal(listen(server, 4), 0);
        struct ahoy_ip there = loopback_ip(AHOY_IPV4, port);
        struct ahoy_hop out = outward(&there, 100); /* Beyond the table's first size. */
        int fd = loopback_call(&at.listeners[0].local);
        failing_alloc_begin(count, FAILING_ALLOC_FROM_THERE);
        loopback_turn(&at, 1000);
        struct ahoy_hop in = at.events[0].hop;
        loopback_send(&at, &in, (struct span){ piece, sizeof piece });
        loopback_connect(&at, &out);
        loopback_turn(&at, 1000);
        loopback_turn(&at, 100);
        refused = failing_alloc_end();
        unsigned lost = 0;
        for (size_t i = 1; i < at.event_count; i++)
            lost += at.events[i].kind == AHOY_WIRE_CLOSED;
        assert_true(refused > 0 ? lost > 0 : lost == 0);
        loopback_hang_up(&at, &in);
        ahoy_driver_flush(at.driver);
        static char bytes[sizeof piece + 1];
        size_t size = loopback_read(fd, bytes, sizeof bytes);
        assert_true(size == sizeof piece || lost > 0);
        close(fd);
        close(server);
        loopback_close(&at);
    }
}

/* The owner of closed connections is gone, yet each is ended at last: here by its driver. */
static void closing_the_driver_cuts_all(void **state)
{
    (void)state;
    struct loopback at;
    struct ahoy_hop hops[3];
    int fds[3];
    loopback_open(&at, both, 1);
    for (int i = 0; i < 3; i++)
        fds[i] = call(&at, &hops[i]);
    loopback_send(&at, &hops[0], SPAN("waits"));
    loopback_hang_up(&at, &hops[1]);
    loopback_close(&at);
    char byte;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(loopback_read(fds[i], &byte, 1), 0);
        close(fds[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepted_connections_tell_their_peer),
        cmocka_unit_test(split_and_joined_writes_arrive),
        cmocka_unit_test(a_slow_reader_gets_all),
        cmocka_unit_test(a_peer_that_takes_nothing_is_closed),
        cmocka_unit_test(an_opened_connection_carries_what_waited),
        cmocka_unit_test(a_refused_connection_is_closed),
        cmocka_unit_test(a_reset_is_closed),
        cmocka_unit_test(a_peer_that_vanishes_is_found_out),
        cmocka_unit_test(a_half_closed_peer_gets_its_answer),
        cmocka_unit_test(closing_lets_the_answer_leave),
        cmocka_unit_test(what_the_owner_refuses_is_closed),
        cmocka_unit_test(a_reused_slot_is_another_connection),
        cmocka_unit_test(a_busy_peer_does_not_starve_a_quiet_one),
        cmocka_unit_test(without_memory_connections_are_closed),
        cmocka_unit_test(closing_the_driver_cuts_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
