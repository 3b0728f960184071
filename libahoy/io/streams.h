/* The connections of a driver: TCP as accepted and opened, TLS above it, one write a turn, closed
 * in such a way that the peer gets what was sent before (RFC 3261 18). */
#pragma once

#include "libahoy/io/driver.h"
#include "libahoy/io/loop.h"
#include "libahoy/io/outgoing.h"
#include "libahoy/io/tls.h"

enum { AHOY_LOST_LIMIT = 64 };

struct ahoy_stream;

struct ahoy_streams {
    struct ahoy_loop *loop;
    struct ahoy_timers *timers;
    struct ahoy_driver_counters *counters;
    int kind;                      /* Of their sources and of what their timers say in |which|. */
    uint64_t now_ms;               /* Set by the driver, once a turn. */
    char *input;                   /* What was read last ... */
    uint32_t waited_us;            /* ... and how long the last of it waited. */
    struct ahoy_tls_context *tls;  /* May be NULL: no TLS then. */
    char *plain;                   /* What that was, opened. */
    struct span rest;              /* Of |plain|, not told yet ... */
    struct ahoy_stream *rest_of;   /* ... of this stream; NULL where it is gone. */
    struct ahoy_identity identity; /* Whom it tells of. */
    struct ahoy_pages pages;
    struct ahoy_stream **table; /* By hop.connection's slot. */
    size_t table_size;
    struct ahoy_stream *all;
    struct ahoy_stream *dirty;             /* Written to in this turn. */
    struct ahoy_stream *gone;              /* Whose end has not been told yet. */
    struct ahoy_hop lost[AHOY_LOST_LIMIT]; /* The same, for those that got no memory. */
    unsigned lost_count;
    unsigned lingering; /* Closed by their owner, with something left to leave. */
};

/* The pointers stay the caller's.  False where memory is refused. */
bool ahoy_streams_init(struct ahoy_streams *streams, struct ahoy_loop *loop,
                       struct ahoy_timers *timers, struct ahoy_driver_counters *counters, int kind,
                       struct ahoy_tls_context *tls);
/* Cuts all connections. */
void ahoy_streams_fini(struct ahoy_streams *streams);

/* From now on |fd| is |hop|'s connection; it stands already, but for TLS. */
void ahoy_streams_adopt(struct ahoy_streams *streams, int fd, const struct ahoy_hop *hop);
/* Opens |hop|'s connection, from |local| where that is not NULL; by TLS to |domain|, see
 * ahoy_tls_connect. */
void ahoy_streams_connect(struct ahoy_streams *streams, const struct ahoy_ip *local,
                          const struct ahoy_hop *hop, struct span domain);
void ahoy_streams_send(struct ahoy_streams *streams, struct ahoy_handle connection,
                       struct span bytes);
void ahoy_streams_close(struct ahoy_streams *streams, struct ahoy_handle connection);
void ahoy_streams_flush(struct ahoy_streams *streams);
void ahoy_streams_trim(struct ahoy_streams *streams);

/* Serves a source that epoll reported with |events|.  True: |event| is the next thing that
 * happened on it, ask again; |reads| counts down how often it may still be read in this turn. */
bool ahoy_streams_serve(struct ahoy_streams *streams, struct ahoy_source *source, uint32_t *events,
                        unsigned *reads, struct ahoy_wire_event *event);
/* A timer of theirs has come. */
void ahoy_streams_expire(struct ahoy_streams *streams, struct ahoy_timer *timer);
/* The next CLOSED that is owed, until false. */
bool ahoy_streams_gone(struct ahoy_streams *streams, struct ahoy_wire_event *event);
static inline bool ahoy_streams_have_gone(const struct ahoy_streams *streams)
{
    return streams->gone != NULL || streams->lost_count > 0;
}
