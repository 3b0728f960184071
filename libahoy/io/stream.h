/* For the files of streams: one connection, and what they share about it.
 *
 * Its life: CONNECTING, by TLS SHAKING hands, OPEN, then LEAVING while something waits to leave,
 * then DISCARDING until the peer has closed too.  Closing a socket with unread bytes in it would
 * send a reset, and the reset could overtake the answer that told the peer why. */
#pragma once

#include "libahoy/io/streams.h"

enum {
    AHOY_STREAM_INPUT = 65536, /* What one read takes. */
    AHOY_STREAM_PLAIN = AHOY_STREAM_INPUT + AHOY_TLS_RECORD_SIZE
};

enum ahoy_stream_state {
    AHOY_STREAM_CONNECTING = 1,
    AHOY_STREAM_SHAKING,
    AHOY_STREAM_OPEN,
    AHOY_STREAM_LEAVING,
    AHOY_STREAM_DISCARDING,
    AHOY_STREAM_GONE
};

struct ahoy_stream {
    struct ahoy_source source;
    enum ahoy_stream_state state;
    bool ended;  /* The peer sends no more. */
    bool broken; /* Nothing can be sent any more; reading will find out why. */
    bool opened; /* By us. */
    struct ahoy_hop hop;
    struct ahoy_tls *tls;                    /* NULL for TCP. */
    struct ahoy_outgoing plain;              /* By TLS: waits to be sealed, and then ... */
    struct ahoy_outgoing outgoing;           /* ... to be written. */
    struct ahoy_timer timer;                 /* To connect; for a record's rest; to leave. */
    struct ahoy_stream *next, **link;        /* In all. */
    struct ahoy_stream *queue, **queue_link; /* In dirty or in gone. */
};

/* A stream for |hop| without a socket yet; NULL: its CLOSED is owed. */
struct ahoy_stream *ahoy_stream_add(struct ahoy_streams *streams, const struct ahoy_hop *hop);
/* NULL where |connection| is stale. */
struct ahoy_stream *ahoy_stream_find(const struct ahoy_streams *streams,
                                     struct ahoy_handle connection);
/* Its handle is stale from now on. */
void ahoy_stream_detach(struct ahoy_streams *streams, struct ahoy_stream *stream);
void ahoy_stream_enqueue(struct ahoy_stream **queue, struct ahoy_stream *stream);
void ahoy_stream_dequeue(struct ahoy_stream *stream);
/* The end of it, which its owner knows or is told in an event. */
void ahoy_stream_forget(struct ahoy_streams *streams, struct ahoy_stream *stream);
/* The connection is lost outside of an event: its CLOSED is owed. */
void ahoy_stream_lose(struct ahoy_streams *streams, struct ahoy_stream *stream);

/* Bytes that wait to leave. */
static inline size_t ahoy_stream_waiting(const struct ahoy_stream *stream)
{
    return stream->plain.size + stream->outgoing.size;
}
/* Whether |size| more may. */
bool ahoy_stream_has_room(const struct ahoy_streams *streams, const struct ahoy_stream *stream,
                          size_t size);
struct ahoy_tls_way ahoy_stream_way(struct ahoy_streams *streams, struct ahoy_stream *stream);
/* Tells epoll what the stream waits for. */
void ahoy_stream_set_interest(struct ahoy_streams *streams, struct ahoy_stream *stream);
/* Writes as much as the socket takes; the stream may be gone afterwards. */
void ahoy_stream_write(struct ahoy_streams *streams, struct ahoy_stream *stream);
/* What waits leaves with the flush, unless epoll is to tell of room. */
void ahoy_stream_send_soon(struct ahoy_streams *streams, struct ahoy_stream *stream);
/* Lets what waits leave, for a limited time; the stream may be gone afterwards. */
void ahoy_stream_leave(struct ahoy_streams *streams, struct ahoy_stream *stream);
