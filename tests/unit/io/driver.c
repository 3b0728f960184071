/* The turn itself: how long it waits, what wakes it, and that it never spins. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "libahoy/io/gather.h"
#include "libahoy/io/socket.h"
#include "tests/support/failing_alloc.h"
#include "tests/support/loopback.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const char *const both[] = { "udp", "tcp" };

static void the_clock_goes_on_and_is_unix_time(void **state)
{
    (void)state;
    uint64_t first = ahoy_driver_now_us();
    time_t unix_time = time(NULL);
    assert_true(first / 1000000 + 2 >= (uint64_t)unix_time);
    assert_true(first / 1000000 <= (uint64_t)unix_time + 2);
    for (int i = 0; i < 1000; i++) {
        uint64_t next = ahoy_driver_now_us();
        assert_true(next >= first);
        first = next;
    }
    uint64_t now_ms = ahoy_driver_now();
    assert_true(now_ms >= first / 1000);
}

static void random_bytes_differ(void **state)
{
    (void)state;
    unsigned char a[600] = { 0 };
    unsigned char b[600] = { 0 };
    assert_true(ahoy_driver_random(a, sizeof a));
    assert_true(ahoy_driver_random(b, sizeof b));
    assert_memory_not_equal(a, b, 16);
    assert_memory_not_equal(a + 584, b + 584, 16); /* To the last byte. */
}

/* Returns no earlier than the deadline, in one sleep, however long it is. */
static void a_wait_ends_at_its_deadline(void **state)
{
    (void)state;
    struct loopback at;
    loopback_open(&at, both, 2);
    for (uint64_t ms = 0; ms < 30; ms += 7) {
        uint64_t deadline = ahoy_driver_now() + ms;
        uint64_t waits = ahoy_driver_counters(at.driver)->waits;
        ahoy_driver_wait(at.driver, deadline);
        assert_true(ahoy_driver_now() >= deadline);
        assert_int_equal(ahoy_driver_counters(at.driver)->waits, waits + 1);
    }
    ahoy_driver_wait(at.driver, 0); /* Long past: no sleep at all. */
    loopback_close(&at);
}

struct waker {
    struct ahoy_driver *driver;
    unsigned count;
    unsigned pause_us;
};

static void *wake_often(void *context)
{
    struct waker *waker = context;
    for (unsigned i = 0; i < waker->count; i++) {
        if (waker->pause_us > 0)
            usleep(waker->pause_us);
        ahoy_driver_wake(waker->driver);
    }
    return NULL;
}

/* A wake before the wait is not lost, and one during the wait ends it. */
static void a_wake_ends_this_wait_or_the_next(void **state)
{
    (void)state;
    struct loopback at;
    loopback_open(&at, both, 2);
    ahoy_driver_wake(at.driver);
    ahoy_driver_wake(at.driver);
    ahoy_driver_wait(at.driver, UINT64_MAX); /* For good, but for the wake. */

    struct waker waker = { at.driver, 1, 20000 };
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, wake_often, &waker), 0);
    ahoy_driver_wait(at.driver, UINT64_MAX);
    assert_int_equal(pthread_join(thread, NULL), 0);
    /* What is over does not wake again, but for one that came while it was waking. */
    loopback_turn(&at, 0);
    uint64_t before = ahoy_driver_now();
    loopback_turn(&at, 30);
    assert_true(ahoy_driver_now() - before >= 30);
    loopback_close(&at);
}

struct handed {
    struct ahoy_driver *driver;
    _Atomic unsigned sent;
};

static void *hand_over(void *context)
{
    struct handed *handed = context;
    for (unsigned i = 0; i < 20000; i++) {
        handed->sent++;
        ahoy_driver_wake(handed->driver);
    }
    return NULL;
}

/* Whatever was there before a wake is seen after the wait: no wake is ever lost between looking and
 * sleeping.  A lost one would wait for good here. */
static void no_wake_is_lost(void **state)
{
    (void)state;
    struct loopback at;
    loopback_open(&at, both, 2);
    struct handed handed = { .driver = at.driver };
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, hand_over, &handed), 0);
    while (handed.sent < 20000)
        ahoy_driver_wait(at.driver, UINT64_MAX);
    assert_int_equal(pthread_join(thread, NULL), 0);
    loopback_close(&at);
}

/* Between two turns one may be closed and another opened; what is taken cannot be. */
static void listeners_come_and_go(void **state)
{
    (void)state;
    struct loopback at;
    loopback_open(&at, both, 2);
    const struct ahoy_driver_options options = { .worker = 0 };
    const struct ahoy_listener udp = { .transport = AHOY_UDP,
                                       .local = ahoy_driver_local(at.driver, 0) };
    const struct ahoy_listener tcp = { .transport = AHOY_TCP,
                                       .local = ahoy_driver_local(at.driver, 1) };
    assert_false(ahoy_driver_listen(at.driver, 2, &udp, &options));
    assert_int_equal(errno, EADDRINUSE);
    assert_false(ahoy_driver_listens(at.driver, 2));
    for (size_t i = 0; i < 2; i++) {
        assert_true(ahoy_driver_listens(at.driver, i));
        ahoy_driver_unlisten(at.driver, i);
        ahoy_driver_unlisten(at.driver, i);
        assert_false(ahoy_driver_listens(at.driver, i));
    }
    assert_true(ahoy_driver_listen(at.driver, AHOY_LISTENERS_LIMIT - 1, &udp, &options));
    assert_true(ahoy_driver_listen(at.driver, 1, &tcp, &options));
    loopback_turn(&at, 0);
    loopback_close(&at);
}

static struct ahoy_driver *signalled;

static void on_signal(int number)
{
    (void)number;
    ahoy_driver_wake(signalled);
}

static void a_signal_handler_may_wake(void **state)
{
    (void)state;
    struct loopback at;
    loopback_open(&at, both, 2);
    signalled = at.driver;
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
    struct sigaction before;
    assert_int_equal(sigaction(SIGALRM, &action, &before), 0);
    alarm(1);
    ahoy_driver_wait(at.driver, UINT64_MAX);
    assert_int_equal(sigaction(SIGALRM, &before, NULL), 0);
    loopback_close(&at);
}

struct other {
    struct loopback *at;
    int fds[2];
    unsigned calls;
};

static void on_ready(void *context)
{
    struct other *other = context;
    char byte;
    assert_int_equal(read(other->fds[0], &byte, 1), 1);
    other->calls++;
    if (byte == 'q')
        ahoy_driver_unwatch(other->at->driver, other->fds[0]);
}

static void other_descriptors_are_served_within_the_wait(void **state)
{
    (void)state;
    struct loopback at;
    loopback_open(&at, both, 2);
    struct other other = { .at = &at };
    assert_int_equal(pipe(other.fds), 0);
    assert_true(ahoy_driver_watch(at.driver, other.fds[0], on_ready, &other));
    assert_int_equal(write(other.fds[1], "aq", 2), 2);
    ahoy_driver_wait(at.driver, UINT64_MAX);
    assert_int_equal(other.calls, 1);
    ahoy_driver_wait(at.driver, UINT64_MAX);
    assert_int_equal(other.calls, 2);
    assert_int_equal(write(other.fds[1], "z", 1), 1);
    ahoy_driver_wait(at.driver, ahoy_driver_now() + 5);
    assert_int_equal(other.calls, 2); /* It is watched no more. */
    assert_false(ahoy_driver_watch(at.driver, 1 << 20, on_ready, &other)); /* No descriptor. */
    for (int i = 0; i < AHOY_WATCHES_LIMIT; i++) {
        int copy = dup(other.fds[1]);
        assert_true(ahoy_driver_watch(at.driver, copy, on_ready, &other));
        ahoy_driver_unwatch(at.driver, copy);
        close(copy);
    }
    close(other.fds[0]);
    close(other.fds[1]);
    loopback_close(&at);
}

static uint64_t cpu_us(void)
{
    struct timespec used;
    assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used), 0);
    return (uint64_t)used.tv_sec * 1000000 + (uint64_t)used.tv_nsec / 1000;
}

/* Without descriptors the listener rests instead of reporting without end, and the caller who
 * waited is served once some are back. */
static void running_out_of_descriptors_does_not_spin(void **state)
{
    (void)state;
    enum { TURNS = 4 };
    struct loopback at;
    loopback_open(&at, both, 2);
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct ahoy_ip there = at.listeners[1].local;
    int caller = loopback_call(&there);
    struct rlimit none = { .rlim_cur = 0, .rlim_max = before.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    uint64_t waits = ahoy_driver_counters(at.driver)->waits;
    uint64_t cpu = cpu_us();
    uint64_t end = ahoy_driver_now() + TURNS * AHOY_ACCEPT_PAUSE_MS;
    while (ahoy_driver_now() < end)
        loopback_turn(&at, (unsigned)(end - ahoy_driver_now()));
    assert_int_equal(at.event_count, 0);
    assert_true(ahoy_driver_counters(at.driver)->accepts_paused > 0);
    /* Two waits for each pause; a listener that spins takes tens of thousands. */
    assert_true(ahoy_driver_counters(at.driver)->waits - waits <= 4 * TURNS);
    assert_true(cpu_us() - cpu < 1000 * TURNS * AHOY_ACCEPT_PAUSE_MS / 2);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    const struct ahoy_wire_event *event = loopback_event(&at, 1);
    assert_int_equal(event->kind, AHOY_WIRE_ACCEPTED);
    close(caller);
    loopback_close(&at);
}

/* A connection that cannot be opened for want of descriptors is told like any other. */
static void connecting_without_descriptors_is_told(void **state)
{
    (void)state;
    struct loopback at;
    loopback_open(&at, both, 2);
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit none = { .rlim_cur = 0, .rlim_max = before.rlim_max };
    struct ahoy_hop hop = { .transport = AHOY_TCP, .connection = { 3, 1 } };
    hop.remote = at.listeners[1].local;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    loopback_connect(&at, &hop);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    const struct ahoy_wire_event *event = loopback_event(&at, 1);
    assert_int_equal(event->kind, AHOY_WIRE_CLOSED);
    assert_true(ahoy_handle_equal(event->hop.connection, hop.connection));
    loopback_close(&at);
}

/* Idle connections, a closed port in the error queue, a peer that does not read: none of them lets
 * the loop turn without something to do. */
static void an_idle_driver_sleeps(void **state)
{
    (void)state;
    struct loopback at;
    loopback_open(&at, both, 2);
    int idle = loopback_call(&at.listeners[1].local);
    int stuck = loopback_call(&at.listeners[1].local);
    loopback_event(&at, 2);
    struct ahoy_hop hop = at.events[1].hop;
    static char much[900000];
    loopback_send(&at, &hop, (struct span){ much, sizeof much });
    uint16_t port;
    close(loopback_socket(AHOY_IPV4, SOCK_DGRAM, &port));
    struct ahoy_hop closed = { .transport = AHOY_UDP, .remote = loopback_ip(AHOY_IPV4, port) };
    loopback_send(&at, &closed, SPAN("OPTIONS"));
    ahoy_driver_flush(at.driver);
    assert_int_equal(loopback_event(&at, 3)->kind, AHOY_WIRE_UNREACHABLE);
    for (int i = 0; i < 3; i++) /* What the kernel still has to move. */
        loopback_turn(&at, 20);
    uint64_t waits = ahoy_driver_counters(at.driver)->waits;
    uint64_t end = ahoy_driver_now() + 100;
    while (ahoy_driver_now() < end)
        loopback_turn(&at, (unsigned)(end - ahoy_driver_now()));
    assert_true(ahoy_driver_counters(at.driver)->waits - waits <= 5);
    close(idle);
    close(stuck);
    loopback_close(&at);
}

static void without_memory_there_is_no_driver(void **state)
{
    (void)state;
    struct ahoy_listener listener = { .transport = AHOY_UDP };
    listener.local = loopback_ip(AHOY_IPV4, 0);
    struct ahoy_driver_options options = { .listeners = &listener, .listener_count = 1 };
    for (size_t count = 0;; count++) {
        size_t failed = 0;
        failing_alloc_begin(count, FAILING_ALLOC_ONE);
        struct ahoy_driver *driver = ahoy_driver_open(&options, &failed);
        size_t refused = failing_alloc_end();
        assert_int_equal(driver != NULL, refused == 0);
        ahoy_driver_close(driver);
        if (refused == 0)
            break;
        assert_int_equal(failed, 1); /* It is not the listener's fault. */
    }
}

/* A socket that others have opened: two drivers read from it, and it outlives them. */
static void a_passed_socket_is_shared_and_stays_open(void **state)
{
    (void)state;
    uint16_t port;
    int passed[2] = { loopback_socket(AHOY_IPV4, SOCK_DGRAM, &port), -1 };
    struct ahoy_listener listeners[2] = { { .transport = AHOY_UDP }, { .transport = AHOY_TCP } };
    listeners[0].local = loopback_ip(AHOY_IPV4, port);
    listeners[1].local = loopback_ip(AHOY_IPV4, 0);
    struct ahoy_driver_options options = { .listeners = listeners,
                                           .listener_count = 2,
                                           .passed = passed };
    size_t failed = 0;
    struct ahoy_driver *drivers[2];
    for (int i = 0; i < 2; i++) {
        drivers[i] = ahoy_driver_open(&options, &failed);
        assert_non_null(drivers[i]);
        struct ahoy_ip local = ahoy_driver_local(drivers[i], 0);
        assert_true(ahoy_ip_equal(&local, &listeners[0].local));
        assert_true(ahoy_driver_local(drivers[i], 1).port != 0); /* Opened as ever. */
    }
    assert_true((fcntl(passed[0], F_GETFL) & O_NONBLOCK) != 0);
    uint16_t from;
    int peer = loopback_socket(AHOY_IPV4, SOCK_DGRAM, &from);
    union ahoy_socket_name name;
    socklen_t size = ahoy_socket_name(&listeners[0].local, &name);
    for (int i = 0; i < 2; i++) {
        struct ahoy_wire_event event;
        assert_int_equal(sendto(peer, "ahoy", 4, 0, &name.any, size), 4);
        ahoy_driver_wait(drivers[i], ahoy_driver_now() + LOOPBACK_PATIENCE_MS);
        assert_true(ahoy_driver_next(drivers[i], &event));
        assert_int_equal(event.kind, AHOY_WIRE_DATAGRAM);
        assert_int_equal(event.hop.remote.port, from);
        ahoy_driver_close(drivers[i]);
    }
    struct ahoy_ip still;
    assert_true(ahoy_socket_local(passed[0], &still) && still.port == port);
    close(peer);
    close(passed[0]);
}

static void an_unknown_transport_is_no_listener(void **state)
{
    (void)state;
    struct ahoy_listener listeners[2] = { { .transport = AHOY_UDP }, { .transport = AHOY_TLS } };
    listeners[0].local = listeners[1].local = loopback_ip(AHOY_IPV4, 0);
    struct ahoy_driver_options options = { .listeners = listeners, .listener_count = 2 };
    size_t failed = 0;
    assert_null(ahoy_driver_open(&options, &failed));
    assert_int_equal(errno, EPROTONOSUPPORT);
    assert_int_equal(failed, 1);
}

static void the_own_address_is_none_of_loopback(void **state)
{
    (void)state;
    struct ahoy_ip ip = { 0 };
    if (!ahoy_driver_own_address(AHOY_IPV4, &ip))
        skip(); /* This machine has no way out. */
    assert_int_equal(ip.family, AHOY_IPV4);
    assert_int_equal(ip.port, 0);
    assert_false(ahoy_ip_is_loopback(&ip));
}

/* In a rush it rests between its turns, and reads all that came meanwhile.  Where nothing comes, or
 * little, it never does. */
static void a_rush_is_gathered(void **state)
{
    (void)state;
    enum { RUSH_TURNS = 300, EACH = 24 };
    struct loopback at;
    uint16_t port;
    loopback_open(&at, both, 1);
    int fd = loopback_socket(AHOY_IPV4, SOCK_DGRAM, &port);
    const struct ahoy_ip local = ahoy_driver_local(at.driver, 0);
    union ahoy_socket_name to;
    socklen_t size = ahoy_socket_name(&local, &to);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(sendto(fd, "one", 3, 0, &to.any, size), 3);
        loopback_bytes(&at, 3 * (size_t)(i + 1));
        usleep(1000);
    }
    assert_int_equal(ahoy_driver_counters(at.driver)->rests, 0);
    uint64_t begun_us = ahoy_driver_now_us();
    for (size_t turn = 0; turn < RUSH_TURNS; turn++) {
        for (int i = 0; i < EACH; i++)
            assert_int_equal(sendto(fd, "many", 4, 0, &to.any, size), 4);
        loopback_bytes(&at, 9 + 4 * EACH * (turn + 1));
    }
    uint64_t span_us = ahoy_driver_now_us() - begun_us;
    bool was_rush = span_us * AHOY_GATHER_RATE < UINT64_C(1000) * RUSH_TURNS * EACH;
    close(fd);
    uint64_t rests = ahoy_driver_counters(at.driver)->rests;
    loopback_close(&at);
    if (!was_rush)
        skip(); /* This machine is too slow for one. */
    assert_true(rests > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_clock_goes_on_and_is_unix_time),
        cmocka_unit_test(random_bytes_differ),
        cmocka_unit_test(a_wait_ends_at_its_deadline),
        cmocka_unit_test(a_wake_ends_this_wait_or_the_next),
        cmocka_unit_test(no_wake_is_lost),
        cmocka_unit_test(a_signal_handler_may_wake),
        cmocka_unit_test(other_descriptors_are_served_within_the_wait),
        cmocka_unit_test(running_out_of_descriptors_does_not_spin),
        cmocka_unit_test(connecting_without_descriptors_is_told),
        cmocka_unit_test(listeners_come_and_go),
        cmocka_unit_test(an_idle_driver_sleeps),
        cmocka_unit_test(without_memory_there_is_no_driver),
        cmocka_unit_test(a_passed_socket_is_shared_and_stays_open),
        cmocka_unit_test(an_unknown_transport_is_no_listener),
        cmocka_unit_test(the_own_address_is_none_of_loopback),
        cmocka_unit_test(a_rush_is_gathered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
