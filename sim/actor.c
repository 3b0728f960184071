/* Its life as a node: what it has to send, and what comes. */
#include "sim/actor.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/actor_inside.h"

enum { MUTATED_PERCENT = 20 };

bool actor_chance(struct sim_actor *actor, unsigned percent)
{
    return ahoy_rng_below(&actor->rng, 100) < percent;
}

uint64_t actor_below(struct sim_actor *actor, uint64_t bound)
{
    return ahoy_rng_below(&actor->rng, bound);
}

void actor_put(struct ahoy_buf *buf, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    ahoy_buf_put(buf, ahoy_span(text));
}

void actor_put_via(struct sim_actor *actor, struct ahoy_buf *buf)
{
    struct span name = ahoy_transport_name(actor->options.transport);
    actor_put(buf, "Via: SIP/2.0/%.*s ", (int)name.size, name.at);
    ahoy_ip_print(&actor->node.ip, buf);
    actor_put(buf, ";branch=" AHOY_BRANCH_COOKIE "-%s-%u%s\r\n", actor->options.name,
              ++actor->branches, actor_chance(actor, 50) ? ";rport" : "");
}

void actor_put_contact(struct sim_actor *actor, struct ahoy_buf *buf)
{
    const struct sim_actor_options *options = &actor->options;
    actor_put(buf, "<sip:%s%u@", options->name, (unsigned)actor_below(actor, 3));
    if (options->host != NULL && actor_chance(actor, 50))
        actor_put(buf, "%s", options->host);
    else
        ahoy_ip_print(&actor->node.ip, buf);
    actor_put(buf, "%s>", options->transport == AHOY_TCP ? ";transport=tcp" : "");
}

uint64_t actor_transaction(struct span branch, struct span method)
{
    static const struct ahoy_hash_key key = { { 7, 8 } };
    const struct span parts[] = { branch, method };
    return ahoy_siphash_parts(&key, parts, 2);
}

static char *copy(struct span bytes)
{
    char *at = malloc(bytes.size + 1);
    assert(at != NULL);
    if (bytes.size > 0)
        memcpy(at, bytes.at, bytes.size);
    return at;
}

void actor_keep(struct actor_kept *list, size_t count, size_t *next, uint64_t transaction,
                struct span bytes)
{
    struct actor_kept *kept = actor_find(list, count, transaction);
    if (kept == NULL)
        kept = &list[(*next)++ % count];
    char *old = kept->bytes;
    *kept = (struct actor_kept){ transaction, copy(bytes), bytes.size };
    free(old);
}

struct actor_kept *actor_find(struct actor_kept *list, size_t count, uint64_t transaction)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i].bytes != NULL && list[i].transaction == transaction)
            return &list[i];
    }
    return NULL;
}

void actor_send(struct sim_actor *actor, const struct ahoy_ip *to, uint64_t stream,
                struct span bytes)
{
    if (actor->options.transport == AHOY_UDP) {
        sim_world_datagram(actor->world, &actor->node.ip, to, bytes, false);
        return;
    }
    if (stream == 0) {
        if (actor->stream == 0)
            actor->stream = sim_world_open(actor->world, &actor->node.ip, &actor->options.server);
        stream = actor->stream;
    }
    sim_world_bytes(actor->world, stream, &actor->node.ip, &actor->options.server, bytes);
}

struct actor_pending *actor_later(struct sim_actor *actor, uint64_t delay_ms,
                                  const struct ahoy_ip *to, uint64_t stream, struct span bytes)
{
    size_t i = 0;
    while (i < actor->pending_count && actor->pending[i].due_ms != 0)
        i++;
    if (i == ACTOR_PENDING_LIMIT)
        return NULL;
    if (i == actor->pending_count)
        actor->pending_count++;
    struct actor_pending *pending = &actor->pending[i];
    *pending = (struct actor_pending){ .due_ms = sim_world_now(actor->world) + delay_ms,
                                       .order = actor->next_order++,
                                       .to = *to,
                                       .stream = stream,
                                       .bytes = copy(bytes),
                                       .size = bytes.size };
    return pending;
}

static void free_pending(struct actor_pending *pending)
{
    free(pending->bytes);
    *pending = (struct actor_pending){ .due_ms = 0 };
}

void actor_drop(struct sim_actor *actor, uint64_t transaction, bool responses)
{
    for (size_t i = 0; i < actor->pending_count; i++) {
        struct actor_pending *pending = &actor->pending[i];
        if (pending->due_ms != 0 && pending->transaction == transaction && !pending->is_cancel &&
            (pending->status != 0) == responses)
            free_pending(pending);
    }
}

/* What is to be sent next; NULL for nothing. */
static struct actor_pending *first_pending(const struct sim_actor *actor)
{
    const struct actor_pending *first = NULL;
    for (size_t i = 0; i < actor->pending_count; i++) {
        const struct actor_pending *pending = &actor->pending[i];
        if (pending->due_ms != 0 &&
            (first == NULL || pending->due_ms < first->due_ms ||
             (pending->due_ms == first->due_ms && pending->order < first->order)))
            first = pending;
    }
    return (struct actor_pending *)(uintptr_t)first;
}

static void send_pending(struct sim_actor *actor, struct actor_pending *pending)
{
    uint64_t now_ms = sim_world_now(actor->world);
    struct span bytes = { pending->bytes, pending->size };
    bool is_wild = actor->options.is_wild && !actor->is_calm;
    actor_send(actor, &pending->to, pending->stream, bytes);
    if (pending->status != 0)
        actor_keep(actor->answered, ACTOR_ANSWERED_LIMIT, &actor->answered_next,
                   pending->transaction, bytes);
    if (is_wild && actor_chance(actor, MUTATED_PERCENT))
        actor_mutate(actor, &pending->to, pending->stream, bytes);
    if (pending->interval_ms == 0 || now_ms + pending->interval_ms > pending->until_ms) {
        free_pending(pending);
        return;
    }
    pending->due_ms = now_ms + pending->interval_ms;
    pending->interval_ms *= 2;
    if (pending->interval_ms > 4000)
        pending->interval_ms = 4000;
}

static void wake(void *self)
{
    struct sim_actor *actor = self;
    uint64_t now_ms = sim_world_now(actor->world);
    struct actor_pending *pending = first_pending(actor);
    if (pending != NULL && pending->due_ms <= now_ms) {
        send_pending(actor, pending);
        return;
    }
    actor->deed_ms = now_ms + 1 + actor_below(actor, actor->options.idle_ms);
    if (actor->is_calm)
        actor->deed_ms = UINT64_MAX;
    else if (actor->options.is_wild && actor_chance(actor, 50))
        actor_be_wild(actor);
    else
        actor_do_something(actor);
}

static uint64_t deadline(const void *self)
{
    const struct sim_actor *actor = self;
    const struct actor_pending *pending = first_pending(actor);
    if (pending != NULL && pending->due_ms < actor->deed_ms)
        return pending->due_ms;
    return actor->deed_ms;
}

static void take(struct sim_actor *actor, const struct sim_packet *packet, struct span bytes)
{
    actor->came_by = packet->stream;
    actor->came_from = packet->from;
    if (!ahoy_message_parse(bytes, &actor->message, NULL) ||
        !ahoy_message_routing(&actor->message, &actor->routing, NULL))
        return;
    actor_keep(actor->seen, ACTOR_SEEN_LIMIT, &actor->seen_next, actor->next_order++, bytes);
    if (actor->message.is_request)
        actor_take_request(actor);
    else
        actor_take_response(actor);
}

static void receive(void *self, const struct sim_packet *packet)
{
    struct sim_actor *actor = self;
    struct span message;
    if (packet->kind == SIM_DATAGRAM) {
        if (actor->options.transport == AHOY_UDP)
            take(actor, packet, packet->bytes);
    } else if (packet->kind == SIM_BYTES) {
        struct sim_inlet *inlet = sim_inlets_need(&actor->inlets, packet->stream);
        sim_inlet_put(inlet, packet->bytes);
        while (sim_inlet_next(inlet, &message))
            take(actor, packet, message);
    } else if (packet->kind == SIM_CLOSE) {
        sim_inlets_drop(&actor->inlets, packet->stream);
        if (actor->stream == packet->stream)
            actor->stream = 0;
    }
}

struct sim_actor *sim_actor_new(struct sim_world *world, const struct sim_actor_options *options)
{
    struct sim_actor *actor = calloc(1, sizeof *actor);
    if (actor == NULL)
        return NULL;
    const uint64_t seeds[2] = { options->seed, options->ip.bytes[3] };
    ahoy_rng_init(&actor->rng, seeds);
    actor->world = world;
    actor->options = *options;
    snprintf(actor->uri, sizeof actor->uri, "sip:%s@atlanta.example", options->name);
    actor->account = (struct ahoy_account){ .uri = ahoy_span(actor->uri),
                                            .user = ahoy_span(options->name),
                                            .domain = SPAN("atlanta.example"),
                                            .realm = SPAN("atlanta.example") };
    if (options->password != NULL)
        actor->account.password = ahoy_span(options->password);
    actor->deed_ms = sim_world_now(world) + actor_below(actor, options->idle_ms);
    actor->node = (struct sim_node){ .name = options->name,
                                     .ip = options->ip,
                                     .self = actor,
                                     .receive = receive,
                                     .wake = wake,
                                     .deadline = deadline };
    sim_world_add(world, &actor->node);
    return actor;
}

static void free_kept(struct actor_kept *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(list[i].bytes);
}

void sim_actor_free(struct sim_actor *actor)
{
    if (actor == NULL)
        return;
    for (size_t i = 0; i < actor->pending_count; i++)
        free(actor->pending[i].bytes);
    free_kept(actor->asked, ACTOR_ASKED_LIMIT);
    free_kept(actor->answered, ACTOR_ANSWERED_LIMIT);
    free_kept(actor->seen, ACTOR_SEEN_LIMIT);
    sim_inlets_fini(&actor->inlets);
    free(actor);
}

void sim_actor_calm(struct sim_actor *actor)
{
    actor->is_calm = true;
}
