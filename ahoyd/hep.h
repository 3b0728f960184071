/* Every message as it came or went, for a Homer server: HEP version 3, a datagram each
 * (docs/hep.md).  Secrets are masked.  What the socket does not take at once is lost, and
 * counted. */
#pragma once

#include <stdatomic.h>

#include "ahoyd/follower.h"
#include "libahoy/transport/flow.h"

enum { AHOYD_HEP_LIMIT = 8192 /* Bytes of such a datagram. */ };

struct ahoyd_hep_options {
    struct ahoy_ip server;
    uint32_t id; /* Which of its agents we are to the server. */
    struct ahoy_ip (*local)(void *context, uint8_t listener); /* As notes name it. */
    void *context;
};

/* Each counter written once. */
#define AHOYD_HEP_COUNTERS(COUNTER) COUNTER(hep_sent) COUNTER(hep_lost)

struct ahoyd_hep_counters {
#define AHOYD_COUNTER_FIELD(name) uint64_t name;
    AHOYD_HEP_COUNTERS(AHOYD_COUNTER_FIELD)
#undef AHOYD_COUNTER_FIELD
};

struct ahoyd_hep;

/* Prints |noted|, which is a message, as one datagram; nothing where it does not fit. */
void ahoyd_hep_print(const struct ahoyd_hep_options *options, const struct ahoyd_noted *noted,
                     struct ahoy_buf *buf);

/* NULL, and why in |fault|, where there is no such socket. */
struct ahoyd_hep *ahoyd_hep_open(const struct ahoyd_hep_options *options, char *fault,
                                 size_t fault_size);
/* What a follower is to hand its notes to. */
struct ahoyd_taker ahoyd_hep_taker(struct ahoyd_hep *hep);
/* Once the follower has been closed.  NULL is allowed. */
void ahoyd_hep_close(struct ahoyd_hep *hep);
/* From any thread. */
struct ahoyd_hep_counters ahoyd_hep_count(struct ahoyd_hep *hep);
