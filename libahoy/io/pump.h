/* The ready loop: a driver and a stack, pumped, for programs that want none of that themselves.
 * One a thread; its transaction users may be any.
 *
 *     for (;;) {
 *         struct ahoy_event event;
 *         struct ahoy_ua_news news;
 *         ahoy_pump_wait(pump, ahoy_ua_deadline(ua));
 *         while (ahoy_pump_next(pump, &event))
 *             ahoy_ua_step(ua, &event, ahoy_driver_now());
 *         ahoy_ua_expire(ua, ahoy_driver_now());
 *         while (ahoy_ua_poll(ua, &news))
 *             the program works, and may call down
 *     }
 *
 * Who locates servers (ahoy_stack_locate), or shares calls with other workers, writes the turn of
 * stack/stack.h by hand. */
#pragma once

#include "libahoy/io/driver.h"
#include "libahoy/stack/stack.h"

enum { AHOY_PUMP_LISTENERS_LIMIT = 8 };

struct ahoy_pump_options {
    /* Transport and local address, with port 0 for one that the kernel chooses; texts that are
     * empty are made from what was bound.  Copied. */
    struct ahoy_listener listeners[AHOY_PUMP_LISTENERS_LIMIT];
    size_t listener_count;
    struct ahoy_tls_context *tls;       /* Outlives the pump; NULL: no TLS. */
    const struct ahoy_dns_options *dns; /* Read by open only; NULL: every lookup fails. */
    /* At once; 0 for what suits a phone: 1,024, 64 and 16 MiB. */
    uint32_t transactions, connections;
    size_t memory;
    unsigned padding; /* As the driver has it; ... */
    bool is_exact;    /* ... and this. */
    bool sends_once;  /* What arises in a turn waits for the next flush or wait, and leaves with
                       * what is asked for until then. */
    /* Told of each message as it travels; NULL for nobody. */
    void (*seen)(void *context, bool is_sent, const struct ahoy_hop *hop, struct span bytes);
    void *context;
};

/* Why it could not be opened, for people. */
struct ahoy_pump_fault {
    char text[200];
};

struct ahoy_pump;

/* NULL, with |fault|, where something cannot be opened or memory is refused. */
struct ahoy_pump *ahoy_pump_open(const struct ahoy_pump_options *options,
                                 struct ahoy_pump_fault *fault);
/* After its users. */
void ahoy_pump_close(struct ahoy_pump *pump);

/* What the users need at their start. */
struct ahoy_stack *ahoy_pump_stack(struct ahoy_pump *pump);
struct ahoy_transactions *ahoy_pump_transactions(struct ahoy_pump *pump);
/* As bound, with their texts. */
const struct ahoy_listener *ahoy_pump_listener(const struct ahoy_pump *pump, size_t index);
/* To wake it from another thread or a signal handler, or to have it watch a descriptor. */
struct ahoy_driver *ahoy_pump_driver(struct ahoy_pump *pump);

/* Sends what the users have asked for, as the next wait would: for whoever rests before that. */
void ahoy_pump_flush(struct ahoy_pump *pump);
/* Sends what the users have asked for, and waits until something comes, or |deadline_ms|: the
 * users' own. */
void ahoy_pump_wait(struct ahoy_pump *pump, uint64_t deadline_ms);
/* When the stack was told of what the event is about that was asked for last, by the clock of
 * ahoy_driver_now_us: whoever steps a user with it has no need to ask that again. */
uint64_t ahoy_pump_now_us(const struct ahoy_pump *pump);
/* How long the message of that event had waited to be read by then. */
uint32_t ahoy_pump_waited_us(const struct ahoy_pump *pump);
/* The next event of what has come, for its user to step with before asking again; false ends the
 * turn. */
bool ahoy_pump_next(struct ahoy_pump *pump, struct ahoy_event *event);
