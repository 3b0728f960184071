/* A driver on loopback, and in place of the stack an owner that only notes what happens. */
#pragma once

#include "libahoy/io/driver.h"

enum {
    LOOPBACK_PATIENCE_MS = 20000, /* For what must happen: long past any machine's bad day. */
    LOOPBACK_EVENTS = 64          /* Noted apart from DATAGRAM and BYTES, which are gathered. */
};

struct loopback {
    struct ahoy_driver *driver;
    struct ahoy_listener listeners[4];
    struct ahoy_wire_event events[LOOPBACK_EVENTS]; /* Without their bytes. */
    size_t event_count;
    char proved[256]; /* The names of the last peer that was told, a comma behind each. */
    unsigned datagrams;
    struct ahoy_hop last_hop; /* Of the last DATAGRAM or BYTES. */
    char *bytes;              /* All of them, one behind another. */
    size_t size, capacity;
    uint32_t slots; /* Handed out to accepted connections. */
    bool refuse;    /* What comes. */
    /* Called for each event, with its bytes; may carry effects.  May be NULL. */
    void (*step)(struct loopback *loopback, const struct ahoy_wire_event *event);
    void *context;
};

/* "udp", "tcp", "tls", "udp6", "tcp6", "tls6" in order, ports chosen by the kernel.  Fails the test
 * where that cannot be. */
void loopback_open(struct loopback *loopback, const char *const *listeners, size_t count);
/* The same with TLS. */
void loopback_open_tls(struct loopback *loopback, const char *const *listeners, size_t count,
                       struct ahoy_tls_context *tls);
void loopback_close(struct loopback *loopback);
/* Forgets what was noted. */
void loopback_clear(struct loopback *loopback);

/* One turn that waits |wait_ms| at most. */
void loopback_turn(struct loopback *loopback, unsigned wait_ms);
/* Turns until |count| events other than DATAGRAM and BYTES are noted; the last of them. */
const struct ahoy_wire_event *loopback_event(struct loopback *loopback, size_t count);
/* Turns until |size| bytes have come. */
void loopback_bytes(struct loopback *loopback, size_t size);

void loopback_send(struct loopback *loopback, const struct ahoy_hop *hop, struct span bytes);
void loopback_connect(struct loopback *loopback, const struct ahoy_hop *hop);
/* By TLS, to |domain|. */
void loopback_connect_tls(struct loopback *loopback, const struct ahoy_hop *hop,
                          const char *domain);
void loopback_hang_up(struct loopback *loopback, const struct ahoy_hop *hop);

/* An address on loopback, IPv6 where |family| says so. */
struct ahoy_ip loopback_ip(enum ahoy_family family, uint16_t port);
/* A plain socket of the test's own, blocking, bound to loopback; its port in |port|. */
int loopback_socket(enum ahoy_family family, int type, uint16_t *port);
/* Two UDP sockets as a driver has them: what is sent by the second comes to the first. */
void loopback_pair(int fds[2]);
/* A plain TCP connection to |ip|. */
int loopback_call(const struct ahoy_ip *ip);
/* Reads until |size| bytes or the end have come; how many. */
size_t loopback_read(int fd, char *bytes, size_t size);
