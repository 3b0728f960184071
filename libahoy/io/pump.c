/* What comes goes through the stack to its users, what arises goes out. */
#include "libahoy/io/pump.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libahoy/base/unset.h"

enum { TRANSACTIONS = 1024, CONNECTIONS = 64, MEMORY = 16 * 1024 * 1024 };

struct ahoy_pump {
    struct ahoy_driver *driver;
    struct ahoy_stack *stack;
    struct ahoy_pump_options options; /* Its listeners are those of the stack. */
    struct ahoy_wire_event event;     /* The last: after an ACCEPTED the driver reads it. */
    struct ahoy_event held;           /* What was there before anything was waited for. */
    bool holds;
    bool told_time;  /* In this turn. */
    uint64_t now_us; /* Of the last step. */
    char sent_by[AHOY_PUMP_LISTENERS_LIMIT][64];
    char uris[AHOY_PUMP_LISTENERS_LIMIT][96];
};

static bool fail(struct ahoy_pump_fault *fault, const char *what, const char *why)
{
    snprintf(fault->text, sizeof fault->text, "%s: %s", what, why);
    return false;
}

static bool is_unspecified(const struct ahoy_ip *ip)
{
    static const uint8_t none[sizeof ip->bytes];
    return memcmp(ip->bytes, none, sizeof none) == 0;
}

/* The texts that the owner left to us.  Nobody can answer to 0.0.0.0: there it is the address by
 * which packets leave. */
static void name_listener(struct ahoy_pump *pump, size_t index)
{
    struct ahoy_listener *listener = &pump->options.listeners[index];
    listener->local = ahoy_driver_local(pump->driver, index);
    struct ahoy_ip seen = listener->local, own;
    if (is_unspecified(&seen) && ahoy_driver_own_address((enum ahoy_family)seen.family, &own))
        memcpy(seen.bytes, own.bytes, sizeof seen.bytes);
    struct ahoy_buf sent_by = ahoy_buf_over(pump->sent_by[index], sizeof pump->sent_by[index]);
    ahoy_ip_print(&seen, &sent_by);
    if (listener->sent_by.size == 0)
        listener->sent_by = ahoy_buf_text(&sent_by);
    struct ahoy_buf uri = ahoy_buf_over(pump->uris[index], sizeof pump->uris[index]);
    ahoy_buf_put(&uri, SPAN("sip:"));
    ahoy_buf_put(&uri, listener->sent_by);
    ahoy_buf_put(&uri, SPAN(";transport="));
    bool is_websocket = ahoy_transport_is_websocket(listener->transport); /* RFC 7118 5.2 */
    ahoy_buf_put(&uri, ahoy_transport_uri_name(is_websocket ? AHOY_WS : listener->transport));
    if (listener->uri.size == 0 && !uri.overflow)
        listener->uri = ahoy_buf_text(&uri);
}

static bool open_driver(struct ahoy_pump *pump, struct ahoy_pump_fault *fault)
{
    struct ahoy_pump_options *options = &pump->options;
    const struct ahoy_driver_options driver = { .listeners = options->listeners,
                                                .listener_count = options->listener_count,
                                                .padding = options->padding,
                                                .is_exact = options->is_exact,
                                                .tls = options->tls,
                                                .dns = options->dns };
    size_t failed;
    pump->driver = ahoy_driver_open(&driver, &failed);
    if (pump->driver == NULL) {
        int error = errno;
        char text[64] = "what it waits with";
        struct ahoy_buf buf = ahoy_buf_over(text, sizeof text - 1);
        if (failed < options->listener_count)
            ahoy_ip_print(&options->listeners[failed].local, &buf);
        text[buf.size > 0 ? buf.size : strlen(text)] = '\0';
        char what[96];
        snprintf(what, sizeof what, "cannot open %s", text);
        return fail(fault, what, strerror(error));
    }
    for (size_t i = 0; i < options->listener_count; i++)
        name_listener(pump, i);
    options->dns = NULL; /* The owner's no longer. */
    return true;
}

static bool open_stack(struct ahoy_pump *pump, struct ahoy_pump_fault *fault)
{
    const struct ahoy_pump_options *options = &pump->options;
    uint64_t seeds[10];
    if (!ahoy_driver_random(seeds, sizeof seeds))
        return fail(fault, "no random numbers", strerror(errno));
    const struct ahoy_stack_options stack = {
        .listeners = options->listeners,
        .listener_count = options->listener_count,
        .workers = 1,
        .opens_websockets = true, /* Where there is a listener for them. */
        .connection_limit = options->connections != 0 ? options->connections : CONNECTIONS,
        .call_key = { { seeds[0], seeds[1] } },
        .transactions = { .clocks = AHOY_DEFAULT_CLOCKS,
                          .limit =
                              options->transactions != 0 ? options->transactions : TRANSACTIONS,
                          .memory_limit = options->memory != 0 ? options->memory : MEMORY,
                          .seed = { seeds[2], seeds[3] },
                          .tag_key = { { seeds[4], seeds[5] } },
                          .branch_key = { { seeds[6], seeds[7] } } },
        .seed = { seeds[8], seeds[9] },
    };
    pump->stack = ahoy_stack_new(&stack, ahoy_driver_now());
    return pump->stack != NULL || fail(fault, "no memory", strerror(ENOMEM));
}

struct ahoy_pump *ahoy_pump_open(const struct ahoy_pump_options *options,
                                 struct ahoy_pump_fault *fault)
{
    struct ahoy_pump *pump = calloc(1, sizeof *pump);
    if (pump == NULL) {
        fail(fault, "no memory", strerror(ENOMEM));
        return NULL;
    }
    pump->options = *options;
    if (options->listener_count > AHOY_PUMP_LISTENERS_LIMIT)
        fail(fault, "too many listeners", strerror(EINVAL));
    else if (open_driver(pump, fault) && open_stack(pump, fault))
        return pump;
    ahoy_pump_close(pump);
    return NULL;
}

void ahoy_pump_close(struct ahoy_pump *pump)
{
    if (pump == NULL)
        return;
    ahoy_stack_free(pump->stack);
    if (pump->driver != NULL)
        ahoy_driver_close(pump->driver);
    free(pump);
}

struct ahoy_stack *ahoy_pump_stack(struct ahoy_pump *pump)
{
    return pump->stack;
}

struct ahoy_transactions *ahoy_pump_transactions(struct ahoy_pump *pump)
{
    return ahoy_stack_transactions(pump->stack);
}

const struct ahoy_listener *ahoy_pump_listener(const struct ahoy_pump *pump, size_t index)
{
    return &pump->options.listeners[index];
}

struct ahoy_driver *ahoy_pump_driver(struct ahoy_pump *pump)
{
    return pump->driver;
}

static void see(const struct ahoy_pump *pump, bool is_sent, const struct ahoy_hop *hop,
                struct span bytes)
{
    if (pump->options.seen != NULL && bytes.size > 0)
        pump->options.seen(pump->options.context, is_sent, hop, bytes);
}

static void carry_all(struct ahoy_pump *pump)
{
    AHOY_UNSET struct ahoy_wire_effect effect;
    while (ahoy_stack_poll(pump->stack, &effect)) {
        if (effect.kind == AHOY_WIRE_SEND)
            see(pump, true, &effect.hop, effect.bytes);
        ahoy_driver_carry(pump->driver, &effect);
    }
}

/* Steps with what has come next, and at the end of a turn with the time.  False afterwards. */
static bool step(struct ahoy_pump *pump)
{
    struct ahoy_wire_event *event = &pump->event;
    if (pump->told_time)
        return false;
    if (!ahoy_driver_next(pump->driver, event)) {
        pump->told_time = true;
        *event = (struct ahoy_wire_event){ .kind = AHOY_WIRE_TIME };
    } else if (event->kind == AHOY_WIRE_DATAGRAM || event->kind == AHOY_WIRE_BYTES) {
        see(pump, false, &event->hop, event->bytes);
    }
    pump->now_us = ahoy_driver_now_us();
    ahoy_stack_step(pump->stack, event, pump->now_us / 1000);
    return true;
}

void ahoy_pump_flush(struct ahoy_pump *pump)
{
    if (!pump->holds)
        pump->holds = ahoy_stack_event(pump->stack, &pump->held);
    if (pump->holds)
        return; /* It would be gone once the stack is polled. */
    carry_all(pump);
    ahoy_driver_flush(pump->driver);
}

void ahoy_pump_wait(struct ahoy_pump *pump, uint64_t deadline_ms)
{
    pump->told_time = false;
    ahoy_pump_flush(pump);
    if (pump->holds)
        return;
    uint64_t stack_ms = ahoy_stack_deadline(pump->stack);
    ahoy_driver_wait(pump->driver, stack_ms < deadline_ms ? stack_ms : deadline_ms);
}

uint64_t ahoy_pump_now_us(const struct ahoy_pump *pump)
{
    return pump->now_us;
}

uint32_t ahoy_pump_waited_us(const struct ahoy_pump *pump)
{
    const struct ahoy_wire_event *event = &pump->event;
    return event->waited_us + (event->read_us == 0 ? 0 : (uint32_t)(pump->now_us - event->read_us));
}

bool ahoy_pump_next(struct ahoy_pump *pump, struct ahoy_event *event)
{
    if (pump->holds) {
        pump->holds = false;
        pump->now_us = ahoy_driver_now_us(); /* It may have been held for a rest. */
        *event = pump->held;
        return true;
    }
    do {
        if (ahoy_stack_event(pump->stack, event))
            return true;
        carry_all(pump);
    } while (step(pump));
    if (!pump->options.sends_once)
        ahoy_driver_flush(pump->driver);
    return false;
}
