/* The three rounds.  Each takes its answers as they come; what was found is kept in the order in
 * which it will be tried, whatever the order of the answers. */
#include "libahoy/resolve/search.h"

#include "libahoy/resolve/weigh.h"

/* Numbers of questions: that for NAPTR, one a lead, two a host. */
enum { ASK_NAPTR = 0, ASK_LEADS = 1, ASK_HOSTS = ASK_LEADS + AHOY_LEADS_LIMIT };

_Static_assert((int)ASK_HOSTS + 2 * (int)AHOY_SERVERS_LIMIT <= 64, "questions fit into the sets");

/* What is known of the transports of 4.1.  Each once. */
static const struct kind {
    enum ahoy_transport transport;
    bool is_secure;
    struct span service; /* In NAPTR. */
    struct span prefix;  /* In front of a domain, for SRV. */
} kinds[] = {
    { AHOY_UDP, false, SPAN_INIT("SIP+D2U"), SPAN_INIT("_sip._udp.") },
    { AHOY_TCP, false, SPAN_INIT("SIP+D2T"), SPAN_INIT("_sip._tcp.") },
    { AHOY_TLS, true, SPAN_INIT("SIPS+D2T"), SPAN_INIT("_sips._tcp.") },
};

enum { KINDS = sizeof kinds / sizeof *kinds };

static bool can_send(uint16_t set, enum ahoy_transport transport)
{
    return (set >> transport & 1) != 0;
}

/* Whether we may and can use |kind| for this search (R3263-4.1-1, R3263-4.1-2). */
static bool is_usable(const struct ahoy_search *search, const struct kind *kind)
{
    uint16_t set = search->means.v4 | search->means.v6;
    return can_send(set, kind->transport) && (kind->is_secure || !search->is_secure);
}

/* Puts |server| among the others by its rank, unless it is there already. */
static void add_server(struct ahoy_search *search, const struct ahoy_server *server)
{
    for (size_t i = 0; i < search->count; i++) {
        if (search->servers[i].transport == server->transport &&
            ahoy_ip_equal(&search->servers[i].ip, &server->ip))
            return;
    }
    size_t at = search->count;
    while (at > 0 && search->servers[at - 1].rank > server->rank)
        at--;
    if (at == AHOY_SERVERS_LIMIT)
        return;
    if (search->count < AHOY_SERVERS_LIMIT)
        search->count++;
    size_t behind = search->count - 1 - at;
    memmove(&search->servers[at + 1], &search->servers[at], behind * sizeof *search->servers);
    search->servers[at] = *server;
}

/* 4.2: the port that is written, else the usual one. */
static uint16_t port_of(const struct ahoy_search *search, enum ahoy_transport transport)
{
    return search->port != 0 ? search->port : ahoy_transport_port(transport);
}

static void add_host(struct ahoy_search *search, enum ahoy_transport transport, uint16_t port,
                     const struct ahoy_dns_name *name)
{
    search->hosts[search->host_count++] =
        (struct ahoy_host){ .transport = transport, .port = port, .name = *name };
}

static bool asks_v4(unsigned number)
{
    return (number - ASK_HOSTS) % 2 == 1;
}

static void want(struct ahoy_search *search, unsigned number)
{
    search->wanted |= UINT64_C(1) << number;
}

/* RFC 7984 3.1: the addresses of each family that we can send to. */
static void ask_hosts(struct ahoy_search *search)
{
    search->stage = AHOY_SEARCH_HOSTS;
    for (unsigned i = 0; i < search->host_count; i++) {
        if (can_send(search->means.v6, search->hosts[i].transport))
            want(search, ASK_HOSTS + 2 * i);
        if (can_send(search->means.v4, search->hosts[i].transport))
            want(search, ASK_HOSTS + 2 * i + 1);
    }
    search->done = search->wanted == search->answered;
}

/* The domain's own addresses are asked for: a port was written, or it has no SRV records. */
static void ask_domain(struct ahoy_search *search, enum ahoy_transport transport)
{
    add_host(search, transport, port_of(search, transport), &search->domain);
    ask_hosts(search);
}

/* The lead to |kind|'s SRV records beside the domain itself. */
static void add_own_lead(struct ahoy_search *search, const struct kind *kind)
{
    struct ahoy_lead *lead = &search->leads[search->lead_count];
    lead->transport = kind->transport;
    /* A domain may be so long that its services have no names. */
    if (ahoy_dns_name_make(&lead->name, kind->prefix, ahoy_dns_name_text(&search->domain)))
        search->lead_count++;
}

/* No lead is left: the domain's own addresses are the last chance, by the transport of the first
 * lead that was a NAPTR's, else by the usual one. */
static void leave_leads(struct ahoy_search *search)
{
    if (search->refused)
        search->done = true;
    else
        ask_domain(search, search->transport);
}

static void follow_leads(struct ahoy_search *search)
{
    search->stage = AHOY_SEARCH_SRV;
    if (search->lead < search->lead_count)
        want(search, ASK_LEADS + (unsigned)search->lead);
    else
        leave_leads(search);
}

/* Without NAPTR: the transport that is named, or each that we have, in the order in which we like
 * them. */
static void guess_leads(struct ahoy_search *search, bool is_named)
{
    for (size_t i = 0; i < KINDS; i++) {
        if (is_named ? kinds[i].transport == search->transport
                     : kinds[i].is_secure == search->is_secure && is_usable(search, &kinds[i]))
            add_own_lead(search, &kinds[i]);
    }
    follow_leads(search);
}

static void init(struct ahoy_search *search, const struct ahoy_place *place,
                 struct ahoy_means means)
{
    memset(search, 0, sizeof *search);
    search->means = means;
    search->is_secure = place->is_secure;
    search->port = place->port;
    search->transport = place->transport;
}

bool ahoy_search_begin(struct ahoy_search *search, const struct ahoy_uri *uri,
                       const struct ahoy_search_options *options, struct ahoy_err *err)
{
    struct ahoy_place place;
    if (!ahoy_place_read(uri, &options->means, options->is_secure, &place, err))
        return false;
    init(search, &place, options->means);
    if (place.ip.family != AHOY_NO_FAMILY) {
        add_server(search, &(struct ahoy_server){ .transport = place.transport, .ip = place.ip });
        search->done = true;
    } else if (!ahoy_dns_name_make(&search->domain, SPAN(""), place.host)) {
        return ahoy_fail(err, 503, place.host.at, "a host that the DNS can have");
    } else if (search->port != 0) {
        ask_domain(search, search->transport);
    } else if (place.is_named) {
        guess_leads(search, true);
    } else {
        search->stage = AHOY_SEARCH_NAPTR;
        want(search, ASK_NAPTR);
    }
    return true;
}

static struct ahoy_question question_of(const struct ahoy_search *search, unsigned number)
{
    struct ahoy_question question = { (uint8_t)number, AHOY_DNS_NAPTR, &search->domain };
    if (search->stage == AHOY_SEARCH_SRV) {
        question.type = AHOY_DNS_SRV;
        question.name = &search->leads[number - ASK_LEADS].name;
    } else if (search->stage == AHOY_SEARCH_HOSTS) {
        question.type = asks_v4(number) ? AHOY_DNS_A : AHOY_DNS_AAAA;
        question.name = &search->hosts[(number - ASK_HOSTS) / 2].name;
    }
    return question;
}

bool ahoy_search_poll(struct ahoy_search *search, struct ahoy_question *question)
{
    uint64_t left = search->wanted & ~search->asked;
    unsigned number = 0;
    if (search->done || left == 0)
        return false;
    while ((left >> number & 1) == 0)
        number++;
    search->asked |= UINT64_C(1) << number;
    *question = question_of(search, number);
    return true;
}

/* Puts the lead of a NAPTR record among the others by order and preference (RFC 3403 4.1). */
static void add_lead(struct ahoy_search *search, const struct kind *kind,
                     const struct ahoy_record *record)
{
    struct ahoy_lead lead = { .transport = kind->transport,
                              .rank = (uint32_t)record->first << 16 | record->second };
    size_t at = search->lead_count;
    while (at > 0 && search->leads[at - 1].rank > lead.rank)
        at--;
    if (at == AHOY_LEADS_LIMIT || !ahoy_dns_name_read(&lead.name, record->name) ||
        lead.name.size == 0)
        return;
    if (search->lead_count < AHOY_LEADS_LIMIT)
        search->lead_count++;
    size_t behind = search->lead_count - 1 - at;
    memmove(&search->leads[at + 1], &search->leads[at], behind * sizeof *search->leads);
    search->leads[at] = lead;
}

/* 4.1: the record must lead to SRV records, by a service of ours, without rewriting. */
static void take_naptr(struct ahoy_search *search, const struct ahoy_record *record)
{
    if (!ahoy_span_equal_nocase(record->flags, SPAN("s")) || record->regexp.size > 0)
        return;
    for (size_t i = 0; i < KINDS; i++) {
        if (ahoy_span_equal_nocase(record->services, kinds[i].service) &&
            is_usable(search, &kinds[i]))
            add_lead(search, &kinds[i], record);
    }
}

/* A failure counts as no records: there are name servers that know no NAPTR, and who guesses the
 * names of the SRV records finds them all the same (R3263-4.1-4). */
static void step_naptr(struct ahoy_search *search, struct span message)
{
    struct ahoy_records records;
    struct ahoy_record record;
    if (ahoy_records_begin(&records, message, AHOY_DNS_NAPTR) == AHOY_DNS_FOUND) {
        while (ahoy_records_next(&records, &record))
            take_naptr(search, &record);
    }
    if (search->lead_count == 0) {
        guess_leads(search, false);
        return;
    }
    search->transport = search->leads[0].transport;
    follow_leads(search);
}

static size_t read_choices(struct ahoy_records *records,
                           struct ahoy_choice choices[AHOY_DNS_RECORDS_LIMIT])
{
    struct ahoy_record record;
    size_t count = 0;
    while (ahoy_records_next(records, &record))
        choices[count++] =
            (struct ahoy_choice){ record.first, record.second, record.port, record.name };
    return count;
}

/* The hosts of an SRV answer.  A name that is not sound and the root, which says that there is no
 * such service, are none. */
static void take_hosts(struct ahoy_search *search, struct ahoy_records *records,
                       struct ahoy_rng *rng)
{
    struct ahoy_choice choices[AHOY_DNS_RECORDS_LIMIT];
    size_t count = read_choices(records, choices);
    search->refused |= count > 0;
    while (count > 0 && search->host_count < AHOY_SERVERS_LIMIT) {
        struct ahoy_choice choice = ahoy_choice_take(choices, &count, rng);
        struct ahoy_dns_name name;
        if (ahoy_dns_name_read(&name, choice.name) && name.size > 0)
            add_host(search, search->leads[search->lead].transport, choice.port, &name);
    }
}

/* Where an SRV answer failed, there may be servers that nobody knows now: the domain's own
 * addresses, which may be another's (a web site's), do not stand in for them. */
static void step_srv(struct ahoy_search *search, struct span message, struct ahoy_rng *rng)
{
    struct ahoy_records records;
    enum ahoy_dns_verdict verdict = ahoy_records_begin(&records, message, AHOY_DNS_SRV);
    if (verdict == AHOY_DNS_FOUND)
        take_hosts(search, &records, rng);
    search->refused |= verdict == AHOY_DNS_FAILED;
    search->lead++;
    if (search->host_count > 0)
        ask_hosts(search);
    else
        follow_leads(search);
}

/* How much an address is liked among those of its host: RFC 6724 2.1, the larger the sooner.
 * DEPARTS: of the rules of its section 6 only this one, the sixth, is followed; the others ask
 * which addresses this machine has. */
static unsigned precedence_of(const struct ahoy_ip *ip)
{
    static const struct {
        uint8_t bytes[4];
        uint8_t bits, precedence;
    } policies[] = {
        { { 0x20, 0x02 }, 16, 30 },      /* 6to4 */
        { { 0x20, 0x01, 0, 0 }, 32, 5 }, /* Teredo */
        { { 0xfc }, 7, 3 },              /* Unique local */
        { { 0xfe, 0xc0 }, 10, 1 },       /* Site-local */
        { { 0x3f, 0xfe }, 16, 1 },       /* 6bone */
    };
    if (ip->family == AHOY_IPV4)
        return 35;
    for (size_t i = 0; i < sizeof policies / sizeof *policies; i++) {
        unsigned bits = policies[i].bits;
        unsigned different = 0;
        for (unsigned at = 0; at < bits; at++)
            different |= (policies[i].bytes[at / 8] ^ ip->bytes[at / 8]) >> (7 - at % 8) & 1;
        if (different == 0)
            return policies[i].precedence;
    }
    return 40;
}

static void step_host(struct ahoy_search *search, unsigned number, struct span message)
{
    unsigned index = (number - ASK_HOSTS) / 2;
    enum ahoy_dns_type type = asks_v4(number) ? AHOY_DNS_A : AHOY_DNS_AAAA;
    const struct ahoy_host *host = &search->hosts[index];
    struct ahoy_records records;
    struct ahoy_record record;
    bool found = ahoy_records_begin(&records, message, type) == AHOY_DNS_FOUND;
    while (found && ahoy_records_next(&records, &record)) {
        struct ahoy_server server = { .transport = host->transport, .ip = record.ip };
        server.ip.port = host->port;
        /* The addresses of different hosts are never mixed (RFC 7984 4). */
        server.rank = (uint16_t)(index << 8 | (UINT8_MAX - precedence_of(&record.ip)));
        add_server(search, &server);
    }
    search->done = search->wanted == search->answered;
}

void ahoy_search_step(struct ahoy_search *search, uint8_t number, struct span message,
                      struct ahoy_rng *rng)
{
    uint64_t bit = number < 64 ? UINT64_C(1) << number : 0;
    if (search->done || (search->asked & ~search->answered & bit) == 0)
        return;
    search->answered |= bit;
    if (number == ASK_NAPTR)
        step_naptr(search, message);
    else if (number < ASK_HOSTS)
        step_srv(search, message, rng);
    else
        step_host(search, number, message);
}

void ahoy_search_end(struct ahoy_search *search)
{
    search->done = true;
}
