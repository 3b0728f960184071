/* Where everybody is: addresses for phones and for trunks that have a name only are made up, of
 * those that are for measuring (RFC 2544, RFC 5180). */
#include <stdio.h>
#include <stdlib.h>

#include "ahoyd/rehearsal/inside.h"
#include "libahoy/resolve/answer.h"

enum { CONTACT_SIZE = 512, ANSWER_SIZE = 1024, REGISTERED_S = 86400 * 2 };

static const char password[] = "known to the test alone";

/* The address number |number| of those that are made up. */
static struct ahoy_ip make_ip(enum ahoy_family family, size_t number, uint16_t port)
{
    struct ahoy_ip ip = { .family = (uint8_t)family, .port = port };
    static const uint8_t v4[4] = { 198, 18 };
    static const uint8_t v6[16] = { 0x20, 0x01, 0x00, 0x02 };
    bool is_v4 = family == AHOY_IPV4;
    size_t size = is_v4 ? sizeof v4 : sizeof v6;
    memcpy(ip.bytes, is_v4 ? v4 : v6, size);
    ip.bytes[size - 2] = (uint8_t)(number >> 8);
    ip.bytes[size - 1] = (uint8_t)number;
    return ip;
}

uint8_t stage_listener(const struct world *world, enum ahoy_transport transport,
                       const struct ahoy_ip *ip)
{
    uint8_t found = AHOY_ANY_LISTENER;
    for (size_t i = 0; i < world->names->listener_count; i++) {
        const struct ahoy_listener *listener = &world->names->listeners[i];
        if (listener->transport != transport)
            continue;
        if (ip != NULL && listener->local.family == ip->family)
            return (uint8_t)i;
        if (found == AHOY_ANY_LISTENER)
            found = (uint8_t)i;
    }
    return found;
}

/* By what phones come, and those that call where nothing else is said. */
static uint8_t usual_listener(const struct world *world)
{
    static const enum ahoy_transport transports[] = { AHOY_UDP, AHOY_TCP, AHOY_TLS };
    uint8_t found = AHOY_ANY_LISTENER;
    for (size_t i = 0; i < 3 && found == AHOY_ANY_LISTENER; i++)
        found = stage_listener(world, transports[i], NULL);
    return found;
}

static bool is_user(const struct world *world, struct span name)
{
    return ahoyd_names_of_aor(world->names, name) != NULL;
}

static bool is_trunk(const struct world *world, struct span name)
{
    const struct ahoyd_config *config = world->names->config;
    for (size_t i = 0; i < config->trunk_count; i++) {
        if (ahoy_span_equal(config->trunks[i].name, name))
            return true;
        for (size_t j = 0; j < config->trunks[i].count; j++) {
            if (ahoy_span_equal(config->trunks[i].uris[j], name))
                return true;
        }
    }
    return false;
}

/* What |plan| says of the one with that name; |otherwise| where it says nothing. */
static struct ahoyd_party party_of(const struct ahoyd_plan *plan, struct span name,
                                   struct ahoyd_party otherwise)
{
    for (size_t i = 0; i < plan->party_count; i++) {
        if (ahoy_span_equal(plan->parties[i].name, name))
            return plan->parties[i];
    }
    return otherwise;
}

static void add_phones(struct world *world, const struct ahoy_listener *listener)
{
    const struct ahoyd_plan *plan = world->plan;
    uint16_t port = ahoy_transport_port(listener->transport);
    for (size_t i = 0; i < plan->party_count; i++) {
        if (!is_user(world, plan->parties[i].name))
            continue;
        size_t number = ++world->place_count;
        world->places[number - 1] = (struct place){
            .name = plan->parties[i].name,
            .ip = make_ip((enum ahoy_family)listener->local.family, number, port),
            .party = plan->parties[i],
        };
    }
}

/* Behind the numbers of phones; all targets of one name have one address. */
static struct ahoy_ip named_ip(const struct world *world, struct span host, enum ahoy_family family)
{
    for (size_t i = 0; i < world->place_count; i++) {
        if (ahoy_span_equal_nocase(world->places[i].host, host))
            return world->places[i].ip;
    }
    return make_ip(family, AHOYD_REHEARSAL_PARTIES_LIMIT + 1 + world->place_count, 0);
}

static void add_targets(struct world *world, const struct ahoyd_trunk *trunk,
                        enum ahoy_family family)
{
    struct ahoyd_party absent = { .manner = AHOYD_MANNER_DOWN };
    absent = party_of(world->plan, trunk->name, absent);
    for (size_t i = 0; i < trunk->count; i++) {
        const struct ahoyd_trunk_target *target = &trunk->targets[i];
        struct place place = { .name = trunk->name,
                               .trunk = trunk,
                               .uri = trunk->count > 1 ? trunk->uris[i] : SPAN(""),
                               .ip = target->ip,
                               .party = party_of(world->plan, trunk->uris[i], absent) };
        if (target->ip.family == AHOY_NO_FAMILY) {
            place.host = target->domain;
            place.ip = named_ip(world, place.host, family);
        }
        world->places[world->place_count++] = place;
    }
}

static int by_name(const void *one, const void *other)
{
    const struct ahoyd_party *a = one, *b = other;
    size_t size = a->name.size < b->name.size ? a->name.size : b->name.size;
    int order = memcmp(a->name.at, b->name.at, size);
    return order != 0 ? order : (a->name.size > b->name.size) - (a->name.size < b->name.size);
}

/* Where the caller comes in. */
static bool place_caller(struct world *world, char *fault, size_t fault_size)
{
    const struct ahoyd_plan *plan = world->plan;
    struct ahoy_hop *hop = &world->caller.hop;
    uint8_t listener = usual_listener(world);
    if (plan->transport.size > 0)
        listener = stage_listener(world, ahoy_transport_parse(plan->transport), &plan->source);
    if (listener == AHOY_ANY_LISTENER) {
        snprintf(fault, fault_size,
                 "the transport: nothing listens by it in the configuration; udp, tcp and tls can "
                 "be played");
        return false;
    }
    *hop = (struct ahoy_hop){ .transport = (uint8_t)world->names->listeners[listener].transport,
                              .listener = listener,
                              .remote = plan->source };
    return true;
}

bool stage_open(struct world *world, char *fault, size_t fault_size)
{
    struct ahoyd_plan *plan = world->plan;
    const struct ahoyd_config *config = world->names->config;
    size_t count = plan->party_count;
    uint8_t listener = usual_listener(world);
    for (size_t i = 0; i < plan->party_count; i++) {
        struct span name = plan->parties[i].name;
        if (is_user(world, name) || is_trunk(world, name))
            continue;
        snprintf(fault, fault_size,
                 "the party \"%.*s\": it is no user of a domain of ours, no trunk, and no target "
                 "of one",
                 (int)name.size, name.at);
        return false;
    }
    if (listener == AHOY_ANY_LISTENER) {
        snprintf(fault, fault_size,
                 "a call: the configuration listens by udp, tcp and tls nowhere");
        return false;
    }
    for (size_t i = 0; i < config->trunk_count; i++)
        count += config->trunks[i].count;
    world->places = calloc(count + 1, sizeof *world->places);
    if (world->places == NULL)
        return false;
    const struct ahoy_listener *usual = &world->names->listeners[listener];
    if (plan->party_count > 1)
        qsort(plan->parties, plan->party_count, sizeof *plan->parties, by_name);
    add_phones(world, usual);
    for (size_t i = 0; i < config->trunk_count; i++)
        add_targets(world, &config->trunks[i], (enum ahoy_family)usual->local.family);
    return place_caller(world, fault, fault_size);
}

/* The first at that address and port; else at that address: a name's port is not known here. */
int stage_find(const struct world *world, const struct ahoy_ip *ip)
{
    int found = NO_PLACE;
    for (size_t i = 0; i < world->place_count; i++) {
        if (ahoy_ip_equal(&world->places[i].ip, ip))
            return (int)i;
        if (found == NO_PLACE && world->places[i].host.size > 0 &&
            ahoy_ip_equal_host(&world->places[i].ip, ip))
            found = (int)i;
    }
    return found;
}

/* The store does it at once, and gives it back. */
static bool put(struct world *world, struct ahoyd_change *change)
{
    if (change == NULL)
        return false;
    change->owner = &world->owner;
    if (!ahoyd_store_submit(world->store, change)) {
        ahoyd_change_free(change);
        return false;
    }
    change = world->changes;
    world->changes = NULL;
    bool done = change != NULL && change->status == 200;
    ahoyd_change_free(change);
    return done;
}

static bool register_phone(struct world *world, const struct place *place)
{
    const struct ahoy_listener *usual = &world->names->listeners[usual_listener(world)];
    char space[CONTACT_SIZE];
    struct ahoy_buf contact = ahoy_buf_over(space, sizeof space);
    ahoy_buf_put(&contact, SPAN("sip:"));
    ahoy_buf_put(&contact, (struct span){ place->name.at, ahoy_span_find(place->name, '@') });
    ahoy_buf_put_byte(&contact, '@');
    ahoy_ip_print(&place->ip, &contact);
    ahoy_buf_put(&contact, SPAN(";transport="));
    ahoy_buf_put(&contact, ahoy_transport_uri_name(usual->transport));
    struct ahoy_uri uri;
    if (contact.overflow || !ahoy_uri_parse(ahoy_buf_text(&contact), &uri, NULL))
        return false;
    struct ahoy_registration registration = {
        .count = 1,
        .asked = { { .contact = ahoy_buf_text(&contact), .expires_s = REGISTERED_S, .q = 1000 } },
        .call_id = SPAN("registered-for-a-test"),
        .cseq = 1,
        .hop = { .transport = (uint8_t)usual->transport,
                 .listener = AHOY_ANY_LISTENER,
                 .remote = place->ip },
    };
    return put(world, ahoyd_change_bindings(place->name, &registration, world->now_ms));
}

/* A password for the one who calls. */
static bool add_user(struct world *world)
{
    struct caller *caller = &world->caller;
    struct span name = world->plan->user;
    const struct ahoyd_domain *domain = ahoyd_names_of_aor(world->names, name);
    struct ahoyd_user credentials = { 0 };
    if (domain == NULL)
        return true;
    caller->proves = true;
    caller->account = (struct ahoy_account){ .user = { name.at, ahoy_span_find(name, '@') },
                                             .realm = domain->name,
                                             .password = ahoy_span(password) };
    for (unsigned i = AHOY_DIGEST_OTHER + 1; i < AHOY_DIGEST_COUNT; i++) {
        if (!ahoy_digest_ha1((enum ahoy_digest_algorithm)i, caller->account.user, domain->name,
                             caller->account.password, &credentials.ha1[i]))
            return false;
    }
    return put(world, ahoyd_change_user(AHOYD_CHANGE_USER_PUT, caller->account.user, domain->name,
                                        &credentials));
}

bool stage_register(struct world *world, char *fault, size_t fault_size)
{
    for (size_t i = 0; i < world->place_count; i++) {
        const struct place *place = &world->places[i];
        if (place->trunk != NULL || register_phone(world, place))
            continue;
        snprintf(fault, fault_size, "the party \"%.*s\": a phone cannot have that name",
                 (int)place->name.size, place->name.at);
        return false;
    }
    return add_user(world);
}

/* A message of RFC 1035 with one address, or with nothing. */
void stage_look_up(struct world *world, const struct ahoy_wire_effect *effect)
{
    char space[ANSWER_SIZE];
    struct ahoy_buf answer = ahoy_buf_over(space, sizeof space);
    const struct ahoy_ip *ip = NULL;
    for (size_t i = 0; i < world->place_count && ip == NULL; i++) {
        if (world->places[i].host.size > 0 &&
            ahoy_span_equal_nocase(world->places[i].host, effect->bytes))
            ip = &world->places[i].ip;
    }
    if (ip != NULL && effect->type != (ip->family == AHOY_IPV4 ? AHOY_DNS_A : AHOY_DNS_AAAA))
        ip = NULL;
    ahoy_answer_begin(&answer, effect->bytes, effect->type, ip != NULL ? 1 : 0);
    if (ip != NULL)
        ahoy_answer_add(&answer, effect->type,
                        (struct span){ (const char *)ip->bytes, ip->family == AHOY_IPV4 ? 4 : 16 });
    const struct happening happening = {
        .kind = TO_SERVER, .wire = { .kind = AHOY_WIRE_ANSWER, .lookup = effect->lookup }
    };
    world_schedule(world, &happening, ahoy_buf_text(&answer), 0);
}
