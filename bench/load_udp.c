/* Calls by datagrams: one socket a side. */
#include "bench/load.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

static struct {
    const struct ends *ends;
    int fds[SIDES];
} udp;

static int open_socket(const struct sockaddr_in *address)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int size = 4 << 20;
    if (fd < 0 || bind(fd, (const struct sockaddr *)address, sizeof *address) != 0)
        die("bind");
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    return fd;
}

static void open_both(const struct ends *ends)
{
    udp.ends = ends;
    for (enum side side = CALLER; side < SIDES; side++)
        udp.fds[side] = open_socket(&ends->own[side]);
}

static void transmit(enum side side, unsigned path, const char *bytes, size_t size)
{
    (void)path; /* There is one. */
    while (sendto(udp.fds[side], bytes, size, 0, (const struct sockaddr *)&udp.ends->server,
                  sizeof udp.ends->server) < 0) {
        if (errno != EAGAIN && errno != ECONNREFUSED && errno != ENOBUFS)
            die("sendto");
    }
}

static void drain(enum side side, hear_fn *hears)
{
    char bytes[MESSAGE_SIZE];
    for (unsigned i = 0; i < 64; i++) {
        ssize_t size = recv(udp.fds[side], bytes, sizeof bytes - 1, 0);
        if (size <= 0)
            return;
        bytes[size] = '\0';
        hears(side, 0, bytes);
    }
}

static void turn(hear_fn *hears)
{
    drain(CALLEE, hears);
    drain(CALLER, hears);
}

void way_udp_rest(void)
{
    struct pollfd fds[SIDES];
    for (enum side side = CALLER; side < SIDES; side++)
        fds[side] = (struct pollfd){ .fd = udp.fds[side], .events = POLLIN };
    poll(fds, SIDES, 1);
}

const struct way way_udp = {
    .name = "udp", .via = "UDP", .loses = true, .open = open_both, .send = transmit, .turn = turn
};
