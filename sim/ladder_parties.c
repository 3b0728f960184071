/* Who is in the world of a ladder beside its servers: scripted parties and real phones, and at
 * which of them a user is reached. */
#include <assert.h>
#include <stdio.h>

#include "sim/ladder_inside.h"

static const char password[] = "secret"; /* Of every user. */

struct ladder_party *sim_ladder_party(struct ladder *ladder, const char *name)
{
    for (size_t i = 0; i < ladder->party_count; i++) {
        if (strcmp(ladder->parties[i].name, name) == 0)
            return &ladder->parties[i];
    }
    return NULL;
}

/* What a party's transport is called. */
static bool read_transport(const char *word, struct sim_party_kind *kind)
{
    for (unsigned i = AHOY_UDP; i < AHOY_TRANSPORT_COUNT; i++) {
        if (!ahoy_span_equal(ahoy_span(word), ahoy_transport_uri_name((enum ahoy_transport)i)))
            continue;
        kind->transport = (enum ahoy_transport)i;
        return true;
    }
    return false;
}

/* One word about a party; |deaf| where nobody takes connections there. */
static void read_party_word(struct ladder *ladder, unsigned number, struct ladder_party *party,
                            const char *word, bool *deaf)
{
    size_t server = sim_ladder_server(ladder, word);
    if (server < ladder->server_count)
        party->server = server;
    else if (strcmp(word, "2543") == 0)
        party->kind.old = true;
    else if (strcmp(word, "deaf") == 0)
        *deaf = true;
    else if (strcmp(word, "4") == 0 || strcmp(word, "6") == 0)
        party->v6 = word[0] == '6';
    else if (strcmp(word, "mtls") == 0)
        party->kind.proves = &party->peer;
    else if (!read_transport(word, &party->kind))
        sim_ladder_fail(ladder, number, "a party cannot be ", word);
}

static void party_receives(void *context, struct sim_party *party, struct span bytes)
{
    (void)context; /* What a party does is written in the ladder. */
    (void)party;
    (void)bytes;
}

/* Users of domains that want a password have one. */
static void add_user(struct ladder *ladder, const char *name)
{
    for (size_t i = 0; i < ladder->domain_count; i++) {
        const struct ladder_domain *domain = &ladder->domains[i];
        if (domain->is_digest)
            sim_host_add_user(ladder->servers[domain->server].host, name, domain->name, password);
    }
}

/* The next one; NULL where there are too many. */
static struct ladder_party *add_party(struct ladder *ladder, unsigned number, char **words,
                                      size_t count)
{
    if (count < 2 || ladder->party_count == PARTIES_LIMIT) {
        sim_ladder_fail(ladder, number, "write: party NAME udp", "");
        return NULL;
    }
    sim_ladder_open(ladder);
    struct ladder_party *party = &ladder->parties[ladder->party_count];
    party->ladder = ladder;
    party->v6 = ladder->v6;
    party->ip = sim_ladder_ip(party->v6, PARTIES_FIRST + ladder->party_count++);
    party->kind.transport = AHOY_UDP;
    snprintf(party->name, sizeof party->name, "%s", words[1]);
    return party;
}

static bool phone_sends(void *context, const struct ahoy_ip *to, struct span bytes)
{
    struct ladder_party *party = context;
    return sim_ladder_sent(party->ladder, party->name, to, bytes);
}

/* "phone alice", "phone alice bob": whom it calls without a server between them. */
void sim_ladder_set_phone(struct ladder *ladder, unsigned number, char **words, size_t count)
{
    struct ladder_party *party = add_party(ladder, number, words, count);
    struct ahoy_ip server;
    if (party == NULL)
        return;
    const char *peer = count > 2        ? words[2]
                       : ladder->direct ? party->name
                                        : ladder->servers[0].name;
    if (!sim_ladder_address(ladder, party, peer, &server)) {
        sim_ladder_fail(ladder, number, "nobody is called ", peer);
        return;
    }
    party->kind.domain = sim_ladder_home(ladder, 0)->name;
    party->phone = sim_phone_new(ladder->world, party->name, password, &party->ip, &server);
    assert(party->phone != NULL);
    sim_phone_observe(party->phone, phone_sends, party);
    add_user(ladder, party->name);
}

void sim_ladder_set_party(struct ladder *ladder, unsigned number, char **words, size_t count)
{
    struct ladder_party *party = add_party(ladder, number, words, count);
    if (party == NULL)
        return;
    struct sim_party_kind *kind = &party->kind;
    bool deaf = false;
    for (size_t i = 2; i < count; i++)
        read_party_word(ladder, number, party, words[i], &deaf);
    if (kind->proves != NULL)
        kind->transport = AHOY_TLS;
    party->ip = sim_ladder_ip(party->v6, PARTIES_FIRST + (size_t)(party - ladder->parties));
    party->ip.port = deaf ? 9 : kind->transport == AHOY_TLS ? 5061 : 5060; /* None listens at 9. */
    snprintf(party->proved, sizeof party->proved, "%s.example", words[1]);
    party->peer = (struct ahoy_peer){ .count = 1, .names = { ahoy_span(party->proved) } };
    kind->domain = sim_ladder_home(ladder, party->server)->name;
    kind->password = password;
    if (!ladder->direct)
        (void)sim_ladder_address(ladder, party, ladder->servers[party->server].name, &kind->proxy);
    party->party =
        sim_party_new(ladder->world, party->name, &party->ip, kind, party_receives, ladder);
    add_user(ladder, party->name);
}

/* "register bob bob carol"; "flows bob bob carol": one instance with several flows, to be tried in
 * this order.  It is where the first of them is at home. */
static void register_all(struct ladder *ladder, unsigned number, char **words, size_t count,
                         bool flows)
{
    for (size_t i = 2; i < count; i++) {
        char aor[2 * HOST_LIMIT], host[HOST_LIMIT], contact[2 * HOST_LIMIT];
        const struct ladder_party *party = sim_ladder_party(ladder, words[i]);
        if (party == NULL) {
            sim_ladder_fail(ladder, number, "there is no party ", words[i]);
            return;
        }
        struct ahoy_buf buf = ahoy_buf_over(host, sizeof host);
        ahoy_ip_print_host(&party->ip, &buf);
        snprintf(aor, sizeof aor, "%s@%s", words[1], party->kind.domain);
        snprintf(contact, sizeof contact, "sip:%s@%.*s%s", words[i], (int)ahoy_buf_text(&buf).size,
                 host, party->party != NULL ? sim_party_parameter(party->party) : "");
        sim_host_register_flow(ladder->servers[party->server].host, aor, contact,
                               flows ? &party->ip : NULL, flows ? (uint32_t)i - 1 : 0);
    }
}

void sim_ladder_set_register(struct ladder *ladder, unsigned number, char **words, size_t count)
{
    register_all(ladder, number, words, count, false);
}

void sim_ladder_set_flows(struct ladder *ladder, unsigned number, char **words, size_t count)
{
    register_all(ladder, number, words, count, true);
}

/* "contact bob sip:bob@phone.example", "contact bob@biloxi.example sip:bob@phone.example" */
void sim_ladder_set_contact(struct ladder *ladder, unsigned number, char **words, size_t count)
{
    if (count != 3 || ladder->server_count == 0 || ladder->world == NULL) {
        sim_ladder_fail(ladder, number, "write, behind a party: contact NAME URI", "");
        return;
    }
    char aor[2 * HOST_LIMIT];
    const char *at = strchr(words[1], '@');
    size_t i = at == NULL ? 0 : sim_ladder_domain(ladder, at + 1, ANY_SERVER);
    if (i == ladder->domain_count) {
        sim_ladder_fail(ladder, number, "no server has the domain of ", words[1]);
        return;
    }
    const struct ladder_domain *domain = &ladder->domains[i];
    snprintf(aor, sizeof aor, "%s%s%s", words[1], at == NULL ? "@" : "",
             at == NULL ? domain->name : "");
    sim_host_register(ladder->servers[domain->server].host, aor, words[2]);
}

/* "named bob phone.example" */
void sim_ladder_set_named(struct ladder *ladder, unsigned number, char **words, size_t count)
{
    struct ladder_party *party = count == 3 ? sim_ladder_party(ladder, words[1]) : NULL;
    if (party == NULL) {
        sim_ladder_fail(ladder, number, "write, behind the party: named NAME HOST", "");
        return;
    }
    snprintf(party->host, sizeof party->host, "%s", words[2]);
    sim_party_call_itself(party->party, party->host);
}
