/* The world of a ladder: its servers with their domains, and its DNS. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/ladder_inside.h"
#include "sim/text.h"

enum {
    PROVING_PORT = 5071, /* Where a server wants certificates. */
    CONFIG_LIMIT = 4096
};

static const char *const addresses[] = { "192.0.2.1", "[2001:db8::1]" }; /* Of the first server. */

struct ahoy_ip sim_ladder_ip(bool v6, size_t number)
{
    struct ahoy_ip ip;
    (void)ahoy_ip_parse(ahoy_span(addresses[v6]), &ip); /* It is one. */
    ip.bytes[v6 ? 15 : 3] = (uint8_t)(1 + number);
    ip.port = 5060;
    return ip;
}

size_t sim_ladder_server(const struct ladder *ladder, const char *name)
{
    size_t i = 0;
    while (i < ladder->server_count && strcmp(ladder->servers[i].name, name) != 0)
        i++;
    return i;
}

const struct ladder_domain *sim_ladder_home(const struct ladder *ladder, size_t server)
{
    size_t i = 0;
    while (i + 1 < ladder->domain_count && ladder->domains[i].server != server)
        i++;
    return &ladder->domains[i];
}

bool sim_ladder_address(struct ladder *ladder, const struct ladder_party *party, const char *name,
                        struct ahoy_ip *ip)
{
    enum ahoy_transport transport = party->kind.transport;
    size_t server = sim_ladder_server(ladder, name);
    const struct ladder_party *peer = sim_ladder_party(ladder, name);
    if (server == ladder->server_count && peer == NULL)
        return false;
    *ip = peer != NULL ? peer->ip : sim_ladder_ip(party->v6, server);
    if (peer == NULL)
        ip->port = party->kind.proves != NULL ? PROVING_PORT : ahoy_transport_port(transport);
    return true;
}

/* The configuration of a server. */

static void put_host(struct ahoy_buf *buf, bool v6, size_t number)
{
    struct ahoy_ip ip = sim_ladder_ip(v6, number);
    ahoy_ip_print_host(&ip, buf);
}

/* How it listens at one of its addresses. */
static void put_listeners(const struct ladder *ladder, bool v6, size_t number, struct ahoy_buf *buf)
{
    char host[HOST_LIMIT] = "";
    struct ahoy_buf text = ahoy_buf_over(host, sizeof host - 1);
    put_host(&text, v6, number);
    sim_put(buf, "listen 'udp:%s' listen 'tcp:%s'\n", host, host);
    if (!ladder->all)
        return;
    sim_put(buf, "listen 'ws:%s' listen('wss:%s', { certificate = 'c', key = 'k' })\n", host, host);
    sim_put(buf, "listen('tls:%s', { certificate = 'c', key = 'k' })\n", host);
    sim_put(buf, "listen('tls:%s:%d', { certificate = 'c', key = 'k', verify = 'required',\n", host,
            PROVING_PORT);
    sim_put(buf, "    authorities = 'a' })\n");
}

/* A domain of its own, or the way to that of another one. */
static void put_domain(const struct ladder_domain *domain, size_t number, struct ahoy_buf *buf)
{
    if (domain->server == number)
        sim_put(buf, "domain('%s', { auth = '%s', insecure = %s%s })\n", domain->name,
                domain->is_digest ? "digest" : "none", domain->is_digest ? "false" : "true",
                domain->words);
    else
        sim_put(buf,
                "trunk('%s', { 'sip:%s' })\n"
                "route { domain = '%s', to = '%s' }\n",
                domain->name, domain->name, domain->name, domain->name);
}

size_t sim_ladder_domain(const struct ladder *ladder, const char *name, size_t server)
{
    size_t i = 0;
    while (i < ladder->domain_count &&
           (strcmp(ladder->domains[i].name, name) != 0 ||
            (server != ANY_SERVER && ladder->domains[i].server != server)))
        i++;
    return i;
}

static void put_config(const struct ladder *ladder, size_t number, struct ahoy_buf *buf)
{
    for (unsigned v6 = 0; v6 < 2; v6++) {
        if (ladder->all || ladder->v6 == (v6 == 1))
            put_listeners(ladder, v6 == 1, number, buf);
    }
    sim_put(buf, "store 'memory:'\n");
    for (size_t i = 0; i < ladder->domain_count; i++) {
        const struct ladder_domain *domain = &ladder->domains[i];
        size_t own = sim_ladder_domain(ladder, domain->name, number);
        if (i == own || (own == ladder->domain_count &&
                         i == sim_ladder_domain(ladder, domain->name, ANY_SERVER)))
            put_domain(domain, number, buf);
    }
    if (number == 0 && ladder->trunk[0] != '\0')
        sim_put(buf,
                "trunk('carrier', { %s })\n"
                "route { domain = 'carrier.example', to = 'carrier'%s }\n",
                ladder->trunk, ladder->is_stateless ? ", from = 'anyone', stateless = true" : "");
}

/* Opening. */

/* The host is about to send: it must be the next line. */
static bool server_sends(void *context, const struct ahoy_ip *to, struct span bytes)
{
    struct ladder_server *server = context;
    return sim_ladder_sent(server->ladder, server->name, to, bytes);
}

static void open_server(struct ladder *ladder, size_t number)
{
    char text[CONFIG_LIMIT];
    struct ahoy_buf config = ahoy_buf_over(text, sizeof text - 1);
    struct ladder_server *server = &ladder->servers[number];
    put_config(ladder, number, &config);
    assert(!config.overflow);
    text[config.size] = '\0';
    server->ladder = ladder;
    server->host = sim_host_new(ladder->world, server->name, text, server_sends, server);
    assert(server->host != NULL);
    sim_host_resolve(server->host, ladder->zone);
}

/* Where there are several servers, each is found by the names of its domains. */
static void name_servers(struct ladder *ladder)
{
    char line[SETTING_LIMIT];
    for (size_t i = 0; ladder->server_count > 1 && i < ladder->domain_count; i++) {
        const struct ladder_domain *domain = &ladder->domains[i];
        if (i != sim_ladder_domain(ladder, domain->name, ANY_SERVER))
            continue;
        char host[HOST_LIMIT] = "";
        struct ahoy_buf buf = ahoy_buf_over(host, sizeof host - 1);
        put_host(&buf, ladder->v6, domain->server);
        snprintf(line, sizeof line, "%s %s %s", domain->name, ladder->v6 ? "AAAA" : "A", host);
        (void)sim_zone_add(ladder->zone, line); /* It is a record. */
    }
}

void sim_ladder_open(struct ladder *ladder)
{
    if (ladder->world != NULL)
        return;
    if (ladder->server_count == 0) {
        snprintf(ladder->servers[0].name, NAME_LIMIT, "proxy");
        snprintf(ladder->domains[0].name, HOST_LIMIT, "atlanta.example");
        ladder->server_count = ladder->domain_count = ladder->direct ? 0 : 1;
    }
    ladder->world = sim_world_new(1, &ladder->link);
    assert(ladder->world != NULL);
    name_servers(ladder);
    for (size_t i = 0; i < ladder->server_count; i++)
        open_server(ladder, i);
}

/* Settings. */

/* "atlanta.example digest": |words| from the domain's name on. */
static void add_domain(struct ladder *ladder, unsigned number, size_t server, char **words,
                       size_t count)
{
    if (ladder->domain_count == DOMAINS_LIMIT) {
        sim_ladder_fail(ladder, number, "too many domains", "");
        return;
    }
    struct ladder_domain *domain = &ladder->domains[ladder->domain_count++];
    domain->server = server;
    snprintf(domain->name, sizeof domain->name, "%s", words[0]);
    for (size_t i = 1; i < count; i++) {
        if (strcmp(words[i], "digest") == 0)
            domain->is_digest = true;
        else if (strcmp(words[i], "order") == 0)
            snprintf(domain->words, sizeof domain->words, ", ring = 'order', ring_time = 15");
        else if (strcmp(words[i], "redirect") == 0)
            snprintf(domain->words, sizeof domain->words, ", mode = 'redirect'");
        else if (strcmp(words[i], "pass") == 0)
            snprintf(domain->words, sizeof domain->words, ", redirections = 'pass'");
        else
            sim_ladder_fail(ladder, number, "a domain cannot be ", words[i]);
    }
}

/* "server proxy2 biloxi.example digest" */
void sim_ladder_set_server(struct ladder *ladder, unsigned number, char **words, size_t count)
{
    if (count < 3 || ladder->world != NULL || ladder->server_count == SERVERS_LIMIT) {
        sim_ladder_fail(ladder, number, "write, before any party: server NAME DOMAIN", "");
        return;
    }
    size_t server = ladder->server_count++;
    snprintf(ladder->servers[server].name, NAME_LIMIT, "%s", words[1]);
    add_domain(ladder, number, server, words + 2, count - 2);
}

/* "domain proxy2 chicago.example": one more of a server. */
void sim_ladder_set_domain(struct ladder *ladder, unsigned number, char **words, size_t count)
{
    size_t server = count < 3 ? ladder->server_count : sim_ladder_server(ladder, words[1]);
    if (ladder->world != NULL || server == ladder->server_count)
        sim_ladder_fail(ladder, number, "write, behind its server: domain SERVER DOMAIN", "");
    else
        add_domain(ladder, number, server, words + 2, count - 2);
}

/* "dns phone.example A 192.0.2.12" */
void sim_ladder_set_dns(struct ladder *ladder, unsigned number, char **words, size_t count)
{
    char line[SETTING_LIMIT] = "";
    for (size_t i = 1; i < count; i++) {
        size_t size = strlen(line);
        snprintf(line + size, sizeof line - size, "%s ", words[i]);
    }
    if (!sim_zone_add(ladder->zone, line))
        sim_ladder_fail(ladder, number, "this is no record: ", line);
}

/* "trunk sip:one.example sip:192.0.2.12", "trunk stateless sip:192.0.2.12" */
void sim_ladder_set_trunk(struct ladder *ladder, unsigned number, char **words, size_t count)
{
    if (ladder->world != NULL)
        sim_ladder_fail(ladder, number, "a trunk stands before any party", "");
    ladder->is_stateless = count > 1 && strcmp(words[1], "stateless") == 0;
    for (size_t i = ladder->is_stateless ? 2 : 1; i < count; i++) {
        size_t size = strlen(ladder->trunk);
        snprintf(ladder->trunk + size, sizeof ladder->trunk - size, "'%s', ", words[i]);
    }
}

void sim_ladder_set_world(struct ladder *ladder, unsigned number, char **words, size_t count)
{
    const char *word = count == 2 && ladder->world == NULL ? words[1] : "";
    ladder->v6 |= strcmp(word, "6") == 0;
    ladder->all |= strcmp(word, "all") == 0;
    ladder->direct |= strcmp(word, "direct") == 0;
    if (!ladder->v6 && !ladder->all && !ladder->direct)
        sim_ladder_fail(ladder, number, "write, before any party: world 6, all or direct", "");
}

void sim_ladder_set_delay(struct ladder *ladder, unsigned number, char **words, size_t count)
{
    if (count != 2 || ladder->world != NULL)
        sim_ladder_fail(ladder, number, "write, before any party: delay MILLISECONDS", "");
    else
        ladder->link.delay_ms = (uint32_t)strtoul(words[1], NULL, 10);
}
