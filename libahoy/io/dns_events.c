/* An event is a source and a timer.  Like everybody's, one that is not to persist is deleted
 * before its callback, which may add it again, or free it. */
#include "libahoy/io/dns_events.h"

#include <stddef.h>
#include <stdlib.h>
#include <sys/time.h>

struct event {
    struct ahoy_source source; /* First: whoever is ready is found by it. */
    struct ub_event super;
    struct ahoy_timer timer;
    struct ahoy_dns_events *events;
    bool watched;
    short bits;
    void (*callback)(int fd, short bits, void *argument);
    void *argument;
};

static struct event *event_of(struct ub_event *super)
{
    return (struct event *)(void *)((char *)super - offsetof(struct event, super));
}

static void add_bits(struct ub_event *super, short bits)
{
    event_of(super)->bits = (short)(event_of(super)->bits | bits);
}

static void del_bits(struct ub_event *super, short bits)
{
    event_of(super)->bits = (short)(event_of(super)->bits & ~bits);
}

static void set_fd(struct ub_event *super, int fd)
{
    event_of(super)->source.fd = fd;
}

static void set_timer(struct event *event, const struct timeval *time)
{
    uint64_t span_ms = (uint64_t)time->tv_sec * 1000 + ((uint64_t)time->tv_usec + 999) / 1000;
    ahoy_timers_set(event->events->timers, &event->timer, event->events->timers->now_ms + span_ms);
}

static int del(struct ub_event *super)
{
    struct event *event = event_of(super);
    ahoy_timers_cancel(event->events->timers, &event->timer);
    if (event->watched)
        ahoy_loop_unwatch(event->events->loop, &event->source);
    event->watched = false;
    return 0;
}

static int add(struct ub_event *super, struct timeval *time)
{
    struct event *event = event_of(super);
    uint32_t interest = ((event->bits & UB_EV_READ) != 0 ? EPOLLIN : 0u) |
                        ((event->bits & UB_EV_WRITE) != 0 ? EPOLLOUT : 0u);
    if (interest != 0 && event->watched)
        ahoy_loop_change(event->events->loop, &event->source, interest);
    else if (interest != 0)
        event->watched = ahoy_loop_watch(event->events->loop, &event->source, interest);
    if (interest != 0 && !event->watched)
        return -1;
    if (time != NULL)
        set_timer(event, time);
    return 0;
}

static int add_timer(struct ub_event *super, struct ub_event_base *base,
                     void (*callback)(int, short, void *), void *argument, struct timeval *time)
{
    struct event *event = event_of(super);
    (void)base; /* There is but one. */
    event->callback = callback;
    event->argument = argument;
    set_timer(event, time);
    return 0;
}

static void free_event(struct ub_event *super)
{
    del(super);
    free(event_of(super));
}

/* What libunbound never calls on such a base is not there. */
static struct ub_event_vmt event_table = { .add_bits = add_bits,
                                           .del_bits = del_bits,
                                           .set_fd = set_fd,
                                           .free = free_event,
                                           .add = add,
                                           .del = del,
                                           .add_timer = add_timer,
                                           .del_timer = del };

static struct ub_event *new_event(struct ub_event_base *base, int fd, short bits,
                                  void (*callback)(int, short, void *), void *argument)
{
    struct event *event = calloc(1, sizeof *event);
    if (event == NULL)
        return NULL;
    event->super = (struct ub_event){ UB_EVENT_MAGIC, &event_table };
    event->events = (struct ahoy_dns_events *)(void *)base;
    event->source = (struct ahoy_source){ .fd = fd, .kind = event->events->kind };
    event->timer.what = (uintptr_t)event;
    event->timer.which = (uint32_t)event->events->kind;
    event->bits = bits;
    event->callback = callback;
    event->argument = argument;
    return &event->super;
}

static struct ub_event_base_vmt base_table = { .new_event = new_event };

void ahoy_dns_events_init(struct ahoy_dns_events *events, struct ahoy_loop *loop,
                          struct ahoy_timers *timers, int kind)
{
    *events = (struct ahoy_dns_events){
        .base = { UB_EVENT_MAGIC, &base_table }, .loop = loop, .timers = timers, .kind = kind
    };
}

static void fire(struct event *event, short bits)
{
    if ((event->bits & UB_EV_PERSIST) == 0)
        del(&event->super);
    event->callback(event->source.fd, bits, event->argument);
}

void ahoy_dns_events_ready(struct ahoy_source *source, uint32_t ready)
{
    struct event *event = (struct event *)(void *)source;
    bool failed = (ready & (EPOLLERR | EPOLLHUP)) != 0; /* Reading or writing tells which. */
    short bits = 0;
    if ((ready & EPOLLIN) != 0 || failed)
        bits |= UB_EV_READ;
    if ((ready & EPOLLOUT) != 0 || failed)
        bits |= UB_EV_WRITE;
    bits &= event->bits;
    if (bits != 0)
        fire(event, bits);
}

void ahoy_dns_events_due(const struct ahoy_timer *timer)
{
    fire((struct event *)(uintptr_t)timer->what, UB_EV_TIMEOUT);
}
