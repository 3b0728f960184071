/* UDP through the driver, on real sockets: batches, order, sharing, and what cannot be reached. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/support/loopback.h"
#include "libahoy/io/sieve.h"
#include "libahoy/io/socket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const char *const both[] = { "udp", "udp6" };

static void send_plain(int fd, const struct ahoy_ip *to, struct span bytes)
{
    union ahoy_socket_name name;
    socklen_t size = ahoy_socket_name(to, &name);
    ssize_t sent = sendto(fd, bytes.at, bytes.size, 0, &name.any, size);
    assert_int_equal(sent, bytes.size);
}

/* A datagram in tells who sent it and on which listener; the answer leaves from that listener. */
static void check_family(enum ahoy_family family, uint8_t listener)
{
    struct loopback at;
    loopback_open(&at, both, 2);
    uint16_t port;
    int peer = loopback_socket(family, SOCK_DGRAM, &port);
    struct ahoy_ip here = at.listeners[listener].local;
    send_plain(peer, &here, SPAN("INVITE"));
    loopback_bytes(&at, 6);
    assert_string_equal(at.bytes, "INVITE");
    assert_int_equal(at.last_hop.transport, AHOY_UDP);
    assert_int_equal(at.last_hop.listener, listener);
    assert_int_equal(at.last_hop.connection.generation, 0);
    struct ahoy_ip there = loopback_ip(family, port);
    assert_true(ahoy_ip_equal(&at.last_hop.remote, &there));

    struct ahoy_hop back = at.last_hop;
    loopback_send(&at, &back, SPAN("100"));
    ahoy_driver_flush(at.driver);
    char bytes[16];
    union ahoy_socket_name name;
    socklen_t size = sizeof name;
    struct pollfd ready = { .fd = peer, .events = POLLIN };
    assert_int_equal(poll(&ready, 1, LOOPBACK_PATIENCE_MS), 1);
    assert_int_equal(recvfrom(peer, bytes, sizeof bytes, 0, &name.any, &size), 3);
    assert_memory_equal(bytes, "100", 3);
    struct ahoy_ip from = ahoy_socket_ip(&name);
    assert_true(ahoy_ip_equal(&from, &here));
    close(peer);
    loopback_close(&at);
}

static void answers_leave_from_the_listener_that_was_asked(void **state)
{
    (void)state;
    check_family(AHOY_IPV4, 0);
    check_family(AHOY_IPV6, 1);
}

struct counted {
    unsigned next; /* The number that must come next. */
    bool ordered;
    const struct span *coming; /* What was told to come next, ... */
    size_t coming_count, told; /* ... and how many were told of in all. */
};

/* What is told to come must come, from the same place. */
static void check_coming(struct counted *counted, const struct ahoy_wire_event *event)
{
    if (event->coming != NULL) {
        assert_int_equal(counted->coming_count, 0);
        assert_in_range(event->coming_count, 0, AHOY_COMING_LIMIT);
        counted->coming = event->coming;
        counted->coming_count = event->coming_count;
        counted->told += event->coming_count;
        return;
    }
    assert_true(counted->coming_count > 0);
    assert_ptr_equal(event->bytes.at, counted->coming->at);
    assert_int_equal(event->bytes.size, counted->coming->size);
    counted->coming++;
    counted->coming_count--;
}

static void count_in_order(struct loopback *loopback, const struct ahoy_wire_event *event)
{
    struct counted *counted = loopback->context;
    unsigned number;
    assert_int_equal(event->kind, AHOY_WIRE_DATAGRAM);
    assert_int_equal(event->bytes.size % sizeof number, 0);
    memcpy(&number, event->bytes.at, sizeof number);
    check_coming(counted, event);
    if (number != counted->next)
        counted->ordered = false;
    counted->next++;
}

/* 10,000 from one driver to another, in bursts that are larger than a batch and than what gathers:
 * all arrive, each whole, none overtakes another. */
static void ten_thousand_pass_in_order(void **state)
{
    (void)state;
    enum { COUNT = 10000, BURST = 200, WORDS = 100 };
    struct loopback from;
    struct loopback to;
    struct counted counted = { .ordered = true };
    loopback_open(&from, both, 2);
    loopback_open(&to, both, 2);
    to.step = count_in_order;
    to.context = &counted;
    struct ahoy_hop hop = { .transport = AHOY_UDP, .listener = 1 };
    hop.remote = to.listeners[1].local;
    for (unsigned sent = 0; sent < COUNT;) {
        for (unsigned i = 0; i < BURST; i++, sent++) {
            unsigned words[WORDS];
            for (size_t w = 0; w < WORDS; w++)
                words[w] = sent;
            size_t size = sizeof(unsigned) * (1 + sent % WORDS);
            loopback_send(&from, &hop, (struct span){ (char *)words, size });
        }
        ahoy_driver_flush(from.driver);
        uint64_t end = ahoy_driver_now() + LOOPBACK_PATIENCE_MS;
        while (counted.next < sent && ahoy_driver_now() < end)
            loopback_turn(&to, 100);
        assert_int_equal(counted.next, sent);
    }
    assert_int_equal(counted.next, COUNT);
    assert_int_equal(to.datagrams, COUNT);
    assert_true(counted.ordered);
    assert_int_equal(counted.coming_count, 0);
    assert_in_range(counted.told, COUNT / 2, COUNT); /* A batch holds many. */
    assert_int_equal(ahoy_driver_counters(from.driver)->datagrams_out, COUNT);
    assert_int_equal(ahoy_driver_counters(to.driver)->datagrams_in, COUNT);
    loopback_close(&from);
    loopback_close(&to);
}

/* The largest datagram that UDP carries comes whole (R3261-18.1.1-3). */
static void the_largest_datagram_comes_whole(void **state)
{
    (void)state;
    enum { LARGEST = 65507 };
    struct loopback at;
    loopback_open(&at, both, 1);
    uint16_t port;
    int peer = loopback_socket(AHOY_IPV4, SOCK_DGRAM, &port);
    char *bytes = malloc(LARGEST);
    assert_non_null(bytes);
    for (size_t i = 0; i < LARGEST; i++)
        bytes[i] = (char)(i * 7 + i / 251);
    send_plain(peer, &at.listeners[0].local, (struct span){ bytes, LARGEST });
    loopback_bytes(&at, LARGEST);
    assert_memory_equal(at.bytes, bytes, LARGEST);
    ahoy_driver_trim(at.driver); /* Gives pages back that the next one needs again. */
    send_plain(peer, &at.listeners[0].local, (struct span){ bytes, LARGEST });
    loopback_bytes(&at, 2 * (size_t)LARGEST);
    assert_memory_equal(at.bytes + LARGEST, bytes, LARGEST);
    free(bytes);
    close(peer);
    loopback_close(&at);
}

/* More bytes in a turn than gather at once: all leave, in order. */
static void large_datagrams_leave_in_order(void **state)
{
    (void)state;
    enum { SIZE = 60000, COUNT = 5 };
    struct loopback from;
    struct loopback to;
    loopback_open(&from, both, 1);
    loopback_open(&to, both, 1);
    struct ahoy_hop hop = { .transport = AHOY_UDP, .remote = to.listeners[0].local };
    char *bytes = malloc(SIZE);
    assert_non_null(bytes);
    for (int i = 0; i < COUNT; i++) {
        memset(bytes, 'a' + i, SIZE);
        loopback_send(&from, &hop, (struct span){ bytes, SIZE });
    }
    ahoy_driver_flush(from.driver);
    loopback_bytes(&to, (size_t)SIZE * COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(to.bytes[i * SIZE], 'a' + (int)i);
        assert_int_equal(to.bytes[i * SIZE + SIZE - 1], 'a' + (int)i);
    }
    free(bytes);
    loopback_close(&from);
    loopback_close(&to);
}

/* Trains from one driver to another, each ended by a shorter datagram: all come whole, in order,
 * and are counted one by one. */
static void trains_come_as_datagrams(void **state)
{
    (void)state;
    enum { COUNT = 5000, BURST = 100, WORDS = 300 };
    struct loopback from;
    struct loopback to;
    struct counted counted = { .ordered = true };
    loopback_open(&from, both, 2);
    loopback_open(&to, both, 2);
    to.step = count_in_order;
    to.context = &counted;
    for (unsigned sent = 0; sent < COUNT;) {
        struct ahoy_hop hop = { .transport = AHOY_UDP, .listener = sent / BURST % 2 };
        hop.remote = to.listeners[hop.listener].local;
        for (unsigned i = 0; i < BURST; i++, sent++) {
            unsigned words[WORDS] = { sent };
            size_t size = sizeof *words * (sent % 7 == 0 ? 1 + sent % 100 : WORDS);
            loopback_send(&from, &hop, (struct span){ (char *)words, size });
        }
        ahoy_driver_flush(from.driver);
        uint64_t end = ahoy_driver_now() + LOOPBACK_PATIENCE_MS;
        while (counted.next < sent && ahoy_driver_now() < end)
            loopback_turn(&to, 100);
        assert_int_equal(counted.next, sent);
    }
    assert_true(counted.ordered);
    assert_int_equal(counted.coming_count, 0);
    assert_in_range(counted.told, COUNT / 2, COUNT); /* A batch holds many. */
    assert_true(ahoy_driver_counters(from.driver)->trains_out > 0);
    assert_int_equal(ahoy_driver_counters(from.driver)->datagrams_out, COUNT);
    assert_int_equal(ahoy_driver_counters(to.driver)->datagrams_in, COUNT);
    loopback_close(&from);
    loopback_close(&to);
}

/* An empty datagram says nothing, and what comes behind it is not lost. */
static void an_empty_datagram_is_passed_over(void **state)
{
    (void)state;
    struct loopback at;
    loopback_open(&at, both, 1);
    uint16_t port;
    int peer = loopback_socket(AHOY_IPV4, SOCK_DGRAM, &port);
    send_plain(peer, &at.listeners[0].local, SPAN(""));
    send_plain(peer, &at.listeners[0].local, SPAN("OPTIONS"));
    loopback_bytes(&at, 7);
    assert_int_equal(at.datagrams, 1);
    close(peer);
    loopback_close(&at);
}

/* A port without a listener: the ICMP error names the peer (RFC 3261 18.4), and datagrams to
 * others before and behind it arrive. */
static void check_closed_port(enum ahoy_family family, uint8_t listener)
{
    struct loopback at;
    loopback_open(&at, both, 2);
    uint16_t open_port;
    uint16_t closed_port;
    int peer = loopback_socket(family, SOCK_DGRAM, &open_port);
    int closed = loopback_socket(family, SOCK_DGRAM, &closed_port);
    close(closed);
    struct ahoy_hop well = { .transport = AHOY_UDP, .listener = listener };
    struct ahoy_hop ill = well;
    well.remote = loopback_ip(family, open_port);
    ill.remote = loopback_ip(family, closed_port);
    loopback_send(&at, &well, SPAN("1"));
    loopback_send(&at, &ill, SPAN("x"));
    loopback_send(&at, &well, SPAN("2"));
    loopback_send(&at, &well, SPAN("3"));
    ahoy_driver_flush(at.driver);
    const struct ahoy_wire_event *event = loopback_event(&at, 1);
    assert_int_equal(event->kind, AHOY_WIRE_UNREACHABLE);
    assert_int_equal(event->hop.listener, listener);
    assert_true(ahoy_ip_equal(&event->hop.remote, &ill.remote));
    char bytes[3];
    assert_int_equal(loopback_read(peer, bytes, sizeof bytes), 3);
    assert_memory_equal(bytes, "123", 3);
    loopback_turn(&at, 0);
    assert_int_equal(at.event_count, 1); /* Nobody else is blamed. */
    close(peer);
    loopback_close(&at);
}

static void a_closed_port_is_unreachable_and_no_other(void **state)
{
    (void)state;
    check_closed_port(AHOY_IPV4, 0);
    check_closed_port(AHOY_IPV6, 1);
}

/* What the kernel refuses at once is told, and what was gathered behind it still leaves. */
static void a_refused_send_does_not_stop_the_others(void **state)
{
    (void)state;
    struct loopback at;
    loopback_open(&at, both, 1);
    uint16_t port;
    int peer = loopback_socket(AHOY_IPV4, SOCK_DGRAM, &port);
    struct ahoy_hop hop = { .transport = AHOY_UDP };
    hop.remote = loopback_ip(AHOY_IPV4, port);
    static char large[65530]; /* Above 65,507: EMSGSIZE. */
    loopback_send(&at, &hop, SPAN("1"));
    loopback_send(&at, &hop, (struct span){ large, sizeof large });
    loopback_send(&at, &hop, SPAN("2"));
    ahoy_driver_flush(at.driver);
    const struct ahoy_wire_event *event = loopback_event(&at, 1);
    assert_int_equal(event->kind, AHOY_WIRE_UNREACHABLE);
    assert_true(ahoy_ip_equal(&event->hop.remote, &hop.remote));
    char bytes[2];
    assert_int_equal(loopback_read(peer, bytes, sizeof bytes), 2);
    assert_memory_equal(bytes, "12", 2);
    assert_int_equal(ahoy_driver_counters(at.driver)->datagrams_unsent, 1);

    /* A family that no listener speaks. */
    struct ahoy_hop six = { .transport = AHOY_UDP, .remote = loopback_ip(AHOY_IPV6, port) };
    loopback_send(&at, &six, SPAN("3"));
    ahoy_driver_flush(at.driver);
    event = loopback_event(&at, 2);
    assert_int_equal(event->kind, AHOY_WIRE_UNREACHABLE);
    assert_true(ahoy_ip_equal(&event->hop.remote, &six.remote));
    close(peer);
    loopback_close(&at);
}

static struct ahoy_driver *open_shared(const struct ahoy_ip *ip, enum ahoy_transport transport,
                                       bool share_port, bool first)
{
    struct ahoy_listener listener = { .transport = transport, .local = *ip };
    struct ahoy_driver_options options = {
        .listeners = &listener, .listener_count = 1, .share_port = share_port, .first = first
    };
    size_t failed = 99;
    struct ahoy_driver *driver = ahoy_driver_open(&options, &failed);
    if (driver == NULL) {
        assert_int_equal(errno, EADDRINUSE);
        assert_int_equal(failed, 0);
    }
    return driver;
}

/* Two that share take one address; one that does not, and one that claims to be the first, finds it
 * in use. */
static void check_sharing(enum ahoy_transport transport)
{
    struct ahoy_ip ip = loopback_ip(AHOY_IPV4, 0);
    struct ahoy_driver *one = open_shared(&ip, transport, true, true);
    assert_non_null(one);
    ip = ahoy_driver_local(one, 0);
    struct ahoy_driver *two = open_shared(&ip, transport, true, false);
    assert_non_null(two);
    assert_null(open_shared(&ip, transport, false, false));
    assert_null(open_shared(&ip, transport, true, true));
    ahoy_driver_close(two);
    ahoy_driver_close(one);
    one = open_shared(&ip, transport, false, false);
    assert_non_null(one);
    assert_null(open_shared(&ip, transport, false, false));
    assert_null(open_shared(&ip, transport, true, true));
    ahoy_driver_close(one);
}

static void an_address_in_use_is_an_error(void **state)
{
    (void)state;
    check_sharing(AHOY_UDP);
    check_sharing(AHOY_TCP);
}

/* Many senders are spread over two drivers that share a port, and none is lost. */
static void two_drivers_share_a_port(void **state)
{
    (void)state;
    enum { SENDERS = 64 };
    struct loopback one = { 0 };
    struct loopback two = { 0 };
    struct ahoy_ip ip = loopback_ip(AHOY_IPV4, 0);
    one.driver = open_shared(&ip, AHOY_UDP, true, true);
    assert_non_null(one.driver);
    ip = ahoy_driver_local(one.driver, 0);
    two.driver = open_shared(&ip, AHOY_UDP, true, false);
    assert_non_null(two.driver);
    for (int i = 0; i < SENDERS; i++) {
        uint16_t port;
        int fd = loopback_socket(AHOY_IPV4, SOCK_DGRAM, &port);
        send_plain(fd, &ip, SPAN("OPTIONS"));
        close(fd);
    }
    uint64_t end = ahoy_driver_now() + LOOPBACK_PATIENCE_MS;
    while (one.datagrams + two.datagrams < SENDERS && ahoy_driver_now() < end) {
        loopback_turn(&one, 10);
        loopback_turn(&two, 10);
    }
    assert_int_equal(one.datagrams + two.datagrams, SENDERS);
    /* By chance none would be one in 2^63. */
    assert_true(one.datagrams > 0);
    assert_true(two.datagrams > 0);
    loopback_close(&one);
    loopback_close(&two);
}

/* Decision 177: what is sieved is counted, and is no sign of a socket without room. */
static void what_is_sieved_is_counted(void **state)
{
    (void)state;
    enum { MANY = 50 };
    struct loopback at;
    loopback_open(&at, both, 2);
    uint16_t port;
    int peer = loopback_socket(AHOY_IPV4, SOCK_DGRAM, &port);
    struct ahoy_ip here = at.listeners[0].local;
    const struct span invite = SPAN("INVITE sip:bob@example.org SIP/2.0\r\n");
    const struct span bye = SPAN("BYE sip:bob@example.org SIP/2.0\r\n");
    ahoy_driver_sieve(at.driver, 0);
    for (int i = 0; i < MANY; i++)
        send_plain(peer, &here, invite);
    send_plain(peer, &here, bye);
    loopback_bytes(&at, bye.size);
    assert_memory_equal(at.bytes, bye.at, bye.size);
    const struct ahoy_driver_counters *counters = ahoy_driver_counters(at.driver);
    assert_int_equal(counters->datagrams_in, 1);
    assert_int_equal(counters->datagrams_sieved, MANY);
    assert_int_equal(counters->datagrams_lost, 0);
    assert_int_equal(counters->sieves_refused, 0);
    ahoy_driver_sieve(at.driver, AHOY_SIEVE_ALL);
    send_plain(peer, &here, invite);
    loopback_bytes(&at, bye.size + invite.size);
    assert_int_equal(counters->datagrams_in, 2);
    close(peer);
    loopback_close(&at);
}

/* Decision 186: an address that is added amid overload (a reload) begins with the sieve of the
 * others. */
static void what_is_opened_later_is_sieved_too(void **state)
{
    (void)state;
    struct loopback at;
    loopback_open(&at, both, 1);
    uint16_t port;
    int peer = loopback_socket(AHOY_IPV4, SOCK_DGRAM, &port);
    const struct span bye = SPAN("BYE sip:bob@example.org SIP/2.0\r\n");
    const struct ahoy_driver_options options = { .first = true };
    const struct ahoy_listener more = { .transport = AHOY_UDP,
                                        .local = loopback_ip(AHOY_IPV4, 0) };
    ahoy_driver_sieve(at.driver, 0);
    assert_true(ahoy_driver_listen(at.driver, 2, &more, &options));
    struct ahoy_ip here = ahoy_driver_local(at.driver, 2);
    send_plain(peer, &here, SPAN("INVITE sip:bob@example.org SIP/2.0\r\n"));
    send_plain(peer, &here, bye);
    loopback_bytes(&at, bye.size);
    assert_memory_equal(at.bytes, bye.at, bye.size);
    const struct ahoy_driver_counters *counters = ahoy_driver_counters(at.driver);
    assert_int_equal(counters->datagrams_sieved, 1);
    assert_int_equal(counters->sieves_refused, 0);
    close(peer);
    loopback_close(&at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_leave_from_the_listener_that_was_asked),
        cmocka_unit_test(ten_thousand_pass_in_order),
        cmocka_unit_test(trains_come_as_datagrams),
        cmocka_unit_test(the_largest_datagram_comes_whole),
        cmocka_unit_test(large_datagrams_leave_in_order),
        cmocka_unit_test(an_empty_datagram_is_passed_over),
        cmocka_unit_test(a_closed_port_is_unreachable_and_no_other),
        cmocka_unit_test(a_refused_send_does_not_stop_the_others),
        cmocka_unit_test(an_address_in_use_is_an_error),
        cmocka_unit_test(two_drivers_share_a_port),
        cmocka_unit_test(what_is_sieved_is_counted),
        cmocka_unit_test(what_is_opened_later_is_sieved_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
