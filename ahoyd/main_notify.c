/* One datagram: libsystemd would be a library more for each who installs the server, and
 * sd_notify(3) says that its protocol is meant to be spoken without it. */
#include "ahoyd/main_notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* A path, or "@" and an abstract name.  Returns the size of |address|; 0 with errno set. */
static socklen_t read_name(const char *name, struct sockaddr_un *address)
{
    const size_t size = strlen(name);
    if (name[0] != '/' && name[0] != '@') {
        errno = EAFNOSUPPORT;
        return 0;
    }
    if (size >= sizeof address->sun_path) {
        errno = ENAMETOOLONG;
        return 0;
    }
    *address = (struct sockaddr_un){ .sun_family = AF_UNIX };
    memcpy(address->sun_path, name, size);
    if (name[0] == '@')
        address->sun_path[0] = '\0';
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
}

static bool send_state(const char *name, const char *state)
{
    struct sockaddr_un address;
    const socklen_t size = read_name(name, &address);
    if (size == 0)
        return false;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    ssize_t sent =
        sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&address, size);
    int why = errno;
    close(fd);
    errno = why;
    return sent >= 0;
}

void ahoyd_notify(const char *state, const struct ahoy_log *log)
{
    const char *name = getenv("NOTIFY_SOCKET");
    if (name != NULL && !send_state(name, state))
        ahoy_log_line(log, AHOY_LOG_WARNING, "NOTIFY_SOCKET: %s cannot be told %s: %s", name, state,
                      strerror(errno));
}

void ahoyd_notify_reloading(const struct ahoy_log *log)
{
    struct timespec now;
    char state[64];
    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0)
        return;
    snprintf(state, sizeof state, "RELOADING=1\nMONOTONIC_USEC=%llu",
             (unsigned long long)now.tv_sec * 1000000 + (unsigned long long)now.tv_nsec / 1000);
    ahoyd_notify(state, log);
}

uint64_t ahoyd_notify_watchdog_ms(void)
{
    const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
    uint64_t number;
    if (pid != NULL &&
        (!ahoy_span_number(ahoy_span(pid), INT32_MAX, &number) || number != (uint64_t)getpid()))
        return 0;
    if (usec == NULL || !ahoy_span_number(ahoy_span(usec), INT64_MAX, &number) || number == 0)
        return 0;
    return number < 2000 ? 1 : number / 2000;
}
