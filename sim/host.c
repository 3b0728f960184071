/* Steps the server with what arrives, and carries out what it polls. */
#include "sim/host.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum { STREAMS_LIMIT = 256, TEXT_LIMIT = 96, ANSWERS_LIMIT = 256, ANSWER_SIZE = 8192 };

struct sim_host {
    struct ahoyd_change_owner owner; /* First: the store gives changes back to it. */
    struct sim_node node;
    struct sim_world *world;
    struct ahoyd_config *config;
    struct ahoyd_store *store;
    struct ahoyd_server *server;
    struct ahoy_listener listeners[AHOY_LISTENERS_LIMIT];
    char texts[AHOY_LISTENERS_LIMIT][2][TEXT_LIMIT];
    struct stream {
        uint64_t number; /* 0: this place is free. */
        struct ahoy_handle connection;
        struct ahoy_ip peer;
    } streams[STREAMS_LIMIT];
    const struct sim_zone *zone;
    size_t answer_count;
    struct answer {
        uint64_t due_ms, lookup;
        struct span bytes;
    } answers[ANSWERS_LIMIT];     /* Of the DNS, on their way, in the order of their questions. */
    struct ahoyd_change *changes; /* Given back by the store, not yet by us. */
    sim_host_watch *watch;
    void *watch_context;
};

static struct stream *find_stream(struct sim_host *host, uint64_t number)
{
    for (size_t i = 0; i < STREAMS_LIMIT; i++) {
        if (host->streams[i].number == number)
            return &host->streams[i];
    }
    return NULL;
}

static struct stream *stream_of(struct sim_host *host, struct ahoy_handle connection)
{
    for (size_t i = 0; i < STREAMS_LIMIT; i++) {
        if (host->streams[i].number != 0 &&
            ahoy_handle_equal(host->streams[i].connection, connection))
            return &host->streams[i];
    }
    return NULL;
}

static void send(struct sim_host *host, const struct ahoy_wire_effect *effect)
{
    bool lost = host->watch(host->watch_context, &effect->hop.remote, effect->bytes);
    if (effect->hop.transport == AHOY_UDP) {
        sim_world_datagram(host->world, &host->node.ip, &effect->hop.remote, effect->bytes, lost);
        return;
    }
    struct stream *stream = stream_of(host, effect->hop.connection);
    if (stream != NULL && !lost)
        sim_world_bytes(host->world, stream->number, &host->node.ip, &stream->peer, effect->bytes);
}

static void connect_to(struct sim_host *host, const struct ahoy_wire_effect *effect)
{
    struct stream *stream = find_stream(host, 0);
    if (stream == NULL)
        return;
    stream->number = sim_world_open(host->world, &host->node.ip, &effect->hop.remote);
    stream->connection = effect->hop.connection;
    stream->peer = effect->hop.remote;
}

static void close_stream(struct sim_host *host, const struct ahoy_wire_effect *effect)
{
    struct stream *stream = stream_of(host, effect->hop.connection);
    if (stream == NULL)
        return;
    sim_world_close(host->world, stream->number, &host->node.ip, &stream->peer);
    stream->number = 0;
}

/* Puts the answer on its way. */
static void look_up(struct sim_host *host, const struct ahoy_wire_effect *effect)
{
    uint32_t delay_ms = 0;
    char *bytes = malloc(ANSWER_SIZE);
    assert(bytes != NULL && host->answer_count < ANSWERS_LIMIT);
    struct ahoy_buf message = ahoy_buf_over(bytes, ANSWER_SIZE);
    if (host->zone != NULL &&
        !sim_zone_answer(host->zone, effect->bytes, effect->type, &message, &delay_ms)) {
        free(bytes);
        return;
    }
    host->answers[host->answer_count++] =
        (struct answer){ .due_ms = sim_world_now(host->world) + delay_ms,
                         .lookup = effect->lookup,
                         .bytes = { bytes, message.size } };
}

static void carry(struct sim_host *host)
{
    struct ahoy_wire_effect effect;
    while (ahoyd_server_poll(host->server, &effect)) {
        if (effect.kind == AHOY_WIRE_SEND)
            send(host, &effect);
        else if (effect.kind == AHOY_WIRE_CONNECT)
            connect_to(host, &effect);
        else if (effect.kind == AHOY_WIRE_CLOSE)
            close_stream(host, &effect);
        else if (effect.kind == AHOY_WIRE_LOOKUP)
            look_up(host, &effect);
    }
}

static void take_back(struct ahoyd_change_owner *owner, struct ahoyd_change *change)
{
    struct sim_host *host = (struct sim_host *)owner;
    change->next = host->changes;
    host->changes = change;
}

static void settle(struct sim_host *host)
{
    carry(host);
    while (host->changes != NULL) {
        struct ahoyd_change *change = host->changes;
        host->changes = change->next;
        ahoyd_server_stored(host->server, change, sim_world_now(host->world));
        carry(host);
    }
}

static void step(struct sim_host *host, struct ahoy_wire_event *event)
{
    ahoyd_server_step(host->server, event, sim_world_now(host->world));
    settle(host);
}

/* The listener of |transport|; this host has one address. */
static uint8_t listener_of(const struct sim_host *host, enum ahoy_transport transport)
{
    for (size_t i = 0; i < host->config->listen_count; i++) {
        if (host->listeners[i].transport == transport)
            return (uint8_t)i;
    }
    return AHOY_ANY_LISTENER;
}

static void accept_stream(struct sim_host *host, const struct sim_packet *packet)
{
    struct ahoy_wire_event event = { .kind = AHOY_WIRE_ACCEPTED,
                                     .hop = { .transport = AHOY_TCP,
                                              .listener = listener_of(host, AHOY_TCP),
                                              .remote = packet->from } };
    struct stream *stream = find_stream(host, 0);
    if (stream != NULL)
        step(host, &event);
    if (stream == NULL || event.hop.connection.generation == 0) {
        sim_world_close(host->world, packet->stream, &host->node.ip, &packet->from);
        return;
    }
    *stream = (struct stream){ packet->stream, event.hop.connection, packet->from };
}

static void receive(void *self, const struct sim_packet *packet)
{
    struct sim_host *host = self;
    struct ahoy_wire_event event = { .bytes = packet->bytes, .hop.remote = packet->from };
    if (packet->kind == SIM_OPEN) {
        accept_stream(host, packet);
        return;
    }
    if (packet->kind == SIM_DATAGRAM) {
        event.kind = AHOY_WIRE_DATAGRAM;
        event.hop.transport = AHOY_UDP;
        event.hop.listener = listener_of(host, AHOY_UDP);
        step(host, &event);
        return;
    }
    if (packet->kind == SIM_UNREACHABLE) {
        event.kind = AHOY_WIRE_UNREACHABLE;
        step(host, &event);
        return;
    }
    struct stream *stream = find_stream(host, packet->stream);
    if (stream == NULL)
        return;
    event.hop.transport = AHOY_TCP;
    event.hop.listener = listener_of(host, AHOY_TCP);
    event.hop.connection = stream->connection;
    event.kind = packet->kind == SIM_BYTES    ? AHOY_WIRE_BYTES
                 : packet->kind == SIM_OPENED ? AHOY_WIRE_CONNECTED
                                              : AHOY_WIRE_CLOSED;
    if (event.kind == AHOY_WIRE_CLOSED)
        stream->number = 0;
    step(host, &event);
}

/* The index of the answer that comes next; answer_count where none is on its way. */
static size_t first_answer(const struct sim_host *host)
{
    size_t first = 0;
    for (size_t i = 1; i < host->answer_count; i++) {
        if (host->answers[i].due_ms < host->answers[first].due_ms)
            first = i;
    }
    return first;
}

static void deliver_answer(struct sim_host *host, size_t index)
{
    const struct answer answer = host->answers[index];
    struct ahoy_wire_event event = { .kind = AHOY_WIRE_ANSWER,
                                     .lookup = answer.lookup,
                                     .bytes = answer.bytes };
    host->answer_count--;
    memmove(&host->answers[index], &host->answers[index + 1],
            (host->answer_count - index) * sizeof answer);
    step(host, &event);
    free((void *)(uintptr_t)answer.bytes.at);
}

static void wake(void *self)
{
    struct sim_host *host = self;
    struct ahoy_wire_event event = { .kind = AHOY_WIRE_TIME };
    size_t first = first_answer(host);
    if (first < host->answer_count && host->answers[first].due_ms <= sim_world_now(host->world))
        deliver_answer(host, first);
    else
        step(host, &event);
}

static uint64_t deadline(const void *self)
{
    const struct sim_host *host = self;
    uint64_t deadline_ms = ahoyd_server_deadline(host->server);
    size_t first = first_answer(host);
    if (first < host->answer_count && host->answers[first].due_ms < deadline_ms)
        deadline_ms = host->answers[first].due_ms;
    return deadline_ms;
}

static void say(void *context, const char *file, int line, const char *what)
{
    (void)context; /* Nothing is kept. */
    fprintf(stderr, "%s:%d: %s\n", file, line, what);
}

static void name_listeners(struct sim_host *host)
{
    for (size_t i = 0; i < host->config->listen_count; i++) {
        const struct ahoyd_listen *listen = &host->config->listens[i];
        struct ahoy_buf sent_by = ahoy_buf_over(host->texts[i][0], TEXT_LIMIT);
        struct ahoy_buf uri = ahoy_buf_over(host->texts[i][1], TEXT_LIMIT);
        ahoy_ip_print(&listen->ip, &sent_by);
        ahoy_buf_put(&uri, SPAN("sip:"));
        ahoy_ip_print(&listen->ip, &uri);
        ahoy_buf_put(&uri, SPAN(";transport="));
        ahoy_buf_put(&uri, ahoy_transport_uri_name(listen->transport));
        host->listeners[i] = (struct ahoy_listener){ .transport = listen->transport,
                                                     .local = listen->ip,
                                                     .sent_by = ahoy_buf_text(&sent_by),
                                                     .uri = ahoy_buf_text(&uri) };
    }
}

static bool open_server(struct sim_host *host)
{
    static const unsigned char secret[AHOYD_SECRET_SIZE] = "one for every simulated world";
    uint64_t now_ms = sim_world_now(host->world);
    struct ahoyd_store_options store = { AHOYD_STORE_MEMORY, .now_ms = now_ms, .secret = secret };
    char fault[256];
    host->store = ahoyd_store_open(&store, fault, sizeof fault);
    if (host->store == NULL)
        return false;
    name_listeners(host);
    struct ahoyd_server_options options = {
        .config = host->config,
        .store = host->store,
        .listeners = host->listeners,
        .listener_count = host->config->listen_count,
        .workers = 1,
        .seed = { ahoy_rng_next(sim_world_rng(host->world)),
                  ahoy_rng_next(sim_world_rng(host->world)) },
        .clocks = AHOY_DEFAULT_CLOCKS,
        .timer_c_ms = 181000,
        .change_owner = &host->owner,
    };
    host->server = ahoyd_server_new(&options, now_ms);
    return host->server != NULL;
}

struct sim_host *sim_host_new(struct sim_world *world, const char *name, const char *config_text,
                              sim_host_watch *watch, void *context)
{
    struct sim_host *host = calloc(1, sizeof *host);
    if (host == NULL)
        return NULL;
    struct ahoyd_config_faults faults = { .told = say };
    host->owner.done = take_back;
    host->world = world;
    host->watch = watch;
    host->watch_context = context;
    host->config = ahoyd_config_parse(config_text, strlen(config_text), name, &faults);
    if (host->config == NULL || !open_server(host)) {
        sim_host_free(host);
        return NULL;
    }
    host->node = (struct sim_node){ .name = name,
                                    .ip = host->config->listens[0].ip,
                                    .self = host,
                                    .receive = receive,
                                    .wake = wake,
                                    .deadline = deadline };
    sim_world_add(world, &host->node);
    return host;
}

void sim_host_free(struct sim_host *host)
{
    if (host == NULL)
        return;
    if (host->server != NULL)
        ahoyd_server_free(host->server);
    for (size_t i = 0; i < host->answer_count; i++)
        free((void *)(uintptr_t)host->answers[i].bytes.at);
    ahoyd_store_close(host->store);
    ahoyd_config_free(host->config);
    free(host);
}

void sim_host_resolve(struct sim_host *host, const struct sim_zone *zone)
{
    host->zone = zone;
}

void sim_host_register(struct sim_host *host, const char *aor, const char *contact)
{
    static uint32_t cseq = 0; /* Rises over all registrations: each one is newer. */
    struct ahoy_registration registration = {
        .count = 1,
        .asked = { { .contact = ahoy_span(contact), .expires_s = 3600, .q = 1000 } },
        .call_id = SPAN("registered-by-the-world"),
        .cseq = ++cseq,
        .hop = { .transport = AHOY_UDP, .listener = AHOY_ANY_LISTENER, .remote = host->node.ip },
    };
    struct ahoyd_change *change =
        ahoyd_change_bindings(ahoy_span(aor), &registration, sim_world_now(host->world));
    change->owner = &host->owner;
    (void)ahoyd_store_submit(host->store, change); /* The memory store is never too busy. */
    host->changes = change->next;
    ahoyd_change_free(change);
}

uint32_t sim_host_transactions(const struct sim_host *host)
{
    return ahoyd_server_transactions(host->server);
}
