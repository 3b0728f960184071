/* What only the host knows: the time, chance, and its own address. */
#include "libahoy/io/driver.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "libahoy/io/socket.h"

static uint64_t start_us; /* Unix time less the monotonic clock, when the process asked first. */
static pthread_once_t started = PTHREAD_ONCE_INIT;

static uint64_t clock_us(clockid_t clock)
{
    struct timespec time = { 0 };
    int rc = clock_gettime(clock, &time);
    assert(rc == 0);
    (void)rc; /* For builds without assert. */
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

static void start(void)
{
    start_us = clock_us(CLOCK_REALTIME) - clock_us(CLOCK_MONOTONIC);
}

uint64_t ahoy_driver_now_us(void)
{
    pthread_once(&started, start);
    return start_us + clock_us(CLOCK_MONOTONIC);
}

uint64_t ahoy_driver_now(void)
{
    return ahoy_driver_now_us() / 1000;
}

bool ahoy_driver_random(void *bytes, size_t size)
{
    unsigned char *at = bytes;
    while (size > 0) {
        ssize_t got = getrandom(at, size, 0);
        if (got < 0 && errno != EINTR)
            return false;
        if (got > 0) {
            at += got;
            size -= (size_t)got;
        }
    }
    return true;
}

/* Connecting a datagram socket sends nothing; it only makes the kernel choose a route, and with it
 * a source address.  The targets are kept for documentation (RFC 5737, RFC 3849): nobody has them,
 * so only the default route leads there. */
bool ahoy_driver_own_address(enum ahoy_family family, struct ahoy_ip *ip)
{
    struct ahoy_ip target = { .family = (uint8_t)family, .port = 9 };
    static const uint8_t v4[] = { 192, 0, 2, 1 };
    static const uint8_t v6[] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 };
    memcpy(target.bytes, family == AHOY_IPV4 ? v4 : v6,
           family == AHOY_IPV4 ? sizeof v4 : sizeof v6);
    union ahoy_socket_name name;
    socklen_t size = ahoy_socket_name(&target, &name);
    int fd = socket(name.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    bool found = connect(fd, &name.any, size) == 0 && ahoy_socket_local(fd, ip);
    close(fd);
    if (!found || ahoy_ip_is_loopback(ip))
        return false;
    ip->port = 0;
    return true;
}
