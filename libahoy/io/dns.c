/* libunbound calls back within its own working, or within the question; so an answer is kept until
 * it is asked for. */
#include "libahoy/io/dns.h"

#include <errno.h>
#include <stdlib.h>
#include <unbound.h>

#include "libahoy/io/dns_events.h"

enum { CLASS_IN = 1, TYPE_A = 1, BOGUS = 1, TEXT_LIMIT = 256 };

/* A lookup under way, and then its answer. */
struct lookup {
    struct lookup *next, **link; /* In the list of those under way. */
    struct ahoy_dns *dns;
    uint64_t number;
    size_t size;
    char *bytes;
};

struct ahoy_dns {
    struct ahoy_dns_events events;
    struct ub_ctx *context;
    size_t count; /* Lookups that are not asked for yet. */
    struct lookup *under_way;
    struct lookup *answers; /* The oldest first. */
    struct lookup **last;
    struct lookup *told; /* The one that was asked for last. */
    bool closing;
};

/* What is set whatever the operator says.  The caches are one thread's.  A silent server gets one
 * question more, and is then left alone: libunbound would go on for 17 seconds, and a search ends
 * after 4.  Nobody asks for names of private addresses, so the zones that would answer, 200 KB of
 * them, are left out. */
static const char *const settings[][2] = {
    { "msg-cache-slabs:", "1" },           { "rrset-cache-slabs:", "1" },
    { "infra-cache-slabs:", "1" },         { "key-cache-slabs:", "1" },
    { "outbound-msg-retry:", "1" },        { "unknown-server-time-limit:", "200" },
    { "do-not-query-localhost:", "no" },   { "outgoing-range:", "256" },
    { "num-queries-per-thread:", "1024" }, { "unblock-lan-zones:", "yes" },
};

static bool set_all(struct ub_ctx *context)
{
    char size[TEXT_LIMIT];
    struct ahoy_buf buf = ahoy_buf_over(size, sizeof size);
    ahoy_buf_put_number(&buf, AHOY_DNS_CACHE_SIZE);
    ahoy_buf_put_byte(&buf, '\0');
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        if (ub_ctx_set_option(context, settings[i][0], settings[i][1]) != 0)
            return false;
    }
    return ub_ctx_set_option(context, "msg-cache-size:", size) == 0 &&
           ub_ctx_set_option(context, "rrset-cache-size:", size) == 0;
}

/* A name server as libunbound writes it: address@port. */
static bool add_server(struct ub_ctx *context, const struct ahoy_ip *server)
{
    char text[TEXT_LIMIT];
    struct ahoy_buf buf = ahoy_buf_over(text, sizeof text);
    ahoy_ip_print_bare(server, &buf);
    ahoy_buf_put_byte(&buf, '@');
    ahoy_buf_put_number(&buf, server->port != 0 ? server->port : 53);
    ahoy_buf_put_byte(&buf, '\0');
    return ub_ctx_set_fwd(context, text) == 0;
}

static bool configure(struct ub_ctx *context, const struct ahoy_dns_options *options)
{
    if (!set_all(context))
        return false;
    /* A machine may lack both files, and is then its own resolver, or knows no hosts. */
    (void)ub_ctx_hosts(context, NULL);
    if (options->server_count == 0)
        (void)ub_ctx_resolvconf(context, NULL);
    for (size_t i = 0; i < options->server_count; i++) {
        if (!add_server(context, &options->servers[i]))
            return false;
    }
    errno = EINVAL; /* Of the anchors, which are read with the first question. */
    return options->anchor == NULL || ub_ctx_add_ta_file(context, options->anchor) == 0;
}

/* The first question takes 10 ms, as libunbound makes all that it needs and reads the anchors: this
 * is the first, for a name that it knows itself. */
static bool warm_up(struct ahoy_dns *dns)
{
    uint64_t lookup;
    struct span message;
    ahoy_dns_ask(dns, 0, TYPE_A, SPAN("localhost"));
    return ahoy_dns_next(dns, &lookup, &message) && message.size > 0;
}

static void unlink_lookup(struct lookup *lookup)
{
    *lookup->link = lookup->next;
    if (lookup->next != NULL)
        lookup->next->link = lookup->link;
}

static void answered(void *argument, int rcode, void *packet, int size, int security, char *why,
                     int limited)
{
    struct lookup *lookup = argument;
    struct ahoy_dns *dns = lookup->dns;
    (void)why; /* Whoever has it may read it in the DNS. */
    (void)limited;
    if (dns->closing)
        return; /* It is freed where all are. */
    unlink_lookup(lookup);
    /* A name that does not exist comes with an rcode of 0 and says so in its message. */
    if (rcode == 0 && packet != NULL && size > 0 && security != BOGUS)
        lookup->bytes = malloc((size_t)size);
    if (lookup->bytes != NULL) {
        memcpy(lookup->bytes, packet, (size_t)size);
        lookup->size = (size_t)size;
    }
    lookup->next = NULL;
    *dns->last = lookup;
    dns->last = &lookup->next;
}

struct ahoy_dns *ahoy_dns_open(const struct ahoy_dns_options *options, struct ahoy_loop *loop,
                               struct ahoy_timers *timers, int kind)
{
    struct ahoy_dns *dns = calloc(1, sizeof *dns);
    if (dns == NULL)
        return NULL;
    dns->last = &dns->answers;
    ahoy_dns_events_init(&dns->events, loop, timers, kind);
    errno = ENOMEM;
    dns->context = ub_ctx_create_ub_event(&dns->events.base);
    if (dns->context == NULL || !configure(dns->context, options) || !warm_up(dns)) {
        int why = errno;
        ahoy_dns_close(dns);
        errno = why;
        return NULL;
    }
    return dns;
}

static void free_lookup(struct lookup *lookup)
{
    free(lookup->bytes);
    free(lookup);
}

static void free_list(struct lookup *lookup)
{
    while (lookup != NULL) {
        struct lookup *next = lookup->next;
        free_lookup(lookup);
        lookup = next;
    }
}

void ahoy_dns_close(struct ahoy_dns *dns)
{
    if (dns == NULL)
        return;
    dns->closing = true;
    if (dns->context != NULL)
        ub_ctx_delete(dns->context);
    free_list(dns->under_way);
    free_list(dns->answers);
    free_list(dns->told);
    free(dns);
}

static struct lookup *add_lookup(struct ahoy_dns *dns, uint64_t number)
{
    struct lookup *lookup = calloc(1, sizeof *lookup);
    if (lookup == NULL)
        return NULL;
    lookup->dns = dns;
    lookup->number = number;
    lookup->next = dns->under_way;
    lookup->link = &dns->under_way;
    if (lookup->next != NULL)
        lookup->next->link = &lookup->next;
    dns->under_way = lookup;
    dns->count++;
    return lookup;
}

void ahoy_dns_ask(struct ahoy_dns *dns, uint64_t number, uint16_t type, struct span name)
{
    char text[TEXT_LIMIT];
    struct ahoy_buf buf = ahoy_buf_over(text, sizeof text);
    ahoy_buf_put(&buf, name);
    ahoy_buf_put_byte(&buf, '\0');
    struct lookup *lookup = add_lookup(dns, number);
    if (lookup == NULL)
        return; /* The search that asks has a patience of its own. */
    int id;
    if (buf.overflow || dns->count > AHOY_DNS_LOOKUPS_LIMIT ||
        ub_resolve_event(dns->context, text, type, CLASS_IN, lookup, answered, &id) != 0)
        answered(lookup, -1, NULL, 0, 0, NULL, 0);
}

bool ahoy_dns_has_next(const struct ahoy_dns *dns)
{
    return dns->answers != NULL;
}

bool ahoy_dns_next(struct ahoy_dns *dns, uint64_t *number, struct span *message)
{
    free_list(dns->told);
    dns->told = dns->answers;
    if (dns->told == NULL)
        return false;
    dns->answers = dns->told->next;
    if (dns->answers == NULL)
        dns->last = &dns->answers;
    dns->told->next = NULL;
    dns->count--;
    *number = dns->told->number;
    *message = (struct span){ dns->told->bytes, dns->told->size };
    return true;
}
