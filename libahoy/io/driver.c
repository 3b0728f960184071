/* The turn: wait, hand out what has come, carry out what the stack wants, send. */
#include "libahoy/io/driver.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "libahoy/io/datagrams_in.h"
#include "libahoy/io/datagrams_out.h"
#include "libahoy/io/dns_events.h"
#include "libahoy/io/door.h"
#include "libahoy/io/gather.h"
#include "libahoy/io/sieve.h"
#include "libahoy/io/streams.h"

enum {
    DATAGRAMS_A_TURN = 4 * AHOY_BATCH, /* Of one UDP socket; no batch is cut. */
    READS_A_TURN = 4,                  /* Of one connection, 64 KiB each. */
    ACCEPTS_A_TURN = 16,               /* Of one TCP listener. */
    ANSWERS_A_TURN = 32                /* Of the DNS: many names may fail in one moment. */
};

/* What a source is, and what a timer belongs to. */
enum kind { DATAGRAMS = 1, ACCEPTING, STREAM, WATCHED, DNS };

struct listening {
    struct ahoy_source source;
    struct ahoy_ip local;
    enum ahoy_transport transport;
    uint8_t index;
    bool held;               /* It takes no connections. */
    uint32_t lost;           /* Datagrams that had no room, as far as was told. */
    struct ahoy_timer pause; /* Until it accepts again. */
};

struct watched {
    struct ahoy_source source;
    void (*ready)(void *context);
    void *context;
};

struct ahoy_driver {
    struct ahoy_loop loop;
    struct ahoy_timers timers;
    struct ahoy_driver_counters counters;
    uint16_t worker;
    struct listening listening[AHOY_LISTENERS_LIMIT]; /* By number; those without an fd are none. */
    struct ahoy_datagrams_in in;
    uint64_t read_us; /* When the batch was read that is in there, where it is exact; else 0. */
    struct ahoy_datagrams_out out;
    struct ahoy_streams streams;
    struct ahoy_dns *dns; /* NULL: nobody is asked. */
    unsigned answers;     /* That may still be told in this turn. */
    unsigned served;      /* Events of this turn. */
    struct ahoy_sieve sieve;
    struct ahoy_gather gather;
    struct watched watched[AHOY_WATCHES_LIMIT];
    uint32_t events;                  /* Of the loop's current source. */
    unsigned budget;                  /* How often that may still be read, or accepted from. */
    int accepted_fd;                  /* Waits for the stack's word, or -1. */
    struct ahoy_wire_event *accepted; /* Where that will stand. */
};

/* Has the loop watch |fd|, which is |listening|'s from now on. */
static bool watch(struct ahoy_driver *driver, struct listening *listening, int fd)
{
    bool stream = listening->transport != AHOY_UDP;
    listening->source = (struct ahoy_source){ .fd = fd, .kind = stream ? ACCEPTING : DATAGRAMS };
    listening->pause.what = (uintptr_t)listening;
    listening->pause.which = ACCEPTING;
    if (!stream) {
        ahoy_datagrams_in_couple(fd);
        driver->counters.sieves_refused += !ahoy_sieve_set(fd, driver->sieve.share);
        ahoy_datagrams_out_couple(&driver->out, fd, listening->index);
    }
    return ahoy_socket_local(fd, &listening->local) &&
           (listening->held || ahoy_loop_watch(&driver->loop, &listening->source, EPOLLIN));
}

bool ahoy_driver_listen(struct ahoy_driver *driver, size_t index,
                        const struct ahoy_listener *listener,
                        const struct ahoy_driver_options *options)
{
    assert(index < AHOY_LISTENERS_LIMIT && !ahoy_driver_listens(driver, index));
    struct listening *listening = &driver->listening[index];
    int fd = ahoy_door_open(listener, index, options);
    if (fd < 0)
        return false;
    *listening = (struct listening){ .transport = listener->transport,
                                     .index = (uint8_t)index,
                                     .held = ahoy_door_is_held(listener, index, options) };
    if (watch(driver, listening, fd))
        return true;
    int why = errno;
    ahoy_driver_unlisten(driver, index);
    errno = why;
    return false;
}

void ahoy_driver_unlisten(struct ahoy_driver *driver, size_t index)
{
    struct listening *listening = &driver->listening[index];
    if (!ahoy_driver_listens(driver, index))
        return;
    ahoy_timers_cancel(&driver->timers, &listening->pause);
    ahoy_loop_unwatch(&driver->loop, &listening->source);
    close(listening->source.fd);
    listening->source.fd = -1;
}

bool ahoy_driver_listens(const struct ahoy_driver *driver, size_t index)
{
    return driver->listening[index].source.fd >= 0;
}

static bool open_listeners(struct ahoy_driver *driver, const struct ahoy_driver_options *options,
                           size_t *failed)
{
    for (size_t i = 0; i < options->listener_count; i++) {
        if (options->listeners[i].transport != AHOY_TRANSPORT_OTHER &&
            !ahoy_driver_listen(driver, i, &options->listeners[i], options)) {
            *failed = i;
            return false;
        }
    }
    return true;
}

static bool init(struct ahoy_driver *driver, const struct ahoy_driver_options *options,
                 size_t *failed)
{
    driver->worker = options->worker;
    ahoy_timers_init(&driver->timers, ahoy_driver_now());
    driver->streams.now_ms = driver->timers.now_ms;
    if (!ahoy_datagrams_in_init(&driver->in) ||
        !ahoy_datagrams_out_init(&driver->out, options->padding) ||
        !open_listeners(driver, options, failed))
        return false;
    driver->in.is_exact = options->is_exact;
    if (options->dns != NULL)
        driver->dns = ahoy_dns_open(options->dns, &driver->loop, &driver->timers, DNS);
    return options->dns == NULL || driver->dns != NULL;
}

struct ahoy_driver *ahoy_driver_open(const struct ahoy_driver_options *options, size_t *failed)
{
    assert(options->listener_count <= AHOY_LISTENERS_LIMIT);
    *failed = options->listener_count;
    struct ahoy_driver *driver = calloc(1, sizeof *driver);
    if (driver == NULL)
        return NULL;
    if (!ahoy_loop_init(&driver->loop)) {
        free(driver);
        return NULL;
    }
    driver->accepted_fd = -1;
    driver->sieve.share = AHOY_SIEVE_ALL;
    for (size_t i = 0; i < AHOY_LISTENERS_LIMIT; i++)
        driver->listening[i].source.fd = -1;
    for (int i = 0; i < AHOY_WATCHES_LIMIT; i++)
        driver->watched[i].source = (struct ahoy_source){ .fd = -1, .kind = WATCHED };
    bool opened = ahoy_streams_init(&driver->streams, &driver->loop, &driver->timers,
                                    &driver->counters, STREAM, options->tls) &&
                  init(driver, options, failed);
    if (opened)
        return driver;
    int why = errno;
    ahoy_driver_close(driver);
    errno = why;
    return NULL;
}

void ahoy_driver_close(struct ahoy_driver *driver)
{
    if (driver == NULL)
        return;
    ahoy_dns_close(driver->dns);
    ahoy_streams_fini(&driver->streams);
    for (size_t i = 0; i < AHOY_LISTENERS_LIMIT; i++)
        ahoy_driver_unlisten(driver, i);
    if (driver->accepted_fd >= 0)
        close(driver->accepted_fd);
    ahoy_datagrams_in_fini(&driver->in);
    ahoy_datagrams_out_fini(&driver->out);
    ahoy_loop_fini(&driver->loop);
    free(driver);
}

struct ahoy_ip ahoy_driver_local(const struct ahoy_driver *driver, size_t index)
{
    assert(index < AHOY_LISTENERS_LIMIT);
    return driver->listening[index].local;
}

const struct ahoy_driver_counters *ahoy_driver_counters(const struct ahoy_driver *driver)
{
    return &driver->counters;
}

static void settle(struct ahoy_driver *driver)
{
    int fd = driver->accepted_fd;
    driver->accepted_fd = -1;
    if (driver->accepted->hop.connection.generation == 0)
        close(fd);
    else
        ahoy_streams_adopt(&driver->streams, fd, &driver->accepted->hop);
    driver->accepted = NULL;
}

/* The stack has had its say about the connection that was handed out last, where one was. */
static inline void settle_accepted(struct ahoy_driver *driver)
{
    if (driver->accepted_fd >= 0)
        settle(driver);
}

/* How long to sleep: nothing while something waits to be told. */
static int timeout_ms(const struct ahoy_driver *driver, uint64_t deadline_ms)
{
    if (driver->out.failed_count > 0 || ahoy_streams_have_gone(&driver->streams) ||
        (driver->dns != NULL && ahoy_dns_has_next(driver->dns)))
        return 0;
    uint64_t mine = ahoy_timers_deadline(&driver->timers);
    if (mine < deadline_ms)
        deadline_ms = mine;
    if (deadline_ms == UINT64_MAX)
        return -1;
    uint64_t now_ms = ahoy_driver_now();
    if (deadline_ms <= now_ms)
        return 0;
    return deadline_ms - now_ms > INT_MAX ? INT_MAX : (int)(deadline_ms - now_ms);
}

static void expire(struct ahoy_driver *driver)
{
    struct ahoy_timer *timer;
    while ((timer = ahoy_timers_expire(&driver->timers, driver->streams.now_ms)) != NULL) {
        if (timer->which == STREAM) {
            ahoy_streams_expire(&driver->streams, timer);
        } else if (timer->which == DNS) {
            ahoy_dns_events_due(timer);
        } else {
            struct listening *listening = (struct listening *)(uintptr_t)timer->what;
            ahoy_loop_change(&driver->loop, &listening->source, EPOLLIN);
        }
    }
}

/* Other business of the thread, and the resolver's.  What it calls may watch and unwatch. */
static void serve_watched(struct ahoy_driver *driver)
{
    struct ahoy_loop *loop = &driver->loop;
    for (int i = 0; i < loop->ready_count; i++) {
        struct ahoy_source *source = loop->ready[i].data.ptr;
        if (source == NULL || (source->kind != WATCHED && source->kind != DNS))
            continue;
        loop->ready[i].data.ptr = NULL;
        if (source->kind == DNS) {
            ahoy_dns_events_ready(source, loop->ready[i].events);
            continue;
        }
        struct watched *watched = (struct watched *)(void *)source;
        watched->ready(watched->context);
    }
}

/* Where many come, the next ones are awaited together. */
static void gather(struct ahoy_driver *driver)
{
    bool is_dry = driver->served < AHOY_BATCH;
    const struct timespec rest = {
        .tv_nsec =
            1000L * ahoy_gather_turn(&driver->gather, driver->served, is_dry, ahoy_driver_now_us())
    };
    driver->served = 0;
    if (rest.tv_nsec == 0)
        return;
    driver->counters.rests++;
    (void)nanosleep(&rest, NULL); /* One that a signal ends was long enough. */
}

void ahoy_driver_wait(struct ahoy_driver *driver, uint64_t deadline_ms)
{
    driver->counters.waits++;
    gather(driver);
    ahoy_loop_wait(&driver->loop, timeout_ms(driver, deadline_ms));
    driver->streams.now_ms = ahoy_driver_now();
    driver->answers = ANSWERS_A_TURN;
    expire(driver);
    serve_watched(driver);
}

void ahoy_driver_wake(struct ahoy_driver *driver)
{
    ahoy_loop_wake(&driver->loop);
}

static void begin(struct ahoy_wire_event *event, enum ahoy_wire_event_kind kind,
                  enum ahoy_transport transport, const struct ahoy_driver *driver, uint8_t listener)
{
    memset(event, 0, sizeof *event);
    event->kind = kind;
    event->hop.transport = (uint8_t)transport;
    event->hop.listener = listener;
    event->hop.worker = driver->worker;
}

static bool next_answer(struct ahoy_driver *driver, struct ahoy_wire_event *event)
{
    uint64_t lookup;
    struct span message;
    if (driver->dns == NULL || driver->answers == 0 ||
        !ahoy_dns_next(driver->dns, &lookup, &message))
        return false;
    driver->answers--;
    begin(event, AHOY_WIRE_ANSWER, AHOY_TRANSPORT_OTHER, driver, AHOY_ANY_LISTENER);
    event->lookup = lookup;
    event->bytes = message;
    driver->counters.dns_answered++;
    return true;
}

static void look_up(struct ahoy_driver *driver, const struct ahoy_wire_effect *effect)
{
    driver->counters.dns_asked++;
    if (driver->dns != NULL)
        ahoy_dns_ask(driver->dns, effect->lookup, effect->type, effect->bytes);
}

/* What was noticed outside of reading. */
static bool next_failure(struct ahoy_driver *driver, struct ahoy_wire_event *event)
{
    if (ahoy_streams_gone(&driver->streams, event))
        return true;
    struct ahoy_unreachable failure;
    if (!ahoy_datagrams_out_failed(&driver->out, &failure))
        return false;
    begin(event, AHOY_WIRE_UNREACHABLE, AHOY_UDP, driver, failure.listener);
    event->hop.remote = failure.remote;
    return true;
}

/* Reads the next batch, unless the last one was not full: then the socket is empty.  An error is
 * another's: of something that was sent before. */
static bool read_batch(struct ahoy_driver *driver, const struct listening *listening)
{
    if ((driver->events & EPOLLERR) != 0) {
        driver->events &= ~(uint32_t)EPOLLERR;
        ahoy_datagrams_out_errors(&driver->out, listening->source.fd, listening->index);
    }
    while (driver->budget > 0 && (driver->events & EPOLLIN) != 0) {
        ahoy_sieve_look(&driver->sieve, listening->source.fd);
        int count = ahoy_datagrams_in_read(&driver->in, listening->source.fd);
        if (count < 0 && errno != EAGAIN && errno != EINTR) {
            driver->budget--;
            ahoy_datagrams_out_errors(&driver->out, listening->source.fd, listening->index);
            continue;
        }
        if (count < AHOY_BATCH)
            driver->budget = 0;
        driver->read_us = driver->in.is_exact ? ahoy_driver_now_us() : 0;
        return count > 0;
    }
    return false;
}

/* How long the datagram waited, and whether others were lost before it. */
static void tell_arrival(struct ahoy_driver *driver, struct listening *listening,
                         struct ahoy_wire_event *event)
{
    const struct ahoy_arrival_note *note = &driver->in.note;
    event->waited_us = note->waited_us;
    event->read_us = driver->read_us;
    event->overflowed = driver->sieve.is_full;
    if (note->lost == listening->lost || note->lost == 0)
        return;
    uint32_t lost = note->lost - listening->lost;
    bool sieved = ahoy_sieve_judged(&driver->sieve, note->waited_us, driver->streams.now_ms);
    *(sieved ? &driver->counters.datagrams_sieved : &driver->counters.datagrams_lost) += lost;
    listening->lost = note->lost;
    event->overflowed |= !sieved;
}

static bool serve_datagrams(struct ahoy_driver *driver, struct listening *listening,
                            struct ahoy_wire_event *event)
{
    begin(event, AHOY_WIRE_DATAGRAM, AHOY_UDP, driver, listening->index);
    while (!ahoy_datagrams_in_next(&driver->in, &event->hop.remote, &event->bytes)) {
        if (!read_batch(driver, listening))
            return false;
    }
    driver->counters.datagrams_in++;
    driver->budget -= driver->budget > 0;
    tell_arrival(driver, listening, event);
    event->coming = ahoy_datagrams_in_coming(&driver->in, &event->coming_count);
    return true;
}

/* Where descriptors or memory have run out, the listener would be ready for ever; it rests until
 * some may have come back.  Any other failure is of the one connection only (accept(2)). */
static void fail_accept(struct ahoy_driver *driver, struct listening *listening)
{
    if (errno == EAGAIN) {
        driver->budget = 0;
        return;
    }
    if (errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM)
        return;
    driver->budget = 0;
    driver->counters.accepts_paused++;
    ahoy_loop_change(&driver->loop, &listening->source, 0);
    ahoy_timers_set(&driver->timers, &listening->pause,
                    driver->streams.now_ms + AHOY_ACCEPT_PAUSE_MS);
}

static bool serve_accepting(struct ahoy_driver *driver, struct listening *listening,
                            struct ahoy_wire_event *event)
{
    while (driver->budget > 0) {
        driver->budget--;
        struct ahoy_ip remote = { 0 };
        int fd = ahoy_socket_accept(listening->source.fd, &remote);
        if (fd < 0) {
            fail_accept(driver, listening);
            continue;
        }
        begin(event, AHOY_WIRE_ACCEPTED, listening->transport, driver, listening->index);
        event->hop.remote = remote;
        driver->accepted_fd = fd;
        driver->accepted = event;
        return true;
    }
    return false;
}

static unsigned budget_of(const struct ahoy_source *source)
{
    if (source->kind == DATAGRAMS)
        return DATAGRAMS_A_TURN;
    return source->kind == ACCEPTING ? ACCEPTS_A_TURN : READS_A_TURN;
}

static bool serve(struct ahoy_driver *driver, struct ahoy_source *source,
                  struct ahoy_wire_event *event)
{
    /* The source is the first member of what it belongs to. */
    void *owner = source;
    if (source->kind == DATAGRAMS)
        return serve_datagrams(driver, owner, event);
    if (source->kind == ACCEPTING)
        return serve_accepting(driver, owner, event);
    return ahoy_streams_serve(&driver->streams, source, &driver->events, &driver->budget, event);
}

bool ahoy_driver_next(struct ahoy_driver *driver, struct ahoy_wire_event *event)
{
    settle_accepted(driver);
    if (next_failure(driver, event) || next_answer(driver, event))
        return true;
    for (;;) {
        if (driver->loop.current != NULL && serve(driver, driver->loop.current, event)) {
            driver->served++;
            return true;
        }
        struct ahoy_source *source = ahoy_loop_next(&driver->loop, &driver->events);
        if (source == NULL)
            return false;
        driver->budget = budget_of(source);
    }
}

/* The listener that a datagram leaves from. */
static const struct listening *find_sender(const struct ahoy_driver *driver,
                                           const struct ahoy_hop *hop)
{
    for (size_t i = 0; i < AHOY_LISTENERS_LIMIT; i++) {
        const struct listening *listening = &driver->listening[i];
        if (listening->source.fd >= 0 && listening->source.kind == DATAGRAMS &&
            listening->local.family == hop->remote.family &&
            (i == hop->listener || hop->listener == AHOY_ANY_LISTENER))
            return listening;
    }
    return NULL;
}

static void send_datagram(struct ahoy_driver *driver, const struct ahoy_wire_effect *effect)
{
    const struct listening *from = find_sender(driver, &effect->hop);
    if (from == NULL)
        ahoy_datagrams_out_fail(&driver->out, effect->hop.listener, &effect->hop.remote);
    else
        ahoy_datagrams_out_put(&driver->out, from->source.fd, from->index, &effect->hop.remote,
                               effect->bytes,
                               (struct ahoy_glance){ effect->call, effect->gap });
}

static void connect_to(struct ahoy_driver *driver, const struct ahoy_wire_effect *effect)
{
    const struct ahoy_hop *hop = &effect->hop;
    struct ahoy_ip local;
    const struct listening *from = NULL;
    if (hop->listener < AHOY_LISTENERS_LIMIT) {
        from = &driver->listening[hop->listener];
        local = from->local;
        local.port = from->held ? local.port : 0;
    }
    ahoy_streams_connect(&driver->streams, from != NULL ? &local : NULL, hop, effect->bytes);
}

void ahoy_driver_carry(struct ahoy_driver *driver, const struct ahoy_wire_effect *effect)
{
    settle_accepted(driver);
    switch (effect->kind) {
    case AHOY_WIRE_SEND:
        if (effect->hop.transport == AHOY_UDP)
            send_datagram(driver, effect);
        else
            ahoy_streams_send(&driver->streams, effect->hop.connection, effect->bytes);
        break;
    case AHOY_WIRE_CONNECT:
        connect_to(driver, effect);
        break;
    case AHOY_WIRE_CLOSE:
        ahoy_streams_close(&driver->streams, effect->hop.connection);
        break;
    case AHOY_WIRE_LOOKUP:
        look_up(driver, effect);
        break;
    case AHOY_WIRE_HANDOFF:
        break;
    }
}

void ahoy_driver_sieve(struct ahoy_driver *driver, unsigned share)
{
    if (share == driver->sieve.share)
        return;
    for (size_t i = 0; i < AHOY_LISTENERS_LIMIT; i++) {
        const struct listening *listening = &driver->listening[i];
        if (listening->source.fd >= 0 && listening->source.kind == DATAGRAMS)
            driver->counters.sieves_refused += !ahoy_sieve_set(listening->source.fd, share);
    }
    driver->sieve.share = share;
    driver->sieve.changed_ms = ahoy_driver_now();
}

void ahoy_driver_flush(struct ahoy_driver *driver)
{
    settle_accepted(driver);
    ahoy_datagrams_out_flush(&driver->out);
    ahoy_streams_flush(&driver->streams);
    driver->counters.datagrams_out = driver->out.sent;
    driver->counters.datagrams_unsent = driver->out.unsent;
    driver->counters.unreachable = driver->out.unreachable;
    driver->counters.trains_out = driver->out.trains_sent;
}

void ahoy_driver_trim(struct ahoy_driver *driver)
{
    ahoy_datagrams_in_trim(&driver->in);
    ahoy_datagrams_out_trim(&driver->out);
    ahoy_streams_trim(&driver->streams);
}

static struct watched *find_watched(struct ahoy_driver *driver, int fd)
{
    for (int i = 0; i < AHOY_WATCHES_LIMIT; i++) {
        if (driver->watched[i].source.fd == fd)
            return &driver->watched[i];
    }
    return NULL;
}

bool ahoy_driver_watch(struct ahoy_driver *driver, int fd, void (*ready)(void *context),
                       void *context)
{
    struct watched *watched = find_watched(driver, -1);
    if (watched == NULL)
        return false;
    watched->ready = ready;
    watched->context = context;
    watched->source.fd = fd;
    if (ahoy_loop_watch(&driver->loop, &watched->source, EPOLLIN))
        return true;
    watched->source.fd = -1;
    return false;
}

void ahoy_driver_unwatch(struct ahoy_driver *driver, int fd)
{
    struct watched *watched = find_watched(driver, fd);
    if (fd < 0 || watched == NULL)
        return;
    ahoy_loop_unwatch(&driver->loop, &watched->source);
    watched->source.fd = -1;
}
