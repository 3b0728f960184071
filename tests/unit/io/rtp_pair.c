/* The two sockets of a call's sound on loopback: ports (RFC 3550 11), and whom they listen to. */
#include "libahoy/io/rtp_pair.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "libahoy/io/socket.h"

enum { PATIENCE_MS = 20000 };

static const struct ahoy_ip loopback = { .family = AHOY_IPV4, .bytes = { 127, 0, 0, 1 } };

static struct ahoy_rtp_pair pair;

static int open_pair(void **state)
{
    (void)state;
    return ahoy_rtp_pair_open(&pair, &loopback, (struct ahoy_port_range){ 20000, 29999 }, 77) ? 0
                                                                                              : -1;
}

static int close_pair(void **state)
{
    (void)state;
    ahoy_rtp_pair_close(&pair);
    return 0;
}

/* A socket of somebody at 127.0.0.|host|. */
static int somebody(uint8_t host, struct ahoy_ip *ip)
{
    *ip = loopback;
    ip->bytes[3] = host;
    int fd = ahoy_socket_media(ip);
    assert_true(fd >= 0 && ahoy_socket_local(fd, ip));
    return fd;
}

static struct ahoy_ip port_of(enum ahoy_rtp_side side)
{
    struct ahoy_ip ip = pair.local;
    ip.port = (uint16_t)(ip.port + (side == AHOY_RTCP_SIDE));
    return ip;
}

static void say(int fd, enum ahoy_rtp_side side, const char *word)
{
    union ahoy_socket_name name;
    struct ahoy_ip to = port_of(side);
    socklen_t size = ahoy_socket_name(&to, &name);
    assert_int_equal(sendto(fd, word, strlen(word), 0, &name.any, size), strlen(word));
}

static void await(int fd)
{
    struct pollfd wait = { .fd = fd, .events = POLLIN };
    assert_int_equal(poll(&wait, 1, PATIENCE_MS), 1);
}

/* What is taken of what has come; empty for nothing. */
static struct span hear(enum ahoy_rtp_side side)
{
    static char bytes[AHOY_RTP_DATAGRAM_LIMIT];
    struct span packet;
    struct ahoy_ip source;
    await(pair.fds[side]);
    return ahoy_rtp_pair_receive(&pair, side, bytes, &packet, &source) ? packet : SPAN("");
}

static void expect_at(int fd, const char *word)
{
    char bytes[16];
    await(fd);
    assert_int_equal(recv(fd, bytes, sizeof bytes, 0), strlen(word));
    assert_memory_equal(bytes, word, strlen(word));
}

/* R3550-11-1: RTP has an even port, RTCP the next; within the range; no pair is given twice. */
static void ports(void **state)
{
    (void)state;
    struct ahoy_rtp_pair others[2];
    const struct ahoy_port_range narrow = { (uint16_t)(pair.local.port - 1),
                                            (uint16_t)(pair.local.port + 3) };
    assert_int_equal(pair.local.port % 2, 0);
    assert_in_range(pair.local.port, 20000, 29998);
    for (uint64_t random = 0; random < 4; random++) {
        if (!ahoy_rtp_pair_open(&others[0], &loopback, narrow, random))
            continue; /* Somebody else has it. */
        assert_int_equal(others[0].local.port, pair.local.port + 2);
        assert_false(ahoy_rtp_pair_open(&others[1], &loopback, narrow, random));
        ahoy_rtp_pair_close(&others[0]);
    }
    assert_false(
        ahoy_rtp_pair_open(&others[0], &loopback, (struct ahoy_port_range){ 20001, 20002 }, 0));
    assert_true(ahoy_rtp_pair_open(&others[0], &loopback, (struct ahoy_port_range){ 0, 0 }, 0));
    ahoy_rtp_pair_close(&others[0]);
}

/* Nobody is heard before there is a peer; then its address, and the port that it sends from first.
 * R3550-11-2: until it has sent, packets go where it has said. */
static void symmetric(void **state)
{
    (void)state;
    struct ahoy_ip peer_ip, other_ip, stranger_ip;
    int peer = somebody(1, &peer_ip);
    int other = somebody(1, &other_ip); /* Another port of the peer's address. */
    int stranger = somebody(2, &stranger_ip);
    say(peer, AHOY_RTP_SIDE, "early");
    assert_int_equal(hear(AHOY_RTP_SIDE).size, 0);
    ahoy_rtp_pair_aim(&pair, &peer_ip, &peer_ip, false);
    ahoy_rtp_pair_send(&pair, AHOY_RTP_SIDE, SPAN("first"));
    expect_at(peer, "first");
    say(stranger, AHOY_RTP_SIDE, "strange");
    assert_int_equal(hear(AHOY_RTP_SIDE).size, 0);
    say(other, AHOY_RTP_SIDE, "hello");
    assert_int_equal(hear(AHOY_RTP_SIDE).size, strlen("hello"));
    say(peer, AHOY_RTP_SIDE, "late");
    assert_int_equal(hear(AHOY_RTP_SIDE).size, 0);
    assert_int_equal(pair.strangers, 3);
    ahoy_rtp_pair_send(&pair, AHOY_RTP_SIDE, SPAN("second"));
    expect_at(other, "second");
    ahoy_rtp_pair_aim(&pair, &peer_ip, &peer_ip, false); /* As before: what was learned stays. */
    ahoy_rtp_pair_send(&pair, AHOY_RTP_SIDE, SPAN("third"));
    expect_at(other, "third");
    ahoy_rtp_pair_aim(&pair, &stranger_ip, &stranger_ip, false); /* The call has moved. */
    say(stranger, AHOY_RTP_SIDE, "moved");
    assert_int_equal(hear(AHOY_RTP_SIDE).size, strlen("moved"));
    close(peer);
    close(other);
    close(stranger);
}

/* R3550-11-3, R5761-5.1.1-4: RTCP goes to its own port, unless both sides share one. */
static void rtcp(void **state)
{
    (void)state;
    struct ahoy_ip rtp_ip, rtcp_ip;
    int fds[] = { somebody(1, &rtp_ip), somebody(1, &rtcp_ip) };
    ahoy_rtp_pair_aim(&pair, &rtp_ip, &rtcp_ip, false);
    ahoy_rtp_pair_send(&pair, AHOY_RTCP_SIDE, SPAN("report"));
    expect_at(fds[1], "report");
    say(fds[1], AHOY_RTCP_SIDE, "reply");
    assert_int_equal(hear(AHOY_RTCP_SIDE).size, strlen("reply"));
    ahoy_rtp_pair_aim(&pair, &rtp_ip, &rtp_ip, true);
    ahoy_rtp_pair_send(&pair, AHOY_RTCP_SIDE, SPAN("shared"));
    expect_at(fds[0], "shared");
    close(fds[0]);
    close(fds[1]);
}

/* With ICE, checks are taken from everybody, and a hello of DTLS until it is known who the peer is
 * (R5763-5-3); sound only from where he was shown to be, and all goes there. */
static void checks(void **state)
{
    (void)state;
    struct ahoy_ip peer_ip, stranger_ip;
    int peer = somebody(2, &peer_ip); /* Not where he has said. */
    int stranger = somebody(1, &stranger_ip);
    say(stranger, AHOY_RTP_SIDE, "\x01 check");
    assert_int_equal(hear(AHOY_RTP_SIDE).size, 0);
    pair.takes_checks = true;
    say(stranger, AHOY_RTP_SIDE, "\x01 check");
    assert_int_not_equal(hear(AHOY_RTP_SIDE).size, 0);
    say(stranger, AHOY_RTP_SIDE, "\x16 hello");
    assert_int_not_equal(hear(AHOY_RTP_SIDE).size, 0);
    say(stranger, AHOY_RTP_SIDE, "\x80 sound");
    assert_int_equal(hear(AHOY_RTP_SIDE).size, 0);
    ahoy_rtp_pair_nominate(&pair, 0, &peer_ip);
    say(stranger, AHOY_RTP_SIDE, "\x16 hello");
    assert_int_equal(hear(AHOY_RTP_SIDE).size, 0);
    say(stranger, AHOY_RTP_SIDE, "\x01 check");
    assert_int_not_equal(hear(AHOY_RTP_SIDE).size, 0);
    say(peer, AHOY_RTP_SIDE, "\x80 sound");
    assert_int_not_equal(hear(AHOY_RTP_SIDE).size, 0);
    ahoy_rtp_pair_send(&pair, AHOY_RTCP_SIDE, SPAN("shared"));
    expect_at(peer, "shared");
    ahoy_rtp_pair_answer(&pair, 0, SPAN("answer"), &stranger_ip);
    expect_at(stranger, "answer");
    close(peer);
    close(stranger);
}

/* Who takes all of what comes to the port of RTP asks of each packet whether it would have been. */
static void all(void **state)
{
    (void)state;
    struct ahoy_ip peer_ip, stranger_ip;
    int peer = somebody(2, &peer_ip);
    int stranger = somebody(1, &stranger_ip);
    pair.takes_checks = pair.takes_all = true;
    ahoy_rtp_pair_nominate(&pair, 0, &peer_ip);
    say(stranger, AHOY_RTP_SIDE, "\x40\x01 of a relay");
    assert_int_not_equal(hear(AHOY_RTP_SIDE).size, 0);
    say(stranger, AHOY_RTCP_SIDE, "\x40\x01 of a relay");
    assert_int_equal(hear(AHOY_RTCP_SIDE).size, 0);
    assert_true(ahoy_rtp_pair_takes(&pair, SPAN("\x80 sound"), &peer_ip));
    assert_false(ahoy_rtp_pair_takes(&pair, SPAN("\x80 sound"), &stranger_ip));
    assert_true(ahoy_rtp_pair_takes(&pair, SPAN("\x01 check"), &stranger_ip));
    close(peer);
    close(stranger);
}

/* RFC 8445 5.1.1.1: a further base has its own address, and the port of RTP; what is sent leaves
 * from the one that was nominated. */
static void bases(void **state)
{
    static char bytes[AHOY_RTP_DATAGRAM_LIMIT];
    struct ahoy_ip peer_ip, own = loopback, source;
    struct span packet;
    int fd;
    (void)state;
    int peer = somebody(2, &peer_ip);
    for (uint8_t i = 1; i < AHOY_RTP_BASES_LIMIT; i++) {
        own.bytes[3] = (uint8_t)(10 + i);
        assert_true(ahoy_rtp_pair_add(&pair, &own, &fd));
    }
    own.bytes[3] = 77;
    assert_false(ahoy_rtp_pair_add(&pair, &own, &fd)); /* No more. */
    pair.takes_checks = true;
    ahoy_rtp_pair_answer(&pair, 2, SPAN("check"), &peer_ip);
    await(peer);
    union ahoy_socket_name name = { 0 };
    socklen_t size = sizeof name;
    assert_int_equal(recvfrom(peer, bytes, sizeof bytes, 0, &name.any, &size), 5);
    source = ahoy_socket_ip(&name);
    assert_int_equal(source.bytes[3], 12);
    assert_int_equal(source.port, pair.local.port);
    size = ahoy_socket_name(&source, &name);
    assert_int_equal(sendto(peer, "\x01 back", 6, 0, &name.any, size), 6);
    await(pair.further[1]);
    assert_true(ahoy_rtp_pair_receive_at(&pair, 2, bytes, &packet, &source));
    assert_int_equal(packet.size, 6);
    ahoy_rtp_pair_nominate(&pair, 2, &peer_ip);
    ahoy_rtp_pair_send(&pair, AHOY_RTCP_SIDE, SPAN("sound"));
    await(peer);
    size = sizeof name;
    assert_int_equal(recvfrom(peer, bytes, sizeof bytes, 0, &name.any, &size), 5);
    assert_int_equal(ahoy_socket_ip(&name).bytes[3], 12);
    close(peer);
}

/* R3264-5.1-12: before it is known where the peer is, whoever sends sound first is heard, alone,
 * and is sent nothing; what is signalled then holds. */
static void first(void **state)
{
    struct ahoy_ip one_ip, other_ip;
    (void)state;
    int one = somebody(1, &one_ip), other = somebody(2, &other_ip);
    say(one, AHOY_RTP_SIDE, "\x80 sound");
    assert_int_equal(hear(AHOY_RTP_SIDE).size, 0);
    pair.takes_first = true;
    say(other, AHOY_RTP_SIDE, "\x16 hello");
    assert_int_equal(hear(AHOY_RTP_SIDE).size, 0);
    say(other, AHOY_RTCP_SIDE, "\x80 report");
    assert_int_equal(hear(AHOY_RTCP_SIDE).size, 0);
    say(one, AHOY_RTP_SIDE, "\x80 sound");
    assert_int_not_equal(hear(AHOY_RTP_SIDE).size, 0);
    say(other, AHOY_RTP_SIDE, "\x80 sound");
    assert_int_equal(hear(AHOY_RTP_SIDE).size, 0);
    ahoy_rtp_pair_send(&pair, AHOY_RTP_SIDE, SPAN("nobody's"));
    ahoy_rtp_pair_aim(&pair, &other_ip, &other_ip, true);
    say(one, AHOY_RTP_SIDE, "\x80 sound");
    assert_int_equal(hear(AHOY_RTP_SIDE).size, 0);
    say(other, AHOY_RTP_SIDE, "\x80 sound");
    assert_int_not_equal(hear(AHOY_RTP_SIDE).size, 0);
    ahoy_rtp_pair_send(&pair, AHOY_RTP_SIDE, SPAN("the peer's"));
    expect_at(other, "the peer's");
    assert_int_equal(recv(one, &one_ip, sizeof one_ip, MSG_DONTWAIT), -1);
    close(one);
    close(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(ports, open_pair, close_pair),
        cmocka_unit_test_setup_teardown(symmetric, open_pair, close_pair),
        cmocka_unit_test_setup_teardown(rtcp, open_pair, close_pair),
        cmocka_unit_test_setup_teardown(checks, open_pair, close_pair),
        cmocka_unit_test_setup_teardown(all, open_pair, close_pair),
        cmocka_unit_test_setup_teardown(bases, open_pair, close_pair),
        cmocka_unit_test_setup_teardown(first, open_pair, close_pair),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
