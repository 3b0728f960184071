/* What the kernel lets through while a sieve is set, by sockets on loopback. */
#include "libahoy/io/sieve.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/support/loopback.h"

enum { ROUNDS = 40, A_ROUND = 100, ALL = ROUNDS * A_ROUND };

static const char end[] = "SIP/2.0 200 The end";

static void close_pair(const int fds[2])
{
    close(fds[0]);
    close(fds[1]);
}

/* How many come through of A_ROUND: all that come before the end, which always does. */
static unsigned play_round(const int fds[2], const char *bytes, size_t size)
{
    char room[256];
    for (unsigned i = 0; i < A_ROUND; i++)
        assert_int_equal(send(fds[1], bytes, size, 0), size);
    assert_int_equal(send(fds[1], end, sizeof end, 0), sizeof end);
    for (unsigned came = 0;; came++) {
        ssize_t got;
        while ((got = recv(fds[0], room, sizeof room, 0)) < 0)
            continue; /* The socket does not block. */
        if ((size_t)got == sizeof end && memcmp(room, end, sizeof end) == 0)
            return came;
        assert_int_equal(got, size);
        assert_memory_equal(room, bytes, size);
    }
}

/* How many come through of ALL. */
static unsigned play(const int fds[2], const char *bytes, size_t size)
{
    unsigned came = 0;
    for (unsigned i = 0; i < ROUNDS; i++)
        came += play_round(fds, bytes, size);
    return came;
}

static unsigned play_text(const int fds[2], const char *text)
{
    return play(fds, text, strlen(text));
}

/* As many as were asked for, within what chance does: six times the deviation. */
static void what_begins_something_is_sieved(void **state)
{
    (void)state;
    static const char *const requests[] = {
        "INVITE sip:bob@example.org SIP/2.0\r\n", "REGISTER sip:example.org SIP/2.0\r\n",
        "OPTIONS sip:example.org SIP/2.0\r\n",    "SUBSCRIBE sip:bob@example.org SIP/2.0\r\n",
        "MESSAGE urn:service:sos SIP/2.0\r\n",    "INVITE sip:urn@example.org SIP/2.0\r\n"
    };
    int fds[2];
    loopback_pair(fds);
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        assert_true(ahoy_sieve_set(fds[0], AHOY_SIEVE_ALL / 4));
        assert_in_range(play_text(fds, requests[i]), ALL / 4 - 165, ALL / 4 + 165);
        assert_true(ahoy_sieve_set(fds[0], 0));
        assert_int_equal(play_text(fds, requests[i]), 0);
    }
    assert_true(ahoy_sieve_set(fds[0], AHOY_SIEVE_ALL));
    assert_int_equal(play_text(fds, requests[0]), ALL);
    close_pair(fds);
}

static void all_else_passes(void **state)
{
    (void)state;
    static const char *const messages[] = {
        "SIP/2.0 180 Ringing\r\n",
        "ACK sip:bob@example.org SIP/2.0\r\n",
        "BYE sip:bob@example.org SIP/2.0\r\n",
        "CANCEL sip:bob@example.org SIP/2.0\r\n",
        "PRACK sip:bob@example.org SIP/2.0\r\n",
        "UPDATE sip:bob@example.org SIP/2.0\r\n",
        "NOTIFY sip:bob@example.org SIP/2.0\r\n",
        "INFO sip:bob@example.org SIP/2.0\r\n",
        "INVITE urn:service:sos SIP/2.0\r\n",
        "INVITE URN:service:sos.fire SIP/2.0\r\n",
        "\r\n\r\n",    /* RFC 5626 4.4.1 */
        "INVITE sip:" /* Too short to be a request. */
    };
    static const char stun[20] = { 0, 1, 0, 0, 0x21, 0x12, (char)0xa4, 0x42 };
    static const char dtls[20] = { (char)0x80 };
    int fds[2];
    loopback_pair(fds);
    assert_true(ahoy_sieve_set(fds[0], 0));
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++)
        assert_int_equal(play_text(fds, messages[i]), ALL);
    assert_int_equal(play(fds, stun, sizeof stun), ALL);
    assert_int_equal(play(fds, dtls, sizeof dtls), ALL);
    close_pair(fds);
}

/* A socket that nobody reads from fills. */
static void a_full_socket_is_seen(void **state)
{
    (void)state;
    int fds[2], room = 100000;
    char bytes[500] = "BYE ";
    loopback_pair(fds);
    assert_int_equal(setsockopt(fds[0], SOL_SOCKET, SO_RCVBUF, &room, sizeof room), 0);
    assert_false(ahoy_sieve_is_full(fds[0]));
    for (unsigned i = 0; i < ALL; i++)
        assert_int_equal(send(fds[1], bytes, sizeof bytes, 0), sizeof bytes);
    assert_true(ahoy_sieve_is_full(fds[0]));
    while (recv(fds[0], bytes, sizeof bytes, 0) > 0)
        continue;
    assert_false(ahoy_sieve_is_full(fds[0]));
    close_pair(fds);
}

/* What is no socket has no sieve. */
static void a_refusal_is_told(void **state)
{
    (void)state;
    assert_false(ahoy_sieve_set(-1, 0));
    assert_false(ahoy_sieve_is_full(-1));
}

/* Decision 188: 16 MiB, or what the system permits, as another socket is given that asks for them;
 * the kernel says twice as much. */
static void there_is_room(void **state)
{
    (void)state;
    const int asked = 16 * 1024 * 1024;
    int fds[2], got = 0, permitted = 0;
    socklen_t size = sizeof got;
    loopback_pair(fds);
    assert_int_equal(getsockopt(fds[0], SOL_SOCKET, SO_RCVBUF, &got, &size), 0);
    close_pair(fds);
    int other = socket(AF_INET, SOCK_DGRAM, 0);
    if (setsockopt(other, SOL_SOCKET, SO_RCVBUFFORCE, &asked, sizeof asked) != 0)
        assert_int_equal(setsockopt(other, SOL_SOCKET, SO_RCVBUF, &asked, sizeof asked), 0);
    assert_int_equal(getsockopt(other, SOL_SOCKET, SO_RCVBUF, &permitted, &size), 0);
    close(other);
    assert_int_equal(got, permitted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_is_room),
        cmocka_unit_test(what_begins_something_is_sieved),
        cmocka_unit_test(all_else_passes),
        cmocka_unit_test(a_full_socket_is_seen),
        cmocka_unit_test(a_refusal_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
