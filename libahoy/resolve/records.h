/* DNS answers in wire form (RFC 1035 4.1), as far as locating servers needs them: A, AAAA
 * (RFC 3596), SRV (RFC 2782) and NAPTR (RFC 3403 4.1).
 *
 * A message is read once, from its front to its end.  A compressed name ends where its pointer
 * begins: none is ever followed, so none can loop.  The names that are needed here, those within
 * SRV and NAPTR, are never compressed (RFC 2782, RFC 3403 4.1). */
#pragma once

#include "libahoy/base/ip.h"
#include "libahoy/resolve/name.h"

enum { AHOY_DNS_RECORDS_LIMIT = 1000 }; /* Records of an answer that are looked at. */

enum ahoy_dns_type { AHOY_DNS_A = 1, AHOY_DNS_AAAA = 28, AHOY_DNS_SRV = 33, AHOY_DNS_NAPTR = 35 };

struct ahoy_record {
    enum ahoy_dns_type type;
    struct ahoy_ip ip;      /* A, AAAA; without a port. */
    uint16_t first, second; /* SRV: priority and weight; NAPTR: order and preference. */
    uint16_t port;          /* SRV */
    struct span flags, services, regexp; /* NAPTR; in the message. */
    struct span name;       /* SRV: of the host; NAPTR: of what comes next.  In wire form. */
};

/* What a whole message says. */
enum ahoy_dns_verdict {
    AHOY_DNS_FOUND,  /* There may be records. */
    AHOY_DNS_NONE,   /* There are none: no such name, or nothing of the type. */
    AHOY_DNS_FAILED  /* Nobody knows: the server failed or refused, or no message can be read. */
};

/* A walk over the records of one type; a view into the message. */
struct ahoy_records {
    enum ahoy_dns_type type;
    struct span rest;
    uint16_t left; /* Records that the message says it has, or are looked at. */
};

/* Begins a walk over the answers of |message| that are of |type|, and says what is to be expected
 * of it; |message| outlives the walk. */
enum ahoy_dns_verdict ahoy_records_begin(struct ahoy_records *records, struct span message,
                                         enum ahoy_dns_type type);
/* The next sound record of the type in class IN; false at the end, which a message that breaks off
 * has sooner. */
bool ahoy_records_next(struct ahoy_records *records, struct ahoy_record *record);
