/* Few lines in place of libsystemd, as with sd_notify: the protocol is two words of the environment
 * and descriptors from 3 on.  What each is for is found out from the socket itself, not from its
 * name: the configuration says where the server listens, and is not said twice. */
#include "ahoyd/main_passed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libahoy/io/socket.h"

enum { FIRST_FD = 3 };

struct ahoyd_passed_socket {
    int fd;
    int type;          /* SOCK_DGRAM, or SOCK_STREAM that listens; 0: something else. */
    bool is_dual;      /* [::] that is for IPv4 too, which no listener is. */
    struct ahoy_ip ip; /* Where it is bound. */
};

static bool get(int fd, int level, int option, int *value)
{
    socklen_t size = sizeof *value;
    return getsockopt(fd, level, option, value, &size) == 0;
}

static void look_at(struct ahoyd_passed_socket *socket)
{
    int type, listens, v6_only;
    if (!get(socket->fd, SOL_SOCKET, SO_TYPE, &type) || !ahoy_socket_local(socket->fd, &socket->ip))
        return;
    if (socket->ip.family == AHOY_NO_FAMILY)
        return;
    /* The kernel says so of an address of its own, whatever was asked for. */
    socket->is_dual = socket->ip.family == AHOY_IPV6 &&
                      get(socket->fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6_only) && v6_only == 0;
    if (type == SOCK_DGRAM ||
        (type == SOCK_STREAM && get(socket->fd, SOL_SOCKET, SO_ACCEPTCONN, &listens) &&
         listens != 0))
        socket->type = type;
}

/* The number that the environment has under |name|, 0 where it has none; false where that is none,
 * or above |most|. */
static bool read_number(const char *name, uint64_t most, uint64_t *number)
{
    const char *text = getenv(name);
    *number = 0;
    return text == NULL || ahoy_span_number(ahoy_span(text), most, number);
}

bool ahoyd_passed_take(struct ahoyd_passed *passed, const struct ahoy_log *log)
{
    uint64_t pid, count;
    *passed = (struct ahoyd_passed){ 0 };
    if (!read_number("LISTEN_PID", INT32_MAX, &pid) ||
        !read_number("LISTEN_FDS", AHOYD_PASSED_LIMIT, &count)) {
        ahoy_log_line(log, AHOY_LOG_ERROR,
                      "LISTEN_PID and LISTEN_FDS must be numbers, of sockets at most %d",
                      AHOYD_PASSED_LIMIT);
        return false;
    }
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    if (pid != (uint64_t)getpid() || count == 0)
        return true;
    passed->sockets = calloc(count, sizeof *passed->sockets);
    if (passed->sockets == NULL) {
        ahoy_log_line(log, AHOY_LOG_ERROR, "LISTEN_FDS: no memory");
        return false;
    }
    passed->count = count;
    for (size_t i = 0; i < count; i++) {
        passed->sockets[i].fd = FIRST_FD + (int)i;
        /* Where there is none, it is told as something that nobody wants. */
        (void)fcntl(passed->sockets[i].fd, F_SETFD, FD_CLOEXEC);
        look_at(&passed->sockets[i]);
    }
    return true;
}

void ahoyd_passed_close(struct ahoyd_passed *passed)
{
    for (size_t i = 0; i < passed->count; i++)
        close(passed->sockets[i].fd);
    free(passed->sockets);
    *passed = (struct ahoyd_passed){ 0 };
}

static bool is_usable(const struct ahoyd_passed_socket *socket)
{
    return socket->type != 0 && !socket->is_dual;
}

static bool is_same(const struct ahoyd_passed_socket *a, const struct ahoyd_passed_socket *b)
{
    return a->type == b->type && ahoy_ip_equal(&a->ip, &b->ip);
}

static bool fits(const struct ahoyd_passed_socket *socket, const struct ahoy_listener *listener)
{
    const int type = listener->transport == AHOY_UDP ? SOCK_DGRAM : SOCK_STREAM;
    return listener->transport != AHOY_TRANSPORT_OTHER && is_usable(socket) &&
           socket->type == type && ahoy_ip_equal(&socket->ip, &listener->local);
}

/* "udp:127.0.0.1:5060", as listen has it; by TCP is TLS and WebSocket too. */
static void put_name(const struct ahoyd_passed_socket *socket, struct ahoy_buf *buf)
{
    ahoy_buf_put(buf, socket->type == SOCK_DGRAM ? SPAN("udp:") : SPAN("tcp:"));
    ahoy_ip_print(&socket->ip, buf);
}

bool ahoyd_passed_suits(const struct ahoyd_passed *passed, unsigned workers,
                        const struct ahoy_log *log)
{
    for (size_t i = 0; i < passed->count; i++) {
        size_t count = 0;
        for (size_t j = 0; j <= i && is_usable(&passed->sockets[i]); j++)
            count += is_same(&passed->sockets[i], &passed->sockets[j]);
        if (count <= workers)
            continue;
        char name[AHOYD_LISTEN_SIZE];
        struct ahoy_buf buf = ahoy_buf_over(name, sizeof name);
        put_name(&passed->sockets[i], &buf);
        ahoy_log_line(
            log, AHOY_LOG_ERROR,
            "%.*s is passed more often than there are workers, which are %u; take it from "
            "the socket unit, or raise workers",
            (int)ahoy_buf_text(&buf).size, name, workers);
        return false;
    }
    return true;
}

/* The socket of |listener| for |worker|. */
static int pick(const struct ahoyd_passed *passed, const struct ahoy_listener *listener,
                unsigned worker)
{
    unsigned count = 0, seen = 0;
    for (size_t i = 0; i < passed->count; i++)
        count += fits(&passed->sockets[i], listener);
    for (size_t i = 0; i < passed->count; i++) {
        if (fits(&passed->sockets[i], listener) && seen++ == worker % count)
            return passed->sockets[i].fd;
    }
    return -1;
}

void ahoyd_passed_pick(const struct ahoyd_passed *passed, const struct ahoyd_listeners *listeners,
                       unsigned worker, int fds[AHOY_LISTENERS_LIMIT])
{
    for (size_t i = 0; i < AHOY_LISTENERS_LIMIT; i++)
        fds[i] = i < listeners->count ? pick(passed, &listeners->at[i], worker) : -1;
}

static void tell(const struct ahoyd_passed_socket *socket, const struct ahoy_log *log)
{
    char name[AHOYD_LISTEN_SIZE];
    struct ahoy_buf buf = ahoy_buf_over(name, sizeof name);
    put_name(socket, &buf);
    const int size = (int)ahoy_buf_text(&buf).size;
    if (socket->type == 0)
        ahoy_log_line(log, AHOY_LOG_WARNING,
                      "descriptor %d was passed, but is no UDP socket, nor one that listens by TCP",
                      socket->fd);
    else if (socket->is_dual)
        ahoy_log_line(log, AHOY_LOG_WARNING,
                      "%.*s was passed for IPv4 and IPv6 together, which no listen is; write "
                      "BindIPv6Only=ipv6-only in the socket unit",
                      size, name);
    else
        ahoy_log_line(log, AHOY_LOG_WARNING,
                      "%.*s was passed, but no listen names it: nobody reads there", size, name);
}

void ahoyd_passed_tell(const struct ahoyd_passed *passed, const struct ahoyd_listeners *listeners,
                       const struct ahoy_log *log)
{
    for (size_t i = 0; i < passed->count; i++) {
        bool is_wanted = false;
        for (size_t j = 0; j < listeners->count && !is_wanted; j++)
            is_wanted = !listeners->at[j].leaving && fits(&passed->sockets[i], &listeners->at[j]);
        if (!is_wanted)
            tell(&passed->sockets[i], log);
    }
}
