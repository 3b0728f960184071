/* The server's turn: an event goes into the stack, what comes up is served, and what is to be sent
 * is polled. */
#include "ahoyd/server.h"

#include <stdlib.h>

#include "ahoyd/admission.h"
#include "ahoyd/aor.h"
#include "ahoyd/config.h"
#include "ahoyd/probes.h"
#include "ahoyd/script.h"
#include "ahoyd/serve.h"
#include "ahoyd/servers.h"
#include "ahoyd/sleepers.h"
#include "ahoyd/subscriptions.h"
#include "ahoyd/trunks.h"

enum {
    WAITING_CHUNK_SIZE = 1024 /* Most answers to a REGISTER. */
};

/* One of the keys that all workers of one store, and every start on it, have in common. */
static struct ahoy_hash_key derive_key(const unsigned char secret[AHOYD_SECRET_SIZE],
                                       struct span label)
{
    struct ahoy_hash_key outer;
    memcpy(&outer, secret, sizeof outer);
    const struct span rest = { (const char *)secret + sizeof outer,
                               AHOYD_SECRET_SIZE - sizeof outer };
    const struct span first[] = { SPAN("0"), label, rest };
    const struct span second[] = { SPAN("1"), label, rest };
    return (struct ahoy_hash_key){ { ahoy_siphash_parts(&outer, first, 3),
                                     ahoy_siphash_parts(&outer, second, 3) } };
}

static bool init_names(struct ahoyd_server *server, const unsigned char *secret)
{
    const struct ahoyd_server_options *options = &server->options;
    server->nonce_key = derive_key(secret, SPAN("nonce"));
    server->dialog_key = derive_key(secret, SPAN("dialog"));
    server->flow_key = derive_key(secret, SPAN("flow"));
    server->gruu_key = derive_key(secret, SPAN("gruu"));
    return ahoyd_names_init(&server->names, options->config, options->listeners,
                            options->listener_count);
}

static bool init_guard(struct ahoyd_server *server, uint64_t now_ms)
{
    const struct ahoy_hash_key key = { { ahoy_rng_next(&server->rng),
                                         ahoy_rng_next(&server->rng) } };
    server->guard = server->options.guard;
    if (server->guard == NULL)
        server->guard = server->own_guard = ahoyd_guard_new(key, now_ms);
    return server->guard != NULL;
}

static bool init_script(struct ahoyd_server *server)
{
    if (server->options.config->when_count > 0)
        server->script = ahoyd_script_new(server->options.config);
    return server->options.config->when_count == 0 || server->script != NULL;
}

static uint32_t number_or(uint32_t number, uint32_t otherwise)
{
    return number != 0 ? number : otherwise;
}

/* What begins something looks into much memory: that is fetched meanwhile. */
static void see_coming(void *context, const struct ahoy_message *message,
                       const struct ahoy_routing *routing)
{
    struct ahoyd_server *server = context;
    bool begins = message->is_request && routing->to_tag.size == 0 &&
                  message->method != AHOY_METHOD_ACK && message->method != AHOY_METHOD_CANCEL;
    if (begins)
        ahoyd_aor_expect(server, message, routing);
}

static bool init_stack(struct ahoyd_server *server, const unsigned char *secret, uint64_t now_ms)
{
    const struct ahoyd_server_options *options = &server->options;
    const struct ahoy_stack_options stack = {
        .listeners = options->listeners,
        .listener_count = options->listener_count,
        .worker = options->worker,
        .workers = options->workers,
        .connection_limit = AHOYD_CONNECTIONS_LIMIT,
        .directory = options->directory,
        .call_key = derive_key(secret, SPAN("call")),
        .transactions = { .clocks = options->clocks,
                          .limit = number_or(options->transaction_limit, AHOYD_TRANSACTIONS_LIMIT),
                          .memory_limit = AHOYD_MESSAGES_MEMORY_LIMIT,
                          .seed = { ahoy_rng_next(&server->rng), ahoy_rng_next(&server->rng) },
                          .tag_key = derive_key(secret, SPAN("tag")),
                          .branch_key = derive_key(secret, SPAN("branch")) },
        .seed = { ahoy_rng_next(&server->rng), ahoy_rng_next(&server->rng) },
        .log = options->log,
        .ring = &server->ring,
    };
    server->stack = ahoy_stack_new(&stack, now_ms);
    if (server->stack == NULL)
        return false;
    ahoy_stack_tell_coming(server->stack, see_coming, server);
    server->transactions = ahoy_stack_transactions(server->stack);
    const struct ahoy_proxy_options proxy = {
        .limit = stack.transactions.limit,
        .timer_c_ms = options->timer_c_ms,
        .seed = { ahoy_rng_next(&server->rng), ahoy_rng_next(&server->rng) },
        .loop_key = derive_key(secret, SPAN("loop")),
        .causes = &server->causes,
    };
    server->proxy = ahoy_proxy_new(&proxy, server->transactions, now_ms);
    return server->proxy != NULL;
}

struct ahoyd_server *ahoyd_server_new(const struct ahoyd_server_options *options, uint64_t now_ms)
{
    struct ahoyd_server *server = calloc(1, sizeof *server);
    unsigned char secret[AHOYD_SECRET_SIZE];
    if (server == NULL)
        return NULL;
    server->options = *options;
    ahoy_rng_init(&server->rng, options->seed);
    ahoy_pool_init(&server->waiting, sizeof(struct ahoyd_waiting), AHOYD_WAITING_LIMIT);
    ahoy_chunks_init(&server->waiting_chunks, WAITING_CHUNK_SIZE, AHOYD_WAITING_MEMORY_LIMIT);
    ahoyd_subscriptions_init(server, now_ms);
    ahoyd_sleepers_init(server, now_ms);
    ahoyd_store_secret(options->store, secret);
    server->causes.ring = &server->ring;
    server->meters = calloc(ahoyd_server_meter_count(options->config), sizeof *server->meters);
    bool done = server->meters != NULL && ahoy_ring_init(&server->ring, options->ring_size) &&
                init_guard(server, now_ms) && init_names(server, secret) &&
                init_stack(server, secret, now_ms) && ahoyd_probes_init(server, now_ms) &&
                init_script(server);
    explicit_bzero(secret, sizeof secret);
    if (!done) {
        ahoyd_server_free(server);
        return NULL;
    }
    ahoyd_admission_init(server, now_ms);
    return server;
}

void ahoyd_server_free(struct ahoyd_server *server)
{
    if (server == NULL)
        return;
    struct ahoy_handle handle = { 0, 0 };
    struct ahoyd_waiting *waiting;
    while ((waiting = ahoy_pool_next(&server->waiting, handle.slot, &handle)) != NULL) {
        ahoy_arena_release(&waiting->arena);
        ahoy_pool_remove(&server->waiting, handle);
    }
    ahoyd_subscriptions_fini(server);
    ahoyd_sleepers_fini(server);
    ahoyd_probes_fini(server);
    ahoyd_script_free(server->script);
    ahoy_pool_fini(&server->waiting);
    ahoy_chunks_fini(&server->waiting_chunks);
    if (server->proxy != NULL)
        ahoy_proxy_free(server->proxy);
    ahoyd_guard_free(server->own_guard);
    if (server->stack != NULL)
        ahoy_stack_free(server->stack);
    ahoyd_names_fini(&server->names);
    ahoy_ring_fini(&server->ring);
    free(server->meters);
    explicit_bzero(&server->nonce_key, sizeof server->nonce_key);
    explicit_bzero(&server->dialog_key, sizeof server->dialog_key);
    explicit_bzero(&server->flow_key, sizeof server->flow_key);
    explicit_bzero(&server->gruu_key, sizeof server->gruu_key);
    free(server);
}

static void serve_request(struct ahoyd_server *server, const struct ahoy_event *event,
                          uint64_t now_ms)
{
    ahoyd_aor_expect_more(server);
    ahoyd_serve_request(server, event, now_ms);
    ahoyd_trunks_done(server);
}

static void serve_event(struct ahoyd_server *server, const struct ahoy_event *event,
                        uint64_t now_ms)
{
    if (!ahoyd_admission_passes(server, event))
        return;
    if (event->kind == AHOY_EVENT_REQUEST)
        serve_request(server, event, now_ms);
    else if (event->kind == AHOY_EVENT_ACK)
        ahoyd_serve_ack(server, event, now_ms);
    else if (event->kind == AHOY_EVENT_STRAY)
        ahoyd_serve_stray(server, event);
    else if (ahoyd_probes_step(server, event, now_ms) ||
             ahoyd_subscriptions_step(server, event, now_ms))
        return;
    else if (event->user != 0)
        ahoyd_serve_response(server, event, now_ms);
    else if (event->kind == AHOY_EVENT_CANCEL)
        ahoyd_serve_cancel(server, event, now_ms);
}

/* Serves what has come up next; false where nothing has. */
static bool serve_next(struct ahoyd_server *server, uint64_t now_ms)
{
    struct ahoy_event event;
    if (ahoy_stack_event(server->stack, &event))
        serve_event(server, &event, now_ms);
    else if (ahoy_stack_located(server->stack, &server->located))
        ahoyd_servers_found(server, &server->located, now_ms);
    else
        return false;
    ahoyd_servers_ask(server, now_ms);
    return true;
}

static void serve_events(struct ahoyd_server *server, uint64_t now_ms)
{
    while (serve_next(server, now_ms))
        continue;
}

/* Who watches bindings is told of them, and who has waited for a phone goes on; mostly there is
 * nothing to tell. */
static void see_watches(struct ahoyd_server *server, uint64_t now_ms)
{
    bool any = ahoyd_subscriptions_expire(server, now_ms);
    any |= ahoyd_sleepers_expire(server, now_ms);
    if (any)
        serve_events(server, now_ms);
}

/* A connection that proves whose it is, or is gone. */
static void see_badge(struct ahoyd_server *server, const struct ahoy_wire_event *event)
{
    struct ahoyd_badges *badges = ahoyd_guard_badges(server->guard);
    if (event->kind == AHOY_WIRE_PROVED && event->peer != NULL)
        ahoyd_badges_add(badges, server->options.worker, event->hop.connection, event->peer);
    else if (event->kind == AHOY_WIRE_CLOSED)
        ahoyd_badges_remove(badges, server->options.worker, event->hop.connection);
}

void ahoyd_server_step(struct ahoyd_server *server, struct ahoy_wire_event *event, uint64_t now_ms)
{
    server->causes.now_ms = now_ms;
    see_badge(server, event);
    ahoyd_admission_see(server, event, now_ms);
    ahoy_stack_step(server->stack, event, now_ms);
    serve_events(server, now_ms);
    while (ahoy_proxy_expire(server->proxy, now_ms)) {
        ahoyd_servers_ask(server, now_ms);
        serve_events(server, now_ms);
    }
    see_watches(server, now_ms);
    ahoyd_probes_expire(server, now_ms);
}

void ahoyd_server_stored(struct ahoyd_server *server, struct ahoyd_change *change, uint64_t now_ms)
{
    server->causes.now_ms = now_ms;
    ahoyd_serve_stored(server, change, now_ms);
    see_watches(server, now_ms);
    serve_events(server, now_ms);
    ahoyd_change_free(change);
}

void ahoyd_server_push_failed(struct ahoyd_server *server, uint64_t key, uint64_t now_ms)
{
    ahoyd_sleepers_failed(server, key, now_ms);
    serve_events(server, now_ms);
}

bool ahoyd_server_poll(struct ahoyd_server *server, struct ahoy_wire_effect *effect)
{
    if (!ahoy_stack_poll(server->stack, effect))
        return false;
    if (effect->kind == AHOY_WIRE_CLOSE)
        ahoyd_badges_remove(ahoyd_guard_badges(server->guard), server->options.worker,
                            effect->hop.connection);
    return true;
}

uint64_t ahoyd_server_deadline(const struct ahoyd_server *server)
{
    uint64_t deadline_ms = ahoy_stack_deadline(server->stack);
    uint64_t proxy_ms = ahoy_proxy_deadline(server->proxy);
    if (proxy_ms < deadline_ms)
        deadline_ms = proxy_ms;
    uint64_t subscriptions_ms = ahoyd_subscriptions_deadline(server);
    if (subscriptions_ms < deadline_ms)
        deadline_ms = subscriptions_ms;
    uint64_t sleepers_ms = ahoyd_sleepers_deadline(server);
    if (sleepers_ms < deadline_ms)
        deadline_ms = sleepers_ms;
    uint64_t probes_ms = ahoyd_probes_deadline(server);
    if (probes_ms < deadline_ms)
        deadline_ms = probes_ms;
    uint64_t overload_ms = ahoy_overload_deadline(&server->overload);
    if (overload_ms < deadline_ms)
        deadline_ms = overload_ms;
    return deadline_ms;
}

unsigned ahoyd_server_heard(const struct ahoyd_server *server)
{
    return server->overload.heard;
}

void ahoyd_server_trim(struct ahoyd_server *server)
{
    ahoy_proxy_trim(server->proxy);
    ahoy_stack_trim(server->stack);
    ahoy_pool_trim(&server->waiting);
    ahoy_pool_trim(&server->subscriptions);
    ahoy_pool_trim(&server->sleepers);
    ahoy_chunks_trim(&server->waiting_chunks);
}

void ahoyd_server_drain(struct ahoyd_server *server)
{
    server->draining = true;
}

void ahoyd_server_leave(struct ahoyd_server *server)
{
    ahoy_stack_leave(server->stack);
    ahoyd_subscriptions_forget(server);
    ahoyd_sleepers_forget(server);
}

uint32_t ahoyd_server_busy(const struct ahoyd_server *server)
{
    return ahoy_proxy_open(server->proxy) + server->waiting.used;
}

uint32_t ahoyd_server_remembered(const struct ahoyd_server *server)
{
    return ahoy_proxy_count(server->proxy);
}

uint64_t ahoyd_server_listeners(const struct ahoyd_server *server)
{
    return ahoy_stack_listeners(server->stack);
}

uint32_t ahoyd_server_transactions(const struct ahoyd_server *server)
{
    return ahoy_transactions_count(server->transactions);
}

bool ahoyd_server_is_level(const char *name)
{
#define AHOYD_LEVEL_NAME(name) #name,
    static const char *const names[] = { AHOYD_SERVER_LEVELS(AHOYD_LEVEL_NAME) };
#undef AHOYD_LEVEL_NAME
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(name, names[i]) == 0)
            return true;
    }
    return false;
}

const struct ahoy_ring *ahoyd_server_ring(const struct ahoyd_server *server)
{
    return &server->ring;
}

size_t ahoyd_server_meter_count(const struct ahoyd_config *config)
{
    return 1 + config->domain_count + config->trunk_count;
}

const struct ahoy_meter *ahoyd_server_meters(const struct ahoyd_server *server)
{
    return server->meters;
}

const uint64_t *ahoyd_server_causes(const struct ahoyd_server *server)
{
    return server->causes.counts;
}

const struct ahoyd_server_counters *ahoyd_server_counters(const struct ahoyd_server *server)
{
    return &server->counters;
}

const struct ahoy_stack_counters *ahoyd_server_stack_counters(const struct ahoyd_server *server)
{
    return ahoy_stack_counters(server->stack);
}
