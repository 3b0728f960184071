/* Steps the server with what arrives, and carries out what it polls. */
#include "sim/host.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/host_inside.h"

static const struct sim_host_eyes closed_eyes;

uint64_t sim_host_now(const struct sim_host *host)
{
    return sim_world_now(host->world) + (uint64_t)host->skew_ms;
}

/* What faults make of the DNS's answer |message|.  False where it never comes. */
static bool spoil(struct sim_host *host, struct ahoy_buf *message)
{
    struct ahoy_rng *rng = sim_world_rng(host->world);
    uint64_t chance = ahoy_rng_below(rng, 100);
    if (chance < host->dns.silent)
        return false;
    chance -= host->dns.silent;
    if (chance < host->dns.failing)
        message->size = 0;
    else if (chance < host->dns.failing + host->dns.bogus && message->size > 0)
        for (unsigned i = 0; i < 8; i++)
            message->at[ahoy_rng_below(rng, message->size)] = (char)ahoy_rng_below(rng, 256);
    return true;
}

/* Puts the answer on its way. */
static void look_up(struct sim_host *host, const struct ahoy_wire_effect *effect)
{
    uint32_t delay_ms = 0;
    char *bytes = malloc(ANSWER_SIZE);
    assert(bytes != NULL && host->answer_count < ANSWERS_LIMIT);
    struct ahoy_buf message = ahoy_buf_over(bytes, ANSWER_SIZE);
    if (host->zone != NULL &&
        (!sim_zone_answer(host->zone, effect->bytes, effect->type, &message, &delay_ms) ||
         !spoil(host, &message))) {
        free(bytes);
        return;
    }
    delay_ms += host->dns.delay_ms;
    host->answers[host->answer_count++] =
        (struct answer){ .due_ms = sim_world_now(host->world) + delay_ms,
                         .lookup = effect->lookup,
                         .bytes = { bytes, message.size } };
}

static void carry(struct sim_host *host)
{
    struct ahoy_wire_effect effect;
    while (ahoyd_server_poll(host->server, &effect)) {
        if (effect.kind == AHOY_WIRE_LOOKUP)
            look_up(host, &effect);
        else
            sim_host_carry(host, &effect);
    }
}

static void enter(const struct sim_host *host)
{
    if (host->eyes->enters != NULL)
        host->eyes->enters(host->eyes->context);
}

static void leave(const struct sim_host *host)
{
    if (host->eyes->leaves != NULL)
        host->eyes->leaves(host->eyes->context);
}

static void take_back(struct ahoyd_change_owner *owner, struct ahoyd_change *change)
{
    struct sim_host *host = (struct sim_host *)owner;
    change->next = host->changes;
    host->changes = change;
}

static void settle(struct sim_host *host)
{
    carry(host);
    while (host->changes != NULL) {
        struct ahoyd_change *change = host->changes;
        host->changes = change->next;
        enter(host);
        ahoyd_server_stored(host->server, change, sim_host_now(host));
        leave(host);
        carry(host);
    }
    if (host->eyes->rests != NULL)
        host->eyes->rests(host->eyes->context);
}

void sim_host_step(struct sim_host *host, struct ahoy_wire_event *event)
{
    enter(host);
    ahoyd_server_step(host->server, event, sim_host_now(host));
    leave(host);
    if (host->holds && host->commit_ms == UINT64_MAX)
        host->commit_ms = sim_world_now(host->world) + host->manner.delay_ms;
    settle(host);
}

/* The store's thread: all that has waited is committed, or not. */
static void commit(struct sim_host *host)
{
    struct ahoy_rng *rng = sim_world_rng(host->world);
    host->commit_ms = UINT64_MAX;
    while (ahoyd_store_settle(host->store, ahoy_rng_below(rng, 100) < host->manner.failing))
        continue;
    settle(host);
}

/* The index of the answer that comes next; answer_count where none is on its way. */
static size_t first_answer(const struct sim_host *host)
{
    size_t first = 0;
    for (size_t i = 1; i < host->answer_count; i++) {
        if (host->answers[i].due_ms < host->answers[first].due_ms)
            first = i;
    }
    return first;
}

static void deliver_answer(struct sim_host *host, size_t index)
{
    const struct answer answer = host->answers[index];
    struct ahoy_wire_event event = { .kind = AHOY_WIRE_ANSWER,
                                     .lookup = answer.lookup,
                                     .bytes = answer.bytes };
    host->answer_count--;
    memmove(&host->answers[index], &host->answers[index + 1],
            (host->answer_count - index) * sizeof answer);
    sim_host_step(host, &event);
    free((void *)(uintptr_t)answer.bytes.at);
}

static void wake(void *self)
{
    struct sim_host *host = self;
    struct ahoy_wire_event event = { .kind = AHOY_WIRE_TIME };
    size_t first = first_answer(host);
    if (first < host->answer_count && host->answers[first].due_ms <= sim_world_now(host->world))
        deliver_answer(host, first);
    else if (host->commit_ms <= sim_world_now(host->world))
        commit(host);
    else
        sim_host_step(host, &event);
}

static uint64_t deadline(const void *self)
{
    const struct sim_host *host = self;
    if (host->server == NULL)
        return UINT64_MAX;
    uint64_t deadline_ms = ahoyd_server_deadline(host->server);
    if (deadline_ms != UINT64_MAX)
        deadline_ms -= (uint64_t)host->skew_ms;
    if (host->commit_ms < deadline_ms)
        deadline_ms = host->commit_ms;
    size_t first = first_answer(host);
    if (first < host->answer_count && host->answers[first].due_ms < deadline_ms)
        deadline_ms = host->answers[first].due_ms;
    return deadline_ms;
}

static void say(void *context, const char *file, int line, const char *what)
{
    (void)context; /* Nothing is kept. */
    fprintf(stderr, "%s:%d: %s\n", file, line, what);
}

static void name_listeners(struct sim_host *host)
{
    for (size_t i = 0; i < host->config->listen_count; i++) {
        const struct ahoyd_listen *listen = &host->config->listens[i];
        struct ahoy_buf sent_by = ahoy_buf_over(host->texts[i][0], TEXT_LIMIT);
        struct ahoy_buf uri = ahoy_buf_over(host->texts[i][1], TEXT_LIMIT);
        ahoy_ip_print(&listen->ip, &sent_by);
        ahoy_buf_put(&uri, SPAN("sip:"));
        ahoy_ip_print(&listen->ip, &uri);
        ahoy_buf_put(&uri, SPAN(";transport="));
        /* RFC 7118 5.2: a URI does not tell WS and WSS apart. */
        bool is_websocket = ahoy_transport_is_websocket(listen->transport);
        ahoy_buf_put(&uri, ahoy_transport_uri_name(is_websocket ? AHOY_WS : listen->transport));
        host->listeners[i] = (struct ahoy_listener){ .transport = listen->transport,
                                                     .local = listen->ip,
                                                     .sent_by = ahoy_buf_text(&sent_by),
                                                     .uri = ahoy_buf_text(&uri) };
    }
}

bool sim_host_open_server(struct sim_host *host)
{
    uint64_t now_ms = sim_host_now(host);
    struct ahoyd_server_options options = {
        .config = host->config,
        .store = host->store,
        .listeners = host->listeners,
        .listener_count = host->config->listen_count,
        .workers = 1,
        .seed = { ahoy_rng_next(sim_world_rng(host->world)),
                  ahoy_rng_next(sim_world_rng(host->world)) },
        .clocks = AHOY_DEFAULT_CLOCKS,
        .timer_c_ms = 181000,
        .change_owner = &host->owner,
    };
    host->server = ahoyd_server_new(&options, now_ms);
    return host->server != NULL;
}

static uint64_t never(const void *self)
{
    (void)self; /* The first node wakes the host. */
    return UINT64_MAX;
}

static void add_nodes(struct sim_host *host, const char *name)
{
    for (size_t i = 0; i < host->config->listen_count; i++) {
        host->nodes[i] = (struct sim_node){ .name = name,
                                            .ip = host->config->listens[i].ip,
                                            .self = host,
                                            .receive = sim_host_receive,
                                            .wake = wake,
                                            .deadline = i == 0 ? deadline : never };
        sim_world_add(host->world, &host->nodes[i]);
    }
}

struct sim_host *sim_host_new(struct sim_world *world, const char *name, const char *config_text,
                              sim_host_watch *watch, void *context)
{
    struct sim_host *host = calloc(1, sizeof *host);
    if (host == NULL)
        return NULL;
    struct ahoyd_config_faults faults = { .told = say };
    host->owner.done = take_back;
    host->commit_ms = UINT64_MAX;
    host->eyes = &closed_eyes;
    host->world = world;
    host->watch = watch;
    host->watch_context = context;
    host->config = ahoyd_config_parse(config_text, strlen(config_text), name, &faults);
    if (host->config != NULL)
        host->store = sim_host_open_store(host);
    if (host->store == NULL) {
        sim_host_free(host);
        return NULL;
    }
    name_listeners(host);
    if (!sim_host_open_server(host)) {
        sim_host_free(host);
        return NULL;
    }
    add_nodes(host, name);
    return host;
}

void sim_host_free(struct sim_host *host)
{
    if (host == NULL)
        return;
    sim_host_stop(host);
    ahoyd_store_close(host->store);
    ahoyd_config_free(host->config);
    free(host);
}

void sim_host_resolve(struct sim_host *host, const struct sim_zone *zone)
{
    host->zone = zone;
}

void sim_host_register(struct sim_host *host, const char *aor, const char *contact)
{
    sim_host_register_flow(host, aor, contact, NULL, 0);
}

void sim_host_register_flow(struct sim_host *host, const char *aor, const char *contact,
                            const struct ahoy_ip *from, uint32_t reg_id)
{
    static uint32_t cseq = 0; /* Rises over all registrations: each one is newer. */
    struct ahoy_registration registration = {
        .count = 1,
        .asked = { { .contact = ahoy_span(contact),
                     .instance = from != NULL ? SPAN("<urn:uuid:1>") : SPAN(""),
                     .reg_id = reg_id,
                     .expires_s = 3600,
                     .q = 1000 } },
        .call_id = SPAN("registered-by-the-world"),
        .cseq = ++cseq,
        .hop = { .transport = AHOY_UDP,
                 .listener = AHOY_ANY_LISTENER,
                 .remote = from != NULL ? *from : host->nodes[0].ip },
    };
    struct ahoyd_change *change =
        ahoyd_change_bindings(ahoy_span(aor), &registration, sim_host_now(host));
    sim_host_put_change(host, change);
}

void sim_host_observe(struct sim_host *host, const struct sim_host_eyes *eyes)
{
    host->eyes = eyes;
}

void sim_host_jump(struct sim_host *host, int64_t ms)
{
    assert(ms >= 0 || host->server == NULL);
    host->skew_ms += ms;
    if (host->server != NULL)
        sim_host_step(
            host, &(struct ahoy_wire_event){ .kind = AHOY_WIRE_TIME }); /* What is due, is due. */
}

void sim_host_set_dns(struct sim_host *host, const struct sim_host_dns *dns)
{
    host->dns = *dns;
}

void sim_host_set_store(struct sim_host *host, const struct sim_host_store *store)
{
    host->manner = *store;
    host->holds = true;
    ahoyd_store_hold(host->store, store->limit);
}

bool sim_host_is_up(const struct sim_host *host)
{
    return host->server != NULL;
}

struct ahoyd_store *sim_host_store(const struct sim_host *host)
{
    return host->store;
}

const struct ahoyd_config *sim_host_config(const struct sim_host *host)
{
    return host->config;
}

uint32_t sim_host_transactions(const struct sim_host *host)
{
    return host->server == NULL ? 0 : ahoyd_server_transactions(host->server);
}

/* An open connection may be all that is left to wait for: it may stay idle for long. */
bool sim_host_rests(const struct sim_host *host)
{
    for (size_t i = 0; i < STREAMS_LIMIT; i++)
        if (host->streams[i].number != 0)
            return true;
    return deadline(host) == UINT64_MAX;
}

uint32_t sim_host_busy(const struct sim_host *host)
{
    return host->server == NULL ? 0 : ahoyd_server_busy(host->server);
}

uint32_t sim_host_remembered(const struct sim_host *host)
{
    return host->server == NULL ? 0 : ahoyd_server_remembered(host->server);
}
