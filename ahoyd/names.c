/* Names are found by a hash, so that a thousand domains cost what one costs.  It need not be keyed:
 * the operator chose what the tables hold. */
#include "ahoyd/names.h"

enum { NAMES_LIMIT = 65536 };

static void add_own(struct ahoyd_names *names, struct span host, const struct ahoy_ip *ip)
{
    struct ahoyd_own_address *own = &names->own[names->own_count++];
    own->ip = *ip;
    own->host = host;
    own->port = ip->port;
}

/* What a listener advertises: "host" or "host:port". */
static void add_sent_by(struct ahoyd_names *names, const struct ahoy_listener *listener)
{
    struct span host = listener->sent_by;
    struct ahoy_ip ip = { 0 };
    uint64_t port = ahoy_transport_port(listener->transport);
    size_t end = host.size;
    while (end > 0 && host.at[end - 1] != ':' && host.at[end - 1] != ']')
        end--;
    if (end > 0 && host.at[end - 1] == ':') {
        struct span digits = ahoy_span_after(host, end);
        if (ahoy_span_number(digits, UINT16_MAX, &port))
            host.size = end - 1;
    }
    if (host.size == 0)
        return;
    (void)ahoy_ip_parse(host, &ip); /* Where it is a name, there is no address. */
    ip.port = (uint16_t)port;
    add_own(names, host, &ip);
}

static uint16_t port_of(const struct ahoy_uri *uri)
{
    enum ahoy_transport transport = AHOY_UDP;
    struct span name;
    if (uri->port != 0)
        return uri->port;
    if (ahoy_uri_param(uri, SPAN("transport"), &name))
        transport = ahoy_transport_parse(name);
    if (uri->scheme == AHOY_SCHEME_SIPS) /* RFC 7118 5.5: sips and ws are WSS. */
        transport = transport == AHOY_WS ? AHOY_WSS : AHOY_TLS;
    return ahoy_transport_port(transport);
}

static void add_node(struct ahoyd_names *names)
{
    struct ahoy_uri uri;
    struct ahoy_ip ip = { 0 };
    if (!ahoy_uri_parse(names->config->node, &uri, NULL))
        return;                         /* As where there is none. */
    (void)ahoy_ip_parse(uri.host, &ip); /* Where it is a name, there is no address. */
    ip.port = port_of(&uri);
    add_own(names, uri.host, &ip);
}

static bool index_trunks(struct ahoyd_names *names)
{
    for (size_t i = 0; i < names->config->trunk_count; i++) {
        const struct ahoyd_trunk *trunk = &names->config->trunks[i];
        for (size_t j = 0; j < trunk->count; j++) {
            uint64_t place = i * AHOYD_TRUNK_TARGETS_LIMIT + j;
            if (trunk->targets[j].ip.family == AHOY_NO_FAMILY)
                continue;
            if (!ahoy_map_add(&names->trunks, ahoy_ip_hash_host(&trunk->targets[j].ip), place))
                return false;
        }
    }
    return true;
}

static bool index_names(struct ahoyd_names *names)
{
    for (size_t i = 0; i < names->config->domain_count; i++) {
        struct span name = names->config->domains[i].name;
        if (!ahoy_map_add(&names->domains, ahoy_span_hash_nocase(name), i))
            return false;
    }
    for (size_t i = 0; i < names->config->route_count; i++) {
        struct span name = names->config->routes[i].domain;
        if (!names->config->routes[i].is_first)
            continue;
        if (!ahoy_map_add(&names->routes, ahoy_span_hash_nocase(name), i))
            return false;
    }
    return index_trunks(names);
}

bool ahoyd_names_init(struct ahoyd_names *names, const struct ahoyd_config *config,
                      const struct ahoy_listener *listeners, size_t listener_count)
{
    *names = (struct ahoyd_names){ .config = config,
                                   .listeners = listeners,
                                   .listener_count = listener_count };
    ahoy_map_init(&names->domains, NAMES_LIMIT);
    ahoy_map_init(&names->routes, NAMES_LIMIT);
    ahoy_map_init(&names->trunks, NAMES_LIMIT);
    for (size_t i = 0; i < listener_count; i++) {
        if (listeners[i].transport == AHOY_TRANSPORT_OTHER)
            continue;
        add_own(names, SPAN(""), &listeners[i].local);
        add_sent_by(names, &listeners[i]);
    }
    add_node(names);
    return index_names(names);
}

void ahoyd_names_fini(struct ahoyd_names *names)
{
    ahoy_map_fini(&names->domains);
    ahoy_map_fini(&names->routes);
    ahoy_map_fini(&names->trunks);
}

/* A listener on the unspecified address is reached by loopback, whatever else reaches it. */
static bool reaches(const struct ahoyd_own_address *own, const struct ahoy_ip *ip)
{
    static const uint8_t unspecified[sizeof ip->bytes];
    if (own->ip.family != ip->family || own->port != ip->port)
        return false;
    return ahoy_ip_equal_host(&own->ip, ip) ||
           (memcmp(own->ip.bytes, unspecified, sizeof unspecified) == 0 && ahoy_ip_is_loopback(ip));
}

bool ahoyd_names_is_own_ip(const struct ahoyd_names *names, const struct ahoy_ip *ip)
{
    for (size_t i = 0; i < names->own_count; i++) {
        if (reaches(&names->own[i], ip))
            return true;
    }
    return false;
}

static bool is_own_port(const struct ahoyd_names *names, uint16_t port)
{
    for (size_t i = 0; i < names->own_count; i++) {
        if (names->own[i].port == port)
            return true;
    }
    return false;
}

static bool is_own(const struct ahoyd_names *names, struct span host, uint16_t port)
{
    struct ahoy_ip ip;
    if (!is_own_port(names, port)) /* Most are not, which is seen sooner than who they are. */
        return false;
    if (ahoy_ip_parse(host, &ip)) {
        ip.port = port;
        return ahoyd_names_is_own_ip(names, &ip);
    }
    for (size_t i = 0; i < names->own_count; i++) {
        const struct ahoyd_own_address *own = &names->own[i];
        if (own->ip.family == AHOY_NO_FAMILY && own->port == port &&
            ahoy_span_equal_nocase(own->host, host))
            return true;
    }
    return false;
}

bool ahoyd_names_is_own_address(const struct ahoyd_names *names, const struct ahoy_uri *uri)
{
    return uri->scheme != AHOY_SCHEME_OTHER && is_own(names, uri->host, port_of(uri));
}

static const struct ahoyd_domain *find_domain(const struct ahoyd_names *names, struct span host)
{
    size_t cursor = 0;
    uint64_t index;
    uint64_t hash = ahoy_span_hash_nocase(host);
    while (ahoy_map_find(&names->domains, hash, &cursor, &index)) {
        if (ahoy_span_equal_nocase(names->config->domains[index].name, host))
            return &names->config->domains[index];
    }
    return NULL;
}

const struct ahoyd_domain *ahoyd_names_of_aor(const struct ahoyd_names *names, struct span aor)
{
    size_t at = aor.size;
    while (at > 0 && aor.at[at - 1] != '@')
        at--;
    return find_domain(names, ahoy_span_after(aor, at));
}

static bool is_ip(struct span host)
{
    struct ahoy_ip ip;
    return ahoy_ip_parse(host, &ip);
}

/* R3261-16.4-4: a maddr of ours counts as if it were not there. */
static bool maddr_is_ours(const struct ahoyd_names *names, const struct ahoy_uri *uri)
{
    struct span maddr;
    return !ahoy_uri_param(uri, SPAN("maddr"), &maddr) || is_own(names, maddr, port_of(uri)) ||
           (!is_ip(maddr) && find_domain(names, maddr) != NULL);
}

const struct ahoyd_domain *ahoyd_names_domain(const struct ahoyd_names *names,
                                              const struct ahoy_uri *uri)
{
    if (uri->scheme == AHOY_SCHEME_OTHER || !maddr_is_ours(names, uri))
        return NULL;
    bool own = ahoyd_names_is_own_address(names, uri);
    const struct ahoyd_domain *domain = find_domain(names, uri->host);
    if (domain != NULL && !own && uri->port != 0 && is_ip(uri->host))
        domain = NULL;
    if (domain == NULL && own && names->config->domain_count == 1)
        domain = &names->config->domains[0];
    return domain;
}

/* A name without anything beside it, as most are, needs no look-up. */
bool ahoyd_names_are_of(const struct ahoyd_names *names, const struct ahoy_uri *uri,
                        const struct ahoyd_domain *domain)
{
    if (uri->scheme != AHOY_SCHEME_OTHER && uri->port == 0 && uri->params.size == 0 &&
        ahoy_span_equal_nocase(uri->host, domain->name))
        return true;
    return ahoyd_names_domain(names, uri) == domain;
}

bool ahoyd_names_is_own_route(const struct ahoyd_names *names, const struct ahoy_uri *uri)
{
    if (ahoyd_names_is_own_address(names, uri))
        return true;
    return uri->scheme != AHOY_SCHEME_OTHER && find_domain(names, uri->host) != NULL &&
           (uri->port == 0 || is_own_port(names, uri->port)) && !is_ip(uri->host);
}

struct ahoyd_routes ahoyd_names_routes(const struct ahoyd_names *names, const struct ahoy_uri *uri,
                                       const struct ahoyd_domain *domain)
{
    struct ahoyd_routes routes = { 0, 0 };
    size_t cursor = 0;
    uint64_t index;
    if (domain != NULL && domain->mode == AHOYD_MODE_PROXY)
        routes = (struct ahoyd_routes){ domain->route, names->config->common_route };
    if (domain != NULL || uri->scheme == AHOY_SCHEME_OTHER)
        return routes;
    uint64_t hash = ahoy_span_hash_nocase(uri->host);
    while (ahoy_map_find(&names->routes, hash, &cursor, &index)) {
        if (ahoy_span_equal_nocase(names->config->routes[index].domain, uri->host))
            routes.own = index + 1;
    }
    return routes;
}

static const struct ahoyd_trunk_target *target_at(const struct ahoyd_names *names, uint64_t place)
{
    return &names->config->trunks[place / AHOYD_TRUNK_TARGETS_LIMIT]
                .targets[place % AHOYD_TRUNK_TARGETS_LIMIT];
}

const struct ahoyd_trunk *ahoyd_names_trunk(const struct ahoyd_names *names,
                                            const struct ahoy_ip *ip)
{
    size_t cursor = 0;
    uint64_t place;
    while (ahoy_map_find(&names->trunks, ahoy_ip_hash_host(ip), &cursor, &place)) {
        if (ahoy_ip_equal_host(&target_at(names, place)->ip, ip))
            return &names->config->trunks[place / AHOYD_TRUNK_TARGETS_LIMIT];
    }
    return NULL;
}

bool ahoyd_names_is_trunk(const struct ahoyd_names *names, const struct ahoy_ip *ip)
{
    return ahoyd_names_trunk(names, ip) != NULL;
}

bool ahoyd_names_is_trusted(const struct ahoyd_names *names, const struct ahoy_ip *ip)
{
    size_t cursor = 0;
    uint64_t place;
    while (ahoy_map_find(&names->trunks, ahoy_ip_hash_host(ip), &cursor, &place)) {
        if (names->config->trunks[place / AHOYD_TRUNK_TARGETS_LIMIT].trusted &&
            ahoy_ip_equal_host(&target_at(names, place)->ip, ip))
            return true;
    }
    return false;
}

bool ahoyd_names_is_trunk_target(const struct ahoyd_names *names, const struct ahoy_ip *ip)
{
    size_t cursor = 0;
    uint64_t place;
    while (ahoy_map_find(&names->trunks, ahoy_ip_hash_host(ip), &cursor, &place)) {
        if (ahoy_ip_equal(&target_at(names, place)->ip, ip))
            return true;
    }
    return false;
}
