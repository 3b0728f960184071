/* Publishing a state of ours (RFC 3903): handed in at the server that our address is of, kept there
 * by refreshing it, and taken back.  One at a time. */
#pragma once

#include "libahoy/tu/exchange.h"

enum {
    AHOY_PUBLICATION_NAME_LIMIT = 128, /* Bytes of an entity-tag, an event package, a type. */
    AHOY_PUBLICATION_AGAIN_MS = 30000, /* After a failure that may pass. */
    AHOY_PUBLICATION_LIMIT_S = 86400 * 7
};

/* What is published: "presence", "application/pidf+xml", and the document. */
struct ahoy_published {
    struct span event, type, document;
};

enum ahoy_publication_state {
    AHOY_PUBLICATION_NONE,
    AHOY_PUBLICATION_HELD, /* It is to be there. */
    AHOY_PUBLICATION_LEAVING
};

struct ahoy_publication {
    enum ahoy_publication_state state;
    bool is_new;     /* The document has not been taken yet. */
    bool is_sent;    /* The last request had it. */
    bool is_removal; /* The last request takes it back. */
    bool raised;     /* A 423 was obeyed once. */
    bool began_anew; /* A 412 was, since the last 2xx. */
    uint32_t asked_s;
    uint64_t due_ms;  /* The next PUBLISH; UINT64_MAX for none. */
    size_t etag_size; /* 0 before the first 2xx. */
    size_t event_size, type_size, document_size;
    char *document; /* From the allocator. */
    struct ahoy_exchange exchange;
    char etag[AHOY_PUBLICATION_NAME_LIMIT];
    char event[AHOY_PUBLICATION_NAME_LIMIT];
    char type[AHOY_PUBLICATION_NAME_LIMIT];
};

/* Before anything else. */
void ahoy_publication_init(struct ahoy_publication *publication);
/* Publishes |state| for |expires_s| seconds, in place of what was before; as soon as the request
 * under way is answered (R3903-4-3).  False where it is too long, empty, of another event than the
 * one that is published, or memory is refused. */
bool ahoy_publication_start(struct ahoy_publication *publication, struct ahoy_ua_context *context,
                            const struct ahoy_published *state, uint32_t expires_s,
                            uint64_t now_ms);
/* Takes it back: PUBLISH_ENDED follows. */
void ahoy_publication_stop(struct ahoy_publication *publication, struct ahoy_ua_context *context,
                           uint64_t now_ms);
/* Events of its requests. */
void ahoy_publication_step(struct ahoy_publication *publication, struct ahoy_ua_context *context,
                           const struct ahoy_event *event, uint64_t now_ms);
/* What |due_ms| asks for, where that has come. */
void ahoy_publication_expire(struct ahoy_publication *publication, struct ahoy_ua_context *context,
                             uint64_t now_ms);
/* Frees what it holds. */
void ahoy_publication_fini(struct ahoy_publication *publication);
