/* Waiting.  A thread that wants to wake another asks for the state first: only a sleeper gets the
 * eventfd written, which is what costs (17 us, against nanoseconds for the exchange). */
#include "libahoy/io/loop.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum sleep { AWAKE, ASLEEP, WOKEN };

bool ahoy_loop_init(struct ahoy_loop *loop)
{
    memset(loop, 0, sizeof *loop);
    loop->wake.fd = -1;
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll < 0)
        return false;
    loop->wake.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (loop->wake.fd < 0 || !ahoy_loop_watch(loop, &loop->wake, EPOLLIN)) {
        ahoy_loop_fini(loop);
        return false;
    }
    return true;
}

void ahoy_loop_fini(struct ahoy_loop *loop)
{
    if (loop->wake.fd >= 0)
        close(loop->wake.fd);
    if (loop->epoll >= 0)
        close(loop->epoll);
}

static bool control(struct ahoy_loop *loop, struct ahoy_source *source, int operation,
                    uint32_t interest)
{
    struct epoll_event event = { .events = interest, .data.ptr = source };
    if (epoll_ctl(loop->epoll, operation, source->fd, &event) != 0)
        return false;
    source->interest = interest;
    return true;
}

bool ahoy_loop_watch(struct ahoy_loop *loop, struct ahoy_source *source, uint32_t interest)
{
    return control(loop, source, EPOLL_CTL_ADD, interest);
}

void ahoy_loop_change(struct ahoy_loop *loop, struct ahoy_source *source, uint32_t interest)
{
    if (source->interest == interest)
        return;
    /* A change takes no memory; it fails only for what is not watched. */
    bool changed = control(loop, source, EPOLL_CTL_MOD, interest);
    assert(changed);
    (void)changed; /* For builds without assert. */
}

void ahoy_loop_unwatch(struct ahoy_loop *loop, struct ahoy_source *source)
{
    (void)control(loop, source, EPOLL_CTL_DEL, 0); /* It may never have been watched. */
    for (int i = loop->ready_next; i < loop->ready_count; i++) {
        if (loop->ready[i].data.ptr == source)
            loop->ready[i].data.ptr = NULL;
    }
    if (loop->current == source)
        loop->current = NULL;
}

/* The eventfd stays ready until it is read. */
static void drain(struct ahoy_loop *loop)
{
    uint64_t count;
    ssize_t size;
    do {
        size = read(loop->wake.fd, &count, sizeof count);
    } while (size < 0 && errno == EINTR);
}

void ahoy_loop_wait(struct ahoy_loop *loop, int timeout_ms)
{
    int awake = AWAKE;
    if (!atomic_compare_exchange_strong(&loop->sleep, &awake, ASLEEP))
        timeout_ms = 0;
    int count = epoll_wait(loop->epoll, loop->ready, AHOY_LOOP_READY_LIMIT, timeout_ms);
    atomic_exchange(&loop->sleep, AWAKE);
    loop->ready_count = count < 0 ? 0 : count;
    loop->ready_next = 0;
    loop->current = NULL;
    for (int i = 0; i < loop->ready_count; i++) {
        if (loop->ready[i].data.ptr == &loop->wake) {
            drain(loop);
            loop->ready[i].data.ptr = NULL;
        }
    }
}

struct ahoy_source *ahoy_loop_next(struct ahoy_loop *loop, uint32_t *events)
{
    while (loop->ready_next < loop->ready_count) {
        struct epoll_event *event = &loop->ready[loop->ready_next++];
        if (event->data.ptr == NULL)
            continue;
        *events = event->events;
        loop->current = event->data.ptr;
        return loop->current;
    }
    loop->current = NULL;
    return NULL;
}

void ahoy_loop_wake(struct ahoy_loop *loop)
{
    if (atomic_exchange(&loop->sleep, WOKEN) != ASLEEP)
        return;
    int why = errno; /* A signal handler must leave it as it was. */
    uint64_t one = 1;
    ssize_t size = write(loop->wake.fd, &one, sizeof one);
    (void)size; /* It fails only when the count is full: the sleeper then wakes anyhow. */
    errno = why;
}
