/* A connection's life: CONNECTING, OPEN, then LEAVING while something waits to leave, then
 * DISCARDING until the peer has closed too.  Closing a socket with unread bytes in it would send a
 * reset, and the reset could overtake the answer that told the peer why. */
#include "libahoy/io/streams.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "libahoy/io/socket.h"

enum {
    INPUT_SIZE = 65536,
    EARLY_WRITE = 256 * 1024, /* What is not put off until the end of the turn. */
    PAGES_KEPT = 64,
    TABLE_START = 64
};

enum state { CONNECTING = 1, OPEN, LEAVING, DISCARDING, GONE };

struct ahoy_stream {
    struct ahoy_source source;
    enum state state;
    bool ended;  /* The peer sends no more. */
    bool broken; /* Nothing can be sent any more; reading will find out why. */
    struct ahoy_hop hop;
    struct ahoy_outgoing outgoing;
    struct ahoy_timer timer;                 /* To connect; to leave. */
    struct ahoy_stream *next, **link;        /* In all. */
    struct ahoy_stream *queue, **queue_link; /* In dirty or in gone. */
};

bool ahoy_streams_init(struct ahoy_streams *streams, struct ahoy_loop *loop,
                       struct ahoy_timers *timers, struct ahoy_driver_counters *counters, int kind)
{
    *streams =
        (struct ahoy_streams){ .loop = loop, .timers = timers, .counters = counters, .kind = kind };
    ahoy_pages_init(&streams->pages, PAGES_KEPT);
    streams->input = malloc(INPUT_SIZE);
    return streams->input != NULL;
}

static void enqueue(struct ahoy_stream **queue, struct ahoy_stream *stream)
{
    assert(stream->queue_link == NULL);
    stream->queue = *queue;
    if (stream->queue != NULL)
        stream->queue->queue_link = &stream->queue;
    stream->queue_link = queue;
    *queue = stream;
}

static void dequeue(struct ahoy_stream *stream)
{
    if (stream->queue_link == NULL)
        return;
    *stream->queue_link = stream->queue;
    if (stream->queue != NULL)
        stream->queue->queue_link = stream->queue_link;
    stream->queue_link = NULL;
}

static struct ahoy_stream *find(const struct ahoy_streams *streams, struct ahoy_handle connection)
{
    if (connection.generation == 0 || connection.slot >= streams->table_size)
        return NULL;
    struct ahoy_stream *stream = streams->table[connection.slot];
    if (stream == NULL || !ahoy_handle_equal(stream->hop.connection, connection))
        return NULL;
    return stream;
}

/* The handle is stale from now on. */
static void detach(struct ahoy_streams *streams, struct ahoy_stream *stream)
{
    if (find(streams, stream->hop.connection) == stream)
        streams->table[stream->hop.connection.slot] = NULL;
}

/* Makes room for |slot| in the table. */
static bool reserve(struct ahoy_streams *streams, uint32_t slot)
{
    if (slot < streams->table_size)
        return true;
    if (slot >= AHOY_CONNECTIONS_LIMIT)
        return false;
    size_t size = streams->table_size == 0 ? TABLE_START : streams->table_size;
    while (size <= slot)
        size *= 2;
    struct ahoy_stream **table = realloc(streams->table, size * sizeof(struct ahoy_stream *));
    if (table == NULL)
        return false;
    for (size_t i = streams->table_size; i < size; i++)
        table[i] = NULL;
    streams->table = table;
    streams->table_size = size;
    return true;
}

/* Takes everything but the memory that says who it was. */
static void tear_down(struct ahoy_streams *streams, struct ahoy_stream *stream)
{
    detach(streams, stream);
    dequeue(stream);
    ahoy_timers_cancel(streams->timers, &stream->timer);
    ahoy_outgoing_clear(&stream->outgoing, &streams->pages);
    if (stream->state == LEAVING || stream->state == DISCARDING)
        streams->lingering--;
    if (stream->source.fd >= 0) {
        ahoy_loop_unwatch(streams->loop, &stream->source);
        close(stream->source.fd);
        stream->source.fd = -1;
    }
    stream->state = GONE;
}

static void forget(struct ahoy_streams *streams, struct ahoy_stream *stream)
{
    tear_down(streams, stream);
    *stream->link = stream->next;
    if (stream->next != NULL)
        stream->next->link = stream->link;
    free(stream);
}

/* The connection is lost outside of an event: its CLOSED is owed. */
static void lose(struct ahoy_streams *streams, struct ahoy_stream *stream)
{
    tear_down(streams, stream);
    enqueue(&streams->gone, stream);
}

void ahoy_streams_fini(struct ahoy_streams *streams)
{
    while (streams->all != NULL)
        forget(streams, streams->all);
    ahoy_pages_trim(&streams->pages);
    free(streams->table);
    free(streams->input);
}

/* A stream for |hop| without a socket yet; NULL: its CLOSED is owed. */
static struct ahoy_stream *add(struct ahoy_streams *streams, const struct ahoy_hop *hop)
{
    assert(hop->connection.generation != 0);
    struct ahoy_stream *stream = NULL;
    if (reserve(streams, hop->connection.slot))
        stream = calloc(1, sizeof *stream);
    if (stream == NULL) {
        if (streams->lost_count < AHOY_LOST_LIMIT)
            streams->lost[streams->lost_count++] = *hop;
        return NULL;
    }
    stream->source = (struct ahoy_source){ .fd = -1, .kind = streams->kind };
    stream->hop = *hop;
    stream->timer.what = (uintptr_t)stream;
    stream->timer.which = (uint32_t)streams->kind;
    stream->next = streams->all;
    stream->link = &streams->all;
    if (stream->next != NULL)
        stream->next->link = &stream->next;
    streams->all = stream;
    /* Slots are given out anew only when what had them was closed. */
    assert(streams->table[hop->connection.slot] == NULL);
    streams->table[hop->connection.slot] = stream;
    return stream;
}

void ahoy_streams_adopt(struct ahoy_streams *streams, int fd, const struct ahoy_hop *hop)
{
    struct ahoy_stream *stream = add(streams, hop);
    if (stream == NULL) {
        close(fd);
        return;
    }
    stream->source.fd = fd;
    stream->state = OPEN;
    streams->counters->accepted++;
    if (!ahoy_loop_watch(streams->loop, &stream->source, EPOLLIN))
        lose(streams, stream);
}

void ahoy_streams_connect(struct ahoy_streams *streams, const struct ahoy_ip *local,
                          const struct ahoy_hop *hop)
{
    struct ahoy_stream *stream = add(streams, hop);
    if (stream == NULL) {
        streams->counters->not_opened++;
        return;
    }
    stream->state = CONNECTING;
    stream->source.fd = ahoy_socket_connect(local, &hop->remote);
    if (stream->source.fd < 0 || !ahoy_loop_watch(streams->loop, &stream->source, EPOLLOUT)) {
        streams->counters->not_opened++;
        lose(streams, stream);
        return;
    }
    ahoy_timers_set(streams->timers, &stream->timer, streams->now_ms + AHOY_CONNECT_MS);
}

/* What the stream waits for. */
static void set_interest(struct ahoy_streams *streams, struct ahoy_stream *stream)
{
    uint32_t interest = stream->outgoing.size > 0 ? EPOLLOUT : 0;
    /* What a closed connection still sends is read when all has left, to be discarded. */
    if (stream->state == OPEN || stream->state == DISCARDING)
        interest |= EPOLLIN;
    ahoy_loop_change(streams->loop, &stream->source, interest);
}

/* All has left a connection that its owner has closed: now the peer must close too. */
static void finish_leaving(struct ahoy_streams *streams, struct ahoy_stream *stream)
{
    if (stream->ended || shutdown(stream->source.fd, SHUT_WR) != 0) {
        forget(streams, stream);
        return;
    }
    stream->state = DISCARDING;
    set_interest(streams, stream);
}

/* The socket takes nothing any more.  A peer that is gone may have left a last message, so it is
 * the reader who tells; anything else is the end. */
static void fail_write(struct ahoy_streams *streams, struct ahoy_stream *stream)
{
    bool peer_is_gone = errno == EPIPE || errno == ECONNRESET || errno == ETIMEDOUT;
    if (stream->state == LEAVING) {
        forget(streams, stream);
    } else if (peer_is_gone) {
        stream->broken = true;
        ahoy_outgoing_clear(&stream->outgoing, &streams->pages);
        set_interest(streams, stream);
    } else {
        lose(streams, stream);
    }
}

/* Writes as much as the socket takes; the stream may be gone afterwards. */
static void write_out(struct ahoy_streams *streams, struct ahoy_stream *stream)
{
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
    if (stream->state == LEAVING && stream->outgoing.size == 0)
        finish_leaving(streams, stream);
    else
        set_interest(streams, stream);
}

/* Whether |size| more bytes may wait. */
static bool has_room(const struct ahoy_streams *streams, const struct ahoy_stream *stream,
                     size_t size)
{
    return size <= AHOY_OUTPUT_LIMIT - stream->outgoing.size &&
           streams->pages.used + size <= AHOY_OUTPUTS_LIMIT;
}

/* Whether epoll will tell when there is room: until then trying is of no use. */
static bool is_blocked(const struct ahoy_stream *stream)
{
    return (stream->source.interest & EPOLLOUT) != 0;
}

void ahoy_streams_send(struct ahoy_streams *streams, struct ahoy_handle connection,
                       struct span bytes)
{
    struct ahoy_stream *stream = find(streams, connection);
    if (stream == NULL || stream->broken)
        return;
    if (!is_blocked(stream) && stream->outgoing.size >= EARLY_WRITE) {
        write_out(streams, stream);
        stream = find(streams, connection);
        if (stream == NULL || stream->broken)
            return;
    }
    if (!has_room(streams, stream, bytes.size) ||
        !ahoy_outgoing_put(&stream->outgoing, &streams->pages, bytes)) {
        streams->counters->outputs_overrun++;
        lose(streams, stream);
        return;
    }
    if (!is_blocked(stream) && stream->queue_link == NULL)
        enqueue(&streams->dirty, stream);
}

void ahoy_streams_flush(struct ahoy_streams *streams)
{
    while (streams->dirty != NULL) {
        struct ahoy_stream *stream = streams->dirty;
        dequeue(stream);
        write_out(streams, stream);
    }
}

/* Lets what waits leave, for a limited time; the stream may be gone afterwards. */
static void leave(struct ahoy_streams *streams, struct ahoy_stream *stream)
{
    detach(streams, stream);
    if (streams->lingering == AHOY_LINGERING_LIMIT || stream->broken) {
        forget(streams, stream);
        return;
    }
    streams->lingering++;
    stream->state = LEAVING;
    ahoy_timers_set(streams->timers, &stream->timer, streams->now_ms + AHOY_LINGER_MS);
    if (stream->outgoing.size == 0)
        finish_leaving(streams, stream);
    else if (stream->queue_link == NULL)
        set_interest(streams, stream); /* Else the flush will. */
}

void ahoy_streams_close(struct ahoy_streams *streams, struct ahoy_handle connection)
{
    struct ahoy_stream *stream = find(streams, connection);
    if (stream == NULL)
        return;
    if (stream->state == CONNECTING)
        forget(streams, stream);
    else
        leave(streams, stream);
}

static bool tell(const struct ahoy_stream *stream, enum ahoy_wire_event_kind kind,
                 struct span bytes, struct ahoy_wire_event *event)
{
    *event = (struct ahoy_wire_event){ .kind = kind, .hop = stream->hop, .bytes = bytes };
    return true;
}

static bool finish_connecting(struct ahoy_streams *streams, struct ahoy_stream *stream,
                              struct ahoy_wire_event *event)
{
    int why = 0;
    socklen_t size = sizeof why;
    int rc = getsockopt(stream->source.fd, SOL_SOCKET, SO_ERROR, &why, &size);
    ahoy_timers_cancel(streams->timers, &stream->timer);
    if (rc != 0 || why != 0) {
        streams->counters->not_opened++;
        tell(stream, AHOY_WIRE_CLOSED, SPAN(""), event);
        forget(streams, stream);
        return true;
    }
    streams->counters->opened++;
    stream->state = OPEN;
    set_interest(streams, stream);
    return tell(stream, AHOY_WIRE_CONNECTED, SPAN(""), event);
}

/* The peer has closed, or is gone: the owner is told at once.  A peer that has only ended its own
 * side may still wait for what is on the way to it. */
static bool finish_reading(struct ahoy_streams *streams, struct ahoy_stream *stream, bool ended,
                           struct ahoy_wire_event *event)
{
    tell(stream, AHOY_WIRE_CLOSED, SPAN(""), event);
    stream->ended = ended;
    if (ended && stream->outgoing.size > 0)
        leave(streams, stream);
    else
        forget(streams, stream);
    return true;
}

static bool read_bytes(struct ahoy_streams *streams, struct ahoy_stream *stream, unsigned *reads,
                       struct ahoy_wire_event *event)
{
    if (*reads == 0)
        return false;
    ssize_t size = recv(stream->source.fd, streams->input, INPUT_SIZE, MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (size <= 0)
        return finish_reading(streams, stream, size == 0, event);
    *reads = size < INPUT_SIZE ? 0 : *reads - 1;
    return tell(stream, AHOY_WIRE_BYTES, (struct span){ streams->input, (size_t)size }, event);
}

/* Reads and forgets (MSG_TRUNC copies nothing). */
static void discard(struct ahoy_streams *streams, struct ahoy_stream *stream)
{
    ssize_t size = recv(stream->source.fd, streams->input, INPUT_SIZE, MSG_DONTWAIT | MSG_TRUNC);
    if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR))
        forget(streams, stream);
}

bool ahoy_streams_serve(struct ahoy_streams *streams, struct ahoy_source *source, uint32_t *events,
                        unsigned *reads, struct ahoy_wire_event *event)
{
    /* The source is a stream's first member. */
    struct ahoy_stream *stream = (struct ahoy_stream *)(void *)source;
    uint32_t ready = *events;
    *events &= ~(uint32_t)EPOLLOUT;
    if (stream->state == CONNECTING)
        return finish_connecting(streams, stream, event);
    if ((ready & EPOLLOUT) != 0) {
        write_out(streams, stream);
        if (streams->loop->current == NULL)
            return false;
    }
    if (stream->state == OPEN && (ready & ~(uint32_t)EPOLLOUT) != 0)
        return read_bytes(streams, stream, reads, event);
    if (stream->state == DISCARDING && (ready & ~(uint32_t)EPOLLOUT) != 0)
        discard(streams, stream);
    else if (stream->state == LEAVING && (ready & (EPOLLERR | EPOLLHUP)) != 0)
        forget(streams, stream);
    return false;
}

void ahoy_streams_expire(struct ahoy_streams *streams, struct ahoy_timer *timer)
{
    struct ahoy_stream *stream = (struct ahoy_stream *)(uintptr_t)timer->what;
    if (stream->state == CONNECTING) {
        streams->counters->not_opened++;
        lose(streams, stream);
    } else {
        forget(streams, stream);
    }
}

bool ahoy_streams_gone(struct ahoy_streams *streams, struct ahoy_wire_event *event)
{
    if (streams->gone != NULL) {
        tell(streams->gone, AHOY_WIRE_CLOSED, SPAN(""), event);
        forget(streams, streams->gone);
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
