/* The wire on the kernel: UDP, TCP and TLS sockets behind one epoll, datagrams in batches in and
 * out, one write a connection a turn.  Implements stack/wire.h; one a thread.
 *
 * A turn:
 *     ahoy_driver_wait(driver, deadline_ms);
 *     while (ahoy_driver_next(driver, &event)) {
 *         step the stack with it; poll; ahoy_driver_carry(driver, &effect) each;
 *     }
 *     ahoy_driver_flush(driver); */
#pragma once

#include "libahoy/io/dns.h"
#include "libahoy/stack/wire.h"

struct ahoy_driver;
struct ahoy_tls_context;

enum {
    AHOY_CONNECT_MS = 10000,               /* Until a connection stands, or is given up. */
    AHOY_RECORD_MS = 10000,                /* For the rest of a record of TLS that has begun. */
    AHOY_LINGER_MS = 5000,                 /* For what was sent to leave, once it is closed. */
    AHOY_LINGERING_LIMIT = 256,            /* Closed connections that wait so, a driver. */
    AHOY_OUTPUT_LIMIT = 1024 * 1024,       /* Bytes that wait for a slow peer: then it is closed. */
    AHOY_OUTPUTS_LIMIT = 64 * 1024 * 1024, /* The same of all peers of a driver together. */
    AHOY_CONNECTIONS_LIMIT = 1 << 20,      /* Slots that hop.connection may name. */
    AHOY_ACCEPT_PAUSE_MS = 100,            /* Without accepting, once descriptors have run out. */
    AHOY_WATCHES_LIMIT = 128
};

/* Each counter written once. */
/* clang-format off */
#define AHOY_DRIVER_COUNTERS(COUNTER)                                                              \
    COUNTER(datagrams_in) COUNTER(datagrams_out) COUNTER(datagrams_unsent)                         \
    COUNTER(datagrams_lost) COUNTER(datagrams_sieved) COUNTER(sieves_refused)                      \
    COUNTER(unreachable) COUNTER(trains_out)                                                       \
    COUNTER(accepted) COUNTER(accepts_paused) COUNTER(opened) COUNTER(not_opened)                  \
    COUNTER(secured) COUNTER(resumed) COUNTER(not_secured) COUNTER(records_timed_out)              \
    COUNTER(outputs_overrun) COUNTER(waits) COUNTER(rests)                                        \
    COUNTER(dns_asked) COUNTER(dns_answered)
/* clang-format on */

struct ahoy_driver_counters {
#define AHOY_COUNTER_FIELD(name) uint64_t name;
    AHOY_DRIVER_COUNTERS(AHOY_COUNTER_FIELD)
#undef AHOY_COUNTER_FIELD
};

struct ahoy_driver_options {
    const struct ahoy_listener
        *listeners;        /* Read by open only.  One without a transport is none. */
    size_t listener_count; /* At most AHOY_LISTENERS_LIMIT. */
    uint16_t worker;
    unsigned padding;  /* Bytes that a datagram may grow by to leave in a train: trains.h. */
    bool is_exact;     /* How long a datagram has waited is told of each; else of the last that was
                        * read with it, for less. */
    bool share_port;   /* SO_REUSEPORT: several workers listen on the same addresses. */
    bool first;        /* With share_port: nobody may listen there yet, whether sharing or not. */
    const int *passed; /* By listener: a socket that others have opened, bound and listening, of
                        * which the driver takes a copy; -1: it opens its own.  NULL: all. */
    struct ahoy_tls_context *tls;       /* Outlives the driver; NULL: no TLS. */
    const struct ahoy_dns_options *dns; /* Read by open only; NULL: every lookup fails. */
};

/* Opens all listeners: UDP, TCP and TLS; port 0 lets the kernel choose; and what asks the DNS.  A
 * listener of TLS that has no certificate takes no connections, but ours leave from its very port:
 * so peers find them again.
 * NULL where one cannot be opened: |failed| is its index and errno says why; listener_count where
 * something else failed. */
struct ahoy_driver *ahoy_driver_open(const struct ahoy_driver_options *options, size_t *failed);
void ahoy_driver_close(struct ahoy_driver *driver);
/* Between two turns: opens |listener| as number |index|, which is not open, under the options of
 * open.  False and errno where that fails.  By UDP it is sieved as the others are, and no more as
 * whoever passed it may have left it (decision 186). */
bool ahoy_driver_listen(struct ahoy_driver *driver, size_t index,
                        const struct ahoy_listener *listener,
                        const struct ahoy_driver_options *options);
/* Between two turns: closes listener |index|, if it is open.  Connections that came by it stand. */
void ahoy_driver_unlisten(struct ahoy_driver *driver, size_t index);
bool ahoy_driver_listens(const struct ahoy_driver *driver, size_t index);
/* Where listener |index| is bound, the port that the kernel chose included. */
struct ahoy_ip ahoy_driver_local(const struct ahoy_driver *driver, size_t index);
const struct ahoy_driver_counters *ahoy_driver_counters(const struct ahoy_driver *driver);

/* Milliseconds: the Unix time when the process asked first, plus what a monotonic clock has
 * counted since.  So it suits expiry times that outlive a restart, and never jumps. */
uint64_t ahoy_driver_now(void);
/* The same in microseconds. */
uint64_t ahoy_driver_now_us(void);
/* Fills |bytes| from the kernel's random device. False where that fails. */
bool ahoy_driver_random(void *bytes, size_t size);

/* Waits until something can be read, until |deadline_ms| (UINT64_MAX: for good), or until
 * woken.  Amid a rush it rests first, for a tenth of a millisecond (gather.h). */
void ahoy_driver_wait(struct ahoy_driver *driver, uint64_t deadline_ms);
/* From any thread or a signal handler: ends the wait that is under way, or the next one. */
void ahoy_driver_wake(struct ahoy_driver *driver);

/* The next event, to be stepped before asking again; false ends the turn, though more may wait:
 * a turn is bounded, so that nobody starves another.  After an ACCEPTED the driver reads the
 * hop.connection that the stack put into |event|, no later than in the next call of next, carry
 * or flush; |event| must stay where it is until then. */
bool ahoy_driver_next(struct ahoy_driver *driver, struct ahoy_wire_event *event);
/* Carries out SEND, CONNECT, CLOSE or LOOKUP; copies the bytes.  A connection that no longer is, is
 * passed over in silence: its CLOSED is on the way or has been told.  HANDOFF is the owner's
 * business. */
void ahoy_driver_carry(struct ahoy_driver *driver, const struct ahoy_wire_effect *effect);
/* Sends what has gathered. */
void ahoy_driver_flush(struct ahoy_driver *driver);
/* From now on the kernel lets |share| of 1,024 through of the datagrams that begin something, to
 * all listeners of UDP (sieve.h).  Little but a comparison where it is the same as before. */
void ahoy_driver_sieve(struct ahoy_driver *driver, unsigned share);
/* Gives the kernel back what only a busy time needs.  Between two turns. */
void ahoy_driver_trim(struct ahoy_driver *driver);

/* A further file descriptor for other business of the thread (a control socket): |ready| is
 * called within wait when it can be read.  False where that is not possible. */
bool ahoy_driver_watch(struct ahoy_driver *driver, int fd, void (*ready)(void *context),
                       void *context);
void ahoy_driver_unwatch(struct ahoy_driver *driver, int fd);

/* The address by which packets to the world leave, for listeners on 0.0.0.0 or ::; false where
 * there is none. */
bool ahoy_driver_own_address(enum ahoy_family family, struct ahoy_ip *ip);
