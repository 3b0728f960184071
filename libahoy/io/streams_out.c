/* What leaves by connections.  A message is copied to the end of what waits; the flush at the end
 * of the turn seals it, where it is TLS, and writes it.  So many messages make one record and one
 * write, which is what both cost by. */
#include "libahoy/io/stream.h"

#include <errno.h>
#include <sys/socket.h>

enum { EARLY_WRITE = 256 * 1024 }; /* What is not put off until the end of the turn. */

void ahoy_stream_set_interest(struct ahoy_streams *streams, struct ahoy_stream *stream)
{
    uint32_t interest = stream->outgoing.size > 0 ? EPOLLOUT : 0;
    /* What a closed connection still sends is read when all has left, to be discarded. */
    if (stream->state == AHOY_STREAM_SHAKING || stream->state == AHOY_STREAM_OPEN ||
        stream->state == AHOY_STREAM_DISCARDING)
        interest |= EPOLLIN;
    ahoy_loop_change(streams->loop, &stream->source, interest);
}

/* All has left a connection that its owner has closed: now the peer must close too. */
static void finish_leaving(struct ahoy_streams *streams, struct ahoy_stream *stream)
{
    if (stream->ended || shutdown(stream->source.fd, SHUT_WR) != 0) {
        ahoy_stream_forget(streams, stream);
        return;
    }
    stream->state = AHOY_STREAM_DISCARDING;
    ahoy_stream_set_interest(streams, stream);
}

/* The socket takes nothing any more.  A peer that is gone may have left a last message, so it is
 * the reader who tells; anything else is the end. */
static void fail_write(struct ahoy_streams *streams, struct ahoy_stream *stream)
{
    bool peer_is_gone = errno == EPIPE || errno == ECONNRESET || errno == ETIMEDOUT;
    if (stream->state == AHOY_STREAM_LEAVING) {
        ahoy_stream_forget(streams, stream);
    } else if (peer_is_gone) {
        stream->broken = true;
        ahoy_outgoing_clear(&stream->plain, &streams->pages);
        ahoy_outgoing_clear(&stream->outgoing, &streams->pages);
        ahoy_stream_set_interest(streams, stream);
    } else {
        ahoy_stream_lose(streams, stream);
    }
}

struct ahoy_tls_way ahoy_stream_way(struct ahoy_streams *streams, struct ahoy_stream *stream)
{
    return (struct ahoy_tls_way){ .outgoing = &stream->outgoing, .pages = &streams->pages };
}

/* Seals what waits to be; false where that is not possible. */
static bool seal(struct ahoy_streams *streams, struct ahoy_stream *stream)
{
    struct ahoy_tls_way way = ahoy_stream_way(streams, stream);
    while (stream->plain.size > 0) {
        struct iovec pieces[AHOY_PAGES_A_WRITE];
        (void)ahoy_outgoing_pieces(&stream->plain, pieces); /* There is one, at least. */
        struct span plain = { pieces[0].iov_base, pieces[0].iov_len };
        if (!ahoy_tls_seal(stream->tls, plain, &way))
            return false;
        ahoy_outgoing_take(&stream->plain, &streams->pages, plain.size);
    }
    return true;
}

static void overrun(struct ahoy_streams *streams, struct ahoy_stream *stream)
{
    streams->counters->outputs_overrun++;
    ahoy_stream_lose(streams, stream);
}

void ahoy_stream_write(struct ahoy_streams *streams, struct ahoy_stream *stream)
{
    if (!seal(streams, stream)) {
        overrun(streams, stream);
        return;
    }
    while (stream->outgoing.size > 0) {
        struct iovec pieces[AHOY_PAGES_A_WRITE];
        struct msghdr header = { .msg_iov = pieces };
        header.msg_iovlen = (size_t)ahoy_outgoing_pieces(&stream->outgoing, pieces);
        size_t asked = 0;
        for (size_t i = 0; i < header.msg_iovlen; i++)
            asked += pieces[i].iov_len;
        ssize_t sent = sendmsg(stream->source.fd, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && errno != EAGAIN) {
            fail_write(streams, stream);
            return;
        }
        if (sent > 0)
            ahoy_outgoing_take(&stream->outgoing, &streams->pages, (size_t)sent);
        if (sent < 0 || (size_t)sent < asked)
            break; /* It is full: asking again would only say so. */
    }
    if (stream->state == AHOY_STREAM_LEAVING && stream->outgoing.size == 0)
        finish_leaving(streams, stream);
    else
        ahoy_stream_set_interest(streams, stream);
}

bool ahoy_stream_has_room(const struct ahoy_streams *streams, const struct ahoy_stream *stream,
                          size_t size)
{
    return ahoy_stream_waiting(stream) + size <= AHOY_OUTPUT_LIMIT &&
           streams->pages.used + size <= AHOY_OUTPUTS_LIMIT;
}

/* Whether epoll will tell when there is room: until then trying is of no use. */
static bool is_blocked(const struct ahoy_stream *stream)
{
    return (stream->source.interest & EPOLLOUT) != 0;
}

void ahoy_stream_send_soon(struct ahoy_streams *streams, struct ahoy_stream *stream)
{
    if (ahoy_stream_waiting(stream) > 0 && !is_blocked(stream) && stream->queue_link == NULL)
        ahoy_stream_enqueue(&streams->dirty, stream);
}

void ahoy_streams_send(struct ahoy_streams *streams, struct ahoy_handle connection,
                       struct span bytes)
{
    struct ahoy_stream *stream = ahoy_stream_find(streams, connection);
    bool shaking = stream != NULL && stream->tls != NULL && stream->state < AHOY_STREAM_OPEN;
    if (stream == NULL || stream->broken || shaking) /* Nothing leaves before hands are shaken. */
        return;
    if (!is_blocked(stream) && ahoy_stream_waiting(stream) >= EARLY_WRITE) {
        ahoy_stream_write(streams, stream);
        stream = ahoy_stream_find(streams, connection);
        if (stream == NULL || stream->broken)
            return;
    }
    struct ahoy_outgoing *queue = stream->tls != NULL ? &stream->plain : &stream->outgoing;
    if (ahoy_stream_has_room(streams, stream, bytes.size) &&
        ahoy_outgoing_put(queue, &streams->pages, bytes))
        ahoy_stream_send_soon(streams, stream);
    else
        overrun(streams, stream);
}

void ahoy_streams_flush(struct ahoy_streams *streams)
{
    while (streams->dirty != NULL) {
        struct ahoy_stream *stream = streams->dirty;
        ahoy_stream_dequeue(stream);
        ahoy_stream_write(streams, stream);
    }
}

void ahoy_stream_leave(struct ahoy_streams *streams, struct ahoy_stream *stream)
{
    struct ahoy_tls_way way = ahoy_stream_way(streams, stream);
    if (stream->tls != NULL && !stream->broken) {
        if (!seal(streams, stream))
            ahoy_outgoing_clear(&stream->plain, &streams->pages);
        ahoy_tls_end(stream->tls, &way);
    }
    ahoy_stream_detach(streams, stream);
    if (streams->lingering == AHOY_LINGERING_LIMIT || stream->broken) {
        ahoy_stream_forget(streams, stream);
        return;
    }
    streams->lingering++;
    stream->state = AHOY_STREAM_LEAVING;
    ahoy_timers_set(streams->timers, &stream->timer, streams->now_ms + AHOY_LINGER_MS);
    if (stream->outgoing.size == 0)
        finish_leaving(streams, stream);
    else if (stream->queue_link == NULL)
        ahoy_stream_set_interest(streams, stream); /* Else the flush will. */
}

void ahoy_streams_close(struct ahoy_streams *streams, struct ahoy_handle connection)
{
    struct ahoy_stream *stream = ahoy_stream_find(streams, connection);
    if (stream == NULL)
        return;
    if (stream->state == AHOY_STREAM_CONNECTING || stream->state == AHOY_STREAM_SHAKING)
        ahoy_stream_forget(streams, stream);
    else
        ahoy_stream_leave(streams, stream);
}
