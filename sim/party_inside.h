/* What the party's files share: party.c keeps and sends messages, party_compose.c makes them,
 * party_proof.c answers challenges. */
#pragma once

#include "sim/party.h"

enum { KEPT_LIMIT = 32, PROOFS_LIMIT = 4, MESSAGE_LIMIT = 8192 };

/* A message that may be needed again. */
struct kept {
    char method[16];
    unsigned status; /* 0: a request. */
    bool sent;
    char *bytes;
    size_t size;
    uint64_t order;  /* The newest has the greatest. */
    uint64_t stream; /* Where it came from. */
    struct ahoy_ip from;
};

struct sim_party {
    const char *name;
    struct sim_node node;
    struct sim_world *world;
    struct sim_party_kind kind;
    const char *host; /* In its Contact; NULL: its address. */
    unsigned calls, requests, cseq;
    struct kept kept[KEPT_LIMIT];
    size_t kept_count;
    uint64_t kept_order;
    uint64_t stream;   /* To the proxy, once it is open. */
    uint64_t used;     /* The stream of the last message, either way. */
    bool is_websocket; /* The stream has become one. */
    size_t proof_count;
    uint64_t proved;                 /* The order of the challenge that was answered last. */
    char proofs[PROOFS_LIMIT][2048]; /* Rows that answer the challenges of this call. */
    sim_party_watch *watch;
    void *context;
};

/* The newest kept message that fits; status 0 asks for the request. */
struct kept *sim_party_find(struct sim_party *party, bool sent, unsigned least, unsigned most,
                            const char *method);
static inline struct span sim_party_bytes(const struct kept *kept)
{
    return (struct span){ kept->bytes, kept->size };
}

/* Prints the request, or the response to |request|, that |saying| asks for; false where there is
 * nothing to make it from. */
bool sim_party_compose_request(struct sim_party *party, const struct sim_saying *saying,
                               struct ahoy_buf *buf);
bool sim_party_compose_response(const struct sim_party *party, const struct sim_saying *saying,
                                const struct kept *request, struct ahoy_buf *buf);
/* Answers what the last 401 or 407 to |method| asks of a request for |uri|, beside all that was
 * answered before in this call.  False where nothing was asked. */
bool sim_party_prove(struct sim_party *party, const char *method, struct span uri, bool wrong);
