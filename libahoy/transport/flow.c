/* The table of connections (RFC 3261 18), with its bounds: connections in all, strangers an
 * address, bytes that a peer makes us hold. */
#include "libahoy/transport/flow.h"

#include <assert.h>
#include <stdlib.h>

void ahoy_flows_init(struct ahoy_flows *flows, const struct ahoy_flows_options *options)
{
    assert(options->listener_count <= AHOY_LISTENERS_LIMIT);
    *flows = (struct ahoy_flows){ .listeners = options->listeners,
                                  .listener_count = options->listener_count,
                                  .worker = options->worker,
                                  .key = options->key,
                                  .timers = options->timers,
                                  .directory = options->directory };
    ahoy_pool_init(&flows->pool, sizeof(struct ahoy_flow), options->limit);
    ahoy_map_init(&flows->by_remote, 2 * (size_t)options->limit); /* An alias each. */
    ahoy_map_init(&flows->strangers, options->limit);
}

void ahoy_flows_fini(struct ahoy_flows *flows)
{
    struct ahoy_handle handle = { 0, 0 };
    struct ahoy_flow *flow;
    while ((flow = ahoy_pool_next(&flows->pool, handle.slot, &handle)) != NULL)
        ahoy_flows_close(flows, flow);
    ahoy_domains_fini(&flows->domains);
    ahoy_map_fini(&flows->strangers);
    ahoy_map_fini(&flows->by_remote);
    ahoy_pool_fini(&flows->pool);
}

void ahoy_flows_relisten(struct ahoy_flows *flows, const struct ahoy_listener *listeners,
                         size_t count)
{
    assert(count >= flows->listener_count && count <= AHOY_LISTENERS_LIMIT);
    flows->listeners = listeners;
    flows->listener_count = count;
}

uint64_t ahoy_flows_listeners(const struct ahoy_flows *flows)
{
    struct ahoy_handle handle = { 0, 0 };
    const struct ahoy_flow *flow;
    uint64_t bits = 0;
    for (uint32_t at = 0; (flow = ahoy_pool_next(&flows->pool, at, &handle)) != NULL;
         at = handle.slot + 1) {
        if (flow->hop.listener < AHOY_LISTENERS_LIMIT)
            bits |= UINT64_C(1) << flow->hop.listener;
    }
    return bits;
}

static bool is_unspecified(const struct ahoy_ip *ip)
{
    static const uint8_t zeros[sizeof ip->bytes];
    return memcmp(ip->bytes, zeros, sizeof zeros) == 0;
}

const struct ahoy_listener *ahoy_flows_listener(const struct ahoy_flows *flows,
                                                const struct ahoy_hop *hop)
{
    if (hop->listener != AHOY_ANY_LISTENER) {
        bool is_there = hop->listener < flows->listener_count &&
                        flows->listeners[hop->listener].transport != AHOY_TRANSPORT_OTHER;
        return is_there ? &flows->listeners[hop->listener] : NULL;
    }
    bool loopback = ahoy_ip_is_loopback(&hop->remote);
    const struct ahoy_listener *wide = NULL;
    for (size_t i = 0; i < flows->listener_count; i++) {
        const struct ahoy_listener *listener = &flows->listeners[i];
        if (listener->leaving || listener->transport != hop->transport ||
            listener->local.family != hop->remote.family)
            continue;
        if (!is_unspecified(&listener->local)) {
            if (ahoy_ip_is_loopback(&listener->local) == loopback)
                return listener;
        } else if (wide == NULL) {
            wide = listener;
        }
    }
    return wide;
}

uint64_t ahoy_hop_hash(const struct ahoy_hash_key *key, const struct ahoy_hop *hop)
{
    const char rest[] = { (char)hop->transport, (char)hop->remote.family,
                          (char)(hop->remote.port >> 8), (char)(hop->remote.port & 0xff) };
    const struct span parts[] = {
        { (const char *)hop->remote.bytes, sizeof hop->remote.bytes },
        { rest, sizeof rest },
    };
    return ahoy_siphash_parts(key, parts, 2);
}

bool ahoy_hop_leads_where(const struct ahoy_hop *a, const struct ahoy_hop *b)
{
    return a->transport == b->transport && ahoy_ip_equal(&a->remote, &b->remote);
}

/* What counts as one address: whoever has one address of IPv6 has all 2^64 of its link. */
static struct span stranger_address(const struct ahoy_ip *ip)
{
    return (struct span){ (const char *)ip->bytes, ip->family == AHOY_IPV6 ? 8 : 4 };
}

static uint64_t stranger_hash(const struct ahoy_flows *flows, const struct ahoy_ip *ip)
{
    const char family = (char)ip->family;
    const struct span parts[] = { stranger_address(ip), { &family, 1 } };
    return ahoy_siphash_parts(&flows->key, parts, 2);
}

static size_t strangers_of(const struct ahoy_flows *flows, const struct ahoy_ip *ip)
{
    size_t count = 0;
    size_t cursor = 0;
    uint64_t value;
    uint64_t hash = stranger_hash(flows, ip);
    while (ahoy_map_find(&flows->strangers, hash, &cursor, &value)) {
        const struct ahoy_flow *flow = ahoy_flows_get(flows, ahoy_handle_unpack(value));
        if (ahoy_span_equal(stranger_address(&flow->hop.remote), stranger_address(ip)))
            count++;
    }
    return count;
}

struct ahoy_flow *ahoy_flows_get(const struct ahoy_flows *flows, struct ahoy_handle connection)
{
    return ahoy_pool_get(&flows->pool, connection);
}

static bool has_proved(const struct ahoy_flow *flow, struct span domain)
{
    for (size_t at = 0; at < flow->proved_size;) {
        struct span name = ahoy_span(flow->proved + at);
        if (ahoy_span_equal_nocase(name, domain))
            return true;
        at += name.size + 1;
    }
    return false;
}

/* |flow|'s hop with the port that its peer asked for. */
static struct ahoy_hop alias_of(const struct ahoy_flow *flow)
{
    struct ahoy_hop hop = flow->hop;
    hop.remote.port = flow->alias_port;
    return hop;
}

/* Whether |flow| leads to the address and the peer that |hop| names.  Who is named by his address
 * alone is who answers there; at an alias only who has proved his name. */
static bool leads_to(const struct ahoy_flows *flows, const struct ahoy_flow *flow,
                     const struct ahoy_hop *hop)
{
    const struct ahoy_hop alias = alias_of(flow);
    bool is_there = ahoy_hop_leads_where(&flow->hop, hop);
    if (is_there && (hop->domain == 0 || flow->hop.domain == hop->domain))
        return true;
    return (is_there || ahoy_hop_leads_where(&alias, hop)) && hop->domain != 0 &&
           has_proved(flow, ahoy_domains_name(&flows->domains, hop->domain));
}

struct ahoy_flow *ahoy_flows_find(struct ahoy_flows *flows, const struct ahoy_hop *hop)
{
    struct ahoy_flow *named = ahoy_flows_get(flows, hop->connection);
    if (named != NULL)
        return named;
    struct ahoy_flow *opening = NULL;
    size_t cursor = 0;
    uint64_t value;
    uint64_t hash = ahoy_hop_hash(&flows->key, hop);
    while (ahoy_map_find(&flows->by_remote, hash, &cursor, &value)) {
        struct ahoy_flow *flow = ahoy_flows_get(flows, ahoy_handle_unpack(value));
        if (flow->closing || !leads_to(flows, flow, hop))
            continue;
        if (flow->state == AHOY_FLOW_OPEN)
            return flow;
        opening = flow;
    }
    return opening;
}

bool ahoy_flows_find_elsewhere(const struct ahoy_flows *flows, struct ahoy_hop *hop)
{
    /* What its peer has proved, only its own worker knows. */
    return hop->domain == 0 && flows->directory != NULL &&
           flows->directory->find(flows->directory, hop);
}

/* It is open: from now on the other workers find it. */
static void list(struct ahoy_flows *flows, const struct ahoy_flow *flow)
{
    if (flows->directory != NULL)
        flows->directory->add(flows->directory, &flow->hop);
}

static void be_patient(struct ahoy_flows *flows, struct ahoy_flow *flow, uint64_t deadline_ms)
{
    ahoy_timers_set(flows->timers, &flow->timer, deadline_ms);
}

static bool is_websocket(const struct ahoy_flow *flow)
{
    return flow->websocket != NULL && ahoy_websocket_is_open(flow->websocket);
}

/* Nothing is expected to come. */
static void be_idle(struct ahoy_flows *flows, struct ahoy_flow *flow, uint64_t now_ms)
{
    flow->asked = false;
    be_patient(flows, flow, now_ms + (is_websocket(flow) ? AHOY_SILENCE_MS : AHOY_IDLE_MS));
}

static struct ahoy_flow *add(struct ahoy_flows *flows, const struct ahoy_hop *hop, uint64_t now_ms)
{
    struct ahoy_handle handle;
    struct ahoy_flow *flow = ahoy_pool_add(&flows->pool, &handle);
    if (flow == NULL)
        return NULL;
    flow->hop = *hop;
    flow->hop.worker = flows->worker;
    flow->hop.connection = handle;
    if (!ahoy_map_add(&flows->by_remote, ahoy_hop_hash(&flows->key, hop),
                      ahoy_handle_pack(handle))) {
        ahoy_pool_remove(&flows->pool, handle);
        return NULL;
    }
    flow->timer.what = ahoy_handle_pack(handle);
    flow->timer.which = AHOY_FLOW_TIMER;
    be_patient(flows, flow, now_ms + AHOY_PATIENCE_MS);
    return flow;
}

struct ahoy_flow *ahoy_flows_accept(struct ahoy_flows *flows, const struct ahoy_hop *hop,
                                    uint64_t now_ms)
{
    if (strangers_of(flows, &hop->remote) >= AHOY_STRANGERS_LIMIT)
        return NULL;
    struct ahoy_flow *flow = add(flows, hop, now_ms);
    if (flow == NULL)
        return NULL;
    flow->state = AHOY_FLOW_OPEN;
    bool is_websocket = ahoy_transport_is_websocket((enum ahoy_transport)hop->transport);
    if (is_websocket)
        flow->websocket = ahoy_websocket_new(false);
    if ((is_websocket && flow->websocket == NULL) ||
        !ahoy_map_add(&flows->strangers, stranger_hash(flows, &hop->remote), flow->timer.what)) {
        ahoy_flows_close(flows, flow);
        return NULL;
    }
    flow->accepted = true;
    list(flows, flow);
    return flow;
}

struct ahoy_flow *ahoy_flows_open(struct ahoy_flows *flows, const struct ahoy_hop *hop,
                                  uint64_t now_ms)
{
    assert(hop->listener < flows->listener_count);
    struct ahoy_flow *flow = add(flows, hop, now_ms);
    if (flow == NULL)
        return NULL;
    flow->state = AHOY_FLOW_CONNECTING;
    if (!ahoy_transport_is_websocket((enum ahoy_transport)hop->transport))
        return flow;
    flow->websocket = ahoy_websocket_new(true);
    if (flow->websocket != NULL)
        return flow;
    ahoy_flows_close(flows, flow);
    return NULL;
}

void ahoy_flows_hurry(struct ahoy_flows *flows, struct ahoy_flow *flow, uint64_t now_ms)
{
    be_patient(flows, flow, now_ms + AHOY_SHORT_PATIENCE_MS);
}

void ahoy_flows_opened(struct ahoy_flows *flows, struct ahoy_flow *flow, uint64_t now_ms)
{
    flow->state = AHOY_FLOW_OPEN;
    list(flows, flow);
    be_idle(flows, flow, now_ms);
}

bool ahoy_flows_prove(struct ahoy_flows *flows, struct ahoy_flow *flow,
                      const struct ahoy_peer *peer)
{
    size_t size = 0;
    for (size_t i = 0; i < peer->count; i++)
        size += peer->names[i].size + 1;
    if (flow->proved != NULL || size > AHOY_PEER_TEXT_LIMIT ||
        size > AHOY_FLOWS_HELD_LIMIT - flows->held)
        return false;
    flow->proved = malloc(size + 1);
    if (flow->proved == NULL)
        return false;
    for (size_t i = 0; i < peer->count; i++) {
        struct span name = peer->names[i];
        memcpy(flow->proved + flow->proved_size, name.at, name.size);
        flow->proved[flow->proved_size + name.size] = '\0';
        flow->proved_size += name.size + 1;
    }
    flows->held += size;
    return true;
}

void ahoy_flows_alias(struct ahoy_flows *flows, struct ahoy_flow *flow, uint16_t port)
{
    if (!flow->accepted || flow->hop.transport != AHOY_TLS || port == 0)
        return;
    flow->alias_port = port;
    const struct ahoy_hop alias = alias_of(flow);
    if (!ahoy_map_add(&flows->by_remote, ahoy_hop_hash(&flows->key, &alias), flow->timer.what))
        flow->alias_port = 0;
}

bool ahoy_flow_is_amid(const struct ahoy_flow *flow)
{
    return flow->partial_size > 0 ||
           (flow->websocket != NULL && ahoy_websocket_is_amid(flow->websocket));
}

static void no_stranger(struct ahoy_flows *flows, struct ahoy_flow *flow)
{
    if (flow->accepted && !flow->trusted)
        (void)ahoy_map_remove(&flows->strangers, stranger_hash(flows, &flow->hop.remote),
                              flow->timer.what); /* It was added when it was accepted. */
}

void ahoy_flows_trust(struct ahoy_flows *flows, struct ahoy_flow *flow, uint64_t now_ms)
{
    no_stranger(flows, flow);
    flow->trusted = true;
    if (flow->state == AHOY_FLOW_OPEN && !ahoy_flow_is_amid(flow))
        be_idle(flows, flow, now_ms);
}

void ahoy_flows_close(struct ahoy_flows *flows, struct ahoy_flow *flow)
{
    free(ahoy_flows_take_partial(flows, flow));
    ahoy_websocket_free(flow->websocket);
    flows->held -= flow->proved_size;
    free(flow->proved);
    struct ahoy_pending *pending = ahoy_flows_take_pending(flows, flow);
    while (pending != NULL) {
        struct ahoy_pending *next = pending->next;
        free(pending);
        pending = next;
    }
    ahoy_timers_cancel(flows->timers, &flow->timer);
    if (flows->directory != NULL)
        flows->directory->remove(flows->directory, &flow->hop);
    no_stranger(flows, flow);
    (void)ahoy_map_remove(&flows->by_remote, ahoy_hop_hash(&flows->key, &flow->hop),
                          flow->timer.what); /* It was added with the flow. */
    const struct ahoy_hop alias = alias_of(flow);
    if (flow->alias_port != 0)
        (void)ahoy_map_remove(&flows->by_remote, ahoy_hop_hash(&flows->key, &alias),
                              flow->timer.what); /* So was that. */
    ahoy_pool_remove(&flows->pool, flow->hop.connection);
}

/* Doubles, from a little more than most messages, so that memory follows what came and not what
 * was announced (attack 2). */
static bool grow_partial(struct ahoy_flows *flows, struct ahoy_flow *flow, size_t size)
{
    size_t capacity = flow->partial_capacity == 0 ? 1024 : flow->partial_capacity;
    while (capacity < size)
        capacity *= 2;
    size_t more = capacity - flow->partial_capacity;
    if (more > AHOY_FLOWS_HELD_LIMIT - flows->held)
        return false;
    char *partial = realloc(flow->partial, capacity);
    if (partial == NULL)
        return false;
    flow->partial = partial;
    flow->partial_capacity = capacity;
    flows->held += more;
    return true;
}

bool ahoy_flows_keep(struct ahoy_flows *flows, struct ahoy_flow *flow, struct span bytes)
{
    if (bytes.size > AHOY_MESSAGE_LIMIT - flow->partial_size)
        return false;
    size_t size = flow->partial_size + bytes.size;
    if (size > flow->partial_capacity && !grow_partial(flows, flow, size))
        return false;
    memcpy(flow->partial + flow->partial_size, bytes.at, bytes.size);
    flow->partial_size = size;
    return true;
}

char *ahoy_flows_take_partial(struct ahoy_flows *flows, struct ahoy_flow *flow)
{
    char *partial = flow->partial;
    flows->held -= flow->partial_capacity;
    flow->partial = NULL;
    flow->partial_size = flow->partial_capacity = 0;
    flow->frame = (struct ahoy_frame){ 0 };
    return partial;
}

/* Until a stranger has sent something sound, its ten seconds are those since it connected. */
static bool is_on_trial(const struct ahoy_flow *flow)
{
    return flow->accepted && !flow->trusted && !flow->sound;
}

void ahoy_flows_rest(struct ahoy_flows *flows, struct ahoy_flow *flow, bool began, uint64_t now_ms)
{
    if (is_on_trial(flow) || flow->state == AHOY_FLOW_CONNECTING)
        return;
    if (!ahoy_flow_is_amid(flow))
        be_idle(flows, flow, now_ms);
    else if (began)
        be_patient(flows, flow, now_ms + AHOY_PATIENCE_MS);
}

bool ahoy_flows_ask(struct ahoy_flows *flows, struct ahoy_flow *flow, uint64_t now_ms)
{
    if (!is_websocket(flow) || flow->asked || is_on_trial(flow) || ahoy_flow_is_amid(flow))
        return false;
    flow->asked = true;
    be_patient(flows, flow, now_ms + AHOY_PATIENCE_MS);
    return true;
}

bool ahoy_flows_wait(struct ahoy_flows *flows, struct ahoy_flow *flow, struct span bytes,
                     struct ahoy_handle transaction)
{
    size_t size = sizeof(struct ahoy_pending) + bytes.size;
    if (size > AHOY_PENDING_LIMIT - flow->pending_size ||
        size > AHOY_FLOWS_HELD_LIMIT - flows->held)
        return false;
    struct ahoy_pending *pending = malloc(size);
    if (pending == NULL)
        return false;
    pending->next = NULL;
    pending->transaction = transaction;
    pending->size = bytes.size;
    memcpy(pending->bytes, bytes.at, bytes.size);
    if (flow->pending == NULL)
        flow->pending = pending;
    else
        flow->newest->next = pending;
    flow->newest = pending;
    flow->pending_size += size;
    flows->held += size;
    return true;
}

struct ahoy_pending *ahoy_flows_take_pending(struct ahoy_flows *flows, struct ahoy_flow *flow)
{
    struct ahoy_pending *pending = flow->pending;
    flows->held -= flow->pending_size;
    flow->pending = flow->newest = NULL;
    flow->pending_size = 0;
    return pending;
}
