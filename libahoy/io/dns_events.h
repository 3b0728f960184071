/* The event base that libunbound wants (unbound-event.h), on our loop and our timers: so the
 * resolver runs in the worker's own thread, and nothing of it ever waits. */
#pragma once

#include <unbound-event.h>
#include <unbound.h>

#include "libahoy/base/timers.h"
#include "libahoy/io/loop.h"

/* Stays where it is while the resolver lives. */
struct ahoy_dns_events {
    struct ub_event_base base;  /* What ub_ctx_create_ub_event takes. */
    struct ahoy_loop *loop;
    struct ahoy_timers *timers; /* now_ms is theirs. */
    int kind;                   /* Of the sources and timers that are ours. */
};

void ahoy_dns_events_init(struct ahoy_dns_events *events, struct ahoy_loop *loop,
                          struct ahoy_timers *timers, int kind);

/* A source of ours is ready for |ready|, a set of EPOLLIN and the like. */
void ahoy_dns_events_ready(struct ahoy_source *source, uint32_t ready);
/* A timer of ours is due. */
void ahoy_dns_events_due(const struct ahoy_timer *timer);
