/* What happens on connections: they are opened, shake hands, are read and end. */
#include "libahoy/io/streams.h"

#include <errno.h>
#include <unistd.h>

#include "libahoy/io/arrival.h"
#include "libahoy/io/socket.h"
#include "libahoy/io/stream.h"

static bool is_secure(const struct ahoy_hop *hop)
{
    return ahoy_transport_is_secure((enum ahoy_transport)hop->transport);
}

/* False where memory is refused, or nothing is known of TLS: the connection is lost. */
static bool has_its_tls(const struct ahoy_stream *stream)
{
    return !is_secure(&stream->hop) || stream->tls != NULL;
}

void ahoy_streams_adopt(struct ahoy_streams *streams, int fd, const struct ahoy_hop *hop)
{
    struct ahoy_stream *stream = ahoy_stream_add(streams, hop);
    if (stream == NULL) {
        close(fd);
        return;
    }
    stream->source.fd = fd;
    stream->state = AHOY_STREAM_OPEN;
    streams->counters->accepted++;
    if (is_secure(hop)) {
        stream->state = AHOY_STREAM_SHAKING;
        stream->tls = ahoy_tls_accept(streams->tls, hop->listener);
    }
    if (!has_its_tls(stream) || !ahoy_loop_watch(streams->loop, &stream->source, EPOLLIN))
        ahoy_stream_lose(streams, stream);
}

void ahoy_streams_connect(struct ahoy_streams *streams, const struct ahoy_ip *local,
                          const struct ahoy_hop *hop, struct span domain)
{
    struct ahoy_stream *stream = ahoy_stream_add(streams, hop);
    if (stream == NULL) {
        streams->counters->not_opened++;
        return;
    }
    stream->state = AHOY_STREAM_CONNECTING;
    stream->opened = true;
    if (is_secure(hop) && streams->tls != NULL)
        stream->tls = ahoy_tls_connect(streams->tls, domain, &hop->remote);
    if (has_its_tls(stream))
        stream->source.fd = ahoy_socket_connect(local, &hop->remote);
    if (stream->source.fd < 0 || !ahoy_loop_watch(streams->loop, &stream->source, EPOLLOUT)) {
        streams->counters->not_opened++;
        ahoy_stream_lose(streams, stream);
        return;
    }
    ahoy_timers_set(streams->timers, &stream->timer, streams->now_ms + AHOY_CONNECT_MS);
}

static bool tell(const struct ahoy_stream *stream, enum ahoy_wire_event_kind kind,
                 struct span bytes, struct ahoy_wire_event *event)
{
    *event = (struct ahoy_wire_event){ .kind = kind, .hop = stream->hop, .bytes = bytes };
    return true;
}

/* |bytes| are what was read last, or a part of it. */
static bool tell_bytes(const struct ahoy_streams *streams, const struct ahoy_stream *stream,
                       struct span bytes, struct ahoy_wire_event *event)
{
    tell(stream, AHOY_WIRE_BYTES, bytes, event);
    event->waited_us = streams->waited_us;
    return true;
}

/* Reads into streams->input, as recv does. */
static ssize_t receive(struct ahoy_streams *streams, int fd)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct timespec))];
    struct iovec piece = { streams->input, AHOY_STREAM_INPUT };
    struct msghdr header = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control
    };
    ssize_t size = recvmsg(fd, &header, MSG_DONTWAIT);
    if (size > 0) {
        const struct timespec now = ahoy_arrival_now();
        streams->waited_us = ahoy_arrival_read(&header, &now).waited_us;
    }
    return size;
}

/* The peer has closed, is gone or has broken TLS, which |size| says as recv and 1 would: the owner
 * is told at once.  A peer that has only ended its own side may still wait for what is on the way
 * to it. */
static bool finish_reading(struct ahoy_streams *streams, struct ahoy_stream *stream, ssize_t size,
                           struct ahoy_wire_event *event)
{
    tell(stream, AHOY_WIRE_CLOSED, SPAN(""), event);
    stream->ended = size == 0;
    if (stream->state == AHOY_STREAM_SHAKING) {
        event->fate = ahoy_tls_fate(stream->tls);
        *(stream->opened ? &streams->counters->not_opened : &streams->counters->not_secured) += 1;
    }
    if (size >= 0 && ahoy_stream_waiting(stream) > 0)
        ahoy_stream_leave(streams, stream);
    else
        ahoy_stream_forget(streams, stream);
    return true;
}

/* Hands are shaken: what was to be told of the connection can be; false where there is nothing. */
static bool finish_shaking(struct ahoy_streams *streams, struct ahoy_stream *stream,
                           struct ahoy_wire_event *event)
{
    stream->state = AHOY_STREAM_OPEN;
    streams->counters->secured++;
    streams->counters->resumed += ahoy_tls_is_resumed(stream->tls);
    ahoy_timers_cancel(streams->timers, &stream->timer);
    bool known = ahoy_tls_identify(stream->tls, &streams->identity);
    if (stream->opened)
        streams->counters->opened++;
    else if (!known)
        return false;
    tell(stream, stream->opened ? AHOY_WIRE_CONNECTED : AHOY_WIRE_PROVED, SPAN(""), event);
    event->peer = known ? &streams->identity.peer : NULL;
    return true;
}

/* A record that has begun takes memory, so its end must come. */
static void time_record(struct ahoy_streams *streams, struct ahoy_stream *stream)
{
    if (stream->state != AHOY_STREAM_OPEN)
        return;
    if (!ahoy_tls_is_partial(stream->tls))
        ahoy_timers_cancel(streams->timers, &stream->timer);
    else if (!ahoy_timer_is_set(&stream->timer))
        ahoy_timers_set(streams->timers, &stream->timer, streams->now_ms + AHOY_RECORD_MS);
}

/* What has been opened is told before the end that may have come behind it. */
static bool tell_rest(struct ahoy_streams *streams, struct ahoy_stream *stream,
                      struct ahoy_wire_event *event)
{
    bool any = streams->rest_of == stream && streams->rest.size > 0;
    streams->rest_of = NULL;
    if (any)
        return tell_bytes(streams, stream, streams->rest, event);
    if (ahoy_tls_state(stream->tls) >= AHOY_TLS_ENDED)
        return finish_reading(streams, stream, 1, event);
    return false;
}

/* Opens |sealed|; true where something came of it. */
static bool read_sealed(struct ahoy_streams *streams, struct ahoy_stream *stream,
                        struct span sealed, struct ahoy_wire_event *event)
{
    struct ahoy_tls_way way = ahoy_stream_way(streams, stream);
    size_t size;
    enum ahoy_tls_state state =
        ahoy_tls_open(stream->tls, sealed, &way, streams->plain, AHOY_STREAM_PLAIN, &size);
    streams->rest = (struct span){ streams->plain, size };
    streams->rest_of = stream;
    /* OpenSSL answers by itself too: who makes it do so must read. */
    if (ahoy_stream_waiting(stream) > 0 && !ahoy_stream_has_room(streams, stream, 0)) {
        streams->counters->outputs_overrun++;
        ahoy_stream_lose(streams, stream);
        return false;
    }
    ahoy_stream_send_soon(streams, stream);
    bool told = stream->state == AHOY_STREAM_SHAKING && state == AHOY_TLS_STANDING &&
                finish_shaking(streams, stream, event);
    time_record(streams, stream);
    return told || tell_rest(streams, stream, event);
}

static bool finish_connecting(struct ahoy_streams *streams, struct ahoy_stream *stream,
                              struct ahoy_wire_event *event)
{
    int why = 0;
    socklen_t size = sizeof why;
    int rc = getsockopt(stream->source.fd, SOL_SOCKET, SO_ERROR, &why, &size);
    if (rc != 0 || why != 0) {
        streams->counters->not_opened++;
        tell(stream, AHOY_WIRE_CLOSED, SPAN(""), event);
        event->fate = AHOY_FATE_REFUSED;
        ahoy_stream_forget(streams, stream);
        return true;
    }
    if (stream->tls != NULL) {
        stream->state = AHOY_STREAM_SHAKING;
        ahoy_stream_set_interest(streams, stream);
        return read_sealed(streams, stream, SPAN(""), event);
    }
    ahoy_timers_cancel(streams->timers, &stream->timer);
    streams->counters->opened++;
    stream->state = AHOY_STREAM_OPEN;
    ahoy_stream_set_interest(streams, stream);
    return tell(stream, AHOY_WIRE_CONNECTED, SPAN(""), event);
}

static bool read_bytes(struct ahoy_streams *streams, struct ahoy_stream *stream, unsigned *reads,
                       struct ahoy_wire_event *event)
{
    if (stream->tls != NULL && tell_rest(streams, stream, event))
        return true;
    if (*reads == 0)
        return false;
    ssize_t size = receive(streams, stream->source.fd);
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (size <= 0)
        return finish_reading(streams, stream, size, event);
    *reads = size < AHOY_STREAM_INPUT ? 0 : *reads - 1;
    struct span bytes = { streams->input, (size_t)size };
    if (stream->tls != NULL)
        return read_sealed(streams, stream, bytes, event);
    return tell_bytes(streams, stream, bytes, event);
}

/* Reads and forgets (MSG_TRUNC copies nothing). */
static void discard(struct ahoy_streams *streams, struct ahoy_stream *stream)
{
    ssize_t size =
        recv(stream->source.fd, streams->input, AHOY_STREAM_INPUT, MSG_DONTWAIT | MSG_TRUNC);
    if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR))
        ahoy_stream_forget(streams, stream);
}

bool ahoy_streams_serve(struct ahoy_streams *streams, struct ahoy_source *source, uint32_t *events,
                        unsigned *reads, struct ahoy_wire_event *event)
{
    /* The source is a stream's first member. */
    struct ahoy_stream *stream = (struct ahoy_stream *)(void *)source;
    uint32_t ready = *events;
    *events &= ~(uint32_t)EPOLLOUT;
    if (stream->state == AHOY_STREAM_CONNECTING)
        return finish_connecting(streams, stream, event);
    if ((ready & EPOLLOUT) != 0) {
        ahoy_stream_write(streams, stream);
        if (streams->loop->current == NULL)
            return false;
    }
    bool reads_on = stream->state == AHOY_STREAM_SHAKING || stream->state == AHOY_STREAM_OPEN;
    if (reads_on && (ready & ~(uint32_t)EPOLLOUT) != 0)
        return read_bytes(streams, stream, reads, event);
    if (stream->state == AHOY_STREAM_DISCARDING && (ready & ~(uint32_t)EPOLLOUT) != 0)
        discard(streams, stream);
    else if (stream->state == AHOY_STREAM_LEAVING && (ready & (EPOLLERR | EPOLLHUP)) != 0)
        ahoy_stream_forget(streams, stream);
    return false;
}

void ahoy_streams_expire(struct ahoy_streams *streams, struct ahoy_timer *timer)
{
    struct ahoy_stream *stream = (struct ahoy_stream *)(uintptr_t)timer->what;
    if (stream->state == AHOY_STREAM_CONNECTING || stream->state == AHOY_STREAM_SHAKING) {
        streams->counters->not_opened++;
        ahoy_stream_lose(streams, stream);
    } else if (stream->state == AHOY_STREAM_OPEN) {
        streams->counters->records_timed_out++;
        ahoy_stream_lose(streams, stream);
    } else {
        ahoy_stream_forget(streams, stream);
    }
}

bool ahoy_streams_gone(struct ahoy_streams *streams, struct ahoy_wire_event *event)
{
    if (streams->gone != NULL) {
        tell(streams->gone, AHOY_WIRE_CLOSED, SPAN(""), event);
        ahoy_stream_forget(streams, streams->gone);
        return true;
    }
    if (streams->lost_count == 0)
        return false;
    *event = (struct ahoy_wire_event){ .kind = AHOY_WIRE_CLOSED,
                                       .hop = streams->lost[--streams->lost_count] };
    return true;
}

void ahoy_streams_trim(struct ahoy_streams *streams)
{
    ahoy_pages_trim(&streams->pages);
}
