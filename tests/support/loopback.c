#include "tests/support/loopback.h"

#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "libahoy/io/socket.h"

struct ahoy_ip loopback_ip(enum ahoy_family family, uint16_t port)
{
    struct ahoy_ip ip = { .port = port };
    bool parsed = ahoy_ip_parse(family == AHOY_IPV4 ? SPAN("127.0.0.1") : SPAN("::1"), &ip);
    assert_true(parsed);
    ip.port = port;
    return ip;
}

static enum ahoy_transport transport_of(const char *listener)
{
    if (listener[0] == 'u')
        return AHOY_UDP;
    return listener[1] == 'l' ? AHOY_TLS : AHOY_TCP;
}

void loopback_open(struct loopback *loopback, const char *const *listeners, size_t count)
{
    loopback_open_tls(loopback, listeners, count, NULL);
}

void loopback_open_tls(struct loopback *loopback, const char *const *listeners, size_t count,
                       struct ahoy_tls_context *tls)
{
    memset(loopback, 0, sizeof *loopback);
    assert_true(count <= sizeof loopback->listeners / sizeof loopback->listeners[0]);
    for (size_t i = 0; i < count; i++) {
        bool six = strchr(listeners[i], '6') != NULL;
        loopback->listeners[i].transport = transport_of(listeners[i]);
        loopback->listeners[i].local = loopback_ip(six ? AHOY_IPV6 : AHOY_IPV4, 0);
    }
    struct ahoy_driver_options options = { .listeners = loopback->listeners,
                                           .listener_count = count,
                                           .tls = tls };
    size_t failed;
    loopback->driver = ahoy_driver_open(&options, &failed);
    assert_non_null(loopback->driver);
    for (size_t i = 0; i < count; i++) {
        loopback->listeners[i].local = ahoy_driver_local(loopback->driver, i);
        assert_int_not_equal(loopback->listeners[i].local.port, 0);
    }
}

void loopback_close(struct loopback *loopback)
{
    ahoy_driver_close(loopback->driver);
    loopback_clear(loopback);
}

void loopback_clear(struct loopback *loopback)
{
    free(loopback->bytes);
    loopback->bytes = NULL;
    loopback->size = 0;
    loopback->capacity = 0;
    loopback->event_count = 0;
    loopback->datagrams = 0;
}

static void gather(struct loopback *loopback, const struct ahoy_wire_event *event)
{
    loopback->last_hop = event->hop;
    if (event->kind == AHOY_WIRE_DATAGRAM)
        loopback->datagrams++;
    size_t size = loopback->size + event->bytes.size;
    if (size >= loopback->capacity) { /* Doubled: else megabytes are copied for each datagram. */
        loopback->capacity = 2 * size + 1;
        loopback->bytes = realloc(loopback->bytes, loopback->capacity);
        assert_non_null(loopback->bytes);
    }
    memcpy(loopback->bytes + loopback->size, event->bytes.at, event->bytes.size);
    loopback->size = size;
    loopback->bytes[size] = '\0';
}

static void note_peer(struct loopback *loopback, const struct ahoy_peer *peer)
{
    struct ahoy_buf buf = ahoy_buf_over(loopback->proved, sizeof loopback->proved - 1);
    for (size_t i = 0; peer != NULL && i < peer->count; i++) {
        ahoy_buf_put(&buf, peer->names[i]);
        ahoy_buf_put_byte(&buf, ',');
    }
    loopback->proved[buf.size] = '\0';
}

static void note(struct loopback *loopback, struct ahoy_wire_event *event)
{
    if (event->kind == AHOY_WIRE_ACCEPTED && !loopback->refuse)
        event->hop.connection = (struct ahoy_handle){ loopback->slots++, 1 };
    if (event->kind == AHOY_WIRE_DATAGRAM || event->kind == AHOY_WIRE_BYTES) {
        gather(loopback, event);
    } else if (loopback->event_count < LOOPBACK_EVENTS) {
        loopback->events[loopback->event_count] = *event;
        loopback->events[loopback->event_count].peer = NULL; /* It lives no longer. */
        loopback->events[loopback->event_count++].bytes = SPAN("");
        note_peer(loopback, event->peer);
    }
    if (loopback->step != NULL)
        loopback->step(loopback, event);
}

void loopback_turn(struct loopback *loopback, unsigned wait_ms)
{
    struct ahoy_wire_event event;
    ahoy_driver_wait(loopback->driver, ahoy_driver_now() + wait_ms);
    while (ahoy_driver_next(loopback->driver, &event))
        note(loopback, &event);
    ahoy_driver_flush(loopback->driver);
}

const struct ahoy_wire_event *loopback_event(struct loopback *loopback, size_t count)
{
    uint64_t end = ahoy_driver_now() + LOOPBACK_PATIENCE_MS;
    while (loopback->event_count < count && ahoy_driver_now() < end)
        loopback_turn(loopback, 100);
    assert_true(loopback->event_count >= count);
    return &loopback->events[count - 1];
}

void loopback_bytes(struct loopback *loopback, size_t size)
{
    uint64_t end = ahoy_driver_now() + LOOPBACK_PATIENCE_MS;
    while (loopback->size < size && ahoy_driver_now() < end)
        loopback_turn(loopback, 100);
    assert_int_equal(loopback->size, size);
}

static void carry(struct loopback *loopback, enum ahoy_wire_effect_kind kind,
                  const struct ahoy_hop *hop, struct span bytes)
{
    struct ahoy_wire_effect effect = { .kind = kind, .hop = *hop, .bytes = bytes };
    ahoy_driver_carry(loopback->driver, &effect);
}

void loopback_send(struct loopback *loopback, const struct ahoy_hop *hop, struct span bytes)
{
    carry(loopback, AHOY_WIRE_SEND, hop, bytes);
}

void loopback_connect(struct loopback *loopback, const struct ahoy_hop *hop)
{
    carry(loopback, AHOY_WIRE_CONNECT, hop, SPAN(""));
}

void loopback_connect_tls(struct loopback *loopback, const struct ahoy_hop *hop, const char *domain)
{
    carry(loopback, AHOY_WIRE_CONNECT, hop, ahoy_span(domain));
}

void loopback_hang_up(struct loopback *loopback, const struct ahoy_hop *hop)
{
    carry(loopback, AHOY_WIRE_CLOSE, hop, SPAN(""));
}

int loopback_socket(enum ahoy_family family, int type, uint16_t *port)
{
    struct ahoy_ip ip = loopback_ip(family, 0);
    union ahoy_socket_name name;
    socklen_t size = ahoy_socket_name(&ip, &name);
    int fd = socket(name.any.sa_family, type | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, &name.any, size), 0);
    assert_true(ahoy_socket_local(fd, &ip));
    *port = ip.port;
    return fd;
}

void loopback_pair(int fds[2])
{
    const struct ahoy_ip any = loopback_ip(AHOY_IPV4, 0);
    struct ahoy_ip local;
    union ahoy_socket_name name;
    fds[0] = ahoy_socket_datagram(&any, false);
    fds[1] = ahoy_socket_datagram(&any, false);
    assert_true(fds[0] >= 0 && fds[1] >= 0 && ahoy_socket_local(fds[0], &local));
    assert_int_equal(connect(fds[1], &name.any, ahoy_socket_name(&local, &name)), 0);
}

int loopback_call(const struct ahoy_ip *ip)
{
    union ahoy_socket_name name;
    socklen_t size = ahoy_socket_name(ip, &name);
    int fd = socket(name.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, &name.any, size), 0);
    return fd;
}

size_t loopback_read(int fd, char *bytes, size_t size)
{
    size_t got = 0;
    while (got < size) {
        struct pollfd ready = { .fd = fd, .events = POLLIN };
        assert_int_equal(poll(&ready, 1, LOOPBACK_PATIENCE_MS), 1);
        ssize_t count = recv(fd, bytes + got, size - got, 0);
        if (count <= 0)
            break;
        got += (size_t)count;
    }
    return got;
}
