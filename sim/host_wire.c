/* Between the server and the world: effects become packets, packets become events, and TLS is told
 * to have been there. */
#include <assert.h>

#include "sim/host_inside.h"

#define SPACES "   "

enum { GROWN_SIZE = 4096 }; /* What is larger does not grow. */

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

/* The driver may put spaces into a datagram where the stack says that they mean nothing, so some
 * are put in wherever it says so. */
static void send_datagram(struct sim_host *host, const struct ahoy_wire_effect *effect, bool lost)
{
    const struct ahoy_ip *local = local_of(host, &effect->hop);
    struct span bytes = effect->bytes;
    char space[GROWN_SIZE];
    if (effect->gap > 0 && bytes.size + SPAN(SPACES).size <= sizeof space) {
        struct ahoy_buf grown = ahoy_buf_over(space, sizeof space);
        ahoy_buf_put(&grown, (struct span){ bytes.at, effect->gap });
        ahoy_buf_put(&grown, SPAN(SPACES));
        ahoy_buf_put(&grown, ahoy_span_after(bytes, effect->gap));
        bytes = ahoy_buf_text(&grown);
    }
    sim_world_datagram(host->world, local, &effect->hop.remote, bytes, lost);
}

static void send(struct sim_host *host, const struct ahoy_wire_effect *effect)
{
    const struct ahoy_ip *local = local_of(host, &effect->hop);
    const struct stream *stream = stream_of(host, effect->hop.connection);
    bool lost = must_lose(host, effect);
    if (host->eyes->sends != NULL)
        host->eyes->sends(host->eyes->context, stream == NULL ? 0 : stream->number,
                          &effect->hop.remote, effect->bytes);
    if (effect->hop.transport == AHOY_UDP)
        send_datagram(host, effect, lost);
    else if (stream != NULL && !lost)
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
    if (host->eyes->loses != NULL)
        host->eyes->loses(host->eyes->context, stream->number);
    sim_world_close(host->world, stream->number, local_of(host, &stream->hop), &stream->hop.remote);
    stream->number = 0;
}

void sim_host_carry(struct sim_host *host, const struct ahoy_wire_effect *effect)
{
    if (effect->kind == AHOY_WIRE_SEND)
        send(host, effect);
    else if (effect->kind == AHOY_WIRE_CONNECT)
        connect_to(host, effect);
    else if (effect->kind == AHOY_WIRE_CLOSE)
        close_stream(host, effect);
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
    sim_host_step(host, &event);
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
        sim_host_step(host, &event);
    }
}

/* Nobody is there: a connection is refused, all else is lost. */
static void refuse(struct sim_host *host, const struct sim_packet *packet)
{
    if (packet->kind == SIM_OPEN)
        sim_world_close(host->world, packet->stream, &packet->to, &packet->from);
}

static void accept_stream(struct sim_host *host, const struct sim_packet *packet)
{
    uint8_t listener = listener_at(host, false, &packet->to);
    struct stream *stream = find_stream(host, 0);
    if (listener == AHOY_ANY_LISTENER || stream == NULL) {
        refuse(host, packet);
        return;
    }
    struct ahoy_wire_event event = { .kind = AHOY_WIRE_ACCEPTED,
                                     .hop = { .transport =
                                                  (uint8_t)host->listeners[listener].transport,
                                              .listener = listener,
                                              .remote = packet->from } };
    sim_host_step(host, &event);
    if (event.hop.connection.generation == 0) {
        refuse(host, packet);
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
        sim_host_step(host, &event);
}

static void see(struct sim_host *host, const struct sim_packet *packet)
{
    const struct sim_host_eyes *eyes = host->eyes;
    if (eyes->receives != NULL && (packet->kind == SIM_DATAGRAM || packet->kind == SIM_BYTES))
        eyes->receives(eyes->context, packet->stream, &packet->from, packet->bytes);
    if (eyes->loses != NULL && packet->kind == SIM_CLOSE)
        eyes->loses(eyes->context, packet->stream);
}

void sim_host_receive(void *self, const struct sim_packet *packet)
{
    struct sim_host *host = self;
    struct ahoy_wire_event event = { .bytes = packet->bytes, .hop.remote = packet->from };
    struct stream *stream = find_stream(host, packet->stream);
    if (host->server == NULL) {
        refuse(host, packet);
        return;
    }
    if (packet->kind == SIM_DATAGRAM || stream != NULL)
        see(host, packet);
    if (packet->kind == SIM_OPEN) {
        accept_stream(host, packet);
    } else if (packet->kind == SIM_DATAGRAM) {
        event.kind = AHOY_WIRE_DATAGRAM;
        event.hop.transport = AHOY_UDP;
        event.hop.listener = listener_at(host, true, &packet->to);
        if (event.hop.listener != AHOY_ANY_LISTENER)
            sim_host_step(host, &event);
    } else if (packet->kind == SIM_UNREACHABLE) {
        event.kind = AHOY_WIRE_UNREACHABLE;
        sim_host_step(host, &event);
    } else if (stream != NULL) {
        receive_on_stream(host, stream, packet);
    }
}
