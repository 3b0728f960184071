/* The domains that peers of TLS connections must prove to be, by number: a hop carries the number,
 * and the text is there when a connection is opened (RFC 5922 7.3). */
#pragma once

#include "libahoy/base/span.h"
#include "libahoy/transport/secure.h"

enum { AHOY_DOMAINS_LIMIT = 1024 };

/* All zeroes is an empty one. */
struct ahoy_domains {
    uint32_t count; /* Given out so far; the number of the next is one more. */
    uint32_t by_hash[AHOY_DOMAINS_LIMIT]; /* The newest number of each hash. */
    char *names[AHOY_DOMAINS_LIMIT];      /* A ring: number n stands in place n mod the limit. */
};

/* Frees the names. */
void ahoy_domains_fini(struct ahoy_domains *domains);
/* The number of |name|, which is new or one that it has already; 0 where the name is longer than
 * AHOY_PEER_NAME_LIMIT or memory is refused.  It may be forgotten when AHOY_DOMAINS_LIMIT others
 * have come. */
uint32_t ahoy_domains_add(struct ahoy_domains *domains, struct span name);
/* The name with this number, until the next add; empty where it has been forgotten. */
struct span ahoy_domains_name(const struct ahoy_domains *domains, uint32_t number);
