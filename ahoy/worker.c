/* The pump: what comes goes through the stack to the user agent, what arises goes out. */
#include "ahoy/worker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ahoy/device.h"
#include "ahoy/worker_screen.h"
#include "ahoy/worker_talk.h"
#include "ahoy/worker_way.h"
#include "libahoy/io/addresses.h"
#include "libahoy/resolve/locate.h"
#include "libahoy/stack/stack.h"

enum { LISTENERS = 3, TRANSACTIONS = 1024, MEMORY = 16 * 1024 * 1024, CONNECTIONS = 64 };

struct phone {
    struct ahoy_driver *driver;
    struct ahoy_stack *stack;
    struct ahoy_ua *ua;
    struct phone_screen *screen;
    struct phone_devices *devices;
    int changes; /* Tells of addresses that come and go; -1 where nothing does. */
    struct phone_talk *talks[AHOY_UA_SESSIONS_LIMIT]; /* NULL: none. */
    FILE *trace;
    bool has_no_way; /* To the server. */
    char instance[PHONE_INSTANCE_SIZE];
    struct ahoy_ip own; /* What reaches the server; only looked up where it is needed. */
    struct ahoy_tls_entry outward;
    struct ahoy_tls_context *tls; /* NULL where the server is called in plain. */
    struct ahoy_listener listeners[LISTENERS];
    size_t listener_count;
    char sent_by[LISTENERS][64];
    char uris[LISTENERS][96];
};

uint64_t phone_now(void)
{
    return ahoy_driver_now();
}

uint64_t phone_now_us(void)
{
    return ahoy_driver_now_us();
}

struct ahoy_ua *phone_ua(struct phone *phone)
{
    return phone->ua;
}

struct phone_screen *phone_screen(struct phone *phone)
{
    return phone->screen;
}

struct phone_devices *phone_devices(struct phone *phone)
{
    return phone->devices;
}

struct ahoy_ip phone_shown(const struct phone *phone, const struct ahoy_ip *local)
{
    struct ahoy_ip shown = *local;
    if (ahoy_ip_is_wildcard(local)) {
        shown = phone->own;
        shown.port = local->port;
    }
    return shown;
}

static void name_listener(struct phone *phone, size_t index)
{
    struct ahoy_listener *listener = &phone->listeners[index];
    listener->local = ahoy_driver_local(phone->driver, index);
    struct ahoy_buf sent_by = ahoy_buf_over(phone->sent_by[index], sizeof phone->sent_by[index]);
    const struct ahoy_ip shown = phone_shown(phone, &listener->local);
    ahoy_ip_print(&shown, &sent_by);
    listener->sent_by = ahoy_buf_text(&sent_by);
    struct ahoy_buf uri = ahoy_buf_over(phone->uris[index], sizeof phone->uris[index]);
    ahoy_buf_put(&uri, SPAN("sip:"));
    ahoy_buf_put(&uri, listener->sent_by);
    ahoy_buf_put(&uri, SPAN(";transport="));
    ahoy_buf_put(&uri, ahoy_transport_uri_name(listener->transport));
    listener->uri = ahoy_buf_text(&uri);
}

static bool open_driver(struct phone *phone, const struct phone_options *options)
{
    static const enum ahoy_transport transports[LISTENERS] = { AHOY_UDP, AHOY_TCP, AHOY_TLS };
    struct ahoy_ip local = options->listen;
    char text[64] = "";
    struct ahoy_buf buf = ahoy_buf_over(text, sizeof text - 1);
    bool is_open = local.family == AHOY_NO_FAMILY || ahoy_ip_is_wildcard(&local);
    if (is_open && !phone_own_address(&options->servers[0].hop.remote, &phone->own)) {
        phone->has_no_way = true;
        fprintf(stderr, "ahoy: no way to the server: %s\n", strerror(errno));
        return false;
    }
    if (local.family == AHOY_NO_FAMILY)
        local = phone->own;
    phone->listener_count = phone->tls != NULL ? LISTENERS : LISTENERS - 1;
    for (size_t i = 0; i < phone->listener_count; i++)
        phone->listeners[i] = (struct ahoy_listener){ .transport = transports[i], .local = local };
    if (local.port != 0)
        phone->listeners[LISTENERS - 1].local.port++; /* TCP has the port itself. */
    const struct ahoy_driver_options driver = { .listeners = phone->listeners,
                                                .listener_count = phone->listener_count,
                                                .tls = phone->tls };
    size_t failed;
    phone->driver = ahoy_driver_open(&driver, &failed);
    if (phone->driver == NULL) {
        ahoy_ip_print(&local, &buf);
        fprintf(stderr, "ahoy: cannot listen on %s: %s (choose another with --listen)\n", text,
                strerror(errno));
        return false;
    }
    for (size_t i = 0; i < phone->listener_count; i++)
        name_listener(phone, i);
    return true;
}

static struct ahoy_ua_server server_of(struct phone *phone, const struct phone_server *server)
{
    struct ahoy_ua_server known = { .hop = server->hop, .route = server->route };
    known.hop.domain =
        ahoy_stack_domain(phone->stack, (enum ahoy_transport)server->hop.transport, server->host);
    return known;
}

/* With the name of this phone, if any can be kept. */
static struct ahoy_account account_of(struct phone *phone, const struct phone_options *options,
                                      const uint64_t seeds[2])
{
    struct ahoy_account account = options->account;
    unsigned char random[16];
    memcpy(random, seeds, sizeof random);
    bool stays = options->verb == PHONE_ANSWER || options->keep; /* A flow lives as long. */
    if (stays && account.instance.size == 0 && phone_instance_find(random, phone->instance))
        account.instance = ahoy_span(phone->instance);
    return account;
}

static bool open_stack(struct phone *phone, const struct phone_options *options)
{
    uint64_t seeds[12];
    uint64_t now_ms = ahoy_driver_now();
    if (!ahoy_driver_random(seeds, sizeof seeds)) {
        fprintf(stderr, "ahoy: no random numbers: %s\n", strerror(errno));
        return false;
    }
    const struct ahoy_stack_options stack = {
        .listeners = phone->listeners,
        .listener_count = phone->listener_count,
        .workers = 1,
        .connection_limit = CONNECTIONS,
        .call_key = { { seeds[0], seeds[1] } },
        .seed = { seeds[8], seeds[9] },
        .transactions = { .clocks = AHOY_DEFAULT_CLOCKS,
                          .limit = TRANSACTIONS,
                          .memory_limit = MEMORY,
                          .seed = { seeds[2], seeds[3] },
                          .tag_key = { { seeds[4], seeds[5] } } },
    };
    phone->stack = ahoy_stack_new(&stack, now_ms);
    if (phone->stack != NULL) {
        struct ahoy_ua_server servers[AHOY_UA_SERVERS_LIMIT];
        for (size_t i = 0; i < options->server_count; i++)
            servers[i] = server_of(phone, &options->servers[i]);
        const struct ahoy_ua_options ua = {
            .transactions = ahoy_stack_transactions(phone->stack),
            .account = account_of(phone, options, &seeds[10]),
            .server = servers[0].hop,
            .route = servers[0].route,
            .more_servers = servers + 1,
            .more_count = options->server_count - 1,
            .locate = ahoy_locate,
            .t1_ms = AHOY_DEFAULT_CLOCKS.t1_ms,
            .t2_ms = AHOY_DEFAULT_CLOCKS.t2_ms,
            .codecs = options->codecs,
            .is_busy = options->busy,
            .session_s = options->session_s,
            .takes_transfers = options->accepts_transfers,
            .takes_referrals = options->accepts_referrals,
            .takes_replacers = options->accepts_replacers,
            .seed = { seeds[6], seeds[7] },
        };
        phone->ua = ahoy_ua_new(&ua);
    }
    if (phone->ua == NULL)
        fprintf(stderr, "ahoy: out of memory\n");
    return phone->ua != NULL;
}

static bool open_trace(struct phone *phone, const char *path)
{
    if (path == NULL)
        return true;
    phone->trace = fopen(path, "we");
    if (phone->trace == NULL)
        fprintf(stderr, "ahoy: %s: %s\n", path, strerror(errno));
    return phone->trace != NULL;
}

/* What goes away takes ways of calls with it; what comes is of use to the next call. */
static void read_changes(void *context)
{
    struct phone *phone = context;
    struct ahoy_own_address addresses[AHOY_OWN_ADDRESSES_LIMIT];
    ahoy_own_addresses_watched(phone->changes);
    size_t count = ahoy_own_addresses(addresses);
    for (size_t i = 0; count > 0 && i < AHOY_UA_SESSIONS_LIMIT; i++) {
        if (phone->talks[i] != NULL)
            phone_talk_find_bases(phone->talks[i], addresses, count);
    }
}

/* Where the kernel refuses, what went away is noticed by its silence. */
static void watch_changes(struct phone *phone)
{
    phone->changes = ahoy_own_addresses_watch();
    if (phone->changes >= 0 &&
        !ahoy_driver_watch(phone->driver, phone->changes, read_changes, phone)) {
        close(phone->changes);
        phone->changes = -1;
    }
}

struct phone *phone_open(const struct phone_options *options, int *fault)
{
    struct phone *phone = calloc(1, sizeof *phone);
    *fault = PHONE_MISUSED;
    if (phone == NULL) {
        fprintf(stderr, "ahoy: out of memory\n");
        return NULL;
    }
    phone->changes = -1;
    if (!open_trace(phone, options->trace) ||
        !phone_open_tls(options, &phone->outward, 1, &phone->tls) || !open_driver(phone, options) ||
        !open_stack(phone, options)) {
        if (phone->has_no_way)
            *fault = PHONE_UNREACHABLE;
        phone_close(phone);
        return NULL;
    }
    watch_changes(phone);
    phone_catch_signals(phone->driver);
    phone->screen = phone_screen_open(phone, options);
    if (phone->screen != NULL)
        phone_catch_hangup();
    bool is_fault;
    phone->devices = phone_devices_open(options, phone->screen != NULL, &is_fault);
    if (is_fault) {
        phone_close(phone);
        return NULL;
    }
    return phone;
}

void phone_close(struct phone *phone)
{
    if (phone == NULL)
        return;
    phone_catch_signals(NULL);
    phone_devices_close(phone->devices);
    phone_screen_close(phone->screen);
    ahoy_ua_free(phone->ua);
    ahoy_stack_free(phone->stack);
    if (phone->changes >= 0)
        ahoy_driver_unwatch(phone->driver, phone->changes);
    if (phone->driver != NULL)
        ahoy_driver_close(phone->driver);
    if (phone->changes >= 0)
        close(phone->changes);
    ahoy_tls_context_free(phone->tls);
    if (phone->trace != NULL)
        fclose(phone->trace);
    free(phone);
}

/* One line about the message, and the message. */
static void trace(struct phone *phone, const char *arrow, const struct ahoy_hop *hop,
                  struct span bytes)
{
    char text[64] = "";
    struct ahoy_buf buf = ahoy_buf_over(text, sizeof text - 1);
    if (phone->trace == NULL || bytes.size == 0)
        return;
    uint64_t now_ms = ahoy_driver_now();
    struct span name = ahoy_transport_uri_name((enum ahoy_transport)hop->transport);
    ahoy_ip_print(&hop->remote, &buf);
    fprintf(phone->trace, "--- %llu.%03u %s %.*s:%s %zu bytes\n",
            (unsigned long long)(now_ms / 1000), (unsigned)(now_ms % 1000), arrow, (int)name.size,
            name.at, text, bytes.size);
    fwrite(bytes.at, 1, bytes.size, phone->trace);
    fputs("\n", phone->trace);
    fflush(phone->trace);
}

/* What the stack has to say and to send, until there is nothing. */
static void pump(struct phone *phone, uint64_t now_ms)
{
    struct ahoy_event event;
    struct ahoy_wire_effect effect;
    while (ahoy_stack_event(phone->stack, &event))
        ahoy_ua_step(phone->ua, &event, now_ms);
    while (ahoy_stack_poll(phone->stack, &effect)) {
        if (effect.kind == AHOY_WIRE_SEND) {
            trace(phone, ">", &effect.hop, effect.bytes);
            phone_screen_pass(phone->screen, true, effect.bytes);
        }
        ahoy_driver_carry(phone->driver, &effect);
    }
}

static uint64_t earliest(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void tell_time(struct phone *phone)
{
    struct ahoy_wire_event time = { .kind = AHOY_WIRE_TIME };
    uint64_t now_ms = ahoy_driver_now();
    ahoy_stack_step(phone->stack, &time, now_ms);
    pump(phone, now_ms);
    ahoy_ua_expire(phone->ua, now_ms);
    pump(phone, now_ms);
}

/* Lets every call say and play what is due; returns when the next is. */
static uint64_t talk_all(struct phone *phone)
{
    uint64_t deadline_ms = UINT64_MAX;
    for (size_t i = 0; i < AHOY_UA_SESSIONS_LIMIT; i++) {
        if (phone->talks[i] == NULL)
            continue;
        phone_talk_turn(phone->talks[i]);
        deadline_ms = earliest(deadline_ms, phone_talk_deadline(phone->talks[i]));
    }
    return deadline_ms;
}

void phone_turn(struct phone *phone, uint64_t deadline_ms)
{
    struct ahoy_wire_event event;
    deadline_ms = earliest(deadline_ms, talk_all(phone)); /* A call without a way is hung up. */
    pump(phone, ahoy_driver_now());
    ahoy_driver_flush(phone->driver);
    deadline_ms = earliest(deadline_ms, ahoy_stack_deadline(phone->stack));
    deadline_ms = earliest(deadline_ms, ahoy_ua_deadline(phone->ua));
    deadline_ms = earliest(deadline_ms, phone_screen_turn(phone->screen));
    ahoy_driver_wait(phone->driver, deadline_ms);
    while (ahoy_driver_next(phone->driver, &event)) {
        uint64_t now_ms = ahoy_driver_now();
        if (event.kind == AHOY_WIRE_DATAGRAM || event.kind == AHOY_WIRE_BYTES) {
            trace(phone, "<", &event.hop, event.bytes);
            phone_screen_pass(phone->screen, false, event.bytes);
        }
        ahoy_stack_step(phone->stack, &event, now_ms);
        pump(phone, now_ms);
    }
    tell_time(phone);
    phone_mind_flows(phone);
    pump(phone, ahoy_driver_now());
    ahoy_driver_flush(phone->driver);
}

struct ahoy_stack *phone_stack(struct phone *phone)
{
    return phone->stack;
}

void phone_drain(struct phone *phone, uint64_t patience_ms)
{
    uint64_t deadline_ms = ahoy_driver_now() + patience_ms;
    while (ahoy_ua_busy(phone->ua) > 0 && ahoy_driver_now() < deadline_ms)
        phone_turn(phone, deadline_ms);
}

struct ahoy_driver *phone_driver(struct phone *phone)
{
    return phone->driver;
}

static struct phone_talk **find_talk(struct phone *phone, const struct phone_talk *talk)
{
    for (size_t i = 0; i < AHOY_UA_SESSIONS_LIMIT; i++) {
        if (phone->talks[i] == talk)
            return &phone->talks[i];
    }
    return NULL;
}

bool phone_join(struct phone *phone, struct phone_talk *talk)
{
    struct phone_talk **place = find_talk(phone, NULL);
    if (place != NULL)
        *place = talk;
    return place != NULL;
}

void phone_part(struct phone *phone, struct phone_talk *talk)
{
    struct phone_talk **place = find_talk(phone, talk);
    if (place != NULL)
        *place = NULL;
}

struct phone_talk *phone_talk_find(struct phone *phone, struct ahoy_handle session)
{
    for (size_t i = 0; i < AHOY_UA_SESSIONS_LIMIT; i++) {
        if (session.generation != 0 && phone->talks[i] != NULL &&
            phone_talk_is_of(phone->talks[i], session))
            return phone->talks[i];
    }
    return NULL;
}
