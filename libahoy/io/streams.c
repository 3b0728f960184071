/* A connection's life: CONNECTING, by TLS SHAKING hands, OPEN, then LEAVING while something waits
 * to leave, then DISCARDING until the peer has closed too.  Closing a socket with unread bytes in
 * it would send a reset, and the reset could overtake the answer that told the peer why. */
#include "libahoy/io/streams.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "libahoy/io/socket.h"

enum {
    INPUT_SIZE = 65536,
    PLAIN_SIZE = INPUT_SIZE + AHOY_TLS_RECORD_SIZE,
    EARLY_WRITE = 256 * 1024, /* What is not put off until the end of the turn. */
    PAGES_KEPT = 64,
    TABLE_START = 64
};

enum state { CONNECTING = 1, SHAKING, OPEN, LEAVING, DISCARDING, GONE };

struct ahoy_stream {
    struct ahoy_source source;
    enum state state;
    bool ended;  /* The peer sends no more. */
    bool broken; /* Nothing can be sent any more; reading will find out why. */
    bool opened; /* By us. */
    struct ahoy_hop hop;
    struct ahoy_tls *tls; /* NULL for TCP. */
    struct ahoy_outgoing outgoing;
    struct ahoy_timer timer;                 /* To connect; for a record's rest; to leave. */
    struct ahoy_stream *next, **link;        /* In all. */
    struct ahoy_stream *queue, **queue_link; /* In dirty or in gone. */
};

bool ahoy_streams_init(struct ahoy_streams *streams, struct ahoy_loop *loop,
                       struct ahoy_timers *timers, struct ahoy_driver_counters *counters, int kind,
                       struct ahoy_tls_context *tls)
{
    *streams = (struct ahoy_streams){
        .loop = loop, .timers = timers, .counters = counters, .kind = kind, .tls = tls
    };
    ahoy_pages_init(&streams->pages, PAGES_KEPT);
    streams->input = malloc(INPUT_SIZE);
    if (tls != NULL)
        streams->plain = malloc(PLAIN_SIZE);
    return streams->input != NULL && (tls == NULL || streams->plain != NULL);
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
    if (streams->rest_of == stream)
        streams->rest_of = NULL;
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
    ahoy_tls_free(stream->tls);
    stream->tls = NULL;
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
    free(streams->plain);
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
    struct ahoy_stream *stream = add(streams, hop);
    if (stream == NULL) {
        close(fd);
        return;
    }
    stream->source.fd = fd;
    stream->state = OPEN;
    streams->counters->accepted++;
    if (is_secure(hop)) {
        stream->state = SHAKING;
        stream->tls = ahoy_tls_accept(streams->tls, hop->listener);
    }
    if (!has_its_tls(stream) || !ahoy_loop_watch(streams->loop, &stream->source, EPOLLIN))
        lose(streams, stream);
}

void ahoy_streams_connect(struct ahoy_streams *streams, const struct ahoy_ip *local,
                          const struct ahoy_hop *hop, struct span domain)
{
    struct ahoy_stream *stream = add(streams, hop);
    if (stream == NULL) {
        streams->counters->not_opened++;
        return;
    }
    stream->state = CONNECTING;
    stream->opened = true;
    if (is_secure(hop) && streams->tls != NULL)
        stream->tls = ahoy_tls_connect(streams->tls, domain, &hop->remote);
    if (has_its_tls(stream))
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
    if (stream->state == SHAKING || stream->state == OPEN || stream->state == DISCARDING)
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
    return stream->outgoing.size + size <= AHOY_OUTPUT_LIMIT &&
           streams->pages.used + size <= AHOY_OUTPUTS_LIMIT;
}

static struct ahoy_tls_way way_of(struct ahoy_streams *streams, struct ahoy_stream *stream)
{
    return (struct ahoy_tls_way){ .outgoing = &stream->outgoing, .pages = &streams->pages };
}

/* Puts |bytes| behind what waits, sealed where it is TLS; false where memory is refused. */
static bool put(struct ahoy_streams *streams, struct ahoy_stream *stream, struct span bytes)
{
    struct ahoy_tls_way way = way_of(streams, stream);
    if (stream->tls != NULL)
        return ahoy_tls_seal(stream->tls, bytes, &way);
    return ahoy_outgoing_put(&stream->outgoing, &streams->pages, bytes);
}

/* Whether epoll will tell when there is room: until then trying is of no use. */
static bool is_blocked(const struct ahoy_stream *stream)
{
    return (stream->source.interest & EPOLLOUT) != 0;
}

/* What waits leaves with the flush, unless epoll is to tell of room. */
static void send_soon(struct ahoy_streams *streams, struct ahoy_stream *stream)
{
    if (stream->outgoing.size > 0 && !is_blocked(stream) && stream->queue_link == NULL)
        enqueue(&streams->dirty, stream);
}

void ahoy_streams_send(struct ahoy_streams *streams, struct ahoy_handle connection,
                       struct span bytes)
{
    struct ahoy_stream *stream = find(streams, connection);
    bool shaking = stream != NULL && stream->tls != NULL && stream->state < OPEN;
    if (stream == NULL || stream->broken || shaking) /* Nothing leaves before hands are shaken. */
        return;
    if (!is_blocked(stream) && stream->outgoing.size >= EARLY_WRITE) {
        write_out(streams, stream);
        stream = find(streams, connection);
        if (stream == NULL || stream->broken)
            return;
    }
    if (!has_room(streams, stream, bytes.size) || !put(streams, stream, bytes)) {
        streams->counters->outputs_overrun++;
        lose(streams, stream);
        return;
    }
    send_soon(streams, stream);
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
    struct ahoy_tls_way way = way_of(streams, stream);
    if (stream->tls != NULL && !stream->broken)
        ahoy_tls_end(stream->tls, &way);
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
    if (stream->state == CONNECTING || stream->state == SHAKING)
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

/* The peer has closed, is gone or has broken TLS, which |size| says as recv and 1 would: the owner
 * is told at once.  A peer that has only ended its own side may still wait for what is on the way
 * to it. */
static bool finish_reading(struct ahoy_streams *streams, struct ahoy_stream *stream, ssize_t size,
                           struct ahoy_wire_event *event)
{
    tell(stream, AHOY_WIRE_CLOSED, SPAN(""), event);
    stream->ended = size == 0;
    if (stream->state == SHAKING)
        *(stream->opened ? &streams->counters->not_opened : &streams->counters->not_secured) += 1;
    if (size >= 0 && stream->outgoing.size > 0)
        leave(streams, stream);
    else
        forget(streams, stream);
    return true;
}

/* Hands are shaken: what was to be told of the connection can be; false where there is nothing. */
static bool finish_shaking(struct ahoy_streams *streams, struct ahoy_stream *stream,
                           struct ahoy_wire_event *event)
{
    stream->state = OPEN;
    streams->counters->secured++;
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
    if (stream->state != OPEN)
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
        return tell(stream, AHOY_WIRE_BYTES, streams->rest, event);
    if (ahoy_tls_state(stream->tls) >= AHOY_TLS_ENDED)
        return finish_reading(streams, stream, 1, event);
    return false;
}

/* Opens |sealed|; true where something came of it. */
static bool read_sealed(struct ahoy_streams *streams, struct ahoy_stream *stream,
                        struct span sealed, struct ahoy_wire_event *event)
{
    struct ahoy_tls_way way = way_of(streams, stream);
    size_t size;
    enum ahoy_tls_state state =
        ahoy_tls_open(stream->tls, sealed, &way, streams->plain, PLAIN_SIZE, &size);
    streams->rest = (struct span){ streams->plain, size };
    streams->rest_of = stream;
    /* OpenSSL answers by itself too: who makes it do so must read. */
    if (stream->outgoing.size > 0 && !has_room(streams, stream, 0)) {
        streams->counters->outputs_overrun++;
        lose(streams, stream);
        return false;
    }
    send_soon(streams, stream);
    bool told = stream->state == SHAKING && state == AHOY_TLS_STANDING &&
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
        forget(streams, stream);
        return true;
    }
    if (stream->tls != NULL) {
        stream->state = SHAKING;
        set_interest(streams, stream);
        return read_sealed(streams, stream, SPAN(""), event);
    }
    ahoy_timers_cancel(streams->timers, &stream->timer);
    streams->counters->opened++;
    stream->state = OPEN;
    set_interest(streams, stream);
    return tell(stream, AHOY_WIRE_CONNECTED, SPAN(""), event);
}

static bool read_bytes(struct ahoy_streams *streams, struct ahoy_stream *stream, unsigned *reads,
                       struct ahoy_wire_event *event)
{
    if (stream->tls != NULL && tell_rest(streams, stream, event))
        return true;
    if (*reads == 0)
        return false;
    ssize_t size = recv(stream->source.fd, streams->input, INPUT_SIZE, MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (size <= 0)
        return finish_reading(streams, stream, size, event);
    *reads = size < INPUT_SIZE ? 0 : *reads - 1;
    struct span bytes = { streams->input, (size_t)size };
    if (stream->tls != NULL)
        return read_sealed(streams, stream, bytes, event);
    return tell(stream, AHOY_WIRE_BYTES, bytes, event);
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
    bool reads_on = stream->state == SHAKING || stream->state == OPEN;
    if (reads_on && (ready & ~(uint32_t)EPOLLOUT) != 0)
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
    if (stream->state == CONNECTING || stream->state == SHAKING) {
        streams->counters->not_opened++;
        lose(streams, stream);
    } else if (stream->state == OPEN) {
        streams->counters->records_timed_out++;
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
