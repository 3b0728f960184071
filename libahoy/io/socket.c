/* Opening sockets, and addresses in the kernel's form (RFC 3261 18, RFC 3493). */
#include "libahoy/io/socket.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "libahoy/io/arrival.h"

enum {
    /* The usual ones hold some hundred datagrams only.  What a busy server has no room for it
     * cannot choose from; the kernel takes as much again for what it writes beside. */
    RECEIVE_SIZE = 16 * 1024 * 1024,
    SEND_SIZE = 4 * 1024 * 1024,
    BACKLOG = 1024,
    /* A peer that is gone without a word is noticed: in what was sent after 64 * T1, in silence
     * after about four minutes. */
    UNACKNOWLEDGED_MS = 32000,
    IDLE_S = 120,
    PROBE_S = 30,
    PROBES = 4
};

socklen_t ahoy_socket_name(const struct ahoy_ip *ip, union ahoy_socket_name *name)
{
    memset(name, 0, sizeof *name);
    if (ip->family == AHOY_IPV4) {
        name->v4.sin_family = AF_INET;
        name->v4.sin_port = htons(ip->port);
        memcpy(&name->v4.sin_addr, ip->bytes, sizeof name->v4.sin_addr);
        return sizeof name->v4;
    }
    assert(ip->family == AHOY_IPV6);
    name->v6.sin6_family = AF_INET6;
    name->v6.sin6_port = htons(ip->port);
    name->v6.sin6_scope_id = ip->scope;
    memcpy(&name->v6.sin6_addr, ip->bytes, sizeof name->v6.sin6_addr);
    return sizeof name->v6;
}

void ahoy_socket_read_ip(const union ahoy_socket_name *name, struct ahoy_ip *ip)
{
    *ip = (struct ahoy_ip){ 0 };
    if (name->any.sa_family == AF_INET) {
        ip->family = AHOY_IPV4;
        ip->port = ntohs(name->v4.sin_port);
        memcpy(ip->bytes, &name->v4.sin_addr, sizeof name->v4.sin_addr);
    } else if (name->any.sa_family == AF_INET6) {
        ip->family = AHOY_IPV6;
        ip->port = ntohs(name->v6.sin6_port);
        ip->scope = name->v6.sin6_scope_id;
        memcpy(ip->bytes, &name->v6.sin6_addr, sizeof name->v6.sin6_addr);
    }
}

struct ahoy_ip ahoy_socket_ip(const union ahoy_socket_name *name)
{
    struct ahoy_ip ip;
    ahoy_socket_read_ip(name, &ip);
    return ip;
}

static bool set(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

/* Closes |fd| and keeps errno. */
static int give_up(int fd)
{
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

static int open_socket(const struct ahoy_ip *ip, int type)
{
    int fd = socket(ip->family == AHOY_IPV4 ? AF_INET : AF_INET6,
                    type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && ip->family == AHOY_IPV6 && !set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1))
        return give_up(fd);
    return fd;
}

static bool bind_to(int fd, const struct ahoy_ip *local, bool share_port)
{
    if (share_port && !set(fd, SOL_SOCKET, SO_REUSEPORT, 1))
        return false;
    union ahoy_socket_name name;
    socklen_t size = ahoy_socket_name(local, &name);
    return bind(fd, &name.any, size) == 0;
}

/* As much as the host allows: past its limit only root may go. */
static void grow_buffer(int fd, int forced, int asked, int size)
{
    if (!set(fd, SOL_SOCKET, forced, size))
        (void)set(fd, SOL_SOCKET, asked, size); /* A smaller buffer works too. */
}

static bool tune_datagrams(int fd, const struct ahoy_ip *local)
{
    grow_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, RECEIVE_SIZE);
    grow_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, SEND_SIZE);
    /* Without it the kernel tells nobody that a peer's port is closed (RFC 3261 18.4). */
    bool v4 = local->family == AHOY_IPV4;
    return set(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_RECVERR : IPV6_RECVERR, 1);
}

int ahoy_socket_datagram(const struct ahoy_ip *local, bool share_port)
{
    int fd = open_socket(local, SOCK_DGRAM);
    if (fd < 0)
        return -1;
    if (!tune_datagrams(fd, local) || !bind_to(fd, local, share_port))
        return give_up(fd);
    return fd;
}

int ahoy_socket_media(const struct ahoy_ip *local)
{
    int fd = open_socket(local, SOCK_DGRAM);
    return fd < 0 || bind_to(fd, local, false) ? fd : give_up(fd);
}

int ahoy_socket_listen(const struct ahoy_ip *local, bool share_port)
{
    int fd = open_socket(local, SOCK_STREAM);
    if (fd < 0)
        return -1;
    if (!set(fd, SOL_SOCKET, SO_REUSEADDR, 1) || !bind_to(fd, local, share_port) ||
        listen(fd, BACKLOG) != 0)
        return give_up(fd);
    return fd;
}

int ahoy_socket_take(int fd, const struct ahoy_ip *local)
{
    int type;
    socklen_t size = sizeof type;
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (copy < 0)
        return -1;
    int flags = fcntl(copy, F_GETFL);
    if (flags < 0 || fcntl(copy, F_SETFL, flags | O_NONBLOCK) != 0 ||
        getsockopt(copy, SOL_SOCKET, SO_TYPE, &type, &size) != 0 ||
        (type == SOCK_DGRAM && !tune_datagrams(copy, local)))
        return give_up(copy);
    return copy;
}

int ahoy_socket_hold(const struct ahoy_ip *local)
{
    int fd = open_socket(local, SOCK_STREAM);
    if (fd < 0)
        return -1;
    if (!set(fd, SOL_SOCKET, SO_REUSEADDR, 1) || !bind_to(fd, local, false))
        return give_up(fd);
    return fd;
}

/* None of these is needed for SIP to work, so none of them is asked twice. */
static void tune_stream(int fd)
{
    (void)set(fd, IPPROTO_TCP, TCP_NODELAY, 1); /* A turn is one write: nothing to wait for. */
    (void)set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS);
    ahoy_arrival_note_times(fd);
    (void)set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    (void)set(fd, IPPROTO_TCP, TCP_KEEPIDLE, IDLE_S);
    (void)set(fd, IPPROTO_TCP, TCP_KEEPINTVL, PROBE_S);
    (void)set(fd, IPPROTO_TCP, TCP_KEEPCNT, PROBES);
}

int ahoy_socket_connect(const struct ahoy_ip *local, const struct ahoy_ip *remote)
{
    int fd = open_socket(remote, SOCK_STREAM);
    if (fd < 0)
        return -1;
    tune_stream(fd);
    if (local != NULL && local->family == remote->family && !ahoy_ip_is_wildcard(local)) {
        if (local->port != 0)
            (void)set(fd, SOL_SOCKET, SO_REUSEADDR, 1); /* Beside the socket that holds it. */
        else /* The port may be shared with other destinations: chosen by connect, not by bind. */
            (void)set(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
        if (!bind_to(fd, local, false))
            return give_up(fd);
    }
    union ahoy_socket_name name;
    socklen_t size = ahoy_socket_name(remote, &name);
    if (connect(fd, &name.any, size) != 0 && errno != EINPROGRESS && errno != EINTR)
        return give_up(fd);
    return fd;
}

int ahoy_socket_accept(int listener, struct ahoy_ip *remote)
{
    union ahoy_socket_name name = { 0 };
    socklen_t size = sizeof name;
    int fd = accept4(listener, &name.any, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return -1;
    tune_stream(fd);
    *remote = ahoy_socket_ip(&name);
    return fd;
}

bool ahoy_socket_local(int fd, struct ahoy_ip *ip)
{
    union ahoy_socket_name name = { 0 };
    socklen_t size = sizeof name;
    if (getsockname(fd, &name.any, &size) != 0)
        return false;
    *ip = ahoy_socket_ip(&name);
    return true;
}
