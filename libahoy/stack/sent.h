/* Who sent the latest datagrams, because a network that refuses one names its destination only
 * (RFC 3261 18.4, ICMP). */
#pragma once

#include "libahoy/transport/flow.h"

enum {
    AHOY_SENT_LIMIT = 512,    /* Datagrams that are remembered. */
    AHOY_SENT_MEMORY_MS = 4000 /* An ICMP error that comes later is not about them. */
};

struct ahoy_sent {
    size_t next; /* Where the oldest is, to be overwritten. */
    struct ahoy_sent_datagram {
        struct ahoy_ip remote;
        struct ahoy_handle transaction;
        uint64_t sent_ms;
    } list[AHOY_SENT_LIMIT];
};

/* All zeroes is an empty one. */
void ahoy_sent_add(struct ahoy_sent *sent, const struct ahoy_ip *remote,
                   struct ahoy_handle transaction, uint64_t now_ms);
/* A transaction that has sent to |remote| lately, which is then forgotten; the null handle when
 * there is none. */
struct ahoy_handle ahoy_sent_take(struct ahoy_sent *sent, const struct ahoy_ip *remote,
                                  uint64_t now_ms);
