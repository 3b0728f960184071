/* What never comes is given up: a connection that does not stand, a peer that does not close.  The
 * test takes as long as AHOY_CONNECT_MS says. */
#include <fcntl.h>
#include <unistd.h>

#include "tests/support/loopback.h"
#include "libahoy/io/socket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { FILLERS = 8 };

/* A listener that nobody accepts from, its queue full: the kernel drops whatever else comes. */
static int open_black_hole(uint16_t *port, int fillers[FILLERS])
{
    int fd = loopback_socket(AHOY_IPV4, SOCK_STREAM, port);
    assert_int_equal(listen(fd, 0), 0);
    struct ahoy_ip ip = loopback_ip(AHOY_IPV4, *port);
    for (int i = 0; i < FILLERS; i++) {
        fillers[i] = ahoy_socket_connect(NULL, &ip);
        assert_true(fillers[i] >= 0);
    }
    return fd;
}

static void what_never_comes_is_given_up(void **state)
{
    (void)state;
    static const char *const listener[] = { "tcp" };
    struct loopback at;
    loopback_open(&at, listener, 1);
    int fillers[FILLERS];
    uint16_t port;
    int hole = open_black_hole(&port, fillers);
    uint64_t before_ms = ahoy_driver_now(); /* No later than what the driver takes for now. */
    int stays = loopback_call(&at.listeners[0].local);
    struct ahoy_hop closed = loopback_event(&at, 1)->hop;
    uint64_t start_ms = ahoy_driver_now();

    struct ahoy_hop never = { .transport = AHOY_TCP, .connection = { 9, 1 } };
    never.remote = loopback_ip(AHOY_IPV4, port);
    loopback_connect(&at, &never);
    loopback_send(&at, &never, SPAN("INVITE"));
    loopback_send(&at, &closed, SPAN("503"));
    loopback_hang_up(&at, &closed);
    ahoy_driver_flush(at.driver);
    char bytes[4];
    assert_int_equal(loopback_read(stays, bytes, sizeof bytes), 3); /* Then it has ended. */

    /* The peer neither closes nor sends: once the time is over the connection is gone, and what it
     * sends then is answered by a reset. */
    while (ahoy_driver_now() < start_ms + AHOY_LINGER_MS - 500)
        loopback_turn(&at, 100);
    assert_int_equal(send(stays, "x", 1, MSG_NOSIGNAL), 1);
    loopback_turn(&at, 50);
    assert_int_equal(send(stays, "x", 1, MSG_NOSIGNAL), 1); /* Discarded, not refused. */
    while (ahoy_driver_now() < start_ms + AHOY_LINGER_MS + 500)
        loopback_turn(&at, 100);
    assert_int_equal(send(stays, "x", 1, MSG_NOSIGNAL), 1);
    usleep(1000);
    assert_int_equal(send(stays, "x", 1, MSG_NOSIGNAL), -1);

    assert_int_equal(at.event_count, 1);
    const struct ahoy_wire_event *event = loopback_event(&at, 2);
    assert_int_equal(event->kind, AHOY_WIRE_CLOSED);
    assert_true(ahoy_handle_equal(event->hop.connection, never.connection));
    assert_true(ahoy_driver_now() - before_ms >= AHOY_CONNECT_MS);
    assert_int_equal(ahoy_driver_counters(at.driver)->not_opened, 1);
    for (int i = 0; i < FILLERS; i++)
        close(fillers[i]);
    close(hole);
    close(stays);
    loopback_close(&at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_never_comes_is_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
