/* How long what is read has waited, and what was lost, as the kernel notes it. */
#include "libahoy/io/arrival.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "libahoy/io/datagrams_in.h"
#include "tests/support/loopback.h"

enum { WAIT_MS = 40, MANY = 2000 };

static void wait_a_little(void)
{
    nanosleep(&(struct timespec){ .tv_nsec = WAIT_MS * 1000000L }, NULL);
}

static void open_pair(int fds[2])
{
    loopback_pair(fds);
    ahoy_datagrams_in_couple(fds[0]);
}

/* Where no socket had its times noted before, the kernel begins some time after it was asked; what
 * comes until then seems not to have waited. */
static void begin_noting(struct ahoy_datagrams_in *in, const int fds[2])
{
    do {
        assert_int_equal(send(fds[1], "zero", 4, 0), 4);
        wait_a_little();
        assert_int_equal(ahoy_datagrams_in_read(in, fds[0]), 1);
    } while (in->note.waited_us < WAIT_MS * 1000 / 2);
}

static void datagrams_have_waited(void **state)
{
    (void)state;
    static struct ahoy_datagrams_in in;
    int fds[2];
    open_pair(fds);
    assert_true(ahoy_datagrams_in_init(&in));
    begin_noting(&in, fds);
    assert_int_equal(send(fds[1], "one", 3, 0), 3);
    wait_a_little();
    assert_int_equal(ahoy_datagrams_in_read(&in, fds[0]), 1);
    assert_true(in.note.waited_us >= (WAIT_MS - 1) * 1000);
    assert_int_equal(in.note.lost, 0);
    assert_int_equal(send(fds[1], "two", 3, 0), 3);
    wait_a_little();
    uint32_t longest_us = in.note.waited_us;
    assert_int_equal(send(fds[1], "three", 5, 0), 5);
    assert_int_equal(ahoy_datagrams_in_read(&in, fds[0]), 2);
    /* The last of them counts; a machine may be slow, but not so that it came first. */
    assert_true(in.note.waited_us < 1000000 + longest_us);
    ahoy_datagrams_in_fini(&in);
    close(fds[0]);
    close(fds[1]);
}

/* How much longer the first of two that are read together has waited than the second, which came
 * WAIT_MS later. */
static int64_t difference_us(struct ahoy_datagrams_in *in, const int fds[2])
{
    struct ahoy_ip from;
    struct span bytes;
    assert_int_equal(send(fds[1], "one", 3, 0), 3);
    wait_a_little();
    assert_int_equal(send(fds[1], "three", 5, 0), 5);
    assert_int_equal(ahoy_datagrams_in_read(in, fds[0]), 2);
    assert_true(ahoy_datagrams_in_next(in, &from, &bytes));
    int64_t first_us = in->note.waited_us;
    assert_true(ahoy_datagrams_in_next(in, &from, &bytes));
    return first_us - (int64_t)in->note.waited_us;
}

/* A machine may be slow between the two, and be it once. */
static void each_may_have_its_own_time(void **state)
{
    (void)state;
    static struct ahoy_datagrams_in in;
    int fds[2];
    open_pair(fds);
    assert_true(ahoy_datagrams_in_init(&in));
    begin_noting(&in, fds);
    assert_int_equal(difference_us(&in, fds), 0);
    in.is_exact = true;
    int64_t longest_us = 0;
    for (int tries = 100; tries > 0 && longest_us < (WAIT_MS - 1) * 1000; tries--)
        longest_us = difference_us(&in, fds);
    assert_true(longest_us >= (WAIT_MS - 1) * 1000);
    ahoy_datagrams_in_fini(&in);
    close(fds[0]);
    close(fds[1]);
}

static void datagrams_without_room_are_counted(void **state)
{
    (void)state;
    static struct ahoy_datagrams_in in;
    int fds[2], least = 1;
    open_pair(fds);
    assert_int_equal(setsockopt(fds[0], SOL_SOCKET, SO_RCVBUF, &least, sizeof least), 0);
    assert_true(ahoy_datagrams_in_init(&in));
    char bytes[500] = { 0 };
    for (int i = 0; i < MANY; i++)
        assert_int_equal(send(fds[1], bytes, sizeof bytes, 0), sizeof bytes);
    while (ahoy_datagrams_in_read(&in, fds[0]) > 0)
        continue;
    assert_int_equal(send(fds[1], bytes, sizeof bytes, 0), sizeof bytes);
    while (ahoy_datagrams_in_read(&in, fds[0]) <= 0)
        continue;
    assert_in_range(in.note.lost, MANY / 2, MANY);
    ahoy_datagrams_in_fini(&in);
    close(fds[0]);
    close(fds[1]);
}

/* Of a stream the last byte is meant. */
static void streams_have_waited(void **state)
{
    (void)state;
    static struct ahoy_datagrams_in in;
    int fds[2];
    open_pair(fds);
    assert_true(ahoy_datagrams_in_init(&in));
    begin_noting(&in, fds); /* It stays on while a socket asks for it. */
    struct ahoy_ip local, remote;
    const struct ahoy_ip any = loopback_ip(AHOY_IPV4, 0);
    int listener = ahoy_socket_listen(&any, false);
    assert_true(listener >= 0 && ahoy_socket_local(listener, &local));
    int near = ahoy_socket_connect(NULL, &local);
    int far = -1;
    while (far < 0)
        far = ahoy_socket_accept(listener, &remote);
    while (send(near, "some", 4, MSG_NOSIGNAL) < 0)
        continue;
    wait_a_little();
    char bytes[16];
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct timespec))];
    struct iovec piece = { bytes, sizeof bytes };
    struct msghdr header = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control
    };
    while (recvmsg(far, &header, 0) < 0)
        continue;
    const struct timespec now = ahoy_arrival_now();
    assert_true(ahoy_arrival_read(&header, &now).waited_us >= (WAIT_MS - 10) * 1000);
    close(near);
    close(far);
    close(listener);
    ahoy_datagrams_in_fini(&in);
    close(fds[0]);
    close(fds[1]);
}

/* Where the kernel says nothing, nothing has waited. */
static void nothing_is_known_without_a_note(void **state)
{
    (void)state;
    struct msghdr header = { .msg_control = NULL };
    const struct timespec now = ahoy_arrival_now();
    struct ahoy_arrival_note note = ahoy_arrival_read(&header, &now);
    assert_int_equal(note.waited_us, 0);
    assert_int_equal(note.lost, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(datagrams_have_waited),
        cmocka_unit_test(each_may_have_its_own_time),
        cmocka_unit_test(datagrams_without_room_are_counted),
        cmocka_unit_test(streams_have_waited),
        cmocka_unit_test(nothing_is_known_without_a_note),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
