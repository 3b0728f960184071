/* The names of hosts and services in the DNS, as text (RFC 1035 2.3.1, RFC 2782). */
#pragma once

#include "libahoy/base/span.h"

enum { AHOY_DNS_NAME_LIMIT = 253 }; /* Bytes of a name, without a dot at its end. */

/* Plain data; a size of 0 is the root. */
struct ahoy_dns_name {
    uint8_t size;
    char text[AHOY_DNS_NAME_LIMIT + 1]; /* "sip1.example.com" and a NUL. */
};

/* |prefix| ("_sip._udp." or "") and |host|, which may end with a dot, as one name.  False where
 * that is none: a label is empty or too long, the whole is, or it has other bytes than letters,
 * digits, "-" and "_". */
bool ahoy_dns_name_make(struct ahoy_dns_name *name, struct span prefix, struct span host);
/* Reads all of |wire| as one name without compression (RFC 1035 3.1).  False for the same reasons,
 * and where it is not that. */
bool ahoy_dns_name_read(struct ahoy_dns_name *name, struct span wire);

/* It as a span, which lives as long as |name|. */
static inline struct span ahoy_dns_name_text(const struct ahoy_dns_name *name)
{
    return (struct span){ name->text, name->size };
}
