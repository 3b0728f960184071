/* Calls by TCP and by TLS: a few connections of callers, as of gateways, and those that the server
 * opens to the callee.  Each is written to once a turn, as a busy peer would. */
#include "bench/load.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { CALLER_PATHS = 4, PATHS_LIMIT = 64, ROOM = 1 << 20 };

struct path {
    enum side side;
    int fd;
    SSL *ssl; /* NULL by TCP. */
    size_t in_size, out_size;
    char in[ROOM + 1], out[ROOM];
};

static struct {
    int listener;
    SSL_CTX *tls[SIDES]; /* NULL by TCP. */
    unsigned count;
    struct path *paths[PATHS_LIMIT];
} stream;

/* Hands are shaken before the socket stops to wait. */
static void add_path(enum side side, int fd)
{
    int one = 1;
    struct path *path = stream.count == PATHS_LIMIT ? NULL : calloc(1, sizeof *path);
    if (path == NULL)
        die("too many connections");
    path->side = side;
    path->fd = fd;
    if (stream.tls[side] != NULL) {
        path->ssl = SSL_new(stream.tls[side]);
        if (path->ssl == NULL || SSL_set_fd(path->ssl, fd) != 1 ||
            (side == CALLER ? SSL_connect(path->ssl) : SSL_accept(path->ssl)) != 1)
            die("TLS");
    }
    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) != 0 ||
        fcntl(fd, F_SETFL, O_NONBLOCK) != 0)
        die("connection");
    stream.paths[stream.count++] = path;
}

static void open_tcp(const struct ends *ends)
{
    int one = 1;
    stream.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (setsockopt(stream.listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
        bind(stream.listener, (const struct sockaddr *)&ends->own[CALLEE],
             sizeof ends->own[CALLEE]) != 0 ||
        listen(stream.listener, PATHS_LIMIT) != 0 ||
        fcntl(stream.listener, F_SETFL, O_NONBLOCK) != 0)
        die("listen");
    for (unsigned i = 0; i < CALLER_PATHS; i++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (connect(fd, (const struct sockaddr *)&ends->server, sizeof ends->server) != 0)
            die("connect");
        add_path(CALLER, fd);
    }
}

static void open_tls(const struct ends *ends)
{
    stream.tls[CALLER] = SSL_CTX_new(TLS_client_method());
    stream.tls[CALLEE] = SSL_CTX_new(TLS_server_method());
    for (enum side side = CALLER; side < SIDES; side++) {
        if (stream.tls[side] == NULL)
            die("TLS");
        SSL_CTX_set_mode(stream.tls[side],
                         SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    }
    if (SSL_CTX_use_certificate_file(stream.tls[CALLEE], ends->certificate, SSL_FILETYPE_PEM) !=
            1 ||
        SSL_CTX_use_PrivateKey_file(stream.tls[CALLEE], ends->key, SSL_FILETYPE_PEM) != 1)
        die("certificate");
    open_tcp(ends);
}

static void transmit(enum side side, unsigned number, const char *bytes, size_t size)
{
    struct path *path = stream.paths[side == CALLER ? number % CALLER_PATHS : number];
    if (path->out_size + size > ROOM)
        die("the server reads too slowly");
    memcpy(path->out + path->out_size, bytes, size);
    path->out_size += size;
}

static void flush(struct path *path)
{
    while (path->out_size > 0) {
        ssize_t sent = path->ssl != NULL ? SSL_write(path->ssl, path->out, (int)path->out_size)
                                         : send(path->fd, path->out, path->out_size, MSG_NOSIGNAL);
        if (sent <= 0 && errno != EAGAIN)
            die("send");
        if (sent <= 0)
            return;
        path->out_size -= (size_t)sent;
        memmove(path->out, path->out + sent, path->out_size);
    }
}

/* The size of the message at |bytes|; 0 where it is not whole yet. */
static size_t cut(const char *bytes, size_t size)
{
    static const char length[] = "\r\nContent-Length:";
    const char *end = strstr(bytes, "\r\n\r\n");
    const char *row = strstr(bytes, length);
    if (end == NULL || row == NULL || row > end)
        return 0;
    size_t whole = (size_t)(end - bytes) + 4 + strtoul(row + sizeof length - 1, NULL, 10);
    return whole > size ? 0 : whole;
}

static void hear_all(unsigned number, hear_fn *hears)
{
    struct path *path = stream.paths[number];
    char *at = path->in;
    size_t size, left = path->in_size;
    path->in[path->in_size] = '\0';
    while ((size = cut(at, left)) > 0) {
        char next = at[size];
        at[size] = '\0';
        hears(path->side, number, at);
        at[size] = next;
        at += size;
        left -= size;
    }
    memmove(path->in, at, left);
    path->in_size = left;
}

static void drain(unsigned number, hear_fn *hears)
{
    struct path *path = stream.paths[number];
    size_t room = ROOM - path->in_size;
    errno = 0;
    ssize_t size = path->ssl != NULL ? SSL_read(path->ssl, path->in + path->in_size, (int)room)
                                     : recv(path->fd, path->in + path->in_size, room, 0);
    if (size <= 0) {
        if (errno != EAGAIN && errno != 0)
            die("recv");
        return;
    }
    path->in_size += (size_t)size;
    hear_all(number, hears);
}

static void turn(hear_fn *hears)
{
    for (unsigned i = 0; i < stream.count; i++)
        flush(stream.paths[i]);
    int fd = accept(stream.listener, NULL, NULL);
    if (fd >= 0)
        add_path(CALLEE, fd);
    for (unsigned i = 0; i < stream.count; i++)
        drain(i, hears);
}

const struct way way_tcp = {
    .name = "tcp", .via = "TCP", .open = open_tcp, .send = transmit, .turn = turn
};
const struct way way_tls = {
    .name = "tls", .via = "TLS", .open = open_tls, .send = transmit, .turn = turn
};
