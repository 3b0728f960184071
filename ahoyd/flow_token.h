/* Flow tokens (RFC 5626 5.2): what names the flow to a phone in a URI of ours, so that requests
 * come down that very flow, and that nobody else can write. */
#pragma once

#include "libahoy/transport/flow.h"

enum {
    AHOYD_FLOW_WORDS_LIMIT = 6, /* Of 64 bits. */
    AHOYD_FLOW_TOKEN_LIMIT = AHOYD_FLOW_WORDS_LIMIT * AHOY_TOKEN_SIZE
};

enum ahoyd_flow_kind {
    AHOYD_FLOW_OF_CALL = 1, /* In a Record-Route: good for requests of one call. */
    AHOYD_FLOW_OF_PHONE,    /* In a Path: good for every request to the phone that registered. */
    /* From node to node (node.h): in the store without a call, in a Route good for one call. */
    AHOYD_FLOW_OF_NODE
};

enum ahoyd_flow_verdict {
    AHOYD_FLOW_NONE,   /* The text is no token at all. */
    AHOYD_FLOW_FORGED, /* It looks like one, but we did not write it, or not for this call. */
    AHOYD_FLOW_SOUND
};

/* Prints 52 characters of [0-9a-v] for a flow of IPv4, 78 for one of IPv6.  |call_id| does not
 * count for AHOYD_FLOW_OF_PHONE. */
void ahoyd_flow_print(const struct ahoy_hash_key *key, enum ahoyd_flow_kind kind,
                      const struct ahoy_hop *hop, struct span call_id, struct ahoy_buf *buf);

/* Reads what was printed with the same key, for the call of |call_id|.  Whether the flow still
 * stands is another question. */
enum ahoyd_flow_verdict ahoyd_flow_read(const struct ahoy_hash_key *key, struct span text,
                                        struct span call_id, enum ahoyd_flow_kind *kind,
                                        struct ahoy_hop *hop);
