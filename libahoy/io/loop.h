/* One epoll and one eventfd: which sources are ready, and a wake-up from other threads that costs
 * a system call only when the loop really sleeps. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

enum { AHOY_LOOP_READY_LIMIT = 64 };

/* Lives inside what is watched, and stays where it is while it is watched. */
struct ahoy_source {
    int fd;
    uint32_t interest; /* EPOLLIN, EPOLLOUT; kept by the loop. */
    int kind;          /* The owner's. */
};

struct ahoy_loop {
    int epoll;
    struct ahoy_source wake; /* The eventfd. */
    atomic_int sleep;        /* enum sleep, in loop.c */
    struct epoll_event ready[AHOY_LOOP_READY_LIMIT];
    int ready_count, ready_next;
    struct ahoy_source *current; /* The one that was last handed out; NULL once it is unwatched. */
};

/* False where the kernel refuses; errno says why. */
bool ahoy_loop_init(struct ahoy_loop *loop);
void ahoy_loop_fini(struct ahoy_loop *loop);

/* Watches source->fd, level-triggered; false where the kernel refuses. */
bool ahoy_loop_watch(struct ahoy_loop *loop, struct ahoy_source *source, uint32_t interest);
void ahoy_loop_change(struct ahoy_loop *loop, struct ahoy_source *source, uint32_t interest);
/* Before its fd is closed.  It is not handed out any more, even if it was ready already. */
void ahoy_loop_unwatch(struct ahoy_loop *loop, struct ahoy_source *source);

/* Sleeps until a source is ready, |timeout_ms| have passed (negative: for good), or it is woken.
 * What was ready before and not asked for is forgotten: it will be ready again. */
void ahoy_loop_wait(struct ahoy_loop *loop, int timeout_ms);
/* The next source that is ready, with its events; NULL at the end. */
struct ahoy_source *ahoy_loop_next(struct ahoy_loop *loop, uint32_t *events);
/* From any thread or a signal handler. */
void ahoy_loop_wake(struct ahoy_loop *loop);
