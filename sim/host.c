/* Steps the server with what arrives, and carries out what it polls. */
#include "sim/host.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum { STREAMS_LIMIT = 256, TEXT_LIMIT = 96, ANSWERS_LIMIT = 256, ANSWER_SIZE = 8192 };

struct sim_host {
    struct ahoyd_change_owner owner;             /* First: the store gives changes back to it. */
    struct sim_node nodes[AHOY_LISTENERS_LIMIT]; /* One a listener. */
    struct sim_world *world;
    struct ahoyd_config *config;
    struct ahoyd_store *store;
    struct ahoyd_server *server;
    struct ahoy_listener listeners[AHOY_LISTENERS_LIMIT];
    char texts[AHOY_LISTENERS_LIMIT][2][TEXT_LIMIT];
    struct stream {
        uint64_t number; /* 0: this place is free. */
        struct ahoy_hop hop;
        char domain[AHOY_PEER_NAME_LIMIT + 1]; /* Whom we opened it to by TLS must prove it. */
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
            ahoy_handle_equal(host->streams[i].hop.connection, connection))
            return &host->streams[i];
    }
    return NULL;
}

static const struct ahoy_ip *local_of(const struct sim_host *host, const struct ahoy_hop *hop)
{
    return &host->listeners[hop->listener].local;
}

/* Whether the watcher wants it lost.  The answer to an upgrade, and frames that carry no message,
 * are not told. */
static bool must_lose(const struct sim_host *host, const struct ahoy_wire_effect *effect)
{
    struct span message = effect->bytes;
    if (ahoy_transport_is_websocket((enum ahoy_transport)effect->hop.transport))
        message = ahoy_websocket_payload(message);
    return message.size > 0 && host->watch(host->watch_context, &effect->hop.remote, message);
}

static void send(struct sim_host *host, const struct ahoy_wire_effect *effect)
{
    const struct ahoy_ip *local = local_of(host, &effect->hop);
    bool lost = must_lose(host, effect);
    if (effect->hop.transport == AHOY_UDP) {
        sim_world_datagram(host->world, local, &effect->hop.remote, effect->bytes, lost);
        return;
    }
    struct stream *stream = stream_of(host, effect->hop.connection);
    if (stream != NULL && !lost)
        sim_world_bytes(host->world, stream->number, local, &stream->hop.remote, effect->bytes);
}

static void connect_to(struct sim_host *host, const struct ahoy_wire_effect *effect)
{
    struct stream *stream = find_stream(host, 0);
    if (stream == NULL)
        return;
    stream->number = sim_world_open(host->world, local_of(host, &effect->hop), &effect->hop.remote);
    stream->hop = effect->hop;
    struct ahoy_buf domain = ahoy_buf_over(stream->domain, sizeof stream->domain - 1);
    if (effect->bytes.size > 0)
        ahoy_buf_put(&domain, effect->bytes);
    else
        ahoy_ip_print_bare(&effect->hop.remote, &domain);
    stream->domain[domain.size] = '\0';
}

static void close_stream(struct sim_host *host, const struct ahoy_wire_effect *effect)
{
    struct stream *stream = stream_of(host, effect->hop.connection);
    if (stream == NULL)
        return;
    sim_world_close(host->world, stream->number, local_of(host, &stream->hop), &stream->hop.remote);
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

/* The listener for datagrams, or for streams, at |local|. */
static uint8_t listener_at(const struct sim_host *host, bool datagrams, const struct ahoy_ip *local)
{
    for (size_t i = 0; i < host->config->listen_count; i++) {
        const struct ahoy_listener *listener = &host->listeners[i];
        if ((listener->transport == AHOY_UDP) == datagrams &&
            ahoy_ip_equal(&listener->local, local))
            return (uint8_t)i;
    }
    return AHOY_ANY_LISTENER;
}

static void end_stream(struct sim_host *host, struct stream *stream)
{
    struct ahoy_wire_event event = { .kind = AHOY_WIRE_CLOSED, .hop = stream->hop };
    stream->number = 0;
    step(host, &event);
}

/* What TLS would do: the stack is told what the peer proves, or that the connection is gone where
 * the peer had to prove something and does not. */
static void shake_hands(struct sim_host *host, struct stream *stream, bool accepted)
{
    const struct sim_node *node = sim_world_node(host->world, &stream->hop.remote);
    const struct ahoyd_listen *listen = &host->config->listens[stream->hop.listener];
    struct ahoy_wire_event event = { .kind = accepted ? AHOY_WIRE_PROVED : AHOY_WIRE_CONNECTED,
                                     .hop = stream->hop };
    bool is_secure = ahoy_transport_is_secure((enum ahoy_transport)stream->hop.transport);
    bool must_prove = is_secure && (!accepted || listen->verify == AHOYD_VERIFY_REQUIRED);
    if (is_secure && node != NULL)
        event.peer = node->proves;
    bool proves =
        event.peer != NULL && (accepted || ahoy_peer_is(event.peer, ahoy_span(stream->domain)));
    if (must_prove && !proves) {
        sim_world_close(host->world, stream->number, local_of(host, &stream->hop),
                        &stream->hop.remote);
        end_stream(host, stream);
    } else if (!accepted || event.peer != NULL) {
        step(host, &event);
    }
}

static void accept_stream(struct sim_host *host, const struct sim_packet *packet)
{
    uint8_t listener = listener_at(host, false, &packet->to);
    struct ahoy_wire_event event = { .kind = AHOY_WIRE_ACCEPTED,
                                     .hop = { .transport =
                                                  (uint8_t)host->listeners[listener].transport,
                                              .listener = listener,
                                              .remote = packet->from } };
    struct stream *stream = find_stream(host, 0);
    if (stream != NULL)
        step(host, &event);
    if (stream == NULL || event.hop.connection.generation == 0) {
        sim_world_close(host->world, packet->stream, &packet->to, &packet->from);
        return;
    }
    *stream = (struct stream){ .number = packet->stream, .hop = event.hop };
    shake_hands(host, stream, true);
}

static void receive_on_stream(struct sim_host *host, struct stream *stream,
                              const struct sim_packet *packet)
{
    struct ahoy_wire_event event = { .kind = AHOY_WIRE_BYTES,
                                     .hop = stream->hop,
                                     .bytes = packet->bytes };
    if (packet->kind == SIM_OPENED)
        shake_hands(host, stream, false);
    else if (packet->kind == SIM_CLOSE)
        end_stream(host, stream);
    else
        step(host, &event);
}

static void receive(void *self, const struct sim_packet *packet)
{
    struct sim_host *host = self;
    struct ahoy_wire_event event = { .bytes = packet->bytes, .hop.remote = packet->from };
    struct stream *stream = NULL;
    if (packet->kind == SIM_OPEN) {
        accept_stream(host, packet);
    } else if (packet->kind == SIM_DATAGRAM) {
        event.kind = AHOY_WIRE_DATAGRAM;
        event.hop.transport = AHOY_UDP;
        event.hop.listener = listener_at(host, true, &packet->to);
        if (event.hop.listener != AHOY_ANY_LISTENER)
            step(host, &event);
    } else if (packet->kind == SIM_UNREACHABLE) {
        event.kind = AHOY_WIRE_UNREACHABLE;
        step(host, &event);
    } else if ((stream = find_stream(host, packet->stream)) != NULL) {
        receive_on_stream(host, stream, packet);
    }
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
        /* RFC 7118 5.2: a URI does not tell WS and WSS apart. */
        bool is_websocket = ahoy_transport_is_websocket(listen->transport);
        ahoy_buf_put(&uri, ahoy_transport_uri_name(is_websocket ? AHOY_WS : listen->transport));
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

static uint64_t never(const void *self)
{
    (void)self; /* The first node wakes the host. */
    return UINT64_MAX;
}

static void add_nodes(struct sim_host *host, const char *name)
{
    for (size_t i = 0; i < host->config->listen_count; i++) {
        host->nodes[i] = (struct sim_node){ .name = name,
                                            .ip = host->config->listens[i].ip,
                                            .self = host,
                                            .receive = receive,
                                            .wake = wake,
                                            .deadline = i == 0 ? deadline : never };
        sim_world_add(host->world, &host->nodes[i]);
    }
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
    add_nodes(host, name);
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
    sim_host_register_flow(host, aor, contact, NULL, 0);
}

void sim_host_register_flow(struct sim_host *host, const char *aor, const char *contact,
                            const struct ahoy_ip *from, uint32_t reg_id)
{
    static uint32_t cseq = 0; /* Rises over all registrations: each one is newer. */
    struct ahoy_registration registration = {
        .count = 1,
        .asked = { { .contact = ahoy_span(contact),
                     .instance = from != NULL ? SPAN("<urn:uuid:1>") : SPAN(""),
                     .reg_id = reg_id,
                     .expires_s = 3600,
                     .q = 1000 } },
        .call_id = SPAN("registered-by-the-world"),
        .cseq = ++cseq,
        .hop = { .transport = AHOY_UDP,
                 .listener = AHOY_ANY_LISTENER,
                 .remote = from != NULL ? *from : host->nodes[0].ip },
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
