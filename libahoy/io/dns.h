/* Asking the DNS, without ever waiting: libunbound with its cache, DNSSEC, /etc/hosts and
 * resolv.conf, one a driver. */
#pragma once

#include "libahoy/base/ip.h"
#include "libahoy/base/timers.h"
#include "libahoy/io/loop.h"

enum {
    AHOY_DNS_SERVERS_LIMIT = 8,  /* Name servers that may be named. */
    AHOY_DNS_LOOKUPS_LIMIT = 1024, /* Lookups under way: one more fails at once. */
    AHOY_DNS_CACHE_SIZE = 2 * 1048576 /* Bytes of messages, and as many of records. */
};

struct ahoy_dns_options {
    struct ahoy_ip servers[AHOY_DNS_SERVERS_LIMIT]; /* Asked instead of those of resolv.conf. */
    size_t server_count;
    const char *anchor; /* A file of trust anchors for DNSSEC; NULL: nothing is validated here. */
};

struct ahoy_dns;

/* The sources and timers that it makes have |kind|.  NULL where libunbound or the allocator
 * refuses: errno says why. */
struct ahoy_dns *ahoy_dns_open(const struct ahoy_dns_options *options, struct ahoy_loop *loop,
                               struct ahoy_timers *timers, int kind);
/* Lookups under way are forgotten. */
void ahoy_dns_close(struct ahoy_dns *dns);

/* Asks for the records of |type| of |name|; an answer comes, perhaps within this call. */
void ahoy_dns_ask(struct ahoy_dns *dns, uint64_t lookup, uint16_t type, struct span name);
/* The next answer: a message, or nothing where there is none, or one that is bogus.  It lives until
 * the next call.  False where none has come. */
bool ahoy_dns_next(struct ahoy_dns *dns, uint64_t *lookup, struct span *message);
bool ahoy_dns_has_next(const struct ahoy_dns *dns);
