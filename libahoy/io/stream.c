/* One connection of the driver: where it is found, and how all that it holds is given back. */
#include "libahoy/io/stream.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

enum { PAGES_KEPT = 64, TABLE_START = 64 };

bool ahoy_streams_init(struct ahoy_streams *streams, struct ahoy_loop *loop,
                       struct ahoy_timers *timers, struct ahoy_driver_counters *counters, int kind,
                       struct ahoy_tls_context *tls)
{
    *streams = (struct ahoy_streams){
        .loop = loop, .timers = timers, .counters = counters, .kind = kind, .tls = tls
    };
    ahoy_pages_init(&streams->pages, PAGES_KEPT);
    streams->input = malloc(AHOY_STREAM_INPUT);
    if (tls != NULL)
        streams->plain = malloc(AHOY_STREAM_PLAIN);
    return streams->input != NULL && (tls == NULL || streams->plain != NULL);
}

void ahoy_stream_enqueue(struct ahoy_stream **queue, struct ahoy_stream *stream)
{
    assert(stream->queue_link == NULL);
    stream->queue = *queue;
    if (stream->queue != NULL)
        stream->queue->queue_link = &stream->queue;
    stream->queue_link = queue;
    *queue = stream;
}

void ahoy_stream_dequeue(struct ahoy_stream *stream)
{
    if (stream->queue_link == NULL)
        return;
    *stream->queue_link = stream->queue;
    if (stream->queue != NULL)
        stream->queue->queue_link = stream->queue_link;
    stream->queue_link = NULL;
}

struct ahoy_stream *ahoy_stream_find(const struct ahoy_streams *streams,
                                     struct ahoy_handle connection)
{
    if (connection.generation == 0 || connection.slot >= streams->table_size)
        return NULL;
    struct ahoy_stream *stream = streams->table[connection.slot];
    if (stream == NULL || !ahoy_handle_equal(stream->hop.connection, connection))
        return NULL;
    return stream;
}

/* The handle is stale from now on. */
void ahoy_stream_detach(struct ahoy_streams *streams, struct ahoy_stream *stream)
{
    if (ahoy_stream_find(streams, stream->hop.connection) == stream)
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
    ahoy_stream_detach(streams, stream);
    ahoy_stream_dequeue(stream);
    ahoy_timers_cancel(streams->timers, &stream->timer);
    ahoy_outgoing_clear(&stream->plain, &streams->pages);
    ahoy_outgoing_clear(&stream->outgoing, &streams->pages);
    ahoy_tls_free(stream->tls);
    stream->tls = NULL;
    if (stream->state == AHOY_STREAM_LEAVING || stream->state == AHOY_STREAM_DISCARDING)
        streams->lingering--;
    if (stream->source.fd >= 0) {
        ahoy_loop_unwatch(streams->loop, &stream->source);
        close(stream->source.fd);
        stream->source.fd = -1;
    }
    stream->state = AHOY_STREAM_GONE;
}

void ahoy_stream_forget(struct ahoy_streams *streams, struct ahoy_stream *stream)
{
    tear_down(streams, stream);
    *stream->link = stream->next;
    if (stream->next != NULL)
        stream->next->link = stream->link;
    free(stream);
}

/* The connection is lost outside of an event: its CLOSED is owed. */
void ahoy_stream_lose(struct ahoy_streams *streams, struct ahoy_stream *stream)
{
    tear_down(streams, stream);
    ahoy_stream_enqueue(&streams->gone, stream);
}

void ahoy_streams_fini(struct ahoy_streams *streams)
{
    while (streams->all != NULL)
        ahoy_stream_forget(streams, streams->all);
    ahoy_pages_trim(&streams->pages);
    free(streams->table);
    free(streams->plain);
    free(streams->input);
}

/* A stream for |hop| without a socket yet; NULL: its CLOSED is owed. */
struct ahoy_stream *ahoy_stream_add(struct ahoy_streams *streams, const struct ahoy_hop *hop)
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
