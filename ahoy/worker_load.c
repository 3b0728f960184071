/* The pump of a load: sockets of all transports, and room for many calls.
 *
 * Who calls rests a little before each turn, so that much is read and sent at once, and one sleep
 * is all that a turn costs; what comes meanwhile is told with how long it has waited, so that no
 * time is measured too long. */
#include "ahoy/worker_load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ahoy/worker_way.h"
#include "libahoy/io/pump.h"

/* The listeners, in this order: first those without TLS.  By the side of --listen stand the ports
 * of all others. */
static const struct {
    enum ahoy_transport transport;
    uint16_t port_after;
} ways[] = { { AHOY_UDP, 0 }, { AHOY_TCP, 0 }, { AHOY_WS, 2 }, { AHOY_TLS, 1 }, { AHOY_WSS, 3 } };

enum {
    LISTENERS = sizeof ways / sizeof ways[0],
    PLAIN_LISTENERS = 3,
    CONNECTIONS = 4096,      /* Of others, who are to be answered. */
    TRANSACTIONS_A_CALL = 3, /* INVITE, CANCEL, BYE. */
    MEMORY_A_CALL = 8192,    /* Of their messages. */
    PADDING = 128,           /* So that requests of one kind leave together. */
    NO_PORT = 9              /* Whatever is sent there is discarded (RFC 863). */
};

struct load_wire {
    struct ahoy_pump *pump;
    struct ahoy_tls_entry entries[1 + LISTENERS - PLAIN_LISTENERS];
    struct ahoy_tls_context *tls;
    struct ahoy_hop server;
};

/* Without a certificate nobody can be answered by TLS. */
static bool open_tls(struct load_wire *wire, const struct phone_options *options)
{
    size_t count = 1;
    for (uint8_t i = PLAIN_LISTENERS; i < LISTENERS && options->certificate != NULL; i++)
        wire->entries[count++] = (struct ahoy_tls_entry){ .use = AHOY_TLS_LISTENER,
                                                          .verify = AHOY_TLS_VERIFY_NONE,
                                                          .listener = i,
                                                          .certificate = options->certificate,
                                                          .key = options->key };
    return phone_open_tls(options, wire->entries, count, &wire->tls);
}

static bool open_pump(struct load_wire *wire, const struct phone_options *options, uint32_t calls,
                      int *fault)
{
    struct ahoy_ip local = options->listen;
    struct ahoy_pump_fault why;
    bool is_open = local.family == AHOY_NO_FAMILY || ahoy_ip_is_wildcard(&local);
    if (is_open && !phone_own_address(&options->servers[0].hop.remote, &local)) {
        fprintf(stderr, "ahoy: no way to the server: %s\n", strerror(errno));
        *fault = PHONE_UNREACHABLE;
        return false;
    }
    if (is_open) /* A wildcard names no address for others; its port stays. */
        local.port = options->listen.port;
    struct ahoy_pump_options pump = { .listener_count =
                                          wire->tls != NULL ? LISTENERS : PLAIN_LISTENERS,
                                      .padding = PADDING,
                                      .is_exact = true,
                                      .sends_once = true,
                                      .tls = wire->tls,
                                      .transactions = calls * TRANSACTIONS_A_CALL,
                                      .connections = CONNECTIONS,
                                      .memory = (size_t)calls * MEMORY_A_CALL };
    for (size_t i = 0; i < pump.listener_count; i++)
        pump.listeners[i] =
            (struct ahoy_listener){ .transport = ways[i].transport, .local = local };
    for (size_t i = 0; i < pump.listener_count && local.port != 0; i++)
        pump.listeners[i].local.port = (uint16_t)(local.port + ways[i].port_after);
    wire->pump = ahoy_pump_open(&pump, &why);
    if (wire->pump == NULL)
        fprintf(stderr, "ahoy: %s (choose another with --listen)\n", why.text);
    return wire->pump != NULL;
}

struct load_wire *load_wire_open(const struct phone_options *options, uint32_t calls, int *fault)
{
    struct load_wire *wire = calloc(1, sizeof *wire);
    const struct phone_server *server = &options->servers[0];
    *fault = PHONE_MISUSED;
    if (wire == NULL) {
        fprintf(stderr, "ahoy: out of memory\n");
        return NULL;
    }
    if (!open_tls(wire, options) || !open_pump(wire, options, calls, fault)) {
        load_wire_close(wire);
        return NULL;
    }
    wire->server = server->hop;
    wire->server.domain = ahoy_stack_domain(
        ahoy_pump_stack(wire->pump), (enum ahoy_transport)server->hop.transport, server->host);
    phone_catch_signals(ahoy_pump_driver(wire->pump));
    return wire;
}

void load_wire_close(struct load_wire *wire)
{
    if (wire == NULL)
        return;
    phone_catch_signals(NULL);
    ahoy_pump_close(wire->pump);
    ahoy_tls_context_free(wire->tls);
    free(wire);
}

struct ahoy_transactions *load_wire_transactions(struct load_wire *wire)
{
    return ahoy_pump_transactions(wire->pump);
}

struct ahoy_hop load_wire_server(const struct load_wire *wire)
{
    return wire->server;
}

struct ahoy_ip load_wire_media(const struct load_wire *wire)
{
    struct ahoy_ip media = ahoy_pump_listener(wire->pump, 0)->local;
    media.port = NO_PORT;
    return media;
}

bool load_wire_random(uint64_t *numbers, size_t count)
{
    return ahoy_driver_random(numbers, count * sizeof *numbers);
}

void load_wire_wait(struct load_wire *wire, uint64_t rest_us, uint64_t deadline_ms)
{
    uint64_t now_us = ahoy_driver_now_us();
    if (now_us < rest_us) {
        ahoy_pump_flush(wire->pump);
        (void)usleep((useconds_t)(rest_us - now_us)); /* A signal may end it. */
    }
    ahoy_pump_wait(wire->pump, deadline_ms);
}

uint64_t load_wire_now_us(const struct load_wire *wire)
{
    return ahoy_pump_now_us(wire->pump);
}

uint32_t load_wire_waited_us(const struct load_wire *wire)
{
    return ahoy_pump_waited_us(wire->pump);
}

bool load_wire_next(struct load_wire *wire, struct ahoy_event *event)
{
    return ahoy_pump_next(wire->pump, event);
}
