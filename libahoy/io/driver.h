/* The wire on the kernel: UDP and TCP sockets behind one epoll, datagrams in batches in and out,
 * one write a connection a turn.  Implements stack/wire.h; one a thread.
 *
 * A turn:     ahoy_driver_wait(driver, deadline_ms);     while (ahoy_driver_next(driver,
 * &event)) { step the stack with it; poll; ahoy_driver_carry(driver, &effect) each; }
 * ahoy_driver_flush(driver); */
#pragma once

#include "libahoy/stack/wire.h"

struct ahoy_driver;

struct ahoy_driver_options {
    const struct ahoy_listener *listeners;
    size_t listener_count;
    uint16_t worker;
    bool share_port;   /* SO_REUSEPORT: several workers listen on the same addresses. */
};

/* Opens all listeners.  NULL where one cannot be opened: |failed| is its index and errno says
 * why. */
struct ahoy_driver *ahoy_driver_open(const struct ahoy_driver_options *options, size_t *failed);
void ahoy_driver_close(struct ahoy_driver *driver);

/* Milliseconds: the Unix time when the process asked first, plus what a monotonic clock has
 * counted since.  So it suits expiry times that outlive a restart, and never jumps. */
uint64_t ahoy_driver_now(void);
/* Fills |bytes| from the kernel's random device. False where that fails. */
bool ahoy_driver_random(void *bytes, size_t size);

/* Waits until something can be read, until |deadline_ms|, or until woken. */
void ahoy_driver_wait(struct ahoy_driver *driver, uint64_t deadline_ms);
/* From any thread or a signal handler: ends the wait that is under way, or the next one. */
void ahoy_driver_wake(struct ahoy_driver *driver);

/* The next event, to be stepped before asking again.  After an ACCEPTED the driver reads the
 * hop.connection that the stack put into |event|. */
bool ahoy_driver_next(struct ahoy_driver *driver, struct ahoy_wire_event *event);
/* Carries out SEND, CONNECT or CLOSE; copies the bytes. */
void ahoy_driver_carry(struct ahoy_driver *driver, const struct ahoy_wire_effect *effect);
/* Sends what has gathered. */
void ahoy_driver_flush(struct ahoy_driver *driver);

/* A further file descriptor for other business of the thread (a control socket): |ready| is
 * called within wait. */
bool ahoy_driver_watch(struct ahoy_driver *driver, int fd, void (*ready)(void *context), void *context);
void ahoy_driver_unwatch(struct ahoy_driver *driver, int fd);

/* The address by which packets to the world leave, for listeners on 0.0.0.0 or ::; false where
 * there is none. */
bool ahoy_driver_own_address(enum ahoy_family family, struct ahoy_ip *ip);
